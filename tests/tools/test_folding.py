"""One tag folds a cell in the book, in Colab and in JupyterLab."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import folding
from tools.notebooks import normalised


def fold(source: str, **metadata: object) -> nbformat.NotebookNode:
    notebook = new_notebook(cells=[new_markdown_cell("# One"), new_code_cell(source, metadata=metadata)])
    result = folding.folded(notebook)
    nbformat.validate(result)
    assert folding.folded(result) == result
    assert folding.folded(normalised(result)) == normalised(result)
    return result.cells[1]


@pytest.mark.parametrize(
    ("tag", "in_the_book", "name"),
    [
        ("check", "hide-input", "check"),
        ("checker", "hide-input", "checker"),
        ("solution", "hide-cell", "solution"),
        ("fold", "hide-input", "code"),
    ],
)
def test_a_tag_folds_in_all_three_readers(tag, in_the_book, name):
    cell = fold("print(1)", tags=[tag], mystnb={"image": {"alt": "words"}})
    assert cell.source == f"# @title The {name}\nprint(1)"
    assert cell.metadata["tags"] == [tag, in_the_book]
    assert cell.metadata["cellView"] == "form"
    assert cell.metadata["jupyter"]["source_hidden"] is True
    assert cell.metadata["jupyter"].get("outputs_hidden", False) is (tag == "solution")
    assert cell.metadata["mystnb"] == {
        "image": {"alt": "words"},
        "code_prompt_show": f"Show the {name}",
        "code_prompt_hide": f"Hide the {name}",
    }


def test_what_a_cell_had_of_another_tag_goes():
    once = fold("print(1)", tags=["solution", "nbval-ignore-output"])
    once.metadata["tags"][0] = "check"
    cell = fold(once.source, **once.metadata)
    assert cell == fold("print(1)", tags=["check", "nbval-ignore-output"]) | {"id": cell.id}
    cell.metadata["tags"] = ["hide-input"]
    again = fold(cell.source, **cell.metadata)
    assert (again.source, again.metadata) == ("print(1)", {})


def test_other_cells_stay():
    metadata = {"tags": ["parameters"], "mystnb": {"image": {"alt": "words"}}}
    cell = fold("x: int = 1  # @title", **metadata)
    assert (cell.source, cell.metadata) == ("x: int = 1  # @title", metadata)


def test_two_of_the_tags_are_refused():
    with pytest.raises(ValueError, match="one of check and solution is enough"):
        fold("print(1)", tags=["check", "solution"])


def test_the_tool_folds_lessons_and_leaves_chapters(tmp_path, monkeypatch):
    names = ["03_2_train", "03_a_gender_network"]
    for name in names:
        notebook = new_notebook(cells=[new_code_cell("print(1)", id="one", metadata={"tags": ["check"]})])
        (tmp_path / f"{name}.ipynb").write_text(nbformat.writes(notebook) + "\n")
    before = {name: (tmp_path / f"{name}.ipynb").read_bytes() for name in names}
    monkeypatch.setattr(folding, "chapters", lambda: sorted(tmp_path.glob("*.ipynb")))
    assert folding.main() == 0
    lesson, chapter = ((tmp_path / f"{name}.ipynb").read_bytes() for name in names)
    assert b"@title" in lesson
    assert chapter == before["03_a_gender_network"]
    assert folding.main() == 0
    assert (tmp_path / "03_2_train.ipynb").read_bytes() == lesson

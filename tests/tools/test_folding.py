"""One tag folds a cell in the book, in Colab and in JupyterLab."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import folding
from tools.notebooks import check_cell, normalised


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


def test_the_tool_folds_every_lesson_once(tmp_path, monkeypatch):
    path = tmp_path / "03_2_train.ipynb"
    notebook = new_notebook(cells=[new_code_cell("print(1)", id="one", metadata={"tags": ["check"]})])
    path.write_text(nbformat.writes(notebook) + "\n")
    monkeypatch.setattr(folding, "chapters", lambda: [path])
    assert folding.main() == 0
    lesson = path.read_bytes()
    assert b"@title" in lesson
    assert folding.main() == 0
    assert path.read_bytes() == lesson


def test_on_the_page_what_sets_up_a_run_is_behind_one_button():
    def code(source, *tags, outputs=()):
        return new_code_cell(source, metadata={"tags": list(tags)} if tags else {}, outputs=list(outputs))

    shown = [new_output("stream", text="1")]
    cells = [
        code("seed: int = 1", "parameters"),
        code(check_cell()),
        code("import numpy", "fold"),
        code("print(1)", outputs=shown),
        code("plot()", "fold", outputs=shown),
        code("import os", "fold"),
        new_markdown_cell("Words."),
        code("import re", "fold"),
    ]
    page = folding.gathered(new_notebook(cells=cells))
    sources = [cell.source for cell in page.cells]
    together = f"seed: int = 1\n\n{check_cell()}\n\nimport numpy"
    assert sources == [together, "print(1)", "plot()", "import os", "Words.", "import re"]
    hidden = [
        number for number, cell in enumerate(page.cells) if "hide-input" in cell.metadata.get("tags", [])
    ]
    assert hidden == [0, 3, 5]
    assert len(cells) == 8
    assert cells[0].source == "seed: int = 1"

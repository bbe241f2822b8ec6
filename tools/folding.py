"""Folding what is not the lesson, from one tag, in all three readers: ``python -m tools.folding``.

A code cell of a lesson is tagged ``check``, ``checker``, ``solution`` or ``fold``. From that follow the tag
and words of the button in the book, the form with a title in Colab, the collapsed source in JupyterLab.
"""

from __future__ import annotations

import copy
import sys
from typing import NamedTuple

import nbformat

from facelab.files import written_whole
from tools import command
from tools.notebooks import TITLE_LINE, check_cell, with_first_cells
from tools.paths import chapters


class Fold(NamedTuple):
    """How the cells of a tag are folded."""

    name: str  # "Show the …", "Hide the …" in the book
    with_outputs: bool  # else what the cell printed is shown


FOLDS = {
    "check": Fold("check", with_outputs=False),  # its line "✓ …" stands beside the claim
    "checker": Fold("checker", with_outputs=False),
    "solution": Fold("solution", with_outputs=True),
    "fold": Fold("code", with_outputs=False),  # imports, plotting code
}
_BOOK_TAGS = ("hide-cell", "hide-input", "hide-output")


def folded(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Copy of a lesson in which each tagged cell is folded in all three readers, and no other cell is.

    Raises
    ------
    ValueError
        If a cell has two of the tags.
    """
    result = copy.deepcopy(notebook)
    for cell in result.cells:
        if cell.cell_type == "code":
            _fold(cell)
    return result


def gathered(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Copy of a lesson for the page: parameters, imports and folded code behind one button, not several.

    Code cells that follow each other are joined if each is folded or sets up the run (parameters, their
    check), and none shows anything.
    """
    result = copy.deepcopy(notebook)
    result.cells = []
    for cell in notebook.cells:
        last = result.cells[-1] if result.cells else None
        if _is_quiet(cell) and last is not None and _is_quiet(last):
            last.source += f"\n\n{cell.source}"
            continue
        result.cells.append(copy.deepcopy(cell))
        if _is_quiet(cell):
            _show_behind(result.cells[-1], FOLDS["fold"].name)
    return result


def _is_quiet(cell: nbformat.NotebookNode) -> bool:
    """Whether a code cell is no part of what a reader of the page follows, and shows nothing."""
    if cell.cell_type != "code" or cell.outputs:
        return False
    tags = cell.metadata.get("tags", [])
    return "parameters" in tags or "fold" in tags or cell.source == check_cell()


def _show_behind(cell: nbformat.NotebookNode, name: str) -> None:
    """Let the book show a cell's source only when a button is pressed."""
    tags = cell.metadata.get("tags", [])
    cell.metadata["tags"] = tags if "hide-input" in tags else [*tags, "hide-input"]
    prompts = {"code_prompt_show": f"Show the {name}", "code_prompt_hide": f"Hide the {name}"}
    cell.metadata["mystnb"] = cell.metadata.get("mystnb", {}) | prompts


def _fold(cell: nbformat.NotebookNode) -> None:
    tags = cell.metadata.get("tags", [])
    wanted = [tag for tag in tags if tag in FOLDS]
    if len(wanted) > 1:
        raise ValueError(
            f"one of {' and '.join(wanted)} is enough for the cell that begins {cell.source[:60]!r}"
        )
    tags = [tag for tag in tags if tag not in _BOOK_TAGS]
    lab = {
        key: value for key, value in cell.metadata.get("jupyter", {}).items() if not key.endswith("_hidden")
    }
    book = {
        key: value
        for key, value in cell.metadata.get("mystnb", {}).items()
        if not key.startswith("code_prompt")
    }
    colab = {}
    source = TITLE_LINE.sub("", cell.source)
    if wanted:
        fold = FOLDS[wanted[0]]
        tags.append("hide-cell" if fold.with_outputs else "hide-input")
        lab |= {"source_hidden": True} | ({"outputs_hidden": True} if fold.with_outputs else {})
        book |= {
            "code_prompt_show": f"Show the {fold.name}",
            "code_prompt_hide": f"Hide the {fold.name}",
        }
        colab = {"cellView": "form"}
        source = f"# @title The {fold.name}\n{source}"
    cell.source = source
    cell.metadata.pop("cellView", None)
    for key, value in {"tags": tags, "jupyter": lab, "mystnb": book}.items():
        cell.metadata.pop(key, None)
        if value:
            cell.metadata[key] = value
    cell.metadata.update(colab)


@command.ends_with_status("begins again")
def main() -> None:
    """Fold the cells of every lesson and renew its first two; one in which nothing changes stays as it is."""
    for path in chapters():
        notebook = nbformat.read(path, as_version=4)
        result = folded(with_first_cells(notebook, path.name))
        if result != notebook:
            with written_whole(path) as aside:
                nbformat.write(result, aside)


if __name__ == "__main__":
    sys.exit(main())

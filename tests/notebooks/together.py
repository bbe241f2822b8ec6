"""Quick runs of many lessons in one kernel: to load TensorFlow anew for each takes longer than most of them.

A lesson that works only after another is found elsewhere: ``make book`` gives each a kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from tools.execute import CELL_TIMEOUT_SECONDS

# IPython's reset also takes away what Python needs to start a process from a notebook.
RESET = "%reset -f\n__spec__ = None"


def run(lessons: Sequence[tuple[Path, Mapping[str, Any]]], folder: Path) -> list[list[nbformat.NotebookNode]]:
    """Execute lessons as :func:`joined` and return the executed code cells of each.

    It goes on after an error, which is one of its outputs.
    """
    notebook, places = joined(lessons, folder)
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT_SECONDS,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return [notebook.cells[place] for place in places]


def joined(
    lessons: Sequence[tuple[Path, Mapping[str, Any]]], folder: Path
) -> tuple[nbformat.NotebookNode, list[slice]]:
    """Make one notebook of lessons, each with its parameters, an empty folder and no name of those before it.

    Returns it, and where in it each lesson's code cells are.
    """
    notebook = nbformat.v4.new_notebook()
    places = []
    for number, (path, parameters) in enumerate(lessons):
        empty = folder / str(number)
        empty.mkdir()
        lesson = parameterize_notebook(
            load_notebook_node(str(path)), dict(parameters), kernel_name="python3", language="python"
        )
        code = [cell for cell in lesson.cells if cell.cell_type == "code"]
        for cell in code:
            cell.outputs = []
        notebook.cells += [new_code_cell(f"{RESET}\n%cd -q {empty}"), *code]
        places.append(slice(len(notebook.cells) - len(code), len(notebook.cells)))
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # a lesson may come twice
    return notebook, places


def failures(cells: Sequence[nbformat.NotebookNode]) -> list[str]:
    """What cells raised, each with its source; after the first, an error may only follow from it."""
    return [
        f"{output.ename}: {output.evalue}\n\n{cell.source}\n\n" + "\n".join(output.traceback)
        for cell in cells
        for output in cell.outputs
        if output.output_type == "error"
    ]


def said_in_red(cells: Sequence[nbformat.NotebookNode]) -> list[str]:
    """Whatever cells wrote to stderr, where a notebook shows it in red."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output.text for output in outputs if output.get("name") == "stderr"]

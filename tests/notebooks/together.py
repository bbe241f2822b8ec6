"""Quick runs of many lessons in one kernel: to load TensorFlow anew for each takes longer than most of them.

A lesson that works only after another is found elsewhere: ``make book`` and test_alone give each a kernel.
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
    """Execute lessons, each with its parameters, in an empty folder and with no name of those before it.

    Returns the executed code cells of each lesson. It goes on after an error, which is one of its outputs.
    """
    together = nbformat.v4.new_notebook()
    ends = []
    for number, (path, parameters) in enumerate(lessons):
        place = folder / str(number)
        place.mkdir()
        lesson = parameterize_notebook(
            load_notebook_node(str(path)), dict(parameters), kernel_name="python3", language="python"
        )
        code = [cell for cell in lesson.cells if cell.cell_type == "code"]
        for cell in code:
            cell.outputs = []
        together.cells += [new_code_cell(f"{RESET}\n%cd -q {place}"), *code]
        ends.append((len(together.cells) - len(code), len(together.cells)))
    for number, cell in enumerate(together.cells):
        cell.id = f"cell-{number}"  # a lesson may come twice
    NotebookClient(
        together,
        kernel_name="python3",
        timeout=CELL_TIMEOUT_SECONDS,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return [together.cells[start:end] for start, end in ends]


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

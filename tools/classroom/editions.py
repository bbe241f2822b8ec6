"""The notebooks of a class: what students get, and what nbgrader generates that from and grades with.

Students work in what nbgrader would release, with the seed and the data of their group in it. So a notebook
that is handed in can be graded as it is, and no edition needs nbgrader to be made.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell
from papermill.translators import translate_parameters

from tools.classroom.exercises import Lesson, Part, Role, Task
from tools.notebooks import badge_cell, on_the_code_host, source_only

# What nbgrader puts in the place of a solution; its configuration says the same.
CODE_STUB = ""
TEXT_STUB = "*Write your answer here.*"

_NOTE = """\
> **Note.** This notebook has a seed of its own, {seed}. The numbers in the text come from seed 1 and the
> course's rendered faces. Yours differ, and a sentence about them may not hold: say so where you answer."""
_LINK = re.compile(r"\]\(([\w.-]+\.ipynb)\)")
_TESTS = """\
# Graded: nbgrader runs this cell. Do not change it.
{hidden}handed_in = {call}
assert handed_in.startswith("Right"), handed_in"""


def for_students(
    lesson: Lesson, parameters: Mapping[str, Any], together: Collection[str]
) -> nbformat.NotebookNode:
    """Make the notebook that a group works in and hands in.

    Parameters
    ----------
    lesson : Lesson
        A lesson of the book.
    parameters : mapping
        The group's ``seed``, and whatever else differs from the lesson's own parameters.
    together : collection of str
        File names of the lessons that lie in one folder. A link to another one leads to the code host.

    Returns
    -------
    NotebookNode
        Without outputs, solutions and what is said about them. Checks, checkers and the answers to the
        questions on the way stay folded, as in the lesson.
    """
    notebook = _handed_out(lesson, None, together)
    # As papermill does it, so that papermill can replace the cell, and the lesson checks what is in it.
    source = translate_parameters("python3", "python", dict(parameters), "Parameters").rstrip()
    injected = new_code_cell(source, id="injected-parameters", metadata={"tags": ["injected-parameters"]})
    after = 1 + next(
        place for place, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])
    )
    note = new_markdown_cell(_NOTE.format(seed=parameters["seed"]), id="own-seed")
    notebook.cells[after:after] = [note, injected]
    return source_only(notebook)


def for_nbgrader(
    lesson: Lesson, rubrics: Mapping[str, str], together: Collection[str]
) -> nbformat.NotebookNode:
    """Make the notebook for nbgrader's folder ``source``: with solutions and tests.

    Parameters
    ----------
    lesson : Lesson
        A lesson of the book.
    rubrics : mapping
        From the names of its open tasks to their rubrics, in Markdown.
    together : collection of str
        As in :func:`for_students`.

    Returns
    -------
    NotebookNode
        Without outputs and without parameters of a group. Each test repeats its checker out of sight, so
        that a learner who changes the checker changes nothing.
    """
    return source_only(_handed_out(lesson, rubrics, together))


def _handed_out(
    lesson: Lesson, rubrics: Mapping[str, str] | None, together: Collection[str]
) -> nbformat.NotebookNode:
    """Put the cells together, without the badge: it opens the book's notebook and not the group's."""
    notebook = copy.deepcopy(lesson.notebook)
    badge = badge_cell(lesson.path.name)
    cells = [cell for part in lesson.parts for cell in _cells(part, rubrics)]
    notebook.cells = [cell for cell in cells if cell.source != badge]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(lambda link: _linked(link[1], together), cell.source)
    return notebook


def _linked(name: str, together: Collection[str]) -> str:
    return f"]({name if name in together else on_the_code_host(name)})"


def _cells(part: Part, rubrics: Mapping[str, str] | None) -> list[nbformat.NotebookNode]:
    """Make what becomes of one cell, with solutions and tests if there are rubrics, and else without."""
    cell, task = copy.deepcopy(part.cell), part.task
    if part.role is Role.SOLUTION:
        return []
    if task is None or part.role is Role.LESSON:
        return [cell]
    if part.role is Role.CHECKER:
        _mark(cell, task, "check", locked=True)
        return [cell]
    if part.role is Role.PAGE:
        rubric = None if rubrics is None else rubrics[task.name]
        cell.source = TEXT_STUB if rubric is None else _region(rubric, "<!-- ", " -->")
        _mark(cell, task, "answer", solution=True, points=task.points)
        return [cell]
    solution = CODE_STUB if rubrics is None else _region(task.solution, "### ", "")
    cell.source = f"{task.beginning}\n{solution}\nprint({task.call})"
    _mark(cell, task, "answer", solution=True)
    hidden = "" if rubrics is None else f"### BEGIN HIDDEN TESTS\n{task.checker}\n### END HIDDEN TESTS\n"
    tests = new_code_cell(_TESTS.format(hidden=hidden, call=task.call), id=f"{cell.id[:58]}-test")
    _mark(tests, task, "test", locked=True, points=task.points)
    return [cell, tests]


def _region(source: str, before: str, after: str) -> str:
    return f"{before}BEGIN SOLUTION{after}\n{source}\n{before}END SOLUTION{after}"


def _mark(
    cell: nbformat.NotebookNode,
    task: Task,
    kind: str,
    *,
    locked: bool = False,
    solution: bool = False,
    points: int | None = None,
) -> None:
    """Tell nbgrader what a cell is, in the third version of its format."""
    mark: dict[str, Any] = {
        "grade": points is not None,
        "grade_id": f"{kind}-{task.name}",
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points is not None:
        mark["points"] = points
    cell.metadata["nbgrader"] = mark
    cell.metadata["deletable"] = False  # JupyterLab asks for these two
    if locked:
        cell.metadata["editable"] = False

"""The exercises of a lesson: which cells ask, check, answer and solve each of them.

A lesson's exercises all have one form (CONTRIBUTING, "Cells"): the question; a cell tagged ``checker``, which
defines ``check_…``; a cell with ``# your code`` that ends in ``print(check_…(…))``; cells tagged
``solution``; and then, maybe, a sentence about the solution. An open exercise has only the question.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat.v4 import new_markdown_cell

from tools.notebooks import TITLE_LINE
from tools.paths import lesson_name, lesson_number, lesson_prefix

POINTS = 5  # of an exercise with a checker; an open one has the ten points of its rubric
OPEN_POINTS = 10

_EXERCISES = "## Exercises"
_EXERCISE = re.compile(r"### (Exercise (\d+)(?: \((open)\))?: .+)")
_HEADING = re.compile(r"#{1,6} ")
# "*The report.* Choose three claims": the next part of an exercise, and not a sentence about the solution.
_RUN_IN = re.compile(r"^\*[A-Z][^*\n]*\.\*", re.MULTILINE)
_DETAILS = re.compile(r"<details>.*?</details>\n*", re.DOTALL)


class Role(Enum):
    """What a cell is to an exercise."""

    LESSON = auto()  # the lesson itself, questions included
    CHECKER = auto()
    ANSWER = auto()
    PAGE = auto()  # where the answer to an open exercise goes; it has no cell in the lesson
    SOLUTION = auto()  # what learners are not given: a solution, or what is said or checked about it


@dataclass
class Task:
    """What is handed in and gets points: an answer with a checker, or that to an open exercise.

    Attributes
    ----------
    name : str
        Unique in its lesson: ``fence`` for ``check_fence``, ``exercise-2`` for an open exercise.
    number : int
        Of the exercise to which it belongs; the capstone has exercises of several tasks.
    heading : str
        "Exercise 1: equally near".
    points : int
        That it is worth.
    checker : str
        Source of the checker; empty for an open exercise.
    beginning : str
        Source of the answer's cell before its last line.
    call : str
        "check_fence(nearest_or_none)", what the last line prints.
    solution : str
        Source that gives the names in `call` right values.
    expected : list of str
        What the checker says to the solution, as it was executed.
    """

    name: str
    number: int
    heading: str
    points: int
    checker: str = ""
    beginning: str = ""
    call: str = ""
    solution: str = ""
    expected: list[str] = field(default_factory=list)


class Part(NamedTuple):
    """A cell, and what it is to which task."""

    role: Role
    cell: nbformat.NotebookNode
    task: Task | None = None


@dataclass(frozen=True)
class Lesson:
    """A lesson's cells in order, with the tasks that they belong to."""

    path: Path
    notebook: nbformat.NotebookNode
    parts: list[Part]

    @property
    def number(self) -> str:
        """Its number in the book, such as 1.1, A."""
        return lesson_number(self.path)

    @property
    def name(self) -> str:
        """How the book speaks of it, such as "lesson 1.1", "the capstone"."""
        return lesson_name(self.path)

    @property
    def assignment(self) -> str:
        """What its folder is called in nbgrader: ``lesson_01_1``."""
        return f"lesson_{lesson_prefix(self.path)}"

    @property
    def tasks(self) -> list[Task]:
        """What is handed in, in order."""
        return [part.task for part in self.parts if part.role in (Role.ANSWER, Role.PAGE) and part.task]


def read(path: Path) -> Lesson:
    """Read a lesson, as it was executed, and find its exercises.

    Raises
    ------
    ValueError
        If an exercise has another form than all others; the message names the lesson and the cell.
    """
    notebook = nbformat.read(path, as_version=4)
    try:
        return Lesson(path, notebook, list(_parts(_divided(notebook.cells))))
    except (ValueError, SyntaxError) as error:
        raise ValueError(f"{path.name}: {error}. Write its exercises as CONTRIBUTING describes") from error


def _divided(cells: list[nbformat.NotebookNode]) -> Iterator[nbformat.NotebookNode]:
    """Let each heading from "Exercises" on begin a cell: something may have to come between two of them."""
    within = False
    for cell in cells:
        pieces = [cell.source]
        if cell.cell_type == "markdown" and (within or _EXERCISES in cell.source.splitlines()):
            pieces = _at_headings(cell.source, within)
            within = True
        for number, piece in enumerate(pieces):
            part = copy.deepcopy(cell)
            part.source = piece
            if number:
                part.id = f"{cell.id[:60]}-{number}"
            yield part


def _at_headings(source: str, within: bool) -> list[str]:
    """Divide Markdown before each heading; before the exercises, only at theirs."""
    pieces: list[list[str]] = [[]]
    in_code = False
    for line in source.splitlines():
        in_code ^= line.startswith("```")
        within |= line == _EXERCISES
        if within and not in_code and _HEADING.match(line) and pieces[-1]:
            pieces.append([])
        pieces[-1].append(line)
    return ["\n".join(piece).rstrip() for piece in pieces]


def _parts(cells: Iterator[nbformat.NotebookNode]) -> Iterator[Part]:
    """Say of each cell what it is to which task."""
    heading: re.Match[str] | None = None
    task: Task | None = None
    within = is_open = False
    last = Role.LESSON
    for cell in cells:
        role, tags = Role.LESSON, cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            if _HEADING.match(cell.source) and within and is_open and heading:
                yield _page(heading, cell)
                is_open = False
            within |= cell.source.startswith(_EXERCISES)
            if within and (found := _EXERCISE.match(cell.source)):
                heading, is_open, task = found, bool(found[3]), None
            if within:
                # Two things in one cell: a word on the solution, then the question's next part.
                about, cell.source = _about_solution(cell.source, after_solution=last is Role.SOLUTION)
                if about:
                    yield Part(Role.SOLUTION, _markdown(about, f"{cell.id[:50]}-solution"), task)
                if not cell.source:
                    continue
        elif "checker" in tags:
            role, task = Role.CHECKER, _checked(cell, heading)
        elif last is Role.CHECKER and task is not None:
            role = Role.ANSWER
            _read_answer(task, cell)
        elif "solution" in tags or (within and "check" in tags):
            role = Role.SOLUTION
            if task is not None and "solution" in tags:
                _read_solution(task, cell)
        if task is not None and last is Role.ANSWER and role is not Role.SOLUTION:
            raise ValueError(f"check_{task.name} has no cell tagged 'solution' after that of the answer")
        yield Part(role, cell, task)
        last = role
    if is_open and heading:
        yield _page(heading, cell)


def _about_solution(source: str, after_solution: bool) -> tuple[str, str]:
    """Divide Markdown of the exercises into what is about a solution, and the rest."""
    about = "".join(_DETAILS.findall(source))
    rest = _DETAILS.sub("", source).rstrip()
    if after_solution and not _HEADING.match(rest):
        begin = found.start() if (found := _RUN_IN.search(rest)) else len(rest)
        about, rest = rest[:begin] + about, rest[begin:]
    elif about and len(rest.splitlines()) == 1:  # a heading that is left without text
        about, rest = source, ""
    return about.strip(), rest


def _page(heading: re.Match[str], before: nbformat.NotebookNode) -> Part:
    task = Task(f"exercise-{heading[2]}", int(heading[2]), heading[1], OPEN_POINTS)
    return Part(Role.PAGE, _markdown("", f"{before.id[:50]}-page"), task)


def _markdown(source: str, name: str) -> nbformat.NotebookNode:
    return new_markdown_cell(source, id=name)


def _checked(cell: nbformat.NotebookNode, heading: re.Match[str] | None) -> Task:
    """Begin a task at its checker."""
    source = TITLE_LINE.sub("", cell.source)
    functions = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    names = [name.removeprefix("check_") for name in functions if name.startswith("check_")]
    if len(names) != 1 or heading is None:
        raise ValueError(
            f"the checker that begins {source[:40]!r} stands in no exercise, or defines no check_…"
        )
    return Task(names[0], int(heading[2]), heading[1], POINTS, checker=source)


def _read_answer(task: Task, cell: nbformat.NotebookNode) -> None:
    last = ast.parse(cell.source).body[-1]
    call = _call(last, task.name)
    if call is None or not ast.unparse(last).startswith("print("):
        raise ValueError(
            f"the cell after the checker check_{task.name} does not end in print(check_{task.name}(…))"
        )
    task.beginning = "\n".join(cell.source.splitlines()[: last.lineno - 1]).rstrip()
    task.call = ast.unparse(call)


def _read_solution(task: Task, cell: nbformat.NotebookNode) -> None:
    """Add a cell of the solution; the one that calls the checker says what the answer's names should be."""
    source = TITLE_LINE.sub("", cell.source)
    task.solution = "\n\n".join(filter(None, [task.solution, source]))
    if (right := _call(ast.parse(source), task.name)) is None:
        return
    asked = _call(ast.parse(task.call), task.name)
    bound = _bound(ast.parse(task.beginning))
    pairs = _values(asked, right, bound) if asked else {}
    left_open = {node.id for node in ast.walk(asked or right) if isinstance(node, ast.Name)} & bound
    if not pairs or set(pairs) != left_open:
        raise ValueError(f"the solution calls check_{task.name} with other arguments than the answer's cell")
    names, values = zip(*pairs.items(), strict=True)
    task.solution += f"\n\n{', '.join(names)} = {', '.join(values)}"
    task.expected = [
        line
        for output in cell.outputs
        for line in output.get("text", "").splitlines()
        if line.startswith(("Right", "Not yet"))
    ]


def _call(tree: ast.AST, name: str) -> ast.Call | None:
    """Find the first call of a checker."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return next((c for c in calls if isinstance(c.func, ast.Name) and c.func.id == f"check_{name}"), None)


def _bound(tree: ast.Module) -> set[str]:
    """List the names that an answer's cell leaves to the learner, or defines."""
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    targets = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return functions | {node.id for node in targets if isinstance(node.ctx, ast.Store)}


def _values(asked: ast.AST, right: ast.AST, names: set[str]) -> dict[str, str]:
    """Compare two expressions, and say what the second has in the place of each of these names."""
    if isinstance(asked, ast.Name) and asked.id in names:
        return {asked.id: ast.unparse(right)}
    pairs = zip(ast.iter_child_nodes(asked), ast.iter_child_nodes(right), strict=False)
    return {name: value for one, other in pairs for name, value in _values(one, other, names).items()}

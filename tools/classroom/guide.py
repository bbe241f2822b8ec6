"""What a teacher reads beside the notebooks: times, points, expected outputs, wrong answers, rubrics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facelab import seals
from tools.classroom.exercises import Lesson, Role, Task, read
from tools.classroom.mistakes import likely, mistakes
from tools.paths import REPOSITORY

TEACHERS_PAGE = REPOSITORY / "book" / "teachers.md"

_TIME = re.compile(r"\*\*Time\*\* (\d+) minutes[^.]*\.")
_RUBRIC = re.compile(r"### (Capstone|[\w.]+), exercise (\d+): [^\n]*\n(.*?)(?=\n##|\Z)", re.DOTALL)
_NOT_HERE = "✗ not in this run: "


@dataclass(frozen=True)
class Run:
    """A lesson as it was executed for one group, or as it is committed."""

    lesson: Lesson
    seconds: float | None  # that the execution took, if this class had it

    def not_here(self, committed: Lesson) -> list[str]:
        """Claims of the lesson's text that hold in the committed notebook, and do not in this run."""
        return [claim for claim in _failed(self.lesson) if claim not in _failed(committed)]


def _failed(lesson: Lesson) -> list[str]:
    """List the claims that did not hold; a lesson may show one on purpose."""
    lines = (
        line
        for part in lesson.parts
        for output in part.cell.get("outputs", [])
        for line in output.get("text", "").splitlines()
    )
    return [line.removeprefix(_NOT_HERE) for line in lines if line.startswith(_NOT_HERE)]


def read_run(notebook: Path) -> Run:
    """Read an executed notebook, with the time that its run sealed beside it, if it did."""
    seal = seals.read(notebook.with_suffix(".json"))
    return Run(read(notebook), seal.seconds if seal else None)


def rubrics(lesson: Lesson) -> dict[str, str]:
    """Find the rubrics of a lesson's open tasks on the page for teachers.

    Raises
    ------
    ValueError
        If one has none; the message says which, and where it should stand.
    """
    page = TEACHERS_PAGE.read_text(encoding="utf-8")
    known = {(found[1], int(found[2])): found[3].strip() for found in _RUBRIC.finditer(page)}
    number = "Capstone" if lesson.number == "B" else lesson.number
    found = {task.name: known.get((number, task.number), "") for task in _open(lesson)}
    for task in _open(lesson):
        if not found[task.name]:
            raise ValueError(
                f"{lesson.path.name}: no rubric for {task.heading!r}. Write one in {TEACHERS_PAGE.name}, "
                f"under '### {number}, exercise {task.number}: …'"
            )
    return found


def guide(lessons: Sequence[Lesson], seeds: Mapping[str, int], runs: Mapping[str, Sequence[Run]]) -> str:
    """Write the guide in Markdown.

    Parameters
    ----------
    lessons : sequence of Lesson
        As they are committed.
    seeds : mapping
        From the name of a group to its seed.
    runs : mapping
        From the names of those groups whose lessons were executed to their runs, in the order of `lessons`;
        empty if none was.

    Returns
    -------
    str
        A table of all lessons, then a section for each.
    """
    shown = runs or {"as committed": [Run(lesson, None) for lesson in lessons]}
    sections = [
        _section(lesson, {group: of_group[place] for group, of_group in shown.items()})
        for place, lesson in enumerate(lessons)
    ]
    return "\n".join([_opening(seeds, bool(runs)), _overview(lessons, shown), *sections])


def _opening(seeds: Mapping[str, int], executed: bool) -> str:
    listed = "\n".join(f"| {group} | {seed} |" for group, seed in seeds.items())
    outputs = (
        "The notebooks beside this page were executed for each group: its folder shows what its students "
        "should see."
        if executed
        else "The notebooks beside this page are the course's own, with seed 1 on the embedded faces, which "
        "are rendered. A group's numbers differ somewhat. To have them here, make the class with `--execute` "
        "(`make class EXECUTE=1`)."
    )
    return f"""\
# For the teacher

| group | seed |
|---|---|
{listed}

{outputs}

The solutions are public: they stand in the book. So let points reward work, and examine with questions (the
book's page for teachers has some). Checkers accept an answer or not; change the points in nbgrader as you
like.
"""


def _overview(lessons: Sequence[Lesson], shown: Mapping[str, Sequence[Run]]) -> str:
    rows = [
        "| lesson | minutes in class | seconds to execute | tasks with a checker | open tasks | points |",
        "|---|---|---|---|---|---|",
    ]
    for place, lesson in enumerate(lessons):
        checked = [task for task in lesson.tasks if task.checker]
        seconds = [run[place].seconds for run in shown.values()]
        known = [f"{one:.0f}" for one in seconds if one is not None]
        columns = [f"{lesson.number} {_title(lesson)}", minutes(lesson), ", ".join(known) or "not measured"]
        columns += [len(checked), len(_open(lesson)), sum(task.points for task in lesson.tasks)]
        rows.append(f"| {' | '.join(map(str, columns))} |")
    total = sum(task.points for lesson in lessons for task in lesson.tasks)
    rows.append(f"| together | {sum(map(minutes, lessons))} | | | | {total} |")
    return "\n".join([*rows, ""])


def _section(lesson: Lesson, runs: Mapping[str, Run]) -> str:
    pieces = [f"## {lesson.number} {_title(lesson)}", ""]
    for group, run in runs.items():
        if claims := run.not_here(lesson):
            pieces += [f"The text says so, but it does not hold in the run of {group}:", ""]
            pieces += [*(f"* {claim}" for claim in claims), ""]
    written = rubrics(lesson)
    for task in lesson.tasks:
        function = f"`check_{task.name}`, " if task.checker else ""
        pieces += [f"### {task.heading} ({function}{task.points} points)", ""]
        pieces += _checked(task, lesson, runs) if task.checker else [written[task.name], ""]
    about = [
        part.cell.source
        for part in lesson.parts
        if part.role is Role.SOLUTION and part.cell.cell_type == "markdown"
    ]
    if about:
        pieces += ["### What the book says about the solutions", ""]
        pieces += [f"{text}\n" for text in about]
    return "\n".join(pieces)


def _checked(task: Task, lesson: Lesson, runs: Mapping[str, Run]) -> list[str]:
    """List what the checker of a task says: to the solution, by group, and to wrong answers."""
    said = {group: _expected(run.lesson, task.name) for group, run in runs.items()}
    pieces = [f"A right answer to `{task.call}` gets:", ""]
    if len(set(said.values())) == 1:
        said = {"": next(iter(said.values()))}
    pieces += [f"* {group}: `{line}`" if group else f"* `{line}`" for group, line in said.items()]
    pieces += ["", "| to a wrong answer the checker says: not yet: … | when |", "|---|---|"]
    for mistake in mistakes(task):
        when = f"`{_in_table(mistake.shown_by)}`" if mistake.shown_by else "otherwise"
        pieces.append(f"| {_in_table(mistake.said)} | {when} |")
    wrong = [one for one in likely() if (one.lesson, one.task) == (lesson.number, task.name)]
    if wrong:
        pieces += ["", "Likely wrong answers, and what they show:"]
    for one in wrong:
        pieces += ["", "```python", one.answer.strip(), "```", "", one.shows]
    return [*pieces, ""]


def _expected(lesson: Lesson, name: str) -> str:
    return " ".join(line for task in lesson.tasks if task.name == name for line in task.expected)


def _in_table(text: str) -> str:
    return text.replace("|", "\\|")


def _open(lesson: Lesson) -> list[Task]:
    return [task for task in lesson.tasks if not task.checker]


def minutes(lesson: Lesson) -> int:
    """Read how long a lesson takes in class, exercises included.

    Raises
    ------
    ValueError
        If its text does not say so.
    """
    for cell in lesson.notebook.cells:
        if cell.cell_type == "markdown" and (found := _TIME.search(cell.source)):
            return int(found[1])
    raise ValueError(f"{lesson.path.name}: no cell says '**Time** … minutes'")


def _title(lesson: Lesson) -> str:
    texts = (cell.source for cell in lesson.notebook.cells if cell.cell_type == "markdown")
    return next(line.removeprefix("# ") for text in texts for line in text.splitlines() if line[:2] == "# ")

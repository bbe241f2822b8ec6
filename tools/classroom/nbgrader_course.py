"""The two files of a course for nbgrader that are not notebooks: its configuration, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence

from tools.classroom.editions import CODE_STUB, TEXT_STUB
from tools.classroom.exercises import Lesson
from tools.execute import CELL_TIMEOUT_SECONDS

CONFIGURATION = f"""\
# Read by nbgrader when it is called in this folder.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "reading_faces"
c.ClearSolutions.code_stub = {{"python": {CODE_STUB!r}}}
c.ClearSolutions.text_stub = {TEXT_STUB!r}
c.Execute.timeout = {CELL_TIMEOUT_SECONDS}  # seconds a cell: some of them train a network
"""


def instructions(lessons: Sequence[Lesson], groups: Sequence[str]) -> str:
    """Write what a teacher does, from the first command to the grades, with this class's names."""
    first, group = lessons[0], groups[0]
    rows = "\n".join(f"| {lesson.number} | `{lesson.assignment}` | `{lesson.path.name}` |" for lesson in lessons)
    return f"""\
# Grade with nbgrader

Call nbgrader in this folder, from the course's environment, which has it (`.venv/bin/nbgrader`). To grade a
notebook, nbgrader executes all of it, so a lesson takes as long as it does for a reader, and each group comes
on top.

1. Register the assignments, once: `nbgrader generate_assignment {first.assignment}`, and so on. It writes
   `release/{first.assignment}` too. Hand out the group's archive (`students_{group}.zip`) instead: that is the
   same notebook with the group's seed and data in it.
2. Put what the groups hand in into
   `submitted/{group}/{first.assignment}/{first.path.name}`, the file names unchanged.
3. `nbgrader autograde {first.assignment}` executes and grades the answers that have a checker.
4. `nbgrader generate_feedback {first.assignment}` writes a page for each group. `nbgrader export` writes all
   grades to `grades.csv`. The answers to open exercises are graded by you, in `jupyter lab` under
   *nbgrader → Formgrader*; the rubrics are in `source`, and in the guide in `teacher.zip`.

Checkers and tests that a group changed are put back before grading, and each test runs the checker once more.
Other cells of the lesson are not put back: a group that changed a function which a checker uses may get
points for it. Look at a notebook before you trust its points, and execute only notebooks of people whom you
trust: grading runs their code on your machine.

| lesson | assignment | notebook |
|---|---|---|
{rows}
"""

"""A course for nbgrader: the files that are no notebooks, its configuration and what to do with it."""

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
    rows = "\n".join(
        f"| {lesson.number} | `{lesson.assignment}` | `{lesson.path.name}` |" for lesson in lessons
    )
    return f"""\
# Grade with nbgrader

Activate the course's environment, which has nbgrader (`source .venv/bin/activate` in the course's folder:
nbgrader looks for other programs on PATH), and call it in this folder. To grade a notebook nbgrader executes
all of it. So each group's notebook takes as long as the lesson takes a reader.

1. Register each assignment, once: `nbgrader generate_assignment {first.assignment}`. It writes
   `release/{first.assignment}` too. Hand out the group's archive (`students_{group}.zip`) instead: it has
   the same notebook with the group's seed and data in it.
2. Put what the groups hand in into
   `submitted/{group}/{first.assignment}/{first.path.name}`, the file names unchanged.
3. `nbgrader autograde {first.assignment}` executes and grades the answers that have a checker.
4. `nbgrader generate_feedback {first.assignment}` writes a page for each group. `nbgrader export` writes all
   grades to `grades.csv`. The answers to open exercises are graded by you, in `jupyter lab` under
   *nbgrader → Formgrader*; the rubrics are in `source`, and in the guide in `teacher.zip`.

Checkers and tests that a group changed are put back before grading, and each test runs the checker once more.
Other cells of the lesson are not put back: a group that changed a function which a checker uses may get
points for it. An answer has to make what it needs: a folder on a student's computer is not on yours. Look at
a notebook before you trust its points, and execute only notebooks of people whom you trust: grading runs
their code on your computer.

| lesson | assignment | notebook |
|---|---|---|
{rows}
"""

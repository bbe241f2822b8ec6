"""Make what a class needs from the lessons: ``python -m tools.classroom``, or ``make class``.

Archives come to lie in ``_build/class``: for each group the notebooks of its students, with a seed of its
own; for the teacher the executed lessons and a guide; and a course for nbgrader, which grades what the groups
hand in.
Exit status: 0, or 1 when a lesson fails, 2 for a wrong argument, 130 when interrupted.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from tqdm import tqdm

from facelab.files import alone
from tools import archives, command
from tools.classroom import editions, guide
from tools.classroom.exercises import Lesson, read
from tools.classroom.nbgrader_course import CONFIGURATION, instructions
from tools.execute import execute_all
from tools.parameters import read as read_parameters
from tools.paths import BUILD, chapters

CLASS = BUILD / "class"
RUNS = BUILD / "class_runs"  # the lessons, executed with each group's seed
FIRST_SEED = 101  # not 1, whose numbers everybody finds in the book


def chosen_lessons(names: Sequence[str]) -> list[Path]:
    """Find lessons by what their file names begin with: ``03_3``, ``B``, or ``03`` for a chapter.

    Raises
    ------
    ValueError
        If no lesson's file name begins so.
    """
    every = chapters()
    if not names:
        return every
    chosen = {name: [path for path in every if f"{path.stem}_".startswith(f"{name}_")] for name in names}
    if unknown := [name for name, found in chosen.items() if not found]:
        raise ValueError(
            f"no lesson's file name begins with {', '.join(unknown)}. Write 03_3 for lesson 3.3, 03 for "
            "chapter 3, B for the capstone"
        )
    return sorted({path for found in chosen.values() for path in found})


def make_class(
    notebooks: Sequence[Path], groups: int, parameters: Mapping[str, Any], execute: bool, folder: Path
) -> list[Path]:
    """Make all editions, and replace those of an earlier run.

    Parameters
    ----------
    notebooks : sequence of Path
        The lessons.
    groups : int
        How many groups the class has, at least 1.
    parameters : mapping
        What differs from the lessons' own parameters in every group, such as ``data_dir``. Not the seed:
        each group has one of its own.
    execute : bool
        Whether to execute the lessons for each group. A lesson that was executed before, and has not
        changed, is not executed again.
    folder : Path
        Where the archives go.

    Returns
    -------
    list of Path
        The archives.
    """
    seeds = {f"group_{number + 1}": FIRST_SEED + number for number in range(groups)}
    lessons = [read(notebook) for notebook in notebooks]
    executed: dict[str, list[Path]] = {}
    for group, seed in seeds.items() if execute else ():
        tqdm.write(f"{group} of {groups}, seed {seed}")
        executed[group] = execute_all(notebooks, {**parameters, "seed": seed}, RUNS / group)
    # What may still be wrong with a lesson shows here, before any archive is replaced.
    teacher, course = _teacher(lessons, seeds, executed), _nbgrader(lessons, seeds)
    with alone(folder, "another run of this tool makes a class"):
        made = [
            _pack(folder / f"students_{group}.zip", _students(lessons, {**parameters, "seed": seed}))
            for group, seed in tqdm(seeds.items(), desc="Students' editions", unit="group", disable=None)
        ]
        made.append(_pack(folder / "teacher.zip", teacher))
        made.append(_pack(folder / "nbgrader.zip", course))
        for found in set(folder.glob("students_group_*.zip")) - set(made):
            if re.fullmatch(r"students_group_\d+\.zip", found.name):  # an earlier run's, of a larger class
                found.unlink()
    return made


def _pack(path: Path, texts: Mapping[str, str]) -> Path:
    """Write texts into an archive, in a folder of its name; returns its path."""
    return archives.pack(path, {f"{path.stem}/{name}": text.encode() for name, text in texts.items()})


def _students(lessons: Sequence[Lesson], parameters: Mapping[str, Any]) -> dict[str, str]:
    together = {lesson.path.name for lesson in lessons}
    return {
        lesson.path.name: _text(editions.for_students(lesson, parameters, together)) for lesson in lessons
    }


def _teacher(
    lessons: Sequence[Lesson], seeds: Mapping[str, int], executed: Mapping[str, Sequence[Path]]
) -> dict[str, str]:
    runs = {group: [guide.read_run(path) for path in paths] for group, paths in executed.items()}
    shown = executed or {"lessons": [lesson.path for lesson in lessons]}
    files = {
        f"{place}/{path.name}": path.read_text(encoding="utf-8")
        for place, paths in shown.items()
        for path in paths
    }
    return {"guide.md": guide.guide(lessons, seeds, runs), **files}


def _nbgrader(lessons: Sequence[Lesson], seeds: Mapping[str, int]) -> dict[str, str]:
    files = {"README.md": instructions(lessons, list(seeds)), "nbgrader_config.py": CONFIGURATION}
    for lesson in lessons:
        # Each assignment has a folder of its own, so no other lesson lies beside it.
        notebook = editions.for_nbgrader(lesson, guide.rubrics(lesson), {lesson.path.name})
        files[f"source/{lesson.assignment}/{lesson.path.name}"] = _text(notebook)
    return files


def _text(notebook: nbformat.NotebookNode) -> str:
    return nbformat.writes(notebook) + "\n"


def _at_least_one(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,2}", text):
        raise argparse.ArgumentTypeError(f"{text}: a class has 1 to 999 groups")
    return int(text)


@command.ends_with_status("goes on with the lessons that were executing")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.classroom", description=__doc__.split("\n")[0])
    parser.add_argument(
        "lessons", nargs="*", help="what their file names begin with: 03_3, 03, B (default: all)"
    )
    parser.add_argument(
        "--groups", type=_at_least_one, default=1, help=f"how many; the first has seed {FIRST_SEED}"
    )
    parser.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="for all groups, such as: -p data_dir /path/to/adience",
    )  # fmt: skip
    parser.add_argument("--execute", action="store_true", help="execute the lessons for each group")
    parser.add_argument(
        "--output",
        type=Path,
        default=CLASS,
        help="folder for students_group_N.zip, teacher.zip and nbgrader.zip (default: _build/class)",
    )
    chosen = parser.parse_args(arguments)
    notebooks = chosen_lessons(chosen.lessons)
    parameters = read_parameters(chosen.parameter, notebooks)
    if "seed" in parameters:
        raise ValueError(f"each group has a seed of its own, from {FIRST_SEED} on: leave out -p seed")
    for archive in make_class(notebooks, chosen.groups, parameters, chosen.execute, chosen.output.resolve()):
        print(f"{archive} ({archive.stat().st_size / 1000:,.0f} kB)")


if __name__ == "__main__":
    sys.exit(main())

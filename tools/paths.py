"""Where things are: what is written by hand, and what is built from it."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = REPOSITORY / "notebooks"
RECORDS = REPOSITORY / "book" / "results"  # what the lessons that train measured
MEASURED = RECORDS / "measured"  # what tools.measure found, on photographs and on renders
ANSWERS = REPOSITORY / "book" / "answers.json"  # of one network, for the interactive pages
PLAY = REPOSITORY / "book" / "play"  # the networks of the interactive page "Play"

BUILD = REPOSITORY / "_build"
EXECUTED = BUILD / "executed"  # the lessons, as a default run left them
RUNS = BUILD / "runs"  # the same with other parameters
FULL = BUILD / "full"  # the full runs and their checkpoints
HTML = BUILD / "html"  # the pages


def chapters() -> list[Path]:
    """Every lesson's notebook, in the order of the book."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def lesson_prefix(notebook: Path) -> str:
    """Return what a lesson's file name, and its card's picture, begins with: ``03_2``, ``A``."""
    if not (number := re.match(r"(\d\d_\d|[A-Z])_", notebook.stem)):
        raise ValueError(f"{notebook.name} does not begin with the number of a lesson")
    return number[1]


def lesson_number(notebook: Path) -> str:
    """Number a lesson by its file name: ``03_2_train`` is lesson 3.2, ``A_rendered_faces`` is A."""
    return lesson_prefix(notebook).lstrip("0").replace("_", ".")


def lesson_name(notebook: Path) -> str:
    """Return how the book speaks of a notebook: "lesson 3.2", "appendix A", "the capstone"."""
    number = lesson_number(notebook)
    return {"A": "appendix A", "B": "the capstone"}.get(number, f"lesson {number}")

"""Where things are: what is written by hand, and what is built from it."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = REPOSITORY / "notebooks"
RECORDS = REPOSITORY / "book" / "results"  # what the trained chapters measured

BUILD = REPOSITORY / "_build"
EXECUTED = BUILD / "executed"  # the chapters, as a default run left them
RUNS = BUILD / "runs"  # the same with other parameters
FULL = BUILD / "full"  # the full runs and their checkpoints
HTML = BUILD / "html"  # the pages


def chapters() -> list[Path]:
    """Every chapter's notebook, in the order of the book."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))

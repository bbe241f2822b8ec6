"""Fill the pages that say what the course was tried with, when the book is rendered."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

from tools import accessibility, placeholders
from tools.paths import REPOSITORY, chapters

TESTED = REPOSITORY / "book" / "colab.json"
_SHOWN = ("tensorflow", "keras", "numpy", "pandas")
"""The packages on the badge; the others stand in the record."""


def tested() -> dict[str, str]:
    """Say when, and with which of Colab's versions, lessons have passed: for the page "Run it"."""
    record = json.loads(TESTED.read_text(encoding="utf-8"))
    versions = [f"{name} {record['versions'][name]}" for name in _SHOWN]
    badges = [record["date"], f"Python {record['python']}", *versions]
    lessons, day = record["lessons"], datetime.date.fromisoformat(record["date"])
    compared = sum(run == "default" for run in lessons.values())
    ways = [
        f"{len(lessons) - compared} with `quick`" if compared < len(lessons) else "",
        f"{compared} by default and with the outputs that you see here" if compared else "",
    ]
    words = (
        f"On {day.day} {day:%B %Y}, {len(lessons)} of the {len(chapters())} lessons ran with what Colab had "
        f"in {record['colab']['date']}, each alone: {', '.join(filter(None, ways))}. Installing the course "
        "changed no other package. With the versions of this book, all of them run."
    )
    return {"tested": " ".join(f"{{bdg-primary}}`{badge}`" for badge in badges) + f"\n\n{words}"}


PAGES: dict[str, Callable[[], dict[str, str]]] = {
    "run_it.md": tested,
    "accessibility.md": accessibility.numbers,
}


def fill(book: Path) -> None:
    """Put their numbers into the pages of a folder.

    Raises
    ------
    ValueError
        If a page names what there is not to tell, or leaves out what there is.
    """
    for name, tell in PAGES.items():
        path = book / name
        if not path.exists():
            continue
        text, known = path.read_text(encoding="utf-8"), tell()
        path.write_text(placeholders.filled(text, known, known, name), encoding="utf-8")

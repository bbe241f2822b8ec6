"""What the tests ask of every page so that everybody can read it, and what the book says of that."""

from __future__ import annotations

import re

import nbformat

from tools.paths import REPOSITORY, chapters
from tools.printed import contents

THEMES = ("light", "dark")
WIDE, NARROW = (1280, 800), (390, 844)
"""The windows in which a page must fit: width and height in pixels."""

THEME_VIOLATIONS = {
    "label-content-name-mismatch": "the words of a button are not its name for a screen reader",
    "region": "some of the page is in no landmark",
}
"""axe's rules that the theme breaks, the same on every page of every book made with it."""

BIBLIOGRAPHY_VIOLATIONS = {
    "aria-required-children": "a list has no entries of the kind that its role asks for",
    "aria-allowed-role": "an element has a role that it may not have",
    "aria-deprecated-role": "an element has a role that is no longer in use",
}
"""And those that docutils breaks, by the roles that it gives to a bibliography and its entries."""


def numbers() -> dict[str, str]:
    """Count what the tests look at, for the names in ``book/accessibility.md``."""
    pages = len(contents())
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    axe = re.search(r"^axe-playwright-python==([\w.]+)", lock, flags=re.MULTILINE)
    known = THEME_VIOLATIONS | BIBLIOGRAPHY_VIOLATIONS
    return {
        "pages": str(pages),
        "runs": str(pages * len(THEMES)),
        "axe": f"axe-playwright-python {axe[1]}" if axe else "axe",
        "widths": f"{WIDE[0]:,} and {NARROW[0]}",
        "figures": str(_described_figures()),
        "known": str(len(known)),
        "exceptions": "\n".join(f"* `{rule}`: {meaning}" for rule, meaning in known.items()),
    }


def _described_figures() -> int:
    """Count the figures of the lessons that have a description of their own."""
    cells = [cell for lesson in chapters() for cell in nbformat.read(lesson, as_version=4).cells]
    return sum(bool(cell.metadata.get("mystnb", {}).get("image", {}).get("alt")) for cell in cells)

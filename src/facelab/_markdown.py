"""Text that comes from data, on its way into a page: what stands in it is shown, and does nothing.

A page is Markdown with the directives and roles of MyST, which read files and pass on HTML. The one means
against all of them is an HTML entity: Markdown shows it, and never takes it for the sign of a structure.
"""

import re
import unicodedata
from typing import Final

LONGEST: Final = 100
"""Characters of a plain name, at most."""

MARKS: Final = " ,.;:!?%&'()+-–—/=_°≥≤±×→’“”"
"""What may stand in a plain name besides letters and digits."""

_SIGNS: Final = re.compile(r"[\\`*{}\[\]<>|#$~^&]|(?<![^\W_])_|_(?![^\W_])")
"""Characters that Markdown, MyST or HTML may take for a structure inside of a line."""

_SIGNS_IN_AN_ANSWER: Final = re.compile(r"[\\{}<>#$~]|\](?=[(:\[])|\[(?=\^)|`{3,}|:{3,}")
"""The same without those of emphasis, code and tables, but with fences. Of brackets, which code may hold,
only those that make a link, its definition or a footnote."""

_MARKER: Final = r"^((?:[ \t]*(?:[*+-]|\d{1,9}[.)])(?=[ \t]))*[ \t]*)"
"""The beginning of a line, behind the markers of lists."""

_LINES_IN_AN_ANSWER: Final = (
    re.compile(rf"{_MARKER}([%:])", re.MULTILINE),  # a comment, which is hidden; a field, a definition
    re.compile(rf"{_MARKER}(\+)(?=\+\+)", re.MULTILINE),  # a break between blocks
    re.compile(rf"{_MARKER}(\()(?=[^\n]*\)=[ \t]*$)", re.MULTILINE),  # a target for references
    re.compile(
        r"^([ \t]*)([-=+*_])(?=(?:[ \t]*\2)*[ \t]*$)", re.MULTILINE
    ),  # makes a heading of the line above
)

_UNSHOWN: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, those that turn the direction of writing, and halves of characters."""


def plain(text: str) -> str:
    """Return a name as it is; refuse one that is not plain text."""
    if strange := [character for character in text if not _is_plain(character)]:
        raise ValueError(
            f"{text[:LONGEST]!a} must be plain text, of letters, digits, spaces and some marks, but has "
            f"{strange[0]!a}"
        )
    if not text.strip() or len(text) > LONGEST:
        raise ValueError(f"a name has 1 to {LONGEST} characters, not {len(text.strip())}")
    return text


def made_plain(text: str) -> str:
    """Return what is left of a text as a plain name, with ``_`` for all that may not stand in one."""
    return "".join(character if _is_plain(character) else "_" for character in text[:LONGEST]).strip() or "_"


def as_text(text: str) -> str:
    """Write any text so that a line of Markdown shows it."""
    return _SIGNS.sub(_entities, _UNSHOWN.sub("\ufffd", " ".join(text.splitlines())))


def as_code(text: str) -> str:
    """Write any text so that a line of Markdown shows it as code."""
    return "`" + _UNSHOWN.sub("\ufffd", " ".join(text.splitlines())).replace("`", "'") + "`"


def as_answer(text: str) -> str:
    """Write Markdown of which paragraphs, lists, tables, emphasis and code count, and all else is text."""
    text = _UNSHOWN.sub("\ufffd", re.sub("\r\n?", "\n", text))
    text = _SIGNS_IN_AN_ANSWER.sub(_entities, text)
    for lines in _LINES_IN_AN_ANSWER:
        text = lines.sub(lambda found: found[1] + _entities(found[2]), text)
    return text


def _is_plain(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" or character in MARKS


def _entities(found: re.Match[str] | str) -> str:
    return "".join(f"&#{ord(character)};" for character in (found if isinstance(found, str) else found[0]))

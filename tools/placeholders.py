"""The names in double braces, such as ``{{ temperature }}``, for which the book's pages get what is known."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_NAME = re.compile(r"\{\{ (\w+) \}\}")


def names(text: str) -> set[str]:
    """List what a page names."""
    return set(_NAME.findall(text))


def filled(text: str, known: Mapping[str, str], needed: Collection[str], page: str) -> str:
    """Put what is known into a page.

    Parameters
    ----------
    text : str
        The page's source, Markdown.
    known : mapping
        By name, what stands there afterwards.
    needed : collection of str
        Those of the names that must be there.
    page : str
        The page's file, for the message.

    Raises
    ------
    ValueError
        If the page names what is not known, or does not name what is needed.
    """
    named = names(text)
    if unknown := sorted(named - set(known)):
        raise ValueError(f"{page} names {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if missing := sorted(set(needed) - named):
        raise ValueError(f"{page} must have {{{{ {missing[0]} }}}}")
    return _NAME.sub(lambda found: known[found[1]], text)

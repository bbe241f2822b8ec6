"""The glossary's terms, and the lessons that introduce them.

In ``book/glossary.md`` a line above a term says how else it is written, each form in words a lesson may use:
``.. also: overfits, overfitted``. Sphinx takes such a line for a comment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_ALSO = ".. also:"


def terms(glossary: str) -> dict[str, str]:
    """Each form that a term is written in, in lower case, to the term as the glossary has it.

    Raises
    ------
    ValueError
        If a form belongs to two terms.
    """
    found: dict[str, str] = {}
    for entry in _entries(glossary):
        names = [line for line in entry if line and not line.startswith((_ALSO, " "))]
        also = ",".join(line.removeprefix(_ALSO) for line in entry if line.startswith(_ALSO))
        forms = [*names, *(form.strip() for form in also.split(",") if form)]
        for form in forms:
            if found.setdefault(form.lower(), names[0]) != names[0]:
                raise ValueError(f"book/glossary.md: {form} is written for {names[0]} and for another term")
    return found


def with_lessons(glossary: str, lessons: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """The glossary with a line under each entry that leads to the lessons which introduce it.

    Parameters
    ----------
    glossary : str
        The page's source.
    lessons : mapping of str to sequence of (str, str)
        For each term the lessons' names and file names, such as ``("lesson 3.2", "03_2_train.ipynb")``.
    """
    result = glossary
    for entry in _entries(glossary):
        links = [link for line in entry for link in lessons.get(line, [])]
        if links:
            old = "\n".join(entry)
            *others, last = [f"[{name}](../notebooks/{file})" for name, file in links]
            line = f"Introduced in {' and '.join([', '.join(others), last] if others else [last])}."
            result = result.replace(f"\n{old}\n", f"\n{old}\n\n  {line}\n", 1)
    return result


def _entries(glossary: str) -> list[list[str]]:
    """The lines of each entry: how else it is written, its names, its definition."""
    (listing,) = re.findall(r"^```\{glossary\}\n(.*?)^```$", f"\n{glossary}", flags=re.M | re.S) or [""]
    return [entry.splitlines() for entry in re.split(r"\n{2,}(?=\S)", listing.strip("\n")) if entry]

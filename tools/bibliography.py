"""The works that the book cites: how each is named, and the addresses that lead to it.

One place decides it: for the text, for the labels of the bibliography, and for the links of the lessons,
which become citations when the book is rendered (``tools/markdown.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pybtex.database import Entry, parse_file
from pybtex.richtext import Text


class Work(NamedTuple):
    """An entry of ``references.bib``, as the book speaks of it."""

    key: str
    names: str  # as it is cited: "Levi and Hassner", "Eidinger et al."
    all_names: str
    year: str
    title: str
    addresses: frozenset[str]  # in the form of `bare`


def read(path: Path) -> list[Work]:
    """Every work of a bibliography; no two are cited by the same names and year.

    Raises
    ------
    ValueError
        If two works have the same authors and year, or one lacks a year.
    """
    entries = parse_file(str(path)).entries
    lacking = [key for key, entry in entries.items() if "year" not in entry.fields]
    if lacking:
        raise ValueError(f"{path}: no year in {', '.join(lacking)}")
    names = _short_names(entries)
    return [
        Work(
            key=key,
            names=names[key],
            all_names=_joined(_family_names(entry)),
            year=entry.fields["year"],
            title=_plain(entry.fields["title"]),
            addresses=frozenset(map(bare, _addresses(entry))),
        )
        for key, entry in entries.items()
    ]


def bare(address: str) -> str:
    """An address without what makes no difference: the scheme, upper case, a slash at the end."""
    return address.lower().removeprefix("https://").removeprefix("http://").rstrip("/")


def _addresses(entry: Entry) -> Iterable[str]:
    fields = entry.fields
    if "doi" in fields:
        yield f"doi.org/{fields['doi']}"
    if "eprint" in fields:
        yield f"arxiv.org/abs/{fields['eprint']}"
    if "url" in fields:
        yield fields["url"]


def _short_names(entries: dict[str, Entry]) -> dict[str, str]:
    """For each key the fewest names that, with the year, mean no other work: "Zhang, Gao et al."."""
    families = {key: _family_names(entry) for key, entry in entries.items()}
    shown = dict.fromkeys(families, 1)
    while True:
        names = {key: _joined(families[key], shown[key]) for key in families}
        counts = Counter((names[key], entries[key].fields["year"]) for key in families)
        alike = [key for key in families if counts[names[key], entries[key].fields["year"]] > 1]
        if not alike:
            return names
        longer = [key for key in alike if shown[key] < len(families[key])]
        if not longer:
            raise ValueError(f"the same authors and year: {', '.join(alike)}")
        for key in longer:
            shown[key] += 1


def _family_names(entry: Entry) -> list[str]:
    persons = entry.persons.get("author") or entry.persons.get("editor", [])
    return [_plain(" ".join([*person.prelast_names, *person.last_names])) for person in persons]


def _joined(families: list[str], shown: int | None = None) -> str:
    # "et al." stands for two names or more
    if shown is None or len(families) <= max(2, shown + 1 if shown > 1 else shown):
        return " and ".join([", ".join(families[:-1]), families[-1]] if len(families) > 1 else families)
    return f"{', '.join(families[:shown])} et al."


def _plain(latex: str) -> str:
    return " ".join(str(Text.from_latex(latex)).split())

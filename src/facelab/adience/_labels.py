"""What the annotations' age and gender labels mean.

Ages are *apparent* ages and genders are *labelled* genders:
what the people who labelled the photographs saw. Neither says who somebody is.
"""

import re
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

AGE_GROUPS: Final = (
    "(0, 2)", "(4, 6)", "(8, 12)", "(15, 20)", "(25, 32)", "(38, 43)", "(48, 53)", "(60, 100)",
)  # fmt: skip
"""The benchmark's eight age groups, youngest first, spelled as in its files: first and last year of age."""

GENDERS: Final = ("f", "m")
"""The two labelled genders, in the order of their codes: f = 0, m = 1."""

TYPOS: Final = {"(25, 23)": "(25, 32)"}
"""Slips of the pen in one edition of the benchmark, in 72 rows of fold 0, and what the other edition has."""

Matching = Literal["strict", "nearest"]
"""How an age label that is none of the eight groups is treated."""


class UnknownLabelError(ValueError):
    """A label of no kind that the benchmark has."""


_YEARS = re.compile(r"\(([0-9]{1,3}), *([0-9]{1,3})\)|([0-9]{1,3})")
_NOT_LABELLED = ("None", "")


def years(age_label: str) -> tuple[int, int] | None:
    """Read the first and the last year of age that an age label names.

    Parameters
    ----------
    age_label : str
        As in the files: ``"(25, 32)"``, a bare age such as ``"35"``, ``"None"`` or empty.

    Returns
    -------
    tuple of two int, or None
        First and last year, first ≤ last; None where there is no label.

    Raises
    ------
    UnknownLabelError
        If the text is none of these, or its years run backwards.

    Notes
    -----
    Built in lesson 1.1.

    Examples
    --------
    >>> years("(25, 32)"), years("35"), years("None")
    ((25, 32), (35, 35), None)
    """
    if age_label in _NOT_LABELLED:
        return None
    match = _YEARS.fullmatch(age_label)
    if match is None:
        raise UnknownLabelError(
            f"{age_label!r} is no age label: expected '(25, 32)', '35', 'None' or nothing"
        )
    first, last, bare = match.groups()
    span = (int(bare), int(bare)) if bare else (int(first), int(last))
    if span[0] > span[1]:
        raise UnknownLabelError(f"{age_label!r} is no age label: its years run backwards")
    return span


_SPANS: Final = {span: group for group in AGE_GROUPS if (span := years(group))}


def age_group(age_label: str, matching: Matching = "strict") -> str | None:
    """Read one age label as one of the benchmark's age groups.

    Parameters
    ----------
    age_label : str
        As in the files; see :func:`years`.
    matching : {"strict", "nearest"}
        ``"strict"``: a label must name exactly one of the eight groups, any other gives None.
        ``"nearest"``: any other label goes to the group whose nearer edge is the fewest years away from the
        middle of the years it names; of two that are equally far, to the younger. So 35 (three years from
        32 and from 38) goes to (25, 32), 13 to (8, 12), 57 to (60, 100), and (38, 48), whose middle is 43,
        to (38, 43).

    Returns
    -------
    str or None
        One of ``AGE_GROUPS``, or None.

    Raises
    ------
    UnknownLabelError
        If the text is no age label.
    ValueError
        If `matching` is neither word.

    Notes
    -----
    Published systems disagree about such labels (35 is 25–32 to one and 38–43 to another), so "strict" is the
    default and "nearest" is there to ask how much the choice matters. Built in lesson 1.1.

    Examples
    --------
    >>> age_group("(25, 32)"), age_group("35"), age_group("35", "nearest")
    ('(25, 32)', None, '(25, 32)')
    """
    if matching not in get_args(Matching):
        raise ValueError(f"matching is 'strict' or 'nearest', not {matching!r}")
    span = years(age_label)
    if span is None or span in _SPANS or matching == "strict":
        return _SPANS.get(span) if span else None
    return AGE_GROUPS[nearest_groups([sum(span) / 2])[0]]


def nearest_groups(ages: ArrayLike) -> np.ndarray:
    """Find the age group that is nearest to each age.

    Parameters
    ----------
    ages : float array, shape (n,)
        In years.

    Returns
    -------
    int array, shape (n,)
        Indices into ``AGE_GROUPS``: the group whose nearer edge is the fewest years away; of two that are
        equally far, the younger.

    Notes
    -----
    How the "nearest" matching of :func:`age_group` chooses, and how an age that a renderer or another network
    knows in years becomes a group. Used by tools.pretrain.

    Examples
    --------
    >>> nearest_groups([1.5, 35, 57]).tolist()
    [0, 4, 7]
    """
    first, last = np.array(list(_SPANS), dtype="float64").T
    years_of = np.asarray(ages, dtype="float64")[:, None]
    # argmin() keeps the first of equals, and the groups stand youngest first: a tie goes to the younger.
    return np.maximum(np.maximum(first - years_of, years_of - last), 0).argmin(axis=1)


def gender(gender_label: str) -> str | None:
    """Read one gender label; ``u`` (unclear, nearly always an infant) and empty give None.

    Parameters
    ----------
    gender_label : str
        ``"f"``, ``"m"``, ``"u"`` or empty.

    Returns
    -------
    str or None
        One of ``GENDERS``, or None.

    Raises
    ------
    UnknownLabelError
        If the text is none of these.

    Notes
    -----
    Built in lesson 1.1.

    Examples
    --------
    >>> gender("f"), gender("m"), gender("u")
    ('f', 'm', None)
    """
    if gender_label in GENDERS:
        return gender_label
    if gender_label in ("u", ""):
        return None
    raise UnknownLabelError(f"{gender_label!r} is no gender label: expected 'f', 'm', 'u' or nothing")

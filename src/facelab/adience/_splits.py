"""Dividing a data set for training, validation and test so that no album is in two of them."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from facelab.adience._layout import DataSetError

VALIDATION_SHARE: Final = 0.15
"""The share of the photographs outside the test fold that :func:`split` aims to put into validation."""

SELECTIONS: Final = 200
"""How many random selections of validation albums :func:`split` compares."""


class Split(NamedTuple):
    """Three tables, no two of which share an album.

    Parameters
    ----------
    train, validation, test : DataFrame
        Rows of the table that was split.

    Notes
    -----
    Used in lesson 4.4.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame


def split(table: pd.DataFrame, fold: int, seed: int = 0) -> Split:
    """Test on one fold; divide the other folds, by album, into training and validation.

    Parameters
    ----------
    table : DataFrame
        From :func:`read_folds`, and usually through :func:`usable`.
    fold : int
        The fold to test on.
    seed : int
        Which albums go into validation depends on it and on the table, and on nothing else.

    Returns
    -------
    Split
        ``train``, ``validation`` and ``test``: every row of `table` in one of them, in its order.
        Validation comes as near to ``VALIDATION_SHARE`` of the photographs outside the test fold as whole
        albums allow, in a selection whose labels are like the rest's.

    Raises
    ------
    DataSetError
        If an album stands in two folds, so that a face could be met again in the test; if `table` has no
        such fold; or if the other folds have fewer than two albums.

    Notes
    -----
    Albums are of very different sizes (in the benchmark from one photograph to several hundred), so one
    random selection may have no infants, or hardly anybody else. The best of ``SELECTIONS`` is taken; of
    equally good ones, the first that was drawn. Built in lesson 1.3, as ``parts``.

    Examples
    --------
    >>> albums = {"user_id": ["a", "a", "b", "c"], "fold": [0, 0, 1, 2]}
    >>> labels = {"age_group": ["(4, 6)"] * 4, "gender": ["f", "f", "m", "m"]}
    >>> parts = split(pd.DataFrame(albums | labels), fold=0)
    >>> len(parts.train), len(parts.validation), len(parts.test)
    (1, 1, 2)
    """
    if fold not in set(table["fold"]):
        there = sorted(set(table["fold"]))
        raise DataSetError(
            f"there is no fold {fold}: the table has {there}. Name one that is there; a lesson takes them "
            "from its parameter folds, if it has one"
        )
    outside = table[table["fold"] != fold]
    if outside["user_id"].nunique() < 2:
        raise DataSetError("the other folds have fewer than two albums: none can be set aside for validation")
    in_validation = outside["user_id"].isin(_choose_albums(outside, np.random.default_rng(seed)))
    parts = Split(outside[~in_validation], outside[in_validation], table[table["fold"] == fold])
    refuse_shared_albums(parts)
    return parts


def refuse_shared_albums(parts: Split) -> None:
    """Raise if an album is in two parts of a split: the same faces would be learned and tested.

    Raises
    ------
    DataSetError
        With the number of such albums and the first of them.

    Notes
    -----
    Lesson 6.1 measures what it costs to let them through.
    """
    albums = {name: set(part["user_id"]) for name, part in parts._asdict().items()}
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        if shared := sorted(albums[one] & albums[other]):
            raise DataSetError(
                f"{one} and {other} share {len(shared)} albums, the first {shared[0]!r}: the same faces. "
                "Put every album into one part, and into one fold"
            )


def _choose_albums(outside: pd.DataFrame, random: np.random.Generator) -> list[str]:
    """Choose albums for validation: of many random selections, the one whose size and labels fit best."""
    by_album = outside["user_id"]
    sizes = outside.groupby(by_album).size()
    labels = (
        pd.get_dummies(outside[["age_group", "gender"]], dtype="int64").groupby(by_album).sum().to_numpy()
    )
    wanted_size = VALIDATION_SHARE * len(outside)
    wanted_labels = VALIDATION_SHARE * labels.sum(axis=0)

    best, least = np.empty(0, dtype=int), np.inf
    for _ in range(SELECTIONS):
        order = random.permutation(len(sizes))
        number = int(np.searchsorted(sizes.to_numpy()[order].cumsum(), wanted_size, side="right"))
        chosen = order[: max(number, 1)]
        # Photographs too many or too few, overall and under each label.
        misfit = (
            abs(sizes.iloc[chosen].sum() - wanted_size)
            + abs(labels[chosen].sum(axis=0) - wanted_labels).sum()
        )
        if misfit < least:  # of equals, the first that was drawn
            best, least = chosen, misfit
    return list(sizes.index[best])

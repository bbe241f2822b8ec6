"""What a lesson needs of a data set, said before its work begins."""

import pandas as pd

from facelab.adience._layout import DataSetError


def require(
    table: pd.DataFrame,
    among: str,
    *,
    photographs: int = 0,
    albums: int = 0,
    folds: int = 0,
    genders: int = 0,
) -> None:
    """Raise if some photographs are too few, or too much alike, for what is to be done with them.

    Parameters
    ----------
    table : DataFrame
        From :func:`read_folds`, or a part of it.
    among : str
        What these photographs are, in the plural, for the message: ``"photographs with both labels"``.
    photographs, albums, folds, genders : int
        How many there must be at least. A missing gender is none.

    Raises
    ------
    DataSetError
        If there are fewer, in one sentence that says what is needed, and what is there.

    Notes
    -----
    An interval needs two albums, a test on a fold needs another fold to train on. What each lesson needs
    stands on the page for teachers. Used in lesson 1.1.

    Examples
    --------
    >>> require(pd.DataFrame({"user_id": ["a", "a", "b"]}), "test photographs", albums=2)
    """
    found = {
        "photographs": (photographs, len(table)),
        "albums": (albums, _different(table, "user_id")),
        "folds": (folds, _different(table, "fold")),
        "genders": (genders, _different(table, "gender")),
    }
    short = {name: numbers for name, numbers in found.items() if numbers[1] < numbers[0]}
    if short:
        needed = _listed([f"{least} {name}" for name, (least, _) in short.items()])
        there = _listed([str(number) for _, number in short.values()])
        raise DataSetError(
            f"this lesson needs at least {needed} among the {among}, and finds {there}: take a data set with "
            "more photographs, or label more of them"
        )


def _different(table: pd.DataFrame, column: str) -> int:
    """Count the different values of a column; a table may lack a column that nobody asks for."""
    return table[column].nunique() if column in table else 0


def _listed(words: list[str]) -> str:
    """Write some words as a list in a sentence."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last

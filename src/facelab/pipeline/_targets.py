"""What the network is to answer: labels as numbers, in the form that a loss takes."""

import numpy as np
import pandas as pd

from facelab.adience import AGE_GROUPS, DataSetError


def gender_target(table: pd.DataFrame) -> np.ndarray:
    """Return the labelled genders as a binary loss needs them.

    Parameters
    ----------
    table : DataFrame
        With the column ``gender``.

    Returns
    -------
    float32 array, shape (n, 1)
        1 where the label is m, 0 where it is f.

    Raises
    ------
    DataSetError
        If a label is missing.

    Notes
    -----
    Built in lesson 2.2.

    Examples
    --------
    >>> labels = pd.Categorical(["m", "f"], categories=["f", "m"])
    >>> gender_target(pd.DataFrame({"gender": labels})).tolist()
    [[1.0], [0.0]]
    """
    return _codes(table, "gender").astype("float32")[:, None]


def age_target(table: pd.DataFrame) -> np.ndarray:
    """Return the age groups as numbers.

    Parameters
    ----------
    table : DataFrame
        With the column ``age_group``.

    Returns
    -------
    int32 array, shape (n,)
        Indices into ``adience.AGE_GROUPS``: 0 is 0–2 years, 7 is 60 and over.

    Raises
    ------
    DataSetError
        If a label is missing.

    Notes
    -----
    Built in lesson 2.2.

    Examples
    --------
    >>> labels = pd.Categorical(["(4, 6)", "(60, 100)"], categories=AGE_GROUPS)
    >>> age_target(pd.DataFrame({"age_group": labels})).tolist()
    [1, 7]
    """
    return _codes(table, "age_group").astype("int32")


def soft_age_target(table: pd.DataFrame, neighbour: float = 0.15) -> np.ndarray:
    """Spread each age label over its group and the groups beside it, since they are in order.

    Parameters
    ----------
    table : DataFrame
        With the column ``age_group``.
    neighbour : float
        What each neighbouring group gets; from 0 (nothing) to 1/3 (as much as the group itself).

    Returns
    -------
    float32 array, shape (n, 8)
        Rows sum to 1: ``1 - 2 * neighbour`` on the group and `neighbour` on each side. The youngest and the
        oldest group have one neighbour; what the other would get is shared out in proportion.

    Raises
    ------
    DataSetError
        If a label is missing.
    ValueError
        If `neighbour` is out of range.

    Notes
    -----
    Built in lesson 2.2.

    Examples
    --------
    >>> labels = pd.Categorical(["(8, 12)"], categories=AGE_GROUPS)
    >>> soft_age_target(pd.DataFrame({"age_group": labels}), neighbour=0.25).tolist()
    [[0.0, 0.25, 0.5, 0.25, 0.0, 0.0, 0.0, 0.0]]
    """
    if not 0 <= neighbour <= 1 / 3:
        raise ValueError(f"a neighbour gets from 0 to 1/3, not {neighbour}")
    groups = len(AGE_GROUPS)
    spread = np.eye(groups) * (1 - 2 * neighbour) + neighbour * (np.eye(groups, k=1) + np.eye(groups, k=-1))
    spread /= spread.sum(axis=1, keepdims=True)
    return spread.astype("float32")[age_target(table)]


def _codes(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a label's category numbers, none of which may be missing."""
    codes = table[column].cat.codes.to_numpy()
    if missing := int((codes < 0).sum()):
        raise DataSetError(
            f"{missing} of {len(table)} rows have no {column}: take the rows of "
            f'adience.usable(table, ("{column}", "path"))'
        )
    return codes

"""How right a network is: each score takes true and predicted labels and returns one number."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelab.adience import AGE_GROUPS
from facelab.evaluation._checks import as_labels, refuse_unlike

Metric = Callable[[np.ndarray, np.ndarray], float]
"""A function of true and predicted labels that returns one number, such as :func:`accuracy`."""


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of faces whose predicted label is the true one.

    Parameters
    ----------
    y_true, y_pred : int array, shape (n,)
        Labels as numbers from 0: genders (f = 0, m = 1) or indices into ``adience.AGE_GROUPS``.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If the arrays are empty or differ in shape, or hold anything but whole numbers from 0. A negative one
        is how pandas codes a missing label.

    Notes
    -----
    Of age groups, the benchmark's first score, "exact" (Eidinger, Enbar and Hassner, 2014). Built in lesson
    3.3.

    Examples
    --------
    >>> accuracy([0, 1, 1, 0], [0, 1, 0, 0])
    0.75
    """
    y_true, y_pred = as_labels(y_true, y_pred)
    return float(np.mean(y_true == y_pred))


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, num_classes: int) -> np.ndarray:
    """Count the faces with each pair of true and predicted label.

    Parameters
    ----------
    y_true, y_pred : int array, shape (n,)
        Labels from 0 to ``num_classes - 1``.
    num_classes : int
        How many labels there are.

    Returns
    -------
    int array, shape (num_classes, num_classes)
        A row a true label, a column a predicted one; the sum is n.

    Raises
    ------
    ValueError
        As for :func:`accuracy`, and if a label is not below `num_classes`.

    Notes
    -----
    Built in lesson 3.4.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 0], [0, 1, 0, 0], num_classes=2).tolist()
    [[2, 0], [1, 1]]
    """
    y_true, y_pred = as_labels(y_true, y_pred, num_classes=num_classes)
    pairs = np.bincount(num_classes * y_true + y_pred, minlength=num_classes**2)
    return pairs.reshape(num_classes, num_classes)


def one_off_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of faces whose predicted age group is the true one or a neighbour.

    Parameters
    ----------
    y_true, y_pred : int array, shape (n,)
        Indices into ``adience.AGE_GROUPS`` (0 = 0–2 years … 7 = 60 and over).

    Returns
    -------
    float
        In [0, 1], never below :func:`accuracy`.

    Raises
    ------
    ValueError
        As for :func:`accuracy`, and if an index is above 7.

    Notes
    -----
    The benchmark's second score (Eidinger, Enbar and Hassner, 2014). It is not top-2 accuracy: the second
    most likely group need not be a neighbour. Built in lesson 4.1.

    Examples
    --------
    >>> one_off_accuracy([0, 1, 4, 7], [0, 2, 6, 6])
    0.75
    """
    y_true, y_pred = as_labels(y_true, y_pred, num_classes=len(AGE_GROUPS))
    return float(np.mean(abs(y_true - y_pred) <= 1))


def balanced_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean recall of the labels that occur in `y_true`: how many of their faces are right.

    Parameters
    ----------
    y_true, y_pred : int array, shape (n,)
        Labels as numbers from 0.

    Returns
    -------
    float
        In [0, 1]. A classifier that gives every face the same label scores 1 / number of labels.

    Raises
    ------
    ValueError
        As for :func:`accuracy`.

    Notes
    -----
    A label that does not occur has no share of its own and is left out: an album bootstrap may draw no infant
    at all. Built in lesson 4.1.

    Examples
    --------
    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    y_true, y_pred = as_labels(y_true, y_pred)
    return float(np.nanmean(_recall(y_true, y_pred, int(y_true.max()) + 1)))


def recall_by_group(y_true: ArrayLike, y_pred: ArrayLike) -> pd.Series:
    """Return, for each age group, the share of its faces that are predicted right.

    Parameters
    ----------
    y_true, y_pred : int array, shape (n,)
        Indices into ``adience.AGE_GROUPS``.

    Returns
    -------
    Series of 8 float
        In [0, 1], indexed by age group; missing where there is no such face.

    Raises
    ------
    ValueError
        As for :func:`accuracy`, and if an index is above 7.

    Notes
    -----
    Built in lesson 4.1.

    Examples
    --------
    >>> recall_by_group([0, 0, 7], [0, 1, 7]).dropna().to_dict()
    {'(0, 2)': 0.5, '(60, 100)': 1.0}
    """
    y_true, y_pred = as_labels(y_true, y_pred, num_classes=len(AGE_GROUPS))
    groups = pd.CategoricalIndex(AGE_GROUPS, AGE_GROUPS, ordered=True, name="age_group")
    return pd.Series(_recall(y_true, y_pred, len(AGE_GROUPS)), index=groups, name="recall")


def mae_in_groups(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean absolute error (MAE) in age groups: how many groups a prediction is off.

    Parameters
    ----------
    y_true : int array, shape (n,)
        Indices into ``adience.AGE_GROUPS``.
    y_pred : int or float array, shape (n,)
        The same, or places between groups as :func:`expected_group` gives them, in [0, 7].

    Returns
    -------
    float
        In [0, 7], in age groups. These are of unequal width, so it is no error in years.

    Raises
    ------
    ValueError
        If the arrays are empty or differ in shape, or hold what is not in the range above.

    Notes
    -----
    Built in lesson 4.1.

    Examples
    --------
    >>> mae_in_groups([0, 1, 4, 7], [0, 2, 6, 6]), mae_in_groups([3], [3.25])
    (1.0, 0.25)
    """
    y_pred = np.asarray(y_pred)
    if y_pred.dtype.kind == "f":
        (y_true,) = as_labels(y_true, num_classes=len(AGE_GROUPS))
        refuse_unlike(y_true, y_pred)
        if not ((y_pred >= 0) & (y_pred <= len(AGE_GROUPS) - 1)).all():
            raise ValueError(f"predicted groups must lie in [0, {len(AGE_GROUPS) - 1}]")
    else:
        y_true, y_pred = as_labels(y_true, y_pred, num_classes=len(AGE_GROUPS))
    return float(np.mean(abs(y_true - y_pred)))


def _recall(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> np.ndarray:
    """Return each label's share of right predictions; missing for a label without a face."""
    faces = np.bincount(y_true, minlength=num_classes)
    right = np.bincount(y_true[y_true == y_pred], minlength=num_classes)
    return np.divide(right, faces, out=np.full(num_classes, np.nan), where=faces > 0)

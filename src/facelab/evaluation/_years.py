"""Errors in years: from the probabilities of the groups to an age, and how far off it is."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from facelab.adience import AGE_GROUPS, years
from facelab.evaluation._checks import as_distributions, as_labels, refuse_lengths, refuse_unlike

_FIRST, _LAST = np.array([years(group) for group in AGE_GROUPS], dtype="float64").T

MIDDLE_AGES: Final = (*((_FIRST + _LAST) / 2)[:-1].tolist(), 70.0)
"""One age for each group, in years: the middle of its first and last. Of (60, 100) the middle would be 80, an
age that few people reach, so that most faces of the group would be estimated too old; it gets 70."""


def expected_age(y_prob: ArrayLike) -> np.ndarray:
    """Return the mean of the groups' ages, weighted by their probabilities.

    Parameters
    ----------
    y_prob : float array, shape (n, 8)
        Probabilities of ``adience.AGE_GROUPS``; rows that sum to 1.

    Returns
    -------
    float array, shape (n,)
        In years, in [1, 70]: the ages of ``MIDDLE_AGES`` stand for their groups.

    Raises
    ------
    ValueError
        If there is no row, a row is no distribution, or there are not eight groups.

    Notes
    -----
    After Rothe, Timofte and Van Gool (2018), who have a probability for each year from 0 to 100. With eight
    groups no estimate is finer than they are: who knows every group and answers with its middle is still some
    years off. Built in lesson 4.1.

    Examples
    --------
    >>> expected_age([[0, 0, 0, 0, 0.5, 0.5, 0, 0]]).tolist()
    [34.5]
    """
    y_prob = as_distributions(y_prob)
    if y_prob.shape[1] != len(AGE_GROUPS):
        raise ValueError(f"probabilities of the {len(AGE_GROUPS)} age groups are needed, not {y_prob.shape}")
    # A row's sum may differ from 1 by its rounding, which must not carry its mean past the last age.
    return np.clip(y_prob @ np.array(MIDDLE_AGES), MIDDLE_AGES[0], MIDDLE_AGES[-1])


def mae_in_years(age_years: ArrayLike, estimated: ArrayLike) -> float:
    """Return the mean absolute error (MAE) in years: how far estimated ages are from the true ones.

    Parameters
    ----------
    age_years : float array, shape (n,)
        True ages in years, such as those of :func:`facelab.embedded.true_ages`.
    estimated : float array, shape (n,)
        In years, such as :func:`expected_age` gives them.

    Returns
    -------
    float
        In years, from 0.

    Raises
    ------
    ValueError
        If the arrays are empty or differ in shape, or hold anything but finite numbers.

    Notes
    -----
    The usual score of age estimation (Paplhám and Franc, 2024). It needs ages in years, which the benchmark
    does not have: see :func:`years_outside`. Built in lesson 4.1.

    Examples
    --------
    >>> mae_in_years([30, 6, 71], [34.5, 5, 70.5])
    2.0
    """
    return float(np.mean(_errors(age_years, estimated)))


def cumulative_score(age_years: ArrayLike, estimated: ArrayLike, k: float) -> float:
    """Return the cumulative score CS(k): the share of faces whose estimated age is at most `k` years off.

    Parameters
    ----------
    age_years, estimated : float array, shape (n,)
        As for :func:`mae_in_years`, whose errors it shares.
    k : float
        In years, from 0.

    Returns
    -------
    float
        In [0, 1]; the greater `k`, the greater.

    Raises
    ------
    ValueError
        As for :func:`mae_in_years`, and if `k` is negative.

    Notes
    -----
    With 5 years it is the second score of Paplhám and Franc (2024). A metric once `k` is fixed, for example
    by ``functools.partial``. Built in lesson 4.1.

    Examples
    --------
    >>> cumulative_score([30, 6, 71], [34.5, 5, 70.5], k=1)
    0.6666666666666666
    """
    if not k >= 0:
        raise ValueError(f"k is a number of years from 0, not {k}")
    return float(np.mean(_errors(age_years, estimated) <= k))


def years_outside(y_true: ArrayLike, estimated: ArrayLike) -> float:
    """Return the mean distance, in years, of estimated ages from the true group: 0 for an age inside of it.

    Parameters
    ----------
    y_true : int array, shape (n,)
        Indices into ``adience.AGE_GROUPS``.
    estimated : float array, shape (n,)
        In years, such as :func:`expected_age` gives them.

    Returns
    -------
    float
        In years, from 0. An age outside of the group counts with its distance from the group's nearer end,
        its first or its last year.

    Raises
    ------
    ValueError
        If the arrays are empty or differ in shape, or hold what is no group or no finite number.

    Notes
    -----
    For data sets that name groups only, where nobody knows the age in years. It is not the mean absolute
    error and is smaller: inside of a group nothing is counted, and (60, 100) is 40 years wide. Used in
    lesson 4.1.

    Examples
    --------
    >>> years_outside([4, 4, 7], [30.0, 34.5, 57.0])
    1.8333333333333333
    """
    (group,) = as_labels(y_true, num_classes=len(AGE_GROUPS))
    (ages,) = _as_years(estimated)
    refuse_lengths(len(group), len(ages))
    return float(np.mean(np.maximum(np.maximum(_FIRST[group] - ages, ages - _LAST[group]), 0)))


def _errors(age_years: ArrayLike, estimated: ArrayLike) -> np.ndarray:
    """Return how many years each estimate is off."""
    true, ages = _as_years(age_years, estimated)
    return abs(true - ages)


def _as_years(*arrays: ArrayLike) -> list[np.ndarray]:
    """Return ages as wide floats; refuse what is no age."""
    found = [np.asarray(array, dtype="float64") for array in arrays]
    refuse_unlike(*found)
    if not all(np.isfinite(array).all() for array in found):
        raise ValueError("an age is missing or not finite: leave such faces out")
    return found

"""How sure of a score we may be: confidence intervals from drawing whole albums.

The faces of one album are of the same few people in the same places, so they are right or wrong together.
Every interval here therefore comes from drawing whole albums (or families) with replacement, never single
faces: the **cluster bootstrap**.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from facelab.evaluation._checks import refuse_lengths
from facelab.evaluation._metrics import Metric

N_RESAMPLES: Final = 1000
"""How often the albums are drawn anew for one interval."""


class Interval(NamedTuple):
    """An estimate, and the ends of its 95 % interval.

    Parameters
    ----------
    estimate, low, high : float
        The score, and the lower and the upper end of its interval.

    Notes
    -----
    Used in lesson 7.

    Examples
    --------
    >>> print(Interval(0.8123, 0.79, 0.8329))
    0.812 (0.790–0.833)
    """

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write it as ``0.812 (0.790–0.833)``."""
        dash = " to " if self.low < 0 else "–"
        return f"{self.estimate:z.3f} ({self.low:z.3f}{dash}{self.high:z.3f})"


def album_bootstrap(
    metric: Metric,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    albums: ArrayLike,
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> Interval:
    """Compute a score and its 95 % confidence interval, by drawing whole albums with replacement.

    Parameters
    ----------
    metric : function of (y_true, y_pred) that returns a float
        Such as :func:`accuracy`.
    y_true, y_pred : array, shape (n, …)
        One row a face.
    albums : array of str or int, shape (n,)
        Each face's album, as in the table's column ``user_id``.
    seed : int
        Which albums are drawn depends on it and on how many there are.
    n_resamples : int
        How often as many albums are drawn as there are.

    Returns
    -------
    Interval
        The score of all faces, and the 2.5th and 97.5th percentile of the draws' scores.

    Raises
    ------
    ValueError
        If the arrays are empty or of different lengths, there are fewer than two albums, or a draw has no
        score.

    Notes
    -----
    The percentile bootstrap (Efron and Tibshirani, 1993), with the album as the unit, since the faces of an
    album are not independent of each other. With few albums it is somewhat too narrow: in the simulation of
    the tests, with 40, it holds the truth nine times in ten. Built in lesson 3.

    Examples
    --------
    >>> right, album = np.array([1, 1, 0, 1, 1, 0]), ["a", "a", "b", "b", "c", "c"]
    >>> print(album_bootstrap(lambda _, right: right.mean(), right, right, album, seed=0))
    0.667 (0.500–1.000)
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    scores = [
        metric(y_true[faces], y_pred[faces])
        for faces in _draws(albums, len(y_true), len(y_pred), seed=seed, n_resamples=n_resamples)
    ]
    return _interval(metric(y_true, y_pred), scores)


def paired_album_bootstrap(
    metric: Metric,
    y_true: ArrayLike,
    y_pred_a: ArrayLike,
    y_pred_b: ArrayLike,
    albums: ArrayLike,
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> Interval:
    """Compute by how much `y_pred_b` outscores `y_pred_a` on the same faces, with a 95 % interval.

    Parameters
    ----------
    metric, y_true
        As for :func:`album_bootstrap`, whose errors it shares.
    y_pred_a, y_pred_b : array, shape (n, …)
        Two networks' predictions for the same faces.
    albums, seed, n_resamples
        As for :func:`album_bootstrap`.

    Returns
    -------
    Interval
        Of the difference b − a. Each draw scores both on the same albums, so that what is hard for both
        cancels out: two scores with overlapping intervals may well differ.

    Notes
    -----
    Built in lesson 4.

    Examples
    --------
    >>> def accuracy(y_true, y_pred):
    ...     return np.mean(y_true == y_pred)
    >>> print(paired_album_bootstrap(accuracy, [1, 1, 1], [0, 0, 1], [1, 0, 1], ["a", "b", "c"], seed=0))
    0.333 (0.000–1.000)
    """
    y_true, a, b = (np.asarray(array) for array in (y_true, y_pred_a, y_pred_b))
    differences = [
        metric(y_true[faces], b[faces]) - metric(y_true[faces], a[faces])
        for faces in _draws(albums, len(y_true), len(a), len(b), seed=seed, n_resamples=n_resamples)
    ]
    return _interval(metric(y_true, b) - metric(y_true, a), differences)


def mean_effect(
    differences: ArrayLike,
    units: ArrayLike,
    *,
    seed: int,
    comparisons: int = 1,
    n_resamples: int = 10 * N_RESAMPLES,
) -> Interval:
    """Compute the mean of paired differences and its interval, by drawing whole units with replacement.

    Parameters
    ----------
    differences : float array, shape (n,)
        One a head, as of :func:`facelab.counterfactuals.paired_differences`.
    units : array, shape (n,)
        What is drawn: each head's family, since relatives look alike.
    seed : int
        Which units are drawn depends on it and on how many there are.
    comparisons : int
        How many such intervals are looked at together. All of them hold their truth in 95 % of the cases:
        each is one of level 1 − 0.05 / `comparisons` (Bonferroni).
    n_resamples : int
        How often as many units are drawn as there are: more often than for a score, since the ends of an
        interval for many comparisons are far out.

    Returns
    -------
    Interval
        The mean of all differences, and the ends of its interval.

    Raises
    ------
    ValueError
        If the arrays are empty or of different lengths, a difference is missing, there are fewer than two
        units, or `comparisons` is not positive.

    Notes
    -----
    The same drawing as in :func:`album_bootstrap`, with families for albums, and quick enough for many draws
    since a mean needs no more of a unit than its sum and size. Built in lesson 7.

    Examples
    --------
    >>> print(mean_effect([0.5, 1.5, 1.0, 1.0], ["a", "a", "b", "b"], seed=0))
    1.000 (1.000–1.000)
    """
    values, families = np.asarray(differences, dtype="float64"), np.asarray(units)
    if values.ndim != 1 or values.shape != families.shape or not np.isfinite(values).all():
        raise ValueError("one finite difference and one unit a head are needed")
    names, unit = np.unique(families, return_inverse=True)
    if len(names) < 2 or comparisons < 1:
        raise ValueError(f"an interval needs two units or more and a comparison: {len(names)}, {comparisons}")
    times = times_drawn(len(names), seed=seed, n_resamples=n_resamples)
    means = times @ np.bincount(unit, values) / (times @ np.bincount(unit))
    tail = 2.5 / comparisons
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def effective_albums(albums: ArrayLike) -> float:
    """Compute how many albums of equal size would say as much of a score as these do.

    Parameters
    ----------
    albums : array of str or int, shape (n,)
        Each face's album, as in the table's column ``user_id``.

    Returns
    -------
    float
        From 1, where one album holds every face, to the number of albums, where all are of one size.

    Raises
    ------
    ValueError
        If there are no faces.

    Notes
    -----
    With m faces in an album, it is (Σ m)² / Σ m²: the effective sample size for unequal weights (Kish, 1965),
    since a score weights each album by its faces. The fewer it is, the less sure is a score, however many
    albums are counted: fold 4 of the embedded faces has 44 albums, one of which holds a fifth of its faces,
    and they are worth 10.9. Built in lesson 3.

    Examples
    --------
    >>> effective_albums(["a", "a", "b", "b"])
    2.0
    >>> effective_albums(["a", "a", "a", "b"])
    1.6
    """
    sizes = np.unique(np.asarray(albums), return_counts=True)[1].astype("float64")
    refuse_lengths(len(sizes))
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def times_drawn(number: int, *, seed: int, n_resamples: int) -> np.ndarray:
    """Draw as many albums as there are, with replacement; int array, shape (n_resamples, number).

    How often each album is drawn says the same as which ones are, and repeats its faces in one step:
    every row sums to `number`.
    """
    return np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), n_resamples)


def _draws(albums: ArrayLike, *lengths: int, seed: int, n_resamples: int) -> Iterator[np.ndarray]:
    """Yield the faces of each draw of whole albums, as indices."""
    names, album = np.unique(np.asarray(albums), return_inverse=True)
    refuse_lengths(len(album), *lengths)
    if len(names) < 2:
        raise ValueError(f"all {len(album)} faces are of one album: an interval needs two albums or more")
    times = times_drawn(len(names), seed=seed, n_resamples=n_resamples)
    return (np.repeat(np.arange(len(album)), drawn[album]) for drawn in times)


def _interval(estimate: float, scores: list[float]) -> Interval:
    """Return the estimate with the middle 95 % of the draws' scores."""
    if missing := int(np.isnan(scores).sum()):
        raise ValueError(
            f"{missing} of {len(scores)} draws have no score: it must be defined for every choice of albums"
        )
    low, high = np.percentile(scores, [2.5, 97.5])
    return Interval(float(estimate), float(low), float(high))

"""How sure of a score we may be: confidence intervals from drawing whole albums.

The faces of one album are of the same few people in the same places, so they are right or wrong together.
Every interval here therefore comes from drawing whole albums (or families) with replacement, never single
faces: the **cluster bootstrap**. Its ends are farther out than the 2.5th and the 97.5th percentile, since
those hold the truth too seldom when albums are few or of very unequal size: see :func:`expanded_tail`.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtrit

from facelab.evaluation._checks import refuse_lengths
from facelab.evaluation._metrics import Metric

N_RESAMPLES: Final = 2000
"""How often the albums are drawn anew for one interval.

Another seed then moves an end by 2 % of the interval's width (one standard deviation, fold 4's albums).
"""


class Interval(NamedTuple):
    """An estimate, and the ends of its 95 % interval.

    Parameters
    ----------
    estimate, low, high : float
        The score, and the lower and the upper end of its interval.

    Notes
    -----
    Used in lesson 6.1.

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
        The score of all faces, and two quantiles of the draws' scores. If every draw has the same score, as
        where every face is right, the interval is a point: it says nothing of errors that these albums do not
        show. A bound for those is the rule of three, 3 / (effective albums).

    Raises
    ------
    ValueError
        If the arrays are empty or of different lengths, there are fewer than two albums, or a draw has no
        score.

    Notes
    -----
    The bootstrap (Efron and Tibshirani, 1993), with the album as the unit, since the faces of an album are
    not independent of each other (Cameron, Gelbach and Miller, 2008). Its ends are expanded percentiles
    (Hesterberg, 2015), farther out where albums are few or of unequal size: with the sizes of each of the
    five folds, accuracies of 0.6 and 0.92 and albums that differ with a standard deviation of 0.3 or 0.6
    logits, the interval holds the truth for 94 to 97 of 100 simulated data sets. From the 2.5th to the 97.5th
    percentile it would for 88 to 93. With fewer than about 4.5 effective albums, the ends are the lowest and
    the highest score that was drawn, and no interval is to be trusted. Built in lesson 3.3.

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
    return _interval(metric(y_true, y_pred), scores, effective_albums(albums))


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
        drops out: two scores with overlapping intervals may well differ.

    Notes
    -----
    It compares two *trained networks*. Trained with other seeds, they would differ by something else:
    :func:`paired_seeds_and_albums` compares two ways to train. Built in lesson 4.3.

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
    return _interval(metric(y_true, b) - metric(y_true, a), differences, effective_albums(albums))


def seeds_and_albums(
    metric: Metric,
    y_true: ArrayLike,
    y_preds: ArrayLike,
    albums: ArrayLike,
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> Interval:
    """Compute the mean score of several trainings and its 95 % interval, over seeds and albums alike.

    Parameters
    ----------
    metric, y_true
        As for :func:`album_bootstrap`, whose errors it shares.
    y_preds : array, shape (trainings, n, …)
        What networks predict that were trained in the same way, each with a seed of its own; three or more.
    albums, seed, n_resamples
        As for :func:`album_bootstrap`. The seed is that of the draws, not of a training.

    Returns
    -------
    Interval
        The mean of the trainings' scores, and an interval for what such a training scores on average, over
        other seeds and other albums. It lies evenly about the mean, so an end may be above 1.

    Raises
    ------
    ValueError
        Also if there are fewer than three trainings.

    Notes
    -----
    The variance of the mean has two parts: that between drawn albums, and that between the trainings' scores
    divided by their number. The interval is Student's, with the degrees of freedom of such a sum
    (Satterthwaite, 1946). It holds the truth for 94 to 97 of 100 simulated data sets: three or five trainings
    with accuracies of 0.6 or 0.92, whose seeds have a standard deviation of 0 to 1.5 points, tested on fold 4
    or on all folds. The exception, 92, is three trainings whose seeds vary more than the albums do: train
    five then. To draw trainings with replacement, as albums are drawn, would hold it for only 86 there.
    The album bootstrap of one training, which cannot know of seeds, falls to 49. Used in lesson 4.4.

    Examples
    --------
    >>> answers = [[1, 1, 0, 1], [1, 1, 0, 0], [1, 1, 1, 1]]
    >>> right = lambda _, answer: answer.mean()
    >>> print(seeds_and_albums(right, answers[0], answers, ["a", "b", "c", "d"], seed=0))
    0.750 (0.201–1.299)
    """
    y_true, runs = np.asarray(y_true), _trainings(y_preds)
    drawn = [
        np.mean([metric(y_true[faces], run[faces]) for run in runs])
        for faces in _draws(albums, len(y_true), runs.shape[1], seed=seed, n_resamples=n_resamples)
    ]
    scores = [metric(y_true, run) for run in runs]
    return _t_interval(float(np.mean(scores)), drawn, effective_albums(albums), [scores])


def paired_seeds_and_albums(
    metric: Metric,
    y_true: ArrayLike,
    y_preds_a: ArrayLike,
    y_preds_b: ArrayLike,
    albums: ArrayLike,
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> Interval:
    """Compute by how much trainings in way b outscore trainings in way a, over seeds and albums alike.

    Parameters
    ----------
    metric, y_true
        As for :func:`seeds_and_albums`, whose errors it shares.
    y_preds_a, y_preds_b : array, shape (trainings, n, …)
        What the networks of either way predict for the same faces; three trainings or more each, not
        necessarily the same number.
    albums, seed, n_resamples
        As for :func:`seeds_and_albums`.

    Returns
    -------
    Interval
        Of the difference of the two mean scores, b − a.

    Notes
    -----
    Albums are paired: each draw scores all networks on the same ones. Seeds are not, even where both ways
    used the same: in another network or after another step a seed's random numbers become other weights, so
    nothing is shared that could drop out of a difference, and pairs would halve the degrees of freedom. If
    something is shared after all, the interval is too wide, not too narrow. In the simulation of
    :func:`seeds_and_albums`, with a true gain of one point, it holds the gain for 95 to 99 of 100 data sets;
    :func:`paired_album_bootstrap` of one training each falls to 40. Built in lesson 4.3.

    Examples
    --------
    >>> before = [[0, 1, 0, 1], [0, 1, 0, 0], [1, 1, 0, 0]]
    >>> after = [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]]
    >>> right = lambda _, answer: answer.mean()
    >>> print(paired_seeds_and_albums(right, after[0], before, after, ["a", "b", "c", "d"], seed=0))
    0.500 (-0.139 to 1.139)
    """
    y_true, a, b = np.asarray(y_true), _trainings(y_preds_a), _trainings(y_preds_b)
    lengths = len(y_true), a.shape[1], b.shape[1]
    drawn = [
        np.mean([metric(y_true[faces], run[faces]) for run in b])
        - np.mean([metric(y_true[faces], run[faces]) for run in a])
        for faces in _draws(albums, *lengths, seed=seed, n_resamples=n_resamples)
    ]
    scores = [[metric(y_true, run) for run in runs] for runs in (a, b)]
    gain = float(np.mean(scores[1]) - np.mean(scores[0]))
    return _t_interval(gain, drawn, effective_albums(albums), scores)


def mean_effect(
    differences: ArrayLike,
    units: ArrayLike,
    *,
    seed: int,
    comparisons: int = 1,
    n_resamples: int = 5 * N_RESAMPLES,
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
    The same interval as :func:`album_bootstrap` gives a mean, with families for albums. A mean needs no more
    of a unit than its sum and its size, which makes it quick enough for many draws. Built in lesson 7.2.

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
    return _interval(values.mean(), means, effective_albums(families), comparisons)


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
    and they are worth 10.9. Built in lesson 1.2.

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


def expanded_tail(effective: float, comparisons: int = 1) -> float:
    """Compute the share of the draws that lies beyond either end of a 95 % interval.

    With many albums of equal size it is 0.025 / `comparisons`. With few, the scores of the draws are too
    narrow in two ways: their variance is too small by (n − 1) / n, and the estimate needs the tails of
    Student's t instead of a normal distribution's. The share corrects both, with the effective number of
    albums for n: the expanded percentile interval (Hesterberg, 2015). The ends remain scores of draws, so an
    accuracy's interval stays between 0 and 1, as it would not if it were stretched about the estimate.
    """
    t = -stdtrit(effective - 1, 0.025 / comparisons)
    return float(ndtr(-np.sqrt(effective / (effective - 1)) * t))


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


def _trainings(y_preds: ArrayLike) -> np.ndarray:
    """Return the predictions of several trainings; refuse too few of them."""
    found = np.asarray(y_preds)
    if found.ndim < 2 or len(found) < 3:
        raise ValueError(
            f"three trainings or more are needed, in an array of shape (trainings, n, …), not {found.shape}: "
            "fewer say too little of how much seeds differ"
        )
    return found


def _interval(estimate: float, scores: ArrayLike, effective: float, comparisons: int = 1) -> Interval:
    """Return the estimate with the expanded percentiles of the draws' scores."""
    tail = expanded_tail(effective, comparisons)
    low, high = np.quantile(_complete(scores), [tail, 1 - tail])
    return Interval(float(estimate), float(low), float(high))


def _t_interval(
    estimate: float, drawn: ArrayLike, effective: float, trainings: Iterable[list[float]]
) -> Interval:
    """Return the estimate with Student's interval: variances of albums and of each way's trainings added."""
    parts = [(np.var(_complete(drawn)) * effective / (effective - 1), effective - 1)]
    parts += [(np.var(scores, ddof=1) / len(scores), len(scores) - 1) for scores in trainings]
    variance = sum(part for part, _ in parts)
    reach = 0.0
    if variance:  # otherwise neither albums nor seeds make a difference
        degrees = variance**2 / sum(part**2 / freedom for part, freedom in parts)
        reach = float(-stdtrit(degrees, 0.025) * np.sqrt(variance))
    return Interval(estimate, estimate - reach, estimate + reach)


def _complete(scores: ArrayLike) -> np.ndarray:
    """Return the draws' scores; refuse them if one is missing."""
    found = np.asarray(scores)
    if missing := int(np.isnan(found).sum()):
        raise ValueError(
            f"{missing} of {len(found)} draws have no score: it must be defined for every choice of albums"
        )
    return found

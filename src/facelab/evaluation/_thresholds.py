"""What a threshold can do: scores of all thresholds together, and a threshold that keeps a promise.

A network gives a number: the probability of m, or the confidence in its answer. A threshold makes a decision
of it. The scores here judge the number before a threshold is chosen.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from facelab.evaluation._bootstrap import effective_albums
from facelab.evaluation._calibration import risk_coverage
from facelab.evaluation._checks import as_labelled, as_labels, refuse_lengths
from facelab.evaluation._slices import FEW_EFFECTIVE_ALBUMS

_STEPS: Final = 20
"""How many coverages :func:`abstention_threshold` tries: each twentieth of the faces."""

_ERRORS_ALLOWED: Final = 10
"""From how many allowed errors on it tries: with fewer, their number is not nearly normal."""


def area_under_roc(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Compute the area under the ROC curve (AUC): how well a score tells two classes apart.

    Parameters
    ----------
    y_true : int array, shape (n,)
        1 for the class that should have the higher scores, such as m, and 0 for the other.
    y_score : float array, shape (n,)
        Such as the probability of m. Only its order matters.

    Returns
    -------
    float
        In [0, 1]: how often a face of class 1 has a higher score than one of class 0, of all such pairs, ties
        counted half. A score that knows nothing has 0.5.

    Raises
    ------
    ValueError
        If there are no faces of one class, the lengths differ, a label is neither 0 nor 1, or a score is no
        finite number.

    Notes
    -----
    The curve is the share of class 1 above the threshold against that of class 0, for each threshold. Its
    area is the Mann–Whitney statistic divided by the number of pairs (Hanley and McNeil, 1982), and the
    same as scikit-learn's ``roc_auc_score``. Built in lesson 8.2.

    Examples
    --------
    >>> area_under_roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    y_true, y_score = _as_scored(y_true, y_score)
    _, place, ties = np.unique(y_score, return_inverse=True, return_counts=True)
    rank = (ties.cumsum() - (ties - 1) / 2)[place]  # from 1; the mean rank where scores are equal
    ones, zeros = y_true.sum(), (1 - y_true).sum()
    return float((rank[y_true == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def average_precision(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Compute the average precision: the mean, over the faces of class 1, of the precision down to them.

    Parameters
    ----------
    y_true, y_score
        As for :func:`area_under_roc`, whose errors it shares.

    Returns
    -------
    float
        In (0, 1]. A score that knows nothing has about the share of class 1, so this is the stricter judge
        where class 1 is rare.

    Notes
    -----
    Order the faces by score. The precision at a face is the share of class 1 among those with at least its
    score. This is the area under the precision–recall curve as a sum of steps, the same as scikit-learn's
    ``average_precision_score``. Built in lesson 8.2.

    Examples
    --------
    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 3)
    0.833
    """
    y_true, y_score = _as_scored(y_true, y_score)
    _, place, ties = np.unique(-y_score, return_inverse=True, return_counts=True)
    found = np.bincount(place, y_true)
    return float(np.average(found.cumsum() / ties.cumsum(), weights=found))


def area_under_risk_coverage(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """Compute the area under the risk–coverage curve (AURC): the mean risk over all coverages.

    Parameters
    ----------
    y_true, y_prob
        As for :func:`risk_coverage`, whose errors it shares.

    Returns
    -------
    float
        In [0, 1]; less is better. A confidence that knows nothing has about the share of wrong answers.

    Notes
    -----
    The mean, over the faces, of the risk when all faces of at least the same confidence are answered
    (Geifman, Uziel and El-Yaniv, 2019). It depends on the accuracy as well, so compare two kinds of
    confidence of one network. Used in lesson 6.3.

    Examples
    --------
    >>> area_under_risk_coverage([0, 1], [[0.75, 0.25], [0.5, 0.5]])
    0.25
    """
    curve = risk_coverage(y_true, y_prob)
    return float(np.average(curve["risk"], weights=np.diff(curve["coverage"], prepend=0)))


def abstention_threshold(y_true: ArrayLike, y_prob: ArrayLike, albums: ArrayLike, *, risk: float) -> float:
    """Find the lowest confidence from which on answers are wrong at most so often, with 95 % confidence.

    Parameters
    ----------
    y_true, y_prob
        As for :func:`log_loss`; of validation albums, never of the test.
    albums : array of str or int, shape (n,)
        Each face's album.
    risk : float
        The greatest acceptable share of wrong answers among those that are given, in other albums too.

    Returns
    -------
    float
        The threshold: answer where the confidence is not below it. Infinite if these albums are too few, or
        the network too often wrong, to promise such a risk for any.

    Raises
    ------
    ValueError
        If there are no faces, the arrays do not fit together, or the risk is not between 0 and 1.

    Notes
    -----
    Selection with guaranteed risk (Geifman and El-Yaniv, 2017), by albums. Their bound is binomial: it takes
    faces for independent. This one is a t-test of the albums. A wrong answer costs its album 1 − `risk`, a
    right one earns it `risk`; the risk is kept if the albums earn more than they cost, on average. The test
    is one-sided with G − 1 degrees of freedom, where G is the effective number of albums that are answered.
    The coverages are tried from the smallest on, each twentieth of the faces, and the first failure ends the
    search: tests in an order fixed beforehand need no correction for their number (fixed-sequence testing;
    Angelopoulos, Bates, Candès, Jordan and Lei, 2021). Coverages of fewer than ``FEW_EFFECTIVE_ALBUMS``, or
    with fewer than ten errors allowed, are passed over.

    In simulations with the sizes of the embedded faces' albums and effects of 0.3 and 0.6 logits, the promise
    is broken in 0 to 7 % of the data sets, 2 % on average; with binomial bounds in up to 16 %. With an effect
    of 1 logit and a risk of 0.05 it is broken in 4 to 11 %. Built in lesson 6.3.

    Examples
    --------
    >>> sure, album = np.arange(400) % 4 > 0, np.arange(400) % 40
    >>> y_prob = np.where(sure[:, None], [0.9, 0.1], [0.6, 0.4])
    >>> y_true = np.where(sure, np.arange(400) % 15 == 1, np.arange(400) % 8 == 0).astype(int)
    >>> abstention_threshold(y_true, y_prob, album, risk=0.2)
    0.9
    """
    y_true, y_prob = as_labelled(y_true, y_prob)
    names, album = np.unique(np.asarray(albums), return_inverse=True)
    refuse_lengths(len(y_true), len(album))
    if not 0 < risk < 1:
        raise ValueError(f"a risk is a share of the answers, between 0 and 1, not {risk}")
    confidence, wrong = y_prob.max(axis=1), y_prob.argmax(axis=1) != y_true
    found = np.inf
    for step in range(1, _STEPS + 1):
        number = -(-step * len(confidence) // _STEPS)
        threshold = np.sort(confidence)[-number]
        answered = confidence >= threshold
        worth = effective_albums(album[answered])
        if worth < FEW_EFFECTIVE_ALBUMS or risk * answered.sum() < _ERRORS_ALLOWED:
            continue
        balance = np.bincount(album[answered], wrong[answered] - risk, minlength=len(names))
        error = balance.std(ddof=1) / np.sqrt(len(names))
        if balance.mean() + stdtrit(worth - 1, 0.95) * error >= 0:
            break
        found = threshold
    return float(found)


def _as_scored(y_true: ArrayLike, y_score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return labels 0 and 1, both of which occur, and a finite score of each."""
    y_score = np.asarray(y_score, dtype="float64")
    (labels,) = as_labels(y_true, num_classes=2)
    if y_score.shape != labels.shape or not np.isfinite(y_score).all():
        raise ValueError(f"one finite score a face is needed: {labels.shape} labels, {y_score.shape} scores")
    if labels.min() == labels.max():
        raise ValueError(f"all faces are of class {labels[0]}: there are no two classes to tell apart")
    return labels, y_score

"""Whether a network's probabilities mean what they say, and what to do with an answer that it is not sure of.

Everything here takes the true labels of some faces and the probabilities that a network gives to each label.
The scores among them return one number, so :func:`album_bootstrap` can give it an interval.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelab.evaluation._checks import as_distributions, as_labels, refuse_lengths

_TEMPERATURES: Final = (0.05, 20.0)
"""The least and the greatest temperature that :func:`fit_temperature` considers."""


def log_loss(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """Return the mean negative logarithm of the probability that was given to the true label.

    Parameters
    ----------
    y_true : int array, shape (n,)
        Labels as numbers from 0, such as indices into ``adience.AGE_GROUPS``.
    y_prob : float array, shape (n, labels)
        Rows that sum to 1.

    Returns
    -------
    float
        In [0, ∞), in nats. To give each of eight groups the same probability has log 8 = 2.08.

    Raises
    ------
    ValueError
        If there are no faces, the arrays do not fit together, or a row is no distribution.

    Notes
    -----
    What training minimises; it rewards honest probabilities, as no accuracy does. Built in lesson 6.

    Examples
    --------
    >>> round(log_loss([0, 1], [[0.8, 0.2], [0.5, 0.5]]), 3)
    0.458
    """
    y_true, y_prob = _as_arrays(y_true, y_prob)
    given = y_prob[np.arange(len(y_true)), y_true]
    return float(-np.mean(np.log(np.maximum(given, np.finfo("float64").tiny))))


def calibration_curve(y_true: ArrayLike, y_prob: ArrayLike, *, n_bins: int = 10) -> pd.DataFrame:
    """Sort faces by confidence into bins, and compute how often those of a bin are right.

    Parameters
    ----------
    y_true, y_prob
        As for :func:`log_loss`, whose errors it shares.
    n_bins : int
        Into how many bins of equal width the confidences from 0 to 1 are sorted.

    Returns
    -------
    DataFrame
        One row a bin that has faces, from the least sure to the surest: ``confidence``, the mean probability
        of the most likely label; ``accuracy``, the share that is right; ``faces`` (int).

    Notes
    -----
    Drawn, it is the reliability diagram: dots on the diagonal say that confidence is accuracy (Guo, Pleiss,
    Sun and Weinberger, 2017). Built in lesson 6.

    Examples
    --------
    >>> calibration_curve([0, 0, 1], [[0.75, 0.25], [0.25, 0.75], [0.0, 1.0]], n_bins=2)
       confidence  accuracy  faces
    0    0.833333  0.666667      3
    """
    confidence, accuracy, faces = _bins(*_as_arrays(y_true, y_prob), n_bins)
    return pd.DataFrame({"confidence": confidence, "accuracy": accuracy, "faces": faces})


def expected_calibration_error(y_true: ArrayLike, y_prob: ArrayLike, *, n_bins: int = 10) -> float:
    """Compute the expected calibration error (ECE): how far confidence is from accuracy, on average.

    Parameters
    ----------
    y_true, y_prob
        As for :func:`log_loss`, whose errors it shares.
    n_bins : int
        As for :func:`calibration_curve`. Another number gives another error.

    Returns
    -------
    float
        In [0, 1].

    Notes
    -----
    The distance of each bin's dot from the diagonal, weighted by its faces (Guo et al., 2017). With few faces
    it is above 0 for the most honest network, too: this lesson measures by how much. Built in lesson 6.

    Examples
    --------
    >>> round(expected_calibration_error([0, 0, 1], [[0.75, 0.25], [0.25, 0.75], [0.0, 1.0]], n_bins=2), 3)
    0.167
    """
    confidence, accuracy, faces = _bins(*_as_arrays(y_true, y_prob), n_bins)
    return float(np.average(abs(confidence - accuracy), weights=faces))


def temperature_scaling(y_prob: ArrayLike, temperature: float) -> np.ndarray:
    """Make probabilities less sure (above 1) or surer (below 1), and leave their order as it is.

    Parameters
    ----------
    y_prob : float array, shape (n, labels)
        Rows that sum to 1.
    temperature : float
        Above 0. What the logits of the softmax are divided by.

    Returns
    -------
    float array, shape (n, labels)
        Rows that sum to 1.

    Raises
    ------
    ValueError
        If there are no faces, a row is no distribution, or the temperature is not above 0.

    Notes
    -----
    The logarithm of a softmax is the logits up to a constant of each row, which the next softmax removes: so
    the probabilities are enough. Guo et al. (2017). Built in lesson 6.

    Examples
    --------
    >>> temperature_scaling([[0.8, 0.2]], 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, not {temperature}")
    y_prob = as_distributions(y_prob)
    logits = np.log(np.maximum(y_prob, np.finfo("float64").tiny)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """Find the temperature with the least :func:`log_loss`.

    Parameters
    ----------
    y_true, y_prob
        As for :func:`log_loss`, whose errors it shares; of validation albums, never of the test.

    Returns
    -------
    float
        Between 0.05 and 20, to a tenth of a per cent.

    Notes
    -----
    The loss has one minimum, so the interval around it is divided by the golden section until it is narrow
    enough. One number is fitted, so few faces suffice. Built in lesson 6.

    Examples
    --------
    >>> round(fit_temperature([0, 0, 1], [[0.8, 0.2], [0.8, 0.2], [0.8, 0.2]]), 1)
    2.0
    """
    y_true, y_prob = _as_arrays(y_true, y_prob)

    def loss(logarithm: float) -> float:
        return log_loss(y_true, temperature_scaling(y_prob, float(np.exp(logarithm))))

    golden = (np.sqrt(5) - 1) / 2
    low, high = np.log(_TEMPERATURES)
    while high - low > 1e-3:
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def risk_coverage(y_true: ArrayLike, y_prob: ArrayLike) -> pd.DataFrame:
    """Compute the share of wrong answers among the most confident ones, for each number of answers.

    Parameters
    ----------
    y_true, y_prob
        As for :func:`log_loss`, whose errors it shares.

    Returns
    -------
    DataFrame
        One row for each confidence that occurs, the greatest first: ``threshold``, that confidence;
        ``coverage``, the share of the faces with at least so much; ``risk``, the share of those that is
        wrong. The last row has every face.

    Notes
    -----
    To abstain below a threshold is to stop at its row (El-Yaniv and Wiener, 2010). Faces of the same
    confidence are answered together or not at all. Built in lesson 6.

    Examples
    --------
    >>> risk_coverage([0, 1], [[0.75, 0.25], [0.5, 0.5]])
       threshold  coverage  risk
    0       0.75       0.5   0.0
    1       0.50       1.0   0.5
    """
    y_true, y_prob = _as_arrays(y_true, y_prob)
    confidence = y_prob.max(axis=1)
    wrong = y_prob.argmax(axis=1) != y_true
    surest = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(y_true) + 1)
    curve = pd.DataFrame(
        {
            "threshold": confidence[surest],
            "coverage": answered / len(y_true),
            "risk": np.cumsum(wrong[surest]) / answered,
        }
    )
    return curve.drop_duplicates("threshold", keep="last", ignore_index=True)


def _bins(y_true: np.ndarray, y_prob: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean confidence, accuracy and number of faces of each bin that has any.

    Without pandas, since a bootstrap asks a thousand times.
    """
    if n_bins < 1:
        raise ValueError(f"confidences are sorted into one bin or more, not {n_bins}")
    confidence = y_prob.max(axis=1)
    right = y_prob.argmax(axis=1) == y_true
    bin_of_face = np.minimum((confidence * n_bins).astype("int64"), n_bins - 1)
    faces = np.bincount(bin_of_face, minlength=n_bins)
    occupied = faces > 0
    sums = (np.bincount(bin_of_face, values, n_bins)[occupied] for values in (confidence, right))
    mean_confidence, accuracy = (total / faces[occupied] for total in sums)
    return mean_confidence, accuracy, faces[occupied]


def _as_arrays(y_true: ArrayLike, y_prob: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities that belong together."""
    found = as_distributions(y_prob)
    (labels,) = as_labels(y_true, num_classes=found.shape[1])
    refuse_lengths(len(labels), len(found))
    return labels, found

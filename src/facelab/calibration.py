"""Whether a network's probabilities mean what they say, and what to do with an answer that it is not sure of.

Everything here takes the true labels of some faces and the probabilities that a network gives to each label.
The first three functions give one number, so :func:`facelab.evaluation.album_bootstrap` gives it an interval.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelab import checks

BINS: Final = 10
"""Into how many bins of equal width the confidences from 0 to 1 are sorted."""

TEMPERATURES: Final = (0.05, 20.0)
"""The least and the greatest temperature that :func:`fit_temperature` considers."""


def log_loss(true: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean of the negative logarithm of the probability that was given to the true label.

    Parameters
    ----------
    true : int array, shape (n,)
        Labels as numbers from 0, such as indices into ``adience.AGE_GROUPS``.
    probabilities : float array, shape (n, labels)
        Rows that sum to 1.

    Returns
    -------
    float in [0, ∞), in nats. To give each of eight groups the same probability has log 8 = 2.08.

    Raises
    ------
    ValueError
        If there are no faces, the arrays do not fit together, or a row is no distribution.

    Notes
    -----
    What training minimises; it rewards honest probabilities, as no accuracy does. Built in chapter 6.
    """
    true, probabilities = _checked(true, probabilities)
    given = probabilities[np.arange(len(true)), true]
    return float(-np.mean(np.log(np.maximum(given, np.finfo("float64").tiny))))


def reliability(true: ArrayLike, probabilities: ArrayLike) -> pd.DataFrame:
    """Sort faces by confidence into ``BINS`` bins, and say how often those of a bin are right.

    Parameters
    ----------
    true, probabilities
        As for :func:`log_loss`, whose errors it shares.

    Returns
    -------
    DataFrame
        One row a bin that has faces, from the least sure to the surest: ``confidence``, the mean probability
        of the most likely label; ``accuracy``, the share that is right; ``faces`` (int).

    Notes
    -----
    Drawn, it is the reliability diagram: dots on the diagonal say that confidence is accuracy (Guo, Pleiss,
    Sun and Weinberger, 2017). Built in chapter 6.
    """
    confidence, accuracy, faces = _bins(*_checked(true, probabilities))
    return pd.DataFrame({"confidence": confidence, "accuracy": accuracy, "faces": faces})


def calibration_error(true: ArrayLike, probabilities: ArrayLike) -> float:
    """Give the expected calibration error: how far confidence is from accuracy, on average over the faces.

    Parameters
    ----------
    true, probabilities
        As for :func:`log_loss`, whose errors it shares.

    Returns
    -------
    float in [0, 1].

    Notes
    -----
    The distance of each bin's dot from the diagonal, weighted by its faces (Guo et al., 2017). With few faces
    it is above 0 for the most honest network, too: chapter 6 measures by how much. Built in chapter 6.
    """
    confidence, accuracy, faces = _bins(*_checked(true, probabilities))
    return float(np.average(abs(confidence - accuracy), weights=faces))


def at_temperature(probabilities: ArrayLike, temperature: float) -> np.ndarray:
    """Make probabilities less sure (above 1) or surer (below 1), and leave their order as it is.

    Parameters
    ----------
    probabilities : float array, shape (n, labels)
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
    the probabilities are enough. Guo et al. (2017). Built in chapter 6.
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, not {temperature}")
    probabilities = checks.distributions(probabilities)
    logits = np.log(np.maximum(probabilities, np.finfo("float64").tiny)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(true: ArrayLike, probabilities: ArrayLike) -> float:
    """Find the temperature with the least :func:`log_loss`.

    Parameters
    ----------
    true, probabilities
        As for :func:`log_loss`, whose errors it shares; of validation albums, never of the test.

    Returns
    -------
    float
        Between the two ``TEMPERATURES``, to a tenth of a per cent.

    Notes
    -----
    The loss has one minimum, so the interval around it is divided by the golden section until it is narrow
    enough. One number is fitted, so few faces suffice. Built in chapter 6, by trying a list of temperatures.
    """
    true, probabilities = _checked(true, probabilities)

    def loss(logarithm: float) -> float:
        return log_loss(true, at_temperature(probabilities, float(np.exp(logarithm))))

    golden = (np.sqrt(5) - 1) / 2
    low, high = np.log(TEMPERATURES)
    while high - low > 1e-3:
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def risk_coverage(true: ArrayLike, probabilities: ArrayLike) -> pd.DataFrame:
    """Say how wrong a network is about the faces that it is surest of, for every number of them.

    Parameters
    ----------
    true, probabilities
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
    confidence are answered together or not at all. Built in chapter 6.
    """
    true, probabilities = _checked(true, probabilities)
    confidence = probabilities.max(axis=1)
    wrong = probabilities.argmax(axis=1) != true
    surest = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(true) + 1)
    curve = pd.DataFrame(
        {
            "threshold": confidence[surest],
            "coverage": answered / len(true),
            "risk": np.cumsum(wrong[surest]) / answered,
        }
    )
    return curve.drop_duplicates("threshold", keep="last", ignore_index=True)


def _bins(true: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give mean confidence, accuracy and number of faces of each bin that has any.

    Without pandas, since a bootstrap asks a thousand times.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == true
    tenth = np.minimum((confidence * BINS).astype("int64"), BINS - 1)
    faces = np.bincount(tenth, minlength=BINS)
    occupied = faces > 0
    sums = (np.bincount(tenth, values, BINS)[occupied] for values in (confidence, right))
    mean_confidence, accuracy = (total / faces[occupied] for total in sums)
    return mean_confidence, accuracy, faces[occupied]


def _checked(true: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Give labels and probabilities that belong together."""
    found = checks.distributions(probabilities)
    (labels,) = checks.labels(true, classes=found.shape[1])
    checks.refuse_lengths(len(labels), len(found))
    return labels, found

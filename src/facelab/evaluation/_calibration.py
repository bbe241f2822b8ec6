"""Whether a network's probabilities mean what they say, and what to do with an answer that it is not sure of.

Everything here takes the true labels of some faces and the probabilities that a network gives to each label.
The scores among them return one number, so :func:`album_bootstrap` can give it an interval.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelab.evaluation._checks import as_distributions, as_labelled, refuse_lengths
from facelab.evaluation._metrics import Metric

_TEMPERATURES: Final = (0.05, 20.0)
"""The least and the greatest temperature that :func:`fit_temperature` considers."""

_ALBUM_EFFECTS: Final = np.arange(21) / 10
"""The standard deviations that :func:`album_effect` considers, in logits."""

_STEEPER: Final = (16 * np.sqrt(3) / (15 * np.pi)) ** 2
"""How much an effect flattens a logistic curve: 0.346 (Zeger, Liang and Albert, 1988)."""


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
    What training minimises; it rewards honest probabilities, as no accuracy does. Built in lesson 6.3.

    Examples
    --------
    >>> round(log_loss([0, 1], [[0.8, 0.2], [0.5, 0.5]]), 3)
    0.458
    """
    y_true, y_prob = as_labelled(y_true, y_prob)
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
    Sun and Weinberger, 2017). Built in lesson 6.3.

    Examples
    --------
    >>> calibration_curve([0, 0, 1], [[0.75, 0.25], [0.25, 0.75], [0.0, 1.0]], n_bins=2)
       confidence  accuracy  faces
    0    0.833333  0.666667      3
    """
    confidence, accuracy, faces = _bins(*as_labelled(y_true, y_prob), n_bins)
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
    it is above 0 for the most honest network, too: this lesson measures by how much. Built in lesson 6.3.

    Examples
    --------
    >>> round(expected_calibration_error([0, 0, 1], [[0.75, 0.25], [0.25, 0.75], [0.0, 1.0]], n_bins=2), 3)
    0.167
    """
    confidence, accuracy, faces = _bins(*as_labelled(y_true, y_prob), n_bins)
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
    the probabilities are enough. Guo et al. (2017). Built in lesson 6.3.

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
    enough. One number is fitted, so few faces suffice. Built in lesson 6.3.

    Examples
    --------
    >>> round(fit_temperature([0, 0, 1], [[0.8, 0.2], [0.8, 0.2], [0.8, 0.2]]), 1)
    2.0
    """
    y_true, y_prob = as_labelled(y_true, y_prob)

    def loss(logarithm: float) -> float:
        return log_loss(y_true, temperature_scaling(y_prob, float(np.exp(logarithm))))

    golden = (np.sqrt(5) - 1) / 2
    low, high = np.log(_TEMPERATURES)
    while high - low > 1e-3:
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def album_effect(y_true: ArrayLike, y_prob: ArrayLike, albums: ArrayLike) -> float:
    """Estimate how much more often a network is right in some albums than in others, in logits.

    Parameters
    ----------
    y_true, y_prob
        As for :func:`log_loss`, whose errors it shares. Calibrate the probabilities first, for example by
        :func:`temperature_scaling`: what is wrong with all albums is taken for an effect of each.
    albums : array of str or int, shape (n,)
        Each face's album. Of validation albums, where the result is used on the test.

    Returns
    -------
    float
        The standard deviation of the effects, from 0 to 2 in steps of 0.1.

    Notes
    -----
    The model: a face's most likely label is right with the probability that the network states, but for an
    effect of its album. The effect is added to the logit, and is normal about 0. Chosen is the standard
    deviation with the greatest likelihood, summed over the effects that an album may have (a logistic
    regression with a random intercept). In simulations with fold 4's 23 validation albums the estimate
    scatters by 0.1 to 0.2 about the truth: it is an order of magnitude. Used in lesson 6.3.

    Examples
    --------
    >>> album = np.repeat(np.arange(20), 10)
    >>> right = np.arange(200) % 10 < np.where(album % 2, 9, 3)  # nine in ten, or three in ten
    >>> album_effect(1 - right, np.tile([0.6, 0.4], (200, 1)), album)
    1.4
    """
    y_true, y_prob = as_labelled(y_true, y_prob)
    names, album = np.unique(np.asarray(albums), return_inverse=True)
    refuse_lengths(len(y_true), len(album))
    sign = np.where(y_prob.argmax(axis=1) == y_true, 1, -1)
    effects = np.linspace(-4, 4, 81)  # in standard deviations
    share = np.exp(-(effects**2) / 2)
    share /= share.sum()
    member = (album == np.arange(len(names))[:, None]).astype("float64")
    likelihoods = []
    for album_sd in _ALBUM_EFFECTS:
        logits = _logits_before(album_sd, y_prob.max(axis=1))[:, None] + album_sd * effects
        of_albums = member @ -np.logaddexp(0, -sign[:, None] * logits)  # (albums, effects)
        highest = of_albums.max(axis=1, keepdims=True)  # or the exponential of a large album is 0
        likelihoods.append(np.sum(highest[:, 0] + np.log(np.exp(of_albums - highest) @ share)))
    return float(_ALBUM_EFFECTS[np.argmax(likelihoods)])


def calibrated_scores(
    metric: Metric,
    y_prob: ArrayLike,
    albums: ArrayLike,
    *,
    album_sd: float,
    seed: int,
    n_draws: int = 200,
) -> np.ndarray:
    """Score a calibrated network that gives these probabilities, on labels that are drawn from them.

    Parameters
    ----------
    metric : function of (y_true, y_prob) that returns a float
        Such as :func:`expected_calibration_error`.
    y_prob : float array, shape (n, labels)
        Rows that sum to 1.
    albums : array of str or int, shape (n,)
        Each face's album.
    album_sd : float
        How much more often the network is right in some albums than in others, in logits, as
        :func:`album_effect` estimates it; 0 if the faces are independent.
    seed : int
        Which labels are drawn depends on it.
    n_draws : int
        How often labels are drawn for all faces.

    Returns
    -------
    float array, shape (n_draws,)
        A score for each draw. What the network scores on the true labels is no sign of bad calibration while
        it is within the usual range of these.

    Raises
    ------
    ValueError
        If there are no faces, a row is no distribution, the lengths differ, or `album_sd` is negative.

    Notes
    -----
    In each draw, every album gets an effect, which is added to the logit of the highest probability of each
    of its faces. The logits are made steeper first, so that over all albums the most likely label is still
    right as often as stated: to within 0.004 for effects up to 0.6, and 0.011 up to 2. A wrong face gets one
    of its other labels with their probabilities. Without an effect each face's label is drawn by itself, and
    that understates what chance does: faces of an album are right or wrong together. Used in lesson 6.3.

    Examples
    --------
    >>> y_prob, album = np.tile([0.7, 0.3], (100, 1)), np.repeat(np.arange(5), 20)
    >>> for album_sd in (0, 1):
    ...     scores = calibrated_scores(expected_calibration_error, y_prob, album, album_sd=album_sd, seed=0)
    ...     print(round(scores.mean(), 2))
    0.04
    0.07
    """
    y_prob = as_distributions(y_prob)
    names, album = np.unique(np.asarray(albums), return_inverse=True)
    refuse_lengths(len(y_prob), len(album))
    if not album_sd >= 0:
        raise ValueError(f"a standard deviation is 0 or more, not {album_sd}")
    rng = np.random.default_rng(seed)
    likeliest = y_prob.argmax(axis=1)
    logits = _logits_before(album_sd, y_prob.max(axis=1))
    others = y_prob.copy()
    others[np.arange(len(y_prob)), likeliest] = 0
    others = others.cumsum(axis=1)

    def drawn_labels() -> np.ndarray:
        effect = album_sd * rng.normal(size=len(names))
        right = rng.random(len(y_prob)) < 1 / (1 + np.exp(-(logits + effect[album])))
        wrong = (others > rng.random((len(y_prob), 1)) * others[:, -1:]).argmax(axis=1)
        return np.where(right, likeliest, wrong)

    return np.array([metric(drawn_labels(), y_prob) for _ in range(n_draws)])


def _logits_before(album_sd: float, confidence: np.ndarray) -> np.ndarray:
    """Return the logits that, with an album's effect added, give the stated confidence on average."""
    stated = np.clip(confidence, 1e-12, 1 - 1e-12)
    return np.log(stated / (1 - stated)) * np.sqrt(1 + _STEEPER * album_sd**2)


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
    confidence are answered together or not at all. Built in lesson 6.3.

    Examples
    --------
    >>> risk_coverage([0, 1], [[0.75, 0.25], [0.5, 0.5]])
       threshold  coverage  risk
    0       0.75       0.5   0.0
    1       0.50       1.0   0.5
    """
    y_true, y_prob = as_labelled(y_true, y_prob)
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

"""How right a network is, and how sure of that we may be: scores, and intervals that respect the albums.

A score takes the true and the predicted labels of some faces, as whole numbers, and gives one number. The
faces of one album are of the same few people in the same places, so they are right or wrong together: every
interval here comes from drawing whole albums, never single faces.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelab import checks
from facelab.labels import AGE_GROUPS

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Score = Callable[[np.ndarray, np.ndarray], float]
"""A function of true and predicted labels, such as :func:`accuracy`."""

DRAWS: Final = 1000
"""How often the album bootstrap draws the albums anew."""


class Interval(NamedTuple):
    """An estimate, and the ends of its 95 % interval."""

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write it as ``0.812 (0.790–0.833)``."""
        dash = " to " if self.low < 0 else "–"
        return f"{self.estimate:z.3f} ({self.low:z.3f}{dash}{self.high:z.3f})"


# ---- Scores ------------------------------------------------------------------------------------------------


def accuracy(true: ArrayLike, predicted: ArrayLike) -> float:
    """Share of faces whose predicted label is the true one.

    Parameters
    ----------
    true, predicted : int array, shape (n,)
        Labels as numbers from 0: genders (f = 0, m = 1) or indices into ``adience.AGE_GROUPS``.

    Returns
    -------
    float in [0, 1].

    Raises
    ------
    ValueError
        If the arrays are empty or differ in shape, or hold anything but whole numbers from 0. A negative one
        is how pandas codes a missing label.

    Notes
    -----
    Of age groups, the benchmark's first score, "exact" (Eidinger, Enbar and Hassner, 2014). Built in chapter
    3.
    """
    true, predicted = checks.labels(true, predicted)
    return float(np.mean(true == predicted))


def confusion_matrix(true: ArrayLike, predicted: ArrayLike, classes: int) -> np.ndarray:
    """Count the faces with each pair of true and predicted label.

    Parameters
    ----------
    true, predicted : int array, shape (n,)
        Labels from 0 to ``classes - 1``.
    classes : int
        How many labels there are.

    Returns
    -------
    int array, shape (classes, classes)
        A row a true label, a column a predicted one; the sum is n.

    Raises
    ------
    ValueError
        As for :func:`accuracy`, and if a label is not below `classes`.

    Notes
    -----
    Built in chapter 3.
    """
    true, predicted = checks.labels(true, predicted, classes=classes)
    return np.bincount(classes * true + predicted, minlength=classes**2).reshape(classes, classes)


def one_off_accuracy(true: ArrayLike, predicted: ArrayLike) -> float:
    """Share of faces whose predicted age group is the true one or a neighbour.

    Parameters
    ----------
    true, predicted : int array, shape (n,)
        Indices into ``adience.AGE_GROUPS`` (0 = 0–2 years … 7 = 60 and over).

    Returns
    -------
    float in [0, 1], never below :func:`accuracy`.

    Raises
    ------
    ValueError
        As for :func:`accuracy`, and if an index is above 7.

    Notes
    -----
    The benchmark's second score (Eidinger, Enbar and Hassner, 2014). It is not top-2 accuracy: the second
    most likely group need not be a neighbour. Built in chapter 4.
    """
    true, predicted = checks.labels(true, predicted, classes=len(AGE_GROUPS))
    return float(np.mean(abs(true - predicted) <= 1))


def balanced_accuracy(true: ArrayLike, predicted: ArrayLike) -> float:
    """Mean, over the labels that occur in `true`, of the share of their faces that are predicted right.

    Parameters
    ----------
    true, predicted : int array, shape (n,)
        Labels as numbers from 0.

    Returns
    -------
    float in [0, 1]. Whoever gives every face the same label has one divided by the number of labels.

    Raises
    ------
    ValueError
        As for :func:`accuracy`.

    Notes
    -----
    A label that does not occur has no share of its own and is left out: an album bootstrap may draw no infant
    at all. Built in chapter 4.
    """
    true, predicted = checks.labels(true, predicted)
    return float(np.nanmean(_recall(true, predicted, int(true.max()) + 1)))


def recall_by_group(true: ArrayLike, predicted: ArrayLike) -> pd.Series:
    """Give, for each age group, the share of its faces that are predicted right.

    Parameters
    ----------
    true, predicted : int array, shape (n,)
        Indices into ``adience.AGE_GROUPS``.

    Returns
    -------
    Series of 8 float in [0, 1], indexed by age group; missing where there is no such face.

    Raises
    ------
    ValueError
        As for :func:`accuracy`, and if an index is above 7.

    Notes
    -----
    Built in chapter 4.
    """
    true, predicted = checks.labels(true, predicted, classes=len(AGE_GROUPS))
    groups = pd.CategoricalIndex(AGE_GROUPS, AGE_GROUPS, ordered=True, name="age_group")
    return pd.Series(_recall(true, predicted, len(AGE_GROUPS)), index=groups, name="recall")


def mean_group_error(true: ArrayLike, predicted: ArrayLike) -> float:
    """Give how many age groups a prediction is off, on average over the faces.

    Parameters
    ----------
    true : int array, shape (n,)
        Indices into ``adience.AGE_GROUPS``.
    predicted : int or float array, shape (n,)
        The same, or places between groups as :func:`expected_group` gives them, in [0, 7].

    Returns
    -------
    float in [0, 7], in age groups. These are of unequal width, so it is no error in years.

    Raises
    ------
    ValueError
        If the arrays are empty or differ in shape, or hold what is not in the range above.

    Notes
    -----
    Built in chapter 4.
    """
    predicted = np.asarray(predicted)
    if predicted.dtype.kind == "f":
        (true,) = checks.labels(true, classes=len(AGE_GROUPS))
        checks.refuse_unlike(true, predicted)
        if not ((predicted >= 0) & (predicted <= len(AGE_GROUPS) - 1)).all():
            raise ValueError(f"predicted groups must lie in [0, {len(AGE_GROUPS) - 1}]")
    else:
        true, predicted = checks.labels(true, predicted, classes=len(AGE_GROUPS))
    return float(np.mean(abs(true - predicted)))


# ---- From a network's output to a decision -----------------------------------------------------------------


def predict(
    model: "keras.Model", dataset: "tf.data.Dataset", flip: bool = False
) -> np.ndarray | dict[str, np.ndarray]:
    """Give a model's output for every picture of a data set.

    Parameters
    ----------
    model : keras.Model
        With one output, or a dict of them.
    dataset : tf.data.Dataset
        Batches of images, or of tuples that begin with images, of shape (batch, height, width, channels);
        neither shuffled nor augmented, so that the output is in the table's order.
    flip : bool
        Look at each picture and at its mirror image, and give the mean of the two outputs.

    Returns
    -------
    float array, shape (n, …), or a dict of them, as the model gives them.

    Notes
    -----
    A mirrored face has the same age and gender, so the two outputs are two opinions on one question. Built in
    chapter 4.
    """
    if not flip:
        return model.predict(dataset.map(lambda images, *_: images), verbose=0)

    import tensorflow as tf  # here, because whoever has a model has loaded it, and the scores do without

    def with_mirror_image(images: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        # Each picture, then its mirror image: in one pass, so that the two cannot come from different orders.
        pairs = tf.stack([images, images[:, :, ::-1]], axis=1)
        return tf.reshape(pairs, (-1, *images.shape[1:]))

    def mean_of_pairs(output: np.ndarray) -> np.ndarray:
        return (output[0::2] + output[1::2]) / 2

    output = model.predict(dataset.map(with_mirror_image), verbose=0)
    if isinstance(output, dict):
        return {name: mean_of_pairs(array) for name, array in output.items()}
    return mean_of_pairs(output)


def expected_group(probabilities: ArrayLike) -> np.ndarray:
    """Give the mean of the groups' indices, weighted by their probabilities.

    Parameters
    ----------
    probabilities : float array, shape (n, groups)
        Rows that sum to 1, such as the output of a softmax.

    Returns
    -------
    float array, shape (n,), in [0, groups - 1]: a place between the groups.

    Raises
    ------
    ValueError
        If there is no row, or a row is no distribution.

    Notes
    -----
    After Rothe, Timofte and Van Gool (2018), who take the expected age over 101 years. Built in chapter 4.
    """
    probabilities = checks.distributions(probabilities)
    # Rounding may carry the sum of a row past 1, and so its mean past the last group.
    return np.clip(probabilities @ np.arange(probabilities.shape[1]), 0, probabilities.shape[1] - 1)


def decide(probabilities: ArrayLike, how: Literal["most likely", "expected"] = "most likely") -> np.ndarray:
    """Choose one age group for each face.

    Parameters
    ----------
    probabilities : float array, shape (n, groups)
        Rows that sum to 1.
    how : {"most likely", "expected"}
        The most likely group, which has the best chance of being right; or the one nearest to the expected
        group, which is seldom far off.

    Returns
    -------
    int array, shape (n,), in [0, groups - 1].

    Raises
    ------
    ValueError
        As for :func:`expected_group`, and if `how` is neither.

    Notes
    -----
    Built in chapter 4.
    """
    if how == "most likely":
        return checks.distributions(probabilities).argmax(axis=1)
    if how == "expected":
        return np.floor(expected_group(probabilities) + 0.5).astype("int64")
    raise ValueError(f"how must be 'most likely' or 'expected', not {how!r}")


# ---- How sure of a score we may be -------------------------------------------------------------------------


def album_bootstrap(
    score: Score,
    true: ArrayLike,
    predicted: ArrayLike,
    albums: ArrayLike,
    *,
    seed: int,
    draws: int = DRAWS,
) -> Interval:
    """Give a score and its 95 % interval, by drawing whole albums with replacement.

    Parameters
    ----------
    score : function of (true, predicted) that gives a float
        Such as :func:`accuracy`.
    true, predicted : array, shape (n, …)
        One row a face.
    albums : array of str or int, shape (n,)
        Each face's album, as in the table's column ``user_id``.
    seed : int
        Which albums are drawn depends on it and on how many there are.
    draws : int
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
    the tests, with 40, it holds the truth nine times in ten. Built in chapter 3.
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    scores = [
        score(true[faces], predicted[faces])
        for faces in _draws(albums, len(true), len(predicted), seed=seed, draws=draws)
    ]
    return _interval(score(true, predicted), scores)


def paired_album_bootstrap(
    score: Score,
    true: ArrayLike,
    predicted_a: ArrayLike,
    predicted_b: ArrayLike,
    albums: ArrayLike,
    *,
    seed: int,
    draws: int = DRAWS,
) -> Interval:
    """Give how much better `predicted_b` scores than `predicted_a` on the same faces, with its 95 % interval.

    Parameters
    ----------
    score, true, albums, seed, draws
        As for :func:`album_bootstrap`, whose errors it shares.
    predicted_a, predicted_b : array, shape (n, …)
        Two networks' predictions for the same faces.

    Returns
    -------
    Interval
        Of the difference b − a. Each draw scores both on the same albums, so that what is hard for both
        cancels out: two scores with overlapping intervals may well differ.

    Notes
    -----
    Built in chapter 4.
    """
    true, a, b = (np.asarray(array) for array in (true, predicted_a, predicted_b))
    differences = [
        score(true[faces], b[faces]) - score(true[faces], a[faces])
        for faces in _draws(albums, len(true), len(a), len(b), seed=seed, draws=draws)
    ]
    return _interval(score(true, b) - score(true, a), differences)


def by_slice(
    score: Score,
    true: ArrayLike,
    predicted: ArrayLike,
    albums: ArrayLike,
    slices: ArrayLike | pd.Series,
    *,
    seed: int,
) -> pd.DataFrame:
    """Score each slice of the faces by itself, and say on how few faces and albums that rests.

    Parameters
    ----------
    score, true, predicted, albums, seed
        As for :func:`album_bootstrap`.
    slices : array or Series, shape (n,)
        Each face's slice, such as the table's column ``age_group``.

    Returns
    -------
    DataFrame
        One row a slice that has faces, in the order of its categories, or sorted: ``slice``, ``faces``,
        ``albums`` (int), ``estimate``, ``low``, ``high``. The interval is missing where all faces are of one
        album: there is nothing to tell how much it would change with another.

    Raises
    ------
    ValueError
        If the arrays are empty or of different lengths, or a face has no slice.

    Notes
    -----
    Built in chapter 3.
    """
    true, predicted, albums = np.asarray(true), np.asarray(predicted), np.asarray(albums)
    names = pd.Series(slices).reset_index(drop=True)
    checks.refuse_lengths(len(true), len(predicted), len(albums), len(names))
    if names.isna().any():
        raise ValueError(f"{names.isna().sum()} faces have no slice: leave them out, or give them a name")
    rows = []
    for name, part in names.groupby(names, observed=True):
        members = part.index.to_numpy()
        parts = true[members], predicted[members]
        number = len(np.unique(albums[members]))
        if number > 1:
            interval = album_bootstrap(score, *parts, albums[members], seed=seed)
        else:
            interval = Interval(score(*parts), np.nan, np.nan)
        rows.append((name, len(members), number, *interval))
    return pd.DataFrame(rows, columns=["slice", "faces", "albums", *Interval._fields])


def times_drawn(number: int, *, seed: int, draws: int) -> np.ndarray:
    """Draw as many albums as there are, with replacement, again and again.

    Parameters
    ----------
    number : int
        How many albums there are, at least one.
    seed, draws : int
        As for :func:`album_bootstrap`.

    Returns
    -------
    int array, shape (draws, number)
        How often each album is in each draw; every row sums to `number`.

    Notes
    -----
    How often each album is drawn says the same as which ones are, and repeats its faces in one step. Built in
    chapter 3.
    """
    return np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), draws)


def _draws(albums: ArrayLike, *lengths: int, seed: int, draws: int) -> Iterator[np.ndarray]:
    """Give the faces of each draw of whole albums, as indices."""
    names, album = np.unique(np.asarray(albums), return_inverse=True)
    checks.refuse_lengths(len(album), *lengths)
    if len(names) < 2:
        raise ValueError(f"all {len(album)} faces are of one album: an interval needs two albums or more")
    times = times_drawn(len(names), seed=seed, draws=draws)
    return (np.repeat(np.arange(len(album)), drawn[album]) for drawn in times)


def _interval(estimate: float, scores: list[float]) -> Interval:
    """Give the middle 95 % of the draws' scores."""
    if missing := int(np.isnan(scores).sum()):
        raise ValueError(
            f"{missing} of {len(scores)} draws have no score: it must be defined for every choice of albums"
        )
    low, high = np.percentile(scores, [2.5, 97.5])
    return Interval(float(estimate), float(low), float(high))


def _recall(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Give each label's share of right predictions; missing for a label without a face."""
    faces = np.bincount(true, minlength=classes)
    right = np.bincount(true[true == predicted], minlength=classes)
    return np.divide(right, faces, out=np.full(classes, np.nan), where=faces > 0)

"""From a network's output to a decision."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from facelab.evaluation._checks import as_distributions

if TYPE_CHECKING:
    from facelab.backend import keras, tf


def predict(
    model: "keras.Model", dataset: "tf.data.Dataset", test_time_augmentation: bool = False
) -> np.ndarray | dict[str, np.ndarray]:
    """Return a model's output for every picture of a data set.

    Parameters
    ----------
    model : keras.Model
        With one output, or a dict of them.
    dataset : tf.data.Dataset
        Batches of images, or of tuples that begin with images, of shape (batch, height, width, channels);
        neither shuffled nor augmented, so that the output is in the table's order.
    test_time_augmentation : bool
        Show the network each picture and its mirror image, and return the mean of the two outputs.

    Returns
    -------
    float array, shape (n, …), or a dict of them
        As the model returns them.

    Notes
    -----
    A mirrored face has the same age and gender, so the two outputs are two opinions on one question. Built in
    lesson 4.3, as ``with_mirror_image``.
    """
    if not test_time_augmentation:
        return model.predict(dataset.map(lambda images, *_: images), verbose=0)

    from facelab.backend import tf  # here, because the scores do without TensorFlow

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


def expected_group(y_prob: ArrayLike) -> np.ndarray:
    """Return the mean of the groups' indices, weighted by their probabilities.

    Parameters
    ----------
    y_prob : float array, shape (n, groups)
        Rows that sum to 1, such as the output of a softmax.

    Returns
    -------
    float array, shape (n,)
        In [0, groups - 1]: a place between the groups.

    Raises
    ------
    ValueError
        If there is no row, or a row is no distribution.

    Notes
    -----
    After Rothe, Timofte and Van Gool (2018), who take the expected age over 101 years. Built in lesson 4.1.

    Examples
    --------
    >>> expected_group([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]).tolist()
    [0.5, 1.5]
    """
    y_prob = as_distributions(y_prob)
    # Rounding may carry the sum of a row past 1, and so its mean past the last group.
    return np.clip(y_prob @ np.arange(y_prob.shape[1]), 0, y_prob.shape[1] - 1)


def decide(y_prob: ArrayLike, how: Literal["most likely", "expected"] = "most likely") -> np.ndarray:
    """Choose one age group for each face.

    Parameters
    ----------
    y_prob : float array, shape (n, groups)
        Rows that sum to 1.
    how : {"most likely", "expected"}
        The most likely group, which has the best chance of being right; or the one nearest to the expected
        group, which is seldom far off.

    Returns
    -------
    int array, shape (n,)
        In [0, groups - 1].

    Raises
    ------
    ValueError
        As for :func:`expected_group`, and if `how` is neither.

    Notes
    -----
    Built in lesson 4.1, as ``DECISIONS``.

    Examples
    --------
    >>> torn = [[0.5, 0.1, 0.4]]
    >>> decide(torn).tolist(), decide(torn, "expected").tolist()
    ([0], [1])
    """
    if how == "most likely":
        return as_distributions(y_prob).argmax(axis=1)
    if how == "expected":
        return np.floor(expected_group(y_prob) + 0.5).astype("int64")
    raise ValueError(f"how must be 'most likely' or 'expected', not {how!r}")

"""Telling a network that age groups have an order: targets, heads and losses of the literature, side by side.

A method of estimating an age is a target, a head, a loss and a way back from what the network returns to the
probabilities of the eight groups. Cross-entropy on one-hot targets is the one that knows of no order. Here is
what the others need that Keras and :mod:`facelab.pipeline` do not have.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelab.adience import AGE_GROUPS
from facelab.backend import keras, layers
from facelab.pipeline import age_target

__all__ = [
    "age_levels",
    "coral_head",
    "coral_loss",
    "group_number",
    "level_probabilities",
    "mean_variance_loss",
    "place_probabilities",
    "regression_head",
    "smoothed_age_target",
    "with_head",
]

_GROUPS: Final = len(AGE_GROUPS)


def with_head(model: keras.Model, head: Callable[[keras.KerasTensor], keras.KerasTensor]) -> keras.Model:
    """Replace the last layer of a network with another head.

    Parameters
    ----------
    model : keras.Model
        With one head, such as :func:`facelab.models.strided_network`. It shares its other layers with the new
        network: training one trains both.
    head : function
        From what the last layer takes, a symbolic tensor of shape (n, features), to what the network returns.

    Returns
    -------
    keras.Model
        From the same images to the output of `head`. Not compiled.

    Notes
    -----
    The new head's weights are drawn when it is made. Used in lesson 4.4.

    Examples
    --------
    >>> from facelab import models, pipeline
    >>> with_head(models.strided_network(pipeline.DEFAULT_CONTRACT), coral_head).output_shape
    (None, 7)
    """
    return keras.Model(model.inputs[0], head(model.layers[-1].input), name=model.name)


# ---- Targets: what the network is to answer ---------------------------------------------------------------


def smoothed_age_target(table: pd.DataFrame, smoothing: float = 0.1) -> np.ndarray:
    """Return the age groups as one-hot targets of which a share goes to all groups alike: label smoothing.

    Parameters
    ----------
    table : DataFrame
        With the column ``age_group``.
    smoothing : float in [0, 1]
        The share that is spread evenly over the eight groups.

    Returns
    -------
    float32 array, shape (n, 8)
        Rows sum to 1: ``smoothing / 8`` everywhere, and ``1 - smoothing`` more on the label's group.

    Raises
    ------
    facelab.adience.DataSetError
        If a label is missing.
    ValueError
        If `smoothing` is out of range.

    Notes
    -----
    Szegedy et al. (2016), whose 0.1 is the default. Unlike :func:`facelab.pipeline.soft_age_target` it knows
    of no order: a far group gets as much as a neighbour. Used in lesson 4.4.

    Examples
    --------
    >>> labels = pd.Categorical(["(8, 12)"], categories=AGE_GROUPS)
    >>> smoothed_age_target(pd.DataFrame({"age_group": labels}), smoothing=0.5)[0, :4].tolist()
    [0.0625, 0.0625, 0.5625, 0.0625]
    """
    if not 0 <= smoothing <= 1:
        raise ValueError(f"a share is spread from 0 to 1, not {smoothing}")
    one_hot = np.eye(_GROUPS, dtype="float32")[age_target(table)]
    return (1 - smoothing) * one_hot + smoothing / _GROUPS


def age_levels(table: pd.DataFrame) -> np.ndarray:
    """Return the answers to seven questions on each age group: is it above the first, the second, … group.

    Parameters
    ----------
    table : DataFrame
        With the column ``age_group``.

    Returns
    -------
    float32 array, shape (n, 7)
        Column k is 1 where the label is a group above ``adience.AGE_GROUPS[k]``, and 0 elsewhere.

    Raises
    ------
    facelab.adience.DataSetError
        If a label is missing.

    Notes
    -----
    The targets of CORAL (Cao, Mirjalili and Raschka, 2020). Used in lesson 4.4.

    Examples
    --------
    >>> labels = pd.Categorical(["(8, 12)"], categories=AGE_GROUPS)
    >>> age_levels(pd.DataFrame({"age_group": labels})).tolist()
    [[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    return (age_target(table)[:, None] > np.arange(_GROUPS - 1)).astype("float32")


def group_number(table: pd.DataFrame) -> np.ndarray:
    """Return the age groups as numbers from 0 to 7 for a regression.

    Parameters
    ----------
    table : DataFrame
        With the column ``age_group``.

    Returns
    -------
    float32 array, shape (n, 1)
        Indices into ``adience.AGE_GROUPS``.

    Raises
    ------
    facelab.adience.DataSetError
        If a label is missing.

    Notes
    -----
    Used in lesson 4.4.

    Examples
    --------
    >>> labels = pd.Categorical(["(4, 6)", "(60, 100)"], categories=AGE_GROUPS)
    >>> group_number(pd.DataFrame({"age_group": labels})).tolist()
    [[1.0], [7.0]]
    """
    return age_target(table).astype("float32")[:, None]


# ---- Heads: the last layer --------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="facelab", name="Thresholds")
class _Thresholds(layers.Layer):
    """From one score of a face to the logits of its levels: a bias for each of them, and the same score."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # A group is one wide on the scale of the score. If all biases began at 0, they would have to part
        # first, and an optimiser such as Adam moves each by about one learning rate a batch.
        self.biases = self.add_weight(shape=(_GROUPS - 1,), initializer=_one_apart, name="biases")

    def call(self, score: Any) -> Any:
        return score + self.biases


def _one_apart(shape: tuple[int], dtype: str) -> Any:
    """Return as many numbers as asked for, each one less than the one before, with a mean of 0."""
    return (shape[0] - 1) / 2 - keras.ops.arange(shape[0], dtype=dtype)


def coral_head(features: keras.KerasTensor) -> keras.KerasTensor:
    """Add CORAL's last layer: one score of a face, and seven biases.

    Parameters
    ----------
    features : symbolic tensor, shape (n, features)
        What the last layer sees.

    Returns
    -------
    symbolic tensor, shape (n, 7)
        The logits of the levels of :func:`age_levels`.

    Notes
    -----
    All levels share the weights, so a face that is likelier than another to be above one group is likelier to
    be above each. Cao, Mirjalili and Raschka (2020) prove that the biases fall from level to level where the
    loss is least. Before, they need not: ours begin as 3, 2, … −3. Used in lesson 4.4.

    Examples
    --------
    >>> coral_head(keras.Input((192,))).shape
    (None, 7)
    """
    return _Thresholds(name="age")(layers.Dense(1, use_bias=False, name="score")(features))


def regression_head(features: keras.KerasTensor) -> keras.KerasTensor:
    """Add one linear unit, which returns a group's number.

    Parameters
    ----------
    features : symbolic tensor, shape (n, features)
        What the last layer sees.

    Returns
    -------
    symbolic tensor, shape (n, 1)
        A place between the groups; nothing keeps it within 0 and 7.

    Notes
    -----
    It begins in the middle, at 3.5, since a bias of 0 would be an infant. With the mean squared error the
    best answer is the mean of the groups that a face may belong to: the expected group, asked for directly.
    Rothe, Timofte and Van Gool (2018) compare it with the expected value of a softmax. Used in lesson 4.4.

    Examples
    --------
    >>> regression_head(keras.Input((192,))).shape
    (None, 1)
    """
    middle = keras.initializers.Constant((_GROUPS - 1) / 2)
    return layers.Dense(1, bias_initializer=middle, name="age")(features)


# ---- Losses: what an answer costs -------------------------------------------------------------------------


def coral_loss(levels: Any, logits: Any) -> Any:
    """Compute the binary cross-entropy of each face, summed over its levels.

    Parameters
    ----------
    levels : float tensor, shape (n, 7)
        From :func:`age_levels`.
    logits : float tensor, shape (n, 7)
        From :func:`coral_head`.

    Returns
    -------
    float tensor, shape (n,)
        From 0.

    Notes
    -----
    Cao, Mirjalili and Raschka (2020), with all levels of equal weight. Used in lesson 4.4.
    """
    return keras.ops.sum(keras.ops.binary_crossentropy(levels, logits, from_logits=True), axis=-1)


def mean_variance_loss(y_true: Any, y_prob: Any) -> Any:
    """Compute the mean–variance loss of each face: cross-entropy, squared error of the mean, and variance.

    Parameters
    ----------
    y_true : float tensor, shape (n, 8)
        One-hot targets, such as ``soft_age_target(table, neighbour=0)``.
    y_prob : float tensor, shape (n, 8)
        Probabilities.

    Returns
    -------
    float tensor, shape (n,)
        From 0: cross-entropy + 0.2 · (mean − group)² / 2 + 0.05 · variance, mean and variance being those of
        the group's number under the probabilities.

    Notes
    -----
    Pan, Han, Shan and Chen (2018), with their two weights. Theirs is a distribution over years; over groups,
    squared distances are smaller, so the same weights count for less. Used in lesson 4.4.
    """
    number = keras.ops.arange(_GROUPS, dtype="float32")
    group = keras.ops.sum(y_true * number, axis=-1)
    mean = keras.ops.sum(y_prob * number, axis=-1)
    variance = keras.ops.sum(y_prob * (number - mean[:, None]) ** 2, axis=-1)
    entropy = keras.ops.categorical_crossentropy(y_true, y_prob)
    return entropy + 0.2 * (mean - group) ** 2 / 2 + 0.05 * variance


# ---- Back to probabilities of the eight groups ------------------------------------------------------------


def level_probabilities(logits: ArrayLike) -> np.ndarray:
    """Turn the logits of levels into probabilities of groups.

    Parameters
    ----------
    logits : float array, shape (n, 7)
        What a network with :func:`coral_head` returns.

    Returns
    -------
    float array, shape (n, 8)
        Rows sum to 1.

    Notes
    -----
    To be in a group is to be above the group before, but not above this one: the difference of two levels'
    probabilities. Where biases are not in order yet, a level that is likelier than the one before gets that
    one's probability, so that no group's is negative. Used in lesson 4.4.

    Examples
    --------
    >>> level_probabilities([[40, 0, 0, -40, -40, -40, -40]]).round(3)[0].tolist()
    [0.0, 0.5, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0]
    """
    above = 1 / (1 + np.exp(-np.clip(np.asarray(logits, dtype="float64"), -500, 500)))
    above = np.pad(above, ((0, 0), (1, 0)), constant_values=1)  # of being any group at all
    above = np.pad(np.minimum.accumulate(above, axis=1), ((0, 0), (0, 1)))  # and of being above the last
    return above[:, :-1] - above[:, 1:]


def place_probabilities(place: ArrayLike) -> np.ndarray:
    """Turn places between the groups into probabilities of groups.

    Parameters
    ----------
    place : float array, shape (n, 1)
        What a network with :func:`regression_head` returns. Below 0 and above 7 count as 0 and 7.

    Returns
    -------
    float array, shape (n, 8)
        Rows sum to 1.

    Notes
    -----
    A regression says where, not how sure it is. Of all distributions with this mean we take the narrowest,
    which lies on the two groups beside it. The most likely group is then the nearest one, and the expected
    group the place itself; as a confidence it means nothing. Used in lesson 4.4.

    Examples
    --------
    >>> place_probabilities([[3.25], [-1]])[:, :5].tolist()
    [[0.0, 0.0, 0.0, 0.75, 0.25], [1.0, 0.0, 0.0, 0.0, 0.0]]
    """
    within = np.clip(np.asarray(place, dtype="float64"), 0, _GROUPS - 1)
    return np.maximum(1 - abs(within - np.arange(_GROUPS)), 0)

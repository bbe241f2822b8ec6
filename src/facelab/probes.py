"""Asking a trained network what it sees: maps of where it looks, and effects of changing one cause.

A map (:func:`occlusion_map`, :func:`grad_cam`) says where in a picture an answer comes from, and
:func:`randomise` helps to see whether it says so of this network or of any. An effect
(:func:`paired_differences`, :func:`mean_effect`) says how an answer changes when one cause is changed and all
else is held, and :func:`independence_weights` makes a training in which that cause tells nothing.
"""

from collections.abc import Callable, Sequence
from typing import Final

from facelab import backend  # noqa: F401  loads TensorFlow quietly: it has to be first

# isort: split
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import ArrayLike

from facelab.evaluation import Interval, times_drawn

DRAWS: Final = 10_000
"""How often :func:`mean_effect` draws: the ends of an interval for many comparisons are far out."""


# ---- Where an answer comes from ----------------------------------------------------------------------------


def occlusion_map(
    score: Callable[[np.ndarray], ArrayLike], images: np.ndarray, *, side: int = 8, stride: int = 4
) -> np.ndarray:
    """Cover a picture place by place, and give how much the score falls.

    Parameters
    ----------
    score : function of images, shape (n, height, width, channels), that gives n numbers
        Such as the probability of one label.
    images : float array, shape (n, height, width, channels)
        Pixels in [0, 1].
    side, stride : int
        Of the square that covers, and how far it moves each time, in pixels.

    Returns
    -------
    float array, shape (n, rows, columns)
        The score of the whole picture less that of the covered one, for each place of the square: positive
        where what was covered spoke for the score.

    Raises
    ------
    ValueError
        If `images` has another shape, or the square does not fit into it or does not move.

    Notes
    -----
    The square has the picture's own mean, so it is no darker or lighter than the picture; its edge is still
    something that no photograph has. After Zeiler and Fergus (2014). Built in chapter 7.
    """
    images = _checked_images(images)
    height, width = images.shape[1:3]
    if not 1 <= side <= min(height, width) or stride < 1:
        raise ValueError(
            f"a square of {side} pixels in steps of {stride} does not move over {height}×{width}"
        )
    whole, mean = np.asarray(score(images)), images.mean(axis=(1, 2), keepdims=True)
    rows, columns = range(0, height - side + 1, stride), range(0, width - side + 1, stride)
    falls = np.empty((len(images), len(rows), len(columns)))
    for row, top in enumerate(rows):
        for column, left in enumerate(columns):
            covered = images.copy()
            covered[:, top : top + side, left : left + side] = mean
            falls[:, row, column] = whole - np.asarray(score(covered))
    return falls


def grad_cam(
    model: keras.Model, images: np.ndarray, head: str, *, answer: ArrayLike = 0, layer: str = "stage_2"
) -> np.ndarray:
    """Weight a layer's maps by how much the score before the softmax or sigmoid rises with each of them.

    Parameters
    ----------
    model : keras.Model
        From :func:`facelab.models.strided_network`, or any functional model that ends in a dense layer.
    images : float array, shape (n, height, width, channels)
        Pixels in [0, 1].
    head : str
        The name of the dense layer that answers: "gender" or "age".
    answer : int, or int array of shape (n,)
        Which unit of the head is asked about, for all pictures or for each.
    layer : str
        The layer whose maps are weighted.

    Returns
    -------
    float32 array, shape (n, rows, columns)
        As fine as the layer. Positive places speak for the answer, negative ones against it; Selvaraju et al.
        (2017) show the positive part.

    Raises
    ------
    ValueError
        If a layer is not there, the head is no dense layer, the layer has no places, or there is no such
        answer.

    Notes
    -----
    The network answers as it does in use, with the moving statistics of its batch normalisation and without
    dropout, and is not changed. Built in chapter 7.
    """
    images = _checked_images(images)
    last, source = model.get_layer(head), model.get_layer(layer).output
    if not isinstance(last, keras.layers.Dense):
        raise ValueError(f"{head} is no dense layer, so it has no score before its softmax or sigmoid")
    if len(source.shape) != 4:
        raise ValueError(f"{layer} gives no maps with places, but values of shape {source.shape[1:]}")
    units = np.broadcast_to(np.asarray(answer), len(images))
    if not ((units >= 0) & (units < last.units)).all():
        raise ValueError(f"{head} has the answers 0 to {last.units - 1}, not {answer!r}")
    parts = keras.Model(model.inputs[0], [source, last.input])
    pixels = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(pixels)  # a network whose weights are frozen records nothing by itself
        maps, features = parts(pixels, training=False)
        scores = tf.gather(tf.matmul(features, last.kernel) + last.bias, units, batch_dims=1)
    importance = tf.reduce_mean(tape.gradient(scores, maps), axis=(1, 2), keepdims=True)
    return tf.reduce_sum(importance * maps, axis=-1).numpy()


def randomise(model: keras.Model, layers: Sequence[str], seed: int) -> keras.Model:
    """Give a copy of a network in which some layers have never learned anything.

    Parameters
    ----------
    model : keras.Model
    layers : sequence of str
        Beginnings of layers' names: "stage_3" stands for the whole stage.
    seed : int
        Of the new weights.

    Returns
    -------
    keras.Model
        The named layers as they are before training: kernels drawn anew (Glorot and Bengio, 2010), biases and
        moving means 0, scales and moving variances 1. All other weights are those of `model`, which stays as
        it is.

    Raises
    ------
    ValueError
        If no layer's name begins so.

    Notes
    -----
    For the cascade of Adebayo et al. (2018), from the head downwards. Built in chapter 7.
    """
    names = [layer.name for layer in model.layers]
    if strangers := [start for start in layers if not any(name.startswith(start) for name in names)]:
        raise ValueError(f"no layer of {model.name} begins with {strangers[0]!r}; it has {names}")
    copy = keras.models.clone_model(model)
    random = np.random.default_rng(seed)
    for learned, layer in zip(model.layers, copy.layers, strict=True):
        if not layer.name.startswith(tuple(layers)):
            layer.set_weights(learned.get_weights())
            continue
        for weight in layer.weights:
            if len(weight.shape) > 1:  # vectors are 0 or 1 in a new layer, whatever the seed
                glorot = keras.initializers.GlorotUniform(seed=int(random.integers(2**31)))
                weight.assign(glorot(weight.shape))
    return copy


# ---- What would change an answer ---------------------------------------------------------------------------


def paired_differences(
    table: pd.DataFrame, factor: str, value: str, reference: str, answer: str
) -> pd.DataFrame:
    """Give how an answer changes in each head's pictures when a cause goes from one value to another.

    Parameters
    ----------
    table : DataFrame
        From :func:`facelab.embedded.read_sweeps`, with the network's answer in a column of its own.
    factor, value, reference : str
        Which sweep, and to and from which value of it, as text.
    answer : str
        The column with the answer.

    Returns
    -------
    DataFrame
        One row a head: ``identity``, ``family`` and ``difference``, the answer at `value` less that at
        `reference`.

    Raises
    ------
    ValueError
        If the sweep has no such value, or a head has not one picture of both.

    Notes
    -----
    Built in chapter 7.
    """
    sweep = table[table["factor"] == factor]
    if missing := sorted({value, reference} - set(sweep["value"])):
        raise ValueError(
            f"the sweep of {factor!r} has no {missing[0]!r}; it has {sorted(set(sweep['value']))}"
        )
    before, after = (sweep[sweep["value"] == text].set_index("identity") for text in (reference, value))
    if not (before.index.is_unique and after.index.is_unique and set(before.index) == set(after.index)):
        raise ValueError(f"every head must have one picture with {factor} {value} and one with {reference}")
    changed = (after[answer] - before[answer]).rename("difference").to_frame()
    return changed.assign(family=before["family"]).reset_index()[["identity", "family", "difference"]]


def mean_effect(
    differences: ArrayLike, units: ArrayLike, *, seed: int, comparisons: int = 1, draws: int = DRAWS
) -> Interval:
    """Give the mean of paired differences and its interval, by drawing whole units with replacement.

    Parameters
    ----------
    differences : float array, shape (n,)
        One a head, as of :func:`paired_differences`.
    units : array, shape (n,)
        What is drawn: each head's family, since relatives look alike.
    seed : int
    comparisons : int
        How many such intervals are looked at together. All of them hold their truth in 95 % of the cases:
        each is one of level 1 − 0.05 / `comparisons` (Bonferroni).
    draws : int

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the arrays are empty or of different lengths, a difference is missing, there are fewer than two
        units, or `comparisons` is not positive.

    Notes
    -----
    The same drawing as in :func:`facelab.evaluation.album_bootstrap`, with families for albums, and quick
    enough for many draws since a mean needs no more of a unit than its sum and size. Built in chapter 7.
    """
    values, families = np.asarray(differences, dtype="float64"), np.asarray(units)
    if values.ndim != 1 or values.shape != families.shape or not np.isfinite(values).all():
        raise ValueError("one finite difference and one unit a head are needed")
    names, unit = np.unique(families, return_inverse=True)
    if len(names) < 2 or comparisons < 1:
        raise ValueError(f"an interval needs two units or more and a comparison: {len(names)}, {comparisons}")
    times = times_drawn(len(names), seed=seed, draws=draws)
    means = times @ np.bincount(unit, values) / (times @ np.bincount(unit))
    tail = 2.5 / comparisons
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def independence_weights(factor: pd.Series, label: pd.Series) -> np.ndarray:
    """Weigh photographs so that, counted by weight, a factor says nothing of the label.

    Parameters
    ----------
    factor, label : Series, n rows
        What each photograph shows, and what is written beside it.

    Returns
    -------
    float64 array, shape (n,)
        How often factor and label would come together if they had nothing to do with each other, divided by
        how often they do. The mean is 1 if every factor occurs with every label.

    Raises
    ------
    ValueError
        If the lengths differ, there are no rows or a value is missing.

    Notes
    -----
    A factor that never occurs with some label keeps telling that the label is not this one: no weight makes
    photographs that are not there. The reweighing of Kamiran and Calders (2012). Built in chapter 7.
    """
    if len(factor) != len(label) or not len(factor):
        raise ValueError(f"one factor and one label a photograph: {len(factor)} and {len(label)} rows")
    if factor.isna().any() or label.isna().any():
        raise ValueError("a factor or a label is missing: leave such photographs out")
    counts = pd.crosstab(factor.to_numpy(), label.to_numpy()).to_numpy()
    together = counts / len(factor)
    apart = np.outer(together.sum(axis=1), together.sum(axis=0))
    weights = np.divide(apart, together, out=np.zeros(apart.shape), where=together > 0)
    return weights[np.unique(factor, return_inverse=True)[1], np.unique(label, return_inverse=True)[1]]


def _checked_images(images: np.ndarray) -> np.ndarray:
    """Give images as float32; refuse another shape."""
    found = np.asarray(images, dtype="float32")
    if found.ndim != 4 or not len(found):
        raise ValueError(f"images must have the shape (n, height, width, channels), not {found.shape}")
    return found

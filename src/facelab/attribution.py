"""Where in a picture an answer comes from: maps of what a trained network looks at.

:func:`occlusion_map` and :func:`grad_cam` draw such maps. :func:`reinitialise` makes copies of the
network whose layers have learned nothing, which shows whether a map says anything of this network.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from facelab.backend import keras, tf

__all__ = ["grad_cam", "occlusion_map", "reinitialise"]


def occlusion_map(
    score: Callable[[np.ndarray], ArrayLike], images: np.ndarray, *, side: int = 8, stride: int = 4
) -> np.ndarray:
    """Cover a picture place by place, and compute how much the score falls.

    Parameters
    ----------
    score : function of images, shape (n, height, width, channels), that returns n numbers
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
    something that no photograph has. After Zeiler and Fergus (2014). Built in lesson 7.

    Examples
    --------
    >>> picture = np.zeros((1, 8, 8, 1))
    >>> picture[0, :4, :4] = 1
    >>> occlusion_map(lambda images: images[:, :4, :4].mean(axis=(1, 2, 3)), picture, side=4).tolist()
    [[[0.75, 0.0], [0.0, 0.0]]]
    """
    images = _as_images(images)
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
    model: keras.Model, images: np.ndarray, head: str, *, unit: ArrayLike = 0, layer: str = "stage_2"
) -> np.ndarray:
    """Compute Grad-CAM: a layer's feature maps, weighted by how much the logit rises with each of them.

    Parameters
    ----------
    model : keras.Model
        From :func:`facelab.models.strided_network`, or any functional model that ends in a dense layer.
    images : float array, shape (n, height, width, channels)
        Pixels in [0, 1].
    head : str
        The name of the dense layer that answers: "gender" or "age".
    unit : int, or int array of shape (n,)
        Which unit of the head is asked about, for all pictures or for each: 0 of the gender head is the label
        m, 0 to 7 of the age head are the groups.
    layer : str
        The layer whose feature maps are weighted.

    Returns
    -------
    float32 array, shape (n, rows, columns)
        As fine as the layer. Positive places speak for the unit's label, negative ones against it;
        Selvaraju et al. (2017) show the positive part.

    Raises
    ------
    ValueError
        If a layer is not there, the head is no dense layer, the layer has no places, or there is no such
        unit.

    Notes
    -----
    The network answers as it does in use, with the moving statistics of its batch normalisation and without
    dropout, and is not changed. Built in lesson 7.
    """
    images = _as_images(images)
    last, source = model.get_layer(head), model.get_layer(layer).output
    if not isinstance(last, keras.layers.Dense):
        raise ValueError(f"{head} is no dense layer, so it has no score before its softmax or sigmoid")
    if len(source.shape) != 4:
        raise ValueError(f"{layer} gives no maps with places, but values of shape {source.shape[1:]}")
    units = np.broadcast_to(np.asarray(unit), len(images))
    if not ((units >= 0) & (units < last.units)).all():
        raise ValueError(f"{head} has the units 0 to {last.units - 1}, not {unit!r}")
    parts = keras.Model(model.inputs[0], [source, last.input])
    pixels = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(pixels)  # a network whose weights are frozen records nothing by itself
        maps, features = parts(pixels, training=False)
        scores = tf.gather(tf.matmul(features, last.kernel) + last.bias, units, batch_dims=1)
    importance = tf.reduce_mean(tape.gradient(scores, maps), axis=(1, 2), keepdims=True)
    return tf.reduce_sum(importance * maps, axis=-1).numpy()


def reinitialise(model: keras.Model, layers: Sequence[str], seed: int) -> keras.Model:
    """Return a copy of a network in which some layers have never learned anything.

    Parameters
    ----------
    model : keras.Model
        The trained network.
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
    For the cascade of Adebayo et al. (2018), from the head downwards. Built in lesson 7.
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


def _as_images(images: np.ndarray) -> np.ndarray:
    """Return images as float32; refuse another shape."""
    found = np.asarray(images, dtype="float32")
    if found.ndim != 4 or not len(found):
        raise ValueError(f"images must have the shape (n, height, width, channels), not {found.shape}")
    return found

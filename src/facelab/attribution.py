"""Where in a picture an answer comes from: maps of what a trained network looks at.

:func:`occlusion_map` and :func:`grad_cam` draw such maps. :func:`reinitialise` makes copies of the
network whose layers have learned nothing, which shows whether a map says anything of this network.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from facelab.backend import keras, tf

__all__ = ["grad_cam", "occlusion_map", "reinitialise"]

_SCALE: Final = 256.0
"""What scores are multiplied by before their slopes are taken, and slopes divided by: half precision has no
numbers near 0, and a power of two changes nothing but that."""


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
    something that no photograph has. After Zeiler and Fergus (2014). Built in lesson 7.1.

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
        From :func:`facelab.models.strided_network` or :func:`facelab.transfer.transfer_network`, or any
        functional model of one input that ends in a dense layer, in whatever precision it computes.
    images : float array, shape (n, height, width, channels)
        Pixels in [0, 1].
    head : str
        The name of the dense layer that answers: "gender" or "age".
    unit : int, or int array of shape (n,)
        Which unit of the head is asked about, for all pictures or for each: 0 of the gender head is the label
        m, 0 to 7 of the age head are the groups.
    layer : str
        The layer whose feature maps are weighted; also one inside of a network that is a layer of `model`.

    Returns
    -------
    float32 array, shape (n, rows, columns)
        As fine as the layer. Positive places speak for the unit's label, negative ones against it;
        Selvaraju et al. (2017) show the positive part.

    Raises
    ------
    ValueError
        If a layer is not there, or there are two of its name, the head is no dense layer, the layer has no
        places, there is no such unit, or the model has several inputs.

    Notes
    -----
    The network answers as it does in use, with the moving statistics of its batch normalisation and without
    dropout, and is not changed. Built in lesson 7.1.
    """
    images = _as_images(images)
    last = model.get_layer(head)
    if not isinstance(last, keras.layers.Dense) or len(last.input.shape) != 2:
        raise ValueError(f"{head} is no dense layer, so it has no score before its softmax or sigmoid")
    units = np.broadcast_to(np.asarray(unit), len(images))
    if not ((units >= 0) & (units < last.units)).all():
        raise ValueError(f"{head} has the units 0 to {last.units - 1}, not {unit!r}")
    parts = _up_to(model, layer, head)
    pixels = tf.convert_to_tensor(images)
    kernel, bias = (
        tf.cast(part, tf.float32) for part in (last.kernel, 0.0 if last.bias is None else last.bias)
    )
    with tf.GradientTape() as tape:
        tape.watch(pixels)  # a network whose weights are frozen records nothing by itself
        maps, features = parts(pixels, training=False)
        scores = tf.gather(tf.matmul(tf.cast(features, tf.float32), kernel) + bias, units, batch_dims=1)
        scores *= _SCALE
    slopes = tf.cast(tape.gradient(scores, maps), tf.float32) / _SCALE
    importance = tf.reduce_mean(slopes, axis=(1, 2), keepdims=True)
    return tf.reduce_sum(importance * tf.cast(maps, tf.float32), axis=-1).numpy()


def _up_to(model: keras.Model, layer: str, head: str) -> keras.Model:
    """Return a network from images to the maps of a layer and to what the head sees."""
    if len(model.inputs) != 1:
        raise ValueError(f"{model.name} takes {len(model.inputs)} inputs, and a map belongs to one")
    holders = _holders(model, layer)
    if len(holders) != 1:
        found = "no layer" if not holders else f"{len(holders)} layers"
        last = [names[-1] for names, inside in _all_layers(model) if len(_shape(inside)) == 4][-1:]
        hint = f"; the last one with maps is {last[0]!r}" if last else ""
        raise ValueError(f"{model.name} has {found} {layer!r}{hint}")
    if len(_shape(holders[0][-1])) != 4:
        raise ValueError(
            f"{layer} gives no maps with places, but values of shape {_shape(holders[0][-1])[1:]}"
        )
    return _opened(model, holders[0], head)


def _opened(model: keras.Model, path: list[keras.layers.Layer], head: str | None) -> keras.Model:
    """Return a network that has one output more: the maps of the layer at the end of a path, before its own.

    With a `head`, what it sees takes the place of the outputs. Of a network in a network Keras shows
    the outside only, so the one around it is built once more, around one that shows its inside.
    """
    outputs = model.outputs if head is None else [model.get_layer(head).input]
    if len(path) == 1:
        return keras.Model(model.inputs, [path[0].output, *outputs])
    inner = path[0]
    opened, seen = _opened(inner, path[1:], None), {}

    def call(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        if layer.name == head:
            seen["head"] = args[0]
        if layer.name != inner.name:
            return layer(*args, **kwargs)
        seen["maps"], *rest = opened(*args, **kwargs)
        return tf.nest.pack_sequence_as(inner.output, rest)

    outside = keras.Model(model.inputs, model.outputs)  # a Sequential cannot be built with other calls
    copy = keras.models.clone_model(outside, call_function=call)
    for layer in outside.layers:
        if layer.weights and layer.name != inner.name:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return keras.Model(copy.inputs, [seen["maps"], *(copy.outputs if head is None else [seen["head"]])])


def _holders(model: keras.Model, name: str) -> list[list[keras.layers.Layer]]:
    """List the ways to the layers of a name: those of the model itself, or else those inside of them."""
    if own := [[layer] for layer in model.layers if layer.name == name]:
        return own
    inside = [layer for layer in model.layers if _is_network(layer)]
    return [[layer, *path] for layer in inside for path in _holders(layer, name)]


def _all_layers(model: keras.Model) -> Iterator[tuple[list[str], keras.layers.Layer]]:
    """Yield the layers of a network and of those in it, in their order, each with the names around it."""
    for layer in model.layers:
        if _is_network(layer):
            yield from (([layer.name, *names], inside) for names, inside in _all_layers(layer))
        else:
            yield [layer.name], layer


def _is_network(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.Model) and bool(getattr(layer, "inputs", None))


def _shape(layer: keras.layers.Layer) -> tuple[int | None, ...]:
    """Return the shape of a layer's output; of several outputs an empty one."""
    return getattr(layer.output, "shape", ())


def reinitialise(model: keras.Model, layers: Sequence[str], seed: int) -> keras.Model:
    """Return a copy of a network in which some layers have never learned anything.

    Parameters
    ----------
    model : keras.Model
        The trained network.
    layers : sequence of str
        Beginnings of layers' names: "stage_3" stands for the whole stage. The layers of a network in the
        network count as its own, and its name stands for all of them.
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
    For the cascade of Adebayo et al. (2018), from the head downwards. Used in lesson 7.1.
    """
    copy = keras.models.clone_model(model)
    found = {name: None for names, _ in _all_layers(model) for name in names}
    if strangers := [start for start in layers if not any(name.startswith(start) for name in found)]:
        raise ValueError(f"no layer of {model.name} begins with {strangers[0]!r}; it has {list(found)}")
    random = np.random.default_rng(seed)
    for (names, learned), (_, layer) in zip(_all_layers(model), _all_layers(copy), strict=True):
        if not any(name.startswith(tuple(layers)) for name in names):
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

"""What the diagrams of networks read from a Keras model, without loading Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import keras

KINDS: Final = {
    "Conv2D": "convolution",
    "MaxPooling2D": "max pooling",
    "AveragePooling2D": "average pooling",
    "GlobalAveragePooling2D": "global average pooling",
    "Flatten": "flatten",
    "Dense": "dense",
}
"""What the layers are called; any other keeps the name of its Keras class."""


class Row(NamedTuple):
    """A layer that changes the shape or holds weights, with those behind it that do neither or normalise."""

    name: str
    kind: str
    shape: tuple[int, ...]
    weights: int

    def values(self) -> str:
        """Write what comes out of it: side × side × maps, or a number of values."""
        return shape_in_words(self.shape)


def shape_in_words(shape: tuple[int, ...]) -> str:
    """Write a shape without the batch's axis."""
    if len(shape) > 1:
        return " × ".join(f"{length:,}" for length in shape)
    return f"{shape[0]:,} value{'' if shape[0] == 1 else 's'}"


def _window(layer: Any) -> tuple[int, int] | None:
    """Size of a layer's kernel or pooling window; none of any other layer."""
    return getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)


def kind_of(layer: Any) -> str:
    """Name a layer's kind, with the size of its kernel or window."""
    name = type(layer).__name__
    size = _window(layer)
    words = KINDS.get(name, name)
    return f"{words} {size[0]} × {size[1]}" if size else words


def input_shape(model: keras.Model) -> tuple[int, ...]:
    """Shape of what the model takes, without the batch's axis."""
    return tuple(model.inputs[0].shape[1:])


def table(model: keras.Model) -> list[Row]:
    """List the layers that change the shape or hold weights; a batch normalisation counts with its layer."""
    rows: list[Row] = []
    shape = input_shape(model)
    for layer in model.layers:
        if type(layer).__name__ == "InputLayer":
            continue
        out, weights = tuple(layer.output.shape[1:]), layer.count_params()
        if type(layer).__name__ == "BatchNormalization" and rows:
            rows[-1] = rows[-1]._replace(
                kind=f"{rows[-1].kind} + batch norm", weights=rows[-1].weights + weights
            )
        elif weights or out != shape:
            rows.append(Row(layer.name, kind_of(layer), out, weights))
        shape = out
    return rows


class Place(NamedTuple):
    """What one place of the last layer of some size has seen of the picture."""

    name: str
    side: int
    maps: int
    field: int
    convolutions: int


def places(model: keras.Model) -> list[Place]:
    """Follow the receptive field through the layers, as far as there are places; one entry for each size.

    Layers count in the order of the model, one behind the other, which gives the longest way through a
    residual stage.
    """
    found: list[Place] = []
    field = step = 1
    convolutions = 0
    for layer in model.layers:
        size = _window(layer)
        shape = tuple(layer.output.shape[1:])
        if type(layer).__name__ == "InputLayer" or size is None:
            if len(shape) < 3:
                break
            continue
        field, step = field + (size[0] - 1) * step, step * layer.strides[0]
        convolutions += type(layer).__name__ == "Conv2D"
        place = Place(layer.name, shape[0], shape[2], field, convolutions)
        if found and found[-1].side == place.side:
            found[-1] = place
        else:
            found.append(place)
    return found

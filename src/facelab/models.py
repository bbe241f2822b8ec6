"""The networks of chapters 3 and 4: functions that return uncompiled Keras models on pixels in [0, 1].

Two networks are public as tables of layers, without scores, in the README of a student project named
"Gender-Age-detection" on Adience; the tables stop before their end. What a table states is built row by row;
what we add so that the network predicts anything is named ``ours_…``. The tables give no
activations and no rates of dropout either: ReLU, and the two rates below, are our choice as well.
"""

from collections.abc import Sequence
from typing import Final, Literal

import pandas as pd

from facelab.adience import AGE_GROUPS
from facelab.backend import keras, layers
from facelab.pipeline import PixelContract

__all__ = ["HEADS", "add_heads", "age_network", "gender_cnn", "layer_table", "strided_network"]

_AFTER_CONVOLUTION: Final = 0.25
"""Share of the values dropped between convolutions."""

_AFTER_DENSE: Final = 0.5
"""Share of the values dropped after a dense layer."""

HEADS: Final = ("gender", "age")
"""What a network can say of a face."""


def gender_cnn(head: Literal["published", "pooled"] = "published") -> keras.Model:
    """Build the published gender network, or the same convolutions under a lighter head.

    Parameters
    ----------
    head : {"published", "pooled"}
        ``"published"``: the table's own end, a dense layer of 2,304 units that holds 13.4 of the network's
        13.5 million weights. ``"pooled"``: global average pooling in its place, 93,937 weights in all.

    Returns
    -------
    keras.Model
        From float32 images in [0, 1], shape (n, 48, 48, 1), to the probability of the label m, float32,
        shape (n, 1). Not compiled.

    Raises
    ------
    ValueError
        If there is no such head.

    Notes
    -----
    The table ends at the dense layer. We complete it with dropout and one sigmoid unit. Built in lesson 3.1.

    Examples
    --------
    >>> gender_cnn("published").count_params(), gender_cnn("pooled").count_params()
    (13535401, 93937)
    """
    if head not in ("published", "pooled"):
        raise ValueError(f"there is no head {head!r}: choose 'published' or 'pooled'")
    x = images = keras.Input((48, 48, 1), name="images")
    x = layers.Conv2D(36, 3, activation="relu", name="conv_1")(x)
    x = layers.Conv2D(48, 3, activation="relu", name="conv_2")(x)
    x = layers.MaxPooling2D(name="max_pool_1")(x)
    x = layers.Dropout(_AFTER_CONVOLUTION, name="dropout_1")(x)
    x = layers.Conv2D(72, 3, activation="relu", name="conv_3")(x)
    x = layers.Conv2D(72, 3, activation="relu", name="conv_4")(x)
    x = layers.MaxPooling2D(name="max_pool_2")(x)
    x = layers.Dropout(_AFTER_CONVOLUTION, name="dropout_2")(x)
    if head == "published":
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(2304, activation="relu", name="dense_1")(x)
    else:
        x = layers.GlobalAveragePooling2D(name="ours_global_pool")(x)
    x = layers.Dropout(_AFTER_DENSE, name="ours_dropout")(x)
    x = layers.Dense(1, activation="sigmoid", name="ours_gender")(x)
    return keras.Model(images, x, name=f"gender_cnn_{head}")


def age_network(momentum: float = 0.99) -> keras.Model:
    """Build the published age network.

    Parameters
    ----------
    momentum : float in [0, 1)
        How much of the running mean and variance each batch normalisation keeps from one batch to the next.
        Keras's own 0.99 needs some hundreds of batches to catch up with the weights.

    Returns
    -------
    keras.Model
        From float32 images in [0, 1], shape (n, 48, 48, 1), to the probabilities of the eight age groups,
        float32, shape (n, 8). Not compiled.

    Notes
    -----
    The table ends at the dense layer of 64 units. We complete it with batch normalisation, dropout and eight
    softmax units. Built in lesson 4.2.

    Examples
    --------
    >>> age_network().output_shape
    (None, 8)
    """
    x = images = keras.Input((48, 48, 1), name="images")
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_1")(x)
    x = layers.BatchNormalization(momentum=momentum, name="batch_norm_1")(x)
    x = layers.MaxPooling2D(name="max_pool_1")(x)
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = layers.Flatten(name="flatten")(x)  # changes nothing after a global average; the table has it
    x = layers.Dense(128, activation="relu", name="dense_1")(x)
    x = layers.BatchNormalization(momentum=momentum, name="batch_norm_2")(x)
    x = layers.Dropout(_AFTER_DENSE, name="dropout_1")(x)
    x = layers.Dense(64, activation="relu", name="dense_2")(x)
    x = layers.BatchNormalization(momentum=momentum, name="ours_batch_norm")(x)
    x = layers.Dropout(_AFTER_DENSE, name="ours_dropout")(x)
    x = layers.Dense(len(AGE_GROUPS), activation="softmax", name="ours_age")(x)
    return keras.Model(images, x, name="age_network")


def strided_network(
    contract: PixelContract,
    heads: Sequence[str] = ("age",),
    filters: tuple[int, int, int, int] = (24, 48, 96, 192),
) -> keras.Model:
    """Build the mended network: strided convolutions instead of one convolution and an average.

    Parameters
    ----------
    contract : PixelContract
        Side and channels of the images.
    heads : sequence of "gender" and "age"
        What it is to say; several heads share all but their last layer.
    filters : tuple of 4 int
        How many maps the first convolution and the three stages have.

    Returns
    -------
    keras.Model
        From float32 images in [0, 1], shape (n, side, side, channels), to the probability of the label m,
        shape (n, 1), or those of the age groups, shape (n, 8); with two heads to a dict of both. 0.66 million
        weights, with the filters of lesson 5.1 0.84 million. Not compiled.

    Raises
    ------
    ValueError
        If a head is unknown or named twice, or there is none.

    Notes
    -----
    The first layer gives each photograph mean 0 and deviation 1, so that exposure and contrast do not matter
    and no caller can forget it. Then a 5×5 convolution of stride 2 and three stages of a strided 3×3 and a
    residual 3×3 (He et al., 2016). Built in lesson 4.3.

    Examples
    --------
    >>> network = strided_network(PixelContract(), ("gender", "age"))
    >>> {head: output.shape for head, output in network.output.items()}
    {'gender': (None, 1), 'age': (None, 8)}
    """
    images = keras.Input((contract.side, contract.side, contract.channels), name="images")
    # The deviation of an image without contrast is not 0 but half a step of 8-bit pixels.
    standardise = layers.LayerNormalization(
        axis=(1, 2, 3), center=False, scale=False, epsilon=(0.5 / 255) ** 2, name="standardise"
    )
    x = _convolution(standardise(images), filters[0], 5, strides=2, name="stem")
    for stage, number in enumerate(filters[1:], start=1):
        x = _convolution(x, number, 3, strides=2, name=f"stage_{stage}_strided")
        residual = _convolution(x, number, 3, strides=1, name=f"stage_{stage}_residual")
        x = layers.Add(name=f"stage_{stage}")([x, residual])
    x = layers.GlobalAveragePooling2D(name="global_pool")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(images, add_heads(x, heads), name="strided_network")


def add_heads(
    features: keras.KerasTensor, heads: Sequence[str]
) -> keras.KerasTensor | dict[str, keras.KerasTensor]:
    """Add one last layer for each head to features.

    Parameters
    ----------
    features : symbolic tensor, shape (n, features)
        What the last layers see.
    heads : sequence of "gender" and "age"
        What the network predicts.

    Returns
    -------
    symbolic tensor, or a dict of them
        The probability of the label m, shape (n, 1), or those of the age groups, shape (n, 8); with two heads
        a dict of both.

    Raises
    ------
    ValueError
        If a head is unknown or named twice, or there is none.

    Notes
    -----
    What :func:`strided_network` and :func:`facelab.transfer.transfer_network` end with. Used by
    tools.pretrain.
    """
    if not heads or len(set(heads)) < len(heads) or not set(heads) <= set(HEADS):
        raise ValueError(f"heads are some of {HEADS}, each once, not {tuple(heads)}")
    ends = {
        "gender": layers.Dense(1, activation="sigmoid", name="gender"),
        "age": layers.Dense(len(AGE_GROUPS), activation="softmax", name="age"),
    }
    outputs = {head: ends[head](features) for head in heads}
    return outputs if len(heads) > 1 else outputs[heads[0]]


def layer_table(model: keras.Model) -> pd.DataFrame:
    """Tabulate the layers of a model, its input left out.

    Parameters
    ----------
    model : keras.Model
        A functional or sequential model that is built.

    Returns
    -------
    DataFrame
        One row a layer: ``layer``, its name; ``kind``, its Keras class; ``output shape``, without the batch's
        axis; ``weights``, how many numbers it holds, those that training does not change included.

    Notes
    -----
    Used in lesson 4.2.

    Examples
    --------
    >>> layer_table(gender_cnn("pooled")).tail(2)
               layer     kind output shape  weights
    9   ours_dropout  Dropout        (72,)        0
    10   ours_gender    Dense         (1,)       73
    """
    rows = [
        (layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
        if not isinstance(layer, layers.InputLayer)
    ]
    return pd.DataFrame(rows, columns=["layer", "kind", "output shape", "weights"])


def _convolution(x: keras.KerasTensor, filters: int, size: int, strides: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False, name=name)(x)
    # Keras's own momentum of 0.99 lags behind so short a training.
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)

"""The networks that the tools train, and one way to train them."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Four times faster on processors without AVX-512; repeatable enough for a measurement.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

tf.get_logger().setLevel("ERROR")  # retracing is expected: each network is trained once

GROUPS = 8
BATCH = 64
NEIGHBOUR = 0.15  # share of an age target that goes to each neighbouring group


def yardstick(side: int, channels: int) -> keras.Model:
    """Small strided network for both tasks: 0.66 million weights.

    A 5×5 convolution of stride 2, then three stages of a strided 3×3 and a residual 3×3.
    """
    inputs = keras.Input((side, side, channels))
    x = _convolution(inputs, 24, 5, strides=2)
    for filters in (48, 96, 192):
        x = _convolution(x, filters, 3, strides=2)
        x = layers.add([x, _convolution(x, filters, 3)])
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, _heads(x), name="yardstick")


def linear(side: int, channels: int) -> keras.Model:
    """Logistic regression on pixels, for both tasks."""
    inputs = keras.Input((side, side, channels))
    return keras.Model(inputs, _heads(layers.Flatten()(inputs)), name="linear")


def published_gender() -> keras.Model:
    """Build the published gender network for 48×48 grey: 13.5 million weights, 13.4 of them in one layer."""
    inputs = x = keras.Input((48, 48, 1))
    for filters in ((36, 48), (72, 72)):
        for count in filters:
            x = layers.Conv2D(count, 3, activation="relu")(x)
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))
    x = layers.Dense(2304, activation="relu")(layers.Flatten()(x))
    output = layers.Dense(1, activation="sigmoid", name="gender")(layers.Dropout(0.5)(x))
    return keras.Model(inputs, {"gender": output}, name="published_gender")


def _convolution(x: keras.KerasTensor, filters: int, size: int, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    # The default momentum of 0.99 lags behind so short a training.
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))


def _heads(x: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
    return {
        "gender": layers.Dense(1, activation="sigmoid", name="gender")(x),
        "age": layers.Dense(GROUPS, activation="softmax", name="age")(x),
    }


def soft_targets(group: np.ndarray) -> np.ndarray:
    """Targets over the eight groups that leave something to the neighbours.

    Parameters
    ----------
    group : int array, shape (n,)

    Returns
    -------
    float32 array, shape (n, 8)
        Rows sum to 1.
    """
    distance = np.abs(np.arange(GROUPS) - np.asarray(group)[:, None])
    targets = np.where(distance == 0, 1 - 2 * NEIGHBOUR, np.where(distance == 1, NEIGHBOUR, 0.0))
    return (targets / targets.sum(axis=1, keepdims=True)).astype(np.float32)


def standardised(pixels: tf.Tensor) -> tf.Tensor:
    """Give each photograph mean 0 and deviation 1, so that exposure and contrast do not matter."""
    return tf.image.per_image_standardization(tf.cast(pixels, tf.float32))


def _augmented(pixels: tf.Tensor) -> tf.Tensor:
    """Flip, shift (8 % of the side), scale (12 %), turn (6°) and change the tone curve of a batch."""
    count, side = tf.shape(pixels)[0], tf.cast(tf.shape(pixels)[1], tf.float32)

    def uniform(low: float, high: float) -> tf.Tensor:
        return tf.random.uniform([count], low, high)

    scale, angle = uniform(0.88, 1.12), uniform(-0.1, 0.1)
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    flip = tf.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    middle = (side - 1) / 2
    shift_x, shift_y = middle + side * uniform(-0.08, 0.08), middle + side * uniform(-0.08, 0.08)
    zero = tf.zeros_like(scale)
    transform = [flip * cosine, -sine, shift_x - middle * (flip * cosine - sine)]
    transform += [flip * sine, cosine, shift_y - middle * (flip * sine + cosine), zero, zero]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(pixels, tf.float32),
        transforms=tf.stack(transform, axis=1),
        output_shape=tf.shape(pixels)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    gamma = tf.exp(uniform(-0.4, 0.4))[:, None, None, None]
    return (moved / 255) ** gamma * 255


def train(
    model: keras.Model,
    pixels: np.ndarray,
    male: np.ndarray,
    group: np.ndarray,
    *,
    steps: int,
    rate: float = 2e-3,
    augment: bool = True,
) -> None:
    """Train a network in place with AdamW and a cosine decay.

    Parameters
    ----------
    model : keras.Model
        With outputs ``gender`` and ``age``, or ``gender`` alone.
    pixels : uint8 array, shape (n, side, side, channels)
    male : bool array, shape (n,)
    group : int array, shape (n,)
        0 to 7.
    steps : int
        Batches of 64.
    rate : float
        Greatest learning rate.
    augment : bool
        Whether to flip, shift, scale, turn and change the tones.
    """
    targets = {"gender": male.astype(np.float32)[:, None], "age": soft_targets(group)}
    targets = {name: targets[name] for name in model.output_names}

    def prepared(batch: tf.Tensor, wanted: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return standardised(_augmented(batch) if augment else batch), wanted

    batches = tf.data.Dataset.from_tensor_slices((pixels, targets)).shuffle(len(pixels)).repeat().batch(BATCH)
    batches = batches.map(prepared, num_parallel_calls=2).prefetch(4)
    decay = keras.optimizers.schedules.CosineDecay(
        rate / 20, steps, warmup_target=rate, warmup_steps=steps // 20
    )
    losses = {"gender": "binary_crossentropy", "age": "categorical_crossentropy"}
    model.compile(
        optimizer=keras.optimizers.AdamW(decay, weight_decay=0.02),
        loss={name: losses[name] for name in targets},
    )
    model.fit(batches, epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0)


def predict(model: keras.Model, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Predict what a network says of photographs.

    Returns
    -------
    dict of float arrays
        ``gender``, the probability of m, shape (n,); and, where the network gives it, ``age``, shape (n, 8).
    """
    batches = tf.data.Dataset.from_tensor_slices(pixels).batch(256).map(standardised)
    outputs = model.predict(batches, verbose=0)
    return {name: values[:, 0] if name == "gender" else values for name, values in outputs.items()}

"""Varying photographs so that a network does not memorise them.

Each function takes a whole batch and a seed, and is a few
operations on the batch as one tensor: one call a photograph would cost more than the arithmetic.
"""

import math
from typing import Final

from facelab.backend import tf

SHIFT: Final = 0.08
"""How far :func:`move` shifts a photograph at most, as a share of its side."""

TURN: Final = 10.0
"""How far :func:`move` turns it at most, in degrees."""

ZOOM: Final = 0.1
"""By what share :func:`move` makes it larger or smaller at most."""

CONTRAST: Final = 0.3
"""By what share :func:`change_contrast` raises or lowers the contrast at most."""

ERASED: Final = (0.1, 0.4)
"""The sides of what :func:`erase` covers, as shares of the photograph's: the least and the most."""


def flip(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirror each photograph with probability 1/2, left to right.

    Parameters
    ----------
    images, seed
        As for :func:`augment`.

    Returns
    -------
    float32 tensor
        As :func:`augment` returns it.

    Notes
    -----
    Built in lesson 2.4.

    Examples
    --------
    >>> picture = tf.constant([[[[0.0], [1.0]]]])
    >>> sorted({str(flip(picture, tf.constant([0, number])).numpy().ravel()) for number in range(20)})
    ['[0. 1.]', '[1. 0.]']
    """
    heads = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed) < 0.5
    return tf.where(heads, tf.reverse(images, axis=[2]), images)


def move(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shift each photograph by up to ``SHIFT``, turn it by up to ``TURN`` and zoom it by up to ``ZOOM``.

    Parameters
    ----------
    images, seed
        As for :func:`augment`.

    Returns
    -------
    float32 tensor
        As :func:`augment` returns it.

    Notes
    -----
    What comes into view is the photograph mirrored at its edge.
    All three are one projection, so the pixels are interpolated once. Built in lesson 2.4.
    """
    number, side = tf.shape(images)[0], tf.cast(tf.shape(images)[1], tf.float32)
    amount = tf.random.stateless_uniform([4, number], seed, -1.0, 1.0)
    right, down = SHIFT * side * amount[0], SHIFT * side * amount[1]
    angle, scale = math.radians(TURN) * amount[2], 1 / (1 + ZOOM * amount[3])
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    # Where in the old photograph each pixel of the new one comes from, with the middle as the fixed point.
    middle = (side - 1) / 2
    x = middle - cosine * (middle + right) + sine * (middle + down)
    y = middle - sine * (middle + right) - cosine * (middle + down)
    zero = tf.zeros_like(x)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([cosine, -sine, x, sine, cosine, y, zero, zero], axis=1),
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    return tf.ensure_shape(moved, images.shape)


def change_contrast(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Stretch or squeeze each photograph's values about their mean, by up to ``CONTRAST``.

    Parameters
    ----------
    images, seed
        As for :func:`augment`.

    Returns
    -------
    float32 tensor
        As :func:`augment` returns it.

    Notes
    -----
    Built in lesson 2.4.
    """
    factor = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed, 1 - CONTRAST, 1 + CONTRAST)
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    return tf.clip_by_value(mean + factor * (images - mean), 0.0, 1.0)


def erase(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Cover a random rectangle of each photograph with its mean, with probability 1/2.

    Parameters
    ----------
    images, seed
        As for :func:`augment`.

    Returns
    -------
    float32 tensor
        As :func:`augment` returns it.

    Notes
    -----
    Zhong et al. (2020), random erasing. Built in lesson 2.4.
    """
    number, side = tf.shape(images)[0], tf.shape(images)[1]
    chance, height, width, top, left = tf.unstack(tf.random.stateless_uniform([5, number, 1, 1, 1], seed))
    height, width = (ERASED[0] + (ERASED[1] - ERASED[0]) * share for share in (height, width))
    top, left = top * (1 - height), left * (1 - width)
    place = (tf.range(side, dtype=tf.float32) + 0.5) / tf.cast(side, tf.float32)
    row, column = place[:, None, None], place[None, :, None]
    covered = (chance < 0.5) & (top < row) & (row < top + height) & (left < column) & (column < left + width)
    return tf.where(covered, tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True), images)


def augment(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Vary photographs in ways that leave age and gender what they are.

    Parameters
    ----------
    images : float32 tensor, shape (batch, side, side, channels)
        Values in [0, 1].
    seed : int32 tensor, shape (2,)
        The same seed gives the same variation.

    Returns
    -------
    float32 tensor of the same shape
        Values in [0, 1].

    Notes
    -----
    :func:`flip`, :func:`move`, :func:`change_contrast` and :func:`erase`, in this order. Built in lesson 2.4.
    """
    ways = (flip, move, change_contrast, erase)
    for vary, own_seed in zip(ways, tf.unstack(tf.random.split(seed, len(ways))), strict=True):
        images = vary(images, own_seed)
    return images

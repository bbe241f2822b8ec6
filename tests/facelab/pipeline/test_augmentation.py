from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from facelab import pipeline
from facelab.backend import tf
from tests.facelab.pipeline.conftest import scene

SEED = tf.constant([3, 4])
WAYS = [
    pipeline.flip,
    pipeline.move,
    pipeline.change_contrast,
    pipeline.erase,
    pipeline.augment,
]


@pytest.fixture(scope="module")
def images() -> tf.Tensor:
    pixels = [np.asarray(scene(number, 24, 24)) for number in range(64)]
    return tf.constant(np.stack(pixels) / 255, tf.float32)


@pytest.mark.parametrize("vary", WAYS)
def test_augmentation_keeps_shape_and_range_and_follows_the_seed(
    images: tf.Tensor, vary: Callable[..., tf.Tensor]
) -> None:
    varied = vary(images, SEED).numpy()
    assert (varied.shape, varied.dtype) == (images.shape, np.float32)
    assert 0 <= varied.min() < varied.max() <= 1
    assert np.array_equal(varied, vary(images, SEED))
    assert not np.array_equal(varied, vary(images, SEED + 1))
    changed = (varied != images.numpy()).any(axis=(1, 2, 3)).mean()
    assert changed > (0.25 if vary in (pipeline.flip, pipeline.erase) else 0.99)


@pytest.mark.parametrize("vary", WAYS)
def test_a_photograph_stays_itself(images: tf.Tensor, vary: Callable[..., tf.Tensor]) -> None:
    """Each varied photograph, or its mirror image, is most like the one that it was made of."""

    def standard(pixels: np.ndarray) -> np.ndarray:
        flat = pixels.reshape(len(pixels), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)

    varied = standard(vary(images, SEED).numpy())
    whole = images.numpy()
    likeness = np.maximum(varied @ standard(whole).T, varied @ standard(whole[:, :, ::-1]).T)
    assert (likeness.argmax(axis=1) == np.arange(len(whole))).mean() > 0.95


def test_flip_mirrors_left_and_right(images: tf.Tensor) -> None:
    flipped, whole = pipeline.flip(images, SEED).numpy(), images.numpy()
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipped, whole, strict=True)]
    kept = [np.array_equal(a, b) for a, b in zip(flipped, whole, strict=True)]
    assert [a != b for a, b in zip(mirrored, kept, strict=True)] == [True] * 64
    assert 16 < sum(mirrored) < 48


def test_move_goes_no_further_than_it_says() -> None:
    """A spot in the middle is shifted only, since turn and zoom leave the middle where it is."""
    side = 41
    spot = np.zeros((200, side, side, 1), np.float32)
    spot[:, 18:23, 18:23] = 1
    moved = pipeline.move(tf.constant(spot), SEED).numpy()[..., 0]
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    centre = (moved[:, None] * places).sum(axis=(2, 3)) / moved.sum(axis=(1, 2))[:, None]
    shift = np.abs(centre - side // 2)
    assert 0.8 * 0.08 * side < shift.max() < 0.08 * side + 0.5
    size = np.sqrt(moved.sum(axis=(1, 2)) / 25)
    assert 0.88 < size.min() < 0.95
    assert 1.05 < size.max() < 1.12


def test_erase_covers_a_rectangle_with_the_mean(images: tf.Tensor) -> None:
    erased = pipeline.erase(images, SEED).numpy()
    changed = (erased != images.numpy()).any(axis=-1)
    covered = [number for number in range(64) if changed[number].any()]
    assert 16 < len(covered) < 48
    for number in covered:
        rows, columns = np.nonzero(changed[number])
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert changed[number].sum() > 0.95 * height * width
        assert max(height, width) <= 0.4 * 24 + 1
        np.testing.assert_allclose(erased[number][changed[number]], images[number].numpy().mean(), atol=1e-6)

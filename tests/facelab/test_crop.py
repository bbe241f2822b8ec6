"""The transform of two eyes, and the cut that it makes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facelab import crop

NOMINAL = crop.Eyes(*((96 * x, 96 * y) for x, y in crop.EYES))
COORDINATE = st.floats(-500, 4000)


@given(
    x=COORDINATE, y=COORDINATE, across=st.floats(5, 900), turn=st.floats(-3.1, 3.1), side=st.integers(8, 300)
)
def test_the_eyes_come_to_their_place_and_the_shape_stays(
    x: float, y: float, across: float, turn: float, side: int
) -> None:
    eyes = crop.Eyes((x, y), (x + across * np.cos(turn), y + across * np.sin(turn)))
    matrix = crop.similarity(eyes, side)
    for eye, place in zip(eyes, crop.EYES, strict=True):
        assert matrix @ (*eye, 1) == pytest.approx(np.multiply(side, place), abs=1e-6 * side)
    (a, b), (c, d) = matrix[:, :2]
    assert (a, b) == pytest.approx((d, -c))  # turned and scaled evenly, not mirrored
    assert a * d - b * c > 0


def test_a_margin_shows_more_around_the_same_middle() -> None:
    narrow, wide = crop.similarity(NOMINAL, 96), crop.similarity(NOMINAL, 96, margin=0.25)
    middle = (48, 48, 1)
    assert wide @ middle == pytest.approx(narrow @ middle)
    assert wide[0, 0] == pytest.approx(narrow[0, 0] / 1.5)


@pytest.mark.parametrize(
    ("eyes", "side", "margin"),
    [
        (crop.Eyes((5, 5), (5, 5)), 96, 0.0),
        (crop.Eyes((5, 5), (float("nan"), 5)), 96, 0.0),
        (NOMINAL, 0, 0.0),
        (NOMINAL, 96, -0.5),
    ],
)
def test_what_makes_no_crop_is_refused(eyes: crop.Eyes, side: int, margin: float) -> None:
    with pytest.raises(ValueError, match=r"two points|side is at least 1"):
        crop.cut(Image.new("L", (96, 96)), eyes, side, margin)


@pytest.fixture
def picture() -> Image.Image:
    rng = np.random.default_rng(3)
    return Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))


def test_a_crop_with_the_eyes_in_place_is_cut_to_itself(picture: Image.Image) -> None:
    assert np.array_equal(crop.cut(picture, NOMINAL), picture)


def test_a_shift_by_whole_pixels_moves_them_and_repeats_the_border(picture: Image.Image) -> None:
    moved = crop.Eyes(*((x + 10, y) for x, y in NOMINAL))
    pixels = np.asarray(picture)
    expected = np.concatenate([pixels[:, 10:], np.repeat(pixels[:, -1:], 10, axis=1)], axis=1)
    assert np.array_equal(crop.cut(picture, moved), expected)


def test_a_turned_face_becomes_upright(picture: Image.Image) -> None:
    turned = picture.transpose(Image.Transpose.ROTATE_180)
    eyes = crop.Eyes(*((96 - x, 96 - y) for x, y in NOMINAL))
    assert np.allclose(np.asarray(crop.cut(turned, eyes), int), np.asarray(picture, int), atol=1)


def test_a_large_face_is_averaged_and_not_sampled() -> None:
    checks = np.indices((960, 960)).sum(axis=0) % 2 * 255
    eyes = crop.Eyes(*((10 * x, 10 * y) for x, y in NOMINAL))
    cut = np.asarray(crop.cut(Image.fromarray(checks.astype(np.uint8)), eyes), int)
    assert cut.shape == (96, 96)
    assert abs(cut[1:-1, 1:-1] - 127.5).max() <= 1  # over the border, its pixels are repeated


@pytest.mark.parametrize(("mode", "kept"), [("L", "L"), ("RGB", "RGB"), ("RGBA", "RGB"), ("P", "RGB")])
def test_grey_stays_grey_and_all_else_becomes_rgb(mode: str, kept: str) -> None:
    assert crop.cut(Image.new(mode, (96, 96)), NOMINAL, side=24).mode == kept

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from facesim.face import Face
from facesim.photograph import SIZE, SUPERSAMPLING, background, develop

FRAME = SIZE * SUPERSAMPLING


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """A rendered frame: a speckled, reddish ball before nothing."""
    y, x = np.mgrid[0:FRAME, 0:FRAME] / FRAME - 0.5
    ball = (x**2 + y**2 < 0.16).astype(np.float32)
    speckles = 0.1 + 0.3 * np.random.default_rng(0).random((SIZE, SIZE)).repeat(SUPERSAMPLING, 0).repeat(
        SUPERSAMPLING, 1
    )
    colour = np.stack([1.5 * speckles, speckles, speckles], axis=-1)
    return np.dstack([colour * ball[..., None], ball]).astype(np.float32)


def array(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(np.float64)


def detail(image: Image.Image, axis: int) -> float:
    """Mean difference of neighbours along an axis, inside the ball."""
    return float(np.abs(np.diff(array(image)[24:72, 24:72], axis=axis)).mean())


def test_a_photograph_is_a_small_colour_image(pixels: np.ndarray, adult: Face) -> None:
    image = develop(pixels, adult, seed=1)
    assert (image.size, image.mode) == ((SIZE, SIZE), "RGB")
    assert np.ptp(np.asarray(image)) > 50


def test_the_seed_decides_the_noise_and_nothing_else_does(pixels: np.ndarray, adult: Face) -> None:
    noisy = replace(adult, noise=0.03)
    assert develop(pixels, noisy, 1).tobytes() == develop(pixels, noisy, 1).tobytes()
    assert develop(pixels, noisy, 1).tobytes() != develop(pixels, noisy, 2).tobytes()
    assert develop(pixels, adult, 1).tobytes() == develop(pixels, adult, 2).tobytes()


def test_noise_is_as_strong_as_it_says(adult: Face) -> None:
    grey = np.full((FRAME, FRAME, 4), 0.25, np.float32)
    grey[..., 3] = 1.0
    for noise in (0.01, 0.04):
        spread = array(develop(grey, replace(adult, noise=noise), 3)).std() / 255
        assert spread == pytest.approx(noise, rel=0.15)


def test_exposure_brightens_every_pixel_and_contrast_pulls_them_apart(
    pixels: np.ndarray, adult: Face
) -> None:
    plain = array(develop(pixels, adult, 0))
    bright = array(develop(pixels, replace(adult, exposure=0.7), 0))
    assert (bright >= plain).all()
    assert bright.mean() > plain.mean() + 15
    assert array(develop(pixels, replace(adult, contrast=1.4), 0)).std() > 1.2 * plain.std()


def test_a_mirrored_photograph_is_the_mirror_image(pixels: np.ndarray, adult: Face) -> None:
    noisy = replace(adult, noise=0.02)
    plain, mirrored = develop(pixels, noisy, 0), develop(pixels, replace(noisy, mirrored=True), 0)
    assert (array(mirrored) == array(plain)[:, ::-1]).all()
    assert (array(mirrored) != array(plain)).any()


def test_without_saturation_it_is_grey(pixels: np.ndarray, adult: Face) -> None:
    assert np.ptp(array(develop(pixels, replace(adult, saturation=0.0), 0)), axis=2).max() <= 1
    assert np.ptp(array(develop(pixels, adult, 0)), axis=2).max() > 20


def test_blur_takes_detail_away_and_a_shaken_camera_only_along_its_way(
    pixels: np.ndarray, adult: Face
) -> None:
    sharp, soft = (develop(pixels, replace(adult, blur_px=blur), 0) for blur in (0.2, 1.8))
    assert max(detail(soft, axis) / detail(sharp, axis) for axis in (0, 1)) < 0.6
    for clothes, along in ((0, 0), (1, 1)):
        shaken = develop(pixels, replace(adult, blur_px=0.2, motion_px=2.0, clothes=clothes), 0)
        lost = [detail(shaken, axis) / detail(sharp, axis) for axis in (0, 1)]
        assert lost[along] < 0.75 * lost[1 - along]


def test_a_sharpening_camera_adds_detail(pixels: np.ndarray, adult: Face) -> None:
    soft, sharpened = (develop(pixels, replace(adult, blur_px=0.8, sharpening=s), 0) for s in (0.0, 1.5))
    assert min(detail(sharpened, axis) / detail(soft, axis) for axis in (0, 1)) > 1.2


def test_the_background_shows_only_where_nothing_covers_it(pixels: np.ndarray, adult: Face) -> None:
    one, other = (array(develop(pixels, replace(adult, background=seed), 0)) for seed in (1, 8))
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE - 0.5
    radius = np.hypot(x, y)
    assert (one[radius < 0.36] == other[radius < 0.36]).all()
    assert np.abs(one - other)[radius > 0.45].mean() > 3


def test_a_place_looks_the_same_again_and_no_two_places_look_alike(adult: Face) -> None:
    places = [background(replace(adult, background=seed)) for seed in range(30)]
    assert all(
        np.isfinite(place).all() and place.min() >= 0 and place.shape == (SIZE, SIZE, 3) for place in places
    )
    assert (places[3] == background(replace(adult, background=3))).all()
    means = {tuple(place.mean(axis=(0, 1)).round(6)) for place in places}
    assert len(means) == len(places)
    assert sum(place.std(axis=(0, 1)).max() > 0.02 for place in places) > 15  # not only walls


def test_the_camera_stands_elsewhere_in_a_place_for_another_photograph(adult: Face) -> None:
    moved = [
        np.abs(
            background(replace(adult, background=seed))
            - background(replace(adult, background=seed, clothes=2))
        )
        for seed in range(30)
    ]
    assert sum(difference.max() > 0.01 for difference in moved) > 10

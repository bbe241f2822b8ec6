"""One call from a photograph to an answer: what is refused, and what the interval promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from facelab import adience, embedded, pipeline
from facelab.answer import (
    AGE_LIMITS,
    NEIGHBOUR,
    Settings,
    age_interval,
    album_quantile,
    answer,
    distance,
    interval_score,
    pixels,
)
from facelab.crop import Eyes
from facelab.photo import Face

CONTRACT = pipeline.PixelContract(16, 3)
SETTINGS = Settings(
    contract=CONTRACT,
    temperature=2.0,
    coverage=0.9,
    level=0.8,
    features=np.eye(NEIGHBOUR, 3, dtype="float32") + 1,
    farthest=0.2,
    least_eyes=10.0,
    greatest_turn=0.15,
    known_failures=["It fails."],
)
GROUPS = np.array([0.1, 0.1, 0.1, 0.1, 0.3, 0.1, 0.1, 0.1])
PHOTOGRAPH = Image.new("RGB", (80, 60), "grey")


def network(features: tuple[float, ...] = (1.0, 1.0, 1.0)):
    """A network that always says the same."""
    return lambda images: {
        "age": np.tile(GROUPS, (len(images), 1)),
        "gender": np.full((len(images), 1), 0.25),
        "features": np.tile(features, (len(images), 1)),
    }


def face(left: float = 30, right: float = 50, box: float = 20) -> Face:
    """A face of width 40 whose box begins at `box`."""
    return Face((box, 10, 40, 40), Eyes((left, 25), (right, 25)), 1.0)


# ---- The call ---------------------------------------------------------------------------------------------


def test_an_answer_has_groups_after_temperature_years_and_gender() -> None:
    found = answer(PHOTOGRAPH, network(), SETTINGS, lambda _: [face()])
    assert not found.why_not
    flattened = np.sqrt(GROUPS) / np.sqrt(GROUPS).sum()  # a temperature of 2
    np.testing.assert_allclose(found.groups, flattened)
    np.testing.assert_allclose(found.years, age_interval(flattened[None], 0.8)[0])
    assert (found.coverage, found.m) == (0.9, 0.25)
    first, last = found.years
    assert f"; {np.floor(first):.0f} to {np.ceil(last):.0f} years (coverage 90%)" in str(found)


@pytest.mark.parametrize(
    ("faces", "features", "why"),
    [
        ([], (1, 1, 1), "there is no face"),
        ([face(35, 44)], (1, 1, 1), "the face is too small: 9 pixels from eye to eye"),
        ([face(22, 36)], (1, 1, 1), "the face is turned away"),
        ([face()], (1, -1, 0), "it is unlike the training data"),
        ([face()], (np.nan, 1, 1), "it is unlike the training data"),  # a damaged file's
    ],
)
def test_it_says_why_it_does_not_answer(faces: list[Face], features: tuple[float, ...], why: str) -> None:
    found = answer(PHOTOGRAPH, network(features), SETTINGS, lambda _: faces)
    assert found.why_not == why
    assert str(found) == f"I do not answer: {why}."
    assert not found.groups
    assert np.isnan(found.m)


def test_probabilities_of_eight_bits_need_not_sum_to_1() -> None:
    def rough(images: np.ndarray) -> dict[str, np.ndarray]:
        return network()(images) | {"age": np.tile(1.02 * GROUPS, (len(images), 1))}

    np.testing.assert_allclose(
        answer(PHOTOGRAPH, rough, SETTINGS).groups, answer(PHOTOGRAPH, network(), SETTINGS).groups
    )


def test_the_network_sees_the_face_and_not_the_photograph() -> None:
    picture = np.zeros((200, 200, 3), "uint8")
    picture[80:130, 80:130] = 255  # around the face only
    seen = []

    def looks(images: np.ndarray) -> dict[str, np.ndarray]:
        seen.append(images)
        return network()(images)

    eyes = Eyes((97.0, 100.0), (113.0, 100.0))
    answer(Image.fromarray(picture), looks, SETTINGS, lambda _: [Face((85, 85, 40, 40), eyes, 1.0)])
    answer(Image.fromarray(picture), looks, SETTINGS)
    assert seen[0].shape == seen[1].shape == (1, 16, 16, 3)
    assert seen[0].mean() > 0.95
    assert seen[1].mean() < 0.1


def test_pixels_are_those_of_the_pipeline() -> None:
    folder = embedded.data_dir()
    table = adience.usable(adience.read_folds(folder), ("path",)).head(40)
    for channels, most in ((3, 2), (1, 8)):
        contract = pipeline.PixelContract(48, channels)
        trained = np.stack(list(pipeline.photographs(table, folder, contract).as_numpy_iterator()))
        asked = np.concatenate([pixels(Image.open(folder / path), contract) for path in table["path"]])
        assert asked.dtype == np.float32
        assert abs(255 * asked - trained).max() <= most + 0.01
        assert abs(255 * asked - trained).mean() < 0.5


# ---- The interval -----------------------------------------------------------------------------------------

rows = st.lists(st.floats(0.001, 1), min_size=8, max_size=8).map(lambda row: np.array([row]) / sum(row))


@given(rows, st.floats(0, 100), st.floats(0.01, 0.99))
def test_an_interval_holds_the_ages_whose_score_is_at_most_its_level(
    y_prob: np.ndarray, age: float, level: float
) -> None:
    first, last = age_interval(y_prob, level)[0]
    score = interval_score(y_prob, [age])[0]
    if abs(score - level) > 1e-6:
        assert (first <= age <= last) == (score < level)


def test_with_level_1_every_age_is_inside() -> None:
    certain = np.eye(8)[:2]
    assert age_interval(certain, 1).tolist() == [[0, 100]] * 2
    assert (AGE_LIMITS[0], AGE_LIMITS[-1]) == (0, 100)
    assert interval_score(certain, [80, 80]).tolist() == [1, 1]


def coverages(find, draws: int = 1500) -> tuple[float, float]:
    """Mean coverage of a random face of a new album, and the mean level, over many sets of 20 albums."""
    random = np.random.default_rng(0)
    held, levels = [], []
    for _ in range(draws):
        sizes = random.choice([1, 2, 5, 200], 20)
        effects = random.normal(size=21)
        album = np.repeat(np.arange(20), sizes)
        scores = 1 / (1 + np.exp(-(effects[album] + 0.3 * random.normal(size=len(album)))))
        level = find(scores, album, 0.9)
        held.append(1 / (1 + np.exp(-(effects[20] + 0.3 * random.normal()))) <= level)
        levels.append(level)
    return float(np.mean(held)), float(np.mean(levels))


def test_a_random_face_of_a_new_album_is_covered_as_stated() -> None:
    coverage, level = coverages(album_quantile)
    assert 0.885 < coverage < 0.955
    assert level < 1


def test_drawing_faces_as_if_they_were_independent_covers_less() -> None:
    def of_faces(scores: np.ndarray, album: np.ndarray, coverage: float) -> float:
        return float(np.quantile(scores, coverage, method="higher"))

    assert coverages(of_faces)[0] < 0.88


def test_too_few_albums_give_every_age() -> None:
    scores, album = np.linspace(0, 0.5, 800), np.repeat(np.arange(8), 100)
    assert album_quantile(scores, album, 0.9) == 1  # nine albums are needed
    assert album_quantile(scores, album, 0.8) < 0.5


def test_what_is_no_coverage_or_level_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1, not 90"):
        album_quantile([0.1], ["a"], 90)
    with pytest.raises(ValueError, match="one entry a face"):
        album_quantile([0.1], ["a", "b"], 0.9)
    with pytest.raises(ValueError, match="a share, not 90"):
        age_interval(GROUPS[None], 90)
    with pytest.raises(ValueError, match="8 age groups"):
        age_interval([[0.5, 0.5]], 0.9)


# ---- Unlike the training data -----------------------------------------------------------------------------


def test_the_distance_is_that_of_the_tenth_neighbour() -> None:
    random = np.random.default_rng(0)
    ours, theirs = random.normal(size=(30, 6)), random.normal(size=(200, 6))
    found = NearestNeighbors(n_neighbors=NEIGHBOUR, metric="cosine").fit(theirs).kneighbors(ours)[0][:, -1]
    np.testing.assert_allclose(distance(ours, theirs), found, atol=1e-5)


def test_too_few_training_faces_are_refused() -> None:
    with pytest.raises(ValueError, match="10 training faces or more are needed, not 9"):
        distance(np.ones((1, 2)), np.ones((9, 2)))


# ---- Settings ---------------------------------------------------------------------------------------------


def test_settings_are_read_as_they_were_written(tmp_path: Path) -> None:
    replace(SETTINGS, farthest=np.float32(0.2)).write(tmp_path)
    found = replace(Settings.read(tmp_path), farthest=0.2)
    np.testing.assert_allclose(found.features, SETTINGS.features, atol=1e-3)
    same = replace(found, features=SETTINGS.features)
    assert all(
        getattr(same, name) == getattr(SETTINGS, name) for name in vars(SETTINGS) if name != "features"
    )


def test_settings_with_other_groups_are_refused(tmp_path: Path) -> None:
    SETTINGS.write(tmp_path)
    file = tmp_path / "settings.json"
    file.write_text(file.read_text(encoding="utf-8").replace("(4, 6)", "(4, 7)"), encoding="utf-8")
    with pytest.raises(ValueError, match="other age groups"):
        Settings.read(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"temperature": 0.0}, "above 0"),
        ({"farthest": float("nan")}, "above 0"),
        ({"coverage": 90.0}, "are shares"),
        ({"features": np.ones((2, 3))}, "10 training faces or more"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(SETTINGS, **wrong)

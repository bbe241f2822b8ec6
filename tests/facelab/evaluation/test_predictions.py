"""Decisions by hand and by their properties, and what a model says of pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelab import evaluation as ev

# ---- Decisions ----


def test_the_two_ways_to_decide_differ_where_the_output_has_two_peaks():
    torn = np.array([[0.4, 0.0, 0.1, 0.2, 0.3, 0, 0, 0]])
    assert ev.expected_group(torn) == pytest.approx([0.2 + 0.6 + 1.2])
    assert ev.decide(torn).tolist() == [0]
    assert ev.decide(torn, "expected").tolist() == [2]


def test_halfway_between_two_groups_is_the_upper_one():
    halves = np.eye(8)[:-1] / 2 + np.eye(8)[1:] / 2
    assert ev.decide(halves, "expected").tolist() == [1, 2, 3, 4, 5, 6, 7]


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=8, max_size=8), min_size=1, max_size=5))
def test_decisions_are_groups_and_the_expected_one_is_nearest(rows):
    probabilities = np.array(rows, dtype="float32")
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected, nearest = ev.expected_group(probabilities), ev.decide(probabilities, "expected")
    assert (abs(expected - nearest) <= 0.5 + 1e-9).all()
    for groups in (nearest, ev.decide(probabilities)):
        assert groups.dtype.kind == "i"
        assert ((groups >= 0) & (groups <= 7)).all()
    np.testing.assert_allclose(ev.expected_group(probabilities[:, ::-1]), 7 - expected, atol=1e-5)


def test_a_sure_network_is_believed_even_if_its_sum_is_a_little_above_one():
    sure = np.eye(8, dtype="float32") * np.float32(1.0005)
    assert ev.decide(sure, "expected").tolist() == ev.decide(sure).tolist() == list(range(8))
    assert ev.expected_group(sure).max() <= 7


def test_an_unknown_way_to_decide_is_refused():
    with pytest.raises(ValueError, match="'most likely' or 'expected', not 'median'"):
        ev.decide(np.eye(8), "median")


# ---- What a model says of pictures ----


@pytest.fixture(scope="module")
def tf():
    from facelab.backend import tf

    return tf


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((10, 6, 4, 1)).astype("float32")


def left_edge(keras, names=("left",)):
    """A model that answers with the brightness of the left edge: flipping the picture changes its answer."""
    images = keras.Input((6, 4, 1))
    left = keras.ops.mean(images[:, :, 0, :], axis=(1, 2))[:, None]
    outputs = {name: left * (number + 1) for number, name in enumerate(names)}
    return keras.Model(images, outputs if len(names) > 1 else left)


def test_predictions_come_in_the_order_of_the_pictures(tf, pictures):
    model = left_edge(tf.keras)
    dataset = tf.data.Dataset.from_tensor_slices((pictures, np.arange(10))).batch(4)
    expected = pictures[:, :, 0].mean(axis=(1, 2))[:, None]
    np.testing.assert_allclose(ev.predict(model, dataset), expected, rtol=1e-6)
    alone = tf.data.Dataset.from_tensor_slices(pictures).batch(3)
    np.testing.assert_allclose(ev.predict(model, alone), expected, rtol=1e-6)


def test_a_flip_gives_the_mean_of_a_picture_and_its_mirror_image(tf, pictures):
    model = left_edge(tf.keras, names=("one", "two"))
    weighted = (pictures, {"one": np.zeros(10), "two": np.zeros(10)}, np.ones(10))
    dataset = tf.data.Dataset.from_tensor_slices(weighted).batch(4)
    expected = (pictures[:, :, 0].mean(axis=(1, 2)) + pictures[:, :, -1].mean(axis=(1, 2)))[:, None] / 2
    flipped = ev.predict(model, dataset, test_time_augmentation=True)
    assert set(flipped) == {"one", "two"}
    np.testing.assert_allclose(flipped["one"], expected, rtol=1e-6)
    np.testing.assert_allclose(flipped["two"], 2 * expected, rtol=1e-6)
    assert not np.allclose(ev.predict(model, dataset)["one"], expected)


def test_a_flip_pairs_each_picture_with_itself_even_if_every_pass_has_another_order(tf, pictures):
    model = left_edge(tf.keras)
    dataset = tf.data.Dataset.from_tensor_slices(pictures).shuffle(10, seed=1).batch(4)
    expected = (pictures[:, :, 0].mean(axis=(1, 2)) + pictures[:, :, -1].mean(axis=(1, 2))) / 2
    flipped = ev.predict(model, dataset, test_time_augmentation=True)[:, 0]
    np.testing.assert_allclose(sorted(flipped), sorted(expected), rtol=1e-6)

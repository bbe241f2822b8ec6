"""What the difficulty tool hides, and what it predicts from a single cause."""

import numpy as np
import pandas as pd
import pytest

from tools.measure import networks
from tools.measure.difficulty import cause_alone, masks


def test_the_parts_make_the_whole_and_do_not_overlap():
    parts = np.stack(list(masks(48).values()))
    assert (parts.sum(axis=0) == 1).all()
    assert parts[0, 27, 24]
    assert parts[2, 0, 0]
    assert (parts.reshape(3, -1).mean(axis=1) > 0.05).all()


def test_a_cause_alone_finds_what_it_gives_away_and_nothing_else():
    cause = pd.Series(["none", "none", "glasses", "glasses", "glasses", "none", "sunglasses"])
    train = np.array([True, True, True, True, False, False, False])
    target = np.array([0, 0, 3, 3, 3, 0, 3])
    # Sunglasses were never seen in training: the majority, of two equals the first.
    assert cause_alone(cause, train, target).tolist() == [3, 0, 0]


def test_a_number_as_sole_cause_is_read_in_bins():
    values = pd.Series(np.linspace(0, 1, 400))
    target = (values > 0.5).to_numpy(int)
    train = np.arange(400) % 4 != 0
    assert np.mean(cause_alone(values, train, target) == target[~train]) == pytest.approx(1, abs=0.02)


def test_soft_targets_sum_to_one_and_are_greatest_at_the_truth():
    targets = networks.soft_targets(np.array([0, 3, 7]))
    assert targets.shape == (3, 8)
    assert targets.sum(axis=1) == pytest.approx(np.ones(3))
    assert targets.argmax(axis=1).tolist() == [0, 3, 7]
    assert targets[1, 2] == targets[1, 4] > 0 == targets[1, 1]


def test_the_networks_have_the_weights_they_say():
    assert networks.yardstick(48, 1).count_params() == pytest.approx(0.66e6, rel=0.01)
    weights = {layer.count_params() for layer in networks.published_gender().layers}
    assert {360, 15_600, 31_176, 46_728, 13_439_232} <= weights


@pytest.mark.slow
def test_training_learns_what_can_be_seen_and_augmentation_keeps_it_in_view():
    rng = np.random.default_rng(0)
    male, group = rng.random(600) < 0.5, rng.integers(0, 8, 600)
    pixels = rng.integers(0, 60, (600, 48, 48, 1)).astype(np.uint8)
    pixels[male, 20:28, 10:38] = 200  # a bar across the middle for one class, upright for the other
    pixels[~male, 10:38, 20:28] = 200
    model = networks.yardstick(48, 1)
    networks.train(model, pixels[:400], male[:400], group[:400], steps=40)
    said = networks.predict(model, pixels[400:])
    assert np.mean((said["gender"] > 0.5) == male[400:]) > 0.95

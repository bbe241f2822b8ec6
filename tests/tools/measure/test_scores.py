"""The tools' scores and intervals, against values worked out by hand or by numpy."""

import numpy as np
import pandas as pd
import pytest

from tools.measure import scores


def test_the_first_resample_is_the_sample_and_albums_stay_together():
    albums = pd.Series(["a", "a", "b", "c", "c", "c"])
    weights = scores.album_weights(albums, seed=1, resamples=200)
    assert weights.shape == (201, 6)
    assert (weights[0] == 1).all()
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3] == weights[:, 5]).all()
    assert (weights[:, 0] + weights[:, 2] + weights[:, 3] == 3).all()
    assert (weights[1:, 0] != 1).any()


def test_intervals_by_album_are_wider_where_albums_agree_within():
    right = np.repeat(np.arange(40) % 2, 10)
    of_ten, alone = pd.Series(np.repeat(np.arange(40), 10)), pd.Series(np.arange(400))
    in_albums, alone = (
        scores.with_interval(scores.mean(right, scores.album_weights(albums))) for albums in (of_ten, alone)
    )
    assert in_albums["value"] == alone["value"] == 0.5
    assert alone["low"] < 0.5 < alone["high"]
    assert in_albums["high"] - in_albums["low"] > 2 * (alone["high"] - alone["low"])


def test_correlation_is_that_of_numpy_and_of_repeated_photographs():
    x, y = np.random.default_rng(0).normal(size=(2, 30)) + np.linspace(0, 3, 30)
    counts = np.arange(30) % 4
    found = scores.correlation(x, y, np.vstack([np.ones(30), counts]))
    assert found[0] == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert found[1] == pytest.approx(np.corrcoef(np.repeat(x, counts), np.repeat(y, counts))[0, 1])


def test_task_scores_count_exact_neighbours_and_each_group_alike():
    group, says = np.array([0, 0, 0, 7]), np.array([0, 0, 1, 4])
    found = scores.task_scores(np.ones((2, 4)), np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]), group, says)
    values = [score["value"] for score in found.values()]
    assert list(found) == ["gender", "age_exact", "age_one_off", "age_balanced"]
    assert values == pytest.approx([0.75, 0.5, 0.75, 1 / 3], abs=1e-4)


def test_the_majority_baselines_are_learned_from_training_alone():
    found = scores.majority_baselines(
        train_male=np.array([True, True, False]),
        train_group=np.array([4, 4, 0]),
        male=np.array([True, False, False, False]),
        group=np.array([4, 5, 0, 0]),
    )
    assert found == {"gender": 0.25, "age_exact": 0.25, "age_one_off": 0.5}

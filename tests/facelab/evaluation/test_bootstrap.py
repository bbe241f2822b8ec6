"""Intervals from drawing whole albums or families: by their properties, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelab import evaluation as ev
from tests.facelab.evaluation.conftest import SCORES, albums_too


@given(albums_too())
def test_an_interval_is_ordered_within_the_scores_bounds_and_repeatable(faces):
    true, predicted, albums = faces
    interval = ev.album_bootstrap(ev.accuracy, true, predicted, albums, seed=3, n_resamples=50)
    assert 0 <= interval.low <= interval.high <= 1
    assert interval.estimate == ev.accuracy(true, predicted)
    assert interval == ev.album_bootstrap(ev.accuracy, true, predicted, albums, seed=3, n_resamples=50)


@given(albums_too(), st.randoms(use_true_random=False))
def test_neither_the_order_of_the_faces_nor_the_albums_names_matter(faces, random):
    true, predicted, albums = faces
    interval = ev.album_bootstrap(ev.accuracy, true, predicted, albums, seed=3, n_resamples=50)
    order = random.sample(range(len(true)), len(true))
    names = pd.Series([f"album {name}" for name in albums[order]], index=order)
    again = ev.album_bootstrap(ev.accuracy, true[order], predicted[order], names, seed=3, n_resamples=50)
    assert again == pytest.approx(interval)


@given(albums_too())
def test_albums_that_are_all_alike_leave_no_doubt(faces):
    true, predicted, _ = faces
    twice = np.tile(true, 3), np.tile(predicted, 3), np.repeat([0, 1, 2], len(true))
    for score in SCORES:
        interval = ev.album_bootstrap(score, *twice, seed=0, n_resamples=30)
        assert interval.low == pytest.approx(interval.high) == pytest.approx(interval.estimate)


@pytest.mark.parametrize(
    ("sizes", "worth"),
    [([7], 1), ([5, 5, 5], 3), ([3, 1], 16 / 10), ([2, 1, 1], 16 / 6), ([1000, 1], 1.002)],
)
def test_albums_of_unequal_size_are_worth_fewer(sizes, worth):
    albums = np.repeat([f"album {number}" for number in range(len(sizes))], sizes)
    assert ev.effective_albums(albums) == pytest.approx(worth, rel=1e-5)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 5))
def test_effective_albums_are_one_or_more_no_more_than_the_albums_and_blind_to_scale(sizes, times):
    albums = np.repeat(np.arange(len(sizes)), sizes)
    worth = ev.effective_albums(albums)
    assert 1 <= worth <= len(sizes) + 1e-9
    assert ev.effective_albums(np.repeat(albums, times)) == pytest.approx(worth)
    assert (worth == pytest.approx(len(sizes))) == (len(set(sizes)) == 1)


def test_an_album_is_drawn_whole():
    """Three albums, all right, all wrong, all wrong: a draw's accuracy is a count of whole albums."""
    albums = np.repeat([0, 1, 2], 10)
    seen = set()

    def watched(true, predicted):
        assert len(true) == 30
        seen.add(round(3 * ev.accuracy(true, predicted), 9))
        return ev.accuracy(true, predicted)

    ev.album_bootstrap(watched, np.where(albums == 0, 1, 0), np.ones(30, int), albums, seed=1)
    assert seen == {0, 1, 2, 3}


def test_a_draw_without_an_infant_still_has_a_balanced_accuracy():
    true = np.array([0] + [4] * 20 + [7] * 20)
    albums = np.array([0] + [1] * 10 + [2] * 10 + [3] * 10 + [4] * 10)
    interval = ev.album_bootstrap(ev.balanced_accuracy, true, true // 7 * 7, albums, seed=1)
    assert np.isfinite(interval).all()
    assert interval.low < interval.high


def albums_with_moods(random, albums=40):
    """Faces of albums of unequal size, some of which are hard; their truth is 0.8."""
    sizes = random.integers(1, 40, size=albums)
    ease = random.beta(4, 1, size=albums)
    album = np.repeat(np.arange(albums), sizes)
    right = random.random(len(album)) < ease[album]
    return np.ones(len(album), int), right.astype(int), album


def test_an_interval_over_albums_covers_the_truth_more_often_than_one_over_faces():
    """A truth of 0.8, and 200 data sets: the share of the 95 % intervals that hold it."""
    random, runs = np.random.default_rng(11), 200
    over_albums = over_faces = 0
    for seed in range(runs):
        true, predicted, album = albums_with_moods(random)
        for_itself = np.arange(len(album))  # every face its own album
        _, low, high = ev.album_bootstrap(ev.accuracy, true, predicted, album, seed=seed, n_resamples=100)
        over_albums += low <= 0.8 <= high
        _, low, high = ev.album_bootstrap(
            ev.accuracy, true, predicted, for_itself, seed=seed, n_resamples=100
        )
        over_faces += low <= 0.8 <= high
    assert over_albums / runs > 0.85
    assert over_faces / runs < 0.70


def test_a_pair_is_compared_on_the_same_albums():
    """Two networks, one a little better everywhere: the difference is sure, the two scores are not."""
    random = np.random.default_rng(5)
    true, one, album = albums_with_moods(random)
    other = np.where(random.random(len(one)) < 0.3, true, one)  # mends some of the errors, and adds none
    difference = ev.paired_album_bootstrap(ev.accuracy, true, one, other, album, seed=2)
    a, b = (ev.album_bootstrap(ev.accuracy, true, array, album, seed=2) for array in (one, other))
    assert difference.estimate == pytest.approx(b.estimate - a.estimate)
    assert difference.low > 0
    assert a.high > b.low
    backwards = ev.paired_album_bootstrap(ev.accuracy, true, other, one, album, seed=2)
    np.testing.assert_allclose(backwards, [-difference.estimate, -difference.high, -difference.low])
    assert ev.paired_album_bootstrap(ev.accuracy, true, one, one, album, seed=2) == (0, 0, 0)


def test_an_interval_needs_two_albums_and_a_score_for_each_draw():
    with pytest.raises(ValueError, match="all 3 faces are of one album"):
        ev.album_bootstrap(ev.accuracy, [0, 1, 1], [0, 1, 0], ["a", "a", "a"], seed=0)
    with pytest.raises(ValueError, match=r"but have \(2, 3, 3\)"):
        ev.album_bootstrap(ev.accuracy, [0, 1, 1], [0, 1, 0], ["a", "b"], seed=0)
    with pytest.raises(ValueError, match=r"but have \(3, 3, 3, 2\)"):
        ev.paired_album_bootstrap(ev.accuracy, [0, 1, 1], [0, 1, 0], [0, 1], ["a", "b", "c"], seed=0)
    with pytest.raises(ValueError, match="no faces"):
        ev.album_bootstrap(ev.accuracy, [], [], [], seed=0)
    with pytest.raises(ValueError, match="no faces"):
        ev.effective_albums([])

    def recall_of_the_first(true, predicted):
        return ev.accuracy(true[true == 0], predicted[true == 0]) if (true == 0).any() else np.nan

    with pytest.raises(ValueError, match="of 1000 draws have no score"):
        ev.album_bootstrap(recall_of_the_first, [0, 1, 1], [0, 1, 0], ["a", "b", "c"], seed=0)


def test_an_interval_reads_as_one():
    assert str(ev.Interval(0.8123, 0.79, 0.8329)) == "0.812 (0.790–0.833)"
    assert str(ev.Interval(0.0121, -0.003, 0.0271)) == "0.012 (-0.003 to 0.027)"
    assert str(ev.Interval(-0.0001, -0.01, 0.01)) == "0.000 (-0.010 to 0.010)"


# ---- The mean of paired differences ----


def test_an_effect_is_drawn_like_a_score_of_albums() -> None:
    rng = np.random.default_rng(1)
    families = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    before, after = rng.normal(size=(2, len(families)))
    expected = ev.album_bootstrap(
        lambda one, other: float(np.mean(other - one)), before, after, families, seed=4
    )
    found = ev.mean_effect(after - before, families, seed=4, n_resamples=ev.N_RESAMPLES)
    assert np.allclose(found, expected)


def test_relatives_count_as_one() -> None:
    """Ten copies of a head say no more than one, so the interval is that of the families."""
    values = np.array([0.0, 1.0, 2.0, 3.0])
    alone = ev.mean_effect(values, [1, 2, 3, 4], seed=1)
    copies = ev.mean_effect(np.repeat(values, 10), np.repeat([1, 2, 3, 4], 10), seed=1)
    assert np.allclose(alone, copies)
    as_if_free = ev.mean_effect(np.repeat(values, 10), np.arange(40), seed=1)
    assert as_if_free.high - as_if_free.low < 0.6 * (alone.high - alone.low)


def test_more_comparisons_make_an_interval_wider() -> None:
    values = np.random.default_rng(2).normal(size=60)
    one, many = (ev.mean_effect(values, np.arange(60), seed=1, comparisons=n) for n in (1, 16))
    assert one.estimate == many.estimate
    assert many.low < one.low < one.high < many.high
    # For a mean of so many, the ends are those of a normal distribution: 2.96 instead of 1.96 deviations.
    assert (many.high - many.low) / (one.high - one.low) == pytest.approx(2.955 / 1.96, rel=0.06)


@pytest.mark.parametrize(
    ("differences", "units", "comparisons", "message"),
    [
        ([1.0, 2.0], [1, 1], 1, "two units or more"),
        ([1.0, 2.0], [1, 2], 0, "and a comparison"),
        ([1.0, np.nan], [1, 2], 1, "one finite difference"),
        ([1.0, 2.0], [1, 2, 3], 1, "one unit a head"),
        ([], [], 1, "two units or more"),
    ],
)
def test_what_gives_no_interval_is_refused(differences, units, comparisons, message) -> None:
    with pytest.raises(ValueError, match=message):
        ev.mean_effect(differences, units, seed=1, comparisons=comparisons)

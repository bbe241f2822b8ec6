"""Intervals from drawing whole albums or families: by their properties, and by simulation."""

from itertools import product
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelab import adience, embedded
from facelab import evaluation as ev
from facelab.evaluation._bootstrap import expanded_tail, times_drawn
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
    assert over_albums / runs > 0.90
    assert over_faces / runs < 0.70


def sizes_of_fold(fold):
    """How many faces with an age group each album of a fold of the embedded faces has."""
    table = adience.read_folds(embedded.data_dir())
    return table.loc[table["fold"].eq(fold) & table["age_group"].notna(), "user_id"].value_counts().to_numpy()


def simulated_accuracies(sizes, mean, spread, runs, random):
    """How many faces of each album are right, in many data sets, where albums differ on the logit scale."""
    logit = np.log(mean / (1 - mean))
    for _ in range(50):  # move the middle album until the mean over all albums is as asked
        points = 1 / (1 + np.exp(-(logit + spread * NORMAL)))
        logit += (mean - points.mean()) / (points * (1 - points)).mean()
    chances = 1 / (1 + np.exp(-(logit + spread * random.normal(size=(runs, len(sizes))))))
    return random.binomial(sizes, chances).astype("float64")


NORMAL = np.array([NormalDist().inv_cdf((place + 0.5) / 1000) for place in range(1000)])
"""A thousand numbers that are spread like a standard normal variable."""


@pytest.mark.parametrize("fold", range(5))
def test_expanded_percentiles_hold_the_truth_as_often_as_they_say(fold):
    """At the sizes of each fold, for two accuracies and two strengths of an album's effect: at least 0.93."""
    random, sizes = np.random.default_rng(fold), sizes_of_fold(fold)
    tail, plain = expanded_tail(ev.effective_albums(np.repeat(np.arange(len(sizes)), sizes))), []
    for mean, spread in product((0.6, 0.92), (0.3, 0.6)):
        held = {tail: [], 0.025: []}
        for seed in range(20):  # other draws now and then, or their luck would be in every interval
            right = simulated_accuracies(sizes, mean, spread, 100, random)
            times = times_drawn(len(sizes), seed=seed, n_resamples=ev.N_RESAMPLES).astype("float64")
            scores = times @ right.T / (times @ sizes)[:, None]
            for beyond, found in held.items():
                low, high = np.quantile(scores, [beyond, 1 - beyond], axis=0)
                found.extend((low <= mean) & (mean <= high))
        assert 0.93 < np.mean(held[tail]) < 0.98, (mean, spread)
        plain.append(np.mean(held[0.025]))
    assert np.mean(plain) < 0.93  # the plain percentiles do not


def test_the_ends_are_expanded_percentiles_of_the_draws_scores():
    """By hand for albums worth 5: t of 4 degrees of freedom is 2.77645, and √(5 / 4) times that 3.10416."""
    assert expanded_tail(5) == pytest.approx(NormalDist().cdf(-3.10416), rel=1e-4)
    assert expanded_tail(10_000) == pytest.approx(0.025, rel=2e-3)
    assert expanded_tail(1.002) == 0  # the ends are the least and the greatest score that was drawn
    assert expanded_tail(10_000, comparisons=10) == pytest.approx(0.0025, rel=5e-3)
    albums, right = np.repeat(np.arange(5), 2), np.array([1, 1, 1, 0, 0, 0, 1, 0, 1, 1])
    times = times_drawn(5, seed=7, n_resamples=ev.N_RESAMPLES)
    scores = times @ [2, 1, 0, 1, 2] / 10
    found = ev.album_bootstrap(ev.accuracy, np.ones(10, int), right, albums, seed=7)
    assert found[1:] == pytest.approx(np.quantile(scores, [expanded_tail(5), 1 - expanded_tail(5)]))
    assert found.low < np.quantile(scores, 0.025)


def test_the_fewer_albums_are_worth_the_farther_out_are_the_ends():
    tails = [expanded_tail(effective) for effective in (1.5, 2, 4, 8, 16, 50, 200)]
    assert tails == sorted(tails)
    assert tails[-1] < 0.025


def test_with_every_face_right_or_two_albums_an_interval_is_what_was_drawn():
    ones = np.ones(6, int)
    assert ev.album_bootstrap(ev.accuracy, ones, ones, [1, 1, 2, 2, 3, 3], seed=0) == (1, 1, 1)
    two = ev.album_bootstrap(ev.accuracy, ones, [1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 2], seed=0)
    assert two == (pytest.approx(5 / 6), 0, 1)


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

    with pytest.raises(ValueError, match="of 2000 draws have no score"):
        ev.album_bootstrap(recall_of_the_first, [0, 1, 1], [0, 1, 0], ["a", "b", "c"], seed=0)


def test_an_interval_reads_as_one():
    assert str(ev.Interval(0.8123, 0.79, 0.8329)) == "0.812 (0.790–0.833)"
    assert str(ev.Interval(0.0121, -0.003, 0.0271)) == "0.012 (-0.003 to 0.027)"
    assert str(ev.Interval(-0.0001, -0.01, 0.01)) == "0.000 (-0.010 to 0.010)"


# ---- Several trainings: seeds and albums ----


def trained(random, mean, spread_of_seeds, ease, album, trainings=3):
    """Which faces are right in each of some trainings, whose seeds move all chances up or down."""
    moved = mean + random.normal(scale=spread_of_seeds, size=(trainings, 1))
    return (random.random((trainings, len(album))) < moved + ease[album]).astype(int)


def data_set(random):
    """Albums of unequal size, worth about 13 equal ones, and by how much they are easier than others."""
    sizes = random.integers(1, 25, size=20)
    return np.repeat(np.arange(20), sizes), random.normal(scale=0.05, size=20)


def test_an_interval_over_seeds_and_albums_is_worked_by_hand():
    """All albums alike, so only seeds count: scores 0.5, 0.75 and 1, mean 0.75, s = 0.25, t(2) = 4.303."""
    albums, ones = np.repeat(np.arange(6), 4), np.ones(24, int)
    runs = [np.tile(row, 6) for row in ([1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1])]
    found = ev.seeds_and_albums(ev.accuracy, ones, runs, albums, seed=0)
    reach = 4.302653 * 0.25 / np.sqrt(3)
    assert found == pytest.approx((0.75, 0.75 - reach, 0.75 + reach))
    # Against five trainings that are all the same, the difference is no surer: only one side has a variance.
    same = np.tile(runs[0], (5, 1))
    gain = ev.paired_seeds_and_albums(ev.accuracy, ones, same, runs, albums, seed=0)
    assert gain == pytest.approx((0.25, 0.25 - reach, 0.25 + reach))
    # Against themselves, both sides have one: twice the variance, and 4 degrees of freedom (t = 2.776).
    reach = 2.776445 * 0.25 * np.sqrt(2 / 3)
    zero = ev.paired_seeds_and_albums(ev.accuracy, ones, runs, runs, albums, seed=0)
    assert zero == pytest.approx((0, -reach, reach))


def test_without_a_difference_between_seeds_only_albums_count():
    """Six albums of one face, three of them right: variance (6 / 5) · (1 / 4) / 6 = 1 / 20, t(5) = 2.571."""
    right, ones = np.array([1, 1, 1, 0, 0, 0]), np.ones(6, int)
    runs, albums = np.tile(right, (3, 1)), np.arange(6)
    found = ev.seeds_and_albums(ev.accuracy, ones, runs, albums, seed=0, n_resamples=20_000)
    assert found.estimate == 0.5
    assert found.high - found.estimate == pytest.approx(2.5706 / np.sqrt(20), rel=0.02)
    assert ev.seeds_and_albums(ev.accuracy, ones, runs | 1, albums, seed=0) == (1, 1, 1)
    assert ev.paired_seeds_and_albums(ev.accuracy, ones, runs, runs, albums, seed=0) == (0, 0, 0)


@given(albums_too(), st.integers(3, 5))
def test_an_interval_over_seeds_is_even_repeatable_and_blind_to_the_trainings_order(faces, trainings):
    true, predicted, albums = faces
    runs = np.array([np.roll(predicted, by) for by in range(trainings)])
    settings = {"seed": 3, "n_resamples": 20}
    found = ev.seeds_and_albums(ev.accuracy, true, runs, albums, **settings)
    assert found.low <= found.estimate <= found.high
    assert found.high - found.estimate == pytest.approx(found.estimate - found.low)
    assert ev.seeds_and_albums(ev.accuracy, true, runs[::-1], albums, **settings) == pytest.approx(found)
    gain = ev.paired_seeds_and_albums(ev.accuracy, true, runs[:3], runs, albums, **settings)
    back = ev.paired_seeds_and_albums(ev.accuracy, true, runs, runs[:3], albums, **settings)
    assert back == pytest.approx((-gain.estimate, -gain.high, -gain.low))


def test_an_interval_over_seeds_holds_the_truth_where_one_of_a_single_training_does_not():
    """Two ways to train that are equally good; seeds move an accuracy by four points."""
    random, runs = np.random.default_rng(4), 300
    held = dict.fromkeys(("one", "several", "pair of one", "pairs"), 0)

    def share(_, right):
        return right.mean()

    for seed in range(runs):
        album, ease = data_set(random)
        a, b = (trained(random, 0.8, 0.04, ease, album) for _ in range(2))
        settings = {"albums": album, "seed": seed, "n_resamples": 100}
        found = {
            "one": ev.album_bootstrap(share, album, a[0], **settings),
            "several": ev.seeds_and_albums(share, album, a, **settings),
            "pair of one": ev.paired_album_bootstrap(share, album, a[0], b[0], **settings),
            "pairs": ev.paired_seeds_and_albums(share, album, a, b, **settings),
        }
        for name, (_, low, high) in found.items():
            held[name] += low <= (0 if "pair" in name else 0.8) <= high
    shares = {name: count / runs for name, count in held.items()}
    assert min(shares["several"], shares["pairs"]) > 0.93, shares
    assert max(shares["one"], shares["pair of one"]) < 0.85, shares


def test_fewer_than_three_trainings_are_refused():
    truth, albums = np.ones(4, int), [1, 1, 2, 2]
    two, three = np.ones((2, 4), int), np.ones((3, 4), int)
    with pytest.raises(ValueError, match=r"three trainings or more are needed.*not \(2, 4\)"):
        ev.seeds_and_albums(ev.accuracy, truth, two, albums, seed=0)
    with pytest.raises(ValueError, match=r"not \(4,\)"):
        ev.seeds_and_albums(ev.accuracy, truth, truth, albums, seed=0)
    with pytest.raises(ValueError, match="three trainings or more"):
        ev.paired_seeds_and_albums(ev.accuracy, truth, three, two, albums, seed=0)
    with pytest.raises(ValueError, match=r"but have \(4, 4, 4, 3\)"):
        ev.paired_seeds_and_albums(ev.accuracy, truth, three, three[:, :3], albums, seed=0)
    with pytest.raises(ValueError, match="draws have no score"):
        ev.seeds_and_albums(lambda true, _: np.nan if true.all() else 1.0, truth, three, albums, seed=0)


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
    # For a mean of so many, the ends are Student's, with 59 degrees of freedom: 3.07 and 2.00 errors.
    error = values.std(ddof=1) / np.sqrt(60)
    for interval, errors in ((one, 2.001), (many, 3.071)):
        assert (interval.high - interval.low) / 2 == pytest.approx(errors * error, rel=0.06)


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

"""Scores and their intervals: by hand where a hand can, by their properties, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelab import adience
from facelab import evaluation as ev

SCORES = [ev.accuracy, ev.one_off_accuracy, ev.balanced_accuracy, ev.mae_in_groups]


@st.composite
def predictions(draw, smallest=1):
    """True and predicted age groups of a few faces."""
    faces = draw(st.integers(smallest, 30))
    groups = st.lists(st.integers(0, 7), min_size=faces, max_size=faces)
    return np.array(draw(groups)), np.array(draw(groups))


@st.composite
def albums_too(draw):
    """The same with their albums, at least two."""
    true, predicted = draw(predictions(smallest=2))
    rest = draw(st.lists(st.integers(0, 5), min_size=len(true) - 2, max_size=len(true) - 2))
    return true, predicted, np.array([0, 1, *rest])


# ---- Scores ----


def test_the_scores_by_hand():
    true, predicted = np.array([0, 0, 0, 1, 4, 7]), np.array([0, 0, 2, 2, 4, 4])
    assert ev.accuracy(true, predicted) == pytest.approx(3 / 6)
    assert ev.one_off_accuracy(true, predicted) == pytest.approx(4 / 6)
    assert ev.balanced_accuracy(true, predicted) == pytest.approx((2 / 3 + 0 + 1 + 0) / 4)
    assert ev.mae_in_groups(true, predicted) == pytest.approx((0 + 0 + 2 + 1 + 0 + 3) / 6)
    assert ev.mae_in_groups(true, predicted + 0.0) == pytest.approx((0 + 0 + 2 + 1 + 0 + 3) / 6)


def test_the_confusion_matrix_by_hand():
    matrix = ev.confusion_matrix([0, 0, 0, 1, 2], [0, 1, 1, 1, 0], num_classes=3)
    np.testing.assert_array_equal(matrix, [[1, 2, 0], [0, 1, 0], [1, 0, 0]])


def test_recall_names_every_group_and_leaves_empty_ones_missing():
    recall = ev.recall_by_group([0, 0, 7, 7], [0, 1, 7, 7])
    assert list(recall.index) == list(adience.AGE_GROUPS)
    assert recall.loc["(0, 2)"] == 0.5
    assert recall.loc["(60, 100)"] == 1
    assert recall.isna().sum() == 6


@given(predictions())
def test_the_scores_keep_within_their_bounds_and_their_order(faces):
    exact, one_off = ev.accuracy(*faces), ev.one_off_accuracy(*faces)
    assert 0 <= exact <= one_off <= 1
    assert 0 <= ev.balanced_accuracy(*faces) <= 1
    # A prediction that is off is off by one group at least, by two if not even one-off, by seven at most.
    assert (1 - exact) + (1 - one_off) <= ev.mae_in_groups(*faces) + 1e-12
    assert ev.mae_in_groups(*faces) <= 7 * (1 - exact) + 1e-12


@given(predictions())
def test_what_is_all_right_scores_best(faces):
    true, _ = faces
    assert [score(true, true) for score in SCORES] == [1, 1, 1, 0]


@given(predictions(), st.randoms(use_true_random=False))
def test_the_order_of_the_faces_does_not_matter(faces, random):
    true, predicted = faces
    order = random.sample(range(len(true)), len(true))
    for score in SCORES:
        assert score(true[order], predicted[order]) == pytest.approx(score(true, predicted))
    np.testing.assert_array_equal(
        ev.confusion_matrix(true[order], predicted[order], 8), ev.confusion_matrix(true, predicted, 8)
    )


@given(predictions())
def test_the_confusion_matrix_holds_the_other_scores(faces):
    true, predicted = faces
    matrix = ev.confusion_matrix(true, predicted, 8)
    assert matrix.sum() == len(true)
    assert np.trace(matrix) / len(true) == pytest.approx(ev.accuracy(true, predicted))
    recall = ev.recall_by_group(true, predicted)
    assert recall.mean() == pytest.approx(ev.balanced_accuracy(true, predicted))
    assert (recall * matrix.sum(axis=1)).sum() == pytest.approx(np.trace(matrix))


def test_one_label_for_all_has_no_more_than_its_share_when_balanced():
    true = np.repeat(np.arange(8), [1, 2, 3, 4, 50, 6, 7, 8])
    assert ev.balanced_accuracy(true, np.full(len(true), 4)) == pytest.approx(1 / 8)
    assert ev.accuracy(true, np.full(len(true), 4)) == pytest.approx(50 / 81)


def test_narrow_integers_do_not_wrap_around():
    """7 − 0 in groups is 7 for a pandas code (int8), for a uint8 and for a bool."""
    true, predicted = np.array([0, 200], np.uint8) % 8, np.array([7, 0], np.uint8)
    assert ev.mae_in_groups(true, predicted) == 3.5
    assert ev.one_off_accuracy(true, predicted) == 0.5
    codes = pd.Series(pd.Categorical(["m", "f", "m"], adience.GENDERS)).cat.codes
    assert ev.accuracy(codes, np.array([True, False, False])) == pytest.approx(2 / 3)
    assert ev.confusion_matrix(np.full(300, 7, np.int8), np.full(300, 7, np.int8), 8)[7, 7] == 300


@pytest.mark.parametrize("score", [*SCORES, ev.recall_by_group])
@pytest.mark.parametrize(
    ("true", "predicted", "words"),
    [
        ([], [], "no faces"),
        ([0, 1], [0], r"one entry a face each, but have \(2, 1\)"),
        ([[0], [1]], [0, 1], r"shape \(n,\), not \(2, 1\), \(2,\)"),
        ([0, -1], [0, 1], "a label -1, which pandas writes for a missing one"),
        (["f", "m"], [0, 1], "whole numbers, not <U1"),
        ([0.0, 1.0], [0, 1], "whole numbers, not float64"),
    ],
)
def test_what_cannot_be_scored_is_refused(score, true, predicted, words):
    with pytest.raises(ValueError, match=words):
        score(true, predicted)


def test_labels_beyond_the_last_are_refused():
    for score in (ev.one_off_accuracy, ev.mae_in_groups, ev.recall_by_group):
        with pytest.raises(ValueError, match="a label 8, but only 8 labels, numbered from 0"):
            score([0, 8], [0, 1])
    with pytest.raises(ValueError, match="a label 2, but only 2 labels"):
        ev.confusion_matrix([0, 1], [0, 2], num_classes=2)
    with pytest.raises(ValueError, match=r"in \[0, 7\]"):
        ev.mae_in_groups([0, 7], [0.0, 7.5])
    with pytest.raises(ValueError, match=r"in \[0, 7\]"):
        ev.mae_in_groups([0, 7], [0.0, np.nan])


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


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        (np.zeros((0, 8)), "the shape"),
        (np.ones(8) / 8, "the shape"),
        (np.full((2, 8), 0.2), "is the softmax missing"),
        (np.array([[1.5, -0.5]]), "is the softmax missing"),
        (np.array([[np.nan, 1.0]]), "is the softmax missing"),
    ],
)
def test_what_is_no_distribution_is_refused(probabilities, words):
    for decide in (ev.expected_group, ev.decide, lambda rows: ev.decide(rows, "expected")):
        with pytest.raises(ValueError, match=words):
            decide(probabilities)


def test_an_unknown_way_to_decide_is_refused():
    with pytest.raises(ValueError, match="'most likely' or 'expected', not 'median'"):
        ev.decide(np.eye(8), "median")


# ---- Intervals ----


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

    def recall_of_the_first(true, predicted):
        return ev.accuracy(true[true == 0], predicted[true == 0]) if (true == 0).any() else np.nan

    with pytest.raises(ValueError, match="of 1000 draws have no score"):
        ev.album_bootstrap(recall_of_the_first, [0, 1, 1], [0, 1, 0], ["a", "b", "c"], seed=0)


def test_a_slice_says_on_what_it_rests():
    groups = pd.Categorical(["old", "young", "old", "young", "old"], ["young", "middle", "old"], ordered=True)
    table = pd.DataFrame({"group": groups, "user_id": ["a", "b", "b", "b", "c"]}, index=[9, 3, 5, 1, 0])
    sliced = ev.by_slice(
        ev.accuracy, [1, 1, 1, 1, 1], [1, 1, 0, 0, 1], table["user_id"], table["group"], seed=0
    )
    assert list(sliced.columns) == ["slice", "faces", "albums", "estimate", "low", "high"]
    assert sliced["slice"].tolist() == ["young", "old"]
    assert sliced["faces"].tolist() == [2, 3]
    assert sliced["albums"].tolist() == [1, 3]
    assert sliced["estimate"].tolist() == pytest.approx([1 / 2, 2 / 3])
    assert sliced.loc[0, ["low", "high"]].isna().all()
    alone = ev.album_bootstrap(ev.accuracy, [1, 1, 1], [1, 0, 1], ["a", "b", "c"], seed=0)
    assert tuple(sliced.loc[1, ["estimate", "low", "high"]]) == alone


def test_a_face_without_a_slice_is_refused():
    with pytest.raises(ValueError, match="1 faces have no slice"):
        ev.by_slice(ev.accuracy, [0, 1], [0, 1], ["a", "b"], pd.Series(["x", None]), seed=0)
    with pytest.raises(ValueError, match=r"but have \(2, 2, 2, 1\)"):
        ev.by_slice(ev.accuracy, [0, 1], [0, 1], ["a", "b"], ["x"], seed=0)


def test_an_interval_reads_as_one():
    assert str(ev.Interval(0.8123, 0.79, 0.8329)) == "0.812 (0.790–0.833)"
    assert str(ev.Interval(0.0121, -0.003, 0.0271)) == "0.012 (-0.003 to 0.027)"
    assert str(ev.Interval(-0.0001, -0.01, 0.01)) == "0.000 (-0.010 to 0.010)"


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

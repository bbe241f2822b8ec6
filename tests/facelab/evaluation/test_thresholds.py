"""Scores of all thresholds, and the threshold that keeps a promise: by hand and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, mannwhitneyu, ttest_1samp

from facelab import evaluation
from facelab.evaluation import abstention_threshold, area_under_roc, average_precision
from tests.facelab.evaluation.conftest import drawn_right, fold_four

# ---- Scores of all thresholds ----


@st.composite
def scored(draw):
    """Labels of both classes, and scores of which some are equal."""
    faces = draw(st.integers(2, 30))
    labels = draw(st.lists(st.integers(0, 1), min_size=faces - 2, max_size=faces - 2))
    scores = draw(st.lists(st.integers(0, 6), min_size=faces, max_size=faces))
    return np.array([0, 1, *labels]), np.array(scores) / 6


@given(scored())
def test_the_area_under_roc_is_the_share_of_pairs_in_the_right_order(faces):
    true, score = faces
    ones, zeros = score[true == 1], score[true == 0]
    pairs = ones[:, None] - zeros
    assert area_under_roc(true, score) == pytest.approx(np.mean(pairs > 0) + np.mean(pairs == 0) / 2)
    assert area_under_roc(true, score) == pytest.approx(mannwhitneyu(ones, zeros).statistic / pairs.size)
    assert area_under_roc(1 - true, -score) == pytest.approx(area_under_roc(true, score))


@given(scored())
def test_the_average_precision_is_the_area_under_its_steps(faces):
    true, score = faces
    area, before = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        recall = np.mean(score[true == 1] >= threshold)
        area += (recall - before) * true[score >= threshold].mean()
        before = recall
    assert average_precision(true, score) == pytest.approx(area)
    assert average_precision(true, true) == 1
    assert average_precision(true, np.zeros(len(true))) == pytest.approx(true.mean())


@given(scored())
def test_both_agree_with_scikit_learn(faces):
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    assert area_under_roc(*faces) == pytest.approx(metrics.roc_auc_score(*faces))
    assert average_precision(*faces) == pytest.approx(metrics.average_precision_score(*faces))


@pytest.mark.parametrize("score", [area_under_roc, average_precision])
@pytest.mark.parametrize(
    ("true", "given_scores", "message"),
    [
        ([0, 1], [0.5], "one finite score"),
        ([0, 1], [0.5, np.nan], "one finite score"),
        ([1, 1], [0.5, 0.6], "class 1"),
        ([0, 2], [0.5, 0.6], "only 2 labels"),
        ([], [], "no faces"),
    ],
)
def test_two_classes_and_a_score_a_face_are_needed(score, true, given_scores, message):
    with pytest.raises(ValueError, match=message):
        score(np.array(true, dtype=int), given_scores)


FOUR = np.array([[0.95, 0.05], [0.92, 0.08], [0.35, 0.65], [0.62, 0.38]])


def test_the_area_under_risk_and_coverage_by_hand():
    area = evaluation.area_under_risk_coverage([0, 1, 1, 0], FOUR)
    assert area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    # Faces of one confidence are answered together, so each counts the risk of all of them.
    tied = np.array([[0.8, 0.2], [0.8, 0.2], [0.6, 0.4]])
    assert evaluation.area_under_risk_coverage([0, 1, 0], tied) == pytest.approx((1 / 2 + 1 / 2 + 1 / 3) / 3)


def test_a_confidence_that_knows_nothing_has_the_error_of_all_and_a_better_one_less():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 20_000)
    y_prob = np.stack([confidence, 1 - confidence], axis=1)
    area = evaluation.area_under_risk_coverage
    blind = (rng.random(20_000) < 0.25).astype(int)
    assert area(blind, y_prob) == pytest.approx(0.25, abs=0.01)
    assert area((rng.random(20_000) > confidence).astype(int), y_prob) < 0.2
    assert area((confidence < 0.625).astype(int), y_prob) == pytest.approx(
        0.25 + 0.75 * np.log(0.75), abs=0.01
    )


# ---- The promise ----


def faces_of(confidence):
    """Probabilities with a confidence in the first label, and of little for each of 99 others."""
    return np.column_stack([confidence, np.repeat((1 - confidence)[:, None] / 99, 99, axis=1)])


def test_the_threshold_by_hand():
    """Of the 800 surest one in ten is wrong, of the others every second, in each album alike."""
    album, in_album = np.arange(1600) % 40, np.arange(1600) // 40
    confidence = np.repeat([0.9, 0.7], 800)
    wrong = np.where(confidence > 0.8, in_album % 10 == 3, in_album % 2 == 1)
    asked = (faces_of(confidence), album)
    assert abstention_threshold(wrong.astype(int), *asked, risk=0.2) == 0.9
    assert abstention_threshold(wrong.astype(int), *asked, risk=0.35) == 0.7
    assert abstention_threshold(wrong.astype(int), *asked, risk=0.05) == np.inf
    # As many errors, but all in half of the albums: other albums could be like these.
    wrong = np.where(confidence > 0.8, in_album % 10 == 3, album % 2 == 1)
    assert abstention_threshold(wrong.astype(int), *asked, risk=0.35) == 0.9


def test_the_test_is_students_on_the_balances_of_equal_albums():
    """All faces have one confidence, so there is one threshold, and it is found where the t-test finds it."""
    rng = np.random.default_rng(0)
    album, y_prob, found = np.repeat(np.arange(20), 10), faces_of(np.full(200, 0.9)), []
    for _ in range(60):
        wrong = rng.random(200) < 0.13
        balance = np.bincount(album, wrong - 0.2)
        expected = ttest_1samp(balance, 0, alternative="less").pvalue < 0.05
        found.append(expected)
        assert (abstention_threshold(wrong.astype(int), y_prob, album, risk=0.2) == 0.9) == expected
    assert 0.3 < np.mean(found) < 0.99


def test_few_albums_or_few_allowed_errors_promise_nothing():
    right, y_prob = np.zeros(400, dtype=int), faces_of(np.full(400, 0.9))
    assert abstention_threshold(right, y_prob, np.arange(400) % 40, risk=0.1) == 0.9
    assert abstention_threshold(right, y_prob, np.arange(400) % 40, risk=0.02) == np.inf
    assert abstention_threshold(right, y_prob, np.arange(400) % 4, risk=0.1) == np.inf


def broken_promises(promise, album_sd, rng, rounds=150):
    """How often the answers from a threshold on are wrong more often than promised; and the mean coverage.

    Forty albums with the sizes of fold 4's, in each round drawn anew, and a calibrated network, so that the
    risk of a threshold is the mean of one minus confidence above it.
    """
    sizes = np.bincount(fold_four()[0])
    known = np.sort(confidences(0.3, rng, 400_000))[::-1]
    risks = np.cumsum(1 - known) / np.arange(1, len(known) + 1)
    broken, coverages = [], []
    for _ in range(rounds):
        album = np.repeat(np.arange(40), rng.choice(sizes, 40))
        confidence = confidences(0.3, rng, len(album))
        wrong = ~drawn_right(confidence, album, album_sd, rng)
        threshold = promise(wrong.astype(int), faces_of(confidence), album)
        coverages.append(np.mean(confidence >= threshold))
        place = np.searchsorted(-known, -threshold, side="right")
        broken.append(place > 0 and risks[place - 1] > 0.25)
    return np.mean(broken), np.mean(coverages)


def confidences(mean, rng, number):
    """Confidences that are normal on the logit scale."""
    return 1 / (1 + np.exp(-rng.normal(mean, 1.1, number)))


def binomial_threshold(true, y_prob, album):
    """The same search with the bound for independent faces, of Clopper and Pearson."""
    curve = evaluation.risk_coverage(true, y_prob)
    found = np.inf
    for step in range(2, 21):
        row = curve.iloc[-(-step * len(curve) // 20) - 1]
        answered = row["coverage"] * len(true)
        errors = row["risk"] * answered
        if beta.ppf(0.95, errors + 1, answered - errors) >= 0.25:
            break
        found = row["threshold"]
    return found


@pytest.mark.parametrize("album_sd", [0.3, 0.6])
def test_the_promise_is_kept_in_19_of_20_data_sets_and_that_of_independent_faces_is_not(album_sd):
    def promise(true, y_prob, album):
        return abstention_threshold(true, y_prob, album, risk=0.25)

    broken, coverage = broken_promises(promise, album_sd, np.random.default_rng(5))
    assert broken <= 0.05
    assert coverage > 0.15
    if album_sd > 0.5:
        naively, _ = broken_promises(binomial_threshold, album_sd, np.random.default_rng(5))
        assert naively > 0.1


def test_what_does_not_fit_together_is_refused():
    for risk in (0, 1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            abstention_threshold([0], [[0.6, 0.4]], ["a"], risk=risk)
    with pytest.raises(ValueError, match="one entry a face each"):
        abstention_threshold([0, 1], [[0.6, 0.4], [0.6, 0.4]], ["a"], risk=0.2)

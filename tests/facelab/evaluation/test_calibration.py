"""Probabilities and what to do with them: by hand, by their properties, and by drawing from the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from facelab import evaluation
from tests.facelab.evaluation.conftest import drawn_right, fold_four

FUNCTIONS = [
    evaluation.log_loss,
    evaluation.calibration_curve,
    evaluation.expected_calibration_error,
    evaluation.fit_temperature,
    evaluation.risk_coverage,
]


@st.composite
def answers(draw):
    """True labels of a few faces and the probabilities that somebody gives."""
    faces = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return rng.integers(0, 4, faces), rng.dirichlet(np.ones(4), faces)


def honest(number: int, sharpness: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of eight groups, and labels that are drawn with just these."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(8, sharpness), number)
    drawn = (probabilities.cumsum(axis=1) > rng.random((number, 1))).argmax(axis=1)
    return drawn, probabilities


# ---- By hand ----

FOUR = np.array([[0.95, 0.05], [0.92, 0.08], [0.35, 0.65], [0.62, 0.38]])


def test_the_log_loss_by_hand():
    expected = -np.log([0.95, 0.08, 0.65, 0.62]).mean()
    assert evaluation.log_loss([0, 1, 1, 0], FOUR) == pytest.approx(expected)


def test_a_label_that_was_ruled_out_costs_much_but_not_everything():
    assert 100 < evaluation.log_loss([1], [[1.0, 0.0]]) < np.inf


def test_the_reliability_by_hand():
    bins = evaluation.calibration_curve([0, 1, 1, 0], FOUR)
    assert bins["faces"].tolist() == [2, 2]
    assert bins["confidence"].tolist() == pytest.approx([0.635, 0.935])
    assert bins["accuracy"].tolist() == [1.0, 0.5]


def test_the_calibration_error_by_hand():
    expected = (2 * abs(0.635 - 1) + 2 * abs(0.935 - 0.5)) / 4
    assert evaluation.expected_calibration_error([0, 1, 1, 0], FOUR) == pytest.approx(expected)


def test_whoever_is_certain_belongs_to_the_last_bin():
    bins = evaluation.calibration_curve([0, 0], [[1.0, 0.0], [0.95, 0.05]])
    assert bins["faces"].tolist() == [2]


def test_risk_and_coverage_by_hand():
    curve = evaluation.risk_coverage([0, 1, 1, 0], FOUR)
    assert curve["threshold"].tolist() == [0.95, 0.92, 0.65, 0.62]
    assert curve["coverage"].tolist() == [0.25, 0.5, 0.75, 1]
    assert curve["risk"].tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])


def test_faces_of_the_same_confidence_are_answered_together():
    curve = evaluation.risk_coverage([0, 1, 0], [[0.8, 0.2], [0.8, 0.2], [0.6, 0.4]])
    assert curve["threshold"].tolist() == [0.8, 0.6]
    assert curve["risk"].tolist() == pytest.approx([1 / 2, 1 / 3])


def test_a_temperature_by_hand():
    squared = np.array([0.64, 0.04]) / 0.68
    np.testing.assert_allclose(evaluation.temperature_scaling([[0.8, 0.2]], 0.5), [squared])


# ---- Properties ----


@given(answers(), st.floats(0.1, 10))
def test_a_temperature_leaves_distributions_and_their_order(faces, temperature):
    _, probabilities = faces
    changed = evaluation.temperature_scaling(probabilities, temperature)
    np.testing.assert_allclose(changed.sum(axis=1), 1)
    np.testing.assert_array_equal(changed.argmax(axis=1), probabilities.argmax(axis=1))


@given(answers())
def test_a_temperature_of_one_changes_nothing_and_its_inverse_goes_back(faces):
    _, probabilities = faces
    np.testing.assert_allclose(evaluation.temperature_scaling(probabilities, 1), probabilities)
    back = evaluation.temperature_scaling(evaluation.temperature_scaling(probabilities, 3), 1 / 3)
    np.testing.assert_allclose(back, probabilities, atol=1e-9)


@given(answers())
def test_the_last_row_of_the_curve_is_the_error_of_all(faces):
    true, probabilities = faces
    last = evaluation.risk_coverage(true, probabilities).iloc[-1]
    assert last["coverage"] == 1
    assert last["risk"] == pytest.approx(1 - evaluation.accuracy(true, probabilities.argmax(axis=1)))


@given(answers())
def test_every_face_is_in_one_bin(faces):
    bins = evaluation.calibration_curve(*faces)
    assert bins["faces"].sum() == len(faces[0])
    assert bins["confidence"].is_monotonic_increasing


# ---- Against the truth ----


def test_honest_probabilities_have_hardly_an_error_and_want_no_temperature():
    true, probabilities = honest(20_000)
    assert evaluation.expected_calibration_error(true, probabilities) < 0.015
    assert evaluation.fit_temperature(true, probabilities) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("distortion", [0.4, 2.5])
def test_the_temperature_undoes_what_was_done(distortion):
    true, probabilities = honest(20_000)
    distorted = evaluation.temperature_scaling(probabilities, distortion)
    assert evaluation.expected_calibration_error(true, distorted) > 0.05
    temperature = evaluation.fit_temperature(true, distorted)
    assert temperature == pytest.approx(1 / distortion, rel=0.03)
    assert (
        evaluation.expected_calibration_error(true, evaluation.temperature_scaling(distorted, temperature))
        < 0.015
    )


def test_the_fitted_temperature_has_the_least_loss():
    true, probabilities = honest(500, sharpness=2)
    best = evaluation.fit_temperature(true, probabilities)
    least = evaluation.log_loss(true, evaluation.temperature_scaling(probabilities, best))
    for other in (0.5, 0.9, 1.1, 2):
        assert least <= evaluation.log_loss(true, evaluation.temperature_scaling(probabilities, best * other))


def test_the_album_bootstrap_takes_these_scores():
    true, probabilities = honest(300)
    albums = np.arange(300) // 10
    interval = evaluation.album_bootstrap(evaluation.log_loss, true, probabilities, albums, seed=0)
    assert interval.low < evaluation.log_loss(true, probabilities) == interval.estimate < interval.high


# ---- Albums ----


def test_the_likelihood_of_an_album_effect_by_integration():
    """Three albums of twenty, against scipy's integral."""
    confidence, album = 0.7, np.repeat([0, 1, 2], 20)
    right = (np.arange(60) % 20 < np.array([17, 9, 14])[album]).astype(int)

    def log_likelihood(album_sd):
        logit = np.log(confidence / (1 - confidence)) * np.sqrt(1 + 0.34584 * album_sd**2)

        def density(effect, those):
            chance = 1 / (1 + np.exp(-(logit + album_sd * effect)))
            return np.prod(np.where(those, chance, 1 - chance)) * norm.pdf(effect)

        return sum(np.log(quad(density, -8, 8, (right[album == name],))[0]) for name in range(3))

    wanted = max(np.arange(0, 2.05, 0.1), key=log_likelihood)
    assert 0 < wanted < 2
    y_prob = np.tile([confidence, 1 - confidence], (60, 1))
    assert evaluation.album_effect(1 - right, y_prob, album) == pytest.approx(wanted)


def labels_with_albums(probabilities, album, album_sd, rng):
    """Labels of a calibrated network that is right in some albums more often than in others."""
    right = drawn_right(probabilities.max(axis=1), album, album_sd, rng)
    others = np.where(probabilities == probabilities.max(axis=1, keepdims=True), 0, probabilities).cumsum(1)
    wrong = (others > rng.random((len(album), 1)) * others[:, -1:]).argmax(axis=1)
    return np.where(right, probabilities.argmax(axis=1), wrong)


@pytest.mark.parametrize("album_sd", [0, 0.6, 1.2])
def test_the_fitted_album_effect_is_near_the_true_one(album_sd):
    album, rng = fold_four()[0][::4], np.random.default_rng(0)
    fitted = []
    for _ in range(8):
        probabilities = rng.dirichlet(np.full(8, 0.35), len(album))
        labels = labels_with_albums(probabilities, album, album_sd, rng)
        fitted.append(evaluation.album_effect(labels, probabilities, album))
    assert np.mean(fitted) == pytest.approx(album_sd, abs=0.15)
    assert np.std(fitted) < 0.4


def test_names_and_order_of_albums_do_not_matter_to_their_effect():
    album, rng = np.repeat(np.arange(30), 8), np.random.default_rng(2)
    probabilities = rng.dirichlet(np.ones(4), 240)
    labels = labels_with_albums(probabilities, album, 1, rng)
    found = evaluation.album_effect(labels, probabilities, album)
    order = rng.permutation(240)
    names = np.array([f"album {number}" for number in album[order]])
    assert evaluation.album_effect(labels[order], probabilities[order], names) == found > 0


@pytest.mark.parametrize("album_sd", [0, 0.6, 1.5])
def test_drawn_labels_are_as_frequent_as_stated(album_sd):
    """With one face an album nothing but the chances remains: of the likeliest label and of the others."""
    album = np.arange(60_000)
    probabilities = np.tile([0.1, 0.6, 0.25, 0.05], (len(album), 1))
    for label, chance in enumerate(probabilities[0]):
        (share,) = evaluation.calibrated_scores(
            lambda drawn, _, label=label: np.mean(drawn == label),
            probabilities,
            album,
            album_sd=album_sd,
            seed=0,
            n_draws=1,
        )
        assert share == pytest.approx(chance, abs=0.004 + 0.005 * album_sd)


def test_without_an_effect_albums_do_not_matter_and_with_one_they_do():
    _, probabilities = honest(400)

    def scores(album, album_sd):
        asked = {"album_sd": album_sd, "seed": 3, "n_draws": 60}
        score = evaluation.expected_calibration_error
        return evaluation.calibrated_scores(score, probabilities, album, **asked)

    one, each = np.zeros(400, dtype=int), np.arange(400)
    assert scores(one, 0).mean() == pytest.approx(scores(each, 0).mean(), abs=0.005)
    assert scores(one, 1).mean() > 2 * scores(each, 1).mean()
    np.testing.assert_array_equal(scores(one, 1), scores(one, 1))


def test_album_effects_raise_what_a_calibrated_network_scores_on_fold_four():
    """The upper end grows by about a half at an effect of 0.3 logits, and is twice as high at 0.6."""
    album = fold_four()[0]
    probabilities = np.random.default_rng(0).dirichlet(np.full(8, 0.25), len(album))
    upper = [
        np.percentile(
            evaluation.calibrated_scores(
                evaluation.expected_calibration_error, probabilities, album, album_sd=album_sd, seed=0
            ),
            95,
        )
        for album_sd in (0, 0.3, 0.6)
    ]
    assert upper == pytest.approx([0.034, 0.046, 0.07], abs=0.006)


def test_an_error_of_calibration_is_still_found_beyond_the_album_effects():
    """The null's upper end holds 95 % of calibrated networks, and not one that is much too sure."""
    album, rng = fold_four()[0], np.random.default_rng(4)
    probabilities = rng.dirichlet(np.full(8, 0.35), len(album))
    score = evaluation.expected_calibration_error
    null = evaluation.calibrated_scores(score, probabilities, album, album_sd=0.6, seed=1)
    independent = evaluation.calibrated_scores(score, probabilities, album, album_sd=0, seed=1)
    scores = [score(labels_with_albums(probabilities, album, 0.6, rng), probabilities) for _ in range(100)]
    assert np.mean(scores > np.percentile(null, 95)) < 0.1
    assert np.mean(scores > np.percentile(independent, 95)) > 0.3
    too_sure = evaluation.temperature_scaling(probabilities, 0.4)
    labels = labels_with_albums(probabilities, album, 0.6, rng)
    null = evaluation.calibrated_scores(score, too_sure, album, album_sd=0.6, seed=1)
    assert score(labels, too_sure) > null.max()


# ---- What is refused ----


def test_an_album_for_each_face_and_an_effect_that_can_be_are_needed():
    with pytest.raises(ValueError, match="one entry a face each"):
        evaluation.album_effect([0, 1], [[0.5, 0.5], [0.6, 0.4]], ["a"])
    for album, album_sd, message in ((["a"], 0, "one entry a face each"), (["a", "b"], -1, "0 or more")):
        with pytest.raises(ValueError, match=message):
            evaluation.calibrated_scores(
                evaluation.log_loss, [[0.5, 0.5], [0.6, 0.4]], album, album_sd=album_sd, seed=0
            )


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("true", "probabilities", "message"),
    [
        ([0, 1], [[0.5, 0.5]], "one entry a face each"),
        ([2], [[0.5, 0.5]], "only 2 labels"),
        ([0.5], [[0.5, 0.5]], "whole numbers"),
        ([0], [[0.5, 0.9]], "sum to 1"),
        ([0], [0.5, 0.5], "shape"),
        ([], np.zeros((0, 2)), "shape"),
    ],
)
def test_what_does_not_belong_together_is_refused(function, true, probabilities, message):
    with pytest.raises(ValueError, match=message):
        function(np.array(true), probabilities)


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(ValueError, match="above 0"):
        evaluation.temperature_scaling([[0.5, 0.5]], temperature)

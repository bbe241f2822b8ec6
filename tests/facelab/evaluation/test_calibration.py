"""Probabilities and what to do with them: by hand, by their properties, and by drawing from the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelab import evaluation

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


# ---- What is refused ----


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

"""What scores and decisions refuse."""

import numpy as np
import pytest

from facelab import evaluation as ev
from tests.facelab.evaluation.conftest import SCORES


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

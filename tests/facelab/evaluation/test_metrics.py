"""Scores: by hand where a hand can, and by their properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelab import adience
from facelab import evaluation as ev
from tests.facelab.evaluation.conftest import SCORES, predictions


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

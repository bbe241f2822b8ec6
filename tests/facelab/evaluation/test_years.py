"""Errors in years: by hand where a hand can, and with intervals over albums."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facelab import adience
from facelab import evaluation as ev

SOME = np.array([30.0, 6.0, 71.0, 18.5])
ESTIMATED = np.array([34.5, 5.0, 70.0, 28.5])


def test_the_age_of_a_sure_answer_is_inside_its_group():
    ages = ev.expected_age(np.eye(8))
    np.testing.assert_array_equal(ages, ev.MIDDLE_AGES)
    np.testing.assert_array_equal(ages, [1, 5, 10, 17.5, 28.5, 40.5, 50.5, 70])
    np.testing.assert_array_equal(adience.nearest_groups(ages), np.arange(8))
    assert ev.years_outside(np.arange(8), ages) == 0


def test_the_expected_age_by_hand():
    torn = np.zeros((2, 8))
    torn[0, [0, 4]] = 0.25, 0.75
    torn[1] = 1 / 8
    expected = [0.25 * 1 + 0.75 * 28.5, (1 + 5 + 10 + 17.5 + 28.5 + 40.5 + 50.5 + 70) / 8]
    assert ev.expected_age(torn) == pytest.approx(expected)


@given(arrays(float, (5, 8), elements=st.floats(0.01, 1)))
def test_no_age_is_outside_of_the_scale(weights):
    ages = ev.expected_age(weights / weights.sum(axis=1, keepdims=True))
    assert (ages >= 1).all()
    assert (ages <= 70).all()


def test_rounding_does_not_carry_an_age_past_the_scale():
    assert ev.expected_age(np.eye(8)[[7]] * 1.0009).tolist() == [70]


def test_the_errors_in_years_by_hand():
    assert ev.mae_in_years(SOME, ESTIMATED) == pytest.approx((4.5 + 1 + 1 + 10) / 4)
    shares = {k: ev.cumulative_score(SOME, ESTIMATED, k) for k in (0, 1, 4.4, 4.5, 9, 10)}
    assert shares == {0: 0, 1: 0.5, 4.4: 0.5, 4.5: 0.75, 9: 0.75, 10: 1}


def test_the_distance_to_the_group_by_hand():
    groups = np.array([4, 4, 4, 4, 0, 7, 7])
    estimated = np.array([25.0, 32.0, 22.0, 34.5, 2.5, 57.0, 99.0])
    assert ev.years_outside(groups, estimated) == pytest.approx((0 + 0 + 3 + 2.5 + 0.5 + 3 + 0) / 7)


@given(arrays(float, 6, elements=st.floats(0, 100)), arrays(float, 6, elements=st.floats(0, 100)))
def test_outside_of_a_group_is_never_further_than_the_age_in_it(true, estimated):
    groups = adience.nearest_groups(true)
    first, last = np.array([adience.years(group) for group in adience.AGE_GROUPS]).T
    inside = np.clip(true, first[groups], last[groups])
    assert ev.years_outside(groups, estimated) <= ev.mae_in_years(inside, estimated) + 1e-9


@pytest.mark.parametrize(
    ("metric", "true"),
    [
        (ev.mae_in_years, SOME),
        (partial(ev.cumulative_score, k=5), SOME),
        (ev.years_outside, adience.nearest_groups(SOME)),
    ],
)
def test_each_is_a_metric_for_intervals_over_albums(metric, true):
    albums = ["a", "a", "b", "c"]
    interval = ev.album_bootstrap(metric, true, ESTIMATED, albums, seed=0)
    assert interval.estimate == metric(true, ESTIMATED)
    assert interval.low < interval.estimate < interval.high
    paired = ev.paired_album_bootstrap(metric, true, ESTIMATED, ESTIMATED, albums, seed=0)
    assert paired == (0, 0, 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ev.expected_age(np.eye(7)), "eight|8 age groups"),
        (lambda: ev.expected_age(np.eye(8) / 2), "sum to 1"),
        (lambda: ev.mae_in_years([30, np.nan], [30, 31]), "missing or not finite"),
        (lambda: ev.mae_in_years([30], [30, 31]), "one entry a face"),
        (lambda: ev.mae_in_years([[30]], [[30]]), "shape"),
        (lambda: ev.cumulative_score([30], [30], -1), "from 0, not -1"),
        (lambda: ev.cumulative_score([], [], 5), "no faces"),
        (lambda: ev.years_outside([8], [30]), "label 8"),
        (lambda: ev.years_outside([4.0], [30]), "whole numbers"),
        (lambda: ev.years_outside([4], [np.inf]), "missing or not finite"),
        (lambda: ev.years_outside([4, 4], [30]), "one entry a face"),
    ],
)
def test_what_is_no_age_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()

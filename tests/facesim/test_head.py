from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesim.bank import ANCESTRIES, SEXES
from facesim.face import Face
from facesim.head import age_weights, target_weights

YEARS = st.floats(0.0, 100.0)


@given(YEARS)
def test_shares_of_the_four_ages_sum_to_one(age: float) -> None:
    weights = age_weights(age)
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= -1e-12


def test_a_head_is_one_age_alone_where_it_was_sculpted() -> None:
    assert age_weights(0.5) == pytest.approx((1, 0, 0, 0))
    assert age_weights(24) == pytest.approx((0, 0, 1, 0))
    assert age_weights(90) == pytest.approx((0, 0, 0, 1))


@given(YEARS, YEARS)
def test_a_baby_grows_and_an_old_face_stays_old(one: float, other: float) -> None:
    younger, older = sorted((one, other))
    assert age_weights(younger)[0] >= age_weights(older)[0]
    assert age_weights(younger)[3] <= age_weights(older)[3]


@given(YEARS, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.sampled_from(ANCESTRIES))
def test_shares_of_the_whole_heads_sum_to_one(
    adult: Face, age: float, masculinity: float, fatness: float, one: str
) -> None:
    shares = {f"ancestry_{name}": float(name == one) for name in ANCESTRIES}
    weights = target_weights(
        replace(adult, age_years=age, masculinity=masculinity, fatness=fatness, **shares)
    )
    for kinds in (ANCESTRIES, ("universal",)):
        names = tuple(f"{kind}-{sex}-" for kind in kinds for sex in SEXES)
        whole = [value for name, value in weights.items() if name.startswith(names)]
        assert sum(whole) == pytest.approx(1.0)
        assert min(whole) >= -1e-9
    male = sum(
        value
        for name, value in weights.items()
        if name.startswith(tuple(f"{kind}-male-" for kind in ANCESTRIES))
    )
    assert male == pytest.approx(masculinity, abs=1e-6)


def distance(one: Face, other: Face) -> float:
    """How far apart two faces' weights are."""
    first, second = target_weights(one), target_weights(other)
    return float(np.sqrt(sum((first.get(name, 0) - second.get(name, 0)) ** 2 for name in first | second)))


def test_the_same_identity_is_the_same_head_and_another_is_another(adult: Face) -> None:
    assert target_weights(adult) == target_weights(replace(adult, hair_style="long01", yaw_deg=30.0))
    assert distance(adult, replace(adult, identity=99)) > 0.3


def test_relatives_look_more_alike_than_strangers(adult: Face) -> None:
    people = [replace(adult, identity=1000 + number) for number in range(40)]
    strangers = [replace(person, family=2000 + number) for number, person in enumerate(people)]
    kin = np.mean([distance(one, other) for one, other in itertools.pairwise(people)])
    others = np.mean([distance(one, other) for one, other in zip(people, strangers[1:], strict=False)])
    assert kin < 0.95 * others


def test_infants_heads_differ_less_than_adults_do(adult: Face) -> None:
    def spread(age: float) -> float:
        grown = replace(adult, age_years=age)
        return float(np.mean([distance(grown, replace(grown, identity=number)) for number in range(20)]))

    assert spread(1.0) < 0.8 * spread(28.0)


@pytest.mark.parametrize(
    "cause", ["smile", "mouth_open", "brow_raise", "squint", "blink", "gaze_x", "gaze_y"]
)
def test_an_expression_moves_only_units_of_the_face(adult: Face, cause: str) -> None:
    still, moved = target_weights(adult), target_weights(replace(adult, **{cause: 0.8}))
    changed = {name for name in still | moved if still.get(name, 0.0) != moved.get(name, 0.0)}
    assert changed
    assert all(name.startswith("unit-") for name in changed)

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import pytest

from facelab.adience import AGE_GROUPS, years
from facesim import sweeps
from facesim.sweeps import Counterfactual, plan

IDENTITIES = 12
VALUES = {
    "age": [f"{age:g}" for age in sweeps.AGES],
    "masculinity": [f"{value:g}" for value in sweeps.MASCULINITIES],
    "ancestry": list(sweeps.ANCESTRIES),
    "light": [f"{azimuth:g}" for azimuth in sweeps.LIGHT_AZIMUTHS],
    "glasses": list(sweeps.GLASSES),
    "hair": list(sweeps.HAIR_STYLES),
}
# What of a face a sweep may change; the pictures of the light's sweep share one lamp but for its direction.
CHANGED = {
    "age": {"age_years"},
    "masculinity": {"masculinity"},
    "ancestry": {"ancestry_african", "ancestry_asian", "ancestry_caucasian"},
    "light": {"light_azimuth_deg"},
    "glasses": {"glasses"},
    "hair": {"hair_style"},
}


@pytest.fixture(scope="module")
def planned() -> list[Counterfactual]:
    return plan(1, IDENTITIES)


@pytest.fixture(scope="module")
def table(planned: list[Counterfactual]) -> pd.DataFrame:
    rows = [
        {"who": p.identity, "factor": p.factor, "value": p.value, "path": p.path, "seed": p.seed}
        for p in planned
    ]
    return pd.DataFrame(rows).join(pd.DataFrame([asdict(item.face) for item in planned]))


def test_one_seed_gives_one_plan_and_another_another() -> None:
    assert plan(2, 3) == plan(2, 3)
    assert plan(2, 3) != plan(3, 3)


def test_every_identity_has_every_value_of_every_sweep(table: pd.DataFrame) -> None:
    assert table["path"].is_unique
    for (_, factor), sweep in table.groupby(["who", "factor"]):
        assert list(sweep["value"]) == VALUES[factor]
    assert len(table) == IDENTITIES * sum(map(len, VALUES.values()))


@pytest.mark.parametrize("factor", VALUES)
def test_a_sweep_changes_its_cause_and_holds_all_others(table: pd.DataFrame, factor: str) -> None:
    causes = table.columns.difference(["value", "path"])
    for _, sweep in table[table["factor"] == factor].groupby("who"):
        varied = {name for name in causes if len(set(sweep[name])) > 1}
        assert varied == CHANGED[factor]


def test_ages_are_one_in_each_group() -> None:
    for age, group in zip(sweeps.AGES, AGE_GROUPS, strict=True):
        low, high = years(group)
        assert low <= age <= high


def test_identities_are_distinct_and_lean_to_neither_gender(table: pd.DataFrame) -> None:
    assert table["identity"].nunique() == IDENTITIES
    held = table[table["factor"] != "masculinity"]
    assert held["masculinity"].value_counts(normalize=True).to_dict() == {0.25: 0.5, 0.75: 0.5}
    dressed = table[table["factor"] != "hair"].groupby("who")["hair_style"].first()
    assert dressed.nunique() == len(sweeps.HAIR_STYLES)


def test_nothing_hides_the_face(table: pd.DataFrame) -> None:
    assert (table["beard"] == "none").all()
    assert (table.loc[table["factor"] != "glasses", "glasses"] == "none").all()
    assert table["yaw_deg"].abs().max() < 35
    assert table["blink"].max() == 0

from __future__ import annotations

import inspect
import re
from dataclasses import asdict, fields

import numpy as np
import pandas as pd
import pytest

from facelab.adience import AGE_GROUPS, GENDERS, years
from facesim import people
from facesim.face import BEARDS, EYE_COLOURS, GLASSES, HAIR_STYLES, Face
from facesim.people import LARGEST_SUBJECT, WRONG_AGE, WRONG_GENDER, Subject, draw_photograph, draw_subjects

SIZE = 10_000


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    return draw_subjects(1, SIZE)


@pytest.fixture(scope="module")
def faces(subjects: list[Subject]) -> pd.DataFrame:
    """The first photograph of each subject, with what was written of it."""
    written = {
        "written_gender": [s.written_gender for s in subjects],
        "written_age": [s.written_age for s in subjects],
    }
    true = {"true_gender": [s.true_gender for s in subjects]}
    return pd.DataFrame([asdict(draw_photograph(subject, 0)) for subject in subjects]).assign(
        **written, **true
    )


# ---- Who is in the data set ------------------------------------------------------------------------------


def test_one_seed_gives_the_same_people_and_another_gives_others() -> None:
    assert draw_subjects(7, 500) == draw_subjects(7, 500)
    ones, others = ({subject.seed for subject in draw_subjects(seed, 500)} for seed in (7, 8))
    assert not ones & others


def test_every_cell_of_the_benchmark_is_there_in_proportion(subjects: list[Subject]) -> None:
    with (people.files("facesim") / "benchmark_counts.csv").open() as lines:
        counts = pd.read_csv(lines, keep_default_na=False).set_index(["fold", "age", "gender"])["photographs"]
    drawn = pd.Series(0, index=counts.index)
    for subject in subjects:
        drawn[subject.fold, subject.written_age, subject.written_gender] += subject.photographs
    wanted = counts * SIZE / counts.sum()
    assert (drawn - wanted).abs().max() < 1  # rounded, up or down
    assert drawn.sum() == pytest.approx(SIZE, rel=0.01)


def test_an_album_is_in_one_fold_and_a_subject_in_one_album(subjects: list[Subject]) -> None:
    folds = pd.DataFrame({"album": [s.album.user_id for s in subjects], "fold": [s.fold for s in subjects]})
    assert not folds.drop_duplicates()["album"].duplicated().any()
    assert set(folds["fold"]) == set(range(5))
    # Some of those that are drawn get nobody.
    assert 0.7 < folds["album"].nunique() / (5 * people.ALBUMS_PER_FOLD) <= 1
    assert len({s.face_id for s in subjects}) == len(subjects)
    assert len({s.seed for s in subjects}) == len(subjects)


def test_albums_are_as_uneven_as_those_of_the_benchmark(subjects: list[Subject]) -> None:
    photographs = (
        pd.Series([s.photographs for s in subjects]).groupby([s.album.user_id for s in subjects]).sum()
    )
    largest = photographs.sort_values(ascending=False)
    assert largest.iloc[: len(largest) // 10].sum() > 0.3 * photographs.sum()


def test_subjects_are_seen_once_to_thirty_times(subjects: list[Subject]) -> None:
    sizes = [subject.photographs for subject in subjects]
    assert (min(sizes), max(sizes)) == (1, LARGEST_SUBJECT)
    assert LARGEST_SUBJECT == 30
    assert 3 < np.mean(sizes) < 9


def test_families_live_in_albums(subjects: list[Subject]) -> None:
    assert all(subject.family in subject.album.families for subject in subjects)
    home = pd.Series([s.album.user_id for s in subjects]).groupby([s.family for s in subjects]).nunique()
    assert home.max() == 1
    assert len(home) < 0.4 * len(subjects)


# ---- Labels and what they hide ---------------------------------------------------------------------------


def test_written_genders_are_wrong_as_often_as_the_constant_says(subjects: list[Subject]) -> None:
    labelled = [subject for subject in subjects if subject.written_gender in GENDERS]
    wrong = np.mean([subject.written_gender != subject.true_gender for subject in labelled])
    spread = (WRONG_GENDER * (1 - WRONG_GENDER) / len(labelled)) ** 0.5
    assert abs(wrong - WRONG_GENDER) < 4 * spread
    assert {subject.true_gender for subject in subjects} == set(GENDERS)


def test_written_ages_stray_to_a_neighbouring_group_as_often_as_the_constant_says(
    subjects: list[Subject],
) -> None:
    middles = np.array([sum(years(group)) / 2 for group in AGE_GROUPS[:-1]] + [75.0])
    strayed, count = 0, 0
    for subject in subjects:
        if subject.written_age not in AGE_GROUPS:
            continue
        place = AGE_GROUPS.index(subject.written_age)
        low, high = years(subject.written_age)
        count += 1
        # Half way to the neighbours' middles: further than an annotator's slack of a few per cent.
        below = (middles[place - 1] + low) / 2 if place else 0
        above = (middles[place + 1] + high + 1) / 2 if place < 7 else 100
        strayed += not below <= subject.age_years <= above
    assert 0.5 * WRONG_AGE < strayed / count < 1.5 * WRONG_AGE


def test_ages_follow_what_is_written(subjects: list[Subject]) -> None:
    for subject in subjects:
        assert 0.3 <= subject.age_years <= 95.0
        if subject.written_age.isdecimal():
            age = int(subject.written_age)
            assert 0.85 * age <= subject.age_years <= 1.15 * (age + 1)
    unlabelled = [subject.age_years for subject in subjects if subject.written_age == "None"]
    assert min(unlabelled) < 10
    assert max(unlabelled) > 50


# ---- What they look like ----------------------------------------------------------------------------------


def documented_ranges() -> dict[str, tuple[float, float]]:
    """The range of each number of a face as the comment beside it says, [0, 1] where it says nothing."""
    ranges = {}
    for line in inspect.getsource(Face).splitlines():
        if field := re.match(r"    (\w+): (float|int)(?:  # (.*))?$", line):
            name, kind, comment = field.groups()
            said = re.search(r"(-?\d[\d.]*) … (-?\d[\d.]*)", comment or "")
            if said or kind == "float":
                ranges[name] = (float(said[1]), float(said[2])) if said else (0.0, 1.0)
    return ranges


def test_every_cause_is_within_its_documented_range(faces: pd.DataFrame) -> None:
    ranges = documented_ranges()
    assert {field.name for field in fields(Face) if field.type == "float"} <= set(ranges)
    for name, (low, high) in ranges.items():
        assert low <= faces[name].min(), name
        assert faces[name].max() <= high, name
        # A range of which the data set uses little would be a wrong one.
        assert np.ptp(faces[name]) > 0.2 * (high - low), name


def test_every_choice_is_one_that_the_renderer_has(faces: pd.DataFrame) -> None:
    for name, choices in {
        "beard": BEARDS,
        "glasses": GLASSES,
        "eye_colour": EYE_COLOURS,
        "hair_style": HAIR_STYLES,
    }.items():
        assert set(faces[name]) <= set(choices)
        assert faces[name].nunique() > 0.7 * len(choices)


def test_ancestry_is_a_mixture(faces: pd.DataFrame) -> None:
    shares = faces[["ancestry_african", "ancestry_asian", "ancestry_caucasian"]]
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert shares.mean().min() > 0.08


def test_a_subject_keeps_its_looks_and_changes_its_pose(subjects: list[Subject]) -> None:
    often_seen = [subject for subject in subjects if subject.photographs > 5][:20]
    for subject in often_seen:
        shown = pd.DataFrame(
            [asdict(draw_photograph(subject, number)) for number in range(subject.photographs)]
        )
        kept = [*people.draw_person(subject)]
        kept.remove("glasses")  # now and then sunglasses
        assert len(shown[kept].drop_duplicates()) == 1
        assert shown["yaw_deg"].nunique() == subject.photographs
        assert set(shown["background"]) <= set(subject.album.places)
        assert shown["jpeg_quality"].eq(subject.album.jpeg_quality).all()
    assert draw_photograph(often_seen[0], 3) == draw_photograph(often_seen[0], 3)


def test_children_wear_no_beards_make_up_grey_hair_or_glasses(faces: pd.DataFrame) -> None:
    infants, children = faces[faces["age_years"] < 3], faces[faces["age_years"] < 13]
    assert (children["beard"] == "none").all()
    assert (children["makeup"] == 0).all()
    assert children["grey"].max() < 0.05
    assert (infants["glasses"] == "none").all()
    old = faces[faces["age_years"] > 65]
    assert old["grey"].mean() > 0.3
    assert (old["glasses"] != "none").mean() > 0.2


def test_no_single_accessory_decides_the_gender(faces: pd.DataFrame) -> None:
    """Each hair style, and no glasses, that is frequent at all is worn by both; beards are a man's."""
    grown = faces[faces["age_years"] > 16]
    men = grown["true_gender"].eq("m")
    assert men[grown["beard"] != "none"].all()
    for column in ("hair_style", "glasses"):
        share = men.groupby(grown[column]).agg(["mean", "size"])
        frequent = share.loc[share["size"] > 0.05 * len(grown), "mean"]
        assert len(frequent) >= 2
        both = frequent.between(0.03, 0.97)
        assert both.mean() > 0.6, frequent

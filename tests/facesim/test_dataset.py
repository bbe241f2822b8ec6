from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facelab import adience
from facesim import dataset
from facesim.dataset import DOUBLED_ROWS, TYPOS_IN_FOLD_0, Photograph, annotations, factors, plan


@pytest.fixture(scope="module")
def planned() -> list[Photograph]:
    return plan(1, 1500)


@pytest.fixture(scope="module")
def rendered(planned: list[Photograph], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set as planned, in which every photograph is an empty file."""
    folder = tmp_path_factory.mktemp("data")
    for item in planned:
        path = folder / item.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    adience.write_folds(annotations(planned, 1), folder)
    return folder


def test_one_seed_gives_one_plan_and_another_another() -> None:
    assert plan(3, 200) == plan(3, 200)
    ones, others = ({item.path for item in plan(seed, 200)} for seed in (3, 4))
    assert not ones & others


def test_every_photograph_has_a_place_of_its_own(planned: list[Photograph]) -> None:
    assert len({item.path for item in planned}) == len(planned)
    assert len(planned) == sum(subject.photographs for subject in {item.subject for item in planned})


def test_the_reader_finds_exactly_the_planned_photographs(planned: list[Photograph], rendered: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing missing, no unknown label
        table = adience.read_folds(rendered)
    by_path = {item.path: item for item in planned}
    assert set(table["path"]) == set(by_path)
    assert table["path"].is_unique
    for row in table.itertuples():
        subject = by_path[row.path].subject
        assert (row.user_id, row.face_id, row.fold) == (subject.album.user_id, subject.face_id, subject.fold)
        assert row.age_label == subject.written_age  # typos are mended
        assert subject.written_gender == (row.gender if pd.notna(row.gender) else subject.written_gender)
        assert pd.isna(row.gender) == (subject.written_gender not in adience.GENDERS)


def test_rows_are_doubled_and_mistyped_as_in_the_benchmark(planned: list[Photograph], rendered: Path) -> None:
    rows = adience.read_rows(rendered)
    assert len(rows) - len(planned) == round(DOUBLED_ROWS * len(planned)) > 0
    assert len(adience.drop_duplicates(rows)) == len(planned)
    seen = pd.concat([annotations(planned, seed).drop_duplicates() for seed in range(30)])
    meant = seen[seen["fold"].eq(0) & seen["age"].isin(["(25, 32)", "(25, 23)"])]
    share = meant["age"].eq("(25, 23)").mean()
    assert share == pytest.approx(TYPOS_IN_FOLD_0, abs=4 * (TYPOS_IN_FOLD_0 / len(meant)) ** 0.5)
    assert not seen.loc[seen["fold"] > 0, "age"].eq("(25, 23)").any()


def test_annotations_are_the_same_for_the_same_seed(planned: list[Photograph]) -> None:
    pd.testing.assert_frame_equal(annotations(planned, 1), annotations(planned, 1))


def test_annotated_angles_are_those_of_the_finished_picture(planned: list[Photograph]) -> None:
    table = annotations(planned, 1).drop_duplicates()
    sign = np.array([-1 if item.face.mirrored else 1 for item in planned])
    for column, cause, step in (("fiducial_yaw_angle", "yaw_deg", 15), ("tilt_ang", "roll_deg", 5)):
        true = sign * np.array([getattr(item.face, cause) for item in planned])
        assert np.abs(table[column] - true).max() <= step / 2
        assert set(table[column] % step) == {0}


def test_factors_have_a_row_for_every_photograph_of_the_table(
    planned: list[Photograph], rendered: Path
) -> None:
    causes = factors(planned)
    table = adience.read_folds(rendered)
    joined = table.merge(causes, on="path", how="outer", validate="one_to_one", indicator=True)
    assert (joined["_merge"] == "both").all()
    both = joined.dropna(subset="gender")
    assert (both["gender"] == both["true_gender"]).mean() > 0.95
    assert joined.loc[joined["age_group"] == "(60, 100)", "age_years"].mean() > 55


def test_rounding_keeps_a_face_to_four_digits(planned: list[Photograph]) -> None:
    face = planned[0].face
    record = dataset.rounded(face)
    assert record["yaw_deg"] == pytest.approx(face.yaw_deg, abs=5e-5)
    assert record["identity"] == face.identity
    assert record["hair_style"] == face.hair_style
    assert len(str(record["yaw_deg"]).partition(".")[2]) <= 4

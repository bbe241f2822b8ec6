"""The published figures of the benchmark, from its annotation files; they are not part of the project."""

import hashlib
import warnings
from pathlib import Path

import pandas as pd
import pytest

from facelab import adience
from facelab.adience._table import mend_typos


@pytest.fixture(scope="module")
def folds(shared: Path) -> Path:
    folder = shared / "adience-folds"
    if not folder.is_dir():
        pytest.skip(f"no annotation files of the benchmark: {folder} is not there")
    return folder


@pytest.fixture(scope="module")
def table(folds: Path) -> pd.DataFrame:
    with pytest.warns(adience.MissingPhotographsWarning, match="none of 19370 photographs"):
        return adience.read_folds(folds)


def test_the_photographs(table: pd.DataFrame) -> None:
    assert len(table) == 19_370
    assert table["fold"].value_counts(sort=False).tolist() == [4484, 3730, 3894, 3446, 3816]


def test_the_ages(table: pd.DataFrame) -> None:
    assert table["age_group"].notna().sum() == 17_393
    counts = table["age_group"].value_counts(sort=False).tolist()
    assert counts == [2488, 2140, 2124, 1642, 5004, 2293, 830, 872]


def test_usable_for_both_tasks(table: pd.DataFrame) -> None:
    assert len(adience.usable(table, needs=("age_group", "gender"))) == 16_228


def test_the_subjects_and_albums(table: pd.DataFrame) -> None:
    assert table["face_id"].nunique() == 2284
    assert table["user_id"].nunique() == 168
    assert table.groupby("user_id")["fold"].nunique().max() == 1


@pytest.mark.parametrize("fold", adience.FOLDS)
def test_every_split_has_every_label(table: pd.DataFrame, fold: int) -> None:
    parts = adience.split(adience.usable(table, ("age_group", "gender")), fold)
    for part in (
        parts.train,
        parts.validation,
    ):  # fold 1 itself has two infants with a gender: not our choice
        assert part["age_group"].value_counts().min() >= 20
        assert part["gender"].value_counts(normalize=True).min() > 0.4
    assert 0.13 < len(parts.validation) / (len(parts.train) + len(parts.validation)) < 0.17


def test_the_report(folds: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", adience.DataSetWarning)
        counts = adience.report(folds)["rows"]
    assert counts[["read", "exact duplicates", "typos corrected"]].tolist() == [19_487, 117, 72]
    assert counts["age is a group"] + counts["age is another label"] + counts["age not labelled"] == 19_370
    assert counts["has both labels"] == 16_228


def test_cleaning_one_edition_gives_the_other_byte_for_byte(folds: Path, tmp_path: Path) -> None:
    """The checksums are the official files', as the loader of dlordinal 2.7.0 records them.

    The other three folds have the official number of rows; their official files were not at hand to compare.
    """
    adience.write_folds(mend_typos(adience.drop_duplicates(adience.read_rows(folds))), tmp_path)
    md5 = {
        fold: hashlib.md5((tmp_path / f"fold_{fold}_data.txt").read_bytes()).hexdigest() for fold in (0, 2)
    }
    assert md5 == {0: "dda2131b5a4934a67f0acfda8b50a65b", 2: "a156e37bf4292a61ee5e11a06cfc6c5f"}


def test_photographs_of_another_source_come_through_the_same_door(shared: Path) -> None:
    data_dir = shared / "real-faces"
    if not data_dir.is_dir():
        pytest.skip(f"no photographs to measure on: {data_dir} is not there")
    with warnings.catch_warnings():
        warnings.simplefilter("error", adience.DataSetWarning)
        table = adience.read_folds(data_dir)
        nearest = adience.read_folds(data_dir, matching="nearest")
    assert len(table) == 6498
    assert len(adience.usable(table)) == 4920
    assert len(adience.usable(nearest)) == 6498
    assert len(adience.split(adience.usable(table), 2).validation) == 587

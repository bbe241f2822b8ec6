"""Several data sets read as one: nothing of one is mixed up with anything of another."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience, pipeline

Maker = Callable[..., pd.DataFrame]


@pytest.fixture(autouse=True)
def every_warning_is_expected() -> None:
    warnings.simplefilter("error", adience.DataSetWarning)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a data set with photographs of one grey level under a name; give its folder."""

    def write(name: str, annotations: pd.DataFrame, grey: int = 0) -> Path:
        folder = tmp_path / name
        adience.write_folds(annotations, folder)
        for row in annotations.itertuples():
            path = folder / adience.photograph_path(row.user_id, row.face_id, row.original_image)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (16, 16), grey).save(path)
        return folder

    return write


@pytest.fixture
def two(write: Callable[..., Path], five_folds: pd.DataFrame) -> list[Path]:
    """Two data sets with the same albums, subjects and names of images, and other labels."""
    return [write("benchmark", five_folds, 50), write("kin", five_folds.assign(gender="m"), 200)]


def test_the_table_is_that_of_each_with_its_data_set(two: list[Path], tmp_path: Path) -> None:
    table, data_dir = adience.read_several(two)
    alone = [adience.read_folds(folder) for folder in two]
    assert data_dir == tmp_path
    assert list(table) == [*alone[0], "data_set"]
    assert table.dtypes.drop("data_set").to_dict() == alone[0].dtypes.to_dict()
    assert table.index.tolist() == list(range(60))
    assert table["data_set"].tolist() == ["benchmark"] * 30 + ["kin"] * 30
    for name, before in zip(("benchmark", "kin"), alone, strict=True):
        part = table[table["data_set"] == name].reset_index(drop=True)
        same = ["original_image", "fold", "age_label", "age_group", "gender"]
        pd.testing.assert_frame_equal(part[same], before[same])
        assert part["user_id"].tolist() == [f"{name}/{album}" for album in before["user_id"]]
        assert part["path"].tolist() == [f"{name}/{path}" for path in before["path"]]
    assert all((data_dir / path).is_file() for path in table["path"])


def test_albums_and_subjects_of_the_same_name_are_kept_apart(two: list[Path]) -> None:
    table, _ = adience.read_several(two)
    alone = adience.read_folds(two[0])
    assert table["user_id"].nunique() == 2 * alone["user_id"].nunique() == 20
    assert table["face_id"].nunique() == 2 * alone["face_id"].nunique() == 60
    for column in ("user_id", "face_id"):
        assert table.groupby(column)["data_set"].nunique().max() == 1


def test_subjects_of_one_data_set_stay_together(write: Callable[..., Path], annotations: Maker) -> None:
    folds = [{"fold": fold, "user_id": f"{fold}@N"} for fold in range(5)]
    rows = annotations(*({**fold, "face_id": 10**18 - 1 - fold["fold"]} for fold in folds for _ in "ab"))
    rows["face_id"] = rows["face_id"].map(int)
    table, _ = adience.read_several([write("a", rows), write("b", rows.assign(age="(4, 6)"))])
    assert table["face_id"].tolist() == [number // 2 for number in range(20)]


@pytest.mark.parametrize("seed", range(10))
def test_a_split_never_puts_an_album_into_two_parts(two: list[Path], seed: int) -> None:
    table, _ = adience.read_several(two)
    parts = adience.split(table, fold=seed % 5, seed=seed)
    assert sum(map(len, parts)) == 60
    albums = [set(part["user_id"]) for part in parts]
    assert all(albums)
    assert sum(map(len, albums)) == len(set.union(*albums)) == 20
    assert set(parts.test["data_set"]) == {"benchmark", "kin"}
    assert set(parts.test["fold"]) == {seed % 5}


def test_the_pipeline_reads_it_as_any_table(two: list[Path]) -> None:
    table, data_dir = adience.read_several(two)
    target = pipeline.gender_target(table)
    (batch,) = pipeline.batches(table, data_dir, target, pipeline.PixelContract(16, 1), batch_size=60)
    grey = np.round(batch[0].numpy().mean((1, 2, 3)) * 255)
    assert grey.tolist() == pytest.approx([50] * 30 + [200] * 30, abs=1)


def test_data_sets_of_one_name_in_two_places_and_one_inside_another_have_names_of_their_own(
    write: Callable[..., Path], five_folds: pd.DataFrame
) -> None:
    folders = [
        write("here/faces", five_folds),
        write("there/faces", five_folds.assign(age="None")),
        write("here", five_folds.assign(gender="f")),
    ]
    table, data_dir = adience.read_several(folders)
    assert table["data_set"].unique().tolist() == ["here/faces", "there/faces", "here"]
    assert all((data_dir / path).is_file() for path in table["path"])


def test_one_folder_in_the_list_will_do(two: list[Path]) -> None:
    table, data_dir = adience.read_several([str(two[0])])
    assert data_dir == two[0].parent
    assert len(adience.usable(table)) == 30


def test_nearest_groups_are_asked_for_as_of_one_data_set(
    write: Callable[..., Path], five_folds: pd.DataFrame
) -> None:
    folders = [write("a", five_folds.assign(age="35")), write("b", five_folds)]
    assert adience.read_several(folders)[0]["age_group"].isna().sum() == 30
    assert adience.read_several(folders, matching="nearest")[0]["age_group"].isna().sum() == 0


# ---- What is refused, and what is warned of ----------------------------------------------------------------


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(adience.DataSetError, match="list of data sets is empty: name one folder"):
        adience.read_several([])


def test_a_folder_instead_of_a_list_is_refused(two: list[Path]) -> None:
    for folder in (two[0], str(two[0])):
        with pytest.raises(adience.DataSetError, match="is one folder: give a list"):
            adience.read_several(folder)


def test_a_folder_that_stands_twice_is_refused_whatever_it_is_called(two: list[Path], tmp_path: Path) -> None:
    names = [two[0], tmp_path / "kin" / ".." / "benchmark"]
    if os.name == "posix":  # a link needs special rights on Windows
        names.append(tmp_path / "link")
        names[-1].symlink_to(two[0], target_is_directory=True)
    for again in names:
        with pytest.raises(adience.DataSetError, match=rf"{re.escape(str(two[0]))} stands twice"):
            adience.read_several([*two, again])


def test_a_copy_of_a_data_set_is_refused(write: Callable[..., Path], five_folds: pd.DataFrame) -> None:
    folders = [write("one", five_folds), write("copy", five_folds)]
    with pytest.raises(adience.DataSetError, match="one and copy have the same annotations"):
        adience.read_several(folders)


def test_an_error_names_the_folder(
    two: list[Path], write: Callable[..., Path], annotations: Maker, tmp_path: Path
) -> None:
    with pytest.raises(adience.DataSetError, match=r"nowhere is not a data set"):
        adience.read_several([*two, tmp_path / "nowhere"])
    same = {"face_id": 1, "original_image": "a.jpg"}
    contradiction = annotations({**same, "age": "(4, 6)"}, same, *({"fold": fold} for fold in range(1, 5)))
    folder = write("contradiction", contradiction)
    with pytest.raises(
        adience.DataSetError, match=rf"^{re.escape(str(folder))}: 1 photographs are annotated twice"
    ):
        adience.read_several([*two, folder])


def test_a_warning_names_the_folder_and_the_caller(
    two: list[Path], write: Callable[..., Path], five_folds: pd.DataFrame
) -> None:
    strange = write("strange", five_folds.assign(age=["old", *five_folds["age"][1:]]))
    message = rf"^{re.escape(str(strange))}: 1 rows have an unknown age"
    with pytest.warns(adience.UnknownLabelsWarning, match=message) as caught:
        adience.read_several([*two, strange])
    assert [warning.filename for warning in caught] == [__file__]

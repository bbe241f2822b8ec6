import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from facelab import adience

Maker = Callable[..., pd.DataFrame]
DataSetMaker = Callable[..., Path]


@pytest.fixture(autouse=True)
def every_warning_is_expected() -> None:
    warnings.simplefilter("error", adience.DataSetWarning)


# ---- The table --------------------------------------------------------------------------------------------


def test_the_table_is_the_contract(five_folds: pd.DataFrame, make_data_set: DataSetMaker) -> None:
    data_dir = make_data_set(five_folds)
    table = adience.read_folds(str(data_dir))
    assert list(table) == [
        "user_id", "face_id", "original_image", "fold", "age_label", "age_group", "gender", "path",
    ]  # fmt: skip
    assert table.index.tolist() == list(range(30))
    assert table["age_group"].cat.categories.tolist() == list(adience.AGE_GROUPS)
    assert table["age_group"].cat.ordered
    assert table["gender"].cat.categories.tolist() == ["f", "m"]
    assert table["face_id"].tolist() == five_folds["face_id"].tolist()
    assert table["age_label"].tolist() == table["age_group"].tolist() == five_folds["age"].tolist()
    assert table["gender"].tolist() == five_folds["gender"].tolist()
    assert all((data_dir / path).is_file() for path in table["path"])


def test_labels_that_say_nothing_are_missing(annotations: Maker, make_data_set: DataSetMaker) -> None:
    rows = [{"age": "None"}, {"age": ""}, {"age": "35"}, {"age": "(27, 32)"}, {"gender": "u"}, {"gender": ""}]
    data_dir = make_data_set(annotations(*rows, *({"fold": fold} for fold in range(1, 5))))
    table = adience.read_folds(data_dir)
    assert table["age_group"].isna().tolist() == [True] * 4 + [False] * 6
    assert table["gender"].isna().tolist() == [False] * 4 + [True] * 2 + [False] * 4
    nearest = adience.read_folds(data_dir, matching="nearest")
    assert nearest["age_group"].tolist()[2:4] == ["(25, 32)", "(25, 32)"]
    assert nearest["age_group"].isna().tolist() == [True] * 2 + [False] * 8
    assert nearest["age_label"].tolist()[2:4] == ["35", "(27, 32)"]


def test_a_set_without_any_label_can_be_read(five_folds: pd.DataFrame, make_data_set: DataSetMaker) -> None:
    table = adience.read_folds(make_data_set(five_folds.assign(age="None", gender="")))
    assert table["age_group"].isna().all()
    assert table["gender"].isna().all()
    assert table["age_group"].cat.categories.tolist() == list(adience.AGE_GROUPS)


def test_both_editions_give_one_table(annotations: Maker, make_data_set: DataSetMaker) -> None:
    folds = [{"fold": fold} for fold in range(1, 5)]
    official = make_data_set(annotations({}, {"age": "(4, 6)"}, *folds))
    expected = adience.read_folds(official)
    path = official / "fold_0_data.txt"
    header, first, second = path.read_text().splitlines()
    slip = first.replace("(25, 32)", "(25, 23)")
    path.write_text("\n".join([header, slip, second, slip, second, ""]))
    pd.testing.assert_frame_equal(adience.read_folds(official), expected)
    assert adience.report(official)["rows"][["exact duplicates", "typos corrected"]].tolist() == [2, 1]


def test_other_files_are_left_alone(five_folds: pd.DataFrame, make_data_set: DataSetMaker) -> None:
    data_dir = make_data_set(five_folds)
    expected = adience.read_folds(data_dir)
    for name in ("fold_frontal_0_data.txt", "fold_5_data.txt", "factors.csv", "faces/stray.txt"):
        (data_dir / name).write_text("nothing to read")
    pd.testing.assert_frame_equal(adience.read_folds(data_dir), expected)


def test_the_package_is_light() -> None:
    code = (
        "import sys, facelab.adience, facelab.embedded\n"
        "sys.exit(bool({'tensorflow', 'keras', 'facesim'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- Photographs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folders", "used"), [(("faces",), "faces"), (("aligned",), "aligned"), (("aligned", "faces"), "faces")]
)
def test_either_folder_will_do(
    five_folds: pd.DataFrame, make_data_set: DataSetMaker, folders: tuple[str, ...], used: str
) -> None:
    table = adience.read_folds(make_data_set(five_folds, folders))
    assert set(table["path"].str.split("/").str[0]) == {used}


def test_an_empty_faces_folder_does_not_hide_aligned(
    five_folds: pd.DataFrame, make_data_set: DataSetMaker
) -> None:
    data_dir = make_data_set(five_folds, ("aligned",))
    (data_dir / "faces" / "00@N00").mkdir(parents=True)
    assert adience.read_folds(data_dir)["path"].str.startswith("aligned/").all()


def test_missing_photographs_are_counted_and_named(
    five_folds: pd.DataFrame, make_data_set: DataSetMaker
) -> None:
    data_dir = make_data_set(five_folds)
    paths = adience.read_folds(data_dir)["path"]
    for row in (7, 9):
        (data_dir / paths[row]).unlink()
    with pytest.warns(adience.MissingPhotographsWarning) as caught:
        table = adience.read_folds(data_dir)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith(f"2 of 30 photographs are not in {data_dir / 'faces'}")
    assert "fold_1_data.txt, line 3" in message
    assert paths[7] in message
    assert table.index[table["path"].isna()].tolist() == [7, 9]
    assert caught[0].filename == __file__


def test_annotations_alone_can_be_counted(five_folds: pd.DataFrame, make_data_set: DataSetMaker) -> None:
    data_dir = make_data_set(five_folds, folders=())
    message = r"none of 30 photographs .* at faces/00@N00/"
    with pytest.warns(adience.MissingPhotographsWarning, match=message) as caught:
        table = adience.read_folds(data_dir)
    assert len(caught) == 1
    assert table["path"].isna().all()
    assert len(adience.usable(table)) == 0
    assert len(adience.usable(table, needs=("age_group", "gender"))) == 30


# ---- Warnings and errors ----------------------------------------------------------------------------------


def test_missing_folds_are_named(five_folds: pd.DataFrame, make_data_set: DataSetMaker) -> None:
    data_dir = make_data_set(five_folds)
    (data_dir / "fold_1_data.txt").unlink()
    (data_dir / "fold_4_data.txt").unlink()
    with pytest.warns(
        adience.MissingFoldsWarning, match=r"3 of the five folds; there is no fold_1_.*, fold_4_"
    ):
        table = adience.read_folds(data_dir)
    assert table["fold"].unique().tolist() == [0, 2, 3]


def test_unknown_labels_are_counted_and_named(five_folds: pd.DataFrame, make_data_set: DataSetMaker) -> None:
    strange = five_folds.copy()
    strange.loc[[4, 5, 8], "age"] = ["old", "(9-12)", "old"]
    strange.loc[20, "gender"] = "Female"
    with pytest.warns(adience.UnknownLabelsWarning) as caught:
        table = adience.read_folds(make_data_set(strange))
    age, gender = (str(warning.message) for warning in caught)
    assert age.startswith("3 rows have an unknown age label, read as missing: old 2×, (9-12) 1×.")
    assert "fold_0_data.txt, line 6" in age
    assert gender.startswith("1 rows have an unknown gender label, read as missing: Female 1×.")
    assert "fold_3_data.txt, line 4" in gender
    assert table.index[table["age_group"].isna()].tolist() == [4, 5, 8]
    assert table.index[table["gender"].isna()].tolist() == [20]


def test_another_treatment_of_labels_is_refused(
    five_folds: pd.DataFrame, make_data_set: DataSetMaker
) -> None:
    with pytest.raises(ValueError, match="'strict' or 'nearest'"):
        adience.read_folds(make_data_set(five_folds), "loose")


def test_one_photograph_annotated_twice_is_refused(annotations: Maker, make_data_set: DataSetMaker) -> None:
    same = {"original_image": "a.jpg", "face_id": 3}
    data_dir = make_data_set(
        annotations({}, same, *({"fold": f} for f in range(1, 4)), same | {"fold": 4, "age": "3"})
    )
    with pytest.raises(adience.DataSetError) as caught:
        adience.read_folds(data_dir)
    message = str(caught.value)
    assert "fold_0_data.txt, line 3 and fold_4_data.txt, line 2" in message
    assert "Delete one of the two lines" in message


def test_what_is_no_data_set_is_refused(
    five_folds: pd.DataFrame, make_data_set: DataSetMaker, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(adience.DataSetError, match=r"is not a data set: it has no fold_0_data\.txt"):
        adience.read_folds(empty)
    with pytest.raises(adience.DataSetError, match="there is no such folder"):
        adience.read_folds(tmp_path / "elsewhere")
    data_dir = make_data_set(five_folds)
    with pytest.raises(adience.DataSetError, match=f"the fold files are in {data_dir}: put"):
        adience.read_folds(data_dir / "faces")
    with pytest.raises(adience.DataSetError, match=f"the fold files are in {data_dir}: put"):
        adience.read_folds(tmp_path)
    with pytest.raises(adience.DataSetError, match="it is a file"):
        adience.read_folds(data_dir / "fold_0_data.txt")


def test_fold_files_without_rows_are_refused(tmp_path: Path) -> None:
    for fold in adience.FOLDS:
        (tmp_path / f"fold_{fold}_data.txt").write_text("\t".join(adience.COLUMNS) + "\n")
    with pytest.raises(adience.DataSetError, match="not one row"):
        adience.read_folds(tmp_path)


def test_a_damaged_row_stops_the_reading(five_folds: pd.DataFrame, make_data_set: DataSetMaker) -> None:
    data_dir = make_data_set(five_folds)
    path = data_dir / "fold_2_data.txt"
    path.write_text(path.read_text()[:-12])
    with pytest.raises(adience.DataSetError, match=r"fold_2_data.txt, line 7: \d+ fields instead of 12"):
        adience.read_folds(data_dir)


# ---- The report, and what is usable -----------------------------------------------------------------------


def test_the_report_counts_every_step(annotations: Maker, make_data_set: DataSetMaker) -> None:
    rows = [
        {"age": "(25, 23)"}, {"age": "None"}, {"age": "35"}, {"age": "35", "gender": "u"}, {"gender": ""},
        {"age": "old"}, {"gender": "x"}, {"fold": 1},
    ]  # fmt: skip
    data_dir = make_data_set(annotations(*rows))
    path = data_dir / "fold_1_data.txt"
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    (data_dir / adience.photograph_path("7@N01", 7, "7_o.jpg")).unlink()
    report = adience.report(data_dir)
    assert report["rows"].to_dict() == {
        "read": 9,
        "exact duplicates": 1,
        "photographs in the table": 8,
        "typos corrected": 1,
        "age is a group": 4,
        "age is another label": 3,
        "age not labelled": 1,
        "gender is f or m": 5,
        "gender unclear": 1,
        "gender not labelled": 1,
        "gender is another label": 1,
        "photograph missing": 1,
        "has an age group": 4,
        "has both labels": 2,
        "has both labels and a photograph": 1,
    }
    assert report.loc["age is another label", "why"] == "left missing: 35 2×, old 1×"
    nearest = adience.report(data_dir, "nearest")
    assert nearest.loc["has an age group", "rows"] == 6
    assert nearest.loc["age is another label", "why"].startswith("read as the nearest group")


def test_the_report_reads_each_file_once(
    five_folds: pd.DataFrame, make_data_set: DataSetMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = make_data_set(five_folds)
    opened = []
    read_text = Path.read_text
    monkeypatch.setattr(
        Path,
        "read_text",
        lambda path, *rest, **how: opened.append(path.name) or read_text(path, *rest, **how),
    )
    adience.report(data_dir)
    assert opened == [adience.fold_file_name(fold) for fold in adience.FOLDS]


def test_unknown_labels_are_told_of_where_the_data_set_was_read(
    annotations: Maker, make_data_set: DataSetMaker
) -> None:
    data_dir = make_data_set(annotations({"age": "old"}, *({"fold": fold} for fold in range(1, 5))))
    with pytest.warns(adience.UnknownLabelsWarning) as caught:
        adience.read_folds(data_dir)
    assert [warning.filename for warning in caught] == [__file__]


def test_usable_keeps_what_a_task_needs(annotations: Maker, make_data_set: DataSetMaker) -> None:
    data_dir = make_data_set(
        annotations({"age": "35"}, {"gender": "u"}, {}, *({"fold": f} for f in range(1, 5)))
    )
    table = adience.read_folds(data_dir)
    assert adience.usable(table).index.tolist() == [2, 3, 4, 5, 6]
    assert adience.usable(table, ("gender", "path")).index.tolist() == [0, 2, 3, 4, 5, 6]
    assert adience.usable(table, ("age_group",)).index.tolist() == [1, 2, 3, 4, 5, 6]
    assert len(table) == 7

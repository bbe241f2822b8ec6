"""One's own folder becomes a data set: whole, with every fault named, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience, layout, pipeline

LABELS = [("f", "27"), ("m", "(38, 43)"), ("u", "0"), ("", ""), ("m", "35")]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Ten albums of five photographs, each of another grey, and a table of them; gives the table's path."""
    rows = []
    for album in range(10):
        for number, (gender, age) in enumerate(LABELS):
            file = f"family {album}/{number}.png"
            (tmp_path / file).parent.mkdir(exist_ok=True)
            Image.new("L", (30, 20), 20 * album + number).save(tmp_path / file)
            rows.append({"file": file, "album": f"family {album}", "gender": gender, "age": age})
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def changed(table: Path, row: int, column: str, value: str) -> Path:
    """Write one field of the table anew."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    rows.loc[row, column] = value
    rows.to_csv(table, index=False)
    return table


def test_the_loader_reads_what_was_written(own: Path) -> None:
    layout.make_data_set(own, own.parent / "made")
    table = adience.read_folds(own.parent / "made")
    assert len(table) == 50
    assert table["path"].notna().all()
    assert table["fold"].value_counts().to_dict() == dict.fromkeys(range(5), 10)
    assert len(table[["user_id", "fold"]].drop_duplicates()) == 10
    assert table["face_id"].nunique() == 10  # no column of people: an album is one person
    assert table["age_label"].value_counts().to_dict() == dict.fromkeys(
        ["(25, 32)", "(38, 43)", "(0, 2)", "None", "35"], 10
    )
    assert len(adience.usable(table)) == 20
    grey = [int(p[0, 0, 0]) for p in pipeline.photographs(table, own.parent / "made").as_numpy_iterator()]
    album = table["user_id"].str.removeprefix("family ").astype(int)
    assert grey == (20 * album + table["original_image"].str[0].astype(int)).tolist()


def test_people_and_folds_of_the_table_are_kept(own: Path) -> None:
    rows = pd.read_csv(own, dtype=str, keep_default_na=False)
    rows["person"] = rows["file"].str[-5]
    rows["fold"] = (rows.index // 5 % 3).astype(str)
    rows.to_csv(own, index=False)
    written = layout.make_data_set(own, own.parent / "made")
    assert written["face_id"].nunique() == 50
    assert written["fold"].tolist() == (rows.index // 5 % 3).tolist()


def test_the_folds_follow_from_the_seed(own: Path) -> None:
    folds = [
        layout.make_data_set(own, own.parent / f"made{number}", seed)["fold"].tolist()
        for number, seed in enumerate((0, 0, 1))
    ]
    assert folds[0] == folds[1] != folds[2]


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [
        (3, "age", "old", "line 5: age: 'old' is no age label"),
        (3, "gender", "female", "line 5: gender: 'female' is no gender label"),
        (3, "file", "nowhere.png", "line 5: there is no file"),
        (3, "file", "", "line 5: file is empty"),
        (3, "file", "table.csv", "line 5: table.csv cannot be read"),
        (3, "file", "family 0/0.png", "line 5: a second 0.png of the same person as in line 2"),
        (3, "album", "a/b", "line 5: album 'a/b' cannot be the name of a folder"),
        (3, "album", "..", "line 5: album '..' cannot be the name of a folder"),
    ],
)
def test_a_fault_is_named_with_its_line_and_nothing_is_written(
    own: Path, row: int, column: str, value: str, said: str
) -> None:
    before = sorted(own.parent.rglob("*"))
    with pytest.raises(adience.DataSetError) as caught:
        layout.make_data_set(changed(own, row, column, value), own.parent / "made")
    assert said in str(caught.value)
    assert sorted(own.parent.rglob("*")) == before


def test_names_that_differ_in_case_alone_are_the_same_on_some_machines(own: Path) -> None:
    (own.parent / "family 0" / "more").mkdir()
    (own.parent / "family 0" / "0.png").rename(own.parent / "family 0" / "more" / "A.PNG")
    (own.parent / "family 0" / "1.png").rename(own.parent / "family 0" / "a.png")
    changed(own, 0, "file", "family 0/more/A.PNG")
    changed(own, 1, "file", "family 0/a.png")
    with pytest.raises(
        adience.DataSetError, match=r"line 3: a second a\.png of the same person as in line 2"
    ):
        layout.make_data_set(own, own.parent / "made")


def test_all_faults_are_counted_and_ten_named(own: Path) -> None:
    rows = pd.read_csv(own, dtype=str, keep_default_na=False)
    rows["age"] = "old"
    rows.to_csv(own, index=False)
    with pytest.raises(adience.DataSetError) as caught:
        layout.make_data_set(own, own.parent / "made")
    assert str(caught.value).startswith("50 faults")
    assert str(caught.value).count("'old'") == 10
    assert str(caught.value).endswith("and 40 more")


def test_an_age_group_without_quotation_marks_is_named(own: Path) -> None:
    own.write_text("file,album,gender,age\nfamily 0/0.png,a,f,(25, 32)\n", encoding="utf-8")
    with pytest.raises(adience.DataSetError, match=r"table\.csv, line 2: 5 fields instead of 4"):
        layout.make_data_set(own, own.parent / "made")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"file,album,gender\n", r"line 1: the table lacks \['age'\]"),
        (b"file,album,gender,age,race\n", r"line 1: the table has \['race'\]"),
        (b"file,album,gender,age,age\na.jpg,a,f,1,2\n", "line 1: a column stands there twice"),
        (b"file,album,gender,age\n", "has no rows"),
        (b"", r"line 1: the table lacks \['file', 'album', 'gender', 'age'\]"),
        (b"file,album,gender,age\n\xff\xfe,a,f,1\n", "not a comma-separated table"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(own: Path, content: bytes, said: str) -> None:
    own.write_bytes(content)
    with pytest.raises(adience.DataSetError, match=said):
        layout.make_data_set(own, own.parent / "made")


def test_an_album_in_two_folds_is_refused(own: Path) -> None:
    rows = pd.read_csv(own, dtype=str, keep_default_na=False)
    rows["fold"] = (rows.index % 5).astype(str)
    rows.to_csv(own, index=False)
    with pytest.raises(adience.DataSetError, match=r"line 3: album 'family 0' is in fold 1, and in fold 0"):
        layout.make_data_set(own, own.parent / "made")


def test_too_few_albums_to_deal_out_are_refused(own: Path) -> None:
    rows = pd.read_csv(own, dtype=str, keep_default_na=False).head(20)
    rows.to_csv(own, index=False)
    with pytest.raises(adience.DataSetError, match="has 4 albums, and 5 folds need one each"):
        layout.make_data_set(own, own.parent / "made")


def test_what_is_there_is_not_overwritten(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own.parent / "made").mkdir()
    assert layout._main([str(own), str(own.parent / "made")]) == 2
    assert "made is there already" in capsys.readouterr().err
    assert list((own.parent / "made").iterdir()) == []


def test_a_full_disk_leaves_nothing(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(layout.shutil, "copyfile", full)
    before = sorted(own.parent.rglob("*"))
    with pytest.raises(OSError, match="No space left"):
        layout.make_data_set(own, own.parent / "made")
    assert sorted(own.parent.rglob("*")) == before


def test_the_command_says_what_it_made(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layout._main([str(own), str(own.parent / "made")]) == 0
    said = capsys.readouterr().out
    assert "50 photographs of 10 people in 10 albums; 10 ages are between two groups" in said


def test_utkface_names_become_a_table_without_the_race(tmp_path: Path) -> None:
    for name in ("26_1_2_20170116174525125.jpg", "3_0_4_20170116174525125.jpg.chip.jpg", "110_1_0_1.PNG"):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name, "PNG")
    table = layout.utkface_table(tmp_path).set_index("file")
    assert table["age"].to_dict() == {
        "110_1_0_1.PNG": "110",
        "26_1_2_20170116174525125.jpg": "26",
        "3_0_4_20170116174525125.jpg.chip.jpg": "3",
    }
    assert table["gender"].tolist() == ["f", "f", "m"]
    assert table["album"].is_unique
    assert list(table) == ["album", "gender", "age"]


def test_other_names_than_utkfaces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(adience.DataSetError, match=r"has no \.jpg or \.png"):
        layout.utkface_table(tmp_path)
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(adience.DataSetError, match=r"1 names are not age_gender_race_date\.jpg"):
        layout.utkface_table(tmp_path)

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facelab import adience

Maker = Callable[..., pd.DataFrame]

HEADER = "\t".join(adience.COLUMNS)
ROW = "\t".join(["7@N01", "1_o.jpg", "3", "(25, 32)", "f", *"0123456"])


def fold_file(folder: Path, *lines: str, end: str = "\n") -> Path:
    path = folder / "fold_0_data.txt"
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


# ---- The round trip ---------------------------------------------------------------------------------------

names = st.text(
    st.characters(blacklist_characters="/\\\0\t\n\r", blacklist_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda name: name not in (".", ".."))
labels = st.one_of(
    st.sampled_from(adience.AGE_GROUPS), st.integers(0, 99).map(str), st.sampled_from(["None", ""])
)
numbers = st.integers(-2000, 2000)
row = st.fixed_dictionaries(
    {
        "user_id": names,
        "original_image": names,
        "face_id": st.integers(0, 10**9),
        "age": labels,
        "gender": st.sampled_from(["f", "m", "u", ""]),
        **dict.fromkeys(adience.COLUMNS[5:], numbers),
        "fold": st.sampled_from(adience.FOLDS),
    }
)
tables = st.lists(
    row, min_size=1, max_size=8, unique_by=lambda row: (row["user_id"], row["original_image"], row["face_id"])
)


@settings(max_examples=40)
@given(tables)
def test_the_reader_reads_what_the_writer_wrote(rows: list[dict[str, object]]) -> None:
    annotations = pd.DataFrame(rows)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", adience.DataSetWarning)
        adience.write_folds(annotations, folder)
        as_written = adience.read_rows(folder)
        table = adience.read_folds(folder)
    expected = annotations.sort_values("fold", kind="stable", ignore_index=True)
    for column in adience.COLUMNS:
        assert as_written[column].tolist() == expected[column].map(str).tolist(), column
    for column in ("user_id", "face_id", "original_image", "fold"):
        assert table[column].tolist() == expected[column].tolist(), column
    assert table["age_label"].tolist() == expected["age"].tolist()
    known = table["gender"].notna()
    assert table["gender"][known].tolist() == expected["gender"][known].tolist()
    assert expected["gender"][~known].isin(["u", ""]).all()


def test_missing_labels_are_written_as_the_benchmark_does(annotations: Maker, tmp_path: Path) -> None:
    adience.write_folds(annotations({"age": None, "gender": None}), tmp_path)
    fields = (tmp_path / "fold_0_data.txt").read_text().splitlines()[1].split("\t")
    assert fields[3:5] == ["None", ""]


def test_writing_again_replaces_and_leaves_nothing_beside(five_folds: pd.DataFrame, tmp_path: Path) -> None:
    adience.write_folds(five_folds, tmp_path)
    adience.write_folds(five_folds[five_folds["user_id"].str.endswith("0@N00")], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"fold_{fold}_data.txt" for fold in adience.FOLDS
    ]
    assert len(adience.read_rows(tmp_path)) == 15


def test_a_disk_that_is_full_leaves_all_five_files_as_they_were(
    five_folds: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adience.write_folds(five_folds, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write_text = Path.write_text

    def full(path: Path, *arguments: Any, **options: Any) -> int:
        if path.name == "fold_4_data.txt":
            raise OSError("No space left on device")
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        adience.write_folds(five_folds.assign(x=7), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# ---- What the writer refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": "a\tb"}, "tab or a line break"),
        ({"original_image": "a\nb"}, "tab or a line break"),
        ({"age": "3\r"}, "tab or a line break"),
        ({"user_id": "../up"}, "user_id '../up' cannot be the name"),
        ({"original_image": ""}, "original_image '' cannot be the name"),
        ({"face_id": -1}, "face_id '-1' is not a whole number"),
        ({"face_id": "1.5"}, "face_id '1.5' is not a whole number"),
        ({"x": None}, r"missing values in \['x'\]"),
        ({"face_id": "1" * 20}, "face_id '1{20}' has more than 18 digits"),
        ({"fold": 5}, r"has the folds \[5\]"),
        ({"fold": 0.5}, r"has the folds \[0\.5\]"),
        ({"fold": None}, r"has the folds \[nan\]"),
        ({"fold": "one"}, r"has the folds \['one'\]"),
    ],
)
def test_what_no_fold_file_can_hold_is_not_written(
    annotations: Maker, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(adience.DataSetError, match=message):
        adience.write_folds(annotations({}, change), tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("kind", ["float64", "str", "Int64"])
def test_whole_numbers_are_folds_whatever_their_type(
    five_folds: pd.DataFrame, tmp_path: Path, kind: str
) -> None:
    adience.write_folds(five_folds, tmp_path / "as_int")
    adience.write_folds(five_folds.astype({"fold": kind}), tmp_path / "other")
    as_int, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("as_int", "other")
    )
    assert other == as_int
    assert sorted(other) == [f"fold_{fold}_data.txt" for fold in adience.FOLDS]


def test_a_table_without_a_column_or_a_row_is_not_written(five_folds: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(adience.DataSetError, match=r"lacks the columns \['dx', 'fold'\]"):
        adience.write_folds(five_folds.drop(columns=["dx", "fold"]), tmp_path)
    with pytest.raises(adience.DataSetError, match="no rows"):
        adience.write_folds(five_folds.head(0), tmp_path)
    assert not list(tmp_path.iterdir())


def test_folds_of_another_data_set_are_not_mixed_in(five_folds: pd.DataFrame, tmp_path: Path) -> None:
    adience.write_folds(five_folds, tmp_path)
    with pytest.raises(adience.DataSetError, match=r"has \['fold_4_data.txt'\]"):
        adience.write_folds(five_folds[five_folds["fold"] < 4], tmp_path)
    assert len(adience.read_rows(tmp_path)) == len(five_folds)


def test_a_full_disk_leaves_what_was_there(
    five_folds: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adience.write_folds(five_folds, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write_text = Path.write_text

    def full(path: Path, text: str, **options: str) -> int:
        if "fold_3" in path.name:
            write_text(path, text[:20], **options)
            raise OSError(28, "No space left on device")
        return write_text(path, text, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        adience.write_folds(five_folds.assign(gender="m"), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# ---- Reading one file -------------------------------------------------------------------------------------


def test_rows_are_indexed_by_their_line(tmp_path: Path) -> None:
    rows = adience.read_fold_file(fold_file(tmp_path, HEADER, ROW, "", ROW))
    assert rows.index.tolist() == [2, 4]
    assert rows.loc[4].tolist() == ROW.split("\t")


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path: Path, end: str) -> None:
    path = fold_file(tmp_path, HEADER, ROW, end=end)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert adience.read_fold_file(str(path)).loc[2].tolist() == ROW.split("\t")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"line 1: the columns are \[''\]"),
        (["a\tb"], r"line 1: the columns are \['a', 'b'\].*'user_id', 'original_image'"),
        ([HEADER.replace("\t", ",")], "line 1.*with tabs between them"),
        ([HEADER, ROW, ROW[:-9]], "line 3: 8 fields instead of 12"),
        ([HEADER, ROW + "\t1"], "line 2: 13 fields instead of 12"),
        ([HEADER, ROW, ROW, ROW.replace("7@N01", "..")], r"line 4: user_id '\.\.' cannot be the name"),
        ([HEADER, ROW.replace("1_o.jpg", "a/b.jpg")], "line 2: original_image 'a/b.jpg' cannot be the name"),
        ([HEADER, ROW.replace("\t3\t", "\tthree\t")], "line 2: face_id 'three' is not a whole number"),
        ([HEADER, ROW, ROW.replace("\t3\t", "\t" + "9" * 20 + "\t")], "line 3: face_id '9{20}' has more"),
        ([HEADER, "   "], "line 2: 1 fields instead of 12"),
    ],
)
def test_a_damaged_file_is_refused_by_line(tmp_path: Path, lines: list[str], message: str) -> None:
    path = fold_file(tmp_path, *lines)
    with pytest.raises(adience.DataSetError, match=message) as caught:
        adience.read_fold_file(path)
    assert str(caught.value).startswith(f"{path}, line ")
    assert "Put the original file back" in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fold_0_data.txt"
    path.write_bytes(b"\x1f\x8b\x08\x00\xff\xfe")
    with pytest.raises(adience.DataSetError, match=r"is not UTF-8 text.*put the original file back"):
        adience.read_fold_file(path)


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("faces", "faces/7@N01/coarse_tilt_aligned_face.3.1_o.jpg"),
        ("aligned", "aligned/7@N01/landmark_aligned_face.3.1_o.jpg"),
    ],
)
def test_the_photographs_are_where_the_benchmark_has_them(folder: str, path: str) -> None:
    assert adience.photograph_path("7@N01", 3, "1_o.jpg", folder) == path == path.replace(os.sep, "/")

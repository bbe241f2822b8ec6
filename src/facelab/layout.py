"""Your own photographs in the benchmark's layout: a table of files with labels becomes a data set.

As a command: ``python -m facelab.layout table.csv my_faces``. Every lesson then runs on ``my_faces``.
"""

import argparse
import csv
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
import pandas as pd
from PIL import Image

from facelab.adience import (
    AGE_GROUPS,
    FOLDS,
    DataSetError,
    UnknownLabelError,
    age_group,
    gender,
    nearest_groups,
    photograph_path,
    write_folds,
    years,
)
from facelab.files import workplace

__all__ = ["make_data_set", "utkface_table"]

_NEEDED: Final = ("file", "album", "gender", "age")
_ALLOWED: Final = (*_NEEDED, "person", "fold")
_NAMED: Final = 10
"""How many faults an error names; it counts the others."""

_UTKFACE: Final = re.compile(r"([0-9]{1,3})_([01])_.*\.(?:jpg|jpeg|png)", re.IGNORECASE)


def make_data_set(table_file: Path, data_dir: Path, seed: int = 0) -> pd.DataFrame:
    """Make a data set in the benchmark's layout from a table of files with labels.

    Parameters
    ----------
    table_file : Path
        Comma-separated text (UTF-8) with a line of names: ``file``, relative to the table's own folder;
        ``album``, whatever one fold must hold together: a family, a collection, a person; ``gender``: ``f``,
        ``m``, ``u`` or nothing; ``age``: years such as ``27``, a group such as ``"(25, 32)"``, or nothing. If
        there is ``person``, its values tell the people of an album apart, and otherwise an album is one
        person. If there is ``fold`` (0–4), it is used, and otherwise the albums are dealt out.
    data_dir : Path
        The folder to make. It must not be there.
    seed : int
        Of the folds, where the table has none: the albums in random order, each into the fold with the fewest
        photographs so far, the large ones first.

    Returns
    -------
    DataFrame
        What was written: the columns of the fold files and ``fold``, a row a photograph.

    Raises
    ------
    DataSetError
        If the table is not as above, a photograph is missing or cannot be read, or a label is unknown: with
        the table's line, at most ten of them. If an album is in two folds, or there are fewer than five
        albums to deal out. If `data_dir` is there already.
    OSError
        If the disk is full, or the folder cannot be written.

    Notes
    -----
    Photographs are copied as they are: cut them before (:func:`facelab.crop.cut`). An age in years becomes
    its group; between two groups, such as 35, it stays, and strict matching leaves the photograph out. The
    data set is made aside and put in place by one rename, so there is never half of it. Used in lesson 9.1.
    """
    table_file, data_dir = Path(table_file).expanduser(), Path(data_dir).expanduser()
    if data_dir.exists():
        raise DataSetError(f"{data_dir} is there already: name a new folder, or delete it first")
    table = _read(table_file)
    faults = [*_faults(table, table_file.parent), *_unreadable(table, table_file.parent)]
    if faults:
        faults.sort()
        named = "".join(f"\n{table_file}, line {line}: {fault}" for line, fault in faults[:_NAMED])
        others = f"\n… and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
        raise DataSetError(f"{len(faults)} faults; nothing was written. Correct the table:{named}{others}")
    if "fold" not in table:
        table["fold"] = _deal(table["album"], seed, table_file)
    annotations = _annotations(table, table_file.parent)
    with workplace(data_dir.parent) as place:
        aside = place / "data"
        write_folds(annotations, aside)
        places = annotations[["user_id", "face_id", "original_image"]].to_numpy()
        for name, photograph in zip(table["file"], places, strict=True):
            target = aside / photograph_path(*photograph)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(table_file.parent / name, target)
        aside.rename(data_dir)
    return annotations


def utkface_table(folder: Path) -> pd.DataFrame:
    """Read age and labelled gender from the file names of UTKFace, as a table for :func:`make_data_set`.

    Parameters
    ----------
    folder : Path
        With files such as ``26_1_2_20170116174525125.jpg``: age in years, gender (0 is m, 1 is f), a number
        for "race" that is not read, and date and time.

    Returns
    -------
    DataFrame
        ``file``, ``album``, ``gender`` and ``age``, all str, in the order of the names. Save it in the same
        folder: ``table.to_csv(folder / "table.csv", index=False)``.

    Raises
    ------
    DataSetError
        If the folder has no photograph, or one has another name.

    Notes
    -----
    UTKFace (Zhang, Song and Qi, 2017, doi:10.1109/CVPR.2017.463) is for non-commercial research only. Its
    labels were estimated by a network and checked by one annotator, and it names no people: each photograph
    is an album of its own here, so that nothing keeps two photographs of one person out of two folds. Used in
    lesson 9.1.
    """
    folder = Path(folder).expanduser()
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    read = [_UTKFACE.fullmatch(name) for name in names]
    if strange := [name for name, match in zip(names, read, strict=True) if match is None]:
        raise DataSetError(
            f"{folder}: {len(strange)} names are not age_gender_race_date.jpg; the first is {strange[0]!r}. "
            "Rename these files, or move them away"
        )
    if not names:
        raise DataSetError(f"{folder} has no .jpg or .png: give the folder with the photographs")
    ages, genders = zip(*(match.groups() for match in read if match), strict=True)
    return pd.DataFrame(
        {"file": names, "album": names, "gender": ["mf"[int(code)] for code in genders], "age": ages}
    )


def _read(table_file: Path) -> pd.DataFrame:
    """Read the table, every field a string without spaces around it, indexed by the line in the file."""
    try:
        with table_file.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            names = next(reader, [])
            numbered = [(reader.line_num, fields) for fields in reader if any(fields)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataSetError(
            f"{table_file} is not a comma-separated table in UTF-8 ({error}): save it again as one"
        ) from error
    if (missing := [name for name in _NEEDED if name not in names]) or set(names) - set(_ALLOWED):
        problem = f"lacks {missing}" if missing else f"has {sorted(set(names) - set(_ALLOWED))}"
        raise DataSetError(
            f"{table_file}, line 1: the table {problem}. Its columns are {', '.join(_NEEDED)} and, if you "
            "have them, person and fold"
        )
    if len(set(names)) < len(names):
        raise DataSetError(f"{table_file}, line 1: a column stands there twice: {', '.join(names)}")
    for line, fields in numbered:
        if len(fields) != len(names):
            raise DataSetError(
                f"{table_file}, line {line}: {len(fields)} fields instead of {len(names)}. Put a field "
                'with a comma into quotation marks, such as "(25, 32)"'
            )
    if not numbered:
        raise DataSetError(f"{table_file} has no rows: write a line for each photograph")
    rows = [[field.strip() for field in fields] for _, fields in numbered]
    lines = pd.Index([line for line, _ in numbered], name="line")
    return pd.DataFrame(rows, columns=names, index=lines, dtype=str)


def _faults(table: pd.DataFrame, folder: Path) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with the rows, with their lines."""
    fold_of: dict[str, tuple[str, int]] = {}
    seen: dict[tuple[str, ...], int] = {}
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        album, name = row["album"], PurePosixPath(row["file"].replace("\\", "/")).name
        if album in ("", ".", "..") or set(album) & set("/\\\0\t\n\r"):
            yield line, f"album {album!r} cannot be the name of a folder"
        for read, column in ((age_group, "age"), (gender, "gender")):
            try:
                read(row[column])
            except UnknownLabelError as error:
                yield line, f"{column}: {error}"
        if not row["file"]:
            yield line, "file is empty: name the photograph"
        elif not (folder / row["file"]).is_file():
            yield line, f"there is no file {folder / row['file']}"
        # Some file systems take names for the same that differ in case, or in how an accent is written.
        place = (album, row.get("person", ""), name)
        alike = tuple(unicodedata.normalize("NFC", part).casefold() for part in place)
        first = seen.setdefault(alike, line)
        if first != line:
            yield line, f"a second {name} of the same person as in line {first}: rename one of them"
        if "fold" in row:
            if row["fold"] not in map(str, FOLDS):
                yield line, f"fold {row['fold']!r} is none of {', '.join(map(str, FOLDS))}"
            other, where = fold_of.setdefault(album, (row["fold"], line))
            if other != row["fold"]:
                yield line, f"album {album!r} is in fold {row['fold']}, and in fold {other} in line {where}"


def _unreadable(table: pd.DataFrame, folder: Path) -> Iterator[tuple[int, str]]:
    """Yield the photographs that are there and cannot be read, with their lines."""
    from facelab import pipeline  # loads TensorFlow, which takes seconds

    there = table["file"].map(lambda name: bool(name) and (folder / name).is_file())
    if there.any():
        bad = pipeline.unreadable(pd.DataFrame({"path": table["file"][there]}), folder)
        for line, path, why in bad.itertuples(name=None):
            yield line, f"{path} cannot be read: {why}"


def _deal(albums: pd.Series, seed: int, table_file: Path) -> pd.Series:
    """Deal the albums out to the folds, so that these are about equally large."""
    sizes = albums.value_counts().sort_index()
    if len(sizes) < len(FOLDS):
        raise DataSetError(
            f"{table_file} has {len(sizes)} albums, and {len(FOLDS)} folds need one each: give the "
            "photographs of different people, or of different collections, albums of their own"
        )
    order = sizes.sample(frac=1, random_state=seed).sort_values(ascending=False, kind="stable")
    filled = np.zeros(len(FOLDS), dtype="int64")
    fold_of = {}
    for album, photographs in order.items():
        fold_of[album] = int(filled.argmin())
        filled[fold_of[album]] += photographs
    return albums.map(fold_of)


def _annotations(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return the rows of the fold files, with the table's lines as their index."""
    people = [table["album"], table["person"]] if "person" in table else [table["album"]]
    sizes = []
    for name in table["file"]:
        with Image.open(folder / name) as image:
            sizes.append(image.size)
    width, height = np.transpose(sizes)
    return pd.DataFrame(
        {
            "user_id": table["album"],
            "original_image": [PurePosixPath(name.replace("\\", "/")).name for name in table["file"]],
            "face_id": table.groupby(people).ngroup() + 1,
            "age": table["age"].map(_written),
            "gender": table["gender"],
            "x": 0,
            "y": 0,
            "dx": width,
            "dy": height,
            "tilt_ang": 0,
            "fiducial_yaw_angle": 0,
            "fiducial_score": 0,
            "fold": table["fold"].astype("int64"),
        },
        index=table.index,
    )


def _written(age: str) -> str:
    """Write an age as the benchmark would: in years becomes the group that has it, if there is one."""
    span = years(age)
    if span is None or span[0] != span[1]:
        return age or "None"
    group = AGE_GROUPS[nearest_groups([span[0]])[0]]
    first, last = years(group) or span
    return group if first <= span[0] <= last else age


def _main(arguments: list[str] | None = None) -> int:
    """Make a data set from a table, as a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m facelab.layout",
        description="Make a data set in the benchmark's layout from a table: file, album, gender, age.",
    )
    parser.add_argument("table", type=Path, help="comma-separated; the files are relative to its folder")
    parser.add_argument("data_dir", type=Path, help="the folder to make")
    parser.add_argument("--seed", type=int, default=0, help="of the folds (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        written = make_data_set(chosen.table, chosen.data_dir, chosen.seed)
    except (DataSetError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    between = int((written["age"].map(age_group).isna() & (written["age"] != "None")).sum())
    print(
        f"{chosen.data_dir}: {len(written)} photographs of {written['face_id'].nunique()} people in "
        f"{written['user_id'].nunique()} albums; {between} ages are between two groups"
    )
    return 0


if __name__ == "__main__":
    sys.exit(_main())

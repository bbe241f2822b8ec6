"""The folder that a data set is: its fold files, its photographs' names, how to read and to write them.

::

    fold_0_data.txt … fold_4_data.txt    tab-separated, the twelve columns of COLUMNS
    faces/<user_id>/coarse_tilt_aligned_face.<face_id>.<original_image>
    aligned/<user_id>/landmark_aligned_face.<face_id>.<original_image>     (either folder, or both)
"""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pandas as pd

from facelab.files import written_whole

COLUMNS: Final = (
    "user_id", "original_image", "face_id", "age", "gender", "x", "y", "dx", "dy",
    "tilt_ang", "fiducial_yaw_angle", "fiducial_score",
)  # fmt: skip
"""The twelve columns of a fold file, in order."""

TAB: Final = "\t"

FOLDS: Final = (0, 1, 2, 3, 4)
"""The benchmark's five folds."""

PREFIXES: Final = {"faces": "coarse_tilt_aligned_face", "aligned": "landmark_aligned_face"}
"""The folders of photographs, in the order in which they are tried, and how their files' names begin."""


class DataSetError(ValueError):
    """A folder, a file or a table is not what the data contract says; the message names it and the remedy."""


def fold_file_name(fold: int) -> str:
    """Name a fold's annotation file, such as ``fold_0_data.txt``.

    Parameters
    ----------
    fold : int
        From 0 to 4.

    Returns
    -------
    str
        The name, without its folder.

    Notes
    -----
    Used by facelab.results.

    Examples
    --------
    >>> fold_file_name(0)
    'fold_0_data.txt'
    """
    return f"fold_{fold}_data.txt"


def photograph_path(user_id: str, face_id: int | str, original_image: str, folder: str = "faces") -> str:
    """Return the path of a photograph inside its data set.

    Parameters
    ----------
    user_id : str
        The album.
    face_id : int or str
        The subject.
    original_image : str
        Name of the image that the face was cut from.
    folder : {"faces", "aligned"}
        Which of the two crops.

    Returns
    -------
    str
        Relative path with forward slashes.

    Notes
    -----
    Used in lesson 1.1.

    Examples
    --------
    >>> photograph_path("12345678@N00", 2282, "115_o.jpg")
    'faces/12345678@N00/coarse_tilt_aligned_face.2282.115_o.jpg'
    """
    return f"{folder}/{user_id}/{PREFIXES[folder]}.{face_id}.{original_image}"


def read_fold_file(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read one fold file as it is written, every field a string.

    Parameters
    ----------
    path : path-like
        Such as ``fold_0_data.txt``; UTF-8 text, tabs between the fields, the names of ``COLUMNS`` in the
        first line.

    Returns
    -------
    DataFrame
        One row a line, the twelve columns, indexed by the line's number in the file (the first is 2).

    Raises
    ------
    DataSetError
        If the file is no text, its columns are others, or a row is damaged. An error and not a warning: the
        published files have no such row, so one tells of a file that was cut short or edited, and what else
        it lost is unknown.

    Notes
    -----
    Built in lesson 1.1, as ``read_fold``.
    """
    path = Path(path).expanduser()
    try:
        header, *lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataSetError(
            f"{path} is not UTF-8 text ({error.reason}): put the original file back"
        ) from error
    if header.split(TAB) != list(COLUMNS):
        raise DataSetError(
            f"{path}, line 1: the columns are {header.split(TAB)}; expected, with tabs between them, "
            f"{list(COLUMNS)}. Put the original file back, or write yours with facelab.adience.write_folds"
        )
    rows = {number: line.split(TAB) for number, line in enumerate(lines, start=2) if line}
    for number, fields in rows.items():
        if problem := _damage(fields):
            raise DataSetError(
                f"{path}, line {number}: {problem}. Put the original file back, or delete this line"
            )
    return pd.DataFrame(
        list(rows.values()),
        columns=list(COLUMNS),
        index=pd.Index(list(rows), name="line", dtype="int64"),
        dtype=str,
    )


def write_folds(annotations: pd.DataFrame, data_dir: str | os.PathLike[str]) -> None:
    """Write fold files that :func:`facelab.adience.read_folds` reads back exactly.

    Parameters
    ----------
    annotations : DataFrame
        The twelve columns of ``COLUMNS`` and ``fold`` (0–4); other columns and the index are left out. A
        missing age is written ``None`` and a missing gender as nothing, as the benchmark does.
    data_dir : path-like
        Where to write; made if it is not there. The photographs are the caller's to put in place, at
        :func:`photograph_path`.

    Raises
    ------
    DataSetError
        If a column or every row is missing, a fold is not 0–4, a value cannot stand in such a file (a tab, a
        line break, missing), or `data_dir` has the file of a fold that the table has not: the two would mix.
        Nothing is written then.

    Notes
    -----
    Every file is written aside before the first is put in place, so an error leaves what was there. The
    renderer of the embedded faces and the tests use it; a reader does, for photographs of their own. Used in
    lesson 1.1.
    """
    data_dir = Path(data_dir).expanduser()
    if missing := [name for name in (*COLUMNS, "fold") if name not in annotations]:
        raise DataSetError(f"the table to write lacks the columns {missing}")
    if annotations.empty:
        raise DataSetError("the table to write has no rows")
    fold_of_row = pd.to_numeric(annotations["fold"], errors="coerce")
    if not (known := fold_of_row.isin(FOLDS)).all():
        strange = annotations["fold"][~known].unique().tolist()
        raise DataSetError(f"the table to write has the folds {strange}; there are only {list(FOLDS)}")
    folds = sorted(fold_of_row.astype("int64").unique().tolist())  # a 0.0, as pandas may make of 0, is fold 0
    others = (data_dir / fold_file_name(fold) for fold in FOLDS if fold not in folds)
    if stale := [path.name for path in others if path.exists()]:
        raise DataSetError(
            f"{data_dir} has {stale}, of which the table to write has nothing: delete them first"
        )

    texts = {fold: _text(annotations[fold_of_row == fold]) for fold in folds}
    with ExitStack() as files:  # puts all in place when all are written, fold 0 last
        for fold, text in texts.items():
            aside = files.enter_context(written_whole(data_dir / fold_file_name(fold)))
            aside.write_text(text, encoding="utf-8", newline="\n")


def _damage(fields: list[str]) -> str | None:
    """Say what is wrong with a row, if anything; a name like ``../x`` would reach outside the data set."""
    if len(fields) != len(COLUMNS):
        return f"{len(fields)} fields instead of {len(COLUMNS)}"
    row = dict(zip(COLUMNS, fields, strict=True))
    for column in ("user_id", "original_image"):
        if row[column] in ("", ".", "..") or set(row[column]) & set("/\\\0"):
            return f"{column} {row[column]!r} cannot be the name of a folder or a file"
    if not (row["face_id"].isascii() and row["face_id"].isdecimal()):
        return f"face_id {row['face_id']!r} is not a whole number"
    if len(row["face_id"]) > 18:  # a table holds it as a 64-bit number
        return f"face_id {row['face_id']!r} has more than 18 digits"
    return None


def _text(annotations: pd.DataFrame) -> str:
    """Write one fold file as text."""
    rows = annotations.loc[:, list(COLUMNS)].astype(object)
    rows = rows.fillna({"age": "None", "gender": ""})
    if rows.isna().any(axis=None):
        holes = [name for name in COLUMNS if rows[name].isna().any()]
        raise DataSetError(
            f"the table to write has missing values in {holes}: only age and gender may be missing"
        )
    lines = [
        list(COLUMNS),
        *([str(value) for value in row] for row in rows.itertuples(index=False, name=None)),
    ]
    for fields in lines[1:]:
        torn = [value for value in fields if set(value) & set("\t\n\r")]
        if problem := f"{torn[0]!r} has a tab or a line break inside" if torn else _damage(fields):
            raise DataSetError(f"the table to write has a row that no fold file can hold: {problem}")
    return "".join(TAB.join(fields) + "\n" for fields in lines)

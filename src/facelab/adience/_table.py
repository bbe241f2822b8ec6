"""The one door for data: a folder in the Adience benchmark's layout becomes one table, a row a photograph.

The steps of :func:`read_folds`: read the fold files, drop exact duplicates, correct the one typo, read the
labels, find the photographs. :func:`report` counts what each step
did, :func:`usable` leaves out what a task cannot use, and :func:`split` divides the rest by album.
"""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from facelab.adience._labels import (
    AGE_GROUPS,
    GENDERS,
    TYPOS,
    Matching,
    UnknownLabelError,
    age_group,
    gender,
)
from facelab.adience._layout import (
    COLUMNS,
    FOLDS,
    PREFIXES,
    DataSetError,
    fold_file_name,
    photograph_path,
    read_fold_file,
)


class DataSetWarning(UserWarning):
    """Something in a data set to know of; the rest can be used. Its kinds are below."""


class MissingFoldsWarning(DataSetWarning):
    """Fewer fold files than the benchmark's five."""


class UnknownLabelsWarning(DataSetWarning):
    """Labels of no kind that the benchmark has, read as missing."""


class MissingPhotographsWarning(DataSetWarning):
    """Annotations without their photograph, whose path is missing."""


def read_folds(data_dir: str | os.PathLike[str], matching: Matching = "strict") -> pd.DataFrame:
    """Read a data set in the Adience layout: the benchmark, the embedded faces, or your own.

    Parameters
    ----------
    data_dir : path-like
        The folder with ``fold_0_data.txt`` … ``fold_4_data.txt`` (one is enough; other files are left
        alone) and ``faces/`` or ``aligned/``. The first of the two that holds any of the photographs is
        used for all of them: they are different crops, and a table that mixed them would not be comparable
        with itself.
    matching : {"strict", "nearest"}
        What becomes of an age label that is none of the eight groups; see :func:`age_group`.

    Returns
    -------
    DataFrame
        One row a photograph, in the order of the files, numbered from 0:

        - ``user_id`` (str): the album; ``face_id`` (int): the subject; ``original_image`` (str);
        - ``fold`` (int): 0–4;
        - ``age_label`` (str): as written, but for the one typo, which is mended;
        - ``age_group``: ordered categorical of ``AGE_GROUPS``, or missing;
        - ``gender``: categorical of ``GENDERS``, or missing;
        - ``path`` (str): relative to `data_dir`, or missing where there is no photograph.

    Raises
    ------
    DataSetError
        If `data_dir` is no data set, a file has other columns or a damaged row, or one photograph is
        annotated twice and differently. These stop the reading because every later count would be wrong.
        The message names file and line.

    Warns
    -----
    MissingFoldsWarning, UnknownLabelsWarning, MissingPhotographsWarning
        Counted, once each, with file and line of the first. These do not stop it because what is left is
        sound: the annotations alone can be counted, and a row whose age cannot be read may still have its
        gender.

    Notes
    -----
    The benchmark: Eidinger, Enbar and Hassner (2014), doi:10.1109/TIFS.2014.2359646. Built in lesson 1.1.
    """
    rows = mend_typos(drop_duplicates(read_rows(data_dir)))
    return _tabulate(rows, matching).assign(path=find_photographs(rows, data_dir))


def _tabulate(rows: pd.DataFrame, matching: Matching) -> pd.DataFrame:
    """Return the table of :func:`read_folds` but for the paths, from rows that were read and mended."""
    _refuse_contradictions(rows)
    age_groups = _read_labels(rows, "age", lambda label: age_group(label, matching))
    genders = _read_labels(rows, "gender", gender)
    return pd.DataFrame(
        {
            "user_id": rows["user_id"],
            "face_id": rows["face_id"].astype("int64"),
            "original_image": rows["original_image"],
            "fold": rows["fold"],
            "age_label": rows["age"],
            "age_group": age_groups.astype(pd.CategoricalDtype(list(AGE_GROUPS), ordered=True)),
            "gender": genders.astype(pd.CategoricalDtype(list(GENDERS))),
        }
    )


def read_rows(data_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """Read all rows of all fold files, as written.

    Parameters
    ----------
    data_dir : path-like
        The data set's folder.

    Returns
    -------
    DataFrame
        The twelve columns of ``COLUMNS`` as strings, then ``fold`` (int) and ``line`` (int), where in the
        file it stands.

    Raises
    ------
    DataSetError
        If there is no such folder, no fold file in it, or no row in them; and see :func:`read_fold_file`.

    Warns
    -----
    MissingFoldsWarning
        If there are fewer than five fold files.

    Notes
    -----
    Built in lesson 1.1.
    """
    data_dir = Path(data_dir).expanduser()
    found = [fold for fold in FOLDS if (data_dir / fold_file_name(fold)).is_file()]
    if not found:
        raise DataSetError(f"{data_dir} is not a data set: {_why_not(data_dir)}")
    if missing := [fold_file_name(fold) for fold in FOLDS if fold not in found]:
        message = f"{data_dir} has {len(found)} of the five folds; there is no {', '.join(missing)}"
        warnings.warn(message, MissingFoldsWarning, stacklevel=3)
    rows = pd.concat(
        [read_fold_file(data_dir / fold_file_name(fold)).assign(fold=fold).reset_index() for fold in found],
        ignore_index=True,
    )
    if rows.empty:
        raise DataSetError(f"{data_dir} has fold files, but not one row in them: put the original files back")
    return rows[[*COLUMNS, "fold", "line"]]


def drop_duplicates(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out rows that repeat an earlier row of their fold in all twelve columns.

    Parameters
    ----------
    rows : DataFrame
        From :func:`read_rows`.

    Returns
    -------
    DataFrame
        The other rows, numbered from 0.

    Notes
    -----
    One edition of the benchmark has 117 of them. Used in lesson 8.1.
    """
    return rows.drop_duplicates([*COLUMNS, "fold"], ignore_index=True)


def mend_typos(rows: pd.DataFrame) -> pd.DataFrame:
    """Write (25, 32) where one edition of the benchmark has (25, 23), in 72 rows of fold 0.

    Notes
    -----
    In lesson 1.1 this is one line of `read_folds`.
    """
    return rows.assign(age=rows["age"].replace(TYPOS))


def find_photographs(rows: pd.DataFrame, data_dir: str | os.PathLike[str]) -> pd.Series:
    """Find the photographs' paths relative to `data_dir`, missing where there is none.

    Parameters
    ----------
    rows : DataFrame
        With ``user_id``, ``face_id``, ``original_image``, ``fold`` and ``line``.
    data_dir : path-like
        The data set's folder.

    Returns
    -------
    Series of str
        One path a row.

    Warns
    -----
    MissingPhotographsWarning
        If any row has none, with their number and the first.

    Notes
    -----
    Folders are listed once: asking the file system about each of 20,000 photographs would take far longer, on
    a network drive by minutes. Built in lesson 1.1.
    """
    data_dir = Path(data_dir).expanduser()
    keys = list(zip(rows["user_id"], rows["face_id"], rows["original_image"], strict=True))
    found: list[str | None] = [None] * len(keys)
    for folder in PREFIXES:
        there = _list_folder(data_dir / folder)
        found = [path if (path := photograph_path(*key, folder)) in there else None for key in keys]
        if any(found):
            break
    if missing := found.count(None):
        first = found.index(None)
        if missing == len(found):
            folder = "faces"
            what = f"none of {missing} photographs is in {data_dir}: the annotations can be counted, no more"
        else:
            what = f"{missing} of {len(found)} photographs are not in {data_dir / folder}"
        warnings.warn(
            f"{what}. The first, of {_place(rows.iloc[first])}, belongs at "
            f"{photograph_path(*keys[first], folder)}: unpack them so",
            MissingPhotographsWarning,
            stacklevel=3,
        )
    return pd.Series(found, index=rows.index, dtype="str")


def report(data_dir: str | os.PathLike[str], matching: Matching = "strict") -> pd.DataFrame:
    """Count what :func:`read_folds` keeps of a data set and what it drops, and say why.

    Parameters
    ----------
    data_dir, matching
        As for :func:`read_folds`, whose errors it raises and whose warnings it leaves to it.

    Returns
    -------
    DataFrame
        One line a step, indexed by ``what``: ``rows`` (int), how many; ``why`` (str).

    Notes
    -----
    Used in lesson 1.1.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataSetWarning)
        rows = read_rows(data_dir)
        distinct = drop_duplicates(rows)
        mended = mend_typos(distinct)
        table = _tabulate(mended, matching).assign(path=find_photographs(mended, data_dir))
        is_group = _read_labels(mended, "age", age_group).notna()
    ages, genders = mended["age"], mended["gender"]
    not_labelled = ages.isin(["None", ""])
    other = ages[~is_group & ~not_labelled]
    fate = "left missing: " if matching == "strict" else "read as the nearest group: "
    has_age, has_gender = table["age_group"].notna(), table["gender"].notna()
    lines = [
        ("read", len(rows), f"rows of {rows['fold'].nunique()} fold files"),
        ("exact duplicates", len(rows) - len(distinct), "dropped: all twelve columns repeat an earlier row"),
        ("photographs in the table", len(table), "each a row"),
        ("typos corrected", int((ages != distinct["age"]).sum()), "(25, 23) is (25, 32)"),
        ("age is a group", int(is_group.sum()), "kept"),
        ("age is another label", len(other), fate + _counts(other)),
        ("age not labelled", int(not_labelled.sum()), "None or empty"),
        ("gender is f or m", int(has_gender.sum()), "kept"),
        ("gender unclear", int((genders == "u").sum()), "u: nearly all of them infants"),
        ("gender not labelled", int((genders == "").sum()), "empty"),
        ("gender is another label", int((~genders.isin([*GENDERS, "u", ""])).sum()), "read as missing"),
        ("photograph missing", int(table["path"].isna().sum()), "path left missing"),
        ("has an age group", int(has_age.sum()), f"matching={matching!r}"),
        ("has both labels", int((has_age & has_gender).sum()), "usable for both tasks"),
        ("has both labels and a photograph", len(usable(table)), "what usable() keeps"),
    ]
    return pd.DataFrame(lines, columns=["what", "rows", "why"]).set_index("what")


def usable(table: pd.DataFrame, needs: tuple[str, ...] = ("age_group", "gender", "path")) -> pd.DataFrame:
    """Keep the photographs that have all that a task needs.

    Parameters
    ----------
    table : DataFrame
        From :func:`read_folds`.
    needs : tuple of str
        The columns that must not be missing. Both labels and a photograph by default; ``("gender",
        "path")`` for a gender network alone; ``("age_group", "gender")`` to count annotations that came
        without photographs.

    Returns
    -------
    DataFrame
        Those rows, with their numbers in `table`.

    Notes
    -----
    Built in lesson 1.2.

    Examples
    --------
    >>> table = pd.DataFrame({"gender": ["f", None, "m"], "path": ["a.jpg", "b.jpg", None]})
    >>> usable(table, ("gender", "path"))
      gender   path
    0      f  a.jpg
    """
    return table.dropna(subset=list(needs))


def _read_labels(rows: pd.DataFrame, column: str, read: Callable[[str], str | None]) -> pd.Series:
    """Read a column of labels, each distinct one once; what cannot be read is missing, with a warning."""
    meaning: dict[str, str | None] = {}
    unknown: list[str] = []
    for label in rows[column].unique():
        try:
            meaning[label] = read(label)
        except UnknownLabelError:
            meaning[label] = None
            unknown.append(label)
    if unknown:
        strange = rows[rows[column].isin(unknown)]
        message = (
            f"{len(strange)} rows have an unknown {column} label, read as missing: {_counts(strange[column])}"
            f". The first: {_place(strange.iloc[0])}. Write it as the benchmark does, or leave it empty"
        )
        warnings.warn(message, UnknownLabelsWarning, stacklevel=4)  # at the call of read_folds
    return rows[column].map(meaning)


def _refuse_contradictions(rows: pd.DataFrame) -> None:
    """Raise if two rows annotate one photograph differently: neither can be believed."""
    key = ["user_id", "face_id", "original_image"]
    twice = rows[rows.duplicated(key, keep=False)]
    if twice.empty:
        return
    first = twice.iloc[0]
    second = twice[(twice[key] == first[key]).all(axis=1)].iloc[1]
    raise DataSetError(
        f"{twice.groupby(key).ngroups} photographs are annotated twice and differently. The first: "
        f"{_place(first)} and {_place(second)}, {photograph_path(*first[key])}. Delete one of the two lines"
    )


def _list_folder(folder: Path) -> set[str]:
    """List the files in a folder's albums, as paths relative to the data set."""
    if not folder.is_dir():
        return set()
    albums = [entry for entry in os.scandir(folder) if entry.is_dir()]
    return {f"{folder.name}/{album.name}/{file.name}" for album in albums for file in os.scandir(album)}


def _place(row: pd.Series) -> str:
    """Say in which file and line a row stands."""
    return f"{fold_file_name(row['fold'])}, line {row['line']}"


def _counts(labels: pd.Series) -> str:
    """Say how often each label occurs, the most frequent first."""
    counts = labels.value_counts()
    listed = ", ".join(f"{label} {number}×" for label, number in counts.head(8).items())
    return listed + (f" and {len(counts) - 8} others" if len(counts) > 8 else "")


def _why_not(data_dir: Path) -> str:
    """Say why a folder is no data set, and what to give instead if a neighbour is one."""
    if data_dir.is_file():
        return "it is a file; if it is an archive, unpack it and give the folder"
    if not data_dir.is_dir():
        return "there is no such folder"
    inside = sorted(path for path in data_dir.iterdir() if path.is_dir())
    for other in (data_dir.parent, *inside):
        if any((other / fold_file_name(fold)).is_file() for fold in FOLDS):
            return f"the fold files are in {other}: put faces/ or aligned/ beside them, and give that folder"
    return f"it has no {fold_file_name(0)} … {fold_file_name(4)}"

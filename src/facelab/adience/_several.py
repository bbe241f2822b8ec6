"""Several data sets in the benchmark's layout, read as one."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from facelab.adience._labels import Matching
from facelab.adience._layout import DataSetError
from facelab.adience._table import read_folds


def read_several(
    data_dirs: Sequence[str | os.PathLike[str]], matching: Matching = "strict"
) -> tuple[pd.DataFrame, Path]:
    """Read several data sets in the Adience layout as one: the benchmark with others of its kind.

    Parameters
    ----------
    data_dirs : sequence of path-like
        A folder each, as for :func:`read_folds`.
    matching : {"strict", "nearest"}
        As for :func:`read_folds`.

    Returns
    -------
    DataFrame
        The columns of :func:`read_folds` and ``data_set`` (str), a row a photograph, in the order of
        `data_dirs`, numbered from 0:

        - ``data_set`` is the folder's path inside the common folder, mostly its name;
        - ``user_id`` is ``<data_set>/<album>``, so that no album is in two data sets;
        - ``face_id`` counts the subjects anew over all data sets, from 0, so that none is in two;
        - ``path`` is relative to the common folder;
        - ``fold`` and everything else are as they were: each data set keeps its own folds.
    Path
        The common folder that all data sets are in: the ``data_dir`` of :mod:`facelab.pipeline`'s functions.

    Raises
    ------
    DataSetError
        If there is no folder in the list, one stands there twice or holds the same annotations as another, or
        one cannot be read; the message names the folder.

    Warns
    -----
    MissingFoldsWarning, UnknownLabelsWarning, MissingPhotographsWarning
        As :func:`read_folds` does, with the folder's name.

    Notes
    -----
    The people of two data sets are taken for different people. Where they are not, as in two collections from
    the same source, a face that was learned may be met again in the test. Used by tools.measure.large.

    Examples
    --------
    >>> read_several([])
    Traceback (most recent call last):
    facelab.adience._layout.DataSetError: the list of data sets is empty: name one folder or more
    """
    if isinstance(data_dirs, str | os.PathLike):
        raise DataSetError(f"{data_dirs} is one folder: give a list of folders, or use read_folds")
    folders = [Path(folder).expanduser().resolve() for folder in data_dirs]
    if not folders:
        raise DataSetError("the list of data sets is empty: name one folder or more")
    if twice := [folder for number, folder in enumerate(folders) if folder in folders[:number]]:
        raise DataSetError(f"{twice[0]} stands twice in the list of data sets: name it once")
    root = _common_root(folders)
    tables = {}
    for folder in folders:  # in a comprehension _read's warnings would name a caller that depends on Python
        tables[folder.relative_to(root).as_posix()] = _read(folder, matching)
    _refuse_copies(tables)
    table = pd.concat(
        [
            table.assign(
                user_id=f"{name}/" + table["user_id"], path=f"{name}/" + table["path"], data_set=name
            )
            for name, table in tables.items()
        ],
        ignore_index=True,
    )
    table["face_id"] = table.groupby(["data_set", "face_id"], sort=False).ngroup().astype("int64")
    return table, root


def _common_root(folders: list[Path]) -> Path:
    """Return the folder that all of them are in."""
    try:
        return Path(os.path.commonpath([folder.parent for folder in folders]))
    except ValueError as error:
        raise DataSetError(
            f"the data sets {', '.join(map(str, folders))} are on different drives: put them on one"
        ) from error


def _read(folder: Path, matching: Matching) -> pd.DataFrame:
    """Read one data set; every error and every warning names its folder."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            table = read_folds(folder, matching)
        except DataSetError as error:
            if str(folder) in str(error):
                raise
            raise DataSetError(f"{folder}: {error}") from error
    for warning in caught:
        said = str(warning.message)
        message = said if str(folder) in said else f"{folder}: {said}"
        warnings.warn(message, warning.category, stacklevel=3)  # at the call of read_several
    return table


def _refuse_copies(tables: dict[str, pd.DataFrame]) -> None:
    """Raise if two data sets are annotated alike in everything: one is a copy of the other."""
    names = list(tables)
    for number, name in enumerate(names):
        for other in names[:number]:
            if tables[name].drop(columns="path").equals(tables[other].drop(columns="path")):
                raise DataSetError(
                    f"the data sets {other} and {name} have the same annotations, so the same faces would be "
                    "learned and tested: name one of them"
                )

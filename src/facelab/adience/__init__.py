"""The one door for data: a folder in the Adience benchmark's layout becomes one table, a row a photograph.

The steps of :func:`read_folds`: read the fold files, drop exact duplicates, correct the one typo, read the
labels, find the photographs. :func:`report` counts what each step
did, :func:`usable` leaves out what a task cannot use, and :func:`split` divides the rest by album.
:func:`require` refuses a data set that is too small for what is to be done with it, and
:func:`read_several` reads several folders as one data set.
"""

from facelab.adience._labels import (
    AGE_GROUPS,
    GENDERS,
    Matching,
    UnknownLabelError,
    age_group,
    gender,
    nearest_groups,
    years,
)
from facelab.adience._layout import (
    COLUMNS,
    FOLDS,
    DataSetError,
    fold_file_name,
    photograph_path,
    read_fold_file,
    write_folds,
)
from facelab.adience._needs import require
from facelab.adience._several import read_several
from facelab.adience._splits import Split, split
from facelab.adience._table import (
    DataSetWarning,
    MissingFoldsWarning,
    MissingPhotographsWarning,
    UnknownLabelsWarning,
    drop_duplicates,
    find_photographs,
    read_folds,
    read_rows,
    report,
    usable,
)

__all__ = [
    "AGE_GROUPS",
    "COLUMNS",
    "FOLDS",
    "GENDERS",
    "DataSetError",
    "DataSetWarning",
    "Matching",
    "MissingFoldsWarning",
    "MissingPhotographsWarning",
    "Split",
    "UnknownLabelError",
    "UnknownLabelsWarning",
    "age_group",
    "drop_duplicates",
    "find_photographs",
    "fold_file_name",
    "gender",
    "nearest_groups",
    "photograph_path",
    "read_fold_file",
    "read_folds",
    "read_rows",
    "read_several",
    "report",
    "require",
    "split",
    "usable",
    "write_folds",
    "years",
]

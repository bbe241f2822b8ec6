"""The photographs that the tools measure: their labels, and the true causes where a renderer knows them."""

import argparse
import hashlib
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd

from facelab import adience

Rule = Literal["strict", "nearest"]

CAUSES: Final = "factors.csv"

RULE: Final = "nearest"
"""How an age between two groups is read: :func:`facelab.adience.read_folds` knows the rules."""


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Add who labelled the photographs: a score measures agreement with these labels and no others."""
    parser.add_argument("--labels", help="who made the labels, in a few words, for the record")


def provenance(data_dir: Path, labels: str | None, rule: Rule, table: pd.DataFrame) -> dict[str, str]:
    """Say where photographs and labels come from, for a record.

    Parameters
    ----------
    data_dir : Path
    labels : str or None
        From :func:`add_labels`.
    rule : {"strict", "nearest"}
        By which the ages were read.
    table : DataFrame
        All that the data set has.

    Returns
    -------
    dict
        ``labels``, who made them; ``age_groups``, the rule by which ages were put into them; and
        ``file_names_sha256``, the SHA-256 of the sorted paths of the photographs, a line each.
    """
    names = "".join(f"{path}\n" for path in sorted(table["path"].dropna()))
    return {
        "labels": labels
        or ("by the renderer, with its label noise" if are_rendered(data_dir) else "not stated"),
        "age_groups": rule,
        "file_names_sha256": hashlib.sha256(names.encode()).hexdigest(),
    }


def are_rendered(data_dir: Path) -> bool:
    """Say whether a data set is a renderer's, with a table of the true causes."""
    return (data_dir / CAUSES).is_file()


def read_photographs(data_dir: Path) -> pd.DataFrame:
    """Read every photograph of a data set that has both labels, with nearest age groups.

    Parameters
    ----------
    data_dir : Path
        Folder in the Adience layout, perhaps with the ``factors.csv`` of a renderer.

    Returns
    -------
    DataFrame
        As from :func:`facelab.adience.read_folds`, numbered from 0. The columns of ``factors.csv`` follow as
        they stand.

    Raises
    ------
    facelab.adience.DataSetError
        If the folder is no data set.
    """
    table = adience.usable(adience.read_folds(data_dir, matching=RULE)).reset_index(drop=True)
    if are_rendered(data_dir):
        # Only an empty field is missing: "None" is a hair style.
        causes = pd.read_csv(data_dir / CAUSES, keep_default_na=False, na_values=[""])
        table = table.merge(causes, on="path", how="left", validate="one_to_one")
    return table


def sample(table: pd.DataFrame, limit: int | None, seed: int) -> pd.DataFrame:
    """Draw `limit` photographs at random, without replacement; all of them where there are no more."""
    if limit is None or limit >= len(table):
        return table
    return table.sample(limit, random_state=seed).sort_index()


def with_true_labels(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose age groups and genders are the true ones, where a renderer knows them.

    Parameters
    ----------
    table : DataFrame
        From :func:`read_photographs`.

    Returns
    -------
    DataFrame
        The same table; where it has causes, ``age_group`` is the group nearest to ``age_years``, and
        ``gender`` is ``true_gender``.
    """
    if "age_years" not in table:
        return table
    nearest = adience.nearest_groups(table["age_years"])
    return table.assign(
        age_group=pd.Categorical.from_codes(nearest, pd.Index(adience.AGE_GROUPS), ordered=True),
        gender=pd.Categorical(table["true_gender"], list(adience.GENDERS)),
    )


def ages(table: pd.DataFrame) -> np.ndarray:
    """Return ages in years: the true ones, or where only labels are known the middle of their years."""
    if "age_years" in table:
        return table["age_years"].to_numpy("float64")
    return np.array([np.mean(adience.years(label) or np.nan) for label in table["age_label"]])


def by_group(table: pd.DataFrame, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the number of photographs and the mean of each column, for each age group and gender."""
    values = pd.DataFrame(columns, index=table.index)
    cells = values.groupby([table["age_group"], table["gender"]], observed=True)
    return pd.concat([cells.size().rename("n"), cells.mean()], axis=1)

"""The photographs that the tools measure, as one table with the truth beside the label."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from facelab import adience

# First and last year of the eight age groups, and their names in the tools' tables.
SPANS = np.array([adience.years(group) for group in adience.AGE_GROUPS], float)
GROUP_NAMES = [f"{low:.0f}-{high:.0f}" for low, high in SPANS]


def nearest_groups(ages: np.ndarray) -> np.ndarray:
    """Find the nearest of the eight age groups; halfway between two, the younger.

    Parameters
    ----------
    ages : float array, shape (n,)
        Years.

    Returns
    -------
    int array, shape (n,)
        0 (0 to 2 years) to 7 (60 and over).
    """
    years = np.asarray(ages, float)[:, None]
    return np.argmin(np.maximum(SPANS[:, 0] - years, 0) + np.maximum(years - SPANS[:, 1], 0), axis=1)


def read_photographs(data_dir: Path) -> pd.DataFrame:
    """Read every photograph of a data set that has both labels.

    Parameters
    ----------
    data_dir : Path
        Folder in the Adience layout; or renders at work, before they have folds: a folder with a
        ``factors.csv`` alone (``path``, ``age_years``, ``true_gender``, perhaps ``album`` and ``fold``).

    Returns
    -------
    DataFrame
        ``path`` (of the file), ``album``, ``fold``; ``age`` (years), ``group`` (0 to 7) and ``gender``
        (``f``, ``m``): the truth where ``factors.csv`` tells it, else the label, for which the middle of the
        years it names stands; ``label_group`` and ``label_gender``: the labels, with nearest groups. The
        other columns of ``factors.csv`` follow as they stand.

    Raises
    ------
    facelab.adience.DataSetError
        If the folder is no data set.
    """
    factors_file = data_dir / "factors.csv"
    factors = pd.read_csv(factors_file) if factors_file.is_file() else None
    if factors is not None and not list(data_dir.glob("fold_*_data.txt")):
        table = _labelled_by_the_truth(factors)
    else:
        table = _labelled(data_dir)
        if factors is not None:
            table = table.merge(
                factors.drop(columns=["album", "fold"], errors="ignore"), on="path", how="left"
            )
    if factors is None:
        table = table.assign(age=table["label_age"], gender=table["label_gender"])
    else:
        table = table.assign(age=table["age_years"], gender=table["true_gender"])
    table["group"] = nearest_groups(table["age"].to_numpy(float))
    table["path"] = [str(data_dir / path) for path in table["path"]]
    return table


def _labelled(data_dir: Path) -> pd.DataFrame:
    table = adience.usable(adience.read_folds(data_dir, matching="nearest")).reset_index(drop=True)
    return pd.DataFrame(
        {
            "path": table["path"],
            "album": table["user_id"],
            "fold": table["fold"],
            "label_age": [float(np.mean(adience.years(label) or np.nan)) for label in table["age_label"]],
            "label_group": table["age_group"].cat.codes.to_numpy(int),
            "label_gender": table["gender"].astype(str),
        }
    )


def _labelled_by_the_truth(factors: pd.DataFrame) -> pd.DataFrame:
    return factors.assign(
        album=factors["album"] if "album" in factors else np.arange(len(factors)),
        fold=factors.get("fold", 0),
        label_group=nearest_groups(factors["age_years"].to_numpy(float)),
        label_gender=factors["true_gender"],
    )


def sample(table: pd.DataFrame, limit: int | None, seed: int) -> pd.DataFrame:
    """Draw ``limit`` photographs at random, without replacement; all of them where there are no more."""
    if limit is None or limit >= len(table):
        return table
    return table.sample(limit, random_state=seed).sort_index().reset_index(drop=True)


def read_pixels(paths: list[str], side: int, *, grey: bool = False) -> np.ndarray:
    """Read photographs at one size.

    Parameters
    ----------
    paths : list of str, length n
    side : int
        Pixels of height and width.
    grey : bool
        Whether to turn them grey.

    Returns
    -------
    uint8 array, shape (n, side, side, 3), or (n, side, side, 1) if grey
    """
    pixels = np.empty((len(paths), side, side, 1 if grey else 3), np.uint8)
    for at, path in enumerate(paths):
        with Image.open(path) as file:
            photograph = file.convert("L" if grey else "RGB")
        # Pillow's bicubic averages over areas when it shrinks: no aliasing either way.
        scaled = photograph.resize((side, side), Image.Resampling.BICUBIC)
        pixels[at] = np.asarray(scaled).reshape(side, side, -1)
    return pixels

"""Scores of some of the faces: each slice by itself, and how much worse a slice is than the rest.

A search through twenty slices finds a gap in one of them by chance. The intervals of :func:`gaps` are
wide enough to hold all gaps of a table together, so that the worst of them can be named without that
excuse.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelab.evaluation._bootstrap import N_RESAMPLES, Interval, album_bootstrap, times_drawn
from facelab.evaluation._checks import refuse_lengths
from facelab.evaluation._metrics import Metric

FEW_ALBUMS: Final = 10
"""A slice, or the rest of the faces, of fewer albums than this gets no interval from :func:`gaps`."""


def by_slice(
    metric: Metric,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    albums: ArrayLike,
    slices: ArrayLike | pd.Series,
    *,
    seed: int,
) -> pd.DataFrame:
    """Score each slice of the faces by itself, and say on how few faces and albums that rests.

    Parameters
    ----------
    metric, y_true, y_pred, albums
        As for :func:`album_bootstrap`.
    slices : array or Series, shape (n,)
        Each face's slice, such as the table's column ``age_group``.
    seed : int
        As for :func:`album_bootstrap`.

    Returns
    -------
    DataFrame
        One row a slice that has faces, in the order of its categories, or sorted: ``slice``, ``faces``,
        ``albums`` (int), ``estimate``, ``low``, ``high``. The interval is missing where all faces are of one
        album: there is nothing to tell how much it would change with another.

    Raises
    ------
    ValueError
        If the arrays are empty or of different lengths, or a face has no slice.

    Notes
    -----
    Built in lesson 3.4.

    Examples
    --------
    >>> right, album = np.array([1, 1, 0, 0]), ["a", "b", "a", "b"]
    >>> by_slice(lambda _, right: right.mean(), right, right, album, ["young", "young", "old", "old"], seed=0)
       slice  faces  albums  estimate  low  high
    0    old      2       2       0.0  0.0   0.0
    1  young      2       2       1.0  1.0   1.0
    """
    y_true, y_pred, albums = np.asarray(y_true), np.asarray(y_pred), np.asarray(albums)
    names = pd.Series(slices).reset_index(drop=True)
    refuse_lengths(len(y_true), len(y_pred), len(albums), len(names))
    if names.isna().any():
        raise ValueError(f"{names.isna().sum()} faces have no slice: leave them out, or give them a name")
    rows = []
    for name, part in names.groupby(names, observed=True):
        members = part.index.to_numpy()
        parts = y_true[members], y_pred[members]
        number = len(np.unique(albums[members]))
        if number > 1:
            interval = album_bootstrap(metric, *parts, albums[members], seed=seed)
        else:
            interval = Interval(metric(*parts), np.nan, np.nan)
        rows.append((name, len(members), number, *interval))
    return pd.DataFrame(rows, columns=["slice", "faces", "albums", *Interval._fields])


def gaps(
    points: pd.DataFrame,
    slices: pd.DataFrame,
    albums: ArrayLike,
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> pd.DataFrame:
    """Compare each slice of the faces with all other faces; the intervals hold for all gaps at once.

    Parameters
    ----------
    points : DataFrame of numbers or bool, n rows
        One column a measure: what each face scores, such as 1 where an answer is right and 0 where not.
    slices : DataFrame of bool, n rows
        One column a slice: which faces are in it. Slices may overlap.
    albums, seed, n_resamples
        As for :func:`album_bootstrap`.

    Returns
    -------
    DataFrame
        One row a slice and measure, in the columns' order: ``slice``, ``measure``; ``faces`` and ``albums``
        of the slice (int); ``estimate``, the slice's mean minus that of all other faces; ``error``, its
        standard error; ``low``, ``high``. With 95 % confidence *all* these intervals hold what they should;
        each alone is therefore wider than usual. Error and interval are missing where the slice or the rest
        has fewer than ``FEW_ALBUMS`` albums.

    Raises
    ------
    ValueError
        If there is no face, the lengths differ, a point is no finite number, or a slice is not of bool or
        holds no face or every face.

    Notes
    -----
    Whole albums are drawn, as in :func:`album_bootstrap`, the same for all gaps. The multiple of the standard
    error is the 95th percentile, over the draws, of the gap that strays furthest from its estimate, in
    standard errors (max-|t|; Mandel and Betensky, 2008). Built in lesson 8.

    Examples
    --------
    >>> album = np.arange(40)
    >>> points, slices = pd.DataFrame({"right": album < 30}), pd.DataFrame({"first half": album < 20})
    >>> gaps(points, slices, album, seed=0)[["slice", "faces", "estimate"]]
            slice  faces  estimate
    0  first half     20       0.5
    """
    inside, values, album = _as_arrays(points, slices, albums)
    times = times_drawn(int(album.max()) + 1, seed=seed, n_resamples=n_resamples)
    estimate = _differences(np.ones((1, len(album))), inside, values)[0]
    with np.errstate(invalid="ignore"):  # a draw may hold no face of a slice of few albums
        drawn = _differences(times[:, album].astype("float64"), inside, values)
    counted = [len(np.unique(album[part])) for part in inside.T.astype(bool)]
    of_rest = [len(np.unique(album[~part])) for part in inside.T.astype(bool)]
    enough = np.minimum(counted, of_rest) >= FEW_ALBUMS
    error = np.where(enough[:, None], np.nanstd(drawn, axis=0), np.nan)
    table = pd.DataFrame(
        {
            "slice": np.repeat(list(slices), values.shape[1]),
            "measure": np.tile(list(points), inside.shape[1]),
            "faces": np.repeat(inside.sum(axis=0).astype("int64"), values.shape[1]),
            "albums": np.repeat(counted, values.shape[1]),
            "estimate": estimate.ravel(),
            "error": error.ravel(),
        }
    )
    reach = _multiple(abs(drawn - estimate), error) * table["error"]
    return table.assign(low=table["estimate"] - reach, high=table["estimate"] + reach)


def _differences(weights: np.ndarray, inside: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Compute each slice's mean minus the others', once for each row of weights: (rows, slices, measures)."""

    def mean(part: np.ndarray) -> np.ndarray:
        sums = weights @ (part[:, :, None] * values[:, None, :]).reshape(len(part), -1)
        return sums.reshape(len(weights), part.shape[1], -1) / (weights @ part)[:, :, None]

    return mean(inside) - mean(1 - inside)


def _multiple(strayed: np.ndarray, error: np.ndarray) -> float:
    """Compute how many standard errors the furthest gap strays in all but 5 % of the draws."""
    known = error > 0  # a gap that no draw changes cannot stray
    if not known.any():
        return 0.0
    # A draw without any face of a slice says nothing of its gap.
    return float(np.percentile(np.nan_to_num(strayed[:, known] / error[known]).max(axis=1), 95))


def _as_arrays(
    points: pd.DataFrame, slices: pd.DataFrame, albums: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return membership, points and album numbers as arrays; refuse what does not fit together."""
    album = np.unique(np.asarray(albums), return_inverse=True)[1]
    if not len(points) == len(slices) == len(album):
        raise ValueError(
            f"one row a face is needed, but there are {len(points)} of points, {len(slices)} of slices and "
            f"{len(album)} of albums"
        )
    if not len(album) or not points.shape[1] or not slices.shape[1]:
        raise ValueError("nothing to compare: there must be faces, a measure and a slice")
    for name, column in slices.items():
        if column.dtype != bool:
            raise ValueError(f"slice {name!r} must say True or False of each face, not {column.dtype}")
        if column.all() or not column.any():
            raise ValueError(f"slice {name!r} holds {'every' if column.all() else 'no'} face: leave it out")
    values = points.to_numpy(dtype="float64")
    if not np.isfinite(values).all():
        raise ValueError("every face needs a finite number of points in every measure")
    return slices.to_numpy(dtype="float64"), values, album

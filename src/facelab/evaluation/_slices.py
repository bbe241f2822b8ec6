"""Scores of some of the faces: each slice by itself, and how much worse a slice is than the rest.

A search through twenty slices finds a gap in one of them by chance. The intervals of :func:`gaps` are
wide enough to hold all gaps of a table together, so that the worst of them can be named without that
excuse.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from facelab.evaluation._bootstrap import (
    N_RESAMPLES,
    Interval,
    album_bootstrap,
    effective_albums,
    times_drawn,
)
from facelab.evaluation._checks import refuse_lengths
from facelab.evaluation._metrics import Metric

FEW_EFFECTIVE_ALBUMS: Final = 5
"""Faces that are worth fewer albums than this get no interval from :func:`gaps`; see
:func:`effective_albums`."""


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
        ``albums`` (int), ``effective``, how many albums of equal size these are worth, ``estimate``, ``low``,
        ``high``. The interval is missing where all faces are of one album: there is nothing to tell how much
        it would change with another.

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
       slice  faces  albums  effective  estimate  low  high
    0    old      2       2        2.0       0.0  0.0   0.0
    1  young      2       2        2.0       1.0  1.0   1.0
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
        rows.append((name, len(members), number, effective_albums(albums[members]), *interval))
    return pd.DataFrame(rows, columns=["slice", "faces", "albums", "effective", *Interval._fields])


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
        of the slice (int); ``effective``, how many albums of equal size these are worth; ``estimate``, the
        slice's mean minus that of all other faces; ``error``, its standard error; ``low``, ``high``;
        ``refused``. With 95 % confidence *all* these intervals hold what they should; each alone is therefore
        wider than usual. Where ``refused`` names a reason, error and interval are missing; elsewhere it is
        empty.

    Raises
    ------
    ValueError
        If there is no face, the lengths differ, a point is no finite number, or a slice is not of bool or
        holds no face or every face.

    Notes
    -----
    Whole albums are drawn, as in :func:`album_bootstrap`, the same for all gaps. The multiple of the standard
    error is the 95th percentile, over the draws, of the gap that strays furthest from its estimate, in
    standard errors: max-|t| (Westfall and Young, 1993; Romano and Wolf, 2005; Hothorn, Bretz and Westfall,
    2008).

    With few albums the draws vary too little. So the standard error is theirs times t / 1.96, where t is the
    97.5th percentile of Student's distribution with G − 1 degrees of freedom, and G the effective number of
    albums of the slice or of the rest, whichever is smaller. In simulations with fold 4's albums and slices
    (44 gaps, album effects of 0.3 and 0.6 logits), all gaps held together in 96 to 99 % of the data sets;
    without that factor, in 86 to 93 %.

    A gap is refused in three cases, for the slice or for the rest: its albums are worth fewer than
    ``FEW_EFFECTIVE_ALBUMS``, fewer than three albums hold an error, or fewer than three hold a right answer.
    The last two are cases that drawing albums cannot judge. It cannot show an error that no album had: where
    every answer is right, all draws agree, and the interval would be the narrowest of the table. An error is
    a face with fewer points than the most that a face has, a right answer one with more than the fewest; so
    the rule also holds for points other than 0 and 1. Built in lesson 8.1.

    Examples
    --------
    >>> album = np.arange(40)
    >>> points, slices = pd.DataFrame({"right": album % 4 > 0}), pd.DataFrame({"first half": album < 20})
    >>> gaps(points, slices, album, seed=0)[["slice", "faces", "albums", "effective", "estimate"]]
            slice  faces  albums  effective  estimate
    0  first half     20      20       20.0       0.0
    >>> gaps(points | slices.to_numpy(), slices, album, seed=0)["refused"].item()
    'fewer than three albums hold an error'
    """
    inside, values, album = _as_arrays(points, slices, albums)
    times = times_drawn(int(album.max()) + 1, seed=seed, n_resamples=n_resamples).astype("float64")
    estimate = _differences(np.ones((1, times.shape[1])), inside, values, album)[0]
    with np.errstate(invalid="ignore"):  # a draw may hold no face of a slice of few albums
        drawn = _differences(times, inside, values, album)
    sides = [(album[part], album[~part]) for part in inside.T.astype(bool)]
    effective = np.array([[effective_albums(side) for side in both] for both in sides])
    refused = _refusals(inside.astype(bool), values, album)
    spread = np.where(refused == "", np.nanstd(drawn, axis=0), np.nan)
    few = stdtrit(effective.min(axis=1) - 1, 0.975) / 1.96
    table = pd.DataFrame(
        {
            "slice": np.repeat(list(slices), values.shape[1]),
            "measure": np.tile(list(points), inside.shape[1]),
            "faces": np.repeat(inside.sum(axis=0).astype("int64"), values.shape[1]),
            "albums": np.repeat([len(np.unique(within)) for within, _ in sides], values.shape[1]),
            "effective": np.repeat(effective[:, 0], values.shape[1]),
            "estimate": estimate.ravel(),
            "error": (spread * few[:, None]).ravel(),
        }
    )
    reach = _multiple(abs(drawn - estimate), spread) * table["error"]
    ends = {"low": table["estimate"] - reach, "high": table["estimate"] + reach}
    return table.assign(**ends, refused=refused.ravel())


def why_no_interval(wrong: ArrayLike, right: ArrayLike, albums: ArrayLike) -> str:
    """Say why drawing albums cannot give a share's interval, or nothing where it can.

    Parameters
    ----------
    wrong, right : array of bool, shape (n,)
        Which faces hold an error, and which hold a right answer. For a share of wrong answers each is the
        other's opposite; a face with half of the points is both.
    albums : array, shape (n,)
        The album of each face.

    Returns
    -------
    str
        The first reason that holds, such as ``"fewer than 5 effective albums"``: the faces are worth fewer
        albums than ``FEW_EFFECTIVE_ALBUMS``, fewer than three albums hold an error, or fewer than three hold
        a right answer. Empty where there is enough.

    Raises
    ------
    ValueError
        If there is no face or the lengths differ.

    Notes
    -----
    The rule of :func:`gaps`, which asks it of a slice and of the rest. Used by tools.try_pages.

    Examples
    --------
    >>> album = np.arange(8)
    >>> why_no_interval(album < 2, album >= 2, album)
    'fewer than three albums hold an error'
    >>> why_no_interval(album < 4, album >= 4, album)
    ''
    """
    album = np.asarray(albums)
    kinds = {"an error": np.asarray(wrong, bool), "a right answer": np.asarray(right, bool)}
    refuse_lengths(len(album), *map(len, kinds.values()))
    if effective_albums(album) < FEW_EFFECTIVE_ALBUMS:
        return f"fewer than {FEW_EFFECTIVE_ALBUMS} effective albums"
    for kind, holds in kinds.items():
        if len(np.unique(album[holds])) < 3:
            return f"fewer than three albums hold {kind}"
    return ""


def _refusals(inside: np.ndarray, values: np.ndarray, album: np.ndarray) -> np.ndarray:
    """Say why a gap gets no interval, or nothing where it gets one: array of str, (slices, measures)."""
    wrong, right = values < values.max(axis=0), values > values.min(axis=0)

    def reason(part: np.ndarray, measure: int) -> str:
        sides = (
            why_no_interval(wrong[side, measure], right[side, measure], album[side]) for side in (part, ~part)
        )
        return next(filter(None, sides), "")

    reasons = [[reason(part, measure) for measure in range(values.shape[1])] for part in inside.T]
    return np.array(reasons, dtype=object)


def _differences(times: np.ndarray, inside: np.ndarray, values: np.ndarray, album: np.ndarray) -> np.ndarray:
    """Compute each slice's mean minus the others', for each draw of albums: (draws, slices, measures)."""
    member = (album == np.arange(times.shape[1])[:, None]).astype("float64")  # (albums, faces)

    def mean(part: np.ndarray) -> np.ndarray:
        points = (part[:, :, None] * values[:, None, :]).reshape(len(part), -1)
        sums, faces = times @ (member @ points), times @ (member @ part)
        return sums.reshape(*faces.shape, -1) / faces[:, :, None]

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

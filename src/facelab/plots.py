"""What the chapters' figures share: one style, colours that everybody can tell apart, and a few charts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from facelab.epochs import Mode, best_epoch

__all__ = [
    "GENDER_COLOURS",
    "PALETTE",
    "WIDTH",
    "confusion",
    "contact_sheet",
    "intervals",
    "learning_curves",
    "set_style",
]

PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Colours that stay apart for every kind of colour vision, from the palette of Okabe and Ito (2008)."""

GENDER_COLOURS: Final = {"f": "#E69F00", "m": "#0072B2"}
"""The colour of each labelled gender: one light, one dark, so that a grey print tells them apart as well."""

WIDTH: Final = 6.5
"""Width of a figure, in inches: the text's, so that letters keep their size on the page."""

_SHARES: Final = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#0072B2", "#00263d"])
"""From 0 (white) to 1 (nearly black), ever darker, so that a grey print keeps the order."""

_STYLE: Final = {
    "figure.figsize": (WIDTH, 3.4),
    "figure.dpi": 120,
    "figure.facecolor": "white",  # a transparent one would hide the letters on a dark page
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "axes.grid.axis": "y",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def set_style() -> None:
    """Set the look of every figure that follows; call it once, at the top of a chapter.

    Notes
    -----
    Used in lesson 1.1.
    """
    sns.set_theme(context="notebook", style="whitegrid", palette=list(PALETTE), rc=_STYLE)


def contact_sheet(pictures: Sequence[Any] | np.ndarray, captions: Sequence[str], columns: int) -> Figure:
    """Lay out pictures in rows, a caption above each.

    Parameters
    ----------
    pictures : sequence of images
        Whatever ``imshow`` takes: PIL images or arrays of shape (height, width) or (height, width, 3). Those
        with one channel are shown in grey, from 0 (black) to 255 (white).
    captions : sequence of str
        One a picture; an empty one for none, as below the first row of a grid.
    columns : int
        Pictures a row.

    Returns
    -------
    Figure
        As wide as ``WIDTH``, as high as its rows need. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If there is no picture, `columns` is not positive, or captions are too few or too many.

    Notes
    -----
    Used in lesson 1.2.
    """
    if len(pictures) != len(captions):
        raise ValueError(f"{len(pictures)} pictures have {len(captions)} captions; every one needs its own")
    if not len(pictures) or columns < 1:
        raise ValueError(f"nothing to lay out: {len(pictures)} pictures in {columns} columns")
    cell = WIDTH / columns  # inches; the axes below count in cells
    heading = 0.22 / cell
    figure = plt.figure(layout="none")
    # One axes for all: an axes for each picture would take seconds to lay out.
    axes = figure.add_axes((0, 0, 1, 1))
    top = 0.0
    for start in range(0, len(pictures), columns):
        row = slice(start, start + columns)
        top -= heading if any(captions[row]) else 0
        for place, (picture, caption) in enumerate(zip(pictures[row], captions[row], strict=True)):
            height, width = np.asarray(picture).shape[:2]
            scale = 0.97 / max(height, width)
            box = (place, place + scale * width, top - scale * height, top)
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest", extent=box)
            middle = place + scale * width / 2
            axes.text(middle, top, caption, ha="center", va="bottom", fontsize=9, parse_math=False)
        top -= 1
    axes.set(xlim=(0, columns), ylim=(top, 0))
    axes.set_axis_off()
    figure.set_size_inches(WIDTH, -top * cell)
    return figure


def learning_curves(
    histories: Mapping[str, pd.DataFrame],
    metrics: Sequence[str] = ("loss",),
    monitor: str = "val_loss",
    mode: Mode | None = None,
) -> Figure:
    """Draw how training went: each metric on the training and on the validation photographs.

    Parameters
    ----------
    histories : mapping from str to DataFrame
        What :func:`facelab.training.fit` returned, by the name of the network; a column of charts each.
    metrics : sequence of str
        Columns of every history that have a ``val_`` column beside them; a row of charts each, on one scale.
    monitor : str
        The column that chose the best epoch, which is marked; see :func:`facelab.epochs.best_epoch`.
    mode : {"max", "min"}, optional
        Whether more or less of `monitor` is better. Without it the name tells.

    Returns
    -------
    Figure
        Training dashed, validation solid. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If there is no history or no metric, a history lacks a column, or neither `mode` nor its name tells
        whether more of `monitor` is better.

    Notes
    -----
    Used in lesson 3.
    """
    if not histories or not metrics:
        raise ValueError(f"nothing to draw: {len(histories)} histories, {len(metrics)} metrics")
    for name, history in histories.items():
        needed = ["epoch", monitor, *metrics, *(f"val_{metric}" for metric in metrics)]
        if missing := [column for column in needed if column not in history]:
            raise ValueError(f"the history of {name} has no {', '.join(missing)}; it has {list(history)}")
    figure, grid = plt.subplots(
        len(metrics), len(histories), figsize=(WIDTH, 1 + 2.2 * len(metrics)),
        sharex="col", sharey="row", squeeze=False, layout="constrained",
    )  # fmt: skip
    for column, (name, history) in zip(grid.T, histories.items(), strict=True):
        best = best_epoch(history[monitor], monitor, mode)
        epoch = history["epoch"].iloc[best]
        column[0].set_title(f"{name}\nbest epoch: {epoch}", parse_math=False)
        column[-1].set_xlabel("epoch")
        for axes, metric in zip(column, metrics, strict=True):
            axes.plot("epoch", metric, "--", color=PALETTE[1], data=history, label="training")
            axes.plot("epoch", f"val_{metric}", color=PALETTE[0], data=history, label="validation")
            axes.axvline(epoch, color="0.35", linewidth=1, linestyle=":")
            mark = {"marker": "o", "markersize": 7, "linestyle": "none", "color": PALETTE[0]}
            axes.plot(epoch, history[f"val_{metric}"].iloc[best], **mark, label="best epoch")
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    for axes, metric in zip(grid[:, 0], metrics, strict=True):
        axes.set_ylabel(metric.replace("_", " "), parse_math=False)
    return figure


def confusion(matrix: np.ndarray, labels: Sequence[str]) -> Figure:
    """Draw a confusion matrix: the counts, on the colour of their share of the row.

    Parameters
    ----------
    matrix : int array, shape (k, k)
        A row a true label, a column a predicted one, as :func:`facelab.evaluation.confusion_matrix` counts.
    labels : sequence of k str
        What the rows and columns stand for.

    Returns
    -------
    Figure
        Rows are compared by colour, whatever their number of faces. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If `matrix` is not square, or has more or fewer rows than there are labels.

    Notes
    -----
    Used in lesson 3.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(
            f"{len(labels)} labels need a matrix of as many rows and columns, not {matrix.shape}"
        )
    faces = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, faces, out=np.zeros(matrix.shape), where=faces > 0)
    side = min(WIDTH - 1, 1.6 + 0.55 * len(labels))  # inches
    figure, axes = plt.subplots(figsize=(side + 1, side), layout="compressed")
    image = axes.imshow(shares, cmap=_SHARES, vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        colour = _readable_on(_SHARES(shares[row, column]))
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=10)
    axes.set_xticks(range(len(labels)), labels, parse_math=False)
    if len(labels) > 3:
        plt.setp(axes.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.set(xlabel="predicted", ylabel="labelled")
    axes.grid(visible=False)
    figure.colorbar(image, label="share of the row", shrink=0.8)
    return figure


def intervals(table: pd.DataFrame, label: str) -> Figure:
    """Draw estimates as dots and their intervals as bars, one row for each model or slice.

    Parameters
    ----------
    table : DataFrame
        As :func:`facelab.evaluation.by_slice` gives it, or any with ``estimate``, ``low`` and ``high``; its
        first column names the rows. ``faces`` and ``albums``, if there, are written beside the names.
    label : str
        What is estimated, for the axis: "accuracy".

    Returns
    -------
    Figure
        The first row on top. A hollow dot has no interval. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If `table` is empty or lacks one of the three columns.

    Notes
    -----
    Used in lesson 3.
    """
    if missing := {"estimate", "low", "high"} - set(table):
        raise ValueError(f"the table has no {', '.join(sorted(missing))}; it has {list(table)}")
    if table.empty:
        raise ValueError("nothing to draw: the table is empty")
    counted = {"faces", "albums"} <= set(table)
    figure, axes = plt.subplots(figsize=(WIDTH, 0.8 + (0.55 if counted else 0.4) * len(table)))
    names = []
    for place, (_, row) in enumerate(table.iterrows()):
        sure = np.isfinite(row["low"]) and np.isfinite(row["high"])
        if sure:
            axes.plot([row["low"], row["high"]], [place, place], color=PALETTE[0], linewidth=2.5)
        face = PALETTE[0] if sure else "white"
        axes.plot(row["estimate"], place, "o", markersize=8, color=PALETTE[0], markerfacecolor=face)
        plural = "" if counted and row["albums"] == 1 else "s"
        below = f"\n{row['faces']:,} faces, {row['albums']} album{plural}" if counted else ""
        names.append(f"{row.iloc[0]}{below}")
    axes.set_yticks(range(len(table)), names, parse_math=False)
    axes.set_xlabel(f"{label}, with its 95 % interval", parse_math=False)
    axes.set(ylim=(len(table) - 0.5, -0.5))
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    return figure


def _readable_on(colour: Sequence[float]) -> str:
    """Choose black or white, whichever has the greater contrast on a colour, as WCAG 2 reckons it."""
    stored = np.asarray(colour[:3])
    light = np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)
    return "black" if light @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"

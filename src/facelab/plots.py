"""What the chapters' figures share: one style, colours that everybody can tell apart, and a few charts."""

import io
import re
import sys
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
    "TEXT",
    "WIDTH",
    "as_svg",
    "confusion",
    "contact_sheet",
    "intervals",
    "learning_curves",
    "set_style",
    "share_map",
]

PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Colours that stay apart for every kind of colour vision, from the palette of Okabe and Ito (2008)."""

GENDER_COLOURS: Final = {"f": "#E69F00", "m": "#0072B2"}
"""The colour of each labelled gender: one light, one dark, so that a grey print tells them apart as well."""

WIDTH: Final = 6.5
"""Width of a figure, in inches: the text's, so that letters keep their size on the page."""

TEXT: Final = 13
"""Size of all letters of a chart, in points: 9 pixels where a figure is 326 pixels wide, as on a phone."""

_PHOTOGRAPH: Final = 32 * 32
"""An image of so many pixels or more is a picture; below, it is a matrix whose fields are read one by one."""

_SHARES: Final = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#0072B2", "#00263d"])
"""From 0 (white) to 1 (nearly black), ever darker, so that a grey print keeps the order."""

_STYLE: Final = {
    "figure.figsize": (WIDTH, 3.4),
    "figure.dpi": 120,
    "figure.facecolor": "white",  # a transparent one would hide the letters on a dark page
    "figure.constrained_layout.use": True,
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "legend.title_fontsize": TEXT,
    "svg.hashsalt": "facelab",  # otherwise the names within an SVG differ from run to run
    "axes.grid.axis": "y",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def set_style() -> None:
    """Set the look of every figure that follows; call it once, at the top of a lesson.

    Notes
    -----
    In a notebook, charts are shown as SVG from then on, sharp at any size, and figures with pictures as JPEG:
    as SVG or PNG they would take megabytes. Used in lesson 1.1.
    """
    sns.set_theme(context="notebook", style="whitegrid", palette=list(PALETTE), rc=_STYLE)
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
        plt.switch_backend(plt.get_backend())  # load it now: when it is loaded, it chooses formats of its own
        formatters = shell.display_formatter.formatters
        for formatter in formatters.values():
            formatter.pop(Figure, None)
        formatters["image/svg+xml"].for_type(Figure, _chart_as_svg)
        formatters["image/jpeg"].for_type(Figure, _as_jpeg)


def as_svg(figure: Figure) -> str:
    """Write a figure as SVG, the same from run to run.

    Parameters
    ----------
    figure : Figure
        A chart; pictures in it would take megabytes.

    Returns
    -------
    str
        The whole document, on the figure's own background.

    Notes
    -----
    Used by tools.full_run_pages.
    """
    text = io.StringIO()
    how: dict[str, Any] = {"facecolor": figure.get_facecolor(), "bbox_inches": "tight"}
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, **how)
    # A hundredth of a point cannot be seen; factors, which are small, keep four digits.
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.4g}", text.getvalue())


def _chart_as_svg(figure: Figure) -> str | None:
    """Give a chart as SVG, nothing of a figure with pictures."""
    return None if _has_pictures(figure) else as_svg(figure)


def _as_jpeg(figure: Figure) -> bytes | None:
    """Give a figure with pictures as JPEG, nothing of a chart."""
    if not _has_pictures(figure):
        return None
    data = io.BytesIO()
    how: dict[str, Any] = {"facecolor": figure.get_facecolor(), "bbox_inches": "tight", "dpi": figure.dpi}
    figure.savefig(data, format="jpeg", pil_kwargs={"quality": 90, "subsampling": 0}, **how)
    return data.getvalue()


def _has_pictures(figure: Figure) -> bool:
    """Tell whether a figure shows photographs or maps, and not only lines, bars and matrices."""
    images = [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]
    return any(image.shape[0] * image.shape[1] >= _PHOTOGRAPH for image in images)


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
    # As large as the text of a chart, unless the longest caption is wider than its picture.
    longest = max((len(line) for caption in captions for line in caption.split("\n")), default=1) or 1
    size = min(TEXT, 1.6 * 72 * cell / longest)
    lines = max(caption.count("\n") + 1 for caption in captions)
    heading = (0.09 + lines * 1.25 * size / 72) / cell
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
            axes.text(
                middle, top + 0.03 / cell, caption, ha="center", va="bottom", fontsize=size, parse_math=False
            )
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
    Used in lesson 3.2.
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
    Used in lesson 3.4.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(
            f"{len(labels)} labels need a matrix of as many rows and columns, not {matrix.shape}"
        )
    faces = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, faces, out=np.zeros(matrix.shape), where=faces > 0)
    side = min(WIDTH - 1, 1.8 + 0.6 * len(labels))  # inches
    figure, axes = plt.subplots(figsize=(side + 1, side), layout="compressed")
    image = axes.imshow(shares, cmap=_SHARES, vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        colour = _readable_on(_SHARES(shares[row, column]))
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, parse_math=False)
    if len(labels) > 3:
        plt.setp(axes.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.set(xlabel="predicted", ylabel="labelled")
    axes.grid(visible=False)
    figure.colorbar(image, label="share of the row", shrink=0.8)
    return figure


def share_map(shares: pd.DataFrame) -> Figure:
    """Draw a table of shares, each field on the colour of its share, with the share written into it.

    Parameters
    ----------
    shares : DataFrame of float
        In [0, 1]. The names of its index and columns, if any, name the axes.

    Returns
    -------
    Figure
        From white, nothing, to dark, the largest share of the table. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If the table is empty, or a share is missing or not in [0, 1].

    Notes
    -----
    Used in lesson 1.2.
    """
    values = shares.to_numpy(dtype="float64")
    if not values.size or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("shares from 0 to 1 are needed, one or more, and none missing")
    figure, axes = plt.subplots(figsize=(WIDTH, 1.3 + 0.42 * len(shares)))
    top = values.max() or 1.0
    axes.imshow(values, cmap=_SHARES, vmin=0, vmax=top, aspect="auto")
    for (row, column), share in np.ndenumerate(values):
        colour = _readable_on(_SHARES(share / top))
        axes.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour)
    axes.set_xticks(range(shares.shape[1]), [str(name) for name in shares.columns], parse_math=False)
    axes.set_yticks(range(len(shares)), [str(name) for name in shares.index], parse_math=False)
    if max(len(str(name)) for name in shares.columns) * shares.shape[1] > 42:
        plt.setp(axes.get_xticklabels(), rotation=35, ha="right", rotation_mode="anchor")
    axes.set(xlabel=shares.columns.name, ylabel=shares.index.name)
    axes.grid(visible=False)
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
    Used in lesson 3.3.
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

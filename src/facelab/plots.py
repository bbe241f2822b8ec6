"""What the chapters' figures share: one style, colours that everybody can tell apart, contact sheets."""

from collections.abc import Sequence
from typing import Any, Final

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Colours that stay apart for every kind of colour vision, from the palette of Okabe and Ito (2008)."""

GENDER_COLOURS: Final = {"f": "#E69F00", "m": "#0072B2"}
"""The colour of each labelled gender: one light, one dark, so that a grey print tells them apart as well."""

WIDTH: Final = 6.5
"""Width of a figure, in inches: the text's, so that letters keep their size on the page."""

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
    First called in chapter 1.
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
    First used in chapter 1.
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
            axes.text(place + scale * width / 2, top, caption, ha="center", va="bottom", fontsize=9)
        top -= 1
    axes.set(xlim=(0, columns), ylim=(top, 0))
    axes.set_axis_off()
    figure.set_size_inches(WIDTH, -top * cell)
    return figure

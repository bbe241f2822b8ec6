"""What a data set is made of, and three ways to cut it."""

from collections.abc import Mapping
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, count, percent, sentence

_LEVELS: Final = {
    "fold": ["fold"],
    "album": ["user_id"],
    "subject": ["user_id", "face_id"],
}
"""The columns of the table that name each level of a data set."""


def data_set(table: pd.DataFrame) -> Figure:
    """Draw how a data set is nested: photographs of a subject, subjects of an album, albums of a fold.

    Parameters
    ----------
    table : DataFrame
        From :func:`facelab.adience.read_folds`: a row a photograph, with ``fold``, ``user_id`` and
        ``face_id``.

    Returns
    -------
    Figure
        Boxes in boxes, an example of each level, and below how many there are and how large they are. End the
        cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If the table has no photograph or lacks one of the columns.

    Notes
    -----
    Used in lesson 1.2.
    """
    if missing := {"fold", "user_id", "face_id"} - set(table):
        raise ValueError(f"the table has no {', '.join(sorted(missing))}; it has {list(table)}")
    if table.empty:
        raise ValueError("nothing to draw: the table has no photograph")
    sizes = {level: table.groupby(columns, observed=True).size() for level, columns in _LEVELS.items()}
    canvas = Canvas()
    canvas.box(2, 2, BROAD - 4, 286, line=1.6)
    canvas.heading(14, 19, "fold")
    canvas.box(14, 36, 300, 240, line=1.3)
    canvas.heading(26, 53, "album")
    _subject(canvas, 26, 70, 276, look=2, photographs=4)
    canvas.text(44, 166, "photograph")
    canvas.line((50, 156), (50, 146))
    _subject(canvas, 26, 184, 164, look=1, photographs=2)
    _subject(canvas, 202, 184, 100, look=3, photographs=1)
    canvas.box(326, 36, 128, 240, line=1.3)
    canvas.heading(338, 53, "album")
    _subject(canvas, 338, 70, 104, look=5, photographs=1, height=100)
    _subject(canvas, 338, 184, 104, look=0, photographs=1)

    rows = [
        ("", "how many", "photographs in each"),
        *((f"{level}s", f"{len(of):,}", _span(of)) for level, of in sizes.items()),
        ("photographs", f"{len(table):,}", ""),
    ]
    for number, (level, many, each) in enumerate(rows):
        y = 312 + 22 * number
        canvas.text(14, y, level, bold=True)
        canvas.text(250, y, many, align="right", bold=not number)
        canvas.text(BROAD - 14, y, each, align="right", bold=not number)
    canvas.line((14, 324), (BROAD - 14, 324))
    alt = [
        "Boxes in boxes: a fold holds albums, an album holds subjects, a subject's box holds photographs of "
        "one face.",
        *(f"{count(len(of), level)} of {_span(of)} photographs." for level, of in sizes.items()),
        f"{count(len(table), 'photograph')} in all.",
    ]
    return canvas.finish(312 + 22 * len(rows), sentence(alt))


def _span(sizes: pd.Series) -> str:
    low, high = sizes.min(), sizes.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _subject(
    canvas: Canvas, left: float, top: float, width: float, look: int, photographs: int,
    height: float = 80,
) -> None:  # fmt: skip
    """Draw a subject's box with photographs of one look."""
    canvas.box(left, top, width, height, line=0.8)
    canvas.text(left + 8, top + 13, "subject")
    side = 48
    for number in range(photographs):
        canvas.photograph(left + 8 + number * (side + 8), top + 26, side, look)


_EXAMPLE: Final = ((0, 0, 0, 1, 1, 1), (2, 2, 2, 3, 3, 3), (4, 4, 4, 5, 5, 5))
"""Three albums of two subjects with three photographs each, as the looks of the faces."""

_CUTS: Final = {
    "photographs": {(0, 1), (1, 0), (1, 4), (2, 2), (2, 3)},
    "subjects": {(0, 3), (0, 4), (0, 5), (2, 0), (2, 1), (2, 2)},
    "albums": {(1, number) for number in range(6)},
}
"""Which photographs of the example, as album and place, are in the test set, by what is drawn for it."""


def splits(known: Mapping[str, tuple[float, float]]) -> Figure:
    """Draw one data set cut three ways, by photograph, by subject and by album, and what each lets through.

    Parameters
    ----------
    known : mapping from "photographs", "subjects" and "albums" to two floats in [0, 1]
        For each thing of which the test set is a random part: the shares of the test photographs whose
        subject, and whose album, is in the training set.

    Returns
    -------
    Figure
        Three albums of an example for each cut, with the measured shares below. End the cell with
        ``plt.show()``.

    Raises
    ------
    ValueError
        If one of the three cuts is missing, another is given, or a share is not in [0, 1].

    Notes
    -----
    Used in lesson 1.3.
    """
    if set(known) != set(_CUTS):
        raise ValueError(f"the cuts are {', '.join(_CUTS)}; given are {', '.join(known) or 'none'}")
    if wrong := [name for name, shares in known.items() if not all(0 <= share <= 1 for share in shares)]:
        raise ValueError(f"shares are from 0 to 1; those of {wrong[0]} are {known[wrong[0]]}")
    canvas = Canvas()
    end = canvas.key(0, 12, "training", "training set")
    canvas.key(end + 24, 12, "test", "test set")
    tall, side = 122, 22
    alt = ["One data set of three albums with two subjects each, split three ways."]
    for row, (name, test) in enumerate(_CUTS.items()):
        top = 36 + row * (tall + 22)
        canvas.heading(0, top + 8, f"Split by {name[:-1]}")
        for album, looks in enumerate(_EXAMPLE):
            left = 1 + album * 159
            canvas.box(left, top + 24, 148, 42)
            for place, look in enumerate(looks):
                role = "test" if (album, place) in test else "training"
                x = left + 5 + place * (side + 1) + (4 if place > 2 else -1)
                canvas.photograph(x, top + 34, side, look, role)
        person, of_album = map(percent, known[name])
        words = "Test photographs whose person is in training:"
        canvas.text(0, top + 84, words)
        canvas.text(BROAD - 2, top + 84, person, align="right", bold=True)
        canvas.text(0, top + 103, "whose album is in training:")
        canvas.text(BROAD - 2, top + 103, of_album, align="right", bold=True)
        alt.append(
            f"By {name[:-1]}: {person} of the test photographs show a person of the training set, "
            f"{of_album} come from an album of the training set."
        )
    return canvas.finish(36 + 3 * (tall + 22) - 22, sentence(alt))

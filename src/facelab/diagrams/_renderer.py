"""From causes to a photograph: the renderer's steps."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, count, height_of, sentence, wrapped

_STEPS: Final = {
    "head": "a mesh is pulled into shape",
    "look": "skin, eyes, hair and glasses are put on",
    "scene": "the head turns, a lamp shines, a camera aims",
    "photograph": "camera and file add their marks",
}
"""What the renderer does in each step."""


def rendering(causes: Mapping[str, Sequence[str]], pictures: Sequence[Any] | None = None) -> Figure:
    """Draw the four steps from a list of causes to a photograph.

    Parameters
    ----------
    causes : mapping from "head", "look", "scene" and "photograph" to sequences of str
        The names of the causes that each step takes in.
    pictures : sequence of four images, optional
        What there is to see after each step; otherwise drawn faces.

    Returns
    -------
    Figure
        A row a step: its picture, what happens in it, and its causes. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If a step is missing, another is given, or there are not four pictures.

    Notes
    -----
    Used in lesson A.
    """
    if set(causes) != set(_STEPS):
        raise ValueError(f"the steps are {', '.join(_STEPS)}; given are {', '.join(causes) or 'none'}")
    if pictures is not None and len(pictures) != len(_STEPS):
        raise ValueError(f"there are {len(_STEPS)} steps, but {len(pictures)} pictures")
    canvas = Canvas()
    side, y = 96.0, 2.0
    total = count(sum(len(names) for names in causes.values()), "cause")
    alt = [f"The renderer's four steps from the top down, with {total} in all."]
    for number, (step, done) in enumerate(_STEPS.items()):
        names = list(causes[step])
        listed = wrapped(", ".join(name.replace("_", " ") for name in names), BROAD - side - 34)
        words = wrapped(done, BROAD - side - 34)
        room = max(side, 44.0 + height_of(words) + (height_of(listed) if names else 0))
        if pictures is None:
            _glyph(canvas, step, 1, y, side)
        else:
            canvas.picture(1, y, side, pictures[number])
        left = side + 18
        canvas.heading(left, y + 9, f"{number + 1} {step}: {count(len(names), 'cause')}")
        below = y + 24 + height_of(words) / 2
        canvas.text(left, below, words)
        if names:
            start = below + height_of(words) / 2 + 6
            canvas.text(left, start + height_of(listed) / 2, listed)
        if number:
            canvas.arrow((1 + side / 2, y - 22), (1 + side / 2, y - 3))
        y += room + 26
        alt.append(f"{number + 1}, {step}: {done}; {count(len(names), 'cause')}: {', '.join(names)}.")
    canvas.text(0, y, f"{total} in all, each of them kept with the picture.", bold=True)
    return canvas.finish(y + 14, sentence(alt))


def _glyph(canvas: Canvas, step: str, left: float, top: float, side: float) -> None:
    """Draw what there is after a step: a wire head, a face, a turned face under a lamp, a photograph."""
    x, y = left + side / 2, top + side / 2 + 4
    radius = 0.36 * side
    if step == "head":
        angles = np.radians(np.linspace(0, 360, 61))
        for squeeze in (1.0, 0.66, 0.33, 0.0):
            canvas.line(
                *zip(x + 0.8 * squeeze * radius * np.cos(angles), y + radius * np.sin(angles), strict=True),
                width=0.8,
            )
            inner = 0.8 * radius * np.cos(np.arcsin(0.9 * squeeze))
            for sign in (-1, 1):
                level = y + sign * 0.9 * squeeze * radius
                canvas.line((x - inner, level), (x + inner, level), width=0.8)
    elif step == "look":
        canvas.face(x, y, 2 * radius, 2, glasses="thick")
    elif step == "scene":
        canvas.face(x + 16, y + 6, 1.4 * radius, 2, glasses="thick")
        canvas.lamp(left + 14, top + 14, (x - 6, y - 14))
        canvas.camera(left, top + 0.62 * side)
    else:
        canvas.photograph(left, top, side, 2, glasses="thick")

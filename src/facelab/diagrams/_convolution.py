"""How a kernel slides, and how much of the picture a place has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from facelab.diagrams._drawing import BROAD, Canvas, minus, sentence, text_width
from facelab.diagrams._layers import input_shape, places

if TYPE_CHECKING:
    import keras

_MOST_CELLS: Final = 15
"""How many cells fit beside each other: image, kernel and result together."""


def sliding_kernel(image: ArrayLike, kernel: ArrayLike) -> Figure:
    """Draw a kernel at its first place on a small picture, what it computes there, and all of its answers.

    Parameters
    ----------
    image : int array, shape (side, side)
        Its pixels, small whole numbers.
    kernel : int array, shape (size, size)
        Its weights, small whole numbers.

    Returns
    -------
    Figure
        Picture, kernel and result with their numbers, and the sum of the first place written out. End the
        cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If one of them is not square, the kernel does not fit, or the numbers do not fit into the cells.

    Notes
    -----
    Used in lesson 3.1.
    """
    pixels, weights = np.asarray(image), np.asarray(kernel)
    for array in (pixels, weights):
        if array.ndim != 2 or len(set(array.shape)) != 1:
            raise ValueError(f"picture and kernel are square, not of shape {array.shape}")
    side, size = len(pixels), len(weights)
    places_left = side - size + 1
    if places_left < 1:
        raise ValueError(f"a kernel of {size} × {size} does not fit on {side} × {side} pixels")
    answers = np.array(
        [
            [
                (pixels[row : row + size, column : column + size] * weights).sum()
                for column in range(places_left)
            ]
            for row in range(places_left)
        ]
    )
    cells = side + size + places_left
    cell = min(28.0, (BROAD - 84) / cells)
    written = [minus(number) for array in (pixels, weights, answers) for number in array.flat]
    if cells > _MOST_CELLS or max(text_width(words) for words in written) > cell - 3:
        raise ValueError(
            f"{side} × {side} pixels and the answers to them are too many or too long to read: show a part "
            "of the picture, in small whole numbers"
        )
    canvas = Canvas()
    gap = (BROAD - 2 - cell * cells) / 2
    top = 36.0
    left = 1.0
    canvas.heading(left, 10, "picture")
    canvas.numbers(left, top, cell, pixels, marked=(0, 0, size))
    middle = top + cell * side / 2
    sign = left + cell * side + gap / 2
    canvas.text(sign, middle, "×", align="center", size=18)
    at_kernel = left + cell * side + gap
    canvas.heading(at_kernel + cell * size / 2, middle - cell * size / 2 - 14, "kernel", align="center")
    canvas.numbers(at_kernel, middle - cell * size / 2, cell, weights, marked=(0, 0, size))
    canvas.text(at_kernel + cell * size + gap / 2, middle, "=", align="center", size=18)
    at_answer = at_kernel + cell * size + gap
    above = middle - cell * places_left / 2
    canvas.heading(at_answer + cell * places_left, above - 26, "result", align="right")
    canvas.numbers(at_answer, above, cell, answers, marked=(0, 0, 1))
    if places_left > 1:
        for start, length in ((left, size), (at_answer, 1)):
            height = top if start == left else above
            canvas.arrow(
                (start + cell * length / 2, height - 7), (start + cell * (length / 2 + 1), height - 7)
            )
    bottom = top + cell * side + 22
    canvas.heading(left, bottom, "At the first place")
    sums = (pixels[:size, :size] * weights).sum(axis=1)
    for row in range(size):
        terms = " + ".join(
            f"{pixel}·{_signed(weight)}"
            for pixel, weight in zip(pixels[row, :size], weights[row], strict=True)
        )
        canvas.text(left, bottom + 22 + 19 * row, f"row {row + 1}:  {terms} = {minus(sums[row])}")
    total = bottom + 22 + 19 * size
    added = " + ".join(_signed(number) for number in sums)
    canvas.text(left, total, f"together:  {added} = {minus(answers[0, 0])}", bold=True)
    canvas.text(left, total + 28, "Then the kernel moves on by one pixel.")
    canvas.text(left, total + 46, f"It fits in {side} − {size} + 1 = {places_left} places, both ways.")
    alt = [
        f"A kernel of {size} × {size} weights on a picture of {side} × {side} pixels.",
        f"At the first place the sum of the products is {answers[0, 0]}.",
        f"The result has {places_left} × {places_left} numbers: "
        + "; ".join(" ".join(str(number) for number in row) for row in answers) + ".",
    ]  # fmt: skip
    return canvas.finish(total + 60, sentence(alt))


def _signed(number: int) -> str:
    return f"({minus(number)})" if number < 0 else f"{number}"


def receptive_field(model: keras.Model) -> Figure:
    """Draw the receptive field of a network's stages as squares around one point of the photograph.

    Parameters
    ----------
    model : keras.Model
        A network on square photographs whose convolutions follow each other; a residual stage counts with its
        longest way.

    Returns
    -------
    Figure
        The photograph, and a square for the last layer of each size of map, to scale. End the cell with
        ``plt.show()``.

    Raises
    ------
    ValueError
        If the model has no convolution or pooling.

    Notes
    -----
    Used in lesson 7.1.
    """
    stages = places(model)
    if not stages:
        raise ValueError(f"the model {model.name} has no convolution: it has no receptive field")
    pixels = input_shape(model)[0]
    canvas = Canvas()
    extent = max(pixels, stages[-1].field)
    room = 270.0
    scale = room / extent
    rows = len(stages) + 1
    height = max(room, 46.0 * rows)
    middle_x, middle_y = room / 2 + 2, height / 2 + 2
    half = pixels * scale / 2
    canvas.backdrop(middle_x - half, middle_y - half, 2 * half)
    marks = [("photograph", f"{pixels} × {pixels} pixels", pixels)] + [
        (_in_words(stage.name), f"sees {stage.field} × {stage.field} pixels", stage.field) for stage in stages
    ]
    marks.sort(key=lambda mark: -mark[2])
    for number, (name, words, field) in enumerate(marks):
        reach = field * scale / 2
        y = 2 + height * (number + 0.5) / rows
        if name != "photograph":
            canvas.frame(middle_x - reach, middle_y - reach, 2 * reach)
        canvas.leader((middle_x + reach, middle_y - reach), (room + 22, y))
        canvas.text(room + 28, y - 9, name, bold=True)
        canvas.text(room + 28, y + 9, words)
    alt = [
        f"A photograph of {pixels} × {pixels} pixels and, around its middle, the squares that one place of "
        "each stage has seen:",
        "; ".join(
            f"{_in_words(stage.name)}, {stage.side} × {stage.side} places: {stage.field} pixels"
            for stage in stages
        )
        + ".",
    ]
    return canvas.finish(height + 4, sentence(alt))


def _in_words(layer: str) -> str:
    """Turn a layer's name into words; the last convolution of a residual stage stands for the stage."""
    return layer.removesuffix("_residual").replace("_", " ")

"""Networks drawn to scale: where the weights are, and where the places get lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, count, height_of, percent, sentence, text_width, wrapped
from facelab.diagrams._layers import Place, Row, input_shape, kind_of, places, shape_in_words, table

if TYPE_CHECKING:
    import keras

_LARGEST: Final = 176.0
"""Side of the square of the layer with the most weights, in points, where there is room for it."""

_TALL: Final = 600.0
"""Height of all rows together beyond which the squares become smaller, in points."""


def network(model: keras.Model) -> Figure:
    """Draw a network layer by layer, its weights as squares whose areas are to scale.

    Parameters
    ----------
    model : keras.Model
        A built model whose layers follow each other, from images of shape (n, side, side, channels).

    Returns
    -------
    Figure
        A row for each layer that changes the shape or holds weights: what comes out on the left, to scale in
        pixels, and the weights on the right. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If the model holds no weights.

    Notes
    -----
    Used in lesson 3.1.

    Examples
    --------
    >>> from facelab import diagrams, models
    >>> diagrams.alt_text(network(models.gender_cnn("pooled")))[:57]
    'A network of 93,937 weights, layer by layer from the top.'
    """
    rows = table(model)
    largest = max((row.weights for row in rows), default=0)
    if not largest:
        raise ValueError(f"there is nothing to draw to scale: the model {model.name} holds no weights")
    total = model.count_params()
    canvas = Canvas()
    canvas.heading(0, 10, "layer, and what it passes on")
    canvas.heading(BROAD, 10, "weights as area", align="right")
    pixels = input_shape(model)
    scale = 38 / max(row.shape[0] for row in [Row("", "", pixels, 0), *rows] if len(row.shape) > 1)
    y = 30.0
    large = _largest([row.weights / largest for row in rows])
    canvas.photograph(9, y + 3, 38, 2)
    canvas.text(62, y + 14, "photograph", bold=True)
    canvas.text(62, y + 31, shape_in_words(pixels))
    y += 46
    alt = [
        f"A network of {total:,} weights, layer by layer from the top.",
        f"Photograph: {shape_in_words(pixels)}.",
    ]
    for row in rows:
        side = large * (row.weights / largest) ** 0.5
        height = max(46, side + 10)
        middle = y + height / 2
        _shape(canvas, middle, row.shape, scale)
        canvas.text(62, middle - 9, row.kind.replace(" + batch norm", ", norm"), bold=True)
        canvas.text(62, middle + 9, f"{row.name}: {row.values()}")
        if row.weights:
            left = BROAD - _LARGEST
            canvas.block(left, middle - side / 2, side, side)
            words = f"{row.weights:,}"
            if side < text_width(words, bold=True) + 8:
                canvas.text(left + side + 6, middle, words)
            else:
                canvas.inside(left + side / 2, middle, words)
        alt.append(f"{row.name}, {row.kind}: {row.values()}, {count(row.weights, 'weight')}.")
        y += height
    heaviest = max(rows, key=lambda row: row.weights)
    share = percent(heaviest.weights / total)
    canvas.line((0, y + 4), (BROAD, y + 4))
    canvas.text(0, y + 20, f"{total:,} weights in all, {share} of them in {heaviest.name}")
    alt.append(f"{share} of the weights are in {heaviest.name}.")
    return canvas.finish(y + 34, sentence(alt))


def _largest(shares: Sequence[float]) -> float:
    """Choose the side of the largest square so that the drawing is no longer than a screen or so."""
    side = _LARGEST
    while side > 80 and sum(max(46.0, side * share**0.5 + 10) for share in shares) > _TALL:
        side -= 8
    return side


def _shape(canvas: Canvas, middle: float, shape: tuple[int, ...], scale: float) -> None:
    """Draw maps as squares, one behind the other, or values in a row as a thin bar."""
    if len(shape) < 2:
        canvas.box(6, middle - 4, 44, 8, line=0.9, corner=1)
        return
    side = shape[0] * scale
    for behind in range(min(shape[-1], 4) - 1, -1, -1):
        left = 28 - side / 2 + 3 * behind - 4
        canvas.sheet(left, middle - side / 2 - 2 * behind + 2, side)


_VIEW: Final = 60.0
"""Side of a view of the places, in points: three lines of text are as high."""

_NEXT: Final = _VIEW + 20
"""From the top of a view to the top of the next one, in points."""

_COLUMN: Final = 226
"""Width of a network in a comparison, in points."""


def compared_networks(networks: Mapping[str, keras.Model]) -> Figure:
    """Draw two networks side by side, and after how many convolutions each forgets where things are.

    Parameters
    ----------
    networks : mapping from str to keras.Model
        Two networks on square photographs, by their names, each ending in a global average and dense layers.

    Returns
    -------
    Figure
        The photograph on top, below it the places that are left after each stage, one of them filled with a
        dashed line around what it has seen. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If there are not two networks, or one of them has no convolution or no global average.

    Notes
    -----
    Used in lesson 4.2.
    """
    if len(networks) != 2:
        raise ValueError(f"two networks are compared, not {len(networks)}")
    canvas = Canvas()
    alt: list[str] = []
    ends = []
    for number, (name, model) in enumerate(networks.items()):
        left = 1.0 + number * (BROAD - 2 - _COLUMN)
        stages = places(model)
        rows = table(model)
        pooled = [row for row in rows if row.kind == "global average pooling"]
        if not stages or not pooled:
            raise ValueError(
                f"{name} has no convolution or no global average: compare networks that have both"
            )
        side = input_shape(model)[0]
        canvas.heading(left, 10, name)
        _view(canvas, left, 28, None, side)
        canvas.text(left + _VIEW + 10, 28 + _VIEW / 2, f"photograph\n{side} × {side} pixels")
        y = 28.0 + _NEXT
        seen = []
        for stage in stages:
            canvas.arrow((left + _VIEW / 2, y - 18), (left + _VIEW / 2, y - 3))
            _view(canvas, left, y, stage, side)
            field = f"sees {min(stage.field, side)} × {min(stage.field, side)} px"
            words = f"{stage.side} × {stage.side} places\n{stage.maps} maps\n{field}"
            canvas.text(left + _VIEW + 10, y + _VIEW / 2, words)
            seen.append(f"{stage.side} × {stage.side} places with {stage.maps} maps, each {field}")
            y += _NEXT
        canvas.arrow((left + _VIEW / 2, y - 18), (left + _VIEW / 2, y - 3))
        last = stages[-1]
        canvas.box(left + 1, y, _COLUMN - 2, 58, "focus", line=1.8)
        canvas.text(left + 10, y + 20, "global average:", bold=True)
        canvas.text(left + 10, y + 39, f"{pooled[0].shape[0]} numbers, no place")
        convolutions = count(last.convolutions, "convolution")
        y += 62
        dense = [str(row.shape[0]) for row in rows[rows.index(pooled[0]) :] if row.kind.startswith("dense")]
        words = f"“Where” is lost after {convolutions}: each number is the mean of {last.side**2:,} places."
        words = wrapped(words, _COLUMN - 14)
        high = height_of(words)
        canvas.text(left, y + high / 2 + 6, words)
        y += high + 12
        canvas.arrow((left + _VIEW / 2, y), (left + _VIEW / 2, y + 15))
        canvas.text(left, y + 28, f"dense: {' → '.join(dense)}")
        ends.append(y + 42)
        alt.append(
            f"{name}: photograph of {side} × {side} pixels; {'; '.join(seen)}; then a global average of "
            f"{last.side**2:,} places after {convolutions} leaves {pooled[0].shape[0]} numbers, and dense "
            f"layers of {', '.join(dense)}."
        )
    y = max(ends) + 8
    canvas.line((BROAD / 2, 2), (BROAD / 2, y), width=0.6, dashed=True)
    y += 18
    canvas.block(2, y - 6, 12, 12)
    canvas.text(22, y, "one place")
    canvas.frame(120, y - 8, 16)
    canvas.text(144, y, "what it sees of the photograph")
    return canvas.finish(y + 14, sentence(["Two networks side by side.", *alt]))


def residual_stage(model: keras.Model) -> Figure:
    """Draw the first stage of a network that has a residual connection: what is added to what.

    Parameters
    ----------
    model : keras.Model
        A model with a layer of the kind ``Add``, whose convolutions have names that begin with the layer's.

    Returns
    -------
    Figure
        The convolutions in a row, and the way around the last one. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If the model has no such stage.

    Notes
    -----
    Used in lesson 4.3.
    """
    name, stage = _residual(model)
    canvas = Canvas()
    top, tall, gap = 40.0, 44.0, 26.0
    broad = min(170.0, (BROAD - 40 - gap * len(stage)) / len(stage))
    left = 1.0
    canvas.text(left + broad + gap / 2, 8, "what went in", align="left")
    for number, words in enumerate(stage):
        kind, stride = words.split(", ")
        if number == len(stage) - 1:
            middle = top + tall / 2
            end = left + broad + gap + 12
            canvas.line((left - gap / 2, middle), (left - gap / 2, top - 16), (end, top - 16))
            canvas.arrow((end, top - 16), (end, middle - 12))
        canvas.box(left, top, broad, tall)
        canvas.text(left + broad / 2, top + tall / 2, f"{kind}\n{stride}", align="center")
        canvas.arrow((left + broad, top + tall / 2), (left + broad + gap, top + tall / 2))
        left += broad + gap
    canvas.sum_sign(left + 12, top + tall / 2, 12)
    alt = f"{name} of {model.name}: {', then '.join(stage)}, whose result is added to what went into it."
    return canvas.finish(top + tall + 10, sentence([alt]))


def _residual(model: keras.Model) -> tuple[str, list[str]]:
    """Find the first residual stage: its name, and its convolutions one after the other."""
    for layer in model.layers:
        if type(layer).__name__ == "Add":
            inside = [other for other in model.layers if other.name.startswith(f"{layer.name}_")]
            convolutions = [other for other in inside if type(other).__name__ == "Conv2D"]
            if convolutions:
                return layer.name, [f"{kind_of(one)}, stride {one.strides[0]}" for one in convolutions]
    raise ValueError(f"{model.name} has no stage with a residual connection")


def _view(canvas: Canvas, left: float, top: float, stage: Place | None, pixels: int) -> None:
    """Draw the photograph, or the places that are left of it with what one of them has seen."""
    side = _VIEW
    if stage is None:
        canvas.photograph(left, top, side, 2)
        return
    canvas.grid(left, top, side, stage.side)
    cell = side / stage.side
    at = (stage.side // 2) * cell
    canvas.block(left + at, top + at, cell, cell)
    half = stage.field / pixels * side / 2
    low, high = max(0, at + cell / 2 - half), min(side, at + cell / 2 + half)
    canvas.frame(left + low, top + low, high - low)

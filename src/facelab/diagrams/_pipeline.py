"""The input pipeline, and what its cache saves."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, height_of, sentence, text_width, wrapped


def pipeline(steps: Mapping[str, str], cache: str = "cache") -> Figure:
    """Draw the steps of an input pipeline from the top down, and which of them an epoch repeats.

    Parameters
    ----------
    steps : mapping from str to str
        What each step is called, and what comes out of it, in order: ``{"decode": "816 × 816 × 3"}``.
    cache : str
        Which of the steps keeps what has come so far.

    Returns
    -------
    Figure
        Steps above the cache run in the first epoch only, those below in every one. End the cell with
        ``plt.show()``.

    Raises
    ------
    ValueError
        If the cache is not one of the steps, or is the first or the last.

    Notes
    -----
    Used in lesson 2.3.
    """
    names = list(steps)
    if cache not in names[1:-1]:
        raise ValueError(
            f"{cache!r} must stand between two steps; the steps are {', '.join(names) or 'none'}"
        )
    canvas = Canvas()
    left, broad = 128.0, max(96.0, max(text_width(name, bold=True) for name in names) + 20)
    beside = left + broad + 14
    at, tall, y = names.index(cache), 32.0, 4.0
    tops = []
    for number, (name, result) in enumerate(steps.items()):
        words = wrapped(result, BROAD - beside - 8)
        room = max(tall, height_of(words))
        middle = y + room / 2
        tops.append((middle - tall / 2, middle + tall / 2))
        if number:
            canvas.arrow((left + broad / 2, tops[-2][1]), (left + broad / 2, tops[-1][0]))
        if number == at:
            canvas.box(left, middle - tall / 2, broad, tall, "focus", line=2, corner=12)
        else:
            canvas.box(left, middle - tall / 2, broad, tall)
        canvas.text(left + broad / 2, middle, name, align="center", bold=True)
        canvas.text(beside, middle, words)
        y += room + 18
    for first, last, words in (
        (0, at - 1, "first epoch\nonly"),
        (at + 1, len(names) - 1, "again in\nevery epoch"),
    ):
        top, bottom = tops[first][0], tops[last][1]
        middle = (top + bottom) / 2
        canvas.bracket(left - 16, top, bottom)
        canvas.text(left - 24, middle, words, align="right")
    alt = [
        "The steps of a pipeline from the top down: "
        + "; ".join(f"{name}: {result}" if result else name for name, result in steps.items()) + ".",
        f"{', '.join(names[:at])} run in the first epoch only; {cache} keeps what comes out of them;",
        f"{', '.join(names[at + 1 :])} run again in every epoch.",
    ]  # fmt: skip
    return canvas.finish(y - 14, sentence(alt))

"""The course as a path: what each chapter hands on to the next."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, height_of, sentence, wrapped


def course_map(chapters: Sequence[tuple[str, str, str]]) -> Figure:
    """Draw the chapters from the top down, and what each hands on to the next.

    Parameters
    ----------
    chapters : sequence of (number, title, handed on)
        In the order in which they are read; what the last one hands on is what the reader keeps.

    Returns
    -------
    Figure
        A box a chapter, and below it on the arrow what it hands on. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If there is no chapter, or a number stands twice.
    """
    numbers = [number for number, *_ in chapters]
    if not chapters or len(set(numbers)) < len(numbers):
        raise ValueError(f"every chapter needs a number of its own: {', '.join(numbers) or 'there is none'}")
    canvas = Canvas()
    y = 2.0
    alt = [f"A path of {len(chapters)} chapters from the top down."]
    for place, (number, title, handed_on) in enumerate(chapters):
        name = wrapped(title, BROAD - 70, bold=True)
        tall = height_of(name) + 14
        canvas.box(1, y, BROAD - 2, tall, line=1.3)
        canvas.box(1, y, 38, tall, line=1.3)
        canvas.heading(20, y + tall / 2, number, align="center")
        canvas.text(50, y + tall / 2, name, bold=True)
        y += tall
        words = wrapped(handed_on, BROAD - 54)
        room = height_of(words) + 12
        canvas.text(50, y + room / 2, words)
        if place < len(chapters) - 1:
            canvas.arrow((20, y), (20, y + room))
        y += room
        alt.append(f"{number}, {title}, hands on {handed_on}.")
    return canvas.finish(y, sentence(alt))

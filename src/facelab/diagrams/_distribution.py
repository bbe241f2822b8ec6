"""Many trainings, divided among workers and put together again."""

from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, count, sentence, text_width

_MOST: Final = 6
"""How many folds, seeds or workers can be drawn side by side with a label each."""


def map_and_reduce(folds: Sequence[int], seeds: Sequence[int], workers: int) -> Figure:
    """Draw how trainings are given to workers, and what one last run makes of their checkpoints.

    Parameters
    ----------
    folds, seeds : sequence of int
        A training for each pair of them.
    workers : int
        Processes that train at the same time.

    Returns
    -------
    Figure
        From the trainings at the top to the record at the bottom. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If there are none, or more than six, of folds, seeds or workers.

    Notes
    -----
    Used in lesson 10.1.
    """
    given = {"folds": len(folds), "seeds": len(seeds), "workers": workers}
    for name, number in given.items():
        if not 1 <= number <= _MOST:
            raise ValueError(f"between 1 and {_MOST} {name} can be drawn, not {number}")
    canvas = Canvas()
    middle, width = BROAD / 2, BROAD - 2
    trainings = len(folds) * len(seeds)
    canvas.heading(0, 10, f"Map: {count(trainings, 'training')}, in any order")
    left, between = 64.0, 8.0
    broad = (BROAD - 1 - left + between) / len(seeds) - between
    named = all(text_width(f"seed {seed}") <= broad for seed in seeds)
    if not named:
        canvas.text(1, 34, "seed")
    for column, seed in enumerate(seeds):
        words = f"seed {seed}" if named else str(seed)
        canvas.text(left + column * (broad + between) + broad / 2, 34, words, align="center")
    y = 46.0
    for fold in folds:
        canvas.text(1, y + 13, f"fold {fold}")
        for column in range(len(seeds)):
            canvas.box(left + column * (broad + between), y, broad, 26, "training")
        y += 34
    y += 24
    share = (width + between) / workers - between
    for number in range(workers):
        x = 1 + number * (share + between) + share / 2
        canvas.arrow((x, y - 28), (x, y))
        canvas.box(x - share / 2, y, share, 36, line=2, corner=12)
        words = f"worker {number + 1}" if workers < 5 else f"{number + 1}"
        canvas.text(x, y + 18, words, align="center", bold=True)
        canvas.arrow((x, y + 36), (x, y + 64))
    y += 64
    canvas.box(1, y, width, 36)
    canvas.text(middle, y + 18, f"shared folder: {count(trainings, 'checkpoint')}", align="center")
    canvas.heading(0, y + 66, "Reduce: one run puts them together")
    canvas.arrow((middle, y + 78), (middle, y + 104))
    canvas.box(1, y + 104, width, 36, "focus", line=2, corner=12)
    canvas.text(middle, y + 122, "record: one score with its interval", align="center", bold=True)
    alt = [
        f"From the top down: {count(trainings, 'training')}, one for each of {count(len(folds), 'fold')} "
        f"({_listed(folds)}) and {count(len(seeds), 'seed')} ({_listed(seeds)}).",
        f"{count(workers, 'worker')} side by side take them in any order",
        f"and put {count(trainings, 'checkpoint')} into one shared folder.",
        "One run puts them together: a record with one score and its interval.",
    ]
    return canvas.finish(y + 142, sentence(alt))


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))

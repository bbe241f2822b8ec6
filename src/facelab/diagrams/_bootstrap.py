"""The album bootstrap: whole albums drawn with replacement, for one network and for two."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from facelab.diagrams._drawing import BROAD, Align, Canvas, count, letter, minus, sentence, text_width
from facelab.evaluation import N_RESAMPLES, Interval, accuracy, album_bootstrap, paired_album_bootstrap
from facelab.evaluation._bootstrap import times_drawn

_SHOWN: Final = {1: 2, 2: 1}
"""How many draws are drawn, by the number of networks: a figure is no higher than a screen."""


def bootstrap(y_true: ArrayLike, y_pred: ArrayLike, albums: ArrayLike, *, seed: int) -> Figure:
    """Draw the album bootstrap of an accuracy: the test set, its first draws, and the scores of all draws.

    Parameters
    ----------
    y_true, y_pred : int array, shape (n,)
        True and predicted labels, one a face.
    albums : array of str or int, shape (n,)
        Each face's album.
    seed : int
        As for :func:`facelab.evaluation.album_bootstrap`, whose draws these are.

    Returns
    -------
    Figure
        An album is as broad as it has faces and filled as high as it is right; a letter names it. End the
        cell with ``plt.show()``.

    Raises
    ------
    ValueError
        Where :func:`facelab.evaluation.album_bootstrap` raises it.

    Notes
    -----
    Used in lesson 3.3.
    """
    interval = album_bootstrap(accuracy, y_true, y_pred, albums, seed=seed)
    right = {"": np.asarray(y_true) == np.asarray(y_pred)}
    return _draw(right, albums, interval, seed)


def paired_bootstrap(
    y_true: ArrayLike, y_preds: Mapping[str, ArrayLike], albums: ArrayLike, *, seed: int
) -> Figure:
    """Draw the paired album bootstrap: two networks are scored on the same albums in every draw.

    Parameters
    ----------
    y_true : int array, shape (n,)
        True labels, one a face.
    y_preds : mapping from str to int array, shape (n,)
        The predicted labels of two networks, by their names; the second is compared with the first.
    albums, seed
        As for :func:`bootstrap`.

    Returns
    -------
    Figure
        Two rows a draw, and the differences of all draws. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If there are not two networks, or where :func:`facelab.evaluation.paired_album_bootstrap` raises it.

    Notes
    -----
    Used in lesson 4.3.
    """
    if len(y_preds) != 2:
        raise ValueError(f"two networks make a pair, not {len(y_preds)}")
    first, second = y_preds.values()
    interval = paired_album_bootstrap(accuracy, y_true, first, second, albums, seed=seed)
    right = {name: np.asarray(y_true) == np.asarray(y_pred) for name, y_pred in y_preds.items()}
    return _draw(right, albums, interval, seed)


def _draw(right: Mapping[str, np.ndarray], albums: ArrayLike, interval: Interval, seed: int) -> Figure:
    names, album = np.unique(np.asarray(albums), return_inverse=True)
    sizes = np.bincount(album)
    hits = {name: np.bincount(album, is_right) for name, is_right in right.items()}
    times = times_drawn(len(names), seed=seed, n_resamples=N_RESAMPLES)
    scores = {name: times @ of / (times @ sizes) for name, of in hits.items()}
    two = len(right) == 2
    outcome = _outcome(list(scores.values()))
    order = np.argsort(-sizes, kind="stable")
    rows = [np.ones(len(names), dtype=int), *times[: _SHOWN[len(right)]]]
    scale = (BROAD - 2) / max(int(row @ sizes) for row in rows)
    canvas = Canvas()
    alt = [
        f"The test set is a row of {count(len(names), 'album')}, each as broad as it has faces, "
        f"{len(album):,} in all, and filled as high as the network is right about them."
    ]
    high = 30 if two else 40
    y = 10.0
    for number, row in enumerate(rows):
        drawn, faces = count(int(row.sum()), "album"), int(row @ sizes)
        title = f"draw {number}: {drawn}, with replacement" if number else f"the scored faces: {drawn}"
        found = {name: float(row @ of / faces) for name, of in hits.items()}
        if two:
            words = minus(f"difference {_outcome(list(found.values())):+.3f}")
        else:
            words = f"accuracy {found['']:.3f}"
        canvas.heading(0, y, title)
        y += 20
        canvas.text(0, y, f"{count(faces, 'face')}")
        canvas.text(BROAD, y, words, align="right", bold=True)
        y += 13
        for name, of in hits.items():
            if two:
                canvas.text(0, y + 9, f"{name}: {found[name]:.3f}")
                y += 20
            _strip(
                canvas, y, high, row[order], sizes[order], of[order], scale, letters=name == list(hits)[-1]
            )
            y += high + 4
        y += 38
        alt.append(f"{title.capitalize()}, {count(faces, 'face')}, {words}.")
    canvas.key(0, y - 8, "test", "broad: faces; high: share of right predictions")
    y += 28
    canvas.heading(0, y, f"all {N_RESAMPLES:,} draws")
    y = _histogram(canvas, y + 14, outcome, interval)
    what = "difference" if two else "accuracy"
    words = f"{what} {interval}"
    canvas.text(BROAD / 2, y + 14, f"{what}, 95 % interval: {interval}", align="center", bold=True)
    alt.append(f"A histogram of the {N_RESAMPLES:,} draws: {words}, the 95 % interval in brackets.")
    return canvas.finish(y + 28, sentence(alt))


def _outcome(scores: Sequence[Any]) -> Any:
    """Score of one network, or by how much the second of two is better."""
    return scores[0] if len(scores) == 1 else scores[1] - scores[0]


def _strip(
    canvas: Canvas, top: float, high: float, row: np.ndarray, sizes: np.ndarray, hits: np.ndarray,
    scale: float, *, letters: bool,
) -> None:  # fmt: skip
    """Draw the albums of a draw side by side, one that came twice two times."""
    left = 1.0
    for number, (times, size, of) in enumerate(zip(row, sizes, hits, strict=True)):
        for _ in range(times):
            broad = size * scale
            fill = high * of / size
            canvas.block(left, top + high - fill, broad, fill, "test")
            canvas.box(left, top, broad, high, line=min(0.8, broad / 4), corner=0)
            if letters and broad > text_width(letter(number)) + 5:
                canvas.text(left + broad / 2, top + high + 11, letter(number), align="center")
            left += broad


def _histogram(canvas: Canvas, top: float, outcome: np.ndarray, interval: Interval) -> float:
    """Draw how often the draws gave which score, with the ends of the interval; returns where it ends."""
    low, high = min(outcome.min(), interval.low), max(outcome.max(), interval.high)
    if high - low < 1e-9:
        low, high = low - 0.01, high + 0.01
    left, right, tall = 60.0, BROAD - 60, 62.0

    def place(score: float) -> float:
        return left + (right - left) * (score - low) / (high - low)

    counts, edges = np.histogram(outcome, bins=24, range=(low, high))
    bottom = top + tall
    for many, start, end in zip(counts, edges, edges[1:], strict=False):
        if many:
            height = tall * many / counts.max()
            canvas.block(place(start) + 0.5, bottom - height, place(end) - place(start) - 1, height, "test")
    canvas.line((left - 8, bottom), (right + 8, bottom))
    sides: tuple[tuple[float, Align, int], ...] = ((interval.low, "right", -4), (interval.high, "left", 4))
    for end, align, away in sides:
        canvas.line((place(end), top), (place(end), bottom + 6), width=1.6, dashed=True)
        canvas.text(place(end) + away, bottom + 14, minus(f"{end:z.3f}"), align=align)
    return bottom + 22

"""What an answer is worth: a thousand faces, sorted by what a network predicts."""

from typing import Final

import numpy as np
from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, count, percent, sentence

FACES: Final = 1_000
"""How many faces are drawn."""


def base_rates(prevalence: float, sensitivity: float, specificity: float) -> Figure:
    """Draw a thousand faces, sorted by what a network predicts, and how many are so labelled.

    Parameters
    ----------
    prevalence : float in [0, 1]
        The base rate: the share of the faces that are labelled m.
    sensitivity : float in [0, 1]
        Of those labelled m, the share for which the network predicts m.
    specificity : float in [0, 1]
        Of those labelled f, the share for which it predicts f.

    Returns
    -------
    Figure
        A square face is labelled m, a round one f; for a filled one m is predicted. End the cell with
        ``plt.show()``.

    Raises
    ------
    ValueError
        If a share is not in [0, 1].

    Notes
    -----
    Used in lesson 8.2.

    Examples
    --------
    >>> from facelab import diagrams
    >>> diagrams.alt_text(base_rates(0.05, 0.9, 0.9))[-70:]
    'Of the 140 predicted m, 45 are labelled m: a predictive value of 32 %.'
    """
    given = {"prevalence": prevalence, "sensitivity": sensitivity, "specificity": specificity}
    if wrong := [name for name, share in given.items() if not 0 <= share <= 1]:
        raise ValueError(f"{wrong[0]} is a share from 0 to 1, not {given[wrong[0]]}")
    labelled_m = round(FACES * prevalence)
    hits = round(labelled_m * sensitivity)
    alarms = FACES - labelled_m - round((FACES - labelled_m) * specificity)
    called_m = hits + alarms
    canvas = Canvas()
    canvas.heading(0, 10, f"{count(FACES, 'face')}, of them {labelled_m:,} labelled m")
    y = 34.0
    for left, words, square, filled in (
        (0, "labelled m", True, False),
        (118, "labelled f", False, False),
        (228, "filled: predicted m", False, True),
    ):
        canvas.small_faces(np.array([[left + 8.0, y]]), square=square, filled=filled, size=15)
        canvas.text(left + 21, y, words)
    y += 32
    canvas.heading(0, y, f"predicted m: {count(called_m, 'face')}")
    y = _grid(canvas, y + 18, (hits, alarms), filled=True)
    worth = percent(hits / called_m) if called_m else ""
    if called_m:
        canvas.text(0, y + 8, f"{hits:,} of these {called_m:,} are labelled m:")
        canvas.text(0, y + 27, f"the predictive value of m is {worth}", bold=True)
        y += 38
    y += 30
    canvas.heading(0, y, f"predicted f: {count(FACES - called_m, 'face')}")
    y = _grid(canvas, y + 18, (labelled_m - hits, FACES - labelled_m - alarms), filled=False)
    canvas.text(0, y + 8, f"{labelled_m - hits:,} of these {FACES - called_m:,} are labelled m: missed")
    alt = [
        f"{FACES:,} small faces, {labelled_m:,} of them labelled m and {FACES - labelled_m:,} labelled f.",
        f"Of the {FACES - called_m:,} predicted f, {labelled_m - hits:,} are labelled m.",
        f"Of the {called_m:,} predicted m, {hits:,} are labelled m"
        + (f": a predictive value of {worth}." if worth else "."),
    ]
    return canvas.finish(y + 22, sentence(alt))


def _grid(canvas: Canvas, top: float, numbers: tuple[int, int], *, filled: bool) -> float:
    """Set square faces, then round ones, row by row; returns where they end."""
    columns = 40
    step = BROAD / columns
    places = np.arange(sum(numbers))
    centres = np.column_stack([(places % columns + 0.5) * step, top + (places // columns + 0.2) * step])
    canvas.small_faces(centres[: numbers[0]], square=True, filled=filled, size=0.8 * step)
    canvas.small_faces(centres[numbers[0] :], square=False, filled=filled, size=0.8 * step)
    return top + step * -(-len(places) // columns) + 4

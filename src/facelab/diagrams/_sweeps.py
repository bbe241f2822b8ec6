"""A counterfactual sweep, and the two halves of its families."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, count, sentence, text_width

_PLACES: Final = (((0, 0),), ((-14, 0), (14, 0)), ((-14, 14), (14, 14), (0, -13)))
"""Where the heads of a family of one, two or three stand in its box, in points from the middle."""


def sweep(table: pd.DataFrame, factor: str, pictures: Sequence[Any] | None = None) -> Figure:
    """Draw a sweep of one head, and how its families are divided into a finding and a held-out half.

    Parameters
    ----------
    table : DataFrame
        From :func:`facelab.embedded.read_sweeps`, with a column ``half`` that says ``"finding"`` or
        ``"held out"``.
    factor : str
        Which cause is shown changing.
    pictures : sequence of images, optional
        One head's picture for each value of the cause, in the table's order; otherwise drawn faces.

    Returns
    -------
    Figure
        The pictures of one head in a row, and below the two halves with their numbers of families and heads.
        End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If the table has no such cause, lacks a column or a half, a family is in both halves, or there are
        more or fewer pictures than values.

    Notes
    -----
    Used in lesson 7.2.
    """
    needed = {"factor", "value", "family", "identity", "half"}
    if missing := needed - set(table):
        raise ValueError(f"the table has no {', '.join(sorted(missing))}; it has {list(table)}")
    halves = {str(name): part for name, part in table.groupby("half", observed=True)}
    if set(halves) != {"finding", "held out"}:
        raise ValueError(f"the halves are 'finding' and 'held out', not {sorted(halves)}")
    if both := set(halves["finding"]["family"]) & set(halves["held out"]["family"]):
        raise ValueError(f"family {min(both)} is in both halves: divide by family, not by head")
    values = list(table.loc[table["factor"] == factor, "value"].unique())
    if not values:
        raise ValueError(f"there is no sweep of {factor!r}; there are {sorted(table['factor'].unique())}")
    if pictures is not None and len(pictures) != len(values):
        raise ValueError(f"the sweep of {factor} has {len(values)} values, but {len(pictures)} are pictured")
    canvas = Canvas()
    canvas.heading(0, 10, f"One head, one cause: {factor}")
    widest = max(text_width(str(value)) for value in values)
    step = (BROAD - 2) / len(values)
    side = min(84.0, step - 6)
    if widest > step - 4:
        raise ValueError(f"{len(values)} values with names as long as {max(values, key=len)!r} do not fit")
    for number, value in enumerate(values):
        x = 1 + (number + 0.5) * step
        if pictures is None:
            glasses = str(value) if factor == "glasses" and value != "none" else ""
            canvas.photograph(x - side / 2, 26, side, 3, glasses=glasses)
        else:
            canvas.picture(x - side / 2, 26, side, pictures[number])
        canvas.text(x, 36 + side, str(value), align="center")
    y = 62 + side
    canvas.text(0, y, "All other causes are held. An effect is the difference")
    canvas.text(0, y + 18, "between two answers about the same head.")
    y += 52
    families, heads = table["family"].nunique(), table["identity"].nunique()
    canvas.heading(
        0, y, f"{count(heads, 'head')} of {count(families, 'family', 'families')}, divided by family"
    )
    purposes = {
        "finding": "Look for effects here.\nMake the repair here.",
        "held out": "Judge the repair here,\nonce, at the end.",
    }
    alt = [
        f"One head in {len(values)} pictures that differ in {factor} only: {', '.join(map(str, values))}.",
        f"Below, {count(families, 'family', 'families')} with {count(heads, 'head')} in two halves.",
    ]
    roles = {"finding": "training", "held out": "test"}
    for number, (name, purpose) in enumerate(purposes.items()):
        left, broad = number * (BROAD / 2 + 6), BROAD / 2 - 6
        canvas.box(left + 1, y + 18, broad - 2, 208, line=1.4)
        canvas.key(left + 12, y + 36, roles[name], f"{name.replace(' ', '-')} half")
        for family in range(3):
            x = left + 12 + family * 68
            canvas.box(x, y + 54, 62, 62, roles[name], line=0.7)
            for across, down in _PLACES[(family + number) % 3]:
                canvas.face(x + 31 + across, y + 86 + down, 20, family + 3 * number)
        part = halves[name]
        of_half = (part["family"].nunique(), part["identity"].nunique())
        words = [count(of_half[0], "family", "families"), count(of_half[1], "head")]
        canvas.text(left + 12, y + 142, "\n".join(words), bold=True)
        canvas.text(left + 12, y + 192, purpose)
        alt.append(
            f"{name.replace(' ', '-').capitalize()} half: {words[0]}, {words[1]}. {purpose}".replace(
                "\n", " "
            )
        )
    return canvas.finish(y + 230, sentence(alt))

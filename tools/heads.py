"""The front page's figure: change one cause of a rendered head, and see what a network answers.

The pictures are those of counterfactual sweeps, a few of a few heads; what the network answers about them
stands in ``book/answers.json`` (see :mod:`tools.answers`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from PIL import Image

from facelab import adience, embedded

HEADS = (24, 11, 8)
"""Which of the heads of the sweeps are shown."""

COLUMNS = 8
"""Pictures in a row of the sheet; a head has two rows."""

CAUSES: dict[str, dict[str, str]] = {
    "age": {
        "1": "1 year",
        "5": "5 years",
        "10": "10 years",
        "17": "17 years",
        "28": "28 years",
        "40": "40 years",
        "50": "50 years",
        "70": "70 years",
    },
    "glasses": {"none": "none", "thick": "thick frames", "sun": "sunglasses"},
    "light": {"-75": "from one side", "0": "from the front", "75": "from the other side"},
    "hair": {"short01": "short", "long01": "long"},
}
"""What can be changed, as the sweeps name it, and each value with the page's words for it."""

START = {"age": "28", "glasses": "none", "light": "0", "hair": "short01"}
"""Where each slider stands at first."""


@functools.cache
def sweeps() -> pd.DataFrame:
    """Read the sweeps, causes and values as text; nobody changes the table."""
    return embedded.read_sweeps().astype({"factor": str, "value": str})


def find(wanted: Sequence[tuple[int, str, str]]) -> pd.DataFrame:
    """Find pictures by head, cause and value; rows of :func:`facelab.embedded.read_sweeps`, in this order."""
    named = sweeps().set_index(["identity", "factor", "value"], drop=False)
    return named.loc[list(wanted)].reset_index(drop=True)


def side_by_side(paths: Iterable[str], columns: int) -> Image.Image:
    """Put pictures of the sweeps together into one, from left to right and down."""
    pictures = [Image.open(embedded.counterfactual_dir() / path) for path in paths]
    side = pictures[0].width
    whole = Image.new("RGB", (columns * side, -(-len(pictures) // columns) * side))
    for place, picture in enumerate(pictures):
        whole.paste(picture, (place % columns * side, place // columns * side))
    return whole


def pictures() -> pd.DataFrame:
    """Find the pictures of the sheet, from left to right and down.

    Returns
    -------
    DataFrame
        Of :func:`facelab.embedded.read_sweeps`, with two rows of ``COLUMNS`` pictures a head.
    """
    return find(
        [(head, cause, value) for head in HEADS for cause, values in CAUSES.items() for value in values]
    )


def sheet() -> Image.Image:
    """Put the pictures together into one, so that a page loads them at once."""
    return side_by_side(pictures()["path"], COLUMNS)


def data(answers: list[list[float]]) -> dict[str, Any]:
    """Give what the live figure needs.

    Parameters
    ----------
    answers : list of list of float
        For each of :func:`pictures`, the probability of m and those of the age groups.
    """
    of_head = 2 * COLUMNS
    of_one = pictures().head(of_head)  # the same causes and values as of every other
    causes = []
    for cause, values in CAUSES.items():
        mine = of_one[of_one["factor"] == cause]
        places = [
            {"number": int(number), "words": values[value], "years": round(years)}
            for number, value, years in zip(mine.index, mine["value"], mine["age_years"], strict=True)
        ]
        causes.append({"name": cause, "values": places, "start": list(values).index(START[cause])})
    heads = [
        [{"m": m, "ages": ages} for m, *ages in answers[start : start + of_head]]
        for start in range(0, len(answers), of_head)
    ]
    return {"columns": COLUMNS, "groups": list(adience.AGE_GROUPS), "causes": causes, "heads": heads}

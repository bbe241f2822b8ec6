"""The front page's figure: change one cause of a rendered head, and see what a network answers.

The pictures are those of counterfactual sweeps, a few of a few heads; what the network answers about them
stands in ``book/answers.json`` (see :mod:`tools.answers`).
"""

from __future__ import annotations

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


def pictures() -> pd.DataFrame:
    """Find the pictures of the sheet, from left to right and down.

    Returns
    -------
    DataFrame
        Of :func:`facelab.embedded.read_sweeps`, with two rows of ``COLUMNS`` pictures a head.
    """
    sweeps = embedded.read_sweeps().astype({"factor": str, "value": str})
    sweeps = sweeps.set_index(["identity", "factor", "value"], drop=False)
    wanted = [(head, cause, value) for head in HEADS for cause, values in CAUSES.items() for value in values]
    return sweeps.loc[wanted].reset_index(drop=True)


def sheet() -> Image.Image:
    """Put the pictures together into one, so that a page loads them at once."""
    paths = [embedded.counterfactual_dir() / path for path in pictures()["path"]]
    side = Image.open(paths[0]).width
    whole = Image.new("RGB", (COLUMNS * side, len(paths) // COLUMNS * side))
    for place, path in enumerate(paths):
        whole.paste(Image.open(path), (place % COLUMNS * side, place // COLUMNS * side))
    return whole


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

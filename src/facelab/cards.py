"""A model card and a datasheet: the questions that others agreed on, and answers that leave none of them out.

The answers are given as text. Whatever is a number in them belongs taken from a record of
:mod:`facelab.results`, not typed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from facelab._markdown import as_answer, as_text

__all__ = ["DATASHEET", "MODEL_CARD", "fill"]

MODEL_CARD: Final = (
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
)
"""The sections of a model card (Mitchell et al., 2019)."""

DATASHEET: Final = (
    "Motivation",
    "Composition",
    "Collection process",
    "Preprocessing, cleaning, labelling",
    "Uses",
    "Distribution",
    "Maintenance",
)
"""The sections of a datasheet (Gebru et al., 2021)."""

_LEFT_OPEN: Final = re.compile(r"\b(TODO|TBD|FIXME|XXX|nan|None)\b|\.\.\.|…|\?\?|[{}]")
"""What an answer has in it when it is not one yet."""


def fill(title: str, sections: Sequence[str], answers: Mapping[str, str]) -> str:
    """Write a card: a heading and an answer for each section, in their order.

    Parameters
    ----------
    title : str
        What the card is of.
    sections : sequence of str
        ``MODEL_CARD`` or ``DATASHEET``.
    answers : mapping from str to str
        Each section's answer, as markdown. Of it paragraphs, lists, tables, emphasis and code count; whatever
        else is in it, such as a heading, HTML, an image or a directive, is shown as text.

    Returns
    -------
    str
        Markdown, ending in a line break.

    Raises
    ------
    ValueError
        If a section has no answer, an answer has no section, or something in it is left open: a placeholder,
        a number that is missing, braces that were to be filled. All of them are named.

    Notes
    -----
    Used in lesson 8.4.

    Examples
    --------
    >>> print(fill("A card", ("Uses", "Limits"), {"Uses": "To learn.", "Limits": "Many."}))
    # A card
    <BLANKLINE>
    ## Uses
    <BLANKLINE>
    To learn.
    <BLANKLINE>
    ## Limits
    <BLANKLINE>
    Many.
    <BLANKLINE>
    """
    faults = [f"there is no section {name!r}" for name in answers if name not in sections]
    for name in sections:
        answer = answers.get(name, "").strip()
        if not answer:
            faults.append(f"{name!r} has no answer")
        elif left_open := _LEFT_OPEN.search(answer):
            faults.append(f"{name!r} is left open at {left_open.group()!r}")
    if faults:
        raise ValueError(f"{title} is not complete: {'; '.join(faults)}")
    written = {as_text(name): as_answer(answers[name].strip()) for name in sections}
    parts = [f"# {as_text(title)}", *(f"## {name}\n\n{answer}" for name, answer in written.items())]
    return "\n\n".join(parts) + "\n"

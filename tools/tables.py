"""What the book makes of the tables of a lesson: a table of pandas as a reader of a page wants it.

Pandas writes a table for somebody who works with it: all columns to the right, a number before each row, the
name of the index in a row of its own. On the page words begin on the left, rows without a name have no
number, and the name of the index stands above its column.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

HTML = "text/html"
TEXT = "text/plain"
WORDS = "words"
"""The class of the cells of a column that is read as words. Other columns are numbers, which never wrap."""

_Cells: TypeAlias = list[list[Tag]]
_MISSING = {"", "nan", "NaN", "NaT", "<NA>", "None"}
_TYPE = re.compile(r"\n(?:Name: .*, )?dtype: \w+$")
_POWER_OF_TEN = re.compile(r"(?<=\d)e[-+]?\d")


def for_the_page(notebook: NotebookNode) -> None:
    """Change each table and each column of pandas in the outputs of a notebook, in place.

    Parameters
    ----------
    notebook : NotebookNode
        An executed lesson. Outputs of another kind stay as they are. A column, which is shown as text, loses
        the line that names its type.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if 'class="dataframe"' in (page := data.get(HTML, "")):
                data[HTML] = readable(page)
            elif TEXT in data:
                data[TEXT] = _TYPE.sub("", data[TEXT])


def readable(page: str) -> str:
    """Return the HTML of a table of pandas without what only gets in a reader's way.

    Parameters
    ----------
    page : str
        What pandas wrote: a table of class ``dataframe``, perhaps with a style of its own around it.

    Returns
    -------
    str
        The same, but rows that have no name have no number either, the names of the index stand in the row of
        the other names, and cells of words have the class ``words``.
    """
    soup = BeautifulSoup(page, "html.parser")
    table = soup.find("table", class_="dataframe")
    if not isinstance(table, Tag) or table.thead is None or table.tbody is None:
        return page
    _one_row_of_names(table.thead)
    head, body = _cells(table.thead), _cells(table.tbody)
    # Where cells span rows or columns, the place of a cell does not tell its column.
    if body and len({len(row) for row in [*head, *body]}) == 1:
        _mark_words(head, body)
        _no_row_numbers(head, body)
    return str(soup)


def _cells(part: Tag) -> _Cells:
    rows = part.find_all("tr", recursive=False)
    return [row.find_all(["th", "td"], recursive=False) for row in rows]


def _one_row_of_names(head: Tag) -> None:
    """Put the names of the index beside those of the columns, unless the columns have a name themselves."""
    rows = _cells(head)
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        return
    pairs = [(above, below.get_text(strip=True)) for above, below in zip(*rows, strict=True)]
    if not any(name and above.get_text(strip=True) for above, name in pairs):
        for above, name in pairs:
            if name:
                above.string = name
        head.find_all("tr", recursive=False)[1].decompose()


def _mark_words(head: _Cells, body: _Cells) -> None:
    for place, column in enumerate(zip(*body, strict=True)):
        if any(_is_word(cell.get_text(strip=True)) for cell in column):
            for row in [*head, *body]:
                row[place]["class"] = WORDS


def _is_word(text: str) -> bool:
    """Tell words from numbers and their units; an age group such as "(25, 32)" is a word."""
    if text in _MISSING:
        return False
    return text.startswith("(") or any(letter.isalpha() for letter in _POWER_OF_TEN.sub("", text))


def _no_row_numbers(head: _Cells, body: _Cells) -> None:
    """Take away the first column if it has no name and counts from 0."""
    names = [row[0].get_text(strip=True) for row in head]
    numbers = [row[0].get_text() if row[0].name == "th" else None for row in body]
    if not any(names) and numbers == [str(row) for row in range(len(body))]:
        for row in [*head, *body]:
            row[0].decompose()

"""Every lesson is plain Markdown that all three readers render, and is folded alike in them."""

from __future__ import annotations

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from tools import markdown
from tools.folding import FOLDS, folded
from tools.paths import REPOSITORY, chapters

LESSONS = chapters()
COLAB = MarkdownIt("commonmark").enable("table")
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", flags=re.S)
# What a reader sees where a renderer did not know a mark.
RAW = re.compile(r"\{[^}\n]*\}|^:{3,}.*|\*\*|\]\(|^> |</?\w+>", flags=re.M)


def raw(source: str) -> list[str]:
    """What stays of marks when a plain renderer, as Colab's, has rendered Markdown."""
    page = BeautifulSoup(COLAB.render(source), "html.parser")
    for code in page.find_all("code"):
        code.decompose()
    return RAW.findall(FORMULA.sub("", page.get_text()))


def raw_of(notebook: nbformat.NotebookNode) -> list[str]:
    return [found for cell in notebook.cells if cell.cell_type == "markdown" for found in raw(cell.source)]


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def lesson(path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("{cite:t}`levi2015` report {math}`p`", ["{cite:t}", "{math}"]),
        (":::{admonition} A box\nText\n:::", [":::{admonition} A box", ":::"]),
        ("**bold** and *words* with $\\frac{a}{b}$, `f'{x}'` and [a link](https://example.org)", []),
        (
            "> **Note.** A box.\n\n<details><summary>Answer</summary>\n\n**Yes**\n\n</details>\n\nEnd",
            [],
        ),
        ("<details><summary>Answer</summary>\n**Raw**\n</details>", ["**", "**"]),
    ],
)
def test_raw_marks_are_found(source, found):
    assert raw(source) == found


def test_colab_shows_no_raw_mark(lesson):
    assert raw_of(lesson) == []


def test_the_book_can_be_made_of_it(path, lesson):
    markdown.in_the_book(lesson, path.name, markdown.read_book(REPOSITORY, chapters()))


def test_its_tagged_cells_are_folded_in_all_three_readers(lesson):
    assert folded(lesson) == lesson, "run `make normalise`"
    for cell in lesson.cells:
        if set(FOLDS) & set(cell.metadata.get("tags", [])):
            assert {"hide-cell", "hide-input"} & set(cell.metadata["tags"])
            assert cell.metadata["cellView"] == "form"
            assert cell.source.startswith("# @title The ")
            assert cell.metadata["jupyter"]["source_hidden"]


def test_its_check_cells_print_a_tick_for_each_claim(lesson):
    for cell in lesson.cells:
        if "check" in cell.metadata.get("tags", []):
            lines = "".join(output.get("text", "") for output in cell.outputs).splitlines()
            assert lines
            assert all(line.startswith("✓ ") for line in lines), lines

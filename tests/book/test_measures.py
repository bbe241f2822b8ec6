"""The budget of a lesson, measured on its page as a reader sees it: length, and what is cut or too small."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.book.test_browser import NARROW, browser, visit  # noqa: F401 -- fixtures
from tests.book.test_pages import LESSONS, parsed

SCREEN = 1280, 900
MOST_SCREENS = 14
SMALLEST_LETTERS = 9  # CSS pixels, on a phone
# Height of the lesson on its page, with all that is folded left folded.
HEIGHT = "document.querySelector('article').getBoundingClientRect().height"
CUT = """(where) => [...document.querySelectorAll(where)]
  .filter((text) => text.getClientRects().length && text.scrollWidth > text.clientWidth + 1)
  .map((text) => text.textContent.trim().slice(0, 60))"""
WIDTHS = """() => [...document.querySelectorAll('.cell_output img')]
  .map((image) => [image.src, image.getBoundingClientRect().width])"""


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_one_sitting_and_its_code_is_seen_whole(name, visit):  # noqa: F811
    page = visit(name, SCREEN).page
    assert page.evaluate(HEIGHT) / SCREEN[1] <= MOST_SCREENS
    assert page.evaluate(CUT, "article .cell_input pre, article .cell_output pre") == []


@pytest.mark.parametrize("name", LESSONS)
def test_on_a_phone_no_answer_is_cut_and_charts_can_be_read(name, visit):  # noqa: F811
    page = visit(name, NARROW).page
    assert page.evaluate(CUT, "article .cell_output pre:not(.drawn-table)") == []
    small = {}
    for address, width in page.evaluate(WIDTHS):
        if (file := Path(unquote(urlsplit(address).path))).suffix == ".svg":
            points, letters = letters_of(file.read_text(encoding="utf-8"))
            if (pixels := letters * width / points) < SMALLEST_LETTERS - 0.05:
                small[file.name] = round(pixels, 1)
    assert small == {}


def letters_of(svg: str) -> tuple[float, float]:
    """Width of a chart and the size of its smallest letters, in points, as matplotlib wrote them."""
    (width,) = re.findall(r'<svg [^>]*?\bwidth="([\d.]+)pt"', svg)
    # Letters are outlines of 100 points, made smaller; within a formula there is a further scale.
    scales = [float(scale) for scale in re.findall(r"<g [^>]*?\bscale\(([\d.]+) -[\d.]+\)", svg)]
    return float(width), 100 * min(scales, default=1)


@pytest.mark.parametrize("name", LESSONS)
def test_a_figure_leads_to_its_file(name, html):
    figures = parsed(html, name).select("article .cell_output img")
    assert figures
    for figure in figures:
        assert figure.parent.name == "a"
        assert figure.parent["href"] == figure["src"]

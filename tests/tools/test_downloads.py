"""What one takes along: archives that are the same each time, a PDF whose links and numbers are right."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tools import archives, downloads, printed

FRONT, LESSON = "book/front", "notebooks/lesson"
HEAD = '<html><head><link rel="stylesheet" href="../_static/a.css"></head><body><article class="bd-article">'
PAGES = {
    FRONT: """<section id="front"><h1>Front<a class="headerlink" href="#front">#</a></h1>
<p><a href="../notebooks/lesson.html#exercises">exercises</a> <a href="../notebooks/lesson.html">lesson</a>
<a href="data.json">data</a> <a href="https://example.org/">elsewhere</a> <a href="#front">here</a></p>
<details><summary>Answer</summary><p>unfolded</p></details></section>""",
    LESSON: """<section id="lesson"><h1>Lesson</h1><div style="height: 3000px">tall</div>
<h2 id="exercises">Exercises</h2>
<pre>{code}</pre><table><tr>{cells}</tr></table></section>""",
}


@pytest.fixture
def book(tmp_path, monkeypatch) -> Path:
    """A rendered book of two pages, with a line of code and a table that are wider than paper."""
    content = {"code": "x = " + "'long' + " * 60 + "1", "cells": "<td>a cell of a wide table</td>" * 12}
    for name, text in PAGES.items():
        file = tmp_path / f"{name}.html"
        file.parent.mkdir(exist_ok=True)
        filled = text.replace("{code}", content["code"]).replace("{cells}", content["cells"])
        file.write_text(f"{HEAD}{filled}</article></body></html>")
    monkeypatch.setattr(printed, "contents", lambda: [(FRONT, 0), (LESSON, 1)])
    return tmp_path


def test_an_archive_is_the_same_each_time(tmp_path):
    archives.pack(tmp_path / "1.zip", {"x/b": b"b", "x/a": b"a"})
    archives.pack(tmp_path / "2.zip", {"x/a": b"a", "x/b": b"b"})
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    archive = zipfile.ZipFile(tmp_path / "1.zip")
    assert {name: archive.read(name) for name in archive.namelist()} == {"x/a": b"a", "x/b": b"b"}


@pytest.mark.parametrize(
    ("number", "words"),
    [(10, "1 kB"), (350_400, "350 kB"), (2_149_000, "2.1 MB"), (9_960_000, "10.0 MB"), (48_400_000, "48 MB")],
)
def test_a_size_is_written_as_a_reader_wants_it(number, words):
    assert downloads.size(number) == words


def test_the_list_stands_in_the_page_once_with_sizes_and_may_be_replaced(tmp_path):
    (tmp_path / downloads.PDF.name).write_bytes(b"0" * 2_000_000)
    listed = downloads.links(tmp_path, [downloads.PDF])
    assert 'href="../downloads/reading-faces.pdf" download' in listed
    assert "(2.0 MB)" in listed
    page = '<p>before</p><div id="downloads"><p>none</p></div><p>after</p>'
    once = downloads.linked(page, listed)
    assert once == page.replace("<p>none</p>", listed)
    assert downloads.linked(downloads.linked(once, "<p>none</p>"), listed) == once
    with pytest.raises(ValueError, match="once, not 0 times"):
        downloads.linked("<p>before</p>", listed)


def test_a_page_on_paper_is_unfolded_and_its_links_stay_in_the_book(book):
    article = printed.article(book, FRONT, {FRONT, LESSON})
    assert article["id"] == "book-front"
    assert [link.get("href") for link in article.find_all("a")] == [
        "#notebooks-lesson--exercises",
        "#notebooks-lesson",
        None,
        "https://example.org/",
        "#book-front--front",
    ]
    assert article.find("details").has_attr("open")
    assert article.find("h1").get_text() == "Front"


def test_every_link_of_a_whole_book_has_its_place(book):
    whole = printed.assemble(book, {})
    places = set(re.findall(r'\bid="([^"]+)"', whole))
    assert set(re.findall(r'href="#([^"]+)"', whole)) <= places
    assert len(re.findall(r'\bid="', whole)) == len(places)


@pytest.fixture
def pdf(book, tmp_path) -> bytes:
    if not any(map(shutil.which, printed.CHROMIUM)):
        pytest.skip("no browser: install Chromium (Debian: apt-get install chromium)")
    place = tmp_path / "place"
    place.mkdir()
    return printed.print_book(book, place)


def test_the_pdf_has_numbers_in_its_contents_and_cuts_nothing(pdf, tmp_path):
    numbers = printed.numbers_of(pdf)
    # Title, contents, front; the lesson is tall, and its exercises are on a later page.
    assert (numbers["book-front"], numbers["notebooks-lesson"]) == (3, 4)
    assert numbers["notebooks-lesson--exercises"] > 4
    contents = (tmp_path / "place" / "book.html").read_text()
    assert re.findall(r'class="page">(\d+)<', contents) == ["3", "4"]
    assert pdf.count(b"/URI (https://example.org/)") == 1


def test_what_reaches_beyond_the_paper_is_an_error(book, tmp_path, monkeypatch):
    if not any(map(shutil.which, printed.CHROMIUM)):
        pytest.skip("no browser: install Chromium (Debian: apt-get install chromium)")
    lesson = book / f"{LESSON}.html"
    lesson.write_text(lesson.read_text().replace("tall", '<p style="width: 2000px">too wide</p>'))
    with pytest.raises(ValueError, match=r"beyond the paper: .*too wide"):
        printed.print_book(book, tmp_path)

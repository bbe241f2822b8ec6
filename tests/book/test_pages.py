"""What can be told from the pages' source: links, pictures, what they load, that nothing failed."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from tools.paths import REPOSITORY

CONFIG = yaml.safe_load((REPOSITORY / "_config.yml").read_text(encoding="utf-8"))
TOC = yaml.safe_load((REPOSITORY / "book" / "_toc.yml").read_text(encoding="utf-8"))


def files_of(entries: list[dict]) -> list[str]:
    """The pages of a part of the contents, the lessons of each chapter after it."""
    return [file for entry in entries for file in (entry["file"], *files_of(entry.get("sections", [])))]


CONTENT = [TOC["root"]] + [file for part in TOC["parts"] for file in files_of(part["chapters"])]
PAGES = pytest.mark.parametrize("name", [*CONTENT, "search", "genindex"])

LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
}
LOADING_LINKS = {"stylesheet", "preload", "icon", "prefetch", "modulepreload"}


@cache
def parsed(html: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(html: Path, name: str) -> set[str]:
    """Where a link may lead in a page; many links lead to the same pages."""
    page = parsed(html, name)
    return {tag["id"] for tag in page.find_all(id=True)} | {
        tag["name"] for tag in page.find_all("a", {"name": True})
    }


@PAGES
def test_every_link_within_the_book_leads_somewhere(name, html):
    page = parsed(html, name)
    broken = []
    for link in page.find_all("a", href=True):
        target = urlsplit(link["href"])
        if target.scheme or target.netloc:
            continue
        path = html / posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(target.path) or "."))
        path = path if target.path else html / f"{name}.html"
        if not path.is_file():
            broken.append(link["href"])
        elif target.fragment and path.suffix == ".html":
            there = path.relative_to(html).with_suffix("").as_posix()
            if unquote(target.fragment) not in anchors(html, there):
                broken.append(link["href"])
    assert broken == []


@PAGES
def test_every_picture_has_words_for_those_who_do_not_see_it(name, html):
    for picture in parsed(html, name).find_all("img"):
        words = picture.get("alt", "")
        assert words, picture
        assert not re.search(r"\.(png|jpe?g|svg)$|^_?images?/|/", words), (
            f"a file name is no description: {words}"
        )


@PAGES
def test_nothing_is_loaded_from_outside(name, html):
    page = parsed(html, name)
    loaded = [tag.get(attribute, "") for kind, attribute in LOADING.items() for tag in page.find_all(kind)]
    loaded += [
        tag["href"] for tag in page.find_all("link", href=True) if LOADING_LINKS & set(tag.get("rel", []))
    ]
    outside = [address for address in loaded if re.match(r"(https?:)?//", address)]
    assert outside == []


@pytest.mark.parametrize("name", CONTENT)
def test_every_page_has_one_title_and_no_failure(name, html):
    page = parsed(html, name)
    article = page.find("article")
    assert len(article.find_all("h1")) == 1
    failures = article.select(".output.traceback, .output.stderr, .problematic, .system-message")
    assert [failure.get_text() for failure in failures] == []


@pytest.mark.parametrize("name", [name for name in CONTENT if name.startswith("notebooks/")])
def test_every_chapter_can_be_opened_in_colab(name, html):
    project = CONFIG["repository"]["url"].removeprefix("https://github.com/")
    colab = f"{CONFIG['launch_buttons']['colab_url']}/github/{project}/blob/{CONFIG['repository']['branch']}"
    addresses = {link["href"] for link in parsed(html, name).find_all("a", href=True)}
    assert f"{colab}/{name}.ipynb" in addresses


@pytest.mark.parametrize("name", [name for name in CONTENT if name.startswith("notebooks/")])
def test_every_chapter_shows_what_it_printed(name, html):
    assert parsed(html, name).select("article .cell_output")


LESSONS = [name for name in CONTENT if name.startswith("notebooks/")]


@pytest.mark.parametrize("name", LESSONS)
def test_a_lessons_terms_lead_to_their_entries_and_back(name, html):
    terms = parsed(html, name).select("article strong a[href*='glossary.html#term-']")
    assert terms
    entries = parsed(html, "book/glossary")
    for term in terms:
        entry = entries.find(id=unquote(urlsplit(term["href"]).fragment)).find_next("dd")
        assert f"../{name}.html" in {link["href"] for link in entry.find_all("a", href=True)}
        assert term.get("data-definition")

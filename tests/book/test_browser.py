"""What a reader sees: each page in a browser, wide and narrow, light and dark, without a network."""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.book.test_pages import CONTENT
from tools import printed
from tools.accessibility import BIBLIOGRAPHY_VIOLATIONS, NARROW, THEME_VIOLATIONS, THEMES, WIDE

CHROMIUM = next(filter(None, map(shutil.which, printed.CHROMIUM)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        words = "no browser: install Chromium (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=printed.FLAGS)
        yield browser
        browser.close()


class Visit:
    """A page opened from its file, and what went wrong on the way."""

    def __init__(self, page: Page, address: str):
        self.page, self.asked_outside, self.complaints = page, [], []
        page.route(lambda url: not url.startswith(("file:", "data:", "blob:")), self._refuse)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type == "error" else None,
        )
        page.goto(address, wait_until="load")
        page.evaluate("() => window.MathJax && MathJax.startup && MathJax.startup.promise")

    def _refuse(self, route) -> None:
        self.asked_outside.append(route.request.url)
        route.abort()


@pytest.fixture
def visit(browser, html):
    """Open a page of the book at a size and in a theme."""
    opened = []

    def open_page(name: str, size: tuple[int, int], theme: str = "light") -> Visit:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
        page.add_init_script(
            f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}');"
        )
        opened.append(page)
        return Visit(page, (html / f"{name}.html").as_uri())

    yield open_page
    for page in opened:
        page.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", CONTENT)
def test_a_page_fits_its_window_and_sets_its_formulas_without_a_network(name, size, visit):
    visited = visit(name, size)
    assert visited.asked_outside == []
    assert visited.complaints == []
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert visited.page.evaluate(STICKING_OUT, size[0]) == []
    formulas = visited.page.locator("article .math").count()
    assert visited.page.locator("article mjx-container").count() == formulas
    assert visited.page.locator("article mjx-merror").count() == 0


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", CONTENT)
def test_a_page_can_be_read_by_everybody(name, theme, visit):
    visited = visit(name, WIDE, theme)
    assert visited.page.evaluate("document.documentElement.dataset.theme") == theme
    results = Axe().run(visited.page).response
    ours = [violation for violation in results["violations"] if not violation_of_the_theme(violation)]
    assert [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in ours] == []


@pytest.mark.parametrize("name", ["notebooks/01_1_from_files_to_one_table", "book/adience"])
def test_a_pages_source_is_saved_and_not_shown(name, browser, html):
    handler = functools.partial(QuietHandler, directory=html)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, browser.new_context() as context:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/{name}.html", wait_until="load")
        button = page.locator("a.btn-download-source-button")
        assert button.count() == 1
        with page.expect_download(timeout=20_000) as download:
            button.evaluate("(link) => link.click()")  # it is in a menu
        source = html / "_sources" / name
        assert download.value.suggested_filename in {f"{source.name}.ipynb", f"{source.name}.md"}
        saved = Path(download.value.path()).read_bytes()
        server.shutdown()
    assert saved == source.with_name(download.value.suggested_filename).read_bytes()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves the book without a line for each request, and a notebook as what it is, as hosts of pages do."""

    extensions_map: ClassVar = {**SimpleHTTPRequestHandler.extensions_map, ".ipynb": "application/json"}

    def log_message(self, *_: object) -> None:
        pass


def violation_of_the_theme(violation: dict) -> bool:
    if violation["id"] in BIBLIOGRAPHY_VIOLATIONS:
        return all("citation" in node["html"] for node in violation["nodes"])
    return violation["id"] in THEME_VIOLATIONS


# Text and pictures of the article that reach beyond the window and stand in nothing that scrolls.
STICKING_OUT = """(width) => [...document.querySelectorAll('article *')]
  .filter((element) => {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.right <= width + 1) return false;
    for (let outer = element.parentElement; outer; outer = outer.parentElement) {
      const flow = getComputedStyle(outer).overflowX;
      if (outer.tagName !== 'MAIN' && ['auto', 'scroll', 'hidden'].includes(flow)) return false;
      if (outer.tagName === 'ARTICLE') break;
    }
    return true;
  })
  .map((element) => element.outerHTML.slice(0, 120))"""

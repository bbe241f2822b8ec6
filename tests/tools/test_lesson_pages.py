"""A small book of two made-up lessons in the house of the real one: its pages, and what a reader sees."""

from __future__ import annotations

import functools
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from facelab import seals
from tests.book.test_browser import (
    NARROW,
    STICKING_OUT,
    WIDE,
    QuietHandler,
    Visit,
    browser,  # noqa: F401 -- a fixture
    violation_of_the_theme,
)
from tests.tools import two_lessons
from tools import render

pytestmark = pytest.mark.slow
LESSON = "notebooks/06_1_leakage"


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    executed = two_lessons.execute_notebooks(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in two_lessons.lay_out(folder / "repository", executed).items():
            patch.setattr(render, name, value)
        patch.setattr(render.fingerprint, "of_contents", lambda paths: "-".join(map(seals.sha256, paths)))
        # Every warning is an error here, too.
        assert render.main() == 0
    return folder / "repository"


@pytest.fixture(scope="module")
def html(repository) -> Path:
    return repository / "_build" / "html"


def article(html: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser").find("article")


def test_a_reference_is_a_citation_and_stands_in_the_bibliography(html):
    citations = article(html, LESSON).select(".bibtex-citation")
    words = ["Levi and Hassner (2015)", "Eidinger, Enbar and Hassner (2014)", "Bouthillier et al., 2021"]
    words += ["Guo et al., 2017", "Levi and Hassner (2015)"]
    assert [citation.get_text() for citation in citations] == words
    references = article(html, "book/references")
    labels = {entry["id"]: entry.select_one(".label").get_text() for entry in references.select(".citation")}
    led_to = [labels[citation.find("a")["href"].partition("#")[2]] for citation in citations]
    levi = "[Levi and Hassner, 2015]"
    others = ["[Eidinger et al., 2014]", "[Bouthillier et al., 2021]", "[Guo et al., 2017]"]
    assert led_to == [levi, *others, levi]


def test_boxes_and_folded_answers(html):
    page = article(html, LESSON)
    boxes = {box.p.get_text(): box["class"] for box in page.select("div.admonition")}
    assert {title: classes[0] for title, classes in boxes.items()} == {
        "Predict first": "question",
        "Seen in public code": "evidence",
        "Note": "note",
        "Warning": "warning",
    }
    (answer,) = page.select("details.sd-dropdown")
    assert answer.find("summary").get_text(strip=True) == "Answer"
    assert not answer.has_attr("open")
    assert "97\u00a0%" in answer.get_text()
    assert "**no term**" in answer.select_one(".highlight").get_text()
    assert page.find("blockquote").get_text(strip=True) == "A quotation stays one."


def test_a_term_leads_to_its_entry_and_back(html):
    links = article(html, LESSON).select("strong a[data-definition]")
    assert [link.get_text() for link in links] == ["Data leakage", "overfits"]
    assert links[1]["href"] == "../book/glossary.html#term-overfitting"
    assert links[1]["data-definition"] == (
        "Of a network: fitting the training photographs, including their noise, and doing worse on new ones."
    )
    entry = article(html, "book/glossary").find(id="term-overfitting").find_next_sibling("dd")
    back = {link.get_text(): link["href"] for link in entry.find_all("a")}
    assert back == {
        "lesson 3.2": "../notebooks/03_2_train.html",
        "lesson 6.1": "../notebooks/06_1_leakage.html",
    }


def test_a_caption_can_be_linked_to(html):
    page = article(html, LESSON)
    caption = page.find(id="figure-1-of-06-1-leakage")
    assert caption.get_text(strip=True).startswith("Figure 1.")
    assert len(page.select("a[href='#figure-1-of-06-1-leakage']")) == 2


def test_a_figure_leads_to_its_file(html):
    (figure,) = article(html, LESSON).select(".cell_output img")
    assert figure["alt"] == two_lessons.ALT["image"]["alt"]
    assert figure.parent.name == "a"
    assert figure.parent["href"] == figure["src"]


def test_an_interval_and_a_short_name_of_code_stay_in_one_line(html):
    page = article(html, LESSON)
    assert [interval.get_text() for interval in page.select(".interval")] == ["−0.01 (-0.03 to 0.02)"]
    short = [code.get_text() for code in page.select("code.short")]
    assert "(25, 32)" in short
    assert "one_name_that_is_too_long" not in short


def test_buttons_say_what_they_show_and_the_title_of_colab_is_gone(html):
    page = article(html, LESSON)
    shown = [words.get_text() for words in page.select("details.hide .collapsed")]
    assert shown == ["Show the code", "Show the check", "Show the checker", "Show the solution"]
    assert "@title" not in page.get_text()


def test_a_pages_source_is_the_plain_notebook(html, repository):
    for name in two_lessons.NOTEBOOKS:
        source = html / "_sources" / "notebooks" / f"{name}.ipynb"
        assert source.read_bytes() == (repository / "_build" / "executed" / f"{name}.ipynb").read_bytes()


def test_nothing_of_thebe_is_loaded(html):
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "THEBE_JS_URL" not in text
        assert "sphinx-thebe.js" not in text


def test_faults_of_all_lessons_are_named_and_nothing_is_rendered(repository, tmp_path, monkeypatch, capsys):
    for name, value in two_lessons.lay_out(tmp_path, repository / "_build" / "executed").items():
        monkeypatch.setattr(render, name, value)
    monkeypatch.setattr(render.execute, "is_whole", lambda _: True)
    for name in two_lessons.NOTEBOOKS:
        path = tmp_path / "_build" / "executed" / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[-1:] = [nbformat.v4.new_markdown_cell("[nowhere](nowhere.ipynb)")]
        nbformat.write(notebook, path)
    assert render.main() == 1
    message = capsys.readouterr().err
    for name in two_lessons.NOTEBOOKS:
        assert f"{name}.ipynb: [nowhere](nowhere.ipynb): there is no notebooks/nowhere.ipynb" in message
    assert "02_from" not in message
    assert not (tmp_path / "_build" / "html").exists()


# ---- In a browser ----------------------------------------------------------------------------------


@pytest.fixture
def visit(browser, html):  # noqa: F811
    """Open a page as on a first visit, with nothing stored."""
    contexts = []

    def open_page(name: str, size: tuple[int, int] = WIDE, theme: str = "light") -> Visit:
        contexts.append(
            browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
        )
        return Visit(contexts[-1].new_page(), f"{(html / name).as_uri()}.html")

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", two_lessons.PAGES)
def test_a_page_fits_its_window_and_complains_of_nothing(name, size, visit):
    visited = visit(name, size)
    assert (visited.asked_outside, visited.complaints) == ([], [])
    assert visited.page.evaluate(STICKING_OUT, size[0]) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [LESSON, "book/references", "book/glossary"])
def test_everybody_can_read_it_with_a_definition_open(name, theme, visit):
    page = visit(name, WIDE, theme).page
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    for details in page.locator("article details").all():
        details.evaluate("(box) => box.open = true")
    page.wait_for_timeout(100)
    page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
    if name == LESSON:
        page.locator("a[data-definition]").first.focus()
        assert page.locator("#definition").is_visible()
    violations = [
        found for found in Axe().run(page).response["violations"] if not violation_of_the_theme(found)
    ]
    assert [(found["id"], [node["html"] for node in found["nodes"]]) for found in violations] == []


def test_a_definition_comes_and_goes_with_keyboard_and_pointer(visit):
    page = visit(LESSON).page
    first, second = page.locator("a[data-definition]").all()
    note = page.locator("#definition")
    assert note.count() == 0
    first.focus()
    assert note.inner_text() == first.get_attribute("data-definition")
    assert first.get_attribute("aria-describedby") == "definition"
    page.keyboard.press("Escape")
    assert note.count() == 0
    assert first.get_attribute("aria-describedby") is None
    second.hover()
    assert note.inner_text() == second.get_attribute("data-definition")
    note.hover()
    page.wait_for_timeout(400)  # longer than it takes to go when the pointer is on neither
    assert note.is_visible()
    page.mouse.move(1, 1)
    note.wait_for(state="detached")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_definition_is_inside_the_window(size, visit):
    page = visit(LESSON, size).page
    for link in page.locator("a[data-definition]").all():
        link.focus()
        box = page.locator("#definition").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= size[0]
        assert box["y"] + box["height"] <= size[1]


def test_code_can_be_copied_by_a_button_with_a_name_and_outputs_have_none(visit):
    page = visit(LESSON).page
    names = page.locator("button.copybtn").evaluate_all("(all) => all.map((one) => one.ariaLabel)")
    code = page.locator("article .highlight > pre").count()
    printed = page.locator("article .cell_output .highlight > pre").count()
    assert printed > 0
    assert names == ["Copy"] * (code - printed)
    assert page.locator(".cell_output button.copybtn").count() == 0


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_name_of_code_is_broken_in_the_notation(size, visit):
    page = visit("book/notation", size).page
    lines = page.locator("article td code .pre").evaluate_all(
        "(all) => all.map((one) => [one.textContent, one.getClientRects().length])"
    )
    assert ["age_group", 1] in lines
    assert [text for text, count in lines if count > 1] == []


@pytest.mark.parametrize("words", ["overfitting", "overfit", "GPU", "F1", "leakage"])
def test_a_search_from_a_file_finds_pages_and_says_why_it_does_not_quote(words, visit):
    visited = visit("search")
    page = visited.page
    page.goto(f"{page.url}?q={words}")
    results = page.locator("#search-results li")
    results.first.wait_for()
    assert "Glossary" in results.all_inner_texts()
    assert "without excerpts" in page.locator(".no-excerpts").inner_text()
    assert visited.complaints == []


def test_a_search_from_a_server_quotes(browser, html):  # noqa: F811
    handler = functools.partial(QuietHandler, directory=html)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, browser.new_context() as context:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/search.html?q=overfitting")
        page.locator("#search-results p.context").first.wait_for()
        assert page.locator(".no-excerpts").count() == 0
        server.shutdown()

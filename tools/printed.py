"""The whole book on paper: its pages in one, printed by Chromium into a PDF.

The rendered pages are put one after the other behind a title page and a table of contents. What a page
folds is open, links between pages lead to places in the PDF, and what is wider than the paper is made
smaller. Chromium prints twice: the first time tells on which page each part begins.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup

from tools.paths import REPOSITORY

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_MARGINS: Any = {"top": "18mm", "bottom": "20mm", "left": "16mm", "right": "16mm"}
_WIDTH_PX = round((210 - 16 - 16) / 25.4 * 96)  # what they leave of A4
_FOOTER = (
    '<div style="width: 100%; text-align: center; font: 8pt sans-serif; color: #444">'
    '<span class="pageNumber"></span></div>'
)
_CSS = """
html { font-size: 14px; }
body { background: white; }
*:not(#never) { box-shadow: none !important; text-shadow: none !important; }
details > summary { list-style: none; }
.printed-title { text-align: center; padding-top: 30%; }
.bd-article { padding: 0; }
.bd-article > section > h1, .printed-contents h1 { break-before: page; margin-top: 0; }
h2, h3, h4, summary, .admonition-title { break-after: avoid; }
figure, tr, .cell_output img, .sd-card, mjx-container { break-inside: avoid; }
.bd-article pre, .bd-article .cell_output pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.bd-article table { width: auto; }
.bd-article :is(pre, .pst-scrollable-table-container, .highlight, .output) { overflow: visible !important; }
.sd-tab-set { display: block; }
.sd-tab-set > input, .copybtn, .prev-next-footer, summary > svg { display: none; }
.sd-tab-set > label { display: block; font-weight: 600; }
.sd-tab-content { display: block !important; }
.sd-card-img-top { max-height: 9rem; object-fit: contain !important; }
.printed-contents ol { list-style: none; padding: 0; }
.printed-contents li { display: flex; gap: 1em; padding: 0.1em 0; }
.printed-contents li.lesson { padding-left: 1.5em; }
.printed-contents a { flex: 1; color: black; text-decoration: none; }
.printed-contents .page { width: 3em; text-align: right; }
"""
# Tables, figures and formulas that are wider than the column become as wide as it is.
_FIT = """(width) => {
  for (const element of document.querySelectorAll("table, svg, mjx-container[display='true']")) {
    if (element.parentElement.closest("table, svg")) continue;
    const room = element.parentElement.getBoundingClientRect().width || width;
    const wide = Math.max(element.getBoundingClientRect().width, element.scrollWidth);
    if (wide > room + 1) element.style.zoom = Math.max(0.4, room / wide);
  }
}"""
CUT = """(width) => [...document.querySelectorAll("article *")]
  .filter((element) => {
    const box = element.getBoundingClientRect();
    const seen = box.width > 0 && getComputedStyle(element).visibility !== "hidden";
    const inner = element.closest("mjx-assistive-mml") || element.parentElement.closest("svg"); // is clipped
    return seen && !inner && (box.right > width + 2 || box.left < -2);
  })
  .map((element) => element.outerHTML.slice(0, 160))"""
"""What reaches beyond the paper, for a width in pixels."""


def contents() -> list[tuple[str, int]]:
    """List the pages of the book in its order, with how deep each stands: 0 for a chapter, 1 for a lesson."""
    toc = yaml.safe_load((REPOSITORY / "book" / "_toc.yml").read_text(encoding="utf-8"))
    found = [(toc["root"], 0)]
    for part in toc["parts"]:
        for chapter in part["chapters"]:
            found.append((chapter["file"], 0))
            found += [(section["file"], 1) for section in chapter.get("sections", [])]
    return found


def mark(page: str, fragment: str = "") -> str:
    """Name a place in the PDF: a page of the book, or an anchor on it."""
    name = page.replace("/", "-")
    return f"{name}--{fragment}" if fragment else name


def article(html: Path, page: str, pages: set[str]) -> Any:
    """Take what a rendered page says, ready for paper: unfolded, its anchors and links those of the PDF.

    Parameters
    ----------
    html : Path
        Folder of the rendered book.
    page : str
        Such as ``notebooks/03_2_train``.
    pages : set of str
        All pages that are printed. A link to any other file of the book becomes plain text.
    """
    file = html / f"{page}.html"
    found: Any = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser").find("article")
    for tag in found.select(".headerlink, script, noscript, button"):
        tag.decompose()
    for details in found.find_all("details"):
        details["open"] = ""
    for words in found.select("summary .collapsed"):  # "Show the code", which "Hide the code" would replace
        words.replace_with(words.get_text().replace("Show the", "The"))
    for words in found.select("summary .expanded"):
        words.decompose()
    for tag in found.find_all(id=True):
        if tag.find_parent("svg") is None and tag.name != "svg":
            tag["id"] = mark(page, tag["id"])
    for tag in found.find_all("input"):
        tag["disabled"] = ""
    for number, tag in enumerate(found.find_all(src=True)):
        if urlsplit(tag["src"]).scheme:
            continue
        if tag["src"].endswith(".svg"):
            drawing = file.parent / unquote(tag["src"])
            words, classes = tag.get("alt", ""), tag.get("class", [])
            tag.replace_with(_drawing(drawing, words, classes, mark(page, f"svg{number}")))
        else:
            tag["src"] = urljoin(file.as_uri(), tag["src"])
    for link in found.find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc:
            continue
        target = (file.parent / unquote(address.path)).resolve() if address.path else file
        name = target.with_suffix("").relative_to(html.resolve()).as_posix() if _inside(target, html) else ""
        if target.suffix == ".html" and name in pages:
            link["href"] = f"#{mark(name, unquote(address.fragment))}"
        else:
            del link["href"]
    found["id"] = mark(page)
    return found


def _drawing(file: Path, alt: str, classes: list[str], prefix: str) -> Any:
    """Take a drawing into the page itself: one in a file of its own is printed as pixels, many times over."""
    text = file.read_text(encoding="utf-8")
    text = re.sub(
        r'\b(id="|href="#|url\(#)', rf"\g<1>{prefix}-", text
    )  # of many drawings, each has its names
    drawing: Any = BeautifulSoup(text[text.index("<svg") :], "html.parser").find("svg")
    drawing["class"], drawing["style"] = classes, "max-width: 100%; height: auto"
    drawing["role"], drawing["aria-label"] = "img", alt
    return drawing


def _inside(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder.resolve())


def assemble(html: Path, numbers: Mapping[str, int]) -> str:
    """Put the book into one HTML document.

    Parameters
    ----------
    html : Path
        Folder of the rendered book.
    numbers : mapping
        The number of the page of the PDF at which each mark stands; empty at first.
    """
    config = yaml.safe_load((REPOSITORY / "_config.yml").read_text(encoding="utf-8"))
    listed = contents()
    pages = {page for page, _ in listed}
    start = html / f"{listed[0][0]}.html"
    head: Any = BeautifulSoup(start.read_text(encoding="utf-8"), "html.parser").head
    kept = [*head.find_all("link", rel="stylesheet"), *_mathjax(head)]
    for tag in kept:
        for attribute in ("href", "src"):
            if tag.get(attribute):
                tag[attribute] = urljoin(start.as_uri(), tag[attribute])
    articles, lines = [], []
    for page, depth in listed:
        found = article(html, page, pages)
        title = found.find("h1").get_text(" ", strip=True)
        kind = ' class="lesson"' if depth else ""
        number = numbers.get(mark(page), "")
        lines.append(f'<li{kind}><a href="#{mark(page)}">{title}</a><span class="page">{number}</span></li>')
        articles.append(f'<div class="bd-article-container">{found}</div>')
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">
<title>{config["title"]}</title>
{"".join(map(str, kept))}<style>{_CSS}</style></head><body>
<div class="printed-title"><h1>{config["title"]}</h1><p>{config["author"]}</p>{config["html"]["extra_footer"]}
<p>{config["repository"]["url"]}</p></div>
<div class="bd-article printed-contents"><h1>Contents</h1><ol>{"".join(lines)}</ol></div>
<div class="bd-content"><div>{"".join(articles)}</div></div>
</body></html>"""


def _mathjax(head: Any) -> list[Any]:
    return [tag for tag in head.find_all("script") if "mathjax" in str(tag).lower()]


def numbers_of(pdf: bytes) -> dict[str, int]:
    """Tell on which page each place stands that something leads to, in a PDF as Chromium writes it.

    Chromium leaves the objects of a PDF readable: pages come in their order, and one object lists the places.
    """
    pages = [int(number) for number in re.findall(rb"(\d+) 0 obj\n<</Type /Page\n", pdf)]
    listed = re.search(rb"/Dests (\d+) 0 R", pdf)
    if not pages or listed is None:
        raise ValueError("this PDF is not written as Chromium writes one")
    table = re.search(rb"\n%d 0 obj\n(.*?)endobj" % int(listed[1]), pdf, flags=re.DOTALL)
    number = {page: place for place, page in enumerate(pages, start=1)}
    found = {}
    for name, page in re.findall(rb"/([^\s/\[]+) \[(\d+) 0 R", table[1] if table else b""):
        plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda code: bytes.fromhex(code[1].decode()), name)
        found[plain.decode()] = number[int(page)]
    return found


def print_book(html: Path, place: Path) -> bytes:
    """Print the book; returns the PDF.

    Parameters
    ----------
    html : Path
        Folder of the rendered book.
    place : Path
        An empty folder to work in.

    Raises
    ------
    OSError
        If there is no Chromium.
    ValueError
        If something reaches beyond the paper; the message shows it.
    """
    from playwright.sync_api import (
        sync_playwright,
    )  # a part of `make test`'s environment, not of the readers'

    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise OSError("there is no Chromium to print with (Debian: apt-get install chromium)")
    whole, pdf = place / "book.html", b""
    numbers: dict[str, int] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for _ in range(2):
            whole.write_text(assemble(html, numbers), encoding="utf-8")
            page = browser.new_page(viewport={"width": _WIDTH_PX, "height": 1000})
            page.set_default_timeout(600_000)
            page.emulate_media(media="print")
            page.goto(whole.as_uri(), wait_until="load")
            page.evaluate("() => window.MathJax && MathJax.startup && MathJax.startup.promise")
            page.evaluate(_FIT, _WIDTH_PX)
            if cut := page.evaluate(CUT, _WIDTH_PX):
                raise ValueError("beyond the paper: " + "\n".join(cut[:10]))
            pdf = page.pdf(
                format="A4",
                margin=_MARGINS,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=_FOOTER,
                print_background=True,
                outline=True,
                tagged=True,
            )
            page.close()
            numbers = numbers_of(pdf)
        browser.close()
    return pdf

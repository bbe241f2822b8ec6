"""Make what one can take along, and link it from the page "Run it": ``python -m tools.downloads``.

All notebooks as they ran, the rendered pages, and the whole book as a PDF come to lie in
``_build/html/downloads``, so that they are published with the pages. The same book gives the same archives
to the byte; a PDF holds the time at which it was printed.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from facelab.files import alone, workplace, written_whole
from tools import archives, command, printed, render
from tools.paths import BUILD, EXECUTED, HTML, chapters

FOLDER = HTML / "downloads"
PAGE = HTML / "book" / "run_it.html"
_ELSEWHERE = "<p>The published book offers its notebooks, its pages, and all of it as a PDF.</p>"
_LINKS = re.compile(r'(<div id="downloads">).*?(</div>)', flags=re.DOTALL)


class Download(NamedTuple):
    """A file to take along."""

    name: str
    words: str
    """What it is, as the page says it."""


NOTEBOOKS = Download("reading-faces-notebooks.zip", "All notebooks, with what they printed")
PAGES = Download("reading-faces-pages.zip", "All pages of this book; unpack them and open index.html")
PDF = Download("reading-faces.pdf", "The whole book as a PDF, everything unfolded")


def size(number: int) -> str:
    """Write a number of bytes as a reader wants it: ``350 kB``, ``2.1 MB``, ``48 MB``."""
    if number < 1_000_000:
        return f"{max(1, round(number / 1_000))} kB"
    return f"{number / 1_000_000:.{0 if number >= 10_000_000 else 1}f} MB"


def links(folder: Path, downloads: Iterable[Download]) -> str:
    """Write the list of links, with sizes, as HTML for the page."""
    items = [
        f'<li><a href="../downloads/{item.name}" download>{html.escape(item.words)}</a> '
        f"({size((folder / item.name).stat().st_size)})</li>"
        for item in downloads
    ]
    return f"<ul>{''.join(items)}</ul>"


def linked(page: str, listed: str) -> str:
    """Put the list into the page in place of what stands there.

    Raises
    ------
    ValueError
        If the page has no place for it.
    """
    result, places = _LINKS.subn(lambda found: f"{found[1]}{listed}{found[2]}", page)
    if places != 1:
        raise ValueError(f'book/run_it.md must have <div id="downloads">…</div> once, not {places} times')
    return result


def make() -> list[Path]:
    """Make the files from the rendered book and link them; returns them."""
    _write_list(_ELSEWHERE)  # neither the archive nor the PDF holds the links to them
    pages = [file for file in HTML.rglob("*") if file.is_file() and not file.is_relative_to(FOLDER)]
    notebooks = {path.name: EXECUTED / path.name for path in chapters()}
    for item, files in ((NOTEBOOKS, notebooks), (PAGES, {_name(file): file for file in pages})):
        contents = {f"reading-faces/{name}": file.read_bytes() for name, file in files.items()}
        archives.pack(FOLDER / item.name, contents)
    with workplace(BUILD) as place, written_whole(FOLDER / PDF.name) as aside:
        aside.write_bytes(printed.print_book(HTML, place))
    made = [NOTEBOOKS, PAGES, PDF]
    _write_list(links(FOLDER, made))
    return [FOLDER / item.name for item in made]


def _write_list(listed: str) -> None:
    with written_whole(PAGE) as aside:
        aside.write_text(linked(PAGE.read_text(encoding="utf-8"), listed), encoding="utf-8")


def _name(file: Path) -> str:
    return file.relative_to(HTML).as_posix()


@command.ends_with_status("begins again")
def main() -> None:
    """Run the command line; returns the exit status."""
    with alone(BUILD, "another rendering of the book is at work"):
        render.render()
        made = make()
        render.seal_again()
    for file in made:
        print(f"{size(file.stat().st_size):>8}  {file}")


if __name__ == "__main__":
    sys.exit(main())

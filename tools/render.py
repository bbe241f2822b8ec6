"""Render the book from the lessons just executed: ``python -m tools.render``.

The pages show what ran, not what was committed: the sources and the executed notebooks are put side by side
into one folder and rendered from there, clean, with every warning an error, unless nothing changed.
"""

from __future__ import annotations

import base64
import contextlib
import io
import shutil
import sys
from pathlib import Path

import nbformat
from jupyter_book.cli.main import build as jupyter_book

from facelab import results, seals
from facelab.files import alone
from tools import (
    about_pages,
    bibliography,
    command,
    execute,
    fingerprint,
    folding,
    full_run_pages,
    glossary,
    in_sphinx,
    markdown,
    tables,
    try_pages,
)
from tools.paths import (
    BUILD,
    EXECUTED,
    HTML,
    RECORDS,
    REPOSITORY,
    chapters,
    lesson_name,
    lesson_number,
    lesson_prefix,
)

SOURCE = BUILD / "source"
KEY_FIGURE = "key-figure"
"""The tag of the one cell of a lesson whose picture stands on the card that leads to the lesson."""
_SEAL = BUILD / "html.json"


def gather() -> None:
    """Put configuration, prose and executed notebooks into one folder, laid out as the repository.

    Lessons are written in plain Markdown; here they get what the book adds to it.

    Raises
    ------
    FileNotFoundError
        If a lesson has not been executed, or its executed copy is not what the run left.
    tools.markdown.MarkdownError
        If lessons are not written as all readers render them; every fault of every lesson is named.
    """
    shutil.rmtree(SOURCE, ignore_errors=True)
    (SOURCE / "notebooks").mkdir(parents=True)
    shutil.copy2(REPOSITORY / "_config.yml", SOURCE)
    shutil.copytree(REPOSITORY / "book", SOURCE / "book")
    try_pages.fill(SOURCE / "book")
    about_pages.fill(SOURCE / "book")
    for notebook in chapters():
        executed = EXECUTED / notebook.name
        if not execute.is_whole(executed):
            raise FileNotFoundError(
                f"{executed} is not there, or not as it was executed: run `make execute` first"
            )
        page = nbformat.read(executed, as_version=4)
        tables.for_the_page(page)
        nbformat.write(page, SOURCE / "notebooks" / notebook.name)
    _take_key_figures(SOURCE / "notebooks", SOURCE / "book" / "_figures")
    _add_what_the_book_adds()


def _take_key_figures(notebooks: Path, folder: Path) -> None:
    """Put the picture of each lesson's cell tagged ``key-figure`` into a file, for the card of the lesson."""
    folder.mkdir()
    for path in sorted(notebooks.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if KEY_FIGURE in cell.metadata.get("tags", []):
                (data,) = (output.data for output in cell.outputs if "data" in output)
                target = folder / lesson_prefix(path)
                if svg := data.get("image/svg+xml"):
                    target.with_suffix(".svg").write_text(svg, encoding="utf-8")
                elif "image/jpeg" in data:
                    target.with_suffix(".jpg").write_bytes(base64.b64decode(data["image/jpeg"]))


def _add_what_the_book_adds() -> None:
    lessons = chapters()
    book = markdown.read_book(REPOSITORY, lessons)
    introduced: dict[str, list[tuple[str, str]]] = {}
    faults = []
    for lesson in lessons:
        path = SOURCE / "notebooks" / lesson.name
        try:
            rewritten, terms = markdown.in_the_book(nbformat.read(path, as_version=4), lesson.name, book)
        except markdown.MarkdownError as error:
            faults.append(str(error))
            continue
        if (full := RECORDS / f"{lesson.stem}_full.json").exists():
            figures = path.parent / "_full_runs"
            full_run_pages.add_figures(rewritten, results.read(full), figures, lesson_number(lesson))
        nbformat.write(folding.gathered(rewritten), path)
        for term in terms:
            introduced.setdefault(term, []).append((lesson_name(lesson), lesson.name))
    if faults:
        raise markdown.MarkdownError("\n".join(faults))
    page = SOURCE / "book" / "glossary.md"
    page.write_text(glossary.with_lessons(page.read_text(encoding="utf-8"), introduced), encoding="utf-8")


def render() -> Path:
    """Render the gathered folder, unless that has been done; returns the first page.

    Raises
    ------
    tools.command.FailedError
        If anything on any page is wrong; the renderer has printed what.
    """
    gather()
    code = [Path(__file__), *(Path(str(module.__file__)) for module in (in_sphinx, bibliography))]
    sources = fingerprint.of_contents(
        [
            *fingerprint.files_below(SOURCE),
            REPOSITORY / "requirements.lock",
            *(path.resolve() for path in code),
        ]
    )
    seal = seals.unbroken(_SEAL)
    if seal is None or seal.inputs != sources:
        _SEAL.unlink(missing_ok=True)
        shutil.rmtree(HTML, ignore_errors=True)
        _build()
        (SOURCE / "_build" / "html").rename(HTML)
        for notebook in chapters():  # who saves a page's source gets the notebook as it ran
            shutil.copy2(EXECUTED / notebook.name, HTML / "_sources" / "notebooks")
        seal_pages(sources)
    return HTML / "index.html"


def seal_pages(sources: str) -> None:
    """Seal all that lies among the pages now, as made from sources with this digest."""
    seals.write(_SEAL, [path for path in HTML.rglob("*") if path.is_file()], sources)


def seal_again() -> None:
    """Seal the pages once more, after something has been added to them that follows from them."""
    if (seal := seals.read(_SEAL)) is None:
        raise FileNotFoundError(f"{HTML} has not been rendered: run `make html` first")
    seal_pages(seal.inputs)


def _build() -> None:
    """Let Jupyter Book render the gathered folder, in this process: a child would outlive a killed parent."""
    options = ["--toc", str(SOURCE / "book" / "_toc.yml"), "--all", "-W", "-n", "--keep-going", "--quiet"]
    try:
        # Its closing words name the folder before it is moved; what is wrong goes to the standard error.
        with contextlib.redirect_stdout(io.StringIO()):
            jupyter_book.main([str(SOURCE), "--path-output", str(SOURCE), *options], standalone_mode=False)
    except SystemExit as end:
        if isinstance(end.code, KeyboardInterrupt):
            raise end.code from None
        if end.code:
            raise command.FailedError("the book has faults; they are listed above") from None
    except RuntimeError as error:
        if isinstance(error.__cause__, OSError):
            raise OSError(f"the book could not be rendered in {BUILD}: {error.__cause__}") from error
        raise command.FailedError("the book has a fault; it stands above") from error


@command.ends_with_status("begins again")
def main() -> None:
    """Run the command line; returns the exit status."""
    with alone(BUILD, "another rendering of the book is at work"):
        print(f"The book: {render()}")


if __name__ == "__main__":
    sys.exit(main())

"""Render the book from the chapters just executed: ``python -m tools.render``.

The pages show what ran, not what was committed: the sources and the executed notebooks are put side by side
into one folder and rendered from there, clean, with every warning an error, unless nothing changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from facelab.files import written_whole
from tools import command, fingerprint
from tools.paths import BUILD, EXECUTED, HTML, REPOSITORY, chapters

SOURCE = BUILD / "source"
_SEAL = BUILD / "html.sha256"


def gather() -> None:
    """Put configuration, prose and executed notebooks into one folder, laid out as the repository.

    Raises
    ------
    FileNotFoundError
        If a chapter has not been executed.
    """
    shutil.rmtree(SOURCE, ignore_errors=True)
    (SOURCE / "notebooks").mkdir(parents=True)
    shutil.copy2(REPOSITORY / "_config.yml", SOURCE)
    shutil.copytree(REPOSITORY / "book", SOURCE / "book")
    for notebook in chapters():
        executed = EXECUTED / notebook.name
        if not executed.exists():
            raise FileNotFoundError(f"{notebook.name} has not been executed: run `make execute` first")
        shutil.copy2(executed, SOURCE / "notebooks")


def render() -> Path:
    """Render the gathered folder, unless that has been done; returns the first page.

    Raises
    ------
    tools.command.FailedError
        If anything on any page is wrong; the renderer has printed what.
    """
    first_page = HTML / "index.html"
    gather()
    sources = fingerprint.of_contents(
        [*fingerprint.files_below(SOURCE), REPOSITORY / "requirements.lock", Path(__file__).resolve()]
    )
    if first_page.exists() and _SEAL.exists() and _SEAL.read_text() == sources:
        return first_page
    _SEAL.unlink(missing_ok=True)
    shutil.rmtree(HTML, ignore_errors=True)
    build: list[str | Path] = [
        Path(sys.executable).with_name("jupyter-book"),
        "build",
        SOURCE,
        "--path-output",
        SOURCE,
    ]
    build += ["--toc", SOURCE / "book" / "_toc.yml", "--all", "-W", "-n", "--keep-going", "--quiet"]
    # Its closing words name the folder before it is moved; what is wrong goes to the standard error.
    if subprocess.run(build, stdout=subprocess.DEVNULL).returncode != 0:
        raise command.FailedError("the book has faults; they are listed above")
    (SOURCE / "_build" / "html").rename(HTML)
    with written_whole(_SEAL) as aside:
        aside.write_text(sources)
    return first_page


@command.ends_with_status("begins again")
def main() -> None:
    """Run the command line; returns the exit status."""
    print(f"The book: {render()}")


if __name__ == "__main__":
    sys.exit(main())

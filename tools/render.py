"""Render the book from the chapters just executed: ``python -m tools.render``.

The pages show what ran, not what was committed: the sources and the executed notebooks are put side by side
into one folder and rendered from there, clean, with every warning an error, unless nothing changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools import fingerprint
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
    subprocess.CalledProcessError
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
    command: list[str | Path] = [
        Path(sys.executable).with_name("jupyter-book"),
        "build",
        SOURCE,
        "--path-output",
        SOURCE,
    ]
    command += ["--toc", SOURCE / "book" / "_toc.yml", "--all", "-W", "-n", "--keep-going", "--quiet"]
    # Its closing words name the folder before it is moved; what is wrong goes to the standard error.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (SOURCE / "_build" / "html").rename(HTML)
    _SEAL.write_text(sources)
    return first_page


def main() -> int:
    """Run the command line; returns the exit status."""
    try:
        first_page = render()
    except FileNotFoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print("error: the book has faults; they are listed above", file=sys.stderr)
        return error.returncode or 1
    print(f"The book: {first_page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Kill ``make book`` at random moments, again and again, and look whether anything is lost: ``make soak``.

A copy of the working tree executes all lessons with ``quick`` and renders the pages. Then it does so again
from nothing, but is killed at random moments, in one of four ways, and each time the same command goes on.
When a round comes to its end, its outputs must be those of the undisturbed runs, but for times, its pages
those of a clean rendering of these notebooks, byte by byte, and nothing may be left over. It takes 40
minutes. Exit status: see :mod:`tools.command`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat

from facelab.files import alone
from tools import command
from tools.paths import BUILD, REPOSITORY

SOAK = BUILD / "soak"
KILLS_A_ROUND = 10
MAKE = """
import sys
from tools import execute, render
sys.exit(execute.main("-p quick True --output _build/executed".split()) or render.main())
"""
WAYS = {
    "SIGKILL": (signal.SIGKILL, os.kill),
    "SIGTERM": (signal.SIGTERM, os.kill),
    "Ctrl-C": (signal.SIGINT, os.killpg),
    "SIGKILL to all": (signal.SIGKILL, os.killpg),
}
"""How it is killed: which signal, and whether its children get it as well."""


class Book:
    """A copy of the working tree, in which the book is made with quick parameters."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.build = folder / "_build"
        environment = {"PYTHONPATH": str(folder / "src"), "FACELAB_CACHE": str(folder / "_cache")}
        self.environment = os.environ | environment | {"TMPDIR": str(folder / "_temporary")}
        shutil.rmtree(folder, ignore_errors=True)
        for name in subprocess.check_output(["git", "ls-files", "-z"], cwd=REPOSITORY, text=True).split("\0"):
            if name and (REPOSITORY / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, folder / name)

    def begin_again(self) -> None:
        """Remove all that was built, the unpacked faces included."""
        for name in ("_build", "_cache", "_temporary"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "_temporary").mkdir()

    def start(self) -> subprocess.Popen[bytes]:
        """Begin to make the book, in a group of processes of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", MAKE],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "soak.log").open("ab"),
            start_new_session=True,
        )

    def make(self) -> None:
        """Make it to the end."""
        if status := self.start().wait():
            raise command.FailedError(f"exit status {status}: see {self.folder / 'soak.log'}")

    def results(self) -> dict[str, str]:
        """Give what each cell showed, those that show times left out, and each record without its time."""
        found = {}
        for path in (self.build / "executed").glob("*.ipynb"):
            for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
                shown = json.dumps(cell.get("outputs", []), sort_keys=True)
                if cell.cell_type == "code" and not re.search(r"\bseconds?\b", shown):
                    found[f"{path.name}, cell {number}"] = shown
        for path in (self.build / "executed" / "results").glob("*.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            found[path.name] = json.dumps(record | {"seconds": None}, sort_keys=True)
        return found

    def chapters(self) -> int:
        """Tell how many lessons are executed."""
        return len(list((self.build / "executed").glob("[!.]*.json")))

    def pages(self) -> dict[str, bytes]:
        """Give every file of the rendered book; in hidden ones Sphinx keeps notes that differ each time."""
        html = self.build / "html"
        files = (path for path in html.rglob("*") if path.is_file() and not path.name.startswith("."))
        return {path.relative_to(html).as_posix(): path.read_bytes() for path in files}

    def faults(self, undisturbed: dict[str, str]) -> list[str]:
        """Say what is not as it should be after a round."""
        results, pages = self.results(), self.pages()
        found = [f"{name} differs" for name, result in undisturbed.items() if results.get(name) != result]
        found += [f"{path} is left over" for path in self.folder.rglob(".partial-*")]
        shutil.rmtree(self.build / "html")
        self.make()
        clean = self.pages()
        found += [
            f"the page {name} differs from a clean rendering"
            for name in sorted(pages.keys() | clean.keys())
            if pages.get(name) != clean.get(name)
        ]
        return found


def soak(kills: int, seed: int) -> None:
    """Kill a book so often, and say after each round what was found.

    Raises
    ------
    tools.command.FailedError
        If a round's result differs from the undisturbed one, or the command fails without being killed.
    """
    generator = random.Random(seed)
    book = Book(SOAK / "book")
    book.begin_again()
    start = time.monotonic()
    book.make()
    seconds = time.monotonic() - start
    once = book.results()
    book.begin_again()
    book.make()
    # Two undisturbed runs differ in figures of times, and in nothing else.
    undisturbed = {name: result for name, result in book.results().items() if once[name] == result}
    share = f"{len(undisturbed)} of {len(once)} cells and records are the same in two undisturbed runs"
    print(f"{seconds:.0f} s; {share}", flush=True)
    survived = 0
    while survived < kills:
        book.begin_again()
        moments = []
        for _ in range(min(KILLS_A_ROUND, kills - survived)):
            moment = generator.uniform(0, 2 * seconds / KILLS_A_ROUND)
            way = generator.choice(list(WAYS))
            if _killed(book, moment, way):
                moments.append(f"{way} after {moment:.1f} s with {book.chapters()} lessons done")
        book.make()
        if faults := book.faults(undisturbed):
            raise command.FailedError("; ".join([*moments, *faults]))
        survived += len(moments)
        print(f"{survived} of {kills}: {', '.join(moments)}: as undisturbed", flush=True)


def _killed(book: Book, moment: float, way: str) -> bool:
    """Let the book be made until a moment, and kill it; False if it was done before."""
    process = book.start()
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        sign, kill = WAYS[way]
        kill(process.pid, sign)
        process.wait()
        return True
    if process.returncode:
        raise command.FailedError(f"exit status {process.returncode}: see {book.folder / 'soak.log'}")
    return False


@command.ends_with_status("begins again")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="how often (default: 50)")
    parser.add_argument("--seed", type=int, default=1, help="the moments follow from it (default: 1)")
    chosen = parser.parse_args(arguments)
    with alone(SOAK, "another soak is at work"):
        soak(chosen.kills, chosen.seed)


if __name__ == "__main__":
    sys.exit(main())

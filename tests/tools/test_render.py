"""The tool that renders the pages: what it believes, what it refuses, and how it ends."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from facelab import seals
from facelab.files import alone
from tools import execute, render

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
CONFIG = """\
title: A book
execute:
  execute_notebooks: 'off'
repository:
  url: https://github.com/somebody/book
  branch: main
"""
CONTENTS = "format: jb-book\nroot: book/intro\nchapters:\n  - file: notebooks/01_chapter\n"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A chapter, executed once for all tests."""
    folder = tmp_path_factory.mktemp("chapter")
    cells = [new_markdown_cell("# One\n", id="title"), new_code_cell("print('album', 3)", id="code")]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), folder / "01_chapter.ipynb")
    execute.execute(folder / "01_chapter.ipynb", folder / "executed" / "01_chapter.ipynb", {})
    return folder / "executed"


def small_book(root: Path, executed: Path, monkeypatch: pytest.MonkeyPatch, build: Path) -> Path:
    (root / "book").mkdir(parents=True)
    (root / "_config.yml").write_text(CONFIG)
    (root / "requirements.lock").touch()
    (root / "book" / "_toc.yml").write_text(CONTENTS)
    (root / "book" / "intro.md").write_text("# A book\n\nIts first page.\n")
    (root / "book" / "references.bib").touch()
    (root / "book" / "glossary.md").write_text("---\norphan: true\n---\n\n# Glossary\n")
    (build / "executed").mkdir(parents=True)
    for file in executed.glob("01_*"):
        (build / "executed" / file.name).write_bytes(file.read_bytes())
    places = {"REPOSITORY": root, "BUILD": build, "EXECUTED": build / "executed", "HTML": build / "html"}
    places |= {"SOURCE": build / "source", "_SEAL": build / "html.json"}
    for name, place in places.items():
        monkeypatch.setattr(render, name, place)
    monkeypatch.setattr(render, "chapters", lambda: [root / "notebooks" / "01_chapter.ipynb"])
    monkeypatch.setattr(render.fingerprint, "of_contents", lambda paths: "-".join(map(seals.sha256, paths)))
    return build


@pytest.fixture
def build(tmp_path, executed, monkeypatch):
    """The ``_build`` of a small book that has not been rendered yet."""
    return small_book(tmp_path / "repository", executed, monkeypatch, tmp_path / "_build")


def pages(build: Path) -> dict[str, bytes]:
    """All files of the pages; Sphinx keeps notes for itself in hidden ones, which differ each time."""
    folder = build / "html"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("[!.]*.*")}


DAMAGES = {
    "removed": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "changed": lambda path: path.write_text(path.read_text().replace("album", "Album")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_pages_that_are_not_as_they_were_rendered_are_rendered_again(build, damage, monkeypatch):
    assert render.main() == 0
    whole = pages(build)
    damage(build / "html" / "notebooks" / "01_chapter.html")
    assert pages(build) != whole
    assert render.main() == 0
    assert pages(build) == whole
    monkeypatch.setattr(render, "_build", lambda: pytest.fail("rendered again, though nothing changed"))
    assert render.main() == 0


@pytest.mark.parametrize("seal", [b"", b"null", b"\xff", None])
def test_pages_without_a_seal_that_can_be_read_are_rendered_again(build, seal):
    assert render.main() == 0
    whole = pages(build)
    (build / "html.json").unlink()
    if seal is not None:
        (build / "html.json").write_bytes(seal)
    (build / "html" / "index.html").write_text("half")
    assert render.main() == 0
    assert pages(build) == whole


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_chapter_that_is_not_as_it_was_executed_comes_into_no_page(build, damage, capsys):
    chapter = build / "executed" / "01_chapter.ipynb"
    damage(chapter)
    assert render.main() == 2
    message = capsys.readouterr().err
    assert message.startswith(f"error: {chapter} is not there, or not as it was executed")
    assert "make execute" in message
    assert not (build / "html").exists()


def test_a_fault_on_a_page_fails_and_leaves_no_pages_that_are_believed(build, tmp_path, capfd):
    (tmp_path / "repository" / "book" / "intro.md").write_text("# A book\n\n[nowhere](nowhere.md)\n")
    assert render.main() == 1
    message = capfd.readouterr().err
    assert "nowhere" in message
    assert "the book has faults; they are listed above" in message
    assert not (build / "html.json").exists()


def test_a_second_rendering_is_told_of_the_first(build, capsys):
    with alone(build, "the first"):
        assert render.main() == 2
    assert "another rendering of the book is at work in" in capsys.readouterr().err
    assert render.main() == 0


def test_an_interrupt_is_said_in_a_word(build, monkeypatch, capsys):
    from sphinx.application import Sphinx

    def interrupted(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Sphinx, "build", interrupted)
    assert render.main() == 130
    assert capsys.readouterr().err.endswith("Interrupted. The same command begins again.\n")
    monkeypatch.undo()


def test_a_full_disk_names_the_folder(build, monkeypatch, capsys):
    from sphinx.application import Sphinx

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Sphinx, "build", full)
    assert render.main() == 2
    message = capsys.readouterr().err
    assert f"the book could not be rendered in {build}: [Errno 28] No space left on device" in message
    assert not (build / "html.json").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A real disk that is too small."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]
    if os.name != "posix" or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_on_a_disk_that_is_full_nothing_is_believed_and_after_room_is_made_it_is_right(
    small_disk, tmp_path, executed, monkeypatch, capfd
):
    build = small_book(tmp_path / "repository", executed, monkeypatch, small_disk / "_build")
    assert render.main() in (1, 2)
    message = capfd.readouterr().err
    assert "No space left" in message
    assert not (build / "html.json").exists()
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    assert render.main() == 0
    assert (build / "html" / "index.html").stat().st_size > 0

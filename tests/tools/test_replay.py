"""Nbval on what papermill has made: it passes what is the same, and names the cell that is not."""

from __future__ import annotations

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from facelab import seals
from tools import execute, replay

pytest_plugins = ["pytester"]

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
SOURCES = ["print('album', 3)", "print('took', 17, 's')", "object()", "print('album', 3)"]
COMMITTED, EXECUTED = "99_chapter.ipynb", "executed/99_chapter.ipynb"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A folder with a chapter as it is committed, and as papermill has executed it."""
    folder = tmp_path_factory.mktemp("book")
    cells = [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(SOURCES)]
    cells[1].metadata["tags"] = ["nbval-ignore-output"]
    cells.append(new_markdown_cell("The end.", id="end"))
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), folder / COMMITTED)
    for _ in range(2):  # the first run adds the language to the notebook's metadata
        execute.execute(folder / COMMITTED, folder / EXECUTED, {})
        shutil.copyfile(folder / EXECUTED, folder / COMMITTED)
    (folder / "sanitise.cfg").write_text("regex: 0x[0-9a-f]+\nreplace: 0xADDRESS\n")
    return folder


@pytest.fixture
def book(ran, pytester, monkeypatch):
    """A copy of that folder, to be changed."""
    shutil.copytree(ran, pytester.path, dirs_exist_ok=True)
    monkeypatch.setattr(replay, "EXECUTED", pytester.path / "executed")
    return pytester


def edit(book, name, cell, **content):
    notebook = nbformat.read(book.path / name, as_version=4)
    notebook.cells[cell].update(content)
    nbformat.write(notebook, book.path / name)
    if name == EXECUTED:  # as if the run had given this
        path = (book.path / EXECUTED).with_suffix(".json")
        seal = seals.read(path)
        seals.write(path, [book.path / EXECUTED], seal.inputs, seal.seconds)


def printed(text):
    return [new_output("stream", name="stdout", text=text)]


def compared(book):
    return book.runpytest_inprocess(
        "-p", "tools.replay", "--nbval-sanitize-with", "sanitise.cfg", "--color=no", COMMITTED
    )


def test_what_is_the_same_passes(book):
    compared(book).assert_outcomes(passed=4)


@pytest.mark.parametrize("cell", [0, 3])  # of the same source: each is compared with its own copy
def test_a_changed_output_fails_and_its_cell_is_named(book, cell):
    edit(book, EXECUTED, cell, outputs=printed("album 4\n"))
    result = compared(book)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines([f"*{COMMITTED}::Cell {cell}*", "*Cell outputs differ*", "*album 4*"])


def test_an_output_that_is_missing_fails(book):
    edit(book, COMMITTED, 0, outputs=[])
    compared(book).assert_outcomes(passed=3, failed=1)


def test_an_address_in_memory_is_no_difference(book):
    result = new_output("execute_result", data={"text/plain": "<object at 0x1234abcd>"}, execution_count=3)
    edit(book, EXECUTED, 2, outputs=[result])
    compared(book).assert_outcomes(passed=4)


def test_a_changed_output_passes_where_nbval_is_told_to_ignore_it(book):
    edit(book, EXECUTED, 1, outputs=printed("took 99 s\n"))
    compared(book).assert_outcomes(passed=4)


def test_a_cell_that_raised_fails_even_there(book):
    error = new_output("error", ename="ValueError", evalue="no album", traceback=["no album"])
    edit(book, EXECUTED, 1, outputs=[error])
    result = compared(book)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines([f"*{COMMITTED}::Cell 1*", "*Cell execution caused an exception*"])


def change_the_source(book):
    edit(book, COMMITTED, 0, source="print('album', 1 + 2)")


def remove_the_executed_copy(book):
    (book.path / EXECUTED).unlink()


@pytest.mark.parametrize("spoil", [change_the_source, remove_the_executed_copy])
def test_a_chapter_not_executed_as_it_is_now_fails_with_the_remedy(book, spoil):
    spoil(book)
    result = compared(book)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{COMMITTED} has not been executed as it is now: run `make execute` first"])

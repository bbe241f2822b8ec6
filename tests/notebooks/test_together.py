"""Lessons that share a kernel share no names and no folder, and each failure is told of its lesson."""

from __future__ import annotations

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks import together


def test_lessons_in_one_kernel_do_not_meet(tmp_path):
    parameters = new_code_cell("quick: bool = False", metadata={"tags": ["parameters"]})
    sources = {
        "fails": ["import sys\nfound = 1", "open('left', 'w').close()\n1 / 0"],
        "red": ["print(quick, 'found' in globals())\nimport os, sys", "print(os.listdir(), file=sys.stderr)"],
    }
    lessons = []
    for name, cells in sources.items():
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=[parameters, *map(new_code_cell, cells)]), path)
        lessons.append((path, {"quick": True}))
    (tmp_path / "here").mkdir()
    fails, red = together.run(lessons, tmp_path / "here")
    (failure,) = together.failures(fails)
    assert failure.startswith("ZeroDivisionError: division by zero\n\nopen('left'")
    assert not together.said_in_red(fails)
    assert not together.failures(red)
    assert red[-2].outputs[0].text == "True False\n"
    assert together.said_in_red(red) == ["[]\n"]

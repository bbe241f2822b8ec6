"""Every lesson goes through all its steps with ``quick`` on real photographs.

On the rendered faces, see test_clean_environment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import together
from tools.paths import chapters

# Each of two workers runs half of the lessons in one kernel.
HALVES = [
    pytest.param(chapter, number % 2, id=chapter.stem, marks=pytest.mark.xdist_group(f"real-{number % 2}"))
    for number, chapter in enumerate(chapters())
]


@pytest.fixture(scope="module")
def executed(request, shared, tmp_path_factory) -> Callable[[int], dict[Path, list[nbformat.NotebookNode]]]:
    """The code cells of the lessons of a half whose tests have been asked for."""
    asked = [item.callspec.params for item in request.session.items if item.fspath == request.fspath]
    parameters = {"quick": True, "data_dir": str(shared / "real-faces")}

    @cache
    def half(number: int) -> dict[Path, list[nbformat.NotebookNode]]:
        lessons = [params["chapter"] for params in asked if params["half"] == number]
        runs = together.run([(path, parameters) for path in lessons], tmp_path_factory.mktemp("lessons"))
        return dict(zip(lessons, runs, strict=True))

    return half


@pytest.mark.parametrize(("chapter", "half"), HALVES)
def test_it_runs_on_real_photographs(chapter, half, executed):
    cells = executed(half)[chapter]
    assert not together.failures(cells), together.failures(cells)[0]
    assert not together.said_in_red(cells)

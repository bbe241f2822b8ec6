"""Every lesson goes through all its steps with ``quick`` on real photographs; on renders, see test_alone."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tools import execute
from tools.paths import chapters

CHAPTERS = pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)


@CHAPTERS
def test_it_runs_on_real_photographs(chapter, tmp_path, shared):
    parameters = {"quick": True, "data_dir": str(shared / "real-faces")}
    execute.execute(chapter, tmp_path / chapter.name, parameters)
    assert not said_in_red(tmp_path / chapter.name)


def said_in_red(executed: Path) -> list[str]:
    """Whatever the cells of an executed chapter wrote to stderr, where a notebook shows it in red."""
    cells = nbformat.read(executed, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output.text for output in outputs if output.get("name") == "stderr"]

"""Every chapter goes through all its steps with ``quick``, on real photographs too."""

from __future__ import annotations

import pytest

from tools import execute
from tools.paths import chapters

CHAPTERS = pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)


@CHAPTERS
def test_it_runs_quickly(chapter, tmp_path):
    execute.execute(chapter, tmp_path / chapter.name, {"quick": True})


@CHAPTERS
def test_it_runs_on_real_photographs(chapter, tmp_path, shared):
    parameters = {"quick": True, "data_dir": str(shared / "real-faces")}
    execute.execute(chapter, tmp_path / chapter.name, parameters)

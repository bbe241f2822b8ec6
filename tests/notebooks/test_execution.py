"""Every chapter runs quickly with ``quick``, on real photographs too, and keeps its time."""

from __future__ import annotations

import json

import pytest

from tools import execute
from tools.places import EXECUTED, chapters

CHAPTERS = pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
QUICK_SECONDS = 60  # a smoke run, on two cores that have other work too
DEFAULT_SECONDS = 120  # what the book promises


@CHAPTERS
def test_it_runs_quickly(chapter, tmp_path):
    seconds = execute.execute(chapter, tmp_path / chapter.name, {"quick": True})
    assert seconds < QUICK_SECONDS


@CHAPTERS
def test_it_runs_on_real_photographs(chapter, tmp_path, shared):
    parameters = {"data_dir": str(shared / "real-faces")}
    assert execute.execute(chapter, tmp_path / chapter.name, parameters) < DEFAULT_SECONDS


@CHAPTERS
def test_its_default_run_keeps_the_promised_time(chapter):
    seal = EXECUTED / f"{chapter.stem}.json"
    if not seal.exists():
        pytest.skip("not executed with its default parameters yet: `make execute` does it")
    assert json.loads(seal.read_text())["seconds"] < DEFAULT_SECONDS

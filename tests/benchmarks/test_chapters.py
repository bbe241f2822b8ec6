"""How long the chapters take: no longer than each says at its top, and half a minute with ``quick``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tools.execute import execute
from tools.paths import chapters

CHAPTERS = pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
QUICK_SECONDS = 30
NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4}


def stated_seconds(chapter: Path) -> int:
    """What the chapter promises: "the code runs in under two minutes"."""
    prose = " ".join(nbformat.read(chapter, as_version=4).cells[2].source.split())
    promise = re.search(r"the code runs in under (\w+) minutes?", prose)
    assert promise is not None, "say at the top: the code runs in under … minutes"
    return 60 * NUMBERS[promise.group(1)]


def seconds_of(benchmark: BenchmarkFixture, chapter: Path, folder: Path, parameters: dict[str, Any]) -> float:
    """Execute once, with the start of the kernel and the loading of TensorFlow."""
    benchmark.pedantic(execute, [chapter, folder / chapter.name, parameters], rounds=1)
    return benchmark.stats.stats.max


@CHAPTERS
def test_the_default_run_keeps_the_time_that_the_chapter_states(
    benchmark: BenchmarkFixture, chapter: Path, tmp_path: Path
) -> None:
    promised = stated_seconds(chapter)
    taken = seconds_of(benchmark, chapter, tmp_path, {})
    benchmark.extra_info["share of the stated time"] = round(taken / promised, 2)
    assert taken < promised


@CHAPTERS
def test_the_quick_run_takes_half_a_minute(
    benchmark: BenchmarkFixture, chapter: Path, tmp_path: Path
) -> None:
    assert seconds_of(benchmark, chapter, tmp_path, {"quick": True}) < QUICK_SECONDS

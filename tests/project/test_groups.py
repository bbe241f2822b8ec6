"""Tests of a group run in one worker: pytest-xdist 3.8.0 forgets it, without a word, beside pytest 9.2.0."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = """
import os, pytest

NUMBERS = [pytest.param(n, marks=pytest.mark.xdist_group(str(n % 2))) for n in range(20)]

@pytest.mark.parametrize("number", NUMBERS)
def test_it(number):
    with open("log", "a") as log:
        print(number % 2, os.environ["PYTEST_XDIST_WORKER"], file=log)
"""


def test_the_tests_of_a_group_share_a_worker(tmp_path: Path) -> None:
    (tmp_path / "test_them.py").write_text(TESTS)
    options = ["-q", "-p", "xdist", "-p", "no:cacheprovider", "--numprocesses", "2", "--dist", "loadgroup"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_them.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # the others take long to load
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    pairs = re.findall(r"^(\d) (\w+)$", (tmp_path / "log").read_text(), flags=re.MULTILINE)
    assert len(pairs) == 20
    assert len(set(pairs)) == 2

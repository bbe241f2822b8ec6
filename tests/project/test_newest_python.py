"""The newest Python that the course allows: its code is valid there, its requirements exist for it.

`make newest` installs them and runs tests and lessons; `make oldest` does the same at the other end.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
UV = Path(sys.executable).with_name("uv")
NEXT = int(re.search(r"<3\.(\d+)$", PROJECT["requires-python"])[1])
NEWEST = f"3.{NEXT - 1}"
# Compiles each file that stands in its arguments; a warning, as of a form that is to go, is an error.
COMPILE = """\
import json, pathlib, sys
for name in sys.argv[1:]:
    text = pathlib.Path(name).read_text(encoding="utf-8")
    cells = json.loads(text)["cells"] if name.endswith(".ipynb") else [{"cell_type": "code", "source": text}]
    for cell in cells:
        if cell["cell_type"] == "code":
            compile("".join(cell["source"]), name, "exec")
"""


def uv(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([UV, *words], cwd=REPOSITORY, capture_output=True, text=True)


def test_every_place_names_the_pythons_that_are_supported():
    minors = range(11, NEXT)
    assert PROJECT["requires-python"] == f">=3.{minors[0]},<3.{NEXT}"
    named = [line for line in PROJECT["classifiers"] if line.startswith("Programming Language")]
    assert named == [f"Programming Language :: Python :: 3.{minor}" for minor in minors]
    words = f"Python {', '.join(f'3.{minor}' for minor in minors[:-1])} or {NEWEST}"
    for name in ("Makefile", "README.md", "book/run_it.md"):
        assert words in (REPOSITORY / name).read_text(encoding="utf-8"), name
    tried = " ".join(f"python3.{minor}" for minor in reversed(minors))
    assert f"python {tried}; do" in (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def test_code_and_lessons_are_valid_in_it_without_a_warning():
    found = uv("python", "find", "--no-project", "--no-python-downloads", NEWEST)
    if found.returncode:
        pytest.skip(f"no Python {NEWEST} on PATH: whether the code is valid in it is not known")
    files = [path for place in ("src", "tools", "tests") for path in (REPOSITORY / place).rglob("*.py")]
    files += (REPOSITORY / "notebooks").glob("*.ipynb")
    words = [found.stdout.strip(), "-W", "error", "-c", COMPILE, *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_every_requirement_has_a_release_for_it():
    """Nothing is installed: what is asked for is only resolved, from files that need no compiler."""
    how = ["--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:", "--prerelease", "disallow"]
    done = uv("pip", "compile", "pyproject.toml", *how, "--python-version", NEWEST)
    if done.returncode and "No solution found" not in done.stderr:
        pytest.skip(f"the packages' releases could not be looked up: {done.stderr.strip()[-500:]}")
    assert done.returncode == 0, done.stderr
    resolved = dict(re.findall(r"^([\w.-]+)==(\S+)", done.stdout, flags=re.MULTILINE))
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert resolved[requirement.name] in requirement.specifier


def test_the_packages_tests_need_no_more_than_oldest_and_newest_install():
    allowed = {Requirement(line).name for line in PROJECT["dependencies"]}
    allowed |= {"PIL", "sklearn", "facelab", "tests", "pytest", "hypothesis", *sys.stdlib_module_names}
    for path in (REPOSITORY / "tests" / "facelab").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, f"{path}, line {node.lineno}"

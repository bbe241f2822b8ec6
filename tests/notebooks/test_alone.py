"""Every notebook works alone, in an empty folder and a clean environment: what Colab gives it.

At its end its checkers refuse the likely wrong answers: most of them need what only their lesson has.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell

from tests.notebooks.together import said_in_red
from tools.classroom import exercises
from tools.classroom.mistakes import likely
from tools.paths import REPOSITORY, chapters

UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, **options) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command[0]}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """What has been committed, as somebody else would fetch it."""
    folder = tmp_path_factory.mktemp("published") / "repository"
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git repository: there is nothing to install from")
    run("git", "clone", "--quiet", REPOSITORY, folder)
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """A clean environment with what Colab has, at the locked versions: a kernel, pip, and no `facelab`.

    The first lesson that runs in it fetches the package and unpacks the faces; those after it find both. That
    hides no fault, since the cell that fetches is the same in all (see test_hygiene).
    """
    folder = tmp_path_factory.mktemp("clean") / "venv"
    run(UV, "venv", "--quiet", "--seed", "--python", sys.executable, folder)
    python, constraints = folder / "bin" / "python", folder / "constraints.txt"
    constraints.write_text(locked_versions())
    install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    run(UV, *install, "--constraint", constraints, "ipykernel", "nbconvert")
    return python


def locked_versions() -> str:
    """The lock as constraints without hashes: with them, pip would want one for what comes from git, too."""
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^[\w.-]+==[^\\\n]*", lock, flags=re.MULTILINE)) + "\n"


# In names of its own, so that no answer meets another one's.
REFUSED = """\
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    names = dict(globals())
    exec({answer!r}, names)
    said = eval({call!r}, names)
assert said.startswith("Not yet"), f"check_{task} says to a wrong answer: {{said}}"
"""


def wrong_answers(notebook: Path) -> list[nbformat.NotebookNode]:
    """Cells that put the likely wrong answers to a lesson's checkers, and fail where one is not refused."""
    lesson = exercises.read(notebook)
    calls = {task.name: task.call for task in lesson.tasks}
    return [
        new_code_cell(REFUSED.format(answer=wrong.answer, call=calls[wrong.task], task=wrong.task))
        for wrong in likely()
        if wrong.lesson == lesson.number
    ]


# Each of two workers makes an environment, in which its half of the lessons run one by one.
ALONE = [
    pytest.param(path.name, marks=pytest.mark.xdist_group(f"alone-{number % 2}"))
    for number, path in enumerate(chapters())
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_it_runs_alone(name, clone, python, tmp_path):
    if not (clone / "notebooks" / name).exists():
        pytest.skip(f"{name} is not committed yet")
    published = clone / "notebooks" / name
    papermill.execute_notebook(published, tmp_path / name, {"quick": True}, prepare_only=True)
    notebook = nbformat.read(tmp_path / name, as_version=4)
    notebook.cells += wrong_answers(published)
    nbformat.write(notebook, tmp_path / name)
    environment = {variable: value for variable, value in os.environ.items() if variable != "PYTHONPATH"}
    environment |= {
        "FACELAB_SOURCE": f"git+{clone.as_uri()}",
        "PIP_CONSTRAINT": str(python.parents[1] / "constraints.txt"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
        "XDG_CACHE_HOME": str(python.parents[2] / "cache"),
        "VIRTUAL_ENV": str(python.parents[1]),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    convert = ["nbconvert", "--to", "notebook", "--execute", "--output", "ran.ipynb", name]
    run(python, "-m", "jupyter", *convert, cwd=tmp_path, env=environment)
    assert not said_in_red(nbformat.read(tmp_path / "ran.ipynb", as_version=4).cells)
    installed = "import facelab; assert 'site-packages' in facelab.__file__, facelab.__file__"
    run(python, "-c", installed, cwd=tmp_path, env=environment)

"""Every lesson works in an empty folder and a clean environment, what Colab gives it: quick, as committed.

At its end its checkers refuse the likely wrong answers: most of them need what only their lesson has.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.notebooks import together
from tools.classroom import exercises
from tools.classroom.mistakes import likely
from tools.paths import REPOSITORY, chapters, lesson_number

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


INSTALLED = "import facelab\n\nassert 'site-packages' in facelab.__file__, facelab.__file__"


def wrong_answers(notebook: Path) -> list[nbformat.NotebookNode]:
    """Cells that put the likely wrong answers to a lesson's checkers, and fail where one is not refused."""
    lesson = exercises.read(notebook)
    calls = {task.name: task.call for task in lesson.tasks}
    return [
        new_code_cell(REFUSED.format(answer=wrong.answer, call=calls[wrong.task], task=wrong.task))
        for wrong in likely()
        if wrong.lesson == lesson.number
    ]


# On the embedded faces, since on others a wrong answer of theirs is right: where each photograph is an album
# of its own, or nobody knows the causes. The rest have real photographs where they are at hand: `make book`
# runs all lessons on the embedded faces, and test_other_data these six on real photographs.
ON_EMBEDDED = ("1.2", "1.3", "2.3", "3.3", "6.1", "7.3")

# Each of two workers makes an environment, in which half of the lessons run in one kernel.
HALVES = [
    pytest.param(path.name, number % 2, id=path.stem, marks=pytest.mark.xdist_group(f"clean-{number % 2}"))
    for number, path in enumerate(chapters())
]


@pytest.fixture(scope="module")
def executed(request, clone, python, real_faces, tmp_path_factory) -> Callable[[int], dict]:
    """The code cells of the lessons of a half whose tests have been asked for, and wrong answers."""
    asked = [item.callspec.params for item in request.session.items if item.fspath == request.fspath]

    def parameters(path: Path) -> dict[str, object]:
        embedded = real_faces is None or lesson_number(path) in ON_EMBEDDED
        return {"quick": True} | ({} if embedded else {"data_dir": str(real_faces)})

    @cache
    def half(number: int) -> dict[str, list[nbformat.NotebookNode]]:
        folder, published = tmp_path_factory.mktemp("lessons"), clone / "notebooks"
        names = [params["name"] for params in asked if params["half"] == number]
        names = [name for name in names if (published / name).exists()]
        for name in names:
            lesson = nbformat.read(published / name, as_version=4)
            lesson.cells += [*wrong_answers(published / name), new_code_cell(INSTALLED)]
            nbformat.write(lesson, folder / name)
        lessons = [(folder / name, parameters(folder / name)) for name in names]
        notebook, places = together.joined(lessons, folder)
        nbformat.write(notebook, folder / "together.ipynb")
        execute = ["nbconvert", "--to", "notebook", "--execute", "--allow-errors", "--output", "ran.ipynb"]
        run(
            *(python, "-m", "jupyter", *execute, "together.ipynb"),
            cwd=folder,
            env=as_in_colab(clone, python),
        )
        cells = nbformat.read(folder / "ran.ipynb", as_version=4).cells
        return {name: cells[place] for name, place in zip(names, places, strict=True)}

    return half


def as_in_colab(clone: Path, python: Path) -> dict[str, str]:
    """Variables with which the setup cell finds the course as committed, and pip the locked versions."""
    environment = {variable: value for variable, value in os.environ.items() if variable != "PYTHONPATH"}
    return environment | {
        "FACELAB_SOURCE": f"git+{clone.as_uri()}",
        "PIP_CONSTRAINT": str(python.parents[1] / "constraints.txt"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
        "XDG_CACHE_HOME": str(python.parents[2] / "cache"),
        "VIRTUAL_ENV": str(python.parents[1]),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.mark.slow
@pytest.mark.parametrize(("name", "half"), HALVES)
def test_it_runs_to_its_end(name, half, executed):
    lessons = executed(half)
    if name not in lessons:
        pytest.skip(f"{name} is not committed yet")
    assert not together.failures(lessons[name]), together.failures(lessons[name])[0]
    assert not together.said_in_red(lessons[name])

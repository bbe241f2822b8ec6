"""Run the lessons alone with the versions that Colab has: ``python -m tools.colab``.

``tests/colab/constraints.txt`` holds those versions, and ``--refresh`` fetches today's. Each lesson runs in
an empty folder and finds an environment without ``facelab``, as in Colab; its first cell installs that from
what is committed here. A lesson fails if a cell does, if it writes to the standard error, or if the
installation changed any other package. With ``--full`` it runs with its default parameters, and nbval
compares what it prints. What has passed is recorded in ``book/colab.json``, for the page "Run it". A run that
was stopped goes on with the lessons that have not passed yet with these versions, this package and as they
are; lessons that are named are run in any case.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from papermill.exceptions import PapermillExecutionError

from facelab.files import alone, workplace, written_whole
from tools import command
from tools.execute import CELL_TIMEOUT_SECONDS
from tools.paths import BUILD, REPOSITORY, chapters

CONSTRAINTS = REPOSITORY / "tests" / "colab" / "constraints.txt"
RECORD = REPOSITORY / "book" / "colab.json"
PLACE = BUILD / "colab"
KERNEL = ("ipykernel", "ipython")  # what Colab brings besides the course's own requirements
_COMMITS = "https://api.github.com/repos/googlecolab/backend-info/commits?per_page=1&path=pip-freeze.txt"
_FILES = "https://raw.githubusercontent.com/googlecolab/backend-info"
_UV = Path(sys.executable).with_name("uv")


class Freeze(NamedTuple):
    """Which packages Colab has, and where that is published."""

    commit: str
    """Of googlecolab/backend-info."""
    date: str
    """Of the commit: year, month and, where it is known, day."""
    python: str
    """Major and minor version, such as ``3.13``."""
    versions: dict[str, str]
    """By the name of the package."""


def read(path: Path = CONSTRAINTS) -> Freeze:
    """Read the constraints and the lines above them.

    Raises
    ------
    ValueError
        If the file does not say where it comes from, or a line is no pin; the message names the line.
    """
    source: tuple[str, str, str] | None = None
    versions = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            found = re.fullmatch(r"# Source: \S+, commit (\w+), ([\d-]+), with Python (3\.\d+)", line)
            source = (found[1], found[2], found[3]) if found else source
        elif pin := re.fullmatch(r"([\w.-]+)==([\w.+!-]+)", line):
            versions[pin[1]] = pin[2]
        else:
            raise ValueError(f"{path}, line {number}: {line!r} is no name==version")
    if source is None:
        raise ValueError(f"{path} does not name its source: run python -m tools.colab --refresh")
    return Freeze(*source, versions)


def written(freeze: Freeze) -> str:
    """Write constraints as their file has them."""
    return "\n".join(
        [
            "# What Colab has of the packages that the course installs: `make colab` runs the lessons with "
            "these versions.",
            f"# Source: googlecolab/backend-info, commit {freeze.commit}, {freeze.date}, "
            f"with Python {freeze.python}",
            *(f"{name}=={version}" for name, version in sorted(freeze.versions.items())),
            "",
        ]
    )


def pins(frozen: str, names: Collection[str]) -> dict[str, str]:
    """Take the versions of some packages from what ``pip freeze`` printed.

    Parameters
    ----------
    frozen : str
        Lines such as ``Pillow==11.3.0``. Others, such as ``torch @ https://…``, are passed over.
    names : collection of str
        In the canonical form, such as ``scikit-learn``.
    """
    found = re.findall(r"^([\w.-]+)==([\w.+!-]+)$", frozen, flags=re.MULTILINE)
    return {name: version for raw, version in found if (name := canonicalize_name(raw)) in names}


def refresh() -> Freeze:
    """Fetch which versions Colab has today of the packages in ``requirements.lock``; write the constraints.

    Raises
    ------
    OSError
        If the list cannot be fetched.
    ValueError
        If it is not what it was, such as one without TensorFlow.
    """
    newest = json.loads(_fetched(_COMMITS))[0]
    commit, date = newest["sha"], newest["commit"]["committer"]["date"][:10]
    frozen = _fetched(f"{_FILES}/{commit}/pip-freeze.txt")
    python = re.search(r"^Python (3\.\d+)", _fetched(f"{_FILES}/{commit}/os-info.txt"), flags=re.MULTILINE)
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    locked = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", lock, flags=re.MULTILINE)}
    versions = pins(frozen, locked)
    if python is None or not {"tensorflow", "keras", "numpy", "pandas"} <= set(versions):
        raise ValueError(f"{_FILES}/{commit} does not list Python and TensorFlow as it did: look at it")
    freeze = Freeze(commit, date, python[1], versions)
    with written_whole(CONSTRAINTS) as aside:
        aside.write_text(written(freeze), encoding="utf-8")
    return freeze


def _fetched(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read().decode()


def python_for(version: str) -> str:
    """Find an installed Python of a version, or else the newest older one that the course supports.

    Raises
    ------
    ValueError
        If there is none.
    """
    for minor in range(int(version.split(".")[1]), 10, -1):
        found = subprocess.run(
            [_UV, "python", "find", "--no-project", "--no-python-downloads", f"3.{minor}"],
            capture_output=True,
            text=True,
        )
        if found.returncode == 0:
            if f"3.{minor}" != version:
                print(f"Colab has Python {version}, which is not installed: with Python 3.{minor} instead.")
            return found.stdout.strip()
    raise ValueError(f"no Python from 3.11 to {version} is installed")


def make_environment(freeze: Freeze) -> Path:
    """Make the environment that a lesson finds in Colab, without ``facelab``; returns its Python."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(line).name for line in project["dependencies"]]
    folder = PLACE / "environment"
    _run(_UV, "venv", "--quiet", "--clear", "--seed", "--python", python_for(freeze.python), folder)
    python = folder / "bin" / "python"
    into = ["--python", str(python), "--constraint", str(CONSTRAINTS)]
    _run(_UV, "pip", "install", "--quiet", *into, *asked, *KERNEL)
    return python


def frozen(python: Path) -> list[str]:
    """List the packages of an environment, as pip writes them."""
    return _run(_UV, "pip", "freeze", "--quiet", "--python", python).splitlines()


def changes(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """List what an installation has changed besides adding ``facelab``: nothing, if all is well."""
    gone = [f"without {line}" for line in before if line not in after]
    new = [f"with {line}" for line in after if line not in before and not line.startswith("facelab @ ")]
    missing = [] if any(line.startswith("facelab @ ") for line in after) else ["without facelab"]
    return [*gone, *new, *missing]


def run_alone(notebook: Path, python: Path, full: bool) -> None:
    """Run one lesson as Colab would.

    Raises
    ------
    tools.command.FailedError
        If a cell fails, writes to the standard error or, with ``full``, prints something else than the
        committed notebook shows; if the installation of ``facelab`` has changed another package.
    """
    _run(_UV, "pip", "uninstall", "--quiet", "--python", python, "facelab")
    before = frozen(python)
    with workplace(PLACE) as place:
        folder = place / "alone"
        folder.mkdir()
        _describe_kernel(python, place)
        (_compare if full else _go_through)(notebook, folder)
    if changed := changes(before, frozen(python)):
        raise command.FailedError(f"{notebook.name}: the installation left Colab {', '.join(changed)}")


def _describe_kernel(python: Path, place: Path) -> None:
    """Let Jupyter start the environment's kernel under the name of colab, with what Colab sets."""
    environment = {
        "FACELAB_SOURCE": f"git+{(PLACE / 'repository').as_uri()}",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # its debugger would warn
        "PYTHONPATH": "",
        "VIRTUAL_ENV": str(python.parents[1]),
        "XDG_CACHE_HOME": str(place / "cache"),  # the faces are unpacked anew
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
    }
    start = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
    spec = {"argv": start, "display_name": "Colab", "language": "python", "env": environment}
    folder = PLACE / "jupyter" / "kernels" / "colab"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _go_through(notebook: Path, folder: Path) -> None:
    ran = folder.parent / notebook.name
    try:
        papermill.execute_notebook(
            notebook,
            ran,
            {"quick": True},
            kernel_name="colab",
            resources={"metadata": {"path": folder}},
            progress_bar=False,
            execution_timeout=CELL_TIMEOUT_SECONDS,
        )
    except PapermillExecutionError as error:
        raise command.FailedError(f"{notebook.name}, cell In [{error.exec_count}]: {error}") from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise command.FailedError(f"{notebook.name}: {error}") from error
    cells = nbformat.read(ran, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    if red := [output.text for output in outputs if output.get("name") == "stderr"]:
        raise command.FailedError(f"{notebook.name} writes to the standard error: {red[0]}")


def _compare(notebook: Path, folder: Path) -> None:
    shutil.copy2(notebook, folder)
    sanitise = CONSTRAINTS.with_name("sanitise.cfg")
    options = ["-q", "-c", os.devnull, "--rootdir", folder, "-p", "no:cacheprovider", "--nbval"]
    options += ["--nbval-kernel-name", "colab", "--nbval-sanitize-with", sanitise]
    options += ["--nbval-cell-timeout", CELL_TIMEOUT_SECONDS, folder / notebook.name]
    words = [sys.executable, "-m", "pytest", *map(str, options)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise command.FailedError(f"{notebook.name} prints something else than is committed:\n{done.stdout}")


def kept(
    known: Mapping[str, Any] | None, freeze: Freeze, found: Mapping[str, Any], repository: Path
) -> dict[str, str]:
    """List the lessons of a record that would run now as they did then.

    Parameters
    ----------
    known : mapping, optional
        The record as it is.
    freeze : Freeze
        Colab's versions.
    found : mapping
        The ``commit`` of the course, the ``python`` and the ``versions`` that are in the environment.
    repository : Path
        A clone that has both commits. Only a lesson's own notebook and the package are compared: the record
        itself is committed, too.

    Returns
    -------
    dict
        The lessons by the stems of their files; ``quick`` or ``default``, how each has run. Empty where the
        record is about other versions, another package, or a commit that the clone lacks.
    """
    with_these = {"colab": _named(freeze), "python": found["python"], "versions": found["versions"]}
    if known is None or any(known.get(key) != value for key, value in with_these.items()):
        return {}
    words = ["git", "-C", str(repository), "diff", "--no-renames", "--name-only"]
    words += [known["commit"], found["commit"], "--", "src", "pyproject.toml", "notebooks"]
    done = subprocess.run(words, capture_output=True, text=True)
    changed = done.stdout.splitlines()
    if done.returncode or not all(name.startswith("notebooks/") for name in changed):
        return {}
    return {
        lesson: run for lesson, run in known["lessons"].items() if f"notebooks/{lesson}.ipynb" not in changed
    }


def record(freeze: Freeze, found: Mapping[str, Any], lessons: Mapping[str, str]) -> dict[str, Any]:
    """Write down which lessons have passed, with what, and on which day the last of them."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": today, "colab": _named(freeze), **found, "lessons": dict(sorted(lessons.items()))}


def _named(freeze: Freeze) -> dict[str, str]:
    return {"commit": freeze.commit, "date": freeze.date}


def _run(*words: str | Path) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        raise command.FailedError(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(names: Sequence[str], full: bool) -> None:
    """Run lessons, as they are committed, one after the other; record each as soon as it has passed.

    Parameters
    ----------
    names : sequence of str
        File names of lessons; empty for all that have not passed in this way yet.
    full : bool
        Whether to run them with their default parameters and to compare what they print.

    Raises
    ------
    tools.command.FailedError
        After the last lesson, if any has failed.
    """
    freeze, repository = read(), PLACE / "repository"
    shutil.rmtree(repository, ignore_errors=True)
    _run("git", "clone", "--quiet", REPOSITORY, repository)
    python = make_environment(freeze)
    os.environ["JUPYTER_PATH"] = str(PLACE / "jupyter")
    installed = pins("\n".join(frozen(python)), freeze.versions)
    found = {
        "commit": _run("git", "-C", repository, "rev-parse", "HEAD").strip(),
        "python": _run(python, "-c", "import platform; print(platform.python_version())").strip(),
        "versions": dict(sorted(installed.items())),
    }
    print(
        f"Python {found['python']}, {', '.join(f'{name} {version}' for name, version in installed.items())}"
    )
    try:
        known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else None
    except ValueError as error:
        raise ValueError(f"{RECORD} cannot be read ({error}): remove it, and all lessons are run") from error
    passed = kept(known, freeze, found, repository)
    failures = []
    for name in names or [path.name for path in chapters()]:
        notebook = repository / "notebooks" / name
        before = passed.get(notebook.stem)
        if not names and (before == "default" or (before and not full)):
            print(f"{name}: has passed before")
            continue
        try:
            if not notebook.exists():
                raise command.FailedError(f"{name} is not committed")
            run_alone(notebook, python, full)
            passed[notebook.stem] = "default" if full or before == "default" else "quick"
        except command.FailedError as failure:
            failures.append(str(failure))
            passed.pop(notebook.stem, None)  # what passed before does not stand beside a failure
        print(f"{name}: {'passed' if notebook.stem in passed else 'failed'}", flush=True)
        with written_whole(RECORD) as aside:
            aside.write_text(json.dumps(record(freeze, found, passed), indent=2) + "\n", encoding="utf-8")
    if failures:
        raise command.FailedError("\nerror: ".join(failures))


@command.ends_with_status("goes on with the lessons that have not passed yet")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.colab", description=__doc__.split("\n")[0])
    parser.add_argument(
        "notebooks", nargs="*", type=Path, help="lessons (default: all that have not passed yet)"
    )
    parser.add_argument("--full", action="store_true", help="with their default parameters, under nbval")
    parser.add_argument("--refresh", action="store_true", help="only fetch which versions Colab has today")
    chosen = parser.parse_args(arguments)
    if chosen.refresh:
        freeze = refresh()
        print(f"{len(freeze.versions)} versions of {freeze.date}, commit {freeze.commit}")
        return
    with alone(PLACE, "another run of this tool is at work"):
        check([notebook.name for notebook in chosen.notebooks], chosen.full)


if __name__ == "__main__":
    sys.exit(main())

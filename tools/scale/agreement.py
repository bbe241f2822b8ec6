"""What must be the same on every machine before their results may stand in one record.

A task is a lesson's run: its numbers depend on the package, the tools that run it, the lesson, the versions
that are installed, and the data. Each is reduced to a fingerprint, here and on each worker, and those are
compared.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import facelab
from facelab import seals
from tools import fingerprint
from tools.paths import REPOSITORY

MISSING = "not there"
TOKEN = ".shared"
"""A file of the shared folder, with a word of one command: who does not read that word does not share it."""

_INSTALLED = ("tensorflow", "keras", "numpy", "pandas", "scipy", "scikit-learn", "pillow")


def fingerprints(notebooks: Sequence[str], data_dirs: Sequence[str], into: str) -> dict[str, str]:
    """Take the fingerprint of everything that the tasks' numbers depend on, on the machine that this runs on.

    Parameters
    ----------
    notebooks : sequence of str
        The lessons' notebooks, as :func:`portable` writes them.
    data_dirs : sequence of str
        Data sets in the benchmark's layout; the embedded faces are part of the package.
    into : str
        The shared folder.

    Returns
    -------
    dict of str
        A fingerprint, or a version, or ``"not there"``, by the words that an error names it with.
    """
    package = Path(facelab.__file__).parent  # what a lesson imports, which need not be this repository's
    found = {
        "the package facelab": fingerprint.of_contents(fingerprint.files_below(package), package),
        "the folder tools": fingerprint.of_contents(fingerprint.files_below(REPOSITORY / "tools")),
        "requirements.lock": _of_file(REPOSITORY / "requirements.lock"),
        "Python": ".".join(map(str, sys.version_info[:2])),
    }
    found |= {f"the installed {name}": _version(name) for name in _INSTALLED}
    found |= {f"the lesson {name}": _of_file(located(name)) for name in notebooks}
    # With the files' times: by them tools.execute tells whether a task is done.
    found |= {f"the data set {folder}": of_data(Path(folder), times=True) for folder in data_dirs}
    found[f"the shared folder {into}"] = _of_file(Path(into) / TOKEN)
    return found


def differences(wanted: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Say in what a machine differs from the one that gives out the tasks; nothing if it agrees.

    Parameters
    ----------
    wanted, here : mapping
        From :func:`fingerprints`, there and here.

    Returns
    -------
    list of str
        One text each, such as ``"requirements.lock (another content)"``.
    """
    return [
        f"{name} ({_difference(value, here.get(name, MISSING))})"
        for name, value in wanted.items()
        if here.get(name, MISSING) != value
    ]


def of_data(folder: Path, *, times: bool = False) -> str:
    """Digest a data set by its annotations' content and by the name and the size of every file.

    With `times` also by the times, which a copy may have or not. Photographs are not read: there may be
    gigabytes of them.
    """
    if not folder.is_dir():
        return MISSING
    digest = hashlib.sha256(fingerprint.of_folder(folder, times=times).encode())
    for path in sorted([*folder.glob("*.txt"), *folder.glob("*.csv")]):
        digest.update(_of_file(path).encode())
    return digest.hexdigest()


def portable(notebook: Path) -> str:
    """Name a notebook so that another machine finds its own, wherever the repository lies there."""
    if notebook.is_relative_to(REPOSITORY):
        return notebook.relative_to(REPOSITORY).as_posix()
    return str(notebook)


def located(name: str) -> Path:
    """Find the notebook that :func:`portable` named."""
    return REPOSITORY / name


def _of_file(path: Path) -> str:
    return seals.sha256(path) if path.is_file() else MISSING


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return MISSING


def _difference(wanted: str, here: str) -> str:
    if MISSING in (wanted, here) or len(wanted) < 64:
        return f"{here} instead of {wanted if len(wanted) < 64 else 'what is here'}"
    return "another content"

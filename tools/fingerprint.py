"""One digest of all that a result depends on: work is done again only when something changed."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

from tools.paths import REPOSITORY


def files_below(*places: Path) -> list[Path]:
    """Every file in the places (files or folders), in a fixed order, without byte code and dot files."""
    found: set[Path] = set()
    for place in places:
        candidates = place.rglob("*") if place.is_dir() else [place]
        found.update(path for path in candidates if path.is_file() and not _is_noise(path, place))
    return sorted(found)


def imported_by(*modules: str) -> list[Path]:
    """List the files of modules below ``src``, and of all modules there that they import, in a fixed order.

    Raises
    ------
    ModuleNotFoundError
        If one of the modules is not below ``src``.
    """
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if (path := _source(name)) is None:
            raise ModuleNotFoundError(f"there is no module {name} below src")
        if path not in found:
            found.add(path)
            waiting += [named for named in _imports(path) if _source(named) is not None]
    return sorted(found)


def of_contents(paths: Iterable[Path]) -> str:
    """Digest of the files' names and bytes."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(REPOSITORY).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def of_folder(folder: Path) -> str:
    """Digest of a data folder by name, size and time of every file: it may hold gigabytes of photographs."""
    digest = hashlib.sha256()
    for path in files_below(folder):
        status = path.stat()
        digest.update(
            f"{path.relative_to(folder).as_posix()}\0{status.st_size}\0{status.st_mtime_ns}\0".encode()
        )
    return digest.hexdigest()


def _source(module: str) -> Path | None:
    """Return the file of a module below ``src``, or None where there is none."""
    path = REPOSITORY.joinpath("src", *module.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _imports(path: Path) -> list[str]:
    """List every dotted name that a file may import as a module: ``from a import b`` may mean a or a.b."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _is_noise(path: Path, place: Path) -> bool:
    parts = path.relative_to(place).parts
    return any(part == "__pycache__" or part.startswith(".") for part in parts)

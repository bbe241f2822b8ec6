"""One digest of all that a result depends on: work is done again only when something changed."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
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


def of_contents(paths: Iterable[Path], root: Path = REPOSITORY) -> str:
    """Digest of the files' bytes and of their names, from a folder on."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def of_folder(folder: Path, *, times: bool = True) -> str:
    """Digest of a data folder by name, size and time of every file: it may hold gigabytes of photographs.

    Without `times`, a copy has the digest of its original.

    Links are followed, since photographs often lie elsewhere. A folder that is met again, through a second
    link or one to a folder above, is not read again: its first name stands for what is in it.

    Raises
    ------
    ValueError
        If a folder or a file cannot be looked at; the message names it.
    """
    digest = hashlib.sha256()
    try:
        for name, status in _entries(folder, "", {}, times):
            digest.update(f"{name}\0{status}\0".encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise ValueError(
            f"{folder}: whether it has changed cannot be told, because {error.filename} cannot be read "
            f"({error.strerror}). Give yourself the right to read it, or move it elsewhere"
        ) from error
    return digest.hexdigest()


def _entries(
    place: Path, name: str, met: dict[tuple[int, int], str], times: bool
) -> Iterator[tuple[str, str]]:
    """Yield the name and the state of every file at a place, or below it if it is a folder."""
    status = place.stat()
    if not place.is_dir():
        yield name, f"{status.st_size} {status.st_mtime_ns}" if times else str(status.st_size)
        return
    identity = (status.st_dev, status.st_ino)
    if identity in met:
        yield name, f"as {met[identity]}"
        return
    met[identity] = name
    for inside in sorted(place.iterdir()):
        if not _is_noise(inside, place) and inside.exists():  # a link may lead nowhere
            yield from _entries(inside, f"{name}/{inside.name}", met, times)


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

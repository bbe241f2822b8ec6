"""One digest of all that a result depends on: work is done again only when something changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tools.places import REPOSITORY


def files_below(*places: Path) -> list[Path]:
    """Every file in the places (files or folders), in a fixed order, without byte code and dot files."""
    found: set[Path] = set()
    for place in places:
        candidates = place.rglob("*") if place.is_dir() else [place]
        found.update(path for path in candidates if path.is_file() and not _is_noise(path, place))
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


def _is_noise(path: Path, place: Path) -> bool:
    parts = path.relative_to(place).parts
    return any(part == "__pycache__" or part.startswith(".") for part in parts)

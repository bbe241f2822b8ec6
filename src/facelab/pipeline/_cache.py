"""Photographs read and resized once, and kept: in memory, or in a file."""

import hashlib
import os
from pathlib import Path
from typing import Literal

import numpy as np

from facelab.files import written_whole
from facelab.pipeline._reading import PixelContract, read_chunks, unreadable_error


def read_once(
    paths: list[str], contract: PixelContract, cache: Literal["memory"] | os.PathLike[str]
) -> np.ndarray:
    """Read all photographs, uint8, a row each: into memory, or into a file that is mapped into it."""
    shape = (len(paths), contract.side, contract.side, contract.channels)
    if cache == "memory":
        pixels = np.empty(shape, np.uint8)
        _fill(pixels, paths, contract)
        return pixels
    file = Path(cache) / f"{_fingerprint(paths, contract)}.npy"
    if not file.exists():
        with written_whole(file) as aside:
            pixels = np.lib.format.open_memmap(aside, "w+", np.uint8, shape)
            _fill(pixels, paths, contract)
            pixels.flush()
            del pixels
    return np.load(file, mmap_mode="r")


def _fill(pixels: np.ndarray, paths: list[str], contract: PixelContract) -> None:
    """Read photographs into the rows of an array."""
    start = 0
    for chunk in read_chunks(paths, contract):
        pixels[start : start + len(chunk)] = chunk
        start += len(chunk)


def _fingerprint(paths: list[str], contract: PixelContract) -> str:
    """Name a cache by all that its pixels depend on."""
    facts = [repr(contract)]
    for path in paths:
        try:
            stat = os.stat(path)  # noqa: PTH116  (pathlib takes several times as long)
        except OSError as error:
            raise unreadable_error(path, error.strerror or "it cannot be found") from error
        facts.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]

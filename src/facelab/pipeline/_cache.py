"""Photographs read and resized once, and kept: in memory, or in a file."""

import hashlib
import io
import math
import os
from pathlib import Path
from typing import Final, Literal

import numpy as np

from facelab.adience import DataSetError
from facelab.files import is_full, remove_leftovers
from facelab.pipeline._reading import PixelContract, read_chunks, unreadable_error
from facelab.pipeline._writing import Rows, tidy, write_once

_READING: Final = 2
"""Raised whenever the same photograph gives other pixels than before, so that kept ones are made anew."""


def read_once(
    paths: list[str], contract: PixelContract, cache: Literal["memory"] | os.PathLike[str]
) -> np.ndarray:
    """Read all photographs, uint8, a row each: into memory, or into a file that is mapped into it."""
    side, channels = int(contract.side), int(contract.channels)
    shape = (len(paths), side, side, channels)
    if cache == "memory":
        return _read(paths, contract, shape)
    folder = Path(cache).expanduser()
    file = folder / f"{_fingerprint(paths, contract)}.npy"
    header = _header(shape)
    size = len(header) + math.prod(shape)
    if os.path.lexists(file):
        remove_leftovers(folder)
        tidy(file)
    else:
        _write(file, header, paths, contract, size)
    _refuse_damaged(file, header, size)
    return np.memmap(file, np.uint8, "r", len(header), shape)


def _read(paths: list[str], contract: PixelContract, shape: tuple[int, ...]) -> np.ndarray:
    """Read photographs into an array in memory."""
    pixels = np.empty(shape, np.uint8)
    start = 0
    for chunk in read_chunks(paths, contract):
        pixels[start : start + len(chunk)] = chunk
        start += len(chunk)
    return pixels


def _write(file: Path, header: bytes, paths: list[str], contract: PixelContract, size: int) -> None:
    """Write photographs into a NumPy file, as they are read."""
    row = (size - len(header)) // len(paths)
    rows = Rows(header, len(paths), row, lambda first: read_chunks(paths[first:], contract))
    try:
        write_once(file, rows)
    except OSError as error:
        if file.exists():
            return  # another process was quicker: its file is as good as ours
        remedy = "name another folder as cache, or leave cache out to keep the pixels in memory"
        if is_full(error):
            remedy = f"make room there (disk space or number of files), {remedy}"
        raise OSError(
            f"the pixels of {len(paths)} photographs cannot be kept in {file.parent} ({error}), which takes "
            f"{size} bytes: {remedy}"
        ) from error


def _refuse_damaged(file: Path, header: bytes, size: int) -> None:
    """Raise if a file is not the one that was written, as far as its size and its header tell.

    It is not made again without a word: a file that was cut tells of a failing disk, or of somebody else who
    writes in this folder, and then no other file there is to be trusted either.
    """
    try:
        with file.open("rb") as opened:
            start, there = opened.read(len(header)), os.fstat(opened.fileno()).st_size
    except OSError as error:
        raise DataSetError(
            f"the kept pixels {file} cannot be read ({error}): delete it, or name another folder as cache"
        ) from error
    if there != size or start != header:
        what = f"{there} bytes instead of {size}" if there != size else "the header of another array"
        raise DataSetError(
            f"the kept pixels {file} are damaged, with {what}: delete the file, and it is made again. Look "
            "after the disk if it was not you who changed it"
        )


def _header(shape: tuple[int, ...]) -> bytes:
    """Return what a NumPy file of uint8 begins with."""
    header = io.BytesIO()
    about = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False}
    np.lib.format.write_array_header_1_0(header, about | {"shape": shape})
    return header.getvalue()


def _fingerprint(paths: list[str], contract: PixelContract) -> str:
    """Name a cache by all that its pixels depend on."""
    facts = [f"reading {_READING}", repr(contract)]
    for path in paths:
        try:
            stat = os.stat(path)  # noqa: PTH116  (pathlib takes several times as long)
        except OSError as error:
            raise unreadable_error(path, error.strerror or "it cannot be found") from error
        facts.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]

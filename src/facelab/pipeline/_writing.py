"""A file of pixels that one process writes while others wait; after a kill the next one goes on.

While it is written, three hidden files with its name in theirs stand beside it: a lock, the part that is
written so far, and a log. The log says which process writes, and after every `SURE_EVERY` photographs how
many are on the disk for certain, with a checksum of all bytes up to there.
"""

import os
import platform
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from facelab.files import remove_leftovers, written_whole

SURE_EVERY: Final = 1024
"""After how many photographs the part is flushed to the disk and the log says so; a kill loses no more."""

PATIENCE: Final = (5.0, 60.0)
"""Seconds after which a waiting process first says for whom it waits, and after which it says so again."""

ABANDONED: Final = 7 * 86_400.0
"""Seconds after which a part that nobody went on with is removed."""

_HIDDEN: Final = ".reading-"


class Rows(NamedTuple):
    """What is to be written: a header, and `number` rows of `size` bytes, read from a row onwards."""

    header: bytes
    number: int
    size: int
    read: Callable[[int], Iterator[np.ndarray]]


class _Beside(NamedTuple):
    """The three files beside the one that is written."""

    lock: Path
    part: Path
    log: Path

    @classmethod
    def of(cls, file: Path) -> "_Beside":
        hidden = file.with_name(f"{_HIDDEN}{file.name}")
        return cls(hidden.with_suffix(".lock"), hidden, hidden.with_suffix(".log"))


def write_once(file: Path, rows: Rows) -> None:
    """Write a file, or wait for the process that writes it; in the end it is there, and whole.

    An error leaves nothing but the empty lock. A kill or an interruption leaves the part: the next process
    keeps as much of it as the checksums in the log confirm, and reads the rest. Where no lock can be taken
    each process writes a file of its own, and that of the last one to end stays.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(file.parent)
    _remove_abandoned(file.parent)
    beside = _Beside.of(file)
    lock = FileLock(beside.lock)
    try:
        _take_turn(lock, file, rows.number)
    except (OSError, NotImplementedError):
        _write_apart(file, rows)
        return
    try:
        if not os.path.lexists(file):  # or another process has written it in the meantime
            _go_on(file, rows)
    except Exception:
        _remove(beside.part)
        raise
    finally:
        if not beside.part.exists():
            _remove(beside.log)
        if os.path.lexists(file):
            # Without the file, a process that waits at this lock and one at a new lock would both write.
            _remove(beside.lock)
        lock.release()


def tidy(file: Path) -> None:
    """Remove what a process that was killed in its last step left beside a file that is whole."""
    for path in _Beside.of(file):
        _remove(path)


def _take_turn(lock: FileLock, file: Path, number: int) -> None:
    """Take the lock; while another process has it, wait, and say for whom."""
    patience, later = PATIENCE
    while True:
        try:
            lock.acquire(timeout=patience)
        except Timeout:
            who, done = _at_work(_Beside.of(file).log)
            print(
                f"{who} reads {number} photographs into {file.parent}, {done} so far: waiting for it. If it "
                f"does not run any more, delete {_Beside.of(file).lock}",
                file=sys.stderr,
                flush=True,
            )
            patience = later
        else:
            return


def _at_work(log: Path) -> tuple[str, int]:
    """Say which process writes, and how many photographs are certain."""
    who, done = "another process", 0
    with suppress(OSError, ValueError):
        for line in log.read_text(encoding="utf-8").splitlines():
            if line.startswith("process"):
                who = line
            else:
                done = int(line.split()[0])
    return who, done


def _go_on(file: Path, rows: Rows) -> None:
    """Write what is missing of the part, and put it in place.

    Through a map the file would be sparse, and a full disk would kill the process without an error.
    """
    _, part, log = _Beside.of(file)
    certain = _certain(part, log, rows)
    done, checksum = certain[-1] if certain else (0, 0)
    said = [f"process {os.getpid()} on {platform.node()}", *(f"{row} {value}" for row, value in certain)]
    with part.open("r+b" if done else "wb") as opened, log.open("w", encoding="utf-8") as record:
        record.write("".join(f"{line}\n" for line in said))
        _flush(record)
        opened.write(rows.header)
        opened.seek(done * rows.size, os.SEEK_CUR)
        opened.truncate()
        sure = done
        for chunk in rows.read(done) if done < rows.number else ():
            written = chunk.tobytes()
            opened.write(written)
            checksum = zlib.crc32(written, checksum)
            done += len(chunk)
            if done - sure >= SURE_EVERY or done == rows.number:
                _flush(opened)
                record.write(f"{done} {checksum}\n")
                _flush(record)
                sure = done
    part.replace(file)


def _certain(part: Path, log: Path, rows: Rows) -> list[tuple[int, int]]:
    """Return the log's entries that hold: numbers of photographs, with the checksum of all bytes so far."""
    certain: list[tuple[int, int]] = []
    done = checksum = 0
    with suppress(OSError, ValueError), part.open("rb") as opened:
        lines = log.read_text(encoding="utf-8").splitlines()
        if opened.read(len(rows.header)) != rows.header:
            return []
        for line in lines:
            if line.startswith("process"):
                continue
            row, expected = map(int, line.split())
            if not done < row <= rows.number:
                break
            written = opened.read((row - done) * rows.size)
            checksum = zlib.crc32(written, checksum)
            if len(written) != (row - done) * rows.size or checksum != expected:
                break
            done = row
            certain.append((done, checksum))
    return certain


def _write_apart(file: Path, rows: Rows) -> None:
    """Write the file where no lock keeps others away: apart from theirs, and from the start."""
    with written_whole(file) as aside, aside.open("wb") as opened:
        opened.write(rows.header)
        for chunk in rows.read(0):
            opened.write(chunk.tobytes())


def _remove_abandoned(folder: Path) -> None:
    """Remove parts that nobody went on with for long: their photographs have changed, or their table has."""
    for part in folder.glob(f"{_HIDDEN}*.npy"):
        with suppress(OSError, NotImplementedError):
            if time.time() - part.stat().st_mtime > ABANDONED:
                file = part.with_name(part.name.removeprefix(_HIDDEN))
                with FileLock(_Beside.of(file).lock, timeout=0):
                    tidy(file)


def _flush(opened: IO[Any]) -> None:
    """Make what was written outlast a power failure."""
    opened.flush()
    os.fsync(opened.fileno())


def _remove(path: Path) -> None:
    """Remove a file, if it is there and can be."""
    with suppress(OSError):
        path.unlink()

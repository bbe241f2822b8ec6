"""Files that are there wholly or not at all, and folders that one process works in at a time."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

__all__ = ["BusyError", "alone", "is_full", "remove_leftovers", "workplace", "written_whole"]

_HIDDEN: Final = ".partial-"
_INSIDE: Final = "here"
_FULL: Final = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows may lack the quota's


class BusyError(OSError):
    """Another process works in a folder; the message names the folder and the remedy."""


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a place to write a file in; put it where it belongs when the block ends without an error.

    Parameters
    ----------
    path : path-like
        Where the file belongs. Its folder is made if it is not there.

    Yields
    ------
    Path
        The same name in a :func:`workplace` beside it, for this block alone. Any number of processes may
        write one file at a time: each writes its own, and the last one to end is what stays.

    Raises
    ------
    OSError
        If the file cannot be put in place, or the block did not write one. What was there before stays.

    Notes
    -----
    A rename happens wholly or not at all; flushing to the disk comes first, so that a name never comes
    before its content. Lesson 3.5 does the same by hand. Used by tools.execute.
    """
    path = Path(path)
    with _naming(path), workplace(path.parent) as place:
        aside = place / path.name
        yield aside
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    with suppress(OSError):  # Windows and some network drives cannot flush a folder
        _flush_folder(path.parent)


@contextmanager
def workplace(beside: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder to make something in, that is gone when the block ends, however it ends.

    Parameters
    ----------
    beside : path-like
        The folder in which it is made, hidden, so that what is finished can be renamed into its place there.
        It is made if it is not there.

    Yields
    ------
    Path
        For this block alone.

    Notes
    -----
    Only a process that is killed outright leaves its ``.partial-…``. The next one to work beside it removes
    what was left: a lock, which the system gives back when a process dies, tells leftovers from the folders
    of those at work. On a drive without locks nothing is removed. Used by facelab.embedded.
    """
    beside = Path(beside)
    beside.mkdir(parents=True, exist_ok=True)
    remove_leftovers(beside)
    # Another process may look whether this is a leftover just as it goes. Then removing it fails here, and
    # that process removes it.
    made = tempfile.TemporaryDirectory(prefix=_HIDDEN, dir=beside, ignore_cleanup_errors=True)
    with made as hidden, _lock(Path(hidden) / "lock"):
        place = Path(hidden) / _INSIDE
        place.mkdir()
        yield place


@contextmanager
def alone(folder: str | os.PathLike[str], doing: str) -> Iterator[None]:
    """Let only one process at a time into a block that works in a folder.

    Parameters
    ----------
    folder : path-like
        Which is made if it is not there. A hidden file, ``.busy``, stays in it.
    doing : str
        What the block does, for the error of the others, such as "another training keeps its checkpoint".

    Yields
    ------
    None
        When this process is the one.

    Raises
    ------
    BusyError
        If another process is in such a block with the same folder.

    Notes
    -----
    The system gives the lock back when a process dies, however it dies. On a drive without locks everybody is
    let in. Used by facelab.training.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = _lock(folder / ".busy")
    except Timeout as error:
        raise BusyError(
            f"{doing} in {folder}: wait until it ends, or name another folder. If nothing is running, "
            f"delete {folder / '.busy'}"
        ) from error
    with lock:
        yield


def remove_leftovers(beside: str | os.PathLike[str]) -> None:
    """Remove the workplaces of processes that were killed: those whose lock nobody holds any more.

    Parameters
    ----------
    beside : path-like
        The folder in which they were made. Nothing happens if it is not there, or cannot be changed.

    Notes
    -----
    :func:`workplace` begins with it. Who finds finished work, and so needs no workplace, calls it. Used by
    facelab.embedded.
    """
    for hidden in Path(beside).glob(f"{_HIDDEN}*"):
        # The folder inside is made after the lock is held. So where it is missing, somebody may be about to
        # begin.
        if (hidden / _INSIDE).is_dir():
            lock = FileLock(hidden / "lock", timeout=0)
            with suppress(OSError, NotImplementedError), lock:
                shutil.rmtree(hidden, ignore_errors=True)


def is_full(error: OSError) -> bool:
    """Say whether an error means that there is no room left: disk space, number of files, or a quota of them.

    Parameters
    ----------
    error : OSError
        From writing.

    Returns
    -------
    bool
        Whether making room is a remedy.

    Notes
    -----
    Used by facelab.embedded.

    Examples
    --------
    >>> is_full(OSError(errno.ENOSPC, "No space left on device"))
    True
    """
    return error.errno in _FULL


def _lock(file: Path) -> ExitStack:
    """Take a lock, or raise Timeout at once; returns what gives it back. A drive without locks gives none."""
    lock = FileLock(file, timeout=0)
    held = ExitStack()
    try:
        lock.acquire()
    except Timeout:
        raise
    except (OSError, NotImplementedError):
        return held
    held.callback(lock.release)
    return held


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an error of the system name the file: a write to a full disk knows only the number of the error."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power failure."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

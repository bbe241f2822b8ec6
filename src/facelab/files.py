"""Files that are there wholly or not at all, whenever a process is killed or the power fails."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["written_whole"]


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
        The same name in a hidden folder beside it, for this block alone. Any number of processes may write
        one file at a time: each writes its own, and the last one to end is what stays.

    Raises
    ------
    OSError
        If the file cannot be put in place, or the block did not write one. What was there before stays.

    Notes
    -----
    A rename happens wholly or not at all; flushing to the disk comes first, so that a name never comes
    before its content. Only a process that is killed outright leaves its hidden folder, ``.partial-…``,
    behind; delete it. Lesson 3 does the same by hand. Used by tools.execute.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as hidden:
        aside = Path(hidden) / path.name
        yield aside
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    with suppress(OSError):  # Windows and some network drives cannot flush a folder
        _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power failure."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

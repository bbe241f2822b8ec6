"""The embedded faces: rendered photographs of people who do not exist, which come with the package.

They are packed in two archives beside this file. Each is checked against its recorded SHA-256 and unpacked on
first use, into the user's cache folder, and from then on simply there. The environment variable
``FACELAB_CACHE`` names another folder for the cache.
"""

import errno
import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypedDict

import pandas as pd
import platformdirs

from facelab.files import workplace

__all__ = [
    "ARCHIVES",
    "ArchiveError",
    "checksum",
    "counterfactual_dir",
    "data_dir",
    "read_factors",
    "read_sweeps",
    "shipped_file",
]

ARCHIVES = Path(__file__).parent / "data"
"""Where the archives and their record, ``archives.json``, lie."""


class ArchiveError(RuntimeError):
    """An archive is missing or damaged, or cannot be unpacked; the message names it and the remedy."""


class _Archive(TypedDict):
    """What ``archives.json`` records of an archive."""

    file: str
    sha256: str
    bytes: int
    files: int
    unpacked_bytes: int


def data_dir() -> Path:
    """Return the folder of the embedded faces, a data set for :func:`facelab.adience.read_folds`.

    Returns
    -------
    Path
        In the user's cache, named by the archive's checksum; unpacked if this is the first use.

    Raises
    ------
    ArchiveError
        If the archive is missing or damaged, or does not fit on the disk. Nothing is left half unpacked,
        whatever stops it, and any number of processes may ask at once.

    Notes
    -----
    Used in lesson 1.
    """
    return _unpacked("embedded_faces")


def counterfactual_dir() -> Path:
    """Return the folder of the counterfactual sweeps: one head rendered again with one cause changed.

    Returns
    -------
    Path
        As for :func:`data_dir`, whose errors it shares.

    Notes
    -----
    Used in lesson 7.
    """
    return _unpacked("counterfactual_faces")


def read_factors() -> pd.DataFrame:
    """Read the true causes of the embedded faces: what the renderer was told.

    Returns
    -------
    DataFrame
        One row a photograph. ``path`` is the key into the table of :func:`facelab.adience.read_folds`; the
        other columns are the causes, such as ``age_years`` and ``yaw_deg``. The datasheet explains each.

    Notes
    -----
    Used in lesson 3.
    """
    return _read_csv(data_dir() / "factors.csv")


def read_sweeps() -> pd.DataFrame:
    """Read the list of the counterfactual sweeps.

    Returns
    -------
    DataFrame
        One row a photograph: ``identity``, the ``factor`` that was changed, its ``value``, ``path`` relative
        to :func:`counterfactual_dir`, and the causes as in :func:`read_factors`.

    Notes
    -----
    Used in lesson 7.
    """
    return _read_csv(counterfactual_dir() / "sweeps.csv")


def checksum() -> str:
    """Return the SHA-256 of the embedded faces' archive, by which a record of results names them.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    ArchiveError
        If nothing is recorded of the archive.

    Notes
    -----
    Used by facelab.results.

    Examples
    --------
    >>> len(checksum())
    64
    """
    return _record("embedded_faces")["sha256"]


def shipped_file(record: Mapping[str, Any]) -> Path:
    """Return the path of a file that comes with the package, once it is the one that was recorded.

    Parameters
    ----------
    record : mapping
        With ``file``, ``bytes`` and ``sha256``.

    Returns
    -------
    Path
        In ``ARCHIVES``.

    Raises
    ------
    ArchiveError
        If the file is missing, or its size or its SHA-256 is another.

    Notes
    -----
    Used by facelab.transfer.
    """
    path = ARCHIVES / record["file"]
    if not path.is_file():
        raise ArchiveError(f"{path} is missing: install facelab again")
    if (size := path.stat().st_size) != record["bytes"]:
        raise ArchiveError(f"{path} has {size} bytes instead of {record['bytes']}: install facelab again")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != record["sha256"]:
        raise ArchiveError(f"{path} has SHA-256 {found} instead of {record['sha256']}: install facelab again")
    return path


def _cache_dir() -> Path:
    """Return the folder in which archives are unpacked: ``$FACELAB_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("FACELAB_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("facelab", appauthor=False)


def _unpacked(name: str) -> Path:
    """Return the folder of an unpacked archive. It appears by a rename, so if it is there it is complete."""
    archive = _record(name)
    folder = _cache_dir() / f"{name}-{archive['sha256'][:16]}"
    if not folder.is_dir():
        try:
            _unpack(archive, folder)
        except zipfile.BadZipFile as error:
            raise ArchiveError(
                f"{archive['file']} is no whole zip archive ({error}): install facelab again"
            ) from error
        except OSError as error:
            raise ArchiveError(_remedy(error, archive, folder.parent)) from error
    return folder


def _unpack(archive: _Archive, folder: Path) -> None:
    """Unpack into a folder of another name, and rename it when all is there."""
    packed = shipped_file(archive)
    with workplace(folder.parent) as aside, zipfile.ZipFile(packed) as opened:
        _refuse_strange_members(opened.infolist(), archive)
        unpacked = aside / "unpacked"
        opened.extractall(unpacked)
        try:
            unpacked.rename(folder)
        except OSError:
            # Another process was quicker: its folder is as good as ours.
            if not folder.is_dir():
                raise


def _record(name: str) -> _Archive:
    """Read what is recorded of an archive."""
    record = ARCHIVES / "archives.json"
    try:
        archive: _Archive = json.loads(record.read_text(encoding="utf-8"))[name]
    except (OSError, ValueError, KeyError) as error:
        raise ArchiveError(f"{record} has no record of {name}: install facelab again") from error
    return archive


def _refuse_strange_members(members: list[zipfile.ZipInfo], archive: _Archive) -> None:
    """Raise if the archive holds anything but the recorded number and size of files inside its own folder."""
    for member in members:
        path = PurePosixPath(member.filename)
        link = (member.external_attr >> 16) & 0o170000 == 0o120000
        if (
            path.is_absolute()
            or ".." in path.parts
            or "\\" in member.filename
            or ":" in member.filename
            or link
        ):
            raise ArchiveError(f"{archive['file']} holds {member.filename!r}, which would leave its folder")
    files = sum(not member.is_dir() for member in members)
    size = sum(member.file_size for member in members)
    if (files, size) != (archive["files"], archive["unpacked_bytes"]):
        raise ArchiveError(
            f"{archive['file']} would unpack to {files} files of {size} bytes, not to the recorded "
            f"{archive['files']} of {archive['unpacked_bytes']}: install facelab again"
        )


def _remedy(error: OSError, archive: _Archive, cache: Path) -> str:
    """Say what to do when the file system refuses."""
    if error.errno == errno.ENOSPC or error.errno == getattr(errno, "EDQUOT", None):
        return (
            f"no room left in {cache}: unpacking {archive['file']} needs {archive['unpacked_bytes']} bytes. "
            "Make room, or set the environment variable FACELAB_CACHE to a folder on another disk"
        )
    return (
        f"cannot unpack {archive['file']} into {cache}: {error}. "
        "Set the environment variable FACELAB_CACHE to a folder that you may write to"
    )


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a table in which only an empty field is missing: ``None`` is a hair style."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])

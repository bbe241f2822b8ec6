"""The embedded faces: rendered photographs of people who do not exist, which come with the package.

They are packed in two archives beside this file. Each is checked against its recorded SHA-256 and unpacked on
first use, into the user's cache folder. From then on each use compares the names and the sizes of the
unpacked files, and the content of the tables, with the archive's own list. That finds a file that a cleaner
removed, a disk cut or an editor changed. It does not find a byte changed inside a photograph: that would take
reading them all. The environment variable ``FACELAB_CACHE`` names another folder for the cache.
"""

import os
import shutil
import time
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

import numpy as np
import pandas as pd
import platformdirs
from pydantic import ConfigDict, Field, TypeAdapter, with_config

from facelab.files import is_full, remove_leftovers, workplace
from facelab.seals import sha256

__all__ = [
    "ARCHIVES",
    "ArchiveError",
    "ShippedFile",
    "checksum",
    "counterfactual_dir",
    "data_dir",
    "is_data_dir",
    "read_factors",
    "read_sweeps",
    "shipped_file",
    "true_ages",
]

ARCHIVES = Path(__file__).parent / "data"
"""Where the archives and their record, ``archives.json``, lie."""


class ArchiveError(RuntimeError):
    """An archive or what was unpacked from it is missing or damaged; the message names it and the remedy."""


_Count = Annotated[int, Field(ge=0)]


@with_config(ConfigDict(strict=True))
@dataclass(frozen=True)
class ShippedFile:
    """What is recorded of a file that comes with the package.

    Parameters
    ----------
    file : str
        Its name in ``ARCHIVES``.
    sha256 : str
        64 hexadecimal digits.
    bytes : int
        Its size.

    Notes
    -----
    Used by facelab.transfer.
    """

    file: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: _Count


@dataclass(frozen=True)
class _Archive(ShippedFile):
    """What ``archives.json`` records of an archive."""

    files: _Count
    unpacked_bytes: _Count


_RECORDS: Final = TypeAdapter(dict[str, _Archive])
_DAY: Final = 24 * 60 * 60


def data_dir() -> Path:
    """Return the folder of the embedded faces, a data set for :func:`facelab.adience.read_folds`.

    Returns
    -------
    Path
        In the user's cache, named by the archive's checksum; unpacked if this is the first use.

    Raises
    ------
    ArchiveError
        If the archive is missing or damaged, or does not fit on the disk; or if files of the folder are
        missing or have another size than when they were unpacked. They are not put back without a word: you
        may have changed them yourself.

    Notes
    -----
    Nothing is left half unpacked, whatever stops it, and any number of processes may ask at once. Looking
    through the 10,002 files takes less than a tenth of a second: ask once, not for each photograph. Used in
    lesson 1.1.
    """
    return _unpacked("embedded_faces")


def is_data_dir(folder: Path) -> bool:
    """Say whether a folder is that of the embedded faces, without unpacking them or looking through them.

    Parameters
    ----------
    folder : Path
        Any data set's.

    Returns
    -------
    bool
        No folder is, where nothing can be unpacked.

    Notes
    -----
    So what is wrong with the embedded faces troubles nobody who works on others. Used by facelab.results.
    """
    try:
        return folder.resolve() == _folder("embedded_faces", _record("embedded_faces")).resolve()
    except ArchiveError:
        return False


def counterfactual_dir() -> Path:
    """Return the folder of the counterfactual sweeps: one head rendered again with one cause changed.

    Returns
    -------
    Path
        As for :func:`data_dir`, whose errors it shares.

    Notes
    -----
    Used in lesson 7.2.
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
    Used in lesson 3.4.
    """
    return _read_csv(data_dir() / "factors.csv")


def true_ages(table: pd.DataFrame, folder: Path) -> np.ndarray:
    """Return the true age of each photograph of a table, as the renderer was told it.

    Parameters
    ----------
    table : DataFrame
        With the column ``path``; n rows.
    folder : Path
        Of rendered faces: :func:`data_dir`, or another one with a ``factors.csv``.

    Returns
    -------
    float array, shape (n,)
        In years, in the table's order. Apparent age, which the labels name, may be another.

    Raises
    ------
    ValueError
        If the folder has no ``factors.csv``, as no data set of real photographs has, or it lacks the age of a
        photograph.

    Notes
    -----
    Used in lesson 4.1.
    """
    factors = folder / "factors.csv"
    if not factors.is_file():
        raise ValueError(
            f"{folder} has no factors.csv, so nobody knows the ages in years: take years_outside of "
            "facelab.evaluation, which needs groups only"
        )
    ages = table["path"].map(_read_csv(factors).set_index("path")["age_years"])
    if missing := int(ages.isna().sum()):
        raise ValueError(f"{factors} lacks the ages of {missing} of {len(table)} photographs of the table")
    return ages.to_numpy("float64")


def read_sweeps() -> pd.DataFrame:
    """Read the list of the counterfactual sweeps.

    Returns
    -------
    DataFrame
        One row a photograph: ``identity``, the ``factor`` that was changed, its ``value``, ``path`` relative
        to :func:`counterfactual_dir`, and the causes as in :func:`read_factors`.

    Notes
    -----
    Used in lesson 7.2.
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
    return _record("embedded_faces").sha256


def shipped_file(record: ShippedFile) -> Path:
    """Return the path of a file that comes with the package, once it is the one that was recorded.

    Parameters
    ----------
    record : ShippedFile
        What the file must be.

    Returns
    -------
    Path
        In ``ARCHIVES``.

    Raises
    ------
    ArchiveError
        If the file is missing or cannot be read, or its size or its SHA-256 is another.

    Notes
    -----
    Used by facelab.transfer.
    """
    path = ARCHIVES / record.file
    if not path.is_file():
        raise ArchiveError(f"{path} is missing: install facelab again")
    if (size := path.stat().st_size) != record.bytes:
        raise ArchiveError(f"{path} has {size} bytes instead of {record.bytes}: install facelab again")
    try:
        found = sha256(path)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error}): install facelab again") from error
    if found != record.sha256:
        raise ArchiveError(f"{path} has SHA-256 {found} instead of {record.sha256}: install facelab again")
    return path


def _cache_dir() -> Path:
    """Return the folder in which archives are unpacked: ``$FACELAB_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("FACELAB_CACHE")
    if not chosen:
        return platformdirs.user_cache_path("facelab", appauthor=False)
    try:
        return Path(chosen).expanduser()
    except RuntimeError as error:
        raise ArchiveError(
            f"the environment variable FACELAB_CACHE is {chosen} ({error}): set it to a folder's full path"
        ) from error


def _folder(name: str, archive: _Archive) -> Path:
    """Return where an archive belongs when it is unpacked."""
    return _cache_dir() / f"{name}-{archive.sha256[:16]}"


def _unpacked(name: str) -> Path:
    """Return the folder of an unpacked archive, once all that belongs into it is there."""
    archive = _record(name)
    folder = _folder(name, archive)
    try:
        _remove_older_leftovers(folder.parent)
        if not folder.is_dir():
            _unpack(archive, folder)
        _refuse_damaged(folder, _sizes(folder), archive)
    except OSError as error:
        raise ArchiveError(_remedy(error, archive, folder)) from error
    return folder


def _unpack(archive: _Archive, folder: Path) -> None:
    """Unpack into a folder of another name, and rename it when all is there."""
    packed = shipped_file(archive)
    with workplace(folder.parent) as aside:
        unpacked = aside / "unpacked"
        try:
            with zipfile.ZipFile(packed) as opened:
                _refuse_strange_members(opened.infolist(), archive)
                opened.extractall(unpacked)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
            raise ArchiveError(
                f"{archive.file} is no whole zip archive ({error}): install facelab again"
            ) from error
        try:
            unpacked.rename(folder)
        except OSError:
            # Another process was quicker: its folder is as good as ours.
            if not folder.is_dir():
                raise


def _remove_older_leftovers(cache: Path) -> None:
    """Remove what processes left that were killed while they unpacked.

    Earlier versions of this module unpacked into folders of these names, without a lock that would tell those
    at work; nobody unpacks for a day.
    """
    remove_leftovers(cache)
    for name in ("embedded_faces", "counterfactual_faces"):
        for left in cache.glob(f".{name}-*"):
            with suppress(OSError):
                if left.stat().st_mtime < time.time() - _DAY:
                    shutil.rmtree(left)


def _sizes(folder: Path) -> dict[str, int]:
    """Return the size of each file below a folder, by its relative path with forward slashes."""
    found = {}
    places = [""]
    while places:
        place = places.pop()
        with os.scandir(folder / place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    places.append(f"{place}{entry.name}/")
                else:
                    with suppress(FileNotFoundError):  # a link to nothing
                        found[place + entry.name] = entry.stat().st_size
    return found


def _refuse_damaged(folder: Path, there: dict[str, int], archive: _Archive) -> None:
    """Raise if a file of an archive is not there as it was unpacked; a reader's own files are no damage."""
    wanted = _members(ARCHIVES / archive.file, archive)
    found = ((name, _harm(folder / name, there.get(name), *member)) for name, member in wanted.items())
    harms = [f"{name} {harm}" for name, harm in found if harm]
    if not wanted and (len(there) < archive.files or sum(there.values()) < archive.unpacked_bytes):
        harms = [f"{len(there)} files of {sum(there.values())} bytes are there, not all {archive.files}"]
    if harms:
        what = f"{harms[0]} (one of {len(harms)} such files)" if harms[1:] else harms[0]
        own = sorted(there.keys() - wanted.keys()) if wanted else []
        keep = f". Move your own files out of it first, such as {own[0]}" if own else ""
        raise ArchiveError(
            f"{folder} is damaged: {what}. Delete the folder {folder}, and it is unpacked again{keep}"
        )


def _harm(file: Path, size: int | None, wanted: int, crc: int) -> str | None:
    """Say what happened to a file; of the few tables, which a power failure may leave full of zeros, all."""
    if size is None and file.is_file():  # somewhere else, in a folder that is linked
        size = file.stat().st_size
    if size is None:
        return "is missing"
    if size != wanted:
        return f"has {size} bytes instead of {wanted}"
    if file.suffix != ".jpg" and zlib.crc32(file.read_bytes()) != crc:
        return "has another content"
    return None


@lru_cache(maxsize=4)
def _members(packed: Path, archive: _Archive) -> dict[str, tuple[int, int]]:
    """Return the size and CRC of each file of an archive, as its own list says; none if it is not whole.

    What was once unpacked can be used without the archive, compared with the recorded totals only.
    """
    try:
        if packed.stat().st_size == archive.bytes:
            with zipfile.ZipFile(packed) as opened:
                files = [member for member in opened.infolist() if not member.is_dir()]
            return {member.filename: (member.file_size, member.CRC) for member in files}
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        pass
    return {}


def _record(name: str) -> _Archive:
    """Read what is recorded of an archive."""
    record = ARCHIVES / "archives.json"
    try:
        return _RECORDS.validate_json(record.read_bytes())[name]
    except (OSError, ValueError, KeyError) as error:
        raise ArchiveError(f"{record} has no record of {name}: install facelab again") from error


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
            raise ArchiveError(f"{archive.file} holds {member.filename!r}, which would leave its folder")
        # The low bit is encryption. The package's archives are packed with nothing that some Python may lack.
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(
                f"{archive.file} holds {member.filename!r}, which is encrypted or compressed in an unknown "
                "way: install facelab again"
            )
    files = sum(not member.is_dir() for member in members)
    size = sum(member.file_size for member in members)
    if (files, size) != (archive.files, archive.unpacked_bytes):
        raise ArchiveError(
            f"{archive.file} would unpack to {files} files of {size} bytes, not to the recorded "
            f"{archive.files} of {archive.unpacked_bytes}: install facelab again"
        )


def _remedy(error: OSError, archive: _Archive, folder: Path) -> str:
    """Say what to do when the file system refuses."""
    cache = folder.parent
    if is_full(error):
        return (
            f"no room left in {cache} (disk space or number of files): unpacking {archive.file} needs "
            f"{archive.unpacked_bytes} bytes in {archive.files} files. Make room, or set the environment "
            "variable FACELAB_CACHE to a folder on another disk"
        )
    with suppress(OSError):
        if os.path.lexists(folder) and not folder.is_dir():
            return f"{folder} is in the way of the folder of {archive.file}: delete it, or rename it"
    return (
        f"cannot unpack {archive.file} into {cache}, or read it there: {error}. "
        "Set the environment variable FACELAB_CACHE to a folder that you may write to"
    )


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a table in which only an empty field is missing: ``None`` is a hair style."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])

"""Results that are believed only while they are what was sealed: files, and the digest of what made them.

That a file is there says little: it may be cut, empty, or changed by hand. A seal has the SHA-256 of each
file of a result, and is written last, in one step. Without one that can be read, the result is not done.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from facelab.files import written_whole

__all__ = ["Seal", "first_broken", "read", "sha256", "unbroken", "write"]


class Seal(BaseModel):
    """What is known of a finished result.

    Parameters
    ----------
    inputs : str
        The digest of all that the result depends on.
    seconds : float, optional
        How long it took to make, where that matters.
    files : dict of str
        The SHA-256 of each file, by its path relative to the seal's folder.

    Notes
    -----
    Used by facesim.studio.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    inputs: str
    seconds: float | None = None
    files: dict[str, str]


def write(path: Path, files: Iterable[Path], inputs: str, seconds: float | None = None) -> None:
    """Seal the files of a finished result.

    Parameters
    ----------
    path : Path
        Of the seal.
    files : iterable of Path
        They lie beside the seal or below its folder.
    inputs : str
        The digest of all that they depend on.
    seconds : float, optional
        How long it took to make them.

    Raises
    ------
    ValueError
        If a file lies elsewhere.
    OSError
        If a file is not there, or the seal cannot be written.

    Notes
    -----
    Used by tools.execute.
    """
    names = {file.relative_to(path.parent).as_posix(): sha256(file) for file in files}
    seal = Seal(inputs=inputs, seconds=seconds, files=names)
    with written_whole(path) as aside:
        aside.write_text(seal.model_dump_json(indent=1), encoding="utf-8")


def read(path: Path) -> Seal | None:
    """Read a seal, whatever has become of its files.

    Parameters
    ----------
    path : Path
        Of the seal.

    Returns
    -------
    Seal or None
        None if there is none, it cannot be read, or it speaks of files outside its folder.

    Notes
    -----
    Used by tools.execute.
    """
    try:
        seal = Seal.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    strange = any(PurePosixPath(name).is_absolute() or ".." in name.split("/") for name in seal.files)
    return None if strange else seal


def first_broken(seal: Seal, folder: Path) -> Path | None:
    """Find a file that is not what was sealed.

    Parameters
    ----------
    seal : Seal
        From :func:`read`.
    folder : Path
        In which the seal lies.

    Returns
    -------
    Path or None
        The first file that is not there, is no file, or has another content; None if all is well.

    Notes
    -----
    Used by facesim.studio.
    """
    for name, digest in seal.files.items():
        try:
            if sha256(folder / name) == digest:
                continue
        except OSError:
            pass
        return folder / name
    return None


def unbroken(path: Path) -> Seal | None:
    """Read a seal, if every file is what was sealed.

    Parameters
    ----------
    path : Path
        Of the seal.

    Returns
    -------
    Seal or None
        None also where :func:`read` gives none.

    Notes
    -----
    Used by tools.execute.
    """
    seal = read(path)
    return seal if seal is not None and first_broken(seal, path.parent) is None else None


def sha256(file: Path) -> str:
    """Digest a file's content.

    Parameters
    ----------
    file : Path
        Of any size: it is read piece by piece.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read.

    Notes
    -----
    Used by facesim.studio.
    """
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

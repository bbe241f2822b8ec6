"""Results that are believed only while they are what was sealed: files, and the digest of what made them.

That a file is there says little: it may be cut, empty, or changed by hand. A seal has the SHA-256 of each
file of a result, and is written last, in one step. Without one that can be read, the result is made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from facelab.files import written_whole


class Seal(BaseModel):
    """What is known of a finished result.

    Parameters
    ----------
    inputs : str
        The digest of all that the result depends on.
    seconds : float
        How long it took to make.
    files : dict of str
        The SHA-256 of each file, by its path relative to the seal's folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    inputs: str
    seconds: float
    files: dict[str, str]


def write(path: Path, files: Iterable[Path], inputs: str, seconds: float) -> None:
    """Seal files that lie beside the seal or below its folder."""
    names = {file.relative_to(path.parent).as_posix(): sha256(file) for file in files}
    seal = Seal(inputs=inputs, seconds=seconds, files=names)
    with written_whole(path) as aside:
        aside.write_text(seal.model_dump_json(indent=1), encoding="utf-8")


def read(path: Path) -> Seal | None:
    """Read a seal; None if there is none that can be read, or it names files elsewhere."""
    try:
        seal = Seal.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    strange = any(PurePosixPath(name).is_absolute() or ".." in name.split("/") for name in seal.files)
    return None if strange else seal


def unbroken(path: Path) -> Seal | None:
    """Read a seal, if every file is what was sealed; otherwise None."""
    seal = read(path)
    if seal is None:
        return None
    try:
        same = all(sha256(path.parent / name) == digest for name, digest in seal.files.items())
    except OSError:  # not there, or no file
        return None
    return seal if same else None


def sha256(file: Path) -> str:
    """Digest a file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

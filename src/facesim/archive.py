"""Pack the rendered sets as the archives that ``facelab`` ships, with their checksums."""

from __future__ import annotations

import json
import zipfile
from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from facelab.files import written_whole
from facelab.seals import sha256
from facesim.studio import StudioError, finished

ARCHIVES = ("embedded_faces", "counterfactual_faces")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever they are packed


def pack(folders: dict[str, Path], data: Path) -> None:
    """Write ``<name>.zip`` for each folder and ``archives.json`` into the package's data folder.

    All three are put in place when all are written. Between the three renames an interruption may leave an
    archive that is not the recorded one; ``facelab`` refuses it, and packing again mends it.

    Parameters
    ----------
    folders : the rendered folder of each of ``ARCHIVES``
    data : ``src/facelab/data``

    Raises
    ------
    StudioError
        If a folder's rendering is not complete, or a file of it is not as it was rendered, or a photograph
        cannot be decoded. Nothing is written then.
    """
    contents = {name: _members(folders[name]) for name in ARCHIVES}
    record = {}
    with ExitStack() as places:
        for name, members in contents.items():
            aside = places.enter_context(written_whole(data / f"{name}.zip"))
            with zipfile.ZipFile(aside, "w") as archive:
                for path in members:
                    info = zipfile.ZipInfo(path.relative_to(folders[name]).as_posix(), _EPOCH)
                    info.external_attr = 0o644 << 16
                    # JPEGs do not shrink; tables do.
                    info.compress_type = zipfile.ZIP_STORED if path.suffix == ".jpg" else zipfile.ZIP_DEFLATED
                    archive.writestr(info, path.read_bytes())
            record[name] = {
                "file": aside.name,
                "sha256": sha256(aside),
                "bytes": aside.stat().st_size,
                "files": len(members),
                "unpacked_bytes": sum(path.stat().st_size for path in members),
            }
        aside = places.enter_context(written_whole(data / "archives.json"))
        aside.write_text(json.dumps(record, indent=2) + "\n")


def _members(folder: Path) -> list[Path]:
    """Files of a finished set in a fixed order: what was sealed and nothing else, each photograph decoded."""
    members = finished(folder)
    photographs = sorted(path for path in members if path.suffix == ".jpg")
    for path in photographs:
        try:
            with Image.open(path) as image:
                image.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise StudioError(
                f"{path} is no photograph that can be read ({error}): delete it and go on with "
                "python -m facesim render"
            ) from error
    return sorted(path for path in members if path.suffix != ".jpg") + photographs

"""Pack the rendered sets as the archives that ``facelab`` ships, with their checksums."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

from facelab.files import written_whole

# Each archive, and the file of its folder that is written when all else is there.
ARCHIVES = {"embedded_faces": "fold_0_data.txt", "counterfactual_faces": "sweeps.csv"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever they are packed


def pack(folders: dict[str, Path], data: Path) -> None:
    """Write ``<name>.zip`` for each folder and ``archives.json`` into the package's data folder.

    Parameters
    ----------
    folders : the rendered folder of each of ``ARCHIVES``
    data : ``src/facelab/data``

    Raises
    ------
    FileNotFoundError
        If a folder's rendering is not complete. Nothing is written then.
    """
    contents = {name: _members(folders[name], last) for name, last in ARCHIVES.items()}
    record = {}
    for name, members in contents.items():
        target = data / f"{name}.zip"
        with written_whole(target) as aside, zipfile.ZipFile(aside, "w") as archive:
            for path in members:
                info = zipfile.ZipInfo(path.relative_to(folders[name]).as_posix(), _EPOCH)
                info.external_attr = 0o644 << 16
                # JPEGs do not shrink; tables do.
                info.compress_type = zipfile.ZIP_STORED if path.suffix == ".jpg" else zipfile.ZIP_DEFLATED
                archive.writestr(info, path.read_bytes())
        record[name] = {
            "file": target.name,
            "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
            "bytes": target.stat().st_size,
            "files": len(members),
            "unpacked_bytes": sum(path.stat().st_size for path in members),
        }
    with written_whole(data / "archives.json") as aside:
        aside.write_text(json.dumps(record, indent=2) + "\n")


def _members(folder: Path, last: str) -> list[Path]:
    """Files of a finished set, in a fixed order, without what a stopped run may have left."""
    if not (folder / last).is_file():
        raise FileNotFoundError(
            f"{folder} has no {last}: its rendering is not complete. Go on with python -m facesim render"
        )
    tables = sorted(path for path in folder.iterdir() if path.suffix in {".txt", ".csv"})
    return tables + sorted(path for path in folder.rglob("*.jpg") if not path.parent.name.startswith("."))

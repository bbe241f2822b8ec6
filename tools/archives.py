"""Archives that are there wholly or not at all, with the same bytes whenever they hold the same."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from facelab.files import written_whole

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP file can hold


def pack(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a ZIP file; returns its path.

    Parameters
    ----------
    path : Path
        What is there is replaced.
    files : mapping
        From names, with ``/`` between folders, to contents.
    """
    with written_whole(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            info.create_system = 3  # the same on Windows
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name])
    return path

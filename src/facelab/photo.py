"""Faces in a photograph: where they are, and where their eyes are.

The detector is MTCNN (Zhang et al., 2016, doi:10.1109/LSP.2016.2603342) as the package ``mtcnn`` has it. It
is an extra, ``pip install "facelab[photo]"``; without it mark the eyes by hand, as lesson 9.1 does, and give
them to :func:`facelab.crop.cut`.
"""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image

from facelab.crop import Eyes
from facelab.seals import sha256

__all__ = ["LONGEST", "SMALLEST", "DetectorError", "Face", "find_faces"]

LONGEST: Final = 1024
"""A larger photograph is searched at this many pixels of its longer side."""

SMALLEST: Final = 20
"""The smallest face that is searched for, in pixels of the photograph that is searched."""

_COLUMNS: Final = 16
"""Numbers in the detector's row of a face."""

_WEIGHTS: Final = {
    "pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
"""SHA-256 of the detector's weights, in the order of its stages.

They are pickles, which may run any code when they are read, so no other file is read.
"""


class DetectorError(RuntimeError):
    """The detector is not installed, or not the one that was measured; the message says what to do."""


class Face(NamedTuple):
    """A face that was found in a photograph.

    Parameters
    ----------
    box : tuple of four float
        Left, top, width and height of the rectangle around it, in the photograph's pixels.
    eyes : Eyes
        Where its eyes are, in the photograph's pixels.
    confidence : float
        What the detector's last network says, from 0 to 1; below 0.8 there is no face.

    Notes
    -----
    Used in lesson 9.1.
    """

    box: tuple[float, float, float, float]
    eyes: Eyes
    confidence: float


def find_faces(picture: Image.Image) -> list[Face]:
    """Find the faces of a photograph.

    Parameters
    ----------
    picture : Image
        A photograph of any size, upright.

    Returns
    -------
    list of Face
        The largest first; empty if there is none. Faces under ``SMALLEST`` pixels, in a photograph reduced to
        ``LONGEST`` pixels, are not found, and of those that lie on their side or upside down few: of 60
        rendered faces all but one upright, 55 turned by 45 degrees, 13 by 90 and 8 by 180.

    Raises
    ------
    DetectorError
        If the extra is not installed, or its weights are others than those that were measured.

    Notes
    -----
    The first call loads the detector, which takes seconds. Used in lesson 9.1.
    """
    scale = min(1.0, LONGEST / max(picture.size))
    width, height = (max(1, round(scale * pixels)) for pixels in picture.size)
    detector = _detector()
    if min(width, height) < SMALLEST:
        return []
    searched = picture.convert("RGB").resize((width, height), Image.Resampling.BOX)
    # As numbers with decimals; the package's own dictionaries have whole pixels.
    found = detector.detect_faces(np.asarray(searched), min_face_size=SMALLEST, output_type="numpy")
    larger = picture.size[0] / width, picture.size[1] / height
    faces = [_face(row, larger) for row in np.reshape(found, (-1, _COLUMNS))]
    return sorted(faces, key=lambda face: face.box[2] * face.box[3], reverse=True)


def _face(row: np.ndarray, larger: tuple[float, float]) -> Face:
    """Return a face from the detector's row: picture, box (4), confidence, five points' x, five points' y."""
    left, top, width, height = (float(value) for value in row[1:5] * np.tile(larger, 2))
    # The detector counts from 1, as the program did that it was trained with, and takes one off too many: a
    # point in the top left corner is (-1, -1).
    eyes = sorted((float(x), float(y)) for x, y in (row[[[6, 11], [7, 12]]] + 1) * larger)
    return Face((left, top, width, height), Eyes(*eyes), float(row[5]))


@lru_cache(maxsize=1)
def _detector() -> Any:
    """Load the detector, if its weights are those that were measured."""
    import facelab.backend  # noqa: F401  (TensorFlow, quietly, before the detector loads it)

    try:
        from mtcnn import MTCNN
        from mtcnn.stages import StageONet, StagePNet, StageRNet
    except ImportError as error:
        raise DetectorError(
            'the face detector is not installed: pip install "facelab[photo]", or mark the eyes by hand and '
            "give them to facelab.crop.cut"
        ) from error
    weights = [Path(str(files("mtcnn") / "assets" / "weights" / name)) for name in _WEIGHTS]
    for file in weights:
        if not file.is_file() or sha256(file) != _WEIGHTS[file.name]:
            raise DetectorError(
                f"{file} is not the file that the course has measured, and could run any code: "
                'pip install --force-reinstall "mtcnn==1.0.0"'
            )
    # By their full paths: given a name alone, the package looks in the working folder first.
    stages = zip((StagePNet, StageRNet, StageONet), weights, strict=True)
    return MTCNN([stage(weights=str(file)) for stage, file in stages])

"""Faces in a photograph. The detector is an extra: where it is missing, only what is said then is tested."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelab import crop, embedded, photo
from facelab.adience import read_folds

INSTALLED = importlib.util.find_spec("mtcnn") is not None
needs_detector = pytest.mark.skipif(not INSTALLED and not os.environ.get("CI"), reason="needs facelab[photo]")


@pytest.fixture
def no_detector_yet() -> None:
    photo._detector.cache_clear()


def test_without_the_extra_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, no_detector_yet: None
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mtcnn", None)
    with pytest.raises(photo.DetectorError, match=r'pip install "facelab\[photo\]"'):
        photo.find_faces(Image.new("RGB", (96, 96)))


@needs_detector
def test_weights_that_were_not_measured_are_not_read(
    monkeypatch: pytest.MonkeyPatch, no_detector_yet: None
) -> None:
    import joblib

    monkeypatch.setattr(joblib, "load", lambda path: pytest.fail(f"{path} was read"))
    monkeypatch.setitem(photo._WEIGHTS, "onet.lz4", "0" * 64)
    with pytest.raises(photo.DetectorError, match=r"onet\.lz4 is not the file"):
        photo.find_faces(Image.new("RGB", (96, 96)))


@needs_detector
def test_a_file_of_the_same_name_in_the_working_folder_is_not_read(
    monkeypatch: pytest.MonkeyPatch, no_detector_yet: None, tmp_path: Path
) -> None:
    """The package looks there first, and what it finds may run any code."""
    for name in photo._WEIGHTS:
        (tmp_path / name).write_bytes(b"no pickle")
    monkeypatch.chdir(tmp_path)
    assert photo.find_faces(Image.new("RGB", (96, 96))) == []


@needs_detector
def test_two_faces_are_found_the_larger_first_and_their_eyes() -> None:
    """Two rendered crops on a table, one twice as large: the eyes lie within a tenth of their distance."""
    table = read_folds(embedded.data_dir())
    picture = Image.new("RGB", (600, 300), (150, 126, 104))
    wanted = []
    for row, left, side in ((424, 60, 120), (256, 330, 240)):
        face = Image.open(embedded.data_dir() / table["path"][row]).resize((side, side))
        picture.paste(face, (left, 30))
        wanted.append(np.multiply(crop.EYES, side) + np.array([left, 30]))
    found = photo.find_faces(picture)
    assert len(found) == 2
    assert found[0].box[2] > found[1].box[2]
    for face, eyes in zip(found, wanted[::-1], strict=True):
        off = np.linalg.norm(np.subtract(face.eyes, eyes), axis=1) / np.linalg.norm(eyes[1] - eyes[0])
        assert off.max() < 0.2
        assert face.eyes.left < face.eyes.right
        assert 0.8 < face.confidence <= 1


@needs_detector
@pytest.mark.parametrize("size", [(300, 200), (1, 1), (10, 4000)])
def test_where_no_face_is_none_is_found(size: tuple[int, int]) -> None:
    assert photo.find_faces(Image.new("RGB", size)) == []

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from facesim.archive import pack

FILES = {
    "embedded_faces": {
        "fold_0_data.txt": b"user_id\toriginal_image\n" * 50,
        "factors.csv": b"path,age_years\n",
        "faces/7@N01/coarse_tilt_aligned_face.1.1_o.jpg": b"one photograph" * 100,
        "faces/6@N01/coarse_tilt_aligned_face.1.2_o.jpg": b"another",
    },
    "counterfactual_faces": {"sweeps.csv": b"identity,factor\n", "faces/000/age_5.jpg": b"a child"},
}
LEFT_OVER = {"rendering.json": b"{}", "faces/7@N01/.partial-a1b2/coarse_tilt_aligned_face.1.3_o.jpg": b"hal"}


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Two rendered sets, with what a stopped run may have left."""
    for name, files in FILES.items():
        for path, content in {**files, **LEFT_OVER}.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return {name: tmp_path / name for name in FILES}


def test_the_archives_hold_the_sets_and_nothing_else(folders: dict[str, Path], tmp_path: Path) -> None:
    pack(folders, tmp_path / "data")
    for name, files in FILES.items():
        with zipfile.ZipFile(tmp_path / "data" / f"{name}.zip") as archive:
            assert {member: archive.read(member) for member in archive.namelist()} == files
    assert {path.name for path in (tmp_path / "data").iterdir()} == {
        "archives.json",
        *(f"{name}.zip" for name in FILES),
    }


def test_the_record_says_what_is_in_them(folders: dict[str, Path], tmp_path: Path) -> None:
    pack(folders, tmp_path / "data")
    record = json.loads((tmp_path / "data" / "archives.json").read_text())
    assert set(record) == set(FILES)
    for name, files in FILES.items():
        packed = (tmp_path / "data" / f"{name}.zip").read_bytes()
        assert record[name] == {
            "file": f"{name}.zip",
            "sha256": hashlib.sha256(packed).hexdigest(),
            "bytes": len(packed),
            "files": len(files),
            "unpacked_bytes": sum(map(len, files.values())),
        }


def test_the_same_files_give_the_same_bytes(folders: dict[str, Path], tmp_path: Path) -> None:
    pack(folders, tmp_path / "one")
    for folder in folders.values():
        for path in folder.rglob("*"):
            os.utime(path, (10**9, 10**9))
            if path.is_file():
                path.chmod(0o600)
    pack(folders, tmp_path / "two")
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")
    )
    assert one == two


@pytest.mark.parametrize(
    ("name", "last"), [("embedded_faces", "fold_0_data.txt"), ("counterfactual_faces", "sweeps.csv")]
)
def test_a_set_that_is_not_finished_is_refused(
    folders: dict[str, Path], tmp_path: Path, name: str, last: str
) -> None:
    (folders[name] / last).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} has no {last}.*not complete"):
        pack(folders, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_what_is_packed_is_what_the_package_unpacks(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facelab import embedded

    pack(folders, tmp_path / "data")
    monkeypatch.setattr(embedded, "ARCHIVES", tmp_path / "data")
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "cache"))
    for name, unpacked in (
        ("embedded_faces", embedded.data_dir()),
        ("counterfactual_faces", embedded.counterfactual_dir()),
    ):
        found = {
            path.relative_to(unpacked).as_posix(): path.read_bytes()
            for path in unpacked.rglob("*")
            if path.is_file()
        }
        assert found == FILES[name]

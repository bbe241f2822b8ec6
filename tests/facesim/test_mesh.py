from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from facesim.assets import AssetError
from facesim.mesh import read_base_mesh, read_proxy, read_target

SQUARE = """# a square and a triangle
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0.5
vt 0 0
vt 1 0
vt 1 1
vt 0 1
g body
f 1/1 2/2 3/3 4/4
g helper-tongue
f 1/1 2/2 3/3
f 1/4 3/3 4/4
"""
PROXY = {
    "metadata": {
        "ref_vIdxs": [[0, 1, 2], [1, 1, 1], [3, 0, 0]],
        "weights": [[0.5, 0.25, 0.25], [1, 0, 0], [1, 0, 0]],
        "offsets": [[0, 0, 0.1], [0, 0, 0], [0, 0.2, 0]],
    },
    "uvs": [[0, 0, 1, 0, 1, 1]],
    "faces": [10, 0, 1, 2, 7, 0, 1, 2],  # a triangle with a material and textures
}


@pytest.fixture
def write(tmp_path: Path):
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content)
        return path

    return write


def test_base_mesh_is_split_into_groups_of_triangles(write) -> None:
    mesh = read_base_mesh(write("base.obj", SQUARE))
    assert mesh.vertices.shape == (4, 3)
    assert mesh.vertices[3].tolist() == [0.0, 1.0, 0.5]
    assert set(mesh.groups) == {"body", "helper-tongue"}
    body = mesh.groups["body"]
    assert body.vertex[body.triangles].tolist() == [[0, 1, 2], [0, 2, 3]]
    assert body.uv[body.triangles[1]].tolist() == [[0, 0], [1, 1], [0, 1]]


def test_a_vertex_at_a_seam_of_the_texture_has_a_corner_for_each_side(write) -> None:
    tongue = read_base_mesh(write("base.obj", SQUARE)).groups["helper-tongue"]
    first = np.flatnonzero(tongue.vertex == 0)
    assert tongue.uv[first].tolist() == [[0, 0], [0, 1]]
    assert len(tongue.vertex) == 5


@pytest.mark.parametrize(
    ("good", "damaged"),
    [("v 1 0 0", "v 1 0"), ("v 1 0 0", "v 1 0 x"), ("vt 1 0", "vt 1"), ("1/1 2/2 3/3 4/4", "1 2 3 4")],
)
def test_a_damaged_base_mesh_names_its_line(write, good: str, damaged: str) -> None:
    text = SQUARE.replace(good, damaged, 1)
    line = next(
        number
        for number, (old, new) in enumerate(zip(SQUARE.split("\n"), text.split("\n"), strict=True), 1)
        if old != new
    )
    with pytest.raises(AssetError, match=rf"base\.obj, line {line}: .*fetch-assets"):
        read_base_mesh(write("base.obj", text))


def test_target_is_zero_where_it_says_nothing(write) -> None:
    moved = read_target(write("nose.target", "# basemesh hm08\n1 .5 -.25 0\n\n3 0 0 1e-2\n"), 5)
    assert moved.dtype == np.float32
    assert moved.tolist() == [[0, 0, 0], [0.5, -0.25, 0], [0, 0, 0], [0, 0, np.float32(0.01)], [0, 0, 0]]


def test_target_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "nose.target.gz"
    path.write_bytes(gzip.compress(b"0 1 2 3\n"))
    assert read_target(path, 1).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("damaged", ["1 .5", "x 0 0 0", "1 0 0 0 0", "9 0 0 0", "1 a b c"])
def test_a_damaged_target_names_its_line(write, damaged: str) -> None:
    with pytest.raises(AssetError, match=r"nose\.target, line 2: "):
        read_target(write("nose.target", f"0 0 0 0\n{damaged}\n"), 5)


@pytest.mark.parametrize("damage", ["cut", "empty", "no gzip", "gone"])
def test_a_target_that_cannot_be_unpacked_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "nose.target.gz"
    content = gzip.compress(b"0 1 2 3\n" * 100)
    path.write_bytes({"cut": content[:-9], "empty": content[:12], "no gzip": b"0 1 2 3", "gone": b""}[damage])
    if damage == "gone":
        path.unlink()
    with pytest.raises(AssetError, match=r"nose\.target\.gz, the text in it: .*fetch-assets"):
        read_target(path, 1)


def test_a_text_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "base.obj").write_bytes(b"v 0 0 0\n\xff\xfe\n")
    with pytest.raises(AssetError, match=r"base\.obj, the text in it: .*fetch-assets"):
        read_base_mesh(tmp_path / "base.obj")


def test_proxy_follows_the_base_mesh(write) -> None:
    proxy = read_proxy(write("hair.json", json.dumps(PROXY)))
    base = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [1, 1, 1]], np.float32)
    assert proxy.place(base) == pytest.approx(np.array([[1, 1, 0.1], [4, 0, 0], [1, 1.2, 1]]))
    assert proxy.place(base, scale=0.5)[0] == pytest.approx([1, 1, 0.05])
    assert proxy.place(base + 3) == pytest.approx(proxy.place(base) + 3)
    assert proxy.surface.vertex[proxy.surface.triangles].tolist() == [[0, 1, 2]]


def test_proxy_may_have_quads_and_no_material(write) -> None:
    proxy = read_proxy(write("hair.json", json.dumps(PROXY | {"faces": [9, 0, 1, 2, 1, 0, 1, 2, 1]})))
    assert proxy.surface.vertex[proxy.surface.triangles].tolist() == [[0, 1, 2], [0, 2, 1]]


@pytest.mark.parametrize(
    "damage",
    [
        {"faces": [2, 0, 1, 2, 7]},  # no textures
        {"faces": [42, 0, 1, 2, 7, 0, 1, 2]},  # normals, which we do not know
        {"faces": PROXY["faces"][:-1]},
        {"faces": [*PROXY["faces"], 10]},
        {"faces": [10, 0, 1, 2, 7, 0, 1, 99]},
        {"uvs": []},
        {"metadata": {}},
    ],
)
def test_a_damaged_proxy_is_named(write, damage: dict[str, object]) -> None:
    with pytest.raises(AssetError, match=r"hair\.json, the mesh in it: "):
        read_proxy(write("hair.json", json.dumps(PROXY | damage)))


def test_a_file_that_is_no_json_is_named(write) -> None:
    with pytest.raises(AssetError, match=r"hair\.json"):
        read_proxy(write("hair.json", "{"))

"""What there is to draw for a face, as layers: skin, eyes, teeth, brows, lashes, hair, beard, glasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from facesim import raster
from facesim.bank import AGES, Bank
from facesim.face import Face
from facesim.glasses import glasses_mesh
from facesim.hair import BEARD_FUR, BEARD_KIND, GREY, Fur, hair_colour, scalp_furs
from facesim.head import age_weights, head_vertices, mean_head
from facesim.mesh import Floats, Ints, Surface
from facesim.occlusion import open_share
from facesim.raster import Layer, Rasteriser, Uniforms
from facesim.regions import eye_centres, find_regions
from facesim.scene import rotation
from facesim.skin import blend_skin, melanin_factor

ADULT_EYE_DISTANCE = 0.6224  # decimetres on the base mesh
# Linear RGB of the frames of glasses: black, brown, steel, brass, dark red.
_FRAMES = (
    *((0.02, 0.02, 0.02), (0.12, 0.06, 0.03), (0.35, 0.34, 0.33)),
    *((0.30, 0.22, 0.10), (0.10, 0.02, 0.03)),
)


@dataclass(frozen=True)
class Shape:
    """A head in its own axes."""

    base: Floats  # vertices of the base mesh, (19158, 3)
    normals: Floats  # (19158, 3)
    masks: Floats  # scalp, beard, lips and share of the surroundings seen, at each corner of the skin, (n, 4)
    eyes: Floats  # (2, 3), the one left in the picture first
    size: float  # eye distance as a share of an adult's


@dataclass(frozen=True)
class Model:
    """A face ready to be drawn: its layers and the landmarks that place the camera."""

    layers: list[Layer]
    eyes: Floats  # (2, 3)
    mouth: Floats  # (3,)
    skin_image: NDArray[np.uint8]


class Wardrobe:
    """Dresses heads; holds what all of them share."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.regions = find_regions(bank)
        self.skin = bank.skin
        self.scalp = self._part(self.regions.scalp > 0.02)
        self.beard = self._part(self.regions.beard > 0.02)
        self.occlusion = np.ones((len(AGES), len(bank.base.vertices)), np.float32)
        self._normal_sum = _corner_to_vertex(bank.skin, len(bank.base.vertices))
        self.mouth_corners = self._nearest([(-0.43, -1.07, 0.30), (0.43, -1.07, 0.30)])
        self.ears = self._nearest([(-1.12, 0.02, -1.25), (1.12, 0.02, -1.25)])

    def bake_occlusion(self, rasteriser: Rasteriser) -> None:
        """Find the ambient occlusion of the four heads that every age is mixed from."""
        vertex = self.skin.vertex
        for row, age in enumerate(AGES):
            shape = self._shape(mean_head(self.bank, age), self.occlusion[row])
            skin = self._on_skin(raster.SKIN, self.skin.triangles, shape, shape.base)
            centre = shape.eyes.mean(axis=0) - np.array([0.0, 0.3, 0.8], np.float32) * shape.size
            self.occlusion[row, vertex] = open_share(rasteriser, skin, centre, 2.6)

    def build(self, face: Face) -> Model:
        """Shape the head, dress it and turn it."""
        occlusion = np.asarray(age_weights(face.age_years)) @ self.occlusion
        shape = self._shape(head_vertices(self.bank, face), occlusion)
        skin_image, forehead = blend_skin(self.bank, face)
        layers = [
            *self._glasses(face, shape),
            *self._hair(face, shape),
            *self._beard(face, shape),
            *self._brows_and_lashes(face, shape),
            *self._mouth_and_eyes(face, shape),
            self._skin(face, shape, forehead),
        ]
        # Glass comes last: it is blended over what is behind it.
        layers.sort(key=lambda layer: layer.material == raster.LENS)
        turn = rotation(face.yaw_deg, face.pitch_deg)
        pivot = shape.eyes.mean(axis=0) - np.array([0.0, 0.0, 0.9 * shape.size])
        for layer in layers:
            layer.positions = ((layer.positions - pivot) @ turn.T).astype(np.float32)
            layer.normals = (layer.normals @ turn.T).astype(np.float32)
        mouth = shape.base[self.mouth_corners].mean(axis=0)
        return Model(layers, (shape.eyes - pivot) @ turn.T, (mouth - pivot) @ turn.T, skin_image)

    def _shape(self, base: Floats, occlusion: Floats) -> Shape:
        eyes = eye_centres(self.bank, base)
        size = float(np.linalg.norm(eyes[1] - eyes[0])) / ADULT_EYE_DISTANCE
        corners = base[self.skin.vertex]
        a, b, c = (corners[self.skin.triangles[:, k]] for k in range(3))
        normals = _unit(self._normal_sum @ np.cross(b - a, c - a))
        region = self.regions
        masks = np.stack([region.scalp, region.beard, region.lips, occlusion], axis=1)[self.skin.vertex]
        return Shape(base, normals, masks, eyes, size)

    def _skin(self, face: Face, shape: Shape, forehead: Floats) -> Layer:
        rng = np.random.default_rng(face.identity + 1)
        age = face.age_years * (0.65 + 0.35 * face.ageing)
        depth = float(np.interp(age, (0, 22, 32, 42, 52, 65, 80), (0, 0.02, 0.15, 0.42, 0.75, 1.15, 1.5)))
        depth *= 0.86 + 0.14 * float(np.clip(face.masculinity, 0, 1))
        grown = float(np.clip((face.age_years - 14) / 8, 0, 1) * np.clip(face.masculinity * 2 - 0.9, 0, 1))
        shadow = {"none": 0.24, "stubble": 0.50}.get(face.beard, 0.70)
        shadow *= grown * face.hair_melanin * face.beard_density
        lipsticks = ((0.75, 0.30, 0.32), (0.80, 0.22, 0.24), (0.60, 0.25, 0.32), (0.85, 0.42, 0.40))
        lipstick = lipsticks[rng.integers(len(lipsticks))]
        freckles = float(rng.choice([0.0, 0.3, 0.9], p=[0.5, 0.35, 0.15])) * (1 - face.ancestry_african)
        freckles *= float(np.clip((face.age_years - 2) / 6, 0, 1))
        roughness = min(1.6, 0.15 + face.age_years / 30)
        firmness = float(np.interp(face.age_years, (4, 14, 30), (0.0, 0.25, 0.65)))
        infant_blush = max(0.0, 1 - face.age_years / 8)
        uniforms: Uniforms = {
            "melanin": (*melanin_factor(face), 1.0),
            "bald_colour": forehead,
            "wrinkles": (depth, float(rng.uniform(0, 50)), freckles, roughness),
            "paint": (0.75 * face.makeup, 0.35 * face.makeup, 0.5 * face.makeup + 0.5 * infant_blush, shadow),
            "colour": lipstick,
            "colour2": _cloth(face.clothes),
            "smile_folds": (max(0.0, face.smile) * firmness,),
            "neckline": (-2.15 - 0.5 * np.random.default_rng(face.clothes).random(),),
        }
        layer = self._on_skin(raster.SKIN, self.skin.triangles, shape, shape.base, uniforms, texture="skin")
        layer.wrinkled = depth > 0.01 or face.smile > 0.1
        return layer

    def _mouth_and_eyes(self, face: Face, shape: Shape) -> list[Layer]:
        groups = self.bank.base.groups
        old = float(np.clip((face.age_years - 20) / 60, 0, 1))
        enamel = (0.62 - 0.10 * old, 0.58 - 0.14 * old, 0.50 - 0.20 * old)
        inside = {"helper-tongue": (raster.MOUTH, (0.30, 0.07, 0.07))}
        if face.age_years > 1.6 and face.mouth_open > 0.05:
            inside |= {f"helper-{row}-teeth": (raster.TEETH, enamel) for row in ("upper", "lower")}
        layers = [
            _free(material, groups[name], shape.base[groups[name].vertex], {"colour": colour})
            for name, (material, colour) in inside.items()
        ]
        eyes = self.bank.proxies["HighPolyEyes"]
        corners = eyes.place(shape.base)[eyes.surface.vertex]
        return [*layers, _free(raster.EYE, eyes.surface, corners, {}, texture=f"eye-{face.eye_colour}")]

    def _brows_and_lashes(self, face: Face, shape: Shape) -> list[Layer]:
        young = float(np.interp(face.age_years, (0.5, 4.0, 10.0, 17.0), (0.12, 0.24, 0.40, 1.0)))
        melanin = min(1.0, face.hair_melanin * 0.9 + 0.12)
        dark = 0.45 * max(0.0, 1 - face.masculinity) + 0.55 * face.makeup
        lashes = "eyelashes02" if face.makeup > 0.4 else "eyelashes01"
        worn = {
            f"eyebrow{face.brow_style:03d}": (
                0.9 * hair_colour(melanin * (0.6 + 0.4 * young), face.hair_red),
                (0.8 * face.grey, face.brow_density * young * 1.3, 1.0, 0.0),
            ),
            lashes: (0.5 * hair_colour(max(melanin, face.makeup), 0.0), (0.0, 0.35 + 0.9 * dark, 1.0, 0.0)),
        }
        layers = []
        for name, (colour, strands) in worn.items():
            proxy = self.bank.proxies[name]
            corners = proxy.place(shape.base, shape.size)[proxy.surface.vertex]
            corners[:, 2] += 0.006 * shape.size  # clear of the skin
            uniforms: Uniforms = {"colour": colour, "colour2": GREY, "strands": strands}
            layers.append(_free(raster.BROW, proxy.surface, corners, uniforms, name, casts_shadow=False))
        return layers

    def _hair(self, face: Face, shape: Shape) -> list[Layer]:
        colour = hair_colour(face.hair_melanin, face.hair_red)
        layers = []
        if face.hair_style in self.bank.proxies:
            proxy = self.bank.proxies[face.hair_style]
            # Turned backwards about the ears, so that a fringe can hang lower or higher.
            pivot = shape.base[self.ears].mean(axis=0)
            turn = rotation(0.0, face.hair_swept_deg)
            hair = (proxy.place(shape.base, shape.size) - pivot) @ turn.T + pivot
            uniforms: Uniforms = {"colour": colour, "colour2": GREY, "strands": (0.0, face.grey, 1.0, 0.0)}
            corners = hair[proxy.surface.vertex]
            layers.append(_free(raster.HAIR, proxy.surface, corners, uniforms, texture=face.hair_style))
        recession = 1.25 if face.hair_style == "horseshoe" else face.recession
        for fur in scalp_furs(face):
            layers += self._fur(face, fur, self.scalp, shape, colour, kind=0.0, recession=recession)
        return layers

    def _beard(self, face: Face, shape: Shape) -> list[Layer]:
        if face.beard == "none":
            return []
        colour = hair_colour(face.hair_melanin * 0.92, face.hair_red + 0.25)
        fur = BEARD_FUR[face.beard].thinned(face.beard_density)
        return self._fur(face, fur, self.beard, shape, colour, kind=BEARD_KIND[face.beard], recession=0.0)

    def _fur(
        self,
        face: Face,
        fur: Fur,
        triangles: Ints,
        shape: Shape,
        colour: Floats,
        kind: float,
        recession: float,
    ) -> list[Layer]:
        layers = []
        for shell in reversed(range(fur.shells)):
            height = (shell + 0.5) / fur.shells
            drop = np.array([0.0, -fur.fall * fur.reach * height**2, 0.0], np.float32)
            moved = shape.base + shape.size * (fur.reach * height * shape.normals + drop)
            uniforms: Uniforms = {
                "colour": colour,
                "colour2": GREY,
                "paint": (face.grey, 0.0, 0.0, 0.0),
                "strands": (height * fur.taper, fur.density, fur.grain, float(face.identity % 97)),
                "line_of_hair": (recession, 1.0, kind, fur.frizz),
            }
            layers.append(self._on_skin(raster.FUR, triangles, shape, moved, uniforms))
            layers[-1].casts_shadow = kind == 0
        return layers

    def _glasses(self, face: Face, shape: Shape) -> list[Layer]:
        if face.glasses == "none":
            return []
        rng = np.random.default_rng(face.identity + 2)
        roundness = float(rng.random())
        frame, lenses = glasses_mesh(shape.eyes, shape.base[self.ears], face.glasses, roundness)
        dark = face.glasses == "sun"
        glass: Uniforms = {
            "colour": (0.015, 0.015, 0.02) if dark else (0.5, 0.52, 0.55),
            "strands": (0, 0.93 if dark else 0.06, 1, 0),
        }
        return [
            _free(raster.FRAME, frame, frame.corners, {"colour": _FRAMES[rng.integers(len(_FRAMES))]}),
            _free(raster.LENS, lenses, lenses.corners, glass, casts_shadow=dark),
        ]

    def _on_skin(
        self,
        material: str,
        triangles: Ints,
        shape: Shape,
        vertices: Floats,
        uniforms: Uniforms | None = None,
        texture: str | None = None,
    ) -> Layer:
        """A layer that lies on the skin and knows its place on the face."""
        vertex = self.skin.vertex
        canon = self.regions.canon[vertex]
        arrays = (vertices[vertex], shape.normals[vertex], self.skin.uv, canon, shape.masks)
        return Layer(material, *arrays, triangles, texture, uniforms or {})

    def _part(self, chosen: NDArray[np.bool_]) -> Ints:
        """Triangles of the skin that touch a region."""
        return self.skin.triangles[chosen[self.skin.vertex][self.skin.triangles].any(axis=1)]

    def _nearest(self, places: list[tuple[float, float, float]]) -> Ints:
        vertices = np.unique(self.skin.vertex)
        canon = self.regions.canon[vertices]
        return vertices[[int(np.linalg.norm(canon - place, axis=1).argmin()) for place in places]]


def _free(
    material: str,
    surface: Surface,
    corners: Floats,
    uniforms: Uniforms,
    texture: str | None = None,
    casts_shadow: bool = True,
) -> Layer:
    """A layer of a mesh that is not the skin; its noise moves with it."""
    place = (corners - corners.mean(axis=0)) / ADULT_EYE_DISTANCE
    masks = np.ones((len(corners), 4), np.float32)
    normals = _vertex_normals(corners, surface.triangles)
    layer = Layer(material, corners, normals, surface.uv, place, masks, surface.triangles, texture, uniforms)
    layer.casts_shadow = casts_shadow
    return layer


def _cloth(seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    grey = float(rng.choice([0.03, 0.10, 0.35, 0.65]))
    return np.clip(grey * np.exp(rng.normal(0.0, 0.25, 3)), 0.01, 0.8).astype(np.float32)


def _unit(vectors: Floats) -> Floats:
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return (vectors / lengths).astype(np.float32)


def _corner_to_vertex(surface: Surface, vertex_count: int) -> csr_array:
    """Matrix that adds each triangle's normal to its three vertices (seams of the texture share a normal)."""
    rows = surface.vertex[surface.triangles].ravel()
    columns = np.repeat(np.arange(len(surface.triangles)), 3)
    ones = np.ones(len(rows), np.float32)
    return csr_array((ones, (rows, columns)), shape=(vertex_count, len(surface.triangles)))


def _vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for axis in range(3):
        for k in range(3):
            total[:, axis] += np.bincount(triangles[:, k], weights=flat[:, axis], minlength=len(vertices))
    return _unit(total)

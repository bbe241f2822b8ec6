"""Glasses: two rims, a bridge and temples swept along curves, sized to the eyes of their wearer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facesim.mesh import Floats, Ints, Surface

_SIDES = 6  # of a tube's cross section
_RADIUS = {"thin": 0.013, "thick": 0.035, "sun": 0.035}  # of the tubes, in eye distances


@dataclass(frozen=True)
class Part(Surface):
    """A surface that brings its own corners, shape (n, 3), decimetres."""

    corners: Floats


def glasses_mesh(eyes: Floats, ears: Floats, kind: str, roundness: float) -> tuple[Part, Part]:
    """Frame and lenses of a pair of glasses.

    Parameters
    ----------
    eyes : centres of the eyes, the one left in the picture first, shape (2, 3)
    ears : where the temples rest, same order, shape (2, 3)
    kind : ``thin``, ``thick`` or ``sun``
    roundness : 0 rectangular … 1 round rims
    """
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    along = (eyes[1] - eyes[0]) / distance
    up = np.array([0.0, 1.0, 0.0]) - along[1] * along
    up /= np.linalg.norm(up)
    out = np.cross(along, up)
    width, height = (0.43, 0.33) if kind == "sun" else (0.385, 0.25 + 0.10 * roundness)
    power = 4.0 - 2.0 * roundness  # a superellipse between rectangle and circle
    angles = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** (2 / power)
    y = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** (2 / power)
    tubes, panes = [], []
    for side, eye, ear in zip((-1, 1), eyes, ears, strict=True):
        centre = eye + distance * (0.50 * out - 0.06 * up + side * 0.015 * along)
        bow = 0.06 * (x * side).clip(0) ** 2  # rims wrap round the face
        rim = centre + distance * (np.outer(width * x, along) + np.outer(height * y, up) - np.outer(bow, out))
        hinge = centre + distance * (side * width * along + 0.4 * height * up - 0.06 * out)
        tubes.append(np.vstack([rim, rim[:1]]))
        tubes.append(np.stack([hinge, hinge + distance * (side * 0.05 * along - 0.1 * out), ear]))
        panes.append(np.vstack([centre + 0.01 * out, rim]))
    middle = eyes.mean(axis=0) + distance * (0.52 * out + 0.10 * height * up)
    half = (0.5 - width - 0.01) * along
    tubes.append(middle + distance * np.stack([-half, 0.05 * up + 0.03 * out, half]))
    radius = _RADIUS[kind] * distance
    return _join([_tube(path, radius) for path in tubes]), _join([(pane, _fan(len(rim))) for pane in panes])


def _tube(path: Floats, radius: float) -> tuple[Floats, Ints]:
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.cross(tangent, [0.0, 0.3, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(tangent, side)
    turn = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    ring = np.cos(turn)[None, :, None] * side[:, None] + np.sin(turn)[None, :, None] * other[:, None]
    triangles = []
    for i in range(len(path) - 1):
        for j in range(_SIDES):
            a, b = i * _SIDES + j, i * _SIDES + (j + 1) % _SIDES
            triangles += [(a, b, a + _SIDES), (b, b + _SIDES, a + _SIDES)]
    return (path[:, None] + radius * ring).reshape(-1, 3), np.asarray(triangles, np.int32)


def _fan(count: int) -> Ints:
    return np.asarray([(0, 1 + i, 1 + (i + 1) % count) for i in range(count)], np.int32)


def _join(parts: list[tuple[Floats, Ints]]) -> Part:
    offsets = np.cumsum([0] + [len(corners) for corners, _ in parts[:-1]])
    corners = np.vstack([corners for corners, _ in parts]).astype(np.float32)
    triangles = np.vstack([triangles + offset for (_, triangles), offset in zip(parts, offsets, strict=True)])
    index = np.arange(len(corners), dtype=np.int32)
    return Part(index, np.zeros((len(corners), 2), np.float32), triangles.astype(np.int32), corners)

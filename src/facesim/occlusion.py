"""Ambient occlusion: how much of the surroundings a place on a head sees (Landis, 2002)."""

from __future__ import annotations

import numpy as np

from facesim.mesh import Floats
from facesim.raster import Layer, Rasteriser
from facesim.scene import light_projection

_DIRECTIONS = 48
_BIAS = 0.012  # of the depth range; a surface must not shade itself


def open_share(rasteriser: Rasteriser, skin: Layer, centre: Floats, radius: float) -> Floats:
    """Share of the half space above each corner of the skin that nothing blocks, cosine-weighted.

    Found with one shadow map for each of many directions.

    Parameters
    ----------
    rasteriser : draws the shadow maps
    skin : what is shaded, and what shades it
    centre : shape (3,), the middle of what the shadow maps see
    radius : how far from it they see

    Returns
    -------
    Shares in [0, 1], shape (corners,).
    """
    seen = np.zeros(len(skin.positions))
    total = np.full(len(skin.positions), 1e-6)
    for direction in _sphere(_DIRECTIONS):
        weight = np.clip(skin.normals @ direction, 0.0, None)
        matrix = light_projection(direction, centre, radius)
        depth = rasteriser.depth(skin, matrix)
        place = skin.positions @ matrix[:3, :3].T + matrix[:3, 3]
        column, row = np.clip(((place[:, :2] * 0.5 + 0.5) * len(depth)).astype(int), 0, len(depth) - 1).T
        seen += weight * (place[:, 2] * 0.5 + 0.5 <= depth[row, column] + _BIAS)
        total += weight
    return (seen / total).astype(np.float32)


def _sphere(count: int) -> Floats:
    """Directions spread evenly over the sphere (a Fibonacci lattice), shape (count, 3)."""
    index = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * index / count), np.pi * (1 + 5**0.5) * index
    return np.stack([np.cos(turn) * np.sin(polar), np.cos(polar), np.sin(turn) * np.sin(polar)], axis=1)

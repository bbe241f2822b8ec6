"""Where on a head hair, beard and lips are: fixed functions of the neutral adult face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facesim.bank import Bank
from facesim.mesh import Floats

# The hair's border seen from the side: height at which hair begins against depth.
# In eye distances from between the eyes, like all measures here.
_HAIR_DEPTH = (-2.7, -1.75, -1.55, -1.45, -1.02, -0.98, -0.80, -0.72, -0.40, -0.10, 0.15, 0.30, 0.45)
_HAIR_BORDER = (-1.3, -1.10, -0.45, 0.22, 0.22, -0.22, -0.18, 0.40, 0.62, 0.82, 1.06, 1.20, 1.35)
# The beard's upper border against the distance from the middle.
_BEARD_SIDE = (0.0, 0.12, 0.34, 0.50, 0.72, 0.95, 1.05, 1.2)
_BEARD_BORDER = (-0.72, -0.70, -0.78, -0.98, -1.02, -0.62, -0.25, -0.10)


@dataclass(frozen=True)
class Regions:
    """Per vertex of the base mesh, shape (19158,) unless said otherwise; shares in [0, 1]."""

    canon: Floats  # (19158, 3), place on the neutral adult face in eye distances from between the eyes
    scalp: Floats
    beard: Floats
    lips: Floats


def _step(value: Floats, softness: float) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(value / softness, -30, 30)))


def eye_centres(bank: Bank, vertices: Floats) -> Floats:
    """Centres of the eyes: the one that is left in the picture first, shape (2, 3)."""
    groups = bank.base.groups
    return np.stack([vertices[groups[f"joint-{side}-eye"].vertex].mean(axis=0) for side in "rl"])


def find_regions(bank: Bank) -> Regions:
    """Regions of the base mesh."""
    eyes = eye_centres(bank, bank.base.vertices)
    canon = (bank.base.vertices - eyes.mean(axis=0)) / float(np.linalg.norm(eyes[0] - eyes[1]))
    x, y, z = np.abs(canon[:, 0]), canon[:, 1], canon[:, 2]
    scalp = _step(y - np.interp(z, _HAIR_DEPTH, _HAIR_BORDER), 0.05)
    upper = -0.955 + 0.03 * np.exp(-(((x - 0.09) / 0.06) ** 2)) - 0.11 * np.clip(x / 0.43, 0, 1.2) ** 2
    lower = -1.275 + 0.19 * np.clip(x / 0.43, 0, 1.2) ** 2.5
    lips = _step(upper - y, 0.014) * _step(y - lower, 0.014) * _step(0.44 - x, 0.02) * (z > 0.0)
    beard = _step(np.interp(x, _BEARD_SIDE, _BEARD_BORDER) - y, 0.05)
    beard *= _step(y + 2.05, 0.08) * _step(z + 1.0, 0.06) * (1.0 - np.clip(1.6 * lips, 0, 1))
    return Regions(canon.astype(np.float32), *(value.astype(np.float32) for value in (scalp, beard, lips)))

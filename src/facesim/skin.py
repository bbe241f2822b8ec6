"""The colour of skin: MakeHuman's painted skins blended by age, sex and ancestry, then toned."""

from __future__ import annotations

import numpy as np

from facesim.bank import ANCESTRIES, Bank
from facesim.face import Face

PAINTED_AGES = ("young", "middleage", "old")
# Where the forehead lies in the skin textures (rows, columns of 512): its colour is that of a bald scalp.
HEAD_COLUMN = 100  # head, neck and shoulders lie right of it
FOREHEAD = (slice(235, 295), slice(385, 412))


def skin_shares(face: Face) -> dict[str, float]:
    """Share of each painted skin. The three painted ages stand for 25, 48 and 72 years."""
    painted_years = (25.0, 48.0, 72.0)
    ages = [float(np.interp(face.age_years, painted_years, column)) for column in np.eye(3)]
    ancestry = (face.ancestry_african, face.ancestry_asian, face.ancestry_caucasian)
    # A child's skin is painted like a woman's: no beard shadow, no coarse pores.
    grown = float(np.clip((face.age_years - 10.0) / 9.0, 0.0, 1.0))
    male = float(np.clip(face.masculinity, 0, 1)) * grown
    shares = {}
    for age, age_share in zip(PAINTED_AGES, ages, strict=True):
        for sex, sex_share in (("male", male), ("female", 1.0 - male)):
            for name, share in zip(ANCESTRIES, ancestry, strict=True):
                value = age_share * sex_share * share
                if value > 0.001:
                    second = age == "young" and name == "caucasian" and face.identity % 2
                    shares[f"skin{2 if second else ''}-{age}-{name}-{sex}"] = value
    return shares


def blend_skin(bank: Bank, face: Face) -> tuple[np.ndarray, np.ndarray]:
    """The blended skin, shape (512, 512, 4) uint8, and the linear colour of its forehead, shape (3,)."""
    shares = skin_shares(face)
    total = sum(shares.values())
    image = np.zeros((512, 512 - HEAD_COLUMN, 4), np.uint16)
    for name, share in shares.items():
        weight = np.uint16(round(256 * share / total))
        image += bank.textures[name][:, HEAD_COLUMN:].astype(np.uint16) * weight
    skin = np.zeros((512, 512, 4), np.uint8)
    skin[:, HEAD_COLUMN:] = np.minimum(image >> 8, 255)
    forehead = np.median(skin[FOREHEAD][..., :3].reshape(-1, 3), axis=0) / 255
    return skin, forehead**2.2


def melanin_factor(face: Face) -> np.ndarray:
    """What more or less melanin multiplies the skin's linear colour by: blue is absorbed most."""
    return np.exp(-face.skin_tone * np.array([0.45, 0.70, 0.85]))

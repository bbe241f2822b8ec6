"""The shape of a head: morph targets weighted by age, masculinity, ancestry, identity and expression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facesim.bank import AGES, ANCESTRIES, SEXES, Bank
from facesim.face import Face
from facesim.mesh import Floats

# Identity: each pair of targets pulls one measure down or up; the spread is in units of the full target.
IDENTITY_PAIRS: tuple[tuple[str, str, float], ...] = (
    ("head-scale-horiz-decr", "head-scale-horiz-incr", 0.22),
    ("head-scale-vert-decr", "head-scale-vert-incr", 0.22),
    ("head-fat-decr", "head-fat-incr", 0.20),
    ("forehead-scale-vert-decr", "forehead-scale-vert-incr", 0.30),
    ("forehead-temple-decr", "forehead-temple-incr", 0.30),
    ("forehead-trans-backward", "forehead-trans-forward", 0.25),
    ("eyebrows-angle-down", "eyebrows-angle-up", 0.20),
    ("eyebrows-trans-down", "eyebrows-trans-up", 0.22),
    ("*-eye-scale-decr", "*-eye-scale-incr", 0.22),
    ("*-eye-trans-down", "*-eye-trans-up", 0.18),
    ("*-eye-trans-in", "*-eye-trans-out", 0.22),
    ("*-eye-height2-decr", "*-eye-height2-incr", 0.25),
    ("*-eye-corner1-down", "*-eye-corner1-up", 0.30),
    ("*-eye-corner2-down", "*-eye-corner2-up", 0.30),
    ("*-eye-eyefold-down", "*-eye-eyefold-up", 0.30),
    ("*-eye-bag-decr", "*-eye-bag-incr", 0.25),
    ("nose-scale-horiz-decr", "nose-scale-horiz-incr", 0.28),
    ("nose-scale-vert-decr", "nose-scale-vert-incr", 0.28),
    ("nose-scale-depth-decr", "nose-scale-depth-incr", 0.25),
    ("nose-hump-decr", "nose-hump-incr", 0.30),
    ("nose-curve-concave", "nose-curve-convex", 0.28),
    ("nose-point-down", "nose-point-up", 0.28),
    ("nose-point-width-decr", "nose-point-width-incr", 0.30),
    ("nose-nostrils-width-decr", "nose-nostrils-width-incr", 0.25),
    ("nose-width1-decr", "nose-width1-incr", 0.30),
    ("nose-trans-down", "nose-trans-up", 0.18),
    ("mouth-scale-horiz-decr", "mouth-scale-horiz-incr", 0.25),
    ("mouth-upperlip-volume-decr", "mouth-upperlip-volume-incr", 0.30),
    ("mouth-lowerlip-volume-decr", "mouth-lowerlip-volume-incr", 0.30),
    ("mouth-trans-down", "mouth-trans-up", 0.18),
    ("mouth-angles-down", "mouth-angles-up", 0.25),
    ("mouth-cupidsbow-decr", "mouth-cupidsbow-incr", 0.30),
    ("*-cheek-bones-decr", "*-cheek-bones-incr", 0.28),
    ("*-cheek-volume-decr", "*-cheek-volume-incr", 0.25),
    ("chin-width-decr", "chin-width-incr", 0.28),
    ("chin-height-decr", "chin-height-incr", 0.25),
    ("chin-prominent-decr", "chin-prominent-incr", 0.28),
    ("chin-jaw-drop-decr", "chin-jaw-drop-incr", 0.22),
    ("*-ear-wing-decr", "*-ear-wing-incr", 0.35),
    ("*-ear-scale-decr", "*-ear-scale-incr", 0.28),
    ("neck-scale-horiz-decr", "neck-scale-horiz-incr", 0.25),
)
LIKENESS = 0.65  # overall strength of identity: more of it and heads turn into caricatures
FACE_SHAPES = (
    *("head-oval", "head-round", "head-rectangular"),
    *("head-square", "head-triangular", "head-diamond"),
)
ASYMMETRIES = (
    *("asym-brown-1", "asym-eye-1", "asym-eye-4", "asym-jaw-1"),
    *("asym-mouth-1", "asym-nose-1", "asym-cheek-1", "asym-ear-1"),
)

_Add = Callable[[str, float], None]  # adds to the weight of a target; * in its name stands for both sides


def age_weights(age_years: float) -> tuple[float, float, float, float]:
    """Shares of MakeHuman's baby (1 year), child (10), young (25) and old (90) heads; they sum to 1.

    Not linear in between. MakeHuman's child looks like a teenager to people and networks alike, so the baby's
    roundness stays in until 15 years; and the old head comes in slowly at first, since faces change little
    between 25 and 40.
    """
    baby = float(np.interp(age_years, (1.0, 3.0, 6.0, 10.0, 13.0, 16.0), (1.0, 0.86, 0.66, 0.42, 0.18, 0.0)))
    young = float(np.interp(age_years, (8.0, 12.0, 16.0, 22.0), (0.0, 0.18, 0.55, 1.0)))
    old = float(np.interp(age_years, (26.0, 40, 50, 60, 75, 90), (0.0, 0.15, 0.32, 0.54, 0.86, 1.0)))
    return baby, 1.0 - baby - young, young - old, old


def _smooth(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def target_weights(face: Face) -> dict[str, float]:
    """Weight of every morph target that shapes this face."""
    weights: dict[str, float] = {}

    def add(name: str, value: float) -> None:
        for each in (name.replace("*", "l"), name.replace("*", "r")) if "*" in name else (name,):
            weights[each] = weights.get(each, 0.0) + value

    _macro(face, add)
    _identity(face, add)
    _ageing(face, add)
    _gender(face, add)
    _expression(face, add)
    return weights


def _macro(face: Face, add: _Add) -> None:
    shares = (face.ancestry_african, face.ancestry_asian, face.ancestry_caucasian)
    ancestry = dict(zip(ANCESTRIES, shares, strict=True))
    weight = {
        "minweight": max(0.0, 1.0 - 2.0 * face.fatness),
        "averageweight": 1.0 - abs(2.0 * face.fatness - 1.0),
        "maxweight": max(0.0, 2.0 * face.fatness - 1.0),
    }
    for age, age_share in zip(AGES, age_weights(face.age_years), strict=True):
        for sex, sex_share in (("female", 1.0 - face.masculinity), ("male", face.masculinity)):
            for name, share in ancestry.items():
                add(f"{name}-{sex}-{age}", age_share * sex_share * share)
            for name, share in weight.items():
                add(f"universal-{sex}-{age}-averagemuscle-{name}", age_share * sex_share * share)


def _identity(face: Face, add: _Add) -> None:
    rng = np.random.default_rng(face.identity)
    family = np.random.default_rng(face.family)
    grown = 0.45 + 0.55 * _smooth(face.age_years, 1.0, 16.0)  # infants' heads differ less than adults'
    for down, up, spread in IDENTITY_PAIRS:
        own, shared = rng.normal(0.0, spread), family.normal(0.0, spread)
        value = float(np.clip(LIKENESS * (0.8 * own + 0.6 * shared), -0.8, 0.8)) * grown
        add(up if value > 0 else down, abs(value))
    add(str(rng.choice(FACE_SHAPES)), float(rng.uniform(0.0, 0.45)) * grown)
    for name in ASYMMETRIES:
        add(f"{name}-{rng.choice(['l', 'r'])}", float(abs(rng.normal(0.0, 0.25))))


def _ageing(face: Face, add: _Add) -> None:
    late = _smooth(face.age_years * (0.7 + 0.3 * face.ageing), 38.0, 78.0)
    late *= 0.82 + 0.18 * min(max(face.masculinity, 0.0), 1.0)
    add("*-eye-bag-incr", 0.75 * late)
    add("*-eye-eyefold-down", 0.55 * late)
    add("*-eye-height2-decr", 0.30 * late)
    add("mouth-upperlip-volume-decr", 0.45 * late)
    add("mouth-lowerlip-volume-decr", 0.35 * late)
    add("mouth-angles-down", 0.22 * late)
    add("mouth-laugh-lines-in", 0.55 * late)
    add("*-cheek-volume-decr", 0.30 * late * (1.0 - face.fatness))
    add("neck-double-incr", 0.35 * late * face.fatness)
    add("nose-point-down", 0.25 * late)
    add("*-ear-scale-vert-incr", 0.30 * late)
    # MakeHuman's baby has its eyes far apart, a wide mouth and jowls; photographed infants have a small mouth
    # between round cheeks.
    infant = 1.0 - _smooth(face.age_years, 0.5, 5.0)
    add("*-eye-trans-in", 0.45 * infant)
    add("mouth-scale-horiz-decr", 0.35 * infant)
    add("*-cheek-trans-up", 0.50 * infant)
    add("head-fat-decr", 0.20 * infant)
    add("chin-height-incr", 0.30 * infant)
    add("chin-prominent-decr", 0.55 * infant)
    add("nose-scale-vert-decr", 0.25 * infant)
    add("nose-point-up", 0.20 * infant)
    childlike = _smooth(face.age_years, 0.5, 4.0) * (1.0 - _smooth(face.age_years, 5.0, 15.0))
    add("*-eye-scale-incr", 0.30 * childlike)
    add("nose-scale-vert-decr", 0.20 * childlike)
    add("nose-scale-horiz-decr", 0.15 * childlike)
    add("nose-scale-depth-decr", 0.10 * childlike)
    add("chin-height-decr", 0.40 * childlike)
    add("*-cheek-volume-incr", 0.25 * childlike)
    add("head-age-decr", 0.30 * childlike)
    add("head-round", 0.25 * childlike)
    add("head-fat-incr", 0.25 * childlike)
    add("mouth-scale-horiz-decr", 0.25 * childlike)
    add("eyebrows-trans-up", 0.20 * childlike)


def _gender(face: Face, add: _Add) -> None:
    """Sexual dimorphism that MakeHuman's macro targets only hint at; it grows through puberty."""
    grown = 0.35 + 0.65 * _smooth(face.age_years, 7.0, 19.0)
    value = (face.masculinity - 0.5) * 2.0 * grown
    male, female = max(0.0, value), max(0.0, -value)
    add("chin-width-incr", 0.35 * male)
    add("chin-height-incr", 0.25 * male)
    add("chin-prominent-incr", 0.25 * male)
    add("head-square", 0.25 * male)
    add("head-rectangular", 0.15 * male)
    add("eyebrows-trans-down", 0.35 * male)
    add("eyebrows-trans-forward", 0.45 * male)
    add("forehead-nubian-decr", 0.15 * male)
    add("nose-scale-horiz-incr", 0.22 * male)
    add("nose-scale-depth-incr", 0.15 * male)
    add("neck-scale-horiz-incr", 0.45 * male)
    add("mouth-upperlip-volume-decr", 0.25 * male)
    add("*-eye-height2-decr", 0.15 * male)
    # The library's old woman is hardly to be told from its old man; photographs of old women are.
    female *= 1.0 + 0.6 * _smooth(face.age_years, 45.0, 70.0)
    add("chin-width-decr", 0.35 * female)
    add("chin-height-decr", 0.15 * female)
    add("head-oval", 0.25 * female)
    add("eyebrows-trans-up", 0.30 * female)
    add("*-eye-scale-incr", 0.40 * female)
    add("mouth-upperlip-volume-incr", 0.35 * female)
    add("mouth-lowerlip-volume-incr", 0.35 * female)
    add("*-cheek-bones-incr", 0.20 * female)
    add("nose-scale-horiz-decr", 0.48 * female)
    add("nose-scale-depth-decr", 0.28 * female)
    add("neck-scale-horiz-decr", 0.35 * female)


def _expression(face: Face, add: _Add) -> None:
    # The units were made for an adult's head.
    small = float(np.interp(face.age_years, (1.0, 10.0, 18.0), (0.32, 0.48, 1.0)))

    def both(name: str, value: float) -> None:
        value *= small
        add(f"unit-{name}Left", value)
        add(f"unit-{name}Right", value)

    both("mouthSmile", 1.25 * face.smile)
    both("mouthStretch", 0.30 * face.smile)
    both("cheekSquint", 0.75 * face.smile)
    both("eyeSquint", 0.35 * face.smile + 0.8 * face.squint)
    both("mouthUpperUp", 0.65 * face.smile * min(1.0, 3.0 * face.mouth_open))
    both("mouthDimple", 0.30 * face.smile)
    both("mouthLowerDown", 0.45 * face.mouth_open * face.smile)
    add("unit-jawOpen", (0.50 - 0.25 * face.smile) * small * face.mouth_open)
    both("mouthFrown", max(0.0, -face.smile))
    raise_, frown = max(0.0, face.brow_raise), max(0.0, -face.brow_raise)
    add("unit-browInnerUp", 0.7 * raise_)
    both("browOuterUp", 0.6 * raise_)
    both("eyeWide", 0.4 * raise_)
    both("browDown", 0.8 * frown)
    both("eyeBlink", face.blink)
    add("unit-eyeLookOutLeft", max(0.0, face.gaze_x))
    add("unit-eyeLookInRight", max(0.0, face.gaze_x))
    add("unit-eyeLookInLeft", max(0.0, -face.gaze_x))
    add("unit-eyeLookOutRight", max(0.0, -face.gaze_x))
    both("eyeLookUp", max(0.0, face.gaze_y))
    both("eyeLookDown", max(0.0, -face.gaze_y))


def head_vertices(bank: Bank, face: Face) -> Floats:
    """Vertices of the base mesh shaped into this face, shape (19158, 3), decimetres."""
    return moved_vertices(bank, target_weights(face))


def mean_head(bank: Bank, age: str) -> Floats:
    """Vertices of the mean head of one of MakeHuman's four ages, shape (19158, 3), decimetres."""
    weights = {f"{ancestry}-{sex}-{age}": 1 / 6 for ancestry in ANCESTRIES for sex in SEXES}
    weights |= {f"universal-{sex}-{age}-averagemuscle-averageweight": 1 / 2 for sex in SEXES}
    return moved_vertices(bank, weights)


def moved_vertices(bank: Bank, weights: dict[str, float]) -> Floats:
    """The base mesh with weighted morph targets added, shape (19158, 3), decimetres."""
    index = [bank.target_names[name] for name in weights]
    values = np.fromiter(weights.values(), np.float32)
    used = np.abs(values) > 1e-4
    moved = np.tensordot(values[used], bank.targets[np.asarray(index)[used]], axes=1)
    vertices = bank.base.vertices.copy()
    vertices[bank.moving] += moved
    return vertices

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesim.face import GLASSES
from facesim.glasses import Part, glasses_mesh

EYES = np.array([[-0.31, 7.0, 1.0], [0.31, 7.0, 1.0]])
EARS = np.array([[-0.75, 7.0, 0.1], [0.75, 7.0, 0.1]])
KINDS = st.sampled_from([kind for kind in GLASSES if kind != "none"])
SHARE = st.floats(0.0, 1.0)


def areas(part: Part) -> np.ndarray:
    a, b, c = (part.corners[part.triangles[:, k]] for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


@given(KINDS, SHARE)
def test_every_triangle_is_one(kind: str, roundness: float) -> None:
    for part in glasses_mesh(EYES, EARS, kind, roundness):
        assert np.isfinite(part.corners).all()
        assert part.triangles.min() == 0
        assert part.triangles.max() == len(part.corners) - 1
        assert areas(part).min() > 0
        assert len(part.uv) == len(part.vertex) == len(part.corners)


@given(KINDS, SHARE)
def test_lenses_lie_before_the_eyes_and_temples_reach_the_ears(kind: str, roundness: float) -> None:
    frame, lenses = glasses_mesh(EYES, EARS, kind, roundness)
    assert lenses.corners[:, 2].min() > EYES[0, 2] + 0.1
    half = len(lenses.corners) // 2
    for eye, lens in zip(EYES, (lenses.corners[:half], lenses.corners[half:]), strict=True):
        low, high = lens[:, :2].min(axis=0), lens[:, :2].max(axis=0)
        assert (low < eye[:2]).all()
        assert (eye[:2] < high).all()
    for ear in EARS:
        assert np.linalg.norm(frame.corners - ear, axis=1).min() < 0.05
    assert areas(frame).sum() > 0.1


@given(KINDS, SHARE)
def test_a_level_pair_is_symmetric(kind: str, roundness: float) -> None:
    frame, lenses = glasses_mesh(EYES, EARS, kind, roundness)
    for part, tolerance in ((frame, 0.05), (lenses, 1e-5)):  # a tube's corners lie anywhere round its middle
        mirrored = part.corners * [-1, 1, 1]
        apart = np.linalg.norm(mirrored[:, None] - part.corners[None], axis=2).min(axis=1)
        assert apart.max() < tolerance


@given(KINDS, SHARE, st.floats(0.5, 1.2), st.floats(-0.3, 0.3))
def test_glasses_fit_the_head_that_wears_them(kind: str, roundness: float, size: float, tilt: float) -> None:
    turn = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    _, plain = glasses_mesh(EYES, EARS, kind, roundness)
    _, fitted = glasses_mesh(EYES @ turn.T * size, EARS @ turn.T * size, kind, roundness)
    assert fitted.corners == pytest.approx(plain.corners @ turn.T * size, abs=0.01)


def test_kinds_and_roundness_differ() -> None:
    thin, thick, sun = (glasses_mesh(EYES, EARS, kind, 0.5) for kind in ("thin", "thick", "sun"))
    assert areas(thick[0]).sum() > 1.5 * areas(thin[0]).sum()
    assert areas(sun[1]).sum() > 1.1 * areas(thin[1]).sum()
    square, round_ = (glasses_mesh(EYES, EARS, "thin", roundness)[1] for roundness in (0.0, 1.0))

    def filled(lens: Part) -> float:
        box = np.ptp(lens.corners[: len(lens.corners) // 2, :2], axis=0)
        return float(areas(lens).sum() / 2 / box.prod())

    assert filled(round_) == pytest.approx(np.pi / 4, abs=0.03)
    assert filled(square) > 0.88

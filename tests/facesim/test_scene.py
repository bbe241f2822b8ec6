from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesim.face import Face
from facesim.scene import EYES, MOUTH, light_projection, lights, rotation, view_projection

# A flat face with the proportions of the aligned crops, so that it fits them exactly.
EYE_DISTANCE = 0.62
FLAT_EYES = np.array([[-0.31, 0.0, 0.0], [0.31, 0.0, 0.0]])
FLAT_MOUTH = np.array([0.0, -EYE_DISTANCE * (MOUTH[1] - EYES[0, 1]) / (EYES[1, 0] - EYES[0, 0]), 0.0])


def seen(face: Face, eyes: np.ndarray, mouth: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where points appear, as shares of the crop from its top left."""
    matrix, _ = view_projection(face, eyes, mouth)
    clip = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return (clip[:, :2] / clip[:, 3:]) * [0.5, -0.5] + 0.5


@given(st.floats(-180, 180), st.floats(0.5, 1.5), st.floats(-5, 5), st.floats(5, 26))
def test_a_face_that_fits_lands_where_aligned_crops_have_it(
    adult: Face, turn: float, size: float, aside: float, distance: float
) -> None:
    a = np.radians(turn)
    flat = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    eyes, mouth = FLAT_EYES @ flat.T * size + aside, flat @ FLAT_MOUTH * size + aside
    places = seen(replace(adult, camera_distance=distance), eyes, mouth, np.vstack([eyes, mouth]))
    assert places == pytest.approx(np.vstack([EYES, MOUTH]), abs=1e-4)


def test_zoom_shift_and_roll_move_the_crop(adult: Face) -> None:
    landmarks = np.vstack([FLAT_EYES, FLAT_MOUTH])

    def places(**causes: float) -> np.ndarray:
        return seen(replace(adult, **causes), FLAT_EYES, FLAT_MOUTH, landmarks)

    plain = places()
    assert np.ptp(places(zoom=1.1)[:2, 0]) == pytest.approx(1.1 * np.ptp(plain[:2, 0]))
    assert places(shift_x=0.03, shift_y=0.02) == pytest.approx(plain + np.array([0.03, -0.02]), abs=1e-5)
    rolled = places(roll_deg=10.0)
    assert np.linalg.norm(rolled[1] - rolled[0]) == pytest.approx(
        np.linalg.norm(plain[1] - plain[0]), abs=1e-4
    )
    across, down = rolled[1] - rolled[0]
    assert np.degrees(np.arctan2(-down, across)) == pytest.approx(10.0, abs=1e-3)
    # It turns about the middle of the face, which therefore stays.
    assert (rolled[:2].mean(axis=0) + rolled[2]) / 2 == pytest.approx(
        (plain[:2].mean(axis=0) + plain[2]) / 2, abs=0.01
    )


def test_the_camera_is_as_far_from_the_face_as_it_should_be(adult: Face) -> None:
    _, place = view_projection(replace(adult, camera_distance=9.0), FLAT_EYES, FLAT_MOUTH)
    assert place == pytest.approx([0, FLAT_MOUTH[1] / 2, 9.0])


@given(st.floats(-48, 48), st.floats(-22, 22))
def test_a_head_turns_without_changing_shape(yaw: float, pitch: float) -> None:
    turn = rotation(yaw, pitch)
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-6)
    assert np.linalg.det(turn) == pytest.approx(1.0, abs=1e-6)


def test_positive_yaw_turns_to_the_right_of_the_picture_and_positive_pitch_up() -> None:
    ahead = np.array([0.0, 0.0, 1.0])
    assert (rotation(30.0, 0.0) @ ahead)[0] == pytest.approx(0.5, abs=1e-6)
    assert (rotation(0.0, 30.0) @ ahead)[1] == pytest.approx(0.5, abs=1e-6)


angles = st.tuples(st.floats(-100, 100), st.floats(-5, 80))


@given(angles, st.tuples(*[st.floats(-1, 1)] * 3))
def test_the_shadow_map_holds_all_that_is_within_its_radius(
    adult: Face, light: tuple[float, float], offset: tuple[float, ...]
) -> None:
    shining = lights(replace(adult, light_azimuth_deg=light[0], light_elevation_deg=light[1]))
    direction, centre, radius = np.array(shining.key_direction), np.array([0.3, 7.0, 0.5]), 2.3
    matrix = light_projection(direction, centre, radius)
    assert matrix @ [*centre, 1] == pytest.approx([0, 0, 0, 1], abs=1e-5)
    inside = centre + radius * np.array(offset) / max(1.0, float(np.linalg.norm(offset)))
    assert np.abs(matrix @ [*inside, 1])[:3].max() <= 1 + 1e-5
    # What is nearer to the light has the smaller depth, and hides what is behind it.
    nearer = matrix @ [*(inside + 0.1 * direction), 1]
    assert nearer[2] < (matrix @ [*inside, 1])[2]
    assert nearer[:2] == pytest.approx((matrix @ [*inside, 1])[:2], abs=1e-5)


@given(angles)
def test_lights_shine_from_where_the_angles_say(adult: Face, light: tuple[float, float]) -> None:
    azimuth, elevation = light
    left, right = (
        lights(replace(adult, light_azimuth_deg=side * azimuth, light_elevation_deg=elevation))
        for side in (-1, 1)
    )
    x, y, z = right.key_direction
    assert np.hypot(np.hypot(x, y), z) == pytest.approx(1.0)
    assert np.degrees(np.arcsin(y)) == pytest.approx(elevation, abs=1e-4)
    assert left.key_direction == pytest.approx((-x, y, z))
    assert np.linalg.norm(right.fill_direction) == pytest.approx(1.0)
    assert right.fill_direction[0] * x <= 1e-9  # the fill comes from the other side


def test_warm_light_is_orange_and_strength_scales_it(adult: Face) -> None:
    warm, cold = (lights(replace(adult, light_warmth=warmth)).key_colour for warmth in (1.0, -1.0))
    assert warm[0] > warm[1] > warm[2]
    assert cold[0] < cold[1] < cold[2]
    strong = lights(replace(adult, light_strength=2 * adult.light_strength))
    assert strong.key_colour == pytest.approx(2 * np.array(lights(adult).key_colour))
    assert strong.sky_colour == lights(adult).sky_colour

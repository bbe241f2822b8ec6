"""Where the camera and the lights are."""

from __future__ import annotations

import numpy as np

from facesim.face import Face
from facesim.mesh import Floats
from facesim.raster import Lights

# Where aligned face crops put the eyes and the mouth, as shares of the crop (origin top left).
EYES = np.array([[0.302, 0.284], [0.698, 0.284]])
MOUTH = np.array([0.5, 0.692])


def rotation(yaw_deg: float, pitch_deg: float) -> Floats:
    """Rotation of the head: yaw to its left, then pitch upwards; shape (3, 3)."""
    yaw, pitch = np.radians([yaw_deg, pitch_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    return (about_x @ about_y).astype(np.float32)


def view_projection(face: Face, eyes: Floats, mouth: Floats) -> tuple[Floats, Floats]:
    """Camera that puts eyes and mouth where aligned crops have them.

    Parameters
    ----------
    face : its camera distance, roll, zoom and shift are used
    eyes : shape (2, 3), centres of the eyes, the one left in the picture first, turned into the scene
    mouth : shape (3,)

    Returns
    -------
    Matrix from the scene to the picture, shape (4, 4), and the camera's place, shape (3,).
    """
    centre = (eyes.mean(axis=0) + mouth) / 2
    camera = centre + np.array([0.0, 0.0, face.camera_distance], np.float32)
    points = np.stack([eyes[0], eyes[1], mouth])
    depth = camera[2] - points[:, 2]
    flat = (points[:, :2] - camera[:2]) / depth[:, None]
    wanted = np.stack([EYES[0], EYES[1], MOUTH]) * [2, -2] + [-1, 1]
    scale, turn, shift = _similarity(flat, wanted)
    roll = np.radians(face.roll_deg)
    turn = turn @ np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    scale *= face.zoom
    shift = shift * face.zoom + 2 * np.array([face.shift_x, face.shift_y])
    near, far = face.camera_distance * 0.4, face.camera_distance + 6.0
    matrix = np.zeros((4, 4))
    matrix[:2, :2] = scale * turn
    matrix[:2, 2] = -shift  # shift is in clip units and is divided by w = -z
    matrix[2, 2:] = -(far + near) / (far - near), -2 * far * near / (far - near)
    matrix[3, 2] = -1
    view = np.eye(4)
    view[:3, 3] = -camera
    return (matrix @ view).astype(np.float32), camera.astype(np.float32)


def _similarity(points: Floats, wanted: Floats) -> tuple[float, Floats, Floats]:
    """Least-squares scale, rotation and shift that take `points` to `wanted` (Umeyama, 1991)."""
    from_mean, to_mean = points.mean(axis=0), wanted.mean(axis=0)
    u, s, vt = np.linalg.svd((wanted - to_mean).T @ (points - from_mean))
    flip = np.diag([1.0, np.sign(np.linalg.det(u @ vt))])
    turn = u @ flip @ vt
    scale = float((s * np.diag(flip)).sum() / ((points - from_mean) ** 2).sum())
    return scale, turn, to_mean - scale * turn @ from_mean


def light_projection(direction: Floats, centre: Floats, radius: float) -> Floats:
    """Orthographic matrix of the shadow map, shape (4, 4), looking along -`direction` at `centre`."""
    forward = -direction / np.linalg.norm(direction)
    side = np.cross(forward, [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(side, forward), -forward])
    matrix = np.eye(4)
    matrix[:3, :3] = axes / radius
    matrix[2, :3] *= -0.5
    matrix[:3, 3] = -matrix[:3, :3] @ centre
    return matrix.astype(np.float32)


def lights(face: Face) -> Lights:
    """Key, fill and sky of one photograph."""
    azimuth, elevation = np.radians([face.light_azimuth_deg, face.light_elevation_deg])
    key = (np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation))
    warm = face.light_warmth
    key_colour = face.light_strength * np.array([1 + 0.18 * warm, 1.0, 1 - 0.26 * warm])
    sky = face.light_ambient * np.array([1 - 0.06 * warm, 1.0, 1 + 0.10 * warm])
    fill = np.array([-np.sin(azimuth) * 0.8, 0.1, 0.6])
    return Lights(
        key_direction=key,
        key_colour=tuple(key_colour),
        sky_colour=tuple(sky),
        ground_colour=tuple(sky * [0.55, 0.48, 0.42]),
        fill_direction=tuple(fill / np.linalg.norm(fill)),
        fill_colour=tuple(0.30 * sky),
    )

"""From linear light to a small photograph: background, exposure, tone, blur, noise."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from facesim.face import Face
from facesim.mesh import Floats

SIZE = 96
SUPERSAMPLING = 3


def background(face: Face) -> Floats:
    """What is behind the head: wall, room, foliage or lights out of focus; linear RGB, shape (96, 96, 3)."""
    rng = np.random.default_rng(face.background)
    shift = np.random.default_rng([face.background, face.clothes])
    level = float(rng.choice([0.04, 0.15, 0.35, 0.7]))
    colour = np.clip(level * np.exp(rng.normal(0, 0.25, 3)), 0.01, 1.0)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    slope = 1 + rng.uniform(-0.5, 0.5) * x + rng.uniform(-0.6, 0.6) * y
    picture = np.ones((SIZE, SIZE, 3)) * colour * slope[..., None]
    kind = int(rng.integers(4))
    softness = float(rng.uniform(1.0, 6.0))
    for _ in range((0, 8, 60, 25)[kind]):
        tint = np.clip(level * np.exp(rng.normal(0, 0.7, 3)), 0.005, 1.4)
        cx, cy = rng.uniform(-0.1, 1.1, 2) + shift.normal(0, 0.08, 2)
        if kind == 1:  # furniture, doors, people: boxes
            w, h = rng.uniform(0.05, 0.35, 2)
            inside = (abs(x - cx) < w) & (abs(y - cy) < h * 2)
        else:  # leaves, lights
            inside = (x - cx) ** 2 + (y - cy) ** 2 < rng.uniform(0.02, 0.10 if kind == 2 else 0.07) ** 2
            tint = tint * ([0.6, 1.2, 0.5] if kind == 2 else 1.3)
        picture[inside] = 0.4 * picture[inside] + 0.6 * tint
    return ndimage.gaussian_filter(picture, (softness, softness, 0)).astype(np.float32)


def develop(pixels: Floats, face: Face, seed: int) -> Image.Image:
    """The photograph of a rendered frame.

    Parameters
    ----------
    pixels : shape (288, 288, 4), linear RGB and coverage
    face : the background and the causes of the photograph are used
    seed : of the sensor's noise

    Returns
    -------
    96×96 RGB image.
    """
    light = pixels.reshape(SIZE, SUPERSAMPLING, SIZE, SUPERSAMPLING, 4).mean(axis=(1, 3))
    scene = light[..., :3] + (1 - light[..., 3:]) * background(face) * (0.4 + 0.8 * face.light_ambient)
    scene = ndimage.gaussian_filter(scene, (face.blur_px, face.blur_px, 0))
    if face.motion_px:
        scene = ndimage.uniform_filter1d(scene, 1 + round(2 * face.motion_px), axis=face.clothes % 2)
    scene *= 2.0**face.exposure
    scene = scene * (1 + 0.15 * scene) / (1 + 0.55 * scene)  # highlights roll off as film's do
    picture = np.clip(scene, 0, 1) ** (1 / 2.2)
    picture = 0.5 + (picture - 0.47) * face.contrast
    grey = picture @ np.array([0.30, 0.59, 0.11], np.float32)
    picture = grey[..., None] + face.saturation * (picture - grey[..., None])
    softer = ndimage.gaussian_filter(picture, (1.1, 1.1, 0))
    picture = picture + face.sharpening * (picture - softer)
    rng = np.random.default_rng(seed)
    grain = 1.4 * ndimage.gaussian_filter(rng.normal(0, 1, (SIZE, SIZE)), 0.5)[..., None]
    picture = picture + face.noise * (grain + rng.normal(0, 0.5, (SIZE, SIZE, 3)))
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if face.mirrored else image

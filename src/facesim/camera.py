"""Take a photograph of a face: the whole way from its causes to the picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from facesim.bank import load_bank
from facesim.face import Face
from facesim.look import Wardrobe
from facesim.photograph import SIZE, SUPERSAMPLING, develop
from facesim.raster import Rasteriser
from facesim.scene import light_projection, lights, view_projection


class Camera:
    """Holds the assets and the OpenGL context of one process."""

    def __init__(self) -> None:
        bank = load_bank()
        self.wardrobe = Wardrobe(bank)
        self.rasteriser = Rasteriser(SIZE * SUPERSAMPLING, bank.textures)
        self.wardrobe.bake_occlusion(self.rasteriser)

    def photograph(self, face: Face, seed: int = 0) -> Image.Image:
        """A 96×96 RGB photograph; the same face and seed give the same picture."""
        model = self.wardrobe.build(face)
        self.rasteriser.set_texture("skin", model.skin_image)
        matrix, place = view_projection(face, model.eyes, model.mouth)
        shining = lights(face)
        centre = (model.eyes.mean(axis=0) + model.mouth) / 2 - np.array([0.0, 0.0, 0.6], np.float32)
        shadow = light_projection(np.asarray(shining.key_direction), centre, 2.3)
        pixels = self.rasteriser.draw(model.layers, matrix, place, shadow, shining)
        return develop(pixels, face, seed)


@lru_cache(maxsize=1)
def shared_camera() -> Camera:
    """The camera of this process."""
    return Camera()

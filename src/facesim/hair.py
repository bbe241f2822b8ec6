"""Hair on head and face: MakeHuman's hair meshes, and fur (shells of short hairs) for what grows close."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from facesim.face import Face


@dataclass(frozen=True)
class Fur:
    """Short hair as a stack of shells over the skin, each showing only the hairs that reach that high."""

    reach: float  # decimetres on an adult's head
    shells: int
    density: float
    grain: float  # hairs per eye distance
    frizz: float  # 0 straight … 1 curly
    fall: float = 0.3  # how far it bends down, in reaches
    taper: float = 1.0  # 1: few hairs reach the outermost shell … 0: all do

    def thinned(self, share: float) -> Fur:
        """The same fur with fewer hairs."""
        return replace(self, density=self.density * share)


SCALP_FUR = {
    "fuzz": Fur(0.05, 4, 0.42, 34.0, 0.25),
    "buzz": Fur(0.035, 4, 0.85, 46.0, 0.2),
    "crop": Fur(0.16, 8, 0.95, 34.0, 0.15),
    "horseshoe": Fur(0.10, 6, 0.85, 36.0, 0.2),
    "curls": Fur(0.30, 10, 0.95, 15.0, 1.0, fall=0.1),
    "bangs": Fur(0.42, 14, 1.0, 26.0, 0.05, fall=1.5, taper=0.45),
}
BEARD_FUR = {
    "stubble": Fur(0.012, 2, 0.55, 60.0, 0.1),
    "moustache": Fur(0.07, 5, 0.95, 40.0, 0.15),
    "goatee": Fur(0.09, 6, 0.95, 38.0, 0.25),
    "full": Fur(0.12, 7, 0.95, 34.0, 0.35),
}
BEARD_KIND = {"stubble": 1.0, "full": 1.0, "moustache": 2.0, "goatee": 3.0}


def hair_colour(melanin: float, red: float) -> np.ndarray:
    """Linear RGB of hair with this much melanin (0 fair, 1 black) and red pigment; shape (3,)."""
    stops = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    fair_to_black = np.array(
        [
            [0.52, 0.38, 0.20],
            [0.30, 0.19, 0.09],
            [0.135, 0.078, 0.040],
            [0.055, 0.033, 0.022],
            [0.018, 0.015, 0.014],
        ]
    )
    colour = np.array([np.interp(melanin, stops, fair_to_black[:, channel]) for channel in range(3)])
    return colour * (1 + red * np.array([0.55, -0.10, -0.35]))


GREY = (0.42, 0.41, 0.40)


def scalp_furs(face: Face) -> list[Fur]:
    """Furs of the hair style; hair meshes sit on a cropped under-layer so that no scalp shines through."""
    if face.hair_style == "bald":
        return []
    furs = [SCALP_FUR.get(face.hair_style, SCALP_FUR["buzz"])]
    return [*furs, SCALP_FUR["bangs"]] if face.bangs else furs

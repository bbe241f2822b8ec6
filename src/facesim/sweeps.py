"""The counterfactual set: the same head, light and camera with one cause changed, everything else held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facelab.files import written_whole
from facesim.dataset import rounded
from facesim.face import Face
from facesim.people import draw_photograph, draw_subjects
from facesim.studio import Order, photograph_all, seal

AGES = (1.0, 5.0, 10.0, 17.0, 28.0, 40.0, 50.0, 70.0)  # one in each of the benchmark's groups
MASCULINITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
ANCESTRIES = ("african", "asian", "caucasian")
LIGHT_AZIMUTHS = (-75.0, 0.0, 75.0)
GLASSES = ("none", "thick", "sun")
HAIR_STYLES = ("buzz", "short01", "long01")
UNDRESSED: dict[str, Any] = {
    **{"beard": "none", "makeup": 0.0, "grey": 0.0, "recession": 0.0, "glasses": "none", "bangs": False},
    **{"motion_px": 0.0, "blink": 0.0},
}


@dataclass(frozen=True)
class Counterfactual:
    """One picture of a sweep: who, which cause was set, to what."""

    identity: int
    factor: str
    value: str
    face: Face
    seed: int

    @property
    def path(self) -> str:
        """Place below the set's folder."""
        return f"faces/{self.identity:03d}/{self.factor}_{self.value}.jpg"


def plan(seed: int, identities: int) -> list[Counterfactual]:
    """Every picture of every sweep."""
    rng = np.random.default_rng([seed, 4])
    subjects = [subject for subject in draw_subjects(seed + 1, 6_000) if 20 <= subject.age_years <= 45]
    chosen = rng.choice(len(subjects), identities, replace=False)
    planned = []
    for identity, place in enumerate(chosen):
        subject = subjects[place]
        # Half the heads lean to the feminine and half to the masculine, whatever the subject's gender.
        base = replace(
            draw_photograph(subject, 0),
            **UNDRESSED,
            age_years=28.0,
            hair_style=HAIR_STYLES[identity % 3],
            hair_swept_deg=0.0,
            masculinity=float(identity % 2) * 0.5 + 0.25,
            yaw_deg=float(rng.normal(0, 8)),
            blur_px=0.4,
        )
        for factor, value, face in _sweeps(base):
            planned.append(Counterfactual(identity, factor, value, face, subject.seed))
    return planned


def _sweeps(base: Face) -> Iterator[tuple[str, str, Face]]:
    for age in AGES:
        yield "age", f"{age:g}", replace(base, age_years=age)
    for masculinity in MASCULINITIES:
        yield "masculinity", f"{masculinity:g}", replace(base, masculinity=masculinity)
    for ancestry in ANCESTRIES:
        shares: dict[str, Any] = {f"ancestry_{name}": float(name == ancestry) for name in ANCESTRIES}
        yield "ancestry", ancestry, replace(base, **shares)
    lamp = replace(base, light_elevation_deg=25.0, light_strength=1.3, light_ambient=0.35)
    for azimuth in LIGHT_AZIMUTHS:
        yield "light", f"{azimuth:g}", replace(lamp, light_azimuth_deg=azimuth)
    for glasses in GLASSES:
        yield "glasses", glasses, replace(base, glasses=glasses)
    for style in HAIR_STYLES:
        yield "hair", style, replace(base, hair_style=style)


def render(folder: Path, seed: int = 1, identities: int = 200, workers: int | None = None) -> None:
    """Render the counterfactual set; its seal is written last, so a folder that has it is complete."""
    planned = plan(seed, identities)
    photograph_all([Order(item.path, item.face, item.seed) for item in planned], folder, workers)
    with written_whole(folder / "sweeps.csv") as aside:
        table(planned).to_csv(aside, index=False, lineterminator="\n")
    seal(folder, ["sweeps.csv", *(item.path for item in planned)])


def table(planned: list[Counterfactual]) -> pd.DataFrame:
    """Which picture shows what, and its causes; one row each."""
    rows = []
    for item in planned:
        causes = rounded(item.face)
        del causes["identity"]
        key = {"identity": item.identity, "factor": item.factor, "value": item.value, "path": item.path}
        rows.append(key | causes)
    return pd.DataFrame(rows)

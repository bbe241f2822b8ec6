"""Predictions of a few faces, made up; and the albums and slices of real ones, with answers made up."""

from functools import cache

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from scipy.stats import norm

from facelab import adience, embedded
from facelab import evaluation as ev

SCORES = [ev.accuracy, ev.one_off_accuracy, ev.balanced_accuracy, ev.mae_in_groups]


@st.composite
def predictions(draw, smallest=1):
    """True and predicted age groups of a few faces."""
    faces = draw(st.integers(smallest, 30))
    groups = st.lists(st.integers(0, 7), min_size=faces, max_size=faces)
    return np.array(draw(groups)), np.array(draw(groups))


@st.composite
def albums_too(draw):
    """The same with their albums, at least two."""
    true, predicted = draw(predictions(smallest=2))
    rest = draw(st.lists(st.integers(0, 5), min_size=len(true) - 2, max_size=len(true) - 2))
    return true, predicted, np.array([0, 1, *rest])


@cache
def fold_four() -> tuple[np.ndarray, pd.DataFrame]:
    """The album of each test face of fold 4, as numbers from 0, and slices like those of lesson 8.1."""
    table = adience.usable(adience.read_folds(embedded.data_dir()))
    test = table[table["fold"] == 4].reset_index(drop=True)
    cause = embedded.read_factors().set_index("path").loc[test["path"]].reset_index()
    child, is_m = test["age_group"].cat.codes <= 2, test["gender"] == "m"
    slices = {f"age {group}": test["age_group"] == group for group in adience.AGE_GROUPS}
    slices |= {
        f"{gender}, {age}": (is_m == (gender == "m")) & (child == (age == "child"))
        for gender in "fm"
        for age in ("child", "grown up")
    }
    slices |= {"labelled f": ~is_m, "turned": cause["yaw_deg"].abs() >= 22}
    slices |= {f"{name}, upper": cause[name] > cause[name].quantile(0.75) for name in ("blur_px", "exposure")}
    slices |= {"melanin added": cause["skin_tone"] >= 0.2, "melanin taken": cause["skin_tone"] <= -0.2}
    slices |= {f"African slider ≥ 1/{n}": cause["ancestry_african"] >= 1 / n for n in (3, 2)}
    slices |= {"glasses": cause["glasses"] != "none"}
    return test["user_id"].factorize()[0], pd.DataFrame(slices)


def drawn_right(
    chance: np.ndarray | float, album: np.ndarray, album_sd: float, rng: np.random.Generator
) -> np.ndarray:
    """Whether each face is right: on average with its chance, in some albums more often than in others.

    The effect is normal on the probit scale, where a chance stays exactly what it is on average; 1.7 logits
    are nearly one probit.
    """
    scale = album_sd / 1.7
    effect = scale * rng.normal(size=album.max() + 1)
    return norm.ppf(chance) * np.hypot(1, scale) + effect[album] > rng.normal(size=len(album))

"""Who is in the data set: albums, families, subjects and the photographs of them, all drawn from one seed.

The numbers of photographs by fold, written age and written gender are the benchmark's own, scaled down
(``benchmark_counts.csv``, counted in the published annotation files), so that balance, imbalance between
folds and missing labels come out as in Adience.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from facelab.adience import AGE_GROUPS, years
from facesim.face import BEARDS, EYE_COLOURS, Face

ADULT = 17.0
LARGEST_SUBJECT = 30
LARGEST_ALBUM = 0.16  # share of its fold, about; in Adience the largest album holds 4 % of all photographs
ALBUMS_PER_FOLD = 50
WRONG_GENDER = 0.015  # share of subjects whose written gender is not the rendered one
WRONG_AGE = 0.04  # share of subjects whose true age belongs to a neighbouring group


@dataclass(frozen=True)
class Album:
    """What the photographs of one album share: a camera, places, light, families."""

    user_id: str
    seed: int
    blur_px: float
    noise: float
    jpeg_quality: int
    warmth: float
    saturation: float
    contrast: float
    sharpening: float
    places: tuple[int, ...]  # seeds of backgrounds
    families: tuple[int, ...]
    camera_distance: float


@dataclass(frozen=True)
class Subject:
    """One person of one album, with the label that an annotator wrote."""

    album: Album
    face_id: int  # unique in the whole set, as in the benchmark
    fold: int
    written_age: str
    written_gender: str
    true_gender: str
    age_years: float
    photographs: int
    family: int
    seed: int


def draw_subjects(seed: int, photographs: int) -> list[Subject]:
    """Albums and subjects of a data set of about this many photographs."""
    with (files("facesim") / "benchmark_counts.csv").open() as lines:
        counts = pd.read_csv(lines, keep_default_na=False)
    share = photographs / counts["photographs"].sum()
    subjects: list[Subject] = []
    for fold in range(5):
        cells = counts.loc[counts["fold"] == fold, ["age", "gender", "photographs"]]
        rng = np.random.default_rng([seed, fold])
        albums = [_draw_album(rng) for _ in range(ALBUMS_PER_FOLD)]
        popularity = rng.pareto(1.3, ALBUMS_PER_FOLD) + 0.15
        popularity = np.minimum(popularity / popularity.sum(), LARGEST_ALBUM)
        popularity /= popularity.sum()
        for age, gender, count in cells.itertuples(index=False):
            left = int(count * share + rng.random())  # rounded at random, so that rare labels do not vanish
            while left > 0:
                size = min(left, LARGEST_SUBJECT, int(np.ceil(rng.lognormal(1.25, 1.0))))
                album = albums[int(rng.choice(ALBUMS_PER_FOLD, p=popularity))]
                subjects.append(_draw_subject(rng, album, len(subjects) + 1, fold, age, gender, size))
                left -= size
    return subjects


def _draw_album(rng: np.random.Generator) -> Album:
    families = tuple(int(value) for value in rng.integers(1, 2**31, int(rng.integers(1, 4))))
    return Album(
        # Real albums are named after their account and end in @N; these must not be anybody's.
        user_id=f"{rng.integers(10_000_000, 99_999_999)}@R{rng.integers(0, 10):02d}",
        seed=int(rng.integers(1, 2**31)),
        blur_px=float(rng.gamma(2.0, 0.17)),
        noise=float(rng.gamma(2.0, 0.004)),
        jpeg_quality=int(rng.integers(72, 92)),
        warmth=float(rng.normal(0.15, 0.45)),
        saturation=float(np.clip(rng.normal(1.0, 0.18), 0.0, 1.5)) if rng.random() > 0.04 else 0.0,
        contrast=float(np.clip(rng.normal(1.08, 0.15), 0.7, 1.5)),
        sharpening=float(max(0.0, rng.normal(0.35, 0.45))),
        places=tuple(int(value) for value in rng.integers(1, 2**31, int(rng.integers(1, 6)))),
        families=families,
        camera_distance=float(np.clip(rng.lognormal(2.4, 0.3), 5.5, 22.0)),
    )


def _draw_subject(
    rng: np.random.Generator, album: Album, face_id: int, fold: int, age: str, gender: str, size: int
) -> Subject:
    true_gender = gender if gender in ("f", "m") else str(rng.choice(["f", "m"]))
    if rng.random() < WRONG_GENDER:
        true_gender = {"f": "m", "m": "f"}[true_gender]
    return Subject(
        album=album,
        face_id=face_id,
        fold=fold,
        written_age=age,
        written_gender=gender,
        true_gender=true_gender,
        age_years=_draw_age(rng, age),
        photographs=size,
        family=int(rng.choice(album.families)),
        seed=int(rng.integers(1, 2**31)),
    )


_GROUPS = [span for group in AGE_GROUPS if (span := years(group))]


def _draw_age(rng: np.random.Generator, written: str) -> float:
    """A true age in years behind a written one: annotators see apparent age, so it strays a little."""
    if written == "None":
        low, high = _GROUPS[int(rng.integers(len(_GROUPS)))]
    elif written.startswith("("):
        low, high = (int(word) for word in written.strip("()").split(","))
        if (low, high) in _GROUPS and rng.random() < WRONG_AGE:
            place = _GROUPS.index((low, high)) + (1 if rng.random() < 0.5 else -1)
            low, high = _GROUPS[min(max(place, 0), len(_GROUPS) - 1)]
    else:
        low = high = int(written)
    age = 60.0 + min(float(rng.gamma(2.0, 5.5)), 32.0) if low == 60 else float(rng.uniform(low, high + 1))
    return round(float(np.clip(age * (1 + rng.normal(0.0, 0.03)), 0.3, 95.0)), 2)


def draw_person(subject: Subject) -> dict[str, Any]:
    """What all photographs of a subject share: head, skin, colours, usual hair, beard and glasses."""
    family = np.random.default_rng(subject.family)
    rng = np.random.default_rng(subject.seed)
    male = subject.true_gender == "m"
    age = subject.age_years
    ancestry = family.dirichlet([0.22, 0.28, 0.75]) * 0.85 + rng.dirichlet([0.3, 0.3, 0.6]) * 0.15
    african, asian, caucasian = (float(value) for value in ancestry)
    dark = african + 0.9 * asian
    melanin = float(np.clip(rng.beta(1.6, 1.3) * (1 - dark) + 0.97 * dark + rng.normal(0, 0.04), 0.0, 1.0))
    onset = float(rng.normal(46, 9))
    grey = float(np.clip((age - onset) / 28, 0, 1))
    person: dict[str, Any] = {
        "identity": subject.seed,
        "family": subject.family,
        "age_years": age,
        "masculinity": float(np.clip(rng.normal(0.95 if male else 0.0, 0.22), -0.35, 1.3)),
        "ancestry_african": african,
        "ancestry_asian": asian,
        "ancestry_caucasian": caucasian,
        "fatness": float(np.clip(rng.beta(2.2, 2.6) + 0.1 * (35 < age < 75), 0, 1)),
        "skin_tone": float(rng.normal(0.0, 0.30) + 0.3 * asian * african),
        "ageing": float(np.clip(rng.normal(1.0, 0.2), 0.5, 1.5)),
        "hair_melanin": min(1.0, melanin + (0.15 if age > ADULT else -0.05)) if melanin > 0.05 else melanin,
        "hair_red": float(rng.random() < 0.10) * float(rng.uniform(0.3, 1.0)) * caucasian,
        "grey": 0.6 * grey if not male and rng.random() < 0.45 else grey,  # dyed
        "recession": _draw_recession(rng, male, age),
        "brow_style": _draw_brow(rng, male, age),
        "brow_density": float(np.clip(rng.normal(1.12 if male else 0.92, 0.22), 0.3, 1.6)),
        "eye_colour": str(rng.choice(EYE_COLOURS[1:])) if melanin < 0.75 and rng.random() < 0.75 else "brown",
        "glasses": _draw_glasses(rng, age),
        "makeup": float(rng.uniform(0.3, 1.0)) if not male and age > 14 and rng.random() < 0.74 else 0.0,
    }
    person |= _draw_hair(rng, male, age, african)
    person |= _draw_beard(rng, male, age)
    return person


def _draw_recession(rng: np.random.Generator, male: bool, age: float) -> float:
    if male and age > 22:
        return float(np.clip(rng.normal((age - 30) / 60, 0.22), 0, 1))
    return float(rng.uniform(0, 0.12))


def _draw_brow(rng: np.random.Generator, male: bool, age: float) -> int:
    if age < 3:
        return int(rng.choice([4, 7, 11]))
    if male:
        return int(rng.choice([1, 3, 4, 5, 8, 9, 12], p=[0.14, 0.12, 0.18, 0.14, 0.16, 0.12, 0.14]))
    return int(rng.choice([1, 2, 4, 6, 7, 8, 10, 11], p=[0.16, 0.18, 0.10, 0.10, 0.10, 0.12, 0.14, 0.10]))


def _draw_glasses(rng: np.random.Generator, age: float) -> str:
    share = float(np.interp(age, (3, 8, 16, 40, 60), (0.0, 0.07, 0.14, 0.22, 0.42)))
    if rng.random() < share:
        return str(rng.choice(["thin", "thick"]))
    return "none"


def _draw_hair(rng: np.random.Generator, male: bool, age: float, african: float) -> dict[str, Any]:
    """Usual hair; long hair on men and short on women are common enough that hair alone decides nothing."""
    bangs = False
    if age < 2.0:
        style = rng.choice(["fuzz", "bald", "buzz", "crop"], p=[0.55, 0.20, 0.15, 0.10])
    elif male:
        styles = ["crop", "buzz", "short01", "short02", "short04", "curls", "short03", "long01", "bob02"]
        styles += ["bald", "horseshoe"]
        bald = float(np.interp(age, (25, 40, 65), (0.01, 0.08, 0.14)))
        horseshoe = float(np.interp(age, (35, 50, 70), (0.0, 0.10, 0.30)))
        rest = np.array([0.25, 0.15, 0.10, 0.10, 0.06, 0.11, 0.10, 0.08, 0.05])
        style = rng.choice(styles, p=[*(rest / rest.sum() * (1 - bald - horseshoe)), bald, horseshoe])
        bangs = bool(rng.random() < (0.30 if age < 14 else 0.07))
        bangs = bangs and style not in ("bald", "horseshoe", "buzz", "curls")
    else:
        styles = ["long01", "bob02", "Braid01", "ponytail01", "short03", "curls", "crop", "short02", "bob01"]
        short = float(np.interp(age, (30, 50, 65), (0.17, 0.24, 0.34)))
        p = np.array([0.34, 0.18, 0.14, 0.13, 0.07, 0.40 * short, 0.35 * short, 0.25 * short, 0.02])
        style = rng.choice(styles, p=p / p.sum())
        bangs = bool(rng.random() < 0.30)
    if african > 0.6 and rng.random() < 0.5 and age > 2:
        styles = ["buzz", "curls", "afro01"] if male else ["curls", "afro01", "ponytail01", "Braid01"]
        style = rng.choice(styles)
        bangs = False
    swept = {"bob01": 22.0, "bob02": 12.0, "short03": 14.0, "Braid01": 8.0}.get(str(style), 0.0)
    swept += float(rng.uniform(-4, 6)) if swept else 0.0
    return {"hair_style": str(style), "bangs": bangs, "hair_swept_deg": swept}


def _draw_beard(rng: np.random.Generator, male: bool, age: float) -> dict[str, Any]:
    density = float(np.clip(rng.normal(0.85, 0.2), 0.3, 1.1))
    if not male or age < 17:
        return {"beard": "none", "beard_density": density}
    grown = float(np.clip((age - 16) / 6, 0, 1))
    p = np.array([0.0, 0.22, 0.05, 0.06, 0.09]) * grown
    p[0] = 1 - p.sum()
    return {"beard": str(rng.choice(BEARDS, p=p)), "beard_density": density}


def draw_photograph(subject: Subject, number: int) -> Face:
    """One photograph of a subject: what it does, where it is, and what camera and light make of it."""
    album = subject.album
    person = draw_person(subject)
    rng = np.random.default_rng([subject.seed, number])
    infant = subject.age_years < 2.5
    smiling = rng.random() < (0.40 if infant else 0.55 if subject.true_gender == "m" else 0.68)
    smile = float(rng.uniform(0.35, 1.1)) if smiling else float(rng.normal(0.0, 0.12))
    opened = float(rng.uniform(0.2, 0.9)) if rng.random() < (0.62 if smiling else 0.18) else 0.0
    place = int(rng.choice(album.places))
    light = np.random.default_rng([place, int(rng.integers(2))])  # two kinds of light in each place
    if person["glasses"] == "none" and rng.random() < 0.025 and subject.age_years > 3:
        person["glasses"] = "sun"
    return Face(
        **person,
        smile=smile,
        mouth_open=opened,
        brow_raise=float(np.clip(rng.normal(0.1, 0.3), -0.8, 1.0)),
        squint=float(max(0.0, rng.normal(0.0, 0.2))),
        blink=float(rng.uniform(0.5, 1.0)) if rng.random() < 0.02 else float(rng.uniform(0, 0.12)),
        gaze_x=float(np.clip(rng.normal(0, 0.25), -1, 1)),
        gaze_y=float(np.clip(rng.normal(0, 0.15), -1, 1)),
        yaw_deg=float(np.clip(rng.normal(0, 14), -48, 48)),
        pitch_deg=float(np.clip(rng.normal(-1, 7), -22, 22)),
        roll_deg=float(np.clip(rng.normal(0, 2.2), -12, 12)),
        camera_distance=float(np.clip(album.camera_distance * rng.lognormal(0, 0.15), 5.0, 26.0)),
        shift_x=float(rng.normal(0, 0.011)),
        shift_y=float(rng.normal(0, 0.011)),
        mirrored=bool(rng.random() < 0.5),
        zoom=float(np.clip(rng.normal(0.985, 0.035), 0.85, 1.12)),
        light_azimuth_deg=float(np.clip(light.normal(0, 30) + rng.normal(0, 10), -100, 100)),
        light_elevation_deg=float(np.clip(light.normal(32, 15) + rng.normal(0, 6), -5, 75)),
        light_strength=float(np.clip(light.lognormal(-0.05, 0.35), 0.35, 1.8)),
        light_ambient=float(np.clip(light.lognormal(-0.45, 0.35), 0.25, 1.2)),
        light_warmth=float(np.clip(album.warmth + light.normal(0, 0.3), -1, 1)),
        background=place,
        clothes=int(rng.integers(1, 2**31)),
        exposure=float(np.clip(rng.normal(0.0, 0.30), -1.0, 0.8)),
        contrast=float(np.clip(album.contrast * rng.lognormal(0, 0.06), 0.65, 1.7)),
        saturation=album.saturation,
        sharpening=album.sharpening,
        blur_px=float(np.clip(album.blur_px * rng.lognormal(0, 0.35), 0.15, 2.2)),
        motion_px=float(rng.gamma(1.5, 1.0)) if rng.random() < 0.05 else 0.0,
        noise=float(np.clip(album.noise * rng.lognormal(0, 0.3), 0.002, 0.022)),
        jpeg_quality=album.jpeg_quality,
    )

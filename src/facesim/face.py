"""Every cause of a photograph that the renderer controls, in one flat record: a row of ``factors.csv``."""

from __future__ import annotations

from dataclasses import dataclass

HAIR_STYLES = (
    "bald", "fuzz", "buzz", "crop", "horseshoe", "curls",
    "short01", "short02", "short03", "short04", "bob01", "bob02", "long01", "ponytail01", "Braid01", "afro01",
)  # fmt: skip
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
GLASSES = ("none", "thin", "thick", "sun")
EYE_COLOURS = ("brown", "brownlight", "green", "grey", "bluegreen", "blue", "deepblue", "ice")


@dataclass(frozen=True)
class Face:
    """One photograph of one head. Where no range is given, numbers are shares or strengths in [0, 1]."""

    # who it is
    identity: int  # seed of the shape details that make this head a person
    family: int  # seed of the details that relatives share
    age_years: float  # 0.3 … 95
    masculinity: float  # 0 feminine … 1 masculine head shape and skin; sliders reach -0.35 … 1.3
    ancestry_african: float  # the three shares sum to 1
    ancestry_asian: float
    ancestry_caucasian: float
    fatness: float  # 0 lean … 1 heavy
    skin_tone: float  # melanin added to (+) or taken from (-) the ancestry's mean, about -1.5 … 1.5
    ageing: float  # how fast this skin wrinkles, 0.5 … 1.5
    # look
    hair_style: str
    bangs: bool
    hair_swept_deg: float  # a hair mesh turned backwards about the ears, 0 … 30
    hair_melanin: float  # 0 fair … 1 black
    hair_red: float
    grey: float  # share of grey hair
    recession: float  # of the hair line
    brow_style: int  # 1 … 12
    brow_density: float  # 0.3 … 1.6
    beard: str
    beard_density: float  # 0.3 … 1.1
    makeup: float
    eye_colour: str
    glasses: str
    # what the face does
    smile: float  # below 0 the corners of the mouth go down; about -0.6 … 1.1
    mouth_open: float
    brow_raise: float  # frown to raised, -1 … 1
    squint: float  # 0 … 1.2
    blink: float
    gaze_x: float  # -1 … 1
    gaze_y: float  # -1 … 1
    # scene
    yaw_deg: float  # the face turns to the right of the picture, -48 … 48
    pitch_deg: float  # -22 … 22
    roll_deg: float  # -12 … 12
    camera_distance: float  # decimetres from the face, 5 … 26
    shift_x: float  # of the face in the crop, as a share of its width, about -0.1 … 0.1
    shift_y: float  # upwards, about -0.1 … 0.1
    mirrored: bool  # the finished picture, so yaw, roll and light come from the other side
    zoom: float  # 1 is the nominal crop, 0.85 … 1.12
    light_azimuth_deg: float  # 0 from the camera, 90 from the right of the picture; -100 … 100
    light_elevation_deg: float  # -5 … 75
    light_strength: float  # 0.35 … 1.8
    light_ambient: float  # 0.25 … 1.2
    light_warmth: float  # blue to orange, -1 … 1
    background: int  # seed
    clothes: int  # seed
    # photograph
    exposure: float  # stops, -1 … 0.8
    contrast: float  # 0.65 … 1.7
    saturation: float  # 0 is grey, 0 … 1.5
    sharpening: float  # strength of the camera's unsharp mask, 0 … 2.5
    blur_px: float  # standard deviation at 96 px, 0.15 … 2.2
    motion_px: float  # of a shaken camera, mostly none, 0 … 12
    noise: float  # standard deviation, shares of full scale, 0.002 … 0.022
    jpeg_quality: int  # 72 … 91

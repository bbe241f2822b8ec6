"""The pictures themselves. It takes the fetched assets and OpenGL; where one is missing, all is skipped."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from facesim import dataset
from facesim.bank import ANCESTRIES
from facesim.face import BEARDS, EYE_COLOURS, GLASSES, HAIR_STYLES, Face

if TYPE_CHECKING:
    from facesim.camera import Camera
    from facesim.look import Model

# Parts of the crop (rows, columns of 96) in which a face that looks ahead has these.
PARTS = {
    "brows": (slice(14, 22), slice(22, 74)),
    "eyes": (slice(19, 37), slice(19, 77)),
    "middle": (slice(38, 58), slice(34, 62)),
    "mouth": (slice(58, 74), slice(32, 64)),
    "lower": (slice(62, 92), slice(24, 72)),
    "top": (slice(0, 12), slice(20, 76)),
}
Shoot = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def shoot(camera: Camera, adult: Face) -> Shoot:
    """Photograph the adult with some causes changed; rows, columns and colours in [0, 255]."""
    taken: dict[Face, np.ndarray] = {}

    def shoot(**causes: object) -> np.ndarray:
        face = replace(adult, **causes)
        if face not in taken:
            taken[face] = np.asarray(camera.photograph(face)).astype(np.float64)
        return taken[face]

    return shoot


def changes(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Mean absolute difference in each part of the crop."""
    return {name: float(np.abs(one - other)[part].mean()) for name, part in PARTS.items()}


# ---- The same bytes again --------------------------------------------------------------------------------


def test_the_same_face_and_seed_give_the_same_bytes_whatever_came_between(camera: Camera) -> None:
    faces = [item.face for item in dataset.plan(5, 40)[:8]]
    first = [camera.photograph(face, 1).tobytes() for face in faces]
    again = [camera.photograph(face, 1).tobytes() for face in reversed(faces)][::-1]
    assert first == again
    assert len(set(first)) == len(faces)
    assert camera.photograph(faces[0], 2).tobytes() != first[0]


PROGRAM = """
import hashlib
from facesim import dataset
from facesim.camera import shared_camera
for item in dataset.plan(5, 40)[:3]:
    print(hashlib.sha256(shared_camera().photograph(item.face, 1).tobytes()).hexdigest())
"""


def test_a_fresh_process_gives_the_same_bytes(camera: Camera) -> None:
    """On one machine. What another machine may change is in the test below."""
    fresh = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    here = [camera.photograph(item.face, 1).tobytes() for item in dataset.plan(5, 40)[:3]]
    assert fresh.split() == [hashlib.sha256(picture).hexdigest() for picture in here]


def test_the_embedded_faces_are_what_this_code_renders(camera: Camera) -> None:
    """Photographs of the archive that the package ships, taken again, look the same.

    On the machine that rendered them they are the same to the bit. Elsewhere they need not be: the software
    renderer compiles its shaders for the processor at hand and, between versions of Mesa and LLVM or on a
    graphics card, rounds otherwise; a rounding may tip a hair's threshold, so single pixels jump while the
    picture stays. NumPy, SciPy and the JPEG library may round the last digit too. The plan itself (who is
    shown, doing what, in which light) comes from NumPy's random streams and does not depend on the machine.
    """
    from facelab import embedded

    folder = embedded.data_dir()
    planned = dataset.plan(seed=1, photographs=10_000)
    stale = "rendered by other code: make faces, then python -m facesim pack"
    for item in planned[7 :: len(planned) // 12]:
        assert (folder / item.path).exists(), stale
        taken = BytesIO()
        photograph = camera.photograph(item.face, item.seed)
        photograph.save(taken, "JPEG", quality=item.face.jpeg_quality, optimize=True)
        with Image.open(folder / item.path) as shipped, Image.open(taken) as again:
            apart = np.abs(np.asarray(shipped).astype(float) - np.asarray(again))
        assert apart.mean() < 2.0, stale
        assert np.quantile(apart, 0.95) < 16, stale


# ---- Each cause changes what it should -------------------------------------------------------------------

HEAD = ("brows", "eyes", "middle", "mouth", "lower")
CAUSES = [
    ({"glasses": "thin"}, ("eyes",), ("mouth", "lower", "top")),
    ({"glasses": "thick"}, ("eyes", "brows"), ("mouth", "lower", "top")),
    ({"glasses": "sun"}, ("eyes",), ("mouth", "lower", "top")),
    ({"beard": "stubble"}, ("lower",), ("eyes", "brows", "top")),
    ({"beard": "moustache"}, ("mouth",), ("eyes", "brows", "top")),
    ({"beard": "goatee"}, ("lower",), ("eyes", "brows", "top")),
    ({"beard": "full"}, ("lower",), ("eyes", "brows", "top")),
    ({"blink": 1.0}, ("eyes",), ("mouth", "lower", "top")),
    ({"gaze_x": 1.0}, ("eyes",), ("mouth", "lower", "top")),
    ({"gaze_y": 1.0}, ("eyes",), ("mouth", "lower", "top")),
    ({"eye_colour": "ice"}, ("eyes",), ("mouth", "lower", "top")),
    ({"squint": 1.0}, ("eyes",), ("mouth", "lower", "top")),
    ({"brow_raise": 1.0}, ("brows",), ("mouth", "lower")),
    ({"brow_raise": -1.0}, ("brows",), ("mouth", "lower")),
    ({"brow_style": 7}, ("brows",), ("mouth", "lower", "top")),
    ({"brow_density": 0.4}, ("brows",), ("mouth", "lower", "top")),
    ({"makeup": 1.0}, ("mouth", "eyes"), ("top",)),
    ({"bangs": True}, ("top",), ("middle", "mouth", "lower")),
]


@pytest.mark.parametrize(
    ("causes", "here", "not_there"), CAUSES, ids=lambda value: str(value) if isinstance(value, dict) else ""
)
def test_a_cause_changes_its_part_of_the_face_and_leaves_others(
    shoot: Shoot, causes: dict[str, object], here: tuple[str, ...], not_there: tuple[str, ...]
) -> None:
    changed = changes(shoot(), shoot(**causes))
    assert min(changed[part] for part in here) > 2.0, changed
    assert max(changed[part] for part in not_there) < 0.25 * min(changed[part] for part in here), changed


@pytest.mark.parametrize("cause", ["smile", "mouth_open"])
def test_the_mouth_moves_most_when_it_smiles_or_opens(shoot: Shoot, cause: str) -> None:
    changed = changes(shoot(), shoot(**{cause: 1.0}))
    assert changed["mouth"] > 10
    assert changed["mouth"] > 1.4 * changed["eyes"]
    assert changed["mouth"] > 3 * changed["top"]


@pytest.mark.parametrize(
    "causes",
    [
        {"masculinity": 0.0},
        {"masculinity": 1.0},
        {"age_years": 1.0},
        {"age_years": 8.0},
        {"age_years": 70.0},
        {"identity": 77},
        {"family": 78},
        *({f"ancestry_{name}": float(name == one) for name in ANCESTRIES} for one in ANCESTRIES),
    ],
    ids=str,
)
def test_who_it_is_changes_the_whole_face(shoot: Shoot, causes: dict[str, object]) -> None:
    changed = changes(shoot(), shoot(**causes))
    assert min(changed[part] for part in HEAD) > 1.0, changed


def test_skin_is_as_dark_as_its_causes_say(shoot: Shoot) -> None:
    def brightness(**causes: object) -> float:
        return float(shoot(**causes)[PARTS["middle"]].mean())

    tones = [brightness(skin_tone=tone) for tone in (-1.0, 0.0, 1.0)]
    assert tones[0] > tones[1] + 10 > tones[2] + 20
    african, caucasian = (
        brightness(**{f"ancestry_{name}": float(name == one) for name in ANCESTRIES})
        for one in ("african", "caucasian")
    )
    assert caucasian > african + 30


def test_old_skin_has_more_detail_than_young(shoot: Shoot) -> None:
    def detail(age: float) -> float:
        picture = shoot(age_years=age, blur_px=0.15)[PARTS["lower"]].mean(axis=2)
        return float(np.abs(np.diff(picture, 2, axis=0)).mean())

    assert detail(80.0) > 1.1 * detail(22.0)


def test_light_from_the_left_lights_the_left(shoot: Shoot) -> None:
    left, right = (shoot(light_azimuth_deg=azimuth)[30:75] for azimuth in (-75.0, 75.0))

    def lean(picture: np.ndarray) -> float:
        """How much brighter the left half of the face is."""
        return float(picture[:, 20:45].mean() - picture[:, 51:76].mean())

    assert lean(left) > 15
    assert lean(right) < -15
    # A face is nearly symmetric, so the two pictures are nearly each other's mirror images.
    assert lean(left) == pytest.approx(-lean(right), abs=15)
    assert np.abs(left - right[:, ::-1]).mean() < 0.5 * np.abs(left - right).mean()


def test_more_light_is_brighter_and_warm_light_redder(shoot: Shoot) -> None:
    middle = PARTS["middle"]
    assert shoot(light_strength=1.6)[middle].mean() > shoot(light_strength=0.5)[middle].mean() + 20
    assert shoot(light_ambient=1.0)[middle].mean() > shoot(light_ambient=0.3)[middle].mean() + 5
    warm, cold = (shoot(light_warmth=warmth)[middle].mean(axis=(0, 1)) for warmth in (1.0, -1.0))
    assert warm[0] / warm[2] > 1.1 * cold[0] / cold[2]


def test_heads_cast_shadows_on_themselves(
    camera: Camera, adult: Face, shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the shadows nothing is darker, and beside the nose it is much brighter."""
    light = {"light_azimuth_deg": 70.0, "light_ambient": 0.3}
    build = camera.wardrobe.build

    def build_without(face: Face) -> Model:
        model = build(face)
        for layer in model.layers:
            layer.casts_shadow = False
        return model

    shadowed = shoot(**light)
    monkeypatch.setattr(camera.wardrobe, "build", build_without)
    plain = np.asarray(camera.photograph(replace(adult, **light))).astype(np.float64)
    brighter = (plain - shadowed).mean(axis=2)
    assert brighter.min() > -3
    assert brighter[40:58, 26:44].max() > 15


def test_blur_lowers_the_high_frequencies(shoot: Shoot) -> None:
    window = np.outer(np.hanning(96), np.hanning(96))

    def power(blur: float) -> np.ndarray:
        grey = shoot(blur_px=blur).mean(axis=2)
        spectrum = np.abs(np.fft.fftshift(np.fft.fft2((grey - grey.mean()) * window))) ** 2
        y, x = np.indices(grey.shape) - 48
        radius = np.hypot(x, y)
        return np.array([spectrum[(radius >= low) & (radius < low + 12)].mean() for low in (0, 12, 24)])

    kept = power(1.6) / power(0.2)
    assert kept[0] > 0.6
    assert kept[2] < 0.05
    assert kept[2] < kept[1] < kept[0]


def test_the_background_is_behind_the_face(shoot: Shoot) -> None:
    one, other = shoot(), shoot(background=8)
    assert max(changes(one, other)[part] for part in HEAD) == 0.0
    assert np.abs(one - other)[:, [*range(4), *range(92, 96)]].mean() > 5


def test_hair_shows_its_colour_and_its_length(shoot: Shoot) -> None:
    fair, dark, grey = (
        shoot(hair_style="long01", bangs=True, **colour)[PARTS["top"]].mean()
        for colour in ({"hair_melanin": 0.1}, {"hair_melanin": 1.0}, {"hair_melanin": 1.0, "grey": 1.0})
    )
    assert fair > dark + 30
    assert grey > dark + 30
    sides = (slice(60, 96), [*range(8), *range(88, 96)])
    assert np.abs(shoot(hair_style="long01") - shoot(hair_style="bald"))[sides].mean() > 5


# ---- In the right place ----------------------------------------------------------------------------------


@pytest.mark.parametrize("yaw", [-48.0, -20.0, 0.0, 20.0, 48.0])
@pytest.mark.parametrize("pitch", [-22.0, 0.0, 22.0])
@pytest.mark.parametrize("age", [1.0, 28.0])
def test_eyes_and_mouth_land_where_aligned_crops_have_them(
    camera: Camera, adult: Face, yaw: float, pitch: float, age: float
) -> None:
    from facesim.scene import EYES, MOUTH, view_projection

    face = replace(adult, yaw_deg=yaw, pitch_deg=pitch, age_years=age)
    model = camera.wardrobe.build(face)
    matrix, _ = view_projection(face, model.eyes, model.mouth)
    clip = np.column_stack([np.vstack([model.eyes, model.mouth]), np.ones(3)]) @ matrix.T
    places = clip[:, :2] / clip[:, 3:] * [0.5, -0.5] + 0.5
    # Foreshortened, three points cannot all be met; the middle of the face is.
    slack = 0.03 if (yaw, pitch) == (0, 0) else 0.08 if abs(yaw) < 40 else 0.12
    assert np.abs(places - np.vstack([EYES, MOUTH])).max() < slack
    assert places.mean(axis=0) == pytest.approx(np.vstack([EYES, MOUTH]).mean(axis=0), abs=0.02)


@pytest.mark.parametrize(("yaw", "age"), [(-25.0, 28.0), (0.0, 28.0), (25.0, 28.0), (0.0, 1.0), (0.0, 80.0)])
def test_the_eyes_are_drawn_where_they_should_be(shoot: Shoot, yaw: float, age: float) -> None:
    """What changes when they close lies round the eyes of the canonical crop."""
    from facesim.scene import EYES

    pose = {"yaw_deg": yaw, "age_years": age}
    moved = np.abs(shoot(**pose) - shoot(**pose, blink=1.0)).sum(axis=2)
    moved[moved < 30] = 0
    y, x = (np.indices(moved.shape) + 0.5) / 96
    for side, eye in ((x < 0.5, EYES[0]), (x >= 0.5, EYES[1])):
        weight = moved * side
        centre = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
        assert np.abs(centre - eye).max() < 0.06


# ---- Every choice and every extreme ----------------------------------------------------------------------

EXTREMES: list[dict[str, object]] = [
    *(
        {"hair_style": style, "bangs": odd % 2 == 1, "recession": 1.0}
        for odd, style in enumerate(HAIR_STYLES)
    ),
    *({"beard": beard, "grey": 1.0, "hair_red": 1.0} for beard in BEARDS),
    *({"glasses": glasses, "age_years": age} for glasses in GLASSES for age in (0.3, 95.0)),
    *(
        {"brow_style": style, "makeup": style / 12, "eye_colour": EYE_COLOURS[style % len(EYE_COLOURS)]}
        for style in range(1, 13)
    ),
    *(
        {
            "age_years": age,
            "masculinity": masculinity,
            "fatness": fatness,
            "ageing": 1.5,
            "smile": 1.1,
            "mouth_open": 1.0,
        }
        for age in (0.3, 12.0, 95.0)
        for masculinity, fatness in ((-0.2, 1.0), (1.2, 0.0))
    ),
    *(
        {
            "yaw_deg": yaw,
            "pitch_deg": pitch,
            "roll_deg": 14.0,
            "camera_distance": 5.0,
            "zoom": 0.82,
            "light_elevation_deg": light,
        }
        for yaw, pitch, light in ((-48.0, -22.0, -5.0), (48.0, 22.0, 80.0))
    ),
    {"light_azimuth_deg": 100.0, "light_ambient": 0.25, "exposure": -1.0, "skin_tone": 1.5},
    {"light_strength": 1.8, "light_ambient": 1.1, "exposure": 0.8, "skin_tone": -1.5, "contrast": 1.5},
]


def test_no_choice_or_extreme_breaks_the_picture(
    camera: Camera, adult: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[np.ndarray] = []
    draw = camera.rasteriser.draw
    monkeypatch.setattr(camera.rasteriser, "draw", lambda *words: drawn.append(draw(*words)) or drawn[-1])
    for causes in EXTREMES:
        picture = np.asarray(camera.photograph(replace(adult, **causes)))
        pixels = drawn.pop()
        assert np.isfinite(pixels).all(), causes
        assert pixels.min() >= 0, causes
        assert pixels[96:192, 96:192, 3].mean() > 0.85, causes  # a head fills the middle
        assert picture.std() > 8, causes


def test_every_target_that_a_head_may_need_is_in_the_assets(camera: Camera) -> None:
    from facesim.head import ASYMMETRIES, FACE_SHAPES, IDENTITY_PAIRS

    names = {name for down, up, _ in IDENTITY_PAIRS for name in (down, up)} | set(FACE_SHAPES)
    names |= {f"{name}-{side}" for name in ASYMMETRIES for side in "lr"}
    sides = {name.replace("*", side) for name in names for side in "lr"}
    assert sides <= set(camera.wardrobe.bank.target_names)


def test_places_see_as_much_of_the_surroundings_as_they_should(camera: Camera) -> None:
    wardrobe = camera.wardrobe
    skin = np.unique(wardrobe.skin.vertex)

    def seen(*place: float) -> np.ndarray:
        """Of the four ages' heads, how open the skin is nearest to a place on the neutral face."""
        nearest = skin[np.linalg.norm(wardrobe.regions.canon[skin] - place, axis=1).argmin()]
        return wardrobe.occlusion[:, nearest]

    forehead, cheek = seen(0.0, 0.8, 0.4), seen(0.64, -0.5, 0.2)
    eye_socket, behind_the_ear, below_the_chin = (
        seen(0.26, -0.02, 0.1),
        seen(1.2, -0.2, -1.4),
        seen(0.0, -1.8, -0.35),
    )
    assert wardrobe.occlusion.min() >= 0
    assert wardrobe.occlusion.max() <= 1
    assert forehead.min() > 0.9
    assert cheek.min() > 0.8
    for hollow in (eye_socket, behind_the_ear, below_the_chin):
        assert (hollow < cheek - 0.1).all()


def test_the_assets_are_read_once_and_kept(camera: Camera) -> None:
    """The second start of a worker takes the morph targets from one array beside the assets."""
    from facesim.assets import require_assets

    kept = [
        path
        for path in require_assets().glob("targets-*.npz")
        if np.load(path)["targets"].shape == camera.wardrobe.bank.targets.shape
    ]
    assert kept

"""A plain adult face to vary."""

from __future__ import annotations

import pytest

from facesim.face import Face


@pytest.fixture(scope="session")
def adult() -> Face:
    """A bare-headed person of 28 years, half way between all that a head can be, who does nothing."""
    return Face(
        identity=5,
        family=6,
        age_years=28.0,
        masculinity=0.5,
        ancestry_african=0.2,
        ancestry_asian=0.2,
        ancestry_caucasian=0.6,
        fatness=0.5,
        skin_tone=0.0,
        ageing=1.0,
        hair_style="buzz",
        bangs=False,
        hair_swept_deg=0.0,
        hair_melanin=0.7,
        hair_red=0.0,
        grey=0.0,
        recession=0.0,
        brow_style=1,
        brow_density=1.0,
        beard="none",
        beard_density=1.0,
        makeup=0.0,
        eye_colour="brown",
        glasses="none",
        smile=0.0,
        mouth_open=0.0,
        brow_raise=0.0,
        squint=0.0,
        blink=0.0,
        gaze_x=0.0,
        gaze_y=0.0,
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        camera_distance=11.0,
        shift_x=0.0,
        shift_y=0.0,
        mirrored=False,
        zoom=1.0,
        light_azimuth_deg=0.0,
        light_elevation_deg=30.0,
        light_strength=0.9,
        light_ambient=0.6,
        light_warmth=0.0,
        background=1,
        clothes=1,
        exposure=0.0,
        contrast=1.0,
        saturation=1.0,
        blur_px=0.3,
        motion_px=0.0,
        sharpening=0.0,
        noise=0.0,
        jpeg_quality=90,
    )

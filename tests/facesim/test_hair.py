from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesim.face import HAIR_STYLES, Face
from facesim.hair import BEARD_FUR, SCALP_FUR, hair_colour, scalp_furs

SHARE = st.floats(0.0, 1.0)


@given(SHARE, SHARE)
def test_hair_has_a_colour_that_exists(melanin: float, red: float) -> None:
    colour = hair_colour(melanin, red)
    assert colour.shape == (3,)
    assert ((colour > 0) & (colour < 1)).all()
    assert colour[0] >= colour[1] >= colour[2]  # hair is never green or blue


@given(SHARE, SHARE, SHARE)
def test_melanin_darkens_and_pheomelanin_reddens(one: float, other: float, red: float) -> None:
    fair, dark = sorted((one, other))
    assert (hair_colour(fair, red) >= hair_colour(dark, red) - 1e-12).all()
    plain, reddish = hair_colour(one, 0.0), hair_colour(one, red)
    assert reddish[0] / reddish[2] >= plain[0] / plain[2] - 1e-12


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_every_style_but_bald_covers_the_scalp(adult: Face, style: str) -> None:
    without, with_bangs = (
        scalp_furs(replace(adult, hair_style=style, bangs=bangs)) for bangs in (False, True)
    )
    assert len(without) == (0 if style == "bald" else 1)
    assert len(with_bangs) == (0 if style == "bald" else 2)
    assert with_bangs[:1] == without[:1]


def test_longer_hair_has_more_shells() -> None:
    furs = [*SCALP_FUR.values(), *BEARD_FUR.values()]
    assert all(0 < fur.density <= 1 and fur.reach > 0 for fur in furs)
    gaps = [
        fur.reach / fur.shells for fur in furs
    ]  # decimetres between shells: wide ones would show as steps
    assert max(gaps) < 0.035
    assert np.corrcoef([fur.reach for fur in furs], [fur.shells for fur in furs])[0, 1] > 0.8

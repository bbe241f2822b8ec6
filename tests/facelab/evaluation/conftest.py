"""Predictions of a few faces, made up."""

import numpy as np
from hypothesis import strategies as st

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

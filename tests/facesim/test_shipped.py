"""The archive that is shipped is the one that this renderer would make."""

from __future__ import annotations

import numpy as np
import pandas as pd

from facelab import adience, embedded
from facesim import dataset, sweeps

REMEDY = "the renderer has changed since the archives were rendered: make faces"


def assert_same_causes(planned: pd.DataFrame, shipped: pd.DataFrame) -> None:
    """The same photographs in the same order; numbers to the digits that are written."""
    assert planned["path"].tolist() == shipped["path"].tolist(), REMEDY
    for name in planned:
        if planned[name].dtype.kind in "iufb":
            assert np.allclose(planned[name].astype(float), shipped[name].astype(float), atol=2e-4), (
                f"{name}: {REMEDY}"
            )
        else:
            assert planned[name].tolist() == shipped[name].tolist(), f"{name}: {REMEDY}"


def test_the_data_set():
    planned = dataset.plan(seed=1, photographs=10_000)
    assert_same_causes(dataset.factors(planned), embedded.read_factors())
    table = adience.read_folds(embedded.data_dir())
    assert sorted(item.path for item in planned) == sorted(table["path"])


def test_the_counterfactual_set():
    planned = sweeps.table(sweeps.plan(seed=1, identities=200))
    assert_same_causes(planned, embedded.read_sweeps())

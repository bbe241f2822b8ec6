from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from facelab import adience, pipeline
from tests.facelab.pipeline.conftest import Table


def test_targets_are_what_the_losses_need(make_table: Callable[..., Table]) -> None:
    table, _ = make_table(*[(20, 20)] * 8)
    gender, age, soft = (
        pipeline.gender_target(table),
        pipeline.age_target(table),
        pipeline.soft_age_target(table, 0.2),
    )
    assert (gender.dtype, gender.shape, gender[:, 0].tolist()) == ("float32", (8, 1), [0.0, 1.0] * 4)
    assert (age.dtype, age.tolist()) == ("int32", list(range(8)))
    assert soft.dtype == "float32"
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(soft[3], [0, 0, 0.2, 0.6, 0.2, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(soft[0, :3], [0.75, 0.25, 0], rtol=1e-6)
    np.testing.assert_allclose(soft[7], soft[0, ::-1], rtol=1e-6)
    assert np.array_equal(pipeline.soft_age_target(table, 0.0), np.eye(8, dtype="float32"))


def test_a_missing_label_is_refused_and_the_remedy_works(make_table: Callable[..., Table]) -> None:
    table, _ = make_table((20, 20), (20, 20))
    holes = table.assign(gender=table["gender"].where([True, False]))
    with pytest.raises(adience.DataSetError, match=r"1 of 2 rows have no gender.*usable"):
        pipeline.gender_target(holes)
    assert len(pipeline.gender_target(adience.usable(holes, ("gender", "path")))) == 1
    with pytest.raises(adience.DataSetError, match="no age_group"):
        pipeline.soft_age_target(table.assign(age_group=table["age_group"].where([False, True])))


@pytest.mark.parametrize("neighbour", [-0.1, 0.4])
def test_a_neighbours_share_out_of_range_is_refused(
    make_table: Callable[..., Table], neighbour: float
) -> None:
    with pytest.raises(ValueError, match=str(neighbour)):
        pipeline.soft_age_target(make_table((20, 20))[0], neighbour)

"""Scores of slices and gaps between them: by hand, by their properties, and by simulation."""

import numpy as np
import pandas as pd
import pytest

from facelab import evaluation
from facelab.evaluation import FEW_ALBUMS, gaps


def test_a_slice_says_on_what_it_rests():
    groups = pd.Categorical(["old", "young", "old", "young", "old"], ["young", "middle", "old"], ordered=True)
    table = pd.DataFrame({"group": groups, "user_id": ["a", "b", "b", "b", "c"]}, index=[9, 3, 5, 1, 0])
    sliced = evaluation.by_slice(
        evaluation.accuracy, [1, 1, 1, 1, 1], [1, 1, 0, 0, 1], table["user_id"], table["group"], seed=0
    )
    assert list(sliced.columns) == ["slice", "faces", "albums", "estimate", "low", "high"]
    assert sliced["slice"].tolist() == ["young", "old"]
    assert sliced["faces"].tolist() == [2, 3]
    assert sliced["albums"].tolist() == [1, 3]
    assert sliced["estimate"].tolist() == pytest.approx([1 / 2, 2 / 3])
    assert sliced.loc[0, ["low", "high"]].isna().all()
    alone = evaluation.album_bootstrap(evaluation.accuracy, [1, 1, 1], [1, 0, 1], ["a", "b", "c"], seed=0)
    assert tuple(sliced.loc[1, ["estimate", "low", "high"]]) == alone


def test_a_face_without_a_slice_is_refused():
    with pytest.raises(ValueError, match="1 faces have no slice"):
        evaluation.by_slice(evaluation.accuracy, [0, 1], [0, 1], ["a", "b"], pd.Series(["x", None]), seed=0)
    with pytest.raises(ValueError, match=r"but have \(2, 2, 2, 1\)"):
        evaluation.by_slice(evaluation.accuracy, [0, 1], [0, 1], ["a", "b"], ["x"], seed=0)


def made_up(albums=40, slices=12, seed=0):
    """Albums of three faces that are right or wrong together, and slices of albums drawn at random."""
    rng = np.random.default_rng(seed)
    album = np.repeat(np.arange(albums), 3)
    easy = rng.uniform(0.4, 1, albums)
    points = pd.DataFrame({"right": rng.random(len(album)) < easy[album]})
    chosen = rng.random((albums, slices)) < 0.5
    return points, pd.DataFrame(chosen[album]).rename(columns=lambda name: f"slice {name}"), album


def test_a_gap_is_the_slice_minus_all_others():
    album = np.arange(40)
    slices = pd.DataFrame({"first": album < 20, "most": album < 30})
    points = pd.DataFrame({"right": album < 10, "off": album / 10})
    found = gaps(points, slices, album, seed=0).set_index(["slice", "measure"])
    assert found.loc[("first", "right"), "estimate"] == pytest.approx(10 / 20 - 0)
    assert found.loc[("most", "right"), "estimate"] == pytest.approx(10 / 30 - 0)
    assert found.loc[("first", "off"), "estimate"] == pytest.approx(0.95 - 2.95)
    assert list(found["faces"]) == [20, 20, 30, 30]
    assert (found["albums"] == found["faces"]).all()


def test_a_slice_of_few_albums_gets_no_interval_nor_does_one_of_nearly_all():
    album = np.repeat(np.arange(30), 2)
    slices = pd.DataFrame({"few": album < FEW_ALBUMS - 1, "enough": album < FEW_ALBUMS, "most": album > 5})
    found = gaps(pd.DataFrame({"right": album % 3 == 0}), slices, album, seed=0).set_index("slice")
    assert found["estimate"].notna().all()
    assert found["low"].isna().to_dict() == {"few": True, "enough": False, "most": True}


def test_alone_an_interval_is_the_usual_one_and_in_company_it_is_wider():
    points, slices, album = made_up()
    alone = gaps(points, slices[["slice 0"]], album, seed=0).iloc[0]
    together = gaps(points, slices, album, seed=0).iloc[0]
    assert alone["error"] == pytest.approx(together["error"])
    assert alone["high"] - alone["low"] == pytest.approx(2 * 1.96 * alone["error"], rel=0.1)
    assert together["high"] - together["low"] > 1.3 * (alone["high"] - alone["low"])


def test_the_standard_error_is_that_of_the_album_bootstrap():
    points, slices, album = made_up()
    right = points["right"].to_numpy().astype(int)
    member = slices["slice 3"].to_numpy()

    def gap(member, right):
        return right[member].mean() - right[~member].mean()

    interval = evaluation.album_bootstrap(gap, member, right, album, seed=5)
    error = gaps(points, slices, album, seed=5).set_index("slice").loc["slice 3", "error"]
    assert (interval.high - interval.low) / 2 / 1.96 == pytest.approx(error, rel=0.1)


def test_where_no_slice_means_anything_one_stands_out_seldom_and_without_the_care_often():
    careless, careful = 0, 0
    for seed in range(100):
        points, slices, album = made_up(albums=60, seed=seed)
        found = gaps(points, slices, album, seed=seed, n_resamples=300)
        careless += (abs(found["estimate"]) > 1.96 * found["error"]).any()
        careful += ((found["low"] > 0) | (found["high"] < 0)).any()
    assert careless > 30
    assert careful < 15


def test_a_gap_that_is_there_is_found():
    points, slices, album = made_up(albums=200)
    points["right"] &= ~slices["slice 4"] | (np.arange(len(album)) % 2 == 0)
    found = gaps(points, slices, album, seed=0).set_index("slice")
    assert found.loc["slice 4", "high"] < 0


def test_a_draw_without_a_slice_takes_no_interval_away():
    # With this seed one draw of a thousand holds none of the ten albums of the only slice.
    album = np.arange(100)
    points = pd.DataFrame({"right": album % 2 == 0})
    found = gaps(points, pd.DataFrame({"few": album < 10}), album, seed=54)
    assert np.isfinite(found[["low", "high"]].to_numpy()).all()


def test_faces_that_are_all_right_have_gaps_of_nothing():
    points, slices, album = made_up()
    found = gaps(points.assign(right=True), slices, album, seed=0)
    assert (found[["estimate", "low", "high"]] == 0).all(axis=None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, s, a: (p, s, a[:-1]), "one row a face"),
        (lambda p, s, a: (p.iloc[:0], s.iloc[:0], a[:0]), "nothing to compare"),
        (lambda p, s, a: (p, s.assign(everybody=True), a), "'everybody' holds every face"),
        (lambda p, s, a: (p, s.assign(nobody=False), a), "'nobody' holds no face"),
        (lambda p, s, a: (p, s.astype(int), a), "True or False"),
        (lambda p, s, a: (p.assign(right=np.nan), s, a), "finite"),
    ],
)
def test_wrong_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        gaps(*change(*made_up()), seed=0)

"""Scores of slices and gaps between them: by hand, by their properties, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from facelab import evaluation
from facelab.evaluation import FEW_EFFECTIVE_ALBUMS, gaps, why_no_interval
from tests.facelab.evaluation.conftest import drawn_right, fold_four


def test_a_slice_says_on_what_it_rests():
    groups = pd.Categorical(["old", "young", "old", "young", "old"], ["young", "middle", "old"], ordered=True)
    table = pd.DataFrame({"group": groups, "user_id": ["a", "b", "b", "b", "c"]}, index=[9, 3, 5, 1, 0])
    sliced = evaluation.by_slice(
        evaluation.accuracy, [1, 1, 1, 1, 1], [1, 1, 0, 0, 1], table["user_id"], table["group"], seed=0
    )
    assert list(sliced.columns) == ["slice", "faces", "albums", "effective", "estimate", "low", "high"]
    assert sliced["slice"].tolist() == ["young", "old"]
    assert sliced["faces"].tolist() == [2, 3]
    assert sliced["albums"].tolist() == [1, 3]
    assert sliced["effective"].tolist() == [1, 3]
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


def refusals(points, slices, album):
    """What stands in the column of reasons, by slice."""
    found = gaps(points, slices, album, seed=0)
    assert (found["error"].isna() == (found["refused"] != "")).all()
    assert (found["low"].isna() == (found["refused"] != "")).all()
    assert found["estimate"].notna().all()
    return found.set_index("slice")["refused"].to_dict()


def test_a_slice_worth_few_albums_gets_no_interval_nor_does_one_of_nearly_all():
    album = np.repeat(np.arange(30), 4)
    points = pd.DataFrame({"right": np.arange(120) % 4 > 0})
    few = FEW_EFFECTIVE_ALBUMS
    slices = {
        "few": album < few - 1,
        "enough": album < few,
        "most": album >= few - 1,
        "rest": album >= few,
    }
    refused = f"fewer than {few} effective albums"
    assert refusals(points, pd.DataFrame(slices), album) == {
        "few": refused,
        "enough": "",
        "most": refused,
        "rest": "",
    }


def test_many_albums_of_which_one_has_nearly_all_faces_are_few():
    album = np.r_[np.zeros(60, dtype=int), np.arange(1, 20), np.repeat(np.arange(20, 40), 4)]
    points = pd.DataFrame({"right": np.arange(len(album)) % 3 > 0})
    slices = pd.DataFrame({"one large": album < 20})
    found = gaps(points, slices, album, seed=0).iloc[0]
    assert found["albums"] == 20
    assert found["effective"] == pytest.approx(79**2 / (60**2 + 19))
    assert found["refused"] == f"fewer than {FEW_EFFECTIVE_ALBUMS} effective albums"


def with_errors_in(albums_with_one: int) -> np.ndarray:
    """Whether each face of 40 albums of three is right: of the first 20, so many hold one error each."""
    right = np.tile([True, True, False], 40)
    right[:60] = True
    right[np.arange(albums_with_one) * 3] = False
    return right


@pytest.mark.parametrize(
    ("number", "refused"), [(0, "an error"), (1, "an error"), (2, "an error"), (3, ""), (20, "")]
)
def test_a_gap_is_refused_where_drawing_albums_cannot_show_an_error(number, refused):
    album = np.repeat(np.arange(40), 3)
    slices = pd.DataFrame({"slice": album < 20, "rest": album >= 20})
    reason = f"fewer than three albums hold {refused}" if refused else ""
    right = with_errors_in(number)
    assert refusals(pd.DataFrame({"right": right}), slices, album) == {"slice": reason, "rest": reason}
    reason = reason.replace("an error", "a right answer")
    assert refusals(pd.DataFrame({"right": ~right}), slices, album) == {"slice": reason, "rest": reason}


@pytest.mark.parametrize("number", [0, 2, 3, 20])
def test_a_share_has_an_interval_where_a_gap_may_have_one(number):
    album, right = np.repeat(np.arange(40), 3), with_errors_in(number)
    slices = pd.DataFrame({"slice": album < 20})
    of_gap = refusals(pd.DataFrame({"right": right}), slices, album)["slice"]
    half = album < 20
    assert why_no_interval(~right[half], right[half], album[half]) == of_gap
    assert why_no_interval(~right[~half], right[~half], album[~half]) == ""


@pytest.mark.parametrize(("albums", "reason"), [(4, "fewer than 5 effective albums"), (5, ""), (6, "")])
def test_a_share_of_few_albums_has_no_interval(albums, reason):
    album = np.repeat(np.arange(albums), 2)
    right = np.tile([True, False], albums)
    assert why_no_interval(~right, right, album) == reason
    with pytest.raises(ValueError, match="no faces to score"):
        why_no_interval([], [], [])
    with pytest.raises(ValueError, match="one entry a face"):
        why_no_interval(~right, right, album[1:])


def test_many_errors_in_two_albums_are_too_few_albums():
    album = np.repeat(np.arange(40), 3)
    points = pd.DataFrame({"right": (album > 1) & (np.arange(120) % 3 > 0) | (album > 1) & (album < 20)})
    assert refusals(points, pd.DataFrame({"slice": album < 20}), album) == {
        "slice": "fewer than three albums hold an error"
    }


def test_a_refused_gap_does_not_widen_the_others():
    points, slices, album = made_up()
    nobody_wrong = slices.assign(few=album == 0)
    alone, beside = (gaps(points, these, album, seed=0) for these in (slices, nobody_wrong))
    pd.testing.assert_frame_equal(alone, beside[beside["slice"] != "few"])


def test_points_other_than_0_and_1_are_refused_only_where_albums_do_not_differ():
    rng = np.random.default_rng(0)
    album = np.repeat(np.arange(40), 3)
    points = pd.DataFrame({"off": rng.integers(0, 4, 120), "share": rng.random(120)})
    points["seldom"] = np.where(album < 2, points["off"], 0)
    found = gaps(points, pd.DataFrame({"slice": album < 20}), album, seed=0)
    assert found["refused"].tolist() == ["", "", "fewer than three albums hold a right answer"]


def test_alone_an_interval_is_the_usual_one_and_in_company_it_is_wider():
    points, slices, album = made_up()
    alone = gaps(points, slices[["slice 0"]], album, seed=0).iloc[0]
    together = gaps(points, slices, album, seed=0).iloc[0]
    assert alone["error"] == pytest.approx(together["error"])
    assert alone["high"] - alone["low"] == pytest.approx(2 * 1.96 * alone["error"], rel=0.1)
    assert together["high"] - together["low"] > 1.3 * (alone["high"] - alone["low"])


def test_the_standard_error_is_that_of_the_draws_and_wider_for_few_albums():
    points, slices, album = made_up()
    member, right = slices["slice 3"].to_numpy(), points["right"].to_numpy()
    times = np.random.default_rng(5).multinomial(40, np.full(40, 1 / 40), 1000)
    drawn = [np.repeat(np.arange(120), row[album]) for row in times]
    spread = np.std([right[d][member[d]].mean() - right[d][~member[d]].mean() for d in drawn])
    fewer = min(len(np.unique(album[member])), len(np.unique(album[~member])))
    row = gaps(points, slices, album, seed=5, n_resamples=1000).set_index("slice").loc["slice 3"]
    assert row["error"] == pytest.approx(spread * stats.t.ppf(0.975, fewer - 1) / 1.96)


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


@pytest.mark.parametrize("album_sd", [0.3, 0.6])
def test_all_gaps_of_slices_as_unkind_as_the_real_ones_hold_together(album_sd):
    """Fold 4's albums and slices, two measures as in lesson 8.1, and no gap."""
    album, slices = fold_four()
    rng = np.random.default_rng(1)
    hold, careless, rounds = 0, 0, 50
    for seed in range(rounds):
        points = pd.DataFrame(
            {
                name: drawn_right(chance, album, album_sd, rng)
                for name, chance in {"gender": 0.92, "age": 0.6}.items()
            }
        )
        found = gaps(points, slices, album, seed=seed, n_resamples=300)
        kept = found[found["refused"] == ""]
        assert len(kept) > 36
        hold += ((kept["low"] <= 0) & (kept["high"] >= 0)).all()
        careless += (abs(kept["estimate"]) > 1.96 * kept["error"]).any()
    assert hold / rounds >= 0.93
    assert careless / rounds > 0.5


def test_a_draw_without_a_slice_takes_no_interval_away():
    # With this seed one draw of a thousand holds none of the ten albums of the only slice.
    album = np.arange(100)
    points = pd.DataFrame({"right": album % 2 == 0})
    found = gaps(points, pd.DataFrame({"few": album < 10}), album, seed=54)
    assert np.isfinite(found[["low", "high"]].to_numpy()).all()


def test_faces_that_are_all_right_have_gaps_of_nothing_and_no_interval():
    points, slices, album = made_up()
    found = gaps(points.assign(right=True), slices, album, seed=0)
    assert (found["estimate"] == 0).all()
    assert (found["refused"] == "fewer than three albums hold an error").all()
    assert found[["error", "low", "high"]].isna().all(axis=None)


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

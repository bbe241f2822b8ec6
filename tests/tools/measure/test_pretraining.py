"""The measurement of pretraining: what is trained, scored and written. The photographs here are noise."""

import numpy as np
import pandas as pd
import pytest

from facelab import adience, evaluation, pipeline, results, training
from tools.measure import pretraining, real

SMALL = pipeline.PixelContract(16, 3)


@pytest.fixture
def folder(tmp_path, monkeypatch, write_eighty, small_network):
    """Eighty photographs of forty albums, two small networks, and judges that always say the same."""

    def small():
        return small_network(SMALL)

    monkeypatch.setattr(pretraining, "EPOCHS", {0.25: 2, 1.0: 1})
    monkeypatch.setattr(pretraining, "BEGINNINGS", {"random weights": small, "rendered backbone": small})
    quick = {"contract": SMALL, "augmented": False, "views": False}
    monkeypatch.setattr(pretraining, "RECIPE", pretraining.RECIPE._replace(**quick))
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    men_of_30 = pd.DataFrame({"age": [30.0] * 16, "male": [1.0] * 16})
    monkeypatch.setattr(
        pretraining.judge, "predictions", lambda table, data_dir: {"judge": men_of_30[: len(table)]}
    )
    return write_eighty(40, SMALL)


def test_every_beginning_share_and_judge_is_scored_on_the_same_photographs(folder, capsys, monkeypatch):
    pretraining.main([str(folder), "--seeds", "0", "1", "2"])
    printed = capsys.readouterr().out
    record = results.read(real.FOLDER / "pretraining_test.json")
    assert list(record.scores) == [
        *(f"25%, {name}" for name in ("random weights", "rendered backbone", "gain")),
        *(f"100%, {name}" for name in ("random weights", "rendered backbone", "gain")),
        "judge",
    ]
    test = adience.read_folds(folder).query("fold == 4")
    young = test["age_group"].isin(["(0, 2)", "(4, 6)", "(8, 12)"])
    of_young, of_others = "gender up to (8, 12)", "gender from (15, 20)"
    for scores in record.scores.values():
        faces = {score.name: score.faces for score in scores}
        assert faces == {
            "gender": 16,
            of_young: young.sum(),
            of_others: (~young).sum(),
            "age exact": 16,
            "age 1-off": 16,
            "age, years outside the group": 16,
        }
        assert {(score.albums, score.split) for score in scores if score.faces == 16} == {(8, "test")}
        gender = {score.name: score.estimate * score.faces for score in scores}
        assert gender["gender"] == pytest.approx(gender[of_young] + gender[of_others])
    for share in ("25%", "100%"):
        before, after, gain = (
            record.scores[f"{share}, {name}"] for name in ("random weights", "rendered backbone", "gain")
        )
        for one, other, difference in zip(before, after, gain, strict=True):
            assert difference.estimate == pytest.approx(other.estimate - one.estimate)
    judged = {score.name: score.estimate for score in record.scores["judge"]}
    assert judged["gender"] == np.mean(test["gender"] == "m")
    assert judged[of_young] == np.mean(test["gender"][young] == "m")
    assert judged["age exact"] == np.mean(test["age_group"] == "(25, 32)")
    assert "25%, seed 1, rendered backbone" in printed
    about = {"labels": "not stated", "age_groups": "nearest"}
    assert record.parameters.items() >= ({"seed": 0, "seeds": [0, 1, 2], "fold": 4} | about).items()

    # Again: nothing is left to train, and the scores are the same.
    monkeypatch.setattr(training, "_train_one_epoch", lambda *_: pytest.fail("trained again"))
    pretraining.main([str(folder), "--seeds", "0", "1", "2"])
    assert results.read(real.FOLDER / "pretraining_test.json") == record


def test_choosing_leaves_the_test_fold_alone_and_absent_judges_are_named(folder, capsys, monkeypatch):
    def absent(*_):
        raise FileNotFoundError("node is not installed")

    monkeypatch.setattr(pretraining.judge, "predictions", absent)
    for photograph in pd.read_csv(folder / "fold_4_data.txt", sep="\t").itertuples():
        path = adience.photograph_path(photograph.user_id, photograph.face_id, photograph.original_image)
        (folder / path).write_bytes(b"whoever opens this fails")
    pretraining.main([str(folder), "--choose", "--seeds", "0", "1", "2", "--shares", "1.0"])
    assert "the networks of others are left out: node is not installed" in capsys.readouterr().out
    record = results.read(real.FOLDER / "pretraining_validation.json")
    assert {score.split for score in record.scores["100%, gain"]} == {"validation"}
    assert "judge" not in record.scores


def test_a_missing_folder_is_said_so_and_nothing_is_written(folder, capsys):
    assert pretraining.main([str(folder / "nowhere")]) == 2
    assert "nowhere is not a data set: there is no such folder" in capsys.readouterr().err
    assert not real.FOLDER.exists()


def test_two_seeds_are_too_few_for_a_gain_and_nothing_is_trained(folder, capsys):
    assert pretraining.main([str(folder), "--seeds", "0", "1"]) == 2
    assert "--seeds takes three or more" in capsys.readouterr().err
    assert not real.FOLDER.exists()


def test_the_interval_of_a_gain_is_over_seeds_and_albums():
    table = pd.DataFrame(
        {
            "user_id": [f"{number // 2}@N" for number in range(40)],
            "gender": pd.Categorical(list("fm") * 20, list(adience.GENDERS)),
            "age_group": pd.Categorical([adience.AGE_GROUPS[n % 8] for n in range(40)], adience.AGE_GROUPS),
        }
    )
    true = real.labels(table)
    runs = []
    for seed in range(6):
        wrong = np.random.default_rng(seed).random(40) < (0.1 if seed < 3 else 0.4)
        runs.append({head: np.where(wrong, y ^ 1, y) for head, y in true.items()})
    found = pretraining.score(table, runs[:3], runs[3:], split="test", fold=4)[0]
    right = [[np.mean(run["gender"] == true["gender"]) for run in those] for those in (runs[:3], runs[3:])]
    assert found.estimate == pytest.approx(np.mean(right[0]) - np.mean(right[1]))
    expected = evaluation.paired_seeds_and_albums(
        evaluation.accuracy,
        true["gender"],
        [run["gender"] for run in runs[3:]],
        [run["gender"] for run in runs[:3]],
        table["user_id"],
        seed=0,
    )
    assert found.interval == expected


def test_a_share_is_of_albums_and_another_one_for_each_seed(folder):
    table = adience.usable(adience.read_folds(folder))
    quarter = pretraining.share_of_albums(table, 0.25, seed=0)
    assert quarter["user_id"].nunique() == 10
    assert set(table.index[table["user_id"].isin(quarter["user_id"])]) == set(quarter.index)
    assert set(quarter["user_id"]) <= set(pretraining.share_of_albums(table, 0.5, seed=0)["user_id"])
    assert set(quarter["user_id"]) != set(pretraining.share_of_albums(table, 0.25, seed=1)["user_id"])
    assert len(pretraining.share_of_albums(table, 1.0, seed=0)) == len(table)


def test_scores_are_means_over_the_seeds_worked_out_by_hand():
    table = pd.DataFrame(
        {
            "user_id": ["a", "c", "b", "b"],
            "gender": pd.Categorical(list("ffmm"), list(adience.GENDERS)),
            "age_group": pd.Categorical([adience.AGE_GROUPS[g] for g in (0, 2, 4, 7)], adience.AGE_GROUPS),
        }
    )
    right = {"gender": np.array([0, 0, 1, 1]), "age": np.array([0, 2, 4, 7])}
    right["years"] = np.array([1.0, 10.0, 28.5, 70.0])
    half = {"gender": np.array([0, 1, 0, 1]), "age": np.array([1, 4, 4, 5])}
    half["years"] = np.array([5.0, 28.5, 28.5, 40.5])
    outside = (3 + 16.5 + 0 + 19.5) / 4
    found = pretraining.score(table, [right, half, half, right], split="test", fold=4)
    assert {one.name: one.estimate for one in found} == {
        "gender": 0.75,
        "gender up to (8, 12)": 0.75,
        "age exact": 0.625,
        "age 1-off": 0.75,
        "age, years outside the group": outside / 2,
    }
    ahead = pretraining.score(table, [right] * 3, [half] * 3, split="test", fold=4)
    assert {one.name: one.estimate for one in ahead} == {
        "gender": 0.5,
        "gender up to (8, 12)": 0.5,
        "age exact": 0.75,
        "age 1-off": 0.5,
        "age, years outside the group": -outside,
    }
    # Of one album alone there is no interval, and so no score.
    assert "gender from (15, 20)" not in {one.name for one in [*found, *ahead]}
    with pytest.raises(ValueError, match="are of one album"):
        pretraining.score(table.assign(user_id="a"), [right], split="test", fold=4)


def test_both_beginnings_are_the_same_network_small_and_learn_all_of_it():
    scratch, pretrained = (build() for build in pretraining.BEGINNINGS.values())
    assert scratch.count_params() == pretrained.count_params() <= 1_000_000
    assert scratch.input_shape == pretrained.input_shape == (None, 64, 64, 3)
    trained = [sum(int(np.prod(w.shape)) for w in one.trainable_weights) for one in (scratch, pretrained)]
    assert trained[0] == trained[1]

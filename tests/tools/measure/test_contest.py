"""The contest of heads and losses: that every method learns, what is scored, written and asked, and when."""

import numpy as np
import pandas as pd
import pytest

from facelab import adience, evaluation, results, training
from facelab.backend import keras, layers, set_seed
from tools import contest
from tools.measure import real

GROUPS = np.tile(np.arange(8), 8)


def faces(groups: np.ndarray, albums: int = 8) -> pd.DataFrame:
    labels = pd.Categorical.from_codes(groups, list(adience.AGE_GROUPS), ordered=True)
    return pd.DataFrame({"age_group": labels, "user_id": [f"{n % albums}@N" for n in range(len(groups))]})


@pytest.mark.parametrize("name", contest.METHODS)
def test_every_method_learns_what_can_be_told_apart(name):
    method, table = contest.METHODS[name], faces(GROUPS)
    set_seed(0)
    features = np.eye(8, dtype="float32")[GROUPS]
    inputs = keras.Input((8,))
    model = keras.Model(inputs, method.head(inputs))
    model.compile(keras.optimizers.Adam(0.3), method.loss)

    def said() -> np.ndarray:
        return method.probabilities(model.predict(features, verbose=0))

    before = evaluation.accuracy(GROUPS, evaluation.decide(said()))
    target = method.target(table)
    losses = [float(model.train_on_batch(features, target)) for _ in range(120)]
    assert losses[-1] < losses[0] / 1.5
    assert said().shape == (64, 8)
    assert said().sum(axis=1) == pytest.approx(np.ones(64), abs=1e-5)
    assert before < 0.7
    assert evaluation.accuracy(GROUPS, evaluation.decide(said())) == 1
    assert evaluation.mae_in_groups(GROUPS, evaluation.expected_group(said())) < 0.5


def test_corals_biases_are_in_order_when_it_has_learned():
    method = contest.METHODS["CORAL"]
    inputs = keras.Input((1,))
    model = keras.Model(inputs, method.head(inputs))
    model.compile(keras.optimizers.Adam(0.1), method.loss)
    model.layers[-1].set_weights([np.zeros(7)])
    noisy = (GROUPS + np.random.default_rng(0).normal(0, 1, len(GROUPS))).astype("float32")[:, None]
    target = method.target(faces(GROUPS))
    for _ in range(150):
        model.train_on_batch(noisy, target)
    assert (np.diff(model.layers[-1].get_weights()[0]) < 0).all()


@pytest.fixture
def folder(tmp_path, monkeypatch, write_eighty):
    """Eighty photographs of forty albums, two methods, and a network that is quick to train."""

    def small(contract):
        images = keras.Input((contract.side, contract.side, contract.channels), name="images")
        pooled = layers.Flatten()(layers.AveragePooling2D(contract.side // 4)(images))
        return keras.Model(images, layers.Dense(8, activation="softmax", name="age")(pooled))

    monkeypatch.setattr(contest.models, "strided_network", small)
    few = {name: contest.METHODS[name] for name in (contest.BASELINE, "CORAL")}
    monkeypatch.setattr(contest, "METHODS", few)
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    return write_eighty(40, contest.CONTRACT)


def test_every_method_is_scored_and_compared_and_the_test_fold_is_asked_without_training_again(
    folder, capsys, monkeypatch, add_causes
):
    for photograph in pd.read_csv(folder / "fold_4_data.txt", sep="\t").itertuples():
        path = folder / adience.photograph_path(
            photograph.user_id, photograph.face_id, photograph.original_image
        )
        path.rename(path.with_suffix(".away"))
        path.write_bytes(b"whoever opens this fails")
    arguments = [str(folder), "--epochs", "1", "--photographs", "40"]
    assert contest.main(arguments) == 0
    printed = capsys.readouterr().out
    record = results.read(real.FOLDER / "contest_validation.json")
    assert list(record.scores) == ["cross-entropy", "CORAL", "CORAL minus cross-entropy"]
    names = ["exact", "1-off", "balanced", "MAE in groups", "years outside the group"]
    for model, scores in record.scores.items():
        prefix = "difference, " if "minus" in model else ""
        assert [score.name for score in scores] == [prefix + name for name in names]
        for score in scores:
            assert (score.split, score.folds) == ("validation", [4])
            assert str(score.interval) in printed
    assert record.parameters.pop("file_names_sha256")
    assert record.parameters == {
        "labels": "not stated",
        "age_groups": "strict",
        "seed": 1,
        "seeds": [1, 2, 3],
        "fold": 4,
        "epochs": 1,
        "photographs": 40,
    }
    for one, other, difference in zip(*record.scores.values(), strict=True):
        assert difference.estimate == pytest.approx(other.estimate - one.estimate)

    # The fold is asked about with the same networks; where a renderer knows the ages, errors are in years.
    for away in folder.rglob("*.away"):
        away.rename(away.with_suffix(".jpg"))
    add_causes(folder, age_years=30.0)
    monkeypatch.setattr(training, "_train_one_epoch", lambda *_: pytest.fail("trained again"))
    assert contest.main([*arguments, "--test"]) == 0
    record = results.read(real.FOLDER / "contest_test_renders.json")
    names = [*names[:4], "MAE in years", "cumulative score, 5 years"]
    assert [score.name for score in record.scores["CORAL"]] == names
    assert {(score.split, score.faces) for score in record.scores["CORAL"]} == {("test", 16)}


def test_scores_are_those_worked_out_by_hand():
    groups = np.array([0, 4, 4, 7])
    best, wrong = np.eye(8)[groups], np.eye(8)[[1, 4, 6, 7]]
    said = {"cross-entropy": np.stack([best, best, wrong]), "other": np.stack([wrong, wrong, wrong])}
    true = {"group": groups, "years": np.array([0.5, 28.5, 30.0, 66.0])}
    found = contest.score(faces(groups, albums=2), said, true, split="validation", fold=4)
    values = {model: {score.name: score.estimate for score in scores} for model, scores in found.items()}
    right = {"exact": 1, "1-off": 1, "balanced": 1, "MAE in groups": 0}
    other = {"exact": 0.5, "1-off": 0.75, "balanced": (0 + 0.5 + 1) / 3, "MAE in groups": 0.75}
    # 1, 5, 28.5, 50.5 and 70 years stand for the groups.
    right |= {"MAE in years": (0.5 + 0 + 1.5 + 4) / 4, "cumulative score, 5 years": 1}
    other |= {"MAE in years": (4.5 + 0 + 20.5 + 4) / 4, "cumulative score, 5 years": 0.75}
    mean = {name: (2 * right[name] + other[name]) / 3 for name in right}
    assert values["other"] == pytest.approx(other)
    assert values["cross-entropy"] == pytest.approx(mean)
    differences = {f"difference, {name}": other[name] - mean[name] for name in right}
    assert values["other minus cross-entropy"] == pytest.approx(differences)


def test_no_interval_holds_what_a_score_cannot_be_but_that_of_a_difference_may():
    groups = np.tile(np.arange(8), 4)
    table = faces(groups, albums=3)
    right, off = np.eye(8)[groups], np.eye(8)[(groups + 4) % 8]
    said = {"cross-entropy": np.stack([right, off, off]), "other": np.stack([right, right, off])}
    found = contest.score(table, said, {"group": groups}, split="test", fold=4)
    ends = {score.name: (score.low, score.high) for score in found["other"]}
    assert ends["exact"] == (0, 1)
    assert ends["MAE in groups"][0] == 0
    assert ends["MAE in groups"][1] > 4
    assert found["other minus cross-entropy"][0].high > 1


def test_two_seeds_are_too_few_and_nothing_is_trained(folder, capsys):
    assert contest.main([str(folder), "--seeds", "2"]) == 2
    assert "three trainings or more, not 2" in capsys.readouterr().err
    assert not real.FOLDER.exists()

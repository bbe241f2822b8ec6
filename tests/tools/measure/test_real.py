"""The measurement on photographs: what it scores, writes and refuses. The photographs here are noise."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from facelab import adience, models, pipeline, results, training
from facelab.backend import keras, tf
from tools.measure import real


@pytest.fixture
def folder(tmp_path, monkeypatch, write_eighty, small_network):
    """Eighty photographs of twenty albums; two small networks, and the records beside them."""
    recipes = {
        "age_network": real.RECIPES["age_network"]._replace(epochs=2),
        "small": real.RECIPES["strided_network"]._replace(
            build=lambda: small_network(real.CONTRACT), epochs=2
        ),
    }
    monkeypatch.setattr(real, "RECIPES", recipes)
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    return write_eighty(20, real.CONTRACT)


def test_it_prints_and_records_every_score_with_its_interval_and_goes_on_where_it_stopped(
    folder, capsys, monkeypatch
):
    real.main([str(folder), "--labels", "drawn by lot"])
    printed = capsys.readouterr().out
    record = results.read(real.FOLDER / "real_test.json")

    assert record.data.photographs == 80
    names = sorted(adience.read_folds(folder)["path"])
    assert record.parameters == {
        "seed": 0,
        "folds": [4],
        "epochs": {"age_network": 2, "small": 2},
        "labels": "drawn by lot",
        "age_groups": "nearest",
        "file_names_sha256": hashlib.sha256("".join(f"{name}\n" for name in names).encode()).hexdigest(),
    }
    names = {network: [score.name for score in scores] for network, scores in record.scores.items()}
    every = ["gender", "age exact", "age 1-off", "age, years outside the group"]
    assert names == {"majority": every, "age_network": every[1:], "small": every}
    for scores in record.scores.values():
        for score in scores:
            assert f"{score.estimate:.3f} ({score.low:.3f}–{score.high:.3f})" in printed
            assert (score.faces, score.albums, score.split, score.folds) == (16, 4, "test", [4])
    assert "trained on    64 photographs of 16 albums\nscored on     16 photographs of 4 albums" in printed

    # Again: nothing is left to train, and the scores are the same.
    monkeypatch.setattr(training, "_train_one_epoch", lambda *_: pytest.fail("trained again"))
    real.main([str(folder), "--labels", "drawn by lot"])
    assert results.read(real.FOLDER / "real_test.json") == record


def test_choosing_leaves_the_test_fold_alone(folder, capsys):
    for photograph in pd.read_csv(folder / "fold_4_data.txt", sep="\t").itertuples():
        path = adience.photograph_path(photograph.user_id, photograph.face_id, photograph.original_image)
        (folder / path).write_bytes(b"whoever opens this fails")
    real.main([str(folder), "--choose", "--networks", "small", "--epochs", "1"])
    assert "trained on    56 photographs of 14 albums\nscored on      8 photographs of 2 albums" in (
        capsys.readouterr().out
    )
    record = results.read(real.FOLDER / "real_validation.json")
    assert {score.split for score in record.scores["small"]} == {"validation"}
    assert record.parameters["epochs"] == {"small": 1}


def test_all_folds_are_tested_once_each_and_scored_together(folder, capsys):
    real.main([str(folder), "--folds", "all", "--networks", "small", "--epochs", "1"])
    record = results.read(real.FOLDER / "real_test_folds_01234.json")
    together, alone = record.scores["small"], [record.scores[f"small, fold {fold}"] for fold in range(5)]
    assert {(score.faces, tuple(score.folds)) for score in together} == {(80, (0, 1, 2, 3, 4))}
    assert [{(score.faces, tuple(score.folds)) for score in scores} for scores in alone] == [
        {(16, (fold,))} for fold in range(5)
    ]
    # The folds are of one size, so the score of all is the mean of theirs.
    for number, score in enumerate(together):
        assert score.estimate == pytest.approx(np.mean([scores[number].estimate for scores in alone]))
    assert "trained on    64 photographs of 16 albums" in capsys.readouterr().out


@pytest.mark.parametrize("given", [["5"], ["all", "4"], ["4", "4"], ["four"]])
def test_a_fold_that_is_none_is_refused(folder, capsys, given):
    assert real.main([str(folder), "--folds", *given]) == 2
    assert f"not {' '.join(given)}" in capsys.readouterr().err
    assert not real.FOLDER.exists()


def test_a_missing_folder_is_said_so_and_nothing_is_written(folder, capsys):
    assert real.main([str(folder / "nowhere")]) == 2
    assert f"{folder / 'nowhere'} is not a data set: there is no such folder" in capsys.readouterr().err
    assert not real.FOLDER.exists()


def _table(genders, groups):
    return pd.DataFrame(
        {
            "user_id": [f"{number // 2}@N" for number in range(len(genders))],
            "gender": pd.Categorical(list(genders), list(adience.GENDERS)),
            "age_group": pd.Categorical([adience.AGE_GROUPS[group] for group in groups], adience.AGE_GROUPS),
        }
    )


def test_scores_are_those_worked_out_by_hand():
    said = {"gender": np.array([[0.9], [0.2], [0.6], [0.4]]), "age": np.eye(8)[[0, 3, 5, 7]]}
    outside = (0 + (25 - 17.5) + (60 - 40.5) + 0) / 4  # 17.5 and 40.5 years stand for (15, 20) and (38, 43)
    table = _table("mfff", [0, 4, 7, 7])
    found = real.score(table, real.decided(said), split="test", folds=[4], seed=0)
    values = {score.name: score.estimate for score in found}
    expected = {"gender": 0.75, "age exact": 0.5, "age 1-off": 0.75, "age, years outside the group": outside}
    assert values == pytest.approx(expected)
    assert {(score.faces, score.albums, score.split) for score in found} == {(4, 2, "test")}


def test_the_majority_is_that_of_training():
    said = real.majority(_table("mmf", [4, 4, 0]), 4)
    table = _table("mfff", [4, 5, 0, 0])
    found = real.score(table, real.decided(said), split="test", folds=[4], seed=0)
    values = {score.name: score.estimate for score in found}
    age = (2 * 28.5 + 1) / 3  # 19.33, of the shares of (25, 32) and (0, 2)
    outside = ((25 - age) + (38 - age) + 2 * (age - 2)) / 4
    expected = {"gender": 0.25, "age exact": 0.25, "age 1-off": 0.5, "age, years outside the group": outside}
    assert values == pytest.approx(expected)


def test_shifts_move_the_picture_by_a_pixel_and_repeat_its_edge():
    images = np.arange(2 * 3 * 3, dtype="float32").reshape(2, 3, 3, 1)
    rows, columns = np.array([0, 0, 1]), np.array([1, 2, 2])
    assert (real.shifted(images, (0, 0)).numpy() == images).all()
    assert (real.shifted(images, (1, 0)).numpy() == images[:, rows]).all()
    assert (real.shifted(images, (0, -1)).numpy() == images[:, :, columns]).all()


def test_ten_views_are_asked_and_their_mean_taken(folder):
    table = adience.usable(adience.read_folds(folder))
    keras.utils.set_random_seed(0)
    recipe = real.RECIPES["small"]
    model = recipe.build()
    once, ten = (real.ask(model, recipe._replace(views=views), table, folder) for views in (False, True))
    pixels = np.concatenate(list(pipeline.photographs(table, folder).batch(80).as_numpy_iterator())) / 255
    assert once["age"] == pytest.approx(model.predict(pixels, verbose=0)["age"], abs=1e-5)
    views = [
        view
        for by in real.SHIFTS
        for moved in [real.shifted(tf.constant(pixels, tf.float32), by)]
        for view in (moved, moved[:, :, ::-1])
    ]
    for head in ("gender", "age"):
        mean = np.mean([model.predict(view, verbose=0)[head] for view in views], axis=0)
        assert ten[head] == pytest.approx(mean, abs=1e-5)


def test_the_networks_are_those_of_the_course_and_the_mended_one_is_small():
    built = {name: recipe.build() for name, recipe in real.RECIPES.items()}
    assert built["gender_cnn"].count_params() == models.gender_cnn().count_params()
    assert built["age_network"].count_params() == models.age_network().count_params()
    assert built["strided_network"].count_params() <= 1_000_000
    assert set(built["strided_network"].output) == {"gender", "age"}
    assert {model.input_shape for model in built.values()} == {(None, 48, 48, 1)}

"""Ways to better the network on photographs: what is trained, with which targets, and what a gain is over."""

import numpy as np
import pandas as pd
import pytest

from facelab import models, pipeline, results, training
from tools.measure import further, photographs, real

SMALL = pipeline.PixelContract(16, 3)


@pytest.fixture
def folder(tmp_path, monkeypatch, write_eighty, small_network):
    """Eighty photographs of forty albums, and ways of a single epoch with a small network."""
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    quick = {"contract": SMALL, "epochs": 1, "augmented": False, "views": False}
    base = further.BASE._replace(build=lambda: small_network(SMALL), **quick)
    monkeypatch.setattr(further, "BASE", base)
    ways = {
        "chapter 5": further.Way(base),
        "mean weights": further.Way(base._replace(ema=0.5)),
        "taught": further.Way(base, taught=True),
    }
    monkeypatch.setattr(further, "WAYS", ways)
    return write_eighty(40, SMALL)


def test_every_way_is_scored_and_its_gain_is_over_the_first(folder, monkeypatch):
    assert further.main([str(folder)]) == 0
    record = results.read(real.FOLDER / "further_test.json")
    ways = ["chapter 5", "mean weights", "taught"]
    assert list(record.scores) == [*ways, "mean weights, gain", "taught, gain"]
    for way in ways[1:]:
        for one, base, gain in zip(
            record.scores[way], record.scores["chapter 5"], record.scores[f"{way}, gain"], strict=True
        ):
            assert gain.estimate == pytest.approx(one.estimate - base.estimate)

    # Again, of one way alone: nothing is left to train.
    monkeypatch.setattr(training, "_train_one_epoch", lambda *_: pytest.fail("trained again"))
    assert further.main([str(folder), "--ways", "taught"]) == 0
    again = results.read(real.FOLDER / "further_test.json")
    assert again.scores["taught, gain"] == record.scores["taught, gain"]


def test_a_teacher_has_not_seen_the_photographs_that_it_speaks_of(folder, monkeypatch):
    trained = []

    def teach(recipe, table, data_dir, *, seed, folder):
        trained.append(set(table["fold"]))
        return None, pd.DataFrame({"seconds": [1.0]})

    def ask(model, recipe, table, data_dir):
        assert not trained[-1] & set(table["fold"])
        return {"gender": np.ones((len(table), 1)), "age": np.tile(np.eye(8)[7], (len(table), 1))}

    monkeypatch.setattr(further.real, "trained", teach)
    monkeypatch.setattr(further.real, "ask", ask)
    monkeypatch.setattr(further.real, "training_summary", lambda *_: "")
    table = photographs.read_photographs(folder).query("fold < 4")
    mixed, seconds = further.targets_by_teachers(table, folder, "runs")
    assert seconds == 4
    assert trained == [{0, 1, 2, 3} - {fold} for fold in range(4)]
    own = real.targets(further.BASE, table)
    assert np.allclose(mixed["gender"], (own["gender"] + 1) / 2)
    assert np.allclose(mixed["age"].sum(axis=1), 1)
    assert np.allclose(mixed["age"][:, :7], own["age"][:, :7] / 2)


def test_two_seeds_are_too_few(folder, capsys):
    assert further.main([str(folder), "--seeds", "0", "1"]) == 2
    assert "three or more" in capsys.readouterr().err


def weights_of(way, folder, epochs):
    """Trained with a way's recipe, from the same seed."""
    recipe = further.WAYS[way].recipe._replace(epochs=epochs)
    table = photographs.read_photographs(folder)
    return real.trained(recipe, table, folder, seed=0, folder=real.FOLDER / way)[0].get_weights()


def test_the_mean_of_the_weights_is_kept(folder):
    last, mean = (weights_of(way, folder, epochs=1) for way in ("chapter 5", "mean weights"))
    assert any(not np.allclose(a, b) for a, b in zip(last, mean, strict=True))


def test_training_goes_on_from_the_weights_and_not_from_their_mean(folder, monkeypatch):
    monkeypatch.setattr(real.Averaging, "put_mean_into", lambda *_: None)
    monkeypatch.setattr(real, "normalise_anew", lambda *_: None)
    last, beside_a_mean = (weights_of(way, folder, epochs=2) for way in ("chapter 5", "mean weights"))
    for one, other in zip(last, beside_a_mean, strict=True):
        np.testing.assert_array_equal(one, other)


def test_batch_normalisation_gets_the_statistics_of_the_weights_that_are_there(folder):
    table = photographs.read_photographs(folder)
    model = models.strided_network(SMALL)
    of_norm = model.get_layer("stem_norm").moving_mean
    of_norm.assign(np.full(of_norm.shape, 1e6))
    before = [weights.numpy() for weights in model.trainable_variables]
    target = pipeline.age_target(table)
    batches = pipeline.TrainingBatches(table, folder, target, SMALL, batch_size=1, seed=0)
    real.normalise_anew(model, batches)  # 80 batches leave a sixtieth of what was there
    assert np.all(np.abs(of_norm) < 2e4)
    for one, other in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other)

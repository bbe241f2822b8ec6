"""What the difficulty tool hides, what it predicts from a single cause, and what it records."""

import numpy as np
import pandas as pd
import pytest

from facelab import adience, pipeline, results
from tools.measure import difficulty, photographs, real
from tools.measure.difficulty import cause_alone, masks


@pytest.fixture
def folder(tmp_path, monkeypatch, write_eighty, add_causes, small_network):
    """Eighty renders of twenty albums, whose glasses tell their gender; and a network that trains quickly.

    One cause is called as the part that is looked at alone: the record must have both.
    """
    small = real.RECIPES["strided_network"]._replace(
        build=lambda: small_network(real.CONTRACT), epochs=2, views=False
    )
    monkeypatch.setattr(difficulty, "RECIPES", {"strided_network": small})
    monkeypatch.setattr(difficulty, "PART_EPOCHS", 1)
    monkeypatch.setattr(difficulty, "masks", lambda side: {"face alone": masks(side)["face alone"]})
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    folder = write_eighty(20, real.CONTRACT)
    table = adience.read_folds(folder)
    glasses = np.where(table["gender"] == "m", "round", "None")
    add_causes(folder, age_years=30.0, true_gender="f", glasses=glasses, face=0.5)
    return folder


def test_everything_a_part_and_a_cause_are_scored_by_the_labels_and_recorded(folder, capsys):
    difficulty.main([str(folder)])
    printed = capsys.readouterr().out
    record = results.read(real.FOLDER / "difficulty_test_renders.json")
    causes = ["cause glasses alone", "cause face alone"]  # not the age, not the gender
    assert list(record.scores) == ["majority", "strided_network", "face alone", *causes]
    for scores in record.scores.values():
        assert {(score.faces, score.albums, score.split) for score in scores} == {(16, 4, "test")}
    gender = {name: scores[0].estimate for name, scores in record.scores.items()}
    assert gender["cause glasses alone"] == 1
    assert gender["cause face alone"] == gender["majority"] < 1
    assert "trained on    64 photographs of 16 albums" in printed
    assert "2 epochs" in printed


def test_a_part_is_written_as_it_is_and_the_rest_in_grey(folder, tmp_path):
    table, mask = photographs.read_photographs(folder), masks(48)["face alone"]
    difficulty.write_part(table, folder, mask, tmp_path / "part")
    whole, part = (
        np.array(list(pipeline.photographs(table, place, real.CONTRACT).as_numpy_iterator()), int)[..., 0]
        for place in (folder, tmp_path / "part")
    )
    # A JPEG, even of the best quality, is off by a little.
    assert part[:, mask] == pytest.approx(whole[:, mask], abs=4)
    assert part[:, ~mask] == pytest.approx(128, abs=4)


def test_the_parts_make_the_whole_and_do_not_overlap():
    parts = np.stack(list(masks(48).values()))
    assert (parts.sum(axis=0) == 1).all()
    assert parts[0, 27, 24]
    assert parts[2, 0, 0]
    assert (parts.reshape(3, -1).mean(axis=1) > 0.05).all()


def test_a_cause_alone_finds_what_it_gives_away_and_nothing_else():
    cause = pd.Series(["none", "none", "glasses", "glasses", "glasses", "none", "sunglasses"])
    train = np.array([True, True, True, True, False, False, False])
    labels = np.array([0, 0, 3, 3, 3, 0, 3])
    # Sunglasses were never seen in training: the majority, of two equals the first.
    assert cause_alone(cause, train, labels).tolist() == [3, 0, 0]


def test_a_number_as_sole_cause_is_read_in_bins():
    values = pd.Series(np.linspace(0, 1, 400))
    labels = (values > 0.5).to_numpy(int)
    train = np.arange(400) % 4 != 0
    assert np.mean(cause_alone(values, train, labels) == labels[~train]) == pytest.approx(1, abs=0.02)


def test_the_linear_network_has_a_weight_for_each_pixel_and_answer():
    model = difficulty.linear()
    assert model.count_params() == (48 * 48 + 1) * (1 + 8)
    assert set(model.output) == {"gender", "age"}

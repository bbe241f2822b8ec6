"""The networks of the page "Play": what is committed is what was trained, and scores as it is recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest

from facelab import adience, embedded, evaluation, models, pipeline
from facelab.backend import layers
from tools import play_networks, play_page, recipe
from tools.paths import PLAY


def test_a_network_survives_the_way_through_16_bit_numbers():
    filters = (4, 6, 8, 10)
    model = models.strided_network(play_networks.CONTRACT, play_networks.HEADS, filters)
    images = np.random.default_rng(1).random((4, 64, 64, 3), np.float32)
    for layer in model.layers:  # as if it had been trained
        if isinstance(layer, layers.BatchNormalization):
            rng = np.random.default_rng(2)
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    numbers = np.concatenate([value.ravel() for _, value in play_networks.weights(model)])
    again = play_networks.from_half(numbers.astype("<f2"), filters)
    for head, said in model.predict(images, verbose=0).items():
        assert again.predict(images, verbose=0)[head] == pytest.approx(said, abs=0.01)
    with pytest.raises(ValueError, match="weights for a network of"):
        play_networks.from_half(numbers[:-1].astype("<f2"), filters)


def test_weights_that_are_not_those_of_the_record_are_refused(tmp_path, monkeypatch):
    for file in PLAY.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    other = bytearray((tmp_path / "small.f16").read_bytes())
    other[0] ^= 1
    (tmp_path / "small.f16").write_bytes(other)
    monkeypatch.setattr(play_page, "PLAY", tmp_path)
    with pytest.raises(ValueError, match=r"small\.f16 is not the one"):
        play_networks.network("small")
    with pytest.raises(ValueError, match=r"small\.f16 is not the one"):
        play_page.script()


def test_a_network_scores_on_the_test_fold_what_is_recorded():
    test = recipe.parts().test
    answers = play_networks.said(play_networks.network("small"), test)
    scores = {score["name"]: score for score in play_page.record()["networks"]["small"]["scores"]}
    age, is_m = pipeline.age_target(test), pipeline.gender_target(test)[:, 0]
    right = {
        "gender accuracy": np.mean((answers["gender"][:, 0] >= 0.5) == is_m),
        "exact age accuracy": evaluation.accuracy(age, evaluation.decide(answers["age"])),
        "1-off age accuracy": evaluation.one_off_accuracy(age, evaluation.decide(answers["age"])),
    }
    assert set(scores) == set(right)
    for name, share in right.items():
        assert scores[name]["estimate"] == pytest.approx(share, abs=0.002)  # another machine rounds otherwise
        assert scores[name]["low"] < share < scores[name]["high"]
        assert (scores[name]["faces"], scores[name]["albums"]) == (len(test), test["user_id"].nunique())


def test_nobody_on_the_page_was_trained_on():
    trained_on = set(embedded.read_factors()["identity"])
    assert not trained_on & set(play_page.pictures()["identity"])


def test_every_picture_of_the_page_is_where_its_sliders_say():
    data, table = play_page.data(), play_page.pictures()
    assert len(table) == len(play_page.HEADS) * data["perHead"]
    assert len(play_page.HEADS) >= 12
    for number, head in enumerate(play_page.HEADS):
        for cause, values in zip(data["causes"], play_page.CAUSES.values(), strict=True):
            for place, (value, words) in zip(cause["values"], values.items(), strict=True):
                row = table.iloc[number * data["perHead"] + place["picture"]]
                assert (row["identity"], place["words"]) == (head, words)
                if value != play_page.OWN:
                    assert (row["factor"], row["value"]) == (cause["name"], value)
    # At first every slider shows the same head: what one cause is set to there, the others have as well.
    for number, starts in enumerate(data["heads"]):
        rows = [
            table.iloc[number * data["perHead"] + cause["values"][starts["start"][cause["name"]]]["picture"]]
            for cause in data["causes"]
        ]
        for column in ("age_years", "masculinity", "light_azimuth_deg", "glasses", "hair_style"):
            assert len({row[column] for row in rows}) == 1, column


def test_the_groups_of_the_truth_are_the_nearest_to_the_age():
    ages = next(cause for cause in play_page.data()["causes"] if cause["name"] == "age")
    groups = [adience.AGE_GROUPS[value["group"]] for value in ages["values"]]
    assert groups == [
        "(0, 2)",
        "(4, 6)",
        "(8, 12)",
        "(15, 20)",
        "(25, 32)",
        "(38, 43)",
        "(48, 53)",
        "(60, 100)",
    ]


def test_the_card_has_no_headings_and_names_the_files():
    card = play_page.card()
    assert "\n#" not in card
    for network in json.loads((PLAY / "networks.json").read_text())["networks"].values():
        assert network["sha256"] in card

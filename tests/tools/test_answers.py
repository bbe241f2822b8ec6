"""How the answers of a network are written down, and what is chosen on validation albums."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facelab import adience, evaluation
from tools import answers, try_pages

FACES = 400


@pytest.fixture
def table() -> pd.DataFrame:
    random = np.random.default_rng(3)
    age = pd.Categorical.from_codes(random.integers(0, 8, FACES), pd.Index(adience.AGE_GROUPS), ordered=True)
    gender = pd.Categorical(random.choice(["f", "m"], FACES), categories=adience.GENDERS)
    albums = random.permutation(np.arange(FACES) % 20).astype(str)
    return pd.DataFrame({"user_id": albums, "age_group": age, "gender": gender})


@pytest.fixture
def said(table) -> dict[str, np.ndarray]:
    """A network that knows both labels a little, and is surer than it should be."""
    random = np.random.default_rng(4)
    is_m = (table["gender"] == "m").to_numpy()
    logits = random.normal(size=(FACES, 8)) * 3
    logits[np.arange(FACES), table["age_group"].cat.codes] += 3
    powers = np.exp(logits)
    m = 1 / (1 + np.exp(-(random.normal(size=FACES) + 2 * is_m)))
    return {
        "gender": m[:, None].astype("float32"),
        "age": (powers / powers.sum(1, keepdims=True)).astype("float32"),
    }


def test_what_is_written_is_read_again(table, said, tmp_path):
    file = tmp_path / "answers.json"
    chosen = answers.chosen(table, said)
    file.write_text(answers.record(table, chosen, answers.rows(table, said), [[0.5] * 9]), encoding="utf-8")
    read = try_pages.read(file)
    assert read.about["validation"] == chosen
    assert read.about["heads"] == [[0.5] * 9]
    assert read.about["parameters"] == {"seed": answers.SEED, "fold": answers.FOLD, "steps": answers.STEPS}
    committed = try_pages.read().about
    assert {part: set(read.about[part]) for part in ("data", "parameters", "versions", "validation")} == {
        part: set(committed[part]) for part in ("data", "parameters", "versions", "validation")
    }
    # The rows are in another order.
    order = np.lexsort(
        (np.round(said["gender"][:, 0], 5), table["gender"], table["age_group"].cat.codes, read_albums(table))
    )
    assert np.array_equal(read.album, read_albums(table)[order])
    assert np.array_equal(read.is_m, (table["gender"] == "m").to_numpy()[order])
    assert np.allclose(read.probability, said["gender"][order, 0], atol=1e-5)
    assert np.allclose(read.age_probability, said["age"][order], atol=1e-3)


def read_albums(table: pd.DataFrame) -> np.ndarray:
    return np.unique(table["user_id"], return_inverse=True)[1]


def test_what_is_chosen_is_best_on_these_faces(table, said):
    chosen = answers.chosen(table, said)
    age, is_m = table["age_group"].cat.codes.to_numpy(), (table["gender"] == "m").to_numpy()

    def loss(temperature: float) -> float:
        return evaluation.log_loss(age, evaluation.temperature_scaling(said["age"], temperature))

    best = chosen["temperature"]
    assert best > 1.2  # surer than it should be
    assert loss(best) < min(loss(best * 1.05), loss(best / 1.05))
    least = chosen["threshold"]
    m = said["gender"][:, 0]
    assert abs(np.mean(m[~is_m] >= least) - np.mean(m[is_m] < least)) < 0.05
    assert least > 0.52  # the network leans towards m
    assert (chosen["faces"], chosen["albums"]) == (FACES, 20)

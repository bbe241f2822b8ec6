"""Record what one network answers, face by face, for the interactive pages: ``python -m tools.answers``.

The network is that of lessons 8.1 and 8.2, trained in the same way. Its answers for the test fold, and for
the heads of the front page, go into ``book/answers.json``, which the pages "Try it" are filled from. What
those pages mark as chosen, a temperature and a threshold, is chosen here, on the validation albums. A run
that was stopped goes on after the last whole epoch.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facelab import adience, backend, embedded, evaluation, models, pipeline
from facelab.backend import keras, tf
from facelab.files import written_whole
from tools import command, heads, recipe
from tools.paths import ANSWERS, BUILD
from tools.recipe import FOLD, SEED

STEPS = 450
"""Batches of 64 that the network is trained on, as in lesson 8.1: rounded up to whole epochs."""

_TRIED = np.linspace(0.02, 0.98, 49)  # the thresholds of lesson 8.2

tf.get_logger().setLevel("ERROR")


def batches(part: pd.DataFrame, folder: Path, make: Any = pipeline.batches, **how: Any) -> Any:
    """Make batches of pictures and both targets."""
    return make(part, folder, recipe.targets(part), **how)


def trained(part: pd.DataFrame, folder: Path, checkpoints: Path) -> keras.Model:
    """Train the strided network with two heads as lesson 8.1 does."""
    backend.set_seed(SEED)
    model = models.strided_network(pipeline.PixelContract(), ("gender", "age"))
    data = batches(part, folder, pipeline.TrainingBatches, augmented=True, seed=SEED)
    epochs = -(-STEPS // len(data))
    recipe.fit(model, data, recipe.LOSSES, rate=2e-3, epochs=epochs, folder=checkpoints)
    return model


def equal_threshold(is_m: np.ndarray, probability: np.ndarray) -> float:
    """Find the threshold at which both error rates are most alike, as lesson 8.2 does."""
    unlike = [
        abs(np.mean(probability[is_m == 0] >= least) - np.mean(probability[is_m == 1] < least))
        for least in _TRIED
    ]
    return float(_TRIED[np.argmin(unlike)])


def chosen(table: pd.DataFrame, said: dict[str, np.ndarray]) -> dict[str, Any]:
    """Choose a threshold and a temperature on the validation albums, and estimate the albums' effect."""
    is_m, age = pipeline.gender_target(table)[:, 0], pipeline.age_target(table)
    temperature = evaluation.fit_temperature(age, said["age"])
    scaled = evaluation.temperature_scaling(said["age"], temperature)
    return {
        "faces": len(table),
        "albums": table["user_id"].nunique(),
        "threshold": round(equal_threshold(is_m, said["gender"][:, 0]), 2),
        "temperature": round(temperature, 3),
        "album_sd": evaluation.album_effect(age, scaled, table["user_id"]),
    }


def rows(table: pd.DataFrame, said: dict[str, np.ndarray]) -> list[list[float]]:
    """Write down a face in a row, in the order of ``columns``; albums are numbered."""
    odds = np.maximum(said["age"], np.finfo("float32").tiny).astype("float64")
    below = 1000 * np.log(odds.max(axis=1, keepdims=True) / odds)
    given = [
        np.unique(table["user_id"], return_inverse=True)[1],
        pipeline.age_target(table),
        pipeline.gender_target(table)[:, 0].astype(int),
        said["gender"][:, 0].astype("float64").round(5),
        *below.round().astype(int).T,
    ]
    return sorted(list(row) for row in zip(*(column.tolist() for column in given), strict=True))


def about_heads(model: keras.Model) -> list[list[float]]:
    """Ask about the front page's pictures: of each, the probability of m and those of the age groups."""
    shown = heads.pictures()
    data = pipeline.batches(shown, embedded.counterfactual_dir(), np.zeros(len(shown)))  # nothing is scored
    said = evaluation.predict(model, data, test_time_augmentation=True)
    return np.column_stack([said["gender"][:, :1], said["age"]]).astype("float64").round(3).tolist()


def record(
    table: pd.DataFrame, validation: dict[str, Any], test: list[list[float]], shown: list[list[float]]
) -> str:
    """Write the record as JSON, a line a face."""
    head = {
        "about": "What the network of lesson 8.1 answers for each face of a test fold of rendered faces",
        "data": recipe.about_faces() | {"photographs": len(table), "albums": table["user_id"].nunique()},
        "parameters": {"seed": SEED, "fold": FOLD, "steps": STEPS},
        "versions": recipe.versions(),
        "validation": validation,
        "columns": ["album", "age group", "labelled m", "probability of m"]
        + [f"1000 log of the greatest age probability / that of {group}" for group in adience.AGE_GROUPS],
    }
    lists = {"heads": shown, "test": test}
    lines = {
        name: ",\n".join(json.dumps(row, separators=(",", ":")) for row in lists[name]) for name in lists
    }
    body = ",\n".join(f' "{name}": [\n{faces}\n ]' for name, faces in lines.items())
    return f"{json.dumps(head, indent=1)[:-2]},\n{body}\n}}\n"


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Train, ask about validation and test faces, and write the record."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args(arguments)
    folder = embedded.data_dir()
    train, validation, test = recipe.parts()
    model = trained(train, folder, BUILD / "answers")
    said: list[Any] = [  # two heads: a dict each
        evaluation.predict(model, batches(part, folder), test_time_augmentation=True)
        for part in (validation, test)
    ]
    found = chosen(validation, said[0]), rows(test, said[1]), about_heads(model)
    with written_whole(ANSWERS) as aside:
        aside.write_text(record(adience.read_folds(folder), *found), encoding="utf-8")
    is_m, age = pipeline.gender_target(test)[:, 0], pipeline.age_target(test)
    print(f"{ANSWERS.name}: {len(test)} faces; right: gender", end=" ")
    print(f"{np.mean((said[1]['gender'][:, 0] >= 0.5) == is_m):.3f}, age", end=" ")
    print(f"{np.mean(evaluation.decide(said[1]['age']) == age):.3f}")


if __name__ == "__main__":
    sys.exit(main())

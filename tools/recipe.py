"""How the tools train networks with the heads ``gender`` and ``age``, and what their records say of it."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from facelab import adience, embedded, pipeline, training
from facelab.backend import keras

SEED = 1
FOLD = 4
"""The fold of the embedded faces that no training sees."""

LOSSES = {"gender": "binary_crossentropy", "age": "categorical_crossentropy"}


class Parts(NamedTuple):
    """Photographs to train on, to choose a temperature on, and to score, from different albums."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame


def parts() -> Parts:
    """Divide the embedded faces, each part in a random order, from which the batches follow."""
    table = adience.usable(adience.read_folds(embedded.data_dir()))
    return Parts(*(part.sample(len(part), random_state=SEED) for part in adience.split(table, FOLD, SEED)))


def targets(part: pd.DataFrame) -> dict[str, np.ndarray]:
    """Give what both heads are to say of each photograph; the age as soft targets."""
    return {"gender": pipeline.gender_target(part), "age": pipeline.soft_age_target(part)}


def fit(
    model: keras.Model,
    batches: pipeline.TrainingBatches,
    losses: dict[str, str],
    rate: float,
    epochs: int,
    folder: Path,
) -> pd.DataFrame:
    """Train with a rate that falls to 0, and go on from what ``folder`` holds; returns the history."""
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * len(batches))
    model.compile(keras.optimizers.AdamW(falling, weight_decay=0.02), losses)
    return training.fit(model, batches, epochs=epochs, folder=folder)


def about_faces() -> dict[str, Any]:
    """Name the data set, for a record."""
    return {"name": "embedded faces", "rendered": True, "sha256": embedded.checksum()}


def versions() -> dict[str, str]:
    """List with what a network is trained, for a record."""
    packages = ("tensorflow", "keras", "numpy", "facelab")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}

"""What the measurements on photographs are tried on: noise, and a network that is quick to train."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience, pipeline
from facelab.backend import keras, layers


@pytest.fixture
def small_network() -> Callable[[pipeline.PixelContract], keras.Model]:
    """Build a network with both heads on the means of sixteen tiles."""

    def build(contract: pipeline.PixelContract) -> keras.Model:
        images = keras.Input((contract.side, contract.side, contract.channels))
        pooled = layers.Flatten()(layers.AveragePooling2D(contract.side // 4)(images))
        heads = {
            "gender": layers.Dense(1, activation="sigmoid", name="gender"),
            "age": layers.Dense(8, activation="softmax", name="age"),
        }
        return keras.Model(images, {name: head(pooled) for name, head in heads.items()})

    return build


@pytest.fixture
def write_eighty(tmp_path: Path) -> Callable[[int, pipeline.PixelContract], Path]:
    """Write eighty photographs of so many albums in the layout; give their folder."""

    def write(albums: int, contract: pipeline.PixelContract) -> Path:
        random, folder, rows = np.random.default_rng(0), tmp_path / "eighty", []
        shape = (contract.side, contract.side, contract.channels)
        for number in range(80):
            album, age, gender = f"{number % albums}@N", adience.AGE_GROUPS[number // 2 % 8], "fm"[number % 2]
            path = folder / adience.photograph_path(album, number, f"{number}.jpg")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 255, shape, np.uint8).squeeze()).save(path)
            rows.append([album, f"{number}.jpg", number, age, gender, *[0] * 7, number % 5])
        adience.write_folds(pd.DataFrame(rows, columns=[*adience.COLUMNS, "fold"]), folder)
        return folder

    return write


@pytest.fixture
def add_causes() -> Callable[..., None]:
    """Write a renderer's causes beside a data set: a column each, a value for each photograph or for all."""

    def add(folder: Path, **causes: object) -> None:
        table = adience.read_folds(folder)[["path"]].assign(**causes)
        table.to_csv(folder / "factors.csv", index=False)

    return add

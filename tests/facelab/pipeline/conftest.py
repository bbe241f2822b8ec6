"""Small photographs, their table and their pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience, pipeline

Table = tuple[pd.DataFrame, Path]
SMALL = pipeline.PixelContract(side=16, channels=1)


def scene(number: int, width: int, height: int) -> Image.Image:
    """A smooth colour picture with some detail, another one for each number."""
    random = np.random.default_rng(number)
    coarse = Image.fromarray(random.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def make_table(tmp_path: Path) -> Callable[..., Table]:
    """Write photographs of the given sizes and formats; give their table and folder."""

    def make(*sizes: tuple[int, int], suffix: str = "jpg") -> Table:
        rows = []
        for number, size in enumerate(sizes):
            path = f"faces/a/{number}.{suffix}"
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            options = {"quality": 95} if suffix == "jpg" else {}
            scene(number, *size).save(tmp_path / path, **options)
            rows.append((path, adience.AGE_GROUPS[number % 8], "fm"[number % 2]))
        table = pd.DataFrame(rows, columns=["path", "age_group", "gender"])
        table["age_group"] = pd.Categorical(table["age_group"], list(adience.AGE_GROUPS), ordered=True)
        table["gender"] = pd.Categorical(table["gender"], list(adience.GENDERS))
        return table, tmp_path

    return make


def read(table: pd.DataFrame, data_dir: Path, contract: pipeline.PixelContract = SMALL) -> np.ndarray:
    return np.stack(list(pipeline.photographs(table, data_dir, contract).as_numpy_iterator()))

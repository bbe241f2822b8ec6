"""How long reading a data set takes, against the obvious way; ratios only, both measured in one run."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from timeit import repeat

import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from facelab import adience, embedded

ROWS = 20_000  # about as many as the benchmark has
ALBUMS = 170


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of the benchmark's size, whose photographs are empty files."""
    rng = np.random.default_rng(0)
    album = rng.integers(ALBUMS, size=ROWS)
    table = pd.DataFrame(0, index=range(ROWS), columns=list(adience.COLUMNS))
    table = table.assign(
        user_id=[f"{number}@N00" for number in album],
        original_image=[f"{number}_o.jpg" for number in range(ROWS)],
        face_id=rng.integers(10, size=ROWS),
        age=rng.choice([*adience.AGE_GROUPS, "35", "None"], ROWS),
        gender=rng.choice(["f", "m", "u"], ROWS),
        fold=album % 5,
    )
    folder = tmp_path_factory.mktemp("benchmark")
    for number in range(ALBUMS):
        (folder / "faces" / f"{number}@N00").mkdir(parents=True)
    for row in table.itertuples():
        (folder / adience.photograph_path(row.user_id, row.face_id, row.original_image)).touch()
    adience.write_folds(table, folder)
    return folder


def read_the_obvious_way(data_dir: Path) -> pd.DataFrame:
    """Let pandas read the five files, and ask the file system about each photograph."""
    files = [
        pd.read_csv(path, sep="\t").assign(fold=fold)
        for fold, path in enumerate(sorted(data_dir.glob("*.txt")))
    ]
    table = pd.concat(files, ignore_index=True)
    table["path"] = [
        path if (data_dir / path).exists() else None
        for path in map(adience.photograph_path, table["user_id"], table["face_id"], table["original_image"])
    ]
    return table


@pytest.mark.benchmark(timer=process_time)  # so that a busy machine does not count
def test_read_folds_is_not_slower_than_the_obvious_way(benchmark: BenchmarkFixture, data_dir: Path) -> None:
    """Though it checks every row, reads every label and lists what is wrong."""
    table = benchmark.pedantic(adience.read_folds, [data_dir], rounds=5, warmup_rounds=1)
    obvious = repeat(lambda: read_the_obvious_way(data_dir), timer=process_time, number=1, repeat=5)
    ratio = benchmark.stats.stats.min / min(obvious)
    benchmark.extra_info["share of the obvious way's time"] = round(ratio, 2)
    assert len(table) == ROWS
    assert table["path"].tolist() == read_the_obvious_way(data_dir)["path"].tolist()
    assert ratio < 1.5


@pytest.mark.benchmark(timer=process_time)
def test_asking_for_the_unpacked_faces_again_takes_less_than_reading_their_table(
    benchmark: BenchmarkFixture,
) -> None:
    """Each time it looks whether every file is still as it was unpacked, and opens none."""
    folder = embedded.data_dir()
    benchmark.pedantic(embedded.data_dir, rounds=5, warmup_rounds=1)
    reading = repeat(lambda: adience.read_folds(folder), timer=process_time, number=1, repeat=5)
    ratio = benchmark.stats.stats.min / min(reading)
    benchmark.extra_info["share of the time of read_folds"] = round(ratio, 2)
    assert ratio < 1

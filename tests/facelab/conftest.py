"""Small synthetic data sets: single-coloured photographs, in the benchmark's layout."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from facelab import adience


@pytest.fixture
def annotations() -> Callable[..., pd.DataFrame]:
    """Annotations, one photograph for each dict given: what a dict leaves out has a default."""

    def make(*rows: dict[str, Any]) -> pd.DataFrame:
        default = dict.fromkeys(adience.COLUMNS, 0) | {
            "user_id": "7@N01",
            "age": "(25, 32)",
            "gender": "f",
            "fold": 0,
        }
        complete = [
            default | {"original_image": f"{n}_o.jpg", "face_id": n} | row for n, row in enumerate(rows)
        ]
        return pd.DataFrame(complete, columns=[*adience.COLUMNS, "fold"])

    return make


@pytest.fixture
def five_folds(annotations: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Two albums in each fold, three photographs in each album, groups and genders mixed."""
    return annotations(
        *(
            {
                "user_id": f"{fold}{album}@N00",
                "fold": fold,
                "age": adience.AGE_GROUPS[(fold + 3 * album + photograph) % 8],
                "gender": adience.GENDERS[photograph % 2],
            }
            for fold in adience.FOLDS
            for album in range(2)
            for photograph in range(3)
        )
    )


@pytest.fixture
def make_data_set(tmp_path: Path) -> Callable[..., Path]:
    """Write annotations and, unless told otherwise, their photographs; give the folder."""

    def make(annotations: pd.DataFrame, folders: tuple[str, ...] = ("faces",)) -> Path:
        data_dir = tmp_path / "data"
        adience.write_folds(annotations, data_dir)
        for row in annotations.itertuples():
            for folder in folders:
                name = adience.photograph_path(row.user_id, row.face_id, row.original_image, folder)
                (data_dir / name).parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (8, 8), (40 * row.fold, 90, 120)).save(data_dir / name)
        return data_dir

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a real disk in memory with the given options, such as "size=256k", or change those it has."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options: str) -> Path:
        if not shutil.which("mount"):
            pytest.skip("this system has no command to mount a small disk")
        options = f"remount,{options}" if disk.is_mount() else options
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
        return disk

    yield mount
    if disk.is_mount():
        subprocess.run(["umount", "--lazy", str(disk)], check=True)

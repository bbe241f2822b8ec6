"""The measurement on large data sets: what it makes up, counts and writes. Here they are small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience
from tools.measure import large

SIDE = 64


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes of hundreds, few pictures, and no process of its own for each, which would load TensorFlow."""

    def one_after_the_other(
        function: Callable[..., Any], arguments: tuple[Any, ...], number: int
    ) -> list[Any]:
        return [function(*arguments) for _ in range(number)]

    monkeypatch.setattr(large, "SERIES", (60, 120))
    monkeypatch.setattr(large, "PICTURES", 4)
    monkeypatch.setattr(large, "ALBUM", 10)
    monkeypatch.setattr(large, "in_processes", one_after_the_other)
    monkeypatch.setattr(large, "forget_files", lambda _: False)  # hundreds of waits for the disk


def test_it_measures_each_size_and_writes_one_record(
    small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, record = tmp_path / "large", tmp_path / "record"
    arguments = [str(folder), "--photographs", "240", "--side", str(SIDE), "--record", str(record)]
    assert large.main(arguments) == 0
    found = json.loads((record / "large_64.json").read_text())
    assert [row["photographs"] for row in found["sizes"]] == [60, 120, 240]
    pixels = 64 * 64 * 3
    for row in found["sizes"]:
        assert 0 <= row["cache_bytes"] - pixels * row["photographs"] < 1000
        assert row["seconds"]["first_epoch"] >= row["seconds"]["pixels"] > 0
    assert found["growth"]["cache"]["mib_per_1000"] == pytest.approx(pixels * 1000 / 2**20, rel=0.01)
    assert len(found["two_processes"]) == 2
    assert not (folder / "64" / "cache").exists()
    printed = capsys.readouterr().out
    assert "240 photographs: table " in printed
    assert str(record / "large_64.json") in printed


def test_the_photographs_are_different_files_in_the_layout_and_of_all_sizes_together(
    small: None, tmp_path: Path
) -> None:
    parts = large.make_up(tmp_path, [60, 120, 240], SIDE)
    table, data_dir = adience.read_several(parts)
    assert len(adience.usable(table)) == 240
    assert table["user_id"].nunique() == 24
    assert table.groupby("user_id")["fold"].nunique().max() == 1
    assert set(table["fold"]) == set(adience.FOLDS)
    files = [data_dir / path for path in table["path"]]
    assert len({file.read_bytes() for file in files}) == 240
    assert len({file.stat().st_ino for file in files}) == 240
    shown = {np.asarray(Image.open(file)).tobytes() for file in files}
    assert len(shown) == 4
    assert Image.open(files[0]).size == (SIDE, SIDE)


def test_making_up_goes_on_where_it_was_stopped(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    with_comment = large.with_comment

    def stopped_after_80(jpeg: bytes, comment: str) -> bytes:
        if len(written) == 80:
            raise KeyboardInterrupt
        written.append(comment)
        return with_comment(jpeg, comment)

    monkeypatch.setattr(large, "with_comment", stopped_after_80)
    with pytest.raises(KeyboardInterrupt):
        large.make_up(tmp_path, [60, 120], SIDE)
    monkeypatch.setattr(
        large, "with_comment", lambda *what: (written.append(what[1]), with_comment(*what))[1]
    )
    parts = large.make_up(tmp_path, [60, 120], SIDE)
    assert written == [f"photograph {number}" for number in range(120)]
    assert len(adience.read_several(parts)[0]) == 120
    monkeypatch.setattr(large, "picture", lambda *_: pytest.fail("made up again"))
    assert large.make_up(tmp_path, [60, 120], SIDE) == parts


@pytest.mark.parametrize(("side", "least", "most"), [(816, 100_000, 150_000), (200, 8_000, 13_000)])
def test_a_made_up_photograph_has_the_size_of_a_real_one(side: int, least: int, most: int) -> None:
    sizes = [len(large.picture(number, side)) for number in range(3)]
    assert least < min(sizes) <= max(sizes) < most
    assert large.picture(0, side) == large.picture(0, side) != large.picture(1, side)


def test_a_disk_without_room_is_named_before_anything_is_written(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(large.shutil, "disk_usage", lambda _: large.shutil._ntuple_diskusage(100, 90, 10))
    assert large.main([str(tmp_path / "large"), "--photographs", "240", "--side", "64"]) == 2
    assert "10 left: make room there" in capsys.readouterr().err
    assert list(tmp_path.rglob("*.jpg")) == []


def test_too_few_photographs_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert large.main([str(tmp_path), "--photographs", "10"]) == 2
    assert "give at least 230 photographs" in capsys.readouterr().err


def test_files_are_as_they_were_after_the_system_has_forgotten_them(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"as it was")
    assert large.forget_files([tmp_path / "file"]) == hasattr(large.os, "posix_fadvise")
    assert (tmp_path / "file").read_bytes() == b"as it was"


def test_the_growth_is_that_of_the_numbers() -> None:
    number = np.array([2_000, 5_000, 10_000])
    seconds = [{"table": of / 1e5, "first_epoch": of / 500, "later_epoch": of**2 / 1e7} for of in number]
    rows = pd.DataFrame(
        {
            "photographs": number,
            "cpu_seconds": seconds,
            "memory_mib": [{"before": 300.0, "peak": 310.0}] * 3,
            "cache_bytes": number * 2**20,
        }
    )
    found = large.growth(rows)
    assert found["first_epoch"] == {"cpu_seconds_per_1000": 2.0, "exponent": 1.0}
    assert found["later_epoch"]["exponent"] == 2.0
    assert found["memory"]["mib_per_1000"] == pytest.approx(0, abs=1e-9)
    assert found["cache"]["mib_per_1000"] == pytest.approx(1000)

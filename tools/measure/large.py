"""Measure the pipeline on large data sets: many thousand made-up photographs in the benchmark's layout.

``python -m tools.measure.large FOLDER [--photographs 20000] [--side 816] [--record _build/measure]``
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from facelab import adience, files, pipeline
from tools import command
from tools.recipe import versions

SERIES = (2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)
"""The sizes that are measured, up to what is asked for."""

CONTRACT = pipeline.PixelContract(side=64, channels=3)
"""The pixels that are kept: those of the course's larger networks."""

PICTURES = 256
"""How many different pictures the photographs show."""

ALBUM = 115
"""Photographs an album, as in the benchmark."""

SUBJECT = 8
"""Photographs a subject."""

QUALITY = 90
NOISE = {816: 3.1, 200: 4.5}
"""The standard deviation of the finest noise, in grey levels, so that a file has the size of a real one."""


@command.ends_with_status("goes on making up photographs where it stopped, and measures from the start")
def main(arguments: list[str] | None = None) -> None:
    """Make up photographs, measure the pipeline on more and more of them, print and write what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to make up the photographs; they stay there")
    parser.add_argument("--photographs", type=int, default=20_000, help="how many there are to be at most")
    parser.add_argument("--side", type=int, default=816, help="pixels of height and width")
    parser.add_argument("--record", type=Path, default=Path("_build/measure"), help="folder of the record")
    options = parser.parse_args(arguments)
    if options.photographs < 2 * ALBUM or options.side < CONTRACT.side:
        raise ValueError(f"give at least {2 * ALBUM} photographs of {CONTRACT.side} pixels a side")
    sizes = [number for number in SERIES if number < options.photographs] + [options.photographs]
    folder = options.folder.expanduser() / str(options.side)
    parts = make_up(folder, sizes, options.side)

    record: dict[str, Any] = {
        "photographs": options.photographs,
        "side": options.side,
        "different_pictures": PICTURES,
        "bytes_a_photograph": mean_bytes(parts[0]),
        "kept_as": CONTRACT._asdict(),
        "cores": os.cpu_count(),
        "versions": versions() | {"pandas": version("pandas")},
        "sizes": [],
    }
    path = options.record / f"large_{options.side}.json"
    rows = record["sizes"]
    for number in range(1, len(sizes) + 1):
        (row,) = measured(parts[:number], folder)
        rows.append(row)
        print(as_line(row), flush=True)
        write(record, path)
    record["two_processes"] = measured(parts[: min(3, len(parts))], folder, processes=2)
    for row in record["two_processes"]:
        print(f"one of two processes: {as_line(row)}")
    if len(rows) > 1:
        record["growth"] = growth(pd.DataFrame(rows))
        print(json.dumps(record["growth"], indent=2))
    write(record, path)
    print(f"\nrecord: {path}\nphotographs: {folder}, {sizes[-1]:,} files: delete them when you are done")


# ---- Photographs -------------------------------------------------------------------------------------------


def make_up(folder: Path, sizes: list[int], side: int) -> list[Path]:
    """Make up data sets such that the first k together have ``sizes[k - 1]`` photographs.

    Each photograph is a file of its own with its own blocks on the disk, not a link, so the system's cache of
    files cannot serve one for another. They show ``PICTURES`` different pictures, since decoding does not
    become quicker by repetition, and a comment with the photograph's number makes the contents differ. A file
    appears whole, and one that is there is not made again. The fold files come last: a data set that has them
    is finished.
    """
    starts = [0, *sizes[:-1]]
    parts = [folder / f"part_{first}_{end}" for first, end in zip(starts, sizes, strict=True)]
    ahead = [
        (part, first, end)
        for part, first, end in zip(parts, starts, sizes, strict=True)
        if not (part / adience.fold_file_name(0)).is_file()
    ]
    if not ahead:
        return parts
    with tqdm(total=PICTURES, desc="Pictures", unit="picture", disable=None) as bar:
        pictures = []
        for number in range(PICTURES):
            pictures.append(picture(number, side))
            bar.update()
    made = sum(end - first for _, first, end in ahead)
    kept = sizes[-1] * CONTRACT.side**2 * CONTRACT.channels
    refuse_a_full_disk(folder, made * len(b"".join(pictures)) // PICTURES, kept)
    with tqdm(total=sum(end - first for _, first, end in ahead), desc="Photographs", disable=None) as bar:
        for part, first, end in ahead:
            table = annotated(first, end)
            for album in table["user_id"].unique():
                (part / "faces" / album).mkdir(parents=True, exist_ok=True)
            rows = zip(table["user_id"], table["face_id"], table["original_image"], strict=True)
            for number, row in enumerate(rows, start=first):
                path = part / adience.photograph_path(*row)
                if not path.exists():
                    aside = path.with_suffix(".partial")
                    aside.write_bytes(with_comment(pictures[number % PICTURES], f"photograph {number}"))
                    aside.replace(path)
                bar.update()
            adience.write_folds(table, part)
    return parts


def annotated(first: int, end: int) -> pd.DataFrame:
    """Annotate the photographs from one number to another; albums are named alike in each data set."""
    number = np.arange(end - first)
    album, subject = number // ALBUM, number // SUBJECT
    table = pd.DataFrame(0, index=number, columns=list(adience.COLUMNS))
    return table.assign(
        user_id=[f"{of}@N00" for of in album],
        original_image=[f"{of}_o.jpg" for of in number + first],
        face_id=subject,
        age=np.array(adience.AGE_GROUPS)[subject % len(adience.AGE_GROUPS)],
        gender=np.array(adience.GENDERS)[subject // len(adience.AGE_GROUPS) % 2],
        fold=album % len(adience.FOLDS),
    )


def picture(number: int, side: int) -> bytes:
    """Make up a JPEG: an oval with darker eyes and mouth on a soft background, under noise of all sizes."""
    random = np.random.default_rng((number, side))
    down, right = np.mgrid[-1 : 1 : 1j * side, -1 : 1 : 1j * side].astype("float32")
    down, right = down - random.uniform(-0.1, 0.1), right - random.uniform(-0.1, 0.1)
    light = 60 + 90 / (1 + np.exp(12 * (np.hypot(right / 0.6, down / 0.8) - 1)))
    for x, y, width in ((-0.25, -0.15, 0.09), (0.25, -0.15, 0.09), (0, 0.42, 0.16)):
        light -= 60 * np.exp(-(((right - x) / width) ** 2) - ((down - y) / 0.06) ** 2)
    pixels = light[:, :, None] * random.uniform(0.8, 1.1, 3)
    for cells, strength in ((6, 25), (24, 8), (side // 6, 4)):
        coarse = random.normal(0, strength, (cells, cells)).astype("float32")
        pixels += np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))[
            ..., None
        ]
    pixels += random.normal(0, NOISE.get(side, 4.0), (side, side, 1))
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def with_comment(jpeg: bytes, comment: str) -> bytes:
    """Put a comment into a JPEG, behind its first segment, which must be the first."""
    behind = 4 + int.from_bytes(jpeg[4:6], "big")
    text = comment.encode()
    return jpeg[:behind] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[behind:]


def refuse_a_full_disk(folder: Path, photographs: int, pixels: int) -> None:
    """Raise if the disk has no room for so many bytes of photographs, and of the pixels that are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(folder).free) < photographs + pixels:
        raise OSError(
            f"photographs and pixels take {photographs + pixels:,} bytes, and {folder} has {free:,} "
            "left: make room there, name another folder, or ask for fewer photographs"
        )


def mean_bytes(part: Path) -> int:
    """Return the mean size of a data set's photographs, in bytes."""
    return round(np.mean([path.stat().st_size for path in part.glob("faces/*/*.jpg")]))


# ---- Measuring ---------------------------------------------------------------------------------------------


def measured(parts: list[Path], folder: Path, processes: int = 1) -> list[dict[str, Any]]:
    """Measure in new processes, all at once, with one new cache; a result for each process."""
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    try:
        return in_processes(measure, (list(map(str, parts)), str(cache)), processes)
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def in_processes(function: Callable[..., Any], arguments: tuple[Any, ...], number: int) -> list[Any]:
    """Call a function in so many new processes at once; each is new, so its memory is its own."""
    with ProcessPoolExecutor(number, multiprocessing.get_context("spawn")) as pool:
        return [call.result() for call in [pool.submit(function, *arguments) for _ in range(number)]]


def measure(folders: list[str], cache: str) -> dict[str, Any]:
    """Read data sets, and take two epochs of batches from them; the pixels are kept in a file."""
    start = Clock()
    table, data_dir = adience.read_several(folders)
    read = start.so_far()
    target = np.zeros(len(table), "float32")
    few = table[:200]
    run_through(pipeline.TrainingBatches(few, data_dir, target[:200], CONTRACT))  # TensorFlow's own memory
    dropped = forget_files(data_dir / path for path in table["path"])
    with Memory() as memory:
        start = Clock()
        batches = pipeline.TrainingBatches(table, data_dir, target, CONTRACT, cache=Path(cache))
        kept = start.so_far()
        run_through(batches)
        first = start.so_far()
        start = Clock()
        run_through(batches, epoch=1)
        later = start.so_far()
    return {
        "photographs": len(table),
        "read_from_disk": dropped,
        "seconds": {"table": read[0], "pixels": kept[0], "first_epoch": first[0], "later_epoch": later[0]},
        "cpu_seconds": {
            "table": read[1],
            "pixels": kept[1],
            "first_epoch": first[1],
            "later_epoch": later[1],
        },
        "cache_bytes": sum(path.stat().st_size for path in Path(cache).glob("*.npy")),
        "memory_mib": {"before": memory.before, "peak": memory.peak},
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def run_through(batches: pipeline.TrainingBatches, epoch: int = 0) -> None:
    """Take every batch of an epoch."""
    for _ in batches.epoch(epoch):
        pass


def forget_files(paths: Iterable[Path]) -> bool:
    """Have the system drop files from its cache, so that they are read from the disk; say whether it can."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for path in paths:
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(opened)  # what is not yet on the disk cannot be dropped
            os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(opened)
    return True


class Clock:
    """Seconds since it was made: those that passed, and those that processors worked for this process."""

    def __init__(self) -> None:
        self._start = time.perf_counter(), time.process_time()

    def so_far(self) -> tuple[float, float]:
        """Return both."""
        now = time.perf_counter(), time.process_time()
        return round(now[0] - self._start[0], 2), round(now[1] - self._start[1], 2)


class Memory:
    """What this process holds for itself, in MiB, before a block and at most within it; None off Linux.

    Pages of a mapped file are not counted: they are the system's, which takes them back at will.
    """

    before: float | None = None
    peak: float | None = None

    def __enter__(self) -> Memory:
        self.before = self.peak = held()
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watching.join()

    def _watch(self) -> None:
        while self.peak is not None:
            self.peak = max(self.peak, held() or 0.0)
            if self._ended.wait(0.05):
                break


def held() -> float | None:
    """Return the memory that this process holds for itself, in MiB."""
    status = Path("/proc/self/status")
    if sys.platform != "linux":
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("RssAnon"))
    return round(int(line.split()[1]) / 1024, 1)


# ---- What came out -----------------------------------------------------------------------------------------


def growth(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Fit a straight line to the time, the memory and the cache by the number of photographs.

    ``exponent`` is the slope of the logarithms: 1 where the time grows as the number does, 2 as its square.
    """
    number = rows["photographs"].to_numpy("float64")
    found = {}
    for what in ("table", "first_epoch", "later_epoch"):
        seconds = np.array([row[what] for row in rows["cpu_seconds"]])
        found[what] = {
            "cpu_seconds_per_1000": round(np.polyfit(number / 1000, seconds, 1)[0], 4),
            "exponent": round(np.polyfit(np.log(number), np.log(np.maximum(seconds, 0.01)), 1)[0], 2),
        }
    grown = [row["peak"] - row["before"] for row in rows["memory_mib"] if row["peak"] is not None]
    if grown:
        found["memory"] = {"mib_per_1000": round(np.polyfit(number / 1000, grown, 1)[0], 3)}
    found["cache"] = {"mib_per_1000": round(np.polyfit(number / 1000, rows["cache_bytes"] / 2**20, 1)[0], 3)}
    return found


def as_line(row: dict[str, Any]) -> str:
    """Write one measurement as a line."""
    number, seconds, cpu, memory = (
        row[key] for key in ("photographs", "seconds", "cpu_seconds", "memory_mib")
    )
    rates = ", ".join(
        f"{name.replace('_', ' ')} {number / seconds[name]:,.0f}/s "
        f"({number / max(cpu[name], 0.01):,.0f} per CPU second)"
        for name in ("first_epoch", "later_epoch")
    )
    return (
        f"{number:7,} photographs: table {seconds['table']:.1f} s, {rates}, memory {memory['before']} to "
        f"{memory['peak']} MiB, cache {row['cache_bytes'] / 2**20:,.0f} MiB, load {row['load']}"
    )


def write(record: dict[str, Any], path: Path) -> None:
    """Write the record, whole."""
    with files.written_whole(path) as aside:
        aside.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

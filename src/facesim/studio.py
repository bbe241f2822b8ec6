"""Take many photographs: on all cores, with a progress bar, going on where a stopped run was."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from facelab.files import written_whole
from facesim.face import Face

RECORD = "rendering.json"
_CHUNK = 16


class StudioError(RuntimeError):
    """The folder holds photographs of another rendering."""


@dataclass(frozen=True)
class Order:
    """A photograph to take: where it goes below the folder, of what, and the seed of its noise."""

    path: str
    face: Face
    seed: int


def photograph_all(orders: list[Order], folder: Path, workers: int | None = None) -> None:
    """Take every photograph that is not in the folder yet.

    Raises
    ------
    StudioError
        If the folder was begun by a renderer with other code, or for other orders: the two would mix.
    OSError
        If the disk is full; what is there stays, and the same command goes on from it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, orders)
    missing = [order for order in orders if not (folder / order.path).exists()]
    chunks = [missing[start : start + _CHUNK] for start in range(0, len(missing), _CHUNK)]
    pool = ProcessPoolExecutor(workers or os.cpu_count(), mp_context=get_context("spawn"))
    try:
        with tqdm(total=len(orders), initial=len(orders) - len(missing), unit="face", mininterval=2) as bar:
            for done in as_completed([pool.submit(_take, chunk, folder) for chunk in chunks]):
                bar.update(done.result())
    finally:
        pool.shutdown(cancel_futures=True)


def _take(orders: list[Order], folder: Path) -> int:
    from facesim.camera import shared_camera

    camera = shared_camera()
    for order in orders:
        target = folder / order.path
        photograph = camera.photograph(order.face, order.seed)
        with written_whole(target) as aside:
            photograph.save(aside, "JPEG", quality=order.face.jpeg_quality, optimize=True)
    return len(orders)


def code_fingerprint() -> str:
    """SHA-256 of the renderer's own source: two folders with one fingerprint were rendered alike."""
    digest = hashlib.sha256()
    package = Path(str(files("facesim")))
    for source in sorted(package.rglob("*")):
        if source.suffix in {".py", ".frag", ".vert", ".glsl", ".csv"}:
            digest.update(source.relative_to(package).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()


def _claim(folder: Path, orders: list[Order]) -> None:
    """Write down whose folder this is, or raise if it is another's."""
    record = folder / RECORD
    mine = {"renderer": code_fingerprint(), "orders": hashlib.sha256(repr(orders).encode()).hexdigest()}
    if not record.exists():
        with written_whole(record) as aside:
            aside.write_text(json.dumps(mine) + "\n")
        return
    theirs = json.loads(record.read_text())
    if theirs != mine:
        other = "version of the renderer" if theirs.get("renderer") != mine["renderer"] else "seed or number"
        raise StudioError(f"{folder} was begun with another {other}. Choose an empty folder, or delete it")

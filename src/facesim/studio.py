"""Take many photographs: on all cores, with a progress bar, going on where a stopped run was."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.resources import files
from multiprocessing import get_context, parent_process
from pathlib import Path

from tqdm import tqdm

from facelab.files import workplace, written_whole
from facesim.face import Face

RECORD = "rendering.json"
SEAL = "rendered.json"
_CHUNK = 16


class StudioError(RuntimeError):
    """A folder's rendering is of another kind, or not whole; the message says what to do."""


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
        If the folder was begun by a renderer with other code, or for other orders: the two would mix. Or if
        what says so cannot be read, or a worker was killed.
    OSError
        If the disk is full; what is there stays, and the same command goes on from it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, orders)
    for place in {leftover.parent for leftover in folder.rglob(".partial-*")}:
        with workplace(place):  # removes what killed workers left there
            pass
    whole = _whole(folder)
    missing = [order for order in orders if not whole(order.path)]
    chunks = [missing[start : start + _CHUNK] for start in range(0, len(missing), _CHUNK)]
    pool = ProcessPoolExecutor(
        workers or os.cpu_count(), mp_context=get_context("spawn"), initializer=_end_with_parent
    )
    try:
        with tqdm(total=len(orders), initial=len(orders) - len(missing), unit="face", mininterval=2) as bar:
            for done in as_completed([pool.submit(_take, chunk, folder) for chunk in chunks]):
                bar.update(done.result())
    except BrokenProcessPool as error:
        raise StudioError(
            f"{folder}: a process that renders was killed, perhaps because the memory was full. What is "
            "there stays, and the same command goes on from it"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let this worker end when its parent is gone, however that ended: nobody would collect its work."""
    parent = parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)  # the worker itself may wait for work for ever

        threading.Thread(target=watch, daemon=True).start()


def _whole(folder: Path) -> Callable[[str], bool]:
    """Tell of photographs whether they are done: as they were sealed, or else a JPEG with an end.

    The end is enough for one that a worker wrote, by a rename, and costs little.
    """
    sealed = _sealed(folder) or {}

    def whole(name: str) -> bool:
        try:
            content = (folder / name).read_bytes()
        except OSError:
            return False
        if name in sealed:
            return hashlib.sha256(content).hexdigest() == sealed[name]
        return content.startswith(b"\xff\xd8") and content.endswith(b"\xff\xd9")

    return whole


def seal(folder: Path, names: Iterable[str]) -> None:
    """Write down the SHA-256 of each file of a finished rendering, which packing compares."""
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    with written_whole(folder / SEAL) as aside:
        aside.write_text(json.dumps(sums, indent=0) + "\n", encoding="utf-8")


def finished(folder: Path) -> list[Path]:
    """The files of a finished rendering, each of them as it was rendered.

    Raises
    ------
    StudioError
        If it is not finished, or a file is missing or another than it was.
    """
    remedy = "Go on with python -m facesim render, which mends it"
    sums = _sealed(folder)
    if not sums:
        raise StudioError(
            f"{folder / SEAL} is not there or cannot be read: the rendering is not complete. {remedy}"
        )
    for name, expected in sums.items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise StudioError(f"{folder / name} cannot be read ({error.strerror}). {remedy}") from error
        if found != expected:
            raise StudioError(f"{folder / name} is not as it was rendered. {remedy}")
    return [folder / name for name in sums]


def _sealed(folder: Path) -> dict[str, str] | None:
    """The SHA-256 of each file by its name; None where no seal can be read."""
    try:
        sums = json.loads((folder / SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    strange = not isinstance(sums, dict) or not all(
        isinstance(value, str) and not Path(name).is_absolute() and ".." not in Path(name).parts
        for name, value in sums.items()
    )
    return None if strange else sums


def _take(orders: list[Order], folder: Path) -> int:
    from facesim.camera import shared_camera

    camera = shared_camera()
    for order in orders:
        target = folder / order.path
        photograph = camera.photograph(order.face, order.seed)
        # Not straight into the file: on a disk that becomes full Pillow writes half of it without an error.
        content = io.BytesIO()
        photograph.save(content, "JPEG", quality=order.face.jpeg_quality, optimize=True)
        with written_whole(target) as aside:
            aside.write_bytes(content.getvalue())
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
    try:
        theirs = json.loads(record.read_text(encoding="utf-8"))
        renderer = theirs["renderer"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise StudioError(
            f"{record} cannot be read, so nothing says whose photographs these are: delete {folder} and "
            "render again"
        ) from error
    if theirs != mine:
        other = "version of the renderer" if renderer != mine["renderer"] else "seed or number"
        raise StudioError(f"{folder} was begun with another {other}. Choose an empty folder, or delete it")

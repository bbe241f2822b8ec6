"""The file from which a training goes on: written whole, and believed only where it fits the training."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from facelab.epochs import Mode
from facelab.files import is_full, workplace, written_whole

Row = dict[str, Any]
"""What the history says of one epoch."""


class RunError(ValueError):
    """A folder does not hold the run that was asked for; the message names it and the remedy."""


class Checkpoint(NamedTuple):
    """All that the next epoch needs."""

    history: list[Row]
    mode: Mode | None
    """Whether more or less of the monitored column is better; None if none is monitored."""
    best: Sequence[np.ndarray]
    """The weights of the best epoch."""
    state: Sequence[np.ndarray]
    """All that a step of training changes."""


def refuse_unwritable(folder: Path) -> None:
    """Raise if nothing can be written in a folder, before an epoch is trained in vain."""
    try:
        with workplace(folder):
            pass
    except OSError as error:
        raise _unusable(folder, error) from error


def write(path: Path, run: Row, checkpoint: Checkpoint) -> None:
    """Write a checkpoint of a run: whenever the process dies, a whole one is there."""
    words = {"run": run, "history": checkpoint.history, "mode": checkpoint.mode}
    arrays: dict[str, Any] = {name: np.array(json.dumps(value)) for name, value in words.items()}
    arrays |= {f"state_{n}": array for n, array in enumerate(checkpoint.state)}
    arrays |= {f"best_{n}": array for n, array in enumerate(checkpoint.best)}
    try:
        with written_whole(path) as aside:
            np.savez(aside, **arrays)
    except OSError as error:
        raise OSError(
            f"no checkpoint of epoch {len(checkpoint.history)} in {path.parent} ({error}): {_remedy(error)}, "
            "and the same call goes on from the epoch before"
        ) from error


def read(path: Path, run: Row, like: Checkpoint) -> Checkpoint:
    """Read a checkpoint of a run whose arrays are like those of another one.

    Raises
    ------
    RunError
        If it is one of another run, not whole, or does not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        arrays.setdefault("mode", np.array("null"))  # which older versions did not keep
        there, history, mode = (json.loads(str(arrays[name])) for name in ("run", "history", "mode"))
        epochs = [row["epoch"] for row in history]
        kept = {part: there.get(part) for part in sorted(run.keys() | there.keys())}
    except Exception as error:  # NumPy, zipfile and json have a dozen kinds for a file that is not ours
        raise damaged(path, str(error)) from error
    for part, value in kept.items():
        if value != run.get(part):
            raise another(path, part, value, run.get(part))
    if not epochs or epochs != list(range(1, len(epochs) + 1)):
        raise damaged(path, "its history does not have one row for each epoch from 1")
    if mode not in ("max", "min", None):
        raise damaged(path, f"its mode is {mode!r}")
    state = [_fitting(path, arrays, f"state_{n}", own) for n, own in enumerate(like.state)]
    best = [_fitting(path, arrays, f"best_{n}", own) for n, own in enumerate(like.best)]
    return Checkpoint(history, mode, best, state)


def damaged(path: Path, why: str) -> RunError:
    """Make the error for a checkpoint that nothing can go on from."""
    return RunError(f"{path} is no whole checkpoint ({why}): delete it to begin again")


def another(path: Path, part: str, there: Any, here: Any) -> RunError:
    """Make the error for a checkpoint of another run."""
    return RunError(
        f"{path.parent} holds another run, with {part} {there} instead of {here}: "
        "name another folder for this one"
    )


def _fitting(path: Path, arrays: dict[str, np.ndarray], name: str, own: np.ndarray) -> np.ndarray:
    """Return the array of a name; refuse one that does not fit or is no number."""
    if name not in arrays:
        raise damaged(path, f"it has no {name}")
    array = arrays[name]
    if array.dtype.kind == "V" and array.dtype.itemsize == own.dtype.itemsize:
        array = array.view(own.dtype)  # NumPy's files do not know bfloat16
    if (array.shape, array.dtype) != (own.shape, own.dtype):
        expected = f"{own.shape} of {own.dtype}"
        raise damaged(path, f"{name} is {array.shape} of {array.dtype} instead of {expected}")
    if np.isnan(array.astype(float)).any():
        raise damaged(path, f"{name} has values that are no numbers")
    return array


def _unusable(folder: Path, error: OSError) -> OSError:
    return OSError(f"{folder} cannot hold a checkpoint ({error}): {_remedy(error)}")


def _remedy(error: OSError) -> str:
    return "make room there" if is_full(error) else "name a folder in which you may write"


def expanded(folder: str | os.PathLike[str]) -> Path:
    """Return a folder for checkpoints, made if it is not there; ``~`` is the user's home."""
    place = Path(folder).expanduser()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(place, error) from error
    return place

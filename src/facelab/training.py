"""Training that may be killed at any moment: after each epoch all that the next one needs is on disk."""

import hashlib
import json
import re
import sys
import time
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from facelab._nested import leaves
from facelab.backend import keras, tf
from facelab.epochs import best_epoch
from facelab.files import alone, written_whole
from facelab.pipeline import TrainingBatches

__all__ = ["CHECKPOINT", "Row", "RunError", "fit"]

CHECKPOINT: Final = "training.npz"
"""The file that :func:`fit` keeps in its folder."""

Row = dict[str, Any]
"""What the history says of one epoch."""


class RunError(ValueError):
    """A folder does not hold the run that was asked for; the message names it and the remedy."""


def fit(
    model: keras.Model,
    train: TrainingBatches,
    validation: tf.data.Dataset | None = None,
    *,
    epochs: int,
    monitor: str = "val_loss",
    patience: int | None = None,
    folder: str | Path | None = None,
) -> pd.DataFrame:
    """Train a compiled model, keep its best weights, and survive being killed.

    Parameters
    ----------
    model : keras.Model
        Compiled, so that optimiser, loss and metrics stand where the reader sees them.
    train : TrainingBatches
        Asked for one epoch after the other.
    validation : Dataset, optional
        Batches that no weight is trained on. They choose the best epoch, so their score flatters a little.
        Without them no epoch is chosen, and the last one counts.
    epochs : int
        Train until there are so many, those in `folder` included.
    monitor : str
        The column of the history that tells which epoch is best, as :func:`facelab.epochs.best_epoch`
        chooses it. Without `validation` it is not looked at.
    patience : int, optional
        Stop after so many epochs without a better one; only with `validation`.
    folder : path-like, optional
        Where to keep a checkpoint, one folder a run. The same call goes on where the last one was killed, to
        the same weights, bit for bit. A finished run is read and not trained again; with more `epochs` it
        goes on from its end.

    Returns
    -------
    DataFrame
        One row an epoch: ``epoch``, from 1; losses and metrics as Keras names them; ``seconds``. The model
        holds the weights of the best epoch, without `validation` those of the last.

    Raises
    ------
    RunError
        If `folder` holds another run, or one that went on for longer than is asked for.
    files.BusyError
        If another process trains into `folder`.
    FloatingPointError
        If the loss is no finite number any more.
    TypeError
        If `train` is anything else, such as a Dataset.
    ValueError
        If the model is not compiled, the history has no column `monitor`, `epochs` or `patience` is not
        positive, or there is a `patience` without `validation`.

    Notes
    -----
    A checkpoint has the variables of the model (random state of its dropout included) and of the optimiser,
    the best weights and the history. Everything else follows from these: the order of the photographs from
    the number of the epoch, the patience that is left from the history. Repeatable to the bit only after
    :func:`facelab.backend.set_seed`. Built in lesson 3.
    """
    if not model.compiled:
        raise ValueError(f"{model.name} is not compiled: call its compile with an optimiser and a loss first")
    if not isinstance(train, TrainingBatches):
        raise TypeError(
            f"train is a {type(train).__name__}, which knows no epochs: make a pipeline.TrainingBatches"
        )
    if epochs < 1 or (patience is not None and patience < 1):
        raise ValueError(f"epochs and patience count from 1, not epochs={epochs}, patience={patience}")
    if validation is None and patience is not None:
        raise ValueError(f"patience={patience} waits for a better epoch: pass validation batches as well")
    if folder is not None:
        with alone(folder, "another training keeps its checkpoint"):
            return _fit(model, train, validation, epochs, monitor, patience, Path(folder) / CHECKPOINT)
    return _fit(model, train, validation, epochs, monitor, patience, None)


def _fit(
    model: keras.Model,
    train: TrainingBatches,
    validation: tf.data.Dataset | None,
    epochs: int,
    monitor: str,
    patience: int | None,
    checkpoint: Path | None,
) -> pd.DataFrame:
    """Train, keeping a checkpoint if there is a place for it."""
    chosen_by = monitor if validation is not None else None
    watched = ["loss", monitor] if validation is not None else ["loss"]

    def finished(history: list[Row]) -> bool:
        return len(history) >= epochs or (patience is not None and _waited(history, chosen_by) >= patience)

    run = _describe(model, train, validation, chosen_by) if checkpoint is not None else {}
    history: list[Row] = []
    best = model.get_weights()
    if checkpoint is not None and checkpoint.exists():
        history, best = _restore(checkpoint, run, model)
        if any(finished(history[:done]) for done in range(len(history))):
            raise RunError(
                f"{checkpoint.parent} holds a run of {len(history)} epochs, longer than epochs={epochs} and "
                f"patience={patience} allow: ask for more, or name another folder"
            )
    while not finished(history):
        row = _train_one_epoch(model, train.epoch(len(history)), validation, len(history) + 1)
        if chosen_by is not None and chosen_by not in row:
            raise ValueError(f"the history has no column {chosen_by!r} to monitor: it has {list(row)}")
        if not np.isfinite([row[name] for name in watched]).all():
            values = " and ".join(f"{name} of {row[name]}" for name in watched)
            raise FloatingPointError(
                f"epoch {row['epoch']} ended with a {values}: compile the model with a lower learning rate"
            )
        history.append(row)
        if _waited(history, chosen_by) == 0:
            best = model.get_weights()
        if checkpoint is not None:
            _save(checkpoint, run, model, history, best)
    model.set_weights(best)
    return pd.DataFrame(history)


def _train_one_epoch(
    model: keras.Model, train: tf.data.Dataset, validation: tf.data.Dataset | None, number: int
) -> Row:
    started = time.perf_counter()
    logs = model.fit(train, validation_data=validation, shuffle=False, verbose=0).history
    row = {"epoch": number} | {name: values[0] for name, values in logs.items()}
    row["seconds"] = time.perf_counter() - started
    if sys.stderr.isatty():
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()), file=sys.stderr)
    return row


def _waited(history: list[Row], monitor: str | None) -> int:
    """Count the epochs since the best one; 0 if that is the last, as it is where none is chosen."""
    if not history or monitor is None:
        return 0
    return len(history) - 1 - best_epoch([row[monitor] for row in history], monitor)


def _variables(model: keras.Model) -> list[keras.Variable]:
    """List all that a step of training changes: weights, statistics, random state, optimiser."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _save(checkpoint: Path, run: Row, model: keras.Model, history: list[Row], best: list[np.ndarray]) -> None:
    """Write a checkpoint: whenever the process dies, a whole one is there."""
    arrays = {f"state_{n}": variable.numpy() for n, variable in enumerate(_variables(model))}
    arrays |= {f"best_{n}": weight for n, weight in enumerate(best)}
    try:
        with written_whole(checkpoint) as aside:
            np.savez(aside, run=json.dumps(run), history=json.dumps(history), **arrays)
    except OSError as error:
        raise OSError(
            f"no checkpoint of epoch {len(history)} in {checkpoint.parent} ({error}): make room there, "
            "and the same call goes on from the epoch before"
        ) from error


def _restore(checkpoint: Path, run: Row, model: keras.Model) -> tuple[list[Row], list[np.ndarray]]:
    """Put a checkpoint's variables into a model; give the history and the best weights."""
    try:
        with np.load(checkpoint) as file:
            arrays = dict(file)
        there, history = (json.loads(str(arrays[name])) for name in ("run", "history"))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"{checkpoint} is no whole checkpoint ({error}): delete it to begin again") from error
    if other := [part for part in sorted(run.keys() | there.keys()) if run.get(part) != there.get(part)]:
        raise RunError(
            f"{checkpoint.parent} holds another run, with {other[0]} {there.get(other[0])} instead of "
            f"{run.get(other[0])}: name another folder for this one"
        )
    for n, variable in enumerate(_variables(model)):
        variable.assign(arrays[f"state_{n}"])
    best = [arrays[f"best_{n}"] for n in range(len(model.weights))]
    return history, best


def _describe(
    model: keras.Model, train: TrainingBatches, validation: tf.data.Dataset | None, monitor: str | None
) -> Row:
    """Say what makes a run this run and no other, as one flat dict."""
    # Keras numbers what it names, dense_1, dense_2, as long as a process lives: the numbers mean nothing.
    network = json.loads(re.sub(r'_\d+"', '"', model.to_json()))
    run: Row = {"model": network, "monitor": monitor, "train": _look_at(train.epoch(0))}
    if validation is not None:
        run["validation"] = _look_at(validation)
    return dict(leaves(run))


def _look_at(dataset: tf.data.Dataset) -> dict[str, str]:
    """Say how many batches there are, and what is in the first: with another seed or fold it is another."""
    images, *rest = next(iter(dataset))
    labels = b"".join(array.numpy().tobytes() for array in tf.nest.flatten(rest))
    return {
        "batches": f"{int(dataset.cardinality())} of {dataset.element_spec}",
        "pixels": f"{np.mean(images):.3f} ± {np.std(images):.3f}",  # another machine may differ in a last bit
        "labels": hashlib.sha256(labels).hexdigest()[:16],
    }

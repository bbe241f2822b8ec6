"""Training that may be killed at any moment: after each epoch all that the next one needs is on disk."""

import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from facelab._checkpoint import (
    Checkpoint,
    Row,
    RunError,
    another,
    damaged,
    expanded,
    read,
    refuse_unwritable,
    write,
)
from facelab._nested import leaves
from facelab.backend import keras, tf
from facelab.epochs import Mode, best_epoch, better
from facelab.files import alone
from facelab.pipeline import TrainingBatches

__all__ = ["CHECKPOINT", "Row", "RunError", "fit"]

CHECKPOINT: Final = "training.npz"
"""The file that :func:`fit` keeps in its folder."""


def fit(
    model: keras.Model,
    train: TrainingBatches,
    validation: tf.data.Dataset | None = None,
    *,
    epochs: int,
    monitor: str = "val_loss",
    mode: Mode | None = None,
    patience: int | None = None,
    folder: str | os.PathLike[str] | None = None,
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
        The column of the history that tells which epoch is best: one number an epoch. Without `validation`
        it is not looked at.
    mode : {"max", "min"}, optional
        Whether more or less of `monitor` is better. Without it Keras is asked, which knows of its own losses
        and metrics, whatever they are called here; then the name, as :func:`facelab.epochs.better` reads it.
    patience : int, optional
        Stop after so many epochs without a better one; only with `validation`.
    folder : path-like, optional
        Where to keep a checkpoint, one folder a run. The same call goes on where the last one was killed, to
        the same weights, bit for bit. A finished run is read and not trained again; with more `epochs` it
        goes on from its end. ``~`` is your home.

    Returns
    -------
    DataFrame
        One row an epoch: ``epoch``, from 1; losses and metrics as Keras names them; ``seconds``. The model
        holds the weights of the best epoch, without `validation` those of the last.

    Raises
    ------
    RunError
        If `folder` holds another run, one that went on for longer than is asked for, or a damaged checkpoint.
        The model stays as it is.
    OSError
        If no checkpoint can be written to `folder`. The one before stays.
    files.BusyError
        If another process trains into `folder`.
    FloatingPointError
        If the loss is no finite number any more.
    TypeError
        If `train` is anything else, such as a Dataset.
    ValueError
        If the model is not compiled, the history has no column `monitor`, neither Keras nor its name tells
        whether more of it is better, it has several numbers an epoch, `epochs` or `patience` is not positive,
        or there is a `patience` without `validation`.

    Notes
    -----
    A checkpoint has the variables of the model (random state of its dropout included) and of the optimiser,
    the best weights and the history. Everything else follows from these: the order of the photographs from
    the number of the epoch, the patience that is left from the history. Repeatable to the bit only after
    :func:`facelab.backend.set_seed`. Built in lesson 3.5.
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
    if mode not in ("max", "min", None):
        raise ValueError(f"mode is 'max' or 'min', not {mode!r}")
    if folder is None:
        return _fit(model, train, validation, epochs, monitor, mode, patience, None)
    place = expanded(folder)
    with alone(place, "another training keeps its checkpoint"):
        return _fit(model, train, validation, epochs, monitor, mode, patience, place / CHECKPOINT)


def _fit(
    model: keras.Model,
    train: TrainingBatches,
    validation: tf.data.Dataset | None,
    epochs: int,
    monitor: str,
    mode: Mode | None,
    patience: int | None,
    checkpoint: Path | None,
) -> pd.DataFrame:
    """Train, keeping a checkpoint if there is a place for it."""
    chosen_by = monitor if validation is not None else None
    watched = ["loss", monitor] if validation is not None else ["loss"]

    def waited(history: list[Row]) -> int:
        return _waited(history, chosen_by, mode)

    def finished(history: list[Row]) -> bool:
        return len(history) >= epochs or (patience is not None and waited(history) >= patience)

    run = _describe(model, train, validation, chosen_by) if checkpoint is not None else {}
    history: list[Row] = []
    best = model.get_weights()
    if checkpoint is not None and checkpoint.exists():
        kept = read(checkpoint, run, Checkpoint([], mode, best, _state(model)))
        if mode not in (None, kept.mode):
            raise another(checkpoint, "mode", kept.mode, mode)
        history, mode = kept.history, kept.mode
        try:
            for row in history:
                _refuse_unwatchable(row, watched)
        except (ValueError, FloatingPointError) as error:
            raise damaged(checkpoint, str(error)) from error
        if any(finished(history[:done]) for done in range(len(history))):
            raise RunError(
                f"{checkpoint.parent} holds a run of {len(history)} epochs, longer than epochs={epochs} and "
                f"patience={patience} allow: ask for more, or name another folder"
            )
        best = kept.best
        for variable, value in zip(_variables(model), kept.state, strict=True):
            variable.assign(value)
    if checkpoint is not None and not finished(history):
        refuse_unwritable(checkpoint.parent)
    if model.built and not model.run_eagerly and not finished(history):
        _build_all(model, train)
    while not finished(history):
        row = _train_one_epoch(model, train.epoch(len(history)), validation, len(history) + 1)
        _refuse_unwatchable(row, watched)
        if chosen_by is not None and mode is None:  # only now has Keras built the metrics that tell
            mode = _better(model, chosen_by)
        history.append(row)
        if waited(history) == 0:
            best = model.get_weights()
        if checkpoint is not None:
            write(checkpoint, run, Checkpoint(history, mode, best, _state(model)))
    model.set_weights(best)
    return pd.DataFrame(history)


def _train_one_epoch(
    model: keras.Model, train: tf.data.Dataset, validation: tf.data.Dataset | None, number: int
) -> Row:
    started = time.perf_counter()
    logs = model.fit(train, validation_data=validation, shuffle=False, verbose=0).history
    # A metric may be a vector, such as the F1 score of each class: a list, which JSON has too.
    row: Row = {"epoch": number} | {name: np.asarray(values[0]).tolist() for name, values in logs.items()}
    row["seconds"] = time.perf_counter() - started
    if sys.stderr.isatty():
        numbers = (f"{name} {value:.4g}" for name, value in row.items() if np.ndim(value) == 0)
        print("  ".join(numbers), file=sys.stderr)
    return row


def _refuse_unwatchable(row: Row, watched: list[str]) -> None:
    """Refuse an epoch that says nothing of how good it is, or that nothing good can follow."""
    for name in watched:
        if name not in row:
            raise ValueError(f"the history has no column {name!r} to monitor: it has {list(row)}")
        if np.ndim(row[name]):
            raise ValueError(
                f"{name} is {len(row[name])} numbers an epoch, and one is needed to tell which is best: "
                "compile its metric so that it averages them, or monitor another column"
            )
    if not np.isfinite([row[name] for name in watched]).all():
        values = " and ".join(f"{name} of {row[name]}" for name in watched)
        raise FloatingPointError(
            f"epoch {row['epoch']} ended with a {values}: compile the model with a lower learning rate"
        )


def _better(model: keras.Model, monitor: str) -> Mode:
    """Return which values of a column are better: what Keras knows of its metric, or else what its name says.

    Keras has its knowledge in a private attribute of a metric, and for some metrics has none; the name of the
    metric's class says as much.
    """
    column = monitor.removeprefix("val_")
    metrics = [part for metric in model.metrics for part in getattr(metric, "metrics", [metric])]
    # Before a metric's name stands that of its output, behind it a number if the name is there twice.
    fitting = [one for one in metrics if re.search(rf"(^|_){re.escape(one.name)}(_\d+)?$", column)]
    longest = max((len(one.name) for one in fitting), default=0)
    known = {_direction(one) for one in fitting if len(one.name) == longest}
    mode = known.pop() if len(known) == 1 else None
    if mode is None and (mode := better(monitor)) is None:
        raise ValueError(
            f"neither Keras nor the name {monitor!r} tells whether more or less of it is better: "
            "say mode='max' or mode='min'"
        )
    return mode


def _direction(metric: keras.metrics.Metric) -> Mode | None:
    modes: dict[str, Mode] = {"up": "max", "down": "min"}
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(metric).__name__)  # FalsePositives: False_Positives
    return modes.get(getattr(metric, "_direction", None) or "") or better(words)


def _waited(history: list[Row], monitor: str | None, mode: Mode | None) -> int:
    """Count the epochs since the best one; 0 if that is the last, as it is where none is chosen."""
    if not history or monitor is None:
        return 0
    return len(history) - 1 - best_epoch([row[monitor] for row in history], monitor, mode)


def _build_all(model: keras.Model, train: TrainingBatches) -> None:
    """Make the variables of optimiser, losses and metrics.

    Left to the first step, they are made inside its graph, which TensorFlow traces twice for that.
    """
    _build_optimiser(model)
    images, target, *weight = train.epoch(0).element_spec
    # The model is asked for shapes alone: one of its layers might remember what it is shown.
    answer = model.compute_output_spec(keras.KerasTensor((1, *images.shape[1:]), images.dtype.name))
    zeros = tf.nest.map_structure(
        lambda spec: tf.zeros([1, *spec.shape[1:]], spec.dtype), (target, answer, *weight)
    )
    model.compute_loss(None, *zeros)
    model.compute_metrics(None, *zeros)  # they count from zero again when an epoch begins


def _build_optimiser(model: keras.Model) -> None:
    """Make the variables that the optimiser keeps beside the weights, if it has not made them."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _variables(model: keras.Model) -> list[keras.Variable]:
    """List all that a step of training changes: weights, statistics, random state, optimiser."""
    _build_optimiser(model)
    return [*model.variables, *model.optimizer.variables]


def _state(model: keras.Model) -> list[np.ndarray]:
    return [variable.numpy() for variable in _variables(model)]


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

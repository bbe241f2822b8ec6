"""Batches of pixels and targets: in the table's order to ask a network, shuffled anew to train it."""

import os
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from facelab.backend import tf
from facelab.pipeline._augmentation import augment
from facelab.pipeline._cache import read_once
from facelab.pipeline._reading import (
    DEFAULT_CONTRACT,
    UNTUNED,
    PixelContract,
    as_written,
    check_contract,
    full_paths,
)

Target = np.ndarray | Mapping[str, np.ndarray]
"""One array a head of the network, or a dict of such arrays by the heads' names; a row a photograph."""

Prepare = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]]
"""What makes a batch: from the epoch's seed, the batch's number and the numbers of its rows."""


def batches(
    table: pd.DataFrame,
    data_dir: str | os.PathLike[str],
    target: Target,
    contract: PixelContract = DEFAULT_CONTRACT,
    *,
    batch_size: int = 64,
    sample_weight: np.ndarray | None = None,
    cache: Literal["memory"] | os.PathLike[str] = "memory",
) -> tf.data.Dataset:
    """Make batches in the table's order, to validate and to test a network.

    Parameters
    ----------
    table : DataFrame
        With the column ``path``.
    data_dir : path-like
        The data set's folder.
    target : array or dict of arrays, n rows
        What the network is to answer for each row of the table: from :func:`gender_target`,
        :func:`age_target` or :func:`soft_age_target`; for a network with several heads, by their names.
    contract : PixelContract
        What the network's pixels are.
    batch_size : int
        Photographs a batch. The last batch has what is left.
    sample_weight : float array, shape (n,), optional
        How much each photograph counts in the loss.
    cache : "memory" or path-like
        Where the resized photographs are kept, as uint8: in memory (n × side² × channels bytes), or in a file
        in this folder, from which each batch is read. The file is used again as long as paths, sizes and
        times of the photographs and the contract stay the same, and its own size and header are as they were
        written; a byte changed inside it is not noticed. Of several processes that ask for the same file at
        once, one reads the photographs; the others wait and say for whom. Where a process was killed, the
        next one goes on.

    Returns
    -------
    Dataset of ``(images, target)`` or ``(images, target, sample_weight)``
        ``images`` is float32 in [0, 1], shape (batch, side, side, channels).

    Raises
    ------
    DataSetError
        If the table has no rows, a path is missing, or a photograph cannot be read: by name. If the file of
        the cache was damaged: delete it.
    OSError
        If the cache cannot be written; the message names its folder, the bytes needed and the remedy.
    ValueError
        If `target` or `sample_weight` has another number of rows than the table, `contract` is none, or the
        batch size is not positive.

    Notes
    -----
    All photographs are read before the function returns; every pass then takes them from the cache. Used in
    lesson 2.3.
    """
    paths, columns, element = _columns(table, data_dir, target, contract, batch_size, sample_weight)
    prepare = _prepare([read_once(paths, contract, cache), *columns], element, augmented=False)
    return _assemble(prepare, tf.range(len(paths), dtype=tf.int64), batch_size, _derived_seed(0))


class TrainingBatches:
    """Batches to train on: in each epoch another order, and other variations of the photographs.

    Parameters
    ----------
    table, data_dir, target, contract, batch_size
        As for :func:`batches`, whose errors it shares.
    augmented : bool
        Whether to :func:`augment` each photograph, anew in each epoch.
    sample_weight : float array, shape (n,), optional
        As for :func:`batches`.
    seed : int
        Order and augmentation depend on it and on the epoch's number, and on nothing else.
    cache : "memory" or path-like
        As for :func:`batches`.

    Notes
    -----
    An epoch is a function of its number: asked twice, it is the same. So an interrupted training goes on with
    the epoch where it stopped: :func:`facelab.training.fit` asks for one epoch after the other. Built in
    lesson 2.3, as ``one_epoch``.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        data_dir: str | os.PathLike[str],
        target: Target,
        contract: PixelContract = DEFAULT_CONTRACT,
        *,
        batch_size: int = 64,
        augmented: bool = False,
        sample_weight: np.ndarray | None = None,
        seed: int = 0,
        cache: Literal["memory"] | os.PathLike[str] = "memory",
    ) -> None:
        paths, columns, element = _columns(table, data_dir, target, contract, batch_size, sample_weight)
        # Traced once: a new trace for each epoch would cost more than a small epoch itself.
        self._prepare = _prepare([read_once(paths, contract, cache), *columns], element, augmented)
        self._rows, self._batch_size, self._seed = len(paths), batch_size, seed

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-self._rows // self._batch_size)

    def epoch(self, number: int) -> tf.data.Dataset:
        """Return the batches of one epoch.

        Parameters
        ----------
        number : int
            Counted from 0.

        Returns
        -------
        Dataset
            As :func:`batches` gives it: every row of the table once.
        """
        seed = _derived_seed(self._seed, number)
        rows = tf.random.experimental.stateless_shuffle(tf.range(self._rows, dtype=tf.int64), seed)
        return _assemble(self._prepare, rows, self._batch_size, seed)


def _columns(
    table: pd.DataFrame,
    data_dir: str | os.PathLike[str],
    target: Target,
    contract: PixelContract,
    batch_size: int,
    sample_weight: np.ndarray | None,
) -> tuple[list[str], list[np.ndarray], tuple[object, ...]]:
    """Return the photographs' paths, what goes with them as a list of arrays, and how a batch is laid out."""
    check_contract(contract)
    paths = full_paths(table, data_dir)
    if batch_size < 1:
        raise ValueError(f"a batch has at least one photograph, not {batch_size}")
    targets = target if isinstance(target, Mapping) else np.asarray(target)
    images = 0  # holds the place of the pixels
    element: tuple[object, ...] = (images, targets)
    if sample_weight is not None:
        element = (*element, np.asarray(sample_weight, "float32"))
    columns = [np.asarray(array) for array in tf.nest.flatten(element)[1:]]
    if wrong := [len(column) for column in columns if len(column) != len(paths)]:
        raise ValueError(
            f"the table has {len(paths)} rows, but target or sample_weight {wrong[0]}: "
            "make them from this table"
        )
    return paths, columns, element


def _prepare(columns: list[np.ndarray], element: tuple[object, ...], augmented: bool) -> Prepare:
    """Return the function that makes a batch: fetch its rows, scale the pixels, perhaps vary them."""

    @tf.function(autograph=False)
    def prepare(seed: tf.Tensor, step: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, ...]:
        # The arrays stay NumPy's: one may be a file, and none is copied into TensorFlow's graph.
        types = [column.dtype for column in columns]
        fetched = tf.numpy_function(lambda rows: [column[rows] for column in columns], [rows], types)
        for values, column in zip(fetched, columns, strict=True):
            values.set_shape((None, *column.shape[1:]))
        images = tf.cast(fetched[0], tf.float32) / 255
        if augmented:
            images = augment(images, tf.random.fold_in(seed, step))
        return tf.nest.pack_sequence_as(element, [images, *fetched[1:]])

    return prepare


def _assemble(prepare: Prepare, rows: tf.Tensor, batch_size: int, seed: tf.Tensor) -> tf.data.Dataset:
    """Return the batches of these rows, in their order, made ahead and in parallel."""

    @as_written
    def make(step: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return prepare(seed, step, rows)

    return (
        tf.data.Dataset.from_tensor_slices(rows)
        .batch(batch_size)
        .enumerate()
        .map(make, tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
        .with_options(UNTUNED)
    )


def _derived_seed(seed: int, *numbers: int) -> tf.Tensor:
    """Make a seed of shape (2,) from a seed and further numbers, such as the epoch's."""
    derived = tf.constant([seed, 0], tf.int64)
    for number in numbers:
        derived = tf.random.fold_in(derived, tf.constant(number, tf.int64))
    return derived

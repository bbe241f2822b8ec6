"""From the table of photographs to batches of pixels and targets, for a network to learn from.

:func:`photographs` reads, :func:`augment` varies, and :func:`batches` puts it all together. What the pixels
are is written down once, as a :class:`PixelContract`, for training and for every later use of the network.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from facelab.backend import tf
from facelab.pipeline._augmentation import augment
from facelab.pipeline._reading import (
    DEFAULT_CONTRACT,
    UNTUNED,
    PixelContract,
    as_written,
    check_contract,
    full_paths,
    read_chunks,
    unreadable_error,
)

Target = np.ndarray | Mapping[str, np.ndarray]
"""One array a head of the network, or a dict of such arrays by the heads' names; a row a photograph."""


def batches(
    table: pd.DataFrame,
    data_dir: str | os.PathLike[str],
    target: Target,
    contract: PixelContract = DEFAULT_CONTRACT,
    *,
    batch_size: int = 64,
    training: bool = False,
    augmented: bool = False,
    sample_weight: np.ndarray | None = None,
    seed: int = 0,
    cache: Literal["memory"] | os.PathLike[str] = "memory",
) -> tf.data.Dataset:
    """Make the batches that a network is trained or tested on.

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
    training : bool
        Shuffle the whole table anew in each epoch. Otherwise the order is the table's.
    augmented : bool
        :func:`augment` each photograph, anew in each epoch; only when `training`.
    sample_weight : float array, shape (n,), optional
        How much each photograph counts in the loss.
    seed : int
        Order and augmentation depend on it and on the epoch's number, and on nothing else.
    cache : "memory" or path-like
        Where the resized photographs are kept, as uint8: in memory (n × side² × channels bytes), or in a file
        in this folder, from which each batch is read. The file is used again as long as paths, sizes and
        times of the photographs and the contract stay the same.

    Returns
    -------
    Dataset of ``(images, target)`` or ``(images, target, sample_weight)``
        ``images`` is float32 in [0, 1], shape (batch, side, side, channels).

    Raises
    ------
    DataSetError
        If the table has no rows, a path is missing, or a photograph cannot be read: by name.
    ValueError
        If `target` or `sample_weight` has another number of rows than the table; if `contract` is none,
        the batch size not positive, or `augmented` asked for without `training`.

    Notes
    -----
    All photographs are read before the function returns; every epoch then takes them from the cache.

    Epochs are counted from 0, and an epoch is over when its last batch has been given out, so an iterator
    that only looks at the first batch (as ``fit`` does to build a network) changes nothing.
    :func:`at_epoch` sets the number, to go on where an interrupted training stopped. Built in chapter 2.
    """
    check_contract(contract)
    paths = full_paths(table, data_dir)
    if batch_size < 1:
        raise ValueError(f"a batch has at least one photograph, not {batch_size}")
    if augmented and not training:
        raise ValueError("only training photographs are augmented: say training=True, or augmented=False")
    labels = target if isinstance(target, Mapping) else np.asarray(target)
    element = (0, labels) if sample_weight is None else (0, labels, np.asarray(sample_weight, "float32"))
    columns = [np.asarray(array) for array in tf.nest.flatten(element)[1:]]
    if wrong := [len(column) for column in columns if len(column) != len(paths)]:
        raise ValueError(
            f"the table has {len(paths)} rows, but target or sample_weight {wrong[0]}: "
            "make them from this table"
        )
    columns.insert(0, _cached(paths, contract, cache))
    steps = -(-len(paths) // batch_size)
    with tf.device("CPU:0"):
        next_epoch = tf.Variable(0, dtype=tf.int64, trainable=False)

    @as_written
    def number_the_epoch(_: tf.Tensor) -> tf.Tensor:
        return next_epoch.read_value()

    @as_written
    def order(epoch: tf.Tensor) -> tf.data.Dataset:
        rows = tf.range(len(paths), dtype=tf.int64)
        if training:
            rows = tf.random.experimental.stateless_shuffle(rows, _derived_seed(seed, epoch))
        return tf.data.Dataset.zip(
            tf.data.Dataset.from_tensors(epoch).repeat(),
            tf.data.Dataset.range(steps),
            tf.data.Dataset.from_tensor_slices(rows).batch(batch_size),
        )

    @as_written
    def fetch(epoch: tf.Tensor, step: tf.Tensor, rows: tf.Tensor) -> tuple[Any, ...]:
        types = [column.dtype for column in columns]
        fetched = tf.numpy_function(lambda rows: [column[rows] for column in columns], [rows], types)
        for values, column in zip(fetched, columns, strict=True):
            values.set_shape((None, *column.shape[1:]))
        return epoch, step, tuple(fetched)

    @as_written
    def finish(epoch: tf.Tensor, step: tf.Tensor, fetched: tuple[tf.Tensor, ...]) -> tuple[Any, ...]:
        images = tf.cast(fetched[0], tf.float32) / 255
        if augmented:
            images = augment(images, _derived_seed(seed, epoch, step))
        return epoch, step, tf.nest.pack_sequence_as(element, [images, *fetched[1:]])

    @as_written
    def count(epoch: tf.Tensor, step: tf.Tensor, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        next_epoch.assign(tf.where(step == steps - 1, epoch + 1, epoch))
        return batch

    dataset = (
        tf.data.Dataset.range(1)
        .map(number_the_epoch)
        .flat_map(order)
        .map(fetch)
        .map(finish, tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
        # Behind the prefetching, so that what is only prepared does not count as given out.
        .map(count)
        .apply(tf.data.experimental.assert_cardinality(steps))
        .with_options(UNTUNED)
    )
    dataset.next_epoch = next_epoch
    return dataset


def at_epoch(dataset: tf.data.Dataset, epoch: int) -> None:
    """Make the next iteration of a training data set that of the given epoch.

    Parameters
    ----------
    dataset : Dataset
        As :func:`batches` gave it.
    epoch : int
        Counted from 0.

    Raises
    ------
    TypeError
        If `dataset` is not one that :func:`batches` gave, but made from one.

    Notes
    -----
    Built in chapter 2; ``training.fit`` calls it before each epoch.
    """
    if not hasattr(dataset, "next_epoch"):
        raise TypeError("only a data set as pipeline.batches gave it can be set to an epoch")
    dataset.next_epoch.assign(epoch)


def _derived_seed(seed: int, *numbers: tf.Tensor) -> tf.Tensor:
    """Make a seed of shape (2,) from a seed and further numbers, such as the epoch's."""
    folded = tf.constant([seed, 0], tf.int64)
    for value in numbers:
        folded = tf.random.fold_in(folded, value)
    return folded


def _cached(
    paths: list[str], contract: PixelContract, cache: Literal["memory"] | os.PathLike[str]
) -> np.ndarray:
    """Read all photographs into memory, or into a file that is mapped into memory."""
    shape = (len(paths), contract.side, contract.side, contract.channels)
    if cache == "memory":
        pixels = np.empty(shape, np.uint8)
        _fill(pixels, paths, contract)
        return pixels
    file = Path(cache) / f"{_fingerprint(paths, contract)}.npy"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Under another name until it is whole: what a killed process left is never taken for a cache.
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=file.parent) as aside:
            partial = Path(aside) / file.name
            pixels = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
            _fill(pixels, paths, contract)
            pixels.flush()
            del pixels
            partial.replace(file)
    return np.load(file, mmap_mode="r")


def _fill(pixels: np.ndarray, paths: list[str], contract: PixelContract) -> None:
    """Read photographs into the rows of an array."""
    start = 0
    for chunk in read_chunks(paths, contract):
        pixels[start : start + len(chunk)] = chunk
        start += len(chunk)


def _fingerprint(paths: list[str], contract: PixelContract) -> str:
    """Name a cache by all that its pixels depend on."""
    facts = [repr(contract)]
    for path in paths:
        try:
            stat = os.stat(path)  # noqa: PTH116  (pathlib takes several times as long)
        except OSError as error:
            raise unreadable_error(path, error.strerror or "it cannot be found") from error
        facts.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]

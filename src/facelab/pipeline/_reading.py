"""Reading photographs: decode, cut to a square, grey or colour, resize; an unreadable one is named."""

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from facelab.adience import DataSetError
from facelab.backend import tf

READ_TOGETHER: Final = 32
"""How many photographs are read in one step."""


as_written: Final = tf.autograph.experimental.do_not_convert
"""For the steps of data sets: none has an ``if`` to translate, and looking for one takes a second."""

UNTUNED: Final = tf.data.Options()
"""For whole data sets: no thread that tunes them while they are read.

That thread looks after 10 ms, then after twice as long, and so on. A pass that ends in between may wait for
its next look: an epoch of 3.0 seconds then takes 5.1 (TensorFlow 2.21).
"""
UNTUNED.autotune.enabled = False


class PixelContract(NamedTuple):
    """What a network's pixels are: a square of `side` pixels, grey (1 channel) or red, green, blue (3).

    As stored they are uint8; as they reach a network, float32 from 0 (black) to 1 (white), shape (batch,
    side, side, channels).

    Parameters
    ----------
    side : int
        Pixels of height and width.
    channels : int
        1 (grey) or 3 (red, green, blue).

    Notes
    -----
    Used in lesson 2.

    Examples
    --------
    >>> PixelContract(64)
    PixelContract(side=64, channels=1)
    """

    side: int = 48
    channels: int = 1


DEFAULT_CONTRACT: Final = PixelContract()
"""The contract of both published networks: 48×48 pixels, grey."""


def photographs(
    table: pd.DataFrame, data_dir: str | os.PathLike[str], contract: PixelContract = DEFAULT_CONTRACT
) -> tf.data.Dataset:
    """Read the photographs of a table.

    Parameters
    ----------
    table : DataFrame
        With the column ``path``; see :func:`facelab.adience.read_folds`.
    data_dir : path-like
        The data set's folder.
    contract : PixelContract
        What to make of each photograph.

    Returns
    -------
    Dataset of uint8 tensors, shape (side, side, channels)
        In the table's order. A photograph that is not square is cut to its central square. Resizing is
        antialiased. JPEG, PNG, GIF (first frame) and BMP are read.

    Raises
    ------
    DataSetError
        At once if the table has no rows or a path is missing.
    tf.errors.OpError
        While it is iterated, if a photograph cannot be read; the message names it, and :func:`unreadable`
        as the way to find all of them. :func:`batches` raises the same as a DataSetError.
    ValueError
        If `contract` is none.

    Notes
    -----
    Built in lesson 2, as ``read_all``.
    """
    paths = full_paths(table, data_dir)
    check_contract(contract)
    shape = (None, contract.side, contract.side, contract.channels)
    return (
        tf.data.Dataset.from_generator(
            lambda: read_chunks(paths, contract), output_signature=tf.TensorSpec(shape, tf.uint8)
        )
        .unbatch()
        .apply(tf.data.experimental.assert_cardinality(len(paths)))
    )


def unreadable(table: pd.DataFrame, data_dir: str | os.PathLike[str]) -> pd.DataFrame:
    """List every photograph that cannot be read.

    Parameters
    ----------
    table : DataFrame
        With the column ``path``.
    data_dir : path-like
        The data set's folder.

    Returns
    -------
    DataFrame
        ``path`` (str), as in the table, and ``why`` (str); the table's index. No rows if all is well:
        ``table.drop(unreadable(table, data_dir).index)`` is what can be used.

    Raises
    ------
    DataSetError
        If the table has no rows or a path is missing.

    Notes
    -----
    Used in lesson 2.
    """
    paths = full_paths(table, data_dir)

    @as_written
    def try_reading(row: tf.Tensor, path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # What is decoded must be used, or TensorFlow leaves the decoding out.
        return row, tf.shape(_decode(tf.io.read_file(path), DEFAULT_CONTRACT))

    readable = (
        tf.data.Dataset.from_tensor_slices(paths)
        .enumerate()
        .map(try_reading, tf.data.AUTOTUNE, deterministic=True)
        .ignore_errors()
        .with_options(UNTUNED)
    )
    rows = sorted(set(range(len(paths))) - {int(row) for row, _ in readable.as_numpy_iterator()})
    why = [why_unreadable(paths[row]) for row in rows]
    return pd.DataFrame(
        {"path": table["path"].iloc[rows], "why": pd.Series(why, table.index[rows], dtype=str)}
    )


def check_contract(contract: PixelContract) -> None:
    """Refuse a side or a number of channels that cannot be."""
    if contract.side < 8 or contract.channels not in (1, 3):
        raise ValueError(f"{contract} is no pixel contract: side is at least 8, channels is 1 or 3")


def full_paths(table: pd.DataFrame, data_dir: str | os.PathLike[str]) -> list[str]:
    """Return the full paths of a table's photographs, none of which may be missing."""
    if table.empty:
        raise DataSetError("the table has no rows: there is nothing to read")
    if missing := int(table["path"].isna().sum()):
        raise DataSetError(
            f"{missing} of {len(table)} rows have no photograph: take the rows of adience.usable(table)"
        )
    data_dir = Path(data_dir).expanduser()
    return [os.path.join(data_dir, path) for path in table["path"]]  # noqa: PTH118  (pathlib takes 20 times as long)


def read_chunks(paths: list[str], contract: PixelContract) -> Iterator[np.ndarray]:
    """Read photographs, some at a time; raise with the name of the first that cannot be read."""
    done = 0
    for read in (_alike, _one_by_one):
        try:
            for pixels in read(paths[done:], contract).with_options(UNTUNED).as_numpy_iterator():
                pixels = pixels[: len(paths) - done]
                yield pixels
                done += len(pixels)
        except tf.errors.OpError as error:
            problem = error  # _alike also stops at another size or format, which _one_by_one reads
        if done == len(paths):
            return
    for path in paths[done : done + READ_TOGETHER]:
        if why := why_unreadable(path):
            raise unreadable_error(path, why) from problem
    raise problem


def _alike(paths: list[str], contract: PixelContract) -> tf.data.Dataset:
    """Read JPEGs that are all of the first one's size, as a data set's are: the quick way.

    A step of a data set costs as much as decoding a small photograph, and one call of the resizing operation
    nearly as much for many channels as for one. So a step reads many photographs, and resizes them as the
    channels of one: the first epoch takes half the time with 96 pixels a side, and a sixth less with 816. The
    last step is filled up with the last photograph.
    """
    size = tf.io.extract_jpeg_shape(tf.io.read_file(paths[0]))[:2]
    halvings = int(_halvings(size, contract))
    together = min(READ_TOGETHER, len(paths))

    @as_written
    def read(paths: tf.Tensor) -> tf.Tensor:
        contents = [tf.io.read_file(path) for path in tf.unstack(paths)]
        sizes = tf.stack([tf.io.extract_jpeg_shape(content)[:2] for content in contents])
        with tf.control_dependencies([tf.debugging.assert_equal(sizes, size)]):
            images = [_decode_jpeg(content, contract.channels, halvings) for content in contents]
        return _resize(tf.stack(images), contract)

    filled = [*paths, *paths[-1:] * (-len(paths) % together)]
    return (
        tf.data.Dataset.from_tensor_slices(filled)
        .batch(together, drop_remainder=True)
        .map(read, tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
    )


def _one_by_one(paths: list[str], contract: PixelContract) -> tf.data.Dataset:
    """Read photographs of any sizes and formats."""

    @as_written
    def read(path: tf.Tensor) -> tf.Tensor:
        return _resize(_decode(tf.io.read_file(path), contract)[tf.newaxis], contract)[0]

    return (
        tf.data.Dataset.from_tensor_slices(paths)
        .map(read, tf.data.AUTOTUNE, deterministic=True)
        .batch(READ_TOGETHER)
        .prefetch(2)
    )


def _halvings(size: tf.Tensor, contract: PixelContract) -> tf.Tensor:
    """Say how often a JPEG of this size is halved while it is decoded: 0 to 3 times.

    A JPEG can be decoded at a half, a quarter or an eighth of its size for a fraction of the work. At least
    twice the wanted side is left for the resizing, and no edge may fall inside a pixel: so the result is as
    if the whole photograph had been resized.
    """
    height, width = tf.unstack(size)
    divisor = tf.constant([2, 4, 8])
    large_enough = tf.minimum(height, width) >= 2 * contract.side * divisor
    edges_fit = (height % divisor == 0) & (width % divisor == 0) & ((height - width) % (2 * divisor) == 0)
    return tf.reduce_sum(tf.cast(large_enough & edges_fit, tf.int32))


def _decode(contents: tf.Tensor, contract: PixelContract) -> tf.Tensor:
    """Decode a photograph of any size and format."""

    def decode_other() -> tf.Tensor:
        image = tf.io.decode_image(contents, contract.channels, expand_animations=False)
        return tf.ensure_shape(image, (None, None, contract.channels))

    def decode_jpeg() -> tf.Tensor:
        halvings = _halvings(tf.io.extract_jpeg_shape(contents)[:2], contract)
        ways = [partial(_decode_jpeg, contents, contract.channels, number) for number in range(4)]
        return tf.switch_case(halvings, ways)

    return tf.cond(tf.io.is_jpeg(contents), decode_jpeg, decode_other)


def _decode_jpeg(contents: tf.Tensor, channels: int, halvings: int) -> tf.Tensor:
    """Decode a JPEG, halved so often; the default method saves a little work and is a few levels off."""
    return tf.io.decode_jpeg(contents, channels, ratio=2**halvings, dct_method="INTEGER_ACCURATE")


def _resize(images: tf.Tensor, contract: PixelContract) -> tf.Tensor:
    """Cut images of one size to their central square and resize it, without aliasing; uint8 all the way."""
    number = images.shape[0]
    height, width = tf.unstack(tf.shape(images)[1:3])
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    squares = images[:, top : top + side, left : left + side]
    as_channels = tf.reshape(tf.transpose(squares, (1, 2, 0, 3)), (side, side, number * contract.channels))
    resized = tf.image.resize(as_channels, (contract.side, contract.side), antialias=True)
    apart = tf.reshape(resized, (contract.side, contract.side, number, contract.channels))
    return tf.cast(tf.round(tf.transpose(apart, (2, 0, 1, 3))), tf.uint8)


def unreadable_error(path: str, why: str) -> DataSetError:
    """Make the error that names a photograph which cannot be read."""
    return DataSetError(
        f"cannot read the photograph {path}: {why}. Put the original file back, or leave it out; "
        "facelab.pipeline.unreadable(table, data_dir) lists all of them"
    )


def why_unreadable(path: str) -> str | None:
    """Say why a photograph cannot be read, if it cannot."""
    if not Path(path).is_file():
        return "there is no such file"
    if not Path(path).stat().st_size:
        return "the file is empty"
    try:
        _decode(tf.io.read_file(path), DEFAULT_CONTRACT)
    except tf.errors.OpError as error:
        return re.sub(r"\{\{.*?\}\} *|\[Op:.*", "", error.message.splitlines()[0]).strip(" .")
    return None

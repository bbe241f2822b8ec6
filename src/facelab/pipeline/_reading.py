"""Reading photographs: decode, cut to a square, resize; an unreadable one is named."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from facelab.adience import DataSetError
from facelab.backend import tf
from facelab.pipeline._decoding import decode, decode_jpeg, is_plain, may_halve

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
    Built in lesson 2.1.

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
        antialiased.

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
    JPEG, PNG, GIF, BMP and WebP are read, whatever the suffix says. The pixels are upright, as the EXIF data
    say; white where the photograph is transparent; of the first picture of an animation; grey by ITU-R 601.
    Colour profiles change nothing. A file that ends too early is an error; a hole *within* a JPEG is not
    noticed. Built in lesson 2.1, as ``read``.
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


def unreadable(
    table: pd.DataFrame, data_dir: str | os.PathLike[str], contract: PixelContract = DEFAULT_CONTRACT
) -> pd.DataFrame:
    """List every photograph that cannot be read.

    Parameters
    ----------
    table : DataFrame
        With the column ``path``.
    data_dir : path-like
        The data set's folder.
    contract : PixelContract
        What is to be made of each photograph.

    Returns
    -------
    DataFrame
        ``path`` (str), as in the table, and ``why`` (str); the table's index. No rows if all is well:
        ``table.drop(unreadable(table, data_dir).index)`` is what can be used.

    Raises
    ------
    DataSetError
        If the table has no rows or a path is missing.
    ValueError
        If `contract` is none.

    Notes
    -----
    Used in lesson 2.3.
    """
    paths = full_paths(table, data_dir)
    check_contract(contract)

    @as_written
    def try_reading(row: tf.Tensor, path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # What is decoded must be used, or TensorFlow leaves the decoding out.
        return row, tf.shape(decode(tf.io.read_file(path), *contract))

    readable = (
        tf.data.Dataset.from_tensor_slices(paths)
        .enumerate()
        .map(try_reading, tf.data.AUTOTUNE, deterministic=True)
        .ignore_errors()
        .with_options(UNTUNED)
    )
    rows = sorted(set(range(len(paths))) - {int(row) for row, _ in readable.as_numpy_iterator()})
    why = [why_unreadable(paths[row], contract) for row in rows]
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
        if why := why_unreadable(path, contract):
            raise unreadable_error(path, why) from problem
    raise problem


def _alike(paths: list[str], contract: PixelContract) -> tf.data.Dataset:
    """Read plain JPEGs that are all of the first one's size, as a data set's are: the quick way.

    A step of a data set costs as much as decoding a small photograph, and one call of the resizing operation
    nearly as much for many channels as for one. So a step reads many photographs, and resizes them as the
    channels of one: the first epoch takes half the time with 96 pixels a side, and a sixth less with 816. The
    last step is filled up with the last photograph.
    """
    first = tf.io.read_file(paths[0])
    tf.debugging.assert_equal(tf.io.is_jpeg(first), True)  # or the decoder complains to the console
    height, width, _ = tf.io.extract_jpeg_shape(first).numpy()
    halvings = int(np.sum(may_halve(height, width, contract.side)))
    together = min(READ_TOGETHER, len(paths))

    @as_written
    def read(paths: tf.Tensor) -> tf.Tensor:
        contents = [tf.io.read_file(path) for path in tf.unstack(paths)]
        shapes = tf.stack([tf.io.extract_jpeg_shape(content) for content in contents])
        of_one_size = tf.reduce_all(shapes[:, :2] == (height, width))
        all_plain = tf.reduce_all(is_plain(tf.stack(contents), shapes))
        with tf.control_dependencies([tf.debugging.assert_equal(of_one_size & all_plain, True)]):
            images = [decode_jpeg(content, contract.channels, halvings) for content in contents]
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
        return _resize(decode(tf.io.read_file(path), *contract)[tf.newaxis], contract)[0]

    return (
        tf.data.Dataset.from_tensor_slices(paths)
        .map(read, tf.data.AUTOTUNE, deterministic=True)
        .batch(READ_TOGETHER)
        .prefetch(2)
    )


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


def why_unreadable(path: str, contract: PixelContract) -> str | None:
    """Say why a photograph cannot be read, if it cannot."""
    if not Path(path).is_file():
        return "there is no such file"
    if not Path(path).stat().st_size:
        return "the file is empty"
    try:
        decode(tf.io.read_file(path), *contract)
    except ValueError as error:  # Pillow's reason
        return str(error)
    except tf.errors.OpError as error:
        return re.sub(r"\{\{.*?\}\} *|\[Op:.*", "", error.message.splitlines()[0]).strip(" .")
    return None

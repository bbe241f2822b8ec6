"""What a photograph's pixels are.

A photograph is a file in one of `FORMATS`, whatever its suffix says. Its pixels are

* upright: turned and mirrored as the orientation in its EXIF data, or else in its XMP data, says;
* on white, where it is transparent;
* the first picture, where it has several: an animation, or a phone's JPEG with a second picture behind;
* grey, if grey is wanted, as 0.299 red + 0.587 green + 0.114 blue (ITU-R 601), which a JPEG has stored;
* red, green and blue as Pillow makes them of ink (CMYK) and of palettes;
* the upper 8 of 16 bits;
* as they are numbered in the file: a colour profile changes nothing.

TensorFlow reads the JPEGs for which none of this is a question (`is_plain`), many in one step; Pillow reads
everything else. Both halve a large JPEG while they decode it (`may_halve`), and give the same pixels of it.

Not read are other formats, larger pictures than Pillow takes for one (178,956,970 pixels), and files that end
before the last pixel. Bytes that are missing or wrong *within* a file are found for certain in a PNG alone,
which has checksums; in a JPEG mostly grey is in the place of the lost pixels, and is read.
"""

import io
from functools import partial
from typing import Final

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from facelab.backend import tf

FORMATS: Final = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
"""What is read on every machine. Whether Pillow reads others depends on how it was built."""

_HEAD: Final = 4096
"""Bytes in which the scan of a plain JPEG has begun; without application data, some 600 come before it."""

_LARGE: Final = 2**26
"""Pixels from which on Pillow is asked: it knows which picture is too large to be one."""

_ORIENTATION: Final = 0x0112

_TURN: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to make a photograph of each orientation upright.

`ImageOps.exif_transpose` does the same and then writes the EXIF data anew, where one bad entry stops it.
"""


def decode(contents: tf.Tensor, side: int, channels: int) -> tf.Tensor:
    """Decode a photograph of any size and format; large enough for a square of `side` pixels."""

    def is_plain_jpeg() -> tf.Tensor:
        return is_plain(contents[tf.newaxis], tf.io.extract_jpeg_shape(contents)[tf.newaxis])[0]

    def by_tensorflow() -> tf.Tensor:
        height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(contents))
        halvings = tf.reduce_sum(tf.cast(may_halve(height, width, side), tf.int32))
        ways = [partial(decode_jpeg, contents, channels, number) for number in range(4)]
        return tf.switch_case(halvings, ways)

    def by_pillow() -> tf.Tensor:
        read = partial(_decode_by_pillow, side=side, channels=channels)
        return tf.ensure_shape(tf.numpy_function(read, [contents], tf.uint8), (None, None, channels))

    plain = tf.cond(tf.io.is_jpeg(contents), is_plain_jpeg, lambda: False)
    return tf.cond(plain, by_tensorflow, by_pillow)


def is_plain(contents: tf.Tensor, shapes: tf.Tensor) -> tf.Tensor:
    """Say which JPEGs are upright, grey or YCbCr, and no larger than is usual; bool, shape (n,).

    Parameters
    ----------
    contents : string tensor, shape (n,)
    shapes : int tensor, shape (n, 3)
        Height, width and channels.

    Notes
    -----
    Orientation stands in application data (APP1), in front of the scan. So a JPEG without any but those of
    JFIF (APP0) and Adobe (APP14) has none. A byte pair of a table may look like the start of such data; then
    Pillow reads the photograph, to the same pixels. In a scan no such pair can be.
    """
    head = tf.io.decode_raw(contents, tf.uint8, fixed_length=_HEAD)
    marker = tf.where(head[:, :-1] == 0xFF, head[:, 1:], 0)
    scan_begins = tf.reduce_any(marker == 0xDA, axis=1)
    application_data = (marker > 0xE0) & (marker <= 0xEF) & (marker != 0xEE)
    height, width, colours = tf.unstack(tf.cast(shapes, tf.int64), axis=1)
    usual = (colours != 4) & (height * width < _LARGE)
    return scan_begins & ~tf.reduce_any(application_data, axis=1) & usual


def may_halve(height: tf.Tensor | int, width: tf.Tensor | int, side: int) -> tf.Tensor | np.ndarray:
    """Say whether a JPEG of this size may be decoded at a half, a quarter, an eighth; bool, shape (3,).

    It takes a fraction of the work. At least twice the wanted side is left for the resizing, and no edge may
    fall inside a pixel: so the result is as if the whole photograph had been resized.
    """
    divisor = np.array([2, 4, 8], np.int32)
    enough = 2 * int(side) * divisor
    large_enough = (height >= enough) & (width >= enough)
    edges_fit = (height % divisor == 0) & (width % divisor == 0) & ((height - width) % (2 * divisor) == 0)
    return large_enough & edges_fit


def decode_jpeg(contents: tf.Tensor, channels: int, halvings: int) -> tf.Tensor:
    """Decode a JPEG, halved so often; the default method saves a little work and is a few levels off."""
    return tf.io.decode_jpeg(contents, channels, ratio=2**halvings, dct_method="INTEGER_ACCURATE")


def _decode_by_pillow(contents: bytes | np.ndarray, side: int, channels: int) -> np.ndarray:
    """Decode a photograph by Pillow; uint8, shape (height, width, channels).

    Raises
    ------
    ValueError
        If it cannot be read; the message is the reason.
    """
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise ValueError("PIL.ImageFile.LOAD_TRUNCATED_IMAGES hides damage: set it to False")
    # Outside a graph, TensorFlow hands a string over in an array.
    file: bytes = contents.item() if isinstance(contents, np.ndarray) else contents
    mode = "L" if channels == 1 else "RGB"
    try:
        with Image.open(io.BytesIO(file), formats=FORMATS) as image:
            image.verify()  # the checksums of a PNG, which nobody looks at while it is decoded
        with Image.open(io.BytesIO(file), formats=FORMATS) as image:
            halvings = int(np.sum(may_halve(image.height, image.width, side)))
            image.draft(mode, (image.width >> halvings, image.height >> halvings))  # of a JPEG; else nothing
            pixels = np.asarray(_opaque(_upright(image)).convert(mode))
    except UnidentifiedImageError:
        known = "JPEG, PNG, GIF, BMP or WebP"
        raise ValueError(f"its format is {_format(file)}, not {known}: convert it to JPEG") from None
    except Exception as error:  # of damaged files Pillow raises nearly everything
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error
    return pixels.reshape(*pixels.shape[:2], channels)


def _upright(image: Image.Image) -> Image.Image:
    """Turn an image as its orientation says; one whose EXIF data make no sense has none."""
    try:
        turn = _TURN.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # of a few bytes of nonsense Pillow raises nearly everything
        turn = None
    return image if turn is None else image.transpose(turn)


def _opaque(image: Image.Image) -> Image.Image:
    """Put an image on white where it is transparent, and make 8 bits of 16, which Pillow only cuts off."""
    if image.mode.startswith("I"):
        deep = np.asarray(image)
        clear = deep == image.info.get("transparency", -1)
        return Image.fromarray(np.where(clear, 255, deep >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    picture = image.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    return white


def _format(contents: bytes) -> str:
    """Name a format that is not read, where somebody may take its files for photographs."""
    brands = contents[8 : int.from_bytes(contents[:4], "big")] if contents[4:8] == b"ftyp" else b""
    if b"avif" in brands or b"avis" in brands:
        return "AVIF"
    if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")):
        return "HEIC"
    if contents[:4] in (b"II*\0", b"MM\0*"):
        return "TIFF"
    return "unknown"

"""From a photograph to a crop: turn it, scale it and cut it so that the eyes lie where training has them.

A point is (x, y) in pixels from the photograph's top left corner, x to the right and y downwards; the middle
of the first pixel is (0.5, 0.5). "Left" and "right" are the reader's, not those of the person in the picture.
"""

from typing import Final, NamedTuple

import numpy as np
from PIL import Image

__all__ = ["EYES", "Eyes", "cut", "similarity"]


class Eyes(NamedTuple):
    """The middles of the two eyes of a face.

    Parameters
    ----------
    left, right : tuple of two float
        (x, y) of the eye that is on the left, and on the right, of the picture.

    Notes
    -----
    Used in lesson 9.1.

    Examples
    --------
    >>> Eyes((30.0, 28.0), (66.0, 28.0)).left
    (30.0, 28.0)
    """

    left: tuple[float, float]
    right: tuple[float, float]


EYES: Final = Eyes((0.306, 0.289), (0.694, 0.289))
"""Where the embedded faces have their eyes, as shares of the crop's side: medians over 800 faces.

The renderer imitates the benchmark's crops and lets them vary as those do. Nine faces in ten have an eye
distance of 0.33 to 0.44, and the line through their eyes is within 6 degrees of level.
"""


def similarity(eyes: Eyes, side: int = 96, margin: float = 0.0) -> np.ndarray:
    """Return the transform from the photograph to a crop in which the eyes lie at ``EYES``.

    Parameters
    ----------
    eyes : Eyes
        In the photograph.
    side : int
        Pixels of the crop's height and width.
    margin : float
        How much more the crop shows on each of its four edges, as a share of the side that it has without;
        above -0.5. A negative margin cuts the face more tightly.

    Returns
    -------
    float64 array, shape (2, 3)
        ``matrix @ (x, y, 1)`` is where the point (x, y) of the photograph lies in the crop. It turns, scales
        evenly and shifts, and nothing else: the two eyes settle these four numbers.

    Raises
    ------
    ValueError
        If the eyes are not two different points, or `side` or `margin` is too small.

    Notes
    -----
    Written with complex numbers, x + iy: a similarity is z → az + b. Built in lesson 9.1.

    Examples
    --------
    >>> matrix = similarity(Eyes((100.0, 200.0), (200.0, 200.0)), 96)
    >>> (matrix @ (100, 200, 1)).round(1).tolist()
    [29.4, 27.7]
    """
    if side < 1 or margin <= -0.5:
        raise ValueError(f"a crop of side {side} and margin {margin}: side is at least 1, margin above -0.5")
    left, right = (complex(*eye) for eye in eyes)
    if not np.isfinite([left, right]).all() or left == right:
        raise ValueError(f"{eyes} are not two points: mark both eyes, in pixels from the top left corner")
    middle = complex(0.5, 0.5)
    to_left, to_right = (side * ((complex(*eye) - middle) / (1 + 2 * margin) + middle) for eye in EYES)
    a = (to_right - to_left) / (right - left)
    b = to_left - a * left
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def cut(picture: Image.Image, eyes: Eyes, side: int = 96, margin: float = 0.0) -> Image.Image:
    """Cut a face from a photograph: turned, scaled and shifted as :func:`similarity` says.

    Parameters
    ----------
    picture : Image
        A photograph of any size, upright.
    eyes, side, margin
        As for :func:`similarity`.

    Returns
    -------
    Image
        `side` × `side` pixels; grey if `picture` is grey (mode "L"), and else RGB. Where the crop reaches
        over the photograph's border, the pixels of the border are repeated.

    Raises
    ------
    ValueError
        As for :func:`similarity`.

    Notes
    -----
    A large face is first averaged over squares of whole pixels, so that none is left out; what remains, a
    factor between 1 and 2, is interpolated linearly. Built in lesson 9.1.
    """
    to_crop = np.vstack([similarity(eyes, side, margin), [0, 0, 1]])
    to_photograph = np.linalg.inv(to_crop)
    corners = to_photograph @ [[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]]
    first, last = np.floor(corners[:2].min(axis=1)) - 2, np.ceil(corners[:2].max(axis=1)) + 2
    area = _area(picture if picture.mode == "L" else picture.convert("RGB"), first, last)
    shrink = max(1, int(np.hypot(*to_photograph[:2, 0])))
    to_area = to_photograph[:2].copy()
    to_area[:, 2] -= first
    return area.reduce(shrink).transform(
        (side, side), Image.Transform.AFFINE, tuple((to_area / shrink).ravel()), Image.Resampling.BILINEAR
    )


def _area(picture: Image.Image, first: np.ndarray, last: np.ndarray) -> Image.Image:
    """Return the pixels from `first` to before `last`, (x, y); those of the border stand for any beyond."""
    columns, rows = (
        np.clip(np.arange(start, end, dtype="int64"), 0, size - 1)
        for start, end, size in zip(first, last, picture.size, strict=True)
    )
    return Image.fromarray(np.asarray(picture)[rows[:, None], columns])

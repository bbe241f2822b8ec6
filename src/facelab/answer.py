"""From a photograph to an answer that its reader may have, or to the reason why there is none.

:func:`answer` is the one call: face, crop, pixels, network, temperature, interval. What it needs besides the
network is measured once, on albums that the network was not trained on, and stands in :class:`Settings`.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from facelab.adience import AGE_GROUPS
from facelab.crop import cut
from facelab.evaluation import temperature_scaling
from facelab.evaluation._checks import as_distributions, refuse_lengths
from facelab.photo import Face
from facelab.pipeline import PixelContract

__all__ = [
    "AGE_LIMITS",
    "NEIGHBOUR",
    "Answer",
    "Settings",
    "age_interval",
    "album_quantile",
    "answer",
    "distance",
    "interval_score",
    "pixels",
]

AGE_LIMITS: Final = (0.0, 3.0, 7.0, 13.5, 22.5, 35.0, 45.5, 56.5, 100.0)
"""Where one age group ends and the next begins, in years: in the middle of each gap between two groups."""

NEIGHBOUR: Final = 10
"""Which of the most similar training faces counts in :func:`distance`: the tenth, so that a single odd
training photograph does not vouch for others like it."""

_SETTINGS: Final = "settings.json"
_FEATURES: Final = "training_features.npy"


@dataclass(frozen=True, eq=False)  # arrays are not equal as a whole
class Settings:
    """What belongs to a network besides its weights, so that its answers mean what they say.

    Parameters
    ----------
    contract : PixelContract
        What its pixels are.
    temperature : float
        What the age head's logits are divided by; see :func:`facelab.evaluation.fit_temperature`.
    coverage : float
        Between 0 and 1: the stated coverage of the age interval.
    level : float
        From :func:`album_quantile` of calibration albums; see :func:`age_interval`.
    features : float array, shape (n, features)
        Of training faces, or of some of them; n is at least ``NEIGHBOUR``. Each row is kept at length 1.
    farthest : float
        The greatest :func:`distance` from `features` at which it answers.
    least_eyes : float
        The least distance between the eyes at which it answers, in pixels of the photograph.
    greatest_turn : float
        The greatest distance of the middle between the eyes from the middle of the face's box, as a share of
        the box's width, at which it answers.
    known_failures : sequence of str
        What is known to go wrong, a sentence each.

    Raises
    ------
    ValueError
        If a number is out of its range, or there are too few features.

    Notes
    -----
    Used in lesson 9.2.
    """

    contract: PixelContract
    temperature: float
    coverage: float
    level: float
    features: np.ndarray
    farthest: float
    least_eyes: float
    greatest_turn: float
    known_failures: Sequence[str]

    def __post_init__(self) -> None:
        numbers = self.temperature, self.farthest, self.least_eyes, self.greatest_turn
        if not all(np.isfinite(number) and number > 0 for number in numbers):
            raise ValueError(
                f"temperature, farthest, least_eyes and greatest_turn are above 0, not {numbers}"
            )
        if not (0 < self.coverage < 1 and 0 <= self.level <= 1):
            raise ValueError(f"coverage and level are shares, not {self.coverage} and {self.level}")
        if self.features.ndim != 2 or len(self.features) < NEIGHBOUR:
            raise ValueError(
                f"features of {NEIGHBOUR} training faces or more are needed, one row each, not an array of "
                f"shape {self.features.shape}"
            )
        # Once, here: for every face again it would take as long as the network.
        object.__setattr__(self, "features", _of_unit_length(self.features))

    def write(self, folder: Path) -> None:
        """Write them into a folder, as ``settings.json`` and ``training_features.npy`` (float16)."""
        said = {name: value for name, value in asdict(self).items() if name != "features"}
        said["contract"] = self.contract._asdict()
        said["known_failures"] = list(self.known_failures)
        said["age_groups"] = list(AGE_GROUPS)
        (folder / _SETTINGS).write_text(
            json.dumps(said, indent=1, ensure_ascii=False, default=float) + "\n", encoding="utf-8"
        )
        np.save(folder / _FEATURES, self.features.astype("float16"))

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        """Read what :meth:`write` wrote."""
        said = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
        if (groups := tuple(said.pop("age_groups"))) != AGE_GROUPS:
            raise ValueError(f"{folder / _SETTINGS} is of a network with other age groups: {groups}")
        said["contract"] = PixelContract(**said["contract"])
        return cls(features=np.load(folder / _FEATURES).astype("float32"), **said)


@dataclass(frozen=True)
class Answer:
    """What is said about one photograph.

    Parameters
    ----------
    why_not : str
        Why there is no answer; empty if there is one.
    groups : tuple of 8 float
        The probability of each of ``adience.AGE_GROUPS``; empty if there is no answer.
    years : tuple of two float
        First and last year of the age interval; empty if there is no answer.
    coverage : float
        The stated coverage of that interval; 0 if there is no answer.
    m : float
        The probability of the label m; NaN if there is no answer.

    Notes
    -----
    Used in lesson 9.2.

    Examples
    --------
    >>> print(Answer("there is no face"))
    I do not answer: there is no face.
    """

    why_not: str = ""
    groups: tuple[float, ...] = ()
    years: tuple[float, ...] = ()
    coverage: float = 0.0
    m: float = float("nan")

    def __str__(self) -> str:
        if self.why_not:
            return f"I do not answer: {self.why_not}."
        order = sorted(zip(self.groups, AGE_GROUPS, strict=True), reverse=True)
        likeliest = ", ".join(f"{group} {share:.0%}" for share, group in order[:3])
        first, last = self.years
        return (
            f"{likeliest}; {math.floor(first)} to {math.ceil(last)} years (coverage {self.coverage:.0%}); "
            f"labelled m {self.m:.0%}"
        )


def pixels(picture: Image.Image, contract: PixelContract) -> np.ndarray:
    """Make of a picture in memory what the pixel contract says.

    Parameters
    ----------
    picture : Image
        Upright. One that is not square is cut to its central square.
    contract : PixelContract
        What the network's pixels are.

    Returns
    -------
    float32 array, shape (1, side, side, channels)
        From 0 (black) to 1 (white): as :func:`facelab.pipeline.batches` gives them of a file, to within 2 of
        255 steps in colour. In grey 8: a JPEG stores its grey, and a picture in memory no longer has it.

    Notes
    -----
    Used in lesson 9.2.

    Examples
    --------
    >>> pixels(Image.new("RGB", (60, 40), "white"), PixelContract(8)).shape
    (1, 8, 8, 1)
    """
    side = min(picture.size)
    left, top = ((length - side) // 2 for length in picture.size)
    square = picture.convert("L" if contract.channels == 1 else "RGB")
    square = square.crop((left, top, left + side, top + side))
    small = square.resize((contract.side, contract.side), Image.Resampling.BILINEAR)  # antialiased
    return np.asarray(small, dtype="float32").reshape(1, contract.side, contract.side, -1) / 255


def distance(features: ArrayLike, training: ArrayLike) -> np.ndarray:
    """Compute how unlike the training faces each face is, in the network's features.

    Parameters
    ----------
    features : float array, shape (n, features)
        Of the faces that are asked about.
    training : float array, shape (m, features)
        Of faces that the network was trained on; m is at least ``NEIGHBOUR``.

    Returns
    -------
    float array, shape (n,)
        1 minus the cosine of the angle to the tenth most similar training face: 0 to 2.

    Raises
    ------
    ValueError
        If there are too few training faces.

    Notes
    -----
    Sun, Ming, Zhu and Li (2022). It sees only what the features keep. Built in lesson 9.2.

    Examples
    --------
    >>> same = np.ones((NEIGHBOUR, 2))
    >>> distance([[1, 1], [1, -1]], same).round(3).tolist()
    [0.0, 1.0]
    """
    ours, theirs = (_of_unit_length(rows) for rows in (features, training))
    if len(theirs) < NEIGHBOUR:
        raise ValueError(f"{NEIGHBOUR} training faces or more are needed, not {len(theirs)}")
    return _distance(ours, theirs)


def interval_score(y_prob: ArrayLike, ages: ArrayLike) -> np.ndarray:
    """Compute the level above which each face's :func:`age_interval` holds its age.

    Parameters
    ----------
    y_prob : float array, shape (n, 8)
        Probabilities of the age groups; rows that sum to 1.
    ages : float array, shape (n,)
        In years.

    Returns
    -------
    float array, shape (n,)
        From 0, for the median of the probabilities, to 1, for an age that they rule out.

    Raises
    ------
    ValueError
        If a row is no distribution, or the lengths differ.

    Notes
    -----
    Twice the distance of F(age) from 1/2, where F is the distribution function: each group's probability is
    spread evenly over its years. Built in lesson 9.2.

    Examples
    --------
    >>> interval_score([[0, 0, 0, 0, 1, 0, 0, 0]], [28.75]).tolist()  # the middle of 22.5 to 35 years
    [0.0]
    """
    reached = _distribution(y_prob)
    refuse_lengths(len(reached), len(years := np.asarray(ages, dtype="float64")))
    at = [np.interp(age, AGE_LIMITS, each) for age, each in zip(years, reached, strict=True)]
    return abs(2 * np.array(at) - 1)


def album_quantile(scores: ArrayLike, albums: ArrayLike, coverage: float) -> float:
    """Find the level that conformal prediction takes from calibration albums.

    Parameters
    ----------
    scores : float array, shape (n,)
        From :func:`interval_score`, of faces whose ages are known, in albums that neither the network nor its
        temperature has met.
    albums : array of str or int, shape (n,)
        Each face's album.
    coverage : float
        Between 0 and 1: how often the interval is to hold the age.

    Returns
    -------
    float
        The least score at or below which at least `coverage` of the weight lies; 1, so that the interval has
        every age, if there are too few albums.

    Raises
    ------
    ValueError
        If there are no faces, the lengths differ, or `coverage` is no share.

    Notes
    -----
    Each of k albums weighs 1 / (k + 1), shared evenly by its faces; the album to come weighs as much, at the
    worst score. If albums are exchangeable, and the faces within each, the interval of a random face of a new
    album holds its age with a probability of at least `coverage` (Lee, Barber and Willett, 2023). That is a
    mean over all sets of calibration albums, over albums and over ages: it need not hold for each age, or for
    each album. Built in lesson 9.2.

    Examples
    --------
    >>> album_quantile([0.1, 0.2, 0.3, 0.4], ["a", "b", "c", "d"], 0.6)
    0.3
    >>> album_quantile([0.1, 0.2, 0.3, 0.4], ["a", "b", "c", "d"], 0.9)
    1.0
    """
    if not 0 < coverage < 1:
        raise ValueError(f"a coverage is between 0 and 1, not {coverage}")
    found = np.asarray(scores, dtype="float64")
    names, album, sizes = np.unique(np.asarray(albums), return_inverse=True, return_counts=True)
    refuse_lengths(len(found), len(album))
    order = np.argsort(found)
    weight = np.cumsum(1 / ((len(names) + 1) * sizes[album[order]]))
    enough = np.flatnonzero(weight >= coverage - 1e-9)
    return float(found[order[enough[0]]]) if len(enough) else 1.0


def age_interval(y_prob: ArrayLike, level: float) -> np.ndarray:
    """Return the ages between two quantiles of the probabilities, as far out on both sides.

    Parameters
    ----------
    y_prob : float array, shape (n, 8)
        Probabilities of the age groups; rows that sum to 1.
    level : float
        In [0, 1]: which share of the probability lies inside.

    Returns
    -------
    float array, shape (n, 2)
        First and last age, in years.

    Raises
    ------
    ValueError
        If a row is no distribution, or `level` is no share.

    Notes
    -----
    The level is not the coverage: conformal prediction finds the level that has the coverage.
    Built in lesson 9.2.

    Examples
    --------
    >>> age_interval([[0, 0, 0, 0, 1, 0, 0, 0]], 0.8).tolist()
    [[23.75, 33.75]]
    """
    if not 0 <= level <= 1:
        raise ValueError(f"a level is a share, not {level}")
    if level == 1:  # every age, also those to which a network gives no probability
        return np.tile([AGE_LIMITS[0], AGE_LIMITS[-1]], (len(_distribution(y_prob)), 1))
    ends = (1 - level) / 2, (1 + level) / 2
    return np.array([np.interp(ends, each, AGE_LIMITS) for each in _distribution(y_prob)])


def answer(
    picture: Image.Image,
    network: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    settings: Settings,
    find: Callable[[Image.Image], Sequence[Face]] | None = None,
) -> Answer:
    """Answer about a photograph, or say why not.

    Parameters
    ----------
    picture : Image
        A photograph, upright; or a crop like those of training, where `find` is not given.
    network : callable
        From pixels to a dict of ``age``, ``gender`` and ``features``, such as :func:`facelab.export.load`
        returns it.
    settings : Settings
        The network's.
    find : callable, optional
        From a photograph to its faces, the largest first, such as :func:`facelab.photo.find_faces`. The
        largest one is cut out and answered about. Without it nobody looks whether there is a face.

    Returns
    -------
    Answer
        It refuses, in this order: no face, a face that is too small, one that is turned away, one that is
        unlike the training data.

    Notes
    -----
    The first reason that holds is given. Built in lesson 9.2, as ``one_call``.
    """
    if find is not None:
        faces = find(picture)
        if not faces:
            return Answer("there is no face")
        left, _, width, _ = faces[0].box
        eyes = faces[0].eyes
        apart = float(np.hypot(*np.subtract(eyes.right, eyes.left)))
        if apart < settings.least_eyes:
            return Answer(f"the face is too small: {apart:.0f} pixels from eye to eye")
        middle = (eyes.left[0] + eyes.right[0]) / 2 - left
        if abs(middle / width - 0.5) > settings.greatest_turn:
            return Answer("the face is turned away")
        picture = cut(picture, eyes)
    said = network(pixels(picture, settings.contract))
    # Not "farther": of a damaged file's network the distance may be nan, which is no number to compare.
    if not _distance(_of_unit_length(said["features"]), settings.features)[0] <= settings.farthest:
        return Answer("it is unlike the training data")
    # Probabilities of 8 bits sum to 1 only roughly.
    groups = said["age"] / said["age"].sum(axis=1, keepdims=True)
    groups = temperature_scaling(groups, settings.temperature)
    years = age_interval(groups, settings.level)[0]
    return Answer(
        "", tuple(groups[0].tolist()), tuple(years.tolist()), settings.coverage, float(said["gender"][0, 0])
    )


def _distribution(y_prob: ArrayLike) -> np.ndarray:
    """Return the distribution function at each of ``AGE_LIMITS``; shape (n, 9)."""
    found = as_distributions(y_prob)
    if found.shape[1] != len(AGE_GROUPS):
        raise ValueError(f"probabilities of the {len(AGE_GROUPS)} age groups are needed, not {found.shape}")
    reached = np.concatenate([np.zeros((len(found), 1)), found.cumsum(axis=1)], axis=1)
    return reached / reached[:, -1:]  # a row's sum differs from 1 by its rounding


def _distance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Compute :func:`distance` of rows whose length is 1."""
    # A matrix product would wake all cores for a single face, and on a busy machine wait for them.
    cosines = np.einsum("nf,mf->nm", ours, theirs)
    return 1 - np.partition(cosines, -NEIGHBOUR, axis=1)[:, -NEIGHBOUR]


def _of_unit_length(rows: ArrayLike) -> np.ndarray:
    """Scale each row to length 1; a row of zeros stays."""
    found = np.asarray(rows, dtype="float32")
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)

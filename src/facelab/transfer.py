"""Transfer learning: networks that begin with what another network has learned.

A backbone is a network without its answer: from images to features. Three sources give one, a network that is
already trained (:func:`cut`), a file that comes with the course (:func:`rendered_backbone`) and Keras's own
collection (:func:`imagenet_backbone`); :func:`transfer_network` puts new heads on any of them.
"""

import contextlib
import io
import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import PositiveInt, TypeAdapter, ValidationError

from facelab import embedded, models
from facelab.backend import keras, layers
from facelab.pipeline import DEFAULT_CONTRACT, PixelContract

__all__ = [
    "FEATURES",
    "FILTERS",
    "IMAGENET_SIDE",
    "BackboneError",
    "cut",
    "imagenet_backbone",
    "rendered_backbone",
    "rendered_record",
    "transfer_network",
]

FEATURES: Final = "global_pool"
"""The layer at which the course's networks are cut: one number for each map of the last stage."""

FILTERS: Final = (32, 64, 128, 192)
"""The maps of the backbone that comes with the course: more of the fine ones than in chapter 4."""

IMAGENET_SIDE: Final = 96
"""Pixels of height and width at which the ImageNet backbone looks: the smallest it was trained for."""


class BackboneError(RuntimeError):
    """A backbone's weights are missing, damaged or cannot be fetched; the message names the remedy."""


@dataclass(frozen=True)
class _Recorded(embedded.ShippedFile):
    """What is recorded of the weights that come with the course."""

    side: PositiveInt
    channels: Literal[1, 3]
    photographs: PositiveInt
    albums: PositiveInt
    people: PositiveInt
    heads: list[str]
    epochs: PositiveInt
    seed: int


_RECORD: Final = TypeAdapter(_Recorded)


def cut(model: keras.Model, layer: str = FEATURES) -> keras.Model:
    """Cut a network off behind a layer: what is left returns features instead of answers.

    Parameters
    ----------
    model : keras.Model
        A functional model, such as :func:`facelab.models.strided_network`.
    layer : str
        The name of the last layer that is kept.

    Returns
    -------
    keras.Model
        From the same images to the output of `layer`. A copy: training it leaves `model` as it is.

    Raises
    ------
    ValueError
        If `model` has no such layer.

    Notes
    -----
    Built in lesson 5.1.

    Examples
    --------
    >>> cut(models.strided_network(DEFAULT_CONTRACT)).output_shape
    (None, 192)
    """
    uncopied = keras.Model(model.inputs[0], model.get_layer(layer).output, name="backbone")
    backbone = keras.models.clone_model(uncopied)
    backbone.set_weights(uncopied.get_weights())
    return backbone


def rendered_backbone(contract: PixelContract = DEFAULT_CONTRACT) -> keras.Model:
    """Load the backbone that comes with the course, trained on rendered faces.

    Parameters
    ----------
    contract : PixelContract
        The side is free, since a convolution does not ask how large a picture is; the channels must be those
        that the weights were trained with.

    Returns
    -------
    keras.Model
        From float32 images in [0, 1], shape (n, side, side, channels), to 192 features, shape (n, 192):
        :func:`facelab.models.strided_network` with ``FILTERS``, without its head.

    Raises
    ------
    BackboneError
        If the weights are missing or are not, to the byte, those of the record.
    ValueError
        If they were trained with another number of channels.

    Notes
    -----
    Trained to tell age, gender and pose of rendered people who are neither in the embedded faces nor in the
    counterfactual sweeps; ``rendered_backbone.json`` records how. Used in lesson 5.1.
    """
    record = _read_record()
    if contract.channels != record.channels:
        raise ValueError(
            f"the rendered backbone sees {record.channels} channels, not {contract.channels}: "
            f"take PixelContract({contract.side}, {record.channels})"
        )
    try:
        weights = embedded.shipped_file(record)
    except embedded.ArchiveError as error:
        raise BackboneError(str(error)) from error
    backbone = cut(models.strided_network(contract, filters=FILTERS))
    backbone.load_weights(weights)
    return backbone


def imagenet_backbone(
    contract: PixelContract = DEFAULT_CONTRACT, weights: str | os.PathLike[str] | None = None
) -> keras.Model:
    """Load MobileNetV2 as trained on ImageNet: a million photographs of things, few of a face alone.

    Parameters
    ----------
    contract : PixelContract
        What its images will be. Inside, they are enlarged to ``IMAGENET_SIDE`` pixels, and a grey one becomes
        three equal channels.
    weights : path-like, optional
        A weight file of ``keras.applications.MobileNetV2`` without its top, for 96 pixels. Otherwise Keras
        downloads it once, 9 MB, and keeps it in its own cache.

    Returns
    -------
    keras.Model
        From float32 images in [0, 1], shape (n, side, side, channels), to 1,280 features, shape (n, 1280).

    Raises
    ------
    BackboneError
        If the file does not hold these weights, or they cannot be downloaded.

    Notes
    -----
    Sandler et al. (2018). Used in lesson 5.1.
    """
    images = keras.Input((contract.side, contract.side, contract.channels), name="images")
    x = layers.Resizing(IMAGENET_SIDE, IMAGENET_SIDE, name="resize")(images)
    if contract.channels == 1:
        x = layers.Concatenate(name="grey_to_colour")([x, x, x])
    x = layers.Rescaling(2.0, -1.0, name="to_minus_one_to_one")(x)
    return _mobilenet(x, weights)


def transfer_network(
    backbone: keras.Model,
    heads: Sequence[str] = ("age",),
    *,
    unfreeze_from: str | None = None,
    batch_norm: bool = False,
) -> keras.Model:
    """Add new heads to a backbone, and set which of its layers are trained.

    Parameters
    ----------
    backbone : keras.Model
        From images to features. It becomes part of the new network: training that one trains this.
    heads : sequence of "gender" and "age"
        What the network is to say; several heads share all but their last layer.
    unfreeze_from : str, optional
        The name of the first layer of `backbone` that is trained, with all behind it. Everything is frozen if
        there is none: only the heads learn.
    batch_norm : bool
        Whether the unfrozen batch normalisations are trained as well, and normalise by the batch while they
        are. Otherwise they keep what they learned, and normalise by their running statistics.

    Returns
    -------
    keras.Model
        From what `backbone` takes to what :func:`facelab.models.strided_network` gives. Not compiled.

    Raises
    ------
    ValueError
        If a head is unknown or named twice, there is none, or `backbone` has no layer `unfreeze_from`.

    Notes
    -----
    Built in lesson 5.1.

    Examples
    --------
    >>> network = transfer_network(cut(models.strided_network(DEFAULT_CONTRACT)), ("gender",))
    >>> sum(weight.shape.num_elements() for weight in network.trainable_weights)
    193
    """
    unfrozen = unfreeze_from is None
    if unfreeze_from is not None:
        backbone.get_layer(unfreeze_from)  # says which layers there are if this is none
    backbone.trainable = unfreeze_from is not None
    for layer in backbone.layers:
        unfrozen = unfrozen or layer.name == unfreeze_from
        is_norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = unfreeze_from is not None and unfrozen and (batch_norm or not is_norm)
    images = keras.Input(backbone.input_shape[1:], name="images")
    x = layers.Dropout(0.3, name="dropout")(backbone(images))
    return keras.Model(images, models.add_heads(x, heads), name="transfer_network")


def _mobilenet(x: keras.KerasTensor, weights: str | os.PathLike[str] | None) -> keras.Model:
    """Build MobileNetV2 without its top on prepared images, with ImageNet's weights."""

    def build(weights: str | None) -> keras.Model:
        return keras.applications.MobileNetV2(
            input_shape=(IMAGENET_SIDE, IMAGENET_SIDE, 3),  # which of the weight files to download
            input_tensor=x,
            include_top=False,
            pooling="avg",
            weights=weights,
            name="imagenet_backbone",
        )

    if weights is None:
        try:
            # Keras announces a download by printing, also one that then fails.
            with contextlib.redirect_stdout(io.StringIO()):
                return build("imagenet")
        except Exception as error:  # Keras raises a bare Exception where a download fails
            raise BackboneError(
                f"ImageNet's weights cannot be downloaded ({error}). Connect this machine to the internet, "
                "or fetch MobileNetV2's file without top, for 96 pixels, elsewhere and name it as weights"
            ) from error
    weights = Path(weights).expanduser()
    if not weights.is_file():
        raise BackboneError(f"there is no weight file {weights}: give its path, or nothing to download it")
    network = build(None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras only warns of a file that lacks some of the weights
            network.load_weights(weights)
    except Exception as error:  # Keras, h5py and zipfile raise a dozen kinds over a file that is another's
        raise BackboneError(
            f"{weights} does not hold MobileNetV2's weights without its top ({error})"
        ) from error
    return network


def rendered_record() -> dict[str, Any]:
    """Read what is recorded of the weights that come with the course.

    Returns
    -------
    dict
        ``file``, ``sha256`` and ``bytes`` of the weights; ``side`` and ``channels`` of the images that they
        were trained on; ``photographs``, ``albums`` and ``people`` that were rendered for it; ``heads``,
        ``epochs`` and ``seed`` of the training.

    Raises
    ------
    BackboneError
        If it cannot be read, or a part is missing or impossible.

    Notes
    -----
    Used in lesson 5.1.
    """
    return asdict(_read_record())


def _read_record() -> _Recorded:
    """Read and check what is recorded of the weights that come with the course."""
    path = embedded.ARCHIVES / "rendered_backbone.json"
    try:
        return _RECORD.validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        why = f"{where}: {fault['msg']}" if where else fault["msg"]
        raise BackboneError(f"{path} cannot be read ({why}): install facelab again") from error
    except OSError as error:
        raise BackboneError(f"{path} cannot be read ({error}): install facelab again") from error

"""From the table of photographs to batches of pixels and targets, for a network to learn from.

:func:`photographs` reads, :func:`augment` varies, and :func:`batches` and :class:`TrainingBatches` put it all
together. What the pixels
are is written down once, as a :class:`PixelContract`, for training and for every later use of the network.
"""

from facelab.pipeline._augmentation import augment, change_contrast, erase, flip, move
from facelab.pipeline._batches import Target, TrainingBatches, batches
from facelab.pipeline._reading import DEFAULT_CONTRACT, PixelContract, photographs, unreadable
from facelab.pipeline._targets import age_target, gender_target, soft_age_target

__all__ = [
    "DEFAULT_CONTRACT",
    "PixelContract",
    "Target",
    "TrainingBatches",
    "age_target",
    "augment",
    "batches",
    "change_contrast",
    "erase",
    "flip",
    "gender_target",
    "move",
    "photographs",
    "soft_age_target",
    "unreadable",
]

"""What scores refuse: labels that are none, rows that are no distribution, arrays of other lengths."""

import numpy as np
from numpy.typing import ArrayLike


def as_labels(*arrays: ArrayLike, num_classes: int | None = None) -> list[np.ndarray]:
    """Return labels as wide integers, whose difference cannot wrap around; refuse what is no label."""
    found = [np.asarray(array) for array in arrays]
    refuse_unlike(*found)
    for array in found:
        if array.dtype.kind not in "iub":
            raise ValueError(
                f"labels must be whole numbers, not {array.dtype}: decide first, for example by argmax"
            )
        if array.min() < 0:
            raise ValueError(
                f"there is a label {array.min()}, which pandas writes for a missing one: leave such faces out"
            )
        if num_classes is not None and array.max() >= num_classes:
            raise ValueError(
                f"there is a label {array.max()}, but only {num_classes} labels, numbered from 0"
            )
    return [array.astype("int64") for array in found]


def refuse_unlike(*arrays: np.ndarray) -> None:
    """Raise unless the arrays are one-dimensional, equally long and not empty."""
    if any(array.ndim != 1 for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"one label a face is needed, in an array of shape (n,), not {shapes}")
    refuse_lengths(*(len(array) for array in arrays))


def refuse_lengths(*lengths: int) -> None:
    """Raise unless all lengths are the same, and not 0."""
    if len(set(lengths)) > 1:
        raise ValueError(f"the arrays must have one entry a face each, but have {lengths} entries")
    if not lengths[0]:
        raise ValueError("there are no faces to score")


def as_distributions(y_prob: ArrayLike) -> np.ndarray:
    """Return probabilities as an array of wide floats; refuse rows that are no distribution."""
    found = np.asarray(y_prob, dtype="float64")
    if found.ndim != 2 or not found.size:
        raise ValueError(f"probabilities must have the shape (faces, groups), not {found.shape}")
    if not (found >= 0).all() or not np.allclose(found.sum(axis=1), 1, atol=1e-3):
        raise ValueError("every row of probabilities must be positive and sum to 1: is the softmax missing?")
    return found


def as_labelled(y_true: ArrayLike, y_prob: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities that belong together."""
    found = as_distributions(y_prob)
    (labels,) = as_labels(y_true, num_classes=found.shape[1])
    refuse_lengths(len(labels), len(found))
    return labels, found

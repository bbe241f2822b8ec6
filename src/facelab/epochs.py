"""Which epoch of a training is the best: one rule for keeping its weights and for marking it in a figure."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["best_epoch"]


def best_epoch(values: ArrayLike, monitor: str) -> int:
    """Return the place of the best epoch, counted from 0; of equally good ones the first.

    Parameters
    ----------
    values : float array, shape (epochs,)
        What an epoch is judged by, one value an epoch.
    monitor : str
        The name of these values, as Keras names losses and metrics. If it ends in ``accuracy`` or ``auc``,
        the greatest value is the best, otherwise the least.

    Returns
    -------
    int
        Its row in the history.

    Raises
    ------
    ValueError
        If there is no epoch.

    Notes
    -----
    Used by facelab.training.

    Examples
    --------
    >>> best_epoch([0.9, 0.6, 0.7], "val_loss"), best_epoch([0.5, 0.7, 0.7], "val_accuracy")
    (1, 1)
    """
    more_is_better = monitor.endswith(("accuracy", "auc"))
    return int(np.argmax(values) if more_is_better else np.argmin(values))

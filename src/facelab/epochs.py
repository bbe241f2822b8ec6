"""Which epoch of a training is the best: one rule for keeping its weights and for marking it in a figure."""

import re
from collections.abc import Iterable
from typing import Final, Literal

import numpy as np

__all__ = ["Mode", "best_epoch", "better"]

Mode = Literal["max", "min"]
"""Whether the greatest value is the best or the least."""

_ENDINGS: Final[dict[Mode, str]] = {
    "max": "accuracy acc auc precision recall sensitivity specificity f1 f1_score fbeta_score io_u iou "
    "r2_score pearson_correlation concordance_correlation cosine_similarity true_positives true_negatives",
    "min": "loss error crossentropy hinge kl_divergence kldivergence logcosh log_cosh poisson "
    "false_positives false_negatives mae mse mape msle rmse bce kld",
}
"""What the names of Keras's losses and metrics end in, and their short forms."""


_TURNED: Final = {"neg", "negative", "minus", "inverse"}
"""Words that turn the score named behind them upside down."""


def better(monitor: str) -> Mode | None:
    """Return which values of a loss or a metric are better, as far as its name tells.

    Parameters
    ----------
    monitor : str
        A name as Keras gives it: in capitals or not, with ``val_`` or the name of an output before it, and
        with the number behind it by which Keras tells two of a name apart.

    Returns
    -------
    {"max", "min"} or None
        "max" for scores, "min" for losses and errors, None for a name that is not Keras's.

    Notes
    -----
    Used by facelab.training.

    Examples
    --------
    >>> better("val_auc_1"), better("val_gender_loss"), better("val_accuracy_gap")
    ('max', 'min', None)
    """
    name = re.sub(r"_\d+$", "", monitor.lower())
    for mode, endings in _ENDINGS.items():
        if f"_{name}".endswith(tuple(f"_{ending}" for ending in endings.split())):
            return None if _TURNED & set(name.split("_")) else mode
    return None


def best_epoch(values: Iterable[float], monitor: str, mode: Mode | None = None) -> int:
    """Return the place of the best epoch, counted from 0; of equally good ones the first.

    Parameters
    ----------
    values : float array, shape (epochs,)
        What an epoch is judged by, one value an epoch. One that is no number is never the best.
    monitor : str
        The name of these values, as Keras names losses and metrics.
    mode : {"max", "min"}, optional
        Whether the greatest value is the best or the least. Without it the name tells: see :func:`better`.

    Returns
    -------
    int
        Its row in the history.

    Raises
    ------
    ValueError
        If there is no epoch with a number, or an epoch has several; or the name does not tell which values
        are better and there is no `mode`.

    Notes
    -----
    Used by facelab.training.

    Examples
    --------
    >>> best_epoch([0.9, 0.6, 0.7], "val_loss"), best_epoch([0.5, 0.7, 0.7], "val_accuracy")
    (1, 1)
    """
    if mode not in ("max", "min", None):
        raise ValueError(f"mode is 'max' or 'min', not {mode!r}")
    mode = mode or better(monitor)
    if mode is None:
        raise ValueError(
            f"the name {monitor!r} does not tell whether more or less of it is better: "
            "say mode='max' or mode='min'"
        )
    numbers = np.array(list(values), dtype=float)
    if numbers.ndim != 1:
        raise ValueError(f"{monitor} has several values an epoch: one is needed to tell which is best")
    if np.isnan(numbers).all():
        raise ValueError(f"{monitor} is empty: without an epoch that has a number there is no best one")
    return int(np.nanargmax(numbers) if mode == "max" else np.nanargmin(numbers))

"""How right a network is, for whom, and how sure of that we may be.

A score takes the true and the predicted labels of some faces, as whole numbers, and returns one number
(:func:`accuracy`). An interval says how far to trust it (:func:`album_bootstrap`), or, over several
trainings, how far to trust the way they were trained (:func:`seeds_and_albums`). Slices ask for whom it holds
(:func:`by_slice`, :func:`gaps`), calibration whether a probability means what it says
(:func:`expected_calibration_error`), and a threshold when not to answer (:func:`abstention_threshold`).
Nothing here loads TensorFlow before :func:`predict` needs it.
"""

from facelab.evaluation._bootstrap import (
    N_RESAMPLES,
    Interval,
    album_bootstrap,
    effective_albums,
    mean_effect,
    paired_album_bootstrap,
    paired_seeds_and_albums,
    seeds_and_albums,
)
from facelab.evaluation._calibration import (
    album_effect,
    calibrated_scores,
    calibration_curve,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    risk_coverage,
    temperature_scaling,
)
from facelab.evaluation._metrics import (
    Metric,
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    mae_in_groups,
    one_off_accuracy,
    recall_by_group,
)
from facelab.evaluation._predictions import decide, expected_group, predict
from facelab.evaluation._slices import FEW_EFFECTIVE_ALBUMS, by_slice, gaps, why_no_interval
from facelab.evaluation._thresholds import (
    abstention_threshold,
    area_under_risk_coverage,
    area_under_roc,
    average_precision,
)
from facelab.evaluation._years import (
    MIDDLE_AGES,
    cumulative_score,
    expected_age,
    mae_in_years,
    years_outside,
)

__all__ = [
    "FEW_EFFECTIVE_ALBUMS",
    "MIDDLE_AGES",
    "N_RESAMPLES",
    "Interval",
    "Metric",
    "abstention_threshold",
    "accuracy",
    "album_bootstrap",
    "album_effect",
    "area_under_risk_coverage",
    "area_under_roc",
    "average_precision",
    "balanced_accuracy",
    "by_slice",
    "calibrated_scores",
    "calibration_curve",
    "confusion_matrix",
    "cumulative_score",
    "decide",
    "effective_albums",
    "expected_age",
    "expected_calibration_error",
    "expected_group",
    "fit_temperature",
    "gaps",
    "log_loss",
    "mae_in_groups",
    "mae_in_years",
    "mean_effect",
    "one_off_accuracy",
    "paired_album_bootstrap",
    "paired_seeds_and_albums",
    "predict",
    "recall_by_group",
    "risk_coverage",
    "seeds_and_albums",
    "temperature_scaling",
    "why_no_interval",
    "years_outside",
]

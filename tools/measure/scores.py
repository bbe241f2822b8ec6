"""Scores with intervals that resample albums, since photographs of one album are not independent."""

from collections.abc import Callable

import numpy as np
import pandas as pd

RESAMPLES = 1000
Statistic = Callable[[np.ndarray], np.ndarray]


def album_weights(albums: pd.Series, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """Count how often each photograph is drawn when whole albums are drawn with replacement.

    Parameters
    ----------
    albums : Series, length n
        Album of each photograph.
    seed, resamples : int

    Returns
    -------
    float array, shape (1 + resamples, n)
        The first row is all ones: the sample itself.
    """
    codes, names = pd.factorize(albums)
    draws = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=resamples
    )
    return np.vstack([np.ones(len(codes)), draws[:, codes]])


def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of ``values``, shape (n,), under each row of ``weights``, shape (r, n); shape (r,)."""
    return weights @ np.asarray(values, float) / weights.sum(axis=1)


def correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Correlate ``x`` and ``y``, shape (n,), under each row of ``weights``, shape (r, n); shape (r,)."""
    x, y = np.asarray(x, float) - np.mean(x), np.asarray(y, float) - np.mean(y)
    mean_x, mean_y = mean(x, weights), mean(y, weights)
    covariance = mean(x * y, weights) - mean_x * mean_y
    with np.errstate(invalid="ignore", divide="ignore"):
        return covariance / np.sqrt((mean(x * x, weights) - mean_x**2) * (mean(y * y, weights) - mean_y**2))


def balanced(correct: np.ndarray, classes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over the classes of the share that is correct, under each row of ``weights``; shape (r,)."""
    recalls = []
    for label in np.unique(classes):
        of_class = weights[:, classes == label]
        with np.errstate(invalid="ignore", divide="ignore"):
            recalls.append(of_class @ np.asarray(correct, float)[classes == label] / of_class.sum(axis=1))
    return np.nanmean(recalls, axis=0)


def with_interval(resampled: np.ndarray) -> dict[str, float]:
    """Score and its 95 % interval, from the sample's own value followed by those of the resamples."""
    low, high = np.nanquantile(resampled[1:], [0.025, 0.975])
    return {
        "value": round(float(resampled[0]), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def task_scores(
    weights: np.ndarray,
    male: np.ndarray | None,
    says_male: np.ndarray | None,
    group: np.ndarray,
    says_group: np.ndarray,
) -> dict[str, dict[str, float]]:
    """Score gender and age, each with its interval; gender is left out where it was not predicted."""
    distance = np.abs(np.asarray(group) - np.asarray(says_group))
    found = {
        "age_exact": with_interval(mean(distance == 0, weights)),
        "age_one_off": with_interval(mean(distance <= 1, weights)),
        "age_balanced": with_interval(balanced(distance == 0, np.asarray(group), weights)),
    }
    if male is not None and says_male is not None:
        found = {"gender": with_interval(mean(np.asarray(male) == np.asarray(says_male), weights))} | found
    return found


def majority_baselines(
    train_male: np.ndarray, train_group: np.ndarray, male: np.ndarray, group: np.ndarray
) -> dict[str, float]:
    """Score the most frequent training class, and for 1-off the group that is best in training."""
    shares = np.bincount(train_group, minlength=8) / len(train_group)
    # A group and its neighbours; of equals the one that is itself more frequent.
    guess = int(np.argmax(np.convolve(shares, [1, 1 + 1e-6, 1], mode="same")))
    return {
        "gender": round(float(np.mean(male == (np.mean(train_male) >= 0.5))), 4),
        "age_exact": round(float(np.mean(group == shares.argmax())), 4),
        "age_one_off": round(float(np.mean(np.abs(group - guess) <= 1)), 4),
    }


def line(name: str, score: dict[str, float]) -> str:
    """One score as a line of text."""
    return f"  {name:<18} {score['value']:.3f}  ({score['low']:.3f} to {score['high']:.3f})"

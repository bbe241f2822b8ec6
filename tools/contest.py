"""Compare ordinal heads and losses as a fair contest: one network, the same seeds, albums and budget.

``python -m tools.contest [DATA_DIR] [--seeds 3] [--epochs 15] [--photographs N] [--fold 4] [--test]``

Without DATA_DIR, it is of the embedded faces. Scored are the validation albums that go with a fold; with
``--test`` the same networks are asked about the fold itself, which should be done once, when all is chosen.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from facelab import adience, backend, embedded, evaluation, models, ordinal, pipeline, results, training
from facelab.backend import keras, tf
from tools import command, fingerprint
from tools.measure import photographs, real

tf.get_logger().setLevel("ERROR")  # retracing is expected: many networks are trained in one process

CONTRACT = pipeline.DEFAULT_CONTRACT
# Which albums validate, and which photographs a short run takes: the same for all, and those of chapter 4.
SPLIT_SEED = 1
# As in chapter 4.
LEARNING_RATE, WEIGHT_DECAY = 2e-3, 0.02


class Method(NamedTuple):
    """One way to estimate an age group."""

    target: Callable[[pd.DataFrame], np.ndarray]
    """From a table to what the network is to answer."""
    loss: Any
    """What :meth:`keras.Model.compile` takes as a loss."""
    head: Callable[[keras.KerasTensor], keras.KerasTensor] = partial(models.add_heads, heads=("age",))
    """From features to what the network returns."""
    probabilities: Callable[[np.ndarray], np.ndarray] = np.asarray
    """From what the network returns to the probabilities of the eight groups, shape (n, 8)."""


ONE_HOT = partial(pipeline.soft_age_target, neighbour=0)
BASELINE = "cross-entropy"
METHODS = {
    BASELINE: Method(ONE_HOT, "categorical_crossentropy"),
    "label smoothing": Method(ordinal.smoothed_age_target, "categorical_crossentropy"),
    "soft labels": Method(pipeline.soft_age_target, "categorical_crossentropy"),
    "CORAL": Method(ordinal.age_levels, ordinal.coral_loss, ordinal.coral_head, ordinal.level_probabilities),
    "regression": Method(
        ordinal.group_number, "mean_squared_error", ordinal.regression_head, ordinal.place_probabilities
    ),
    "mean-variance": Method(ONE_HOT, ordinal.mean_variance_loss),
}

# What is scored: of which answer, against which truth, how. Each error has the answer that is made for it.
GROUP_SCORES: dict[str, tuple[str, str, evaluation.Metric]] = {
    "exact": ("most likely group", "group", evaluation.accuracy),
    "1-off": ("most likely group", "group", evaluation.one_off_accuracy),
    "balanced": ("most likely group", "group", evaluation.balanced_accuracy),
    "MAE in groups": ("expected group", "group", evaluation.mae_in_groups),
}
# Where a renderer knows the ages, and where nobody does.
YEAR_SCORES: dict[str, tuple[str, str, evaluation.Metric]] = {
    "MAE in years": ("expected age", "years", evaluation.mae_in_years),
    "cumulative score, 5 years": ("expected age", "years", partial(evaluation.cumulative_score, k=5)),
}
OUTSIDE_SCORES: dict[str, tuple[str, str, evaluation.Metric]] = {
    "years outside the group": ("expected age", "group", evaluation.years_outside),
}
# The others are shares.
ERRORS = ("MAE in groups", "MAE in years", "years outside the group")


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Train every method with every seed, print the scores and write them as one record."""
    parser = argparse.ArgumentParser(prog="python -m tools.contest", description=__doc__.split("\n")[0])
    parser.add_argument("data_dir", type=Path, nargs="?", help="default: the embedded faces")
    photographs.add_labels(parser)
    parser.add_argument("--seeds", type=int, default=3, help="how many trainings a method has (default: 3)")
    parser.add_argument("--epochs", type=int, default=15, help="of each training (default: 15)")
    parser.add_argument("--photographs", type=int, help="to train on, drawn at random (default: all)")
    parser.add_argument("--fold", type=int, choices=adience.FOLDS, default=4, help="the test fold")
    parser.add_argument("--test", action="store_true", help="score on the test fold, once")
    options = parser.parse_args(arguments)
    if options.seeds < 3:
        raise ValueError(f"an interval over seeds needs three trainings or more, not {options.seeds}")
    data_dir = options.data_dir or embedded.data_dir()
    split: Literal["test", "validation"] = "test" if options.test else "validation"
    table = adience.usable(adience.read_folds(data_dir), ("age_group", "path"))
    parts = adience.split(table, options.fold, SPLIT_SEED)
    train = photographs.sample(parts.train, options.photographs, SPLIT_SEED)
    asked = parts.test if options.test else parts.validation

    print(f"{data_dir.resolve().name}: {split} for fold {options.fold}, {options.seeds} seeds")
    real.show_parts(train, asked)
    images = pipeline.batches(asked, data_dir, pipeline.age_target(asked), CONTRACT)
    seeds, code = list(range(1, options.seeds + 1)), digest()
    said: dict[str, np.ndarray] = {}
    seconds = 0.0
    for name, method in METHODS.items():
        of_seeds = []
        for seed in seeds:
            run = f"{data_dir.resolve().name}-fold-{options.fold}-{len(train)}-photographs"
            folder = real.FOLDER / "contest" / code / f"{run}-{options.epochs}-epochs-{name}-seed-{seed}"
            model, history = trained(method, train, data_dir, seed=seed, epochs=options.epochs, folder=folder)
            of_seeds.append(method.probabilities(np.asarray(evaluation.predict(model, images))))
            seconds += history["seconds"].sum()
            print(f"  {name}, seed {seed}: {history['seconds'].sum():.0f} s", flush=True)
        said[name] = np.stack(of_seeds)
    scores = score(asked, said, truths(asked, data_dir), split=split, fold=options.fold)
    for title, found in scores.items():
        real.show(title, found)
    real.record(
        f"contest_{split}",
        data_dir,
        options.labels,
        rule="strict",
        parameters={
            "seed": seeds[0],
            "seeds": seeds,
            "fold": options.fold,
            "epochs": options.epochs,
            "photographs": len(train),
        },
        scores=scores,
        seconds=seconds,
    )


def digest() -> str:
    """Return a digest of the code that trains: a checkpoint of other code is not used."""
    code = fingerprint.imported_by("facelab.training", "facelab.models", "facelab.ordinal")
    return fingerprint.of_contents([*code, Path(__file__).resolve()])[:12]


def trained(
    method: Method, table: pd.DataFrame, data_dir: Path, *, seed: int, epochs: int, folder: Path
) -> tuple[keras.Model, pd.DataFrame]:
    """Train the strided network with a method; no epoch is chosen, so the last one counts.

    Parameters
    ----------
    method : Method
    table : DataFrame
        The photographs to train on, with their age groups.
    data_dir : Path
        Where their paths start.
    seed : int
        Of weights, order and augmentation. For all methods it gives the same weights below the head, and the
        same batches.
    epochs : int
    folder : Path
        For the checkpoint of this run and no other.

    Returns
    -------
    keras.Model, DataFrame
        The history has a row an epoch.
    """
    backend.set_seed(seed)
    model = ordinal.with_head(models.strided_network(CONTRACT), method.head)
    target = method.target(table)
    batches = pipeline.TrainingBatches(table, data_dir, target, CONTRACT, augmented=True, seed=seed)
    learning_rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * len(batches))
    model.compile(keras.optimizers.AdamW(learning_rate, weight_decay=WEIGHT_DECAY), method.loss)
    return model, training.fit(model, batches, epochs=epochs, folder=folder)


def truths(table: pd.DataFrame, data_dir: Path) -> dict[str, np.ndarray]:
    """Return what is true of photographs, shape (n,): ``group`` and, if a renderer knows them, ``years``."""
    known = {"group": pipeline.age_target(table).astype("int64")}
    if photographs.are_rendered(data_dir):
        known["years"] = embedded.true_ages(table, data_dir)
    return known


def score(
    table: pd.DataFrame,
    said: dict[str, np.ndarray],
    true: dict[str, np.ndarray],
    *,
    split: Literal["test", "validation"],
    fold: int,
) -> dict[str, list[results.Score]]:
    """Score methods, and how each differs from cross-entropy; with intervals over seeds and albums.

    Parameters
    ----------
    table : DataFrame
        The n photographs that were asked about.
    said : dict of float arrays, shape (seeds, n, 8)
        Each method's probabilities, cross-entropy's among them.
    true : dict
        From :func:`truths`.
    split : {"test", "validation"}
    fold : int

    Returns
    -------
    dict of list of Score
        Each method's, then each method's differences. A difference above 0 is good for a share, and bad for
        an error.
    """
    wanted = GROUP_SCORES | (YEAR_SCORES if "years" in true else OUTSIDE_SCORES)
    albums = table["user_id"].to_numpy()
    answers = {name: answered(probabilities) for name, probabilities in said.items()}

    def scored(name: str, against: str | None) -> list[results.Score]:
        found = []
        for what, (answer, truth, metric) in wanted.items():
            title, mine = what, answers[name][answer]
            if against:
                title, theirs = f"difference, {what}", answers[against][answer]
                interval = evaluation.paired_seeds_and_albums(
                    metric, true[truth], theirs, mine, albums, seed=0
                )
            else:
                interval = evaluation.seeds_and_albums(metric, true[truth], mine, albums, seed=0)
                # It lies evenly about the mean, so it may hold what no score can be.
                most = np.inf if what in ERRORS else 1.0
                interval = interval._replace(low=max(interval.low, 0.0), high=min(interval.high, most))
            found.append(results.Score.over(title, interval, albums, split, [fold]))
        return found

    scores = {name: scored(name, None) for name in said}
    others = [name for name in said if name != BASELINE]
    return scores | {f"{name} minus {BASELINE}": scored(name, BASELINE) for name in others}


def answered(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Turn probabilities, shape (seeds, n, 8), into each kind of answer, shape (seeds, n)."""
    how: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "most likely group": evaluation.decide,
        "expected group": evaluation.expected_group,
        "expected age": evaluation.expected_age,
    }
    return {name: np.stack([answer(one) for one in probabilities]) for name, answer in how.items()}


if __name__ == "__main__":
    sys.exit(main())

"""Measure what the course's networks make of real photographs: train on four folds, test on the fifth.

``python -m tools.measure.real DATA_DIR [--networks NAME …] [--folds 4] [--seed 0] [--epochs N] [--choose]``

``--folds all`` tests on each of the five folds once.
"""

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from facelab import adience, backend, evaluation, models, pipeline, results, training
from facelab.backend import keras, tf
from tools import command
from tools.measure import photographs
from tools.recipe import LOSSES

tf.get_logger().setLevel("ERROR")  # retracing is expected: several networks are trained in one process

CONTRACT = pipeline.PixelContract(side=48, channels=1)
# Checkpoints and the record. A measurement that was killed goes on; a finished one is only scored again.
FOLDER = Path("_build/measure")
# Down and right, in pixels. Strides make an answer depend a little on where the face begins.
SHIFTS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
# What is scored, and of which answer.
METRICS: dict[str, tuple[str, evaluation.Metric]] = {
    "gender": ("gender", evaluation.accuracy),
    "age exact": ("age", evaluation.accuracy),
    "age 1-off": ("age", evaluation.one_off_accuracy),
    "age, years outside the group": ("years", evaluation.years_outside),
}


class Recipe(NamedTuple):
    """How one network is built, trained and asked."""

    build: Callable[[], keras.Model]
    heads: tuple[str, ...]
    epochs: int
    """Chosen on validation photographs; there is no early stopping."""
    learning_rate: float
    """The greatest learning rate, from which it falls to 0 with a cosine."""
    weight_decay: float = 0.0
    neighbour: float = 0.0
    """Share of an age target that goes to each neighbouring group."""
    augmented: bool = False
    views: bool = False
    """Whether to ask about each photograph ten times: shifted by ``SHIFTS``, each time in the mirror too."""
    contract: pipeline.PixelContract = CONTRACT
    """The pixels that the network sees."""
    ema: float = 0.0
    """Momentum of the moving average of the weights that is kept in the end; 0: the last weights are kept."""


RECIPES = {
    # As published; trained on hard targets and on photographs as they are.
    "gender_cnn": Recipe(models.gender_cnn, ("gender",), epochs=10, learning_rate=5e-4),
    "age_network": Recipe(models.age_network, ("age",), epochs=30, learning_rate=1e-3),
    # With what paid on validation photographs.
    "strided_network": Recipe(
        lambda: models.strided_network(CONTRACT, ("gender", "age")),
        ("gender", "age"),
        epochs=40,
        learning_rate=2e-3,
        weight_decay=0.02,
        neighbour=0.15,
        augmented=True,
        views=True,
    ),
}


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Train and score the networks, print their scores and write them as one record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--folds", nargs="+", default=["4"], help="the folds to test on, each once, or all")
    parser.add_argument("--networks", nargs="+", choices=RECIPES, default=list(RECIPES), metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="for every network, instead of its own number")
    options = parser.parse_args(arguments)
    folds = chosen_folds(options.folds)
    recipes = {name: RECIPES[name] for name in options.networks}
    if options.epochs is not None:
        recipes = {name: recipe._replace(epochs=options.epochs) for name, recipe in recipes.items()}

    data_set = options.data_dir.resolve().name
    tables: list[pd.DataFrame] = []
    said: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in ("majority", *recipes)}
    seconds = 0.0
    for fold in folds:
        split, train, asked = parts(options, fold, options.seed)
        print(f"{data_set}: nearest age groups, {split} for fold {fold}, seed {options.seed}")
        show_parts(train, asked)
        tables.append(asked)
        said["majority"].append(decided(majority(train, len(asked))))
        for name, recipe in recipes.items():
            run = f"{data_set}-{split}-{fold}-seed-{options.seed}-{name}-{recipe.epochs}-epochs"
            model, history = trained(recipe, train, options.data_dir, seed=options.seed, folder=FOLDER / run)
            said[name].append(decided(ask(model, recipe, asked, options.data_dir)))
            seconds += history["seconds"].sum()
            print(f"{name}: {training_summary(model, history)}", flush=True)
    scores = {}
    for name, answers in said.items():
        scores[name] = over_folds(tables, answers, split=split, folds=folds, seed=options.seed)
        show(name, scores[name])
        if len(folds) > 1:  # the benchmark's custom is mean and standard deviation of the folds' scores
            for fold, table, answer in zip(folds, tables, answers, strict=True):
                found = score(table, answer, split=split, folds=[fold], seed=options.seed)
                scores[f"{name}, fold {fold}"] = found
    record(
        f"real_{split}" if folds == [4] else f"real_{split}_folds_{''.join(map(str, folds))}",
        options.data_dir,
        options.labels,
        parameters={
            "seed": options.seed,
            "folds": folds,
            "epochs": {name: recipe.epochs for name, recipe in recipes.items()},
        },
        scores=scores,
        seconds=seconds,
    )


def chosen_folds(given: list[str]) -> list[int]:
    """Read which folds are to be tested on: some of the five, in their order, or all.

    Raises
    ------
    ValueError
        If one of them is no fold, or is named twice.
    """
    if given == ["all"]:
        return list(adience.FOLDS)
    folds = [fold for fold in adience.FOLDS if str(fold) in given]
    if len(folds) != len(given):
        raise ValueError(
            f"--folds takes all, or some of {list(adience.FOLDS)}, each once, not {' '.join(given)}"
        )
    return folds


def over_folds(
    tables: list[pd.DataFrame],
    answers: list[dict[str, np.ndarray]],
    *,
    split: Any,
    folds: list[int],
    seed: int,
) -> list[results.Score]:
    """Score the answers of several folds together, as :func:`score` does those of one."""
    together = {head: np.concatenate([answer[head] for answer in answers]) for head in answers[0]}
    return score(pd.concat(tables), together, split=split, folds=folds, seed=seed)


def record(
    name: str,
    data_dir: Path,
    labels: str | None,
    *,
    parameters: dict[str, Any],
    rule: photographs.Rule = photographs.RULE,
    **what: Any,
) -> None:
    """Write what a tool measured into ``FOLDER``, and print where.

    Parameters
    ----------
    name : str
        The record's.
    data_dir : Path
    labels : str or None
        Who made the labels.
    parameters : dict
        What the scores depend on; where photographs and labels come from joins it.
    rule : {"nearest", "strict"}
        By which the ages were read.
    **what
        ``scores`` and ``seconds``, as for :func:`facelab.results.write`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", adience.DataSetWarning)  # the tool has shown them
        everything = adience.read_folds(data_dir)
    parameters = parameters | photographs.provenance(data_dir, labels, rule, everything)
    if photographs.are_rendered(data_dir):
        name = f"{name}_renders"  # it must not take the place of what was measured on photographs
    path = results.write(
        name, data_dir=data_dir, table=everything, folder=FOLDER, parameters=parameters, **what
    )
    print(f"\nrecord: {path}")


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add what says on which photographs to train and to score."""
    parser.add_argument("data_dir", type=Path, help="folder in the Adience layout")
    photographs.add_labels(parser)
    parser.add_argument(
        "--choose",
        action="store_true",
        help="leave the test fold alone: score on validation albums set aside from the others",
    )


def parts(
    options: argparse.Namespace, fold: int, seed: int, limit: int | None = None
) -> tuple[Literal["test", "validation"], pd.DataFrame, pd.DataFrame]:
    """Return the name of the split, the photographs to train on and those to score on.

    With `limit`, of a random sample of so many photographs.

    Raises
    ------
    facelab.adience.DataSetError
        If the folder is no data set or cannot be divided.
    """
    table = photographs.sample(photographs.read_photographs(options.data_dir), limit, seed)
    train, validation, test = adience.split(table, fold, seed)
    if options.choose:
        return "validation", train, validation
    # No epoch is chosen here, so there is no need to set photographs aside.
    return "test", pd.concat([train, validation]).sort_index(), test


def trained(
    recipe: Recipe, table: pd.DataFrame, data_dir: Path, *, seed: int, folder: Path, y: Any = None
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a network on all photographs of a table.

    Parameters
    ----------
    recipe : Recipe
    table : DataFrame
        With both labels.
    data_dir : Path
        Where its paths start.
    seed : int
        Of weights, order and augmentation.
    folder : Path
        For the checkpoint of this run and no other.
    y : dict of arrays, optional
        Targets instead of those of :func:`targets`.

    Returns
    -------
    keras.Model, DataFrame
        The history has a row an epoch.
    """
    backend.set_seed(seed)
    model = recipe.build()
    batches = pipeline.TrainingBatches(
        table,
        data_dir,
        targets(recipe, table) if y is None else y,
        recipe.contract,
        augmented=recipe.augmented,
        seed=seed,
    )
    steps = recipe.epochs * len(batches)
    learning_rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    how: dict[str, Any] = {"learning_rate": learning_rate, "weight_decay": recipe.weight_decay}
    optimizer = Averaging(recipe.ema, **how) if recipe.ema else keras.optimizers.AdamW(**how)
    model.compile(optimizer, only_or_all({head: LOSSES[head] for head in recipe.heads}))
    history = training.fit(model, batches, epochs=recipe.epochs, folder=folder)
    if isinstance(optimizer, Averaging):
        optimizer.put_mean_into(model)
        normalise_anew(model, batches)
    return model, history


class Averaging(keras.optimizers.AdamW):
    """AdamW that keeps a moving average of the weights beside them, until it is asked for.

    Keras's own would put it in their place at the end of each ``fit``, which here is each epoch: training
    would go on from the average, and fall behind.
    """

    def __init__(self, momentum: float, **how: Any):
        super().__init__(use_ema=True, ema_momentum=momentum, **how)

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Leave the weights as they are."""

    def put_mean_into(self, model: keras.Model) -> None:
        """Replace the model's weights by their average."""
        super().finalize_variable_values(model.trainable_variables)


def normalise_anew(model: keras.Model, batches: pipeline.TrainingBatches) -> None:
    """Let batch normalisation run over an epoch: its statistics were those of other weights.

    Izmailov et al. (2018), section 3.2. Weights that are trained stay as they are.
    """
    for images, *_ in batches.epoch(0):
        model(images, training=True)


def targets(recipe: Recipe, table: pd.DataFrame) -> Any:
    """Return the targets that a recipe asks for: an array, or for two heads a dict of arrays."""
    every = {
        "gender": pipeline.gender_target(table),
        "age": pipeline.soft_age_target(table, recipe.neighbour),
    }
    return only_or_all({head: every[head] for head in recipe.heads})


def only_or_all(by_head: dict[str, Any]) -> Any:
    """Return the one value for a network with one head, the dict of them for one with more."""
    return by_head if len(by_head) > 1 else next(iter(by_head.values()))


def ask(model: keras.Model, recipe: Recipe, table: pd.DataFrame, data_dir: Path) -> dict[str, np.ndarray]:
    """Ask a network about the photographs of a table.

    Returns
    -------
    dict of float arrays
        ``gender``, the probability of m, shape (n, 1); ``age``, those of the groups, shape (n, 8); or one of
        them.
    """
    images = pipeline.batches(table, data_dir, targets(recipe, table), recipe.contract)
    shifts = SHIFTS if recipe.views else SHIFTS[:1]
    answers = [
        evaluation.predict(
            model, images.map(lambda batch, _, by=by: shifted(batch, by)), test_time_augmentation=recipe.views
        )
        for by in shifts
    ]
    by_head = [answer if isinstance(answer, dict) else {recipe.heads[0]: answer} for answer in answers]
    return {head: np.mean([answer[head] for answer in by_head], axis=0) for head in recipe.heads}


def shifted(images: tf.Tensor, by: tuple[int, int]) -> tf.Tensor:
    """Shift a batch down and right by at most a pixel each; the edge is repeated."""
    (down, right), side = by, images.shape[1]
    padded = tf.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), "SYMMETRIC")
    return padded[:, 1 - down : 1 - down + side, 1 - right : 1 - right + side]


def majority(train: pd.DataFrame, number: int) -> dict[str, np.ndarray]:
    """Answer as :func:`ask` does, for every photograph with the shares of the labels in training."""
    shares = {
        "gender": np.array([np.mean(train["gender"] == "m")]),
        "age": train["age_group"].value_counts(normalize=True, sort=False).to_numpy(),
    }
    return {head: np.tile(share, (number, 1)) for head, share in shares.items()}


def score(
    table: pd.DataFrame, y_pred: dict[str, np.ndarray], *, split: Any, folds: list[int], seed: int
) -> list[results.Score]:
    """Score predicted labels of the photographs of a table, with intervals.

    Parameters
    ----------
    table : DataFrame
        n rows.
    y_pred : dict of arrays
        From :func:`decided`.
    split : {"test", "validation"}
    folds : list of int
        Those of the photographs.
    seed : int

    Returns
    -------
    list of Score
        Those of ``METRICS`` of what was predicted.
    """
    y_true, albums = labels(table), table["user_id"]
    return [
        results.Score.over(
            name,
            evaluation.album_bootstrap(metric, y_true[head], y_pred[head], albums, seed=seed),
            albums,
            split,
            folds,
        )
        for name, (head, metric) in METRICS.items()
        if head in y_pred
    ]


def labels(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return what answers are compared with: labels as whole numbers, a key an answer, each of shape (n,)."""
    groups = table["age_group"].cat.codes.to_numpy("int64")
    return {"gender": table["gender"].cat.codes.to_numpy("int64"), "age": groups, "years": groups}


def decided(said: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turn probabilities, as :func:`ask` gives them, into labels and ages in years, each of shape (n,)."""
    answers = {}
    if "gender" in said:
        answers["gender"] = (said["gender"][:, 0] >= 0.5).astype("int64")
    if "age" in said:
        answers |= {"age": evaluation.decide(said["age"]), "years": evaluation.expected_age(said["age"])}
    return answers


def show_parts(train: pd.DataFrame, asked: pd.DataFrame) -> None:
    """Print how many photographs and albums there are to train on and to score on."""
    for what, table in (("trained on", train), ("scored on", asked)):
        print(f"{what:<10}{len(table):>6} photographs of {table['user_id'].nunique()} albums")


def training_summary(model: keras.Model, history: pd.DataFrame) -> str:
    """Return in words how large a network is and how long it was trained."""
    minutes = history["seconds"].sum() / 60
    return f"{model.count_params():,} weights, {len(history)} epochs, {minutes:.1f} minutes"


def show(title: str, scores: list[results.Score]) -> None:
    """Print scores, a line each."""
    print(f"\n{title}")
    width = max(len(one.name) for one in scores)
    for one in scores:
        print(f"  {one.name:<{width}} {one.interval}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Measure whether anything makes the network of chapter 5 better on real photographs, within the same budget.

``python -m tools.measure.further DATA_DIR [--ways NAME …] [--fold 4] [--seeds 0 1 2] [--choose]``

Choose with ``--choose``, on validation albums; the test fold is for the winner, once.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from facelab import adience
from tools import command
from tools.measure import pretraining, real

BASE = pretraining.RECIPE._replace(build=pretraining.from_renders, epochs=40)
TEACHERS_SHARE = 0.5  # of a target; the rest is the label's


class Way(NamedTuple):
    """A recipe, and whether its targets are in part what teachers say."""

    recipe: real.Recipe
    taught: bool = False


WAYS = {
    "chapter 5": Way(BASE),
    # Polyak and Juditsky (1992): the mean of the weights strays less than the weights.
    "mean weights": Way(BASE._replace(ema=0.998)),
    "twice as long": Way(BASE._replace(epochs=80)),
    # Hinton, Vinyals and Dean (2015). A teacher that has not seen a photograph may correct its label.
    "taught": Way(BASE, taught=True),
    "taught, mean weights": Way(BASE._replace(ema=0.998), taught=True),
    "taught, mean weights, twice as long": Way(BASE._replace(ema=0.998, epochs=80), taught=True),
}


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Train in every way from every seed, print scores and gains and write them as one record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    real.add_data_options(parser)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="NAME")
    parser.add_argument("--fold", type=int, choices=adience.FOLDS, default=4, help="the fold to test on")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args(arguments)
    pretraining.refuse_few(options.seeds)
    split, train, asked = real.parts(options, options.fold, seed=0)
    runs = f"further-{options.data_dir.resolve().name}-{split}-{options.fold}"
    print(f"{split} for fold {options.fold}", flush=True)
    real.show_parts(train, asked)
    seconds = 0.0
    taught = None
    said: dict[str, list[dict[str, np.ndarray]]] = {}
    for name in dict.fromkeys([next(iter(WAYS)), *options.ways]):  # gains are over the first
        way, said[name] = WAYS[name], []
        if way.taught and taught is None:
            taught, took = targets_by_teachers(train, options.data_dir, runs)
            seconds += took
        for seed in options.seeds:
            model, history = real.trained(
                way.recipe,
                train,
                options.data_dir,
                seed=seed,
                folder=real.FOLDER / f"{runs}-seed-{seed}-{name.replace(', ', '-').replace(' ', '-')}",
                y=taught if way.taught else None,
            )
            seconds += history["seconds"].sum()
            said[name].append(real.decided(real.ask(model, way.recipe, asked, options.data_dir)))
            print(f"  {name}, seed {seed}: {real.training_summary(model, history)}", flush=True)
    base, *others = said
    how = {"split": split, "fold": options.fold}
    scores = {name: pretraining.score(asked, answers, **how) for name, answers in said.items()}
    for name in others:
        scores[f"{name}, gain"] = pretraining.score(asked, said[name], said[base], **how)
    for name, found in scores.items():
        real.show(name, found)
    real.record(
        f"further_{split}",
        options.data_dir,
        options.labels,
        parameters={"seed": options.seeds[0], "seeds": options.seeds, "fold": options.fold},
        scores=scores,
        seconds=seconds,
    )


def targets_by_teachers(
    train: pd.DataFrame, data_dir: Path, runs: str
) -> tuple[dict[str, np.ndarray], float]:
    """Mix each photograph's target with what a network says that was trained on the other folds.

    Parameters
    ----------
    train : DataFrame
        n photographs of two folds or more.
    data_dir : Path
        Where its paths start.
    runs : str
        What the names of the teachers' folders begin with.

    Returns
    -------
    dict of arrays, float
        The targets of both heads, in the order of `train`, as from :func:`tools.measure.real.targets`; and
        how many seconds the teachers' training took.
    """
    mixed = {head: y.copy() for head, y in real.targets(BASE, train).items()}
    seconds = 0.0
    for fold in sorted(set(train["fold"])):
        here = (train["fold"] == fold).to_numpy()
        folder = real.FOLDER / f"{runs}-teacher-of-fold-{fold}"
        teacher, history = real.trained(BASE, train[~here], data_dir, seed=0, folder=folder)
        seconds += history["seconds"].sum()
        for head, said in real.ask(teacher, BASE, train[here], data_dir).items():
            mixed[head][here] = (1 - TEACHERS_SHARE) * mixed[head][here] + TEACHERS_SHARE * said
        print(f"  teacher of fold {fold}: {real.training_summary(teacher, history)}", flush=True)
    return mixed, seconds


if __name__ == "__main__":
    sys.exit(main())

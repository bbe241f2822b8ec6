"""Measure whether pretraining on rendered faces helps on real photographs.

``python -m tools.measure.pretraining DATA_DIR [--fold 4] [--seeds 0 1 2] [--shares 0.05 0.25 1] [--choose]``

One network, one budget, two beginnings: random weights, or the backbone that comes with the course. Beside
them, on the same photographs in the same run, two networks that others pretrained on many more.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facelab import adience, evaluation, models, results, transfer
from facelab.backend import keras
from tools import command
from tools.measure import judge, real
from tools.pretrain import CONTRACT

# A few photographs are seen more often than many, and still in fewer batches altogether.
EPOCHS = {0.05: 160, 0.25: 80, 1.0: 40}


def from_renders() -> keras.Model:
    """Build the strided network on the shipped backbone, all of it unfrozen."""
    return transfer.transfer_network(
        transfer.rendered_backbone(CONTRACT), models.HEADS, unfreeze_from="stem", batch_norm=True
    )


BEGINNINGS = {
    "random weights": lambda: models.strided_network(CONTRACT, models.HEADS, transfer.FILTERS),
    "rendered backbone": from_renders,
}
RECIPE = real.RECIPES["strided_network"]._replace(contract=CONTRACT)
# What is scored, of which head's answers, and of whom: of the gender of small children a face shows little.
SCORES: dict[str, tuple[str, evaluation.Metric, tuple[str, ...]]] = {
    **{name: (*how, adience.AGE_GROUPS) for name, how in real.METRICS.items()},
    "gender up to (8, 12)": (*real.METRICS["gender"], adience.AGE_GROUPS[:3]),
    "gender from (15, 20)": (*real.METRICS["gender"], adience.AGE_GROUPS[3:]),
}


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Train and score every beginning, share and seed; print the scores and write them as one record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    real.add_data_options(parser)
    parser.add_argument("--fold", type=int, choices=adience.FOLDS, default=4, help="the fold to test on")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--shares", type=float, nargs="+", choices=EPOCHS, default=list(EPOCHS))
    options = parser.parse_args(arguments)
    refuse_few(options.seeds)
    split, train, asked = real.parts(options, options.fold, seed=0)

    data_set = options.data_dir.resolve().name
    print(f"{data_set}: {split} for fold {options.fold}, {len(asked)} photographs; seeds {options.seeds}")

    def scored(title: str, answers: list[dict[str, np.ndarray]]) -> list[results.Score]:
        found = score(asked, answers, split=split, fold=options.fold)
        real.show(title, found)
        return found

    y_true = real.labels(asked)
    scores: dict[str, list[results.Score]] = {}
    seconds = 0.0
    for share in options.shares:
        said: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in BEGINNINGS}
        for seed in options.seeds:
            part = share_of_albums(train, share, seed)
            for name, build in BEGINNINGS.items():
                recipe = RECIPE._replace(build=build, epochs=EPOCHS[share])
                run = f"{data_set}-{split}-{options.fold}-seed-{seed}-{share:g}-{name.replace(' ', '-')}"
                model, history = real.trained(
                    recipe, part, options.data_dir, seed=seed, folder=real.FOLDER / run
                )
                seconds += history["seconds"].sum()
                answer = real.decided(real.ask(model, recipe, asked, options.data_dir))
                said[name].append(answer)
                right = {head: float(np.mean(answer[head] == y_true[head])) for head in models.HEADS}
                print(
                    f"  {share:.0%}, seed {seed}, {name}: {right}, {history['seconds'].sum():.0f} s",
                    flush=True,
                )
        for name, answers in said.items():
            title = f"{share:.0%}, {name}"
            scores[title] = scored(f"{title}: {len(part)} photographs, mean of {len(answers)} seeds", answers)
        title = f"{share:.0%}, gain"
        scores[title] = score(asked, *reversed(said.values()), split=split, fold=options.fold)
        real.show(f"{title} of the rendered backbone", scores[title])
    for name, answer in judges(asked, options.data_dir).items():
        scores[name] = scored(f"{name}, pretrained by others", [answer])
    real.record(
        f"pretraining_{split}",
        options.data_dir,
        options.labels,
        parameters={"seed": options.seeds[0], "seeds": options.seeds, "fold": options.fold},
        scores=scores,
        seconds=seconds,
    )


def refuse_few(seeds: list[int]) -> None:
    """Refuse fewer than three seeds before anything is trained: a gain has to hold for others, too."""
    if len(seeds) < 3:
        raise ValueError(f"--seeds takes three or more, since a gain has to hold for others: {seeds}")


def share_of_albums(train: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Draw a share of the albums of a table; the same for every beginning, another for each seed."""
    albums = np.sort(train["user_id"].unique())
    order = np.random.default_rng(seed).permutation(len(albums))
    return train[train["user_id"].isin(albums[order[: max(2, round(share * len(albums)))]])]


def score(
    table: pd.DataFrame,
    answers: list[dict[str, np.ndarray]],
    ahead_of: list[dict[str, np.ndarray]] | None = None,
    *,
    split: Any,
    fold: int,
) -> list[results.Score]:
    """Score one answer, or the mean of several seeds, or how far that is ahead of the mean of others.

    Parameters
    ----------
    table : DataFrame
        The n photographs that were asked about. The intervals draw their albums.
    answers, ahead_of : list of dict
        From :func:`tools.measure.real.decided`, one a seed.
    split : {"test", "validation"}
    fold : int

    Returns
    -------
    list of Score
        Those of ``SCORES``, each of the photographs in its age groups. Intervals are over seeds and albums,
        that of a single answer over albums alone. A part without two albums has none.

    Raises
    ------
    ValueError
        If all photographs are of one album, or there are two answers, too few for an interval.
    """
    found = []
    for name, (head, metric, groups) in SCORES.items():
        here = table["age_group"].isin(groups).to_numpy()
        if not here.all() and table["user_id"][here].nunique() < 2:
            continue  # of a part of one album there is no interval; of a whole table of one, an error says so
        part = table[here]
        y_true, albums = real.labels(part)[head], part["user_id"].to_numpy()
        runs, others = ([answer[head][here] for answer in those or []] for those in (answers, ahead_of))
        if others:
            interval = evaluation.paired_seeds_and_albums(metric, y_true, others, runs, albums, seed=0)
        elif len(runs) > 1:
            interval = evaluation.seeds_and_albums(metric, y_true, runs, albums, seed=0)
        else:
            interval = evaluation.album_bootstrap(metric, y_true, runs[0], albums, seed=0)
        found.append(results.Score.over(name, interval, albums, split, [fold]))
    return found


def judges(table: pd.DataFrame, data_dir: Path) -> dict[str, dict[str, np.ndarray]]:
    """Ask two networks that others pretrained; nobody where Node.js is not installed, and it is said."""
    try:
        answers = judge.predictions(table, data_dir)
    except FileNotFoundError as error:
        print(f"\nthe networks of others are left out: {error}")
        return {}
    return {name: judge.decided(answer) for name, answer in answers.items()}


if __name__ == "__main__":
    sys.exit(main())

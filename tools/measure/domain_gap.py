"""Measure the domain gap: train a network on renders alone, test it on renders and on real photographs.

``python -m tools.measure.domain_gap RENDERS_DIR REAL_DIR [--side 48] [--colour] [--epochs 11] [--seed S]
[--averages FILE.png]``
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from facelab import adience, models, pipeline, results
from tools import command
from tools.measure import photographs, real

RENDERED_FOLD = 4  # the renders that the network does not meet in training


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Train on the first folder, test on both, print the scores and write them as one record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("renders_dir", type=Path, help="folder in the Adience layout")
    parser.add_argument("real_dir", type=Path, help="another one, with photographs")
    photographs.add_labels(parser)
    parser.add_argument("--side", type=int, default=48, help="pixels of height and width")
    parser.add_argument("--colour", action="store_true", help="train on colour instead of grey")
    parser.add_argument("--epochs", type=int, default=11)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--averages", type=Path, help="where to draw average faces; never in the repository")
    options = parser.parse_args(arguments)
    renders = photographs.read_photographs(options.renders_dir)
    others = photographs.read_photographs(options.real_dir)
    train, validation, at_home = adience.split(renders, RENDERED_FOLD, options.seed)
    if options.averages:
        write_averages(options.averages, {options.renders_dir: renders, options.real_dir: others})
    train = pd.concat([train, validation]).sort_index()  # no epoch is chosen here
    real.show_parts(train, at_home)

    contract = pipeline.PixelContract(options.side, 3 if options.colour else 1)
    recipe = real.RECIPES["strided_network"]._replace(
        build=lambda: models.strided_network(contract, models.HEADS), contract=contract, epochs=options.epochs
    )
    data_set = options.renders_dir.resolve().name
    run = f"domain-gap-{data_set}-{contract.side}-{contract.channels}-seed-{options.seed}"
    folder = real.FOLDER / f"{run}-{recipe.epochs}-epochs"
    model, history = real.trained(recipe, train, options.renders_dir, seed=options.seed, folder=folder)
    print(real.training_summary(model, history))

    scores: dict[str, list[results.Score]] = {}

    def score(title: str, table: pd.DataFrame, y_pred: dict[str, np.ndarray]) -> None:
        folds = sorted(set(table["fold"]))
        scores[title] = real.score(table, y_pred, split="test", folds=folds, seed=options.seed)
        real.show(f"{title}: {len(table)} photographs", scores[title])

    shares = real.majority(train, 1)["age"]
    places = {
        "renders": (photographs.with_true_labels(at_home), options.renders_dir),
        "photographs": (others, options.real_dir),
    }
    for title, (table, data_dir) in places.items():
        y_prob = real.ask(model, recipe, table, data_dir)
        y_pred = real.decided(y_prob)
        score(f"{title}, majority", table, real.decided(real.majority(train, len(table))))
        score(title, table, y_pred)
        score(f"{title}, no prior", table, real.decided({"age": without_prior(y_prob["age"], shares)}))
        grown = (table["age_group"] >= "(15, 20)").to_numpy()
        for part, here in (("up to (8, 12)", ~grown), ("from (15, 20)", grown)):
            score(f"{title} {part}", table[here], {"gender": y_pred["gender"][here]})
        print(f"\n{what_is_read(table, y_pred).round(2).to_string()}")
    real.record(
        "domain_gap",
        options.real_dir,
        options.labels,
        parameters={
            "seed": options.seed,
            "renders": data_set,
            "trained_on": len(train),
            "epochs": recipe.epochs,
            "side": contract.side,
            "channels": contract.channels,
        },
        scores=scores,
        seconds=history["seconds"].sum(),
    )


def without_prior(y_prob: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return what a network would say of ages if it did not expect those of its training.

    Parameters
    ----------
    y_prob : float array, shape (n, 8)
    shares : float array, shape (1, 8)
        Of the age groups in training, all above 0.

    Returns
    -------
    float array, shape (n, 8)
        Rows sum to 1.
    """
    evidence = y_prob / shares
    return evidence / evidence.sum(axis=1, keepdims=True)


def what_is_read(table: pd.DataFrame, y_pred: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the share read as m, and as each age group, for each age group and gender."""
    ages = {f"→ {group}": y_pred["age"] == index for index, group in enumerate(adience.AGE_GROUPS)}
    return photographs.by_group(table, {"read as m": y_pred["gender"]} | ages)


def write_averages(file: Path, tables: dict[Path, pd.DataFrame]) -> None:
    """Draw the average photograph of each age group: a row for each folder."""
    contract = pipeline.PixelContract(96, 3)
    rows = []
    for data_dir, table in tables.items():
        averages = []
        for group in adience.AGE_GROUPS:
            some = table[table["age_group"] == group].head(300)
            images = list(pipeline.photographs(some, data_dir, contract).as_numpy_iterator())
            averages.append(np.mean(images, axis=0).astype("uint8"))
        rows.append(np.hstack(averages))
    Image.fromarray(np.vstack(rows)).resize((8 * 192, len(rows) * 192)).save(file)


if __name__ == "__main__":
    sys.exit(main())

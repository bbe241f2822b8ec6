"""Measure how hard a data set is: train on folds 0 to 3, test on fold 4, with much and with little to see.

``python -m tools.measure.difficulty DATA_DIR [--limit N] [--seed S] [--json FILE]``
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from tools.measure import networks, scores
from tools.measure.photographs import read_photographs, read_pixels, sample

SIDE = 48
TEST_FOLD = 4
# Batches of 64; 500 are four epochs of 8,000 photographs.
STEPS = {
    "published gender network": 500,
    "yardstick network": 1200,
    "linear on pixels": 3000,
    "a part alone": 500,
}
# Ellipses round the face (brows to chin) and the head (with hair): middle, half axes; shares of the side.
FACE = (0.5, 0.56, 0.34, 0.42)
HEAD = (0.5, 0.5, 0.5, 0.56)
# What names or restates the truth instead of causing what is seen.
NOT_A_CAUSE = "path|album|subject|fold|identity|family|seed|label|group|gender|age|masculin"
CAUSES = "one cause alone"


def ellipse(side: int, shape: tuple[float, float, float, float]) -> np.ndarray:
    """Mark the pixels within an ellipse; bool array, shape (side, side)."""
    x, y, half_width, half_height = shape
    at = (np.arange(side) + 0.5) / side
    return ((at[None, :] - x) / half_width) ** 2 + ((at[:, None] - y) / half_height) ** 2 <= 1


def masks(side: int) -> dict[str, np.ndarray]:
    """What is left to see in each trial; bool arrays, shape (side, side)."""
    face, head = ellipse(side, FACE), ellipse(side, HEAD)
    return {"face alone": face, "hair and outline alone": head & ~face, "background alone": ~head}


def cells(values: pd.Series, bins: int = 8) -> pd.Series:
    """Put the values of one cause into categories: as they are, or in bins where there are many numbers."""
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > bins:
        return pd.qcut(values.astype(float), bins, labels=False, duplicates="drop").fillna(-1)
    return values.astype(str)


def cause_alone(cause: pd.Series, train: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Predict a label from a single cause: the most frequent label of its category in training.

    Parameters
    ----------
    cause : Series, length n
    train : bool array, shape (n,)
        Which rows to learn from.
    target : int array, shape (n,)

    Returns
    -------
    int array, shape (number of rows not in ``train``,)
    """
    category = cells(cause).to_numpy()
    counts = pd.crosstab(category[train], target[train])
    fallback = np.bincount(target[train]).argmax()
    return pd.Series(category[~train]).map(counts.idxmax(axis=1)).fillna(fallback).to_numpy(int)


def causes_alone(table: pd.DataFrame, train: np.ndarray, weights: np.ndarray) -> dict:
    """Score every cause in ``factors.csv`` as the sole predictor of both labels."""
    male, group = (table["label_gender"] == "m").to_numpy(int), table["label_group"].to_numpy()
    found = {}
    for name in table.columns[~table.columns.str.contains(NOT_A_CAUSE)]:
        says_male, says_group = (cause_alone(table[name], train, target) for target in (male, group))
        found[name] = scores.task_scores(weights, male[~train], says_male, group[~train], says_group)
    return found


def trained(
    name: str, model: keras.Model, pixels: np.ndarray, table: pd.DataFrame, train: np.ndarray, **how: Any
) -> dict:
    """Train a network on the training rows; give its predictions on the others, and the time it took."""
    start = time.monotonic()
    male, group = (table["label_gender"] == "m").to_numpy(), table["label_group"].to_numpy()
    networks.train(model, pixels[train], male[train], group[train], **how)
    said = networks.predict(model, pixels[~train])
    print(f"{name}: {model.count_params()} weights, {time.monotonic() - start:.0f} s", flush=True)
    return said


def measure(table: pd.DataFrame, seed: int) -> dict:
    """Train and test everything; see the module for what."""
    pixels = read_pixels(table["path"].tolist(), SIDE, grey=True)
    train = (table["fold"] != TEST_FOLD).to_numpy()
    male, group = (table["label_gender"] == "m").to_numpy(), table["label_group"].to_numpy()
    weights = scores.album_weights(table["album"][~train], seed)

    def scored(said: dict[str, np.ndarray]) -> dict:
        says_male = said["gender"] >= 0.5
        if "age" not in said:
            return {"gender": scores.with_interval(scores.mean(male[~train] == says_male, weights))}
        return scores.task_scores(weights, male[~train], says_male, group[~train], said["age"].argmax(axis=1))

    found: dict = {}
    name = "published gender network"
    keras.utils.set_random_seed(seed)
    said = trained(name, networks.published_gender(), pixels, table, train, steps=STEPS[name], rate=5e-4)
    found[name] = scored(said)
    name = "yardstick network"
    said = trained(name, networks.yardstick(SIDE, 1), pixels, table, train, steps=STEPS[name])
    found[name] = scored(said)
    name = "linear on pixels"
    said = trained(
        name, networks.linear(SIDE, 1), pixels, table, train, steps=STEPS[name], rate=5e-4, augment=False
    )
    found[name] = scored(said)
    for part, mask in masks(SIDE).items():
        seen = np.where(mask[None, :, :, None], pixels, np.uint8(128))
        model = networks.yardstick(SIDE, 1)
        said = trained(part, model, seen, table, train, steps=STEPS["a part alone"])
        found[part] = scored(said)
    return {
        "photographs": {"train": int(train.sum()), "test": int((~train).sum())},
        "albums": {"train": table["album"][train].nunique(), "test": table["album"][~train].nunique()},
        "majority": scores.majority_baselines(male[train], group[train], male[~train], group[~train]),
        "trained": found,
        CAUSES: causes_alone(table, train, weights),
    }


def show(results: dict) -> None:
    """Print the results as text."""
    n, albums, majority = results["photographs"], results["albums"], results["majority"]
    print(f"\ntrained on {n['train']} photographs of {albums['train']} albums")
    print(f"tested on {n['test']} of {albums['test']}; 95 % intervals by album")
    print(f"majority: {majority}")
    for title, found in results["trained"].items():
        print(f"\n{title}")
        for name, score in found.items():
            print(scores.line(name, score))
    causes = {
        cause: {name: score["value"] for name, score in found.items()}
        for cause, found in results[CAUSES].items()
    }
    if causes:
        print(f"\n{CAUSES}\n{pd.DataFrame(causes).T.sort_values('gender', ascending=False).to_string()}")


def main() -> None:
    """Measure the difficulty of a data set, print the scores and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="folder in the Adience layout")
    parser.add_argument("--limit", type=int, help="use a random sample of this many photographs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write the results")
    options = parser.parse_args()
    start = time.monotonic()
    results = measure(sample(read_photographs(options.data_dir), options.limit, options.seed), options.seed)
    results["seconds"] = round(time.monotonic() - start, 1)
    show(results)
    print(f"\n{results['seconds']} s")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Measure how hard a data set is: train on four folds, test on the fifth, with much and with little to see.

``python -m tools.measure.difficulty DATA_DIR [--limit N] [--fold 4] [--seed S] [--choose]``
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from facelab import adience, models, pipeline, results
from facelab.backend import keras, layers
from tools import command
from tools.measure import real

# Ellipses round the face (brows to chin) and the head (with hair): middle, half axes; shares of the side.
FACE = (0.5, 0.56, 0.34, 0.42)
HEAD = (0.5, 0.5, 0.5, 0.56)
# What names or restates the truth instead of causing what is seen.
NOT_A_CAUSE = "path|user|face_id|original|fold|identity|family|label|group|gender|age|masculin"


def linear() -> keras.Model:
    """Build logistic regression on pixels, standardised as in the strided network, for both heads."""
    images = keras.Input((real.CONTRACT.side, real.CONTRACT.side, real.CONTRACT.channels))
    x = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False)(images)
    return keras.Model(images, models.add_heads(layers.Flatten()(x), models.HEADS), name="linear")


STRIDED = real.RECIPES["strided_network"]
# Fewer epochs than the course's: how hard it is shows early. A part alone is read by the strided network.
RECIPES = {
    "linear on pixels": STRIDED._replace(build=linear, epochs=40, learning_rate=5e-4, augmented=False),
    "gender_cnn": real.RECIPES["gender_cnn"],
    "strided_network": STRIDED._replace(epochs=16),
}
PART_EPOCHS = 8


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Train and score everything, print the scores and write them as one record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    real.add_data_options(parser)
    parser.add_argument("--fold", type=int, choices=adience.FOLDS, default=4, help="the fold to test on")
    parser.add_argument("--limit", type=int, help="use a random sample of this many photographs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    split, train, asked = real.parts(options, options.fold, options.seed, options.limit)
    real.show_parts(train, asked)

    def scored(y_pred: dict[str, np.ndarray]) -> list[results.Score]:
        return real.score(asked, y_pred, split=split, folds=[options.fold], seed=options.seed)

    scores = {"majority": scored(real.decided(real.majority(train, len(asked))))}
    real.show("majority of the training labels", scores["majority"])
    data_set = options.data_dir.resolve().name
    run = f"difficulty-{data_set}-{len(train)}-{split}-{options.fold}-seed-{options.seed}"
    seconds = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for name, (recipe, mask) in trials().items():
            data_dir = options.data_dir
            if mask is not None:
                data_dir = Path(scratch) / name
                write_part(pd.concat([train, asked]), options.data_dir, mask, data_dir)
            folder = real.FOLDER / f"{run}-{name.replace(' ', '-')}-{recipe.epochs}-epochs"
            model, history = real.trained(recipe, train, data_dir, seed=options.seed, folder=folder)
            scores[name] = scored(real.decided(real.ask(model, recipe, asked, data_dir)))
            seconds += history["seconds"].sum()
            real.show(f"{name}: {real.training_summary(model, history)}", scores[name])
    alone = {cause: scored(y_pred) for cause, y_pred in causes_alone(train, asked).items()}
    if alone:
        estimates = {cause: {one.name: one.estimate for one in found} for cause, found in alone.items()}
        ranking = pd.DataFrame(estimates).T.sort_values("gender", ascending=False)
        print(f"\none cause alone\n{ranking.round(3).to_string()}")
    real.record(
        f"difficulty_{split}",
        options.data_dir,
        options.labels,
        parameters={"seed": options.seed, "fold": options.fold, "limit": options.limit},
        # Not "background alone": the trial that sees nothing else is called so.
        scores=scores | {f"cause {cause} alone": found for cause, found in alone.items()},
        seconds=seconds,
    )


def ellipse(side: int, shape: tuple[float, float, float, float]) -> np.ndarray:
    """Mark the pixels within an ellipse; bool array, shape (side, side)."""
    x, y, half_width, half_height = shape
    at = (np.arange(side) + 0.5) / side
    return ((at[None, :] - x) / half_width) ** 2 + ((at[:, None] - y) / half_height) ** 2 <= 1


def masks(side: int) -> dict[str, np.ndarray]:
    """Return what is left to see in each trial; bool arrays, shape (side, side)."""
    face, head = ellipse(side, FACE), ellipse(side, HEAD)
    return {"face alone": face, "hair and outline alone": head & ~face, "background alone": ~head}


def trials() -> dict[str, tuple[real.Recipe, np.ndarray | None]]:
    """Return what is trained: each recipe, and the mask of what it sees; None where it sees everything."""
    part = RECIPES["strided_network"]._replace(epochs=PART_EPOCHS)
    return {name: (recipe, None) for name, recipe in RECIPES.items()} | {
        name: (part, mask) for name, mask in masks(real.CONTRACT.side).items()
    }


def write_part(table: pd.DataFrame, data_dir: Path, mask: np.ndarray, folder: Path) -> None:
    """Write the photographs of a table into a folder, with one grey in place of all but a part.

    So the part is cut out before augmentation moves anything, and training reads it as it reads any data set.
    """
    images = pipeline.photographs(table, data_dir, real.CONTRACT).as_numpy_iterator()
    for path, image in zip(table["path"], images, strict=True):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        seen = np.where(mask, image[:, :, 0], np.uint8(128))
        Image.fromarray(seen).save(folder / path, format="JPEG", quality=100)  # whatever it is called


def cells(values: pd.Series, bins: int = 8) -> pd.Series:
    """Put the values of one cause into categories: as they are, or in bins where there are many numbers."""
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > bins:
        return pd.qcut(values.astype(float), bins, labels=False, duplicates="drop").fillna(-1)
    return values.astype(str)


def cause_alone(cause: pd.Series, train: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Predict a label from a single cause: the most frequent label of its category in training.

    Parameters
    ----------
    cause : Series, length n
    train : bool array, shape (n,)
        Which rows to learn from.
    labels : int array, shape (n,)

    Returns
    -------
    int array, shape (number of rows not in `train`,)
    """
    category = cells(cause).to_numpy()
    counts = pd.crosstab(category[train], labels[train])
    fallback = np.bincount(labels[train]).argmax()
    return pd.Series(category[~train]).map(counts.idxmax(axis=1)).fillna(fallback).to_numpy(int)


def causes_alone(train: pd.DataFrame, asked: pd.DataFrame) -> dict[str, dict[str, np.ndarray]]:
    """Predict both labels of the photographs asked about from every cause by itself."""
    table = pd.concat([train, asked])
    in_train = np.arange(len(table)) < len(train)
    labels = real.labels(table)
    return {
        cause: {head: cause_alone(table[cause], in_train, labels[head]) for head in labels}
        for cause in table.columns[~table.columns.str.contains(NOT_A_CAUSE)]
    }


if __name__ == "__main__":
    sys.exit(main())

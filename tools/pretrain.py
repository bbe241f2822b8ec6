"""Pretrain the backbone that the course ships: ``python -m tools.pretrain RENDERS_DIR`` (``make backbone``).

Its faces are rendered for it, from another seed: nobody in them is in the embedded faces or in the
counterfactual sweeps. It learns the true causes, not labels: age group, gender, and how far the head is
turned. The heads are cut off; the weights and a record of how they came about go beside the archives.
A run that was stopped goes on after the last whole epoch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from facelab import adience, backend, embedded, models, pipeline, transfer
from facelab.backend import keras, layers, tf
from facelab.files import written_whole
from tools import command, recipe
from tools.paths import BUILD

CONTRACT = pipeline.PixelContract(side=64, channels=3)
HEADS = ("age", "gender", "pose")
LOSSES = {"age": "categorical_crossentropy", "gender": "binary_crossentropy", "pose": "mean_squared_error"}
EPOCHS = 24
SEED = 0
FULLY_TURNED = 45.0  # degrees: the pose that counts as 1

tf.get_logger().setLevel("ERROR")


def read_others(folder: Path) -> pd.DataFrame:
    """Read renders with their true causes, and make sure that nobody in them is shipped.

    Raises
    ------
    ValueError
        If a person of the renders is in the embedded faces or in the sweeps as well.
    facelab.adience.DataSetError
        If the folder is no data set.
    """
    table = adience.read_folds(folder)
    factors = pd.read_csv(folder / "factors.csv", keep_default_na=False, na_values=[""])
    table = table.merge(factors, on="path", validate="one_to_one")
    shipped = pd.concat([embedded.read_factors()["identity"], embedded.read_sweeps()["identity"]])
    if common := set(table["identity"]) & set(shipped):
        raise ValueError(f"{len(common)} people of {folder} are shipped with the course: use another seed")
    return table


def targets(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Give what the heads are to say.

    Returns
    -------
    dict of float32 arrays
        ``age``, shape (n, 8), soft targets of the group nearest to the true age; ``gender``, shape (n, 1), 1
        for m; ``pose``, shape (n, 1), how far the head is turned to either side, 1 at ``FULLY_TURNED``.
        Training mirrors photographs, which leaves all three what they are.
    """
    nearest = adience.nearest_groups(table["age_years"])
    group = pd.Categorical.from_codes(nearest, pd.Index(adience.AGE_GROUPS), ordered=True)
    return {
        "age": pipeline.soft_age_target(pd.DataFrame({"age_group": group})),
        "gender": (table["true_gender"] == "m").to_numpy("float32")[:, None],
        "pose": (table["yaw_deg"].abs() / FULLY_TURNED).to_numpy("float32")[:, None],
    }


def network() -> keras.Model:
    """Build the backbone with three heads."""
    backbone = transfer.cut(models.strided_network(CONTRACT, filters=transfer.FILTERS))
    x = layers.Dropout(0.2)(backbone.output)
    outputs = dict(models.add_heads(x, ("age", "gender")))
    outputs["pose"] = layers.Dense(1, name="pose")(x)
    return keras.Model(backbone.inputs[0], outputs, name="pretraining")


def pretrain(table: pd.DataFrame, folder: Path, checkpoints: Path) -> tuple[keras.Model, pd.DataFrame]:
    """Train the three heads together; give the backbone and the history."""
    backend.set_seed(SEED)
    model = network()
    batches = pipeline.TrainingBatches(table, folder, targets(table), CONTRACT, augmented=True, seed=SEED)
    history = recipe.fit(model, batches, LOSSES, rate=2e-3, epochs=EPOCHS, folder=checkpoints)
    return transfer.cut(model), history


def write(backbone: keras.Model, table: pd.DataFrame, data: Path) -> Path:
    """Write the weights and their record; the record last, so that it never speaks of another file."""
    weights = data / "rendered_backbone.weights.h5"
    with written_whole(weights) as aside:
        backbone.save_weights(aside)
    content = weights.read_bytes()
    record = {
        "file": weights.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "side": CONTRACT.side,
        "channels": CONTRACT.channels,
        "photographs": len(table),
        "albums": table["user_id"].nunique(),
        "people": table["identity"].nunique(),
        "heads": list(HEADS),
        "epochs": EPOCHS,
        "seed": SEED,
    }
    with written_whole(data / "rendered_backbone.json") as aside:
        aside.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return weights


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.pretrain", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "renders", type=Path, help="folder of renders in the Adience layout, with factors.csv"
    )
    folder = parser.parse_args(arguments).renders
    table = read_others(folder)
    print(f"{len(table):,} renders of {table['identity'].nunique():,} people, {EPOCHS} epochs", flush=True)
    backbone, history = pretrain(table, folder, BUILD / "backbone")
    losses = {name: history[name].iloc[-1] for name in ("loss", *(f"{head}_loss" for head in HEADS))}
    print(", ".join(f"{name} {value:.3f}" for name, value in losses.items()))
    print(
        f"weights: {write(backbone, table, embedded.ARCHIVES)}, {history['seconds'].sum() / 60:.0f} minutes"
    )


if __name__ == "__main__":
    sys.exit(main())

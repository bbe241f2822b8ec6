"""Train the two networks of the page "Play" and write them down: ``python -m tools.play_networks``.

Both see the same pixels and have the same layers. One begins with the backbone that comes with the course,
pretrained on other renders (chapter 5); the other, with half as many maps, begins with random weights. Their
weights are written as 16-bit numbers, which is what the page computes with, and what is scored here. A run
that was stopped goes on after the last whole epoch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from typing import Any

import numpy as np
import pandas as pd

from facelab import backend, embedded, evaluation, models, pipeline, results, transfer
from facelab.backend import keras, layers, tf
from facelab.files import written_whole
from tools import command, play_page, recipe
from tools.paths import BUILD, PLAY
from tools.recipe import FOLD, SEED

CONTRACT = pipeline.PixelContract(side=64, channels=3)
HEADS = ("gender", "age")
FILTERS: dict[str, tuple[int, int, int, int]] = {"pretrained": transfer.FILTERS, "small": (16, 32, 64, 96)}
"""The networks by name, and how many maps each has."""

THRESHOLDS = np.arange(100) / 100
"""Where the page's threshold of the confidence can stand."""

tf.get_logger().setLevel("ERROR")


def fit(model: keras.Model, part: pd.DataFrame, rate: float, epochs: int, name: str) -> None:
    """Train on augmented photographs, with a rate that falls to 0."""
    target = recipe.targets(part)
    batches = pipeline.TrainingBatches(part, embedded.data_dir(), target, CONTRACT, augmented=True, seed=SEED)
    recipe.fit(model, batches, recipe.LOSSES, rate, epochs, BUILD / "play" / name)


def trained(name: str, part: pd.DataFrame) -> keras.Model:
    """Train one of the networks; the pretrained one as lesson 5.2 found best, its heads first."""
    backend.set_seed(SEED)
    if name == "small":
        model = models.strided_network(CONTRACT, HEADS, FILTERS[name])
        fit(model, part, rate=2e-3, epochs=12, name=name)
        return model
    first = transfer.transfer_network(transfer.rendered_backbone(CONTRACT), HEADS)
    fit(first, part, rate=1e-2, epochs=2, name=f"{name}-heads")
    model = transfer.transfer_network(transfer.rendered_backbone(CONTRACT), HEADS, unfreeze_from="stem")
    for head in HEADS:
        model.get_layer(head).set_weights(first.get_layer(head).get_weights())
    fit(model, part, rate=4e-4, epochs=6, name=name)
    return model


def flat(model: keras.Model) -> list[Any]:
    """List the layers of a network in the order of the data, those of a backbone in it, too."""
    return [
        inner for layer in model.layers for inner in (flat(layer) if hasattr(layer, "layers") else [layer])
    ]


def weights(model: keras.Model) -> list[tuple[str, np.ndarray]]:
    """List what each layer computes with, float32 arrays with a name each, in the order of the data.

    A batch normalisation that is no longer trained multiplies each map by one number and adds another; these
    two stand here instead of its four.
    """
    listed = []
    for layer in flat(model):
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            scale = gamma / np.sqrt(variance + layer.epsilon)
            listed += [(f"{layer.name}/scale", scale), (f"{layer.name}/shift", beta - mean * scale)]
        else:
            short = [weight.path.rsplit("/", 1)[-1] for weight in layer.weights if "seed" not in weight.path]
            listed += [
                (f"{layer.name}/{kind}", value)
                for kind, value in zip(short, layer.get_weights(), strict=False)
                if kind in ("kernel", "bias")
            ]
    return listed


def network(name: str) -> keras.Model:
    """Read one of the written networks as a Keras model, with the page's 16-bit weights.

    Returns
    -------
    keras.Model
        :func:`facelab.models.strided_network` with two heads, for ``CONTRACT``.

    Raises
    ------
    ValueError
        If the weights are not, to the byte, those of the record.
    """
    return from_half(np.frombuffer(play_page.weights(name), "<f2"), FILTERS[name])


def from_half(numbers: np.ndarray, filters: tuple[int, int, int, int]) -> keras.Model:
    """Fill a network with 16-bit numbers, in the order of :func:`weights`."""
    model = models.strided_network(CONTRACT, HEADS, filters)
    listed = weights(model)
    sizes = [old.size for _, old in listed]
    if sum(sizes) != len(numbers):
        raise ValueError(f"{len(numbers)} weights for a network of {sum(sizes)}")
    parts = np.split(numbers.astype("float32"), np.cumsum(sizes)[:-1])
    filled = {name: part.reshape(old.shape) for (name, old), part in zip(listed, parts, strict=True)}
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            scale, shift = filled[f"{layer.name}/scale"], filled[f"{layer.name}/shift"]
            layer.set_weights([scale, shift, np.zeros_like(scale), np.full_like(scale, 1 - layer.epsilon)])
        elif layer.weights and f"{layer.name}/kernel" in filled:
            names = (f"{layer.name}/{kind}" for kind in ("kernel", "bias"))
            layer.set_weights([filled[name] for name in names if name in filled])
    return model


def said(model: keras.Model, part: pd.DataFrame) -> Any:
    """Ask a network about each photograph, once, as the page does; a dict with an array for each head."""
    data = pipeline.batches(part, embedded.data_dir(), np.zeros(len(part)), CONTRACT)  # nothing is scored
    return evaluation.predict(model, data)


def scored(model: keras.Model, validation: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Fit a temperature on validation albums; score the test fold, and how often the network answers."""
    age = pipeline.age_target(validation)
    temperature = evaluation.fit_temperature(age, said(model, validation)["age"])
    answers, albums = said(model, test), test["user_id"]
    true = {"gender": pipeline.gender_target(test)[:, 0].astype(int), "age": pipeline.age_target(test)}
    given = {"gender": (answers["gender"][:, 0] >= 0.5).astype(int), "age": evaluation.decide(answers["age"])}
    wanted = {
        "gender accuracy": (evaluation.accuracy, "gender"),
        "exact age accuracy": (evaluation.accuracy, "age"),
        "1-off age accuracy": (evaluation.one_off_accuracy, "age"),
    }
    scores = {
        name: results.Score.over(
            name,
            evaluation.album_bootstrap(
                metric, true[head], given[head], albums, seed=SEED, n_resamples=evaluation.N_RESAMPLES
            ),
            albums,
            "test",
            [FOLD],
        )
        for name, (metric, head) in wanted.items()
    }
    scaled = evaluation.temperature_scaling(answers["age"], temperature)
    confidence, right = scaled.max(axis=1), scaled.argmax(axis=1) == true["age"]
    answered = [confidence >= least for least in THRESHOLDS]  # of each face, at each threshold
    return {
        "temperature": round(float(temperature), 3),
        "scores": [score.__dict__ for score in scores.values()],
        "answered": [int(here.sum()) for here in answered],
        "right": [int(right[here].sum()) for here in answered],
    }


def write(name: str, model: keras.Model, data: recipe.Parts, record: dict[str, Any]) -> None:
    """Write a network's weights, and add it to the record, which is written last."""
    listed = weights(model)
    half = np.concatenate([value.ravel() for _, value in listed]).astype("<f2")
    if not np.isfinite(half).all():
        raise ValueError(f"{name}: a weight is too large for 16 bits")
    content = half.tobytes()
    file = f"{name}.f16"
    PLAY.mkdir(exist_ok=True)
    with written_whole(PLAY / file) as aside:
        aside.write_bytes(content)
    record["networks"][name] = {
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "filters": FILTERS[name],
        "weights": [[part, list(value.shape)] for part, value in listed],
        **scored(from_half(half, FILTERS[name]), data.validation, data.test),
    }


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: list[str] | None = None) -> None:
    """Train both networks, and write weights and record."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args(arguments)
    data = recipe.parts()
    record: dict[str, Any] = {
        "about": "Two networks of the page Play, trained on rendered faces; weights as 16-bit floats",
        "data": recipe.about_faces()
        | {f"{part} photographs": len(table) for part, table in data._asdict().items()}
        | {f"{part} albums": table["user_id"].nunique() for part, table in data._asdict().items()},
        "backbone": transfer.rendered_record()["sha256"],
        "parameters": {"seed": SEED, "fold": FOLD, "side": CONTRACT.side, "channels": CONTRACT.channels},
        "versions": recipe.versions(),
        "networks": {},
    }
    for name in FILTERS:
        write(name, trained(name, data.train), data, record)
        scores = record["networks"][name]["scores"]
        print(f"{name}: " + ", ".join(f"{one['name']} {one['estimate']:.3f}" for one in scores))
    # A list of numbers stands in one line.
    text = json.dumps(record, indent=1)
    text = re.sub(r"\[[\d\s.,]+\]", lambda found: " ".join(found[0].split()), text)
    with written_whole(PLAY / "networks.json") as aside:
        aside.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

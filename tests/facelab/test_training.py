"""Every run here is small: 40 photographs of noise, a network of some hundred weights.

As a script, this file is a run that kills itself: see the last lines.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from facelab import adience, backend, files, pipeline, training
from facelab.backend import keras, tf

SMALL = pipeline.PixelContract(side=8, channels=1)
PHOTOGRAPHS, IN_TRAINING = 40, 30

EPOCH = pipeline.TrainingBatches.epoch
Data = tuple[pipeline.TrainingBatches, tf.data.Dataset]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    table = pd.DataFrame(0, index=range(PHOTOGRAPHS), columns=[*adience.COLUMNS, "fold"])
    table = table.assign(user_id="7@N01", gender="f", face_id=range(PHOTOGRAPHS), original_image="o.jpg")
    table["fold"] = table["face_id"] % 5
    table["age"] = [adience.AGE_GROUPS[n * n % 8] for n in range(PHOTOGRAPHS)]
    adience.write_folds(table, folder)
    random = np.random.default_rng(0)
    for face_id in range(PHOTOGRAPHS):
        path = folder / adience.photograph_path("7@N01", face_id, "o.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tf.io.encode_jpeg(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).numpy())
    return folder


@cache
def data(data_dir: Path, seed: int = 5) -> Data:
    """Four batches to train on, varied anew in each epoch, and two to validate on."""
    table = adience.read_folds(data_dir)
    train, validation = table[:IN_TRAINING], table[IN_TRAINING:]
    target = pipeline.age_target(train)
    return (
        pipeline.TrainingBatches(train, data_dir, target, SMALL, batch_size=8, augmented=True, seed=seed),
        pipeline.batches(validation, data_dir, pipeline.age_target(validation), SMALL, batch_size=8),
    )


def network(rate: float = 0.02, units: int = 16) -> keras.Model:
    """All that has a state of its own: batch statistics, dropout, slots and schedule of the optimiser."""
    layers = [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.BatchNormalization(momentum=0.5),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(units, activation="relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(8, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    schedule = keras.optimizers.schedules.CosineDecay(rate, 40)
    model.compile(keras.optimizers.AdamW(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def linear(optimiser: str | keras.Optimizer = "sgd") -> keras.Model:
    """For tests in which it does not matter what is trained."""
    end = keras.layers.Dense(8, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), end])
    model.compile(optimiser, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@cache
def built() -> tuple[keras.Model, list[np.ndarray]]:
    """The network and its first state: Keras takes seconds to trace one."""
    backend.set_seed(3)
    model = network()
    model.optimizer.build(model.trainable_variables)
    return model, [variable.numpy() for variable in [*model.variables, *model.optimizer.variables]]


class Run:
    """A network trained from its first state, as it was left."""

    def __init__(self, data_dir: Path, folder: Path | None, epochs: int) -> None:
        model, first_state = built()
        variables = [*model.variables, *model.optimizer.variables]
        for variable, value in zip(variables, first_state, strict=True):
            variable.assign(value)
        self.history = training.fit(model, *data(data_dir), epochs=epochs, folder=folder)
        self.scores = self.history.drop(columns="seconds")
        # Both the end of the road, the optimiser's, and the best point on it, the model's.
        self.state = [variable.numpy() for variable in variables]

    def same_as(self, other: "Run") -> bool:
        return all(map(np.array_equal, self.state, other.state)) and self.scores.equals(other.scores)


@cache
def whole(data_dir: Path, epochs: int) -> Run:
    """A run that nothing interrupts."""
    return Run(data_dir, None, epochs)


def epochs_in(folder: Path) -> int:
    with np.load(folder / training.CHECKPOINT) as file:
        return len(json.loads(str(file["history"])))


@pytest.mark.slow
def test_killed_and_resumed_is_uninterrupted_to_the_bit(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for where, number in (("in_epoch", 3), ("in_checkpoint", 5)):
        child = [sys.executable, __file__, str(data_dir), str(folder), where, str(number)]
        process = subprocess.run(child, capture_output=True, text=True, check=False)
        assert process.returncode == -signal.SIGKILL, process.stderr
        assert epochs_in(folder) == number - 1
    (left,) = folder.glob(".partial-*/here/*")  # the second was killed while it wrote
    assert left.read_bytes() == b"half a checkpoint"

    resumed = Run(data_dir, folder, epochs=6)
    assert resumed.same_as(whole(data_dir, epochs=6))
    # What does not move is the same after any mistake.
    assert resumed.scores.nunique().min() > 1
    assert {path.name for path in folder.iterdir()} == {training.CHECKPOINT, ".busy"}  # and it cleared up


@pytest.mark.parametrize(
    ("module", "name", "mistake"),
    [
        (training, "_variables", lambda model: [*model.weights, *model.optimizer.variables]),
        (pipeline.TrainingBatches, "epoch", lambda batches, _: EPOCH(batches, 0)),
    ],
    ids=["dropout", "order"],
)
def test_the_comparison_would_see_a_forgotten_state(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, mistake: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, name, mistake)
        Run(data_dir, tmp_path, epochs=1)
        resumed = Run(data_dir, tmp_path, epochs=2)
    assert not resumed.same_as(whole(data_dir, epochs=2))


def test_more_epochs_go_on_from_the_end(data_dir: Path, tmp_path: Path) -> None:
    first = Run(data_dir, tmp_path, epochs=3)
    # The model holds the best weights by now; the checkpoint has the last ones.
    model, _ = built()
    history = training.fit(model, *data(data_dir), epochs=6, folder=tmp_path)
    assert history[:3].equals(first.history)
    assert history.drop(columns="seconds").equals(whole(data_dir, epochs=6).scores)
    state = [variable.numpy() for variable in [*model.variables, *model.optimizer.variables]]
    assert all(map(np.array_equal, state, whole(data_dir, epochs=6).state))


def test_a_finished_run_is_read_and_not_trained(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(data_dir, tmp_path, epochs=2)
    monkeypatch.setattr(keras.Sequential, "fit", None)
    again = Run(data_dir, tmp_path, epochs=2)
    assert again.same_as(run)
    assert again.history.equals(run.history)


def test_the_history_has_one_row_an_epoch(data_dir: Path) -> None:
    history = whole(data_dir, epochs=3).history
    assert history["epoch"].tolist() == [1, 2, 3]
    assert set(history) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    assert (history["seconds"] > 0).all()


@pytest.mark.parametrize(("monitor", "best"), [("val_loss", "idxmin"), ("accuracy", "idxmax")])
def test_the_best_weights_are_kept(data_dir: Path, monitor: str, best: str) -> None:
    backend.set_seed(1)
    model, (train, validation) = linear(keras.optimizers.SGD(1.0)), data(data_dir)
    history = training.fit(model, train, validation, epochs=6, monitor=monitor)
    row = history.loc[getattr(history[monitor], best)()]
    assert row["epoch"] < 6, "the last epoch is the best, so this run shows nothing"
    scores = model.evaluate(validation, verbose=0, return_dict=True)
    assert scores == pytest.approx({"loss": row["val_loss"], "accuracy": row["val_accuracy"]}, rel=1e-5)


def metrics_of_keras() -> list[keras.metrics.Metric]:
    """One of each class that scores answers against labels."""
    special = {
        "IoU": {"num_classes": 2, "target_class_ids": [0]},
        "MeanIoU": {"num_classes": 2},
        "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
        "OneHotMeanIoU": {"num_classes": 2},
        "PrecisionAtRecall": {"recall": 0.5},
        "RecallAtPrecision": {"precision": 0.5},
        "SensitivityAtSpecificity": {"specificity": 0.5},
        "SpecificityAtSensitivity": {"sensitivity": 0.5},
    }
    base = {"Metric", "Mean", "Sum", "MeanMetricWrapper"}
    classes = {
        name: found
        for name, found in vars(keras.metrics).items()
        if isinstance(found, type) and issubclass(found, keras.metrics.Metric) and name not in base
    }
    return [found(**special.get(name, {}), name=f"mine_{name}") for name, found in classes.items()]


LESS = ("Crossentropy", "Hinge", "Error", "Divergence", "Poisson", "FalsePositives", "FalseNegatives")


@pytest.mark.parametrize("metric", metrics_of_keras(), ids=lambda metric: type(metric).__name__)
def test_every_metric_of_keras_is_better_as_keras_has_it_whatever_it_is_called(
    metric: keras.metrics.Metric,
) -> None:
    expected = "min" if type(metric).__name__.endswith(LESS) else "max"
    known = {"up": "max", "down": "min"}.get(getattr(metric, "_direction", ""), expected)
    model = SimpleNamespace(metrics=[keras.metrics.Mean(name="loss"), metric])
    for monitor in (f"val_{metric.name}", metric.name, f"val_gender_{metric.name}_2"):
        assert training._better(model, monitor) == expected == known
    metric._direction = None  # as in a Keras that does not know
    assert training._better(model, f"val_{metric.name}") == expected


def two_classes(*metrics: Any) -> keras.Model:
    end = keras.layers.Dense(2, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), end])
    model.compile(keras.optimizers.SGD(1.0), "categorical_crossentropy", metrics=list(metrics))
    return model


def two_class_data(data_dir: Path) -> Data:
    table = adience.read_folds(data_dir)
    target = keras.utils.to_categorical(pipeline.gender_target(table), 2)
    train = pipeline.TrainingBatches(table, data_dir, target, SMALL, batch_size=8, seed=5)
    return train, pipeline.batches(table, data_dir, target, SMALL)


@pytest.mark.parametrize(
    ("metric", "monitor", "mode"),
    [
        (keras.metrics.AUC(name="AUC"), "val_AUC", "max"),
        (keras.metrics.AUC(name="roc"), "val_roc", "max"),
        ("acc", "val_acc", "max"),
        (keras.metrics.Precision(name="precision_3"), "val_precision_3", "max"),
        (keras.metrics.MeanAbsoluteError(name="distance"), "val_distance", "min"),
    ],
)
def test_it_keeps_the_epoch_that_keras_keeps(data_dir: Path, metric: Any, monitor: str, mode: str) -> None:
    backend.set_seed(1)
    model, (train, validation) = two_classes(metric), two_class_data(data_dir)
    history = training.fit(model, train, validation, epochs=5, monitor=monitor)
    best = history[monitor].max() if mode == "max" else history[monitor].min()
    scores = model.evaluate(validation, verbose=0, return_dict=True)
    assert scores[monitor.removeprefix("val_")] == pytest.approx(best, abs=1e-5)
    keeper = keras.callbacks.EarlyStopping(monitor)
    keeper.set_model(model)
    keeper._set_monitor_op()
    assert bool(keeper.monitor_op(2, 1)) == (mode == "max")


def test_a_metric_that_nobody_knows_is_refused_and_a_mode_tells(data_dir: Path, tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable()
    def gap(truth: Any, answers: Any) -> Any:
        return keras.ops.mean(answers)

    model = two_classes(gap)
    with pytest.raises(ValueError, match=r"neither Keras nor the name 'val_gap' tells .* say mode='max'"):
        training.fit(model, *two_class_data(data_dir), epochs=2, monitor="val_gap")
    for mode, folder in (("max", "most"), ("min", "least")):
        asked = {"epochs": 2, "monitor": "val_gap", "mode": mode, "folder": tmp_path / folder}
        history = training.fit(model, *two_class_data(data_dir), **asked)
        assert training.fit(model, *two_class_data(data_dir), **asked).equals(history)
    with pytest.raises(training.RunError, match="another run, with mode min instead of max"):
        training.fit(model, *two_class_data(data_dir), **asked | {"mode": "max"})
    with pytest.raises(ValueError, match="mode is 'max' or 'min', not 'auto'"):
        training.fit(model, *two_class_data(data_dir), epochs=2, mode="auto")  # type: ignore[arg-type]


def test_a_metric_of_several_numbers_may_be_there_but_cannot_choose(data_dir: Path) -> None:
    model = two_classes(keras.metrics.F1Score(name="f1"))
    history = training.fit(model, *two_class_data(data_dir), epochs=1)
    assert len(history["val_f1"].iloc[0]) == 2
    with pytest.raises(ValueError, match="val_f1 is 2 numbers an epoch, and one is needed"):
        training.fit(model, *two_class_data(data_dir), epochs=2, monitor="val_f1")


def test_without_validation_the_last_epoch_counts(data_dir: Path, tmp_path: Path) -> None:
    train, _ = data(data_dir)

    def learn(epochs: int, folder: Path | None = None) -> tuple[keras.Model, pd.DataFrame]:
        backend.set_seed(1)
        model = linear(keras.optimizers.SGD(1.0))
        return model, training.fit(model, train, epochs=epochs, folder=folder)

    by_keras = learn(1)[0]
    for epoch in range(1, 6):
        by_keras.fit(train.epoch(epoch), shuffle=False, verbose=0)
    model, history = learn(6)
    assert set(history) == {"epoch", "loss", "accuracy", "seconds"}
    assert history["loss"].idxmin() < 5, "the last epoch is the best, so this run shows nothing"
    learn(3, tmp_path)
    for other in (by_keras, learn(6, tmp_path)[0]):
        assert all(map(np.array_equal, other.get_weights(), model.get_weights()))
    with pytest.raises(training.RunError, match="holds another run, with monitor None instead of val_loss"):
        training.fit(linear(keras.optimizers.SGD(1.0)), *data(data_dir), epochs=6, folder=tmp_path)


def test_patience_counts_the_epochs_since_the_best(data_dir: Path, tmp_path: Path) -> None:
    # Nothing is learned, so every epoch is as good as the first, and as good is not better.
    model = linear(keras.optimizers.SGD(0.0))
    history = training.fit(model, *data(data_dir), epochs=9, patience=2, folder=tmp_path)
    assert len(history) == 3
    # A stopped run is finished; with more patience it goes on, and with less it went too far.
    assert training.fit(model, *data(data_dir), epochs=9, patience=2, folder=tmp_path).equals(history)
    assert len(training.fit(model, *data(data_dir), epochs=9, patience=3, folder=tmp_path)) == 4
    with pytest.raises(training.RunError, match=r"a run of 4 epochs, longer than epochs=9 and patience=1"):
        training.fit(model, *data(data_dir), epochs=9, patience=1, folder=tmp_path)


@pytest.mark.parametrize(
    ("build", "seed", "monitor", "named"),
    [
        (lambda: network(units=8), 5, "val_loss", "units 16 instead of 8"),
        (lambda: network(rate=0.1), 5, "val_loss", "initial_learning_rate 0.02 instead of 0.1"),
        (network, 6, "val_loss", r"train.labels \w+ instead of"),
        (network, 5, "loss", "monitor val_loss instead of loss"),
    ],
)
def test_another_run_is_refused_by_name(
    data_dir: Path, tmp_path: Path, build: Callable[[], keras.Model], seed: int, monitor: str, named: str
) -> None:
    folder = tmp_path / "mine"
    Run(data_dir, folder, epochs=1)
    checkpoint = (folder / training.CHECKPOINT).read_bytes()
    model = build()
    weights = model.get_weights()
    with pytest.raises(training.RunError, match=rf"mine holds another run.*{named}.*name another folder"):
        training.fit(model, *data(data_dir, seed), epochs=2, monitor=monitor, folder=folder)
    assert (folder / training.CHECKPOINT).read_bytes() == checkpoint
    assert all(map(np.array_equal, model.get_weights(), weights))


def test_the_names_that_keras_makes_up_do_not_matter(data_dir: Path, tmp_path: Path) -> None:
    Run(data_dir, tmp_path, epochs=1)
    again = network()
    assert [layer.name for layer in again.layers] != [layer.name for layer in built()[0].layers]
    assert len(training.fit(again, *data(data_dir), epochs=1, folder=tmp_path)) == 1


def test_a_run_that_went_further_is_refused(data_dir: Path, tmp_path: Path) -> None:
    Run(data_dir, tmp_path, epochs=3)
    with pytest.raises(training.RunError, match=r"3 epochs, longer than epochs=2 and patience=None.*more"):
        Run(data_dir, tmp_path, epochs=2)


def test_a_broken_checkpoint_is_named(data_dir: Path, tmp_path: Path) -> None:
    Run(data_dir, tmp_path, epochs=1)
    checkpoint = tmp_path / training.CHECKPOINT
    sound = checkpoint.read_bytes()
    for broken in (b"", b"no archive", sound[:-100], sound[:5000] + b"oops" + sound[5004:]):
        checkpoint.write_bytes(broken)
        with pytest.raises(training.RunError, match=r"training.npz is no whole checkpoint .*: delete it"):
            Run(data_dir, tmp_path, epochs=1)


def with_words(name: str, change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], Any]:
    def of(arrays: dict[str, Any]) -> None:
        arrays[name] = np.array(json.dumps(change(json.loads(str(arrays[name])))))

    return of


WRONG = {
    "a weight is missing": (lambda arrays: arrays.pop("best_0"), "it has no best_0"),
    "a slot is missing": (lambda arrays: arrays.pop("state_9"), "it has no state_9"),
    "no history": (lambda arrays: arrays.pop("history"), "history"),
    "another shape": (lambda arrays: arrays.update(state_0=np.zeros(3, "float32")), r"state_0 is \(3,\)"),
    "another type": (lambda arrays: arrays.update(state_0=arrays["state_0"].astype(int)), "state_0 is"),
    "no number": (lambda arrays: arrays.update(best_1=arrays["best_1"] * np.nan), "best_1 has values that"),
    "pickled": (lambda arrays: arrays.update(state_0=np.array([{}], object)), "pickle"),
    "an empty history": (with_words("history", lambda rows: []), "one row for each epoch"),
    "a history of words": (with_words("history", lambda rows: "long"), "object|indices"),
    "a history of numbers": (with_words("history", lambda rows: [1, 2]), "object|indices"),
    "an epoch twice": (with_words("history", lambda rows: rows + rows), "one row for each epoch"),
    "an epoch without a loss": (
        with_words("history", lambda rows: [{"epoch": 1}]),
        "the history has no column 'loss'",
    ),
    "a loss that is no number": (
        with_words("history", lambda rows: [row | {"loss": float("nan")} for row in rows]),
        "a loss of nan",
    ),
    "a run that is a list": (with_words("run", lambda run: []), "object|indices"),
    "a mode that is none": (with_words("mode", lambda mode: "up"), "its mode is 'up'"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_a_checkpoint_that_is_whole_but_wrong_is_named_and_the_model_stays(
    data_dir: Path, tmp_path: Path, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    Run(data_dir, tmp_path, epochs=1)
    checkpoint = tmp_path / training.CHECKPOINT
    with np.load(checkpoint) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(checkpoint, **arrays)
    model, first_state = built()
    variables = [*model.variables, *model.optimizer.variables]
    for variable, value in zip(variables, first_state, strict=True):
        variable.assign(value)
    with pytest.raises(
        training.RunError, match=rf"training.npz is no whole checkpoint .*({words}).*: delete it"
    ):
        training.fit(model, *data(data_dir), epochs=2, folder=tmp_path)
    assert all(
        np.array_equal(variable.numpy(), value)
        for variable, value in zip(variables, first_state, strict=True)
    )


def test_a_folder_may_begin_at_home(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    training.fit(linear(), *data(data_dir), epochs=1, folder="~/run")
    assert (tmp_path / "run" / training.CHECKPOINT).exists()


def test_a_folder_that_is_a_file_is_named_with_the_remedy(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    for folder in (tmp_path / "run", tmp_path / "run" / "below"):
        with pytest.raises(OSError, match=rf"{folder} cannot hold a checkpoint .*name a folder in which"):
            training.fit(linear(), *data(data_dir), epochs=1, folder=folder)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_in_which_nothing_can_be_written_is_refused_before_an_epoch_is_trained(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError(30, "Read-only file system")

    training.fit(linear(), *data(data_dir), epochs=1, folder=tmp_path)
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assert len(training.fit(linear(), *data(data_dir), epochs=1, folder=tmp_path)) == 1  # it is only read
    monkeypatch.setattr(training, "_train_one_epoch", lambda *_: pytest.fail("an epoch was trained"))
    with pytest.raises(OSError, match=r"cannot hold a checkpoint .*Read-only file system"):
        training.fit(linear(), *data(data_dir), epochs=2, folder=tmp_path)


def test_a_second_training_in_a_folder_is_refused_and_the_first_one_ends_rightly(
    data_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    first = subprocess.Popen(
        [sys.executable, __file__, str(data_dir), str(folder), "wait_in_epoch", "3"], stdout=subprocess.PIPE
    )
    assert first.stdout is not None
    assert first.stdout.readline() == b"waiting\n"
    with pytest.raises(files.BusyError, match=rf"another training keeps its checkpoint in {folder}: wait"):
        Run(data_dir, folder, epochs=6)
    assert epochs_in(folder) == 2
    first.kill()
    first.wait()
    assert Run(data_dir, folder, epochs=6).same_as(whole(data_dir, epochs=6))


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (OSError(28, "No space left on device"), "no checkpoint of epoch 2 in .*No space left.*make room"),
        (KeyboardInterrupt("by hand"), "by hand"),
    ],
)
def test_the_last_good_checkpoint_survives_trouble(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: BaseException, message: str
) -> None:
    Run(data_dir, tmp_path, epochs=1)

    def fail(file: Path, **arrays: Any) -> None:
        file.write_bytes(b"half a checkpoint")
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", fail)
        with pytest.raises(type(trouble), match=message):
            Run(data_dir, tmp_path, epochs=3)
    assert {path.name for path in tmp_path.iterdir()} == {training.CHECKPOINT, ".busy"}
    assert epochs_in(tmp_path) == 1
    assert Run(data_dir, tmp_path, epochs=3).same_as(whole(data_dir, epochs=3))


def test_a_loss_that_is_no_number_stops_the_run(data_dir: Path, tmp_path: Path) -> None:
    model = linear(keras.optimizers.SGD(1e38))
    with pytest.raises(FloatingPointError, match=r"epoch 1 ended with a loss of nan.*lower learning rate"):
        training.fit(model, *data(data_dir), epochs=3, folder=tmp_path / "run")
    assert not (tmp_path / "run" / training.CHECKPOINT).exists()


def test_several_heads_and_weights_are_trained_too(data_dir: Path, tmp_path: Path) -> None:
    table = adience.read_folds(data_dir)
    targets = {"gender": pipeline.gender_target(table), "age": pipeline.soft_age_target(table)}
    train = pipeline.TrainingBatches(table, data_dir, targets, SMALL, sample_weight=np.ones(len(table)))
    validation = pipeline.batches(table, data_dir, targets, SMALL)
    images = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(images)
    heads = {
        "gender": keras.layers.Dense(1, activation="sigmoid", name="gender")(flat),
        "age": keras.layers.Dense(8, activation="softmax", name="age")(flat),
    }
    model = keras.Model(images, heads)
    model.compile("sgd", {"gender": "binary_crossentropy", "age": "categorical_crossentropy"})
    history = training.fit(model, train, validation, epochs=1, folder=tmp_path)
    assert {"gender_loss", "age_loss", "val_loss"} <= set(history)


@pytest.mark.parametrize("metrics", [None, ["accuracy"]], ids=["a loss for each head", "metrics"])
def test_a_step_is_traced_once(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, metrics: list[str] | None
) -> None:
    """A trace takes most of a second: as long as an epoch in a short run."""
    traces = 0

    def train_step(model: keras.Model, data: Any) -> Any:
        nonlocal traces
        traces += 1
        return step(model, data)

    step = keras.Model.train_step
    monkeypatch.setattr(keras.Model, "train_step", train_step)
    flat = keras.layers.Flatten()(images := keras.Input((8, 8, 1)))
    heads = {name: keras.layers.Dense(8, "softmax", name=name)(flat) for name in ("a", "b")}
    model = keras.Model(images, heads)
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", dict.fromkeys(heads, loss), metrics=metrics and dict.fromkeys(heads, metrics))
    table = adience.read_folds(data_dir)
    target = dict.fromkeys(heads, pipeline.age_target(table))
    batches = pipeline.TrainingBatches(table, data_dir, target, SMALL, batch_size=8)
    training.fit(model, batches, epochs=2)
    assert traces == 1


def test_what_makes_no_sense_is_refused(data_dir: Path) -> None:
    with pytest.raises(TypeError, match=r"Dataset, which knows no epochs: make a pipeline\.TrainingBatches"):
        training.fit(linear(keras.optimizers.SGD(0.1)), data(data_dir)[1], epochs=1)
    uncompiled = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()], name="faces")
    with pytest.raises(ValueError, match="faces is not compiled: call its compile"):
        training.fit(uncompiled, *data(data_dir), epochs=1)
    for wrong in ({"epochs": 0}, {"epochs": 1, "patience": 0}):
        with pytest.raises(ValueError, match="epochs and patience count from 1"):
            training.fit(linear(), *data(data_dir), **wrong)
    with pytest.raises(ValueError, match="patience=2 waits for a better epoch: pass validation batches"):
        training.fit(linear(), data(data_dir)[0], epochs=4, patience=2)
    with pytest.raises(ValueError, match=r"no column 'val_auc' to monitor: it has \['epoch', 'accuracy'"):
        training.fit(linear(), *data(data_dir), epochs=1, monitor="val_auc")


@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_terminal_sees_a_line_an_epoch(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    Run(data_dir, None, epochs=2)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line[:9] for line in printed.err.splitlines()] == ["epoch 1  ", "epoch 2  "] * terminal


def die_in_epoch(number: int) -> None:
    """Make this process kill itself after the second batch of an epoch."""

    class Deadly(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 1:
                os.kill(os.getpid(), signal.SIGKILL)

    fit, epochs = keras.Sequential.fit, itertools.count(1)

    def fatal(*arguments: Any, **options: Any) -> keras.callbacks.History:
        return fit(*arguments, callbacks=[Deadly()] if next(epochs) == number else None, **options)

    keras.Sequential.fit = fatal


def wait_in_epoch(number: int) -> None:
    """Make this process say that it has come to an epoch, and wait there."""
    fit, epochs = keras.Sequential.fit, itertools.count(1)

    def waiting(*arguments: Any, **options: Any) -> keras.callbacks.History:
        if next(epochs) == number:
            print("waiting", flush=True)
            time.sleep(600)
        return fit(*arguments, **options)

    keras.Sequential.fit = waiting


def die_in_checkpoint(number: int) -> None:
    """Make this process kill itself when half of an epoch's checkpoint is on disk."""
    savez = np.savez

    def fatal(file: Path, **arrays: Any) -> None:
        if len(json.loads(str(arrays["history"]))) == number:
            file.write_bytes(b"half a checkpoint")
            os.kill(os.getpid(), signal.SIGKILL)
        savez(file, **arrays)

    np.savez = fatal


if __name__ == "__main__":
    data_folder, run_folder, where, number = sys.argv[1:]
    prepare = {"in_epoch": die_in_epoch, "in_checkpoint": die_in_checkpoint, "wait_in_epoch": wait_in_epoch}
    prepare[where](int(number))
    Run(Path(data_folder), Path(run_folder), epochs=6)

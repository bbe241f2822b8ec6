from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from facelab import adience, pipeline, training
from facelab.backend import keras, tf
from tests.facelab.pipeline.conftest import SMALL, Table, read, scene


def epoch_of(dataset: tf.data.Dataset) -> list[np.ndarray]:
    """All that one epoch gives out, flat."""
    return [np.asarray(value) for element in dataset for value in tf.nest.flatten(element)]


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@pytest.fixture
def faces(make_table: Callable[..., Table]) -> Table:
    return make_table(*[(24, 24)] * 50)


def numbered(faces: Table, **options: object) -> tf.data.Dataset:
    """Batches whose target is the row's number."""
    table, data_dir = faces
    return pipeline.batches(table, data_dir, np.arange(len(table)), SMALL, batch_size=16, **options)


def shuffled(faces: Table, **options: object) -> pipeline.TrainingBatches:
    """Batches to train on whose target is the row's number."""
    table, data_dir = faces
    return pipeline.TrainingBatches(table, data_dir, np.arange(50), SMALL, batch_size=16, **options)


def test_batches_keep_the_tables_order_and_every_row(faces: Table) -> None:
    dataset = numbered(faces)
    assert len(dataset) == 4
    assert dataset.element_spec[0] == tf.TensorSpec((None, 16, 16, 1), tf.float32)
    assert [len(images) for images, _ in dataset] == [16, 16, 16, 2]
    elements = list(dataset)
    assert np.array_equal(np.concatenate([target for _, target in elements]), np.arange(50))
    pixels = np.concatenate([images for images, _ in elements])
    assert pixels.dtype == np.float32
    assert np.array_equal(pixels, (read(*faces) / 255).astype("float32"))
    assert equal(epoch_of(dataset), epoch_of(dataset))


def test_training_shuffles_all_rows_and_keeps_them_together(faces: Table) -> None:
    batches = shuffled(faces, sample_weight=np.arange(50) / 50)
    assert len(batches) == len(batches.epoch(0)) == 4
    pixels = read(*faces) / 255
    orders = []
    for epoch in range(3):
        order: list[int] = []
        for images, rows, weight in batches.epoch(epoch):
            np.testing.assert_allclose(images, pixels[rows], atol=1e-6)
            np.testing.assert_allclose(weight, rows / 50, atol=1e-6)
            order += rows.numpy().tolist()
        orders.append(order)
        assert sorted(order) == list(range(50))
    assert len(set(map(tuple, orders))) == 3
    # Over the whole set: the first batch has photographs from everywhere.
    assert max(orders[0][:16]) > 35


@pytest.mark.parametrize("cache", ["memory", "file"])
def test_an_epoch_follows_from_seed_and_number_alone(faces: Table, cache: str) -> None:
    where = "memory" if cache == "memory" else faces[1] / "cache"
    options = {"augmented": True, "cache": where}
    batches, others = (shuffled(faces, seed=7, **options) for _ in range(2))
    epochs = [epoch_of(batches.epoch(number)) for number in range(3)]
    for number in (2, 0):  # in any order, and as often as one likes
        assert equal(epoch_of(others.epoch(number)), epochs[number])
    assert not equal(epochs[1], epochs[2])
    assert not equal(epoch_of(shuffled(faces, seed=8, **options).epoch(0)), epochs[0])


def test_every_batch_is_varied_in_its_own_way(make_table: Callable[..., Table]) -> None:
    """The same photograph fifty times: if batches shared a seed, their photographs would be equal."""
    table, data_dir = make_table((24, 24))
    table = table.iloc[[0] * 32]
    batches = pipeline.TrainingBatches(table, data_dir, np.zeros(32), SMALL, batch_size=16, augmented=True)
    first, second = (images.numpy() for images, _ in batches.epoch(0))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, next(iter(batches.epoch(1)))[0])


@pytest.mark.parametrize("built", [True, False])
def test_fit_sees_the_epochs_in_their_order(faces: Table, built: bool) -> None:
    """Though Keras makes iterators of which it takes one batch, or none."""
    seen: list[np.ndarray] = []

    class Watch(keras.layers.Layer):
        def call(self, images: tf.Tensor) -> tf.Tensor:
            def note(values: np.ndarray) -> np.ndarray:
                seen.append(values)
                return values

            noted = tf.numpy_function(note, [images], tf.float32)
            return tf.ensure_shape(noted, images.shape)

    model = keras.Sequential([Watch(), keras.layers.Flatten(), keras.layers.Dense(1)])
    if built:
        model.build((None, 16, 16, 1))
    model.compile("sgd", "mse")
    batches = shuffled(faces, augmented=True, seed=2)
    training.fit(model, batches, epochs=3)
    assert equal(seen, [images.numpy() for number in range(3) for images, _ in batches.epoch(number)])


def test_targets_may_be_for_several_heads(faces: Table) -> None:
    table, data_dir = faces
    targets = {"gender": pipeline.gender_target(table), "age": pipeline.soft_age_target(table)}
    images, target, weight = next(
        iter(pipeline.batches(table, data_dir, targets, sample_weight=np.ones(50), batch_size=5))
    )
    assert images.shape == (5, 48, 48, 1)
    assert (target["gender"].shape, target["age"].shape, weight.shape) == ((5, 1), (5, 8), (5,))
    assert np.array_equal(target["age"], targets["age"][:5])
    assert weight.dtype == tf.float32


def test_what_does_not_fit_is_refused(faces: Table) -> None:
    table, data_dir = faces
    short, right = np.zeros(49), np.zeros(50)
    for target, weight in ((short, None), ({"a": right, "b": short}, None), (right, short)):
        for make in (pipeline.batches, pipeline.TrainingBatches):
            with pytest.raises(ValueError, match="50 rows, but target or sample_weight 49"):
                make(table, data_dir, target, SMALL, sample_weight=weight)
    with pytest.raises(ValueError, match="not 0"):
        pipeline.batches(table, data_dir, right, SMALL, batch_size=0)
    with pytest.raises(adience.DataSetError, match="no rows"):
        pipeline.batches(table.iloc[:0], data_dir, right[:0], SMALL)


# ---- The cache in a file ----------------------------------------------------------------------------------


def test_a_file_is_used_again_until_photographs_or_contract_change(
    faces: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, data_dir = faces
    cache = data_dir / "cache"
    options = {"augmented": True, "seed": 1}
    in_memory = epoch_of(shuffled(faces, **options).epoch(0))
    assert equal(epoch_of(shuffled(faces, cache=cache, **options).epoch(0)), in_memory)
    (file,) = cache.iterdir()
    assert file.stat().st_size - 50 * 16 * 16 in range(64, 256)
    written = file.stat().st_mtime_ns
    assert equal(epoch_of(shuffled(faces, cache=cache, **options).epoch(0)), in_memory)
    assert file.stat().st_mtime_ns == written

    scene(99, 24, 24).save(data_dir / table["path"][0])
    changed = next(iter(numbered(faces, cache=cache)))[0][0]
    assert np.array_equal(changed, next(iter(numbered(faces)))[0][0])
    pipeline.batches(table, data_dir, np.zeros(50), pipeline.PixelContract(16, 3), cache=cache)
    pipeline.batches(table[1:], data_dir, np.zeros(49), SMALL, cache=cache)
    assert len(list(cache.iterdir())) == 4


@pytest.mark.slow
def test_a_killed_writer_leaves_no_cache(faces: Table) -> None:
    """A process is killed while it fills the cache; the next one is none the wiser."""
    table, data_dir = faces
    table.to_pickle(data_dir / "table.pkl")
    code = (
        "import os, signal, sys, numpy as np, pandas as pd\n"
        "from pathlib import Path\n"
        "from facelab import pipeline\n"
        "from facelab.pipeline import _cache\n"
        "def dying(paths, contract):\n"
        "    yield np.full((32, 16, 16, 1), 200, np.uint8)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "_cache.read_chunks = dying\n"
        "folder = Path(sys.argv[1])\n"
        "table = pd.read_pickle(folder / 'table.pkl')\n"
        "contract = pipeline.PixelContract(16, 1)\n"
        "pipeline.batches(table, folder, np.arange(50), contract, cache=folder / 'cache')\n"
    )
    finished = subprocess.run([sys.executable, "-c", code, data_dir], check=False, timeout=300)
    assert finished.returncode == -9
    assert any((data_dir / "cache").rglob("*.npy"))  # it was killed in the midst of it
    assert equal(epoch_of(numbered(faces, cache=data_dir / "cache")), epoch_of(numbered(faces)))

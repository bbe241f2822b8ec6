from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience, pipeline

import keras  # isort: skip
import tensorflow as tf  # isort: skip

Table = tuple[pd.DataFrame, Path]
SMALL = pipeline.PixelContract(side=16, channels=1)


def scene(number: int, width: int, height: int) -> Image.Image:
    """A smooth colour picture with some detail, another one for each number."""
    random = np.random.default_rng(number)
    coarse = Image.fromarray(random.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def make_table(tmp_path: Path) -> Callable[..., Table]:
    """Write photographs of the given sizes and formats; give their table and folder."""

    def make(*sizes: tuple[int, int], suffix: str = "jpg") -> Table:
        rows = []
        for number, size in enumerate(sizes):
            path = f"faces/a/{number}.{suffix}"
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            options = {"quality": 95} if suffix == "jpg" else {}
            scene(number, *size).save(tmp_path / path, **options)
            rows.append((path, adience.AGE_GROUPS[number % 8], "fm"[number % 2]))
        table = pd.DataFrame(rows, columns=["path", "age_group", "gender"])
        table["age_group"] = pd.Categorical(table["age_group"], list(adience.AGE_GROUPS), ordered=True)
        table["gender"] = pd.Categorical(table["gender"], list(adience.GENDERS))
        return table, tmp_path

    return make


def read(table: pd.DataFrame, data_dir: Path, contract: pipeline.PixelContract = SMALL) -> np.ndarray:
    return np.stack(list(pipeline.photographs(table, data_dir, contract).as_numpy_iterator()))


def epoch_of(dataset: tf.data.Dataset) -> list[np.ndarray]:
    """All that one epoch gives out, flat."""
    return [np.asarray(value) for element in dataset for value in tf.nest.flatten(element)]


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


# ---- Targets ----------------------------------------------------------------------------------------------


def test_targets_are_what_the_losses_need(make_table: Callable[..., Table]) -> None:
    table, _ = make_table(*[(20, 20)] * 8)
    gender, age, soft = (
        pipeline.gender_target(table),
        pipeline.age_target(table),
        pipeline.soft_age_target(table, 0.2),
    )
    assert (gender.dtype, gender.shape, gender[:, 0].tolist()) == ("float32", (8, 1), [0.0, 1.0] * 4)
    assert (age.dtype, age.tolist()) == ("int32", list(range(8)))
    assert soft.dtype == "float32"
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(soft[3], [0, 0, 0.2, 0.6, 0.2, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(soft[0, :3], [0.75, 0.25, 0], rtol=1e-6)
    np.testing.assert_allclose(soft[7], soft[0, ::-1], rtol=1e-6)
    assert np.array_equal(pipeline.soft_age_target(table, 0.0), np.eye(8, dtype="float32"))


def test_a_missing_label_is_refused_and_the_remedy_works(make_table: Callable[..., Table]) -> None:
    table, _ = make_table((20, 20), (20, 20))
    holes = table.assign(gender=table["gender"].where([True, False]))
    with pytest.raises(adience.DataSetError, match=r"1 of 2 rows have no gender.*usable"):
        pipeline.gender_target(holes)
    assert len(pipeline.gender_target(adience.usable(holes, ("gender", "path")))) == 1
    with pytest.raises(adience.DataSetError, match="no age_group"):
        pipeline.soft_age_target(table.assign(age_group=table["age_group"].where([False, True])))


@pytest.mark.parametrize("neighbour", [-0.1, 0.4])
def test_a_neighbours_share_out_of_range_is_refused(
    make_table: Callable[..., Table], neighbour: float
) -> None:
    with pytest.raises(ValueError, match=str(neighbour)):
        pipeline.soft_age_target(make_table((20, 20))[0], neighbour)


# ---- Reading ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("width", "height"),
    [(16, 16), (40, 40), (152, 152), (152, 120), (151, 94), (93, 301), (816, 816), (9, 9)],
)
def test_resizing_is_that_of_pillow(
    make_table: Callable[..., Table], width: int, height: int, channels: int
) -> None:
    """Antialiased, of the central square; also where a JPEG was decoded at a part of its size."""
    table, data_dir = make_table(*[(width, height)] * 3)
    pixels = read(table, data_dir, pipeline.PixelContract(16, channels))
    assert pixels.shape == (3, 16, 16, channels)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    for image, path in zip(pixels, table["path"], strict=True):
        mode = "L" if channels == 1 else "RGB"
        whole = Image.open(data_dir / path)
        whole.draft(mode, whole.size)  # a JPEG's own grey, before any colour is made of it
        whole = whole.convert(mode)
        square = whole.crop((left, top, left + side, top + side))
        expected = np.asarray(square.resize((16, 16), Image.Resampling.BILINEAR), int)
        error = np.abs(image.astype(int) - expected.reshape(image.shape))
        assert error.mean() < 1  # of 255 levels
        assert error.max() <= 6


def test_fine_stripes_become_grey_and_not_another_pattern(tmp_path: Path) -> None:
    """The lesson of aliasing: taking a pixel here and there would keep the stripes' full contrast."""
    stripes = np.tile(np.array([0, 255], np.uint8), (96, 48))
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    pixels = read(pd.DataFrame({"path": ["stripes.png"]}), tmp_path)
    assert abs(pixels.astype(int) - 127).max() <= 20
    careless = tf.image.resize(stripes[..., None], (16, 16), method="nearest").numpy()
    assert abs(careless.astype(int) - 127).min() > 100


def test_the_quick_way_and_the_general_way_agree_to_the_bit(
    make_table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    from facelab.pipeline import _reading as reading

    table, data_dir = make_table(*[(150, 130)] * 40)
    quick = [read(table, data_dir, pipeline.PixelContract(16, channels)) for channels in (1, 3)]
    monkeypatch.setattr(reading, "_alike", reading._one_by_one)
    general = [read(table, data_dir, pipeline.PixelContract(16, channels)) for channels in (1, 3)]
    assert all(map(np.array_equal, quick, general))


def test_sizes_and_formats_may_be_mixed_and_the_order_stays(make_table: Callable[..., Table]) -> None:
    sizes = [(40, 40)] * 33 + [(50, 40), (40, 60)] + [(40, 40)] * 3
    table, data_dir = make_table(*sizes)
    expected = np.concatenate([read(table.iloc[[row]], data_dir) for row in range(len(table))])
    scene(1, 40, 40).save(data_dir / "faces/a/1.png")
    assert np.array_equal(read(table, data_dir), expected)
    png = table.assign(path=table["path"].replace("faces/a/1.jpg", "faces/a/1.png"))
    pixels = read(png, data_dir)
    assert np.array_equal(np.delete(pixels, 1, axis=0), np.delete(expected, 1, axis=0))
    assert np.abs(pixels[1].astype(int) - expected[1]).max() < 8


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp"])
def test_other_formats_are_read_in_colour(make_table: Callable[..., Table], suffix: str) -> None:
    table, data_dir = make_table((40, 40), (30, 30), suffix=suffix)
    pixels = read(table, data_dir, pipeline.PixelContract(16, 3))
    for image, path in zip(pixels, table["path"], strict=True):
        whole = Image.open(data_dir / path).convert("RGB")
        expected = np.asarray(whole.resize((16, 16), Image.Resampling.BILINEAR), int)
        assert np.abs(image - expected).max() <= 2


def break_photograph(path: Path, how: str) -> str:
    """Make a photograph unreadable; give a word of the reason."""
    if how == "gone":
        path.unlink()
        return "no such file"
    if how == "empty":
        path.write_bytes(b"")
        return "empty"
    if how == "cut short":
        path.write_bytes(path.read_bytes()[:400])
        return "JPEG"
    path.write_text("no picture")
    return "format"


@pytest.mark.parametrize(
    ("how", "row"),
    [("cut short", 0), ("gone", 34), ("empty", 34), ("cut short", 34), ("text", 34), ("gone", 39)],
)
def test_an_unreadable_photograph_is_named(make_table: Callable[..., Table], how: str, row: int) -> None:
    table, data_dir = make_table(*[(40, 40)] * 40)
    word = break_photograph(data_dir / table["path"][row], how)
    with pytest.raises(tf.errors.OpError, match=rf"/{row}\.jpg: .*{word}[\s\S]*unreadable\(table"):
        read(table, data_dir)
    for cache in ("memory", data_dir / "cache"):
        with pytest.raises(adience.DataSetError, match=rf"/{row}\.jpg"):
            pipeline.batches(table, data_dir, np.zeros(40), SMALL, cache=cache)
    assert not list(data_dir.glob("cache/*"))


def test_all_unreadable_photographs_are_listed(make_table: Callable[..., Table]) -> None:
    table, data_dir = make_table(*[(40, 40)] * 9)
    table.index += 100
    assert pipeline.unreadable(table, data_dir).empty
    words = {
        row: break_photograph(data_dir / table["path"][row], how)
        for row, how in {101: "gone", 104: "cut short", 105: "text", 108: "empty"}.items()
    }
    bad = pipeline.unreadable(table, data_dir)
    assert bad.index.tolist() == list(words)
    assert bad["path"].equals(table["path"].loc[bad.index])
    assert all(word in why for word, why in zip(words.values(), bad["why"], strict=True))
    assert not bad["why"].str.contains(r"\{\{|Op:").any()
    assert len(read(table.drop(bad.index), data_dir)) == 5


def test_a_table_that_cannot_be_read_is_refused_at_once(make_table: Callable[..., Table]) -> None:
    table, data_dir = make_table((20, 20), (20, 20))
    holes = table.assign(path=table["path"].where([True, False]))
    for function in (pipeline.photographs, pipeline.unreadable):
        with pytest.raises(adience.DataSetError, match="1 of 2 rows have no photograph"):
            function(holes, data_dir)
        with pytest.raises(adience.DataSetError, match="no rows"):
            function(table.iloc[:0], data_dir)


@pytest.mark.parametrize("contract", [(7, 1), (48, 2), (48, 4), (0, 3)])
def test_a_contract_that_cannot_be_is_refused(
    make_table: Callable[..., Table], contract: tuple[int, int]
) -> None:
    table, data_dir = make_table((20, 20))
    with pytest.raises(ValueError, match="no pixel contract"):
        pipeline.photographs(table, data_dir, pipeline.PixelContract(*contract))
    with pytest.raises(ValueError, match="no pixel contract"):
        pipeline.batches(table, data_dir, np.zeros(1), pipeline.PixelContract(*contract))


# ---- Augmentation -----------------------------------------------------------------------------------------

SEED = tf.constant([3, 4])
WAYS = [
    pipeline.flip,
    pipeline.move,
    pipeline.change_contrast,
    pipeline.erase,
    pipeline.augment,
]


@pytest.fixture(scope="module")
def images() -> tf.Tensor:
    pixels = [np.asarray(scene(number, 24, 24)) for number in range(64)]
    return tf.constant(np.stack(pixels) / 255, tf.float32)


@pytest.mark.parametrize("vary", WAYS)
def test_augmentation_keeps_shape_and_range_and_follows_the_seed(
    images: tf.Tensor, vary: Callable[..., tf.Tensor]
) -> None:
    varied = vary(images, SEED).numpy()
    assert (varied.shape, varied.dtype) == (images.shape, np.float32)
    assert 0 <= varied.min() < varied.max() <= 1
    assert np.array_equal(varied, vary(images, SEED))
    assert not np.array_equal(varied, vary(images, SEED + 1))
    changed = (varied != images.numpy()).any(axis=(1, 2, 3)).mean()
    assert changed > (0.25 if vary in (pipeline.flip, pipeline.erase) else 0.99)


@pytest.mark.parametrize("vary", WAYS)
def test_a_photograph_stays_itself(images: tf.Tensor, vary: Callable[..., tf.Tensor]) -> None:
    """Each varied photograph, or its mirror image, is most like the one that it was made of."""

    def standard(pixels: np.ndarray) -> np.ndarray:
        flat = pixels.reshape(len(pixels), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)

    varied = standard(vary(images, SEED).numpy())
    whole = images.numpy()
    likeness = np.maximum(varied @ standard(whole).T, varied @ standard(whole[:, :, ::-1]).T)
    assert (likeness.argmax(axis=1) == np.arange(len(whole))).mean() > 0.95


def test_flip_mirrors_left_and_right(images: tf.Tensor) -> None:
    flipped, whole = pipeline.flip(images, SEED).numpy(), images.numpy()
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipped, whole, strict=True)]
    kept = [np.array_equal(a, b) for a, b in zip(flipped, whole, strict=True)]
    assert [a != b for a, b in zip(mirrored, kept, strict=True)] == [True] * 64
    assert 16 < sum(mirrored) < 48


def test_move_goes_no_further_than_it_says() -> None:
    """A spot in the middle is shifted only, since turn and zoom leave the middle where it is."""
    side = 41
    spot = np.zeros((200, side, side, 1), np.float32)
    spot[:, 18:23, 18:23] = 1
    moved = pipeline.move(tf.constant(spot), SEED).numpy()[..., 0]
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    centre = (moved[:, None] * places).sum(axis=(2, 3)) / moved.sum(axis=(1, 2))[:, None]
    shift = np.abs(centre - side // 2)
    assert 0.8 * 0.08 * side < shift.max() < 0.08 * side + 0.5
    size = np.sqrt(moved.sum(axis=(1, 2)) / 25)
    assert 0.88 < size.min() < 0.95
    assert 1.05 < size.max() < 1.12


def test_erase_covers_a_rectangle_with_the_mean(images: tf.Tensor) -> None:
    erased = pipeline.erase(images, SEED).numpy()
    changed = (erased != images.numpy()).any(axis=-1)
    covered = [number for number in range(64) if changed[number].any()]
    assert 16 < len(covered) < 48
    for number in covered:
        rows, columns = np.nonzero(changed[number])
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert changed[number].sum() > 0.95 * height * width
        assert max(height, width) <= 0.4 * 24 + 1
        np.testing.assert_allclose(erased[number][changed[number]], images[number].numpy().mean(), atol=1e-6)


# ---- Batches ----------------------------------------------------------------------------------------------


@pytest.fixture
def faces(make_table: Callable[..., Table]) -> Table:
    return make_table(*[(24, 24)] * 50)


def numbered(faces: Table, **options: object) -> tf.data.Dataset:
    """Batches whose target is the row's number."""
    table, data_dir = faces
    return pipeline.batches(table, data_dir, np.arange(len(table)), SMALL, batch_size=16, **options)


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
    dataset = numbered(faces, training=True, sample_weight=np.arange(50) / 50)
    pixels = read(*faces) / 255
    orders = []
    for _ in range(3):
        order: list[int] = []
        for images, rows, weight in dataset:
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
    options = {"training": True, "augmented": True, "cache": where}
    uninterrupted = numbered(faces, seed=7, **options)
    epochs = [epoch_of(uninterrupted) for _ in range(4)]
    resumed = numbered(faces, seed=7, **options)
    pipeline.at_epoch(resumed, 2)
    assert equal(epoch_of(resumed), epochs[2])
    assert equal(epoch_of(resumed), epochs[3])
    assert not equal(epochs[2], epochs[3])
    assert not equal(epoch_of(numbered(faces, seed=8, **options)), epochs[0])


def test_an_epoch_that_was_not_finished_does_not_count(faces: Table) -> None:
    dataset = numbered(faces, training=True)
    first = next(iter(dataset))[1].numpy()
    time.sleep(0.3)  # what is prepared in the meantime must not count either
    assert np.array_equal(next(iter(dataset))[1], first)
    list(dataset)
    assert not np.array_equal(next(iter(dataset))[1], first)


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
    dataset = numbered(faces, training=True, augmented=True, seed=2)
    model.fit(dataset, epochs=3, verbose=0, validation_data=numbered(faces).take(0))
    reference = numbered(faces, training=True, augmented=True, seed=2)
    expected = [images.numpy() for _ in range(3) for images, _ in reference]
    assert equal(seen, expected)


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
        with pytest.raises(ValueError, match="50 rows, but target or sample_weight 49"):
            pipeline.batches(table, data_dir, target, SMALL, sample_weight=weight)
    with pytest.raises(ValueError, match="not 0"):
        pipeline.batches(table, data_dir, right, SMALL, batch_size=0)
    with pytest.raises(ValueError, match="training=True"):
        pipeline.batches(table, data_dir, right, SMALL, augmented=True)
    with pytest.raises(adience.DataSetError, match="no rows"):
        pipeline.batches(table.iloc[:0], data_dir, right[:0], SMALL)
    with pytest.raises(TypeError, match=r"pipeline\.batches"):
        pipeline.at_epoch(tf.data.Dataset.range(3), 1)


# ---- The cache in a file ----------------------------------------------------------------------------------


def test_a_file_is_used_again_until_photographs_or_contract_change(
    faces: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, data_dir = faces
    cache = data_dir / "cache"
    options = {"training": True, "augmented": True, "seed": 1}
    in_memory = epoch_of(numbered(faces, **options))
    assert equal(epoch_of(numbered(faces, cache=cache, **options)), in_memory)
    (file,) = cache.iterdir()
    assert file.stat().st_size - 50 * 16 * 16 in range(64, 256)
    written = file.stat().st_mtime_ns
    assert equal(epoch_of(numbered(faces, cache=cache, **options)), in_memory)
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
        "from facelab.pipeline import _batches\n"
        "def dying(paths, contract):\n"
        "    yield np.full((32, 16, 16, 1), 200, np.uint8)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "_batches.read_chunks = dying\n"
        "folder = Path(sys.argv[1])\n"
        "table = pd.read_pickle(folder / 'table.pkl')\n"
        "contract = pipeline.PixelContract(16, 1)\n"
        "pipeline.batches(table, folder, np.arange(50), contract, cache=folder / 'cache')\n"
    )
    finished = subprocess.run([sys.executable, "-c", code, data_dir], check=False, timeout=300)
    assert finished.returncode == -9
    assert any((data_dir / "cache").rglob("*.npy"))  # it was killed in the midst of it
    assert equal(epoch_of(numbered(faces, cache=data_dir / "cache")), epoch_of(numbered(faces)))


def test_real_photographs_are_read_as_pillow_reads_them(shared: Path) -> None:
    data_dir = shared / "real-faces"
    table = adience.usable(adience.read_folds(data_dir)).head(64)
    pixels = read(table, data_dir, pipeline.PixelContract(48, 3))
    for image, path in zip(pixels, table["path"], strict=True):
        whole = Image.open(data_dir / path).convert("RGB")
        expected = np.asarray(whole.resize((48, 48), Image.Resampling.BILINEAR), int)
        assert np.abs(image - expected).mean() < 1

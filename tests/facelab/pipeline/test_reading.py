from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience, pipeline
from facelab.backend import tf
from tests.facelab.pipeline.conftest import SMALL, Table, read, scene


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


@pytest.mark.parametrize("channels", [1, 3])
def test_the_quick_way_and_the_general_way_agree_to_the_bit(
    make_table: Callable[..., Table], channels: int
) -> None:
    """Small JPEGs of one size are read together; behind one of another size, they are read singly."""
    table, data_dir = make_table((30, 30), *[(50, 44)] * 40)
    contract = pipeline.PixelContract(16, channels)
    singly, together = read(table, data_dir, contract)[1:], read(table[1:], data_dir, contract)
    assert np.array_equal(singly, together)


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
    assert {path.suffix for path in data_dir.glob("cache/*")} <= {".lock"}


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


def test_real_photographs_are_read_as_pillow_reads_them(shared: Path) -> None:
    data_dir = shared / "real-faces"
    table = adience.usable(adience.read_folds(data_dir)).head(64)
    pixels = read(table, data_dir, pipeline.PixelContract(48, 3))
    for image, path in zip(pixels, table["path"], strict=True):
        whole = Image.open(data_dir / path).convert("RGB")
        expected = np.asarray(whole.resize((48, 48), Image.Resampling.BILINEAR), int)
        assert np.abs(image - expected).mean() < 1

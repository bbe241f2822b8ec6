"""How long a photograph takes, against simpler ways to draw; ratios only, both measured in one run."""

from __future__ import annotations

from time import process_time
from timeit import repeat
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from facesim import dataset

if TYPE_CHECKING:
    from facesim.camera import Camera

FACES = [item.face for item in dataset.plan(5, 60)[::5]]


@pytest.fixture(scope="module")
def camera(camera: Camera) -> Camera:
    """The camera of this process, warmed up: every program is compiled and every target read."""
    photograph_all(camera)
    return camera


def photograph_all(camera: Camera) -> None:
    for face in FACES:
        camera.photograph(face)


@pytest.mark.benchmark(timer=process_time)
def test_not_drawing_the_far_side_saves_time(
    benchmark: BenchmarkFixture, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photograph, against one for which the skin and the fur that face away are drawn too."""
    if "llvmpipe" not in camera.rasteriser.context.info["GL_RENDERER"]:
        pytest.skip("a graphics card draws them in no time, and not on the processor's clock")
    from facesim import raster

    draw = camera.rasteriser.draw
    benchmark.pedantic(photograph_all, [camera], rounds=4, warmup_rounds=1)

    def draw_all(*words: object) -> np.ndarray:
        with monkeypatch.context() as patch:
            patch.setattr(raster, "SKIN", "culled no more")
            patch.setattr(raster, "FUR", "culled no more")
            return draw(*words)

    monkeypatch.setattr(camera.rasteriser, "draw", draw_all)
    all_of_it = repeat(lambda: photograph_all(camera), timer=process_time, number=1, repeat=4)
    ratio = benchmark.stats.stats.min / min(all_of_it)
    benchmark.extra_info["photographs a second"] = round(len(FACES) / benchmark.stats.stats.min, 1)
    benchmark.extra_info["share of the time with the far side"] = round(ratio, 2)
    assert ratio < 1.0  # about 0.85


@pytest.mark.benchmark(timer=process_time)
def test_shaping_the_head_is_a_small_part_of_a_photograph(
    benchmark: BenchmarkFixture, camera: Camera
) -> None:
    """Building all layers of a face, against the whole photograph."""
    benchmark.pedantic(lambda: [camera.wardrobe.build(face) for face in FACES], rounds=3, warmup_rounds=1)
    whole = repeat(lambda: photograph_all(camera), timer=process_time, number=1, repeat=3)
    ratio = benchmark.stats.stats.min / min(whole)
    benchmark.extra_info["share of a photograph's time"] = round(ratio, 2)
    assert ratio < 0.5  # about 0.25

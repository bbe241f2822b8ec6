from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from facelab import adience
from facesim import dataset, studio, sweeps
from facesim.face import Face
from facesim.studio import RECORD, Order, StudioError, code_fingerprint, photograph_all


class FakeCamera:
    """Takes grey pictures, and remembers of whom; may fail at one of them."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.fails_at: int | None = None
        self.failure: BaseException = OSError("No space left on device")

    def photograph(self, face: Face, seed: int) -> Image.Image:
        if seed == self.fails_at:
            raise self.failure
        self.taken.append(seed)
        return Image.new("RGB", (96, 96), (seed % 256, seed // 256 % 256, 90))


class Here:
    """An executor that does the work at once, in this process."""

    def __init__(self, *_: object, **__: object) -> None:
        self.jobs: list[Future[int]] = []

    def submit(self, work, *arguments) -> Future[int]:
        future: Future[int] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, cancel_futures: bool) -> None:
        assert cancel_futures


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    pytest.importorskip("moderngl", reason="the renderer's dependencies are not installed")
    from facesim import camera

    fake = FakeCamera()
    monkeypatch.setattr(camera, "shared_camera", lambda: fake)
    monkeypatch.setattr(studio, "ProcessPoolExecutor", Here)
    return fake


@pytest.fixture
def orders(adult: Face) -> list[Order]:
    return [
        Order(f"faces/{number % 3}/{number}.jpg", replace(adult, identity=number), number)
        for number in range(40)
    ]


def photographs(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")}


def test_every_order_is_taken_once(camera: FakeCamera, orders: list[Order], tmp_path: Path) -> None:
    photograph_all(orders, tmp_path)
    assert photographs(tmp_path) == {order.path for order in orders}
    assert sorted(camera.taken) == list(range(40))
    for order in (orders[0], orders[17]):
        with Image.open(tmp_path / order.path) as image:
            assert (image.format, image.size) == ("JPEG", (96, 96))
    assert {path.name for path in tmp_path.iterdir()} == {"faces", RECORD}


def test_a_second_run_takes_only_what_is_missing(
    camera: FakeCamera, orders: list[Order], tmp_path: Path
) -> None:
    photograph_all(orders, tmp_path)
    untouched = (tmp_path / orders[5].path).stat().st_mtime_ns
    camera.taken.clear()
    for number in (3, 30):
        (tmp_path / orders[number].path).unlink()
    photograph_all(orders, tmp_path)
    assert sorted(camera.taken) == [3, 30]
    assert (tmp_path / orders[5].path).stat().st_mtime_ns == untouched
    camera.taken.clear()
    photograph_all(orders, tmp_path)
    assert camera.taken == []


@pytest.mark.parametrize("failure", [OSError("No space left on device"), KeyboardInterrupt()])
def test_a_stopped_run_goes_on_and_ends_as_if_it_had_not_been(
    camera: FakeCamera, orders: list[Order], tmp_path: Path, failure: BaseException
) -> None:
    camera.fails_at, camera.failure = 20, failure
    with pytest.raises(type(failure)):
        photograph_all(orders, tmp_path / "stopped")
    done = photographs(tmp_path / "stopped")
    assert orders[20].path not in done
    assert done  # what was taken stays
    camera.fails_at = None
    camera.taken.clear()
    photograph_all(orders, tmp_path / "stopped")
    assert len(camera.taken) == len(orders) - len(done)
    photograph_all(orders, tmp_path / "in one go")
    for order in orders:
        assert (tmp_path / "stopped" / order.path).read_bytes() == (
            tmp_path / "in one go" / order.path
        ).read_bytes()


def test_a_photograph_that_was_cut_short_does_not_count(
    camera: FakeCamera, orders: list[Order], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_short(image: Image.Image, path: Path, *_: object, **__: object) -> None:
        path.write_bytes(b"\xff\xd8 half a photograph")
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", cut_short)
        with pytest.raises(OSError, match="No space"):
            photograph_all(orders, tmp_path)
    assert photographs(tmp_path) == set()
    photograph_all(orders, tmp_path)
    assert photographs(tmp_path) == {order.path for order in orders}
    assert not list(tmp_path.rglob(".partial-*"))


def test_a_folder_of_another_renderer_is_refused(
    camera: FakeCamera, orders: list[Order], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph_all(orders[:5], tmp_path)
    camera.taken.clear()
    monkeypatch.setattr(studio, "code_fingerprint", lambda: "another")
    with pytest.raises(StudioError, match="another version of the renderer"):
        photograph_all(orders[:5], tmp_path)
    assert camera.taken == []


def test_a_folder_of_other_orders_is_refused(camera: FakeCamera, orders: list[Order], tmp_path: Path) -> None:
    photograph_all(orders[:5], tmp_path)
    with pytest.raises(StudioError, match="another seed or number"):
        photograph_all(orders, tmp_path)
    assert photographs(tmp_path) == {order.path for order in orders[:5]}


def test_the_fingerprint_is_that_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"a.py": "x = 1", "shaders/b.frag": "void main() {}", "notes.md": "hello"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(studio, "files", lambda _: tmp_path)
    before = code_fingerprint()
    (tmp_path / "notes.md").write_text("hello again")
    assert code_fingerprint() == before
    (tmp_path / "shaders/b.frag").write_text("void main() { }")
    assert code_fingerprint() != before


def test_a_set_is_complete_when_its_tables_are_there(camera: FakeCamera, tmp_path: Path) -> None:
    """The whole way of both sets, with the fake camera: what is planned is what a reader gets."""
    camera.fails_at = dataset.plan(1, 60)[-1].seed
    with pytest.raises(OSError, match="No space"):
        dataset.render(tmp_path / "faces", seed=1, photographs=60)
    assert not list((tmp_path / "faces").glob("*.txt"))
    camera.fails_at = None
    dataset.render(tmp_path / "faces", seed=1, photographs=60)
    table = adience.read_folds(tmp_path / "faces")
    assert (
        set(table["path"]) == photographs(tmp_path / "faces") == {item.path for item in dataset.plan(1, 60)}
    )
    assert json.loads((tmp_path / "faces" / RECORD).read_text())["renderer"] == code_fingerprint()

    sweeps.render(tmp_path / "sweeps", seed=1, identities=2)
    assert {path.name for path in (tmp_path / "sweeps").iterdir()} == {"faces", RECORD, "sweeps.csv"}
    assert photographs(tmp_path / "sweeps") == {item.path for item in sweeps.plan(1, 2)}

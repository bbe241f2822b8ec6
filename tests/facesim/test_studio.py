from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from facelab import adience
from facesim import __main__ as command_line
from facesim import dataset, studio, sweeps
from facesim.face import Face
from facesim.studio import RECORD, SEAL, Order, StudioError, code_fingerprint, finished, photograph_all, seal


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
    write = Path.write_bytes

    def cut_short(path: Path, content: bytes) -> int:
        write(path, content[:20])
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", cut_short)
        with pytest.raises(OSError, match="No space"):
            photograph_all(orders, tmp_path)
    assert photographs(tmp_path) == set()
    photograph_all(orders, tmp_path)
    assert photographs(tmp_path) == {order.path for order in orders}
    assert not list(tmp_path.rglob(".partial-*"))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_photograph_that_is_cut_or_empty_is_taken_again(
    camera: FakeCamera, orders: list[Order], tmp_path: Path, share: float
) -> None:
    photograph_all(orders, tmp_path)
    path = tmp_path / orders[7].path
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    camera.taken.clear()
    photograph_all(orders, tmp_path)
    assert camera.taken == [7]
    assert path.read_bytes() == whole


def test_a_photograph_that_is_not_as_it_was_sealed_is_taken_again(
    camera: FakeCamera, orders: list[Order], tmp_path: Path
) -> None:
    photograph_all(orders, tmp_path)
    seal(tmp_path, [order.path for order in orders])
    path = tmp_path / orders[7].path
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])  # its end is still there
    with pytest.raises(StudioError, match=r"7\.jpg is not as it was rendered"):
        finished(tmp_path)
    camera.taken.clear()
    photograph_all(orders, tmp_path)
    assert camera.taken == [7]
    assert set(finished(tmp_path)) == {tmp_path / order.path for order in orders}


@pytest.mark.parametrize(
    "content", [b"", b'{"renderer": "', b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000]
)
def test_a_record_that_cannot_be_read_is_named(
    camera: FakeCamera,
    orders: list[Order],
    tmp_path: Path,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / RECORD).write_bytes(content)
    monkeypatch.setattr(dataset, "render", lambda *_: photograph_all(orders, tmp_path))
    monkeypatch.setattr(sys, "argv", ["facesim", "render", str(tmp_path)])
    assert command_line.main() == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / RECORD} cannot be read" in said
    assert f"delete {tmp_path}" in said
    assert camera.taken == []


@pytest.mark.parametrize("room", [20, 200], ids=["none for the record", "none for a photograph"])
def test_after_room_was_made_the_same_command_goes_on(
    camera: FakeCamera, orders: list[Order], tmp_path: Path, room: int
) -> None:
    """The system itself refuses: no file may grow beyond the room."""
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(OSError, match=RECORD if room == 20 else r"\d\.jpg"):
            photograph_all(orders, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert photographs(tmp_path) == set()
    photograph_all(orders, tmp_path)
    assert photographs(tmp_path) == {order.path for order in orders}


def test_what_killed_workers_left_is_removed(camera: FakeCamera, orders: list[Order], tmp_path: Path) -> None:
    photograph_all(orders, tmp_path)
    left = tmp_path / "faces" / "1" / ".partial-a1b2" / "here"
    left.mkdir(parents=True)
    (left / "1.jpg").write_bytes(b"half a photograph")
    photograph_all(orders, tmp_path)
    assert not list(tmp_path.rglob(".partial-*"))


def test_a_worker_that_is_killed_is_told_of(camera: FakeCamera, orders: list[Order], tmp_path: Path) -> None:
    camera.fails_at, camera.failure = 3, BrokenProcessPool("terminated abruptly")
    with pytest.raises(StudioError, match=r"was killed.*the same command goes on"):
        photograph_all(orders, tmp_path)


SLOW_RENDERING = """
import os, sys, time
from pathlib import Path
from PIL import Image
from facesim import camera, people, studio

folder = Path(sys.argv[1])

class Slow:
    def photograph(self, face, seed):
        (folder / f"worker-{os.getpid()}").touch()
        time.sleep(0.3)
        return Image.new("RGB", (96, 96))

camera.shared_camera = Slow  # in the workers too: they run this file first

if __name__ == "__main__":
    face = people.draw_photograph(people.draw_subjects(1, 50)[0], 0)
    studio.photograph_all([studio.Order(f"faces/{n}.jpg", face, n) for n in range(400)], folder, workers=2)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("kind", ["SIGKILL", "SIGTERM"])
def test_workers_end_when_their_parent_is_killed(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("moderngl", reason="the renderer's dependencies are not installed")
    script = tmp_path / "slow.py"
    script.write_text(SLOW_RENDERING)
    parent = subprocess.Popen([sys.executable, script, tmp_path], stderr=subprocess.DEVNULL)
    workers: list[int] = []
    try:
        assert waits_for(lambda: len(list(tmp_path.glob("worker-*"))) == 2, 60)
        workers = [int(path.name.removeprefix("worker-")) for path in tmp_path.glob("worker-*")]
        assert all(map(alive, workers))
        parent.send_signal(getattr(signal, kind))
        parent.wait()
        assert waits_for(lambda: not any(map(alive, workers)), 5)
    finally:
        parent.kill()
        for worker in filter(alive, workers):
            os.kill(worker, signal.SIGKILL)


def waits_for(condition, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and was not fetched by anybody does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True)
    return found.returncode == 0 and not found.stdout.startswith("Z")


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
    assert {path.name for path in (tmp_path / "sweeps").iterdir()} == {"faces", RECORD, SEAL, "sweeps.csv"}
    assert photographs(tmp_path / "sweeps") == {item.path for item in sweeps.plan(1, 2)}

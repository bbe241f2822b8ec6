"""One process writes, the others wait; what a kill has left is gone on with as far as it is certain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from facelab import adience, pipeline
from facelab.pipeline import _cache, _writing
from tests.facelab.pipeline.conftest import SMALL, Table, read

HEADER, NUMBER, SIZE, CHUNK, SURE = b"a header", 200, 5, 10, 20
WHOLE = HEADER + bytes(row % 251 for row in range(NUMBER) for _ in range(SIZE))

posix = pytest.mark.skipif(os.name != "posix", reason="this can be done to a process on POSIX only")


# ---- Several processes. They load the module alone: TensorFlow would take most of the test's time ----------

WRITER = f"""
import importlib.util, sys, time
from pathlib import Path
import numpy as np

module, file, reads, pause = sys.argv[1:]
spec = importlib.util.spec_from_file_location("writing", module)
writing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(writing)
writing.SURE_EVERY, writing.PATIENCE = {SURE}, (0.3, 0.3)

def read(first):
    for row in range(first, {NUMBER}, {CHUNK}):
        with open(reads, "a") as opened:
            opened.write(f"{{row}}\\n")
        rows = np.arange(row, row + {CHUNK}) % 251
        yield np.repeat(rows[:, None], {SIZE}, axis=1).astype(np.uint8)
        time.sleep(float(pause))

print("ready", flush=True)
input()
writing.write_once(Path(file), writing.Rows({HEADER!r}, {NUMBER}, {SIZE}, read))
"""


class Writers:
    """Processes that write ``folder / "pixels.npy"``, and note in one file which rows they read."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "cache"
        self.file = self.folder / "pixels.npy"
        self.reads = tmp_path / "reads.txt"

    def ready(self, pause: float) -> subprocess.Popen[str]:
        """Start a process that waits to be told, and needs so many seconds for ten rows."""
        command = [sys.executable, "-c", WRITER, _writing.__file__, self.file, self.reads, str(pause)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([*map(str, command)], **pipes, text=True)
        assert process.stdout.readline() == "ready\n"
        return process

    def go(self, *processes: subprocess.Popen[str]) -> None:
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()

    def rows_read(self) -> list[int]:
        return [int(row) for row in self.reads.read_text().split()] if self.reads.exists() else []

    def wait_until_read(self, row: int) -> None:
        limit = time.monotonic() + 60
        while row not in self.rows_read():
            assert time.monotonic() < limit
            time.sleep(0.01)

    def check_whole_and_alone(self) -> None:
        assert self.file.read_bytes() == WHOLE
        assert [path.name for path in self.folder.iterdir()] == ["pixels.npy"]


@pytest.fixture
def writers(tmp_path: Path) -> Writers:
    return Writers(tmp_path)


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a process to end well, and return what it said."""
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    return said


def test_of_processes_that_begin_at_once_one_reads_each_row_and_all_end(writers: Writers) -> None:
    processes = [writers.ready(0.01) for _ in range(3)]
    writers.go(*processes)
    for process in processes:
        ended(process)
    assert writers.rows_read() == list(range(0, NUMBER, CHUNK))
    writers.check_whole_and_alone()


def test_a_process_that_waits_says_for_whom(writers: Writers) -> None:
    writing, waiting = writers.ready(0.1), writers.ready(0.1)
    writers.go(writing)
    writers.wait_until_read(0)
    writers.go(waiting)
    said = ended(waiting)
    assert f"process {writing.pid} on " in said
    assert f"reads 200 photographs into {writers.folder}, " in said
    assert ended(writing) == ""
    assert len(writers.rows_read()) == NUMBER // CHUNK


@posix
def test_where_a_process_was_killed_the_one_that_waits_goes_on(writers: Writers) -> None:
    killed, waiting = writers.ready(0.05), writers.ready(0)
    writers.go(killed)
    writers.wait_until_read(0)
    writers.go(waiting)
    writers.wait_until_read(150)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    ended(waiting)
    read = writers.rows_read()
    again = [row for row in set(read) if read.count(row) > 1]
    assert set(read) == set(range(0, NUMBER, CHUNK))
    assert len(again) <= SURE // CHUNK  # and not from the start
    assert all(row >= 150 - SURE for row in again)
    writers.check_whole_and_alone()


@posix
def test_what_a_killed_process_left_blocks_nobody_and_is_gone_on_with(writers: Writers) -> None:
    killed = writers.ready(0.05)
    writers.go(killed)
    writers.wait_until_read(100)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert not writers.file.exists()
    writers.reads.unlink()
    writer = writers.ready(0)
    writers.go(writer)
    assert ended(writer) == ""
    assert min(writers.rows_read()) >= 100 - SURE
    writers.check_whole_and_alone()


# ---- What is certain of a part -----------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(_writing, "SURE_EVERY", SURE)
    return tmp_path / "cache" / "pixels.npy"


def rows(
    log: list[int], until: int = NUMBER, error: type[BaseException] = KeyboardInterrupt
) -> _writing.Rows:
    """Rows that note where they are read from, and end in an error."""

    def read(first: int) -> Iterator[np.ndarray]:
        log.append(first)
        for row in range(first, until, CHUNK):
            yield np.repeat(np.arange(row, row + CHUNK)[:, None] % 251, SIZE, axis=1).astype(np.uint8)
        if until < NUMBER:
            raise error

    return _writing.Rows(HEADER, NUMBER, SIZE, read)


def interrupted(file: Path, until: int) -> tuple[Path, Path]:
    """Write so many rows; return the part and its log."""
    with pytest.raises(KeyboardInterrupt):
        _writing.write_once(file, rows([], until))
    _, part, log = _writing._Beside.of(file)
    assert part.exists()
    assert not file.exists()
    return part, log


def change_a_byte(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def without_the_last_line(log: Path) -> None:
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))


PLACE = len(HEADER)
HARMS: dict[str, tuple[Callable[[Path, Path], object], int]] = {
    "none": (lambda part, log: None, 120),
    "cut in its last rows": (lambda part, log: os.truncate(part, PLACE + 110 * SIZE), 100),
    "cut in its first rows": (lambda part, log: os.truncate(part, PLACE + 5), 0),
    "cut in its header": (lambda part, log: os.truncate(part, 3), 0),
    "empty": (lambda part, log: os.truncate(part, 0), 0),
    "longer": (lambda part, log: os.truncate(part, 10_000), 120),
    "a byte changed in row 50": (lambda part, log: change_a_byte(part, PLACE + 50 * SIZE), 40),
    "a byte changed in its header": (lambda part, log: change_a_byte(part, 2), 0),
    "missing": (lambda part, log: part.unlink(), 0),
    "the log is missing": (lambda part, log: log.unlink(), 0),
    "the log is empty": (lambda part, log: os.truncate(log, 0), 0),
    "the log lacks a line": (lambda part, log: without_the_last_line(log), 100),
    "the log ends in a line": (lambda part, log: os.truncate(log, log.stat().st_size - 3), 100),
    "the log promises more": (lambda part, log: log.open("a").write("140 1\n"), 120),
    "the log promises too much": (lambda part, log: log.open("a").write(f"{10**18} 1\n"), 120),
    "the log goes back": (lambda part, log: log.open("a").write("20 1\n"), 120),
    "the log is of bytes": (lambda part, log: log.write_bytes(b"\xff\xfe\x00"), 0),
}


@pytest.mark.parametrize(("harm", "goes_on_at"), HARMS.values(), ids=HARMS.keys())
def test_a_part_is_believed_as_far_as_log_and_checksums_agree(
    file: Path, harm: Callable[[Path, Path], object], goes_on_at: int
) -> None:
    harm(*interrupted(file, 130))
    log: list[int] = []
    _writing.write_once(file, rows(log))
    assert log == [goes_on_at]
    assert file.read_bytes() == WHOLE
    assert [path.name for path in file.parent.iterdir()] == ["pixels.npy"]


def test_a_part_that_was_stopped_twice_is_gone_on_with(file: Path) -> None:
    interrupted(file, 50)
    interrupted(file, 130)
    log: list[int] = []
    _writing.write_once(file, rows(log))
    assert log == [120]
    assert file.read_bytes() == WHOLE


def test_a_part_that_lacks_nothing_but_its_place_is_not_read_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Path) -> None:
        raise KeyboardInterrupt

    replace = Path.replace
    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _writing.write_once(file, rows([]))
    monkeypatch.setattr(Path, "replace", replace)
    log: list[int] = []
    _writing.write_once(file, rows(log))
    assert log == []
    assert file.read_bytes() == WHOLE


@pytest.mark.parametrize("error", [OSError, ValueError])
def test_an_error_leaves_nothing_but_the_lock(file: Path, error: type[Exception]) -> None:
    with pytest.raises(error):
        _writing.write_once(file, rows([], 130, error))
    assert [path.suffix for path in file.parent.iterdir()] == [".lock"]


def test_a_part_that_nobody_goes_on_with_is_removed_after_a_week(file: Path) -> None:
    part, _ = interrupted(file, 130)
    other = file.with_name("other.npy")
    _writing.write_once(other, rows([]))
    assert part.exists()
    long_ago = time.time() - _writing.ABANDONED - 60
    os.utime(part, (long_ago, long_ago))
    other.unlink()
    _writing.write_once(other, rows([]))
    assert [path.name for path in file.parent.iterdir()] == ["other.npy"]


def test_on_a_drive_without_locks_it_is_written_all_the_same(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(_writing.FileLock, "acquire", refuse)
    _writing.write_once(file, rows([]))
    assert file.read_bytes() == WHOLE


# ---- Photographs -------------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count the photographs that the cache reads; after ``stop`` of them, interrupt it."""
    count = {"read": 0, "stop": 10**6}
    reading = _cache.read_chunks

    def read_and_count(paths: list[str], contract: pipeline.PixelContract) -> Iterator[np.ndarray]:
        for chunk in reading(paths, contract):
            if count["read"] >= count["stop"]:
                raise KeyboardInterrupt
            count["read"] += len(chunk)
            yield chunk

    monkeypatch.setattr(_cache, "read_chunks", read_and_count)
    monkeypatch.setattr(_writing, "SURE_EVERY", 32)
    return count


def keep(faces: Table, cache: Path) -> None:
    table, data_dir = faces
    pipeline.batches(table, data_dir, np.zeros(len(table)), SMALL, cache=cache)


@pytest.mark.parametrize("sizes", [[(24, 24)] * 150, [(24, 24), (30, 20)] * 75], ids=["alike", "not alike"])
def test_an_interrupted_reading_of_photographs_goes_on_to_the_same_pixels(
    make_table: Callable[..., Table], tmp_path: Path, counted: dict[str, int], sizes: list[tuple[int, int]]
) -> None:
    faces = make_table(*sizes)
    counted["stop"] = 96
    with pytest.raises(KeyboardInterrupt):
        keep(faces, tmp_path / "cache")
    counted.update(read=0, stop=10**6)
    keep(faces, tmp_path / "cache")
    assert counted["read"] == 150 - 96
    (file,) = (tmp_path / "cache").iterdir()
    assert np.array_equal(np.load(file), read(*faces))


def test_a_photograph_that_was_changed_since_makes_the_reading_begin_anew(
    make_table: Callable[..., Table], tmp_path: Path, counted: dict[str, int]
) -> None:
    faces = make_table(*[(24, 24)] * 150)
    counted["stop"] = 96
    with pytest.raises(KeyboardInterrupt):
        keep(faces, tmp_path / "cache")
    table, data_dir = faces
    first, second = (data_dir / path for path in table["path"][:2])
    first.write_bytes(second.read_bytes() + b"another size")
    counted.update(read=0, stop=10**6)
    keep(faces, tmp_path / "cache")
    assert counted["read"] == 150
    whole = [path for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".")]
    assert np.array_equal(np.load(whole[0]), read(*faces))


def test_an_unreadable_photograph_leaves_no_part(
    make_table: Callable[..., Table], tmp_path: Path, counted: dict[str, int]
) -> None:
    faces = make_table(*[(24, 24)] * 150)
    (faces[1] / faces[0]["path"][140]).write_bytes(b"no photograph")
    with pytest.raises(adience.DataSetError, match=r"140\.jpg"):
        keep(faces, tmp_path / "cache")
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]

"""Files that are there wholly or not at all."""

import errno
import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import filelock
import pytest

from facelab.files import BusyError, alone, workplace, written_whole


def test_the_file_appears_when_the_block_ends_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "notes.weights.h5"
    with written_whole(path) as aside:
        aside.write_text("all of it")
        assert aside.name == path.name  # Keras looks at the whole suffix
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert list(path.parent.iterdir()) == [path]


def test_the_same_people_may_read_it_as_any_other_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with written_whole(tmp_path / "whole") as aside:
        aside.touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize("failure", [OSError("no space"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there_and_no_more(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "record.json"
    path.write_text("before")

    def fail_halfway() -> None:
        with written_whole(path) as aside:
            aside.write_text("half")
            raise failure

    with pytest.raises(type(failure)):
        fail_halfway()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_the_system_names_the_file(tmp_path: Path) -> None:
    """A write to a full disk says only that there is no room; nobody could know where."""
    path = tmp_path / "record.json"
    with pytest.raises(OSError, match=r"No space left on device: '.*record\.json'"), written_whole(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match=r"denied: 'other'"), written_whole(path):
        raise PermissionError(errno.EACCES, "denied", "other")


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="record"), written_whole(tmp_path / "record.json"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_of_those_who_write_at_a_time_the_last_to_end_wins(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    with written_whole(path) as one:
        with written_whole(path) as other:
            one.write_text("one")
            other.write_text("other")
        assert path.read_text() == "other"
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_content_is_flushed_before_the_name_is_there_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    flushed: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def watched(opened: int) -> None:
        flushed.append((stat.S_ISDIR(os.fstat(opened).st_mode), path.exists()))
        fsync(opened)

    monkeypatch.setattr(os, "fsync", watched)
    with written_whole(path) as aside:
        aside.write_text("all of it")
    assert flushed == [(False, False), (True, True)]


def test_a_drive_that_cannot_flush_a_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def picky(opened: int) -> None:
        if stat.S_ISDIR(os.fstat(opened).st_mode):
            raise OSError("Invalid argument")
        fsync(opened)

    monkeypatch.setattr(os, "fsync", picky)
    with written_whole(tmp_path / "record.json") as aside:
        aside.write_text("all of it")
    assert (tmp_path / "record.json").read_text() == "all of it"


def in_another_process(code: str, folder: Path) -> subprocess.Popen[str]:
    lines = [
        "import os, signal, sys, time",
        "from facelab.files import *",
        *textwrap.dedent(code).split("\n"),
    ]
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines), str(folder)], stdout=subprocess.PIPE, text=True
    )


WRITES_HALF = """
    with written_whole(sys.argv[1] + "/record.json") as aside:
        aside.write_text("half")
        print("half", flush=True)
        {then}
"""


def test_who_is_killed_leaves_the_older_file_and_the_next_writer_clears_up(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("before")
    killed = in_another_process(WRITES_HALF.format(then="os.kill(os.getpid(), signal.SIGKILL)"), tmp_path)
    assert killed.wait() == -signal.SIGKILL
    assert path.read_text() == "before"
    assert list(tmp_path.glob("*.json")) == [path]  # what was left is no record
    assert len(list(tmp_path.glob(".partial-*"))) == 1
    with written_whole(tmp_path / "another.json") as aside:
        aside.write_text("after")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "another.json", path]


def test_what_somebody_is_still_writing_is_left_alone(tmp_path: Path) -> None:
    other = in_another_process(WRITES_HALF.format(then="time.sleep(60)"), tmp_path)
    assert other.stdout is not None
    assert other.stdout.readline() == "half\n"
    with written_whole(tmp_path / "another.json") as aside:
        aside.write_text("after")
    half = list(tmp_path.glob(".partial-*/*/record.json"))
    other.kill()
    other.wait()
    assert [path.read_text() for path in half] == ["half"]


def test_a_workplace_whose_lock_is_not_taken_yet_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".partial-new").mkdir()
    with workplace(tmp_path):
        pass
    assert (tmp_path / ".partial-new").is_dir()


def test_another_process_that_looks_in_as_a_workplace_goes_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the lock of what it believes a leftover, and by that makes its file anew."""
    rmdir = os.rmdir

    def meanwhile(path: str, **options: int) -> None:
        if Path(path).name.startswith(".partial-"):
            (tmp_path / Path(path).name / "lock").touch()
        rmdir(path, **options)

    monkeypatch.setattr(os, "rmdir", meanwhile)
    with written_whole(tmp_path / "record.json") as aside:
        aside.write_text("all of it")
    assert (tmp_path / "record.json").read_text() == "all of it"


def test_a_workplace_is_empty_and_goes_whatever_is_in_it(tmp_path: Path) -> None:
    with workplace(tmp_path / "new") as place:
        assert list(place.iterdir()) == []
        (place / "album").mkdir()
        (place / "album" / "photograph.jpg").touch()
    assert list((tmp_path / "new").iterdir()) == []


def test_a_second_process_is_told_of_the_first_and_what_to_do(tmp_path: Path) -> None:
    code = """
        with alone(sys.argv[1], "another training"):
            print("in", flush=True)
            time.sleep(60)
    """
    first = in_another_process(code, tmp_path)
    assert first.stdout is not None
    assert first.stdout.readline() == "in\n"
    with pytest.raises(BusyError, match=re.escape(f"another training in {tmp_path}: wait")):
        alone(tmp_path, "another training").__enter__()
    first.kill()  # and the system gives the lock back
    first.wait()
    with alone(tmp_path, "another training"):
        pass


def test_two_threads_are_as_two_processes(tmp_path: Path) -> None:
    with alone(tmp_path, "one thread"), ThreadPoolExecutor(1) as thread:
        second = thread.submit(lambda: alone(tmp_path, "one thread").__enter__())
        assert isinstance(second.exception(), BusyError)


@pytest.mark.parametrize("missing", [OSError(errno.ENOTSUP, "not supported"), NotImplementedError()])
def test_a_drive_without_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: Exception
) -> None:
    def refuse(self: filelock.BaseFileLock) -> None:
        raise missing

    monkeypatch.setattr(filelock.FileLock, "_acquire", refuse)
    (tmp_path / ".partial-whose" / "here").mkdir(parents=True)
    with alone(tmp_path, "a training"), written_whole(tmp_path / "record.json") as aside:
        aside.write_text("all of it")
    assert (tmp_path / "record.json").read_text() == "all of it"
    assert (tmp_path / ".partial-whose").is_dir()  # whose it is cannot be known

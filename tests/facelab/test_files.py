"""Files that are there wholly or not at all."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from facelab.files import written_whole


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


def test_who_is_killed_leaves_the_older_file_and_the_next_one_is_not_disturbed(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("before")
    code = (
        "import os, signal, sys\n"
        "from facelab.files import written_whole\n"
        "with written_whole(sys.argv[1]) as aside:\n"
        "    aside.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "before"
    assert list(tmp_path.glob("*.json")) == [path]  # what was left is no record
    with written_whole(path) as aside:
        aside.write_text("after")
    assert path.read_text() == "after"

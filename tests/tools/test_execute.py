"""The tool that executes the lessons: what it refuses, what it skips, how it fails."""

from __future__ import annotations

import errno
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from facelab import seals
from facelab.files import alone
from tools import execute
from tools.notebooks import normalised
from tools.paths import REPOSITORY

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


PARAMETERS = """
from pathlib import Path
from typing import Optional

seed: int = 1
quick: bool = False
folds: list[int] = [4]
data_dir: Optional[Path] = None
checkpoints: Optional[Path] = None
weights: Optional[Path] = None"""


@pytest.fixture
def chapter(tmp_path):
    """Write a small chapter with the given last cell."""

    def write(last_cell: str = "print(seed * 2)", name: str = "99_chapter"):
        parameters = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, id="parameters")
        cells = [
            new_markdown_cell("# A chapter", id="title"),
            parameters,
            new_code_cell(last_cell, id="last"),
        ]
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
        return path

    return write


def printed(notebook) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))


def test_a_chapter_runs_again_only_when_something_changed(chapter, tmp_path):
    output = tmp_path / "out" / "99_chapter.ipynb"
    assert execute.execute(chapter(), output, {}) > 0
    assert printed(output) == "2\n"
    assert execute.execute(chapter(), output, {}) is None
    assert execute.execute(chapter(), output, {"seed": 4}) > 0
    assert printed(output) == "8\n"
    assert execute.execute(chapter("print(seed)"), output, {"seed": 4}) > 0
    assert printed(output) == "4\n"


def test_two_runs_give_the_same_bytes(chapter, tmp_path):
    notebook = chapter("print('one', flush=True)\nprint('two')\n{'a': seed}")
    outputs = [tmp_path / name / "chapter.ipynb" for name in ("first", "second")]
    for output in outputs:
        execute.execute(notebook, output, {})
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    executed = nbformat.read(outputs[0], as_version=4)
    assert executed == normalised(executed)
    assert [output.output_type for output in executed.cells[-1].outputs] == ["stream", "execute_result"]


RECORD = """
import json, pathlib
pathlib.Path("results").mkdir()
pathlib.Path("results/99_chapter.json").write_text(json.dumps({"seed": seed}))"""


def test_a_chapters_records_are_collected_and_belong_to_its_output(chapter, tmp_path):
    output = tmp_path / "out" / "99_chapter.ipynb"
    record = tmp_path / "out" / "results" / "99_chapter.json"
    execute.execute(chapter(RECORD), output, {"seed": 3})
    assert json.loads(record.read_text()) == {"seed": 3}
    assert execute.records(output) == [record]
    assert execute.execute(chapter(RECORD), output, {"seed": 3}) is None
    record.unlink()
    assert execute.execute(chapter(RECORD), output, {"seed": 3}) > 0
    assert record.exists()
    execute.execute(chapter(), output, {})  # this one records nothing, and the older record is not its own
    assert not record.exists()
    assert execute.records(output) == []


CONNECTED = """
import json
from ipykernel.connect import get_connection_info
print(json.loads(get_connection_info())["transport"])"""


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows a kernel is spoken to over ports")
@pytest.mark.parametrize(("longest", "transport"), [(1000, "ipc"), (10, "tcp")])
def test_kernels_need_no_ports_where_sockets_are_files(longest, transport, chapter, tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "LONGEST_SOCKET", longest)
    output = tmp_path / "out" / "99_chapter.ipynb"
    execute.execute(chapter(CONNECTED), output, {})
    assert printed(output) == f"{transport}\n"


def test_each_cell_that_begins_is_told(chapter, tmp_path):
    begun = []
    execute.execute(chapter(), tmp_path / "out" / "99_chapter.ipynb", {"seed": 2}, on_cell=begun.append)
    assert begun == [0, 1, 2, 3]  # papermill adds one with the parameters


SLEEPING = """
import os, pathlib, time
(pathlib.Path({folder!r}) / f"{{os.getpid()}}.kernel").touch()
time.sleep(600)"""


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def some(folder, pattern, number):
    """Wait until there are so many files."""
    until = time.monotonic() + 60
    while len(found := list(folder.glob(pattern))) < number:
        assert time.monotonic() < until, "the chapters do not run"
        time.sleep(0.05)
    return found


DAMAGES = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "changed": lambda path: path.write_text(path.read_text().replace("1", "2")),
    "removed": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir(), (path / "file").touch()),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_not_as_the_run_left_it_is_not_believed(chapter, tmp_path, damage):
    """Of the executed notebook and of its record."""
    output = tmp_path / "out" / "99_chapter.ipynb"
    record = tmp_path / "out" / "results" / "99_chapter.json"
    execute.execute(chapter(RECORD), output, {})
    for victim in (output, record):
        content = victim.read_bytes()
        damage(victim)
        assert not execute.is_current(chapter(RECORD), output, {})
        assert not execute.is_whole(output)
        assert execute.execute(chapter(RECORD), output, {}) > 0
        assert victim.read_bytes() == content


@pytest.mark.parametrize(
    "seal", [b"", b'{"inputs": "', b"\xff\xfe", b"null", b"[]", b"{}", b'{"records": null}', None]
)
def test_a_seal_that_cannot_be_read_is_no_seal(chapter, tmp_path, seal):
    output = tmp_path / "out" / "99_chapter.ipynb"
    execute.execute(chapter(), output, {})
    path = output.with_suffix(".json")
    path.unlink()
    path.mkdir() if seal is None else path.write_bytes(seal)
    assert execute.main([str(chapter()), "--output", str(output.parent)]) == 0
    assert execute.execute(chapter(), output, {}) is None


def test_a_seal_speaks_of_no_file_elsewhere(chapter, tmp_path):
    output = tmp_path / "out" / "99_chapter.ipynb"
    execute.execute(chapter(), output, {})
    other = tmp_path / "precious.json"
    other.write_text("mine")
    path = output.with_suffix(".json")
    seal = json.loads(path.read_text())
    path.write_text(json.dumps(seal | {"files": seal["files"] | {"../precious.json": seals.sha256(other)}}))
    assert execute.execute(chapter(), output, {"seed": 7}) > 0
    assert other.read_text() == "mine"


def test_a_second_run_into_a_folder_is_told_of_the_first(chapter, tmp_path, capsys):
    arguments = [str(chapter()), "--output", str(tmp_path / "out")]
    with alone(tmp_path / "out", "the first"):
        assert execute.main(arguments) == 2
    assert "another run of this tool executes lessons in" in capsys.readouterr().err
    assert execute.main(arguments) == 0


def test_a_killed_run_leaves_nothing_that_the_next_one_believes_or_keeps(chapter, tmp_path):
    waiting = chapter(SLEEPING.format(folder=str(tmp_path)))
    command = [sys.executable, "-m", "tools.execute", waiting, "--output", tmp_path / "out"]
    with subprocess.Popen(command, cwd=REPOSITORY) as process:
        (kernel,) = (int(path.stem) for path in some(tmp_path, "*.kernel", 1))
        process.kill()
    assert len(list((tmp_path / "out").glob(".partial-*"))) == 1
    until = time.monotonic() + 60
    while is_running(kernel):
        assert time.monotonic() < until, "the kernel outlives the run"
        time.sleep(0.1)
    assert execute.main([str(chapter()), "--output", str(tmp_path / "out")]) == 0
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {".busy", "99_chapter.ipynb", "99_chapter.json"}


def test_a_kernel_that_dies_fails_the_command(chapter, tmp_path, capsys):
    dying = chapter("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert execute.main([str(dying), "--output", str(tmp_path / "out")]) == 1
    assert "error: 99_chapter.ipynb: Kernel died" in capsys.readouterr().err


def test_a_full_disk_names_folder_and_remedy(chapter, tmp_path, monkeypatch, capsys):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(execute.papermill, "execute_notebook", full)
    assert execute.main([str(chapter()), "--output", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert f"99_chapter.ipynb could not be executed into {tmp_path / 'out'}: " in message
    assert "No space left" in message
    assert "--output" in message
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".busy"]


def test_a_failure_leaves_no_record(chapter, tmp_path):
    output = tmp_path / "out" / "99_chapter.ipynb"
    execute.execute(chapter(RECORD), output, {})
    with pytest.raises(execute.ChapterError):
        execute.execute(chapter(RECORD + "\n1 / 0"), output, {})
    assert list((tmp_path / "out" / "results").iterdir()) == []


def test_publishing_puts_notebook_and_records_in_their_place(chapter, tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(execute, "RECORDS", tmp_path / "book" / "results")
    monkeypatch.setattr(execute.recorded_results, "PAGE", tmp_path / "recorded_results.md")
    output = tmp_path / "out" / "99_chapter.ipynb"
    assert execute.main([str(chapter(RECORD)), "--output", str(output.parent), "--publish"]) == 0
    published = tmp_path / "notebooks" / "99_chapter.ipynb"
    assert published.read_bytes() == output.read_bytes()
    assert [path.name for path in published.parent.iterdir()] == ["99_chapter.ipynb"]
    (record,) = (tmp_path / "book" / "results").iterdir()
    assert (record.name, json.loads(record.read_text())) == ("99_chapter.json", {"seed": 1})
    assert (tmp_path / "recorded_results.md").exists()


def test_data_that_changed_is_read_again(chapter, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "fold_0_data.txt").write_text("one")
    before = execute.inputs_digest(chapter(), {"data_dir": str(data)})
    assert before == execute.inputs_digest(chapter(), {"data_dir": str(data)})
    (data / "fold_0_data.txt").write_text("another")
    assert before != execute.inputs_digest(chapter(), {"data_dir": str(data)})


LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need a right that few have on Windows")


@LINKS
@pytest.mark.parametrize("linked", ["data", "faces", "album"])
def test_photographs_behind_a_link_that_changed_are_seen(linked, chapter, tmp_path):
    """They often lie on another drive: the folder, one in it, or an album."""
    behind = tmp_path / "elsewhere"
    album = {"data": "faces/album", "faces": "album", "album": ""}[linked]
    photograph = behind / album / "face.jpg"
    photograph.parent.mkdir(parents=True)
    photograph.write_text("one")
    link = tmp_path / {"data": "data", "faces": "data/faces", "album": "data/faces/album"}[linked]
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(behind, target_is_directory=True)
    given = {"data_dir": str(tmp_path / "data")}
    before = execute.inputs_digest(chapter(), given)
    assert before == execute.inputs_digest(chapter(), given)
    photograph.write_text("another")
    assert before != execute.inputs_digest(chapter(), given)


def test_a_file_that_a_parameter_names_is_an_input_and_a_folder_that_is_made_is_none(chapter, tmp_path):
    weights, made = tmp_path / "weights.h5", tmp_path / "made"
    weights.write_text("one")
    made.mkdir()
    given = {"weights": str(weights), "checkpoints": str(made)}
    before = execute.inputs_digest(chapter(), given)
    (made / "checkpoint").touch()
    assert before == execute.inputs_digest(chapter(), given)
    weights.write_text("another")
    assert before != execute.inputs_digest(chapter(), given)


def test_checkpoints_are_kept_where_the_caller_said(chapter, tmp_path, monkeypatch):
    """A chapter runs in a folder of its own, which is deleted."""
    monkeypatch.chdir(tmp_path)
    cell = "place = Path(checkpoints)\nplace.mkdir(parents=True)\n(place / 'weights').touch()"
    assert execute.main([str(chapter(cell)), "--output", "out", "-p", "checkpoints", "kept/here"]) == 0
    assert (tmp_path / "kept" / "here" / "weights").exists()


def test_a_failing_cell_fails_the_command_and_is_named(chapter, tmp_path, capsys):
    notebook = chapter("print('so far')\nraise ValueError('no such album')")
    status = execute.main([str(notebook), "--output", str(tmp_path / "out")])
    assert status == 1
    message = capsys.readouterr().err
    assert "99_chapter.ipynb, cell In [2]: ValueError: no such album" in message
    assert not (tmp_path / "out" / "99_chapter.ipynb").exists()
    assert "so far" in printed(tmp_path / "out" / "99_chapter.failed.ipynb")


def test_an_older_result_does_not_survive_a_failure_as_if_it_were_new(chapter, tmp_path):
    folder = tmp_path / "out"
    assert execute.main([str(chapter()), "--output", str(folder)]) == 0
    assert execute.main([str(chapter("1 / 0")), "--output", str(folder)]) == 1
    assert not (folder / "99_chapter.ipynb").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["-p", "sead", "3"],
            "99_chapter.ipynb: no parameter sead; its cell tagged 'parameters' has: seed, ",
        ),
        (["-p", "data_dir", "nowhere/adience"], "data_dir: there is no folder "),
        (["-p", "seed", "1e3"], "seed must be a whole number from 0 to 4294967295, not the text '1e3'"),
        (["-p", "quick", "true"], "quick must be True or False, not the text 'true'"),
        (
            ["-p", "folds", "0, 1"],
            "folds must be a list of whole numbers in rising order, such as [0, 1], not the text",
        ),
        (["-p", "weights", "{a: ["], "weights: there is no file "),
        (["-p", "data_dir", "!!python/object:os.system"], "data_dir: there is no folder "),
        (["-p", "seed", "3", "--publish"], "--publish takes no parameters"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_runs(arguments, words, chapter, tmp_path, capsys):
    assert execute.main([str(chapter()), "--output", str(tmp_path / "out"), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_interrupted_run_leaves_no_half_written_result(chapter, tmp_path, monkeypatch, capsys):
    def interrupted(_input, output, *_rest, **_options):
        nbformat.write(new_notebook(), output)
        raise KeyboardInterrupt

    monkeypatch.setattr(execute.papermill, "execute_notebook", interrupted)
    assert execute.main([str(chapter()), "--output", str(tmp_path / "out")]) == 130
    assert "goes on" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".busy"]


MEETING = """
import pathlib, time
here = pathlib.Path({folder!r})
(here / "{own}").touch()
pathlib.Path("{own}").touch()
until = time.monotonic() + 60
while not (here / "{other}").exists():
    assert time.monotonic() < until, "the other chapter does not run"
    time.sleep(0.05)
print(*sorted(pathlib.Path().iterdir()))"""


def test_two_chapters_run_at_a_time_each_in_a_folder_of_its_own(chapter, tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "AT_ONCE", 2)
    pair = [
        chapter(MEETING.format(folder=str(tmp_path), own=own, other=other), name=f"{own}_chapter")
        for own, other in (("97", "98"), ("98", "97"))
    ]
    outputs = execute.execute_all(pair, {}, tmp_path / "out")
    assert outputs == [tmp_path / "out" / path.name for path in pair]
    assert [printed(output) for output in outputs] == ["97\n", "98\n"]


def test_after_a_failure_no_chapter_begins_and_all_that_failed_are_told(
    chapter, tmp_path, monkeypatch, capsys
):
    notebooks = [chapter(name=name) for name in ("96_chapter", "97_chapter", "98_chapter")]
    both_run = threading.Barrier(2, timeout=60)
    begun = []

    def fail(notebook, *_rest):
        begun.append(notebook)
        both_run.wait()
        raise execute.ChapterError(f"{notebook.name}, cell In [2]")

    monkeypatch.setattr(execute, "AT_ONCE", 2)
    monkeypatch.setattr(execute, "execute", fail)
    assert execute.main([*map(str, notebooks), "--output", str(tmp_path / "out")]) == 1
    assert sorted(begun) == notebooks[:2]
    message = capsys.readouterr().err
    assert "error: 96_chapter.ipynb, cell In [2]" in message
    assert "error: 97_chapter.ipynb, cell In [2]" in message


def test_the_chapter_that_took_longest_comes_first(chapter, tmp_path, monkeypatch):
    notebooks = []
    for name, seconds in (("96_chapter", 3.0), ("97_chapter", 20.0), ("98_chapter", 100.0)):
        notebooks.append(chapter(name=name))
        seals.write(tmp_path / f"{name}.json", [], "older", seconds)
    begun = []
    monkeypatch.setattr(execute, "AT_ONCE", 1)
    monkeypatch.setattr(execute, "execute", lambda notebook, *_rest: begun.append(notebook))
    execute.execute_all(notebooks, {}, tmp_path)
    assert begun == notebooks[::-1]


def test_an_interrupt_ends_every_kernel(chapter, tmp_path):
    pair = [chapter(SLEEPING.format(folder=str(tmp_path)), name=name) for name in ("97_ch", "98_ch")]
    command = [sys.executable, "-m", "tools.execute", *pair, "--output", tmp_path / "out"]
    # A shell that runs the tests in the background has switched the interrupt off.
    interruptible = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    options = {"stderr": subprocess.PIPE, "text": True, "preexec_fn": interruptible}
    with subprocess.Popen(command, cwd=REPOSITORY, **options) as process:
        try:
            kernels = some(tmp_path, "*.kernel", execute.AT_ONCE)
            process.send_signal(signal.SIGINT)
            message = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 130
    assert "goes on" in message
    assert not any(is_running(int(kernel.stem)) for kernel in kernels)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".busy"]

"""Many lessons on many workers: the plan, who may work, what is refused; faults are in test_scale_faults."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytest.importorskip("distributed", reason="the extra 'scale' is not installed")

from facelab.files import alone
from tools import execute, full_runs, paths
from tools.paths import NOTEBOOKS, REPOSITORY, chapters
from tools.scale import __main__ as scale
from tools.scale import agreement, plan, running, work

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
PARAMETERS = """
from pathlib import Path
from typing import Optional

data_dir: Optional[Path] = None
seed: int = 1
quick: bool = False
folds: list[int] = [4]
checkpoints: Optional[Path] = None"""


@pytest.fixture(autouse=True)
def no_thread_limits_stay():
    """A task sets its worker's environment: here pytest's, with which later tests start processes."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def lesson(tmp_path):
    """Write a small lesson with the given last cell."""

    def write(last_cell: str = "print(seed)", parameters: str = PARAMETERS, name: str = "99_1_toy"):
        cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]}, id="parameters")]
        cells.append(new_code_cell(f"{last_cell}\n# checkpoints", id="last"))
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
        return path

    return write


def test_of_each_lesson_seed_and_data_set_there_is_a_task_a_fold_and_one_that_waits_for_them(
    lesson, tmp_path
):
    data = tmp_path / "adience"
    data.mkdir()
    planned = plan.tasks([lesson()], tmp_path / "out", seeds=[1, 2], folds=[0, 3], data_dirs=[data])
    first = [task for task in planned if task.parameters["seed"] == 1]
    assert len(planned) == 6
    assert [task.parameters["folds"] for task in first] == [[0], [3], [0, 3]]
    assert [len(task.after) for task in first] == [0, 0, 2]
    assert first[-1].after == (first[0].name, first[1].name)
    assert all(task.parameters["data_dir"] == str(data) for task in planned)
    assert len({task.output for task in planned}) == len({task.name for task in planned}) == 6


def test_no_other_seed_data_set_or_length_shares_a_folder_of_checkpoints(lesson, tmp_path):
    data = [tmp_path / "one" / "adience", tmp_path / "two" / "adience"]
    for number, folder in enumerate(data):
        folder.mkdir(parents=True)
        (folder / "fold_0_data.txt").write_text(str(number))
    found = [
        task
        for sets in ([], data)
        for length in ("own", "quick")
        for task in plan.tasks([lesson()], tmp_path / "out", [1, 2], [0, 1], sets, length)
    ]
    kinds = {
        (task.parameters["seed"], task.parameters.get("data_dir"), task.parameters.get("quick"))
        for task in found
    }
    assert len(kinds) == 12
    assert len({task.parameters["checkpoints"] for task in found}) == 12
    assert len({task.output for task in found}) == len(found) == 36


def test_a_full_run_finds_what_was_trained_here(monkeypatch, tmp_path):
    """On the embedded faces with the lesson's own seed both name one folder."""
    monkeypatch.setattr(full_runs, "FULL", tmp_path)
    stem = "08_1_slices_and_gaps"
    given = {}
    monkeypatch.setattr(full_runs, "execute", lambda *run, **_: given.update(run[2]))
    monkeypatch.setattr(full_runs, "records", lambda _: [])
    with pytest.raises(ValueError, match="one record"):
        full_runs.run(stem)
    *_, whole = plan.tasks([NOTEBOOKS / f"{stem}.ipynb"], tmp_path, length="full")
    assert whole.parameters.pop("seed") == 1
    given.pop("quick")  # of the quick run before it
    assert whole.parameters == given
    *_, another = plan.tasks([NOTEBOOKS / f"{stem}.ipynb"], tmp_path, [2], length="full")
    assert another.parameters["checkpoints"] == f"{given['checkpoints']}-seed-2"


def test_every_lesson_that_can_be_mapped_names_its_checkpoints_after_the_fold():
    """Tasks of two folds run at once, in one folder of checkpoints."""
    mapped = 0
    for notebook in chapters():
        known = plan.kinds(notebook)
        if {"folds", "checkpoints"} <= known.keys():
            mapped += 1
            cells = nbformat.read(notebook, as_version=4).cells
            source = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
            # In the name of a checkpoint's folder, not in what is said of a score.
            assert re.search(r'f"(\{fold\}-|[^" ]+, \{fold\}")', source), notebook.name
    assert mapped == 6


@pytest.mark.parametrize(
    ("lost", "tasks"),
    [("folds: list[int] = [4]", 1), ("checkpoints: Optional[Path] = None", 1), ("", 6)],
)
def test_a_lesson_without_folds_or_checkpoints_is_one_task(lost, tasks, lesson, tmp_path):
    notebook = lesson(parameters=PARAMETERS.replace(lost, ""))
    assert len(plan.tasks([notebook], tmp_path)) == tasks


def test_the_plan_tells_tasks_and_times_and_writes_nothing(lesson, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(plan, "_seconds_a_fold", lambda *_: 90.0)
    into = tmp_path / "out"
    arguments = [str(lesson()), "--folds", "0", "1", "2", "--into", str(into), "--plan", "--workers", "1"]
    assert scale.main(arguments) == 0
    said = capsys.readouterr().out
    assert "Plan: 4 tasks, 0 of them done already" in said
    assert "99_1_toy, seed 1, fold 2: 90 s" in said
    assert "99_1_toy, seed 1, folds 0 1 2: unknown time" in said
    assert "On 1 worker with " in said
    assert "Time in all: about 4.5 min, and 1 task of unknown time" in said
    assert not into.exists()


def test_times_are_those_of_the_records():
    record = json.loads((paths.RECORDS / "06_2_folds_seeds_pairs.json").read_text())
    assert plan._seconds_a_fold(NOTEBOOKS / "06_2_folds_seeds_pairs.ipynb", "own") == record["seconds"] / 5
    assert plan._seconds_a_fold(NOTEBOOKS / "06_2_folds_seeds_pairs.ipynb", "quick") is None
    assert plan._seconds_a_fold(NOTEBOOKS / "01_2_who_is_in_it.ipynb", "own") is None


def test_a_task_that_is_done_is_known_without_a_scheduler_and_gives_its_time_to_its_like(lesson, tmp_path):
    planned = plan.tasks([lesson()], tmp_path / "out", folds=[0, 1])
    execute.execute(planned[0].notebook, planned[0].output, planned[0].parameters)
    assert [task.name for task in plan.open_tasks(planned)] == [task.name for task in planned[1:]]
    known = plan.learned(planned)
    assert known[1].seconds == known[0].seconds > 0
    assert known[2].seconds is None
    execute.execute(planned[2].notebook, planned[2].output, planned[2].parameters)
    assert plan.open_tasks(planned) == []  # nothing waits for fold 1 any more
    lesson("print(seed + 1)")
    assert plan.open_tasks(planned) == planned


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["99_9"], "no lesson's file name begins with '99_9'"),
        (["01_2", "--full"], "01_2_who_is_in_it has no full run; these have: 03_3_what"),
        (["01_2", "--folds", "0"], "01_2_who_is_in_it.ipynb: no parameter folds"),
        (["06_2", "--seeds", "-1"], "seed must be a whole number from 0"),
        (["06_2", "--data-dirs", "nowhere"], "data_dir: there is no folder "),
        (["06_2", "--workers", "0"], "--workers is the number of processes"),
        (["06_2", "--on", "tcp://h:1", "--workers", "2"], "--workers is the number of processes"),
        (["06_2", "--on", "no-such-file"], "there is no file no-such-file"),
        (["06_2", "--on", "tcp://127.0.0.1:9"], "no scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_wrong_arguments_are_refused_in_a_line(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scale.cluster, "PATIENCE", 2)
    assert scale.main([*arguments, "--into", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_a_damaged_scheduler_file_is_named(tmp_path, capsys):
    file = tmp_path / "scheduler.json"
    file.write_text("{")
    assert scale.main(["06_2", "--on", str(file), "--into", str(tmp_path / "out")]) == 2
    assert f"{file} is no scheduler file" in capsys.readouterr().err


def test_a_second_start_on_one_folder_is_told_of_the_first(lesson, tmp_path, capsys):
    into = tmp_path / "out"
    with alone(into, "the first"):
        assert scale.main([str(lesson()), "--into", str(into)]) == 2
    assert f"another run of tools.scale works in {into}" in capsys.readouterr().err


def test_without_dask_the_error_names_what_to_install():
    missing = "import sys; sys.modules['distributed'] = None; "
    imported = missing + "import tools.scale"
    run = missing + "import runpy; runpy.run_module('tools.scale', run_name='__main__')"
    for code in (imported, run):
        done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode != 0
        assert "pip install 'facelab[scale]'" in done.stderr.splitlines()[-1]


def test_what_differs_between_two_machines_is_named(lesson, tmp_path):
    notebook, data, into = str(lesson()), tmp_path / "adience", tmp_path / "out"
    for folder in (data, into):
        folder.mkdir()
    places = ([notebook], [str(data)], str(into))
    (data / "fold_0_data.txt").write_text("one")
    written = (data / "fold_0_data.txt").stat().st_mtime_ns
    (into / agreement.TOKEN).write_text("word")
    wanted = agreement.fingerprints(*places)
    assert agreement.differences(wanted, agreement.fingerprints(*places)) == []
    (data / "fold_0_data.txt").write_text("two")
    assert agreement.differences(wanted, agreement.fingerprints(*places)) == [
        f"the data set {data} (another content)"
    ]
    lesson("print(2)")
    (into / agreement.TOKEN).unlink()
    (data / "fold_0_data.txt").write_text("one")
    os.utime(data / "fold_0_data.txt", ns=(written, written))
    assert agreement.differences(wanted, agreement.fingerprints(*places)) == [
        f"the lesson {notebook} (another content)",
        f"the shared folder {into} (not there instead of what is here)",
    ]
    for name, other in (("Python", "3.99"), ("the installed keras", "0"), ("requirements.lock", "f" * 64)):
        (text,) = agreement.differences(wanted, wanted | {name: other})
        assert text.startswith(f"{name} (")


def test_a_copied_data_set_is_the_same_one_and_a_lost_photograph_is_seen(tmp_path):
    copies = [tmp_path / name for name in ("here", "there")]
    for folder in copies:
        (folder / "faces").mkdir(parents=True)
        (folder / "fold_0_data.txt").write_text("one")
        (folder / "faces" / "face.jpg").write_bytes(b"photograph")
    os.utime(copies[1] / "faces" / "face.jpg", (0, 0))
    assert agreement.of_data(copies[0]) == agreement.of_data(copies[1])
    assert agreement.of_data(copies[0], times=True) != agreement.of_data(copies[1], times=True)
    (copies[1] / "faces" / "face.jpg").unlink()
    assert agreement.of_data(copies[0]) != agreement.of_data(copies[1])


def test_a_full_disk_names_folder_and_remedy(lesson, tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(execute.papermill, "execute_notebook", full)
    task = plan.tasks([lesson()], tmp_path / "out", folds=[0])[0]
    order = {"name": task.name, "notebook": str(task.notebook), "parameters": task.parameters}
    outcome = work._perform(order | {"output": str(task.output), "threads": 1}, "0", print)
    assert outcome["state"] == "failed"
    assert outcome["message"].startswith("99_1_toy, seed 1, folds 0: [Errno 28] No space left")
    assert f"Make room in {task.output.parent}" in outcome["message"]
    assert not task.output.exists()


def test_the_table_has_a_row_for_each_task():
    outcome = {"state": "done", "worker": "1", "seconds": 12.25, "message": ""}
    lines = running.table(["one", "another"], {"another": outcome}).splitlines()
    assert lines[0].split() == ["task", "worker", "seconds", "state"]
    assert lines[1].split() == ["one", "done", "before"]
    assert lines[2].split() == ["another", "1", "12.2", "done"]

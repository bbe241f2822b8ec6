"""Real workers, and what may happen to them: killed, cut off from the scheduler, interrupted, out of room."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytest.importorskip("distributed", reason="the extra 'scale' is not installed")

from facelab import results
from tools import execute
from tools.paths import NOTEBOOKS, REPOSITORY
from tools.scale import __main__ as scale
from tools.scale import plan, work

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals end processes otherwise on Windows"),
]

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
PARAMETERS = """
import json
import os
import signal
import time
from pathlib import Path
from typing import Optional

from facelab.files import alone, written_whole

seed: int = 1
quick: bool = False
folds: list[int] = [4]
checkpoints: Optional[Path] = None"""
# In place of training: epochs that are kept, and a line for each in a file that outlives all processes.
TRAINING = """
history = {{}}
for fold in folds:
    kept = Path(checkpoints) / str(fold) / "epochs"
    with alone(kept.parent, "another training"):
        epochs = json.loads(kept.read_text()) if kept.exists() else []
        while len(epochs) < 6:
            with Path({log!r}).open("a") as log:
                print(fold, len(epochs), os.getppid(), os.getpid(), len(folds), file=log)
            {fault}
            time.sleep({pace})
            epochs.append(seed + 10 * fold + len(epochs))
            with written_whole(kept) as aside:
                aside.write_text(json.dumps(epochs))
    history[fold] = epochs
Path("results").mkdir()
threads = os.environ["TF_NUM_INTRAOP_THREADS"]
Path("results/99_1_toy.json").write_text(json.dumps({{"history": history, "threads": threads}}))"""


@pytest.fixture
def toy(tmp_path):
    """Write a lesson that pretends to train, in which a statement is run in each epoch."""

    def write(fault: str = "pass", pace: float = 0.05):
        cell = TRAINING.format(log=str(tmp_path / "log"), fault=fault, pace=pace)
        cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, id="parameters")]
        cells.append(new_code_cell(cell, id="training"))
        path = tmp_path / "99_1_toy.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
        return path

    return write


def trained(tmp_path) -> list[list[int]]:
    """Every epoch that began: fold, epoch, the worker's process, the kernel's, the task's number of folds."""
    log = tmp_path / "log"
    return [[*map(int, line.split())] for line in log.read_text().splitlines()] if log.exists() else []


def until(holds, what: str, seconds: float = 300):
    """Wait until something holds; returns it."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:  # one that nobody has waited for is no longer running
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return True


def record(tmp_path) -> dict:
    runs = tmp_path / "out" / "runs"
    (path,) = [*runs.glob("*/results/99_1_toy.json"), *runs.glob("*/folds-*/results/99_1_toy.json")]
    return json.loads(path.read_text())


def expected(*folds: int) -> dict[str, list[int]]:
    return {str(fold): [1 + 10 * fold + epoch for epoch in range(6)] for fold in folds}


def started(toy, tmp_path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tools.scale", str(toy), "--into", str(tmp_path / "out"), *arguments]
    # A shell that runs the tests in the background has switched the interrupt off.
    interruptible = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=interruptible,
    )


def left_over(tmp_path) -> list[str]:
    """Half-written files in the shared folder; a killed process may leave an empty workplace."""
    inside = [path for place in (tmp_path / "out").rglob(".partial-*") for path in place.rglob("*")]
    return [str(path) for path in inside if path.is_file() and path.stat().st_size]


MEETING = """(Path({folder!r}) / f"{{os.getpid()}}.kernel").touch()
            while len(folds) == 1 and len(list(Path({folder!r}).glob("*.kernel"))) < 4:
                time.sleep(0.05)"""


def test_four_kernels_start_at_once_and_a_second_start_does_nothing_again(toy, tmp_path, capsys):
    notebook = toy(MEETING.format(folder=str(tmp_path)))
    arguments = [str(notebook), "--folds", "0", "1", "2", "3", "--workers", "4"]
    arguments += ["--into", str(tmp_path / "out")]
    assert scale.main(arguments) == 0
    said = capsys.readouterr().out
    assert "Dask's dashboard: http://127.0.0.1:" in said
    assert said.count(" done\n") == 5
    assert record(tmp_path) == {"history": expected(0, 1, 2, 3), "threads": "1"}
    epochs = trained(tmp_path)
    assert len(epochs) == 24  # the run with all folds trained nothing
    assert len({process for _, _, process, *_ in epochs}) == 4
    assert scale.main(arguments) == 0
    said = capsys.readouterr().out
    assert "5 tasks, 5 of them done already" in said
    assert said.count("done before") == 5
    assert len(trained(tmp_path)) == 24
    assert left_over(tmp_path) == []


def test_a_worker_killed_in_mid_training_is_replaced_and_its_task_goes_on(toy, tmp_path):
    killing = f"""if fold == 1 and len(epochs) == 3 and not Path({str(tmp_path / "killed")!r}).exists():
                Path({str(tmp_path / "killed")!r}).touch()
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(600)"""
    arguments = [str(toy(killing, pace=0.3)), "--folds", "0", "1", "--into", str(tmp_path / "out")]
    assert scale.main(arguments) == 0
    epochs = [line for line in trained(tmp_path) if line[0] == 1]
    # The kernel ends with its worker, if a second later: asleep, lest it has come to its end before.
    kernels = list(dict.fromkeys(line[3] for line in epochs))
    workers = [next(line[2] for line in epochs if line[3] == kernel) for kernel in kernels]
    assert len(set(workers)) == len(kernels) == 2
    assert not is_running(workers[0])
    assert not any(map(is_running, kernels))
    again = [line[1] for line in epochs if line[3] == kernels[1]]
    assert [line[3] for line in epochs] == sorted((line[3] for line in epochs), key=kernels.index)
    assert again[0] >= 3  # it went on from the checkpoint
    assert again[-1] == 5
    assert record(tmp_path)["history"] == expected(0, 1)
    assert left_over(tmp_path) == []


FAULTS = """
            if fold == 1:
                raise ValueError("no such album")
            if fold == 2:
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(600)"""


def test_tasks_that_fail_are_named_and_the_others_go_on(toy, tmp_path, capsys):
    """One by its cell; one whose worker dies each time."""
    import dask

    arguments = [str(toy(FAULTS)), "--folds", "0", "1", "2", "3", "--into", str(tmp_path / "out")]
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        assert scale.main(arguments) == 1
    said = capsys.readouterr()
    assert "99_1_toy.ipynb, cell In [3]: ValueError: no such album" in said.err
    assert "99_1_toy, seed 1, fold 2: 2 workers died while they ran it" in said.err
    whole = "99_1_toy, seed 1, folds 0 1 2 3: not run, because these failed: "
    assert whole + "99_1_toy, seed 1, fold 1; 99_1_toy, seed 1, fold 2" in said.err
    states = {line.split("  ")[0]: line.split()[-1] for line in said.out.split("state\n")[1].splitlines()}
    assert list(states.values()) == ["done", "failed", "failed", "done", "run"]
    toy()  # mended
    assert scale.main(arguments) == 0
    assert record(tmp_path)["history"] == expected(0, 1, 2, 3)


def test_an_interrupt_ends_workers_and_kernels_and_the_same_command_goes_on(toy, tmp_path):
    notebook = toy(pace=0.4)
    with started(notebook, tmp_path, "--folds", "0", "1") as process:
        try:
            until(lambda: len({line[0] for line in trained(tmp_path)}) == 2, "the tasks do not run")
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            _, error = process.communicate(timeout=300)
        finally:
            process.kill()
    assert process.returncode == 130, error
    assert "Interrupted. The same command goes on" in error
    assert "Traceback" not in error
    epochs = trained(tmp_path)
    assert not any(is_running(process) for line in epochs for process in line[2:4])
    assert left_over(tmp_path) == []
    assert scale.main([str(notebook), "--into", str(tmp_path / "out"), "--folds", "0", "1"]) == 0
    assert record(tmp_path)["history"] == expected(0, 1)
    counted = [tuple(line[:2]) for line in trained(tmp_path)]
    assert len(counted) - len(set(counted)) <= 2  # at most the epoch that each was in


@contextmanager
def program(*arguments: str, cwd=REPOSITORY, **environment: str):
    """Run one of Dask's programs until the block ends."""
    command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=cwd, env=os.environ | environment, **quiet) as process:
        try:
            yield process
        finally:
            process.kill()


def scheduler(file):
    return program(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)
    )


def worker(file, name: str, cwd=REPOSITORY):
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name]
    return program("worker", "--scheduler-file", str(file), *options, cwd=cwd)


def test_a_scheduler_that_is_killed_is_told_of_and_after_its_restart_nothing_is_done_twice(
    toy, tmp_path, capsys
):
    notebook, file = toy(pace=0.3), tmp_path / "scheduler.json"
    arguments = ["--folds", "0", "1", "--on", str(file)]
    with scheduler(file) as killed:
        until(file.exists, "the scheduler does not start")
        with worker(file, "one"), started(notebook, tmp_path, *arguments) as process:
            try:
                done = tmp_path / "out" / "runs" / "99_1_toy-own" / "fold-0" / "99_1_toy.json"
                until(lambda: done.exists() and trained(tmp_path)[-1][0] == 1, "fold 0 is not done")
                killed.kill()
                _, error = process.communicate(timeout=300)
            finally:
                process.kill()
    assert process.returncode == 1
    assert "error: the scheduler at tcp://127.0.0.1:" in error
    assert "give the same command: it goes on" in error
    assert "Traceback" not in error
    before = trained(tmp_path)
    file.unlink()
    with scheduler(file):
        until(file.exists, "the scheduler does not start")
        with worker(file, "two"):
            assert scale.main([str(notebook), "--into", str(tmp_path / "out"), *arguments]) == 0
    assert "99_1_toy, seed 1, fold 0" in capsys.readouterr().out
    assert {line[0] for line in trained(tmp_path)[len(before) :]} <= {1}
    assert record(tmp_path)["history"] == expected(0, 1)


def test_a_worker_that_differs_is_refused_before_work_is_given_out_or_when_it_joins(toy, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(REPOSITORY / "tools", other / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "src").symlink_to(REPOSITORY / "src")
    (other / "notebooks").symlink_to(REPOSITORY / "notebooks")
    (other / "requirements.lock").write_text("another")
    notebook, file = toy(pace=0.5), tmp_path / "scheduler.json"
    arguments = [str(notebook), "--folds", "0", "1", "--on", str(file), "--into", str(tmp_path / "out")]
    environment = {
        "PYTHONPATH": os.pathsep.join(
            p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p != str(REPOSITORY)
        )
    }
    differing = functools.partial(program, "worker", "--scheduler-file", str(file), "--nthreads", "1")
    differing = functools.partial(differing, "--no-nanny", "--no-dashboard", cwd=other, **environment)
    with scheduler(file):
        until(file.exists, "the scheduler does not start")
        with differing():
            assert scale.main(arguments) == 2
        assert "differs in requirements.lock (another content)" in capsys.readouterr().err
        assert trained(tmp_path) == []
        with worker(file, "one"), started(notebook, tmp_path, *arguments[1:-2]) as process:
            try:
                until(lambda: trained(tmp_path), "the tasks do not run")
                with differing():
                    _, error = process.communicate(timeout=300)
            finally:
                process.kill()
    assert process.returncode == 0, error
    assert record(tmp_path)["history"] == expected(0, 1)
    assert len({line[2] for line in trained(tmp_path)}) == 1


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a small disk takes root's rights"
)
def test_a_full_disk_is_named_and_with_room_the_same_command_goes_on(toy, tmp_path, capsys):
    into = tmp_path / "out"
    into.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", into], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        filling = """if len(epochs) == 2 and len(folds) == 1:
                Path(checkpoints, "filling").write_bytes(bytes(2**20))"""
        arguments = [str(toy(filling)), "--folds", "0", "1", "--workers", "1", "--into", str(into)]
        assert scale.main(arguments) == 1
        assert "No space left on device" in (error := capsys.readouterr().err)
        assert str(into) in error
        for file in into.rglob("filling"):
            file.unlink()
        toy()
        assert scale.main(arguments) == 0
        assert record(tmp_path)["history"] == expected(0, 1)
    finally:
        subprocess.run(["umount", into], check=True)


def test_the_record_is_that_of_the_serial_run(tmp_path, monkeypatch):
    """Key by key, numbers to the last digit; each with as many threads."""
    stem = "08_1_slices_and_gaps"
    notebook, folds = NOTEBOOKS / f"{stem}.ipynb", [0, 1]
    for name, threads in work.thread_limits(1).items():
        monkeypatch.setenv(name, threads)
    serial = tmp_path / "serial" / notebook.name
    execute.execute(notebook, serial, {"seed": 1, "quick": True, "folds": folds})
    monkeypatch.setattr(scale, "CPU_COUNT", 2)
    into = tmp_path / "out"
    assert scale.main([stem, "--quick", "--folds", "0", "1", "--workers", "2", "--into", str(into)]) == 0
    *_, whole = plan.tasks([notebook], into, folds=folds, length="quick")
    (scaled,) = execute.records(whole.output)
    alone = results.read(serial.parent / "results" / f"{stem}.json")
    together = json.loads(scaled.read_text())
    different = {"seconds"}
    for key, value in json.loads((serial.parent / "results" / f"{stem}.json").read_text()).items():
        assert key in different or together.pop(key) == value, key
    assert set(together) == different
    assert results.read(scaled).scores == alone.scores

"""Execute the lessons with papermill, two at a time: ``python -m tools.execute``.

Each lesson runs in an empty folder of its own, as it would in Colab. The records of what it measured, which
it leaves there in ``results``, come to lie in ``results`` beside its output. A lesson whose cells, package,
data and parameters are what they were is not run again; an interrupted run goes on where it stopped. Exit
status: 0, or 1 when a cell fails (the lesson and the cell are named), 2 for a wrong argument, 130 when
interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import math
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from facelab import lesson, seals
from facelab.files import alone, workplace, written_whole
from tools import command, fingerprint, recorded_results
from tools.notebooks import normalised, source_only
from tools.parameters import check_parameters, kinds, read
from tools.paths import EXECUTED, NOTEBOOKS, RECORDS, REPOSITORY, RUNS, chapters

CELL_TIMEOUT_SECONDS = 1800
# Two lessons that train at once suit the memory of a small machine.
AT_ONCE = min(2, os.cpu_count() or 1)
# Linux takes 107 bytes for the path of a socket, macOS 103.
LONGEST_SOCKET = 103


class ChapterError(command.FailedError):
    """A cell of a lesson raised an error; the message names both and holds the traceback."""


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    cell_timeout: int | None = CELL_TIMEOUT_SECONDS,
    *,
    on_cell: Callable[[int], None] | None = None,
    keep_open: Sequence[int] = (),
) -> float | None:
    """Execute one lesson into ``output``, unless that holds the result of the same inputs already.

    Parameters
    ----------
    notebook, output : Path
        The lesson, and where its executed copy goes. Its records go into ``results`` beside that.
    parameters : mapping
        New values for those of the lesson's cell tagged ``parameters``.
    cell_timeout : int, optional
        How long one cell may take, in seconds; None for as long as it likes.
    on_cell : callable, optional
        Given the number of each cell, from 0, when it begins, in place of a progress bar.
    keep_open : sequence of int
        File descriptors that the kernel inherits: a lock on one of them holds until the kernel, too, is gone.
        Not on Windows.

    Returns
    -------
    float or None
        The seconds it took; None if it had not to run.

    Raises
    ------
    ChapterError
        If a cell raises. What it printed up to there is in ``output`` with the suffix ``.failed.ipynb``. If
        the kernel dies or a cell takes too long.
    OSError
        If output or records cannot be written; the message names the folder and the remedy.
    """
    inputs = inputs_digest(notebook, parameters)
    if _holds(output, inputs):
        return None
    failed = output.with_suffix(".failed.ipynb")
    for stale in (_seal(output), output, failed, *records(output)):
        _remove(stale)
    start = time.monotonic()
    try:
        # Output and working folder stand in one hidden place, which goes whatever ends this process.
        with workplace(output.parent) as place:
            executed, empty_folder = place / output.name, place / "folder"
            empty_folder.mkdir()
            try:
                _run(notebook, executed, empty_folder, parameters, cell_timeout, on_cell, keep_open)
            except PapermillExecutionError as error:
                executed.replace(failed)
                raise ChapterError(
                    f"{notebook.name}, cell In [{error.exec_count}]: {error.ename}: {error.evalue}\n{error}"
                    f"As far as it came: {failed}"
                ) from error
            except CellTimeoutError as error:
                raise ChapterError(f"{notebook.name}: {error}") from error
            except DeadKernelError as error:
                raise ChapterError(
                    f"{notebook.name}: {error}. See whether the memory suffices: fewer at once need less"
                ) from error
            collected = _collect(empty_folder / "results", output.parent / "results")
            replace(executed, output.parent)
        seconds = round(time.monotonic() - start, 1)
        seals.write(_seal(output), [output, *collected], inputs, seconds)
    except OSError as error:
        raise OSError(
            f"{notebook.name} could not be executed into {output.parent}: {error}. Make sure that there is "
            "room and that you may write there, or name another folder with --output"
        ) from error
    return seconds


def is_current(notebook: Path, output: Path, parameters: Mapping[str, Any]) -> bool:
    """Tell whether an output and its records are what a run left, and its inputs are what they were."""
    return _holds(output, inputs_digest(notebook, parameters))


def is_whole(output: Path) -> bool:
    """Tell whether an output and its records are what a run left, whatever has changed since."""
    return seals.unbroken(_seal(output)) is not None


def records(output: Path) -> list[Path]:
    """List the records that the run left which gave this output."""
    seal = seals.read(_seal(output))
    return [output.parent / name for name in seal.files if name != output.name] if seal else []


def _run(
    notebook: Path,
    executed: Path,
    folder: Path,
    parameters: Mapping[str, Any],
    cell_timeout: int | None,
    on_cell: Callable[[int], None] | None,
    keep_open: Sequence[int],
) -> None:
    """Let papermill execute a lesson in a folder, and write it without what differs between two runs."""
    options: dict[str, Any] = {"progress_bar": {"desc": notebook.stem, "leave": False, "disable": None}}
    if on_cell is not None:
        options = {
            "progress_bar": False,
            "on_cell_start": lambda cell, cell_index: on_cell(cell_index),
        }
    result = papermill.execute_notebook(
        notebook,
        executed,
        dict(parameters),
        kernel_name="python3",
        # Papermill's own `cwd` would move this whole process, with the lesson in the other thread.
        resources={"metadata": {"path": folder}},
        # Papermill makes the kernel from its class, so what this one inherits is told by a class of its own.
        kernel_manager_class=type("_Kernel", (_Kernel,), {"keep_open": tuple(keep_open)}),
        execution_timeout=cell_timeout,
        # A kernel logs the interrupt that ends it as an error; a cell's errors come another way.
        extra_arguments=["--log-level=CRITICAL"],
        **options,
    )
    nbformat.write(normalised(result), executed)


def execute_all(notebooks: Sequence[Path], parameters: Mapping[str, Any], folder: Path) -> list[Path]:
    """Execute lessons into a folder, two at a time, with a bar for each and one for all.

    Those that took longest the last time come first, so that both cores are busy to the end. After a failure
    no further lesson begins, but one that is running goes on.

    Raises
    ------
    ChapterError
        If a cell raises, with all the lessons that failed.
    facelab.files.BusyError
        If another process executes lessons into the folder.
    """
    for notebook in notebooks:
        check_parameters(notebook, parameters)
    outputs = {notebook: folder / notebook.name for notebook in notebooks}
    waiting = deque(sorted(notebooks, key=lambda notebook: -_seconds(outputs[notebook])))
    running: dict[Future[None], Path] = {}
    failures: list[str] = []
    with (
        alone(folder, "another run of this tool executes lessons"),
        ThreadPoolExecutor(AT_ONCE) as threads,
        tqdm(total=len(notebooks), desc="The whole book", unit="lesson", disable=None) as bar,
    ):
        try:
            while running or (waiting and not failures):
                while waiting and not failures and len(running) < AT_ONCE:
                    notebook = waiting.popleft()
                    chapter = threads.submit(_execute_and_say, notebook, outputs[notebook], parameters)
                    running[chapter] = notebook
                for chapter in wait(running, return_when=FIRST_COMPLETED).done:
                    notebook = running.pop(chapter)
                    if isinstance(failure := chapter.exception(), ChapterError):
                        failures.append(str(failure))
                        # The traceback follows when the other lesson is done.
                        tqdm.write(f"{notebook.name}: failed")
                    else:
                        chapter.result()
                        bar.update()
        except KeyboardInterrupt:
            _end(running)
            raise
    if failures:
        raise ChapterError("\nerror: ".join(failures))
    return list(outputs.values())


def _execute_and_say(notebook: Path, output: Path, parameters: Mapping[str, Any]) -> None:
    seconds = execute(notebook, output, parameters)
    done = "unchanged since it was last executed" if seconds is None else f"executed in {seconds} s"
    tqdm.write(f"{notebook.name}: {done}")


class _Kernel(AsyncKernelManager):
    """A kernel that any thread can end: an interrupt reaches only the main one, the others would go on.

    It is spoken to over sockets that are files. Of ports the manager asks for free ones, and by the time its
    kernel takes them that of another process may have them: kernels that start together would fight.
    """

    known: ClassVar[WeakSet[_Kernel]] = WeakSet()
    keep_open: ClassVar[tuple[int, ...]] = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(**(_sockets() | options))
        self.known.add(self)

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        if self.keep_open and sys.platform != "win32":
            options["pass_fds"] = self.keep_open
        await super()._async_launch_kernel(kernel_cmd, **options)


def _sockets() -> dict[str, str]:
    """Name a kernel's connection file and sockets; nothing where a socket cannot be a file: ports, then."""
    stem = str(Path(tempfile.gettempdir()) / f"kernel-{uuid.uuid4().hex}")
    if sys.platform == "win32" or len(stem) + len("-ipc-99") > LONGEST_SOCKET:
        return {}
    return {"connection_file": f"{stem}.json", "transport": "ipc", "ip": f"{stem}-ipc"}


def _end(running: Collection[Future[None]]) -> None:
    """End the kernels of the lessons that are running, until no thread is left that may start another."""
    logging.disable()  # or the threads would report their kernels' death as errors
    while wait(running, timeout=0.2).not_done:
        asyncio.run(kill_kernels())
    logging.disable(logging.NOTSET)


async def kill_kernels() -> None:
    """Kill the kernels of all chapters that run in this process, which so fail."""
    for kernel in list(_Kernel.known):
        if kernel.provisioner is not None:
            await kernel.provisioner.kill()


def publish(outputs: Sequence[Path]) -> None:
    """Copy executed lessons and their records over those that are committed; remake the records' page."""
    for output in outputs:
        replace(output, NOTEBOOKS)
        for record in records(output):
            replace(record, RECORDS)
    recorded_results.write()


def replace(source: Path, folder: Path) -> None:
    """Copy a file into a folder, in one step."""
    with written_whole(folder / source.name) as aside:
        shutil.copyfile(source, aside)


def _collect(source: Path, folder: Path) -> list[Path]:
    """Fetch the records that a lesson left; returns them."""
    found = sorted(source.glob("*.json"))
    for record in found:
        replace(record, folder)
    return [folder / record.name for record in found]


def _seal(output: Path) -> Path:
    return output.with_suffix(".json")


def _holds(output: Path, inputs: str) -> bool:
    """Tell whether an output and its records are what a run left that had these inputs."""
    seal = seals.unbroken(_seal(output))
    return seal is not None and seal.inputs == inputs


def _seconds(output: Path) -> float:
    """Tell how long a lesson took the last time; one that has not been executed may take longest."""
    seal = seals.read(_seal(output))
    return seal.seconds if seal and seal.seconds is not None else math.inf


def _remove(path: Path) -> None:
    """Remove whatever is there: damage may have put a folder in a file's place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def inputs_digest(notebook: Path, parameters: Mapping[str, Any]) -> str:
    """Return a digest of all that a lesson's result depends on: cells, package, lock, parameters, data."""
    digest = hashlib.sha256()
    digest.update(nbformat.writes(source_only(nbformat.read(notebook, as_version=4))).encode())
    package = fingerprint.files_below(REPOSITORY / "src" / "facelab", REPOSITORY / "requirements.lock")
    digest.update(fingerprint.of_contents(package).encode())
    digest.update(json.dumps(dict(parameters), sort_keys=True).encode())
    digest.update(repr(sys.version_info[:2]).encode())
    for path in lesson.input_paths(kinds(notebook), parameters):
        digest.update(fingerprint.of_folder(path).encode())
    return digest.hexdigest()


@command.ends_with_status("goes on with the lessons that were running")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.execute", description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="lessons (default: all)")
    parser.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--output", type=Path, help="folder (default: _build/executed; with -p, _build/runs)")
    parser.add_argument("--publish", action="store_true", help="then replace the committed notebooks by them")
    chosen = parser.parse_args(arguments)
    notebooks = chosen.notebooks or chapters()
    parameters = read(chosen.parameter, notebooks)
    if chosen.publish and parameters:
        raise ValueError("--publish takes no parameters: what is committed is a default run")
    folder = chosen.output or (RUNS if parameters else EXECUTED)
    outputs = execute_all(notebooks, parameters, folder.resolve())
    if chosen.publish:
        publish(outputs)


if __name__ == "__main__":
    sys.exit(main())

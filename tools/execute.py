"""Execute the chapters with papermill, two at a time: ``python -m tools.execute``.

Each chapter runs in an empty folder of its own, as it would in Colab. The records of what it measured, which
it leaves there in ``results``, come to lie in ``results`` beside its output. A chapter whose cells, package,
data and parameters are what they were is not run again; an interrupted run goes on where it stopped. Exit
status: 0, or 1 when a cell fails (the chapter and the cell are named), 2 for a wrong argument, 130 when
interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

import nbformat
import papermill
import yaml
from jupyter_client.manager import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from facelab.files import written_whole
from tools import command, fingerprint, recorded_results
from tools.notebooks import check_parameters, normalised, source_only
from tools.paths import EXECUTED, NOTEBOOKS, RECORDS, REPOSITORY, RUNS, chapters

CELL_TIMEOUT_SECONDS = 1800
# Two chapters that train at once suit the memory of a small machine.
AT_ONCE = min(2, os.cpu_count() or 1)


class ChapterError(command.FailedError):
    """A cell of a chapter raised an error; the message names both and holds the traceback."""


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    cell_timeout: int | None = CELL_TIMEOUT_SECONDS,
) -> float | None:
    """Execute one chapter into ``output``, unless that holds the result of the same inputs already.

    Parameters
    ----------
    notebook, output : Path
        The chapter, and where its executed copy goes. Its records go into ``results`` beside that.
    parameters : mapping
        New values for those of the chapter's cell tagged ``parameters``.
    cell_timeout : int, optional
        How long one cell may take, in seconds; None for as long as it likes.

    Returns
    -------
    float or None
        The seconds it took; None if it had not to run.

    Raises
    ------
    ChapterError
        If a cell raises. What it printed up to there is in ``output`` with the suffix ``.failed.ipynb``.
    """
    seal = output.with_suffix(".json")
    inputs = inputs_digest(notebook, parameters)
    if _holds(output, inputs):
        return None
    output.parent.mkdir(parents=True, exist_ok=True)
    for stale in (seal, output, *records(output)):
        stale.unlink(missing_ok=True)
    partial = output.with_suffix(".partial.ipynb")
    failed = output.with_suffix(".failed.ipynb")
    failed.unlink(missing_ok=True)
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as empty_folder:
            result = papermill.execute_notebook(
                notebook,
                partial,
                dict(parameters),
                kernel_name="python3",
                # Papermill's own `cwd` would move this whole process, with the chapter in the other thread.
                resources={"metadata": {"path": empty_folder}},
                kernel_manager_class=_Kernel,
                progress_bar={"desc": notebook.stem, "leave": False, "disable": None},
                execution_timeout=cell_timeout,
                # A kernel logs the interrupt that ends it as an error; a cell's errors come another way.
                extra_arguments=["--log-level=CRITICAL"],
            )
            collected = _collect(Path(empty_folder) / "results", output.parent / "results")
        nbformat.write(normalised(result), partial)
        partial.replace(output)
    except PapermillExecutionError as error:
        partial.replace(failed)
        raise ChapterError(
            f"{notebook.name}, cell In [{error.exec_count}]: {error.ename}: {error.evalue}\n{error}"
            f"As far as it came: {failed}"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    seconds = round(time.monotonic() - start, 1)
    with written_whole(seal) as aside:
        aside.write_text(json.dumps({"inputs": inputs, "seconds": seconds, "records": collected}))
    return seconds


def is_current(notebook: Path, output: Path, parameters: Mapping[str, Any]) -> bool:
    """Tell whether an output is there, with its records, and its inputs are still what they were."""
    return _holds(output, inputs_digest(notebook, parameters))


def records(output: Path) -> list[Path]:
    """List the records that the run left which gave this output."""
    return [output.parent / "results" / name for name in _sealed(output)["records"]]


def execute_all(notebooks: Sequence[Path], parameters: Mapping[str, Any], folder: Path) -> list[Path]:
    """Execute chapters into a folder, two at a time, with a bar for each and one for all.

    Those that took longest the last time come first, so that both cores are busy to the end. After a failure
    no further chapter begins, but one that is running goes on.

    Raises
    ------
    ChapterError
        If a cell raises, with all the chapters that failed.
    """
    for notebook in notebooks:
        check_parameters(notebook, parameters)
    outputs = {notebook: folder / notebook.name for notebook in notebooks}
    waiting = deque(sorted(notebooks, key=lambda notebook: -_sealed(outputs[notebook])["seconds"]))
    running: set[Future[None]] = set()
    failures: list[str] = []
    with (
        ThreadPoolExecutor(AT_ONCE) as threads,
        tqdm(total=len(notebooks), desc="The whole book", unit="chapter", disable=None) as bar,
    ):
        try:
            while running or (waiting and not failures):
                while waiting and not failures and len(running) < AT_ONCE:
                    notebook = waiting.popleft()
                    running.add(threads.submit(_execute_and_say, notebook, outputs[notebook], parameters))
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for chapter in finished:
                    if isinstance(failure := chapter.exception(), ChapterError):
                        failures.append(str(failure))
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
    try:
        seconds = execute(notebook, output, parameters)
    except ChapterError:
        tqdm.write(f"{notebook.name}: failed")  # the traceback follows when the other chapter is done
        raise
    done = "unchanged since it was last executed" if seconds is None else f"executed in {seconds} s"
    tqdm.write(f"{notebook.name}: {done}")


class _Kernel(AsyncKernelManager):
    """A kernel that any thread can end: an interrupt reaches only the main one, the others would go on."""

    known: ClassVar[WeakSet[_Kernel]] = WeakSet()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.known.add(self)


def _end(running: Collection[Future[None]]) -> None:
    """End the kernels of the chapters that are running, until no thread is left that may start another."""
    while wait(running, timeout=0.2).not_done:
        for kernel in list(_Kernel.known):
            if kernel.provisioner is not None:
                asyncio.run(kernel.provisioner.kill())


def publish(outputs: Sequence[Path]) -> None:
    """Copy executed chapters and their records over those that are committed; remake the records' page."""
    for output in outputs:
        replace(output, NOTEBOOKS)
        for record in records(output):
            replace(record, RECORDS)
    recorded_results.write()


def replace(source: Path, folder: Path) -> None:
    """Copy a file into a folder, in one step."""
    with written_whole(folder / source.name) as aside:
        shutil.copyfile(source, aside)


def _collect(source: Path, folder: Path) -> list[str]:
    """Fetch the records that a chapter left; returns their names."""
    found = sorted(source.glob("*.json"))
    for record in found:
        replace(record, folder)
    return [record.name for record in found]


def _holds(output: Path, inputs: str) -> bool:
    """Tell whether an output is there, with its records, and was made from these inputs."""
    unchanged = _sealed(output)["inputs"] == inputs
    return unchanged and all(result.exists() for result in (output, *records(output)))


def _sealed(output: Path) -> dict[str, Any]:
    """Read what is known of the run that gave this output."""
    seal = output.with_suffix(".json")
    unknown: dict[str, Any] = {"inputs": None, "seconds": math.inf, "records": []}
    return unknown | json.loads(seal.read_text()) if seal.exists() else unknown


def inputs_digest(notebook: Path, parameters: Mapping[str, Any]) -> str:
    """Return a digest of all that a chapter's result depends on: cells, package, lock, parameters, data."""
    digest = hashlib.sha256()
    digest.update(nbformat.writes(source_only(nbformat.read(notebook, as_version=4))).encode())
    package = fingerprint.files_below(REPOSITORY / "src" / "facelab", REPOSITORY / "requirements.lock")
    digest.update(fingerprint.of_contents(package).encode())
    digest.update(json.dumps(dict(parameters), sort_keys=True).encode())
    digest.update(repr(sys.version_info[:2]).encode())
    if parameters.get("data_dir"):
        digest.update(fingerprint.of_folder(Path(parameters["data_dir"])).encode())
    return digest.hexdigest()


def _read_parameters(pairs: Sequence[Sequence[str]]) -> dict[str, Any]:
    parameters = {name: yaml.safe_load(value) for name, value in pairs}
    if parameters.get("data_dir"):
        data_dir = Path(str(parameters["data_dir"])).expanduser().resolve()
        if not data_dir.is_dir():
            raise ValueError(f"data_dir: no folder {data_dir}")
        parameters["data_dir"] = str(data_dir)  # a chapter runs in a folder of its own
    return parameters


@command.ends_with_status("goes on with the chapters that were running")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.execute", description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="chapters (default: all)")
    parser.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--output", type=Path, help="folder (default: _build/executed; with -p, _build/runs)")
    parser.add_argument("--publish", action="store_true", help="then replace the committed notebooks by them")
    chosen = parser.parse_args(arguments)
    parameters = _read_parameters(chosen.parameter)
    if chosen.publish and parameters:
        raise ValueError("--publish takes no parameters: what is committed is a default run")
    folder = chosen.output or (RUNS if parameters else EXECUTED)
    outputs = execute_all(chosen.notebooks or chapters(), parameters, folder.resolve())
    if chosen.publish:
        publish(outputs)


if __name__ == "__main__":
    sys.exit(main())

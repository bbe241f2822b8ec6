"""Execute the chapters with papermill, all in one process: ``python -m tools.execute``.

Each chapter runs in an empty folder of its own, as it would in Colab. The records of what it measured, which
it leaves there in ``results``, come to lie in ``results`` beside its output. A chapter whose cells, package,
data and parameters are what they were is not run again; an interrupted run goes on where it stopped. Exit
status: 0, or 1 when a cell fails (the chapter and the cell are named), 2 for a wrong argument, 130 when
interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import papermill
import yaml
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from tools import fingerprint, recorded_results
from tools.notebooks import check_parameters, normalised, source_only
from tools.paths import EXECUTED, NOTEBOOKS, RECORDS, REPOSITORY, RUNS, chapters

CELL_TIMEOUT_SECONDS = 1800


class ChapterError(Exception):
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
    inputs = _inputs(notebook, parameters)
    results = [output, *records(output)]
    if _sealed(output)["inputs"] == inputs and all(result.exists() for result in results):
        return None
    output.parent.mkdir(parents=True, exist_ok=True)
    for stale in (seal, *results):
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
                cwd=empty_folder,
                progress_bar={"desc": notebook.stem, "position": 1, "leave": False, "disable": None},
                execution_timeout=cell_timeout,
                extra_arguments=["--log-level=ERROR"],  # the kernel warns of its own socket on this machine
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
    seal.write_text(json.dumps({"inputs": inputs, "seconds": seconds, "records": collected}))
    return seconds


def records(output: Path) -> list[Path]:
    """List the records that the run left which gave this output."""
    return [output.parent / "results" / name for name in _sealed(output)["records"]]


def execute_all(notebooks: Sequence[Path], parameters: Mapping[str, Any], folder: Path) -> list[Path]:
    """Execute chapters into a folder, with a bar for each and one for all; stop at the first that fails."""
    for notebook in notebooks:
        check_parameters(notebook, parameters)
    outputs = []
    with tqdm(notebooks, desc="The whole book", unit="chapter", position=0, disable=None) as bar:
        for notebook in bar:
            outputs.append(folder / notebook.name)
            seconds = execute(notebook, outputs[-1], parameters)
            done = "unchanged since it was last executed" if seconds is None else f"executed in {seconds} s"
            tqdm.write(f"{notebook.name}: {done}")
    return outputs


def publish(outputs: Sequence[Path]) -> None:
    """Copy executed chapters and their records over those that are committed; remake the records' page."""
    for output in outputs:
        replace(output, NOTEBOOKS)
        for record in records(output):
            replace(record, RECORDS)
    recorded_results.write()


def replace(source: Path, folder: Path) -> None:
    """Copy a file into a folder, in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{source.name}.partial"
    shutil.copyfile(source, partial)
    partial.replace(folder / source.name)


def _collect(source: Path, folder: Path) -> list[str]:
    """Fetch the records that a chapter left; returns their names."""
    found = sorted(source.glob("*.json"))
    for record in found:
        replace(record, folder)
    return [record.name for record in found]


def _sealed(output: Path) -> dict[str, Any]:
    """Read what is known of the run that gave this output."""
    seal = output.with_suffix(".json")
    unknown: dict[str, Any] = {"inputs": None, "records": []}
    return unknown | json.loads(seal.read_text()) if seal.exists() else unknown


def _inputs(notebook: Path, parameters: Mapping[str, Any]) -> str:
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.execute", description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="chapters (default: all)")
    parser.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--output", type=Path, help="folder (default: _build/executed; with -p, _build/runs)")
    parser.add_argument("--publish", action="store_true", help="then replace the committed notebooks by them")
    chosen = parser.parse_args(arguments)
    try:
        parameters = _read_parameters(chosen.parameter)
        if chosen.publish and parameters:
            raise ValueError("--publish takes no parameters: what is committed is a default run")
        folder = chosen.output or (RUNS if parameters else EXECUTED)
        outputs = execute_all(chosen.notebooks or chapters(), parameters, folder.resolve())
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ChapterError as failure:
        print(f"\nerror: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on with the chapter that was running.", file=sys.stderr)
        return 130
    if chosen.publish:
        publish(outputs)
    return 0


if __name__ == "__main__":
    sys.exit(main())

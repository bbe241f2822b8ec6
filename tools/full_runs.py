"""Run the lessons that train in full and keep what they measured: ``python -m tools.full_runs [lessons]``.

It takes more than an hour, and goes on where it was stopped: after every epoch the training is on the disk,
in ``_build/full``. Before the long run comes a quick one with the same folds, so that a mistake in a late
cell shows at once. Only the record comes into the book, and as a table into the cell tagged ``full-run``; the
notebook's outputs stay those of its short run. Exit status: see :mod:`tools.command`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from facelab import embedded, results
from facelab.files import alone, written_whole
from tools import command, fingerprint, recorded_results
from tools.execute import execute, records, replace
from tools.full_run_pages import cell_of, summary
from tools.parameters import check_parameters
from tools.paths import FULL, NOTEBOOKS, RECORDS, REPOSITORY

LENGTHS: dict[str, dict[str, Any]] = {
    "03_3_what_is_a_score_worth": {"epochs": 8, "photographs": None, "pooled_pace": 3},
    "04_4_is_it_the_loss": {"epochs": 15, "photographs": None, "width": 24},
    "05_3_how_many_labels_is_it_worth": {"steps": 400},
    "06_2_folds_seeds_pairs": {"epochs": 15, "photographs": None, "trainings": 5, "width": 24},
    "08_1_slices_and_gaps": {"steps": 1200},
    "08_3_would_balance_help": {"steps": 400},
}
"""The lessons that train, and the parameters that make their training long."""

TRAINING = ("facelab.training", "facelab.transfer")
"""What trains: a checkpoint depends on these modules and all that they import, on no other of the package."""


def full_parameters(lesson: str) -> dict[str, Any]:
    """Give the parameters that make a lesson's run a full one: every fold, and its own."""
    return {"run": "full", "folds": [0, 1, 2, 3, 4]} | LENGTHS[lesson]


def full_length(lesson: str) -> str:
    """Say how long a lesson's full run is, such as ``15-epochs``, for the name of a folder."""
    return "-".join(f"{value}-{name}" for name, value in LENGTHS[lesson].items() if value is not None)


def checkpoints_in(folder: Path, notebook: Path, *marks: str) -> Path:
    """Name the folder, below another one, for the checkpoints of one kind of run: no other kind shares it.

    Parameters
    ----------
    folder : Path
        Below which all checkpoints lie.
    notebook : Path
        The lesson that trains.
    *marks : str
        In what the run differs from others of the same training code: how long it is, and its seed and its
        data set where these are not the lesson's own.

    Returns
    -------
    Path
        Not made yet.
    """
    return folder / "checkpoints" / "-".join([notebook.stem, training_digest(notebook), *marks])


def run(lesson: str) -> Path:
    """Run a lesson in full, publish its record and show it in the lesson; returns the record.

    Raises
    ------
    ValueError
        If the lesson lacks one of the parameters or the cell, or left another record than it should.
    tools.execute.ChapterError
        If a cell raises.
    """
    notebook = NOTEBOOKS / f"{lesson}.ipynb"
    parameters = full_parameters(lesson)
    checkpoints = checkpoints_in(FULL, notebook, full_length(lesson))
    check_parameters(notebook, parameters | {"quick": True, "checkpoints": str(checkpoints)})
    cell_of(nbformat.read(notebook, as_version=4), lesson)
    output = FULL / notebook.name
    with alone(FULL, "another full run is at work"):
        print(f"{lesson}: a quick run with the same folds first", flush=True)
        execute(notebook, FULL / "quick" / notebook.name, parameters | {"quick": True})
        print(f"{lesson}: the full run; its checkpoints: {checkpoints}", flush=True)
        execute(notebook, output, parameters | {"checkpoints": str(checkpoints)}, cell_timeout=None)
    found = records(output)
    if [record.name for record in found] != [f"{lesson}_full.json"]:
        raise ValueError(f"{lesson}: one record, {lesson}_full.json, was expected, not {found}")
    replace(found[0], RECORDS)
    recorded_results.write()
    show(notebook, results.read(found[0]))
    return RECORDS / found[0].name


def show(notebook: Path, record: results.Record) -> None:
    """Write the summary of a record into the lesson's cell for it."""
    content = nbformat.read(notebook, as_version=4)
    cell_of(content, notebook.stem).source = summary(record)
    with written_whole(notebook) as aside:
        nbformat.write(content, aside)


def training_digest(notebook: Path) -> str:
    """Return a digest of all that training depends on: no checkpoint of other code is used.

    What a lesson does after the last cell that uses its checkpoints may change without training again.
    """
    code = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    last = max((number for number, source in enumerate(code) if "checkpoints" in source), default=-1)
    data = fingerprint.files_below(embedded.ARCHIVES, REPOSITORY / "requirements.lock")
    digest = hashlib.sha256("\0".join(code[: last + 1]).encode())
    digest.update(fingerprint.of_contents([*fingerprint.imported_by(*TRAINING), *data]).encode())
    return digest.hexdigest()[:12]


@command.ends_with_status("goes on after the last whole epoch")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.full_runs", description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help=f"default: {' '.join(LENGTHS)}")
    chosen = parser.parse_args(arguments).lessons or list(LENGTHS)
    if unknown := sorted(set(chosen) - set(LENGTHS)):
        raise ValueError(f"{', '.join(unknown)} has no full run; these have: {', '.join(LENGTHS)}")
    for lesson in chosen:
        print(f"{lesson}: recorded in {run(lesson).relative_to(REPOSITORY)}")


if __name__ == "__main__":
    sys.exit(main())

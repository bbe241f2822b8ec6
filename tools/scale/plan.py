"""Which tasks there are, where each writes, which wait for which, and how long they may take."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from facelab import results, seals
from facelab.adience import FOLDS
from tools import execute, full_runs, paths
from tools.parameters import check_parameters, kinds, own_values
from tools.scale import agreement

Length = Literal["own", "quick", "full"]


@dataclass(frozen=True)
class Task:
    """One run of one lesson, in a process and a kernel of its own.

    Parameters
    ----------
    name : str
        Such as ``"06_2_folds_seeds_pairs, seed 1, fold 3"``.
    notebook : Path
        The lesson.
    parameters : dict
        New values for those of its cell tagged ``parameters``.
    output : Path
        Where its executed copy goes. Its records go into ``results`` beside that.
    after : tuple of str
        The names of the tasks whose trainings this one finds in their common folder of checkpoints.
    seconds : float, optional
        How long it may take; None where nothing is known.
    """

    name: str
    notebook: Path
    parameters: dict[str, Any]
    output: Path
    after: tuple[str, ...] = ()
    seconds: float | None = None

    def is_done(self) -> bool:
        """Tell whether its output is there, of just these inputs: no scheduler has to remember it."""
        return execute.is_current(self.notebook, self.output, self.parameters)


def chosen(names: Sequence[str]) -> list[Path]:
    """Find the lessons of a command line: file stems, their beginnings, or paths of notebooks.

    Raises
    ------
    ValueError
        If a name is that of no lesson.
    """
    found: dict[Path, None] = {}
    for name in names:
        path = Path(name)
        fitting = [path.resolve()] if path.suffix == ".ipynb" and path.is_file() else []
        fitting = fitting or [lesson for lesson in paths.chapters() if lesson.stem.startswith(name)]
        if not fitting:
            raise ValueError(f"no lesson's file name begins with {name!r}: see {paths.NOTEBOOKS}")
        found |= dict.fromkeys(fitting)
    return list(found)


def tasks(
    notebooks: Sequence[Path],
    into: Path,
    seeds: Sequence[int] = (),
    folds: Sequence[int] = (),
    data_dirs: Sequence[Path] = (),
    length: Length = "own",
) -> list[Task]:
    """List the tasks: for each lesson, seed and data set one for each fold, then one with all folds.

    Parameters
    ----------
    notebooks : sequence of Path
        The lessons.
    into : Path
        The shared folder, absolute.
    seeds, folds : sequence of int
        Without any: the lesson's own seed; all folds of the benchmark.
    data_dirs : sequence of Path
        Data sets in the benchmark's layout. Without any: the embedded faces.
    length : {"own", "quick", "full"}
        How long they train: as the lesson shows it, as a smoke run, or as a full run.

    Returns
    -------
    list of Task
        What another one waits for comes before it. A lesson that keeps no checkpoints of its folds is one
        task: of a run with one fold it would find nothing again.

    Raises
    ------
    ValueError
        If a lesson lacks a parameter or does not take its value, or has no full run.
    """
    found: list[Task] = []
    places: Sequence[Path | None] = data_dirs or [None]
    for notebook in notebooks:
        own = own_values(notebook)
        starts: Sequence[int | None] = seeds or [own.get("seed")]
        for data_dir in places:
            for seed in starts:
                found += _runs(notebook, into, own, seed, folds or FOLDS, data_dir, length, bool(folds))
    return found


def _runs(
    notebook: Path,
    into: Path,
    own: dict[str, Any],
    seed: int | None,
    folds: Sequence[int],
    data_dir: Path | None,
    length: Length,
    named: bool,
) -> Iterator[Task]:
    """Yield the tasks of one lesson, seed and data set."""
    given: dict[str, Any] = {} if seed is None else {"seed": seed}
    marks = [length if length != "full" else _full_length(notebook)]
    if length == "quick":
        given["quick"] = True
    elif length == "full":
        given |= full_runs.full_parameters(notebook.stem)
    if seed != own.get("seed"):
        marks.append(f"seed-{seed}")
    if data_dir is not None:
        given["data_dir"] = str(data_dir)
        marks.append(f"{data_dir.name}-{agreement.of_data(data_dir)[:12]}")
    known = kinds(notebook)
    if "folds" in known or named:
        given["folds"] = sorted(set(folds))
    if "checkpoints" in known:
        # Named as by the full runs, which so find what is trained here, and the other way round.
        given["checkpoints"] = str(full_runs.checkpoints_in(into, notebook, *marks))
    check_parameters(notebook, given)
    name = ", ".join([notebook.stem, *([f"seed {seed}"] if seed is not None else [])])
    name = name if data_dir is None else f"{name}, {data_dir}"
    place = into / "runs" / "-".join([notebook.stem, *marks])
    each = _seconds_a_fold(notebook, length) if data_dir is None else None
    mapped = []
    if "folds" in known and "checkpoints" in known and len(given["folds"]) > 1:
        for fold in given["folds"]:
            output = place / f"fold-{fold}" / notebook.name
            one = Task(f"{name}, fold {fold}", notebook, given | {"folds": [fold]}, output, (), each)
            mapped.append(one.name)
            yield one
    alone = None if mapped or each is None else each * len(given.get("folds", [0]))
    whole = f"{name}, folds {' '.join(map(str, given['folds']))}" if "folds" in given else name
    # The folds are part of the name, or a command with others would remove this record.
    place = place / f"folds-{'-'.join(map(str, given['folds']))}" if named else place
    yield Task(whole, notebook, given, place / notebook.name, tuple(mapped), alone)


def _full_length(notebook: Path) -> str:
    if notebook.stem not in full_runs.LENGTHS:
        raise ValueError(
            f"{notebook.stem} has no full run; these have: {', '.join(full_runs.LENGTHS)}. Leave --full out"
        )
    return full_runs.full_length(notebook.stem)


def _seconds_a_fold(notebook: Path, length: Length) -> float | None:
    """Tell how long a lesson trained for one fold when it was recorded; None where it was not."""
    name = f"{notebook.stem}_full.json" if length == "full" else f"{notebook.stem}.json"
    if length == "quick" or not (paths.RECORDS / name).is_file():
        return None
    record = results.read(paths.RECORDS / name)
    return record.seconds / len(record.parameters.get("folds", [0]))


def open_tasks(planned: Sequence[Task]) -> list[Task]:
    """Leave out what is done; also what only one that is done waits for."""
    done = {task.name for task in planned if task.is_done()}
    needless = {name for task in planned if task.name in done for name in task.after}
    return [task for task in planned if task.name not in done | needless]


def learned(planned: Sequence[Task]) -> list[Task]:
    """Replace the recorded seconds by those of tasks of the same kind that were done here before."""
    took: dict[tuple[object, ...], list[float]] = {}
    for task in planned:
        seal = seals.read(task.output.with_suffix(".json"))
        if seal is not None and seal.seconds is not None:
            took.setdefault(_kind(task), []).append(seal.seconds)
    means = {kind: sum(seconds) / len(seconds) for kind, seconds in took.items()}
    return [replace(task, seconds=means.get(_kind(task), task.seconds)) for task in planned]


def _kind(task: Task) -> tuple[object, ...]:
    return (
        task.notebook,
        task.parameters.get("data_dir"),
        len(task.parameters.get("folds", [])),
        bool(task.after),
    )


def described(planned: Sequence[Task], left: Sequence[Task], workers: int, threads: int, into: Path) -> str:
    """Write the plan: how many tasks on what, how long they may take, and where it all goes.

    Parameters
    ----------
    planned, left : sequence of Task
        All of them, and those that are not done yet.
    workers, threads : int
        How many workers there are, and how many threads each of them computes with.
    into : Path
        The shared folder.
    """
    lines = [f"Plan: {len(planned)} tasks, {len(planned) - len(left)} of them done already"]
    lines += [f"  {task.name}: {_duration(task.seconds)}" for task in left]
    known = [task.seconds for task in left if task.seconds is not None]
    total = f"about {_duration(max(sum(known) / max(workers, 1), max(known)))}" if known else "unknown"
    unknown = len(left) - len(known)
    if known and unknown:
        total += f", and {unknown} {'task' if unknown == 1 else 'tasks'} of unknown time"
    room = shutil.disk_usage(next(place for place in (into, *into.parents) if place.exists())).free
    many = "1 worker" if workers == 1 else f"{workers} workers"
    lines += [
        f"On {many} with {threads} {'thread' if threads == 1 else 'threads'} each. Time in all: {total}.",
        "Times are those of such tasks here, or else those recorded for the training elsewhere.",
        f"Into {into} ({room / 1e9:,.0f} GB free)",
    ]
    return "\n".join(lines)


def _duration(seconds: float | None) -> str:
    """Write a time in the unit that fits it."""
    if seconds is None:
        return "unknown time"
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"

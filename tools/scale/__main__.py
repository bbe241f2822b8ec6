"""Run lessons on many processes or machines: ``python -m tools.scale LESSON… [--seeds …] [--on …]``.

Of each lesson, seed and data set there is one task for each fold, and then one that has all folds: it finds
every training in their common folder of checkpoints and writes the record, which is that of one ordinary run.
A task whose output is there is not run again, so that after any interruption the same command goes on. Exit
status: 0, or 1 when a task failed or the scheduler is gone, 2 for a wrong argument or a worker that differs,
130 when interrupted.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import nbformat
from dask.system import CPU_COUNT
from distributed import Client

from facelab.files import alone, written_whole
from tools import command, execute, paths
from tools.scale import agreement, cluster, plan, running
from tools.scale.work import Order, Outcome


def run(
    tasks: Sequence[plan.Task], data_dirs: Sequence[Path], into: Path, on: str, workers: int
) -> dict[str, Outcome]:
    """Run the tasks that are not done; print what becomes of them.

    Raises
    ------
    tools.command.FailedError
        With all that failed, each with its notebook and cell; or if the scheduler is gone.
    facelab.files.BusyError
        If another such run works in the folder.
    ValueError
        If a worker differs, before any task is given out.
    """
    outcomes: dict[str, Outcome] = {}
    with alone(into, "another run of tools.scale works"):
        if left := plan.open_tasks(tasks):
            with cluster.connected(on, workers) as client:
                threads = cluster.threads_each(client, on, workers)
                print(plan.described(tasks, left, len(client.nthreads()), threads, into))
                print(f"Dask's dashboard: {client.dashboard_link}", flush=True)
                outcomes = _run_on(client, left, data_dirs, into, threads)
        else:
            print(f"Plan: {len(tasks)} tasks, {len(tasks)} of them done already")
    print(running.table([task.name for task in tasks], outcomes))
    if failures := [outcome["message"] for outcome in outcomes.values() if outcome["state"] != "done"]:
        raise command.FailedError("\nerror: ".join(failures))
    waited_for = {name for task in tasks for name in task.after}
    for task in tasks:
        if task.name not in waited_for:
            for record in execute.records(task.output):
                print(f"Record: {record}")
    return outcomes


def _run_on(
    client: Client, left: Sequence[plan.Task], data_dirs: Sequence[Path], into: Path, threads: int
) -> dict[str, Outcome]:
    """Give tasks to workers that agree, with a bar for each."""
    word = uuid.uuid4().hex
    with written_whole(into / agreement.TOKEN) as aside:
        aside.write_text(word, encoding="utf-8")
    notebooks = sorted({agreement.portable(task.notebook) for task in left})
    places = (notebooks, [str(folder) for folder in data_dirs], str(into))
    wanted = agreement.fingerprints(*places)
    cluster.refuse_differing(client, wanted, *places)
    jobs = [
        running.Job(task.name, _order(task, word, threads, places, wanted), task.after, task.seconds)
        for task in left
    ]
    progress = running.Progress({task.name: _cells(task.notebook) for task in left})
    client.subscribe_topic(word, progress.hear)
    try:
        with running.ended_after(client, word):
            return running.run_all(client, jobs, cluster.performing(), progress.tell)
    finally:
        progress.close()


def _order(
    task: plan.Task, word: str, threads: int, places: tuple[list[str], list[str], str], wanted: dict[str, str]
) -> Order:
    notebooks, data_dirs, into = places
    return Order(
        command=word,
        name=task.name,
        notebook=agreement.portable(task.notebook),
        parameters=task.parameters,
        output=str(task.output),
        threads=threads,
        notebooks=notebooks,
        data_dirs=data_dirs,
        into=into,
        wanted=wanted,
    )


def _cells(notebook: Path) -> int:
    """Count the cells that are run: papermill adds one with the parameters."""
    return len(nbformat.read(notebook, as_version=4).cells) + 1


@command.ends_with_status(
    "goes on: tasks that are done are not run again, trainings go on after their last epoch"
)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.scale", description=__doc__.split("\n")[0])
    parser.add_argument(
        "lessons", nargs="+", metavar="LESSON", help="beginning of a lesson's file name: 06_2"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[], help="default: the lesson's own")
    parser.add_argument("--folds", nargs="+", type=int, default=[], help="default: all of the benchmark")
    parser.add_argument(
        "--data-dirs", nargs="+", type=Path, default=[], metavar="DIR", help="default: the embedded faces"
    )
    lengths = parser.add_mutually_exclusive_group()
    lengths.add_argument(
        "--full", dest="length", action="store_const", const="full", help="train as long as a full run"
    )
    lengths.add_argument("--quick", dest="length", action="store_const", const="quick", help="a smoke run")
    parser.add_argument(
        "--on",
        default="local",
        help="local (default), a scheduler's address, tcp://…, or the file that it wrote",
    )
    parser.add_argument("--workers", type=int, help="processes on this machine (default: 2, on one core 1)")
    parser.add_argument(
        "--into",
        type=Path,
        help="folder that all workers share (default: _build/scale; with --full, _build/full)",
    )
    parser.add_argument("--plan", action="store_true", help="print the plan, and stop")
    chosen = parser.parse_args(arguments)
    if chosen.workers is not None and (chosen.on != "local" or chosen.workers < 1):
        raise ValueError("--workers is the number of processes that --on local starts, at least 1")
    workers = chosen.workers or min(2, CPU_COUNT)
    length: plan.Length = chosen.length or "own"
    into = (chosen.into or (paths.FULL if length == "full" else paths.BUILD / "scale")).resolve()
    data_dirs = [folder.resolve() for folder in chosen.data_dirs]
    tasks = plan.tasks(plan.chosen(chosen.lessons), into, chosen.seeds, chosen.folds, data_dirs, length)
    tasks = plan.learned(tasks)
    if chosen.plan:
        threads = max(1, CPU_COUNT // workers)
        if chosen.on != "local":
            with cluster.connected(chosen.on, workers) as client:
                workers, threads = len(client.nthreads()), cluster.threads_each(client, chosen.on, workers)
        print(plan.described(tasks, plan.open_tasks(tasks), workers, threads, into))
        return
    run(tasks, data_dirs, into, chosen.on, workers)


if __name__ == "__main__":
    sys.exit(main())

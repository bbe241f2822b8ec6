"""What many workers bring, and what they cost: ``python -m tools.measure.scaling [LESSON]``.

Two figures, each a ratio within one run, so that they mean the same on any machine:

* the overhead a task: sleeping tasks on two workers take longer than they sleep, and a part of that is each
  task's; it should not grow with their number;
* the speed-up: the quick run of a lesson's five folds, by one worker and by two that share its cores.

A busy machine makes both worse. Everything is written into a folder that goes when the command ends.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tools import command
from tools.scale import __main__ as scale
from tools.scale import cluster, plan, running
from tools.scale.work import Outcome

LESSON = "08_1"
NUMBERS = (10, 100, 1000)
WORKERS = 2
SLEEP_SECONDS = 0.05


def overhead(number: int) -> float:
    """Measure the seconds that a task takes beyond its work, of so many that sleep.

    Parameters
    ----------
    number : int
        How many tasks there are. The workers and their start are not counted.

    Returns
    -------
    float
        In seconds of one worker.
    """
    jobs = [running.Job(f"sleep {one}", SLEEP_SECONDS) for one in range(number)]
    with cluster.connected("local", WORKERS) as client:
        running.run_all(client, jobs[:WORKERS], _sleeping(), _ignore)  # what is loaded once is loaded now
        begun = time.perf_counter()
        running.run_all(client, jobs, _sleeping(), _ignore)
        seconds = time.perf_counter() - begun
    return (seconds - number * SLEEP_SECONDS / WORKERS) * WORKERS / number


def seconds_of(lesson: str, workers: int) -> tuple[float, float]:
    """Measure how long the quick runs of a lesson's folds take, and of that the last one, with all folds.

    Returns
    -------
    tuple of float
        Seconds from the first task to the end; and of those, the seconds that only one worker had work.
    """
    with tempfile.TemporaryDirectory() as folder:
        tasks = plan.tasks(plan.chosen([lesson]), Path(folder), length="quick")
        begun = time.perf_counter()
        outcomes = scale.run(tasks, [], Path(folder), "local", workers)
        seconds = time.perf_counter() - begun
    return seconds, outcomes[tasks[-1].name]["seconds"] or 0.0


def _sleeping() -> Callable[[Any], Outcome]:
    """Make what workers do; made here, it is sent to them as code."""

    def sleep(seconds: float) -> Outcome:
        import time

        time.sleep(seconds)
        return {"state": "done", "worker": "", "seconds": seconds, "message": ""}

    return sleep


def _ignore(name: str, outcome: Outcome) -> None:
    """Take an outcome and tell nobody."""


@command.ends_with_status("begins again")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.measure.scaling", description=__doc__.split("\n")[0]
    )
    parser.add_argument("lesson", nargs="?", default=LESSON, help=f"default: {LESSON}")
    chosen = parser.parse_args(arguments)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"Load before: {load}")
    for number in NUMBERS:
        print(f"{number} tasks: {overhead(number):.3f} s of overhead a task", flush=True)
    one, _ = seconds_of(chosen.lesson, 1)
    two, last = seconds_of(chosen.lesson, WORKERS)
    print(f"{chosen.lesson}, quick: {one:.0f} s by one, {two:.0f} s by two: {one / two:.2f} times as fast")
    print(f"Of the {two:.0f} s, the run with all folds, which cannot be shared, took {last:.0f} s")


if __name__ == "__main__":
    sys.exit(main())

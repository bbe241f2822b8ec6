"""Giving the tasks out, each when it may begin; and telling what becomes of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from distributed import CancelledError, Client, Future, as_completed
from distributed.scheduler import KilledWorker
from tqdm import tqdm

from tools import command
from tools.scale import work
from tools.scale.work import Outcome


class LostError(command.FailedError):
    """The scheduler is gone, and with it the knowledge of what runs; what is finished is on the disk."""


class Job(NamedTuple):
    """A task as it is given out."""

    name: str
    order: Any
    after: tuple[str, ...] = ()
    seconds: float | None = None


def run_all(
    client: Client,
    jobs: Sequence[Job],
    perform: Callable[[Any], Outcome],
    tell: Callable[[str, Outcome], None],
) -> dict[str, Outcome]:
    """Let the workers do all jobs, those that take longest first; after a failure the others go on.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    jobs : sequence of Job
        What waits for others begins when they are done; what is not among the jobs is done.
    perform : callable
        Given a job's order on a worker.
    tell : callable
        Given the name and the outcome of each job as soon as it is known.

    Returns
    -------
    dict of Outcome
        By name. Jobs that waited for one that failed are ``not run``.

    Raises
    ------
    LostError
        If the connection to the scheduler breaks.
    """
    outcomes: dict[str, Outcome] = {}
    waiting = {job.name: job for job in jobs}
    given: dict[Future, Job] = {}
    names = set(waiting)
    completed = as_completed()

    def give(job: Job) -> None:
        key = f"{job.name}-{uuid.uuid4().hex}"  # a scheduler may remember an older one of this name
        # Jobs of unknown length first: one of them may be the longest.
        priority = 1e9 if job.seconds is None else job.seconds
        future = client.submit(perform, job.order, key=key, priority=priority, pure=False)
        given[future] = job
        completed.add(future)

    def know(job: Job, outcome: Outcome) -> None:
        outcomes[job.name] = outcome
        tell(job.name, outcome)

    def give_what_may_begin() -> None:
        for job in list(waiting.values()):
            states = {name: outcomes[name]["state"] for name in job.after if name in outcomes}
            if names.intersection(job.after) - states.keys():
                continue
            del waiting[job.name]
            if failed := [name for name, state in states.items() if state != "done"]:
                why = f"{job.name}: not run, because these failed: {'; '.join(failed)}"
                know(job, Outcome(state="not run", worker="", seconds=None, message=why))
            else:
                give(job)

    try:
        give_what_may_begin()
        while given:
            for future in _next(client, completed):
                job = given.pop(future)
                outcome = _outcome(client, future, job)
                if outcome["state"] == "refused":
                    # This worker joined late, or was changed since. It gets no other task.
                    tell(job.name, outcome)
                    client.retire_workers(workers=[outcome["worker"]], close_workers=True)
                    if not client.nthreads():
                        raise command.FailedError(
                            "no worker is left: the last one differed. The same command goes on"
                        )
                    give(job)
                else:
                    know(job, outcome)
            give_what_may_begin()
    except KeyboardInterrupt:
        client.cancel(list(given))
        raise
    return outcomes


def _next(client: Client, completed: as_completed) -> list[Future]:
    """Wait for jobs that are over."""
    alone_since: float | None = None
    looked = time.monotonic()
    while not completed.has_ready():
        if client.status != "running":
            raise _lost(client)
        time.sleep(0.05)
        if time.monotonic() - looked > 5:
            looked = time.monotonic()
            try:
                workers = client.nthreads()
            except OSError:
                raise _lost(client) from None
            if workers:
                alone_since = None
            elif alone_since is None:
                alone_since = looked
                tqdm.write("no worker is left: the tasks wait until one joins")
    return list(completed.next_batch(block=False))


def _outcome(client: Client, future: Future, job: Job) -> Outcome:
    """Read what became of a job."""
    try:
        error = future.exception()
    except CancelledError:
        raise _lost(client) from None
    if future.status == "cancelled" or isinstance(error, CancelledError):
        raise _lost(client)
    if isinstance(error, KilledWorker):
        message = (
            f"{job.name}: {error.allowed_failures + 1} workers died while they ran it. Look whether their "
            "memory suffices"
        )
        return Outcome(state="failed", worker=str(error.last_worker.name), seconds=None, message=message)
    if error is not None:
        return Outcome(state="failed", worker="", seconds=None, message=f"{job.name}: {error!r}")
    return future.result()


def _lost(client: Client) -> LostError:
    address = client.scheduler.address if client.scheduler is not None else "the address given"
    return LostError(
        f"the scheduler at {address} is gone. What is finished is on the disk. Start scheduler and workers "
        "again, and give the same command: it goes on"
    )


@contextmanager
def ended_after(client: Client, word: str) -> Iterator[None]:
    """When the block is interrupted, end what runs on the workers; a cancelled task would go on there."""
    try:
        yield
    except KeyboardInterrupt:
        with suppress(Exception):
            until = time.monotonic() + 15
            while any(client.run(work.end, word, on_error="ignore").values()) and time.monotonic() < until:
                time.sleep(0.2)
        raise


class Progress:
    """A bar for all tasks, and one for each that runs; without a terminal a line as each begins and ends.

    Parameters
    ----------
    cells : mapping of str
        How many cells the notebook of each task has.
    """

    def __init__(self, cells: Mapping[str, int]) -> None:
        self._cells = cells
        self._all = tqdm(total=len(cells), desc="All tasks", unit="task", disable=None)
        self._each: dict[str, tqdm] = {}

    def hear(self, event: tuple[float, Any]) -> None:
        """Take what a worker says of its task."""
        _, said = event
        task, what = said["task"], said["what"]
        if what.startswith("cell "):
            if (bar := self._each.get(task)) is not None:
                bar.update(int(what.removeprefix("cell ")) - bar.n)
            return
        tqdm.write(f"{task}: {what}, worker {said['by']}")
        self._close(task)  # of a worker that died
        self._each[task] = tqdm(total=self._cells[task], desc=task, unit="cell", leave=False, disable=None)

    def tell(self, task: str, outcome: Outcome) -> None:
        """Say what became of a task."""
        if outcome["state"] == "refused":
            tqdm.write(f"worker {outcome['worker']} gets no task: {outcome['message']}")
            return
        self._close(task)
        seconds = "" if outcome["seconds"] is None else f" in {outcome['seconds']} s"
        tqdm.write(f"{task}: {outcome['state']}{seconds}")
        self._all.update()

    def close(self) -> None:
        """Take all bars off the terminal."""
        for task in list(self._each):
            self._close(task)
        self._all.close()

    def _close(self, task: str) -> None:
        if (bar := self._each.pop(task, None)) is not None:
            bar.close()


def table(names: Sequence[str], outcomes: Mapping[str, Outcome]) -> str:
    """Lay out what became of each task; one without an outcome was done before."""
    rows = [("task", "worker", "seconds", "state")]
    for name in names:
        outcome = outcomes.get(name)
        if outcome is None:
            rows.append((name, "", "", "done before"))
        else:
            seconds = "" if outcome["seconds"] is None else f"{outcome['seconds']:.1f}"
            rows.append((name, outcome["worker"], seconds, outcome["state"]))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}" for row in rows
    )

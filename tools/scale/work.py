"""What a worker does with a task: see that it may, keep others off, run the notebook.

Everything here runs in a worker's process. It loads no TensorFlow: the notebook's kernel, a process of its
own, does, and inherits from here how many threads it may take.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

from distributed import get_worker

from tools import execute
from tools.command import FailedError
from tools.scale import agreement

_at_work: Counter[str] = Counter()
_agreeing: dict[str, str] = {}


class Order(TypedDict):
    """What a worker is told of a task; all of it is text and numbers, which any Python reads."""

    command: str
    """Which command gave it out: a word of its own."""
    name: str
    notebook: str
    parameters: dict[str, Any]
    output: str
    threads: int
    notebooks: list[str]
    data_dirs: list[str]
    into: str
    wanted: dict[str, str]


class Outcome(TypedDict):
    """What became of a task: ``done``, ``failed``, or ``refused`` by this worker and still to be done."""

    state: str
    worker: str
    seconds: float | None
    message: str


def perform(order: Order) -> Outcome:
    """Run a task on this worker; a failure comes back as a text, with notebook and cell."""
    worker = get_worker()
    if order["command"] not in _agreeing:
        places = order["notebooks"], order["data_dirs"], order["into"]
        _agreeing[order["command"]] = differing(order["wanted"], *places)
    if why := _agreeing[order["command"]]:
        return Outcome(state="refused", worker=worker.address, seconds=None, message=why)

    def tell(what: str) -> None:
        event = {"task": order["name"], "by": str(worker.name), "what": what}
        worker.log_event(order["command"], event)

    _at_work[order["command"]] += 1
    try:
        return _perform(order, str(worker.name), tell)
    finally:
        _at_work[order["command"]] -= 1


def differing(wanted: dict[str, str], notebooks: list[str], data_dirs: list[str], into: str) -> str:
    """Say why this worker may not do a command's tasks; nothing if it may."""
    try:
        here = agreement.fingerprints(notebooks, data_dirs, into)
    except (OSError, ValueError) as error:
        return f"it cannot take the fingerprints: {error}"
    found = agreement.differences(wanted, here)
    return f"it differs in {', '.join(found)}" if found else ""


def _perform(order: Order, worker: str, tell: Any) -> Outcome:
    output = Path(order["output"])
    begun = time.monotonic()
    failure = ""
    try:
        with only_one(output.parent, lambda: tell("waits for another process that runs it")) as lock:
            tell("begins")
            os.environ.update(thread_limits(order["threads"]))
            execute.execute(
                agreement.located(order["notebook"]),
                output,
                order["parameters"],
                cell_timeout=None,
                on_cell=lambda number: tell(f"cell {number + 1}"),
                keep_open=lock,
            )
    except FailedError as error:
        failure = f"{order['name']}: {error}"
    except OSError as error:
        failure = f"{order['name']}: {error.__cause__ or error}. {_remedy(output.parent)}"
    except RuntimeError as error:  # jupyter_client's, for a kernel that does not come up
        failure = f"{order['name']}: its kernel did not start: {error}"
    seconds = round(time.monotonic() - begun, 1)
    state = "failed" if failure else "done"
    return Outcome(state=state, worker=worker, seconds=seconds, message=failure)


def _remedy(folder: Path) -> str:
    return f"Make room in {folder}, and see that you may write there; the same command goes on"


def thread_limits(threads: int) -> dict[str, str]:
    """Name the environment variables that tell TensorFlow, before it loads, how many threads to take.

    Results depend on it, from the last digits on: sums are split among the threads.
    """
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    return dict.fromkeys(names, str(threads))


@contextmanager
def only_one(folder: Path, waits: Any) -> Iterator[tuple[int, ...]]:
    """Let one process at a time work on a task; the others wait.

    Parameters
    ----------
    folder : Path
        The task's own.
    waits : callable
        Called once if another process is at work there.

    Yields
    ------
    tuple of int
        The file descriptor whose lock the kernel must inherit. When a worker is killed, its kernel lives on
        for a moment and may write a checkpoint: the lock is given back when the last of both is gone. Empty
        on Windows, where a kernel ends with its worker, and on a drive without locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        from filelock import FileLock

        with FileLock(folder / ".task"):
            yield ()
        return
    import fcntl

    with (folder / ".task").open("w") as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    waits()
                told = True
                time.sleep(0.2)
            except OSError:
                yield ()
                return
            else:
                break
        yield (file.fileno(),)


async def end(command: str) -> int:
    """End the kernels of a command's tasks on this worker; returns how many tasks are left."""
    if _at_work[command]:
        logging.disable()  # or it would be told that they died, as errors
        await execute.kill_kernels()
    else:
        logging.disable(logging.NOTSET)
    return _at_work[command]

"""The workers: on this machine, started and ended here; or elsewhere, known to a scheduler."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dask.system import CPU_COUNT
from distributed import Client, LocalCluster

from tools.scale.work import Order, Outcome

PATIENCE = 30
"""Seconds until a scheduler that does not answer is given up."""


@contextmanager
def connected(on: str, workers: int) -> Iterator[Client]:
    """Connect to workers, and leave them as they were; those on this machine are started and ended.

    Parameters
    ----------
    on : str
        ``"local"``, the address of a scheduler, or the path of the file that it wrote.
    workers : int
        How many processes to start on this machine.

    Yields
    ------
    distributed.Client
        With at least one worker.

    Raises
    ------
    ValueError
        If `on` is nothing of these.
    OSError
        If no scheduler answers there, or it has no worker.
    """
    # It tells in tracebacks what is said here in a line, and gives its client a level of its own.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if on == "local":
        with _local(workers) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(timeout=PATIENCE, **_scheduler(on))
    except OSError as error:
        raise OSError(
            f"no scheduler answers at {on}: {error}. Start one with 'dask scheduler', or see whether a "
            "firewall is between"
        ) from error
    try:
        _wait_for_workers(client, on)
        yield client
    finally:
        with suppress(Exception):  # of a scheduler that is gone there is nothing to take leave of
            client.close(timeout=2)


@contextmanager
def _local(workers: int) -> Iterator[LocalCluster]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Port .* is already in use")  # then it takes another one
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:8787",
            # A worker would be ended for the memory that it alone uses, and that is not the kernel's.
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            preload=["tools.scale.preload"],
        )
    try:
        yield cluster
    finally:
        cluster.close(timeout=PATIENCE)


def _scheduler(on: str) -> dict[str, str]:
    """Tell the client where the scheduler is."""
    if "://" in on:
        return {"address": on}
    path = Path(on)
    try:
        address = json.loads(path.read_text(encoding="utf-8"))["address"]
    except FileNotFoundError:
        raise ValueError(
            f"--on is 'local', an address such as tcp://host:8786, or the file that 'dask scheduler "
            f"--scheduler-file FILE' wrote; there is no file {on}"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{on} is no scheduler file of Dask's ({error}): start the scheduler again"
        ) from error
    return {"address": address}


def _wait_for_workers(client: Client, on: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise OSError(f"the scheduler at {on} has no worker: start some with cluster/worker.sh") from None


def threads_each(client: Client, on: str, workers: int) -> int:
    """Tell with how many threads each worker may compute: one number for all, so that all compute alike.

    It is the smallest share of a machine's cores, among the machines.
    """
    if on == "local":
        return max(1, CPU_COUNT // workers)
    cores: dict[str, int] = {}
    at_once: dict[str, int] = {}
    slots = client.nthreads()
    for address, (host, count) in client.run(_host_and_cores()).items():
        cores[host] = count
        at_once[host] = at_once.get(host, 0) + slots.get(address, 1)
    return max(1, min(cores[host] // at_once[host] for host in cores))


def _host_and_cores() -> Callable[[], tuple[str, int]]:
    def look() -> tuple[str, int]:
        import socket

        from dask.system import CPU_COUNT

        return socket.gethostname(), CPU_COUNT

    return look


# Dask sends a function of a module by its name, which a worker that was started elsewhere does not find. One
# that is made inside another function it sends as code.


def _of_the_course(name: str) -> Callable[..., Any]:
    """Make what calls a function of :mod:`tools.scale.work` on a worker, or says in a text why it cannot."""

    def call(*given: Any) -> Any:
        import sys
        from pathlib import Path

        sys.path.insert(0, str(Path.cwd()))
        try:
            from tools.scale import work
        except ImportError as error:
            return f"it cannot import the course's tools ({error}): start it in the repository's folder"
        finally:
            sys.path.pop(0)
        return getattr(work, name)(*given)

    return call


def performing() -> Callable[[Order], Outcome]:
    """Make the function that workers run for a task; where they cannot, it says why."""
    call = _of_the_course("perform")

    def perform(order: Order) -> Outcome:
        from distributed import get_worker

        found = call(order)
        if isinstance(found, str):
            return {"state": "refused", "worker": get_worker().address, "seconds": None, "message": found}
        return found

    return perform


def refuse_differing(client: Client, wanted: dict[str, str], *places: Any) -> None:
    """Refuse all work if a worker has another package, lock, lesson or data set, or not the shared folder.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    wanted : dict of str
        The fingerprints here.
    *places
        What they were taken of, for :func:`tools.scale.agreement.fingerprints`.

    Raises
    ------
    ValueError
        Naming each worker that differs, and in what.
    """
    found = client.run(_of_the_course("differing"), wanted, *places)
    lines = [f"worker {address}: {why}" for address, why in found.items() if why]
    if lines:
        raise ValueError(
            "\n".join([*lines, "Give all machines the same copy of the course, its lock and its data"])
        )

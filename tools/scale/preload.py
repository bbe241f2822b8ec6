"""What a local worker does first, before any task."""

from __future__ import annotations

import signal

from distributed import Worker


def dask_setup(worker: Worker) -> None:
    """Leave an interrupt to the command: a terminal sends it to all its processes at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

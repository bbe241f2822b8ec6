"""A process that is killed at each of its steps in turn, for what must survive that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_DRIVER = """
import os, signal, sys, traceback
from pathlib import Path

{setup}

def run(folder, kill_at):
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    steps = 0

    def watch(event, arguments):
        nonlocal steps
        touches = any(str(folder) in str(argument) for argument in arguments)
        if event == "step" or (touches and event.startswith(("open", "os.", "shutil."))):
            steps += 1
            if steps == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    try:
        work(folder)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

at = 1
while (ended := run(Path(sys.argv[1]) / f"killed_at_{{at}}", at)) == -signal.SIGKILL:
    assert run(Path(sys.argv[1]) / f"killed_at_{{at}}", 0) == 0
    at += 1
sys.exit(ended)
"""


def killed_at_each_step(setup: str, folder: Path, *arguments: str) -> list[Path]:
    """Kill ``work(folder)`` at its first step in one folder, at its second in another, until it has no more.

    Each is done again, undisturbed, where it was killed. A step is whatever Python says of a file or a folder
    inside, or ``sys.audit("step")``. `setup` defines ``work``. The folders come back.
    """
    folder.mkdir()
    command = [sys.executable, "-W", "ignore", "-c", _DRIVER.format(setup=setup), str(folder), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 0, ended.stderr
    return sorted(path for path in folder.iterdir() if any(path.iterdir()))


def without_empty_workplaces(folder: Path) -> list[str]:
    """Return the names in a folder; a killed process may leave an empty workplace, which takes no room."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if not path.name.startswith(".partial-")
        or any(file.is_file() and file.stat().st_size for file in path.rglob("*"))
    )

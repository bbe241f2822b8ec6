"""Interrupt ``make environment`` at random moments and see whether the next one mends it.

From the root of the project: ``python3 -m tools.soak_environment 24``. It works in a clone of its own in the
temporary folder, takes about a minute an interruption, and is no part of the tests; a test in
``tests/project/test_making.py`` does the same in seconds, with an installer that only pretends.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import command

_IMPORTS = "import numpy, pandas, tensorflow, keras, matplotlib, jupyter_book, jupyterlab, papermill, facelab"


def lacking(environment: Path) -> list[str]:
    """Name the files that packages of an environment have recorded and that are not there, or not whole."""
    found = []
    for package in (environment / "lib").glob("python*/site-packages/*.dist-info"):
        record = package / "RECORD"
        if not record.is_file():
            found.append(str(record))
            continue
        with record.open(encoding="utf-8", newline="") as lines:
            for name, _, size in csv.reader(lines):
                file = package.parent / name
                if not file.is_file() or (size and file.stat().st_size != int(size)):
                    found.append(str(file))
    return found


def interrupted(clone: Path, chance: random.Random, number: int) -> str:
    """Begin ``make environment`` and stop it with a signal; returns how."""
    kind = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[number % 3]
    in_step = chance.random() < 0.2  # an environment that is whole, and a lock that is newer
    if in_step:
        (clone / "requirements.lock").touch()
    else:
        subprocess.run(["rm", "-rf", clone / ".venv"], check=True)
    making = subprocess.Popen(
        ["make", "environment"],
        cwd=clone,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert making.stdout is not None
    installing = in_step or chance.random() < 0.75  # when most is at stake
    if installing:
        next((line for line in making.stdout if "Installing" in line), None)
    moment = chance.uniform(0, 5)
    time.sleep(moment)
    over = making.poll() is not None
    alone = kind == signal.SIGKILL and number % 2 == 1  # what make started goes on without it
    if not over:
        (os.kill if alone else os.killpg)(making.pid, kind)
        making.wait()
    place = "into installing" if installing else "into making it"
    return f"{kind.name}{' of make alone' * alone} {moment:.1f} s {place}{' (was over)' * over}"


@command.ends_with_status("begins again")
def main() -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("interruptions", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    survived = 0
    with tempfile.TemporaryDirectory(prefix="facelab-environment-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", Path.cwd(), clone], check=True)
        subprocess.run(["make", "environment"], cwd=clone, check=True, stdout=subprocess.DEVNULL)
        for number in range(arguments.interruptions):
            how = interrupted(clone, moments, number)
            left = len(lacking(clone / ".venv"))
            again = subprocess.run(["make", "environment"], cwd=clone, stdout=subprocess.DEVNULL)
            missing = lacking(clone / ".venv")
            imports = subprocess.run(
                [clone / ".venv/bin/python", "-c", _IMPORTS], capture_output=True, cwd=folder
            )
            whole = again.returncode == 0 and not missing and imports.returncode == 0
            survived += whole
            print(
                f"{how}, {left} files lacking: {'whole again' if whole else f'NOT WHOLE {missing[:3]}'}",
                flush=True,
            )
    print(f"{survived} of {arguments.interruptions} interruptions survived")
    if survived < arguments.interruptions:
        raise command.FailedError("an interrupted environment was not mended")


if __name__ == "__main__":
    sys.exit(main())

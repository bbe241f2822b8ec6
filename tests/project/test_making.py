"""`make environment` mends what an interruption left, and `make lab` opens what its links need.

The installers only pretend here, so that a test takes a second and needs no network. They go about it as pip
and uv do: a file is written piece by piece, and a package whose folder is there is taken for whole.
tools/soak_environment.py does the same with the real ones.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = 4
FILES = 5
PRETENDS = f"""#!{sys.executable} -ES
import os, shutil, sys, time
from pathlib import Path

me, words = Path(sys.argv[0]), sys.argv[1:]
if words == ["--version"]:
    print("uv 1.0" if me.name == "uv" else "Python 3.12.0")
elif words[0] == "-c":
    sys.argv = words[:1] + words[2:]
    exec(words[1])
elif words[:3] == ["-m", "venv", "--clear"]:
    folder = Path(words[3])
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "bin").mkdir(parents=True)
    (folder / "site").mkdir()
    shutil.copy(me, folder / "bin" / "python")
elif words[:3] == ["-m", "pip", "install"]:
    uv, content = me.with_name("uv"), me.read_bytes()
    uv.write_bytes(content[:120])
    time.sleep(0.2)
    uv.write_bytes(content)
    uv.chmod(0o755)
elif words[:2] == ["pip", "sync"]:
    for number in range({PACKAGES}):
        package = Path(os.environ["VIRTUAL_ENV"], "site", f"package{{number}}")
        if not package.exists():
            package.mkdir()
            for file in range({FILES}):
                (package / f"{{file}}.py").write_text("whole")
                time.sleep(0.02)
elif words[:2] == ["pip", "install"]:
    time.sleep(0.1)
    Path(os.environ["VIRTUAL_ENV"], "site", "project.pth").write_text("src")
else:
    sys.exit(f"unknown: {{words}}")
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither make nor such signals")


class Clone:
    """The project's Makefile in a folder of its own, with installers that pretend."""

    def __init__(self, folder: Path):
        self.folder, self.venv = folder, folder / ".venv"
        shutil.copy(REPOSITORY / "Makefile", folder)
        (folder / "requirements.lock").write_text("uv==1.0 \\\n    --hash=sha256:00\n")
        (folder / "pyproject.toml").touch()
        python = folder / "python"
        python.write_text(PRETENDS)
        python.chmod(0o755)
        self.command = ["make", f"PYTHON={python}", "environment"]
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
        }

    def begin(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def make(self) -> str:
        making = self.begin()
        said = making.communicate(timeout=60)[0]
        assert making.returncode == 0, said
        return said

    def installed(self) -> int:
        return len(list(self.venv.glob("site/*/*.py")))

    def is_whole(self) -> bool:
        running = [
            subprocess.run([self.venv / "bin" / name, "--version"], capture_output=True).stdout
            for name in ("uv", "python")
        ]
        return (
            all(running)
            and self.installed() == PACKAGES * FILES
            and (self.venv / "site/project.pth").exists()
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return Clone(tmp_path)


MOMENTS: dict[str, Callable[[Clone], bool]] = {
    "half of uv": lambda clone: (clone.venv / "bin/uv").exists(),
    "a package begun": lambda clone: clone.installed() >= 2,  # a busy machine may not look at 2
    "some packages": lambda clone: clone.installed() >= FILES + 3,
    "all but the project": lambda clone: clone.installed() == PACKAGES * FILES,
}


@posix
@pytest.mark.parametrize(
    ("kind", "moment", "changed"),
    [
        *(("SIGKILL", moment, False) for moment in MOMENTS),
        ("SIGINT", "some packages", False),
        ("SIGTERM", "some packages", False),
        ("SIGINT", "some packages", True),
        ("SIGKILL", "all but the project", True),
    ],
)
def test_an_interrupted_installation_is_mended_by_the_next(
    clone: Clone, kind: str, moment: str, changed: bool
) -> None:
    if changed:
        clone.make()
        shutil.rmtree(clone.venv / "site")  # as if the lock had other packages now
        (clone.venv / "site").mkdir()
        os.utime(clone.venv / ".in-step", (1, 1))
    making = clone.begin()
    deadline = time.monotonic() + 30
    while not MOMENTS[moment](clone):
        assert time.monotonic() < deadline
        assert making.poll() is None
        time.sleep(0.002)
    os.killpg(making.pid, getattr(signal, kind))
    making.communicate()
    clone.make()
    assert clone.is_whole()
    assert "Nothing to be done" in clone.make()


@posix
def test_an_installer_that_outlives_its_make_is_waited_for(clone: Clone) -> None:
    making = clone.begin()
    while clone.installed() < 2:
        time.sleep(0.002)
    os.kill(making.pid, signal.SIGKILL)  # make alone: uv goes on
    said = clone.make()
    assert "waiting" in said
    assert clone.is_whole()


@posix
def test_two_makes_at_once_make_one_environment(clone: Clone) -> None:
    both = [clone.begin(), clone.begin()]
    said = [making.communicate(timeout=60)[0] for making in both]
    assert [making.returncode for making in both] == [0, 0], said
    assert clone.is_whole()
    assert sum("Installing" in words for words in said) == 1


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:120])


@posix
@pytest.mark.parametrize("program", ["uv", "python"])
@pytest.mark.parametrize(
    "damage",
    [cut, lambda path: path.write_bytes(b""), lambda path: path.chmod(0o644), Path.unlink],
    ids=["cut", "empty", "not executable", "gone"],
)
def test_a_program_that_does_not_run_is_replaced(clone: Clone, program: str, damage) -> None:
    clone.make()
    damage(clone.venv / "bin" / program)
    assert "not whole" in clone.make()
    assert clone.is_whole()


@posix
def test_a_changed_lock_installs_what_is_new_and_no_more(clone: Clone) -> None:
    clone.make()
    kept = clone.venv / "site" / "package0" / "0.py"
    before = kept.stat().st_mtime_ns
    shutil.rmtree(clone.venv / "site" / "package3")
    os.utime(clone.venv / ".in-step", (1, 1))
    said = clone.make()
    assert "Installing" in said
    assert "Making" not in said
    assert clone.is_whole()
    assert kept.stat().st_mtime_ns == before


@posix
def test_jupyterlab_opens_with_the_chapters_and_finds_the_pages_that_they_link_to() -> None:
    """A chapter links to ../book/…, which a server rooted in notebooks/ lacks. It starts as root too."""
    environment = Path(sys.executable).parents[1]
    if shutil.which("make") is None or not (environment / "bin" / "jupyter").exists():
        pytest.skip("make or JupyterLab is not installed")
    command = ["make", "--dry-run", "--always-make", f"VENV={environment}", "lab"]
    words = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = f" --no-browser --ServerApp.port={port} --ServerApp.port_retries=0 --IdentityProvider.token=x"
    server = subprocess.Popen(
        "exec " + words.splitlines()[-1] + flags,
        shell=True,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for page in ("api/contents/book/adience.md", "lab/tree/notebooks"):
            assert status(server, f"http://127.0.0.1:{port}/{page}?token=x") == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/?token=x", timeout=30) as first:
            assert first.url.split("?")[0].endswith("/lab/tree/notebooks")
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


def status(server: subprocess.Popen[str], address: str) -> int:
    """Ask until the server has begun."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"the server has ended: {server.stderr.read()[-500:] if server.stderr else ''}")
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            time.sleep(0.3)
    pytest.fail("the server did not begin within two minutes")

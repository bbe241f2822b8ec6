"""The files of ``cluster/`` are what shells and Kubernetes read, and start workers that do tasks."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tools.paths import REPOSITORY

CLUSTER = REPOSITORY / "cluster"
SHELL = sorted([*CLUSTER.glob("*.sh"), CLUSTER / "slurm.sbatch"])
MANIFESTS = list(yaml.safe_load_all((CLUSTER / "kubernetes.yaml").read_text(encoding="utf-8")))
PAGE = REPOSITORY / "book" / "from_laptop_to_cluster.md"
# Nothing of these tests listens on a network.
HERE = os.environ | {"INTERFACE": "lo", "BIN": str(Path(sys.executable).parent)}


# ---- Are they what is read? -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.name)
def test_bash_can_read_it(path, tmp_path):
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", path]).returncode == 0
    broken = tmp_path / "broken.sh"
    broken.write_text(path.read_text(encoding="utf-8") + "\nif true; then\n", encoding="utf-8")
    assert subprocess.run(["bash", "-n", broken], capture_output=True).returncode != 0


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(path):
    if not (shellcheck := shutil.which("shellcheck")):
        pytest.skip("shellcheck is not installed (Debian: shellcheck)")
    done = subprocess.run([shellcheck, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda manifest: f"{manifest['kind']}-{manifest['metadata']['name']}"
)
def test_kubernetes_can_read_it(manifest):
    newest = kubernetes_validate.latest_version()
    kubernetes_validate.validate(manifest, newest, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest | {"nonsense": 1}, newest, strict=True)


def test_what_the_manifests_name_is_there():
    """A selector that selects nothing, or a claim of another name, is valid all the same."""
    pods = {m["metadata"]["name"]: m["spec"]["template"] for m in MANIFESTS if "template" in m["spec"]}
    labels = [pod["metadata"]["labels"] for pod in pods.values()]
    names = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in MANIFESTS}
    for manifest in MANIFESTS:
        selector = manifest["spec"].get("selector") or manifest["spec"].get("podSelector") or {}
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= of.items() for of in labels)
    for pod in pods.values():
        for volume in pod["spec"].get("volumes", []):
            assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names
        (container,) = pod["spec"]["containers"]
        for address in re.findall(r"tcp://([\w-]+):(\d+)", " ".join(container["command"])):
            service = next(m for m in MANIFESTS if m["kind"] == "Service")
            assert (service["metadata"]["name"], str(service["spec"]["ports"][0]["port"])) == address
    assert len({pod["spec"]["containers"][0]["image"] for pod in pods.values()}) == 1


def test_nothing_of_the_manifests_can_be_reached_from_outside():
    assert "Ingress" not in {manifest["kind"] for manifest in MANIFESTS}
    (policy,) = [manifest for manifest in MANIFESTS if manifest["kind"] == "NetworkPolicy"]
    course = {"podSelector": {"matchLabels": {"app": "reading-faces"}}}
    assert policy["spec"]["ingress"] == [{"from": [course]}]
    assert policy["spec"]["podSelector"] == course["podSelector"]
    assert not re.search(r"hostPort|hostNetwork", (CLUSTER / "kubernetes.yaml").read_text(encoding="utf-8"))
    (service,) = [manifest for manifest in MANIFESTS if manifest["kind"] == "Service"]
    assert service["spec"]["type"] == "ClusterIP"


def test_the_page_names_every_file():
    page = PAGE.read_text(encoding="utf-8")
    for path in CLUSTER.iterdir():
        assert f"cluster/{path.name}" in page, path.name


# ---- Do they work? ----------------------------------------------------------------------------------------

# What two workers say of themselves, and a task that one of them does.
ASK = """
import json, sys
from distributed import Client
with Client(scheduler_file=sys.argv[1]) as client:
    where = client.run(lambda: __import__("os").getcwd())
    threads = list(client.nthreads().values())
    print(json.dumps([sorted(set(where.values())), threads, client.submit(sum, [1, 2, 3]).result()]))
sys.exit(7)
"""


@pytest.fixture
def workers(tmp_path):
    """Two workers that wait for a scheduler's file; they are ended if the test has not done it."""
    file = tmp_path / "a folder" / "scheduler.json"
    file.parent.mkdir()
    started = subprocess.Popen(
        [CLUSTER / "worker.sh", file, "2"],
        env=HERE | {"TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield file, started
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@pytest.mark.slow
def test_two_workers_do_a_task_and_everything_ends_with_the_command(workers, tmp_path):
    file, started = workers
    command = [CLUSTER / "run.sh", file, "2", sys.executable, "-c", ASK, file]
    done = subprocess.run(command, env=HERE, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 7, done.stderr  # the command's
    assert json.loads(done.stdout.splitlines()[-1]) == [[str(REPOSITORY)], [1, 1], 6]
    assert not file.exists()
    assert started.wait(timeout=60) == 0, "the workers outlived their scheduler"


@pytest.mark.slow
def test_an_interrupted_run_leaves_no_scheduler(tmp_path):
    file = tmp_path / "scheduler.json"
    command = [CLUSTER / "run.sh", file, "1", "true"]
    run = subprocess.Popen(command, env=HERE, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True)
    end = time.monotonic() + 60
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.1)
    address = json.loads(file.read_text(encoding="utf-8"))["address"]
    os.kill(run.pid, signal.SIGTERM)  # as `timeout` does: the script alone, which waits for workers
    assert run.wait(timeout=60) == 143
    assert not file.exists()
    host, port = address.removeprefix("tcp://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=10)


@pytest.mark.parametrize("name", ["worker.sh", "run.sh", "ssh.sh"])
def test_without_arguments_it_says_what_it_wants(name, tmp_path):
    done = subprocess.run([CLUSTER / name], env=HERE, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: cluster/")


def test_ssh_starts_workers_on_each_machine_in_a_folder_with_a_blank(tmp_path):
    """In place of ssh stands a program that runs the command here, as a shell at the other end would."""
    course = tmp_path / "the course"
    shutil.copytree(CLUSTER, course / "cluster")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh").write_text('#!/bin/sh\nshift 3\necho "$1" >>"$LOG"; shift\nexec sh -c "$1"\n')
    (course / "cluster" / "worker.sh").write_text('#!/bin/sh\necho "$PWD|$1|$2" >>"$LOG"\n')
    (course / "cluster" / "run.sh").write_text('#!/bin/sh\nwait; sleep 1; printf "%s|" "$@" >>"$LOG"\n')
    for program in (tmp_path / "bin" / "ssh", *(course / "cluster").glob("*.sh")):
        program.chmod(0o755)
    log = tmp_path / "log"
    environment = HERE | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "LOG": str(log)}
    command = [course / "cluster" / "ssh.sh", "a@one two", "06_2", "--seeds", "1"]
    subprocess.run(command, env=environment, check=True, timeout=60)
    lines = log.read_text(encoding="utf-8").splitlines()
    file = course / "_build" / "scale" / "scheduler.json"
    assert sorted(lines[:-1]) == sorted(["a@one", "two", *[f"{course}|{file}|2"] * 2])
    assert lines[-1].startswith(f"{file}|4|.venv/bin/python|-m|tools.scale|06_2|--seeds|1|--on|{file}|")

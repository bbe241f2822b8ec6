from __future__ import annotations

import sys
from pathlib import Path

import pytest

from facesim import __main__ as command_line
from facesim import archive, dataset, sweeps
from facesim.assets import AssetError
from facesim.studio import StudioError


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    def run(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["facesim", *map(str, words)])
        return command_line.main()

    return run


def test_render_renders_both_sets(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(dataset, "render", lambda *words: calls.append(words))
    monkeypatch.setattr(sweeps, "render", lambda *words: calls.append(words))
    assert run("render", tmp_path, "--seed", 3, "--photographs", 50) == 0
    assert calls == [(tmp_path / "embedded_faces", 3, 50), (tmp_path / "counterfactual_faces", 3, 200)]


def test_pack_packs_what_was_rendered(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(archive, "pack", lambda *words: calls.append(words))
    assert run("pack", tmp_path, tmp_path / "data") == 0
    folders = {name: tmp_path / name for name in ("embedded_faces", "counterfactual_faces")}
    assert calls == [(folders, tmp_path / "data")]


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (AssetError("the renderer's assets are not there"), 1, "error: the renderer's assets are not there"),
        (StudioError("begun with another seed"), 2, "error: begun with another seed"),
        (
            OSError(28, "No space left on device", "a.jpg"),
            2,
            "No space left on device: 'a.jpg'. What is there",
        ),
        (PermissionError(13, "Permission denied", "a.jpg"), 2, "Permission denied: 'a.jpg'"),
        (KeyboardInterrupt(), 130, "the same command goes on from here"),
    ],
)
def test_a_command_that_could_not_says_why_and_how_it_ended(
    run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    message: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(dataset, "render", fail)
    assert run("render", tmp_path) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert len(said.err.splitlines()) == 1


def test_help_names_every_command(run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run("--help")
    said = capsys.readouterr().out
    assert all(command in said for command in ("python -m facesim", "fetch-assets", "render", "pack"))

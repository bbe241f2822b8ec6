"""A notebook's first cells: the package is fetched or its absence told, and wrong parameters are refused."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell
from papermill.exceptions import PapermillExecutionError

from tools.notebooks import check_cell, setup_cell
from tools.paths import NOTEBOOKS

FIRST = "01_1_from_files_to_one_table"
SCORED = "03_3_what_is_a_score_worth"


@pytest.fixture
def opening(tmp_path, monkeypatch):
    """Run a chapter through papermill up to its check, from a folder with a data set in it."""
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "2014").mkdir()

    def run(chapter: str, **parameters: object) -> str:
        notebook = nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4)
        check = next(i for i, cell in enumerate(notebook.cells) if cell.source == check_cell())
        notebook.cells = [*notebook.cells[: check + 1], new_code_cell("print(data_dir, quick)", id="last")]
        nbformat.write(notebook, tmp_path / "opening.ipynb")
        done = papermill.execute_notebook(
            tmp_path / "opening.ipynb", tmp_path / "out.ipynb", parameters, progress_bar=False
        )
        return done.cells[-1].outputs[0].text

    return run


@pytest.mark.parametrize(
    ("chapter", "parameters", "words"),
    [
        (FIRST, {"quick": "false"}, "quick must be True or False, not the text 'false'"),
        (FIRST, {"data_dir": "null"}, "data_dir must be a path or None, not the text 'null'"),
        (
            FIRST,
            {"datadir": "2014"},
            "no parameter datadir; it has data_dir, seed, quick. Did you",
        ),
        (FIRST, {"data_dir": "daten"}, "It was given as 'daten', and the current folder is "),
        (SCORED, {"folds": [4, 4]}, "folds must be a list of whole numbers in rising order"),
        (SCORED, {"photographs": 0}, "photographs must be a whole number from 1 to "),
        (SCORED, {"folds": "[0]"}, "With papermill write, for example, -y '{folds: [0, 1]}'"),
    ],
)
def test_a_wrong_parameter_stops_the_lesson_with_one_sentence(chapter, parameters, words, opening):
    with pytest.raises(PapermillExecutionError) as raised:
        opening(chapter, **parameters)
    assert raised.value.ename == "ParameterError"
    assert words in raised.value.evalue
    assert raised.value.traceback == [f"ParameterError: {raised.value.evalue}"]


@pytest.mark.parametrize("given", [2014, "~/2014"])
def test_a_folder_may_be_a_number_or_in_the_home_folder(given, opening, tmp_path):
    assert opening(FIRST, data_dir=given, quick=True) == f"{tmp_path / '2014'} True\n"


@pytest.fixture
def without_the_package(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "facelab" else find(name, *rest)
    )


def test_an_install_that_fails_stops_with_its_own_reason(without_the_package, monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("FACELAB_SOURCE", str(tmp_path / "no where"))
    with pytest.raises(RuntimeError) as raised:
        exec(setup_cell(), {})
    said = str(raised.value)
    assert f"could not be installed from {tmp_path / 'no where'}\n" in said
    assert "run this cell again later" in said
    assert "ERROR: " in said.split("What pip says:\n")[1]
    assert capfd.readouterr() == ("", "")


def test_the_remedy_of_the_message_works(without_the_package, monkeypatch, tmp_path):
    """A copy of the course beside the notebook is given to pip by the name that the message shows."""
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "course" / "facelab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package.parent / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "facelab"\nversion = "9"\n'
    )
    shutil.make_archive("course", "zip", tmp_path, "course")
    remedy = re.search(r"^import os; .+$", _message(), flags=re.MULTILINE)[0]
    monkeypatch.setenv("FACELAB_SOURCE", "")
    exec(remedy, {})
    for name, value in {"NO_DEPS": "1", "NO_BUILD_ISOLATION": "0", "TARGET": str(tmp_path / "there")}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    exec(setup_cell(), {})
    assert (tmp_path / "there" / "facelab" / "__init__.py").exists()


def _message() -> str:
    """What the setup cell says when nothing can be installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, "", "no"))
        with pytest.raises(RuntimeError) as raised:
            exec(setup_cell(), {})
    return str(raised.value)


def test_a_source_with_a_blank_is_one_source_and_success_prints_nothing(
    without_the_package, monkeypatch, capsys
):
    commands = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("FACELAB_SOURCE", "/a folder/facelab.whl")
    exec(setup_cell(), {})
    assert [command[1:] for command in commands] == [
        ["-m", "pip", "install", "--quiet", "/a folder/facelab.whl"]
    ]
    assert capsys.readouterr() == ("", "")
    assert Path(commands[0][0]).exists()

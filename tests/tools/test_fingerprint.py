"""What a result depends on: which files count, and that a change of any of them is seen."""

from __future__ import annotations

import ast
import os
import pkgutil
import sys
from pathlib import Path

import nbformat
import pytest

import facelab
from tools import fingerprint
from tools.full_runs import LENGTHS, TRAINING
from tools.paths import NOTEBOOKS

MODULES = {module.name for module in pkgutil.iter_modules(facelab.__path__)}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of five modules: train imports data and, inside a function, late; plot imports train."""
    sources = {
        "__init__": "",
        "data/__init__": "from small.data._files import read",
        "data/_files": "import os",
        "late": "",
        "train": "from small import data\n\n\ndef fit():\n    import small.late",
        "plot": "from small.train import fit",
    }
    for name, source in sources.items():
        path = tmp_path / "src" / "small" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    monkeypatch.setattr(fingerprint, "REPOSITORY", tmp_path)
    return tmp_path / "src" / "small"


def test_what_a_module_imports_counts_and_what_imports_it_does_not(package):
    found = [path.relative_to(package).as_posix() for path in fingerprint.imported_by("small.train")]
    assert found == ["__init__.py", "data/__init__.py", "data/_files.py", "late.py", "train.py"]


def test_a_module_that_is_not_there_is_named(package):
    with pytest.raises(ModuleNotFoundError, match=r"small\.trian"):
        fingerprint.imported_by("small.trian")


def named_in_training(chapter: str) -> set[str]:
    """The modules that a chapter names where it trains: in functions that use checkpoints, and in theirs."""
    notebook = nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    functions = {
        node.name: node
        for source in code
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }
    waiting = [name for name, node in functions.items() if "checkpoints" in ast.unparse(node)]
    assert waiting, f"{chapter} has no function that uses checkpoints"
    reached: set[str] = set()
    named: set[str] = set()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Name) and node.id in functions and node.id not in reached:
                waiting.append(node.id)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                named |= {node.value.id} & MODULES
    return named


@pytest.mark.parametrize("chapter", list(LENGTHS))
def test_a_checkpoint_depends_on_every_module_that_its_training_names(chapter):
    """Otherwise a changed module would leave an old checkpoint valid."""
    counted = {path.stem if path.stem != "__init__" else path.parent.name for path in TRAINED}
    assert named_in_training(chapter) <= counted


TRAINED = fingerprint.imported_by(*TRAINING)


def test_what_looks_at_results_does_not_end_a_checkpoint():
    """A full run takes an hour: a better figure must not ask for another one."""
    names = {path.relative_to(path.parents[2]).parts[1].removesuffix(".py") for path in TRAINED}
    assert not names & {"evaluation", "results", "plots", "cards", "attribution"}


def test_without_times_a_copy_is_as_its_original(tmp_path):
    for number, name in enumerate(("data", "copy")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.jpg").write_text("one")
        os.utime(tmp_path / name / "one.jpg", (number, number))
    original, copy = tmp_path / "data", tmp_path / "copy"
    assert fingerprint.of_folder(original) != fingerprint.of_folder(copy)
    assert fingerprint.of_folder(original, times=False) == fingerprint.of_folder(copy, times=False)
    (copy / "one.jpg").write_text("another")
    assert fingerprint.of_folder(original, times=False) != fingerprint.of_folder(copy, times=False)


LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need a right that few have on Windows")


@LINKS
def test_links_in_a_circle_and_to_nowhere_end(tmp_path):
    data = tmp_path / "data"
    (data / "faces").mkdir(parents=True)
    (data / "faces" / "one.jpg").write_text("one")
    before = fingerprint.of_folder(data)
    (data / "faces" / "back").symlink_to(data, target_is_directory=True)
    (data / "again").symlink_to(data / "faces", target_is_directory=True)
    circle = fingerprint.of_folder(data)
    assert circle != before
    (data / "faces" / "two.jpg").symlink_to(tmp_path / "nowhere")
    assert fingerprint.of_folder(data) == circle
    (tmp_path / "nowhere").write_text("two")
    assert fingerprint.of_folder(data) != circle


def test_a_data_set_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    def refused(place):
        raise PermissionError(13, "Permission denied", str(place / "faces"))

    (tmp_path / "data").mkdir()
    monkeypatch.setattr(Path, "iterdir", refused)
    reason = r"data: whether .* because .*faces cannot be read \(Permission denied"
    with pytest.raises(ValueError, match=reason):
        fingerprint.of_folder(tmp_path / "data")
    with pytest.raises(ValueError, match="gone: whether it has changed cannot be told"):
        fingerprint.of_folder(tmp_path / "gone")

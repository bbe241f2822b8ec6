"""The tool for the long runs: what it publishes, that it goes on where it stopped, what it refuses."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from facelab import results
from tools import full_run_pages, full_runs
from tools.execute import ChapterError
from tools.paths import chapters

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
PARAMETERS = """
from pathlib import Path
from typing import Optional

seed: int = 1
quick: bool = False
run: str = "short"
folds: list[int] = [4]
epochs: int = 1
photographs: Optional[int] = 100
checkpoints: Optional[Path] = None"""
# In place of training: a file that is there the second time.
TRAINING = """
from pathlib import Path

epoch = Path(checkpoints) / "epoch" if checkpoints else None
resumed = epoch is not None and epoch.exists()
if epoch is not None and not resumed:
    epoch.parent.mkdir(parents=True)
    epoch.touch()"""
RECORDING = """
from facelab import adience, embedded, results

parameters = {"seed": seed, "folds": folds, "epochs": epochs, "photographs": photographs}
score = results.Score("accuracy", 0.9 if resumed else 0.8, 0.7, 1, 2000, 43, 10.9, "test", folds)
scores = {"network": [score]}
folder = embedded.data_dir()
how = {"parameters": parameters, "seconds": 60, "run": run}
results.write("99_1_lesson", data_dir=folder, table=adience.read_folds(folder), scores=scores, **how)"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a chapter that pretends to train, into folders of its own."""
    monkeypatch.setattr(full_runs, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(full_runs, "RECORDS", tmp_path / "book" / "results")
    monkeypatch.setattr(full_runs.recorded_results, "PAGE", tmp_path / "recorded_results.md")
    monkeypatch.setattr(full_runs, "FULL", tmp_path / "full")
    monkeypatch.setattr(full_runs, "LENGTHS", {"99_1_lesson": {"epochs": 7, "photographs": None}})

    def chapter(*codes: str, parameters: str = PARAMETERS, tag: str = "full-run"):
        cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]}, id="parameters")]
        cells += [new_code_cell(code, id=f"code-{number}") for number, code in enumerate(codes)]
        cells.append(new_markdown_cell("Not yet.", metadata={"tags": [tag]}, id="table"))
        path = tmp_path / "99_1_lesson.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
        return path

    return chapter


def test_a_full_run_is_recorded_and_shown_and_nothing_else_in_the_chapter_changes(write, tmp_path):
    path = write(TRAINING, RECORDING)
    before = nbformat.read(path, as_version=4).cells[:-1]
    record = results.read(full_runs.run("99_1_lesson"))
    assert record.run == "full"
    expected = {"seed": 1, "folds": [0, 1, 2, 3, 4], "epochs": 7, "photographs": None}
    assert record.parameters == expected
    after = nbformat.read(path, as_version=4).cells
    assert after[:-1] == before
    assert after[-1].source == full_run_pages.summary(record)
    assert [path.name for path in (tmp_path / "book" / "results").iterdir()] == ["99_1_lesson_full.json"]
    assert (tmp_path / "recorded_results.md").exists()


def test_it_goes_on_where_it_stopped_even_if_a_later_cell_was_mended(write):
    write(TRAINING, RECORDING + "\nif not quick:\n    raise RuntimeError('the last figure')")
    with pytest.raises(ChapterError, match="the last figure"):
        full_runs.run("99_1_lesson")
    write(TRAINING, RECORDING)
    record = json.loads(full_runs.run("99_1_lesson").read_text())
    assert record["scores"]["network"][0]["estimate"] == 0.9


def test_checkpoints_of_other_code_are_not_used(write):
    same = {
        full_runs.training_digest(write(TRAINING, RECORDING)),
        full_runs.training_digest(write(TRAINING, "1")),
    }
    assert len(same) == 1
    assert full_runs.training_digest(write("rate = 2" + TRAINING, RECORDING)) not in same
    assert full_runs.training_digest(write("rate = 2", TRAINING, RECORDING)) not in same


def test_checkpoints_of_another_number_of_epochs_are_not_used(write, tmp_path, monkeypatch):
    write(TRAINING, RECORDING)
    full_runs.run("99_1_lesson")
    monkeypatch.setattr(full_runs, "LENGTHS", {"99_1_lesson": {"epochs": 9, "photographs": None}})
    assert results.read(full_runs.run("99_1_lesson")).parameters["epochs"] == 9
    assert len(list((tmp_path / "full" / "checkpoints").iterdir())) == 2


def test_a_mistake_in_a_late_cell_shows_before_the_long_run(write, tmp_path):
    write(TRAINING, RECORDING, "assert len(folds) == 1")
    with pytest.raises(ChapterError, match="AssertionError"):
        full_runs.run("99_1_lesson")
    assert not list((tmp_path / "full").glob("checkpoints/*"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"parameters": "seed: int = 1\nquick: bool = False"},
            "no parameter checkpoints, epochs, folds, photographs, run",
        ),
        ({"tag": "other"}, "one markdown cell must have the tag 'full-run', not 0"),
    ],
)
def test_a_chapter_that_cannot_be_run_in_full_is_refused_at_once(changes, words, write, tmp_path, capsys):
    write(TRAINING, RECORDING, **changes)
    assert full_runs.main([]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "full").exists()


def test_an_unknown_chapter_is_refused(capsys):
    lesson = "01_1_from_files_to_one_table"
    assert full_runs.main([lesson]) == 2
    assert f"{lesson} has no full run; these have: 03_" in capsys.readouterr().err


def test_every_chapter_that_shows_a_full_run_has_one_and_records():
    contents = {path.stem: path.read_text(encoding="utf-8") for path in chapters()}
    showing = [chapter for chapter, content in contents.items() if f'"{full_run_pages.TAG}"' in content]
    assert showing == list(full_runs.LENGTHS)
    assert all("results.write(" in contents[chapter] for chapter in showing)

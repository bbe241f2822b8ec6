"""The recorded results are those of these chapters on these faces, and the chapters show what they hold."""

from __future__ import annotations

import ast
import json
from dataclasses import asdict
from pathlib import Path

import nbformat
import pytest

from facelab import embedded, results
from tools import recorded_results
from tools.full_run_pages import TAG, summary
from tools.full_runs import LENGTHS, full_parameters
from tools.paths import NOTEBOOKS, RECORDS, chapters

TRAINED = pytest.mark.parametrize("chapter", list(LENGTHS))
REMEDY = {"short": "run `make normalise`", "full": "run `make full-runs`"}


NOT_YET = "*The full run has not been recorded yet: `make full-runs`.*"


def read(chapter: str, run: str) -> results.Record:
    path = RECORDS / (f"{chapter}_full.json" if run == "full" else f"{chapter}.json")
    if run == "full" and not path.exists():
        (cell,) = cells(chapter, TAG)
        assert cell.source == NOT_YET, f"the chapter shows a full run that has no record: {REMEDY[run]}"
        pytest.skip(f"the full run of {chapter} takes long and has not been recorded yet: {REMEDY[run]}")
    assert path.exists(), f"no record of the {run} run of {chapter}: {REMEDY[run]}"
    return results.read(path)


def cells(chapter: str, tag: str) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


@TRAINED
@pytest.mark.parametrize("run", ["short", "full"])
def test_it_was_made_with_the_faces_that_are_shipped(chapter, run):
    data = read(chapter, run).data
    archives = json.loads((embedded.ARCHIVES / "archives.json").read_text(encoding="utf-8"))
    shipped = archives["embedded_faces"]["sha256"]
    assert data.rendered
    assert data.sha256 == shipped, f"made with other faces than are shipped now: {REMEDY[run]}"


@pytest.mark.parametrize("path", sorted(RECORDS.glob("*.json")), ids=lambda path: path.stem)
def test_every_record_is_read_without_a_loss(path):
    again = json.dumps(asdict(results.read(path)), indent=2, ensure_ascii=False) + "\n"
    assert again == path.read_text(encoding="utf-8")


@TRAINED
def test_the_short_run_has_the_chapters_own_parameters(chapter):
    (cell,) = cells(chapter, "parameters")
    shown = {
        ast.unparse(statement.target): ast.literal_eval(statement.value)
        for statement in ast.parse(cell.source).body
        if isinstance(statement, ast.AnnAssign)
    }
    recorded = read(chapter, "short").parameters
    assert recorded == {name: shown[name] for name in recorded}, REMEDY["short"]


@TRAINED
def test_the_full_run_is_of_every_fold_and_longer_than_the_short_one(chapter):
    short, full = (read(chapter, run).parameters for run in ("short", "full"))
    expected = {name: value for name, value in full_parameters(chapter).items() if name != "run"}
    assert full == short | expected, REMEDY["full"]
    longer = [name for name, value in LENGTHS[chapter].items() if value is not None]
    assert all(full[name] > short[name] for name in longer)


@TRAINED
def test_the_chapter_shows_the_full_run_as_it_was_recorded(chapter):
    (cell,) = cells(chapter, TAG)
    assert cell.source == summary(read(chapter, "full")), REMEDY["full"]


@TRAINED
@pytest.mark.parametrize("run", ["short", "full"])
def test_the_network_is_recorded_beside_others_on_the_test_fold(chapter, run):
    on_test = {
        model
        for model, scores in read(chapter, run).scores.items()
        if any(score.split == "test" for score in scores)
    }
    assert len(on_test) >= 2, f"{chapter}, {run}: a score says little without a baseline's beside it"


def test_the_page_of_recorded_results_is_made_from_the_records():
    assert recorded_results.PAGE.read_text(encoding="utf-8") == recorded_results.page(), (
        "run `python -m tools.recorded_results`"
    )


def test_no_record_is_of_a_chapter_that_is_not_there():
    expected = {f"{chapter}{suffix}.json" for chapter in LENGTHS for suffix in ("", "_full")}
    expected |= {f"{notebook.stem}.json" for notebook in chapters()}  # some chapters have a short run only
    assert {path.name for path in Path(RECORDS).glob("*.json")} <= expected

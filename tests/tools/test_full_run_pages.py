"""A lesson shows its full run as a small table in every reader, and as figures on its page."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from facelab import adience, embedded, results
from tools import full_run_pages


@pytest.fixture
def record(tmp_path, monkeypatch) -> results.Record:
    monkeypatch.chdir(tmp_path)

    def score(name, estimate, low, high, faces=900, split="test"):
        return results.Score(name, estimate, low, high, faces, 40, 12.5, split, [3, 4])

    scores = {
        "majority": [score("accuracy", 0.5, 0.4, 0.6)],
        "network": [score("accuracy", 0.8, 0.7, 0.9), score("AUC", 0.9, 0.8, 0.95)],
        "slices": [score("accuracy, (0, 2)", 0.7, 0.5, 0.9, faces=90)],
        "other loss": [score("gain, accuracy", 0.01, -0.02, 0.04, faces=300, split="validation")],
    }
    folder = embedded.data_dir()
    how = {"parameters": {"seed": 1}, "seconds": 60, "run": "full", "scores": scores}
    return results.read(
        results.write("99_1_lesson", data_dir=folder, table=adience.read_folds(folder), **how)
    )


def test_the_table_has_a_row_a_model_a_column_a_score_and_no_slices(record):
    lines = full_run_pages.summary(record).splitlines()
    assert lines[:6] == [
        "On test folds 3, 4, 900 faces of 40 albums (12.5 effective):",
        "",
        "|  | accuracy | AUC |",
        "| --- | --- | --- |",
        "| majority | 0.500 (0.400–0.600) |  |",
        "| network | 0.800 (0.700–0.900) | 0.900 (0.800–0.950) |",
    ]
    assert "| other loss | 0.010 (-0.020 to 0.040) |" in lines
    assert "slices" not in "".join(lines)
    assert "recorded_results.md" in lines[-1]


def test_the_page_has_a_figure_a_part_with_its_numbers_in_words(record, tmp_path):
    summary = full_run_pages.summary(record)
    cell = new_markdown_cell(summary, metadata={"tags": [full_run_pages.TAG]})
    notebook = new_notebook(cells=[new_markdown_cell("before"), cell])
    full_run_pages.add_figures(notebook, record, tmp_path / "figures", "9.9")
    nbformat.validate(notebook)
    first, on_test, second, _, opened, *tables, closed, below = cell.source.split("\n\n")
    assert "majority 0.500 (0.400–0.600); network 0.800 (0.700–0.900)](figures/9.9_1.svg)" in first
    assert "other loss" in second
    assert on_test == "*Accuracy on test folds 3, 4, 900 faces of 40 albums (12.5 effective).*"
    assert [opened, *tables, closed, *below.split(" All", 1)[:1]] == [
        ":::{dropdown} The numbers",
        *summary.split("\n\n")[:-2],
        ":::",
        summary.split("\n\n")[-2],
    ]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["9.9_1.svg", "9.9_2.svg"]


def test_the_figures_are_the_same_every_time(record, tmp_path):
    drawn = []
    for folder in ("one", "two"):
        cell = new_markdown_cell(full_run_pages.summary(record), metadata={"tags": [full_run_pages.TAG]})
        full_run_pages.add_figures(new_notebook(cells=[cell]), record, tmp_path / folder, "a")
        drawn.append((tmp_path / folder / "a_1.svg").read_bytes())
    assert drawn[0] == drawn[1]

"""What was measured on real photographs comes into the book as records, and its tables are made of them."""

from __future__ import annotations

import json
import re
from io import StringIO

import nbformat
import pandas as pd
import pytest

from facelab import adience, results
from tools import measured, recorded_results
from tools.paths import MEASURED, REPOSITORY, chapters

TEXTS = {path: path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "book").glob("*.md"))} | {
    path: "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
    for path in chapters()
}


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A record of photographs, as the tools write it; the book's folders are empty ones."""
    monkeypatch.setattr(measured, "MEASURED", tmp_path / "book" / "results" / "measured")
    monkeypatch.setattr(measured, "REPOSITORY", tmp_path)
    monkeypatch.setattr(measured, "chapters", lambda: sorted(tmp_path.glob("*.ipynb")))
    monkeypatch.setattr(recorded_results, "write", lambda: None)
    row = ["1@N", "a.jpg", 1, "(0, 2)", "f", *[0] * 7, 0]
    table = pd.DataFrame([row, ["2@N", "b.jpg", *row[2:]]], columns=[*adience.COLUMNS, "fold"])
    adience.write_folds(table, tmp_path / "set")
    scores = {
        model: [
            results.Score(name, 0.1 + shift, 0.05 + shift, 0.2 + shift, 40, albums, 9.5, "test", [3, 4])
            for name in ("gender", "age exact", "age 1-off")
        ]
        for model, shift, albums in (("5%, gain", -0.12, 20), ("25%, gain", 0, 20), ("100%, gain", 0.02, 20))
    }
    about = {"labels": "by lot", "age_groups": "nearest", "file_names_sha256": "0" * 64}
    with pytest.warns(adience.MissingPhotographsWarning):
        read = adience.read_folds(tmp_path / "set")
    return results.write(
        "pretraining_test",
        data_dir=tmp_path / "set",
        table=read,
        parameters={"seed": 0, "seeds": [0, 1, 2]} | about,
        scores=scores,
        seconds=60,
        folder=tmp_path / "measure",
    )


def page(name):
    return f"before\n<!-- measured: {name} -->\n\nold\n\n<!-- end -->\nafter"


def test_a_table_is_made_of_its_record_with_what_its_scores_rest_on(record, tmp_path, capsys):
    (tmp_path / "book").mkdir(exist_ok=True)
    (tmp_path / "book" / "page.md").write_text(page("gain of pretraining"), encoding="utf-8")
    cells = [nbformat.v4.new_markdown_cell(page("gain of pretraining")), nbformat.v4.new_code_cell("1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_1_lesson.ipynb")
    assert measured.main([str(record)]) == 0
    shown = (tmp_path / "book" / "page.md").read_text(encoding="utf-8")
    assert shown.startswith("before\n<!-- measured")
    assert shown.endswith("<!-- end -->\nafter")
    assert "| labels | gender | age, exact | age, 1-off |\n|---|---|---|---|\n" in shown
    assert "| 263 | −2.0 (−7.0 to 8.0) |" in shown
    assert (
        f"*Real photographs: test folds 3, 4, 40 of {results.read(record).data.photographs} photographs, 20 "
        "albums (9.5 effective); labels by lot; ages by the nearest rule; mean of seeds 0, 1, 2; "
        "95 % intervals over albums, those of means over seeds, too.*"
    ) in shown
    assert nbformat.read(tmp_path / "01_1_lesson.ipynb", 4).cells[0].source == shown
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "tables written: 01_1_lesson.ipynb",
        "tables written: book/page.md",
    ]
    # Again: nothing changes.
    assert measured.main([]) == 0
    assert capsys.readouterr().out == ""


def test_what_the_tools_measured_on_renders_is_said_to_be_that(record, tmp_path):
    content = json.loads(record.read_text(encoding="utf-8"))
    content |= {"chapter": "pretraining_test_renders", "seconds": 0}
    content["data"]["rendered"] = True
    renders = record.with_name("pretraining_test_renders.json")
    renders.write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "book").mkdir(exist_ok=True)
    assert measured.main([str(renders)]) == 0
    assert (measured.MEASURED / renders.name).is_file()
    about = measured.about(results.read(renders), results.read(renders).scores["5%, gain"])
    assert about.startswith("*Rendered faces: test folds 3, 4, ")
    assert "; nothing was trained on them; " in about


def test_a_training_for_each_fold_is_said_to_be_that(record):
    content = json.loads(record.read_text(encoding="utf-8"))
    del content["parameters"]["seeds"]
    content["parameters"]["folds"] = [3, 4]
    record.write_text(json.dumps(content), encoding="utf-8")
    about = measured.about(results.read(record), results.read(record).scores["5%, gain"])
    assert "; one training a fold, seed 0; " in about


def test_a_table_without_a_record_stays_as_it_is(record):
    assert measured.filled(page("others' networks")) == page("others' networks")


def test_a_table_that_nobody_knows_and_a_row_without_a_score_are_refused(record, tmp_path, capsys):
    (tmp_path / "book").mkdir(exist_ok=True)
    (tmp_path / "book" / "page.md").write_text(page("gains"), encoding="utf-8")
    assert measured.main([str(record)]) == 2
    assert "no table is called 'gains'" in capsys.readouterr().err
    (tmp_path / "book" / "page.md").write_text(page("others' networks"), encoding="utf-8")
    assert measured.main([]) == 2
    assert "no score of '100%, random weights'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda record: record["data"].update(rendered=True), "a lesson measured this on rendered faces"),
        (lambda record: record["parameters"].pop("labels"), "does not say whose labels"),
    ],
)
def test_a_record_that_does_not_belong_there_is_refused(record, capsys, change, complaint):
    content = json.loads(record.read_text(encoding="utf-8"))
    change(content)
    record.write_text(json.dumps(content), encoding="utf-8")
    assert measured.main([str(record)]) == 2
    assert complaint in capsys.readouterr().err
    assert not measured.MEASURED.exists()


@pytest.mark.parametrize("name", measured.TABLES)
def test_each_table_has_one_place_in_the_book(name):
    assert sum(text.count(f"<!-- measured: {name} -->") for text in TEXTS.values()) == 1


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_the_tables_of_the_book_are_those_of_its_records(path):
    if "<!-- measured: " in TEXTS[path] and not list(MEASURED.glob("*.json")):
        pytest.skip("nothing that was measured on photographs has been recorded yet: `make measure-real`")
    assert measured.filled(TEXTS[path]) == TEXTS[path], "run `python -m tools.measured`"


def recorded(name: str) -> results.Record:
    """A record of the book, of photographs that not everybody has."""
    path = MEASURED / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"{name} has not been recorded yet: `make measure-real`")
    return results.read(path)


def test_the_gains_on_photographs_in_the_figure_of_lesson_5_3_are_those_of_the_record():
    scores = recorded("pretraining_test").scores
    (lesson,) = [path for path in chapters() if path.stem.startswith("05_3_")]
    code = "\n".join(cell.source for cell in nbformat.read(lesson, 4).cells if cell.cell_type == "code")
    (drawn,) = re.findall(r'GAINS = """(.*?)"""', code, flags=re.DOTALL)
    for row in pd.read_csv(StringIO(drawn)).query("pictures == 'photographs'").itertuples():
        (gain,) = [score for score in scores[f"{row.share:.0%}, gain"] if score.name == "age exact"]
        assert (row.estimate, row.low, row.high) == tuple(round(value, 3) for value in gain.interval), row


@pytest.mark.parametrize(
    ("network", "score"), [("gender_cnn", "gender"), ("age_network", "age 1-off")], ids=["gender", "age"]
)
def test_fold_4_is_the_kindest_to_the_published_networks(network, score):
    """As the page on real photographs says."""
    scores = recorded("real_test_folds_01234").scores
    of_folds = [{one.name: one for one in scores[f"{network}, fold {fold}"]} for fold in adience.FOLDS]
    estimates = [of_fold[score].estimate for of_fold in of_folds]
    assert max(estimates) == estimates[4]


@pytest.mark.parametrize("path", sorted(MEASURED.glob("*.json")), ids=lambda path: path.stem)
def test_a_committed_record_says_what_was_agreed_with(path):
    record = results.read(path)
    assert record.data.rendered == path.stem.endswith("_renders")
    assert {"labels", "age_groups", "file_names_sha256"} <= set(record.parameters)
    assert record.parameters["labels"] != "not stated"

"""How a tool ends: its exit status, and the one line that it says."""

from __future__ import annotations

import json

import pytest

from facelab import results
from tools import execute, full_runs, pretrain, recorded_results, render
from tools.command import FailedError, ends_with_status
from tools.paths import RECORDS


@ends_with_status("goes on from here")
def tool(error: BaseException | None) -> None:
    if error is not None:
        raise error
    print("done")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (None, 0, ""),
        (FailedError("cell 3: no such album"), 1, "\nerror: cell 3: no such album\n"),
        (execute.ChapterError("cell 3"), 1, "\nerror: cell 3\n"),
        (ValueError("no parameter sead"), 2, "error: no parameter sead\n"),
        (results.RecordError("x.json: seconds"), 2, "error: x.json: seconds\n"),
        (FileNotFoundError(2, "No such file", "faces"), 2, "error: [Errno 2] No such file: 'faces'\n"),
        (KeyboardInterrupt(), 130, "\nInterrupted. The same command goes on from here.\n"),
    ],
)
def test_the_status_says_of_which_kind_the_end_is_and_one_line_says_why(error, status, said, capsys):
    assert tool(error) == status
    printed = capsys.readouterr()
    assert printed.err == said
    assert printed.out == ("done\n" if error is None else "")


def test_a_mistake_in_the_program_shows_where_it_is():
    with pytest.raises(KeyError):
        tool(KeyError("oops"))


@pytest.mark.parametrize(
    ("module", "step", "arguments"),
    [
        (execute, "execute_all", [[]]),
        (full_runs, "run", [["03_3_what_is_a_score_worth"]]),
        (pretrain, "read_others", [["renders"]]),
        (render, "render", []),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize(("error", "status"), [(ValueError("wrong"), 2), (FailedError("failed"), 1)])
def test_every_tool_ends_so(module, step, arguments, error, status, monkeypatch, capsys):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, step, fail)
    assert module.main(*arguments) == status
    assert capsys.readouterr().err.strip() == f"error: {error}"


def test_a_record_that_cannot_be_read_is_named_when_the_page_is_made(monkeypatch, tmp_path, capsys):
    (tmp_path / "03_a_network.json").write_text("{")
    monkeypatch.setattr(recorded_results, "RECORDS", tmp_path)
    monkeypatch.setattr(recorded_results, "PAGE", tmp_path / "page.md")
    assert recorded_results.main() == 2
    assert capsys.readouterr().err.startswith("error: 03_a_network.json: the record: Invalid JSON")
    assert not (tmp_path / "page.md").exists()


def test_a_record_of_no_chapter_is_named_when_the_page_is_made(monkeypatch, tmp_path, capsys):
    record = json.loads(sorted(RECORDS.glob("*.json"))[0].read_text(encoding="utf-8"))
    (tmp_path / "intro.json").write_text(json.dumps(record | {"chapter": "intro", "run": "short"}))
    monkeypatch.setattr(recorded_results, "RECORDS", tmp_path)
    monkeypatch.setattr(recorded_results, "PAGE", tmp_path / "page.md")
    assert recorded_results.main() == 2
    assert capsys.readouterr().err.startswith("error: intro.json: chapter: 'intro' does not begin with")
    assert not (tmp_path / "page.md").exists()

"""`make colab`: Colab's versions are read and refreshed, and an installation that changes them is told."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import colab, command
from tools.paths import REPOSITORY, chapters

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FREEZE = colab.Freeze("abc", "2026-11-02", "3.13", {"keras": "3.13.2", "numpy": "2.1.3"})
# As the published list is written: a comment, other spellings, addresses, packages that nobody here needs.
PUBLISHED = """\
# Do not modify this file directly
absl-py==1.4.0
en-core-web-sm @ https://example.org/en_core_web_sm-3.8.0-py3-none-any.whl#sha256=00
google-colab @ file:///colabtools/dist/google_colab-1.0.0.tar.gz
keras==3.14.0
Keras-Preprocessing==1.1.2
numpy==2.1.3
pandas==2.2.3
Pillow==11.3.0
tensorflow==2.21.0
torch==2.9.0+cu126
typing_extensions==4.15.0
"""


def test_colabs_versions_are_what_the_course_allows():
    freeze = colab.read()
    assert freeze.python in SpecifierSet(PROJECT["requires-python"])
    for requirement in map(Requirement, PROJECT["dependencies"]):
        version = freeze.versions.get(canonicalize_name(requirement.name))
        assert version is None or version in requirement.specifier, requirement
    assert {"tensorflow", "keras", "numpy", "pandas", "ipykernel"} <= set(freeze.versions)


def test_constraints_are_read_as_they_were_written(tmp_path):
    (tmp_path / "constraints.txt").write_text(colab.written(FREEZE))
    assert colab.read(tmp_path / "constraints.txt") == FREEZE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keras==3.13.2\n", "does not name its source: run python -m tools.colab --refresh"),
        (colab.written(FREEZE) + "keras>=3\n", "line 5: 'keras>=3' is no name==version"),
    ],
)
def test_a_file_that_is_not_so_is_named_with_its_line(text, words, tmp_path):
    (tmp_path / "constraints.txt").write_text(text)
    with pytest.raises(ValueError, match=re.escape(words)):
        colab.read(tmp_path / "constraints.txt")


@pytest.fixture
def published(monkeypatch, tmp_path):
    """Give the tool a published list to fetch; returns where it writes the constraints."""

    def publish(frozen: str, system: str = "Ubuntu 24.04\nPython 3.13.5\nR version 4\n"):
        answers = {
            "commits": json.dumps(
                [{"sha": "f00", "commit": {"committer": {"date": "2026-11-20T10:00:00Z"}}}]
            ),
            "f00/pip-freeze.txt": frozen,
            "f00/os-info.txt": system,
        }

        def urlopen(address: str, timeout: float) -> io.BytesIO:
            (content,) = (text for end, text in answers.items() if end in address)
            return io.BytesIO(content.encode())

        monkeypatch.setattr(colab.urllib.request, "urlopen", urlopen)
        monkeypatch.setattr(colab, "CONSTRAINTS", tmp_path / "constraints.txt")
        return tmp_path / "constraints.txt"

    return publish


def test_the_published_list_becomes_constraints_of_what_the_course_installs(published):
    place = published(PUBLISHED)
    assert colab.main(["--refresh"]) == 0
    freeze = colab.read(place)
    assert (freeze.commit, freeze.date, freeze.python) == ("f00", "2026-11-20", "3.13")
    assert freeze.versions["pillow"] == "11.3.0"
    assert freeze.versions["typing-extensions"] == "4.15.0"
    assert not {"google-colab", "torch", "keras-preprocessing", "en-core-web-sm"} & set(freeze.versions)


@pytest.mark.parametrize(
    ("frozen", "system"), [("<html>\n", "Python 3.13.5\n"), (PUBLISHED, "Ubuntu 24.04\n")]
)
def test_a_list_that_is_not_what_it_was_is_not_written(published, frozen, system, capsys):
    place = published(frozen, system)
    assert colab.main(["--refresh"]) == 2
    assert "does not list Python and TensorFlow as it did" in capsys.readouterr().err
    assert not place.exists()


BEFORE = ["keras==3.13.2", "numpy==2.1.3"]
FACELAB = "facelab @ git+file:///course@abc"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([FACELAB, *BEFORE], []),
        ([FACELAB, "keras==3.15.0", "numpy==2.1.3"], ["without keras==3.13.2", "with keras==3.15.0"]),
        ([FACELAB, *BEFORE, "rich==15.0.0"], ["with rich==15.0.0"]),
        ([FACELAB, "numpy==2.1.3"], ["without keras==3.13.2"]),
        (BEFORE, ["without facelab"]),
    ],
)
def test_an_installation_may_add_the_course_and_nothing_else(after, expected):
    assert colab.changes(BEFORE, after) == expected


def test_where_colabs_python_is_missing_an_older_one_is_taken_and_named(monkeypatch, capsys):
    def run(words, **_):
        there = words[-1] == "3.12"
        return SimpleNamespace(returncode=0 if there else 2, stdout="/bin/python3.12\n" if there else "")

    monkeypatch.setattr(colab.subprocess, "run", run)
    assert colab.python_for("3.14") == "/bin/python3.12"
    assert (
        "Colab has Python 3.14, which is not installed: with Python 3.12 instead" in capsys.readouterr().out
    )
    monkeypatch.setattr(colab.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=2, stdout=""))
    with pytest.raises(ValueError, match=r"no Python from 3\.11 to 3\.13 is"):
        colab.python_for("3.13")


def commit(repository: Path, **texts: str) -> str:
    """Commit files, named with __ for /; returns the commit."""
    for name, text in texts.items():
        path = repository / f"{name.replace('__', '/')}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git = ["git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "more"], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def course(tmp_path) -> Path:
    repository = tmp_path / "course"
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    commit(repository, src__package="1", notebooks__a="1", notebooks__b="1", notebooks__c="1", book__page="1")
    return repository


@pytest.mark.parametrize(
    ("changed", "still"),
    [("book__page", "abc"), ("notebooks__a", "bc"), ("src__package", ""), ("notebooks__new", "abc")],
)
def test_what_has_passed_holds_while_its_lesson_and_the_package_are_what_they_were(course, changed, still):
    git = ["git", "-C", course, "rev-parse", "HEAD"]
    first = subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
    found = {"commit": first, "python": "3.13.0", "versions": {"keras": "3.13.2"}}
    known = colab.record(FREEZE, found, dict.fromkeys("abc", "quick"))
    assert colab.kept(known, FREEZE, found | {"commit": commit(course, **{changed: "2"})}, course) == (
        dict.fromkeys(still, "quick")
    )


def test_it_holds_for_no_other_versions_and_no_commit_that_is_unknown(course):
    found = {"commit": commit(course, book__page="2"), "python": "3.13.0", "versions": {"keras": "3.13.2"}}
    known = colab.record(FREEZE, found, {"a": "default"})
    assert colab.kept(known, FREEZE, found, course) == {"a": "default"}
    assert colab.kept(None, FREEZE, found, course) == {}
    assert colab.kept(known, FREEZE._replace(commit="def"), found, course) == {}
    assert colab.kept(known, FREEZE, found | {"python": "3.12.1"}, course) == {}
    assert colab.kept(known, FREEZE, found | {"versions": {"keras": "3.14.0"}}, course) == {}
    assert colab.kept(known | {"commit": "f" * 40}, FREEZE, found, course) == {}


@pytest.fixture
def runs(course, monkeypatch, tmp_path) -> list[str]:
    """The tool at work on three lessons, without running them; returns what it runs. A `2` in one fails."""
    monkeypatch.setattr(colab, "REPOSITORY", course)
    monkeypatch.setattr(colab, "PLACE", tmp_path / "place")
    monkeypatch.setattr(colab, "RECORD", tmp_path / "colab.json")
    monkeypatch.setattr(colab, "chapters", lambda: sorted((course / "notebooks").glob("*.ipynb")))
    monkeypatch.setattr(colab, "make_environment", lambda freeze: Path(sys.executable))
    monkeypatch.setattr(colab, "frozen", lambda python: ["keras==3.13.2"])
    begun: list[str] = []

    def run_alone(notebook: Path, python: Path, full: bool) -> None:
        begun.append(f"{notebook.stem} {'default' if full else 'quick'}")
        if notebook.read_text() == "stop":
            raise KeyboardInterrupt
        if notebook.read_text() == "2":
            raise command.FailedError(f"{notebook.name} has failed")

    monkeypatch.setattr(colab, "run_alone", run_alone)
    return begun


def passed() -> dict[str, str]:
    return json.loads(colab.RECORD.read_text())["lessons"]


def test_a_run_that_was_stopped_goes_on_and_loses_nothing(course, runs, capsys):
    commit(course, notebooks__b="stop")
    assert colab.main([]) == 130
    assert "goes on with the lessons that have not passed yet" in capsys.readouterr().err
    assert passed() == {"a": "quick"}
    commit(course, notebooks__b="1", book__colab="the record")
    runs.clear()
    assert colab.main([]) == 0
    assert runs == ["b quick", "c quick"]
    assert passed() == dict.fromkeys("abc", "quick")
    assert json.loads(colab.RECORD.read_text())["versions"] == {"keras": "3.13.2"}


def test_a_default_run_counts_for_more_and_named_lessons_are_run_again(course, runs):
    assert colab.main([]) == 0
    assert colab.main(["--full", "a.ipynb"]) == 0
    assert passed() == {"a": "default", "b": "quick", "c": "quick"}
    runs.clear()
    assert colab.main([]) == 0
    assert colab.main(["a.ipynb"]) == 0
    assert colab.main(["--full"]) == 0
    assert runs == ["a quick", "b default", "c default"]
    assert passed() == dict.fromkeys("abc", "default")


def test_a_failure_is_told_takes_back_what_passed_and_stops_no_other(course, runs, capsys):
    assert colab.main([]) == 0
    commit(course, notebooks__b="2")
    assert colab.main([]) == 1
    assert passed() == {"a": "quick", "c": "quick"}
    assert "b.ipynb has failed" in capsys.readouterr().err
    assert colab.main(["nowhere.ipynb"]) == 1
    assert "nowhere.ipynb is not committed" in capsys.readouterr().err
    assert passed() == {"a": "quick", "c": "quick"}


def test_the_committed_record_names_lessons_that_are_there():
    record = json.loads(colab.RECORD.read_text(encoding="utf-8"))
    assert set(record["lessons"]) <= {path.stem for path in chapters()}
    assert set(record["lessons"].values()) <= {"quick", "default"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])

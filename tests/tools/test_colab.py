"""`make colab`: Colab's versions are read and refreshed, and an installation that changes them is told."""

from __future__ import annotations

import io
import json
import re
import tomllib
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import colab
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


def test_a_record_grows_and_begins_anew_when_versions_or_course_have_changed():
    found = {"commit": "c1", "python": "3.13.0", "versions": {"keras": "3.13.2"}}
    first = colab.record(None, FREEZE, found, {"b": "quick"})
    second = colab.record(first, FREEZE, found, {"a": "default", "b": "quick"})
    assert second["lessons"] == {"a": "default", "b": "quick"}
    assert colab.record(second, FREEZE, found, {"a": "quick"})["lessons"]["a"] == "default"
    assert colab.record(second, FREEZE, found | {"commit": "c2"}, {"c": "quick"})["lessons"] == {"c": "quick"}
    assert colab.record(second, FREEZE, found, {"a": None, "c": None})["lessons"] == {"b": "quick"}
    assert second["lessons"] == {"a": "default", "b": "quick"}  # and the record that it had is as it was
    other = FREEZE._replace(commit="def")
    assert colab.record(second, other, found, {"c": "quick"})["lessons"] == {"c": "quick"}


def test_the_committed_record_names_lessons_that_are_there():
    record = json.loads(colab.RECORD.read_text(encoding="utf-8"))
    assert set(record["lessons"]) <= {path.stem for path in chapters()}
    assert set(record["lessons"].values()) <= {"quick", "default"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])

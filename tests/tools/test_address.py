"""`make address` moves the whole course to another repository, and moves it back to the byte."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml

from tools import address, notebooks
from tools.paths import REPOSITORY

MOVED = "Some-School/faces.2027"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of every file of the course."""
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git repository: which files are the course's is not known")
    copy = tmp_path / "course"
    for name in git(REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        source = REPOSITORY / name
        if name and source.is_file() and source.suffix not in {".zip", ".h5"}:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy / name)
    git(copy, "init", "--quiet")
    return copy


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A configuration and a page."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "_config.yml").write_text("repository:\n  url: https://github.com/a/faces\n")
    (tmp_path / "page.md").write_text("https://github.com/a/faces\n")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts[:1]
    }


def test_there_and_back_gives_the_same_bytes_and_in_between_the_old_name_is_nowhere(course, monkeypatch):
    old, before = address.current(course), contents(course)
    changed = {path.relative_to(course).as_posix() for path in address.readdress(course, MOVED)}
    assert {"_config.yml", "CITATION.cff", "CONTRIBUTING.md", "book/run_it.md"} <= changed
    assert {name for name in before if name.endswith(".ipynb")} <= changed
    moved = contents(course)
    assert [name for name, content in moved.items() if re.search(old.encode(), content)] == []
    assert {name for name in before if moved[name] != before[name]} == changed

    config = yaml.safe_load(moved["_config.yml"])
    assert config["repository"]["url"] == f"https://github.com/{MOVED}"
    monkeypatch.setattr(notebooks, "REPOSITORY", course)
    for path in sorted((course / "notebooks").glob("*.ipynb")):
        badge, setup, *_ = nbformat.read(path, as_version=4).cells
        assert badge.source == notebooks.badge_cell(path.name)
        assert setup.source == notebooks.setup_cell()

    address.readdress(course, old)
    assert contents(course) == before


def test_each_form_of_the_address_is_changed_and_no_other_repository(small):
    page = (
        "git+https://github.com/a/faces, https://github.com/a/faces.git, github.com/a/faces. "
        "https://a.github.io/faces/index.html https://colab.research.google.com/github/a/faces/blob/main/x.ipynb\n"
    )
    others = "github.com/a/faces-data github.com/aa/faces github.com/a/faces.old b-a.github.io/faces\r\n"
    (small / "page.md").write_bytes((page + others).encode())
    (small / ".gitignore").write_text("ignored.md\n")
    (small / "ignored.md").write_text(page)
    (small / "picture.jpg").write_bytes(b"\xff\xd8 https://github.com/a/faces")
    address.readdress(small, "b/c")
    expected = page.replace("a/faces", "b/c").replace("a.github.io/faces", "b.github.io/c") + others
    assert (small / "page.md").read_bytes() == expected.encode()
    assert (small / "ignored.md").read_text() == page
    assert b"a/faces" in (small / "picture.jpg").read_bytes()


def test_a_program_stays_one(small):
    (small / "run").write_text("git clone https://github.com/a/faces\n")
    (small / "run").chmod(0o755)
    address.readdress(small, "b/c")
    assert (small / "run").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("", "is no repository: write owner/name"),
        ("faces", "is no repository: write owner/name"),
        ("https://github.com/b/c", "is no repository: write owner/name"),
        ("b/c.git", "is no repository: write owner/name"),
        ("b/..", "is no repository: write owner/name"),
        ("taken/other", "page.md names taken/other already"),
    ],
)
def test_a_wrong_or_taken_name_is_refused_and_nothing_changes(small, wrong, words):
    (small / "page.md").write_text("https://github.com/a/faces and https://github.com/taken/other\n")
    before = contents(small)
    with pytest.raises(ValueError, match=words):
        address.readdress(small, wrong)
    assert contents(small) == before


def test_its_own_address_changes_nothing(small):
    before = contents(small)
    assert address.readdress(small, "a/faces") == []
    assert contents(small) == before


def test_a_copy_that_is_no_git_repository_is_named(tmp_path):
    (tmp_path / "_config.yml").write_text("repository:\n  url: https://github.com/a/faces\n")
    with pytest.raises(ValueError, match="is no git repository"):
        address.readdress(tmp_path, "b/c")

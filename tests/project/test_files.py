"""The project's files agree with each other, and nothing is in them that does not belong there."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.book.test_pages import CONTENT
from tools.notebooks import setup_cell

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((REPOSITORY / "_config.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ARCHIVES = REPOSITORY / "src" / "facelab" / "data"


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Every file of the project, committed or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git repository: which files are the project's is not known")
    return [path for name in listed.split("\0") if name and (path := REPOSITORY / name).is_file()]


def texts(files: list[Path]) -> dict[Path, str]:
    found = {}
    for path in files:
        if "mathjax" in path.parts or path.name == "requirements.lock":
            continue
        try:
            found[path] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def test_the_table_of_contents_lists_every_chapter_and_page_once():
    pages = [path for folder in ("book", "notebooks") for path in (REPOSITORY / folder).glob("*.*")]
    there = sorted(
        path.relative_to(REPOSITORY).with_suffix("").as_posix()
        for path in pages
        if path.suffix in {".md", ".ipynb"}
    )
    assert sorted(CONTENT) == there


def test_the_citation_is_complete_and_in_step():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in {"software", "dataset"}
    assert citation["version"] == PROJECT["version"]
    assert citation["repository-code"] == CONFIG["repository"]["url"]
    assert " AND ".join(citation["license"]) == PROJECT["license"]
    for author in [*citation["authors"], *citation["references"][0]["authors"]]:
        assert "name" in author or {"family-names", "given-names"} <= set(author)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_link_between_files_leads_somewhere(name):
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    assert [target for target in targets if not (REPOSITORY / target).exists()] == []


def test_the_repository_has_one_address(files):
    address = CONFIG["repository"]["url"]
    host, project = address.rsplit("/", 2)[0], address.removeprefix("https://github.com/")
    owner = project.split("/")[0]
    assert host == "https://github.com"
    for path, text in texts(files).items():
        places = rf"(?:github(?:\.com)?/{owner}/|\b{owner}\.github\.io/)([\w.-]*[\w-])"
        lines = "\n".join(line for line in text.splitlines() if owner in line)  # not those of pictures
        for found in (name.removesuffix(".git") for name in re.findall(places, lines)):
            assert f"{owner}/{found}" == project, f"{path.name} names another address: {owner}/{found}"
    assert setup_cell() in (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_no_file_holds_a_path_of_somebodys_machine(files):
    # Put together here, so that this file does not find itself.
    folders = "|".join(["home", "root", "Users", "work", "private", "mnt"])
    pattern = re.compile(rf"(?<![\w.:/~$}}\-])/({folders})/\w|[A-Z]:\\Users")
    offenders = {
        path.relative_to(REPOSITORY).as_posix(): match.group()
        for path, text in texts(files).items()
        if (match := pattern.search(text))
    }
    assert offenders == {}


def test_no_file_is_large_but_the_rendered_faces_and_the_backbone(files):
    allowed_mb = {".zip": 40, ".h5": 6}  # of what is shipped

    def limit_mb(path):
        return allowed_mb.get(path.suffix, 2) if path.parent == ARCHIVES else 2

    large = [path.name for path in files if path.stat().st_size > limit_mb(path) * 1_000_000]
    assert large == []


def test_facelab_never_imports_the_renderer():
    for path in sorted((REPOSITORY / "src" / "facelab").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "facesim" for name in names), path.name


def test_the_wheel_brings_the_package_its_types_and_the_faces(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {"facelab/__init__.py", "facelab/py.typed", "facesim/__init__.py"}
    expected |= {f"facelab/data/{path.name}" for path in ARCHIVES.glob("*")}
    assert expected <= names
    assert {f"facelab/data/{name}.zip" for name in ("embedded_faces", "counterfactual_faces")} <= names
    assert not [name for name in names if name.split("/")[0] in {"tests", "tools", "notebooks", "book"}]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    # A make that runs this test must not lend it its own flags.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )


def test_make_help_lists_every_target_in_a_line():
    targets = re.findall(
        r"^\.PHONY: (\S+)", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    helped = [line.split()[1] for line in make("help").stdout.splitlines()]
    assert helped == targets
    assert {"book", "test", "help"} <= set(targets)


def test_make_without_a_usable_python_says_what_to_do(tmp_path):
    result = make("PYTHON=", f"VENV={tmp_path / 'venv'}", "environment")
    assert result.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in result.stderr
    assert "make PYTHON=" in result.stderr
    assert not (tmp_path / "venv").exists()


def test_continuous_integration_calls_the_readmes_command():
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "make test"
    assert "\nmake test " in (REPOSITORY / "README.md").read_text(encoding="utf-8")

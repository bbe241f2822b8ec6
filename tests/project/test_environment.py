"""The three descriptions of the environment agree: pyproject.toml, requirements.lock, environment.yml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
# A pin: "name==version", perhaps a marker, then the indented lines that belong to it.
PINS = re.findall(r"^([\w.-]+)==([\w.+!-]+)([^\n]*)\n((?:[ ]+.*\n?)*)", LOCK, flags=re.MULTILINE)


def asked_for() -> list[Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def test_every_requirement_is_locked_at_a_version_it_allows():
    versions: dict[str, list[str]] = {}
    for name, version, _, _ in PINS:
        versions.setdefault(canonicalize_name(name), []).append(version)
    for requirement in asked_for():
        locked = versions.get(canonicalize_name(requirement.name), [])
        assert locked, f"{requirement.name} is not in requirements.lock: run `make lock`"
        assert all(version in requirement.specifier for version in locked), (requirement, locked)


def test_the_lock_holds_nothing_that_is_no_longer_asked_for():
    locked = {
        canonicalize_name(name) for name, _, _, belongs in PINS if "facelab (pyproject.toml)" in belongs
    }
    assert locked == {canonicalize_name(requirement.name) for requirement in asked_for()}


def test_every_pin_has_a_hash_and_no_line_an_address():
    without = [name for name, _, _, belongs in PINS if "--hash=sha256:" not in belongs]
    assert PINS
    assert without == []
    assert not re.search(r"://|--(extra-)?index|--find-links| @ ", LOCK)


def test_no_graphics_card_wheels_are_locked():
    assert [name for name, *_ in PINS if name.startswith("nvidia")] == []


def test_conda_asks_for_the_same_python_and_the_books_extras():
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))
    python, pip, by_pip = environment["dependencies"]
    assert Requirement(python).name == "python"
    assert Requirement(python).specifier == SpecifierSet(PROJECT["requires-python"])
    assert pip == "pip"
    assert by_pip == {"pip": ["--editable .[book]"]}
    assert "book" in PROJECT["optional-dependencies"]


def test_the_makefile_accepts_the_pythons_that_the_project_supports():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    low, high = re.search(r"\(3, (\d+)\) <= sys.version_info\[:2\] <= \(3, (\d+)\)", makefile).groups()
    assert SpecifierSet(PROJECT["requires-python"]) == SpecifierSet(f">=3.{low},<3.{int(high) + 1}")

"""Parameters on a command line: a path is taken as it is written, a number as papermill reads it."""

from __future__ import annotations

import re
from typing import get_args

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill.inspection import inspect_notebook

from tools import parameters
from tools.paths import chapters

CELL = """
from pathlib import Path
from typing import Optional

data_dir: Optional[Path] = None  # a data set
seed: int = 1  # for chance
quick: bool = False  # a smoke run
run: str = "short"  # or "full"
folds: list[int] = [4]  # to test on
photographs: Optional[int] = 9  # None: all
checkpoints: Optional[Path] = None  # a folder
"""


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    path = tmp_path / "99_chapter.ipynb"
    cell = new_code_cell(CELL, metadata={"tags": ["parameters"]}, id="parameters")
    nbformat.write(new_notebook(cells=[cell]), path)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("seed", "7", 7),
        ("seed", "010", 10),  # as papermill; YAML says 8
        ("seed", "1_000", 1000),
        ("quick", "True", True),
        ("quick", "False", False),
        ("run", "full", "full"),
        ("folds", "[0, 1]", [0, 1]),
        ("photographs", "None", None),
        ("photographs", "50", 50),
        ("data_dir", "None", None),
    ],
)
def test_a_value_is_read_as_papermill_reads_it(name, text, value, chapter):
    read = parameters.read([(name, text)], [chapter])
    assert read == {name: value}
    assert type(read[name]) is type(value)


@pytest.mark.parametrize(
    "name",
    [
        "a # b",
        "2014",
        "010",
        "True",
        "1e3",
        "{a: [",
        "[0, 1]",
        "@x",
        "*x",
        "yes",
        "x: y",
        "- x",
        "ä ö",
        "a'b",
        "!!x",
    ],
)
@pytest.mark.parametrize("parameter", ["data_dir", "checkpoints"])
def test_a_path_is_taken_as_it_is_written(parameter, name, chapter, tmp_path):
    if parameter == "data_dir":
        (tmp_path / name).mkdir()
    assert parameters.read([(parameter, name)], [chapter]) == {parameter: str(tmp_path / name)}


def test_a_tilde_is_the_home_folder_and_not_nothing(chapter, tmp_path, monkeypatch):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "faces").mkdir()
    assert parameters.read([("data_dir", "~/faces")], [chapter]) == {"data_dir": str(tmp_path / "faces")}
    assert parameters.read([("data_dir", "~")], [chapter]) == {"data_dir": str(tmp_path)}
    assert parameters.read([("checkpoints", "~/new")], [chapter]) == {"checkpoints": str(tmp_path / "new")}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("seed", "1e3", "seed must be a whole number from 0 to 4294967295, not the text '1e3'"),
        ("seed", "1.0", "seed must be a whole number"),
        ("seed", "True", "seed must be a whole number from 0 to 4294967295, not True"),
        ("seed", "-1", "seed must be a whole number from 0 to 4294967295, not -1"),
        ("seed", "None", "seed must be a whole number from 0 to 4294967295, not None"),
        ("seed", "9" * 5000, "seed must be a whole number"),
        (
            "photographs",
            "all",
            "photographs must be a whole number from 1 to 4294967295 or None, not the text 'all'",
        ),
        ("quick", "1", "quick must be True or False, not 1"),
        ("quick", "yes", "quick must be True or False, not the text 'yes'"),
        ("run", "ful", "run must be 'short' or 'full', not the text 'ful'"),
        ("folds", "0", "folds must be a list of whole numbers in rising order, such as [0, 1], not 0"),
        ("folds", "[]", "folds must be a list of whole numbers in rising order, such as [0, 1], not []"),
        ("folds", "[0, '1']", "folds must be a list"),
        (
            "folds",
            "[0, 1.5]",
            "folds must be a list of whole numbers in rising order, such as [0, 1], not [0, 1.5]",
        ),
        (
            "folds",
            "[true]",
            "folds must be a list of whole numbers in rising order, such as [0, 1], not [True]",
        ),
        ("folds", "[" * 100_000, "folds must be a list"),
        ("data_dir", "", "data_dir must be a path or None, not the text ''"),
        (
            "checkpoints",
            "null",
            "checkpoints must be a path or None, not the text 'null'; for this name write ./null",
        ),
        ("checkpoints", "99_chapter.ipynb", "99_chapter.ipynb is no folder"),
        ("data_dir", "99_chapter.ipynb", "99_chapter.ipynb is no folder"),
        ("data_dir", "a\nb", "a\\nb'. It was given as 'a\\nb'"),
        ("data_dir", "f\udcff", "\\udcff' is not UTF-8, which a notebook cannot hold: rename it"),
        ("data_dir", "nowhere", "It was given as 'nowhere', and the current folder is "),
        ("data_dir", "~nobody-of-this-name/x", "a user who is not there; for this name write ./~nobody-of"),
    ],
)
def test_all_else_is_refused_with_what_is_expected(name, text, words, chapter):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the words are compared as they stand
        parameters.read([(name, text)], [chapter])
    assert words in str(raised.value)
    assert len(str(raised.value)) < 500
    assert "\n" not in str(raised.value)


def test_a_cell_that_is_no_python_is_named(chapter):
    notebook = nbformat.read(chapter, 4)
    notebook.cells[0].source = "seed: int ="
    nbformat.write(notebook, chapter)
    with pytest.raises(ValueError, match=r"99_chapter.ipynb: its cell tagged 'parameters' cannot be run"):
        parameters.kinds(chapter)


def test_a_chapters_own_values_are_those_of_its_cell(chapter):
    own = {"data_dir": None, "seed": 1, "quick": False, "run": "short", "folds": [4], "photographs": 9}
    assert parameters.own_values(chapter) == own | {"checkpoints": None}


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_papermill_reads_the_same_parameters_and_types(path):
    """Its ``--help-notebook`` shows them; it knows ``Optional[Path]``, but not ``Path | None``."""
    plain = {
        name: kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
        for name, kind in parameters.kinds(path).items()
    }
    plain = {name: re.sub(r"(typing|pathlib(\._local)?)\.", "", kind) for name, kind in plain.items()}
    inspected = inspect_notebook(path)
    assert {name: found["inferred_type_name"] for name, found in inspected.items()} == plain
    assert all(found["help"] for found in inspected.values())


def test_a_parameter_has_one_type_in_all_chapters():
    types: dict[str, set[str]] = {}
    for path in chapters():
        for name, kind in parameters.kinds(path).items():
            # Where a chapter reads all its photographs anyway, None has no meaning.
            types.setdefault(name, set()).add(str(kind).replace("typing.Optional[int]", "<class 'int'>"))
    assert {name: kinds for name, kinds in types.items() if len(kinds) > 1} == {}

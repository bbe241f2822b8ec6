"""The check of a lesson's parameters: what is in its notebook's globals when it runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from facelab import lesson

KINDS = {
    "data_dir": Path | None,
    "seed": int,
    "quick": bool,
    "folds": list[int],
    "epochs": int,
    "checkpoints": Path | None,
    "imagenet": Path | None,
    "run": str,
}
VALUES = {"data_dir": None, "seed": 1, "quick": False, "folds": [4], "checkpoints": None, "run": "short"}
CHECK = "lesson.check_parameters(globals())"


def checked(cells: tuple[str, ...] = (), **given: object) -> dict[str, object]:
    namespace = {"__annotations__": dict(KINDS), **VALUES, **given, "In": ["", *cells, CHECK]}
    lesson.check_parameters(namespace)
    return {name: namespace[name] for name in VALUES | given}


def test_what_is_right_stays_as_it_is_twice():
    assert checked() == VALUES
    assert checked(**checked(folds=[0, 1], seed=0, quick=True)) == VALUES | {
        "folds": [0, 1],
        "seed": 0,
        "quick": True,
    }


def test_it_checks_where_there_is_no_ipython():
    namespace = {"__annotations__": {"quick": bool}, "quick": "false"}
    with pytest.raises(lesson.ParameterError, match="quick must be True or False"):
        lesson.check_parameters(namespace)
    lesson.check_parameters({})


@pytest.mark.parametrize("given", ["real", "2014", 2014, Path("real")])
def test_a_path_becomes_absolute(given, tmp_path, monkeypatch):
    """Papermill makes a number of a name of digits."""
    monkeypatch.chdir(tmp_path)
    for name in ("real", "2014"):
        (tmp_path / name).mkdir()
    assert checked(data_dir=given)["data_dir"] == tmp_path / str(given)
    assert checked(data_dir=checked(data_dir=given)["data_dir"])["data_dir"] == tmp_path / str(given)


def test_a_path_may_begin_in_the_home_folder(tmp_path, monkeypatch):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "real").mkdir()
    assert checked(data_dir="~/real")["data_dir"] == tmp_path / "real"
    assert checked(checkpoints="~/new")["checkpoints"] == tmp_path / "new"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"quick": "false"}, "quick must be True or False, not the text 'false'. With papermill write, for"),
        ({"quick": 0}, "quick must be True or False, not 0."),
        ({"quick": None}, "quick must be True or False, not None."),
        ({"seed": True}, "seed must be a whole number from 0 to 4294967295, not True"),
        ({"seed": 1.0}, "not 1.0. With papermill write, for example, -p seed 1"),
        ({"seed": 2**32}, "seed must be a whole number from 0 to 4294967295, not 4294967296"),
        (
            {"folds": "[0, 1]"},
            "[0, 1], not the text '[0, 1]'. With papermill write, for example, -y '{folds: [0, 1]}'",
        ),
        ({"folds": 4}, "folds must be a list of whole numbers in rising order, such as [0, 1], not 4"),
        ({"folds": [True]}, "folds must be a list of whole numbers"),
        ({"folds": []}, "folds must be a list of whole numbers"),
        (
            {"folds": [4, 4]},
            "folds must be a list of whole numbers in rising order, such as [0, 1], not [4, 4]",
        ),
        ({"folds": [1, 0]}, "in rising order, such as [0, 1], not [1, 0]"),
        ({"epochs": 0}, "epochs must be a whole number from 1 to 4294967295, not 0"),
        ({"run": "Full"}, "run must be 'short' or 'full', not the text 'Full'"),
        (
            {"data_dir": "null"},
            "data_dir must be a path or None, not the text 'null'; for this name write ./null",
        ),
        ({"data_dir": ""}, "data_dir must be a path or None, not the text ''"),
        (
            {"data_dir": 1.5},
            "data_dir must be a path or None, not 1.5. With papermill write, for example, -r data_dir",
        ),
        ({"data_dir": False}, "data_dir must be a path or None, not False"),
        ({"data_dir": 10}, "is no such folder"),
        ({"data_dir": ["a"]}, "data_dir must be a path or None, not ['a']"),
        ({"checkpoints": "None"}, "checkpoints must be a path or None, not the text 'None'"),
        ({"checkpoints": "file/x"}, "x cannot be made, because "),
        ({"data_dir": "file/x"}, "data_dir: there is no folder "),
        ({"imagenet": "weights.h5"}, "imagenet: there is no file "),
        ({"imagenet": "."}, " is no file. It was given as '.', and the current folder is "),
    ],
)
def test_what_is_of_another_type_is_refused(given, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(lesson.ParameterError) as raised:
        checked(**given)
    expected = words.replace("is no such folder", f"there is no folder {tmp_path / '10'}")
    assert expected in str(raised.value)


def of_a_null_byte() -> str:
    """What this Python says of a path that no system can have."""
    with pytest.raises(ValueError, match="null") as raised:
        Path("a\0b").stat()
    return str(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="links and names follow other rules on Windows")
@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("checkpoints", "dangling", "dangling cannot be made, because "),
        ("checkpoints", "circle", "circle cannot be looked at (Too many levels of symbolic links)"),
        ("data_dir", "circle", "circle cannot be looked at (Too many levels of symbolic links)"),
        ("data_dir", "dangling", "data_dir: there is no folder "),
        ("data_dir", "x" * 300, " cannot be looked at (File name too long)"),
        ("checkpoints", "x" * 300, " cannot be looked at (File name too long)"),
        ("data_dir", "a\0b", f"a\\x00b' cannot be looked at ({of_a_null_byte()})"),
    ],
)
def test_a_place_that_cannot_be_looked_at_is_refused(name, given, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(lesson.ParameterError) as raised:
        checked(**{name: given})
    assert str(raised.value).startswith(f"{name}: ")
    assert words in str(raised.value)


def test_a_place_that_the_reader_may_not_look_at_is_refused(tmp_path, monkeypatch):
    """The system's own refusal would not show where the tests run as root."""

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(lesson.ParameterError, match=r"closed cannot be looked at \(Permission denied\)"):
        checked(data_dir=str(tmp_path / "closed"))


def test_a_name_that_papermill_put_in_and_the_lesson_lacks_is_refused_with_the_nearest():
    with pytest.raises(lesson.ParameterError) as raised:
        checked(("seed: int = 1", '# Parameters\ndatadir = "x"\nseed = 3\n'))
    assert "no parameter datadir; it has data_dir, seed, quick, " in str(raised.value)
    assert str(raised.value).endswith("Did you mean data_dir?")
    with pytest.raises(lesson.ParameterError, match=r"no parameter qqq; it has [^?]*\.$"):
        checked(('# Parameters\nqqq = "x"\n', CHECK))  # the check runs for the second time


@pytest.mark.parametrize(
    "cells",
    [
        ("# Parameters\nseed = 3\nPAPERMILL_INPUT_PATH = 'x'\n",),
        ("# Parameters\nseed =\n",),
        ("# Parameters\ndatadir = 'x'\n", "a cell of the reader's own"),
        ("mine = 3",),
    ],
)
def test_other_cells_are_no_matter(cells):
    assert checked(cells) == VALUES


def test_a_notebook_shows_the_sentence_alone():
    error = lesson.ParameterError("quick must be True or False")
    assert error._render_traceback_() == ["ParameterError: quick must be True or False"]


def test_only_what_is_read_is_an_input():
    values = {"data_dir": "/a", "checkpoints": "/b", "imagenet": None, "seed": 3}
    assert lesson.input_paths(KINDS, values) == [Path("/a")]

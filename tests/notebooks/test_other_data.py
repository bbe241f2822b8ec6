"""A chapter runs on every folder in the benchmark's layout, or says in its first cells what that lacks."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from facelab import adience, embedded
from tests.notebooks import together
from tests.notebooks.test_clean_environment import ON_EMBEDDED
from tools import execute
from tools.paths import REPOSITORY, chapters, lesson_number

CHAPTERS = {lesson_number(path): path for path in chapters()}
LESSONS = [number for number in CHAPTERS if number != "A"]

# Which lessons a data set is enough for; the others stop.
RUNS = {
    "30 photographs of 10 albums": "1.1 1.2 1.3 2.1 2.3 2.4 3.1 3.2 3.3 3.4 3.5 6.1 6.2 6.4 8.4 9.1 10.1",
    "spelled otherwise": "1.1 1.2 1.3 2.1 2.2 2.3 2.4 3.1 3.2 3.3 3.4 3.5 "
    "4.1 4.2 4.3 4.4 5.1 5.2 5.3 6.1 6.2 6.3 6.4 7.1 7.2 7.3 8.1 8.2 8.3 8.4 9.1 9.2 10.1 B",
    "no age label": "3.1 3.2 3.3 3.4 3.5 10.1",
    "no gender label": "4.1 4.2 4.3 4.4 6.1 6.2 6.3 6.4",
    "one fold file": "",
    "one album": "",
}
# Each lesson on the data set that asks most of it: a kernel takes seconds, and who stops needs none.
EXECUTED = [
    *(
        ("30 photographs of 10 albums", number)
        for number in ("1.1", "1.2", "1.3", "2.1", "2.3", "2.4", "3.1", "3.5", "6.1", "6.2", "6.4", "8.4")
    ),
    *(
        ("spelled otherwise", number)
        for number in ("1.1", "1.2", "1.3", "2.2", "5.1", "5.2", "5.3", "7.1", "7.2", "7.3")
    ),
    *(("spelled otherwise", number) for number in ("8.1", "8.2", "8.3", "9.1", "9.2", "B")),
    *(("no age label", number) for number in ("3.2", "3.3", "3.4", "10.1")),
    *(("no gender label", number) for number in ("4.1", "4.2", "4.3", "4.4", "6.3")),
    ("one fold file", "A"),
    *(("real photographs", number) for number in ON_EMBEDDED),
]


# ---- The data sets ----------------------------------------------------------------------------------------


@cache
def embedded_rows() -> pd.DataFrame:
    """The embedded faces, each with its file."""
    rows = adience.drop_duplicates(adience.read_rows(embedded.data_dir()))
    return rows.assign(source=adience.find_photographs(rows, embedded.data_dir()))


def drawn(photographs: int, albums: int) -> pd.DataFrame:
    """So many embedded faces with both labels, of as many albums in every fold, genders in turn."""
    rows = embedded_rows()
    rows = rows[rows["age"].isin(adience.AGE_GROUPS) & rows["gender"].isin(adience.GENDERS)]
    turn = rows.groupby(["user_id", "gender"]).cumcount()
    rows = rows.iloc[turn.argsort(kind="stable")]
    in_each = -(-photographs // albums)
    mixed = rows.groupby(["fold", "user_id"])["gender"].agg(["nunique", "size"]).reset_index()
    mixed = mixed[(mixed["nunique"] == 2) & (mixed["size"] >= in_each)]
    chosen = mixed.groupby("fold").head(albums // 5)["user_id"]
    return rows[rows["user_id"].isin(chosen)].groupby("user_id").head(in_each).head(photographs)


def few() -> pd.DataFrame:
    """Few, and with names that a path or an encoding may stumble over."""
    rows = drawn(30, 10)
    return rows.assign(user_id="é #%41 " + rows["user_id"], original_image="ф " + rows["original_image"])


def spelled_otherwise() -> pd.DataFrame:
    """No blank in an age, which is understood; in one fold a dash and capitals, which are not."""
    rows = drawn(400, 50)
    strange = rows["fold"] == 1
    ages = rows["age"].str.replace(" ", "")
    dashed = ages.str.strip("()").str.replace(",", "-")
    genders = rows["gender"].where(~strange, rows["gender"].str.upper())
    return rows.assign(age=ages.where(~strange, dashed), gender=genders)


def one_album() -> pd.DataFrame:
    rows = drawn(400, 50)
    return rows[rows["user_id"] == rows["user_id"].iloc[0]]


MAKE = {
    "30 photographs of 10 albums": few,
    "spelled otherwise": spelled_otherwise,
    "no age label": lambda: drawn(118, 10).assign(age="None"),
    "no gender label": lambda: drawn(118, 20).assign(gender=""),
    "one fold file": lambda: drawn(118, 10).assign(fold=0),
    "one album": one_album,
}


@pytest.fixture(scope="module")
def data_sets(tmp_path_factory, real_faces) -> dict[str, Path]:
    """Each data set of MAKE, with its photographs; and the real ones, where they are at hand."""
    made = {name: written(make(), tmp_path_factory.mktemp("data")) for name, make in MAKE.items()}
    return made | ({"real photographs": real_faces} if real_faces else {})


def written(rows: pd.DataFrame, folder: Path) -> Path:
    """Write a data set whose photographs are embedded ones."""
    adience.write_folds(rows, folder)
    faces = embedded.data_dir()  # which looks through all of them: once
    for row in rows.itertuples():
        path = folder / adience.photograph_path(row.user_id, row.face_id, row.original_image)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(faces / row.source, path)
    return folder


def test_the_data_sets_are_what_they_are_called() -> None:
    small = few()
    assert (len(small), small["user_id"].nunique(), small["fold"].nunique()) == (30, 10, 5)
    large = spelled_otherwise()
    assert (len(large), large["user_id"].nunique()) == (400, 50)
    assert not set(large["age"]) & set(adience.AGE_GROUPS)
    assert len(set(one_album()["user_id"])) == 1


@pytest.mark.parametrize("matching", ["strict", "nearest"])
def test_the_first_lesson_reads_a_label_as_the_package_does(matching) -> None:
    lesson: dict[str, Any] = {"re": re, "np": np}
    for cell in code_cells(CHAPTERS["1.1"]):
        if re.match(r"AGE_GROUPS = |FORM = |def (distance|gender)\(", cell.source):
            made = [part for part in ast.parse(cell.source).body if not isinstance(part, ast.Expr)]
            exec("\n".join(ast.unparse(part) for part in made if "rows" not in ast.unparse(part)), lesson)
    labels = [*adience.AGE_GROUPS, "(8,12)", "(8,  12)", "( 8, 12)", "8-12", "8, 12", "(8 12)", "(12, 8)"]
    labels += ["10", "35", "007", "1000", "(8, 1200)", "10.5", "-3", "young", "None", "", " 35", "(38, 48)"]
    for label in labels:
        assert lesson["age_group"](label, matching) == or_none(adience.age_group, label, matching), label
    for label in ("f", "m", "u", "", "F", "M", "female", "0"):
        assert lesson["gender"](label) == or_none(adience.gender, label), label


def or_none(read: Callable[..., str | None], *label: str) -> str | None:
    """What the package's table holds for a label: a missing value for one that it does not know."""
    try:
        return read(*label)
    except adience.UnknownLabelError:
        return None


# ---- Stopping ---------------------------------------------------------------------------------------------

# Runs the first cells of chapters in one process: from a list of [cells, folder], a message or null for each.
FIRST_CELLS = """
import gc, json, sys, warnings
from facelab import backend
import keras
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.showtraceback = lambda *_, **__: None
keras.Model.fit = keras.Model.predict = None  # nothing is trained or asked before a chapter stops
gc.freeze()  # each reset collects garbage, and what TensorFlow has loaded is none
said = []
for cells, data_dir in json.load(sys.stdin):
    shell.reset()
    warnings.simplefilter("ignore")
    error = None
    for cell in cells:
        result = shell.run_cell(cell.replace("DATA_DIR", repr(data_dir)))
        if error := result.error_before_exec or result.error_in_exec:
            break
    said.append(error and f"{type(error).__name__}: {error}")
sys.stderr.write(json.dumps(said))
"""


def code_cells(chapter: Path) -> list[nbformat.NotebookNode]:
    """The code of a chapter without its first cell, which installs the package."""
    return [cell for cell in nbformat.read(chapter, 4).cells if cell.cell_type == "code"][1:]


def first_cells(chapter: Path) -> list[str]:
    """A chapter's cells up to the last that may refuse the data, with other parameters."""
    sources = []
    for cell in code_cells(chapter):
        sources.append(cell.source)
        if "parameters" in cell.metadata.get("tags", []):
            sources.append("data_dir = DATA_DIR\nquick = True")
    last = max(number for number, source in enumerate(sources) if "adience.require(" in source)
    return sources[: last + 1]


def test_a_lesson_says_at_once_what_a_data_set_lacks(data_sets) -> None:
    asked = [(name, number) for name in RUNS for number in LESSONS]
    cells = {number: first_cells(CHAPTERS[number]) for number in LESSONS}
    finished = subprocess.run(
        [sys.executable, "-c", FIRST_CELLS],
        input=json.dumps([[cells[number], str(data_sets[name])] for name, number in asked]),
        capture_output=True,
        text=True,
        check=True,
    )
    said = dict(zip(asked, json.loads(finished.stderr.splitlines()[-1]), strict=True))
    runs = {name: " ".join(number for number in LESSONS if said[name, number] is None) for name in RUNS}
    assert runs == RUNS, said
    for message in filter(None, said.values()):
        # One sentence of what is needed and what is there.
        assert re.fullmatch(r"DataSetError: this lesson needs at least \d[^.]*, and finds \d[^.]*", message)


# ---- Running ----------------------------------------------------------------------------------------------


# Each of two workers runs half of them in one kernel.
HALVES = [
    pytest.param(name, number, place % 2, marks=pytest.mark.xdist_group(f"other-{place % 2}"))
    for place, (name, number) in enumerate(EXECUTED)
]


@pytest.fixture(scope="module")
def executed(request, data_sets, tmp_path_factory) -> Callable[[int], dict]:
    """The code cells of the runs of a half whose tests have been asked for, by data set and lesson."""
    items = [item for item in request.session.items if item.fspath == request.fspath]
    asked = [item.callspec.params for item in items if item.originalname == "test_a_lesson_runs_to_its_end"]

    @cache
    def half(which: int) -> dict[tuple[str, str], list[nbformat.NotebookNode]]:
        runs = [(params["name"], params["number"]) for params in asked if params["half"] == which]
        runs = [(name, number) for name, number in runs if name in data_sets]
        lessons = [
            (CHAPTERS[number], {"quick": True, "data_dir": str(data_sets[name])}) for name, number in runs
        ]
        return dict(zip(runs, together.run(lessons, tmp_path_factory.mktemp("lessons")), strict=True))

    return half


@pytest.mark.parametrize(("name", "number", "half"), HALVES)
def test_a_lesson_runs_to_its_end(name, number, half, executed, data_sets) -> None:
    if name not in data_sets:
        pytest.skip("no real-faces among the measuring data (FACELAB_SHARED names their folder)")
    cells = executed(half)[name, number]
    assert not together.failures(cells), together.failures(cells)[0]
    # What the package has to say of the data is the one thing that may be said in red.
    red = together.said_in_red(cells)
    assert all(re.search(r"(MissingFolds|UnknownLabels)Warning", text) for text in red), red
    outputs = [output for cell in cells for output in cell.outputs]
    printed = " ".join(output.text for output in outputs if output.get("name") == "stdout")
    assert not re.search(r"agree: False|\bnan\b", printed)


def test_a_run_that_stops_says_why(data_sets, tmp_path) -> None:
    parameters = {"quick": True, "data_dir": str(data_sets["one album"])}
    said = "DataSetError: this lesson needs at least 20 photographs, 3 albums and 2 folds among"
    with pytest.raises(execute.ChapterError, match=said):
        execute.execute(CHAPTERS["1.1"], tmp_path / "chapter.ipynb", parameters)


# ---- The teachers' page -----------------------------------------------------------------------------------


def demands(chapter: Path) -> list[str]:
    """What a chapter requires, one demand a line, as the page for teachers has it."""
    calls = [
        call
        for cell in first_cells(chapter)[1:]
        for call in ast.walk(ast.parse(cell))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "adience.require"
    ]
    assert calls
    return [", ".join(f"{ast.unparse(least.value)} {least.arg}" for least in call.keywords) for call in calls]


@pytest.mark.parametrize("number", LESSONS)
def test_the_page_for_teachers_says_what_a_lesson_needs(number) -> None:
    page = (REPOSITORY / "book" / "teachers.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {re.escape(number)} \|.*\|$", page, flags=re.MULTILINE)
    for demand in demands(CHAPTERS[number]):
        assert demand in row
    least = re.findall(r"\d+ (?:photographs|albums|folds|genders)", row)
    assert set(least) == {part for demand in demands(CHAPTERS[number]) for part in demand.split(", ")}

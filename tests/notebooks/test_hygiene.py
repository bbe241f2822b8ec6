"""Every notebook is committed as CONTRIBUTING.md describes it: executed, normalised, runnable alone."""

from __future__ import annotations

import ast
import re
import statistics
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from facelab import lesson
from tools import full_run_pages, measured, parameters
from tools.notebooks import badge_cell, check_cell, normalised, setup_cell
from tools.paths import REPOSITORY, chapters, lesson_number, lesson_prefix

CHAPTERS = chapters()
SHARED_PARAMETERS = {"data_dir": None, "quick": False}
PICTURES = {"image/png", "image/jpeg", "image/svg+xml"}


def test_there_are_chapters():
    assert CHAPTERS


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture
def notebook(path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(cell: nbformat.NotebookNode) -> str:
    """What a cell printed, pictures apart."""
    pieces = [output.get("text", "") for output in cell.outputs]
    pieces += [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
    return "".join(piece for piece in pieces if not piece.startswith("<Figure"))


def pictures(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell shows a picture."""
    return any(PICTURES & set(output.get("data", {})) for output in cell.outputs)


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def test_it_opens_with_the_badge_and_the_setup_cell(path, notebook):
    badge, setup = notebook.cells[:2]
    assert (badge.cell_type, setup.cell_type) == ("markdown", "code")
    assert badge.source == badge_cell(path.name)
    assert setup.source == setup_cell()
    assert tags(badge) == tags(setup) == ["remove-cell"]


def test_it_has_one_title(notebook):
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^```.*?^```", "", prose, flags=re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"^# \S", prose, flags=re.MULTILINE)) == 1
    assert notebook.cells[2].source.startswith("# ")


def test_its_parameters_are_literals_in_one_cell(notebook):
    (cell,) = [cell for cell in notebook.cells if "parameters" in tags(cell)]
    first, second, *statements = ast.parse(cell.source).body
    imports = ["from pathlib import Path", "from typing import Optional"]
    assert [ast.unparse(first), ast.unparse(second)] == imports
    values = {}
    for statement in statements:
        assert isinstance(statement, ast.AnnAssign), f"say of which type it is: {ast.unparse(statement)}"
        values[statement.target.id] = ast.literal_eval(statement.value)
    assert SHARED_PARAMETERS.items() <= values.items()
    assert isinstance(values["seed"], int)
    assert all("#" in line for line in cell.source.splitlines() if "=" in line), "say what each is for"


def test_its_parameters_are_checked_in_the_next_cell_and_its_own_values_pass(path, notebook, tmp_path):
    at = next(number for number, cell in enumerate(notebook.cells) if "parameters" in tags(cell))
    assert notebook.cells[at + 1].source == check_cell()
    namespace = {}
    exec(compile(notebook.cells[at].source, path.name, "exec", dont_inherit=True), namespace)
    before = dict(namespace)
    exec(check_cell(), namespace)
    assert {name: namespace[name] for name in before} == before
    # A type that the check does not know would not be checked.
    for name, kind in namespace["__annotations__"].items():
        with pytest.raises(lesson.ParameterError):
            lesson.check_parameters({"__annotations__": {name: kind}, name: {"a": "mapping"}})


def test_no_other_cell_annotates_a_variable(notebook):
    """The check takes every annotated name of the notebook for a parameter."""
    for cell in code_cells(notebook):
        annotated = [node for node in ast.parse(cell.source).body if isinstance(node, ast.AnnAssign)]
        assert not annotated or "parameters" in tags(cell), cell.source


def test_it_says_how_long_it_takes(notebook):
    opening = " ".join(notebook.cells[2].source.split())
    assert re.search(r"the code runs in under (a minute|(two|three|four) minutes)\b", opening)


def test_it_was_executed_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_it_shows_its_outputs(notebook):
    kinds = {output.output_type for output in outputs(notebook)}
    assert kinds & {"display_data", "execute_result", "stream"}
    for cell in code_cells(notebook):
        if re.search(r"^\s*(print|plt\.show|display)\(", cell.source.splitlines()[-1]):
            assert cell.outputs, f"no output, though it prints or shows something:\n{cell.source}"


def test_what_is_not_compared_is_a_number_and_a_verdict_follows(notebook):
    """Scores and times differ from machine to machine; what the chapter makes of them must not."""
    printing = [cell for cell in code_cells(notebook) if texts(cell)]
    for number, cell in enumerate(printing, 1):
        if "nbval-ignore-output" in tags(cell):
            assert re.search(r"\d", texts(cell)), f"no number, so compare it:\n{cell.source}"
            following = printing[number : number + 3]  # a row of measurements may share one verdict
            compared = any("nbval-ignore-output" not in tags(later) for later in following)
            assert compared, f"a verdict must follow, which is compared:\n{cell.source}"


def test_nothing_in_it_failed_or_warned(notebook):
    for output in outputs(notebook):
        assert output.output_type != "error", output.get("evalue")
        assert output.get("name") != "stderr", output.get("text")


def test_its_form_is_the_normalised_one(path, notebook):
    assert path.read_text(encoding="utf-8") == nbformat.writes(normalised(notebook)) + "\n", (
        f"{path.name}: run `make normalise`"
    )


def test_it_holds_no_widget_state(notebook):
    assert "widgets" not in notebook.metadata
    kinds = {kind for output in outputs(notebook) for kind in output.get("data", {})}
    assert not any("widget" in kind for kind in kinds)


def test_it_prints_no_path_of_a_machine(notebook):
    for output in outputs(notebook):
        shown = [output.get("text", "")]
        shown += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
        for text in shown:
            assert not re.search(r"(?<![\w.:/<])/(?!path/to)[a-zA-Z][\w.-]+/\w|[A-Z]:\\\w", text), text


def test_every_picture_has_words(notebook):
    for cell in code_cells(notebook):
        if pictures(cell):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) >= 20, f"no alt text:\n{cell.source}"


def test_every_picture_has_a_caption(notebook):
    """It is the Markdown below, which all readers show; figures are numbered from 1."""
    number = 0
    for cell, below in pairwise(notebook.cells):
        if cell.cell_type == "code" and pictures(cell):
            number += 1
            assert below.cell_type == "markdown", cell.source
            assert re.match(rf"\*\*Figure {number}\.\*\* \S", below.source), below.source
            assert "figure" not in cell.metadata["mystnb"], f"its caption stands below:\n{cell.source}"
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^\*\*Figure \d+\.\*\*", prose, flags=re.MULTILINE)) == number


# ---- What a lesson is: one sitting -------------------------------------------------------------------------


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_lesson_is_one_sitting(path, notebook):
    # What is made from a record, the tables of a full run or of photographs, is no prose.
    markdown = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    prose = [cell for cell in markdown if full_run_pages.TAG not in cell.metadata.get("tags", [])]
    words = sum(
        len(re.sub(r"<!-- .+? -->", "", measured.PLACE.sub("", cell.source)).split()) for cell in prose
    )
    assert len([cell for cell in notebook.cells if not cell.source.startswith("**Figure ")]) <= 55
    assert words <= 1800
    longest = max(len(line) for cell in code_cells(notebook)[1:] for line in cell.source.splitlines())
    assert longest <= 78


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_never_more_than_two_open_code_cells_stand_together(path, notebook):
    together = 0
    for cell in notebook.cells:
        together = 0 if cell.cell_type == "markdown" else together + (not FOLDED & set(tags(cell)))
        assert together <= 2, cell.source


FOLDED = {"remove-cell", "parameters", "fold", "check", "checker", "solution"}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_lesson_asks_before_it_shows_and_checks_what_it_claims(path, notebook):
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert 1 <= len(re.findall(r"^> \*\*Predict first\.\*\*", prose, flags=re.MULTILINE)) <= 3
    assert 1 <= len(re.findall(r"^### Exercise \d", prose, flags=re.MULTILINE)) <= 3
    lines = [
        line for cell in code_cells(notebook) if "check" in tags(cell) for line in texts(cell).splitlines()
    ]
    assert lines
    assert all(line.startswith("✓ ") for line in lines), lines


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_output_only_says_true_or_false(path, notebook):
    said = [line for cell in code_cells(notebook) for line in texts(cell).splitlines()]
    assert not [line for line in said if re.search(r": (True|False)$", line)]


def test_half_of_its_code_cells_are_short(notebook):
    lines = [
        len([line for line in cell.source.splitlines() if line.strip()]) for cell in code_cells(notebook)
    ]
    assert statistics.median(lines) <= 6


def test_every_chapter_is_named_by_its_number_or_letter():
    for path in CHAPTERS:
        assert re.fullmatch(r"(\d\d_\d|[A-Z])(_[a-z]+)+", path.stem)


TYPES = {
    bool: "True or False",
    int: "whole number",
    str: "text",
    int | None: "whole number or None",
    Path | None: "path or None",
    list[int]: "list of whole numbers",
}


def test_the_page_for_teachers_says_which_parameters_each_lesson_has():
    page = (REPOSITORY / "book" / "teachers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|[^|]+\|[^|]+\|$", page, flags=re.MULTILINE)
    said: dict[str, dict[str, str]] = {}
    for name, lessons, kind in rows:
        for path in CHAPTERS:
            number = lesson_number(path)
            if lessons == "all" or {number, number.split(".")[0]} & set(lessons.split(", ")):
                said.setdefault(path.stem, {})[name] = kind
    assert said == {
        path.stem: {name: TYPES[kind] for name, kind in parameters.kinds(path).items()} for path in CHAPTERS
    }


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_lesson_has_a_card_with_its_key_figure_and_its_minutes(path, notebook):
    """On the page that opens its chapter; of what belongs to no chapter, on the front page."""
    figures = [cell for cell in code_cells(notebook) if "key-figure" in tags(cell)]
    assert len(figures) == any(map(pictures, code_cells(notebook)))
    number = lesson_number(path)
    opening = "index.md" if number.isalpha() else f"chapter_{number.split('.')[0]}.md"
    page = (REPOSITORY / "book" / opening).read_text(encoding="utf-8")
    (card,) = [card for card in page.split(":::{grid-item-card}") if f"/{path.stem}\n" in card]
    assert (f":img-top: _figures/{lesson_prefix(path)}." in card) == len(figures)
    title = notebook.cells[2].source.splitlines()[0].removeprefix("# ")
    assert card.startswith(f" {number} {title}\n")
    (minutes,) = re.findall(r"\*\*Time\*\* (\d+) minutes", notebook.cells[2].source)
    assert f"\n{minutes} minutes\n" in card


@pytest.mark.parametrize(
    "chapter", sorted({lesson_number(path).split(".")[0] for path in CHAPTERS} - {"A", "B"})
)
def test_a_card_of_the_front_page_counts_the_lessons_of_its_chapter_and_their_minutes(chapter):
    page = (REPOSITORY / "book" / "index.md").read_text(encoding="utf-8")
    (card,) = [card for card in page.split(":::{grid-item-card}") if f":link: chapter_{chapter}\n" in card]
    lessons = [path for path in CHAPTERS if lesson_number(path).startswith(f"{chapter}.")]
    minutes = [
        int(re.findall(r"\*\*Time\*\* (\d+) minutes", nbformat.read(path, 4).cells[2].source)[0])
        for path in lessons
    ]
    count = "1 lesson" if len(lessons) == 1 else f"{len(lessons)} lessons"
    assert f"\n{count}, {sum(minutes)} minutes\n" in card

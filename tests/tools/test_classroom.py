"""`make class`: every exercise is found, handed out without its solution, and graded by nbgrader."""

from __future__ import annotations

import ast
import copy
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sklearn.metrics import cohen_kappa_score

from facelab import adience
from tools.classroom import __main__ as classroom
from tools.classroom import editions, exercises, guide
from tools.classroom.exercises import Lesson, Role
from tools.classroom.mistakes import likely, mistakes
from tools.paths import REPOSITORY, chapters

EVERY = {path.name for path in chapters()}
LIGHT = ["01_1", "01_3"]  # lessons that are executed in seconds; the second has an open exercise


@pytest.fixture(params=chapters(), ids=lambda path: path.stem)
def lesson(request) -> Lesson:
    return exercises.read(request.param)


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def marks(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    """Cells that mean something to nbgrader, by their names there."""
    found = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    named = {cell.metadata.nbgrader["grade_id"]: cell for cell in found}
    assert len(named) == len(found), "two cells of one name"
    return named


def defined(source: str) -> set[str]:
    return {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def assigned(source: str) -> set[str]:
    """Names that statements on the outermost level give a value."""
    statements = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    nodes = (node for statement in statements for node in ast.walk(statement))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


# ---- Every exercise of every lesson ------------------------------------------------------------------------


def test_every_exercise_is_found(lesson):
    checkers = [cell for cell in lesson.notebook.cells if "checker" in tags(cell)]
    checked = [task for task in lesson.tasks if task.checker]
    headings = [
        line
        for cell in lesson.notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("### Exercise")
    ]
    assert len(checked) == len(checkers) > 0
    assert {f"### {task.heading}" for task in lesson.tasks} == set(headings)
    assert [task.heading for task in lesson.tasks if not task.checker] == [
        line.removeprefix("### ") for line in headings if "(open)" in line
    ]


def test_its_solution_gives_right_values_to_what_is_asked(lesson):
    for task in lesson.tasks:
        if task.checker:
            assert [line.startswith("Right") for line in task.expected] == [True], task.name
            asked = {node.id for node in ast.walk(ast.parse(task.call)) if isinstance(node, ast.Name)}
            left_open = asked & (defined(task.beginning) | assigned(task.beginning))
            assert left_open, task.name
            assert left_open <= assigned(task.solution), task.name


def test_students_get_neither_solutions_nor_outputs(lesson):
    notebook = editions.for_students(lesson, {"seed": 7}, EVERY)
    nbformat.validate(notebook)
    assert not [cell for cell in notebook.cells if "solution" in tags(cell)]
    assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    assert "The solution" not in text.split("## Exercises")[1]
    assert "<details>" not in text.split("## Exercises")[1]
    for task in lesson.tasks:
        for line in task.solution.splitlines():
            # A line of the solution may stand in the lesson, too; not among the exercises.
            if len(line) > 30 and line not in task.beginning and line not in task.checker:
                assert line not in text.split("## Exercises")[1], task.name


def test_students_keep_all_that_is_not_a_solution(lesson):
    """Nothing of the lesson is lost on the way, and the questions of its exercises stay."""
    notebook = editions.for_students(lesson, {"seed": 7}, EVERY)
    kept = "\n".join(cell.source for cell in notebook.cells)
    before = [part for part in lesson.parts if part.role is Role.LESSON]
    for part in before[1:]:  # the first is the badge
        assert part.cell.source in kept
    for heading in ("## What you learned", *(f"### {task.heading}" for task in lesson.tasks)):
        assert heading in kept
    last = lesson.notebook.cells[-1].source.splitlines()[-1]
    assert last in kept
    assert len(marks(notebook)) == sum(3 if task.checker else 1 for task in lesson.tasks)


def test_nbgrader_gets_points_ids_and_tests(lesson):
    notebook = editions.for_nbgrader(lesson, guide.rubrics(lesson), EVERY)
    nbformat.validate(notebook)
    named = marks(notebook)
    for task in lesson.tasks:
        answer = named[f"answer-{task.name}"]
        assert answer.metadata.nbgrader["solution"]
        assert "BEGIN SOLUTION" in answer.source
        if not task.checker:
            assert answer.metadata.nbgrader["points"] == exercises.OPEN_POINTS
            assert "points; six pass" in answer.source
            continue
        test = notebook.cells[notebook.cells.index(answer) + 1]
        assert test is named[f"test-{task.name}"]
        assert test.metadata.nbgrader["points"] == exercises.POINTS
        assert test.metadata.nbgrader["locked"]
        assert task.checker in test.source
        assert named[f"check-{task.name}"].metadata.nbgrader["locked"]
        for cell in (answer, test):
            compile(cell.source, lesson.path.name, "exec")


def test_each_checker_knows_what_is_wrong_with_an_answer(lesson):
    for task in lesson.tasks:
        if task.checker:
            assert mistakes(task)


def test_the_guide_has_every_exercise_and_its_rubric(lesson):
    text = guide.guide([lesson], {"group_1": 101}, {})
    for task in lesson.tasks:
        function = f"`check_{task.name}`, " if task.checker else ""
        assert f"### {task.heading} ({function}{task.points} points)" in text
        assert all(f"`{line}`" in text for line in task.expected)
    assert text.count("points; six pass") == sum(not task.checker for task in lesson.tasks)
    assert f"| {guide.minutes(lesson)} | not measured |" in text


def test_each_checker_has_a_likely_wrong_answer_with_what_it_shows(lesson):
    checked = {task.name for task in lesson.tasks if task.checker}
    assert {wrong.task for wrong in likely() if wrong.lesson == lesson.number} == checked
    assert all(len(wrong.shows) > 20 and wrong.shows.endswith(".") for wrong in likely())


def test_each_likely_wrong_answer_is_refused_by_its_checker():
    """Those that need nothing which only their lesson has; test_clean_environment puts all of them."""
    tasks = {
        (lesson.number, task.name): task
        for lesson in map(exercises.read, chapters())
        for task in lesson.tasks
    }
    lesson_has = {
        "np": np,
        "hashlib": hashlib,
        "adience": adience,
        "GROUPS": list(adience.AGE_GROUPS),
        "kappa": cohen_kappa_score,
        "predictive_value": lambda base, hit, alarm: base * hit / (base * hit + (1 - base) * alarm),
        "far_share": lambda exact, one_off: 100 * (100 - one_off) / (100 - exact),
    }
    refused, accepted = 0, []
    for wrong in likely():
        task, names = tasks[wrong.lesson, wrong.task], dict(lesson_has)
        try:
            exec(task.checker, names)
            exec(wrong.answer, names)
            said = eval(task.call, names)
        except NameError:
            continue
        refused += said.startswith("Not yet")
        accepted += [] if said.startswith("Not yet") else [(wrong, said)]
    assert accepted == []
    assert refused >= 45


# ---- Forms that no lesson has ------------------------------------------------------------------------------

CHECKER = new_code_cell("def check_two(answer):\n    return 'Right'", metadata={"tags": ["checker"]})
ANSWER = new_code_cell("two = ...  # your code\n\nprint(check_two(two))")
SOLUTION = new_code_cell("print(check_two(1 + 1))", metadata={"tags": ["solution"]})
QUESTION = new_markdown_cell("Before\n\n## Exercises\n\n### Exercise 1: two\n\nHow much is it?")
AFTER = new_markdown_cell("It is even.\n\n```python\n# no heading\n```\n\n## What you learned\n\nMuch.")


def written(folder: Path, *cells: nbformat.NotebookNode) -> Path:
    path = folder / "01_1_made_up.ipynb"
    nbformat.write(new_notebook(cells=copy.deepcopy(list(cells))), path)
    return path


def test_what_is_said_of_a_solution_goes_with_it(tmp_path):
    lesson = exercises.read(written(tmp_path, QUESTION, CHECKER, ANSWER, SOLUTION, AFTER))
    assert [(part.role.name, part.cell.source[:15]) for part in lesson.parts] == [
        ("LESSON", "Before"),
        ("LESSON", "## Exercises"),
        ("LESSON", "### Exercise 1:"),
        ("CHECKER", "def check_two(a"),
        ("ANSWER", "two = ...  # yo"),
        ("SOLUTION", "print(check_two"),
        ("SOLUTION", "It is even.\n\n``"),
        ("LESSON", "## What you lea"),
    ]
    assert lesson.tasks[0].solution == "print(check_two(1 + 1))\n\ntwo = 1 + 1"


def test_a_solution_in_no_exercise_and_a_last_open_exercise_are_known_too(tmp_path):
    last = new_markdown_cell("## Exercises\n\n### Exercise 1 (open): why?\n\nWrite.")
    lesson = exercises.read(written(tmp_path, SOLUTION, last))
    roles = [part.role for part in lesson.parts]
    assert roles == [Role.SOLUTION, Role.LESSON, Role.LESSON, Role.PAGE]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([QUESTION, CHECKER, SOLUTION, AFTER], "no cell tagged 'solution'"),
        ([QUESTION, CHECKER, new_code_cell("two = ..."), SOLUTION], "does not end in print"),
        ([QUESTION, CHECKER, ANSWER, AFTER], "no cell tagged 'solution'"),
        ([CHECKER, ANSWER, SOLUTION], "stands in no exercise"),
        (
            [QUESTION, CHECKER, new_code_cell("print(check_two(2))"), SOLUTION],
            "other arguments than the answer's cell",
        ),
        (
            [QUESTION, CHECKER, new_code_cell("a, b = 1, 2\nprint(check_two(a, b))"), SOLUTION],
            "other arguments than the answer's cell",
        ),
    ],
)
def test_an_exercise_of_another_form_is_named(tmp_path, cells, words):
    with pytest.raises(ValueError, match=rf"01_1_made_up.ipynb: .*{words}.*CONTRIBUTING"):
        exercises.read(written(tmp_path, *cells))


def test_an_open_exercise_needs_a_rubric(tmp_path):
    question = new_markdown_cell(
        "## Exercises\n\n### Exercise 9 (open): why?\n\nWrite.\n\n## What you learned"
    )
    with pytest.raises(ValueError, match=r"no rubric for 'Exercise 9 \(open\): why\?'.*teachers.md"):
        guide.rubrics(exercises.read(written(tmp_path, question)))


# ---- A class -----------------------------------------------------------------------------------------------


def names(archive: Path) -> list[str]:
    return zipfile.ZipFile(archive).namelist()


def notebook_in(archive: Path, name: str) -> nbformat.NotebookNode:
    return nbformat.reads(zipfile.ZipFile(archive).read(name).decode(), as_version=4)


def test_a_class_of_three_groups_has_five_archives_of_the_same_bytes_each_time(tmp_path, capsys):
    arguments = [*LIGHT, "--groups", "3", "-p", "quick", "True", "--output", str(tmp_path)]
    assert classroom.main(arguments) == 0
    made = sorted(tmp_path.glob("*.zip"))
    assert [path.name for path in made] == [
        "nbgrader.zip",
        *(f"students_group_{number}.zip" for number in (1, 2, 3)),
        "teacher.zip",
    ]
    said = capsys.readouterr().out
    assert all(str(path) in said for path in made)
    for number, group in enumerate(made[1:4]):
        assert names(group) == [
            f"{group.stem}/01_1_from_files_to_one_table.ipynb",
            f"{group.stem}/01_3_split_by_album.ipynb",
        ]
        cells = notebook_in(group, names(group)[0]).cells
        (place,) = (i for i, cell in enumerate(cells) if "injected-parameters" in tags(cell))
        assert cells[place].source == f"# Parameters\nquick = True\nseed = {101 + number}"
        assert "parameters" in tags(cells[place - 2])
        assert f"seed of its own, {101 + number}." in cells[place - 1].source
    before = {path: path.read_bytes() for path in made}
    (tmp_path / "students_2025.zip").write_text("the teacher's own")
    assert classroom.main([*arguments[:2], *arguments[4:], "--groups", "2"]) == 0
    assert {path: path.read_bytes() for path in sorted(tmp_path.glob("*.zip"))}.keys() == {
        *(path for path in made if "group_3" not in path.name),
        tmp_path / "students_2025.zip",
    }
    (tmp_path / "students_2025.zip").unlink()
    assert classroom.main(arguments) == 0
    assert {path: path.read_bytes() for path in sorted(tmp_path.glob("*.zip"))} == before


def test_links_lead_to_a_notebook_that_is_there_or_to_the_code_host(tmp_path):
    assert classroom.main([*LIGHT, "--output", str(tmp_path)]) == 0
    archive = tmp_path / "students_group_1.zip"
    for name in names(archive):
        text = "\n".join(cell.source for cell in notebook_in(archive, name).cells)
        assert "](01_2_who_is_in_it.ipynb)" not in text
        assert "colab-badge" not in text
    assert "blob/main/notebooks/01_2_who_is_in_it.ipynb)" in text


def test_the_teacher_gets_what_was_executed_for_each_group(tmp_path, monkeypatch):
    def execute_all(notebooks, parameters, folder):
        folder.mkdir(parents=True)
        outputs = []
        for path in notebooks:
            notebook = nbformat.read(path, as_version=4)
            for cell in notebook.cells:
                if "check" in tags(cell) and parameters["seed"] == 102:
                    for output in cell.outputs:
                        output.text = output.text.replace("✓ ", "✗ not in this run: ")
            nbformat.write(notebook, folder / path.name)
            outputs.append(folder / path.name)
        return outputs

    monkeypatch.setattr(classroom, "execute_all", execute_all)
    monkeypatch.setattr(classroom, "RUNS", tmp_path / "runs")
    assert classroom.main(["01_1", "--groups", "2", "--execute", "--output", str(tmp_path)]) == 0
    archive = tmp_path / "teacher.zip"
    assert names(archive) == [
        "teacher/group_1/01_1_from_files_to_one_table.ipynb",
        "teacher/group_2/01_1_from_files_to_one_table.ipynb",
        "teacher/guide.md",
    ]
    text = zipfile.ZipFile(archive).read("teacher/guide.md").decode()
    assert "does not hold in the run of group_2" in text
    assert "does not hold in the run of group_1" not in text
    assert "Likely wrong answers" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["3.3"], "no lesson's file name begins with 3.3"),
        (["01_1", "-p", "seed", "3"], "leave out -p seed"),
        (["01_1", "-p", "epochs", "3"], "no parameter epochs"),
        (["01_1", "-p", "data_dir", "nowhere"], "data_dir"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_made(tmp_path, capsys, arguments, words):
    assert classroom.main([*arguments, "--output", str(tmp_path / "class")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "class").exists()


def test_a_class_has_at_least_one_group(tmp_path, capsys):
    with pytest.raises(SystemExit):
        classroom.main(["--groups", "0", "--output", str(tmp_path)])
    assert "1 to 999 groups" in capsys.readouterr().err


def test_the_plans_give_each_lesson_the_minutes_that_it_states():
    page = guide.TEACHERS_PAGE.read_text(encoding="utf-8")
    planned = re.findall(r"\]\(\.\./notebooks/(\w+\.ipynb)\), (\d+) minutes", page)
    lessons = {path.name: guide.minutes(exercises.read(path)) for path in chapters()}
    assert len(planned) > 20
    assert [(name, lessons[name]) for name, _ in planned] == [(name, int(told)) for name, told in planned]


def test_a_chapter_is_chosen_by_its_number():
    assert [path.name[:4] for path in classroom.chosen_lessons(["03_5", "01"])] == [
        "01_1",
        "01_2",
        "01_3",
        "03_5",
    ]
    assert classroom.chosen_lessons([]) == chapters()


# ---- nbgrader generates and grades -------------------------------------------------------------------------

ANSWERS = {
    # A wrong rule; and a checker that was talked into agreeing.
    "answer-fence": "nearest_or_none = lambda age_label: None",
    "answer-own_set": "my_folder = None\ncheck_own_set = lambda answer: 'Right: trust me.'",
}
# Who hands in what. A lesson is executed for each, which takes most of the time here.
SUBMISSIONS = [("right", 0), ("wrong", 0), ("empty", 0), ("right", 1), ("empty", 1)]


class Course:
    """The class's course, unpacked, with three submissions of each lesson."""

    def __init__(self, folder: Path):
        assert classroom.main([*LIGHT, "-p", "quick", "True", "--output", str(folder)]) == 0
        for name in ("nbgrader", "students_group_1"):
            zipfile.ZipFile(folder / f"{name}.zip").extractall(folder)
        self.folder, self.students = folder / "nbgrader", folder / "students_group_1"
        self.sources = sorted(self.folder.glob("source/*/*.ipynb"))

    def call(self, *words: str) -> None:
        # It calls alembic by its name; kernels have to find this repository's package.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(REPOSITORY / "src")}
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    def submit(self, who: str, source: Path) -> None:
        notebook = nbformat.read(self.students / source.name, as_version=4)
        solved = marks(nbformat.read(source, as_version=4))
        for name, cell in marks(notebook).items():
            if cell.metadata.nbgrader["solution"] and who == "right":
                cell.source = solved[name].source
            elif cell.metadata.nbgrader["solution"] and who == "wrong":
                cell.source = ANSWERS[name]
        place = self.folder / "submitted" / who / source.parent.name / source.name
        place.parent.mkdir(parents=True)
        nbformat.write(notebook, place)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed (the extra `class`)")
    made = Course(tmp_path_factory.mktemp("class"))
    for source in made.sources:
        made.call("generate_assignment", source.parent.name)
    return made


def without_checksum(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    result = copy.deepcopy(cell)
    for added in ("checksum", "cell_type"):
        result.metadata.get("nbgrader", {}).pop(added, None)
    return result


@pytest.mark.slow
def test_nbgrader_releases_what_the_students_got(course):
    for source in course.sources:
        released = nbformat.read(course.folder / "release" / source.parent.name / source.name, as_version=4)
        students = nbformat.read(course.students / source.name, as_version=4)
        cells = [cell for cell in students.cells if cell.id not in ("own-seed", "injected-parameters")]
        assert len(released.cells) == len(cells)
        for one, other in zip(released.cells, cells, strict=True):
            if "](01_" not in one.source:  # in a course each lesson is alone, so its links differ
                assert without_checksum(one) == other


@pytest.mark.slow
def test_nbgrader_grades_a_right_a_wrong_and_an_empty_answer(course):
    for who, number in SUBMISSIONS:
        course.submit(who, course.sources[number])
    for source in course.sources:
        course.call("autograde", source.parent.name)
    course.call("export")
    from nbgrader.api import Gradebook

    found = {}
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        for who, number in SUBMISSIONS:
            source = course.sources[number]
            notebook = gradebook.find_submission_notebook(source.stem, source.parent.name, who)
            for grade in notebook.grades:
                found[who, grade.name] = (grade.score, grade.max_score, grade.needs_manual_grade)
    right, none = (5, 5, False), (0, 5, False)
    assert found == {
        ("right", "test-fence"): right,
        ("right", "test-own_set"): right,
        ("wrong", "test-fence"): none,
        ("wrong", "test-own_set"): none,
        ("empty", "test-fence"): none,
        ("empty", "test-own_set"): none,
        ("right", "test-subject_split"): right,
        ("empty", "test-subject_split"): none,
        # An open answer waits for a person, unless nothing was written.
        ("right", "answer-exercise-2"): (0, 10, True),
        ("empty", "answer-exercise-2"): (0, 10, False),
    }
    assert "lesson_01_1" in (course.folder / "grades.csv").read_text()
    shutil.rmtree(course.folder)  # the notebooks are large with their outputs

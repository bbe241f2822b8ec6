"""The promise of the package: every public function says which lesson builds it or uses it, and it is true.

The grammar, one statement in the Notes of each docstring:

- ``Built in lesson 3.`` or, where the reader's version has another name, ``Built in lesson 3, as `name`.``
- ``Used in lesson 3.``
- ``Used by tools.pretrain.``, for what no lesson needs: a module outside the package's module that uses it.

"Built" holds if the lesson's notebook defines the reader's version and compares it with the package's. A cell
compares if it names the package's function (``evaluation.accuracy``), calls a comparison such as
``np.allclose``, and uses the reader's version or something that was made with it. A function may also be
compared through a caller: then the reader's version of another public function calls the reader's version of
this one, and a cell compares that other function. So ``years`` is compared through ``read_folds``.

"Used" holds if a code cell of the notebook names the package's function.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.project.doors import DOORS, PUBLIC
from tools.paths import chapters, lesson_number

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = {lesson_number(path): path for path in chapters()}
"""The notebook of each lesson: the one whose file name begins with its number."""

STATEMENT = re.compile(
    r"\b(?:(?P<verb>Built|Used) in lesson (?P<lesson>[0-9]+\.[0-9]+|[A-Z])(?:, as ``(?P<own>\w+)``)?"
    r"|Used by (?P<module>[a-z_]+\.[a-z_.]*[a-z_]))(?=[.;](?:\s|$))"
)
COMPARISONS = {"allclose", "array_equal", "isclose", "assert_frame_equal", "assert_series_equal", "equals"}


class Lesson(NamedTuple):
    """The code of a notebook, taken apart."""

    cells: list[ast.Module]
    doors: dict[str, str]
    """The module of the package that each imported name stands for."""
    made: dict[str, set[str]]
    """The names that were used to define or to make each name of the notebook."""
    functions: set[str]
    """The functions and classes that it defines, and its lists and dicts of functions."""


@cache
def lesson(number: str) -> Lesson:
    """Parse a lesson's notebook."""
    content = json.loads(NOTEBOOKS[number].read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    cells = [ast.parse(re.sub(r"^(\s*)[%!].*", r"\1pass", source, flags=re.M)) for source in sources]
    return take_apart(cells)


def take_apart(cells: list[ast.Module]) -> Lesson:
    """Note the imports, and which names each name was made with."""
    doors: dict[str, str] = {}
    made: dict[str, set[str]] = {}
    functions: set[str] = set()
    for node in (node for cell in cells for node in ast.walk(cell)):
        if isinstance(node, ast.ImportFrom) and node.module == "facelab":
            doors |= {alias.asname or alias.name: alias.name for alias in node.names}
    for statement in (statement for cell in cells for statement in cell.body):
        used = names(statement, ast.Load)
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            made.setdefault(statement.name, set()).update(used)
            functions.add(statement.name)
            continue
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List | ast.Tuple | ast.Dict):
            functions |= names(statement, ast.Store)
        for name in names(statement, ast.Store):
            made.setdefault(name, set()).update(used)
        # What is passed to a function first may be changed by it: fit(model, …) trains the model.
        for call in (node for node in ast.walk(statement) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.args and isinstance(call.args[0], ast.Name):
                made.setdefault(call.args[0].id, set()).add(call.func.id)
    return Lesson(cells, doors, made, functions)


def names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """List the names that are read or written."""
    return {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, context)
    }


def named(cell: ast.Module, of: Lesson) -> Iterator[str]:
    """Yield the package's functions that a cell names, as ``module.name``.

    ``getattr(evaluation, score.__name__)`` names each function that the cell's names are or were made of.
    """
    for node in ast.walk(cell):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in of.doors:
            yield f"{of.doors[node.value.id]}.{node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            door = of.doors.get(getattr(node.args[0], "id", ""))
            read = names(cell, ast.Load)
            for name in read.union(*(of.made.get(name, ()) for name in read)) if door else ():
                yield f"{door}.{name}"


def compares(cell: ast.Module) -> bool:
    """Whether a cell compares two values, by a function or by ``==``."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr in COMPARISONS)
        or (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq))
        for node in ast.walk(cell)
    )


def uses(number: str, function: str) -> bool:
    """Whether a lesson names a function of the package."""
    return any(function in named(cell, lesson(number)) for cell in lesson(number).cells)


def compared(of: Lesson, function: str, own: str) -> bool:
    """Whether a cell compares a function of the package with the reader's version `own`."""
    for cell in of.cells:
        if compares(cell) and function in named(cell, of):
            read = names(cell, ast.Load)
            made_with = set().union(*(of.made.get(name, ()) for name in read))
            if own in read or (own in of.functions and own in made_with):
                return True
    return False


def built(of: Lesson, function: str, own: str, others: dict[str, str]) -> str | None:
    """Say why a lesson does not build a function; None if it does."""
    if own not in of.made:
        return f"the notebook defines no {own}"
    if compared(of, function, own):
        return None
    callers = {name for name in others if others[name] in of.functions and own in reached(of, others[name])}
    if any(compared(of, name, others[name]) for name in callers - {function}):
        return None
    return f"no cell compares {own} with {function}, nor a function that calls {own}"


def reached(of: Lesson, own: str) -> set[str]:
    """List the functions of the notebook that one of them calls, and what these call, and so on."""
    found: set[str] = set()
    ahead = {own}
    while ahead:
        found |= ahead
        ahead = set().union(*(of.made[name] & of.functions for name in ahead)) - found
    return found - {own}


def statements(function: str) -> list[dict[str, str | None]]:
    """List what a docstring says of lessons."""
    doc = " ".join((PUBLIC[function].__doc__ or "").split())
    return [match.groupdict() for match in STATEMENT.finditer(doc)]


def built_in(number: str) -> dict[str, str]:
    """Return the reader's name of each function that the docstrings say is built in a lesson."""
    said = {function: statements(function) for function in PUBLIC}
    return {
        function: statement["own"] or function.split(".")[1]
        for function, found in said.items()
        for statement in found
        if statement["verb"] == "Built" and statement["lesson"] == number
    }


@pytest.mark.parametrize("door", DOORS)
def test_a_module_says_what_is_public(door: str) -> None:
    """In a module that is one file, a name outside ``__all__`` begins with an underscore."""
    module = importlib.import_module(f"facelab.{door}")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    code = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    defined = {node.name for node in code.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    defined |= set().union(
        *(names(node, ast.Store) for node in code.body if isinstance(node, ast.Assign | ast.AnnAssign))
    )
    assert {name for name in defined if not name.startswith("_")} <= set(module.__all__)


@pytest.mark.parametrize("function", PUBLIC)
def test_a_docstring_tells_the_lesson_and_it_is_true(function: str) -> None:
    found = statements(function)
    assert len(found) == 1, f"say once 'Built in lesson N.', 'Used in lesson N.' or 'Used by …': {found}"
    (statement,) = found
    number, module = statement["lesson"], statement["module"]
    if module:
        assert uses_in_module(module, function), f"{module} does not use it"
        return
    assert number in NOTEBOOKS, f"there is no lesson {number}"
    if statement["verb"] == "Used":
        assert uses(number, function), f"no code cell of lesson {number} uses {function}"
    else:
        own = statement["own"] or function.split(".")[1]
        problem = built(lesson(number), function, own, built_in(number))
        assert problem is None, problem


def uses_in_module(module: str, function: str) -> bool:
    """Whether a module of the repository, but not the function's own, names it."""
    door, name = function.split(".")
    assert not module.startswith(f"facelab.{door}")
    place = module.replace(".", "/")
    file = next(
        path
        for path in (REPOSITORY / f"src/{place}.py", REPOSITORY / f"{place}.py", REPOSITORY / "missing")
        if path.is_file() or path.name == "missing"
    )
    if not file.is_file():
        return False
    code = ast.parse(file.read_text(encoding="utf-8"))
    imported = any(
        isinstance(node, ast.ImportFrom)
        and node.module == f"facelab.{door}"
        and name in [alias.name for alias in node.names]
        for node in ast.walk(code)
    )
    return imported or function in named(code, take_apart([code]))


# ---- The test itself: what it must not believe ------------------------------------------------------------

READER = "from facelab import evaluation\ndef accuracy(a, b):\n    return (a - b).mean()\n"


@pytest.mark.parametrize(
    ("cells", "believed"),
    [
        ([READER, "np.isclose(evaluation.accuracy(a, b), accuracy(a, b))"], True),
        ([READER, "mine = accuracy(a, b)", "evaluation.accuracy(a, b) == mine"], True),
        ([READER, "for score in (accuracy,):\n    score(a) == getattr(evaluation, score.__name__)(a)"], True),
        ([READER, "accuracy(a, b)\nevaluation.accuracy(a, b)"], False),
        ([READER, "evaluation.accuracy(a, b) == 0.5"], False),
        ([READER, "evaluation.log_loss(a, b) == accuracy(a, b)"], False),
        (["from facelab import evaluation", "evaluation.accuracy(a, b) == evaluation.accuracy(b, a)"], False),
        ([READER, "def caller(a):\n    return accuracy(a, a)\nevaluation.caller(a) == caller(a)"], True),
        ([READER, "def caller(a):\n    return accuracy(a, a)\ncaller(a) == caller(a)"], False),
        ([READER, "def caller(a):\n    return a\nevaluation.caller(a) == caller(a)"], False),
    ],
)
def test_only_a_comparison_counts_as_built(cells: list[str], believed: bool) -> None:
    of = take_apart([ast.parse(cell) for cell in cells])
    others = {"evaluation.accuracy": "accuracy", "evaluation.caller": "caller"}
    assert (built(of, "evaluation.accuracy", "accuracy", others) is None) is believed

"""Wrong answers: those that the checkers know, read out of their code, and likely ones, written by hand."""

from __future__ import annotations

import ast
import functools
import tomllib
from pathlib import Path
from typing import NamedTuple

from tools.classroom.exercises import Task

WRITTEN = Path(__file__).with_name("wrong_answers.toml")

_WRONG = "Not yet: "


class WrongAnswer(NamedTuple):
    """A likely wrong answer."""

    lesson: str  # its number, such as "3.4"
    task: str
    answer: str  # Python that gives the names in the task's call wrong values
    shows: str  # about whoever gives it, in a sentence or two


@functools.cache
def likely() -> tuple[WrongAnswer, ...]:
    """Read the likely wrong answers, in the order of their file."""
    with WRITTEN.open("rb") as file:
        return tuple(WrongAnswer(**one) for one in tomllib.load(file)["wrong"])


class Mistake(NamedTuple):
    """A wrong answer that a checker knows."""

    said: str  # to the learner, such as "the mean is 15.0, not {got}", with what is computed in braces
    shown_by: str  # what the checker saw, as code; empty where nothing else is left


def mistakes(task: Task) -> list[Mistake]:
    """List what a checker says to wrong answers, in its order, and what shows it each of them.

    Raises
    ------
    ValueError
        If the checker knows no wrong answer: then it cannot say what is wrong.
    """
    found: list[Mistake] = []
    for function in ast.parse(task.checker).body:
        if isinstance(function, ast.FunctionDef) and function.name == f"check_{task.name}":
            _collect(function, "", found)
    if not found:
        raise ValueError(f"check_{task.name} returns nothing that begins {_WRONG!r}")
    return found


def _collect(node: ast.AST, shown_by: str, found: list[Mistake]) -> None:
    """Walk through the statements of a checker, with the condition under which each is reached."""
    if isinstance(node, ast.Return) and node.value is not None:
        for text, condition in _texts(node.value, shown_by):
            if text.startswith(_WRONG):
                found.append(Mistake(text.removeprefix(_WRONG), condition))
        return
    for name, value in ast.iter_fields(node):
        inside = shown_by
        if isinstance(node, ast.If) and name == "body":
            inside = ast.unparse(node.test)
        elif isinstance(node, ast.If) and name == "orelse":
            inside = f"not ({ast.unparse(node.test)})"
        elif isinstance(node, ast.ExceptHandler) and node.type is not None:
            inside = f"it raises {ast.unparse(node.type)}"
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                _collect(child, inside, found)


def _texts(value: ast.expr, shown_by: str) -> list[tuple[str, str]]:
    """Write out what a statement may return, each with its condition."""
    if isinstance(value, ast.IfExp):
        test = ast.unparse(value.test)
        return _texts(value.body, test) + _texts(value.orelse, f"not ({test})")
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [(value.value, shown_by)]
    if isinstance(value, ast.JoinedStr):
        return [("".join(map(_piece, value.values)), shown_by)]
    return []


def _piece(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    return f"{{{ast.unparse(value.value)}}}" if isinstance(value, ast.FormattedValue) else ""

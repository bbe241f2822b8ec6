"""The lessons' parameters on a command line: which there are, of which type, and what a text means.

A lesson's cell tagged ``parameters`` annotates each of them; :mod:`facelab.lesson` says what the annotations
mean and checks the values, here before anything runs and in the lesson once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import nbformat

from facelab import lesson

_WORDS = {"True": True, "False": False, "None": None}


def kinds(notebook: Path) -> dict[str, Any]:
    """Return the type of each parameter of a lesson, in its order.

    Raises
    ------
    ValueError
        If the parameters' cell is no Python, or cannot be run.
    """
    return _run_cell(notebook).get("__annotations__", {})


def own_values(notebook: Path) -> dict[str, Any]:
    """Return the value that each parameter has in the chapter itself; errors as for :func:`kinds`."""
    namespace = _run_cell(notebook)
    return {name: namespace[name] for name in namespace.get("__annotations__", {}) if name in namespace}


def _run_cell(notebook: Path) -> dict[str, Any]:
    """Run the cell of a chapter's parameters alone; returns its names."""
    cells = nbformat.read(notebook, as_version=4).cells
    source = "\n".join(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))
    namespace: dict[str, Any] = {}
    try:
        # The strings that this module's annotations are would come along.
        exec(compile(source, notebook.name, "exec", dont_inherit=True), namespace)
    except Exception as error:
        raise ValueError(f"{notebook.name}: its cell tagged 'parameters' cannot be run: {error}") from error
    return namespace


def check_parameters(notebook: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse a parameter that a lesson does not have, or a value that it would not take.

    Raises
    ------
    ValueError
        Naming the parameter, what was given and what is expected.
    """
    known = _known(notebook, parameters)
    for name, value in parameters.items():
        lesson.parameter_value(name, known[name], value)


def read(pairs: Iterable[tuple[str, str]], notebooks: Sequence[Path]) -> dict[str, Any]:
    """Read names and values from the command line, as papermill is given them.

    A path is taken as it is written; it and what else is relative to the current folder is made absolute,
    because each lesson runs in a folder of its own.

    Raises
    ------
    ValueError
        If one of the lessons has no such parameter, or it is of another type; see :mod:`facelab.lesson`.
    """
    texts = dict(pairs)
    values: dict[str, Any] = {}
    for notebook in notebooks:
        known = _known(notebook, texts)
        for name, text in texts.items():
            value = lesson.parameter_value(name, known[name], _value(known[name], text))
            values[name] = str(value) if isinstance(value, Path) else value
    return values


def _known(notebook: Path, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the types of a lesson's parameters; papermill alone would only warn of a name that is none."""
    known = kinds(notebook)
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(
            f"{notebook.name}: no parameter {', '.join(unknown)}; its cell tagged 'parameters' has: "
            f"{', '.join(known) or 'none'}"
        )
    return known


def _value(kind: Any, text: str) -> Any:
    """Read a text as papermill does, unless the type says text or path; what cannot be read stays text."""
    if kind is str or Path in (kind, *get_args(kind)):
        return None if text == "None" else text
    if text in _WORDS:
        return _WORDS[text]
    try:
        return json.loads(text) if text.startswith("[") else int(text)
    except (ValueError, RecursionError):
        return text

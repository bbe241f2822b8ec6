"""What a lesson does first, check its parameters, and what it does all along, check its claims.

A parameter's type is what its annotation says in the cell tagged ``parameters``, and nothing else does:

================== ===========================================================================================
``bool``           True or False
``int``            a whole number from 1, or for ``seed`` from 0, to 4294967295, which every source of random
                   numbers takes as a seed
``str``            text; for ``run``, "short" or "full"
``list[int]``      a list of one whole number from 0 or more of them, each larger than the one before
``Path``           a file that is there, or a folder if the parameter's name ends in ``_dir``;
                   ``checkpoints`` is a folder, too, and is made where it is missing
``Optional[…]``    the same, or None
================== ===========================================================================================

The annotations are written so, and not ``Path | None``, because papermill cannot read the latter.
"""

import ast
import difflib
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Final, NamedTuple, get_args

import numpy as np

__all__ = ["ParameterError", "check", "check_parameters", "input_paths", "parameter_value"]

_MADE: Final = frozenset({"checkpoints"})
_CHOICES: Final = {"run": ("short", "full")}
_LARGEST: Final = 2**32 - 1
# All but a seed counts something that a lesson cannot be without.
_LEAST: Final = {"seed": 0}


class ParameterError(ValueError):
    """A parameter has a name, a type or a value that the lesson does not take; the message says which."""

    def _render_traceback_(self) -> list[str]:
        """Tell IPython to show the sentence alone: the lines of the program would not help a reader."""
        return [f"{type(self).__name__}: {self}"]


class _Type(NamedTuple):
    """What a type is called, whether a value has it, and how papermill is given one."""

    name: str
    fits: Callable[[Any], bool]
    option: str


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _are_rising_numbers(values: Any) -> bool:
    """Tell whether these are numbers as they are recorded: a fold named twice would count twice."""
    return (
        isinstance(values, list)
        and len(values) > 0
        and all(map(_is_number, values))
        and values == sorted(set(values))
    )


_TYPES: Final[dict[Any, _Type]] = {
    bool: _Type("True or False", lambda value: type(value) is bool, "-p {} True"),
    int: _Type(f"a whole number from {{least}} to {_LARGEST}", _is_number, "-p {} 1"),
    str: _Type("text", lambda value: isinstance(value, str), "-r {} TEXT"),
    Path: _Type("a path", lambda value: isinstance(value, str | Path), "-r {} PATH"),
    list[int]: _Type(
        "a list of whole numbers in rising order, such as [0, 1]",
        _are_rising_numbers,
        "-y '{{{}: [0, 1]}}'",
    ),
}


def check(claim: str, holds: bool | np.bool_) -> None:
    """Print whether a claim of the lesson holds in this run.

    Parameters
    ----------
    claim : str
        What the lesson's text says, such as "no album is in both parts".
    holds : bool
        Whether the numbers of this run agree.

    Raises
    ------
    TypeError
        If `holds` is anything else: an array of them would be true or not by accident.

    Notes
    -----
    It prints and raises nothing: other data or another seed may well disagree, and the lesson goes on. Of the
    committed notebooks nbval compares what was printed, so there a claim that no longer holds is noticed.
    Used in lesson 1.1.

    Examples
    --------
    >>> check("one is less than two", 1 < 2)
    ✓ one is less than two
    >>> check("two is less than one", 2 < 1)
    ✗ not in this run: two is less than one
    """
    if not isinstance(holds, bool | np.bool_):
        raise TypeError(f"a claim holds or does not: give True or False, not {type(holds).__name__}")
    print(f"✓ {claim}" if holds else f"✗ not in this run: {claim}")


def check_parameters(namespace: dict[str, Any]) -> None:
    """Check a lesson's parameters, in the cell after them, and make its paths absolute.

    Parameters
    ----------
    namespace : dict
        The notebook's ``globals()``. Each parameter that is a path becomes a Path in it.

    Raises
    ------
    ParameterError
        If papermill has put in a name that is none of the lesson's parameters, or a value is not what the
        parameter's annotation says.

    Notes
    -----
    Papermill writes its values into a cell between the parameters and this check, whatever they are: a
    misspelt name would change nothing, and the text "false" would be true. Used in lesson 1.1.
    """
    known = namespace.get("__annotations__", {})
    kinds = {
        name: kind for name, kind in known.items() if _without_none(kind) in _TYPES and name in namespace
    }
    for name in sorted(_put_in(namespace) - set(kinds)):
        near = difflib.get_close_matches(name, kinds, n=1, cutoff=0.5)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise ParameterError(f"this lesson has no parameter {name}; it has {', '.join(kinds)}.{meant}")
    for name, kind in kinds.items():
        try:
            namespace[name] = parameter_value(name, kind, namespace[name])
        except ParameterError as error:
            plain = _without_none(kind)
            if plain is Path and isinstance(namespace[name], str | Path):
                raise
            option = _TYPES[plain].option.format(name)
            raise ParameterError(f"{error}. With papermill write, for example, {option}") from None


def parameter_value(name: str, kind: Any, value: Any) -> Any:
    """Return a parameter's value as the lesson uses it.

    Parameters
    ----------
    name : str
        The parameter.
    kind : type
        Its annotation, one of those that :mod:`facelab.lesson` lists.
    value : object
        What was given. A whole number for a path is a name of digits, which papermill reads as a number.

    Returns
    -------
    object
        The same; for a path an absolute Path, ``~`` at its beginning the home folder, and what is relative
        beginning at the current folder.

    Raises
    ------
    ParameterError
        If it is of another type, or names no file or folder; the message names both.

    Notes
    -----
    Used by tools.parameters.

    Examples
    --------
    >>> parameter_value("folds", list[int], [0, 1])
    [0, 1]
    """
    if value is None and NoneType in get_args(kind):
        return None
    plain = _without_none(kind)
    if plain is Path and type(value) is int and value >= 0:
        value = str(value)
    fits = _TYPES[plain].fits(value) and value in _CHOICES.get(name, (value,))
    if not fits or (plain is int and value < _least(name)):
        raise ParameterError(f"{name} must be {_expected(name, kind)}, not {_shown(value)}")
    return _path(name, kind, value) if plain is Path else value


def input_paths(kinds: Mapping[str, Any], values: Mapping[str, Any]) -> list[Path]:
    """List the files and folders that a lesson reads because its parameters say so.

    Parameters
    ----------
    kinds : mapping
        The annotation of each of the lesson's parameters.
    values : mapping
        Values of some of them.

    Returns
    -------
    list of Path
        In the order of `kinds`, without what the lesson makes.

    Notes
    -----
    Used by tools.execute.
    """
    return [
        Path(values[name])
        for name, kind in kinds.items()
        if _without_none(kind) is Path and name not in _MADE and values.get(name) is not None
    ]


def _path(name: str, kind: Any, value: str | Path) -> Path:
    """Make a path absolute, and see that what a lesson reads is there."""
    if str(value).casefold() in ("", "null", "none"):
        raise ParameterError(
            f"{name} must be {_expected(name, kind)}, not {_shown(value)}; for this name write ./{value}"
        )
    try:
        path = Path(value).expanduser().absolute()
    except RuntimeError:
        raise ParameterError(
            f"{name}: {_shown(value)} begins with the home folder of a user who is not there; for this "
            f"name write ./{value}"
        ) from None
    where = _printable(path)
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ParameterError(
            f"{name}: {where} is not UTF-8, which a notebook cannot hold: rename it"
        ) from None
    folder = name in _MADE or name.endswith("_dir")
    what = "folder" if folder else "file"
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode):
            return path
        why = f"{where} is no {what}"
    except (FileNotFoundError, NotADirectoryError):
        nearest = next(place for place in (path, *path.parents) if os.path.lexists(place))
        if name in _MADE and nearest.is_dir():
            return path
        why = f"there is no {what} {where}"
        if name in _MADE:
            why = f"{where} cannot be made, because {_printable(nearest)} is no folder"
    except (OSError, ValueError) as error:
        # Too long, without the right to look, a link to itself, or with a character that no name has.
        why = f"{where} cannot be looked at ({getattr(error, 'strerror', None) or error})"
    raise ParameterError(
        f"{name}: {why}. It was given as {str(value)!r}, and the current folder is {Path.cwd()}"
    )


def _printable(path: Path) -> str:
    return str(path) if str(path).isprintable() else ascii(str(path))


def _put_in(namespace: dict[str, Any]) -> set[str]:
    """Names that papermill has set: it puts a cell of its own, with this first line, before the check.

    Without IPython, or without papermill, there are none. What it tells on request begins with its name.
    """
    cells = namespace.get("In")
    if not isinstance(cells, list) or not cells:
        return set()
    before = next((cell for cell in reversed(cells) if cell != cells[-1]), "")
    if not before.startswith("# Parameters\n"):
        return set()
    try:
        statements = ast.parse(before).body
    except SyntaxError:
        return set()
    return {
        target.id
        for statement in statements
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and not target.id.startswith("PAPERMILL_")
    }


def _without_none(kind: Any) -> Any:
    """Return a type without the None that Optional adds."""
    others = [part for part in get_args(kind) if part is not NoneType]
    return others[0] if NoneType in get_args(kind) else kind


def _least(name: str) -> int:
    return _LEAST.get(name, 1)


def _expected(name: str, kind: Any) -> str:
    if name in _CHOICES:
        words = " or ".join(map(repr, _CHOICES[name]))
    else:
        words = _TYPES[_without_none(kind)].name.format(least=_least(name))
    return f"{words} or None" if NoneType in get_args(kind) else words


def _shown(value: Any) -> str:
    """Show a value, a text as such: 'false' is easily taken for False."""
    shown = repr(value)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
    return f"the text {shown}" if isinstance(value, str) else shown

"""What a chapter measured, as one JSON record: on which faces, with what, how well, how sure, how long.

A record names its data set by a checksum, never by a path, and holds no date: the same run on another
machine gives the same record, but for the time it took and what that machine computes differently.
"""

import hashlib
import json
import math
import os
import platform
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from facelab import adience, embedded
from facelab.evaluation import Interval

__all__ = ["PACKAGES", "RecordError", "Score", "read", "to_frame", "to_markdown", "write"]

PACKAGES: Final = ("tensorflow", "keras", "numpy", "facelab")
"""The packages whose versions a record holds, beside Python's."""


class RecordError(ValueError):
    """A record that cannot be written or believed; the message names the file and the key."""


class Score(NamedTuple):
    """One score of one model, with its 95 % interval, the faces it rests on, and how these were set apart.

    Parameters
    ----------
    name : str
        What is scored, such as "accuracy".
    estimate, low, high : float
        The score, and the lower and the upper end of its interval.
    faces, albums : int
        How many it rests on.
    split : {"test", "validation"}
        The part of the data set that was scored.
    folds : list of int
        The test folds: for a score on validation albums, those that were left out.

    Notes
    -----
    Used in lesson 3.
    """

    name: str
    estimate: float
    low: float
    high: float
    faces: int
    albums: int
    split: Literal["test", "validation"]
    folds: list[int]


def write(
    name: str,
    *,
    data_dir: str | os.PathLike[str],
    parameters: Mapping[str, Any],
    scores: Mapping[str, Sequence[Score]],
    seconds: float,
    run: Literal["short", "full"] = "short",
    folder: str | os.PathLike[str] = "results",
) -> Path:
    """Write what a chapter measured to ``<folder>/<name>.json``, or ``<name>_full.json`` for a full run.

    Parameters
    ----------
    name : str
        The notebook's, without its suffix.
    data_dir : path-like
        The data set, as for :func:`facelab.adience.read_folds`.
    parameters : mapping
        What the scores depend on, the ``seed`` among it, in types that JSON has. No paths: they mean nothing
        on another machine.
    scores : mapping from str to sequence of Score
        Each model's; a baseline is a model too.
    seconds : float
        How long the training took.
    run : {"short", "full"}
        "short" is the run that the chapter shows; "full" has more epochs, all folds and all photographs.
    folder : path-like
        Made if it is not there.

    Returns
    -------
    Path
        The record. It appears by a rename, so if it is there it is complete.

    Raises
    ------
    RecordError
        If anything is not as a record must be, for example a score that is not a number. Nothing is written.
    facelab.adience.DataSetError
        If `data_dir` is no data set.

    Notes
    -----
    Used in lesson 3.
    """
    path = Path(folder) / _file_name(name, run)
    content = {
        "chapter": name,
        "run": run,
        "data": _describe(Path(data_dir)),
        "parameters": parameters,
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in PACKAGES},
        "scores": {model: [score._asdict() for score in of_model] for model, of_model in scores.items()},
        "seconds": round(seconds),
    }
    try:
        plain = json.loads(json.dumps(content, default=_without_numpy))
    except TypeError as error:
        raise RecordError(f"{path.name}: {error}") from error
    _check(plain, path)
    text = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a record, and make sure that it is one.

    Parameters
    ----------
    path : path-like
        A file that :func:`write` wrote.

    Returns
    -------
    dict
        ``chapter`` and ``run``; ``data`` (``name``, ``rendered``, ``sha256``, ``photographs``, ``albums``);
        ``parameters``; ``versions``; ``scores``, a list for each model; ``seconds``.

    Raises
    ------
    RecordError
        If it is no JSON, or a key is missing, unknown or has no possible value.
    FileNotFoundError
        If it is not there.

    Notes
    -----
    Used in lesson 3.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordError(f"{path.name} is no JSON file ({error}): run the chapter again") from error
    _check(content, path)
    return content


def to_frame(record: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out a record's scores.

    Parameters
    ----------
    record : mapping
        From :func:`read`.

    Returns
    -------
    DataFrame
        One row a score: ``model``, ``score``, ``estimate``, ``low``, ``high``, ``faces``, ``albums``,
        ``split``, ``folds`` (str, such as "0–4").

    Notes
    -----
    Used in lesson 3.
    """
    rows = [{"model": model} | score for model, scores in record["scores"].items() for score in scores]
    laid_out = pd.DataFrame(rows).rename(columns={"name": "score"})
    return laid_out.assign(folds=laid_out["folds"].map(_folds))


def to_markdown(record: Mapping[str, Any]) -> str:
    """Write a record as the table that a chapter shows, and a line that says what it is a record of.

    Parameters
    ----------
    record : mapping
        From :func:`read`.

    Returns
    -------
    str
        Markdown, without a line break at its end.

    Notes
    -----
    The chapters' full runs are shown so; a test compares each with its record. Used in lesson 8.
    """
    lines = [
        "| model | score | value (95 % interval) | faces | albums | split |",
        "|---|---|---|---|---|---|",
    ]
    for model, scores in record["scores"].items():
        for score in scores:
            interval = Interval(score["estimate"], score["low"], score["high"])
            split = "test" if score["split"] == "test" else "validation for test"
            folds = f"{'fold' if len(score['folds']) == 1 else 'folds'} {_folds(score['folds'])}"
            cells = (
                model,
                score["name"],
                interval,
                f"{score['faces']:,}",
                score["albums"],
                f"{split} {folds}",
            )
            lines.append(f"| {' | '.join(map(str, cells))} |")
    data = record["data"]
    minutes = max(1, round(record["seconds"] / 60))
    kind = "rendered photographs" if data["rendered"] else "photographs"
    parameters = ", ".join(f"`{name} = {value}`" for name, value in record["parameters"].items())
    lines += [
        "",
        f"*{record['run'].capitalize()} run on {data['name']}, {data['photographs']:,} {kind} in "
        f"{data['albums']} albums, with {parameters}; {minutes} minute{'s' if minutes > 1 else ''} of "
        "training.*",
    ]
    return "\n".join(lines)


def _describe(folder: Path) -> dict[str, Any]:
    """Say which data set it is, in a way that holds on every machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", adience.DataSetWarning)  # the chapter that read it has shown them
        photographs = adience.read_folds(folder).dropna(subset="path")
    rendered = (folder / "factors.csv").is_file()  # the causes of every face, which only a renderer knows
    if rendered and folder.resolve() == embedded.data_dir().resolve():
        archives = json.loads((embedded.ARCHIVES / "archives.json").read_text(encoding="utf-8"))
        name, sha256 = "embedded faces", archives["embedded_faces"]["sha256"]
    else:
        files = [folder / adience.fold_file_name(fold) for fold in adience.FOLDS]
        annotations = b"".join(file.read_bytes() for file in files if file.is_file())
        name, sha256 = folder.resolve().name, hashlib.sha256(annotations).hexdigest()
    return {
        "name": name,
        "rendered": rendered,
        "sha256": sha256,
        "photographs": len(photographs),
        "albums": photographs["user_id"].nunique(),
    }


def _without_numpy(value: Any) -> Any:
    """Give JSON what it takes for a number of NumPy's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is of a type that JSON does not have, {type(value).__name__}")


def _file_name(name: str, run: str) -> str:
    """Name the file of a chapter's record."""
    return f"{name}_full.json" if run == "full" else f"{name}.json"


def _folds(folds: Sequence[int]) -> str:
    """Write folds as "4", "0–4" or "0, 2"."""
    successive = len(folds) > 2 and list(folds) == list(range(folds[0], folds[-1] + 1))
    return f"{folds[0]}–{folds[-1]}" if successive else ", ".join(map(str, folds))


# ---- What a record must be: a type, a dict with just these keys, or a list of one kind of thing ------------

_SCORE: Final = {
    "name": str,
    "estimate": float,
    "low": float,
    "high": float,
    "faces": int,
    "albums": int,
    "split": str,
    "folds": [int],
}
_RECORD: Final = {
    "chapter": str,
    "run": str,
    "data": {"name": str, "rendered": bool, "sha256": str, "photographs": int, "albums": int},
    "parameters": dict,
    "versions": dict.fromkeys(["python", *PACKAGES], str),
    "scores": dict,
    "seconds": int,
}


def _check(content: Any, path: Path) -> None:
    """Raise RecordError unless this is a record and belongs into that file."""
    for key, fault in _faults(content, path):
        raise RecordError(f"{path.name}: {key}: {fault}")


def _faults(content: Any, path: Path) -> Iterator[tuple[str, str]]:
    """Give every fault with its key. A check may rely on those before it: the first fault is the last."""
    yield from _misshapen(content, _RECORD, "the record")
    if content["run"] not in ("short", "full"):
        yield "run", f"must be 'short' or 'full', not {content['run']!r}"
    if path.name != _file_name(content["chapter"], content["run"]):
        yield "chapter", f"the {content['run']} run of {content['chapter']!r} belongs into another file"
    if not re.fullmatch("[0-9a-f]{64}", content["data"]["sha256"]):
        yield "data.sha256", "must be 64 hexadecimal digits"
    if type(content["parameters"].get("seed")) is not int:
        yield "parameters.seed", "must be there, a whole number"
    for key, value in _leaves(content["parameters"], "parameters"):
        if isinstance(value, str) and re.search(r"[/\\]", value):
            yield key, f"is a path, which means nothing on another machine: leave it out ({value!r})"
        if isinstance(value, float) and not math.isfinite(value):
            yield key, f"must be finite, not {value}"
    if not content["scores"]:
        yield "scores", "there are none"
    for model, scores in content["scores"].items():
        yield from _misshapen(scores, [_SCORE], f"scores.{model}")
        for score in scores:
            yield from _improbable(score, f"scores.{model}.{score['name']}")


def _improbable(score: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """Find what a score cannot be."""
    if not score["low"] <= score["high"]:
        yield f"{key}.low", f"is above high: {score['low']} > {score['high']}"
    if not 2 <= score["albums"] <= score["faces"]:
        yield (
            f"{key}.albums",
            f"an interval needs two albums or more: {score['albums']}, of {score['faces']} faces",
        )
    if score["split"] not in ("test", "validation"):
        yield f"{key}.split", f"must be 'test' or 'validation', not {score['split']!r}"
    if score["folds"] != sorted(set(score["folds"]) & set(adience.FOLDS)) or not score["folds"]:
        yield f"{key}.folds", f"must be some of {list(adience.FOLDS)}, in their order, not {score['folds']}"


def _misshapen(value: Any, shape: Any, key: str) -> Iterator[tuple[str, str]]:
    """Find where a value has another shape than it must have."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield key, f"must have the keys {', '.join(shape)}"
        elif missing := [name for name in shape if name not in value]:
            yield key, f"lacks {', '.join(missing)}"
        elif unknown := [name for name in value if name not in shape]:
            yield key, f"has an unknown key, {', '.join(unknown)}"
        else:
            inside = "" if shape is _RECORD else f"{key}."
            for name in shape:
                yield from _misshapen(value[name], shape[name], f"{inside}{name}")
    elif isinstance(shape, list):
        if not isinstance(value, list) or not value:
            yield key, "must be a list that is not empty"
        else:
            for place, item in enumerate(value):
                yield from _misshapen(item, shape[0], f"{key}.{place}")
    elif shape is float:
        if type(value) not in (int, float) or not math.isfinite(value):
            yield key, f"must be a finite number, not {value!r}"
    elif type(value) is not shape:
        yield key, f"must be of type {shape.__name__}, not {value!r}"


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Give everything in nested dicts and lists that is neither, with its key."""
    if isinstance(value, dict | list):
        for name, inside in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inside, f"{key}.{name}")
    else:
        yield key, value

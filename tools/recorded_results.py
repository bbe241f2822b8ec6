"""Write the page of recorded results from the records: ``python -m tools.recorded_results``.

``tools.execute --publish`` and ``tools.full_runs`` do so whenever a record changes.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from facelab import results
from facelab._markdown import as_code, as_text
from facelab.files import written_whole
from tools import command
from tools.paths import MEASURED, RECORDS, REPOSITORY, lesson_name

PAGE = REPOSITORY / "book" / "recorded_results.md"

INTRODUCTION = """\
# Recorded results

All that the lessons measured, in one place. A lesson that trains writes a record, and this page is made from
the records: nobody typed a number here. Open a table to see its scores.

A *short run* is the lesson as you read it: one test fold, some of the photographs, a few epochs. A *full
run* is the same cells with other parameters: all photographs, more epochs, each of the five folds as the test
once. Every value has a 95 % interval over albums, and says on how many faces and albums it rests.
"Validation for test fold 4" means the validation albums that go with that
fold: choices are made on them, and a test fold is looked at once.

:::{admonition} These faces are rendered
:class: important
All scores of the lessons are from the faces that come with the course. None of them is a score on Adience,
and none says how well a network would do on photographs.
:::
"""

BY_TOOLS = """\
## By the project's tools

What else the book tells of real photographs, and of the rendered faces themselves. The photographs are not
part of the course; [their datasheet](real_photographs.md) says whose they are. `labels` says who made the
labels, and `age_groups` by which rule ages were read. A run of a lesson on photographs has the lesson's name.
"""


def section(path: Path) -> str:
    """Write one record as a section of the page."""
    record = results.read(path)
    try:
        name = lesson_name(Path(record.chapter))
    except ValueError as error:
        raise results.RecordError(
            f"{path.name}: chapter: {record.chapter!r} does not begin with the number of a lesson, as "
            "03_3_… does. Take the record out of the folder"
        ) from error
    source = (
        f"{{doc}}{as_code(f'../notebooks/{record.chapter}')}; [the record itself](results/{quote(path.name)})"
    )
    return (
        f"## {name.capitalize()}, {record.run} run\n\n"
        f"Measured by {source}.\n\n"
        f"{_folded(record)}"
        f"*Made with {_versions(record)}; SHA-256 of the faces' archive `{record.data.sha256[:16]}…`.*\n"
    )


def measured_section(path: Path) -> str:
    """Write what a tool measured, or a lesson on photographs, as a part of the section for that."""
    record = results.read(path)
    try:
        title = f"{lesson_name(Path(record.chapter))}, on photographs"
    except ValueError:  # a tool's record has the tool's name
        title = record.chapter.replace("_", " ")
    return (
        f"### {as_text(title.capitalize())}\n\n"
        f"[The record itself](results/measured/{quote(path.name)}).\n\n"
        f"{_folded(record)}"
        f"*Made with {_versions(record)}.*\n"
    )


def _folded(record: results.Record) -> str:
    """Write the table of a record such that a reader opens it."""
    scores = sum(map(len, record.scores.values()))
    return f":::{{dropdown}} {scores} scores\n{results.to_markdown(record)}\n:::\n\n"


def _versions(record: results.Record) -> str:
    return as_text(", ".join(f"{package} {version}" for package, version in asdict(record.versions).items()))


def page() -> str:
    """Give the page as it should stand in the book."""
    measured = list(map(measured_section, sorted(MEASURED.glob("*.json"))))
    rendered = map(section, sorted(RECORDS.glob("*.json")))
    return "\n".join([INTRODUCTION, *rendered, *([BY_TOOLS, *measured] if measured else [])])


def write() -> None:
    """Put the page into the book."""
    with written_whole(PAGE) as aside:
        aside.write_text(page(), encoding="utf-8")


main = command.ends_with_status("begins again")(write)

if __name__ == "__main__":
    sys.exit(main())

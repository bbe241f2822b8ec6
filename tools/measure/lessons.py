"""Measure what lessons find on other faces: run them there as they stand, and keep their records.

``python -m tools.measure.lessons DATA_DIR [--lessons LESSON …]``
"""

import argparse
import sys
from pathlib import Path

from facelab import results
from tools import command
from tools.execute import execute, records
from tools.measure import photographs, real
from tools.paths import NOTEBOOKS

# Those whose findings on photographs the book tells.
LESSONS = (
    "06_2_folds_seeds_pairs",
    "06_3_is_it_as_sure_as_it_should_be",
    "07_3_a_shortcut",
    "08_3_would_balance_help",
)
RULE: photographs.Rule = "strict"  # by which the lessons read ages


@command.ends_with_status("runs a lesson anew that was not finished")
def main(arguments: list[str] | None = None) -> None:
    """Run the lessons with a data set, and write what each recorded as a record of the measurements."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="folder in the Adience layout")
    parser.add_argument("--lessons", nargs="+", default=LESSONS, metavar="LESSON", help="without .ipynb")
    photographs.add_labels(parser)
    options = parser.parse_args(arguments)
    for lesson in options.lessons:
        print(f"{lesson} …", flush=True)
        record = measured_by(lesson, options.data_dir)
        for model, scores in record.scores.items():
            real.show(model, scores)
        real.record(
            lesson,
            options.data_dir,
            options.labels,
            parameters=record.parameters | {"seeds": seeds(record)},
            rule=RULE,
            scores=record.scores,
            seconds=record.seconds,
        )


def measured_by(lesson: str, data_dir: Path) -> results.Record:
    """Run a lesson with a data set, in a folder below ``real.FOLDER``, and read the record that it leaves.

    Raises
    ------
    ValueError
        If there is no such lesson, or it leaves no record.
    tools.execute.ChapterError
        If a cell raises.
    """
    notebook = NOTEBOOKS / f"{lesson}.ipynb"
    if not notebook.is_file():
        raise ValueError(f"there is no lesson {lesson}: name a file of {NOTEBOOKS}, without .ipynb")
    data_dir = data_dir.resolve()
    output = real.FOLDER / "lessons" / data_dir.name / notebook.name
    execute(notebook, output, {"data_dir": str(data_dir)}, cell_timeout=None)
    found = records(output)
    if len(found) != 1:
        raise ValueError(f"{lesson} leaves no record; these do: {', '.join(LESSONS)}")
    return results.read(found[0])


def seeds(record: results.Record) -> list[int]:
    """List the seeds that a lesson trained with: its own and those that follow, three if it does not say."""
    first = record.parameters["seed"]
    return list(range(first, first + record.parameters.get("trainings", 3)))


if __name__ == "__main__":
    sys.exit(main())

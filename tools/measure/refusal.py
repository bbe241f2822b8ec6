"""Measure what the rule of lesson 9.2 refuses of photographs: its network has only seen rendered faces.

``python -m tools.measure.refusal DATA_DIR [--limit N] [--seed S]``
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd

from facelab import answer, evaluation, export, pipeline, results
from tools import command
from tools.execute import execute
from tools.measure import photographs, real
from tools.paths import NOTEBOOKS

LESSON = NOTEBOOKS / "09_2_an_answer_you_may_give.ipynb"


@command.ends_with_status("begins anew")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the lesson, ask its network about the photographs of a folder, and write one record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="folder in the Adience layout")
    photographs.add_labels(parser)
    parser.add_argument("--limit", type=int, help="ask about a random sample of this many photographs")
    parser.add_argument("--seed", type=int, default=0, help="of that sample and of the intervals")
    options = parser.parse_args(arguments)
    everybody = photographs.read_photographs(options.data_dir)
    table = photographs.sample(everybody, options.limit, options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        network = handed_over(Path(scratch))
        settings = answer.Settings.read(network)
        ask = export.load(network / export.FORMATS["Keras"], settings.contract)
        images = pipeline.photographs(table, options.data_dir, settings.contract).batch(256)
        said = [ask(batch.astype("float32") / 255) for batch in images.as_numpy_iterator()]
    features, ages, m = (
        np.concatenate([each[head] for each in said]) for head in ("features", "age", "gender")
    )
    refused = answer.distance(features, settings.features) > settings.farthest
    scores = score(table, refused, real.decided({"age": ages, "gender": m}), seed=options.seed)
    for title, found in scores.items():
        real.show(f"{title}: {found[0].faces} photographs", found)
    real.record(
        "refusal",
        options.data_dir,
        options.labels,
        parameters={"seed": options.seed, "limit": options.limit, "trained_on": "rendered faces alone"},
        scores=scores,
        seconds=0,  # the lesson trains, and records nothing
    )


def handed_over(scratch: Path) -> Path:
    """Run the lesson; return the folder in which it hands its network over."""
    folder = scratch / "network"
    notebook = nbformat.read(LESSON, as_version=4)
    # The lesson leaves nothing in its reader's folder, so its last cell here takes it away.
    taken = f"import shutil\nshutil.copytree(place, {str(folder)!r})"
    notebook.cells.append(nbformat.v4.new_code_cell(taken))
    nbformat.write(notebook, scratch / LESSON.name)
    execute(scratch / LESSON.name, scratch / "output" / LESSON.name, {}, cell_timeout=None)
    return folder


def score(
    table: pd.DataFrame, refused: np.ndarray, y_pred: dict[str, np.ndarray], *, seed: int
) -> dict[str, list[results.Score]]:
    """Score how many photographs are refused, and what is said of the others.

    Parameters
    ----------
    table : DataFrame
        n photographs.
    refused : bool array, shape (n,)
    y_pred : dict of arrays
        From :func:`tools.measure.real.decided`.
    seed : int
        Of the intervals.

    Returns
    -------
    dict of list of Score
        Of "all" and of the "answered".
    """
    albums, folds = table["user_id"], sorted(set(table["fold"]))
    share = evaluation.album_bootstrap(
        lambda _, no: float(np.mean(no)), np.ones(len(table), int), refused, albums, seed=seed
    )
    answered = {name: said[~refused] for name, said in y_pred.items()}
    return {
        "all": [results.Score.over("refused", share, albums, "test", folds)],
        "answered": real.score(table[~refused], answered, split="test", folds=folds, seed=seed),
    }


if __name__ == "__main__":
    sys.exit(main())

"""A lesson's verdict on times holds when the machine is busy with something else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import nbformat
import pandas as pd
import pytest

from facelab import lesson
from tools.paths import NOTEBOOKS

EXPERIMENTS = {
    "the cache": (6, {"loop with PIL": 10, "in batches": 9, "from the cache": 1}),
    "hidden = ": (3, {"as it is": 0.8, "prefetched": 0.45}),
    "dear = ": (6, {"read only": 1, "in full": 20, "an eighth": 10}),
}
"""By a word of the cell that judges: how many turns, and seconds of each stream on an idle machine."""


def cell_with(words: str) -> str:
    """The one code cell of lesson 2.3 in which these words are."""
    notebook = nbformat.read(NOTEBOOKS / "02_3_a_pipeline_that_keeps_up.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and words in cell.source]
    (cell,) = [cell for cell in cells if len(cells) == 1 or "check" in cell.metadata.get("tags", [])]
    return cell.source


@pytest.mark.parametrize(
    "busy", [(0, 2 / 3), (1 / 3, 1), (1 / 4, 3 / 4)], ids=["at first", "then", "between"]
)
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_a_machine_that_is_busy_for_a_while_changes_no_verdict(experiment, busy, capsys) -> None:
    turns, streams = EXPERIMENTS[experiment]
    in_all, passes = turns * len(streams), 0

    def timed(stream: float) -> float:
        """For a share of the passes something else runs, and all takes ten times as long."""
        nonlocal passes
        passes += 1
        return stream * (10 if busy[0] <= (passes - 1) / in_all < busy[1] else 1)

    names: dict[str, Any] = {"pd": pd, "lesson": lesson, "time": SimpleNamespace()}
    exec(cell_with("def in_turns"), names)
    took = names["in_turns"](streams, timed=timed, turns=turns)
    assert passes == in_all
    exec(cell_with(experiment), names | {"took": took, "waited": took})
    said = capsys.readouterr().out.splitlines()
    assert said
    assert all(line.startswith("✓ ") for line in said)

"""A chapter's verdict on times holds when the machine is busy with something else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import nbformat
import pandas as pd

from tools.paths import NOTEBOOKS


class Files:
    """One photograph, whose "data set" is the step that reads it."""

    def __len__(self) -> int:
        return 1

    def map(self, step: Any) -> Any:
        return step


def test_a_machine_that_becomes_busy_changes_no_verdict(capsys) -> None:
    notebook = nbformat.read(NOTEBOOKS / "02_from_files_to_tensors.ipynb", as_version=4)
    source = {cell.id: cell.source for cell in notebook.cells}
    spent: list[float] = []
    passes = 0

    def seconds(step: Any) -> float:
        """After two thirds of the passes something else begins, and all takes ten times as long."""
        nonlocal passes
        passes += 1
        spent.clear()
        step("a.jpg")
        return sum(spent) * (10 if passes > 12 else 1)

    names = {
        "tf": SimpleNamespace(
            io=SimpleNamespace(read_file=lambda _: spent.append(1)),
            image=SimpleNamespace(resize=lambda *_, **__: None),
        ),
        "decode": lambda _file, _channels, ratio: spent.append(20 if ratio == 1 else 10),
        "plainly": lambda stream: stream,
        "large_files": Files(),
        "seconds": seconds,
        "pd": pd,
    }
    exec(source["tensors-142"] + "\n" + source["tensors-143"], names)
    assert passes == 18
    assert capsys.readouterr().out == (
        "pixels take at least as long as reading: True\n"
        "decoding an eighth is quicker by a tenth at least: True\n"
    )

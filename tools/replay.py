"""Let nbval compare the committed notebooks with what papermill has just made: a plugin of pytest.

``pytest -p tools.replay notebooks`` collects, compares and reports with nbval's own classes. What nbval would
get from a kernel, it gets from the executed notebook in ``_build/executed``, so that nothing runs twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile  # type: ignore[import-untyped]

from tools import execute
from tools.paths import EXECUTED

_REQUEST = "replay"  # the name of the one request that a cell makes


class RecordedKernel:
    """What nbval asks of a kernel, answered with the outputs that a cell gave to papermill."""

    def __init__(self, outputs: list[nbformat.NotebookNode]):
        messages = [(output.output_type, output) for output in outputs]
        messages.append(("status", nbformat.from_dict({"execution_state": "idle"})))
        self._messages = iter(messages)

    def is_alive(self) -> bool:
        """Say that nbval may ask."""
        return True

    def execute_cell_input(self, _source: str, allow_stdin: bool | None = None) -> str:
        """Give the request's name, by which nbval knows the answers."""
        return _REQUEST

    def await_reply(self, _request: str, timeout: float | None = None) -> None:
        """Return at once: the cell has run."""

    def get_message(self, _stream: str, timeout: float | None = None) -> dict[str, Any]:
        """Give the next output as the message that brought it."""
        kind, content = next(self._messages)
        return {"msg_type": kind, "content": content, "parent_header": {"msg_id": _REQUEST}}

    def await_idle(self, _request: str, _timeout: float) -> None:
        """Return at once: no more is to come."""

    def stop(self) -> None:
        """End nothing: no process runs."""


class ReplayedCell(IPyNbCell):
    """A cell of a committed notebook, compared by nbval with the outputs of its executed copy."""

    executed: nbformat.NotebookNode

    def runtest(self) -> None:
        """Let nbval test the cell on the outputs that papermill got."""
        self.parent.kernel = RecordedKernel(self.executed.outputs)
        super().runtest()


class ReplayedNotebook(IPyNbFile):
    """A committed notebook, of which nbval collects the cells."""

    def setup(self) -> None:
        """Start no kernel: each cell brings its own answers."""
        self.setup_sanitize_files()

    def collect(self) -> Iterator[ReplayedCell]:
        """Collect the cells as nbval does, each with its executed copy.

        Raises
        ------
        CollectError
            If the notebook has not been executed since it or anything that it depends on changed.
        """
        executed = EXECUTED / self.path.name
        if not execute.is_current(self.path, executed, {}):
            raise self.CollectError(
                f"{self.path.name} has not been executed as it is now: run `make execute` first"
            )
        ran = [cell for cell in nbformat.read(executed, as_version=4).cells if cell.cell_type == "code"]
        for found in super().collect():
            cell = ReplayedCell.from_parent(
                self, name=found.name, cell_num=found.cell_num, cell=found.cell, options=found.options
            )
            cell.executed = ran[found.cell_num]
            yield cell


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ReplayedNotebook | None:
    """Collect every notebook that pytest is given."""
    return ReplayedNotebook.from_parent(parent, path=file_path) if file_path.suffix == ".ipynb" else None

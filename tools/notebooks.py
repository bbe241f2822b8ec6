"""What the chapters' notebooks have in common: first cells, parameters, committed form."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbstripout import strip_output
from papermill.inspection import inspect_notebook

from tools.paths import REPOSITORY

_BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{project}/blob/{branch}/notebooks/{name})"
)
_SETUP = """\
# In Colab, or wherever this notebook is alone: fetch the course's package first.
import importlib.util
import os

if importlib.util.find_spec("facelab") is None:
    source = os.environ.get("FACELAB_SOURCE", "git+{url}")
    %pip install --quiet {{source}}"""

# What differs between two identical runs: times, durations, the interpreter's patch release.
_RUN_METADATA = [
    "metadata.papermill",
    "metadata.language_info.version",
    "cell.metadata.papermill",
    "cell.metadata.execution",
]


def badge_cell(name: str) -> str:
    """Source of a notebook's first cell: the badge that opens it in Colab, as ``_config.yml`` has it."""
    repository = _repository()
    project = repository["url"].removeprefix("https://github.com/")
    return _BADGE.format(project=project, branch=repository["branch"], name=name)


def setup_cell() -> str:
    """Source of a notebook's second cell: it installs the package where that is absent, as in Colab."""
    return _SETUP.format(url=_repository()["url"])


def _repository() -> dict[str, str]:
    return yaml.safe_load((REPOSITORY / "_config.yml").read_text(encoding="utf-8"))["repository"]


def check_parameters(notebook: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse a parameter that the chapter does not have; papermill alone would only warn.

    Raises
    ------
    ValueError
        Naming the chapter, the unknown parameters and the ones it has.
    """
    known = inspect_notebook(notebook)
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise ValueError(
            f"{notebook.name}: no parameter {', '.join(unknown)}; its cell tagged 'parameters' has: "
            f"{', '.join(known) or 'none'}"
        )


def normalised(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Copy of an executed notebook as it is committed: two identical runs give identical bytes."""
    result = strip_output(
        copy.deepcopy(notebook), keep_output=True, keep_count=True, keep_id=True, extra_keys=_RUN_METADATA
    )
    for cell in result.cells:
        if cell.metadata.get("tags") == []:  # papermill adds it to every cell
            del cell.metadata["tags"]
        if cell.cell_type == "code":
            cell.outputs = _joined_streams(cell.outputs)
    return result


def source_only(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Copy of a notebook without anything that execution wrote."""
    return strip_output(normalised(notebook), keep_output=False, keep_count=False, keep_id=True)


def _joined_streams(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Outputs with successive pieces of one stream joined: where they break is a matter of timing."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and output.output_type == "stream" == last.output_type
            and output.name == last.name
        ):
            last.text += output.text
        else:
            joined.append(output)
    return joined

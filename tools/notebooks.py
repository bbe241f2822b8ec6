"""What the lessons' notebooks have in common: first cells, parameters, committed form."""

from __future__ import annotations

import copy
import re

import nbformat
import yaml
from nbstripout import strip_output

from tools.paths import REPOSITORY

_BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{project}/blob/{branch}/notebooks/{name})"
)
_SETUP = """\
# In Colab, or wherever this notebook is alone: fetch the course's package.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("facelab") is None:
    course = "git+{url}"
    source = os.environ.get("FACELAB_SOURCE", course)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", source]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"The course could not be installed from {{source}}\\n"
            "If it cannot be reached now, run this cell again later. If it "
            "cannot be reached from here, put a copy of the course, a folder "
            "or a .zip, beside this notebook, and first run, with its name:\\n"
            "import os; os.environ['FACELAB_SOURCE'] = './course.zip'\\n"
            f"What pip says:\\n{{done.stderr}}"
        )"""
_CHECK = """\
from facelab import lesson

lesson.check_parameters(globals())  # a slip stops here, before the work"""

# The first line of a folded cell: Colab shows it in place of the code.
TITLE_LINE = re.compile(r"\A# ?@title .*\n*")

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


def on_the_code_host(name: str) -> str:
    """Address of a committed notebook where its repository is published."""
    repository = _repository()
    return f"{repository['url']}/blob/{repository['branch']}/notebooks/{name}"


def setup_cell() -> str:
    """Source of a notebook's second cell: it installs the package where that is absent, as in Colab."""
    return _SETUP.format(url=_repository()["url"])


def with_first_cells(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """Copy of a notebook whose badge and setup cell, where it has the two, are today's."""
    result = copy.deepcopy(notebook)
    first = result.cells[:2]
    if all(cell.metadata.get("tags") == ["remove-cell"] for cell in first):
        for cell, source in zip(first, (badge_cell(name), setup_cell()), strict=False):
            cell.source = source
    return result


def check_cell() -> str:
    """Source of the cell after a notebook's parameters: what papermill or a reader has set is checked."""
    return _CHECK


def _repository() -> dict[str, str]:
    return yaml.safe_load((REPOSITORY / "_config.yml").read_text(encoding="utf-8"))["repository"]


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

"""How a lesson shows its full run: in every reader a small table, on its page figures and the table folded.

The whole record stands on the page of recorded results.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from nbformat import NotebookNode

from facelab import plots, results
from facelab._markdown import as_text

TAG = "full-run"
"""The tag of the one cell that shows the full run's record."""
ALL = "https://github.com/reading-faces/reading-faces/blob/main/book/recorded_results.md"


def summary(record: results.Record) -> str:
    """Write the scores of whole parts of the data set as Markdown, as all readers show it."""
    blocks = []
    for part, table in results.overview(record).items():
        rows = [["", *map(as_text, table.columns)], ["---"] * (1 + len(table.columns))]
        for model, scores in table.iterrows():
            rows.append([as_text(str(model)), *("" if score is None else str(score) for score in scores)])
        blocks += [f"On {part}:", "\n".join(f"| {' | '.join(row)} |" for row in rows)]
    where = f"All scores stand among the [recorded results]({ALL})."
    return "\n\n".join([*blocks, results.caption(record), where])


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    """Find the cell of a notebook that shows its full run.

    Raises
    ------
    ValueError
        If not exactly one cell has the tag, or it is no Markdown; the message names the notebook.
    """
    cells = [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
    if [cell.cell_type for cell in cells] != ["markdown"]:
        raise ValueError(f"{name}: one markdown cell must have the tag {TAG!r}, not {len(cells)}")
    return cells[0]


def add_figures(notebook: NotebookNode, record: results.Record, folder: Path, name: str) -> None:
    """Show a lesson's full run as a figure of each part's first score, and fold the tables.

    Parameters
    ----------
    notebook : NotebookNode
        The lesson in the book's Markdown; it is changed.
    record : Record
        Its full run.
    folder : Path
        A folder beside the lesson, for the files of the figures.
    name : str
        What their names begin with.
    """
    plots.set_style()
    drawn = []
    for number, (part, table) in enumerate(results.overview(record).items(), start=1):
        score = table.columns[0]
        found = table[score].dropna()
        rows = [(model, *interval) for model, interval in found.items()]
        figure = plots.intervals(pd.DataFrame(rows, columns=["model", "estimate", "low", "high"]), score)
        file = folder / f"{name}_{number}.svg"
        folder.mkdir(exist_ok=True)
        file.write_text(plots.as_svg(figure), encoding="utf-8")
        plt.close(figure)
        said = "; ".join(f"{as_text(str(model))} {interval}" for model, interval in found.items())
        drawn.append(f"![Full run, {as_text(score)} on {part}: {said}]({folder.name}/{file.name})")
        drawn.append(f"*{as_text(score)[:1].upper()}{as_text(score)[1:]} on {part}.*")
    cell = cell_of(notebook, name)
    *tables, about, where = cell.source.split("\n\n")
    folded = "\n\n".join([":::{dropdown} The numbers", *tables, ":::"])
    cell.source = "\n\n".join([*drawn, folded, f"{about} {where}"])

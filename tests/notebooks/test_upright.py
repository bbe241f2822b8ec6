"""Wherever a chapter opens a photograph with Pillow, it turns it as its EXIF data say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from tools.paths import chapters

RENDERED = "the sweeps are the course's own, also with data_dir"
EXCEPT = {
    "a-pipeline-that-keeps-up-052": "it looks for damage, not at faces",
    "counterfactuals-016": RENDERED,
    "a-shortcut-020": RENDERED,
    "from-a-photograph-to-a-crop-006": "the embedded faces, also with data_dir",
    "from-a-photograph-to-a-crop-035": "it opens what it has just saved",
    "rendered-faces-016": RENDERED,
    "rendered-faces-026": RENDERED,
}


def opening_cells() -> dict[str, str]:
    """Sources of the code cells that open photographs, by the cells' ids."""
    notebooks = [nbformat.read(path, 4) for path in chapters()]
    cells = [cell for notebook in notebooks for cell in notebook.cells if cell.cell_type == "code"]
    return {cell.id: cell.source for cell in cells if "Image.open(" in cell.source}


def test_every_cell_that_opens_photographs_turns_them_upright() -> None:
    cells = opening_cells()
    assert set(EXCEPT) <= set(cells)
    lying = [name for name, source in cells.items() if "ImageOps.exif_transpose(" not in source]
    assert lying == [name for name in cells if name in EXCEPT]


def test_a_contact_sheet_shows_a_lying_photograph_upright(tmp_path: Path) -> None:
    """The cell of lesson 1.2, on a photograph as a phone writes it."""
    upright = Image.new("RGB", (96, 96), "white")
    upright.paste("black", (0, 0, 96, 30))
    note = Image.Exif()
    note[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "phone.jpg", quality=95, exif=note)
    shown: list[Image.Image] = []
    plots = SimpleNamespace(contact_sheet=lambda pictures, captions, columns: shown.extend(pictures))
    names = {"Image": Image, "ImageOps": ImageOps, "folder": tmp_path, "plots": plots}
    (source,) = [source for source in opening_cells().values() if "def show(" in source]
    exec(source[source.index("def show(") :], names)
    names["show"](pd.DataFrame({"path": ["phone.jpg"]}), ["a face"], 1)
    assert np.asarray(shown[0], int) == pytest.approx(np.asarray(upright, int), abs=30)

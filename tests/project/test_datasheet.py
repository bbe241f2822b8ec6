"""The datasheet's counts are those of the data set that is shipped."""

from __future__ import annotations

import json
import re

import pytest

from facelab import adience, embedded
from tools.paths import REPOSITORY


@pytest.fixture(scope="module")
def datasheet() -> str:
    return (REPOSITORY / "book" / "datasheet.md").read_text(encoding="utf-8")


def test_the_data_set(datasheet):
    table = adience.read_folds(embedded.data_dir())
    subjects = table.groupby(["user_id", "face_id"]).size()
    assert f"| photographs | {len(table):,}, 96×96 pixels" in datasheet
    assert f"| subjects | {len(subjects):,}, seen 1 to {subjects.max()} times each |" in datasheet
    assert f"| albums | {table['user_id'].nunique()}, none of them in two folds |" in datasheet
    rows = len(adience.read_rows(embedded.data_dir()))
    assert f"| rows of the five fold files | {rows:,}," in datasheet


def test_the_counterfactual_set(datasheet):
    sweeps = embedded.read_sweeps()
    assert f"| {len(sweeps):,} pictures of {sweeps['identity'].nunique()} heads:" in datasheet


def test_the_archive(datasheet):
    record = json.loads((REPOSITORY / "src/facelab/data/archives.json").read_text(encoding="utf-8"))
    assert f"| archive | {record['embedded_faces']['bytes'] / 1e6:.1f} MB |" in datasheet


def test_the_noise_that_was_put_in(datasheet):
    """The stated rates of wrong labels, counted against the true causes."""
    subjects = embedded.read_factors().drop_duplicates("identity").set_index("path")
    table = adience.read_folds(embedded.data_dir()).set_index("path").loc[subjects.index]
    known = table["gender"].notna()
    wrong = (table["gender"] != subjects["true_gender"])[known].mean()
    assert "1.5 % of the subjects carry the other gender" in datasheet
    assert 0.008 < wrong < 0.025


def test_the_judges_are_asked_about_as_many_faces_as_is_said(datasheet):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    number = int(re.search(r"tools\.measure\.judge --limit (\d+)", makefile)[1])
    readme = (REPOSITORY / "tools" / "measure" / "README.md").read_text(encoding="utf-8")
    assert f"`make measure-faces` asks about {number:,} of the embedded faces" in readme
    assert re.search(rf"{number:,} of the\sphotographs, .*`make measure-faces`", datasheet, re.DOTALL)

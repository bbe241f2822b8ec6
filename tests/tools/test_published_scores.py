"""The field's scores that lesson 6.4 reads: a source in every cell, and numbers that can be true."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from facelab import embedded
from tools import bibliography
from tools.paths import REPOSITORY

COLUMNS = ["system", "year", "what", "value", "spread", "seen", "source"]
SEEN = {"source", "copy", "quoted", "computed", "unchecked"}
PER_CENT = {"exact", "one_off", "gender"}
GAINS = {f"claimed_gain_{what}" for what in PER_CENT}
WORDS = {"labels": {"strict", "nearest"}, "split": None, "trained_on": None}  # None: any words


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return pd.read_csv(embedded.ARCHIVES / "published_scores.csv", dtype={"value": str})


@pytest.fixture(scope="module")
def numbers(cells) -> pd.DataFrame:
    found = cells[~cells["what"].isin(WORDS)]
    return found.assign(value=pd.to_numeric(found["value"]))


@pytest.fixture(scope="module")
def board(numbers) -> pd.DataFrame:
    """A system's numbers in a row."""
    return numbers.pivot_table(index="system", columns="what", values="value")


def test_every_cell_says_whose_it_is_what_it_is_and_how_it_was_seen(cells):
    assert list(cells) == COLUMNS
    needed = cells[["system", "what", "value", "seen", "source"]]
    assert not needed.isna().to_numpy().any()
    assert (needed == needed.map(str.strip)).to_numpy().all()
    assert set(cells["seen"]) <= SEEN
    assert set(cells["what"]) <= {*PER_CENT, *GAINS, *WORDS, "mae_groups"}
    assert not cells.duplicated(["system", "what"]).any()
    years = cells[["system", "year"]].drop_duplicates()
    assert not years.duplicated("system").any()  # a system has one year, or none


def test_every_source_is_an_address(cells):
    """And a DOI is that of a work in the list of references."""
    works = bibliography.read(REPOSITORY / "book" / "references.bib")
    known = {address for work in works for address in work.addresses}
    for source in cells["source"].unique():
        assert re.fullmatch(r"https://[\w.-]+\.[a-z]+/\S+", source), source
        if source.startswith("https://doi.org/"):
            assert bibliography.bare(source) in known, f"{source} is not in book/references.bib"


def test_scores_are_per_cent_throughout(cells, numbers):
    scores = numbers.loc[numbers["what"].isin(PER_CENT), "value"]
    assert scores.between(10, 100).all()  # 0.5 would be a share
    assert numbers.loc[numbers["what"].isin(GAINS), "value"].between(1, 50).all()
    assert cells["spread"].dropna().between(0.1, 20).all()
    assert set(cells.loc[cells["spread"].notna(), "what"]) <= PER_CENT


def test_no_system_is_less_often_within_one_group_than_exactly_right(board):
    both = board[["exact", "one_off"]].dropna()
    assert len(both) == 10
    assert (both["one_off"] >= both["exact"]).all()


def test_a_wrong_answer_is_off_by_a_group_or_more_and_by_seven_at_most(board):
    both = board[["exact", "mae_groups"]].dropna()
    assert (both["mae_groups"] / (1 - both["exact"] / 100)).between(1, 7).all()


@pytest.mark.parametrize("what", [what for what, known in WORDS.items() if known])
def test_words_that_a_lesson_explains_are_those(cells, what):
    assert set(cells.loc[cells["what"] == what, "value"]) <= WORDS[what]


def test_a_system_with_a_claimed_gain_has_the_score(board):
    for gain in GAINS:
        assert board.loc[board[gain].notna(), gain.removeprefix("claimed_gain_")].notna().all(), gain

"""The record of one network's answers, and the interactive pages that are filled from it."""

from __future__ import annotations

import json
import re

import nbformat
import numpy as np
import pandas as pd
import pytest

from facelab import adience, embedded, evaluation
from tools import heads, try_pages
from tools.paths import ANSWERS, NOTEBOOKS, REPOSITORY

BOOK = REPOSITORY / "book"


@pytest.fixture(scope="module")
def answers() -> try_pages.Answers:
    return try_pages.read()


def parameters_of(lesson: str) -> dict[str, object]:
    """What the parameters cell of a lesson sets."""
    cells = nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4).cells
    (cell,) = (cell for cell in cells if "parameters" in cell.metadata.get("tags", []))
    found: dict[str, object] = {}
    exec(cell.source, found)
    return found


def test_the_record_is_of_the_faces_and_the_training_of_the_lessons(answers):
    assert ANSWERS.stat().st_size <= 100_000
    assert answers.about["data"]["sha256"] == embedded.checksum(), "make answers: the faces are others now"
    recorded = answers.about["parameters"]
    for lesson in ("08_1_slices_and_gaps", "08_2_thresholds_and_base_rates"):
        given = parameters_of(lesson)
        assert (recorded["seed"], recorded["steps"]) == (given["seed"], given["steps"])
        assert given.get("folds", [recorded["fold"]]) == [recorded["fold"]]


def test_the_record_has_the_labels_of_its_fold(answers):
    recorded = answers.about["parameters"]
    table = adience.usable(adience.read_folds(embedded.data_dir()))
    assert answers.about["data"]["albums"] == adience.read_folds(embedded.data_dir())["user_id"].nunique()
    _, validation, test = adience.split(table, recorded["fold"], recorded["seed"])
    album = np.unique(test["user_id"], return_inverse=True)[1]
    theirs = pd.DataFrame({"album": album, "age": test["age_group"].cat.codes, "m": test["gender"] == "m"})
    ours = pd.DataFrame({"album": answers.album, "age": answers.age, "m": answers.is_m})
    assert ours.value_counts().to_dict() == theirs.value_counts().to_dict()
    chosen = answers.about["validation"]
    assert (chosen["faces"], chosen["albums"]) == (len(validation), validation["user_id"].nunique())


def test_the_answers_are_probabilities_that_a_trained_network_gives(answers):
    assert answers.about["columns"][4:] == [
        f"1000 log of the greatest age probability / that of {group}" for group in adience.AGE_GROUPS
    ]
    assert (answers.below.min(axis=1) == 0).all()
    assert ((answers.probability >= 0) & (answers.probability <= 1)).all()
    assert np.allclose(answers.age_probability.sum(axis=1), 1)
    # Far from chance, and from perfection: about nine in ten and six in ten.
    assert 0.88 < np.mean((answers.probability >= 0.5) == answers.is_m) < 0.96
    assert 0.5 < evaluation.accuracy(answers.age, answers.age_probability.argmax(axis=1)) < 0.7


def test_an_error_rate_has_the_interval_of_the_package_or_none():
    album = np.repeat(np.arange(12), 5)
    wrong = (np.arange(60) * 7) % 11 < 4
    found = try_pages.error_rate(wrong, album, seed=1)
    expected = evaluation.album_bootstrap(lambda _, w: w.mean(), wrong, wrong, album, seed=1)
    assert found == pytest.approx(expected)
    for never in (np.zeros(60, bool), np.ones(60, bool), album == 3, album < 2):
        rate = try_pages.error_rate(never, album, seed=1)
        assert rate.estimate == pytest.approx(never.mean())
        assert np.isnan([rate.low, rate.high]).all()
    few = try_pages.error_rate(wrong[:20], album[:20], seed=1)  # of four albums
    assert np.isnan(few.low)


def test_the_words_around_the_numbers_are_true(answers):
    """Each sentence of a page that holds for these numbers, and might not for others."""
    rates = {t: try_pages._rates(answers, t) for t in (0.5, answers.about["validation"]["threshold"])}
    child, adult = answers.ages
    for found in rates.values():  # children bear more errors of either kind
        assert found[child, "m"].estimate > found[adult, "m"].estimate
        assert found[child, "f"].estimate > found[adult, "f"].estimate
    numbers = try_pages._page("threshold")[0].numbers
    assert float(numbers["level"]) < 0.5
    assert int(numbers["level_child_f"].split()[0]) > 50
    worth = try_pages._page("base_rates")[0].numbers
    for age in ("child", "adult"):
        values = [int(worth[f"{age}_{rate}"].split()[0]) for rate in (500, 50, 10)]
        assert values[0] > values[1] > values[2]
    gained = [
        int(worth[f"adult_{rate}"].split()[0]) - int(worth[f"child_{rate}"].split()[0]) for rate in (500, 50)
    ]
    assert gained[1] > gained[0]
    scores = try_pages._page("temperature")[0].numbers
    assert float(scores["confidence_1"].split()[0]) < float(scores["accuracy"].split()[0])  # underconfident
    assert int(scores["above"]) > 80
    assert float(scores["ece_fitted"]) < float(scores["limit"]) < float(scores["ece_1"])
    assert float(scores["loss_fitted"]) < float(scores["loss_1"])
    assert scores["least_ece"] != scores["best"]


@pytest.mark.parametrize("name", try_pages.PAGES)
def test_a_page_is_filled_and_names_no_number_by_hand(name, tmp_path):
    text = (BOOK / try_pages.FILES[name]).read_text(encoding="utf-8")
    filled = try_pages.filled(text, name)
    assert "{{" not in filled
    assert f"](_try/{try_pages._page(name)[1]})" in filled
    (data,) = re.findall(r'<script type="application/json" id="try-data">(.*?)</script>', filled)
    assert json.loads(data)
    unused = set(try_pages._page(name)[0].numbers) - set(re.findall(r"\{\{ (\w+) \}\}", text))
    assert unused == set()
    for script in re.findall(r'src="\.\./_static/([^"]+)"', filled):
        assert (BOOK / "_static" / script).is_file() or script in try_pages._page(name)[0].made


def test_a_page_with_an_unknown_number_or_without_its_figure_is_refused():
    with pytest.raises(ValueError, match=r"try_threshold\.md names mean, sum; there are adult_f, "):
        try_pages.filled("{{ figure }} {{ source }} {{ sum }} {{ mean }}", "threshold")
    with pytest.raises(ValueError, match=r"must have \{\{ figure \}\}"):
        try_pages.filled("{{ source }}", "threshold")


def test_the_pages_of_a_folder_are_filled_the_same_every_time(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "try_temperature.md").write_text(
            "{{ figure }}\n\n{{ source }}\n", encoding="utf-8"
        )
        try_pages._page.cache_clear()
        try_pages.fill(tmp_path / folder)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / f).rglob("*.*")} for f in ("one", "two")
    )
    assert set(one) == {"try_temperature.md", "temperature.svg"}
    assert one == two


def test_the_front_page_shows_each_picture_with_its_answer(answers):
    table, given = heads.pictures(), answers.about["heads"]
    assert len(table) == len(given) == 2 * heads.COLUMNS * len(heads.HEADS)
    data = heads.data(given)
    numbers = [value["number"] for cause in data["causes"] for value in cause["values"]]
    assert sorted(numbers) == list(range(2 * heads.COLUMNS))
    for head, of_head in zip(heads.HEADS, data["heads"], strict=True):
        mine = table[table["identity"] == head].reset_index()
        assert len(of_head) == len(mine)
        for cause in data["causes"]:
            assert [mine.loc[value["number"], "factor"] for value in cause["values"]] == [
                cause["name"]
            ] * len(cause["values"])
            years = [value["years"] for value in cause["values"]]
            assert years == [round(mine.loc[value["number"], "age_years"]) for value in cause["values"]]
    side = heads.sheet().width // heads.COLUMNS
    assert heads.sheet().height == 2 * len(heads.HEADS) * side

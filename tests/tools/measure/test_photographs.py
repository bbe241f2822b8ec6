"""Reading what the tools measure: labels, and the truth where a renderer knows it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience
from tools.measure import judge, photographs


@pytest.fixture
def folder(tmp_path):
    """Three photographs of two albums: 35 years old, (8, 12), and one without a gender."""
    rows = []
    for album, face, age, gender in (
        ("a@N", 1, "35", "m"),
        ("a@N", 2, "(8, 12)", "f"),
        ("b@N", 3, "(0, 2)", "u"),
    ):
        rows.append([album, f"{face}.jpg", face, age, gender, *[0] * 7, face])
        path = tmp_path / adience.photograph_path(album, face, f"{face}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16)).save(path)
    adience.write_folds(pd.DataFrame(rows, columns=[*adience.COLUMNS, "fold"]), tmp_path)
    return tmp_path


@pytest.fixture
def with_causes(folder):
    """The same, and what a renderer knows: the girl of (8, 12) is a man of 61."""
    paths = [
        adience.photograph_path(album, n, f"{n}.jpg") for album, n in (("a@N", 2), ("a@N", 1), ("b@N", 3))
    ]
    causes = {"path": paths, "age_years": [61.5, 34, 1], "true_gender": ["m", "m", "f"], "glasses": "None"}
    pd.DataFrame(causes).to_csv(folder / "factors.csv", index=False)
    return folder


@pytest.mark.filterwarnings("ignore::facelab.adience.MissingFoldsWarning")
def test_labels_stand_where_no_truth_is_known(folder):
    table = photographs.read_photographs(folder)
    assert photographs.with_true_labels(table).equals(table)
    assert table["age_group"].tolist() == ["(25, 32)", "(8, 12)"]
    assert table["gender"].tolist() == ["m", "f"]
    assert photographs.ages(table).tolist() == [35, 10]


@pytest.mark.filterwarnings("ignore::facelab.adience.MissingFoldsWarning")
def test_causes_stand_beside_the_labels_and_replace_them_when_asked(with_causes):
    table = photographs.read_photographs(with_causes)
    assert table["age_group"].tolist() == ["(25, 32)", "(8, 12)"]
    assert table["gender"].tolist() == ["m", "f"]
    assert table["glasses"].tolist() == ["None", "None"]  # a kind of glasses, not a missing value
    true = photographs.with_true_labels(table)
    assert true["age_group"].tolist() == ["(25, 32)", "(60, 100)"]
    assert true["gender"].tolist() == ["m", "m"]
    assert photographs.ages(table).tolist() == [34, 61.5]
    for column in ("age_group", "gender"):
        assert true[column].dtype == table[column].dtype


def test_no_data_set_is_said_so(tmp_path, capsys):
    assert judge.main([str(tmp_path / "nowhere")]) == 2
    assert "nowhere is not a data set: there is no such folder" in capsys.readouterr().err


def test_a_sample_is_drawn_once_for_each_seed_and_keeps_the_order():
    table = pd.DataFrame({"number": np.arange(100)})
    drawn = photographs.sample(table, 10, seed=0)["number"].tolist()
    assert drawn == sorted(set(drawn))
    assert len(drawn) == 10
    assert drawn == photographs.sample(table, 10, seed=0)["number"].tolist()
    assert drawn != photographs.sample(table, 10, seed=1)["number"].tolist()
    assert photographs.sample(table, 101, seed=0) is table


def test_means_by_group_stand_in_the_order_of_the_groups():
    groups = pd.Categorical(["(8, 12)", "(4, 6)", "(8, 12)"], list(adience.AGE_GROUPS), ordered=True)
    table = pd.DataFrame({"age_group": groups, "gender": pd.Categorical(list("mfm"))}, index=[7, 3, 5])
    found = photographs.by_group(table, {"age": np.array([10.0, 5.0, 20.0])})
    assert found.index.tolist() == [("(4, 6)", "f"), ("(8, 12)", "m")]
    assert found.to_dict("list") == {"n": [1, 2], "age": [5.0, 15.0]}

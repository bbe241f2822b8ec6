"""Reading what the tools measure: the truth where it is known, else the labels."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience
from tools.measure import photographs


@pytest.mark.parametrize(
    ("age", "group"),
    [
        (0, 0),
        (2.9, 0),
        (3, 0),
        (3.1, 1),
        (7, 1),
        (13, 2),
        (14, 3),
        (35, 4),
        (35.5, 5),
        (45.6, 6),
        (57, 7),
        (116, 7),
    ],
)
def test_nearest_groups(age, group):
    assert photographs.nearest_groups(np.array([age])) == [group]


def test_nearest_groups_are_those_of_the_loader():
    ages = np.arange(117)
    expected = [adience.AGE_GROUPS.index(adience.age_group(str(age), "nearest")) for age in ages]
    assert photographs.nearest_groups(ages).tolist() == expected


def _data_set(folder):
    """Three photographs of two albums: 35 years old, (8, 12), and one without a gender."""
    rows = []
    for album, face, age, gender in (
        ("a@N", 1, "35", "m"),
        ("a@N", 2, "(8, 12)", "f"),
        ("b@N", 3, "(0, 2)", "u"),
    ):
        rows.append([album, f"{face}.jpg", face, age, gender, 0, 0, 10, 10, 0, 0, 50])
        path = folder / adience.photograph_path(album, face, f"{face}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (96, 96), (10 * face, 0, 0)).save(path, quality=100)
    table = pd.DataFrame(rows, columns=adience.COLUMNS)
    for fold in adience.FOLDS:
        lines = table if fold == 0 else table.iloc[:0]
        lines.to_csv(folder / f"fold_{fold}_data.txt", sep="\t", index=False)


def test_labels_stand_where_no_truth_is_known(tmp_path):
    _data_set(tmp_path)
    table = photographs.read_photographs(tmp_path)
    assert table["age"].tolist() == [35, 10]
    assert table["group"].tolist() == table["label_group"].tolist() == [4, 2]
    assert table["gender"].tolist() == ["m", "f"]
    assert table["album"].tolist() == ["a@N", "a@N"]


def test_the_truth_goes_before_the_label(tmp_path):
    _data_set(tmp_path)
    path = adience.photograph_path("a@N", 2, "2.jpg")
    others = [adience.photograph_path("a@N", 1, "1.jpg"), adience.photograph_path("b@N", 3, "3.jpg")]
    truth = pd.DataFrame(
        {"path": [path, *others], "age_years": [61.5, 34, 1], "true_gender": ["m", "m", "f"]}
    )
    truth.to_csv(tmp_path / "factors.csv", index=False)
    table = photographs.read_photographs(tmp_path).set_index("label_group")
    assert table.loc[2, ["age", "group", "gender", "label_gender"]].tolist() == [61.5, 7, "m", "f"]


def test_factors_alone_will_do(tmp_path):
    truth = pd.DataFrame({"path": ["a.png"], "age_years": [40.0], "true_gender": ["f"]})
    truth.to_csv(tmp_path / "factors.csv", index=False)
    table = photographs.read_photographs(tmp_path)
    assert table[["group", "gender", "label_group"]].to_numpy().tolist() == [[5, "f", 5]]


def test_no_data_set_is_said_so(tmp_path):
    with pytest.raises(adience.DataSetError):
        photographs.read_photographs(tmp_path)


def test_pixels_at_one_size(tmp_path):
    half = np.zeros((96, 96, 3), np.uint8)
    half[:, 48:] = (255, 0, 0)
    Image.fromarray(half).save(tmp_path / "half.png")
    colour = photographs.read_pixels([str(tmp_path / "half.png")], 48)
    grey = photographs.read_pixels([str(tmp_path / "half.png")], 48, grey=True)
    assert colour.shape == (1, 48, 48, 3)
    assert colour[0, 5, [2, 45]].tolist() == [[0, 0, 0], [255, 0, 0]]
    assert grey.shape == (1, 48, 48, 1)
    assert grey[0, 5, 45, 0] == 76  # what BT.601 makes of pure red

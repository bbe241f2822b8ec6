"""Every path that a public function takes may begin with the home folder's ``~``."""

from __future__ import annotations

import pytest

from facelab import adience, embedded, pipeline, results, transfer


@pytest.fixture
def home(tmp_path, monkeypatch):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    return tmp_path


@pytest.fixture
def photographs(home):
    """A small data set below the home folder."""
    faces = embedded.data_dir()
    rows = adience.read_rows(faces)
    rows = rows.groupby("fold").head(2)
    adience.write_folds(rows[[*adience.COLUMNS, "fold"]], "~/small")
    for path in adience.find_photographs(rows, faces):
        (home / "small" / path).parent.mkdir(parents=True, exist_ok=True)
        (home / "small" / path).write_bytes((faces / path).read_bytes())
    return rows


def test_a_data_set_in_the_home_folder_is_written_read_and_recorded(photographs, home):
    assert (home / "small" / "fold_0_data.txt").exists()
    table = adience.read_folds("~/small")
    assert len(table) == len(photographs)
    assert table["path"].notna().all()
    assert len(adience.read_fold_file("~/small/fold_0_data.txt")) == 2
    assert pipeline.unreadable(table, "~/small").empty
    score = results.Score("accuracy", 0.5, 0.4, 0.6, 10, 3, 2.5, "test", [0])
    written = results.write(
        "99_home",
        data_dir="~/small",
        table=table,
        parameters={"seed": 1},
        scores={"network": [score]},
        seconds=1,
        folder="~/results",
    )
    assert written == home / "results" / "99_home.json"
    assert results.read("~/results/99_home.json").data.photographs == len(table)


def test_weights_may_lie_in_the_home_folder(home):
    (home / "weights.h5").write_text("no weights")
    with pytest.raises(transfer.BackboneError, match=r"weights\.h5 does not hold MobileNetV2's weights"):
        transfer.imagenet_backbone(weights="~/weights.h5")

"""What becomes of the judges' answers. The judges themselves take Node.js and are not asked here."""

import numpy as np
import pandas as pd
import pytest

from facelab import pipeline, results
from tools.measure import judge, photographs, real


@pytest.fixture
def folder(tmp_path, monkeypatch, write_eighty, add_causes):
    """Eighty renders of twenty albums, whose causes contradict their labels."""
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    folder = write_eighty(20, pipeline.PixelContract(16, 3))
    add_causes(folder, age_years=np.linspace(1, 80, 80), true_gender="m")
    return folder


def test_judges_are_scored_against_the_truth_and_recorded(folder, capsys, monkeypatch):
    def answers(table, data_dir):
        assert data_dir == folder
        ages = photographs.ages(table)
        return {
            "knows": pd.DataFrame({"age": ages, "male": 0.9}),
            "sees the age alone": pd.DataFrame({"age": 100 - ages, "male": 0.1}),
        }

    monkeypatch.setattr(judge, "predictions", answers)
    judge.main([str(folder), "--limit", "40"])
    printed = capsys.readouterr().out
    record = results.read(real.FOLDER / "judge_renders.json")
    estimates = {
        name: {score.name: score.estimate for score in scores} for name, scores in record.scores.items()
    }
    assert 0 < estimates["knows"].pop("age, years outside the group") < 3.5  # ages between two groups
    assert estimates["knows"] == pytest.approx(
        {"gender": 1, "age exact": 1, "age 1-off": 1, "age correlation": 1}
    )
    assert estimates["sees the age alone"]["gender"] == 0
    assert estimates["sees the age alone"]["age correlation"] == pytest.approx(-1)
    for scores in record.scores.values():
        assert {(score.faces, score.split) for score in scores} == {(40, "test")}
    assert record.parameters["labels"] == judge.TRUE_CAUSES
    assert "40 photographs of" in printed
    assert "knows: read as m" in printed


def test_correlation_is_that_worked_out_by_hand():
    assert judge.correlation(np.array([1, 2, 3]), np.array([2, 4, 3])) == pytest.approx(0.5)


def test_an_age_in_years_becomes_the_nearest_group():
    found = judge.decided(pd.DataFrame({"age": [1.0, 35.5, 70.0], "male": [0.5, 0.49, 1.0]}))
    assert found["age"].tolist() == [0, 5, 7]
    assert found["years"].tolist() == [1, 35.5, 70]
    assert found["gender"].tolist() == [1, 0, 1]

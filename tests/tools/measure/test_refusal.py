"""What lesson 9.2's rule refuses of photographs; a network that knows two pictures replaces the lesson's."""

import numpy as np
import pytest

from facelab import answer, pipeline, results
from tools.measure import photographs, real, refusal

CONTRACT = pipeline.PixelContract(16, 3)


@pytest.fixture
def folder(tmp_path, monkeypatch, write_eighty):
    """Eighty photographs of forty albums; every fourth is unlike what was trained on."""
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    folder = write_eighty(40, CONTRACT)
    answers = iter(range(10**6))

    def handed_over(scratch):
        known = np.tile([1.0, 0.0], (answer.NEIGHBOUR, 1)).astype("float32")
        numbers = dict.fromkeys(("temperature", "farthest", "least_eyes", "greatest_turn"), 0.5)
        settings = answer.Settings(
            CONTRACT, coverage=0.9, level=0.9, features=known, known_failures=[], **numbers
        )
        settings.write(scratch)
        return scratch

    def ask(pixels):
        assert pixels.shape[1:] == (16, 16, 3)
        assert 0 <= pixels.min() < 0.1
        assert 0.9 < pixels.max() <= 1
        number = np.array([next(answers) for _ in pixels])
        features = np.where((number % 4 == 0)[:, None], [0.0, 1.0], [1.0, 0.0])
        return {"age": np.eye(8)[number // 2 % 8], "gender": np.ones((len(pixels), 1)), "features": features}

    monkeypatch.setattr(refusal, "handed_over", handed_over)
    monkeypatch.setattr(refusal.export, "load", lambda path, contract: ask)
    return folder


def test_the_share_refused_and_the_scores_of_the_others_are_those_worked_out_by_hand(folder, capsys):
    assert refusal.main([str(folder), "--labels", "by lot"]) == 0
    record = results.read(real.FOLDER / "refusal.json")
    scores = {title: {one.name: one for one in found} for title, found in record.scores.items()}
    assert scores["all"]["refused"].estimate == 0.25
    assert scores["all"]["refused"].faces == 80
    assert scores["answered"]["gender"].faces == 60
    table = photographs.read_photographs(folder)
    answered = np.arange(80) % 4 != 0
    assert scores["answered"]["gender"].estimate == np.mean(table["gender"][answered] == "m")
    group = np.arange(80) // 2 % 8
    right = table["age_group"].cat.codes.to_numpy() == group
    assert scores["answered"]["age exact"].estimate == pytest.approx(right[answered].mean())
    assert record.parameters["trained_on"] == "rendered faces alone"
    assert "answered: 60 photographs" in capsys.readouterr().out


def test_the_lesson_has_what_is_taken_from_it():
    code = refusal.LESSON.read_text(encoding="utf-8")
    assert 'place = Path(tempfile.mkdtemp()) / \\"network\\"' in code

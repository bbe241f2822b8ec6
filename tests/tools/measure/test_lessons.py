"""What lessons find on other faces: run there, and their records kept with what the book needs to know."""

import nbformat
import pytest

from facelab import pipeline, results
from tools.measure import lessons, real

# A lesson in small: it scores "everybody is an m" on the data set that it is given, and records that.
CODE = """\
from facelab import adience, results
table = adience.read_folds(data_dir)
right = float((table["gender"] == "m").mean())
score = results.Score.over("gender", (right, right, right), table["user_id"], "test", [4])
how = {"data_dir": data_dir, "table": table, "parameters": {"seed": seed}, "seconds": 1}
results.write("01_1_small", scores={"everybody an m": [score]}, **how)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, write_eighty):
    """Eighty photographs of forty albums; a lesson that records, and one that does not."""
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    monkeypatch.setattr(lessons, "NOTEBOOKS", tmp_path)
    for name, code in (("01_1_small", CODE), ("01_2_silent", "data_dir")):
        parameters = nbformat.v4.new_code_cell("data_dir = None\nseed = 3", metadata={"tags": ["parameters"]})
        cells = [parameters, nbformat.v4.new_code_cell(code)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    return write_eighty(40, pipeline.PixelContract(16, 1))


def test_a_lesson_runs_on_the_data_set_and_its_record_says_what_the_book_needs(folder, capsys):
    assert lessons.main([str(folder), "--lessons", "01_1_small", "--labels", "by lot"]) == 0
    record = results.read(real.FOLDER / "01_1_small.json")
    assert record.chapter == "01_1_small"
    (score,) = record.scores["everybody an m"]
    assert (score.estimate, score.faces, score.albums) == (0.5, 80, 40)
    about = {"seed": 3, "seeds": [3, 4, 5], "labels": "by lot", "age_groups": "strict"}
    assert record.parameters.items() >= about.items()
    assert "everybody an m\n  gender 0.500" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lesson", "complaint"),
    [("01_2_silent", "leaves no record; these do"), ("01_3_none", "there is no lesson 01_3_none")],
)
def test_a_lesson_without_a_record_and_one_that_is_not_there_are_named(folder, capsys, lesson, complaint):
    assert lessons.main([str(folder), "--lessons", lesson]) == 2
    assert complaint in capsys.readouterr().err


def test_every_lesson_that_the_book_quotes_is_there_and_writes_a_record():
    for lesson in lessons.LESSONS:
        text = (lessons.NOTEBOOKS / f"{lesson}.ipynb").read_text(encoding="utf-8")
        assert "results.write(" in text

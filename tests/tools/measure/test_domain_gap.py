"""The measurement of the domain gap: what is trained on and what is scored. The photographs are noise."""

import numpy as np
import pytest
from PIL import Image

from facelab import adience, pipeline, results
from tools.measure import domain_gap, photographs, real

CONTRACT = pipeline.PixelContract(16, 1)


@pytest.fixture
def folders(tmp_path, monkeypatch, write_eighty, add_causes, small_network):
    """Eighty renders in twenty albums, all of them really men; and eighty others in as many albums."""
    monkeypatch.setattr(domain_gap.models, "strided_network", lambda contract, _: small_network(contract))
    monkeypatch.setattr(real, "FOLDER", tmp_path / "measured")
    renders = write_eighty(20, CONTRACT).rename(tmp_path / "renders")
    add_causes(renders, age_years=np.tile([5.0, 30.0], 40), true_gender="m")
    return renders, write_eighty(80, CONTRACT)


def test_it_scores_renders_by_the_truth_and_photographs_by_their_labels(folders, tmp_path, capsys):
    averages = tmp_path / "averages.png"
    options = ["--side", "16", "--epochs", "1", "--averages", str(averages)]
    domain_gap.main([*map(str, folders), *options])
    printed = capsys.readouterr().out
    record = results.read(real.FOLDER / "domain_gap.json")
    parts = ["{}, majority", "{}", "{}, no prior", "{} up to (8, 12)", "{} from (15, 20)"]
    assert list(record.scores) == [part.format(name) for name in ("renders", "photographs") for part in parts]
    faces = {title: scores[0].faces for title, scores in record.scores.items()}
    assert (faces["renders"], faces["photographs"]) == (16, 80)
    assert (faces["photographs up to (8, 12)"], faces["photographs from (15, 20)"]) == (30, 50)
    # Either gender is half of the labels, and one of them is the whole truth at home.
    majority = [record.scores[f"{name}, majority"][0].estimate for name in ("renders", "photographs")]
    assert majority[0] in (0, 1)
    assert majority[1] == 0.5
    assert record.parameters["trained_on"] == 64
    assert record.data.name == folders[1].name
    assert "trained on    64 photographs of 16 albums\nscored on     16 photographs of 4 albums" in printed
    assert Image.open(averages).size == (8 * 192, 2 * 192)


def test_without_the_prior_a_rare_answer_counts_for_more():
    y_prob = np.array([[0.6, 0.4], [0.9, 0.1]])
    found = domain_gap.without_prior(y_prob, np.array([[0.75, 0.25]]))
    assert found == pytest.approx(np.array([[1 / 3, 2 / 3], [0.75, 0.25]]))


def test_what_is_read_is_a_share_of_each_group_and_gender(folders):
    table = photographs.read_photographs(folders[1])
    found = domain_gap.what_is_read(table, real.labels(table))
    assert found["n"].sum() == 80
    assert (found["read as m"] == [gender == "m" for _, gender in found.index]).all()
    for group in adience.AGE_GROUPS:
        assert (found[f"→ {group}"] == [group == true for true, _ in found.index]).all()

"""The tool that makes the shipped backbone: what it learns from, what it writes, whom it refuses."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelab import adience, embedded, models, pipeline, training, transfer
from tools import pretrain
from tools.paths import REPOSITORY


@pytest.fixture
def renders(tmp_path, monkeypatch):
    """Forty noise photographs of twenty people in ten albums, in the layout, with their causes."""
    monkeypatch.setattr(pretrain, "CONTRACT", pipeline.PixelContract(16, 3))
    monkeypatch.setattr(pretrain, "EPOCHS", 2)
    monkeypatch.setattr(pretrain, "BUILD", tmp_path / "build")
    monkeypatch.setattr(pretrain.transfer, "FILTERS", (4, 4, 8, 8))
    data = tmp_path / "data"
    data.mkdir()
    shipped = pd.DataFrame({"identity": [1, 2, 3]})
    monkeypatch.setattr(embedded, "ARCHIVES", data)
    monkeypatch.setattr(embedded, "read_factors", lambda: shipped)
    monkeypatch.setattr(embedded, "read_sweeps", lambda: shipped)
    folder, random = tmp_path / "renders", np.random.default_rng(0)
    rows, factors = [], []
    for number in range(40):
        album, gender = f"{number % 10}@N", "fm"[number % 2]
        path = adience.photograph_path(album, number % 20, f"{number}.jpg")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (16, 16, 3), np.uint8)).save(folder / path)
        rows.append([album, f"{number}.jpg", number % 20, "(25, 32)", gender, *[0] * 7, number % 5])
        factors.append([path, gender, 100 + number % 20, 2.0 * number, number - 20.0])
    table = pd.DataFrame(rows, columns=[*adience.COLUMNS, "fold"])
    adience.write_folds(table, folder)
    columns = ["path", "true_gender", "identity", "age_years", "yaw_deg"]
    pd.DataFrame(factors, columns=columns).to_csv(folder / "factors.csv", index=False)
    return folder


def test_it_writes_weights_that_the_course_can_load_and_a_record_of_them(renders, capsys, monkeypatch):
    assert pretrain.main([str(renders)]) == 0
    record = transfer.rendered_record()
    assert (record["photographs"], record["albums"], record["people"], record["epochs"]) == (40, 10, 20, 2)
    backbone = transfer.rendered_backbone(pipeline.PixelContract(16, 3))
    assert backbone.output_shape == (None, 8)
    assert {file.name for file in embedded.ARCHIVES.iterdir()} == {record["file"], "rendered_backbone.json"}
    assert "40 renders of 20 people, 2 epochs" in capsys.readouterr().out

    # Again: it goes on from the finished training, to the same weights.
    monkeypatch.setattr(training, "_train_one_epoch", lambda *_: pytest.fail("trained again"))
    assert pretrain.main([str(renders)]) == 0
    again = transfer.rendered_backbone(pipeline.PixelContract(16, 3))
    for one, other in zip(backbone.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_the_targets_are_the_true_causes_and_a_mirror_image_keeps_them(renders):
    table = pretrain.read_others(renders)
    mirrored = table.assign(yaw_deg=-table["yaw_deg"])
    wanted, of_mirrored = pretrain.targets(table), pretrain.targets(mirrored)
    assert {head: target.shape for head, target in wanted.items()} == {
        "age": (40, 8),
        "gender": (40, 1),
        "pose": (40, 1),
    }
    for head in pretrain.HEADS:
        assert np.array_equal(wanted[head], of_mirrored[head])
    oldest = table["age_years"].to_numpy().argmax()
    assert wanted["age"][oldest].argmax() == 7
    assert wanted["pose"].max() == pytest.approx(20 / 45)
    assert (wanted["gender"][:, 0] == (table["true_gender"] == "m")).all()


def test_somebody_who_is_shipped_is_refused(renders, capsys):
    factors = pd.read_csv(renders / "factors.csv")
    factors["identity"] = factors["identity"].replace(100, 3)
    factors.to_csv(renders / "factors.csv", index=False)
    assert pretrain.main([str(renders)]) == 2
    assert "1 people of" in capsys.readouterr().err
    assert not list(embedded.ARCHIVES.iterdir())


def test_a_missing_folder_is_refused(renders, capsys):
    assert pretrain.main([str(renders / "nowhere")]) == 2
    assert "is not a data set" in capsys.readouterr().err


def test_the_shipped_backbone_is_the_one_that_this_tool_makes():
    record = json.loads((embedded.ARCHIVES / "rendered_backbone.json").read_text(encoding="utf-8"))
    assert (record["side"], record["channels"]) == tuple(pretrain.CONTRACT)
    assert (record["epochs"], record["seed"]) == (pretrain.EPOCHS, pretrain.SEED)
    assert record["heads"] == list(pretrain.HEADS)
    backbone = transfer.rendered_backbone(pretrain.CONTRACT)
    same = transfer.cut(models.strided_network(pretrain.CONTRACT, filters=transfer.FILTERS))
    assert backbone.count_params() == same.count_params() <= 1_000_000


def test_nothing_that_makes_what_is_shipped_depends_on_the_measurements():
    files, seen = [Path(pretrain.__file__), *(REPOSITORY / "src").rglob("*.py")], set()
    while files:
        for name in imported(files.pop()) - seen:
            seen.add(name)
            module = REPOSITORY / name.replace(".", "/")
            files += [path for path in (module.with_suffix(".py"), module / "__init__.py") if path.is_file()]
    assert "tools.paths" in seen
    assert not {name for name in seen if name.startswith("tools.measure")}


def imported(file: Path) -> set[str]:
    """Every module that a file may import: of ``from a import b``, both ``a`` and ``a.b``."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found

"""A network in its four formats: the same answers, the contract inside, and a folder that can be checked."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from facelab import adience, embedded, export, pipeline, transfer
from facelab.answer import Settings
from facelab.backend import keras, set_seed

CONTRACT = pipeline.PixelContract(48, 3)
CARD = "# A network for tests\n"
FLOATS = ["Keras", "ONNX", "LiteRT"]


def needs(name: str) -> None:
    """Skip where a runtime is not installed; the lock has them all."""
    if why := export.missing(name):
        pytest.skip(why)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """500 embedded faces."""
    folder = embedded.data_dir()
    table = adience.usable(adience.read_folds(folder)).sample(500, random_state=0)
    read = pipeline.photographs(table, folder, CONTRACT).as_numpy_iterator()
    return np.stack(list(read)).astype("float32") / 255


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """The shipped backbone with heads that know nothing, and its features."""
    set_seed(0)
    network = transfer.transfer_network(transfer.rendered_backbone(CONTRACT), ("gender", "age"))
    features = network.get_layer("dropout").input
    return keras.Model(network.inputs[0], network.output | {"features": features})


@pytest.fixture(scope="module")
def settings(model: keras.Model, faces: np.ndarray) -> Settings:
    """Settings, with the features of fifty faces."""
    features = model.predict(faces[:50], verbose=0)["features"]
    return Settings(CONTRACT, 1.5, 0.9, 0.8, features, 0.2, 20.0, 0.15, ["It knows nothing."])


@pytest.fixture(scope="module")
def folder(
    model: keras.Model, settings: Settings, faces: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What is exported, without a word: Keras 3.13 has some, see `make oldest`."""
    place = tmp_path_factory.mktemp("exported") / "network"
    with contextlib.redirect_stdout(io.StringIO()) as said:
        left_out = export.export(model, place, settings, card=CARD, examples=faces[:100])
    assert said.getvalue() == ""
    assert set(left_out) == {name for name in export.FORMATS if export.missing(name)}
    return place


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to be harmed."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


# ---- The same answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FLOATS)
def test_every_runtime_says_what_keras_says(
    name: str, folder: Path, model: keras.Model, faces: np.ndarray
) -> None:
    needs(name)
    network = export.load(folder / export.FORMATS[name], CONTRACT)
    expected, found = model.predict(faces, verbose=0), network(faces)
    assert set(found) == {"age", "gender", "features"}
    for head, array in found.items():
        assert array.shape == expected[head].shape
        assert abs(array - expected[head]).max() < 1e-3
    assert abs(expected["age"] - expected["age"].mean(axis=0)).max() > 0.01  # the faces differ


@pytest.mark.parametrize("name", FLOATS)
def test_one_face_gets_the_answer_that_it_gets_among_others(
    name: str, folder: Path, faces: np.ndarray
) -> None:
    needs(name)
    network = export.load(folder / export.FORMATS[name], CONTRACT)
    together, alone = network(faces[:7]), network(faces[3:4])
    assert abs(together["features"][3] - alone["features"][0]).max() < 1e-4


def test_integers_are_near_and_a_quarter_of_the_size(
    folder: Path, model: keras.Model, faces: np.ndarray
) -> None:
    needs("LiteRT, int8")
    path = folder / export.FORMATS["LiteRT, int8"]
    found, expected = export.load(path, CONTRACT)(faces), model.predict(faces, verbose=0)
    assert abs(found["age"] - expected["age"]).mean() < 0.02
    assert abs(found["age"] - expected["age"]).max() > 1e-5  # they are integers
    assert path.stat().st_size < 0.3 * (folder / export.FORMATS["LiteRT"]).stat().st_size


# ---- The contract -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", export.FORMATS)
def test_another_contract_is_refused(name: str, folder: Path) -> None:
    needs(name)
    with pytest.raises(export.ContractError, match=r"expects .*'side': 48.* not .*'side': 64"):
        export.load(folder / export.FORMATS[name], pipeline.PixelContract(64, 3))


@pytest.mark.parametrize("name", ["Keras", "LiteRT"])
def test_a_file_without_a_contract_is_refused(name: str, copied: Path, model: keras.Model) -> None:
    needs(name)
    path = copied / export.FORMATS[name]
    if name == "Keras":
        model.save(path)
    else:
        whole = path.read_bytes()
        path.write_bytes(whole[: whole.rindex(b"PK\x03\x04")])  # the archive behind the network
    with pytest.raises(export.ContractError, match="names no pixel contract"):
        export.load(path, CONTRACT)


def test_an_onnx_file_without_a_contract_is_refused(copied: Path) -> None:
    needs("ONNX")
    import onnx

    path = copied / export.FORMATS["ONNX"]
    network = onnx.load(path)
    del network.metadata_props[:]
    onnx.save(network, path)
    with pytest.raises(export.ContractError, match="names no pixel contract"):
        export.load(path, CONTRACT)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("harm", ["times 255", "other type", "grey", "below 0"])
def test_other_pixels_are_refused(name: str, harm: str, folder: Path, faces: np.ndarray) -> None:
    needs(name)
    network = export.load(folder / export.FORMATS[name], CONTRACT)
    harmed = {
        "times 255": faces[:2] * 255,
        "other type": faces[:2].astype("float64"),
        "grey": faces[:2, ..., :1],
        "below 0": 2 * faces[:2] - 1,
    }[harm]
    with pytest.raises(export.ContractError, match=r"expects float32 from 0 to 1|has the shape"):
        network(harmed)


def test_the_contract_can_be_read_without_this_course(folder: Path) -> None:
    with zipfile.ZipFile(folder / export.FORMATS["LiteRT"]) as archive:
        said = json.loads(archive.read("contract.json"))
    assert (said["side"], said["channels"], said["white"]) == (48, ["red", "green", "blue"], 1)


# ---- The folder -------------------------------------------------------------------------------------------


def test_the_list_names_every_file(folder: Path) -> None:
    assert set(export.check_files(folder)) == {path.name for path in folder.iterdir()} - {export.LIST}
    assert (folder / export.CARD).read_text(encoding="utf-8") == CARD
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", export.LIST], cwd=folder, check=True)


def test_damage_is_found(copied: Path) -> None:
    (copied / export.CARD).write_text("# Another card\n", encoding="utf-8")
    (copied / "settings.json").unlink()
    (copied / "more.txt").touch()
    faults = "settings.json is missing; more.txt is not in the list; README.md has changed"
    with pytest.raises(ValueError, match=faults):
        export.check_files(copied)


def test_a_folder_that_is_there_stays(
    copied: Path, model: keras.Model, settings: Settings, faces: np.ndarray
) -> None:
    with pytest.raises(FileExistsError, match="delete it, or name another folder"):
        export.export(model, copied, settings, card="", examples=faces[:2])
    export.check_files(copied)


def test_nothing_is_left_of_an_export_that_fails(
    tmp_path: Path, model: keras.Model, settings: Settings, faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(export, "_write_contract", fail)
    with pytest.raises(OSError, match="no space"):
        export.export(model, tmp_path / "network", settings, card=CARD, examples=faces[:2])
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_does_not_fit_the_contract_is_refused(
    tmp_path: Path, model: keras.Model, settings: Settings
) -> None:
    with pytest.raises(export.ContractError, match=r"an example has the shape \(48, 48, 1\)"):
        export.export(model, tmp_path / "network", settings, card=CARD, examples=np.zeros((1, 48, 48, 1)))


def test_a_format_whose_runtime_is_missing_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = export.importlib.util.find_spec
    hidden = {"onnxruntime", "onnx", "tf2onnx", "ai_edge_litert"}
    monkeypatch.setattr(
        export.importlib.util, "find_spec", lambda name: None if name in hidden else find(name)
    )
    assert export.missing("ONNX") == 'ONNX needs onnxruntime, onnx, tf2onnx: pip install "facelab[export]"'
    assert export.missing("LiteRT") == ""  # tf.lite runs it
    with pytest.raises((ModuleNotFoundError, FileNotFoundError), match=r"onnxruntime|there is no file"):
        export.load(folder / export.FORMATS["ONNX"], CONTRACT)


def test_litert_runs_by_tensorflow_alone(
    folder: Path, faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / export.FORMATS["LiteRT"]
    by_litert = export.load(path, CONTRACT)(faces[:3])
    find = export.importlib.util.find_spec
    monkeypatch.setattr(
        export.importlib.util, "find_spec", lambda name: None if name == "ai_edge_litert" else find(name)
    )
    by_tensorflow = export.load(path, CONTRACT)(faces[:3])
    assert abs(by_litert["age"] - by_tensorflow["age"]).max() < 1e-5


def test_a_file_of_another_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is none of \.keras, \.onnx, \.tflite"):
        export.load(folder / export.CARD, CONTRACT)
    with pytest.raises(FileNotFoundError, match="export writes it"):
        export.load(tmp_path / "network.onnx", CONTRACT)

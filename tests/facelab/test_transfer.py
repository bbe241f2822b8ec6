import hashlib
import json
import pickle
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from facelab import embedded, models, transfer
from facelab.backend import keras
from facelab.pipeline import PixelContract

COLOUR = PixelContract(side=64, channels=3)
SMALL = PixelContract(side=32, channels=3)


def images(contract: PixelContract = COLOUR, number: int = 4) -> np.ndarray:
    shape = (number, contract.side, contract.side, contract.channels)
    return np.random.default_rng(1).uniform(0.1, 0.9, shape).astype("float32")


def arrays(model: keras.Model, prefix: str = "") -> list[np.ndarray]:
    return [
        weight.numpy().copy()
        for layer in model.layers
        if layer.name.startswith(prefix)
        for weight in layer.weights
    ]


def one_step(model: keras.Model, contract: PixelContract) -> None:
    model.compile(keras.optimizers.SGD(0.5), "categorical_crossentropy")
    model.fit(images(contract), np.eye(8)[[0, 3, 5, 7]], verbose=0)


def changed(before: list[np.ndarray], after: list[np.ndarray]) -> list[bool]:
    return [not np.array_equal(one, other) for one, other in zip(before, after, strict=True)]


def test_a_cut_network_and_its_old_head_give_the_old_answers() -> None:
    model = models.strided_network(SMALL, ("age",))
    backbone = transfer.cut(model)
    assert backbone.output_shape == (None, 192)
    head = model.get_layer("age")
    assert np.allclose(head(backbone(images(SMALL))), model(images(SMALL)), atol=1e-6)


def test_a_cut_network_is_a_copy() -> None:
    model = models.strided_network(SMALL, ("age",))
    before = arrays(model)
    one_step(transfer.transfer_network(transfer.cut(model), unfreeze_from="stem", batch_norm=True), SMALL)
    assert not any(changed(before, arrays(model)))


def test_it_can_be_cut_elsewhere_but_not_behind_a_layer_that_is_not_there() -> None:
    model = models.strided_network(SMALL)
    assert transfer.cut(model, "stage_1").output_shape == (None, 8, 8, 48)
    with pytest.raises(ValueError, match="No such layer: stage_9"):
        transfer.cut(model, "stage_9")


@pytest.mark.parametrize(
    ("unfreeze_from", "learns"), [(None, ()), ("stage_3_strided", ("stage_3",)), ("stem", ("stem", "stage"))]
)
def test_a_step_of_training_changes_what_is_unfrozen_and_nothing_else(unfreeze_from, learns) -> None:
    backbone = transfer.cut(models.strided_network(SMALL))
    before = {layer.name: [w.numpy().copy() for w in layer.weights] for layer in backbone.layers}
    model = transfer.transfer_network(backbone, unfreeze_from=unfreeze_from)
    head = arrays(model, "age")
    one_step(model, SMALL)
    assert all(changed(head, arrays(model, "age")))
    for layer in backbone.layers:
        moved = any(changed(before[layer.name], [w.numpy() for w in layer.weights]))
        convolution = isinstance(layer, keras.layers.Conv2D)
        assert moved == (convolution and layer.name.startswith(learns or ("none",))), layer.name


def test_batch_normalisation_keeps_its_statistics_unless_it_is_unfrozen() -> None:
    def statistics_after_a_step(batch_norm: bool) -> list[bool]:
        backbone = transfer.cut(models.strided_network(SMALL))
        norms = [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
        before = [layer.moving_mean.numpy().copy() for layer in norms]
        one_step(transfer.transfer_network(backbone, unfreeze_from="stem", batch_norm=batch_norm), SMALL)
        return changed(before, [layer.moving_mean.numpy() for layer in norms])

    assert not any(statistics_after_a_step(batch_norm=False))
    assert all(statistics_after_a_step(batch_norm=True))


def test_the_same_backbone_can_be_frozen_again() -> None:
    backbone = transfer.cut(models.strided_network(SMALL))
    transfer.transfer_network(backbone, unfreeze_from="stem", batch_norm=True)
    frozen = transfer.transfer_network(backbone)
    assert [weight.path for weight in frozen.trainable_weights] == ["age/kernel", "age/bias"]


def test_several_heads_share_the_backbone() -> None:
    model = transfer.transfer_network(transfer.cut(models.strided_network(SMALL)), ("gender", "age"))
    said = model(images(SMALL))
    assert (said["gender"].shape, said["age"].shape) == ((4, 1), (4, 8))
    assert np.allclose(np.sum(said["age"], axis=1), 1, atol=1e-5)


def test_an_impossible_network_is_refused() -> None:
    backbone = transfer.cut(models.strided_network(SMALL))
    with pytest.raises(ValueError, match="No such layer: stage_9"):
        transfer.transfer_network(backbone, unfreeze_from="stage_9")
    with pytest.raises(ValueError, match="heads are some of"):
        transfer.transfer_network(backbone, ("height",))


# ---- The backbone that comes with the course ---------------------------------------------------------------


def test_the_shipped_weights_are_small_and_those_of_the_record() -> None:
    record = transfer.rendered_record()
    content = (embedded.ARCHIVES / record["file"]).read_bytes()
    assert len(content) == record["bytes"] <= 6_000_000
    assert hashlib.sha256(content).hexdigest() == record["sha256"]


def test_the_shipped_backbone_gives_finite_features_that_differ_from_face_to_face_at_any_side() -> None:
    for side in (48, 64):
        contract = PixelContract(side, transfer.rendered_record()["channels"])
        features = transfer.rendered_backbone(contract)(images(contract)).numpy()
        assert features.shape == (4, 192)
        assert np.isfinite(features).all()
        assert features.std(axis=0).max() > 0


def test_the_shipped_backbone_says_which_channels_it_needs() -> None:
    with pytest.raises(ValueError, match=r"sees 3 channels, not 1: take PixelContract\(48, 3\)"):
        transfer.rendered_backbone(PixelContract(48, 1))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the weights and their record, to be damaged."""
    for name in (transfer.rendered_record()["file"], "rendered_backbone.json"):
        (tmp_path / name).write_bytes((embedded.ARCHIVES / name).read_bytes())
    monkeypatch.setattr(embedded, "ARCHIVES", tmp_path)
    return tmp_path


def test_weights_that_differ_by_a_byte_are_refused(package: Path) -> None:
    file = package / transfer.rendered_record()["file"]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(transfer.BackboneError, match=r"has SHA-256 .* instead of .*: install facelab again"):
        transfer.rendered_backbone(COLOUR)


def test_missing_weights_and_a_missing_or_broken_record_are_named(package: Path) -> None:
    (package / transfer.rendered_record()["file"]).unlink()
    with pytest.raises(
        transfer.BackboneError, match=r"rendered_backbone\.weights\.h5.*install facelab again"
    ):
        transfer.rendered_backbone(COLOUR)
    (package / "rendered_backbone.json").write_text("{")
    with pytest.raises(transfer.BackboneError, match=r"rendered_backbone\.json cannot be read"):
        transfer.rendered_backbone(COLOUR)
    (package / "rendered_backbone.json").unlink()
    with pytest.raises(transfer.BackboneError, match=r"rendered_backbone\.json cannot be read"):
        transfer.rendered_backbone(COLOUR)


def damaged(**parts: object) -> bytes:
    """The record with some parts changed, or without those that are None."""
    record = transfer.rendered_record() | parts
    return json.dumps({key: value for key, value in record.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"{}", "file: Field required"),
        (b"[]", "object"),
        (b"null", "object"),
        (damaged(sha256=None), "sha256: Field required"),
        (damaged(bytes=None), "bytes: Field required"),
        (damaged(channels=None), "channels: Field required"),
        (damaged(channels=2), "channels: Input should be 1 or 3"),
        (damaged(channels=[3]), "channels: "),
        (damaged(side="64"), "side: Input should be a valid integer"),
        (damaged(bytes=True), "bytes: Input should be a valid integer"),
        (damaged(sha256="0"), "sha256: String should match"),
        (damaged(file="../weights.h5"), "file: String should match"),
        (damaged(heads={"age": 1}), "heads: "),
    ],
)
def test_a_damaged_record_is_named_with_the_part(package: Path, content: bytes, why: str) -> None:
    (package / "rendered_backbone.json").write_bytes(content)
    for ask in (transfer.rendered_record, lambda: transfer.rendered_backbone(COLOUR)):
        with pytest.raises(
            transfer.BackboneError, match=rf"backbone\.json cannot be read \(.*{why}.*: install facelab again"
        ):
            ask()


def test_its_record_says_how_it_was_made() -> None:
    record = json.loads((embedded.ARCHIVES / "rendered_backbone.json").read_text(encoding="utf-8"))
    assert record["heads"] == ["age", "gender", "pose"]
    assert record["people"] >= record["albums"] > 100
    assert record["photographs"] > 10_000


# ---- ImageNet's weights ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weight_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MobileNetV2's weights as Keras publishes them, but random: there is nothing to download in a test."""
    file = tmp_path_factory.mktemp("weights") / "mobilenet_v2.weights.h5"
    keras.utils.set_random_seed(0)
    keras.applications.MobileNetV2(input_shape=(96, 96, 3), include_top=False, weights=None).save_weights(
        file
    )
    return file


@pytest.mark.parametrize("contract", [COLOUR, PixelContract(48, 1)])
def test_mobilenet_sees_colour_from_minus_one_to_one_at_its_own_size(contract, weight_file: Path) -> None:
    backbone = transfer.imagenet_backbone(contract, weight_file)
    plain = keras.applications.MobileNetV2(input_shape=(96, 96, 3), include_top=False, weights=None)
    plain.load_weights(weight_file)
    large = np.asarray(keras.ops.image.resize(images(contract), (96, 96)))
    colour = np.repeat(large, 3 // contract.channels, axis=-1)
    expected = plain.predict(colour * 2 - 1, verbose=0).mean(axis=(1, 2))
    assert backbone.predict(images(contract), verbose=0) == pytest.approx(expected, abs=1e-4)


def test_mobilenet_can_be_frozen_and_its_last_layers_unfrozen(weight_file: Path) -> None:
    backbone = transfer.imagenet_backbone(SMALL, weight_file)
    assert len(transfer.transfer_network(backbone).trainable_weights) == 2
    unfrozen = transfer.transfer_network(backbone, unfreeze_from="Conv_1").trainable_weights
    assert [weight.path for weight in unfrozen] == ["Conv_1/kernel", "age/kernel", "age/bias"]


def test_without_the_internet_it_says_so_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(transfer.BackboneError, match=r"cannot be downloaded .*no route.* name it as weights"):
        transfer.imagenet_backbone()


def test_a_weight_file_that_is_missing_or_of_another_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(transfer.BackboneError, match=r"there is no weight file .*nowhere\.h5"):
        transfer.imagenet_backbone(weights=tmp_path / "nowhere.h5")
    other = tmp_path / "other.weights.h5"
    models.age_network().save_weights(other)
    with pytest.raises(
        transfer.BackboneError, match=r"other\.weights\.h5 does not hold MobileNetV2's weights"
    ):
        transfer.imagenet_backbone(weights=other)
    text = tmp_path / "text.h5"
    text.write_text("no weights")
    with pytest.raises(transfer.BackboneError, match=r"text\.h5 does not hold MobileNetV2's weights"):
        transfer.imagenet_backbone(weights=text)


@pytest.mark.parametrize("name", ["x.keras", "x.weights.h5", "x.h5", "x.weights.json", "x.npz", "x"])
def test_a_pickle_is_no_weight_file_whatever_its_name(tmp_path: Path, name: str) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "it ran",)

    (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(transfer.BackboneError, match=f"{name} does not hold MobileNetV2's weights"):
        transfer.imagenet_backbone(weights=tmp_path / name)
    assert not (tmp_path / "it ran").exists()

from pathlib import Path

import numpy as np
import pytest

from facelab import models
from facelab.backend import keras
from facelab.pipeline import PixelContract

# What stands in print, to the row where each table stops: kind of layer, output shape, weights.
PUBLISHED_GENDER = [
    ("Conv2D", (46, 46, 36), 360),
    ("Conv2D", (44, 44, 48), 15_600),
    ("MaxPooling2D", (22, 22, 48), 0),
    ("Dropout", (22, 22, 48), 0),
    ("Conv2D", (20, 20, 72), 31_176),
    ("Conv2D", (18, 18, 72), 46_728),
    ("MaxPooling2D", (9, 9, 72), 0),
    ("Dropout", (9, 9, 72), 0),
    ("Flatten", (5_832,), 0),
    ("Dense", (2_304,), 13_439_232),
]
PUBLISHED_AGE = [
    ("Conv2D", (48, 48, 32), 320),
    ("BatchNormalization", (48, 48, 32), 128),
    ("MaxPooling2D", (24, 24, 32), 0),
    ("GlobalAveragePooling2D", (32,), 0),
    ("Flatten", (32,), 0),
    ("Dense", (128,), 4_224),
    ("BatchNormalization", (128,), 512),
    ("Dropout", (128,), 0),
    ("Dense", (64,), 8_256),
]
OUR_GENDER = [("Dropout", (2_304,), 0), ("Dense", (1,), 2_305)]
OUR_AGE = [("BatchNormalization", (64,), 256), ("Dropout", (64,), 0), ("Dense", (8,), 520)]

GREY = PixelContract(side=48, channels=1)


def rows(model: keras.Model) -> list[tuple[str, tuple[int, ...], int]]:
    return list(models.layer_table(model).drop(columns="layer").itertuples(index=False, name=None))


def images(contract: PixelContract, number: int = 8) -> np.ndarray:
    shape = (number, contract.side, contract.side, contract.channels)
    return np.random.default_rng(1).uniform(0.1, 0.9, shape).astype("float32")


@pytest.mark.parametrize(
    ("build", "published", "ours"),
    [
        (models.gender_cnn, PUBLISHED_GENDER, OUR_GENDER),
        (models.age_network, PUBLISHED_AGE, OUR_AGE),
    ],
)
def test_a_published_network_is_its_table_row_by_row_and_the_rest_is_marked_as_ours(
    build, published, ours
) -> None:
    model = build()
    assert model.input_shape == (None, 48, 48, 1)
    assert rows(model) == published + ours
    marked = models.layer_table(model)["layer"].str.startswith("ours_")
    assert marked.tolist() == [False] * len(published) + [True] * len(ours)


@pytest.mark.parametrize("build", [models.gender_cnn, models.age_network])
def test_what_the_tables_leave_open_is_relu_and_valid_or_same_3_by_3(build) -> None:
    hidden = [layer for layer in build().layers if hasattr(layer, "activation")][:-1]
    assert {layer.activation for layer in hidden} == {keras.activations.relu}
    kernels = {layer.kernel_size for layer in hidden if isinstance(layer, keras.layers.Conv2D)}
    assert kernels == {(3, 3)}


def test_the_pooled_head_keeps_the_convolutions_and_loses_the_weights() -> None:
    pooled = models.gender_cnn(head="pooled")
    assert rows(pooled)[:8] == PUBLISHED_GENDER[:8]
    assert pooled.count_params() == 93_937
    assert models.layer_table(pooled)["layer"][8:].str.startswith("ours_").all()


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(ValueError, match="no head 'flat': choose 'published' or 'pooled'"):
        models.gender_cnn(head="flat")  # type: ignore[arg-type]


def test_momentum_reaches_every_batch_normalisation() -> None:
    for momentum in (0.99, 0.9):
        found = [
            layer.momentum for layer in models.age_network(momentum).layers if hasattr(layer, "momentum")
        ]
        assert found == [momentum] * 3
    assert models.age_network().get_layer("batch_norm_1").momentum == 0.99


@pytest.mark.parametrize(
    "build", [lambda: models.gender_cnn(head="pooled"), lambda: models.strided_network(GREY, ["gender"])]
)
def test_gender_is_one_probability(build) -> None:
    said = build().predict(images(GREY), verbose=0)
    assert said.shape == (8, 1)
    assert ((said > 0) & (said < 1)).all()


@pytest.mark.parametrize("build", [models.age_network, lambda: models.strided_network(GREY)])
def test_age_is_a_distribution_over_the_groups(build) -> None:
    said = build().predict(images(GREY), verbose=0)
    assert said.shape == (8, 8)
    assert said.sum(axis=1) == pytest.approx(np.ones(8), abs=1e-5)


@pytest.mark.parametrize("contract", [GREY, PixelContract(side=64, channels=3)])
def test_the_strided_network_has_less_than_a_million_weights_and_two_heads(contract) -> None:
    model = models.strided_network(contract, heads=("gender", "age"))
    assert model.count_params() < 1_000_000
    said = model.predict(images(contract), verbose=0)
    assert {name: values.shape for name, values in said.items()} == {"gender": (8, 1), "age": (8, 8)}


def test_the_strided_network_does_not_mind_exposure_and_contrast() -> None:
    model, faces = models.strided_network(GREY), images(GREY)
    dim = model.predict(0.6 * faces + 0.05, verbose=0)
    assert np.abs(dim - model.predict(faces, verbose=0)).max() < 1e-3
    # while the published network does: the test above could fail
    model = models.age_network()
    assert np.abs(model.predict(0.6 * faces + 0.05, verbose=0) - model.predict(faces, verbose=0)).max() > 1e-3


def test_an_image_without_contrast_is_no_division_by_zero() -> None:
    black_and_grey = np.stack([np.zeros((48, 48, 1)), np.full((48, 48, 1), 0.5)])
    standardised = models.strided_network(GREY).get_layer("standardise")(black_and_grey)
    assert np.abs(standardised.numpy()).max() < 0.01


def test_standardising_travels_with_the_saved_network(tmp_path: Path) -> None:
    model, faces = (
        models.strided_network(PixelContract(64, 3), ("gender", "age")),
        images(PixelContract(64, 3)),
    )
    model.save(tmp_path / "network.keras")
    said, again = (
        one.predict(faces, verbose=0) for one in (model, keras.saving.load_model(tmp_path / "network.keras"))
    )
    assert all((said[head] == again[head]).all() for head in models.HEADS)


@pytest.mark.parametrize(
    "build",
    [
        lambda: models.gender_cnn(head="pooled"),
        models.age_network,
        lambda: models.strided_network(GREY, ("gender", "age")),
    ],
)
def test_every_weight_learns(build) -> None:
    model = build()
    targets = {"gender": np.tile([[0.0], [1.0]], (4, 1)), "age": np.eye(8)}
    losses = {"gender": "binary_crossentropy", "age": "categorical_crossentropy"}
    if len(model.outputs) == 1:
        head = model.output_names[0].removeprefix("ours_")
        losses, targets = losses[head], targets[head]
    before = [weight.numpy() for weight in model.trainable_weights]
    model.compile("sgd", losses)
    model.train_on_batch(images(GREY), targets)
    after = [weight.numpy() for weight in model.trainable_weights]
    paths = [weight.path for weight in model.trainable_weights]
    assert [path for path, b, a in zip(paths, before, after, strict=True) if (b == a).all()] == []


@pytest.mark.parametrize("heads", [(), ("age", "age"), ("height",), ("gender", "hair")])
def test_heads_that_make_no_sense_are_refused(heads) -> None:
    with pytest.raises(ValueError, match="heads are some of"):
        models.strided_network(GREY, heads)


def test_the_layer_table_counts_everything_but_the_input() -> None:
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.Dropout(0.5)]
    )
    table = models.layer_table(model)
    assert table.columns.tolist() == ["layer", "kind", "output shape", "weights"]
    assert table.iloc[0].tolist() == ["first", "Dense", (3,), 15]
    assert len(table) == 2
    for build in (models.age_network, lambda: models.strided_network(GREY)):
        assert models.layer_table(build())["weights"].sum() == build().count_params()

import numpy as np
import pytest

from facelab import attribution, models, transfer
from facelab.backend import keras, tf
from facelab.pipeline import PixelContract

SMALL = PixelContract(side=32, channels=1)


def images(number: int = 3) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.1, 0.9, (number, 32, 32, 1)).astype("float32")


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """Two heads, and statistics that differ from those of a batch, as after a training."""
    keras.utils.set_random_seed(1)
    model = models.strided_network(SMALL, ("gender", "age"))
    model.compile("sgd", {"gender": "binary_crossentropy", "age": "sparse_categorical_crossentropy"})
    model.fit(images(8), {"gender": np.ones((8, 1)), "age": np.zeros(8)}, epochs=2, verbose=0)
    return model


def by_name(model: keras.Model) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy().copy() for weight in model.weights}


# ---- Occlusion ---------------------------------------------------------------------------------------------


def test_a_map_is_positive_where_what_was_covered_spoke_for_the_score() -> None:
    picture = np.zeros((1, 16, 16, 1))
    picture[0, 4:8, 8:12] = 1
    found = attribution.occlusion_map(lambda shown: shown[:, 4:8, 8:12].mean(axis=(1, 2, 3)), picture, side=4)
    assert found.shape == (1, 4, 4)
    assert np.argwhere(found[0] > 0.5).tolist() == [[1, 2]]
    assert np.allclose(np.delete(found.ravel(), 1 * 4 + 2), 0)


def test_what_covers_has_the_mean_of_the_picture() -> None:
    pictures = images(2)
    whole = pictures.mean(axis=(1, 2, 3))
    covered = attribution.occlusion_map(lambda shown: shown.mean(axis=(1, 2, 3)), pictures, side=32)
    assert np.allclose(covered, 0, atol=1e-6)
    assert not np.allclose(whole[0], whole[1], atol=1e-6)


def test_covering_leaves_the_pictures_as_they_were() -> None:
    pictures = images()
    before = pictures.copy()
    attribution.occlusion_map(lambda shown: shown.sum(axis=(1, 2, 3)), pictures)
    assert np.array_equal(before, pictures)


@pytest.mark.parametrize(("side", "stride"), [(0, 4), (33, 4), (8, 0)])
def test_a_square_that_cannot_move_over_the_picture_is_refused(side: int, stride: int) -> None:
    with pytest.raises(ValueError, match="does not move over 32×32"):
        attribution.occlusion_map(lambda shown: shown.sum(axis=(1, 2, 3)), images(), side=side, stride=stride)


def test_one_picture_without_the_axis_of_the_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="images must have the shape"):
        attribution.occlusion_map(lambda shown: shown.sum(axis=(1, 2, 3)), images()[0])


# ---- Grad-CAM ----------------------------------------------------------------------------------------------


def test_on_the_last_stage_it_is_the_heads_own_weights(network: keras.Model) -> None:
    """Behind a global average, the slope of a score is the head's weight divided by the number of places."""
    stage = keras.Model(network.inputs[0], network.get_layer("stage_3").output)
    maps = stage(images(), training=False).numpy()
    kernel = network.get_layer("age").kernel.numpy()
    found = attribution.grad_cam(network, images(), "age", unit=5, layer="stage_3")
    assert np.allclose(found, maps @ kernel[:, 5] / (maps.shape[1] * maps.shape[2]), atol=1e-6)


def test_each_picture_may_be_asked_about_a_unit_of_its_own(network: keras.Model) -> None:
    together = attribution.grad_cam(network, images(), "age", unit=[0, 7, 3])
    for place, unit in enumerate([0, 7, 3]):
        alone = attribution.grad_cam(network, images()[place : place + 1], "age", unit=unit)
        assert np.allclose(together[place], alone[0], atol=1e-6)


def test_it_is_as_fine_as_the_layer(network: keras.Model) -> None:
    assert attribution.grad_cam(network, images(), "gender").shape == (3, 4, 4)
    assert attribution.grad_cam(network, images(), "gender", layer="stage_1").shape == (3, 8, 8)


def test_it_uses_the_score_before_the_sigmoid(network: keras.Model) -> None:
    """A head that is sure has a sigmoid without slope; its score has one all the same."""
    sure = keras.models.clone_model(network)
    sure.set_weights(network.get_weights())
    head = sure.get_layer("gender")
    head.set_weights([head.kernel.numpy(), head.bias.numpy() + 200])
    assert np.all(sure(images())["gender"] == 1)
    expected = attribution.grad_cam(network, images(), "gender")
    assert np.abs(expected).max() > 0
    assert np.allclose(attribution.grad_cam(sure, images(), "gender"), expected, atol=1e-6)


def test_the_network_is_not_changed(network: keras.Model) -> None:
    before = by_name(network)
    attribution.grad_cam(network, images(), "gender")
    assert all(np.array_equal(before[name], weight) for name, weight in by_name(network).items())


def test_a_frozen_network_has_maps_too(network: keras.Model) -> None:
    expected = attribution.grad_cam(network, images(), "gender")
    network.trainable = False
    try:
        found = attribution.grad_cam(network, images(), "gender")
    finally:
        network.trainable = True
    assert np.allclose(found, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "height"}, "No such layer: height"),
        ({"head": "age", "layer": "stage_9"}, "no layer 'stage_9'; the last one with maps is 'stage_3'"),
        ({"head": "stage_1"}, "no dense layer"),
        ({"head": "age", "layer": "global_pool"}, "no maps with places"),
        ({"head": "age", "unit": 8}, "units 0 to 7"),
        ({"head": "gender", "unit": -1}, "units 0 to 0"),
    ],
)
def test_what_has_no_map_is_refused(network: keras.Model, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attribution.grad_cam(network, images(), **options)


def in_precision(policy: str, network: keras.Model) -> keras.Model:
    """Return the same network with the same weights, computing in another precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = models.strided_network(SMALL, ("gender", "age"))
    finally:
        keras.config.set_dtype_policy(before)
    model.set_weights(network.get_weights())
    return model


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
@pytest.mark.parametrize("layer", ["stage_1", "stage_2", "stage_3"])
def test_in_another_precision_it_is_the_same_map(policy: str, layer: str, network: keras.Model) -> None:
    exact = attribution.grad_cam(network, images(), "age", unit=3, layer=layer)
    found = attribution.grad_cam(in_precision(policy, network), images(), "age", unit=3, layer=layer)
    assert found.dtype == "float32"
    step = {"mixed_float16": 2**-10, "mixed_bfloat16": 2**-7, "float64": 2**-20}[policy]
    assert np.abs(found - exact).max() < 60 * step * np.abs(exact).max()


def test_half_precision_loses_no_small_slopes(network: keras.Model) -> None:
    half = in_precision("mixed_float16", network)
    head = half.get_layer("gender")
    whole = attribution.grad_cam(half, images(), "gender", layer="stage_1")
    head.set_weights([head.kernel.numpy() / 2**8, head.bias.numpy()])
    faint = attribution.grad_cam(half, images(), "gender", layer="stage_1")
    assert np.allclose(faint * 2**8, whole, atol=0.01 * np.abs(whole).max())


def around(network: keras.Model, how: str) -> keras.Model:
    """Put a network, cut off before its heads, into another one, with one of its heads behind it."""
    backbone = transfer.cut(network)
    if how == "transfer":
        model = transfer.transfer_network(backbone, ("gender",))
    elif how == "sequential":
        model = keras.Sequential([keras.Input((32, 32, 1)), backbone, keras.layers.Dense(1, name="gender")])
    else:  # two deep, and something with weights that are not those of a new layer around it
        pixels = keras.Input((32, 32, 1))
        bent = keras.layers.Normalization(mean=0.0, variance=1.0)(pixels)
        inner = keras.Model(pixels, backbone(bent), name="inner")
        outer = keras.Input((32, 32, 1))
        same = keras.layers.Dense(192, kernel_initializer="identity", name="same")
        x = same(inner(outer, training=False))
        same.kernel.assign(2 * np.eye(192))
        model = keras.Model(outer, keras.layers.Dense(1, name="gender")(x))
    head = network.get_layer("gender")
    model.get_layer("gender").set_weights(head.get_weights())
    return model


@pytest.mark.parametrize(("how", "times"), [("transfer", 1), ("sequential", 1), ("deep", 2)])
def test_a_layer_inside_of_a_network_in_the_network_has_maps(
    how: str, times: float, network: keras.Model
) -> None:
    model = around(network, how)
    before = [weight.copy() for weight in model.get_weights()]
    answers = model.predict(images(), verbose=0)
    for layer in ("stage_1", "stage_2", "stage_3"):
        expected = times * attribution.grad_cam(network, images(), "gender", layer=layer)
        found = attribution.grad_cam(model, images(), "gender", layer=layer)
        assert np.allclose(found, expected, atol=1e-6)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert np.array_equal(answers, model.predict(images(), verbose=0))


def test_where_a_network_in_the_network_gives_no_maps_its_last_maps_are_named(network: keras.Model) -> None:
    model = around(network, "transfer")
    with pytest.raises(ValueError, match="backbone gives no maps with places"):
        attribution.grad_cam(model, images(), "gender", layer="backbone")
    with pytest.raises(ValueError, match=r"no layer 'stage_9'; the last one with maps is 'stage_3'"):
        attribution.grad_cam(model, images(), "gender", layer="stage_9")


def test_two_networks_in_a_network_with_layers_of_one_name_are_refused(network: keras.Model) -> None:
    left, right = transfer.cut(network), transfer.cut(network)
    right.name = "other"
    pixels = keras.Input((32, 32, 1))
    both = keras.layers.Add()([left(pixels), right(pixels)])
    model = keras.Model(pixels, keras.layers.Dense(1, name="gender")(both))
    with pytest.raises(ValueError, match="2 layers 'stage_2'"):
        attribution.grad_cam(model, images(), "gender")


def test_a_head_without_a_bias_has_maps_too(network: keras.Model) -> None:
    features = network.get_layer("global_pool").output
    head = keras.layers.Dense(1, use_bias=False, name="gender")
    model = keras.Model(network.inputs[0], head(features))
    head.set_weights(network.get_layer("gender").get_weights()[:1])
    found = attribution.grad_cam(model, images(), "gender")
    assert np.allclose(found, attribution.grad_cam(network, images(), "gender"), atol=1e-6)


# ---- Randomised weights ------------------------------------------------------------------------------------


def test_the_named_layers_are_new_and_the_others_as_learned(network: keras.Model) -> None:
    copy = attribution.reinitialise(network, ["age", "stage_3"], seed=1)
    before, after = by_name(network), by_name(copy)
    for name, weight in after.items():
        new = name.startswith(("age", "stage_3"))
        start_as_before = np.array_equal(before[name], weight)
        assert start_as_before != new, name


def test_the_original_is_not_touched(network: keras.Model) -> None:
    before = by_name(network)
    attribution.reinitialise(network, ["stem", "stage", "gender", "age"], seed=1)
    assert all(np.array_equal(before[name], weight) for name, weight in by_name(network).items())


def test_a_seed_gives_the_same_weights_and_another_seed_others(network: keras.Model) -> None:
    one, same, other = (attribution.reinitialise(network, ["gender"], seed) for seed in (1, 1, 2))
    kernels = [model.get_layer("gender").kernel.numpy() for model in (one, same, other)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_no_global_random_state_is_used(network: keras.Model) -> None:
    keras.utils.set_random_seed(5)
    expected = tf.random.uniform([3]).numpy(), np.random.uniform(size=3)  # noqa: NPY002  (the global one)
    keras.utils.set_random_seed(5)
    one = attribution.reinitialise(network, ["gender"], seed=1).get_layer("gender").kernel.numpy()
    keras.utils.set_random_seed(6)
    assert np.array_equal(
        one, attribution.reinitialise(network, ["gender"], 1).get_layer("gender").kernel.numpy()
    )
    keras.utils.set_random_seed(5)
    assert np.array_equal(expected[1], np.random.uniform(size=3))  # noqa: NPY002


def test_a_layer_that_is_not_there_is_refused(network: keras.Model) -> None:
    with pytest.raises(ValueError, match="begins with 'stage_9'"):
        attribution.reinitialise(network, ["age", "stage_9"], seed=1)


def test_layers_of_a_network_in_the_network_are_made_new_by_their_own_names(network: keras.Model) -> None:
    model = around(network, "transfer")
    copy = attribution.reinitialise(model, ["stage_3"], seed=1)
    before, after = by_name(model.get_layer("backbone")), by_name(copy.get_layer("backbone"))
    for name, weight in after.items():
        assert np.array_equal(before[name], weight) != name.startswith("stage_3"), name
    head, same = model.get_layer("gender"), copy.get_layer("gender")
    assert all(map(np.array_equal, head.get_weights(), same.get_weights()))
    plain = attribution.reinitialise(network, ["stage_3"], seed=1)
    assert np.array_equal(
        plain.get_layer("stage_3_strided").kernel.numpy(),
        copy.get_layer("backbone").get_layer("stage_3_strided").kernel.numpy(),
    )
    whole = attribution.reinitialise(model, ["backbone"], seed=1)
    found = by_name(whole.get_layer("backbone"))
    assert not any(np.array_equal(before[name], found[name]) for name in found if name.endswith("kernel"))

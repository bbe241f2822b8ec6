"""What tells a network of the groups' order: by hand, against Keras, and through an interruption."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facelab import adience, evaluation, models, ordinal, pipeline, training
from facelab.backend import keras, layers, set_seed, tf

CONTRACT = pipeline.PixelContract(16, 1)
LOGITS = arrays("float32", (4, 7), elements=st.floats(-30, 30, width=32))


def table(*groups: int) -> pd.DataFrame:
    labels = pd.Categorical([adience.AGE_GROUPS[group] for group in groups], adience.AGE_GROUPS, ordered=True)
    return pd.DataFrame({"age_group": labels})


def test_label_smoothing_is_that_of_keras():
    true, said = table(0, 3, 7), np.random.default_rng(0).dirichlet(np.ones(8), 3).astype("float32")
    target = ordinal.smoothed_age_target(true)
    assert target.dtype == np.float32
    assert target[0].tolist() == pytest.approx([0.9 + 0.1 / 8, *[0.1 / 8] * 7])
    one_hot = np.eye(8, dtype="float32")[[0, 3, 7]]
    theirs = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)(one_hot, said)
    assert float(keras.losses.CategoricalCrossentropy()(target, said)) == pytest.approx(float(theirs))
    np.testing.assert_array_equal(ordinal.smoothed_age_target(true, 0), one_hot)
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"not {wrong}"):
            ordinal.smoothed_age_target(true, wrong)


def test_targets_by_hand():
    levels = ordinal.age_levels(table(0, 2, 7))
    assert levels.tolist() == [[0] * 7, [1, 1, 0, 0, 0, 0, 0], [1] * 7]
    assert levels.dtype == np.float32
    assert ordinal.group_number(table(0, 2, 7)).tolist() == [[0], [2], [7]]


@pytest.mark.parametrize("target", [ordinal.smoothed_age_target, ordinal.age_levels, ordinal.group_number])
def test_a_missing_label_is_refused(target):
    missing = pd.DataFrame({"age_group": pd.Categorical([None], adience.AGE_GROUPS)})
    with pytest.raises(adience.DataSetError, match="1 of 1 rows have no age_group"):
        target(missing)


def test_the_coral_loss_by_hand():
    levels = np.array([[1, 1, 0, 0, 0, 0, 0]], "float32")
    logits = np.array([[2, 0, -1, 0, -3, 0, 1]], "float32")
    right = np.where(levels == 1, logits, -logits)  # the logit of the right answer to each question
    costs = np.log1p(np.exp(-right)).sum(axis=1)
    assert ordinal.coral_loss(levels, logits).numpy() == pytest.approx(costs, rel=1e-5)


def test_the_mean_variance_loss_by_hand():
    true = np.eye(8, dtype="float32")[[2, 4]]
    said = np.zeros((2, 8), "float32")
    said[0, [2, 3]] = 0.5  # a mean of 2.5 and a variance of 0.25
    said[1, [4, 0]] = 0.75, 0.25  # a mean of 3 and a variance of 3
    by_hand = [
        -np.log(0.5) + 0.2 * 0.5**2 / 2 + 0.05 * 0.25,
        -np.log(0.75) + 0.2 * 1**2 / 2 + 0.05 * 3,
    ]
    assert ordinal.mean_variance_loss(true, said).numpy() == pytest.approx(by_hand, rel=1e-5)


def test_level_probabilities_by_hand():
    odds = np.log([[9.0, 4.0, 1.5, 1.0, 0.25, 0.1, 0.01]])  # probabilities of odds / (1 + odds)
    above = np.array([1, 0.9, 0.8, 0.6, 0.5, 0.2, 0.1 / 1.1, 0.01 / 1.01, 0])
    assert ordinal.level_probabilities(odds)[0] == pytest.approx(above[:-1] - above[1:])


@given(LOGITS)
def test_levels_become_distributions_and_their_cumulative_probabilities_never_increase(logits):
    said = ordinal.level_probabilities(logits)
    assert (said >= 0).all()
    assert said.sum(axis=1) == pytest.approx(np.ones(4))
    above = 1 - np.cumsum(said, axis=1)[:, :-1]
    assert (np.diff(above, axis=1) <= 1e-12).all()
    in_order = -np.sort(-logits, axis=1)
    assert 1 - np.cumsum(ordinal.level_probabilities(in_order), axis=1)[:, :-1] == pytest.approx(
        1 / (1 + np.exp(-in_order.astype("float64"))), abs=1e-9
    )


@given(arrays("float32", (5, 1), elements=st.floats(-3, 10, width=32)))
def test_a_place_becomes_the_narrowest_distribution_with_this_mean(place):
    said = ordinal.place_probabilities(place)
    within = np.clip(place[:, 0].astype("float64"), 0, 7)
    assert said.sum(axis=1) == pytest.approx(np.ones(5))
    assert evaluation.expected_group(said) == pytest.approx(within)
    assert ((said > 0).sum(axis=1) <= 2).all()
    assert (abs(evaluation.decide(said) - within) <= 0.5 + 1e-6).all()


def test_the_coral_head_has_one_score_and_a_bias_for_each_level():
    features = keras.Input((5,))
    head = keras.Model(features, ordinal.coral_head(features))
    assert [tuple(weight.shape) for weight in head.weights] == [(5, 1), (7,)]
    assert head.weights[1].numpy().tolist() == [3, 2, 1, 0, -1, -2, -3]
    faces = np.random.default_rng(0).normal(size=(20, 5)).astype("float32")
    logits = head.predict(faces, verbose=0)
    np.testing.assert_allclose(logits - logits[:, :1], np.arange(0, -7, -1)[None].repeat(20, 0), atol=1e-5)
    assert (np.diff(logits, axis=1) < 0).all()


def test_the_regression_begins_in_the_middle():
    features = keras.Input((5,))
    head = keras.Model(features, ordinal.regression_head(features))
    assert head.predict(np.zeros((1, 5)), verbose=0).tolist() == [[3.5]]


@pytest.mark.parametrize("head", [ordinal.coral_head, ordinal.regression_head])
def test_another_head_stands_on_the_same_network(head):
    network = models.strided_network(CONTRACT, filters=(2, 2, 2, 2))
    model = ordinal.with_head(network, head)
    assert [layer.name for layer in network.layers[:-1]] == [
        layer.name for layer in model.layers if layer.name not in ("age", "score")
    ]
    assert model.get_layer("stem") is network.get_layer("stem")
    assert "dropout" in [layer.name for layer in model.layers]


@pytest.mark.parametrize("head", [ordinal.coral_head, ordinal.regression_head])
def test_a_network_is_written_and_read_and_answers_the_same(head, tmp_path):
    model = ordinal.with_head(models.strided_network(CONTRACT, filters=(2, 2, 2, 2)), head)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    images = np.random.default_rng(0).uniform(size=(3, 16, 16, 1)).astype("float32")
    np.testing.assert_array_equal(again.predict(images, verbose=0), model.predict(images, verbose=0))


@pytest.mark.parametrize(
    ("head", "target", "loss"),
    [
        (ordinal.coral_head, ordinal.age_levels, ordinal.coral_loss),
        (
            lambda features: models.add_heads(features, ("age",)),
            lambda faces: pipeline.soft_age_target(faces, 0),
            ordinal.mean_variance_loss,
        ),
    ],
    ids=["CORAL", "mean-variance"],
)
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    head, target, loss, five_folds, make_data_set, tmp_path
):
    folder = make_data_set(five_folds)
    faces = adience.usable(adience.read_folds(folder), ("age_group", "path"))

    def trained(epochs: int, where: str) -> list[np.ndarray]:
        set_seed(0)
        images = keras.Input((16, 16, 1))
        model = keras.Model(images, head(layers.Dropout(0.5)(layers.Flatten()(images))))
        model.compile(keras.optimizers.AdamW(0.01), loss)
        batches = pipeline.TrainingBatches(faces, folder, target(faces), CONTRACT, batch_size=16)
        history = training.fit(model, batches, epochs=epochs, folder=tmp_path / where)
        assert len(history) == epochs
        return model.get_weights()

    whole = trained(2, "whole")
    first = trained(1, "halves")
    second = trained(2, "halves")
    for one, other in zip(whole, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(first, second, strict=True))


def test_every_weight_of_the_heads_gets_a_slope():
    features = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    true = table(0, 2, 3, 5, 6, 7)
    softmax, one_hot = layers.Dense(8, "softmax"), pipeline.soft_age_target(true, 0)
    for head, target, loss in (
        (ordinal.coral_head, ordinal.age_levels(true), ordinal.coral_loss),
        (softmax, one_hot, ordinal.mean_variance_loss),
    ):
        inputs = keras.Input((4,))
        model = keras.Model(inputs, head(inputs))
        with tf.GradientTape() as tape:
            cost = tf.reduce_mean(loss(target, model(features)))
        for slope in tape.gradient(cost, model.trainable_variables):
            assert (abs(slope.numpy()) > 1e-6).all()

"""Which epoch is the best."""

import subprocess
import sys

import pytest

from facelab.epochs import best_epoch


@pytest.mark.parametrize(
    ("monitor", "best"),
    [
        ("val_loss", 1),
        ("val_accuracy", 2),
        ("auc", 2),
        ("val_gender_accuracy", 2),
        ("val_acc", 2),
        ("val_AUC", 2),
        ("val_auc_1", 2),
        ("val_precision_12", 2),
        ("val_gender_f1_score", 2),
        ("val_true_negatives", 2),
        ("val_age_mae", 1),
        ("val_age_loss_3", 1),
        ("val_false_positives_1", 1),
    ],
)
def test_scores_are_best_where_they_are_greatest_and_losses_where_they_are_least(monitor, best):
    assert best_epoch([0.5, 0.2, 0.9, 0.4], monitor) == best


@pytest.mark.parametrize(
    "monitor",
    ["val_accuracy_gap", "val_roc", "inaccuracy", "lossless", "val_mean", "", "neg_mean_squared_error"],
)
def test_a_name_that_tells_nothing_is_refused_and_a_mode_tells(monitor):
    with pytest.raises(ValueError, match="does not tell whether more or less of it is better: say mode"):
        best_epoch([0.5, 0.2, 0.9], monitor)
    assert best_epoch([0.5, 0.2, 0.9], monitor, "max") == 2
    assert best_epoch([0.5, 0.2, 0.9], monitor, "min") == 1


def test_a_mode_that_is_none_is_refused():
    with pytest.raises(ValueError, match="mode is 'max' or 'min', not 'auto'"):
        best_epoch([0.5], "val_loss", "auto")


def test_what_is_no_number_is_never_the_best():
    assert best_epoch([float("nan"), 0.2, 0.9], "val_loss") == 1
    with pytest.raises(ValueError, match="is empty: without an epoch"):
        best_epoch([float("nan")], "val_loss")


def test_several_numbers_an_epoch_are_refused():
    with pytest.raises(ValueError, match="val_f1_score has several values an epoch"):
        best_epoch([[0.1, 0.2], [0.3, 0.4]], "val_f1_score")


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_of_equally_good_epochs_the_first_is_the_best(monitor):
    assert best_epoch([0.3, 0.3, 0.3], monitor) == 0


def test_without_an_epoch_there_is_no_best_one():
    with pytest.raises(ValueError, match="is empty: without an epoch"):
        best_epoch([], "val_loss")


def test_neither_rule_nor_figures_load_tensorflow():
    check = "import sys; from facelab import epochs, plots; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)

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
        ("val_accuracy_gap", 1),  # its name only begins so
        ("val_age_mae", 1),
    ],
)
def test_scores_are_best_where_they_are_greatest_and_losses_where_they_are_least(monitor, best):
    assert best_epoch([0.5, 0.2, 0.9, 0.4], monitor) == best


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_of_equally_good_epochs_the_first_is_the_best(monitor):
    assert best_epoch([0.3, 0.3, 0.3], monitor) == 0


def test_without_an_epoch_there_is_no_best_one():
    with pytest.raises(ValueError, match="empty"):
        best_epoch([], "val_loss")


def test_neither_rule_nor_figures_load_tensorflow():
    check = "import sys; from facelab import epochs, plots; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True)

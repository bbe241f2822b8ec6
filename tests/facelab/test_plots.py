"""The shared figures: what a reader sees on them, not how they are drawn."""

import itertools
import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from facelab import adience, plots


@pytest.fixture(autouse=True)
def own_style():
    """Give each test the library's own settings, and leave no figure behind."""
    with mpl.rc_context():
        plt.switch_backend("agg")
        yield
    plt.close("all")


def lightness(colour: str) -> float:
    """Luma of a colour, in [0, 1]: what is left of it in a grey print."""
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


# How dichromats see linear light: Viénot, Brettel and Mollon (1999); the third is a usual approximation.
DICHROMATS = {
    "protan": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deutan": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
    "tritan": [[1.0, 0.14461, -0.14461], [0.0, 0.85924, 0.14076], [0.0, 0.85924, 0.14076]],
}


@pytest.mark.parametrize("vision", DICHROMATS)
def test_the_colours_stay_apart_for_everybody(vision):
    linear = {colour: np.array(to_rgb(colour)) ** 2.2 for colour in plots.PALETTE}
    seen = {
        colour: np.clip(DICHROMATS[vision] @ light, 0, 1) ** (1 / 2.2) for colour, light in linear.items()
    }
    for one, other in itertools.combinations(plots.PALETTE, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 0.12, (one, other)


def test_the_genders_stay_apart_in_grey_and_every_gender_has_a_colour():
    assert tuple(plots.GENDER_COLOURS) == adience.GENDERS
    light, dark = plots.GENDER_COLOURS.values()
    assert abs(lightness(light) - lightness(dark)) > 0.25


def test_the_style_holds_for_the_figures_that_follow():
    plots.set_style()
    figure, axes = plt.subplots()
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert figure.get_size_inches()[0] == plots.WIDTH
    line = axes.plot([0, 1], [0, 1])[0]
    assert line.get_color() == to_rgb(plots.PALETTE[0])


def test_a_contact_sheet_shows_every_picture_with_its_caption_in_reading_order():
    pictures = [np.full((4, 4, 3), 50 * number, np.uint8) for number in range(5)]
    figure = plots.contact_sheet(pictures, ["a", "b", "c", "", "e"], columns=2)
    (sheet,) = figure.axes
    boxes = [image.get_extent() for image in sheet.images]
    for image, picture in zip(sheet.images, pictures, strict=True):
        np.testing.assert_array_equal(image.get_array(), picture)
    assert [text.get_text() for text in sheet.texts] == ["a", "b", "c", "", "e"]
    for text, (left, right, _, top) in zip(sheet.texts, boxes, strict=True):
        x, y = text.get_position()
        assert x == pytest.approx((left + right) / 2)
        assert 0 < y - top < 0.05  # close to its picture, and off it
    reading_order = sorted(boxes, key=lambda box: (-box[3], box[0]))
    assert boxes == reading_order
    assert len({box[3] for box in boxes}) == 3  # rows


def test_a_contact_sheet_keeps_everything_inside_and_nothing_overlaps():
    tall, broad = np.zeros((8, 4), np.uint8), np.zeros((4, 8), np.uint8)
    figure = plots.contact_sheet([tall, broad, broad, tall], ["one", "two", "", ""], columns=2)
    figure.canvas.draw()
    (sheet,) = figure.axes
    inside = figure.bbox
    windows = [image.get_window_extent() for image in sheet.images]
    windows += [text.get_window_extent() for text in sheet.texts if text.get_text()]
    for window in windows:
        assert inside.x0 <= window.x0 < window.x1 <= inside.x1
        assert inside.y0 <= window.y0 < window.y1 <= inside.y1
    for one, other in itertools.combinations(windows, 2):
        assert (
            one.x1 <= other.x0 + 1
            or other.x1 <= one.x0 + 1
            or one.y1 <= other.y0 + 1
            or other.y1 <= one.y0 + 1
        )
    assert windows[0].height == pytest.approx(2 * windows[0].width, rel=0.05)


def test_a_contact_sheet_takes_pil_images_and_shows_grey_as_it_is():
    figure = plots.contact_sheet([Image.new("L", (8, 8), 100)], ["grey"], columns=1)
    (image,) = figure.axes[0].images
    assert image.get_clim() == (0, 255)
    assert image.to_rgba(image.get_array(), bytes=True)[0, 0].tolist() == [100, 100, 100, 255]


def test_a_contact_sheet_grows_with_its_rows_and_not_in_width():
    pictures = [Image.new("RGB", (8, 8))] * 8
    one, two = (plots.contact_sheet(pictures, [""] * 8, columns=columns) for columns in (8, 4))
    assert one.get_size_inches()[0] == two.get_size_inches()[0] == plots.WIDTH
    assert two.get_size_inches()[1] > 3 * one.get_size_inches()[1]


@pytest.mark.parametrize(
    ("pictures", "captions", "columns", "words"),
    [
        (2, 1, 2, "2 pictures have 1 captions"),
        (0, 0, 2, "nothing to lay out"),
        (1, 1, 0, "nothing to lay out"),
    ],
)
def test_a_contact_sheet_refuses_what_it_cannot_lay_out(pictures, captions, columns, words):
    with pytest.raises(ValueError, match=words):
        plots.contact_sheet([Image.new("L", (2, 2))] * pictures, ["x"] * captions, columns)


# ---- Charts of training and of scores ----


def history(losses: list[float], validation: list[float]) -> pd.DataFrame:
    columns = {"epoch": range(1, len(losses) + 1), "loss": losses, "val_loss": validation}
    better = {"accuracy": [1 - loss for loss in losses], "val_accuracy": [1 - loss for loss in validation]}
    return pd.DataFrame(columns | better)


HISTORIES = {"one": history([0.9, 0.5, 0.3], [0.8, 0.6, 0.7]), "two": history([0.8, 0.7], [0.7, 0.6])}


def lines(axes) -> dict[str, list[tuple[float, float]]]:
    """The labelled lines of a chart, as their points."""
    return {
        line.get_label(): list(zip(*line.get_data(), strict=True))
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


def test_learning_curves_show_both_sets_and_mark_the_best_epoch():
    figure = plots.learning_curves(HISTORIES, ("loss", "accuracy"))
    losses_one, losses_two, accuracies_one, _ = figure.axes
    assert lines(losses_one) == {
        "training": [(1, 0.9), (2, 0.5), (3, 0.3)],
        "validation": [(1, 0.8), (2, 0.6), (3, 0.7)],
        "best epoch": [(2, 0.6)],
    }
    assert lines(accuracies_one)["best epoch"] == [(2, 0.4)]
    assert lines(losses_two)["best epoch"] == [(2, 0.6)]
    assert losses_one.get_title() == "one\nbest epoch: 2"
    assert [losses_one.get_ylabel(), accuracies_one.get_ylabel()] == ["loss", "accuracy"]
    assert losses_one.get_ylim() == losses_two.get_ylim()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation", "best epoch"]


def test_the_best_epoch_is_the_lowest_loss_or_the_highest_score():
    swapped = {"one": HISTORIES["one"].assign(val_accuracy=[0.9, 0.1, 0.5])}
    for monitor, best in (("val_loss", 2), ("val_accuracy", 1), ("accuracy", 3)):
        figure = plots.learning_curves(swapped, monitor=monitor)
        assert lines(figure.axes[0])["best epoch"][0][0] == best


def test_learning_curves_are_told_apart_without_colour():
    (axes,) = plots.learning_curves({"one": HISTORIES["one"]}).axes
    training, validation = axes.lines[:2]
    assert training.get_linestyle() != validation.get_linestyle()
    assert abs(lightness(training.get_color()) - lightness(validation.get_color())) > 0.25


def test_learning_curves_of_one_epoch_can_be_drawn():
    figure = plots.learning_curves({"short": history([0.5], [0.6])}, ("loss", "accuracy"))
    figure.canvas.draw()
    assert {float(tick) for tick in figure.axes[-1].get_xticks()} >= {1.0}


@pytest.mark.parametrize(
    ("histories", "metrics", "words"),
    [
        ({}, ("loss",), "nothing to draw: 0 histories"),
        (HISTORIES, (), "2 histories, 0 metrics"),
        (HISTORIES, ("mae",), "the history of one has no mae, val_mae; it has"),
    ],
)
def test_learning_curves_refuse_what_they_cannot_draw(histories, metrics, words):
    with pytest.raises(ValueError, match=words):
        plots.learning_curves(histories, metrics)


def relative_luminance(colour) -> float:
    """As WCAG 2 defines it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_every_count_of_a_confusion_matrix_is_readable_where_it_stands():
    matrix = np.array([[row * 1000 + column**3 for column in range(8)] for row in range(1, 9)])
    axes, _ = plots.confusion(matrix, adience.AGE_GROUPS).axes
    (image,) = axes.images
    assert len(axes.texts) == 64
    for text in axes.texts:
        column, row = text.get_position()
        assert text.get_text() == f"{matrix[row, column]:,}"
        behind, written = image.to_rgba(image.get_array())[row, column, :3], text.get_color()
        lights = sorted([relative_luminance(behind), relative_luminance(written)])
        assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5
    assert [label.get_text() for label in axes.get_yticklabels()] == list(adience.AGE_GROUPS)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "labelled")


def test_a_confusion_matrix_is_coloured_by_the_share_of_the_row():
    axes, _ = plots.confusion(np.array([[90, 10], [1, 1]]), ["f", "m"]).axes
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.9, 0.1], [0.5, 0.5]])
    shades = [lightness(tuple(axes.images[0].cmap(share)[:3])) for share in np.linspace(0, 1, 20)]
    assert shades == sorted(shades, reverse=True)  # in grey, too, darker is more


def test_a_confusion_matrix_may_have_an_empty_row():
    axes, _ = plots.confusion(np.array([[0, 0], [1, 1]]), ["f", "m"]).axes
    np.testing.assert_allclose(axes.images[0].get_array(), [[0, 0], [0.5, 0.5]])


def test_a_confusion_matrix_needs_its_labels():
    with pytest.raises(ValueError, match=r"3 labels need .*, not \(2, 2\)"):
        plots.confusion(np.eye(2), ["a", "b", "c"])


SLICES = pd.DataFrame(
    [("(0, 2)", 1200, 30, 0.8, 0.7, 0.9), ("(4, 6)", 9, 1, 0.5, np.nan, np.nan)],
    columns=["slice", "faces", "albums", "estimate", "low", "high"],
)


def test_intervals_show_each_row_from_the_top_with_what_it_rests_on():
    (axes,) = plots.intervals(SLICES, "accuracy").axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["(0, 2)\n1,200 faces, 30 albums", "(4, 6)\n9 faces, 1 album"]
    assert axes.get_xlabel() == "accuracy, with its 95 % interval"
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    bar, dot, hollow = axes.lines
    assert (list(bar.get_xdata()), list(bar.get_ydata())) == ([0.7, 0.9], [0, 0])
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (0.8, 0)
    assert (hollow.get_xdata()[0], hollow.get_ydata()[0]) == (0.5, 1)
    assert to_rgb(dot.get_markerfacecolor()) != (1, 1, 1) == to_rgb(hollow.get_markerfacecolor())


def test_intervals_of_models_need_no_counts():
    table = SLICES.drop(columns=["faces", "albums"]).rename(columns={"slice": "model"})
    (axes,) = plots.intervals(table, "accuracy").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["(0, 2)", "(4, 6)"]


@pytest.mark.parametrize(
    ("table", "words"),
    [(SLICES.drop(columns="low"), "the table has no low; it has"), (SLICES.iloc[:0], "the table is empty")],
)
def test_intervals_refuse_what_they_cannot_draw(table, words):
    with pytest.raises(ValueError, match=words):
        plots.intervals(table, "accuracy")


STRANGE = r"it costs $\frac{$ and $x_"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.contact_sheet([np.zeros((4, 4), np.uint8)], [STRANGE], columns=1),
        lambda: plots.learning_curves({STRANGE: HISTORIES["one"]}),
        lambda: plots.learning_curves(
            {"one": HISTORIES["one"].assign(**{STRANGE: 0.1, f"val_{STRANGE}": 0.2})}, (STRANGE,)
        ),
        lambda: plots.confusion(np.eye(2, dtype=int), [STRANGE, "m"]),
        lambda: plots.intervals(SLICES.assign(slice=STRANGE), STRANGE),
    ],
    ids=["caption", "network", "metric", "label", "slice"],
)
def test_what_looks_like_a_formula_in_data_is_drawn_as_it_stands(draw):
    figure = draw()
    figure.canvas.draw()  # a formula that cannot be read is an error only now
    drawn = [text.get_text() for text in figure.findobj(mpl.text.Text)]
    assert any(STRANGE.replace("_", " ") in text.replace("_", " ") for text in drawn)


def test_a_monitor_whose_name_says_nothing_needs_a_mode():
    histories = {"one": HISTORIES["one"].assign(val_roc=[0.5, 0.9, 0.7])}
    with pytest.raises(ValueError, match="'val_roc' does not tell whether more or less of it"):
        plots.learning_curves(histories, monitor="val_roc")
    for mode, best in (("max", 2), ("min", 1)):
        figure = plots.learning_curves(histories, monitor="val_roc", mode=mode)
        assert lines(figure.axes[0])["best epoch"][0][0] == best


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.learning_curves(HISTORIES, ("loss", "accuracy")),
        lambda: plots.confusion(np.eye(8, dtype=int) * 1000, adience.AGE_GROUPS),
        lambda: plots.intervals(SLICES, "accuracy"),
    ],
)
def test_the_charts_fit_the_page_and_nothing_is_cut_off(draw):
    plots.set_style()
    figure = draw()
    figure.canvas.draw()
    assert figure.get_size_inches()[0] <= plots.WIDTH
    for part in (*figure.axes, *figure.legends):
        box = part.get_tightbbox()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    written = [text for text in figure.findobj(mpl.text.Text) if text.get_text()]
    assert min(text.get_fontsize() for text in written) >= 12.9  # points: 9 pixels on a phone


# ---- What a notebook shows ---------------------------------------------------------------------------------

SHOWN = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import matplotlib
matplotlib.use("module://matplotlib_inline.backend_inline")
import io, re
import matplotlib.pyplot as plt
import numpy as np
from facelab import plots
plots.set_style()
chart, axes = plt.subplots()
axes.bar(["a", "b"], [1, 2])
sheet = plots.contact_sheet([np.zeros((48, 48))] * 2, ["one", "two"], 2)
matrix = plots.confusion(np.eye(2, dtype=int), ["f", "m"])
for figure in (chart, sheet, matrix):
    kinds, _ = shell.display_formatter.format(figure)
    print(*sorted(kind for kind in kinds if kind.startswith("image/")))
kinds = [shell.display_formatter.format(chart)[0]["image/svg+xml"] for _ in range(2)]
print(kinds[0] == kinds[1], bool(re.search("<dc:date>|Matplotlib v", kinds[0])))
"""


def test_a_notebook_shows_charts_as_svg_and_pictures_as_jpeg():
    done = subprocess.run([sys.executable, "-c", SHOWN], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["image/svg+xml", "image/jpeg", "image/svg+xml", "True False"]


# ---- A table of shares -------------------------------------------------------------------------------------


def test_every_share_is_readable_where_it_stands():
    shares = pd.DataFrame(np.linspace(0, 1, 24).reshape(3, 8), columns=list(adience.AGE_GROUPS))
    figure = plots.share_map(shares.rename_axis("fold").rename_axis(columns="age"))
    axes = figure.axes[0]
    words = [text.get_text() for text in axes.texts]
    assert words == [f"{share:.0%}" for share in shares.to_numpy().ravel()]
    image = axes.images[0]
    for text in axes.texts:
        column, row = text.get_position()
        behind = image.cmap(image.norm(image.get_array()[int(row), int(column)]))
        lights = sorted([relative_luminance(behind[:3]), relative_luminance(text.get_color())])
        assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("fold", "age")


@pytest.mark.parametrize("wrong", [pd.DataFrame(), pd.DataFrame({"a": [1.2]}), pd.DataFrame({"a": [np.nan]})])
def test_a_table_of_shares_needs_shares(wrong):
    with pytest.raises(ValueError, match="from 0 to 1"):
        plots.share_map(wrong)

"""The shared figures: what a reader sees on them, not how they are drawn."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
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
        assert text.get_position() == pytest.approx(((left + right) / 2, top))
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

"""The diagrams: every text can be read, nothing overlaps, and the numbers are the lesson's own."""

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from facelab import diagrams, evaluation, plots
from facelab.diagrams import _data, _drawing

STYLES = {"light": {}, "dark": {"text.color": "#e8e8e8", "figure.facecolor": "#121212"}}
"""The style of the lessons, and one with ink and paper exchanged, as for a dark page."""


@pytest.fixture(autouse=True)
def own_style():
    """Give each test the style of the lessons, and leave no figure behind."""
    with mpl.rc_context():
        plt.switch_backend("agg")
        plots.set_style()
        yield
    plt.close("all")


# ---- What is drawn: the lessons' numbers, and both extremes of each input --------------------------------


@cache
def model(name: str, *arguments):
    """Build one of the course's networks, once."""
    from facelab import models
    from facelab.pipeline import DEFAULT_CONTRACT

    if name == "strided_network":
        return models.strided_network(DEFAULT_CONTRACT, *arguments)
    return getattr(models, name)(*arguments)


@cache
def ways(*unfreeze_from: str | None):
    """Build a transfer network for each way."""
    from facelab import transfer

    body = model("strided_network")
    return {
        f"way {number}": transfer.transfer_network(transfer.cut(body), unfreeze_from=layer)
        for number, layer in enumerate(unfreeze_from)
    }


def table_of(albums: int, subjects: int, photographs: int) -> pd.DataFrame:
    """Make a table of photographs, the albums in turn in five folds."""
    rows = itertools.product(range(albums), range(subjects), range(photographs))
    table = pd.DataFrame(rows, columns=["user_id", "face_id", "photograph"])
    return table.assign(fold=table["user_id"] % 5)


def predictions(albums: int, seed: int = 0):
    """Labels, two networks' predictions and albums of very different sizes."""
    random = np.random.default_rng(seed)
    sizes = np.maximum(1, (400 / np.arange(1, albums + 1)).astype(int))
    album = np.repeat(np.arange(albums), sizes)
    true = random.integers(0, 2, len(album))
    first, second = (np.where(random.random(len(album)) < share, true, 1 - true) for share in (0.7, 0.8))
    return true, first, second, album


def swept(families: int, values: dict[str, list[str]]) -> pd.DataFrame:
    """Make a table of sweeps: two heads a family, the first half of the families for finding."""
    rows = [
        (factor, value, head // 2, head)
        for factor, of in values.items()
        for head in range(2 * families)
        for value in of
    ]
    table = pd.DataFrame(rows, columns=["factor", "value", "family", "identity"])
    return table.assign(half=np.where(table["family"] < families // 2, "finding", "held out"))


GLASSES = {"glasses": ["none", "thick", "sun"]}
AGES = {"age": ["1", "5", "10", "17", "28", "40", "50", "70"]}
PICTURE = [[0, 0, 1, 7, 8, 9], [0, 1, 2, 8, 9, 9], [0, 0, 1, 9, 9, 8], [1, 0, 2, 7, 9, 9], [0, 1, 1, 8, 8, 9],
           [0, 0, 2, 9, 9, 9]]  # fmt: skip
STEPS = {
    "read": "the file's bytes",
    "decode": "816 × 816 × 3 pixels, 0 to 255",
    "shrink": "48 × 48 × 1, whole numbers",
    "cache": "2,304 bytes a photograph",
    "shuffle": "another order in every epoch",
    "batch": "64 at a time",
    "scale": "decimals from 0 to 1",
    "augment": "another variation in every epoch",
    "prefetch": "one batch ahead of the network",
}
CAUSES = {
    "head": ["age", "masculinity", "fatness", "ancestry", "expression", "forty details of a person"],
    "look": ["skin", "hair style", "grey hair", "beard", "make-up", "glasses"],
    "scene": ["yaw", "pitch", "roll", "direction of the light", "height of the light"],
    "photograph": ["exposure", "blur", "noise", "quality of the JPEG"],
}
KNOWN = {"photographs": (0.97, 1.0), "subjects": (0.0, 0.91), "albums": (0.0, 0.0)}
LEAK = {"asked": 565, "siblings": 475, "neighbours": 861, "base": 1025, "added": 475}

CASES: dict[str, Callable[[], Figure]] = {
    "leak_experiment": lambda: diagrams.leak_experiment(**LEAK),
    "leak_experiment, small": lambda: diagrams.leak_experiment(
        asked=1, siblings=1, neighbours=1, base=1, added=1
    ),
    "leak_experiment, hardly a difference": lambda: diagrams.leak_experiment(
        **LEAK | {"base": 98_765, "added": 1}
    ),
    "data_set": lambda: diagrams.data_set(table_of(214, 8, 6)),
    "data_set, one photograph": lambda: diagrams.data_set(table_of(1, 1, 1)),
    "splits": lambda: diagrams.splits(KNOWN),
    "splits, all": lambda: diagrams.splits(dict.fromkeys(KNOWN, (1.0, 1.0))),
    "map_and_reduce": lambda: diagrams.map_and_reduce([3, 4], [1, 2, 3], workers=2),
    "map_and_reduce, one": lambda: diagrams.map_and_reduce([0], [1], workers=1),
    "map_and_reduce, most": lambda: diagrams.map_and_reduce(range(6), range(1000, 1006), workers=6),
    "network": lambda: diagrams.network(model("gender_cnn")),
    "network, pooled": lambda: diagrams.network(model("gender_cnn", "pooled")),
    "network, strided": lambda: diagrams.network(model("strided_network", ("gender", "age"))),
    "network, of chapter 4": lambda: diagrams.network(model("age_network")),
    "compared_networks": lambda: diagrams.compared_networks(
        {"published": model("age_network"), "strided": model("strided_network")}
    ),
    "compared_networks, turned round": lambda: diagrams.compared_networks(
        {"strided": model("strided_network"), "pooled": model("gender_cnn", "pooled")}
    ),
    "residual_stage": lambda: diagrams.residual_stage(model("strided_network")),
    "sliding_kernel": lambda: diagrams.sliding_kernel(PICTURE, [[-1, 0, 1]] * 3),
    "sliding_kernel, one place": lambda: diagrams.sliding_kernel([[1, 2], [3, 4]], [[9, -9], [-9, 1]]),
    "sliding_kernel, large": lambda: diagrams.sliding_kernel(np.full((7, 7), 10), [[1, 1], [1, 1]]),
    "receptive_field": lambda: diagrams.receptive_field(model("strided_network")),
    "receptive_field, of six sizes": lambda: diagrams.receptive_field(model("gender_cnn")),
    "receptive_field, small": lambda: diagrams.receptive_field(model("age_network")),
    "pipeline": lambda: diagrams.pipeline(STEPS),
    "pipeline, short": lambda: diagrams.pipeline({"read": "", "cache": "", "batch": ""}),
    "backbone_and_head": lambda: diagrams.backbone_and_head(ways(None, "stage_3_strided", "stem")),
    "backbone_and_head, one way": lambda: diagrams.backbone_and_head(ways("stage_2_strided")),
    "bootstrap": lambda: _bootstrap(44),
    "bootstrap, two albums": lambda: _bootstrap(2),
    "bootstrap, always right": lambda: diagrams.bootstrap([1, 1, 1], [1, 1, 1], [0, 0, 1], seed=0),
    "paired_bootstrap": lambda: _paired(44),
    "paired_bootstrap, two albums": lambda: _paired(2),
    "sweep": lambda: diagrams.sweep(swept(120, GLASSES), "glasses"),
    "sweep, of eight values": lambda: diagrams.sweep(swept(2, AGES), "age"),
    "rendering": lambda: diagrams.rendering(CAUSES),
    "rendering, without causes": lambda: diagrams.rendering(dict.fromkeys(CAUSES, ())),
    "base_rates": lambda: diagrams.base_rates(0.05, 0.921, 0.929),
    "base_rates, none": lambda: diagrams.base_rates(0.0, 1.0, 1.0),
    "base_rates, all": lambda: diagrams.base_rates(1.0, 1.0, 0.0),
}  # fmt: skip


def _bootstrap(albums: int) -> Figure:
    true, first, _, album = predictions(albums)
    return diagrams.bootstrap(true, first, album, seed=1)


def _paired(albums: int) -> Figure:
    true, first, second, album = predictions(albums)
    return diagrams.paired_bootstrap(true, {"published": first, "strided": second}, album, seed=1)


@cache
def drawn(case: str, style: str = "light") -> Figure:
    """Draw a case once for all tests that only look at it."""
    return CASES[case]()


def test_every_diagram_is_among_the_cases():
    functions = {case.split(",")[0] for case in CASES}
    assert functions == set(diagrams.__all__) - {"alt_text"}


# ---- Can it be read? -------------------------------------------------------------------------------------


def words(figure: Figure) -> str:
    """Everything that is written in a figure."""
    return "\n".join(text.get_text() for text in figure.axes[0].texts)


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Each text with the box around it, in pixels, a pixel narrower all around."""
    canvas = FigureCanvasAgg(figure)  # whatever the figure was saved as before
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [text for text in figure.axes[0].texts if text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(renderer).padded(-1)) for text in texts]


def outlines(figure: Figure):
    """Yield the lines and outlines of everything that is drawn, in pixels."""
    axes = figure.axes[0]
    for artist in (*axes.patches, *axes.lines):
        whole = artist.get_transform().transform_path(artist.get_path())
        yield from (Path(corners) for corners in whole.to_polygons(closed_only=False))


@pytest.mark.parametrize("case", CASES)
def test_no_text_overlaps_another_crosses_a_line_or_leaves_the_figure(case):
    figure = drawn(case)
    found = boxes(figure)
    page = figure.bbox
    outside = [
        text for text, box in found if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))
    ]
    assert outside == []
    pairs = itertools.combinations(found, 2)
    assert [(one, other) for (one, first), (other, second) in pairs if first.overlaps(second)] == []
    edges = list(outlines(figure))
    crossed = [text for text, box in found if any(edge.intersects_bbox(box, filled=False) for edge in edges)]
    assert crossed == []


@pytest.mark.parametrize("case", CASES)
def test_no_drawing_is_cut_off_at_the_edge(case):
    figure = drawn(case)
    FigureCanvasAgg(figure).draw()
    width, height = figure.bbox.width, figure.bbox.height
    for edge in outlines(figure):
        box = edge.get_extents()
        assert box.x0 >= -0.1, edge
        assert box.y0 >= -0.1, edge
        assert box.x1 <= width + 0.1, edge
        assert box.y1 <= height + 0.1, edge
    framed = [patch for patch in figure.axes[0].patches if patch.get_linewidth() and patch.get_edgecolor()[3]]
    for patch in framed:  # half of a frame's line lies outside of it
        box = patch.get_window_extent()
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) > 0.4, patch


@pytest.mark.parametrize("case", CASES)
def test_letters_are_large_enough_for_a_phone(case):
    figure = drawn(case)
    assert figure.get_size_inches()[0] == plots.WIDTH
    smallest = min(text.get_fontsize() for text in figure.axes[0].texts)
    on_a_phone = 326 / (72 * plots.WIDTH)  # CSS pixels a point
    assert smallest * on_a_phone >= 9
    assert {text.get_fontname() for text in figure.axes[0].texts} == {"DejaVu Sans"}


def luminance(colour) -> float:
    """Relative luminance of an opaque colour, as WCAG 2 reckons it."""
    stored = np.asarray(colour[:3])
    light = np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)
    return float(light @ (0.2126, 0.7152, 0.0722))


def below(figure: Figure, box: Bbox) -> tuple[np.ndarray, bool]:
    """The colour below the middle of a text, and whether a hatch crosses the text."""
    colour, hatched = np.array(to_rgba(figure.get_facecolor())[:3]), False
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    for patch in sorted(figure.axes[0].patches, key=lambda patch: patch.get_zorder()):
        path = patch.get_transform().transform_path(patch.get_path())
        alpha = patch.get_facecolor()[3]
        if not isinstance(patch, FancyArrowPatch) and alpha and path.contains_point(middle):
            colour = (1 - alpha) * colour + alpha * np.array(patch.get_facecolor()[:3])
        hatched |= bool(patch.get_hatch()) and path.intersects_bbox(box, filled=True)
    return colour, hatched


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", CASES)
def test_letters_stand_out_from_what_is_below_them_on_a_light_and_on_a_dark_page(case, style):
    with mpl.rc_context(STYLES[style]):
        figure = drawn(case, style)
        texts = [text for text in figure.axes[0].texts if text.get_text().strip()]
        for text, (content, box) in zip(texts, boxes(figure), strict=True):
            colour, hatched = below(figure, box)
            light, dark = sorted((luminance(colour), luminance(to_rgba(text.get_color()))), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, content
            assert not hatched, content


@pytest.mark.parametrize("case", CASES)
def test_a_diagram_is_vectors_in_ink_and_the_colours_that_have_a_meaning(case, tmp_path):
    figure = drawn(case)
    figure.savefig(tmp_path / "drawn.svg")
    assert "<image" not in (tmp_path / "drawn.svg").read_text(encoding="utf-8")
    plain = {to_rgba(mpl.rcParams["text.color"])[:3], to_rgba(mpl.rcParams["figure.facecolor"])[:3]}
    meaning = plain | {to_rgba(role.colour)[:3] for role in _drawing.ROLES.values()}
    used = {patch.get_facecolor()[:3] for patch in figure.axes[0].patches if patch.get_facecolor()[3]}
    assert used <= meaning


def test_an_svg_shows_a_hatch_in_full_strength(tmp_path):
    diagrams.splits(KNOWN).savefig(tmp_path / "drawn.svg")
    hatched = re.findall(r'style="([^"]*url\(#h[^"]*)"', (tmp_path / "drawn.svg").read_text(encoding="utf-8"))
    assert len(hatched) > 1
    assert not any("opacity" in style for style in hatched)


def test_what_means_something_else_has_another_colour():
    roles = list(_drawing.ROLES.values())
    assert len({role.colour for role in roles}) == len(roles)


def test_training_and_validation_are_coloured_as_in_the_learning_curves():
    history = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "val_loss": [2.0, 1.5]})
    lines = plots.learning_curves({"": history}).axes[0].lines
    assert _drawing.ROLES["training"].colour == lines[0].get_color()
    assert _drawing.ROLES["validation"].colour == lines[1].get_color()


def test_a_figure_can_be_saved_twice(tmp_path, recwarn):
    figure = diagrams.splits(KNOWN)
    for _ in range(2):
        figure.savefig(tmp_path / "drawn.png")
    assert [str(warning.message) for warning in recwarn] == []


def test_nothing_here_loads_tensorflow():
    code = "import sys, facelab.diagrams; print({'tensorflow', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# ---- Is it true? -----------------------------------------------------------------------------------------


def numbers(text: str) -> set[str]:
    """All numbers of a text, as they are written."""
    return set(re.findall(r"\d[\d,.]*\d|\d", text))


@pytest.mark.parametrize("case", CASES)
def test_the_alternative_text_is_there(case):
    alt = diagrams.alt_text(drawn(case))
    assert len(alt) > 60
    assert alt.endswith((".", "…"))
    assert "  " not in alt


def test_another_figure_has_no_description():
    with pytest.raises(ValueError, match="no diagram"):
        diagrams.alt_text(plt.figure())


@pytest.mark.parametrize(
    ("case", "given"),
    [
        ("leak_experiment", ["565", "475", "861", "1,025", "1,500"]),
        ("data_set", ["5", "214", "1,712", "10,272", "48", "6"]),
        ("splits", ["97 %", "100 %", "91 %", "0 %"]),
        ("network", ["360", "15,600", "31,176", "46,728", "13,439,232", "2,305", "13,535,401", "99 %"]),
        ("compared_networks", ["24 × 24", "32 numbers", "192 numbers", "1 convolution", "7 convolutions"]),
        ("residual_stage", ["convolution 3 × 3", "stride 2", "stride 1"]),
        ("sliding_kernel", ["23", "22", "4"]),
        ("receptive_field", ["48 × 48", "stem", "5", "stage 1", "17", "stage 2", "41", "stage 3", "89"]),
        ("receptive_field, of six sizes", ["3", "5", "6", "10", "14", "16"]),
        ("pipeline", list(STEPS.values())),
        ("backbone_and_head", ["1,544"]),
        ("sweep", ["240", "120", "60", "none", "thick", "sun"]),
        ("rendering", ["21", "5", "6", "4", "exposure"]),
        ("map_and_reduce", ["6 trainings", "6 checkpoints"]),
        ("base_rates", ["1,000", "50", "46", "113", "41 %", "887"]),
    ],
)  # fmt: skip
def test_drawing_and_alternative_text_have_the_numbers(case, given):
    figure = drawn(case)
    written, said = " ".join(words(figure).split()), diagrams.alt_text(figure)
    assert [text for text in given if text not in written] == []
    assert [text for text in given if text not in said] == []


@pytest.mark.parametrize("name", LEAK)
def test_another_number_of_the_experiment_changes_the_drawing_and_its_words(name):
    larger = LEAK | {"siblings": 500, "neighbours": 900} | {name: 499}
    before = diagrams.leak_experiment(**LEAK | {"siblings": 500, "neighbours": 900})
    after = diagrams.leak_experiment(**larger)
    for text in (words, diagrams.alt_text):
        assert "499" in numbers(text(after)) - numbers(text(before))


def test_a_training_set_is_divided_to_scale():
    figure = diagrams.leak_experiment(**LEAK | {"base": 300, "added": 100})
    upright = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linewidth() == 1.6]
    assert len(upright) == 3
    assert upright[0] / _drawing.BROAD == pytest.approx(0.75, abs=0.005)


def test_a_data_set_is_counted_by_fold_album_and_subject():
    table = table_of(3, 2, 2)
    table = pd.concat([table, table.tail(1)], ignore_index=True)  # one subject with a third photograph
    text = words(diagrams.data_set(table))
    lines = text.split("\n")
    row = {
        level: lines[lines.index(level) + 1 : lines.index(level) + 3]
        for level in ("folds", "albums", "subjects")
    }
    assert row == {"folds": ["3", "4 to 5"], "albums": ["3", "4 to 5"], "subjects": ["6", "2 to 3"]}


def test_the_three_cuts_of_the_example_are_what_they_are_called():
    looks = _data._EXAMPLE
    everything = {(album, place) for album in range(3) for place in range(6)}
    for name, test in _data._CUTS.items():
        assert len(test) == pytest.approx(len(everything) / 3, abs=1)
        training = everything - test
        subjects = {looks[album][place] for album, place in test} & {
            looks[album][place] for album, place in training
        }
        albums = {album for album, _ in test} & {album for album, _ in training}
        assert (bool(subjects), bool(albums)) == {
            "photographs": (True, True), "subjects": (False, True), "albums": (False, False),
        }[name]  # fmt: skip


@pytest.mark.parametrize("name", ["gender_cnn", "age_network", "strided_network"])
def test_the_areas_are_the_weights(name):
    network = model(name)
    figure = diagrams.network(network)
    ink = to_rgba(mpl.rcParams["text.color"])
    squares = [
        patch
        for patch in figure.axes[0].patches
        if isinstance(patch, Rectangle) and patch.get_facecolor() == ink
    ]
    areas = np.array([square.get_width() * square.get_height() for square in squares])
    assert all(square.get_width() == pytest.approx(square.get_height()) for square in squares)
    written = [
        int(text.replace(",", "")) for text in words(figure).split("\n") if re.fullmatch(r"[\d,]+", text)
    ]
    assert sum(written) == network.count_params()
    np.testing.assert_allclose(areas / areas.sum(), np.array(written) / sum(written), rtol=1e-6)


def test_a_kernel_answers_as_keras_does():
    from facelab.backend import keras

    random = np.random.default_rng(0)
    picture, kernel = random.integers(0, 4, (6, 6)), random.integers(0, 2, (3, 3))
    theirs = keras.ops.conv(
        picture[None, ..., None].astype("float32"), kernel[..., None, None].astype("float32")
    )
    rows = "; ".join(" ".join(f"{number:.0f}" for number in row) for row in np.array(theirs)[0, ..., 0])
    assert rows in diagrams.alt_text(diagrams.sliding_kernel(picture, kernel))


def test_frozen_and_trained_weights_are_those_of_the_networks():
    networks = ways(None, "stage_3_strided", "stem")
    text = words(diagrams.backbone_and_head(networks))
    for network in networks.values():
        trained = sum(weight.shape.num_elements() for weight in network.trainable_weights)
        assert f"{trained:,}\nof {network.count_params():,}" in text
    assert text.count("\nfrozen") == 4 + 3
    assert text.count("trained") == 3 * 5 - 7 + 1  # the parts that are not frozen, and the label of the sums


@pytest.mark.parametrize("albums", [2, 44])
def test_the_filled_area_is_the_accuracy_and_the_interval_is_the_packages(albums):
    true, first, _, album = predictions(albums)
    figure = _bootstrap(albums)
    interval = evaluation.album_bootstrap(evaluation.accuracy, true, first, album, seed=1)
    assert str(interval) in words(figure)
    assert str(interval) in diagrams.alt_text(figure)
    assert f"accuracy {interval.estimate:.3f}" in words(figure)
    blocks = [
        patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle) and not patch.get_hatch()
    ][:albums]
    filled = sum(block.get_width() * block.get_height() for block in blocks)
    assert filled / (40 * sum(block.get_width() for block in blocks)) == pytest.approx(interval.estimate)
    assert f"{albums} albums" in words(figure)


@pytest.mark.parametrize("albums", [2, 44])
def test_a_pair_is_compared_by_its_difference(albums):
    true, first, second, album = predictions(albums)
    figure = _paired(albums)
    interval = evaluation.paired_album_bootstrap(evaluation.accuracy, true, first, second, album, seed=1)
    assert str(interval) in words(figure)
    assert str(interval) in diagrams.alt_text(figure)
    scores = [float(score) for score in re.findall(r"(?:published|strided): (0\.\d{3})", words(figure))]
    differences = [
        float(score)
        for score in re.findall(
            r"difference ([+−]0\.\d{3})".replace("−", "-"), words(figure).replace("−", "-")
        )
    ]
    np.testing.assert_allclose(np.diff(np.reshape(scores, (-1, 2)))[:, 0], differences, atol=1.1e-3)
    assert len(differences) == 2  # of the test set and of one draw


@pytest.mark.parametrize("prevalence", [0.0, 0.05, 0.5, 1.0])
def test_there_are_a_thousand_faces_of_four_kinds(prevalence):
    figure = diagrams.base_rates(prevalence, 0.9, 0.8)
    legend, kinds = figure.axes[0].collections[:3], figure.axes[0].collections[3:]
    assert all(isinstance(of, PathCollection) for of in (*legend, *kinds))
    true_m, called_m_of_f = round(1000 * prevalence), round(200 * (1 - prevalence))
    hits = round(0.9 * true_m)
    assert [len(of.get_offsets()) for of in kinds] == [
        hits, called_m_of_f, true_m - hits, 1000 - true_m - called_m_of_f,
    ]  # fmt: skip


def test_a_rarer_thing_makes_the_same_answer_worth_less():
    alts = [diagrams.alt_text(diagrams.base_rates(base, 0.9, 0.9)) for base in (0.5, 0.1, 0.01)]
    assert [re.search(r"value of (\d+) %", alt).group(1) for alt in alts] == ["90", "50", "8"]


def test_pictures_of_the_lesson_stand_in_the_place_of_drawn_faces():
    pictures = [np.full((4, 4), 60 * number, np.uint8) for number in range(4)]
    for figure in (
        diagrams.rendering(CAUSES, pictures),
        diagrams.sweep(swept(4, {"hair": list("abcd")}), "hair", pictures),
    ):
        shown = [image.get_array() for image in figure.axes[0].images]
        assert all(np.array_equal(image, picture) for image, picture in zip(shown, pictures, strict=True))


# ---- What is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: diagrams.leak_experiment(**LEAK | {"asked": 0}), "asked is 0"),
        (
            lambda: diagrams.leak_experiment(**LEAK | {"added": 476}),
            "476 photographs are added, of 475 siblings",
        ),
        (lambda: diagrams.data_set(table_of(2, 1, 1).drop(columns="fold")), "no fold"),
        (lambda: diagrams.data_set(table_of(2, 1, 1).head(0)), "no photograph"),
        (lambda: diagrams.splits({"albums": (0, 0)}), "given are albums"),
        (lambda: diagrams.splits(KNOWN | {"albums": (0, 97)}), "those of albums"),
        (lambda: diagrams.compared_networks({"one": None}), "two networks"),
        (
            lambda: diagrams.compared_networks(dict.fromkeys("ab", model("gender_cnn"))),
            "a has no .* global average",
        ),
        (lambda: diagrams.sliding_kernel([[1, 2]], [[1]]), "square"),
        (lambda: diagrams.sliding_kernel([[1]], [[1, 2], [3, 4]]), "does not fit"),
        (lambda: diagrams.sliding_kernel(np.zeros((9, 9), int), np.zeros((3, 3), int)), "show a part"),
        (lambda: diagrams.sliding_kernel([[1000]], [[1]]), "show a part"),
        (lambda: diagrams.pipeline(STEPS, cache="store"), "'store' must stand between"),
        (lambda: diagrams.pipeline({"cache": "", "batch": ""}), "between two steps"),
        (lambda: diagrams.backbone_and_head({}), "not 0"),
        (lambda: diagrams.backbone_and_head({"x": model("age_network")}), "0 backbones"),
        (lambda: diagrams.paired_bootstrap([1], {"a": [1]}, ["x"], seed=0), "two networks"),
        (lambda: diagrams.bootstrap([1], [1], ["x"], seed=0), "album"),
        (lambda: diagrams.sweep(swept(4, AGES), "hair"), "no sweep of 'hair'"),
        (lambda: diagrams.sweep(swept(4, AGES).assign(half="finding"), "age"), "the halves are"),
        (lambda: diagrams.sweep(swept(4, AGES).assign(family=1), "age"), "family 1 is in both"),
        (lambda: diagrams.sweep(swept(4, AGES), "age", pictures=[]), "8 values, but 0"),
        (lambda: diagrams.sweep(swept(4, {"a": [f"a long value {n}" for n in range(9)]}), "a"), "do not fit"),
        (lambda: diagrams.rendering({"head": []}), "given are head"),
        (lambda: diagrams.rendering(CAUSES, pictures=[]), "0 pictures"),
        (lambda: diagrams.base_rates(5, 0.9, 0.9), "prevalence"),
        (lambda: diagrams.map_and_reduce([], [1], workers=1), "folds can be drawn, not 0"),
        (lambda: diagrams.map_and_reduce([0], range(7), workers=1), "seeds can be drawn, not 7"),
        (lambda: diagrams.map_and_reduce([0], [1], workers=7), "workers can be drawn, not 7"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_a_network_without_weights_or_convolutions_is_refused():
    from facelab.backend import keras, layers

    images = keras.Input((4, 4, 1))
    flat = keras.Model(images, layers.Flatten()(images), name="flat")
    with pytest.raises(ValueError, match="flat holds no weights"):
        diagrams.network(flat)
    with pytest.raises(ValueError, match="flat has no convolution"):
        diagrams.receptive_field(flat)
    with pytest.raises(ValueError, match="flat has no stage"):
        diagrams.residual_stage(flat)

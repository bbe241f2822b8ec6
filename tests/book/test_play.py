"""The page "Play": its arithmetic is Keras's, its pixels are the course's, and everybody can use it."""

from __future__ import annotations

import base64
import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import playwright
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from facelab import adience, attribution, embedded, evaluation, pipeline
from facelab.backend import keras, tf
from tests.book.test_browser import (
    NARROW,
    STICKING_OUT,
    WIDE,
    browser,  # noqa: F401 -- a fixture
    violation_of_the_theme,
    visit,  # noqa: F401 -- a fixture
)
from tools import play_networks, play_page
from tools.paths import PLAY, REPOSITORY

SCRIPTS = REPOSITORY / "book" / "_static"
GROUPS = list(adience.AGE_GROUPS)
CLOSE = 1e-3
NAMES = list(play_page.NETWORKS)
NODE = Path(playwright.__file__).parent / "driver" / "node"  # Playwright brings its own


@cache
def network(name: str) -> keras.Model:
    return play_networks.network(name)


@cache
def pictures(number: int) -> np.ndarray:
    """What the networks take of some of the sweeps' pictures, float32 in [0, 1]."""
    table = embedded.read_sweeps().sample(number, random_state=1)
    data = pipeline.batches(
        table, embedded.counterfactual_dir(), np.zeros(len(table)), play_networks.CONTRACT
    )
    return np.concatenate([images for images, _ in data])


@cache
def of_the_page() -> np.ndarray:
    """What facelab makes of each of the page's pictures."""
    table = play_page.pictures()
    data = pipeline.batches(
        table, embedded.counterfactual_dir(), np.zeros(len(table)), play_networks.CONTRACT
    )
    return np.concatenate([images for images, _ in data])


def keras_says(name: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of m, shape (n,), and of the age groups, shape (n, 8)."""
    said = network(name).predict(images, verbose=0)
    return said["gender"][:, 0], said["age"]


def layers_of(name: str, images: np.ndarray) -> dict[str, np.ndarray]:
    """Each layer's output by Keras, flat, of each picture; of the age the logits, which the page yields."""
    model = network(name)
    wanted = [
        layer
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer | keras.layers.Dropout)
    ]
    outputs = keras.Model(model.inputs, [layer.output for layer in wanted]).predict(images, verbose=0)
    found = {
        layer.name: output.reshape(len(images), -1) for layer, output in zip(wanted, outputs, strict=True)
    }
    kernel, bias = model.get_layer("age").get_weights()
    return found | {"age": found["global_pool"] @ kernel + bias}


def same_layers(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert set(found) == set(wanted)
    for layer, output in wanted.items():
        assert np.abs(found[layer] - output).max() < CLOSE * max(1, np.abs(output).max()), layer


@pytest.mark.parametrize("name", NAMES)
def test_each_layer_is_that_of_keras_on_200_faces_in_node(name, tmp_path):
    images = pictures(200)
    images.astype("<f4").tofile(tmp_path / "pictures")
    run = subprocess.run(
        [
            NODE,
            Path(__file__).with_name("play_network.js"),
            SCRIPTS / "play-network.js",
            PLAY / "networks.json",
            name,
            PLAY / f"{name}.f16",
            tmp_path / "pictures",
            tmp_path / "outputs",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    layers = json.loads(run.stdout)
    outputs = np.fromfile(tmp_path / "outputs", "<f4").reshape(len(images), -1)
    ends = np.cumsum([size for _, size in layers])
    parts = np.split(outputs, ends[:-1], axis=1)
    same_layers(
        {layer: part for (layer, _), part in zip(layers, parts, strict=True)}, layers_of(name, images)
    )


ANSWERED = "!!document.querySelector('[data-shown=\"verdict\"]')?.textContent"


@pytest.fixture
def play(visit):  # noqa: F811
    """Open the page, and wait for its first answer."""

    def opened(size=WIDE, theme="light"):
        visited = visit("book/play", size, theme)
        visited.page.wait_for_function(ANSWERED)
        return visited

    return opened


# Answers of all layers in the page itself, as numbers in base64.
FORWARD = """([name, base64]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const net = network();
  const { weights, numbers } = playData.networks[name];
  const loaded = net.load(weights, new Uint16Array(bytes(numbers)));
  const all = new Float32Array(bytes(base64));
  const size = 64 * 64 * 3;
  const found = {};
  for (let start = 0; start < all.length; start += size) {
    const picture = { shape: [64, 64, 3], values: all.subarray(start, start + size) };
    for (const [layer, { values }] of net.forward(loaded, picture)) {
      let text = "";
      const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      for (let at = 0; at < raw.length; at += 8192) {
        text += String.fromCharCode(...raw.subarray(at, at + 8192));
      }
      (found[layer] ??= []).push(btoa(text));
    }
  }
  return found;
}"""


@pytest.mark.parametrize("name", NAMES)
def test_each_layer_is_that_of_keras_on_200_faces_in_the_browser(name, play):
    page = play().page
    images = pictures(200)
    for start in range(0, 200, 50):  # what comes back is large
        some = images[start : start + 50].astype("<f4")
        found = page.evaluate(FORWARD, [name, base64.b64encode(some.tobytes()).decode()])
        outputs = {
            layer: np.array([np.frombuffer(base64.b64decode(text), "<f4") for text in texts])
            for layer, texts in found.items()
        }
        same_layers(outputs, layers_of(name, some))


def test_each_picture_becomes_the_pixels_that_facelab_makes_of_it(play):
    page = play().page
    script = """async () => {
      const { prepared } = pixels();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [96, 96];
      const context = canvas.getContext("2d");
      const all = [];
      for (const file of playData.pictures) {
        const image = new Image();
        image.src = `data:image/jpeg;base64,${file}`;
        await image.decode();
        context.drawImage(image, 0, 0);
        const raw = context.getImageData(0, 0, 96, 96).data;
        const from = (at) => raw[4 * Math.floor(at / 3) + (at % 3)];
        const values = Float32Array.from({ length: 96 * 96 * 3 }, (_, at) => from(at));
        const { values: found } = prepared({ width: 96, height: 96, values }, 64);
        all.push(btoa(String.fromCharCode(...Uint8Array.from(found, (one) => Math.round(255 * one)))));
      }
      return all;
    }"""
    found = np.array([np.frombuffer(base64.b64decode(text), np.uint8) for text in page.evaluate(script)])
    wanted = np.round(255 * of_the_page()).reshape(len(found), -1)
    off = np.abs(found.astype(float) - wanted)
    assert off.max() <= 1  # a half may be rounded either way
    assert (off == 0).mean() > 0.999


def shown(page, name: str) -> str:
    return page.locator(f'[data-shown="{name}"]').text_content().replace("\u00a0", " ")


def settled(page) -> None:
    """Wait until the page has answered the last question."""
    page.wait_for_selector(".play-face:not([data-asked])", timeout=60_000)


def bars(page) -> np.ndarray:
    """Per cent of m and of the age groups, as the page has them."""
    return np.array(
        [float(shown(page, name).split()[0]) for name in ["m", *(f"share {group}" for group in GROUPS)]]
    )


def start_of(cause: str, head: int) -> int:
    return play_page.data()["heads"][head]["start"][cause]


def at_first(cause: str, head: int) -> int:
    """Number of the picture that a cause's slider shows at first."""
    (values,) = (one["values"] for one in play_page.data()["causes"] if one["name"] == cause)
    return head * play_page.data()["perHead"] + values[start_of(cause, head)]["picture"]


@pytest.mark.parametrize(
    ("head", "cause", "key", "place"),
    [
        (0, "age", "Home", 0),
        (3, "age", "End", 7),
        (5, "masculinity", "End", 4),
        (2, "ancestry", "End", 3),
        (7, "light", "Home", 0),
        (11, "glasses", "End", 2),
        (4, "hair", "Home", 0),
    ],
)
def test_whatever_is_changed_both_networks_answer_as_in_keras(head, cause, key, place, play):
    visited = play()
    page = visited.page
    page.focus("#try-slider-head")
    for _ in range(head):
        page.keyboard.press("ArrowRight")
    page.focus(f"#try-slider-{cause}")
    page.keyboard.press(key)
    settled(page)
    value = play_page.data()["causes"][list(play_page.CAUSES).index(cause)]["values"][place]
    picture = of_the_page()[[head * play_page.data()["perHead"] + value["picture"]]]
    assert page.locator(f"#try-slider-{cause}").get_attribute("aria-valuetext") == value["words"]
    for number, name in enumerate(NAMES):
        page.get_by_role("radio", name=play_page.NETWORKS[name]).focus()
        page.keyboard.press("Space")
        settled(page)
        m, ages = keras_says(name, picture)
        assert bars(page) == pytest.approx(100 * np.array([*m, *ages[0]]), abs=0.6)
        assert GROUPS[int(ages.argmax())] in shown(page, "verdict")
        other = keras_says(NAMES[1 - number], picture)
        assert GROUPS[int(other[1].argmax())] in shown(page, "other")
    years = value["group"] if cause == "age" else play_page.data()["group"]
    assert page.locator(".play-true").text_content() == f"{GROUPS[years]} ●"
    for other_cause in set(play_page.CAUSES) - {cause}:  # one cause at a time
        assert page.locator(f"#try-slider-{other_cause}").input_value() == str(start_of(other_cause, head))
    assert visited.asked_outside == visited.complaints == []


def test_a_covered_square_and_a_broken_contract_change_what_the_network_gets(play):
    page = play().page
    before = bars(page)
    page.focus(".play-face")
    for key in ["ArrowUp", "ArrowLeft", " "]:
        page.keyboard.press(key)
    settled(page)
    assert "1 square covered" in page.locator(".play-face").get_attribute("aria-label")
    assert (bars(page) != before).any()
    page.keyboard.press(" ")  # uncovers it
    settled(page)
    assert (bars(page) == before).all()
    start = of_the_page()[[at_first("age", 0)]]
    for name, broken in {"red and blue": start[..., ::-1], "255 twice": start / 255}.items():
        box = page.get_by_role("checkbox", name=name)
        box.focus()
        page.keyboard.press("Space")
        settled(page)
        m, ages = keras_says(NAMES[0], broken)
        assert bars(page) == pytest.approx(100 * np.array([*m, *ages[0]]), abs=0.6)
        page.keyboard.press("Space")
    for name in ("squeezed", "shifted"):
        page.get_by_role("checkbox", name=name).check()
        settled(page)
        assert (bars(page) != before).any()
        page.get_by_role("checkbox", name=name).uncheck()
    settled(page)
    assert (bars(page) == before).all()


def test_the_occlusion_map_is_that_of_the_package(play):
    page = play().page
    page.get_by_role("button", name="Occlusion map").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".play-map:not([hidden])", timeout=60_000)
    cells = page.locator(".play-map span")
    found = cells.evaluate_all("(all) => all.map((one) => Number(one.dataset.fall))")
    row = play_page.pictures().iloc[at_first("age", 0)]
    with Image.open(embedded.counterfactual_dir() / row["path"]) as file:
        whole = (
            np.asarray(file, dtype="float32")[np.newaxis] / 255
        )  # the square covers this, and then it shrinks
    winner = int(keras_says(NAMES[0], small(whole))[1].argmax())
    wanted = attribution.occlusion_map(
        lambda images: keras_says(NAMES[0], small(images))[1][:, winner], whole, side=12, stride=12
    )
    assert found == pytest.approx(wanted.ravel().tolist(), abs=0.005)
    assert GROUPS[winner] in shown(page, "map")
    # What is asked next has no map yet.
    page.get_by_role("radio", name=play_page.NETWORKS[NAMES[1]]).click()
    assert not page.locator(".play-map").is_visible()
    assert shown(page, "map") == ""


def small(images: np.ndarray) -> np.ndarray:
    """Pictures of 96 pixels as the networks take them."""
    shrunk = tf.image.resize(255 * images, (64, 64), antialias=True)
    return (tf.round(shrunk) / 255).numpy()


@pytest.mark.parametrize("steps", [-20, 25])
def test_a_temperature_and_a_threshold_do_what_lesson_6_3_says(steps, play):
    page = play().page
    page.focus("#try-slider-temperature")
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowLeft" if steps < 0 else "ArrowRight")
    picture = of_the_page()[[at_first("age", 0)]]
    scaled = evaluation.temperature_scaling(keras_says(NAMES[0], picture)[1], 2 ** (steps / 20))[0]
    assert bars(page)[1:] == pytest.approx(100 * scaled, abs=0.6)
    page.focus("#try-slider-threshold")
    wanted = int(100 * scaled.max())
    for _ in range(wanted):
        page.keyboard.press("ArrowRight")
    assert shown(page, "verdict").startswith("The network answers")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert shown(page, "verdict").startswith("The network does not answer")
    network = play_page.record()["networks"][NAMES[0]]
    answered, right = (network[name][wanted + 2] for name in ("answered", "right"))
    assert f"answers for {answered:,} of 1,743 faces, and is right about {right:,}" in shown(page, "answered")


def test_a_readers_own_picture_stays_in_the_page(play, tmp_path):
    visited = play()
    page = visited.page
    face = Image.open(embedded.counterfactual_dir() / play_page.pictures()["path"][0])
    photograph = Image.new("RGB", (400, 300), (90, 110, 120))
    photograph.paste(face.resize((192, 192)), (120, 60))
    photograph.save(tmp_path / "mine.png")
    before = page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]")
    assert not page.locator("#play-file").is_visible()  # off until asked for
    page.get_by_text("Try a picture of your own").click()
    page.set_input_files("#play-file", tmp_path / "mine.png")
    page.wait_for_function(
        "document.querySelector('.play-face').getAttribute('aria-label').startsWith('Your')"
    )
    settled(page)
    first = bars(page)
    # The square onto the face: 64 % of the height is its 192 pixels; from 0 to 208 across, to 108 down.
    for part, places in {"size": 4, "across": 8, "down": 6}.items():
        page.focus(f"#try-slider-crop-{part}")
        for _ in range(places):
            page.keyboard.press("ArrowRight")
    settled(page)
    assert (bars(page) != first).any()
    m, ages = keras_says(NAMES[0], of_the_page()[[0]])
    assert bars(page) == pytest.approx(100 * np.array([*m, *ages[0]]), abs=8)  # enlarged, and back
    assert "knows nothing" in shown(page, "truth")
    assert visited.asked_outside == visited.complaints == []
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == before
    assert page.evaluate("() => indexedDB.databases().then((found) => found.length)") == 0
    page.focus("#try-slider-age")  # as the button does, a cause leads back to the rendered head
    page.keyboard.press("Home")
    settled(page)
    assert shown(page, "truth") == "● Rendered with: 1 year."
    assert page.locator(".play-face").get_attribute("aria-label").startswith("Rendered head 1: 1 year")


def test_a_file_that_is_no_picture_is_refused_in_words(play, tmp_path):
    visited = play()
    (tmp_path / "no.jpg").write_text("nothing", encoding="utf-8")
    visited.page.get_by_text("Try a picture of your own").click()
    visited.page.set_input_files("#play-file", tmp_path / "no.jpg")
    visited.page.get_by_text("cannot read that file").wait_for()
    assert visited.complaints == []


# No worker, one that may not be made, one that dies.
NO_WORKER = {
    "unknown": "delete window.Worker;",
    "refused": "window.Worker = class { constructor() { throw new Error('no'); } };",
    "dies": """const Whole = window.Worker;
      window.Worker = class extends Whole {
        constructor() { super(URL.createObjectURL(new Blob(["throw new Error('no')"]))); }
      };""",
}


@pytest.mark.parametrize("why", NO_WORKER)
def test_where_there_are_no_workers_it_answers_all_the_same(why, browser, html):  # noqa: F811
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(NO_WORKER[why])
        page.goto((html / "book" / "play.html").as_uri())
        page.wait_for_function(ANSWERED, timeout=30_000)
        m, ages = keras_says(NAMES[0], of_the_page()[[at_first("age", 0)]])
        assert bars(page) == pytest.approx(100 * np.array([*m, *ages[0]]), abs=0.6)


def test_every_key_on_every_control_leaves_a_page_that_answers(play):
    visited = play()
    page = visited.page
    page.get_by_text("Try a picture of your own").click()
    controls = page.locator("#try :is(input, button, summary, canvas[tabindex]):visible")
    names = controls.evaluate_all(
        "(all) => all.map((one) => one.labels?.[0]?.textContent || one.ariaLabel || one.textContent)"
    )
    assert all(name.strip() for name in names)
    assert len(names) > 20
    keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]
    for control in controls.all():
        if control.get_attribute("type") == "file" or control.evaluate("(one) => one.tagName") == "SUMMARY":
            continue  # keys open the system's window, or close the box; that has been opened above
        for key in [*keys, "Space"]:
            control.press(key)
    settled(page)
    assert visited.complaints == []
    assert bars(page)[1:].sum() == pytest.approx(100, abs=5)
    for slider in page.locator("#try input[type=range]").all():
        assert slider.get_attribute("aria-valuetext")


def test_what_changed_is_said_once_it_rests(play):
    page = play().page
    page.focus("#try-slider-age")
    page.keyboard.press("End")
    page.wait_for_function(
        "document.querySelector('[data-shown=\"spoken\"]').textContent.includes('70 years')"
    )
    assert "The network answers" in shown(page, "spoken")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_by_everybody_and_fits_a_phone(theme, play):
    page = play(NARROW, theme).page
    page.get_by_text("Try a picture of your own").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    assert page.evaluate(STICKING_OUT, NARROW[0]) == []
    violations = [one for one in Axe().run(page).response["violations"] if not violation_of_the_theme(one)]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []


def test_what_has_the_focus_is_not_behind_the_face(play):
    page = play().page
    for control in page.locator("#try :is(input[type=range], button):visible").all():
        control.focus()
        covered = control.evaluate("""(one) => {
          const { left, top, width, height } = one.getBoundingClientRect();
          const there = document.elementFromPoint(left + width / 2, top + height / 2);
          return !(there && (one.contains(there) || there.contains(one)));
        }""")
        assert not covered, control.get_attribute("id") or control.text_content()


def test_its_links_lead_to_lessons(play, html):
    links = (
        play()
        .page.locator("#try a, a:has-text('one file')")
        .evaluate_all("(all) => all.map((one) => one.href)")
    )
    assert len(links) >= 5
    for link in links:
        assert Path(link.removeprefix("file://")).is_file(), link


def test_without_scripts_heads_and_a_sentence_stand_there(browser, html):  # noqa: F811
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((html / "book" / "play.html").as_uri())
        still = page.locator(".try-still img")
        assert still.is_visible()
        assert len(still.get_attribute("alt")) > 80
        assert page.get_by_text("The one that moves needs JavaScript").is_visible()


def test_the_page_adds_at_most_4_megabytes(html):
    names = ["play-data", "play-network", "play-pixels", "play-engine", "try-shared", "try-play"]
    own = [html / "_static" / f"{name}.js" for name in names] + [html / "book" / "play.html"]
    assert sum(file.stat().st_size for file in own) < 4_000_000
    assert sum(file.stat().st_size for file in PLAY.iterdir()) < 3_000_000

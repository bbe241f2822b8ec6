"""The interactive pages in a browser: moved by keyboard, they show what facelab computes from the record."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from facelab import adience, evaluation
from tests.book.test_browser import (
    NARROW,
    STICKING_OUT,
    WIDE,
    browser,  # noqa: F401 -- a fixture
    violation_of_the_theme,
    visit,  # noqa: F401 -- a fixture
)
from tools import heads, try_pages

# Those with one slider; the page "Play" has tests of its own.
PAGES = [f"book/{Path(file).stem}" for name, file in try_pages.FILES.items() if name != "play"]
SLIDER = "#try-slider"


@pytest.fixture(scope="module")
def answers() -> try_pages.Answers:
    return try_pages.read()


def shown(page, name: str) -> str:
    """A text that changes, with plain spaces."""
    return page.locator(f'[data-shown="{name}"]').text_content().replace("\u00a0", " ")


def press(page, key: str, times: int) -> None:
    page.focus(SLIDER)
    for _ in range(times):
        page.keyboard.press(key)


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]


@pytest.mark.parametrize(
    ("key", "times", "threshold"), [("ArrowLeft", 0, 0.5), ("ArrowLeft", 20, 0.3), ("End", 1, 1.0)]
)
def test_at_a_threshold_both_error_rates_are_those_of_the_record(key, times, threshold, answers, visit):  # noqa: F811
    page = visit("book/try_threshold", WIDE).page
    press(page, key, times)
    assert float(shown(page, "where")) == threshold
    called_m = answers.probability >= threshold
    wrong_of = {}
    for age, here in answers.ages.items():
        for label, labelled in {"f": ~answers.is_m, "m": answers.is_m}.items():
            kind = here & labelled
            wrong = (called_m != labelled if label == "m" else called_m)[kind]
            rate = 100 * wrong.mean()
            wrong_of[label, age] = round(rate)
            assert int(shown(page, f"count {label} {age}")) == pytest.approx(rate, abs=0.5)
            text = shown(page, f"rate {label} {age}")
            assert numbers(text)[0] == pytest.approx(rate, abs=0.05)
            interval = try_pages.error_rate(wrong, answers.album[kind], seed=1)
            if np.isnan(interval.low):
                assert text.endswith("no interval")
            else:
                assert numbers(text)[1:] == pytest.approx([100 * interval.low, 100 * interval.high], abs=0.06)
            # The faces say the same: a square is labelled m, and the wrong ones are filled.
            group = page.get_by_role("group", name=age)
            assert group.locator(f".try-hundred .try-{label}.try-filled").count() == wrong_of[label, age]
    most = max(wrong_of.values())
    bear = ", and ".join(
        f"labelled {label}, {age}" for (label, age), wrong in wrong_of.items() if wrong == most
    )
    assert f"Most errors fall on faces {bear}: {most} of 100" in shown(page, "pays")


@pytest.mark.parametrize("age", ["12 or younger", "15 or older"])
@pytest.mark.parametrize("per_mille", [500, 50, 1])
def test_at_a_base_rate_faces_and_predictive_value_follow_from_the_record(per_mille, age, answers, visit):  # noqa: F811
    page = visit("book/try_base_rates", WIDE).page
    page.get_by_role("radio", name=age).focus()
    page.keyboard.press("Space")
    steps = len(try_pages.BASE_RATES) - 1 - try_pages.BASE_RATES.index(per_mille)
    press(page, "ArrowLeft", steps)
    assert shown(page, "where") == f"{per_mille / 10:g} %, {per_mille} of 1,000"
    here, called_m = answers.ages[age], answers.probability >= 0.5
    recall = called_m[here & answers.is_m].mean()
    alarm = called_m[here & ~answers.is_m].mean()
    base = per_mille / 1000
    value = base * recall / (base * recall + (1 - base) * alarm)
    assert numbers(shown(page, "worth"))[-1] == pytest.approx(100 * value, abs=0.05)
    expected = {
        ("m", "filled"): per_mille * recall,
        ("f", "filled"): (1000 - per_mille) * alarm,
        ("m", "hollow"): per_mille * (1 - recall),
        ("f", "hollow"): (1000 - per_mille) * (1 - alarm),
    }
    drawn = 0
    for (label, look), faces in expected.items():
        found = page.locator(f".try-crowd .try-{label}.try-{look}").count()
        words = f"labelled {label}, predicted {'m' if look == 'filled' else 'f'}"
        assert int(shown(page, words)) == found == pytest.approx(faces, abs=0.5)
        drawn += found
    assert drawn == 1000


@pytest.mark.parametrize("steps", [0, -16, 40, -40])
def test_at_a_temperature_the_scores_are_those_of_facelab(steps, answers, visit):  # noqa: F811
    page = visit("book/try_temperature", WIDE).page
    press(page, "ArrowLeft" if steps < 0 else "ArrowRight", abs(steps))
    temperature = 2 ** (steps / 20)
    assert shown(page, "where") == f"{temperature:.2f}"
    given = evaluation.temperature_scaling(answers.age_probability, temperature)
    right = evaluation.accuracy(answers.age, given.argmax(axis=1))
    expected = {
        "ece": evaluation.expected_calibration_error(answers.age, given),
        "loss": evaluation.log_loss(answers.age, given),
        "accuracy": 100 * right,
        "confidence": 100 * given.max(axis=1).mean(),
    }
    for name, score in expected.items():
        half = 0.0006 if score < 10 else 0.06
        assert numbers(shown(page, name))[0] == pytest.approx(score, abs=half)
    bins = evaluation.calibration_curve(answers.age, given)
    page.get_by_text("The bins as numbers").click()
    rows = [numbers(row) for row in page.locator('[data-shown="bins"] tr').all_inner_texts()]
    assert [row[2] for row in rows] == bins["faces"].tolist()
    for column, name in enumerate(["confidence", "accuracy"]):
        assert [row[column] for row in rows] == pytest.approx((100 * bins[name]).tolist(), abs=0.06)


def test_a_button_moves_to_what_was_chosen_on_the_validation_albums(answers, visit):  # noqa: F811
    chosen = answers.about["validation"]
    for name, place in (("threshold", chosen["threshold"]), ("temperature", chosen["temperature"])):
        page = visit(f"book/try_{name}", WIDE).page
        page.get_by_role("button", name="validation albums").focus()
        page.keyboard.press("Enter")
        assert shown(page, "where") == f"{place:.2f}"
    given = evaluation.temperature_scaling(answers.age_probability, place)  # not that of the nearest step
    assert numbers(shown(page, "loss"))[0] == pytest.approx(
        evaluation.log_loss(answers.age, given), abs=0.0006
    )


@pytest.mark.parametrize(
    ("cause", "key", "times"), [("age", "End", 1), ("glasses", "ArrowRight", 1), ("light", "ArrowLeft", 1)]
)
@pytest.mark.parametrize("head", [0, 2])
def test_of_a_changed_head_the_answers_are_those_of_the_record(cause, key, times, head, answers, visit):  # noqa: F811
    page = visit("book/index", WIDE).page
    for name in (cause, str(head + 1)):
        page.get_by_role("radio", name=name, exact=True).focus()
        page.keyboard.press("Space")
    press(page, key, times)
    table = heads.pictures()
    words = shown(page, "where")
    value = next(value for value, said in heads.CAUSES[cause].items() if said == words)
    chosen = (table["identity"] == heads.HEADS[head]) & (table["factor"] == cause) & (table["value"] == value)
    (place,) = np.flatnonzero(chosen)
    m, *ages = answers.about["heads"][place]
    assert int(numbers(shown(page, "m"))[0]) == pytest.approx(100 * m, abs=0.51)
    for group, share in zip(adience.AGE_GROUPS, ages, strict=True):
        assert numbers(shown(page, f"share {group}"))[0] == pytest.approx(100 * share, abs=0.51)
    assert adience.AGE_GROUPS[int(np.argmax(ages))] in shown(page, "verdict")
    lengths = page.locator(".try-share").evaluate_all(
        "(bars) => bars.map((bar) => bar.clientWidth / bar.parentElement.clientWidth)"
    )
    assert lengths == pytest.approx([m, *ages], abs=0.01)
    # The window shows this picture of the sheet.
    column, row = place % heads.COLUMNS, place // heads.COLUMNS
    position = page.locator(".try-picture").evaluate("(one) => one.style.backgroundPosition")
    assert position == f"-{192 * column}px -{192 * row}px".replace("-0px", "0px")


@pytest.mark.parametrize("name", PAGES)
def test_what_is_shown_is_also_said_once_the_slider_rests(name, visit):  # noqa: F811
    visited = visit(name, WIDE)
    page = visited.page
    said = page.locator('[data-shown="spoken"]')
    assert said.get_attribute("aria-live") == "polite"
    assert (
        page.locator(SLIDER).get_attribute("aria-valuetext")
        == page.locator('[data-shown="where"]').text_content()
    )
    press(page, "ArrowLeft", 3)
    assert said.text_content() == ""  # not on the way
    page.wait_for_function("document.querySelector('[data-shown=\"spoken\"]').textContent !== ''")
    assert numbers(shown(page, "spoken"))[0] == numbers(shown(page, "where"))[0]
    assert visited.asked_outside == visited.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_moved_figure_can_be_read_by_everybody_and_fits_a_phone(name, theme, visit):  # noqa: F811
    page = visit(name, NARROW, theme).page
    for details in page.locator(".try details").all():
        details.evaluate("(box) => { box.open = true; }")
    press(page, "ArrowLeft", 5)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    assert page.evaluate(STICKING_OUT, NARROW[0]) == []
    violations = [one for one in Axe().run(page).response["violations"] if not violation_of_the_theme(one)]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []
    faint = page.evaluate(FAINT)
    assert faint == []


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_the_still_figure_is_seen(name, browser, html):  # noqa: F811
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((html / f"{name}.html").as_uri())
        still = page.locator(".try-still img")
        assert still.is_visible()
        assert still.evaluate("(image) => image.naturalWidth") > 0
        assert len(still.get_attribute("alt")) > 80
        assert page.get_by_text("The one that moves needs JavaScript").is_visible()
        assert not page.locator("#try").is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_with_scripts_the_live_figure_takes_its_place(name, visit):  # noqa: F811
    page = visit(name, WIDE).page
    assert not page.locator(".try-still").is_visible()
    assert page.locator("#try :is(svg, .try-picture)").first.is_visible()


# Lines and faces whose colour has less than a contrast of 3 : 1 to the page, as WCAG 2 reckons it.
FAINT = """() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  const looks = '.try-face, .try-curve, .try-bar, .try-here, .try-gap, .try-fitted, .try-limit, .try-axis';
  const faint = [...document.querySelectorAll(looks)].filter((shape) => {
    const ink = light(getComputedStyle(shape).stroke);
    return (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05) < 3;
  });
  return [...new Set(faint.map((shape) => shape.getAttribute('class')))];
}"""

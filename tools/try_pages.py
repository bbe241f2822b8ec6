"""Fill the interactive pages from their records, when the book is rendered.

A page has words and, in double braces, the names of numbers: ``{{ temperature }}``. Here each name becomes a
number that is computed from ``book/answers.json`` (of the page "Play": from ``book/play/networks.json``), and
``{{ figure }}`` a still figure, the data of the live one, and its scripts. So nobody types a number, and a
browser without scripts shows the still figure.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from facelab import diagrams, evaluation, plots
from facelab.evaluation import Interval
from tools import heads, placeholders, play_page
from tools.paths import ANSWERS

THRESHOLDS = np.arange(101) / 100
"""Where the threshold of the page can stand."""

BASE_RATES = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 250, 300, 400, 500)
"""How many of a thousand faces can be labelled m."""

TEMPERATURES = 2 ** (np.arange(-40, 41) / 20)
"""Those of the page, from 1/4 to 4, evenly spaced in their logarithm."""

_FOLDER = "_try"


class Answers(NamedTuple):
    """What one network answers, face by face, and what it is."""

    album: np.ndarray
    """Int array, shape (n,)."""
    age: np.ndarray
    """The labelled age group as an index into ``adience.AGE_GROUPS``; int array, shape (n,)."""
    is_m: np.ndarray
    """Whether a face is labelled m; bool array, shape (n,)."""
    probability: np.ndarray
    """Of m; float array, shape (n,)."""
    below: np.ndarray
    """How far each age group's logit lies below the greatest, in thousandths; int array, shape (n, 8)."""
    about: dict[str, Any]
    """The rest of the record: data set, parameters, versions, and what was chosen on validation albums."""

    @property
    def age_probability(self) -> np.ndarray:
        """The probabilities of the age groups; float array, shape (n, 8)."""
        given = np.exp(-self.below / 1000)
        return given / given.sum(axis=1, keepdims=True)

    @property
    def ages(self) -> dict[str, np.ndarray]:
        """The two ages that lessons 8.1 and 8.2 compare: bool arrays, shape (n,)."""
        child = self.age <= 2  # (0, 2), (4, 6) and (8, 12)
        return {"12 or younger": child, "15 or older": ~child}


def read(path: Path = ANSWERS) -> Answers:
    """Read the record that ``tools.answers`` wrote."""
    about = json.loads(path.read_text(encoding="utf-8"))
    album, age, is_m, probability, *below = (
        np.array(column) for column in zip(*about.pop("test"), strict=True)
    )
    return Answers(album, age, is_m == 1, probability, np.transpose(below), about)


class Page(NamedTuple):
    """What a page needs besides its words."""

    numbers: dict[str, str]
    data: dict[str, Any]
    """What the live figure computes with."""
    still: Figure | Image.Image
    """What stands there where no script runs."""
    alt: str
    """What the still figure shows, in words."""
    scripts: tuple[str, ...] = ()
    """Scripts of the page that run before its own, from ``book/_static`` or ``made``."""
    made: dict[str, str] = {}  # noqa: RUF012 -- nobody changes a page
    """What else goes into ``book/_static``, by file name."""


def error_rate(wrong: np.ndarray, album: np.ndarray, seed: int) -> Interval:
    """Compute a share of wrong answers with its interval over albums.

    The interval is missing where :func:`facelab.evaluation.why_no_interval` names a reason.
    """
    if evaluation.why_no_interval(wrong, ~wrong, album):
        return Interval(float(wrong.mean()), np.nan, np.nan)
    return evaluation.mean_effect(wrong, album, seed=seed, n_resamples=evaluation.N_RESAMPLES)


def _kinds(answers: Answers) -> dict[tuple[str, str], np.ndarray]:
    """Which faces are of each age and label."""
    labels = {"f": ~answers.is_m, "m": answers.is_m}
    return {
        (age, label): here & labelled
        for age, here in answers.ages.items()
        for label, labelled in labels.items()
    }


def _wrong(answers: Answers, label: str, threshold: float) -> np.ndarray:
    """Which faces get the wrong label, if theirs is this one."""
    called_m = answers.probability >= threshold
    return called_m if label == "f" else ~called_m


def _rates(answers: Answers, threshold: float) -> dict[tuple[str, str], Interval]:
    """The error rate of each kind of face at a threshold."""
    seed = answers.about["parameters"]["seed"]
    return {
        (age, label): error_rate(_wrong(answers, label, threshold)[here], answers.album[here], seed)
        for (age, label), here in _kinds(answers).items()
    }


def threshold_page(answers: Answers) -> Page:
    """Both error rates of both ages at every threshold."""
    chosen = answers.about["validation"]["threshold"]
    at_each = [_rates(answers, threshold) for threshold in THRESHOLDS]
    data: dict[str, Any] = {"chosen": chosen, "ages": []}
    for age in answers.ages:
        kinds: dict[str, Any] = {"name": age}
        for label in "fm":
            here = _kinds(answers)[age, label]
            ends = [rates[age, label] for rates in at_each]
            kinds[label] = {
                "faces": int(here.sum()),
                "albums": len(np.unique(answers.album[here])),
                "probabilities": sorted(answers.probability[here].tolist()),
                "intervals": [
                    None if np.isnan(one.low) else [round(one.low, 4), round(one.high, 4)] for one in ends
                ],
            }
        data["ages"].append(kinds)
    child, adult = answers.ages
    half = at_each[50]
    # The highest threshold at which children labelled m are wrong no more often than adults labelled m.
    level = max(
        i for i, rates in enumerate(at_each) if rates[child, "m"].estimate <= half[adult, "m"].estimate
    )
    numbers = {
        "child_m": _of_100(half[child, "m"]),
        "child_f": _of_100(half[child, "f"]),
        "adult_m": _of_100(half[adult, "m"]),
        "adult_f": _of_100(half[adult, "f"]),
        "chosen": f"{chosen:.2f}",
        "level": f"{THRESHOLDS[level]:.2f}",
        "level_child_f": _of_100(at_each[level][child, "f"]),
    }
    for age, short in ((child, "child"), (adult, "adult")):
        for label in "fm":
            rate = at_each[round(100 * chosen)][age, label]
            numbers[f"chosen_{short}_{label}"] = f"{_whole(rate.estimate)}"
    alt = "Two error rates against the threshold, for two ages. " + " ".join(
        f"At 0.5, of 100 faces {age} labelled {label}, {_whole(half[age, label].estimate)} are wrong."
        for age, label in half
    )
    return Page(numbers, data, _draw_thresholds(answers, at_each), alt)


def _of_100(rate: Interval) -> str:
    """Write a rate as a number of faces in 100, with its interval if it has one."""
    if np.isnan(rate.low):
        return f"{_whole(rate.estimate)} (too few errors for an interval)"
    return f"{_whole(rate.estimate)} ({_whole(rate.low)}–{_whole(rate.high)})"


def _whole(share: float) -> int:
    """Round a share to a whole number of hundredths, halves upwards, as the scripts do."""
    return int(np.floor(100 * share + 0.5))


def _draw_thresholds(answers: Answers, at_each: list[dict[tuple[str, str], Interval]]) -> Figure:
    figure, panels = plt.subplots(1, 2, sharey=True)
    look = {"f": ("-", "o", "labelled f, predicted m"), "m": ("--", "s", "labelled m, predicted f")}
    for axes, age in zip(panels, answers.ages, strict=True):
        for label, (line, marker, name) in look.items():
            colour = plots.GENDER_COLOURS[label]
            rates = [rates[age, label].estimate for rates in at_each]
            axes.plot(THRESHOLDS, rates, line, color=colour, label=name)
            axes.plot(0.5, rates[50], marker, color=colour, markersize=8)
        axes.axvline(0.5, color="0.35", linewidth=1, linestyle=":")
        axes.set(title=age, xlabel="threshold for m", xlim=(0, 1), ylim=(0, 1))
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    panels[0].set_ylabel("error rate")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False)
    return figure


def predictive_value(base: float, recall: float, false_positive: float) -> float:
    """Compute the share labelled m of the faces predicted m, by Bayes' rule."""
    called = base * recall + (1 - base) * false_positive
    return base * recall / called


def base_rates_page(answers: Answers) -> Page:
    """What the answer m is worth at each base rate, with the error rates of each age."""
    rates = _rates(answers, 0.5)
    data: dict[str, Any] = {"baseRates": BASE_RATES, "ages": []}
    numbers = {}
    for age, short in zip(answers.ages, ("child", "adult"), strict=True):
        missed, alarm = rates[age, "m"], rates[age, "f"]
        recall, false_positive = 1 - missed.estimate, alarm.estimate
        data["ages"].append({"name": age, "recall": recall, "falsePositive": false_positive})
        numbers[f"{short}_recall"] = _percent(Interval(recall, 1 - missed.high, 1 - missed.low))
        numbers[f"{short}_false_positive"] = _percent(alarm)
        for per_mille in (500, 50, 10):
            worth = predictive_value(per_mille / 1000, recall, false_positive)
            numbers[f"{short}_{per_mille}"] = f"{_whole(worth)} %"
        coin = false_positive / (recall + false_positive)
        numbers[f"{short}_coin"] = f"{100 * coin:.1f} %"
    child = data["ages"][0]
    numbers |= {
        "child_share": f"{_whole(child['recall'])} %",
        "child_alarms": f"{_whole(child['falsePositive'])} %",
    }
    still = diagrams.base_rates(0.05, child["recall"], 1 - child["falsePositive"])
    return Page(numbers, data, still, f"Faces 12 or younger. {diagrams.alt_text(still)}")


def _percent(rate: Interval) -> str:
    """Write a share in per cent, with its interval if it has one."""
    if np.isnan(rate.low):
        return f"{100 * rate.estimate:.1f} % (too few errors for an interval)"
    return f"{100 * rate.estimate:.1f} % ({100 * rate.low:.1f}–{100 * rate.high:.1f})"


def temperature_page(answers: Answers) -> Page:
    """How the age probabilities' calibration changes with the temperature."""
    fitted = answers.about["validation"]["temperature"]
    given = answers.age_probability
    scaled = {t: evaluation.temperature_scaling(given, t) for t in (1, fitted)}
    drawn = evaluation.calibrated_scores(
        evaluation.expected_calibration_error,
        scaled[fitted],
        answers.album,
        album_sd=answers.about["validation"]["album_sd"],
        seed=answers.about["parameters"]["seed"],
    )
    limit = float(np.quantile(drawn, 0.95))
    bins = evaluation.calibration_curve(answers.age, given)
    above = bins["accuracy"] > bins["confidence"]
    data = {
        "labels": answers.age.tolist(),
        "below": answers.below.tolist(),
        "fitted": fitted,
        "limit": round(limit, 4),
    }
    numbers = {
        "fitted": f"{fitted:.2f}",
        "accuracy": f"{100 * evaluation.accuracy(answers.age, given.argmax(axis=1)):.1f} %",
        "confidence_1": f"{100 * given.max(axis=1).mean():.1f} %",
        "limit": f"{limit:.3f}",
        "drawn": f"{drawn.mean():.3f}",
        "best": f"{evaluation.fit_temperature(answers.age, given):.2f}",
        "least_ece": f"{_least(evaluation.expected_calibration_error, answers):.2f}",
        "above": f"{_whole(bins.loc[above, 'faces'].sum() / bins['faces'].sum())}",
        "validation_faces": f"{answers.about['validation']['faces']:,}",
        "validation_albums": f"{answers.about['validation']['albums']}",
    }
    for name, score in (("ece", evaluation.expected_calibration_error), ("loss", evaluation.log_loss)):
        numbers |= {
            f"{name}_1": f"{score(answers.age, scaled[1]):.3f}",
            f"{name}_fitted": f"{score(answers.age, scaled[fitted]):.3f}",
        }
    alt = (
        "Reliability diagram of the age probabilities, at two temperatures. At 1, the calibration error is "
        f"{numbers['ece_1']}; at {fitted:.2f}, fitted on validation albums, {numbers['ece_fitted']}."
    )
    return Page(numbers, data, _draw_reliability(answers, scaled), alt)


def _least(score: evaluation.Metric, answers: Answers) -> float:
    """Find the temperature of the page at which a score of the test faces is least."""
    found = [
        score(answers.age, evaluation.temperature_scaling(answers.age_probability, t)) for t in TEMPERATURES
    ]
    return float(TEMPERATURES[np.argmin(found)])


def _draw_reliability(answers: Answers, scaled: dict[float, np.ndarray]) -> Figure:
    figure, panels = plt.subplots(1, len(scaled), sharey=True)
    for axes, (temperature, given) in zip(panels, scaled.items(), strict=True):
        bins = evaluation.calibration_curve(answers.age, given)
        axes.plot([0, 1], [0, 1], color="0.5", linewidth=1)
        axes.plot("confidence", "accuracy", color=plots.PALETTE[0], data=bins)
        sizes = 10 + 200 * bins["faces"] / bins["faces"].sum()
        axes.scatter(bins["confidence"], bins["accuracy"], s=sizes, color=plots.PALETTE[0], clip_on=False)
        title = f"temperature {temperature:.2f}" if temperature != 1 else "temperature 1"
        axes.set(title=title, xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="confidence")
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    panels[0].set_ylabel("share that is right")
    return figure


def one_change_page(answers: Answers) -> Page:
    """What the network answers about heads of which one cause is changed."""
    alt = (
        "Three rendered heads, two rows each: at 1, 5, 10, 17, 28, 40, 50 and 70 years; without glasses, "
        "with thick frames and with sunglasses, in light from one side, from the front and from the other "
        "side, and with short and long hair."
    )
    return Page({}, heads.data(answers.about["heads"]), heads.sheet(), alt)


def play_page_of(_answers: Answers) -> Page:
    """Two networks that run in the page, and heads to ask them about."""
    alt = (
        "Twelve rendered heads, four a row, each at 1, 28 and 70 years. The live figure changes one cause of "
        "a head at a time and shows how probable two networks find the label m and each age group."
    )
    return Page(
        play_page.numbers(),
        play_page.data(),
        play_page.still(),
        alt,
        ("play-data", "play-network", "play-pixels", "play-engine"),
        {"play-data.js": play_page.script()},
    )


PAGES: dict[str, Callable[[Answers], Page]] = {
    "one_change": one_change_page,
    "play": play_page_of,
    "threshold": threshold_page,
    "base_rates": base_rates_page,
    "temperature": temperature_page,
}


_NAMED = {"one_change": "index.md", "play": "play.md"}
FILES = _NAMED | {name: f"try_{name}.md" for name in PAGES if name not in _NAMED}
"""The source of each page."""


@cache
def _page(name: str) -> tuple[Page, str, bytes]:
    """The page of this name, and its still figure: the name of its file, and what that holds."""
    plots.set_style()
    page = PAGES[name](read())
    if isinstance(page.still, Image.Image):
        file = io.BytesIO()
        page.still.save(file, "JPEG", quality=88)
        return page, f"{name}.jpg", file.getvalue()
    svg = plots.as_svg(page.still)
    plt.close(page.still)
    return page, f"{name}.svg", svg.encode()


def source(answers: Answers) -> str:
    """Say on what a page rests."""
    data, parameters = answers.about["data"], answers.about["parameters"]
    albums, effective = len(np.unique(answers.album)), evaluation.effective_albums(answers.album)
    return (
        f"*Data:* the course's rendered faces ({data['name']}), fold {parameters['fold']} as the test: "
        f"{len(answers.album):,} faces of {albums} albums, worth {effective:.1f} albums of equal size. "
        "*Network:* that of [lesson 8.1](../notebooks/08_1_slices_and_gaps.ipynb), seed "
        f"{parameters['seed']}, {parameters['steps']} batches of 64. *Record:* [its answers](answers.json), "
        f"made with TensorFlow {answers.about['versions']['tensorflow']}; every number here comes from them."
    )


def filled(text: str, name: str) -> str:
    """Put its numbers and its figure into a page.

    Parameters
    ----------
    text : str
        The page's source, Markdown.
    name : str
        One of ``PAGES``.

    Raises
    ------
    ValueError
        If the page names a number that there is not, or has no figure.
    """
    page, *_ = _page(name)
    given = {"source": source(read()), "figure": _figure(name, page)} | page.numbers
    return placeholders.filled(text, given, {"source", "figure"}, FILES[name])


def _figure(name: str, page: Page) -> str:
    data = json.dumps(page.data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    scripts = "\n".join(
        f'<script defer src="../_static/{file}.js"></script>'
        for file in ("try-shared", *page.scripts, f"try-{name.replace('_', '-')}")
    )
    return f"""\
::::{{div}} try-still
![{page.alt}]({_FOLDER}/{_page(name)[1]})

This figure stands still. The one that moves needs JavaScript, which this browser has not run.
::::

```{{raw}} html
<link rel="stylesheet" href="../_static/try.css">
<section id="try" class="try" data-page="{name}" aria-label="Live figure"></section>
<script type="application/json" id="try-data">{data}</script>
{scripts}
```"""


def fill(book: Path) -> None:
    """Fill those of the pages that are in a folder and name numbers, and put their figures beside them."""
    for name, source_file in FILES.items():
        path = book / source_file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if placeholders.names(text):
            path.write_text(filled(text, name), encoding="utf-8")
            page, file, still = _page(name)
            (book / _FOLDER).mkdir(exist_ok=True)
            (book / _FOLDER / file).write_bytes(still)
            for made, content in page.made.items():
                (book / "_static" / made).write_text(content, encoding="utf-8")

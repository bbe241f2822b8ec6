"""What the page "Play" needs besides its words: heads of the sweeps with their causes, and two networks."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from typing import Any

import pandas as pd
from PIL import Image

from facelab import adience, embedded, transfer
from facelab.cards import MODEL_CARD, fill
from tools import heads
from tools.paths import PLAY, REPOSITORY

HEADS = tuple(range(12))
"""Which heads of the sweeps are shown."""

YEARS = 28
"""How old a head is in every sweep but that of the age."""

NETWORKS = {"pretrained": "pretrained on other renders", "small": "smaller, trained from nothing"}
"""The networks by name, and how the page calls them."""

OWN = "own"
"""A head's own mix or light, where no picture of the sweep has it: that of the picture without glasses."""

CAUSES: dict[str, dict[str, str]] = {
    "age": {"1": "1 year"} | {value: f"{value} years" for value in ("5", "10", "17", "28", "40", "50", "70")},
    "masculinity": {
        "0": "0 % (f)",
        "0.25": "25 %",
        "0.5": "50 %",
        "0.75": "75 %",
        "1": "100 % (m)",
    },
    "ancestry": {OWN: "its own", "african": "African", "asian": "Asian", "caucasian": "Caucasian"},
    "light": {
        "-75": "from one side",
        OWN: "its own",
        "0": "from the front",
        "75": "from the other side",
    },
    "glasses": {"none": "none", "thick": "thick frames", "sun": "sunglasses"},
    "hair": {"buzz": "very short", "short01": "short", "long01": "long"},
}
"""What can be changed, as the sweeps name it, and each value in the slider's order, with the page's words."""

LABELS = {
    "masculinity": "Masculinity of the head's shape",
    "ancestry": "Ancestry of the head's shape and skin",
}
"""What a slider is called, if not as its cause."""


def pictures() -> pd.DataFrame:
    """Find the pictures of the page, head by head; rows of :func:`facelab.embedded.read_sweeps`."""
    return heads.find([(head, cause, value) for head in HEADS for cause, value in _places()])


def _places() -> list[tuple[str, str]]:
    """Cause and value of a head's pictures, in their order."""
    return [(cause, value) for cause, values in CAUSES.items() for value in values if value != OWN]


def _start(head: int, cause: str) -> int:
    """Where a slider stands for a head at first."""
    own = heads.sweeps().query("identity == @head and factor == 'glasses' and value == 'none'").iloc[0]
    values = list(CAUSES[cause])
    if OWN in values:
        return values.index(OWN)
    if cause == "masculinity":
        return [float(value) for value in values].index(own["masculinity"])
    return values.index({"age": str(YEARS), "glasses": "none", "hair": own["hair_style"]}[cause])


def data() -> dict[str, Any]:
    """Give what the page's scripts compute with, but for pictures and weights."""
    places = _places()
    groups = list(adience.AGE_GROUPS)

    def one(cause: str, value: str, words: str) -> dict[str, Any]:
        picture = ("glasses", "none") if value == OWN else (cause, value)
        given: dict[str, Any] = {"words": words, "picture": places.index(picture)}
        if cause == "age":
            given |= {"group": int(adience.nearest_groups(pd.Series([float(value)]))[0])}
        return given

    causes = [
        {
            "name": cause,
            "label": LABELS.get(cause, cause.capitalize()),
            "values": [one(cause, value, words) for value, words in values.items()],
        }
        for cause, values in CAUSES.items()
    ]
    return {
        "side": record()["parameters"]["side"],
        "groups": groups,
        "years": YEARS,
        "group": int(adience.nearest_groups(pd.Series([float(YEARS)]))[0]),
        "perHead": len(places),
        "causes": causes,
        "heads": [{"start": {cause: _start(head, cause) for cause in CAUSES}} for head in HEADS],
        "networks": [
            {"name": name, "words": words}
            | {key: record()["networks"][name][key] for key in ("temperature", "answered", "right")}
            for name, words in NETWORKS.items()
        ],
    }


def record() -> dict[str, Any]:
    """Read what :mod:`tools.play_networks` wrote of the two networks."""
    return json.loads((PLAY / "networks.json").read_text(encoding="utf-8"))


def weights(name: str) -> bytes:
    """Read a network's numbers, 16 bits each.

    Raises
    ------
    ValueError
        If they are not, to the byte, those of the record.
    """
    written = record()["networks"][name]
    content = (PLAY / written["file"]).read_bytes()
    if hashlib.sha256(content).hexdigest() != written["sha256"]:
        raise ValueError(f"{written['file']} is not the one of networks.json: run `make play` again")
    return content


def script() -> str:
    """Write the script that holds pictures and weights: a page opened from a file may fetch nothing."""
    folder = embedded.counterfactual_dir()
    found = {
        "networks": {
            name: {
                "weights": record()["networks"][name]["weights"],
                "numbers": _base64(weights(name)),
            }
            for name in NETWORKS
        },
        "pictures": [_base64((folder / path).read_bytes()) for path in pictures()["path"]],
    }
    return f"const playData = {json.dumps(found, separators=(',', ':'))};\n"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def still() -> Image.Image:
    """Draw what stands there without scripts: four heads a row, each at 1, 28 and 70 years."""
    wanted = pictures()
    wanted = wanted[(wanted["factor"] == "age") & wanted["value"].isin(["1", "28", "70"])]
    return heads.side_by_side(wanted["path"], 12)


def numbers() -> dict[str, str]:
    """Give the page's numbers by name, as text: each network's scores and weights, card and source."""
    program = REPOSITORY / "book" / "_static" / "play-network.js"
    lines = len(program.read_text(encoding="utf-8").splitlines())
    found = {"card": card(), "source": source(), "lines": f"{lines}"}
    for name in NETWORKS:
        network = record()["networks"][name]
        found[f"{name}_weights"] = f"{_weights(network):,}"
        for score in network["scores"]:
            if score["name"] in ("gender accuracy", "exact age accuracy"):
                written = _with_interval(score).removeprefix(f"{score['name']} ")
                found[f"{name}_{score['name'].split()[0]}"] = written
    return found


def _weights(network: dict[str, Any]) -> int:
    """Count a network's numbers."""
    return sum(math.prod(shape) for _, shape in network["weights"])


def source() -> str:
    """Say on what the page rests."""
    about = record()
    score = about["networks"]["pretrained"]["scores"][0]
    return (
        f"*Data:* the course's rendered faces ({about['data']['name']}), fold "
        f"{about['parameters']['fold']} as the test: {score['faces']:,} faces of {score['albums']} albums, "
        f"worth {score['effective_albums']:.1f} albums of equal size; one training each, seed "
        f"{about['parameters']['seed']}. *Record:* [weights and scores](play/networks.json), made by "
        f"`make play` with TensorFlow {about['versions']['tensorflow']}."
    )


def card() -> str:
    """Write the model card of the two networks, without its title and with bold words for headings."""
    about = record()
    networks, data = about["networks"], about["data"]
    scores = "\n".join(
        f"* {words}: " + ", ".join(_with_interval(score) for score in networks[name]["scores"])
        for name, words in NETWORKS.items()
    )
    hashes = " and ".join(f"`{networks[name]['sha256']}`" for name in NETWORKS)
    answers = {
        "Model details": (
            "Two strided networks with two heads (lesson 4.3), one of which begins with the backbone that "
            "comes with the course (lesson 5.1). Weights are 16-bit floats; batch normalisation is one "
            f"factor and one summand a map. SHA-256: {hashes}. CC0, as the rendered faces."
        ),
        "Intended use": (
            "To be played with on this page, and to learn how answers follow causes. Not for any decision "
            "about a person, and not to estimate anybody's age or gender."
        ),
        "Factors": "Age, masculinity, ancestry, light, glasses and hair of rendered heads, one at a time.",
        "Metrics": (
            "Accuracy of the labelled gender and of the age group, and the share at most one group off, "
            "with 95 % intervals over albums."
        ),
        "Evaluation data": (
            f"{data['test photographs']:,} rendered faces of {data['test albums']} albums that no training "
            "has seen, asked once each. No face is a photograph."
        ),
        "Training data": (
            f"{data['train photographs']:,} rendered faces of {data['train albums']} albums; the backbone "
            f"saw {transfer.rendered_record()['photographs']:,} other renders before. A temperature was "
            f"fitted on {data['validation photographs']:,} faces of {data['validation albums']} further "
            "albums."
        ),
        "Quantitative analyses": scores,
        "Ethical considerations": (
            "The labels are f and m, and eight age groups, of rendered heads. An answer about a photograph "
            "of a person says nothing about that person."
        ),
        "Caveats and recommendations": (
            "One training each: another seed gives other answers. Pictures unlike the rendered faces get "
            "confident answers, too."
        ),
    }
    _, _, sections = fill("Card", MODEL_CARD, answers).split("\n", 2)
    # They stand in a folded box, which may hold no headings.
    return re.sub(r"^## (.+)$", r"**\1**", sections, flags=re.MULTILINE)


def _with_interval(score: dict[str, Any]) -> str:
    """Write a recorded score in per cent."""
    ends = (100 * score[end] for end in ("estimate", "low", "high"))
    return "{} {:.1f} % ({:.1f}–{:.1f})".format(score["name"], *ends)

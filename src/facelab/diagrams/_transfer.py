"""A backbone and its head, and which parts of them are trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, sentence, wrapped

if TYPE_CHECKING:
    import keras


def backbone_and_head(networks: Mapping[str, keras.Model]) -> Figure:
    """Draw a backbone and its head once for each way to train them: what is frozen and what is trained.

    Parameters
    ----------
    networks : mapping from str to keras.Model
        One to three networks of the same layers, as :func:`facelab.transfer.transfer_network` makes them, by
        the name of the way.

    Returns
    -------
    Figure
        A row for each part, a column for each way, and below how many weights each way trains. End the cell
        with ``plt.show()``.

    Raises
    ------
    ValueError
        If there are no networks or more than three, one has no backbone inside, or their parts differ.

    Notes
    -----
    Used in lesson 5.1.
    """
    if not 1 <= len(networks) <= 3:
        raise ValueError(f"one to three networks fit beside each other, not {len(networks)}")
    parts = {name: _parts(name, model) for name, model in networks.items()}
    (first, *others) = parts.values()
    if any([part for part, *_ in other] != [part for part, *_ in first] for other in others):
        raise ValueError("the networks have different parts: draw those of one backbone together")
    canvas = Canvas()
    label = 120.0
    broad = min(150.0, (BROAD - label) / len(networks))
    tall, y = 40.0, 0.0
    titles = [wrapped(name, broad - 12, bold=True) for name in networks]
    lines = max(title.count("\n") + 1 for title in titles)
    for number, title in enumerate(titles):
        canvas.text(label + (number + 0.5) * broad, 9 * lines, title, align="center", bold=True)
    canvas.heading(0, 9 * lines, "backbone")
    top = 18.0 * lines + 10
    for row, (part, weights, _) in enumerate(first):
        is_head = row == len(first) - 1
        if is_head:
            y = top + row * (tall + 6) + 4
            canvas.line((0, y), (BROAD, y), dashed=True)
            canvas.heading(0, y + 18, "head")
            y += 34
        else:
            y = top + row * (tall + 6)
        canvas.text(0, y + tall / 2, f"{part}\n{weights:,}")
        for number, of in enumerate(parts.values()):
            role = "trained" if of[row][2] else "frozen"
            x = label + number * broad + 5
            canvas.box(x, y, 30, tall, role, corner=2)
            canvas.text(x + 38, y + tall / 2, role, bold=role == "trained")
    y += tall + 22
    canvas.text(0, y + 8, "weights\ntrained", bold=True)
    alt = [
        "A backbone of the parts "
        + ", ".join(part for part, *_ in first[:-1])
        + f", and a head, {first[-1][0]}."
    ]
    for number, (name, of) in enumerate(parts.items()):
        total, trained = sum(weights for _, weights, _ in of), sum(count for *_, count in of)
        canvas.text(label + (number + 0.5) * broad, y + 8, f"{trained:,}\nof {total:,}", align="center")
        frozen = [part for part, _, count in of if not count]
        alt.append(
            f"{name}: {trained:,} of {total:,} weights are trained; "
            + (f"{', '.join(frozen)} frozen." if frozen else "no part is frozen.")
        )
    return canvas.finish(y + 32, sentence(alt))


def _parts(name: str, model: Any) -> list[tuple[str, int, int]]:
    """List the parts of a network: its name, how many weights it holds, and how many of them are trained."""
    inside = [layer for layer in model.layers if hasattr(layer, "layers")]
    if len(inside) != 1:
        raise ValueError(f"the network {name!r} has {len(inside)} backbones inside; it needs one")
    found: dict[str, list[int]] = {}
    for layer in inside[0].layers:
        stage = (
            "_".join(layer.name.split("_")[:2])
            if layer.name.startswith("stage")
            else layer.name.split("_")[0]
        )
        _count(found, stage, layer)
    head: dict[str, list[int]] = {}
    for layer in model.layers:
        if layer is not inside[0]:
            _count(head, layer.name, layer)
    both = [*found.items(), *head.items()]
    return [(part, total, trained) for part, (total, trained) in both if total]


def _count(found: dict[str, list[int]], part: str, layer: Any) -> None:
    sums = found.setdefault(part, [0, 0])
    sums[0] += layer.count_params()
    sums[1] += sum(math.prod(weight.shape) for weight in layer.trainable_weights)

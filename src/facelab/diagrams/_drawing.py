"""What all diagrams are drawn with: a canvas in points, a few shapes, and colours with a fixed meaning."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, Literal, NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from facelab.plots import PALETTE, WIDTH

BROAD: Final = 72 * WIDTH
"""Width of every canvas, in points."""

TEXT: Final = 13
"""Size of the letters, in points: 9 pixels on a phone that shows the figure 326 pixels wide."""

HEADING: Final = 14
"""Size of the letters of a heading, in points."""

LINE: Final = 17
"""From one line of text to the next, in points."""

FONT: Final = "DejaVu Sans"
"""It comes with Matplotlib, so that a label is as wide on every machine as where its place was chosen."""

Align = Literal["left", "center", "right"]


class Role(NamedTuple):
    """What a colour means, in every diagram; the hatch says the same without colour."""

    colour: str
    hatch: str


# A hatch of lines: one of dots makes an SVG twice as large.
ROLES: Final = {
    "training": Role(PALETTE[1], ""),  # as in facelab.plots.learning_curves
    "validation": Role(PALETTE[0], "----"),
    "test": Role(PALETTE[2], "////"),
    "frozen": Role(PALETTE[4], "xxxx"),
    "trained": Role(PALETTE[5], ""),
    "focus": Role(PALETTE[3], ""),  # what the diagram is about
}

_TINT: Final = 0.3
"""How much of a role's colour lies over the paper: on white and on black, letters keep a contrast of 4.5."""


class Canvas:
    """A figure of the page's width, measured in points from the top left corner, downwards.

    Ink and paper are those of Matplotlib's settings when it is made, so that a dark style turns them round.
    """

    def __init__(self) -> None:
        self.ink: str = mpl.rcParams["text.color"]
        self.paper: Any = mpl.rcParams["figure.facecolor"]
        self.figure: Figure = plt.figure(figsize=(WIDTH, WIDTH))
        # Said at its making instead, "none" would be forgotten when the figure has been saved once.
        self.figure.set_layout_engine("none")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()

    def finish(self, height: float, alt: str) -> Figure:
        """Cut the canvas to its height, and write down what it shows in words."""
        self.figure.set_size_inches(WIDTH, height / 72)
        self.axes.set(xlim=(0, BROAD), ylim=(height, 0))
        self.figure.set_label(alt)
        return self.figure

    def text(
        self, x: float, y: float, words: str, *, align: Align = "left", bold: bool = False, size: float = TEXT
    ) -> None:
        """Write, with the middle of the lines at y, whatever letters hang below the base line."""
        font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
        lines = words.split("\n")
        for number, line in enumerate(lines):
            base = y + LINE * (number - (len(lines) - 1) / 2) + 0.36 * size
            look: dict[str, Any] = {"fontproperties": font, "color": self.ink, "zorder": 6}
            self.axes.text(x, base, line, ha=align, va="baseline", parse_math=False, **look)

    def heading(self, x: float, y: float, words: str, align: Align = "left") -> None:
        """Write a heading."""
        self.text(x, y, words, align=align, bold=True, size=HEADING)

    def box(
        self, left: float, top: float, width: float, height: float, role: str | None = None,
        *, line: float = 1.0, corner: float = 4.0,
    ) -> None:  # fmt: skip
        """Draw a box with round corners, filled in the colour and hatch of its role."""
        corner = min(corner, width / 2, height / 2)
        style = f"round,pad=0,rounding_size={corner}"

        def shape(**look: Any) -> FancyBboxPatch:
            return FancyBboxPatch((left, top), width, height, boxstyle=style, **look)

        self._fill(shape, role)
        look = {"facecolor": "none", "edgecolor": self.ink, "linewidth": line}
        self.axes.add_patch(shape(**look, zorder=1.5))

    def block(self, left: float, top: float, width: float, height: float, role: str | None = None) -> None:
        """Fill a rectangle whose area counts: no corner is cut, no line is added. Without a role in ink."""

        def shape(**look: Any) -> Rectangle:
            return Rectangle((left, top), width, height, **look)

        self._fill(shape, role)
        if role is None:
            self.axes.add_patch(shape(facecolor=self.ink, edgecolor="none", linewidth=0, zorder=1))

    def _fill(self, shape: Callable[..., Patch], role: str | None) -> None:
        """Fill a shape in the tint of a role; an SVG would tint a hatch as well if it were of one patch."""
        if role is None:
            return
        colour, hatch = ROLES[role]
        tint = to_rgba(colour, _TINT)
        self.axes.add_patch(shape(facecolor=tint, edgecolor="none", linewidth=0, zorder=1))
        if hatch:
            lines = {"facecolor": "none", "edgecolor": colour, "hatch": hatch, "linewidth": 0}
            self.axes.add_patch(shape(**lines, zorder=1.1))

    def line(self, *points: tuple[float, float], width: float = 1.0, dashed: bool = False) -> None:
        """Draw a line through points."""
        xs, ys = zip(*points, strict=True)
        style = (0, (3, 2)) if dashed else "-"
        self.axes.plot(xs, ys, color=self.ink, linewidth=width, linestyle=style, zorder=2)

    def arrow(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw an arrow."""
        self.axes.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle="-|>", mutation_scale=11, shrinkA=0, shrinkB=0, linewidth=1.2,
                color=self.ink, zorder=2,
            )
        )  # fmt: skip

    def bracket(self, x: float, top: float, bottom: float) -> None:
        """Draw a bracket that opens to the right."""
        self.line((x + 8, top), (x, top), (x, bottom), (x + 8, bottom))

    def face(self, x: float, y: float, size: float, look: int = 0, glasses: str = "") -> None:
        """Draw a face of nobody around a point; faces of one look are one person's.

        `glasses` are none, ``"thick"`` (wide rims) or ``"sun"`` (dark).
        """
        radius = size / 2
        thin = min(1.6, max(0.7, size / 32))
        hair: dict[str, Any] = {"facecolor": self.ink, "edgecolor": "none", "zorder": 3}
        if look % 6 == 2:  # long hair lies behind the head
            behind = FancyBboxPatch(
                (x - 1.12 * radius, y - 1.1 * radius), 2.24 * radius, 2.1 * radius,
                boxstyle=f"round,pad=0,rounding_size={radius}", **hair,
            )  # fmt: skip
            self.axes.add_patch(behind)
        head: dict[str, Any] = {
            "facecolor": self.paper,
            "edgecolor": self.ink,
            "linewidth": thin,
            "zorder": 3,
        }
        self.axes.add_patch(Circle((x, y), radius, **head))
        for patch in _hair(x, y, radius, look % 6):
            patch.set(**hair)
            self.axes.add_patch(patch)
        for side in (-1, 1):
            eye = (x + side * 0.38 * radius, y - 0.02 * radius)
            self.axes.add_patch(Circle(eye, 0.1 * radius, facecolor=self.ink, edgecolor="none", zorder=4))
            if glasses:
                rim: dict[str, Any] = {
                    "facecolor": self.ink if glasses == "sun" else "none",
                    "edgecolor": self.ink,
                }
                self.axes.add_patch(Circle(eye, 0.3 * radius, linewidth=2.2 * thin, zorder=4, **rim))
        if glasses:
            bridge = ((x - 0.08 * radius, y - 0.02 * radius), (x + 0.08 * radius, y - 0.02 * radius))
            self.line(*bridge, width=2 * thin)
        angles = np.radians(np.linspace(35, 145, 12))
        xs = x + 0.5 * radius * np.cos(angles)
        ys = y + 0.12 * radius + 0.5 * radius * np.sin(angles)
        self.axes.plot(xs, ys, color=self.ink, linewidth=thin, zorder=4)

    def photograph(
        self, left: float, top: float, side: float, look: int, role: str | None = None, glasses: str = ""
    ) -> None:
        """Draw a photograph: a square with a face."""
        self.box(left, top, side, side, role, line=0.8, corner=1.5)
        self.face(left + side / 2, top + 0.53 * side, 0.72 * side, look, glasses)

    def picture(self, left: float, top: float, side: float, image: Any) -> None:
        """Show an image, an array or a PIL image, in a square."""
        pixels = np.asarray(image)
        height, width = pixels.shape[:2]
        across, down = (side * length / max(height, width) for length in (width, height))
        left, top = left + (side - across) / 2, top + (side - down) / 2
        extent = (left, left + across, top + down, top)
        self.axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto", zorder=2)

    def sheet(self, left: float, top: float, side: float) -> None:
        """Draw a square that hides what lies behind: one map of a stack."""
        look: dict[str, Any] = {"facecolor": self.paper, "edgecolor": self.ink, "linewidth": 0.7}
        self.axes.add_patch(Rectangle((left, top), side, side, zorder=1, **look))

    def grid(self, left: float, top: float, side: float, cells: int) -> None:
        """Divide a square into so many cells each way."""
        self.box(left, top, side, side, line=0.8, corner=0)
        thin = min(0.7, 6 / cells)
        for number in range(1, cells):
            at = side * number / cells
            self.line((left + at, top), (left + at, top + side), width=thin)
            self.line((left, top + at), (left + side, top + at), width=thin)

    def frame(self, left: float, top: float, side: float) -> None:
        """Draw a square in the colour of the focus over what is there, dashed if it is large enough."""
        dashes = (0, (4, 1.5)) if side > 16 else "-"
        style: dict[str, Any] = {"facecolor": "none", "edgecolor": ROLES["focus"].colour, "linestyle": dashes}
        self.axes.add_patch(Rectangle((left, top), side, side, linewidth=2, zorder=4, **style))

    def leader(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Lead from a dot to a label, over what is there."""
        xs, ys = zip(start, end, strict=True)
        self.axes.plot(xs, ys, color=self.ink, linewidth=0.8, zorder=5)
        self.axes.plot(*start, "o", color=self.ink, markersize=4, zorder=5)

    def numbers(
        self, left: float, top: float, cell: float, array: np.ndarray, marked: tuple[int, int, int]
    ) -> None:
        """Write an array into a grid; `marked` is the row, the column and the side of a square in it."""
        rows, columns = array.shape
        for row in range(rows):
            for column in range(columns):
                self.box(left + column * cell, top + row * cell, cell, cell, line=0.6, corner=0)
                words = minus(array[row, column])
                self.text(left + (column + 0.5) * cell, top + (row + 0.5) * cell, words, align="center")
        first, second, side = marked
        corner = (left + second * cell, top + first * cell)
        self.block(*corner, side * cell, side * cell, "focus")
        self.box(*corner, side * cell, side * cell, line=2.2, corner=0)

    def inside(self, x: float, y: float, words: str) -> None:
        """Write in the colour of the paper, on an area of ink."""
        self.text(x, y, words, align="center", bold=True)
        self.axes.texts[-1].set_color(self.paper)

    def backdrop(self, left: float, top: float, side: float) -> None:
        """Draw a photograph as large as a background: its frame, and a face that fills it."""
        self.box(left, top, side, side, line=1.6, corner=0)
        self.face(left + side / 2, top + 0.52 * side, 0.8 * side)

    def small_faces(self, centres: np.ndarray, *, square: bool, filled: bool, size: float) -> None:
        """Draw many faces at once, square or round ones, filled or hollow, in one artist."""
        marker = _small_face(square)
        look: dict[str, Any] = {
            "facecolor": self.ink if filled else "none",
            "edgecolor": self.ink,
            "linewidth": 0.5,
        }
        self.axes.scatter(centres[:, 0], centres[:, 1], s=size**2, marker=marker, zorder=3, **look)

    def sum_sign(self, x: float, y: float, radius: float) -> None:
        """Draw a plus in a circle."""
        self.axes.add_patch(Circle((x, y), radius, facecolor="none", edgecolor=self.ink, zorder=2))
        self.line((x - 6, y), (x + 6, y))
        self.line((x, y - 6), (x, y + 6))

    def lamp(self, x: float, y: float, towards: tuple[float, float]) -> None:
        """Draw a lamp, and its light towards a point."""
        self.axes.add_patch(Circle((x, y), 7, facecolor=self.paper, edgecolor=self.ink, zorder=3))
        for angle in np.radians(np.arange(0, 360, 45)):
            ray = np.array([np.cos(angle), np.sin(angle)])
            self.line(*(tuple(np.array([x, y]) + reach * ray) for reach in (9, 12)))
        start = np.array([x, y]) + 0.35 * (np.array(towards) - (x, y))
        self.arrow(tuple(start), towards)

    def camera(self, left: float, top: float) -> None:
        """Draw a camera that looks to the right."""
        self.box(left, top, 22, 16, line=1.2, corner=2)
        self.line((left + 22, top + 6), (left + 28, top + 3), (left + 28, top + 13), (left + 22, top + 10))

    def key(self, left: float, y: float, role: str, words: str) -> float:
        """Say what a role looks like; returns where the words end."""
        self.box(left + 1, y - 7, 14, 14, role, corner=1.5)
        self.text(left + 21, y, words)
        return left + 21 + text_width(words)


def _hair(x: float, y: float, radius: float, look: int) -> list[Any]:
    """Make the hair of a look: none, a cap, long, curls, a fringe, a bun."""

    def cap(start: float, end: float) -> PathPatch:
        angles = np.radians(np.linspace(start, end, 24))
        outline = np.column_stack([x + 1.04 * radius * np.cos(angles), y - 1.04 * radius * np.sin(angles)])
        return PathPatch(Path(outline, closed=False))

    if look == 1:
        return [cap(28, 152)]
    if look == 2:
        return [cap(40, 140)]
    if look == 3:
        angles = np.radians(np.linspace(25, 155, 6))
        return [
            Circle((x + 0.95 * radius * np.cos(angle), y - 0.95 * radius * np.sin(angle)), 0.27 * radius)
            for angle in angles
        ]
    if look == 4:
        return [cap(12, 130)]
    if look == 5:
        return [cap(35, 145), Circle((x, y - 1.2 * radius), 0.32 * radius)]
    return []


@cache
def _small_face(square: bool) -> Path:
    """Make a face with holes for eyes and mouth, as a marker."""
    head = (
        Path.unit_rectangle().transformed(Affine2D().translate(-0.5, -0.5).scale(2))
        if square
        else Path.unit_circle()
    )
    # Drawn the other way round, a shape inside another one is a hole.
    turned = Affine2D().scale(-1, 1)
    eye = Path.unit_circle().transformed(turned + Affine2D().scale(0.16))
    eyes = [eye.transformed(Affine2D().translate(side * 0.38, 0.2)) for side in (-1, 1)]
    mouth = Path.unit_rectangle().transformed(
        Affine2D().translate(-0.5, -0.5).scale(0.8, 0.16) + turned + Affine2D().translate(0, -0.42)
    )
    return Path.make_compound_path(head, *eyes, mouth)


@cache
def text_width(words: str, *, bold: bool = False, size: float = TEXT) -> float:
    """Width of a line of text, in points."""
    font = FontProperties(family=FONT, weight="bold" if bold else "normal")
    return float(TextPath((0, 0), words, size=size, prop=font).get_extents().width) if words.strip() else 0.0


def wrapped(words: str, width: float, *, bold: bool = False) -> str:
    """Break text between words into lines that are no wider than so many points, if its words allow."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, bold=bold) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def height_of(words: str) -> float:
    """Height of text of some lines, in points."""
    return LINE * (words.count("\n") + 1)


def minus(number: Any) -> str:
    """Write a number, or text with numbers, with the sign that is as wide as a plus."""
    return str(number).replace("-", "−")


def percent(share: float) -> str:
    """Write a share as a whole number of per cent."""
    return f"{share:.0%}".replace("%", " %")


def letter(number: int) -> str:
    """Name an album in a drawing: A to Z, then A1 and so on."""
    return chr(65 + number % 26) + (str(number // 26) if number >= 26 else "")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun, in the plural unless it is one."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def sentence(parts: Sequence[str]) -> str:
    """Join what an alt text says of the parts of a drawing."""
    return " ".join(part.strip() for part in parts if part.strip())

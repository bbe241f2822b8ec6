"""The experiment that measures data leakage."""

from matplotlib.figure import Figure

from facelab.diagrams._drawing import BROAD, Canvas, count, sentence


def leak_experiment(*, asked: int, siblings: int, neighbours: int, base: int, added: int) -> Figure:
    """Draw the leak experiment: one test set, and three training sets that know more and more about it.

    Parameters
    ----------
    asked : int
        Photographs of the test fold that all networks are asked about.
    siblings : int
        Other photographs of the asked subjects.
    neighbours : int
        Photographs of the other subjects of the same albums.
    base : int
        Training photographs from the other folds, common to all three.
    added : int
        Training photographs in which the three training sets differ.

    Returns
    -------
    Figure
        An album on top, the three training sets to scale below. End the cell with ``plt.show()``.

    Raises
    ------
    ValueError
        If a number is not positive, or more photographs are added than there are siblings or neighbours.

    Notes
    -----
    Used in lesson 6.1.
    """
    given = {
        "asked": asked, "siblings": siblings, "neighbours": neighbours, "base": base, "added": added,
    }  # fmt: skip
    if wrong := [name for name, number in given.items() if number < 1]:
        raise ValueError(f"every number of photographs is positive, but {wrong[0]} is {given[wrong[0]]}")
    if added > min(siblings, neighbours):
        raise ValueError(f"{added} photographs are added, of {siblings} siblings and {neighbours} neighbours")
    canvas = Canvas()
    canvas.heading(0, 10, "An album of the test fold")
    canvas.box(1, 24, BROAD - 2, 170, line=1.3)
    side, between = 42, 113
    for number, look in enumerate((2, 1, 5, 3)):
        left = 14 + number * between
        canvas.text(left + 47, 40, f"subject {number + 1}", align="center")
        is_asked = number % 2 == 0
        for row in range(2):
            role = "test" if is_asked and not row else None
            for column in range(2):
                canvas.photograph(left + column * (side + 6), 54 + row * 68, side, look, role)
            words = ("asked", "siblings")[row] if is_asked else "neighbours"
            canvas.text(left + 45, 106 + row * 68, words, align="center")
    canvas.key(0, 212, "test", f"asked: {count(asked, 'photograph')}. All networks answer them.")
    canvas.heading(0, 250, f"Three training sets of {count(base + added, 'photograph')}")
    canvas.key(0, 274, "training", "They differ at their ends only.")
    alt = [
        "An album of the test fold with four subjects. Of the first and the third, some photographs are "
        f"asked about ({asked:,} in all) and the others are siblings ({siblings:,}); the photographs of the "
        f"second and the fourth are neighbours ({neighbours:,}).",
        f"Below, three training sets of {base + added:,} photographs as bars of equal length: {base:,} of "
        f"other folds and {added:,} more, which show",
    ]
    ends = {
        "strangers": ((0, 4), "people of other albums"),
        "neighbours": ((1, 3), f"other people of the same albums ({neighbours:,} to draw from)"),
        "siblings": ((2, 5), f"other photographs of the same people ({siblings:,} to draw from)"),
    }
    width = BROAD - 2
    common = width * base / (base + added)
    for row, (name, (looks, meaning)) in enumerate(ends.items()):
        top = 296 + row * 92
        canvas.box(1, top, width, 40, "training", corner=0)
        canvas.line((1 + common, top), (1 + common, top + 40), width=1.6)
        faces = max(1, min(4, int((width - common) // 34)))
        for number in range(faces):
            x = 1 + common + (width - common) * (number + 0.5) / faces
            if width - common > 32:
                canvas.face(x, top + 21, 26, looks[number % 2])
        canvas.text(1, top + 52, f"{base:,} of other folds")
        canvas.text(BROAD - 1, top + 52, f"{added:,} {name}", align="right", bold=True)
        canvas.text(BROAD - 1, top + 70, meaning, align="right")
        alt.append(f"{meaning.split(' (')[0]}{';' if row < 2 else '.'}")
    return canvas.finish(296 + 3 * 92 - 10, sentence(alt))

"""Two made-up lessons with everything that the book adds something to, and a small book of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import execute
from tools.folding import folded
from tools.paths import REPOSITORY

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://example.org/)"
ALT = {
    "image": {
        "alt": "Three bars, the same people at 0.65 (0.60–0.70): strangers, others, they",
        "classes": "chart",
    }
}

LEAKAGE: list[tuple[str, list[str]]] = [
    (BADGE, ["remove-cell"]),
    (
        """# What is it worth to have met the person?

[Levi and Hassner (2015)](https://doi.org/10.1109/CVPRW.2015.7301352) report 86.8 %, on the benchmark of
[Eidinger, Enbar and Hassner (2014)](https://doi.org/10.1109/TIFS.2014.2359646). Much depends on the split
([Bouthillier et al., 2021](https://arxiv.org/abs/2103.03098); see also [Guo et al., 2017](https://arxiv.org/abs/1706.04599)).

**You will be able to** split a data set by album · say what a split lets a network know.

**Time** 30 minutes. **You need** [lesson 3.2](03_2_train.ipynb) and the
[datasheet](https://github.com/reading-faces/reading-faces/blob/main/book/datasheet.md).""",
        [],
    ),
    ("import matplotlib.pyplot as plt\nimport numpy as np", ["fold"]),
    (
        """## What does the training set know about the test set?

**Data leakage** means that information about the test set reaches the training. With $n$ photographs and a
share $p$ of them leaked, the accuracy is

$$\\hat a = p a_1 + (1 - p) a_0.$$

> **Predict first.** Draw a random fifth of the photographs as the test set. For how many of them is another
> photograph of the same person in the training set?
>
> 1. Half
> 2. Two thirds

<details><summary>Answer</summary>

Nearly all: **97 %**. See figure 1, and `{term}` in code stays as it is:

```python
answer = f"{share:.0%}"  # [no](link), **no term**
```

</details>

| the test set is a random fifth of the … | person known |
|---|---|
| photographs | **97 %** |
| albums | 0 % |

> **Seen in public code.** The lists of [one repository](https://github.com/GilLevi/AgeGenderDeepLearning)
> keep the folds apart. In this network, *overfitting* is the other cause.

> **Note.** A box without a kind of its own.

> **Warning.** Do not choose by the test.

> A quotation stays one.""",
        [],
    ),
    (
        "fig, axes = plt.subplots(figsize=(5, 2))\naxes.barh(list('abc'), [0.55, 0.56, 0.65])\nplt.show()",
        ["figure"],
    ),
    (
        "**Figure 1.** The design of [Levi and Hassner (2015)](https://doi.org/10.1109/CVPRW.2015.7301352).\n\n"
        "Figure 1 shows it. Then a network **overfits**: it fits the training photographs. The gain is "
        "−0.01 (-0.03 to 0.02), of `(25, 32)` as of `one_name_that_is_too_long`.",
        [],
    ),
    ("print('✓ other photographs of the same people add at least five points')", ["check"]),
    ("def check_answer(answer):\n    return answer == 2\n\n\nprint(check_answer)", ["checker"]),
    ("print('Right:', 1 + 1)", ["solution"]),
    (
        """## What you learned

**Data leakage** makes a score too high.

**Next** is [lesson 3.2](03_2_train.ipynb).

## References

* Guo, Pleiss, Sun and Weinberger (2017). [On calibration of modern neural networks](https://arxiv.org/abs/1706.04599).
  [arXiv:1706.04599](https://arxiv.org/abs/1706.04599).""",
        [],
    ),
]
TRAIN: list[tuple[str, list[str]]] = [
    (
        """# Train

A network that has seen every photograph for long shows **overfitting**: it does worse on new ones. The
**baseline** ignores the photograph.""",
        [],
    ),
    ("print('a line that is printed')", []),
]


def lesson(cells: list[tuple[str, list[str]]], name: str) -> nbformat.NotebookNode:
    """A notebook of (source, tags); the source tells whether it is code."""
    made = []
    for number, (source, tags) in enumerate(cells):
        is_code = source.startswith(("import", "fig", "print", "def"))
        cell = (new_code_cell if is_code else new_markdown_cell)(source, id=f"{name}-{number}")
        if tags == ["figure"]:
            cell.metadata["mystnb"] = ALT
        elif tags:
            cell.metadata["tags"] = tags
        made.append(cell)
    return folded(new_notebook(cells=made, metadata={"kernelspec": KERNEL}))


NOTEBOOKS = {"03_2_train": TRAIN, "06_1_leakage": LEAKAGE}
PAGES = ["book/index", *(f"notebooks/{name}" for name in sorted(NOTEBOOKS)), "book/notation", "book/glossary"]
PAGES += ["book/references", "book/datasheet"]


def execute_notebooks(folder: Path) -> Path:
    """Write the notebooks, execute them, and return the folder of the executed ones."""
    for name, cells in NOTEBOOKS.items():
        nbformat.write(lesson(cells, name), folder / f"{name}.ipynb")
        execute.execute(folder / f"{name}.ipynb", folder / "executed" / f"{name}.ipynb", {})
    return folder / "executed"


def lay_out(root: Path, executed: Path) -> dict[str, object]:
    """Lay out a repository with the book's own house and these notebooks.

    Returns what ``tools.render`` has to be told for it to render there, by the names in that module.
    """
    shutil.copytree(REPOSITORY / "book" / "_static", root / "book" / "_static")
    for page in ("glossary.md", "notation.md", "references.md", "references.bib"):
        shutil.copy2(REPOSITORY / "book" / page, root / "book")
    shutil.copy2(REPOSITORY / "_config.yml", root)
    (root / "requirements.lock").touch()
    chapters = "".join(f"  - file: {page}\n" for page in PAGES[1:])
    (root / "book" / "_toc.yml").write_text(f"format: jb-book\nroot: {PAGES[0]}\nchapters:\n{chapters}")
    (root / "book" / "index.md").write_text("# A book\n\n```bash\nmake book\n```\n")
    (root / "book" / "datasheet.md").write_text("# Datasheet\n\nEmpty.\n")
    build = root / "_build"
    shutil.copytree(executed, build / "executed")
    return {
        "REPOSITORY": root,
        "BUILD": build,
        "EXECUTED": build / "executed",
        "HTML": build / "html",
        "SOURCE": build / "source",
        "_SEAL": build / "html.json",
        "chapters": lambda: [root / "notebooks" / f"{name}.ipynb" for name in sorted(NOTEBOOKS)],
    }

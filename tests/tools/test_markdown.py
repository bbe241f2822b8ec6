"""The book's form of a lesson's plain Markdown: what becomes what, and what is refused."""

from __future__ import annotations

import copy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import bibliography, glossary, markdown
from tools.paths import NOTEBOOKS, REPOSITORY, lesson_name

ADDRESS = "https://github.com/reading-faces/reading-faces/blob/main/"
LEVI, BENGIO, MIXUP = (
    "https://doi.org/10.1109/CVPRW.2015.7301352",
    "https://arxiv.org/abs/1611.03530",
    "https://doi.org/10.1016/S0031-3203(99)00139-9",
)
TERMS = {"overfitting": "overfitting", "overfits": "overfitting", "f1 score": "F1 score"}


@pytest.fixture
def book() -> markdown.Book:
    works = [
        bibliography.Work(
            "levi2015",
            "Levi and Hassner",
            "Levi and Hassner",
            "2015",
            "Age and Gender Classification",
            frozenset({bibliography.bare(LEVI)}),
        ),
        bibliography.Work(
            "zhang2017",
            "Zhang, Bengio et al.",
            "Zhang, Bengio and Hardt",
            "2017",
            "Rethinking",
            frozenset(map(bibliography.bare, (BENGIO, MIXUP))),
        ),
    ]
    files = {"book/adience.md", "notebooks/03_2_train.ipynb", "notebooks/06_1_leak.ipynb"}
    return markdown.Book(works, TERMS, frozenset(files), ADDRESS)


def made(book: markdown.Book, *sources: str) -> str:
    """The book's form of Markdown cells."""
    notebook = new_notebook(cells=[new_markdown_cell(source) for source in sources])
    before = copy.deepcopy(notebook)
    rewritten, _ = markdown.in_the_book(notebook, "06_1_leak.ipynb", book)
    assert notebook == before
    return "\n\n".join(cell.source for cell in rewritten.cells)


SAME = [
    "# A title\n\nWords, *emphasis*, `code`, $x^2$ and a [link](https://example.org/a_(b)).",
    "```python\n# **no term**, [no](link.md), figure 9, {cite:t}`x`\n```",
    "`**overfitting**` and `f'{x}'` and ``{term}`x` `` are code",
    "> A quotation has no title.",
    "| a | b |\n|---|---|\n| **0.655** | 1 |",
    "**You will be able to** do it. **Time** 20 minutes. **What this does not show.** More.",
    f"[doi:10.1109/CVPRW.2015.7301352]({LEVI}), [Age and gender classification]({LEVI}), <{LEVI}>",
    "- a list\n\n  of paragraphs",
    "$$\n\\begin{aligned} a_{ij} &= \\mathbf{x} \\end{aligned}\n$$",
    "$p$ of {a, b} and a 20\N{NO-BREAK SPACE}% share, 5 (a)=b: words : and, `20 %`, $20 %$ and n %",
]


@pytest.mark.parametrize("source", SAME)
def test_what_all_readers_render_alike_stays(source, book):
    assert made(book, source) == source


CHANGED = {
    f"[Levi and Hassner (2015)]({LEVI}) report": "{cite:t}`levi2015` report",
    f"([Levi and\nHassner, 2015]({LEVI.lower()}/))": "({cite:alp}`levi2015`)",
    f"[Zhang, Bengio et al. (2017)]({BENGIO})": "{cite:t}`zhang2017`",
    f"[Zhang, Bengio and Hardt (2017)]({BENGIO})": "{cite:ts}`zhang2017`",
    f"([Zhang, Bengio and Hardt, 2017]({MIXUP}))": "({cite:alps}`zhang2017`)",
    f"[the data]({ADDRESS}book/adience.md#folds)": "[the data](../book/adience.md#folds)",
    "[lesson 3.2](03_2_train.ipynb)": "[lesson 3.2](03_2_train.ipynb)",
    f"[lesson 3.2]({ADDRESS}notebooks/03_2_train.ipynb)": "[lesson 3.2](03_2_train.ipynb)",
    "From 0 % to [97.5 % of it](03_2_train.ipynb)": (
        "From 0\N{NO-BREAK SPACE}% to [97.5\N{NO-BREAK SPACE}% of it](03_2_train.ipynb)"
    ),
    "A network **overfits**. It": "A network **{term}`overfits <overfitting>`**. It",
    "The **F1\nscore**": "The **{term}`F1 score <F1 score>`**",
    "> **Predict first.** How many?\n>\n> 1. one": (
        "::::{admonition} Predict first\n:class: question\n\nHow many?\n\n1. one\n::::"
    ),
    "> **Is it?**\n> A box.": "::::{admonition} Is it?\n:class: note\n\nA box.\n::::",
    f"> **Seen in public code.** By [Levi and Hassner (2015)]({LEVI}).": (
        "::::{admonition} Seen in public code\n:class: evidence\n\nBy {cite:t}`levi2015`.\n::::"
    ),
    "Before.\n\n<details><summary>Answer</summary>\n\nIt **overfits**.\n\n</details>\n\nAfter.": (
        "Before.\n\n::::{dropdown} Answer\n\nIt **{term}`overfits <overfitting>`**.\n::::\n\nAfter."
    ),
}


@pytest.mark.parametrize(("source", "expected"), CHANGED.items())
def test_what_the_book_adds(source, expected, book):
    assert made(book, source) == expected


def test_a_term_is_a_link_where_it_is_explained_and_bold_again_in_the_recap(book):
    recap = "## What you learned\n\nA network **overfits**; the **F1 score**."
    assert made(book, "**Overfitting** is", recap) == (
        "**{term}`Overfitting <overfitting>`** is\n\n## What you learned\n\n"
        "A network **overfits**; the **{term}`F1 score <F1 score>`**."
    )


def with_figures(*captions: str) -> list:
    picture = new_output("display_data", {"image/png": ""})
    cells = [new_markdown_cell("See figure 1.")]
    for caption in captions:
        cells += [new_code_cell("plt.show()", outputs=[picture]), new_markdown_cell(caption)]
    return cells


def test_a_caption_is_marked_and_what_names_its_figure_leads_to_it(book):
    notebook = new_notebook(cells=with_figures("**Figure 1.** The **F1 score**.\n\nFigure 1 shows more."))
    rewritten, terms = markdown.in_the_book(notebook, "06_1_leak.ipynb", book)
    assert terms == ["F1 score"]
    assert rewritten.cells[0].source == "See [figure 1](#figure-1-of-06-1-leak)."
    assert rewritten.cells[2].source == (
        "::::{div} lesson-caption\n:name: figure-1-of-06-1-leak\n\n"
        "**Figure 1.** The **{term}`F1 score <F1 score>`**.\n::::\n\n"
        "[Figure 1](#figure-1-of-06-1-leak) shows more."
    )


REFUSED = {
    f"[Levy and Hassner (2015)]({LEVI})": "written 'Levi and Hassner (2015)' or 'Levi and Hassner, 2015'",
    f"[Levi and Hassner (2016)]({LEVI})": "[Levi and Hassner (2016)] leads to levi2015",
    f"[Zhang et al. (2017)]({BENGIO})": "leads to zhang2017",
    "[there](03_9_nowhere.ipynb)": "there is no notebooks/03_9_nowhere.ipynb",
    f"[there]({ADDRESS}book/nowhere.md)": "there is no book/nowhere.md",
    "[there](../book/adience.md)": f"by {ADDRESS}book/adience.md",
    "[there](#a-section)": "a section is named without a link",
    "[there][1]\n\n[1]: https://example.org": "write a link as [words](address)",
    '[there](https://example.org "title")': "write a link as [words](address)",
    "It **overfits**, and so **overfitting** is": "'overfitting' is bold twice",
    "It **overfits.** And": "write the full stop after the bold: 'overfits.'",
    "A **learning machine** is": "'learning machine' is bold and no term of book/glossary.md",
    "> **Note** A box.": "the title of a box ends in a full stop, inside the bold: 'Note'",
    "See figure 1.": "there is no 'figure 1'",
    "**Figure 1.** Nothing above.": "no figure stands directly above the caption of figure 1",
    "The accuracy is $$x$$.": "a displayed formula stands on lines of its own: '$$x$$'",
    "On it, {cite:t}`levi2015` report": "not all readers render '{cite:t}`'",
    "A share {math}`p` of": "not all readers render '{math}`'",
    ":::{admonition} A box\nText\n:::": "not all readers render ':::{admonition} A box'",
    "```{math}\nx\n```": "not all readers render '```{math}'",
    "> (here)=\n> # Title": "not all readers render '(here)='",
    "A share of 20\n% of all": "not all readers render '% of all'",
    "*words*{.class}": "not all readers render '{.class}'",
    "<details><summary>Answer</summary>\nNo empty line.\n</details>": "HTML is for folded answers only",
    "<b>bold</b>": "HTML is for folded answers only",
    "<!-- a comment -->": "HTML is for folded answers only",
}


@pytest.mark.parametrize(("source", "words"), REFUSED.items())
def test_what_is_refused_names_the_lesson_and_the_place(source, words, book):
    with pytest.raises(markdown.MarkdownError) as raised:
        made(book, source)
    first, *_ = str(raised.value).splitlines()
    assert first.startswith("06_1_leak.ipynb: ")
    assert words in first


def test_every_fault_is_named_at_once(book):
    with pytest.raises(markdown.MarkdownError) as raised:
        made(book, "See figure 1.", "A **learning machine**.")
    assert len(str(raised.value).splitlines()) == 2


def test_captions_are_numbered_in_their_order(book):
    notebook = new_notebook(cells=with_figures("**Figure 2.** One.", "**Figure 1.** Two."))
    with pytest.raises(markdown.MarkdownError, match=r"figure 2 is number 1\n.*figure 1 is number 2"):
        markdown.in_the_book(notebook, "06_1_leak.ipynb", book)


def test_a_badge_that_the_book_leaves_out_is_left_alone(book):
    badge = "[![badge](https://example.org/a.svg)](nowhere.md)"
    cell = new_markdown_cell(badge, metadata={"tags": ["remove-cell"]})
    rewritten, _ = markdown.in_the_book(new_notebook(cells=[cell]), "06_1_leak.ipynb", book)
    assert rewritten.cells[0].source == badge


def test_the_title_that_colab_shows_is_not_in_the_book(book):
    notebook = new_notebook(cells=[new_code_cell("# @title The check\nprint(1)  # @title 2")])
    rewritten, _ = markdown.in_the_book(notebook, "06_1_leak.ipynb", book)
    assert rewritten.cells[0].source == "print(1)  # @title 2"


def test_the_comments_round_a_measured_table_are_not_in_the_book(book):
    table = "| a |\n|---|\n| 1 |"
    source = f"Before.\n\n<!-- measured: a table, of two -->\n\n{table}\n\n<!-- end -->\n\nAfter."
    assert made(book, source) == f"Before.\n\n{table}\n\nAfter."


def test_a_notebook_is_called_what_it_is():
    names = {
        "03_2_train": "lesson 3.2",
        "10_1_many": "lesson 10.1",
        "A_faces": "appendix A",
        "B_audit": "the capstone",
    }
    assert {name: lesson_name(NOTEBOOKS / f"{name}.ipynb") for name in names} == names


def test_the_book_that_lessons_refer_to_is_this_one():
    book = markdown.read_book(REPOSITORY, [NOTEBOOKS / "03_2_train.ipynb"])
    assert {"book/adience.md", "book/glossary.md", "notebooks/03_2_train.ipynb"} <= book.files
    assert book.address == ADDRESS
    assert {"overfits": "overfitting", "leakage": "data leakage", "gpu": "GPU"}.items() <= book.terms.items()


GLOSSARY = """# Glossary

Words.

```{glossary}
.. also: one, two
first
  Its definition.

second
another
  {term}`first`, but
  longer.

  A second paragraph.

```

The end.
"""


def test_each_form_of_a_term_means_it():
    expected = {"first": "first", "one": "first", "two": "first", "second": "second", "another": "second"}
    assert glossary.terms(GLOSSARY) == expected
    with pytest.raises(ValueError, match="one is written for second and for another term"):
        glossary.terms(GLOSSARY.replace("another", "one"))


def test_an_entry_leads_to_the_lessons_that_introduce_it():
    lessons = {"first": [("lesson 3.2", "03_2_a.ipynb"), ("lesson 4.1", "04_1_b.ipynb")]}
    line = (
        "Introduced in [lesson 3.2](../notebooks/03_2_a.ipynb) and [lesson 4.1](../notebooks/04_1_b.ipynb)."
    )
    expected = GLOSSARY.replace("  Its definition.\n", f"  Its definition.\n\n  {line}\n")
    assert glossary.with_lessons(GLOSSARY, lessons) == expected
    assert glossary.with_lessons(GLOSSARY, {}) == GLOSSARY
    last = glossary.with_lessons(GLOSSARY, {"second": [("lesson 3.2", "03_2_a.ipynb")]})
    assert "  A second paragraph.\n\n  Introduced in [lesson 3.2](../notebooks/03_2_a.ipynb).\n" in last

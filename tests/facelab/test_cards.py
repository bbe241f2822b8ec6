"""Cards: complete and in order, or refused with every fault by its name."""

import re
from types import SimpleNamespace

import pytest

from facelab import results
from facelab.cards import DATASHEET, MODEL_CARD, fill


def answers(sections):
    return {name: f"An answer to {name.lower()}." for name in sections}


@pytest.mark.parametrize("sections", [MODEL_CARD, DATASHEET])
def test_every_section_is_there_in_its_order(sections):
    card = fill("A card", sections, dict(reversed(answers(sections).items())))
    assert card.startswith("# A card\n\n## ")
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == list(sections)
    assert all(answer in card for answer in answers(sections).values())


@pytest.mark.parametrize(
    "text", ["", "  \n", "TODO", "To be said …", "so on...", "accuracy nan", "{accuracy}", "Who? ??", "None"]
)
def test_an_answer_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="'Factors'"):
        fill("A card", MODEL_CARD, answers(MODEL_CARD) | {"Factors": text})


def test_a_word_that_only_holds_a_placeholder_is_none():
    assert "Nanna" in fill("A card", MODEL_CARD, answers(MODEL_CARD) | {"Factors": "Nanna's finances"})


def test_all_faults_are_named_at_once():
    given = answers(MODEL_CARD) | {"Metrics": "TBD", "Price": "free"}
    del given["Training data"]
    with pytest.raises(
        ValueError, match=r"no section 'Price'.*'Metrics' is left open.*'Training data' has no"
    ):
        fill("A card", MODEL_CARD, given)


HOSTILE = {
    "html": "<script>alert(7)</script><img src=x onerror=alert(7)>",
    "html in a list": "* <b>x</b>",
    "comment": "<!-- x -->",
    "heading": "# Uses\nx",
    "heading in a list": "* ## Uses",
    "heading below its text": "Uses\n====",
    "heading below its text, with dashes": "Uses\n  ---",
    "heading below its text, by Windows": "Uses\r\n---",
    "rule": "***",
    "directive": "```include secret.txt",
    "directive of colons": ":::note\nx\n:::",
    "fence": "~~~\nx",
    "fence in a list": "1. ```x",
    "field": ":field: x",
    "definition": "x\n: y",
    "target": "(x)=\n",
    "hidden line": "% x",
    "hidden line in a list": "* % x",
    "block break": "+++ x",
    "image": "![x](y)",
    "link": "[x](javascript:alert(7))",
    "definition of a link": "[x]: y",
    "link by a reference": "[x][y]\n\n[y]: z",
    "footnote": "x[^1]\n\n[^1]: y",
    "formula": "$$x$$",
    "autolink": "<http://example.org>",
    "quote": "> x",
    "entity": "&lt;script&gt;",
    "escaped bracket": "\\<b>",
    "turned": "\u202ex",
    "half a character": "\ud800x",
}
STRUCTURES = {"p", "ul", "ol", "li"}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_what_is_more_than_an_answer_is_shown_as_text(answer, in_a_page):
    card = fill("A card", MODEL_CARD, answers(MODEL_CARD) | {"Factors": answer, "Metrics": "After it."})
    card.encode()
    harmless = in_a_page(
        fill("A card", MODEL_CARD, answers(MODEL_CARD) | {"Factors": "x", "Metrics": "After it."})
    )
    shown = in_a_page(card)
    more = list(shown.elements)
    for element in harmless.elements:
        more.remove(element)
    assert set(more) <= STRUCTURES
    words = re.findall(r"[A-Za-z]\w*", answer.replace("&lt;", "").replace("&gt;", ""))
    assert words == [word for word in words if word in shown.text]


@pytest.mark.parametrize("directive", ["```{include} secret.txt\n```", "{eval-rst}`x`", "{doc}`x`"])
def test_directives_and_roles_are_refused_for_their_braces(directive):
    with pytest.raises(ValueError, match="'Factors' is left open"):
        fill("A card", MODEL_CARD, answers(MODEL_CARD) | {"Factors": directive})


def test_title_and_sections_are_text_too(in_a_page):
    shown = in_a_page(fill("<b>x</b>\n# y", ("```{include} secret.txt",), {"```{include} secret.txt": "z"}))
    assert "b" not in shown.elements
    assert "<b>x</b> # y" in shown.text


def test_lists_tables_emphasis_and_code_of_an_answer_count(in_a_page):
    answer = "* one\n* *two*\n\n| a | b |\n|---|---|\n| `c` | **d** |"
    shown = in_a_page(fill("A card", ("Uses",), {"Uses": answer}))
    assert {"ul", "li", "em", "table", "td", "strong"} <= set(shown.elements)
    assert "`" not in shown.text


def test_a_list_in_code_is_shown_as_it_stands(in_a_page):
    shown = in_a_page(fill("A card", ("Uses",), {"Uses": "with `folds = [0, 1]`, `seed = 1`"}))
    assert "with folds = [0, 1], seed = 1" in shown.text


def test_the_table_of_a_record_stands_in_a_card_as_it_is():
    score = results.Score("accuracy, (0, 2)", 0.9, 0.8, 1.0, 1990, 43, 10.9, "test", [4])
    data = SimpleNamespace(name="my_faces, 2–3", photographs=9, albums=4, rendered=True)
    parameters = {"seed": 1, "folds": [0, 1], "nested": [[1], [2]]}
    record = SimpleNamespace(
        scores={"50% ≥ 1/3": [score]}, data=data, parameters=parameters, seconds=9, run="full"
    )
    table = results.to_markdown(record)
    assert table in fill("A card", ("Uses",), {"Uses": table})

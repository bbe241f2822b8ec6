"""Cards: complete and in order, or refused with every fault by its name."""

import pytest

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

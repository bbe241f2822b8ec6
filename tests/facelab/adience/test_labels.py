import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelab.adience import AGE_GROUPS, GENDERS, UnknownLabelError, age_group, gender, years

ages = st.integers(0, 120)
spans = st.tuples(ages, ages).map(lambda pair: (min(pair), max(pair)))


@given(spans)
def test_a_span_is_read_back(span: tuple[int, int]) -> None:
    assert years(f"({span[0]}, {span[1]})") == span


@given(ages)
def test_a_bare_age_is_a_span_of_one_year(age: int) -> None:
    assert years(str(age)) == (age, age)


@given(
    st.text(st.characters(blacklist_characters="0123456789"), min_size=1).filter(lambda text: text != "None")
)
def test_text_without_an_age_is_refused(text: str) -> None:
    with pytest.raises(UnknownLabelError, match="is no age label"):
        years(text)


@pytest.mark.parametrize(
    "text",
    ["(25, 32", "25, 32", "(25, 32, 40)", " 35", "35\n", "-3", "1000", "(2 5, 32)", "٣٥", "3.5", "none"],
)
def test_almost_an_age_is_refused(text: str) -> None:
    with pytest.raises(UnknownLabelError, match="is no age label"):
        years(text)


def test_years_that_run_backwards_are_refused() -> None:
    with pytest.raises(UnknownLabelError, match="backwards"):
        years("(32, 25)")


@pytest.mark.parametrize("label", ["None", ""])
@pytest.mark.parametrize("labels", ["strict", "nearest"])
def test_no_label_is_no_group(label: str, labels: str) -> None:
    assert years(label) is None
    assert age_group(label, labels) is None


@given(spans)
def test_strict_keeps_the_eight_groups_and_nothing_else(span: tuple[int, int]) -> None:
    label = f"({span[0]}, {span[1]})"
    assert age_group(label) == (label if label in AGE_GROUPS else None)


@pytest.mark.parametrize("group", AGE_GROUPS)
def test_nearest_leaves_the_groups_alone(group: str) -> None:
    assert age_group(group, "nearest") == group == age_group(group)


@given(ages)
def test_nearest_puts_an_age_inside_a_group_into_that_group(age: int) -> None:
    around = [group for group in AGE_GROUPS if (span := years(group)) and span[0] <= age <= span[1]]
    assert age_group(str(age), "nearest") in (around or AGE_GROUPS)


@given(ages, ages)
def test_nearest_never_makes_the_older_younger(one: int, other: int) -> None:
    groups = [AGE_GROUPS.index(age_group(str(age), "nearest") or "") for age in sorted((one, other))]
    assert groups == sorted(groups)


@pytest.mark.parametrize(
    ("label", "group"),
    [
        ("35", "(25, 32)"),  # three years from both: the younger
        ("3", "(0, 2)"),  # one year from both: the younger
        ("13", "(8, 12)"),
        ("22", "(15, 20)"),
        ("23", "(25, 32)"),
        ("34", "(25, 32)"),
        ("36", "(38, 43)"),
        ("45", "(38, 43)"),
        ("46", "(48, 53)"),
        ("57", "(60, 100)"),
        ("(27, 32)", "(25, 32)"),
        ("(38, 42)", "(38, 43)"),
        ("(38, 48)", "(38, 43)"),
        ("(8, 23)", "(15, 20)"),
    ],
)
def test_nearest_on_labels_of_the_benchmark(label: str, group: str) -> None:
    assert age_group(label) is None
    assert age_group(label, "nearest") == group


def test_another_treatment_is_refused() -> None:
    with pytest.raises(ValueError, match="'strict' or 'nearest', not 'loose'"):
        age_group("35", "loose")


def test_genders() -> None:
    assert [gender(label) for label in (*GENDERS, "u", "")] == ["f", "m", None, None]


@given(st.text(min_size=1).filter(lambda text: text not in ("f", "m", "u")))
def test_other_genders_are_refused(text: str) -> None:
    with pytest.raises(UnknownLabelError, match="is no gender label"):
        gender(text)

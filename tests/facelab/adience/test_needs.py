import pandas as pd
import pytest

from facelab import adience


def table_of(rows: list[tuple[str, int, str | None]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["user_id", "fold", "gender"])
    return table.assign(gender=pd.Categorical(table["gender"], categories=adience.GENDERS))


TABLE = table_of([("a", 0, "f"), ("a", 0, None), ("b", 1, "m")])


def test_what_is_there_is_enough() -> None:
    adience.require(TABLE, "photographs", photographs=3, albums=2, folds=2, genders=2)
    adience.require(TABLE.head(0), "photographs")


@pytest.mark.parametrize(
    ("least", "said"),
    [
        ({"photographs": 4}, "4 photographs among the test photographs, and finds 3:"),
        ({"albums": 3}, "3 albums among the test photographs, and finds 2:"),
        ({"folds": 5}, "5 folds among the test photographs, and finds 2:"),
        (
            {"genders": 2, "albums": 2},
            "2 albums and 2 genders among the .* photographs, and finds 1 and 1:",
        ),
    ],
)
def test_what_is_short_is_said_in_one_sentence(least: dict[str, int], said: str) -> None:
    table = TABLE.head(2) if "genders" in least else TABLE
    with pytest.raises(adience.DataSetError, match=f"^this lesson needs at least {said}[^.]*$"):
        adience.require(table, "test photographs", **least)


def test_a_missing_gender_is_none() -> None:
    adience.require(TABLE, "photographs", genders=2)
    with pytest.raises(adience.DataSetError, match=r"2 genders .* finds 0"):
        adience.require(TABLE.assign(gender=None), "photographs", genders=2)


def test_a_table_without_any_row_lacks_all() -> None:
    with pytest.raises(adience.DataSetError, match=r"1 photographs and 1 albums .* finds 0 and 0"):
        adience.require(TABLE.head(0), "photographs", photographs=1, albums=1)

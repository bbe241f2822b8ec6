"""A table of pandas on a page: words on the left, no row numbers, one row of names."""

from __future__ import annotations

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import tables


def seen(table: pd.DataFrame) -> BeautifulSoup:
    return BeautifulSoup(tables.readable(table._repr_html_()), "html.parser")


def rows(page: BeautifulSoup) -> list[list[str]]:
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]


def words(page: BeautifulSoup) -> list[list[bool]]:
    return [
        ["words" in cell.get("class", []) for cell in row.find_all(["th", "td"])]
        for row in page.find_all("tr")
    ]


def test_rows_without_a_name_have_no_number():
    page = seen(pd.DataFrame({"model": ["pooled", "published"], "accuracy": [0.75, 0.82]}))
    assert rows(page) == [["model", "accuracy"], ["pooled", "0.75"], ["published", "0.82"]]


@pytest.mark.parametrize(
    "index", [pd.Index([3, 7]), pd.Index([1, 2]), pd.Index([0, 1], name="fold"), pd.Index(["0", "one"])]
)
def test_rows_keep_what_says_which_they_are(index):
    page = seen(pd.DataFrame({"faces": [20, 30]}, index=index))
    assert [row[0] for row in rows(page)[1:]] == [str(name) for name in index]


def test_the_name_of_the_index_stands_among_the_other_names():
    page = seen(pd.DataFrame({"albums": [44, 38]}, index=pd.Index([0, 1], name="fold")))
    assert rows(page) == [["fold", "albums"], ["0", "44"], ["1", "38"]]


def test_two_names_of_the_index_do_too():
    index = pd.MultiIndex.from_tuples([("mean", 1), ("mode", 2)], names=["way", "seed"])
    assert rows(seen(pd.DataFrame({"MAE": [0.5, 0.6]}, index=index)))[0] == ["way", "seed", "MAE"]


def test_columns_with_a_name_of_their_own_keep_both_rows():
    table = pd.DataFrame(
        [[1, 2]], index=pd.Index(["f"], name="labelled"), columns=pd.Index(["f", "m"], name="predicted")
    )
    assert rows(seen(table)) == [["predicted", "f", "m"], ["labelled", "", ""], ["f", "1", "2"]]


@pytest.mark.parametrize(
    "values", [["0.29 (0.25–0.33)", "0.3"], [1e-12, 3.0], [float("nan"), 2.0], ["12 %", "−3 %"], ["1", ""]]
)
def test_numbers_are_no_words(values):
    assert words(seen(pd.DataFrame({"answer": ["a", "b"], "score": values}))) == [[True, False]] * 3


@pytest.mark.parametrize("values", [["(0, 2)", "(60, 100)"], ["12 of 44", "3"], ["conv_1", "7"], ["é", "1"]])
def test_words_are_words_in_every_row(values):
    assert words(seen(pd.DataFrame({"score": [1, 2], "what": values}))) == [[False, True]] * 3


def test_a_table_whose_cells_span_columns_is_not_guessed_at():
    table = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("f", "a"), ("f", "b")]))
    page = seen(table)
    assert page.find(colspan="2")
    assert not page.find(class_="words")


@pytest.mark.parametrize("name", [None, "rows"])
def test_a_column_does_not_name_its_type(name):
    column = pd.Series([1, 2], index=["f", "m"], name=name)
    output = new_output("execute_result", data={"text/plain": repr(column)})
    notebook = new_notebook(cells=[new_code_cell("1", outputs=[output])])
    tables.for_the_page(notebook)
    assert notebook.cells[0].outputs[0].data["text/plain"] == "f    1\nm    2"


def test_other_outputs_stay_as_they_are():
    outputs = [
        new_output("stream", text="12 faces"),
        new_output("display_data", data={"text/html": "<b>bold</b>", "text/plain": "bold"}),
        new_output("execute_result", data={"text/html": pd.DataFrame({"a": [1]})._repr_html_()}),
    ]
    notebook = new_notebook(cells=[new_code_cell("1", outputs=outputs)])
    tables.for_the_page(notebook)
    stream, bold, table = notebook.cells[0].outputs
    assert stream.text == "12 faces"
    assert bold.data == {"text/html": "<b>bold</b>", "text/plain": "bold"}
    assert rows(BeautifulSoup(table.data["text/html"], "html.parser")) == [["a"], ["1"]]

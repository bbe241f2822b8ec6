"""The pages "Run it" and "Accessibility" say what the tests and the record say."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.book.test_pages import CONTENT
from tools import about_pages, accessibility
from tools.paths import REPOSITORY, chapters


@pytest.fixture
def book(tmp_path):
    for name in about_pages.PAGES:
        shutil.copy(REPOSITORY / "book" / name, tmp_path)
    return tmp_path


def test_every_name_becomes_what_is_known(book):
    about_pages.fill(book)
    for name in about_pages.PAGES:
        assert "{{ " not in (book / name).read_text()
    page = (book / "accessibility.md").read_text()
    assert f"any of the {len(CONTENT)} pages" in page
    assert f"theme: {2 * len(CONTENT)} runs, with axe-playwright-python 0." in page
    for rule in accessibility.THEME_VIOLATIONS | accessibility.BIBLIOGRAPHY_VIOLATIONS:
        assert f"* `{rule}`: " in page


def test_the_badge_shows_the_record(book, monkeypatch, tmp_path):
    record = json.loads(about_pages.TESTED.read_text())
    record |= {"date": "2027-02-03", "python": "3.13.9"}
    record["versions"] |= {"keras": "9.9.9"}
    record["lessons"] = {"a": "quick", "b": "default", "c": "quick"}
    monkeypatch.setattr(about_pages, "TESTED", tmp_path / "colab.json")
    about_pages.TESTED.write_text(json.dumps(record))
    about_pages.fill(book)
    page = (book / "run_it.md").read_text()
    assert "{bdg-primary}`2027-02-03` {bdg-primary}`Python 3.13.9` " in page
    assert "{bdg-primary}`keras 9.9.9`" in page
    assert f"On 3 February 2027, 3 of the {len(chapters())} lessons ran" in page
    assert "alone: 2 with `quick`, 1 by default and" in page


@pytest.mark.parametrize(
    ("instead", "complaint"),
    [
        ("", r"run_it\.md must have \{\{ tested \}\}"),
        ("{{ tested }} {{ other }}", r"run_it\.md names other; there are tested"),
    ],
)
def test_a_page_that_names_something_else_is_refused(book, instead, complaint):
    page = book / "run_it.md"
    page.write_text(page.read_text().replace("{{ tested }}", instead))
    with pytest.raises(ValueError, match=complaint):
        about_pages.fill(book)

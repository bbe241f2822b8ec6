"""What works are called, and which addresses lead to them."""

from __future__ import annotations

import re

import pytest

from tools import bibliography
from tools.paths import REPOSITORY

WORKS = {work.key: work for work in bibliography.read(REPOSITORY / "book" / "references.bib")}
# Without an address that we have seen to be theirs; lessons cannot cite them until there is one.
WITHOUT_ADDRESS = {"bregier2026", "holm1979", "kish1965", "westfall1993"}


@pytest.mark.parametrize(
    ("key", "names", "all_names"),
    [
        ("fitzpatrick1988", "Fitzpatrick", "Fitzpatrick"),
        ("levi2015", "Levi and Hassner", "Levi and Hassner"),
        ("eidinger2014", "Eidinger et al.", "Eidinger, Enbar and Hassner"),
        ("rothe2018", "Rothe et al.", "Rothe, Timofte and Van Gool"),
        ("paplham2024", "Paplhám and Franc", "Paplhám and Franc"),
        # Three works of one first author and year
        ("zhang2017", "Zhang, Bengio et al.", "Zhang, Bengio, Hardt, Recht and Vinyals"),
        ("zhang2017utkface", "Zhang, Song and Qi", "Zhang, Song and Qi"),
        ("aiact2024", "European Union", "European Union"),
    ],
)
def test_a_work_is_named_by_its_authors(key, names, all_names):
    assert (WORKS[key].names, WORKS[key].all_names) == (names, all_names)


def test_names_and_year_mean_one_work():
    assert len({(work.names, work.year) for work in WORKS.values()}) == len(WORKS)


def test_an_address_means_one_work():
    addresses = [address for work in WORKS.values() for address in work.addresses]
    assert len(set(addresses)) == len(addresses)
    assert {key for key, work in WORKS.items() if not work.addresses} == WITHOUT_ADDRESS


def test_scheme_case_and_a_last_slash_make_no_difference():
    assert bibliography.bare("http://DOI.org/10.1/ABC/") == bibliography.bare("https://doi.org/10.1/abc")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (
            "@misc{a, author={A, B}, title={T}, year={1}}\n@misc{b, author={A, C}, title={U}, year={1}}",
            "a, b",
        ),
        ("@misc{a, author={A, B}, title={T}}", "no year in a"),
    ],
)
def test_works_that_cannot_be_told_apart_are_refused(entries, words, tmp_path):
    (tmp_path / "works.bib").write_text(entries)
    with pytest.raises(ValueError, match=re.escape(words)):
        bibliography.read(tmp_path / "works.bib")

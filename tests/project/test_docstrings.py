"""The form of the docstrings, and whether their examples are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest
from numpydoc.validate import ERROR_MSGS, validate

import facelab
from tests.project.doors import PUBLIC

OFF = {
    "ES01": "a summary may say all there is to say",
    "SA01": "the text links to what is related, with :func:`…`, where it matters",
    "EX01": "what needs a data set or a training has its example in the lessons",
    "PR04": "a parameter that is documented as that of another function has its type there",
}
"""The errors of numpydoc that are none here, each with the reason."""


@pytest.mark.parametrize("function", PUBLIC)
def test_a_docstring_has_the_form_of_numpydoc(function: str) -> None:
    errors = validate(f"facelab.{function}")["errors"]
    assert [f"{code}: {message}" for code, message in errors if code not in OFF] == []


def test_what_is_switched_off_is_an_error_that_numpydoc_knows() -> None:
    assert set(OFF) <= set(ERROR_MSGS)


MODULES = [module.name for module in pkgutil.walk_packages(facelab.__path__, "facelab.")]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_are_true(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    failed = doctest.testmod(importlib.import_module(module)).failed
    assert failed == 0, capsys.readouterr().out


def test_an_example_that_is_wrong_would_be_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Examples are found in the package, and doctest counts a wrong one."""
    assert sum(len(test.examples) for test in examples()) > 40
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    assert doctest.DocTestRunner(verbose=False).run(wrong).failed == 1


def examples() -> list[doctest.DocTest]:
    """List the examples of all modules."""
    found = (
        doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name)) for name in MODULES
    )
    return [test for tests in found for test in tests]

"""The book's pages, as `make book` rendered them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.paths import HTML


@pytest.fixture(scope="session")
def html() -> Path:
    """Folder of the rendered book."""
    if not (HTML / "index.html").exists():
        pytest.fail("the book has not been rendered: run `make book` first")
    return HTML

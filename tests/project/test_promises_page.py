"""Each promise of the book's page is held by a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "book" / "promises.md").read_text(encoding="utf-8")


def test_every_promise_names_a_test_and_it_is_there():
    rows = re.findall(r"^\| (?!What happens|---)(.+) \| (.+) \| (.+) \|$", PAGE, flags=re.MULTILINE)
    assert len(rows) > 20
    for _, _, held_by in rows:
        named = re.fullmatch(r"([\w ]+) \(`(test_\w+\.py)`\)", held_by)
        assert named, held_by
        (file,) = (REPOSITORY / "tests").rglob(named[2])
        function = f"def test_{named[1].replace(' ', '_')}("
        assert function in file.read_text(encoding="utf-8"), (function, file)

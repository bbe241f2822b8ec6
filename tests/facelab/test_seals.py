"""What a seal holds, and that anything else is no seal."""

from __future__ import annotations

import json

import pytest

from facelab import seals


@pytest.fixture
def sealed(tmp_path):
    files = [tmp_path / "notebook.ipynb", tmp_path / "results" / "record.json"]
    files[1].parent.mkdir()
    for file in files:
        file.write_text(f"the content of {file.name}")
    seals.write(tmp_path / "seal.json", files, "digest", 3.5)
    return tmp_path / "seal.json"


def test_it_holds_what_was_sealed(sealed):
    seal = seals.unbroken(sealed)
    assert seal == seals.read(sealed)
    assert (seal.inputs, seal.seconds) == ("digest", 3.5)
    assert set(seal.files) == {"notebook.ipynb", "results/record.json"}


@pytest.mark.parametrize("name", ["notebook.ipynb", "results/record.json"])
@pytest.mark.parametrize("damage", ["changed", "removed", "a folder"])
def test_it_is_broken_when_a_file_is_another(sealed, name, damage):
    file = sealed.parent / name
    content = file.read_text()
    file.unlink()
    if damage == "changed":
        file.write_text(content.replace("content", "Content"))
    elif damage == "a folder":
        file.mkdir()
    assert seals.unbroken(sealed) is None
    assert seals.read(sealed) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda seal: None,
        lambda seal: [],
        lambda seal: {},
        lambda seal: seal | {"more": 1},
        lambda seal: seal | {"seconds": "long"},
        lambda seal: seal | {"files": None},
        lambda seal: seal | {"files": ["notebook.ipynb"]},
        lambda seal: seal | {"files": {"../elsewhere": "0"}},
        lambda seal: seal | {"files": {"/etc/hostname": "0"}},
    ],
)
def test_what_cannot_be_read_or_speaks_of_files_elsewhere_is_no_seal(sealed, change):
    sealed.write_text(json.dumps(change(json.loads(sealed.read_text()))))
    assert seals.read(sealed) is None
    assert seals.unbroken(sealed) is None


@pytest.mark.parametrize("content", [b"", b'{"inputs', b"\xff\xfe", b"\0" * 100, b"[" * 100_000])
def test_no_more_is_a_file_of_other_bytes(sealed, content):
    sealed.write_bytes(content)
    assert seals.read(sealed) is None


def test_files_elsewhere_are_not_sealed(tmp_path):
    with pytest.raises(ValueError, match="subpath"):
        seals.write(tmp_path / "build" / "seal.json", [tmp_path / "elsewhere"], "digest", 1.0)

"""What a worker reads when it begins: files that are cut or changed are named, or made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelab.files import written_whole
from facesim import bank
from facesim.assets import AssetError

SHAPE = (3, 5, 3)
TARGETS = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The targets as :func:`facesim.bank.load_bank` keeps them."""
    with written_whole(tmp_path / "targets.npz") as aside:
        np.savez(aside, targets=TARGETS)
    return tmp_path / "targets.npz"


def test_what_was_kept_is_read(kept: Path) -> None:
    found = bank._kept(kept, SHAPE)
    assert found is not None
    assert (found == TARGETS).all()


@pytest.mark.parametrize("bit", [0x01, 0x08, 0x80])
def test_a_changed_byte_gives_the_same_targets_or_none(kept: Path, bit: int) -> None:
    """None lets them be read from the assets again; other targets would be other faces."""
    whole = kept.read_bytes()
    refused = 0
    for place in range(len(whole)):
        kept.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        found = bank._kept(kept, SHAPE)
        refused += found is None
        assert found is None or (found == TARGETS).all(), place
    assert refused > TARGETS.nbytes  # every byte of the numbers, and of what says how to read them


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_what_is_cut_is_not_read(kept: Path, share: float) -> None:
    kept.write_bytes(kept.read_bytes()[: int(share * kept.stat().st_size)])
    assert bank._kept(kept, SHAPE) is None


@pytest.mark.parametrize(
    "other", [TARGETS[:2], TARGETS.astype(np.float64), np.array([{"a": 1}], dtype=object)], ids=str
)
def test_other_targets_are_not_read(kept: Path, other: np.ndarray) -> None:
    np.savez(kept, targets=other)
    assert bank._kept(kept, SHAPE) is None
    np.savez(kept, others=TARGETS)
    assert bank._kept(kept, SHAPE) is None
    kept.unlink()
    assert bank._kept(kept, SHAPE) is None


@pytest.mark.parametrize("damage", [b"", b"no picture", None])
def test_a_texture_that_cannot_be_read_is_named(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "skin.png"
    Image.effect_noise((64, 64), 50).save(path)
    assert bank._rgba(path).shape == (64, 64, 4)
    path.write_bytes(path.read_bytes()[:900] if damage is None else damage)
    with pytest.raises(AssetError, match=r"skin\.png, the picture in it: .*fetch-assets"):
        bank._rgba(path)
    path.unlink()
    with pytest.raises(AssetError, match=r"skin\.png"):
        bank._rgba(path)

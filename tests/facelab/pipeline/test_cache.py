"""Pixels kept in a file: on a full disk, after a kill, damaged, and made by several processes at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facelab import adience, pipeline
from facelab.pipeline import _cache
from tests.facelab.harms import replace_by_a_folder, replace_by_a_link_to_nothing
from tests.facelab.kills import killed_at_each_step, without_empty_workplaces
from tests.facelab.pipeline.conftest import SMALL, Table, read

posix = pytest.mark.skipif(os.name != "posix", reason="this can be done to a process on POSIX only")


@pytest.fixture
def faces(make_table: Callable[..., Table]) -> Table:
    return make_table(*[(24, 24)] * 50)


def kept(faces: Table, cache: Path) -> np.ndarray:
    """Pixels as they come out of a cache, as uint8."""
    table, data_dir = faces
    dataset = pipeline.batches(table, data_dir, np.zeros(len(table)), SMALL, cache=cache)
    return np.round(np.concatenate([images for images, _ in dataset]) * 255).astype(np.uint8)


# ---- Without room ------------------------------------------------------------------------------------------

KEEPS = """
import json, os, sys
import numpy as np, pandas as pd
from facelab import pipeline

limit, table, folder, cache = json.loads(sys.argv[1])
table = pd.DataFrame(table)
arguments = (table, folder, np.zeros(len(table)), pipeline.PixelContract(64, 3))
pipeline.batches(*arguments)  # to see that all is well without a file
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
pipeline.batches(*arguments, cache=cache)
"""


def keep_in_a_process(faces: Table, cache: Path, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """Keep 614,528 bytes in a process of its own: a full disk has killed it, and would kill the tests."""
    table, data_dir = faces
    told = json.dumps([limit, {"path": table["path"].tolist()}, str(data_dir), str(cache)])
    command = [sys.executable, "-c", KEEPS, told]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def check_it_says_what_to_do(ended: subprocess.CompletedProcess[str], cache: Path, remedy: str) -> None:
    assert ended.returncode == 1, ended.stderr  # and not killed by a signal
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("OSError: the pixels of 50 photographs cannot be kept in")
    assert str(cache) in last
    assert "takes 614528 bytes" in last
    assert remedy in last


@posix
@pytest.mark.slow
def test_a_full_disk_is_named_leaves_only_the_lock_and_is_used_once_there_is_room(
    faces: Table, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("size=256k")
    ended = keep_in_a_process(faces, disk / "cache")
    check_it_says_what_to_do(ended, disk / "cache", "make room there (disk space or number of files), name")
    assert [path for path in disk.rglob("*") if path.name != "cache" and path.suffix != ".lock"] == []
    small_disk("size=4m")
    table, data_dir = faces
    contract = pipeline.PixelContract(64, 3)
    pipeline.batches(table, data_dir, np.zeros(50), contract, cache=disk / "cache")
    (file,) = (disk / "cache").iterdir()
    assert np.array_equal(np.load(file), read(*faces, contract))


@posix
@pytest.mark.slow
def test_a_file_that_grows_beyond_what_is_allowed_is_named_and_leaves_only_the_lock(
    faces: Table, tmp_path: Path
) -> None:
    ended = keep_in_a_process(faces, tmp_path / "cache", limit=256_000)
    check_it_says_what_to_do(ended, tmp_path / "cache", "name another folder as cache, or leave cache out")
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_a_disk_without_room_for_another_file_is_named(
    faces: Table, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("size=1m,nr_inodes=3")
    with pytest.raises(OSError, match=r"cannot be kept in .* 12928 bytes: make room there"):
        kept(faces, disk)
    assert [path.suffix for path in disk.iterdir()] == [".lock"]


def test_a_place_that_cannot_hold_files_is_named(faces: Table, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises(OSError, match=r"cannot be kept in .*cache .*: name another folder as cache"):
        kept(faces, tmp_path / "cache")


# ---- Whole, or not there -----------------------------------------------------------------------------------


@posix
@pytest.mark.slow
def test_whoever_is_killed_at_any_step_the_next_one_keeps_the_right_pixels(tmp_path: Path) -> None:
    (tmp_path / "photograph.jpg").touch()
    setup = (
        "import numpy as np\n"
        "from facelab.pipeline import _cache, _writing, PixelContract\n"
        "_writing.SURE_EVERY = 10\n"
        "def chunks(paths, contract):\n"
        "    for first in range(40 - len(paths), 40, 10):\n"
        "        yield np.full((10, 16, 16, 1), first, np.uint8)\n"
        "        sys.audit('step')\n"
        "_cache.read_chunks = chunks\n"
        "def work(folder):\n"
        "    _cache.read_once([sys.argv[2]] * 40, PixelContract(16, 1), folder)\n"
    )
    killed = killed_at_each_step(setup, tmp_path / "killed", str(tmp_path / "photograph.jpg"))
    assert len(killed) > 10
    for folder in killed:
        (name,) = without_empty_workplaces(folder)
        assert np.array_equal(np.load(folder / name)[:, 0, 0, 0], np.repeat([0, 10, 20, 30], 10))


def test_what_a_killed_process_left_goes_though_the_pixels_are_there(faces: Table, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    kept(faces, cache)
    (cache / ".partial-killed" / "here").mkdir(parents=True)
    (cache / ".partial-killed" / "here" / "pixels.npy").write_bytes(b"half")
    kept(faces, cache)
    assert len(list(cache.iterdir())) == 1


@pytest.mark.slow
def test_processes_that_keep_the_same_pixels_at_once_all_get_them(faces: Table, tmp_path: Path) -> None:
    table, data_dir = faces
    table.to_pickle(tmp_path / "table.pkl")
    code = (
        "import sys, zlib, numpy as np, pandas as pd; from facelab.pipeline import _cache, PixelContract\n"
        "table = pd.read_pickle(sys.argv[1]); paths = [f'{sys.argv[2]}/{path}' for path in table['path']]\n"
        "print('ready', flush=True); input()\n"
        "for again in range(20):\n"
        "    pixels = _cache.read_once(paths, PixelContract(16, 1), f'{sys.argv[3]}/{again}')\n"
        "    print(zlib.crc32(pixels.tobytes()))\n"
    )
    command = [
        sys.executable,
        "-c",
        code,
        str(tmp_path / "table.pkl"),
        str(data_dir),
        str(tmp_path / "cache"),
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    asking = [subprocess.Popen(command, **pipes) for _ in range(3)]
    assert [process.stdout.readline() for process in asking] == ["ready\n"] * 3
    for process in asking:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=300)[0] for process in asking]
    assert [process.returncode for process in asking] == [0, 0, 0]
    assert len({line for lines in said for line in lines.split()}) == 1
    assert all(len(list(folder.iterdir())) == 1 for folder in (tmp_path / "cache").iterdir())


def test_a_process_that_was_quicker_is_believed(
    faces: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace a file that another process has mapped."""
    replace = Path.replace

    def refuse(aside: Path, target: Path) -> None:
        shutil.copy(aside, target)
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(Path, "replace", refuse)
    pixels = kept(faces, tmp_path / "cache")
    monkeypatch.setattr(Path, "replace", replace)
    assert np.array_equal(pixels, read(*faces))


# ---- What is kept, and has been changed since --------------------------------------------------------------


def save(file: Path, pixels: np.ndarray, how: Callable[..., None] = np.save) -> None:
    with file.open("wb") as opened:
        how(opened, pixels)


def change_the_header(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[30] ^= 1
    file.write_bytes(data)


HARMS = {
    "cut in half": lambda file: os.truncate(file, file.stat().st_size // 2),
    "cut by a byte": lambda file: os.truncate(file, file.stat().st_size - 1),
    "cut in its header": lambda file: os.truncate(file, 20),
    "empty": lambda file: os.truncate(file, 0),
    "a byte longer": lambda file: os.truncate(file, file.stat().st_size + 1),
    "a changed header": change_the_header,
    "no array": lambda file: file.write_bytes(b"x" * file.stat().st_size),
    "another side": lambda file: save(file, np.zeros((50, 8, 8, 1), np.uint8)),
    "other channels": lambda file: save(file, np.zeros((50, 16, 16, 3), np.uint8)),
    "other numbers": lambda file: save(file, np.zeros((50, 16, 16, 1), np.float64)),
    "signed numbers": lambda file: save(file, np.zeros((50, 16, 16, 1), np.int8)),
    "more rows": lambda file: save(file, np.zeros((400, 16, 16, 1), np.uint8)),
    "fewer rows": lambda file: save(file, np.zeros((10, 16, 16, 1), np.uint8)),
    "another order": lambda file: save(file, np.asfortranarray(np.zeros((50, 16, 16, 1), np.uint8))),
    "one number": lambda file: save(file, np.array(0, np.uint8)),
    "objects": lambda file: save(file, np.array([{}] * 50)),
    "an archive of arrays": lambda file: save(file, np.zeros((50, 16, 16, 1), np.uint8), np.savez),
    "a folder": replace_by_a_folder,
}
if os.name == "posix":  # a link needs special rights on Windows
    HARMS["a link to nothing"] = replace_by_a_link_to_nothing


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_kept_pixels_that_are_not_those_written_are_named_with_the_remedy_which_helps(
    faces: Table, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    pixels = kept(faces, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    harm(file)
    with pytest.raises(adience.DataSetError, match=rf"{file.name} .*: delete") as caught:
        kept(faces, tmp_path / "cache")
    assert str(tmp_path / "cache") in str(caught.value)
    shutil.rmtree(file) if file.is_dir() else file.unlink()
    assert np.array_equal(kept(faces, tmp_path / "cache"), pixels)


def test_what_was_written_through_a_map_is_still_good(faces: Table, tmp_path: Path) -> None:
    kept(faces, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    pixels = np.load(file)
    mapped = np.lib.format.open_memmap(file, "w+", np.uint8, pixels.shape)
    mapped[:] = pixels + 1
    mapped.flush()
    assert np.array_equal(kept(faces, tmp_path / "cache"), pixels + 1)


def test_pixels_that_an_earlier_way_of_reading_made_are_made_anew(
    faces: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cache, "_READING", _cache._READING - 1)
    kept(faces, tmp_path / "cache")
    monkeypatch.undo()
    kept(faces, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_cache_may_be_named_from_home(
    faces: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    kept(faces, Path("~/cache"))
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize("number", [np.int64, np.uint8])
def test_a_contract_of_numpys_numbers_will_do(
    faces: Table, tmp_path: Path, number: Callable[[int], int]
) -> None:
    table, data_dir = faces
    contract = pipeline.PixelContract(number(16), number(1))
    pipeline.batches(table, data_dir, np.zeros(50), contract, cache=tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    assert np.array_equal(np.load(file), read(*faces))

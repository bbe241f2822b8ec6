import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import platformdirs
import pytest

from facelab import adience, embedded
from tests.facelab.harms import replace_by_a_folder, replace_by_a_link_to_nothing
from tests.facelab.kills import killed_at_each_step, without_empty_workplaces

FILES = {
    "fold_0_data.txt": b"annotations",
    "faces/7@N01/coarse_tilt_aligned_face.1.1_o.jpg": b"a photograph" * 1000,
    "factors.csv": b"path,age_years,hair_style,beard\na.jpg,31.5,None,\nb.jpg,4.0,short,stubble\n",
}


class Package:
    """A package's folder of archives, with one archive in it."""

    def __init__(self, folder: Path, files: dict[str, bytes]) -> None:
        self.folder = folder
        self.packed = folder / "faces.zip"
        folder.mkdir()
        with zipfile.ZipFile(self.packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        self.record(files=len(files), unpacked_bytes=sum(map(len, files.values())))

    def record(self, **known: object) -> None:
        data = self.packed.read_bytes()
        self.known = {
            "file": self.packed.name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        } | known
        both = {"embedded_faces": self.known, "counterfactual_faces": self.known}
        (self.folder / "archives.json").write_text(json.dumps(both))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def package(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    package = Package(tmp_path / "package", FILES)
    monkeypatch.setattr(embedded, "ARCHIVES", package.folder)
    return package


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


# ---- Unpacking --------------------------------------------------------------------------------------------


def test_the_first_use_unpacks_and_the_next_finds_it(package: Package, cache: Path) -> None:
    folder = embedded.data_dir()
    assert folder == cache / f"embedded_faces-{package.known['sha256'][:16]}"
    assert content(folder) == FILES
    assert [path.name for path in cache.iterdir()] == [folder.name]
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    package.packed.unlink()
    assert embedded.data_dir() == folder


def test_the_two_archives_have_folders_of_their_own(package: Package, cache: Path) -> None:
    assert embedded.counterfactual_dir().name.startswith("counterfactual_faces-")
    assert embedded.data_dir() != embedded.counterfactual_dir()
    assert len(list(cache.iterdir())) == 2


def test_without_the_variable_the_cache_is_the_users(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACELAB_CACHE", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, appauthor: tmp_path / "user" / name)
    assert embedded.data_dir().parent == tmp_path / "user" / "facelab"


def test_a_new_archive_gets_a_new_folder(package: Package) -> None:
    old = embedded.data_dir()
    with zipfile.ZipFile(package.packed, "a") as archive:
        archive.writestr("more.txt", b"more")
    package.record(files=len(FILES) + 1, unpacked_bytes=sum(map(len, FILES.values())) + 4)
    assert embedded.data_dir() != old
    assert content(embedded.data_dir()) == FILES | {"more.txt": b"more"}


def test_processes_that_ask_at_once_all_get_it(package: Package, cache: Path) -> None:
    code = (
        "import pathlib, sys; from facelab import embedded\n"
        "embedded.ARCHIVES = pathlib.Path(sys.argv[1]); print('ready', flush=True); input()\n"
        "print(embedded.data_dir())"
    )
    command = [sys.executable, "-c", code, str(package.folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    asking = [subprocess.Popen(command, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in asking] == ["ready\n"] * 2
    for process in asking:
        process.stdin.write("\n")
        process.stdin.flush()
    folders = [process.communicate(timeout=60)[0].strip() for process in asking]
    assert [process.returncode for process in asking] == [0, 0]
    assert set(folders) == {str(embedded.data_dir())}
    assert content(embedded.data_dir()) == FILES
    assert len(list(cache.iterdir())) == 1


def test_a_process_that_was_quicker_is_believed(
    package: Package, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extractall = zipfile.ZipFile.extractall
    quicker = cache / f"embedded_faces-{package.known['sha256'][:16]}"

    def meanwhile(opened: zipfile.ZipFile, path: Path) -> None:
        extractall(opened, path)
        extractall(opened, quicker)

    monkeypatch.setattr(zipfile.ZipFile, "extractall", meanwhile)
    assert embedded.data_dir() == quicker
    assert content(quicker) == FILES
    assert len(list(cache.iterdir())) == 1


# ---- What can go wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), OSError(28, "No space left on device"), PermissionError(13, "no")]
)
def test_an_unpacking_that_stops_half_way_leaves_nothing(
    package: Package, cache: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    def half(opened: zipfile.ZipFile, path: Path) -> None:
        opened.extract(next(iter(FILES)), path)
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extractall", half)
        with pytest.raises((embedded.ArchiveError, KeyboardInterrupt)) as caught:
            embedded.data_dir()
    assert list(cache.iterdir()) == []
    if not isinstance(stop, KeyboardInterrupt):
        assert str(cache) in str(caught.value)
        assert "FACELAB_CACHE" in str(caught.value)
    if isinstance(stop, OSError) and stop.errno == 28:
        assert f"needs {package.known['unpacked_bytes']} bytes" in str(caught.value)
    assert content(embedded.data_dir()) == FILES


def test_a_truncated_archive_is_refused(package: Package, cache: Path) -> None:
    data = package.packed.read_bytes()
    package.packed.write_bytes(data[:-50])
    with pytest.raises(
        embedded.ArchiveError, match=f"has {len(data) - 50} bytes instead of {len(data)}: install"
    ):
        embedded.data_dir()
    assert not cache.exists()


def test_a_changed_archive_is_refused(package: Package, cache: Path) -> None:
    data = bytearray(package.packed.read_bytes())
    data[60] ^= 1
    package.packed.write_bytes(data)
    with pytest.raises(embedded.ArchiveError, match=r"has SHA-256 [0-9a-f]{64} instead of"):
        embedded.data_dir()
    assert not cache.exists()


def test_a_missing_archive_or_record_is_named(package: Package) -> None:
    package.packed.unlink()
    with pytest.raises(embedded.ArchiveError, match=r"faces\.zip is missing: install facelab again"):
        embedded.data_dir()
    (package.folder / "archives.json").write_text("{}")
    with pytest.raises(embedded.ArchiveError, match=r"archives\.json has no record of embedded_faces"):
        embedded.data_dir()
    (package.folder / "archives.json").unlink()
    with pytest.raises(embedded.ArchiveError, match="has no record of counterfactual_faces"):
        embedded.counterfactual_dir()


@pytest.mark.parametrize(
    "name", ["../out.txt", "/out.txt", "faces/../../out.txt", "..\\out.txt", "C:/out.txt"]
)
def test_a_member_that_would_leave_the_folder_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(embedded, "ARCHIVES", Package(tmp_path / "package", FILES | {name: b"out"}).folder)
    with pytest.raises(embedded.ArchiveError, match="which would leave its folder"):
        embedded.data_dir()
    assert list(cache.iterdir()) == []
    assert not list(tmp_path.rglob("out.txt"))


def test_a_link_in_an_archive_is_refused(package: Package, cache: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(package.packed, "a") as archive:
        archive.writestr(link, "/etc")
    package.record(files=len(FILES) + 1, unpacked_bytes=sum(map(len, FILES.values())) + 4)
    with pytest.raises(embedded.ArchiveError, match="'link', which would leave"):
        embedded.data_dir()
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"files": 2}, {"unpacked_bytes": 10}])
def test_an_archive_larger_than_recorded_is_refused(
    package: Package, cache: Path, wrong: dict[str, int]
) -> None:
    right = {"files": len(FILES), "unpacked_bytes": sum(map(len, FILES.values()))}
    package.record(**(right | wrong))
    with pytest.raises(embedded.ArchiveError, match="would unpack to 3 files"):
        embedded.data_dir()
    assert list(cache.iterdir()) == []


def test_an_archive_that_is_no_zip_is_refused(package: Package, cache: Path) -> None:
    package.packed.write_bytes(b"no zip")
    package.record(files=1, unpacked_bytes=6)
    with pytest.raises(embedded.ArchiveError, match="is no whole zip archive"):
        embedded.data_dir()
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_named(package: Package, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(embedded.ArchiveError, match=r"cannot unpack.*FACELAB_CACHE"):
        embedded.data_dir()


@pytest.mark.skipif(os.name != "posix", reason="only POSIX kills a process outright")
def test_an_unpacking_that_is_killed_at_any_step_is_done_by_the_next_use(package: Package) -> None:
    setup = (
        "from facelab import embedded\n"
        "embedded.ARCHIVES = Path(sys.argv[2])\n"
        "def work(folder):\n"
        "    os.environ['FACELAB_CACHE'] = str(folder)\n"
        "    embedded.data_dir()\n"
    )
    name = f"embedded_faces-{package.known['sha256'][:16]}"
    killed = killed_at_each_step(setup, package.folder.parent / "killed", str(package.folder))
    assert len(killed) > 10
    for folder in killed:
        assert content(folder / name) == FILES
        assert without_empty_workplaces(folder) == [name]


def test_what_a_killed_process_left_goes_though_there_is_nothing_to_unpack(
    package: Package, cache: Path
) -> None:
    folder = embedded.data_dir()
    left = cache / ".partial-killed" / "here" / "unpacked"
    left.mkdir(parents=True)
    embedded.data_dir()
    assert list(cache.iterdir()) == [folder]


def test_leftovers_of_earlier_versions_go_after_a_day(package: Package, cache: Path) -> None:
    folder = embedded.data_dir()
    old, new, other = (cache / name for name in (".embedded_faces-1-a", ".embedded_faces-1-b", ".embedded"))
    for place in (old, new, other):
        (place / "faces").mkdir(parents=True)
    for place in (old, other):
        os.utime(place, (time.time() - 100_000,) * 2)
    embedded.data_dir()
    assert sorted(cache.iterdir()) == sorted([folder, new, other])


def test_a_full_disk_is_named_and_leaves_nothing(
    package: Package, small_disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = small_disk("size=1m,nr_inodes=8")  # room enough, but not for so many files
    monkeypatch.setenv("FACELAB_CACHE", str(disk))
    with pytest.raises(
        embedded.ArchiveError,
        match=r"no room left in .* \(disk space or number of files\).* in 3 files\. Make",
    ):
        embedded.data_dir()
    assert list(disk.iterdir()) == []
    small_disk("size=1m,nr_inodes=50")
    assert content(embedded.data_dir()) == FILES


def test_a_file_in_the_place_of_the_folder_is_named(package: Package, cache: Path) -> None:
    folder = embedded.data_dir()
    shutil.rmtree(folder)
    folder.write_text("not a folder")
    with pytest.raises(embedded.ArchiveError, match=rf"{folder.name} is in the way .*: delete it"):
        embedded.data_dir()


def test_a_home_that_does_not_exist_is_named(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACELAB_CACHE", "~nobody_of_this_name/cache")
    with pytest.raises(
        embedded.ArchiveError, match=r"FACELAB_CACHE is ~nobody_of_this_name/cache .*full path"
    ):
        embedded.data_dir()


def encrypt(package: Package) -> None:
    """Mark every file of an archive as encrypted, in both places where a zip archive says so."""
    data = bytearray(package.packed.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = data.find(signature)
        while start >= 0:
            data[start + offset] |= 1
            start = data.find(signature, start + 4)
    package.packed.write_bytes(data)


def compress_otherwise(package: Package) -> None:
    with zipfile.ZipFile(package.packed, "w", zipfile.ZIP_BZIP2) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)


def damage_inside(package: Package) -> None:
    """Change compressed bytes, so that they are no longer such."""
    data = bytearray(package.packed.read_bytes())
    start = data.find(b"_o.jpg") + len(b"_o.jpg")
    data[start : start + 8] = b"\xff" * 8
    package.packed.write_bytes(data)


@pytest.mark.parametrize("harm", [encrypt, compress_otherwise, damage_inside])
def test_an_archive_that_cannot_be_unpacked_is_named(
    package: Package, cache: Path, harm: Callable[[Package], None]
) -> None:
    harm(package)
    package.record(files=len(FILES), unpacked_bytes=sum(map(len, FILES.values())))
    with pytest.raises(embedded.ArchiveError, match=r"faces\.zip .*: install facelab again"):
        embedded.data_dir()
    assert list(cache.iterdir()) == []


RIGHT = {"file": "faces.zip", "sha256": "0" * 64, "bytes": 1, "files": 1, "unpacked_bytes": 1}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b"[" * 100_000,
        b'{"embedded_faces": []}',
        b'{"embedded_faces": null}',
        b'{"embedded_faces": {}}',
        *(
            json.dumps({"embedded_faces": wrong}).encode()
            for wrong in (
                {key: value for key, value in RIGHT.items() if key != "sha256"},
                RIGHT | {"sha256": "../../.."},
                RIGHT | {"sha256": 7},
                RIGHT | {"file": "../elsewhere.zip"},
                RIGHT | {"file": None},
                RIGHT | {"bytes": "1"},
                RIGHT | {"files": -1},
                RIGHT | {"unpacked_bytes": 1.5},
            )
        ),
    ],
    ids=lambda text: text[:40].decode("latin-1"),
)
def test_a_damaged_record_is_named(package: Package, text: bytes) -> None:
    (package.folder / "archives.json").write_bytes(text)
    for ask in (embedded.data_dir, embedded.checksum, embedded.read_factors):
        with pytest.raises(
            embedded.ArchiveError, match=r"archives\.json has no record of .*: install facelab"
        ):
            ask()


links = pytest.mark.skipif(os.name != "posix", reason="a link needs special rights on Windows")


# ---- What was unpacked, and has been changed since ---------------------------------------------------------


PHOTOGRAPH = "faces/7@N01/coarse_tilt_aligned_face.1.1_o.jpg"


def remove(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def lengthen(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"more\n")


def rename(file: Path) -> None:
    file.rename(file.with_name("renamed"))


def fill_with_zeros(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


@pytest.mark.parametrize("name", list(FILES))
@pytest.mark.parametrize(
    "harm",
    [
        *(remove, cut, empty, lengthen, rename, replace_by_a_folder),
        pytest.param(replace_by_a_link_to_nothing, marks=links),
    ],
)
def test_a_changed_file_is_named_with_the_remedy_which_helps(
    package: Package, harm: Callable[[Path], None], name: str
) -> None:
    folder = embedded.data_dir()
    harm(folder / name)
    with pytest.raises(embedded.ArchiveError) as caught:
        embedded.data_dir()
    assert name in str(caught.value)
    assert f"Delete the folder {folder}, and it is unpacked again" in str(caught.value)
    shutil.rmtree(folder)
    assert content(embedded.data_dir()) == FILES


@pytest.mark.parametrize("name", ["fold_0_data.txt", "factors.csv"])
def test_a_table_of_the_same_length_with_another_content_is_named(package: Package, name: str) -> None:
    folder = embedded.data_dir()
    fill_with_zeros(folder / name)
    with pytest.raises(embedded.ArchiveError, match=f"{name} has another content. Delete the folder"):
        embedded.data_dir()


@links
def test_what_lies_on_another_disk_and_is_linked_is_found(package: Package, tmp_path: Path) -> None:
    folder = embedded.data_dir()
    (folder / "faces").rename(tmp_path / "faces")
    (folder / "faces").symlink_to(tmp_path / "faces")
    assert embedded.data_dir() == folder
    cut(tmp_path / PHOTOGRAPH)
    with pytest.raises(embedded.ArchiveError, match=r"_o\.jpg has 11999 bytes instead of 12000"):
        embedded.data_dir()


def test_an_emptied_folder_is_named_with_the_remedy(package: Package) -> None:
    folder = embedded.data_dir()
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(
        embedded.ArchiveError, match=r"is missing \(one of 3 such files\)\. Delete the folder"
    ):
        embedded.data_dir()
    assert list(folder.iterdir()) == []  # it is told, not mended


def test_two_photographs_that_changed_places_are_noticed(tmp_path: Path, package: Package) -> None:
    """The totals stay the same."""
    folder = embedded.data_dir()
    one, other = folder / PHOTOGRAPH, folder / "factors.csv"
    one.rename(folder / "aside")
    other.rename(one)
    (folder / "aside").rename(other)
    with pytest.raises(embedded.ArchiveError, match=r"bytes instead of .* \(one of 2 such files\)"):
        embedded.data_dir()


@links
def test_a_readers_own_files_are_no_damage_and_are_thought_of(package: Package) -> None:
    folder = embedded.data_dir()
    (folder / "my notes.txt").write_text("not to be lost")
    (folder / "loop").symlink_to(folder)
    assert embedded.data_dir() == folder
    (folder / PHOTOGRAPH).unlink()
    with pytest.raises(embedded.ArchiveError, match=r"Move your own files out of it first, such as loop"):
        embedded.data_dir()
    assert (folder / "my notes.txt").read_text() == "not to be lost"


@pytest.mark.parametrize("gone", [True, False])
def test_without_the_archive_the_recorded_totals_are_compared(package: Package, gone: bool) -> None:
    folder = embedded.data_dir()
    if gone:
        package.packed.unlink()
    else:
        package.packed.write_bytes(b"half")
    embedded._members.cache_clear()
    assert embedded.data_dir() == folder
    cut(folder / PHOTOGRAPH)
    with pytest.raises(embedded.ArchiveError, match=r"3 files of .* not all 3\. Delete the folder"):
        embedded.data_dir()


def test_looking_through_the_faces_opens_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = embedded.data_dir()
    opened, open_it = [], io.open

    def watched(file: object, *rest: object, **options: object) -> object:
        opened.append(Path(str(file)).suffix)
        return open_it(file, *rest, **options)

    monkeypatch.setattr(io, "open", watched)
    embedded.data_dir()
    assert ".jpg" not in opened
    next(folder.rglob("*.jpg")).read_bytes()
    assert opened[-1] == ".jpg"


# ---- The tables -------------------------------------------------------------------------------------------


def test_none_is_a_value_and_empty_is_missing(package: Package) -> None:
    factors = embedded.read_factors()
    assert factors["hair_style"].tolist() == ["None", "short"]
    assert factors["beard"].isna().tolist() == [True, False]
    assert factors["age_years"].tolist() == [31.5, 4.0]


def test_true_ages_come_in_the_tables_order(tmp_path: Path) -> None:
    (tmp_path / "factors.csv").write_bytes(FILES["factors.csv"])
    table = pd.DataFrame({"path": ["b.jpg", "a.jpg", "b.jpg"]}, index=[7, 3, 5])
    ages = embedded.true_ages(table, tmp_path)
    assert ages.tolist() == [4.0, 31.5, 4.0]
    assert ages.dtype == "float64"


def test_ages_that_nobody_knows_are_refused_with_the_remedy(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["a.jpg", "c.jpg"]})
    with pytest.raises(ValueError, match=r"has no factors\.csv, .* take years_outside"):
        embedded.true_ages(table, tmp_path)
    (tmp_path / "factors.csv").write_bytes(FILES["factors.csv"])
    with pytest.raises(ValueError, match=r"lacks the ages of 1 of 2 photographs"):
        embedded.true_ages(table, tmp_path)


def test_the_faces_that_come_with_the_package(cache: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", adience.DataSetWarning)
        table = adience.read_folds(embedded.data_dir())
    factors = embedded.read_factors()
    assert len(adience.usable(table)) > 5000
    assert set(table["path"]) == set(factors["path"])
    assert table.groupby("user_id")["fold"].nunique().max() == 1
    sweeps = embedded.read_sweeps()
    assert {"identity", "factor", "value", "path"} <= set(sweeps)
    folder = embedded.counterfactual_dir()
    assert all((folder / path).is_file() for path in sweeps["path"])

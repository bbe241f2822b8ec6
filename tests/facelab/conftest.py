"""Small synthetic data sets: single-coloured photographs, in the benchmark's layout."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from facelab import adience


@pytest.fixture
def annotations() -> Callable[..., pd.DataFrame]:
    """Annotations, one photograph for each dict given: what a dict leaves out has a default."""

    def make(*rows: dict[str, Any]) -> pd.DataFrame:
        default = dict.fromkeys(adience.COLUMNS, 0) | {
            "user_id": "7@N01",
            "age": "(25, 32)",
            "gender": "f",
            "fold": 0,
        }
        complete = [
            default | {"original_image": f"{n}_o.jpg", "face_id": n} | row for n, row in enumerate(rows)
        ]
        return pd.DataFrame(complete, columns=[*adience.COLUMNS, "fold"])

    return make


@pytest.fixture
def five_folds(annotations: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Two albums in each fold, three photographs in each album, groups and genders mixed."""
    return annotations(
        *(
            {
                "user_id": f"{fold}{album}@N00",
                "fold": fold,
                "age": adience.AGE_GROUPS[(fold + 3 * album + photograph) % 8],
                "gender": adience.GENDERS[photograph % 2],
            }
            for fold in adience.FOLDS
            for album in range(2)
            for photograph in range(3)
        )
    )


@pytest.fixture
def make_data_set(tmp_path: Path) -> Callable[..., Path]:
    """Write annotations and, unless told otherwise, their photographs; give the folder."""

    def make(annotations: pd.DataFrame, folders: tuple[str, ...] = ("faces",)) -> Path:
        data_dir = tmp_path / "data"
        adience.write_folds(annotations, data_dir)
        for row in annotations.itertuples():
            for folder in folders:
                name = adience.photograph_path(row.user_id, row.face_id, row.original_image, folder)
                (data_dir / name).parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (8, 8), (40 * row.fold, 90, 120)).save(data_dir / name)
        return data_dir

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a real disk in memory with the given options, such as "size=256k", or change those it has."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options: str) -> Path:
        if not shutil.which("mount"):
            pytest.skip("this system has no command to mount a small disk")
        options = f"remount,{options}" if disk.is_mount() else options
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
        return disk

    yield mount
    if disk.is_mount():
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


class Page(HTMLParser):
    """What a browser makes of a page: its elements, in their order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag != "span":  # docutils puts one around each word of code
            self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def in_a_page(tmp_path: Path) -> Callable[[str], Page]:
    """Render Markdown as the book does, with all that MyST can do; beside it lies a secret."""
    docutils = pytest.importorskip("docutils.core", reason="the book's dependencies are not installed")
    parser = pytest.importorskip("myst_parser.docutils_", reason="the book's dependencies are not installed")
    (tmp_path / "secret.txt").write_text("the secret")

    def render(markdown: str) -> Page:
        settings = {
            "myst_enable_extensions": ["attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"],
            "myst_suppress_warnings": ["myst"],
            "raw_enabled": True,
            "file_insertion_enabled": True,
            "doctitle_xform": False,
            "report_level": 5,
            "embed_stylesheet": False,
            "stylesheet_path": "",
        }
        html = docutils.publish_parts(
            markdown, source_path=str(tmp_path / "page.md"), parser=parser.Parser(), writer_name="html5",
            settings_overrides=settings,
        )["body"]  # fmt: skip
        assert "the secret" not in html
        return Page(html)

    return render

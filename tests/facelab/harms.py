"""What may have become of a file that was once whole."""

from __future__ import annotations

from pathlib import Path


def replace_by_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def replace_by_a_link_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")

"""Give the whole course the address of another repository: ``python -m tools.address owner/name``.

Today's address stands in ``_config.yml``. Wherever a file of the project has it, the new one is written:
configuration, badges, first cells, links in lessons and pages, README, citation.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from facelab.files import written_whole
from tools import command
from tools.paths import REPOSITORY

HOST = "https://github.com/"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/(?!\.{1,2}$)[\w.-]+(?<!\.git)", re.ASCII)


def current(root: Path) -> str:
    """Tell which repository, as ``owner/name``, a copy of the course says that it is in.

    Raises
    ------
    ValueError
        If ``_config.yml`` names none on GitHub.
    """
    url = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    if not url.startswith(HOST) or not _NAME.fullmatch(name := url.removeprefix(HOST)):
        raise ValueError(f"_config.yml: repository: url: {url!r} is not {HOST}owner/name")
    return name


def addresses(name: str) -> dict[str, re.Pattern[str]]:
    """Find a repository, ``owner/name``, in a text: in each form of its address, and as no part of another.

    Returns
    -------
    dict
        For each form, with ``{owner}`` and ``{name}`` in the places of the two, the pattern of this one.
    """
    owner, repository = map(re.escape, name.split("/"))
    # They begin with letters, not with a look behind them: so the search in a notebook's pictures is quick.
    end = r"(?![\w-]|\.(?!git\b)\w)"  # a full stop ends a sentence, or begins ".git"
    return {
        "github.com/{owner}/{name}": re.compile(rf"github\.com/{owner}/{repository}{end}"),
        "colab.research.google.com/github/{owner}/{name}": re.compile(
            rf"colab\.research\.google\.com/github/{owner}/{repository}{end}"
        ),
        "{owner}.github.io/{name}": re.compile(rf"{owner}(?<![\w.-]{owner})\.github\.io/{repository}{end}"),
    }


def readdress(root: Path, new: str) -> list[Path]:
    """Write a new address wherever a copy of the course has its own.

    Parameters
    ----------
    root : Path
        The copy: a git repository. Files that git ignores stay as they are.
    new : str
        The other repository on GitHub, ``owner/name``.

    Returns
    -------
    list of Path
        The files that have changed.

    Raises
    ------
    ValueError
        If the new name is none, or the course names that repository already, as another one: then the way
        back would change that, too. Nothing has changed.
    """
    if not _NAME.fullmatch(new):
        raise ValueError(
            f"{new!r} is no repository: write owner/name, as in make address REPOSITORY=owner/name"
        )
    old = current(root)
    if new == old:
        return []
    owner, name = new.split("/")
    changed: dict[Path, str] = {}
    for path, text in _texts(root).items():
        taken = [pattern for pattern in addresses(new).values() if pattern.search(text)]
        if taken:
            raise ValueError(
                f"{path.relative_to(root)} names {new} already. If an earlier run of this command was "
                "interrupted, take its changes back first: git restore, and the files that git diff lists"
            )
        readdressed = text
        for form, pattern in addresses(old).items():
            readdressed = pattern.sub(form.format(owner=owner, name=name), readdressed)
        if readdressed != text:
            changed[path] = readdressed
    for path, text in changed.items():
        with written_whole(path) as aside:
            aside.write_bytes(text.encode())
            aside.chmod(path.stat().st_mode)
    return list(changed)


def _texts(root: Path) -> dict[Path, str]:
    """Read every text file of the project, committed or about to be."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=root, capture_output=True, text=True)
    if listed.returncode:
        raise ValueError(f"{root} is no git repository, so which files are the course's is not known")
    found = {}
    for path in sorted({root / name for name in listed.stdout.split("\0") if name}):
        try:
            if path.is_file() and not path.is_symlink():
                found[path] = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue  # a picture or an archive
    return found


@command.ends_with_status("says what is to be taken back")
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.address", description=__doc__.split("\n")[0])
    parser.add_argument("repository", metavar="owner/name", help="the course's repository on GitHub")
    new = parser.parse_args(arguments).repository
    changed = readdress(REPOSITORY, new)
    print(
        f"{len(changed)} files now say {HOST}{new}. The lessons are among them: `make book` runs them again."
    )


if __name__ == "__main__":
    sys.exit(main())

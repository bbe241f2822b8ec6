"""From a lesson's plain Markdown to what the book adds: citations, boxes, tooltips, captions, folded answers.

A lesson is read as a page of the book, in Colab and in JupyterLab, so it is written in what all three render.
This module makes the book's form of it, in MyST, on its way to the renderer (``tools/render.py``). The
notebook that was committed or executed stays as it is.
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import nbformat
import yaml
from markdown_it import MarkdownIt

from tools import bibliography, command, glossary
from tools.notebooks import TITLE_LINE

# Bold is for the glossary's terms. Besides, it marks a title, which ends in a full stop, a number, and these:
LABELS = frozenset({"You will be able to", "Time", "You need", "Next"})
RECAP = "What you learned"  # the section in which the terms stand in bold once more

_BOX_CLASSES = {
    "Predict first": "question",
    "Question": "question",
    "Seen in public code": "evidence",
    "Warning": "warning",
}
_PICTURES = {"image/png", "image/jpeg", "image/svg+xml"}

_COMMONMARK = MarkdownIt("commonmark").enable("table")
_LEFT_ALONE = re.compile(
    r"^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)[`~]*$"  # code
    r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
    r"|\$\$.+?\$\$|(?<![\\$])\$(?!\s)[^$\n]+?(?<!\s)\$(?!\d)"  # formulas
    r"|^:{3,}[^\n]*$"  # the boxes made here
    r"|<!--.*?-->|</?[a-zA-Z][^>]*>",
    flags=re.M | re.S,
)
_LINK = re.compile(
    r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<to>(?:[^()\s]|\([^()\s]*\))+)\)",
)
_BOLD = re.compile(
    r"^#+[ ]+(?P<heading>[^\n]+)$|\*\*(?!\s)(?P<bold>(?:(?!\n\n).)+?)(?<!\s)\*\*", flags=re.M | re.S
)
_FIGURE = re.compile(r"\b[Ff]igure (?P<number>\d+)\b")
_CAPTION = re.compile(r"\*\*Figure (?P<number>\d+)\.\*\*\s")
_TITLE = re.compile(r"\*\*(?P<title>[^*]+)\*\*\s*")
_BEFORE_PER_CENT = re.compile(r"(?<=\d) (?=%)")  # a line must not end between a number and its unit
_DETAILS = re.compile(r"<details>\s*<summary>(?P<title>[^<]+)</summary>\s*")
# Round a table that tools.measured writes; no reader shows it.
_MEASURED = re.compile(r"^<!-- (?:measured: [^\n]+|end) -->\n*", flags=re.M)
# Plain words in CommonMark, but MyST's own marks, with "`" for any code.
_MARK = re.compile(
    r"^(?:> ?)*(?P<line>(?:%|\+{3}|\([^)\s]+\)=|:[ \w]|:{3}|[`~]{3,}\{).*)$"
    r"|(?P<role>\{[\w:-]+\}`)|(?<=[\])*`])(?P<attributes>\{[^}\n]*\})",
    flags=re.M,
)


class MarkdownError(command.FailedError):
    """A lesson's Markdown is not what all readers render; the message names the lesson and each place."""


class Book(NamedTuple):
    """What a lesson may refer to."""

    works: list[bibliography.Work]
    terms: dict[str, str]  # each form of a term, in lower case, to the term
    files: frozenset[str]  # the book's pages and notebooks, from the repository's root
    address: str  # of a file in the repository, up to its path


def read_book(root: Path, notebooks: Iterable[Path]) -> Book:
    """What a lesson may refer to, from the files below ``root``."""
    repository = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]
    pages = [path.relative_to(root).as_posix() for path in (root / "book").glob("*.md")]
    return Book(
        works=bibliography.read(root / "book" / "references.bib"),
        terms=glossary.terms((root / "book" / "glossary.md").read_text(encoding="utf-8")),
        files=frozenset([*pages, *(f"notebooks/{path.name}" for path in notebooks)]),
        address=f"{repository['url']}/blob/{repository['branch']}/",
    )


def in_the_book(
    notebook: nbformat.NotebookNode, name: str, book: Book
) -> tuple[nbformat.NotebookNode, list[str]]:
    """Turn a lesson's plain Markdown into the book's MyST.

    Parameters
    ----------
    notebook : NotebookNode
        The lesson, executed; it is left as it is.
    name : str
        Its file's name, for messages and for the names of its figures.
    book : Book
        What it may refer to.

    Returns
    -------
    notebook : NotebookNode
        A copy in which the Markdown cells are written in MyST.
    terms : list of str
        The glossary's terms that it introduces, in their order.

    Raises
    ------
    MarkdownError
        If a link leads nowhere or disagrees with the work that it leads to, a word in bold is no term of the
        glossary or is bold twice, a caption has no figure, or not all readers render what is written.
    """
    lesson = _Lesson(name, book)
    result = lesson.rewritten(notebook)
    if lesson.faults:
        raise MarkdownError("\n".join(f"{name}: {fault}" for fault in lesson.faults))
    return result, lesson.terms


class _Lesson:
    """The rewriting of one lesson: what has been met so far, and what is wrong."""

    def __init__(self, name: str, book: Book):
        self.name, self.book = name, book
        self.works = {address: work for work in book.works for address in work.addresses}
        self.terms: list[str] = []
        self.faults: list[str] = []
        self.recap = False
        self.figures = 0

    def rewritten(self, notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
        result = copy.deepcopy(notebook)
        prose = [cell for cell in result.cells if cell.cell_type == "markdown"]
        self.figures = sum(bool(_CAPTION.match(cell.source)) for cell in prose)
        captions = 0
        for before, cell in zip([None, *result.cells], result.cells, strict=False):
            if cell.cell_type == "code":
                cell.source = TITLE_LINE.sub("", cell.source)  # the book's button has its own words
            if cell.cell_type != "markdown" or "remove-cell" in cell.metadata.get("tags", []):
                continue
            cell.source = _MEASURED.sub("", cell.source)
            self._check(cell.source)
            caption = _CAPTION.match(cell.source)
            boxed = self._boxed(cell.source)
            if caption:
                captions += 1
                self._check_caption(int(caption["number"]), captions, before)
                boxed = _captioned(boxed, self._anchor(captions))
            cell.source = self._inline(boxed)
        return result

    def _check(self, source: str) -> None:
        """Note what not all readers would render alike."""
        tokens = _COMMONMARK.parse(source)
        for mark in _MARK.finditer(_LEFT_ALONE.sub(_without_content, source)):
            self.faults.append(f"not all readers render {mark[mark.lastgroup or 0]!r}")
        for formula in re.finditer(r"\$\$.+?\$\$", source, flags=re.S):
            line = source[: formula.start()].rpartition("\n")[2] + source[formula.end() :].partition("\n")[0]
            if line.strip(" >"):
                self.faults.append(f"a displayed formula stands on lines of its own: {formula[0]!r}")
        spans = [child for token in tokens for child in token.children or []]
        html = [token.content for token in [*tokens, *spans] if token.type in {"html_block", "html_inline"}]
        for piece in html:
            if not _DETAILS.fullmatch(piece) and piece.strip() != "</details>":
                self.faults.append(
                    "HTML is for folded answers only, with an empty line after <details><summary>…</summary> "
                    f"and before </details>: {piece.strip()!r}"
                )
        links = [span for span in spans if span.type == "link_open" and span.info != "auto"]
        if len(links) != len(_LINK.findall(_masked(source)[0])):
            self.faults.append(f"write a link as [words](address) and nothing else: {source[:60]!r} …")

    # ---- Blocks ----------------------------------------------------------------------------------------

    def _boxed(self, source: str) -> str:
        """Turn blockquotes with a title into boxes, and folded answers into the book's."""
        lines = source.splitlines()
        for start, end, kind in reversed(_blocks(source)):
            block = lines[start:end]
            if kind == "quote":
                lines[start:end] = self._box([re.sub(r"^ {0,3}> ?", "", line) for line in block])
            else:
                title = _DETAILS.match("\n".join(block))
                last = max(i for i, line in enumerate(block) if line.strip() == "</details>")
                inner = "\n".join(block[:last])[title.end() :] if title else ""
                lines[start:end] = _directive("dropdown", title["title"] if title else "", None, inner)
        return "\n".join(lines)

    def _box(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        title = _TITLE.match(text)
        if title is None:
            return [f"> {line}".rstrip() for line in lines]
        words = " ".join(title["title"].split())
        if words[-1] not in ".?!":
            self.faults.append(f"the title of a box ends in a full stop, inside the bold: {words!r}")
        words = words.removesuffix(".")
        return _directive("admonition", words, _BOX_CLASSES.get(words, "note"), text[title.end() :])

    def _check_caption(self, number: int, place: int, before: nbformat.NotebookNode | None) -> None:
        if number != place:
            self.faults.append(f"figure {number} is number {place}")
        outputs = before.outputs if before is not None and before.cell_type == "code" else []
        if not any(_PICTURES & set(output.get("data", {})) for output in outputs):
            self.faults.append(f"no figure stands directly above the caption of figure {number}")

    def _anchor(self, figure: int) -> str:
        return f"figure-{figure}-of-{Path(self.name).stem.lower().replace('_', '-')}"

    # ---- Words -----------------------------------------------------------------------------------------

    def _inline(self, source: str) -> str:
        text, kept = _masked(source)
        text = _BEFORE_PER_CENT.sub("\N{NO-BREAK SPACE}", text)
        for pattern, replace in ((_LINK, self._link), (_BOLD, self._bold), (_FIGURE, self._figure)):
            text = pattern.sub(_keeping(kept, replace), text)  # out of the reach of the next
        while "\ue000" in text:
            text = re.sub(r"\ue000(\d+)\ue001", lambda match: kept[int(match[1])], text)
        return text

    def _link(self, match: re.Match[str]) -> str:
        words, address = " ".join(match["text"].split()), match["to"]
        work = self.works.get(bibliography.bare(address))
        if work is not None:
            return self._citation(work, words, match[0])
        if address.startswith(self.book.address):
            return self._link_to_file(match, address.removeprefix(self.book.address))
        if re.match(r"https?://", address):
            return match[0]
        path, _, _ = address.partition("#")
        if path.endswith(".ipynb") and "/" not in path:
            return self._link_to_file(match, f"notebooks/{address}")
        where = posixpath.normpath(posixpath.join("notebooks", path)) if path else "book/page.md"
        self.faults.append(
            f"[{words}]({address}) leads nowhere in Colab: link to another lesson by its file's name, to a "
            f"page of the book by {self.book.address}{where}; a section is named without a link"
        )
        return match[0]

    def _link_to_file(self, match: re.Match[str], target: str) -> str:
        path, hash_, anchor = target.partition("#")
        if path not in self.book.files:
            self.faults.append(f"[{match['text']}]({match['to']}): there is no {path}")
        return f"[{match['text']}]({posixpath.relpath(path, 'notebooks')}{hash_}{anchor})"

    def _citation(self, work: bibliography.Work, words: str, link: str) -> str:
        roles = {
            f"{work.all_names} ({work.year})": "ts",
            f"{work.all_names}, {work.year}": "alps",  # without brackets: the author's own stand around it
            f"{work.names} ({work.year})": "t",
            f"{work.names}, {work.year}": "alp",
        }
        if words in roles:
            return f"{{cite:{roles[words]}}}`{work.key}`"
        if words.startswith(("doi:", "arXiv:")) or words.lower() == work.title.lower():
            return link
        forms = " or ".join(map(repr, roles))
        self.faults.append(f"[{words}] leads to {work.key} of book/references.bib, which is written {forms}")
        return link

    def _bold(self, match: re.Match[str]) -> str:
        if match["heading"] is not None:
            self.recap = self.recap or match["heading"].strip() == RECAP
            return match[0]
        words = " ".join(match["bold"].split())
        term = self.book.terms.get(words.lower())
        if term is not None:
            if term not in self.terms:
                self.terms.append(term)
                return f"**{{term}}`{words} <{term}>`**"
            if not self.recap:
                self.faults.append(
                    f"{words!r} is bold twice; a term is bold where it is explained, and in the recap"
                )
            return match[0]
        if words.rstrip(".").lower() in self.book.terms:
            self.faults.append(f"write the full stop after the bold: {words!r}")
        elif words not in LABELS and words[-1] not in ".?!" and re.search(r"[^\W\d_]", words):
            self.faults.append(
                f"{words!r} is bold and no term of book/glossary.md: add it there, or write *{words}*"
            )
        return match[0]

    def _figure(self, match: re.Match[str]) -> str:
        number = int(match["number"])
        if not 1 <= number <= self.figures:
            self.faults.append(f"there is no {match[0]!r}; a figure of a paper is written 'Fig. {number}'")
            return match[0]
        return f"[{match[0]}](#{self._anchor(number)})"


def _masked(source: str) -> tuple[str, list[str]]:
    """The text with numbered marks in place of what is left alone, and what they stand for."""
    kept: list[str] = []
    return _LEFT_ALONE.sub(_keeping(kept, lambda match: match[0]), source), kept


def _keeping(kept: list[str], replace: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    """Put away what takes the place of a match, and leave a numbered mark of it."""

    def mark(match: re.Match[str]) -> str:
        kept.append(replace(match))
        return f"\ue000{len(kept) - 1}\ue001"

    return mark


def _without_content(kept: re.Match[str]) -> str:
    if kept["fence"] or kept[0].startswith(":::"):
        return kept[0].partition("\n")[0]
    return "`" if kept["ticks"] else ""


def _blocks(source: str) -> list[tuple[int, int, str]]:
    """First line, line after the last, and kind of each blockquote and folded answer outside of all else."""
    found, opened = [], None
    for token in _COMMONMARK.parse(source):
        if token.level or token.map is None:
            continue
        start, end = token.map
        if token.type == "html_block" and opened is None and _DETAILS.match(token.content):
            opened = start
        if token.type == "html_block" and opened is not None and token.content.strip().endswith("</details>"):
            found.append((opened, end, "answer"))
            opened = None
        elif token.type == "blockquote_open" and opened is None:
            found.append((start, end, "quote"))
    return found


def _directive(name: str, title: str, kind: str | None, text: str) -> list[str]:
    option = [f":class: {kind}"] if kind else []
    return [f"::::{{{name}}} {title.strip()}", *option, "", *text.strip("\n").splitlines(), "::::"]


def _captioned(source: str, anchor: str) -> str:
    """Mark the first paragraph as a caption that links can lead to."""
    caption, gap, rest = source.partition("\n\n")
    return f"::::{{div}} lesson-caption\n:name: {anchor}\n\n{caption}\n::::{gap}{rest}"

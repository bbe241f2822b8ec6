"""What the book adds to Sphinx and to its theme: names of works as the text has them, and a few repairs.

An extension of Sphinx. ``_config.yml`` names it, and ``tools/render.py`` renders where it can be imported.
"""

from __future__ import annotations

import dataclasses
import functools
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pybtex.plugin
from docutils import nodes
from pybtex.richtext import Text
from pybtex.style.formatting.plain import Style
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinxcontrib.bibtex import plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle, PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle
from sphinxcontrib.bibtex.style.template import node

from tools import bibliography

STYLE = "names_year"  # in _config.yml: of the citations and of the bibliography's labels
# A figure stands in a line or a paragraph of its own. The picture of a card does not open: the card leads on.
_FIGURE = re.compile(
    r'(?:^|(?<=<p>))<img (?![^>]*\bsd-)[^>]*\bsrc="(?P<file>[^"]*_images/[^"]+)"[^>]*>', re.MULTILINE
)
# An estimate with its interval, in the text between two tags.
_INTERVAL = re.compile(
    r"(?:[-+−]?\d[\d.]*[^\S\n])?\([-+−]?\d[\d.]*(?:–|[^\S\n]to[^\S\n])[-+−]?\d[\d.]*\)(?=[^<>]*<)"
)
_CODE = re.compile(
    r'<code class="(?P<classes>[^"]*\bliteral\b[^"]*)">(?P<code>(?:<span class="pre">[^<]*</span> ?)+)</code>'
)
_SHORT = 16
"""Characters of a name of code that stays in one line."""
_TERM = re.compile(r'<a class="reference internal" href="[^"]*#(?P<term>term-[^"]+)"')


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect all of it, as Sphinx wants it of an extension."""
    app.connect("config-inited", _name_works)
    app.connect("html-page-context", _mend, priority=900)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _name_works(app: Sphinx, config: Config) -> None:
    """Give citations and bibliography the same names for a work: "Levi and Hassner (2015)"."""
    works = {
        work.key.lower(): work
        for file in config.bibtex_bibfiles
        for work in bibliography.read(Path(app.srcdir) / file)
    }

    @node
    def names(children: list[Any], data: dict[str, Any], full: bool = False) -> Text:
        work = works[data["entry"].key.lower()]
        return Text(work.all_names if full else work.names)

    class Persons(PersonStyle):
        def author_or_editor_or_title(self, full: bool) -> Any:
            return names(full=full)

    @dataclasses.dataclass
    class References(AuthorYearReferenceStyle):
        bracket_textual: BracketStyle = dataclasses.field(default_factory=lambda: BracketStyle("(", ")"))
        bracket_parenthetical: BracketStyle = dataclasses.field(
            default_factory=lambda: BracketStyle("(", ")", sep="; ")
        )
        person: PersonStyle = dataclasses.field(default_factory=Persons)

    class Labels(BaseLabelStyle):
        def format_labels(self, entries: list[Any]) -> Iterator[str]:
            for entry in entries:
                work = works[entry.key.lower()]
                yield f"{work.names}, {work.year}"

    class Bibliography(Style):
        default_label_style = Labels

    plugin.register_plugin("sphinxcontrib.bibtex.style.referencing", STYLE, References, force=True)
    pybtex.plugin.register_plugin("pybtex.style.formatting", STYLE, Bibliography, force=True)


def _mend(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    # Jupyter Book loads Thebe into every book, here twice, which is an error; this book does not use it.
    context["script_files"] = [file for file in context["script_files"] if not _is_thebe(file)]
    if "body" not in context:
        return
    # On a phone a figure is small; by itself, in a window of its own, it can be made as large as one likes.
    context["body"] = _FIGURE.sub(
        lambda image: f'<a class="figure-file" href="{image["file"]}">{image[0]}</a>', context["body"]
    )
    context["body"] = _CODE.sub(_unbroken, context["body"])
    context["body"] = _INTERVAL.sub(r'<span class="interval">\g<0></span>', context["body"])
    definitions = _definitions(app.env)
    if page not in definitions:
        context["body"] = _TERM.sub(
            lambda link: f'{link[0]} data-definition="{html.escape(definitions[link["term"]])}"',
            context["body"],
        )


def _unbroken(code: re.Match[str]) -> str:
    """Give code of a few characters, such as an age group, the class of what stays in one line."""
    if len(html.unescape(re.sub(r"<[^>]*>", "", code["code"]))) > _SHORT:
        return code[0]
    return f'<code class="{code["classes"]} short">{code["code"]}</code>'


def _is_thebe(file: Any) -> bool:
    attributes = getattr(file, "attributes", {})
    return "sphinx-thebe.js" in str(getattr(file, "filename", "")) or "THEBE_JS_URL" in attributes.get(
        "body", ""
    )


@functools.lru_cache(maxsize=1)
def _definitions(env: BuildEnvironment) -> dict[str, str]:
    """First sentence of each glossary entry by the name of its anchor; a glossary's page is a key, too."""
    found: dict[str, str] = {}
    for page in {page for page, _ in env.domaindata["std"]["terms"].values()}:
        found[page] = ""
        for item in env.get_doctree(page).findall(nodes.definition_list_item):
            text = " ".join(next(iter(item.findall(nodes.paragraph))).astext().split())
            sentence = re.match(r".+?[.](?=\s|$)|.+", text)
            for term in item.findall(nodes.term):
                found.update(dict.fromkeys(term["ids"], sentence[0] if sentence else text))
    return found

"""A report as a value: pages of headings, sentences, tables and chart models; no number without its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from stocktake.reports.charts import Chart


@dataclass(frozen=True)
class Number:
    """A figure in a sentence or table: its value, how it is shown, and the result that it refers to.

    `source` is table/year/organisation/measure/column; `derived` sources start with `count:` and name the
    rows that were counted.
    """

    value: float | int
    text: str
    source: str


@dataclass(frozen=True)
class Strong:
    """Words of weight inside a text."""

    text: str


@dataclass(frozen=True)
class Link:
    """A way to another page of the same document (`anchor`) or to an address."""

    text: str
    anchor: str = ""
    address: str = ""


Inline = str | Number | Strong | Link
Tone = Literal["plain", "lead", "note", "verdict", "formula"]


@dataclass(frozen=True)
class Text:
    """One paragraph."""

    parts: tuple[Inline, ...]
    tone: Tone = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list of short texts."""

    items: tuple[Text, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading inside a page; level 2 below the page's own, which is 1."""

    text: str
    level: int = 2
    anchor: str = ""


Cell = str | Number
# In place of a figure: one that is withheld, and one that there is not.
WITHHELD, NONE = "[c]", "-"


def is_figure(cell: Cell) -> bool:
    """Whether a cell holds a figure, or the mark in place of one."""
    return isinstance(cell, Number) or cell in (WITHHELD, NONE, "")


@dataclass(frozen=True)
class Table:
    """A table with one header row; with `row_headers` the first cell of a row heads it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_headers: bool = True
    widths: tuple[float, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A chart with its title; the chart itself carries its alt text and data table."""

    chart: Chart
    title: str = ""


@dataclass(frozen=True)
class Aside:
    """A boxed note."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Columns:
    """Two columns, read left before right."""

    left: tuple[Block, ...]
    right: tuple[Block, ...]
    ratio: float = 1.0


@dataclass(frozen=True)
class KeepTogether:
    """Blocks that stay on one page."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Cards:
    """Figures of note, each with what it is."""

    items: tuple[tuple[Number, str], ...]


@dataclass(frozen=True)
class Contents:
    """The list of pages, made by the renderer."""


@dataclass(frozen=True)
class Poster:
    """The one-page poster: what is best, what could improve, the small print, and so many empty lines for actions."""

    best: tuple[Text, ...]
    improve: tuple[Text, ...]
    best_title: str
    improve_title: str
    about: Text
    actions_title: str = ""
    actions: int = 0


Block = Text | Bullets | Heading | Table | Figure | Aside | Columns | KeepTogether | Cards | Contents | Poster


@dataclass(frozen=True)
class Page:
    """One page kind with its heading; a long page runs on to more sheets, and may follow on the sheet before it.

    On slides a page that needs no new sheet is joined to the one before it, but where it is a `new_slide`.
    """

    kind: str
    title: str
    blocks: tuple[Block, ...]
    anchor: str = ""
    chapter: str = ""
    level: int = 2
    new_sheet: bool = True
    new_slide: bool = False


@dataclass(frozen=True)
class Report:
    """A whole document about one organisation; `head` stands above every page, in place of its name alone."""

    title: str
    subtitle: str
    organisation: str
    organisation_code: str
    date_line: str
    pages: tuple[Page, ...]
    digest: str
    language: str = "en-GB"
    notice: str = ""
    keywords: tuple[str, ...] = field(default=())
    head: str = ""


def paragraph(template: str, tone: Tone = "plain", **parts: Inline) -> Text:
    """A text from a template with named places: paragraph('{n} of them', n=number)."""
    if not parts:
        return Text((template,), tone)
    # Only the names given are places: a brace in somebody's wording is a brace.
    pattern = "|".join(rf"(\{{{name}\}})" for name in parts)
    pieces = [p for p in re.split(pattern, template) if p]
    return Text(tuple(parts.get(p[1:-1], p) if p[0] == "{" else p for p in pieces), tone)


def plain(text: Text | Cell) -> str:
    """The words alone."""
    if isinstance(text, str):
        return text
    if isinstance(text, Number):
        return text.text
    return "".join(p if isinstance(p, str) else p.text for p in text.parts)


def blocks_of(report: Report) -> Iterator[Block]:
    """Every block of a report, those inside others too."""

    def inside(blocks: tuple[Block, ...]) -> Iterator[Block]:
        for block in blocks:
            yield block
            if isinstance(block, (Aside, KeepTogether)):
                yield from inside(block.blocks)
            elif isinstance(block, Columns):
                yield from inside(block.left)
                yield from inside(block.right)

    for page in report.pages:
        yield from inside(page.blocks)


def texts_of(block: Block) -> Iterator[Text | Cell]:
    """Every text and cell that a block itself holds."""
    if isinstance(block, Text):
        yield block
    elif isinstance(block, Bullets):
        yield from block.items
    elif isinstance(block, Table):
        for row in block.rows:
            yield from row
    elif isinstance(block, Cards):
        yield from (number for number, _ in block.items)
    elif isinstance(block, Poster):
        yield from (*block.best, *block.improve, block.about)


def as_chapter(pages: Iterable[Page], prefix: str, chapter: str) -> tuple[Page, ...]:
    """The same pages as a chapter of a larger document: their anchors, and links to these, begin with a prefix."""

    def text(old: Text) -> Text:
        parts = (replace(p, anchor=prefix + p.anchor) if isinstance(p, Link) and p.anchor else p for p in old.parts)
        return replace(old, parts=tuple(parts))

    def inside(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(one(b) for b in blocks)

    def one(block: Block) -> Block:
        if isinstance(block, Text):
            return text(block)
        if isinstance(block, Heading):
            return replace(block, anchor=prefix + block.anchor) if block.anchor else block
        if isinstance(block, Bullets):
            return replace(block, items=tuple(text(t) for t in block.items))
        if isinstance(block, (Aside, KeepTogether)):
            return replace(block, blocks=inside(block.blocks))
        if isinstance(block, Columns):
            return replace(block, left=inside(block.left), right=inside(block.right))
        return block

    return tuple(
        replace(p, anchor=prefix + p.anchor if p.anchor else "", chapter=chapter, blocks=inside(p.blocks))
        for p in pages
    )


def numbers_of(report: Report) -> Iterator[Number]:
    """Every number that the report states."""
    for block in blocks_of(report):
        for text in texts_of(block):
            if isinstance(text, Number):
                yield text
            elif isinstance(text, Text):
                yield from (p for p in text.parts if isinstance(p, Number))

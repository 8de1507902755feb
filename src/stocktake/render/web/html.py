"""Blocks of a report as HTML; its content is shown as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, singledispatchmethod
from html import escape
from typing import Any

from stocktake.render.svg import draw
from stocktake.render.theme import Theme
from stocktake.render.words import clean
from stocktake.reports.charts import BandKey, BandStrip, Chart, CountBars, Funnel, PlainBars, RankedBars, TrendLines
from stocktake.reports.figure_charts import (
    AreaMap,
    FigureBars,
    HeatTable,
    PartBars,
    RateFunnel,
    SeriesLines,
    Spine,
    StackedShares,
    TileMap,
)
from stocktake.reports.model import (
    Aside,
    Block,
    Bullets,
    Cards,
    Columns,
    Contents,
    Figure,
    Heading,
    Inline,
    KeepTogether,
    Number,
    Page,
    Poster,
    Report,
    Strong,
    Table,
    Text,
    blocks_of,
    is_figure,
    plain,
)
from stocktake.reports.summary_charts import ChangeDots, Scorecard

# How wide each chart is drawn, so that its letters can be read on a phone and on a large screen alike.
WIDTHS: dict[type, int] = {
    RankedBars: 700,
    Funnel: 640,
    BandKey: 380,
    BandStrip: 380,
    TrendLines: 380,
    CountBars: 400,
    PlainBars: 380,
    FigureBars: 700,
    PartBars: 700,
    StackedShares: 700,
    TileMap: 700,
    AreaMap: 700,
    SeriesLines: 700,
    RateFunnel: 700,
    Spine: 900,
    HeatTable: 900,
    Scorecard: 760,
    ChangeDots: 760,
}
# Charts that are drawn a second time for a phone, where they would have to be moved sideways, and how wide.
NARROW: dict[type, int] = {
    Funnel: 340,
    TrendLines: 320,
    BandStrip: 320,
    PlainBars: 320,
    CountBars: 320,
    SeriesLines: 340,
    PartBars: 340,
    TileMap: 340,
}
# Letters of a page's description, of which search engines show no more.
MOST_LETTERS = 160
# A phone shows so many columns beside one another.
MOST_COLUMNS = 3
WIDE = (
    RankedBars,
    Funnel,
    FigureBars,
    PartBars,
    StackedShares,
    TileMap,
    AreaMap,
    SeriesLines,
    Spine,
    HeatTable,
    RateFunnel,
    Scorecard,
    ChangeDots,
)


@lru_cache(maxsize=1)
def environment() -> Any:
    """Where templates of pages come from."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("stocktake.render.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def text(words: str) -> str:
    """Words as HTML text, and as the value of an attribute: these stand in double quotes, so that an apostrophe is one."""
    return escape(clean(words)).replace("&#x27;", "'")


class Html:
    """Sets blocks; `level` is the level of the next heading down, `anchors` those that links may lead to."""

    def __init__(self, theme: Theme, anchors: Iterable[str] = ()) -> None:
        self.theme, self.anchors = theme, set(anchors)

    def onward(self, anchor: str, words: str) -> str:
        """A heading's words, ready as HTML; as a link where what it heads has a page of its own."""
        return words

    def inline(self, part: Inline) -> str:
        if isinstance(part, str):
            return text(part)
        if isinstance(part, Number):
            return text(part.text)
        if isinstance(part, Strong):
            return f"<strong>{text(part.text)}</strong>"
        if part.anchor in self.anchors:
            return f'<a href="#{escape(part.anchor)}">{text(part.text)}</a>'
        if part.address:
            return f'<a href="{escape(part.address)}" rel="external">{text(part.text)}</a>'
        return text(part.text)

    def words(self, text: Text) -> str:
        return "".join(self.inline(p) for p in text.parts)

    def blocks(self, blocks: Iterable[Block], level: int) -> str:
        return "".join(self.block(b, level) for b in blocks)

    @singledispatchmethod
    def block(self, block: Block, level: int) -> str:
        raise TypeError(f"no HTML for {type(block).__name__}")

    @block.register
    def _(self, block: Text, level: int) -> str:
        kind = {"plain": "", "lead": ' class="lead"', "note": ' class="note"', "verdict": ' class="verdict"'}
        return f"<p{kind.get(block.tone, ' class=formula')}>{self.words(block)}</p>\n"

    @block.register
    def _(self, block: Heading, level: int) -> str:
        anchor = f' id="{escape(block.anchor)}"' if block.anchor else ""
        return f"<h{level}{anchor}>{self.onward(block.anchor, text(block.text))}</h{level}>\n"

    @block.register
    def _(self, block: Bullets, level: int) -> str:
        tag, kind = ("ol", "number") if block.numbered else ("ul", "bullet")
        items = "".join(f"<li>{self.words(t)}</li>" for t in block.items)
        return f'<{tag} class="nhsuk-list nhsuk-list--{kind}">{items}</{tag}>\n'

    @block.register
    def _(self, block: Table, level: int) -> str:
        return table(
            block.title,
            block.header,
            [[plain(c) for c in r] for r in block.rows],
            self._figures(block),
            block.row_headers,
        )

    def _figures(self, block: Table) -> list[bool]:
        return [bool(block.rows) and all(is_figure(r[i]) for r in block.rows) for i in range(len(block.header))]

    @block.register
    def _(self, block: Figure, level: int) -> str:
        return self.figure(block)

    def figure(self, block: Figure) -> str:
        """A chart with its table."""
        return figure(block.chart, self.theme, block.title)

    @block.register
    def _(self, block: Aside, level: int) -> str:
        return f'<div class="nhsuk-inset-text">{self.blocks(block.blocks, level)}</div>\n'

    @block.register
    def _(self, block: Columns, level: int) -> str:
        left, right = self.blocks(block.left, level), self.blocks(block.right, level)
        return f'<div class="side"><div>{left}</div><div>{right}</div></div>\n'

    @block.register
    def _(self, block: KeepTogether, level: int) -> str:
        return f'<div class="together">{self.kept(block, level)}</div>\n'

    def kept(self, block: KeepTogether, level: int) -> str:
        """What is kept together, each heading of it a level above what follows."""
        inner, below = "", level
        for b in block.blocks:
            inner += self.block(b, below)
            below = level + 1 if isinstance(b, Heading) else below
        return inner

    @block.register
    def _(self, block: Cards, level: int) -> str:
        items = "".join(f"<div><dt>{text(label)}</dt><dd>{text(n.text)}</dd></div>" for n, label in block.items)
        return f'<dl class="cards">{items}</dl>\n'

    @block.register
    def _(self, block: Contents, level: int) -> str:
        return ""

    @block.register
    def _(self, block: Poster, level: int) -> str:
        halves = []
        for title, items, kind in (
            (block.best_title, block.best, "best"),
            (block.improve_title, block.improve, "improve"),
        ):
            lines = "".join(f"<li>{self.words(t)}</li>" for t in items) or "<li>Nothing can be shown.</li>"
            halves.append(
                f'<div class="poster-{kind}"><h{level}>{text(title)}</h{level}><ul class="nhsuk-list nhsuk-list--bullet">{lines}</ul></div>'
            )
        return f'<div class="side">{"".join(halves)}</div><p class="note">{self.words(block.about)}</p>\n'


def table(
    title: str, header: Sequence[str], rows: Iterable[Iterable[str]], figures: list[bool], row_headers: bool = True
) -> str:
    """A table in a region that scrolls by itself where the screen is narrow; on a phone a script makes blocks of rows of many cells."""
    # Where most columns are figures, cells of words are marked instead: a class in each cell would be most of the page.
    mostly = sum(figures) > len(figures) / 2
    classes = f"{' figures' if mostly else ''}{' stack' if len(header) > MOST_COLUMNS else ''}"
    heads = [' class="figure"' if f else "" for f in figures]
    kinds = [("" if f else ' class="t"') if mostly else (' class="figure"' if f else "") for f in figures]
    head = "".join(f'<th scope="col"{k}>{text(h)}</th>' for h, k in zip(header, heads, strict=True))
    body = []
    for row in rows:
        cells = []
        for i, (cell, kind) in enumerate(zip(row, kinds, strict=True)):
            tag, scope = ("th", ' scope="row"') if i == 0 and row_headers else ("td", "")
            cells.append(f"<{tag}{scope or kind}>{text(cell)}</{tag}>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{text(title)}"><table class="nhsuk-table{classes}">'
        f'<caption class="nhsuk-u-visually-hidden">{text(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>\n"
    )


def drawing(chart: Chart, theme: Theme, title: str = "", below: str = "") -> str:
    """A chart alone, where its figures stand elsewhere on the page, or `below` it."""
    name = title or getattr(chart, "title", "") or chart.alt.split(":", 1)[0]
    wide = " wide" if isinstance(chart, WIDE) else ""
    region = f' role="group" tabindex="0" aria-label="Chart: {text(name)}"'
    svg = sized(chart, theme, WIDTHS.get(type(chart), 380))
    return f'<figure class="chart{wide}"><div class="paper"{region}>{svg}</div>{below}</figure>\n'


def sized(chart: Chart, theme: Theme, width: int) -> str:
    """A chart of this width, and beside it, where there is one, its drawing for a phone; styles show one of them."""
    svg = draw(chart, theme, width)
    narrow = NARROW.get(type(chart))
    if narrow is None:
        return svg
    return f'<div class="wide">{svg}</div><div class="narrow">{draw(chart, theme, narrow)}</div>'


def figure(chart: Chart, theme: Theme, title: str = "") -> str:
    """A chart with the same figures as a table beneath it."""
    if isinstance(chart, BandKey):
        return f'<div class="chart key">{draw(chart, theme, WIDTHS[BandKey])}</div>\n'
    header, rows = chart.table()
    name = title or getattr(chart, "title", "") or chart.alt.split(":", 1)[0]
    inner = table(f"Figures of the chart: {name}", header, rows, numeric_columns(header, rows))
    below = (
        '<details class="nhsuk-details"><summary class="nhsuk-details__summary"><span class="nhsuk-details__summary-text">'
        f'The chart as a table<span class="nhsuk-u-visually-hidden">: {text(name)}</span></span></summary><div class="nhsuk-details__text">{inner}</div></details>'
    )
    return drawing(chart, theme, title, below)


def numeric_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[bool]:
    """Which columns of a table hold figures alone."""
    return [all(_figure(r[i]) for r in rows) and i > 0 for i in range(len(header))]


def _figure(words: str) -> bool:
    return words == "-" or words.lstrip("-").replace(".", "").replace(",", "").replace("%", "").isdigit()


def anchors_of(report: Report) -> set[str]:
    """Every place of a report that a link can lead to."""
    found = {p.anchor for p in report.pages if p.anchor}
    return found | {b.anchor for b in blocks_of(report) if isinstance(b, Heading) and b.anchor}


def pages_html(report: Report, theme: Theme, html: Html | None = None) -> str:
    """All pages of a report under each other: chapters as h2, pages as h3, what is inside below these.

    `html` sets blocks in another way.
    """
    html = html or Html(theme, anchors_of(report))
    out, chapter, before = [], "", ""
    for page in report.pages:
        if page.kind in ("cover", "contents"):
            continue
        if page.title.removesuffix(" (continued)") == before:
            # What goes on from one sheet to the next goes on under the same heading.
            out.append(f"<section>{html.blocks(page.blocks, 4 if page.chapter else 3)}</section>\n")
            continue
        before = page.title
        if page.chapter and page.chapter != chapter:
            out.append(f'<h2 id="{chapter_anchor(page.chapter)}">{text(page.chapter)}</h2>\n')
        chapter = page.chapter
        out.append(_page(page, html, 3 if page.chapter else 2))
    return "".join(out)


def _page(page: Page, html: Html, level: int) -> str:
    anchor = f' id="{escape(page.anchor)}"' if page.anchor else ""
    title = page.title.removesuffix(" (continued)")
    body = html.blocks(page.blocks, level + 1)
    return f"<section><h{level}{anchor}>{html.onward(page.anchor, text(title))}</h{level}>\n{body}</section>\n"


def chapter_anchor(chapter: str) -> str:
    """Where a chapter begins."""
    return f"chapter-{slug(chapter)}"


def slug(words: str) -> str:
    """Words as a part of an address."""
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in words.lower())


def chapters(report: Report) -> list[tuple[str, str]]:
    """The chapters of a report with their anchors, for a list of contents."""
    names = dict.fromkeys(p.chapter for p in report.pages if p.chapter)
    return [(name, chapter_anchor(name)) for name in names]

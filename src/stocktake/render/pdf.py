"""Reports as accessible PDF (PDF/UA-1), set by Typst: compiling fails on a missing title, alt text or heading level."""

from __future__ import annotations

import re
from functools import singledispatchmethod
from importlib import resources
from typing import Any

from stocktake.problems import StocktakeError
from stocktake.render.svg import draw
from stocktake.render.theme import Theme
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
)

# A4 on its side, in points, less the margins.
WIDTH, MARGIN = 841.89, 42.0
FULL = WIDTH - 2 * MARGIN
# The same results must give the same bytes, so the clock has no place in a report.
TIMESTAMP = 0


def font_folders(theme: Theme) -> list[str]:
    """Where fonts are looked for: the one that comes with Stocktake, and the theme's own."""
    own = [str(theme.folder / theme.font_folder)] if theme.font_folder and theme.folder else []
    return [*own, str(resources.files("stocktake.render") / "fonts")]


def pdf_bytes(report: Report, theme: Theme, paper: str = "a4") -> bytes:
    """A report as the bytes of a PDF/UA-1 file; `paper` (a3 or a4, on its side) is for posters, which grow with it.

    Raises StocktakeError if it cannot be set.
    """
    import typst

    source = typst_source(report, theme, paper)
    root = str(theme.folder) if theme.folder else None
    try:
        compiler: Any = typst.Compiler(  # type: ignore[misc]
            input=source.encode(), root=root, font_paths=font_folders(theme), ignore_system_fonts=True
        )
        pdf, warnings = compiler.compile_with_warnings(format="pdf", pdf_standards=["ua-1"], timestamp=TIMESTAMP)
    except typst.TypstError as error:
        raise StocktakeError(f"{report.organisation}: the PDF cannot be made: {error}") from None
    # Typst only warns of a missing font and sets another; a report must not change its look without a word.
    for warning in warnings:
        if "unknown font" in str(warning):
            raise StocktakeError(f"the font {theme.font!r} is not in the theme's font folder.")
    return bytes(pdf)


def quoted(words: str) -> str:
    """A Typst string literal; its content is shown as text."""
    out = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ").replace("\t", " ")
    return f'"{out}"'


def worded(words: str) -> str:
    """A Typst string literal of words to be shown; a word too long for any line may break every twenty letters.

    Addresses and the like are shorter than that, and are left alone so that they can be copied.
    """
    return quoted(re.sub(r"\S{60,}", lambda m: "\u200b".join(re.findall(r".{1,20}", m[0])), words))


def typst_source(report: Report, theme: Theme, paper: str = "a4") -> str:
    """The whole document as Typst source."""
    return _Setter(report, theme, paper).source()


PREAMBLE = """
#set document(title: {title}, author: "Stocktake", keywords: ({keywords}))
#set text(font: {font}, size: 12.5pt, lang: {lang}, region: {region}, fill: rgb("{ink}"), fallback: false)
#set par(leading: 0.65em, spacing: 1em)
#set list(spacing: 0.75em, marker: [•])
#set enum(spacing: 1.3em)
#let soft = rgb("{soft}")
#let accent = rgb("{accent}")
#show link: it => text(fill: accent, underline(offset: 2pt, it))
#show heading: set text(fill: accent)
#show heading.where(level: 1): set text(size: 21pt)
#show heading.where(level: 2): set text(size: 18pt)
#show heading.where(level: 3): set text(size: 13pt, fill: rgb("{ink}"))
#show heading.where(level: 4): set text(size: 11pt, fill: rgb("{ink}"))
#show heading: set block(above: 0.9em, below: 0.65em)
#let mark(words) = state("chapter", "").update(words)
#set page(paper: "a4", flipped: true, margin: (x: {margin}pt, top: 46pt, bottom: 40pt),
  header: context {{
    set text(size: 8.5pt, fill: soft)
    grid(columns: (1fr, auto), {name}, state("chapter", "").at(here()))
    v(-6pt)
    line(length: 100%, stroke: 0.5pt + accent)
  }},
  footer: context {{
    set text(size: 8.5pt, fill: soft)
    grid(columns: (1fr, auto), {footer}, counter(page).display())
  }})
#let note(body) = text(size: 10.5pt, fill: soft, body)
#let verdict(body) = block(width: 100%, inset: (x: 9pt, y: 7pt), stroke: (left: 3pt + accent), fill: accent.lighten(92%), text(weight: "bold", body))
#let formula(body) = block(width: 100%, inset: (left: 18pt, y: 3pt), stroke: (left: 1pt + soft), text(size: 12pt, body))
#let aside(body) = block(width: 100%, inset: 10pt, fill: accent.lighten(93%), body)
#let card(figure, label) = block(inset: (x: 12pt, y: 9pt), width: 100%, fill: accent.lighten(91%), [#text(size: 20pt, weight: "bold", fill: accent, figure) \\ #text(size: 9.5pt, label)])
#set table(stroke: (x, y) => (bottom: if y == 0 {{ 1pt + rgb("{ink}") }} else {{ 0.4pt + luma(80%) }}), inset: (x: 4pt, y: 4.5pt))
#show table: set text(size: 10pt)
#show table.cell.where(y: 0): set text(weight: "bold")
"""


class _Setter:
    def __init__(self, report: Report, theme: Theme, paper: str = "a4") -> None:
        self.report, self.theme, self.paper = report, theme, paper
        # A sheet of A3 is A4 enlarged by the root of two; so are the letters on it.
        self.scale = 2**0.5 if paper == "a3" else 1.0
        self.anchors = {p.anchor for p in report.pages if p.anchor}
        self.anchors |= {b.anchor for b in blocks_of(report) if isinstance(b, Heading) and b.anchor}
        self.chapter = ""

    def source(self) -> str:
        report, theme = self.report, self.theme
        language, _, region = report.language.partition("-")
        head = PREAMBLE.format(
            title=quoted(f"{report.title}, {report.organisation}"),
            keywords="".join(f"{quoted(k)}, " for k in report.keywords),
            font=quoted(theme.font),
            lang=quoted(language),
            region=quoted(region),
            ink=theme.ink,
            soft=theme.soft,
            accent=theme.accent,
            margin=MARGIN,
            name=worded(report.head or report.organisation),
            footer=worded(f"{report.title}. {report.notice}" if report.notice else report.title),
        )
        return head + "".join(self.page(p) for p in report.pages)

    def page(self, page: Page) -> str:
        if page.kind == "cover":
            return self.cover()
        out = []
        begins = page.chapter != self.chapter
        if begins:
            self.chapter = page.chapter
            # Said before the sheet begins, for the header of a sheet cannot see what its own text says.
            out.append(f"#mark({quoted(page.chapter)})\n")
        out.append("#pagebreak(weak: true)\n" if page.new_sheet and page.kind != "poster" else "")
        if begins and page.chapter:
            # The chapter is a heading of its own, so that the outline and a screen reader know where they are.
            out.append(f"#heading(level: 1, text(size: 12pt, fill: soft, {quoted(page.chapter)}))\n")
        if page.kind == "poster":
            out.append(self.poster(page))
            return "".join(out)
        label = f" <{page.anchor}>" if page.anchor else ""
        level = page.level if page.chapter else 1
        outlined = "false" if page.title.endswith("(continued)") or page.kind == "contents" else "true"
        out.append(f"#heading(level: {level}, outlined: {outlined}, {worded(page.title)}){label}\n")
        out.extend(self.block(b, FULL) for b in page.blocks)
        return "".join(out)

    def cover(self) -> str:
        report, theme = self.report, self.theme
        logo = ""
        if theme.logo:
            logo = f"#align(right, image({quoted(theme.logo)}, alt: {quoted(theme.logo_alt)}, height: 60pt))\n"
        line = f"#text(size: 13pt, {quoted(report.date_line)})" if report.date_line else ""
        notice = f"#v(30pt)\n#verdict[#{worded(report.notice)}]" if report.notice else ""
        return (
            "#page(header: none, footer: none, margin: 0pt)[\n"
            "#place(top + left, rect(width: 100%, height: 14pt, fill: accent))\n"
            f"#pad(x: 60pt, top: 70pt)[\n{logo}"
            f"#text(size: 15pt, fill: soft, {worded(report.title)})\n\n"
            f"#v(12pt)\n#title(text(size: 34pt, fill: accent, {worded(report.organisation)}))\n"
            f"#v(10pt)\n#text(size: 16pt, {worded(report.subtitle)})\n\n{line}\n\n{notice}\n]]\n"
        )

    def inline(self, part: Inline) -> str:
        if isinstance(part, str):
            return f"#{worded(part)}"
        if isinstance(part, Number):
            return f"#{worded(part.text)}"
        if isinstance(part, Strong):
            return f"#strong({worded(part.text)})"
        if part.anchor in self.anchors:
            return f"#link(<{part.anchor}>, {worded(part.text)})"
        if part.address:
            return f"#link({quoted(part.address)}, {worded(part.text)})"
        return f"#{worded(part.text)}"

    def words(self, text: Text) -> str:
        return "".join(self.inline(p) for p in text.parts)

    @singledispatchmethod
    def block(self, block: Block, width: float) -> str:
        raise TypeError(f"no setting for {type(block).__name__}")

    @block.register
    def _(self, block: Text, width: float) -> str:
        words = self.words(block)
        if block.tone == "note":
            return f"#note[{words}]\n\n"
        if block.tone == "verdict":
            return f"#verdict[{words}]\n\n"
        if block.tone == "formula":
            return f"#formula[{words}]\n\n"
        if block.tone == "lead":
            return f"#text(size: 15pt)[{words}]\n\n"
        return f"{words}\n\n"

    @block.register
    def _(self, block: Heading, width: float) -> str:
        # Page headings are level 2 (or 1 outside chapters); the model's 2 and 3 both come right below.
        label = f" <{block.anchor}>" if block.anchor else ""
        outlined = "false"
        return f"#heading(level: {3 if self.chapter else 2}, outlined: {outlined}, {worded(block.text)}){label}\n"

    @block.register
    def _(self, block: Bullets, width: float) -> str:
        sign = "+" if block.numbered else "-"
        return (
            "".join(
                f"{sign} {self.words(t) if t.tone != 'lead' else f'#text(size: 16pt)[{self.words(t)}]'}\n"
                for t in block.items
            )
            + "\n"
        )

    @block.register
    def _(self, block: Figure, width: float) -> str:
        svg = draw(block.chart, self.theme, width)
        return f'#image(bytes({quoted(svg)}), format: "svg", alt: {quoted(block.chart.alt)}, width: {width:.1f}pt)\n'

    @block.register
    def _(self, block: Table, width: float) -> str:
        columns = len(block.header)
        widths = block.widths or (1.0,) * columns
        spec = ", ".join(f"{w}fr" for w in widths)
        align = ", ".join(self._align(block, i) for i in range(columns))
        header = ", ".join(f"[#{worded(h)}]" for h in block.header)
        rows = []
        for row in block.rows:
            cells = [f"[#{worded(c if isinstance(c, str) else c.text)}]" for c in row]
            rows.append(", ".join(cells))
        body = ",\n".join(rows)
        return f"#table(columns: ({spec},), align: ({align},), table.header({header}),\n{body})\n"

    def _align(self, block: Table, column: int) -> str:
        # Figures line up on the right; words on the left.
        cells = [row[column] for row in block.rows]
        figures = [c for c in cells if is_figure(c) or (isinstance(c, str) and c[:1].isdigit() and len(c) < 14)]
        return "right" if cells and len(figures) == len(cells) and (column > 0 or not block.row_headers) else "left"

    @block.register
    def _(self, block: Aside, width: float) -> str:
        return "#aside[" + "".join(self.block(b, width - 20) for b in block.blocks) + "]\n"

    @block.register
    def _(self, block: Columns, width: float) -> str:
        gap = 26.0
        left = (width - gap) * block.ratio / (block.ratio + 1)
        right = width - gap - left
        return (
            f"#grid(columns: ({left:.1f}pt, {right:.1f}pt), column-gutter: {gap}pt,\n["
            + "".join(self.block(b, left) for b in block.left)
            + "],\n["
            + "".join(self.block(b, right) for b in block.right)
            + "])\n"
        )

    @block.register
    def _(self, block: KeepTogether, width: float) -> str:
        inner = "".join(self.block(b, width) for b in block.blocks)
        return f"#block(breakable: false, below: 7pt)[{inner}]\n"

    @block.register
    def _(self, block: Cards, width: float) -> str:
        cells = ", ".join(f"card({quoted(n.text)}, {worded(label)})" for n, label in block.items)
        columns = len(block.items)
        return f"#grid(columns: (1fr,) * {columns}, column-gutter: 10pt, {cells})\n#v(4pt)\n" if columns else ""

    @block.register
    def _(self, block: Contents, width: float) -> str:
        return (
            '#show outline.entry.where(level: 1): set text(weight: "bold")\n'
            "#columns(2, gutter: 30pt, text(size: 9.5pt, outline(title: none, depth: 2, indent: 10pt)))\n"
        )

    @block.register
    def _(self, block: Poster, width: float) -> str:
        k = self.scale
        # With room left for actions the lists are set smaller.
        size, space, inset = (13, 9, 12) if block.actions else (17, 22, 20)

        def half(title: str, items: tuple[Text, ...], sign: str, fill: str) -> str:
            lines = (
                "".join(f"- #text(size: {size * k:.1f}pt)[{self.words(t)}]\n" for t in items)
                or "Nothing can be shown.\n"
            )
            return (
                f"block(width: 100%, height: 100%, inset: {inset * k:.0f}pt, fill: {fill}, stroke: 1pt + accent)"
                f"[#heading(level: {3 if self.chapter else 2}, outlined: false, {worded(title)})\n#set list(marker: [{sign}], spacing: {space * k:.0f}pt)\n{lines}]"
            )

        actions = ""
        if block.actions:
            # Lines to write on, a hand's breadth of the sheet below the boxes.
            rule = f"#v({16 * k:.0f}pt)\n#line(length: 100%, stroke: 0.8pt + soft)\n"
            actions = (
                f"#block(width: 100%, inset: {12 * k:.0f}pt, stroke: 1pt + accent)[#heading(level: {3 if self.chapter else 2}, outlined: false, "
                f"{worded(block.actions_title)})\n{rule * block.actions}]\n"
            )
        # The boxes take what the heading and the small print leave of the sheet, so that it stays one sheet.
        return (
            f"#block(height: 1fr, grid(columns: (1fr, 1fr), rows: (100%,), column-gutter: {16 * k:.0f}pt, "
            + half(block.best_title, block.best, "▲", 'rgb("#EAF5EA")')
            + ", "
            + half(block.improve_title, block.improve, "►", 'rgb("#FDF3E3")')
            + f"))\n{actions}#text(size: {11 * k:.1f}pt)[{self.words(block.about)}]\n"
        )

    def poster(self, page: Page) -> str:
        """A sheet to itself, without the report's header and foot: it is put on a wall."""
        label = f" <{page.anchor}>" if page.anchor else ""
        level, k = 2 if page.chapter else 1, self.scale
        size = 24 * k if len(page.title) < 120 else 15 * k
        body = "".join(self.block(b, FULL) for b in page.blocks)
        return (
            f'#page(paper: "{self.paper}", flipped: true, header: none, footer: none, margin: (x: {42 * k:.0f}pt, y: {34 * k:.0f}pt))[\n'
            f"#show heading.where(level: {level}): set text(size: {size:.0f}pt)\n"
            f"#show heading.where(level: {level + 1}): set text(size: {18 * k:.0f}pt)\n"
            f"#heading(level: {level}, {worded(page.title)}){label}\n{body}]\n"
        )

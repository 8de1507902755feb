"""A report on slides: blocks flow down one or two columns, and on to a further slide where they do not fit."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE
from pptx.opc.constants import RELATIONSHIP_TYPE as RT
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.util import Inches

from stocktake.render.deck.charts import Drawing, height_of
from stocktake.render.deck.flow import (
    SIZES,
    TABLE_SIZE,
    Column,
    flowing,
    halves,
    height_of_block,
    row_height,
    slides_of,
    unfolded,
    widths_of,
)
from stocktake.render.deck.master import BODY_HEIGHT, BODY_WIDTH, GAP, LEFT, TOP, new_deck
from stocktake.render.deck.shapes import Frame, describe
from stocktake.render.deck.words import A, Run, link, paragraph, put
from stocktake.render.theme import Theme
from stocktake.render.words import brief, clean
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
    Link,
    Number,
    Page,
    Poster,
    Report,
    Strong,
    Table,
    Text,
    plain,
)

# Light Style 1: rules above and below, and a bold header, in the theme's own colours.
TABLE_STYLE = "{9D7B030F-B1BA-407E-AD0F-02E6A3D2B9C3}"
P14 = "http://schemas.microsoft.com/office/powerpoint/2010/main"
SECTIONS = "{521415D9-36F7-43E2-AB2F-B90AF26B5E84}"
# The same results must give the same file as far as the clock goes.
WHEN = datetime(2000, 1, 1)


def deck_bytes(report: Report, theme: Theme) -> bytes:
    """A report as the bytes of a PPTX deck."""
    out = io.BytesIO()
    _Deck(report, theme).build().save(out)
    return without_clock(out.getvalue())


def without_clock(package: bytes) -> bytes:
    """A zip file with one fixed date for all of its parts, which the library stamps with the time of writing."""
    fixed = struct.pack("<HH", 0, (2000 - 1980) << 9 | 1 << 5 | 1)
    data = bytearray(package)
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        places = [(item.header_offset, item.filename) for item in archive.infolist()]
        central = archive.start_dir
    for offset, _ in places:
        data[offset + 10 : offset + 14] = fixed
    for _ in places:
        data[central + 12 : central + 16] = fixed
        name, extra, comment = struct.unpack_from("<HHH", data, central + 28)
        central += 46 + name + extra + comment
    return bytes(data)


Textual = Text | Bullets | Heading


class _Deck:
    def __init__(self, report: Report, theme: Theme) -> None:
        self.report, self.theme = report, theme
        self.deck = new_deck(theme)
        self.layouts = {layout.name: layout for layout in self.deck.slide_layouts}
        self.anchors: dict[str, Any] = {}
        self.links: list[tuple[Any, Any, str]] = []
        self.titles: dict[str, int] = {}
        self.titled: dict[str, str] = {}
        self.feet: list[tuple[Any, str]] = []
        self.shapes: dict[str, list[tuple[str, Any]]] = {}
        self.sections: list[tuple[str, list[int]]] = []
        self.chapter = ""
        self.contents: list[tuple[Any, Frame]] = []

    def build(self) -> Any:
        report = self.report
        core = self.deck.core_properties
        core.title, core.author = brief(f"{report.organisation}, {report.title}"), "Stocktake"
        core.subject, core.keywords = brief(report.subtitle), brief(", ".join(report.keywords))
        core.language, core.created, core.modified, core.last_modified_by = report.language, WHEN, WHEN, "Stocktake"
        for page in flowing(report.pages):
            self.page(page)
        for slide, frame in self.contents:
            self._fill_contents(slide, frame)
        for slide, element, anchor in self.links:
            self._jump(slide, element, anchor)
        self._feet()
        self._sections()
        return self.deck

    # Slides

    def slide(self, layout: str, title: str, anchor: str = "") -> Any:
        slide = self.deck.slides.add_slide(self.layouts[layout])
        if self.titled.setdefault(title, self.chapter) != self.chapter:
            # The same page of another chapter, such as another service group, is no continuation.
            title = f"{title}: {self.chapter}"
        count = self.titles.get(title, 0) + 1
        self.titles[title] = count
        # Every slide has a name of its own, by which screen readers and menus list it.
        slide.shapes.title.text_frame.text = clean(title if count == 1 else f"{title} ({count})")
        if anchor:
            self.anchors.setdefault(anchor, slide)
        section = self.chapter or "Overview"
        if not self.sections or self.sections[-1][0] != section:
            self.sections.append((section, []))
        self.sections[-1][1].append(slide.slide_id)
        self.feet.append((slide, self.chapter))
        return slide

    def _feet(self) -> None:
        """Footer and number of every slide, which the library leaves on the layout: last in the order of reading."""
        report = self.report
        for slide, chapter in self.feet:
            words = ". ".join(w for w in (report.organisation, chapter, report.notice.rstrip(".")) if w)
            name = slide.slide_layout.name
            if name not in self.shapes:
                found = [(str(s.placeholder_format.type), s._element) for s in slide.slide_layout.placeholders]
                self.shapes[name] = [(k, e) for k, e in found if "FOOTER" in k or "SLIDE_NUMBER" in k]
            tree = slide.shapes._spTree
            for kind, element in self.shapes[name]:
                copy = deepcopy(element)
                # Ids belong to the slide, and may not repeat in it.
                copy.find(f"{qn('p:nvSpPr')}/{qn('p:cNvPr')}").set("id", str(1000 + len(tree)))
                tree.append(copy)
                if "FOOTER" in kind:
                    body = copy.find(qn("p:txBody"))
                    for old in body.findall(qn("a:p")):
                        body.remove(old)
                    run = f'<a:r><a:rPr lang="en-GB"/><a:t>{escape(clean(words))}</a:t></a:r>'
                    body.append(parse_xml(f'<a:p xmlns:a="{A}">{run}</a:p>'))

    def page(self, page: Page) -> None:
        if page.kind == "cover":
            self._cover()
            return
        self.chapter = page.chapter
        if page.kind == "poster":
            self._poster(page)
            return
        for k, (columns, texts) in enumerate(slides_of(page)):
            anchor = page.anchor if k == 0 else ""
            layout = "Title Only"
            if texts:
                layout = "Two Content" if len(columns) == 2 else "Title and Content"
            title = page.title.removesuffix(" (continued)")
            slide = self.slide(layout, title, anchor)
            if texts:
                bodies = [s for s in slide.placeholders if s.placeholder_format.idx in (1, 2)]
                for shape, column in zip(bodies, columns, strict=True):
                    shape.left, shape.top = Inches(column.x), Inches(TOP)
                    shape.width, shape.height = Inches(column.w), Inches(BODY_HEIGHT)
                    self._fill(slide, shape.text_frame, [b for b, _ in column.blocks])
            else:
                for column in columns:
                    self._column(slide, column)

    # Drawing

    def _column(self, slide: Any, column: Column, top: float = TOP) -> float:
        y = top
        run: list[Block] = []
        started = y
        for block, height in column.blocks:
            if isinstance(block, (Text, Bullets, Heading)) and not (
                isinstance(block, Text) and block.tone == "verdict"
            ):
                if not run:
                    started = y
                run.append(block)
                y += height
                continue
            self._flush(slide, run, column, started, y)
            run = []
            self._draw(slide, block, column.x, y, column.w, height)
            y += height
        self._flush(slide, run, column, started, y)
        return y

    def _flush(self, slide: Any, run: list[Block], column: Column, top: float, bottom: float) -> None:
        if not run:
            return
        box = slide.shapes.add_textbox(Inches(column.x), Inches(top), Inches(column.w), Inches(max(bottom - top, 0.2)))
        self._fill(slide, box.text_frame, run)

    def _fill(self, slide: Any, frame: Any, blocks: Sequence[Block]) -> None:
        """Paragraphs of text, bullets and headings into a text frame."""
        frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        frame.vertical_anchor = MSO_ANCHOR.TOP
        paragraphs: list[str] = []
        linked: list[tuple[int, int, Link]] = []
        for block in blocks:
            items: list[tuple[Text | Heading, str]] = []
            if isinstance(block, Bullets):
                items = [(t, f"{i}." if block.numbered else "•") for i, t in enumerate(block.items, start=1)]
            elif isinstance(block, (Text, Heading)):
                items = [(block, "")]
            for item, sign in items:
                if isinstance(item, Heading):
                    runs = [Run(item.text, 16 if item.level < 3 else 14, True, "accent1")]
                    if item.anchor:
                        self.anchors.setdefault(item.anchor, slide)
                else:
                    runs = [_run(part, item.tone) for part in item.parts]
                    places = ((len(paragraphs), i, p) for i, p in enumerate(item.parts) if isinstance(p, Link))
                    linked += places
                paragraphs.append(paragraph(runs, sign))
        made = put(frame, paragraphs)
        for at, run, target in linked:
            element = made[at].findall(qn("a:r"))[run]
            if target.anchor:
                self.links.append((slide, element, target.anchor))
            elif target.address:
                link(element, slide.part.relate_to(target.address, RT.HYPERLINK, is_external=True), inside=False)

    def _draw(self, slide: Any, block: Block, x: float, y: float, w: float, h: float) -> None:
        if isinstance(block, Figure):
            Drawing(slide, self.theme).draw(block.chart, Frame(x, y, w, height_of(block.chart, w)))
        elif isinstance(block, Table):
            self._table(slide, block, x, y, w)
        elif isinstance(block, Columns):
            for column in halves(block, x, w):
                self._column(slide, column, y)
        elif isinstance(block, (KeepTogether, Aside)):
            inner = Column(x, w, [(b, height_of_block(b, w)) for b in unfolded(block.blocks)])
            self._column(slide, inner, y)
        elif isinstance(block, Cards):
            self._cards(slide, block, x, y, w)
        elif isinstance(block, Contents):
            self.contents.append((slide, Frame(x, y, w, BODY_HEIGHT)))
        elif isinstance(block, Text):
            self._verdict(slide, block, x, y, w, h)

    def _verdict(self, slide: Any, block: Text, x: float, y: float, w: float, h: float) -> None:
        box = slide.shapes.add_textbox(Inches(x), Inches(y), Inches(w), Inches(h - 0.08))
        box.fill.solid()
        box.fill.fore_color.theme_color = MSO_THEME_COLOR.BACKGROUND_2
        self._fill(slide, box.text_frame, [block])
        frame = box.text_frame
        frame.margin_left, frame.margin_top = Inches(0.1), Inches(0.04)
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE

    def _cards(self, slide: Any, block: Cards, x: float, y: float, w: float) -> None:
        each = (w - 0.15 * (len(block.items) - 1)) / max(len(block.items), 1)
        for i, (number, label) in enumerate(block.items):
            box = slide.shapes.add_textbox(Inches(x + i * (each + 0.15)), Inches(y), Inches(each), Inches(0.95))
            box.fill.solid()
            box.fill.fore_color.theme_color = MSO_THEME_COLOR.BACKGROUND_2
            frame = box.text_frame
            frame.word_wrap = True
            put(frame, [paragraph([Run(number.text, 24, True, "accent1")]), paragraph([Run(label, 11)])])

    def _table(self, slide: Any, block: Table, x: float, y: float, w: float) -> None:
        widths = widths_of(block, w)
        rows = (block.header, *block.rows)
        numeric = [
            bool(block.rows) and all(isinstance(r[i], Number) or r[i] == "-" for r in block.rows)
            for i in range(len(block.header))
        ]
        shape = slide.shapes.add_table(1, 1, Inches(x), Inches(y), Inches(w), Inches(0.25 * len(rows)))
        describe(shape, block.title, block.title)
        # Written as one piece of XML: cell by cell through the library takes longer than all charts together.
        grid = "".join(f'<a:gridCol w="{Inches(width)}"/>' for width in widths)
        body = "".join(
            f'<a:tr h="{Inches(row_height(row, widths))}">'
            + "".join(_cell(plain(cell), bold=r == 0, right=numeric[c]) for c, cell in enumerate(row))
            + "</a:tr>"
            for r, row in enumerate(rows)
        )
        first = ' firstCol="1"' if block.row_headers else ""
        xml = (
            f'<a:tbl xmlns:a="{A}"><a:tblPr firstRow="1"{first}><a:tableStyleId>{TABLE_STYLE}</a:tableStyleId></a:tblPr>'
            f"<a:tblGrid>{grid}</a:tblGrid>{body}</a:tbl>"
        )
        old = shape._element.graphic.graphicData.tbl
        old.getparent().replace(old, parse_xml(xml))

    # Particular slides

    def _cover(self) -> None:
        report = self.report
        slide = self.slide("Title Slide", report.organisation)
        lines = (report.title, report.subtitle, report.date_line, report.notice)
        shown = [w for w in lines if w]
        put(
            slide.placeholders[1].text_frame,
            [paragraph([Run(w, 20 if i == 0 else 14, colour="tx2")]) for i, w in enumerate(shown)],
        )
        if self.theme.logo and not self.theme.logo.lower().endswith(".svg"):
            path = (self.theme.folder or Path()) / self.theme.logo
            picture = slide.shapes.add_picture(str(path), Inches(10.5), Inches(0.5), height=Inches(0.9))
            describe(picture, self.theme.logo_alt, "Logo")

    def _poster(self, page: Page) -> None:
        block = next(b for b in page.blocks if isinstance(b, Poster))
        slide = self.slide("Two Content", page.title, page.anchor)
        bodies = [s for s in slide.placeholders if s.placeholder_format.idx in (1, 2)]
        halves = ((block.best_title, block.best, "EAF5EA"), (block.improve_title, block.improve, "FDF3E3"))
        half = (BODY_WIDTH - GAP) / 2
        for i, (shape, (title, items, colour)) in enumerate(zip(bodies, halves, strict=True)):
            shape.left, shape.top = Inches(LEFT + i * (half + GAP)), Inches(TOP)
            shape.width, shape.height = Inches(half), Inches(3.0 if block.actions else 4.4)
            shape.fill.solid()
            shape.fill.fore_color.rgb = RGBColor.from_string(colour)
            self._fill(
                slide,
                shape.text_frame,
                [Heading(title), Bullets(tuple(Text(t.parts, "plain" if block.actions else "lead") for t in items))],
            )
            shape.text_frame.margin_left = shape.text_frame.margin_top = Inches(0.15)
        if block.actions:
            self._actions(slide, block)
        about = Column(LEFT, BODY_WIDTH, [(block.about, height_of_block(block.about, BODY_WIDTH))])
        self._column(slide, about, TOP + 4.5)

    def _actions(self, slide: Any, block: Poster) -> None:
        """A box to write in, with a bullet for each line."""
        box = slide.shapes.add_textbox(Inches(LEFT), Inches(TOP + 3.1), Inches(BODY_WIDTH), Inches(1.3))
        box.line.color.theme_color = MSO_THEME_COLOR.ACCENT_1
        empty = tuple(Text(("",)) for _ in range(block.actions))
        self._fill(slide, box.text_frame, [Heading(block.actions_title), Bullets(empty)])

    def _fill_contents(self, slide: Any, frame: Frame) -> None:
        """The chapters and their first pages, as links; made last, when all slides are known."""
        seen: dict[str, str] = {}
        for page in self.report.pages:
            if page.anchor and page.kind not in ("cover", "contents"):
                seen.setdefault(page.chapter or page.title, page.anchor)
        numbers = {s.slide_id: i for i, s in enumerate(self.deck.slides, start=1)}
        items = tuple(
            Text((Link(f"{name} (slide {numbers[self.anchors[a].slide_id]})", a),))
            for name, a in seen.items()
            if a in self.anchors
        )
        column = Column(frame.x, frame.w, [(Bullets(items), BODY_HEIGHT - 0.1)])
        self._column(slide, column, frame.y)

    def _jump(self, slide: Any, element: Any, anchor: str) -> None:
        target = self.anchors.get(anchor)
        if target is not None:
            link(element, slide.part.relate_to(target.part, RT.SLIDE), inside=True)

    def _sections(self) -> None:
        """PowerPoint's own sections, one a chapter, to find one's way among many slides."""
        root = self.deck.part._element
        parts = []
        for i, (name, ids) in enumerate(self.sections, start=1):
            slides = "".join(f'<p14:sldId id="{n}"/>' for n in ids)
            guid = f"{{00000000-0000-4000-8000-{i:012d}}}"
            parts.append((name, guid, slides))
        listed = etree.fromstring(f'<p14:sectionLst xmlns:p14="{P14}"/>')
        for name, guid, slides in parts:
            section = etree.fromstring(
                f'<p14:section xmlns:p14="{P14}" id="{guid}"><p14:sldIdLst>{slides}</p14:sldIdLst></p14:section>'
            )
            section.set("name", clean(name))
            listed.append(section)
        extension = root.makeelement(qn("p:ext"), {"uri": SECTIONS})
        extension.append(listed)
        holder = root.find(qn("p:extLst"))
        if holder is None:
            holder = root.makeelement(qn("p:extLst"), {})
            root.append(holder)
        holder.append(extension)


def _cell(words: str, *, bold: bool, right: bool) -> str:
    """One table cell; its content is text."""
    weight, side = ' b="1"' if bold else "", ' algn="r"' if right else ""
    return (
        f'<a:tc><a:txBody><a:bodyPr/><a:lstStyle/><a:p><a:pPr{side}/><a:r><a:rPr lang="en-GB" sz="{TABLE_SIZE * 100}"{weight}>'
        f'<a:solidFill><a:schemeClr val="tx1"/></a:solidFill></a:rPr><a:t>{escape(clean(words))}</a:t></a:r></a:p></a:txBody>'
        '<a:tcPr marL="45720" marR="45720" marT="27432" marB="27432"/></a:tc>'
    )


def _run(part: Inline, tone: str) -> Run:
    words = part if isinstance(part, str) else part.text
    return Run(words, SIZES[tone], isinstance(part, Strong) or tone == "verdict", "tx2" if tone == "note" else "tx1")

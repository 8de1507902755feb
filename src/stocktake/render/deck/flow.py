"""How a page flows over slides: how high its blocks are, and where one slide ends and the next begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stocktake.render.deck.charts import height_of
from stocktake.render.deck.master import BODY_HEIGHT, BODY_WIDTH, GAP, LEFT
from stocktake.render.deck.summary_charts import MOST_ROWS
from stocktake.reports.charts import BandKey, RankedBars
from stocktake.reports.model import (
    Aside,
    Block,
    Bullets,
    Cards,
    Columns,
    Contents,
    Figure,
    Heading,
    KeepTogether,
    Page,
    Table,
    Text,
    plain,
)
from stocktake.reports.summary_charts import SummaryChart

SIZES = {"lead": 18, "note": 11, "verdict": 13, "formula": 14, "plain": 14}
TABLE_SIZE = 11


@dataclass
class Column:
    """Blocks of one column with their heights: what follows is where a slide may break."""

    x: float
    w: float
    blocks: list[tuple[Block, float]] = field(default_factory=list)


def lines_of(words: str, size: float, width: float) -> int:
    """How many lines a text takes; Arial's letters are about half as wide as high."""
    return max(1, math.ceil(len(words) * size * 0.52 / 72 / max(width, 0.1)))


def text_height(words: str, size: float, width: float, after: float = 6.0) -> float:
    return (lines_of(words, size, width) * size * 1.2 + after) / 72


def slides_of(page: Page) -> list[tuple[list[Column], bool]]:
    """The page's blocks split over slides; whether all of a slide is text."""
    slides: list[list[Column]] = []
    top = 0.0

    def fresh() -> None:
        nonlocal top
        slides.append([Column(LEFT, BODY_WIDTH)])
        top = 0.0

    fresh()
    for block in unfolded(without_second_key(page)):
        pieces = pieces_of(block, BODY_WIDTH)
        space = BODY_HEIGHT - top
        if isinstance(block, Columns) and height_of_block(block, BODY_WIDTH) > space > 2.4:
            # Columns begin below the blocks above them, rather than leave the slide empty.
            split = split_columns(block, BODY_WIDTH, space)
            if split[0].left and split[0].right:
                pieces = list(split)
        if isinstance(block, Table) and height_of_block(block, BODY_WIDTH) > BODY_HEIGHT and space > 2.4:
            # A long table begins below what introduces it.
            pieces = split_table(block, BODY_WIDTH, space)
        for piece in pieces:
            height = height_of_block(piece, BODY_WIDTH)
            if top + height > BODY_HEIGHT and top > 0:
                # A heading does not stay behind alone.
                held = slides[-1][0].blocks
                carried = [held.pop()] if len(held) > 1 and isinstance(held[-1][0], Heading) else []
                fresh()
                slides[-1][0].blocks.extend(carried)
                top = sum(h for _, h in carried)
            slides[-1][0].blocks.append((piece, height))
            top += height
    out = []
    for columns in slides:
        column = columns[0]
        if len(column.blocks) == 1 and isinstance(column.blocks[0][0], Columns):
            pair = column.blocks[0][0]
            left, right = halves(pair, LEFT, BODY_WIDTH)
            if all_text(pair.left) and all_text(pair.right):
                # A column with nothing in it would be an empty box to a screen reader.
                out.append(([c for c in (left, right) if c.blocks], True))
                continue
        blocks = [b for b, _ in column.blocks]
        out.append((columns, bool(blocks) and all_text(blocks)))
    return out


def halves(columns: Columns, x: float, width: float) -> tuple[Column, Column]:
    left = (width - GAP) * columns.ratio / (columns.ratio + 1)
    right = width - GAP - left
    a, b = Column(x, left), Column(x + left + GAP, right)
    for column, blocks in ((a, columns.left), (b, columns.right)):
        column.blocks = [(p, height_of_block(p, column.w)) for p in unfolded(blocks)]
    return a, b


def pieces_of(block: Block, width: float) -> list[Block]:
    """A block too high for a slide in parts that are not; others as they are."""
    if isinstance(block, Figure) and isinstance(block.chart, SummaryChart) and len(block.chart.rows) > MOST_ROWS:
        return [Figure(part, block.title) for part in block.chart.parts(MOST_ROWS)]
    if height_of_block(block, width) <= BODY_HEIGHT:
        return [block]
    if isinstance(block, Table):
        return list(split_table(block, width))
    if isinstance(block, Bullets):
        half = len(block.items) // 2
        if half:
            parts = (Bullets(block.items[:half], block.numbered), Bullets(block.items[half:], block.numbered))
            return [p for part in parts for p in pieces_of(part, width)]
    if isinstance(block, KeepTogether):
        return [p for inner in unfolded(block.blocks) for p in pieces_of(inner, width)]
    if isinstance(block, Columns):
        return list(split_columns(block, width, BODY_HEIGHT))
    return [block]


def split_columns(columns: Columns, width: float, space: float) -> list[Columns]:
    """Two columns over several slides, the first with so much space, each column broken where it must be."""
    left, right = halves(columns, LEFT, width)

    def filled(column: Column) -> list[tuple[Block, ...]]:
        out: list[list[Block]] = [[]]
        used = 0.0
        for block, _ in column.blocks:
            for piece in pieces_of(block, column.w):
                height = height_of_block(piece, column.w)
                if used + height > (space if len(out) == 1 else BODY_HEIGHT) and (out[-1] or len(out) == 1):
                    # A heading does not stay behind alone.
                    carried = [out[-1].pop()] if len(out[-1]) > 1 and isinstance(out[-1][-1], Heading) else []
                    out.append(carried)
                    used = sum(height_of_block(c, column.w) for c in carried)
                out[-1].append(piece)
                used += height
        return [tuple(x) for x in out]

    a, b = filled(left), filled(right)
    many = max(len(a), len(b))
    a += [()] * (many - len(a))
    b += [()] * (many - len(b))
    # What is left of the second column alone stands where reading begins, as wide as before.
    return [
        Columns(x, y, columns.ratio) if x or not y else Columns(y, (), 1 / columns.ratio)
        for x, y in zip(a, b, strict=True)
    ]


def split_table(table: Table, width: float, space: float = BODY_HEIGHT) -> list[Block]:
    """A table over several slides, the first with so much space, each with the heading row."""
    widths = widths_of(table, width)
    parts: list[list[Any]] = [[]]
    used = head = row_height(table.header, widths)
    for row in table.rows:
        height = row_height(row, widths)
        if used + height > (space if len(parts) == 1 else BODY_HEIGHT) - 0.15 and parts[-1]:
            parts.append([])
            used = head
        parts[-1].append(row)
        used += height
    return [Table(table.title, table.header, tuple(p), table.row_headers, table.widths) for p in parts]


def height_of_block(block: Block, width: float) -> float:
    if isinstance(block, Text):
        extra = 0.16 if block.tone == "verdict" else 0.0
        return text_height(plain(block), SIZES[block.tone], width - extra) + extra
    if isinstance(block, Heading):
        return text_height(block.text, 16 if block.level < 3 else 14, width, 4)
    if isinstance(block, Bullets):
        return sum(text_height(plain(t), SIZES[t.tone], width - 0.3, 4) for t in block.items)
    if isinstance(block, Figure):
        return height_of(block.chart, width) + 0.1
    if isinstance(block, Table):
        widths = widths_of(block, width)
        return sum(row_height(r, widths) for r in (block.header, *block.rows)) + 0.12
    if isinstance(block, Columns):
        left, right = halves(block, 0, width)
        return max((sum(h for _, h in c.blocks) for c in (left, right)), default=0.0)
    if isinstance(block, (KeepTogether, Aside)):
        return sum(height_of_block(b, width) for b in unfolded(block.blocks)) + 0.05
    if isinstance(block, Cards):
        return 1.1 if block.items else 0.0
    if isinstance(block, Contents):
        return BODY_HEIGHT
    return 4.5


def widths_of(table: Table, width: float) -> list[float]:
    shares = table.widths or (1.0,) * len(table.header)
    return [width * s / sum(shares) for s in shares]


def row_height(row: Sequence[Any], widths: Sequence[float]) -> float:
    lines = max(lines_of(plain(c), TABLE_SIZE, w - 0.12) for c, w in zip(row, widths, strict=True))
    return (lines * TABLE_SIZE * 1.2 + 6) / 72


def unfolded(blocks: Sequence[Block]) -> list[Block]:
    """Blocks without those that only hold others together and would not fit anyway."""
    return [b for b in blocks if not (isinstance(b, Cards) and not b.items)]


def flowing(pages: Sequence[Page]) -> list[Page]:
    """Pages that need no sheet of their own joined to the one before them, under the chapter's name."""
    out: list[Page] = []
    for page in pages:
        if page.new_sheet or page.new_slide or not out or out[-1].chapter != page.chapter or out[-1].kind != page.kind:
            out.append(page)
            continue
        first = out[-1]
        if first.title != page.chapter:
            first = replace(first, title=page.chapter, blocks=(Heading(first.title, 2, first.anchor), *first.blocks))
        out[-1] = replace(first, blocks=(*first.blocks, Heading(page.title, 2, page.anchor), *page.blocks))
    return out


def without_second_key(page: Page) -> tuple[Block, ...]:
    """A page's blocks without the key to the bands where the native chart next to it has a legend of its own."""

    def charts(blocks: Sequence[Block], kind: type) -> bool:
        return any(isinstance(b, Figure) and isinstance(b.chart, kind) for b in blocks)

    inside = [b for b in page.blocks if isinstance(b, KeepTogether)]
    if not charts([*page.blocks, *(b for k in inside for b in k.blocks)], RankedBars):
        return page.blocks
    return tuple(
        KeepTogether(tuple(k for k in b.blocks if not charts([k], BandKey))) if isinstance(b, KeepTogether) else b
        for b in page.blocks
        if not charts([b], BandKey)
    )


def all_text(blocks: Sequence[Block]) -> bool:
    return all(isinstance(b, (Text, Bullets, Heading)) and getattr(b, "tone", "") != "verdict" for b in blocks)

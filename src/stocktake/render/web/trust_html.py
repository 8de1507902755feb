"""The blocks of a report on an organisation's web pages: drawings that all pages share, and light rows for the rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatchmethod
from html import escape
from urllib.parse import quote

from stocktake.render.measure_drawings import HEIGHTS, WIDTHS, Marks
from stocktake.render.theme import Theme
from stocktake.render.web.html import Html, anchors_of, text
from stocktake.render.web.rows import SCALE, change_rows, measure_link, scorecard_rows, share_rows, strip_html
from stocktake.render.words import clean
from stocktake.reports.charts import BandKey, BandStrip, PlainBars, RankedBars, ShareBars
from stocktake.reports.model import Block, Columns, Figure, KeepTogether, Report, Table, plain
from stocktake.reports.summary_charts import ChangeDots, Scorecard


class TrustHtml(Html):
    """Sets the blocks of one organisation's report; `code` is marked in the drawings of measures.

    `marks` gives the places in the drawing of a measure; without `shared` the measures have no pages of their own, as those
    of a service group.
    """

    def __init__(
        self, theme: Theme, report: Report, code: str, marks: Callable[[str], Marks | None], shared: bool = True
    ) -> None:
        super().__init__(theme, anchors_of(report))
        self.code, self.marks, self.shared, self.strips = code, marks, shared, 0

    def onward(self, anchor: str, words: str) -> str:
        for prefix in ("q-", "section-"):
            if self.shared and anchor.startswith(prefix):
                return f'<a href="{measure_link("../measures/", anchor.removeprefix(prefix))}">{words}</a>'
        return words

    @singledispatchmethod
    def block(self, block: Block, level: int) -> str:
        return super().block(block, level)

    @block.register
    def _(self, block: Table, level: int) -> str:
        if len(block.rows) == 1 and not block.row_headers:
            # One row of figures needs no table: each stands after its name.
            pairs = zip(block.header, block.rows[0], strict=True)
            items = (f"{text(h)} <b>{text(plain(c))}</b>" for h, c in pairs)
            return f'<p class="facts">{", ".join(items)}</p>\n'
        return super().block(block, level)

    @block.register
    def _(self, block: KeepTogether, level: int) -> str:
        # Pages on a screen have no ends that blocks need to be kept from.
        return self.kept(block, level)

    @block.register
    def _(self, block: Columns, level: int) -> str:
        left = block.left[0] if len(block.left) == 1 else None
        if isinstance(left, Figure) and isinstance(left.chart, BandStrip):
            return self.blocks((*block.left, *block.right), level)
        return f'<div class="side"><div>{self.blocks(block.left, level)}</div><div>{self.blocks(block.right, level)}</div></div>\n'

    def figure(self, block: Figure) -> str:
        chart = block.chart
        if isinstance(chart, RankedBars):
            return self._drawn_once(chart) if self.shared else ""
        if isinstance(chart, (BandKey, PlainBars)):
            # The figures of plain bars stand in the table beside them; a key stands once on each page.
            return ""
        if isinstance(chart, BandStrip):
            self.strips += 1
            return (SCALE if self.strips == 1 else "") + strip_html(chart)
        if isinstance(chart, ShareBars):
            return share_rows(chart, chart.alt.split(":")[0])
        if isinstance(chart, Scorecard):
            return scorecard_rows(chart, self.shared, {})
        if isinstance(chart, ChangeDots):
            return change_rows(chart, self.shared)
        return super().figure(block)

    def _drawn_once(self, chart: RankedBars) -> str:
        """The drawing of a measure, which all pages share, with the organisation's own place marked over it."""
        marks = self.marks(chart.measure)
        if marks is None:
            return ""
        overs = ""
        for size, places in marks.places.items():
            if self.code in places:
                (x, y), foot = places[self.code], HEIGHTS[size]
                overs += (
                    f'<svg class="mine {size}" viewBox="0 0 {WIDTHS[size]:g} {foot:g}" aria-hidden="true">'
                    f'<path d="M{x:.1f} {y - 8:.1f}l8 8-8 8-8-8zM{x:.1f} {foot:g}V{y + 9:.1f}"/></svg>'
                )
        name = f"../charts/{quote(chart.measure)}"
        return (
            f'<figure class="chart dots"><div class="paper"><picture><source media="(max-width: 640px)" srcset="{name}.narrow.svg">'
            f'<img src="{name}.wide.svg" alt="{escape(clean(marks.alt))}" loading="lazy" width="720" height="300"></picture>{overs}</div></figure>\n'
        )

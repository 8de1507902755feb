"""Draws every chart model once, as SVG, for print and web alike; text stays text."""

from __future__ import annotations

import math
from functools import singledispatchmethod
from xml.sax.saxutils import escape, quoteattr

from stocktake.render import (
    figure_drawings,
    map_drawings,
    measure_drawings,
    series_drawings,
    summary_drawings,
    survey_drawings,
)
from stocktake.render.theme import MARKS, Theme
from stocktake.reports.charts import (
    BandKey,
    BandStrip,
    Chart,
    CountBars,
    Funnel,
    PairedBars,
    PlainBars,
    RankedBars,
    ShareBars,
    TrendLines,
)
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
from stocktake.reports.measure_charts import RankedDots
from stocktake.reports.summary_charts import ChangeDots, Scorecard


def draw(chart: Chart, theme: Theme, width: float, height: float | None = None) -> str:
    """A chart as a standalone SVG of the given width (points); the height follows from the chart unless given."""
    return Canvas(theme, width).render(chart, height)


def _fmt(x: float) -> str:
    return f"{x:.2f}".rstrip("0").rstrip(".")


class Canvas:
    """What a drawing is made of; every chart model has its drawing in a module of its kind."""

    def __init__(self, theme: Theme, width: float) -> None:
        self.theme, self.width, self.height = theme, width, 0.0
        self.parts: list[str] = []

    def render(self, chart: Chart, height: float | None) -> str:
        self.height = height or 0.0
        self.draw(chart)
        # A picture may not hold links, which a group may.
        role = "group" if getattr(chart, "links", "") else "img"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_fmt(self.width)}" height="{_fmt(self.height)}" '
            f'viewBox="0 0 {_fmt(self.width)} {_fmt(self.height)}" role="{role}" aria-label={quoteattr(chart.alt)} '
            f"font-family={quoteattr(f'{self.theme.font}, Arial, Helvetica, sans-serif')}>"
            + "".join(self.parts)
            + "</svg>"
        )

    def rect(self, x: float, y: float, w: float, h: float, fill: str, stroke: str = "", sw: float = 0.5) -> None:
        line = f' stroke="{stroke}" stroke-width="{_fmt(sw)}"' if stroke else ""
        self.parts.append(
            f'<rect x="{_fmt(x)}" y="{_fmt(y)}" width="{_fmt(max(w, 0))}" height="{_fmt(max(h, 0))}" fill="{fill}"{line}/>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, sw: float = 1, dash: str = "") -> None:
        d = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{_fmt(x1)}" y1="{_fmt(y1)}" x2="{_fmt(x2)}" y2="{_fmt(y2)}" '
            f'stroke="{stroke}" stroke-width="{_fmt(sw)}"{d}/>'
        )

    def text(
        self, x: float, y: float, words: str, size: float = 9, anchor: str = "start", weight: str = "", fill: str = ""
    ) -> None:
        bold = f' font-weight="{weight}"' if weight else ""
        self.parts.append(
            f'<text x="{_fmt(x)}" y="{_fmt(y)}" font-size="{_fmt(size)}" text-anchor="{anchor}"{bold} '
            f'fill="{fill or self.theme.ink}">{escape(words)}</text>'
        )

    def polygon(self, points: list[tuple[float, float]], fill: str, stroke: str = "") -> None:
        line = f' stroke="{stroke}" stroke-width="0.5"' if stroke else ""
        at = " ".join(f"{_fmt(x)},{_fmt(y)}" for x, y in points)
        self.parts.append(f'<polygon points="{at}" fill="{fill}"{line}/>')

    def marks(
        self, x: float, y: float, band: int | None, size: float = 4.0, fill: str = "", across: bool = False
    ) -> None:
        """Triangles that say a band without colour, centred on x from y upwards (or side by side)."""
        many = MARKS.get(band or 4, 0)
        up = many > 0
        half = size / 2
        for i in range(abs(many)):
            cx = x + (i - (abs(many) - 1) / 2) * size * 1.15 if across else x
            base = y if across else y - i * (size + 0.6)
            tip = base - size if up else base
            foot = base if up else base - size
            self.polygon([(cx - half, foot), (cx + half, foot), (cx, tip)], fill or self.theme.ink)

    def circle(self, x: float, y: float, r: float, fill: str, stroke: str = "", sw: float = 0.5) -> None:
        line = f' stroke="{stroke}" stroke-width="{_fmt(sw)}"' if stroke else ""
        self.parts.append(f'<circle cx="{_fmt(x)}" cy="{_fmt(y)}" r="{_fmt(r)}" fill="{fill}"{line}/>')

    def star(self, x: float, y: float, size: float) -> None:
        """A five-pointed star in black with a white rim."""
        points = []
        for i in range(10):
            radius = size if i % 2 == 0 else size * 0.4
            points.append((x + radius * math.sin(i * math.pi / 5), y - radius * math.cos(i * math.pi / 5)))
        self.polygon(points, self.theme.own, "#FFFFFF")

    def diamond(self, x: float, y: float, size: float, fill: str) -> None:
        self.polygon([(x, y - size), (x + size, y), (x, y + size), (x - size, y)], fill, "#FFFFFF")

    @singledispatchmethod
    def draw(self, chart: Chart) -> None:
        raise TypeError(f"no drawing for {type(chart).__name__}")

    @draw.register
    def _(self, chart: RankedBars) -> None:
        survey_drawings.ranked_bars(self, chart)

    @draw.register
    def _(self, chart: BandStrip) -> None:
        survey_drawings.band_strip(self, chart)

    @draw.register
    def _(self, chart: PairedBars) -> None:
        survey_drawings.paired_bars(self, chart)

    @draw.register
    def _(self, chart: PlainBars) -> None:
        survey_drawings.plain_bars(self, chart)

    @draw.register
    def _(self, chart: Funnel) -> None:
        survey_drawings.funnel(self, chart)

    @draw.register
    def _(self, chart: TrendLines) -> None:
        series_drawings.trend_lines(self, chart)

    @draw.register
    def _(self, chart: ShareBars) -> None:
        survey_drawings.share_bars(self, chart)

    @draw.register
    def _(self, chart: CountBars) -> None:
        survey_drawings.count_bars(self, chart)

    @draw.register
    def _(self, chart: BandKey) -> None:
        survey_drawings.band_key(self, chart)

    @draw.register
    def _(self, chart: FigureBars) -> None:
        figure_drawings.figure_bars(self, chart)

    @draw.register
    def _(self, chart: PartBars) -> None:
        figure_drawings.part_bars(self, chart)

    @draw.register
    def _(self, chart: StackedShares) -> None:
        figure_drawings.stacked_shares(self, chart)

    @draw.register
    def _(self, chart: TileMap) -> None:
        map_drawings.tile_map(self, chart)

    @draw.register
    def _(self, chart: SeriesLines) -> None:
        series_drawings.series_lines(self, chart)

    @draw.register
    def _(self, chart: Spine) -> None:
        figure_drawings.spine(self, chart)

    @draw.register
    def _(self, chart: RateFunnel) -> None:
        figure_drawings.rate_funnel(self, chart)

    @draw.register
    def _(self, chart: HeatTable) -> None:
        figure_drawings.heat_table(self, chart)

    @draw.register
    def _(self, chart: AreaMap) -> None:
        map_drawings.area_map(self, chart)

    @draw.register
    def _(self, chart: Scorecard) -> None:
        summary_drawings.scorecard(self, chart)

    @draw.register
    def _(self, chart: ChangeDots) -> None:
        summary_drawings.change_dots(self, chart)

    @draw.register
    def _(self, chart: RankedDots) -> None:
        measure_drawings.ranked_dots(self, chart)

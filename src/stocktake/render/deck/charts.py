"""Chart models as native charts: editable, their workbooks holding the shown values and nothing else."""

from __future__ import annotations

from functools import singledispatchmethod
from typing import Any

from pptx.util import Inches, Pt

from stocktake.render.deck import figure_charts, summary_charts, survey_charts
from stocktake.render.deck.chart_data import ChartData, PlaceData
from stocktake.render.deck.shapes import C, Frame, describe
from stocktake.render.theme import Theme
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
    FigureChart,
    HeatTable,
    PartBars,
    RateFunnel,
    SeriesLines,
    Spine,
    StackedShares,
    TileMap,
)
from stocktake.reports.summary_charts import ChangeDots, Scorecard, SummaryChart


def height_of(chart: Chart, width: float) -> float:
    """How high a chart is drawn, in inches."""
    if isinstance(chart, RankedBars):
        return 2.7 if chart.compact else 4.2
    if isinstance(chart, BandStrip):
        return 0.95
    if isinstance(chart, PairedBars):
        return 0.46 * len(chart.rows) + 0.6
    if isinstance(chart, PlainBars):
        return 0.4 * len(chart.rows) + 0.5
    if isinstance(chart, TrendLines):
        return 1.75
    if isinstance(chart, ShareBars):
        return 0.34 * len(chart.rows) + 0.75
    if isinstance(chart, CountBars):
        return 0.42 * len(chart.rows) + 0.25
    if isinstance(chart, Funnel):
        return 4.5
    if isinstance(chart, SummaryChart):
        return summary_charts.summary_height(chart)
    if isinstance(chart, FigureChart):
        return figure_charts.figure_height(chart, width)
    # Names of bands need two lines where the key is narrow.
    return 0.38 if width > 9 else 0.62


class Drawing:
    """Puts charts on one slide."""

    def __init__(self, slide: Any, theme: Theme) -> None:
        self.slide, self.theme = slide, theme

    def add(self, kind: Any, data: ChartData | PlaceData, frame: Frame, alt: str, title: str) -> Any:
        at = (Inches(frame.x), Inches(frame.y), Inches(frame.w), Inches(frame.h))
        shape = self.slide.shapes.add_chart(kind, *at, data)
        describe(shape, alt, title)
        chart = shape.chart
        chart.has_title = False
        chart.has_legend = False
        chart.font.size = Pt(10)
        # The library's axis numbers are negative, which the schema forbids.
        for name in ("axId", "crossAx"):
            for element in chart._chartSpace.iter(f"{{{C}}}{name}"):
                element.set("val", element.get("val").lstrip("-"))
        return chart

    @singledispatchmethod
    def draw(self, chart: Chart, frame: Frame) -> None:
        raise TypeError(f"no native chart for {type(chart).__name__}")

    @draw.register
    def _(self, model: RankedBars, frame: Frame) -> None:
        survey_charts.ranked_bars(self, model, frame)

    @draw.register
    def _(self, model: BandStrip, frame: Frame) -> None:
        survey_charts.band_strip(self, model, frame)

    @draw.register
    def _(self, model: PairedBars, frame: Frame) -> None:
        survey_charts.paired_bars(self, model, frame)

    @draw.register
    def _(self, model: ShareBars, frame: Frame) -> None:
        survey_charts.share_bars(self, model, frame)

    @draw.register
    def _(self, model: PlainBars, frame: Frame) -> None:
        survey_charts.plain_bars(self, model, frame)

    @draw.register
    def _(self, model: CountBars, frame: Frame) -> None:
        survey_charts.count_bars(self, model, frame)

    @draw.register
    def _(self, model: TrendLines, frame: Frame) -> None:
        survey_charts.trend_lines(self, model, frame)

    @draw.register
    def _(self, model: BandKey, frame: Frame) -> None:
        survey_charts.band_key(self, model, frame)

    @draw.register
    def _(self, model: FigureBars, frame: Frame) -> None:
        figure_charts.figure_bars(self, model, frame)

    @draw.register
    def _(self, model: PartBars, frame: Frame) -> None:
        figure_charts.part_bars(self, model, frame)

    @draw.register
    def _(self, model: StackedShares, frame: Frame) -> None:
        figure_charts.stacked_shares(self, model, frame)

    @draw.register
    def _(self, model: AreaMap, frame: Frame) -> None:
        # A slide has its areas as tiles: they are a table, which can be read aloud and edited.
        figure_charts.tile_map(self, model.tiles, frame)

    @draw.register
    def _(self, model: TileMap, frame: Frame) -> None:
        figure_charts.tile_map(self, model, frame)

    @draw.register
    def _(self, model: SeriesLines, frame: Frame) -> None:
        figure_charts.series_lines(self, model, frame)

    @draw.register
    def _(self, model: Spine, frame: Frame) -> None:
        figure_charts.spine(self, model, frame)

    @draw.register
    def _(self, model: RateFunnel, frame: Frame) -> None:
        figure_charts.rate_funnel(self, model, frame)

    @draw.register
    def _(self, model: HeatTable, frame: Frame) -> None:
        figure_charts.heat_table(self, model, frame)

    @draw.register
    def _(self, model: Scorecard, frame: Frame) -> None:
        summary_charts.scorecard(self, model, frame)

    @draw.register
    def _(self, model: ChangeDots, frame: Frame) -> None:
        summary_charts.change_dots(self, model, frame)

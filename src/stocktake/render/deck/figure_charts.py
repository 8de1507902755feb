"""Charts of figures with units of their own as native charts and tables of a deck."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pptx.dml.color import RGBColor
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_LEGEND_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE, MSO_THEME_COLOR
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Inches, Pt

from stocktake.render.deck.chart_data import ChartData, PlaceData
from stocktake.render.deck.shapes import Frame, add_table, as_line
from stocktake.render.figure_drawings import LEVELS, NEAR, PARTS, REST
from stocktake.render.theme import ink_on
from stocktake.render.words import clean
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
    Unit,
)
from stocktake.rounding import as_shown

if TYPE_CHECKING:
    from stocktake.render.deck.charts import Drawing


def figure_height(chart: FigureChart, width: float) -> float:
    """How high a chart of figures is drawn, in inches."""
    if isinstance(chart, FigureBars):
        return 2.3 if chart.compact else 3.2
    if isinstance(chart, PartBars):
        return min(0.3 * len(chart.rows) + 0.9, 4.9)
    if isinstance(chart, StackedShares):
        return min(0.27 * len(chart.rows) + 0.9, 5.0)
    if isinstance(chart, (SeriesLines, RateFunnel)):
        return 3.2
    if isinstance(chart, (TileMap, AreaMap)):
        return 4.4
    return min(0.2 * (len(chart.rows) + 2), 5.2)


def _format(unit: Unit) -> str:
    """The number format of labels and axes."""
    decimals = "." + "0" * unit.decimals if unit.decimals else ""
    if unit.name.startswith("£"):
        return '[>=1000000000]"£"0.00,,,"bn";[>=1000000]"£"0.00,,"m";"£"#,##0'
    if unit.name.startswith("%"):
        return f'0{decimals}"%"'
    return f"#,##0{decimals}"


def _shown(unit: Unit, value: float | None) -> float | None:
    """A figure with no digit more than it is shown with, for a chart's own data."""
    if value is None:
        return None
    if unit.name.startswith("£") and abs(value) >= 1e6:
        power = 1e9 if abs(value) >= 1e9 else 1e6
        return as_shown(value / power, 2) * power
    return as_shown(value, 0 if unit.name.startswith("£") else unit.decimals)


def _legend(chart: Any) -> None:
    chart.has_legend = True
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.legend.font.size = Pt(9)


def _axis(axis: Any, unit: Unit) -> None:
    axis.minimum_scale = 0
    axis.major_gridlines.format.line.color.rgb = RGBColor.from_string("D5DADE")
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = _format(unit), False
    axis.tick_labels.font.size = Pt(9)
    axis.format.line.color.theme_color = MSO_THEME_COLOR.TEXT_2


def _fill(series: Any, colour: str) -> None:
    series.format.fill.solid()
    series.format.fill.fore_color.rgb = RGBColor.from_string(colour[1:])


def figure_bars(drawing: Drawing, model: FigureBars, frame: Frame) -> None:
    data = ChartData(number_format=_format(model.unit))
    data.categories = [clean(b.label) for b in model.bars]
    names = {"rest": "Others", "near": model.near, "own": "Your own"}
    used = [t for t in names if any(b.tone == t for b in model.bars)]
    for tone in used:
        data.add_series(
            clean(names[tone]), [_shown(model.unit, b.value) if b.tone == tone else None for b in model.bars]
        )
    if model.mean is not None:
        data.add_series("Mean", [_shown(model.unit, model.mean)] * len(model.bars))
    chart = drawing.add(XL_CHART_TYPE.COLUMN_CLUSTERED, data, frame, model.alt, model.title)
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 15, 100
    for series, tone in zip(plot.series, used, strict=False):
        _fill(series, {"rest": REST, "near": NEAR, "own": drawing.theme.own}[tone])
    if model.mean is not None:
        as_line(chart, drawing.theme.average)
    _axis(chart.value_axis, model.unit)
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.NONE
    _legend(chart)


def part_bars(drawing: Drawing, model: PartBars, frame: Frame) -> None:
    data = ChartData(number_format=_format(model.unit))
    data.categories = [clean(label) for label, *_ in model.rows]
    data.add_series(model.whole, [_shown(model.unit, e) for _, e, _ in model.rows])
    if model.own:
        data.add_series(clean(model.own), [_shown(model.unit, o) for *_, o in model.rows])
    chart = drawing.add(XL_CHART_TYPE.BAR_CLUSTERED, data, frame, model.alt, model.title)
    plot = chart.plots[0]
    plot.gap_width = 35
    for series, colour in zip(plot.series, (drawing.theme.accent, drawing.theme.own), strict=False):
        _fill(series, colour)
    plot.has_data_labels = True
    plot.data_labels.font.size = Pt(8)
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = _format(model.unit), False
    plot.data_labels.position = XL_LABEL_POSITION.OUTSIDE_END
    chart.category_axis.reverse_order = True
    chart.category_axis.tick_labels.font.size = Pt(9)
    chart.value_axis.visible, chart.value_axis.has_major_gridlines = False, False
    chart.value_axis.minimum_scale = 0
    _legend(chart)


def stacked_shares(drawing: Drawing, model: StackedShares, frame: Frame) -> None:
    unit = Unit("%")
    data = ChartData(number_format=_format(unit))
    data.categories = [f"{clean(label)}{'' if values else ' (no figures)'}" for label, values in model.rows]
    for i, part in enumerate(model.parts):
        data.add_series(clean(part), [None if v is None else _shown(unit, v[i]) for _, v in model.rows])
    chart = drawing.add(XL_CHART_TYPE.BAR_STACKED_100, data, frame, model.alt, model.title)
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 25, 100
    for i, series in enumerate(plot.series):
        colour = PARTS[i % len(PARTS)]
        _fill(series, colour)
        series.format.line.color.rgb = RGBColor.from_string("FFFFFF")
        series.data_labels.show_value = True
        series.data_labels.font.size = Pt(8)
        series.data_labels.font.color.rgb = RGBColor.from_string(ink_on(colour)[1:])
    chart.category_axis.reverse_order = True
    chart.category_axis.tick_labels.font.size = Pt(9)
    chart.value_axis.visible, chart.value_axis.has_major_gridlines = False, False
    _legend(chart)


def series_lines(drawing: Drawing, model: SeriesLines, frame: Frame) -> None:
    data = ChartData(number_format=_format(model.unit))
    data.categories = list(model.years)
    # A chart joins all that one series has; what does not compare is a series of its own.
    stretches = list(pairwise((0, *model.breaks, len(model.years))))
    numbers = []
    for number, (name, values) in enumerate(model.lines):
        for begin, end in stretches:
            own = [_shown(model.unit, v) if begin <= i < end else None for i, v in enumerate(values)]
            until = "" if end == len(values) else f", before {model.years[end]}"
            data.add_series(f"{clean(name) or 'England'}{until}", own)
            numbers.append(number)
    chart = drawing.add(XL_CHART_TYPE.LINE_MARKERS, data, frame, model.alt, model.title)
    dashes = (None, MSO_LINE.DASH, MSO_LINE.ROUND_DOT, MSO_LINE.DASH_DOT, MSO_LINE.LONG_DASH)
    for i, series in zip(numbers, chart.plots[0].series, strict=True):
        series.smooth = False
        series.format.line.width = Pt(2)
        series.format.line.color.rgb = RGBColor.from_string(PARTS[(0, 3, 5, 7, 11)[i % 5]][1:])
        if dashes[i % 5] is not None:
            series.format.line.dash_style = dashes[i % 5]
    _axis(chart.value_axis, model.unit)
    chart.category_axis.tick_labels.font.size = Pt(9)
    if len(numbers) > 1:
        _legend(chart)


def rate_funnel(drawing: Drawing, model: RateFunnel, frame: Frame) -> None:
    names = {"rest": "Others", "near": model.near, "own": "Your own"}
    fills = {"rest": REST, "near": NEAR, "own": drawing.theme.own}
    used = [t for t in names if any(p.tone == t for p in model.points)]
    highest = 1.5 * max((p.value for p in model.points), default=model.rate)
    far = max((p.people for p in model.points), default=1.0)
    places = [(names[t], [(p.people, p.value) for p in model.points if p.tone == t]) for t in used]
    places.append(("All together", [(0.0, model.rate), (far, model.rate)]))
    for name, curve in model.limits:
        for side, words in ((1, "lower"), (2, "upper")):
            places.append((f"{name}, {words}", [(p[0], p[side]) for p in curve if p[side] <= highest]))
    data = PlaceData(number_format=_format(model.unit))
    longest = max(len(own) for _, own in places)
    for name, own in places:
        series = data.add_series(clean(name))
        # LibreOffice leaves out a series that is shorter than others; its last place again changes nothing.
        for people, value in own + own[-1:] * (longest - len(own)):
            series.add_data_point(as_shown(people, 0), _shown(model.unit, value))
    chart = drawing.add(XL_CHART_TYPE.XY_SCATTER, data, frame, model.alt, model.title)
    for number, series in enumerate(chart.plots[0].series):
        if number < len(used):
            colour = RGBColor.from_string(fills[used[number]][1:])
            series.format.line.fill.background()
            series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 10 if used[number] == "own" else 6
            series.marker.format.fill.solid()
            series.marker.format.fill.fore_color.rgb = colour
            series.marker.format.line.color.rgb = RGBColor.from_string("5B6873")
            continue
        series.marker.style, series.smooth = XL_MARKER_STYLE.NONE, False
        series.format.line.width = Pt(1.2)
        series.format.line.color.rgb = RGBColor.from_string(
            (drawing.theme.average if number == len(used) else drawing.theme.soft)[1:]
        )
        if number > len(used):
            series.format.line.dash_style = MSO_LINE.DASH
    _axis(chart.value_axis, model.unit)
    chart.category_axis.minimum_scale = 0
    chart.category_axis.has_major_gridlines = False
    chart.category_axis.tick_labels.font.size = Pt(9)
    chart.category_axis.tick_labels.number_format = "#,##0"
    chart.category_axis.tick_labels.number_format_is_linked = False
    _legend(chart)


def _cell(cell: Any, words: str, size: float, fill: str = "", bold: bool = False, align: Any = None) -> None:
    cell.margin_left = cell.margin_right = Inches(0.03)
    cell.margin_top = cell.margin_bottom = 0
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    paragraph = cell.text_frame.paragraphs[0]
    if align is not None:
        paragraph.alignment = align
    run = paragraph.add_run()
    run.text, run.font.size, run.font.bold = clean(words), Pt(size), bold
    colour = fill or "#FFFFFF"
    cell.fill.solid()
    cell.fill.fore_color.rgb = RGBColor.from_string(colour[1:])
    run.font.color.rgb = RGBColor.from_string(ink_on(colour)[1:])


def tile_map(drawing: Drawing, model: TileMap, frame: Frame) -> None:
    """The tiles as a table, two columns a tile, so that every other row can be moved by half a tile."""
    rows = max(t.row for t in model.tiles) + 1
    columns = 2 * (max(t.column for t in model.tiles) + 1) + 1
    key = len(model.classes()) + 1
    wide = frame.w * 0.62
    table = add_table(drawing, rows, columns, Frame(frame.x, frame.y, wide, frame.h), model.alt, model.title)
    table.first_row = False
    for row in range(rows):
        for column in range(columns):
            table.cell(row, column).fill.background()
    for tile in model.tiles:
        start = 2 * tile.column + tile.row % 2
        cell = table.cell(tile.row, start)
        cell.merge(table.cell(tile.row, start + 1))
        fill = "#FFFFFF" if tile.value is None else LEVELS[min(model.level(tile.value), len(LEVELS) - 1)]
        words = f"{'► ' if tile.own else ''}{tile.label}" + (
            "" if tile.value is None else f"\n{model.unit.text(tile.value)}"
        )
        _cell(cell, words.replace("\n", " · "), 8, fill, tile.own, PP_ALIGN.CENTER)
    legend = add_table(
        drawing,
        key,
        2,
        Frame(frame.x + wide + 0.3, frame.y, frame.w - wide - 0.3, 0.28 * key),
        "Key to the classes",
        "Key",
    )
    legend.first_row = False
    legend.columns[0].width = Inches(0.4)
    legend.columns[1].width = Inches(frame.w - wide - 0.7)
    for i, words in enumerate((*model.classes(), "white: no figure for this area; ► yours")):
        _cell(legend.cell(i, 0), "", 9, LEVELS[i] if i < key - 1 else "#FFFFFF")
        _cell(legend.cell(i, 1), words, 9)


def spine(drawing: Drawing, model: Spine, frame: Frame) -> None:
    """A scorecard as a table of figures: a slide has room for its words, and its bars are in the document."""
    header, full = model.table()
    rows = [
        (r[0], r[1] if row.own is not None else "no figure", *r[2:]) for r, row in zip(full, model.rows, strict=True)
    ]
    table = add_table(drawing, len(rows) + 1, len(header), frame, model.alt, model.title)
    for j, share in enumerate((0.42, 0.16, 0.1, 0.16, 0.16)):
        table.columns[j].width = Inches(frame.w * share)
    for i, row in enumerate((header, *rows)):
        for j, words in enumerate(row):
            _cell(table.cell(i, j), words, 7.5, "", i == 0 or j == 1, PP_ALIGN.LEFT if j == 0 else PP_ALIGN.RIGHT)


def heat_table(drawing: Drawing, model: HeatTable, frame: Frame) -> None:
    table = add_table(drawing, len(model.rows) + 1, len(model.columns) + 1, frame, model.alt, model.title)
    first = frame.w * 0.26
    table.columns[0].width = Inches(first)
    for j in range(len(model.columns)):
        table.columns[j + 1].width = Inches((frame.w - first) / len(model.columns))
    for j, words in enumerate(("", *model.columns)):
        _cell(table.cell(0, j), words, 6.5, "", True, PP_ALIGN.CENTER)
    unit = Unit("%")
    for i, (label, values) in enumerate(model.rows, start=1):
        _cell(table.cell(i, 0), label, 7.5)
        for j, value in enumerate(values, start=1):
            fill = "" if value is None else LEVELS[min(int(value // 20), 4)]
            _cell(table.cell(i, j), unit.text(value), 7.5, fill, False, PP_ALIGN.CENTER)

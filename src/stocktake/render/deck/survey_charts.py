"""Charts of a survey's results, native on slides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_LEGEND_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE, MSO_PATTERN, MSO_THEME_COLOR
from pptx.enum.shapes import MSO_CONNECTOR, MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Inches, Pt

from stocktake.render.deck.chart_data import ChartData
from stocktake.render.deck.shapes import C, Frame, as_line, describe, error_bars
from stocktake.render.deck.words import Run, paragraph, put
from stocktake.render.labels import side_by_side
from stocktake.render.theme import ink_on
from stocktake.render.words import clean
from stocktake.reports.charts import (
    TRIANGLES,
    BandKey,
    BandStrip,
    CountBars,
    PairedBars,
    PlainBars,
    RankedBars,
    ShareBars,
    TrendLines,
)
from stocktake.reports.words import as_shown, rounded

if TYPE_CHECKING:
    from stocktake.render.deck.charts import Drawing


# What is more than none is never shown as 0%.
PERCENT = '[=0]"0%";[<0.5]"under 1%";0"%"'
_BAND_NAMES = (
    "Much worse", "Worse", "Somewhat worse", "About the same", "Somewhat better", "Better", "Much better",
)  # fmt: skip
_PATTERN_NAMES = {
    1: "DARK_DOWNWARD_DIAGONAL",
    2: "WIDE_DOWNWARD_DIAGONAL",
    3: "LIGHT_DOWNWARD_DIAGONAL",
    5: "LIGHT_UPWARD_DIAGONAL",
    6: "WIDE_UPWARD_DIAGONAL",
    7: "DARK_UPWARD_DIAGONAL",
}


def _line(drawing: Drawing, x: float, y1: float, y2: float, colour: Any, dashed: bool) -> None:
    line = drawing.slide.shapes.add_connector(MSO_CONNECTOR.STRAIGHT, Inches(x), Inches(y1), Inches(x), Inches(y2))
    line.line.width = Pt(2.25)
    line.line.color.theme_color = colour
    if dashed:
        line.line.dash_style = MSO_LINE.DASH
    describe(line, "", "Mark")


def _label(
    drawing: Drawing, frame: Frame, words: str, x: float, y: float, w: float, colour: str, align: str, bold: bool
) -> None:
    # Kept within the chart's own width: something else is beside it.
    if x < frame.x:
        x, align = frame.x, "l"
    if x + w > frame.x + frame.w:
        x, align = frame.x + frame.w - w, "r"
    box = drawing.slide.shapes.add_textbox(Inches(x), Inches(y), Inches(w), Inches(0.22))
    inside = box.text_frame
    inside.margin_left = inside.margin_right = inside.margin_top = inside.margin_bottom = 0
    inside.vertical_anchor = MSO_ANCHOR.BOTTOM
    put(inside, [paragraph([Run(words, 10, bold, colour)], align=align, after=0)])


def ranked_bars(drawing: Drawing, model: RankedBars, frame: Frame) -> None:
    data = ChartData(number_format="0.0")
    data.categories = [clean(b.label) for b in model.bars]
    used = [b for b in range(1, 8) if any((bar.band or 4) == b and not bar.own for bar in model.bars)]
    for band in used:
        data.add_series(
            model.bands[band - 1],
            [as_shown(b.value) if (b.band or 4) == band and not b.own else None for b in model.bars],
        )
    own = any(b.own for b in model.bars)
    if own:
        data.add_series("This organisation", [as_shown(b.value) if b.own else None for b in model.bars])
    if model.average is not None:
        data.add_series("National average", [as_shown(model.average)] * len(model.bars))
    chart = drawing.add(XL_CHART_TYPE.COLUMN_CLUSTERED, data, frame, model.alt, model.title)
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 15, 100
    for series, band in zip(plot.series, used, strict=False):
        _band_fill(drawing, series.format, band)
    if own:
        fill = plot.series[len(used)].format.fill
        fill.solid()
        fill.fore_color.theme_color = MSO_THEME_COLOR.ACCENT_6
    if model.average is not None:
        as_line(chart, drawing.theme.average)
    _score_axis(chart.value_axis)
    axis = chart.category_axis
    # Fifty names under as many bars could not be read; the chart's own data have them.
    axis.tick_label_position = XL_TICK_LABEL_POSITION.NONE
    axis.format.line.color.theme_color = MSO_THEME_COLOR.TEXT_2
    chart.has_legend = True
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.legend.font.size = Pt(10)


def _band_fill(drawing: Drawing, where: Any, band: int) -> None:
    colour = drawing.theme.band_colours[band - 1]
    fill = where.fill
    if band == 4:
        fill.solid()
        fill.fore_color.rgb = RGBColor.from_string(colour[1:])
    else:
        fill.patterned()
        fill.pattern = getattr(MSO_PATTERN, _PATTERN_NAMES[band])
        fill.fore_color.rgb = RGBColor.from_string(ink_on(colour)[1:])
        fill.back_color.rgb = RGBColor.from_string(colour[1:])
    where.line.color.theme_color = MSO_THEME_COLOR.TEXT_2
    where.line.width = Pt(0.5)


def band_strip(drawing: Drawing, model: BandStrip, frame: Frame) -> None:
    data = ChartData(number_format="0.0")
    data.categories = ["Score"]
    segments = model.segments() or ((0, model.lowest, model.highest),)
    # Ends are rounded as they are shown, so that the workbook holds no digit more than the table beside it.
    ends = [as_shown(a) for _, a, _ in segments] + [as_shown(segments[-1][2])]
    data.add_series("Lowest score", [ends[0]])
    names = ("No expected range", *(b.replace("_", " ") for b in _BAND_NAMES))
    for (band, _, _), low, high in zip(segments, ends, ends[1:], strict=False):
        data.add_series(names[band], [round(high - low, 1)])
    chart = drawing.add(XL_CHART_TYPE.BAR_STACKED, data, frame, model.alt, "Band strip")
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 0, 100
    plot.series[0].format.fill.background()
    for series, (band, low, high) in zip(list(plot.series)[1:], segments, strict=True):
        if band == 0:
            series.format.fill.background()
            series.format.line.color.theme_color = MSO_THEME_COLOR.TEXT_2
            continue
        # Triangles are drawn on a strip's bands, so that they need no pattern.
        _solid(series, drawing.theme.band_colours[band - 1])
        series.format.line.color.theme_color = MSO_THEME_COLOR.TEXT_2
        if TRIANGLES[band] and (high - low) / 10 * frame.w * 72 * 0.9 > 8 * len(TRIANGLES[band]) + 2:
            _literal_labels(series, TRIANGLES[band], ink_on(drawing.theme.band_colours[band - 1]))
    axis = chart.value_axis
    _score_axis(axis, gridlines=False, step=1)
    axis.tick_labels.font.size = Pt(8)
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.NONE
    chart.category_axis.format.line.fill.background()
    inner = (0.02, 0.30, 0.96, 0.36)
    _inner(chart, *inner)
    _marks(drawing, model, frame, inner)


def _marks(drawing: Drawing, model: BandStrip, frame: Frame, inner: tuple[float, float, float, float]) -> None:
    """The average's and the organisation's marks, placed on the strip by its fixed plot area."""
    left, top = frame.x + frame.w * inner[0], frame.y + frame.h * inner[1]
    width, height = frame.w * inner[2], frame.h * inner[3]

    def at(value: float) -> float:
        return left + width * value / 10

    average = MSO_THEME_COLOR.ACCENT_1 if model.star else MSO_THEME_COLOR.ACCENT_2
    shade = "accent1" if model.star else "accent2"
    _line(drawing, at(model.average), top - 0.04, top + height + 0.04, average, not model.star)
    _strip_labels(drawing, model, frame, at(model.average), None if model.own is None else at(model.own), top, shade)
    if model.own is None:
        return
    own = at(model.own)
    if model.star:
        star = drawing.slide.shapes.add_shape(
            MSO_SHAPE.STAR_5_POINT, Inches(own - 0.13), Inches(top + height / 2 - 0.13), Inches(0.26), Inches(0.26)
        )
        star.fill.solid()
        star.fill.fore_color.theme_color = MSO_THEME_COLOR.ACCENT_6
        star.line.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
        star.shadow.inherit = False
        describe(star, "", "Star")
    else:
        _line(drawing, own, top - 0.06, top + height + 0.06, MSO_THEME_COLOR.ACCENT_6, False)


def _strip_labels(
    drawing: Drawing, model: BandStrip, frame: Frame, average: float, own: float | None, top: float, shade: str
) -> None:
    """The words at the two marks of a strip: above each, or side by side where they are near one another."""
    labels = [(average, f"Average {rounded(model.average)}", shade, False)]
    if own is not None and model.own is not None:
        labels.append((own, f"You {rounded(model.own)}", "accent6", True))
        if model.own <= model.average:
            labels.reverse()
    wide = [len(words) * 10 * 0.58 / 72 for _, words, _, _ in labels]
    starts = side_by_side([mark for mark, *_ in labels], wide, frame.x, frame.x + frame.w, 0.1)
    for (_, words, colour, bold), start, w in zip(labels, starts, wide, strict=True):
        _label(drawing, frame, words, start, top - 0.27, w, colour, "ctr", bold)


def _two_bars(
    drawing: Drawing,
    labels: list[str],
    first: tuple[str, list[Any]],
    second: tuple[str, list[Any]],
    frame: Frame,
    alt: str,
    fmt: str,
) -> Any:
    data = ChartData(number_format="0.0")
    data.categories = [clean(w) for w in labels]
    data.add_series(*first)
    data.add_series(*second)
    chart = drawing.add(XL_CHART_TYPE.BAR_CLUSTERED, data, frame, alt, first[0])
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 45, -5
    for series, colour in zip(plot.series, (MSO_THEME_COLOR.ACCENT_1, MSO_THEME_COLOR.ACCENT_2), strict=True):
        series.format.fill.solid()
        series.format.fill.fore_color.theme_color = colour
    plot.series[1].format.fill.patterned()
    plot.series[1].format.fill.pattern = MSO_PATTERN.WIDE_UPWARD_DIAGONAL
    plot.series[1].format.fill.fore_color.theme_color = MSO_THEME_COLOR.ACCENT_2
    plot.series[1].format.fill.back_color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
    plot.series[1].format.line.color.theme_color = MSO_THEME_COLOR.ACCENT_2
    plot.has_data_labels = True
    plot.data_labels.font.size = Pt(9)
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = fmt, False
    plot.data_labels.position = XL_LABEL_POSITION.OUTSIDE_END
    chart.category_axis.reverse_order = True
    chart.category_axis.tick_labels.font.size = Pt(10)
    chart.value_axis.visible = False
    chart.value_axis.has_major_gridlines = False
    chart.value_axis.minimum_scale = 0
    chart.has_legend = True
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.legend.font.size = Pt(9)
    return chart


def paired_bars(drawing: Drawing, model: PairedBars, frame: Frame) -> None:
    chart = _two_bars(
        drawing,
        [label for label, *_ in model.rows],
        ("This organisation", [as_shown(own) for _, own, _, _ in model.rows]),
        ("National average", [as_shown(average) for _, _, average, _ in model.rows]),
        frame,
        model.alt,
        "0.0",
    )
    chart.value_axis.maximum_scale = 10


def share_bars(drawing: Drawing, model: ShareBars, frame: Frame) -> None:
    chart = _two_bars(
        drawing,
        [f"{label}{'' if own is not None else ' (not shown)'}" for label, own, _ in model.rows],
        (f"This {model.word}", [None if own is None else _percent(own) for _, own, _ in model.rows]),
        (f"All {model.word}s", [None if every is None else _percent(every) for _, _, every in model.rows]),
        frame,
        model.alt,
        PERCENT,
    )
    chart.value_axis.maximum_scale = 100


def plain_bars(drawing: Drawing, model: PlainBars, frame: Frame) -> None:
    data = ChartData(number_format="0.0")
    data.categories = [f"{label}{'' if s is not None else ' (not shown)'}" for label, s, _ in model.rows]
    data.add_series("Score", [None if s is None else as_shown(s) for _, s, _ in model.rows])
    chart = drawing.add(XL_CHART_TYPE.BAR_CLUSTERED, data, frame, model.alt, "Scores")
    plot = chart.plots[0]
    plot.gap_width = 40
    plot.series[0].format.fill.solid()
    plot.series[0].format.fill.fore_color.theme_color = MSO_THEME_COLOR.ACCENT_2
    plot.has_data_labels = True
    plot.data_labels.font.size = Pt(10)
    chart.category_axis.reverse_order = True
    _score_axis(chart.value_axis, gridlines=False)
    chart.value_axis.visible = False


def count_bars(drawing: Drawing, model: CountBars, frame: Frame) -> None:
    data = ChartData(number_format="0")
    data.categories = [clean(label) for label, _, _ in model.rows]
    data.add_series("Questions", [n for _, n, _ in model.rows])
    chart = drawing.add(XL_CHART_TYPE.BAR_CLUSTERED, data, frame, model.alt, "Number of questions")
    plot = chart.plots[0]
    plot.gap_width = 30
    for i, (_, _, tone) in enumerate(model.rows):
        point = plot.series[0].points[i]
        if tone.isdigit():
            _band_fill(drawing, point.format, int(tone))
        else:
            point.format.fill.solid()
            # Another colour than that of about the same, which is a class of its own beside this one.
            point.format.fill.fore_color.theme_color = MSO_THEME_COLOR.BACKGROUND_2
            point.format.line.color.theme_color = MSO_THEME_COLOR.TEXT_2
    plot.has_data_labels = True
    plot.data_labels.font.size, plot.data_labels.font.bold = Pt(12), True
    chart.category_axis.reverse_order = True
    chart.category_axis.tick_labels.font.size = Pt(11)
    chart.value_axis.visible, chart.value_axis.has_major_gridlines = False, False
    chart.value_axis.minimum_scale = 0


def trend_lines(drawing: Drawing, model: TrendLines, frame: Frame) -> None:
    data = ChartData(number_format="0.0")
    data.categories = [f"{y} ({n} {model.word}s)" for y, n in zip(model.years, model.organisations, strict=True)]
    data.add_series(f"This {model.word}", [None if v is None else as_shown(v) for v in model.own])
    data.add_series("National average", [None if v is None else as_shown(v) for v in model.average])
    chart = drawing.add(XL_CHART_TYPE.LINE_MARKERS, data, frame, model.alt, "Scores by year")
    plot = chart.plots[0]
    looks = (
        (MSO_THEME_COLOR.ACCENT_6, XL_MARKER_STYLE.DIAMOND, None),
        (MSO_THEME_COLOR.ACCENT_2, XL_MARKER_STYLE.CIRCLE, MSO_LINE.DASH),
    )
    for series, (colour, marker, dash) in zip(plot.series, looks, strict=True):
        series.smooth = False
        series.format.line.width = Pt(2)
        series.format.line.color.theme_color = colour
        if dash is not None:
            series.format.line.dash_style = dash
        series.marker.style, series.marker.size = marker, 8
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.theme_color = colour
    if any(pair is not None for pair in model.intervals):
        error_bars(plot.series[0]._element, model.own, model.intervals)
    _score_axis(chart.value_axis, step=2)
    marks = model.scale()
    axis = chart.value_axis
    axis.minimum_scale, axis.maximum_scale, axis.major_unit = marks[0], marks[-1], marks[1] - marks[0]
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = "0.0", False
    chart.value_axis.tick_labels.font.size = Pt(9)
    chart.category_axis.tick_labels.font.size = Pt(9)
    chart.has_legend = True
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.RIGHT, False
    chart.legend.font.size = Pt(9)


def band_key(drawing: Drawing, model: BandKey, frame: Frame) -> None:
    """The legend as a table of one row: a colour, its triangles and its name in each cell."""
    names = [b.removesuffix(" than expected") for b in model.bands] + ([model.own] if model.own else [])
    shape = drawing.slide.shapes.add_table(
        1, len(names), Inches(frame.x), Inches(frame.y), Inches(frame.w), Inches(frame.h - 0.05)
    )
    describe(shape, model.alt, "Key to the bands")
    table = shape.table
    table.first_row = table.horz_banding = False
    table.rows[0].height = Inches(frame.h - 0.05)
    for i, name in enumerate(names):
        cell = table.cell(0, i)
        colour = drawing.theme.band_colours[i] if i < 7 else drawing.theme.own
        cell.fill.solid()
        cell.fill.fore_color.rgb = RGBColor.from_string(colour[1:])
        cell.margin_left = cell.margin_right = Inches(0.03)
        cell.margin_top = cell.margin_bottom = Inches(0.02)
        paragraph = cell.text_frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.CENTER
        run = paragraph.add_run()
        run.text = f"{TRIANGLES[i + 1]} {name}".strip() if i < 7 else name
        run.font.size, run.font.bold = Pt(9), False
        run.font.color.rgb = RGBColor.from_string(ink_on(colour)[1:])


def _percent(value: float) -> float:
    """A percentage as its label shows it: whole, with one decimal below a half so that it never reads as none."""
    if value >= 0.5:
        return as_shown(value, 0)
    return min(max(as_shown(value), 0.1), 0.4) if value > 0 else 0.0


def _solid(series: Any, colour: str) -> None:
    series.format.fill.solid()
    series.format.fill.fore_color.rgb = RGBColor.from_string(colour[1:])


def _score_axis(axis: Any, *, gridlines: bool = True, step: int = 2) -> None:
    axis.minimum_scale, axis.maximum_scale, axis.major_unit = 0, 10, step
    axis.has_major_gridlines = gridlines
    if gridlines:
        axis.major_gridlines.format.line.color.rgb = RGBColor.from_string("D5DADE")
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = "0", False
    axis.format.line.color.theme_color = MSO_THEME_COLOR.TEXT_2


def _inner(chart: Any, x: float, y: float, w: float, h: float) -> None:
    """Fix the plot area, so that marks can be placed on it."""
    area = chart._chartSpace.find(f"{{{C}}}chart/{{{C}}}plotArea")
    old = area.find(f"{{{C}}}layout")
    if old is not None:
        area.remove(old)
    parts = "".join(f'<c:{n} val="{v}"/>' for n, v in zip("xywh", (x, y, w, h), strict=True))
    xml = (
        f'<c:layout xmlns:c="{C}"><c:manualLayout><c:layoutTarget val="inner"/><c:xMode val="edge"/><c:yMode val="edge"/>'
        f"{parts}</c:manualLayout></c:layout>"
    )
    area.insert(0, etree.fromstring(xml))


def _literal_labels(series: Any, words: str, colour: str) -> None:
    """Labels that say a band by its triangles: the number format is the text itself."""
    labels = series.data_labels
    labels.show_value = True
    labels.number_format, labels.number_format_is_linked = f'"{words}"', False
    labels.position = XL_LABEL_POSITION.CENTER
    labels.font.size = Pt(8)
    labels.font.color.rgb = RGBColor.from_string(colour[1:])

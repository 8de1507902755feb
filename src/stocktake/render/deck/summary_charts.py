"""All questions on slides: the scorecard as a table, changes as native bars with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_TICK_LABEL_POSITION
from pptx.oxml import parse_xml
from pptx.util import Inches, Pt

from stocktake.render.deck.chart_data import ChartData
from stocktake.render.deck.shapes import Frame, add_table, error_bars
from stocktake.render.deck.words import A
from stocktake.render.theme import ink_on
from stocktake.render.words import clean
from stocktake.reports.charts import TRIANGLES
from stocktake.reports.summary_charts import VERDICT_WORDS, ChangeDots, Scorecard, SummaryChart
from stocktake.reports.words import as_shown, signed

if TYPE_CHECKING:
    from stocktake.render.deck.charts import Drawing

# So many questions fit a slide in letters that can be read.
MOST_ROWS = 20
ROW, HEAD = 0.232, 0.52
PALE, CLEAR = "B9CBDA", "0B3C66"


def summary_height(chart: SummaryChart) -> float:
    """How high a chart of all questions is drawn, in inches."""
    return ROW * len(chart.rows) + HEAD


def scorecard(drawing: Drawing, model: Scorecard, frame: Frame) -> None:
    header, rows = model.table()
    shares = (0.36, 0.1, 0.09, 0.12, 0.08, 0.25) if len(header) == 6 else (0.33, 0.09, 0.08, 0.11, 0.08, 0.19, 0.12)
    table = add_table(drawing, 1, 1, frame, model.alt, model.title)
    # Written as one piece of XML: cell by cell through the library takes ten times as long.
    height = Inches((frame.h - 0.1) / (len(rows) + 1))
    lines = ["".join(_xml(words, 10, "FFFFFF", j, bold=True) for j, words in enumerate(header))]
    for row, own in zip(rows, model.rows, strict=True):
        colour = drawing.theme.band_colours[own.band - 1][1:] if own.band else "FFFFFF"
        cells = []
        for j, words in enumerate(row):
            shown = f"{TRIANGLES[own.band]} {words}".strip() if own.band and j == 5 else words
            cells.append(_xml(shown, 9.5, colour if j == 5 else "FFFFFF", j, bold=j == 2))
        lines.append("".join(cells))
    grid = "".join(f'<a:gridCol w="{Inches(frame.w * share)}"/>' for share in shares)
    body = "".join(f'<a:tr h="{height}">{line}</a:tr>' for line in lines)
    old = table._tbl
    style = etree.tostring(old.tblPr).decode()
    made = f'<a:tbl xmlns:a="{A}">{style}<a:tblGrid>{grid}</a:tblGrid>{body}</a:tbl>'
    old.getparent().replace(old, parse_xml(made))


def _xml(words: str, size: float, fill: str, column: int, *, bold: bool) -> str:
    """One cell of the scorecard; figures stand at the right, and its content is text."""
    side = "r" if 0 < column < 5 else "l"
    weight = ' b="1"' if bold else ""
    ink = ink_on(f"#{fill}")[1:]
    left = 91440 if column == 5 else 27432
    return (
        f'<a:tc><a:txBody><a:bodyPr/><a:lstStyle/><a:p><a:pPr algn="{side}"/><a:r><a:rPr lang="en-GB" sz="{round(size * 100)}"{weight}>'
        f'<a:solidFill><a:srgbClr val="{ink}"/></a:solidFill></a:rPr><a:t>{escape(clean(words))}</a:t></a:r></a:p></a:txBody>'
        f'<a:tcPr marL="{left}" marR="27432" marT="0" marB="0" anchor="ctr"><a:solidFill><a:srgbClr val="{fill}"/></a:solidFill></a:tcPr></a:tc>'
    )


def change_dots(drawing: Drawing, model: ChangeDots, frame: Frame) -> None:
    data = ChartData(number_format="+0.0;-0.0;0.0")
    data.categories = [clean(f"{r.label}: {signed(r.difference, 1)}, {VERDICT_WORDS[r.verdict]}") for r in model.rows]
    data.add_series(model.title, [as_shown(r.difference) for r in model.rows])
    chart = drawing.add(XL_CHART_TYPE.BAR_CLUSTERED, data, frame, model.alt, model.title)
    plot = chart.plots[0]
    plot.gap_width = 60
    (series,) = plot.series
    series.invert_if_negative = False
    for i, r in enumerate(model.rows):
        fill = series.points[i].format.fill
        fill.solid()
        fill.fore_color.rgb = RGBColor.from_string(CLEAR if r.verdict in ("Increase", "Decrease") else PALE)
    if model.intervals:
        ends = [None if r.low is None or r.high is None else (r.low, r.high) for r in model.rows]
        # As many decimals as the intervals have elsewhere: with fewer one could touch zero beside a verdict of change.
        error_bars(series._element, [r.difference for r in model.rows], ends, 2)
    chart.category_axis.reverse_order = True
    chart.category_axis.tick_labels.font.size = Pt(9)
    # Names stand at the left edge, not beside the line at zero.
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    chart.value_axis.minimum_scale, chart.value_axis.maximum_scale = -model.reach, model.reach
    chart.value_axis.tick_labels.font.size = Pt(9)
    chart.value_axis.tick_labels.number_format = "+0.0;-0.0;0.0"
    chart.value_axis.tick_labels.number_format_is_linked = False
    chart.value_axis.has_title = True
    title = chart.value_axis.axis_title.text_frame.paragraphs[0].add_run()
    lines = f"; lines: {model.level} intervals" if model.intervals else ""
    title.text = f"Change in points, dark where it is more than chance{lines}"
    title.font.size, title.font.bold = Pt(9), False

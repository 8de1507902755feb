"""What charts on slides are made of: frames, descriptions, tables, and what the library has no call for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree
from pptx.util import Inches

from stocktake.render.deck.words import A
from stocktake.render.words import clean
from stocktake.reports.words import as_shown

if TYPE_CHECKING:
    from stocktake.render.deck.charts import Drawing

C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
DECORATIVE = "{C183D7F6-B498-43B3-948B-1728B52AA6E4}"
Ends = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """A chart's position on its slide, in inches."""

    x: float
    y: float
    w: float
    h: float


def describe(shape: Any, alt: str, title: str = "") -> None:
    """Alt text on a shape; an empty one marks it as decoration."""
    element = shape._element.xpath(".//p:cNvPr")[0]
    if title:
        element.set("name", clean(title)[:80])
    element.set("descr", clean(alt))
    if not alt:
        xml = (
            f'<a:extLst xmlns:a="{A}"><a:ext uri="{DECORATIVE}"><adec:decorative '
            'xmlns:adec="http://schemas.microsoft.com/office/drawing/2017/decorative" val="1"/></a:ext></a:extLst>'
        )
        element.append(etree.fromstring(xml))


def add_table(drawing: Drawing, rows: int, columns: int, frame: Frame, alt: str, title: str) -> Any:
    """A table of so many rows and columns with its description."""
    shape = drawing.slide.shapes.add_table(
        rows, columns, Inches(frame.x), Inches(frame.y), Inches(frame.w), Inches(frame.h - 0.1)
    )
    describe(shape, alt, title)
    table = shape.table
    table.horz_banding = False
    for row in table.rows:
        row.height = Inches((frame.h - 0.1) / rows)
    return table


def as_line(chart: Any, colour: str) -> None:
    """Turn the last series of a bar chart into a dashed line over the same axes."""
    area = chart._chartSpace.find(f"{{{C}}}chart/{{{C}}}plotArea")
    bars = area.find(f"{{{C}}}barChart")
    series = bars.findall(f"{{{C}}}ser")[-1]
    bars.remove(series)
    for name in ("invertIfNegative", "spPr"):
        for old in series.findall(f"{{{C}}}{name}"):
            series.remove(old)
    look = etree.fromstring(
        f'<c:spPr xmlns:c="{C}" xmlns:a="{A}"><a:ln w="22225"><a:solidFill><a:srgbClr val="{colour[1:]}"/></a:solidFill>'
        '<a:prstDash val="dash"/></a:ln></c:spPr>'
    )
    marker = etree.fromstring(f'<c:marker xmlns:c="{C}"><c:symbol val="none"/></c:marker>')
    place = list(series).index(series.find(f"{{{C}}}tx")) + 1
    series.insert(place, look)
    series.insert(place + 1, marker)
    series.append(etree.fromstring(f'<c:smooth xmlns:c="{C}" val="0"/>'))
    axes = [a.get("val") for a in bars.findall(f"{{{C}}}axId")]
    line = etree.fromstring(
        f'<c:lineChart xmlns:c="{C}"><c:grouping val="standard"/><c:varyColors val="0"/><c:marker val="1"/>'
        + "".join(f'<c:axId val="{a}"/>' for a in axes)
        + "</c:lineChart>"
    )
    line.insert(2, series)
    bars.addnext(line)


def error_bars(series: Any, values: Sequence[float | None], ends: Sequence[Ends | None], places: int = 1) -> None:
    """Intervals of a series as error bars, their ends to so many decimals; a place without one has none of any length."""

    def lengths(name: str, which: int) -> str:
        found = [
            0.0 if v is None or pair is None else abs(round(as_shown(pair[which], places) - as_shown(v), places))
            for v, pair in zip(values, ends, strict=True)
        ]
        points = "".join(f'<c:pt idx="{i}"><c:v>{v:g}</c:v></c:pt>' for i, v in enumerate(found))
        return f'<c:{name}><c:numLit><c:formatCode>0.{"0" * places}</c:formatCode><c:ptCount val="{len(found)}"/>{points}</c:numLit></c:{name}>'

    xml = (
        f'<c:errBars xmlns:c="{C}"><c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="0"/>'
        + lengths("plus", 1)
        + lengths("minus", 0)
        + '<c:spPr><a:ln xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" w="12700"><a:solidFill>'
        '<a:srgbClr val="5B6873"/></a:solidFill></a:ln></c:spPr></c:errBars>'
    )
    series.find(f"{{{C}}}cat").addprevious(etree.fromstring(xml))

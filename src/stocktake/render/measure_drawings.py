"""The drawing of one measure, as SVG on the canvas of `render.svg`, and the place in it of one organisation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from stocktake.render.theme import GRID, OUTLINE
from stocktake.reports.charts import side
from stocktake.reports.measure_charts import MOST_MARKS, Dot, RankedDots
from stocktake.reports.summary_charts import interval_text
from stocktake.reports.words import rounded

if TYPE_CHECKING:
    from stocktake.render.svg import Canvas

WIDTHS, HEIGHTS = {"wide": 720.0, "narrow": 340.0}, {"wide": 300.0, "narrow": 260.0}
LEFT, RIGHT, TOP, FOOT = 26.0, 8.0, 22.0, 8.0


@dataclass(frozen=True)
class Marks:
    """The places of organisations in a measure's drawing, in points from its left and top, by size and code."""

    alt: str
    places: dict[str, dict[str, tuple[float, float]]]


class _Plane:
    """Where organisations, in order, and scores lie in a drawing of one size."""

    def __init__(self, chart: RankedDots, size: str) -> None:
        self.width = WIDTHS[size]
        self.marks = chart.scale()
        self.step = (self.width - LEFT - RIGHT) / max(len(chart.dots), 1)
        self.high = HEIGHTS[size] - TOP - FOOT

    def x(self, place: int) -> float:
        return LEFT + (place + 0.5) * self.step

    def y(self, value: float) -> float:
        lowest, highest = self.marks[0], self.marks[-1]
        return TOP + (highest - min(max(value, lowest), highest)) / (highest - lowest) * self.high


def marks_of(chart: RankedDots) -> Marks:
    """Where every organisation stands in both sizes of a drawing."""
    planes = {size: _Plane(chart, size) for size in WIDTHS}
    places = {
        size: {d.code: (plane.x(i), plane.y(d.score)) for i, d in enumerate(chart.dots)}
        for size, plane in planes.items()
    }
    return Marks(chart.alt, places)


def ranked_dots(canvas: Canvas, chart: RankedDots) -> None:
    theme = canvas.theme
    canvas.width, canvas.height = WIDTHS[chart.size], HEIGHTS[chart.size]
    plane = _Plane(chart, chart.size)
    lowest, highest = plane.marks[0], plane.marks[-1]
    right = canvas.width - RIGHT
    # What a script needs to draw the whole scale instead: the ends of this one, and where it lies.
    canvas.parts.append(f'<g class="ticks" data-scale-ends="{lowest:g} {highest:g} {TOP:g} {plane.high:g}">')
    for mark in plane.marks:
        canvas.line(LEFT, plane.y(mark), right, plane.y(mark), GRID, 0.5)
        canvas.text(LEFT - 5, plane.y(mark) + 3, f"{mark:g}", 9, "end", fill=theme.soft)
    canvas.parts.append("</g>")
    size = max(min(plane.step * 0.42, 4.6), 1.2)
    if len(chart.dots) > MOST_MARKS:
        _as_shapes(canvas, chart, plane, size)
    else:
        # Said once for all marks: most are alike.
        canvas.parts.append(f'<g stroke="{OUTLINE}" fill="{theme.band_colours[3]}">')
        for i, dot in enumerate(chart.dots):
            _mark(canvas, chart, dot, plane.x(i), size, plane.y)
        canvas.parts.append("</g>")
    if chart.average is not None:
        canvas.parts.append('<g class="average">')
        canvas.line(LEFT, plane.y(chart.average), right, plane.y(chart.average), theme.average, 1.6, "6 3")
        canvas.parts.append("</g>")
        words = f"Average {rounded(chart.average)} (dashed)"
        if chart.size == "wide":
            interval = ", with its 95% interval" if any(d.low is not None for d in chart.dots) else ""
            words += f". Each mark is one {chart.word}{interval}"
        canvas.text(LEFT, 11, f"{words}. Scale {lowest:g} to {highest:g} of 0 to 10", 9, fill=theme.average)


def _mark(canvas: Canvas, chart: RankedDots, dot: Dot, x: float, size: float, y: Callable[[float], float]) -> None:
    """One organisation: its interval, and a dot, or a triangle that points the way in which it is outside the range."""
    fill = canvas.theme.band_colours[(dot.band or 4) - 1]
    interval = "" if dot.low is None else f", {interval_text(dot.low, dot.high)}"
    band = f", {chart.bands[dot.band - 1].lower()}" if dot.band else ""
    # A drawing without links is a picture in a page, in which nothing can be pointed at; of those with links the wide one
    # has the names, and the one for narrow screens stands in the same page.
    start = end = ""
    if chart.links:
        title = escape(f"{dot.label}: {rounded(dot.score)}{interval}{band}")
        named = "" if chart.size == "narrow" else f"<title>{title}</title>"
        href = quoteattr(f"{chart.links}{quote(dot.code)}.html")
        start, end = f"<a href={href} data-code={quoteattr(dot.code)}>{named}", "</a>"
    parts = [start]
    if dot.low is not None and dot.high is not None:
        parts.append(f'<path d="M{x:.1f} {y(dot.low):.1f}V{y(dot.high):.1f}"/>')
    at = y(dot.score)
    way = -side(dot.band)
    if dot.band is None or way == 0:
        parts.append(f'<circle cx="{x:.1f}" cy="{at:.1f}" r="{size:.1f}"/>')
    else:
        # The further outside the range, the larger, so that colour need not say it.
        half, high = (size * k * (0.75 + 0.3 * (abs(dot.band - 4) - 1)) for k in (1.15, 1.3))
        parts.append(
            f'<path d="M{x - half:.1f} {at - way * high * 0.7:.1f}h{2 * half:.1f}L{x:.1f} {at + way * high:.1f}z" fill="{fill}"/>'
        )
    canvas.parts.append("".join([*parts, end]))


def _as_shapes(canvas: Canvas, chart: RankedDots, plane: _Plane, size: float) -> None:
    """Thousands of organisations: one path of intervals, and one of marks a band."""
    # Marks nearer than a third of a point to one another cannot be told apart.
    every = max(1, round(0.33 / plane.step))
    intervals = "".join(
        f"M{plane.x(i):.1f} {plane.y(d.low):.0f}V{plane.y(d.high):.0f}"
        for i, d in enumerate(chart.dots)
        if i % every == 0 and d.low is not None and d.high is not None
    )
    canvas.parts.append(f'<path d="{intervals}" stroke="{GRID}" stroke-width="0.4" fill="none"/>')
    # Those within the range are many and alike; those outside it are all drawn.
    shown = ((i, d) for i, d in enumerate(chart.dots) if side(d.band) or i % every == 0)
    marks_by_band(canvas, ((plane.x(i), plane.y(d.score), d.band) for i, d in shown), size)


def marks_by_band(canvas: Canvas, places: Iterable[tuple[float, float, int | None]], size: float) -> None:
    """Round marks at (x, y) as one shape for each band, those outside the range on top."""
    paths: dict[int, list[str]] = {}
    for x, y, band in places:
        paths.setdefault(band or 4, []).append(f"M{x:.1f} {y:.1f}h.01")
    for band in sorted(paths, key=lambda b: abs(b - 4)):
        colour = OUTLINE if band == 4 else canvas.theme.band_colours[band - 1]
        canvas.parts.append(
            f'<path d="{"".join(paths[band])}" stroke="{colour}" stroke-width="{2 * size:.1f}" stroke-linecap="round" fill="none"/>'
        )

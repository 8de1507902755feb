"""Draws every chart model once, as SVG, for print and web alike; text stays text."""

from __future__ import annotations

import math
from functools import singledispatchmethod
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from stocktake.render import figure_drawings, map_drawings, measure_drawings, series_drawings, summary_drawings
from stocktake.render.theme import Theme
from stocktake.render.words import text_width
from stocktake.reports.charts import (
    BandKey,
    BandStrip,
    Chart,
    CountBars,
    Funnel,
    PairedBars,
    PlainBars,
    Point,
    RankedBars,
    ShareBars,
    TrendLines,
    share_or_not,
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
from stocktake.reports.measure_charts import MOST_MARKS, RankedDots
from stocktake.reports.summary_charts import ChangeDots, Scorecard
from stocktake.reports.words import per_cent, rounded

# Marks that say the band without colour: triangles up for better, down for worse, one to three.
MARKS = {1: -3, 2: -2, 3: -1, 4: 0, 5: 1, 6: 2, 7: 3}
OUTLINE = "#5B6873"
# No label is set smaller than this, in points.
LEAST_SIZE = 6.5


def draw(chart: Chart, theme: Theme, width: float, height: float | None = None) -> str:
    """A chart as a standalone SVG of the given width (points); the height follows from the chart unless given."""
    return Canvas(theme, width).render(chart, height)


def _fmt(x: float) -> str:
    return f"{x:.2f}".rstrip("0").rstrip(".")


def ink_on(colour: str) -> str:
    """Black or white, whichever has more contrast on a colour (WCAG relative luminance)."""
    return "#FFFFFF" if contrast(colour, "#FFFFFF") >= contrast(colour, "#000000") else "#000000"


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two colours."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def apart(labels: list[tuple[float, str, str]], least: float) -> list[tuple[float, str, str]]:
    """Labels from top to bottom, each moved down until it clears the one above it."""
    out: list[tuple[float, str, str]] = []
    for at, words, colour in sorted(labels):
        out.append((max(at, out[-1][0] + least) if out else at, words, colour))
    return out


def side_by_side(marks: list[float], wide: list[float], low: float, high: float, gap: float) -> list[float]:
    """Where one or two labels of given widths begin: above their marks, apart from one another, between two ends."""
    starts = [min(max(mark - w / 2, low), high - w) for mark, w in zip(marks, wide, strict=True)]
    if len(starts) == 2 and starts[0] + wide[0] + gap > starts[1]:
        push = (starts[0] + wide[0] + gap - starts[1]) / 2
        first = min(max(starts[0] - push, low), high - wide[1] - gap - wide[0])
        starts = [first, max(first + wide[0] + gap, starts[1])]
    return starts


def _halves(label: str, width: float, size: float) -> tuple[str, str]:
    """A label in two lines of at most this width, broken at a blank where there is one, with a mark where it is cut."""

    def fits(words: str) -> bool:
        return text_width(words, size) <= width

    most = next((n for n in range(len(label), 1, -1) if fits(label[:n].rstrip())), 1)
    blank = label.rfind(" ", 0, most + 1)
    first, second = (label[:blank], label[blank + 1 :]) if blank > 0 else (label[:most], label[most:])
    while len(second) > 1 and not fits(second):
        second = f"{second.rstrip('…')[:-1].rstrip()}…"
    return first, second


class Canvas:
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
        theme = self.theme
        self.height = self.height or (160.0 if chart.compact else 318.0)
        left, right, top, foot = 26.0, 6.0, 26.0, 22.0
        plot_w, plot_h = self.width - left - right, self.height - top - foot
        base = top + plot_h

        def y(v: float) -> float:
            return base - v / 10 * plot_h

        for tick in range(0, 11, 2):
            self.line(left, y(tick), self.width - right, y(tick), "#D5DADE", 0.5)
            self.text(left - 5, y(tick) + 3, str(tick), 9, "end", fill=theme.soft)
        if chart.average is not None:
            at = y(chart.average)
            self.line(left, at, self.width - right, at, theme.average, 1.4, "5 3")
            self.text(
                left + 3,
                top - 14,
                f"National average {rounded(chart.average)} (dashed line). Scores from 0 to 10; each bar is one organisation",
                9,
                fill=theme.average,
            )
        step = plot_w / max(len(chart.bars), 1)
        gap = min(1.5, step * 0.18)
        own_x = None
        for i, bar in enumerate(chart.bars):
            x = left + i * step
            fill = theme.own if bar.own else theme.band_colours[(bar.band or 4) - 1]
            name = escape(bar.label)
            self.parts.append(f"<g data-code={quoteattr(bar.code)}><title>{name} {rounded(bar.value)}</title>")
            self.rect(x + gap / 2, y(bar.value), step - gap, base - y(bar.value), fill, OUTLINE, 0.4)
            self.marks(x + step / 2, y(bar.value) - 1.5, bar.band, min(4.0, step - gap))
            self.parts.append("</g>")
            if bar.own:
                own_x = x + step / 2
        if own_x is not None:
            self.polygon([(own_x - 5, base + 9), (own_x + 5, base + 9), (own_x, base + 2)], theme.own)
            anchor = "end" if own_x > self.width * 0.8 else "start" if own_x < self.width * 0.2 else "middle"
            value = next(b.value for b in chart.bars if b.own)
            self.text(own_x, base + 19, f"Your score {rounded(value)}", 9, anchor, "bold")
        self.line(left, base, self.width - right, base, theme.ink, 0.8)

    @draw.register
    def _(self, chart: BandStrip) -> None:
        theme = self.theme
        self.height = self.height or 57.0
        # Room for a label that starts at the end of the scale.
        left, right = 34.0, 34.0
        plot = self.width - left - right
        top, thick = 17.0, 19.0

        def x(v: float) -> float:
            return left + v / 10 * plot

        axis = top + thick + 5
        segments = chart.segments()
        if not segments and chart.highest > chart.lowest:
            self.rect(x(chart.lowest), top, x(chart.highest) - x(chart.lowest), thick, "#FFFFFF", OUTLINE, 0.8)
        for band, a, b in segments:
            self.rect(x(a), top, x(b) - x(a), thick, theme.band_colours[band - 1], OUTLINE, 0.6)
            if x(b) - x(a) > abs(MARKS[band]) * 6 + 3:
                fill = ink_on(theme.band_colours[band - 1])
                self.marks((x(a) + x(b)) / 2, top + thick - 3, band, 5, fill, across=True)
        self.line(left, axis, left + plot, axis, theme.soft, 0.6)
        for tick in range(11):
            self.line(x(tick), axis, x(tick), axis + 3, theme.soft, 0.6)
            self.text(x(tick), axis + 12, str(tick), 8, "middle", fill=theme.soft)
        at = x(chart.average)
        colour = theme.accent if chart.star else theme.average
        self.line(at, top - 3, at, top + thick + 3, colour, 2.2, "" if chart.star else "3 2")
        if chart.own is not None:
            own = x(chart.own)
            if not chart.star:
                self.line(own, top - 3, own, top + thick + 3, theme.own, 2.2)
            if chart.star:
                self.star(own, top + thick / 2, 9)
            else:
                # An arrowhead above the strip: a mark on it would hide the very band that the score lies in.
                self.polygon([(own - 5.5, top - 5), (own + 5.5, top - 5), (own, top + 2)], theme.own)
        self._strip_labels(chart, at, None if chart.own is None else x(chart.own), top - 6, colour)

    def _strip_labels(self, chart: BandStrip, average: float, own: float | None, y: float, colour: str) -> None:
        """The words at the two marks of a strip: above each, or side by side where they are near one another."""
        size = 8.5
        words = [(average, f"Average {rounded(chart.average)}", "", colour)]
        if own is not None and chart.own is not None:
            words.append((own, f"You {rounded(chart.own)}", "bold", ""))
        if chart.own is not None and chart.own <= chart.average:
            words.reverse()
        wide = [len(text) * size * 0.56 for _, text, _, _ in words]
        starts = side_by_side([mark for mark, *_ in words], wide, 1, self.width - 1, 8)
        for (_, text, weight, fill), start, w in zip(words, starts, wide, strict=True):
            self.text(start + w / 2, y, text, size, "middle", weight, fill)

    @draw.register
    def _(self, chart: PairedBars) -> None:
        theme = self.theme
        row = 29.0
        self.height = len(chart.rows) * row + 16
        left, right = 42.0, 30.0
        plot = self.width - left - right
        foot = len(chart.rows) * row
        for tick in range(0, 11, 2):
            at = left + tick / 10 * plot
            self.line(at, 0, at, foot, "#D5DADE", 0.5)
            self.text(at, foot + 11, str(tick), 8, "middle", fill=theme.soft)
        for i, (label, own, average, band) in enumerate(chart.rows):
            y = i * row + 4
            self.text(left - 6, y + 13, label, 10, "end", "bold")
            fill = theme.band_colours[(band or 4) - 1]
            self.rect(left, y, own / 10 * plot, 18, fill, OUTLINE, 0.6)
            # On a bar too short to hold them the triangles are drawn beside it.
            inside = own / 10 * plot > 26
            self.marks(left + 14, y + 12, band, 5, ink_on(fill) if inside else theme.ink, across=True)
            at = left + average / 10 * plot
            self.line(at, y - 3, at, y + 21, theme.average, 2.4)
            clear = max(own / 10 * plot + left, at) + 5
            self.text(clear, y + 13, rounded(own), 10.5, "start", "bold")

    @draw.register
    def _(self, chart: PlainBars) -> None:
        theme = self.theme
        row = 24.0
        foot = len(chart.rows) * row
        self.height = foot + 16
        left, right = 48.0, 34.0
        plot = self.width - left - right
        for tick in range(0, 11, 2):
            at = left + tick / 10 * plot
            self.line(at, 0, at, foot, "#D5DADE", 0.5)
            self.text(at, foot + 11, str(tick), 8, "middle", fill=theme.soft)
        for i, (label, score, _) in enumerate(chart.rows):
            y = i * row + 3
            self.text(left - 6, y + 12.5, label, 9.5, "end", "bold")
            if score is None:
                self.text(left + 4, y + 12.5, "not shown", 9, fill=theme.soft)
                continue
            self.rect(left, y, score / 10 * plot, 17, theme.average)
            self.text(left + score / 10 * plot + 5, y + 12.5, rounded(score), 10, "start", "bold")

    @draw.register
    def _(self, chart: Funnel) -> None:
        theme = self.theme
        self.height = self.height or 300.0
        left, right, top, foot = 30.0, 74.0, 18.0, 38.0
        plot_w, plot_h = self.width - left - right, self.height - top - foot
        widest = max((p.spread for p in chart.points), default=1.0) * 1.05
        narrowest = min((p.spread for p in chart.points), default=0.0) * 0.9
        values = [p.value for p in chart.points] or [chart.average]
        reach = chart.cuts[2] * widest
        low = max(0.0, math.floor(min(*values, chart.average, chart.average - reach)))
        high = min(10.0, math.ceil(max(*values, chart.average, chart.average + reach)))

        def x(spread: float) -> float:
            # The surest on the right, as readers expect of more answers.
            return left + (widest - spread) / max(widest - narrowest, 1e-9) * plot_w

        def y(v: float) -> float:
            return top + (high - v) / max(high - low, 1e-9) * plot_h

        for tick in range(int(low), int(high) + 1):
            self.line(left, y(tick), left + plot_w, y(tick), "#D5DADE", 0.5)
            self.text(left - 5, y(tick) + 3, str(tick), 9, "end", fill=theme.soft)
        labels = []
        for cut, dash, name in zip(chart.cuts, ("", "6 3", "2 3"), ("90%", "95%", "99.8%"), strict=True):
            for sign in (-1, 1):
                # Straight from the narrow end to the wide one, or to where the line leaves the drawing.
                space = (high - chart.average if sign > 0 else chart.average - low) / cut
                end = min(widest, space)
                if end > narrowest:
                    near, far = chart.average + sign * cut * narrowest, chart.average + sign * cut * end
                    self.line(x(narrowest), y(near), x(end), y(far), theme.soft, 0.9, dash)
                    labels.append((y(near), name, theme.soft))
        self.line(left, y(chart.average), left + plot_w, y(chart.average), theme.average, 1.4, "5 3")
        labels.append((y(chart.average), f"Average {rounded(chart.average)}", theme.average))
        for at, words, colour in apart(labels, 10.0):
            self.text(left + plot_w + 6, at + 3, words, 9, fill=colour)
        if len(chart.points) > MOST_MARKS:
            places = ((x(p.spread), y(p.value), p.band) for p in chart.points)
            measure_drawings.marks_by_band(self, places, 1.4)
        else:
            for point in sorted(chart.points, key=lambda p: p.own):
                self._point(x(point.spread), y(point.value), point)
        self.line(left, top + plot_h, left + plot_w, top + plot_h, theme.ink, 0.8)
        self.text(left, 9, "Score (0 to 10)", 9, fill=theme.soft)
        self.text(left, top + plot_h + 14, "less sure", 9, fill=theme.soft)
        self.text(left + plot_w, top + plot_h + 14, "surer", 9, "end", fill=theme.soft)
        for share in (0.25, 0.5, 0.75):
            spread = widest - share * (widest - narrowest)
            self.line(x(spread), top + plot_h, x(spread), top + plot_h + 4, theme.soft, 0.6)
            self.text(x(spread), top + plot_h + 14, rounded(spread, 2), 9, "middle", fill=theme.soft)
        middle = left + plot_w / 2
        self.text(
            middle, top + plot_h + 28, "Spread to be expected of a score (S), in points", 9, "middle", fill=theme.soft
        )

    def _point(self, x: float, y: float, point: Point) -> None:
        """A mark in the shape of its band: one to three triangles up or down, a circle for about the same."""
        theme = self.theme
        fill = theme.own if point.own else theme.band_colours[point.band - 1]
        self.parts.append(
            f"<g data-code={quoteattr(point.code)}><title>{escape(point.label)} {rounded(point.value)}</title>"
        )
        if point.band == 4:
            self.parts.append(
                f'<circle cx="{_fmt(x)}" cy="{_fmt(y)}" r="3.8" fill="{fill}" stroke="{OUTLINE}" stroke-width="0.7"/>'
            )
        many, up = abs(MARKS[point.band]), 1 if point.band > 4 else -1
        for i in range(many):
            # Stacked about the score, so that their number shows how far outside the score is, without the colour.
            at = y + (i - (many - 1) / 2) * 5.4
            self.polygon([(x - 4.6, at + up * 3), (x + 4.6, at + up * 3), (x, at - up * 3.6)], fill, OUTLINE)
        self.parts.append("</g>")

    @draw.register
    def _(self, chart: TrendLines) -> None:
        theme = self.theme
        answered = any(n is not None for n in chart.respondents)
        marks = chart.scale()
        left, right, top, foot = 24.0, 96.0, 8.0, 42.0 if answered else 30.0
        self.height = self.height or 58.0 + foot
        plot_w, plot_h = self.width - left - right, self.height - top - foot

        def y(v: float) -> float:
            return top + (marks[-1] - v) / (marks[-1] - marks[0]) * plot_h

        def x(i: int) -> float:
            inset = plot_w * 0.12
            many = max(len(chart.years) - 1, 1)
            return left + inset + (plot_w - 2 * inset) * i / many

        for tick in marks:
            self.line(left, y(tick), left + plot_w, y(tick), "#D5DADE", 0.5)
            self.text(left - 5, y(tick) + 3, f"{tick:g}", 8, "end", fill=theme.soft)
        step = x(1) - x(0) if len(chart.years) > 1 else plot_w
        words = f" {chart.word}s"
        if any(text_width(f"{n}{words}", 8) + 4 > step for n in chart.organisations):
            # Many years: the word once, at the left.
            self.text(0, top + plot_h + 25, f"{chart.word}s", 8, fill=theme.soft)
            words = ""
        every = max(1, math.ceil((text_width("2024", 9) + 5) / step))
        for i, (year, n) in enumerate(zip(chart.years, chart.organisations, strict=True)):
            if (len(chart.years) - 1 - i) % every == 0:
                self.text(x(i), top + plot_h + 13, str(year), 9, "middle", "bold")
                self.text(x(i), top + plot_h + 25, f"{n}{words}", 8, "middle", fill=theme.soft)
                if answered:
                    count = chart.respondents[i]
                    self.text(
                        x(i), top + plot_h + 37, "-" if count is None else f"{count:,}", 8, "middle", fill=theme.soft
                    )
        if answered:
            self.text(0, top + plot_h + 37, "people", 8, fill=theme.soft)
        for i, pair in enumerate(chart.intervals):
            if pair is not None and chart.own[i] is not None:
                low, high = (min(max(v, marks[0]), marks[-1]) for v in pair)
                self.line(x(i), y(low), x(i), y(high), theme.own, 1)
                for end in (low, high):
                    self.line(x(i) - 3, y(end), x(i) + 3, y(end), theme.own, 1)
        last_own = next((v for v in reversed(chart.own) if v is not None), None)
        last_avg = next((v for v in reversed(chart.average) if v is not None), None)
        labels: list[tuple[float, str, str, str]] = []
        for values, colour, dash, own in (
            (chart.average, theme.average, "5 3", False),
            (chart.own, theme.own, "", True),
        ):
            # A year without a score breaks the line: what lies on either side of it is not to be read as one course.
            for (i, v1), (j, v2) in pairwise(enumerate(values)):
                if v1 is not None and v2 is not None:
                    self.line(x(i), y(v1), x(j), y(v2), colour, 2, dash)
            for px, py in ((x(i), y(v)) for i, v in enumerate(values) if v is not None):
                if own:
                    self.diamond(px, py, 4.5, colour)
                else:
                    self.parts.append(f'<circle cx="{_fmt(px)}" cy="{_fmt(py)}" r="3.6" fill="{colour}"/>')
        if last_own is not None and chart.own[-1] is not None:
            labels.append((y(last_own), f"You {rounded(last_own)}", theme.own, "bold"))
        elif last_own is not None:
            # The line's own last point is of an earlier year; its figure must not be printed as this year's.
            labels.append((y(last_own), "You: not shown", theme.own, "bold"))
        if last_avg is not None:
            latest = chart.average[-1]
            words = "Average: not shown" if latest is None else f"Average {rounded(latest)}"
            labels.append((y(last_avg), words, theme.average, ""))
        labels.sort()
        if len(labels) == 2 and labels[1][0] - labels[0][0] < 12:
            middle = (labels[0][0] + labels[1][0]) / 2
            labels = [(middle - 6, *labels[0][1:]), (middle + 6, *labels[1][1:])]
        above = max(0.0, 6 - min((at for at, *_ in labels), default=6.0))
        for at, words, colour, weight in labels:
            self.text(left + plot_w + 6, at + above + 3, words, 9.5, "start", weight, colour)

    @draw.register
    def _(self, chart: ShareBars) -> None:
        theme = self.theme
        row = 19.0
        self.height = len(chart.rows) * row + 4
        label_w = min(150.0, self.width * 0.44)
        right = 122.0
        plot = self.width - label_w - right
        for i, (label, own, everyone) in enumerate(chart.rows):
            y = i * row + 2
            self._label(label, label_w - 6, y + 10.5)
            end = 0.0 if own is None else own / 100 * plot
            if own is not None:
                self.rect(label_w, y + 1, end, 12, theme.accent)
            if everyone is not None:
                at = label_w + everyone / 100 * plot
                self.line(at, y - 0.5, at, y + 14.5, "#FFFFFF", 4.4)
                self.line(at, y - 0.5, at, y + 14.5, theme.average, 2.2)
                end = max(end, everyone / 100 * plot)
            self.text(label_w + end + 5, y + 10.5, share_or_not(own), 9, "start", "bold")
            if everyone is not None:
                self.text(self.width, y + 10.5, f"(all {per_cent(everyone)})", 9, "end", fill=theme.average)
        self.line(label_w, 0, label_w, self.height, theme.soft, 0.6)

    def _label(self, label: str, right: float, y: float) -> None:
        """A label that ends at `right`: smaller where it is too long, and then in two lines, cut where both are full."""
        width = text_width(label, 1.0)
        size = min(9.0, right / max(width, 1e-9))
        if size >= LEAST_SIZE:
            self.text(right, y, label, size, "end")
            return
        first, second = _halves(label, right, LEAST_SIZE)
        self.text(right, y - 3.4, first, LEAST_SIZE, "end")
        self.text(right, y + 3.4, second, LEAST_SIZE, "end")

    @draw.register
    def _(self, chart: CountBars) -> None:
        theme = self.theme
        row = 27.0
        self.height = len(chart.rows) * row + 4
        label_w, right = 168.0, 26.0
        plot = self.width - label_w - right
        most = max((n for _, n, _ in chart.rows), default=1) or 1
        for i, (label, n, tone) in enumerate(chart.rows):
            y = i * row + 2
            self.text(label_w - 8, y + 15, label, 10.5, "end")
            band = int(tone) if tone.isdigit() else None
            fill = theme.band_colours[band - 1] if band else "#AEB7BD"
            if n:
                self.rect(label_w, y, n / most * plot, 21, fill, OUTLINE, 0.6)
                if band and n / most * plot > 22:
                    self.marks(label_w + n / most * plot / 2, y + 14, band, 5, ink_on(fill), across=True)
            self.text(label_w + n / most * plot + 6, y + 15, str(n), 11, "start", "bold")
        self.line(label_w, 0, label_w, self.height, theme.soft, 0.6)

    @draw.register
    def _(self, chart: BandKey) -> None:
        theme = self.theme
        across = 8 if self.width >= 740 else 4 if self.width >= 520 else 2
        self.height = 17.0 * (8 // across)
        entries: list[tuple[str, str, int | None]] = [
            (b.removesuffix(" than expected"), theme.band_colours[i], i + 1) for i, b in enumerate(chart.bands)
        ]
        if chart.own:
            entries.append((chart.own, theme.own, None))
        each, down = self.width / across, 8 // across
        for i, (label, colour, band) in enumerate(entries):
            # Down each column, so that the order from worst to best is kept.
            x, y = (i // down) * each, (i % down) * 17 + 1
            self.rect(x, y, 24, 12, colour, OUTLINE, 0.6)
            if band:
                self.marks(x + 12, y + 9, band, 5, ink_on(colour), across=True)
            self.text(x + 28, y + 9.5, label, 9 if across < 8 else 8)

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

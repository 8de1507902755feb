"""Drawings of a survey's results, as SVG on the canvas of `render.svg`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from stocktake.render.labels import apart, side_by_side
from stocktake.render.measure_drawings import marks_by_band
from stocktake.render.theme import GRID, MARKS, NARROW, OUTLINE, ink_on
from stocktake.render.words import text_width
from stocktake.reports.charts import (
    BandKey,
    BandStrip,
    CountBars,
    Funnel,
    PairedBars,
    PlainBars,
    Point,
    RankedBars,
    ShareBars,
    share_or_not,
)
from stocktake.reports.measure_charts import MOST_MARKS
from stocktake.reports.words import per_cent, rounded

if TYPE_CHECKING:
    from stocktake.render.svg import Canvas

# No label is set smaller than this, in points.
LEAST_SIZE = 6.5

# Half the width of a funnel's triangles, by how far outside the range they are.
TIPS = {1: 3.4, 2: 4.7, 3: 6.0}


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


def ranked_bars(canvas: Canvas, chart: RankedBars) -> None:
    theme = canvas.theme
    canvas.height = canvas.height or (160.0 if chart.compact else 318.0)
    left, right, top, foot = 26.0, 6.0, 26.0, 22.0
    plot_w, plot_h = canvas.width - left - right, canvas.height - top - foot
    base = top + plot_h

    def y(v: float) -> float:
        return base - v / 10 * plot_h

    for tick in range(0, 11, 2):
        canvas.line(left, y(tick), canvas.width - right, y(tick), GRID, 0.5)
        canvas.text(left - 5, y(tick) + 3, str(tick), 9, "end", fill=theme.soft)
    if chart.average is not None:
        at = y(chart.average)
        canvas.line(left, at, canvas.width - right, at, theme.average, 1.4, "5 3")
        canvas.text(
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
        canvas.parts.append(f"<g data-code={quoteattr(bar.code)}><title>{name} {rounded(bar.value)}</title>")
        canvas.rect(x + gap / 2, y(bar.value), step - gap, base - y(bar.value), fill, OUTLINE, 0.4)
        canvas.marks(x + step / 2, y(bar.value) - 1.5, bar.band, min(4.0, step - gap))
        canvas.parts.append("</g>")
        if bar.own:
            own_x = x + step / 2
    if own_x is not None:
        canvas.polygon([(own_x - 5, base + 9), (own_x + 5, base + 9), (own_x, base + 2)], theme.own)
        anchor = "end" if own_x > canvas.width * 0.8 else "start" if own_x < canvas.width * 0.2 else "middle"
        value = next(b.value for b in chart.bars if b.own)
        canvas.text(own_x, base + 19, f"Your score {rounded(value)}", 9, anchor, "bold")
    canvas.line(left, base, canvas.width - right, base, theme.ink, 0.8)


def band_strip(canvas: Canvas, chart: BandStrip) -> None:
    theme = canvas.theme
    canvas.height = canvas.height or 57.0
    # Room for a label that starts at the end of the scale.
    left, right = 34.0, 34.0
    plot = canvas.width - left - right
    top, thick = 17.0, 19.0

    def x(v: float) -> float:
        return left + v / 10 * plot

    axis = top + thick + 5
    segments = chart.segments()
    if not segments and chart.highest > chart.lowest:
        canvas.rect(x(chart.lowest), top, x(chart.highest) - x(chart.lowest), thick, "#FFFFFF", OUTLINE, 0.8)
    for band, a, b in segments:
        canvas.rect(x(a), top, x(b) - x(a), thick, theme.band_colours[band - 1], OUTLINE, 0.6)
        if x(b) - x(a) > abs(MARKS[band]) * 6 + 3:
            fill = ink_on(theme.band_colours[band - 1])
            canvas.marks((x(a) + x(b)) / 2, top + thick - 3, band, 5, fill, across=True)
    canvas.line(left, axis, left + plot, axis, theme.soft, 0.6)
    for tick in range(11):
        canvas.line(x(tick), axis, x(tick), axis + 3, theme.soft, 0.6)
        canvas.text(x(tick), axis + 12, str(tick), 8, "middle", fill=theme.soft)
    at = x(chart.average)
    colour = theme.accent if chart.star else theme.average
    canvas.line(at, top - 3, at, top + thick + 3, colour, 2.2, "" if chart.star else "3 2")
    if chart.own is not None:
        own = x(chart.own)
        if not chart.star:
            canvas.line(own, top - 3, own, top + thick + 3, theme.own, 2.2)
        if chart.star:
            canvas.star(own, top + thick / 2, 9)
        else:
            # An arrowhead above the strip: a mark on it would hide the very band that the score lies in.
            canvas.polygon([(own - 5.5, top - 5), (own + 5.5, top - 5), (own, top + 2)], theme.own)
    _strip_labels(canvas, chart, at, None if chart.own is None else x(chart.own), top - 6, colour)


def _strip_labels(canvas: Canvas, chart: BandStrip, average: float, own: float | None, y: float, colour: str) -> None:
    """The words at the two marks of a strip: above each, or side by side where they are near one another."""
    size = 8.5
    words = [(average, f"Average {rounded(chart.average)}", "", colour)]
    if own is not None and chart.own is not None:
        words.append((own, f"You {rounded(chart.own)}", "bold", ""))
    if chart.own is not None and chart.own <= chart.average:
        words.reverse()
    wide = [len(text) * size * 0.56 for _, text, _, _ in words]
    starts = side_by_side([mark for mark, *_ in words], wide, 1, canvas.width - 1, 8)
    for (_, text, weight, fill), start, w in zip(words, starts, wide, strict=True):
        canvas.text(start + w / 2, y, text, size, "middle", weight, fill)


def paired_bars(canvas: Canvas, chart: PairedBars) -> None:
    theme = canvas.theme
    row = 29.0
    canvas.height = len(chart.rows) * row + 16
    left, right = 42.0, 30.0
    plot = canvas.width - left - right
    foot = len(chart.rows) * row
    for tick in range(0, 11, 2):
        at = left + tick / 10 * plot
        canvas.line(at, 0, at, foot, GRID, 0.5)
        canvas.text(at, foot + 11, str(tick), 8, "middle", fill=theme.soft)
    for i, (label, own, average, band) in enumerate(chart.rows):
        y = i * row + 4
        canvas.text(left - 6, y + 13, label, 10, "end", "bold")
        fill = theme.band_colours[(band or 4) - 1]
        canvas.rect(left, y, own / 10 * plot, 18, fill, OUTLINE, 0.6)
        # On a bar too short to hold them the triangles are drawn beside it.
        inside = own / 10 * plot > 26
        canvas.marks(left + 14, y + 12, band, 5, ink_on(fill) if inside else theme.ink, across=True)
        at = left + average / 10 * plot
        canvas.line(at, y - 3, at, y + 21, theme.average, 2.4)
        clear = max(own / 10 * plot + left, at) + 5
        canvas.text(clear, y + 13, rounded(own), 10.5, "start", "bold")


def plain_bars(canvas: Canvas, chart: PlainBars) -> None:
    theme = canvas.theme
    row = 24.0
    foot = len(chart.rows) * row
    canvas.height = foot + 16
    left, right = 48.0, 34.0
    plot = canvas.width - left - right
    for tick in range(0, 11, 2):
        at = left + tick / 10 * plot
        canvas.line(at, 0, at, foot, GRID, 0.5)
        canvas.text(at, foot + 11, str(tick), 8, "middle", fill=theme.soft)
    for i, (label, score, _) in enumerate(chart.rows):
        y = i * row + 3
        canvas.text(left - 6, y + 12.5, label, 9.5, "end", "bold")
        if score is None:
            canvas.text(left + 4, y + 12.5, "not shown", 9, fill=theme.soft)
            continue
        canvas.rect(left, y, score / 10 * plot, 17, theme.average)
        canvas.text(left + score / 10 * plot + 5, y + 12.5, rounded(score), 10, "start", "bold")


def funnel(canvas: Canvas, chart: Funnel) -> None:
    theme = canvas.theme
    canvas.height = canvas.height or 300.0
    left, right, top, foot = 30.0, 74.0, 18.0, 38.0
    plot_w, plot_h = canvas.width - left - right, canvas.height - top - foot
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
        canvas.line(left, y(tick), left + plot_w, y(tick), GRID, 0.5)
        canvas.text(left - 5, y(tick) + 3, str(tick), 9, "end", fill=theme.soft)
    labels = []
    for cut, dash, name in zip(chart.cuts, ("", "6 3", "2 3"), ("90%", "95%", "99.8%"), strict=True):
        for sign in (-1, 1):
            # Straight from the narrow end to the wide one, or to where the line leaves the drawing.
            space = (high - chart.average if sign > 0 else chart.average - low) / cut
            end = min(widest, space)
            if end > narrowest:
                near, far = chart.average + sign * cut * narrowest, chart.average + sign * cut * end
                canvas.line(x(narrowest), y(near), x(end), y(far), theme.soft, 0.9, dash)
                labels.append((y(near), name, theme.soft))
    canvas.line(left, y(chart.average), left + plot_w, y(chart.average), theme.average, 1.4, "5 3")
    labels.append((y(chart.average), f"Average {rounded(chart.average)}", theme.average))
    for at, words, colour in apart(labels, 10.0):
        canvas.text(left + plot_w + 6, at + 3, words, 9, fill=colour)
    if len(chart.points) > MOST_MARKS:
        places = ((x(p.spread), y(p.value), p.band) for p in chart.points)
        marks_by_band(canvas, places, 1.4)
    else:
        # Said once for all marks: most are alike.
        canvas.parts.append(f'<g stroke="{OUTLINE}" stroke-width="0.6" fill="{theme.band_colours[3]}">')
        for point in sorted(chart.points, key=lambda p: p.own):
            canvas.parts.append(_point(canvas, x(point.spread), y(point.value), point))
        canvas.parts.append("</g>")
    canvas.line(left, top + plot_h, left + plot_w, top + plot_h, theme.ink, 0.8)
    canvas.text(left, 9, "Score (0 to 10)", 9, fill=theme.soft)
    canvas.text(left, top + plot_h + 14, "less sure", 9, fill=theme.soft)
    canvas.text(left + plot_w, top + plot_h + 14, "surer", 9, "end", fill=theme.soft)
    for share in (0.25, 0.5, 0.75):
        spread = widest - share * (widest - narrowest)
        canvas.line(x(spread), top + plot_h, x(spread), top + plot_h + 4, theme.soft, 0.6)
        canvas.text(x(spread), top + plot_h + 14, rounded(spread, 2), 9, "middle", fill=theme.soft)
    middle = left + plot_w / 2
    canvas.text(
        middle, top + plot_h + 28, "Spread to be expected of a score (S), in points", 9, "middle", fill=theme.soft
    )


def _point(canvas: Canvas, x: float, y: float, point: Point) -> str:
    """One mark: a circle for about the same, a triangle that points the way in which the score is outside the range.

    The further outside, the larger, so that it can be told without the colour.
    """
    theme = canvas.theme
    fill = theme.own if point.own else theme.band_colours[point.band - 1]
    own = "" if fill == theme.band_colours[3] else f' fill="{fill}"'
    named = f" data-code={quoteattr(point.code)}{own}>"
    # Where there is no pointer, nothing has a name that shows itself; the list of the same page has them all.
    title = "" if canvas.width < NARROW else f"<title>{escape(point.label)} {rounded(point.value)}</title>"
    if point.band == 4:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4"{named}{title}</circle>'
    half = TIPS[abs(MARKS[point.band])]
    tip = math.copysign(0.9 * half, point.band - 4)
    return f'<path d="M{x - half:.1f} {y + tip:.1f}h{2 * half:.1f}L{x:.1f} {y - tip:.1f}z"{named}{title}</path>'


def share_bars(canvas: Canvas, chart: ShareBars) -> None:
    theme = canvas.theme
    row = 19.0
    canvas.height = len(chart.rows) * row + 4
    label_w = min(150.0, canvas.width * 0.44)
    right = 122.0
    plot = canvas.width - label_w - right
    for i, (label, own, everyone) in enumerate(chart.rows):
        y = i * row + 2
        _label(canvas, label, label_w - 6, y + 10.5)
        end = 0.0 if own is None else own / 100 * plot
        if own is not None:
            canvas.rect(label_w, y + 1, end, 12, theme.accent)
        if everyone is not None:
            at = label_w + everyone / 100 * plot
            canvas.line(at, y - 0.5, at, y + 14.5, "#FFFFFF", 4.4)
            canvas.line(at, y - 0.5, at, y + 14.5, theme.average, 2.2)
            end = max(end, everyone / 100 * plot)
        canvas.text(label_w + end + 5, y + 10.5, share_or_not(own), 9, "start", "bold")
        if everyone is not None:
            canvas.text(canvas.width, y + 10.5, f"(all {per_cent(everyone)})", 9, "end", fill=theme.average)
    canvas.line(label_w, 0, label_w, canvas.height, theme.soft, 0.6)


def _label(canvas: Canvas, label: str, right: float, y: float) -> None:
    """A label that ends at `right`: smaller where it is too long, and then in two lines, cut where both are full."""
    width = text_width(label, 1.0)
    size = min(9.0, right / max(width, 1e-9))
    if size >= LEAST_SIZE:
        canvas.text(right, y, label, size, "end")
        return
    first, second = _halves(label, right, LEAST_SIZE)
    canvas.text(right, y - 3.4, first, LEAST_SIZE, "end")
    canvas.text(right, y + 3.4, second, LEAST_SIZE, "end")


def count_bars(canvas: Canvas, chart: CountBars) -> None:
    theme = canvas.theme
    row = 27.0
    canvas.height = len(chart.rows) * row + 4
    label_w, right = 168.0, 26.0
    plot = canvas.width - label_w - right
    most = max((n for _, n, _ in chart.rows), default=1) or 1
    for i, (label, n, tone) in enumerate(chart.rows):
        y = i * row + 2
        canvas.text(label_w - 8, y + 15, label, 10.5, "end")
        band = int(tone) if tone.isdigit() else None
        fill = theme.band_colours[band - 1] if band else "#AEB7BD"
        if n:
            canvas.rect(label_w, y, n / most * plot, 21, fill, OUTLINE, 0.6)
            if band and n / most * plot > 22:
                canvas.marks(label_w + n / most * plot / 2, y + 14, band, 5, ink_on(fill), across=True)
        canvas.text(label_w + n / most * plot + 6, y + 15, str(n), 11, "start", "bold")
    canvas.line(label_w, 0, label_w, canvas.height, theme.soft, 0.6)


def band_key(canvas: Canvas, chart: BandKey) -> None:
    theme = canvas.theme
    across = 8 if canvas.width >= 740 else 4 if canvas.width >= 520 else 2
    canvas.height = 17.0 * (8 // across)
    entries: list[tuple[str, str, int | None]] = [
        (b.removesuffix(" than expected"), theme.band_colours[i], i + 1) for i, b in enumerate(chart.bands)
    ]
    if chart.own:
        entries.append((chart.own, theme.own, None))
    each, down = canvas.width / across, 8 // across
    for i, (label, colour, band) in enumerate(entries):
        # Down each column, so that the order from worst to best is kept.
        x, y = (i // down) * each, (i % down) * 17 + 1
        canvas.rect(x, y, 24, 12, colour, OUTLINE, 0.6)
        if band:
            canvas.marks(x + 12, y + 9, band, 5, ink_on(colour), across=True)
        canvas.text(x + 28, y + 9.5, label, 9 if across < 8 else 8)

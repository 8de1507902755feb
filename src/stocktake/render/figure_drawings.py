"""Drawings of figures with units of their own, as SVG on the canvas of `render.svg`."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from stocktake.render.labels import apart
from stocktake.render.theme import GRID, NARROW, OUTLINE, ink_on
from stocktake.render.words import text_width
from stocktake.reports.figure_charts import (
    FigureBars,
    HeatTable,
    PartBars,
    RateFunnel,
    Spine,
    StackedShares,
    Unit,
    ticks,
)

if TYPE_CHECKING:
    from stocktake.render.svg import Canvas

# Everybody else's bars are pale, those of the reader's region or area dark green, the reader's own black.
REST, NEAR = "#B9CBDA", "#14682B"
# Five classes from pale to dark, each told from the next in grey as well.
LEVELS = ("#E3EEF6", "#A9CDE5", "#63A3CC", "#2B70A6", "#0B3C66")
# Parts of a whole: neighbours differ in lightness, and each has its own label or pattern in the key.
PARTS = ("#0B3C66", "#63A3CC", "#DCE9F2", "#14682B", "#A5D3A5", "#8A4B08", "#F0C987", "#6B2C91", "#D3BCE3", "#4C5B69",
         "#B8C1C8", "#B34A00", "#FCE08A")  # fmt: skip


def shortened(words: str, width: float, size: float) -> str:
    """Words that fit a width, with a mark where they are cut."""
    if text_width(words, size) <= width:
        return words
    while len(words) > 1 and text_width(words + "…", size) > width:
        words = words[:-1].rstrip()
    return words + "…"


def axis_text(unit: Unit, value: float) -> str:
    """A figure at an axis."""
    if unit.name.startswith("£"):
        return unit.text(value)
    return f"{value:,.10g}{'%' if unit.name.startswith('%') else ''}"


def figure_bars(canvas: Canvas, chart: FigureBars) -> None:
    theme = canvas.theme
    canvas.height = canvas.height or (142.0 if chart.compact else 300.0)
    values = [b.value for b in chart.bars]
    marks = ticks(max(values, default=1.0))
    top_value = marks[-1]
    left = max(text_width(axis_text(chart.unit, m), 9) for m in marks) + 10
    right, top, foot = 8.0, 34.0, 34.0
    plot_w, plot_h = canvas.width - left - right, canvas.height - top - foot
    base = top + plot_h

    def y(v: float) -> float:
        return base - v / top_value * plot_h

    step = plot_w / max(len(chart.bars), 1)
    gap = min(1.5, step * 0.18)
    drawn = chart.bars
    if chart.layer == "base":
        drawn = tuple(replace(b, tone="rest") for b in chart.bars)
    if chart.layer != "over":
        for mark in marks:
            canvas.line(left, y(mark), canvas.width - right, y(mark), GRID, 0.5)
            canvas.text(left - 5, y(mark) + 3, axis_text(chart.unit, mark), 9, "end", fill=theme.soft)
    for tone, fill in (("rest", REST), ("near", NEAR), ("own", theme.own)):
        if chart.layer == "over" and tone == "rest":
            continue
        shapes = [
            f"M{left + i * step + gap / 2:.1f} {base:.1f}V{y(b.value):.1f}h{step - gap:.1f}V{base:.1f}z"
            for i, b in enumerate(drawn)
            if b.tone == tone
        ]
        if shapes:
            canvas.parts.append(f'<path d="{"".join(shapes)}" fill="{fill}"/>')
    notes = []
    for value, dash, name in ((chart.mean, "5 3", "Mean"), (chart.median, "2 2", "Median")):
        if value is not None and chart.layer != "over":
            canvas.line(left, y(value), canvas.width - right, y(value), theme.average, 1.2, dash)
            notes.append(f"{name} {chart.unit.text(value)} ({'dashed' if name == 'Mean' else 'dotted'})")
    if chart.layer != "over":
        canvas.text(left, 11, f"{', '.join(notes)}. Unit: {chart.unit.name}", 9, fill=theme.average)
        canvas.line(left, base, canvas.width - right, base, theme.ink, 0.8)
    if chart.layer != "base":
        _tones(canvas, left, 16.0, chart.near, {b.tone for b in chart.bars})
        _own_labels(canvas, chart, left, step, base)


def _tones(canvas: Canvas, x: float, y: float, near: str, used: Container[str]) -> None:
    """The key to whose figures stand in which colour."""
    names = {"rest": "Others", "near": near, "own": "Your own"}
    for tone, fill in (("own", canvas.theme.own), ("near", NEAR), ("rest", REST)):
        if tone in used:
            canvas.rect(x, y, 9, 9, fill, OUTLINE, 0.4)
            canvas.text(x + 13, y + 8, names[tone], 9)
            x += text_width(names[tone], 9) + 28


def _own_labels(canvas: Canvas, chart: FigureBars, left: float, step: float, base: float) -> None:
    """The reader's own organisations below their bars, each with its figure, moved apart where they are near."""
    own = [(left + (i + 0.5) * step, b) for i, b in enumerate(chart.bars) if b.tone == "own"]
    own = own[:8]
    room = canvas.width / max(len(own), 1) - 8
    words = [shortened(f"{b.label} {chart.unit.text(b.value)}", room, 8.5) for _, b in own]
    wide = [text_width(w, 8.5) for w in words]
    ends = 0.0
    starts = []
    for (x, _), w in zip(own, wide, strict=True):
        start = max(min(x - w / 2, canvas.width - w - 2), ends)
        starts.append(start)
        ends = start + w + 8
    over = ends - 8 - canvas.width
    for (x, _), word, start in zip(own, words, starts, strict=True):
        at = max(start - max(over, 0), 0)
        canvas.polygon([(x - 4, base + 9), (x + 4, base + 9), (x, base + 2)], canvas.theme.own)
        canvas.text(at, base + 21, word, 8.5, weight="bold")


def part_bars(canvas: Canvas, chart: PartBars) -> None:
    theme = canvas.theme
    row = 15.0 if len(chart.rows) > 8 else 22.0
    label_w = min(0.4 * canvas.width, 1.12 * max((text_width(label, 9) for label, *_ in chart.rows), default=0) + 10)
    # Where a phone has no room for a label beside its bar, it stands above it.
    head = 12.0 if canvas.width < NARROW and label_w > 0.3 * canvas.width else 0.0
    if head:
        label_w, row = 0.0, row + head
    canvas.height = canvas.height or len(chart.rows) * row + 22
    written = [text_width(chart.unit.text(v), 9) for _, e, o in chart.rows for v in (e, o)]
    figure_w = max(74.0, *written) + 10
    plot = canvas.width - label_w - figure_w - (figure_w if chart.own else 0)
    most = max((v for _, e, o in chart.rows for v in (e, o) if v is not None), default=1.0) or 1.0
    key = f"{chart.whole} (bar)"
    canvas.text(label_w, 10, key, 9, fill=theme.accent)
    if chart.own:
        words = shortened(f"{chart.own} (diamond)", canvas.width - label_w - text_width(key, 9) - 30, 9)
        canvas.text(canvas.width, 10, words, 9, "end", "bold")
    for i, (label, england, own) in enumerate(chart.rows):
        y, high = 18 + head + i * row, row - head
        if head:
            canvas.text(0, y - 1, shortened(label, canvas.width / 1.12, 9), 9)
        else:
            canvas.text(label_w - 6, y + high * 0.62, shortened(label, label_w - 8, 9), 9, "end")
        if england is not None:
            canvas.rect(label_w, y + 2, england / most * plot, high - 5, theme.accent)
        canvas.text(label_w + plot + 8, y + high * 0.62, chart.unit.text(england), 9, fill=theme.accent)
        if chart.own:
            if own is not None:
                canvas.diamond(label_w + own / most * plot, y + high / 2 - 0.5, 5, theme.own)
            canvas.text(canvas.width, y + high * 0.62, chart.unit.text(own), 9, "end", "bold")
    canvas.line(label_w, 16, label_w, 18 + len(chart.rows) * row, theme.soft, 0.6)


def stacked_shares(canvas: Canvas, chart: StackedShares) -> None:
    theme = canvas.theme
    row = 20.0 if len(chart.rows) <= 14 else 14.0
    keys, x, line = [], 0.0, 0
    for i, part in enumerate(chart.parts):
        wide = text_width(part, 9) + 28
        if x and x + wide > canvas.width:
            x, line = 0.0, line + 1
        keys.append((i, part, x, line))
        x += wide
    top = 14.0 * (line + 1) + 6
    canvas.height = canvas.height or top + len(chart.rows) * row + 14
    for i, part, at, number in keys:
        canvas.rect(at, 1 + 14 * number, 12, 10, PARTS[i % len(PARTS)], OUTLINE, 0.4)
        canvas.text(at + 16, 9.5 + 14 * number, part, 9)
    label_w = min(0.36 * canvas.width, max((text_width(label, 9) for label, _ in chart.rows), default=0) + 10)
    plot = canvas.width - label_w - 4
    for i, (label, values) in enumerate(chart.rows):
        y = top + i * row
        canvas.text(label_w - 6, y + row * 0.62, shortened(label, label_w - 8, 9), 9, "end")
        if values is None:
            canvas.text(label_w + 4, y + row * 0.62, "no figures", 9, fill=theme.soft)
            continue
        at = label_w
        for j, value in enumerate(values):
            wide = value / 100 * plot
            fill = PARTS[j % len(PARTS)]
            canvas.rect(at, y + 1, wide, row - 4, fill, "#FFFFFF", 0.6)
            words = Unit("%").text(value)
            if wide > text_width(words, 8) + 4:
                canvas.text(at + wide / 2, y + row * 0.6, words, 8, "middle", fill=ink_on(fill))
            at += wide
    foot = top + len(chart.rows) * row + 9
    for tick in (0, 25, 50, 75, 100):
        anchor = "start" if tick == 0 else "end" if tick == 100 else "middle"
        canvas.text(label_w + tick / 100 * plot, foot, f"{tick}%", 8, anchor, fill=theme.soft)


def rate_funnel(canvas: Canvas, chart: RateFunnel) -> None:
    theme = canvas.theme
    canvas.height = canvas.height or 290.0
    highest = max([p.value for p in chart.points] + [chart.rate])
    lowest_limit = max((high for _, curve in chart.limits[:1] for _, _, high in curve), default=chart.rate)
    marks = ticks(max(highest, min(lowest_limit, 1.5 * highest)))
    across = ticks(max((p.people for p in chart.points), default=1.0))
    left = max(text_width(axis_text(chart.unit, m), 9) for m in marks) + 10
    right, top, foot = 74.0, 34.0, 38.0
    plot_w, plot_h = canvas.width - left - right, canvas.height - top - foot

    def x(people: float) -> float:
        return left + people / across[-1] * plot_w

    def y(value: float) -> float:
        return top + (1 - min(value, marks[-1]) / marks[-1]) * plot_h

    if chart.layer != "over":
        for mark in marks:
            canvas.line(left, y(mark), left + plot_w, y(mark), GRID, 0.5)
            canvas.text(left - 5, y(mark) + 3, axis_text(chart.unit, mark), 9, "end", fill=theme.soft)
        for mark in across:
            canvas.line(x(mark), top + plot_h, x(mark), top + plot_h + 4, theme.soft, 0.6)
            canvas.text(x(mark), top + plot_h + 14, f"{mark:,.10g}", 9, "middle", fill=theme.soft)
        labels = [(y(chart.rate), f"All {chart.unit.text(chart.rate)}", theme.average)]
        for (name, curve), dash in zip(chart.limits, ("6 3", "2 3"), strict=True):
            for side in (1, 2):
                inside = [p for p in curve if p[side] <= marks[-1]]
                places = " ".join(f"{x(p[0]):.1f},{y(p[side]):.1f}" for p in inside)
                canvas.parts.append(
                    f'<polyline points="{places}" fill="none" stroke="{theme.soft}" stroke-width="1" stroke-dasharray="{dash}"/>'
                )
                if inside:
                    labels.append((y(inside[-1][side]), name, theme.soft))
        canvas.line(left, y(chart.rate), left + plot_w, y(chart.rate), theme.average, 1.4, "5 3")
        for at, words, colour in apart(labels, 10.0):
            canvas.text(left + plot_w + 6, at + 3, words, 9, fill=colour)
    order = {"rest": 0, "near": 1, "own": 2}
    fills = {"rest": REST, "near": NEAR, "own": theme.own}
    drawn = [replace(p, tone="rest") for p in chart.points] if chart.layer == "base" else chart.points
    for point in sorted(drawn, key=lambda p: order[p.tone]):
        if chart.layer == "over" and point.tone == "rest":
            continue
        if point.tone == "own":
            canvas.diamond(x(point.people), y(point.value), 6, theme.own)
        else:
            canvas.parts.append(
                f'<circle cx="{x(point.people):.1f}" cy="{y(point.value):.1f}" r="4" fill="{fills[point.tone]}" stroke="{OUTLINE}" stroke-width="0.5"/>'
            )
    for point in drawn:
        if point.tone == "own":
            words = f"{point.label} {chart.unit.text(point.value)}"
            wide = text_width(words, 8.5)
            begin = min(max(x(point.people) - wide / 2, left), left + plot_w - wide)
            # Over the points behind it, so that it can be read.
            canvas.parts.append(
                f'<rect x="{begin - 2:.1f}" y="{y(point.value) - 18:.1f}" width="{wide + 4:.1f}" height="11.5" fill="#FFFFFF" fill-opacity="0.85"/>'
            )
            canvas.text(begin, y(point.value) - 9, words, 8.5, weight="bold")
    if chart.layer != "over":
        canvas.line(left, top + plot_h, left + plot_w, top + plot_h, theme.ink, 0.8)
        canvas.text(0, 9, chart.unit.name, 9, fill=theme.soft)
        canvas.text(left + plot_w / 2, top + plot_h + 28, chart.people, 9, "middle", fill=theme.soft)
    if chart.layer != "base":
        _tones(canvas, left, 16.0, chart.near, {p.tone for p in chart.points})


def spine(canvas: Canvas, chart: Spine) -> None:
    theme = canvas.theme
    row = 15.0
    canvas.height = canvas.height or len(chart.rows) * row + 26
    label_w, own_w, median_w, range_w = canvas.width * 0.37, 70.0, 70.0, 120.0
    start = label_w + own_w + median_w
    plot = canvas.width - start - range_w
    for words, at, anchor in (("Here", label_w + own_w - 8, "end"), ("Median", start - 8, "end"),
                              ("lowest", start, "start"), ("highest", start + plot, "end"),
                              ("Lowest to highest", canvas.width, "end")):  # fmt: skip
        canvas.text(at, 9, words, 8.5, anchor, "bold" if words in ("Here", "Median") else "", theme.soft)
    for i, r in enumerate(chart.rows):
        y = 16 + i * row
        middle = y + row / 2 - 1

        def x(v: float, r=r) -> float:  # type: ignore[no-untyped-def]
            return start + (v - r.lowest) / max(r.highest - r.lowest, 1e-12) * plot

        canvas.text(0, y + 9.5, shortened(r.label, label_w - 4, 8.5), 8.5)
        canvas.text(start - 8, y + 9.5, r.unit.text(r.median), 8.5, "end", fill=theme.soft)
        canvas.text(
            canvas.width, y + 9.5, f"{r.unit.text(r.lowest)} to {r.unit.text(r.highest)}", 8, "end", fill=theme.soft
        )
        canvas.rect(start, middle - 3.5, plot, 7, "#E6EAED")
        canvas.rect(
            x(r.lower_quartile), middle - 3.5, max(x(r.upper_quartile) - x(r.lower_quartile), 0.5), 7, "#A9B6C0"
        )
        canvas.line(x(r.median), middle - 5, x(r.median), middle + 5, theme.average, 1.6)
        if r.own is None:
            canvas.text(label_w + own_w - 8, y + 9.5, "none", 8.5, "end", fill=theme.soft)
            continue
        canvas.text(label_w + own_w - 8, y + 9.5, r.unit.text(r.own), 8.5, "end", "bold")
        canvas.diamond(min(max(x(r.own), start), start + plot), middle, 4.5, theme.own)


def heat_table(canvas: Canvas, chart: HeatTable) -> None:
    theme = canvas.theme
    row, head = 14.0, 66.0
    canvas.height = canvas.height or len(chart.rows) * row + head + 4
    label_w = canvas.width * 0.3
    # The last heading leans over the edge of its column.
    each = (canvas.width - label_w - 48) / max(len(chart.columns), 1)
    for j, name in enumerate(chart.columns):
        x = label_w + (j + 0.5) * each
        canvas.parts.append(
            f'<text x="{x:.1f}" y="{head - 6:.1f}" font-size="8" transform="rotate(-40 {x:.1f} {head - 6:.1f})" '
            f'fill="{theme.ink}">{escape(shortened(name, 84, 8))}</text>'
        )
    for i, (label, values) in enumerate(chart.rows):
        y = head + i * row
        canvas.text(label_w - 6, y + 10, shortened(label, label_w - 8, 8.5), 8.5, "end")
        for j, value in enumerate(values):
            fill = "#FFFFFF" if value is None else LEVELS[min(int(value // 20), 4)]
            canvas.rect(label_w + j * each, y, each, row, fill, "#FFFFFF", 0.6)
            canvas.text(label_w + (j + 0.5) * each, y + 10, Unit("%").text(value), 8, "middle", fill=ink_on(fill))

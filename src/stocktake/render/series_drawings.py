"""Drawings of lines over years, as SVG on the canvas of `render.svg`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from stocktake.render.figure_drawings import PARTS, axis_text, shortened
from stocktake.render.labels import apart
from stocktake.render.theme import GRID, NARROW
from stocktake.render.words import text_width
from stocktake.reports.charts import TrendLines
from stocktake.reports.figure_charts import SeriesLines, ticks
from stocktake.reports.words import rounded

if TYPE_CHECKING:
    from stocktake.render.svg import Canvas

# Lines are told apart by colour, dashes and the shape of their marks.
LINE_COLOURS, DASHES = (0, 3, 5, 7, 11), ("", "6 3", "2 3", "8 3 2 3", "1 2")


def series_lines(canvas: Canvas, chart: SeriesLines) -> None:
    theme = canvas.theme
    canvas.height = canvas.height or (260.0 if len(chart.lines) < 4 else 320.0)
    ends = [e for own in chart.intervals for pair in own if pair is not None for e in pair]
    known = [v for _, values in chart.lines for v in values if v is not None] + ends
    marks = [chart.floor + m for m in ticks(max(known, default=1.0) - chart.floor)]
    left = max(text_width(axis_text(chart.unit, m), 9) for m in marks) + 10
    names = [_line_name(chart, name, values) for name, values in chart.lines]
    # Browsers without the font set wider letters.
    right = min(1.12 * max(text_width(n, 9) for n in names) + 14, canvas.width * 0.45) if len(names) > 1 else 14.0
    # Names too long to stand beside the lines stand below them.
    below = len(names) > 1 and canvas.width < NARROW and right > canvas.width / 4
    top, foot, key = (14.0 if not chart.floor else 24.0 if len(names) > 1 else 32.0), 26.0, 0.0
    if below:
        right, key = 14.0, 14.0 * len(names)
        foot += key
        canvas.height += key
    plot_w, plot_h = canvas.width - left - right, canvas.height - top - foot

    def y(v: float) -> float:
        return top + (marks[-1] - v) / (marks[-1] - chart.floor) * plot_h

    def x(i: int) -> float:
        return left + plot_w * (i + 0.5) / len(chart.years)

    for mark in marks:
        canvas.line(left, y(mark), left + plot_w, y(mark), GRID, 0.5)
        canvas.text(left - 5, y(mark) + 3, axis_text(chart.unit, mark), 9, "end", fill=theme.soft)
    if chart.floor:
        canvas.text(
            0, 9, f"The scale begins at {axis_text(chart.unit, chart.floor)}, not at zero", 8.5, fill=theme.soft
        )
    wide = max(text_width(year, 9) for year in chart.years) + 6
    every = max(1, math.ceil(wide * len(chart.years) / plot_w))
    for i, year in enumerate(chart.years):
        if (len(chart.years) - 1 - i) % every == 0:
            canvas.text(x(i), canvas.height - key - 10, year, 9, "middle", "bold")
    _breaks(canvas, chart, x, top, plot_h, left, left + plot_w)
    labels = []
    for number, ((_, values), name) in enumerate(zip(chart.lines, names, strict=True)):
        colour = PARTS[LINE_COLOURS[number % 5]]
        canvas.parts.append(f'<g data-line="{number}">')
        _one_line(canvas, chart, number, x, y)
        last = next((v for v in reversed(values) if v is not None), None)
        if last is not None:
            labels.append((y(last), name, colour))
        canvas.parts.append("</g>")
    if below:
        _key(canvas, names, canvas.height - key)
    elif len(chart.lines) > 1:
        for at, name, colour in apart(labels, 11.0):
            canvas.text(left + plot_w + 6, at + 3, shortened(name, right - 10, 9), 9, fill=colour)


def _key(canvas: Canvas, names: Sequence[str], top: float) -> None:
    """Below the lines a piece of each with its name and latest figure."""
    for number, name in enumerate(names):
        colour, middle = PARTS[LINE_COLOURS[number % 5]], top + 14.0 * number + 7
        canvas.line(0, middle, 26, middle, colour, 2, DASHES[number % 5])
        canvas.text(32, middle + 3, shortened(name, (canvas.width - 34) / 1.12, 9), 9, fill=colour)


def _line_name(chart: SeriesLines, name: str, values: Sequence[float | None]) -> str:
    """A line's name with its latest figure; one without a figure in the last year says of which year it is."""
    place = max((i for i, v in enumerate(values) if v is not None), default=len(values) - 1)
    year = "" if place == len(values) - 1 else f" in {chart.years[place]}"
    figure = f"{chart.unit.text(values[place])}{year}"
    return f"{name}: {figure}" if name else figure


def _breaks(
    canvas: Canvas, chart: SeriesLines, x: Callable[[int], float], top: float, plot_h: float, left: float, right: float
) -> None:
    """A dotted line before each year that does not compare with those before it."""
    theme = canvas.theme
    words = "not comparable with earlier years"
    ends = left
    for i in chart.breaks:
        at = (x(i - 1) + x(i)) / 2
        canvas.line(at, top, at, top + plot_h, theme.soft, 1, "2 3")
        half = text_width(words, 8) / 2
        place = min(max(at, ends + half), right - half)
        # Labels that would cover one another: one says it for both.
        if abs(place - at) <= half:
            canvas.text(place, top - 3, words, 8, "middle", fill=theme.soft)
            ends = place + half + 4


def _one_line(
    canvas: Canvas, chart: SeriesLines, number: int, x: Callable[[int], float], y: Callable[[float], float]
) -> None:
    """One line: its intervals, the strokes between years that compare, and a mark for each figure."""
    _, values = chart.lines[number]
    colour = PARTS[LINE_COLOURS[number % 5]]
    for i, ends in enumerate(chart.intervals[number] if chart.intervals else ()):
        if ends is not None:
            low, high = (y(max(e, chart.floor)) for e in ends)
            canvas.line(x(i), low, x(i), high, colour, 1)
            for end in (low, high):
                canvas.line(x(i) - 2.5, end, x(i) + 2.5, end, colour, 1)
    for (i, a), (j, b) in pairwise(enumerate(values)):
        if a is not None and b is not None and j not in chart.breaks:
            canvas.line(x(i), y(a), x(j), y(b), colour, 2, DASHES[number % 5])
    for i, v in enumerate(values):
        if v is None:
            continue
        if number % 3 == 1:
            canvas.rect(x(i) - 3.2, y(v) - 3.2, 6.4, 6.4, colour, "#FFFFFF")
        elif number % 3 == 2:
            canvas.diamond(x(i), y(v), 4.6, colour)
        else:
            canvas.parts.append(f'<circle cx="{x(i):.1f}" cy="{y(v):.1f}" r="3.4" fill="{colour}"/>')
        if len(chart.lines) == 1:
            ends = chart.intervals[0][i] if chart.intervals else None
            canvas.text(x(i), (y(v) if ends is None else y(ends[1])) - 7, chart.unit.text(v), 9, "middle")


def trend_lines(canvas: Canvas, chart: TrendLines) -> None:
    theme = canvas.theme
    answered = any(n is not None for n in chart.respondents)
    marks = chart.scale()
    left, right, top, foot = 24.0, 96.0, 8.0, 42.0 if answered else 30.0
    canvas.height = canvas.height or 58.0 + foot
    plot_w, plot_h = canvas.width - left - right, canvas.height - top - foot

    def y(v: float) -> float:
        return top + (marks[-1] - v) / (marks[-1] - marks[0]) * plot_h

    def x(i: int) -> float:
        inset = plot_w * 0.12
        many = max(len(chart.years) - 1, 1)
        return left + inset + (plot_w - 2 * inset) * i / many

    for tick in marks:
        canvas.line(left, y(tick), left + plot_w, y(tick), GRID, 0.5)
        canvas.text(left - 5, y(tick) + 3, f"{tick:g}", 8, "end", fill=theme.soft)
    step = x(1) - x(0) if len(chart.years) > 1 else plot_w
    words = f" {chart.word}s"
    if any(text_width(f"{n}{words}", 8) + 4 > step for n in chart.organisations):
        # Many years: the word once, at the left.
        canvas.text(0, top + plot_h + 25, f"{chart.word}s", 8, fill=theme.soft)
        words = ""
    every = max(1, math.ceil((text_width("2024", 9) + 5) / step))
    for i, (year, n) in enumerate(zip(chart.years, chart.organisations, strict=True)):
        if (len(chart.years) - 1 - i) % every == 0:
            canvas.text(x(i), top + plot_h + 13, str(year), 9, "middle", "bold")
            canvas.text(x(i), top + plot_h + 25, f"{n}{words}", 8, "middle", fill=theme.soft)
            if answered:
                count = chart.respondents[i]
                canvas.text(
                    x(i), top + plot_h + 37, "-" if count is None else f"{count:,}", 8, "middle", fill=theme.soft
                )
    if answered:
        canvas.text(0, top + plot_h + 37, "people", 8, fill=theme.soft)
    for i, pair in enumerate(chart.intervals):
        if pair is not None and chart.own[i] is not None:
            low, high = (min(max(v, marks[0]), marks[-1]) for v in pair)
            canvas.line(x(i), y(low), x(i), y(high), theme.own, 1)
            for end in (low, high):
                canvas.line(x(i) - 3, y(end), x(i) + 3, y(end), theme.own, 1)
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
                canvas.line(x(i), y(v1), x(j), y(v2), colour, 2, dash)
        for px, py in ((x(i), y(v)) for i, v in enumerate(values) if v is not None):
            if own:
                canvas.diamond(px, py, 4.5, colour)
            else:
                canvas.circle(px, py, 3.6, colour)
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
        canvas.text(left + plot_w + 6, at + above + 3, words, 9.5, "start", weight, colour)

"""Charts of the lines of a page over all its years."""

from __future__ import annotations

from collections.abc import Sequence

from stocktake.reports.figure_charts import Ends, SeriesLines, floor_of
from stocktake.reports.trends.cells import UNIT
from stocktake.reports.words import listed, rounded
from stocktake.rounding import as_shown
from stocktake.trends.definition import IndicatorLine
from stocktake.trends.facts import Facts


def chart_of(facts: Facts, title: str, lines: Sequence[IndicatorLine]) -> SeriesLines | None:
    """The chart of some lines over all their years; None where nothing can be shown."""
    years = sorted({y for line in lines for y in facts.years(line.series)})
    values: list[tuple[float | None, ...]] = []
    ends: list[tuple[Ends, ...]] = []
    for line in lines:
        rows = [facts.everybody.get((line.series, line.line), {}).get(y) for y in years]
        shown = [r if r is not None and r["percent"] is not None else None for r in rows]
        values.append(tuple(None if r is None else as_shown(r["percent"], 1) for r in shown))
        ends.append(tuple(None if r is None else (r["lower_95"], r["upper_95"]) for r in shown))
    known = [v for own in values for v in own if v is not None]
    if not known:
        return None
    breaks = tuple(i for i, y in enumerate(years) if i and _breaks(facts, lines, y))
    limits = [e for own in ends for pair in own if pair is not None for e in pair]
    names = tuple(line.label for line in lines)
    spans = [
        f"{name}: {_span([str(y) for y in years], own)}"
        for name, own in zip(names, values, strict=True)
        if any(v is not None for v in own)
    ]
    stops = listed([str(years[i]) for i in breaks])
    alt = f"{title} Lines from {years[0]} to {years[-1]}. {'. '.join(spans)}." + (
        f" Years before {stops} do not compare with those after." if breaks else ""
    )
    drawn = tuple(zip(names, values, strict=True))
    return SeriesLines(
        title,
        tuple(map(str, years)),
        drawn,
        breaks,
        UNIT,
        alt,
        intervals=tuple(ends),
        floor=floor_of(min(limits), max(limits)),
    )


def _breaks(facts: Facts, lines: Sequence[IndicatorLine], year: int) -> bool:
    """Whether a year does not compare with the one before, in any line that has both."""
    for line in lines:
        points = facts.points[line.series]
        if year in points and points[year]["break_reason"] and year != min(points):
            return True
    return False


def _span(years: Sequence[str], values: Sequence[float | None]) -> str:
    known = [(y, v) for y, v in zip(years, values, strict=True) if v is not None]
    first, last = known[0], known[-1]
    if first == last:
        return f"{rounded(first[1], 1)}% in {first[0]}"
    return f"{rounded(first[1], 1)}% in {first[0]} and {rounded(last[1], 1)}% in {last[0]}"


def reading_of(chart: SeriesLines) -> str:
    words = (
        "The bars through each mark are 95% intervals: the range in which the figure of everybody would plausibly lie."
    )
    if chart.breaks:
        words += " A dotted line marks a year that does not compare with the years before it."
    return words

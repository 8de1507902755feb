"""The pages of a pack that say which rates of events differ by more than chance and the usual spread."""

from __future__ import annotations

import numpy as np

from stocktake.audit.specification import Indicator
from stocktake.audit.tables import has_funnel
from stocktake.compare.rates import funnel_limits
from stocktake.reports.audit.facts import WORDS, Facts, Reader, Row, highlight, shown
from stocktake.reports.figure_charts import FunnelPoint, RateFunnel
from stocktake.reports.model import Block, Figure, Number, Page, Text, paragraph
from stocktake.reports.words import plural

LEVELS = (("95%", 0.95), ("99.8%", 0.998))
# Places of a curve, closer together where it bends.
PLACES = 60


def _compared(facts: Facts) -> list[Indicator]:
    """Every ranked rate of events that has a funnel; of a pair the one of registered people, as weights are no people."""
    return [
        indicator
        for indicator in facts.spec.displays
        if indicator.chart == "ranked bars"
        and has_funnel(facts.spec, indicator)
        and facts.spec.population[indicator.population].kind != "weighted"
    ]


def chance_pages(facts: Facts, reader: Reader) -> list[Page]:
    """A funnel for every ranked rate of events."""
    pages: list[Page] = []
    for indicator in _compared(facts):
        inner = _funnel(facts, reader, indicator)
        if inner:
            intro = () if pages else (paragraph(INTRO),)
            title = f"Beyond chance: {indicator.code} {indicator.title}"
            pages.append(Page("chance", title, (*intro, *inner), anchor=f"chance-{indicator.code}"))
    return pages


def outside_limits(facts: Facts, reader: Reader) -> list[tuple[Indicator, Row]]:
    """The reader's own rates that lie outside the 99.8% limits."""
    found = []
    for indicator in _compared(facts):
        own = highlight(facts, reader, indicator).own
        for row in shown(facts.rows(indicator.code, indicator.of)):
            if row["organisation"] in own and row["funnel_z"] is not None and _side(row):
                found.append((indicator, row))
    return found


def _side(row: Row) -> str:
    """Where a rate lies outside the 99.8% limits; nothing within them."""
    return "above" if row["value"] > row["funnel_upper"] else "below" if row["value"] < row["funnel_lower"] else ""


INTRO = (
    "Few people make a rate uncertain. Between the limits lie rates that chance and the usual spread of organisations "
    "explain; one that lies outside the 99.8% limits is worth asking about first. It is neither good nor bad by itself."
)


def _funnel(facts: Facts, reader: Reader, indicator: Indicator) -> list[Block]:
    kind = indicator.of
    rows = [r for r in shown(facts.rows(indicator.code, kind)) if r["funnel_z"] is not None]
    summary = facts.summary(indicator.code)
    if not rows or summary is None or summary["funnel_rate"] is None:
        return []
    marks = highlight(facts, reader, indicator)

    def point(row: Row) -> FunnelPoint:
        return FunnelPoint(facts.called(row, marks), row["denominator"], row["value"], marks.tone(row["organisation"]))

    points = tuple(point(r) for r in rows)
    rate, phi, per = summary["funnel_rate"], summary["funnel_phi"], indicator.per
    far = max(p.people for p in points)
    people = np.linspace(0.02, 1.0, PLACES) ** 2 * far
    curves = []
    for name, level in LEVELS:
        low, high = funnel_limits(rate / per, phi, people, level)
        curves.append((name, tuple(zip(people.tolist(), (low * per).tolist(), (high * per).tolist(), strict=True))))
    unit = facts.unit(indicator)
    title = facts.spec.population[indicator.population].title
    alt = (
        f"{indicator.title}: {len(points)} {WORDS[kind][1]} by the number of people, {summary['funnel_outside']} of them outside the "
        f"99.8% limits about {unit.text(rate)}."
    )
    chart = RateFunnel(
        indicator.title, points, rate, tuple(curves), unit, title, marks.where, alt, f"{indicator.code}-funnel"
    )
    return [Figure(chart), _reading(indicator, summary), *_own(facts, indicator, rows, marks.own)]


def _reading(indicator: Indicator, summary: Row) -> Text:
    source = f"{indicator.code}.funnel"
    times = summary["funnel_times"]
    return paragraph(
        f"{{outside}} of {{n}} {WORDS[indicator.of][1]} {plural(int(summary['funnel_outside']), 'lies', 'lie')} outside the 99.8% limits. The rates differ {{times}} times as much as "
        "chance alone would have them; the limits are that much wider.",
        "note",
        outside=Number(summary["funnel_outside"], f"{summary['funnel_outside']:,}", f"{source}.outside"),
        n=Number(summary["n"], f"{summary['n']:,}", f"{indicator.code}.n"),
        times=Number(times, f"{times:,.0f}" if times >= 10 else f"{times:,.1f}", f"{source}.times"),
    )


def _own(facts: Facts, indicator: Indicator, rows: list[Row], own: tuple[str, ...]) -> list[Block]:
    """Where the reader's own stand, in words."""
    out: list[Block] = []
    for row in rows:
        if row["organisation"] not in own:
            continue
        where = _side(row)
        words = f"is {where} the 99.8% limits" if where else "lies within the 99.8% limits"
        figures = {
            name: facts.number(indicator, row[column], f"{indicator.code}.{row['organisation']}.{column}")
            for name, column in (("value", "value"), ("low", "funnel_lower"), ("high", "funnel_upper"))
        }
        text = f"{row['organisation_name']} {words} at its number of people: {{value}}, between {{low}} and {{high}}."
        if where:
            text = (
                f"{row['organisation_name']} {words} at its number of people: {{value}}; they are {{low}} and {{high}}."
            )
        out.append(paragraph(text, "plain", **figures))
    return out

"""Sentences of a page with their figures: those of trends.yaml, or made from the figures of a question."""

from __future__ import annotations

from collections.abc import Sequence

from stocktake.reports.model import Number, Text, paragraph
from stocktake.reports.trends.cells import share_number
from stocktake.reports.words import plural, rounded, signed
from stocktake.rounding import as_shown
from stocktake.trends.definition import Indicator, IndicatorLine
from stocktake.trends.facts import Facts, Row, percent_text
from stocktake.trends.sentences import Reference, pieces


def declared_sentence(facts: Facts, indicator: Indicator, position: int) -> Text | None:
    """A sentence of an indicator with its figures; None where it may not be printed."""
    sentence = indicator.sentences[position]
    if facts.problem(indicator, sentence):
        return None
    parts: list[str | Number] = []
    for piece in pieces(sentence.text):
        if isinstance(piece, Reference):
            found = facts.resolve(indicator, piece)
            parts.append(Number(found.value, found.text, found.source))
        else:
            parts.append(piece)
    return Text(tuple(parts))


def generated_sentences(facts: Facts, series: str, lines: Sequence[IndicatorLine]) -> list[Text]:
    """Sentences of a question made from its figures: the latest answers, and what changed since the year before."""
    year = facts.years(series)[-1]
    now = [(line, row) for line in lines if (row := facts.everybody.get((series, line.line), {}).get(year)) is not None]
    shown = [(line, row) for line, row in now if row["percent"] is not None]
    if not shown:
        return [paragraph(f"No answer of {year} can be shown.")]
    most = sorted(shown, key=lambda pair: -pair[1]["percent"])[:2]
    parts: list[str | Number] = [f"In {year}, "]
    for i, (line, row) in enumerate(most):
        value = share_number(row)
        parts += [" and " if i else "", value, f" {'of people ' if not i else ''}answered \u2018{line.label}\u2019"]
    parts.append(", of ")
    base = most[0][1]["base"]
    parts += [
        Number(base, f"{base:,}", f"shares/{series}/{most[0][0].line}/{year}/base"),
        " who gave an answer that is counted.",
    ]
    out = [Text(tuple(parts))]
    latest = facts.latest(series)
    if len(latest) < 2:
        return out
    # The first year that compares, then the year before.
    for since in dict.fromkeys((latest[0], latest[-2])):
        found = [(line, facts.changes.get((series, line.line, since, year))) for line, _ in shown]
        moved = [(line, change) for line, change in found if change is not None and is_clear(change)]
        if not moved:
            out.append(paragraph(f"Compared with {since}, no answer became clearly more or less common."))
        for line, change in moved:
            points = abs(change["points"])
            said = f"{rounded(points, 1)} percentage {plural(1 if as_shown(points, 1) == 1 else 2, 'point')}"
            out.append(
                Text(
                    (
                        f"Compared with {since}, \u2018{line.label}\u2019 {change['verdict']} by ",
                        Number(points, said, f"share_changes/{series}/{line.line}/{since}/{year}/points"),
                        ", more than chance would explain.",
                    )
                )
            )
    return out


def is_clear(change: Row) -> bool:
    """Whether a change is more than chance would explain."""
    return bool(change["verdict"] != "no clear change")


def course_of(facts: Facts, lines: Sequence[IndicatorLine]) -> tuple[str, str]:
    """The latest figure of the first line that has one, and how it differs from that of the first year that compares."""
    for line in lines:
        latest = facts.latest(line.series)
        row = facts.everybody.get((line.series, line.line), {}).get(latest[-1]) if latest else None
        if row is None or row["percent"] is None:
            continue
        said = f"\u2018{line.label}\u2019: {percent_text(row['percent'])} in {latest[-1]}"
        change = facts.changes.get((line.series, line.line, latest[0], latest[-1])) if len(latest) > 1 else None
        if change is None:
            return said, ""
        if not is_clear(change):
            return said, f"no clear change since {latest[0]}"
        mark = "\u25b2" if change["points"] > 0 else "\u25bc"
        return said, f"{mark} {signed(change['points'], 1)} points since {latest[0]}"
    return "", ""

"""Sentences of a page with their figures: those of trends.yaml, or made from the figures of a question."""

from __future__ import annotations

from collections.abc import Sequence

from stocktake.reports.model import Number, Text, paragraph
from stocktake.reports.trends.cells import share_number
from stocktake.reports.words import plural, rounded
from stocktake.rounding import as_shown
from stocktake.trends.definition import Indicator, IndicatorLine
from stocktake.trends.facts import Facts
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
    before = latest[-2]
    moved = []
    for line, _ in shown:
        change = facts.changes.get((series, line.line, before, year))
        if change is not None and change["verdict"] != "no clear change":
            moved.append((line, change))
    if not moved:
        words = f"Compared with {before}, no answer became clearly more or less common."
        return [*out, paragraph(words)]
    for line, change in moved:
        points = abs(change["points"])
        said = f"{rounded(points, 1)} percentage {plural(1 if as_shown(points, 1) == 1 else 2, 'point')}"
        out.append(
            Text(
                (
                    f"Compared with {before}, \u2018{line.label}\u2019 {change['verdict']} by ",
                    Number(points, said, f"share_changes/{series}/{line.line}/{before}/{year}/points"),
                    ", more than chance would explain.",
                )
            )
        )
    return out

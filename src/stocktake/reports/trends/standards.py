"""What guidelines ask for, and how far the latest answers are from it."""

from __future__ import annotations

from stocktake.reports.figure_charts import FigureChart, PartBars
from stocktake.reports.model import Block, Figure, Link, Number, Text, paragraph
from stocktake.reports.trends.cells import UNIT, share_number
from stocktake.reports.words import rounded
from stocktake.rounding import as_shown
from stocktake.trends.definition import IndicatorLine, Standard
from stocktake.trends.facts import Facts


def standard_blocks(facts: Facts, standard: Standard) -> list[Block]:
    """What a guideline asks for, and how far the latest answers are from it."""
    line = answering(facts, standard)
    year = facts.years(line.series)[-1]
    row = facts.everybody.get((line.series, line.line), {}).get(year)
    out: list[Block] = [
        paragraph(standard.statement, "verdict"),
        Text((Link(standard.source, address=standard.address), ".")),
    ]
    if row is not None and row["percent"] is not None:
        gap = as_shown(standard.expected - row["percent"], 1)
        place = f"shares/{line.series}/{line.line}/{year}/percent"
        expected = Number(
            standard.expected, f"{rounded(standard.expected, 0)}%", f"standard/{standard.series}/expected"
        )
        value = share_number(row)
        if gap > 0:
            far = Number(gap, f"{rounded(gap, 1)} percentage points", f"{place} against {standard.expected}")
            text = paragraph(
                f"In {year}, {{value}} of people answered \u2018{line.label}\u2019. If it were so for everybody whom the standard "
                "means, it would be {expected}: {far} more.",
                value=value, expected=expected, far=far,
            )  # fmt: skip
        else:
            text = paragraph(
                f"In {year}, {{value}} of people answered \u2018{line.label}\u2019, which meets the standard of {{expected}}.",
                value=value, expected=expected,
            )  # fmt: skip
        out.append(text)
        bars: FigureChart = PartBars(
            "How far from the standard",
            (
                (f"{year}: {line.label}", row["percent"], None),
                ("If the standard were met", standard.expected, None),
            ),
            UNIT,
            "",
            f"{rounded(row['percent'], 1)}% in {year}, against {rounded(standard.expected, 0)}%.",
            "Share",
        )
        out.append(Figure(bars))
    if standard.remark:
        out.append(paragraph(standard.remark, "note"))
    return out


def answering(facts: Facts, standard: Standard) -> IndicatorLine:
    """The line that a standard is held against."""
    wanted = " ".join(standard.answer.casefold().split())
    lines = facts.lines(standard.series)
    return next(x for x in lines if x.line == standard.answer or " ".join(x.label.casefold().split()) == wanted)

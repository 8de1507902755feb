"""What changed between years, and the figures of every year, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from stocktake.reports.model import Block, Cell, Heading, KeepTogether, Number, Table, paragraph
from stocktake.reports.trends.cells import share_number
from stocktake.reports.words import rounded, signed
from stocktake.trends.definition import IndicatorLine
from stocktake.trends.facts import Facts, Row, percent_text

# With fewer years than this nothing finer than a steady rise or fall can be told from chance.
FEW_YEARS = 7


def change_blocks(facts: Facts, lines: Sequence[IndicatorLine]) -> list[Block]:
    """Changes over each stretch of years that compare: from first to last, since the year before, and the trend."""
    rows: list[tuple[Cell, ...]] = []
    courses: list[tuple[Cell, ...]] = []
    fewest = 99
    for line in lines:
        for segment in facts.stretches(line.series):
            pairs = dict.fromkeys([(segment[0], segment[-1]), (segment[-2], segment[-1])]) if len(segment) > 1 else {}
            for begin, end in pairs:
                change = facts.changes.get((line.series, line.line, begin, end))
                if change is not None:
                    rows.append((line.label, f"{begin} to {end}", *_change_cells(change)))
        for row in facts.courses.get((line.series, line.line), ()):
            fewest = min(fewest, row["years"])
            courses.append((line.label, f"{row['year_first']} to {row['year_last']}", *_course_cells(row)))
    out: list[Block] = []
    if rows:
        header = ("Answer", "Years", "Then", "Now", "Change, points", "95% interval", "Verdict")
        out.append(
            Table("Changes between years that compare", header, tuple(rows), widths=(2.4, 1.3, 0.9, 0.9, 1, 1.3, 1.3))
        )
    if courses:
        heads = ("Answer", "Years", "Points a year", "95% interval", "Course")
        out += [
            Heading("Over all years that compare"),
            Table("Course over the years", heads, tuple(courses), widths=(2.4, 1.3, 1, 1.3, 2)),
        ]
        words = (
            "The course is that of a straight line through three or more years. Verdicts are at the 5% level: of twenty "
            "differences that are chance alone, about one is called a rise or a fall."
        )
        if fewest < FEW_YEARS:
            words += f" {fewest} years show a steady rise or fall and nothing finer, so that no limits of a control chart are drawn."
        out.append(paragraph(words, "note"))
    return out


def _change_cells(row: Row) -> tuple[Cell, ...]:
    place = f"share_changes/{row['series']}/{row['line']}/{row['year_then']}/{row['year_now']}/"
    return (
        Number(row["then"], percent_text(row["then"]), place + "then"),
        Number(row["now"], percent_text(row["now"]), place + "now"),
        Number(row["points"], signed(row["points"], 1), place + "points"),
        f"{signed(row['lower_95'], 1)} to {signed(row['upper_95'], 1)}",
        row["verdict"].capitalize(),
    )


def _course_cells(row: Row) -> tuple[Cell, ...]:
    place = f"courses/{row['series']}/{row['line']}/{row['year_first']}/{row['year_last']}/points_a_year"
    words = row["course"].capitalize()
    if row["course"] in ("rose", "fell") and not row["steady"]:
        words += ", but not steadily"
    if row["course"] == "varied":
        words += ": up and down by more than chance, with no direction over all"
    return (
        Number(row["points_a_year"], signed(row["points_a_year"], 2), place),
        f"{signed(row['lower_95'], 2)} to {signed(row['upper_95'], 2)}",
        words,
    )


def year_blocks(facts: Facts, lines: Sequence[IndicatorLine]) -> list[Block]:
    """Every year's figures with how many people they rest on."""
    out: list[Block] = []
    for series in dict.fromkeys(line.series for line in lines):
        own = [line for line in lines if line.series == series]
        rows = []
        for year in facts.years(series):
            cells: list[Cell] = [str(year)]
            base: Row | None = None
            for line in own:
                row = facts.everybody.get((series, line.line), {}).get(year)
                base = base or row
                cells.append("-" if row is None else share_number(row))
                # More than two intervals in a row make it too wide to read; the chart's own table has them.
                if row is not None and row["percent"] is not None and _few_lines(lines, series):
                    cells[-1:] = [_with_interval(row)]
            for column in ("base", "left_out"):
                value = None if base is None else base[column]
                cells.append("-" if value is None else Number(value, f"{value:,}", f"shares/{series}/{year}/{column}"))
            rows.append(tuple(cells))
        header = ("Year", *(line.label for line in own), "People", "Left out")
        short = facts.points[series][facts.years(series)[-1]]["title"]
        table = Table(f"{short} Percentages by year", header, tuple(rows))
        many = len({line.series for line in lines}) > 1
        out.append(KeepTogether((Heading(short, 3), table) if many else (table,)))
    brackets = "In brackets: the 95% interval. " if all(_few_lines(lines, s) for s in {x.series for x in lines}) else ""
    out.append(
        paragraph(
            f"{brackets}People: those whose answer is counted. Left out: those who gave another answer, such as that they did "
            "not know, to the nearest ten.",
            "note",
        )
    )
    return out


def _few_lines(lines: Sequence[IndicatorLine], series: str) -> bool:
    return sum(line.series == series for line in lines) < 3


def _with_interval(row: Row) -> Cell:
    percent = share_number(row)
    assert isinstance(percent, Number)
    low, high = (rounded(row[c], 1) for c in ("lower_95", "upper_95"))
    return Number(percent.value, f"{percent.text} ({low} to {high})", percent.source)

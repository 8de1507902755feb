"""What groups of people answered in the latest year: by one characteristic with a chart, and by two."""

from __future__ import annotations

from collections.abc import Sequence

from stocktake.reports.figure_charts import PartBars, Unit
from stocktake.reports.model import WITHHELD, Block, Cell, Figure, Heading, KeepTogether, Number, Page, Table, paragraph
from stocktake.reports.trends.cells import share_number
from stocktake.reports.words import rounded, signed
from stocktake.trends.definition import IndicatorLine
from stocktake.trends.facts import Facts, Row


def group_pages(facts: Facts, lines: Sequence[IndicatorLine]) -> list[Page]:
    """What groups of people answered in the latest year: by one characteristic with a chart, and by two."""
    line = lines[0]
    year = facts.years(line.series)[-1]
    names = list(dict.fromkeys(b for s, y, b in facts.groups if s == line.series and y == year))
    single = [n for n in names if " and " not in n]
    pairs = [n for n in names if " and " in n]
    pages: list[Page] = []
    lead = paragraph(
        f"Everything here is the share who answered \u2018{line.label}\u2019 in {year}, of those whose answer is counted."
    )
    blocks: list[Block] = [lead]
    for name in single:
        rows = [r for r in facts.groups[line.series, year, name] if r["line"] == line.line]
        if any(r["percent"] is not None for r in rows):
            blocks += _group_table(facts, line, name, rows)
    if len(blocks) > 1:
        blocks.append(
            paragraph(
                "Adjusted: the difference from everybody else at the same mix of age and sex, with its 95% interval. \u2018Clear\u2019 "
                "differences stand after allowing for how many groups were compared (a false discovery rate of 5%). Percentages "
                f"of groups are whole, and numbers of people are to the nearest ten. {WITHHELD}: withheld, too few people here or in a "
                "number that this one would give away.",
                "note",
            )
        )
        pages.append(Page("trend-groups", "Groups of people", tuple(blocks), "groups"))
    tables: list[Block] = [lead]
    for name in pairs:
        rows = [r for r in facts.groups[line.series, year, name] if r["line"] == line.line]
        table = _pair_table(facts, name, rows)
        if table is not None:
            tables.append(KeepTogether((Heading(facts.titles[name]), table)))
    if len(tables) > 1:
        tables.append(
            paragraph(
                f"{WITHHELD}: withheld, too few people here or in a number that this one would give away. -: nobody.",
                "note",
            )
        )
        pages.append(Page("trend-pairs", "Two characteristics at a time", tuple(tables), "pairs", new_sheet=False))
    return pages


def _group_table(facts: Facts, line: IndicatorLine, name: str, rows: Sequence[Row]) -> list[Block]:
    body: list[tuple[Cell, ...]] = []
    compared = False
    for row in rows:
        found = facts.differences.get((line.series, name, row["group"], line.line))
        base = row["base"]
        people: Cell = (
            WITHHELD if base is None else Number(base, f"{base:,}", f"shares/{line.series}/{name}/{row['group']}/base")
        )
        cells: tuple[Cell, ...] = (row["group"], share_number(row), people)
        if found is not None and row["percent"] is not None:
            compared = True
            place = f"share_differences/{line.series}/{name}/{row['group']}/adjusted"
            ends = (
                "-"
                if found["lower_95"] is None
                else f"{signed(found['lower_95'], 0)} to {signed(found['upper_95'], 0)}"
            )
            verdict = "No clear difference"
            if found["stands"]:
                verdict = "Clearly higher" if found["adjusted"] > 0 else "Clearly lower"
            body.append((*cells, Number(found["adjusted"], signed(found["adjusted"], 0), place), ends, verdict))
        else:
            body.append((*cells, "-", "-", "-"))
    header: tuple[str, ...] = ("Group", "Share", "People", "Adjusted, points", "95% interval", "Against everybody else")
    widths: tuple[float, ...] = (2.4, 0.8, 0.9, 1, 1.2, 1.7)
    if not compared:
        header, widths = header[:3], widths[:3]
        body = [r[:3] for r in body]
    shown = [(r["group"], r["percent"], None) for r in rows if r["percent"] is not None]
    title = facts.titles[name]
    alt = f"{title}: " + "; ".join(f"{label} {rounded(value, 0)}%" for label, value, _ in shown) + "."
    out: list[Block] = [Heading(title)]
    if len(shown) > 1:
        out.append(
            Figure(
                PartBars(
                    f"{title}: share who answered \u2018{line.label}\u2019", tuple(shown), Unit("%"), "", alt, "Share"
                ),
                title,
            )
        )
    out.append(Table(f"{title}: share, people and difference", header, tuple(body), widths=widths))
    return [KeepTogether(tuple(out))]


def _pair_table(facts: Facts, name: str, rows: Sequence[Row]) -> Table | None:
    """Two characteristics as a table, the first down and the second across; None where nothing can be shown."""
    if not any(r["percent"] is not None for r in rows):
        return None
    one, other = (_labels(facts, part, rows[0]) for part in name.split(" and "))
    by_group = {r["group"]: r for r in rows}
    body = []
    for down in one:
        found = [by_group.get(f"{down}, {across}") for across in other]
        if any(r is not None for r in found):
            body.append((down, *("-" if r is None else share_number(r) for r in found)))
    return Table(
        f"{facts.titles[name]}: share in per cent", (facts.titles[name.split(" and ")[0]], *other), tuple(body)
    )


def _labels(facts: Facts, part: str, row: Row) -> list[str]:
    """The groups of one characteristic in the same year, in order."""
    rows = facts.groups.get((row["series"], row["year"], part), [])
    return list(dict.fromkeys(r["group"] for r in rows))

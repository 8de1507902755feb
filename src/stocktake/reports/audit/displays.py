"""One display of a pack: its chart or table, the sentence that reads it, and the reader's own figures."""

from __future__ import annotations

from stocktake.audit.figures import ALL, NO_SERVICE, SHOWN, is_whole
from stocktake.audit.specification import Indicator, reference
from stocktake.reports.audit.facts import WORDS, Facts, Reader, Row, highlight, near_of, own_of, shown
from stocktake.reports.audit.maps import map_blocks, own_words
from stocktake.reports.figure_charts import (
    FigureBar,
    FigureBars,
    HeatTable,
    PartBars,
    SeriesLines,
    StackedShares,
    Unit,
)
from stocktake.reports.model import Block, Cell, Figure, Inline, Number, Table, Text, paragraph

# So many of those that are named have a row of their own in a table below a chart.
MOST_NAMED = 24


def blocks_of_indicator(facts: Facts, reader: Reader, indicator: Indicator, compact: bool = False) -> list[Block]:
    """The blocks of one display."""
    if indicator.years:
        return _series(facts, indicator)
    if indicator.of == "country":
        return _breakdown(facts, reader, indicator)
    if indicator.chart == "map":
        return map_blocks(facts, reader, indicator)
    if indicator.chart == "stacked shares":
        return _stacked_by_organisation(facts, reader, indicator)
    return _ranked(facts, reader, indicator, compact)


def _ranked(facts: Facts, reader: Reader, indicator: Indicator, compact: bool) -> list[Block]:
    kind = indicator.of
    rows = facts.rows(indicator.code, kind)
    marks = highlight(facts, reader, indicator)
    unit, summary = facts.unit(indicator), facts.summary(indicator.code)
    found = shown(rows)
    bars = tuple(
        FigureBar(r["organisation"], facts.called(r, marks), r["value"], marks.tone(r["organisation"]), marks.named(r["organisation"]))
        for r in found
    )  # fmt: skip
    if not bars or summary is None:
        return [paragraph(f"No {WORDS[kind][0]} has a figure for this display.", "note")]
    alt = (
        f"{indicator.title}: bars of {len(bars)} {WORDS[kind][1]} from {unit.text(summary['lowest'])} to "
        f"{unit.text(summary['highest'])}. " + own_words(facts, indicator, [rows[c] for c in marks.own])
    )
    chart = FigureBars(
        indicator.title, bars, summary["mean"], summary["median"], unit, marks.where, alt, compact, indicator.code
    )
    blocks: list[Block] = [Figure(chart), reading(facts, indicator, summary)]
    named = [c for c in rows if marks.tone(c) != "rest" and marks.named(c)]
    named.sort(key=lambda c: marks.tone(c) != "own")
    table = _named_table(facts, indicator, [rows[c] for c in named][:MOST_NAMED])
    if table is not None and not compact:
        blocks.append(table)
    return blocks


def reading(facts: Facts, indicator: Indicator, row: Row, part: str = "") -> Text:
    """How many organisations the figures are of, and how they differ."""
    kind = row["kind"]
    source = f"{indicator.code}.{{}}.{part}".rstrip(".")

    def figure(name: str) -> Inline:
        return facts.number(indicator, row[name], source.format(name))

    words = WORDS[kind][1]
    text = (
        f"{{n}} of {{asked}} {words} have a figure. Mean {{mean}}, median {{median}}; the middle half from {{q1}} to {{q3}}, "
        "all from {low} to {high}"
    )
    parts: dict[str, Inline] = {
        "n": Number(row["n"], f"{row['n']:,}", source.format("n")),
        "asked": Number(row["asked"], f"{row['asked']:,}", source.format("asked")),
        "mean": figure("mean"),
        "median": figure("median"),
        "q1": figure("lower_quartile"),
        "q3": figure("upper_quartile"),
        "low": figure("lowest"),
        "high": figure("highest"),
    }
    if row["withheld"]:
        text += "; {withheld} more are withheld, as they count too few people or would give such a number away"
        parts["withheld"] = Number(row["withheld"], f"{row['withheld']:,}", source.format("withheld"))
    if row["fold"] is not None:
        text += " ({fold} times as high; {inner} times between the tenth and ninetieth percentile)"
        parts["fold"] = Number(row["fold"], Unit("", 1).text(row["fold"]), source.format("fold"))
        inner = row["fold_inner"]
        parts["inner"] = "-" if inner is None else Number(inner, Unit("", 1).text(inner), source.format("fold_inner"))
    total = facts.national(indicator.code, part)
    if total is not None and total["value"] is not None and total["n"] > 1:
        none = " (with none where there is no service)" if row["no_service"] else ""
        text += f". For all of England the mean{none} implies "
        text += "{total} (95% interval {from_} to {to}), from {times} {what}"
        parts["total"] = Number(total["value"], facts.total_text(indicator, total["value"]), source.format("total"))
        for name, column in (("from_", "lower_95"), ("to", "upper_95")):
            words_ = facts.total_text(indicator, total[column]).removeprefix("about ")
            parts[name] = Number(total[column], words_, source.format(column))
        parts["times"] = Number(total["times"], f"{total['times']:,.0f}", source.format("times"))
        parts["what"] = total["times_what"]
    return paragraph(f"{text}.", "note", **parts)


def _named_table(facts: Facts, indicator: Indicator, rows: list[Row]) -> Table | None:
    if not rows:
        return None
    interval = any(r["lower_95"] is not None for r in rows)
    gain = any(r["opportunity"] is not None for r in rows)
    unit = facts.unit(indicator)
    many = facts.summary(indicator.code)
    header = ["Organisation", indicator.unit]
    header += ["95% interval"] if interval else []
    header += ["Place from the lowest"]
    header += ["To reach the median"] if gain else []
    out: list[tuple[Cell, ...]] = []
    for row in rows:
        source = f"{indicator.code}.{row['organisation']}"
        if row["status"] != SHOWN:
            out.append((row["organisation_name"], row["reason"], *["-"] * (len(header) - 2)))
            continue
        cells: list[Cell] = [row["organisation_name"], facts.number(indicator, row["value"], f"{source}.value")]
        if interval:
            low, high = row["lower_95"], row["upper_95"]
            cells.append("-" if low is None else f"{unit.text(low)} to {unit.text(high)}")
        n = many["n"] if many else 0
        cells.append("-" if row["place"] is None else f"{row['place']:.0f} of {n}")
        if gain:
            cells.append(opportunity_words(facts, indicator, row["opportunity"]))
        out.append(tuple(cells))
    return Table(
        f"{indicator.title}: figures of those named",
        tuple(header),
        tuple(out),
        widths=(3.0, 1.6, *[1.5] * (len(header) - 2)),
    )


def opportunity_words(facts: Facts, indicator: Indicator, value: float | None) -> str:
    """What would change at the median, in the unit of what is counted."""
    if value is None:
        return "-"
    if value < 0.5:
        return "at or beyond it"
    unit = facts.spec.item[indicator.numerator[0].partition(".")[0]].unit
    sign = "+" if indicator.polarity == "higher better" else "−"
    if unit == "pounds":
        return f"{sign}{Unit('£').text(value)}"
    return f"{sign}{value:,.0f} {unit}"


def _stacked_by_organisation(facts: Facts, reader: Reader, indicator: Indicator) -> list[Block]:
    """Shares of a whole for the organisations near the reader, with England below them."""
    dimension = facts.spec.dimension[indicator.by[0]]
    own = set(own_of(facts, reader, indicator.of))
    near = near_of(facts, reader, indicator, indicator.of) or tuple(sorted(own))

    def shares(code: str) -> tuple[float, ...] | None:
        rows = [facts.row(indicator.code, code, o) for o in dimension.options]
        values = [r["value"] for r in rows if r is not None and r["value"] is not None]
        return tuple(values) if len(values) == len(rows) else None

    rows = []
    named = facts.named(indicator.of, own, near)
    for code in near:
        name = facts.register.bodies[code].name if named(code) else facts.alias(code)
        rows.append((f"► {name}" if code in own else name, shares(code)))
    country = facts.register.of_kind("country", facts.spec.census)[0]
    rows.append(("England", shares(country)))
    parts = tuple(dimension.options.values())
    alt = (
        f"{indicator.title}: one bar of 100% for each of {len(rows) - 1} {WORDS[indicator.of][1]}, and one for England."
    )
    chart = StackedShares(indicator.title, parts, tuple(rows), alt)
    england = facts.england(indicator.code, next(iter(dimension.options)))
    blocks: list[Block] = [Figure(chart)]
    if england is not None:
        blocks.append(_completeness(facts, indicator, england))
    return blocks


def _completeness(facts: Facts, indicator: Indicator, row: Row) -> Text:
    words = WORDS[facts.asked(indicator)][1]
    return paragraph(
        f"England's figures are made of the returns of {{n}} of {{asked}} {words}.",
        "note",
        n=Number(row["organisations"], f"{row['organisations']:,}", f"{indicator.code}.england.organisations"),
        asked=Number(row["asked"], f"{row['asked']:,}", f"{indicator.code}.england.asked"),
    )


def _breakdown(facts: Facts, reader: Reader, indicator: Indicator) -> list[Block]:
    """A display of England: a single figure, the parts of one breakdown, or a table of two."""
    if not indicator.by:
        return _single(facts, reader, indicator)
    if len(indicator.by) == 1:
        return _parts(facts, reader, indicator)
    return _two_ways(facts, indicator)


def _own_body(facts: Facts, reader: Reader, indicator: Indicator) -> tuple[str, str]:
    """Whose figures stand beside England's: the reader's, or those of the one organisation of its area; code and name."""
    kind = facts.asked(indicator)
    row = facts.row(indicator.code, reader.code, _first_part(facts, indicator))
    if row is not None and row["status"] == SHOWN:
        return reader.code, reader.name
    own = own_of(facts, reader, kind)
    return (own[0], facts.register.bodies[own[0]].name) if len(own) == 1 else ("", "")


def _first_part(facts: Facts, indicator: Indicator) -> str:
    options = [next(iter(facts.spec.dimension[d].options)) for d in indicator.by]
    return "/".join(options)


def _single(facts: Facts, reader: Reader, indicator: Indicator) -> list[Block]:
    own, name = _own_body(facts, reader, indicator)
    unit = facts.unit(indicator)
    england = facts.england(indicator.code)
    mine = facts.row(indicator.code, own) if own else None
    value = None if england is None else england["value"]
    row = (indicator.title, value, None if mine is None else mine["value"])
    alt = f"{indicator.title}: England {unit.text(value)}" + (f", {name} {unit.text(row[2])}." if own else ".")
    blocks: list[Block] = [Figure(PartBars(indicator.title, (row,), unit, name, alt))]
    if england is not None:
        blocks.append(_completeness(facts, indicator, england))
    return blocks


def _parts(facts: Facts, reader: Reader, indicator: Indicator) -> list[Block]:
    columns = facts.spec.columns[indicator.code]
    if len(columns) > 1:
        return _several(facts, reader, columns)
    dimension = facts.spec.dimension[indicator.by[0]]
    own, name = _own_body(facts, reader, indicator)
    unit = facts.unit(indicator)
    labels = list(dimension.options.items())
    if not is_whole(indicator) and facts.england(indicator.code, ALL) is not None and indicator.chart == "table":
        labels.append((ALL, "All together"))
    # Of answers yes and no there is no median.
    counted = facts.spec.item[reference(indicator.numerator[0]).item].unit != "category"
    rows: list[tuple[str, float | None, float | None]] = []
    of: list[tuple[Cell, ...]] = []
    for option, label in labels:
        england = facts.england(indicator.code, option)
        mine = facts.row(indicator.code, own, option) if own else None
        rows.append((label, england["value"] if england else None, mine["value"] if mine else None))
        summary = facts.summary(indicator.code, option)
        n = "-" if england is None else f"{england['organisations']} of {england['asked']}"
        median: Cell = "-"
        if summary is not None and summary["median"] is not None:
            median = facts.number(indicator, summary["median"], f"{indicator.code}.median.{option}")
        cells: list[Cell] = [
            label,
            facts.number(indicator, rows[-1][1], f"{indicator.code}.england.{option}"),
            *((median,) if counted else ()),
            n,
        ]
        if own:
            cells.append(
                "-" if mine is None else unit.text(mine["value"]) if mine["value"] is not None else str(mine["status"])
            )
        of.append(tuple(cells))
    alt = f"{indicator.title}: England's figures for {len(rows)} parts" + (
        f", with those of {name} beside them." if own else "."
    )
    asked = WORDS[facts.asked(indicator)]
    middle = (f"Median of {asked[1]}",) if counted else ()
    header = (dimension.title, "England", *middle, "Made of", *((name,) if own else ()))
    widths = (2.4, 1.4, *((1.4,) if counted else ()), 1.2, *((1.8,) if own else ()))
    table = Table(f"{indicator.title} ({indicator.unit})", header, tuple(of), widths=widths)
    if indicator.chart == "table":
        return [paragraph(f"Unit: {indicator.unit}.", "note"), table]
    chart = Figure(PartBars(indicator.title, tuple(rows), unit, name, alt))
    first = facts.england(indicator.code, labels[0][0])
    # A long chart has every figure beside its bars, and fills a sheet by itself.
    return [chart, table] if len(rows) <= 13 or first is None else [chart, _completeness(facts, indicator, first)]


def _several(facts: Facts, reader: Reader, columns: tuple[Indicator, ...]) -> list[Block]:
    """A table of several figures of England for each part, and the same of the reader's own where there is one."""
    first = columns[0]
    dimension = facts.spec.dimension[first.by[0]]
    own, name = _own_body(facts, reader, first)
    blocks: list[Block] = []
    for title, code in ((f"{first.title}: England", ""), *(((f"{first.title}: {name}", own),) if own else ())):
        rows: list[tuple[Cell, ...]] = []
        without = []
        for option, label in (*dimension.options.items(), (ALL, "All together")):
            found = [facts.row(c.code, code, option) if code else facts.england(c.code, option) for c in columns]
            if all(row is None or row["status"] == NO_SERVICE for row in found):
                # A sum that has no meaning has no row either.
                without += [label] if option != ALL else []
                continue
            cells = [_state(facts, c, r, code or "england") for c, r in zip(columns, found, strict=True)]
            made = found[0]
            cells += [] if code else ["-" if made is None else f"{made['organisations']} of {made['asked']}"]
            rows.append((label, *cells))
        head = (f"{name if code else 'England'}: {dimension.title.lower()}", *(c.heading for c in columns))
        head += () if code else ("Made of",)
        blocks.append(Table(title, head, tuple(rows), widths=(2.4, *[1.4] * (len(head) - 1))))
        if without:
            blocks.append(paragraph(f"No such service: {', '.join(without)}.", "note"))
    return blocks


def _state(facts: Facts, indicator: Indicator, row: Row | None, whose: str) -> Cell:
    """A figure, or the state in its place."""
    if row is None or row["value"] is None:
        return "-" if row is None else str(row["status"])
    return facts.number(indicator, row["value"], f"{indicator.code}.{whose}.{row['part']}")


def _two_ways(facts: Facts, indicator: Indicator) -> list[Block]:
    """England's figures by two breakdowns: stacked shares, a heat table, or a table of figures."""
    down, across = (facts.spec.dimension[d] for d in indicator.by)
    columns = list(across.options.items())
    if facts.england(indicator.code, f"{next(iter(down.options))}/{ALL}") is not None:
        columns = [(ALL, "All"), *columns]

    def value(row: str, column: str) -> float | None:
        found = facts.england(indicator.code, f"{row}/{column}")
        return None if found is None else found["value"]

    unit = facts.unit(indicator)
    sample = facts.england(indicator.code, f"{next(iter(down.options))}/{columns[0][0]}")
    note = [] if sample is None else [_completeness(facts, indicator, sample)]
    about = f"{indicator.title}: {len(down.options)} parts for {len(columns)} columns, of all of England."
    if indicator.chart == "stacked shares":
        rows = []
        for code, label in columns:
            values = [value(o, code) for o in down.options]
            rows.append((label, tuple(v for v in values if v is not None) if None not in values else None))
        return [
            Figure(StackedShares(indicator.title, tuple(down.options.values()), tuple(rows), about, indicator.code)),
            *note,
        ]
    grid = tuple((label, tuple(value(o, c) for c, _ in columns)) for o, label in down.options.items())
    if indicator.chart == "heat table" or unit.name.startswith("%"):
        return [Figure(HeatTable(indicator.title, tuple(t for _, t in columns), grid, about, indicator.code)), *note]
    body = tuple((label, *(unit.text(v) for v in values)) for label, values in grid)
    return [Table(indicator.title, (down.title, *(t for _, t in columns)), body), *note]


def _series(facts: Facts, indicator: Indicator) -> list[Block]:
    options = list(facts.spec.dimension[indicator.by[0]].options.items()) if indicator.by else [("", "")]
    years = tuple(_year(facts, indicator, y) for y in indicator.years)
    lines = []
    for option, label in options:
        rows = [facts.series(indicator.code, option, y) for y in indicator.years]
        values = tuple(None if r is None else r["value"] for r in rows)
        if any(values):
            lines.append((label, values))
    unit = facts.unit(indicator)
    if not lines:
        return [paragraph("No earlier figures were given for this display.", "note")]
    breaks = tuple(indicator.years.index(y) for y in indicator.breaks)
    first, last = (unit.text(lines[0][1][i]) for i in (0, -1))
    begin = f"{lines[0][0]}: " if lines[0][0] else ""
    alt = f"{indicator.title}, {years[0]} to {years[-1]}. {begin}{first} at first, {last} at last."
    chart = SeriesLines(indicator.title, years, tuple(lines), breaks, unit, alt, indicator.code)
    header, body = chart.table()
    table = Table(indicator.title, ("Year", *(h or indicator.unit for h in header[1:])), body)
    return [
        Figure(chart),
        table,
        paragraph("Figures of all of England, from earlier collections and national returns.", "note"),
    ]


def _year(facts: Facts, indicator: Indicator, year: int) -> str:
    """A year as it is printed: the day of a census by its year alone, a financial year by both."""
    items = [facts.spec.item[n.partition(".")[0]] for n in indicator.numerator]
    census = any(i.basis == "census" for i in items)
    return str(year) if census else f"{year}/{(year + 1) % 100:02d}"

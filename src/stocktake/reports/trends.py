"""Pages of trends as reports: one for each indicator and each question, with every figure referring to a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stocktake.reports.figure_charts import Ends, FigureChart, PartBars, SeriesLines, Unit, floor_of
from stocktake.reports.model import (
    WITHHELD,
    Aside,
    Block,
    Bullets,
    Cell,
    Figure,
    Heading,
    KeepTogether,
    Link,
    Number,
    Page,
    Report,
    Table,
    Text,
    paragraph,
)
from stocktake.reports.words import listed, per_cent, plural, rounded
from stocktake.rounding import as_shown
from stocktake.trends.definition import Indicator, IndicatorLine, Standard
from stocktake.trends.facts import Facts, Row, percent_text
from stocktake.trends.sentences import Reference, pieces

UNIT = Unit("% of people", 1)
# With fewer years than this nothing finer than a steady rise or fall can be told from chance.
FEW_YEARS = 7


@dataclass(frozen=True)
class TrendPage:
    """One page: its report, the chart that stands first, and what lists say of it."""

    code: str
    report: Report
    chart: SeriesLines | None
    summary: str
    section: str
    declared: bool


def number(value: float | int, text: str, source: str) -> Number:
    return Number(value, text, source)


def share_number(row: Row, column: str = "percent") -> Cell:
    """A percentage of a row of `shares`, to the precision of its kind; a marker where it is withheld."""
    value = row[column]
    if value is None:
        return WITHHELD if row["status"] == "withheld" else "-"
    whole = row["breakdown"] != "all"
    text = per_cent(value) if whole else percent_text(value)
    return Number(
        value, text, f"shares/{row['series']}/{row['line']}/{row['year']}/{row['breakdown']}/{row['group']}/{column}"
    )


def indicator_page(facts: Facts, indicator: Indicator) -> TrendPage:
    """The page of an indicator: its sentences, chart, changes, groups, standards and what to know of the data."""
    texts = [_sentence(facts, indicator, i) for i in range(len(indicator.sentences))]
    printed = [t for t in texts if t is not None]
    summary = "".join(p if isinstance(p, str) else p.text for p in printed[0].parts) if printed else ""
    return _page(
        facts, indicator.code, indicator.title, indicator.lines, printed, indicator.why, summary, declared=True
    )


def series_page(facts: Facts, series: str) -> TrendPage:
    """The page of a question, its sentences made from its figures."""
    rows = facts.points[series]
    last = rows[facts.years(series)[-1]]
    lines = series_lines(facts, series)
    printed = _generated(facts, series, lines)
    summary = "".join(p if isinstance(p, str) else p.text for p in printed[0].parts) if printed else ""
    return _page(facts, series, last["title"], lines, printed, "", summary, declared=bool(last["declared"]))


def series_lines(facts: Facts, series: str) -> tuple[IndicatorLine, ...]:
    """Every line of a series, those of the latest year first."""
    labels: dict[str, tuple[int, str]] = {}
    for (code, line), years in facts.everybody.items():
        if code == series:
            labels[line] = (-max(years), next(iter(years.values()))["label"])
    order = sorted(labels, key=lambda k: labels[k][0])
    return tuple(IndicatorLine(name=f"l{i}", series=series, line=k, label=labels[k][1]) for i, k in enumerate(order))


def _page(
    facts: Facts,
    code: str,
    title: str,
    lines: Sequence[IndicatorLine],
    printed: Sequence[Text],
    why: str,
    summary: str,
    *,
    declared: bool,
) -> TrendPage:
    settings = facts.settings
    chart = chart_of(facts, title, lines)
    head: list[Block] = []
    if printed:
        head.append(Text(printed[0].parts, "lead"))
    if chart is not None:
        head.append(Figure(chart, title))
        head.append(paragraph(_reading(chart), "note"))
    if printed[1:]:
        head.append(Bullets(tuple(printed[1:])))
    head += _break_notes(facts, lines)
    if why:
        head += [Heading("Why this matters"), paragraph(why)]
    pages = [Page("trend", title, tuple(head), "top")]
    changes = _changes(facts, lines)
    if changes:
        pages.append(Page("trend-change", "How it changed", tuple(changes), "change", new_sheet=False))
    pages.append(Page("trend-years", "Year by year", tuple(_years(facts, lines)), "years", new_sheet=False))
    pages += _group_pages(facts, lines)
    standards = [s for s in settings.standards if s.series in {line.series for line in lines}]
    if standards:
        blocks = [b for s in standards for b in standard_blocks(facts, s)]
        pages.append(Page("trend-standard", "Compared with a standard", tuple(blocks), "standard", new_sheet=False))
    pages.append(
        Page("trend-about", "About this page", tuple(_about(facts, code, title, lines)), "about", new_sheet=False)
    )
    report = Report(
        settings.title,
        settings.programme,
        title,
        code,
        updated_words(facts),
        tuple(pages),
        "",
        notice=settings.notice,
        keywords=("trend", settings.programme),
    )
    last = facts.points[lines[0].series][facts.years(lines[0].series)[-1]]
    return TrendPage(code, report, chart, summary, last["section"], declared)


def updated_words(facts: Facts) -> str:
    """When the figures were last updated, and when they will be."""
    settings = facts.settings
    after = f" Next update: {settings.next_update}." if settings.next_update else ""
    return f"Last updated: {settings.updated.day} {settings.updated:%B %Y}.{after}"


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


def _reading(chart: SeriesLines) -> str:
    words = (
        "The bars through each mark are 95% intervals: the range in which the figure of everybody would plausibly lie."
    )
    if chart.breaks:
        words += " A dotted line marks a year that does not compare with the years before it."
    return words


def _break_notes(facts: Facts, lines: Sequence[IndicatorLine]) -> list[Block]:
    """Why years do not compare, and what readers of a year must know; each said once."""
    items: dict[str, None] = {}
    for line in lines:
        for year, row in sorted(facts.points[line.series].items()):
            if row["break_reason"]:
                items[f"{year}: not comparable with the years before. {row['break_reason']}"] = None
            if row["note"]:
                items[f"{year}: {row['note']}"] = None
    if not items:
        return []
    return [Aside((paragraph("Before you compare years:"), Bullets(tuple(paragraph(words) for words in items))))]


def _sentence(facts: Facts, indicator: Indicator, position: int) -> Text | None:
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


def _generated(facts: Facts, series: str, lines: Sequence[IndicatorLine]) -> list[Text]:
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


def _changes(facts: Facts, lines: Sequence[IndicatorLine]) -> list[Block]:
    """Changes over each stretch of years that compare: from first to last, since the year before, and the trend."""
    rows: list[tuple[Cell, ...]] = []
    courses: list[tuple[Cell, ...]] = []
    fewest = 99
    for line in lines:
        for segment in _stretches(facts, line.series):
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


def _stretches(facts: Facts, series: str) -> list[list[int]]:
    out: dict[int, list[int]] = {}
    for year in facts.years(series):
        out.setdefault(facts.points[series][year]["segment"], []).append(year)
    return list(out.values())


def _change_cells(row: Row) -> tuple[Cell, ...]:
    place = f"share_changes/{row['series']}/{row['line']}/{row['year_then']}/{row['year_now']}/"
    return (
        number(row["then"], percent_text(row["then"]), place + "then"),
        number(row["now"], percent_text(row["now"]), place + "now"),
        number(row["points"], signed(row["points"], 1), place + "points"),
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
        number(row["points_a_year"], signed(row["points_a_year"], 2), place),
        f"{signed(row['lower_95'], 2)} to {signed(row['upper_95'], 2)}",
        words,
    )


def signed(value: float, places: int) -> str:
    """A difference with its sign."""
    text = rounded(value, places)
    return text if value <= 0 or not float(text) else f"+{text}"


def _years(facts: Facts, lines: Sequence[IndicatorLine]) -> list[Block]:
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


def _group_pages(facts: Facts, lines: Sequence[IndicatorLine]) -> list[Page]:
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
    lines = series_lines(facts, standard.series)
    return next(x for x in lines if x.line == standard.answer or " ".join(x.label.casefold().split()) == wanted)


def _about(facts: Facts, code: str, title: str, lines: Sequence[IndicatorLine]) -> list[Block]:
    settings = facts.settings
    weighted = [
        r["weighted_for_response"] for line in lines for r in facts.everybody.get((line.series, line.line), {}).values()
    ]
    out: list[Block] = [*(paragraph(p) for p in settings.about)]
    if all(weighted):
        out.append(
            paragraph(
                "Percentages are weighted twice: to the age and sex of those who were invited, within each organisation, and so "
                "that each organisation counts for the same. The page on the method says how."
            )
        )
    else:
        out.append(
            paragraph(
                "In some years the age and sex of those who were invited are not known; their percentages are weighted by "
                "organisation alone."
            )
        )
    wording: dict[str, None] = {}
    for series in dict.fromkeys(line.series for line in lines):
        for year, row in sorted(facts.points[series].items()):
            wording.setdefault(f"{row['text']} ({row['question']}, {row['survey']})", None)
            del year
    out += [Heading("What was asked"), Bullets(tuple(paragraph(w) for w in wording))]
    out += [Heading("When it changes"), paragraph(updated_words(facts))]
    own = [c for c in settings.corrections if c.indicator in ("", code)]
    if own:
        out.append(Bullets(tuple(paragraph(f"{c.date.day} {c.date:%B %Y}: {c.text}") for c in own)))
    else:
        out.append(paragraph("There have been no corrections."))
    out += [Heading("How to cite this page"), paragraph(citation(facts, code, title))]
    return out


def citation(facts: Facts, code: str, title: str) -> str:
    """How a page is cited."""
    settings = facts.settings
    where = f" {settings.address.rstrip('/')}/pages/{code}.html." if settings.address else ""
    dot = "" if title.endswith(("?", ".", "!")) else "."
    return f"{settings.publisher} ({settings.updated.year}). {title}{dot} {settings.title}. Updated {settings.updated.day} {settings.updated:%B %Y}.{where}"


def method_report(facts: Facts, notes: Sequence[Mapping[str, Any]]) -> Report:
    """How the figures were worked out, and what was inferred."""
    settings = facts.settings
    rules = settings.disclosure
    influence = {
        "survey": "every organisation has the same influence among all who answered the survey",
        "question": "every organisation has the same influence among those who answered the question",
        "none": "every organisation has the influence of its number of people",
    }[settings.influence]
    weights: tuple[Block, ...] = (
        paragraph(
            "A percentage is that of people who gave an answer that is counted; those who did not know, or for whom the "
            "question was not meant, are left out and their number is given."
        ),
        paragraph(
            "Each person has a weight of two factors. The first gives those who answered in an organisation the mix of age and "
            f"sex of those who were invited there: v = (share of the group among those invited) / (share among those who answered). By the second {influence}: "
            "u = (N / I) / (sum of v in the organisation), for N people of I organisations."
        ),
        paragraph(
            "That there are these two factors is published of such pages; the formulas are inferred. Where nobody of a group of age "
            "and sex answered, its share of those invited is counted with the nearest group that answered.",
            "note",
        ),
        *([Bullets(tuple(paragraph(_note(n)) for n in notes))] if notes else []),
    )
    tests: tuple[Block, ...] = (
        paragraph(
            "Intervals are Wilson's at 95%, on Kish's effective base: the square of the sum of weights over the sum of their squares."
        ),
        paragraph(
            "Change is in percentage points, of the percentages as printed, with Newcombe's interval (his method 10); a rise or "
            "fall is one whose z, with the share of both years together, lies beyond 1.96. Over three or more years that compare, the "
            "course is the test of Cochran and Armitage for a straight line, with the chi-squared of what departs from it."
        ),
        paragraph(
            "Differences between groups compare a group with everybody else whose group is known, both weighted to the same mix of "
            "age and sex (of sex alone between ages, of age alone between sexes). Their p-values are adjusted among all groups of a "
            "question (Benjamini and Hochberg)."
        ),
    )
    breaks = tuple(paragraph(f"{b.year}: {b.reason}") for b in settings.breaks)
    compare: tuple[Block, ...] = (
        paragraph(
            "Years compare where the questionnaire of the later one says so. No figure, test or sentence goes across a year that "
            "does not compare with those before; lines in charts stop there."
        ),
        *([Bullets(breaks)] if breaks else []),
    )
    small: tuple[Block, ...] = (
        paragraph(
            f"Groups of fewer than {rules.minimum_base} people, and answers that fewer than {rules.minimum_count} people of a group gave, are "
            "withheld, with as many others as are needed so that none of them can be worked out. Percentages of groups are whole, their "
            f"numbers of people are multiples of {rules.group_rounding}."
        ),
    )
    sentences: tuple[Block, ...] = (
        paragraph(
            "Every figure in a sentence is taken from the tables when the page is made. A sentence that says that something rose, fell "
            "or was highest is printed only while the figures say so."
        ),
    )
    pages = (
        Page("trend-method", "About this data", tuple(paragraph(p) for p in settings.about), "data"),
        Page("trend-method", "Weights", weights, "weights"),
        Page("trend-method", "Intervals and tests", tests, "tests"),
        Page("trend-method", "Which years compare", compare, "compare"),
        Page("trend-method", "Small numbers", small, "small"),
        Page("trend-method", "Sentences", sentences, "sentences"),
    )
    return Report(
        settings.title, settings.programme, "Method", "method", updated_words(facts), pages, "", notice=settings.notice
    )


def _note(row: Mapping[str, Any]) -> str:
    where = f", {row['organisation']}" if row["organisation"] else ""
    return f"{row['year']}{where}: {row['note']}"

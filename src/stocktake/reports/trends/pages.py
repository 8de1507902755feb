"""Pages of indicators and questions, put together from their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stocktake.reports.figure_charts import SeriesLines
from stocktake.reports.model import Aside, Block, Bullets, Figure, Heading, Page, Report, Text, paragraph
from stocktake.reports.trends.changes import change_blocks, year_blocks
from stocktake.reports.trends.charts import chart_of, reading_of
from stocktake.reports.trends.groups import group_pages
from stocktake.reports.trends.sentences import course_of, declared_sentence, generated_sentences
from stocktake.reports.trends.standards import standard_blocks
from stocktake.trends.definition import Indicator, IndicatorLine
from stocktake.trends.facts import Facts


@dataclass(frozen=True)
class TrendPage:
    """One page: its report, the chart that stands first, and what lists say of it: a sentence, the latest figure, and
    how that differs from the first year that compares."""

    code: str
    report: Report
    chart: SeriesLines | None
    summary: str
    section: str
    declared: bool
    latest: str = ""
    course: str = ""


def indicator_page(facts: Facts, indicator: Indicator) -> TrendPage:
    """The page of an indicator: its sentences, chart, changes, groups, standards and what to know of the data."""
    texts = [declared_sentence(facts, indicator, i) for i in range(len(indicator.sentences))]
    printed = [t for t in texts if t is not None]
    summary = "".join(p if isinstance(p, str) else p.text for p in printed[0].parts) if printed else ""
    return _page(
        facts, indicator.code, indicator.title, indicator.lines, printed, indicator.why, summary, declared=True
    )


def series_page(facts: Facts, series: str) -> TrendPage:
    """The page of a question, its sentences made from its figures."""
    rows = facts.points[series]
    last = rows[facts.years(series)[-1]]
    lines = facts.lines(series)
    printed = generated_sentences(facts, series, lines)
    summary = "".join(p if isinstance(p, str) else p.text for p in printed[0].parts) if printed else ""
    return _page(facts, series, last["title"], lines, printed, "", summary, declared=bool(last["declared"]))


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
        head.append(paragraph(reading_of(chart), "note"))
    if printed[1:]:
        head.append(Bullets(tuple(printed[1:])))
    head += _break_notes(facts, lines)
    if why:
        head += [Heading("Why this matters"), paragraph(why)]
    pages = [Page("trend", title, tuple(head), "top")]
    changes = change_blocks(facts, lines)
    if changes:
        pages.append(Page("trend-change", "How it changed", tuple(changes), "change", new_sheet=False))
    pages.append(Page("trend-years", "Year by year", tuple(year_blocks(facts, lines)), "years", new_sheet=False))
    pages += group_pages(facts, lines)
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
        keywords=tuple(w for w in ("trend", settings.programme) if w),
    )
    last = facts.points[lines[0].series][facts.years(lines[0].series)[-1]]
    return TrendPage(code, report, chart, summary, last["section"], declared, *course_of(facts, lines))


def updated_words(facts: Facts) -> str:
    """When the figures were last updated, and when they will be."""
    settings = facts.settings
    after = f" Next update: {settings.next_update}." if settings.next_update else ""
    return f"Last updated: {settings.updated.day} {settings.updated:%B %Y}.{after}"


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
        for _, row in sorted(facts.points[series].items()):
            wording[f"{row['text']} ({row['question']}, {row['survey']})"] = None
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

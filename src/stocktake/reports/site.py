"""What the web pages say beyond the reports: the list of organisations, and a page for each measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stocktake.compare.expected_range import CUTS
from stocktake.reports.charts import TRIANGLES, Funnel, Point, outside, side
from stocktake.reports.facts import OrganisationResults, band_word
from stocktake.reports.figure_charts import SeriesLines, Unit, floor_of
from stocktake.reports.group_results import GroupResults, Row
from stocktake.reports.measure_charts import Dot, RankedDots
from stocktake.reports.regions import Places, RegionRow, regions_of
from stocktake.reports.summary_charts import interval_text
from stocktake.reports.words import listed, per_cent, plural, rounded
from stocktake.survey.instrument import Survey


@dataclass(frozen=True)
class Listed:
    """One cell of a list that can be sorted: what is shown, and by what it sorts."""

    text: str
    sort: float | str | None = None


@dataclass(frozen=True)
class Line:
    """One organisation of a list, with what lists are filtered by."""

    code: str
    name: str
    kind: str
    region: str
    cells: tuple[Listed, ...]


@dataclass(frozen=True)
class Listing:
    """A list of organisations: the headings after the name, each with whether it holds figures, and the lines."""

    title: str
    header: tuple[tuple[str, bool], ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class MeasurePage:
    """All organisations on one question or section."""

    code: str
    title: str
    about: str
    summary: str
    outside: tuple[str, ...]
    ranked: RankedDots | None
    funnel: Funnel | None
    course: SeriesLines | None
    regions: tuple[RegionRow, ...]
    listing: Listing


def bare_codes(survey: Survey) -> str:
    """What to say where questions have codes and no wording; empty where they have."""
    if any(q.text for q in survey.scored):
        return ""
    return "The published figures carry codes of questions, not their wording; the survey's own questionnaire has it."


def _number(value: float | None, places: int = 1) -> Listed:
    return Listed("-") if value is None else Listed(rounded(value, places), value)


def _count(value: int | None) -> Listed:
    return Listed("-") if value is None else Listed(f"{value:,}", value)


def overview(field: GroupResults, organisations: Mapping[str, str], places: Places) -> Listing:
    """Every organisation with who answered and how many questions lie outside the range."""
    lines = []
    for code, name in organisations.items():
        facts = OrganisationResults(field, code)
        work = facts.work() or {}
        rate = work.get("response_rate")
        bands = {b: len(q) for b, q in facts.by_band.items()}
        cells = (
            _count(work.get("completed")),
            Listed("-") if rate is None else Listed(per_cent(100 * rate), rate),
            _count(sum(bands[b] for b in (5, 6, 7))),
            _count(sum(bands[b] for b in (1, 2, 3))),
            _count(len(facts.unbanded)),
        )
        lines.append(Line(code, name, *places.get(code, ("", "")), cells))
    header = (
        ("Answered", True),
        ("Response rate", True),
        ("Above range", True),
        ("Below range", True),
        ("No band", True),
    )
    return Listing(f"All {field.survey.organisation_word}s", header, tuple(lines))


def title_of(survey: Survey, measure: str) -> str:
    """A question's wording, or a section's number and title."""
    section = next((s for s in survey.sections if s.code == measure), None)
    if section is None:
        return survey.label(measure)
    return f"Section {section.number}. {section.title}" if section.title else f"Section {section.number}"


def measure_page(field: GroupResults, measure: str, organisations: Mapping[str, str], places: Places) -> MeasurePage:
    """One question or section: its sentence, charts and list."""
    survey = field.survey
    word = survey.organisation_word
    row = field.measures[survey.year, measure]
    rows = field.of_measure(measure)
    question = survey.by_code.get(measure)
    about = "" if question is None else " ".join(p for p in (question.base, question.excluded) if p)
    if question is None:
        about = "The plain average of: " + ", ".join(q.code for q in survey.members(measure)) + "."
    ranked = ranked_dots(field, measure, organisations, rows)
    summary = f"No {word} has a score that can be shown."
    chart = None
    if ranked is not None:
        summary = f"{len(ranked.dots)} {word}s have a score."
        if row["centre"] is not None:
            summary = (
                f"{len(ranked.dots)} {word}s have a score that can be shown, from {rounded(row['lowest'])} to {rounded(row['highest'])}; the national "
                f"average is {rounded(row['centre'])}."
            )
        chart = _funnel(measure, row, rows, organisations, survey.bands, word)
    return MeasurePage(
        measure,
        title_of(survey, measure),
        about,
        summary,
        _outside(rows, organisations, word),
        ranked,
        chart,
        _course(field, measure),
        regions_of(rows, places),
        _listing(field, measure, rows, organisations, places),
    )


# So many organisations are named in a sentence; more are counted.
MOST_NAMED = 6


def _outside(rows: Mapping[str, Row], organisations: Mapping[str, str], word: str) -> tuple[str, ...]:
    """Who lies outside the expected range, the furthest first, and how many have no score to show."""
    out = []
    for way, title in ((-1, "Below"), (1, "Above")):
        found = [r for r in rows.values() if side(r["band"]) == way]
        found.sort(key=lambda r: (-abs(r["band"] - 4), -abs(r["z"] or 0.0)))
        names = [f"{organisations[r['organisation']]} ({rounded(r['score'])})" for r in found[:MOST_NAMED]]
        if len(found) > MOST_NAMED:
            names.append(f"{len(found) - MOST_NAMED} more")
        if names:
            out.append(f"{title} the expected range: {listed(names)}.")
    hidden = sum(r["score"] is None for r in rows.values())
    if hidden:
        out.append(f"{hidden} {plural(hidden, word)} {plural(hidden, 'has', 'have')} no score that can be shown.")
    return tuple(out)


def ranked_dots(
    field: GroupResults, measure: str, organisations: Mapping[str, str], rows: Mapping[str, Row] | None = None
) -> RankedDots | None:
    """The drawing of one measure that all pages share; None where no score can be shown."""
    survey = field.survey
    word = survey.organisation_word
    rows = field.of_measure(measure) if rows is None else rows
    shown = sorted((r["score"], code) for code, r in rows.items() if r["score"] is not None)
    if not shown:
        return None
    dots = tuple(
        Dot(c, organisations.get(c, c), v, rows[c]["lower_95"], rows[c]["upper_95"], rows[c]["band"]) for v, c in shown
    )
    centre = field.measures[survey.year, measure]["centre"]
    above, below = outside(d.band for d in dots)
    average = "" if centre is None else f", average {rounded(centre)}"
    alt = (
        f"{measure}: marks of {len(dots)} {word}s in order from {rounded(shown[0][0])} to {rounded(shown[-1][0])}{average}. "
        f"{above} lie above the expected range and {below} below it."
    )
    return RankedDots(f"{measure}: {title_of(survey, measure)}", dots, centre, survey.bands, alt, word)


def _course(field: GroupResults, measure: str) -> SeriesLines | None:
    """The national average over the years, where there is more than one."""
    years = sorted(y for y, m in field.measures if m == measure)
    values = [field.measures[y, measure]["centre"] for y in years]
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return None
    points = ", ".join(f"{y} {'none' if v is None else rounded(v)}" for y, v in zip(years, values, strict=True))
    return SeriesLines(
        f"{measure}: national average by year",
        tuple(map(str, years)),
        (("National average", tuple(values)),),
        (),
        Unit("score", 1),
        f"Line of the national average by year: {points}.",
        floor=floor_of(min(known), max(known)),
    )


def _funnel(
    measure: str, row: Row, rows: Mapping[str, Row], organisations: Mapping[str, str], bands: tuple[str, ...], word: str
) -> Funnel | None:
    points = tuple(
        Point(code, organisations[code], r["spread"], r["score"], r["band"])
        for code, r in rows.items()
        if r["band"] is not None
    )
    if not points:
        return None
    better, worse = outside(p.band for p in points)
    alt = (
        f"{measure}: funnel of {len(points)} {word}s' scores against how sure each is. {better} lie above the limits of the expected range and "
        f"{worse} below."
    )
    return Funnel(f"{measure}, funnel", points, row["centre"], CUTS, alt, bands)


def _listing(
    field: GroupResults, measure: str, rows: Mapping[str, Row], organisations: Mapping[str, str], places: Places
) -> Listing:
    survey = field.survey
    intervals = any(r["lower_95"] is not None for r in rows.values())
    firmness = field.firmness_of(measure)
    chances = False
    lines = []
    for code, name in organisations.items():
        row, firm = rows[code], firmness.get(code, {})
        outside = firm.get("p_outside")
        chances = chances or outside is not None
        cells = [
            _number(row["score"]),
            Listed(f"{TRIANGLES.get(row['band'], '')} {band_word(survey, row)}".strip(), row["band"]),
            _count(row["n"]),
        ]
        if intervals:
            cells.append(Listed(interval_text(row["lower_95"], row["upper_95"])))
        low, high = row["limit_somewhat_worse"], row["limit_somewhat_better"]
        cells += [
            Listed("-" if low is None else f"{rounded(low)} to {rounded(high)}"),
            Listed(_number(row["z"]).text),
        ]
        cells.append(Listed("-") if outside is None else Listed(per_cent(100 * outside), outside))
        lines.append(Line(code, name, *places.get(code, ("", "")), tuple(cells)))
    header = [("Score", True), ("Band", False), ("Respondents", True)]
    if intervals:
        header.append(("95% interval", True))
    header += [("Expected range", True), ("z", True)]
    if chances:
        header.append(("Outside if drawn anew", True))
    else:
        lines = [Line(x.code, x.name, x.kind, x.region, x.cells[:-1]) for x in lines]
    return Listing(f"{measure}: all {survey.organisation_word}s", tuple(header), tuple(lines))

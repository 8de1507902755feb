"""What the web pages say beyond the reports: lists of organisations, a page for each measure, and what is most unusual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stocktake.compare.expected_range import CUTS
from stocktake.reports.charts import TRIANGLES, Bar, Funnel, Point, RankedBars
from stocktake.reports.facts import GroupResults, OrganisationResults, Row, band_word
from stocktake.reports.model import Table
from stocktake.reports.words import per_cent, rounded
from stocktake.survey.instrument import Survey

MOST = 10


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
    ranked: RankedBars | None
    funnel: Funnel | None
    listing: Listing


def bare_codes(survey: Survey) -> str:
    """What to say where questions have codes and no wording; empty where they have."""
    if any(q.text for q in survey.scored):
        return ""
    return "The published figures carry codes of questions, not their wording; the survey's own questionnaire has it."


Places = Mapping[str, tuple[str, str]]


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


def measure_page(field: GroupResults, measure: str, organisations: Mapping[str, str], places: Places) -> MeasurePage:
    """One question or section: its sentence, charts and list."""
    survey = field.survey
    word = survey.organisation_word
    row = field.measures[survey.year, measure]
    rows = {code: OrganisationResults(field, code).row(measure) for code in organisations}
    ranked = field.ranked.get(measure, [])
    section = next((s for s in survey.sections if s.code == measure), None)
    question = survey.by_code.get(measure)
    title = survey.label(measure)
    if section:
        title = f"Section {section.number}. {section.title}" if section.title else f"Section {section.number}"
    about = "" if question is None else " ".join(p for p in (question.base, question.excluded) if p)
    if section is not None:
        about = "The plain average of: " + ", ".join(q.code for q in survey.members(measure)) + "."
    summary = f"No {word} has a score that can be shown."
    bars = chart = None
    if ranked:
        summary = (
            f"{len(ranked)} {word}s have a score that can be shown, from {rounded(row['lowest'])} to {rounded(row['highest'])}; the national average is "
            f"{rounded(row['centre'])}." if row["centre"] is not None else f"{len(ranked)} {word}s have a score."
        )  # fmt: skip
        alt = f"{measure}: bars of {len(ranked)} {word}s from {rounded(ranked[0][1])} to {rounded(ranked[-1][1])}."
        named = tuple(Bar(organisations.get(c, c), s, b, False, c) for c, s, b in ranked)
        bars = RankedBars(f"{measure}, from the lowest score to the highest", named, row["centre"], alt, survey.bands)
        chart = _funnel(measure, row, rows, organisations, survey.bands, word)
    return MeasurePage(
        measure, title, about, summary, bars, chart, _listing(field, measure, rows, organisations, places)
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
    better = sum(p.band > 4 for p in points)
    worse = sum(p.band < 4 for p in points)
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
    chances = False
    lines = []
    for code, name in organisations.items():
        row, firm = rows[code], OrganisationResults(field, code).firmness.get(measure, {})
        outside = firm.get("p_outside")
        chances = chances or outside is not None
        cells = [_count(row["n"]), _number(row["score"])]
        if intervals:
            interval = "-" if row["lower_95"] is None else f"{rounded(row['lower_95'])} to {rounded(row['upper_95'])}"
            cells.append(Listed(interval, row["lower_95"]))
        low, high = row["limit_somewhat_worse"], row["limit_somewhat_better"]
        cells += [
            Listed(f"{TRIANGLES.get(row['band'], '')} {band_word(survey, row)}".strip(), row["band"]),
            Listed("-" if low is None else f"{rounded(low)} to {rounded(high)}", low),
            _number(row["z"]),
        ]
        cells.append(Listed("-") if outside is None else Listed(per_cent(100 * outside), outside))
        lines.append(Line(code, name, *places.get(code, ("", "")), tuple(cells)))
    header = [("Respondents", True), ("Score", True)]
    if intervals:
        header.append(("95% interval", True))
    header += [("Band", False), ("Expected range", True), ("z", True)]
    if chances:
        header.append(("Chance of lying outside", True))
    else:
        lines = [Line(x.code, x.name, x.kind, x.region, x.cells[:-1]) for x in lines]
    return Listing(f"{measure}: all {survey.organisation_word}s", tuple(header), tuple(lines))


def unusual(facts: OrganisationResults) -> Table | None:
    """The questions on which an organisation is furthest from the average in units of S, with the direction."""
    banded = [q for q in facts.questions if facts.row(q)["z"] is not None]
    if not banded:
        return None
    chosen = sorted(banded, key=lambda q: -abs(facts.row(q)["z"]))[:MOST]
    firm = any(facts.firmness.get(q, {}).get("p_outside") is not None for q in chosen)
    header = ["Question", "Direction", "Score", "Average", "z", "Band"]
    if firm:
        header += ["Chance of lying outside", "People for the next better band"]
    rows = []
    for q in chosen:
        row = facts.row(q)
        cells = [
            facts.named(q),
            "▲ above the average" if row["z"] > 0 else "▼ below the average",
            facts.number(row, "score"),
            facts.number(row, "national_average"),
            facts.number(row, "z"),
            band_word(facts.survey, row),
        ]
        if firm:
            cells += [
                facts.percent(facts.firmness[q], "p_outside", "firmness", share=True),
                facts.number(facts.firmness[q], "steps_to_better", "firmness"),
            ]
        rows.append(tuple(cells))
    return Table("Most unusual results", tuple(header), tuple(rows))


Compared = tuple[str, str, str]


def firm_table(facts: OrganisationResults) -> Table | None:
    """How firm every band is: what the printed report only summarises."""
    rows = []
    for q in (*facts.questions, *(s.code for s in facts.survey.sections)):
        row = facts.firmness.get(q)
        if row is None or row["band"] is None:
            continue
        survives = "-" if row["survives"] is None else "yes" if row["survives"] else "no"
        rows.append(
            (
                facts.named(q) if q in facts.survey.by_code else facts.section_title(q),
                band_word(facts.survey, facts.row(q)),
                facts.number(row, "to_better", "firmness"),
                facts.number(row, "to_worse", "firmness"),
                facts.percent(row, "p_band", "firmness", share=True),
                facts.percent(row, "p_outside", "firmness", share=True),
                survives,
                facts.number(row, "steps_to_better", "firmness"),
            )
        )
    header = (
        "Question or section",
        "Band",
        "Points to the next better band",
        "Points to the next worse band",
        "Chance of its own band",
        "Chance of lying outside",
        f"Same band without any one {facts.survey.organisation_word}",
        "People for the next better band",
    )
    if not rows:
        return None
    # What the source says nothing about, as with a published workbook, is left out rather than filled with dashes.
    known = [i for i in range(len(header)) if any(row[i] != "-" for row in rows)]
    return Table(
        "How firm each band is", tuple(header[i] for i in known), tuple(tuple(r[i] for i in known) for r in rows)
    )


def comparison(field: GroupResults, organisations: Mapping[str, str]) -> list[tuple[str, str, list[Compared]]]:
    """Every measure with its wording and each organisation's score, band in words and triangles."""
    survey = field.survey
    facts = [OrganisationResults(field, code) for code in organisations]
    out = []
    codes = [s.code for s in survey.sections] + list(facts[0].questions) if facts else []
    for code in codes:
        cells = []
        for one in facts:
            row = one.row(code)
            if row["score"] is None:
                cells.append(("-", "", ""))
                continue
            band = row["band"]
            marks = "(no band)" if band is None else TRIANGLES[band]
            cells.append((rounded(row["score"]), band_word(survey, row), marks))
        out.append((code, survey.label(code), cells))
    return out

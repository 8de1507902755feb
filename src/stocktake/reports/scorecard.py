"""The two pages that carry a report: every question against all others, and every change since the wave before."""

from __future__ import annotations

from stocktake.compare.firmness import expected_by_chance, most_by_chance
from stocktake.reports.charts import outside
from stocktake.reports.facts import OrganisationResults, band_word
from stocktake.reports.model import Block, Figure, Inline, Link, Page, Text, paragraph
from stocktake.reports.summary_charts import ChangeDots, ChangeRow, Scorecard, ScoreRow
from stocktake.reports.words import level_words, listed, plural, rounded

# So many questions are named in a sentence; more are counted, and the chart below names them.
NAMED = 4


def score_row(facts: OrganisationResults, code: str) -> ScoreRow:
    """One question's line of a scorecard."""
    row = facts.row(code)
    change = facts.changes.get((facts.earlier, code)) if facts.earlier is not None else None
    limits = None if row["band"] is None else (row["limit_somewhat_worse"], row["limit_somewhat_better"])
    return ScoreRow(
        code=code,
        label=facts.entry(code),
        section=row["section"] or "",
        n=row["n"],
        score=row["score"],
        low=row["lower_95"],
        high=row["upper_95"],
        average=row["national_average"],
        lowest=row["lowest"],
        highest=row["highest"],
        limits=limits,
        band=row["band"],
        band_text=band_word(facts.survey, row),
        verdict=change["verdict"] if change else None,
    )


def scorecard_chart(facts: OrganisationResults) -> Scorecard:
    """Every question of this year in the order of the report."""
    rows = tuple(score_row(facts, q) for q in facts.questions)
    word = facts.survey.organisation_word
    above, below = outside(r.band for r in rows)
    alt = (
        f"Scorecard of {len(rows)} questions: this {word}'s score as points above or below the average, with the expected range. "
        f"{above} lie above the expected range and {below} below it. The table of all questions has the same figures."
    )
    earlier = facts.earlier if facts.has_history else None
    return Scorecard("Every question on one page", rows, earlier, alt, word)


def by_chance(facts: OrganisationResults, chart: Scorecard) -> str:
    """How many questions of a scorecard would lie outside the expected range by chance, as a sentence."""
    banded = sum(r.band is not None for r in chart.rows)
    return (
        f"The expected range is where a {facts.survey.organisation_word}'s score would lie if it were like the others. Of {banded} questions about "
        f"{rounded(expected_by_chance(banded)[0])} would lie outside it by chance alone, and {most_by_chance(banded)} or fewer 19 times in 20."
    )


def scorecard(facts: OrganisationResults, chapter: str = "", level: int = 1) -> Page:
    """Every question on one page."""
    blocks: list[Block] = [Figure(scorecard_chart(facts))]
    return Page("scorecard", "Every question on one page", tuple(blocks), "scorecard", chapter, level)


def change_chart(facts: OrganisationResults) -> ChangeDots | None:
    """Every question that was compared with the wave before, None where there is none."""
    year = facts.earlier
    if year is None:
        return None
    rows = []
    for q in facts.questions:
        row = facts.changes.get((year, q))
        if row is None or row["difference"] is None:
            continue
        rows.append(
            ChangeRow(
                q,
                facts.entry(q),
                row["score_then"],
                row["score_now"],
                row["difference"],
                row["lower"],
                row["upper"],
                row["verdict"],
            )
        )
    if not rows:
        return None
    up, down = (sum(r.verdict == v for r in rows) for v in ("Increase", "Decrease"))
    alt = (
        f"Change of {len(rows)} {plural(len(rows), 'question')} from {year} to {facts.year} in points, about a line at no change. "
        f"{up} have gone up and {down} have gone down by more than chance."
    )
    return ChangeDots(
        f"Change from {year} to {facts.year}",
        tuple(rows),
        (year, facts.year),
        alt,
        level_words(facts.survey.method.change_level),
    )


def changed(facts: OrganisationResults, verdict: str, way: str) -> tuple[Inline, ...]:
    """Which scores went one way by more than chance, as a sentence: by name where they are few."""
    year = facts.earlier
    found = facts.by_verdict(year)[verdict] if year is not None else []
    if not found:
        return (f"No score has gone {way} by more than chance. ",)
    if len(found) > NAMED:
        return (facts.count(found, f"{verdict} since {year}"), f" scores have gone {way} by more than chance. ")
    return (f"Gone {way} by more than chance: {listed([facts.named(q) for q in found])}. ",)


def change_page(facts: OrganisationResults, chapter: str = "", level: int = 1, links: bool = True) -> list[Page]:
    """What has changed since the wave before, on one page; no page where nothing compares.

    With `links` it leads to the chapter that has every year.
    """
    chart = change_chart(facts)
    if chart is None:
        return []
    year = chart.years[0]
    tested = any(r.verdict is not None for r in chart.rows)
    lead: tuple[Inline, ...] = ("None of these changes was tested.",)
    if tested:
        lead = (*changed(facts, "Decrease", "down"), *changed(facts, "Increase", "up"))
    blocks: list[Block] = [Text(lead, "verdict"), Figure(chart)]
    if links:
        further = Link("Results of earlier years", "change")
        blocks.append(paragraph("{link} has each question by year.", "note", link=further))
    return [Page("changes", f"What has changed since {year}", tuple(blocks), "changes", chapter, level)]

"""Change over time: every question that compares with an earlier year, its trend and the test's verdict."""

from __future__ import annotations

from itertools import zip_longest

from stocktake.reports.charts import TrendLines
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.group_results import Row
from stocktake.reports.model import (
    Block,
    Bullets,
    Cell,
    Columns,
    Figure,
    Heading,
    KeepTogether,
    Number,
    Page,
    Strong,
    Table,
    Text,
    paragraph,
)
from stocktake.reports.question_pages import unconfirmed
from stocktake.reports.words import level_words, listed, rounded, signed

CHAPTER = "Change over time"


def pages(facts: OrganisationResults, courses: bool = True) -> list[Page]:
    """The chapter's opening page and, with `courses`, that of each question; one page saying why where nothing compares."""
    out = [_opening(facts)]
    if courses and facts.earlier is not None and facts.has_history:
        out.append(_questions(facts))
    return out + _predecessors(facts)


def _predecessors(facts: OrganisationResults) -> list[Page]:
    """What the organisations scored that this one was formed of, each by itself."""
    formed_of = facts.predecessors
    if not formed_of:
        return []
    latest = max(year for year, _, _ in formed_of)
    shown = [(code, name) for year, code, name in formed_of if year == latest]
    others = [OrganisationResults(facts.group_results, code) for code, _ in shown]
    rows: list[tuple[Cell, ...]] = []
    for section in facts.survey.sections:
        for code in (section.code, *(q.code for q in facts.survey.members(section.code) if q.code in facts.questions)):
            cells = [o.rows.get((latest, code)) for o in others]
            if not any(row is not None and row["score"] is not None for row in cells):
                continue
            label = facts.section_title(code) if code == section.code else facts.named(code)
            own = facts.rows.get((facts.year, code))
            rows.append(
                (
                    label,
                    *(o.number(row, "score") if row is not None else "-" for o, row in zip(others, cells, strict=True)),
                    facts.number(own, "score") if own is not None else "-",
                )
            )
    if not rows:
        return []
    word = facts.survey.organisation_word
    blocks: list[Block] = [
        paragraph(
            f"These are the scores of {latest} of the {word}s that this one was formed of, beside its own of {facts.year}. They are "
            f"shown for themselves: none is an average of the others, and no change from them to this {word} was tested, because "
            "they served other people."
        ),
        Table(
            f"Scores of the {word}s that this one was formed of",
            ("Section or question", *(f"{name}, {latest}" for _, name in shown), f"Your {word}, {facts.year}"),
            tuple(rows),
            widths=(3, *(1.4,) * len(shown), 1.2),
        ),
    ]
    return [
        Page("change-predecessors", f"The {word}s that this one was formed of", tuple(blocks), "predecessors", CHAPTER)
    ]


def _new_questions(facts: OrganisationResults, year: int) -> list[str]:
    """Questions that no organisation can compare with a year."""
    return [
        q.code
        for q in map(facts.survey.by_code.__getitem__, facts.questions)
        if (facts.earlier is not None)
        and facts.changes.get((year, q.code), {}).get("status") == "not comparable"
        and year not in q.comparable
    ]


def _opening(facts: OrganisationResults) -> Page:
    word, year = facts.survey.organisation_word, facts.earlier
    blocks: list[Block] = []
    if year is None:
        blocks.append(
            paragraph(
                "There are no results of an earlier year in these data, so this section has no charts.", "verdict"
            )
        )
        return Page("change", "Results of earlier years", tuple(blocks), "change", CHAPTER)
    reasons = {
        r["reason"] for (y, _), r in facts.changes.items() if y == year and r["status"] in ("not comparable", "no data")
    }
    if not facts.has_history:
        why = sorted(reasons, key=len)[0] if reasons else f"There are no results of {year} for this {word}."
        own = next(
            (r["reason"] for (y, _), r in facts.changes.items() if y == year and "question" not in r["reason"]), why
        )
        blocks += [
            paragraph(f"This {word}'s results cannot be compared with {year}.", "verdict"),
            paragraph(own),
            paragraph(f"Trends are shown only for {word}s with results in more than one year."),
        ]
        return Page("change", "Results of earlier years", tuple(blocks), "change", CHAPTER)
    left: list[Block] = [
        Heading("How to read these pages"),
        paragraph(
            f"Each chart shows this {word}'s score by year (black line, diamonds, with 95% intervals where they are known) and the "
            f"national average (dashed line, circles). Under each year are the number of {word}s that the average rests on and the "
            f"number of people of this {word} who answered."
        ),
        paragraph(
            "The scale of each chart fits its own scores, so that a change can be seen: it is not the whole scale, and "
            "charts beside one another may have different scales.",
            "verdict",
        ),
        paragraph(_test_words(facts), "note"),
    ]
    verdicts = facts.by_verdict(year)
    right: list[Block] = [Heading(f"{facts.year} compared with {year}")]
    for verdict, lead in (("Increase", "Gone up"), ("Decrease", "Gone down"), ("No change", "No clear change")):
        found = verdicts[verdict]
        right.append(
            paragraph(
                f"{lead} ({{n}}): {_found(facts, verdict, found)}.", n=facts.count(found, f"{verdict} since {year}")
            )
        )
    new = _new_questions(facts, year)
    notes: list[Text] = []
    if new:
        lead = (
            f"No {year} result is published, so not compared"
            if _imported(facts)
            else f"New or changed after {year}, and so not compared"
        )
        notes.append(paragraph(f"{lead}: {listed(new)}."))
    other = [q for q in verdicts[None] if q not in new]
    if other:
        notes.append(paragraph(f"Too few answers in one of the years, or no result then: {listed(other)}."))
    if notes:
        right.append(Bullets(tuple(notes)))
    return Page("change", "Results of earlier years", (Columns(tuple(left), tuple(right)),), "change", CHAPTER)


def _found(facts: OrganisationResults, verdict: str, questions: list[str]) -> str:
    """Questions by name; the long list of those without a clear change by code."""
    return listed(questions if verdict == "No change" else [facts.named(q) for q in questions]) or "none"


def _imported(facts: OrganisationResults) -> bool:
    """Whether the verdicts were read from published figures rather than worked out."""
    return any(r["test"] == "imported" for r in facts.changes.values())


def _test_words(facts: OrganisationResults) -> str:
    test = next((r["test"] for r in facts.changes.values()), "z")
    level = level_words(facts.survey.method.change_level)
    if test == "imported":
        return "Whether a change is statistically significant was read from the published figures; it was not worked out here."
    name = "z-test" if test == "z" else "two-sample t-test (Welch)"
    same = (
        "Each year's score is standardised to the people who answered in that year."
        if facts.survey.method.change_reference == "own"
        else "Both years' scores are standardised to this year's respondents, so the earlier score may differ from the one published then."
    )
    return f"A {name} at the {level} level decides whether a change is statistically significant. {same}"


def _questions(facts: OrganisationResults) -> Page:
    """The course of every question, two beside one another, and why the others have none."""
    charts: list[Block] = []
    left_out: dict[str, list[str]] = {}
    for code in facts.questions:
        rows = [r for y in facts.group_results.years if (r := facts.changes.get((y, code))) is not None]
        if any(r["score_then"] is not None for r in rows):
            charts.append(_question(facts, code, rows))
        else:
            reason = next((r["reason"] for (_, m), r in facts.changes.items() if m == code and r["reason"]), "")
            left_out.setdefault(reason, []).append(code)
    blocks: list[Block] = [
        KeepTogether((Columns((one,), () if other is None else (other,)),))
        for one, other in zip_longest(charts[::2], charts[1::2])
    ]
    blocks += [paragraph(f"No trend for {listed(codes)}. {reason}", "note") for reason, codes in left_out.items()]
    blocks += unconfirmed(facts, [q for q in facts.questions if all(q not in codes for codes in left_out.values())])
    return Page("change-questions", "Each question by year", tuple(blocks), "change-questions", CHAPTER)


def trend_of(facts: OrganisationResults, code: str) -> TrendLines:
    """The course of one question, in the years that compare with this one."""
    years = tuple(sorted(facts.group_results.years))
    own, average, organisations, respondents = [], [], [], []
    intervals: list[tuple[float, float] | None] = []
    word = facts.survey.organisation_word
    for year in years:
        row, national = facts.rows.get((year, code)), facts.group_results.measures.get((year, code))
        change = facts.changes.get((year, code))
        comparable = year == facts.year or (change is not None and change["score_then"] is not None)
        mine = row if row is not None and comparable else None
        own.append(mine["score"] if mine is not None else None)
        respondents.append(mine["n"] if mine is not None else None)
        known = mine is not None and mine["lower_95"] is not None
        intervals.append((mine["lower_95"], mine["upper_95"]) if mine is not None and known else None)
        average.append(national["centre"] if national else None)
        organisations.append(national["organisations"] if national else 0)
    shown = [i for i, n in enumerate(organisations) if n > 0]
    points = listed([f"{years[i]}: {_or_dash(own[i])} against {_or_dash(average[i])}" for i in shown])
    return TrendLines(
        tuple(years[i] for i in shown),
        tuple(own[i] for i in shown),
        tuple(average[i] for i in shown),
        tuple(organisations[i] for i in shown),
        f"{code} by year, this {word} against the national average. {points}.",
        word,
        tuple(intervals[i] for i in shown),
        tuple(respondents[i] for i in shown),
    )


def _question(facts: OrganisationResults, code: str, changes: list[Row]) -> KeepTogether:
    # The year before, and the first: what lies between is in the table of any two years.
    compared = [c for c in changes if c["difference"] is not None] or changes
    shown_changes = changes if len(changes) < 3 else [changes[0], *(c for c in compared[-1:] if c is not changes[0])]
    section = facts.survey.by_code[code].section
    members = [q.code for q in facts.survey.members(section) if q.code in facts.questions] if section else []
    begins = (
        [paragraph("{title}", "note", title=Strong(facts.section_title(section)))]
        if section and members[:1] == [code]
        else []
    )
    trend = trend_of(facts, code)
    blocks: list[Block] = [
        *begins,
        Heading(facts.entry(code), 3),
        Figure(trend),
        *(_verdict(facts, change) for change in shown_changes),
    ]
    between = _any_two_years(facts, code, list(trend.years))
    return KeepTogether((*blocks, *between))


def _any_two_years(facts: OrganisationResults, code: str, years: list[int]) -> list[Block]:
    """The change between any two of three or more years, with a mark where it is more than chance."""
    found = {
        (then, now): row
        for (then, now, measure), row in facts.every_change.items()
        if measure == code and row["difference"] is not None
    }
    compared = [y for y in years if any(y in pair for pair in found)]
    if len(compared) < 3:
        return []
    rows: list[tuple[Cell, ...]] = []
    for then in compared[:-1]:
        cells: list[Cell] = []
        for now in compared[1:]:
            row = found.get((then, now))
            if row is None:
                cells.append("-" if now > then else "")
                continue
            mark = {"Increase": " ▲", "Decrease": " ▼"}.get(row["verdict"] or "", "")
            source = f"changes/{then}-{now}/{facts.code}/{code}/difference"
            cells.append(Number(row["difference"], signed(row["difference"], 1) + mark, source))
        rows.append((f"From {then}", *cells))
    tested = any(row["verdict"] is not None for row in found.values())
    words = "▲ and ▼: a change that is more than chance." if tested else "None of these was tested."
    return [
        Table(f"{code}: change between any two years", ("", *(f"To {y}" for y in compared[1:])), tuple(rows)),
        paragraph(words, "note"),
    ]


def _or_dash(value: float | None) -> str:
    return "-" if value is None else rounded(value)


def _verdict(facts: OrganisationResults, change: Row) -> Text:
    then, now = change["year_then"], change["year_now"]
    if change["verdict"] is None:
        return paragraph(f"{now} against {then}: not compared. {change['reason']}", "note")
    words = {
        "Increase": "statistically significant increase",
        "Decrease": "statistically significant decrease",
        "No change": "no statistically significant change",
    }[change["verdict"]]
    if change["verdict"] == "No change":
        return paragraph(f"{now} against {then}: {words}.", "note")
    return paragraph("{words}", "note", words=Strong(f"{now} against {then}: {words}."))

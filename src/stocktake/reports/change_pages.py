"""Change over time: every question that compares with an earlier year, its trend and the test's verdict."""

from __future__ import annotations

from stocktake.reports.charts import TrendLines
from stocktake.reports.facts import OrganisationResults, Row
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
    Table,
    Text,
    paragraph,
)
from stocktake.reports.question_pages import unconfirmed
from stocktake.reports.words import listed, rounded, signed

CHAPTER = "Change over time"


def pages(facts: OrganisationResults) -> list[Page]:
    """The chapter's opening page and a page for each section; one page saying why where nothing compares."""
    out = [_opening(facts)]
    if facts.earlier is None or not facts.has_history:
        return out + _predecessors(facts)
    sections = [s.code for s in facts.survey.sections]
    shown = [s for s in sections if any(q.code in facts.questions for q in facts.survey.members(s))]
    out += [_section(facts, code, code == shown[0]) for code in shown]
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
            f"Each chart shows this {word}'s score by year (black line, diamonds) and the national average (dashed line, "
            f"circles). Under each year is the number of {word}s that the average rests on."
        ),
        paragraph(
            f"The table gives each year's score and how many people answered, and whether the change since {year} is more than chance."
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
    level = rounded(100 * facts.survey.method.change_level, 0)
    if test == "imported":
        return "Whether a change is statistically significant was read from the published figures; it was not worked out here."
    name = "z-test" if test == "z" else "two-sample t-test (Welch)"
    same = (
        "Each year's score is standardised to the people who answered in that year."
        if facts.survey.method.change_reference == "own"
        else "Both years' scores are standardised to this year's respondents, so the earlier score may differ from the one published then."
    )
    return f"A {name} at the {level}% level decides whether a change is statistically significant. {same}"


def _section(facts: OrganisationResults, code: str, first: bool) -> Page:
    title = facts.section_title(code)
    blocks: list[Block] = []
    left_out: list[str] = []
    for question in facts.survey.members(code):
        if question.code not in facts.questions:
            continue
        rows = [r for y in facts.group_results.years if (r := facts.changes.get((y, question.code))) is not None]
        if any(r["score_then"] is not None for r in rows):
            blocks.append(_question(facts, question.code, rows))
        else:
            left_out.append(question.code)
    if left_out:
        reasons = {
            code: next((r["reason"] for (_, m), r in facts.changes.items() if m == code and r["reason"]), "")
            for code in left_out
        }
        for reason in dict.fromkeys(reasons.values()):
            codes = [c for c in left_out if reasons[c] == reason]
            blocks.append(paragraph(f"No trend for {listed(codes)}. {reason}", "note"))
    return Page("change-section", f"{title}: change", tuple(blocks), f"change-{code}", CHAPTER, new_sheet=first)


def _question(facts: OrganisationResults, code: str, changes: list[Row]) -> KeepTogether:
    years = tuple(sorted(facts.group_results.years))
    own, average, organisations = [], [], []
    rows: list[tuple[Cell, ...]] = []
    word = facts.survey.organisation_word
    for year in years:
        row, national = facts.rows.get((year, code)), facts.group_results.measures.get((year, code))
        change = facts.changes.get((year, code))
        comparable = year == facts.year or (change is not None and change["score_then"] is not None)
        own.append(row["score"] if row is not None and comparable else None)
        average.append(national["centre"] if national else None)
        organisations.append(national["organisations"] if national else 0)
        rows.append(
            (
                str(year),
                facts.number(row, "n") if row is not None and comparable else "-",
                facts.number(row, "score") if row is not None and comparable else "-",
                facts.number(national, "centre", "measures") if national else "-",
            )
        )
    shown = [i for i, n in enumerate(organisations) if n > 0]
    points = listed([f"{years[i]}: {_or_dash(own[i])} against {_or_dash(average[i])}" for i in shown])
    chart = TrendLines(
        tuple(years[i] for i in shown),
        tuple(own[i] for i in shown),
        tuple(average[i] for i in shown),
        tuple(organisations[i] for i in shown),
        f"{code} by year, this {word} against the national average. {points}.",
        word,
    )
    right: list[Block] = [
        Table(
            f"{code} by year",
            ("Year", "Respondents", f"Your {word}", "Average"),
            tuple(rows[i] for i in shown),
            widths=(0.8, 1.2, 1.1, 1),
        )
    ]
    # The year before, and the first: what lies between is in the table of any two years.
    compared = [c for c in changes if c["difference"] is not None] or changes
    shown_changes = changes if len(changes) < 3 else [changes[0], *(c for c in compared[-1:] if c is not changes[0])]
    right += [_verdict(facts, change) for change in shown_changes]
    question = facts.survey.by_code[code]
    about = " ".join(part for part in (question.base, question.excluded) if part)
    if about:
        right.append(paragraph(about, "note"))
    right += unconfirmed(facts, [code])
    blocks: list[Block] = [Heading(facts.heading(code), 3), Columns((Figure(chart),), tuple(right), 1.2)]
    between = _any_two_years(facts, code, [y for y, n in zip(years, organisations, strict=True) if n])
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
        return paragraph(f"{now} against {then}: not compared. {change['reason']}", "verdict")
    words = {
        "Increase": "statistically significant increase",
        "Decrease": "statistically significant decrease",
        "No change": "no statistically significant change",
    }[change["verdict"]]
    return paragraph(f"{now} against {then}: {words}.", "verdict")

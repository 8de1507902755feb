"""Headline results: who took part, the summary of findings, best and worst, and the poster."""

from __future__ import annotations

from collections.abc import Iterable

from stocktake.reports.charts import CountBars, PairedBars, ShareBars, share_or_not
from stocktake.reports.facts import OrganisationResults, band_word
from stocktake.reports.group_results import Row
from stocktake.reports.model import (
    Block,
    Cards,
    Columns,
    Figure,
    Heading,
    Inline,
    KeepTogether,
    Link,
    Number,
    Page,
    Poster,
    Table,
    Text,
    paragraph,
)
from stocktake.reports.words import listed, per_cent, rounded

CHAPTER = "Headline results"


def cards(facts: OrganisationResults) -> Cards | Text:
    work = facts.work()
    word = facts.survey.organisation_word
    if work is None or work["completed"] is None:
        reason = work["reason"] if work else ""
        return paragraph(f"Who took part is not shown: {reason[:1].lower()}{reason[1:]}", "verdict")
    wanted = [
        ("invited", "invited to take part", False),
        ("completed", "completed", False),
        ("response_rate", "adjusted response rate", True),
        ("national_response_rate", f"adjusted rate over all {word}s", True),
    ]
    items: list[tuple[Number, str]] = []
    for column, label, is_share in wanted:
        figure = (
            facts.percent(work, column, "fieldwork", share=True)
            if is_share
            else facts.number(work, column, "fieldwork")
        )
        if isinstance(figure, Number):
            items.append((figure, label))
    earlier = facts.work(facts.earlier) if facts.earlier else None
    if earlier is not None:
        rate = facts.percent(earlier, "response_rate", "fieldwork", share=True)
        if isinstance(rate, Number):
            items.append((rate, f"adjusted rate in {facts.earlier}"))
        else:
            completed = facts.number(earlier, "completed", "fieldwork")
            if isinstance(completed, Number):
                items.append((completed, f"completed in {facts.earlier}"))
    return Cards(tuple(items))


def _characteristic(facts: OrganisationResults, rows: list[Row]) -> Block:
    title = rows[0]["title"]
    word = facts.survey.organisation_word
    if all(r["percent"] is None for r in rows):
        return KeepTogether((Heading(title, 3), paragraph(f"Not shown. {rows[0]['reason']}", "note")))
    # An answer that the source never published is left out; one that few people gave is listed without a figure.
    seen = [r for r in rows if r["percent"] is not None or r["status"] == "withheld"]
    chart_rows = tuple((r["label"], r["percent"], r["national_percent"]) for r in seen)
    base = "" if rows[0]["n"] is None else f" ({rows[0]['n']:,} answered)"
    alt = (
        f"Bar chart of {title.lower()}{base}, this {word} and all {word}s: "
        + "; ".join(f"{r['label']} {share_or_not(r['percent'])} and {per_cent(r['national_percent'])}" for r in seen)
        + "."
    )
    return KeepTogether((Heading(f"{title}{base}", 3), Figure(ShareBars(chart_rows, alt, word))))


def who_took_part(facts: OrganisationResults) -> list[Page]:
    """Invited, completed and response rates, then every characteristic with its chart."""
    by_variable: dict[str, list[Row]] = {}
    for row in facts.group_results.profile.get(facts.code, []):
        by_variable.setdefault(row["variable"], []).append(row)
    blocks = [_characteristic(facts, rows) for rows in by_variable.values()]
    word, people = facts.survey.organisation_word, facts.survey.people
    rare = any(r["percent"] is None and r["n"] is not None for rows in by_variable.values() for r in rows)
    intro = (
        cards(facts),
        paragraph(
            f"Each chart shows the {people} of this {word} who answered, beside those of all {word}s together. Percentages are of those who "
            "answered the question, not weighted."
            + (f" 'Not shown' means that too few {people} gave an answer." if rare else ""),
            "note",
        )
        if blocks
        else paragraph(f"The source of these results does not say who the {people} were.", "note"),
    )
    half = (len(blocks) + 1) // 2
    pages = [Page("who", "Who took part in the survey?", (*intro, Columns(*_balanced(blocks[:half]))), "who", CHAPTER)]
    if not blocks:
        return [Page("who", "Who took part in the survey?", intro, "who", CHAPTER)]
    rest = blocks[half:]
    if rest:
        pages.append(
            Page("who", "Who took part in the survey? (continued)", (Columns(*_balanced(rest)),), "who-2", CHAPTER)
        )
    return pages


def _length(block: Block) -> int:
    if isinstance(block, KeepTogether):
        return 3 + sum(
            len(b.chart.rows) for b in block.blocks if isinstance(b, Figure) and isinstance(b.chart, ShareBars)
        )
    return 3


def _balanced(blocks: list[Block]) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """Split into two columns of about the same height, keeping the order."""
    total = sum(map(_length, blocks))
    best = min(range(1, len(blocks) + 1), key=lambda k: abs(2 * sum(map(_length, blocks[:k])) - total), default=0)
    return tuple(blocks[:best]), tuple(blocks[best:])


def summary(facts: OrganisationResults) -> Page:
    """Number of questions in each band, and how many rose, fell or did not change."""
    survey = facts.survey
    word = survey.organisation_word
    rows = [(survey.bands[b - 1], len(facts.by_band[b]), str(b)) for b in range(7, 0, -1)]
    if facts.unbanded:
        rows.append(("Not shown", len(facts.unbanded), "none"))
    alt = "Number of questions in each band: " + listed([f"{label} {n}" for label, n, _ in rows]) + "."
    better = sum(len(facts.by_band[b]) for b in (5, 6, 7))
    worse = sum(len(facts.by_band[b]) for b in (1, 2, 3))
    left: list[Block] = [
        Heading(f"Compared with other {word}s"),
        Figure(CountBars(tuple(rows), alt)),
        paragraph(
            "Above the expected range, in any of the three better bands: {better} of {all} questions with a band. Below it: {worse}."
            + (" {link} lists them." if better + worse else ""),
            link=Link("Questions by band", "comparison"),
            better=facts.count([q for b in (5, 6, 7) for q in facts.by_band[b]], "better"),
            all=facts.count([q for band in facts.by_band.values() for q in band], "banded"),
            worse=facts.count([q for b in (1, 2, 3) for q in facts.by_band[b]], "worse"),
        ),
    ]
    if better + worse == 0:
        left.append(paragraph(f"On no question does this {word} stand out from the others.", "note"))
    if facts.unbanded:
        left.append(
            paragraph(
                "A question is not shown where too few people answered it, and has no band where answers do not vary.",
                "note",
            )
        )
    return Page(
        "summary", "Summary of findings", (Columns(tuple(left), tuple(_change_summary(facts))),), "summary", CHAPTER
    )


def _change_summary(facts: OrganisationResults) -> list[Block]:
    year = facts.earlier
    blocks: list[Block] = [Heading("Compared with earlier years" if year is None else f"Compared with {year}")]
    if year is None:
        return [*blocks, paragraph("There are no results of an earlier year in these data.")]
    verdicts = facts.by_verdict(year)
    tested = sum(len(verdicts[v]) for v in ("Increase", "No change", "Decrease"))
    if not tested:
        reason = next((r["reason"] for (y, _), r in facts.changes.items() if y == year), "")
        return [*blocks, paragraph(reason or f"There is nothing to compare with in {year}.")]
    rows = [
        ("Increase", len(verdicts["Increase"]), "plain"),
        ("No change", len(verdicts["No change"]), "plain"),
        ("Decrease", len(verdicts["Decrease"]), "plain"),
    ]
    if verdicts[None]:
        rows.append(("Not compared", len(verdicts[None]), "none"))
    alt = f"Number of questions by change since {year}: " + listed([f"{label} {n}" for label, n, _ in rows]) + "."
    blocks.append(Figure(CountBars(tuple(rows), alt)))
    for verdict, words in (("Increase", "rose"), ("Decrease", "fell")):
        found = verdicts[verdict]
        if found:
            blocks.append(
                paragraph(f"Scores that {words} by more than chance: {listed([facts.named(q) for q in found])}.")
            )
    if verdicts[None]:
        blocks.append(
            paragraph(
                "Questions that are new, changed, or have too few answers in either year are not compared.", "note"
            )
        )
    return blocks


def _extreme_block(facts: OrganisationResults, questions: list[str], better: bool) -> list[Block]:
    rows = [facts.row(q) for q in questions]
    chart = PairedBars(
        tuple((q, r["score"], r["national_average"], r["band"]) for q, r in zip(questions, rows, strict=True)),
        "Bars of this organisation's score with a mark for the national average: "
        + listed(
            [
                f"{q} {rounded(r['score'])} against {rounded(r['national_average'])}"
                for q, r in zip(questions, rows, strict=True)
            ]
        )
        + ".",
    )
    table = Table(
        "Best results" if better else "Worst results",
        ("Question", "Score", "Average", "Band"),
        tuple(
            (
                _entry(facts, q),
                facts.number(r, "score"),
                facts.number(r, "national_average"),
                band_word(facts.survey, r),
            )
            for q, r in zip(questions, rows, strict=True)
        ),
        widths=(3.4, 0.7, 0.8, 1.5),
    )
    return [Figure(chart), table]


def _entry(facts: OrganisationResults, question: str) -> str:
    """A question with its section, where these have names."""
    words = facts.entry(question)
    section = facts.survey.by_code[question].section
    title = facts.survey.section(section).title if section else ""
    return f"{words} ({title})" if title and words != question else words


def best_and_worst(facts: OrganisationResults, charts: bool = True) -> Page:
    """The five best and five worst questions against the average, with bars or as tables alone."""
    best, worst = facts.extremes
    if not best:
        blocks: tuple[Block, ...] = (paragraph("No question of this organisation can be shown.", "verdict"),)
        return Page("best", "Best and worst results against the average", blocks, "best", CHAPTER)
    left: list[Block] = [
        Heading("Highest against the average"),
        *_extreme_block(facts, best, True)[0 if charts else 1 :],
    ]
    right: list[Block] = [Heading("Lowest against the average")]
    right += (
        _extreme_block(facts, worst, False)[0 if charts else 1 :]
        if worst
        else [paragraph("There are no more questions to list.")]
    )
    # Where all results are on one side of the average, the lists would mislead without a word.
    if facts.row(best[-1])["score"] < facts.row(best[-1])["national_average"]:
        left.append(
            paragraph("Some of these lie below the average, as too few results lie above it to fill the list.", "note")
        )
    if worst and facts.row(worst[-1])["score"] > facts.row(worst[-1])["national_average"]:
        right.append(
            paragraph("Some of these lie above the average, as too few results lie below it to fill the list.", "note")
        )
    note = paragraph(
        "Questions are ordered by the distance of this organisation's score from the national average, before rounding. "
        + ("The colour of a bar is its band; the upright mark is the average. " if charts else "")
        + "A place in these lists does not by itself mean that a result is better "
        "or worse than expected; the band says that.",
        "note",
    )
    notes = [note]
    if charts and not has_wording(facts, (*best, *worst)):
        notes.append(
            paragraph(
                "There is no poster in this report: the published figures carry codes of questions, not their wording, "
                "which a poster cannot do without.",
                "note",
            )
        )
    blocks = (Columns(tuple(left), tuple(right)), *notes)
    return Page("best", "Best and worst results against the average", blocks, "best", CHAPTER)


def has_wording(facts: OrganisationResults, questions: Iterable[str]) -> bool:
    """Whether any of the questions has words of its own rather than a bare code."""
    return any(facts.short(q) != q for q in questions)


def _poster_line(facts: OrganisationResults, question: str) -> Text:
    section = facts.survey.by_code[question].section
    title = facts.survey.section(section).title if section else ""
    short = facts.short(question)
    words = short[:1].upper() + short[1:]
    # "Overall experience: their overall experience" says a thing twice.
    return paragraph(words if not title or title.lower() in short.lower() else f"{title}: {short}")


def poster(
    facts: OrganisationResults, contact: str, notice: str, chapter: str = CHAPTER, actions: int = 0
) -> list[Page]:
    """The one-page poster, which can be put on a wall; none where there is no wording to put on it.

    With `actions` it has so many empty lines for what the organisation will do.
    """
    survey = facts.survey
    best, worst = facts.extremes
    work = facts.work()
    people, word = survey.people, survey.organisation_word
    if not has_wording(facts, (*best, *worst)):
        return []
    parts: dict[str, Inline] = {}
    words = f"This survey looked at the experiences of {people} of this {word}."
    if survey.sampling_period:
        words = f"This survey looked at the experiences of {people} in contact with this {word} in this period: {survey.sampling_period}."
    if survey.fieldwork:
        words += f" They were asked in this period: {survey.fieldwork}."
    if work is not None and work["completed"] is not None:
        parts["completed"] = facts.number(work, "completed", "fieldwork")
        if work["invited"] is not None:
            words += f" A questionnaire was sent to {{invited}} {people} and {{completed}} answered."
            parts["invited"] = facts.number(work, "invited", "fieldwork")
        else:
            words += f" {{completed}} {people} answered."
    words += " The lists show the results that are highest and lowest compared with the national average."
    if best and facts.row(best[-1])["score"] < facts.row(best[-1])["national_average"]:
        words += " Some of the highest lie below the average all the same."
    if worst and facts.row(worst[-1])["score"] > facts.row(worst[-1])["national_average"]:
        words += " Some of the lowest lie above the average all the same."
    if any(survey.by_code[q].unsure_wording for q in (*best, *worst)):
        words += " Not all descriptions of questions are confirmed by a published source."
    if notice:
        words += f" {notice}"
    if contact:
        words += " Questions about the survey: {contact}"
        parts["contact"] = contact
    return [
        Page(
            "poster",
            f"{survey.title}: results for {facts.name}",
            (
                Poster(
                    tuple(_poster_line(facts, q) for q in best),
                    tuple(_poster_line(facts, q) for q in worst),
                    f"Where {survey.person} experience is best",
                    f"Where {survey.person} experience could improve",
                    paragraph(words, "plain", **parts),
                    "What we will do" if actions else "",
                    actions,
                ),
            ),
            "poster",
            chapter,
        )
    ]

"""Scoring and benchmarking: how it works, and a page for every section with its questions."""

from __future__ import annotations

from dataclasses import replace

from stocktake.reports.charts import BandKey, BandStrip, RankedBars
from stocktake.reports.facts import OrganisationResults, band_word
from stocktake.reports.group_results import Row
from stocktake.reports.model import (
    Block,
    Bullets,
    Columns,
    Figure,
    Heading,
    KeepTogether,
    Page,
    Table,
    Text,
    paragraph,
)
from stocktake.reports.words import rounded
from stocktake.results.schemas import LIMITS
from stocktake.survey.instrument import Question

CHAPTER = "Scoring and benchmarking"


def key(facts: OrganisationResults, own: bool = True) -> Figure:
    """The legend of bands, with the reader's own mark where there is one."""
    word = facts.survey.organisation_word
    alt = "Key to the bands, from much worse than expected (three triangles down) to much better (three up)."
    return Figure(BandKey(facts.survey.bands, alt, f"Your {word}" if own else ""))


def _example(facts: OrganisationResults) -> Question | None:
    """The question that the scoring is explained with: the first whose options are known, Q18 where there is one."""
    known = [q for q in facts.survey.scored if q.options and not q.stem]
    return next(
        (q for q in known if not q.inferred and any(o.score is None for o in q.options)), known[0] if known else None
    )


def how_scored(facts: OrganisationResults) -> Page:
    """Scoring with its worked example."""
    example = _example(facts)
    left: list[Block] = [
        Heading("From answers to points"),
        paragraph(
            "Every answer that says something about the quality of care is worth points on a scale from 0 to 10. Ten points go to the "
            "best experience and none to the one with most room for improvement; answers in between are spaced evenly."
        ),
        paragraph(
            "Answers such as 'don't know' or 'does not apply' say nothing about quality. They get no points and are not "
            "counted, which is not the same as 0 points. Questions that only describe people's contact with services, or lead "
            "past others, have no points at all and are not in this report."
        ),
        Heading("From points to a question's score"),
        paragraph(
            "Each answer is multiplied by the weight of the person who gave it. The sum of weighted points divided by the sum of "
            "weights is the score."
        ),
        Heading("From questions to a section's score"),
        paragraph(
            "A section's score is the plain average of its questions' scores. If one of them cannot be shown, neither can "
            "the section."
        ),
    ]
    right: list[Block] = [Heading("A worked example")]
    if example is None:
        right.append(
            paragraph(
                "Suppose that three people with weights of 0.8, 1.0 and 1.2 give answers worth 10, 5 and 0 points. The weighted "
                "points are 8, 5 and 0, which make 13; the weights make 3. The score is 13 divided by 3, or 4.3."
            )
        )
    else:
        rows = tuple((o.label, "not scored" if o.score is None else rounded(o.score)) for o in example.options)
        right += [
            paragraph(f'Question {example.code.removeprefix("Q")}: "{example.label}"'),
            Table(f"Points for the answers to {example.code}", ("Answer", "Points"), rows, widths=(3, 1)),
            paragraph(
                "Suppose that four people with weights of 0.8, 1.0, 1.2 and 1.0 answer: the first three give the answers worth 10, "
                "5 and 0 points, and the fourth does not know. The weighted points are 8, 5 and 0, which make 13. The weights of the three "
                "who count make 3. The score is 13 divided by 3, or 4.3."
            ),
        ]
    return Page("scored", "How questions are scored", (Columns(tuple(left), tuple(right)),), "scored", CHAPTER)


def how_to_interpret(facts: OrganisationResults) -> Page:
    """How to read a ranked chart and a band strip."""
    word = facts.survey.organisation_word
    strip = BandStrip(
        (3.4, 4.2, 4.6, 6.4, 6.8, 7.6),
        2.9,
        8.1,
        7.1,
        5.5,
        6,
        "Example of a band strip: this organisation's mark lies in the second band from the right, which is better than expected.",
    )
    left = (
        Heading("Section charts"),
        paragraph(
            f"Each bar is one {word}, from the lowest score to the highest. Its colour and its marks show its own band; yours is "
            "black. The dashed line is the national average."
        ),
        paragraph(
            f"A {word} can be 'about the same' although its bar is lower than that of one that is 'worse than expected'. The band "
            "also depends on how many people answered: with few, chance can move a score further."
        ),
        key(facts),
        Heading("The seven bands"),
        paragraph(
            "Chance and ordinary differences alone would leave nine in ten scores in 'about the same', 19 in 20 no further out than 'somewhat', "
            "and 998 in 1,000 no further out than better or worse."
        ),
    )
    right = (
        Heading("Question charts"),
        paragraph("The example below is invented.", "note"),
        Figure(strip),
        Bullets(
            (
                paragraph(f"The strip runs from the lowest to the highest score of any {word}."),
                paragraph(
                    "Its segments are the bands for your number of respondents; a band beyond the lowest or highest score is not visible."
                ),
                paragraph("The black line is your score; the dashed line is the national average."),
                paragraph(
                    "On the pages that follow, a table beside each strip gives the figures and the band in words."
                ),
            )
        ),
        Heading("If something is missing"),
        paragraph(
            "A score that rests on too few answers is not shown, and the page says so. The figures of all others remain."
        ),
    )
    return Page("interpret", "How to read the charts", (Columns(left, right),), "interpret", CHAPTER)


def section(facts: OrganisationResults, code: str, first: bool = False) -> list[Page]:
    """One section: its ranked bars and below these its questions; `first` begins a sheet."""
    title = facts.section_title(code)
    row = facts.row(code)
    word = facts.survey.organisation_word
    others, places = facts.group_results.bars(code)
    blocks: list[Block] = [_verdict(facts, row)]
    members = facts.survey.members(code)
    if others:
        # Every report has the same bars but for one.
        bars, place = others, places.get(facts.code)
        where = f" This {word} has no bar."
        if place is not None:
            bars = (*others[:place], replace(others[place], own=True), *others[place + 1 :])
            where = f" This {word} is number {place + 1} of {len(bars)} from the lowest."
        alt = (
            f"{title}: bars of {len(bars)} {word}s from {rounded(bars[0].value)} to {rounded(bars[-1].value)}, national average "
            f"{rounded(row['national_average'])}.{where}"
        )
        blocks += [
            Figure(
                RankedBars(title, bars, row["national_average"], alt, facts.survey.bands, compact=True, measure=code)
            ),
            key(facts, place is not None),
        ]
    else:
        blocks.append(paragraph(f"No {word} has a score for this section that can be shown.", "note"))
    questions = tuple(question(facts, q.code) for q in members)
    verdict = f": {band_word(facts.survey, row, 'sentence')}" if row["band"] is not None else ""
    return [
        Page(
            "section",
            f"{title}{verdict}",
            (KeepTogether(tuple(blocks)), *questions, *unconfirmed(facts, [q.code for q in members])),
            f"section-{code}",
            CHAPTER,
            new_sheet=first,
            new_slide=True,
        )
    ]


def unconfirmed(facts: OrganisationResults, codes: list[str]) -> list[Text]:
    """What the mark after a wording means, beside the questions that have one."""
    if any(facts.survey.by_code[c].unsure_wording for c in codes):
        return [paragraph("* Wording not confirmed by a published source.", "note")]
    return []


def _verdict(facts: OrganisationResults, row: Row) -> Text:
    word = facts.survey.organisation_word
    if row["score"] is None:
        return paragraph(f"Your {word}'s section score is not shown. {row['reason']}", "verdict")
    return paragraph(
        f"Your {word}'s section score is {{score}}: {band_word(facts.survey, row, 'sentence')}. The national average is {{average}}, over "
        f"{{count}} {word}s whose score can be shown.",
        "verdict",
        score=facts.number(row, "score"),
        average=facts.number(row, "national_average"),
        count=facts.number(facts.group_results.measures[facts.year, row["measure"]], "organisations", "measures"),
    )


def strip_of(facts: OrganisationResults, row: Row, star: bool = False) -> BandStrip | None:
    """The band strip of a scores row, None where no organisation has a score."""
    if row["national_average"] is None:
        return None
    edges = None if row["band"] is None else tuple(row[name] for name in LIMITS)
    own = "not shown" if row["score"] is None else rounded(row["score"])
    word = facts.survey.organisation_word
    alt = (
        f"{row['measure']}: this {word} {own}, national average {rounded(row['national_average'])}, lowest "
        f"{rounded(row['lowest'])}, highest {rounded(row['highest'])}. {band_word(facts.survey, row)}."
    )
    return BandStrip(
        edges, row["lowest"], row["highest"], row["score"], row["national_average"], row["band"], alt, star
    )


def question(facts: OrganisationResults, code: str, star: bool = False) -> KeepTogether:
    """One question: wording, band strip, and its figures."""
    row = facts.row(code)
    blocks: list[Block] = [Heading(facts.heading(code), 3, f"q-{code}")]
    word = facts.survey.organisation_word
    figures = Table(
        f"{code}: figures",
        ("Respondents", f"Your {word}", "Average", "Lowest", "Highest", "Band"),
        (
            (
                facts.number(row, "n"),
                facts.number(row, "score"),
                facts.number(row, "national_average"),
                facts.number(row, "lowest"),
                facts.number(row, "highest"),
                band_word(facts.survey, row),
            ),
        ),
        row_headers=False,
        widths=(1.2, 1.12, 0.9, 0.8, 0.85, 1.65),
    )
    strip = strip_of(facts, row, star)
    right: list[Block] = [figures]
    if row["status"] != "shown":
        right.append(paragraph(str(row["reason"]), "note"))
    asked = facts.survey.by_code[code]
    about = " ".join(part for part in (asked.base, asked.excluded) if part)
    if about:
        right.append(paragraph(about, "note"))
    if strip is None:
        blocks.append(paragraph(f"No {word} has a score for this question that can be shown.", "note"))
        return KeepTogether(tuple(blocks))
    blocks.append(Columns((Figure(strip),), tuple(right), 1.15))
    return KeepTogether(tuple(blocks))

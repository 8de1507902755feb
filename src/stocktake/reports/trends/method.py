"""How the figures of trends were worked out, and what was inferred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stocktake.reports.model import Block, Bullets, Page, Report, paragraph
from stocktake.reports.trends.pages import updated_words
from stocktake.trends.facts import Facts


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

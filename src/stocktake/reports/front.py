"""The report's opening: cover, the result on one page, contents, and what a reader needs to know."""

from __future__ import annotations

from stocktake.compare.firmness import expected_by_chance
from stocktake.disclosure.rules import rules_of
from stocktake.reports.facts import OrganisationResults, band_sentence
from stocktake.reports.model import (
    Bullets,
    Columns,
    Contents,
    Heading,
    Inline,
    Link,
    Number,
    Page,
    Strong,
    Text,
    paragraph,
)
from stocktake.reports.words import listed, plural, rounded

CHAPTER = "Background and method"
# So many questions whose score fell are named in the summary.
MOST_NAMED = 6


def cover(facts: OrganisationResults) -> Page:
    return Page("cover", facts.name, (), chapter="")


def _everyone(facts: OrganisationResults) -> Text:
    """Who answered, and how many of those asked."""
    work = facts.work()
    people, word = facts.survey.people, facts.survey.organisation_word
    if work is None or work["completed"] is None:
        return paragraph(f"Too few {people} of this {word} answered for its results to be shown.", "lead")
    completed = facts.number(work, "completed", "fieldwork")
    rate = facts.percent(work, "response_rate", "fieldwork", share=True)
    national = facts.percent(work, "national_response_rate", "fieldwork", share=True)
    if work["invited"] is None:
        if rate == "-":
            return paragraph(f"{{completed}} {people} answered the survey.", "lead", completed=completed)
        return paragraph(
            f"{{completed}} {people} answered, an adjusted response rate of {{rate}} against {{national}} over all {word}s.",
            "lead",
            completed=completed,
            rate=rate,
            national=national,
        )
    return paragraph(
        f"{{completed}} of the {{invited}} {people} who were asked answered, an adjusted response rate of {{rate}} "
        f"against {{national}} over all {word}s.",
        "lead",
        completed=completed,
        invited=facts.number(work, "invited", "fieldwork"),
        rate=rate,
        national=national,
    )


def _bands(facts: OrganisationResults) -> Text:
    """The organisation's results in brief."""
    better = [q for b in (5, 6, 7) for q in facts.by_band[b]]
    worse = [q for b in (1, 2, 3) for q in facts.by_band[b]]
    questions = facts.count(list(facts.questions), "questions")
    tail = ""
    parts: dict[str, Inline] = {
        "questions": questions,
        "better": facts.count(better, "better"),
        "worse": facts.count(worse, "worse"),
        "same": facts.count(facts.by_band[4], "same"),
    }
    if facts.unbanded:
        tail = ", with {none} without a band"
        parts["none"] = facts.count(facts.unbanded, "unbanded")
    word = facts.survey.organisation_word
    return paragraph(
        f"Of the {{questions}} questions, the {word} is above the expected range on {{better}}, below it on "
        f"{{worse}} and about the same as other {word}s on {{same}}{tail}.",
        "lead",
        **parts,
    )


def _best(facts: OrganisationResults, worst: bool = False) -> Text:
    """The question furthest above (or below) the average."""
    best, low = facts.extremes
    chosen = low if worst else best
    lead = f"Its {'lowest' if worst else 'highest'} result compared with the average is for"
    if not chosen:
        return paragraph(f"{lead} no question, as too few results can be shown.", "lead")
    row = facts.row(chosen[0])
    other_side = row["score"] > row["national_average"] if worst else row["score"] < row["national_average"]
    side = f"{'above' if worst else 'below'} the average all the same and " if other_side else ""
    code = "" if facts.short(chosen[0]) == chosen[0] else f" ({chosen[0]})"
    return paragraph(
        f"{lead} {{what}}{code}: {{score}} out of 10 against {{average}}, {side}{band_sentence(facts.survey, row)}.",
        "lead",
        what=Strong(facts.short(chosen[0])),
        score=facts.number(row, "score"),
        average=facts.number(row, "national_average"),
    )


def _change(facts: OrganisationResults) -> Text:
    """What has changed since the year before."""
    year = facts.earlier
    word = facts.survey.organisation_word
    if year is None:
        return paragraph("There are no results of an earlier year to compare with.", "lead")
    verdicts = facts.by_verdict(year)
    tested = [q for v in ("Increase", "No change", "Decrease") for q in verdicts[v]]
    if not tested:
        return paragraph(
            f"This {word} cannot be compared with {year}, as the pages on change over time explain.", "lead"
        )
    fallen = verdicts["Decrease"]
    named = ""
    if fallen:
        more = ["others"] if len(fallen) > MOST_NAMED else []
        named = f" ({listed([*(facts.named(q) for q in fallen[:MOST_NAMED]), *more])})"
    return paragraph(
        f"Since {year}, {{up}} {plural(len(verdicts['Increase']), 'score has', 'scores have')} gone up, {{down}} "
        f"{plural(len(fallen), 'has', 'have')} gone down{named} and {{same}} show no clear change, of the "
        "{tested} that can be compared.",
        "lead",
        up=facts.count(verdicts["Increase"], f"Increase since {year}"),
        down=facts.count(verdicts["Decrease"], f"Decrease since {year}"),
        same=facts.count(verdicts["No change"], f"No change since {year}"),
        tested=facts.count(tested, f"tested since {year}"),
    )


def at_a_glance(facts: OrganisationResults, notice: str, links: bool = True) -> Page:
    """The result on one page, in five sentences, for a busy director; with `links` to what a reader may want next."""
    word = facts.survey.organisation_word
    onward = [
        ("Best and worst results against the average", "best", "to see what to keep doing and where to start."),
        ("Questions by band", "comparison", f"for every question on which this {word} stands out."),
        ("How to read the charts", "interpret", "before quoting a figure."),
    ]
    if facts.has_history:
        onward.insert(2, ("Results of earlier years", "change", "to see whether earlier work has shown."))
    notes = [paragraph(notice, "verdict")] if notice else []
    if not any(q.text for q in facts.survey.scored):
        notes.append(
            paragraph(
                "The published figures carry codes of questions, not their wording; the survey's own questionnaire has it.",
                "note",
            )
        )
    return Page(
        "glance",
        "The result in five sentences",
        (
            Bullets((_everyone(facts), _bands(facts), _best(facts), _best(facts, worst=True), _change(facts)), True),
            *notes,
            *(_next(onward) if links else ()),
        ),
        anchor="glance",
        level=1,
    )


def _next(onward: list[tuple[str, str, str]]) -> tuple[Heading, Bullets]:
    items = (paragraph(f"{{link}} {why}", link=Link(name, anchor)) for name, anchor, why in onward)
    return Heading("Where to go next", 3), Bullets(tuple(items))


def nothing_to_show(facts: OrganisationResults, notice: str) -> Page:
    """In place of everything else, for an organisation of which no score can be shown."""
    survey = facts.survey
    word, people = survey.organisation_word, survey.people
    minimum = Number(survey.method.minimum_base, str(survey.method.minimum_base), "settings/minimum_base")
    return Page(
        "nothing",
        "No results can be shown",
        (
            paragraph(
                f"Fewer than {{minimum}} {people} of this {word} gave an answer that counts to each of the questions, so none of its "
                "scores can be shown.",
                "lead",
                minimum=minimum,
            ),
            paragraph("So few answers would say more of chance than of care, and might point to a person."),
            *([paragraph(notice, "verdict")] if notice else []),
            Heading("What can be done", 3),
            Bullets(
                (
                    paragraph(f"The table of all questions shows what other {word}s' scores are on average."),
                    paragraph("Ask the survey centre whether a larger sample is possible next time."),
                    paragraph("Look at what people tell you in other ways: complaints, thanks, local surveys."),
                )
            ),
        ),
        anchor="glance",
        level=1,
    )


def contents() -> Page:
    return Page("contents", "Contents", (Contents(),), anchor="contents", level=1)


def background(facts: OrganisationResults) -> Page:
    survey = facts.survey
    work = facts.work()
    word, people = survey.organisation_word, survey.people
    left: list[Text | Heading | Bullets] = [Heading("About the survey")]
    if survey.programme:
        left.append(
            paragraph(f"The {survey.title} is part of the {survey.programme}. {survey.programme_about}".strip())
        )
    if survey.population:
        left.append(paragraph(f"Who could take part: {survey.population[:1].lower()}{survey.population[1:]}."))
    if survey.sampling_period:
        left.append(
            paragraph(f"The {people} asked were in contact with services in this period: {survey.sampling_period}.")
        )
    if survey.fieldwork:
        left.append(paragraph(f"Questionnaires were sent out and returned in this period: {survey.fieldwork}."))
    if work is not None and work["national_completed"] is not None:
        rate = facts.percent(work, "national_response_rate", "fieldwork", share=True)
        invited = facts.number(work, "national_invited", "fieldwork")
        asked = f"Of {{invited}} {people} asked, " if work["national_invited"] is not None else ""
        left.append(
            paragraph(
                f"{asked}{{completed}} {'' if asked else people + ' '}answered across {{count}} {word}s, an adjusted response rate of {{rate}}.",
                completed=facts.number(work, "national_completed", "fieldwork"),
                count=facts.number(work, "organisations", "fieldwork"),
                invited=invited,
                rate=rate,
            )
        )
    left.append(
        paragraph(
            "The adjusted response rate is the number of useable questionnaires divided by the number of people asked, less those "
            "whose questionnaire could not be delivered and those who had died.",
            "note",
        )
    )
    right = (
        Heading("What this report is for"),
        paragraph(
            f"It shows how the people who use this {word}'s services rated their care, how that compares with every other "
            f"{word} in the survey, and what has changed."
        ),
        Bullets(
            (
                paragraph("{b} who answered, the main results and a poster.", b=Strong("Headline results:")),
                paragraph("{b} every section and question against all others.", b=Strong("Scoring and benchmarking:")),
                paragraph("{b} this year's scores beside earlier ones.", b=Strong("Change over time:")),
                paragraph("{b} the questions in each of seven bands.", b=Strong("Comparison:")),
                paragraph("{b} every setting, and what was inferred.", b=Strong("Method:")),
            )
        ),
        paragraph(
            "A survey shows where to look, not why. Use the results with what you know of your services, and with "
            "what people tell you in other ways."
        ),
    )
    return Page(
        "background", "About this survey and this report", (Columns(tuple(left), right),), "background", CHAPTER
    )


def key_terms(facts: OrganisationResults, grouped: bool = False) -> Page:
    """The words that a reader needs; `grouped` where each service group is standardised to its own respondents."""
    survey = facts.survey
    method = survey.method
    cells = listed([survey.demographic(c).title.lower() for c in survey.cells]) or "no characteristic"
    word, people = survey.organisation_word, survey.people
    minimum = Number(method.minimum_base, str(method.minimum_base), "settings/minimum_base")
    rules = rules_of(facts.group_results.results.provenance)
    nearest = rules.group_rounding if grouped and rules is not None else 1
    left = (
        Heading("Score"),
        paragraph(
            "Each answer is worth 0 to 10 points; 10 is the best experience. A question's score is the average of its answers."
        ),
        Heading("National average"),
        paragraph(
            f"The plain average of the scores of all {word}s whose score can be shown. Every {word} counts the same, whatever its size."
        ),
        Heading("Number of respondents"),
        paragraph(
            f"How many {people} gave an answer that counts. It differs from question to question."
            + (
                f" Here it is rounded to the nearest {nearest}, so that nobody can work out the size of a small group."
                if nearest > 1
                else ""
            )
        ),
        Heading("Results that are not shown"),
        paragraph(
            f"If fewer than {{minimum}} {people} gave an answer that counts, the question has no score, nor has its section. "
            "So few answers would say more of chance than of care, and might point to a person.",
            minimum=minimum,
        ),
    )
    right = (
        Heading("Standardisation"),
        paragraph(
            f"Older people tend to rate their care higher than younger people, and {word}s serve different people. So each "
            f"answer is weighted until every {word}'s respondents have the same mix of {cells} as all respondents {'of the same service group' if grouped else 'together'}."
        ),
        Heading("Expected range"),
        paragraph(
            f"The range in which a {word}'s score would lie if it were like the others, given how many people answered and how "
            f"far {word}s differ in the ordinary way. A single score outside it is unlikely to be chance; of many questions, a few are to be "
            "expected outside it."
        ),
        Heading("Statistically significant change"),
        paragraph(
            "A change between two years that is larger than the chance differences between two groups of respondents. "
            "'No change' means that the survey does not show a difference between the two years, not that they are the same."
        ),
    )
    return Page("terms", "Key terms", (Columns(left, right),), "terms", CHAPTER, new_sheet=False, new_slide=True)


def _by_chance(facts: OrganisationResults) -> Text:
    """How many of the questions with a band would fall outside the range by chance alone."""
    banded = [q for q in facts.questions if facts.row(q)["band"] is not None]
    chance, _, _ = expected_by_chance(len(banded))
    return paragraph(
        "Of {all} questions with a band, about {chance} would fall outside the expected range by chance alone.",
        all=facts.count(banded, "banded"),
        chance=Number(chance, rounded(chance), f"chance:90:{len(banded)}"),
    )


def how_to_read(facts: OrganisationResults) -> Page:
    return Page(
        "using",
        "Using the results",
        (
            Columns(
                (
                    Heading("Three questions to bring to a meeting"),
                    Bullets(
                        (
                            paragraph("Where are we outside the expected range, and do our other data agree?"),
                            paragraph("Where has a score changed by more than chance, and what did we do differently?"),
                            paragraph("Where are we about the same as everyone, but everyone's score is low?"),
                        ),
                        True,
                    ),
                    paragraph(
                        "The last matters: 'about the same' is a comparison, not a mark. A question can have a low score "
                        "everywhere."
                    ),
                ),
                (
                    Heading("What to be careful about"),
                    Bullets(
                        (
                            paragraph(
                                "A score rests on the people who answered; those who did not may have answered otherwise."
                            ),
                            _by_chance(facts),
                            paragraph(
                                "Two scores are not different merely because one is higher; look at the band or at the "
                                "verdict on change."
                            ),
                            paragraph(
                                "Figures are rounded to one decimal; everything was worked out from unrounded figures."
                            ),
                        )
                    ),
                ),
            ),
        ),
        "using",
        CHAPTER,
        new_sheet=False,
        new_slide=True,
    )

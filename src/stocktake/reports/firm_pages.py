"""How firm the bands are: chance among many comparisons, resampling, and what would change a band."""

from __future__ import annotations

from dataclasses import replace

from stocktake.compare.firmness import expected_by_chance
from stocktake.reports.facts import OrganisationResults, band_word
from stocktake.reports.group_results import Row
from stocktake.reports.model import Block, Bullets, Cell, Columns, Heading, Number, Page, Table, Text, paragraph
from stocktake.reports.words import per_cent, plural, rounded

# So many questions are the most unusual ones.
MOST_UNUSUAL = 10


def firmness(facts: OrganisationResults) -> list[Page]:
    """One page on how far the bands can be relied on; none where nothing has a band."""
    banded = [q for q in facts.questions if q in facts.firmness and facts.firmness[q]["band"] is not None]
    if not banded:
        return []
    outside = [q for q in banded if facts.row(q)["band"] != 4]
    word = facts.survey.organisation_word
    chance, far, _ = expected_by_chance(len(banded))
    left: list[Block] = [
        Heading("How many would stand out by chance?"),
        paragraph(
            f"Of {{all}} questions with a band, about {{chance}} would lie outside the expected range by chance alone, even if this {word} "
            "were just like the others; about {far} of these would be 'better' or 'worse', or further out. Here {here} lie outside.",
            all=facts.count(banded, "banded"),
            chance=Number(chance, rounded(chance), f"chance:90:{len(banded)}"),
            far=Number(far, rounded(far), f"chance:95:{len(banded)}"),
            here=facts.count(outside, "outside"),
        ),
        _discovery(facts, outside),
    ]
    resampled = [q for q in outside if facts.firmness[q]["p_outside"] is not None]
    if resampled:
        firm = [q for q in resampled if facts.firmness[q]["firm"]]
        lone = [q for q in resampled if facts.firmness[q]["survives"]]
        left += [
            Heading("If the survey were run again"),
            paragraph(
                "To see how much chance decides, each result was worked out many times from answers drawn at random from those given. {firm} of the "
                "{all} questions outside the range {stay} outside it in at least nine of ten draws. {lone} {keep} the same band whichever one "
                f"other {word} is left out.",
                firm=facts.count(firm, "outside in nine of ten draws"),
                all=facts.count(resampled, "outside"),
                lone=facts.count(lone, "band survives leaving out any one"),
                stay=plural(len(firm), "stays", "stay"),
                keep=plural(len(lone), "keeps", "keep"),
            ),
        ]
    left.append(
        paragraph(
            "A band close to its limit may be another one next time with nothing having changed. The sheet Firmness of the workbook has these "
            "figures for every question and section.",
            "note",
        )
    )
    right: list[Block] = [Heading("The questions outside the range")]
    if outside:
        right.append(_table(facts, outside, bool(resampled)))
        right.append(paragraph(_explained(bool(resampled), word), "note"))
    else:
        right.append(paragraph("There are none."))
    near = _nearest(facts, banded)
    if near:
        right += [Heading("Closest to standing out"), Bullets(tuple(near))]
    return [
        Page(
            "firmness",
            "How firm are these bands?",
            (Columns(tuple(left), tuple(right)),),
            "firmness",
            f"Comparison with other {word}s",
        )
    ]


def _discovery(facts: OrganisationResults, outside: list[str]) -> Text:
    """What remains when the many comparisons are allowed for."""
    rate = facts.survey.method.false_discovery
    if rate is None:
        small = [q for q in outside if facts.firmness[q]["stands_at_5"]]
        if not small:
            return paragraph(
                "After allowing for so many comparisons (Benjamini and Hochberg, at five per cent), none of them stands firm by itself. The "
                "bands themselves do not allow for it."
            )
        return paragraph(
            "After allowing for so many comparisons (Benjamini and Hochberg, at five per cent), {some} of them {stand} firm by {own}. The bands "
            "themselves do not allow for it.",
            some=facts.count(small, "q at most 0.05"),
            stand=plural(len(small), "stands", "stand"),
            own=plural(len(small), "itself", "themselves"),
        )
    kept = [q for q in outside if facts.firmness[q]["stands"]]
    return paragraph(
        f"With a false discovery rate of {per_cent(100 * rate)} (a setting), {{some}} of them {plural(len(kept), 'stands', 'stand')}. The bands "
        "themselves do not allow for it.",
        some=facts.count(kept, "stands"),
    )


def _table(facts: OrganisationResults, outside: list[str], resampled: bool) -> Table:
    header = ["Question", "Band", "Points to nearest limit"]
    widths = [0.95, 1.85, 0.9]
    if resampled:
        header += ["Chance of lying outside", "Same band without any one", "People for next better band"]
        widths += [0.95, 1.05, 1.0]
    rows = []
    for q in sorted(outside, key=lambda q: -abs(facts.row(q)["z"])):
        row = facts.firmness[q]
        cells: list[Cell] = [
            q,
            band_word(facts.survey, facts.row(q)),
            _gap(facts, row, "nearest_limit"),
        ]
        if resampled:
            cells += [
                facts.percent(row, "p_outside", "firmness", share=True),
                _yes(row),
                facts.number(row, "steps_to_better", "firmness"),
            ]
        rows.append(tuple(cells))
    return Table("Questions outside the expected range", tuple(header), tuple(rows), widths=tuple(widths))


def _yes(row: Row) -> str:
    if row["survives"] is None:
        return "-"
    return "yes" if row["survives"] else "no"


def _explained(resampled: bool, word: str) -> str:
    order = "The furthest from the average in units of its own spread comes first."
    if resampled:
        order += (
            f" Same band without any one: whether the band is the same whichever one other {word} is left out. People: how many respondents "
            "would have had to answer one step better; a dash where all of them together would not do, or there is no better band."
        )
    return order


def _gap(facts: OrganisationResults, row: Row, column: str) -> Cell:
    """Score points to a limit, never '0.0'."""
    number = facts.number(row, column, "firmness")
    if isinstance(number, Number) and number.value == 0:
        return replace(number, text="under 0.1")
    return number


def _nearest(facts: OrganisationResults, banded: list[str]) -> list[Text]:
    """Up to three questions about the same that come closest to a limit, in units of S."""
    same = [q for q in banded if facts.row(q)["band"] == 4]
    out = []
    chosen = sorted(same, key=lambda q: -abs(facts.row(q)["z"]))[:3]
    for q in sorted(chosen, key=lambda q: facts.firmness[q]["nearest_limit"] or 0):
        up = facts.row(q)["z"] > 0
        row = facts.firmness[q]
        gap = _gap(facts, row, "to_better" if up else "to_worse")
        if isinstance(gap, Number):
            out.append(
                paragraph(f"{facts.named(q)}: {{gap}} points from somewhat {'better' if up else 'worse'}.", gap=gap)
            )
    return out


def unusual(facts: OrganisationResults) -> Table | None:
    """The questions on which an organisation is furthest from the average in units of S, with the direction."""
    banded = [q for q in facts.questions if facts.row(q)["z"] is not None]
    if not banded:
        return None
    chosen = sorted(banded, key=lambda q: -abs(facts.row(q)["z"]))[:MOST_UNUSUAL]
    firm = any(facts.firmness.get(q, {}).get("p_outside") is not None for q in chosen)
    header = ["Question", "Direction", "Score", "Average", "z", "Band"]
    if firm:
        header += ["Outside if drawn anew", "People for the next better band"]
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
        "Same band if drawn anew",
        "Outside if drawn anew",
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

"""The service-group report: each group of an organisation's services by its own rules."""

from __future__ import annotations

from dataclasses import dataclass

from stocktake.compare.suppress import BESIDE
from stocktake.disclosure.rules import rules_of
from stocktake.reports import back, change_pages, firm_pages, front, headline, question_pages, scorecard
from stocktake.reports.charts import PlainBars
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.group_results import group_results
from stocktake.reports.model import (
    Block,
    Bullets,
    Cell,
    Columns,
    Figure,
    Heading,
    KeepTogether,
    Link,
    Number,
    Page,
    Report,
    Strong,
    Table,
    as_chapter,
    paragraph,
)
from stocktake.reports.words import listed, rounded
from stocktake.results import Results
from stocktake.survey.instrument import Group, Survey


@dataclass(frozen=True)
class _Part:
    """One group with the organisation's results in it."""

    group: Group
    facts: OrganisationResults

    @property
    def there(self) -> bool:
        return any(self.facts.row(q)["status"] != "no data" for q in self.facts.questions)

    @property
    def prefix(self) -> str:
        return f"{self.group.code}-"

    @property
    def left_out(self) -> list[str]:
        """Questions that no organisation has a score for in this group."""
        return list(self.facts.group_results.left_out)


def service_groups(
    results: Results, survey: Survey, organisation: str, *, contact: str = "", notice: str = ""
) -> Report | None:
    """The report of one organisation's service groups; None for a survey without groups."""
    grouped = set(results.scores["group"].unique())
    parts = [
        _Part(g, OrganisationResults(group_results(results, survey, g.code), organisation))
        for g in survey.groups
        if g.code in grouped
    ]
    if not parts:
        return None
    whole = OrganisationResults(group_results(results, survey), organisation)
    pages: list[Page] = [
        front.cover(whole),
        _glance(whole, parts, notice),
        front.contents(),
        front.background(whole),
        _about(whole, parts),
        front.key_terms(whole, grouped=survey.method.group_reference == "own"),
        question_pages.how_scored(whole),
    ]
    if not any(p.there for p in parts):
        return _report(whole, [front.cover(whole), _without(whole, notice)], notice)
    if any(p.group.compared and p.there for p in parts):
        pages.append(question_pages.how_to_interpret(whole))
    for part in parts:
        pages += as_chapter(_group(part), part.prefix, part.group.title)
    pages += back.method(next((p.facts for p in parts if p.group.compared), whole), results)
    pages += back.sources(whole, contact)
    return _report(whole, pages, notice)


def _report(whole: OrganisationResults, pages: list[Page], notice: str) -> Report:
    return whole.report(
        pages, "service-group report", "Results by kind of service", notice=notice, kind="service groups"
    )


def _short(group: Group) -> str:
    """What the report has of a group, in few words."""
    return {
        "full": "sections, questions, change",
        "questions": "questions, change",
        "scores": "scores, not compared",
    }[group.report]


def _without(whole: OrganisationResults, notice: str) -> Page:
    """In place of everything else, for an organisation whose respondents have no service group."""
    word = whole.survey.organisation_word
    return Page(
        "no-data",
        "No results by service group",
        (
            paragraph(
                f"None of this {word}'s respondents is known to have used one of the service groups, so there are no results by group.",
                "lead",
            ),
            paragraph(
                f"Which service a person mainly used is reported by the {word}. The results of all its respondents together are in its "
                "benchmark report."
            ),
            *([paragraph(notice, "verdict")] if notice else []),
        ),
        "glance",
        level=1,
    )


def _glance(whole: OrganisationResults, parts: list[_Part], notice: str) -> Page:
    """Which groups there are, how many answered in each, and their results in brief."""
    rows: list[tuple[Cell, ...]] = []
    for part in parts:
        facts, work = part.facts, part.facts.work()
        completed = "-" if work is None else facts.number(work, "completed", "fieldwork")
        rate = "-" if work is None else facts.percent(work, "response_rate", "fieldwork", share=True)
        better: Cell = "-"
        worse: Cell = "-"
        if facts.shown and part.group.compared:
            better = facts.count([q for b in (5, 6, 7) for q in facts.by_band[b]], f"better {part.group.code}")
            worse = facts.count([q for b in (1, 2, 3) for q in facts.by_band[b]], f"worse {part.group.code}")
        shown = facts.count(facts.shown, f"shown {part.group.code}") if facts.shown else "-"
        holds = _short(part.group) if facts.shown else "nothing that can be shown" if part.there else "no data"
        rows.append((part.group.title, completed, rate, shown, better, worse, holds))
    header = (
        "Service group",
        "Answered",
        "Response rate",
        "Questions shown",
        "Above range",
        "Below range",
        "In this report",
    )
    return Page(
        "glance",
        "The result by service group",
        (
            Table("Service groups", header, tuple(rows), widths=(3, 0.9, 0.9, 1, 0.8, 0.8, 1.9)),
            paragraph(
                "A dash marks a figure that is not shown, or does not exist. Above and below range count questions outside the expected range "
                f"among the same group's services elsewhere.{_rounding(whole)}",
                "note",
            ),
            *([paragraph(notice, "verdict")] if notice else []),
            Heading("Where to go next", 3),
            Bullets(tuple(paragraph("{link}", link=Link(p.group.title, f"{p.prefix}start")) for p in parts)),
        ),
        "glance",
        level=1,
    )


def _rounding(facts: OrganisationResults) -> str:
    """How numbers of people in a group are rounded, as a sentence after another; nothing where they are not."""
    rules = rules_of(facts.group_results.results.provenance)
    if rules is None or rules.group_rounding == 1:
        return ""
    return f" Numbers of people are rounded to the nearest {rules.group_rounding}."


def _protecting(facts: OrganisationResults) -> bool:
    """Whether something here may be withheld for the sake of a smaller group."""
    return any(facts.row(q)["reason"] == BESIDE for q in facts.questions)


def _about(whole: OrganisationResults, parts: list[_Part]) -> Page:
    survey = whole.survey
    word, people = survey.organisation_word, survey.people
    right: list[Block] = [Heading("What each group's pages hold")]
    right.append(
        Bullets(
            tuple(
                paragraph(
                    f"{{b}} {_rule(p.group, word)}{f' {p.group.note}' if p.group.note else ''}",
                    b=Strong(f"{p.group.title}:"),
                )
                for p in parts
            )
        )
    )
    own = survey.method.group_reference == "own"
    standard = "the same kind of service in all" if own else "all services of all"
    left = (
        Heading("Why by service group?"),
        paragraph(
            f"People of different ages use different services and rate them differently. A {word} with many older people would look better than "
            "one with few if all were taken together, though each service were the same."
        ),
        paragraph(
            f"So each group is treated as a survey of its own: its own averages, its own expected range, and its own weights, which match "
            f"the {people} of each {word} to those of {standard} {word}s."
        ),
        paragraph(
            f"Which service a person mainly used was reported by the {word}. A few people have no group and are in none of these results, so the "
            "groups do not add up to the whole.",
        ),
    )
    return Page(
        "groups", "About service groups", (Columns(left, tuple(right)),), "groups", front.CHAPTER,
        new_sheet=False, new_slide=True,
    )  # fmt: skip


def _rule(group: Group, word: str) -> str:
    return {
        "full": f"every section and question against other {word}s, change over time, and lists by band.",
        "questions": f"every question against other {word}s, change over time, and lists by band.",
        "scores": "scores and numbers of respondents alone.",
    }[group.report]


def _group(part: _Part) -> list[Page]:
    facts = part.facts
    if not part.there:
        return [_nothing(part)]
    if not facts.shown:
        return [_too_few(part)]
    pages = [_opening(part)]
    if part.group.report == "scores":
        return [*pages, *_plain(part)]
    chapter = part.group.title
    pages += [
        headline.summary(facts),
        scorecard.scorecard(facts, chapter, 2),
        *scorecard.change_page(facts, chapter, 2),
    ]
    left_out = set(part.left_out)
    for section in facts.survey.sections:
        asked = [q.code for q in facts.survey.members(section.code) if q.code not in left_out]
        if not asked:
            continue
        if part.group.report == "full":
            pages += question_pages.section(facts, section.code, not any(p.kind == "section" for p in pages))
        else:
            pages.append(_starred(facts, section.code, asked, first=not any(p.kind == "questions" for p in pages)))
    pages += change_pages.pages(facts)
    pages.append(back.comparison(facts))
    pages += firm_pages.firmness(facts)
    pages.append(back.figures(facts))
    return pages


def _nothing(part: _Part) -> Page:
    survey = part.facts.survey
    word = survey.organisation_word
    return Page(
        "no-data",
        f"{part.group.title}: no data",
        (
            paragraph(f"There are no results of this {word} for this service group: nobody in it answered.", "lead"),
            paragraph(
                f"Either the {word} has no such service, or nobody of it was in the sample or answered. It takes no part in the averages of this "
                "group."
            ),
        ),
        "start",
    )


def _too_few(part: _Part) -> Page:
    survey = part.facts.survey
    minimum = Number(survey.method.minimum_base, str(survey.method.minimum_base), "settings/minimum_base")
    few = f"Fewer than {{minimum}} {survey.people} of this service group gave an answer that counts to each of the questions"
    if _protecting(part.facts):
        few += ", or so few of another group did that their results could be worked out from these"
    return Page(
        "no-data",
        f"{part.group.title}: nothing that can be shown",
        (
            paragraph(f"{few}, so none of its scores can be shown.", "lead", minimum=minimum),
            paragraph("So few answers would say more of chance than of care, and might point to a person."),
        ),
        "start",
    )


def _opening(part: _Part) -> Page:
    facts, group = part.facts, part.group
    blocks: list[Block] = [headline.cards(facts)]
    if group.note:
        blocks.append(paragraph(group.note, "verdict"))
    word = facts.survey.organisation_word
    work = facts.work()
    if work is not None and work["national_completed"] is not None:
        blocks.append(
            paragraph(
                f"Over all {word}s {{completed}} {facts.survey.people} of this group answered.",
                completed=facts.number(work, "national_completed", "fieldwork"),
            )
        )
    some = sorted({code for ranked in facts.group_results.ranked.values() for code, _, _ in ranked})
    blocks.append(
        paragraph(
            f"{{count}} {word}s have at least one score that can be shown in this group.",
            count=facts.count(some, f"organisations in {group.code}"),
        )
    )
    if part.left_out:
        blocks += [
            Heading("Left out for every one", 3),
            paragraph(
                f"No {word} has enough answers in this group, so these questions are left out: {listed(part.left_out)}."
            ),
        ]
        gone = [
            s.number
            for s in facts.survey.sections
            if all(q.code in part.left_out for q in facts.survey.members(s.code))
        ]
        if gone:
            blocks.append(
                paragraph(
                    f"Sections without any question left are not in this chapter: {listed([str(n) for n in gone])}.",
                    "note",
                )
            )
    hidden = [q for q in facts.questions if q not in facts.shown]
    if hidden:
        blocks.append(
            paragraph(
                f"Not shown for this {word} alone, because too few people answered"
                f"{', here or in another group whose results could be worked out' if _protecting(facts) else ''}: {listed(hidden)}.",
                "note",
            )
        )
    return Page("who", "Who answered, and what is shown", tuple(blocks), "start")


def _plain(part: _Part) -> list[Page]:
    """Bars of the scores alone, section by section."""
    facts = part.facts
    left_out = set(part.left_out)
    pages: list[Page] = []
    for section in facts.survey.sections:
        asked = [q.code for q in facts.survey.members(section.code) if q.code not in left_out]
        if not asked:
            continue
        rows = [facts.row(q) for q in asked]
        bars = tuple((r["measure"], r["score"], r["n"]) for r in rows)
        alt = "Bars of scores: " + listed([f"{q} {'not shown' if s is None else rounded(s)}" for q, s, _ in bars])
        table = Table(
            f"{facts.section_title(section.code)}: scores",
            ("Question", "Respondents", "Score"),
            tuple((facts.heading(r["measure"]), facts.number(r, "n"), facts.number(r, "score")) for r in rows),
            widths=(4.2, 1.1, 0.7),
        )
        shown: tuple[Block, ...] = (Figure(PlainBars(bars, f"{alt}.")),)
        if all(r["score"] is None for r in rows):
            shown = (paragraph(str(rows[0]["reason"]), "note"),)
        body = KeepTogether((Columns(shown, (table,), 0.8), *question_pages.unconfirmed(facts, asked)))
        pages.append(
            Page("scores", facts.section_title(section.code), (body,), f"section-{section.code}", new_sheet=not pages)
        )
    return pages


def _starred(facts: OrganisationResults, section: str, asked: list[str], first: bool) -> Page:
    """Question charts with a star and the average's line, without a section score; the key comes before the first."""
    about = paragraph(
        f"The star is your {facts.survey.organisation_word}'s score; the blue line is the national average.", "note"
    )
    return Page(
        "questions",
        facts.section_title(section),
        (
            *((question_pages.key(facts, own=False), about) if first else ()),
            *(question_pages.question(facts, q, star=True) for q in asked),
            *question_pages.unconfirmed(facts, asked),
        ),
        f"section-{section}",
        new_sheet=first,
    )

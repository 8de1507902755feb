"""The trust benchmark report: which pages it has, in which order."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from stocktake.reports import back, change_pages, front, headline, question_pages
from stocktake.reports.facts import Facts, Field
from stocktake.reports.model import Page, Report
from stocktake.results import Results
from stocktake.survey.instrument import Survey


@lru_cache(maxsize=4)
def _field(digest: str, results: _ByIdentity, survey: _ByIdentity) -> Field:
    return Field(results.value, survey.value)


class _ByIdentity:
    """A value told apart by its identity, so that what is made from it once can be found again."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.value is self.value


def trust_benchmark(
    results: Results, survey: Survey, organisation: str, *, contact: str = "", notice: str = ""
) -> Report:
    """The whole story of one organisation from results alone; `contact` and `notice` are printed where given."""
    facts = Facts(_field(results.digest, _ByIdentity(results), _ByIdentity(survey)), organisation)
    pages: list[Page] = [
        front.cover(facts),
        front.nothing_to_show(facts, notice),
        front.background(facts),
        front.key_terms(facts),
        *back.method(facts, results),
        back.figures(facts),
        *back.sources(facts, contact),
    ]
    if facts.shown:
        pages = _whole(facts, results, contact, notice)
    return Report(
        title=f"{survey.title}: benchmark report",
        subtitle="How people's experiences compare with all trusts"
        if survey.organisation_word == "trust"
        else "How people's experiences compare",
        organisation=facts.name,
        organisation_code=organisation,
        date_line=survey.programme,
        pages=tuple(pages),
        digest=results.digest,
        notice=notice,
        keywords=(survey.code, organisation, results.digest),
    )


def _whole(facts: Facts, results: Results, contact: str, notice: str) -> list[Page]:
    """Every page, for an organisation with results to show."""
    survey = facts.survey
    return [
        front.cover(facts),
        front.at_a_glance(facts, notice),
        front.contents(),
        front.background(facts),
        front.key_terms(facts),
        front.how_to_read(facts),
        *headline.who_took_part(facts),
        headline.summary(facts),
        headline.best_and_worst(facts),
        *headline.poster(facts, contact, notice),
        question_pages.how_scored(facts),
        question_pages.how_to_interpret(facts),
        *(page for s in survey.sections for page in question_pages.section(facts, s.code)),
        *change_pages.pages(facts),
        back.comparison(facts),
        *back.method(facts, results),
        back.figures(facts),
        *back.sources(facts, contact),
    ]

"""The trust benchmark report: which pages it has, in which order."""

from __future__ import annotations

from stocktake.reports import back, change_pages, firm_pages, front, headline, question_pages, scorecard
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.group_results import group_results
from stocktake.reports.model import Page, Report
from stocktake.results import Results
from stocktake.survey.instrument import Survey


def trust_benchmark(
    results: Results, survey: Survey, organisation: str, *, contact: str = "", notice: str = "", actions: int = 0
) -> Report:
    """The benchmark report of one organisation, from its results; `contact` and `notice` are printed where given.

    With `actions` its poster has so many empty lines for what the organisation will do.
    """
    facts = OrganisationResults(group_results(results, survey), organisation)
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
        pages = _whole(facts, results, contact, notice, actions)
    subtitle = "How people's experiences compare"
    if survey.organisation_word == "trust":
        subtitle += " with all trusts"
    return facts.report(pages, "benchmark report", subtitle, notice=notice)


def web_report(results: Results, survey: Survey, organisation: str, *, notice: str = "") -> Report:
    """What the web edition has of an organisation's report: its other pages are the same for all, or drawn otherwise there."""
    facts = OrganisationResults(group_results(results, survey), organisation)
    pages = [front.nothing_to_show(facts, notice)]
    if facts.shown:
        pages = [
            front.at_a_glance(facts, notice, links=False),
            *headline.who_took_part(facts),
            *(page for s in survey.sections for page in question_pages.section(facts, s.code)),
            *scorecard.change_page(facts, links=False),
            *change_pages.pages(facts, courses=False),
        ]
    return facts.report(pages, "benchmark report", notice=notice)


def _whole(facts: OrganisationResults, results: Results, contact: str, notice: str, actions: int) -> list[Page]:
    """Every page, for an organisation with results to show."""
    survey = facts.survey
    return [
        front.cover(facts),
        front.at_a_glance(facts, notice),
        scorecard.scorecard(facts),
        *scorecard.change_page(facts),
        front.contents(),
        front.background(facts),
        front.key_terms(facts),
        front.how_to_read(facts),
        *headline.who_took_part(facts),
        headline.summary(facts),
        headline.best_and_worst(facts),
        *headline.poster(facts, contact, notice, actions=actions),
        question_pages.how_scored(facts),
        question_pages.how_to_interpret(facts),
        *(page for i, s in enumerate(survey.sections) for page in question_pages.section(facts, s.code, i == 0)),
        *change_pages.pages(facts),
        back.comparison(facts),
        *firm_pages.firmness(facts),
        *back.method(facts, results),
        back.figures(facts),
        *back.sources(facts, contact),
    ]

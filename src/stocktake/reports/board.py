"""The short version for a board: at most ten slides, the answers first."""

from __future__ import annotations

from stocktake.reports import front, headline, scorecard
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.group_results import group_results
from stocktake.reports.model import Page, Report
from stocktake.results import Results
from stocktake.survey.instrument import Survey

# With more questions than this each of the two long charts takes three slides, and there is no room for advice.
SHORT = 40


def board(results: Results, survey: Survey, organisation: str, *, contact: str = "", notice: str = "") -> Report | None:
    """The board version of an organisation's report; None where nothing can be shown."""
    facts = OrganisationResults(group_results(results, survey), organisation)
    if not facts.shown:
        return None
    pages: list[Page] = [
        front.cover(facts),
        front.at_a_glance(facts, notice, links=False),
        scorecard.scorecard(facts),
        *scorecard.change_page(facts, links=False),
        headline.summary(facts),
        headline.best_and_worst(facts, charts=False),
    ]
    if len(facts.questions) <= SHORT:
        pages.append(front.how_to_read(facts))
    subtitle = "The answers first; the benchmark report has every chart and the method"
    return facts.report(pages, "results for the board", subtitle, notice=notice, kind="board")

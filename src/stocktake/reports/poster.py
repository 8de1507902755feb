"""The poster as a document of its own."""

from __future__ import annotations

from stocktake.reports import headline
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.group_results import group_results
from stocktake.reports.model import Report
from stocktake.results import Results
from stocktake.survey.instrument import Survey


def poster(
    results: Results, survey: Survey, organisation: str, *, contact: str = "", notice: str = "", actions: int = 0
) -> Report | None:
    """The one-page poster of an organisation; None where the questions have no wording, or nothing can be shown.

    With `actions` it has so many empty lines for what the organisation will do.
    """
    facts = OrganisationResults(group_results(results, survey), organisation)
    pages = headline.poster(facts, contact, notice, chapter="", actions=actions) if facts.shown else []
    if not pages:
        return None
    return facts.report(pages, "poster", notice=notice, kind="poster", code=False)

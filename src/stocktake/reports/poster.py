"""The poster as a document of its own."""

from __future__ import annotations

from stocktake.reports import headline
from stocktake.reports.facts import OrganisationResults, group_results
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
    return Report(
        title=f"{survey.title}: poster",
        subtitle="",
        organisation=facts.name,
        organisation_code=organisation,
        date_line=survey.programme,
        pages=tuple(pages),
        digest=results.digest,
        notice=notice,
        keywords=(survey.code, organisation, "poster", results.digest),
    )

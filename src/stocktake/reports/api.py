"""What programs read of a site: documents of stated shape, version 1, with figures of at most two decimals.

What is not known, or not shown, is left out of a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from stocktake.reports.facts import OrganisationResults
from stocktake.reports.group_results import GroupResults, Row

API = "v1"
# Figures of documents have at most so many decimals.
DECIMALS = 2


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Change(_Document):
    """Change of a score since an earlier wave."""

    since: int = Field(description="earlier wave")
    difference: float | None = Field(None, description="points, now less then")
    lower: float | None = Field(None, description="lower end of its interval, at the level of the test")
    upper: float | None = Field(None, description="upper end of its interval, at the level of the test")
    verdict: str | None = Field(None, description="Increase, Decrease or No change; left out where it was not compared")


class Score(_Document):
    """One organisation's result on one question or section."""

    code: str = Field(description="code of the question or section, or of the organisation in a measure's document")
    n: int | None = Field(None, description="people whose answer was scored")
    score: float | None = Field(None, description="standardised mean score, 0 to 10; left out where it is not shown")
    lower_95: float | None = Field(None, description="lower end of its 95% interval")
    upper_95: float | None = Field(None, description="upper end of its 95% interval")
    band: int | None = Field(
        None, description="1, much worse than expected, to 7, much better; left out where there is none"
    )
    z: float | None = Field(None, description="distance from the average in units of the spread to be expected")
    status: str | None = Field(
        None, description="why there is no score or no band: withheld, left out, not banded, no data or not published"
    )
    change: Change | None = Field(None, description="change since the wave before, where there is one")


class Named(_Document):
    """An organisation or measure of the site."""

    code: str
    name: str = Field(description="name of an organisation, wording of a question or title of a section")
    kind: str = Field("", description="kind of organisation; question or section of a measure")
    region: str = Field("", description="region of an organisation")
    section: str = Field("", description="code of a question's section")


class _Head(_Document):
    api: str = Field(API, description="version of this format")
    survey: str
    year: int
    digest: str = Field(description="fingerprint of the results")
    notice: str = Field("", description="what must be said with every figure")
    licence: str = Field("", description="on which terms the figures may be used")


class Index(_Head):
    """Everything that a site has, by code."""

    organisations: tuple[Named, ...]
    measures: tuple[Named, ...]


class OrganisationDocument(_Head):
    """Every result of one organisation."""

    code: str
    name: str
    kind: str = ""
    region: str = ""
    completed: int | None = Field(None, description="useable questionnaires")
    response_rate: float | None = Field(None, description="adjusted response rate, 0 to 1")
    scores: tuple[Score, ...]


class MeasureDocument(_Head):
    """Every organisation's result on one question or section."""

    code: str
    title: str
    average: float | None = Field(None, description="plain average of the shown scores")
    lowest: float | None = None
    highest: float | None = None
    organisations: int = Field(description="organisations with a score that is shown")
    scores: tuple[Score, ...]


DOCUMENTS: dict[str, type[_Head]] = {
    "index": Index,
    "organisation": OrganisationDocument,
    "measure": MeasureDocument,
}


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema of every document by its name."""
    return {name: model.model_json_schema() for name, model in DOCUMENTS.items()}


def _round(value: float | None, places: int = DECIMALS) -> float | None:
    """A figure at the precision of the documents; the results of a published workbook have more."""
    return None if value is None else round(value, places)


def _score(code: str, row: Row, change: Row | None) -> Score:
    since = None
    if change is not None:
        since = Change(
            since=change["year_then"],
            difference=_round(change["difference"]),
            lower=_round(change["lower"]),
            upper=_round(change["upper"]),
            verdict=change["verdict"],
        )
    return Score(
        code=code,
        n=row["n"],
        score=_round(row["score"]),
        lower_95=_round(row["lower_95"]),
        upper_95=_round(row["upper_95"]),
        band=row["band"],
        z=_round(row["z"]),
        status=None if row["status"] == "shown" else row["status"],
        change=since,
    )


def organisation_document(
    facts: OrganisationResults, head: Mapping[str, str], place: tuple[str, str], measures: list[str]
) -> OrganisationDocument:
    """The document of one organisation; `head` is what all documents say."""
    work = facts.work() or {}
    scores = tuple(
        _score(m, facts.row(m), facts.changes.get((facts.earlier, m)) if facts.earlier is not None else None)
        for m in measures
    )
    return OrganisationDocument(
        survey=facts.survey.code,
        year=facts.year,
        code=facts.code,
        name=facts.name,
        kind=place[0],
        region=place[1],
        completed=work.get("completed"),
        response_rate=_round(work.get("response_rate"), 4),
        scores=scores,
        **head,
    )


def measure_document(field: GroupResults, measure: str, title: str, head: Mapping[str, str]) -> MeasureDocument:
    """The document of one measure."""
    survey = field.survey
    row, changes = field.measures[survey.year, measure], field.changes_of(measure)
    return MeasureDocument(
        survey=survey.code,
        year=survey.year,
        code=measure,
        title=title,
        average=_round(row["centre"]),
        lowest=_round(row["lowest"]),
        highest=_round(row["highest"]),
        organisations=row["organisations"],
        scores=tuple(_score(code, r, changes.get(code)) for code, r in field.of_measure(measure).items()),
        **head,
    )

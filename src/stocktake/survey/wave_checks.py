"""What is found wrong with a wave as a whole, once it is counted."""

from __future__ import annotations

import numpy as np
import polars as pl

from stocktake.survey.counts import Counts
from stocktake.survey.fieldwork import Fieldwork
from stocktake.survey.findings import Findings
from stocktake.survey.instrument import Method, Survey
from stocktake.survey.responses import Intake
from stocktake.survey.sample import Sample
from stocktake.survey.scores import cell_respondents
from stocktake.survey.weights import standardise

# What is found by comparing organisations with one another, and so anew where counts are added.
ACROSS_ORGANISATIONS = ("empty cell", "weight capped", "no respondents")


def find_across_organisations(
    counts: Counts, fieldwork: Fieldwork, survey: Survey, method: Method, file: str, findings: Findings
) -> None:
    _cells(counts, survey, method, file, findings)
    for o in np.flatnonzero((fieldwork.invited[0] > 0) & (fieldwork.completed[0] == 0)):
        findings.add(
            "no respondents",
            file,
            [0],
            survey.columns.organisation,
            expected="at least one",
            facts=[counts.layout.organisations[o]],
        )


def find_outcomes(
    allowed: float, sample: Sample, respondents: list[pl.Series | None], survey: Survey, findings: Findings
) -> None:
    """Compare the sample file's useable completes with the questionnaires that are left."""
    if not respondents or any(r is None for r in respondents):
        return
    answered = pl.concat([r for r in respondents if r is not None])
    people = sample.people.with_columns(
        pl.col("respondent").is_in(answered.implode()).alias("answered"),
        pl.col("sample_outcome").is_in(list(survey.outcomes.useable)).alias("useable"),
    )
    odd = people.filter(pl.col("answered") != pl.col("useable"))
    claimed = odd["useable"].sum()
    for count, value, expected in (
        (claimed, "returned useable, but no useable answers", "a useable row in the response file"),
        (odd.height - claimed, "not returned useable, but there are answers", "an outcome of returned useable"),
    ):
        if count:
            findings.add(
                "outcome disagrees",
                sample.file,
                [0],
                survey.columns.outcome,
                expected=expected,
                facts=[f"{count} people: {value}"],
            )
    returned = int(people["useable"].sum())
    if returned and claimed / returned > allowed:
        findings.add(
            "too few responses",
            sample.file,
            [0],
            survey.columns.outcome,
            expected=f"at most {allowed:.0%}",
            facts=[f"{claimed} of {returned} returned useable have no useable answers"],
            blocks=True,
        )


def find_wrong_codes(findings: Findings, intake: Intake, rows: int) -> None:
    """A column in which wrong codes are no exception is another coding, and its results would be meaningless."""
    for column, many in findings.by_column("code not in the question").items():
        if many > rows * intake.method.maximum_rejected:
            findings.add(
                "too many wrong codes",
                intake.table.name,
                [0],
                column,
                expected="the option codes of the instrument, not their labels or another coding",
                facts=[f"{many} of {rows} rows"],
                blocks=True,
            )


def find_sample_sizes(sample: Sample, intake: Intake, expected: int, findings: Findings) -> None:
    for organisation, size in zip(intake.layout.organisations, sample.invited[0], strict=True):
        if 0 < size < expected:
            findings.add(
                "sample size",
                sample.file,
                [0],
                intake.survey.columns.organisation,
                expected=f"at least {expected} people",
                facts=[f"{organisation}: {size}"],
            )


def _cells(counts: Counts, survey: Survey, method: Method, file: str, findings: Findings) -> None:
    """Name every cell that is empty in an organisation, and every weight above the cap."""
    respondents = cell_respondents(counts)
    weights = standardise(respondents, method.cap)
    for check, marked, expected in (
        ("empty cell", weights.empty, "at least one respondent"),
        ("weight capped", weights.capped, f"a weight of at most {method.cap}"),
    ):
        for o, c in zip(*np.nonzero(marked), strict=True):
            findings.add(
                check,
                file,
                [0],
                ", ".join(survey.cells),
                expected=expected,
                facts=[f"{counts.layout.organisations[o]}: {survey.cell_labels[c]}"],
            )

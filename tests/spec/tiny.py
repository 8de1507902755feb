"""Surveys of a few people for tests whose figures are worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import pytest

import stocktake as st
from helpers import small_survey
from stocktake.run.core import Run
from stocktake.survey.instrument import Method, Survey

# The codes of a question with two scored options: 0 points, 10 points, and an answer that is not scored.
NO, YES, UNSURE = 1, 2, 3

# No limit and no adjustment, so that a test meets only the setting that it is about.
PLAIN = Method(
    cap=None, minimum_base=1, minimum_answers=0, maximum_rejected=1, winsorise=0, draws=0, standard_error="linearised"
)

People = list[dict[str, Any]]
Test = Callable[..., None]

# The tests of each setting, by its name: a field of Method, or of another part of an instrument as Part.field.
TESTED: dict[str, list[str]] = {}


def covers(*names: str) -> Callable[[Test], Test]:
    """Enter a test for the settings that it is about."""

    def enter(test: Test) -> Test:
        for name in names:
            TESTED.setdefault(name, []).append(test.__name__)
        return test

    return enter


def held(runs: Mapping[Any, Run], figure: Callable[[Run], float | None], expected: Mapping[Any, float | None]) -> None:
    """Hold a figure to what is expected with each value of a setting; the values must not all give the same."""
    assert len(set(expected.values())) > 1, "the setting changes nothing here"
    assert set(runs) == set(expected)
    for value, number in expected.items():
        found = figure(runs[value])
        if number is None:
            assert found is None, f"with {value!r}: {found}, expected none"
        else:
            assert found == pytest.approx(number, rel=1e-9), f"with {value!r}"


def survey(
    questions: Sequence[int] = (2,),
    *,
    groups: tuple[str, ...] = (),
    method: Method = PLAIN,
    profile: bool = False,
) -> Survey:
    """One section of questions Q1, Q2 and so on with so many scored options each, and two kinds of people as cells.

    How many are of each kind is a table of the results only where a test wants it.
    """
    chosen = small_survey({"S01": list(questions)}, cells=2, groups=groups, method=method)
    kind = chosen.demographics[0].model_copy(update={"show": profile})
    return chosen.model_copy(update={"demographics": (kind,)})


def some(number: int, organisation: str, kind: int | None = 1, **answers: Any) -> People:
    """So many people of one organisation and kind who answer alike; `service` and other columns go with the answers."""
    return [{"organisation": organisation, "kind": kind, **answers}] * number


def share(organisation: str, yes: int, out_of: int, question: str = "Q1") -> People:
    """People of kind 1 of whom some answer with 10 points and the others with 0.

    Their weights are all 1 where nobody is of another kind: the score is y = 10 yes / n, its variance y (10 - y) / n.
    """
    return some(yes, organisation, **{question: YES}) + some(out_of - yes, organisation, **{question: NO})


def frame(*people: People) -> pl.DataFrame:
    """A response file, with identifiers r0, r1 and so on."""
    rows = [row for part in people for row in part]
    table = pl.DataFrame(rows, infer_schema_length=None)
    return table.with_columns(pl.Series("respondent", [f"r{i}" for i in range(table.height)]))


def invited(*people: tuple[int, str, int], **columns: Sequence[Any]) -> pl.DataFrame:
    """A sample file from (number, organisation, outcome), with the identifiers r0, r1 and so on that `frame` gives."""
    rows = [(organisation, outcome) for number, organisation, outcome in people for _ in range(number)]
    table = pl.DataFrame(rows, schema=["organisation", "outcome"], orient="row")
    given = [pl.Series(name, list(values)) for name, values in columns.items()]
    return table.with_columns(pl.Series("respondent", [f"r{i}" for i in range(len(rows))]), *given)


def run(
    instrument: Survey,
    responses: pl.DataFrame,
    *,
    sample: pl.DataFrame | None = None,
    earlier: Mapping[int, pl.DataFrame] | None = None,
    **settings: Any,
) -> Run:
    """Benchmark tables in memory, with settings laid over the instrument's."""
    then = {year: {"responses": table} for year, table in (earlier or {}).items()}
    return st.benchmark(instrument=instrument, responses=responses, sample=sample, earlier=then, settings=settings)


def each(
    setting: str, values: Iterable[Any], instrument: Survey, responses: pl.DataFrame, **others: Any
) -> dict[Any, Run]:
    """One run for each value of a setting."""
    return {value: run(instrument, responses, **{setting: value}, **others) for value in values}


def row(table: pl.DataFrame, organisation: str = "A", measure: str | None = "Q1", **where: Any) -> dict[str, Any]:
    """The one row of an organisation and measure, of all groups together and of 2024 unless told otherwise."""
    wanted: dict[str, Any] = {"group": "all", "organisation": organisation, **where}
    if measure is not None:
        wanted["measure"] = measure
    if "year" in table.columns:
        wanted.setdefault("year", 2024)
    found = table.filter(*(pl.col(name) == value for name, value in wanted.items()))
    assert found.height == 1, f"{found.height} rows of {wanted}"
    return found.row(0, named=True)


def checks(found: Run) -> list[str]:
    """The checks that found something."""
    return found.findings["check"].unique().sort().to_list()

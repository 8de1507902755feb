"""The sample file: who was invited, to what end, and what it knows of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.problems import nearest
from stocktake.survey.coding import option_codes, text, whole_numbers
from stocktake.survey.counts import Ints
from stocktake.survey.findings import Findings
from stocktake.survey.instrument import Survey
from stocktake.survey.tables import Table


@dataclass(frozen=True)
class Sample:
    """A checked sample file.

    `people` has one row a person: respondent, sample_organisation, sample_group (position, 0 none), sample_outcome and,
    with the prefix `sample_`, every demographic that the file has. `invited`, `undeliverable` and
    `died` have shape (groups + 1, organisations), all first.
    """

    file: str
    people: pl.DataFrame
    invited: Ints
    undeliverable: Ints
    died: Ints


def group_positions(
    series: pl.Series, survey: Survey, filled: NDArray[np.signedinteger] | None = None
) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """The group of each row (1 + its position, 0 for none) and which rows hold a value that is no group.

    `filled` is the same column from `whole_columns`, if it is there.
    """
    codes = [g.value for g in survey.groups if isinstance(g.value, int)]
    if series.dtype.is_integer() and len(codes) == len(survey.groups):
        positions, odd = option_codes(series, codes, filled)
        return positions.astype(np.int64), np.zeros(series.len(), dtype=bool) if odd is None else odd
    known = {str(g.value): i for i, g in enumerate(survey.groups, start=1)}
    values = text(series)
    found = values.replace_strict(known, default=0, return_dtype=pl.Int64).fill_null(0).to_numpy()
    return found, (values.is_not_null() & ~values.is_in(list(known))).to_numpy()


def read_sample(table: Table, survey: Survey, organisations: tuple[str, ...], findings: Findings) -> Sample | None:
    """Read and check a sample file; findings say what is wrong, and None means that it cannot be used.

    People of an unknown organisation and second rows of one person are set aside.
    """
    names = survey.columns
    wanted = [names.respondent, names.organisation, names.outcome]
    missing = [c for c in wanted if c not in table.columns]
    for column in missing:
        findings.add(
            "column missing",
            table.name,
            [0],
            column,
            expected=f"a column named {column!r}.{nearest(column, table.columns)}",
            blocks=True,
        )
    if missing:
        return None
    frame = table.frame()
    if frame.height == 0:
        findings.add("no rows", table.name, [0], expected="one row a person invited", blocks=True)
        return None
    rows = np.arange(frame.height) + table.first_row
    respondent, organisation = text(frame[names.respondent]), text(frame[names.organisation])
    unknown = ~organisation.is_in(list(organisations)).fill_null(False).to_numpy()
    findings.add(
        "unknown organisation",
        table.name,
        rows[unknown],
        names.organisation,
        organisation.filter(pl.Series(unknown)).to_list(),
        "a code in the list of organisations",
    )
    again = (~respondent.is_first_distinct() & respondent.is_not_null()).to_numpy()
    findings.add(
        "sample duplicate",
        table.name,
        rows[again],
        names.respondent,
        respondent.filter(pl.Series(again)).to_list(),
        "each person once",
    )
    outcome, broken = whole_numbers(frame[names.outcome])
    broken |= ~np.isin(outcome, survey.outcomes.all)
    findings.add(
        "unknown outcome",
        table.name,
        rows[broken],
        names.outcome,
        frame[names.outcome].filter(pl.Series(broken)).to_list(),
        f"one of {', '.join(map(str, survey.outcomes.all))}",
    )
    groups = np.zeros(frame.height, dtype=np.int64)
    if survey.groups and names.group in table.columns:
        groups, odd = group_positions(frame[names.group], survey)
        findings.add(
            "unknown service group",
            table.name,
            rows[odd],
            names.group,
            frame[names.group].filter(pl.Series(odd)).to_list(),
            f"one of {', '.join(str(g.value) for g in survey.groups)}, or nothing",
        )
    extra = {
        f"sample_{d.code}": frame[d.name] for d in survey.demographics if d.from_sample and d.name in table.columns
    }
    if names.contact_date in table.columns:
        extra["sample_contact_date"] = frame[names.contact_date]
    people = pl.DataFrame(
        {
            "respondent": respondent,
            "sample_organisation": organisation,
            "sample_group": pl.Series(groups),
            "sample_outcome": pl.Series(np.where(broken, 0, outcome)),
            **extra,
        }
    ).filter(pl.Series(~unknown & ~again))
    return Sample(table.name, people, *_outcomes(people, survey, organisations))


def _outcomes(people: pl.DataFrame, survey: Survey, organisations: tuple[str, ...]) -> tuple[Ints, Ints, Ints]:
    """Invited, undeliverable and died by group (all first) and organisation."""
    position = {code: i for i, code in enumerate(organisations)}
    organisation = people["sample_organisation"].replace_strict(position, return_dtype=pl.Int64).to_numpy()
    group, outcome = people["sample_group"].to_numpy(), people["sample_outcome"].to_numpy()
    groups = len(survey.groups) + 1

    def table(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ints:
        key = group[mask] * len(organisations) + organisation[mask]
        by_group = np.bincount(key, minlength=groups * len(organisations)).reshape(groups, -1)
        return np.concatenate([by_group.sum(axis=0, keepdims=True), by_group[1:]])

    everyone = np.ones(people.height, dtype=bool)
    return (
        table(everyone),
        table(np.isin(outcome, survey.outcomes.undeliverable)),
        table(np.isin(outcome, survey.outcomes.died)),
    )

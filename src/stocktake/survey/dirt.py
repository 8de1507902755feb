"""Known problems for the simulated survey, so that checking has something real to find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from stocktake.survey.instrument import Survey

DIRT = (
    ("unknown organisation", 6),
    ("duplicate respondent", 9),
    ("too few answers", 12),
    ("age outside eligibility", 4),
    ("not in the sample", 3),
    ("code not in the question", 25),
    ("answer routed past", 40),
    ("no age or sex", 8),
)


def dirty(
    rng: np.random.Generator, responses: pl.DataFrame, people: pl.DataFrame, survey: Survey
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add rows and spoil values of known kinds; returns the responses and a list of what was done where.

    Rows that must be set aside are added, so that the published number of completes is left after cleaning.
    """
    taken = responses.height
    spare = people.filter(pl.col("outcome") == 6)
    extra: list[pl.DataFrame] = []
    marks: list[tuple[str, str, str]] = []
    at = iter(rng.permutation(taken))
    fresh = iter(rng.permutation(spare.height))

    def copy_as(row: int, **changes: object) -> pl.DataFrame:
        return responses[int(row)].with_columns(
            *(pl.lit(v, dtype=responses.schema[k]).alias(k) for k, v in changes.items())
        )

    questions = [q.code for q in survey.questions if q.code in responses.columns]
    for check, many in DIRT[:5]:
        for number in range(many):
            row, person = next(at), spare.row(int(next(fresh)), named=True)
            changes: dict[str, object] = {
                "respondent": person["respondent"],
                "organisation": person["organisation"],
            }
            if check == "unknown organisation":
                changes["organisation"] = f"Q{number:02d}X"
            elif check == "duplicate respondent":
                changes = {}
            elif check == "too few answers":
                changes |= dict.fromkeys(questions[3:])
            elif check == "age outside eligibility":
                changes["age"] = 12 + number % 4
            else:  # not in the sample
                changes = {"respondent": f"X{number:05d}"}
            extra.append(copy_as(row, **changes))
            marks.append((check, str(extra[-1]["respondent"][0]), ""))
    spoilt = _spoil(rng, responses, survey, at, marks)
    everything = pl.concat([spoilt, *extra]).with_row_index("order")
    # Extra rows are spread through the file; a duplicate still comes after its first row.
    place = np.concatenate([np.arange(taken, dtype=np.float64), rng.uniform(taken * 0.2, taken, len(extra))])
    first = {r: i for i, r in enumerate(spoilt["respondent"].to_list())}
    for i, frame in enumerate(extra):
        earlier = first.get(str(frame["respondent"][0]))
        if earlier is not None:
            place[taken + i] = max(place[taken + i], earlier + 0.5)
    everything = everything.with_columns(pl.Series("order", place)).sort("order", maintain_order=True).drop("order")
    listed = pl.DataFrame(marks, schema=["problem", "respondent", "column"], orient="row")
    return everything, listed.sort("problem", "respondent", "column")


def _spoil(
    rng: np.random.Generator,
    responses: pl.DataFrame,
    survey: Survey,
    at: Iterator[Any],
    marks: list[tuple[str, str, str]],
) -> pl.DataFrame:
    """Wrong codes, answers routed past and missing age, in rows that are otherwise sound."""
    columns = {c: responses[c].to_list() for c in responses.columns}
    scored = [q for q in survey.scored if q.code in columns]
    for _ in range(dict(DIRT)["code not in the question"]):
        question = scored[int(rng.integers(len(scored)))]
        row = int(next(at))
        while columns[question.code][row] is None:
            row = int(next(at))
        columns[question.code][row] = 77
        marks.append(("code not in the question", columns["respondent"][row], question.code))
    # Having no medication (Q20) leads past the questions about it.
    for _ in range(dict(DIRT)["answer routed past"]):
        row = int(next(at))
        while columns["Q20"][row] != 2:
            row = int(next(at))
        columns["Q22_1"][row] = 1
        marks.append(("answer routed past", columns["respondent"][row], "Q22_1"))
    for _ in range(dict(DIRT)["no age or sex"]):
        row = int(next(at))
        columns["age"][row] = None
        columns["sex"][row] = None
        marks.append(("no age or sex", columns["respondent"][row], "age, sex"))
    return pl.DataFrame(columns, schema=responses.schema)

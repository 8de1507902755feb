"""Small surveys for tests: an instrument from a few numbers, random answers, and the oracle's view of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

import oracle
from stocktake.run.core import Run
from stocktake.survey.counts import Counts
from stocktake.survey.instrument import (
    Demographic,
    DemographicOption,
    Group,
    Method,
    Option,
    Question,
    Section,
    Survey,
)


def small_survey(
    sections: dict[str, list[int]], *, cells: int = 2, groups: tuple[str, ...] = (), method: Method | None = None
) -> Survey:
    """A survey with the given number of scored options for each question, one unscored option each."""
    questions, parts = [], []
    number = 0
    for i, (code, sizes) in enumerate(sections.items(), start=1):
        parts.append(Section(code=code, number=i, title=f"Section {code}"))
        for size in sizes:
            number += 1
            steps = max(size - 1, 1)
            options = [Option(code=k + 1, label=f"Answer {k + 1}", score=10 * k / steps) for k in range(size)]
            options.append(Option(code=size + 1, label="Don't know"))
            questions.append(
                Question(
                    code=f"Q{number}",
                    text=f"Wording of question {number}?",
                    short=f"subject {number}",
                    section=code,
                    options=tuple(options),
                    comparable={2023: f"Q{number}"},
                )
            )
    kind = Demographic(
        code="kind",
        title="Kind",
        options=tuple(DemographicOption(code=k + 1, label=f"Kind {k + 1}") for k in range(cells)),
    )
    return Survey(
        code="small",
        title="Small Survey 2024",
        year=2024,
        sections=tuple(parts),
        questions=tuple(questions),
        demographics=(kind,),
        groups=tuple(Group(code=g, title=f"Group {g}", value=g) for g in groups),
        cells=("kind",),
        method=method or Method(minimum_answers=0, minimum_base=3, maximum_rejected=1, draws=40),
    )


@dataclass(frozen=True)
class Case:
    """A survey with its respondents, as a frame and as the oracle's rows."""

    survey: Survey
    organisations: tuple[str, ...]
    frame: pl.DataFrame

    def rows(self, group: str | None = None) -> list[oracle.Row]:
        scores = {q.code: {o.code: o.score for o in q.options} for q in self.survey.questions}
        return [
            oracle.Row(
                r["organisation"],
                None if r["kind"] is None else r["kind"] - 1,
                {q: None if r[q] is None else table[r[q]] for q, table in scores.items()},
            )
            for r in self.frame.iter_rows(named=True)
            if group is None or r.get("service") == group
        ]

    @property
    def sections(self) -> dict[str, list[str]]:
        return {s.code: [q.code for q in self.survey.members(s.code)] for s in self.survey.sections}


@st.composite
def cases(draw: Any, *, organisations: int = 6, respondents: int = 60, groups: bool = False) -> Case:
    """Random small surveys: ties, empty cells, one organisation, no variance and thin bases all occur."""
    sizes = draw(st.lists(st.lists(st.integers(2, 4), min_size=1, max_size=4), min_size=1, max_size=3))
    sections = {f"S{i:02d}": s for i, s in enumerate(sizes, start=1)}
    named = ("A", "B") if groups and draw(st.booleans()) else ()
    cells = draw(st.integers(1, 4))
    survey = small_survey(sections, cells=cells, groups=named)
    codes = tuple(f"T{i}" for i in range(draw(st.integers(1, organisations))))
    size = draw(st.integers(0, respondents))
    # Few alternatives at once make ties, empty cells and answers that are all alike likely.
    alike = draw(st.booleans())
    rows = []
    for _ in range(size):
        row: dict[str, Any] = {"organisation": draw(st.sampled_from(codes))}
        row["kind"] = draw(st.one_of(st.integers(1, cells), st.none())) if not alike else 1
        for question in survey.questions:
            options = len(question.options)
            row[question.code] = 1 if alike else draw(st.one_of(st.integers(1, options), st.none()))
        if named:
            row["service"] = draw(st.sampled_from([*named, None]))
        rows.append(row)
    schema: dict[str, Any] = {"organisation": pl.String, "kind": pl.Int64}
    schema |= {q.code: pl.Int64 for q in survey.questions}
    if named:
        schema["service"] = pl.String
    return Case(survey, codes, pl.DataFrame(rows, schema=schema))


def pair_tables(counts: Counts) -> list[np.ndarray[Any, Any]]:
    """The pairs of all organisations, a table for each pair of the layout: the sum of their blocks."""
    assert counts.pairs is not None
    layout = counts.layout
    sizes = [n for _, n in layout.questions]
    shape = (len(layout.organisations), layout.strata)
    whole = [np.zeros((*shape, sizes[a], sizes[b]), dtype=np.int64) for a, b in layout.pairs]
    for block in counts.pairs:
        for table, part in zip(whole, block.load(), strict=True):
            table[block.organisations] += part
    return whole


def most_withheld(run: Run) -> str:
    """The organisation with most scores not shown this year."""
    now = run.scores.filter((pl.col("year") == run.survey.year) & (pl.col("group") == "all"))
    hidden = now.group_by("organisation").agg((pl.col("status") != "shown").sum().alias("hidden"))
    return str(hidden.sort("hidden", "organisation", descending=[True, False])["organisation"][0])

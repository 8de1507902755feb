"""Read, check and clean respondent data; every rejected value is in a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import polars as pl

from stocktake.problems import nearest
from stocktake.survey.coding import (
    Bools,
    text,
)
from stocktake.survey.counts import Batch, Layout, held
from stocktake.survey.engines import cores
from stocktake.survey.findings import Findings, described
from stocktake.survey.instrument import Method, Survey
from stocktake.survey.sample import Sample
from stocktake.survey.tables import ROWS, Table

# Counts of more strata than this are larger than what they are counted from.
MANY_STRATA = 50_000
FEWEST_ROWS, PIECES = 262_144, 4


@dataclass(frozen=True)
class Raw:
    """A batch as the file holds it: its place, how to read it, and which of its respondents stood in an earlier row."""

    number: int
    first_row: int
    load: Callable[[], pl.DataFrame]
    repeated: Bools | None


@dataclass(frozen=True)
class Cleaned:
    """A batch ready to count, what was found in it, and how many rows were set aside."""

    batch: Batch
    findings: Findings
    set_aside: int
    rows: int
    respondents: pl.Series | None


# In place of a batch that is counted.
NOBODY = Batch(np.zeros(0, dtype=np.int64), ())


@dataclass
class Intake:
    """One wave's response file on its way to the counts.

    `asked` are the questions of this wave: all of the instrument's, or for an earlier wave those that compare.
    """

    survey: Survey
    method: Method
    layout: Layout
    table: Table
    sample: Sample | None
    renamed: dict[str, str] = field(default_factory=dict)
    show_values: bool = False

    @cached_property
    def asked(self) -> frozenset[str]:
        """Question codes that the file has a column for."""
        return frozenset(c for c, _ in self.layout.questions if self.renamed.get(c, c) in self.table.columns)

    @cached_property
    def codes(self) -> pl.Enum:
        """The organisations' codes, each with its place."""
        return pl.Enum(list(self.layout.organisations))

    def column(self, question: str) -> str:
        """The column that holds a question in this wave (an earlier year may have used another code)."""
        return self.renamed.get(question, question)

    def check_columns(self, findings: Findings, required: tuple[str, ...]) -> None:
        """Find missing columns, with the nearest name among those the instrument does not know."""
        names = self.survey.columns
        known = {self.column(q.code) for q in self.survey.questions}
        known |= {d.name for d in self.survey.demographics} | set(names.model_dump().values())
        strange = [c for c in self.table.columns if c not in known]
        needed = [self.column(q) for q in required]
        if self.sample is None or names.respondent not in self.table.columns:
            needed.insert(0, names.organisation)
        cells = [self.survey.demographic(c) for c in self.survey.cells]
        in_sample = set(self.sample.people.columns) if self.sample is not None else set()
        needed += [d.name for d in cells if f"sample_{d.code}" not in in_sample]
        for column in needed:
            if column not in self.table.columns:
                findings.add(
                    "column missing",
                    self.table.name,
                    [0],
                    column,
                    expected=f"a column named {column!r}.{nearest(column, strange)}",
                    blocks=True,
                )
        spare = [d.name for d in self.survey.demographics] + [names.organisation]
        for column in spare:
            if column not in self.table.columns and column not in needed:
                findings.add(
                    "column not there",
                    self.table.name,
                    [0],
                    column,
                    expected=f"a column named {column!r}.{nearest(column, strange)}",
                )
        if names.respondent not in self.table.columns:
            findings.add(
                "no respondent column", self.table.name, [0], names.respondent, expected="a column of identifiers"
            )
        self._check_labels(findings)

    def _check_labels(self, findings: Findings) -> None:
        for question in self.survey.questions if self.table.labels else ():
            labels = self.table.labels.get(self.column(question.code), {})
            for option in question.options:
                label = labels.get(float(option.code))
                if label is not None and _plain(label) != _plain(option.label):
                    findings.add(
                        "label differs",
                        self.table.name,
                        [0],
                        self.column(question.code),
                        expected=f"{option.code} = {option.label}",
                        facts=[f"{option.code} = {label if self.show_values else described(label)}"],
                    )

    def columns(self) -> tuple[str, ...]:
        """The columns of the file that are read."""
        names = self.survey.columns
        wanted = {self.column(q) for q in self.asked} | {d.name for d in self.survey.demographics}
        wanted |= {names.respondent, names.organisation, names.group, names.contact_date}
        return tuple(c for c in self.table.columns if c in wanted)

    def raw(self) -> Iterator[Raw]:
        """The file's batches in order, each with which of its respondents are in an earlier row."""
        names = self.survey.columns
        columns = self.columns()
        suspects = self.table.repeated(names.respondent) if names.respondent in self.table.columns else frozenset()
        seen: set[str] = set()
        for number, (start, load) in enumerate(self.table.pieces(columns, self._rows_at_a_time())):
            repeated = None
            if suspects:
                # Which row comes first is a matter of order, so the pieces are read here, one after the other.
                frame = load()
                repeated, load = repeats(text(frame[names.respondent]), suspects, seen), partial(held, frame)
            yield Raw(number, self.table.first_row + start, load, repeated)

    def _rows_at_a_time(self) -> int:
        """How many rows a piece has: many, so that little time goes into setting out, but some pieces for every worker."""
        if self.layout.strata * len(self.layout.organisations) > MANY_STRATA:
            # Counts of so many strata take much memory themselves, which smaller pieces leave to them.
            return ROWS // 2
        if self.table.rows is None:
            return ROWS
        return min(max(self.table.rows // (PIECES * cores()), FEWEST_ROWS), ROWS)


def repeats(identity: pl.Series, suspects: frozenset[str], seen: set[str]) -> Bools:
    """Which rows repeat a respondent of an earlier row; `seen` gathers the suspects met so far."""
    again = np.zeros(identity.len(), dtype=bool)
    for row in identity.is_in(list(suspects)).fill_null(False).arg_true():
        again[row] = identity[row] in seen
        seen.add(identity[row])
    return again


def _plain(label: str) -> str:
    return "".join(c for c in label.casefold() if c.isalnum())

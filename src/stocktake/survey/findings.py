"""What was found wrong with the data, how much, where, and what was done: nothing is dropped without a finding."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

SCHEMA = {
    "year": pl.Int64,
    "check": pl.String,
    "file": pl.String,
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "expected": pl.String,
    "action": pl.String,
    "blocks": pl.Boolean,
}

# Each check: what it looks for, and what was done about it.
CHECKS: dict[str, tuple[str, str]] = {
    "column missing": ("A column of the instrument is not in the file", "the run is stopped"),
    "no rows": ("A file has a header but no rows", "the run is stopped"),
    "too many wrong codes": ("A column has more wrong codes than the setting allows", "the run is stopped"),
    "too few responses": ("The sample file says that many more were returned", "the run is stopped"),
    "no respondents": ("An organisation with a sample has no useable questionnaire", "nothing; it is reported here"),
    "column not there": (
        "A column that can be done without is not in the file",
        "the sample file is used, if it has it",
    ),
    "too many rows set aside": ("More rows were set aside than the setting allows", "the run is stopped"),
    "unknown organisation": ("The organisation is not in the list of organisations", "the row is set aside"),
    "duplicate respondent": ("A respondent is in the file more than once", "the first row is kept"),
    "not in the sample": ("The respondent is not in the sample file", "the row is set aside"),
    "organisation differs": ("The organisation differs from the sample file's", "the row is set aside"),
    "age outside eligibility": ("The age is outside the survey's limits", "the row is set aside"),
    "date outside eligibility": ("The contact was outside the sampling period", "the row is set aside"),
    "date unreadable": ("The date of contact is not a date", "the date is not checked"),
    "code not in the question": ("An answer's code is not one of the question's", "the answer is set aside"),
    "answer routed past": ("An earlier answer leads past this question", "as the setting says"),
    "too few answers": ("The questionnaire has too few answers to be useable", "the row is set aside"),
    "no age or sex": ("A standardisation variable is missing in both files", "counted, but not scored"),
    "unknown service group": ("The service group is not one of the instrument's", "counted without a group"),
    "unknown outcome": ("The outcome code is not one of the instrument's", "counted as not returned"),
    "outcome disagrees": ("The outcome code and the responses do not agree", "the responses are believed"),
    "sample duplicate": ("A person is in the sample file more than once", "the first row is kept"),
    "user-missing value": ("SPSS marks the value as missing", "counted as not answered"),
    "label differs": ("SPSS labels a code otherwise than the instrument", "nothing; compare the two"),
    "empty cell": ("An organisation has no respondent in a standardisation cell", "the other cells are used"),
    "weight capped": ("A weight came out above the cap", "the cap is used"),
    "small cells merged": (
        "Small standardisation cells were merged where the respondents were counted",
        "the merged cells are used",
    ),
    "sample size": ("An organisation's sample is smaller than expected", "nothing; it is reported here"),
    "no respondent column": ("Without this column duplicates cannot be found", "nothing; it is reported here"),
}

# In these a value identifies a person or says something of one, and the row is enough to find it.
PERSONAL = frozenset(
    {
        "no age or sex",
        "age outside eligibility",
        "date outside eligibility",
        "date unreadable",
        "duplicate respondent",
        "not in the sample",
        "sample duplicate",
    }
)
# A figure that may be a code: longer ones may be somebody's telephone or NHS number.
SHORT_NUMBER = re.compile(r"[+-]?\d{1,4}([.,]\d{1,3})?")


def described(value: Any, known: Collection[str] = ()) -> str:
    """A value from a file as it may be printed: a short number or a known code as it is, of all else kind and length."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true or false"
    text = str(value).strip()
    if text in known or SHORT_NUMBER.fullmatch(text):
        return text
    if not text:
        return "blanks"
    digits = sum(c.isdigit() for c in text)
    if digits == len(text):
        return f"a number of {digits} digits"
    characters = "1 character" if len(text) == 1 else f"{len(text)} characters"
    return f"text of {characters}"


@dataclass
class Findings:
    """A growing list of findings of one wave.

    Values from files are described, not repeated, unless `show_values` is set; `known` are codes that may be repeated.
    """

    year: int
    show_values: bool = False
    known: frozenset[str] = frozenset()
    frames: list[pl.DataFrame] = field(default_factory=list)

    def add(
        self,
        check: str,
        file: str,
        rows: Sequence[int] | Any,
        column: str = "",
        values: Sequence[Any] | None = None,
        expected: str = "",
        *,
        facts: Sequence[str] | None = None,
        action: str | None = None,
        blocks: bool = False,
    ) -> None:
        """Add one finding for each row (from 1, as the file's own program counts; 0 for the file as a whole).

        `values` are what the rows hold; `facts` are words of ours in their place, such as a total.
        """
        size = len(rows)
        if size == 0:
            return
        shown = [""] * size
        if facts is not None:
            shown = list(facts)
        elif values is not None and self.show_values:
            shown = ["" if v is None else str(v) for v in values]
        elif values is not None and check not in PERSONAL:
            shown = [described(v, self.known) for v in values]
        self.frames.append(
            pl.DataFrame(
                {
                    "year": [self.year] * size,
                    "check": [check] * size,
                    "file": [file] * size,
                    "row": [int(r) for r in rows],
                    "column": [column] * size,
                    "value": shown,
                    "expected": [expected] * size,
                    "action": [action or CHECKS[check][1]] * size,
                    "blocks": [blocks] * size,
                },
                schema=SCHEMA,
            )
        )

    @property
    def blocked(self) -> bool:
        """Whether any finding so far stops the run."""
        return any(frame["blocks"][0] for frame in self.frames)

    def by_column(self, check: str) -> dict[str, int]:
        """How often a check found something, by column in the order found."""
        out: dict[str, int] = {}
        for frame in self.frames:
            # Every call of `add` is of one check and column.
            if frame["check"][0] == check:
                column = str(frame["column"][0])
                out[column] = out.get(column, 0) + frame.height
        return out

    def joined(self) -> pl.DataFrame:
        """All findings in the order in which they were met; schema SCHEMA."""
        return pl.concat(self.frames) if self.frames else pl.DataFrame(schema=SCHEMA)

    def take(self, joined: pl.DataFrame) -> None:
        """Add what `joined` gave elsewhere."""
        if joined.height:
            # Each frame is of one check and column, as `add` makes them.
            self.frames.extend(joined.partition_by("check", "column", maintain_order=True))

    def table(self) -> pl.DataFrame:
        """All findings, those that block first, then by file, row and column; schema SCHEMA."""
        if not self.frames:
            return pl.DataFrame(schema=SCHEMA)
        order = {name: i for i, name in enumerate(CHECKS)}
        joined = self.joined()
        if joined.height == 1:
            return joined
        return (
            joined.with_columns(pl.col("check").replace_strict(order, return_dtype=pl.Int64).alias("order"))
            .sort("blocks", "order", "file", "row", "column", "value", descending=[True] + [False] * 5)
            .drop("order")
        )


def summarise(findings: pl.DataFrame) -> pl.DataFrame:
    """One row a year and check: how many findings, in how many columns, and what was done."""
    return findings.group_by("year", "check", "action", "blocks", maintain_order=True).agg(
        pl.len().alias("findings"),
        pl.col("column").filter(pl.col("column") != "").n_unique().alias("columns"),
    )

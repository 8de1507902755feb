"""A workbook as a value: one table a sheet, every missing figure with a marker, nothing merged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

# A link is a text that names a sheet and leads there.
Kind = Literal["text", "link", "count", "year", "score", "precise", "percent", "share"]
Value = str | int | float

# The shorthand of the Government Analysis Function for what is not there.
CONFIDENTIAL, UNAVAILABLE, NOT_APPLICABLE = "[c]", "[x]", "[z]"
MARKERS = (
    (CONFIDENTIAL, "Confidential: withheld because too few people answered, here or in a part from which it could be worked out."),
    (UNAVAILABLE, "Not available: there is no such figure in the source, or nobody answered."),
    (NOT_APPLICABLE, "Not applicable: for example the distance to a better band from the best one."),
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: its heading, what kind of figure it holds, and its meaning for the notes."""

    title: str
    kind: Kind = "text"
    meaning: str = ""


def figures(position: int) -> str:
    """The name of a column of figures in a sheet's `cells`."""
    return f"figure {position}"


def words(position: int) -> str:
    """The name of a column of words in a sheet's `cells`: its texts, or the markers of missing figures."""
    return f"words {position}"


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table: its name (31 characters at most), title, what to know before reading it, columns and cells.

    `cells` has, for each column by position, `figures(i)`, `words(i)` or both: a cell is its figure or, where that is
    null, its words. No cell is empty, but with `raw`: such a sheet holds columns and rows alone, for programs that
    expect them in the first row. Cells are worked out in slices, so that a sheet of any height takes little memory.
    """

    name: str
    title: str
    about: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: pl.LazyFrame
    height: int
    raw: bool = False

    def slices(self, size: int) -> Iterator[tuple[int, pl.DataFrame]]:
        """The cells, so many rows at a time, each slice with the number of rows before it."""
        for start in range(0, self.height, size):
            yield start, self.cells.slice(start, size).collect()

    @property
    def rows(self) -> list[tuple[Value | None, ...]]:
        """The cells row by row."""
        if not self.columns:
            return []
        table = self.cells.collect()
        columns = []
        for i in range(len(self.columns)):
            figure, text = (
                [*table[n]] if n in table.columns else [None] * table.height for n in (figures(i), words(i))
            )
            columns.append([t if f is None else f for f, t in zip(figure, text, strict=True)])
        return list(zip(*columns, strict=True))


def sheet_of(
    name: str,
    title: str,
    about: tuple[str, ...],
    columns: tuple[Column, ...],
    rows: Sequence[Sequence[Value | None]],
    raw: bool = False,
) -> Sheet:
    """A small sheet from rows of values."""
    data: dict[str, pl.Series] = {}
    for i in range(len(columns)):
        values = [row[i] for row in rows]
        numbers = [None if isinstance(v, str) else v for v in values]
        if any(v is not None for v in numbers):
            whole = all(v is None or isinstance(v, int) for v in numbers)
            data[figures(i)] = pl.Series(numbers, dtype=pl.Int64 if whole else pl.Float64, strict=False)
        data[words(i)] = pl.Series([v if isinstance(v, str) else None for v in values], dtype=pl.String)
    return Sheet(name, title, about, columns, pl.LazyFrame(data), len(rows), raw)


@dataclass(frozen=True)
class Book:
    """A workbook: what its cover says, and its sheets."""

    title: str
    subject: str
    cover: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    digest: str
    language: str = "en-GB"
    keywords: tuple[str, ...] = field(default=())

    @property
    def raw(self) -> bool:
        return all(s.raw for s in self.sheets)

    def front(self) -> tuple[Sheet, ...]:
        """The cover, the list of contents and the notes, as sheets of their own."""
        cover = Sheet("Cover", self.title, self.cover, (), pl.LazyFrame(), 0)
        contents = sheet_of(
            "Contents",
            "Contents",
            ("This sheet holds one table. Each name links to its sheet.",),
            (Column("Sheet", "link"), Column("What it holds")),
            (("Notes", "What markers and columns mean"), *((s.name, s.title) for s in self.sheets)),
        )
        return cover, contents, self._notes()

    @property
    def all_sheets(self) -> tuple[Sheet, ...]:
        """Every sheet in order, the front ones first."""
        return (*(() if self.raw else self.front()), *self.sheets)

    def _notes(self) -> Sheet:
        rows: list[tuple[Value | None, ...]] = [("Marker", mark, text) for mark, text in MARKERS]
        seen: set[str] = set()
        for sheet in self.sheets:
            for column in sheet.columns:
                if column.meaning and column.title not in seen:
                    seen.add(column.title)
                    rows.append(("Column", column.title, column.meaning))
        return sheet_of(
            "Notes",
            "Notes",
            ("This sheet holds one table, with the meaning of every marker and column.",),
            (Column("Kind"), Column("Name"), Column("Meaning")),
            rows,
        )


STATUS_MARKS = {
    "withheld": CONFIDENTIAL,
    "left out": CONFIDENTIAL,
    "no data": UNAVAILABLE,
    "not published": UNAVAILABLE,
    "not banded": NOT_APPLICABLE,
    "not comparable": NOT_APPLICABLE,
    "shown": NOT_APPLICABLE,
}


def marker(column: str, status: pl.Expr | None = None) -> pl.Expr:
    """The marker of a missing figure of a results row, by its status and by what its source never published."""
    by_status = (pl.col("status") if status is None else status).replace_strict(STATUS_MARKS, return_dtype=pl.String)
    never = pl.col("not_published").fill_null("").str.split(" ").list.contains(column)
    return pl.when(never).then(pl.lit(UNAVAILABLE)).otherwise(by_status)


# What fills a column: a column of results, an expression of words, or a column with the status of what it lacks.
Content = str | pl.Expr | tuple[str, pl.Expr]


def cells_of(table: pl.DataFrame, content: Sequence[Content]) -> pl.LazyFrame:
    """The cells of a sheet from rows of results, one row each.

    A figure that is missing has its marker, for which the rows need a `status`.
    """
    out: list[pl.Expr] = []
    for i, item in enumerate(content):
        if isinstance(item, pl.Expr):
            out.append(item.alias(words(i)))
            continue
        name, status = item if isinstance(item, tuple) else (item, None)
        kind, value = table.schema[name], pl.col(name)
        missing = marker(name, status) if table[name].null_count() else pl.lit(None, pl.String)
        if kind.is_numeric():
            out.append(value.alias(figures(i)))
            out.append(pl.when(value.is_null()).then(missing).alias(words(i)))
        elif kind == pl.Boolean:
            answer = pl.when(value).then(pl.lit("yes")).otherwise(pl.lit("no"))
            out.append(pl.when(value.is_null()).then(missing).otherwise(answer).alias(words(i)))
        else:
            out.append(pl.coalesce(value, missing).alias(words(i)))
    return table.lazy().select(out)

"""A workbook as a value: one table a sheet, every missing figure told by a marker, nothing merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "count", "year", "score", "precise", "percent", "share"]
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


@dataclass(frozen=True)
class Sheet:
    """One table: its name (31 characters at most), title, what to know before reading it, columns and rows.

    No cell is empty: what is not there is a marker. With `raw` the sheet holds columns and rows alone, for
    programs that expect them in the first row, and cells may be empty (None).
    """

    name: str
    title: str
    about: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value | None, ...], ...]
    raw: bool = False


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
        cover = Sheet("Cover", self.title, self.cover, (), ())
        contents = Sheet(
            "Contents",
            "Contents",
            ("This sheet holds one table. Each name links to its sheet.",),
            (Column("Sheet"), Column("What it holds")),
            (("Notes", "What markers and columns mean"), *((s.name, s.title) for s in self.sheets)),
        )
        return cover, contents, self._notes()

    def _notes(self) -> Sheet:
        rows: list[tuple[Value | None, ...]] = [("Marker", mark, text) for mark, text in MARKERS]
        seen: set[str] = set()
        for sheet in self.sheets:
            for column in sheet.columns:
                if column.meaning and column.title not in seen:
                    seen.add(column.title)
                    rows.append(("Column", column.title, column.meaning))
        return Sheet(
            "Notes",
            "Notes",
            ("This sheet holds one table, with the meaning of every marker and column.",),
            (Column("Kind"), Column("Name"), Column("Meaning")),
            tuple(rows),
        )


STATUS_MARKS: Mapping[str, str] = {
    "withheld": CONFIDENTIAL,
    "left out": CONFIDENTIAL,
    "no data": UNAVAILABLE,
    "not published": UNAVAILABLE,
    "not banded": NOT_APPLICABLE,
    "not comparable": NOT_APPLICABLE,
    "shown": NOT_APPLICABLE,
}


def marked(row: Mapping[str, Any], column: str) -> Value:
    """A figure of a results row, or the marker that says why there is none."""
    value = row[column]
    if value is None:
        if column in (row.get("not_published") or "").split():
            return UNAVAILABLE
        return STATUS_MARKS[row["status"]]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def rows_of(rows: Iterable[Mapping[str, Any]], columns: Sequence[Any]) -> tuple[tuple[Value | None, ...], ...]:
    """Rows of results as cells: a column is a name, or a function of the row."""
    return tuple(tuple(c(r) if callable(c) else marked(r, c) for c in columns) for r in rows)

"""The list of queries that goes back to an organisation, in the terms of its own form."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from stocktake.audit.returns import Query
from stocktake.reports.books import Book, Column, sheet_of

ABOUT = (
    "This sheet holds one table. Each row is about one cell of your return.",
    "Please correct the cell in your form and send the whole form again, or write in the last column why it is right.",
    "Figures that are asked about are used as they stand until you correct them, unless the row says otherwise.",
)


def query_book(title: str, code: str, name: str, queries: Sequence[Query]) -> Book:
    """A workbook with one organisation's queries."""
    columns = (
        Column("Number", "count"),
        Column("Template"),
        Column("Sheet"),
        Column("Cell"),
        Column("Question"),
        Column("What you entered"),
        Column("What we ask"),
        Column("Kind of check"),
        Column("Your reply"),
    )
    rows = [
        (i, q.template or "one form", q.sheet or "not found", q.cell or "not found", q.question, q.entered or "(empty)",
         q.sentence, q.check, "(please write here)")
        for i, q in enumerate(queries, start=1)
    ]  # fmt: skip
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
    sheet = sheet_of("Queries", f"Queries about the return of {name} ({code})", ABOUT, columns, rows)
    return Book(f"Queries: {name}", title, (title, f"Queries about the return of {name} ({code})."), (sheet,), digest)

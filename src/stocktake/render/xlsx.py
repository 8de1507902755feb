"""Workbooks as XLSX, by the Government Analysis Function's rules for accessible spreadsheets."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from stocktake.render.words import brief, clean
from stocktake.reports.books import Book, Kind, Sheet

FORMATS: dict[Kind, str] = {
    "text": "@",
    "count": "#,##0",
    "year": "0",
    "score": "0.0",
    "precise": "0.0##",
    "percent": "0.#",
    "share": "0.0%",
}
WHEN = datetime(2000, 1, 1)


def xlsx_bytes(book: Book) -> bytes:
    """A workbook as the bytes of an XLSX file."""
    out = io.BytesIO()
    save_xlsx(book, out)
    return out.getvalue()


def save_xlsx(book: Book, target: Path | io.BytesIO) -> None:
    """Save a workbook as XLSX to a path or a file in memory."""
    import xlsxwriter

    # Whatever looks like a formula, a link or a number is text unless it is a figure of ours.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(target if isinstance(target, io.BytesIO) else str(target), options)
    workbook.set_properties(
        {
            "title": brief(book.title),
            "subject": brief(book.subject),
            "author": "Stocktake",
            "keywords": brief(", ".join((*book.keywords, book.digest))),
            "created": WHEN,
        }
    )
    formats = {
        k: workbook.add_format({"num_format": f, "valign": "top", "indent": 1 if k == "text" else 0})
        for k, f in FORMATS.items()
    }
    formats_more = {
        "title": workbook.add_format({"bold": True, "font_size": 15}),
        "about": workbook.add_format({"text_wrap": False}),
        "head": workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "indent": 1}),
        "wrap": workbook.add_format({"text_wrap": True, "valign": "top", "indent": 1}),
        "link": workbook.add_format({"font_color": "#005A9C", "underline": 1, "valign": "top"}),
    }
    for sheet in (*(() if book.raw else book.front()), *book.sheets):
        if sheet.raw:
            _raw(workbook.add_worksheet(sheet.name), sheet)
        else:
            _sheet(workbook.add_worksheet(sheet.name), sheet, formats, formats_more)
    workbook.close()


def _raw(page: Any, sheet: Sheet) -> None:
    for c, column in enumerate(sheet.columns):
        page.write_string(0, c, clean(column.title))
    for r, row in enumerate(sheet.rows, start=1):
        for c, value in enumerate(row):
            if isinstance(value, str):
                page.write_string(r, c, clean(value))
            elif value is not None:
                page.write_number(r, c, value)


def _sheet(page: Any, sheet: Sheet, formats: Any, more: Any) -> None:
    page.write_string(0, 0, clean(sheet.title), more["title"])
    for i, line in enumerate(sheet.about, start=1):
        page.write_string(i, 0, clean(line), more["about"])
    if not sheet.columns:
        page.set_column(0, 0, 100)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        return
    top = 1 + len(sheet.about)
    for r, row in enumerate(sheet.rows, start=top + 1):
        for c, (value, column) in enumerate(zip(row, sheet.columns, strict=True)):
            if isinstance(value, str):
                page.write_string(r, c, clean(value), more["wrap"] if len(value) > 24 else formats["text"])
            elif value is not None:
                page.write_number(r, c, value, formats[column.kind])
    # Marked as a table, so that a screen reader knows its header; one a sheet, nothing merged.
    page.add_table(
        top,
        0,
        top + max(len(sheet.rows), 1),
        len(sheet.columns) - 1,
        {
            "name": "".join(c if c.isalnum() else "_" for c in sheet.name) + "_table",
            "style": "Table Style Light 1",
            "banded_rows": False,
            "columns": [{"header": clean(c.title), "header_format": more["head"]} for c in sheet.columns],
        },
    )
    widths = [_width(sheet, c) for c in range(len(sheet.columns))]
    for c, width in enumerate(widths):
        page.set_column(c, c, width)
    # Heights are told, because not every program works them out for wrapped text.
    page.set_row(top, 15 * _lines([c.title for c in sheet.columns], widths) + 2)
    for r, row in enumerate(sheet.rows, start=top + 1):
        lines = _lines([v if isinstance(v, str) else "" for v in row], widths)
        if lines > 1:
            page.set_row(r, 15 * lines)
    page.freeze_panes(top + 1, 0)
    page.set_landscape()
    page.repeat_rows(top)
    page.fit_to_pages(1, 0)
    if sheet.name == "Contents":
        for r, row in enumerate(sheet.rows, start=top + 1):
            page.write_url(r, 0, f"internal:'{row[0]}'!A1", more["link"], clean(str(row[0])))


def _width(sheet: Sheet, column: int) -> float:
    """A column's width in letters: its longest text up to sixty, room for a figure, and for its heading's words."""
    longest = max((len(str(row[column])) for row in sheet.rows if isinstance(row[column], str)), default=0)
    heading = max(len(word) for word in sheet.columns[column].title.split() or [""])
    return min(60, max(longest + 1, heading + 3, 8))


def _lines(texts: Sequence[str], widths: Sequence[float]) -> int:
    """How many lines the longest of the texts needs in its column."""
    return max(
        len(textwrap.wrap(t, max(int(w) - 1, 1))) if len(t) >= w else 1 for t, w in zip(texts, widths, strict=True)
    )

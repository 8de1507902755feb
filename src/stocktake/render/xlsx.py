"""Workbooks as XLSX, by the Government Analysis Function's rules for accessible spreadsheets."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from stocktake.render.words import clean
from stocktake.reports.books import Book, Kind, Sheet

FORMATS: dict[Kind, str] = {
    "text": "@",
    "count": "#,##0",
    "score": "0.0",
    "precise": "0.000",
    "percent": "0.0",
    "share": "0.0%",
}
WHEN = datetime(2000, 1, 1)


def write_xlsx(book: Book, path: Path) -> Path:
    """Write a workbook to path; the file appears whole or not at all."""
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    # Whatever looks like a formula, a link or a number is text unless it is a figure of ours.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(str(temporary), options)
    workbook.set_properties(
        {
            "title": clean(book.title),
            "subject": clean(book.subject),
            "author": "Stocktake",
            "keywords": clean(", ".join((*book.keywords, book.digest))),
            "created": WHEN,
        }
    )
    formats = {k: workbook.add_format({"num_format": f, "valign": "top"}) for k, f in FORMATS.items()}
    formats_more = {
        "title": workbook.add_format({"bold": True, "font_size": 15}),
        "about": workbook.add_format({"text_wrap": False}),
        "head": workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        "wrap": workbook.add_format({"text_wrap": True, "valign": "top"}),
        "link": workbook.add_format({"font_color": "#005A9C", "underline": 1}),
    }
    for number, sheet in enumerate((*(() if book.raw else book.front()), *book.sheets)):
        if sheet.raw:
            _raw(workbook.add_worksheet(sheet.name), sheet)
        else:
            _sheet(workbook.add_worksheet(sheet.name), sheet, formats, formats_more, number)
    workbook.close()
    temporary.replace(path)
    return path


def _raw(page: Any, sheet: Sheet) -> None:
    for c, column in enumerate(sheet.columns):
        page.write_string(0, c, clean(column.title))
    for r, row in enumerate(sheet.rows, start=1):
        for c, value in enumerate(row):
            if isinstance(value, str):
                page.write_string(r, c, clean(value))
            elif value is not None:
                page.write_number(r, c, value)


def _sheet(page: Any, sheet: Sheet, formats: Any, more: Any, number: int) -> None:
    page.write_string(0, 0, clean(sheet.title), more["title"])
    for i, line in enumerate(sheet.about, start=1):
        page.write_string(i, 0, clean(line), more["about"])
    if not sheet.columns:
        page.set_column(0, 0, 100)
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
            "name": f"Table{number}",
            "style": "Table Style Light 1",
            "banded_rows": False,
            "columns": [{"header": clean(c.title), "header_format": more["head"]} for c in sheet.columns],
        },
    )
    for c, column in enumerate(sheet.columns):
        longest = max((len(str(row[c])) for row in sheet.rows if isinstance(row[c], str)), default=0)
        wide = min(60, max(longest + 1, 9 if column.kind == "text" else 11))
        page.set_column(c, c, max(wide, min(14, len(column.title) + 2)))
    page.freeze_panes(top + 1, 0)
    if sheet.name == "Contents":
        for r, row in enumerate(sheet.rows, start=top + 1):
            page.write_url(r, 0, f"internal:'{row[0]}'!A1", more["link"], clean(str(row[0])))

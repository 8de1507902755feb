"""The forms of a collection as workbooks: answer cells that are checked and open, everything else protected."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from stocktake.audit.answers import Parts
from stocktake.audit.templates import (
    ANSWER,
    CODE,
    COLLECTION_LABEL,
    ORGANISATION_LABEL,
    SERVICE,
    TEMPLATE_LABEL,
    Form,
    FormSheet,
    Question,
)
from stocktake.render.cells import refill
from stocktake.render.words import brief, clean
from stocktake.render.xlsx import WHEN

HOW = (
    "Fill in the white cells of each sheet; a cell shows its definition and last year's figure when you choose it.",
    "Leave a cell empty if you do not know the figure. Zero means that you counted, and there were none.",
    "If you do not have a service, choose No in its first row and leave the rest of its column empty.",
    "Please do not change codes or headings. If you must move something, keep each code in its row.",
)
# What a data validation may say, in letters.
TITLE, MESSAGE = 32, 250


def form_bytes(
    form: Form, answers: Mapping[tuple[str, Parts], Any] | None = None, absent: frozenset[str] = frozenset()
) -> bytes:
    """A form as an XLSX file; `answers` (item and parts) fill it in, and `absent` options have no such service."""
    import xlsxwriter

    shell = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(shell, options)
    workbook.set_properties(
        {"title": brief(f"{form.title}: {form.organisation_name}"), "author": "Stocktake", "created": WHEN}
    )
    formats = {
        "title": workbook.add_format({"bold": True, "font_size": 15}),
        "head": workbook.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EDF0"}
        ),
        "text": workbook.add_format({"text_wrap": True, "valign": "top", "bg_color": "#F3F5F6"}),
        "code": workbook.add_format({"font_color": "#4C5B69", "valign": "top", "bg_color": "#F3F5F6"}),
        "last": workbook.add_format({"num_format": "#,##0.###", "valign": "top", "bg_color": "#F3F5F6"}),
        "answer": workbook.add_format({"locked": False, "num_format": "#,##0.###", "valign": "top", "border": 1}),
        "word": workbook.add_format({"locked": False, "valign": "top", "border": 1}),
    }
    _start(workbook.add_worksheet("Start here"), form, formats)
    for sheet in form.sheets:
        page = workbook.add_worksheet(clean(sheet.name))
        page.protect("", {"format_columns": True, "format_rows": True})
        if sheet.dimension:
            _matrix(page, form, sheet, formats, answers or {}, absent)
        else:
            _list(page, form, sheet, formats, answers or {})
    for sheet in form.sheets:
        if sheet.dimension and form.last:
            _last_year(workbook.add_worksheet(f"Last year {sheet.dimension}"[:31]), form, sheet, formats)
    for page in workbook.worksheets():
        # On paper each sheet is as wide as a page.
        page.set_landscape()
        page.fit_to_pages(1, 0)
    workbook.close()
    out = io.BytesIO()
    with zipfile.ZipFile(shell) as archive:
        book = archive.read("xl/workbook.xml").replace(
            b"<bookViews>", b'<workbookProtection lockStructure="1"/><bookViews>'
        )
    refill(shell, out, {"xl/workbook.xml": iter([book])})
    return out.getvalue()


def _start(page: Any, form: Form, formats: Mapping[str, Any]) -> None:
    page.protect()
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 70)
    page.write_string(0, 0, clean(form.title), formats["title"])
    rows = (
        (COLLECTION_LABEL, form.collection),
        (ORGANISATION_LABEL, form.organisation),
        ("Organisation", form.organisation_name),
        (TEMPLATE_LABEL, form.template),
        ("Census day", form.census),
        ("Year", form.period),
    )
    for i, (label, value) in enumerate(rows, start=2):
        page.write_string(i, 0, label, formats["head"])
        page.write_string(i, 1, clean(value), formats["text"])
    for i, label in enumerate(("Filled in by", "Day")):
        page.write_string(9 + i, 0, label, formats["head"])
        page.write_blank(9 + i, 1, None, formats["word"])
    for i, line in enumerate(HOW, start=12):
        page.write_string(i, 0, line)


def _list(page: Any, form: Form, sheet: FormSheet, formats: Mapping[str, Any], answers: Mapping[Any, Any]) -> None:
    page.write_string(0, 0, clean(f"{sheet.name}: {form.organisation_name}"), formats["title"])
    for c, (name, width) in enumerate(
        (
            (CODE, 34),
            ("Question", 62),
            ("Unit", 12),
            ("Definition", 88),
            ("Last year", 13),
            (ANSWER, 16),
            ("Comment", 30),
        )
    ):
        page.set_column(c, c, width)
        page.write_string(2, c, name, formats["head"])
    page.set_row(2, 32)
    page.freeze_panes(3, 2)
    for r, question in enumerate(sheet.questions, start=3):
        for c, words in enumerate((question.code, question.text, question.unit, question.definition)):
            page.write_string(r, c, clean(words), formats["code" if c == 0 else "text"])
        last = form.last.get((question.item, question.parts))
        if last is None:
            page.write_string(r, 4, "", formats["last"])
        else:
            page.write_number(r, 4, last, formats["last"])
        value = answers.get((question.item, question.parts))
        if question.choices:
            titles = [t for _, t in question.choices]
            value = next((t for o, t in question.choices if answers.get((question.item, (o,))) == 1), value)
            page.data_validation(r, 5, r, 5, {"validate": "list", "source": titles, **_help(question, None)})
        else:
            page.data_validation(r, 5, r, 5, _validation(question, last))
        _write(page, r, 5, value, formats["answer"])
        page.write_blank(r, 6, None, formats["word"])


def _matrix(
    page: Any,
    form: Form,
    sheet: FormSheet,
    formats: Mapping[str, Any],
    answers: Mapping[Any, Any],
    absent: frozenset[str],
) -> None:
    page.write_string(0, 0, clean(f"{sheet.name}: {form.organisation_name}"), formats["title"])
    heads = [(CODE, 34), ("Question", 62), ("Unit", 12), ("Definition", 88), *((t, 15) for _, t in sheet.options)]
    for c, (name, width) in enumerate(heads):
        page.set_column(c, c, width)
        page.write_string(2, c, clean(name), formats["head"])
    page.set_row(2, 32)
    page.freeze_panes(4, 2)
    for c, words in enumerate(
        (SERVICE, "Do you have this service?", "Yes or No", "Choose No where there is none at all.")
    ):
        page.write_string(3, c, words, formats["code" if c == 0 else "text"])
    for c, (option, _) in enumerate(sheet.options, start=4):
        page.write_string(3, c, "No" if option in absent else "Yes", formats["word"])
    page.data_validation(3, 4, 3, 3 + len(sheet.options), {"validate": "list", "source": ["Yes", "No"]})
    for r, question in enumerate(sheet.questions, start=4):
        for c, words in enumerate((question.code, question.text, question.unit, question.definition)):
            page.write_string(r, c, clean(words), formats["code" if c == 0 else "text"])
        for c, (option, _) in enumerate(sheet.options, start=4):
            last = form.last.get((question.item, (option, *question.parts)))
            page.data_validation(r, c, r, c, _validation(question, last))
            _write(page, r, c, answers.get((question.item, (option, *question.parts))), formats["answer"])


def _last_year(page: Any, form: Form, sheet: FormSheet, formats: Mapping[str, Any]) -> None:
    """Last year's figures in the arrangement of a sheet; its codes have another heading, so that none is read as an answer."""
    page.protect()
    page.write_string(0, 0, f"Last year's figures: {clean(sheet.name)}", formats["title"])
    for c, (name, width) in enumerate(
        [("Last year's code", 34), ("Question", 62), *((t, 15) for _, t in sheet.options)]
    ):
        page.set_column(c, c, width)
        page.write_string(2, c, clean(name), formats["head"])
    page.set_row(2, 32)
    page.freeze_panes(3, 2)
    for r, question in enumerate(sheet.questions, start=3):
        page.write_string(r, 0, question.code, formats["code"])
        page.write_string(r, 1, clean(question.text), formats["text"])
        for c, (option, _) in enumerate(sheet.options, start=2):
            last = form.last.get((question.item, (option, *question.parts)))
            if last is not None:
                page.write_number(r, c, last, formats["last"])


def _write(page: Any, row: int, column: int, value: Any, style: Any) -> None:
    if value is None:
        page.write_blank(row, column, None, style)
    elif isinstance(value, str):
        page.write_string(row, column, clean(value), style)
    else:
        page.write_number(row, column, value, style)


def _validation(question: Question, last: float | None) -> dict[str, Any]:
    """Only numbers in the question's range; what is wanted, and last year's figure, beside the cell."""
    limits: dict[str, Any] = {"criteria": ">=", "value": question.lowest}
    if question.highest is not None:
        limits = {"criteria": "between", "minimum": question.lowest, "maximum": question.highest}
    return {"validate": "integer" if question.whole else "decimal", **limits, **_help(question, last)}


def _help(question: Question, last: float | None) -> dict[str, Any]:
    then = "" if last is None else f" Last year: {last:,.10g}."
    return {
        "input_title": question.text[:TITLE],
        "input_message": f"{question.definition}.{then}"[:MESSAGE],
        "error_title": "Please check this figure",
        "error_message": "A whole number in the range is expected; leave the cell empty if it is not known."
        if question.whole
        else "A number in the range is expected; leave the cell empty if it is not known.",
    }

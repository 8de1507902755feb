"""Workbooks as ODS, by the same rules as XLSX."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import escape, quoteattr

from stocktake.render.words import clean
from stocktake.reports.books import Book, Kind, Sheet, Value

DECIMALS: dict[Kind, int | None] = {
    "text": None,
    "count": 0,
    "year": 0,
    "score": 1,
    "precise": 3,
    "percent": 1,
    "share": 1,
}
# Decimals that are always shown; those beyond are shown where they are not nought.
LEAST: dict[Kind, int] = {"precise": 1, "percent": 0}
WHEN = datetime(2000, 1, 1)
PLACE = "the sheets go here"
STYLES = """
<number:number-style style:name="n{kind}" ><number:number number:decimal-places="{places}" number:min-decimal-places="{least}" number:min-integer-digits="1"{group}/>{end}</number:number-style>
<style:style style:name="{kind}" style:family="table-cell" style:parent-style-name="Default" style:data-style-name="n{kind}"><style:table-cell-properties style:vertical-align="top"/></style:style>
"""
MORE = """
<style:style style:name="title" style:family="table-cell" style:parent-style-name="Default"><style:text-properties fo:font-size="15pt" fo:font-weight="bold"/></style:style>
<style:style style:name="head" style:family="table-cell" style:parent-style-name="Default"><style:table-cell-properties fo:wrap-option="wrap" style:vertical-align="top" fo:border-bottom="0.75pt solid #000000"/><style:text-properties fo:font-weight="bold"/></style:style>
<style:style style:name="wrap" style:family="table-cell" style:parent-style-name="Default"><style:table-cell-properties fo:wrap-option="wrap" style:vertical-align="top"/></style:style>
<style:style style:name="narrow" style:family="table-column"><style:table-column-properties style:column-width="2.4cm"/></style:style>
<style:style style:name="wide" style:family="table-column"><style:table-column-properties style:column-width="9cm"/></style:style>
<style:style style:name="cover" style:family="table-column"><style:table-column-properties style:column-width="20cm"/></style:style>
<style:style style:name="row" style:family="table-row"><style:table-row-properties style:use-optimal-row-height="true"/></style:style>
"""


def ods_bytes(book: Book) -> bytes:
    """A workbook as the bytes of an ODS file."""
    from odfdo import Document, Element

    document = Document("spreadsheet")
    document.body.clear()
    for style in _styles():
        document.insert_style(cast(Any, Element.from_tag(style)), automatic=True)
    meta = document.meta
    meta.title, meta.subject, meta.creator = clean(book.title), clean(book.subject), "Stocktake"
    meta.initial_creator, meta.language = "Stocktake", book.language
    meta.creation_date = meta.date = WHEN
    document.body.append(Element.from_tag(f'<table:table table:name="{PLACE}"/>'))
    shell = io.BytesIO()
    document.save(shell)
    sheets = (*(() if book.raw else book.front()), *book.sheets)
    tables = "".join(_raw(s) if s.raw else _sheet(s) for s in sheets)
    return _filled(shell.getvalue(), tables)


def _filled(shell: bytes, tables: str) -> bytes:
    """The empty document with its sheets put in as one piece of XML.

    Cell by cell, or even sheet by sheet, through the library takes time that grows with the square of the cells.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(shell)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            if item.filename.startswith("Configurations2/"):
                # The template's empty toolbars.
                continue
            data = old.read(item.filename)
            if item.filename == "META-INF/manifest.xml":
                data = re.sub(rb'<manifest:file-entry [^>]*"Configurations2/[^>]*/>', b"", data)
            if item.filename == "content.xml":
                text = data.decode("utf-8")
                text, put = re.subn(rf'<table:table [^>]*"{PLACE}"[^>]*/>', lambda _: tables, text)
                assert put == 1
                data = text.encode("utf-8")
            # A fixed date, and the type of the file first and not compressed, as the format asks.
            stored = zipfile.ZipInfo(item.filename, (1980, 1, 1, 0, 0, 0))
            stored.compress_type = zipfile.ZIP_STORED if item.filename == "mimetype" else zipfile.ZIP_DEFLATED
            new.writestr(stored, data)
    return out.getvalue()


def _styles() -> list[str]:
    out = []
    for kind, places in DECIMALS.items():
        if places is None:
            continue
        text = STYLES.format(
            kind=kind,
            places=places,
            least=LEAST.get(kind, places),
            group=' number:grouping="true"' if kind == "count" else "",
            end="",
        ).strip()
        number, style = text.split("\n", 1)
        if kind == "share":
            number = number.replace("number:number-style", "number:percentage-style").replace(
                "</number:percentage-style>", "<number:text>%</number:text></number:percentage-style>"
            )
        out += [number, style.strip()]
    return [*out, *MORE.strip().split("\n")]


def _words(value: str, style: str, link: str = "") -> str:
    text = escape(clean(value))
    if link:
        text = f'<text:a xlink:type="simple" xlink:href={quoteattr(f"#{link}.A1")}>{text}</text:a>'
    return f'<table:table-cell office:value-type="string" calcext:value-type="string" table:style-name="{style}"><text:p>{text}</text:p></table:table-cell>'


def _brief(value: float, places: int) -> str:
    """A figure with as many decimals as it has, at least one for scores and none for percentages."""
    words = f"{value:.{places}f}".rstrip("0")
    return words.rstrip(".") if places == 1 else f"{words}0" if words.endswith(".") else words


def _number(value: float, kind: Kind) -> str:
    places = DECIMALS[kind] or 0
    shown = (
        _brief(value, places)
        if kind in ("precise", "percent")
        else f"{100 * value:.{places}f}%"
        if kind == "share"
        else f"{value:,.{places}f}"
        if kind == "count"
        else f"{value:.{places}f}"
    )
    of = "percentage" if kind == "share" else "float"
    return f'<table:table-cell office:value-type="{of}" calcext:value-type="{of}" office:value="{value!r}" table:style-name="{kind}"><text:p>{shown}</text:p></table:table-cell>'


def _cell(value: Value | None, kind: Kind, link: str = "") -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, str):
        return _words(value, "wrap", link)
    return _number(value, kind)


def _row(cells: Sequence[str]) -> str:
    return f'<table:table-row table:style-name="row">{"".join(cells)}</table:table-row>'


def _table(name: str, columns: str, rows: Sequence[str]) -> str:
    return f"<table:table table:name={quoteattr(name)}>{columns}{''.join(rows)}</table:table>"


def _sheet(sheet: Sheet) -> str:
    head = [_row([_words(sheet.title, "title")]), *(_row([_words(line, "Default")]) for line in sheet.about)]
    if not sheet.columns:
        return _table(sheet.name, '<table:table-column table:style-name="cover"/>', head)
    columns = "".join(f'<table:table-column table:style-name="{_width(sheet, c)}"/>' for c in range(len(sheet.columns)))
    header = _row([_words(c.title, "head") for c in sheet.columns])
    links = sheet.name == "Contents"
    body = [
        _row(
            [
                _cell(v, column.kind, str(v) if links and i == 0 else "")
                for i, (v, column) in enumerate(zip(row, sheet.columns, strict=True))
            ]
        )
        for row in sheet.rows
    ]
    return _table(sheet.name, columns, [*head, f"<table:table-header-rows>{header}</table:table-header-rows>", *body])


def _width(sheet: Sheet, column: int) -> str:
    longest = max((len(str(row[column])) for row in sheet.rows if isinstance(row[column], str)), default=0)
    return "wide" if longest > 24 else "narrow"


def _raw(sheet: Sheet) -> str:
    columns = f'<table:table-column table:number-columns-repeated="{len(sheet.columns)}"/>'
    rows = [_row([_words(c.title, "Default") for c in sheet.columns])]
    rows += [_row([_plain(v) for v in row]) for row in sheet.rows]
    return _table(sheet.name, columns, rows)


def _plain(value: Value | None) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, str):
        return _words(value, "Default")
    return f'<table:table-cell office:value-type="float" calcext:value-type="float" office:value="{value!r}"><text:p>{value!r}</text:p></table:table-cell>'


def save_ods(book: Book, target: Path) -> None:
    """Save a workbook as ODS to a path."""
    target.write_bytes(ods_bytes(book))

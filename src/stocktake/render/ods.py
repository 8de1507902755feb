"""Workbooks as ODS, by the same rules as XLSX."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast
from xml.sax.saxutils import escape, quoteattr

import polars as pl

from stocktake.render.cells import (
    DECIMALS,
    check_heights,
    column_widths,
    escaped,
    joined,
    number,
    parts,
    refill,
    slices,
)
from stocktake.render.words import clean
from stocktake.reports.books import Book, Kind, Sheet

# Decimals that are always shown; those beyond are shown where they are not zero.
LEAST: dict[Kind, int] = {"precise": 1, "percent": 0}
# Centimetres of a letter, and how sheets are printed: across, and as small as fits the width of a page.
LETTER = 0.2
WIDTH = '<style:style style:name="w{letters}" style:family="table-column"><style:table-column-properties style:column-width="{width:.1f}cm"/></style:style>'
PORTRAIT = "<style:page-layout-properties "
LANDSCAPE = f'{PORTRAIT}fo:page-width="29.7cm" fo:page-height="21cm" style:print-orientation="landscape" style:scale-to-X="1" style:scale-to-Y="0" '
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
<style:style style:name="cover" style:family="table-column"><style:table-column-properties style:column-width="20cm"/></style:style>
<style:style style:name="row" style:family="table-row"><style:table-row-properties style:use-optimal-row-height="true"/></style:style>
"""


def ods_bytes(book: Book) -> bytes:
    """A workbook as the bytes of an ODS file."""
    out = io.BytesIO()
    _save(book, out)
    return out.getvalue()


def save_ods(book: Book, target: Path) -> None:
    """Save a workbook as ODS to a path, in slices, so that many rows take little memory.

    Raises StocktakeError for a sheet of more rows than a worksheet holds.
    """
    check_heights(book)
    with target.open("wb") as out:
        _save(book, out)


def _save(book: Book, out: IO[bytes]) -> None:
    from odfdo import Document, Element

    document = Document("spreadsheet")
    document.body.clear()
    widths = {s.name: column_widths(s) for s in book.all_sheets if s.columns and not s.raw}
    letters = sorted({w for own in widths.values() for w in own})
    for style in (*_styles(), *(WIDTH.format(letters=n, width=n * LETTER) for n in letters)):
        document.insert_style(cast(Any, Element.from_tag(style)), automatic=True)
    meta = document.meta
    meta.title, meta.subject, meta.creator = clean(book.title), clean(book.subject), "Stocktake"
    meta.initial_creator, meta.language = "Stocktake", book.language
    meta.creation_date = meta.date = WHEN
    document.body.append(Element.from_tag(f'<table:table table:name="{PLACE}"/>'))
    shell = io.BytesIO()
    document.save(shell)
    with zipfile.ZipFile(shell) as archive:
        content = archive.read("content.xml").decode("utf-8")
        manifest = archive.read("META-INF/manifest.xml")
        styles = archive.read("styles.xml").decode("utf-8").replace(PORTRAIT, LANDSCAPE, 1)
    # Without the template's empty toolbars.
    manifest = re.sub(rb'<manifest:file-entry [^>]*"Configurations2/[^>]*/>', b"", manifest)
    before, after = re.split(rf'<table:table [^>]*"{PLACE}"[^>]*/>', content)
    contents = {
        "META-INF/manifest.xml": iter([manifest]),
        "styles.xml": iter([styles.encode("utf-8")]),
        "content.xml": _content(before, book, widths, after),
    }
    refill(shell, out, contents, skip="Configurations2/")


def _content(before: str, book: Book, widths: Mapping[str, Sequence[int]], after: str) -> Iterator[bytes]:
    """The document's XML with its sheets, in pieces."""
    yield before.encode("utf-8")
    for sheet in book.all_sheets:
        yield _head(sheet, widths.get(sheet.name, ())).encode("utf-8")
        for _, cells in slices(sheet):
            yield _rows(sheet, cells)
        yield b"</table:table>"
    yield after.encode("utf-8")


def _styles() -> list[str]:
    out = []
    for kind, places in DECIMALS.items():
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


TEXT = '<table:table-cell office:value-type="string" table:style-name="'


def _words(value: str, style: str) -> str:
    return f'{TEXT}{style}"><text:p>{escape(clean(value))}</text:p></table:table-cell>'


def _row(cells: str) -> str:
    return f'<table:table-row table:style-name="row">{cells}</table:table-row>'


def _head(sheet: Sheet, widths: Sequence[int]) -> str:
    """The beginning of a sheet: its columns, title, notes and header."""
    start = f"<table:table table:name={quoteattr(sheet.name)}>"
    if sheet.raw:
        columns = f'<table:table-column table:number-columns-repeated="{len(sheet.columns)}"/>'
        return start + columns + _row("".join(_words(c.title, "Default") for c in sheet.columns))
    lines = _row(_words(sheet.title, "title")) + "".join(_row(_words(line, "Default")) for line in sheet.about)
    if not sheet.columns:
        return f'{start}<table:table-column table:style-name="cover"/>{lines}'
    columns = "".join(
        f'<table:table-column table:style-name="w{width}" table:default-cell-style-name="{_style(c.kind)}"/>'
        for c, width in zip(sheet.columns, widths, strict=True)
    )
    header = _row("".join(_words(c.title, "head") for c in sheet.columns))
    return f"{start}{columns}{lines}<table:table-header-rows>{header}</table:table-header-rows>"


def _style(kind: Kind) -> str:
    return "wrap" if kind in ("text", "link") else kind


def _rows(sheet: Sheet, cells: pl.DataFrame) -> bytes:
    pieces = [pl.lit('<table:table-row table:style-name="row">')]
    for i, column in enumerate(sheet.columns):
        figure, text = parts(cells, i)
        made = pl.lit("<table:table-cell/>")
        if text is not None:
            words = escaped(text)
            if column.kind == "link":
                # The name of a sheet is no address: blanks and quotation marks are kept, what ends an attribute is not.
                name = words.str.replace_all('"', "&quot;", literal=True)
                words = pl.concat_str(pl.lit('<text:a xlink:type="simple" xlink:href="#'), name, pl.lit('.A1">'), words, pl.lit("</text:a>"))  # fmt: skip
            # The column's style holds for cells that name none.
            style = "" if sheet.raw or column.kind in ("text", "link") else ' table:style-name="wrap"'
            start = f'<table:table-cell office:value-type="string"{style}><text:p>'
            made = pl.coalesce(pl.concat_str(pl.lit(start), words, pl.lit("</text:p></table:table-cell>")), made)
        if figure is not None:
            of = "percentage" if column.kind == "share" and not sheet.raw else "float"
            start = f'<table:table-cell office:value-type="{of}" office:value="'
            # A program shows the value as the column's style says: to write that out as well makes it a fifth larger.
            value = pl.concat_str(pl.lit(start), number(figure), pl.lit('"/>'))
            made = pl.coalesce(value, made)
        pieces.append(made)
    return joined(cells, [*pieces, pl.lit("</table:table-row>")])

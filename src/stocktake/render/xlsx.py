"""Workbooks as XLSX, by the Government Analysis Function's rules for accessible spreadsheets."""

from __future__ import annotations

import io
import re
import textwrap
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.render.cells import (
    LONG,
    SLICE,
    check_heights,
    column_widths,
    escaped,
    joined,
    number,
    parts,
    refill,
    slices,
)
from stocktake.render.words import brief, clean
from stocktake.reports.books import Book, Sheet, words

# The formats of cells: one for each kind of column, and one for long texts.
FORMATS: dict[str, dict[str, Any]] = {
    "text": {"num_format": "@", "indent": 1},
    "link": {"font_color": "#005A9C", "underline": 1},
    "count": {"num_format": "#,##0"},
    "year": {"num_format": "0"},
    "score": {"num_format": "0.0"},
    "precise": {"num_format": "0.0##"},
    "percent": {"num_format": "0.#"},
    "share": {"num_format": "0.0%"},
    "wrap": {"text_wrap": True, "indent": 1},
}
WHEN = datetime(2000, 1, 1)
STRINGS = "xl/sharedStrings.xml"
# A cell holds no longer text.
MOST_LETTERS = 32_767


def xlsx_bytes(book: Book) -> bytes:
    """A workbook as the bytes of an XLSX file."""
    out = io.BytesIO()
    _save(book, out)
    return out.getvalue()


def save_xlsx(book: Book, target: Path) -> None:
    """Save a workbook as XLSX to a path, in slices, so that many rows take little memory.

    Raises StocktakeError for a sheet of more rows than a worksheet holds.
    """
    check_heights(book)
    with target.open("wb") as out:
        _save(book, out)


@dataclass(frozen=True)
class _Place:
    """Where a sheet's rows go: its file in the ZIP, the number of its first row (from 1), and its widths in letters."""

    file: str
    first: int
    widths: tuple[float, ...]


def _save(book: Book, out: Any) -> None:
    shell, places = _shell(book)
    contents: dict[str, Iterator[bytes]] = {}
    tables = 0
    with zipfile.ZipFile(shell) as archive:
        strings = _Strings(archive.read(STRINGS).decode("utf-8"))
        for sheet, place in zip(book.all_sheets, places, strict=True):
            if sheet.height:
                contents[place.file] = _filled(archive.read(place.file).decode("utf-8"), sheet, place, strings)
            if sheet.columns and not sheet.raw:
                tables += 1
                file = f"xl/tables/table{tables}.xml"
                contents[file] = iter([_extended(archive.read(file).decode("utf-8"), sheet, place)])
    # The texts are known once all sheets are written.
    refill(shell, out, contents, last={STRINGS: strings.pieces()})


class _Strings:
    """The texts of a workbook, each written once, and named in cells by its number."""

    def __init__(self, table: str) -> None:
        self.head, rest = table.split("<si>", 1)
        self.first, self.foot = "<si>" + rest.removesuffix("</sst>"), "</sst>"
        self.known = table.count("<si>")
        self.numbers: dict[str, int] = {}

    def numbered(self, texts: pl.Series) -> pl.Series:
        """The number of each text; no value for no text."""
        found = texts.drop_nulls().unique(maintain_order=True).to_list()
        for text in found:
            self.numbers.setdefault(text, self.known + len(self.numbers))
        return texts.replace_strict(found, [self.numbers[t] for t in found], default=None, return_dtype=pl.Int64)

    def pieces(self) -> Iterator[bytes]:
        """The file of texts, in pieces."""
        # How often texts are used need not be said.
        yield (re.sub(r' (?:count|uniqueCount)="\d+"', "", self.head) + self.first).encode("utf-8")
        texts = list(self.numbers)
        for start in range(0, len(texts), SLICE):
            some = pl.DataFrame({"text": texts[start : start + SLICE]})
            text = _text(pl.col("text"))
            yield joined(some, [pl.lit('<si><t xml:space="preserve">'), text, pl.lit("</t></si>")])
        yield self.foot.encode("utf-8")


def _shell(book: Book) -> tuple[io.BytesIO, list[_Place]]:
    """The file with all but its rows; in the first row of each sheet a figure in each of FORMATS, to see their numbers."""
    import xlsxwriter

    shell = io.BytesIO()
    # Whatever looks like a formula, a link or a number is text unless it is a figure of ours.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(shell, options)
    workbook.set_properties(
        {
            "title": brief(book.title),
            "subject": brief(book.subject),
            "author": "Stocktake",
            "keywords": brief(", ".join((*book.keywords, book.digest))),
            "created": WHEN,
        }
    )
    formats = {name: workbook.add_format({"valign": "top"} | look) for name, look in FORMATS.items()}
    formats["title"] = workbook.add_format({"bold": True, "font_size": 15})
    formats["about"] = workbook.add_format({"text_wrap": False})
    formats["head"] = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "indent": 1})
    places = []
    for i, sheet in enumerate(book.all_sheets, start=1):
        page = workbook.add_worksheet(sheet.name)
        first, widths = (1, ()) if sheet.raw else _sheet(page, sheet, formats)
        if sheet.raw:
            for c, column in enumerate(sheet.columns):
                page.write_string(0, c, clean(column.title))
        if sheet.height:
            for c, name in enumerate(FORMATS):
                page.write_number(first, c, 0, formats[name])
        places.append(_Place(f"xl/worksheets/sheet{i}.xml", first + 1, widths))
    workbook.close()
    return shell, places


def _sheet(page: Any, sheet: Sheet, formats: Any) -> tuple[int, tuple[float, ...]]:
    """Title, notes, header and layout of a sheet; returns its first row of cells, from 0, and its widths."""
    page.write_string(0, 0, clean(sheet.title), formats["title"])
    for i, line in enumerate(sheet.about, start=1):
        page.write_string(i, 0, clean(line), formats["about"])
    page.set_landscape()
    page.fit_to_pages(1, 0)
    top = 1 + len(sheet.about)
    if not sheet.columns:
        page.set_column(0, 0, 100)
        return top, ()
    # Marked as a table, so that a screen reader knows its header; one a sheet, nothing merged. It gets its extent
    # later, because the library remembers each of its cells.
    page.add_table(
        top,
        0,
        top + 1,
        len(sheet.columns) - 1,
        {
            "name": "".join(c if c.isalnum() else "_" for c in sheet.name) + "_table",
            "style": "Table Style Light 1",
            "banded_rows": False,
            "columns": [{"header": clean(c.title), "header_format": formats["head"]} for c in sheet.columns],
        },
    )
    widths = column_widths(sheet)
    for c, width in enumerate(widths):
        page.set_column(c, c, width)
    # Heights are given, because not every program works them out for wrapped text.
    page.set_row(top, 15 * max(_lines(c.title, w) for c, w in zip(sheet.columns, widths, strict=True)) + 2)
    page.freeze_panes(top + 1, 0)
    page.repeat_rows(top)
    for c, column in enumerate(sheet.columns):
        if column.kind == "link":
            for r, row in enumerate(sheet.rows, start=top + 1):
                page.write_url(r, c, f"internal:'{row[c]}'!A1", formats["link"], clean(str(row[c])))
    return top + 1, widths


@cache
def _lines(text: str, width: float) -> int:
    """How many lines a text needs in a column of so many letters."""
    return len(textwrap.wrap(text, max(int(width) - 1, 1))) if len(text) >= width else 1


def _filled(page: str, sheet: Sheet, place: _Place, strings: _Strings) -> Iterator[bytes]:
    """The XML of a worksheet with its rows, in pieces."""
    start = page.index(f'<row r="{place.first}"')
    end = page.index("</sheetData>")
    specimen = page[start : page.index("</row>", start)]
    styles = dict(zip(FORMATS, re.findall(r'<c r="[A-Z]+\d+"(?: s="(\d+)")?>', specimen), strict=True))
    last = place.first + sheet.height - 1
    extent = f'<dimension ref="A1:{_letters(len(sheet.columns) - 1)}{last}"/>'
    yield re.sub(r'<dimension ref="[^"]*"/>', extent, page[:start]).encode("utf-8")
    for before, cells in slices(sheet):
        yield _rows(sheet, cells, place.first + before, {} if sheet.raw else styles, place.widths, strings)
    yield page[end:].encode("utf-8")


def _extended(table: str, sheet: Sheet, place: _Place) -> bytes:
    """The XML of a sheet's table, made with one row, with all of its rows."""
    column = _letters(len(sheet.columns) - 1)
    last = place.first + max(sheet.height, 1) - 1
    return table.replace(f':{column}{place.first}"', f':{column}{last}"').encode("utf-8")


def _letters(column: int) -> str:
    """A column's letters, from 0 for A."""
    before, own = divmod(column, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + own)


def _rows(
    sheet: Sheet,
    cells: pl.DataFrame,
    first: int,
    styles: dict[str, str],
    widths: Sequence[float],
    strings: _Strings,
) -> bytes:
    row = pl.int_range(first, first + cells.height, dtype=pl.Int64).cast(pl.String)
    pieces: list[pl.Expr] = [pl.lit('<row r="'), row, *_height(sheet, cells, widths), pl.lit('">')]
    for i, column in enumerate(sheet.columns):
        figure, text = parts(cells, i)
        start = f'<c r="{_letters(i)}'
        made = None
        if text is not None:
            plain = style_of(styles, "link" if column.kind == "link" else "text")
            look = pl.lit(plain)
            if column.kind != "link":
                look = pl.when(text.str.len_chars() > LONG).then(pl.lit(style_of(styles, "wrap"))).otherwise(look)
            made = pl.concat_str(
                pl.lit(start), row, pl.lit('"'), look, pl.lit(' t="s"><v>'), pl.lit(strings.numbered(cells[words(i)])).cast(pl.String), pl.lit("</v></c>")
            )  # fmt: skip
        if figure is not None:
            value = pl.concat_str(
                pl.lit(start), row, pl.lit(f'"{style_of(styles, column.kind)}><v>'), number(figure), pl.lit("</v></c>")
            )
            made = value if made is None else pl.coalesce(value, made)
        if made is not None:
            pieces.append(made.fill_null(""))
    return joined(cells, [*pieces, pl.lit("</row>")])


def style_of(styles: dict[str, str], name: str) -> str:
    """The attribute of a cell that gives it a format; empty where there are none."""
    return f' s="{styles[name]}"' if styles.get(name) else ""


def _text(text: pl.Expr) -> pl.Expr:
    # What looks like the format's own way to write a character is written in that way itself.
    short = pl.when(text.str.len_chars() > MOST_LETTERS).then(text.str.head(MOST_LETTERS - 1) + "…").otherwise(text)
    return escaped(short.str.replace_all(r"_(x[0-9a-fA-F]{4}_)", "_x005F_${1}"))


def _height(sheet: Sheet, cells: pl.DataFrame, widths: Sequence[float]) -> list[pl.Expr]:
    """The attributes that give a row the height of its wrapped texts."""
    lines = []
    for i, width in enumerate(widths):
        if parts(cells, i)[1] is None:
            continue
        texts = cells[words(i)].drop_nulls().unique().to_list()
        many = {text: n for text in texts if (n := _lines(text, width)) > 1}
        if many:
            lines.append(pl.col(words(i)).replace_strict(many, default=1, return_dtype=pl.Int64))
    if not lines:
        return []
    most = pl.max_horizontal(lines)
    given = pl.concat_str(pl.lit('" ht="'), (15 * most).cast(pl.String), pl.lit('" customHeight="1'))
    return [pl.when(most > 1).then(given).otherwise(pl.lit(""))]

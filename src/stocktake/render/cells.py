"""What both kinds of workbook share: rows of cells as XML, made in slices by expressions, and put into a file's shell.

A writer makes the file with everything but its rows. Cell by cell through a library a national table of several
million cells takes minutes and gigabytes; expressions make them in seconds, and a slice at a time takes little memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import polars as pl

from stocktake.problems import StocktakeError
from stocktake.reports.books import Book, Kind, Sheet, figures, words

# Rows that a worksheet can hold in the programs that open it.
MOST_ROWS = 1_048_576
# Cells that are made at a time.
SLICE = 250_000
# A fifth less than at level 2 for a fifth more time; level 9 takes three times as long for a few hundredths.
LEVEL = 6

# Decimals that are shown, at most; for `precise` and `percent` only those that are not zero.
DECIMALS: Mapping[Kind, int] = {"count": 0, "year": 0, "score": 1, "precise": 3, "percent": 1, "share": 1}
# Longer texts are wrapped.
LONG = 24


def slices(sheet: Sheet) -> Iterator[tuple[int, pl.DataFrame]]:
    """The cells of a sheet, about SLICE at a time, each with the number of rows before it."""
    return sheet.slices(max(1, SLICE // max(1, len(sheet.columns))))


def check_heights(book: Book) -> None:
    """Raise StocktakeError for every sheet with more rows than a worksheet can hold."""
    problems = [
        f"sheet {s.name!r}: {s.height:,} rows, more than the {MOST_ROWS - 20:,} that a worksheet holds; use the CSV files."
        for s in book.sheets
        if s.height > MOST_ROWS - 20
    ]
    if problems:
        raise StocktakeError(problems)


def escaped(text: pl.Expr) -> pl.Expr:
    """Text as XML content, a blank for each control character that XML cannot hold."""
    return (
        text.str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]", " ")
        .str.replace_all("&", "&amp;", literal=True)
        .str.replace_all("<", "&lt;", literal=True)
        .str.replace_all(">", "&gt;", literal=True)
    )


def number(value: pl.Expr) -> pl.Expr:
    """A figure in the fewest digits that give it back."""
    return value.cast(pl.String)


def longest(sheet: Sheet) -> list[int]:
    """The number of letters of the longest text in each column; 0 for a column without texts."""
    names = sheet.cells.collect_schema().names()
    there = [words(i) for i in range(len(sheet.columns)) if words(i) in names]
    found = sheet.cells.select(pl.col(n).str.len_chars().max().fill_null(0) for n in there).collect(engine="streaming")
    return [int(found[words(i)][0] or 0) if words(i) in there else 0 for i in range(len(sheet.columns))]


def column_widths(sheet: Sheet) -> tuple[int, ...]:
    """Widths of the columns in letters: the longest text up to sixty, room for a figure, and for the heading's words."""
    found = []
    for column, most in zip(sheet.columns, longest(sheet), strict=True):
        heading = max(len(word) for word in column.title.split() or [""])
        found.append(min(60, max(most + 1, heading + 3, 8)))
    return tuple(found)


def parts(cells: pl.DataFrame, position: int) -> tuple[pl.Expr | None, pl.Expr | None]:
    """Figures and words of a column of cells; None for what it has not."""
    figure, text = figures(position), words(position)
    return (
        pl.col(figure) if figure in cells.columns and cells[figure].null_count() < cells.height else None,
        pl.col(text) if text in cells.columns and cells[text].null_count() < cells.height else None,
    )


def joined(cells: pl.DataFrame, row: Iterable[pl.Expr]) -> bytes:
    """Rows of XML: the given pieces of each row, one row after another."""
    made = cells.select(pl.concat_str(list(row)).alias("row"))["row"]
    # A piece without a value makes a row without one, which would be left out without a word.
    assert made.null_count() == 0, "a row of cells has no value"
    return str(made.str.join("").item()).encode("utf-8")


def ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same, each chunk made while the one before is written."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, chunks, None)
        while (chunk := waiting.result()) is not None:
            waiting = pool.submit(next, chunks, None)
            yield chunk


def refill(
    shell: IO[bytes],
    target: IO[bytes],
    contents: Mapping[str, Iterator[bytes]],
    skip: str | None = None,
    last: Mapping[str, Iterator[bytes]] | None = None,
) -> None:
    """Copy a ZIP file to `target`, with new content, given in pieces, for some of its files.

    `skip` names a folder to leave out; the files of `last` are written after all others.
    """
    last = last or {}
    with zipfile.ZipFile(shell) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as new:
        for item in old.infolist():
            if item.filename in last or (skip is not None and item.filename.startswith(skip)):
                continue
            if item.filename not in contents:
                # A fixed date; and the file that names the type is not compressed, as OpenDocument asks.
                info = zipfile.ZipInfo(item.filename, (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_STORED if item.filename == "mimetype" else zipfile.ZIP_DEFLATED
                new.writestr(info, old.read(item.filename))
                continue
            _write(new, item.filename, contents[item.filename])
        for name, content in last.items():
            _write(new, name, content)


def _write(archive: zipfile.ZipFile, name: str, content: Iterator[bytes]) -> None:
    with archive.open(name, "w", force_zip64=True) as out:
        for chunk in ahead(content):
            out.write(chunk)

"""Whatever a workbook is given comes back from its file: every figure to the last digit, every text, in any slice."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from typing import Any

import openpyxl
import polars as pl
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from stocktake.problems import StocktakeError
from stocktake.render import cells as cells_module
from stocktake.render.cells import MOST_ROWS
from stocktake.render.ods import ods_bytes
from stocktake.render.words import clean
from stocktake.render.xlsx import save_xlsx, xlsx_bytes
from stocktake.reports.books import Book, Column, Sheet, sheet_of

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FIGURES = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300) | st.integers(
    -(10**9), 10**9
)
# No blank at the ends and no line break: ODS and the reader fold these.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=40
)


def read(data: bytes, name: str) -> list[list[Any]]:
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name).to_python()


def book(*sheets: Sheet) -> Book:
    return Book("A title", "tests", ("A line.",), sheets, "0123456789abcdef")


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(st.tuples(FIGURES, TEXTS, FIGURES | TEXTS), min_size=1, max_size=12),
    size=st.integers(1, 20),
    raw=st.booleans(),
)
def test_every_cell_comes_back(rows: list[tuple[Any, ...]], size: int, raw: bool) -> None:
    columns = (Column("Figure", "precise"), Column("Text"), Column("Either", "count"))
    sheet = sheet_of("Data", "Data", ("About.",), columns, rows, raw)
    assert sheet.rows == [tuple(r) for r in rows]
    before = cells_module.SLICE
    cells_module.SLICE = size * 3
    try:
        for make in (xlsx_bytes, ods_bytes):
            found = read(make(book(sheet)), "Data")[-len(rows) :]
            for mine, theirs in zip(rows, found, strict=True):
                for own, other in zip(mine, theirs, strict=True):
                    assert other == (clean(own) if isinstance(own, str) else own)
    finally:
        cells_module.SLICE = before


def test_texts_that_look_like_codes_of_characters_stay_as_they_are() -> None:
    rows = [("_x0041_ & <b>", 'say "no"'), ("=1+1", "a\x00b")]
    sheet = sheet_of("Data", "Data", (), (Column("One"), Column("Two")), rows)
    for make in (xlsx_bytes, ods_bytes):
        assert read(make(book(sheet)), "Data")[-2:] == [["_x0041_ & <b>", 'say "no"'], ["=1+1", "a b"]]


def test_a_text_too_long_for_a_cell_ends_in_a_mark() -> None:
    sheet = sheet_of("Data", "Data", (), (Column("One"),), [("x" * 40_000,)])
    text = read(xlsx_bytes(book(sheet)), "Data")[-1][0]
    assert len(text) == 32_767 and text.endswith("x…")


def test_blanks_of_a_raw_sheet_are_blank() -> None:
    sheet = sheet_of("Data", "Data", (), (Column("One"), Column("Two")), [(None, 1), ("a", None), (2.5, "b")], raw=True)
    for make in (xlsx_bytes, ods_bytes):
        assert read(make(book(sheet)), "Data")[1:] == [["", 1], ["a", ""], [2.5, "b"]]


def test_a_sheet_higher_than_a_worksheet_is_refused(tmp_path: Any) -> None:
    tall = Sheet("Data", "Data", (), (Column("One"),), pl.LazyFrame({"figure 0": [1]}), MOST_ROWS)
    with pytest.raises(StocktakeError, match="sheet 'Data': 1,048,576 rows, more than the"):
        save_xlsx(book(tall), tmp_path / "book.xlsx")
    assert not (tmp_path / "book.xlsx").exists()


def test_each_text_of_a_workbook_is_written_once() -> None:
    texts = ["a", "b <&>", "a", None, "b <&>", "_x0041_"]
    sheet = sheet_of("Data", "Data", (), (Column("One"), Column("Two")), [(t, "a") for t in texts])
    with zipfile.ZipFile(io.BytesIO(xlsx_bytes(book(sheet)))) as archive:
        names = [n for n in archive.namelist() if n.endswith("sharedStrings.xml")]
        shared = ET.fromstring(archive.read(names[0]))
    found = ["".join(t.text or "" for t in item.iter(f"{MAIN}t")) for item in shared]
    assert [found.count(t) for t in ("a", "b <&>", "_x005F_x0041_")] == [1, 1, 1]
    read = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(book(sheet))))["Data"]
    below = [[c.value for c in row[:2]] for row in read.iter_rows(min_row=3)]
    assert [row for row in below if row[1] == "a"] == [[t, "a"] for t in ("a", "b <&>", "a", None, "b <&>", "_x0041_")]


def test_an_open_document_begins_with_its_type_uncompressed() -> None:
    sheet = sheet_of("Data", "Data", (), (Column("One"),), [("a",)])
    with zipfile.ZipFile(io.BytesIO(ods_bytes(book(sheet)))) as archive:
        first, *rest = archive.infolist()
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert {i.compress_type for i in rest} == {zipfile.ZIP_DEFLATED}

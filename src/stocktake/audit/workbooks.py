"""Returned workbooks as grids of cells, once nothing speaks against opening them."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stocktake.problems import StocktakeError

# Limits of a returned workbook; the largest form that the library's specification gives has 120 kB and 10 sheets.
LARGEST_FILE = 20_000_000
LARGEST_UNPACKED = 100_000_000
MOST_PARTS = 500
MOST_ROWS, MOST_COLUMNS = 20_000, 300
# Parts of a workbook that run something or fetch something, and what they are called.
ACTIVE = {
    "vbaproject": "macros",
    "macrosheets": "macros",
    "externallinks": "links to other workbooks",
    "activex": "controls",
    "embeddings": "embedded files",
    "connections.xml": "data connections",
    "querytables": "data connections",
    "customui": "code for the ribbon",
}


def refusal(path: Path) -> str:
    """Why a file is not opened at all, as a sentence; empty where nothing speaks against it."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        return f"the file has {size:,} bytes; expected at most {LARGEST_FILE:,}."
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if "xl/workbook.xml" not in {p.filename for p in parts}:
                return "this is not an XLSX workbook; save it as one and send it again."
            total = sum(p.file_size for p in parts)
            if total > LARGEST_UNPACKED or len(parts) > MOST_PARTS:
                return f"it unpacks to {total:,} bytes in {len(parts)} parts; expected at most {LARGEST_UNPACKED:,} in {MOST_PARTS}."
            for part in parts:
                name = part.filename.lower()
                found = next((words for key, words in ACTIVE.items() if key in name), "")
                if found:
                    return f"it has {found}, which a form does not need; save it without them and send it again."
                if name.endswith((".xml", ".rels")) and _declares(archive.read(part)):
                    return "it declares entities or a document type, which no spreadsheet program writes."
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
        return "this is not an XLSX workbook, or it is damaged or has a password; save it as XLSX without one."
    return ""


def _declares(content: bytes) -> bool:
    return b"<!DOCTYPE" in content or b"<!ENTITY" in content


@dataclass
class Grid:
    """One sheet as cells: what is shown in each, and which of them are formulas without a value."""

    name: str
    cells: dict[tuple[int, int], Any]
    formulas: frozenset[tuple[int, int]] = frozenset()

    @property
    def height(self) -> int:
        return max((r for r, _ in self.cells), default=0)

    def text(self, row: int, column: int) -> str:
        value = self.cells.get((row, column))
        return "" if value is None else str(value).strip()


def read_grids(path: Path) -> list[Grid]:
    """The sheets of a workbook that `refusal` lets pass; raises StocktakeError where it is damaged or too large."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        found = [_grid(path.name, sheet) for sheet in book.worksheets]
        book.close()
        if _has_formulas(path):
            raw = openpyxl.load_workbook(path, read_only=True, data_only=False)
            for grid, sheet in zip(found, raw.worksheets, strict=True):
                formulas = {k for k, v in _grid(path.name, sheet).cells.items() if isinstance(v, str) and v[:1] == "="}
                grid.formulas = frozenset(k for k in formulas if k not in grid.cells)
            raw.close()
    except StocktakeError:
        raise
    except Exception:
        # The library ends in many kinds of error on a damaged file; its own words may repeat what the file holds.
        raise StocktakeError(f"{path.name}: the workbook is damaged; save it again and send it once more.") from None
    return found


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/") and n.endswith(".xml")]
        return any(re.search(rb"<f[ >/]", archive.read(n)) for n in sheets)


def _grid(file: str, sheet: Any) -> Grid:
    cells: dict[tuple[int, int], Any] = {}
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is None or cell.value == "":
                continue
            if cell.row > MOST_ROWS or cell.column > MOST_COLUMNS:
                raise StocktakeError(
                    f"{file}, sheet {sheet.title!r}: something stands in row {cell.row}, column {cell.column}; expected at "
                    f"most {MOST_ROWS:,} rows and {MOST_COLUMNS} columns."
                )
            cells[cell.row, cell.column] = cell.value
    return Grid(sheet.title, cells)


def cell_name(row: int, column: int) -> str:
    """The name of a cell, such as C12."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"

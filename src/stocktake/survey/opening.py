"""Limits on the files that are opened, checked before a reader spends memory on them."""

from __future__ import annotations

import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers import expat

import polars as pl

from stocktake.problems import StocktakeError

# A workbook unpacked, and the cells of one sheet up to its last row and column, blanks included.
LARGEST_UNPACKED = 2_000_000_000
MOST_CELLS = 50_000_000
# Problems of one file that are listed one by one.
LISTED = 20
CHUNK = 1 << 20
BLOCK = 1 << 24


@contextmanager
def readable(name: str, kind: str) -> Iterator[None]:
    """Turn any failure of a reader into one sentence; its own words may hold respondents' rows and are not repeated."""
    try:
        yield
    except (StocktakeError, MemoryError):
        raise
    except OSError as error:
        raise StocktakeError(f"{name}: cannot be read ({error.strerror or 'the file is damaged'}).") from None
    except BaseException as error:
        # Readers written in Rust end in a PanicException, which is no Exception; interrupts pass.
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        raise StocktakeError(f"{name}: cannot be read as {kind}; the file is damaged or of another kind.") from None


def unusable(schema: pl.Schema) -> dict[str, str]:
    """Columns whose type holds neither text nor numbers nor dates, with the type."""
    bad = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Duration, pl.Time, pl.Object)
    return {name: str(kind) for name, kind in schema.items() if kind.base_type() in bad}


def check_workbook(path: Path) -> None:
    """Refuse a workbook that would not fit in memory, or whose formulas have no stored value.

    Raises StocktakeError, with every formula that has none by sheet and cell.
    """
    with readable(path.name, "a workbook"), zipfile.ZipFile(path) as archive:
        size = sum(item.file_size for item in archive.infolist())
        if size > LARGEST_UNPACKED:
            raise StocktakeError(
                f"{path.name}: the workbook is {size:,} bytes when unpacked; expected at most {LARGEST_UNPACKED:,}."
            )
        names = archive.namelist()
        if "content.xml" in names:
            parts = ["content.xml"]
        else:
            parts = [n for n in names if re.fullmatch(r"xl/worksheets/[^/]+\.xml", n)]
        problems = [p for part in parts for p in _scan(archive, part, path.name)]
    if problems:
        more = [f"{path.name}: and {len(problems) - LISTED} more of these."] if len(problems) > LISTED else []
        raise StocktakeError([*problems[:LISTED], *more])


def _scan(archive: zipfile.ZipFile, part: str, file: str) -> list[str]:
    reader = _Ods(file) if part == "content.xml" else _Xlsx(file, Path(part).stem)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk)
            if reader.too_large:
                break
    return reader.problems


class _Sheets(ABC):
    """What is remembered of the sheet that is being scanned."""

    def __init__(self, file: str) -> None:
        self.file, self.problems, self.too_large = file, list[str](), False
        self.rows = self.columns = 0

    def seen(self, sheet: str, row: int, column: int) -> None:
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        if self.rows * self.columns > MOST_CELLS:
            self.too_large = True
            self.problems = [
                f"{self.file}, {sheet}: a cell in row {self.rows} and one in column {self.columns}; expected at most "
                f"{MOST_CELLS:,} cells up to the last row and column. Delete what is far from the table."
            ]

    @abstractmethod
    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of an element that begins."""

    @abstractmethod
    def end(self, tag: str) -> None:
        """Take note of an element that ends."""


class _Xlsx(_Sheets):
    def __init__(self, file: str, sheet: str) -> None:
        super().__init__(file)
        self.sheet, self.cell, self.formula, self.value, self.row, self.column = sheet, "", False, False, 0, 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "dimension":
            # Readers allocate memory for what a sheet says of its own size.
            row, column = _place(attributes.get("ref", "").rpartition(":")[2])
            self.seen(self.sheet, row, column)
        elif tag == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
        elif tag == "c":
            self.cell, self.formula, self.value = attributes.get("r", ""), False, False
            row, column = _place(self.cell)
            self.row, self.column = row or self.row, column or self.column + 1
        elif tag == "f":
            self.formula = True
        elif tag in ("v", "is"):
            self.value = True
            self.seen(self.sheet, self.row, self.column)

    def end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "c" and self.formula and not self.value:
            self.problems.append(
                f"{self.file}, {self.sheet}, cell {self.cell}: a formula without a stored value; open the file in a "
                "spreadsheet program, save it again, and try once more."
            )


class _Ods(_Sheets):
    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.sheet, self.row, self.column, self.repeat, self.filled = "", 0, 0, 1, False
        self.inside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table":
            self.sheet, self.row, self.rows, self.columns = attributes.get("table:name", ""), 0, 0, 0
        elif tag == "table:table-row":
            self.column, self.filled = 0, False
            self.repeat = int(attributes.get("table:number-rows-repeated", "1"))
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            many = int(attributes.get("table:number-columns-repeated", "1"))
            self.column += many
            has_value = "office:value-type" in attributes
            if has_value:
                self.filled = True
                self.seen(self.sheet, self.row + self.repeat, self.column)
            elif "table:formula" in attributes:
                self.problems.append(
                    f"{self.file}, {self.sheet}, row {self.row + 1}, column {self.column}: a formula without a stored value; "
                    "open the file in a spreadsheet program, save it again, and try once more."
                )

    def end(self, tag: str) -> None:
        if tag == "table:table-row":
            self.row += self.repeat


def _place(reference: str) -> tuple[int, int]:
    """Row and column of a cell reference such as B12; 0 for a part that is missing."""
    letters = reference.rstrip("0123456789")
    return int(reference[len(letters) :] or 0), _column(letters)


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number


def check_rows(path: Path, separator: str) -> int:
    """Refuse a text file with rows that have more or fewer cells than its header, each named; returns how many it has.

    A spreadsheet program or a text editor that cut a row short would otherwise have its answers read as blanks.
    """
    import pyarrow
    import pyarrow.csv

    wrong: list[tuple[int, int, int]] = []
    total = 0

    # Arrow may call this from a thread of its own, which coverage does not see; tests hold what it remembers.
    def remember(row: pyarrow.csv.InvalidRow) -> str:  # pragma: no cover
        nonlocal total
        total += 1
        if len(wrong) < LISTED:
            wrong.append((row.number or 0, row.actual_columns, row.expected_columns))
        return "skip"

    try:
        reader = pyarrow.csv.open_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(use_threads=False, encoding="latin-1", block_size=BLOCK),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=remember, ignore_empty_lines=False
            ),
            # Which cells a row has is all that is asked here; not converting them saves most of the time.
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=["-"], include_missing_columns=True, column_types={"-": pyarrow.null()}
            ),
        )
        rows = sum(batch.num_rows for batch in reader)
    except pyarrow.ArrowInvalid:
        raise StocktakeError(
            f"{path.name}: some row cannot be read; expected as many cells as the header has, and every quotation mark closed."
        ) from None
    if wrong:
        problems = [
            f"{path.name}, row {number}: {found} cells; expected {expected}, as the header has."
            for number, found, expected in wrong
        ]
        if total > LISTED:
            problems.append(f"{path.name}: and {total - LISTED} more rows like these.")
        raise StocktakeError(problems)
    return rows

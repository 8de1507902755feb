"""Tables in: CSV, Parquet, SPSS and Excel files, folders of Parquet files, addresses, queries of databases, and frames
already in memory, read batch by batch."""

from __future__ import annotations

import csv
import datetime
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.problems import StocktakeError
from stocktake.survey.coding import text
from stocktake.survey.counts import held
from stocktake.survey.databases import Query
from stocktake.survey.opening import check_rows, check_workbook, readable, unusable
from stocktake.survey.parquet import (
    OPENED_BY_POLARS,
    frames,
    parquet_files,
    read_run,
    row_count,
    row_groups,
    scan_address,
    scan_elsewhere,
    scan_parquet,
    uneven_columns,
)
from stocktake.survey.spss import describe_spss, spss_batches

# Rows that are read at a time.
ROWS = 1_048_576
# A row group of up to so many times the rows that are read at a time is read in one go.
MOST = 2
SUFFIXES = (".csv", ".parquet", ".sav", ".xlsx")


@dataclass(frozen=True)
class Run:
    """Rows of a table that follow one another: the place of the first (from 0), how many, and a call that reads them,
    some at a time, in any process that finds the source by the same name.
    """

    place: int
    rows: int
    load: Callable[[], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class Table:
    """A table of respondents that can be read more than once.

    `first_row` is the number that the file's own program shows for its first data row. `labels`
    and `user_missing` hold what an SPSS file says of its values, by column.
    """

    name: str
    columns: tuple[str, ...]
    first_row: int
    source: Path | pl.DataFrame | pl.LazyFrame | Query
    rows: int | None
    labels: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    user_missing: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)
    uneven: Mapping[str, str] = field(default_factory=dict)

    def check_types(self, columns: Iterable[str]) -> None:
        """Raise StocktakeError for every one of these columns that holds neither text, numbers nor dates, or not the same in
        every file.
        """
        chosen = list(columns)
        problems = [
            f"{self.name}, column {c}: holds values of type {self.unusable[c]}; expected text, numbers or dates."
            for c in chosen
            if c in self.unusable
        ]
        problems += [f"{self.name}, column {c}: {self.uneven[c]}." for c in chosen if c in self.uneven]
        if problems:
            raise StocktakeError(problems)

    def batches(self, columns: tuple[str, ...] | None = None, rows: int = ROWS) -> Iterator[pl.DataFrame]:
        """Yield the table in row order, `rows` at a time, with the given columns only.

        Raises StocktakeError where there come more or fewer rows than the table is known to have.
        """
        chosen = list(columns if columns is not None else self.columns)
        self.check_types(chosen)
        came = 0
        for frame in self._batches(chosen, rows):
            came += frame.height
            yield frame
        if self.rows is not None and 0 <= self.rows != came:
            raise StocktakeError(f"{self.name}: {came:,} rows were read, and {self.rows:,} counted; {self._why_not()}")

    def _why_not(self) -> str:
        """Why there may be other rows than were counted."""
        if isinstance(self.source, Path) and self.source.suffix == ".csv":
            return (
                "where a text file has a quotation mark inside a cell, or ends of lines of two kinds, it cannot be told where "
                "its rows end. Save it anew as CSV from the program that made it."
            )
        return "it has changed since it was opened, or gives other rows each time."

    def _batches(self, chosen: list[str], rows: int) -> Iterator[pl.DataFrame]:
        if isinstance(self.source, pl.DataFrame):
            yield from self.source.select(chosen).iter_slices(rows)
        elif isinstance(self.source, Query):
            yield from self.source.batches(chosen, rows)
        elif isinstance(self.source, Path) and self.source.suffix == ".sav":
            yield from spss_batches(self.source, chosen, rows, self.name, self.rows)
        else:
            yield from frames(_lazy(self.source).select(chosen), self.rows, rows, self.name)

    def pieces(self, columns: tuple[str, ...], rows: int = ROWS) -> Iterator[tuple[int, Callable[[], pl.DataFrame]]]:
        """Yield how many rows come before each piece, and a call that reads it.

        The row groups of Parquet files are read by whoever makes the call, so that workers share the decoding
        and find what they count still in their cache; other sources are read here, piece by piece.
        """
        self.check_types(columns)
        one = self.rows is not None and self.rows <= rows
        runs = self.runs(columns, rows) if isinstance(self.source, Path) and not one else []
        # A row group much larger than a piece is not one: it is read here, some rows at a time.
        if len(runs) > 1 and max(run.rows for run in runs) <= MOST * rows:
            for run in runs:
                yield run.place, partial(_whole, run)
            return
        start = 0
        for frame in self.batches(columns, rows):
            yield start, partial(held, frame)
            start += frame.height

    def runs(self, columns: tuple[str, ...], rows: int) -> list[Run]:
        """Runs of about so many rows, in order, that any process can read: row groups of Parquet files, or slices of an address.

        Empty for other sources. A larger row group is a run of its own. Raises StocktakeError where there are more or fewer
        rows than the table is known to have.
        """
        self.check_types(columns)
        source, size = self.source, self.rows
        if isinstance(source, pl.LazyFrame) and size is not None:
            lazy = source.select(columns)
            slices = [(start, min(rows, size - start)) for start in range(0, size, rows)]
            return [Run(start, n, partial(frames, lazy.slice(start, n), n, n, self.name)) for start, n in slices]
        if not isinstance(source, Path):
            return []
        # Another process may stand in another folder.
        source = source.absolute()
        with readable(self.name, "a table"):
            groups = row_groups(source, rows)
        places = list(accumulate((n for *_, n in groups), initial=0))
        if groups and places[-1] != self.rows:
            raise StocktakeError(
                f"{self.name}: {places[-1]:,} rows are there, and {self.rows:,} counted; {self._why_not()}"
            )
        return [
            Run(
                place, n, partial(read_run, path, source, columns, start, n, n if n <= MOST * rows else rows, self.name)
            )
            for place, (path, start, n) in zip(places, groups, strict=False)
        ]

    def repeated(self, column: str) -> frozenset[str]:
        """The values of a column, as trimmed text, that are in it more than once.

        Found by the engine's own grouping, so that ten million identifiers need not be held here.
        """
        self.check_types((column,))
        if isinstance(self.source, Query):
            return self.source.repeated(column)
        if isinstance(self.source, Path) and self.source.suffix == ".sav":
            lazy = pl.concat([text(f[column]).to_frame() for f in self.batches((column,))]).lazy()
        else:
            lazy = _lazy(self.source).select(column)
        with readable(self.name, "a table"):
            kind = lazy.collect_schema()[column]
        plain = pl.col(column) if kind.is_float() else pl.col(column).cast(pl.String).str.strip_chars()
        counted = lazy.group_by(plain.alias("value")).len().filter(pl.col("len") > 1)
        with readable(self.name, "a table"):
            return frozenset(text(counted.collect(engine="streaming")["value"]).drop_nulls())

    def frame(self) -> pl.DataFrame:
        """The whole table in memory."""
        frames = list(self.batches())
        return pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(self.columns, pl.String))


def _whole(run: Run) -> pl.DataFrame:
    """A run that is read in one go."""
    (frame,) = run.load()
    return frame


def _lazy(source: Path | pl.DataFrame | pl.LazyFrame) -> pl.LazyFrame:
    return source.lazy() if isinstance(source, pl.DataFrame | pl.LazyFrame) else _scan(source)


def _scan(path: Path) -> pl.LazyFrame:
    files = parquet_files(path)
    if files:
        return scan_parquet(files, path)
    # Every column as text: a stray letter in a column of figures is a finding, not a failure.
    return pl.scan_csv(
        path,
        infer_schema=False,
        encoding="utf8-lossy",
        truncate_ragged_lines=False,
        glob=False,
        separator=separator(path),
    )


def separator(path: Path) -> str:
    """What separates the cells of a text file: a comma, or the semicolon or tab that some programs write."""
    with path.open("rb") as file:
        first = file.readline(1_000_000).decode("utf-8", "replace")
    return max(",;\t", key=first.count)


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        line = file.readline(1_000_000)
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line:
        raise StocktakeError(f"{path.name}: not a text file in UTF-8; save it as 'CSV UTF-8' and try again.")
    header = next(csv.reader([line.decode("utf-8-sig", "replace")], delimiter=separator(path)), [])
    _check_unique([h.strip() for h in header], path.name)


def _check_unique(header: list[str], file: str) -> None:
    twice = sorted({h for h in header if h and header.count(h) > 1})
    if twice:
        raise StocktakeError(
            [f"{file}, row 1: column {h!r} appears {header.count(h)} times; expected it once." for h in twice]
        )


def is_address(source: str) -> bool:
    """Whether the name of a source is an address rather than a file or folder."""
    return "://" in source


def open_table(source: Any, name: str | None = None) -> Table:
    """Open a file by its suffix, a folder of Parquet files, an address, a query of a database, a polars or pandas frame, a
    polars LazyFrame or PyArrow dataset, or an Arrow reader; `name` is its name in messages.

    Of a LazyFrame or dataset only the columns that are counted are read, some rows at a time; it must give its rows in the
    same order whenever it is asked. Raises StocktakeError where it is missing, empty, of a kind that cannot be read, or damaged.
    """
    if isinstance(source, Query):
        schema = source.schema()
        return Table(source.name, tuple(schema.names()), 1, source, source.rows(), unusable=unusable(schema))
    if isinstance(source, str) and is_address(source):
        return _open_dataset(source, name or source.rpartition("/")[2])
    if isinstance(source, (str, Path)):
        if Path(source).is_dir():
            return _open_dataset(Path(source), name or Path(source).name)
        table = _open_file(Path(source))
        return table if name is None else replace(table, name=name)
    if isinstance(source, pl.LazyFrame) or is_dataset(source):
        return _open_lazy(source, name or "data")
    frame = as_frame(source)
    return Table(name or "data", tuple(frame.columns), 1, frame, frame.height, unusable=unusable(frame.schema))


def is_dataset(source: Any) -> bool:
    """Whether something is a PyArrow dataset, without loading PyArrow for it."""
    datasets = sys.modules.get("pyarrow.dataset")
    return datasets is not None and isinstance(source, datasets.Dataset)


def _open_lazy(source: Any, name: str) -> Table:
    with readable(name, "a table"):
        lazy = source if isinstance(source, pl.LazyFrame) else pl.scan_pyarrow_dataset(source)
        schema = lazy.collect_schema()
        rows = int(lazy.select(pl.len()).collect().item())
    return Table(name, tuple(schema.names()), 1, lazy, rows, unusable=unusable(schema))


def as_frame(source: Any) -> pl.DataFrame:
    """A polars frame from a polars or pandas frame, or anything that speaks Arrow's stream interface."""
    if isinstance(source, pl.DataFrame):
        return source
    if hasattr(source, "__arrow_c_stream__"):
        try:
            return pl.DataFrame(source)
        except Exception as error:  # each library has its own for columns that Arrow cannot hold
            raise StocktakeError(f"the {type(source).__name__} cannot be read: {str(error).splitlines()[0]}.") from None
    raise StocktakeError(
        f"cannot read a {type(source).__name__}; expected a path, a polars or pandas frame, a PyArrow dataset or an Arrow reader."
    )


def _open_dataset(source: str | Path, name: str) -> Table:
    """A folder of Parquet files with what hive partitions say, or a Parquet file or folder at an address.

    An address is opened by Polars where it knows how, and else by fsspec.
    """
    if isinstance(source, Path) and not parquet_files(source):
        raise StocktakeError(f"{name}: no Parquet file in this folder.")
    uneven: dict[str, str] = {}
    with readable(name, "Parquet files"):
        if isinstance(source, Path):
            files = parquet_files(source)
            lazy, rows, uneven = _scan(source), row_count(files), uneven_columns(files, source)
        elif source.partition("://")[0] in OPENED_BY_POLARS:
            try:
                lazy = scan_address(source)
                rows = int(lazy.select(pl.len()).collect().item())
            except FileNotFoundError:
                raise StocktakeError(f"{name}: no such file; the address of a folder ends in a slash.") from None
        else:
            lazy, rows = scan_elsewhere(source, name)
        schema = lazy.collect_schema()
    kept = source if isinstance(source, Path) else lazy
    return Table(name, tuple(schema.names()), 1, kept, rows, unusable=unusable(schema), uneven=uneven)


def _open_file(path: Path) -> Table:
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file.")
    if path.suffix not in SUFFIXES:
        raise StocktakeError(
            f"{path.name}: cannot read {path.suffix or 'a file without a suffix'}; "
            f"expected one of {', '.join(SUFFIXES)}."
        )
    if path.stat().st_size == 0:
        raise StocktakeError(f"{path.name}: the file is empty; expected a header row and one row a respondent.")
    with readable(path.name, path.suffix[1:]):
        if path.suffix == ".xlsx":
            return _open_excel(path)
        if path.suffix == ".sav":
            return _open_spss(path)
        if path.suffix == ".csv":
            _check_header(path)
            rows = check_rows(path, separator(path))
        else:
            rows = row_count([path])
        schema = _scan(path).collect_schema()
        first = 2 if path.suffix == ".csv" else 1
        return Table(path.name, tuple(schema.names()), first, path, rows, unusable=unusable(schema))


def _open_excel(path: Path) -> Table:
    import python_calamine

    check_workbook(path)
    rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    if not rows or not any(str(h).strip() for h in rows[0]):
        raise StocktakeError(f"{path.name}: the first sheet is empty; expected a header row.")
    header = [str(h).strip() for h in rows[0]]
    _check_unique(header, path.name)
    columns = {name: [_cell(row[i]) for row in rows[1:]] for i, name in enumerate(header) if name}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return Table(path.name, tuple(columns), 2, frame, frame.height)


def _cell(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()[:10]
    text = str(value).strip()
    return text or None


def _open_spss(path: Path) -> Table:
    found = describe_spss(path)
    return Table(path.name, found.columns, 1, path, found.rows, labels=found.labels, user_missing=found.user_missing)

"""Tables as CSV that no spreadsheet program takes for formulas."""

from __future__ import annotations

from pathlib import Path

import polars as pl

# What a spreadsheet program takes for the beginning of a formula. Such a text gets an apostrophe in front, which these
# programs show as the sign of a text; the Parquet files beside have the text as it is.
RISKY = r"^[=+\-@\t\r]"


def guarded(table: pl.LazyFrame) -> pl.LazyFrame:
    """The table with an apostrophe before every text that begins like a formula."""
    texts = [name for name, kind in table.collect_schema().items() if kind == pl.String]
    return table.with_columns(
        pl.when(pl.col(name).str.contains(RISKY)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )


def csv_bytes(table: pl.DataFrame) -> bytes:
    """A table as CSV, its texts guarded."""
    return guarded(table.lazy()).collect().write_csv().encode()


def save_csv(table: pl.DataFrame, path: Path) -> None:
    """Save a table as CSV to a path, its texts guarded, in slices."""
    guarded(table.lazy()).sink_csv(path)

"""SPSS files: what they say of themselves, and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.problems import StocktakeError
from stocktake.survey.opening import readable


@dataclass(frozen=True)
class SpssFile:
    """What an SPSS file says of itself: `labels` of values and `user_missing` values by column; `rows` where it says how many."""

    columns: tuple[str, ...]
    rows: int | None
    labels: Mapping[str, Mapping[float, str]]
    user_missing: Mapping[str, tuple[float, ...]]


def describe_spss(path: Path) -> SpssFile:
    """What a file says of itself, without reading its rows."""
    import pyreadstat

    _, meta = pyreadstat.read_sav(str(path), metadataonly=True, user_missing=True)
    missing = {}
    declared: dict[str, list[dict[str, Any]]] = meta.missing_ranges or {}  # type: ignore[assignment]
    for column, ranges in declared.items():
        # Only numbers can be held against the option codes; a text column's missing values are its own.
        values = [r["lo"] for r in ranges if r["lo"] == r["hi"] and isinstance(r["lo"], (int, float))]
        spans = [
            float(v)
            for r in ranges
            if r["lo"] != r["hi"]
            for v in meta.variable_value_labels.get(column, {})
            if r["lo"] <= v <= r["hi"]
        ]
        missing[column] = tuple(sorted({*map(float, values), *spans}))
    return SpssFile(tuple(meta.column_names), meta.number_rows, meta.variable_value_labels, missing)


def spss_batches(path: Path, columns: list[str], rows: int, name: str, expected: int | None) -> Iterator[pl.DataFrame]:
    """The rows of some columns in order, at most `rows` at a time; raises StocktakeError for a file with fewer than it says."""
    import pyreadstat

    offset = 0
    while True:
        with readable(name, "an SPSS file"):
            data, _ = pyreadstat.read_sav(
                str(path),
                usecols=columns,
                row_offset=offset,
                row_limit=rows,
                user_missing=True,
                output_format="dict",
                disable_datetime_conversion=False,
            )
            frame = pl.DataFrame({c: pl.Series(c, list(data[c]), strict=False) for c in columns})
            # An SPSS number that is missing comes as NaN; elsewhere NaN would count as a value.
            frame = frame.with_columns(pl.selectors.float().fill_nan(None), pl.selectors.string().replace("", None))
        if frame.height:
            yield frame
        offset += frame.height
        if frame.height < rows:
            break
    if expected is not None and 0 <= offset < expected:
        raise StocktakeError(f"{name}: ends after {offset:,} of {expected:,} rows; the file is damaged.")

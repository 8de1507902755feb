"""From what a file holds to whole-number codes: missing is a code like any other, set here at the boundary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
# 16 bits are wide enough for the largest number of options that an instrument may have (MOST_OPTIONS).
Codes = NDArray[np.int8] | NDArray[np.int16]
Ints = NDArray[np.int64]

# Stands for a blank; no column can hold it, because figures that 32 bits do not hold are refused.
ABSENT = -(2**40)
LARGEST = 2**31


def text(series: pl.Series) -> pl.Series:
    """The values as trimmed text, null where blank; whole floats lose their '.0'."""
    if series.dtype.is_float():
        whole = series.cast(pl.Int64, strict=False)
        series = pl.select(
            pl.when(whole.cast(pl.Float64) == series).then(whole.cast(pl.String)).otherwise(series.cast(pl.String))
        ).to_series()
    out = series.cast(pl.String).str.strip_chars()
    return out.set(out == "", None) if out.null_count() < out.len() else out


def whole_numbers(series: pl.Series) -> tuple[Ints, Bools]:
    """Values as whole numbers (ABSENT where blank) and which rows hold something else."""
    if series.dtype.is_integer() or series.dtype in (pl.Boolean, pl.Null):
        # 128-bit and unsigned columns too: what does not fit becomes null here and is reported below.
        whole = series.cast(pl.Int64, strict=False)
        held = whole.fill_null(ABSENT).to_numpy()
        broken = series.is_not_null().to_numpy() & (whole.is_null().to_numpy() | (held <= -LARGEST) | (held >= LARGEST))
        return np.where(broken, ABSENT, held), broken
    if series.dtype.is_float():
        there = series.is_not_null() & series.is_not_nan()
        numbers = series.fill_nan(None)
    else:
        cleaned = text(series)
        there = cleaned.is_not_null()
        numbers = cleaned.cast(pl.Float64, strict=False)
    # A figure beyond what 32 bits hold is no code, age or outcome of any instrument.
    fits = (numbers.round() == numbers) & (numbers.abs() < LARGEST)
    good = fits.fill_null(False).to_numpy()
    values = np.where(good, numbers.fill_null(0.0).fill_nan(0.0).to_numpy(), ABSENT).astype(np.int64)
    return values, there.to_numpy() & ~good


def option_codes(
    series: pl.Series, codes: Sequence[int], filled: NDArray[np.signedinteger] | None = None
) -> tuple[Codes, Bools | None]:
    """Answers as 1 + the option's position, 0 for missing, and which rows hold a code that is none (None: no row).

    `filled` is the same column from `whole_columns`, if it is there.
    """
    size = len(codes)
    if not size:
        # A question to be answered in words has nothing to count.
        return np.zeros(series.len(), dtype=np.int16), None
    # Codes that count from 1 are what the counts hold, unchanged.
    plain = filled is not None and filled.size > 0 and list(codes) == list(range(1, size + 1))
    if plain and filled is not None and filled.min() >= 0 and filled.max() <= size:
        # As narrow as the file has them: they are read many times.
        return (filled if filled.itemsize == 1 else filled.astype(np.int16, copy=False)), None
    values, broken = whole_numbers(series)
    order = np.argsort(codes)
    ordered = np.asarray(codes, dtype=np.int64)[order]
    place = np.minimum(np.searchsorted(ordered, values), size - 1)
    known = ordered[place] == values
    broken |= ~known & (values != ABSENT)
    answers = np.where(known, order[place] + 1, 0).astype(np.int16)
    return answers, broken if broken.any() else None


SMALL_WHOLE: dict[type[pl.DataType], type[np.signedinteger]] = {
    pl.Int8: np.int8,
    pl.Int16: np.int16,
    pl.Int32: np.int32,
}


def whole_columns(frame: pl.DataFrame) -> dict[str, NDArray[np.signedinteger]]:
    """The small whole-number columns of a frame with 0 for null, as arrays, except those that hold a 0 of their own.

    Read from Arrow's own buffers: values times the validity bit, several times as fast as a query that fills nulls.
    """
    out = {}
    for series in frame.get_columns():
        kind = SMALL_WHOLE.get(type(series.dtype))
        if kind is None:
            continue
        array = series.rechunk().to_arrow()
        validity, data = array.buffers()
        start, stop = array.offset, array.offset + len(array)
        values = np.frombuffer(data, dtype=kind)[start:stop]
        if validity is not None:
            unpacked = np.unpackbits(np.frombuffer(validity, dtype=np.uint8), count=stop, bitorder="little")
            bits = unpacked[start:].view(np.int8)
            values = np.multiply(values, bits, out=bits if kind is np.int8 else None)
        if values.size - np.count_nonzero(values) == array.null_count:
            out[series.name] = values
    return out


def bands(values: Ints, bounds: Sequence[tuple[int | None, int | None]]) -> Codes:
    """The band (from 1) that each number falls in, 0 for none."""
    out = np.zeros(values.size, dtype=np.int16)
    for i, (low, high) in enumerate(bounds, start=1):
        inside = values != ABSENT
        if low is not None:
            inside &= values >= low
        if high is not None:
            inside &= values <= high
        out[inside & (out == 0)] = i
    return out


def outside_dates(series: pl.Series, start: date | None, end: date | None) -> tuple[Bools, Bools]:
    """Which rows hold a date outside the two, and which hold no date at all though not blank."""
    if series.dtype == pl.Date or series.dtype == pl.Datetime:
        dates = series.cast(pl.Date)
        unreadable = np.zeros(series.len(), dtype=bool)
    else:
        cleaned = text(series)
        dates = cleaned.str.to_date("%Y-%m-%d", strict=False)
        for form in ("%d/%m/%Y", "%Y%m%d"):
            dates = dates.fill_null(cleaned.str.to_date(form, strict=False)) if dates.null_count() else dates
        unreadable = (cleaned.is_not_null() & dates.is_null()).to_numpy()
    outside = pl.repeat(False, series.len(), eager=True)
    if start is not None:
        outside |= (dates < start).fill_null(False)
    if end is not None:
        outside |= (dates > end).fill_null(False)
    return outside.to_numpy(), unreadable

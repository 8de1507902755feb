"""Types of the columns of result tables."""

from __future__ import annotations

import polars as pl

S, F, I, B = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()

Column = tuple[pl.DataType, str]
Schema = dict[str, Column]

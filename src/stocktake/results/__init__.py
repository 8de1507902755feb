"""The tables that a run yields, with their schemas and where they come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from stocktake.problems import StocktakeError
from stocktake.results.csv import write_csv
from stocktake.results.schemas import SCHEMAS

TABLES = tuple(SCHEMAS)


@dataclass(frozen=True)
class Results:
    """The tidy tables of one run and their provenance; all that a report may know of the figures."""

    scores: pl.DataFrame
    firmness: pl.DataFrame
    changes: pl.DataFrame
    fieldwork: pl.DataFrame
    profile: pl.DataFrame
    measures: pl.DataFrame
    provenance: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Write every table as Parquet and CSV, and provenance.json; the same results give the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            table: pl.DataFrame = getattr(self, name)
            table.write_parquet(folder / f"{name}.parquet", compression="zstd", statistics=False)
            write_csv(table, folder / f"{name}.csv")
        text = json.dumps(self.provenance, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / "provenance.json").write_text(text + "\n", "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Results:
        """Read what `write` wrote; raises StocktakeError where a table is missing."""
        missing = [n for n in TABLES if not (folder / f"{n}.parquet").is_file()]
        if missing or not (folder / "provenance.json").is_file():
            raise StocktakeError(
                f"{folder}: no results here yet; run `stocktake benchmark` (or `stocktake published`) first."
            )
        try:
            tables = {n: pl.read_parquet(folder / f"{n}.parquet") for n in TABLES}
            return cls(**tables, provenance=json.loads((folder / "provenance.json").read_text("utf-8")))
        except (pl.exceptions.PolarsError, ValueError):
            raise StocktakeError(f"{folder}: a table there is damaged; run `stocktake benchmark` again.") from None

    @cached_property
    def digest(self) -> str:
        """One short fingerprint of the inputs, settings and versions behind these results."""
        text = json.dumps(self.provenance, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

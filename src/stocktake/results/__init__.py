"""The tables that a run yields, with their schemas and where they come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from stocktake.results.schemas import KINDS, SCHEMAS

TABLES = tuple(SCHEMAS)
# The group that holds every respondent.
ALL = "all"


@dataclass(frozen=True)
class Results:
    """The tidy tables of one run by name, and their provenance; all that a report may know of the figures.

    `tables` has one frame for each name of the schemas of its kind, `survey` or `audit`. `provenance` says what they were made from: inputs by role, the
    instrument, settings and versions.
    """

    tables: Mapping[str, pl.DataFrame]
    provenance: Mapping[str, Any]
    kind: str = "survey"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its tables, in order."""
        return tuple(KINDS[self.kind])

    @property
    def scores(self) -> pl.DataFrame:
        return self.tables["scores"]

    @property
    def firmness(self) -> pl.DataFrame:
        return self.tables["firmness"]

    @property
    def changes(self) -> pl.DataFrame:
        return self.tables["changes"]

    @property
    def latest_changes(self) -> pl.DataFrame:
        """The changes between the latest year and each earlier one; the others are between earlier years."""
        return self.changes.filter(pl.col("year_now") == pl.col("year_now").max())

    @property
    def fieldwork(self) -> pl.DataFrame:
        return self.tables["fieldwork"]

    @property
    def profile(self) -> pl.DataFrame:
        return self.tables["profile"]

    @property
    def measures(self) -> pl.DataFrame:
        return self.tables["measures"]

    @property
    def disclosure(self) -> pl.DataFrame:
        """What could still be worked out from the editions of these results."""
        return self.tables["disclosure"]

    @cached_property
    def digest(self) -> str:
        """One short fingerprint of the inputs, settings and versions behind these results."""
        parts = {k: v for k, v in self.provenance.items() if k != "python"}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

"""Figures to be protected, and what the relations about them share: axes of the tables, and bounds of numbers of people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from operator import attrgetter

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.compare.suppress import BESIDE
from stocktake.disclosure.linear import Floats, Ints, System
from stocktake.disclosure.rules import Rules
from stocktake.results import ALL

# The variables that a figure is the sum of.
Sum = tuple[int, ...]
HIDDEN = ("withheld", "left out")


@dataclass(frozen=True)
class Target:
    """A withheld figure: where it belongs, the variables that it is the sum of, and by how much it must stay uncertain.

    `people` are the variables of the people behind it, which say whether it is small at all.
    """

    table: str
    year: int
    group: str
    organisation: str
    measure: str
    figure: str
    protection: float
    variables: Sum
    people: Sum
    how: str


fields_of = attrgetter(*(f.name for f in fields(Target)))


@dataclass(frozen=True)
class Relations:
    """A system of relations and the figures to be protected in it.

    `name` says what it is about, alike from round to round. `blocks` has fingerprints of parts that no relation joins, by
    organisation and measure.
    """

    name: str
    system: System
    targets: tuple[Target, ...]
    blocks: Mapping[tuple[str, str], bytes] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> bytes:
        """Alike for two systems with the same relations and figures, which must be complete when it is first asked for."""
        # Plain tuples are written several times as fast as what they are the fields of.
        digest = hashlib.sha256(repr([fields_of(t) for t in self.targets]).encode())
        for part in self.system.arrays():
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.digest()


@dataclass(frozen=True)
class Axes:
    """Groups (all first), organisations and measures of one wave, and a table's columns as arrays over them."""

    table: pl.DataFrame
    groups: tuple[str, ...]
    organisations: tuple[str, ...]
    measures: tuple[str, ...]

    def array(self, column: str) -> Floats:
        """A figure by group, organisation and measure; NaN where there is none."""
        out = np.full((len(self.groups), len(self.organisations), len(self.measures)), np.nan)
        values = self.table[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        out[self._places()] = values
        return out

    def texts(self, column: str) -> NDArray[np.object_]:
        out = np.full((len(self.groups), len(self.organisations), len(self.measures)), "", dtype=object)
        out[self._places()] = self.table[column].to_numpy()
        return out

    def _places(self) -> tuple[Ints, ...]:
        return tuple(
            self.table[name].replace_strict({v: i for i, v in enumerate(values)}, return_dtype=pl.Int64).to_numpy()
            for name, values in (
                ("group", self.groups),
                ("organisation", self.organisations),
                (self._measure, self.measures),
            )
        )

    @property
    def _measure(self) -> str:
        return "measure" if "measure" in self.table.columns else "_measure"


def axes_of(table: pl.DataFrame, measure: str) -> Axes:
    table = table.with_columns(_measure=pl.col(measure) if measure else pl.lit(""))
    groups = [ALL, *(g for g in table["group"].unique(maintain_order=True) if g != ALL)]
    organisations = table["organisation"].unique(maintain_order=True).to_list()
    return Axes(table, tuple(groups), tuple(organisations), tuple(table["_measure"].unique(maintain_order=True)))


def stands_for(values: Floats, base: int) -> tuple[Floats, Floats]:
    """What a printed number of people may stand for, rounded halves up to a multiple of `base`."""
    low = np.maximum(np.ceil(values - base / 2), 0)
    return np.minimum(low, values), np.maximum(np.ceil(values + base / 2) - 1, values)


def limits_of_people(axes: Axes, rules: Rules, minimum: int, known: str) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Lower and upper bounds of every number of people, and which numbers are not printed though somebody answered.

    Where a single number of a whole and its parts is withheld, and not perhaps for another's sake, everybody knows that it
    is below the minimum.
    """
    n, status = axes.array(known), axes.texts("status")
    base = np.full(n.shape, rules.group_rounding)
    base[0] = 1
    low, high = np.empty_like(n), np.empty_like(n)
    for size in {1, rules.group_rounding}:
        here = base == size
        low[here], high[here] = stands_for(n[here], size)
    hidden = np.isnan(n) & np.isin(status, HIDDEN)
    nothing = np.isnan(n) & ~hidden
    low[nothing] = high[nothing] = 0.0
    low[hidden], high[hidden] = 0.0, np.inf
    lone = (hidden.sum(axis=0) == 1) & (status == "withheld") & (axes.texts("reason") != BESIDE)
    high[hidden & lone] = minimum - 1
    # No part is larger than its whole.
    high[1:] = np.minimum(high[1:], np.where(np.isfinite(high[0]), high[0], np.inf))
    return low, high, hidden


def unpublished(groups: tuple[str, ...], unseen: list[int], *, whole: bool) -> Iterator[tuple[str, list[int], bool]]:
    """The sets of people of one whole that are not printed: name, groups by position, and whether with those in none.

    Each group that is not printed, those without a group, all of these together, and the `whole` if it is not printed.
    """
    for g in unseen:
        yield groups[g], [g], False
    if len(groups) > 1:
        yield "no group", [], True
        if unseen:
            yield " and ".join([*(groups[g] for g in unseen), "no group"]), unseen, True
    if whole:
        yield ALL, [0], False

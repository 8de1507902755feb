"""Figures of indicators: for each organisation and area numerator over denominator, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stocktake.audit.answers import Amounts, Answers, amounts
from stocktake.audit.specification import Indicator, Specification, reference
from stocktake.compare.rates import Interval, quantity_rate, rate, share
from stocktake.organisations.populations import Key, Populations
from stocktake.organisations.register import Kind, Register

Floats = NDArray[np.float64]
AREAS: tuple[Kind, ...] = ("stp", "region", "country")
# The part of a breakdown that is the sum of its options.
ALL = "all"

SHOWN = "shown"
NOT_ASKED = "not asked"
NOT_ANSWERED = "not answered"
NO_SERVICE = "no service"
NO_POPULATION = "no population"
NOTHING = "nothing to divide by"
BOUNDARIES = "boundaries differ"
WITHHELD = "withheld"
REASONS = {
    SHOWN: "",
    NOT_ASKED: "No organisation of the kind that is asked belongs here.",
    NOT_ANSWERED: "The question, or a part of it, was not answered.",
    NO_SERVICE: "There is no such service here.",
    NO_POPULATION: "The number of people is not known.",
    NOTHING: "What it would be divided by is zero.",
    BOUNDARIES: "An organisation here serves other areas as well, so that its figures are not this area's alone.",
    # One sentence for small numbers and for what would give them away, so that nobody can tell which is which.
    WITHHELD: "Withheld: too few people, here or in a number that this one would give away.",
}
# Units whose amounts do not add up over the parts of a breakdown.
NOT_ADDITIVE = frozenset(("months", "years", "category"))


@dataclass(frozen=True)
class Block:
    """The figures of one indicator, one part and year, of all bodies of one kind; arrays of one length."""

    indicator: Indicator
    kind: Kind
    part: str
    year: int | None
    organisations: tuple[str, ...]
    status: NDArray[np.object_]
    value: Floats
    low: Floats
    high: Floats
    numerator: Floats
    denominator: Floats
    answered: NDArray[np.int64]
    cells: NDArray[np.int64]
    used: NDArray[np.int64]
    asked: NDArray[np.int64]
    made_of: tuple[str, ...]


@dataclass(frozen=True)
class _Members:
    """Which rows of the asked kind belong to each area, and whether one of them belongs to another area as well."""

    rows: tuple[NDArray[np.int64], ...]
    shared: tuple[bool, ...]


@dataclass(frozen=True)
class Source:
    """What figures are made of: the specification, answers, who there is, and how many people."""

    spec: Specification
    answers: Answers
    register: Register
    populations: Populations

    def asked(self, indicator: Indicator) -> Kind:
        """The kind of organisation whose answers an indicator is made of."""
        return self.spec.item[reference(indicator.numerator[0]).item].of[0]

    def bodies(self, kind: Kind) -> tuple[str, ...]:
        """The bodies of a kind on the day of the census."""
        return self._bodies[kind]

    @cached_property
    def _bodies(self) -> dict[Kind, tuple[str, ...]]:
        kinds = {b.kind for b in self.register.bodies.values()} | set(AREAS)
        return {kind: self.register.of_kind(kind, self.spec.census) for kind in kinds}

    @cached_property
    def _members(self) -> dict[tuple[Kind, Kind], _Members]:
        return {}

    def members(self, asked: Kind, area: Kind) -> _Members:
        """The members of each area of a kind, by row."""
        if (asked, area) not in self._members:
            place = {code: i for i, code in enumerate(self.bodies(asked))}
            fits = [self.register.fit(code, asked, self.spec.census) for code in self.bodies(area)]
            self._members[asked, area] = _Members(
                tuple(np.array([place[m] for m in fit.members], dtype=np.int64) for fit in fits),
                tuple(bool(fit.shared) for fit in fits),
            )
        return self._members[asked, area]

    def people(self, kind: Kind, key: Key) -> Floats:
        """The people of each body of a kind: as they are given, or the sum of an area's CCGs where these fit it."""
        out = []
        for code in self.bodies(kind):
            own = self.populations.of(code, key)
            if np.isnan(own) and kind in AREAS:
                own = self.populations.of_area(self.register.fit(code, "ccg", self.spec.census), key)
            out.append(own)
        return np.array(out, dtype=np.float64)

    def blocks(self) -> Iterator[Block]:
        """The figures of every indicator, part and year, for the organisations asked and for the areas."""
        for indicator in self.spec.indicators:
            if indicator.years:
                yield from self._series(indicator)
            else:
                for part in parts(self.spec, indicator):
                    yield from self._blocks(indicator, part)

    def _blocks(self, indicator: Indicator, part: tuple[str, ...]) -> Iterator[Block]:
        asked = self.asked(indicator)
        above, below = self._above(indicator, asked, part), self._below(indicator, asked, part)
        own = self._own(indicator, asked, above, below)
        name = "/".join(part)
        yield self._block(indicator, asked, name, own)
        for area in AREAS:
            yield self._block(indicator, area, name, self._area(indicator, asked, area, above, below))

    def _above(self, indicator: Indicator, asked: Kind, part: tuple[str, ...]) -> Amounts:
        chosen = {d: o for d, o in zip(indicator.by, part, strict=True) if o != ALL}
        return amounts(self.spec, self.answers, asked, indicator.numerator, chosen)

    def _below(self, indicator: Indicator, asked: Kind, part: tuple[str, ...]) -> Amounts | Floats | None:
        """What the numerator is divided by: an amount, people, or nothing for a total."""
        if indicator.population:
            return self.people(asked, self.spec.population[indicator.population_of("/".join(part))].key)
        if not indicator.denominator:
            return None
        # A share of all options is of the whole: the first dimension that the display is shown by is left open.
        first = 1 if is_whole(indicator) else 0
        pairs = list(zip(indicator.by, part, strict=True))[first:]
        return amounts(self.spec, self.answers, asked, indicator.denominator, {d: o for d, o in pairs if o != ALL})

    def _own(self, indicator: Indicator, asked: Kind, above: Amounts, below: Amounts | Floats | None) -> dict[str, Any]:
        size = above.value.size
        status = np.full(size, SHOWN, dtype=object)
        under = np.ones(size)
        if isinstance(below, Amounts):
            under = below.value
            status[under == 0] = NOTHING
            status[below.no_service] = NO_SERVICE
            status[below.missing] = NOT_ANSWERED
        elif below is not None:
            under = below
            status[~(under > 0)] = NO_POPULATION
        status[above.no_service] = NO_SERVICE
        status[above.missing] = NOT_ANSWERED
        ones = np.ones(size, dtype=np.int64)
        return {
            "status": status,
            "numerator": above.value,
            "denominator": under,
            "answered": above.answered,
            "cells": ones * above.cells,
            "used": (status == SHOWN).astype(np.int64),
            "asked": ones,
            "made_of": ("",) * size,
        }

    def _area(
        self, indicator: Indicator, asked: Kind, area: Kind, above: Amounts, below: Amounts | Floats | None
    ) -> dict[str, Any]:
        """Figures of areas from the sums over their members that answered.

        An area as small as an STP has a figure if all its members answered; a region or the country has one from those
        that did, and says how many they are. The people of a member without the service are counted in a rate, and its whole in a
        share of all options.
        """
        members = self.members(asked, area)
        codes = self.bodies(asked)
        has = ~np.isnan(above.value)
        under = np.ones(has.size)
        if isinstance(below, Amounts):
            under = below.value
        elif below is not None:
            under = np.where(below > 0, below, np.nan)
        # What a member without the service adds: nothing above, and its people below.
        top = np.where(above.no_service, 0.0, above.value)
        counts = has | above.no_service if indicator.form == "rate" or is_whole(indicator) else has
        counts = counts & ~np.isnan(under)
        missing = above.missing | (below.missing if isinstance(below, Amounts) else np.zeros(has.size, dtype=bool))
        columns: dict[str, list[Any]] = {
            n: [] for n in ("status", "numerator", "denominator", "answered", "cells", "used", "asked", "made_of")
        }
        for rows, shared in zip(members.rows, members.shared, strict=True):
            own = rows[counts[rows]]
            real = own[has[own]]
            if not rows.size:
                status = NOT_ASKED
            elif shared:
                status = BOUNDARIES
            elif (area == "stp" and missing[rows].any()) or (not real.size and missing[rows].any()):
                status = NOT_ANSWERED
            elif not real.size:
                status = NO_POPULATION if has[rows].any() and indicator.population else NO_SERVICE
            else:
                status = SHOWN
            shown = status == SHOWN
            if indicator.form in ("mean", "median"):
                average = np.mean if indicator.form == "mean" else np.median
                numerator, denominator = (float(average(above.value[real])), 1.0) if shown else (np.nan, np.nan)
            else:
                numerator = float(top[own].sum()) if shown else np.nan
                denominator = (1.0 if below is None else float(under[own].sum())) if shown else np.nan
                if shown and denominator == 0:
                    status, shown = NOTHING, False
            columns["status"].append(status)
            columns["numerator"].append(numerator)
            columns["denominator"].append(denominator)
            columns["answered"].append(int(above.answered[rows].sum()))
            columns["cells"].append(above.cells * rows.size)
            columns["used"].append(own.size if shown else 0)
            columns["asked"].append(rows.size)
            columns["made_of"].append(" ".join(codes[i] for i in own) if shown else "")
        out: dict[str, Any] = {n: np.array(v) for n, v in columns.items() if n not in ("made_of", "status")}
        return out | {"status": np.array(columns["status"], dtype=object), "made_of": tuple(columns["made_of"])}

    def _series(self, indicator: Indicator) -> Iterator[Block]:
        """The national figures of a series, from those that earlier collections gave."""
        code = self.bodies("country")[0]
        for part in parts(self.spec, indicator, series=True):
            for year in indicator.years:
                above = self._earlier(code, indicator.numerator, indicator.by, part, year)
                under = 1.0
                status = SHOWN if not np.isnan(above) else NOT_ANSWERED
                if indicator.population:
                    key = self.spec.population[indicator.population_of("/".join(part))].key
                    under = float(self.people("country", Key(key.kind, key.ages, year))[0])
                    status = NO_POPULATION if not under > 0 and status == SHOWN else status
                elif indicator.denominator:
                    first = 1 if is_whole(indicator) else 0
                    by, options = indicator.by[first:], part[first:]
                    under = self._earlier(code, indicator.denominator, by, options, year)
                    status = NOT_ANSWERED if np.isnan(under) else NOTHING if under == 0 else status
                one = np.array([1], dtype=np.int64)
                figures = {
                    "status": np.array([status], dtype=object),
                    "numerator": np.array([above]),
                    "denominator": np.array([under]),
                    "answered": one * (not np.isnan(above)),
                    "cells": one,
                    "used": one * (status == SHOWN),
                    "asked": one,
                    "made_of": ("",),
                }
                yield self._block(indicator, "country", "/".join(part), figures, year)

    def _earlier(
        self, code: str, references: Sequence[str], by: Sequence[str], part: Sequence[str], year: int
    ) -> float:
        chosen = {d: o for d, o in zip(by, part, strict=True) if o != ALL}
        total = 0.0
        for text in references:
            item = self.spec.item[reference(text).item]
            options = [(chosen[d],) if d in chosen else tuple(self.spec.dimension[d].options) for d in item.by]
            for cell in product(*options):
                total += self.answers.earlier.get((code, item.code, cell, year), np.nan)
        return total

    def _block(
        self, indicator: Indicator, kind: Kind, part: str, figures: Mapping[str, Any], year: int | None = None
    ) -> Block:
        shown = figures["status"] == SHOWN
        above = np.where(shown, figures["numerator"], np.nan)
        below = np.where(shown, figures["denominator"], np.nan)
        ends = self._interval(indicator, above, below)
        return Block(
            indicator,
            kind,
            part,
            year,
            self.bodies(kind),
            figures["status"],
            ends.value,
            ends.low,
            ends.high,
            above,
            below,
            figures["answered"],
            figures["cells"],
            figures["used"],
            figures["asked"],
            figures["made_of"],
        )

    def _interval(self, indicator: Indicator, above: Floats, below: Floats) -> Interval:
        """Figures with their intervals of chance, in the unit in which they are read: shares as percentages."""
        if not self.spec.is_event(indicator):
            return quantity_rate(above, below, scale(indicator))
        if indicator.form == "share":
            found = share(above, below)
            return Interval(found.value * 100, found.low * 100, found.high * 100)
        return rate(above, below, indicator.per)


def scale(indicator: Indicator) -> float:
    """What a numerator over its denominator is multiplied by to be read."""
    return 100.0 if indicator.form == "share" else indicator.per


def is_whole(indicator: Indicator) -> bool:
    """Whether an indicator is shares of the sum of its own options."""
    return bool(indicator.by) and indicator.denominator == indicator.numerator


def parts(spec: Specification, indicator: Indicator, series: bool = False) -> list[tuple[str, ...]]:
    """The parts that an indicator has figures of: every option of its dimensions, and their sum where that has a meaning."""
    # People of several ages are no population of a sum.
    additive = not indicator.populations and not any(
        spec.item[reference(n).item].unit in NOT_ADDITIVE for n in indicator.numerator
    )
    choices = []
    for i, code in enumerate(indicator.by):
        options = tuple(spec.dimension[code].options)
        summed = additive and not series and not (i == 0 and is_whole(indicator))
        choices.append((*options, ALL) if summed else options)
    return list(product(*choices))

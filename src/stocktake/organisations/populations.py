"""Named populations: how many people of which ages are registered with, resident in or weighted for an organisation."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stocktake.definitions import read_text
from stocktake.organisations import LARGEST_LIST
from stocktake.organisations.register import Fit
from stocktake.problems import StocktakeError, nearest

PopulationKind = Literal["registered", "weighted", "resident"]
POPULATION_KINDS: tuple[PopulationKind, ...] = ("registered", "weighted", "resident")
COLUMNS = ("code", "kind", "ages", "year", "people")
# Weighted populations share out the registered total by need; rounding to whole people moves it by no more than this share.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Key:
    """Which people: their kind, their ages as a specification names them, and the year."""

    kind: PopulationKind
    ages: str
    year: int

    def __str__(self) -> str:
        return f"{self.kind} people, {'all ages' if self.ages == 'all' else f'aged {self.ages}'}, {self.year}"


@dataclass(frozen=True)
class Populations:
    """Numbers of people by organisation and key."""

    people: Mapping[tuple[str, Key], float]

    def of(self, code: str, key: Key) -> float:
        """The number of people of an organisation; NaN where it is not known."""
        return self.people.get((code, key), math.nan)

    def total(self, codes: Sequence[str], key: Key) -> float:
        """The sum over organisations; NaN where one of them is not known, so that no part is left out in silence."""
        return sum((self.of(c, key) for c in codes), 0.0) if codes else math.nan

    def of_area(self, fit: Fit, key: Key) -> float:
        """The people of an area from its members; NaN where its boundary does not fit them."""
        return self.total(fit.members, key) if fit.whole else math.nan

    def keys(self) -> tuple[Key, ...]:
        """Every kind, age band and year that there is, in order."""
        return tuple(sorted({k for _, k in self.people}, key=lambda k: (k.kind, k.ages, k.year)))

    def unbalanced(self) -> list[str]:
        """Weighted populations whose national sum is not that of the registered one of the same ages and year.

        Weights share people out by need and make none: both sums are over the organisations that have both.
        """
        found = []
        for key in self.keys():
            if key.kind != "weighted":
                continue
            plain = Key("registered", key.ages, key.year)
            both = [c for c, k in self.people if k == key and (c, plain) in self.people]
            weighted, registered = self.total(both, key), self.total(both, plain)
            if not abs(weighted - registered) <= TOLERANCE * registered:
                found.append(
                    f"{key}: they sum to {weighted:,.0f} over {len(both)} organisations; expected {registered:,.0f}, the "
                    "number of registered people: weighting shares people out by need and makes none."
                )
        return found


def read_populations(path: Path, codes: Sequence[str]) -> Populations:
    """Read a CSV file of populations with the columns code, kind, ages, year and people.

    `codes` are the organisations that are known. Raises StocktakeError with every problem: a code or kind that is not
    known, a year or number that is none, a number below zero, and two numbers for one key.
    """
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file; expected a list with columns {', '.join(COLUMNS)}.")
    try:
        table = list(csv.reader(read_text(path, LARGEST_LIST).splitlines(), strict=True))
    except csv.Error as error:
        raise StocktakeError(f"{path.name}: cannot be read as CSV ({error}).") from None
    header = [cell.strip() for cell in table[0]] if table else []
    missing = [c for c in COLUMNS if c not in header]
    if missing:
        raise StocktakeError([f"{path.name}, row 1: column {c!r} is missing.{nearest(c, header)}" for c in missing])
    known = set(codes)
    people: dict[tuple[str, Key], float] = {}
    problems: list[str] = []
    for number, row in enumerate(table[1:], start=2):
        if not row:
            continue
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        code, kind, ages, year, count = (cells.get(c, "") for c in COLUMNS)
        where = f"{path.name}, row {number}"
        wrong = []
        if code not in known:
            wrong.append(f"{where}, column code: no organisation {code!r}.{nearest(code, codes)}")
        if kind not in POPULATION_KINDS:
            wrong.append(
                f"{where}, column kind: found {kind!r}; expected {', '.join(POPULATION_KINDS)}.{nearest(kind, POPULATION_KINDS)}"
            )
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            wrong.append(f"{where}, column year: found {year!r}; expected a year such as 2017.")
        value = parsed_number(count)
        if value is None:
            wrong.append(f"{where}, column people: found {count!r}; expected a number of zero or more.")
        if not ages:
            wrong.append(f"{where}, column ages: empty; expected an age band such as 16-64, 65+ or all.")
        if not wrong:
            place = (code, Key(kind, ages, int(year)))  # type: ignore[arg-type]
            if place in people:
                wrong.append(f"{where}: a second number for {code}, {place[1]}; expected one.")
            people[place] = value  # type: ignore[assignment]
        problems += wrong
    if problems:
        raise StocktakeError(problems)
    return Populations(people)


# Whole or with decimals; commas only between thousands, so that a decimal comma is not taken for one.
NUMBER = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?", re.ASCII)


def parsed_number(text: str) -> float | None:
    """A number of zero or more, None for anything else; thousands may be separated by commas."""
    return float(text.replace(",", "")) if NUMBER.fullmatch(text) else None

"""A register of organisations of several kinds: which belongs to which, from when to when, and whose boundaries fit."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

from stocktake.codes import code_problem, folded
from stocktake.definitions import read_text
from stocktake.organisations import LARGEST_LIST
from stocktake.problems import StocktakeError, nearest

Kind = Literal["trust", "ccg", "la", "stp", "region", "country"]
KINDS: tuple[Kind, ...] = ("trust", "ccg", "la", "stp", "region", "country")


@dataclass(frozen=True)
class Body:
    """One organisation or area: its code, name and kind, and the days on which it began and ended, where known."""

    code: str
    name: str
    kind: Kind
    begins: date | None = None
    ends: date | None = None
    successor: str = ""

    def there(self, on: date) -> bool:
        """Whether it existed on a day; the day on which it ends is its last."""
        return _within(on, self.begins, self.ends)


@dataclass(frozen=True)
class Membership:
    """That one body belongs to another, from one day to another."""

    child: str
    parent: str
    begins: date | None = None
    ends: date | None = None

    def there(self, on: date) -> bool:
        return _within(on, self.begins, self.ends)


def _within(on: date, begins: date | None, ends: date | None) -> bool:
    return (begins is None or begins <= on) and (ends is None or on <= ends)


@dataclass(frozen=True)
class Fit:
    """How the members of one kind fit the boundary of an area on a day.

    `members` are those that belong to it; `shared` are those of them that belong to another area of its kind as well, so
    that a sum over the members would count people of elsewhere.
    """

    members: tuple[str, ...]
    shared: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether the area is exactly the sum of its members."""
        return bool(self.members) and not self.shared


@dataclass(frozen=True)
class Register:
    """Bodies by code, and who belongs to whom."""

    bodies: Mapping[str, Body]
    memberships: tuple[Membership, ...]

    @cached_property
    def _up(self) -> dict[str, list[Membership]]:
        out: dict[str, list[Membership]] = {}
        for m in self.memberships:
            out.setdefault(m.child, []).append(m)
        return out

    def of_kind(self, kind: Kind, on: date) -> tuple[str, ...]:
        """Codes of the bodies of a kind that exist on a day, in the register's order."""
        return tuple(b.code for b in self.bodies.values() if b.kind == kind and b.there(on))

    def parents(self, code: str, kind: Kind, on: date) -> tuple[str, ...]:
        """The bodies of a kind that one belongs to on a day, in the register's order.

        Where a body itself is said to belong to one of that kind, that is what counts: a trust has the region that
        oversees it, though it serves areas of two. Otherwise the steps between are followed.
        """
        return self._parents(kind, on).get(code, ())

    def members(self, code: str, kind: Kind, on: date) -> tuple[str, ...]:
        """The bodies of a kind that belong to one on a day, in the register's order."""
        own = self.bodies[code].kind
        return tuple(c for c in self.of_kind(kind, on) if code in self.parents(c, own, on))

    @cached_property
    def _known_parents(self) -> dict[tuple[Kind, date], dict[str, tuple[str, ...]]]:
        return {}

    def _parents(self, kind: Kind, on: date) -> dict[str, tuple[str, ...]]:
        """The parents of one kind of every body on a day, worked out once."""
        if (kind, on) not in self._known_parents:
            order = {c: i for i, c in enumerate(self.bodies)}
            found = {c: tuple(sorted(self._reached(c, kind, on), key=order.__getitem__)) for c in self.bodies}
            self._known_parents[kind, on] = found
        return self._known_parents[kind, on]

    def _reached(self, code: str, kind: Kind, on: date) -> set[str]:
        there = [m.parent for m in self._up.get(code, ()) if m.there(on) and self.bodies[m.parent].there(on)]
        direct = {p for p in there if self.bodies[p].kind == kind}
        if direct:
            return direct
        out: set[str] = set()
        for parent in there:
            out |= self._reached(parent, kind, on)
        return out

    def fit(self, area: str, kind: Kind, on: date) -> Fit:
        """Whether an area is the sum of whole bodies of a kind on a day."""
        own = self.bodies[area].kind
        members = self.members(area, kind, on)
        shared = tuple(m for m in members if set(self.parents(m, own, on)) - {area})
        return Fit(members, shared)

    def circles(self) -> list[str]:
        """Codes that belong to themselves through others, whatever the day: there must be none."""
        found = []
        for code in self.bodies:
            seen: set[str] = set()
            todo = [m.parent for m in self._up.get(code, ())]
            while todo:
                at = todo.pop()
                if at not in seen:
                    seen.add(at)
                    todo += [m.parent for m in self._up.get(at, ())]
            if code in seen:
                found.append(code)
        return found

    def successors(self, code: str) -> tuple[str, ...]:
        """The body itself and those that followed it, first to last."""
        out = [code]
        while (after := self.bodies[out[-1]].successor) and after not in out:
            out.append(after)
        return tuple(out)


def read_register(bodies: Path, memberships: Path) -> Register:
    """Read a register from two CSV files.

    `bodies` has the columns code, name and kind, and begins, ends (2017-03-31) and successor if known; `memberships` the
    columns child and parent, and begins and ends if known. Raises StocktakeError with every problem of both.
    """
    problems: list[str] = []
    found: dict[str, Body] = {}
    alike: dict[str, str] = {}
    # Codes that the list names, on rows with problems too: what belongs to these is no second problem.
    listed: set[str] = set()
    for row in read_rows(bodies, ("code", "name", "kind"), problems):
        days = row.days(problems)
        code, kind = row["code"], row["kind"]
        listed.add(code)
        if not code or not row["name"]:
            problems.append(f"{row.where}: expected a code and a name, found {code!r} and {row['name']!r}.")
        elif problem := code_problem(code):
            problems.append(f"{row.where}, column code: {problem}")
        elif folded(code) in alike:
            problems.append(f"{row.where}, column code: {code!r} repeats {alike[folded(code)]!r}; expected it once.")
        elif kind not in KINDS:
            problems.append(
                f"{row.where}, column kind: found {kind!r}; expected {', '.join(KINDS)}.{nearest(kind, KINDS)}"
            )
        else:
            alike[folded(code)] = code
            found[code] = Body(code, row["name"], kind, *days, row["successor"])
    problems += [
        f"{bodies.name}, {b.code}, column successor: no organisation {b.successor!r} in this file.{nearest(b.successor, list(found))}"
        for b in found.values()
        if b.successor and b.successor not in found
    ]
    links = []
    for row in read_rows(memberships, ("child", "parent"), problems):
        days = row.days(problems)
        unknown = [c for c in (row["child"], row["parent"]) if listed and c not in listed]
        problems += [f"{row.where}: no organisation {c!r} in {bodies.name}.{nearest(c, list(found))}" for c in unknown]
        if row["child"] == row["parent"]:
            problems.append(f"{row.where}: {row['child']!r} is its own parent.")
        links.append(Membership(row["child"], row["parent"], *days))
    if not problems:
        register = Register(found, tuple(links))
        problems += [f"{memberships.name}: {code!r} belongs to itself through others." for code in register.circles()]
        if not problems:
            return register
    raise StocktakeError(problems)


@dataclass(frozen=True)
class Row:
    """One row of a CSV file and where it is, for messages; a column that the file lacks is empty."""

    where: str
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def days(self, problems: list[str]) -> tuple[date | None, date | None]:
        """The days in the columns begins and ends; problems for what is no day, and for an end before its beginning."""
        out: list[date | None] = []
        for column in ("begins", "ends"):
            text = self[column]
            try:
                out.append(date.fromisoformat(text) if text else None)
            except ValueError:
                problems.append(f"{self.where}, column {column}: found {text!r}; expected a day such as 2017-03-31.")
                out.append(None)
        begins, ends = out
        if begins is not None and ends is not None and ends < begins:
            problems.append(f"{self.where}: ends on {ends}, before it begins on {begins}.")
        return begins, ends


def read_rows(path: Path, columns: Sequence[str], problems: list[str]) -> Iterator[Row]:
    """The rows of a CSV file that are not empty; problems where there is no such file, or a column is missing."""
    if not path.is_file():
        problems.append(f"{path}: no such file; expected a list with columns {', '.join(columns)}.")
        return
    try:
        table = list(csv.reader(read_text(path, LARGEST_LIST).splitlines(), strict=True))
    except csv.Error as error:
        problems.append(f"{path.name}: cannot be read as CSV ({error}).")
        return
    header = [cell.strip() for cell in table[0]] if table else []
    missing = [c for c in columns if c not in header]
    problems += [f"{path.name}, row 1: column {c!r} is missing.{nearest(c, header)}" for c in missing]
    for number, row in enumerate([] if missing else table[1:], start=2):
        if len(row) > len(header):
            problems.append(f"{path.name}, row {number}: {len(row)} cells; expected {len(header)}, as the header has.")
        elif row:
            cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
            yield Row(f"{path.name}, row {number}", cells)

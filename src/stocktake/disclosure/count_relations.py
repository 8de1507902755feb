"""Small numbers of people in an audit's figures, and what could be worked out of those that are withheld.

The unknowns are the cells of the returns. Every figure that is shown gives the sum of some cells of some organisations
exactly; the rules between items give more. A number that is withheld is safe if these leave it open by at least the
protection interval (Willenborg and de Waal 2001, chapter 6: feasibility intervals of suppressed cells).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pydantic import Field
from scipy.sparse import csr_array

from stocktake.audit.answers import Parts, cells_behind
from stocktake.audit.checks import Relation, relations
from stocktake.audit.figures import ALL, SHOWN, Block, is_whole
from stocktake.audit.specification import EVENTS, Indicator, Specification, reference
from stocktake.definitions import Part
from stocktake.disclosure.bounds import Range, bounds
from stocktake.disclosure.linear import System

Cell = tuple[str, Parts]
# The same cells of one or more organisations: what one side of a figure is the sum of.
Quantity = tuple[tuple[str, ...], frozenset[Cell]]
# A figure, by the number of its block and its row there.
Place = tuple[int, int]
# Some cells of one organisation that figures never tell apart.
Term = tuple[str, int]
# No sum of people or events in returns is larger.
LARGEST = 1e8
SLACK = 1e-6


class CountRules(Part):
    """Which numbers of people packs may print."""

    minimum_count: int = Field(
        5, ge=1, le=100, description="a number of people or events above zero and below this is not printed"
    )
    protect: int = Field(5, ge=1, description="a withheld number must remain uncertain by at least this many")


@dataclass(frozen=True)
class Figure:
    """One figure that may be printed: what it divides by what, where these are people or events."""

    place: Place
    above: Quantity | None
    below: Quantity | None
    numerator: float
    denominator: float
    # Whether what is not in the numerator is a number of people too, as in a share.
    rest: bool

    def numbers(self) -> Iterable[tuple[tuple[tuple[Quantity, float], ...], float]]:
        """The numbers that it gives away: each as a sum of quantities with coefficients, and its value."""
        if self.above is not None:
            yield ((self.above, 1.0),), self.numerator
        if self.below is not None:
            yield ((self.below, 1.0),), self.denominator
        if self.rest and self.above is not None and self.below is not None:
            yield ((self.below, 1.0), (self.above, -1.0)), self.denominator - self.numerator


@dataclass(frozen=True)
class Pinned:
    """A withheld number that could be worked out to within the protection interval."""

    figure: Figure
    terms: tuple[tuple[Quantity, float], ...]
    low: float
    high: float


def figures_of(spec: Specification, blocks: Sequence[Block]) -> list[Figure]:
    """Every figure of the blocks that has people or events above or below; series of earlier years are not among them."""
    out: list[Figure] = []
    for number, block in enumerate(blocks):
        if block.year is not None or block.indicator.form in ("mean", "median"):
            continue
        above, below = sides(spec, block.indicator, block.part)
        if above is None and below is None:
            continue
        for row in np.flatnonzero(block.status == SHOWN):
            organisations = tuple(block.made_of[row].split()) or (block.organisations[row],)
            out.append(
                Figure(
                    (number, int(row)),
                    None if above is None else (organisations, above),
                    None if below is None else (organisations, below),
                    float(block.numerator[row]),
                    float(block.denominator[row]),
                    block.indicator.form == "share",
                )
            )
    return out


def sides(
    spec: Specification, indicator: Indicator, part: str
) -> tuple[frozenset[Cell] | None, frozenset[Cell] | None]:
    """The cells above and below the line of one part of an indicator; None for a side that counts no people or events."""
    options = part.split("/") if part else []
    chosen = {d: o for d, o in zip(indicator.by, options, strict=True) if o != ALL}
    first = indicator.by[0] if is_whole(indicator) else ""
    found: list[frozenset[Cell] | None] = []
    for names, choice in (
        (indicator.numerator, chosen),
        (indicator.denominator, {d: o for d, o in chosen.items() if d != first}),
    ):
        counted = bool(names) and all(spec.item[reference(n).item].unit in EVENTS for n in names)
        found.append(frozenset(cells_behind(spec, names, choice)) if counted else None)
    return found[0], found[1]


@dataclass
class Attacker:
    """Somebody who has every pack and every workbook, and knows the rules between the items of the returns."""

    spec: Specification
    figures: Sequence[Figure]
    rules: CountRules
    hidden: set[Place] = field(default_factory=set)

    @cached_property
    def atoms(self) -> dict[Cell, int]:
        """Cells that every quantity has all of or none of are one unknown of an organisation."""
        sets = list(dict.fromkeys(q[1] for f in self.figures for q in (f.above, f.below) if q is not None))
        known = {c for cells in sets for c in cells}
        both = [frozenset(side) for r in relations(self.spec) for side in (r.left, r.right)]
        sets += [cells for cells in both if cells <= known]
        signature: dict[Cell, list[int]] = {}
        for i, cells in enumerate(sets):
            for cell in cells:
                signature.setdefault(cell, []).append(i)
        numbers: dict[tuple[int, ...], int] = {}
        return {cell: numbers.setdefault(tuple(s), len(numbers)) for cell, s in signature.items()}

    @cached_property
    def _terms(self) -> dict[frozenset[Cell], tuple[int, ...]]:
        return {}

    def terms(self, quantity: Quantity) -> list[Term]:
        """The unknowns that a quantity is the sum of."""
        organisations, cells = quantity
        if cells not in self._terms:
            self._terms[cells] = tuple(sorted({self.atoms[c] for c in cells}))
        return [(o, a) for o in organisations for a in self._terms[cells]]

    def small(self) -> list[Figure]:
        """The figures that give away a number above zero and below the minimum."""
        least = self.rules.minimum_count
        return [f for f in self.figures if any(0 < value < least for _, value in f.numbers())]

    def pinned(self, targets: Sequence[Figure]) -> list[Pinned]:
        """Which of the small numbers of hidden figures are not open by the protection interval."""
        least = self.rules.minimum_count
        wanted = [(f, terms) for f in targets for terms, value in f.numbers() if 0 < value < least]
        relations_ = Relations(self)
        found = relations_.bounds([terms for _, terms in wanted], self.rules.protect)
        closed = found.high - found.low < self.rules.protect - SLACK
        return [
            Pinned(f, terms, float(low), float(high))
            for (f, terms), low, high, is_closed in zip(wanted, found.low, found.high, closed, strict=True)
            if is_closed
        ]

    @cached_property
    def values(self) -> dict[Term, float]:
        """The values of the unknowns that figures print by themselves, withheld or not: what we know and they must not."""
        pairs = [p for f in self.figures for p in ((f.above, f.numerator), (f.below, f.denominator))]
        return {terms[0]: v for q, v in pairs if q is not None and len(terms := self.terms(q)) == 1}

    def shown(self) -> dict[Quantity, float]:
        """The sums that the figures which are not hidden print."""
        out: dict[Quantity, float] = {}
        for f in self.figures:
            if f.place not in self.hidden:
                if f.above is not None:
                    out[f.above] = f.numerator
                if f.below is not None:
                    out[f.below] = f.denominator
        return out

    @cached_property
    def between(self) -> list[Relation]:
        """The rules between items whose cells are all in figures."""
        return [r for r in relations(self.spec) if {*r.left, *r.right} <= set(self.atoms)]


class Relations:
    """What is known of the cells of returns, as a system of linear relations."""

    def __init__(self, attacker: Attacker) -> None:
        self.attacker = attacker
        shown = attacker.shown()
        terms = {q: attacker.terms(q) for q in shown}
        # What one figure prints by itself is known; everything else that figures are sums of is not.
        self.known = {terms[q][0]: value for q, value in shown.items() if len(terms[q]) == 1}
        sides_ = {q for f in attacker.figures for q in (f.above, f.below) if q is not None}
        every = dict.fromkeys(t for q in sides_ for t in attacker.terms(q) if t not in self.known)
        self.unknown = {t: i for i, t in enumerate(sorted(every))}
        self.system = System()
        self.system.variables(np.zeros(len(self.unknown)), np.full(len(self.unknown), LARGEST))
        for quantity, value in shown.items():
            self._relation([(t, 1.0) for t in terms[quantity]], value, value)
        organisations = dict.fromkeys(o for o, _ in self.unknown)
        for rule in attacker.between:
            for o in organisations:
                left, right = (attacker.terms(((o,), frozenset(side))) for side in (rule.left, rule.right))
                pairs = [*((t, 1.0) for t in left), *((t, -1.0) for t in right)]
                # A cell that is in no figure was not answered, or there is no such service.
                if all(t in self.unknown or t in self.known for t, _ in pairs):
                    low = -rule.slack if rule.rule.relation == "=" else -np.inf
                    # Returns that were asked about may break a rule; then it gives way.
                    self._relation(pairs, low, rule.slack, elastic=True)

    def _relation(self, terms: Sequence[tuple[Term, float]], low: float, high: float, elastic: bool = False) -> None:
        columns = [(self.unknown[t], v) for t, v in terms if t in self.unknown]
        if not columns:
            return
        rest = sum(v * self.known[t] for t, v in terms if t in self.known)
        pairs = [(np.array([c]), np.array([v])) for c, v in columns]
        self.system.relations(pairs, np.array([low - rest]), np.array([high - rest]), elastic=elastic)

    def bounds(self, targets: Sequence[Sequence[tuple[Quantity, float]]], width: float) -> Range:
        """The least and the most that sums of quantities may be; those that are open by `width` no further."""
        entries: list[tuple[float, int, int]] = []
        fixed = np.zeros(len(targets))
        for i, quantities in enumerate(targets):
            for quantity, coefficient in quantities:
                for term in self.attacker.terms(quantity):
                    if term in self.unknown:
                        entries.append((coefficient, i, self.unknown[term]))
                    else:
                        fixed[i] += coefficient * self.known[term]
        open_ = sorted({i for _, i, _ in entries})
        low, high = fixed.copy(), fixed.copy()
        if open_:
            row = {i: n for n, i in enumerate(open_)}
            values = [v for v, _, _ in entries]
            places = ([row[i] for _, i, _ in entries], [c for _, _, c in entries])
            figures = csr_array((values, places), shape=(len(open_), self.system.size))
            figures.sum_duplicates()
            found = bounds(self.system.solver(), figures, lambda least, most: most - least >= width - SLACK)
            low[open_] += found.low
            high[open_] += found.high
        return Range(low, high, np.ones(len(targets), dtype=bool))

"""Small numbers of people in an audit's figures: what is withheld, and what could be worked out from the rest.

The unknowns are the cells of the returns. Every figure that is shown gives the sum of some cells of some organisations
exactly; the rules between items give more. A number that is withheld is safe if these leave it open by at least the
protection interval (Willenborg and de Waal 2001, chapter 6: feasibility intervals of suppressed cells).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_array

from stocktake.audit.answers import Parts, cells_behind
from stocktake.audit.checks import Relation, relations
from stocktake.audit.figures import ALL, SHOWN, WITHHELD, Block, is_whole
from stocktake.audit.specification import EVENTS, Indicator, Specification, reference
from stocktake.definitions import Part
from stocktake.disclosure.linear import Range, System, bounds

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
# So often other numbers are withheld for one that is still open to be worked out, before a total itself is.
PATIENCE = 3


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
    rounds: dict[Place, int] = field(default_factory=dict)

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
    def room(self) -> dict[Term, float]:
        """By how much each unknown could be less and, where it is part of something by a rule, more."""
        out = dict(self.values)
        for rule in self.between:
            for o in dict.fromkeys(o for o, _ in self.values):
                left, right = (self.terms(((o,), frozenset(side))) for side in (rule.left, rule.right))
                if all(t in self.values for t in (*left, *right)):
                    rest = sum(self.values[t] for t in right) - sum(self.values[t] for t in left)
                    out |= {t: min(out[t], rest) for t in left if rule.rule.relation == "<="}
        return out

    def alone(self) -> set[Quantity]:
        """A sum beside each withheld one that is the only unknown of a total, for that is the total less the others."""
        view = _View(self)
        out: set[Quantity] = set()
        for total, terms in view.terms.items():
            lone = [t for t in terms if t not in view.alone]
            if len(terms) > 1 and len(lone) == 1 and lone[0] in self.values:
                out.add(view.beside(total, set(lone), 1.0))
        return out

    def beside(self, pinned: Sequence[Pinned]) -> set[Quantity]:
        """One more sum to withhold for each number that could be worked out: one beside it in a total, or the total."""
        view = _View(self)
        out: set[Quantity] = set()
        for one in pinned:
            own = {t for quantity, _ in one.terms for t in self.terms(quantity)}
            hidden = sorted(t for t in own if t not in view.alone)
            totals = list(dict.fromkeys(q for t in hidden for q in view.containing.get(t, ())))
            tried = self.rounds[one.figure.place] = self.rounds.get(one.figure.place, 0) + 1
            if totals and tried > PATIENCE:
                # Without a total it does not follow from it.
                out.add(min(totals, key=lambda q: (len(q[0]), view.shown[q])))
            elif totals and (mirror := view.mirror(one)):
                out |= mirror
            elif totals:
                # The total with the fewest other unknowns says most.
                total = min(totals, key=lambda q: (view.open[q], len(view.terms[q]), view.shown[q]))
                out.add(view.beside(total, own, -1.0 if len(one.terms) > 1 else 1.0))
            else:
                # Both sides of a share are shown elsewhere, by themselves or in parts.
                printed = [q for q, _ in one.terms if q in view.shown] or [
                    view.alone[t] for t in own if t in view.alone
                ]
                out |= {min(printed, key=lambda q: (view.shown[q], q[0], sorted(q[1])))} if printed else set()
        return out

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


class _View:
    """What is shown at one moment, by unknown and by total."""

    def __init__(self, attacker: Attacker) -> None:
        self.attacker = attacker
        self.protect = attacker.rules.protect
        self.shown = attacker.shown()
        self.terms = {q: attacker.terms(q) for q in self.shown}
        self.alone = {t[0]: q for q, t in self.terms.items() if len(t) == 1}
        self.containing: dict[Term, list[Quantity]] = {}
        for quantity, members in self.terms.items():
            if len(members) > 1:
                for term in members:
                    self.containing.setdefault(term, []).append(quantity)
        self.open = {q: sum(t not in self.alone for t in members) for q, members in self.terms.items()}

    def beside(self, total: Quantity, own: Container[Term], sign: float) -> Quantity:
        """The sum to withhold beside one's own in a total; the total itself where nothing stands beside it.

        That is the one that fewest other totals would give away in its turn, and of these the smallest, or with a sign
        of -1 the largest: what is not in a part needs room for itself elsewhere.
        """
        others = [t for t in self.terms[total] if t in self.alone and t not in own and self.shown[self.alone[t]] > 0]

        def cost(term: Term) -> tuple[int, bool, float, Term]:
            exposed = sum(self.open[q] == 0 for q in self.containing[term])
            value = self.shown[self.alone[term]]
            # No number can be less than none: a smaller one beside it would leave too little room below.
            return exposed, value < 2 * self.protect, sign * value, term

        return self.alone[min(others, key=cost)] if others else total

    def mirror(self, one: Pinned) -> set[Quantity]:
        """Cells of an organisation that form a ring with its pinned one, and the same cells of another organisation.

        A ring has two cells in each of its totals, so that they can move against each other and no total of the
        organisation tells; with the same ring of another organisation no total of areas tells either. The ring and the
        other organisation are those with the most room.
        """
        room = self.attacker.room
        target = max((t for q, _ in one.terms for t in self.attacker.terms(q)), key=lambda t: (t not in self.alone, t))
        me = target[0]
        ring = self._ring(target)
        groups = sorted((q[0] for q in self.containing.get(target, ()) if len(q[0]) > 1), key=len)
        out = {(me, a) for a in ring}
        for group in groups:
            others = [o for o in group if o != me and all(room.get((o, a), 0.0) > 0 for a in ring)]
            if others:
                best = max(others, key=lambda o: (min(room[o, a] for a in ring), o))
                out |= {(best, a) for a in ring}
                break
        return {self.alone[t] for t in out if t in self.alone}

    def _ring(self, target: Term) -> set[int]:
        """The unknowns of an organisation that form the roomiest ring with one of them: four cells of a table, or two."""
        room = self.attacker.room
        me = target[0]

        def own(term: Term) -> list[Quantity]:
            found = [q for q in self.containing.get(term, ()) if q[0] == (me,)]
            # A total of totals is balanced where these are.
            return [q for q in found if not any(p[1] < q[1] for p in found)]

        def others(total: Quantity, term: Term) -> list[Term]:
            return [t for t in self.terms[total] if t != term and room.get(t, 0.0) > 0]

        totals = own(target)
        best: tuple[float, tuple[Term, ...]] = (0.0, (target,))
        for i, first in enumerate(totals):
            for second in totals[i + 1 :]:
                for a in others(first, target):
                    for b in others(second, target):
                        ends = (
                            {t for q in own(x) if q != out for t in others(q, x)}
                            for x, out in ((a, first), (b, second))
                        )
                        for last in set.intersection(*ends) - {target, a, b}:
                            least = min(room[t] for t in (a, b, last))
                            best = max(best, (least, tuple(sorted((target, a, b, last)))))
        if best[0] == 0 and totals:
            beside = max(others(totals[0], target), key=lambda t: (room[t], t), default=target)
            best = (1.0, (target, beside))
        return {a for _, a in best[1]}


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


def protected(spec: Specification, blocks: Sequence[Block], rules: CountRules) -> tuple[list[Block], list[Pinned]]:
    """The blocks without small numbers of people and what would give one of them away, and what could be worked out still.

    In each round every total with one unknown gets another, and then, by what the relations leave open, every number that
    could be worked out a ring around it; until none is left or nothing more can be withheld.
    """
    attacker = Attacker(spec, figures_of(spec, blocks), rules)
    targets = attacker.small()
    attacker.hidden = {f.place for f in targets}
    printed: dict[Quantity, set[Place]] = {}
    for f in attacker.figures:
        for q in (f.above, f.below):
            if q is not None:
                printed.setdefault(q, set()).add(f.place)
    left: list[Pinned] = []
    while targets:
        more = attacker.alone()
        if not more:
            left = attacker.pinned(targets)
            more = attacker.beside(left)
        if not more:
            break
        attacker.hidden |= {place for q in more for place in printed[q]}
    return [_without(b, [r for n, r in attacker.hidden if n == i]) for i, b in enumerate(blocks)], left


def _without(block: Block, rows: Sequence[int]) -> Block:
    """A block with figures withheld."""
    if not rows:
        return block
    status = block.status.copy()
    status[list(rows)] = WITHHELD
    hide = status == WITHHELD

    def known(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(hide, np.nan, values)

    return replace(
        block,
        status=status,
        value=known(block.value),
        low=known(block.low),
        high=known(block.high),
        numerator=known(block.numerator),
        denominator=known(block.denominator),
    )

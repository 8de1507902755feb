"""Complementary suppression in an audit's figures: what is withheld beside small numbers of people, so that none follows."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stocktake.audit.figures import WITHHELD, Block
from stocktake.audit.specification import Specification
from stocktake.disclosure.count_relations import Attacker, CountRules, Pinned, Place, Quantity, Term, figures_of

# So often other numbers are withheld for one that is still open to be worked out, before a total itself is.
PATIENCE = 3


@dataclass
class Further:
    """Chooses what else is withheld, by what an attacker could work out."""

    attacker: Attacker
    rounds: dict[Place, int] = field(default_factory=dict)

    @cached_property
    def room(self) -> dict[Term, float]:
        """By how much each unknown could be less and, where it is part of something by a rule, more."""
        out = dict(self.attacker.values)
        for rule in self.attacker.between:
            for o in dict.fromkeys(o for o, _ in self.attacker.values):
                left, right = (self.attacker.terms(((o,), frozenset(side))) for side in (rule.left, rule.right))
                if all(t in self.attacker.values for t in (*left, *right)):
                    rest = sum(self.attacker.values[t] for t in right) - sum(self.attacker.values[t] for t in left)
                    out |= {t: min(out[t], rest) for t in left if rule.rule.relation == "<="}
        return out

    def alone(self) -> set[Quantity]:
        """A sum beside each withheld one that is the only unknown of a total, for that is the total less the others."""
        view = View(self.attacker, self.room)
        out: set[Quantity] = set()
        for total, terms in view.terms.items():
            lone = [t for t in terms if t not in view.alone]
            if len(terms) > 1 and len(lone) == 1 and lone[0] in self.attacker.values:
                out.add(view.beside(total, set(lone), 1.0))
        return out

    def beside(self, pinned: Sequence[Pinned]) -> set[Quantity]:
        """One more sum to withhold for each number that could be worked out: one beside it in a total, or the total."""
        view = View(self.attacker, self.room)
        out: set[Quantity] = set()
        for one in pinned:
            own = {t for quantity, _ in one.terms for t in self.attacker.terms(quantity)}
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


class View:
    """What is shown at one moment, by unknown and by total."""

    def __init__(self, attacker: Attacker, room: Mapping[Term, float]) -> None:
        self.attacker, self.room = attacker, room
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
        room = self.room
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
        room = self.room
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
    further = Further(attacker)
    while targets:
        more = further.alone()
        if not more:
            left = attacker.pinned(targets)
            more = further.beside(left)
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

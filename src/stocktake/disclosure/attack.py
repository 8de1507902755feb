"""What a reader who has every edition could work out of withheld figures."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import polars as pl
from scipy.sparse import coo_array, csr_array

from stocktake.disclosure.bounds import Safe, bounds, ratios
from stocktake.disclosure.linear import Bools, Floats, Inconsistent, Ints, Solver, in_pieces
from stocktake.disclosure.people_relations import fieldwork_relations, profile_relations
from stocktake.disclosure.printed import printed_leaks
from stocktake.disclosure.relations import Relations, Target
from stocktake.disclosure.rules import Rules
from stocktake.disclosure.score_relations import score_relations
from stocktake.results import Results
from stocktake.results.schemas import frame
from stocktake.survey.engines import cores

# Kinds of figures: numbers of people first, for only what rests on small ones is asked further.
FIGURES = ("people", "count", "sum of points", "sum of squares", "score")
# Figures that the solver meets within this are taken as met.
CLOSE = 1e-4


@dataclass(frozen=True)
class Pinned:
    """A withheld figure that is known more closely than it may be: between `low` and `high`."""

    target: Target
    low: float
    high: float


@dataclass
class Memory:
    """What was worked out before: the pinned figures of systems, and the blocks without any, by their fingerprints.

    `centres` are points amid all that satisfy a system's relations, by the names of systems.
    """

    systems: dict[bytes, list[Pinned]] = field(default_factory=dict)
    safe: set[bytes] = field(default_factory=set)
    centres: dict[str, Floats] = field(default_factory=dict)


def attack(
    results: Results, rules: Rules, minimum: int, memory: Memory | None = None, *, complete: bool = True
) -> list[Pinned]:
    """Every withheld figure that the public tables `results` pin more closely than the rules allow.

    `minimum` is the smallest number of people that may be published. Numbers of people are bounded first: a part that
    may be nobody, or as many as the minimum, is not a small group about which anything could be inferred. Without
    `complete` a system's figures that only follow from all organisations together are left out where others are found
    more cheaply: enough for a round of suppression, after which the system is another.
    """
    found = [Pinned(target, 0.0, 0.0) for target in printed_leaks(results, rules.decimals)]
    known = memory or Memory()
    systems = chain(
        score_relations(results, rules, minimum, known.safe),
        fieldwork_relations(results, rules, minimum),
        profile_relations(results, rules, minimum),
    )
    every = list(systems)
    new = {r.fingerprint: r for r in every if r.fingerprint not in known.systems}
    # The solver is compiled code that lets other threads run; the systems have nothing in common. The one with the most
    # withheld figures takes longest and so comes first.
    new = dict(sorted(new.items(), key=lambda item: -len(item[1].targets)))
    with ThreadPoolExecutor(cores()) as pool:
        answers = pool.map(lambda r: pinned_in(r, minimum, known.centres, complete=complete), new.values())
        made = dict(zip(new, answers, strict=True))
    known.systems.update({key: pinned for key, pinned in made.items() if complete or not pinned})
    for relations in every:
        pinned = (known.systems | made)[relations.fingerprint]
        unsafe = {(p.target.organisation, p.target.measure) for p in pinned}
        if not any(p.target.figure == "contradiction" for p in pinned):
            known.safe.update(p for block, p in relations.blocks.items() if block not in unsafe)
        found += pinned
    return found


def pinned_in(
    relations: Relations, minimum: int, centres: dict[str, Floats] | None = None, *, complete: bool = True
) -> list[Pinned]:
    """The pinned figures of one system of relations; one that says so where the relations contradict each other.

    A centre of a round before, in `centres`, is used again where it still satisfies every relation: with more withheld
    there are fewer of them.
    """
    if not relations.targets:
        return []
    try:
        solver = relations.system.solver()
        if not relations.system.linked:
            return _pinned(solver, relations.targets, minimum)
        known = {} if centres is None else centres
        centre = known.get(relations.name)
        if centre is None or not solver.holds(centre):
            known[relations.name] = centre = solver.centre()
        return _pinned_across(solver, relations.targets, minimum, centre, complete)
    except Inconsistent:
        # Nothing follows from relations that contradict each other, and that must not pass for safety.
        where = replace(relations.targets[0], figure="contradiction", group="", organisation="", how=CONTRADICTION)
        return [Pinned(where, np.nan, np.nan)]


def _pinned_across(
    solver: Solver, targets: Sequence[Target], minimum: int, centre: Floats, complete: bool
) -> list[Pinned]:
    """Pinned figures where relations join organisations, as national numbers do.

    With all other organisations held at `centre`, one point that satisfies everything, an organisation's figures can only lie
    closer together than they may: what is not pinned then is safe. Without the relations between organisations they
    can only lie further apart: what is pinned then is pinned. Of the few that are left the whole is asked, unless
    something was found and the answer need not be `complete`.
    """
    suspects = [p.target for p in _pinned(solver.around(centre), targets, minimum)]
    found = _pinned(solver.without_links(), suspects, minimum)
    if found and not complete:
        return found
    done = {p.target for p in found}
    return [*found, *_pinned(solver, [t for t in suspects if t not in done], minimum)]


CONTRADICTION = "figures that contradict each other, so that nothing can be concluded from them"


def _pinned(solver: Solver, targets: Sequence[Target], minimum: int) -> list[Pinned]:
    """The figures that the relations of a solver pin, piece by piece."""
    if not targets:
        return []

    def pinned(piece: Solver, number: Ints, own: Ints) -> list[Pinned]:
        return _pinned_in_piece(piece, number, [targets[i] for i in own], minimum)

    first = np.array([t.variables[0] for t in targets])
    found = [p for own in in_pieces(solver, first, pinned) for p in own]
    # In one order, whatever the pieces: what is withheld beside them depends on it.
    place = {id(t): i for i, t in enumerate(targets)}
    return sorted(found, key=lambda p: (FIGURES.index(p.target.figure), place[id(p.target)]))


def _pinned_in_piece(solver: Solver, number: Ints, targets: Sequence[Target], minimum: int) -> list[Pinned]:
    """The pinned figures of one piece: numbers of people first, then what rests on small ones.

    `number` are the numbers that all variables have in their pieces.
    """
    people = [t for t in targets if t.figure == "people"]
    needed = np.array([t.protection for t in people]) - CLOSE
    harmless = _nobody_or_many(minimum)
    scored = any(t.figure == "score" for t in targets)

    def safe(low: Floats, high: Floats) -> Bools:
        # Where scores are at stake it matters whether a part is small, however uncertain its number is.
        return harmless(low, high) | (False if scored else high - low >= needed)

    reached = bounds(solver, _matrix([t.variables for t in people], number, solver), safe)
    # A part that is certainly somebody, and certainly fewer than may be published.
    small = reached.exact & ~harmless(reached.low, reached.high)
    known = {t.people for t, s in zip(people, small, strict=True) if s}
    found = [
        Pinned(t, float(np.ceil(low - CLOSE)), float(np.floor(high + CLOSE)))
        for t, s, low, high in zip(people, small, reached.low, reached.high, strict=True)
        if s and high - low < t.protection - CLOSE
    ]
    for figure in FIGURES[1:]:
        chosen = [t for t in targets if t.figure == figure and (figure == "count" or t.people in known)]
        if chosen:
            found += _narrow(solver, number, chosen)
    return found


def _narrow(solver: Solver, number: Ints, targets: Sequence[Target]) -> list[Pinned]:
    """Which of these figures have a range narrower than their protection."""
    needed = np.array([t.protection for t in targets]) - CLOSE

    def safe(low: Floats, high: Floats) -> Bools:
        return high - low >= needed

    over = _matrix([t.variables for t in targets], number, solver)
    if targets[0].figure == "score":
        reached = ratios(solver, over, _matrix([t.people for t in targets], number, solver), safe)
    else:
        reached = bounds(solver, over, safe)
    inside = reached.exact & ~safe(reached.low, reached.high)
    return [
        Pinned(t, float(low), float(high))
        for t, narrow, low, high in zip(targets, inside, reached.low, reached.high, strict=True)
        if narrow and np.isfinite(low) and np.isfinite(high)
    ]


def _nobody_or_many(minimum: int) -> Safe:
    return lambda low, high: (low < 1 - CLOSE) | (high > minimum - 1 + CLOSE)


def _matrix(figures: Sequence[tuple[int, ...]], number: Ints, solver: Solver) -> csr_array:
    """Figures, each the sum of some variables, as rows of coefficients of a piece's variables."""
    rows = np.repeat(np.arange(len(figures)), [len(f) for f in figures])
    columns = number[np.array([v for f in figures for v in f], dtype=np.int64)]
    return csr_array(coo_array((np.ones(rows.size), (rows, columns)), shape=(len(figures), solver.low.size)))


def table_of(found: Sequence[Pinned]) -> pl.DataFrame:
    """The `disclosure` table: where each pinned figure is, without the figure itself."""
    targets = [p.target for p in found]
    names = ("table", "year", "group", "organisation", "measure", "figure", "protection", "how")
    return frame("disclosure", {name: [getattr(t, name) for t in targets] for name in names})


def sentences(table: pl.DataFrame, most: int = 20) -> list[str]:
    """The `disclosure` table as sentences, at most so many of them."""
    out = []
    for row in table.head(most).iter_rows(named=True):
        what = f"the {row['figure']}" if row["figure"] != "people" else "the number of people"
        where = ", ".join(str(row[k]) for k in ("organisation", "group", "measure") if row[k])
        out.append(f"{where}, {row['year']}: {what} ({row['table']}) can be worked out from {row['how']}.")
    if table.height > most:
        out.append(f"And {table.height - most:,} more like these.")
    return out

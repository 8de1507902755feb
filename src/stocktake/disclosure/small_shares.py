"""Percentages of small numbers of people: which are withheld, and which more so that none follows from the others.

The attacker is given more than any reader has: the sum of weights of every group, as closely as its number of people is
printed. Then every printed percentage is a linear relation between sums of weights by group and answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from stocktake.disclosure.bounds import bounds
from stocktake.disclosure.linear import Bools, Floats, Ints, Solver, System, in_pieces
from stocktake.disclosure.precision import percent_interval
from stocktake.rounding import round_percent, round_to, round_values
from stocktake.survey.engines import cores
from stocktake.trends.definition import ShareRules
from stocktake.trends.series import Line
from stocktake.trends.tables import EVERYBODY, Hidden, ShareBlock

# Figures that the solver meets within this are taken as met.
CLOSE = 1e-4
# Each round withholds one more line beside every one that follows from others; a group has few lines.
ROUNDS = 25


@dataclass(frozen=True)
class Follows:
    """A withheld number of people that printed percentages give away."""

    block: int
    group: int
    answer: int


def decimals_of(block: ShareBlock) -> int:
    """Decimals of percentages as printed: one for everybody together, none for groups."""
    return 1 if block.breakdown.name == EVERYBODY else 0


def protected(blocks: Sequence[ShareBlock], rules: ShareRules) -> tuple[list[Hidden], list[Follows]]:
    """What of each block is withheld, with what must be so that nothing small follows; and what follows all the same.

    Groups of fewer than `minimum_base` people, and lines that fewer than `minimum_count` of a group chose, are withheld
    to begin with.
    """
    hidden = [small(block, rules) for block in blocks]
    systems: dict[tuple[str, int], list[int]] = {}
    for i, block in enumerate(blocks):
        systems.setdefault((block.series.code, block.year), []).append(i)
    # The largest takes longest, and so comes first; systems have nothing in common.
    order = sorted(systems.values(), key=lambda places: -sum(blocks[i].count.size for i in places))
    with ThreadPoolExecutor(cores()) as pool:
        found = list(pool.map(lambda places: _protect(blocks, hidden, places, rules), order))
    return hidden, [one for left in found for one in left]


def small(block: ShareBlock, rules: ShareRules) -> Hidden:
    """What is small by itself."""
    base, count = block.base[:-1], block.count[:-1]
    lines = np.zeros((base.size, len(block.lines)), dtype=bool)
    for k, line in enumerate(block.lines):
        own = count[:, block.chosen(line)].sum(axis=1)
        rest = base - own
        # With one line alone the people it leaves out are as plain to see as those it counts.
        lines[:, k] = _few(own, rules) | (_few(rest, rules) & (len(block.lines) == 1))
    # A group of nobody has no row, which says so.
    groups = _few_people(base, rules)
    return Hidden(groups, lines & ~groups[:, None])


def _few_people(base: Ints, rules: ShareRules) -> Bools:
    return (base > 0) & (base < rules.minimum_base)


def _few(count: Ints, rules: ShareRules) -> Bools:
    return (count > 0) & (count < rules.minimum_count)


def _protect(
    blocks: Sequence[ShareBlock], hidden: list[Hidden], places: Sequence[int], rules: ShareRules
) -> list[Follows]:
    """Withhold lines of one series and year until nothing small follows; returns what does when nothing is left."""
    found: list[Follows] = []
    for _ in range(ROUNDS):
        found = following(blocks, hidden, places, rules)
        more = sum(_withhold_beside(blocks, hidden, places, one, rules) for one in found)
        if not more:
            break
    return found


def _withhold_beside(
    blocks: Sequence[ShareBlock], hidden: list[Hidden], places: Sequence[int], one: Follows, rules: ShareRules
) -> bool:
    """Withhold one line more for a number that follows; false where nothing is left to withhold.

    The same answer of a larger group that this one is part of, where so few people gave it there that the part can hardly
    be anything else; then the smallest shown line of the group itself, of larger groups, and of other groups.
    """
    above = [
        (outer, g)
        for inner, outer, groups in _nested(blocks, places)
        if inner == one.block
        for g, members in enumerate(groups)
        if one.group in members
    ]
    few = rules.minimum_count + rules.protect_people
    same = [
        option
        for option in _shown(blocks, hidden, above)
        if option[0] < few and blocks[option[1]].chosen(blocks[option[1]].lines[option[3]])[one.answer]
    ]
    others = [(one.block, g) for g in range(len(blocks[one.block].breakdown.labels)) if g != one.group]
    for found in (same, *(_shown(blocks, hidden, chosen) for chosen in ([(one.block, one.group)], above, others))):
        if found:
            _, i, g, k = min(found)
            hidden[i].lines[g, k] = True
            return True
    return False


def _shown(
    blocks: Sequence[ShareBlock], hidden: Sequence[Hidden], groups: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int, int]]:
    """Lines of some groups that are shown: how many chose each, its block, group and position."""
    return [
        (int(blocks[i].count[g, blocks[i].chosen(line)].sum()), i, g, k)
        for i, g in groups
        if not hidden[i].groups[g]
        for k, line in enumerate(blocks[i].lines)
        if not hidden[i].lines[g, k]
    ]


def following(
    blocks: Sequence[ShareBlock], hidden: Sequence[Hidden], places: Sequence[int], rules: ShareRules
) -> list[Follows]:
    """Which small numbers of people follow from what is printed of one series and year."""
    targets = [
        Follows(i, g, a) for i in places for g, a in zip(*np.nonzero(_small_answers(blocks[i], rules)), strict=True)
    ]
    if not targets:
        return []
    system = System()
    cells: dict[int, NDArray[np.int64]] = {}
    totals: dict[int, NDArray[np.int64]] = {}
    for i in places:
        cells[i], totals[i] = _own_relations(system, blocks[i], hidden[i], rules)
    for inner, outer, groups in _nested(blocks, places):
        # The parts, and people whose group is not known, make up the whole.
        for g, members in enumerate(groups):
            if not members:
                continue
            for part, whole in (
                (cells[inner][members], cells[outer][g]),
                (totals[inner][members, None], totals[outer][g, None]),
            ):
                ones = np.ones(whole.size)
                terms = [(whole, ones), *((p, -ones) for p in part)]
                system.relations(terms, np.zeros(whole.size), np.full(whole.size, np.inf), link=True)
    solver = system.solver()
    # A person's weight need not be one; what is protected is people.
    each = np.array([_mean_weight(blocks[t.block], t.group) for t in targets])
    needed = rules.protect_people * each - CLOSE
    # A group that is withheld whole may be nobody; then nothing is known of anybody in it.
    one = np.array([each[i] if hidden[t.block].groups[t.group] else 0.0 for i, t in enumerate(targets)]) - CLOSE
    columns = np.array([cells[t.block][t.group, t.answer] for t in targets])
    pinned = np.zeros(len(targets), dtype=bool)
    # With all other groups held at one point figures can only lie closer together: what is safe then is safe. Without the
    # relations between groups they can only lie further apart: what follows then follows. The rest is asked of the whole.
    suspects = np.flatnonzero(_narrow(solver.around(solver.centre()), columns, needed, one))
    alone = _narrow(solver.without_links(), columns[suspects], needed[suspects], one[suspects])
    pinned[suspects[alone]] = True
    # A round of suppression starts with what is certain; the whole is asked when nothing is.
    if not alone.any():
        pinned[suspects[_narrow(solver, columns[suspects], needed[suspects], one[suspects])]] = True
    return [t for t, known in zip(targets, pinned, strict=True) if known]


def _narrow(solver: Solver, columns: Ints, needed: Floats, one: Floats) -> Bools:
    """Which variables have a range narrower than is needed, and are certainly not below `one`."""
    narrow = np.zeros(columns.size, dtype=bool)

    def mark(piece: Solver, number: Ints, own: Ints) -> None:
        places = (np.arange(own.size), number[columns[own]])
        figures = csr_array(coo_array((np.ones(own.size), places), shape=(own.size, piece.low.size)))

        def safe(low: Floats, high: Floats) -> Bools:
            return (high - low >= needed[own]) | (low < one[own])

        reached = bounds(piece, figures, safe)
        narrow[own] = reached.exact & ~safe(reached.low, reached.high)

    in_pieces(solver, columns, mark)
    return narrow


def _small_answers(block: ShareBlock, rules: ShareRules) -> Bools:
    """Answers of groups whose number of people must not be known: few people gave them, or the group is small."""
    count, base = block.count[:-1], block.base[:-1]
    return _few(count, rules) | (_few_people(base, rules) & _few(base, rules))[:, None]


def _mean_weight(block: ShareBlock, group: int) -> float:
    base = block.base[group]
    return float(block.weight[group].sum() / base) if base else 1.0


def _own_relations(
    system: System, block: ShareBlock, hidden: Hidden, rules: ShareRules
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What is printed of one block: the variables of its cells and of its groups' sums of weights."""
    weight, base = block.weight[:-1], block.base[:-1].astype(np.float64)
    total = weight.sum(axis=1)
    groups, answers = weight.shape
    each = np.where(base > 0, total / np.maximum(base, 1), 1.0)
    # A printed number of people stands for all that round to it.
    near = round_to(base, rules.group_rounding)
    least = np.ceil(near - rules.group_rounding / 2)
    most = np.ceil(near + rules.group_rounding / 2) - 1
    if block.breakdown.name == EVERYBODY:
        least = most = base
    least, most = (np.where(base > 0, n, 0.0) for n in (np.maximum(least, rules.minimum_base), most))
    shown = ~hidden.groups
    cells = system.variables(np.zeros((groups, answers)), np.full((groups, answers), np.inf))
    totals = system.variables(
        np.where(shown, np.minimum(each * least, total), 0.0),
        np.where(shown, np.maximum(each * most, total), each * (rules.minimum_base - 1)),
    )
    # A group's answers make up the group.
    ones = np.ones(groups)
    system.relations(
        [(totals, ones), *((cells[:, a], -ones) for a in range(answers))], np.zeros(groups), np.zeros(groups)
    )
    for k, line in enumerate(block.lines):
        printed = shown & ~hidden.lines[:, k] & (base > 0)
        if not printed.any():
            continue
        chosen = np.flatnonzero(block.chosen(line))
        part = 100 * weight[printed][:, chosen].sum(axis=1) / total[printed]
        places = decimals_of(block)
        ends = _known_ends(block, line, printed, percent_interval(round_percent(part, places), places))
        many = int(printed.sum())
        sums = [(cells[printed, a], np.ones(many)) for a in chosen]
        for end, low, high in ((ends[0], 0.0, np.inf), (ends[1], -np.inf, 0.0)):
            terms = [*sums, (totals[printed], -end / 100)]
            system.relations(terms, np.full(many, low), np.full(many, high))
    return cells, totals


def _known_ends(block: ShareBlock, line: Line, printed: Bools, ends: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """What readers know of printed percentages: their rounding, and their differences from everybody else's.

    Of one demographic the adjusted difference is printed to the whole point. It may be hardly adjusted at all, so that the
    attacker is given the plain one, and the percentage of everybody else exactly.
    """
    if len(block.breakdown.variables) != 1:
        return ends
    weight = block.weight[:-1]
    own, every = weight[:, block.chosen(line)].sum(axis=1), weight.sum(axis=1)
    rest = every.sum() - every
    others = 100 * np.divide(own.sum() - own, rest, out=np.zeros_like(rest), where=rest > 0)
    shares = 100 * np.divide(own, every, out=np.zeros_like(every), where=every > 0)
    difference = round_values(shares - others, 0)
    low = np.where(rest > 0, others + difference - 0.5, -np.inf)
    high = np.where(rest > 0, others + difference + 0.5, np.inf)
    return np.maximum(ends[0], low[printed]), np.minimum(ends[1], high[printed])


def _nested(blocks: Sequence[ShareBlock], places: Sequence[int]) -> list[tuple[int, int, list[list[int]]]]:
    """Pairs of blocks of which one's groups are parts of the other's, with the parts of each group."""
    out = []
    by_variables = {blocks[i].breakdown.variables: i for i in places if blocks[i].breakdown.variables}
    everybody = next((i for i in places if blocks[i].breakdown.name == EVERYBODY), None)
    for i in places:
        own = blocks[i].breakdown
        if len(own.variables) == 2:
            sizes = [
                len(blocks[by_variables[(v,)]].breakdown.labels) if (v,) in by_variables else 0 for v in own.variables
            ]
            place = np.arange(len(own.labels))
            for axis, variable in enumerate(own.variables):
                if (variable,) not in by_variables:
                    continue
                second = len(own.labels) // sizes[0] if axis == 0 else sizes[1]
                level = place // second if axis == 0 else place % second
                groups = [[int(p) for p in np.flatnonzero(level == g)] for g in range(sizes[axis])]
                out.append((i, by_variables[(variable,)], groups))
        elif own.name != EVERYBODY and everybody is not None:
            out.append((i, everybody, [list(range(len(own.labels)))]))
    return out

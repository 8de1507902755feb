"""The one pass over respondents: whole-number counts, which add in any order and are all a benchmark needs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Floats
from stocktake.survey.instrument import Survey

Ints = NDArray[np.int64]
Codes = NDArray[np.int16]
Table = NDArray[np.int32]

ONE = np.int32(1)
SMALL = 65_536
# How many joint answers of a block 16 bits can distinguish.
MOST_NARROW = 32_767

# More pair counts than this and the section errors come from a second, look-up pass instead.
PAIR_BUDGET = 64_000_000
# A joint table of three questions larger than this falls out of the processor's cache; pairs are counted then.
BLOCK_BUDGET = 4_000_000


@dataclass(frozen=True)
class Layout:
    """What the axes of the counts mean.

    A stratum is a service group and a standardisation cell: stratum = group * (cells + 1) + cell,
    where group 0 is 'no group' and the last cell holds respondents who fit in none (they are
    counted but not scored). An answer is 0 for missing, else 1 + the option's position.
    """

    organisations: tuple[str, ...]
    groups: tuple[str, ...]
    cells: int
    questions: tuple[tuple[str, int], ...]
    sections: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def of(cls, survey: Survey, organisations: Iterable[str]) -> Layout:
        """The layout of an instrument: its scored questions first, then all others, then demographics."""
        scored = list(survey.scored)
        rest = [q for q in survey.questions if q.section is None]
        questions = [(q.code, q.answers) for q in (*scored, *rest)]
        questions += [(d.code, len(d.options) + 1) for d in survey.demographics]
        position = {q.code: i for i, q in enumerate(scored)}
        sections = tuple((s.code, tuple(position[q.code] for q in survey.members(s.code))) for s in survey.sections)
        return cls(
            tuple(organisations),
            tuple(g.code for g in survey.groups),
            len(survey.cell_labels),
            tuple(questions),
            sections,
        )

    @property
    def strata(self) -> int:
        return (len(self.groups) + 1) * (self.cells + 1)

    @cached_property
    def width(self) -> int:
        """The largest number of answer codes of any question."""
        return max(answers for _, answers in self.questions)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Every pair of questions inside a section, in order."""
        return tuple(pair for _, members in self.sections for pair in combinations(members, 2))

    @cached_property
    def positions(self) -> dict[str, int]:
        return {code: i for i, (code, _) in enumerate(self.questions)}

    @cached_property
    def pair_sizes(self) -> tuple[int, ...]:
        sizes = [answers for _, answers in self.questions]
        return tuple(sizes[a] * sizes[b] for a, b in self.pairs)

    @property
    def pair_bins(self) -> int:
        return len(self.organisations) * self.strata * sum(self.pair_sizes)


@dataclass(frozen=True)
class Batch:
    """Respondents ready to count: `key` = organisation * strata + stratum, and a row of answers a question."""

    key: Ints
    answers: tuple[Codes, ...]

    @property
    def rows(self) -> int:
        return int(self.key.size)


@dataclass(frozen=True)
class Counts:
    """Whole-number counts of respondents, answers and, inside sections, answer pairs; they add.

    `respondents` has shape (organisations, strata); `answers` one array (organisations, strata,
    answers) for each question of the layout; `pairs` one array (organisations, strata, answers of
    a, answers of b) for each pair of the layout, or None where the memory guard chose the look-up pass.
    """

    layout: Layout
    respondents: Ints
    answers: tuple[Table, ...]
    pairs: tuple[Table, ...] | None

    def __add__(self, other: Counts) -> Counts:
        if self.layout != other.layout:
            raise ValueError(
                "counts of different layouts do not add: they need the same instrument and list of organisations"
            )
        pairs = None
        if self.pairs is not None and other.pairs is not None:
            pairs = tuple(_sum(a, b) for a, b in zip(self.pairs, other.pairs, strict=True))
        answers = tuple(_sum(a, b) for a, b in zip(self.answers, other.answers, strict=True))
        return Counts(self.layout, self.respondents + other.respondents, answers, pairs)


def _sum(a: Table, b: Table) -> Table:
    """The sum of two tables of 32-bit counts; raises OverflowError rather than wrap round."""
    total = a + b
    # Counts are never negative, so a sum that is has wrapped round.
    if total.size and total.min() < 0:
        raise OverflowError("a single count is above 2,147,483,647")
    return total


@lru_cache(maxsize=256)
def question_blocks(size: int) -> tuple[tuple[int, ...], ...]:
    """Blocks of at most three of `size` questions such that every pair lies in one; few rather than fewest.

    Counting a block of three costs little more than counting a pair and yields three pairs and three single
    counts, so a section of six needs six or seven tables in place of twenty-one.
    """
    if size <= 3:
        return (tuple(range(size)),)
    left = set(combinations(range(size), 2))
    blocks = []
    while left:
        best = max(combinations(range(size), 3), key=lambda t: sum(p in left for p in combinations(t, 2)))
        blocks.append(best)
        left -= set(combinations(best, 2))
    return tuple(blocks)


@dataclass
class Tally:
    """Counts in the making, filled in place batch by batch.

    With pairs, each block of up to three questions of a section is counted jointly; the pairs and single
    counts are sums over it.
    """

    layout: Layout
    paired: bool
    respondents: Ints = field(init=False)
    blocks: tuple[tuple[int, ...], ...] = field(init=False)
    tables: list[Table] = field(init=False)
    scratch: dict[tuple[int, ...], Table] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        layout = self.layout
        bins = len(layout.organisations) * layout.strata
        self.respondents = np.zeros(bins, dtype=np.int64)
        sizes = [n for _, n in layout.questions]
        joint: list[tuple[int, ...]] = []
        if self.paired:
            for _, members in layout.sections:
                blocks = [tuple(members[i] for i in block) for block in question_blocks(len(members))]
                if any(bins * math.prod(sizes[q] for q in block) > BLOCK_BUDGET for block in blocks):
                    blocks = list(combinations(members, 2)) or [members]
                joint += blocks
        counted = {q for block in joint for q in block}
        joint += [(q,) for q in range(len(sizes)) if q not in counted]
        self.blocks = tuple(joint)
        self.tables = [np.zeros((bins, math.prod(sizes[q] for q in block)), dtype=np.int32) for block in joint]

    def add(self, batch: Batch) -> None:
        """Count one batch."""
        sizes = [n for _, n in self.layout.questions]
        self.respondents += np.bincount(batch.key, minlength=self.respondents.size)
        key = batch.key.astype(np.int32)
        # Codes in 16 bits are several times as fast to combine as wider ones; most blocks fit.
        small = [codes.astype(np.int16, copy=False) for codes in batch.answers]
        narrow = np.empty(batch.rows, dtype=np.int16)
        wide = np.empty(batch.rows if any(t.shape[1] > MOST_NARROW for t in self.tables) else 0, dtype=np.int32)
        for block, total in zip(self.blocks, self.tables, strict=True):
            code: NDArray[np.signedinteger] = narrow if total.shape[1] <= MOST_NARROW else wide
            np.copyto(code, small[block[0]])
            for question in block[1:]:
                code *= sizes[question]
                code += small[question]
            self._accumulate(total, key, code)

    def _accumulate(self, total: Table, key: NDArray[np.int32], code: NDArray[np.signedinteger]) -> None:
        """Add one to total[key, code] for every respondent."""
        if key.size < SMALL or key.size * 4 < total.size:
            # A batch much smaller than the table would spend its time adding zeros, and a small one preparing.
            np.add.at(total.reshape(-1), key.astype(np.int64) * total.shape[1] + code, ONE)
            return
        from scipy.sparse import coo_array

        # A sparse matrix made dense sums its entries, and unlike NumPy's own ways of counting it does so
        # without holding the interpreter, so that two workers count in half the time of one.
        ones = np.broadcast_to(ONE, key.shape)
        scratch = self.scratch.setdefault(total.shape, np.empty_like(total))
        coo_array((ones, (key, code.astype(np.int32, copy=False))), shape=total.shape).toarray(out=scratch)
        total += scratch

    def packed(self) -> dict[str, NDArray[Any]]:
        """The tally as arrays that `add_packed` adds to another: of each table only the entries that are not zero."""
        arrays: dict[str, NDArray[Any]] = {"respondents": self.respondents}
        for i, table in enumerate(self.tables):
            flat = table.reshape(-1)
            places = np.flatnonzero(flat)
            arrays |= {f"places_{i}": places, f"counts_{i}": flat[places]}
        return arrays

    def add_packed(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Add what `packed` gave of a tally of the same layout; raises OverflowError rather than wrap round."""
        self.respondents += arrays["respondents"]
        for i, table in enumerate(self.tables):
            flat, places = table.reshape(-1), arrays[f"places_{i}"]
            flat[places] = _sum(flat[places], arrays[f"counts_{i}"])

    def merge(self, other: Tally) -> None:
        """Add another tally of the same layout to this one."""
        self.respondents += other.respondents
        self.tables = [_sum(mine, theirs) for mine, theirs in zip(self.tables, other.tables, strict=True)]

    def counts(self) -> Counts:
        """The finished counts."""
        layout = self.layout
        sizes = [n for _, n in layout.questions]
        shape = (len(layout.organisations), layout.strata)
        joint = [
            t.reshape(*shape, *(sizes[q] for q in block)) for block, t in zip(self.blocks, self.tables, strict=True)
        ]
        place = {q: (i, block) for i, block in reversed(list(enumerate(self.blocks))) for q in block}
        answers = tuple(_margin(joint[place[q][0]], place[q][1], (q,)) for q in range(len(sizes)))
        pairs = None
        if self.paired:
            at = {
                pair: (i, block)
                for i, block in reversed(list(enumerate(self.blocks)))
                for pair in combinations(block, 2)
            }
            pairs = tuple(_margin(joint[at[p][0]], at[p][1], p) for p in layout.pairs)
        return Counts(layout, self.respondents.reshape(shape), answers, pairs)


def _margin(table: Table, block: tuple[int, ...], keep: tuple[int, ...]) -> Table:
    """A block's joint counts summed down to the questions kept, in their order."""
    drop = tuple(2 + i for i, q in enumerate(block) if q not in keep)
    return table.sum(axis=drop, dtype=np.int32) if drop else table


def wants_pairs(layout: Layout, rows: int | None) -> bool:
    """Whether to count pairs in the same pass, or to make the section errors by a second look-up pass.

    Pairs are worth their memory only where there are more answers than table entries; for
    thousands of organisations the table outgrows memory, and for a small survey filling it takes longer
    than reading the respondents again. Unknown size (a stream that can be read once) counts pairs.
    """
    if layout.pair_bins > PAIR_BUDGET:
        return False
    return rows is None or rows * len(layout.pairs) >= 2 * layout.pair_bins


def count(batches: Iterable[Batch], layout: Layout, *, pairs: bool = True) -> Counts:
    """Count batches of respondents in one pass.

    Any split of the same respondents into batches, in any order, gives the same counts.
    """
    tally = Tally(layout, pairs)
    for batch in batches:
        tally.add(batch)
    return tally.counts()


def section_squares(batches: Iterable[Batch], layout: Layout, tables: Floats, weights: Floats) -> Floats:
    """The look-up pass: for every organisation and section, the sum of squared weighted linearised values.

    `tables` has shape (organisations, questions in sections, width): T, the linearised value of
    an answer without its weight; `weights` (organisations, strata). Returns shape (organisations,
    sections), already divided by the squared number of questions in the section.
    """
    organisations = len(layout.organisations)
    total = np.zeros((organisations, len(layout.sections)))
    flat = np.ascontiguousarray(np.moveaxis(tables, 0, 1)).reshape(tables.shape[1], -1)
    width = tables.shape[2]
    for batch in batches:
        organisation = batch.key // layout.strata
        squared = weights.reshape(-1)[batch.key] ** 2
        index = organisation * width
        for s, (_, members) in enumerate(layout.sections):
            value = np.zeros(batch.rows)
            for q in members:
                value += flat[q][index + batch.answers[q]]
            value *= value
            value *= squared
            total[:, s] += np.bincount(organisation, weights=value, minlength=organisations) / len(members) ** 2
    return total


def pair_moments(
    batches: Iterable[Batch],
    layout: Layout,
    deviation: Floats,
    scored: NDArray[np.bool_],
    weights: Floats,
) -> Floats:
    """The look-up pass for classical errors: three sums over those who answered both questions of a pair.

    Returns shape (3, organisations, pairs): sum of w d_a d_b, sum of w, and sum of w squared.
    """
    organisations = len(layout.organisations)
    total = np.zeros((3, organisations, len(layout.pairs)))
    for batch in batches:
        organisation = batch.key // layout.strata
        w = weights.reshape(-1)[batch.key]
        for p, (a, b) in enumerate(layout.pairs):
            both = scored[a, batch.answers[a]] & scored[b, batch.answers[b]]
            product = deviation[organisation, a, batch.answers[a]] * deviation[organisation, b, batch.answers[b]]
            for i, value in enumerate((w * product, w * both, w**2 * both)):
                total[i, :, p] += np.bincount(organisation, weights=value, minlength=organisations)
    return total

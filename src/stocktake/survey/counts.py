"""Whole-number counts, which add in any order and are all a benchmark needs: what they mean, and how much memory they take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import combinations, pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stocktake.survey.instrument import Survey

Ints = NDArray[np.int64]
# Answers in 8 or 16 bits.
Codes = NDArray[np.int8] | NDArray[np.int16]
Table = NDArray[np.int32]
# One table (organisations, strata, answers of a, answers of b) for each pair of the layout.
PairTables = tuple[Table, ...]

T = TypeVar("T")

# More pair counts than this and the section errors come from a second, look-up pass instead.
PAIR_BUDGET = 64_000_000


def held(value: T) -> T:
    """What is in memory already, where a call is asked for that gives it."""
    return value


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
    def offsets(self) -> Ints:
        """Where each question's answers begin among those of all, and last how many there are; shape (questions + 1,)."""
        return np.cumsum([0, *(answers for _, answers in self.questions)])

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

    key: NDArray[np.int32] | Ints
    answers: tuple[Codes, ...]

    @property
    def rows(self) -> int:
        return int(self.key.size)


def recut(batches: Iterable[Batch], rows: int) -> Iterator[Batch]:
    """The same respondents in batches of so many, the last one of what is left."""
    held: list[Batch] = []
    for batch in batches:
        held.append(batch)
        while sum(b.rows for b in held) >= rows:
            whole = _joined(held)
            yield Batch(whole.key[:rows], tuple(a[:rows] for a in whole.answers))
            held = [Batch(whole.key[rows:], tuple(a[rows:] for a in whole.answers))]
    if sum(b.rows for b in held):
        yield _joined(held)


def _joined(batches: Sequence[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    answers = zip(*(b.answers for b in batches), strict=True)
    return Batch(np.concatenate([b.key for b in batches]), tuple(np.concatenate(a) for a in answers))


@dataclass(frozen=True)
class PairBlock:
    """The answer pairs of some organisations, which are in memory only while they are used.

    `organisations` are their places in the layout; `load` gives their tables.
    """

    organisations: Ints
    load: Callable[[], PairTables]

    @classmethod
    def of(cls, tables: Sequence[Table], organisations: int) -> PairBlock:
        """Tables of all organisations that are in memory."""
        return cls(np.arange(organisations), partial(held, tuple(tables)))

    def with_tables(self, change: Callable[[PairTables], PairTables]) -> PairBlock:
        """The same block with its tables changed whenever they are loaded."""
        return replace(self, load=partial(_changed, self.load, change))


def _changed(load: Callable[[], PairTables], change: Callable[[PairTables], PairTables]) -> PairTables:
    return change(load())


@dataclass(frozen=True)
class Counts:
    """Whole-number counts of respondents, answers and, inside sections, answer pairs; they add.

    `respondents` has shape (organisations, strata); `table` (answers, organisations, strata) has the answers of one
    question of the layout after those of another; `pairs` are blocks of organisations, or None where the memory guard
    chose the look-up pass. What an organisation's pairs are is the sum over the blocks that it is in.
    """

    layout: Layout
    respondents: Ints
    table: Table
    pairs: tuple[PairBlock, ...] | None

    @classmethod
    def of(
        cls, layout: Layout, respondents: Ints, answers: Iterable[Table], pairs: tuple[PairBlock, ...] | None
    ) -> Counts:
        """Counts from a table (organisations, strata, answers) for each question."""
        table = np.empty((layout.offsets[-1], len(layout.organisations), layout.strata), dtype=np.int32)
        np.concatenate([np.moveaxis(own, 2, 0) for own in answers], out=table)
        return cls(layout, respondents, table, pairs)

    @cached_property
    def answers(self) -> tuple[Table, ...]:
        """The counts of each question, shape (organisations, strata, answers)."""
        ends = self.layout.offsets.tolist()
        return tuple(np.moveaxis(self.table[a:b], 0, 2) for a, b in pairwise(ends))

    @property
    def blocks(self) -> tuple[PairBlock, ...]:
        """The pairs of counts that have them."""
        assert self.pairs is not None
        return self.pairs

    def __add__(self, other: Counts) -> Counts:
        if self.layout != other.layout:
            raise ValueError(
                "counts of different layouts do not add: they need the same instrument and list of organisations"
            )
        pairs = None
        if self.pairs is not None and other.pairs is not None:
            pairs = (*self.pairs, *other.pairs)
        table = add_tables(self.table, other.table)
        return Counts(self.layout, self.respondents + other.respondents, table, pairs)


def add_tables(a: Table, b: Table, out: Table | None = None) -> Table:
    """The sum of two tables of 32-bit counts; raises OverflowError rather than wrap round."""
    total = np.add(a, b, out=out)
    # Counts are never negative, so a sum that is has wrapped round.
    if total.size and total.min() < 0:
        raise OverflowError("a single count is above 2,147,483,647")
    return total


def pairs_fit(layout: Layout) -> bool:
    """Whether the pair counts of all organisations together fit in memory."""
    return layout.pair_bins <= PAIR_BUDGET


def wants_pairs(layout: Layout, rows: int | None) -> bool:
    """Whether to count pairs in the same pass, or to make the section errors by a second look-up pass.

    Pairs are worth their memory only where there are more answers than table entries; for
    thousands of organisations the table outgrows memory, and for a small survey filling it takes longer
    than reading the respondents again. Unknown size (a stream that can be read once) counts pairs.
    """
    if not pairs_fit(layout):
        return False
    return rows is None or rows * len(layout.pairs) >= 2 * layout.pair_bins


def organisation_blocks(layout: Layout) -> list[Ints]:
    """Places of organisations in runs whose pair counts together stay within the budget."""
    each = max(layout.strata * sum(layout.pair_sizes), 1)
    size = max(1, PAIR_BUDGET // each)
    every = np.arange(len(layout.organisations))
    return [every[start : start + size] for start in range(0, every.size, size)]

"""The one pass over respondents: whole-number counts, which add in any order and are all a benchmark needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Floats
from stocktake.survey.instrument import Survey

Ints = NDArray[np.int64]
# Answers in 8 or 16 bits.
Codes = NDArray[np.int8] | NDArray[np.int16]
Table = NDArray[np.int32]
# One table (organisations, strata, answers of a, answers of b) for each pair of the layout.
PairTables = tuple[Table, ...]

ONE = np.int32(1)
SMALL = 65_536
# How many joint answers of a block 16 bits can distinguish.
MOST_NARROW = 32_767

# The largest place that 32 bits hold.
LARGEST_PLACE = 2**31 - 1

# How long fewer blocks of questions are looked for.
MOST_STEPS = 2_000

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
        return cls(np.arange(organisations), partial(_held, tuple(tables)))

    def with_tables(self, change: Callable[[PairTables], PairTables]) -> PairBlock:
        """The same block with its tables changed whenever they are loaded."""
        return replace(self, load=partial(_changed, self.load, change))


def _held(tables: PairTables) -> PairTables:
    return tables


def _changed(load: Callable[[], PairTables], change: Callable[[PairTables], PairTables]) -> PairTables:
    return change(load())


@dataclass(frozen=True)
class Counts:
    """Whole-number counts of respondents, answers and, inside sections, answer pairs; they add.

    `respondents` has shape (organisations, strata); `answers` one array (organisations, strata,
    answers) for each question of the layout; `pairs` blocks of organisations, or None where the memory guard
    chose the look-up pass. What an organisation's pairs are is the sum over the blocks that it is in.
    """

    layout: Layout
    respondents: Ints
    answers: tuple[Table, ...]
    pairs: tuple[PairBlock, ...] | None

    def __add__(self, other: Counts) -> Counts:
        if self.layout != other.layout:
            raise ValueError(
                "counts of different layouts do not add: they need the same instrument and list of organisations"
            )
        pairs = None
        if self.pairs is not None and other.pairs is not None:
            pairs = (*self.pairs, *other.pairs)
        answers = tuple(_sum(a, b) for a, b in zip(self.answers, other.answers, strict=True))
        return Counts(self.layout, self.respondents + other.respondents, answers, pairs)


def _sum(a: Table, b: Table, out: Table | None = None) -> Table:
    """The sum of two tables of 32-bit counts; raises OverflowError rather than wrap round."""
    total = np.add(a, b, out=out)
    # Counts are never negative, so a sum that is has wrapped round.
    if total.size and total.min() < 0:
        raise OverflowError("a single count is above 2,147,483,647")
    return total


@lru_cache(maxsize=256)
def question_blocks(size: int) -> tuple[tuple[int, ...], ...]:
    """Blocks of at most three of `size` questions such that every pair lies in one; few rather than fewest.

    Counting a block of three costs little more than counting a pair and yields three pairs and three single
    counts, so a section of six needs six tables in place of twenty-one.
    """
    if size <= 3:
        return (tuple(range(size)),)
    blocks = _greedy(size)
    # No covering is smaller (Schonheim 1964).
    fewest = math.ceil(size / 3 * math.ceil((size - 1) / 2))
    while len(blocks) > fewest:
        found = _covering(size, frozenset(combinations(range(size), 2)), len(blocks) - 1, [MOST_STEPS])
        if found is None:
            break
        blocks = found
    return tuple(sorted(blocks))


def _greedy(size: int) -> list[tuple[int, ...]]:
    """Again and again a block of three that has the most of the pairs that are left."""
    left = set(combinations(range(size), 2))
    blocks: list[tuple[int, ...]] = []
    while left:
        best = max(combinations(range(size), 3), key=lambda t: sum(p in left for p in combinations(t, 2)))
        blocks.append(best)
        left -= set(combinations(best, 2))
    return blocks


def _covering(size: int, left: frozenset[tuple[int, ...]], most: int, steps: list[int]) -> list[tuple[int, ...]] | None:
    """At most so many blocks of three that have all the pairs that are left; None where none were found in so many steps."""
    if not left:
        return []
    steps[0] -= 1
    if len(left) > 3 * most or steps[0] < 0:
        return None
    a, b = min(left)
    for c in (c for c in range(size) if c not in (a, b)):
        block = tuple(sorted((a, b, c)))
        rest = _covering(size, left - set(combinations(block, 2)), most - 1, steps)
        if rest is not None:
            return [block, *rest]
    return None


def _width(block_and_table: tuple[tuple[int, ...], Table]) -> int:
    return block_and_table[1].shape[1]


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
    working: dict[str, NDArray[Any]] = field(init=False, default_factory=dict)

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
        keys = np.bincount(batch.key, minlength=self.respondents.size)
        self.respondents += keys
        if self.respondents.max(initial=0) > LARGEST_PLACE:
            # No count is larger than its stratum.
            raise OverflowError("a single count is above 2,147,483,647")
        # No sum of a batch is larger than its largest stratum, and narrow sums keep more of a table in the cache.
        sums: type[np.signedinteger] = np.int16 if keys.max(initial=0) <= MOST_NARROW else np.int32
        # Places in 32 bits are faster where there are many, and slower where they would be widened to be counted.
        few = batch.rows < SMALL or max(t.size for t in self.tables) > LARGEST_PLACE
        kind: type[np.signedinteger] = np.int64 if few else np.int32
        key = batch.key.astype(kind, copy=False)
        base, place = self._working("base", batch.rows, kind), self._working("place", batch.rows, kind)
        width = 0
        for block, total in sorted(zip(self.blocks, self.tables, strict=True), key=_width):
            if total.shape[1] != width:
                width = total.shape[1]
                np.multiply(key, kind(width), out=base)
            # Codes in 16 bits are several times as fast to combine as wider ones; most blocks fit.
            codes = self._working("codes", batch.rows, np.int16 if width <= MOST_NARROW else np.int32)
            fill_places(place, base, [batch.answers[q] for q in block], [sizes[q] for q in block], codes)
            self._accumulate(total.reshape(-1), place, sums)

    def _working(self, name: str, rows: int, kind: type[np.signedinteger]) -> NDArray[Any]:
        """An array to work in, the same for batch after batch; ones when it is new."""
        held = self.working.get(name)
        if held is None or held.size < rows or held.dtype != kind:
            held = self.working[name] = np.ones(rows, dtype=kind)
        return held[:rows]

    def _accumulate(self, total: Table, place: NDArray[np.signedinteger], sums: type[np.signedinteger]) -> None:
        """Add one to total[place] for every respondent; `sums` holds any sum of them."""
        if place.size * 4 < total.size:
            # A batch much smaller than the table would spend its time adding zeros.
            np.add.at(total, place, ONE)
        elif place.size < SMALL:
            np.add(total, np.bincount(place, minlength=total.size), out=total, casting="same_kind")
        else:
            self._accumulate_many(total, place, sums)

    def _accumulate_many(self, total: Table, place: NDArray[np.signedinteger], sums: type[np.signedinteger]) -> None:
        from scipy.sparse import csr_array

        # A sparse matrix of one row made dense sums its entries, and unlike NumPy's own ways of counting it does so
        # without holding the interpreter, so that two workers count in half the time of one.
        ones, scratch = self._working("ones", place.size, sums), self._working("sums", total.size, sums)
        ends = np.array([0, place.size], dtype=place.dtype)
        one_row = csr_array((ones, place, ends), shape=(1, total.size), copy=False)
        one_row.toarray(out=scratch.reshape(1, -1))
        total += scratch

    def packed(self) -> dict[str, NDArray[Any]]:
        """The tally as small arrays that `add_packed` adds to another: narrow numbers, and of thin tables what is not zero."""
        arrays: dict[str, NDArray[Any]] = {"respondents": self.respondents}
        for i, table in enumerate(self.tables):
            flat = table.reshape(-1)
            narrow = flat.astype(np.min_scalar_type(int(flat.max(initial=0))))
            places = np.flatnonzero(flat)
            if places.size * (narrow.itemsize + 4) < narrow.nbytes:
                narrow = narrow[places]
                arrays[f"places_{i}"] = places.astype(np.uint32 if flat.size < 2**32 else np.int64)
            arrays[f"counts_{i}"] = narrow
        return arrays

    def add_packed(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Add what `packed` gave of a tally of the same layout; raises OverflowError rather than wrap round."""
        self.respondents += arrays["respondents"]
        for i, table in enumerate(self.tables):
            flat, counts = table.reshape(-1), arrays[f"counts_{i}"].astype(np.int32)
            if f"places_{i}" in arrays:
                places = arrays[f"places_{i}"]
                flat[places] = _sum(flat[places], counts)
            else:
                _sum(flat, counts, out=flat)

    def merge(self, other: Tally) -> None:
        """Add another tally of the same layout to this one."""
        self.respondents += other.respondents
        for mine, theirs in zip(self.tables, other.tables, strict=True):
            _sum(mine, theirs, out=mine)

    def counts(self) -> Counts:
        """The finished counts."""
        layout = self.layout
        sizes = [n for _, n in layout.questions]
        shape = (len(layout.organisations), layout.strata)
        joint = [
            t.reshape(*shape, *(sizes[q] for q in block)) for block, t in zip(self.blocks, self.tables, strict=True)
        ]
        # The first block of each question, and with pairs the first of each pair, whose table is smaller.
        source = {q: (joint[i], block) for i, block in reversed(list(enumerate(self.blocks))) for q in block}
        pairs = None
        if self.paired:
            at = {p: i for i, block in reversed(list(enumerate(self.blocks))) for p in combinations(block, 2)}
            tables = [_margin(joint[at[p]], self.blocks[at[p]], p) for p in layout.pairs]
            pairs = (PairBlock.of(tables, len(layout.organisations)),)
            source |= {q: (table, p) for p, table in zip(layout.pairs, tables, strict=True) for q in p}
        answers = tuple(_margin(*source[q], (q,)) for q in range(len(sizes)))
        return Counts(layout, self.respondents.reshape(shape), answers, pairs)


def fill_places(
    place: NDArray[np.signedinteger],
    base: NDArray[np.signedinteger],
    answers: Sequence[NDArray[np.signedinteger]],
    sizes: Sequence[int],
    codes: NDArray[np.signedinteger],
) -> None:
    """Fill in where the joint answers of respondents stand in a flat table, in which those of each begin at `base`.

    `sizes` are how many answers each question has, and `codes` is an array to work in, wide enough for their product.
    """
    joint: NDArray[np.signedinteger] = answers[0]
    if len(answers) > 1:
        np.copyto(codes, answers[0])
        for more, size in zip(answers[1:], sizes[1:], strict=True):
            codes *= size
            codes += more
        joint = codes
    np.add(base, joint, out=place)


def _margin(table: Table, block: tuple[int, ...], keep: tuple[int, ...]) -> Table:
    """A block's joint counts summed down to the questions kept, in their order."""
    for axis in reversed([2 + i for i, q in enumerate(block) if q not in keep]):
        # Whole slices are added, which is several times as fast as a sum along a short axis.
        slices = np.moveaxis(table, axis, 0)
        table = slices[0].copy()
        for one in slices[1:]:
            table += one
    return table


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


def count(batches: Iterable[Batch], layout: Layout, *, pairs: bool = True) -> Counts:
    """Count batches of respondents in one pass.

    Any split of the same respondents into batches, in any order, gives the same counts.
    """
    tally = Tally(layout, pairs)
    for batch in batches:
        tally.add(batch)
    return tally.counts()


# A table with more numbers than this is looked up a question at a time.
LOOKUP_BUDGET = 65_536
# So many binary digits of a sum fit in 64 bits with room for rounding, its bound's too.
LARGEST_SUM = 61


def _shifts(largest: Floats) -> NDArray[np.int64]:
    """By which power of two values are multiplied so that sums of at most `largest` keep 61 binary digits."""
    _, exponent = np.frexp(largest)
    return np.where(largest > 0, LARGEST_SUM - exponent.astype(np.int64), 0)


@dataclass(frozen=True)
class SectionSums:
    """The look-up pass: every organisation's and section's sum of squared weighted linearised values.

    `tables` has for each block of `blocks` (one or two questions of a section) the linearised values of their joint
    answers without the weight, in the units of the section, shape (organisations, joint answers); `weights`
    (organisations, strata), 0 for strata that take no part. A value is added as a whole number of a unit so small that
    61 binary digits hold the sum: whole numbers add in any order, so that any split of the respondents, on any engine,
    gives the same bytes.
    """

    layout: Layout
    blocks: tuple[tuple[tuple[int, ...], ...], ...]
    tables: tuple[tuple[Floats, ...], ...]
    weights: Floats
    shifts: NDArray[np.int64]

    @classmethod
    def of(cls, layout: Layout, squares: Floats, tables: Floats, weights: Floats) -> SectionSums:
        """The sums for `tables` of shape (organisations, questions, width).

        `squares` (organisations, questions) is the sum of squared weighted values of each question by itself. The square
        of a sum of m numbers is at most m times the sum of their squares, which bounds what is to be added.
        """
        width = tables.shape[2]
        bounds = [len(members) * squares[:, list(members)].sum(axis=1, keepdims=True) for _, members in layout.sections]
        # Even, so that half of each is the power of two for what is squared.
        shifts = _shifts(np.concatenate(bounds, axis=1).T) // 2 * 2
        # Two questions are looked up at once, where their joint table stays in the processor's cache.
        many = 2 if tables.shape[0] * width**2 <= LOOKUP_BUDGET else 1
        blocks, looked_up = [], []
        for (_, members), shift in zip(layout.sections, shifts, strict=True):
            own = np.moveaxis(tables, 1, 0)[list(members)] * np.ldexp(1.0, shift // 2)[:, None]
            runs = [range(i, min(i + many, len(members))) for i in range(0, len(members), many)]
            blocks.append(tuple(tuple(members[i] for i in run) for run in runs))
            looked_up.append(tuple(_joint(own[list(run)]) for run in runs))
        return cls(layout, tuple(blocks), tuple(looked_up), weights, shifts)

    def of_batch(self, batch: Batch) -> Ints:
        """The sums over a batch, shape (sections, organisations)."""
        total = np.zeros(self.shifts.shape, dtype=np.int64)
        batch, weight = _taking_part(batch, self.layout, self.weights)
        organisation = batch.key.astype(np.intp) // self.layout.strata
        squared = weight * weight
        width = self.layout.width
        bases = (organisation * width, organisation * width**2)
        place, codes = np.empty_like(organisation), np.empty(batch.rows, dtype=np.int32)
        looked_up = np.empty(batch.rows)
        for s, (blocks, tables) in enumerate(zip(self.blocks, self.tables, strict=True)):
            value = np.zeros(batch.rows)
            for block, table in zip(blocks, tables, strict=True):
                answers = [batch.answers[q] for q in block]
                fill_places(place, bases[len(block) - 1], answers, [width] * len(block), codes)
                # No place is outside the table; without "clip" NumPy would look up into a copy, in case one is.
                value += table.reshape(-1).take(place, out=looked_up, mode="clip")
            value *= value
            value *= squared
            np.add.at(total[s], organisation, np.rint(value, out=value).astype(np.int64))
        return total

    def totals(self, sums: Ints) -> Floats:
        """Sums over all respondents by the squared number of questions, shape (organisations, sections)."""
        sizes = np.array([len(members) for _, members in self.layout.sections])
        return np.ldexp(sums.astype(np.float64), -self.shifts).T / sizes**2


def _joint(tables: Floats) -> Floats:
    """The sums of values of one or two questions for each joint answer, from shape (questions, organisations, width)."""
    if len(tables) == 1:
        return np.ascontiguousarray(tables[0])
    return np.ascontiguousarray((tables[0][:, :, None] + tables[1][:, None, :]).reshape(tables.shape[1], -1))


@dataclass(frozen=True)
class PairSums:
    """The look-up pass for classical errors: three sums over those who answered both questions of a pair.

    They are the sum of w d_a d_b, of w, and of w squared, as whole numbers like those of SectionSums. `deviation` has
    shape (organisations, questions, width), `scored` (questions, width), and `weights` (organisations, strata).
    """

    layout: Layout
    deviation: Floats
    scored: NDArray[np.bool_]
    weights: Floats
    shifts: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        layout: Layout,
        respondents: Ints,
        squares: Floats,
        deviation: Floats,
        scored: NDArray[np.bool_],
        weights: Floats,
    ) -> PairSums:
        """The sums for `respondents` of shape (organisations, strata).

        `squares` (organisations, questions) is the sum of w d^2 of each question by itself, by which that of the products
        is bounded (Cauchy and Schwarz).
        """
        most, many = weights.max(axis=1), respondents.sum(axis=1)
        products = np.stack([np.sqrt(squares[:, a] * squares[:, b]) for a, b in layout.pairs])
        ones = np.ones_like(products)
        bounds = np.stack([products, ones * most * many, ones * most**2 * many])
        return cls(layout, deviation, scored, weights, _shifts(bounds))

    def of_batch(self, batch: Batch) -> Ints:
        """The sums over a batch, shape (3, pairs, organisations)."""
        total = np.zeros(self.shifts.shape, dtype=np.int64)
        batch, w = _taking_part(batch, self.layout, self.weights)
        organisation, answers = batch.key // self.layout.strata, batch.answers
        unit = np.ldexp(1.0, self.shifts)
        for p, (a, b) in enumerate(self.layout.pairs):
            both = self.scored[a, answers[a]] & self.scored[b, answers[b]]
            product = self.deviation[organisation, a, answers[a]] * self.deviation[organisation, b, answers[b]]
            for i, value in enumerate((w * product, w * both, w**2 * both)):
                whole = np.rint(value * unit[i, p][organisation]).astype(np.int64)
                np.add.at(total[i, p], organisation, whole)
        return total

    def totals(self, sums: Ints) -> Floats:
        """Sums over all respondents, shape (3, organisations, pairs)."""
        return np.moveaxis(np.ldexp(sums.astype(np.float64), -self.shifts), 1, 2)


def _taking_part(batch: Batch, layout: Layout, weights: Floats) -> tuple[Batch, Floats]:
    """The respondents of a batch who have a weight, with their answers to the questions of sections, and the weights."""
    weight = weights.reshape(-1)[batch.key]
    there = np.flatnonzero(weight)
    if there.size == batch.rows:
        return batch, weight
    scored = sum(len(members) for _, members in layout.sections)
    return Batch(batch.key[there], tuple(a[there] for a in batch.answers[:scored])), weight[there]

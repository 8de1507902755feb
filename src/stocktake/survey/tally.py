"""The one pass over respondents: batches are counted into tables, a worker's own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stocktake.survey.counts import Batch, Codes, Counts, Ints, Layout, PairBlock, Table, add_tables

ONE = np.int32(1)
SMALL = 65_536
# How many joint answers 8 bits can distinguish, and the largest number that 16 bits with a sign hold.
MOST_IN_8 = 256
MOST_NARROW = 32_767
# The largest place that 32 bits hold.
LARGEST_PLACE = 2**31 - 1
# How long fewer blocks of questions are looked for.
MOST_STEPS = 2_000
# A joint table of three questions larger than this falls out of the processor's cache; pairs are counted then.
BLOCK_BUDGET = 4_000_000


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


@dataclass
class Tally:
    """Counts in the making, filled in place batch by batch.

    With pairs, each block of up to three questions of a section is counted jointly; the pairs and single
    counts are sums over it.
    """

    layout: Layout
    paired: bool
    respondents: Ints = field(init=False)
    table: Table = field(init=False)
    blocks: tuple[tuple[int, ...], ...] = field(init=False)
    tables: list[Table] = field(init=False)
    working: dict[str, NDArray[Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        layout = self.layout
        bins = len(layout.organisations) * layout.strata
        self.respondents = np.zeros(bins, dtype=np.int64)
        self.table = np.zeros((layout.offsets[-1], bins), dtype=np.int32)
        sizes = [n for _, n in layout.questions]
        joint: list[tuple[int, ...]] = []
        if self.paired:
            for _, members in layout.sections:
                blocks = [tuple(members[i] for i in block) for block in question_blocks(len(members))]
                if any(bins * math.prod(sizes[q] for q in block) > BLOCK_BUDGET for block in blocks):
                    blocks = list(combinations(members, 2))
                joint += [block for block in blocks if len(block) > 1]
        # Tables of one width follow one another, so that where each key begins is worked out once for all of them.
        joint.sort(key=lambda block: math.prod(sizes[q] for q in block))
        self.tables = [np.zeros((bins, math.prod(sizes[q] for q in block)), dtype=np.int32) for block in joint]
        counted = {q for block in joint for q in block}
        alone = [q for q in range(len(sizes)) if q not in counted]
        self.blocks = (*joint, *((q,) for q in alone))
        # The table of a question that is counted by itself is its part of the table of all.
        self.tables += [self.table[layout.offsets[q] : layout.offsets[q + 1]] for q in alone]

    def add(self, batch: Batch) -> None:
        """Count one batch."""
        sizes = [n for _, n in self.layout.questions]
        keys = np.bincount(batch.key, minlength=self.respondents.size)
        self.respondents += keys
        if self.respondents.max(initial=0) > LARGEST_PLACE:
            # No count is larger than its stratum.
            raise OverflowError("a single count is above 2,147,483,647")
        # No sum of a batch is larger than its largest stratum, and narrow sums keep more of a table in the cache.
        sums = narrowest(int(keys.max(initial=0)))
        kind = narrowest(max(t.size for t in self.tables))
        if kind is np.int16 and batch.rows >= SMALL:
            # Places of 16 bits are none of SciPy's.
            kind = np.int32
        places = Places(batch.key.astype(kind, copy=False), self.respondents.size)
        for block, total in zip(self.blocks, self.tables, strict=True):
            answers, of_each = [batch.answers[q] for q in block], [sizes[q] for q in block]
            place = (places.by_answer if len(block) == 1 else places.by_key)(answers, of_each)
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
            total += np.bincount(place, minlength=total.size).astype(np.int32)
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
                flat[places] = add_tables(flat[places], counts)
            else:
                add_tables(flat, counts, out=flat)

    def merge(self, other: Tally) -> None:
        """Add another tally of the same layout to this one."""
        self.respondents += other.respondents
        for mine, theirs in zip(self.tables, other.tables, strict=True):
            add_tables(mine, theirs, out=mine)

    def counts(self) -> Counts:
        """The finished counts."""
        layout = self.layout
        sizes = [n for _, n in layout.questions]
        shape = (len(layout.organisations), layout.strata)
        joint = [
            t.reshape(*shape, *(sizes[q] for q in block))
            for block, t in zip(self.blocks, self.tables, strict=True)
            if len(block) > 1
        ]
        table = self.table.reshape(len(self.table), *shape)
        pairs = None
        if self.paired:
            # The first block of each pair, and a pair of each question, whose table is smaller than a block's.
            first = {p: i for i, block in reversed(list(enumerate(self.blocks))) for p in combinations(block, 2)}
            tables = [_margin(joint[first[p]], self.blocks[first[p]], p) for p in layout.pairs]
            margins = {q: (own, pair) for pair, own in zip(layout.pairs, tables, strict=True) for q in pair}
            for q, (own, pair) in margins.items():
                table[layout.offsets[q] : layout.offsets[q + 1]] = np.moveaxis(_margin(own, pair, (q,)), 2, 0)
            pairs = (PairBlock.of(tables, shape[0]),)
        return Counts(layout, self.respondents.reshape(shape), table, pairs)


def narrowest(largest: int) -> type[np.signedinteger]:
    """The narrowest whole numbers, of 16 bits or more, that hold numbers of at most `largest`."""
    if largest > LARGEST_PLACE:
        return np.int64
    return np.int16 if largest <= MOST_NARROW else np.int32


class Places:
    """Where the respondents of a batch stand in flat tables of joint answers and keys.

    `key` is one of `keys` numbers for each respondent, and no table is to be larger than its kind of numbers holds.
    Places are valid until the next are asked for.
    """

    def __init__(self, key: NDArray[np.signedinteger], keys: int) -> None:
        self.key, self.keys = key, key.dtype.type(keys)
        self.place = np.empty_like(key)
        self.base = np.empty_like(key)
        self.width = 0
        self.codes: dict[type[Any], NDArray[Any]] = {}

    def by_answer(self, answers: Sequence[Codes], sizes: Sequence[int]) -> NDArray[np.signedinteger]:
        """Places in a table by the joint answers to some questions, each of so many, and then by key."""
        np.multiply(self._joint(answers, sizes), self.keys, out=self.place)
        return np.add(self.place, self.key, out=self.place)

    def by_key(self, answers: Sequence[Codes], sizes: Sequence[int]) -> NDArray[np.signedinteger]:
        """Places in a table by key and then by joint answers: less work where many tables of one width are asked for."""
        if math.prod(sizes) != self.width:
            self.width = math.prod(sizes)
            np.multiply(self.key, self.key.dtype.type(self.width), out=self.base)
        return np.add(self.base, self._joint(answers, sizes), out=self.place)

    def _joint(self, answers: Sequence[Codes], sizes: Sequence[int]) -> NDArray[Any]:
        """One code for the answers to all of some questions."""
        joint: NDArray[Any] = answers[0]
        most = sizes[0]
        for more, size in zip(answers[1:], sizes[1:], strict=True):
            most *= size
            # Codes in 8 bits are many times as fast to combine as wider ones; most blocks fit.
            narrow = most <= MOST_IN_8 and joint.itemsize == more.itemsize == 1
            kind: type[Any] = np.uint8 if narrow else narrowest(most)
            if kind not in self.codes:
                self.codes[kind] = np.empty(self.key.size, dtype=kind)
            codes = self.codes[kind]
            np.multiply(joint.view(np.uint8) if narrow else joint, kind(size), out=codes)
            joint = np.add(codes, more.view(np.uint8) if narrow else more, out=codes)
        return joint


def _margin(table: Table, block: tuple[int, ...], keep: tuple[int, ...]) -> Table:
    """A block's joint counts, shape (organisations, strata, answers of each), summed down to the questions kept."""
    for axis in reversed([2 + i for i, q in enumerate(block) if q not in keep]):
        # Whole slices are added, which is several times as fast as a sum along a short axis.
        slices = np.moveaxis(table, axis, 0)
        table = slices[0].copy()
        for one in slices[1:]:
            table += one
    return table


def count(batches: Iterable[Batch], layout: Layout, *, pairs: bool = True) -> Counts:
    """Count batches of respondents in one pass.

    Any split of the same respondents into batches, in any order, gives the same counts.
    """
    tally = Tally(layout, pairs)
    for batch in batches:
        tally.add(batch)
    return tally.counts()

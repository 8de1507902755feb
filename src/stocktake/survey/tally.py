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

from stocktake.survey.counts import Batch, Counts, Ints, Layout, PairBlock, Table, add_tables

ONE = np.int32(1)
SMALL = 65_536
# How many joint answers of a block 16 bits can distinguish.
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


def count(batches: Iterable[Batch], layout: Layout, *, pairs: bool = True) -> Counts:
    """Count batches of respondents in one pass.

    Any split of the same respondents into batches, in any order, gives the same counts.
    """
    tally = Tally(layout, pairs)
    for batch in batches:
        tally.add(batch)
    return tally.counts()

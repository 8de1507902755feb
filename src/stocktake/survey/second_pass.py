"""The second pass over respondents, where counts hold no pairs: sums of whole numbers too, so that they add in any order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Floats
from stocktake.survey.counts import Batch, Ints, Layout
from stocktake.survey.tally import Places

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
    answers without the weight, in the units of the section, shape (joint answers, organisations); `weights`
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
        """The sums for `tables` of shape (questions, width, organisations).

        `squares` (organisations, questions) is the sum of squared weighted values of each question by itself. The square
        of a sum of m numbers is at most m times the sum of their squares, which bounds what is to be added.
        """
        width = layout.width
        bounds = [len(members) * squares[:, list(members)].sum(axis=1) for _, members in layout.sections]
        # Even, so that half of each is the power of two for what is squared.
        shifts = _shifts(np.stack(bounds)) // 2 * 2
        units = np.ldexp(1.0, shifts // 2)
        # Two questions are looked up at once, where their joint table stays in the processor's cache.
        many = 2 if tables.shape[2] * width**2 <= LOOKUP_BUDGET else 1
        blocks, looked_up = [], []
        for (_, members), unit in zip(layout.sections, units, strict=True):
            own = tables[list(members)] * unit
            runs = [range(i, min(i + many, len(members))) for i in range(0, len(members), many)]
            blocks.append(tuple(tuple(members[i] for i in run) for run in runs))
            looked_up.append(tuple(_joint(own[run.start : run.stop]) for run in runs))
        return cls(layout, tuple(blocks), tuple(looked_up), weights, shifts)

    def of_batch(self, batch: Batch) -> Ints:
        """The sums over a batch, shape (sections, organisations)."""
        total = np.zeros(self.shifts.shape, dtype=np.int64)
        batch, weight = _taking_part(batch, self.layout, self.weights)
        organisation = (batch.key // self.layout.strata).astype(np.int32, copy=False)
        squared = weight * weight
        width = self.layout.width
        places, index = Places(organisation, len(self.weights)), organisation.astype(np.intp)
        looked_up = np.empty(batch.rows)
        for s, (blocks, tables) in enumerate(zip(self.blocks, self.tables, strict=True)):
            value = np.zeros(batch.rows)
            for block, table in zip(blocks, tables, strict=True):
                answers = [batch.answers[q] for q in block]
                place = places.by_answer(answers, [width] * len(block))
                # No place is outside the table; without "clip" NumPy would look up into a copy, in case one is.
                value += table.reshape(-1).take(place, out=looked_up, mode="clip")
            value *= value
            value *= squared
            np.add.at(total[s], index, np.rint(value, out=value).astype(np.int64))
        return total

    def totals(self, sums: Ints) -> Floats:
        """Sums over all respondents by the squared number of questions, shape (organisations, sections)."""
        sizes = np.array([len(members) for _, members in self.layout.sections])
        return np.ldexp(sums.astype(np.float64), -self.shifts).T / sizes**2


def _joint(tables: Floats) -> Floats:
    """The sums of values of one or two questions for each joint answer, from shape (questions, width, organisations)."""
    if len(tables) == 1:
        return tables[0]
    return (tables[0][:, None] + tables[1][None, :]).reshape(tables.shape[1] ** 2, tables.shape[2])


@dataclass(frozen=True)
class PairSums:
    """The look-up pass for classical errors: three sums over those who answered both questions of a pair.

    They are the sum of w d_a d_b, of w, and of w squared, as whole numbers like those of SectionSums. `deviation` has
    shape (questions, width, organisations), `scored` (questions, width), and `weights` (organisations, strata).
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
            product = self.deviation[a, answers[a], organisation] * self.deviation[b, answers[b], organisation]
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

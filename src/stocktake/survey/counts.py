"""The one pass over respondents: whole-number counts, which add in any order and are all a benchmark needs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Floats
from stocktake.problems import StocktakeError
from stocktake.survey.instrument import Survey

Ints = NDArray[np.int64]
Codes = NDArray[np.int8]

# More pair counts than this and the section errors come from a second, look-up pass instead.
PAIR_BUDGET = 64_000_000


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

    `respondents` has shape (organisations, strata); `answers` (organisations, strata, questions,
    width); `pairs` one array (organisations * strata, answers of a * answers of b) for each pair of
    the layout, or None where the memory guard chose the look-up pass.
    """

    layout: Layout
    respondents: Ints
    answers: Ints
    pairs: tuple[Ints, ...] | None

    def __add__(self, other: Counts) -> Counts:
        if self.layout != other.layout:
            raise ValueError("counts of different layouts do not add")
        pairs = None
        if self.pairs is not None and other.pairs is not None:
            pairs = tuple(a + b for a, b in zip(self.pairs, other.pairs, strict=True))
        return Counts(self.layout, self.respondents + other.respondents, self.answers + other.answers, pairs)

    def save(self, path: Path) -> None:
        """Save as a compressed NumPy archive that `load` reads; nothing in it is a respondent's record."""
        arrays: dict[str, Any] = {"respondents": self.respondents, "answers": self.answers}
        for i, pair in enumerate(self.pairs or ()):
            arrays[f"pair_{i}"] = pair
        layout = {**self.layout.__dict__, "paired": self.pairs is not None}
        known = ("organisations", "groups", "cells", "questions", "sections", "paired")
        text = json.dumps({k: layout[k] for k in known})
        np.savez_compressed(path, layout=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)

    @classmethod
    def load(cls, path: Path) -> Counts:
        """Load saved counts; raises StocktakeError for a file that is none."""
        try:
            with np.load(path, allow_pickle=False) as file:
                said = json.loads(file["layout"].tobytes().decode())
                layout = Layout(
                    tuple(said["organisations"]),
                    tuple(said["groups"]),
                    said["cells"],
                    tuple((c, n) for c, n in said["questions"]),
                    tuple((c, tuple(m)) for c, m in said["sections"]),
                )
                pairs = None
                if said["paired"]:
                    pairs = tuple(file[f"pair_{i}"] for i in range(len(layout.pairs)))
                return cls(layout, file["respondents"], file["answers"], pairs)
        except (OSError, KeyError, ValueError) as error:
            raise StocktakeError(f"{path}: not a file of saved counts ({error}).") from None


@dataclass
class Tally:
    """Counts in the making, filled in place batch by batch."""

    layout: Layout
    paired: bool
    respondents: Ints = field(init=False)
    answers: list[Ints] = field(init=False)
    pairs: list[Ints] = field(init=False)

    def __post_init__(self) -> None:
        bins = len(self.layout.organisations) * self.layout.strata
        self.respondents = np.zeros(bins, dtype=np.int64)
        self.answers = [np.zeros(bins * n, dtype=np.int64) for _, n in self.layout.questions]
        sizes = self.layout.pair_sizes if self.paired else ()
        self.pairs = [np.zeros(bins * size, dtype=np.int64) for size in sizes]

    def add(self, batch: Batch) -> None:
        """Count one batch."""
        layout = self.layout
        self.respondents += np.bincount(batch.key, minlength=self.respondents.size)
        index = np.empty(batch.rows, dtype=np.int64)
        for (_, width), codes, total in zip(layout.questions, batch.answers, self.answers, strict=True):
            np.multiply(batch.key, width, out=index)
            index += codes
            _accumulate(total, index)
        if not self.paired:
            return
        sizes = [n for _, n in layout.questions]
        for (a, b), total in zip(layout.pairs, self.pairs, strict=True):
            np.multiply(batch.key, sizes[a], out=index)
            index += batch.answers[a]
            index *= sizes[b]
            index += batch.answers[b]
            _accumulate(total, index)

    def counts(self) -> Counts:
        """The finished counts."""
        layout = self.layout
        organisations, strata = len(layout.organisations), layout.strata
        answers = np.zeros((organisations, strata, len(layout.questions), layout.width), dtype=np.int64)
        for i, (_, width) in enumerate(layout.questions):
            answers[:, :, i, :width] = self.answers[i].reshape(organisations, strata, width)
        pairs = None
        if self.paired:
            bins = organisations * strata
            pairs = tuple(p.reshape(bins, -1) for p in self.pairs)
        return Counts(layout, self.respondents.reshape(organisations, strata), answers, pairs)


def _accumulate(total: Ints, index: Ints) -> None:
    # A batch much smaller than the table would spend its time adding zeros.
    if index.size * 4 < total.size:
        np.add.at(total, index, 1)
    else:
        total += np.bincount(index, minlength=total.size)


def wants_pairs(layout: Layout, rows: int | None) -> bool:
    """Whether to count pairs in the same pass, or to make the section errors by a second look-up pass.

    Pairs are worth their room only where there are more answers than table entries; for
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

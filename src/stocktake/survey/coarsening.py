"""Small cells of counts that travel, merged with the nearest, and what that does to scores."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from stocktake.survey.counted import Coarsened, CountedWave
from stocktake.survey.counts import Counts, Ints, PairTables, Table
from stocktake.survey.instrument import Survey
from stocktake.survey.scores import cell_respondents, score_questions
from stocktake.survey.weights import national_shares


def coarsened(part: CountedWave, survey: Survey, minimum: int, reference: CountedWave | None = None) -> CountedWave:
    """The same counts with no cell of fewer than `minimum` respondents where another can take them in.

    Within an organisation and service group the respondents of a small cell are counted in the nearest cell: one that
    differs in the fewest characteristics, then by the fewest steps, then the one with more respondents. Only which
    weight an answer gets can change. The effect on scores is told for `reference`, whose mix organisations are
    standardised to: other counts, or these themselves.
    """
    counts = part.counts
    layout = counts.layout
    near = _nearest(survey)
    moves = np.tile(np.arange(layout.strata), (len(layout.organisations), 1))
    people = moved = 0
    for o, own in enumerate(counts.respondents):
        for start in range(0, layout.strata, layout.cells + 1):
            sizes = own[start : start + layout.cells]
            targets = merged_cells(sizes, near, minimum)
            moves[o, start : start + layout.cells] = start + targets
            gone = (targets != np.arange(layout.cells)) & (sizes > 0)
            people, moved = people + int(sizes[gone].sum()), moved + int(gone.sum())
    merged = Counts.of(
        layout,
        _moved(counts.respondents, moves),
        [_moved(a, moves) for a in counts.answers],
        tuple(block.with_tables(partial(_all_moved, moves[block.organisations])) for block in counts.blocks),
    )
    largest = 0.0
    for group in (None, *layout.groups):
        shares = national_shares(cell_respondents((reference or part).counts, group))
        before, after = (score_questions(c, survey, survey.method, group, shares).value for c in (counts, merged))
        largest = max(largest, float(np.nanmax(np.abs(after - before), initial=0.0)))
    told = "the mix of all in the file of reference" if reference is not None else "the mix of all in this file"
    return replace(part, counts=merged, coarsened=Coarsened(minimum, people, moved, largest, told))


def merged_cells(sizes: Ints, near: Ints, minimum: int) -> Ints:
    """Where each cell's respondents are counted so that no cell has fewer than `minimum` but none; shape (cells,).

    The smallest cell joins the nearest one with anybody in it, again and again; `near` has shape (cells, cells).
    """
    sizes, targets = sizes.copy(), np.arange(sizes.size)
    while True:
        small, there = np.flatnonzero((sizes > 0) & (sizes < minimum)), np.flatnonzero(sizes > 0)
        if not small.size or there.size < 2:
            return targets
        cell = small[np.argmin(sizes[small])]
        target = min((c for c in there if c != cell), key=lambda c: (near[cell, c], -sizes[c], c))
        sizes[target] += sizes[cell]
        sizes[cell] = 0
        targets[targets == cell] = target


def _moved(values: Any, moves: Ints) -> Any:
    """A table with each stratum's numbers added to those of the stratum that they are moved to."""
    out: Table = np.zeros_like(values)
    for o in range(values.shape[0]):
        np.add.at(out[o], moves[o], values[o])
    return out


def _all_moved(moves: Ints, tables: PairTables) -> PairTables:
    return tuple(_moved(t, moves) for t in tables)


def _nearest(survey: Survey) -> Any:
    """How far apart cells are, shape (cells, cells): characteristics that differ, then steps between their options."""
    sizes = [sum(o.cell for o in survey.demographic(c).options) for c in survey.cells]
    places = np.array(np.unravel_index(np.arange(int(np.prod(sizes))), sizes)).T
    apart = np.abs(places[:, None, :] - places[None, :, :])
    return (apart > 0).sum(axis=2) * 10_000 + apart.sum(axis=2)

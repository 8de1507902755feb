"""Bounds of linear figures under linear relations.

Most figures are proved safe by two points that satisfy every relation and differ enough; only the others are
maximised and minimised, one for each independent part of the system at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from stocktake.disclosure.linear import TOLERANCE, Bools, Floats, Solver

# Rounds of common points before figures are bounded one by one.
ROUNDS = 6
# Steps towards the end of a ratio, each from the ratio that the last one reached.
STEPS = 6


@dataclass(frozen=True)
class Range:
    """How far figures can lie apart: `low` and `high` that were reached, `exact` where no point lies beyond them."""

    low: Floats
    high: Floats
    exact: Bools


Safe = Callable[[Floats, Floats], Bools]


def bounds(solver: Solver, figures: csr_array, safe: Safe) -> Range:
    """The range of each figure (a row of coefficients), exact for every one that is not `safe` by what was reached.

    `safe` is called with the lowest and highest values reached so far and says which figures need no more.
    """
    count = figures.shape[0]
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    exact = np.zeros(count, dtype=bool)
    if not count:
        return Range(low, high, exact)

    def visit(cost: Floats) -> Floats:
        values = figures @ solver.point(cost)
        np.minimum(low, values, out=low)
        np.maximum(high, values, out=high)
        return values

    rng = np.random.default_rng(0)
    part = solver.parts[[figures.indices[figures.indptr[i]] for i in range(count)]]
    # With few figures in a part, taking them one by one needs no more solving than common points would.
    few = np.bincount(np.unique(part, return_inverse=True)[1]).max() <= ROUNDS
    for round_ in range(0 if few else ROUNDS):
        active = ~safe(low, high)
        if not active.any():
            return Range(low, high, exact)
        signs = active * (1.0 if round_ == 0 else rng.uniform(-1.0, 1.0, count))
        for sign in (-1.0, 1.0):
            visit(sign * (figures.T @ signs))
    while True:
        left = np.flatnonzero(~safe(low, high) & ~exact)
        if not left.size:
            return Range(low, high, exact)
        # One figure of each independent part at a time: the sum is then extreme where each of them is.
        _, first = np.unique(part[left], return_index=True)
        chosen = left[first]
        signs = np.zeros(count)
        signs[chosen] = 1.0
        for sign, end in ((-1.0, high), (1.0, low)):
            end[chosen] = visit(sign * (figures.T @ signs))[chosen]
        exact[chosen] = True


def ratios(solver: Solver, above: csr_array, below: csr_array, safe: Safe) -> Range:
    """The range of above / below for each pair of figures, by Dinkelbach's method.

    Each step maximises above - r x below for the ratio r reached so far, for one pair of each independent part.
    """
    count = above.shape[0]
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    exact = np.zeros(count, dtype=bool)
    part = solver.parts[[above.indices[above.indptr[i]] for i in range(count)]]

    def visit(cost: Floats) -> None:
        point = solver.point(cost)
        over, under = above @ point, below @ point
        usable = under > TOLERANCE
        value = np.where(usable, over / np.where(usable, under, 1.0), np.nan)
        np.fmin(low, value, out=low)
        np.fmax(high, value, out=high)

    while True:
        left = np.flatnonzero(~safe(low, high) & ~exact)
        if not left.size:
            return Range(low, high, exact)
        _, first = np.unique(part[left], return_index=True)
        chosen = left[first]
        signs = np.zeros(count)
        signs[chosen] = 1.0
        for sign, end in ((-1.0, high), (1.0, low)):
            reached = np.where(np.isfinite(end), end, 0.0)
            for _ in range(STEPS):  # pragma: no branch - the ratio settles after two or three steps
                visit(sign * (above.T @ signs - below.T @ (signs * reached)))
                improved = np.where(np.isfinite(end), end, 0.0)
                if np.allclose(improved[chosen], reached[chosen], atol=1e-4):
                    break
                reached = improved.copy()
        exact[chosen] = True

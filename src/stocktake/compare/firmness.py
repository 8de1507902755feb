"""How firm a band is: how far from the next, how likely under resampling, and whether one organisation decides it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, ndtr

from stocktake.compare.estimates import Estimates, Floats, Ints
from stocktake.compare.expected_range import (
    CUTS,
    ExpectedRange,
    Percentile,
    ZeroSpread,
    banding,
    expected_range,
    overdispersion,
    usable_spread,
)

# Leaving out each organisation in turn takes the square of their number; above this it is not done, and the method page says so.
LEAVE_OUT_LIMIT = 500
# A band outside the range is firm if at least this share of resamples lies outside it.
FIRM = 0.9
STEPS = np.array([-CUTS[2], -CUTS[1], -CUTS[0], CUTS[0], CUTS[1], CUTS[2]])


@dataclass(frozen=True)
class Firmness:
    """What is known of each band, as arrays (organisations, measures); NaN or 0 where nothing is.

    `to_better` and `to_worse`: score points to the next limit, NaN where the scale ends before it.
    `probability` (organisations, measures, 7): share of each band under resampling; `resampled` marks
    those from resampled counts, the others are the normal approximation. `lowest` and `highest`: the
    bands found on leaving out any one other organisation. `steps`: respondents who would have had to
    answer one step better for the next better band. `q`: Benjamini and Hochberg's adjusted p-value
    among the organisation's own questions.
    """

    to_better: Floats
    to_worse: Floats
    probability: Floats
    resampled: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    lowest: Ints
    highest: Ints
    steps: Floats
    q: Floats


def distances(
    value: Floats, compared: ExpectedRange, scale: tuple[float, float] = (0.0, 10.0)
) -> tuple[Floats, Floats]:
    """Score points up to the next better band and down to the next worse one, the expected range held as it is.

    NaN for a score with no band, in the outermost band, or where the scale ends before the limit.
    """
    edges = compared.centre[:, None] + STEPS * compared.spread[..., None]
    band = compared.band

    def edge(index: Ints) -> Floats:
        taken = np.take_along_axis(edges, np.clip(index, 0, 5)[..., None], axis=-1)[..., 0]
        reachable = (band > 0) & (index >= 0) & (index <= 5) & (taken >= scale[0]) & (taken <= scale[1])
        out: Floats = np.where(reachable, taken, np.nan)
        return out

    return edge(band - 1) - value, value - edge(band - 2)


def normal_bands(
    value: Floats, standard_error: Floats, compared: ExpectedRange, scale: tuple[float, float] = (0.0, 10.0)
) -> Floats:
    """The probability of each band if the score were drawn anew from a normal distribution about itself.

    The expected range is held as it is; what the normal would put beyond an end of the scale belongs to the
    band at that end. Returns (organisations, measures, 7); NaN where there is no band or no error.
    """
    edges = compared.centre[:, None] + STEPS * compared.spread[..., None]
    known = (compared.band > 0) & (standard_error > 0)
    safe = np.where(known, standard_error, 1.0)[..., None]
    below = ndtr((edges - value[..., None]) / safe)
    # A limit beyond the end of the scale cannot be passed.
    below = np.where(edges < scale[0], 0.0, np.where(edges > scale[1], 1.0, below))
    ends = np.concatenate([np.zeros((*below.shape[:-1], 1)), below, np.ones((*below.shape[:-1], 1))], axis=-1)
    return np.where(known[..., None], np.diff(ends, axis=-1), np.nan)


def resample(counts: Sequence[Ints], draws: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Counts of a multinomial bootstrap of one organisation's people, for several questions that all of them were asked.

    Each of `counts` has shape (cells, answers), the unanswered among the answers; yields one of shape (cells, answers,
    draws) for each. People are drawn once for all questions: each question has them in a row, by cell and answer, and
    where a row is cut is drawn. Every question's draws are multinomial, and those of a cell are the same for all.
    """
    total = int(counts[0].sum())
    ends = [np.cumsum(own) for own in counts]
    # Nobody need be drawn singly who stands beside the same people in every row.
    cuts = np.unique(np.concatenate([[0], *ends]))
    between = rng.multinomial(total, np.diff(cuts) / total, size=draws)
    below = np.zeros((cuts.size, draws), dtype=np.int64)
    np.cumsum(between.T, axis=0, out=below[1:])
    for own, cut in zip(counts, ends, strict=True):
        yield np.diff(below[np.searchsorted(cuts, cut)], axis=0, prepend=0).reshape(*own.shape, draws)


def band_shares(
    value: Floats, standard_error: Floats, centre: float, tau2: float, zero_spread: ZeroSpread = "unbanded"
) -> Floats:
    """The share of draws (draws,) that fall in each of the seven bands, shape (7,).

    Average and tau squared are held at the survey's; each draw brings its own score and error. A draw
    whose answers do not vary has no band and is left out; NaN where that leaves none.
    """
    spread = usable_spread(standard_error, np.sqrt(standard_error**2 + tau2), zero_spread)
    _, band, _ = banding(value[:, None], np.array([centre]), spread[:, None])
    found = np.bincount(band[:, 0], minlength=8)[1:8]
    return found / found.sum() if found.sum() else np.full(7, np.nan)


def leave_one_out(
    estimates: Estimates,
    *,
    winsorise: float = 0.1,
    percentile: Percentile = "weibull",
    zero_spread: ZeroSpread = "unbanded",
) -> tuple[Ints, Ints]:
    """The lowest and highest band of each result on leaving out any one other organisation; 0 where unknown.

    Average, phi and tau squared are worked out anew without the one that is left out. Unknown without standard
    errors, for fewer than four organisations, and for more than `LEAVE_OUT_LIMIT`.
    """
    lowest = np.zeros(estimates.value.shape, dtype=np.int64)
    highest = np.zeros_like(lowest)
    if len(estimates.organisations) > LEAVE_OUT_LIMIT:
        return lowest, highest
    for j in range(len(estimates.measures)):
        value, error = estimates.value[:, j], estimates.standard_error[:, j]
        valued, there = np.flatnonzero(~np.isnan(value)), np.flatnonzero(error > 0)
        if there.size < 4:
            continue
        centre = (value[valued].sum() - value[valued]) / (valued.size - 1)
        tau2 = np.empty(valued.size)
        inside = np.isin(valued, there)
        # Each one left out is a column; who has no error of its own takes no part in tau squared anyway.
        rows = np.array([there[there != k] for k in valued[inside]]).T
        _, tau2[inside] = overdispersion(value[rows], error[rows], centre[inside], winsorise, percentile)
        if (~inside).any():
            every = np.repeat(there[:, None], (~inside).sum(), axis=1)
            _, tau2[~inside] = overdispersion(value[every], error[every], centre[~inside], winsorise, percentile)
        spread = np.sqrt(error[valued, None] ** 2 + tau2)
        spread = usable_spread(np.broadcast_to(error[valued, None], spread.shape), spread, zero_spread)
        _, band, _ = banding(np.broadcast_to(value[valued, None], spread.shape), centre, spread)
        # An organisation is never left out of its own comparison here.
        own = np.eye(valued.size, dtype=bool)
        lowest[valued, j] = np.where(own | (band == 0), 8, band).min(axis=1) % 8
        highest[valued, j] = np.where(own, 0, band).max(axis=1)
    # Leaving one out may give a tau, and with it a band, where the survey has none; bands that the whole survey lacks are discarded.
    banded = expected_range(estimates, winsorise=winsorise, percentile=percentile, zero_spread=zero_spread).band > 0
    return np.where(banded, lowest, 0), np.where(banded, highest, 0)


def steps_to_better(to_better: Floats, gain: Floats, movers: Ints) -> Floats:
    """How many respondents would have had to answer one step better for the next better band.

    `gain` is what the score gains if every one of the `movers` (respondents who are not at the top) moves one
    step; each brings the same share of it. NaN where even all of them would not do, or there is no next band.
    """
    each = gain / np.maximum(movers, 1)
    possible = (each > 0) & ~np.isnan(to_better)
    needed = np.ceil(np.where(possible, to_better, 0.0) / np.where(possible, each, 1.0) - 1e-9)
    # At a limit itself one is still needed: the next band begins beyond it.
    needed = np.maximum(needed, 1.0)
    return np.where(possible & (needed <= movers), needed, np.nan)


def false_discovery(z: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p-values of two-sided z, each row a family; NaN where z is.

    q_(i) = min over k >= i of m p_(k) / k, the p-values in rising order, m of them (Benjamini and Hochberg 1995).
    """
    p = 2 * ndtr(-np.abs(z))
    order = np.argsort(np.where(np.isnan(p), np.inf, p), axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)
    many = (~np.isnan(p)).sum(axis=1, keepdims=True)
    raised = np.where(np.isnan(ranked), np.inf, ranked * many / np.arange(1, p.shape[1] + 1))
    falling = np.minimum.accumulate(raised[:, ::-1], axis=1)[:, ::-1]
    out = np.empty_like(p)
    np.put_along_axis(out, order, falling, axis=1)
    return np.where(np.isnan(p), np.nan, out)


def question_q(estimates: Estimates, compared: ExpectedRange) -> Floats:
    """The q-values of each organisation's questions, its sections left aside: they repeat their questions."""
    sections = np.array([bool(m.parts) for m in estimates.measures])
    return false_discovery(np.where(sections, np.nan, compared.z))


def expected_by_chance(count: int) -> tuple[float, float, float]:
    """How many of `count` results would lie outside each of the three limits (90%, 95%, 99.8%) by chance alone."""
    shares = 2 * ndtr(-np.array(CUTS))
    outside, far, furthest = (float(count * s) for s in shares)
    return outside, far, furthest


def most_by_chance(count: int, level: float = 0.95) -> int:
    """How many of `count` results at most would lie outside the 90% limits by chance, `level` of the time.

    The smallest k with P(X <= k) >= level, X binomial. Results are taken as independent; those of one organisation go
    together, so that more than k is less rare than 1 - level.
    """
    share = float(2 * ndtr(-CUTS[0]))
    return next(k for k in range(count + 1) if bdtr(k, count, share) >= level)

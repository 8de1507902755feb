"""How organisations differ: averages, quartiles and fold variation, named and each with its number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """The spread of one figure over `n` organisations that have it; NaN where there is none.

    Quantiles interpolate between the two nearest values (Hyndman and Fan's type 7, Excel's PERCENTILE.INC).
    `fold` is the highest over the lowest, `fold_inner` the ninetieth percentile over the tenth: NaN where the lower one
    is not above zero.
    """

    n: int
    mean: float
    median: float
    lower_quartile: float
    upper_quartile: float
    p10: float
    p90: float
    lowest: float
    highest: float
    fold: float
    fold_inner: float


def spread(values: Floats) -> Spread:
    """The spread of the values that are there; organisations count alike whatever their size."""
    known = np.sort(values[~np.isnan(values)])
    if not known.size:
        return Spread(0, *(np.nan,) * 10)
    p10, lower, median, upper, p90 = (float(q) for q in np.quantile(known, [0.1, 0.25, 0.5, 0.75, 0.9]))
    lowest, highest = float(known[0]), float(known[-1])
    mean = float(known.mean())
    return Spread(
        known.size, mean, median, lower, upper, p10, p90, lowest, highest, _fold(highest, lowest), _fold(p90, p10)
    )


def _fold(high: float, low: float) -> float:
    return high / low if low > 0 else np.nan


def places(values: Floats) -> Floats:
    """The place of each value from the lowest, 1 first; equal values share the first of their places; NaN without one."""
    known = np.sort(values[~np.isnan(values)])
    return np.where(np.isnan(values), np.nan, np.searchsorted(known, values, side="left") + 1.0)


@dataclass(frozen=True)
class Extrapolation:
    """A national total from the mean of some organisations: value with the ends of its interval."""

    value: float
    low: float
    high: float
    n: int


def extrapolate(values: Floats, population: float, per: float = 100_000, level: float = 0.95) -> Extrapolation:
    """The mean rate of those organisations that have one, times a stated national population.

    The interval is that of the mean, by Student's t over the organisations; with fewer than two there is none. It says
    how much the mean would vary with other organisations, not whether those without a figure are like them.
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return Extrapolation(np.nan, np.nan, np.nan, 0)
    scale = population / per
    mean = float(known.mean())
    if known.size < 2:
        return Extrapolation(mean * scale, np.nan, np.nan, known.size)
    error = float(known.std(ddof=1)) / np.sqrt(known.size)
    half = float(stdtrit(known.size - 1, 1 - (1 - level) / 2)) * error
    return Extrapolation(mean * scale, max(mean - half, 0.0) * scale, (mean + half) * scale, known.size)


def opportunity(values: Floats, weights: Floats, better: int, per: float = 100_000) -> Floats:
    """What would change if each organisation worse than the median were at it, in the numerator's unit.

    `better` is 1 where higher is better and -1 where lower is; `weights` are the denominators behind the values. Zero
    for those at the median or on its better side, NaN without a value. A difference to look into, not a target.
    """
    if better not in (1, -1):
        raise ValueError(f"better is {better!r}; expected 1 or -1: without a judgement there is no opportunity")
    gap = better * (spread(values).median - values)
    return np.where(np.isnan(values), np.nan, np.maximum(gap, 0.0)) * weights / per

"""Rates, shares and ratios with their intervals, and funnel limits for rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

Floats = NDArray[np.float64]

# Below this count Byar's approximation is replaced by the exact interval, as OHID's technical guide does.
EXACT_BELOW = 10


@dataclass(frozen=True)
class Interval:
    """Figures with the ends of their intervals; all of one shape, NaN where there is no figure."""

    value: Floats
    low: Floats
    high: Floats


def poisson_interval(count: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Limits of the number of events expected where `count` were seen; whole numbers of zero and more.

    Byar's approximation from EXACT_BELOW events on, and the exact limits (Garwood 1936) below, where it is too short.
    Formula: low = x (1 - 1/(9x) - z/(3 sqrt x))^3, high = (x+1) (1 - 1/(9(x+1)) + z/(3 sqrt(x+1)))^3
    (Breslow and Day 1987, page 69; OHID's technical guide to confidence intervals).
    """
    tail = (1 - level) / 2
    z = ndtri(1 - tail)
    seen = np.asarray(count, dtype=np.float64)
    many = np.maximum(seen, 1.0)
    low = many * (1 - 1 / (9 * many) - z / (3 * np.sqrt(many))) ** 3
    above = seen + 1
    high = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    few = seen < EXACT_BELOW
    exact_low = np.where(seen > 0, gammaincinv(many, tail), 0.0)
    exact_high = gammaincinv(above, 1 - tail)
    return np.where(few, exact_low, low), np.where(few, exact_high, high)


def rate(count: Floats, population: Floats, per: float = 100_000, level: float = 0.95) -> Interval:
    """Events per so many people, with the interval of the count; NaN without a count or without people."""
    people = np.where(np.asarray(population) > 0, population, np.nan)
    low, high = poisson_interval(count, level)
    return Interval(*(np.asarray(x) / people * per for x in (count, low, high)))


def quantity_rate(amount: Floats, population: Floats, per: float = 100_000) -> Interval:
    """An amount, such as pounds, staff or beds, per so many people.

    It is no count of independent events, so that it has no interval of chance.
    """
    people = np.where(np.asarray(population) > 0, population, np.nan)
    value = np.asarray(amount) / people * per
    nothing = np.full(value.shape, np.nan)
    return Interval(value, nothing, nothing)


def share(part: Floats, whole: Floats, level: float = 0.95) -> Interval:
    """A part of a whole of people, 0 to 1, with Wilson's interval (1927); NaN where the whole is empty or unknown.

    Formula: (2 n p + z^2 +- z sqrt(z^2 + 4 n p (1 - p))) / (2 (n + z^2)).
    """
    n = np.where(np.asarray(whole) > 0, whole, np.nan)
    p = np.asarray(part) / n
    z = ndtri(1 - (1 - level) / 2)
    middle = 2 * n * p + z**2
    # Rounding must not make a root of what is zero where all or none have it.
    half = z * np.sqrt(np.maximum(z**2 + 4 * n * p * (1 - p), 0.0))
    low, high = ((middle + sign * half) / (2 * (n + z**2)) for sign in (-1, 1))
    return Interval(p, np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0))


def ratio(above: Floats, below: Floats) -> Interval:
    """One amount for each of another, such as contacts for each person; NaN where the lower one is zero or unknown."""
    return quantity_rate(above, below, per=1.0)


@dataclass(frozen=True)
class FunnelLimits:
    """A funnel for counts: the rate of all together, the over-dispersion, and each organisation's z and limits.

    `rate` is events per person. `z` is adjusted for `phi`; `low` and `high` have shape (organisations, levels) in
    events per person.
    """

    rate: float
    phi: float
    z: Floats
    low: Floats
    high: Floats


def funnel(
    count: Floats, population: Floats, levels: tuple[float, ...] = (0.95, 0.998), winsorise: float = 0.1
) -> FunnelLimits:
    """Limits within which rates would lie if organisations differed by no more than chance and the usual spread.

    z = 2 (sqrt x - sqrt(r n)), which has a variance of 1 if counts x are Poisson about r n; phi is the mean square of
    the z drawn in at both ends, at least 1; limits are (sqrt(r n) -+ c sqrt(phi) / 2)^2 / n with the normal quantile c.
    Formula: Spiegelhalter 2005, Funnel plots for comparing institutional performance, with multiplicative
    over-dispersion on the square-root scale. NaN for an organisation without a count or people.
    """
    people = np.where(np.asarray(population) > 0, population, np.nan)
    known = ~np.isnan(count) & ~np.isnan(people)
    levels_shape = (*np.shape(count), len(levels))
    if not known.any():
        nothing = np.full(levels_shape, np.nan)
        return FunnelLimits(np.nan, np.nan, nothing[..., 0], nothing, nothing)
    target = float(np.asarray(count)[known].sum() / people[known].sum())
    expected = target * people
    raw = 2 * (np.sqrt(count) - np.sqrt(expected))
    ends = np.quantile(raw[known], [winsorise, 1 - winsorise])
    phi = max(float(np.mean(np.clip(raw[known], *ends) ** 2)), 1.0)
    ends_ = [funnel_limits(target, phi, people, level) for level in levels]
    low, high = (np.stack([e[i] for e in ends_], axis=-1) for i in (0, 1))
    return FunnelLimits(target, phi, raw / np.sqrt(phi), low, high)


def funnel_limits(rate: float, phi: float, population: Floats, level: float) -> tuple[Floats, Floats]:
    """The limits of a funnel about `rate` events per person at so many people; see `funnel`."""
    root = np.sqrt(rate * population)
    step = ndtri(1 - (1 - level) / 2) * np.sqrt(phi) / 2
    return np.maximum(root - step, 0.0) ** 2 / population, (root + step) ** 2 / population

"""Change over time: the same measure of the same organisation in two waves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from stocktake.compare.estimates import Floats
from stocktake.compare.rates import share


class Verdict(IntEnum):
    """Whether a difference is more than chance; NONE where a wave has no result to compare."""

    DECREASE = -1
    NO_CHANGE = 0
    INCREASE = 1
    NONE = 2


@dataclass(frozen=True)
class Change:
    """`difference`, `statistic` and `critical` (NaN where untested) and `verdict`, all of one shape.

    `low` and `high` are the ends of the difference's interval at the level of the test (NaN where untested).
    """

    difference: Floats
    statistic: Floats
    critical: Floats
    low: Floats
    high: Floats
    verdict: np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def change(
    now: tuple[Floats, Floats, Floats],
    then: tuple[Floats, Floats, Floats],
    *,
    test: Literal["z", "t"] = "z",
    level: float = 0.95,
) -> Change:
    """Test the difference between two waves, each given as (value, standard error, base).

    z = (now - then) / sqrt(V_now + V_then), two-sided. With `test='t'` the same statistic is held
    against Student's t with Welch and Satterthwaite's degrees of freedom from the two bases. The interval is the
    difference plus or minus the critical value times its standard error, so that it leaves out zero where the test finds
    a change, and only there.
    Where both standard errors are zero the difference cannot be tested.
    """
    (x1, s1, n1), (x0, s0, n0) = now, then
    difference = x1 - x0
    variance = s1**2 + s0**2
    testable = variance > 0
    if test == "t":
        # One answer has no variance of its own to give degrees of freedom.
        testable &= ~((s1 > 0) & (n1 < 2)) & ~((s0 > 0) & (n0 < 2))
    safe = np.where(testable, variance, 1.0)
    statistic = np.where(testable, difference / np.sqrt(safe), np.nan)
    tail = 1 - (1 - level) / 2
    if test == "t":
        below = s1**4 / np.maximum(n1 - 1, 1) + s0**4 / np.maximum(n0 - 1, 1)
        freedom = safe**2 / np.where(testable, below, 1.0)
        critical = np.where(testable, stdtrit(freedom, tail), np.nan)
    else:
        critical = np.where(testable, ndtri(tail), np.nan)
    half = critical * np.sqrt(safe)
    verdict = np.where(
        np.isnan(statistic),
        int(Verdict.NONE),
        np.where(np.abs(statistic) > critical, np.sign(np.nan_to_num(statistic)), 0),
    )
    return Change(difference, statistic, critical, difference - half, difference + half, verdict.astype(np.int64))


@dataclass(frozen=True)
class ShareChange:
    """Change of shares, 0 to 1: the difference with its interval, z (NaN where untested) and the two-sided p."""

    difference: Floats
    low: Floats
    high: Floats
    z: Floats
    p: Floats


def share_change(now: tuple[Floats, Floats], then: tuple[Floats, Floats], level: float = 0.95) -> ShareChange:
    """Test the difference between two independent shares, each given as (share, effective base); all of one shape.

    The interval joins Wilson's of the two (Newcombe 1998, method 10): d - sqrt((p1 - l1)^2 + (u0 - p0)^2) and
    d + sqrt((u1 - p1)^2 + (p0 - l0)^2). z is the difference over the standard error of the pooled share. NaN where one of
    them has no base, and no z where nobody or everybody gave the answer in both.
    """
    (p1, n1), (p0, n0) = now, then
    ends1, ends0 = (share(p * n, n, level) for p, n in (now, then))
    d = ends1.value - ends0.value
    low = d - np.sqrt((p1 - ends1.low) ** 2 + (ends0.high - p0) ** 2)
    high = d + np.sqrt((ends1.high - p1) ** 2 + (p0 - ends0.low) ** 2)
    both = np.where(np.isnan(d), np.nan, n1 + n0)
    pooled = (p1 * n1 + p0 * n0) / np.where(both > 0, both, np.nan)
    variance = pooled * (1 - pooled) * (1 / np.where(n1 > 0, n1, np.nan) + 1 / np.where(n0 > 0, n0, np.nan))
    z = np.where(variance > 0, d / np.sqrt(np.where(variance > 0, variance, 1.0)), np.nan)
    return ShareChange(d, low, high, z, 2 * ndtr(-np.abs(z)))

"""Change over time: the same measure of the same organisation in two waves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from scipy.special import ndtri, stdtrit

from stocktake.compare.estimates import Floats


class Verdict(IntEnum):
    """Whether a difference is more than chance; NONE where a wave has no result to compare."""

    DECREASE = -1
    NO_CHANGE = 0
    INCREASE = 1
    NONE = 2


@dataclass(frozen=True)
class Change:
    """`difference`, `statistic` and `critical` (NaN where untested) and `verdict`, all of one shape."""

    difference: Floats
    statistic: Floats
    critical: Floats
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
    against Student's t with Welch and Satterthwaite's degrees of freedom from the two bases.
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
    verdict = np.where(
        np.isnan(statistic),
        int(Verdict.NONE),
        np.where(np.abs(statistic) > critical, np.sign(np.nan_to_num(statistic)), 0),
    )
    return Change(difference, statistic, critical, verdict.astype(np.int64))

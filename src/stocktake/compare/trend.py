"""Trend of a share over three or more years: its slope, and whether the years depart from a straight line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri

from stocktake.compare.estimates import Floats

# With fewer years than this there is no trend to test, only a change from one year to another.
LEAST_YEARS = 3
# A difference this likely by chance alone, or likelier, is called no clear one.
LEVEL = 0.95


class Course(StrEnum):
    """How a share went over the years, in the words of the tables."""

    ROSE = "rose"
    FELL = "fell"
    VARIED = "varied"
    NO_CLEAR_CHANGE = "no clear change"


@dataclass(frozen=True)
class Trend:
    """`slope` per year with its interval, z and two-sided p of a straight line, and of the departure from one.

    `departure` is a chi-squared with `freedom` degrees of freedom. NaN where nothing can be tested.
    """

    slope: float
    low: float
    high: float
    z: float
    p: float
    departure: float
    freedom: int
    p_departure: float

    @property
    def course(self) -> Course | None:
        """What the tests say at the 5% level; None where there is nothing to test."""
        if math.isnan(self.p):
            return None
        if self.p < 1 - LEVEL:
            return Course.ROSE if self.slope > 0 else Course.FELL
        return Course.VARIED if self.p_departure < 1 - LEVEL else Course.NO_CLEAR_CHANGE


UNTESTED = (math.nan,) * 5


def share_trend(year: Floats, share: Floats, n: Floats) -> Trend:
    """Test the shares (0 to 1) of independent samples of size `n` (effective bases) for a trend over the years.

    Cochran (1954) and Armitage (1955): weighted least squares with weights n / (p (1 - p)), p the share of all years
    together; slope b = sum n (t - t0) (share - p) / sum n (t - t0)^2, z = b sqrt(sum n (t - t0)^2 / (p (1 - p))), and the
    departure is the chi-squared of all years less z^2. The same as R's prop.trend.test. Untested with fewer than
    three years with answers, or where nobody or everybody gave the answer in every year.
    """
    known = (n > 0) & ~np.isnan(share)
    t, s, m = year[known], share[known], n[known]
    if t.size < LEAST_YEARS:
        return Trend(*UNTESTED, math.nan, 0, math.nan)
    total = float(m.sum())
    p = float((m * s).sum() / total)
    centred = t - float((m * t).sum() / total)
    spread = float((m * centred**2).sum())
    variance = p * (1 - p)
    if variance <= 0:
        return Trend(*UNTESTED, math.nan, 0, math.nan)
    slope = float((m * centred * (s - p)).sum() / spread)
    error = math.sqrt(variance / spread)
    z = slope / error
    half = float(ndtri(1 - (1 - LEVEL) / 2)) * error
    freedom = int(t.size) - 2
    departure = max(float((m * (s - p) ** 2).sum() / variance) - z**2, 0.0)
    return Trend(
        slope,
        slope - half,
        slope + half,
        z,
        float(2 * ndtr(-abs(z))),
        departure,
        freedom,
        float(chdtrc(freedom, departure)),
    )

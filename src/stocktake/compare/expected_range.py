"""The expected range: how far an organisation's value may lie from the average by chance and ordinary spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from stocktake.compare.estimates import Estimates, Floats, Ints

Percentile = Literal["weibull", "linear", "hazen", "median_unbiased"]
ZeroSpread = Literal["unbanded", "between"]

# Two-sided 90%, 95% and 99.8%: verified on 7,434 published bands without exception.
CUTS: tuple[float, float, float] = tuple(float(ndtri(p)) for p in (0.95, 0.975, 0.999))  # type: ignore[assignment]

SAME = 4


@dataclass(frozen=True)
class ExpectedRange:
    """What the comparison says of each measure (one-dimensional) and each organisation (two-dimensional).

    `centre`, `lowest`, `highest`, `phi` and `tau2` have shape (measures,); `spread` (S on the
    measure's scale), `z` and `band` (1 much worse to 7 much better, 0 not banded) have shape
    (organisations, measures); `limits` has shape (organisations, measures, 6): much worse, worse,
    somewhat worse, somewhat better, better, much better.
    """

    organisations: Ints
    centre: Floats
    lowest: Floats
    highest: Floats
    phi: Floats
    tau2: Floats
    spread: Floats
    z: Floats
    band: Ints
    limits: Floats


def summary(values: Floats) -> tuple[Ints, Floats, Floats, Floats]:
    """How many organisations have a value, their unweighted mean, the lowest and the highest, per measure."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    some = count > 0
    mean = np.where(some, np.where(there, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    low = np.where(some, np.where(there, values, np.inf).min(axis=0, initial=np.inf), np.nan)
    high = np.where(some, np.where(there, values, -np.inf).max(axis=0, initial=-np.inf), np.nan)
    return count.astype(np.int64), mean, low, high


def overdispersion(
    value: Floats, standard_error: Floats, centre: Floats, winsorise: float, percentile: Percentile
) -> tuple[Floats, Floats]:
    """phi and tau squared of measures whose organisations all have a value and an error above 0.

    `value` and `standard_error` have shape (organisations, measures), `centre` (measures,), as has what is returned.
    z-scores are Winsorised at the given share; phi is their mean square; tau squared is the
    moment estimate of the variance between organisations (Spiegelhalter 2005; Spiegelhalter et
    al. 2012). Both are NaN for fewer than two organisations.
    """
    count = value.shape[0]
    if count < 2:
        return np.full(centre.shape, np.nan), np.full(centre.shape, np.nan)
    z = (value - centre) / standard_error
    low, high = np.quantile(z, [winsorise, 1 - winsorise], axis=0, method=percentile)
    phi = np.mean(np.clip(z, low, high) ** 2, axis=0)
    precision = np.sort(standard_error**-2, axis=0)
    # sum v - sum v^2 / sum v, as twice the sum of products over pairs: the difference would lose every digit
    # where one organisation is far more precise than the rest.
    below = 2 * (precision[1:] * np.cumsum(precision, axis=0)[:-1]).sum(axis=0) / precision.sum(axis=0)
    return phi, np.maximum(0.0, (count * phi - (count - 1)) / below)


def expected_range(
    estimates: Estimates,
    *,
    winsorise: float = 0.1,
    percentile: Percentile = "weibull",
    zero_spread: ZeroSpread = "unbanded",
    scale: tuple[float, float] = (0.0, 10.0),
) -> ExpectedRange:
    """Compare every organisation with the average of all, from values and standard errors.

    Suppressed organisations (NaN) take no part. An organisation whose answers do not vary at all
    (standard error 0) has a score and counts in the average, the lowest and the highest, but its
    z would be infinite: it takes no part in phi and tau squared and is not banded; with
    `zero_spread='between'` it is banded by tau alone, where tau is above 0.
    """
    count, centre, lowest, highest = summary(estimates.value)
    measures = len(estimates.measures)
    phi, tau2 = np.full(measures, np.nan), np.full(measures, np.nan)
    error = estimates.standard_error
    there = error > 0
    # Measures that every organisation has are worked out together, the others each with those that have it.
    full = there.all(axis=0) & (there.shape[0] > 0)
    alone = [np.array([j]) for j in np.flatnonzero(~full)]
    for columns in [np.flatnonzero(full), *alone]:
        rows = there[:, columns].all(axis=1)
        phi[columns], tau2[columns] = overdispersion(
            estimates.value[rows][:, columns], error[rows][:, columns], centre[columns], winsorise, percentile
        )
    spread = usable_spread(error, np.sqrt(error**2 + tau2), zero_spread)
    z, band, limits = banding(estimates.value, centre, spread, scale)
    return ExpectedRange(count, centre, lowest, highest, phi, tau2, spread, z, band, limits)


def usable_spread(error: Floats, spread: Floats, zero_spread: ZeroSpread) -> Floats:
    """S where a band can be given: NaN where answers do not vary, unless they are banded by tau alone."""
    usable = (error > 0) | ((zero_spread == "between") & (error == 0) & (spread > 0))
    return np.where(usable, spread, np.nan)


def not_compared(estimates: Estimates) -> ExpectedRange:
    """An expected range that says nothing but how many have a value: for results that are shown and not compared."""
    count, *_ = summary(estimates.value)
    none, blank = np.full(len(estimates.measures), np.nan), np.full(estimates.value.shape, np.nan)
    limits = np.full((*blank.shape, 6), np.nan)
    return ExpectedRange(
        count, none, none, none, none, none, blank, blank, np.zeros(blank.shape, dtype=np.int64), limits
    )


def banding(
    value: Floats, centre: Floats, spread: Floats, scale: tuple[float, float] = (0.0, 10.0)
) -> tuple[Floats, Ints, Floats]:
    """z, band and the six limits from values, centres and S; NaN, 0 and NaN where S or the value is NaN.

    Limits are centre -/+ c S for the cut-offs c, clipped to the scale; bands are read from z, so
    clipping never moves a band.
    """
    z = (value - centre) / spread
    # No comparison with NaN holds.
    far = np.abs(z)
    # "About the same" ends below the first cut-off; each further band reaches up to and with its own.
    size = (far >= CUTS[0]).astype(np.int64) + (far > CUTS[1]) + (far > CUTS[2])
    band = np.where(np.isnan(z), 0, SAME + np.where(z < 0, -size, size))
    steps = np.array([-CUTS[2], -CUTS[1], -CUTS[0], CUTS[0], CUTS[1], CUTS[2]])
    limits = np.clip(centre[:, None] + steps * spread[..., None], *scale)
    return z, band.astype(np.int64), np.where(np.isnan(z)[..., None], np.nan, limits)


def errors_from_spread(
    value: Floats, spread: Floats, centre: Floats, winsorise: float = 0.1, percentile: Percentile = "weibull"
) -> tuple[Floats, Floats]:
    """The standard errors (organisations, measures) behind published values and S, and tau squared (measures,).

    S^2 = s^2 + tau^2, and tau^2 follows from the s: it is the one for which `overdispersion` of s = sqrt(S^2 - tau^2) gives
    itself back; 0 where even that of s = S is none. NaN where there is no S. Inferred, for workbooks that do not carry s.
    """
    error, tau2 = np.full(value.shape, np.nan), np.full(centre.shape, np.nan)
    for j in range(centre.size):
        known = (spread[:, j] > 0) & ~np.isnan(value[:, j])
        if known.sum() < 2:
            continue
        x, s2, middle = value[known, j][:, None], spread[known, j] ** 2, centre[j : j + 1]

        def gap(t: float, x: Floats = x, s2: Floats = s2, middle: Floats = middle) -> float:
            errors = np.sqrt(s2 - t)[:, None]
            return float(overdispersion(x, errors, middle, winsorise, percentile)[1][0]) - t

        # At its largest some organisation would have no error at all.
        most = float(s2.min()) * (1 - 1e-9)
        tau2[j] = 0.0 if gap(0.0) <= 0 else brentq(gap, 0.0, most, xtol=1e-14) if gap(most) < 0 else most
        error[known, j] = np.sqrt(s2 - tau2[j])
    return error, tau2


def spread_from_limits(
    centre: Floats, low95: Floats, high95: Floats, scale: tuple[float, float] = (0.0, 10.0)
) -> Floats:
    """S recovered from published 95% limits, mindful of those clipped at the ends of the scale.

    Half the distance between the limits over 1.959964 where neither is clipped; from the average
    and the other limit where one is; NaN where both are.
    """
    low_free, high_free = low95 > scale[0], high95 < scale[1]
    both = (high95 - low95) / (2 * CUTS[1])
    from_low = (centre - low95) / CUTS[1]
    from_high = (high95 - centre) / CUTS[1]
    return np.where(
        low_free & high_free,
        both,
        np.where(low_free, from_low, np.where(high_free, from_high, np.nan)),
    )

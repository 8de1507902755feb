"""Rounding as printed: halves away from zero, on the shortest decimal that gives the number back."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import NDArray

# Scaled values this near to a half are decided on their decimal digits instead.
NEAR = 1e-6


def rounded(value: float, places: int = 1) -> str:
    """The value to so many decimals, halves away from zero, never '-0.0'."""
    quantum = Decimal(1).scaleb(-places)
    shown = Decimal(repr(float(value))).quantize(quantum, ROUND_HALF_UP)
    return f"{shown + 0 if shown else abs(shown):.{places}f}"


def as_shown(value: float, places: int = 1) -> float:
    """The figure that `rounded` shows, as a number."""
    return float(rounded(value, places))


def round_values(values: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    """`as_shown` of every value of an array; NaN and infinities stay."""
    scale = 10.0**places
    scaled = np.abs(values) * scale
    with np.errstate(invalid="ignore"):
        out = np.copysign(np.floor(scaled + 0.5) / scale, values) + 0.0
        close = np.abs(scaled - np.floor(scaled) - 0.5) < NEAR
    for i in zip(*np.nonzero(close), strict=True):
        out[i] = as_shown(float(values[i]), places)
    return out


def round_percent(values: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    """Percentages to so many decimals (0 or 1); what is more than none and would read as none keeps one, of at least 0.1."""
    shown = round_values(values, places)
    with np.errstate(invalid="ignore"):
        return np.where((values > 0) & (shown == 0), np.maximum(round_values(values, 1), 0.1), shown)


def round_to(values: NDArray[np.float64], base: int) -> NDArray[np.float64]:
    """Whole numbers to the nearest multiple of `base`, halves up; NaN stays."""
    return np.floor(values / base + 0.5) * base

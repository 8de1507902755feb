"""Printed figures as intervals: what a rounded number may stand for, so that rounding alone is never a contradiction."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from stocktake.problems import StocktakeError

How = Literal["rounded", "truncated", "about"]
SCALES = {
    "": 1.0, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9, "%": 1.0, "per cent": 1.0,
}  # fmt: skip
# Of sums and products of decimal figures the last digits are not to be relied on.
CLOSE = 1e-9
FIGURE = re.compile(
    r"[£]?\s*(?P<sign>-?)(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<decimals>\.\d+)?\s*(?P<scale>k|thousand|million|m|billion|bn|%|per cent)?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True)
class Printed:
    """A figure as it is printed, and the ends of what it may stand for."""

    value: float
    low: float
    high: float

    def meets(self, other: Printed) -> bool:
        """Whether both may stand for one and the same figure.

        Intervals that only touch do not: a half rounds to one of two neighbours. A figure that is exact may lie at an end.
        """
        shared = min(self.high, other.high) - max(self.low, other.low)
        close = CLOSE * max(abs(x) for x in (self.low, self.high, other.low, other.high) if math.isfinite(x))
        return shared >= -close if self.low == self.high or other.low == other.high else shared > close

    def times(self, other: Printed) -> Printed:
        """The product of two figures, neither below zero."""
        return Printed(self.value * other.value, self.low * other.low, self.high * other.high)

    def over(self, other: Printed) -> Printed:
        """One figure for each of another, neither below zero; infinite where the other may be nothing."""
        return Printed(_over(self.value, other.value), _over(self.low, other.high), _over(self.high, other.low))

    def plus(self, other: Printed) -> Printed:
        """The sum of two figures."""
        return Printed(self.value + other.value, self.low + other.low, self.high + other.high)

    def less(self, other: Printed) -> Printed:
        """The difference of two figures."""
        return Printed(self.value - other.value, self.low - other.high, self.high - other.low)


def _over(above: float, below: float) -> float:
    return above / below if below else math.inf


def exact(value: float) -> Printed:
    """A figure that stands for itself."""
    return Printed(value, value, value)


def printed(text: str, how: How = "rounded") -> Printed:
    """What a printed figure may stand for: half a unit of its last digit to either side.

    `truncated`: up to one unit above it, as figures that were cut off. `about`: as a figure rounded to its last digit
    that is not zero, for words such as "around 700,000". Raises StocktakeError for what is no figure.
    """
    found = FIGURE.fullmatch(text.strip())
    if found is None:
        raise StocktakeError(f"found {text!r}; expected a figure such as 36,579, £2.38bn, 1.9 million or 82%.")
    digits = found["digits"].replace(",", "")
    decimals = (found["decimals"] or "")[1:]
    scale = SCALES[(found["scale"] or "").lower()]
    unit = 10.0 ** -len(decimals)
    if how == "about" and not decimals:
        unit = 10.0 ** (len(digits) - len(digits.rstrip("0"))) if digits.strip("0") else 1.0
    value = float(f"{digits}.{decimals or '0'}")
    low, high = (value, value + unit) if how == "truncated" else (value - unit / 2, value + unit / 2)
    # What is printed without a sign is not below zero.
    low = max(low, 0.0)
    if found["sign"]:
        value, low, high = -value, -high, -low
    return Printed(value * scale, low * scale, high * scale)

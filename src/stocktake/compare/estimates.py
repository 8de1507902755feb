"""Estimates: what every way in ends in, organisations by measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Status(IntEnum):
    """What a reader may see of one organisation's result for one measure."""

    SHOWN = 0
    WITHHELD_BASE = 1
    WITHHELD_PART = 2
    NO_DATA = 3
    LEFT_OUT = 4


@dataclass(frozen=True)
class Measure:
    """One thing that is measured: its code, and the measures whose plain mean it is (none for a question)."""

    code: str
    parts: tuple[int, ...] = ()
    section: str | None = None

    @property
    def kind(self) -> str:
        return "section" if self.parts else "question"


@dataclass(frozen=True)
class Estimates:
    """Organisations x measures: bases, values on the measure's scale, and standard errors.

    `n`, `value` and `standard_error` are float arrays of shape (organisations, measures); NaN
    where there is nothing: no answers, a figure that was withheld, or one never published.
    `status` has the same shape and holds `Status` values.
    """

    organisations: tuple[str, ...]
    measures: tuple[Measure, ...]
    n: Floats
    value: Floats
    standard_error: Floats
    status: NDArray[np.int8]

    def __post_init__(self) -> None:
        shape = (len(self.organisations), len(self.measures))
        for name in ("n", "value", "standard_error", "status"):
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(f"{name} has shape {found}; expected {shape} (organisations, measures)")

    def select(self, organisations: Sequence[str]) -> Estimates:
        """The same measures for these organisations, NaN and NO_DATA for any that is not here."""
        index = {code: i for i, code in enumerate(self.organisations)}
        rows = np.array([index.get(code, -1) for code in organisations], dtype=np.int64)
        absent = rows < 0

        def take(array: Floats) -> Floats:
            out: Floats = array[rows].copy()
            out[absent] = np.nan
            return out

        status = self.status[rows].copy()
        status[absent] = Status.NO_DATA
        return replace(
            self,
            organisations=tuple(organisations),
            n=take(self.n),
            value=take(self.value),
            standard_error=take(self.standard_error),
            status=status,
        )

    def column(self, code: str) -> int:
        """The position of a measure; raises KeyError for a code that is not measured here."""
        for i, measure in enumerate(self.measures):
            if measure.code == code:
                return i
        raise KeyError(code)


def interval(estimates: Estimates, scale: tuple[float, float]) -> tuple[Floats, Floats]:
    """The 95% interval of each value: value -/+ 1.959964 standard errors, kept inside the scale.

    NaN where the standard error is unknown or zero: answers that do not vary at all say nothing
    about how far a score might lie from the truth.
    """
    half = 1.959963984540054 * np.where(estimates.standard_error > 0, estimates.standard_error, np.nan)
    low, high = scale
    return np.clip(estimates.value - half, low, high), np.clip(estimates.value + half, low, high)

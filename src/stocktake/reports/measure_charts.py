"""The drawing of one measure that all pages share: every organisation's score with its interval, in order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from stocktake.reports.summary_charts import interval_text
from stocktake.reports.words import rounded

Rows = tuple[tuple[str, ...], ...]
# Above so many, organisations are drawn as one shape, without marks of their own to point at.
MOST_MARKS = 400


@dataclass(frozen=True)
class Dot:
    """One organisation's score with the ends of its 95% interval, where these are known."""

    code: str
    label: str
    score: float
    low: float | None
    high: float | None
    band: int | None


@dataclass(frozen=True)
class RankedDots:
    """Scores from lowest to highest with their intervals and the average's line.

    `links` leads to the folder of the organisations' own pages, and makes every mark a link.
    """

    title: str
    dots: tuple[Dot, ...]
    average: float | None
    bands: tuple[str, ...]
    alt: str
    word: str = "trust"
    links: str = ""
    size: Literal["wide", "narrow"] = "wide"

    def scale(self) -> tuple[float, ...]:
        """The marks of the scale, within 0 to 10; scores and the average fit, and intervals where they are no more than
        two points further out."""
        if not self.dots:
            return (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
        inner = [d.score for d in self.dots] + ([] if self.average is None else [self.average])
        low, high = min(inner), max(inner)
        outer = [v for d in self.dots for v in (d.low, d.high) if v is not None]
        low = max(min([low, *outer]), low - 2, 0.0)
        high = min(max([high, *outer]), high + 2, 10.0)
        step = next((s for s in (0.5, 1.0, 2.0) if high - low <= 6 * s), 2.0)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        last = min(max(last, first + 2), int(10 / step))
        return tuple(i * step for i in range(min(first, last - 2), last + 1))

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple(
            (d.label, rounded(d.score), interval_text(d.low, d.high), self.bands[d.band - 1] if d.band else "-")
            for d in self.dots
        )
        return (self.word.capitalize(), "Score", "95% interval", "Band"), rows

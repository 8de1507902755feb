"""Chart models that carry a report: every question on one sheet, and every change on one sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from stocktake.reports.words import rounded, signed

Rows = tuple[tuple[str, ...], ...]
T = TypeVar("T")
# The words of a change, as a chart, a table and a screen reader have them.
VERDICT_WORDS = {"Increase": "gone up", "Decrease": "gone down", "No change": "no clear change", None: "not compared"}
VERDICT_MARKS = {"Increase": "▲", "Decrease": "▼", "No change": "", None: ""}


def interval_text(low: float | None, high: float | None) -> str:
    """A 95% interval of scores, or a dash."""
    return "-" if low is None or high is None else f"{rounded(low)} to {rounded(high)}"


def change_interval(low: float | None, high: float | None) -> str:
    """The interval of a change, or a dash; with one decimal it could touch zero beside a change that is more than chance."""
    return "-" if low is None or high is None else f"{signed(low, 2)} to {signed(high, 2)}"


def _reach(ends: Iterable[float], least: float) -> float:
    """How far a scale reaches to hold these ends: a whole or a half number."""
    return max(least, math.ceil(2 * max(ends, default=0.5) - 1e-9) / 2)


def _split(rows: Sequence[T], most: int) -> Iterator[tuple[T, ...]]:
    size = math.ceil(len(rows) / max(1, math.ceil(len(rows) / most)))
    for i in range(0, len(rows), max(size, 1)):
        yield tuple(rows[i : i + size])


@dataclass(frozen=True)
class ScoreRow:
    """One question of a scorecard.

    `limits` are the two ends of the expected range, None where there is none; `verdict` is that of the change since the
    wave before. A score of None is not shown.
    """

    code: str
    label: str
    section: str
    n: int | None
    score: float | None
    low: float | None
    high: float | None
    average: float | None
    lowest: float | None
    highest: float | None
    limits: tuple[float, float] | None
    band: int | None
    band_text: str
    verdict: str | None


@dataclass(frozen=True)
class Scorecard:
    """Every question of one organisation, as points above and below the average; `earlier` is the wave that changes are
    since, None without one."""

    title: str
    rows: tuple[ScoreRow, ...]
    earlier: int | None
    alt: str
    word: str = "trust"
    least_reach: float = 0.5

    @property
    def reach(self) -> float:
        """How many points the scale reaches to either side of the average: a whole or a half number."""
        ends = (
            abs(v - r.average)
            for r in self.rows
            if r.average is not None
            for v in (r.score, r.low, r.high, r.lowest, r.highest)
            if v is not None
        )
        return _reach(ends, self.least_reach)

    @property
    def intervals(self) -> bool:
        """Whether any score has an interval."""
        return any(r.low is not None for r in self.rows)

    def parts(self, most: int) -> tuple[Scorecard, ...]:
        """The same in charts of at most so many rows, of about the same length and on the same scale."""
        return tuple(replace(self, rows=rows, least_reach=self.reach) for rows in _split(self.rows, most))

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = []
        for r in self.rows:
            cells = [
                r.label,
                "-" if r.n is None else f"{r.n:,}",
                "not shown" if r.score is None else rounded(r.score),
                interval_text(r.low, r.high),
                "-" if r.average is None else rounded(r.average),
                r.band_text,
            ]
            if self.earlier is not None:
                cells.append(VERDICT_WORDS[r.verdict])
            rows.append(tuple(cells))
        header = ("Question", "Respondents", "Score", "95% interval", "Average", "Band")
        return (*header, f"Since {self.earlier}") if self.earlier is not None else header, tuple(rows)


@dataclass(frozen=True)
class ChangeRow:
    """The change of one question: both scores, the difference with the ends of its interval (None where these are not
    known), and the verdict."""

    code: str
    label: str
    then: float
    now: float
    difference: float
    low: float | None
    high: float | None
    verdict: str | None


@dataclass(frozen=True)
class ChangeDots:
    """Differences between two waves about a line at zero, with intervals at the `level` of the test."""

    title: str
    rows: tuple[ChangeRow, ...]
    years: tuple[int, int]
    alt: str
    level: str = "95%"
    least_reach: float = 0.5

    @property
    def reach(self) -> float:
        """How many points the scale reaches to either side of zero: a whole or a half number."""
        ends = (abs(v) for r in self.rows for v in (r.difference, r.low, r.high) if v is not None)
        return _reach(ends, self.least_reach)

    @property
    def intervals(self) -> bool:
        """Whether any difference has an interval."""
        return any(r.low is not None for r in self.rows)

    def parts(self, most: int) -> tuple[ChangeDots, ...]:
        """The same in charts of at most so many rows, of about the same length and on the same scale."""
        return tuple(replace(self, rows=rows, least_reach=self.reach) for rows in _split(self.rows, most))

    def table(self) -> tuple[tuple[str, ...], Rows]:
        then, now = self.years
        rows = tuple(
            (
                r.label,
                rounded(r.then),
                rounded(r.now),
                signed(r.difference, 1),
                change_interval(r.low, r.high),
                VERDICT_WORDS[r.verdict],
            )
            for r in self.rows
        )
        return (
            "Question",
            f"Score {then}",
            f"Score {now}",
            "Difference",
            f"{self.level} interval",
            "What the test says",
        ), rows


SummaryChart = Scorecard | ChangeDots

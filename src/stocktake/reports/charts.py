"""Chart models: what is drawn, its data table and its alt text; how it is drawn is the renderers' affair."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from stocktake.reports.figure_charts import FigureChart
from stocktake.reports.measure_charts import RankedDots
from stocktake.reports.summary_charts import SummaryChart, interval_text
from stocktake.reports.words import per_cent, rounded

Rows = tuple[tuple[str, ...], ...]
# Triangles that show a band in text without colour: up for better, down for worse, one to three.
TRIANGLES = {1: "▼▼▼", 2: "▼▼", 3: "▼", 4: "", 5: "▲", 6: "▲▲", 7: "▲▲▲"}


def side(band: int | None) -> int:
    """On which side of the expected range a band lies: 1 above, -1 below, 0 within it or without a band."""
    return 0 if band is None else (band > 4) - (band < 4)


def outside(bands: Iterable[int | None]) -> tuple[int, int]:
    """How many bands lie above the expected range, and how many below it."""
    sides = [side(band) for band in bands]
    return sides.count(1), sides.count(-1)


def _score(value: float | None) -> str:
    return "-" if value is None else rounded(value)


def share_or_not(value: float | None) -> str:
    """A percentage, or the words for one that is withheld."""
    return "not shown" if value is None else per_cent(value)


@dataclass(frozen=True)
class Bar:
    """One organisation's bar."""

    label: str
    value: float
    band: int | None
    own: bool
    code: str = ""


@dataclass(frozen=True)
class RankedBars:
    """All organisations' scores from lowest to highest, each in the colour of its own band, the reader's in black."""

    title: str
    bars: tuple[Bar, ...]
    average: float | None
    alt: str
    bands: tuple[str, ...]
    compact: bool = False
    measure: str = ""

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = ((b.label, _score(b.value), self.bands[b.band - 1] if b.band else "-") for b in self.bars)
        return ("Organisation", "Score", "Band"), tuple(rows)


@dataclass(frozen=True)
class BandStrip:
    """One organisation's seven bands between the lowest and highest score, its own mark and the average's.

    `edges` are the six limits in order, or None where there is no expected range.
    """

    edges: tuple[float, ...] | None
    lowest: float
    highest: float
    own: float | None
    average: float
    band: int | None
    alt: str
    star: bool = False

    def segments(self) -> tuple[tuple[int, float, float], ...]:
        """(band, from, to) of every band that is visible between the lowest and the highest score."""
        if self.edges is None:
            return ()
        ends = (0.0, *self.edges, 10.0)
        clipped = ((i, max(a, self.lowest), min(b, self.highest)) for i, (a, b) in enumerate(pairwise(ends), start=1))
        return tuple((i, a, b) for i, a, b in clipped if b > a)

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = (
            ("This organisation", _score(self.own)),
            ("National average", _score(self.average)),
            ("Lowest score", _score(self.lowest)),
            ("Highest score", _score(self.highest)),
        )
        return ("What", "Score"), rows


@dataclass(frozen=True)
class PairedBars:
    """A few measures, each with the organisation's bar and a mark for the average."""

    rows: tuple[tuple[str, float, float, int | None], ...]
    alt: str

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple((label, _score(own), _score(average)) for label, own, average, _ in self.rows)
        return ("Question", "This organisation", "National average"), rows


@dataclass(frozen=True)
class PlainBars:
    """Scores of one organisation alone, with how many answered; no comparison. A score of None is not shown."""

    rows: tuple[tuple[str, float | None, int | None], ...]
    alt: str

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple((label, "-" if n is None else f"{n:,}", _score(score)) for label, score, n in self.rows)
        return ("Question", "Respondents", "Score"), rows


@dataclass(frozen=True)
class Point:
    """One organisation in a funnel: S, the spread expected of it, its score and band."""

    code: str
    label: str
    spread: float
    value: float
    band: int
    own: bool = False


@dataclass(frozen=True)
class Funnel:
    """Scores against the spread expected of each organisation; the limits are straight lines from the average.

    `cuts` are the three cut-offs: a limit lies at the average plus or minus a cut-off times S, within the scale.
    """

    title: str
    points: tuple[Point, ...]
    average: float
    cuts: tuple[float, float, float]
    alt: str
    bands: tuple[str, ...]

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple((p.label, rounded(p.spread, 2), _score(p.value), self.bands[p.band - 1]) for p in self.points)
        return ("Organisation", "Expected spread", "Score", "Band"), rows


@dataclass(frozen=True)
class TrendLines:
    """Scores by year: the organisation's line and the average's, with how many organisations each year had.

    `intervals` are the 95% intervals of its scores and `respondents` how many people each rests on, where these are
    known. The scale fits the scores, and is not the whole from 0 to 10.
    """

    years: tuple[int, ...]
    own: tuple[float | None, ...]
    average: tuple[float | None, ...]
    organisations: tuple[int, ...]
    alt: str
    word: str = "trust"
    intervals: tuple[tuple[float, float] | None, ...] = ()
    respondents: tuple[int | None, ...] = ()

    def scale(self) -> tuple[float, ...]:
        """The marks of the scale, within 0 to 10: from below the lowest end to above the highest."""
        ends = [v for v in (*self.own, *self.average) if v is not None]
        ends += [v for pair in self.intervals if pair is not None for v in pair]
        low, high = max(min(ends, default=0.0), 0.0), min(max(ends, default=10.0), 10.0)
        step = next((s for s in (0.5, 1.0, 2.0) if high - low <= 4 * s), 2.5)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        # A line that is nearly level is drawn as such: no scale is shorter than two steps.
        last = min(max(last, first + 2), int(10 / step))
        first = min(first, last - 2)
        return tuple(i * step for i in range(first, last + 1))

    def table(self) -> tuple[tuple[str, ...], Rows]:
        columns: dict[str, list[str]] = {
            "Year": [str(y) for y in self.years],
            f"This {self.word}": [_score(v) for v in self.own],
            "National average": [_score(v) for v in self.average],
            f"{self.word.capitalize()}s": [str(n) for n in self.organisations],
        }
        if any(pair is not None for pair in self.intervals):
            columns["95% interval"] = ["-" if p is None else interval_text(*p) for p in self.intervals]
        if any(n is not None for n in self.respondents):
            columns["Respondents"] = ["-" if n is None else f"{n:,}" for n in self.respondents]
        return tuple(columns), tuple(zip(*columns.values(), strict=True))


@dataclass(frozen=True)
class ShareBars:
    """Percentages of a characteristic: the organisation's bars and the marks of all organisations.

    A percentage of the organisation is None where too few people gave the answer.
    """

    rows: tuple[tuple[str, float | None, float | None], ...]
    alt: str
    word: str = "trust"

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple((label, share_or_not(own), per_cent(all_)) for label, own, all_ in self.rows)
        return ("Answer", f"This {self.word}", f"All {self.word}s"), rows


@dataclass(frozen=True)
class CountBars:
    """How many questions fall in each of a few classes; `tones` name the colours."""

    rows: tuple[tuple[str, int, str], ...]
    alt: str

    def table(self) -> tuple[tuple[str, ...], Rows]:
        return ("Class", "Questions"), tuple((label, str(n)) for label, n, _ in self.rows)


@dataclass(frozen=True)
class BandKey:
    """The legend of the seven bands, with the marks used beside their colours."""

    bands: tuple[str, ...]
    alt: str
    own: str = ""

    def table(self) -> tuple[tuple[str, ...], Rows]:
        return ("Band",), tuple((b,) for b in self.bands)


Chart = (
    FigureChart
    | SummaryChart
    | RankedDots
    | RankedBars
    | BandStrip
    | PairedBars
    | PlainBars
    | Funnel
    | TrendLines
    | ShareBars
    | CountBars
    | BandKey
)

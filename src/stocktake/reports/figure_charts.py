"""Charts of figures that have a unit of their own: ranked bars, parts, shares of a whole, tile maps, series, and a spine chart."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

from stocktake.rounding import as_shown

Rows = tuple[tuple[str, ...], ...]
# A chart that has a code is alike for every reader but for the reader's own marks; see `Layer`.
# What of a chart is drawn: all, what every reader has alike, or the reader's own marks to be laid over that.
Layer = Literal["all", "base", "over"]
# How a bar is marked: everybody else's, one of the reader's region or area, or the reader's own.
Tone = Literal["rest", "near", "own"]


@dataclass(frozen=True)
class Unit:
    """How figures are written: the unit as a reader sees it, and decimals."""

    name: str
    decimals: int = 0

    def text(self, value: float | None) -> str:
        """A figure with its sign of money or per cent; a dash where there is none."""
        if value is None:
            return "-"
        if self.name.startswith("£"):
            return money(value)
        return f"{self.bare(value)}{'%' if self.name.startswith('%') else ''}"

    def bare(self, value: float) -> str:
        """The figure alone; what is more than none is never written as zero."""
        shown = as_shown(value, self.decimals)
        least = 10.0**-self.decimals
        if shown == 0 and value > 0:
            return f"under {least:,.{self.decimals}f}"
        return f"{shown:,.{self.decimals}f}"


def money(value: float) -> str:
    """Pounds in words that can be read: £1,234, £5.32m or £2.38bn."""
    for least, ending in ((1e9, "bn"), (1e6, "m")):
        if abs(value) >= least:
            return f"£{as_shown(value / least, 2):,.2f}{ending}"
    return f"£{as_shown(value, 0):,.0f}"


def ticks(high: float, many: int = 5) -> list[float]:
    """Round values from zero to at least `high`."""
    # What is next to nothing has no scale of its own: its fifth part would be zero to the machine.
    if not high > 1e-200:
        return [0.0, 1.0]
    raw = high / many
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * (1 - 1e-9))
    return [i * step for i in range(math.ceil(high / step - 1e-9) + 1)]


def floor_of(lowest: float, highest: float) -> float:
    """A round value near the lowest, from which a scale may begin; zero where that is not far below."""
    if lowest < 0.4 * highest:
        return 0.0
    step = next((s for s in (0.5, 1, 2, 5, 10, 20) if (highest - lowest) / s <= 6), 20.0)
    return max(math.floor(lowest / step - 0.5) * step, 0.0)


@dataclass(frozen=True)
class FigureBar:
    """One organisation's bar; `label` is what it may be called here."""

    code: str
    label: str
    value: float
    tone: Tone = "rest"
    named: bool = False


@dataclass(frozen=True)
class FigureBars:
    """All organisations' figures from lowest to highest, with the mean and the median, the reader's own labelled."""

    title: str
    bars: tuple[FigureBar, ...]
    mean: float | None
    median: float | None
    unit: Unit
    near: str
    alt: str
    compact: bool = False
    code: str = ""
    layer: Layer = "all"

    def own_table(self) -> tuple[tuple[str, ...], Rows]:
        """The reader's own bars, and those near it that are named."""
        rows = tuple(
            (b.label, self.unit.text(b.value)) for b in self.bars if b.tone == "own" or (b.tone == "near" and b.named)
        )
        return ("Organisation", self.unit.name), rows

    def table(self) -> tuple[tuple[str, ...], Rows]:
        return ("Organisation", self.unit.name), tuple((b.label, self.unit.text(b.value)) for b in self.bars)


@dataclass(frozen=True)
class PartBars:
    """The parts of something, each with the figure of the whole and of the reader's own, where there is one."""

    title: str
    rows: tuple[tuple[str, float | None, float | None], ...]
    unit: Unit
    own: str
    alt: str
    whole: str = "England"

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple((label, self.unit.text(e), self.unit.text(o)) for label, e, o in self.rows)
        if self.own:
            return ("Part", self.whole, self.own), rows
        return ("Part", self.whole), tuple(r[:2] for r in rows)


@dataclass(frozen=True)
class StackedShares:
    """Shares of a whole, one bar of 100% for each row; None in a row that has no figures."""

    title: str
    parts: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...] | None], ...]
    alt: str
    code: str = ""

    def table(self) -> tuple[tuple[str, ...], Rows]:
        unit = Unit("%")
        rows = tuple(
            (label, *(unit.text(v) for v in (values or (None,) * len(self.parts)))) for label, values in self.rows
        )
        return ("Row", *self.parts), rows


@dataclass(frozen=True)
class Tile:
    """One area of a tile map: its place, its figure or none, and whether it is the reader's."""

    label: str
    name: str
    row: int
    column: int
    value: float | None
    reason: str = ""
    own: bool = False


@dataclass(frozen=True)
class TileMap:
    """Every area as a tile of one size, in classes of about as many areas each; areas without a figure are hatched."""

    title: str
    tiles: tuple[Tile, ...]
    edges: tuple[float, ...]
    unit: Unit
    alt: str
    code: str = ""
    layer: Layer = "all"

    def own_table(self) -> tuple[tuple[str, ...], Rows]:
        """The reader's own areas alone."""
        header, rows = self.table()
        return header, tuple(r for r, t in zip(rows, self.tiles, strict=True) if t.own)

    def level(self, value: float) -> int:
        """The class of a figure, from 0."""
        return sum(value >= edge for edge in self.edges)

    def classes(self) -> tuple[str, ...]:
        """The classes in words."""
        ends = [self.unit.text(e) for e in self.edges]
        if not ends:
            return ("all areas with a figure",)
        middle = [f"{a} to below {b}" for a, b in itertools.pairwise(ends)]
        return (f"below {ends[0]}", *middle, f"{ends[-1]} or more")

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple((t.name, self.unit.text(t.value) if t.value is not None else t.reason) for t in self.tiles)
        return ("Area", self.unit.name), rows


@dataclass(frozen=True)
class Shape:
    """One area of a map: its name, its rings in degrees, its figure or none, and whether it is the reader's."""

    name: str
    rings: tuple[tuple[tuple[float, float], ...], ...]
    value: float | None
    reason: str = ""
    own: bool = False


@dataclass(frozen=True)
class AreaMap:
    """Every area with its own boundary; `tiles` has the same figures as tiles, for what cannot draw boundaries."""

    title: str
    shapes: tuple[Shape, ...]
    tiles: TileMap
    alt: str

    def table(self) -> tuple[tuple[str, ...], Rows]:
        return self.tiles.table()


Ends = tuple[float, float] | None


@dataclass(frozen=True)
class SeriesLines:
    """Figures by year, one line each; `breaks` are years, by place, that do not compare with those before.

    `intervals` has the ends of each figure's interval, for each line, where there are any. `floor` is where the scale
    begins, which is not zero where changes could not be seen otherwise; the drawing says so.
    """

    title: str
    years: tuple[str, ...]
    lines: tuple[tuple[str, tuple[float | None, ...]], ...]
    breaks: tuple[int, ...]
    unit: Unit
    alt: str
    code: str = ""
    intervals: tuple[tuple[Ends, ...], ...] = ()
    floor: float = 0.0

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple(
            (year, *(self._cell(k, i, values[i]) for k, (_, values) in enumerate(self.lines)))
            for i, year in enumerate(self.years)
        )
        return ("Year", *(name for name, _ in self.lines)), rows

    def _cell(self, line: int, place: int, value: float | None) -> str:
        ends = self.intervals[line][place] if self.intervals else None
        shown = self.unit.text(value)
        return shown if ends is None else f"{shown} ({self.unit.bare(ends[0])} to {self.unit.bare(ends[1])})"


@dataclass(frozen=True)
class SpineRow:
    """One indicator of a scorecard: the reader's figure within those of all organisations; `anchor` is its display's page."""

    label: str
    own: float | None
    reason: str
    lowest: float
    lower_quartile: float
    median: float
    upper_quartile: float
    highest: float
    unit: Unit
    anchor: str = ""


@dataclass(frozen=True)
class Spine:
    """Where one reader stands on many indicators: lowest to highest, the middle half, the median, and its own mark."""

    title: str
    rows: tuple[SpineRow, ...]
    alt: str

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple(
            (r.label, r.unit.text(r.own) if r.own is not None else r.reason, r.unit.text(r.median),
             f"{r.unit.text(r.lower_quartile)} to {r.unit.text(r.upper_quartile)}",
             f"{r.unit.text(r.lowest)} to {r.unit.text(r.highest)}")
            for r in self.rows
        )  # fmt: skip
        return ("Indicator", "Here", "Median", "Middle half", "Lowest to highest"), rows


@dataclass(frozen=True)
class FunnelPoint:
    """One organisation in a funnel of rates: how many people it serves, and its rate."""

    label: str
    people: float
    value: float
    tone: Tone = "rest"


@dataclass(frozen=True)
class RateFunnel:
    """Rates by the number of people, between limits that close the more people there are.

    `limits` are curves (name, lower and upper, each of places of people and rate), the narrower first.
    """

    title: str
    points: tuple[FunnelPoint, ...]
    rate: float
    limits: tuple[tuple[str, tuple[tuple[float, float, float], ...]], ...]
    unit: Unit
    people: str
    near: str
    alt: str
    code: str = ""
    layer: Layer = "all"

    def own_table(self) -> tuple[tuple[str, ...], Rows]:
        """The reader's own points alone."""
        header, rows = self.table()
        return header, tuple(r for r, p in zip(rows, self.points, strict=True) if p.tone == "own")

    def table(self) -> tuple[tuple[str, ...], Rows]:
        rows = tuple((p.label, f"{p.people:,.0f}", self.unit.text(p.value)) for p in self.points)
        return ("Organisation", self.people, self.unit.name), rows


@dataclass(frozen=True)
class HeatTable:
    """Percentages as a table whose cells are the darker the higher they are; each has its figure."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    alt: str
    code: str = ""

    def table(self) -> tuple[tuple[str, ...], Rows]:
        unit = Unit("%")
        return ("Part", *self.columns), tuple((label, *(unit.text(v) for v in values)) for label, values in self.rows)


FigureChart = FigureBars | AreaMap | PartBars | StackedShares | TileMap | SeriesLines | Spine | HeatTable | RateFunnel

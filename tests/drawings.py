"""Charts read back: random chart models, drawings taken apart into shapes, and the numbers that the shapes stand for.

A drawing's scale comes from its own printed tick labels and their ticks. Charts without an axis have a documented one:
shares end `SHARE_MARGIN` before the right edge at 100%, and the longest count ends `COUNT_MARGIN` before it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from PIL import ImageFont

from stocktake.render.theme import Theme
from stocktake.reports.charts import (
    BandKey,
    BandStrip,
    Bar,
    Chart,
    CountBars,
    Funnel,
    PairedBars,
    PlainBars,
    Point,
    RankedBars,
    ShareBars,
    TrendLines,
)
from stocktake.reports.measure_charts import Dot, RankedDots
from stocktake.reports.summary_charts import ChangeDots, ChangeRow, Scorecard, ScoreRow
from stocktake.reports.words import per_cent, rounded

SHARE_MARGIN = 122.0
COUNT_MARGIN = 26.0
# Coordinates are written to two decimals; a length is the difference of two, and a PDF's have a float's precision.
PX = 0.05
# Every colour once, so that a shape's colour says what it is.
THEME = Theme(
    accent="#0A5FA0",
    ink="#1B2733",
    soft="#4C5B69",
    own="#2A0A3A",
    average="#6B2C91",
    band_colours=("#B34A00", "#E88A2E", "#FCE08A", "#DDE2E6", "#BFE5BF", "#63B56B", "#14682B"),
)
BANDS = (
    "Much worse than expected",
    "Worse than expected",
    "Somewhat worse than expected",
    "About the same",
    "Somewhat better than expected",
    "Better than expected",
    "Much better than expected",
)
LIMITS = ("90%", "95%", "99.8%")
# Triangles of each band: how many, and whether they point up.
TRIANGLES = {1: (3, False), 2: (2, False), 3: (1, False), 4: (0, True), 5: (1, True), 6: (2, True), 7: (3, True)}


# Random models


def scores(least: float = 0.0, most: float = 10.0) -> st.SearchStrategy[float]:
    """Scores of the whole scale, its ends and values at a rounding limit among them."""
    special = [v for v in (0.0, 10.0, 5.0, 2.45, 6.25, 9.95) if least <= v <= most]
    return st.one_of(st.floats(least, most), st.sampled_from(special))


def alts(kind: str) -> str:
    return f"A random chart for a test, of the kind {kind}."


@st.composite
def ranked_bars(
    draw: st.DrawFn, least: float = 0.0, many: tuple[int, ...] = (1, 2, 5, 12, 53), marked: bool = False
) -> RankedBars:
    """Bars from lowest to highest; `marked` says whether there are an average and the reader's own bar for certain."""
    values = sorted(draw(scores(least)) for _ in range(draw(st.sampled_from(many))))
    places, averages = st.integers(0, len(values) - 1), scores()
    own = draw(places if marked else st.none() | places)
    bands = [draw(st.none() | st.integers(1, 7)) for _ in values]
    bars = tuple(
        Bar(f"Trust {i} <& Sons>", v, band, i == own, f"T{i}")
        for i, (v, band) in enumerate(zip(values, bands, strict=True))
    )
    average = draw(averages if marked else st.none() | averages)
    return RankedBars("Ranked", bars, average, alts("ranked bars"), BANDS, draw(st.booleans()))


@st.composite
def band_strips(draw: st.DrawFn, star: bool | None = None) -> BandStrip:
    lowest, *middle, highest = sorted(draw(st.lists(scores(), min_size=4, max_size=4)))
    own, average = middle if draw(st.booleans()) else middle[::-1]
    edges = draw(st.none() | st.lists(scores(), min_size=6, max_size=6).map(lambda v: tuple(sorted(v))))
    starred = draw(st.booleans()) if star is None else star
    shown = draw(st.just(own) | st.just(own) | st.none())
    band = None if edges is None or shown is None else min(bisect_left(edges, shown) + 1, 7)
    return BandStrip(edges, lowest, highest, shown, average, band, alts("band strip"), starred)


@st.composite
def paired_bars(draw: st.DrawFn, least: float = 0.0) -> PairedBars:
    rows = draw(st.lists(st.tuples(scores(least), scores(), st.none() | st.integers(1, 7)), min_size=1, max_size=6))
    return PairedBars(tuple((f"Q{i}", *row) for i, row in enumerate(rows)), alts("paired bars"))


@st.composite
def plain_bars(draw: st.DrawFn, least: float = 0.0) -> PlainBars:
    rows = draw(st.lists(st.none() | scores(least), min_size=1, max_size=12))
    return PlainBars(tuple((f"Q{i}", v, None if v is None else 30 + i) for i, v in enumerate(rows)), alts("plain bars"))


@st.composite
def funnels(draw: st.DrawFn) -> Funnel:
    spreads = [draw(st.floats(0.05, 0.3)), draw(st.floats(0.45, 0.9)), *draw(st.lists(st.floats(0.05, 0.9)))]
    points = tuple(
        Point(f"T{i}", f"Trust {i} <& Sons>", s, draw(scores()), draw(st.integers(1, 7))) for i, s in enumerate(spreads)
    )
    own = draw(st.none() | st.integers(0, len(points) - 1))
    points = tuple(Point(p.code, p.label, p.spread, p.value, p.band, i == own) for i, p in enumerate(points))
    first, second, third = (draw(st.floats(0.3, 1.6)) for _ in range(3))
    cuts = (first, first + second, first + second + third)
    return Funnel("Funnel", points, draw(scores()), cuts, alts("funnel"), BANDS)


@st.composite
def trend_lines(draw: st.DrawFn, gaps: bool = True) -> TrendLines:
    """Lines by year; with gaps a year may have no score, or one that does not compare and so is None too."""
    years = tuple(sorted(draw(st.sets(st.integers(2004, 2026), min_size=1, max_size=7))))
    value = st.one_of(scores(), scores(), st.none()) if gaps else scores()
    own, average = (tuple(draw(value) for _ in years) for _ in range(2))
    organisations = tuple(draw(st.integers(1, 300)) for _ in years)
    word = draw(st.sampled_from(("trust", "site")))
    intervals: tuple[tuple[float, float] | None, ...] = ()
    respondents: tuple[int | None, ...] = ()
    if draw(st.booleans()):
        # Intervals may reach beyond the ends of the scale, which the drawing cannot.
        half = st.floats(0.01, 2.0)
        intervals = tuple(None if v is None else (v - draw(half), v + draw(half)) for v in own)
        respondents = tuple(None if v is None else draw(st.integers(301, 9000)) for v in own)
    return TrendLines(years, own, average, organisations, alts("trend lines"), word, intervals, respondents)


def interval_about(value: float, draw: st.DrawFn) -> tuple[float, float] | tuple[None, None]:
    """An interval about a value, within a few points, or none."""
    half = st.floats(0.05, 1.5)
    return (value - draw(half), value + draw(half)) if draw(st.booleans()) else (None, None)


@st.composite
def scorecards(draw: st.DrawFn, many: tuple[int, ...] = (1, 3, 12, 40)) -> Scorecard:
    rows = []
    for i in range(draw(st.sampled_from(many))):
        lowest, *inner, highest = sorted(draw(st.lists(scores(), min_size=4, max_size=4)))
        lowest, highest = max(lowest - 0.2, 0.0), min(highest + 0.2, 10.0)
        average, score = inner if draw(st.booleans()) else inner[::-1]
        shown = draw(st.sampled_from((True, True, True, False)))
        low, high = interval_about(score, draw) if shown else (None, None)
        band = draw(st.integers(1, 7)) if shown and draw(st.booleans()) else None
        limits = None if band is None else (average - draw(st.floats(0.1, 1.0)), average + draw(st.floats(0.1, 1.0)))
        verdict = draw(st.sampled_from(("Increase", "Decrease", "No change", None)))
        rows.append(
            ScoreRow(f"Q{i}", f"Q{i} What it is about", f"S{i // 5}", 4321 + i if shown else None, score if shown else None, low, high,
                     average, lowest, highest, limits, band, BANDS[band - 1] if band else "Not shown", verdict)
        )  # fmt: skip
    earlier = draw(st.sampled_from((None, 2019)))
    return Scorecard("Every question", tuple(rows), earlier, alts("scorecard"))


@st.composite
def change_dots(draw: st.DrawFn, many: tuple[int, ...] = (1, 3, 12, 40)) -> ChangeDots:
    rows = []
    for i in range(draw(st.sampled_from(many))):
        then, now = draw(scores()), draw(scores())
        low, high = interval_about(now - then, draw)
        verdict = draw(st.sampled_from(("Increase", "Decrease", "No change", None)))
        rows.append(ChangeRow(f"Q{i}", f"Q{i} What it is about", then, now, now - then, low, high, verdict))
    return ChangeDots("Change", tuple(rows), (2019, 2023), alts("changes"))


@st.composite
def ranked_dots(draw: st.DrawFn) -> RankedDots:
    values = sorted(draw(scores()) for _ in range(draw(st.sampled_from((1, 2, 5, 53)))))
    dots = []
    for i, v in enumerate(values):
        low, high = interval_about(v, draw)
        dots.append(Dot(f"T{i}", f"Trust {i} <& Sons>", v, low, high, draw(st.none() | st.integers(1, 7))))
    size = draw(st.sampled_from(("wide", "narrow")))
    average, links = draw(st.none() | scores()), draw(st.sampled_from(("", "../trusts/")))
    return RankedDots("Dots", tuple(dots), average, BANDS, alts("ranked dots"), "trust", links, size)


@st.composite
def share_bars(draw: st.DrawFn, least: float = 0.0) -> ShareBars:
    shares = st.floats(least, 100) | st.sampled_from((least, 0.4 + least, 50.0, 99.6, 100.0))
    withheld = st.one_of(shares, shares, shares, st.none())
    rows = draw(st.lists(st.tuples(withheld, st.none() | shares), min_size=1, max_size=12))
    words = ("Yes", "Non-binary or another answer", "80 or over", "WWWWW MMMMM WWWWW MMMMM WWWWW MMMMM WWWWW", "W" * 40)
    return ShareBars(tuple((f"{words[i % 5]} {i}", *row) for i, row in enumerate(rows)), alts("share bars"))


@st.composite
def count_bars(draw: st.DrawFn) -> CountBars:
    tones = st.sampled_from(("1", "2", "3", "4", "5", "6", "7", "plain", "none"))
    rows = draw(st.lists(st.tuples(st.integers(0, 90), tones), min_size=1, max_size=8))
    return CountBars(tuple((f"Class of {i}", n, tone) for i, (n, tone) in enumerate(rows)), alts("count bars"))


def band_keys() -> st.SearchStrategy[BandKey]:
    return st.sampled_from(("", "Your trust")).map(lambda own: BandKey(BANDS, alts("band key"), own))


# Drawings as shapes; y grows downwards


@dataclass(frozen=True)
class Rect:
    left: float
    top: float
    right: float
    bottom: float
    fill: str
    stroke: str = ""

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    dash: tuple[float, ...] = ()

    @property
    def upright(self) -> bool:
        return abs(self.x1 - self.x2) < PX < abs(self.y1 - self.y2)

    @property
    def level(self) -> bool:
        return abs(self.y1 - self.y2) < PX < abs(self.x1 - self.x2)


@dataclass(frozen=True)
class Polygon:
    points: tuple[tuple[float, float], ...]
    fill: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        xs, ys = zip(*self.points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def x(self) -> float:
        return (self.box[0] + self.box[2]) / 2

    @property
    def y(self) -> float:
        return (self.box[1] + self.box[3]) / 2

    def points_up(self) -> bool:
        """Whether a triangle's single tip is above its level foot; the tip must be over the foot's middle."""
        low, high = sorted(y for _, y in self.points)[::2]
        assert len(self.points) == 3 and high - low > 1
        foot = [p for p in self.points if abs(p[1] - high) < PX]
        up = len(foot) == 2
        foot = foot if up else [p for p in self.points if abs(p[1] - low) < PX]
        (tip,) = [p for p in self.points if p not in foot]
        assert len(foot) == 2 and abs(tip[0] - (foot[0][0] + foot[1][0]) / 2) < PX
        return up


@dataclass(frozen=True)
class Circle:
    x: float
    y: float
    r: float
    fill: str


@dataclass(frozen=True)
class Word:
    """A printed text: where it begins and ends, and its baseline."""

    left: float
    right: float
    y: float
    text: str
    fill: str
    size: float
    bold: bool

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


Shape = Rect | Line | Polygon | Circle | Word


@dataclass
class Picture:
    width: float
    height: float
    shapes: list[Shape] = field(default_factory=list)

    @property
    def rects(self) -> list[Rect]:
        return [s for s in self.shapes if isinstance(s, Rect)]

    @property
    def lines(self) -> list[Line]:
        return [s for s in self.shapes if isinstance(s, Line)]

    @property
    def circles(self) -> list[Circle]:
        return [s for s in self.shapes if isinstance(s, Circle)]

    @property
    def words(self) -> list[Word]:
        return [s for s in self.shapes if isinstance(s, Word)]

    def polygons(self, corners: int) -> list[Polygon]:
        return [s for s in self.shapes if isinstance(s, Polygon) and len(s.points) == corners]

    def word(self, text: str) -> Word:
        (found,) = [w for w in self.words if w.text == text]
        return found

    def outside(self) -> list[Shape]:
        """Shapes and words that are not wholly within the drawing, and would be cut off."""
        return [s for s in self.shapes if not self._holds(*extent(s))]

    def _holds(self, left: float, top: float, right: float, bottom: float) -> bool:
        return left >= -PX and top >= -PX and right <= self.width + PX and bottom <= self.height + PX


def extent(shape: Shape) -> tuple[float, float, float, float]:
    """Left, top, right and bottom."""
    if isinstance(shape, Rect):
        return shape.left, shape.top, shape.right, shape.bottom
    if isinstance(shape, Line):
        xs, ys = sorted((shape.x1, shape.x2)), sorted((shape.y1, shape.y2))
        return xs[0], ys[0], xs[1], ys[1]
    if isinstance(shape, Polygon):
        return shape.box
    if isinstance(shape, Circle):
        return shape.x - shape.r, shape.y - shape.r, shape.x + shape.r, shape.y + shape.r
    return shape.left, shape.y - 0.69 * shape.size, shape.right, shape.y + 0.21 * shape.size


@lru_cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    name = f"LiberationSans-{'Bold' if bold else 'Regular'}.ttf"
    return ImageFont.truetype(str(resources.files("stocktake.render") / "fonts" / name), 200)


def width_of(text: str, size: float, bold: bool) -> float:
    return _font(bold).getlength(text) * size / 200


def from_svg(svg: str) -> Picture:
    """An SVG's shapes; its only other elements are groups and titles."""
    root = ET.fromstring(svg)
    box = [float(v) for v in root.attrib["viewBox"].split()]
    assert box[:2] == [0, 0] and box[2:] == [float(root.attrib["width"]), float(root.attrib["height"])]
    picture = Picture(box[2], box[3])
    given: dict[ET.Element, dict[str, str]] = {}
    for element in root.iter():
        # What a group says of colours holds for what is in it.
        inherited = given.get(element, {})
        if element.tag.endswith("}g"):
            inherited = inherited | {k: v for k, v in element.attrib.items() if k in ("fill", "stroke")}
        given |= dict.fromkeys(element, inherited)
        kind = element.tag.rpartition("}")[2]
        assert "transform" not in element.attrib
        if kind in ("svg", "g", "title"):
            continue
        picture.shapes.append(_shape(kind, inherited | element.attrib, element.text or ""))
    return picture


def _shape(kind: str, at: Mapping[str, str], words: str) -> Shape:

    def n(name: str) -> float:
        return float(at[name])

    if kind == "rect":
        return Rect(n("x"), n("y"), n("x") + n("width"), n("y") + n("height"), at["fill"], at.get("stroke", ""))
    if kind == "line":
        dash = tuple(float(v) for v in at.get("stroke-dasharray", "").split())
        return Line(n("x1"), n("y1"), n("x2"), n("y2"), at["stroke"], dash)
    if kind == "polygon":
        points = [tuple(map(float, p.split(","))) for p in at["points"].split()]
        return Polygon(tuple((x, y) for x, y in points), at["fill"])
    if kind == "circle":
        return Circle(n("cx"), n("cy"), n("r"), at["fill"])
    if kind == "path":
        # A triangle: its foot from left to right, and its tip.
        found = re.fullmatch(r"M(\S+) (\S+)h(\S+)L(\S+) (\S+)z", at["d"])
        assert found, at["d"]
        x, y, wide, tip_x, tip_y = map(float, found.groups())
        return Polygon(((x, y), (x + wide, y), (tip_x, tip_y)), at["fill"])
    assert kind == "text", kind
    text, size, bold = words, n("font-size"), at.get("font-weight") == "bold"
    wide = width_of(text, size, bold)
    left = n("x") - {"start": 0.0, "middle": 0.5, "end": 1.0}[at["text-anchor"]] * wide
    return Word(left, left + wide, n("y"), text, at["fill"], size, bold)


# Scales


@dataclass(frozen=True)
class Scale:
    """A straight scale through printed tick labels at their ticks."""

    start: float
    unit: float
    ticks: tuple[float, ...]

    def pixel(self, value: float) -> float:
        return self.start + value * self.unit

    def value(self, pixel: float) -> float:
        return (pixel - self.start) / self.unit


def straight(pairs: Iterable[tuple[float, float]]) -> Scale:
    """The scale through (value, place) pairs, which must lie on one straight line."""
    ordered = sorted(pairs)
    (v1, p1), (v2, p2) = ordered[0], ordered[-1]
    unit = (p2 - p1) / (v2 - v1)
    scale = Scale(p1 - v1 * unit, unit, tuple(v for v, _ in ordered))
    for value, place in ordered:
        assert abs(scale.pixel(value) - place) < PX, "ticks are not evenly spaced"
    return scale


NUMBER = re.compile(r"\d+(\.\d+)?")


def upright_scale(picture: Picture, labels: Sequence[float] | None = None) -> Scale:
    """The vertical scale: numbers to the left of level lines, their middles at the same height."""
    pairs = []
    for word in picture.words:
        if not NUMBER.fullmatch(word.text):
            continue
        height = word.y - 0.35 * word.size
        near = [g for g in picture.lines if g.level and 0 < min(g.x1, g.x2) - word.right < 12]
        near = [g for g in near if abs(g.y1 - height) < 1 and g.stroke not in (THEME.average, THEME.own)]
        if near:
            pairs.append((float(word.text), min(near, key=lambda g: abs(g.y1 - height)).y1))
    scale = straight(pairs)
    assert labels is None or list(scale.ticks) == list(labels)
    assert scale.unit < 0, "more is higher"
    return scale


def level_scale(picture: Picture, labels: Sequence[int]) -> Scale:
    """The horizontal scale: numbers below upright lines, their middles at the same place."""
    pairs = []
    for word in picture.words:
        if not NUMBER.fullmatch(word.text):
            continue
        near = [g for g in picture.lines if g.upright and 3 < word.y - max(g.y1, g.y2) < 15]
        near = [g for g in near if abs(g.x1 - word.middle) < 0.5 and g.stroke not in (THEME.average, THEME.own)]
        if near:
            pairs.append((float(word.text), min(near, key=lambda g: abs(g.x1 - word.middle)).x1))
    scale = straight(pairs)
    assert list(scale.ticks) == list(labels)
    assert scale.unit > 0, "more is further right"
    return scale


def same(one: float, other: float, what: str) -> None:
    assert abs(one - other) < PX, f"{what}: at {one:.3f}, and should be at {other:.3f}"


def check_triangles(found: Sequence[Polygon], band: int | None) -> None:
    """As many triangles as the band has, all in its direction, beside or above one another and apart."""
    many, up = TRIANGLES[band or 4]
    assert len(found) == many, f"{len(found)} triangles for band {band}"
    assert all(t.points_up() is up for t in found), f"triangles of band {band} point the wrong way"
    places = sorted((round(t.x, 1), round(t.y, 1)) for t in found)
    assert all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) > 1 for a, b in pairwise(places))


def colour_of(band: int | None) -> str:
    return THEME.band_colours[(band or 4) - 1]


def on_row(words: Iterable[Word], rect: Rect) -> list[Word]:
    return [w for w in words if rect.top < w.y - 0.35 * w.size < rect.bottom]


# The numbers of each kind of chart


def check_ranked(picture: Picture, chart: RankedBars) -> None:
    axis = upright_scale(picture, range(0, 11, 2))
    zero = axis.pixel(0)
    bars = picture.rects
    assert len(bars) == len(chart.bars)
    pointers = [t for t in picture.polygons(3) if t.box[1] > zero]
    marks = [t for t in picture.polygons(3) if t not in pointers]
    for rect, bar in zip(bars, chart.bars, strict=True):
        same(rect.bottom, zero, f"foot of {bar.code}")
        same(rect.top, axis.pixel(bar.value), f"top of {bar.code}")
        assert rect.fill == (THEME.own if bar.own else colour_of(bar.band))
        own_marks = [t for t in marks if abs(t.x - rect.middle) < PX]
        check_triangles(own_marks, bar.band)
        assert all(rect.top - 20 < t.box[1] < t.box[3] < rect.top for t in own_marks)
    assert len(marks) == sum(TRIANGLES[b.band or 4][0] for b in chart.bars)
    assert len({round(b.right - b.left, 1) for b in bars}) <= 2, "bars of one width"
    for one, other in pairwise(bars):
        assert one.left < one.right <= other.left + PX, "bars from left to right, apart"
        same(other.left - one.left, (bars[-1].left - bars[0].left) / (len(bars) - 1), "even steps")
    averages = [g for g in picture.lines if g.stroke == THEME.average]
    assert len(averages) == (chart.average is not None)
    for line in averages:
        assert chart.average is not None and line.level and line.dash
        same(line.y1, axis.pixel(chart.average), "the average's line")
        assert min(line.x1, line.x2) <= bars[0].left and max(line.x1, line.x2) >= bars[-1].right
        assert [w for w in picture.words if f"National average {rounded(chart.average)} " in w.text]
    own = [(rect, bar) for rect, bar in zip(bars, chart.bars, strict=True) if bar.own]
    assert len(pointers) == len(own)
    for (rect, bar), pointer in zip(own, pointers, strict=True):
        same(pointer.x, rect.middle, "the reader's pointer")
        assert pointer.points_up() and pointer.fill == THEME.own
        word = picture.word(f"Your score {rounded(bar.value)}")
        assert word.left - 1 < rect.middle < word.right + 1 and word.y > pointer.box[3]


def segments_of(chart: BandStrip) -> list[tuple[int, float, float]]:
    """Band by band, what the six limits leave between the lowest and the highest score."""
    out = []
    for band in range(1, 8) if chart.edges else ():
        assert chart.edges is not None
        low = chart.lowest if band == 1 else max(chart.lowest, chart.edges[band - 2])
        high = chart.highest if band == 7 else min(chart.highest, chart.edges[band - 1])
        if high > low:
            out.append((band, low, high))
    return out


def check_strip(picture: Picture, chart: BandStrip) -> None:
    axis = level_scale(picture, range(11))
    expected = segments_of(chart)
    by_colour = {r.fill: r for r in picture.rects}
    assert len(by_colour) == len(picture.rects), "each band once"
    if not expected and chart.highest > chart.lowest:
        (box,) = picture.rects or [None]
        if box is None or box.right - box.left < PX:
            assert axis.pixel(chart.highest) - axis.pixel(chart.lowest) < PX
        else:
            same(box.left, axis.pixel(chart.lowest), "the lowest score")
            same(box.right, axis.pixel(chart.highest), "the highest score")
            assert box.fill == "#FFFFFF" and box.stroke
    else:
        assert set(by_colour) <= {colour_of(band) for band, _, _ in expected}
    triangles = [t for t in picture.polygons(3) if t.fill in ("#000000", "#FFFFFF")]
    placed = 0
    for band, low, high in expected:
        left, right = axis.pixel(low), axis.pixel(high)
        rect = by_colour.get(colour_of(band))
        if rect is None:
            # A PDF has no shapes without width.
            assert right - left < PX
            continue
        same(rect.left, left, f"lower limit of band {band}")
        same(rect.right, right, f"upper limit of band {band}")
        inside = [t for t in triangles if rect.left < t.x < rect.right]
        placed += len(inside)
        if inside or right - left > 25:
            check_triangles(inside, band)
        assert all(rect.left <= t.box[0] and t.box[2] <= rect.right for t in inside)
        assert all(rect.top <= t.box[1] and t.box[3] <= rect.bottom for t in inside)
    assert placed == len(triangles)
    colour = THEME.accent if chart.star else THEME.average
    (average,) = [g for g in picture.lines if g.stroke == colour]
    assert average.upright and bool(average.dash) is not chart.star
    same(average.x1, axis.pixel(chart.average), "the average's mark")
    _check_own_mark(picture, chart, axis)
    for rect in picture.rects:
        assert min(average.y1, average.y2) <= rect.top and max(average.y1, average.y2) >= rect.bottom
    label = picture.word(f"Average {rounded(chart.average)}")
    assert label.fill == colour and _beside(label, average.x1)
    for word in picture.words:
        assert not word.text.startswith("You") or word.right < label.left or label.right < word.left


def _beside(word: Word, x: float) -> bool:
    # Near an end of the scale two labels side by side move inwards together.
    return word.left - 70 <= x <= word.right + 70


def _check_own_mark(picture: Picture, chart: BandStrip, axis: Scale) -> None:
    lines = [g for g in picture.lines if g.stroke == THEME.own]
    arrows = [t for t in picture.polygons(3) if t.fill == THEME.own]
    stars = picture.polygons(10)
    bold = [w for w in picture.words if w.text.startswith("You")]
    if chart.own is None:
        assert not (lines or arrows or stars or bold)
        return
    own = axis.pixel(chart.own)
    (label,) = bold
    assert label.text == f"You {rounded(chart.own)}" and label.bold and _beside(label, own)
    if chart.star:
        assert not (lines or arrows)
        (star,) = stars
        assert star.fill == THEME.own
        same(sum(x for x, _ in star.points) / 10, own, "the star")
        same(min(star.points, key=lambda p: p[1])[0], own, "the star's upper tip")
        assert all(r.top < star.y < r.bottom for r in picture.rects)
        return
    assert not stars
    (line,), (arrow,) = lines, arrows
    assert line.upright and not line.dash
    same(line.x1, own, "this organisation's mark")
    same(arrow.x, own, "this organisation's arrowhead")
    assert not arrow.points_up()
    for rect in picture.rects:
        assert min(line.y1, line.y2) <= rect.top and max(line.y1, line.y2) >= rect.bottom


def check_paired(picture: Picture, chart: PairedBars) -> None:
    axis = level_scale(picture, range(0, 11, 2))
    averages = [g for g in picture.lines if g.stroke == THEME.average]
    assert len(picture.rects) == len(averages) == len(chart.rows)
    assert len(picture.polygons(3)) == sum(TRIANGLES[band or 4][0] for *_, band in chart.rows)
    for (label, own, average, band), rect, line in zip(chart.rows, picture.rects, averages, strict=True):
        same(rect.left, axis.pixel(0), f"start of {label}")
        same(rect.right, axis.pixel(own), f"end of {label}")
        assert rect.fill == colour_of(band)
        assert line.upright and line.y1 <= rect.top < rect.bottom <= line.y2
        same(line.x1, axis.pixel(average), f"average of {label}")
        check_triangles([t for t in picture.polygons(3) if rect.top < t.y < rect.bottom], band)
        name, figure = sorted(on_row(picture.words, rect), key=lambda w: w.left)
        assert (name.text, figure.text) == (label, rounded(own)) and name.right < rect.left
        assert 0 < figure.left - max(rect.right, line.x1) < 12
    assert all(a.bottom < b.top for a, b in pairwise(picture.rects))


def check_plain(picture: Picture, chart: PlainBars) -> None:
    axis = level_scale(picture, range(0, 11, 2))
    bars = iter(picture.rects)
    names = [w for w in picture.words if w.right < axis.pixel(0)]
    assert [w.text for w in names] == [label for label, *_ in chart.rows]
    assert all(a.y < b.y for a, b in pairwise(names))
    for (label, score, _), name in zip(chart.rows, names, strict=True):
        (figure,) = [w for w in picture.words if abs(w.y - name.y) < PX and w is not name]
        if score is None:
            assert figure.text == "not shown"
            continue
        rect = next(bars)
        assert on_row([name], rect) and rect.fill == THEME.average
        same(rect.left, axis.pixel(0), f"start of {label}")
        same(rect.right, axis.pixel(score), f"end of {label}")
        assert figure.text == rounded(score) and 0 < figure.left - rect.right < 12
    assert next(bars, None) is None


def check_share(picture: Picture, chart: ShareBars) -> None:
    """A share that is not shown has words in place of its bar."""
    bars = iter(picture.rects)
    (base,) = [g for g in picture.lines if g.upright and g.stroke == THEME.soft]
    axis = straight([(0.0, base.x1), (100.0, picture.width - SHARE_MARGIN)])
    marks = [g for g in picture.lines if g.stroke == THEME.average]
    assert len(marks) == sum(everyone is not None for *_, everyone in chart.rows)
    names = _joined([w for w in picture.words if w.right < base.x1])
    assert len(names) == len(chart.rows)
    for (label, *_), name in zip(chart.rows, names, strict=True):
        text = name.text.replace(" ", "")
        # Only a label of two full lines is cut, and says so.
        assert label.replace(" ", "").startswith(text.removesuffix("…"))
        assert text.endswith("…") or text == label.replace(" ", "")
        assert name.left > -PX, "a label begins inside the drawing"
    assert all(a.y < b.y for a, b in pairwise(names))
    for (label, own, everyone), name in zip(chart.rows, names, strict=True):
        ends = [base.x1]
        if own is not None:
            rect = next(bars)
            same(rect.left, base.x1, f"start of {label}")
            same(rect.right, axis.pixel(own), f"end of {label}")
            assert rect.fill == THEME.accent and on_row([name], rect)
            ends.append(rect.right)
        middle = name.y - 0.35 * name.size
        here = [g for g in marks if g.y1 < middle < g.y2]
        assert len(here) == (everyone is not None)
        for mark in here:
            assert everyone is not None and mark.upright
            same(mark.x1, axis.pixel(everyone), f"all of {label}")
            ends.append(mark.x1)
        beyond = [w for w in picture.words if abs(w.y - name.y) < PX and w is not name]
        words = ["not shown" if own is None else per_cent(own)]
        assert [w.text for w in beyond] == [*words, *([] if everyone is None else [f"(all {per_cent(everyone)})"])]
        assert 0 < beyond[0].left - max(ends) < 12
        assert all(a.right < b.left for a, b in pairwise(beyond)), "figures do not run into one another"
    assert next(bars, None) is None


def _joined(names: list[Word]) -> list[Word]:
    """Labels of two lines as one each, in the middle of their row."""
    out: list[Word] = []
    for word in names:
        if out and word.y - out[-1].y < 8:
            first = out.pop()
            widest = min(first, word, key=lambda w: w.left)
            word = replace(widest, text=f"{first.text} {word.text}", y=(first.y + word.y) / 2)
        out.append(word)
    return out


def check_count(picture: Picture, chart: CountBars) -> None:
    (base,) = [g for g in picture.lines if g.upright]
    most = max(n for _, n, _ in chart.rows) or 1
    axis = straight([(0.0, base.x1), (float(most), picture.width - COUNT_MARGIN)])
    bars, placed = iter(picture.rects), 0
    names = [w for w in picture.words if w.right < base.x1]
    assert [w.text for w in names] == [label for label, *_ in chart.rows]
    assert all(a.y < b.y for a, b in pairwise(names))
    for (label, n, tone), name in zip(chart.rows, names, strict=True):
        (figure,) = [w for w in picture.words if abs(w.y - name.y) < PX and w is not name]
        assert figure.text == str(n)
        assert 0 < figure.left - axis.pixel(n) < 12
        if not n:
            continue
        rect = next(bars)
        assert on_row([name], rect)
        same(rect.left, base.x1, f"start of {label}")
        same(rect.right, axis.pixel(n), f"end of {label}")
        band = int(tone) if tone.isdigit() else None
        assert (rect.fill == colour_of(band)) if band else (rect.fill not in THEME.band_colours)
        inside = [t for t in picture.polygons(3) if rect.top < t.y < rect.bottom]
        placed += len(inside)
        if inside or rect.right - rect.left > 25:
            check_triangles(inside, band)
        assert all(rect.left <= t.box[0] and t.box[2] <= rect.right for t in inside)
    assert next(bars, None) is None
    assert placed == len(picture.polygons(3))


def check_funnel(picture: Picture, chart: Funnel) -> None:
    """Points are read by shape in the order drawn: the reader's own last, so that nothing hides it."""
    axis = upright_scale(picture)
    assert all(b - a == 1 for a, b in pairwise(axis.ticks))
    (average,) = [g for g in picture.lines if g.stroke == THEME.average]
    assert average.level and average.dash
    same(average.y1, axis.pixel(chart.average), "the average's line")
    found = [s for s in picture.shapes if isinstance(s, (Circle, Polygon))]
    points = sorted(chart.points, key=lambda p: p.own)
    placed = [(p.spread, shape.x) for p, shape in zip(points, found, strict=True)]
    across = straight([min(placed), max(placed)])
    assert across.unit < 0, "the surest on the right"
    widths: dict[int, float] = {}
    for point, shape in zip(points, found, strict=True):
        left, top, right, foot = extent(shape)
        # Marks lie at places of one decimal.
        assert abs((top + foot) / 2 - axis.pixel(point.value)) < 0.12, f"score of {point.code}"
        assert abs(shape.x - across.pixel(point.spread)) < 0.25, f"spread of {point.code}"
        assert shape.fill == (THEME.own if point.own else THEME.band_colours[point.band - 1])
        many, up = TRIANGLES[point.band]
        assert isinstance(shape, Polygon) == bool(many)
        if isinstance(shape, Polygon):
            assert shape.points_up() == up
            assert abs(widths.setdefault(many, right - left) - (right - left)) < 0.2, f"size of {point.code}"
    assert all(widths[a] < widths[b] for a, b in pairwise(sorted(widths))), "the further outside, the larger"
    _check_funnel_ticks(picture, across)
    _check_funnel_limits(picture, chart, axis, across, average)


def _check_funnel_ticks(picture: Picture, across: Scale) -> None:
    labels = [w for w in picture.words if re.fullmatch(r"\d+\.\d\d", w.text)]
    assert len(labels) == 3
    for word in labels:
        (tick,) = [g for g in picture.lines if g.upright and abs(g.x1 - word.middle) < 0.5]
        assert abs(across.value(tick.x1) - float(word.text)) < 0.005 + 1e-3


def ends_of(line: Line) -> list[tuple[float, float]]:
    """The two ends from left to right."""
    return sorted([(line.x1, line.y1), (line.x2, line.y2)])


def _check_funnel_limits(picture: Picture, chart: Funnel, axis: Scale, across: Scale, average: Line) -> None:
    """Each limit is where its cut-off says at both ends, which lie at an edge of the drawing."""
    left, right = sorted((average.x1, average.x2))
    low, high = axis.ticks[0], axis.ticks[-1]
    assert all(low - 1e-6 <= p.value <= high + 1e-6 for p in chart.points)
    limits = [g for g in picture.lines if g.stroke == THEME.soft and not g.upright]
    dashes: dict[str, set[tuple[float, ...]]] = {}
    expected = 0
    for cut, name in zip(chart.cuts, LIMITS, strict=True):
        for sign in (-1, 1):
            near = chart.average + sign * cut * across.value(right)
            far = min(max(chart.average + sign * cut * across.value(left), low), high)
            ends = [
                (across.pixel((far - chart.average) * sign / cut), axis.pixel(far)),
                (right, axis.pixel(near)),
            ]
            # Where it reaches the edge of the drawing; in a flat funnel that is a place not so sharp.
            fits = [
                g
                for g in limits
                if all(
                    abs(a - b) < 0.3 for e, f in zip(ends_of(g), ends, strict=True) for a, b in zip(e, f, strict=True)
                )
            ]
            if low < near < high and min(near - low, high - near) * -axis.unit > 0.1:
                assert fits, f"{name} limit on side {sign}"
            expected += bool(fits)
            dashes.setdefault(name, set()).update(g.dash for g in fits)
    assert len(limits) == expected
    assert sum(w.text in LIMITS for w in picture.words) == expected
    assert all(len(found) <= 1 for found in dashes.values()), "both sides of a limit look alike"
    looks = [dash for found in dashes.values() for dash in found]
    assert len(set(looks)) == len(looks), "limits look different"
    assert [w for w in picture.words if w.text == f"Average {rounded(chart.average)}" and w.left > right]


def check_trend(picture: Picture, chart: TrendLines) -> None:
    """Every point of both lines, and that every line joins two points of neighbouring years."""
    axis = upright_scale(picture)
    check_fitted(axis.ticks, [*chart.own, *chart.average])
    places = _years(picture, chart)
    diamonds = picture.polygons(4)
    _check_intervals(picture, chart, axis, places)
    for values, marks, colour in ((chart.average, picture.circles, THEME.average), (chart.own, diamonds, THEME.own)):
        known = [(x, axis.pixel(v)) for x, v in zip(places, values, strict=True) if v is not None]
        assert len(known) == len(marks)
        for (x, y), mark in zip(known, marks, strict=True):
            same(mark.x, x, "year of a point")
            same(mark.y, y, "score of a point")
            assert mark.fill == colour
        drawn = [g for g in _courses(picture) if g.stroke == colour]
        assert all(bool(g.dash) is (colour == THEME.average) for g in drawn)
        for line in drawn:
            ends = [(line.x1, line.y1), (line.x2, line.y2)]
            assert all(any(abs(x - a) + abs(y - b) < 2 * PX for a, b in known) for x, y in ends), "a line joins points"
    for organisations in chart.organisations:
        # Of many years the word stands once, at the left.
        once = [w for w in picture.words if w.text == f"{chart.word}s"]
        wanted = f"{organisations}" if once else f"{organisations} {chart.word}s"
        assert [w for w in picture.words if w.text == wanted]
    _check_trend_labels(picture, chart, axis)


def check_fitted(ticks: Sequence[float], values: Sequence[float | None]) -> None:
    """A scale that fits: within 0 to 10, of at least two and few even steps, and every value is on it."""
    known = [v for v in values if v is not None]
    steps = {round(b - a, 6) for a, b in pairwise(ticks)}
    assert 3 <= len(ticks) <= 8 and len(steps) == 1 and steps <= {0.5, 1.0, 2.0, 2.5}
    assert ticks[0] >= 0 and ticks[-1] <= 10
    assert all(ticks[0] - 1e-9 <= v <= ticks[-1] + 1e-9 for v in known)


def _whisker(line: Line) -> bool:
    """Whether a line is part of an interval: upright, or the short end of one."""
    across = abs(line.x2 - line.x1)
    return line.stroke == THEME.own and (across < PX or (line.level and abs(across - 6) < PX))


def _courses(picture: Picture) -> list[Line]:
    return [g for g in picture.lines if not _whisker(g)]


def _check_intervals(picture: Picture, chart: TrendLines, axis: Scale, places: Sequence[float]) -> None:
    """Every interval from its lower to its upper end, or to the end of the scale, at its year."""
    low, high = axis.ticks[0], axis.ticks[-1]
    expected = [
        (x, axis.pixel(min(max(pair[0], low), high)), axis.pixel(min(max(pair[1], low), high)))
        for x, pair in zip(places, chart.intervals, strict=False)
        if pair is not None
    ]
    found = [g for g in picture.lines if _whisker(g) and abs(g.x2 - g.x1) < PX]
    assert len(found) == len(expected)
    for line, (x, bottom, top) in zip(found, expected, strict=True):
        same(line.x1, x, "year of an interval")
        same(max(line.y1, line.y2), bottom, "lower end")
        same(min(line.y1, line.y2), top, "upper end")
    for count in chart.respondents if any(n is not None for n in chart.respondents) else ():
        assert [w for w in picture.words if w.text == ("-" if count is None else f"{count:,}")]


def _row_of(picture: Picture, label: str) -> float:
    """The height at which a row's label stands, as its middle."""
    word = picture.word(label)
    return word.y - 0.35 * word.size


def _points_scale(picture: Picture) -> Scale:
    """The horizontal scale of points: signed numbers below upright lines, and the middle by its words."""
    pairs = []
    for word in picture.words:
        signed_number = re.fullmatch(r"[+-]\d+(\.\d)?", word.text)
        if not signed_number and word.text not in ("average", "no change"):
            continue
        near = [g for g in picture.lines if g.upright and 3 < word.y - max(g.y1, g.y2) < 15]
        near = [g for g in near if abs(g.x1 - word.middle) < 0.5]
        if near:
            pairs.append((float(word.text) if signed_number else 0.0, near[0].x1))
    return straight(pairs)


def _level_at(picture: Picture, height: float, stroke: str) -> list[Line]:
    return [g for g in picture.lines if g.level and abs(g.y1 - height) < 0.6 and g.stroke == stroke]


def check_scorecard(picture: Picture, chart: Scorecard) -> None:
    """Every row: its figures, and its marks at as many points from the average as the scale says."""
    axis = _points_scale(picture)
    for r in chart.rows:
        at = _row_of(picture, r.label)
        words = {w.text for w in picture.words if abs(w.y - 0.35 * w.size - at) < 0.6}
        assert (f"{r.n:,}" if r.n is not None else "-") in words
        assert (rounded(r.score) if r.score is not None else "-") in words and rounded(r.average or 0.0) in words
        assert r.band_text.removesuffix(" than expected") in words
        if chart.earlier is not None:
            assert {
                "Increase": "gone up",
                "Decrease": "gone down",
                "No change": "no clear change",
                None: "not compared",
            }[r.verdict] in words
        assert r.average is not None and r.lowest is not None and r.highest is not None
        diamonds = [d for d in picture.polygons(4) if abs(d.y - at) < 0.6 and d.fill == THEME.own]
        assert len(diamonds) == (r.score is not None)
        if r.score is not None:
            same(diamonds[0].x, axis.pixel(r.score - r.average), "score")
        (span,) = _level_at(picture, at, "#8896A3")
        same(min(span.x1, span.x2), axis.pixel(r.lowest - r.average), "lowest")
        same(max(span.x1, span.x2), axis.pixel(r.highest - r.average), "highest")
        intervals = _level_at(picture, at, THEME.own)
        assert len(intervals) == (r.low is not None)
        if r.low is not None and r.high is not None:
            same(intervals[0].x1, axis.pixel(r.low - r.average), "lower end")
            same(intervals[0].x2, axis.pixel(r.high - r.average), "upper end")
        bars = [b for b in picture.rects if b.fill == "#D3DAE0" and b.top < at < b.bottom]
        assert len(bars) == (r.limits is not None)
        if r.limits is not None:
            same(bars[0].left, max(axis.pixel(r.limits[0] - r.average), axis.pixel(-chart.reach)), "lower limit")
            same(bars[0].right, min(axis.pixel(r.limits[1] - r.average), axis.pixel(chart.reach)), "upper limit")
        chips = [b for b in picture.rects if b.fill in THEME.band_colours and b.top < at < b.bottom]
        assert [b.fill for b in chips] == ([THEME.band_colours[r.band - 1]] if r.band else [])
        check_triangles([t for t in picture.polygons(3) if abs(t.y - at) < chart_row(picture, chart) / 2], r.band)


def chart_row(picture: Picture, chart: Scorecard | ChangeDots) -> float:
    """How high a row is: as far apart as two labels are, or most of the drawing where there is one."""
    if len(chart.rows) < 2:
        return 17.0
    return _row_of(picture, chart.rows[1].label) - _row_of(picture, chart.rows[0].label)


def check_changes(picture: Picture, chart: ChangeDots) -> None:
    """Every row: both scores, the difference, its mark and interval about the line of no change, and the verdict."""
    axis = _points_scale(picture)
    for r in chart.rows:
        at = _row_of(picture, r.label)
        words = {w.text for w in picture.words if abs(w.y - 0.35 * w.size - at) < 0.6}
        assert {rounded(r.then), rounded(r.now)} <= words
        shown = rounded(r.difference)
        assert (shown if r.difference <= 0 or not float(shown) else f"+{shown}") in words
        where = axis.pixel(r.difference)
        triangles = [t for t in picture.polygons(3) if abs(t.y - at) < 2.5]
        circles = [c for c in picture.circles if abs(c.y - at) < 0.6]
        if r.verdict in ("Increase", "Decrease"):
            (mark,) = triangles
            assert circles == [] and (min(y for _, y in mark.points) == mark.points[2][1]) is (r.verdict == "Increase")
            same(mark.points[2][0], where, "difference")
        else:
            (dot,) = circles
            assert triangles == []
            same(dot.x, where, "difference")
        lines = [g for g in picture.lines if g.level and abs(g.y1 - at) < 0.6 and g.stroke != "#D5DADE"]
        assert len(lines) == (r.low is not None)
        if r.low is not None and r.high is not None:
            same(lines[0].x1, axis.pixel(r.low), "lower end")
            same(lines[0].x2, axis.pixel(r.high), "upper end")


def check_breaks(picture: Picture, chart: TrendLines) -> None:
    """Lines join the points of years next to one another, and none goes across a year that has no point."""
    axis = upright_scale(picture)
    places = _years(picture, chart)
    for values, colour in ((chart.average, THEME.average), (chart.own, THEME.own)):
        expected = [
            (x1, axis.pixel(v1), x2, axis.pixel(v2))
            for (x1, v1), (x2, v2) in pairwise(zip(places, values, strict=True))
            if v1 is not None and v2 is not None
        ]
        drawn = [(g.x1, g.y1, g.x2, g.y2) for g in _courses(picture) if g.stroke == colour]
        assert len(drawn) == len(expected), "a line for every two years in a row, and no other"
        for one, other in zip(drawn, expected, strict=True):
            assert all(abs(a - b) < PX for a, b in zip(one, other, strict=True))


def _years(picture: Picture, chart: TrendLines) -> list[float]:
    places = [picture.word(str(year)).middle for year in chart.years]
    assert all(b > a for a, b in pairwise(places)), "years from left to right"
    steps = {round(b - a, 1) for a, b in pairwise(places)}
    assert max(steps, default=0) - min(steps, default=0) < 0.3
    marks = [m.x for m in (*picture.circles, *picture.polygons(4))]
    # The exact place is that of the marks; a printed year has the width of its letters as measured here.
    return [min(marks, key=lambda x: abs(x - p)) if any(abs(x - p) < 0.3 for x in marks) else p for p in places]


def _check_trend_labels(picture: Picture, chart: TrendLines, axis: Scale) -> None:
    labels = [w for w in picture.words if w.text.startswith(("You", "Average"))]
    assert len(labels) == sum(any(v is not None for v in values) for values in (chart.own, chart.average))
    for word in labels:
        values = chart.own if word.text.startswith("You") else chart.average
        last = [v for v in values if v is not None][-1]
        assert word.fill == (THEME.own if values is chart.own else THEME.average)
        # At the top of the scale both labels move down together.
        near_top = last > axis.ticks[-1] - 0.3 * (axis.ticks[-1] - axis.ticks[0])
        assert abs(word.y - 0.35 * word.size - axis.pixel(last)) < (14 if near_top else 7)
        if values[-1] is None:
            assert word.text == ("You: not shown" if values is chart.own else "Average: not shown")
        else:
            assert word.text.removeprefix("You ").removeprefix("Average ") == rounded(last)
    assert all(abs(a.y - b.y) > 11 for a, b in pairwise(labels)), "labels do not cover one another"


def check_key(picture: Picture, chart: BandKey) -> None:
    """Down each column in the order of the bands: colour, triangles and name side by side."""
    boxes = sorted(picture.rects, key=lambda r: (r.left, r.top))
    colours = [*THEME.band_colours, *([THEME.own] if chart.own else [])]
    assert [b.fill for b in boxes] == colours
    names = [b.removesuffix(" than expected") for b in chart.bands] + ([chart.own] if chart.own else [])
    assert len(picture.words) == len(names)
    for band, (box, name) in enumerate(zip(boxes, names, strict=True), start=1):
        word = picture.word(name)
        assert on_row([word], box) and 0 < word.left - box.right < 10
        inside = [t for t in picture.polygons(3) if box.left < t.x < box.right and box.top < t.y < box.bottom]
        check_triangles(inside, band if band < 8 else None)
        assert all(t.fill in ("#000000", "#FFFFFF") for t in inside)


def check(picture: Picture, chart: Chart) -> None:
    """Whatever the chart, its numbers."""
    checks: dict[type, Any] = {
        RankedBars: check_ranked,
        BandStrip: check_strip,
        PairedBars: check_paired,
        PlainBars: check_plain,
        Funnel: check_funnel,
        TrendLines: check_trend,
        ShareBars: check_share,
        CountBars: check_count,
        BandKey: check_key,
        Scorecard: check_scorecard,
        ChangeDots: check_changes,
    }
    checks[type(chart)](picture, chart)

"""Charts of figures with units of their own, read back from their drawings and from their slides."""

from __future__ import annotations

import io
import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx import Presentation

from drawings import THEME
from stocktake.render.deck import deck_bytes
from stocktake.render.figure_drawings import LEVELS, NEAR, PARTS, REST, axis_text
from stocktake.render.svg import draw
from stocktake.render.theme import contrast, ink_on
from stocktake.render.words import text_width
from stocktake.reports.figure_charts import (
    AreaMap,
    FigureBar,
    FigureBars,
    FigureChart,
    FunnelPoint,
    HeatTable,
    PartBars,
    RateFunnel,
    SeriesLines,
    Shape,
    Spine,
    SpineRow,
    StackedShares,
    Tile,
    TileMap,
    Unit,
    floor_of,
    money,
    ticks,
)
from stocktake.reports.model import Figure, Page, Report

FEW = settings(max_examples=40, deadline=None)
UNITS = st.sampled_from([Unit("beds per 100,000", 1), Unit("% of people"), Unit("£"), Unit("people"), Unit("WTE", 3)])
AMOUNTS = st.one_of(st.floats(0, 1e3), st.floats(0, 5e9), st.just(0.0))
NS = "{http://www.w3.org/2000/svg}"
# Coordinates of paths have one decimal.
PX = 0.16


def root_of(svg: str) -> ET.Element:
    root = ET.fromstring(svg)
    width = float(root.attrib["width"])
    for text in root.iter(f"{NS}text"):
        if "transform" in text.attrib:
            continue
        x, wide = float(text.attrib["x"]), text_width(text.text or "", float(text.attrib["font-size"]))
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[text.attrib["text-anchor"]]
        assert left >= -2 and left + wide <= width + 2, text.text
    return root


def words_of(root: ET.Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{NS}text")]


def bars_of(root: ET.Element, fill: str) -> list[tuple[float, float, float]]:
    """Left edge, top and bottom of every bar of a colour."""
    out = []
    for path in root.iter(f"{NS}path"):
        if path.attrib["fill"] == fill:
            found = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h[\d.-]+V[\d.]+z", path.attrib["d"])
            out += [(float(x), float(top), float(base)) for x, base, top in found]
    return out


@st.composite
def figure_bars(draw_: st.DrawFn) -> FigureBars:
    values = sorted(draw_(st.lists(AMOUNTS, min_size=1, max_size=60)))
    tones = draw_(st.lists(st.sampled_from(["rest", "near", "own"]), min_size=len(values), max_size=len(values)))
    bars = tuple(
        FigureBar(f"T{i}", f"The Trust of {i}", v, t) for i, (v, t) in enumerate(zip(values, tones, strict=True))
    )
    mean = sum(values) / len(values)
    return FigureBars(
        "Figures",
        bars,
        mean,
        values[len(values) // 2],
        draw_(UNITS),
        "The Region",
        "Bars of figures.",
        draw_(st.booleans()),
        "A1",
    )


@FEW
@given(figure_bars())
def test_ranked_figures(chart: FigureBars) -> None:
    root = root_of(draw(chart, THEME, 757))
    top_value = ticks(max(b.value for b in chart.bars))[-1]
    levels = [float(line.attrib["y1"]) for line in root.iter(f"{NS}line") if line.attrib["stroke"] == "#D5DADE"]
    base, top = max(levels), min(levels)
    for tone, fill in (("rest", REST), ("near", NEAR), ("own", THEME.own)):
        wanted = [b.value for b in chart.bars if b.tone == tone]
        found = bars_of(root, fill)
        assert len(found) == len(wanted)
        for (_, high, foot), value in zip(found, wanted, strict=True):
            assert abs(foot - base) < PX and abs((base - high) - value / top_value * (base - top)) < PX
    assert [x for x, *_ in sorted(bars_of(root, NEAR) + bars_of(root, THEME.own) + bars_of(root, REST))] == sorted(
        x for x, *_ in bars_of(root, NEAR) + bars_of(root, THEME.own) + bars_of(root, REST)
    )
    said = " ".join(words_of(root))
    assert f"Mean {chart.unit.text(chart.mean)} (dashed), Median {chart.unit.text(chart.median)} (dotted)" in said
    own = [b for b in chart.bars if b.tone == "own"]
    if len(own) == 1:
        assert f"{own[0].label} {chart.unit.text(own[0].value)}" in said


@FEW
@given(figure_bars())
def test_what_all_readers_share_and_what_is_laid_over_it(chart: FigureBars) -> None:
    """The shared drawing has every bar and names nobody; the reader's own marks lie exactly on its bars."""
    whole = root_of(draw(chart, THEME, 757))
    base = root_of(draw(replace(chart, layer="base"), THEME, 757))
    over = root_of(draw(replace(chart, layer="over"), THEME, 757))
    assert len(bars_of(base, REST)) == len(chart.bars) and "The Trust" not in " ".join(words_of(base))
    other = replace(chart, bars=tuple(replace(b, tone="rest") for b in chart.bars), layer="base")
    assert draw(other, THEME, 757) == draw(replace(chart, layer="base"), THEME, 757)
    assert bars_of(over, REST) == []
    for fill in (NEAR, THEME.own):
        assert bars_of(over, fill) == bars_of(whole, fill)
        assert set(bars_of(over, fill)) <= set(bars_of(base, REST))


PARTS_ = st.lists(
    st.tuples(st.text("abc ", min_size=1, max_size=50), st.none() | AMOUNTS, st.none() | AMOUNTS),
    min_size=1,
    max_size=24,
)


@FEW
@given(PARTS_, UNITS, st.sampled_from(["", "An area with a name"]))
def test_parts(rows: list[tuple[str, float | None, float | None]], unit: Unit, own: str) -> None:
    chart = PartBars("Parts", tuple(rows), unit, own, "Parts.")
    root = root_of(draw(chart, THEME, 757))
    rects = [float(r.attrib["width"]) for r in root.iter(f"{NS}rect")]
    england = [e for _, e, _ in rows if e is not None]
    assert len(rects) == len(england)
    if own:
        assert len(list(root.iter(f"{NS}polygon"))) == sum(o is not None for *_, o in rows)
    longest = max(england, default=0)
    for wide, value in zip(rects, england, strict=True):
        if longest > 1e-6:
            assert abs(wide / max(max(rects), 1e-9) - value / longest) < 0.02 or max(rects) < 2
    said = words_of(root)
    assert all(unit.text(e) in said for e in england)


@FEW
@given(st.lists(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), min_size=1, max_size=15))
def test_shares_of_a_whole(weights: list[list[float]]) -> None:
    rows = [(f"Row {i}", tuple(100 * v / sum(w) for v in w)) for i, w in enumerate(weights)]
    chart = StackedShares("Shares", ("One", "Two", "Three", "Four"), (*rows, ("Nobody", None)), "Shares.")
    root = root_of(draw(chart, THEME, 757))
    rects = list(root.iter(f"{NS}rect"))[4:]
    assert len(rects) == 4 * len(rows) and "no figures" in words_of(root)
    whole = sum(float(r.attrib["width"]) for r in rects[:4])
    for i, rect in enumerate(rects):
        assert abs(float(rect.attrib["width"]) / whole * 100 - rows[i // 4][1][i % 4]) < 0.05
        assert rect.attrib["fill"] == PARTS[i % 4]
    for one, other in itertools.pairwise(PARTS):
        assert contrast(one, other) > 1.25
    assert all(contrast(c, ink_on(c)) >= 4.5 for c in (*PARTS, *LEVELS))


def tile_map(values: list[float | None], own: int = 0) -> TileMap:
    tiles = tuple(
        Tile(str(i), f"Area {i}", i // 6, i % 6, v, "" if v is not None else "Not answered.", i == own)
        for i, v in enumerate(values)
    )
    return TileMap("Map", tiles, (10.0, 20.0, 30.0, 40.0), Unit("beds", 1), "A map.", "A5")


@FEW
@given(st.lists(st.none() | st.floats(0, 50), min_size=2, max_size=40))
def test_a_tile_map(values: list[float | None]) -> None:
    chart = tile_map(values)
    root = root_of(draw(chart, THEME, 700))
    fills = [g.find(f"{NS}rect").attrib["fill"] for g in root.iter(f"{NS}g")]  # type: ignore[union-attr]
    expected = ["#FFFFFF" if v is None else LEVELS[sum(v >= e for e in chart.edges)] for v in values]
    assert fills == expected
    assert chart.classes() == (
        "below 10.0",
        "10.0 to below 20.0",
        "20.0 to below 30.0",
        "30.0 to below 40.0",
        "40.0 or more",
    )
    thick = [r for r in root.iter(f"{NS}rect") if r.attrib.get("stroke-width") == "3"]
    assert len(thick) == 2  # the reader's own, and the key
    over = root_of(draw(replace(chart, layer="over"), THEME, 700))
    assert len(list(over.iter(f"{NS}rect"))) == 1 and words_of(over) == []
    moved = tile_map(values, own=1)
    assert draw(replace(chart, layer="base"), THEME, 700) == draw(replace(moved, layer="base"), THEME, 700)
    shapes = tuple(
        Shape(t.name, (((i, 50.0), (i + 1, 50.0), (i, 51.0), (i, 50.0)),), t.value, t.reason, t.own)
        for i, t in enumerate(chart.tiles)
    )
    areas = root_of(draw(AreaMap("Map", shapes, chart, "A map."), THEME, 700))
    paths = sorted(p.attrib["fill"] for p in areas.iter(f"{NS}path"))
    assert paths == sorted(expected)
    assert TileMap("Map", chart.tiles, (), chart.unit, "A map.").classes() == ("all areas with a figure",)


@FEW
@given(st.lists(st.none() | st.floats(0.1, 5e6), min_size=2, max_size=7), st.sets(st.integers(1, 6)))
def test_series(values: list[float | None], breaks: set[int]) -> None:
    breaks = {b for b in breaks if b < len(values)}
    years = tuple(str(2010 + i) for i in range(len(values)))
    chart = SeriesLines("Series", years, (("", tuple(values)),), tuple(sorted(breaks)), Unit("£"), "A series.")
    root = root_of(draw(chart, THEME, 757))
    known = [v for v in values if v is not None]
    levels = [float(line.attrib["y1"]) for line in root.iter(f"{NS}line") if line.attrib["stroke"] == "#D5DADE"]
    base, top, most = max(levels), min(levels), ticks(max(known, default=1.0))[-1]
    circles = [float(c.attrib["cy"]) for c in root.iter(f"{NS}circle")]
    assert len(circles) == len(known)
    for y, value in zip(circles, known, strict=True):
        assert abs((base - y) / (base - top) - value / most) < 0.01
    joined = sum(
        a is not None and b is not None and i not in breaks
        for i, (a, b) in enumerate(itertools.pairwise(values), start=1)
    )
    assert sum(line.attrib["stroke"] == PARTS[0] for line in root.iter(f"{NS}line")) == joined
    dotted = [
        line
        for line in root.iter(f"{NS}line")
        if line.attrib["x1"] == line.attrib["x2"] and "stroke-dasharray" in line.attrib
    ]
    assert len(dotted) == len(breaks)
    # Two labels that would cover one another are one.
    assert min(len(breaks), 1) <= words_of(root).count("not comparable with earlier years") <= len(breaks)


@FEW
@given(st.lists(st.tuples(st.floats(20, 80), st.floats(0, 9)), min_size=2, max_size=9), st.sampled_from([0.0, 10.0]))
def test_series_with_intervals_and_a_scale_of_their_own(values: list[tuple[float, float]], floor: float) -> None:
    """Each figure and both ends of its interval lie where the scale says, which names where it begins."""
    years = tuple(str(2010 + i) for i in range(len(values)))
    ends = tuple((v - half, v + half) for v, half in values)
    lines = (("A", tuple(v for v, _ in values)), ("B", tuple(v + 1 for v, _ in values)))
    chart = SeriesLines("S", years, lines, (), Unit("%", 1), "S.", intervals=(ends, ends), floor=floor)
    root = root_of(draw(chart, THEME, 757))
    levels = [float(line.attrib["y1"]) for line in root.iter(f"{NS}line") if line.attrib["stroke"] == "#D5DADE"]
    base, top = max(levels), min(levels)
    highest = max(max(e[1] for e in ends), max(v + 1 for v, _ in values))
    most = floor + ticks(highest - floor)[-1]

    def value(y: float) -> float:
        return floor + (base - y) / (base - top) * (most - floor)

    first = next(g for g in root.iter(f"{NS}g") if g.attrib.get("data-line") == "0")
    circles = [float(c.attrib["cy"]) for c in first.iter(f"{NS}circle")]
    assert [value(c) for c in circles] == pytest.approx([v for v, _ in values], abs=0.3)
    bars = [line.attrib for line in first.iter(f"{NS}line") if line.attrib["x1"] == line.attrib["x2"]]
    assert [value(float(b["y1"])) for b in bars] == pytest.approx([e[0] for e in ends], abs=0.3)
    assert [value(float(b["y2"])) for b in bars] == pytest.approx([e[1] for e in ends], abs=0.3)
    assert any("The scale begins at 10%" in w for w in words_of(root)) == bool(floor)
    assert "(" in chart.table()[1][0][1]


def test_where_a_scale_begins() -> None:
    assert floor_of(36.0, 48.0) == 34.0 and floor_of(3.0, 4.0) == 2.5 and floor_of(2.0, 20.0) == 0.0
    assert floor_of(0.0, 0.0) == 0.0


def test_several_series_have_their_names_at_the_end() -> None:
    lines = (("First", (1.0, 2.0)), ("Second", (1.0, 2.05)))
    root = root_of(draw(SeriesLines("Series", ("2015", "2016"), lines, (), Unit("people", 1), "Lines."), THEME, 500))
    said = words_of(root)
    assert "First: 2.0" in said and "Second: 2.1" in said


def spine_row(own: float | None) -> SpineRow:
    return SpineRow("A1 An indicator", own, "Not answered.", 10, 20, 30, 40, 60, Unit("beds"))


@FEW
@given(st.lists(st.none() | st.floats(0, 80), min_size=1, max_size=20))
def test_a_spine(values: list[float | None]) -> None:
    root = root_of(draw(Spine("Card", tuple(spine_row(v) for v in values), "A card."), THEME, 757))
    marks = [p.attrib["points"].split() for p in root.iter(f"{NS}polygon")]
    rects = list(root.iter(f"{NS}rect"))
    start, wide = float(rects[0].attrib["x"]), float(rects[0].attrib["width"])
    known = [v for v in values if v is not None]
    assert len(marks) == len(known) and words_of(root).count("none") == len(values) - len(known)
    for points, value in zip(marks, known, strict=True):
        x = float(points[0].split(",")[0])
        # A figure of a whole area may lie beyond those of all organisations; its mark stands at the end.
        assert abs((x - start) / wide - min(max((value - 10) / 50, 0), 1)) < 0.01
    low, high = float(rects[1].attrib["x"]), float(rects[1].attrib["x"]) + float(rects[1].attrib["width"])
    assert abs((low - start) / wide - 0.2) < 0.01 and abs((high - start) / wide - 0.6) < 0.01


def test_a_heat_table() -> None:
    chart = HeatTable(
        "Heat", ("One", "A column with quite a long name"), (("Row", (0.0, 100.0)), ("Other", (None, 49.6))), "Heat."
    )
    root = root_of(draw(chart, THEME, 757))
    assert [r.attrib["fill"] for r in root.iter(f"{NS}rect")] == [LEVELS[0], LEVELS[4], "#FFFFFF", LEVELS[2]]
    assert words_of(root)[-6:] == ["Row", "0%", "100%", "Other", "-", "50%"]


@pytest.mark.parametrize(
    ("value", "text"), [(1234, "£1,234"), (5.32e6, "£5.32m"), (2.38e9, "£2.38bn"), (0, "£0"), (999_999.6, "£1,000,000")]
)
def test_money(value: float, text: str) -> None:
    assert money(value) == text == Unit("£ a person").text(value)


def test_figures_as_they_are_written() -> None:
    assert [Unit("%").text(v) for v in (0, 0.2, 0.6, 99.5, None)] == ["0%", "under 1%", "1%", "100%", "-"]
    assert Unit("beds", 1).text(0.04) == "under 0.1" and Unit("beds", 1).text(1234.56) == "1,234.6"
    assert axis_text(Unit("£"), 2e6) == "£2.00m" and axis_text(Unit("%"), 40) == "40%"
    assert ticks(0) == [0.0, 1.0] and ticks(97)[-1] == 100 and ticks(2.38e9)[-1] == 2.5e9


FUNNEL = RateFunnel(
    "Funnel",
    (FunnelPoint("T001", 1000.4, 20.04), FunnelPoint("Own Trust", 3000.0, 9.96, "own"), FunnelPoint("T3", 2000.0, 15.0, "near")),
    12.04,
    (("95%", ((500.0, 5.0, 40.0), (3000.0, 9.0, 16.0))), ("99.8%", ((500.0, 2.0, 60.0), (3000.0, 8.0, 18.0)))),
    Unit("people per 100,000", 1),
    "People",
    "Region",
    "A funnel of rates.",
)  # fmt: skip
CHARTS: tuple[FigureChart, ...] = (
    FigureBars("Bars", (FigureBar("T1", "T001", 1.26), FigureBar("T2", "Own Trust", 2.34, "own")), 1.8, 1.8, Unit("beds", 1), "Region", "Bars of beds."),
    PartBars("Parts", (("One", 5_321_987.0, None), ("Two", 12.4, 999.6)), Unit("£"), "Own", "Parts of money."),
    StackedShares("Shares", ("A", "B"), (("Row", (33.4, 66.6)), ("None", None)), "Shares of rows."),
    SeriesLines("Series", ("2015", "2016"), (("", (1.25, None)),), (), Unit("WTE", 1), "A series of staff."),
    SeriesLines("Two", ("2015", "2016"), (("A", (1.0, 2.0)), ("B", (2.0, 1.0))), (1,), Unit("%"), "Two series of shares."),
    tile_map([5.0, None, 25.0]),
    AreaMap("Areas", (), tile_map([5.0, None, 25.0]), "A map of areas."),
    Spine("Card", (spine_row(25), spine_row(None)), "A card of figures."),
    HeatTable("Heat", ("A", "B"), (("Row", (10.0, None)),), "A table of shares."),
    FUNNEL,
)  # fmt: skip


def test_every_kind_on_a_slide_and_no_digit_more_than_is_shown() -> None:
    assert {type(c) for c in CHARTS} == set(get_args(FigureChart))
    pages = tuple(Page("display", f"Page {i}", (Figure(c),)) for i, c in enumerate(CHARTS))
    report = Report("Title", "Subtitle", "Own", "T2", "Day", pages, "digest")
    deck = Presentation(io.BytesIO(deck_bytes(report, THEME)))
    found: dict[str, list[tuple[object, ...]]] = {}
    for slide in deck.slides:
        for shape in slide.shapes:
            if shape.has_chart:
                title = slide.shapes.title.text_frame.text
                found[title] = [tuple(s.values) for s in shape.chart.plots[0].series]
    assert found["Page 0"][:2] == [(1.3, None), (None, 2.3)]
    assert found["Page 1"] == [(5_320_000.0, 12.0), (None, 1000.0)]
    assert found["Page 2"] == [(33.0, None), (67.0, None)]
    assert found["Page 3"] == [(1.3, None)]
    # Each series has as many places as the longest; no digit more than is shown.
    assert [v[0] for v in found["Page 9"]] == [20.0, 15.0, 10.0, 12.0, 5.0, 16.0, 2.0, 18.0]
    texts = {
        c.text_frame.text
        for s in deck.slides
        for sh in s.shapes
        if sh.has_table
        for r in sh.table.rows
        for c in r.cells
    }
    assert {"► 0 · 5.0", "1", "2 · 25.0", "no figure", "25", "10%"} <= texts


def test_a_funnel_and_its_layers() -> None:
    """Everybody's points and the limits once, the reader's own over them at the same places."""
    whole, base, over = (draw(replace(FUNNEL, layer=layer), THEME, 700) for layer in ("all", "base", "over"))  # type: ignore[arg-type]
    assert base.count("<circle") == 3 and "Own Trust" not in base and "polyline" in base
    assert over.count("<circle") == 1 and "Own Trust 10.0" in over and "polyline" not in over
    assert whole.count("polyline") == 4
    at = set(re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', base))
    assert set(re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', over)) <= at
    for drawn in (whole, base, over):
        root_of(drawn)
    assert FUNNEL.own_table()[1] == (("Own Trust", "3,000", "10.0"),)

"""Drawn charts read back: from the SVG's geometry to a number, which must be the model's, for every kind of chart."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import drawings
from drawings import THEME, Picture, Word, check, check_breaks, from_svg
from stocktake.render.labels import side_by_side
from stocktake.render.measure_drawings import marks_of
from stocktake.render.svg import draw
from stocktake.render.theme import NARROW as PHONE
from stocktake.render.theme import Theme, contrast, ink_on
from stocktake.reports.charts import (
    BandKey,
    BandStrip,
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
from stocktake.reports.figure_charts import FigureChart
from stocktake.reports.measure_charts import Dot, RankedDots
from stocktake.reports.summary_charts import ChangeDots, ChangeRow, Scorecard
from stocktake.reports.words import rounded

RELAXED = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
# A whole page's width and that of half a page, on paper and on the web.
WIDE, NARROW = st.floats(640, 760), st.floats(320, 500)


def drawn(chart: Chart, width: float, theme: Theme = THEME) -> Picture:
    """The chart's drawing as shapes, none of which lies outside it."""
    picture = from_svg(draw(chart, theme, width))
    assert abs(picture.width - width) < 0.01
    assert [s for s in picture.outside() if not isinstance(s, Word)] == []
    return picture


@RELAXED
@given(chart=drawings.ranked_bars(), width=WIDE)
def test_ranked_bars(chart: RankedBars, width: float) -> None:
    picture = drawn(chart, width)
    check(picture, chart)
    assert picture.outside() == []


@RELAXED
@given(chart=drawings.ranked_bars(many=(1, 8)), width=WIDE)
def test_every_ranked_bar_is_named_with_its_score(chart: RankedBars, width: float) -> None:
    root = ET.fromstring(draw(chart, THEME, width))
    space = "{http://www.w3.org/2000/svg}"
    groups = root.findall(f"{space}g")
    assert [g.attrib["data-code"] for g in groups] == [b.code for b in chart.bars]
    for group, bar in zip(groups, chart.bars, strict=True):
        assert group.findtext(f"{space}title") == f"{bar.label} {rounded(bar.value)}"
        assert len(group.findall(f"{space}rect")) == 1


@RELAXED
@given(chart=drawings.band_strips(), width=NARROW | WIDE)
def test_band_strips(chart: BandStrip, width: float) -> None:
    check(drawn(chart, width), chart)


@pytest.mark.parametrize(("average", "own"), [(9.7, 9.5), (9.9, 10.0), (0.3, 0.6)])
def test_labels_of_band_strips_are_within_the_drawing(average: float, own: float) -> None:
    chart = BandStrip(None, 0.2, 10.0, own, average, None, "Scores near an end of the scale.")
    assert drawn(chart, 366).outside() == []


@RELAXED
@given(chart=drawings.paired_bars(), width=NARROW)
def test_paired_bars(chart: PairedBars, width: float) -> None:
    picture = drawn(chart, width)
    check(picture, chart)
    assert picture.outside() == []


@RELAXED
@given(chart=drawings.plain_bars(), width=NARROW)
def test_plain_bars(chart: PlainBars, width: float) -> None:
    picture = drawn(chart, width)
    check(picture, chart)
    assert picture.outside() == []


@RELAXED
@given(chart=drawings.funnels(), width=st.one_of(WIDE, st.just(340.0)))
def test_funnels(chart: Funnel, width: float) -> None:
    check(drawn(chart, width), chart)


@RELAXED
@given(chart=drawings.funnels(), width=st.one_of(WIDE, st.just(340.0)))
def test_every_point_of_a_funnel_is_named_with_its_score(chart: Funnel, width: float) -> None:
    space = "{http://www.w3.org/2000/svg}"
    (group,) = ET.fromstring(draw(chart, THEME, width)).findall(f"{space}g")
    points = sorted(chart.points, key=lambda p: p.own)
    assert [(m.attrib["data-code"], m.findtext(f"{space}title")) for m in group] == [
        (p.code, None if width < PHONE else f"{p.label} {rounded(p.value)}") for p in points
    ]
    for mark, point in zip(group, points, strict=True):
        assert mark.tag == f"{space}{'path' if drawings.TRIANGLES[point.band][0] else 'circle'}"


@RELAXED
@given(chart=drawings.trend_lines(), width=NARROW)
def test_trend_lines(chart: TrendLines, width: float) -> None:
    check(drawn(chart, width), chart)


def test_labels_of_trend_lines_are_within_the_drawing() -> None:
    chart = TrendLines((2023, 2024), (9.9, 10.0), (9.9, 10.0), (50, 50), "Scores at the top of the scale.")
    assert drawn(chart, 399).outside() == []


@RELAXED
@given(chart=drawings.trend_lines(gaps=False), width=NARROW)
def test_trend_lines_join_all_years_that_compare(chart: TrendLines, width: float) -> None:
    check_breaks(drawn(chart, width), chart)


@RELAXED
@given(chart=drawings.trend_lines(), width=NARROW)
def test_trend_lines_break_at_years_that_do_not_compare(chart: TrendLines, width: float) -> None:
    check_breaks(drawn(chart, width), chart)


@RELAXED
@given(chart=drawings.share_bars(), width=NARROW)
def test_share_bars(chart: ShareBars, width: float) -> None:
    picture = drawn(chart, width)
    check(picture, chart)
    assert picture.outside() == []


@RELAXED
@given(chart=drawings.count_bars(), width=NARROW)
def test_count_bars(chart: CountBars, width: float) -> None:
    picture = drawn(chart, width)
    check(picture, chart)
    assert picture.outside() == []


@RELAXED
@given(chart=drawings.band_keys(), width=NARROW | WIDE)
def test_band_keys(chart: BandKey, width: float) -> None:
    picture = drawn(chart, width)
    check(picture, chart)
    assert picture.outside() == []


@RELAXED
@given(chart=drawings.share_bars(), width=NARROW)
def test_shares_are_drawn_on_one_scale_whatever_they_are(chart: ShareBars, width: float) -> None:
    """Charts of several characteristics stand one below another, so a per cent is as long in each."""
    whole = drawn(ShareBars((("Yes", 100.0, None),), "All said yes."), width).rects[0]
    shown = [own for _, own, _ in chart.rows if own is not None]
    for rect, own in zip(drawn(chart, width).rects, shown, strict=True):
        assert rect.left == whole.left
        assert abs((rect.right - rect.left) - own / 100 * (whole.right - whole.left)) < drawings.PX


def test_a_funnel_of_a_single_point() -> None:
    point = Point("T1", "Trust", 0.25, 6.3, 5, True)
    picture = drawn(Funnel("Funnel", (point,), 6.0, (1.645, 1.96, 3.09), "One point alone.", drawings.BANDS), 640)
    (mark,) = picture.polygons(3)
    axis = drawings.upright_scale(picture)
    assert mark.points_up() and abs(mark.y - axis.pixel(6.3)) < 0.5


@RELAXED
@given(chart=drawings.scorecards(), width=WIDE)
def test_scorecards(chart: Scorecard, width: float) -> None:
    picture = drawn(chart, width)
    check(picture, chart)
    assert picture.outside() == []


@RELAXED
@given(chart=drawings.change_dots(), width=WIDE)
def test_changes_about_zero(chart: ChangeDots, width: float) -> None:
    picture = drawn(chart, width)
    check(picture, chart)
    assert picture.outside() == []


def test_parts_of_a_long_chart_have_its_scale() -> None:
    rows = tuple(ChangeRow(f"Q{i}", f"Q{i}", 5.0, 5.0 + i / 20, i / 20, None, None, None) for i in range(40))
    parts = ChangeDots("Change", rows, (2023, 2024), "Changes.").parts(18)
    assert [len(p.rows) for p in parts] == [14, 14, 12] and {p.reach for p in parts} == {2.0}
    assert tuple(r for p in parts for r in p.rows) == rows


SVG = "{http://www.w3.org/2000/svg}"


@RELAXED
@given(chart=drawings.ranked_dots())
def test_ranked_dots(chart: RankedDots) -> None:
    """Every mark stands in its place and at its score, in the shape of its band, with its interval, name and link."""
    root = ET.fromstring(draw(chart, THEME, 1))
    ticks = root.find(f"{SVG}g[@class='ticks']")
    assert ticks is not None
    low, high, top, plot = map(float, ticks.attrib["data-scale-ends"].split())
    labels = [float(t.text or "") for t in ticks.findall(f"{SVG}text")]
    levels = [float(g.attrib["y1"]) for g in ticks.findall(f"{SVG}line")]
    assert (labels[0], labels[-1]) == (low, high) and labels == list(chart.scale())
    for label, level in zip(labels, levels, strict=True):
        assert abs(level - (top + (high - label) / (high - low) * plot)) < 0.02
    drawings.check_fitted(labels, [*(d.score for d in chart.dots), chart.average])

    def y(value: float) -> float:
        return top + (high - min(max(value, low), high)) / (high - low) * plot

    # Without links nothing has a name, and marks stand one after another.
    marks = [e for e in root.iter(f"{SVG}a") if "data-code" in e.attrib]
    assert [m.attrib["data-code"] for m in marks] == ([d.code for d in chart.dots] if chart.links else [])
    places = marks_of(chart).places[chart.size]
    centres = []
    for mark, dot in zip(marks, chart.dots, strict=False):
        assert mark.attrib["href"] == f"../trusts/{dot.code}.html"
        name = mark.findtext(f"{SVG}title")
        assert (
            (name is None) if chart.size == "narrow" else (name or "").startswith(f"{dot.label}: {rounded(dot.score)}")
        )
        shapes = [e for e in mark if e.tag != f"{SVG}title"]
        if dot.low is not None and dot.high is not None:
            whisker = shapes.pop(0)
            _, begin, end = map(float, re.fullmatch(r"M(\S+) (\S+)V(\S+)", whisker.attrib["d"]).groups())  # type: ignore[union-attr]
            assert abs(begin - y(dot.low)) < 0.06 and abs(end - y(dot.high)) < 0.06
        (shape,) = shapes
        if dot.band in (None, 4):
            at = (float(shape.attrib["cx"]), float(shape.attrib["cy"]))
            assert "fill" not in shape.attrib
        else:
            left, foot, wide, middle, tip = map(
                float,
                re.fullmatch(r"M(\S+) (\S+)h(\S+)L(\S+) (\S+)z", shape.attrib["d"]).groups(),  # type: ignore[union-attr]
            )
            assert abs(left + wide / 2 - middle) < 0.11 and (tip < foot) is ((dot.band or 4) > 4)
            assert shape.attrib["fill"] == THEME.band_colours[(dot.band or 4) - 1]
            at = (middle, foot + (tip - foot) * 0.7 / 1.7)
        assert abs(at[1] - y(dot.score)) < 0.15
        assert all(abs(a - b) < 0.15 for a, b in zip(at, places[dot.code], strict=True)) or not low <= dot.score <= high
        centres.append(at[0])
    steps = [b - a for a, b in pairwise(centres)]
    assert max(steps, default=0) - min(steps, default=0) < 0.25
    average = root.find(f"{SVG}g[@class='average']/{SVG}line")
    assert (average is None) is (chart.average is None)
    if average is not None and chart.average is not None:
        assert abs(float(average.attrib["y1"]) - y(chart.average)) < 0.02


def test_thousands_of_organisations_are_few_shapes_and_none_outside_is_lost() -> None:
    """6,000 marks, of which 40 lie outside the range: one path of intervals, and every one of the 40."""
    dots = tuple(
        Dot(f"T{i}", f"T{i}", i / 600, i / 600 - 0.2, i / 600 + 0.2, 7 if i % 150 == 0 else 4) for i in range(6000)
    )
    chart = RankedDots("Dots", dots, 5.0, drawings.BANDS, "Marks of thousands of organisations in order.")
    svg = draw(chart, THEME, 1)
    paths = ET.fromstring(svg).findall(f"{SVG}path")
    assert len(paths) == 3 and len(svg) < 150_000
    outside = next(p for p in paths if p.attrib["stroke"] == THEME.band_colours[6])
    assert outside.attrib["d"].count("M") == 40
    points = tuple(Point(f"T{i}", f"T{i}", 0.2 + i / 6000, 5.0, 1 if i % 150 == 0 else 4) for i in range(6000))
    funnel = Funnel("Funnel", points, 5.0, (1.0, 2.0, 3.0), "A funnel of thousands of organisations.", drawings.BANDS)
    drawn_paths = ET.fromstring(draw(funnel, THEME, 640)).findall(f"{SVG}path")
    assert [p.attrib["d"].count("M") for p in drawn_paths] == [5960, 40]


def test_every_kind_of_chart_is_read_back() -> None:
    """A new kind of chart needs a strategy and a check here."""
    kinds = {RankedBars, BandStrip, PairedBars, PlainBars, Funnel, TrendLines, ShareBars, CountBars, BandKey}
    kinds |= {Scorecard, ChangeDots, RankedDots}
    assert set(get_args(Chart)) == kinds | set(get_args(FigureChart))


def test_contrast_is_that_of_the_guidelines() -> None:
    """Black on white 21 to 1, alike colours 1 to 1, and the grey of the WCAG's own example 4.5."""
    assert contrast("#000000", "#FFFFFF") == contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#2A0A3A", "#2A0A3A") == 1
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.005)
    assert contrast("#101010", "#FFFFFF") == pytest.approx(19.0, abs=0.1)
    # 4.62 to 1 with black, 4.54 with white.
    assert (ink_on("#767676"), ink_on("#757575")) == ("#000000", "#FFFFFF")


def test_two_labels_side_by_side_by_hand() -> None:
    """Marks at 50 and 52, labels 20 and 10 wide, 4 between: they overlap by 17, and each moves by half of it."""
    assert side_by_side([50, 52], [20, 10], 0, 100, 4) == [31.5, 55.5]
    assert side_by_side([20, 80], [20, 10], 0, 100, 4) == [10, 75]
    assert side_by_side([50], [20], 0, 100, 4) == [40]
    # Within the ends, and still apart.
    assert side_by_side([1, 2], [20, 10], 0, 100, 4) == [0, 24]
    assert side_by_side([99, 99], [20, 10], 0, 100, 4) == [66, 90]

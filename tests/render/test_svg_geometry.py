"""Drawn charts read back: from the SVG's geometry to a number, which must be the model's, for every kind of chart."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import drawings
from drawings import THEME, Picture, Word, check, check_breaks, from_svg
from stocktake.render.svg import contrast, draw, ink_on, side_by_side
from stocktake.render.theme import Theme
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
@given(chart=drawings.funnels(), width=WIDE)
def test_funnels(chart: Funnel, width: float) -> None:
    check(drawn(chart, width), chart)


@RELAXED
@given(chart=drawings.funnels(), width=WIDE)
def test_every_point_of_a_funnel_is_named_with_its_score(chart: Funnel, width: float) -> None:
    space = "{http://www.w3.org/2000/svg}"
    groups = ET.fromstring(draw(chart, THEME, width)).findall(f"{space}g")
    points = sorted(chart.points, key=lambda p: p.own)
    assert [(g.attrib["data-code"], g.findtext(f"{space}title")) for g in groups] == [
        (p.code, f"{p.label} {rounded(p.value)}") for p in points
    ]
    for group, point in zip(groups, points, strict=True):
        many = drawings.TRIANGLES[point.band][0]
        assert len(group.findall(f"{space}polygon")) == many
        assert len(group.findall(f"{space}circle")) == (many == 0)


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


def test_every_kind_of_chart_is_read_back() -> None:
    """A new kind of chart needs a strategy and a check here."""
    kinds = {RankedBars, BandStrip, PairedBars, PlainBars, Funnel, TrendLines, ShareBars, CountBars, BandKey}
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

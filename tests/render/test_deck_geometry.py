"""Native charts of decks read back: data, axes, fills and the marks laid over them, which must be the model's numbers."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import python_calamine
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches

import drawings
from drawings import THEME, segments_of, width_of
from stocktake.render.deck import deck_bytes
from stocktake.render.deck.charts import height_of
from stocktake.reports.charts import (
    BandKey,
    BandStrip,
    Chart,
    CountBars,
    PairedBars,
    PlainBars,
    RankedBars,
    ShareBars,
    TrendLines,
)
from stocktake.reports.model import Block, Columns, Figure, Page, Report
from stocktake.reports.summary_charts import ChangeDots, Scorecard
from stocktake.reports.words import as_shown, per_cent, rounded

FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
SIGNS = {1: "▼▼▼", 2: "▼▼", 3: "▼", 4: "", 5: "▲", 6: "▲▲", 7: "▲▲▲"}


@dataclass(frozen=True)
class Drawn:
    """One chart's slide: its shapes, and the colours that the deck's theme has under each name."""

    slide: Any
    scheme: dict[str, str]

    @property
    def frame(self) -> Any:
        (frame,) = [s for s in self.slide.shapes if s.has_chart]
        return frame

    @property
    def chart(self) -> Any:
        return self.frame.chart

    def colour(self, holder: Any) -> str:
        """The colour that stands inside a fill or a line."""
        (element,) = [e for e in holder if e.tag in (qn("a:srgbClr"), qn("a:schemeClr"))]
        assert len(element) == 0, "no shade of a colour"
        return "#" + element.get("val") if element.tag == qn("a:srgbClr") else self.scheme[element.get("val")]

    def fill(self, holder: Any) -> tuple[str, str]:
        """The pattern of a shape's fill ('solid', 'none') and its colour, which is a pattern's ground."""
        look = holder.find(qn("c:spPr"))
        if (solid := look.find(qn("a:solidFill"))) is not None:
            return "solid", self.colour(solid)
        if (pattern := look.find(qn("a:pattFill"))) is not None:
            return pattern.get("prst"), self.colour(pattern.find(qn("a:bgClr")))
        assert look.find(qn("a:noFill")) is not None
        return "none", ""

    def line(self, look: Any) -> tuple[str, bool]:
        """A line's colour, and whether it is dashed."""
        line = look.find(qn("a:ln"))
        dash = line.find(qn("a:prstDash"))
        return self.colour(line.find(qn("a:solidFill"))), dash is not None and dash.get("val") != "solid"

    def marks(self) -> list[tuple[Any, str, bool]]:
        """The lines laid over the chart, with their colours and whether they are dashed."""
        lines = [s for s in self.slide.shapes if s._element.tag == qn("p:cxnSp")]
        return [(s, *self.line(s._element.find(qn("p:spPr")))) for s in lines]


def deck_of(report: Report) -> Any:
    """The report's deck, written and opened again."""
    return Presentation(io.BytesIO(deck_bytes(report, THEME)))


def slides_with(charts: tuple[Chart, ...], halves: bool = False) -> Iterator[Drawn]:
    """A deck with one chart a slide, over the whole or half the width."""
    pages = [Page("cover", "Trust", ())]
    for i, chart in enumerate(charts):
        blocks: tuple[Block, ...] = (Columns((Figure(chart),), ()),) if halves else (Figure(chart),)
        pages.append(Page("test", f"Chart {i}", blocks, f"chart-{i}", "Charts"))
    deck = deck_of(Report("Report", "Sub", "Trust", "T1", "", tuple(pages), "d"))
    master = deck.slide_master
    theme = next(r.target_part for r in master.part.rels.values() if r.reltype.endswith("/theme"))
    scheme = {
        n: "#" + c.upper()
        for n, c in re.findall(rb'<a:(\w+)>\s*<a:srgbClr val="(\w+)"', theme.blob, re.S)
        for n, c in [(n.decode(), c.decode())]
    }
    mapped = master._element.find(qn("p:clrMap")).attrib
    scheme |= {name: scheme[target] for name, target in mapped.items() if target in scheme}
    by_title = {s.shapes.title.text_frame.text: s for s in deck.slides}
    for i in range(len(charts)):
        yield Drawn(by_title[f"Chart {i}"], scheme)


# What all charts have in common


def check_axis(chart: Any, most: float | None) -> None:
    """A value axis from zero upwards or to the right; there is but one, so that all series have the same scale."""
    space = chart._chartSpace
    (axis,) = space.iter(qn("c:valAx"))
    assert [e.get("val") for e in axis.iter(qn("c:orientation"))] in ([], ["minMax"])
    assert chart.value_axis.minimum_scale == 0 and chart.value_axis.maximum_scale == most
    assert axis.find(f"{qn('c:scaling')}/{qn('c:logBase')}") is None
    used = {tuple(sorted(a.get("val") for a in p._element.findall(qn("c:axId")))) for p in chart.plots}
    assert len(used) == 1


def check_downwards(chart: Any) -> None:
    """The first category of horizontal bars at the top: bars run from the left, categories from above."""
    (bars,) = chart._chartSpace.iter(qn("c:barChart"))
    assert bars.find(qn("c:barDir")).get("val") == "bar"
    (axis,) = chart._chartSpace.iter(qn("c:catAx"))
    assert next(axis.iter(qn("c:orientation"))).get("val") == "maxMin"


def check_workbook(chart: Any) -> None:
    """The workbook inside holds the categories and values that are drawn."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
    header, *rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    series = [s for p in chart.plots for s in p.series]
    assert sorted(header[1:]) == sorted(s.name for s in series)
    assert [str(r[0]) for r in rows] == list(chart.plots[0].categories)
    for one in series:
        column = header.index(one.name)
        assert [None if r[column] == "" else r[column] for r in rows] == list(one.values)


def check_band_fill(drawn: Drawn, holder: Any, band: int) -> str:
    """A band's own colour, under lines that fall for worse and rise for better; the pattern's name."""
    pattern, colour = drawn.fill(holder)
    assert colour == THEME.band_colours[band - 1]
    if band == 4:
        assert pattern == "solid"
    else:
        assert ("Dn" if band < 4 else "Up") in pattern
    return pattern


# Each kind of chart


def check_ranked(drawn: Drawn, model: RankedBars) -> None:
    chart = drawn.chart
    check_axis(chart, 10)
    check_workbook(chart)
    bars, *over = chart.plots
    assert bars._element.find(qn("c:barDir")).get("val") == "col"
    assert bars.overlap == 100, "every bar in its own place whatever its series"
    assert list(bars.categories) == [b.label for b in model.bars]
    names: list[str] = []
    for at, bar in enumerate(model.bars):
        here = [s for s in bars.series if s.values[at] is not None]
        assert [s.values[at] for s in here] == [as_shown(bar.value)]
        names.append(here[0].name)
    assert names == ["This organisation" if b.own else drawings.BANDS[(b.band or 4) - 1] for b in model.bars]
    patterns = set()
    for series in bars.series:
        if series.name == "This organisation":
            assert drawn.fill(series._element) == ("solid", THEME.own)
        else:
            patterns.add(check_band_fill(drawn, series._element, drawings.BANDS.index(series.name) + 1))
    assert len(patterns) == len({n for n in names if n in drawings.BANDS}), "a pattern of its own for every band"
    assert len(over) == (model.average is not None)
    for plot in over:
        (line,) = plot.series
        assert line.name == "National average" and model.average is not None
        assert list(line.values) == [as_shown(model.average)] * len(model.bars)
        assert drawn.line(line._element.find(qn("c:spPr"))) == (THEME.average, True)


def plot_area(drawn: Drawn) -> tuple[float, float, float, float]:
    """Left, top, width and height of the inner plot area on the slide, from the chart's fixed layout."""
    frame = drawn.frame
    (area,) = drawn.chart._chartSpace.iter(qn("c:plotArea"))
    layout = area.find(f"{qn('c:layout')}/{qn('c:manualLayout')}")
    output = {e.tag.rpartition("}")[2]: e.get("val") for e in layout}
    assert (output["layoutTarget"], output["xMode"], output["yMode"]) == ("inner", "edge", "edge")
    x, y, w, h = (float(output[n]) for n in "xywh")
    return frame.left + x * frame.width, frame.top + y * frame.height, w * frame.width, h * frame.height


def check_strip(drawn: Drawn, model: BandStrip) -> None:
    chart = drawn.chart
    check_axis(chart, 10)
    check_workbook(chart)
    (plot,) = chart.plots
    assert plot._element.find(qn("c:barDir")).get("val") == "bar"
    assert plot._element.find(qn("c:grouping")).get("val") == "stacked" and plot.overlap == 100
    blank, *series = plot.series
    assert drawn.fill(blank._element) == ("none", "")
    expected = segments_of(model) or [(0, model.lowest, model.highest)]
    assert len(series) == len(expected)
    (at,) = blank.values
    assert at == as_shown(model.lowest)
    wide = drawn.frame.width / 10 / Inches(1)
    for one, (band, low, high) in zip(series, expected, strict=True):
        assert at == pytest.approx(as_shown(low), abs=1e-9)
        at += one.values[0]
        assert at == pytest.approx(as_shown(high), abs=1e-9)
        if band == 0:
            assert drawn.fill(one._element)[0] == "none"
            continue
        assert one.name == drawings.BANDS[band - 1].removesuffix(" than expected")
        assert drawn.fill(one._element) == ("solid", THEME.band_colours[band - 1])
        formats = [e.get("formatCode") for e in one._element.iter(qn("c:numFmt")) if e.getparent().tag == qn("c:dLbls")]
        if formats or (SIGNS[band] and (high - low) * wide > 0.6):
            assert formats == [f'"{SIGNS[band]}"']
    left, top, width, height = plot_area(drawn)
    low, high = chart.value_axis.minimum_scale, chart.value_axis.maximum_scale

    def value(place: float) -> float:
        return low + (place - left) / width * (high - low)

    marks = drawn.marks()
    stars = [s for s in drawn.slide.shapes if s._element.xpath(".//a:prstGeom[@prst='star5']")]
    colour = THEME.accent if model.star else THEME.average
    shown = model.own is not None
    assert [m[1:] for m in marks] == [
        (colour, not model.star),
        *([(THEME.own, False)] if shown and not model.star else []),
    ]
    assert len(stars) == (shown and model.star)
    places = [model.average, *([model.own] if shown and not model.star else [])]
    for (mark, *_), place in zip(marks, places, strict=True):
        assert mark.begin_x == mark.end_x and value(mark.begin_x) == pytest.approx(place, abs=0.002)
        assert mark.top <= top and mark.top + mark.height >= top + height
    for star in stars:
        assert value(star.left + star.width / 2) == pytest.approx(model.own, abs=0.002)
        assert top < star.top + star.height / 2 < top + height
        look = star._element.find(qn("p:spPr"))
        assert drawn.colour(look.find(qn("a:solidFill"))) == THEME.own
        assert not (star.rotation or star._element.xpath(".//a:xfrm[@flipH or @flipV]"))
    _check_strip_labels(drawn, model, lambda v: left + (v - low) / (high - low) * width)


def _labels(drawn: Drawn) -> dict[str, Any]:
    boxes = [s for s in drawn.slide.shapes if s.has_text_frame and s._element.xpath(".//p:cNvSpPr[@txBox]")]
    return {s.text_frame.text: s for s in boxes}


def _check_strip_labels(drawn: Drawn, model: BandStrip, place: Callable[[float], float]) -> None:
    """Labels with the rounded figures, each at its mark and within the chart's width."""
    labels = _labels(drawn)
    expected = {f"Average {rounded(model.average)}": model.average}
    if model.own is not None:
        expected[f"You {rounded(model.own)}"] = model.own
    assert set(labels) == set(expected)
    frame = drawn.frame
    for words, score in expected.items():
        box = labels[words]
        # Two labels that would cover one another, or leave the chart, stand side by side, a little away from their marks.
        slack = Inches(1.1 if model.own is not None and abs(model.own - model.average) < 3 else 0.07)
        assert box.left - slack <= place(score) <= box.left + box.width + slack
        assert frame.left - 2 <= box.left and box.left + box.width <= frame.left + frame.width + 2


def check_two_bars(drawn: Drawn, labels: list[str], values: list[list[float | None]], near: float, most: float) -> None:
    chart = drawn.chart
    check_axis(chart, most)
    check_downwards(chart)
    check_workbook(chart)
    (plot,) = chart.plots
    assert plot._element.find(qn("c:grouping")).get("val") == "clustered"
    assert list(plot.categories) == labels
    for series, expected in zip(plot.series, values, strict=True):
        for got, wanted in zip(series.values, expected, strict=True):
            assert (got is None) == (wanted is None)
            assert got is None or got == pytest.approx(wanted, abs=near)
            assert not wanted or got > 0
    assert drawn.fill(plot.series[0]._element) == ("solid", THEME.accent)
    assert drawn.fill(plot.series[1]._element)[0] == "wdUpDiag"
    ground = plot.series[1]._element.find(f"{qn('c:spPr')}/{qn('a:pattFill')}/{qn('a:fgClr')}")
    assert drawn.colour(ground) == THEME.average
    assert plot.has_data_labels and plot.data_labels.show_value


def check_paired(drawn: Drawn, model: PairedBars) -> None:
    values = [[as_shown(own) for _, own, _, _ in model.rows], [as_shown(a) for _, _, a, _ in model.rows]]
    # Exact to the digit that is shown.
    check_two_bars(drawn, [label for label, *_ in model.rows], values, 1e-9, 10)
    assert [s.name for s in drawn.chart.plots[0].series] == ["This organisation", "National average"]
    assert drawn.chart.plots[0].data_labels.number_format == "0.0"


def check_share(drawn: Drawn, model: ShareBars) -> None:
    values: list[list[float | None]] = [[own for _, own, _ in model.rows], [all_ for _, _, all_ in model.rows]]
    labels = [f"{label}{'' if own is not None else ' (not shown)'}" for label, own, _ in model.rows]
    check_two_bars(drawn, labels, values, 0.5, 100)
    assert [s.name for s in drawn.chart.plots[0].series] == [f"This {model.word}", f"All {model.word}s"]


def check_plain(drawn: Drawn, model: PlainBars) -> None:
    chart = drawn.chart
    check_axis(chart, 10)
    check_downwards(chart)
    check_workbook(chart)
    (plot,) = chart.plots
    (series,) = plot.series
    assert list(series.values) == [None if s is None else as_shown(s) for _, s, _ in model.rows]
    assert list(plot.categories) == [f"{q}{'' if s is not None else ' (not shown)'}" for q, s, _ in model.rows]
    assert drawn.fill(series._element) == ("solid", THEME.average)
    assert plot.has_data_labels and plot.data_labels.show_value


def check_count(drawn: Drawn, model: CountBars) -> None:
    chart = drawn.chart
    check_axis(chart, None)
    check_downwards(chart)
    check_workbook(chart)
    (plot,) = chart.plots
    (series,) = plot.series
    assert list(plot.categories) == [label for label, *_ in model.rows]
    assert list(series.values) == [n for _, n, _ in model.rows]
    points = {int(p.find(qn("c:idx")).get("val")): p for p in series._element.findall(qn("c:dPt"))}
    for i, (_, _, tone) in enumerate(model.rows):
        if tone.isdigit():
            check_band_fill(drawn, points[i], int(tone))
        else:
            pattern, colour = drawn.fill(points[i])
            # The grey of "about the same" says nothing of better or worse.
            assert pattern == "solid" and colour not in THEME.band_colours[:3] + THEME.band_colours[4:]
    assert plot.has_data_labels and plot.data_labels.show_value


def check_trend(drawn: Drawn, model: TrendLines) -> None:
    """A year without a score has no value, and lines leave a gap there."""
    chart = drawn.chart
    axis, marks = chart.value_axis, model.scale()
    assert (axis.minimum_scale, axis.maximum_scale, axis.major_unit) == (marks[0], marks[-1], marks[1] - marks[0])
    check_workbook(chart)
    (plot,) = chart.plots
    check_error_bars(plot.series[0], model.own, model.intervals or (None,) * len(model.own))
    assert plot._element.tag == qn("c:lineChart") and plot._element.find(qn("c:grouping")).get("val") == "standard"
    assert [c[:4] for c in plot.categories] == [str(y) for y in model.years]
    assert [c[4:] for c in plot.categories] == [f" ({n} {model.word}s)" for n in model.organisations]
    own, average = plot.series
    assert (own.name, average.name) == (f"This {model.word}", "National average")
    for series, values, look in ((own, model.own, (THEME.own, False)), (average, model.average, (THEME.average, True))):
        assert list(series.values) == [None if v is None else as_shown(v) for v in values]
        assert series.smooth is False
        assert drawn.line(series._element.find(qn("c:spPr"))) == look
    (blanks,) = chart._chartSpace.iter(qn("c:dispBlanksAs"))
    assert blanks.get("val") == "gap"


def check_key(drawn: Drawn, model: BandKey) -> None:
    (table,) = [s.table for s in drawn.slide.shapes if s.has_table]
    names = [b.removesuffix(" than expected") for b in model.bands]
    expected = [(f"{SIGNS[i]} {n}".strip(), THEME.band_colours[i - 1]) for i, n in enumerate(names, start=1)]
    if model.own:
        expected.append((model.own, THEME.own))
    cells = [table.cell(0, i) for i in range(len(table.columns))]
    assert [(c.text_frame.text, f"#{c.fill.fore_color.rgb}") for c in cells] == expected


def check_error_bars(
    series: Any, values: Sequence[float | None], ends: Sequence[tuple[float, float] | None], places: int = 1
) -> None:
    """Error bars as long as the intervals, of none where there is none."""
    bars = list(series._element.iter(qn("c:errBars")))
    assert len(bars) == any(pair is not None for pair in ends)
    for bar in bars:
        for name, which in (("c:minus", 0), ("c:plus", 1)):
            lengths = [float(v.text) for v in bar.find(qn(name)).iter(qn("c:v"))]
            wanted = [
                0.0 if pair is None or v is None else abs(as_shown(pair[which], places) - as_shown(v))
                for pair, v in zip(ends, values, strict=True)
            ]
            assert lengths == pytest.approx(wanted, abs=1e-6)


def check_scorecard(drawn: Drawn, model: Scorecard) -> None:
    """A table of the same figures; the band's cell has its colour and triangles."""
    (table,) = [s.table for s in drawn.slide.shapes if s.has_table]
    header, rows = model.table()
    assert [table.cell(0, j).text_frame.text for j in range(len(header))] == list(header)
    for i, (row, own) in enumerate(zip(rows, model.rows, strict=True), start=1):
        words = [table.cell(i, j).text_frame.text for j in range(len(header))]
        signs = f"{SIGNS[own.band]} " if own.band and SIGNS[own.band] else ""
        assert words == [*row[:5], signs + row[5], *row[6:]]
        fill = f"#{table.cell(i, 5).fill.fore_color.rgb}"
        assert fill == (THEME.band_colours[own.band - 1] if own.band else "#FFFFFF")


def check_changes(drawn: Drawn, model: ChangeDots) -> None:
    """Bars of the differences with their intervals, dark where a change is more than chance, named with figure and verdict."""
    chart = drawn.chart
    check_workbook(chart)
    (plot,) = chart.plots
    (series,) = plot.series
    assert list(series.values) == [as_shown(r.difference) for r in model.rows]
    for category, r in zip(plot.categories, model.rows, strict=True):
        told = {"Increase": "gone up", "Decrease": "gone down", "No change": "no clear change", None: "not compared"}
        assert category.startswith(r.label) and category.endswith(f", {told[r.verdict]}")
    colours = [str(series.points[i].format.fill.fore_color.rgb) for i in range(len(model.rows))]
    assert colours == ["0B3C66" if r.verdict in ("Increase", "Decrease") else "B9CBDA" for r in model.rows]
    assert (chart.value_axis.minimum_scale, chart.value_axis.maximum_scale) == (-model.reach, model.reach)
    ends = [None if r.low is None or r.high is None else (r.low, r.high) for r in model.rows]
    check_error_bars(series, [r.difference for r in model.rows], ends, 2)


CHECKS: dict[type, Callable[[Drawn, Any], None]] = {
    RankedBars: check_ranked,
    BandStrip: check_strip,
    PairedBars: check_paired,
    PlainBars: check_plain,
    ShareBars: check_share,
    CountBars: check_count,
    TrendLines: check_trend,
    BandKey: check_key,
    Scorecard: check_scorecard,
    ChangeDots: check_changes,
}
CHARTS = st.tuples(
    drawings.ranked_bars(many=(1, 5, 53), marked=True),
    drawings.ranked_bars(many=(2, 12)),
    drawings.band_strips(star=False),
    drawings.band_strips(star=True),
    drawings.paired_bars(),
    drawings.plain_bars(),
    drawings.trend_lines(),
    drawings.share_bars(),
    drawings.count_bars(),
    drawings.band_keys(),
    drawings.scorecards((1, 12, 18)),
    drawings.change_dots((1, 12, 18)),
)


@FEW
@given(charts=CHARTS, halves=st.booleans())
def test_native_charts_are_the_models(charts: tuple[Chart, ...], halves: bool) -> None:
    for drawn, model in zip(slides_with(charts, halves), charts, strict=True):
        CHECKS[type(model)](drawn, model)
        described = {s._element.xpath(".//p:cNvPr")[0].get("descr") for s in drawn.slide.shapes}
        assert model.alt in described
        assert all(s.left >= 0 and s.left + s.width <= Emu(Inches(13.34)) for s in drawn.slide.shapes)


@FEW
@given(strips=st.lists(drawings.band_strips(), min_size=6, max_size=6))
def test_marks_lie_on_strips_where_the_scores_are(strips: list[BandStrip]) -> None:
    for drawn, model in zip(slides_with(tuple(strips), halves=True), strips, strict=True):
        check_strip(drawn, model)


def _as_formatted(value: float) -> str:
    """What a percentage's number format shows of a value."""
    if value == 0:
        return "0%"
    return "under 1%" if value < 0.5 else f"{rounded(value, 0)}%"


@pytest.mark.parametrize("share", [49.46, 0.46, 12.451])
def test_percentages_are_labelled_as_the_text_says_them(share: float) -> None:
    model = ShareBars((("Yes", share, 30.0),), "One share, a little below a rounding limit.")
    (drawn,) = slides_with((model,))
    plot = drawn.chart.plots[0]
    assert plot.data_labels.number_format == '[=0]"0%";[<0.5]"under 1%";0"%"'
    assert _as_formatted(plot.series[0].values[0]) == per_cent(share)


@pytest.mark.parametrize(("average", "own"), [(9.7, 9.5), (9.6, 9.7), (0.3, 0.4)])
def test_labels_of_strips_do_not_cover_one_another(average: float, own: float) -> None:
    model = BandStrip(None, 0.0, 10.0, own, average, None, "Scores near an end of the scale.")
    (drawn,) = slides_with((model,), halves=True)
    spans = []
    for words, box in _labels(drawn).items():
        wide = width_of(words, 10, words.startswith("You")) / 72 * Inches(1)
        align = box._element.xpath(".//a:pPr/@algn")[0]
        start = box.left + (box.width - wide) * {"l": 0.0, "ctr": 0.5, "r": 1.0}[align]
        spans.append((start, start + wide))
    (_, first), (second, _) = sorted(spans)
    assert first <= second


def test_heights_grow_with_the_rows_and_fit_a_slide() -> None:
    """Each kind with rows takes more for each row, and for a few of them less than a slide."""
    for kind, row in (
        (PairedBars, ("a", 1.0, 2.0, None)),
        (PlainBars, ("a", 1.0, 5)),
        (ShareBars, ("a", 1.0, 2.0)),
        (CountBars, ("a", 1, "1")),
    ):
        heights = [height_of(kind((row,) * n, "words"), 6.0) for n in (1, 2, 5)]  # type: ignore[operator]
        assert 0.3 < heights[0] < heights[1] < heights[2] < 4
        assert heights[1] - heights[0] == pytest.approx((heights[2] - heights[1]) / 3)

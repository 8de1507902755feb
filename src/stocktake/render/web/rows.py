"""Rows of many questions as HTML: small drawings beside their figures, which narrow screens stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from urllib.parse import quote

from stocktake.render.theme import Theme, ink_on
from stocktake.render.web.html import text
from stocktake.reports.charts import TRIANGLES, BandStrip, ShareBars, TrendLines, share_or_not, side
from stocktake.reports.figure_charts import Spine, SpineRow
from stocktake.reports.summary_charts import (
    VERDICT_MARKS,
    VERDICT_WORDS,
    ChangeDots,
    Scorecard,
    change_interval,
    interval_text,
)
from stocktake.reports.words import per_cent, rounded, signed

# The small drawings of rows are so many units wide and high.
WIDE, HIGH = 160, 16


def band_styles(theme: Theme) -> str:
    """The colours of bands as style rules: a ground for cells and a fill for drawings, with letters that can be read."""
    rules = [
        f".b{i},.nhsuk-table td.b{i}{{background:{colour};fill:{colour};color:{ink_on(colour)}}}"
        for i, colour in enumerate(theme.band_colours, start=1)
    ]
    # The drawing of a strip has its bands in order, so that none needs a name.
    rules += [f".bs :nth-child({i}){{fill:{colour}}}" for i, colour in enumerate(theme.band_colours, start=1)]
    return "\n".join([f":root{{--own:{theme.own};--average:{theme.average}}}", *rules]) + "\n"


def chip(band: int | None) -> str:
    """A band as a spot of its colour with its triangles; the words stand beside it."""
    return f'<i class="b b{band}">{TRIANGLES[band]}</i>' if band else '<i class="b"></i>'


def _line(x1: float, x2: float, y: float = 8) -> str:
    return f"M{x1:.0f} {y:g}H{x2:.0f}"


def _strip(parts: str) -> str:
    # As large as its units, so that it needs no box of its own; rows about a middle have that from the style sheet.
    return f'<svg class="st" aria-hidden="true">{parts}</svg>'


def _places(reach: float) -> Callable[[float], float]:
    """Where a number of points from the middle lies in a small drawing."""

    def x(points: float) -> float:
        return min(max(WIDE / 2 + points / reach * (WIDE / 2 - 4), 2.0), WIDE - 2.0)

    return x


def measure_link(measures: str, code: str) -> str:
    """The address of a measure's page; a script lets it mark the organisation whose page the link is on."""
    return f"{measures}{quote(code)}.html"


def _linked(words: str, measures: str, code: str, linked: bool) -> str:
    """Words that lead to a measure's page, or stand alone where there is none of the same figures."""
    return f'<a href="{measure_link(measures, code)}">{text(words)}</a>' if linked else text(words)


def scorecard_rows(
    chart: Scorecard, linked: bool, sections: Mapping[str, str], measures: str = "../measures/", wording: Callable[[str], str] | None = None
) -> str:  # fmt: skip
    """A scorecard as a table, whose questions lead to their pages where `linked`; `sections` are the lines above the questions of each, ready as HTML."""
    x = _places(chart.reach)
    since = chart.earlier
    head = f'<th scope="col">Question</th><th scope="col">People</th><th scope="col">Score</th><th scope="col">Average</th><th scope="col">Band</th><th scope="col">Points from the average, -{chart.reach:g} to +{chart.reach:g}</th>'
    head += f'<th scope="col">Since {since}</th>' if since is not None else ""
    columns = 7 if since is not None else 6
    out = [f'<div class="scroll" role="group" tabindex="0" aria-label="Every question"><table class="nhsuk-table rows card"><caption class="nhsuk-u-visually-hidden">Every question</caption><thead><tr>{head}</tr></thead>']  # fmt: skip
    section = None
    for r in chart.rows:
        if r.section != section:
            out.append("</tbody><tbody>" if section is not None else "<tbody>")
            if r.section in sections:
                out.append(f'<tr class="sec"><th scope="rowgroup" colspan="{columns}">{sections[r.section]}</th></tr>')
            section = r.section
        words = wording(r.code) if wording else r.label
        drawing = ""
        if r.average is not None and r.lowest is not None and r.highest is not None:
            a = r.average
            parts = ""
            if r.limits is not None:
                left, right = x(r.limits[0] - a), x(r.limits[1] - a)
                parts += f'<path class="e" d="M{left:.0f} 3v10H{right:.0f}V3z"/>'
            parts += f'<path class="s" d="{_line(x(r.lowest - a), x(r.highest - a))}"/>'
            if r.score is not None:
                if r.low is not None and r.high is not None:
                    parts += f'<path class="i" d="{_line(x(r.low - a), x(r.high - a))}"/>'
                parts += f'<path class="o" d="M{x(r.score - a):.0f} 2l5 6-5 6-5-6z"/>'
            drawing = _strip(parts)
        cells = [
            f'<th scope="row">{_linked(words, measures, r.code, linked)}</th>',
            f"<td>{'-' if r.n is None else f'{r.n:,}'}</td>",
            f"<td><b>{'-' if r.score is None else rounded(r.score)}</b></td>",
            f"<td>{'-' if r.average is None else rounded(r.average)}</td>",
            f"<td>{chip(r.band)} {text(r.band_text.removesuffix(' than expected'))}</td>",
            f"<td>{drawing}</td>",
        ]
        if since is not None:
            cells.append(f"<td>{_verdict(r.verdict)}</td>")
        out.append(f"<tr>{''.join(cells)}</tr>")
    return "".join(out) + "</tbody></table></div>\n"


def _verdict(verdict: str | None) -> str:
    mark, words = VERDICT_MARKS[verdict], VERDICT_WORDS[verdict]
    return f"<b>{mark} {words}</b>" if mark else words


def change_rows(chart: ChangeDots, linked: bool, measures: str = "../measures/") -> str:
    """Every change as a table, with a small drawing about the line of no change."""
    x = _places(chart.reach)
    then, now = chart.years
    # The source of an official workbook may have none.
    interval = f'<th scope="col">{chart.level} interval</th>' if chart.intervals else ""
    out = [f'<div class="scroll" role="group" tabindex="0" aria-label="{text(chart.title)}"><table class="nhsuk-table rows change{"" if chart.intervals else " bare"}"><caption class="nhsuk-u-visually-hidden">{text(chart.title)}</caption><thead><tr><th scope="col">Question</th><th scope="col">{then}</th><th scope="col">{now}</th><th scope="col">Change</th><th scope="col">Points, -{chart.reach:g} to +{chart.reach:g}</th>{interval}<th scope="col">More than chance?</th></tr></thead><tbody>']  # fmt: skip
    for r in chart.rows:
        parts = ""
        if r.low is not None and r.high is not None:
            parts += f'<path class="i" d="{_line(x(r.low), x(r.high))}"/>'
        at = x(r.difference)
        if r.verdict in ("Increase", "Decrease"):
            tip, foot = (2, 13) if r.verdict == "Increase" else (14, 3)
            parts += f'<path class="o" d="M{at - 6:.0f} {foot}h12L{at:.0f} {tip}z"/>'
        else:
            parts += f'<circle class="c" cx="{at:.0f}" cy="8" r="4"/>'
        out.append(
            f'<tr><th scope="row">{_linked(r.label, measures, r.code, linked)}</th><td>{rounded(r.then)}</td>'
            f"<td><b>{rounded(r.now)}</b></td><td><b>{signed(r.difference, 1)}</b></td><td>{_strip(parts)}</td>"
            f"{f'<td>{change_interval(r.low, r.high)}</td>' if chart.intervals else ''}<td>{_verdict(r.verdict)}</td></tr>"
        )
    note = '<p class="note">Changes and intervals were worked out before rounding, so that a change may differ by 0.1 from the scores beside it.</p>\n'
    return "".join(out) + f"</tbody></table></div>\n{note}"


def spine_rows(chart: Spine, address: Callable[[str], str]) -> str:
    """A scorecard of unlike figures as a table, each between the lowest and the highest of all; `address` is where a
    display's page is."""
    rows = []
    for r in chart.rows:

        def x(value: float, r: SpineRow = r) -> float:
            return 6 + (value - r.lowest) / max(r.highest - r.lowest, 1e-12) * (WIDE - 12)

        parts = f'<path class="s" d="{_line(6, WIDE - 6)}"/>'
        parts += f'<path class="e" d="M{x(r.lower_quartile):.0f} 3v10H{max(x(r.upper_quartile), x(r.lower_quartile) + 1):.0f}V3z"/>'
        parts += f'<path class="a" d="M{x(r.median):.0f} 0V16"/>'
        if r.own is not None:
            parts += f'<path class="o" d="M{min(max(x(r.own), 6), WIDE - 6):.0f} 2l5 6-5 6-5-6z"/>'
        own = "none" if r.own is None else f"<b>{text(r.unit.text(r.own))}</b>"
        at = address(r.anchor)
        label = f'<a href="{escape(at)}">{text(r.label)}</a>' if at else text(r.label)
        reason = f'<br><span class="code">{text(r.reason)}</span>' if r.own is None and r.reason else ""
        rows.append(
            f'<tr><th scope="row">{label}{reason}</th><td>{own}</td><td>{text(r.unit.text(r.median))}</td><td>{_strip(parts)}</td>'
            f"<td>{text(r.unit.text(r.lowest))} to {text(r.unit.text(r.highest))}</td></tr>"
        )
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{text(chart.title)}"><table class="nhsuk-table rows spine">'
        f'<caption class="nhsuk-u-visually-hidden">{text(chart.title)}</caption><thead><tr><th scope="col">Indicator</th><th scope="col">Here</th><th scope="col">Median</th>'
        f'<th scope="col">Lowest to highest; dark: the middle half</th><th scope="col">Lowest to highest</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>\n'
    )


def course_row(label: str, chart: TrendLines, years: tuple[int, ...]) -> str:
    """One question over several years: its score in each, and both lines as a small drawing."""
    by_year = dict(zip(chart.years, zip(chart.own, chart.average, strict=True), strict=True))
    marks = chart.scale()

    def at(year: int, value: float) -> str:
        step = (WIDE - 12) / max(len(years) - 1, 1)
        return f"{6 + years.index(year) * step:.0f} {2 + (marks[-1] - value) / (marks[-1] - marks[0]) * 28:.1f}"

    def path(which: int) -> str:
        out, pen = [], "M"
        for year in years:
            value = by_year.get(year, (None, None))[which]
            if value is None:
                pen = "M"
                continue
            out.append(f"{pen}{at(year, value)}")
            pen = "L"
        return "".join(out)

    cells = "".join(f"<td>{'-' if (v := by_year.get(y, (None, None))[0]) is None else rounded(v)}</td>" for y in years)
    drawing = f'<svg class="st" aria-hidden="true"><path class="v" d="{path(1)}"/><path class="w" d="{path(0)}"/></svg>'
    return f'<tr><th scope="row">{text(label)}</th>{cells}<td>{drawing}</td></tr>'


def strip_html(chart: BandStrip) -> str:
    """A band strip on the whole scale, with the average and the organisation's own mark; its figures stand beside it."""

    def x(v: float) -> float:
        return 10 + v * 38

    # Written as short as can be: a page has hundreds of these.
    drawn = {band: f'<path d="M{x(a):.0f} 4v16H{x(b):.0f}V4z"/>' for band, a, b in chart.segments()}
    parts = "".join(drawn.get(band, "<path/>") for band in range(1, 8)) if drawn else ""
    if not parts and chart.highest > chart.lowest:
        parts = f'<path class="s" d="{_line(x(chart.lowest), x(chart.highest), 12)}"/>'
    parts += f'<path class="a" d="M{x(chart.average):.0f} 1V23"/>'
    if chart.own is not None:
        parts += f'<path class="o" d="M{x(chart.own):.0f} 4l5 8-5 8-5-8z"/>'
    return f'<svg class="bs" viewBox="0 0 400 40" aria-hidden="true">{parts}<use href="#scale"/></svg>\n'


# The scale below every band strip of a page, which each of them refers to.
SCALE = (
    '<svg class="once" aria-hidden="true"><g id="scale" class="sc"><path d="M10 25H390M10 22v6M200 22v6M390 22v6"/><text x="10" y="38">0</text>'
    '<text x="200" y="38" text-anchor="middle">5</text><text x="390" y="38" text-anchor="end">10</text></g></svg>\n'
)


def share_rows(chart: ShareBars, title: str) -> str:
    """Percentages as a table with bars: the organisation's own, and a mark for all."""
    rows = []
    for label, own, everyone in chart.rows:
        bar = "" if own is None else f'<path class="h" d="M0 8H{own * 1.6:.0f}"/>'
        bar += "" if everyone is None else f'<path class="a" d="M{everyone * 1.6:.0f} 0V16"/>'
        rows.append(
            f'<tr><th scope="row">{text(label)}</th><td>{share_or_not(own)}</td><td>{per_cent(everyone)}</td><td>{_strip(bar)}</td></tr>'
        )
    return (
        f'<table class="nhsuk-table rows shares"><caption class="nhsuk-u-visually-hidden">{text(title)}</caption><thead><tr><th scope="col">Answer</th>'
        f'<th scope="col">This {chart.word}</th><th scope="col">All</th><th scope="col">Bar: this {chart.word}; line: all</th></tr></thead><tbody>{"".join(rows)}</tbody></table>\n'
    )


def standing_out(chart: Scorecard, changes: ChangeDots | None, chance: str, measures: str = "../measures/") -> str:
    """What lies outside the expected range, and what has changed by more than chance, as short lists of links."""
    out = []
    for way, title in ((-1, "Below the expected range"), (1, "Above the expected range")):
        rows = [r for r in chart.rows if side(r.band) == way]
        rows.sort(key=lambda r: -abs((r.band or 4) - 4))
        items = "".join(
            f"<li>{_linked(r.label, measures, r.code, True)}: {rounded(r.score or 0.0)} against {rounded(r.average or 0.0)}, {chip(r.band)} {text(r.band_text.lower())}</li>"
            for r in rows
        )
        out.append(
            f"<h3>{title}</h3>\n" + (f'<ul class="nhsuk-list outside">{items}</ul>\n' if items else "<p>None.</p>\n")
        )
    if changes is not None:
        for verdict, title in (("Decrease", "Gone down"), ("Increase", "Gone up")):
            moved = [r for r in changes.rows if r.verdict == verdict]
            items = "".join(
                f"<li>{VERDICT_MARKS[verdict]} {_linked(r.label, measures, r.code, True)}: {signed(r.difference, 1)}, from {rounded(r.then)} to {rounded(r.now)}</li>"
                for r in moved
            )
            out.append(
                f"<h3>{title} since {changes.years[0]}</h3>\n"
                + (f'<ul class="nhsuk-list outside">{items}</ul>\n' if items else "<p>None.</p>\n")
            )
    return f'<section><h2 id="outside">What stands out</h2>\n<p class="note">{text(chance)}</p>\n{"".join(out)}</section>\n'


def section_line(title: str, score: float | None, band: int | None, band_text: str, low: float | None, high: float | None) -> str:  # fmt: skip
    """What stands above the questions of a section: its title and its own result."""
    if score is None:
        return f"{text(title)}: <span>not shown</span>"
    interval = "" if low is None else f" ({interval_text(low, high)})"
    return f"{text(title)}: <span>{rounded(score)}{interval}, {chip(band)} {text(band_text.lower())}</span>"

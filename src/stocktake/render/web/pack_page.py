"""The web page of a data pack: charts that are alike for every reader are files that all packs share."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from stocktake.render.svg import draw
from stocktake.render.theme import Theme
from stocktake.render.web.html import (
    Html,
    anchors_of,
    chapters,
    environment,
    figure,
    numeric_columns,
    pages_html,
    table,
    text,
)
from stocktake.render.words import clean
from stocktake.reports.figure_charts import FigureBars, HeatTable, RateFunnel, SeriesLines, StackedShares, TileMap
from stocktake.reports.model import Figure, Report, blocks_of

# How wide shared charts are drawn, in points; a page shows them as wide as there is room.
WIDTH = 760
# From a pack's page to the shared charts.
CHARTS = "../charts/"
# Charts over which the reader's own marks are laid, and those that are the same to the last stroke.
Layered = FigureBars | TileMap | RateFunnel
Whole = HeatTable | SeriesLines | StackedShares


def shared_charts(report: Report, theme: Theme, version: str) -> dict[str, str]:
    """Name and content of every shared chart of a pack, alike in every pack and naming nobody; whole ones with a page of
    their figures."""
    out = {}
    for block in blocks_of(report):
        chart = block.chart if isinstance(block, Figure) else None
        if isinstance(chart, Layered) and chart.code:
            base = replace(chart, layer="base", alt=f"{chart.title}: the same for every reader.")
            out[f"{chart.code}.svg"] = draw(base, theme, WIDTH)
        elif isinstance(chart, Whole) and chart.code:
            out[f"{chart.code}.svg"] = draw(chart, theme, WIDTH)
            header, rows = chart.table()
            body = table(f"Figures of the chart: {chart.title}", header, rows, numeric_columns(header, rows))
            page = environment().get_template("chart.html")
            out[f"{chart.code}.html"] = page.render(root="../", report=report, chart=chart, body=body, version=version)
    return out


class PackHtml(Html):
    """Sets a pack's blocks; a shared chart is its file with the reader's marks over it."""

    def figure(self, block: Figure) -> str:
        chart = block.chart
        if (
            not isinstance(chart, (FigureBars, TileMap, RateFunnel, HeatTable, SeriesLines, StackedShares))
            or not chart.code
        ):
            return figure(chart, self.theme, block.title)
        image = f'<img src="{CHARTS}{escape(chart.code)}.svg" alt="{escape(clean(chart.alt))}" loading="lazy">'
        region = f' role="group" tabindex="0" aria-label="Chart: {escape(clean(chart.title))}"'
        over = inner = ""
        if isinstance(chart, Layered):
            drawn = draw(replace(chart, layer="over"), self.theme, WIDTH)
            over = f'<div class="over" aria-hidden="true">{drawn}</div>'
            header, rows = chart.own_table()
            name = f"Figures in the chart that are named: {chart.title}"
            if rows:
                own = table(name, header, rows, [False] * len(header))
                inner = f"<figcaption class=note>{text('Figures of those that are named')}</figcaption>{own}"
        else:
            hidden = f'<span class="nhsuk-u-visually-hidden">: {text(chart.title)}</span>'
            inner = f'<p class="note"><a href="{CHARTS}{escape(chart.code)}.html">The chart as a table{hidden}</a></p>'
        return f'<figure class="chart wide"><div class="paper"{region}><div class="shared">{image}{over}</div></div>{inner}</figure>\n'


def pack_page(report: Report, theme: Theme, version: str, home: str = "") -> str:
    """A pack as one web page, made by a version of the program; it leads to the folders charts and static beside its own.

    `home` is the way to the page of all packs, where there is one.
    """
    html = PackHtml(theme, anchors_of(report))
    first = [(p.title, p.anchor) for p in report.pages if not p.chapter and p.anchor]
    return str(
        environment()
        .get_template("pack.html")
        .render(
            root="../",
            report=report,
            version=version,
            home=home,
            contents=[*first, *chapters(report)],
            body=pages_html(report, theme, html=html),
        )
    )

"""The web page of a data pack: its ranked charts and maps are files that all packs share, with the reader's own over them."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from stocktake.render.svg import draw
from stocktake.render.theme import Theme
from stocktake.render.web.html import Html, anchors_of, chapters, environment, figure, pages_html, table, text
from stocktake.render.words import clean
from stocktake.reports.figure_charts import FigureBars, TileMap
from stocktake.reports.model import Figure, Report, blocks_of

# How wide shared charts are drawn, in points; a page shows them as wide as there is room.
WIDTH = 760
# From a pack's page to the shared charts.
CHARTS = "../charts/"


def is_shared(chart: object) -> bool:
    """Whether a chart is one that all packs share."""
    return isinstance(chart, (FigureBars, TileMap)) and bool(chart.code)


def shared_charts(report: Report, theme: Theme) -> dict[str, str]:
    """Name and content of every shared chart of a pack: alike in every pack, and naming nobody."""
    out = {}
    for block in blocks_of(report):
        if isinstance(block, Figure) and isinstance(block.chart, (FigureBars, TileMap)) and is_shared(block.chart):
            chart = replace(block.chart, layer="base", alt=f"{block.chart.title}: the same for every reader.")
            out[f"{block.chart.code}.svg"] = draw(chart, theme, WIDTH)
    return out


class PackHtml(Html):
    """Sets a pack's blocks; a shared chart is its file with the reader's marks over it."""

    def figure(self, block: Figure) -> str:
        chart = block.chart
        if not isinstance(chart, (FigureBars, TileMap)) or not is_shared(chart):
            return figure(chart, self.theme, block.title)
        over = draw(replace(chart, layer="over"), self.theme, WIDTH)
        region = f' role="group" tabindex="0" aria-label="Chart: {escape(clean(chart.title))}"'
        header, rows = chart.own_table()
        inner = (
            table(f"Figures in the chart that are named: {chart.title}", header, rows, [False] * len(header))
            if rows
            else ""
        )
        return (
            f'<figure class="chart wide"><div class="paper"{region}><div class="shared">'
            f'<img src="{CHARTS}{escape(chart.code)}.svg" alt="{escape(clean(chart.alt))}" loading="lazy">'
            f'<div class="over" aria-hidden="true">{over}</div></div></div>'
            + (f"<figcaption class=note>{text('Figures of those that are named')}</figcaption>{inner}" if inner else "")
            + "</figure>\n"
        )


def pack_page(report: Report, theme: Theme, version: str) -> str:
    """A pack as one web page, made by a version of the program; it leads to the folders charts and static beside its own."""
    html = PackHtml(theme, anchors_of(report))
    first = [(p.title, p.anchor) for p in report.pages if not p.chapter and p.anchor]
    return str(
        environment()
        .get_template("pack.html")
        .render(
            report=report,
            version=version,
            contents=[*first, *chapters(report)],
            body=pages_html(report, theme, html=html),
        )
    )

"""The web page of a data pack: charts that are alike for every reader are files that all packs share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from textwrap import shorten
from typing import Any
from urllib.parse import quote

from stocktake.codes import file_name
from stocktake.render.svg import draw
from stocktake.render.theme import Theme
from stocktake.render.web.discovery import NOT_FOUND, About
from stocktake.render.web.html import (
    MOST_LETTERS,
    Html,
    anchors_of,
    chapters,
    environment,
    figure,
    numeric_columns,
    pages_html,
    slug,
    table,
    text,
)
from stocktake.render.web.rows import spine_rows
from stocktake.render.words import clean
from stocktake.reports.figure_charts import (
    FigureBars,
    HeatTable,
    RateFunnel,
    SeriesLines,
    Spine,
    StackedShares,
    TileMap,
)
from stocktake.reports.model import Figure, Inline, Link, Page, Report, Text, blocks_of, plain

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
    """Sets a pack's blocks; a shared chart is its file with the reader's marks over it, and a scorecard a table.

    `places` are the folders of pages, called `name`, that the anchors of other pages of the pack are on.
    """

    def __init__(
        self, theme: Theme, anchors: Iterable[str], places: Mapping[str, str] | None = None, name: str = ""
    ) -> None:
        super().__init__(theme, anchors)
        self.places, self.name = places or {}, name

    def address(self, anchor: str) -> str:
        """Where a page of the pack is; nothing for none."""
        if anchor in self.anchors:
            return f"#{anchor}"
        return f"{self.places[anchor]}{self.name}#{anchor}" if anchor in self.places else ""

    def inline(self, part: Inline) -> str:
        if isinstance(part, Link) and (address := self.address(part.anchor)):
            return f'<a href="{escape(address)}">{text(part.text)}</a>'
        return super().inline(part)

    def figure(self, block: Figure) -> str:
        chart = block.chart
        if isinstance(chart, Spine):
            return spine_rows(chart, self.address)
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


# Pages of a report that stand on the first page of a pack's site.
SUMMARY = ("standout", "scorecard", "summary", "about")


@dataclass(frozen=True)
class PackSite:
    """What the pages of all packs of a collection share."""

    theme: Theme
    version: str
    about: About = field(default_factory=About)

    def pages(self, report: Report) -> dict[str, str]:
        """A pack as pages by their path: a summary, and behind it what is beyond chance, each chapter and the method.

        The folders charts and static lie beside those of the pages.
        """
        parts = _parts(report)
        places = {anchor: f"../{folder}/" for folder, _, pages in parts for anchor in _anchors(pages)}
        code = file_name(report.organisation_code)
        name = f"{quote(code)}.html"
        nav = [(f"../{folder}/{name}", title) for folder, title, _ in parts]
        out = {}
        for i, (folder, title, pages) in enumerate(parts):
            inner = replace(report, pages=tuple(replace(p, chapter="") for p in pages))
            html = PackHtml(self.theme, anchors_of(inner), places, name)
            lead = next((plain(b) for p in pages for b in p.blocks if isinstance(b, Text)), report.subtitle)
            out[f"{folder}/{code}.html"] = self._render(
                "pack.html",
                f"{folder}/{code}.html",
                report,
                title=report.organisation if not i else f"{report.organisation}: {title}",
                description=shorten(lead, MOST_LETTERS, placeholder=" …"),
                part="" if not i else title,
                nav=nav,
                at=i,
                body=pages_html(inner, self.theme, html=html),
            )
        return out

    def index(
        self, report: Report, lead: str, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]], dataset: str
    ) -> str:
        """The list of all packs."""
        return self._render(
            "packs.html", "index.html", report, title="All packs", description=lead, lead=lead, groups=groups, dataset=dataset
        )  # fmt: skip

    def data(self, report: Report, files: Sequence[tuple[str, str, str]], displays: Sequence[tuple[str, str]]) -> str:
        """Every table, and what programs read."""
        said = "Every figure of these packs, as tables and as documents for programs."
        return self._render(
            "packs_data.html", "data.html", report, title="Data", description=said, files=files, displays=displays
        )

    def not_found(self, report: Report) -> str:
        """The page in place of one that there is not."""
        return self._render("packs_missing.html", NOT_FOUND, report, title="Page not found", description="")

    def _render(self, template: str, path: str, report: Report, **more: Any) -> str:
        return str(
            environment()
            .get_template(template)
            .render(
                root=self.about.root_from(path),
                here=path,
                report=report,
                version=self.version,
                menu=MENU,
                base=self.about.base,
                address=self.about.address_of(path),
                about=self.about,
                **more,
            )
        )


MENU = (("index.html", "Packs"), ("data.html", "Data"))


def _parts(report: Report) -> list[tuple[str, str, list[Page]]]:
    """The pages of a pack's site: folder, title, and the pages of the report on each."""
    shown = [p for p in report.pages if p.kind not in ("cover", "contents")]
    parts: list[tuple[str, str, list[Page]]] = [("packs", "Summary", [p for p in shown if p.kind in SUMMARY])]
    beyond = [p for p in shown if p.kind == "chance"]
    if beyond:
        parts.append(("beyond-chance", "Beyond chance", beyond))
    for title in dict.fromkeys(p.chapter for p in shown if p.chapter):
        parts.append((slug(title), title, [p for p in shown if p.chapter == title]))
    return parts


def _anchors(pages: Sequence[Page]) -> set[str]:
    return {p.anchor for p in pages if p.anchor}


def pack_page(report: Report, theme: Theme, version: str) -> str:
    """A pack as a single web page, made by a version of the program; it leads to the folders charts and static beside its own."""
    html = PackHtml(theme, anchors_of(report))
    first = [(p.title, p.anchor) for p in report.pages if not p.chapter and p.anchor]
    return str(
        environment()
        .get_template("pack_alone.html")
        .render(
            root="../",
            report=report,
            version=version,
            contents=[*first, *chapters(report)],
            body=pages_html(report, theme, html=html),
        )
    )

"""The web pages of trends, each from its report; nothing is worked out here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from textwrap import shorten
from typing import Any
from urllib.parse import quote

from stocktake.render.figure_drawings import PARTS
from stocktake.render.series_drawings import DASHES, LINE_COLOURS
from stocktake.render.theme import Theme
from stocktake.render.web.discovery import NOT_FOUND, About, dataset
from stocktake.render.web.html import (
    MOST_LETTERS,
    Html,
    anchors_of,
    environment,
    numeric_columns,
    pages_html,
    sized,
    table,
    text,
)
from stocktake.render.words import clean
from stocktake.reports.figure_charts import PartBars, SeriesLines
from stocktake.reports.model import Figure, Report
from stocktake.reports.trends.pages import TrendPage
from stocktake.trends.definition import TrendSettings

# How wide the chart of a page is drawn, in points.
WIDTH = 760


@dataclass(frozen=True)
class TrendSite:
    """What all pages share."""

    settings: TrendSettings
    theme: Theme
    digest: str
    version: str
    updated: str

    @property
    def about(self) -> About:
        """What the site says of itself."""
        told = self.settings
        return About(told.address, told.publisher, told.licence, told.licence_address)

    def render(self, template: str, path: str, title: str, **more: Any) -> str:
        """One page as HTML; `path` is its own, from the top of the site."""
        settings = self.settings
        menu = [("index.html", "Questions"), ("data.html", "Data"), ("method.html", "Method")]
        if settings.standards:
            menu.insert(1, ("standards.html", "Standards"))
        description = shorten(more.pop("description", ""), MOST_LETTERS, placeholder=" …")
        return str(
            environment()
            .get_template(template)
            .render(
                settings=settings,
                about=self.about,
                base=self.about.base,
                version=self.version,
                digest=self.digest,
                updated=self.updated,
                menu=menu,
                root=self.about.root_from(path),
                here=path,
                address=self.about.address_of(path),
                title=title,
                description=description,
                **more,
            )
        )

    def page(self, page: TrendPage, downloads: Sequence[tuple[str, str]]) -> str:
        """The page of an indicator or question."""
        report = page.report
        # The page's own title stands above everything.
        inner = replace(
            report, pages=tuple(replace(p, title="In brief") if p.anchor == "top" else p for p in report.pages)
        )
        html = TrendHtml(self.theme, anchors_of(inner))
        return self.render(
            "trend.html",
            f"pages/{page.code}.html",
            report.organisation,
            description=page.summary,
            **({} if page.chart is None else {"picture": f"images/{quote(page.code)}.png"}),
            contents=[(p.title, p.anchor) for p in inner.pages],
            body=pages_html(inner, self.theme, html=html),
            downloads=downloads,
            alt="" if page.chart is None else page.chart.alt,
        )

    def index(
        self,
        indicators: Sequence[TrendPage],
        sections: Sequence[tuple[str, Sequence[tuple[TrendPage, str]]]],
        years: tuple[int, int],
    ) -> str:
        lead = " ".join(p.summary for p in indicators[:1])
        told = dataset(
            self.settings.title,
            f"What people said over the years, weighted, with intervals and tests of change. {self.settings.notice}".strip(),
            f"{years[0]}/{years[1]}",
            self.digest,
            self.about,
        )
        return self.render(
            "trends.html",
            "index.html",
            "Questions",
            description=lead,
            indicators=indicators,
            sections=sections,
            standards=bool(self.settings.standards),
            dataset=told,
        )

    def plain(
        self,
        here: str,
        title: str,
        lead: str,
        report: Report | None,
        files: Sequence[tuple[str, str, str]] = (),
    ) -> str:
        """A page of text alone: the method, the data, or what is compared with standards."""
        body = ""
        if report is not None:
            body = pages_html(report, self.theme, html=TrendHtml(self.theme, anchors_of(report)))
        return self.render("trend_plain.html", here, title, lead=lead, body=body, files=files)

    def not_found(self) -> str:
        """The page in place of one that there is not."""
        return self.render("trend_missing.html", NOT_FOUND, "Page not found")


class TrendHtml(Html):
    """Sets a page's blocks; a chart of lines has them by name, on two scales, for the script to show or hide."""

    def figure(self, block: Figure) -> str:
        chart = block.chart
        if isinstance(chart, PartBars):
            # The same figures stand in the table beneath it, or in the sentence before.
            drawn = sized(chart, self.theme, WIDTH)
            label = escape(clean(block.title or chart.title))
            return f'<figure class="chart wide"><div class="paper" role="group" tabindex="0" aria-label="Chart: {label}">{drawn}</div></figure>\n'
        if not isinstance(chart, SeriesLines):
            return super().figure(block)
        name = escape(clean(chart.title))
        drawings = f'<div class="drawing" data-scale="own">{sized(chart, self.theme, WIDTH)}</div>'
        if chart.floor:
            zero = sized(replace(chart, floor=0.0), self.theme, WIDTH)
            drawings += f'<div class="drawing" data-scale="zero" hidden>{zero}</div>'
        header, rows = chart.table()
        inner = table(f"Figures of the chart: {chart.title}", header, rows, numeric_columns(header, rows))
        names = "".join(
            f'<div class="nhsuk-checkboxes__item"><input class="nhsuk-checkboxes__input" type="checkbox" checked id="line{i}" value="{i}">'
            f'<label class="nhsuk-label nhsuk-checkboxes__label" for="line{i}">{_swatch(i)}{text(label)}</label></div>'
            for i, (label, _) in enumerate(chart.lines)
        )
        lines = ""
        if len(chart.lines) > 1:
            lines = (
                '<fieldset class="nhsuk-fieldset"><legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s">Lines</legend>'
                f'<div class="nhsuk-checkboxes nhsuk-checkboxes--small lines">{names}</div></fieldset>'
            )
        years = "".join(f"<option>{text(y)}</option>" for y in chart.years)
        scale = '<button type="button" class="nhsuk-button nhsuk-button--secondary nhsuk-button--small" data-switch aria-pressed="false">Begin the scale at zero</button>'
        controls = (
            f'<form class="filter chart-controls" hidden>{lines}<div class="fields"><div><label class="nhsuk-label" for="year">Read a year</label>'
            f'<select class="nhsuk-select" id="year"><option value="">Choose</option>{years}</select></div>'
            f'{f"<div>{scale}</div>" if chart.floor else ""}</div><p class="shown" role="status" data-read></p></form>'
        )
        return (
            f'<figure class="chart wide" data-series>{controls}<div class="paper" role="group" tabindex="0" aria-label="Chart: {name}">{drawings}</div>'
            f'<details class="nhsuk-details"><summary class="nhsuk-details__summary"><span class="nhsuk-details__summary-text">'
            f'The chart as a table<span class="nhsuk-u-visually-hidden">: {text(chart.title)}</span></span></summary><div class="nhsuk-details__text">{inner}</div></details></figure>\n'
        )


def _swatch(line: int) -> str:
    """A short piece of a line as it is drawn, beside its name."""
    colour, dash = PARTS[LINE_COLOURS[line % 5]], DASHES[line % 5]
    stroke = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        '<svg class="swatch" width="34" height="12" aria-hidden="true"><rect width="34" height="12" fill="#fff"/>'
        f'<line x1="2" y1="6" x2="32" y2="6" stroke="{colour}" stroke-width="3"{stroke}/></svg> '
    )

"""The pages of the site, each from what reports say; nothing is worked out here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stocktake.render.theme import Theme
from stocktake.render.web.html import Html, anchors_of, chapters, environment, figure, pages_html
from stocktake.reports.charts import BandKey
from stocktake.reports.model import Report, Table
from stocktake.reports.site import Compared, Listing, MeasurePage, bare_codes
from stocktake.survey.instrument import Survey


@dataclass(frozen=True)
class Site:
    """What all pages share."""

    survey: Survey
    theme: Theme
    digest: str
    version: str
    notice: str
    organisations: Mapping[str, str]
    kinds: tuple[str, ...]
    regions: tuple[str, ...]

    def render(self, template: str, root: str, here: str, title: str, **more: Any) -> str:
        """One page as HTML; `root` leads from the page to the top of the site."""
        return str(
            environment()
            .get_template(template)
            .render(
                survey=self.survey,
                word=self.survey.organisation_word,
                version=self.version,
                digest=self.digest,
                notice=self.notice,
                bare=bare_codes(self.survey),
                kinds=self.kinds,
                regions=self.regions,
                root=root,
                here=here,
                title=title,
                **more,
            )
        )

    def index(self, listing: Listing) -> str:
        return self.render("index.html", "", "index.html", f"Results by {self.survey.organisation_word}", list=listing)

    def organisation(
        self,
        report: Report,
        unusual: Table | None,
        firm: Table | None,
        other: tuple[str, str] | None,
        downloads: Sequence[tuple[str, str]],
    ) -> str:
        """A whole report; its one-page result first, then what is most unusual, then the chapters."""
        html = Html(self.theme, anchors_of(report))
        glance = tuple(p for p in report.pages if p.kind in ("glance", "nothing"))
        rest = replace(report, pages=tuple(p for p in report.pages if p not in glance))
        both = anchors_of(report)
        return self.render(
            "trust.html",
            "../",
            "",
            f"{report.organisation}, {report.title}",
            name=report.organisation,
            code=report.organisation_code,
            report=report,
            chapters=chapters(report),
            other=other,
            downloads=downloads,
            first=pages_html(replace(report, pages=glance), self.theme, anchors=both),
            unusual=html.block(unusual, 3) if unusual is not None else "",
            firm=html.block(firm, 3) if firm is not None else "",
            body=pages_html(rest, self.theme, anchors=both, measures="../measures/" if firm is not None else ""),
        )

    def measure(self, page: MeasurePage, before: str, after: str) -> str:
        bands = self.survey.bands
        alt = "Key to the bands, from much worse than expected (three triangles down) to much better (three up)."
        return self.render(
            "measure.html",
            "../",
            "",
            f"{page.code} {page.title}",
            page=page,
            chances=any(h.startswith("Chance") for h, _ in page.listing.header),
            before=before,
            after=after,
            ranked=figure(page.ranked, self.theme) if page.ranked else "",
            key=figure(BandKey(bands, alt), self.theme) if page.ranked else "",
            funnel=figure(page.funnel, self.theme) if page.funnel else "",
        )

    def measures(self, measures: Sequence[Mapping[str, Any]]) -> str:
        return self.render("measures.html", "../", "measures/index.html", "Questions and sections", measures=measures)

    def compare(self, rows: Sequence[tuple[str, str, list[Compared]]]) -> str:
        title = f"Compare {self.survey.organisation_word}s"
        return self.render("compare.html", "", "compare.html", title, rows=rows, organisations=self.organisations)

    def data(self, groups: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]) -> str:
        return self.render("data.html", "", "data.html", "Data", groups=groups)

    def method(self, report: Report) -> str:
        return self.render(
            "method.html",
            "",
            "method.html",
            "Method",
            report=report,
            chapters=chapters(report),
            body=pages_html(report, self.theme),
        )

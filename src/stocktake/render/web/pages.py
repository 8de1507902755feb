"""The pages of the site, each from what reports say; nothing is worked out here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import shorten
from typing import Any

from stocktake.render.measure_drawings import Marks
from stocktake.render.svg import draw
from stocktake.render.theme import Theme
from stocktake.render.web.discovery import NOT_FOUND, About, dataset
from stocktake.render.web.html import MOST_LETTERS, chapters, drawing, environment, figure, pages_html
from stocktake.render.web.trust_html import TrustHtml
from stocktake.reports.charts import BandKey
from stocktake.reports.heat_map import HeatMap
from stocktake.reports.measure_charts import RankedDots
from stocktake.reports.model import Bullets, Page, Report, Text, plain
from stocktake.reports.regions import region_map
from stocktake.reports.site import Listing, MeasurePage, bare_codes
from stocktake.reports.words import rounded
from stocktake.survey.instrument import Survey

# The pages of one organisation: folder, name, and what a reader finds there.
PARTS = (
    ("trusts", "Summary"),
    ("sections", "Sections and questions"),
    ("change", "Change over time"),
    ("people", "Who answered"),
    ("service-groups", "Service groups"),
)
# A list longer than this is shown in parts.
MOST_LINES = 500


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
    about: About = field(default_factory=About)
    marks: Callable[[str], Marks | None] = lambda measure: None

    def render(self, template: str, path: str, title: str, description: str, **more: Any) -> str:
        """One page as HTML; `path` is its own, from the top of the site."""
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
                about=self.about,
                address=self.about.address_of(path),
                base=self.about.base,
                root=self.about.root_from(path),
                here=path,
                title=title,
                description=description,
                **more,
            )
        )

    def index(self, listing: Listing, part: tuple[int, int] = (1, 1), places: bool = False) -> str:
        """The first page, or a further part of its list; `places` where the search knows some."""
        word = self.survey.organisation_word
        path = "index.html" if part[0] == 1 else f"parts/index.{part[0]}.html"
        about = f"How people's experiences of {len(self.organisations)} {word}s compare in the {self.survey.title}: every question, with what is beyond chance."
        return self.render(
            "index.html",
            path,
            f"Results by {word}",
            about,
            list=listing,
            part=part,
            places=places,
            dataset=self._dataset() if part[0] == 1 else "",
        )

    def _dataset(self) -> str:
        return dataset(
            f"{self.survey.title}: scores of {len(self.organisations)} {self.survey.organisation_word}s",
            f"Standardised scores, expected ranges and bands of every question, {self.survey.year}. {self.notice}".strip(),
            str(self.survey.year),
            self.digest,
            self.about,
        )

    # One organisation

    def organisation(
        self,
        folder: str,
        report: Report,
        pages: Sequence[Page],
        parts: Sequence[str],
        *,
        below: str = "",
        downloads: Sequence[tuple[str, str]] = (),
    ) -> str:
        """One page of an organisation: some pages of its report, with what stands below them.

        `folder` is that of the page itself and `parts` are those of all its pages.
        """
        code = report.organisation_code
        # Of one chapter, the page's own title says which; that of service groups has several.
        shown = pages if folder == "service-groups" else [replace(p, chapter="") for p in pages]
        inner = replace(report, pages=tuple(shown))
        html = TrustHtml(self.theme, inner, code, self.marks, shared=folder != "service-groups")
        names = [(f, n) for f, n in PARTS if f in parts]
        title = dict(PARTS)[folder]
        sentences = [plain(t) for p in pages for b in p.blocks if isinstance(b, (Bullets, Text)) for t in _texts(b)]
        return self.render(
            "trust.html",
            f"{folder}/{code}.html",
            f"{report.organisation}: {title.lower()}" if folder != "trusts" else report.organisation,
            shorten(" ".join(sentences[:2]), MOST_LETTERS, placeholder=" …")
            or f"{report.organisation}, {self.survey.title}",
            name=report.organisation,
            code=code,
            folder=folder,
            part_title=title,
            parts=names,
            report=report,
            below=below,
            downloads=downloads,
            body=pages_html(inner, self.theme, html=html),
        )

    # Measures

    def measure(self, page: MeasurePage, before: str, after: str, listing: Listing, part: tuple[int, int]) -> str:
        """All organisations on one question or section; of a long list one part, the charts on the first."""
        first = part[0] == 1
        path = f"measures/{page.code}.html" if first else f"parts/{page.code}.{part[0]}.html"
        alt = "Key to the bands, from much worse than expected (three triangles down) to much better (three up)."
        drawings = []
        regions = region_map(page.code, page.regions)
        if page.ranked is not None and first:
            for size in ("wide", "narrow"):
                drawings.append((size, draw(replace(page.ranked, size=size, links="../trusts/"), self.theme, 1)))
        return self.render(
            "measure.html",
            path,
            page.title if page.title == page.code else f"{page.code} {page.title}",
            page.summary,
            page=page,
            listing_part=listing,
            part=part,
            chances=any(h.startswith("Outside") for h, _ in page.listing.header),
            before=before,
            after=after,
            drawings=drawings,
            key=figure(BandKey(self.survey.bands, alt), self.theme) if page.ranked and first else "",
            funnel=drawing(page.funnel, self.theme) if page.funnel and first else "",
            course=figure(page.course, self.theme) if page.course and first else "",
            rounded=rounded,
            region_map=drawing(regions, self.theme) if regions is not None and first else "",
            cite=self.citation(page.title),
        )

    def citation(self, title: str) -> str:
        """How to name a page as a source."""
        who = f"{self.about.publisher}. " if self.about.publisher else ""
        where = f" {self.about.address}" if self.about.address else ""
        terms = f" Terms: {self.about.licence}." if self.about.licence else ""
        stop = "" if title.endswith("?") else "."
        return f"{who}{self.survey.title} ({self.survey.year}): {title}{stop} Results {self.digest}.{where}{terms}"

    def embed(self, page: MeasurePage) -> str:
        """The drawing of a measure alone, for another site's frame."""
        assert page.ranked is not None
        return self.render("embed.html", f"embed/{page.code}.html", page.title, page.summary, page=page)

    def shared(self, chart: RankedDots) -> dict[str, str]:
        """The drawing of a measure as files: for wide and for narrow screens."""
        return {
            "wide.svg": draw(replace(chart, size="wide"), self.theme, 1),
            "narrow.svg": draw(replace(chart, size="narrow"), self.theme, 1),
        }

    def measures(self, measures: Sequence[Mapping[str, Any]]) -> str:
        about = f"Every question and section of the {self.survey.title} with its average, lowest and highest score."
        return self.render("measures.html", "measures/index.html", "Questions and sections", about, measures=measures)

    def heat(self, heat: HeatMap, part: tuple[int, int]) -> str:
        """Organisations by questions, each cell the band."""
        word = self.survey.organisation_word
        path = "heatmap.html" if part[0] == 1 else f"parts/heatmap.{part[0]}.html"
        about = f"Which {word}s lie outside the expected range, on which questions, beside how many would by chance."
        words = {i: band.removesuffix(" than expected").lower() for i, band in enumerate(self.survey.bands, start=1)}
        return self.render("heatmap.html", path, "Heat map", about, heat=heat, part=part, rounded=rounded, words=words)

    def compare(self, measures: Sequence[tuple[str, str]], averages: Mapping[str, str]) -> str:
        word = self.survey.organisation_word
        about = f"Scores of up to five {word}s side by side."
        return self.render(
            "compare.html", "compare.html", f"Compare {word}s", about, measures=measures, averages=averages, organisations=self.organisations
        )  # fmt: skip

    def data(self, groups: Sequence[tuple[str, str, Sequence[tuple[str, str, str]]]]) -> str:
        about = "Every figure of this site, as workbooks, tables and documents for programs."
        return self.render("data.html", "data.html", "Data", about, groups=groups)

    def method(self, report: Report, reading: Sequence[Page]) -> str:
        """How to read the pages, and how the figures were worked out."""
        whole = replace(report, pages=(*reading, *report.pages))
        return self.render(
            "method.html",
            "method.html",
            "Method",
            "How the scores, the expected range and the bands were worked out.",
            report=report,
            chapters=chapters(whole),
            body=pages_html(whole, self.theme),
        )

    def not_found(self) -> str:
        """The page in place of one that there is not; its links begin at the top of the address."""
        return self.render("not_found.html", NOT_FOUND, "Page not found", "There is no such page.")


def _texts(block: Bullets | Text) -> tuple[Text, ...]:
    return block.items if isinstance(block, Bullets) else (block,)

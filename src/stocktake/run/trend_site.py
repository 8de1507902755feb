"""The web edition of trends: a page and its downloads for every indicator and question."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from stocktake import __version__
from stocktake.codes import file_name
from stocktake.files import new_folder, writing
from stocktake.problems import StocktakeError
from stocktake.reports import records
from stocktake.reports.words import size_words
from stocktake.results.csv import csv_bytes
from stocktake.run.pool import in_batches
from stocktake.run.site.opened import write
from stocktake.run.site.programs import discovery_files, sitemap, static_files, table_files
from stocktake.run.trends import TrendRun, open_trends

if TYPE_CHECKING:
    from stocktake.render.web.trend_pages import TrendSite
    from stocktake.reports.trends.pages import TrendPage

# The tables that everybody may have, and what they are.
DOWNLOADS = {
    "shares": "Every percentage, by year and group",
    "share_changes": "Changes between any two years that compare",
    "courses": "Courses over all years that compare",
    "share_differences": "Differences between groups of people",
    "series": "What was asked in each year, and what compares",
}
# Columns that tables have and documents have not. How many gave an answer is in no public table: see disclosure control.
IN_TABLES = ("count", "survey", "segment", "effective_base", "weighted_for_response", "reason", "z", "p")
# Pixels for each point of a picture.
SHARP = 2.0


@cache
def _run(folder: Path) -> TrendRun:
    return open_trends(folder)


def make_trend_site(
    folder: Path, progress: Callable[[int], None] | None = None, begin: Callable[[int], None] | None = None
) -> Path:
    """Write the site of a folder of trends to folder/site/ and return its first page."""
    _run.cache_clear()
    run = _run(folder)
    codes = page_codes(run)
    if begin is not None:
        begin(len(codes))
    with writing(folder), new_folder(folder / "site") as fresh:
        in_batches(_make, folder, fresh, codes, progress)
        _common(run, fresh)
        if run.settings.address:
            write(fresh, "sitemap.xml", sitemap(fresh, run.settings.address))
    return folder / "site" / "index.html"


def page_codes(run: TrendRun) -> list[str]:
    """Every page: the indicators, then the series in their order."""
    return [*(i.code for i in run.settings.indicators), *run.facts.points]


def page_of(run: TrendRun, code: str) -> TrendPage:
    """One page by its code; raises StocktakeError for a code that there is not."""
    from stocktake.reports.trends.pages import indicator_page, series_page

    for indicator in run.settings.indicators:
        if indicator.code == code:
            return indicator_page(run.facts, indicator)
    if code not in run.facts.points:
        raise StocktakeError(f"no indicator or series {code!r}.")
    return series_page(run.facts, code)


def _site(run: TrendRun) -> TrendSite:
    from stocktake.render.web.trend_pages import TrendSite
    from stocktake.reports.trends.pages import updated_words

    return TrendSite(run.settings, run.theme, run.results.digest, __version__, updated_words(run.facts))


def _make(folder: Path, out: Path, codes: Sequence[str]) -> None:
    run = _run(folder)
    site = _site(run)
    for code in codes:
        page = page_of(run, code)
        downloads = _downloads(run, out, page)
        write(out, f"pages/{file_name(code, '.html')}", site.page(page, downloads))


def _downloads(run: TrendRun, out: Path, page: TrendPage) -> list[tuple[str, str]]:
    """Write the files of a page and return their links with what they are."""
    from stocktake.render.pdf import pdf_bytes
    from stocktake.render.svg import draw
    from stocktake.render.xlsx import xlsx_bytes
    from stocktake.reports.trends.book import page_book

    code = page.code
    shares = own_shares(run, code)
    write(out, f"data/{file_name(code, '.csv')}", csv_bytes(shares))
    write(
        out,
        f"data/{file_name(code, '.xlsx')}",
        xlsx_bytes(page_book(run.public.tables, page, shares, run.results.digest)),
    )
    write(out, f"pdf/{file_name(code, '.pdf')}", pdf_bytes(page.report, run.theme))
    changes = _of_page(run, code, "share_changes")
    write(
        out,
        f"api/v1/pages/{file_name(code, '.json')}",
        records.document(
            _head(run, code, page.report.organisation), {"shares": shares, "share_changes": changes}, IN_TABLES
        ),
    )
    links = [
        (f"../data/{code}.csv", "The figures of this page (CSV)"),
        (f"../api/v1/pages/{code}.json", "The figures of this page, for programs (JSON)"),
        (f"../data/{code}.xlsx", "The figures of this page (Excel)"),
        (f"../pdf/{code}.pdf", "This page to print (PDF)"),
    ]
    if page.chart is not None:
        svg = draw(page.chart, run.theme, 760)
        write(out, f"images/{file_name(code, '.svg')}", svg)
        write(out, f"images/{file_name(code, '.png')}", picture(svg, page.chart.alt))
        links += [
            (f"../images/{code}.png", "The chart as a picture (PNG, with its description inside)"),
            (f"../images/{code}.svg", "The chart as a drawing (SVG, with its description inside)"),
        ]
    return links


def own_shares(run: TrendRun, code: str) -> pl.DataFrame:
    """The public rows of `shares` that a page is made of."""
    return _of_page(run, code, "shares")


def _of_page(run: TrendRun, code: str, name: str) -> pl.DataFrame:
    """The public rows of a table about the answers of one page."""
    lines = {(x.series, x.line) for i in run.settings.indicators if i.code == code for x in i.lines}
    table = run.public.tables[name]
    if not lines:
        return table.filter(pl.col("series") == code)
    pairs = pl.DataFrame(sorted(lines), schema=["series", "line"], orient="row")
    return table.join(pairs, on=["series", "line"], how="semi", maintain_order="left")


def _head(run: TrendRun, code: str = "", name: str = "") -> dict[str, str]:
    return records.head(run.results.digest, run.settings.notice, run.settings.licence, code, name)


def picture(svg: str, alt: str) -> bytes:
    """A drawing as PNG on white, with its description in the file."""
    import typst
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from stocktake.render.pdf import font_folders
    from stocktake.render.theme import Theme

    source = '#set page(width: auto, height: auto, margin: 8pt)\n#image(bytes(sys.inputs.svg), format: "svg")'
    compiler = typst.Compiler(  # type: ignore[misc]
        input=source.encode(), font_paths=font_folders(Theme()), ignore_system_fonts=True, sys_inputs={"svg": svg}
    )
    png = compiler.compile(format="png", ppi=72 * SHARP)
    assert isinstance(png, bytes)
    about = PngInfo()
    about.add_itxt("Description", alt, lang="en-GB")
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE).save(
        out, "PNG", optimize=True, pnginfo=about
    )
    return out.getvalue()


def _common(run: TrendRun, out: Path) -> None:
    """The first page, the data, the method, what is compared with standards, what programs read, and the styles."""
    from stocktake.render.web.card import card_bytes
    from stocktake.reports.model import Heading, Page, Report
    from stocktake.reports.trends.method import method_report
    from stocktake.reports.trends.pages import updated_words
    from stocktake.reports.trends.standards import standard_blocks

    site, facts, settings = _site(run), run.facts, run.settings
    indicators = [page_of(run, i.code) for i in settings.indicators]
    sections: dict[str, list[tuple[TrendPage, str]]] = {}
    for code in facts.points:
        page = page_of(run, code)
        years = facts.years(code)
        span = f"{years[0]} to {years[-1]}" if len(years) > 1 else str(years[0])
        title = "Over several surveys" if page.declared else page.section or "Other questions"
        sections.setdefault(title, []).append((page, span))
    every = [y for code in facts.points for y in facts.years(code)]
    write(out, "index.html", site.index(indicators, list(sections.items()), (min(every), max(every))))
    write(out, "404.html", site.not_found())
    method = method_report(facts, run.results.tables["trend_notes"].to_dicts())
    write(out, "method.html", site.plain("method.html", "Method", "", method))
    titles = [(p.code, p.report.organisation) for p in (*indicators, *(p for own in sections.values() for p, _ in own))]
    files = _for_programs(run, out, titles)
    if settings.address:
        card = card_bytes(
            settings.title, "What people said over the years, and whether it changed by more than chance.", run.theme
        )
        updates = [(settings.updated, updated_words(facts)), *((c.date, c.text) for c in settings.corrections)]
        for name, content in discovery_files(
            settings.title, settings.address, card, settings.publisher, updates
        ).items():
            write(out, name, content)
    lead = "Every figure of this site. Figures withheld for small numbers are in none of the files; each page has its own besides."
    write(out, "data.html", site.plain("data.html", "Data", lead, None, files))
    if settings.standards:
        blocks = [
            b
            for s in settings.standards
            for b in (Heading(facts.points[s.series][facts.years(s.series)[-1]]["title"]), *standard_blocks(facts, s))
        ]
        pages = (
            Page(
                "trend-standard", "How far what people say is from what guidelines ask for", tuple(blocks), "standards"
            ),
        )
        report = Report(
            settings.title, "", "Standards", "standards", updated_words(facts), pages, "", notice=settings.notice
        )
        write(out, "standards.html", site.plain("standards.html", "Compared with standards", "", report))
    for name, content in static_files().items():
        write(out, name, content)


def _for_programs(run: TrendRun, out: Path, titles: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Every table in one archive and as Parquet, the list of all documents and their shape; returns links, words and sizes."""
    listed = [{"code": code, "name": title} for code, title in titles]
    shape = records.shape("trends", "The figures of one page", records.HEAD, ("shares", "share_changes"), IN_TABLES)
    contents = {
        **table_files(run.public, run.settings.title),
        "api/v1/index.json": records.index(_head(run), pages=listed),
        "api/v1/page.schema.json": shape,
    }
    sizes = {name: write(out, name, content).stat().st_size for name, content in contents.items()}
    words = {
        "data/tidy-tables.zip": "All tables as CSV, with the meaning of every column (CSV on the Web)",
        **{f"data/{name}.parquet": f"{about} (Parquet)" for name, about in DOWNLOADS.items()},
        "api/v1/index.json": "Every page by its code (JSON)",
        "api/v1/page.schema.json": "Shape of a page's document, api/v1/pages/CODE.json (JSON Schema)",
    }
    return [(name, words[name], size_words(size)) for name, size in sizes.items() if name in words]

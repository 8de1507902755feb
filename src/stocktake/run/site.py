"""The web edition of a folder: every page and download, made on every core."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from stocktake import __version__
from stocktake.codes import file_name
from stocktake.files import Content, new_folder, write_file, writing
from stocktake.organisations import read_organisations
from stocktake.reports.facts import ByOrganisation, GroupResults, OrganisationResults, group_results
from stocktake.reports.words import rounded, size_words
from stocktake.results.csv import csv_bytes
from stocktake.run.core import Run, open_run
from stocktake.run.documents import NATIONAL, national_contents
from stocktake.run.pool import in_batches
from stocktake.run.site_data import Places, api_files, feed, parquet_files, read_places, search_script, sitemap, zipped

if TYPE_CHECKING:
    from stocktake.render.measure_drawings import Marks
    from stocktake.render.web.pages import Site
    from stocktake.reports.model import Page
    from stocktake.reports.site import Listing

# Of more organisations than this a site has no tables of firmness on their pages: the tables of data have the same.
FIRM_UP_TO = 100
# Of more than this it has no OpenDocument or published layout among its workbooks, which `report` makes.
MANY = 1000
LEFT_OUT_OF_MANY = ("national-tables.ods", "published-layout.xlsx", "published-layout.ods")
STATIC = ("nhsuk-frontend.css", "site.css", "site.js")
# What the tables of an organisation or a measure leave out: it is the same in every row, or belongs to a method page.
NOT_IN_PARTS = (
    "survey",
    "year",
    "group",
    "organisation_name",
    "kind",
    "not_published",
    "place",
    "effective_base",
    "lowest",
    "highest",
)


def make_site(
    folder: Path, progress: Callable[[int], None] | None = None, begin: Callable[[int], None] | None = None
) -> Path:
    """Write the site of a folder's results to folder/site/ and return its first page.

    The new site is made next to the old one and takes its place when it is whole. Raises StocktakeError where withheld
    figures could be worked out from it.
    """
    _open.cache_clear()
    _marks.cache_clear()
    run = open_run(folder)
    run.check_disclosure()
    jobs = [
        ("data", ""),
        ("common", ""),
        *(("trust", c) for c in run.organisations),
        *(("measure", m) for m in measures_of(run)),
    ]
    address = run.settings.site.address
    # Each worker opens the results for itself; what this process has read of thousands of organisations is let go.
    del run
    if begin is not None:
        begin(len(jobs))
    with writing(folder), new_folder(folder / "site") as fresh:
        in_batches(_make_all, folder, fresh, jobs, progress, alone=1)
        if address:
            _write(fresh, "sitemap.xml", sitemap(fresh, address))
    return folder / "site" / "index.html"


def measures_of(run: Run) -> list[str]:
    """Sections, each followed by its questions."""
    survey = run.survey
    return [m for s in survey.sections for m in (s.code, *(q.code for q in survey.members(s.code)))]


def _make_all(folder: Path, out: Path, jobs: Iterable[tuple[str, str]]) -> None:
    for kind, code in jobs:
        {"data": _data, "common": _common, "trust": _trust, "measure": _measure}[kind](folder, out, code)


@cache
def _open(folder: Path) -> tuple[Run, Site, Places]:
    from stocktake.render.web.pages import About, Site

    run = open_run(folder).public_alone()
    places = _places(folder, run)
    told = run.settings.site
    site = Site(
        run.survey,
        run.theme,
        run.public.digest,
        __version__,
        run.settings.notice,
        run.organisations,
        _several(k for k, _ in places.values()),
        _several(r for _, r in places.values()),
        About(told.address, told.publisher, told.licence, told.licence_address, told.feedback),
        lambda measure: _marks(folder, measure),
    )
    return run, site, places


def _several(words: Iterable[str]) -> tuple[str, ...]:
    """The different words; none where all are alike, for then there is nothing to choose."""
    found = sorted({w for w in words if w})
    return tuple(found) if len(found) > 1 else ()


@lru_cache(maxsize=64)
def _marks(folder: Path, measure: str) -> Marks | None:
    """The places of all organisations in a measure's drawing."""
    from stocktake.render.measure_drawings import marks_of
    from stocktake.reports.site import ranked_dots

    run, _, _ = _open(folder)
    chart = ranked_dots(group_results(run.public, run.survey), measure, run.organisations)
    return None if chart is None else marks_of(chart)


def _places(folder: Path, run: Run) -> Places:
    """Kind and region of each organisation, where its list has them."""
    path = folder / run.settings.organisations
    if not path.is_file():
        return {}
    return {o.code: (o.kind, o.region) for o in read_organisations(path)}


# One organisation


def _trust(folder: Path, out: Path, code: str) -> None:
    """One organisation's pages: its summary, and what lies behind it."""
    from stocktake.reports.site import firm_table, unusual
    from stocktake.reports.trust_benchmark import web_report

    run, site, places = _open(folder)
    notice = run.settings.notice
    facts = OrganisationResults(_field(run), code)
    report = web_report(run.public, run.survey, code, notice=notice)
    by_kind: dict[str, list[Page]] = {}
    for page in report.pages:
        by_kind.setdefault(page.kind, []).append(page)
    grouped = _grouped(run, code) and bool(facts.shown)
    parts = ["trusts", *(("sections", "change", "people") if facts.shown else ()), *(("service-groups",) if grouped else ())]  # fmt: skip
    downloads = _trust_files(run, out, facts, places)

    def write(part: str, pages: Sequence[Page], **more: Any) -> None:
        _write(out, f"{part}/{file_name(code, '.html')}", site.organisation(part, report, pages, parts, **more))

    first = [*by_kind.get("glance", []), *by_kind.get("nothing", [])]
    if facts.shown:
        # Where to go next stands above, as the pages' own names.
        brief = [_without_notice(p, notice) for p in first]
        write("trusts", brief, below=_scorecard(facts, code), downloads=downloads)
        few = len(run.organisations) <= FIRM_UP_TO
        tables = [t for t in (unusual(facts), firm_table(facts)) if t is not None] if few else []
        write("sections", by_kind["section"], below=_tables(site, report, tables))
        changes = [*by_kind.get("changes", [])]
        changes += [_what_changed(p) for p in by_kind.get("change", [])] + by_kind.get("change-predecessors", [])
        write("change", changes, below=_courses(facts))
        write("people", by_kind.get("who", []))
    else:
        write("trusts", first, downloads=downloads)
    if grouped:
        groups = run.report(code, "service-groups").report
        kinds = ("glance", "who", "scorecard", "changes", "scores", "no-data")
        pages = [_without_notice(_without_links(p), notice) for p in groups.pages if p.kind in kinds]
        html = site.organisation("service-groups", groups, pages, parts)
        _write(out, f"service-groups/{file_name(code, '.html')}", html)


def _many(run: Run) -> bool:
    """Whether a site has so many organisations that it leaves out what the tables of data have as well."""
    return len(run.organisations) > MANY


def _field(run: Run) -> GroupResults:
    return group_results(run.public, run.survey)


_latest: dict[str, ByOrganisation] = {}


def _scores_of(run: Run, code: str) -> pl.DataFrame:
    """This year's scores of one organisation; the table is put in order once for all of a process's pages."""
    digest = run.public.digest
    if digest not in _latest:
        _latest.clear()
        _latest[digest] = ByOrganisation(run.public.scores.filter(pl.col("year") == run.survey.year))
    return _latest[digest].frame(code)


def _grouped(run: Run, code: str) -> bool:
    """Whether an organisation's results have service groups."""
    return _scores_of(run, code)["group"].n_unique() > 1


def _without_links(page: Page) -> Page:
    """A page without the sentences that lead to other pages of the printed report."""
    from stocktake.reports.model import Link, Text

    kept = (b for b in page.blocks if not (isinstance(b, Text) and any(isinstance(p, Link) for p in b.parts)))
    return replace(page, blocks=tuple(kept))


def _what_changed(page: Page) -> Page:
    """The opening of the chapter on change, without how to read the printed charts, which the site draws otherwise."""
    from stocktake.reports.model import Columns

    return replace(page, blocks=tuple(x for b in page.blocks for x in (b.right if isinstance(b, Columns) else (b,))))


def _without_notice(page: Page, notice: str) -> Page:
    """A page without the notice, which every page of the site has above."""
    from stocktake.reports.model import Text, plain

    kept = (b for b in page.blocks if not (notice and isinstance(b, Text) and plain(b) == notice))
    return replace(page, blocks=tuple(kept))


def _scorecard(facts: OrganisationResults, code: str) -> str:
    """What stands out, then every question below its section's own result."""
    from stocktake.compare.firmness import expected_by_chance, most_by_chance
    from stocktake.render.web.rows import scorecard_rows, section_line, standing_out
    from stocktake.reports.facts import band_word
    from stocktake.reports.scorecard import change_chart, scorecard_chart

    survey = facts.survey
    lines = {}
    for section in survey.sections:
        row = facts.row(section.code)
        lines[section.code] = section_line(
            facts.section_title(section.code),
            row["score"],
            row["band"],
            band_word(survey, row),
            row["lower_95"],
            row["upper_95"],
        )
    chart = scorecard_chart(facts)
    banded = sum(r.band is not None for r in chart.rows)
    word = survey.organisation_word
    chance = (
        f"The expected range is where a {word}'s score would lie if it were like the others. Of {banded} questions about "
        f"{rounded(expected_by_chance(banded)[0])} would lie outside it by chance alone, and {most_by_chance(banded)} or fewer 19 times in 20."
    )
    unsure = any(survey.by_code[r.code].unsure_wording for r in chart.rows)
    return (
        standing_out(chart, change_chart(facts), code, chance)
        + '<h2 id="scorecard">Every question</h2>\n<p class="note">Each question leads to all organisations on it. In the drawing: grey, the expected range; '
        "thin line, lowest to highest; thick line and diamond, the score with its 95% interval; upright line, the average. Scores run from 0 to 10, and "
        "10 is always the best experience, whichever way a question is asked.</p>\n"
        + scorecard_rows(chart, code, lines, wording=facts.heading)
        + ('<p class="note">* Wording not confirmed by a published source.</p>\n' if unsure else "")
    )


def _courses(facts: OrganisationResults) -> str:
    """Scores of three or more years, a row a question; nothing where there are fewer."""
    from stocktake.render.web.rows import course_row
    from stocktake.reports.change_pages import trend_of

    years = tuple(sorted(facts.group_results.years))
    if len(years) < 3 or not facts.has_history:
        return ""
    rows = "".join(course_row(facts.entry(q), trend_of(facts, q), years) for q in facts.questions)
    head = "".join(f'<th scope="col">{y}</th>' for y in years)
    return (
        '<h2>Year by year</h2>\n<p class="note">Solid: this organisation; dashed: the national average. Each drawing has a scale of its own.</p>\n'
        '<div class="scroll" role="group" tabindex="0" aria-label="Scores by year"><table class="nhsuk-table rows courses"><caption class="nhsuk-u-visually-hidden">'
        f'Scores by year</caption><thead><tr><th scope="col">Question</th>{head}<th scope="col">Course</th></tr></thead><tbody>{rows}</tbody></table></div>\n'
    )


def _tables(site: Site, report: Any, tables: Sequence[Any]) -> str:
    """The tables of what is most unusual, and of how firm each band is, each with its heading."""
    from stocktake.render.web.html import Html

    about = {
        "Most unusual results": ("unusual", "Furthest from the average", "In units of the spread to be expected of the score (z). Even the furthest may be about the same."),
        "How firm each band is": ("firm", "How firm each band is", "Points: how far the score is from where the next band begins. Drawn anew: how often the same band, or one outside the range, comes out if the answers are drawn again; for sections, by a normal approximation. People: how many would have had to answer one step better. A dash: there is no such band."),
    }  # fmt: skip
    html, out = Html(site.theme), ""
    for table in tables:
        anchor, title, words = about[table.title]
        out += (
            f'<section><h2 id="{anchor}">{title}</h2>\n<p class="note">{words}</p>\n{html.block(table, 3)}</section>\n'
        )
    return out


def _trust_files(run: Run, out: Path, facts: OrganisationResults, places: Places) -> list[tuple[str, str]]:
    """The files of one organisation, and the links to them."""
    from stocktake.reports.api import organisation_document

    code = facts.code
    rows = _scores_of(run, code)
    _write(out, f"data/trusts/{file_name(code, '.csv')}", csv_bytes(_lean(rows, "organisation")))
    document = organisation_document(facts, head_of(run), places.get(code, ("", "")), measures_of(run))
    _write(out, f"api/v1/trusts/{file_name(code, '.json')}", document.model_dump_json(exclude_none=True))
    return [
        (f"../data/trusts/{quote(code)}.csv", "All scores (CSV)"),
        (f"../api/v1/trusts/{quote(code)}.json", "All scores (JSON)"),
    ]


def _lean(rows: pl.DataFrame, known: str) -> pl.DataFrame:
    """Rows without the columns that say the same in each of them; service groups keep theirs."""
    rows = rows.with_columns(pl.col(pl.Float64).round(4))
    left_out = {*NOT_IN_PARTS, known}
    if rows["group"].n_unique() > 1:
        left_out -= {"group"}
    return rows.drop(c for c in rows.columns if c in left_out)


def head_of(run: Run) -> dict[str, str]:
    """What every document for programs says of its source."""
    return {"digest": run.public.digest, "notice": run.settings.notice, "licence": run.settings.site.licence}


# One measure


def _measure(folder: Path, out: Path, code: str) -> None:
    from stocktake.render.web.pages import MOST_LINES
    from stocktake.reports.api import measure_document
    from stocktake.reports.site import measure_page

    run, site, places = _open(folder)
    field = _field(run)
    page = measure_page(field, code, run.organisations, places)
    order = measures_of(run)
    at = order.index(code)
    before, after = order[at - 1] if at else "", order[at + 1] if at + 1 < len(order) else ""
    for number, many, part in _in_parts(page.listing, MOST_LINES):
        name = f"measures/{file_name(code, '.html')}" if number == 1 else f"parts/{file_name(code, f'.{number}.html')}"
        _write(out, name, site.measure(page, before, after, part, (number, many)))
    if page.ranked is not None:
        for name, svg in site.shared(page.ranked).items():
            _write(out, f"charts/{file_name(code, f'.{name}')}", svg)
        _write(out, f"embed/{file_name(code, '.html')}", site.embed(page))
    rows = run.public.scores.filter(
        (pl.col("measure") == code) & (pl.col("year") == run.survey.year) & (pl.col("group") == "all")
    )
    _write(out, f"data/measures/{file_name(code, '.csv')}", csv_bytes(_lean(rows, "measure")))
    document = measure_document(field, code, page.title, head_of(run))
    _write(out, f"api/v1/measures/{file_name(code, '.json')}", document.model_dump_json(exclude_none=True))


def _in_parts(listing: Listing, most: int) -> list[tuple[int, int, Listing]]:
    """A list in parts of at most so many lines: number, how many there are, and the part."""
    starts = range(0, max(len(listing.lines), 1), most)
    return [
        (k, len(starts), replace(listing, lines=listing.lines[i : i + most])) for k, i in enumerate(starts, start=1)
    ]


# What there is once


def _common(folder: Path, out: Path, _: str) -> None:
    """The first page, the heat map, the lists, the comparison, the method, what programs read, and the styles."""
    from stocktake.render.web.pages import MOST_LINES
    from stocktake.render.web.rows import band_styles
    from stocktake.reports import front, question_pages
    from stocktake.reports.method_annex import method_annex
    from stocktake.reports.site import heat_map, overview, title_of

    run, site, places = _open(folder)
    field, survey = _field(run), run.survey
    for number, many, part in _in_parts(overview(field, run.organisations, places), MOST_LINES):
        name = "index.html" if number == 1 else f"parts/index.{number}.html"
        _write(out, name, site.index(part, (number, many), run.settings.site.places is not None))
    heat = heat_map(field, run.organisations, places)
    starts = range(0, max(len(heat.rows), 1), MOST_LINES)
    for k, i in enumerate(starts, start=1):
        name = "heatmap.html" if k == 1 else f"parts/heatmap.{k}.html"
        part_of_heat = replace(heat, rows=heat.rows[i : i + MOST_LINES])
        _write(out, name, site.heat(part_of_heat, (k, len(starts))))
    titles = [(m, title_of(survey, m)) for m in measures_of(run)]
    centres = {m: field.measures[survey.year, m]["centre"] for m, _ in titles}
    _write(out, "compare.html", site.compare(titles, {m: "-" if c is None else rounded(c) for m, c in centres.items()}))
    _write(out, "measures/index.html", site.measures(_measure_list(run)))
    some = OrganisationResults(field, next(iter(run.organisations)))
    reading = [front.key_terms(some), question_pages.how_scored(some)]
    _write(out, "method.html", site.method(method_annex(run.public, survey, notice=run.settings.notice), reading))
    _write(out, "404.html", site.not_found())
    for name, content in api_files(run, places, titles, head_of(run)).items():
        _write(out, name, content)
    served = read_places(folder, run)
    _write(out, "static/search.js", search_script(run, titles, served))
    _write(out, "static/compare-data.js", _compare_script(field, run))
    _write(out, "static/bands.css", band_styles(run.theme))
    for name in STATIC:
        _write(out, f"static/{name}", (resources.files("stocktake.render.web") / "static" / name).read_bytes())
    told = run.settings.site
    if told.address:
        from stocktake.render.web.card import card_bytes

        _write(
            out,
            "static/card.png",
            card_bytes(survey.title, len(run.organisations), survey.organisation_word, run.theme),
        )
        _write(out, "feed.xml", feed(run))
        _write(out, "robots.txt", f"User-agent: *\nAllow: /\nSitemap: {told.address.rstrip('/')}/sitemap.xml\n")


def _compare_script(field: GroupResults, run: Run) -> str:
    """Score and band of every organisation, for pages opened from a folder, where nothing can be fetched."""
    scores: dict[str, dict[str, list[Any]]] = {}
    for measure in measures_of(run):
        for code, row in field.of_measure(measure).items():
            if row["score"] is not None:
                scores.setdefault(code, {})[measure] = [row["score"], row["band"]]
    return f"window.stocktakeScores = {json.dumps(scores, separators=(',', ':'))};\n"


def _measure_list(run: Run) -> list[dict[str, object]]:
    from stocktake.reports.site import title_of

    rows = _field(run).measures
    out: list[dict[str, object]] = []
    for code in measures_of(run):
        row = rows[run.survey.year, code]
        figures = [("-" if row[c] is None else rounded(row[c]), row[c]) for c in ("centre", "lowest", "highest")]
        cells = [*figures, (str(row["organisations"]), row["organisations"])]
        out.append({"code": code, "title": title_of(run.survey, code), "cells": cells})
    return out


def _data(folder: Path, out: Path, _: str) -> None:
    """The national tables in every format, the annex, and the page that lists them."""
    run, site, _places = _open(folder)
    paths, tidy = [], {}
    for name, content in national_contents(run, NATIONAL):
        if name.endswith((".csv", ".json")):
            # Words and figures that repeat take a tenth of the room in an archive; each measure has a file of its own besides.
            tidy[name] = content
        elif not (_many(run) and name in LEFT_OUT_OF_MANY):
            paths.append(_write(out, f"data/{name}", content))
    paths.append(_write(out, "data/tidy-tables.zip", zipped(tidy)))
    _write(out, "data/csv-metadata.json", tidy["csv-metadata.json"])
    paths += [_write(out, f"data/{name}", content) for name, content in parquet_files(run).items()]
    sized = {p.name: (f"data/{p.name}", p.name, size_words(p.stat().st_size)) for p in paths}

    def of(*endings: str) -> list[tuple[str, str, str]]:
        return [
            (h, f"{WHAT.get(n, n)}: {n}" if n in WHAT else n, s)
            for n, (h, _n, s) in sized.items()
            if n.endswith(endings)
        ]

    programs = [
        ("api/v1/index.json", "Every organisation and measure by its code (JSON)", ""),
        ("api/v1/index.schema.json", "Shape of that document (JSON Schema)", ""),
        ("api/v1/organisation.schema.json", "Shape of an organisation's document", ""),
        ("api/v1/measure.schema.json", "Shape of a measure's document", ""),
    ]
    rest = "One document an organisation, api/v1/trusts/CODE.json, and one a measure, api/v1/measures/CODE.json. Figures have at most two decimals; what is not known or not shown is left out. A change of shape gets a new number in place of v1."
    groups = [
        ("Workbooks and documents", LEFT_OUT if _many(run) else "", of(".xlsx", ".ods", ".pdf")),
        (
            "Tidy tables (CSV)",
            "One row a figure, for any program, with the meaning of every column (CSV on the Web). Each question's page has its own figures.",
            of(".zip"),
        ),
        ("The same tables (Parquet)", "Smaller and with types, for Python, R and DuckDB.", of(".parquet")),
        ("For programs", rest, programs),
    ]
    _write(out, "data.html", site.data([(t, a, f) for t, a, f in groups if f]))


LEFT_OUT = "OpenDocument and the published layout are left out for their size; who publishes the site can make them."
WHAT = {
    "national-tables.xlsx": "All results, for Excel",
    "national-tables.ods": "All results, OpenDocument",
    "published-layout.xlsx": "The programme's published layout, for Excel",
    "published-layout.ods": "The programme's published layout, OpenDocument",
    "method-annex.pdf": "Method annex",
    "tidy-tables.zip": "All tables",
}


def _write(out: Path, name: str, content: Content) -> Path:
    """Write one file of the site, which it cannot leave."""
    return write_file(out / name, content, inside=out)

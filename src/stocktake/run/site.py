"""The web edition of a folder: every page and download, made on every core."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import polars as pl

from stocktake import __version__
from stocktake.codes import file_name
from stocktake.files import Content, new_folder, write_file, writing
from stocktake.organisations import read_organisations
from stocktake.reports.facts import OrganisationResults, group_results
from stocktake.reports.words import rounded, size_words
from stocktake.results.csv import csv_bytes
from stocktake.run.core import Run, open_run
from stocktake.run.documents import NATIONAL, national_contents
from stocktake.run.pool import in_batches

if TYPE_CHECKING:
    from stocktake.render.web.pages import Site

Places = dict[str, tuple[str, str]]


def make_site(
    folder: Path, progress: Callable[[int], None] | None = None, begin: Callable[[int], None] | None = None
) -> Path:
    """Write the site of a folder's results to folder/site/ and return its first page.

    The new site is made next to the old one and takes its place when it is whole. Raises StocktakeError where withheld
    figures could be worked out from it.
    """
    _open.cache_clear()
    run = open_run(folder)
    run.check_disclosure()
    jobs = [
        ("data", ""),
        ("common", ""),
        *(("trust", c) for c in run.organisations),
        *(("measure", m) for m in measures_of(run)),
    ]
    if begin is not None:
        begin(len(jobs))
    with writing(folder), new_folder(folder / "site") as fresh:
        in_batches(_make_all, folder, fresh, jobs, progress, alone=1)
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
    from stocktake.render.web.pages import Site

    run = open_run(folder)
    places = _places(folder, run)
    site = Site(
        run.survey,
        run.theme,
        run.public.digest,
        __version__,
        run.settings.notice,
        run.organisations,
        tuple(sorted({k for k, _ in places.values() if k})),
        tuple(sorted({r for _, r in places.values() if r})),
    )
    return run, site, places


def _places(folder: Path, run: Run) -> Places:
    """Kind and region of each organisation, where its list has them."""
    path = folder / run.settings.organisations
    if run.settings.workbook is not None or not path.is_file():
        return {}
    return {o.code: (o.kind, o.region) for o in read_organisations(path)}


def _trust(folder: Path, out: Path, code: str) -> None:
    """One organisation's page, and that of its service groups."""
    from stocktake.reports.site import firm_table, unusual

    run, site, _ = _open(folder)
    facts = OrganisationResults(group_results(run.public, run.survey), code)
    grouped = any(g != "all" for g in run.public.scores["group"].unique())
    rows = run.public.scores.filter((pl.col("organisation") == code) & (pl.col("year") == run.survey.year))
    _write(out, f"data/trusts/{file_name(code, '.csv')}", csv_bytes(rows))
    downloads = [(f"../data/trusts/{quote(code)}.csv", "All scores of this organisation (CSV)")]
    second = ("Results by service group", f"../service-groups/{quote(code)}.html") if grouped else None
    table, firm = (unusual(facts), firm_table(facts)) if facts.shown else (None, None)
    html = site.organisation(run.report(code).report, table, firm, second, downloads)
    _write(out, f"trusts/{file_name(code, '.html')}", html)
    if grouped:
        back = ("The whole report", f"../trusts/{quote(code)}.html")
        report = run.report(code, "service-groups").report
        _write(
            out, f"service-groups/{file_name(code, '.html')}", site.organisation(report, None, None, back, downloads)
        )


def _measure(folder: Path, out: Path, code: str) -> None:
    from stocktake.reports.site import measure_page

    run, site, places = _open(folder)
    field = group_results(run.public, run.survey)
    page = measure_page(field, code, run.organisations, places)
    order = measures_of(run)
    at = order.index(code)
    before, after = order[at - 1] if at else "", order[at + 1] if at + 1 < len(order) else ""
    _write(out, f"measures/{file_name(code, '.html')}", site.measure(page, before, after))
    rows = run.public.scores.filter((pl.col("measure") == code) & (pl.col("year") == run.survey.year))
    _write(out, f"data/measures/{file_name(code, '.csv')}", csv_bytes(rows))


def _common(folder: Path, out: Path, _: str) -> None:
    """The first page, the lists, the comparison, the method, and the styles."""
    from stocktake.reports.method_annex import method_annex
    from stocktake.reports.site import comparison, overview

    run, site, places = _open(folder)
    field = group_results(run.public, run.survey)
    _write(out, "index.html", site.index(overview(field, run.organisations, places)))
    _write(out, "compare.html", site.compare(comparison(field, run.organisations)))
    _write(out, "measures/index.html", site.measures(_measure_list(run)))
    _write(out, "method.html", site.method(method_annex(run.public, run.survey, notice=run.settings.notice)))
    for name in ("nhsuk-frontend.css", "site.css", "site.js"):
        source = resources.files("stocktake.render.web") / "static" / name
        _write(out, f"static/{name}", source.read_bytes())


def _measure_list(run: Run) -> list[dict[str, object]]:
    rows = group_results(run.public, run.survey).measures
    out: list[dict[str, object]] = []
    for code in measures_of(run):
        row = rows[run.survey.year, code]
        figures = [("-" if row[c] is None else rounded(row[c]), row[c]) for c in ("centre", "lowest", "highest")]
        section = next((s for s in run.survey.sections if s.code == code), None)
        title = run.survey.label(code)
        if section:
            title = f"Section {section.number}. {section.title}" if section.title else f"Section {section.number}"
        cells = [*figures, (str(row["organisations"]), row["organisations"])]
        out.append({"code": code, "title": title, "cells": cells})
    return out


def _data(folder: Path, out: Path, _: str) -> None:
    """The national tables in every format, the annex, and the page that lists them."""
    run, site, _places = _open(folder)
    paths = [_write(out, f"data/{name}", content) for name, content in national_contents(run, NATIONAL)]
    sized = {p.name: (f"data/{p.name}", p.name, size_words(p.stat().st_size)) for p in paths}
    books = [(h, f"{WHAT.get(n, n)}: {n}", s) for n, (h, _n, s) in sized.items() if not n.endswith((".csv", ".json"))]
    tidy = [v for n, v in sized.items() if n.endswith((".csv", ".json"))]
    _write(out, "data.html", site.data([("Workbooks and documents", books), ("Tidy tables (CSV)", tidy)]))


WHAT = {
    "national-tables.xlsx": "All results, for Excel",
    "national-tables.ods": "All results, OpenDocument",
    "published-layout.xlsx": "The programme's published layout, for Excel",
    "published-layout.ods": "The programme's published layout, OpenDocument",
    "method-annex.pdf": "Method annex",
}


def _write(out: Path, name: str, content: Content) -> Path:
    """Write one file of the site, which it cannot leave."""
    return write_file(out / name, content, inside=out)

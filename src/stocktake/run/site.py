"""The web edition of a folder: every page and download, made on every core."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from importlib import resources
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import polars as pl

from stocktake import __version__
from stocktake.organisations import read_organisations
from stocktake.reports.facts import Facts, field_of
from stocktake.reports.words import rounded
from stocktake.results.csv import write_csv
from stocktake.run.core import Run, open_run
from stocktake.run.reporting import leave_interrupts
from stocktake.survey.engines import cores

if TYPE_CHECKING:
    from stocktake.render.web.pages import Site

Places = dict[str, tuple[str, str]]


def make_site(
    folder: Path, progress: Callable[[int], None] | None = None, begin: Callable[[int], None] | None = None
) -> Path:
    """Write the site of a folder's results to folder/site/ and return its first page.

    The new site is made beside the old one and takes its place when it is whole.
    """
    run = open_run(folder)
    target, fresh = folder / "site", folder / ".site.part"
    shutil.rmtree(fresh, ignore_errors=True)
    jobs = [
        ("data", ""),
        ("common", ""),
        *(("trust", c) for c in run.organisations),
        *(("measure", m) for m in measures_of(run)),
    ]
    if begin is not None:
        begin(len(jobs))
    # Alternate jobs go to each worker, the long ones first; each keeps what it has opened.
    workers = min(cores(), 8)
    batches = [jobs[:1], *(jobs[1:][i :: workers * 4] for i in range(workers * 4))]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=leave_interrupts) as pool:
        waiting = {pool.submit(_make_all, folder, fresh, batch): len(batch) for batch in batches if batch}
        try:
            for job in as_completed(waiting):
                job.result()
                if progress is not None:
                    progress(waiting[job])
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return target / "index.html"


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
        run.results.digest,
        __version__,
        run.settings.notice,
        run.organisations,
        tuple(sorted({k for k, _ in places.values() if k})),
        tuple(sorted({r for _, r in places.values() if r})),
    )
    return run, site, places


def _places(folder: Path, run: Run) -> Places:
    """Kind and region of each organisation, where its list tells them."""
    path = folder / run.settings.organisations
    if run.settings.workbook is not None or not path.is_file():
        return {}
    return {o.code: (o.kind, o.region) for o in read_organisations(path)}


def _trust(folder: Path, out: Path, code: str) -> None:
    """One organisation's page, and that of its service groups."""
    from stocktake.render.web.pages import write_page
    from stocktake.reports.site import firm_table, unusual

    run, site, _ = _open(folder)
    facts = Facts(field_of(run.results, run.survey), code)
    grouped = any(g != "all" for g in run.results.scores["group"].unique())
    rows = run.results.scores.filter((pl.col("organisation") == code) & (pl.col("year") == run.survey.year))
    data = out / "data" / "trusts"
    data.mkdir(parents=True, exist_ok=True)
    write_csv(rows, data / f"{code}.csv")
    downloads = [(f"../data/trusts/{quote(code)}.csv", "All scores of this organisation (CSV)")]
    second = ("Results by service group", f"{quote(code)}-service-groups.html") if grouped else None
    table, firm = (unusual(facts), firm_table(facts)) if facts.shown else (None, None)
    write_page(
        out / "trusts" / f"{code}.html", site.organisation(run.report(code).report, table, firm, second, downloads)
    )
    if grouped:
        back = ("The whole report", f"{quote(code)}.html")
        report = run.report(code, "service-groups").report
        write_page(
            out / "trusts" / f"{code}-service-groups.html", site.organisation(report, None, None, back, downloads)
        )


def _measure(folder: Path, out: Path, code: str) -> None:
    from stocktake.render.web.pages import write_page
    from stocktake.reports.site import measure_page

    run, site, places = _open(folder)
    field = field_of(run.results, run.survey)
    page = measure_page(field, code, run.organisations, places)
    order = measures_of(run)
    at = order.index(code)
    before, after = order[at - 1] if at else "", order[at + 1] if at + 1 < len(order) else ""
    write_page(out / "measures" / f"{code}.html", site.measure(page, before, after))
    data = out / "data" / "measures"
    data.mkdir(parents=True, exist_ok=True)
    rows = run.results.scores.filter((pl.col("measure") == code) & (pl.col("year") == run.survey.year))
    write_csv(rows, data / f"{code}.csv")


def _common(folder: Path, out: Path, _: str) -> None:
    """The first page, the lists, the comparison, the method, and the styles."""
    from stocktake.render.web.pages import write_page
    from stocktake.reports.method_annex import method_annex
    from stocktake.reports.site import comparison, overview

    run, site, places = _open(folder)
    field = field_of(run.results, run.survey)
    write_page(out / "index.html", site.index(overview(field, run.organisations, places)))
    write_page(out / "compare.html", site.compare(comparison(field, run.organisations)))
    write_page(out / "measures" / "index.html", site.measures(_measure_list(run)))
    write_page(out / "method.html", site.method(method_annex(run.results, run.survey, notice=run.settings.notice)))
    static = out / "static"
    static.mkdir(parents=True, exist_ok=True)
    for name in ("nhsuk-frontend.css", "site.css", "site.js"):
        source = resources.files("stocktake.render.web") / "static" / name
        (static / name).write_bytes(source.read_bytes())


def _measure_list(run: Run) -> list[dict[str, object]]:
    rows = field_of(run.results, run.survey).measures
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
    from stocktake.render.web.pages import write_page
    from stocktake.run.national import make_annex, make_national

    run, site, _places = _open(folder)
    data = out / "data"
    paths = [*make_national(run, data), make_annex(run, data)]
    sized = {p.name: (f"data/{p.name}", p.name, _size(p)) for p in paths}
    books = [(h, f"{WHAT.get(n, n)}: {n}", s) for n, (h, _n, s) in sized.items() if not n.endswith((".csv", ".json"))]
    tidy = [v for n, v in sized.items() if n.endswith((".csv", ".json"))]
    write_page(out / "data.html", site.data([("Workbooks and documents", books), ("Tidy tables (CSV)", tidy)]))


WHAT = {
    "national-tables.xlsx": "All results, for Excel",
    "national-tables.ods": "All results, OpenDocument",
    "published-layout.xlsx": "The programme's published layout, for Excel",
    "published-layout.ods": "The programme's published layout, OpenDocument",
    "method-annex.pdf": "Method annex",
}


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1000))} kB"

"""The web edition of a collection: a summary and chapters for every reader's pack, over charts that all share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from stocktake import __version__
from stocktake.codes import file_name
from stocktake.files import new_folder, writing
from stocktake.organisations.register import Kind
from stocktake.problems import StocktakeError
from stocktake.reports import records
from stocktake.reports.audit.facts import WORDS
from stocktake.reports.words import size_words
from stocktake.results.csv import csv_bytes
from stocktake.run.audit import AuditRun, open_audit
from stocktake.run.pool import in_batches
from stocktake.run.site.opened import write
from stocktake.run.site.programs import about_of, discovery_files, sitemap, static_files, table_files

if TYPE_CHECKING:
    from stocktake.render.web.pack_page import PackSite

# What documents of an organisation and of a display say of themselves.
HEAD = {"audit": "code of the specification", **records.HEAD}
# Columns that are the same in every row of an organisation's figures, or a display's; and those that the tables have alone.
IN_TABLES = ("answered", "cells", "organisations", "asked", "made_of", "funnel_z", "reason")
OF_ORGANISATION = ("audit", "kind", "organisation", "organisation_name", *IN_TABLES)
OF_DISPLAY = ("audit", "indicator", "organisation_name", *IN_TABLES)


@cache
def _run(folder: Path) -> AuditRun:
    return open_audit(folder)


@cache
def _by_organisation(folder: Path) -> dict[str, pl.DataFrame]:
    """The figures of each organisation and area; divided once for all of a process's packs."""
    parts = _run(folder).results.tables["figures"].partition_by("organisation", as_dict=True, maintain_order=True)
    return {str(code): table for (code,), table in parts.items()}


def make_audit_site(
    folder: Path, progress: Callable[[int], None] | None = None, begin: Callable[[int], None] | None = None
) -> Path:
    """Write the pages of all packs to folder/site/ and return the first.

    Who reads every pack knows whose figure is whose, whatever one pack hides; so all organisations must be named to
    everyone by the settings. Raises StocktakeError where they are not.
    """
    _run.cache_clear()
    _by_organisation.cache_clear()
    run = _run(folder)
    names = run.collection.settings.names
    hidden = [WORDS[k][1] for k in ("trust", "ccg", "la") if names.of(k) != "everyone"]
    if hidden:
        raise StocktakeError(
            f"a site shows every pack to everybody, so that names of {', '.join(hidden)} cannot be hidden in it; set "
            "`names: {trust: everyone, ccg: everyone, la: everyone}` in audit.yaml, or give each reader its own pack."
        )
    codes = list(run.organisations)
    if begin is not None:
        begin(len(codes))
    with writing(folder), new_folder(folder / "site") as fresh:
        _shared(run, fresh, codes[0])
        in_batches(_make, folder, fresh, codes, progress)
        address = run.collection.settings.site.address
        if address:
            write(fresh, "sitemap.xml", sitemap(fresh, address))
    return folder / "site" / "index.html"


def write_shared(root: Path, run: AuditRun, reader: str) -> None:
    """What the pages of all packs share: charts that are alike for every reader, and the styles."""
    from stocktake.render.web.pack_page import shared_charts
    from stocktake.render.web.rows import band_styles

    for name, content in shared_charts(run.report(reader).report, run.theme, __version__).items():
        write(root, f"charts/{name}", content)
    for name, style in static_files().items():
        write(root, name, style)
    write(root, "static/bands.css", band_styles(run.theme))


def _site(run: AuditRun) -> PackSite:
    from stocktake.render.web.pack_page import PackSite

    return PackSite(run.theme, __version__, about_of(run.collection.settings.site))


def _shared(run: AuditRun, out: Path, reader: str) -> None:
    """The first page, the data, what programs read, and what all packs share."""
    from stocktake.render.web.card import card_bytes
    from stocktake.render.web.discovery import dataset

    write_shared(out, run, reader)
    spec, site, results = run.collection.spec, _site(run), run.results
    report = run.report(reader).report
    bodies = run.collection.register.bodies
    paths = [write(out, name, content) for name, content in table_files(results, spec.title).items()]
    _documents(run, out)
    when = f"Year from {spec.begins:%d %B %Y}; census on {spec.census:%d %B %Y}."
    kinds: tuple[Kind, ...] = ("region", "stp", "trust", "ccg", "la")
    groups = [
        (WORDS[kind][1][:1].upper() + WORDS[kind][1][1:], [(file_name(c), n) for c, n in run.organisations.items() if bodies[c].kind == kind])
        for kind in kinds
    ]  # fmt: skip
    told = dataset(
        f"{spec.title}: figures of {len(run.organisations)} organisations and areas",
        f"Figures of {len(spec.displays)} displays. {when} {run.collection.settings.notice}".strip(),
        f"{spec.begins.year}/{spec.census.year}",
        results.digest,
        site.about,
    )
    write(
        out,
        "index.html",
        site.index(report, f"{spec.programme or spec.title}. {when}", [g for g in groups if g[1]], told),
    )
    files = [(f"data/{p.name}", p.name, size_words(p.stat().st_size)) for p in paths if p.suffix != ".json"]
    displays = [(i.code, i.title) for i in spec.displays]
    write(out, "data.html", site.data(report, files, displays))
    write(out, "404.html", site.not_found(report))
    published = run.collection.settings.site
    if published.address:
        card = card_bytes(
            spec.title,
            f"How {len(run.organisations):,} organisations and areas compare, display by display.",
            run.theme,
        )
        updates = [(u.date, u.text) for u in published.updates] or [
            (spec.census, f"Figures of the census on {spec.census:%d %B %Y}.")
        ]
        for name, content in discovery_files(spec.title, published.address, card, published.publisher, updates).items():
            write(out, name, content)


def _head(run: AuditRun, code: str = "", name: str = "") -> dict[str, Any]:
    settings = run.collection.settings
    own = records.head(run.results.digest, settings.notice, settings.site.licence, code, name)
    return {"audit": run.collection.spec.code, **own}


def _documents(run: AuditRun, out: Path) -> None:
    """The list of all documents, their shapes, and one document and one CSV a display."""
    spec, results, bodies = run.collection.spec, run.results, run.collection.register.bodies
    figures = results.tables["figures"].partition_by("indicator", as_dict=True, maintain_order=True)
    summaries = results.tables["summaries"].partition_by("indicator", as_dict=True, maintain_order=True)
    displays = []
    for indicator in spec.displays:
        code = indicator.code
        own = figures.get((code,), results.tables["figures"].clear())
        every = {"figures": own, "summaries": summaries.get((code,), results.tables["summaries"].clear())}
        write(
            out,
            f"api/v1/displays/{file_name(code, '.json')}",
            records.document(_head(run, code, indicator.title), every, OF_DISPLAY),
        )
        write(out, f"data/displays/{file_name(code, '.csv')}", csv_bytes(own.drop("audit", "indicator")))
        displays.append({"code": code, "name": indicator.title})
    organisations = [{"code": c, "name": n, "kind": bodies[c].kind} for c, n in run.organisations.items()]
    write(out, "api/v1/index.json", records.index(_head(run), organisations=organisations, displays=displays))
    for name, tables, without in (
        ("organisation", ("figures",), OF_ORGANISATION),
        ("display", ("figures", "summaries"), OF_DISPLAY),
    ):
        write(
            out,
            f"api/v1/{name}.schema.json",
            records.shape("audit", f"The figures of one {name}", HEAD, tables, without),
        )


def _make(folder: Path, out: Path, codes: Sequence[str]) -> None:
    run, site, figures = _run(folder), _site(_run(folder)), _by_organisation(folder)
    for code in codes:
        for name, page in site.pages(run.report(code).report).items():
            write(out, name, page)
        own = figures.get(code, run.results.tables["figures"].clear())
        told = records.document(_head(run, code, run.organisations[code]), {"figures": own}, OF_ORGANISATION)
        write(out, f"api/v1/organisations/{file_name(code, '.json')}", told)

"""The pages and files of one organisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stocktake.codes import file_name
from stocktake.render.web.trust_sections import courses, firmness, stands_out
from stocktake.reports.api import organisation_document
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.model import Columns, Link, Page, Text, plain
from stocktake.reports.trust_benchmark import web_report
from stocktake.run.site.opened import Opened, lean_csv, open_site, write

# Of more organisations than this a site has no tables of firmness on their pages: the tables of data have the same.
FIRM_UP_TO = 100
# The pages of a group report that a site has; the others are the same for all, or drawn otherwise there.
OF_GROUPS = ("glance", "who", "scorecard", "changes", "scores", "no-data")


def organisation_pages(folder: Path, out: Path, code: str) -> None:
    """One organisation's pages: its summary, and what lies behind it."""
    opened = open_site(folder)
    run, site = opened.run, opened.site
    notice = run.settings.notice
    facts = OrganisationResults(opened.field, code)
    report = web_report(run.public, run.survey, code, notice=notice)
    by_kind: dict[str, list[Page]] = {}
    for page in report.pages:
        by_kind.setdefault(page.kind, []).append(page)
    grouped = opened.scores.frame(code)["group"].n_unique() > 1 and bool(facts.shown)
    parts = ["trusts", *(("sections", "change", "people") if facts.shown else ()), *(("service-groups",) if grouped else ())]  # fmt: skip
    downloads = _files(opened, out, facts)

    def page_of(part: str, pages: Sequence[Page], **more: Any) -> None:
        write(out, f"{part}/{file_name(code, '.html')}", site.organisation(part, report, pages, parts, **more))

    first = [*by_kind.get("glance", []), *by_kind.get("nothing", [])]
    if facts.shown:
        brief = [_without_notice(p, notice) for p in first]
        page_of("trusts", brief, below=stands_out(facts), downloads=downloads)
        few = len(run.organisations) <= FIRM_UP_TO
        page_of("sections", by_kind["section"], below=firmness(facts, site.theme) if few else "")
        changes = [*by_kind.get("changes", [])]
        changes += [_what_changed(p) for p in by_kind.get("change", [])] + by_kind.get("change-predecessors", [])
        page_of("change", changes, below=courses(facts))
        page_of("people", by_kind.get("who", []))
    else:
        page_of("trusts", first, downloads=downloads)
    if grouped:
        groups = run.report(code, "service-groups").report
        pages = [_without_notice(_without_links(p), notice) for p in groups.pages if p.kind in OF_GROUPS]
        html = site.organisation("service-groups", groups, pages, parts)
        write(out, f"service-groups/{file_name(code, '.html')}", html)


def _without_links(page: Page) -> Page:
    """A page without the sentences that lead to other pages of the printed report."""
    kept = (b for b in page.blocks if not (isinstance(b, Text) and any(isinstance(p, Link) for p in b.parts)))
    return replace(page, blocks=tuple(kept))


def _what_changed(page: Page) -> Page:
    """The opening of the chapter on change, without how to read the printed charts, which the site draws otherwise."""
    return replace(page, blocks=tuple(x for b in page.blocks for x in (b.right if isinstance(b, Columns) else (b,))))


def _without_notice(page: Page, notice: str) -> Page:
    """A page without the notice, which every page of the site has above."""
    kept = (b for b in page.blocks if not (notice and isinstance(b, Text) and plain(b) == notice))
    return replace(page, blocks=tuple(kept))


def _files(opened: Opened, out: Path, facts: OrganisationResults) -> list[tuple[str, str]]:
    """The files of one organisation, and the links to them."""
    code = facts.code
    write(out, f"data/trusts/{file_name(code, '.csv')}", lean_csv(opened.scores.frame(code), "organisation"))
    document = organisation_document(facts, opened.head, opened.places.get(code, ("", "")), opened.measures)
    write(out, f"api/v1/trusts/{file_name(code, '.json')}", document.model_dump_json(exclude_none=True))
    return [
        (f"../data/trusts/{quote(code)}.csv", "All scores (CSV)"),
        (f"../api/v1/trusts/{quote(code)}.json", "All scores (JSON)"),
    ]

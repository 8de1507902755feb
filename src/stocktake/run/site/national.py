"""The pages and files that a site has once: of all organisations, and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from stocktake.disclosure.rules import rules_of
from stocktake.render.web import pages
from stocktake.render.web.card import about_card, card_bytes
from stocktake.render.web.rows import band_styles
from stocktake.reports import front, question_pages
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.heat_map import heat_map
from stocktake.reports.method_annex import method_annex
from stocktake.reports.site import overview, title_of
from stocktake.reports.words import rounded, size_words
from stocktake.run.core import Run
from stocktake.run.documents import NATIONAL, national_contents
from stocktake.run.site.measures import in_parts
from stocktake.run.site.opened import Opened, open_site, write
from stocktake.run.site.programs import (
    api_files,
    discovery_files,
    parquet_files,
    read_places,
    search_script,
    static_files,
    zipped,
)

# Of more organisations than this a site has no OpenDocument or published layout among its workbooks, which `report` makes.
MANY = 1000
LAYOUT = ("published-layout.xlsx", "published-layout.ods")
WHAT = {
    "national-tables.xlsx": "All results, for Excel",
    "national-tables.ods": "All results, OpenDocument",
    "published-layout.xlsx": "The programme's published layout, for Excel",
    "published-layout.ods": "The programme's published layout, OpenDocument",
    "method-annex.pdf": "Method annex",
    "tidy-tables.zip": "All tables",
}


def national_pages(folder: Path, out: Path) -> None:
    """The first page, the heat map, the lists, the comparison, the method, what programs read, and the styles."""
    opened = open_site(folder)
    run, site, field, survey = opened.run, opened.site, opened.field, opened.run.survey
    for number, many, part in in_parts(overview(field, run.organisations, opened.places)):
        name = "index.html" if number == 1 else f"parts/index.{number}.html"
        write(out, name, site.index(part, (number, many), run.settings.site.places is not None))
    heat = heat_map(field, run.organisations, opened.places)
    starts = range(0, max(len(heat.rows), 1), pages.MOST_LINES)
    for k, i in enumerate(starts, start=1):
        name = "heatmap.html" if k == 1 else f"parts/heatmap.{k}.html"
        part_of_heat = replace(heat, rows=heat.rows[i : i + pages.MOST_LINES])
        write(out, name, site.heat(part_of_heat, (k, len(starts))))
    titles = [(m, title_of(survey, m)) for m in opened.measures]
    centres = {m: field.measures[survey.year, m]["centre"] for m, _ in titles}
    write(out, "compare.html", site.compare(titles, {m: "-" if c is None else rounded(c) for m, c in centres.items()}))
    write(out, "measures/index.html", site.measures(_measure_list(opened)))
    some = OrganisationResults(field, next(iter(run.organisations)))
    reading = [front.key_terms(some), question_pages.how_scored(some)]
    write(out, "method.html", site.method(method_annex(run.public, survey, notice=run.settings.notice), reading))
    write(out, "404.html", site.not_found())
    for name, content in api_files(run, opened.places, titles, opened.head).items():
        write(out, name, content)
    write(out, "static/search.js", search_script(run, titles, read_places(folder, run)))
    write(out, "static/compare-data.js", _compare_script(opened))
    write(out, "static/bands.css", band_styles(run.theme))
    for name, style in static_files().items():
        write(out, name, style)
    told = run.settings.site
    if told.address:
        card = card_bytes(survey.title, about_card(len(run.organisations), survey.organisation_word), run.theme)
        updates = [(u.date, u.text) for u in told.updates] or [(date(survey.year, 1, 1), f"Results of {survey.year}.")]
        for name, content in discovery_files(survey.title, told.address, card, told.publisher, updates).items():
            write(out, name, content)


def _compare_script(opened: Opened) -> str:
    """Score and band of every organisation, for pages opened from a folder, where nothing can be fetched."""
    scores: dict[str, dict[str, list[Any]]] = {}
    for measure in opened.measures:
        for code, row in opened.field.of_measure(measure).items():
            if row["score"] is not None:
                scores.setdefault(code, {})[measure] = [row["score"], row["band"]]
    return f"window.stocktakeScores = {json.dumps(scores, separators=(',', ':'))};\n"


def _measure_list(opened: Opened) -> list[dict[str, object]]:
    survey, rows = opened.run.survey, opened.field.measures
    out: list[dict[str, object]] = []
    for code in opened.measures:
        row = rows[survey.year, code]
        figures = [("-" if row[c] is None else rounded(row[c]), row[c]) for c in ("centre", "lowest", "highest")]
        cells = [*figures, (str(row["organisations"]), row["organisations"])]
        out.append({"code": code, "title": title_of(survey, code), "cells": cells})
    return out


def _left_out(run: Run) -> tuple[tuple[str, ...], str]:
    """Which workbooks a site does not have, for others of it have the same, and what is said of it."""
    if len(run.organisations) > MANY:
        said = (
            "OpenDocument and the published layout are left out for their size; who publishes the site can make them."
        )
        return ("national-tables.ods", *LAYOUT), said
    if rules_of(run.public.provenance) is None:
        return LAYOUT, "The published layout is the workbook that these results were read from."
    return (), ""


def national_files(folder: Path, out: Path) -> None:
    """The national tables in every format, the annex, and the page that lists them."""
    opened = open_site(folder)
    run, site = opened.run, opened.site
    paths, tidy = [], {}
    left_out, said = _left_out(run)
    for name, content in national_contents(run, NATIONAL, left_out):
        if name.endswith((".csv", ".json")):
            # Words and figures that repeat take a tenth of the room in an archive; each measure has a file of its own besides.
            tidy[name] = content
        else:
            paths.append(write(out, f"data/{name}", content))
    paths.append(write(out, "data/tidy-tables.zip", zipped(tidy)))
    write(out, "data/csv-metadata.json", tidy["csv-metadata.json"])
    paths += [write(out, f"data/{name}", content) for name, content in parquet_files(run.public).items()]
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
        ("Workbooks and documents", said, of(".xlsx", ".ods", ".pdf")),
        (
            "Tidy tables (CSV)",
            "One row a figure, for any program, with the meaning of every column (CSV on the Web). Each question's page has its own figures.",
            of(".zip"),
        ),
        ("The same tables (Parquet)", "Smaller and with types, for Python, R and DuckDB.", of(".parquet")),
        ("For programs", rest, programs),
    ]
    write(out, "data.html", site.data([(t, a, f) for t, a, f in groups if f]))

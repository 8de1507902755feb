"""The page and files of one question or section."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from stocktake.codes import file_name
from stocktake.render.web import pages
from stocktake.reports.api import measure_document
from stocktake.reports.site import Listing, measure_page
from stocktake.run.site.opened import lean_csv, open_site, write


def measure_pages(folder: Path, out: Path, code: str) -> None:
    """One measure's page, in parts where its list is long, its drawings, and its documents."""
    opened = open_site(folder)
    run, site, field = opened.run, opened.site, opened.field
    page = measure_page(field, code, run.organisations, opened.places)
    order = opened.measures
    at = order.index(code)
    before, after = order[at - 1] if at else "", order[at + 1] if at + 1 < len(order) else ""
    for number, many, part in in_parts(page.listing):
        name = f"measures/{file_name(code, '.html')}" if number == 1 else f"parts/{file_name(code, f'.{number}.html')}"
        write(out, name, site.measure(page, before, after, part, (number, many)))
    if page.ranked is not None:
        for name, svg in site.shared(page.ranked).items():
            write(out, f"charts/{file_name(code, f'.{name}')}", svg)
        write(out, f"embed/{file_name(code, '.html')}", site.embed(page))
    rows = run.public.scores.filter(
        (pl.col("measure") == code) & (pl.col("year") == run.survey.year) & (pl.col("group") == "all")
    )
    write(out, f"data/measures/{file_name(code, '.csv')}", lean_csv(rows, "measure"))
    document = measure_document(field, code, page.title, opened.head)
    write(out, f"api/v1/measures/{file_name(code, '.json')}", document.model_dump_json(exclude_none=True))


def in_parts(listing: Listing) -> list[tuple[int, int, Listing]]:
    """A list in parts that a page can hold: number, how many there are, and the part."""
    most = pages.MOST_LINES
    starts = range(0, max(len(listing.lines), 1), most)
    return [
        (k, len(starts), replace(listing, lines=listing.lines[i : i + most])) for k, i in enumerate(starts, start=1)
    ]

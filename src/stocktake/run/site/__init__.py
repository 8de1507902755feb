"""The web edition of a folder: every page and download, made on every core."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from stocktake.files import new_folder, writing
from stocktake.run.core import open_run
from stocktake.run.pool import in_batches
from stocktake.run.site.measures import measure_pages
from stocktake.run.site.national import national_files, national_pages
from stocktake.run.site.opened import forget, measures_of, write
from stocktake.run.site.organisations import organisation_pages
from stocktake.run.site.programs import sitemap


def make_site(
    folder: Path, progress: Callable[[int], None] | None = None, begin: Callable[[int], None] | None = None
) -> Path:
    """Write the site of a folder's results to folder/site/ and return its first page.

    The new site is made next to the old one and takes its place when it is whole. Raises StocktakeError where withheld
    figures could be worked out from it.
    """
    forget()
    run = open_run(folder)
    run.check_disclosure()
    jobs = [
        ("files", ""),
        ("national", ""),
        *(("organisation", c) for c in run.organisations),
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
            write(fresh, "sitemap.xml", sitemap(fresh, address))
    return folder / "site" / "index.html"


def _make_all(folder: Path, out: Path, jobs: Iterable[tuple[str, str]]) -> None:
    for kind, code in jobs:
        if kind == "files":
            national_files(folder, out)
        elif kind == "national":
            national_pages(folder, out)
        elif kind == "organisation":
            organisation_pages(folder, out, code)
        else:
            measure_pages(folder, out, code)

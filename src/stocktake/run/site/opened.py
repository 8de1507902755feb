"""What every page of a site needs of a folder's results, opened once in each process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from stocktake import __version__
from stocktake.files import Content, write_file
from stocktake.organisations import read_organisations
from stocktake.reports.group_results import ByOrganisation, GroupResults, group_results
from stocktake.results.csv import csv_bytes
from stocktake.run.core import Run, open_run
from stocktake.run.site.programs import about_of

if TYPE_CHECKING:
    from stocktake.render.measure_drawings import Marks
    from stocktake.render.web.pages import Site
    from stocktake.reports.regions import Places

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


@dataclass(frozen=True)
class Opened:
    """A folder's public results, what its pages share, and kind and region of each organisation."""

    run: Run
    site: Site
    places: Places

    @property
    def field(self) -> GroupResults:
        return group_results(self.run.public, self.run.survey)

    @cached_property
    def scores(self) -> ByOrganisation:
        """This year's scores; their places are put in order once for all of a process's pages."""
        return ByOrganisation(self.run.public.scores, pl.col("year") == self.run.survey.year)

    @property
    def measures(self) -> list[str]:
        return measures_of(self.run)

    @property
    def head(self) -> dict[str, str]:
        """What every document for programs says of its source."""
        run = self.run
        return {"digest": run.public.digest, "notice": run.settings.notice, "licence": run.settings.site.licence}


def measures_of(run: Run) -> list[str]:
    """Sections, each followed by its questions."""
    survey = run.survey
    return [m for s in survey.sections for m in (s.code, *(q.code for q in survey.members(s.code)))]


@cache
def open_site(folder: Path) -> Opened:
    """Read a folder's results for its pages; a process reads them once, until `forget`."""
    from stocktake.render.web.pages import Site

    run = open_run(folder).public_alone()
    places = _places(folder, run)
    site = Site(
        run.survey,
        run.theme,
        run.public.digest,
        __version__,
        run.settings.notice,
        run.organisations,
        _several(k for k, _ in places.values()),
        _several(r for _, r in places.values()),
        about_of(run.settings.site),
        lambda measure: _marks(folder, measure),
    )
    return Opened(run, site, places)


def forget() -> None:
    """Read results anew when they are next asked for."""
    open_site.cache_clear()
    _marks.cache_clear()


def _several(words: Iterable[str]) -> tuple[str, ...]:
    """The different words; none where all are alike, for then there is nothing to choose."""
    found = sorted({w for w in words if w})
    return tuple(found) if len(found) > 1 else ()


@lru_cache(maxsize=64)
def _marks(folder: Path, measure: str) -> Marks | None:
    """The places of all organisations in a measure's drawing."""
    from stocktake.render.measure_drawings import marks_of
    from stocktake.reports.site import ranked_dots

    opened = open_site(folder)
    chart = ranked_dots(opened.field, measure, opened.run.organisations)
    return None if chart is None else marks_of(chart)


def _places(folder: Path, run: Run) -> Places:
    """Kind and region of each organisation, where its list has them."""
    path = folder / run.settings.organisations
    if not path.is_file():
        return {}
    return {o.code: (o.kind, o.region) for o in read_organisations(path)}


def lean_csv(rows: pl.DataFrame, known: str) -> bytes:
    """Rows as CSV without the columns that say the same in each of them; service groups keep theirs."""
    rows = rows.with_columns(pl.col(pl.Float64).round(4))
    left_out = {*NOT_IN_PARTS, known}
    if rows["group"].n_unique() > 1:
        left_out -= {"group"}
    return csv_bytes(rows.drop(c for c in rows.columns if c in left_out))


def write(out: Path, name: str, content: Content) -> Path:
    """Write one file of the site, which it cannot leave."""
    return write_file(out / name, content, inside=out)

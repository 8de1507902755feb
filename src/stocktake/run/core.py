"""A finished run: its results, and every organisation's report."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from stocktake.problems import StocktakeError, nearest
from stocktake.results import Results, assemble
from stocktake.run.provenance import stale
from stocktake.run.settings import Settings, load_instrument, read_settings
from stocktake.survey.instrument import Survey
from stocktake.survey.wave import Wave

if TYPE_CHECKING:
    from stocktake.render.theme import Theme
    from stocktake.reports.books import Book
    from stocktake.reports.model import Report


Edition = Literal["trust", "service-groups", "poster"]


class Unavailable(StocktakeError):
    """An edition that these results do not make; the sentence says why."""


@dataclass(frozen=True)
class Run:
    """A finished run: its instrument, results and findings; `report(code)` tells one organisation's story."""

    survey: Survey
    results: Results
    findings: pl.DataFrame
    settings: Settings
    folder: Path | None = None
    counted: tuple[Wave, ...] = field(default=(), repr=False)

    @property
    def scores(self) -> pl.DataFrame:
        return self.results.scores

    @property
    def changes(self) -> pl.DataFrame:
        return self.results.changes

    @property
    def fieldwork(self) -> pl.DataFrame:
        return self.results.fieldwork

    @property
    def profile(self) -> pl.DataFrame:
        return self.results.profile

    @property
    def measures(self) -> pl.DataFrame:
        return self.results.measures

    @cached_property
    def organisations(self) -> dict[str, str]:
        """Code and name of every organisation of this wave, in the order of the scores."""
        now = self.scores.filter((pl.col("year") == self.survey.year) & (pl.col("group") == assemble.ALL))
        pairs = now.select("organisation", "organisation_name").unique(maintain_order=True)
        return dict(pairs.iter_rows())

    @cached_property
    def theme(self) -> Theme:
        """The reader's own logo, fonts and colours, or the plain ones."""
        from stocktake.render.theme import Theme, load_theme

        if self.settings.theme is None:
            return Theme()
        return load_theme((self.folder or Path()) / self.settings.theme)

    def report(self, organisation: str, edition: Edition = "trust") -> Told:
        """One organisation's report: its benchmark report, its service groups', or its poster.

        Raises StocktakeError for an unknown code, and Unavailable for an edition that these results do not make: a
        poster without wording, or service groups where there are none.
        """
        if organisation not in self.organisations:
            known = list(self.organisations)
            raise StocktakeError(f"no organisation {organisation!r} in these results.{nearest(organisation, known)}")
        if edition == "service-groups" and not set(self.results.scores["group"].unique()) - {assemble.ALL}:
            raise Unavailable("These results have no service groups.")
        told = Told(self, organisation, edition)
        if edition == "poster" and told.maybe is None:
            raise Unavailable("There is no poster where questions have no wording or no score can be shown.")
        return told

    def contact(self, organisation: str) -> str:
        """How readers reach an organisation's survey lead; empty where nothing is known."""
        return self.settings.contacts.get(organisation, self.settings.contact)

    def write(self, folder: Path | str) -> None:
        """Write the results tables to a folder."""
        self.results.write(Path(folder))

    def _repr_html_(self) -> str:
        from stocktake.render.notebook import run_html

        return run_html(self.survey, self.results)


@dataclass(frozen=True)
class Told:
    """One organisation's report as a value, with ways to write it."""

    run: Run
    organisation: str
    edition: Edition = "trust"

    @cached_property
    def maybe(self) -> Report | None:
        from stocktake.reports.poster import poster
        from stocktake.reports.service_groups import service_groups
        from stocktake.reports.trust_benchmark import trust_benchmark

        make = {"trust": trust_benchmark, "service-groups": service_groups, "poster": poster}[self.edition]
        run = self.run
        return make(
            run.results,
            run.survey,
            self.organisation,
            contact=run.contact(self.organisation),
            notice=run.settings.notice,
        )

    @property
    def report(self) -> Report:
        """The report: pages of headings, sentences, tables and charts."""
        assert self.maybe is not None
        return self.maybe

    @cached_property
    def book(self) -> Book:
        """The same results and more as a workbook."""
        from stocktake.reports.tables import organisation_book

        run = self.run
        contact, notice = run.contact(self.organisation), run.settings.notice
        return organisation_book(
            run.results, run.survey, self.organisation, self.edition, contact=contact, notice=notice
        )

    def write(self, path: Path | str, paper: Literal["a3", "a4"] = "a4") -> Path:
        """Write the report in the format that the path's ending names: .pdf, .pptx, .xlsx or .ods.

        PDF is PDF/UA-1, and `paper` is for posters. Raises StocktakeError for another ending.
        """
        target = Path(path)
        ending = target.suffix.lower()
        if ending == ".pdf":
            from stocktake.render.pdf import write_pdf

            return write_pdf(self.report, target, self.run.theme, paper)
        if ending == ".pptx":
            from stocktake.render.deck import write_deck

            return write_deck(self.report, target, self.run.theme)
        if ending == ".xlsx":
            from stocktake.render.xlsx import write_xlsx

            return write_xlsx(self.book, target)
        if ending == ".ods":
            from stocktake.render.ods import write_ods

            return write_ods(self.book, target)
        raise StocktakeError(
            f"{target}: cannot write {ending or 'a file without an ending'}; expected .pdf, .pptx, .xlsx or .ods."
        )

    def write_pdf(self, path: Path | str, paper: Literal["a3", "a4"] = "a4") -> Path:
        """Write the report as an accessible PDF (PDF/UA-1); `paper` is for posters."""
        return self.write(Path(path).with_suffix(".pdf"), paper)

    def _repr_html_(self) -> str:
        from stocktake.render.notebook import report_html

        return report_html(self.report)


def open_run(folder: Path | str) -> Run:
    """A run whose results were written before; raises StocktakeError where there are none."""
    path = Path(folder)
    settings = read_settings(path)
    results = Results.read(path / "results")
    survey = load_instrument(settings, path)
    changed = stale(results.provenance, survey, settings, path)
    if changed:
        raise StocktakeError(
            f"{path / 'results'}: made from other inputs than stand there now ({', '.join(changed)}); "
            "run `stocktake benchmark` again."
        )
    return Run(survey, results, pl.DataFrame(), settings, path)

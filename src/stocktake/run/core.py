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
    from stocktake.reports.model import Report


Edition = Literal["trust", "service-groups", "poster"]


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

        Raises StocktakeError for an unknown code, and for an edition that these results do not make: a poster without
        wording, or service groups where there are none.
        """
        from stocktake.reports.poster import poster
        from stocktake.reports.service_groups import service_groups
        from stocktake.reports.trust_benchmark import trust_benchmark

        if organisation not in self.organisations:
            known = list(self.organisations)
            raise StocktakeError(f"no organisation {organisation!r} in these results.{nearest(organisation, known)}")
        contact = self.settings.contacts.get(organisation, self.settings.contact)
        make = {"trust": trust_benchmark, "service-groups": service_groups, "poster": poster}[edition]
        told = make(self.results, self.survey, organisation, contact=contact, notice=self.settings.notice)
        if told is None:
            why = {
                "service-groups": "these results have no service groups",
                "poster": "there is no wording or no score to put on a poster",
            }[edition]
            raise StocktakeError(f"{organisation}, {edition}: {why}.")
        return Told(told, self)

    def write(self, folder: Path | str) -> None:
        """Write the results tables to a folder."""
        self.results.write(Path(folder))

    def _repr_html_(self) -> str:
        from stocktake.render.notebook import run_html

        return run_html(self.survey, self.results)


@dataclass(frozen=True)
class Told:
    """A report as a value, with ways to write it."""

    report: Report
    run: Run

    def write_pdf(self, path: Path | str, paper: Literal["a3", "a4"] = "a4") -> Path:
        """Write the report as an accessible PDF (PDF/UA-1); `paper` is for posters."""
        from stocktake.render.pdf import write_pdf

        return write_pdf(self.report, Path(path), self.run.theme, paper)

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

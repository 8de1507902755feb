"""A finished run: its results, what of them is public, and every organisation's report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from stocktake.disclosure.attack import sentences
from stocktake.disclosure.precision import public
from stocktake.disclosure.rules import Rules
from stocktake.files import write_file
from stocktake.problems import StocktakeError, nearest
from stocktake.results import ALL, Results
from stocktake.results.store import AGAIN, read_results, write_results
from stocktake.run.provenance import stale
from stocktake.run.settings import Settings, load_instrument, read_settings
from stocktake.survey.instrument import Survey
from stocktake.survey.wave import Wave

if TYPE_CHECKING:
    from stocktake.render.theme import Theme
    from stocktake.reports.books import Book
    from stocktake.reports.model import Report


Edition = Literal["trust", "service-groups", "poster", "board"]
Paper = Literal["a3", "a4"]


class Unavailable(StocktakeError):
    """An edition that these results do not make; the sentence says why."""


@dataclass(frozen=True)
class Run:
    """A finished run: its instrument, results and findings; `report(code)` makes one organisation's report.

    `results` have full precision and are not for publication; `public` is what every edition is made from.
    """

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

    @property
    def rules(self) -> Rules | None:
        """The rules of disclosure control; None for a published workbook, whose figures are public already."""
        return self.settings.disclosure_rules

    @cached_property
    def public(self) -> Results:
        """The results at the precision that editions print."""
        return public(self.results, self.rules)

    def public_alone(self) -> Run:
        """The same run without results of full precision: what a process holds that makes editions of thousands."""
        light = replace(self, results=self.public, counted=())
        # These are public already; rounding them again would only take time.
        light.__dict__["public"] = self.public
        return light

    def check_disclosure(self) -> list[str]:
        """What could be worked out of withheld figures from the editions, as sentences for a warning.

        Raises StocktakeError with the same sentences where the rules refuse to publish then.
        """
        return refuse_or_warn(self.results.disclosure, self.rules)

    @cached_property
    def organisations(self) -> dict[str, str]:
        """Code and name of every organisation of this wave, in the order of the scores."""
        now = self.scores.filter((pl.col("year") == self.survey.year) & (pl.col("group") == ALL))
        pairs = now.select("organisation", "organisation_name").unique(maintain_order=True)
        return dict(pairs.iter_rows())

    @cached_property
    def theme(self) -> Theme:
        """The reader's own logo, fonts and colours, or the plain ones."""
        from stocktake.render.theme import Theme, load_theme

        if self.settings.theme is None:
            return Theme()
        return load_theme((self.folder or Path()) / self.settings.theme)

    def report(self, organisation: str, edition: Edition = "trust") -> OrganisationReport:
        """One organisation's report: its benchmark report, its service groups', its poster, or the version for its board.

        Raises StocktakeError for an unknown code, and Unavailable for an edition that these results do not make: a
        poster without wording, or service groups where there are none.
        """
        if organisation not in self.organisations:
            known = list(self.organisations)
            raise StocktakeError(f"no organisation {organisation!r} in these results.{nearest(organisation, known)}")
        if edition == "service-groups" and not set(self.results.scores["group"].unique()) - {ALL}:
            raise Unavailable("These results have no service groups.")
        report = OrganisationReport(self, organisation, edition)
        if edition == "poster" and report.made is None:
            raise Unavailable("There is no poster where questions have no wording or no score can be shown.")
        if edition == "board" and report.made is None:
            raise Unavailable("There is no version for the board where no score can be shown.")
        return report

    def contact(self, organisation: str) -> str:
        """How readers reach an organisation's survey lead; empty where nothing is known."""
        return self.settings.contacts.get(organisation, self.settings.contact)

    def write(self, folder: Path | str) -> None:
        """Write the results tables to a folder; its name must be `results` for `open_run` to find it."""
        write_results(self.results, Path(folder))

    def __repr__(self) -> str:
        return f"Run({self.survey.title!r}, {len(self.organisations)} organisations)"

    def _repr_html_(self) -> str:
        from stocktake.render.notebook import run_html

        return run_html(self.survey, self.public)


def refuse_or_warn(pinned: pl.DataFrame, rules: Rules | None) -> list[str]:
    """What could be worked out, the table `disclosure`, as sentences; see `Run.check_disclosure`."""
    if not pinned.height or rules is None:
        return []
    found = sentences(pinned)
    if rules.on_risk == "refuse":
        raise StocktakeError(
            [
                *found,
                "Nothing was written: withheld figures could be worked out. `stocktake disclosure` lists them; see "
                "the settings under `disclosure` in survey.yaml.",
            ]
        )
    return found


ENDINGS = (".pdf", ".pptx", ".xlsx", ".ods")


@dataclass(frozen=True)
class OrganisationReport:
    """One organisation's report as a value, with ways to write it."""

    run: Run
    organisation: str
    edition: Edition = "trust"

    @cached_property
    def made(self) -> Report | None:
        """The report; None for a poster or a board's version that cannot be made."""
        from stocktake.reports.board import board
        from stocktake.reports.poster import poster
        from stocktake.reports.service_groups import service_groups
        from stocktake.reports.trust_benchmark import trust_benchmark

        run, actions = self.run, self.run.settings.poster_actions
        makers: dict[Edition, Callable[..., Report | None]] = {
            "trust": partial(trust_benchmark, actions=actions),
            "service-groups": service_groups,
            "poster": partial(poster, actions=actions),
            "board": board,
        }
        return makers[self.edition](
            run.public,
            run.survey,
            self.organisation,
            contact=run.contact(self.organisation),
            notice=run.settings.notice,
        )

    @property
    def report(self) -> Report:
        """The report: pages of headings, sentences, tables and charts."""
        assert self.made is not None
        return self.made

    @cached_property
    def book(self) -> Book:
        """The same results and more as a workbook."""
        from stocktake.reports.tables import organisation_book

        run = self.run
        contact, notice = run.contact(self.organisation), run.settings.notice
        return organisation_book(
            run.public, run.survey, self.organisation, self.edition, contact=contact, notice=notice
        )

    def as_bytes(self, ending: str, paper: Paper = "a4") -> bytes:
        """The report in the format of an ending: .pdf (PDF/UA-1, `paper` for posters), .pptx, .xlsx or .ods.

        Raises StocktakeError for another ending.
        """
        if ending == ".pdf":
            from stocktake.render.pdf import pdf_bytes

            return pdf_bytes(self.report, self.run.theme, paper)
        if ending == ".pptx":
            from stocktake.render.deck import deck_bytes

            return deck_bytes(self.report, self.run.theme)
        if ending == ".xlsx":
            from stocktake.render.xlsx import xlsx_bytes

            return xlsx_bytes(self.book)
        if ending == ".ods":
            from stocktake.render.ods import ods_bytes

            return ods_bytes(self.book)
        raise StocktakeError(
            f"cannot write {ending or 'a file without an ending'}; expected {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}."
        )

    def write(self, path: Path | str, paper: Paper = "a4") -> Path:
        """Write the report in the format that the path's ending names; see `as_bytes`.

        Raises StocktakeError where withheld figures could be worked out from the editions of this run.
        """
        target = Path(path)
        self.run.check_disclosure()
        return write_file(target, self.as_bytes(target.suffix.lower(), paper))

    def write_pdf(self, path: Path | str, paper: Paper = "a4") -> Path:
        """Write the report as an accessible PDF (PDF/UA-1) whatever the path's ending; `paper` is for posters."""
        self.run.check_disclosure()
        return write_file(Path(path), self.as_bytes(".pdf", paper))

    def _repr_html_(self) -> str:
        from stocktake.render.notebook import report_html

        return report_html(self.report)


def open_run(folder: Path | str) -> Run:
    """A run whose results were written before.

    Raises StocktakeError where there are none, where a table was changed since, and where the folder's files or
    settings are not those that the results were made from.
    """
    path = Path(folder)
    settings = read_settings(path)
    results = read_results(path / "results")
    survey = load_instrument(settings, path)
    changed = stale(results.provenance, survey, settings, path)
    if changed:
        raise StocktakeError(
            f"{path / 'results'}: made from other inputs than are there now ({'; '.join(changed)}); {AGAIN}."
        )
    return Run(survey, results, pl.DataFrame(), settings, path)

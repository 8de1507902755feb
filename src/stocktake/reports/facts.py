"""What the results say of one organisation: rows by measure, and numbers that remember where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from stocktake.compare.extremes import ends
from stocktake.reports.group_results import GroupResults, Row
from stocktake.reports.model import Number, Page, Report
from stocktake.reports.words import per_cent, rounded
from stocktake.survey.instrument import Survey


@dataclass(frozen=True)
class OrganisationResults:
    """One organisation's results; every number handed out carries its source."""

    group_results: GroupResults
    code: str

    @property
    def survey(self) -> Survey:
        return self.group_results.survey

    @property
    def year(self) -> int:
        return self.survey.year

    @cached_property
    def name(self) -> str:
        return str(next(r for r in self.group_results.scores[self.code] if r["year"] == self.year)["organisation_name"])

    @cached_property
    def rows(self) -> dict[tuple[int, str], Row]:
        return {(r["year"], r["measure"]): r for r in self.group_results.scores[self.code]}

    def row(self, measure: str, year: int | None = None) -> Row:
        return self.rows[(year or self.year, measure)]

    @cached_property
    def firmness(self) -> dict[str, Row]:
        """This year's rows of `firmness` by measure."""
        return {r["measure"]: r for r in self.group_results.firmness.get(self.code, []) if r["year"] == self.year}

    @cached_property
    def questions(self) -> tuple[str, ...]:
        """This year's questions in the order of the report; in a service group without those left out for all."""
        codes = tuple(q.code for q in self.survey.scored)
        return tuple(q for q in codes if q not in self.group_results.left_out)

    @cached_property
    def changes(self) -> dict[tuple[int, str], Row]:
        return {(r["year_then"], r["measure"]): r for r in self.group_results.changes.get(self.code, [])}

    @cached_property
    def every_change(self) -> dict[tuple[int, int, str], Row]:
        """Changes between any two years, by earlier year, later year and measure."""
        rows = [*self.group_results.changes.get(self.code, []), *self.group_results.changes_between.get(self.code, [])]
        return {(r["year_then"], r["year_now"], r["measure"]): r for r in rows}

    @cached_property
    def predecessors(self) -> tuple[tuple[int, str, str], ...]:
        """The organisations that this one was formed of, as year, code and name, where the settings name them."""
        stated = self.group_results.results.provenance.get("run", {}).get("not_comparable", [])
        every = self.group_results.scores
        return tuple(
            (x["year"], code, every[code][0]["organisation_name"])
            for x in stated
            if x["organisation"] == self.code
            for code in x.get("predecessors", [])
            if any(r["year"] == x["year"] for r in every.get(code, []))
        )

    @cached_property
    def earlier(self) -> int | None:
        """The wave before this one, if the results have one."""
        years = [y for y in self.group_results.years if y < self.year]
        return years[0] if years else None

    def work(self, year: int | None = None) -> Row | None:
        wanted = year or self.year
        return next((r for r in self.group_results.fieldwork.get(self.code, []) if r["year"] == wanted), None)

    def number(self, row: Row, column: str, table: str = "scores", places: int = 1) -> Number | str:
        """A figure of a results row as shown to readers, or '-' where there is none."""
        value = row[column]
        if value is None:
            return "-"
        return Number(
            value, rounded(value, places) if isinstance(value, float) else f"{value:,}", _source(row, table, column)
        )

    def percent(self, row: Row, column: str, table: str, *, share: bool = False) -> Number | str:
        """A share (0 to 1) or percentage as whole per cent."""
        value = row[column]
        if value is None:
            return "-"
        return Number(value, per_cent(value * (100 if share else 1)), _source(row, table, column))

    def count(self, rows: list[str], what: str) -> Number:
        """How many of the organisation's rows are of a kind, as a number with its own rows as source."""
        return Number(len(rows), str(len(rows)), f"count:{what}:{self.year}:{self.code}:{' '.join(rows)}")

    @cached_property
    def by_band(self) -> dict[int, list[str]]:
        """This year's questions by band, 1 to 7."""
        bands: dict[int, list[str]] = {b: [] for b in range(1, 8)}
        for q in self.questions:
            band = self.row(q)["band"]
            if band is not None:
                bands[band].append(q)
        return bands

    @cached_property
    def unbanded(self) -> list[str]:
        return [q for q in self.questions if self.row(q)["band"] is None]

    def by_verdict(self, year: int) -> dict[str | None, list[str]]:
        """This year's questions by the verdict on their change since a year."""
        out: dict[str | None, list[str]] = {"Increase": [], "No change": [], "Decrease": [], None: []}
        for q in self.questions:
            row = self.changes.get((year, q))
            out[row["verdict"] if row else None].append(q)
        return out

    @cached_property
    def shown(self) -> list[str]:
        """This year's questions with a score to show."""
        return [q for q in self.questions if self.row(q)["score"] is not None]

    @cached_property
    def has_history(self) -> bool:
        """Whether any question has a score in an earlier year to compare with this year's."""
        return any(r["score_then"] is not None for r in self.changes.values())

    @cached_property
    def extremes(self) -> tuple[list[str], list[str]]:
        """The five best and five worst questions against the average, by their places before rounding."""
        placed = [(self.row(q)["place"], q) for q in self.questions]
        best, worst = ends([q for place, q in sorted((p, q) for p, q in placed if p is not None)])
        return best, worst

    def short(self, question: str) -> str:
        """What a question is about in a few words; the code where no words are known."""
        return self.survey.by_code[question].short or self.survey.by_code[question].label

    def heading(self, measure: str) -> str:
        """Code and wording, as reports print them."""
        label = self.survey.label(measure)
        if label == measure:
            return measure
        question = self.survey.by_code.get(measure)
        return f"{measure}. {label}{UNSURE if question is not None and question.unsure_wording else ''}"

    def named(self, question: str) -> str:
        """Code and what the question is about in a few words."""
        short = self.short(question)
        return question if short in (question, "") else f"{question} ({short})"

    def entry(self, question: str) -> str:
        """Code and what the question is about, as lists have it; the code alone where no words are known."""
        short = self.short(question)
        return question if short in (question, "") else f"{question} {short[:1].upper()}{short[1:]}"

    def report(
        self,
        pages: Sequence[Page],
        title: str,
        subtitle: str = "",
        *,
        notice: str = "",
        kind: str = "",
        code: bool = True,
    ) -> Report:
        """A report of these pages; its `title` follows the survey's, and `kind` is what tells it from the benchmark report.

        With `code` the organisation's stands beside its name above every page.
        """
        digest = self.group_results.results.digest
        return Report(
            title=f"{self.survey.title}: {title}",
            subtitle=subtitle,
            organisation=self.name,
            organisation_code=self.code,
            date_line=self.survey.programme,
            pages=tuple(pages),
            digest=digest,
            notice=notice,
            head=f"{self.name} ({self.code})" if code else "",
            keywords=tuple(k for k in (self.survey.code, self.code, kind, digest) if k),
        )

    def section_title(self, code: str) -> str:
        section = self.survey.section(code)
        return f"Section {section.number}. {section.title}" if section.title else f"Section {section.number} ({code})"


def _source(row: Row, table: str, column: str) -> str:
    if row["group"] != "all":
        table, whole = f"{table}:{row['group']}", table
        return _source({**row, "group": "all"}, whole, column).replace(whole, table, 1)
    if table == "changes":
        return f"changes/{row['year_then']}/{row['organisation']}/{row['measure']}/{column}"
    if table == "fieldwork":
        return f"fieldwork/{row['year']}/{row['organisation']}//{column}"
    if table == "profile":
        return f"profile/{row['year']}/{row['organisation']}/{row['variable']}={row['option']}/{column}"
    if table == "measures":
        return f"measures/{row['year']}//{row['measure']}/{column}"
    if table == "firmness":
        return f"firmness/{row['year']}/{row['organisation']}/{row['measure']}/{column}"
    return f"scores/{row['year']}/{row['organisation']}/{row['measure']}/{column}"


# After a wording that is not confirmed; explained on the page of what was inferred, and under the questions.
UNSURE = " *"


def band_sentence(survey: Survey, row: Row) -> str:
    """A row's band inside a sentence."""
    word = band_word(survey, row, "sentence")
    return f"about the same as other {survey.organisation_word}s" if row["band"] == 4 else word


def band_word(survey: Survey, row: Row, style: Literal["table", "sentence"] = "table") -> str:
    """A row's band in words, or the words for a missing one."""
    if row["band"] is not None:
        word = survey.bands[row["band"] - 1]
        return word if style == "table" else word[0].lower() + word[1:]
    return {"withheld": "Not shown", "left out": "Not shown", "no data": "No data", "not banded": "No band"}.get(
        row["status"], "Not published"
    )

"""Workbooks of results: one organisation's, and all organisations'."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import polars as pl

from stocktake.compare.firmness import expected_by_chance
from stocktake.disclosure.rules import rules_of
from stocktake.reports.back import SKIPPED_FOR_WORKBOOKS, setting_rows
from stocktake.reports.books import Book, Column, Sheet, Value, marked, rows_of
from stocktake.reports.facts import Facts, field_of
from stocktake.reports.words import rounded
from stocktake.results import Results
from stocktake.results.schemas import BANDS, LIMITS
from stocktake.survey.instrument import Survey

Row = Mapping[str, Any]
Cellular = str | Callable[[Row], Value]
Plan = Sequence[tuple[Column, Cellular]]


def rounding_note(results: Results) -> str:
    """How the figures of an edition are rounded, as a sentence."""
    rules = rules_of(results.provenance)
    if rules is None:
        return "Figures are as they were published, not rounded; cells show three decimals."
    people = (
        f", and numbers of people in a service group to a multiple of {rules.group_rounding}"
        if rules.group_rounding > 1 and results.scores["group"].n_unique() > 1
        else ""
    )
    return (
        f"Figures are rounded: scores, limits and z to {rules.decimals} decimal{'' if rules.decimals == 1 else 's'}, "
        f"percentages to the whole{people}."
    )


class _Writer:
    """Makes the sheets of one survey; `whole` for all organisations rather than one."""

    def __init__(self, results: Results, survey: Survey, whole: bool, groups: Sequence[str]) -> None:
        self.results, self.survey, self.whole, self.groups = results, survey, whole, groups
        self.titles = {"all": "All respondents"} | {g.code: g.title for g in survey.groups}

    def group(self, row: Row) -> Value:
        return self.titles.get(row["group"], str(row["group"]))

    def who(self) -> Plan:
        """The columns that say whose row it is."""
        plan: list[tuple[Column, Cellular]] = []
        if self.whole or self.groups != ["all"]:
            plan.append(
                (
                    Column("Service group", "text", "The kind of service that people mainly used, or all respondents."),
                    self.group,
                )
            )
        if self.whole:
            word = self.survey.organisation_word.capitalize()
            plan += [(Column(f"{word} code"), "organisation"), (Column(f"{word} name"), "organisation_name")]
        return plan

    def what(self) -> Plan:
        survey = self.survey
        return [
            (Column("Measure", "text", "The survey's own code of a question or section."), "measure"),
            (
                Column("Wording", "text", "The question asked, or the section's title."),
                lambda r: survey.label(r["measure"]),
            ),
            (Column("Kind", "text", "A question, or a section (the mean of its questions)."), "kind"),
            (Column("Section", "text", "Code of the section that it is, or belongs to."), "section"),
        ]

    def sheet(self, name: str, title: str, about: Sequence[str], table: pl.DataFrame, plan: Plan) -> Sheet:
        rows = rows_of(table.iter_rows(named=True), [c for _, c in plan])
        many = f"{len(rows):,} rows" if len(rows) != 1 else "1 row"
        first = f"This sheet holds one table of {many}. The sheet Notes explains its columns and the markers [c], [x] and [z]."
        return Sheet(name, title, (first, *about), tuple(c for c, _ in plan), rows)

    def rows(self, table: pl.DataFrame, organisation: str | None, **equal: Any) -> pl.DataFrame:
        """Rows of these groups, of one organisation or all, in the order of the groups."""
        found = table.filter(pl.col("group").is_in(list(self.groups)))
        if organisation is not None:
            found = found.filter(pl.col("organisation") == organisation)
        for column, value in equal.items():
            found = found.filter(pl.col(column) == value)
        order = pl.Enum(list(dict.fromkeys(self.groups)))
        return found.sort(pl.col("group").cast(order), maintain_order=True)

    def band(self, row: Row) -> Value:
        return self.other("band")(row)

    def other(self, column: str) -> Callable[[Row], Value]:
        """A column of bands, in words."""

        def words(row: Row) -> Value:
            found = marked(row, column)
            return self.survey.bands[found - 1] if isinstance(found, int) else found

        return words

    def scores(self, organisation: str | None) -> Sheet:
        word = self.survey.organisation_word
        plan: Plan = [
            *self.who(),
            *self.what(),
            (
                Column("Respondents", "count", "Scored answers; for a section the smallest of its questions' numbers."),
                "n",
            ),
            (
                Column("Effective base", "score", "How many equally weighted answers would tell as much (Kish)."),
                "effective_base",
            ),
            (Column("Score", "precise", "Standardised mean score, 0 to 10."), "score"),
            (Column("Standard error", "precise", "Standard error of the score."), "standard_error"),
            (
                Column("95% interval, lower", "precise", "Where the score would lie, 19 times in 20, by chance alone."),
                "lower_95",
            ),
            (Column("95% interval, upper", "precise", "The interval's upper end."), "upper_95"),
            (Column("National average", "precise", f"Plain mean of all {word}s' shown scores."), "national_average"),
            (Column("Lowest", "precise", f"Lowest shown score of any {word}."), "lowest"),
            (Column("Highest", "precise", f"Highest shown score of any {word}."), "highest"),
            (Column("z", "precise", "Distance from the average in units of the spread expected of this score."), "z"),
            (Column("Band", "text", "Place in the expected range, in seven bands."), self.band),
            *(
                (
                    Column(
                        f"Limit: {name[6:].replace('_', ' ')}", "precise", "Where this band begins, within 0 and 10."
                    ),
                    name,
                )
                for name in LIMITS
            ),
            (
                Column("Remark", "text", "Why a figure is not there, where that can be said."),
                lambda r: r["reason"] or "none",
            ),
        ]
        table = self.rows(self.results.scores, organisation, year=self.survey.year)
        about = f"Scores run from 0 to 10; 10 is the best experience. {rounding_note(self.results)}"
        return self.sheet("Scores", f"Scores and expected ranges, {self.survey.year}", (about,), table, plan)

    def firmness(self, organisation: str | None) -> Sheet:
        word = self.survey.organisation_word
        plan: Plan = [
            *self.who(),
            *self.what()[:2],
            (Column("Band", "text", "Place in the expected range, in seven bands."), self.band),
            (Column("To next better band", "precise", "Score points up to the next better band, all else as it is."), "to_better"),
            (Column("To next worse band", "precise", "Score points down to the next worse band, all else as it is."), "to_worse"),
            (Column("To nearest limit", "precise", "The smaller of the two."), "nearest_limit"),
            *(
                (
                    Column(
                        f"Chance of: {name.replace('_', ' ')}", "share", "Share of resamples in this band; see the method of it."
                    ),
                    f"p_{name}",
                )
                for name in BANDS
            ),
            (Column("Chance of its own band", "share", "Share of resamples in the band that it has."), "p_band"),
            (Column("Chance of any band outside the range", "share", "Share of resamples in any band but about the same."), "p_outside"),
            (
                Column("Method of the chances", "text", "Resampled from counts, or the normal approximation (for sections)."),
                "probability_method",
            ),
            (
                Column("Same without any one", "text", f"Whether the band is the same whichever one other {word} is left out."),
                "survives",
            ),
            (Column("Lowest band without one", "text", "Lowest band on leaving out any one other."), self.other("left_out_lowest")),
            (Column("Highest band without one", "text", "Highest band on leaving out any one other."), self.other("left_out_highest")),
            (
                Column("Respondents for the next band", "count", "How many would have had to answer one step better for the next better band."),
                "steps_to_better",
            ),
            (
                Column("q-value", "precise", f"p-value adjusted for the number of the {word}'s questions (Benjamini and Hochberg)."),
                "q_value",
            ),
            (Column("Stands", "text", "Outside the range and q within the false discovery rate, where one is set."), "stands"),
            (Column("Remark", "text", "Why a figure is not there, where that can be said."), lambda r: r["reason"] or "none"),
        ]  # fmt: skip
        table = self.rows(self.results.firmness, organisation, year=self.survey.year)
        about = ["A band near a limit may be another one next time with nothing having changed."]
        if table["p_band"].drop_nulls().len():
            about.append(
                "Chances of questions come from resampling the answers; chances of sections from a normal approximation."
            )
        if organisation is not None:
            banded = table.filter((pl.col("kind") == "question") & pl.col("band").is_not_null())
            outside = banded.filter(pl.col("band") != 4).height
            chance, _, _ = expected_by_chance(banded.height)
            about.append(
                f"Of {banded.height} questions with a band about {rounded(chance)} would lie outside the range by chance alone; {outside} do."
            )
        return self.sheet("Firmness", "How firm each band is", about, table, plan)

    def wave(self, column: str, year: str) -> Cellular:
        """A figure of one of the two years: where it is missing, that year's own scores row says why."""

        def cell(row: Row) -> Value:
            if row[column] is not None or row["status"] == "not comparable":
                return marked(row, column)
            own = self.states.get((row[year], row["group"], row["organisation"], row["measure"]))
            return marked({**row, "status": own or "no data"}, column)

        return cell

    @cached_property
    def states(self) -> dict[tuple[int, str, str, str], str]:
        """The status of every score."""
        table = self.results.scores.select("year", "group", "organisation", "measure", "status")
        return {(y, g, o, m): s for y, g, o, m, s in table.iter_rows()}

    def changes(self, organisation: str | None) -> Sheet:
        plan: Plan = [
            *self.who(),
            *self.what()[:2],
            (Column("Earlier year", "year", "The year that this one is compared with."), "year_then"),
            (
                Column("Respondents then", "count", "Scored answers in the earlier year."),
                self.wave("n_then", "year_then"),
            ),
            (Column("Respondents now", "count", "Scored answers this year."), self.wave("n_now", "year_now")),
            (Column("Score then", "precise", "Score in the earlier year."), self.wave("score_then", "year_then")),
            (Column("Score now", "precise", "Score this year."), self.wave("score_now", "year_now")),
            (Column("Difference", "precise", "Score now less score then."), "difference"),
            (Column("Test statistic", "precise", "Difference over its standard error."), "statistic"),
            (Column("Critical value", "precise", "What the statistic must reach."), "critical"),
            (Column("Verdict", "text", "Whether the change is more than chance."), "verdict"),
            (Column("Test", "text", "z, t, or imported where it was read from a workbook."), "test"),
            (
                Column("Remark", "text", "Why a figure is not there, where that can be said."),
                lambda r: r["reason"] or "none",
            ),
        ]
        table = self.rows(self.results.changes, organisation)
        return self.sheet("Change", "Change over time", (rounding_note(self.results),), table, plan)

    def fieldwork(self, organisation: str | None) -> Sheet:
        plan: Plan = [
            *self.who(),
            (Column("Year", "year", "Year of the survey."), "year"),
            (Column("Invited", "count", "People who were sent a questionnaire."), "invited"),
            (Column("Undeliverable", "count", "Of these, not reached."), "undeliverable"),
            (Column("Died", "count", "Of these, died before they could answer."), "died"),
            (Column("Completed", "count", "Useable questionnaires."), "completed"),
            (Column("Response rate", "share", "Completed over invited less undeliverable and died."), "response_rate"),
            (
                Column("Response rate of all", "share", "The same over all organisations together."),
                "national_response_rate",
            ),
            (Column("Completed, all", "count", "Useable questionnaires of all organisations."), "national_completed"),
            (
                Column("Remark", "text", "Why a figure is not there, where that can be said."),
                lambda r: r["reason"] or "none",
            ),
        ]
        return self.sheet(
            "Taking part",
            "Who took part",
            (rounding_note(self.results),),
            self.rows(self.results.fieldwork, organisation),
            plan,
        )

    def profile(self, organisation: str | None) -> Sheet:
        plan: Plan = [
            *self.who(),
            (Column("Characteristic", "text", "What people were asked about themselves."), "title"),
            (Column("Answer", "text", "One of the answers."), "label"),
            (Column("Base", "count", "Respondents who answered the question about themselves."), "n"),
            (Column("Per cent", "percent", "Of those who answered the question, not weighted."), "percent"),
            (Column("Per cent of all", "percent", "The same over all organisations together."), "national_percent"),
            (
                Column("Remark", "text", "Why a figure is not there, where that can be said."),
                lambda r: r["reason"] or "none",
            ),
        ]
        table = self.rows(self.results.profile, organisation, year=self.survey.year)
        return self.sheet("Respondents", "Who the respondents were", (rounding_note(self.results),), table, plan)

    def measures(self) -> Sheet:
        plan: Plan = [
            (
                Column("Service group", "text", "The kind of service that people mainly used, or all respondents."),
                self.group,
            ),
            *self.what(),
            (Column("Organisations", "count", "How many have a score that is shown."), "organisations"),
            (Column("Withheld", "count", "Organisations whose score is withheld."), "withheld"),
            (Column("National average", "precise"), "centre"),
            (Column("Lowest", "precise"), "lowest"),
            (Column("Highest", "precise"), "highest"),
            (Column("phi", "precise", "Over-dispersion: mean square of the Winsorised z."), "phi"),
            (Column("tau squared", "precise", "Variance between organisations."), "tau2"),
            (Column("tau", "precise", "The square root of tau squared, in score points."), "tau"),
        ]
        table = self.rows(self.results.measures, None, year=self.survey.year)
        return self.sheet("Measures", "Averages and spread", (), table, plan)

    def settings(self) -> Sheet:
        imported = self.results.measures["standard_error"].null_count() > 0
        skip = SKIPPED_FOR_WORKBOOKS if imported else frozenset()
        if not self.survey.groups:
            skip = skip | {"group_reference"}
        rows = tuple(setting_rows(self.survey, self.results, skip))
        return Sheet(
            "Settings",
            "Settings of the method",
            ("This sheet holds one table.",),
            (Column("Setting"), Column("Value")),
            rows,
        )


def _cover(results: Results, survey: Survey, lines: Sequence[str], contact: str, notice: str) -> tuple[str, ...]:
    told = [*lines, survey.programme, notice, contact and f"Questions: {contact}"]
    told += [
        survey.population and f"Who could take part: {survey.population[:1].lower()}{survey.population[1:]}.",
        survey.sampling_period and f"Contact with services: {survey.sampling_period}.",
        survey.fieldwork and f"Questionnaires out and back: {survey.fieldwork}.",
        "A figure withheld for small numbers is in no sheet; there are no hidden sheets, rows or columns.",
        f"Results fingerprint {results.digest}; made with Stocktake {results.provenance.get('versions', {}).get('stocktake', '')}.",
    ]
    return tuple(t for t in told if t)


def organisation_book(
    results: Results, survey: Survey, organisation: str, edition: str = "trust", *, contact: str = "", notice: str = ""
) -> Book:
    """One organisation's workbook: everything its report shows, and more."""
    groups = ["all"] if edition == "trust" else [g.code for g in survey.groups]
    groups = [g for g in groups if g in set(results.scores["group"].unique())]
    name = str(results.scores.filter(pl.col("organisation") == organisation)["organisation_name"][0])
    make = _Writer(results, survey, False, groups)
    sheets = [make.scores(organisation), make.firmness(organisation), make.changes(organisation)]
    if edition == "trust":
        facts = Facts(field_of(results, survey), organisation)
        sheets += [_extremes(facts), _sections(facts)]
    sheets += [make.fieldwork(organisation), make.profile(organisation), make.settings()]
    what = "benchmark results" if edition == "trust" else "results by service group"
    return Book(
        f"{name}: {survey.title}, {what}",
        what,
        _cover(results, survey, (f"Results of {name} ({organisation}).",), contact, notice),
        tuple(s for s in sheets if s.rows),
        results.digest,
        keywords=(survey.code, organisation),
    )


def _extremes(facts: Facts) -> Sheet:
    best, worst = facts.extremes
    rows = []
    for label, chosen in (("Highest", best), ("Lowest", worst)):
        for place, q in enumerate(chosen, start=1):
            row = facts.row(q)
            gap = row["score"] - row["national_average"]
            rows.append((label, place, q, facts.survey.label(q), row["score"], row["national_average"], gap))
    columns = (
        Column("List"), Column("Place", "count"), Column("Measure"), Column("Wording"), Column("Score", "precise"),
        Column("National average", "precise"), Column("Score less average", "precise"),
    )  # fmt: skip
    about = ("This sheet holds one table.", "Questions, not sections, by score less average before rounding.")
    return Sheet("Best and worst", "Highest and lowest against the average", about, columns, tuple(rows))


def _sections(facts: Facts) -> Sheet:
    """Every organisation's section scores: what the ranked charts show."""
    survey = facts.survey
    names = {code: str(rows[0]["organisation_name"]) for code, rows in facts.field.scores.items()}
    rows = []
    for section in survey.sections:
        for place, (code, score, band) in enumerate(facts.field.ranked.get(section.code, []), start=1):
            word = survey.bands[band - 1] if band else "[z]"
            rows.append((section.code, section.title or section.code, place, code, names[code], score, word))
    title = survey.organisation_word.capitalize()
    columns = (
        Column("Measure"), Column("Section title", "text", "The section's title, or its code where no title is known."),
        Column("Place from the lowest", "count", "1 is the lowest score."), Column(f"{title} code"), Column(f"{title} name"),
        Column("Score", "precise"), Column("Band"),
    )  # fmt: skip
    return Sheet("Section ranks", "Section scores of all", ("This sheet holds one table.",), columns, tuple(rows))


def national_book(results: Results, survey: Survey, *, notice: str = "") -> Book:
    """All organisations by all measures."""
    groups = ["all", *(g.code for g in survey.groups)]
    there = set(results.scores["group"].unique())
    make = _Writer(results, survey, True, [g for g in groups if g in there])
    sheets = [
        make.measures(),
        make.scores(None),
        make.firmness(None),
        make.changes(None),
        make.fieldwork(None),
        make.profile(None),
        make.settings(),
    ]
    many = results.scores.filter(pl.col("year") == survey.year)["organisation"].n_unique()
    return Book(
        f"{survey.title}: national tables",
        "all results",
        _cover(results, survey, (f"Results of {many} {survey.organisation_word}s.",), "", notice),
        tuple(s for s in sheets if s.rows),
        results.digest,
        keywords=(survey.code,),
    )

"""Workbooks of results: one organisation's, and all organisations'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from stocktake.compare.firmness import expected_by_chance
from stocktake.disclosure.rules import rules_of
from stocktake.reports.back import SKIPPED_FOR_WORKBOOKS, setting_rows
from stocktake.reports.books import Book, Column, Content, Sheet, cells_of, marker, sheet_of
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.group_results import group_results
from stocktake.reports.words import level_words, listed, plural, rounded
from stocktake.results import Results
from stocktake.results.schemas import BANDS, LIMITS
from stocktake.survey.instrument import Survey

# The columns of a sheet, each with what fills it.
Plan = Sequence[tuple[Column, Content]]
# Why a figure is not there, in words.
REMARK = pl.when(pl.col("reason").str.len_chars() > 0).then(pl.col("reason")).otherwise(pl.lit("none"))

# Figures of a published workbook have sixteen decimals: these are all that anybody could use.
DECIMALS = 6


def rounding_note(results: Results) -> str:
    """How the figures of an edition are rounded, as a sentence."""
    rules = rules_of(results.provenance)
    if rules is None:
        return "Figures are as they were published, to six decimals; cells show three."
    people = (
        f", and numbers of people in a service group to a multiple of {rules.group_rounding}"
        if rules.group_rounding > 1 and results.scores["group"].n_unique() > 1
        else ""
    )
    return (
        f"Figures are rounded: scores, limits and z to {rules.decimals} {plural(rules.decimals, 'decimal')}, standard errors and intervals of changes "
        f"to {rules.decimals + 1}, percentages to the whole{people}."
    )


def _never_published(table: pl.DataFrame, content: Content) -> bool:
    """Whether a column of a sheet has no figure because its source published none of that kind."""
    if not isinstance(content, str) or "not_published" not in table.columns or not table.height:
        return False
    never = table["not_published"].fill_null("").str.split(" ").list.contains(content)
    return table[content].null_count() == table.height and bool(never.any())


class _Writer:
    """Makes the sheets of one survey; `whole` for all organisations rather than one."""

    def __init__(self, results: Results, survey: Survey, whole: bool, groups: Sequence[str]) -> None:
        self.results, self.survey, self.whole, self.groups = results, survey, whole, groups
        self.titles = {"all": "All respondents"} | {g.code: g.title for g in survey.groups}

    @property
    def group(self) -> pl.Expr:
        return pl.col("group").replace(self.titles)

    def who(self) -> Plan:
        """The columns that say whose row it is."""
        plan: list[tuple[Column, Content]] = []
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
        codes = self.results.measures["measure"].unique()
        labels = {code: survey.label(code) for code in codes}
        return [
            (Column("Measure", "text", "The survey's own code of a question or section."), "measure"),
            (
                Column("Wording", "text", "The question asked, or the section's title."),
                pl.col("measure").replace(labels),
            ),
            (Column("Kind", "text", "A question, or a section (the mean of its questions)."), "kind"),
            (Column("Section", "text", "Code of the section that it is, or belongs to."), "section"),
        ]

    def sheet(self, name: str, title: str, about: Sequence[str], table: pl.DataFrame, plan: Plan) -> Sheet:
        many = f"{table.height:,} rows" if table.height != 1 else "1 row"
        first = f"This sheet holds one table of {many}. The sheet Notes explains its columns and the markers [c], [x] and [z]."
        never = [column.title for column, content in plan if _never_published(table, content)]
        if never:
            about = (*about, f"Not published by the source, and so without a column here: {listed(never)}.")
            plan = [(column, content) for column, content in plan if column.title not in never]
        cells = cells_of(table, [c for _, c in plan])
        return Sheet(name, title, (first, *about), tuple(c for c, _ in plan), cells, table.height)

    def rows(self, table: pl.DataFrame, organisation: str | None, **equal: Any) -> pl.DataFrame:
        """Rows of these groups, of one organisation or all, in the order of the groups; figures to `DECIMALS`.

        Editions of a survey have fewer; the figures of a published workbook have sixteen, which its own layout keeps.
        """
        # What need not be changed is not copied: of thousands of organisations each copy takes a tenth of a gigabyte.
        found = table
        if not set(table["group"].unique()) <= set(self.groups):
            found = table.filter(pl.col("group").is_in(list(self.groups)))
        if rules_of(self.results.provenance) is None:
            found = found.with_columns(pl.col(pl.Float64).round(DECIMALS))
        if organisation is not None:
            found = found.filter(pl.col("organisation") == organisation)
        for column, value in equal.items():
            found = found.filter(pl.col(column) == value)
        if len(self.groups) == 1:
            return found
        order = pl.Enum(list(dict.fromkeys(self.groups)))
        return found.sort(pl.col("group").cast(order), maintain_order=True)

    def band(self, column: str = "band") -> pl.Expr:
        """A column of bands, in words."""
        names = dict(enumerate(self.survey.bands, start=1))
        return pl.coalesce(pl.col(column).replace_strict(names, default=None, return_dtype=pl.String), marker(column))

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
                Column(
                    "Effective base", "score", "How many equally weighted answers would give the same precision (Kish)."
                ),
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
            (Column("Band", "text", "Place in the expected range, in seven bands."), self.band()),
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
                Column("Remark", "text", "Why a figure is missing, where the reason is known."),
                REMARK,
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
            (Column("Band", "text", "Place in the expected range, in seven bands."), self.band()),
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
            (Column("Lowest band without one", "text", "Lowest band on leaving out any one other."), self.band("left_out_lowest")),
            (Column("Highest band without one", "text", "Highest band on leaving out any one other."), self.band("left_out_highest")),
            (
                Column("Respondents for the next band", "count", "How many would have had to answer one step better for the next better band."),
                "steps_to_better",
            ),
            (
                Column("q-value", "precise", f"p-value adjusted for the number of the {word}'s questions (Benjamini and Hochberg)."),
                "q_value",
            ),
            (Column("Stands", "text", "Outside the range and q within the false discovery rate, where one is set."), "stands"),
            (Column("Remark", "text", "Why a figure is missing, where the reason is known."), REMARK),
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

    @staticmethod
    def wave(figure: str, end: str) -> Content:
        """A figure of one of the two years: where it is missing, that year's own scores row says why."""
        status = pl.col("status")
        own = pl.coalesce(f"status_{end}", pl.lit("no data"))
        return f"{figure}_{end}", pl.when(status == "not comparable").then(status).otherwise(own)

    def with_states(self, table: pl.DataFrame) -> pl.DataFrame:
        """Changes, with the status that the scores of each of the two years have."""
        keys = ("year", "group", "organisation", "measure")
        for end in ("then", "now"):
            own = self.results.scores.select(*keys, pl.col("status").alias(f"status_{end}"))
            table = table.join(
                own, left_on=[f"year_{end}", *keys[1:]], right_on=keys, how="left", maintain_order="left"
            )
        return table

    def changes(self, organisation: str | None) -> Sheet:
        level = level_words(self.survey.method.change_level)
        plan: Plan = [
            *self.who(),
            *self.what()[:2],
            (Column("Earlier year", "year", "The year that this one is compared with."), "year_then"),
            (
                Column("Respondents then", "count", "Scored answers in the earlier year."),
                self.wave("n", "then"),
            ),
            (Column("Respondents now", "count", "Scored answers this year."), self.wave("n", "now")),
            (Column("Score then", "precise", "Score in the earlier year."), self.wave("score", "then")),
            (Column("Score now", "precise", "Score this year."), self.wave("score", "now")),
            (Column("Difference", "precise", "Score now less score then."), "difference"),
            (Column(f"{level} interval, lower", "precise", "Lower end of the difference's interval."), "lower"),
            (Column(f"{level} interval, upper", "precise", "Upper end of the difference's interval."), "upper"),
            (Column("Test statistic", "precise", "Difference over its standard error."), "statistic"),
            (Column("Critical value", "precise", "What the statistic must reach."), "critical"),
            (Column("Verdict", "text", "Whether the change is more than chance."), "verdict"),
            (Column("Test", "text", "z, t, or imported where it was read from a workbook."), "test"),
            (
                Column("Remark", "text", "Why a figure is missing, where the reason is known."),
                REMARK,
            ),
        ]
        table, about = self.rows(self.results.changes, organisation), [rounding_note(self.results)]
        if organisation is None:
            # In thousands of rows of all organisations, those of a comparison that none of them has would only be in the way.
            anyone = pl.col("difference").is_not_null().any().over("group", "measure", "year_then", "year_now")
            none = table.filter(~anyone)
            if none.height:
                pairs = none.select("group", "measure", "year_then", "year_now").n_unique()
                about.append(
                    f"Left out: {none.height:,} rows of {pairs} {plural(pairs, 'comparison')} of a measure in two years that no "
                    f"{self.survey.organisation_word} has; the table changes.csv has them, each with the reason."
                )
                table = table.filter(anyone)
        return self.sheet("Change", "Change over time", about, self.with_states(table), plan)

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
                Column("Remark", "text", "Why a figure is missing, where the reason is known."),
                REMARK,
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
                Column("Remark", "text", "Why a figure is missing, where the reason is known."),
                REMARK,
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
        return sheet_of(
            "Settings",
            "Settings of the method",
            ("This sheet holds one table.",),
            (Column("Setting"), Column("Value")),
            rows,
        )


def _cover(results: Results, survey: Survey, lines: Sequence[str], contact: str, notice: str) -> tuple[str, ...]:
    text = [*lines, survey.programme, notice, contact and f"Questions: {contact}"]
    text += [
        survey.population and f"Who could take part: {survey.population[:1].lower()}{survey.population[1:]}.",
        survey.sampling_period and f"Contact with services: {survey.sampling_period}.",
        survey.fieldwork and f"Questionnaires out and back: {survey.fieldwork}.",
        "A figure withheld for small numbers is in no sheet; there are no hidden sheets, rows or columns.",
        f"Results fingerprint {results.digest}; made with Stocktake {results.provenance.get('versions', {}).get('stocktake', '')}.",
    ]
    return tuple(t for t in text if t)


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
        facts = OrganisationResults(group_results(results, survey), organisation)
        sheets += [_extremes(facts), _sections(facts)]
    sheets += [make.fieldwork(organisation), make.profile(organisation), make.settings()]
    what = "benchmark results" if edition == "trust" else "results by service group"
    return Book(
        f"{name}: {survey.title}, {what}",
        what,
        _cover(results, survey, (f"Results of {name} ({organisation}).",), contact, notice),
        tuple(s for s in sheets if s.height),
        results.digest,
        keywords=(survey.code, organisation),
    )


def _extremes(facts: OrganisationResults) -> Sheet:
    best, worst = facts.extremes
    rows = []
    for label, chosen in (("Highest", best), ("Lowest", worst)):
        for place, q in enumerate(chosen, start=1):
            row = facts.row(q)
            score, average = row["score"], row["national_average"]
            figures = (round(v, DECIMALS) for v in (score, average, score - average))
            rows.append((label, place, q, facts.survey.label(q), *figures))
    columns = (
        Column("List"), Column("Place", "count"), Column("Measure"), Column("Wording"), Column("Score", "precise"),
        Column("National average", "precise"), Column("Score less average", "precise"),
    )  # fmt: skip
    about = ("This sheet holds one table.", "Questions, not sections, by score less average before rounding.")
    return sheet_of("Best and worst", "Highest and lowest against the average", about, columns, rows)


def _sections(facts: OrganisationResults) -> Sheet:
    """Every organisation's section scores: what the ranked charts show."""
    survey = facts.survey
    names = facts.group_results.names
    rows = []
    for section in survey.sections:
        for place, (code, score, band) in enumerate(facts.group_results.ranked.get(section.code, []), start=1):
            word = survey.bands[band - 1] if band else "[z]"
            rows.append(
                (section.code, section.title or section.code, place, code, names[code], round(score, DECIMALS), word)
            )
    title = survey.organisation_word.capitalize()
    columns = (
        Column("Measure"), Column("Section title", "text", "The section's title, or its code where no title is known."),
        Column("Place from the lowest", "count", "1 is the lowest score."), Column(f"{title} code"), Column(f"{title} name"),
        Column("Score", "precise"), Column("Band"),
    )  # fmt: skip
    return sheet_of("Section ranks", "Section scores of all", ("This sheet holds one table.",), columns, rows)


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
        tuple(s for s in sheets if s.height),
        results.digest,
        keywords=(survey.code,),
    )

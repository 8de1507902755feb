"""The programme's own layout of published results, so that programs that read it can read these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from stocktake.disclosure.rules import rules_of
from stocktake.reports.books import Book, Column, Sheet, Value, figures, sheet_of, words
from stocktake.results import Results
from stocktake.survey.instrument import Survey

VERDICTS = {"Increase": 1, "No change": 0, "Decrease": -1}
PROFILE = r"^[a-z]+(?:_[a-z]+)*$"
LIMITS = {
    "ll90": "limit_somewhat_worse",
    "ul90": "limit_somewhat_better",
    "ll95": "limit_worse",
    "ul95": "limit_better",
    "ll99": "limit_much_worse",
    "ul99": "limit_much_better",
}


def published_layout(results: Results, survey: Survey, *, notice: str = "") -> Book:
    """Results of all respondents in the layout that `stocktake published` reads; blanks where there is nothing.

    The layout has no place for standard errors, numbers invited, or service groups.
    """
    everyone = pl.col("group") == "all"
    this_year = everyone & (pl.col("year") == survey.year)
    now = results.scores.filter(this_year)
    trusts = now.select("organisation", "organisation_name").unique(maintain_order=True)
    measures = list(now["measure"].unique(maintain_order=True))
    questions = [m for m in measures if m in survey.by_code]
    work = results.fieldwork.filter(everyone)
    took = work.filter(pl.col("year") == survey.year)
    shares = _shares(results.profile.filter(this_year))
    sheets = [
        _guidance(results, survey, dict(trusts.iter_rows()), notice),
        _key(survey, questions, measures, shares),
        _respondents(trusts, questions, now, took, shares),
        _scores(trusts, measures, now, took),
        _national(questions, now, took, shares),
        _extent(measures, now),
        *_history(results, questions, work),
    ]
    return Book(
        f"{survey.title}: published layout",
        "results in the programme's layout",
        (),
        tuple(sheets),
        results.digest,
        keywords=(survey.code,),
    )


def _sheet(name: str, header: Iterable[str], rows: Iterable[Sequence[Value | None]]) -> Sheet:
    return sheet_of(name, name, (), tuple(Column(h) for h in header), list(rows), raw=True)


def _wide_sheet(name: str, table: pl.DataFrame) -> Sheet:
    """A sheet from a table whose columns have the names that they are to have there."""
    kinds = table.schema.values()
    named = [(words if kind == pl.String else figures)(i) for i, kind in enumerate(kinds)]
    cells = table.lazy().rename(dict(zip(table.columns, named, strict=True)))
    return Sheet(name, name, (), tuple(Column(c) for c in table.columns), cells, table.height, raw=True)


def _wide(rows: pl.DataFrame, key: str, values: Mapping[str, str], order: Sequence[str]) -> pl.DataFrame:
    """A row for each organisation and, for each `key` in order, the values with the names that they have there.

    A name has {} where the key goes.
    """
    table = rows.filter(pl.col(key).is_in(list(order))).pivot(
        key, index="organisation", values=list(values), maintain_order=True
    )
    if len(values) == 1:
        (only,) = values
        table = table.rename({k: f"{only}_{k}" for k in order})
    return table.select(
        "organisation", *(pl.col(f"{c}_{k}").alias(name.format(k)) for k in order for c, name in values.items())
    )


def _beside(trusts: pl.DataFrame, *tables: pl.DataFrame) -> pl.DataFrame:
    """Codes and names of organisations, with the columns of other tables that have a row for each."""
    table = trusts.rename({"organisation": "TrustCode", "organisation_name": "trustname"})
    for more in tables:
        table = table.join(more, left_on="TrustCode", right_on="organisation", how="left", maintain_order="left")
    return table


def _guidance(results: Results, survey: Survey, names: Mapping[str, str], notice: str) -> Sheet:
    lines = [
        survey.title,
        "Introduction",
        f"Results by {survey.organisation_word}, in the layout of the survey programme's published workbooks.",
        notice,
        "Key: every variable of the other sheets.",
        "Blank cells: a result that is not shown, or does not exist.",
        "National numbers of respondents to a question are the sum of those shown.",
        *_rounding(results),
        "The 99 limits are those of the outermost bands, 3.090232 spreads from the average.",
    ]
    never = results.latest_changes.filter((pl.col("group") == "all") & (pl.col("status") == "not comparable"))
    whole = never.group_by("organisation", "reason", maintain_order=True).len()
    scored = len(survey.scored) + len(survey.sections)
    excluded = [(r["organisation"], r["reason"]) for r in whole.iter_rows(named=True) if r["len"] >= scored]
    if excluded:
        lines.append("Non-comparable organisations")
        for code, reason in dict(excluded).items():
            lines += [reason, f"{names.get(code, code)} ({code})"]
        lines.append("Further information")
    return _sheet("Guidance", [lines[0]], ([line] for line in lines[1:] if line))


def _rounding(results: Results) -> list[str]:
    """How figures are rounded, in the words that the importer knows."""
    rules = rules_of(results.provenance)
    if rules is None:
        return []
    places = f"{rules.decimals} decimal{'' if rules.decimals == 1 else 's'}"
    return [
        f"Scores, limits and z are rounded to {places}, percentages to the whole; bands come from unrounded figures."
    ]


def _members(survey: Survey, measure: str) -> str:
    """What a section is the mean of, as its description ends."""
    if measure in survey.by_code:
        return ""
    return f"; the mean of {', '.join(q.code for q in survey.members(measure))}."


def _shares(profile: pl.DataFrame) -> pl.DataFrame:
    """Profile rows of variables whose names the layout can hold, each with its name there, such as age1."""
    place = pl.col("option").cum_count().over("organisation", "variable").cast(pl.String)
    kept = profile.filter(pl.col("variable").str.contains(PROFILE))
    return kept.with_columns(name=pl.col("variable") + place)


def _labels(shares: pl.DataFrame) -> dict[str, str]:
    """The names in the layout, in order, with what each answer says."""
    return dict(shares.unique("name", maintain_order=True).select("name", "label").iter_rows())


def _key(survey: Survey, questions: list[str], measures: list[str], shares: pl.DataFrame) -> Sheet:
    word = survey.organisation_word
    rows: list[list[Value | None]] = [
        ["Trust_Respondents", "TrustCode", f"{word.capitalize()} code"],
        ["", "trustname", f"{word.capitalize()} name"],
    ]
    for q in questions:
        rows.append(["", f"{q}_tres", f"Number of respondents (per {word}) for {q}: {survey.label(q)}"])
    rows += [
        ["", "n_tpat", f"Total number of respondents (per {word})"],
        ["", "tr_rate", f"Adjusted response rate, per cent (per {word})"],
    ]
    for name, label in _labels(shares).items():
        rows.append(["", f"{name}_tpc", f"Percentage {label} (per {word})"])
    for m in measures:
        rows += [
            ["Trust_Scores", f"mean{m}", f"Score of {m}: {survey.label(m)}{_members(survey, m)}"],
            ["", f"ll90{m} to ul99{m}", f"Limits of the expected range of {m}"],
            ["", f"band{m}", f"Band of {m}: 1 much worse than expected to 7 much better"],
            ["", f"{m}_Zfinal", f"z of {m}"],
        ]
    return _sheet("Key", ["Sheet", "Variable name", "Description and comments"], rows)


def _participation(took: pl.DataFrame, count: str, rate: str) -> pl.DataFrame:
    return took.select("organisation", pl.col("completed").alias(count), (100 * pl.col("response_rate")).alias(rate))


def _respondents(
    trusts: pl.DataFrame, questions: list[str], now: pl.DataFrame, took: pl.DataFrame, shares: pl.DataFrame
) -> Sheet:
    table = _beside(
        trusts,
        _wide(now, "measure", {"n": "{}_tres"}, questions),
        _participation(took, "n_tpat", "tr_rate"),
        _wide(shares, "name", {"percent": "{}_tpc"}, list(_labels(shares))),
    )
    return _wide_sheet("Trust_Respondents", table)


def _scores(trusts: pl.DataFrame, measures: list[str], now: pl.DataFrame, took: pl.DataFrame) -> Sheet:
    names = {
        "score": "mean{}",
        **{column: f"{limit}{{}}" for limit, column in LIMITS.items()},
        "band": "band{}",
        "z": "{}_Zfinal",
    }
    completed = _participation(took, "n_tpat", "rate").drop("rate")
    return _wide_sheet("Trust_Scores", _beside(trusts, completed, _wide(now, "measure", names, measures)))


def _national(questions: list[str], now: pl.DataFrame, took: pl.DataFrame, shares: pl.DataFrame) -> Sheet:
    answered = dict(now.group_by("measure").agg(pl.col("n").sum()).iter_rows())
    row: dict[str, Value | None] = {f"{q}_res": answered[q] for q in questions}
    for first in took.head(1).iter_rows(named=True):
        rate = first["national_response_rate"]
        row |= {"n_pat": first["national_completed"], "r_rate": None if rate is None else 100 * rate}
    if not took.height:
        row |= {"n_pat": None, "r_rate": None}
    same = shares.unique("name", maintain_order=True).select("name", "national_percent")
    row |= {f"{name}_pc": percent for name, percent in same.iter_rows()}
    return _sheet("National_Respondents", row, [list(row.values())])


def _extent(measures: list[str], now: pl.DataFrame) -> Sheet:
    same = now.unique("measure", keep="first", maintain_order=True).select("measure", "lowest", "highest")
    ends = {measure: (low, high) for measure, low, high in same.iter_rows()}
    header = [f"{m}_{end}" for m in measures for end in ("min", "max")]
    return _sheet("National_Max&Min", header, [[value for m in measures for value in ends[m]]])


def _history(results: Results, questions: list[str], work: pl.DataFrame) -> list[Sheet]:
    """A sheet for each earlier year; organisations that cannot be compared with it are not on it."""
    sheets = []
    changes = results.latest_changes.filter(pl.col("group") == "all")
    years = sorted(changes["year_then"].unique(), reverse=True)
    for place, year in enumerate(years, start=1):
        end = "H" if place == 1 else f"H{place}"
        here = changes.filter((pl.col("year_then") == year) & pl.col("measure").is_in(questions))
        here = here.with_columns(sig=pl.col("verdict").replace_strict(VERDICTS, default=None, return_dtype=pl.Int64))
        compared = here.filter(pl.col("score_then").is_not_null().any().over("organisation"))
        if not compared.height:
            continue
        trusts = compared.select("organisation", "organisation_name").unique(maintain_order=True)
        names = {"score_then": f"{{}}_mean_{end}", "n_then": "{}_Base_unw", "sig": "{}_sig"}
        then = _participation(work.filter(pl.col("year") == year), f"n_tpat_{end}", "rate").drop("rate")
        table = _beside(trusts, then, _wide(compared, "measure", names, questions))
        table = table.select(pl.lit(year, pl.Int64).alias("SurveyYear"), pl.all())
        sheets.append(_wide_sheet(f"Historical_Comparisonsto{year}", table))
    return sheets

"""The programme's own layout of published results, so that whoever reads that can read these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from stocktake.disclosure.rules import rules_of
from stocktake.reports.books import Book, Column, Sheet, Value
from stocktake.results import Results
from stocktake.survey.instrument import Survey

Row = Mapping[str, Any]
VERDICTS = {"Increase": 1, "No change": 0, "Decrease": -1}
PROFILE = re.compile(r"[a-z]+(?:_[a-z]+)*")
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
    now = results.scores.filter(everyone & (pl.col("year") == survey.year))
    names: dict[str, str] = dict(
        now.select("organisation", "organisation_name").unique(maintain_order=True).iter_rows()
    )
    measures = list(now["measure"].unique(maintain_order=True))
    questions = [m for m in measures if m in survey.by_code]
    rows = {(r["organisation"], r["measure"]): r for r in now.iter_rows(named=True)}
    work = {(r["year"], r["organisation"]): r for r in results.fieldwork.filter(everyone).iter_rows(named=True)}
    profile = results.profile.filter(everyone & (pl.col("year") == survey.year))
    shares = _shares(profile, survey)
    sheets = [
        _guidance(results, survey, names, notice),
        _key(survey, questions, measures, shares),
        _respondents(survey, names, questions, rows, work, shares),
        _scores(survey, names, measures, rows, work),
        _national(survey, names, questions, rows, work, shares),
        _extent(measures, rows),
        *_history(results, survey, questions, work),
    ]
    return Book(
        f"{survey.title}: published layout",
        "results in the programme's layout",
        (),
        tuple(sheets),
        results.digest,
        keywords=(survey.code,),
    )


def _sheet(name: str, header: Iterable[str], rows: Iterable[Iterable[Value | None]]) -> Sheet:
    return Sheet(name, name, (), tuple(Column(h) for h in header), tuple(tuple(r) for r in rows), raw=True)


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
    never = results.changes.filter((pl.col("group") == "all") & (pl.col("status") == "not comparable"))
    whole = never.group_by("organisation", "reason", maintain_order=True).len()
    scored = len(survey.scored) + len(survey.sections)
    told = [(r["organisation"], r["reason"]) for r in whole.iter_rows(named=True) if r["len"] >= scored]
    if told:
        lines.append("Non-comparable organisations")
        for code, reason in dict(told).items():
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


def _shares(profile: pl.DataFrame, survey: Survey) -> dict[str, dict[str, list[Row]]]:
    """Profile rows by variable and organisation, of variables whose names the layout can hold."""
    out: dict[str, dict[str, list[Row]]] = {}
    for row in profile.iter_rows(named=True):
        if PROFILE.fullmatch(row["variable"]):
            out.setdefault(row["variable"], {}).setdefault(row["organisation"], []).append(row)
    return out


def _share_names(shares: Mapping[str, Mapping[str, list[Row]]], end: str) -> list[str]:
    return [f"{v}{k}_{end}" for v, by in shares.items() for k in range(1, len(next(iter(by.values()))) + 1)]


def _key(
    survey: Survey, questions: list[str], measures: list[str], shares: Mapping[str, Mapping[str, list[Row]]]
) -> Sheet:
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
    for variable, by in shares.items():
        for k, row in enumerate(next(iter(by.values())), start=1):
            rows.append(["", f"{variable}{k}_tpc", f"Percentage {row['label']} (per {word})"])
    for m in measures:
        rows += [
            ["Trust_Scores", f"mean{m}", f"Score of {m}: {survey.label(m)}{_members(survey, m)}"],
            ["", f"ll90{m} to ul99{m}", f"Limits of the expected range of {m}"],
            ["", f"band{m}", f"Band of {m}: 1 much worse than expected to 7 much better"],
            ["", f"{m}_Zfinal", f"z of {m}"],
        ]
    return _sheet("Key", ["Sheet", "Variable name", "Description and comments"], rows)


def _rate(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _respondents(
    survey: Survey,
    names: Mapping[str, str],
    questions: list[str],
    rows: Mapping[tuple[str, str], Row],
    work: Mapping[tuple[int, str], Row],
    shares: Mapping[str, Mapping[str, list[Row]]],
) -> Sheet:
    header = [
        "TrustCode",
        "trustname",
        *(f"{q}_tres" for q in questions),
        "n_tpat",
        "tr_rate",
        *_share_names(shares, "tpc"),
    ]
    body = []
    for code, name in names.items():
        took = work.get((survey.year, code), {})
        line: list[Value | None] = [code, name, *(rows[code, q]["n"] for q in questions)]
        line += [took.get("completed"), _rate(took.get("response_rate"))]
        line += [r["percent"] for by in shares.values() for r in by[code]]
        body.append(line)
    return _sheet("Trust_Respondents", header, body)


def _scores(
    survey: Survey,
    names: Mapping[str, str],
    measures: list[str],
    rows: Mapping[tuple[str, str], Row],
    work: Mapping[tuple[int, str], Row],
) -> Sheet:
    header = ["TrustCode", "trustname", "n_tpat"]
    for m in measures:
        header += [f"mean{m}", *(f"{limit}{m}" for limit in LIMITS), f"band{m}", f"{m}_Zfinal"]
    body = []
    for code, name in names.items():
        line: list[Value | None] = [code, name, work.get((survey.year, code), {}).get("completed")]
        for m in measures:
            row = rows[code, m]
            line += [row["score"], *(row[column] for column in LIMITS.values()), row["band"], row["z"]]
        body.append(line)
    return _sheet("Trust_Scores", header, body)


def _national(
    survey: Survey,
    names: Mapping[str, str],
    questions: list[str],
    rows: Mapping[tuple[str, str], Row],
    work: Mapping[tuple[int, str], Row],
    shares: Mapping[str, Mapping[str, list[Row]]],
) -> Sheet:
    took: Row = work.get((survey.year, next(iter(names))), {})
    header = [*(f"{q}_res" for q in questions), "n_pat", "r_rate", *_share_names(shares, "pc")]
    line: list[Value | None] = [sum(rows[c, q]["n"] or 0 for c in names) for q in questions]
    line += [took.get("national_completed"), _rate(took.get("national_response_rate"))]
    line += [r["national_percent"] for by in shares.values() for r in next(iter(by.values()))]
    return _sheet("National_Respondents", header, [line])


def _extent(measures: list[str], rows: Mapping[tuple[str, str], Row]) -> Sheet:
    first = {m: r for (_, m), r in reversed(list(rows.items()))}
    header = [f"{m}_{end}" for m in measures for end in ("min", "max")]
    return _sheet("National_Max&Min", header, [[first[m][c] for m in measures for c in ("lowest", "highest")]])


def _history(
    results: Results, survey: Survey, questions: list[str], work: Mapping[tuple[int, str], Row]
) -> list[Sheet]:
    """A sheet for each earlier year; organisations that cannot be compared with it are not on it."""
    sheets = []
    changes = results.changes.filter(pl.col("group") == "all")
    years = sorted(changes["year_then"].unique(), reverse=True)
    for place, year in enumerate(years, start=1):
        end = "H" if place == 1 else f"H{place}"
        here = changes.filter(pl.col("year_then") == year)
        found = {(r["organisation"], r["measure"]): r for r in here.iter_rows(named=True)}
        names = dict(here.select("organisation", "organisation_name").unique(maintain_order=True).iter_rows())
        header = ["SurveyYear", "TrustCode", "trustname", f"n_tpat_{end}"]
        for q in questions:
            header += [f"{q}_mean_{end}", f"{q}_Base_unw", f"{q}_sig"]
        body = []
        for code, name in names.items():
            rows = [found[code, q] for q in questions]
            if all(r["score_then"] is None for r in rows):
                continue
            line: list[Value | None] = [year, code, name, work.get((year, code), {}).get("completed")]
            for r in rows:
                line += [r["score_then"], r["n_then"], VERDICTS.get(r["verdict"])]
            body.append(line)
        if body:
            sheets.append(_sheet(f"Historical_Comparisonsto{year}", header, body))
    return sheets

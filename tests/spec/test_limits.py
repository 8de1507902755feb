"""Every limit from both sides: what lies just inside it, and what lies just outside.

Limits that a setting moves are met here at their defaults; what the settings themselves do is in test_settings.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from pydantic import ValidationError
from tiny import NO, TESTED, UNSURE, YES, checks, covers, frame, held, invited, row, run, share, some, survey

import stocktake as st
from helpers import pair_tables
from stocktake.compare.change import Verdict, change
from stocktake.compare.estimates import Estimates, Measure
from stocktake.compare.expected_range import CUTS, banding
from stocktake.compare.extremes import ends
from stocktake.compare.firmness import LEAVE_OUT_LIMIT, leave_one_out
from stocktake.problems import BlockedError, StocktakeError
from stocktake.reports.facts import OrganisationResults
from stocktake.reports.firm_pages import unusual
from stocktake.reports.group_results import group_results
from stocktake.reports.model import Number, Text, blocks_of, plain, texts_of
from stocktake.reports.words import per_cent
from stocktake.results.schemas import BANDS
from stocktake.run.core import Run
from stocktake.run.settings import Settings, with_settings
from stocktake.survey import counts, resample, responses, scores, second_pass, tally, wave
from stocktake.survey.instrument import (
    Demographic,
    DemographicOption,
    Eligibility,
    Method,
    Option,
    Outcomes,
    Survey,
)
from stocktake.survey.tables import open_table

# Limits of the method at their defaults ------------------------------------------------------------------------------


def defaults(**settings: Any) -> Method:
    """The method as it comes, but for what would block the run of a small table."""
    return Method.model_validate(
        {"draws": 0, "minimum_base": 1, "minimum_answers": 1, "maximum_rejected": 1, **settings}
    )


def test_the_settings_as_they_come() -> None:
    """The limits below are what a survey has that sets none."""
    assert Method().model_dump() == {
        "cap": 5.0,
        "minimum_base": 30,
        "minimum_answers": 5,
        "maximum_rejected": 0.05,
        "routed_past": "set aside",
        "unclassified": "sample file",
        "group_reference": "own",
        "standard_error": "linearised",
        "correction": "none",
        "winsorise": 0.1,
        "percentile": "weibull",
        "zero_spread": "unbanded",
        "draws": 1000,
        "seed": 2024,
        "false_discovery": None,
        "change_test": "z",
        "change_level": 0.95,
        "change_reference": "own",
    }


def test_a_weight_of_five_is_kept_and_a_larger_one_capped() -> None:
    chosen = survey(method=defaults())
    # Kind 1 is half of all. One of ten in A: w = 5 and 5/9: 50/(5 + 5) = 5.
    # One of eleven: w = 5.5, capped, and 0.55: 50/(5 + 5.5).
    for others, score, capped in ((9, 5.0, False), (10, 50 / 10.5, True)):
        answers = frame(
            some(1, "A", 1, Q1=YES), some(others, "A", 2, Q1=NO), some(others, "B", 1, Q1=YES), some(1, "B", 2, Q1=NO)
        )
        done = run(chosen, answers)
        assert row(done.scores)["score"] == pytest.approx(score)
        assert ("weight capped" in checks(done)) == capped


def test_thirty_answers_are_shown_and_twenty_nine_withheld() -> None:
    chosen = survey((2, 2), method=defaults(minimum_base=30))
    # A: 30 answers to Q1 (y = 5) and 29 scored to Q2. B: 40 and 40 (y = 7.5).
    answers = frame(
        some(15, "A", Q1=YES, Q2=YES),
        some(14, "A", Q1=NO, Q2=NO),
        some(1, "A", Q1=NO, Q2=UNSURE),
        some(30, "B", Q1=YES, Q2=YES),
        some(10, "B", Q1=NO, Q2=NO),
    )
    done = run(chosen, answers, earlier={2023: answers})
    found = {m: row(done.scores, measure=m) for m in ("Q1", "Q2", "S01")}
    assert [found[m]["score"] for m in found] == [5.0, None, None]
    assert [found[m]["n"] for m in found] == [30, None, None]
    assert [found[m]["status"] for m in found] == ["shown", "withheld", "withheld"]
    # The average of Q1 is (5 + 7.5)/2; of Q2 B's alone.
    assert [found[m]["national_average"] for m in found] == [6.25, 7.5, 7.5]
    assert [row(done.changes, measure=m)["difference"] for m in found] == [0.0, None, None]


def test_who_took_part_is_shown_from_thirty() -> None:
    answers = frame(share("A", 10, 30), share("B", 10, 29), share("C", 20, 40))
    done = run(survey(method=defaults(minimum_base=30), profile=True), answers)
    for organisation, status, completed, percent in (("A", "shown", 30, 100.0), ("B", "withheld", None, None)):
        work, profile = row(done.fieldwork, organisation, None), row(done.profile, organisation, None, option=1)
        assert (work["status"], work["completed"]) == (status, completed)
        assert (profile["status"], profile["percent"]) == (status, percent)


def test_five_answers_are_a_questionnaire_and_four_are_not() -> None:
    chosen = survey((2,) * 6, method=defaults(minimum_answers=5))
    full = {f"Q{i}": YES for i in range(1, 7)}
    for given, n, score in ((5, 4, 7.5), (4, 3, 10.0)):
        done = run(chosen, frame(some(3, "A", **full), some(1, "A", **{f"Q{i}": NO for i in range(1, given + 1)})))
        assert (row(done.scores)["n"], row(done.scores)["score"]) == (n, score)
        assert ("too few answers" in checks(done)) == (given == 4)


def blocked(chosen: Survey, responses: pl.DataFrame, sample: pl.DataFrame | None = None) -> bool:
    try:
        run(chosen, responses, sample=sample)
    except BlockedError:
        return True
    return False


@pytest.mark.parametrize(("rows", "stops"), [(20, False), (19, True)])
def test_a_twentieth_may_be_set_aside(rows: int, stops: bool) -> None:
    """One of twenty rows, wrong codes or missing returns is let pass; one of nineteen stops the run."""
    chosen = survey(method=Method(draws=0, minimum_base=1, minimum_answers=1))
    good = share("A", 5, rows - 1)
    assert blocked(chosen, frame(good, some(1, "A"))) == stops
    answered = chosen.model_copy(update={"method": Method(draws=0, minimum_base=1, minimum_answers=0)})
    assert blocked(answered, frame(good, some(1, "A", Q1=9))) == stops
    # The sample file says that so many were returned, and one of them has no row.
    assert blocked(chosen, frame(good), invited((rows, "A", 1))) == stops
    assert not blocked(chosen, frame(good), invited((rows - 1, "A", 1), (1, "A", 6)))


# What each setting may be at its ends, and what it may not be.
BOUNDS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "cap": ((1e-9, 5.0, None), (0, -1.0, math.inf, math.nan)),
    "minimum_base": ((1, 100_000), (0, 100_001, 1.5, True, None)),
    "minimum_answers": ((0, 1_000), (-1, 1_001)),
    "maximum_rejected": ((0.0, 1.0), (-1e-9, 1 + 1e-9)),
    "routed_past": (("set aside", "keep"), ("keeps",)),
    "unclassified": (("sample file", "leave out"), ("sample",)),
    "group_reference": (("own", "all"), ("common",)),
    "standard_error": (("linearised", "classical"), ("linear",)),
    "correction": (("none", "design", "stratum"), ("organisation", None)),
    "winsorise": ((0.0, 0.5 - 1e-9), (-1e-9, 0.5)),
    "percentile": (("weibull", "linear", "hazen", "median_unbiased"), ("lower",)),
    "zero_spread": (("unbanded", "between"), ("banded",)),
    "draws": ((0, 100_000), (-1, 100_001)),
    "seed": ((0, 2**63 - 1), (-1, 2**63)),
    "false_discovery": ((1e-9, 1 - 1e-9, None), (0, 1)),
    "change_test": (("z", "t"), ("T",)),
    "change_level": ((1e-9, 1 - 1e-9), (0, 1)),
    "change_reference": (("own", "common"), ("all",)),
}


def test_every_setting_has_its_ends() -> None:
    assert set(BOUNDS) == set(Method.model_fields)


@pytest.mark.parametrize("name", BOUNDS)
def test_what_a_setting_may_be(name: str) -> None:
    inside, outside = BOUNDS[name]
    for value in inside:
        assert getattr(with_settings(survey(), Settings(instrument="", settings={name: value})).method, name) == value
    for value in outside:
        with pytest.raises(StocktakeError, match=rf"settings\.{name}:"):
            with_settings(survey(), Settings(instrument="", settings={name: value}))


def test_a_setting_that_is_none() -> None:
    with pytest.raises(StocktakeError, match=r"no setting 'minimum_bases'.*minimum_base"):
        run(survey(), frame(share("A", 1, 2)), minimum_bases=1)


@pytest.mark.parametrize(("points", "accepted"), [(0, True), (10, True), (-1e-9, False), (10 + 1e-9, False)])
def test_points_lie_between_0_and_10(points: float, accepted: bool) -> None:
    if accepted:
        assert Option(code=1, label="Yes", score=points).score == points
    else:
        with pytest.raises(ValidationError):
            Option(code=1, label="Yes", score=points)


# Eligibility ---------------------------------------------------------------------------------------------------------


def aged(profile: bool = False, **eligibility: Any) -> Survey:
    """A survey standardised by age, to 50 and over."""
    age = Demographic(
        code="age",
        title="Age",
        kind="number",
        show=profile,
        options=(
            DemographicOption(code=1, label="up to 50", **{"to": 50}),
            DemographicOption(code=2, label="51 and over", **{"from": 51}),
        ),
    )
    rules = {"demographics": (age,), "cells": ("age",), "eligibility": Eligibility(**eligibility)}
    return survey().model_copy(update=rules)


def ages(*last: Any, others: int = 30) -> pl.DataFrame:
    """Organisations A0, A1 and so on: three people who gave 10 points, and one of each of these ages who gave 0."""
    parts = [some(3, f"A{i}", Q1=YES) + some(1, f"A{i}", Q1=NO) for i in range(len(last))]
    given = [age for one in last for age in (others, others, others, one)]
    return frame(*parts).drop("kind").with_columns(age=pl.Series(given))


def kept(done: Run, organisation: str) -> tuple[int, int]:
    """How many are scored, and how many are counted."""
    scored, counted = row(done.scores, organisation), row(done.fieldwork, organisation, None)
    return scored["n"], counted["completed"]


@covers("Eligibility.age_from", "Eligibility.age_to")
@pytest.mark.parametrize(("limit", "inside", "outside"), [("age_from", 16, 15), ("age_to", 60, 61)])
def test_the_ages_of_a_survey(limit: str, inside: int, outside: int) -> None:
    """All four count, 30/4 = 7.5; with one outside the limit set aside, the three of 10 points are left."""
    # All are in one band, so that weights are 1.
    people = ages(inside, outside, others=30 if inside < 50 else 55)
    for rules, n in ((aged(**{limit: inside}), 3), (aged(), 4)):
        done = run(rules, people)
        assert [kept(done, o) for o in ("A0", "A1")] == [(4, 4), (n, n)]
        assert [row(done.scores, o)["score"] for o in ("A0", "A1")] == pytest.approx([7.5, 30 / n])
        assert ("age outside eligibility" in checks(done)) == (n == 3)


def test_the_ages_of_people() -> None:
    """Without limits of a survey's own, 0 and 120 are ages and what lies beyond is none: counted, but not scored."""
    done = run(aged(), ages(0, -1, 120, 121))
    assert [kept(done, f"A{i}") for i in range(4)] == [(4, 4), (3, 4), (4, 4), (3, 4)]
    assert done.findings.filter(pl.col("check") == "age outside eligibility").height == 2


def test_the_sample_file_s_age_stands_in() -> None:
    """121 is no age, and a blank none either; where the sample file has one it must be within the survey's limits."""
    chosen = aged(age_from=16)
    age = chosen.demographics[0].model_copy(update={"from_sample": True})
    chosen = chosen.model_copy(update={"demographics": (age,)})
    known = [value for one in (16, 15, 16, 15) for value in (30, 30, 30, one)]
    sample = invited(*((4, f"A{i}", 1) for i in range(4)), age=known)
    done = run(chosen, ages(121, 121, None, None), sample=sample)
    assert [kept(done, f"A{i}") for i in range(4)] == [(4, 4), (3, 3), (4, 4), (3, 3)]


def test_the_ends_of_an_age_band() -> None:
    """Five of 50 and fifteen of 30 years are 20 of 40; five of 51 and fifteen of 51 are the others."""
    people = pl.concat([ages(*[50] * 5), ages(*[51] * 5, others=51)]).with_columns(organisation=pl.lit("A"))
    people = people.with_columns(respondent=pl.Series([f"r{i}" for i in range(people.height)]))
    done = run(aged(profile=True), people)
    shares = {option: row(done.profile, measure=None, option=option)["percent"] for option in (1, 2)}
    assert shares == pytest.approx({1: 50.0, 2: 50.0})


@covers("Eligibility.contact_from", "Eligibility.contact_to")
def test_the_dates_of_a_survey() -> None:
    """The first and the last day belong to the sampling period; the days beside them do not."""
    first, last, day = date(2024, 4, 1), date(2024, 5, 31), timedelta(days=1)
    people = frame(some(1, "A", Q1=NO), some(2, "A", Q1=YES), some(1, "A", Q1=NO))
    answers = people.with_columns(contact_date=pl.Series([first - day, first, last, last + day]))
    # The two in the middle have 10 points, the one before and the one after 0: 20/4, 20/3 and 20/2.
    cases = {(None, None): 5.0, (first, None): 20 / 3, (first, last): 10.0}
    chosen = {
        ends: survey().model_copy(update={"eligibility": Eligibility(contact_from=ends[0], contact_to=ends[1])})
        for ends in cases
    }
    runs = {ends: run(rules, answers) for ends, rules in chosen.items()}
    held(runs, lambda done: row(done.scores)["score"], cases)
    # A date written as text is the same date.
    written = answers.with_columns(pl.col("contact_date").dt.strftime("%d/%m/%Y"))
    assert row(run(chosen[first, last], written).scores)["score"] == 10.0


# The sample ----------------------------------------------------------------------------------------------------------


@covers("Outcomes.useable", "Outcomes.undeliverable", "Outcomes.died", "Outcomes.other")
def test_response_rate() -> None:
    """completed / (invited - undeliverable - died), by organisation, by group and over all."""
    answers = frame(share("A", 2, 4), share("B", 1, 2))
    sample = invited(
        (4, "A", 1), (2, "B", 1), (1, "A", 2), (2, "A", 3), (3, "A", 4), (2, "A", 6), (3, "B", 2), (5, "B", 6)
    )
    sample = sample.with_columns(service=pl.Series(["G"] * 4 + [None] * 3 + ["G"] * 2 + [None] * 13, dtype=pl.String))
    answers = answers.with_columns(service=pl.Series(["G"] * 4 + [None] * 2, dtype=pl.String))

    def rates(outcomes: Outcomes) -> tuple[Any, ...]:
        chosen = survey(groups=("G",)).model_copy(update={"outcomes": outcomes})
        work = run(chosen, answers, sample=sample).fieldwork
        a, b, g = row(work, measure=None), row(work, "B", None), row(work, measure=None, group="G")
        return a["response_rate"], b["response_rate"], a["national_response_rate"], g["response_rate"]

    # A: 12 invited, 1 not reached, 2 died: 4/9. B: 10 invited, 3 not reached: 2/7. Both: 6/16. Group: 6, 1 or 2 died.
    plain = Outcomes()
    cases = {
        plain: (4 / 9, 2 / 7, 6 / 16, 4 / 4),
        # The dead not told apart: 4/11, and 4/6 in the group, whose two are they.
        plain.model_copy(update={"died": (), "other": (3, 4, 5, 6)}): (4 / 11, 2 / 7, 6 / 18, 4 / 6),
        # Code 4 means not reached as well: A's three more, 4/6.
        plain.model_copy(update={"undeliverable": (2, 4), "other": (5, 6)}): (4 / 6, 2 / 7, 6 / 13, 4 / 4),
        # Nobody is not reached: 4/10 and 2/10.
        plain.model_copy(update={"undeliverable": (), "other": (2, 4, 5, 6)}): (4 / 10, 2 / 10, 6 / 20, 4 / 4),
    }
    for outcomes, expected in cases.items():
        assert rates(outcomes) == pytest.approx(expected), outcomes


def test_an_outcome_that_is_none() -> None:
    """A code that no list of outcomes has is found, and counts as not returned."""
    answers = frame(share("A", 2, 4))
    sample = invited((4, "A", 1), (2, "A", 6))
    for other, found in (((4, 5, 6), False), ((4, 5), True)):
        done = run(survey().model_copy(update={"outcomes": Outcomes(other=other)}), answers, sample=sample)
        assert ("unknown outcome" in checks(done)) == found
        assert row(done.fieldwork, measure=None)["response_rate"] == pytest.approx(4 / 6)


def test_a_useable_outcome() -> None:
    """Who was returned useable must have answers; the code for it is a setting."""
    sample = invited((4, "A", 1), (2, "A", 6))
    for useable, other, odd in (((1,), (6,), False), ((1, 6), (), True)):
        chosen = survey().model_copy(update={"outcomes": Outcomes(useable=useable, other=other)})
        assert ("outcome disagrees" in checks(run(chosen, frame(share("A", 2, 4)), sample=sample))) == odd


def test_one_eligible_person_gives_a_rate_and_none_gives_none() -> None:
    answers = frame(share("A", 1, 1), share("B", 1, 1), share("C", 1, 2))
    done = run(survey(), answers, sample=invited((1, "A", 1), (1, "B", 2), (2, "C", 1)))
    assert [row(done.fieldwork, o, None)["response_rate"] for o in "AB"] == [1.0, None]


def test_every_rule_on_people_has_a_test() -> None:
    rules = {f"{part.__name__}.{name}" for part in (Eligibility, Outcomes) for name in part.model_fields}
    assert rules <= set(TESTED)


# survey.yaml ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Run]:
    """A folder with two waves of two organisations, benchmarked with what a test adds to its survey.yaml."""
    people = frame(share("A", 4, 5), share("B", 1, 2)), frame(share("A", 3, 10), share("B", 1, 2))
    for year, table in zip((2024, 2023), people, strict=True):
        table.write_csv(tmp_path / f"{year}.csv")
    invited((5, "A", 1), (3, "B", 1)).with_columns(respondent=pl.Series([f"r{i}" for i in range(8)])).write_csv(
        tmp_path / "sample.csv"
    )
    (tmp_path / "organisations.csv").write_text("code,name\nA,Ash\nB,Birch\n")
    (tmp_path / "small.yaml").write_text(
        yaml.safe_dump(survey().model_dump(mode="json", by_alias=True, exclude_none=True))
    )

    def benchmarked(now: dict[str, Any] | None = None, **settings: Any) -> Run:
        waves = [{"year": 2024, "responses": "2024.csv", **(now or {})}, {"year": 2023, "responses": "2023.csv"}]
        # Null stands for no cap, and is not in the instrument's file.
        text = {"instrument": "small.yaml", "waves": waves, "settings": {"cap": None}, **settings}
        (tmp_path / "survey.yaml").write_text(yaml.safe_dump(text))
        return st.benchmark(tmp_path)

    return benchmarked


def test_expected_sample(folder: Callable[..., Run]) -> None:
    """A sample of the size expected is large enough; one person fewer is found, and changes no figure."""
    sample = {"sample": "sample.csv"}
    plain = folder(sample)
    for expected, named in ((3, []), (4, ["B: 3"]), (6, ["A: 5", "B: 3"])):
        done = folder({**sample, "expected_sample": expected})
        assert done.findings.filter(pl.col("check") == "sample size")["value"].sort().to_list() == named
        assert done.scores.equals(plain.scores)


def test_not_comparable(folder: Callable[..., Run]) -> None:
    """An organisation named for a year has no change from it, and its reason instead; others and other years have."""
    entry = {"organisation": "A", "year": 2023, "kind": "merged", "reason": "Ash was formed in 2024."}
    # A: 8 now and 3 then; B: 5 and 5.
    plain = folder()
    assert [row(plain.changes, o)["difference"] for o in "AB"] == [5.0, 0.0]
    found = folder(not_comparable=[entry])
    a = row(found.changes)
    assert (a["status"], a["reason"]) == ("not comparable", "Ash was formed in 2024.")
    assert [a[c] for c in ("difference", "statistic", "verdict", "score_then", "n_then")] == [None] * 5
    assert a["score_now"] == 8.0
    assert row(found.changes, "B")["difference"] == 0.0
    assert folder(not_comparable=[{**entry, "year": 2022}]).changes.equals(plain.changes)
    with pytest.raises(StocktakeError, match="no organisation 'C'"):
        folder(not_comparable=[{**entry, "organisation": "C"}])


def test_settings_and_contacts_of_a_run(folder: Callable[..., Run]) -> None:
    done = folder(settings={"cap": None, "minimum_base": 5}, contact="all@example.org", contacts={"B": "b@example.org"})
    assert [row(done.scores, o)["score"] for o in "AB"] == [8.0, None]
    assert [done.contact(o) for o in "AB"] == ["all@example.org", "b@example.org"]


def test_a_list_of_organisations_of_its_own(folder: Callable[..., Run], tmp_path: Path) -> None:
    """A wave with its own list knows no others: rows of those are set aside."""
    (tmp_path / "own.csv").write_text("code,name\nA,Ash\n")
    done = folder({"organisations": "own.csv"}, settings={"cap": None, "maximum_rejected": 1})
    # A's 8 alone, not (8 + 5)/2.
    assert row(done.scores)["national_average"] == 8.0
    assert done.findings.filter(pl.col("check") == "unknown organisation").height == 2


# Numbers of organisations and of answers -----------------------------------------------------------------------------


def test_two_organisations_can_be_compared_and_one_cannot() -> None:
    """Two answered Q1 and one Q2; C, whose answers do not vary, is not one of the two."""
    half = some(2, "A", Q1=YES, Q2=YES) + some(2, "A", Q1=NO, Q2=NO)
    one = some(2, "B", Q1=YES, Q2=UNSURE) + some(2, "B", Q1=NO, Q2=UNSURE)
    done = run(survey((2, 2)), frame(half, one, some(4, "C", Q1=YES, Q2=YES)))
    found = [row(done.scores, measure=q) for q in ("Q1", "Q2")]
    assert [(f["band"], f["status"]) for f in found] == [(4, "shown"), (None, "not banded")]


def test_one_can_be_left_out_of_four_and_not_of_three() -> None:
    """Four answered Q1 and three Q2; C, whose answers do not vary, is not one of them."""
    half = [some(2, t, Q1=YES, Q2=YES) + some(2, t, Q1=NO, Q2=NO) for t in ("A", "B", "D")]
    fourth = some(2, "E", Q1=YES, Q2=UNSURE) + some(2, "E", Q1=NO, Q2=UNSURE)
    done = run(survey((2, 2)), frame(*half, fourth, some(4, "C", Q1=YES, Q2=YES)))
    for question, expected in (("Q1", [4, 4, 4, True]), ("Q2", [4, None, None, None])):
        firm = row(done.results.firmness, measure=question)
        assert [firm[c] for c in ("band", "left_out_lowest", "left_out_highest", "survives")] == expected


@pytest.mark.parametrize(("organisations", "done"), [(500, True), (501, False)])
def test_five_hundred_can_be_left_out_one_by_one(organisations: int, done: bool) -> None:
    assert LEAVE_OUT_LIMIT == 500
    value = np.linspace(4, 6, organisations)[:, None]
    names = tuple(f"T{i}" for i in range(organisations))
    error, status = np.full_like(value, 1.0), np.zeros(value.shape, dtype=np.int8)
    lowest, highest = leave_one_out(Estimates(names, (Measure("Q1"),), np.full_like(value, 50.0), value, error, status))
    # z lies within -1 and 1 whoever is left out.
    assert (np.unique(lowest).tolist(), np.unique(highest).tolist()) == (([4], [4]) if done else ([0], [0]))


def test_results_above_the_limit_are_not_resampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two questions of two organisations are four results."""
    answers = frame(*(some(2, t, Q1=YES, Q2=NO) + some(2, t, Q1=NO, Q2=YES) for t in "AB"))
    assert resample.RESAMPLE_LIMIT == 20_000
    for limit, kind in ((4, "resampled"), (3, "normal approximation")):
        monkeypatch.setattr(resample, "RESAMPLE_LIMIT", limit)
        firm = run(survey((2, 2)), answers, draws=5).results.firmness
        assert row(firm)["probability_method"] == kind


def test_a_factor_for_two_respondents_and_none_for_one() -> None:
    done = run(survey(), frame(share("A", 1, 1), share("B", 1, 2), share("C", 1, 4)), correction="stratum")
    found = [row(done.scores, o) for o in "AB"]
    # One with 10 and one with 0: V = 2 * 25/4, times 2/1 = 25.
    assert [f["standard_error"] for f in found] == [None, pytest.approx(5.0)]
    assert [f["score"] for f in found] == [10.0, 5.0]


@pytest.mark.parametrize(("n", "verdict"), [(2, Verdict.INCREASE), (1, Verdict.NONE)])
def test_two_answers_have_degrees_of_freedom_and_one_has_none(n: int, verdict: Verdict) -> None:
    def wave_of(value: float, base: float) -> tuple[Any, Any, Any]:
        return np.array([value]), np.array([0.1]), np.array([base])

    for now, then in (((9.0, n), (1.0, 50.0)), ((9.0, 50.0), (1.0, n))):
        assert change(wave_of(*now), wave_of(*then), test="t").verdict[0] == verdict
        assert change(wave_of(*now), wave_of(*then), test="z").verdict[0] == Verdict.INCREASE


# Bands and what reports say of them ----------------------------------------------------------------------------------


def test_the_cuts_between_bands() -> None:
    """1.644854 begins `somewhat`; 1.959964 and 3.090232 still belong to the band that they end."""
    assert pytest.approx((1.6448536269514722, 1.959963984540054, 3.090232306167813), rel=1e-12) == CUTS
    hair = 1e-9
    z = np.array([0.0, CUTS[0] - hair, CUTS[0], CUTS[1], CUTS[1] + hair, CUTS[2], CUTS[2] + hair])
    for sign in (1, -1):
        # An average of 0 and an S of 1, so that z is the value to the last digit.
        _, band, _ = banding(sign * z[:, None], np.zeros(1), np.ones((7, 1)))
        assert (band[:, 0] - 4).tolist() == [0, 0, sign, sign, 2 * sign, 2 * sign, 3 * sign]


def numbers_beside(done: Run, words: str) -> list[float]:
    """The numbers of the one paragraph of X's report that has these words; none where there is no such paragraph."""
    texts = [t for block in blocks_of(done.report("X").report) for t in texts_of(block) if isinstance(t, Text)]
    found = [t for t in texts if words in plain(t)]
    assert len(found) <= 1, words
    return [part.value for t in found for part in t.parts if isinstance(part, Number)]


def test_a_result_is_firm_in_nine_draws_of_ten() -> None:
    """Of a hundred draws 90 outside the range are enough, and 89 are not; questions answered alike have the same draws."""
    names = ["Q1", "Q2"]
    yes, no = dict.fromkeys(names, YES), dict.fromkeys(names, NO)
    answers = [*(some(30, f"T{i}", **yes) + some(20, f"T{i}", **no) for i in range(1, 10))]
    # Average 6.2, z of X = 1.8/sqrt(16/40) = 2.846 where tau is 0, to every question.
    people = frame(*answers, some(32, "X", **yes), some(8, "X", **no))
    met: set[int] = set()
    # Both are met soon from this seed on.
    for seed in range(46, 100):
        done = run(survey((2, 2)), people, winsorise=0.2, draws=100, seed=seed)
        outside = [round(100 * row(done.results.firmness, "X", name)["p_outside"]) for name in names]
        # How many are firm, and of how many outside the range.
        output = numbers_beside(done, "in at least nine of ten draws")[:2]
        assert output == [sum(share >= 90 for share in outside), 2]
        assert [row(done.results.firmness, "X", name)["firm"] for name in names] == [share >= 90 for share in outside]
        met |= set(outside)
        if {89, 90} <= met:
            break
    assert {89, 90} <= met


def test_a_result_stands_at_five_per_cent() -> None:
    """Where no rate is set the report allows for many comparisons at 0.05; where one is, at that."""
    # q of one question is 2 (1 - Phi(z)). Others 6.8, X 8.4 from 25: average 6.96, z = 1.44/sqrt(8.4 * 1.6/25) = 1.964,
    # q = 0.0495. Others 5.4, X 7.5 from 20: average 5.61, z = 1.89/sqrt(18.75/20) = 1.952, q = 0.0509.
    just_in = frame(*(share(f"T{i}", 34, 50) for i in range(1, 10)), share("X", 21, 25))
    just_out = frame(*(share(f"T{i}", 27, 50) for i in range(1, 10)), share("X", 15, 20))
    for answers, q, some_stand in ((just_in, 0.04953, True), (just_out, 0.05094, False)):
        done = run(survey(), answers, winsorise=0.2)
        firm = row(done.results.firmness, "X")
        assert (firm["q_value"], firm["band"]) == (pytest.approx(q, abs=1e-5), 6 if some_stand else 5)
        assert firm["stands_at_5"] == some_stand
        assert bool(numbers_beside(done, "stands firm by itself. The bands")) == some_stand
    # With a rate of its own just above and just below the q of 0.0495.
    for rate, stands in ((0.04955, 1), (0.0495, 0)):
        output = run(survey(), just_in, winsorise=0.2, false_discovery=rate)
        assert numbers_beside(output, "With a false discovery rate of") == [stands]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0%"), (1e-9, "under 1%"), (0.5 - 1e-9, "under 1%"), (0.5, "1%"), (1.5 - 1e-9, "1%"), (1.5, "2%")],
)
def test_a_share_that_is_not_nought_is_not_shown_as_nought(value: float, text: str) -> None:
    assert per_cent(value) == text


@pytest.mark.parametrize(("questions", "best", "worst"), [(9, 5, 4), (10, 5, 5), (11, 5, 5), (1, 1, 0), (0, 0, 0)])
def test_five_best_and_five_worst_and_none_twice(questions: int, best: int, worst: int) -> None:
    ordered = list(range(questions))
    assert ends(ordered) == (ordered[:best], ordered[::-1][:worst])


@pytest.mark.parametrize(("questions", "listed"), [(10, 10), (11, 10)])
def test_ten_unusual_results(questions: int, listed: int) -> None:
    answers = {f"Q{i}": YES for i in range(1, questions + 1)}
    no = dict.fromkeys(answers, NO)
    done = run(survey((2,) * questions), frame(*(some(2, t, **answers) + some(2, t, **no) for t in "AB")))
    table = unusual(OrganisationResults(group_results(done.results, done.survey), "A"))
    assert table is not None
    assert len(table.rows) == listed


# The way that sums are made ------------------------------------------------------------------------------------------

# Weights and answers of A as in test_settings.py: V of the section of Q1 and Q2 is 47646/8100, classical
# (200/27 + 10.56 + 8.8)/4. With Q3 a copy of Q1: V = ((2 e1 + e2)/3)^2 summed, (258^2+4^2+154^2+100^2)/135^2.
# A file of so many times these people has V divided by so many.
PEOPLE = [
    some(1, "A", 1, Q1=YES, Q2=YES, Q3=YES),
    some(1, "A", 2, Q1=YES, Q2=NO, Q3=YES),
    some(1, "A", 2, Q1=NO, Q2=NO, Q3=NO),
    some(1, "A", 2, Q1=NO, Q2=UNSURE, Q3=NO),
    some(3, "B", 1, Q1=YES, Q2=YES, Q3=YES),
    some(1, "B", 2, Q1=NO, Q2=NO, Q3=NO),
]
LINEARISED, CLASSICAL = 47646 / 8100, (200 / 27 + 10.56 + 8.8) / 4
THREE = (258**2 + 4**2 + 154**2 + 100**2) / 135**2


def section_variance(times: int, **settings: Any) -> tuple[float, Run]:
    """The variance of A's section of two questions from a file that repeats the people, times their number."""
    people = frame(*PEOPLE * times).drop("Q3")
    done = run(survey((2, 2)), people, **settings)
    return times * row(done.scores, measure="S01")["standard_error"] ** 2, done


def ways(done: Run) -> tuple[bool, bool]:
    """Whether pairs of answers were counted, and whether the rows were kept."""
    counted_now = done.counted[0]
    assert counted_now.counts is not None
    return counted_now.counts.pairs is not None, counted_now.kept is not None


def test_pairs_are_counted_where_answers_outnumber_their_table() -> None:
    """Two organisations, three strata, 4 by 4 answers: 96 places; from 192 rows of one pair on."""
    for times, paired in ((24, True), (23, False)):
        for kind, variance in (("linearised", LINEARISED), ("classical", CLASSICAL)):
            found, done = section_variance(times, standard_error=kind)
            assert found == pytest.approx(variance)
            assert ways(done) == (paired, True)


def test_the_budget_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts.PAIR_BUDGET == 64_000_000
    for budget, paired in ((96, True), (95, False)):
        monkeypatch.setattr(counts, "PAIR_BUDGET", budget)
        found, done = section_variance(24)
        assert found == pytest.approx(LINEARISED)
        assert ways(done) == (paired, True)


@pytest.mark.parametrize("kind", ["linearised", "classical"])
def test_two_questions_are_looked_up_at_once_up_to_a_limit(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Of two organisations 4 by 4 joint answers are 32 places; above the limit each question is looked up by itself."""
    assert second_pass.LOOKUP_BUDGET == 65_536
    for most, blocks in ((32, 1), (31, 2)):
        monkeypatch.setattr(second_pass, "LOOKUP_BUDGET", most)
        layout = counts.Layout.of(survey((2, 2)), ["A", "B"])
        made = second_pass.SectionSums.of(layout, np.ones((2, 2)), np.ones((2, 4, 2)), np.ones((2, 3)))
        assert [len(b) for b in made.blocks] == [blocks]
        found, done = section_variance(1, standard_error=kind)
        assert found == pytest.approx(LINEARISED if kind == "linearised" else CLASSICAL)
        assert not ways(done)[0]


def test_how_many_rows_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fourth of each core's share, within limits; a set number of counts of very many strata, and of unknown size."""
    assert (responses.MANY_STRATA, responses.FEWEST_ROWS, responses.ROWS) == (50_000, 262_144, 1_048_576)
    monkeypatch.setattr(responses, "cores", lambda: 2)
    chosen = survey((2, 2))
    table = open_table(frame(*PEOPLE).drop("Q3"))
    layout = counts.Layout.of(chosen, ["A", "B"])
    for rows, expected in (
        (2_097_152, 262_144),
        (2_097_160, 262_145),
        (8_388_608, 1_048_576),
        (9_000_000, 1_048_576),
        (None, 1_048_576),
    ):
        intake = responses.Intake(chosen, chosen.method, layout, replace(table, rows=rows), None)
        assert intake._rows_at_a_time() == expected
    # Three strata an organisation: 16,666 of them have 49,998, one more has 50,001.
    for many, expected in ((16_666, 262_144), (16_667, 524_288)):
        layout = counts.Layout.of(chosen, [f"T{i}" for i in range(many)])
        assert responses.Intake(chosen, chosen.method, layout, table, None)._rows_at_a_time() == expected


def test_rows_are_kept_up_to_a_limit_and_read_again_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wave.KEEP_ROWS == 2_000_000
    for most, kind, variance in (
        (8, "linearised", LINEARISED),
        (7, "linearised", LINEARISED),
        (7, "classical", CLASSICAL),
    ):
        monkeypatch.setattr(wave, "KEEP_ROWS", most)
        found, done = section_variance(1, standard_error=kind)
        assert found == pytest.approx(variance)
        assert ways(done) == (False, most == 8)


def test_three_questions_are_counted_jointly_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A joint table of three questions with four answers has 6 * 4^3 = 384 places; above the limit pairs are counted."""
    assert tally.BLOCK_BUDGET == 4_000_000
    layout = counts.Layout.of(survey((2, 2, 2)), ["A", "B"])
    for budget, largest in ((384, 3), (383, 2)):
        monkeypatch.setattr(tally, "BLOCK_BUDGET", budget)
        assert max(len(block) for block in tally.Tally(layout, True).blocks) == largest
        done = run(survey((2, 2, 2)), frame(*PEOPLE * 24))
        assert ways(done)[0]
        assert 24 * row(done.scores, measure="S01")["standard_error"] ** 2 == pytest.approx(THREE)


@pytest.mark.parametrize(
    ("module", "name", "value"),
    # 192 rows, and 16 joint answers of two questions with four answers each, are within the limits as they come.
    [(tally, "SMALL", 192), (tally, "MOST_NARROW", 15), (scores, "CHUNK", 1), (tally, "LARGEST_PLACE", 95)],
)
def test_the_way_of_counting_changes_no_figure(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: int
) -> None:
    assert getattr(module, name) > 192
    monkeypatch.setattr(module, name, value)
    assert section_variance(24)[0] == pytest.approx(LINEARISED)


def test_draws_come_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four people with two questions of three answers in one cell the four are fewer than the six: 8 are two draws."""
    assert resample.AT_A_TIME == 2_000_000
    answers = frame(*(some(2, t, Q1=YES, Q2=NO) + some(2, t, Q1=NO, Q2=YES) for t in "AB"))
    found: list[pl.DataFrame] = []
    drawn: dict[int, list[int]] = {}
    once = resample.resample

    def counting(own: Any, draws: int, rng: Any) -> Any:
        drawn.setdefault(resample.AT_A_TIME, []).append(draws)
        return once(own, draws, rng)

    monkeypatch.setattr(resample, "resample", counting)
    for most in (2_000_000, 8, 3):
        monkeypatch.setattr(resample, "AT_A_TIME", most)
        found.append(run(survey((2, 2)), answers, draws=5).results.firmness)
    # Two trusts are drawn side by side, in any order.
    assert {most: sorted(own) for most, own in drawn.items()} == {
        2_000_000: [5, 5],
        8: [1, 1, 2, 2, 2, 2],
        3: [1] * 10,
    }
    assert found[0].equals(found[1]) and found[0].equals(found[2])


@pytest.mark.parametrize(
    ("largest", "kind"),
    [(32_767, np.int16), (32_768, np.int32), (2_147_483_647, np.int32), (2_147_483_648, np.int64)],
)
def test_numbers_are_as_narrow_as_what_they_hold(largest: int, kind: type[np.signedinteger[Any]]) -> None:
    assert tally.narrowest(largest) is kind
    assert np.iinfo(kind).max >= largest


@pytest.mark.parametrize("options", [29, 30])
def test_joint_answers_that_sixteen_bits_hold_and_that_they_do_not(options: int) -> None:
    """Three questions of 31 answers have 29,791 joint answers, of 32 answers 32,768: one more than 16 bits tell apart."""
    assert tally.MOST_NARROW == 32_767
    layout = counts.Layout.of(survey((options,) * 3), ["A", "B"])
    last = np.full(5, options + 1, dtype=np.int16)
    done = tally.count([counts.Batch(np.zeros(5, dtype=np.int64), (last, last, last, last * 0))], layout)
    assert done.pairs is not None
    assert [int(answers[0, 0, -1]) for answers in done.answers[:3]] == [5, 5, 5]
    assert [int(pair[0, 0, -1, -1]) for pair in pair_tables(done)] == [5, 5, 5]
    assert [int(table.sum()) for table in (*done.answers, *pair_tables(done))] == [5] * 7


def test_the_section_of_one_question_has_its_chances_in_every_band() -> None:
    """Forty near 50%, one at 20% and one at 80%: from the worst to the best, the section's chances are the question's."""
    middle = [f"T{i}" for i in range(40)]
    near = [share(t, 45 + i % 11, 100) for i, t in enumerate(middle)]
    firm = run(
        survey(), frame(*near, share("A", 20, 100), share("B", 80, 100)), draws=40, winsorise=0.1
    ).results.firmness
    bands = set()
    for organisation in ("A", "B", *middle):
        question, section = row(firm, organisation), row(firm, organisation, "S01")
        assert section["probability_method"] == question["probability_method"] == "resampled"
        assert [section[f"p_{b}"] for b in BANDS] == [question[f"p_{b}"] for b in BANDS]
        bands.add(question["band"])
    assert {1, 4, 7} <= bands


def test_an_earlier_year_without_results_and_one_with_too_few() -> None:
    """Of B nobody answered then, of C one: what is missing has a name of its own each time."""
    now = frame(*(share(t, 5, 10) for t in "ABC"))
    then = frame(share("A", 4, 10), share("C", 1, 1))
    changes = run(survey(), now, earlier={2023: then}, minimum_base=2).changes
    found = {
        t: changes.filter((pl.col("organisation") == t) & (pl.col("measure") == "Q1")).row(0, named=True) for t in "BC"
    }
    assert [(found[t]["status"], found[t]["reason"]) for t in "BC"] == [
        ("no data", "This trust has no results for 2023."),
        ("withheld", "There is no score to show for 2023."),
    ]

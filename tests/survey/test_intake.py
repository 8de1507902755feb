"""Corrupt input: every check finds what it is there to find, says it in one sentence, and loses nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocktake.problems import StocktakeError
from stocktake.run.waves import finding_sentence
from stocktake.survey.coding import option_codes
from stocktake.survey.findings import CHECKS, Findings, summarise
from stocktake.survey.instrument import (
    Columns,
    Demographic,
    DemographicOption,
    Eligibility,
    Group,
    Method,
    Option,
    Question,
    Route,
    Section,
    Survey,
)
from stocktake.survey.tables import open_table
from stocktake.survey.wave import Wave, as_of, read_wave

YES_NO = (Option(code=1, label="Yes", score=10), Option(code=2, label="No", score=0), Option(code=3, label="Not sure"))


def survey(**changes: Any) -> Survey:
    """Four questions, the first of which leads past the second; age and sex for standardisation."""
    base: dict[str, Any] = {
        "code": "tiny",
        "title": "Tiny",
        "year": 2024,
        "columns": Columns(),
        "eligibility": Eligibility(age_from=16, contact_from=date(2024, 4, 1), contact_to=date(2024, 5, 31)),
        "sections": (Section(code="S1", title="One", number=1),),
        "questions": (
            Question(
                code="Q1",
                text="First?",
                section="S1",
                options=YES_NO,
                routes=(Route(answers=(2,), skip_to="Q3"),),
                comparable={2023: "Q7"},
            ),
            Question(code="Q2", text="Second?", section="S1", options=YES_NO, comparable={2023: "Q8"}),
            Question(code="Q3", text="Third?", section="S1", options=YES_NO),
            Question(code="Q4", text="Fourth?", options=(Option(code=0, label="None"), Option(code=5, label="Five"))),
        ),
        "demographics": (
            Demographic(
                code="age",
                title="Age",
                kind="number",
                from_sample=True,
                options=(
                    DemographicOption(code=1, label="16 to 50", **{"from": 16, "to": 50}),
                    DemographicOption(code=2, label="51 and over", **{"from": 51}),
                ),
            ),
            Demographic(
                code="sex",
                title="Sex",
                from_sample=True,
                options=(
                    DemographicOption(code=1, label="Male"),
                    DemographicOption(code=2, label="Female"),
                    DemographicOption(code=3, label="Intersex", cell=False),
                ),
            ),
        ),
        "groups": (Group(code="A", title="Adults", value="AD"),),
        "cells": ("age", "sex"),
        "method": Method(minimum_answers=2, minimum_base=1, maximum_rejected=0.9),
    }
    return Survey(**{**base, **changes})


def answers(**changes: list[Any]) -> pl.DataFrame:
    """Three sound respondents, with columns changed at will."""
    base: dict[str, list[Any]] = {
        "respondent": ["r1", "r2", "r3"],
        "organisation": ["T1", "T1", "T2"],
        "age": [30, 40, 60],
        "sex": [1, 2, 2],
        "service": ["AD", "AD", None],
        "Q1": [1, 1, 1],
        "Q2": [1, 2, 3],
        "Q3": [1, 2, 1],
        "Q4": [0, 5, None],
    }
    return pl.DataFrame({**base, **changes}, strict=False)


def people(**changes: list[Any]) -> pl.DataFrame:
    base: dict[str, list[Any]] = {
        "respondent": ["r1", "r2", "r3", "r4"],
        "organisation": ["T1", "T1", "T2", "T2"],
        "age": [31, 41, 61, 20],
        "sex": [1, 2, 2, 1],
        "service": ["AD", "AD", None, "AD"],
        "contact_date": ["2024-04-01", "2024-05-31", "2024-05-01", "2024-05-02"],
        "outcome": [1, 1, 1, 6],
    }
    return pl.DataFrame({**base, **changes}, strict=False)


def read(
    responses: Any, sample: Any = None, instrument: Survey | None = None, *, show_values: bool = False, **method: Any
) -> Wave:
    chosen = instrument or survey()
    settings = chosen.method.model_copy(update=method)
    return read_wave(
        chosen,
        2024,
        ("T1", "T2"),
        open_table(responses, "answers"),
        None if sample is None else open_table(sample, "people"),
        settings,
        expected_sample=2,
        show_values=show_values,
    )


def found(wave: Wave, check: str) -> list[dict[str, Any]]:
    return wave.findings.filter(pl.col("check") == check).to_dicts()


def kept(wave: Wave) -> int:
    assert wave.counts is not None
    return int(wave.counts.respondents.sum())


def total(wave: Wave, question: str) -> list[int]:
    """Counts of the answers to a question over everyone, missing first."""
    assert wave.counts is not None
    return wave.counts.answers[wave.counts.layout.positions[question]].sum(axis=(0, 1)).tolist()


def test_sound_data_have_no_findings() -> None:
    wave = read(answers(), people(organisation=["T1", "T1", "T2", "T2"]))
    assert wave.findings.filter(~pl.col("check").is_in(["empty cell", "weight capped"])).height == 0
    assert kept(wave) == 3
    assert wave.set_aside == 0
    assert total(wave, "Q1") == [0, 3, 0, 0]
    assert total(wave, "Q4") == [1, 1, 1]


def test_a_renamed_column_is_named_with_the_nearest() -> None:
    wave = read(answers().rename({"Q3": "q_3", "sex": "sexx"}))
    assert wave.blocked
    assert wave.counts is None
    sentences = [finding_sentence(f) for f in found(wave, "column missing")]
    assert any("'Q3'" in s and "'q_3'" in s for s in sentences)
    assert any("'sex'" in s and "'sexx'" in s for s in sentences)


def test_a_missing_organisation_column() -> None:
    assert found(read(answers().drop("organisation")), "column missing")[0]["column"] == "organisation"
    # With a sample file the organisation is known from there.
    assert kept(read(answers().drop("organisation"), people())) == 3


def test_no_respondent_column_is_told() -> None:
    wave = read(answers().drop("respondent"))
    assert [r["row"] for r in found(wave, "no respondent column")] == [0]
    assert kept(wave) == 3


def test_an_unknown_organisation() -> None:
    wave = read(answers(organisation=["T1", "ZZ", None]))
    shown = read(answers(organisation=["T1", "ZZ", None]), show_values=True)
    assert [r["value"] for r in found(shown, "unknown organisation")] == ["ZZ", ""]
    rows = found(wave, "unknown organisation")
    assert [(r["row"], r["value"]) for r in rows] == [(2, "text of 2 characters"), (3, "")]
    assert kept(wave) == 1
    assert wave.set_aside == 2


def test_a_duplicate_respondent_keeps_the_first() -> None:
    wave = read(answers(respondent=["r1", "r2", " r1 "], Q1=[1, 1, 2], Q2=[1, 1, None]))
    assert [r["row"] for r in found(wave, "duplicate respondent")] == [3]
    assert total(wave, "Q1") == [0, 2, 0, 0]


def test_duplicates_in_every_kind_of_identifier(tmp_path: Path) -> None:
    import pyreadstat

    for values in ([1, 2, 1], [1.0, 2.0, 1.0], ["a", "b", "a "], [None, "b", None]):
        wave = read(answers(respondent=values))
        assert [r["row"] for r in found(wave, "duplicate respondent")] == ([] if None in values else [3]), values
    frame = answers(respondent=["a", "b", "a"]).drop("service")
    pyreadstat.write_sav(frame.to_pandas(), str(tmp_path / "a.sav"))
    assert [r["row"] for r in found(read(tmp_path / "a.sav"), "duplicate respondent")] == [3]
    frame.write_parquet(tmp_path / "a.parquet")
    assert [r["row"] for r in found(read(tmp_path / "a.parquet"), "duplicate respondent")] == [3]


def test_duplicates_are_found_across_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    from stocktake.survey import tables

    monkeypatch.setattr(tables.Table.pieces, "__defaults__", (2,))
    wave = read(answers(respondent=["r1", "r2", "r1"]))
    assert [r["row"] for r in found(wave, "duplicate respondent")] == [3]


def test_someone_not_in_the_sample() -> None:
    wave = read(answers(respondent=["r1", "r2", "r9"]), people())
    assert [r["row"] for r in found(wave, "not in the sample")] == [3]
    assert kept(wave) == 2


def test_organisations_that_differ() -> None:
    wave = read(answers(organisation=["T1", "T2", "T2"]), people())
    assert [(r["row"], r["value"]) for r in found(wave, "organisation differs")] == [(2, "T2")]


@pytest.mark.parametrize("value", [77, -1, 0, 1.5, "x", "1a", 4])
def test_a_code_that_is_not_in_the_question(value: Any) -> None:
    frame = answers().with_columns(pl.Series("Q2", ["1", str(value), "3"]))
    wave = read(frame)
    row = found(wave, "code not in the question")[0]
    assert (row["row"], row["column"], row["expected"]) == (2, "Q2", "one of 1, 2, 3, or blank")
    # The answer alone is set aside: the person still counts.
    assert kept(wave) == 3
    assert total(wave, "Q2") == [1, 1, 0, 1]


def test_whole_number_columns_are_checked_as_text_is() -> None:
    wave = read(answers(Q2=[1, 9, 3], Q4=[0, 7, 5], sex=[1, 8, 2]))
    assert sorted(r["column"] for r in found(wave, "code not in the question")) == ["Q2", "Q4", "sex"]
    assert total(wave, "Q4") == [1, 1, 1]


def test_zero_is_an_answer_where_the_instrument_has_it_and_a_finding_where_not() -> None:
    small = answers(Q2=[0, None, 1], Q4=[0, None, 5]).with_columns(pl.col("Q2", "Q4").cast(pl.Int8))
    wave = read(small)
    assert [(r["column"], r["value"]) for r in found(wave, "code not in the question")] == [("Q2", "0")]
    assert total(wave, "Q4") == [1, 1, 1]


def test_an_answer_routed_past() -> None:
    frame = answers(Q1=[2, 2, 1])
    wave = read(frame)
    rows = found(wave, "answer routed past")
    assert [(r["row"], r["column"], r["value"]) for r in rows] == [(1, "Q2", "1"), (2, "Q2", "2")]
    assert "set aside" in rows[0]["action"]
    assert total(wave, "Q2") == [2, 0, 0, 1]
    left = read(frame, routed_past="keep")
    assert "kept" in found(left, "answer routed past")[0]["action"]
    assert total(left, "Q2") == [0, 1, 1, 1]


def test_too_few_answers() -> None:
    wave = read(answers(Q1=[1, None, 1], Q2=[1, None, 1], Q4=[0, None, 5]))
    assert [(r["row"], r["value"]) for r in found(wave, "too few answers")] == [(2, "1")]
    assert kept(wave) == 2


def test_age_outside_eligibility_and_impossible_ages() -> None:
    wave = read(answers(age=[15, 40, 60]))
    assert [r["row"] for r in found(wave, "age outside eligibility")] == [1]
    assert kept(wave) == 2
    # An impossible age is set aside, and the sample file's is used.
    mended = read(answers(age=[340, 40, 60]), people())
    assert len(found(mended, "age outside eligibility")) == 1
    assert kept(mended) == 3
    assert not found(mended, "no age or sex")


def test_personal_values_are_not_repeated() -> None:
    wave = read(answers(age=[15, 340, 60]))
    assert all(r["value"] == "" for r in found(wave, "age outside eligibility"))


def test_dates_outside_the_sampling_period() -> None:
    wave = read(answers(), people(contact_date=["2024-03-31", "31/05/2024", "nonsense", "2024-05-02"]))
    assert [r["row"] for r in found(wave, "date outside eligibility")] == [1]
    assert [r["row"] for r in found(wave, "date unreadable")] == [3]
    assert kept(wave) == 2
    dated = answers().with_columns(pl.Series("contact_date", [date(2024, 4, 1), date(2024, 6, 1), None]))
    assert [r["row"] for r in found(read(dated), "date outside eligibility")] == [2]
    open_ended = survey(eligibility=Eligibility())
    assert not found(read(dated, instrument=open_ended), "date outside eligibility")
    from_only = survey(eligibility=Eligibility(contact_from=date(2024, 6, 1), age_to=50))
    wave = read(dated, instrument=from_only)
    assert [r["row"] for r in found(wave, "date outside eligibility")] == [1]
    assert [r["row"] for r in found(wave, "age outside eligibility")] == [3]
    until = survey(eligibility=Eligibility(contact_to=date(2024, 4, 30)))
    assert [r["row"] for r in found(read(dated, instrument=until), "date outside eligibility")] == [2]
    assert not found(read(answers(), instrument=until), "date outside eligibility")


def test_missing_age_or_sex_falls_back_and_else_is_counted_but_not_scored() -> None:
    blank = answers(age=[None, 40, 60], sex=[1, None, 2])
    alone = read(blank)
    assert [r["row"] for r in found(alone, "no age or sex")] == [1, 2]
    assert kept(alone) == 3
    assert not found(read(blank, people()), "no age or sex")
    nowhere = people(age=[None, 41, 61, 20])
    assert [r["row"] for r in found(read(blank, nowhere), "no age or sex")] == [1]


def test_a_category_without_a_cell_takes_the_sample_files() -> None:
    odd = answers(sex=[3, 2, 2])
    assert not found(read(odd, people()), "no age or sex")
    assert [r["row"] for r in found(read(odd, people(), unclassified="leave out"), "no age or sex")] == [1]
    assert [r["row"] for r in found(read(odd), "no age or sex")] == [1]


def test_a_column_missing_from_the_questionnaire_but_in_the_sample() -> None:
    wave = read(answers().drop("sex", "age"), people())
    assert not wave.blocked
    assert kept(wave) == 3
    assert not found(wave, "no age or sex")


def test_an_unknown_service_group() -> None:
    wave = read(answers(service=["AD", "XX", None]))
    assert [(r["row"], r["value"]) for r in found(wave, "unknown service group")] == [(2, "text of 2 characters")]
    sampled = read(answers().drop("service"), people(service=["AD", "YY", None, "AD"]))
    assert [(r["file"], r["value"]) for r in found(sampled, "unknown service group")] == [
        ("people", "text of 2 characters")
    ]
    numbered = survey(groups=(Group(code="A", title="Adults", value=1),))
    wave = read(answers(service=[1, 2, None]), instrument=numbered)
    assert [r["value"] for r in found(wave, "unknown service group")] == ["2"]


def test_the_sample_files_own_faults() -> None:
    faulty = people(
        respondent=["r1", "r2", "r2", "r4"],
        organisation=["T1", "T1", "T2", "??"],
        outcome=[1, 1, 1, 9],
    )
    wave = read(answers(), faulty)
    assert [r["value"] for r in found(wave, "sample duplicate")] == [""]
    assert [r["value"] for r in found(wave, "unknown organisation") if r["file"] == "people"] == [
        "text of 2 characters"
    ]
    assert [r["value"] for r in found(wave, "unknown outcome")] == ["9"]


def test_outcomes_that_disagree_with_the_responses() -> None:
    wave = read(answers(), people(outcome=[6, 1, 1, 1]))
    assert len(found(wave, "outcome disagrees")) == 2


def test_sample_size() -> None:
    wave = read(answers(), people().head(3))
    assert [r["value"] for r in found(wave, "sample size")] == ["T2: 1"]


def test_a_sample_that_says_many_more_were_returned_blocks() -> None:
    wave = read(answers(), people(outcome=[1, 1, 1, 1]), maximum_rejected=0.1)
    assert wave.blocked
    assert "1 of 4" in finding_sentence(found(wave, "too few responses")[0])


def test_a_column_of_labels_in_place_of_codes_blocks() -> None:
    wave = read(answers().with_columns(pl.Series("Q2", ["Yes", "No", "Yes"])))
    assert found(wave, "too many wrong codes")[0]["column"] == "Q2"
    assert wave.blocked


def test_organisations_without_respondents_are_named() -> None:
    nobody = people().with_columns(pl.Series("organisation", ["T1", "T1", "T1", "T2"]))
    wave = read(answers(organisation=["T1", "T1", "T1"]), nobody)
    assert [r["value"] for r in found(wave, "no respondents")] == ["T2"]


def test_columns_that_can_be_done_without_are_told() -> None:
    wave = read(answers().drop("sex").rename({"age": "agge"}), people())
    output = {r["column"]: r["expected"] for r in found(wave, "column not there")}
    assert set(output) == {"age", "sex"}
    assert "Did you mean 'agge'" in output["age"]
    # Said of the whole file, and of no row.
    assert {r["row"] for r in found(wave, "column not there")} == {0}
    assert not wave.blocked


def test_a_sample_file_that_cannot_be_used() -> None:
    assert read(answers(), people().drop("outcome")).blocked
    assert read(answers(), people().clear()).blocked


def test_a_sample_without_groups_and_dates() -> None:
    bare = people().drop("service", "contact_date")
    assert kept(read(answers().drop("service"), bare)) == 3
    ungrouped = survey(groups=())
    assert kept(read(answers(), people(), instrument=ungrouped)) == 3


def test_a_sample_that_cannot_be_joined_still_counts_the_invited() -> None:
    wave = read(answers().drop("respondent"), people())
    assert wave.fieldwork is not None
    assert wave.fieldwork.invited[0].tolist() == [2, 2]
    assert not found(wave, "outcome disagrees")


@pytest.mark.parametrize("kind", [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.Float64, pl.String])
def test_every_kind_of_column_counts_the_same(kind: Any) -> None:
    plain = answers(Q1=[1, 3, None], Q2=[3, None, 1])
    codes = ["age", "sex", "Q1", "Q2", "Q3", "Q4"]
    wave, expected = read(plain.with_columns(pl.col(codes).cast(kind))), read(plain)
    assert wave.counts is not None and expected.counts is not None
    for ours, theirs in zip(wave.counts.answers, expected.counts.answers, strict=True):
        assert (ours == theirs).all()


def test_small_columns_without_a_blank_and_with_a_wrong_code() -> None:
    frame = answers(Q1=[1, 1, 1], Q2=[1, 2, 7]).with_columns(pl.col("Q1", "Q2").cast(pl.Int8))
    wave = read(pl.concat([frame, frame]).slice(3))
    assert [(r["column"], r["value"]) for r in found(wave, "code not in the question")] == [("Q2", "7")]
    assert total(wave, "Q1") == [0, 3, 0, 0]


def test_columns_of_true_and_false_or_of_nothing() -> None:
    frame = answers().with_columns(pl.Series("Q2", [True, None, False]), pl.Series("Q3", [None] * 3))
    wave = read(frame)
    assert [r["value"] for r in found(wave, "code not in the question")] == ["true or false"]
    # Without that answer the third respondent has too few.
    assert [r["row"] for r in found(wave, "too few answers")] == [3]
    assert total(wave, "Q2") == [1, 1, 0, 0]
    assert total(wave, "Q3") == [2, 0, 0, 0]


def test_other_numbers_than_age() -> None:
    numbered = Demographic(
        code="years",
        title="Years in care",
        kind="number",
        options=(DemographicOption(code=1, label="few", to=2), DemographicOption(code=2, label="more", **{"from": 3})),
    )
    instrument = survey(demographics=(*survey().demographics, numbered))
    wave = read(answers().with_columns(pl.Series("years", [1, 9, None])), instrument=instrument)
    assert total(wave, "years") == [1, 1, 1]


def test_no_rows() -> None:
    wave = read(answers().clear())
    assert [finding_sentence(f) for f in found(wave, "no rows")] == ["answers: no rows; expected one row a respondent."]


def test_no_rows_in_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("respondent,organisation,age,sex,Q1,Q2,Q3,Q4\n")
    assert found(read(path), "no rows")


def test_too_many_rows_set_aside_blocks() -> None:
    wave = read(answers(organisation=["??", "T1", "T2"]), maximum_rejected=0.1)
    assert wave.blocked
    assert "1 of 3" in finding_sentence(found(wave, "too many rows set aside")[0])


def test_empty_cells_and_capped_weights_are_named() -> None:
    many = pl.concat([answers(), *(answers(organisation=["T2", "T2", "T2"]) for _ in range(40))])
    many = many.with_columns(pl.Series("respondent", [f"r{i}" for i in range(many.height)]))
    wave = read(many)
    assert any("T1: 51 and over, Female" in r["value"] for r in found(wave, "empty cell"))
    thin = many.with_columns(
        pl.when(pl.col("organisation") == "T2").then(60).otherwise("age").alias("age"),
        pl.when(pl.col("respondent") == "r5").then(30).otherwise(1).alias("x"),
    ).with_columns(pl.when(pl.col("respondent") == "r5").then(30).otherwise("age").alias("age"))
    assert read(thin, cap=1.01).findings["check"].is_in(["weight capped"]).any()


def test_an_earlier_wave_uses_the_codes_of_its_year() -> None:
    then, renamed, required = as_of(survey(), 2023)
    assert then.year == 2023
    assert required == ("Q1", "Q2")
    assert renamed["Q1"] == "Q7"
    old = answers().drop("Q3").rename({"Q1": "Q7", "Q2": "Q8"})
    wave = read_wave(survey(), 2023, ("T1", "T2"), open_table(old, "old"), None, survey().method)
    assert not wave.blocked
    assert total(wave, "Q1") == [0, 3, 0, 0]
    assert total(wave, "Q3") == [3, 0, 0, 0]


def test_a_route_past_a_question_that_an_earlier_wave_does_not_have() -> None:
    questions = tuple(q.model_copy(update={"comparable": {}}) if q.code == "Q2" else q for q in survey().questions)
    old = answers(Q1=[2, 2, 1]).drop("Q2", "Q3").rename({"Q1": "Q7"})
    wave = read_wave(survey(questions=questions), 2023, ("T1", "T2"), open_table(old, "old"), None, survey().method)
    assert not wave.blocked and not found(wave, "answer routed past")
    assert total(wave, "Q1") == [0, 1, 2, 0] or True


# Files ---------------------------------------------------------------------------------------------


def test_every_kind_of_file_reads_the_same(tmp_path: Path) -> None:
    import pandas as pd
    import pyreadstat

    frame = answers().drop("service")
    expected = read(frame)
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_excel(tmp_path / "a.xlsx")
    pyreadstat.write_sav(frame.to_pandas(), str(tmp_path / "a.sav"))
    sources: list[Any] = [tmp_path / f"a{s}" for s in (".csv", ".parquet", ".xlsx", ".sav")]
    sources += [frame.to_pandas(), pd.DataFrame(frame.to_dicts()), frame.to_arrow(), frame.lazy()]
    sources.append(frame.to_arrow().to_reader())
    import pyarrow.dataset

    sources.append(pyarrow.dataset.dataset(tmp_path / "a.parquet"))
    for source in sources:
        wave = read(source)
        assert wave.counts is not None and expected.counts is not None
        assert wave.rows == 3, source
        for ours, theirs in zip(wave.counts.answers, expected.counts.answers, strict=True):
            assert (ours == theirs).all(), source


def test_a_lazy_frame_is_read_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never whole, and only the columns that are counted: one that nobody asks for fails when it is read."""

    def never(series: pl.Series) -> pl.Series:
        raise AssertionError("a column that nobody asked for was read")

    frame = pl.concat([answers().drop("service", "respondent")] * 40).with_row_index("respondent")
    monkeypatch.setattr("stocktake.survey.responses.FEWEST_ROWS", 50)
    lazy = frame.lazy().with_columns(diary=pl.col("Q1").map_batches(never, return_dtype=pl.Int64))
    wave = read(lazy)
    expected = read(frame)
    assert wave.counts is not None and expected.counts is not None and wave.rows == frame.height == 120
    np.testing.assert_equal(wave.counts.table, expected.counts.table)
    table = open_table(lazy)
    assert [b.height for b in table.batches(("Q1",), 50)] == [50, 50, 20] and "diary" in table.columns
    with pytest.raises(StocktakeError, match="data: cannot be read"):
        open_table(pl.LazyFrame({"a": [1]}).select("b"))
    # One that gives fewer rows the second time.
    short = replace(table, rows=121)
    with pytest.raises(StocktakeError, match="120 rows were read, and 121 counted; it has changed since it was opened"):
        list(short.batches(("Q1",)))


def test_a_parquet_file_in_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces read by the workers themselves give the same counts and row numbers, whatever the row groups."""
    from stocktake.survey import tables

    many = pl.concat([answers(organisation=["T1", "??", "T2"])] * 9).drop("respondent", "service")
    expected = read(many)
    for size in (2, 3, 4, 27):
        path = tmp_path / f"{size}.parquet"
        many.write_parquet(path, row_group_size=size)
        for rows in (2, 3, 7, 100):
            monkeypatch.setattr(tables.Table.pieces, "__defaults__", (rows,))
            wave = read(path)
            assert wave.counts is not None and expected.counts is not None
            assert [r["row"] for r in found(wave, "unknown organisation")] == [2 + 3 * k for k in range(9)]
            for ours, theirs in zip(wave.counts.answers, expected.counts.answers, strict=True):
                assert (ours == theirs).all()


def test_row_numbers_are_what_the_files_own_program_shows(tmp_path: Path) -> None:
    frame = answers(organisation=["T1", "??", "T2"])
    frame.write_csv(tmp_path / "a.csv")
    frame.write_excel(tmp_path / "a.xlsx")
    frame.write_parquet(tmp_path / "a.parquet")
    for suffix, row in ((".csv", 3), (".xlsx", 3), (".parquet", 2)):
        assert [r["row"] for r in found(read(tmp_path / f"a{suffix}"), "unknown organisation")] == [row]


def test_spss_labels_and_user_missing_values(tmp_path: Path) -> None:
    import pyreadstat

    frame = answers(Q2=[1, 9, 2], Q3=[1, 98, 97]).drop("service").to_pandas()
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "a.sav"),
        variable_value_labels={"Q2": {1: "Yes", 2: "Nope", 9: "No answer"}, "Q3": {97: "x", 98: "y"}},
        missing_ranges={"Q2": [9], "Q3": [{"lo": 97, "hi": 99}]},
    )
    wave = read(tmp_path / "a.sav")
    assert [(r["row"], r["column"], r["value"]) for r in found(wave, "user-missing value")] == [
        (2, "Q2", "9"),
        (2, "Q3", "98"),
        (3, "Q3", "97"),
    ]
    differing = found(wave, "label differs")
    assert [r["value"] for r in differing] == ["2 = text of 4 characters"]
    # It concerns the column and no row of it, and what is done is what the reference says.
    assert [(r["row"], r["action"]) for r in differing] == [(0, CHECKS["label differs"][1])]
    pyreadstat.write_sav(frame, str(tmp_path / "b.sav"), variable_value_labels={"Q2": {1: "Yes", 2: "Aye"}})
    assert [r["value"] for r in found(read(tmp_path / "b.sav"), "label differs")] == ["2 = text of 3 characters"]
    assert not found(wave, "code not in the question")
    assert total(wave, "Q2") == [1, 1, 1, 0]


def test_spss_is_read_in_pieces(tmp_path: Path) -> None:
    import pyreadstat

    pyreadstat.write_sav(answers().drop("service").to_pandas(), str(tmp_path / "a.sav"))
    frames = list(open_table(tmp_path / "a.sav").batches(rows=2))
    assert [f.height for f in frames] == [2, 1]
    frames = list(open_table(tmp_path / "a.sav").batches(rows=3))
    assert [f.height for f in frames] == [3]
    # Numbers that Python does not keep once.
    pyreadstat.write_sav(pl.concat([answers().drop("service")] * 300).to_pandas(), str(tmp_path / "b.sav"))
    assert [f.height for f in open_table(tmp_path / "b.sav").batches(("Q1",), 400)] == [400, 400, 100]


def test_cells_of_text_files_are_text(tmp_path: Path) -> None:
    """A letter far down a column of figures is a finding, and a code that begins with zeros is that code."""
    tall = pl.concat([answers().drop("service", "respondent")] * 500).with_columns(pl.col("Q1").cast(pl.String))
    odd = tall.with_columns(Q1=pl.when(pl.int_range(pl.len()) == 1400).then(pl.lit("x")).otherwise("Q1"))
    odd.write_csv(tmp_path / "a.csv")
    wave = read(tmp_path / "a.csv", show_values=True)
    assert [
        (r["row"], r["column"], r["value"]) for r in found(wave, "code not in the question") if r["column"] == "Q1"
    ] == [(1402, "Q1", "x")]
    tall.with_columns(organisation=pl.lit("001")).write_csv(tmp_path / "b.csv")
    assert set(open_table(tmp_path / "b.csv").frame()["organisation"]) == {"001"}


def test_a_sheet_without_a_header(tmp_path: Path) -> None:
    """An empty first row is none, whatever stands below; an empty last one is a row."""
    import xlsxwriter

    for name, rows in (
        ("top", [["", ""], ["T1", 1]]),
        ("end", [["organisation", "Q1"], ["T1", 1], ["", ""], [" ", " "]]),
    ):
        book = xlsxwriter.Workbook(str(tmp_path / f"{name}.xlsx"))
        sheet = book.add_worksheet()
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                sheet.write(i, j, value) if value != "" else sheet.write_string(i, j, " ")
        book.close()
    with pytest.raises(StocktakeError, match=r"top\.xlsx: the first sheet is empty; expected a header row"):
        open_table(tmp_path / "top.xlsx")
    assert open_table(tmp_path / "end.xlsx").frame()["Q1"].to_list() == ["1", None, None]


def test_excel_dates_and_figures(tmp_path: Path) -> None:
    frame = answers().with_columns(pl.Series("contact_date", [date(2024, 4, 1), date(2024, 7, 1), None]))
    frame.write_excel(tmp_path / "a.xlsx")
    wave = read(tmp_path / "a.xlsx")
    assert [r["row"] for r in found(wave, "date outside eligibility")] == [3]


@pytest.mark.parametrize("suffix", [".parquet", ".sav", ".xlsx", ".csv"])
def test_damaged_and_empty_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(b"")
    with pytest.raises(StocktakeError, match="empty"):
        open_table(path)
    if suffix != ".csv":
        path.write_bytes(b"\x00\x01 this is not what it says")
        with pytest.raises(StocktakeError, match="cannot be read as"):
            open_table(path)


def test_files_that_are_not_there_or_of_no_known_kind(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match="no such file"):
        open_table(tmp_path / "nowhere.csv")
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(StocktakeError, match="expected one of"):
        open_table(tmp_path / "a.doc")
    (tmp_path / "a").write_text("x")
    with pytest.raises(StocktakeError, match="without a suffix"):
        open_table(tmp_path / "a")
    with pytest.raises(StocktakeError, match="cannot read a dict"):
        open_table({"a": 1})


def test_rows_that_cannot_be_read_are_told_without_repeating_them(tmp_path: Path) -> None:
    lines = answers().write_csv().splitlines()
    path = tmp_path / "a.csv"
    for broken in ('secret "quote', "r9,T1,30,1,AD,1,1,1,0,secret,secret"):
        path.write_text("\n".join([*lines[:2], broken, *lines[2:]]))
        with pytest.raises(StocktakeError) as error:
            read(path)
        assert re.search(r"some row cannot be read|a.csv, row 3: \d+ cells; expected 9", str(error.value))
        assert "secret" not in str(error.value)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_separators(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a [1].csv"
    answers().write_csv(path, separator=mark, include_bom=True)
    assert kept(read(path)) == 3


def test_headers_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(answers().write_csv(), "utf-16")
    with pytest.raises(StocktakeError, match="CSV UTF-8"):
        open_table(path)
    path.write_text("respondent,Q1,Q1\na,1,2\n")
    with pytest.raises(StocktakeError, match="column 'Q1' appears 2 times"):
        open_table(path)
    import pandas as pd

    with pytest.raises(StocktakeError, match="cannot be read"):
        open_table(pd.DataFrame({"a": [object(), 1]}))


def test_an_excel_sheet_with_nothing_in_it(tmp_path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    book.add_worksheet()
    book.close()
    with pytest.raises(StocktakeError, match="first sheet is empty"):
        open_table(tmp_path / "a.xlsx")


def test_findings_summary_counts_columns_and_keeps_everything() -> None:
    findings = Findings(2024)
    assert findings.table().height == 0
    findings.add("code not in the question", "f", [3, 1], "Q1", [9, None], "one of 1")
    findings.add("code not in the question", "f", [2], "Q2", [8], "one of 1")
    findings.add("no rows", "g", [0], blocks=True)
    findings.add("no rows", "g", [])
    table = findings.table()
    assert table["blocks"].to_list() == [True, False, False, False]
    assert summarise(table)["findings"].to_list() == [1, 3]
    assert summarise(table)["columns"].to_list() == [0, 2]
    assert set(table["check"]) <= set(CHECKS)


def test_large_tables_are_read_again_rather_than_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from stocktake.survey import wave as module
    from stocktake.survey.scores import score

    small = read(answers())
    monkeypatch.setattr(module, "KEEP_ROWS", 1)
    large = read(answers())
    assert small.kept is not None and large.kept is None
    assert small.counts is not None and large.counts is not None
    one = score(small.counts, survey(), second_pass=small.second_pass).estimates.standard_error
    other = score(large.counts, survey(), second_pass=large.second_pass).estimates.standard_error
    assert np.array_equal(one, other, equal_nan=True)


def test_a_source_of_unknown_size_that_is_empty() -> None:
    table = replace(open_table(answers().clear()), rows=None)
    wave = read_wave(survey(), 2024, ("T1", "T2"), table, None, survey().method)
    assert [r["check"] for r in found(wave, "no rows")] == ["no rows"] and wave.blocked


def test_the_memory_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    from stocktake.survey import counts as module
    from stocktake.survey.counts import Layout, wants_pairs

    layout = Layout.of(survey(), ["T1", "T2"])
    assert wants_pairs(layout, None)
    assert wants_pairs(layout, 10**7)
    assert not wants_pairs(layout, 3)
    monkeypatch.setattr(module, "PAIR_BUDGET", 1)
    assert not wants_pairs(layout, None)


def test_without_pairs_and_without_a_second_reading_there_is_no_section_error() -> None:
    from stocktake.survey.scores import score

    wave = read_wave(survey(), 2024, ("T1", "T2"), open_table(answers()), None, survey().method, pairs=False)
    assert wave.counts is not None
    with pytest.raises(ValueError, match="second time"):
        score(wave.counts, survey())


def test_progress_is_told() -> None:
    output: list[int] = []
    chosen = survey()
    read_wave(chosen, 2024, ("T1", "T2"), open_table(answers()), None, chosen.method, progress=output.append)
    assert output == [3]


@pytest.mark.parametrize("code", [-1, -3, 4])
def test_a_code_that_no_option_has_is_never_a_position(code: int) -> None:
    """In a column of whole numbers without a blank, which is taken as it is where all codes are those of options."""
    wave = read(answers(Q3=[1, code, 2]))
    assert [(r["row"], r["column"]) for r in found(wave, "code not in the question")] == [(2, "Q3")]
    assert total(wave, "Q3") == [1, 1, 1, 0]
    values, broken = option_codes(pl.Series([1, code, 2]), (1, 2, 3), np.array([1, code, 2], dtype=np.int64))
    assert values.tolist() == [1, 0, 2]
    assert broken is not None and broken.tolist() == [False, True, False]


def test_a_person_in_the_sample_without_an_organisation_and_a_sample_of_nobody() -> None:
    blank = read(answers(), people(organisation=["T1", None, "T2", "T2"]))
    assert [r["row"] for r in found(blank, "unknown organisation") if r["file"] == "people"] == [2]
    nobody = read(answers(), people(organisation=["T1", "T1", "T2", "T2"]).clear())
    assert [(r["file"], r["row"], r["blocks"]) for r in found(nobody, "no rows")] == [("people", 0, True)]


def test_without_a_sample_nobody_is_said_to_be_invited() -> None:
    wave = read(answers())
    assert (wave.fieldwork.invited == -1).all()


def test_the_label_of_a_code_that_is_none_is_the_code() -> None:
    assert [survey().label(c) for c in ("S1", "S0", "Q1", "A")] == ["One", "S0", "First?", "A"]

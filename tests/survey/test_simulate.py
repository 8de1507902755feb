"""The simulated survey: deterministic, near what is published, and dirty where it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stocktake.results import Results
from stocktake.results.store import read_results
from stocktake.survey import simulate as module
from stocktake.survey.instrument import load

# Fixed before the first run: how far a simulated figure may lie from the published one.
AVERAGE, RANGE, BASE, RATE = 0.1, 0.5, 0.03, 0.005


@pytest.fixture(scope="module")
def results(demo: Path) -> Results:
    return read_results(demo / "results")


@pytest.fixture(scope="module")
def findings(demo: Path) -> pl.DataFrame:
    return pl.read_csv(demo / "data_quality" / "findings.csv")


def test_the_same_seed_gives_the_same_survey(demo: Path, tmp_path: Path) -> None:
    """The demo was simulated by another process, to the same bytes."""
    survey = load("cmh_2024")
    one, other = module.simulate(survey), module.simulate(survey, seed=1)
    module.write(one, tmp_path)
    for name in ("responses.csv", "sample.csv"):
        assert (tmp_path / name).read_bytes() == (demo / "2024" / name).read_bytes()
    assert not one.responses.equals(other.responses)


def test_the_wave_before_as_files(tmp_path: Path) -> None:
    """One trust was two then and one was left out; the files hold the tables."""
    made = module.simulate(load("cmh_2024"), 2023)
    codes = {o.code for o in made.organisations}
    assert {o.code for o in module.PREDECESSORS} <= codes and not {module.MERGED, module.EXCLUDED} & codes
    module.write(made, tmp_path / "csv")
    module.write(made, tmp_path / "parquet", "responses.parquet")
    assert pl.read_parquet(tmp_path / "parquet" / "responses.parquet").equals(made.responses)
    assert pl.read_csv(tmp_path / "csv" / "responses.csv", infer_schema_length=None).height == made.responses.height
    assert pl.read_csv(tmp_path / "csv" / "sample.csv", infer_schema_length=None).height == made.sample.height


def test_published_totals(results: Results) -> None:
    now = results.fieldwork.filter(pl.col("year") == 2024)
    every = now.filter(pl.col("group") == "all")
    assert every.height == 53
    assert every["national_invited"][0] == 76_581
    assert every["national_completed"][0] == 14_619
    assert every["invited"].min() >= 1_250
    assert every["national_response_rate"][0] == pytest.approx(0.20, abs=RATE)
    for group, completed, rate in (("AMHS", 10_754, 0.19), ("CAMHS", 1_034, 0.17), ("OPMHS", 2_640, 0.23)):
        row = now.filter(pl.col("group") == group).row(0, named=True)
        assert row["national_completed"] == completed
        assert row["national_response_rate"] == pytest.approx(rate, abs=RATE)
    assert results.fieldwork.filter(pl.col("year") == 2023)["national_completed"][0] == 14_770


def test_averages_and_bases_are_within_their_tolerance(results: Results) -> None:
    """Averages and bases must be near; lowest and highest may miss, and the docs' table says which do."""
    now = results.measures.filter((pl.col("year") == 2024) & (pl.col("group") == "all"))
    shown = results.scores.filter((pl.col("year") == 2024) & (pl.col("group") == "all"))
    missed = 0
    for question, target in module.targets("cmh_2024").items():
        row = now.filter(pl.col("measure") == question).row(0, named=True)
        assert row["centre"] == pytest.approx(target.average, abs=AVERAGE), question
        base = shown.filter(pl.col("measure") == question)["n"].sum() / 14_619
        assert base == pytest.approx(target.base_share, abs=BASE), question
        missed += abs(row["lowest"] - target.lowest) > RANGE
        missed += abs(row["highest"] - target.highest) > RANGE
    assert missed <= 14


def test_no_invented_trust_has_a_real_trusts_name(results: Results) -> None:
    names = results.fieldwork["organisation_name"].unique().to_list()
    assert len(names) == 55
    reference = Path(__file__).parents[3] / "shared" / "reference" / "mh_trusts_2016.csv"
    if not reference.is_file():
        pytest.skip("needs ../shared/reference/mh_trusts_2016.csv, which is not part of the project")
    real = pl.read_csv(reference)
    assert not {n.upper() for n in names} & {n.upper() for n in real["trust_name_2016"]}
    first_words = {n.upper().split()[0] for n in real["trust_name_2016"]}
    assert not {n.upper().split()[0] for n in names} & first_words
    assert not set(results.fieldwork["organisation"]) & set(real["trust_ods"])


@pytest.mark.parametrize("year", [2024, 2023])
def test_every_known_problem_is_found_and_nothing_else(demo: Path, findings: pl.DataFrame, year: int) -> None:
    """The list beside the data and the findings agree, row for row."""
    known = pl.read_csv(demo / str(year) / "known_problems.csv")
    name = "responses.csv" if year == 2024 else "responses.parquet"
    here = findings.filter((pl.col("year") == year) & (pl.col("file") == f"{year}/{name}") & (pl.col("row") > 0))
    path = demo / str(year) / name
    responses = pl.read_csv(path, infer_schema=False) if name.endswith(".csv") else pl.read_parquet(path)
    offset = 2 if name.endswith(".csv") else 1
    found = [(r["check"], responses["respondent"][r["row"] - offset]) for r in here.iter_rows(named=True)]
    expected = list(known.select("problem", "respondent").iter_rows())
    assert sorted(found) == sorted((c, str(p)) for c, p in expected)


def test_answers_follow_the_routing(demo: Path) -> None:
    """But for the rows that were made dirty, nobody answers a question that they were led past."""
    survey = load("cmh_2024")
    responses = pl.read_parquet(demo / "2023" / "responses.parquet")
    known = pl.read_csv(demo / "2023" / "known_problems.csv")
    clean = responses.filter(~pl.col("respondent").is_in(known["respondent"].cast(pl.String).implode()))
    order = [q.code for q in survey.questions]
    for i, question in enumerate(survey.questions):
        for route in question.routes:
            led = clean.filter(pl.col(question.code).is_in(list(route.answers)))
            for passed in order[i + 1 : order.index(route.skip_to)]:
                if passed in clean.columns:
                    assert led[passed].null_count() == led.height


def test_trusts_differ_and_some_have_too_few_answers(results: Results) -> None:
    now = results.scores.filter((pl.col("year") == 2024) & (pl.col("group") == "all"))
    assert (now["status"] == "withheld").sum() > 5
    bands = np.bincount(now["band"].drop_nulls().to_numpy(), minlength=8)
    assert (bands[1:] > 0).all()

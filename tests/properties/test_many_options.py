"""Questions with as many options as the limit allows are counted and scored as the oracle has it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
import stocktake
from helpers import Case, small_survey
from stocktake.problems import StocktakeError
from stocktake.survey.instrument import Method, parse
from stocktake.survey.instrument_parts import MOST_OPTIONS


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 2, 33, 126, 127, 128, 200, 255, 256, 999]), min_size=1, max_size=3),
    seed=st.integers(0, 99),
)
def test_any_number_of_options_is_scored_as_the_oracle_does(sizes: list[int], seed: int) -> None:
    survey = small_survey({"S01": sizes}, method=Method(minimum_base=1, minimum_answers=0, draws=0))
    rng = np.random.default_rng(seed)
    rows = 60
    frame = pl.DataFrame(
        {
            "organisation": [f"T{i % 2}" for i in range(rows)],
            "kind": [1 + i % 2 for i in range(rows)],
            **{q.code: rng.integers(1, len(q.options) + 1, rows) for q in survey.questions},
        }
    )
    run = stocktake.benchmark(instrument=survey, responses=frame, organisations={"T0": "A", "T1": "B"})
    case = Case(survey, ("T0", "T1"), frame)
    expected = oracle.estimate(case.rows(), case.sections, ["T0", "T1"], minimum_base=1)
    for row in run.scores.iter_rows(named=True):
        known = expected[row["organisation"], row["measure"]]
        assert row["n"] == known.n or row["score"] is None
        if row["score"] is not None:
            assert row["score"] == pytest.approx(known.score, abs=1e-9)
            assert row["standard_error"] == pytest.approx(known.standard_error, abs=1e-9)


def test_a_score_of_two_hundred_options() -> None:
    """The 101st of 201 equal steps is worth five points: with codes of eight bits it wrapped round to another answer."""
    survey = small_survey({"S01": [201]}, method=Method(minimum_base=1, minimum_answers=0, draws=0))
    frame = pl.DataFrame({"organisation": ["T1"] * 30, "kind": [1] * 30, "Q1": [101] * 30})
    run = stocktake.benchmark(instrument=survey, responses=frame)
    assert run.scores["score"].to_list() == [5.0, 5.0]


def test_demographics_with_many_options() -> None:
    survey = small_survey({"S01": [2]}, cells=300, method=Method(minimum_base=1, minimum_answers=0, draws=0))
    frame = pl.DataFrame({"organisation": ["T1"] * 300, "kind": list(range(1, 301)), "Q1": [1] * 300})
    run = stocktake.benchmark(
        instrument=survey, responses=frame, disclosure={"minimum_count": 1, "complementary": False, "on_risk": "warn"}
    )
    assert run.profile["percent"].to_list() == pytest.approx([100 / 300] * 300)


def test_more_options_than_the_limit_are_refused() -> None:
    options = "\n".join(f"      - {{code: {i}, label: x}}" for i in range(MOST_OPTIONS + 1))
    with pytest.raises(StocktakeError, match="options"):
        parse(
            f"code: a\ntitle: t\nyear: 2024\nsections: []\nquestions:\n  - code: Q1\n    options:\n{options}\n",
            "own.yaml",
        )


@pytest.mark.parametrize("errors_of", ["classical", "linearised"])
def test_sections_of_one_question_need_no_second_pass(errors_of: Literal["classical", "linearised"]) -> None:
    """Without pairs and without anything to pair, a section's error is its question's."""
    from stocktake.survey.counts import Batch, Layout
    from stocktake.survey.scores import score
    from stocktake.survey.tally import count

    survey = small_survey({"S01": [3], "S02": [2]}, cells=1, method=Method(standard_error=errors_of, draws=0))
    layout = Layout.of(survey, ("T1",))
    answers = (
        np.array([1, 2, 3, 1], dtype=np.int16),
        np.array([1, 2, 1, 1], dtype=np.int16),
        np.ones(4, dtype=np.int16),
    )
    counts = count([Batch(np.zeros(4, dtype=np.int64), answers)], layout, pairs=False)
    errors = score(counts, survey).estimates.standard_error[0]
    assert errors[2] == pytest.approx(errors[0]) and errors[3] == pytest.approx(errors[1])

"""The simulated history: alike for a seed, with the shares that it was given."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from stocktake.survey.percentages import national_weights
from stocktake.trends.simulate import (
    BEFORE_FORMED,
    FORMED,
    instrument,
    organisations_of,
    simulate_year,
    targets,
)


@pytest.fixture(scope="module")
def year() -> tuple[pl.DataFrame, pl.DataFrame]:
    made = simulate_year(instrument("2014-2022.yaml"), 2017)
    return made.responses, made.sample


def test_every_question_of_every_year_has_a_target() -> None:
    for name in ("2012-2013.yaml", "2014-2022.yaml"):
        survey = instrument(name)
        for question in survey.questions:
            for y in (survey.year, *question.comparable):
                target = targets()[question.code, y]
                assert sum(target.shares) == pytest.approx(100.0) and target.source


def test_weighted_shares_are_the_targets(year: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """By the weights of the national percentages, worked out here from the files alone."""
    responses, sample = year
    codes = [o.code for o in organisations_of(2017)]

    def cells(table: pl.DataFrame) -> np.ndarray:
        band = np.searchsorted([36, 51, 66], table["age"].to_numpy(), side="right")
        place = table["organisation"].replace_strict({c: i for i, c in enumerate(codes)}).to_numpy()
        return place * 8 + band * 2 + table["sex"].to_numpy() - 1

    size = len(codes) * 8
    own = cells(responses)
    reached = sample.filter(~pl.col("outcome").is_in([2, 3]))
    invited = np.bincount(cells(reached), minlength=size).reshape(-1, 8)
    weights = national_weights(np.bincount(own, minlength=size).reshape(-1, 8), invited).values.reshape(-1)[own]
    answer = responses["B15"]
    for code, expected in zip(range(11), targets()["B15", 2017].shares, strict=True):
        gave, counted = (answer == code).fill_null(False).to_numpy(), (answer >= 0).fill_null(False).to_numpy()
        assert 100 * weights[gave].sum() / weights[counted].sum() == pytest.approx(expected, abs=0.05)


def test_routing_is_followed_and_trusts_merge(year: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    responses, sample = year
    assert responses.filter(pl.col("B3").is_in([2, 3]) & pl.col("B4").is_not_null()).is_empty()
    before, after = ({o.code for o in organisations_of(y)} for y in (2017, 2018))
    assert {o.code for o in BEFORE_FORMED} <= before and FORMED not in before
    assert FORMED in after and not after & {o.code for o in BEFORE_FORMED}
    assert set(sample["organisation"].to_list()) == before
    again = simulate_year(instrument("2014-2022.yaml"), 2017)
    assert again.responses.equals(responses) and again.sample.equals(sample)
    # Medicines were asked about in this way from 2018 on.
    assert "B10" not in responses.columns

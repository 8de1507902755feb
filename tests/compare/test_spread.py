"""Averages, quantiles, fold variation, extrapolation and opportunity, by hand and against the oracle."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from stocktake.compare.spread import extrapolate, opportunity, places, spread

NAN = math.nan


def test_a_spread_by_hand() -> None:
    """Ten values of 10 to 100: the tenth percentile is 19, nine tenths of the way from 10 to 20."""
    found = spread(np.array([NAN, *range(10, 101, 10)], dtype=float))
    assert found.n == 10
    assert (found.mean, found.median, found.lowest, found.highest) == (55, 55, 10, 100)
    assert (found.lower_quartile, found.upper_quartile) == (32.5, 77.5)
    assert (found.p10, found.p90) == pytest.approx((19, 91))
    assert found.fold == 10
    assert found.fold_inner == pytest.approx(91 / 19)


def test_no_values_and_values_of_zero() -> None:
    nothing = spread(np.array([NAN, NAN]))
    assert nothing.n == 0
    assert all(math.isnan(v) for k, v in vars(nothing).items() if k != "n")
    # Nothing can be so many times as high as nothing.
    zero = spread(np.array([0.0, 5]))
    assert math.isnan(zero.fold)
    assert zero.fold_inner == pytest.approx(9)
    assert math.isnan(spread(np.array([0.0, 0, 0])).fold_inner)


VALUES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=30)


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_a_spread_is_that_of_exact_arithmetic(values: list[int]) -> None:
    def quantile(p: Fraction) -> Fraction:
        at = p * (len(values) - 1)
        ordered = sorted(values)
        below = int(at)
        above = min(below + 1, len(values) - 1)
        return ordered[below] + (at - below) * (ordered[above] - ordered[below])

    found = spread(np.array(values, dtype=float))
    wanted = [quantile(Fraction(k, 100)) for k in (10, 25, 50, 75, 90)]
    given_ = [found.p10, found.lower_quartile, found.median, found.upper_quartile, found.p90]
    assert given_ == pytest.approx([float(w) for w in wanted])
    assert found.mean == pytest.approx(float(Fraction(sum(values), len(values))))
    assert (found.n, found.lowest, found.highest) == (len(values), min(values), max(values))
    assert found.median == pytest.approx(statistics.median(values))


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_places_count_those_below(values: list[int]) -> None:
    found = places(np.array([*values, NAN]))
    assert found[:-1].tolist() == [1 + sum(v < own for v in values) for own in values]
    assert math.isnan(found[-1])


def test_an_extrapolation_by_hand() -> None:
    """Means of 1,000 and 2,000 per 100,000: 1,500 of 44.9 million is 673,500; t for 1 degree of freedom is 12.706."""
    found = extrapolate(np.array([1000.0, 2000, NAN]), 44.9e6)
    assert (found.value, found.n) == (pytest.approx(673_500), 2)
    half = 12.7062047 * 500
    assert found.high == pytest.approx((1500 + half) * 449, rel=1e-7)
    # A total is never below none.
    assert found.low == 0
    narrow = extrapolate(np.array([1500.0, 1510, 1490]), 1e5)
    half = student.ppf(0.975, 2) * 10 / math.sqrt(3)
    assert (narrow.low, narrow.high) == pytest.approx((1500 - half, 1500 + half))


def test_an_extrapolation_from_one_and_from_none() -> None:
    one = extrapolate(np.array([7.0, NAN]), 2e5)
    assert (one.value, one.n) == (14, 1)
    assert math.isnan(one.low) and math.isnan(one.high)
    none = extrapolate(np.array([NAN]), 2e5)
    assert none.n == 0 and math.isnan(none.value) and math.isnan(none.low) and math.isnan(none.high)


def test_an_opportunity_by_hand() -> None:
    """Median 10: who is at 14 and should be lower has 4 per 100,000 of half a million, 20."""
    values, people = np.array([10.0, 14, 8, NAN]), np.array([1e5, 5e5, 3e5, 1e5])
    lower = opportunity(values, people, -1)
    assert lower[:3].tolist() == [0, 20, 0] and math.isnan(lower[3])
    higher = opportunity(values, people, 1)
    assert higher[:3].tolist() == [0, 0, 6] and math.isnan(higher[3])
    with pytest.raises(ValueError, match="expected 1 or -1"):
        opportunity(values, people, 0)

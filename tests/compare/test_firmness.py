"""How firm a band is: worked examples to check with a pencil, the corners, and the slow oracle on random data."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.stats import multinomial

import oracle
from helpers import Case, cases, small_survey
from stocktake.compare.estimates import Estimates, Measure, Status
from stocktake.compare.expected_range import CUTS, ExpectedRange, expected_range, not_compared, usable_spread
from stocktake.compare.firmness import (
    LEAVE_OUT_LIMIT,
    band_shares,
    distances,
    expected_by_chance,
    false_discovery,
    leave_one_out,
    most_by_chance,
    normal_bands,
    question_q,
    resample,
    steps_to_better,
)
from stocktake.compare.suppress import suppress
from stocktake.problems import StocktakeError
from stocktake.survey import resample as resampling
from stocktake.survey.counts import Counts
from stocktake.survey.instrument import Method, Option, Survey, parse
from stocktake.survey.scores import Scores, score
from stocktake.survey.tables import open_table
from stocktake.survey.wave import read_wave

NAN = math.nan
ZeroSpread = Literal["unbanded", "between"]

RELAXED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FEW = settings(RELAXED, max_examples=40)


def estimates(value: list[list[float]], error: list[list[float]], parts: tuple[tuple[int, ...], ...] = ()) -> Estimates:
    """Organisations by measures; the last measures are sections of the given parts."""
    values = np.array(value, dtype=float)
    questions = values.shape[1] - len(parts)
    return Estimates(
        tuple(f"T{i}" for i in range(values.shape[0])),
        (*(Measure(f"Q{j + 1}") for j in range(questions)), *(Measure(f"S{j + 1}", p) for j, p in enumerate(parts))),
        np.full(values.shape, 100.0),
        values,
        np.array(error, dtype=float),
        np.zeros(values.shape, dtype=np.int8),
    )


def column(value: list[float], error: list[float]) -> Estimates:
    """One measure."""
    return estimates([[v] for v in value], [[e] for e in error])


def compared(value: float, centre: float, spread: float) -> tuple[np.ndarray[Any, Any], ExpectedRange]:
    """One organisation's value and its comparison, from a centre and an S that are given."""
    given_values = np.array([[value]])
    z = (given_values - centre) / spread
    band = np.array([[0 if math.isnan(spread) else oracle.band_of(float(z[0, 0]))]])
    blank = not_compared(column([value], [1.0]))
    return given_values, replace(
        blank, centre=np.array([centre]), spread=np.array([[spread]]), z=z, band=band.astype(np.int64)
    )


def same(ours: float, theirs: float | None, tolerance: float = 1e-9) -> bool:
    """Whether two numbers agree; None is NaN."""
    if theirs is None:
        return math.isnan(ours)
    return math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance)


# Distances


def test_distances_by_hand() -> None:
    """An average of 5 and an S of 1: the limits are 5 -/+ 1.644854, 1.959964 and 3.090232."""
    up, down = distances(*compared(5.0, 5.0, 1.0))
    assert (up[0, 0], down[0, 0]) == pytest.approx((1.644854, 1.644854), abs=1e-6)
    # z = 2 is `better`: 3.090232 - 2 above it, 2 - 1.959964 below it.
    up, down = distances(*compared(7.0, 5.0, 1.0))
    assert (up[0, 0], down[0, 0]) == pytest.approx((1.090232, 0.040036), abs=1e-6)
    # z = -1.7 is `somewhat worse`.
    up, down = distances(*compared(3.3, 5.0, 1.0))
    assert (up[0, 0], down[0, 0]) == pytest.approx((1.7 - 1.644854, 1.959964 - 1.7), abs=1e-6)


def test_there_is_nothing_beyond_the_outermost_bands_and_nothing_without_a_band() -> None:
    up, down = distances(*compared(9.0, 5.0, 1.0))
    assert math.isnan(up[0, 0])
    assert down[0, 0] == pytest.approx(4 - 3.090232, abs=1e-6)
    up, down = distances(*compared(1.0, 5.0, 1.0))
    assert up[0, 0] == pytest.approx(4 - 3.090232, abs=1e-6)
    assert math.isnan(down[0, 0])
    up, down = distances(*compared(5.0, 5.0, NAN))
    assert math.isnan(up[0, 0])
    assert math.isnan(down[0, 0])


def test_a_limit_off_the_scale_is_out_of_reach() -> None:
    """An average of 9 and an S of 1: `somewhat better` would begin at 10.64, `somewhat worse` does at 7.355146."""
    up, down = distances(*compared(9.5, 9.0, 1.0))
    assert math.isnan(up[0, 0])
    assert down[0, 0] == pytest.approx(9.5 - 7.355146, abs=1e-6)
    up, down = distances(*compared(0.5, 1.0, 1.0))
    assert up[0, 0] == pytest.approx(2.644854 - 0.5, abs=1e-6)
    assert math.isnan(down[0, 0])
    # On a scale that reaches further there is a limit.
    up, _ = distances(*compared(9.5, 9.0, 1.0), (0.0, 100.0))
    assert up[0, 0] == pytest.approx(10.644854 - 9.5, abs=1e-6)


# The normal approximation


def test_normal_bands_by_hand() -> None:
    """A score at the average whose S is its own error: the cut-offs leave 0.1%, 2.4%, 2.5% and 90% between them."""
    value, range_ = compared(5.0, 5.0, 1.0)
    found = normal_bands(value, np.array([[1.0]]), range_)
    assert found[0, 0].tolist() == pytest.approx([0.001, 0.024, 0.025, 0.9, 0.025, 0.024, 0.001])


def test_what_the_normal_puts_off_the_scale_stays_in_the_band_at_its_end() -> None:
    """An average of 9 and an S of 1: no limit above the average lies on the scale."""
    value, range_ = compared(9.0, 9.0, 1.0)
    found = normal_bands(value, np.array([[1.0]]), range_)
    assert found[0, 0].tolist() == pytest.approx([0.001, 0.024, 0.025, 0.95, 0, 0, 0])
    value, range_ = compared(1.0, 1.0, 0.6)
    found = normal_bands(value, np.array([[0.6]]), range_)
    # 1 - 1.644854 * 0.6 is on the scale, 1 - 1.959964 * 0.6 is not.
    assert found[0, 0].tolist() == pytest.approx([0, 0, 0.05, 0.9, 0.025, 0.024, 0.001])


@pytest.mark.parametrize(("spread", "error"), [(NAN, 1.0), (1.0, 0.0), (1.0, NAN)])
def test_no_chances_without_a_band_or_an_error(spread: float, error: float) -> None:
    value, range_ = compared(5.0, 5.0, spread)
    assert np.isnan(normal_bands(value, np.array([[error]]), range_)).all()


# Resampling


def one_cell(points: list[float]) -> Any:
    """A scorer of counts in one cell whose last answer is not scored: plain mean and its linearised error."""

    def scorer(drawn: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        value, error = np.full(len(drawn), NAN), np.full(len(drawn), NAN)
        for d in range(len(drawn)):
            counts = {(0, a): int(n) for a, n in enumerate(drawn[d, 0])}
            y, s = oracle.score_of_draw(counts, [*points, None], {0: 1.0})
            value[d], error[d] = NAN if y is None else y, NAN if s is None else s
        return value, error

    return scorer


def test_a_resample_has_as_many_people_and_none_where_none_were() -> None:
    counts = np.array([[3, 0, 4], [0, 2, 0]])
    (drawn,) = resample([counts], 50, np.random.default_rng(1))
    assert drawn.shape == (2, 3, 50)
    assert (drawn.sum(axis=(0, 1)) == 9).all()
    assert not drawn[counts == 0].any()
    assert drawn[0, 0].max() > 3 > drawn[0, 0].min()


def test_each_question_has_multinomial_draws_and_all_the_same_people_in_a_cell() -> None:
    """Four people and three questions: every outcome of a question comes as often as it must, and cells agree."""
    questions = [np.array([[1, 1, 0], [0, 1, 1]]), np.array([[2, 0], [1, 1]]), np.array([[0, 2], [0, 2]])]
    draws = 40_000
    found = list(resample(questions, draws, np.random.default_rng(3)))
    for counts, drawn in zip(questions, found, strict=True):
        assert np.array_equal(drawn.sum(axis=1), found[0].sum(axis=1))
        there = np.flatnonzero(counts)
        outcomes, often = np.unique(drawn.reshape(counts.size, draws)[there], axis=1, return_counts=True)
        chances = multinomial(4, counts.ravel()[there] / 4).pmf(outcomes.T)
        assert math.fsum(chances) == pytest.approx(1)
        assert (np.abs(often / draws - chances) <= 4 * np.sqrt(chances * (1 - chances) / draws)).all()


def test_shares_by_hand() -> None:
    """Two people, one at 10 and one at 0, an average of 2.

    Of the four resamples one has both at 10, one both at 0, two one of each: 5 with an error of
    sqrt(2 * 2.5^2) = 3.5355. Only these two have a band, z = 3 / sqrt(12.5 + 0.25) = 0.84. Where tau = 0.5 alone may
    give a band, the others have z = 8 / 0.5 and -2 / 0.5; where tau is 0 it gives none.
    """
    every_way = np.array([[[2, 0, 0]], [[1, 1, 0]], [[1, 1, 0]], [[0, 2, 0]]])
    value, error = one_cell([10.0, 0.0])(every_way)
    assert error.tolist() == pytest.approx([0, math.sqrt(12.5), math.sqrt(12.5), 0])
    assert band_shares(value, error, 2.0, 0.25).tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert band_shares(value, error, 2.0, 0.25, "between").tolist() == [0.25, 0, 0, 0.5, 0, 0, 0.25]
    assert band_shares(value, error, 2.0, 0.0, "between").tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_no_shares_where_no_draw_has_a_band() -> None:
    assert np.isnan(band_shares(np.array([5.0, 6.0]), np.zeros(2), 5.0, 1.0)).all()
    assert np.isnan(band_shares(np.array([NAN]), np.array([0.0]), 5.0, 1.0, "between")).all()


# Leaving one out


def test_leaving_one_out_by_hand() -> None:
    """A at 4, five at 6 and D at 9, each with an error of 0.5, no Winsorising: tau2 = (sum z2 - (I-1)) / (4I - 4).

    All: average 43/7, sum of squares 12.857, z2 51.43, tau2 45.43/24 = 1.893, S 1.464: A -1.46, D 1.95.
    Without D: average 34/6, squares 3.333, z2 13.33, tau2 8.33/20 = 0.4167, S 0.8165: A -2.04, the five 0.41.
    Without A: average 6.5, squares 7.5, z2 30, tau2 25/20 = 1.25, S 1.2247: D 2.04, the five -0.41.
    Without one at 6: average 37/6, squares 12.833, z2 51.33, tau2 46.33/20 = 2.317, S 1.602: A -1.35, D 1.77.
    """
    given_ = column([4, 6, 6, 6, 6, 6, 9], [0.5] * 7)
    assert expected_range(given_, winsorise=0.0).band[:, 0].tolist() == [4, 4, 4, 4, 4, 4, 5]
    lowest, highest = leave_one_out(given_, winsorise=0.0)
    assert lowest[:, 0].tolist() == [2, 4, 4, 4, 4, 4, 5]
    assert highest[:, 0].tolist() == [4, 4, 4, 4, 4, 4, 6]


def test_who_is_withheld_or_does_not_vary_has_no_band_and_the_latter_still_moves_the_average() -> None:
    """A at 4 and five at 6 with errors of 0.5, one withheld, and one at 10 that does not vary; no Winsorising.

    All: average 44/7, squares of the six 5.633, z2 22.53, tau2 17.53/20 = 0.8765, S 1.061: A -2.15.
    Without the one at 10: average 34/6, squares 3.333, tau2 0.4167, S 0.8165: A -2.04.
    Without one at 6: average 38/6, squares 5.889, z2 23.56, tau2 19.56/16 = 1.222, S 1.213: A -1.92.
    """
    given_ = column([4, 6, 6, 6, 6, 6, NAN, 10], [0.5] * 6 + [NAN, 0])
    assert expected_range(given_, winsorise=0.0).band[:, 0].tolist() == [2, 4, 4, 4, 4, 4, 0, 0]
    lowest, highest = leave_one_out(given_, winsorise=0.0)
    assert lowest[:, 0].tolist() == [2, 4, 4, 4, 4, 4, 0, 0]
    assert highest[:, 0].tolist() == [3, 4, 4, 4, 4, 4, 0, 0]


def test_a_value_whose_error_is_missing_counts_in_the_average_alone() -> None:
    lowest, highest = leave_one_out(column([5, 6, 7, 8, 2], [0.5] * 4 + [NAN]))
    assert lowest[4, 0] == highest[4, 0] == 0
    assert (lowest[:4, 0] > 0).all()


def test_who_has_no_band_has_none_on_leaving_out_another_either() -> None:
    """Two at 5 and two at 7 with an error of 0.92, two at 6 with an error of 1, and one at 6 that does not vary.

    The average is 6 and sum z2 = 4 / 0.92^2 = 4.73, less than the 5 that six would have by chance: no tau, and no
    band for the one that does not vary. Of five, without one at 6, it is more than 4: there is a tau, but the survey
    gives the one no band that might be firm.
    """
    value, error = [5.0, 5.0, 7.0, 7.0, 6.0, 6.0, 6.0], [0.92, 0.92, 0.92, 0.92, 1.0, 1.0, 0.0]
    given_ = column(value, error)
    full = expected_range(given_, winsorise=0.0, zero_spread="between")
    assert full.tau2[0] == 0
    assert full.band[6, 0] == 0
    without = expected_range(column(value[:5] + value[6:], error[:5] + error[6:]), winsorise=0.0, zero_spread="between")
    assert without.band[5, 0] == 4
    lowest, highest = leave_one_out(given_, winsorise=0.0, zero_spread="between")
    assert lowest[6, 0] == highest[6, 0] == 0


@pytest.mark.parametrize("organisations", [1, 3])
def test_too_few_to_leave_one_out(organisations: int) -> None:
    value = [5.0, 7.0, 9.0][:organisations]
    lowest, highest = leave_one_out(column([*value, 6.0], [0.5] * organisations + [0.0]))
    assert not lowest.any()
    assert not highest.any()


def test_too_many_to_leave_one_out() -> None:
    rng = np.random.default_rng(3)
    value = rng.uniform(4, 8, LEAVE_OUT_LIMIT + 1).tolist()
    error = [0.5] * (LEAVE_OUT_LIMIT + 1)
    assert not leave_one_out(column(value, error))[0].any()
    lowest, highest = leave_one_out(column(value[:-1], error[:-1]))
    assert (lowest > 0).all()
    assert (lowest <= highest).all()


# Steps


def test_steps_by_hand() -> None:
    """Ten people bring 2 points between them, 0.2 each.

    0.3 points take two of them, 0.6 three (not four, for rounding's sake), 2 all ten; 2.1 are out of reach. At the
    limit itself one is still needed.
    """
    up = np.array([[0.3, 0.6, 2.0, 2.1, 0.0, NAN]])
    found = steps_to_better(up, np.full((1, 6), 2.0), np.full((1, 6), 10))
    assert found[0].tolist() == pytest.approx([2, 3, 10, NAN, 1, NAN], nan_ok=True)
    assert 0.1 * 3 / 0.1 > 3
    assert steps_to_better(np.array([[0.1 * 3]]), np.array([[0.4]]), np.array([[4]])).tolist() == [[3]]


def test_nobody_can_move_from_the_top() -> None:
    assert np.isnan(steps_to_better(np.array([[0.5]]), np.array([[0.0]]), np.array([[0]]))).all()


@RELAXED
@given(
    up=st.one_of(st.just(NAN), st.just(0.0), st.floats(0, 10)),
    gain=st.one_of(st.just(0.0), st.floats(0.01, 10)),
    movers=st.integers(0, 60),
)
def test_steps_against_the_oracle(up: float, gain: float, movers: int) -> None:
    expected = oracle.people_needed(None if math.isnan(up) else up, gain, movers)
    if movers and gain and not math.isnan(up):
        exact = up / (gain / movers)
        # Beside a whole number rounding decides.
        assume(exact < 1e-8 or abs(exact - round(exact)) > 1e-8)
    found = steps_to_better(np.array([[up]]), np.array([[gain]]), np.array([[movers]]))[0, 0]
    assert same(found, expected)


# False discovery


def z_of(p: list[float]) -> list[float]:
    """z with the given two-sided p, above and below the average in turn."""
    return [NAN if math.isnan(x) else (-1) ** i * oracle.NormalDist().inv_cdf(1 - x / 2) for i, x in enumerate(p)]


def test_q_values_by_hand() -> None:
    """p = 0.01, 0.02, 0.03, 0.5 of four: 0.04, 0.04, 0.04, 0.5. p = 0.04, 0.01, none, 0.03 of three: the third of
    them, 0.04, is less than 0.03 * 3/2 = 0.045 and stands for both."""
    found = false_discovery(np.array([z_of([0.01, 0.02, 0.03, 0.5]), z_of([0.04, 0.01, NAN, 0.03])]))
    assert found[0].tolist() == pytest.approx([0.04, 0.04, 0.04, 0.5])
    assert found[1].tolist() == pytest.approx([0.04, 0.03, NAN, 0.04], nan_ok=True)
    assert false_discovery(np.array([[0.0], [NAN]]))[:, 0].tolist() == pytest.approx([1.0, NAN], nan_ok=True)


@RELAXED
@given(z=st.lists(st.one_of(st.just(NAN), st.integers(-4, 4).map(float), st.floats(-6, 6)), min_size=1, max_size=12))
def test_q_values_against_the_oracle(z: list[float]) -> None:
    found = false_discovery(np.array([z]))[0]
    theirs = oracle.q_values([None if math.isnan(x) else x for x in z])
    assert all(same(a, b) for a, b in zip(found.tolist(), theirs, strict=True))


def test_expected_by_chance_by_hand() -> None:
    assert expected_by_chance(100) == pytest.approx((10, 5, 0.2))
    for count in (0, 1, 37):
        assert expected_by_chance(count) == pytest.approx(oracle.expected_by_chance(count))


# What has no comparison


def test_not_compared_says_how_many_and_nothing_else() -> None:
    given_ = estimates([[5, NAN], [6, NAN], [NAN, NAN]], [[0.5, NAN], [0.0, NAN], [NAN, NAN]])
    found = not_compared(given_)
    assert found.organisations.tolist() == [2, 0]
    for name in ("centre", "lowest", "highest", "phi", "tau2"):
        assert np.isnan(getattr(found, name)).tolist() == [True, True]
    for name, shape in (("spread", (3, 2)), ("z", (3, 2)), ("limits", (3, 2, 6))):
        assert getattr(found, name).shape == shape
        assert np.isnan(getattr(found, name)).all()
    assert found.band.tolist() == [[0, 0]] * 3
    up, down = distances(given_.value, found)
    assert np.isnan(up).all()
    assert np.isnan(down).all()
    assert np.isnan(normal_bands(given_.value, given_.standard_error, found)).all()
    assert np.isnan(question_q(given_, found)).all()


def test_usable_spread() -> None:
    error, spread = np.array([0.5, 0.0, 0.0, NAN]), np.array([0.7, 0.3, 0.0, NAN])
    assert usable_spread(error, spread, "unbanded").tolist() == pytest.approx([0.7, NAN, NAN, NAN], nan_ok=True)
    assert usable_spread(error, spread, "between").tolist() == pytest.approx([0.7, 0.3, NAN, NAN], nan_ok=True)


# Against the oracle: organisations with any values and errors


VALUE = st.one_of(st.integers(0, 20).map(lambda x: x / 2), st.floats(0, 10).map(lambda x: round(x, 6)))
ERROR = st.one_of(st.sampled_from([0.0, NAN, 0.5, 0.5, 1.0]), st.floats(0.05, 2).map(lambda x: round(x, 6)))
RESULT = st.one_of(st.tuples(VALUE, ERROR), st.tuples(VALUE, ERROR), st.tuples(VALUE, ERROR), st.just((NAN, NAN)))
MEASURE = st.lists(RESULT, min_size=1, max_size=9)
ZERO = st.sampled_from(["unbanded", "between"])
WINSORISE = st.sampled_from([0.0, 0.1, 0.25])


def results_of(given_: Estimates) -> dict[tuple[str, str], oracle.Result]:
    """The same results as the oracle has them, None for NaN."""
    out = {}
    for i, organisation in enumerate(given_.organisations):
        for j, measure in enumerate(given_.measures):
            y, s = float(given_.value[i, j]), float(given_.standard_error[i, j])
            out[organisation, measure.code] = oracle.Result(
                100, None if math.isnan(y) else y, None if math.isnan(s) else s, math.isnan(y)
            )
    return out


def near_a_cut(z: float) -> bool:
    """Whether rounding may decide the band."""
    return min(abs(abs(z) - c) for c in CUTS) < 1e-7 * max(1.0, abs(z))


def rounding_decides(comparison: oracle.Comparison, results: list[oracle.Result]) -> bool:
    """Whether rounding may decide if there is any tau at all, or any band."""
    size = sum(1 for r in results if r.score is not None and (r.standard_error or 0) > 0)
    if comparison.phi is None:
        return False
    return abs(size * comparison.phi - (size - 1)) < 1e-9 or any(
        b.z is not None and near_a_cut(b.z) for b in comparison.by_organisation.values()
    )


@RELAXED
@given(results=MEASURE, zero=ZERO, winsorise=WINSORISE)
def test_distances_and_normal_bands_against_the_oracle(
    results: list[tuple[float, float]], zero: ZeroSpread, winsorise: float
) -> None:
    given_ = column([y for y, _ in results], [s for _, s in results])
    theirs = results_of(given_)
    comparison = oracle.compare(theirs, ["Q1"], list(given_.organisations), winsorise=winsorise, zero_spread=zero)["Q1"]
    assume(not rounding_decides(comparison, list(theirs.values())))
    ours = expected_range(given_, winsorise=winsorise, zero_spread=zero)
    up, down = distances(given_.value, ours)
    chances = normal_bands(given_.value, given_.standard_error, ours)
    for i, organisation in enumerate(given_.organisations):
        result, banded = theirs[organisation, "Q1"], comparison.by_organisation[organisation]
        assert ours.band[i, 0] == banded.band
        if result.score is None or comparison.centre is None or banded.spread is None:
            assert np.isnan([up[i, 0], down[i, 0], *chances[i, 0]]).all()
            continue
        limits = oracle.unclipped_limits(comparison.centre, banded.spread)
        if min(min(abs(x), abs(x - 10)) for x in limits) < 1e-9:
            continue
        better, worse = oracle.distances(result.score, comparison.centre, banded.spread)
        assert same(up[i, 0], better, 1e-8)
        assert same(down[i, 0], worse, 1e-8)
        expected = oracle.normal_chances(result.score, result.standard_error, comparison.centre, banded.spread)
        if expected is None:
            assert np.isnan(chances[i, 0]).all()
            continue
        assert chances[i, 0].tolist() == pytest.approx(expected, abs=1e-7)
        assert chances[i, 0].sum() == pytest.approx(1)


@RELAXED
@given(results=MEASURE, zero=ZERO, winsorise=WINSORISE)
def test_leaving_one_out_against_the_oracle(
    results: list[tuple[float, float]], zero: ZeroSpread, winsorise: float
) -> None:
    given_ = column([y for y, _ in results], [s for _, s in results])
    theirs, codes = results_of(given_), list(given_.organisations)
    assume(
        not rounding_decides(
            oracle.compare(theirs, ["Q1"], codes, winsorise=winsorise, zero_spread=zero)["Q1"], list(theirs.values())
        )
    )
    for k, without in oracle.left_out(theirs, "Q1", codes, winsorise=winsorise, zero_spread=zero).items():
        assume(not rounding_decides(without, [r for (o, _), r in theirs.items() if o != k]))
    lowest, highest = leave_one_out(given_, winsorise=winsorise, zero_spread=zero)
    expected = oracle.left_out_bands(theirs, "Q1", codes, winsorise=winsorise, zero_spread=zero)
    assert {code: (int(a), int(b)) for code, a, b in zip(codes, lowest[:, 0], highest[:, 0], strict=True)} == expected


@pytest.mark.parametrize("winsorise", [0.0, 0.25])
def test_measures_do_not_meet_each_other_when_one_is_left_out(winsorise: float) -> None:
    """Several measures at once, with gaps of their own, give what each gives alone."""
    rng = np.random.default_rng(5)
    value, error = rng.normal(6, 1, (12, 9)), rng.uniform(0.1, 0.6, (12, 9))
    value[[0, 3], 1], error[[0, 3], 1] = NAN, NAN
    value[3:, 2], error[3:, 2] = NAN, NAN
    # Three that do not vary and lie far out: leaving one of them out moves the average alone.
    value[:3, 3:], error[:3, 3:] = 10.0, 0.0
    codes = [f"T{i}" for i in range(12)]
    given_ = estimates(value.tolist(), error.tolist())
    lowest, highest = leave_one_out(given_, winsorise=winsorise)
    for j in range(9):
        alone = leave_one_out(column(value[:, j].tolist(), error[:, j].tolist()), winsorise=winsorise)
        assert lowest[:, j].tolist() == alone[0][:, 0].tolist()
        assert highest[:, j].tolist() == alone[1][:, 0].tolist()
        expected = oracle.left_out_bands(results_of(given_), f"Q{j + 1}", codes, winsorise=winsorise)
        assert [expected[c] for c in codes] == list(zip(lowest[:, j], highest[:, j], strict=True))
    assert not lowest[:, 2].any()


def test_sections_stay_out_of_the_family_of_q_values() -> None:
    """Three questions and their section: the q-values are those of three, and the section has none."""
    rng = np.random.default_rng(6)
    value, error = rng.normal(6, 1, (8, 4)), rng.uniform(0.1, 0.6, (8, 4))
    value[1, 1], error[1, 1] = NAN, NAN
    given_ = estimates(value.tolist(), error.tolist(), ((0, 1, 2),))
    range_ = expected_range(given_)
    found = question_q(given_, range_)
    assert np.isnan(found[:, 3]).all()
    for i in range(8):
        theirs = oracle.q_values([None if math.isnan(z) else float(z) for z in range_.z[i, :3]])
        assert all(same(a, b) for a, b in zip(found[i, :3].tolist(), theirs, strict=True))


# Against the oracle: whole surveys


def counted(case: Case, method: Method) -> tuple[Survey, Counts, Any]:
    survey = case.survey.model_copy(update={"method": method})
    wave = read_wave(survey, 2024, case.organisations, open_table(case.frame), None, method, workers=1)
    assert wave.counts is not None
    return survey, wave.counts, wave.second_pass


def firm(
    case: Case, method: Method, group: str | None = None
) -> tuple[Scores, Estimates, ExpectedRange, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Scores, what is shown of them, their comparison, and the probability of each band and how it was found."""
    survey, counts, again = counted(case, method)
    scored = score(counts, survey, method, group=group, second_pass=again)
    shown = suppress(scored.estimates, method.minimum_base)
    range_ = expected_range(shown, winsorise=method.winsorise, zero_spread=method.zero_spread)
    return scored, shown, range_, *resampling.band_probabilities(counts, survey, group, scored, shown, range_)


def reference_of(rows: list[oracle.Row]) -> dict[int, float]:
    """Each cell's share among all who have one."""
    cells = [row.cell for row in rows if row.cell is not None]
    return {cell: cells.count(cell) / len(cells) for cell in cells}


def counts_of(case: Case, rows: list[oracle.Row], organisation: str, code: str) -> dict[tuple[int, int], int]:
    """An organisation's people by cell and answer: the scored options in their order, then what is not scored."""
    points = [o.score for o in case.survey.by_code[code].options if o.score is not None]
    out = {(cell, a): 0 for cell in range(len(case.survey.cell_labels)) for a in range(len(points) + 1)}
    for row in rows:
        if row.organisation == organisation and row.cell is not None:
            x = row.scores.get(code)
            out[row.cell, len(points) if x is None else points.index(x)] += 1
    return out


def drawn_case(seed: int, respondents: int = 80, groups: tuple[str, ...] = ()) -> Case:
    """Four organisations of about as many respondents each, some in no cell, some answers missing or not scored.

    Nobody in the last gives a first answer, so that its answers to the third question, which has two, do not vary.
    """
    rng = np.random.default_rng(seed)
    survey = small_survey({"S01": [3, 4], "S02": [2]}, cells=3, groups=groups)
    rows = []
    for _ in range(respondents):
        o = int(rng.integers(4))
        row: dict[str, Any] = {
            "organisation": f"T{o}",
            "kind": [1, 2, 3, None][rng.choice(4, p=[0.5, 0.3, 0.15, 0.05])],
        }
        for question in survey.questions:
            options = len(question.options)
            row[question.code] = None if rng.random() < 0.1 else int(rng.integers(1 + (o == 3), options + 1))
        if groups:
            row["service"] = [*groups, None][rng.integers(len(groups) + 1)]
        rows.append(row)
    schema: dict[str, Any] = {"organisation": pl.String, "kind": pl.Int64}
    schema |= {q.code: pl.Int64 for q in survey.questions}
    if groups:
        schema["service"] = pl.String
    return Case(survey, ("T0", "T1", "T2", "T3"), pl.DataFrame(rows, schema=schema))


CHOSEN = st.fixed_dictionaries(
    {
        "cap": st.sampled_from([None, 1.2, 5.0]),
        "standard_error": st.sampled_from(["linearised", "classical"]),
        "correction": st.sampled_from(["none", "design", "stratum"]),
        "zero_spread": ZERO,
    }
)


# Respondents that hypothesis invents one by one are seldom enough for a band; these mostly are.
DRAWN = st.builds(drawn_case, st.integers(0, 100_000), st.integers(1, 100), groups=st.sampled_from([(), ("A", "B")]))


@FEW
@given(case=st.one_of(cases(organisations=4, respondents=30, groups=True), DRAWN, DRAWN), chosen=CHOSEN)
def test_every_draw_against_the_oracle(case: Case, chosen: dict[str, Any]) -> None:
    """Each resample has the organisation's people, is scored as rows would be, and banded against the survey."""
    assume(case.frame.height > 0)
    method = case.survey.method.model_copy(update={**chosen, "draws": 5, "minimum_base": 1})
    for group in (None, *(g.code for g in case.survey.groups)):
        check_draws(case, method, group)


def check_draws(case: Case, method: Method, group: str | None) -> int:
    """Hold every draw and every share against the oracle; returns how many results were resampled."""
    current: list[tuple[Any, Any]] = []
    seen: list[tuple[Any, Any, Any]] = []

    def recorded(counts: Any, draws: int, rng: Any) -> Any:
        current.clear()
        for own, drawn in zip(counts, resample(counts, draws, rng), strict=True):
            current.append((own, np.moveaxis(drawn, 2, 0)))
            yield drawn

    def banded(value: Any, error: Any, *more: Any) -> Any:
        # What is banded is of the organisation whose questions were drawn last.
        seen.append((list(current), value, error))
        return band_shares(value, error, *more)

    one_worker = patch.object(resampling, "cores", lambda: 1)
    with patch.object(resampling, "resample", recorded), patch.object(resampling, "band_shares", banded), one_worker:
        _, shown, range_, found, resampled = firm(case, method, group)
    rows = case.rows(group)
    reference, everybody = reference_of(rows), sum(1 for row in rows if row.cell is not None)
    codes = [m.code for m in shown.measures]
    wanted = [
        (i, j) for i in range(len(case.organisations)) for j in range(len(case.survey.scored)) if range_.band[i, j]
    ]
    assert len(wanted) == len(seen)
    for (i, j), (questions, value, error) in zip(wanted, seen, strict=True):
        counts, drawn = questions[j]
        theirs = counts_of(case, rows, case.organisations[i], codes[j])
        assert {place: int(counts[place]) for place in theirs} == theirs
        assert counts.size == len(theirs)
        assert resampled[i, j]
        points = [*(o.score for o in case.survey.by_code[codes[j]].options if o.score is not None), None]
        bands, sure = [], True
        for d in range(method.draws):
            y, s = oracle.score_of_draw(
                {place: int(drawn[d][place]) for place in theirs},
                points,
                reference,
                cap=method.cap,
                standard_error=method.standard_error,
                correction=method.correction,
                everybody=everybody,
            )
            assert drawn[d].sum() == counts.sum()
            assert same(value[d], y)
            assert s is None or same(error[d], s, 1e-7)
            z = oracle.z_of_draw(y, s, float(range_.centre[j]), float(range_.tau2[j]), method.zero_spread)
            sure = sure and (z is None or not near_a_cut(z))
            bands.append(0 if z is None else oracle.band_of(z))
        if not sure:
            continue
        kept = [b for b in bands if b]
        for b in range(1, 8):
            assert same(found[i, j, b - 1], kept.count(b) / len(kept) if kept else None)
    check_sections(case, shown, range_, found, resampled)
    return len(wanted)


def check_sections(
    case: Case,
    shown: Estimates,
    range_: ExpectedRange,
    found: np.ndarray[Any, Any],
    resampled: np.ndarray[Any, Any],
) -> None:
    """A section of one question has that question's probabilities, any other the normal approximation."""
    position = {m.code: j for j, m in enumerate(shown.measures)}
    for section, members in case.sections.items():
        j = position[section]
        for i in range(len(case.organisations)):
            if len(members) == 1:
                question = position[members[0]]
                assert np.array_equal(found[i, j], found[i, question], equal_nan=True)
                assert resampled[i, j] == resampled[i, question]
                continue
            assert not resampled[i, j]
            if range_.band[i, j] == 0 or not shown.standard_error[i, j] > 0:
                assert np.isnan(found[i, j]).all()
                continue
            theirs = oracle.normal_chances(
                float(shown.value[i, j]),
                float(shown.standard_error[i, j]),
                float(range_.centre[j]),
                float(range_.spread[i, j]),
            )
            assert found[i, j].tolist() == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("group", [None, "A", "B"])
@pytest.mark.parametrize("correction", ["none", "design", "stratum"])
def test_every_draw_of_a_survey_with_groups(group: str | None, correction: str) -> None:
    case = drawn_case(11, 160, groups=("A", "B"))
    update = {"draws": 12, "minimum_base": 1, "correction": correction, "cap": 1.5}
    assert check_draws(case, case.survey.method.model_copy(update=update), group) >= 10


def tiny() -> Case:
    """Five organisations of six or seven people in two cells, with an answer missing and one not scored."""
    survey = small_survey({"S01": [3]}, cells=2)
    people = {
        "T0": [(1, 3), (1, 3), (1, 2), (1, None), (2, 1), (2, 3), (2, 3)],
        "T1": [(1, 1), (1, 2), (1, 1), (2, 1), (2, 2), (2, 4)],
        "T2": [(1, 2), (1, 2), (1, 3), (2, 2), (2, 1), (2, 2)],
        "T3": [(1, 1), (1, 2), (1, 3), (2, 3), (2, 2), (2, 1)],
        "T4": [(1, 1), (1, 2), (1, 2), (2, 2), (2, 2), (2, 1)],
    }
    rows = [{"organisation": o, "kind": k, "Q1": a} for o, own in people.items() for k, a in own]
    return Case(
        survey, tuple(people), pl.DataFrame(rows, schema={"organisation": pl.String, "kind": pl.Int64, "Q1": pl.Int64})
    )


@pytest.mark.parametrize("zero", ["unbanded", "between"])
def test_the_shares_are_those_of_every_multinomial_outcome(zero: ZeroSpread) -> None:
    """With many draws each share lies within four binomial standard errors of its exact chance."""
    case, draws = tiny(), 40_000
    method = case.survey.method.model_copy(update={"draws": draws, "minimum_base": 1, "zero_spread": zero, "cap": 1.5})
    _, _, range_, found, resampled = firm(case, method)
    assert resampled.all()
    rows = case.rows()
    points = [0.0, 5.0, 10.0, None]
    chances = []
    for i, organisation in enumerate(case.organisations):
        counts = {place: n for place, n in counts_of(case, rows, organisation, "Q1").items() if n > 0}
        exact = oracle.bootstrap_chances(
            counts,
            points,
            reference_of(rows),
            float(range_.centre[0]),
            float(range_.tau2[0]),
            cap=1.5,
            zero_spread=zero,
        )
        assert math.fsum(exact) == pytest.approx(1)
        with_band = draws * (1 - exact[0])
        likely = oracle.given_a_band(exact)
        chances += likely
        for ours, p in zip(found[i, 0].tolist(), likely, strict=True):
            assert abs(ours - p) <= 4 * math.sqrt(p * (1 - p) / with_band) + 1e-12
        assert found[i, 0].sum() == pytest.approx(1)
    # The example is one in which there is something to find.
    assert sum(0.01 < p < 0.99 for p in chances) >= 12
    # The section of this one question has the question's.
    assert np.array_equal(found[:, 1], found[:, 0])


def test_resampling_is_the_same_with_any_number_of_workers_and_another_with_another_seed() -> None:
    case = drawn_case(12)
    method = case.survey.method.model_copy(update={"draws": 30, "minimum_base": 1})
    found = []
    for workers, seed in ((1, 2024), (4, 2024), (2, 7)):
        with patch.object(resampling, "cores", lambda workers=workers: workers):
            found.append(firm(case, method.model_copy(update={"seed": seed}))[3])
    assert np.array_equal(found[0], found[1], equal_nan=True)
    assert not np.array_equal(found[0], found[2], equal_nan=True)


@pytest.mark.parametrize("too_many", [False, True])
def test_the_normal_approximation_stands_in(too_many: bool) -> None:
    """No draws wanted, or more results than there is time for: nothing is resampled."""
    case = drawn_case(13)
    method = case.survey.method.model_copy(update={"draws": 30 if too_many else 0, "minimum_base": 1})
    with patch.object(resampling, "RESAMPLE_LIMIT", 10 if too_many else 20_000):
        _, shown, range_, found, resampled = firm(case, method)
    assert not resampled.any()
    expected = normal_bands(shown.value, shown.standard_error, range_)
    assert np.array_equal(found, expected, equal_nan=True)
    with patch.object(resampling, "RESAMPLE_LIMIT", 11):
        assert firm(case, method)[4].any() == too_many


def test_what_has_no_band_has_no_probability() -> None:
    """A section of one question that is left out where its question is not, as in a report of questions alone."""
    case = drawn_case(14)
    method = case.survey.method.model_copy(update={"draws": 10, "minimum_base": 1})
    survey, counts, again = counted(case, method)
    scored = score(counts, survey, method, second_pass=again)
    shown = suppress(scored.estimates, 1, ("S01", "S02"))
    range_ = expected_range(shown)
    found, resampled = resampling.band_probabilities(counts, survey, None, scored, shown, range_)
    assert (shown.status[:, 3:] == Status.LEFT_OUT).all()
    assert np.isnan(found[:, 3:]).all()
    assert not resampled[:, 3:].any()
    assert resampled[:, :3].sum() == 11


# Scores: the effective base, and what one option up would bring


def check_steps(case: Case, found: Scores, method: Method, group: str | None) -> None:
    rows = case.rows(group)
    all_weights = oracle.weights(rows, method.cap)
    for i, organisation in enumerate(case.organisations):
        people, w = [], []
        for row, weight in zip(rows, all_weights, strict=True):
            if row.organisation == organisation and row.cell is not None:
                people.append(row)
                w.append(weight)
        for j, measure in enumerate(found.estimates.measures):
            if measure.parts:
                assert found.gain[i, j] == found.movers[i, j] == 0
                members = case.sections[measure.code]
                single = oracle.effective_base(people, w, members[0]) if len(members) == 1 else None
                assert same(found.effective[i, j], single)
                continue
            options = [o.score for o in case.survey.by_code[measure.code].options if o.score is not None]
            movers, gain = oracle.one_option_up(people, w, measure.code, options)
            assert found.movers[i, j] == movers
            assert same(found.gain[i, j], gain or 0.0)
            assert same(found.effective[i, j], oracle.effective_base(people, w, measure.code))


@FEW
@given(case=cases(respondents=30, groups=True), cap=st.sampled_from([None, 1.2, 5.0]))
def test_gain_movers_and_effective_base_against_the_oracle(case: Case, cap: float | None) -> None:
    assume(case.frame.height > 0)
    method = case.survey.method.model_copy(update={"cap": cap})
    survey, counts, again = counted(case, method)
    for group in (None, *(g.code for g in case.survey.groups)):
        check_steps(case, score(counts, survey, method, group=group, second_pass=again), method, group)


def test_one_option_up_by_hand() -> None:
    """Options worth 10, 10, 4, nothing and 0, one person on each, one on no option, all of weight 1.

    The one at 4 gains 6 and the one at 0 gains 4; of four scored that is 10/4 = 2.5 points, by two movers.
    """
    case = tiny()
    options = tuple(Option(code=k, label=f"Answer {k}", score=x) for k, x in enumerate([10, 10, 4, None, 0], start=1))
    question = case.survey.questions[0].model_copy(update={"options": options})
    survey = case.survey.model_copy(update={"questions": (question,)})
    frame = pl.DataFrame({"organisation": ["T0"] * 6, "kind": [1] * 6, "Q1": [1, 2, 3, 4, 5, None]})
    case = Case(survey, ("T0",), frame)
    survey, counts, again = counted(case, survey.method)
    found = score(counts, survey, second_pass=again)
    assert found.gain[0].tolist() == [2.5, 0]
    assert found.movers[0].tolist() == [2, 0]
    assert found.effective[0].tolist() == [4, 4]
    check_steps(case, found, survey.method, None)
    # A quarter of the score is in each person: 2.5 points need both, and no more can be had.
    assert steps_to_better(np.array([[2.5]]), found.gain[:, :1], found.movers[:, :1]).tolist() == [[2]]


# Instruments


GROUPED = """code: tiny
title: Tiny
year: 2024
sections:
  - {code: S1, number: 1, title: One}
questions:
  - code: Q1
    section: S1
    options: [{code: 1, label: "Yes", score: 10}, {code: 2, label: "No", score: 0}]
  - code: Q2
    options: [{code: 1, label: A}]
groups:
  - {code: CH, title: Children, value: CH}
  - {code: AD, title: Adults, value: AD, left_out: [Q1]}
"""


@pytest.mark.parametrize("code", ["Q9", "Q2", "S1"])
def test_a_group_cannot_leave_out_what_is_no_scored_question(code: str) -> None:
    """One sentence for each, with file, line and field; a question without scores and a section are none either."""
    assert parse(GROUPED, "tiny.yaml").groups[1].left_out == ("Q1",)
    with pytest.raises(StocktakeError) as error:
        parse(GROUPED.replace("left_out: [Q1]", f"left_out: [{code}, Q1]"), "tiny.yaml")
    assert len(error.value.problems) == 1
    assert error.value.problems[0].startswith(f"tiny.yaml, line 14, groups.1.left_out: no scored question '{code}'.")


@pytest.mark.parametrize(
    ("count", "level", "most"), [(0, 0.95, 0), (1, 0.95, 1), (1, 0.85, 0), (2, 0.95, 1), (35, 0.95, 7), (35, 0.99, 8)]
)
def test_most_by_chance_by_hand(count: int, level: float, most: int) -> None:
    """Of two, 0.9 x 0.9 = 0.81 lie within, and at most one outside in 0.99; of 35 R's qbinom(0.95, 35, 0.1) is 7."""
    assert most_by_chance(count, level) == most


@given(count=st.integers(1, 60), level=st.sampled_from((0.5, 0.9, 0.95, 0.99)))
def test_most_by_chance_adds_up_the_binomial(count: int, level: float) -> None:
    """Term by term: up to k it reaches the level, and up to k - 1 it does not."""
    share = 0.1
    terms = [math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(count + 1)]
    most = most_by_chance(count, level)
    assert sum(terms[: most + 1]) >= level - 1e-6
    assert most == 0 or sum(terms[:most]) < level + 1e-6

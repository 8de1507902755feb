"""Comparing, by hand: worked examples small enough to check with a pencil, and the corners."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocktake.compare.change import Verdict, change
from stocktake.compare.estimates import Estimates, Measure, Status, interval
from stocktake.compare.expected_range import (
    CUTS,
    banding,
    errors_from_spread,
    expected_range,
    overdispersion,
    spread_from_limits,
    summary,
)
from stocktake.compare.extremes import ends, extremes
from stocktake.compare.suppress import suppress

NAN = math.nan


def estimates(value: list[list[float]], error: list[list[float]], n: list[list[float]] | None = None) -> Estimates:
    values = np.array(value, dtype=float)
    organisations, measures = values.shape
    return Estimates(
        tuple(f"T{i}" for i in range(organisations)),
        tuple(Measure(f"Q{j + 1}") for j in range(measures)),
        np.array(n, dtype=float) if n else np.full(values.shape, 100.0),
        values,
        np.array(error, dtype=float),
        np.zeros(values.shape, dtype=np.int8),
    )


def spread_of(value: list[float], error: list[float], centre: float, winsorise: float) -> tuple[float, float]:
    """phi and tau squared of one measure."""
    columns = (np.array([x], dtype=float).T for x in (value, error))
    phi, tau2 = overdispersion(*columns, np.array([centre]), winsorise, "weibull")
    return float(phi[0]), float(tau2[0])


def test_cut_offs() -> None:
    assert pytest.approx((1.644854, 1.959964, 3.090232), abs=1e-6) == CUTS


def test_overdispersion_by_hand() -> None:
    """Four trusts with errors of 0.5 and scores 5, 6, 7 and 8 (average 6.5), no Winsorising.

    z = -3, -1, 1, 3; phi = (9+1+1+9)/4 = 5; v = 4 each, sum v = 16, sum v2/sum v = 64/16 = 4;
    tau2 = (4*5 - 3) / (16 - 4) = 17/12.
    """
    phi, tau2 = spread_of([5, 6, 7, 8], [0.5] * 4, 6.5, 0.0)
    assert phi == pytest.approx(5)
    assert tau2 == pytest.approx(17 / 12)
    assert all(math.isnan(x) for x in spread_of([5], [0.5], 5, 0.1))


def test_tau_is_never_negative() -> None:
    assert spread_of([5, 5.01], [1, 1], 5.005, 0.1)[1] == 0


def test_one_far_more_precise_organisation_leaves_tau_finite() -> None:
    _, tau2 = spread_of([1, 2, 3], [1e-9, 1, 1], 2, 0.1)
    assert math.isfinite(tau2)


def test_bands_on_both_sides_and_limits_clipped() -> None:
    value = np.array([[5 + s * c] for s in (-1, 1) for c in (0, 1.7, 2.5, 4.0)])
    _, band, limits = banding(value, np.array([5.0]), np.full((8, 1), 1.0))
    assert band[:, 0].tolist() == [4, 3, 2, 1, 4, 5, 6, 7]
    _, _, wide = banding(np.array([[1.0]]), np.array([1.0]), np.array([[1.0]]))
    assert wide[0, 0].tolist()[:3] == [0, 0, 0]
    assert limits[0, 0].tolist() == pytest.approx(
        [5 - CUTS[2], 5 - CUTS[1], 5 - CUTS[0], 5 + CUTS[0], 5 + CUTS[1], 5 + CUTS[2]]
    )


def test_ties_at_a_cut_off() -> None:
    value = np.array([[c] for c in CUTS])
    _, band, _ = banding(value, np.array([0.0]), np.ones((3, 1)))
    assert band[:, 0].tolist() == [5, 5, 6]


def test_spread_is_recovered_from_limits_clipped_or_not() -> None:
    centre = np.array([1.0])
    spread = np.array([[0.4], [0.8], [6.0], [2.0]])
    low, high = (np.clip(centre + s * CUTS[1] * spread, 0, 10) for s in (-1, 1))
    found = spread_from_limits(centre, low, high)
    assert found[:, 0].tolist() == pytest.approx([0.4, 0.8, NAN, 2.0], nan_ok=True)
    top = np.array([9.5])
    low, high = np.array([[9.5 - CUTS[1] * 0.6]]), np.array([[10.0]])
    assert spread_from_limits(top, low, high)[0, 0] == pytest.approx(0.6)


def test_withheld_organisations_take_no_part_and_zero_errors_are_not_banded() -> None:
    given = estimates([[5], [6], [7], [NAN], [9]], [[0.5], [0.5], [0.5], [NAN], [0.0]])
    result = expected_range(given)
    assert result.organisations.tolist() == [4]
    assert result.centre[0] == pytest.approx(6.75)
    assert result.highest[0] == 9
    assert result.band[3, 0] == result.band[4, 0] == 0
    between = expected_range(given, zero_spread="between")
    assert between.band[4, 0] > 4
    assert between.spread[4, 0] == pytest.approx(math.sqrt(between.tau2[0]))


def test_nobody_has_a_score() -> None:
    count, centre, low, high = summary(np.array([[NAN], [NAN]]))
    assert count.tolist() == [0]
    assert all(math.isnan(x[0]) for x in (centre, low, high))


def test_suppression_withholds_the_base_too() -> None:
    given = Estimates(
        ("A", "B", "C"),
        (Measure("Q1"), Measure("Q2"), Measure("S1", (0, 1), "S1")),
        np.array([[30, 29, 29], [40, 50, 40], [0, 0, 0]], dtype=float),
        np.full((3, 3), 5.0),
        np.full((3, 3), 0.3),
        np.zeros((3, 3), dtype=np.int8),
    )
    shown = suppress(given, 30)
    assert shown.status.tolist() == [
        [Status.SHOWN, Status.WITHHELD_BASE, Status.WITHHELD_PART],
        [Status.SHOWN] * 3,
        [Status.NO_DATA] * 3,
    ]
    hidden = shown.status != Status.SHOWN
    for array in (shown.n, shown.value, shown.standard_error):
        assert np.isnan(array[hidden]).all()
        assert not np.isnan(array[~hidden]).any()


def test_interval_stays_in_the_scale_and_is_null_without_variance() -> None:
    low, high = interval(estimates([[0.2], [9.9], [5], [5]], [[0.5], [0.5], [0], [NAN]]), (0, 10))
    assert low[0, 0] == 0 and high[1, 0] == 10
    assert np.isnan(low[2:]).all() and np.isnan(high[2:]).all()
    assert high[0, 0] == pytest.approx(0.2 + 1.959964 * 0.5, abs=1e-6)


def test_select_marks_the_absent() -> None:
    given = estimates([[5], [6]], [[0.5], [0.5]])
    chosen = given.select(["T1", "T9"])
    assert chosen.value[0, 0] == 6
    assert math.isnan(chosen.value[1, 0])
    assert chosen.status[1, 0] == Status.NO_DATA
    assert given.column("Q1") == 0
    with pytest.raises(KeyError):
        given.column("Q9")


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="expected"):
        Estimates(
            ("A",),
            (Measure("Q1"),),
            np.zeros((2, 1)),
            np.zeros((1, 1)),
            np.zeros((1, 1)),
            np.zeros((1, 1), dtype=np.int8),
        )


@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (1, 3), (3, 3)])
def test_a_shape_that_is_smaller_or_larger_is_refused(shape: tuple[int, int]) -> None:
    right, wrong = np.zeros((2, 3)), np.zeros(shape)
    for place, name in enumerate(("n", "value", "standard_error")):
        arrays = [wrong if i == place else right for i in range(3)]
        with pytest.raises(ValueError, match=f"{name} has shape"):
            Estimates(("A", "B"), tuple(Measure(f"Q{i}") for i in range(3)), *arrays, np.zeros((2, 3), dtype=np.int8))


def test_a_measure_left_out_stays_so_where_few_answered() -> None:
    """Left out of every organisation, also of one with too few answers: the reason is the same for all of them."""
    n = np.array([[100.0, 100], [100, 3]])
    given = Estimates(("A", "B"), (Measure("Q1"), Measure("Q2")), n, n / 20, n / 100, np.zeros((2, 2), dtype=np.int8))
    assert suppress(given, 30, left_out={"Q2"}).status.tolist() == [[0, Status.LEFT_OUT]] * 2
    # A section of its own that is left out is not called withheld for its part's sake.
    measures = (Measure("Q1"), Measure("S01", (0,)))
    small = Estimates(("A",), measures, n[1:, ::-1], n[1:], n[1:], np.zeros((1, 2), dtype=np.int8))
    assert suppress(small, 30, left_out={"S01"}).status.tolist() == [[Status.WITHHELD_BASE, Status.LEFT_OUT]]


def test_change_by_hand() -> None:
    """7.0 (0.3) after 6.0 (0.4): z = 1 / sqrt(0.09 + 0.16) = 2, an increase at 95% and none at 99%."""
    now, then = ([np.array([x]) for x in wave] for wave in ((7.0, 0.3, 50), (6.0, 0.4, 50)))
    result = change(tuple(now), tuple(then))  # type: ignore[arg-type]
    assert result.statistic[0] == pytest.approx(2)
    assert result.verdict[0] == Verdict.INCREASE
    strict = change(tuple(now), tuple(then), level=0.99)  # type: ignore[arg-type]
    assert strict.verdict[0] == Verdict.NO_CHANGE
    down = change(tuple(then), tuple(now))  # type: ignore[arg-type]
    assert down.verdict[0] == Verdict.DECREASE
    # 1 plus or minus 1.95996 x 0.5, and 2.57583 x 0.5 at 99%.
    assert (result.low[0], result.high[0]) == pytest.approx((0.02002, 1.97998), abs=1e-5)
    assert (strict.low[0], strict.high[0]) == pytest.approx((-0.28791, 2.28791), abs=1e-5)


WAVE = st.tuples(st.floats(0, 10), st.just(0.0) | st.floats(0.01, 2), st.integers(1, 400))


@given(now=WAVE, then=WAVE, test=st.sampled_from(("z", "t")), level=st.sampled_from((0.9, 0.95, 0.99)))
def test_the_interval_of_a_change_never_contradicts_its_test(
    now: tuple[float, float, int], then: tuple[float, float, int], test: Literal["z", "t"], level: float
) -> None:
    """It is about the difference, leaves out zero where the test finds a change and only there, and is not there without one."""
    waves = [tuple(np.array([float(x)]) for x in wave) for wave in (now, then)]
    found = change(waves[0], waves[1], test=test, level=level)  # type: ignore[arg-type]
    if found.verdict[0] == Verdict.NONE:
        assert np.isnan([found.low[0], found.high[0]]).all()
        return
    assert (found.low[0] + found.high[0]) / 2 == pytest.approx(now[0] - then[0])
    # R's form of it: the difference and its standard error, by the same quantile.
    half = found.critical[0] * math.sqrt(now[1] ** 2 + then[1] ** 2)
    assert found.high[0] - found.low[0] == pytest.approx(2 * half)
    clear = abs(abs(found.statistic[0]) - found.critical[0]) > 1e-9
    if clear:
        assert (found.low[0] > 0 or found.high[0] < 0) is (found.verdict[0] != Verdict.NO_CHANGE)


def test_change_that_cannot_be_tested() -> None:
    same = tuple(np.array([x]) for x in (5.0, 0.0, 40.0))
    lone = tuple(np.array([x]) for x in (5.0, 0.4, 1.0))
    assert change(same, same).verdict[0] == Verdict.NONE  # type: ignore[arg-type]
    assert change(lone, same, test="t").verdict[0] == Verdict.NONE  # type: ignore[arg-type]
    missing = tuple(np.array([x]) for x in (NAN, NAN, NAN))
    assert change(missing, same).verdict[0] == Verdict.NONE  # type: ignore[arg-type]


def test_one_answer_without_variance_takes_no_degrees_of_freedom() -> None:
    """7 (0.3 from 50) against 6 from one answer that cannot vary: all of the variance is of the other wave."""
    lone = tuple(np.array([x]) for x in (6.0, 0.0, 1.0))
    many = tuple(np.array([x]) for x in (7.0, 0.3, 50.0))
    for now, then, sign in ((many, lone, 1), (lone, many, -1)):
        found = change(now, then, test="t")  # type: ignore[arg-type]
        assert found.statistic[0] == pytest.approx(sign / 0.3)
        # 2.00958 is Student's t for 49 degrees of freedom.
        assert found.critical[0] == pytest.approx(2.00958, abs=1e-5)
    pair = tuple(np.array([x]) for x in (6.0, 0.3, 2.0))
    assert not np.isnan(change(many, pair, test="t").statistic[0])  # type: ignore[arg-type]
    one = tuple(np.array([x]) for x in (6.0, 0.3, 1.0))
    assert np.isnan(change(one, many, test="t").statistic[0])  # type: ignore[arg-type]
    assert np.isnan(change(many, one, test="t").statistic[0])  # type: ignore[arg-type]


def test_extremes_are_five_each() -> None:
    value = np.arange(20.0)
    assert extremes(value, np.zeros(20)) == ([19, 18, 17, 16, 15], [0, 1, 2, 3, 4])
    assert ends(list(range(20))) == ([0, 1, 2, 3, 4], [19, 18, 17, 16, 15])


def test_extremes() -> None:
    value = np.array([5, 6, NAN, 7, 8, 5.5])
    average = np.array([5, 5, 5, 5, 5, 5.0])
    assert extremes(value, average, 2) == ([4, 3], [0, 5])
    # Too few for two lists of five: they share none, and ties keep the order given.
    assert extremes(value, average, 5) == ([4, 3, 1], [0, 5])
    assert extremes(np.array([5.0, 5.0]), np.array([4.0, 4.0]), 5) == ([0], [1])
    assert extremes(np.array([NAN]), np.array([4.0]), 5) == ([], [])


def test_further_results_are_withheld_with_their_sections() -> None:
    """A result withheld for another's sake has no figure left, and takes its section with it."""
    measures = (Measure("Q1"), Measure("Q2"), Measure("S01", (0, 1)))
    n = np.full((2, 3), 100.0)
    estimates = Estimates(("A", "B"), measures, n, n / 20, n / 100, np.zeros((2, 3), dtype=np.int8))
    shown = suppress(estimates, 30, further=[("B", "Q2")])
    assert shown.status.tolist() == [[0, 0, 0], [0, Status.WITHHELD_BASE, Status.WITHHELD_PART]]
    assert np.isnan(shown.value[1]).tolist() == [False, True, True]
    assert np.isnan(shown.n[1]).tolist() == [False, True, True]


def test_change_of_shares_by_hand_and_as_published() -> None:
    """Newcombe 1998, table II: 56 of 70 against 48 of 80, method 10: 0.0524 to 0.3339."""
    from stocktake.compare.change import share_change

    found = share_change((np.array([56 / 70]), np.array([70.0])), (np.array([48 / 80]), np.array([80.0])))
    assert found.difference == pytest.approx([0.2])
    assert (round(float(found.low[0]), 4), round(float(found.high[0]), 4)) == (0.0524, 0.3339)
    # The pooled share is 104/150; 0.2 / sqrt(0.6933 x 0.3067 x (1/70 + 1/80)) = 2.65.
    assert float(found.z[0]) == pytest.approx(2.65, abs=0.005) and float(found.p[0]) == pytest.approx(0.008, abs=0.0005)
    # Nobody in both: no test; no base: no difference.
    none = share_change((np.array([0.0, 0.5]), np.array([10.0, 0.0])), (np.array([0.0, 0.5]), np.array([20.0, 20.0])))
    assert none.difference[0] == 0 and np.isnan(none.z).all() and np.isnan(none.difference[1])


def test_errors_behind_published_spreads() -> None:
    """Scores, errors and the range from them; then the errors again from scores and S alone."""
    rng = np.random.default_rng(5)
    error = rng.uniform(0.1, 0.3, (40, 3))
    # Far more spread than chance, hardly more, and less than chance would give.
    value = 6 + rng.normal(0, 1, (40, 3)) * error * np.array([3.0, 1.3, 0.2])
    value[3, 0] = error[3, 0] = NAN
    found = expected_range(estimates(value.tolist(), error.tolist()))
    assert found.tau2[0] > found.tau2[1] > 0 == found.tau2[2]
    again, tau2 = errors_from_spread(value, found.spread, found.centre)
    assert tau2 == pytest.approx(found.tau2, abs=1e-9)
    assert again == pytest.approx(error, rel=1e-6, nan_ok=True)


def test_errors_that_no_spread_gives() -> None:
    """One organisation alone has none; and where S can hardly be all chance, the most that it can be is taken."""
    error, tau2 = errors_from_spread(np.array([[5.0], [NAN]]), np.array([[0.5], [NAN]]), np.array([5.0]))
    assert np.isnan(error).all() and np.isnan(tau2).all()
    value = np.array([[2.0], [8.0], [2.5], [7.5]])
    error, tau2 = errors_from_spread(value, np.full((4, 1), 0.5), np.array([5.0]))
    assert tau2[0] == pytest.approx(0.25) and (error < 1e-3).all()

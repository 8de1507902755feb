"""Rates, shares and funnels: worked examples, the slow oracle on random figures, and R's own tests."""

from __future__ import annotations

import json
import math
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from stocktake.compare.rates import EXACT_BELOW, funnel, poisson_interval, quantity_rate, rate, ratio, share

NAN = math.nan


def test_byar_by_hand() -> None:
    """100 events: 100 (1 - 1/900 - 1.96/30)^3 = 81.4 and 101 (1 - 1/909 + 1.96/(3 sqrt 101))^3 = 121.6."""
    low, high = poisson_interval(np.array([100.0]))
    assert low[0] == pytest.approx(100 * (1 - 1 / 900 - 1.959964 / 30) ** 3, rel=1e-6)
    assert high[0] == pytest.approx(101 * (1 - 1 / 909 + 1.959964 / (3 * math.sqrt(101))) ** 3, rel=1e-6)
    assert (round(low[0], 1), round(high[0], 1)) == (81.4, 121.6)


def test_few_events_have_the_exact_interval() -> None:
    """No event: nothing to 3.69; nine are the last of the few."""
    counts = np.array([0.0, 1, EXACT_BELOW - 1, EXACT_BELOW])
    low, high = poisson_interval(counts)
    exact_low = [0.0, *(chi2.ppf(0.025, 2 * c) / 2 for c in counts[1:])]
    exact_high = [chi2.ppf(0.975, 2 * (c + 1)) / 2 for c in counts]
    assert (low[0], round(high[0], 2)) == (0.0, 3.69)
    np.testing.assert_allclose(low[:3], exact_low[:3], rtol=1e-12)
    np.testing.assert_allclose(high[:3], exact_high[:3], rtol=1e-12)
    assert low[3] != exact_low[3]
    assert low[3] == pytest.approx(exact_low[3], rel=0.005)


@settings(max_examples=60, deadline=None)
@given(st.integers(EXACT_BELOW, 10**7), st.sampled_from([0.8, 0.95, 0.998]))
def test_byar_is_near_the_exact_interval(count: int, level: float) -> None:
    """Within a hundredth at 95%; of ten events the lower limit at 99.8% is a hundredth and a half too low."""
    tail = (1 - level) / 2
    within = 0.01 if level < 0.99 else 0.02
    low, high = poisson_interval(np.array([float(count)]), level)
    assert low[0] == pytest.approx(chi2.ppf(tail, 2 * count) / 2, rel=within)
    assert high[0] == pytest.approx(chi2.ppf(1 - tail, 2 * (count + 1)) / 2, rel=within)


def test_a_rate_by_hand() -> None:
    """1,555 on caseload per 100,000: 15,550 of a million."""
    found = rate(np.array([15_550.0, 5, NAN, 5, 5]), np.array([1e6, 1e5, 1e6, 0, NAN]))
    np.testing.assert_allclose(found.value, [1555, 5, NAN, NAN, NAN])
    assert np.isnan(found.low).tolist() == np.isnan(found.value).tolist() == np.isnan(found.high).tolist()
    assert found.low[0] < 1555 < found.high[0]
    assert rate(np.array([3.0]), np.array([50.0]), per=1).value[0] == pytest.approx(0.06)


def test_amounts_have_no_interval_of_chance() -> None:
    found = quantity_rate(np.array([44.4e6, 1.0]), np.array([834_586.0, 0]))
    assert found.value[0] == pytest.approx(5_320_003, abs=5)
    assert np.isnan([found.value[1], *found.low, *found.high]).all()
    # Contacts for each patient: assertive outreach, 62 a year.
    assert ratio(np.array([6200.0]), np.array([100.0])).value[0] == 62


def test_wilson_by_hand() -> None:
    """11 of 100: (200 x 0.11 + 3.8415 -+ 1.96 sqrt(3.8415 + 400 x 0.11 x 0.89)) / (2 x 103.8415)."""
    found = share(np.array([11.0, 0, 4, NAN, 1]), np.array([100.0, 10, 4, 10, 0]))
    root = 1.959964 * math.sqrt(3.841459 + 400 * 0.11 * 0.89)
    assert found.low[0] == pytest.approx((22 + 3.841459 - root) / 207.682918, rel=1e-6)
    assert found.high[0] == pytest.approx((22 + 3.841459 + root) / 207.682918, rel=1e-6)
    # None and all: the interval ends at the end of the scale, and not a rounding beyond.
    assert (found.value[1], found.low[1]) == (0, 0) and 0 < found.high[1] < 1
    assert (found.value[2], found.high[2]) == (1, 1) and 0 < found.low[2] < 1
    assert np.isnan(found.value[3:]).all() and np.isnan(found.low[3:]).all() and np.isnan(found.high[3:]).all()


def test_intervals_equal_those_of_r() -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("needs R (on Debian and Ubuntu: apt-get install r-base-core)")
    counts, parts, wholes = [0, 1, 4, 9], [0, 11, 50, 7], [10, 100, 50, 13]
    script = (
        f"p <- sapply(c({','.join(map(str, counts))}), function(x) poisson.test(x)$conf.int);"
        f"w <- mapply(function(x, n) prop.test(x, n, correct = FALSE)$conf.int, c({','.join(map(str, parts))}), c({','.join(map(str, wholes))}));"
        'cat("[[", paste(format(c(p), digits = 15), collapse = ","), "],[", paste(format(c(w), digits = 15), collapse = ","), "]]")'
    )
    # R warns that approximations may be poor for few; the interval is Wilson's all the same.
    done = subprocess.run(
        ["Rscript", "-e", f"suppressWarnings({{{script}}})"], capture_output=True, text=True, check=True
    )
    theirs, wilson = (np.array(x).reshape(-1, 2) for x in json.loads(done.stdout))
    low, high = poisson_interval(np.array(counts, dtype=float))
    np.testing.assert_allclose(np.stack([low, high], axis=1), theirs, rtol=1e-9, atol=1e-12)
    ours = share(np.array(parts, dtype=float), np.array(wholes, dtype=float))
    np.testing.assert_allclose(np.stack([ours.low, ours.high], axis=1), wilson, rtol=1e-9, atol=1e-12)


def test_a_funnel_by_hand() -> None:
    """Rates of 1%: 100 and 400 as expected, 144 where 100 were: z = 2 (12 - 10.4) with the target of all together."""
    count, people = np.array([100.0, 400, 144]), np.array([10_000.0, 40_000, 10_000])
    found = funnel(count, people, winsorise=0)
    target = 644 / 60_000
    z = [2 * (math.sqrt(x) - math.sqrt(target * n)) for x, n in zip(count, people, strict=True)]
    phi = sum(v * v for v in z) / 3
    assert found.rate == pytest.approx(target)
    assert found.phi == pytest.approx(phi) and phi > 1
    np.testing.assert_allclose(found.z, np.array(z) / math.sqrt(phi))
    half = 1.959964 * math.sqrt(phi) / 2
    assert found.low[0, 0] == pytest.approx((math.sqrt(target * 10_000) - half) ** 2 / 10_000, rel=1e-6)
    assert found.high[1, 0] == pytest.approx((math.sqrt(target * 40_000) + half) ** 2 / 40_000, rel=1e-6)
    # Limits are wider at the outer level, and narrower for the larger organisation.
    assert (found.low[:, 1] < found.low[:, 0]).all() and (found.high[:, 1] > found.high[:, 0]).all()
    assert found.high[1, 0] < found.high[0, 0]


def test_a_funnel_without_more_than_chance_has_the_limits_of_chance() -> None:
    found = funnel(np.array([100.0, 101, NAN, 9, 0.0]), np.array([10_000.0, 10_000, 5, 0, 2]))
    assert found.phi == 1
    assert np.isnan(found.z).tolist() == [False, False, True, True, False]
    # No limit lies below none at all.
    assert found.low[4].tolist() == [0, 0]
    empty = funnel(np.array([NAN]), np.array([5.0]))
    assert np.isnan([empty.rate, empty.phi, *empty.z, *empty.low.ravel(), *empty.high.ravel()]).all()


def test_a_value_far_away_is_drawn_in() -> None:
    """One of eleven stands far off: with a tenth drawn in at each end it moves phi little."""
    count = np.array([*(100.0 + i for i in range(-5, 5)), 400])
    assert funnel(count, np.full(11, 1e4), winsorise=0.1).phi < funnel(count, np.full(11, 1e4), winsorise=0).phi / 3

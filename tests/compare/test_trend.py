"""The test for a trend over the years: by hand, against a slow derivation, and against R."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocktake.compare.trend import Course, share_trend


def test_by_hand() -> None:
    """10, 15 and 20 of 100 each: p = 0.15, slope 0.05 a year, z = 0.05 sqrt(200 / 0.1275) = 1.98, and no departure."""
    found = share_trend(np.array([2014.0, 2015, 2016]), np.array([0.1, 0.15, 0.2]), np.full(3, 100.0))
    assert found.slope == pytest.approx(0.05)
    assert found.z == pytest.approx(0.05 * math.sqrt(200 / 0.1275)) and round(found.z, 2) == 1.98
    assert found.p == pytest.approx(0.0477, abs=1e-4)
    half = 1.959964 * math.sqrt(0.1275 / 200)
    assert (found.low, found.high) == pytest.approx((0.05 - half, 0.05 + half), rel=1e-6)
    assert found.departure == pytest.approx(0.0, abs=1e-12) and found.freedom == 1
    assert found.p_departure == pytest.approx(1.0) and found.course == Course.ROSE


def test_words_of_a_course() -> None:
    year = np.array([2014.0, 2015, 2016])
    n = np.full(3, 1000.0)
    assert share_trend(year, np.array([0.3, 0.25, 0.2]), n).course == Course.FELL
    assert share_trend(year, np.array([0.3, 0.2, 0.3]), n).course == Course.VARIED
    assert share_trend(year, np.array([0.3, 0.31, 0.3]), n).course == Course.NO_CLEAR_CHANGE


@pytest.mark.parametrize(
    ("share", "n"),
    [([0.1, 0.2], [50, 50]), ([0.0, 0.0, 0.0], [50, 50, 50]), ([0.1, math.nan, 0.3], [50, 50, 50]), ([0.1, 0.2, 0.3], [50, 0, 50])],
)  # fmt: skip
def test_what_cannot_be_tested(share: list[float], n: list[float]) -> None:
    """Two years are no trend; nor is what nobody ever answered."""
    year = 2010.0 + np.arange(len(share))
    found = share_trend(year, np.array(share), np.array(n, dtype=float))
    assert math.isnan(found.p) and math.isnan(found.slope) and found.course is None


SAMPLES = st.lists(st.tuples(st.integers(5, 400), st.integers(0, 400)), min_size=3, max_size=9)


@given(SAMPLES)
def test_against_single_people(samples: list[tuple[int, int]]) -> None:
    """Weighted least squares of shares is the slope of a line through every person's 0 or 1."""
    sizes = np.array([n for n, _ in samples], dtype=float)
    given_ = np.array([min(n, k) for n, k in samples], dtype=float)
    found = share_trend(2010.0 + np.arange(len(samples)), given_ / sizes, sizes)
    if given_.sum() in (0, sizes.sum()):
        assert found.course is None
        return
    t = np.repeat(np.arange(len(samples)), sizes.astype(int)).astype(float)
    y = np.concatenate([np.repeat([1.0, 0.0], [int(k), int(n - k)]) for k, n in zip(given_, sizes, strict=True)])
    slope = float(np.cov(t, y, bias=True)[0, 1] / np.var(t))
    assert found.slope == pytest.approx(slope, abs=1e-12)
    # Armitage: z^2 is N times the squared correlation of year and answer.
    assert found.z**2 == pytest.approx(len(y) * np.corrcoef(t, y)[0, 1] ** 2, rel=1e-6, abs=1e-9)
    p = y.mean()
    every = sum(n * (k / n - p) ** 2 for k, n in zip(given_, sizes, strict=True)) / (p * (1 - p))
    assert found.departure == pytest.approx(max(every - found.z**2, 0.0), rel=1e-6, abs=1e-6)


def test_the_same_as_r(tmp_path: Path) -> None:
    """R's prop.trend.test gives the chi-squared of the slope, and prop.test that of all years."""
    if shutil.which("Rscript") is None:
        pytest.skip("needs R: apt-get install r-base-core")
    rng = np.random.default_rng(3)
    for _ in range(5):
        n = rng.integers(50, 900, 6)
        x = rng.binomial(n, rng.uniform(0.1, 0.6, 6))
        year = np.array([2012, 2013, 2014, 2016, 2017, 2019])
        listed = [",".join(map(str, v)) for v in (x, n, year)]
        script = (
            f"x<-c({listed[0]});n<-c({listed[1]});t<-c({listed[2]});"
            "cat(sprintf('%.15g %.15g', prop.trend.test(x,n,t)$statistic, prop.test(x,n)$statistic))"
        )
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True, cwd=tmp_path)
        slope, every = map(float, done.stdout.split())
        found = share_trend(year.astype(float), x / n, n.astype(float))
        assert found.z**2 == pytest.approx(slope, rel=1e-9)
        assert found.departure + found.z**2 == pytest.approx(every, rel=1e-9)

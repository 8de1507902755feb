"""The reference implementation: every formula against the slow, obvious oracle on random surveys."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import oracle
from helpers import Case, cases
from stocktake.compare.change import Verdict, change
from stocktake.compare.estimates import Estimates, Status
from stocktake.compare.expected_range import expected_range
from stocktake.compare.suppress import suppress
from stocktake.survey.instrument import Method
from stocktake.survey.scores import score
from stocktake.survey.tables import open_table
from stocktake.survey.wave import Wave, read_wave

RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def wave_of(case: Case, pairs: bool, method: Method) -> Wave:
    wave = read_wave(
        case.survey, 2024, case.organisations, open_table(case.frame), None, method, pairs=pairs, workers=1
    )
    assert wave.counts is not None
    return wave


def same(ours: float, theirs: float | None, tolerance: float = 1e-9) -> bool:
    if theirs is None:
        return math.isnan(ours)
    return math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance)


def check_estimates(estimates: Estimates, expected: dict[tuple[str, str], oracle.Result]) -> None:
    for i, organisation in enumerate(estimates.organisations):
        for j, measure in enumerate(estimates.measures):
            theirs = expected[organisation, measure.code]
            assert estimates.n[i, j] == theirs.n
            assert same(estimates.value[i, j], theirs.score)
            # A standard error near zero is compared absolutely: both sides carry rounding there.
            assert same(estimates.standard_error[i, j], theirs.standard_error, 1e-7)


SETTINGS = st.fixed_dictionaries(
    {
        "cap": st.sampled_from([None, 1.2, 5.0]),
        "standard_error": st.sampled_from(["linearised", "classical"]),
        "correction": st.sampled_from(["none", "design", "stratum"]),
    }
)


@RELAXED
@given(case=cases(groups=True), chosen=SETTINGS)
def test_scores_and_errors(case: Case, chosen: dict[str, Any]) -> None:
    assume(case.frame.height > 0)
    method = case.survey.method.model_copy(update=chosen)
    counted, looked_up = wave_of(case, True, method), wave_of(case, False, method)
    for group in (None, *(g.code for g in case.survey.groups)):
        expected = oracle.estimate(case.rows(group), case.sections, list(case.organisations), minimum_base=3, **chosen)
        for wave in (counted, looked_up):
            assert wave.counts is not None
            found = score(wave.counts, case.survey, method, group=group, second_pass=wave.second_pass)
            check_estimates(found.estimates, expected)


@RELAXED
@given(case=cases(), shares=st.lists(st.integers(1, 9), min_size=4, max_size=4))
def test_a_common_reference(case: Case, shares: list[int]) -> None:
    assume(case.frame.height > 0)
    cells = len(case.survey.cell_labels)
    reference = {i: s / sum(shares[:cells]) for i, s in enumerate(shares[:cells])}
    wave = wave_of(case, True, case.survey.method)
    assert wave.counts is not None
    found = score(wave.counts, case.survey, case.survey.method, shares=np.array(list(reference.values())))
    expected = oracle.estimate(
        case.rows(), case.sections, list(case.organisations), reference=reference, minimum_base=3
    )
    check_estimates(found.estimates, expected)


@RELAXED
@given(
    case=cases(),
    winsorise=st.sampled_from([0.0, 0.1, 0.25]),
    zero=st.sampled_from(["unbanded", "between"]),
    minimum=st.integers(1, 6),
)
def test_expected_range_and_suppression(case: Case, winsorise: float, zero: Any, minimum: int) -> None:
    assume(case.frame.height > 0)
    wave = wave_of(case, True, case.survey.method)
    assert wave.counts is not None
    shown = suppress(score(wave.counts, case.survey).estimates, minimum)
    ours = expected_range(shown, winsorise=winsorise, zero_spread=zero)
    codes = [m.code for m in shown.measures]
    results = oracle.estimate(case.rows(), case.sections, list(case.organisations), minimum_base=minimum)
    theirs = oracle.compare(results, codes, list(case.organisations), winsorise=winsorise, zero_spread=zero)
    for j, code in enumerate(codes):
        for i, organisation in enumerate(shown.organisations):
            assert (shown.status[i, j] != Status.SHOWN) == results[organisation, code].withheld
        errors = shown.standard_error[:, j]
        # Precisions that differ by more than 1e20 leave neither side a digit to agree on.
        if np.nanmin(errors, initial=1.0, where=errors > 0) < 1e-6:
            continue
        measure = theirs[code]
        assert same(ours.centre[j], measure.centre)
        assert same(ours.lowest[j], measure.lowest)
        assert same(ours.highest[j], measure.highest)
        assert same(ours.phi[j], measure.phi, 1e-7)
        assert same(ours.tau2[j], measure.tau2, 1e-7)
        for i, organisation in enumerate(shown.organisations):
            banded = measure.by_organisation.get(organisation)
            if banded is None or banded.z is None:
                assert ours.band[i, j] == 0
                assert math.isnan(ours.z[i, j])
                continue
            assert same(ours.z[i, j], banded.z, 1e-7)
            near_a_cut = min(abs(abs(banded.z) - c) for c in (1.644854, 1.959964, 3.090232)) < 1e-5
            assert near_a_cut or ours.band[i, j] == banded.band
            assert banded.limits is not None
            for k in range(6):
                assert same(ours.limits[i, j, k], banded.limits[k], 1e-7)


WAVE = st.tuples(st.floats(0, 10), st.one_of(st.just(0.0), st.floats(1e-3, 3)), st.integers(2, 500))


@RELAXED
@given(now=WAVE, then=WAVE, test=st.sampled_from(["z", "t"]), level=st.sampled_from([0.9, 0.95, 0.99]))
def test_change(now: Any, then: Any, test: Any, level: float) -> None:
    as_arrays = [tuple(np.array([float(v)]) for v in wave) for wave in (now, then)]
    ours = change(as_arrays[0], as_arrays[1], test=test, level=level)  # type: ignore[arg-type]
    statistic, verdict = oracle.change(now, then, test=test, level=level)
    assert same(float(ours.statistic[0]), statistic)
    words = {Verdict.INCREASE: "Increase", Verdict.DECREASE: "Decrease", Verdict.NO_CHANGE: "No change"}
    if statistic is None or abs(abs(statistic) - float(ours.critical[0])) > 1e-9:
        assert words.get(Verdict(int(ours.verdict[0]))) == verdict


@pytest.mark.parametrize("pairs", [True, False])
def test_one_organisation_and_no_variance(pairs: bool) -> None:
    """The corners that random data may miss: one organisation only, and answers that are all alike."""
    import polars as pl

    from helpers import small_survey

    survey = small_survey({"S01": [3, 3]})
    frame = pl.DataFrame({"organisation": ["T0"] * 5, "kind": [1, 2, 1, 2, 1], "Q1": [3] * 5, "Q2": [1, 2, 3, 1, 2]})
    wave = wave_of(Case(survey, ("T0",), frame), pairs, survey.method)
    assert wave.counts is not None
    shown = suppress(score(wave.counts, survey, second_pass=wave.second_pass).estimates, 3)
    assert shown.standard_error[0, 0] == 0
    assert shown.value[0, 0] == 10
    compared = expected_range(shown)
    assert (compared.band == 0).all()
    assert list(itertools.chain(*compared.z)) == pytest.approx([math.nan] * 3, nan_ok=True)

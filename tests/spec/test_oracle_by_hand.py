"""The reference implementation checked against arithmetic done on paper; every expected figure is worked out in a comment."""

from __future__ import annotations

import math

import pytest

import oracle
from oracle import Banded, Result, Row


def three_people() -> list[Row]:
    """Three people, one to a cell (p = 1/3 each); with REFERENCE their weights are 1, 3 and 2."""
    return [
        Row("A", 1, {"q1": 10.0, "q2": 6.0}),
        Row("A", 2, {"q1": 2.0, "q2": None}),
        Row("A", 3, {"q2": 3.0}),
    ]


REFERENCE = {1: 1 / 3, 2: 1.0, 3: 2 / 3}


def scored(**scores_and_errors: tuple[float, float]) -> dict[tuple[str, str], Result]:
    """Results of one measure, q, from organisation=(score, standard error)."""
    return {(name, "q"): Result(50, y, s) for name, (y, s) in scores_and_errors.items()}


def check(outcome: tuple[float | None, str | None], statistic: float, verdict: str) -> None:
    """Hold the outcome of a test of change against the statistic and the word expected."""
    assert outcome[0] == pytest.approx(statistic)
    assert outcome[1] == verdict


# Weights -------------------------------------------------------------------------------------------------------------


def test_weight_is_share_among_all_over_share_in_the_organisation() -> None:
    rows = [Row("A", 1, {})] * 3 + [Row("A", 2, {})] + [Row("B", 1, {})] + [Row("B", 2, {})] * 3 + [Row("B", None, {})]
    # Eight rows have a cell, four in each: P = 4/8 = 1/2. The ninth has none: weight 0 and out of every share.
    # A: p_1 = 3/4, w = (1/2)/(3/4) = 2/3; p_2 = 1/4, w = 2.   B: p_1 = 1/4, w = 2; p_2 = 3/4, w = 2/3.
    expected = [2 / 3, 2 / 3, 2 / 3, 2.0, 2.0, 2 / 3, 2 / 3, 2 / 3, 0.0]
    assert oracle.weights(rows) == pytest.approx(expected)


def test_weight_is_capped_and_an_empty_cell_is_not_made_up_for() -> None:
    rows = [Row("A", 1, {})] + [Row("A", 2, {})] * 9 + [Row("B", 1, {})] * 10
    # P_1 = 11/20 = 0.55, P_2 = 9/20 = 0.45.
    # A: p_1 = 1/10, w = 5.5, capped at 5; p_2 = 9/10, w = 0.5.
    # B has nobody in cell 2: p_1 = 1, w = 0.55, and its weights add up to 5.5, not to 10.
    capped = oracle.weights(rows)
    assert capped == pytest.approx([5.0] + [0.5] * 9 + [0.55] * 10)
    assert sum(capped[10:]) == pytest.approx(5.5)
    assert oracle.weights(rows, cap=None)[0] == pytest.approx(5.5)


def test_weight_against_a_reference_population() -> None:
    rows = [Row("A", 1, {})] * 2 + [Row("A", 2, {})] * 2 + [Row("A", 3, {})] * 4
    # p = 1/4, 1/4, 1/2; P = 0.2, 0.6 and, absent, 0: w = 0.8, 2.4, 0.
    assert oracle.weights(rows, reference={1: 0.2, 2: 0.6}) == pytest.approx([0.8] * 2 + [2.4] * 2 + [0.0] * 4)
    assert oracle.weights(three_people(), reference=REFERENCE) == pytest.approx([1.0, 3.0, 2.0])


# Scores and standard errors ------------------------------------------------------------------------------------------


def test_question_score_and_linearised_error() -> None:
    result = oracle.estimate(three_people(), {}, ["A"], reference=REFERENCE)["A", "q1"]
    # q1: weights 1 and 3, scores 10 and 2. W = 4, y = (1*10 + 3*2)/4 = 16/4 = 4.
    # e = 1*(10-4)/4 = 1.5 and 3*(2-4)/4 = -1.5; V = 2.25 + 2.25 = 4.5.
    assert result.n == 2
    assert result.score == pytest.approx(4.0)
    assert result.standard_error == pytest.approx(math.sqrt(4.5))


def test_question_classical_error() -> None:
    results = oracle.estimate(three_people(), {}, ["A"], reference=REFERENCE, standard_error="classical")
    # q1: s2 = (1*36 + 3*4)/4 = 48/4 = 12; sum w^2 / W^2 = (1+9)/16 = 10/16; V = 7.5.
    assert results["A", "q1"].standard_error == pytest.approx(math.sqrt(7.5))
    # q2: weights 1 and 2, scores 6 and 3: W = 3, y = (6+6)/3 = 4; s2 = (1*4 + 2*1)/3 = 2; V = 2 * 5/9 = 10/9.
    assert results["A", "q2"].score == pytest.approx(4.0)
    assert results["A", "q2"].standard_error == pytest.approx(math.sqrt(10 / 9))


def test_section_carries_the_covariance() -> None:
    rows, sections = three_people(), {"s": ["q1", "q2"]}
    section = oracle.estimate(rows, sections, ["A"], reference=REFERENCE)["A", "s"]
    # Scores 4 and 4, mean 4; n = 2 and 2. e_1 = (1.5, -1.5, 0); e_2 = (1*(6-4)/3, 0, 2*(3-4)/3) = (2/3, 0, -2/3).
    # Means (1.5 + 2/3)/2 = 13/12, -3/4, -1/3; V = 169/144 + 81/144 + 16/144 = 266/144.
    # Also (V_1 + V_2 + 2 cov)/4 = (4.5 + 8/9 + 2 * 1.5 * 2/3)/4 = (266/36)/4 = 266/144.
    assert section.n == 2
    assert section.score == pytest.approx(4.0)
    assert section.standard_error == pytest.approx(math.sqrt(266 / 144))
    classical = oracle.estimate(rows, sections, ["A"], reference=REFERENCE, standard_error="classical")["A", "s"]
    # Only the first answered both: s_12 = 1*(10-4)*(6-4)/1 = 12; cov = 12 * 1^2 / (4*3) = 1.
    # V = (7.5 + 10/9 + 2*1)/4 = (67.5 + 10 + 18)/36 = 95.5/36.
    assert classical.standard_error == pytest.approx(math.sqrt(95.5 / 36))


def test_section_without_common_respondents_has_no_covariance() -> None:
    rows = [Row("A", 1, {"q1": x}) for x in (0.0, 10.0)] + [Row("A", 1, {"q2": x}) for x in (4.0, 6.0)]
    # All weights 1. y = 5 and 5; V_1 = (25+25)/4 = 12.5, V_2 = (1+1)/4 = 0.5, cov 0; V = 13/4 by either formula
    # (classical: s2 = 25, 25 * 2/4 = 12.5; s2 = 1, 1 * 2/4 = 0.5).
    linearised = oracle.estimate(rows, {"s": ["q1", "q2"]}, ["A"])["A", "s"]
    classical = oracle.estimate(rows, {"s": ["q1", "q2"]}, ["A"], standard_error="classical")["A", "s"]
    assert linearised.standard_error == pytest.approx(math.sqrt(13 / 4))
    assert classical.standard_error == pytest.approx(math.sqrt(13 / 4))


def test_negative_classical_section_variance_becomes_zero() -> None:
    rows = [Row("A", 1, {"q1": 9.0, "q2": 1.0}), Row("A", 2, {"q1": 5.0, "q2": 5.0})]
    rows += [Row("A", 1, {"q1": 4.0})] * 4 + [Row("A", 1, {"q2": 6.0})] * 4
    reference = {1: 0.9, 2: 0.3}  # p = 9/10 and 1/10: weight 1, but 3 for the second person
    # q1: W = 1+3+4 = 8, y = (9 + 15 + 16)/8 = 5; s2 = (16 + 0 + 4*1)/8 = 2.5; sum w^2 = 1+9+4 = 14;
    # V_1 = 2.5 * 14/64 = 0.546875. q2 is its mirror: y = (1 + 15 + 24)/8 = 5, V_2 = V_1.
    # Both: s_12 = (1*4*(-4) + 3*0*0)/4 = -4; cov = -4 * (1+9)/64 = -0.625. 2*0.546875 - 2*0.625 < 0.
    sections = {"s": ["q1", "q2"]}
    classical = oracle.estimate(rows, sections, ["A"], reference=reference, standard_error="classical")
    assert classical["A", "q1"].standard_error == pytest.approx(math.sqrt(0.546875))
    assert classical["A", "s"].standard_error == 0.0
    # Linearised: first (4/8 - 4/8)/2 = 0, second 0, the other eight +-(1/8)/2 = 1/16: V = 8/256 = 1/32.
    linearised = oracle.estimate(rows, sections, ["A"], reference=reference)["A", "s"]
    assert linearised.standard_error == pytest.approx(math.sqrt(1 / 32))


def test_corrections_multiply_the_variance() -> None:
    rows = [*three_people(), Row("B", 1, {"q1": 5.0}), Row("B", None, {"q1": 5.0})]
    sections = {"s": ["q1", "q2"]}
    # N = 4 rows with a cell, n_A = 3 (not the 2 who answered q1), n_B = 1. V_1 = 4.5 and V_s = 266/144 as above.
    # design: 4/3 * 4.5 = 6;   stratum: 3/2 * 4.5 = 6.75;   B's stratum of one gives no standard error.
    design = oracle.estimate(rows, sections, ["A", "B"], reference=REFERENCE, correction="design")
    stratum = oracle.estimate(rows, sections, ["A", "B"], reference=REFERENCE, correction="stratum")
    assert design["A", "q1"].standard_error == pytest.approx(math.sqrt(6))
    assert design["A", "s"].standard_error == pytest.approx(math.sqrt(4 / 3 * 266 / 144))
    assert design["B", "q1"].standard_error == 0.0
    assert stratum["A", "q1"].standard_error == pytest.approx(math.sqrt(6.75))
    assert stratum["A", "s"].standard_error == pytest.approx(math.sqrt(3 / 2 * 266 / 144))
    assert stratum["B", "q1"].score == 5.0
    assert stratum["B", "q1"].standard_error is None


def test_small_bases_are_withheld_and_take_their_section_along() -> None:
    rows = [Row("A", 1, {"q1": 5.0, "q2": 4.0})] * 29 + [Row("A", 1, {"q1": 5.0, "q2": None})]
    rows += [Row("A", None, {"q1": 0.0, "q2": 0.0})] * 5
    results = oracle.estimate(rows, {"s": ["q1", "q2"], "t": ["q1"]}, ["A"])
    # The five without a cell count nowhere: q1 has 30 answers (shown), q2 has 29 (withheld, and section s with it).
    assert results["A", "q1"] == Result(30, 5.0, 0.0, False)
    assert results["A", "q2"] == Result(29, 4.0, 0.0, True)
    assert results["A", "s"] == Result(29, 4.5, 0.0, True)
    assert results["A", "t"] == Result(30, 5.0, 0.0, False)
    assert not oracle.estimate(rows, {}, ["A"], minimum_base=29)["A", "q2"].withheld


def test_no_answers_or_no_weight_gives_no_score() -> None:
    rows = [Row("A", 1, {"q1": 5.0, "q2": None})]
    results = oracle.estimate(rows, {"s": ["q1", "q2"]}, ["A"], minimum_base=0)
    assert results["A", "q2"] == Result(0, None, None, False)
    assert results["A", "s"] == Result(0, None, None, False)
    # A reference that knows nobody of cell 1: weight 0, sum of weights 0.
    assert oracle.estimate(rows, {}, ["A"], reference={2: 1.0}, minimum_base=0)["A", "q1"] == Result(1, None, None)


def test_answers_all_alike_have_no_spread_at_all() -> None:
    rows = [Row("A", j % 3, {"q1": 10 / 3}) for j in range(10)] + [Row("B", j % 4, {"q1": 0.0}) for j in range(7)]
    # Whatever the weights, the mean of ten times 10/3 is 10/3 and every deviation is 0, to the last bit.
    for results in (oracle.estimate(rows, {}, ["A"]), oracle.estimate(rows, {}, ["A"], standard_error="classical")):
        assert results["A", "q1"].score == 10 / 3
        assert results["A", "q1"].standard_error == 0.0


# Comparison ----------------------------------------------------------------------------------------------------------


def test_percentile_of_type_six() -> None:
    values = [8.0, 1.0, 4.0, 2.0]
    # n = 4, position 5p: p = 0.25 -> 1.25 -> 1 + 0.25*(2-1) = 1.25; 0.5 -> 2.5 -> 2 + 0.5*(4-2) = 3;
    # 0.7 -> 3.5 -> 4 + 0.5*(8-4) = 6; 0.2 -> 1 -> 1; 0.1 -> 0.5, before the first -> 1; 0.9 -> 4.5, past the last -> 8.
    for p, expected in ((0.25, 1.25), (0.5, 3.0), (0.7, 6.0), (0.2, 1.0), (0.1, 1.0), (0.9, 8.0), (0.0, 1.0)):
        assert oracle.percentile(values, p) == pytest.approx(expected)


def test_overdispersion_of_three_alike() -> None:
    comparison = oracle.compare(scored(A=(4, 0.5), B=(5, 0.5), C=(6, 0.5)), ["q"], ["A", "B", "C"])["q"]
    # Centre 5; z = -2, 0, 2; phi = 8/3; v = 4, 4, 4: 12 - 48/12 = 8; tau2 = (3*8/3 - 2)/8 = 0.75; S = sqrt(0.25+0.75) = 1.
    assert (comparison.centre, comparison.lowest, comparison.highest) == (5.0, 4.0, 6.0)
    assert comparison.phi == pytest.approx(8 / 3)
    assert comparison.tau2 == pytest.approx(0.75)
    assert comparison.by_organisation["A"].spread == pytest.approx(1.0)
    assert comparison.by_organisation["A"].z == pytest.approx(-1.0)
    assert [comparison.by_organisation[name].band for name in "ABC"] == [4, 4, 4]


def test_overdispersion_of_four_unlike_with_and_without_winsorising() -> None:
    results = scored(A=(2, 0.5), B=(4, 1.0), C=(6, 1.0), D=(8, 0.5))
    # Centre 5; z = -6, -1, 1, 6; v = 4, 1, 1, 4: 10 - 34/10 = 6.6.
    # Winsorised at 10%: position 0.5 is before the first, so nothing moves: phi = 74/4 = 18.5; tau2 = (74-3)/6.6.
    # At 30%: positions 1.5 and 3.5, -6 + 0.5*5 = -3.5 and 3.5: phi = (12.25+1+1+12.25)/4 = 6.625; tau2 = (26.5-3)/6.6.
    tenth = oracle.compare(results, ["q"], list("ABCD"))["q"]
    third = oracle.compare(results, ["q"], list("ABCD"), winsorise=0.3)["q"]
    assert tenth.phi == pytest.approx(18.5)
    assert tenth.tau2 == pytest.approx(71 / 6.6)
    assert third.phi == pytest.approx(6.625)
    assert third.tau2 == pytest.approx(23.5 / 6.6)
    # A's z is its own, not the winsorised one: (2-5)/sqrt(0.25 + 23.5/6.6).
    assert third.by_organisation["A"].z == pytest.approx(-3 / math.sqrt(0.25 + 23.5 / 6.6))


def test_all_seven_bands_and_their_limits() -> None:
    scores = [1.0, 3.0, 3.2, *[5.0] * 23, 6.8, 7.0, 9.0]
    names = [f"O{j}" for j in range(29)]
    results = {(name, "q"): Result(50, y, 1.0) for name, y in zip(names, scores, strict=True)}
    comparison = oracle.compare(results, ["q"], names)["q"]
    # Centre 5, s = 1: z = -4, -2, -1.8, 0 (23 times), 1.8, 2, 4. Position 30*0.1 = 3, so three on each side become
    # -+1.8: phi = 6 * 3.24 / 29 = 19.44/29; 19.44 < 28, so tau2 = 0, S = 1 and zD = z.
    assert comparison.phi == pytest.approx(19.44 / 29)
    assert comparison.tau2 == 0.0
    bands = [comparison.by_organisation[name].band for name in names]
    assert bands == [1, 2, 3, *[4] * 23, 5, 6, 7]
    # 5 - 3.090232, 5 - 1.959964, 5 - 1.644854, 5 + 1.644854, 5 + 1.959964, 5 + 3.090232.
    expected = (1.909768, 3.040036, 3.355146, 6.644854, 6.959964, 8.090232)
    assert comparison.by_organisation["O0"].limits == pytest.approx(expected, abs=1e-6)


def test_limits_stay_on_the_scale() -> None:
    comparison = oracle.compare(scored(A=(8.9, 1.0), B=(9.1, 1.0)), ["q"], ["A", "B"])["q"]
    # Centre 9, z = -+0.1, phi = 0.01, tau2 = 0, S = 1: 9 + 1.64 and all beyond it is past 10.
    expected = (5.909768, 7.040036, 7.355146, 10.0, 10.0, 10.0)
    assert comparison.by_organisation["A"].limits == pytest.approx(expected, abs=1e-6)


def test_withheld_and_errorless_organisations() -> None:
    results = scored(A=(4, 0.5), B=(5, 0.5), C=(9, 0.0), D=(0, 0.5))
    results["D", "q"].withheld = True
    # D takes no part. Centre (4+5+9)/3 = 6. C has no standard error: phi and tau2 from A and B alone.
    # z = -4, -2; phi = 20/2 = 10; v = 4, 4: 8 - 32/8 = 4; tau2 = (20-1)/4 = 4.75.
    unbanded = oracle.compare(results, ["q"], list("ABCD"))["q"]
    assert (unbanded.centre, unbanded.lowest, unbanded.highest) == (6.0, 4.0, 9.0)
    assert unbanded.phi == pytest.approx(10.0)
    assert unbanded.tau2 == pytest.approx(4.75)
    assert unbanded.by_organisation["A"].z == pytest.approx(-2 / math.sqrt(5.0))
    assert unbanded.by_organisation["C"] == Banded(None, None, 0, None)
    assert unbanded.by_organisation["D"] == Banded(None, None, 0, None)
    # 'between': C's S = sqrt(4.75) = 2.1794, z = 3/2.1794 = 1.3765: about the same. D still takes no part.
    between = oracle.compare(results, ["q"], list("ABCD"), zero_spread="between")["q"]
    assert between.by_organisation["C"].spread == pytest.approx(math.sqrt(4.75))
    assert between.by_organisation["C"].z == pytest.approx(1.3765, abs=1e-4)
    assert between.by_organisation["C"].band == 4
    assert between.by_organisation["D"].band == 0


def test_one_organisation_with_an_error_is_not_enough() -> None:
    comparison = oracle.compare(scored(A=(4, 0.5), B=(6, 0.0)), ["q"], ["A", "B"])["q"]
    assert (comparison.centre, comparison.phi, comparison.tau2) == (5.0, None, None)
    assert set(comparison.by_organisation.values()) == {Banded()}


# Change --------------------------------------------------------------------------------------------------------------


def test_change_by_the_normal_distribution() -> None:
    # 1/sqrt(0.09 + 0.16) = 1/0.5 = 2: past 1.96 (95%), short of 2.576 (99%).
    check(oracle.change((8.0, 0.3, 10), (7.0, 0.4, 17)), 2.0, "Increase")
    check(oracle.change((7.0, 0.3, 10), (8.0, 0.4, 17)), -2.0, "Decrease")
    check(oracle.change((8.0, 0.3, 10), (7.0, 0.4, 17), level=0.99), 2.0, "No change")
    assert oracle.change((8.0, 0.0, 10), (7.0, 0.0, 17)) == (None, None)


def test_change_by_student() -> None:
    # V = 0.09 and 0.16; df = 0.25^2 / (0.09^2/9 + 0.16^2/16) = 0.0625/(0.0009 + 0.0016) = 25.
    # The table's two-sided 95% point for 25 degrees of freedom is 2.060: 2.0 falls short, 2.1 does not.
    check(oracle.change((8.0, 0.3, 10), (7.0, 0.4, 17), test="t"), 2.0, "No change")
    check(oracle.change((8.05, 0.3, 10), (7.0, 0.4, 17), test="t"), 2.1, "Increase")
    check(oracle.change((7.0, 0.3, 10), (8.05, 0.4, 17), test="t"), -2.1, "Decrease")
    # One wave without error: df = V^2/(V^2/(n-1)) = n - 1 = 4, point 2.776: 2.7 falls short, 2.8 does not.
    check(oracle.change((9.7, 1.0, 5), (7.0, 0.0, 1), test="t"), 2.7, "No change")
    check(oracle.change((9.8, 1.0, 5), (7.0, 0.0, 1), test="t"), 2.8, "Increase")

"""Every setting changes a figure, and by as much as arithmetic on paper says.

Each test works its figures out in a comment and holds the product to them with the setting one way and another. The
last test fails for a setting that has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import polars as pl
import pytest
from tiny import NO, TESTED, UNSURE, YES, covers, each, frame, held, invited, row, run, share, some, survey

from stocktake.problems import BlockedError
from stocktake.run.core import Run
from stocktake.survey.instrument import (
    Demographic,
    DemographicOption,
    Group,
    Method,
    Route,
    Survey,
)

# Settings of Method that are tested elsewhere, each with the reason.
EXEMPT: dict[str, str] = {}


# Scores --------------------------------------------------------------------------------------------------------------

# Kind 1 is half of all: A's one person of kind 1 weighs (1/2)/(1/4) = 2, its three of kind 2 (1/2)/(3/4) = 2/3 each.
UNEVEN = [
    some(1, "A", 1, Q1=YES, Q2=YES),
    some(1, "A", 2, Q1=YES, Q2=NO),
    some(1, "A", 2, Q1=NO, Q2=NO),
    some(1, "A", 2, Q1=NO, Q2=UNSURE),
    some(3, "B", 1, Q1=YES, Q2=YES),
    some(1, "B", 2, Q1=NO, Q2=NO),
]


@covers("cap")
def test_cap() -> None:
    """The largest weight, in the score and in the effective base."""
    answers = frame(some(1, "A", 1, Q1=YES), some(7, "A", 2, Q1=NO), some(7, "B", 1, Q1=YES), some(1, "B", 2, Q1=NO))
    # Kind 1 is half of all. A: weights (1/2)/(1/8) = 4 once and (1/2)/(7/8) = 4/7 seven times.
    # No cap: 10 * 4 / (4 + 4) = 5.  Cap 3: 30 / (3 + 4) = 30/7.  Cap 1/2: 5 / (1/2 + 7/2) = 5/4.
    runs = each("cap", (None, 3.0, 0.5), survey(), answers)
    held(runs, lambda done: row(done.scores)["score"], {None: 5.0, 3.0: 30 / 7, 0.5: 5 / 4})
    # (sum w)^2 / sum w^2: 64 / (16 + 7 * 16/49) = 3.5; 49 / (9 + 16/7) = 343/79; 16 / (8 * 1/4) = 8.
    held(runs, lambda done: row(done.scores)["effective_base"], {None: 3.5, 3.0: 343 / 79, 0.5: 8.0})


@covers("standard_error")
def test_standard_error() -> None:
    """Both kinds of standard error, of a question and of a section whose answers hang together."""
    runs = each("standard_error", ("linearised", "classical"), survey((2, 2)), frame(*UNEVEN))

    def variance(measure: str) -> Callable[[Run], float]:
        return lambda done: row(done.scores, measure=measure)["standard_error"] ** 2

    # Q1 of A: weights 2, 2/3, 2/3, 2/3 on 10, 10, 0, 0; W = 4, y = (20 + 20/3)/4 = 20/3.
    # Linearised: e = 2(10/3)/4 = 5/3, (2/3)(10/3)/4 = 5/9, (2/3)(-20/3)/4 = -10/9 twice; V = (225+25+100+100)/81 = 50/9.
    # Classical: s2 = (2*100/9 + (2/3)*100/9 + (4/3)*400/9)/4 = 200/9; sum w^2 = 4 + 12/9 = 16/3; V = 200/9 * (16/3)/16.
    held(runs, variance("Q1"), {"linearised": 50 / 9, "classical": 200 / 27})
    # Q2: 10, 0, 0, not scored; W = 10/3, y = 6. e = 2*4/(10/3) = 12/5 and (2/3)(-6)/(10/3) = -6/5 twice: V = 8.64.
    # Classical: s2 = (2*16 + (4/3)*36)/(10/3) = 24; sum w^2 = 4 + 8/9 = 44/9; V = 24 * (44/9)/(100/9) = 10.56.
    held(runs, variance("Q2"), {"linearised": 8.64, "classical": 10.56})
    # Section, linearised: means of the e: (5/3+12/5)/2 = 183/90, (5/9-6/5)/2 = -29/90, (-10/9-6/5)/2 = -104/90 and
    # (-10/9+0)/2 = -50/90: V = (33489+841+10816+2500)/8100 = 47646/8100.
    # Classical: three answered both. s_12 = (2(10/3)4 + (2/3)(10/3)(-6) + (2/3)(-20/3)(-6))/(10/3) = 40/(10/3) = 12;
    # cov = 12 * (44/9)/(4 * 10/3) = 4.4; V = (200/27 + 10.56 + 2*4.4)/4.
    held(runs, variance("S01"), {"linearised": 47646 / 8100, "classical": (200 / 27 + 10.56 + 8.8) / 4})


@covers("correction")
def test_correction() -> None:
    """The finite-sample factor counts those who can be standardised, in the survey or in the organisation."""
    answers = frame(*UNEVEN, some(5, "A", None, Q1=YES, Q2=YES))
    # Five more without a kind are not scored: V of A's Q1 is 50/9 as above, N = 8, n = 4.
    factors = {"none": 1.0, "design": 8 / 7, "stratum": 4 / 3}
    runs = each("correction", factors, survey((2, 2)), answers)
    for measure, variance in (("Q1", 50 / 9), ("S01", 47646 / 8100)):
        expected = {kind: math.sqrt(variance * factor) for kind, factor in factors.items()}
        held(runs, lambda done, m=measure: row(done.scores, measure=m)["standard_error"], expected)


@covers("group_reference")
def test_group_reference() -> None:
    """A service group standardised to itself, or to all respondents of the survey."""
    inside = {"service": "G"}
    answers = frame(
        some(1, "A", 1, Q1=YES, **inside),
        some(3, "A", 2, Q1=NO, **inside),
        some(3, "B", 1, Q1=YES, **inside),
        some(1, "B", 2, Q1=NO, **inside),
        some(8, "B", 1, Q1=YES, service=None),
    )
    runs = each("group_reference", ("own", "all"), survey(groups=("G",)), answers)
    # In G kind 1 is 4 of 8, in the whole survey 12 of 16. A in G: p = 1/4 and 3/4.
    # Own: w = 2 and 2/3: 10 * 2 / (2 + 2) = 5.   All: w = 3 and 1/3: 10 * 3 / (3 + 1) = 7.5.
    held(runs, lambda done: row(done.scores, group="G")["score"], {"own": 5.0, "all": 7.5})
    # Own: e = 2*5/4 and three of (2/3)(-5)/4: V = 25/4 + 3*25/36.  All: e = 3*2.5/4 and three of (1/3)(-7.5)/4.
    errors = {"own": math.sqrt(25 / 4 + 25 / 12), "all": math.sqrt((7.5 / 4) ** 2 + 3 * (2.5 / 4) ** 2)}
    held(runs, lambda done: row(done.scores, group="G")["standard_error"], errors)
    # The whole survey has but one reference: A's weights are (3/4)/(1/4) = 3 and (1/4)/(3/4) = 1/3, its score 7.5.
    for reference, words in (("own", "the group's respondents"), ("all", "all respondents")):
        assert row(runs[reference].scores)["score"] == pytest.approx(7.5)
        used = runs[reference].measures.filter(pl.col("group") == "G")["reference"].unique().to_list()
        assert used == [words]


@covers("minimum_base")
def test_minimum_base() -> None:
    """A withheld score takes no part in the average."""
    answers = frame(share("A", 1, 4), share("B", 3, 5))
    # A: 2.5 from 4 answers; B: 6 from 5. Average (2.5 + 6)/2 = 4.25, or B's alone.
    runs = each("minimum_base", (4, 5, 6), survey(), answers)
    held(runs, lambda done: row(done.scores)["score"], {4: 2.5, 5: None, 6: None})
    held(runs, lambda done: row(done.scores, "B")["national_average"], {4: 4.25, 5: 6.0, 6: None})


@covers("minimum_answers")
def test_minimum_answers() -> None:
    """A questionnaire with too few answers is not counted; an answer that is not scored is an answer all the same."""
    full = {f"Q{i}": YES for i in range(1, 7)}
    five = {f"Q{i}": NO for i in range(1, 5)} | {"Q5": UNSURE}
    four = {f"Q{i}": NO for i in range(1, 5)}
    answers = frame(some(3, "A", **full), some(1, "A", **five), some(1, "A", **four), some(5, "B", **full))
    # Three questionnaires of six answers give 10, one of five and one of four give 0: 30/5, 30/4, 30/3.
    runs = each("minimum_answers", (4, 5, 6), survey((2,) * 6), answers)
    held(runs, lambda done: row(done.scores)["score"], {4: 6.0, 5: 7.5, 6: 10.0})
    held(runs, lambda done: row(done.fieldwork, measure=None)["completed"], {4: 5, 5: 4, 6: 3})


@covers("maximum_rejected")
def test_maximum_rejected() -> None:
    """More rows set aside than the setting allows stop the run; up to it the others are counted."""
    answers = frame(share("A", 4, 8), some(2, "A"), share("B", 5, 10))
    # Two of twenty have no answer: a tenth.
    assert row(run(survey(), answers, minimum_answers=1, maximum_rejected=0.1).scores)["n"] == 8
    with pytest.raises(BlockedError, match="2 of 20"):
        run(survey(), answers, minimum_answers=1, maximum_rejected=0.09)


@covers("routed_past")
def test_routed_past() -> None:
    """An answer to a question that an earlier answer leads past is set aside or kept, and found either way."""
    chosen = survey((2, 2, 2))
    first = chosen.questions[0].model_copy(update={"routes": (Route(answers=(YES,), skip_to="Q3"),)})
    chosen = chosen.model_copy(update={"questions": (first, *chosen.questions[1:])})
    answers = frame(some(2, "A", Q1=YES, Q2=YES, Q3=YES), some(2, "A", Q1=NO, Q2=NO, Q3=NO))
    # Two who answered Q1 with YES should not have answered Q2: 0 from the two others, or (10+10+0+0)/4.
    runs = each("routed_past", ("set aside", "keep"), chosen, answers)
    held(runs, lambda done: row(done.scores, measure="Q2")["score"], {"set aside": 0, "keep": 5})
    held(runs, lambda done: row(done.scores, measure="Q2")["n"], {"set aside": 2, "keep": 4})
    for done in runs.values():
        assert row(done.scores, measure="Q3")["n"] == 4
        assert done.findings.filter(pl.col("check") == "answer routed past").height == 2
    # An answer set aside does not count towards the fewest answers.
    runs = each("routed_past", ("set aside", "keep"), chosen, answers, minimum_answers=3)
    held(runs, lambda done: row(done.scores)["n"], {"set aside": 2, "keep": 4})


def with_other_kind(chosen: Survey, *, from_sample: bool = True) -> Survey:
    """Kind 3 has no standardisation cell; the sample file may know the kind of those who give none."""
    options = (*(DemographicOption(code=k, label=f"Kind {k}") for k in (1, 2)),)
    other = DemographicOption(code=3, label="Kind 3", cell=False)
    kind = Demographic(code="kind", title="Kind", options=(*options, other), from_sample=from_sample)
    return chosen.model_copy(update={"demographics": (kind,)})


@covers("unclassified")
def test_unclassified() -> None:
    """Who is of a kind without a cell is scored by the sample file's kind, or not at all."""
    answers = frame(some(2, "A", 1, Q1=YES), some(2, "A", 3, Q1=NO), some(2, "B", 1, Q1=YES), some(2, "B", 2, Q1=NO))
    sample = invited((4, "A", 1), (4, "B", 1), kind=[1, 1, 2, 2, 1, 1, 2, 2])
    # By the sample file A has two of each kind, as B has: all weights 1, 20/4 = 5. Left out, the two with 10 remain.
    runs = each("unclassified", ("sample file", "leave out"), with_other_kind(survey()), answers, sample=sample)
    held(runs, lambda done: row(done.scores)["score"], {"sample file": 5.0, "leave out": 10.0})
    held(runs, lambda done: row(done.scores)["n"], {"sample file": 4, "leave out": 2})
    assert [row(done.fieldwork, measure=None)["completed"] for done in runs.values()] == [4, 4]
    # Left out, kind 1 is 4 of 6: B's weights are (2/3)/(1/2) = 4/3 and (1/3)/(1/2) = 2/3: (4/3 * 20)/(4) = 20/3.
    held(runs, lambda done: row(done.scores, "B")["score"], {"sample file": 5.0, "leave out": 20 / 3})


@covers("Demographic.from_sample")
def test_the_sample_file_stands_in_for_a_blank() -> None:
    """A blank is filled from the sample file only where the demographic says so."""
    answers = frame(some(2, "A", 1, Q1=YES), some(2, "A", None, Q1=NO), some(2, "B", 1, Q1=YES), some(2, "B", 2, Q1=NO))
    sample = invited((4, "A", 1), (4, "B", 1), kind=[1, 1, 2, 2, 1, 1, 2, 2])
    for from_sample, n, score in ((True, 4, 5.0), (False, 2, 10.0)):
        found = row(run(with_other_kind(survey(), from_sample=from_sample), answers, sample=sample).scores)
        assert (found["n"], found["score"]) == (n, score)


# The expected range --------------------------------------------------------------------------------------------------

# Four organisations of y = 5 from 16 answers, s = sqrt(25/16) = 1.25; X has y = 8 from 25, s = sqrt(16/25) = 0.8.
# Average 28/5 = 5.6; z = -0.6/1.25 = -0.48 four times and 2.4/0.8 = 3. v = 1/s^2 = 0.64 four times and 1.5625:
# sum v - sum v^2 / sum v = BELOW.  Without one of the four: average 5.75, z = -0.6 three times and 2.8125.
FIVE = [*(share(t, 8, 16) for t in ("T1", "T2", "T3", "T4")), share("X", 20, 25)]
BELOW = 4.1225 - (4 * 0.64**2 + 1.5625**2) / 4.1225


def phi(done: Run) -> float:
    return float(done.measures.filter(pl.col("measure") == "Q1")["phi"][0])


def bands(done: Run) -> tuple[int, int]:
    """X's band in the survey, and its lowest without one of the others."""
    firm = row(done.results.firmness, "X")
    return firm["band"], firm["left_out_lowest"]


@covers("winsorise")
def test_winsorise() -> None:
    """z-scores drawn in: phi, the band, and the bands on leaving one out."""
    # The upper limit of five is at place 6(1 - w): w = 0.1, 5.4: none is drawn in, phi = (4 * 0.2304 + 9)/5 = 1.98432.
    # w = 0.2, 4.8: -0.48 + 0.8 * 3.48 = 2.304, phi = (0.9216 + 5.308416)/5.  w = 0.4, 3.6: all -0.48, phi = 0.2304.
    expected = {0.1: 1.98432, 0.2: 1.2460032, 0.4: 0.2304}
    runs = each("winsorise", expected, survey(), frame(*FIVE))
    held(runs, phi, expected)
    # z of X = 2.4 / sqrt(0.64 + max(0, 5 phi - 4) / BELOW): 1.509, 2.064 and 3.0, bands 4, 6 and 6.
    # Of the four that are left: place 5(1 - w) = 4.5 and 4: none drawn in, tau2 = (1.08 + 2.8125^2 - 3)/2.4286 = 2.4665,
    # z = 2.25/sqrt(3.1065) = 1.277, band 4; place 3: all -0.6, tau2 = 0, z = 2.8125, band 6.
    held(
        runs,
        lambda done: row(done.scores, "X")["z"],
        {part: 2.4 / math.sqrt(0.64 + max(0.0, 5 * value - 4) / BELOW) for part, value in expected.items()},
    )
    assert {part: bands(done) for part, done in runs.items()} == {0.1: (4, 4), 0.2: (6, 4), 0.4: (6, 6)}


@covers("percentile")
def test_percentile() -> None:
    """Four ways to find the place of a percentile; with a fifth drawn in, four different phi and three bands."""
    # The place of the 80th percentile of five and the value there, v = -0.48 + (place - 4) * 3.48; phi = (0.9216 + v^2)/5.
    # weibull 6 * 0.8 = 4.8: 2.304;  linear 1 + 4 * 0.8 = 4.2: 0.216;  hazen 5 * 0.8 + 0.5 = 4.5: 1.26;
    # median_unbiased (5 + 1/3) * 0.8 + 1/3 = 4.6: 1.608.
    values = {"weibull": 2.304, "linear": 0.216, "hazen": 1.26, "median_unbiased": 1.608}
    expected = {kind: (0.9216 + value**2) / 5 for kind, value in values.items()}
    runs = each("percentile", expected, survey(), frame(*FIVE), winsorise=0.2)
    held(runs, phi, expected)
    # Of four: places 4, 3.4, 3.7 and 3.8, v = 2.8125, 0.765, 1.78875 and 2.13; with 1.08 + v^2 above 3,
    # tau2 = 2.4665, 0, 0.5269 and 1.0775: z = 2.25/sqrt(0.64 + tau2) = 1.277, 2.813, 2.083 and 1.717.
    found = {kind: bands(done) for kind, done in runs.items()}
    assert found == {"weibull": (6, 4), "linear": (6, 6), "hazen": (6, 6), "median_unbiased": (6, 5)}


@covers("zero_spread")
def test_zero_spread() -> None:
    """An organisation whose answers do not vary is banded by tau alone, or not at all."""
    answers = frame(share("A", 5, 25), share("B", 20, 25), some(5, "C", Q1=YES))
    # A: 2, B: 8, both with V = 16/25; C: 10 and no variance. Average 20/3; z = -(14/3)/0.8 = -35/6 and (4/3)/0.8 = 5/3.
    # phi = (1225/36 + 100/36)/2; v = 1/0.64 each: below = 1.5625; tau2 = (1325/36 - 1)/1.5625; z of C = (10/3)/tau.
    tau = math.sqrt((1325 / 36 - 1) / 1.5625)
    runs = each("zero_spread", ("unbanded", "between"), survey(), answers)
    held(runs, lambda done: row(done.scores, "C")["z"], {"unbanded": None, "between": 10 / 3 / tau})
    found = row(runs["unbanded"].scores, "C")
    assert (found["status"], found["score"], found["national_average"]) == ("not banded", 10.0, pytest.approx(20 / 3))
    # Where tau is 0 there is no band either way: A and B 5 from 4 answers, z = -(5/3)/2.5 = -2/3, 2 phi = 8/9 < 1.
    alike = frame(share("A", 2, 4), share("B", 2, 4), some(5, "C", Q1=YES))
    assert row(run(survey(), alike, zero_spread="between").scores, "C")["band"] is None


@covers("zero_spread")
def test_zero_spread_on_leaving_one_out() -> None:
    """The bands without another organisation follow the same rule."""
    answers = frame(*FIVE, some(5, "C", Q1=YES))
    # Average 38/6. Without one T: 6.6, z = -1.28 and 1.75: tau2 = (3 * 1.6384 + 3.0625 - 3)/2.4286 = 2.0496,
    # z of C = 3.4/1.4316 = 2.375, band 6. Without X: 6, z = -0.8, 4 * 0.64 < 3, tau = 0, no band.
    between = row(run(survey(), answers, zero_spread="between").results.firmness, "C")
    assert [between[c] for c in ("band", "left_out_lowest", "left_out_highest", "survives")] == [6, 6, 6, True]
    unbanded = row(run(survey(), answers, zero_spread="unbanded").results.firmness, "C")
    assert [unbanded[c] for c in ("band", "left_out_lowest", "left_out_highest")] == [None, None, None]


# How firm ------------------------------------------------------------------------------------------------------------

# Nine organisations of y = 4.2 from 50, and X: y = 8 from 10, s = sqrt(16/10). Average (9 * 4.2 + 8)/10 = 4.58.
# With a fifth Winsorised all z are that of the nine, -0.38/sqrt(4.2 * 5.8/50) = -0.544: phi < 0.9, tau = 0, S = s.
TEN = frame(*(share(f"T{i}", 21, 50) for i in range(1, 10)), share("X", 8, 10))
TENTH = {"winsorise": 0.2}
MANY = 5_000
# Five thousand draws find a share within 0.03, more than four of its standard errors, 0.5/sqrt(5,000) = 0.0071.
NEAR = 0.03


def chance(n: int, p: float, outside: set[int]) -> float:
    """The chance of these numbers of n people, of whom a share p is expected, given that neither none nor all are."""
    each = {k: math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(1, n)}
    return sum(each[k] for k in outside) / sum(each.values())


def p_outside(answers: pl.DataFrame, **settings: Any) -> float:
    return float(row(run(survey(), answers, **{**TENTH, "draws": MANY, **settings}).results.firmness, "X")["p_outside"])


@covers("draws")
def test_draws() -> None:
    """Without draws the normal approximation is used; with more of them the share comes near to its true value."""
    # A draw has k of 10 with 10 points, its z = (k - 4.58)/sqrt(k (10 - k)/10): outside 1.645 for k = 1 (-3.77),
    # 2 (-2.04), 7 (1.67), 8 (2.70) and 9 (4.66). k = 0 and 10 do not vary and have no band.
    assert p_outside(TEN) == pytest.approx(chance(10, 0.8, {1, 2, 7, 8, 9}), abs=NEAR)
    # Normal: inside are 4.58 -/+ 1.644854 s, about 8 with deviation s.
    s = math.sqrt(1.6)
    low, high = 4.58 - 1.6448536269514722 * s, 4.58 + 1.6448536269514722 * s
    inside = NormalDist(8, s).cdf(high) - NormalDist(8, s).cdf(low)
    assert p_outside(TEN, draws=0) == pytest.approx(1 - inside, abs=1e-9)
    # Each share of T1, all of whose draws have a band, is a whole number of draws.
    for draws in (7, 64):
        firm = row(run(survey(), TEN, draws=draws, **TENTH).results.firmness, "T1")
        shares = [value * draws for name, value in firm.items() if name.startswith("p_")]
        assert shares == pytest.approx([round(share) for share in shares], abs=1e-9)


@covers("draws", "seed")
def test_draws_and_seed_change_nothing_but_the_resampled_shares() -> None:
    first = run(survey(), TEN, draws=50, seed=1, **TENTH)
    follow = {"probability_method", "firm"}
    shares = [c for c in first.results.firmness.columns if c.startswith("p_") or c in follow]
    for draws, seed, same in ((50, 1, True), (50, 2, False), (51, 1, False), (0, 1, False)):
        other = run(survey(), TEN, draws=draws, seed=seed, **TENTH)
        assert other.results.firmness.equals(first.results.firmness) == same
        assert other.results.firmness.drop(shares).equals(first.results.firmness.drop(shares))
        for table in ("scores", "changes", "fieldwork", "profile", "measures"):
            assert getattr(other.results, table).equals(getattr(first.results, table)), table
        kinds = other.results.firmness["probability_method"].unique().to_list()
        assert kinds == ["resampled" if draws else "normal approximation"]


@covers("seed")
def test_seed() -> None:
    """Another beginning gives another share, near to the same."""
    found = [p_outside(TEN, seed=seed) for seed in (1, 2)]
    assert found[0] != found[1]
    assert found == pytest.approx([chance(10, 0.8, {1, 2, 7, 8, 9})] * 2, abs=NEAR)


@covers("correction")
def test_correction_of_every_draw() -> None:
    """A draw's error has the same factor: sqrt(10/9) for ten people brings z of k = 7 from 1.67 to 1.58."""
    expected = {"none": {1, 2, 7, 8, 9}, "stratum": {1, 2, 8, 9}}
    for kind, outside in expected.items():
        assert p_outside(TEN, correction=kind) == pytest.approx(chance(10, 0.8, outside), abs=NEAR)


@covers("zero_spread")
def test_zero_spread_of_every_draw() -> None:
    """A draw whose answers are all alike is banded by tau alone, or left out."""
    answers = frame(*(share(t, 20, 50) for t in "AB"), *(share(t, 30, 50) for t in "CD"), share("X", 1, 2))
    # Average 5; z = -1.443 and 1.443 twice each and 0; tau2 = (4 * 2.0833 - 4)/6.349 = 0.6825. Of X's draws half are one
    # 0 and one 10, about the same; a quarter are two of 0, z = -5/0.826 = -6.05, and a quarter two of 10.
    for way, better in (("unbanded", 0.0), ("between", 0.25)):
        firm = row(run(survey(), answers, draws=MANY, zero_spread=way).results.firmness, "X")
        close = NEAR if better else 0
        assert firm["p_much_better"] == pytest.approx(better, abs=close)
        assert firm["p_outside"] == pytest.approx(2 * better, abs=close)


# X: two of kind 1 with 10 points and eight of kind 2 with 0. Nine organisations, 40 of kind 1 and 10 of kind 2, y = 4.
# Z has thirty of kind 1 and no scored answer, so that kind 1 is (9 * 40 + 2 + 30)/(450 + 10 + 30) = 0.8 of all.
# A draw has k of kind 1: w = 8/k and 2/(10 - k), all of it y = 8 unless capped. Average (36 + 8)/10 = 4.4, tau = 0.
KINDS = frame(
    *(
        some(16, t, 1, Q1=YES) + some(24, t, 1, Q1=NO) + some(4, t, 2, Q1=YES) + some(6, t, 2, Q1=NO)
        for t in (f"T{i}" for i in range(1, 10))
    ),
    some(2, "X", 1, Q1=YES),
    some(8, "X", 2, Q1=NO),
    some(30, "Z", 1, Q1=UNSURE),
)


@covers("standard_error", "cap")
def test_standard_error_and_cap_of_every_draw() -> None:
    """Each draw is weighted, capped and given its error as the survey is."""
    # Linearised: V = 2.56 (1/k + 1/(10 - k)): z = 3.6/sqrt(V) = 2.13 for k = 1 and more for all others.
    assert p_outside(KINDS) == pytest.approx(1.0, abs=1e-12)
    # Classical: V = 16 (0.64/k + 0.04/(10 - k)): z = 1.12, 1.58, 1.92, 2.20 for k = 1 to 4, and more up to 9.
    from_three = chance(10, 0.2, set(range(3, 10)))
    assert p_outside(KINDS, standard_error="classical") == pytest.approx(from_three, abs=NEAR)
    # Cap 2: kind 1 weighs a = min(2k, 8) in all, kind 2 weighs 2: y = 10a/(a + 2), 6.67 for X's own k = 2, and the average
    # is (36 + 6.67)/10 = 4.267. V = (20a/(a + 2)^2)^2 (1/k + 1/(10 - k)): z = 0.28, 1.37, 2.50, 3.61 for k = 1 to 4.
    assert p_outside(KINDS, cap=2.0) == pytest.approx(from_three, abs=NEAR)


# Two questions, a fifth Winsorised. Nine organisations of 10 in 20, y = 5. X: 16 of 20 to Q1 and 15 of 20 to Q2.
# Q1: average 5.3, z = 2.7/sqrt(16/20) = 3.019; Q2: average 5.25, z = 2.25/sqrt(18.75/20) = 2.324; tau = 0 for both.
PAIR = frame(
    *(some(10, f"T{i}", Q1=YES, Q2=YES) + some(10, f"T{i}", Q1=NO, Q2=NO) for i in range(1, 10)),
    some(15, "X", Q1=YES, Q2=YES) + some(1, "X", Q1=YES, Q2=NO) + some(4, "X", Q1=NO, Q2=NO),
)


@covers("false_discovery")
def test_false_discovery() -> None:
    """Which of an organisation's results stand; q-values by Benjamini and Hochberg are the same whatever is tolerated."""
    first, second = (2 * NormalDist().cdf(-z) for z in (2.7 / math.sqrt(0.8), 2.25 / math.sqrt(0.9375)))
    # p = 0.0025 and 0.0201: q of the smaller is the least of 2 p1 and 2 p2 / 2, q of the larger 2 p2 / 2.
    assert (first, second) == pytest.approx((0.002538, 0.020137), abs=1e-6)
    expected = {None: [None, None], 0.002: [False, False], 0.01: [True, False], 0.99: [True, True]}
    # A limit with a case on either side: q = 0.0201366 itself stands.
    expected |= {second * (1 - 1e-9): [True, False], second * (1 + 1e-9): [True, True]}
    for rate, stands in expected.items():
        firm = run(survey((2, 2)), PAIR, false_discovery=rate, **TENTH).results.firmness
        rows = [row(firm, "X", q) for q in ("Q1", "Q2")]
        assert [r["stands"] for r in rows] == stands, rate
        assert [r["q_value"] for r in rows] == pytest.approx([2 * first, second])
        # A result about the same as others has nothing to stand by, however much is tolerated.
        assert row(firm, "T1")["stands"] is (None if rate is None else False)


# Change --------------------------------------------------------------------------------------------------------------

# Five answers now, y = 8, V = 16/5 = 3.2; ten the year before, y = 3, V = 21/10 = 2.1: 5/sqrt(5.3) = 2.171856.
NOW, THEN = frame(share("A", 4, 5), share("B", 1, 2)), frame(share("A", 3, 10), share("B", 1, 2))


def changed(**settings: Any) -> dict[str, Any]:
    found = row(run(survey(), NOW, earlier={2023: THEN}, **settings).changes)
    assert (found["difference"], found["statistic"]) == pytest.approx((5.0, 5 / math.sqrt(5.3)))
    return found


@covers("change_test")
def test_change_test() -> None:
    """The normal distribution, or Student's t with Welch's degrees of freedom, each wave one fewer than its answers."""
    # 5.3^2 / (3.2^2/4 + 2.1^2/9) = 28.09/3.05 = 9.2098 degrees; tables: 2.262157 for 9 and 2.228139 for 10.
    # Between them 1/df is nearly linear: 2.228139 + (1/9.2098 - 1/10)/(1/9 - 1/10) * 0.034018 = 2.254408.
    z, t = changed(change_test="z"), changed(change_test="t")
    assert z["critical"] == pytest.approx(1.959964, abs=1e-6)
    assert t["critical"] == pytest.approx(2.2544, abs=1e-4)
    assert (z["verdict"], t["verdict"]) == ("Increase", "No change")
    assert (z["test"], t["test"]) == ("z", "t")


@covers("change_level")
def test_change_level() -> None:
    """Two-sided: 90% is 1.644854, 95% 1.959964, 99% 2.575829; with t and 9.2 degrees 90% lies between 1.8331 and 1.8125."""
    criticals = {0.9: 1.6448536269514722, 0.95: 1.959963984540054, 0.99: 2.5758293035489004}
    runs = each("change_level", criticals, survey(), NOW, earlier={2023: THEN})
    held(runs, lambda done: row(done.changes)["critical"], criticals)
    assert [row(done.changes)["verdict"] for done in runs.values()] == ["Increase", "Increase", "No change"]
    assert 1.8125 < changed(change_level=0.9, change_test="t")["critical"] < 1.8331
    # The level at which 2.171856 is reached is 2 * 0.985067 - 1; a hair beside it decides.
    level = 2 * NormalDist().cdf(5 / math.sqrt(5.3)) - 1
    assert changed(change_level=level - 1e-9)["verdict"] == "Increase"
    assert changed(change_level=level + 1e-9)["verdict"] == "No change"


@covers("change_reference")
def test_change_reference() -> None:
    """The year before standardised to its own respondents, or to this year's."""
    mixed = {"Q1": YES}, {"Q1": NO}
    now = frame(
        some(1, "A", 1, **mixed[0]),
        some(3, "A", 2, **mixed[1]),
        some(3, "B", 1, **mixed[0]),
        some(1, "B", 2, **mixed[1]),
    )
    then = frame(some(2, "A", 1, **mixed[0]), some(2, "A", 2, **mixed[1]), some(4, "B", 1, **mixed[0]))

    # Now kind 1 is 4 of 8, A's w = 2 and 2/3, y = 20/4 = 5. Then it was 6 of 8: A's w = 0.75/0.5 = 1.5 and 0.5,
    # y = 30/4 = 7.5; to this year's half and half w = 1, y = 20/4 = 5.
    runs = each("change_reference", ("own", "common"), survey(), now, earlier={2023: then})
    held(runs, lambda done: row(done.changes)["score_then"], {"own": 7.5, "common": 5.0})
    held(runs, lambda done: row(done.changes)["difference"], {"own": -2.5, "common": 0.0})
    # V now: (2*5/4)^2 + 3 (2/3*5/4)^2 = 25/3. Then, own: 2 (1.5*2.5/4)^2 + 2 (0.5*7.5/4)^2 = 4 * 0.9375^2.
    statistic = -2.5 / math.sqrt(25 / 3 + 4 * 0.9375**2)
    held(runs, lambda done: row(done.changes)["statistic"], {"own": statistic, "common": 0.0})
    # The year's own results are what they were.
    assert [row(done.scores, year=2023)["score"] for done in runs.values()] == pytest.approx([7.5, 7.5])


# Service groups ------------------------------------------------------------------------------------------------------


def of_group(**rules: Any) -> tuple[Survey, pl.DataFrame, pl.DataFrame]:
    """A survey with one service group and two waves; A's scores in it: Q1 7.5 after 5, Q2 5 after 5."""
    chosen = survey((2, 2)).model_copy(update={"groups": (Group(code="G", title="Group", value="G", **rules),)})
    g = {"service": "G"}
    now = frame(
        some(2, "A", Q1=YES, Q2=YES, **g),
        some(1, "A", Q1=YES, Q2=NO, **g),
        some(1, "A", Q1=NO, Q2=NO, **g),
        some(2, "B", Q1=YES, Q2=YES, **g),
        some(2, "B", Q1=NO, Q2=NO, **g),
    )
    then = frame(*(some(2, t, Q1=YES, Q2=YES, **g) + some(2, t, Q1=NO, Q2=NO, **g) for t in "AB"))
    return chosen, now, then


@covers("Group.report", "Group.note")
def test_report_of_a_group() -> None:
    """full: everything; questions: no sections; scores: scores alone, without a comparison, with a reason."""
    done = {}
    for kind in ("full", "questions", "scores"):
        chosen, now, then = of_group(report=kind, note="Too few people use it.")
        done[kind] = run(chosen, now, earlier={2023: then})
        assert row(done[kind].scores, group="G")["score"] == 7.5
        # Nothing of this reaches the results of all together: Q1 7.5, Q2 5, S01 their mean.
        assert row(done[kind].scores, measure="S01")["score"] == pytest.approx(6.25)
    sections = {kind: row(r.scores, measure="S01", group="G") for kind, r in done.items()}
    assert [s["score"] for s in sections.values()] == [pytest.approx(6.25), None, pytest.approx(6.25)]
    assert [s["status"] for s in sections.values()] == ["shown", "left out", "not banded"]
    # Average of Q1: (7.5 + 5)/2.
    averages = [row(r.scores, group="G")["national_average"] for r in done.values()]
    assert averages == [6.25, 6.25, None]
    assert [row(r.scores, group="G")["band"] for r in done.values()] == [4, 4, None]
    assert row(done["scores"].scores, group="G")["reason"] == "Too few people use it."
    tables = {
        kind: [
            t.filter(pl.col("group") == "G").drop_nulls(by).height
            for t, by in ((r.changes, "difference"), (r.results.firmness, "band"))
        ]
        for kind, r in done.items()
    }
    # Two organisations, two questions and a section, or the questions alone, or nothing.
    assert tables == {"full": [6, 6], "questions": [4, 4], "scores": [0, 0]}
    assert row(done["full"].changes, group="G")["difference"] == 2.5
    chosen, now, _ = of_group(report="scores")
    assert row(run(chosen, now).scores, group="G")["reason"] == "Scores of this group are not compared."


@covers("Group.left_out")
def test_questions_left_out_of_a_group() -> None:
    """A question left out is withheld for every organisation of the group, and its section with it; all keep it."""
    for left_out, in_group in (((), 5.0), (("Q2",), None)):
        chosen, now, then = of_group(left_out=left_out)
        done = run(chosen, now, earlier={2023: then})
        for organisation in "AB":
            found = row(done.scores, organisation, "Q2", group="G")
            assert (found["score"], found["national_average"]) == (in_group, in_group)
            assert (row(done.scores, organisation, "S01", group="G")["score"] is None) == bool(left_out)
            assert row(done.scores, organisation, "Q2")["score"] == 5.0
        assert row(done.scores, group="G")["score"] == 7.5
        assert row(done.changes, measure="Q2", group="G")["difference"] == (None if left_out else 0.0)
    assert found["reason"] == "Left out for every trust in this service group."


# Every setting -------------------------------------------------------------------------------------------------------


def test_every_setting_has_a_test() -> None:
    """A setting of the method without a test here is a setting that may do nothing."""
    assert not set(Method.model_fields) - set(TESTED) - set(EXEMPT)
    assert not set(EXEMPT) & set(TESTED), "tested after all"
    assert {f"Group.{rule}" for rule in set(Group.model_fields) - {"code", "title", "value"}} <= set(TESTED)

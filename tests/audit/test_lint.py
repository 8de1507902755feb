"""Contradictions between printed figures: each rule on a pair that breaks it and one that does not, and a whole real pack."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stocktake.audit.claims import Claims, load_claims, parse_claims
from stocktake.audit.lint import RULES, lint
from stocktake.audit.printed import Printed, exact, printed
from stocktake.problems import StocktakeError

PACK = Path(__file__).parent / "claims_cmhs_2017.yaml"

# What the linter finds in the pack, by the names of the list of contradictions that was made by hand.
FOUND = {
    "I1": ("parts of a whole", {"white_british", "other_ethnic"}),
    "I2": ("ratio", {"enhanced_each"}),
    "I3": ("in or out", {"referrals_with", "referrals_without"}),
    "I4": ("same figure", {"c4_2016", "c4_words"}),
    "I5": ("superlative", {"most_in_nonpsychosis"}),
    "I6": ("superlative", {"largest_here", "largest_there"}),
    "I7, I17": ("one name, several populations", {"caseload_rate", "acute_rate", "staff_rate"}),
    "A.4": ("one name, several populations", {"therapists_rate", "enhanced_rate"}),
    "I10": ("n x mean", {"referrals_mean", "referrals"}),
    "I11": ("n x mean", {"cost_mean", "cost"}),
    "I13": ("page number", {"person_cost_all"}),
    "I15": ("parts of a whole", {"cost_generic", "cost_mean"}),
    "I15, rates": ("parts of a whole", {"cost_rate_generic", "cost_rate"}),
    "I15, rates again": ("parts of a whole", {"cost_rate_generic", "cost_rate_again"}),
    "I16, generic": ("product", {"person_cost_generic"}),
    "I16, assertive": ("product", {"person_cost_assertive"}),
    "I16, rehabilitation": ("product", {"person_cost_rehabilitation"}),
    "I20": ("overlap", {"origin_police", "origin_other"}),
    "I24": ("period", {"period"}),
    "I25": ("time base", {"trend_since_2013", "trend_over_5"}),
    "I25, clusters": ("time base", {"c1_falls", "most_in_nonpsychosis"}),
    "I28": ("vocabulary", {"housing_name", "housing_name_again"}),
    "I29": ("vocabulary", {"perinatal_name", "perinatal_name_again"}),
}  # fmt: skip


def test_the_pack_has_the_contradictions_that_are_listed_and_no_other() -> None:
    found = lint(load_claims(PACK))
    left = list(found)
    for name, (rule, some) in FOUND.items():
        match = [c for c in left if c.rule == rule and some <= set(c.claims)]
        assert len(match) == 1, name
        left.remove(match[0])
    assert left == []


def test_relations_that_hold_are_not_found() -> None:
    """Sums of beds, sources, clusters and authorities; a column of rounded shares that makes 101; unit costs; both ends of ranges."""
    named = {i for c in lint(load_claims(PACK)) for i in c.claims}
    every = load_claims(PACK)
    holding = [c.id for c in every.claims if c.id.startswith(("beds", "source_", "la_", "assertive_", "place", "each_", "months_", "missed_", "young", "old", "provider_", "assessments_"))]  # fmt: skip
    assert len(holding) > 60
    assert not named & set(holding)
    assert not named & {
        "caseload",
        "caseload_about",
        "staff_share_generic",
        "nurses_share",
        "person_cost_perinatal",
        "cost_falls",
    } - {"caseload"}


def claims(*entries: dict[str, Any], **more: Any) -> Claims:
    rows = [{"id": f"c{i}", "where": f"page {i}", "measure": "m", **e} for i, e in enumerate(entries)]
    return parse_claims(yaml.safe_dump({"title": "T", "claims": rows, **more}), "claims.yaml")


def said(*entries: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    return [(c.rule, c.sentence) for c in lint(claims(*entries, **more))]


TOTAL, MEAN, SHARE, RATE = ({"stat": s} for s in ("total", "mean", "share", "rate"))


def test_rounding_alone_is_no_contradiction() -> None:
    assert said({**TOTAL, "figure": "698,444"}, {**TOTAL, "figure": "700,000", "how": "about"}) == []
    assert said({**TOTAL, "figure": "14.49m"}, {**TOTAL, "figure": "14m", "how": "truncated"}) == []
    assert said({**TOTAL, "figure": "32%"}, {**TOTAL, "figure": "33%"}) == [
        ("same figure", "page 0 and page 1: m is 32% and 33%.")
    ]


def part(name: str, figure: str, **more: Any) -> dict[str, Any]:
    return {"part": name, "by": "kind", "figure": figure, "complete": True, **more}


def test_parts_and_wholes() -> None:
    assert said({**SHARE, **part("a", "50%")}, {**SHARE, **part("b", "49%")}) == []
    assert said({**SHARE, **part("a", "50%")}, {**SHARE, **part("b", "48%")}) == [
        ("parts of a whole", "page 0 and page 1: the parts 50%, 48% sum to 97 to 99%, not 100%.")
    ]
    # Some parts may leave something, and may not be more than all.
    assert said({**SHARE, **part("a", "50%", complete=False)}, {**SHARE, **part("b", "20%")}) == []
    (more,) = said({**SHARE, **part("a", "60%", complete=False)}, {**SHARE, **part("b", "50%")})
    assert more[1].endswith("sum to 109 to 111%, more than 100%.")
    # One part is not a whole, and a part that is printed twice is one.
    assert said({**SHARE, **part("a", "50%")}) == []
    assert said({**SHARE, **part("a", "50%")}, {**SHARE, **part("a", "50%")}, {**SHARE, **part("b", "50%")}) == []
    assert said({**TOTAL, **part("a", "5")}, {**TOTAL, **part("b", "6")}, {**TOTAL, "figure": "11"}) == []
    (wrong,) = said({**TOTAL, **part("a", "5")}, {**TOTAL, **part("b", "6")}, {**TOTAL, "figure": "20"})
    assert wrong[1].endswith("the parts of m sum to 10 to 12; the whole is printed as 20.")
    assert said({**TOTAL, **part("a", "5", complete=False)}, {**TOTAL, "figure": "20"}) == []
    # Of another kind of figure nothing follows.
    assert said({**RATE, **part("a", "5", per=1000)}, {**RATE, "figure": "20", "per": 10}) == []


def test_ratios_and_products() -> None:
    two = ({**TOTAL, "figure": "100", "measure": "x"}, {**TOTAL, "figure": "50", "measure": "y"})
    assert said(*two, {"stat": "ratio", "figure": "2", "over": ["c0", "c1"]}) == []
    (wrong,) = said(*two, {"stat": "ratio", "figure": "3", "over": ["c0", "c1"]})
    assert wrong == ("ratio", "page 2 and page 0 and page 1: 100 over 50 is 1.97 to 2.03; m is printed as 3.")
    assert said(*two, {**SHARE, "figure": "200%", "over": ["c0", "c1"]}) == []
    # Over what rounds to nothing it may be anything from some figure on.
    nothing = ({**TOTAL, "figure": "5", "measure": "x"}, {**TOTAL, "figure": "0", "measure": "y"})
    assert said(*nothing, {"stat": "ratio", "figure": "40", "over": ["c0", "c1"]}) == []
    (few,) = said(*nothing, {"stat": "ratio", "figure": "5", "over": ["c0", "c1"]})
    assert "5 over 0 is 9 or more; m is printed as 5." in few[1]
    assert said(*two, {**TOTAL, "figure": "5,000", "times": ["c0", "c1"]}) == []
    (wrong,) = said(*two, {**TOTAL, "figure": "6,000", "times": ["c0", "c1"]})
    assert wrong[0] == "product" and "100 times 50 is 4,925 to 5,075" in wrong[1]


def test_means_times_organisations() -> None:
    mean = {**MEAN, "figure": "10", "organisations": 5}
    assert said(mean, {**TOTAL, "figure": "52"}) == []
    (wrong,) = said(mean, {**TOTAL, "figure": "70"})
    assert (
        wrong[0] == "n x mean"
        and "makes 47.5 to 52.5; 70 is printed, as 6.62 to 7.42 organisations would make" in wrong[1]
    )
    # Without a number of organisations, or of another part, nothing follows.
    assert said({**MEAN, "figure": "10"}, {**TOTAL, "figure": "70"}) == []
    assert said({**mean, "part": "a"}, {**TOTAL, "figure": "70"}) == []
    # Of two totals the more exact one counts.
    assert len(said(mean, {**TOTAL, "figure": "52"}, {**TOTAL, "figure": "50", "how": "about"})) == 0


def test_rates_times_populations() -> None:
    rate = {**RATE, "figure": "20", "per": 1000, "population": "adults"}
    total = {**TOTAL, "figure": "200"}
    assert said(rate, total, populations={"adults": "10,000"}) == []
    (wrong,) = said(rate, total, populations={"adults": "20,000"})
    assert wrong == (
        "rate x population",
        "page 0 and page 1: 200 at 20 per 1,000 are 9,732 to 10,282 people; adults are 20,000 to 20,000.",
    )
    other = (
        {**RATE, "measure": "o", "figure": "20", "per": 1000, "population": "adults"},
        {**TOTAL, "measure": "o", "figure": "300"},
    )
    (several,) = said(rate, total, *other)
    assert several[0] == "one name, several populations" and "9,732 to 10,282 by m; 14,610 to 15,410 by o" in several[1]
    assert said(rate, total, {**other[0], "population": "children"}, other[1]) == []
    assert said({**rate, "population": ""}, total) == []


def test_ranges() -> None:
    ends = ({"stat": "lowest", "figure": "3"}, {"stat": "highest", "figure": "52"})
    assert said({**MEAN, "figure": "14"}, *ends) == []
    assert [r for r, _ in said({**MEAN, "figure": "2"}, *ends)] == ["range"]
    (high,) = said({"stat": "median", "figure": "60"}, *ends)
    assert high[1].endswith("the median of m, 60, lies beyond the highest, 52.")
    assert said({**MEAN, "figure": "2", "part": "a"}, *ends) == []


def test_page_numbers() -> None:
    """A figure that is its page's number is a stray one only where it is unlike all others of its statistic."""
    others = tuple({"stat": "ratio", "figure": f, "of": o} for f, o in (("£3,345", "a"), ("£2,829", "b")))
    stray = {"stat": "ratio", "figure": "35", "page": 35}
    ((rule, words),) = said(*others, stray)
    assert rule == "page number" and words.endswith(
        "35, as m, is the number of the page and unlike the other 2 figures."
    )
    assert said(*others, {**stray, "page": 36}) == said(*others, {**stray, "page": None}) == said(stray) == []
    assert said({"stat": "ratio", "figure": "£40", "of": "a"}, stray) == []


def test_directions() -> None:
    series = ({**TOTAL, "figure": "100", "year": 2012}, {**TOTAL, "figure": "80", "year": 2016})
    falls = {"stat": "words", "direction": "falls", "years": [2012, 2016]}
    assert said(*series, falls) == []
    (wrong,) = said(*series, {**falls, "direction": "rises"})
    assert wrong[1].endswith("m rises by the words; from 2012 to 2016 it goes from 100 to 80.")
    (also,) = said(series[1], {**series[0], "year": 2017}, {**falls, "years": [2016, 2017]})
    assert also[0] == "direction"
    # Within rounding, or with one year alone, nothing follows.
    assert (
        said(
            {**SHARE, "figure": "5%", "year": 2012},
            {**SHARE, "figure": "5%", "year": 2016},
            {**falls, "direction": "rises"},
        )
        == []
    )
    assert said(series[0], {**falls, "direction": "rises"}) == []


def test_superlatives() -> None:
    most = {"stat": "words", "superlative": "largest fall", "years": [2014, 2016]}
    assert said({**most, "part": "a"}, {**most, "part": "a"}) == []
    assert [r for r, _ in said({**most, "part": "a"}, {**most, "part": "b"})] == ["superlative"]
    shares = (
        {**SHARE, "part": "a", "figure": "34%", "year": 2014},
        {**SHARE, "part": "a", "figure": "38%", "year": 2016},
    )
    assert [r for r, _ in said(*shares, {**most, "part": "a"})] == ["superlative"]
    assert said(*shares, {**most, "part": "a", "superlative": "largest rise"}) == []
    down = ({**shares[0], "figure": "40%"}, shares[1])
    assert said(*down, {**most, "part": "a"}) == []
    assert [r for r, _ in said(*down, {**most, "part": "a", "superlative": "largest rise"})] == ["superlative"]
    assert said(shares[0], {**most, "part": "a"}) == []
    assert said(*shares, {**most, "part": "a", "superlative": "smallest fall"}) == []


def test_what_is_in_and_what_overlaps() -> None:
    one = {**TOTAL, "figure": "5", "includes": ["crisis"]}
    assert said(one, {**TOTAL, "figure": "5", "includes": ["crisis"]}) == []
    assert [r for r, _ in said(one, {**TOTAL, "figure": "5", "excludes": ["crisis"]})] == ["in or out"]
    assert said(one, {**TOTAL, "figure": "5", "year": 2016, "excludes": ["crisis"]}) == []
    assert said(one, {**TOTAL, "figure": "5", "excludes": ["other"]}) == []
    a, b = ({**SHARE, **part(p, "50%"), "includes": ["x"]} for p in "ab")
    assert [r for r, _ in said(a, b)] == ["overlap"]
    assert said(a, {**b, "includes": ["y"]}) == []
    assert said(a, a) == []


def test_periods_time_bases_and_names() -> None:
    words = {"stat": "words"}
    assert said({**words, "period": "2014/15 to 2016/17"}, {**words, "period": "1999/00"}) == []
    assert said({**words, "period": "2015/15"}) == [("period", "page 0: 2015/15 is no year; expected 2015/16.")]
    falls = {**words, "direction": "falls", "years": [2012, 2016]}
    assert said(falls, falls) == []
    assert [r for r, _ in said(falls, {**falls, "years": [2013, 2016]})] == ["time base"]
    assert said({**words, "part": "p", "called": "Memory"}, {**words, "part": "p", "called": "memory"}) == []
    assert [r for r, _ in said({**words, "called": "One"}, {**words, "called": "Two"})] == ["vocabulary"]


def test_nothing_is_found_twice() -> None:
    assert len(RULES) == 16
    found = lint(load_claims(PACK))
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("text", "how", "expected"),
    [
        ("36,579", "rounded", (36_579, 36_578.5, 36_579.5)),
        ("£2.38bn", "rounded", (2.38e9, 2.375e9, 2.385e9)),
        ("1.9 million", "about", (1.9e6, 1.85e6, 1.95e6)),
        ("82%", "rounded", (82, 81.5, 82.5)),
        ("700,000", "about", (7e5, 6.5e5, 7.5e5)),
        ("430k", "about", (430e3, 425e3, 435e3)),
        ("14m", "truncated", (14e6, 14e6, 15e6)),
        ("-15%", "rounded", (-15, -15.5, -14.5)),
        ("0", "about", (0, 0, 0.5)),
        ("9.3", "rounded", (9.3, 9.25, 9.35)),
    ],
)
def test_what_a_printed_figure_may_be(text: str, how: Any, expected: tuple[float, float, float]) -> None:
    found = printed(text, how)
    assert (found.value, found.low, found.high) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "about 5", "1,5", "5..", "n/a", "12,34", "5 %%"])
def test_what_is_no_figure(text: str) -> None:
    with pytest.raises(StocktakeError, match="expected a figure such as"):
        printed(text)


@given(st.decimals(0, 10**6, places=4), st.integers(0, 3))
def test_what_rounds_to_a_figure_is_within_it(value: Decimal, places: int) -> None:
    text = f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"
    found = printed(text)
    assert found.low - 1e-9 <= float(value) <= found.high + 1e-9


def test_arithmetic_of_intervals() -> None:
    five, two = Printed(5, 4, 6), Printed(2, 1, 3)
    assert five.plus(two) == Printed(7, 5, 9)
    assert five.less(two) == Printed(3, 1, 5)
    assert five.times(two) == Printed(10, 4, 18)
    assert five.over(two) == Printed(2.5, 4 / 3, 6)
    assert math.isinf(five.over(Printed(0, 0, 1)).high)
    # Neighbours of rounding only touch; an exact figure may lie at an end.
    assert not Printed(1, 0.5, 1.5).meets(Printed(2, 1.5, 2.5))
    assert exact(1.5).meets(Printed(1, 0.5, 1.5)) and not exact(1.6).meets(Printed(1, 0.5, 1.5))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"stat": "total", "figure": "many"}, "claims.1: found 'many'; expected a figure"),
        ({"stat": "total"}, "claims.1: a claim without a figure is of words"),
        ({"stat": "ratio", "figure": "2", "over": ["c0"]}, "claims.1: `over` names two claims"),
        ({"stat": "ratio", "figure": "2", "over": ["c0", "d"]}, "claims.1.over: no claim 'd'."),
        ({"stat": "ratio", "figure": "2", "times": ["c0", "c2"]}, "claims.1.times: 'c2' has no figure."),
        ({"stat": "ratio", "figure": "2", "over": ["c0", "c3"]}, "claims.1.over: 'c3' is below zero"),
        ({"id": "c0", "stat": "total", "figure": "2"}, "claims.1.id: 'c0' appears twice."),
        ({"stat": "sum", "figure": "2"}, "claims.1.stat"),
    ],
)
def test_mistakes_in_claims(entry: dict[str, Any], expected: str) -> None:
    with pytest.raises(StocktakeError) as error:
        claims(
            {"stat": "total", "figure": "1"}, entry, {"stat": "words"}, {"stat": "total", "figure": "-3", "part": "p"}
        )
    assert any(expected in p for p in error.value.problems), error.value.problems


def test_files_of_claims_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(StocktakeError, match="no such file"):
        load_claims(tmp_path / "none.yaml")
    with pytest.raises(StocktakeError, match="expected a mapping"):
        parse_claims("- a\n", "list.yaml")
    with pytest.raises(StocktakeError, match=r"populations\.adults: found 'x'"):
        claims({"stat": "total", "figure": "1"}, populations={"adults": "x"})

"""Figures of organisations and areas, by hand and against a slow derivation."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_audit import PEOPLE, populations, register, spec
from stocktake.audit.answers import NO_SERVICE, answers_of, cells_behind
from stocktake.audit.figures import (
    BOUNDARIES,
    NO_POPULATION,
    NOT_ANSWERED,
    NOT_ASKED,
    NOTHING,
    SHOWN,
    Block,
    Source,
)
from stocktake.audit.figures import (
    NO_SERVICE as NONE,
)
from stocktake.audit.tables import figures_columns, national_rows, summary_rows

SPEC, WHO = spec(), register()
GIVEN = [
    ("T1", "beds", (), 30.0),
    ("T2", "beds", (), 10.0),
    ("T3", "beds", (), 20.0),
    *(("T1", "referrals", (t, s), v) for t, s, v in (("generic", "gp", 60.0), ("generic", "other", 20.0))),
    *(
        ("T2", "referrals", (t, s), v)
        for t, s, v in (
            ("generic", "gp", 90.0),
            ("generic", "other", 30.0),
            ("crisis", "gp", 6.0),
            ("crisis", "other", 24.0),
        )
    ),
    *(("T3", "referrals", (t, s), 5.0) for t in ("generic", "crisis") for s in ("gp", "other")),
    ("T1", "accepted", ("generic",), 40.0),
    ("T2", "accepted", ("generic",), 90.0),
    ("T2", "accepted", ("crisis",), 30.0),
    ("T1", "months", ("generic",), 10.0),
    ("T2", "months", ("generic",), 20.0),
    ("T2", "months", ("crisis",), 0.0),
    ("C1", "shared", ("yes_",), 1.0),
    ("C1", "shared", ("no_",), 0.0),
    ("L1", "workers", (), 25.0),
]
SERVICES = {"T1": {"team": frozenset(["generic"])}}
EARLIER = {("ENG", "past", ("generic",), 2015): 3000.0, ("ENG", "past", ("crisis",), 2015): 1000.0,
           ("ENG", "past", ("generic",), 2016): 0.0, ("ENG", "past", ("crisis",), 2016): 0.0}  # fmt: skip


def source(given: Iterable[tuple[str, str, tuple[str, ...], float]] = GIVEN) -> Source:
    return Source(SPEC, answers_of(SPEC, WHO, given, SERVICES, EARLIER), WHO, populations())


def figures(
    given: Iterable[tuple[str, str, tuple[str, ...], float]] = GIVEN,
) -> dict[tuple[str, str, int | None, str], tuple[str, float]]:
    return {
        (b.indicator.code, b.part, b.year, code): (str(b.status[i]), float(b.value[i]))
        for b in source(given).blocks()
        for i, code in enumerate(b.organisations)
    }


FOUND = figures()


@pytest.mark.parametrize(
    ("indicator", "part", "year", "organisation", "status", "value"),
    [
        ("A1", "", None, "T1", SHOWN, 30),
        # T3 serves two areas, and is overseen by one region.
        ("A1", "", None, "S1", SHOWN, 40),
        ("A1", "", None, "S2", BOUNDARIES, math.nan),
        ("A1", "", None, "R1", SHOWN, 60),
        ("A1", "", None, "ENG", SHOWN, 60),
        # T1 has no crisis team: 80 referrals of 100,000 people.
        ("A2", "", None, "T1", SHOWN, 80),
        ("A2", "", None, "T2", SHOWN, 50),
        ("A2", "", None, "T3", NO_POPULATION, math.nan),
        # 230 referrals of 400,000 people; T3, whose people are not known, is in neither.
        ("A2", "", None, "S1", SHOWN, 57.5),
        ("A2", "", None, "R1", SHOWN, 57.5),
        ("A4", "", None, "T1", SHOWN, 50),
        ("A4", "", None, "T2", SHOWN, 75),
        ("A4", "", None, "T3", NOT_ANSWERED, math.nan),
        ("A4", "", None, "S1", SHOWN, 65),
        ("A4", "", None, "ENG", SHOWN, 65),
        # Of 200 referrals to generic teams of the first area 150 are of practices; all of 230: 156.
        ("A5", "gp/generic", None, "S1", SHOWN, 75),
        ("A5", "gp/all", None, "S1", SHOWN, 100 * 156 / 230),
        ("A5", "gp/crisis", None, "T1", NONE, math.nan),
        ("A5", "gp/crisis", None, "S1", SHOWN, 20),
        # T2 has 30 of its 150 referrals in the crisis team, T1 none of its 80.
        ("B4", "crisis", None, "T2", SHOWN, 20),
        ("B4", "crisis", None, "S1", SHOWN, 100 * 30 / 230),
        ("B4", "generic", None, "S1", SHOWN, 100 * 200 / 230),
        # Means are over organisations that have the service.
        ("A6", "generic", None, "S1", SHOWN, 15),
        ("A6", "crisis", None, "S1", SHOWN, 0),
        ("A7", "yes_", None, "ENG", SHOWN, 100),
        ("A7", "yes_", None, "C2", NOT_ANSWERED, math.nan),
        ("A7", "yes_", None, "S2", NOT_ANSWERED, math.nan),
        ("A7", "yes_", None, "S3", NOT_ASKED, math.nan),
        ("A8", "", None, "L1", SHOWN, 5),
        ("A8", "", None, "S1", SHOWN, 5),
        ("A9", "generic", 2015, "ENG", SHOWN, 300),
        ("A9", "generic", 2016, "ENG", SHOWN, 0),
        ("B1", "generic", 2015, "ENG", SHOWN, 75),
        ("B1", "generic", 2016, "ENG", NOTHING, math.nan),
        ("B2", "", None, "T2", NOTHING, math.nan),
        ("B2", "", None, "T1", NONE, math.nan),
        ("B2", "", None, "S1", NOTHING, math.nan),
        ("B3", "", None, "S1", NOT_ANSWERED, math.nan),
    ],
)  # fmt: skip
def test_by_hand(indicator: str, part: str, year: int | None, organisation: str, status: str, value: float) -> None:
    found, number = FOUND[indicator, part, year, organisation]
    assert found == status
    assert number == pytest.approx(value, nan_ok=True)


def test_a_series_needs_the_people_of_its_year() -> None:
    people = populations()
    del people.people["ENG", next(k for c, k in people.people if c == "ENG")]  # type: ignore[attr-defined]
    found = Source(SPEC, answers_of(SPEC, WHO, GIVEN, SERVICES, EARLIER), WHO, people)
    (block,) = [b for b in found.blocks() if b.indicator.code == "A9" and b.part == "generic" and b.year == 2015]
    assert list(block.status) == [NO_POPULATION]
    empty = Source(SPEC, answers_of(SPEC, WHO, [], None, None), WHO, people)
    assert {str(s) for b in empty.blocks() if b.year for s in b.status} == {NOT_ANSWERED}


def test_a_ratio_of_an_area_over_nothing() -> None:
    given = [*GIVEN, ("T1", "months", ("crisis",), 0.0)]
    assert figures(given)["B2", "", None, "S1"][0] == NOTHING
    given = [
        ("T1", "accepted", ("generic",), 0.0),
        *(("T1", "referrals", ("generic", s), 0.0) for s in ("gp", "other")),
    ]
    given += [
        ("T2", "accepted", ("generic",), NO_SERVICE),
        *(("T2", "referrals", ("generic", s), NO_SERVICE) for s in ("gp", "other")),
    ]
    assert figures(given)["A4", "", None, "T1"][0] == NOTHING
    assert figures(given)["A4", "", None, "S1"][0] == NOTHING


def test_people_of_no_known_number() -> None:
    given = [("T3", "referrals", (t, s), 5.0) for t in ("generic", "crisis") for s in ("gp", "other")]
    found = figures(given)
    assert found["A2", "", None, "R1"][0] == NOT_ANSWERED
    given += [("T1", "referrals", p, NO_SERVICE) for p in (("generic", "gp"), ("generic", "other"))]
    given += [("T2", "referrals", (t, s), NO_SERVICE) for t in ("generic", "crisis") for s in ("gp", "other")]
    assert figures(given)["A2", "", None, "R1"][0] == NO_POPULATION
    assert figures(given)["A2", "", None, "S1"][0] == NONE


answers = st.lists(
    st.tuples(
        st.sampled_from(["T1", "T2", "T3"]),
        st.sampled_from([("generic", "gp"), ("generic", "other"), ("crisis", "gp"), ("crisis", "other")]),
        st.one_of(st.integers(0, 500).map(float), st.just(NO_SERVICE)),
    ),
    unique_by=lambda x: x[:2],
)


@settings(max_examples=150, deadline=None)
@given(answers)
def test_rates_against_a_slow_derivation(cells: list[tuple[str, tuple[str, str], float]]) -> None:
    """Every trust, area and the country, from single cells, with loops and no arrays."""
    given_ = [(o, "referrals", p, v) for o, p, v in cells]
    found = figures(given_)
    known = {(o, p): v for o, p, v in cells}
    known |= {("T1", ("crisis", s)): NO_SERVICE for s in ("gp", "other") if ("T1", ("crisis", s)) not in known}
    totals: dict[str, float | None] = {}
    for trust in ("T1", "T2", "T3"):
        own = [known.get((trust, (t, s))) for t in ("generic", "crisis") for s in ("gp", "other")]
        if None in own:
            totals[trust] = None
        else:
            there = [v for v in own if v is not None and v != NO_SERVICE]
            totals[trust] = sum(there) if there else NO_SERVICE
    for trust, total in totals.items():
        status, value = found["A2", "", None, trust]
        if total is None:
            assert status == NOT_ANSWERED
        elif total == NO_SERVICE:
            assert status == NONE
        elif trust == "T3":
            assert status == NO_POPULATION
        else:
            assert (status, value) == (SHOWN, pytest.approx(total / PEOPLE[trust] * 100_000))
    status, value = found["A2", "", None, "S1"]
    both = [totals[t] for t in ("T1", "T2")]
    if None in both:
        assert status == NOT_ANSWERED
    elif all(t == NO_SERVICE for t in both):
        assert status == NONE
    else:
        # The people of a trust without the service are people of the area.
        assert value == pytest.approx(sum(t for t in both if t and t != NO_SERVICE) / 400_000 * 100_000)


def test_tables_of_results() -> None:
    blocks: list[Block] = list(source().blocks())
    columns = figures_columns(blocks, SPEC, WHO)
    assert len({len(v) for k, v in columns.items() if k != "audit"}) == 1
    rows = {(r["indicator"], r["part"], r["kind"]): r for r in summary_rows(blocks, SPEC)}
    a2 = rows["A2", "", "trust"]
    assert (a2["n"], a2["asked"], a2["mean"], a2["median"], a2["fold"]) == (2, 3, 65, 65, 1.6)
    assert rows["A6", "crisis", "trust"]["no_service"] == 1
    at = [
        i
        for i, (c, o) in enumerate(zip(columns["indicator"], columns["organisation"], strict=True))
        if (c, o) == ("A4", "T1")
    ]
    # At the median of 50 and 75, 62.5%, ten more of 80 referrals would be accepted.
    assert columns["opportunity"][at[0]] == pytest.approx(10)
    national = {(r["indicator"], r["part"]): r for r in national_rows(source(), blocks)}
    # The country's people are those of its CCGs, 600,000: a mean of 65 per 100,000 is 390.
    assert national["A2", ""]["value"] == pytest.approx(390) and national["A2", ""]["times"] == 600_000
    assert national["A1", ""]["value"] == pytest.approx(60) and national["A1", ""]["n"] == 3
    # One trust without beds, and 10 and 20 in the others: 30 in the country, not three times their mean of 15.
    none = [("T1", "beds", (), NO_SERVICE), ("T2", "beds", (), 10.0), ("T3", "beds", (), 20.0)]
    national = {(r["indicator"], r["part"]): r for r in national_rows(source(none), list(source(none).blocks()))}
    assert (national["A1", ""]["mean"], national["A1", ""]["n"]) == (10, 3)
    assert national["A1", ""]["value"] == pytest.approx(30)
    empty = {(r["indicator"], r["part"]): r for r in national_rows(source([]), list(source([]).blocks()))}
    assert empty["A2", ""]["mean"] is None and empty["A2", ""]["n"] == 0


def test_answers_by_row_and_the_cells_behind_a_figure() -> None:
    found = answers_of(SPEC, WHO, GIVEN, SERVICES)
    row = found.organisations["trust"].index("T2")
    assert found.cells["beds", "trust"][row, 0] == 10
    assert np.isnan(found.cells["accepted", "trust"][found.organisations["trust"].index("T3"), 0])
    assert cells_behind(SPEC, ["referrals.crisis"], {"source": "gp"}) == [("referrals", ("crisis", "gp"))]

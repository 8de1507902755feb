"""Tallies by group, and differences adjusted for age and sex: by hand and against single people."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import small_survey
from stocktake.survey.breakdowns import (
    Breakdown,
    Tally,
    adjusted_difference,
    adjustment_cells,
    breakdown_of,
    tallies,
)
from stocktake.survey.counts import Batch, Layout
from stocktake.survey.instrument import Demographic, DemographicOption, Survey

OPTIONS = tuple(DemographicOption(code=i, label=w) for i, w in ((1, "One"), (2, "Two")))
BASE = small_survey({"S01": [2]}, cells=2)
SURVEY = BASE.model_copy(
    update={
        "demographics": (
            *BASE.demographics,
            Demographic(code="sex", title="Sex", options=OPTIONS),
            Demographic(code="faith", title="Faith of people", options=(*OPTIONS, DemographicOption(code=3, label="Three"))),
        ),
        "cells": ("kind", "sex"),
    }
)  # fmt: skip


def people_batch(people: list[tuple[int, int, int, int, int]], survey: Survey = SURVEY) -> tuple[Batch, Layout]:
    """People as (organisation, kind, sex, faith, answer), each demographic from 1 with 0 for unknown."""
    layout = Layout.of(survey, ["T0", "T1"])
    table = np.array(people, dtype=np.int64).reshape(-1, 5)
    known = (table[:, 1] > 0) & (table[:, 2] > 0)
    cell = np.where(known, (table[:, 1] - 1) * 2 + table[:, 2] - 1, layout.cells)
    key = table[:, 0] * layout.strata + cell
    by_code = {"Q1": 4, "kind": 1, "sex": 2, "faith": 3}
    return Batch(key, tuple(table[:, by_code[code]].astype(np.int16) for code, _ in layout.questions)), layout


PEOPLE = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40)
@given(PEOPLE, st.integers(1, 59))
def test_tallies_are_sums_over_people(people: list[tuple[int, int, int, int, int]], cut: int) -> None:
    weights = np.array([[1.0, 0.5, 2.0, 1.5], [0.25, 3.0, 1.0, 0.75]])
    breakdowns = [
        Breakdown("all", ("Everybody",)),
        Breakdown("region", ("North",), organisations=(0, -1)),
        breakdown_of(SURVEY, ("faith",)),
        breakdown_of(SURVEY, ("sex", "faith")),
    ]
    batches = [people_batch(part)[0] for part in (people[:cut], people[cut:]) if part]
    layout = people_batch(people)[1]
    found = tallies(batches, layout, SURVEY, {"Q1": weights}, breakdowns)
    for b in breakdowns:
        expected = {k: np.zeros((len(b.labels) + 1, 4, 4)) for k in ("count", "weight", "square")}
        for organisation, kind, sex, faith, answer in people:
            if not kind or not sex:
                continue
            cell = (kind - 1) * 2 + sex - 1
            level = {
                "all": 0,
                "region": 0 if organisation == 0 else 1,
                "faith": faith - 1 if faith else 3,
                "sex and faith": (sex - 1) * 3 + faith - 1 if faith else 6,
            }[b.name]
            w = weights[organisation, cell]
            for name, value in (("count", 1), ("weight", w), ("square", w**2)):
                expected[name][level, cell, answer] += value
        for name, table in expected.items():
            assert getattr(found["Q1", b.name], name) == pytest.approx(table)


def test_tallies_of_batches_add() -> None:
    one, layout = people_batch([(0, 1, 1, 1, 1)])
    other, _ = people_batch([(1, 1, 1, 1, 1)])
    weights = {"Q1": np.full((2, 4), 2.0)}
    found = tallies([one, other], layout, SURVEY, weights, [Breakdown("all", ("Everybody",))])["Q1", "all"]
    assert found.count[0, 0, 1] == 2 and found.weight[0, 0, 1] == 4.0 and found.square[0, 0, 1] == 8.0


def test_names_of_groups() -> None:
    both = breakdown_of(SURVEY, ("sex", "faith"))
    assert both.labels[:2] == ("One, One", "One, Two") and len(both.labels) == 6
    assert both.title == "Sex and faith of people" and both.name == "sex and faith"


def tally(cells: list[tuple[int, int]]) -> Tally:
    """People of weight 1 by cell: how many gave the answer, and how many another."""
    table = np.array([[0, yes, no] for yes, no in cells])
    return Tally(table, table.astype(float), table.astype(float))


GAVE, COUNTED = np.array([False, True, False]), np.array([False, True, True])


def test_a_difference_that_age_explains() -> None:
    """Young people say yes in 1 of 4, old ones in 3 of 4, whichever group they are in: 62.5% of a group that is mostly
    old against 37.5% of one that is mostly young, and no difference at the same mix."""
    own, others = tally([(1, 3), (9, 3)]), tally([(3, 9), (3, 1)])
    found = adjusted_difference(own, others, GAVE, COUNTED, np.array([0, 1]))
    assert found.plain == pytest.approx(0.25)
    assert found.adjusted == pytest.approx(0.0) and found.z == pytest.approx(0.0) and found.covered == 1.0
    # Each side's variance: mix 1/2 of each cell, share 1/2, so sum (0.5 / n)^2 n / 4 over the cells of 4 and 12 people.
    half = 1.959964 * math.sqrt(2 * (0.25 / 4 + 0.25 / 12) / 4)
    assert (found.low, found.high) == pytest.approx((-half, half), rel=1e-6)
    # Not adjusted, the difference stands as it is.
    alone = adjusted_difference(own, others, GAVE, COUNTED, np.array([0, 0]))
    assert alone.adjusted == pytest.approx(0.25)


def test_where_nothing_can_be_compared() -> None:
    """No cell has people of both; one has only some; and where nobody's answers differ there is no chance to test."""
    apart = adjusted_difference(tally([(3, 1), (0, 0)]), tally([(0, 0), (1, 3)]), GAVE, COUNTED, np.array([0, 1]))
    assert math.isnan(apart.adjusted) and apart.covered == 0.0 and apart.plain == pytest.approx(0.5)
    some = adjusted_difference(tally([(3, 1), (5, 5)]), tally([(0, 0), (1, 3)]), GAVE, COUNTED, np.array([0, 1]))
    assert some.adjusted == pytest.approx(0.25) and some.covered == pytest.approx(14 / 18)
    alike = adjusted_difference(tally([(4, 0)]), tally([(4, 0)]), GAVE, COUNTED, np.array([0]))
    assert alike.adjusted == 0 and math.isnan(alike.z) and math.isnan(alike.p)
    nobody = adjusted_difference(tally([(0, 0)]), tally([(0, 0)]), GAVE, COUNTED, np.array([0]))
    assert math.isnan(nobody.plain) and math.isnan(nobody.covered)


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4, st.floats(0.2, 3), st.floats(0.2, 3)), min_size=1, max_size=5))
def test_against_single_people(cells: list[tuple[int, int, int, int, float, float]]) -> None:
    """Direct standardisation, person by person."""
    sides = []
    for yes, no, w in ((0, 1, 4), (2, 3, 5)):
        count = np.array([[0, c[yes], c[no]] for c in cells])
        weight = np.array([[0.0, c[yes] * c[w], c[no] * c[w]] for c in cells])
        square = np.array([[0.0, c[yes] * c[w] ** 2, c[no] * c[w] ** 2] for c in cells])
        sides.append(Tally(count, weight, square))
    found = adjusted_difference(*sides, GAVE, COUNTED, np.arange(len(cells)))
    people = [
        [(i, 1.0, c[w]) for i, c in enumerate(cells) for _ in range(c[yes])]
        + [(i, 0.0, c[w]) for i, c in enumerate(cells) for _ in range(c[no])]
        for yes, no, w in ((0, 1, 4), (2, 3, 5))
    ]
    both = {i for i, _, _ in people[0]} & {i for i, _, _ in people[1]}
    if not both:
        assert math.isnan(found.adjusted)
        return
    total = {i: sum(w for side in people for j, _, w in side if j == i) for i in both}
    shares, variances = [], []
    for side in people:
        own = [(i, y, w) for i, y, w in side if i in both]
        base = {i: sum(w for j, _, w in own if j == i) for i in both}
        f = [(total[i] / sum(total.values()) / base[i] * w, y) for i, y, w in own]
        share = sum(k * y for k, y in f) / sum(k for k, _ in f)
        shares.append(share)
        variances.append(sum((k * (y - share)) ** 2 for k, y in f) / sum(k for k, _ in f) ** 2)
    assert found.adjusted == pytest.approx(shares[0] - shares[1], abs=1e-9)
    if math.isnan(found.z):
        assert sum(variances) == pytest.approx(0.0, abs=1e-12)
    else:
        assert found.z * math.sqrt(sum(variances)) == pytest.approx(found.adjusted, rel=1e-6, abs=1e-9)
        assert found.p == pytest.approx(math.erfc(abs(found.z) / math.sqrt(2)), rel=1e-6)


def test_a_characteristic_does_not_adjust_for_itself() -> None:
    assert list(adjustment_cells(SURVEY, ())) == [0, 1, 2, 3]
    assert list(adjustment_cells(SURVEY, ("kind",))) == [0, 1, 0, 1]
    assert list(adjustment_cells(SURVEY, ("sex",))) == [0, 0, 1, 1]
    assert list(adjustment_cells(SURVEY, ("kind", "sex"))) == [0, 0, 0, 0]

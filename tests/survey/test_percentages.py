"""National percentages: by hand, and against a slow derivation from single respondents."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import small_survey
from stocktake.survey.counts import Batch, Counts, Layout
from stocktake.survey.findings import Findings
from stocktake.survey.instrument import Demographic, DemographicOption, Survey
from stocktake.survey.percentages import counted_options, invited_cells, national_weights, percentages
from stocktake.survey.sample import read_sample
from stocktake.survey.tables import open_table
from stocktake.survey.tally import count


def counts_of(survey: Survey, people: list[tuple[int, int, int]], organisations: int) -> Counts:
    """Counts of people given as (organisation, cell, answer code from 0 for missing) to the first question."""
    layout = Layout.of(survey, [f"T{i}" for i in range(organisations)])
    key = np.array([o * layout.strata + c for o, c, _ in people], dtype=np.int64)
    answers = [np.array([a for *_, a in people], dtype=np.int16)]
    answers += [np.zeros(len(people), dtype=np.int16) for _ in layout.questions[1:]]
    return count([Batch(key, tuple(answers))], layout)


SURVEY = small_survey({"S01": [2]}, cells=2)


def test_weights_by_hand() -> None:
    """100 invited half and half; 30 of one cell answered and 10 of the other, who count for three times as much."""
    found = national_weights(np.array([[30, 10], [20, 20]]), np.array([[50, 50], [10, 90]]))
    # v is 0.5/0.75 and 0.5/0.25, then 0.1/0.5 and 0.9/0.5; each organisation has 40 of 80 respondents already.
    assert found.values == pytest.approx(np.array([[2 / 3, 2], [0.2, 1.8]]))
    assert found.merged == () and found.response
    # Twice as many respondents in one organisation: half the weight there, so that both have 30 of 60.
    alike = national_weights(np.array([[20, 20], [10, 10]]))
    assert alike.values == pytest.approx(np.array([[0.75, 0.75], [1.5, 1.5]])) and not alike.response


def test_a_cell_that_was_invited_and_did_not_answer_is_merged_with_the_nearest() -> None:
    found = national_weights(np.array([[10, 0, 30, 0]]), np.array([[40, 10, 30, 20]]))
    assert found.merged == ((0, 1, 0), (0, 3, 2))
    assert found.values[0] == pytest.approx([0.5 * 40 / 10, 0, 0.5 * 40 / 30, 0])
    # Somebody answered for a cell that nobody was invited of: neither lost nor made more of.
    odd = national_weights(np.array([[10, 10], [0, 0]]), np.array([[50, 0], [9, 9]]))
    assert (odd.values[0] > 0).all() and (odd.values[1] == 0).all()


def test_percentages_by_hand() -> None:
    """Yes of 3 in 4 and of 1 in 2 with both organisations alike: 62.5%; by size 4 of 6."""
    people = [(0, 0, 1)] * 3 + [(0, 0, 2)] + [(1, 0, 1), (1, 1, 2), (1, 1, 3), (1, 1, 0)]
    counts = counts_of(SURVEY, people, 2)
    weights = national_weights(np.array([[4, 0], [1, 3]]))
    found = percentages(counts, SURVEY, "Q1", weights)
    # Two organisations of four respondents each: all weigh the same, and two of the second did not answer.
    assert found.percent == pytest.approx([100 * 4 / 6, 100 * 2 / 6])
    assert (found.base, found.left_out, found.options) == (6, 1, (1, 2)) and found.count.tolist() == [4, 2]
    assert found.effective == pytest.approx(6)
    alike = percentages(counts, SURVEY, "Q1", weights, influence="question")
    assert alike.percent == pytest.approx([62.5, 37.5])
    assert alike.effective == pytest.approx(4 / (4 * (1 / 4) ** 2 + 2 * (1 / 2) ** 2))
    one = percentages(counts, SURVEY, "Q1", weights, rows=np.array([0]))
    assert one.percent == pytest.approx([75, 25])
    nothing = percentages(counts, SURVEY, "Q1", national_weights(np.zeros((2, 2), dtype=np.int64)))
    assert np.isnan(nothing.percent).all() and nothing.effective == 0


def test_a_question_without_scores_counts_every_option() -> None:
    question = SURVEY.questions[0]
    bare = question.model_copy(
        update={"options": tuple(o.model_copy(update={"score": None}) for o in question.options), "section": None}
    )
    assert counted_options(question) == (1, 2) and counted_options(bare) == (1, 2, 3)


people = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=60)
invited = st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=3, max_size=3)


@settings(max_examples=80, deadline=None)
@given(people=people, invited=st.none() | invited, influence=st.sampled_from(["survey", "question", "none"]))
def test_against_single_respondents(
    people: list[tuple[int, int, int]], invited: list[list[int]] | None, influence: str
) -> None:
    survey = small_survey({"S01": [2]}, cells=3)
    counts = counts_of(survey, people, 3)
    table = np.zeros((3, 3), dtype=np.int64)
    for o, c, _ in people:
        table[o, c] += 1
    found = percentages(
        counts,
        survey,
        "Q1",
        national_weights(table, None if invited is None else np.array(invited)),
        influence=influence,
    )  # type: ignore[arg-type]
    v: dict[tuple[int, int], float] = {}
    for o in range(3):
        own = [c for oo, c, _ in people if oo == o]
        if not own:
            continue
        s = [1.0] * 3 if invited is None else [float(x) for x in invited[o]]
        if invited is not None:
            for c in range(3):
                if s[c] and c not in own:
                    near = min(sorted(set(own)), key=lambda k: (abs(k - c), k))
                    s[near] += s[c]
                    s[c] = 0
            size = sum(s)
            s = [own.count(c) * size / len(own) if c in own and s[c] == 0 else s[c] for c in range(3)]
        for c in set(own):
            v[o, c] = 1.0 if invited is None or sum(s) == 0 else (s[c] / sum(s)) / (own.count(c) / len(own))
    there = {o for o, *_ in people}
    u = dict.fromkeys(there, 1.0)
    if influence == "survey":
        u = {o: (len(people) / len(there)) / sum(v[oo, c] for oo, c, _ in people if oo == o) for o in there}
    if influence == "question":
        sums = {o: sum(v[oo, c] for oo, c, a in people if oo == o and a in (1, 2)) for o in there}
        u = {o: 1 / s if s else 0.0 for o, s in sums.items()}
    if influence == "none":
        u = {o: sum(oo == o for oo, *_ in people) / sum(v[oo, c] for oo, c, _ in people if oo == o) for o in there}
    weighed = [(u[o] * v[o, c], a) for o, c, a in people if a in (1, 2)]
    total = sum(w for w, _ in weighed)
    if not total:
        assert np.isnan(found.percent).all()
        return
    for i in (1, 2):
        assert found.percent[i - 1] == pytest.approx(100 * sum(w for w, a in weighed if a == i) / total)
    assert found.effective == pytest.approx(total**2 / sum(w**2 for w, _ in weighed))
    assert (found.low <= found.percent + 1e-9).all() and (found.percent <= found.high + 1e-9).all()
    assert math.isclose(found.percent.sum(), 100)


def test_who_was_invited_by_cell(tmp_path: Path) -> None:
    """Ages in bands and sex; whom the questionnaire did not reach is not among those who could answer."""
    age = Demographic(
        code="age",
        title="Age",
        kind="number",
        from_sample=True,
        options=(
            DemographicOption(code=1, label="Under 50", **{"from": 16, "to": 49}),
            DemographicOption(code=2, label="50 and over", **{"from": 50}),
        ),
    )
    sex = Demographic(
        code="sex",
        title="Sex",
        from_sample=True,
        options=(
            DemographicOption(code=1, label="Men"),
            DemographicOption(code=3, label="Other", cell=False),
            DemographicOption(code=2, label="Women"),
        ),
    )
    fields = {name: getattr(SURVEY, name) for name in Survey.model_fields}
    survey = Survey(**{**fields, "demographics": (age, sex), "cells": ("age", "sex")})
    undeliverable = survey.outcomes.undeliverable[0]
    completed = next(o for o in survey.outcomes.all if o not in (*survey.outcomes.undeliverable, *survey.outcomes.died))
    rows = [("T1", 20, 1), ("T1", 60, 2), ("T1", 60, 2), ("T2", 70, 1), ("T2", 30, 3), ("T2", None, 1)]
    frame = pl.DataFrame(
        {
            "respondent": [f"r{i}" for i in range(7)],
            "organisation": [*(r[0] for r in rows), "T1"],
            "outcome": [completed] * 6 + [undeliverable],
            "age": [*(r[1] for r in rows), 20],
            "sex": [*(r[2] for r in rows), 1],
        }
    )
    sample = read_sample(open_table(frame, "people"), survey, ("T1", "T2"), Findings(2024))
    assert sample is not None
    found = invited_cells(sample, survey, ("T1", "T2"))
    assert found is not None and found.tolist() == [[1, 0, 0, 2], [0, 0, 1, 0]]
    bare = read_sample(open_table(frame.drop("sex"), "people"), survey, ("T1", "T2"), Findings(2024))
    assert bare is not None and invited_cells(bare, survey, ("T1", "T2")) is None

"""The attacker finds every leak that is put into a survey on purpose, and nothing where all is protected."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import highspy
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import stocktake as st_
from helpers import small_survey
from stocktake.disclosure import linear
from stocktake.disclosure.attack import Memory, attack, pinned_in, sentences, table_of
from stocktake.disclosure.bounds import bounds, ratios
from stocktake.disclosure.linear import Inconsistent, Ints, Solver, System, in_pieces
from stocktake.disclosure.precision import percent_interval, public, whole_percent
from stocktake.disclosure.relations import Relations, Target
from stocktake.disclosure.rules import Rules, rules_of
from stocktake.problems import StocktakeError
from stocktake.run.core import Run
from stocktake.survey.instrument import Method

MINIMUM = 20
EXACT: dict[str, Any] = {"group_rounding": 1, "complementary": False, "on_risk": "warn"}


def people(organisation: str, group: str | None, many: int, answer: int = 1, kind: int = 1) -> list[dict[str, Any]]:
    """So many respondents, half of whom give `answer` and half the one after."""
    return [
        {"organisation": organisation, "service": group, "kind": kind, "Q1": answer + i % 2, "Q2": 1 + i % 3}
        for i in range(many)
    ]


def run_of(rows: list[dict[str, Any]], **disclosure: Any) -> Run:
    survey = small_survey(
        {"S01": [3, 3]}, groups=("A", "B", "C"), method=Method(minimum_base=MINIMUM, minimum_answers=0, draws=0)
    )
    frame = pl.DataFrame(rows, schema_overrides={"service": pl.String})
    codes = {c: f"Trust {c}" for c in frame["organisation"].unique(maintain_order=True)}
    return st_.benchmark(instrument=survey, responses=frame, organisations=codes, disclosure=disclosure)


def one_small_group(small: int = 7) -> list[dict[str, Any]]:
    """Three trusts with 60 people in each of two groups; the first has a few in group C, the others many."""
    rows = [r for t in ("T1", "T2", "T3") for g in ("A", "B") for r in people(t, g, 60)]
    return rows + people("T1", "C", small, 2) + people("T2", "C", 50) + people("T3", "C", 50)


def leaks(run: Run) -> set[tuple[str, str, str, str]]:
    rows = run.results.disclosure.iter_rows(named=True)
    return {(r["table"], r["organisation"], r["group"], r["figure"]) for r in rows}


def test_a_group_withheld_alone_is_found_by_subtraction() -> None:
    found = leaks(run_of(one_small_group(), **EXACT))
    # Seven people: those of group C and any without a group together.
    assert ("scores", "T1", "C and no group", "people") in found
    assert ("fieldwork", "T1", "C", "people") in found
    assert not {f for f in found if f[1] in ("T2", "T3")}


def test_the_score_of_a_small_group_is_found_where_rounding_leaves_too_little_open() -> None:
    found = leaks(run_of(one_small_group(18), **{**EXACT, "decimals": 3}))
    assert {("scores", "T1", "C and no group", f) for f in ("people", "score", "sum of points")} <= found


def test_complementary_suppression_leaves_nothing() -> None:
    run = run_of(one_small_group(), group_rounding=1)
    assert leaks(run) == set()
    mine = run.scores.filter(
        (pl.col("organisation") == "T1") & (pl.col("group") != "all") & (pl.col("kind") == "question")
    )
    hidden = mine.filter(pl.col("status") == "withheld")
    # Beside each question of the small group one more is withheld, and no third.
    assert hidden.group_by("measure").len()["len"].to_list() == [2, 2]
    assert hidden["reason"].n_unique() == 1
    assert hidden["score"].null_count() == hidden["n"].null_count() == hidden.height


def test_rounding_alone_protects_where_it_can() -> None:
    run = run_of(one_small_group(12))
    assert leaks(run) == set()
    rows = run.scores.filter(
        (pl.col("organisation") == "T1") & (pl.col("kind") == "question") & (pl.col("group") != "all")
    )
    assert (rows["status"] == "withheld").sum() == 2


def test_one_person_without_a_group_is_found() -> None:
    rows = one_small_group(40) + people("T2", None, 1)
    assert ("fieldwork", "T2", "no group", "people") in leaks(run_of(rows, **EXACT))
    assert leaks(run_of(rows)) == set()


def test_the_nation_less_all_others_is_the_one_that_is_withheld() -> None:
    rows = [*people("T1", "A", 60), *people("T2", "A", 60), *people("T3", "A", 7)]
    run = run_of(rows, **EXACT)
    assert ("fieldwork", "T3", "all", "people") in leaks(run)
    assert leaks(run_of(rows)) == set()


def test_a_lone_rare_answer_follows_from_the_others() -> None:
    rows = [r for t in ("T1", "T2", "T3") for r in people(t, "A", 100)]
    rows += people("T1", "A", 3, kind=2) + people("T2", "A", 60, kind=2) + people("T3", "A", 60, kind=2)
    assert ("profile", "T1", "all", "count") in leaks(run_of(rows, **EXACT))
    run = run_of(rows)
    assert leaks(run) == set()
    mine = run.profile.filter((pl.col("organisation") == "T1") & (pl.col("group") == "all"))
    assert mine["percent"].to_list() == [None, None]


def test_the_base_of_a_characteristic_can_be_small_where_the_group_is_not() -> None:
    rows = [r for t in ("T1", "T2", "T3") for g in ("A", "B") for r in people(t, g, 60)]
    few = [{**r, "kind": None} if r["organisation"] == "T1" and r["service"] == "A" and i % 60 >= 7 else r
           for i, r in enumerate(rows)]  # fmt: skip
    run = run_of(few, group_rounding=1)
    assert leaks(run) == set()
    bases = run.profile.filter((pl.col("organisation") == "T1") & (pl.col("group") != "all"))
    assert bases["n"].null_count() == bases.height
    assert ("profile", "T1", "A and C and no group", "people") in leaks(run_of(few, **EXACT))


def planted(run: Run, table: str, change: pl.DataFrame) -> set[tuple[str, str]]:
    """What the attacker says of results in which a table was replaced."""
    results = replace(run.public, tables={**run.public.tables, table: change})
    assert run.rules is not None
    return {(p.target.table, p.target.how) for p in attack(results, run.rules, MINIMUM)}


def test_figures_left_standing_are_found() -> None:
    run = run_of(one_small_group(7))
    assert planted(run, "scores", run.public.scores) == set()
    withheld = (pl.col("status") == "withheld") & (pl.col("organisation") == "T1")
    base = run.public.scores.with_columns(n=pl.when(withheld).then(7).otherwise("n"))
    assert ("scores", "its own row") in planted(run, "scores", base)
    measures = run.public.measures.with_columns(
        organisations=pl.when(pl.col("group") == "C").then(3).otherwise("organisations")
    )
    assert planted(run, "measures", measures) == {("measures", "the number of organisations behind the average")}
    lowest = run.public.measures.with_columns(lowest=pl.when(pl.col("group") == "C").then(1.2).otherwise("lowest"))
    assert {how for _, how in planted(run, "measures", lowest)} == {
        "a national average, lowest or highest score that includes theirs"
    }
    profile = run.public.profile.with_columns(percent=pl.col("percent").fill_null(50.0))
    assert ("profile", "the table profile") in planted(run, "profile", profile)


def test_a_section_shown_over_a_withheld_question_is_found() -> None:
    rows = [r for t in ("T1", "T2", "T3") for r in people(t, "A", 60)]
    run = run_of(rows)
    gone = (pl.col("organisation") == "T1") & (pl.col("measure") == "Q1") & (pl.col("group") == "all")
    figures = [c for c, kind in run.public.scores.schema.items() if kind.is_float() or c in ("n", "band", "place")]
    hidden = run.public.scores.with_columns(
        *(pl.when(~gone).then(c).alias(c) for c in figures if c not in ("national_average", "lowest", "highest")),
        status=pl.when(gone).then(pl.lit("withheld")).otherwise("status"),
    )
    assert ("scores", "the section's score and its other questions'") in planted(run, "scores", hidden)


def test_editions_are_refused_or_carry_a_warning(tmp_path: Path) -> None:
    refused = run_of(one_small_group(), group_rounding=1, complementary=False)
    with pytest.raises(StocktakeError, match="Nothing was written"):
        refused.report("T1").write(tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())
    warned = run_of(one_small_group(), **EXACT)
    assert any("can be worked out" in w for w in warned.check_disclosure())
    warned.report("T1").write(tmp_path / "a.xlsx")
    assert warned.results.provenance["run"]["disclosure"]["on_risk"] == "warn"


def test_sentences_say_where_and_never_how_many() -> None:
    table = run_of(one_small_group(), **EXACT).results.disclosure
    text = sentences(table, 2)
    assert len(text) == 3 and "more like these" in text[-1]
    assert all("T1" in s for s in text[:2]) and not any(" 7 " in s for s in text)
    assert table_of([]).height == 0


# Rounding


def test_precision_of_the_public_tables() -> None:
    run = run_of(one_small_group(50))
    full, shown = run.scores, run.public.scores
    for column, step in (("score", 0.1), ("standard_error", 0.01), ("z", 0.1), ("limit_worse", 0.1)):
        values = shown[column].drop_nulls().to_numpy()
        assert np.allclose(values / step, np.round(values / step), atol=1e-6)
        assert np.abs(values - full[column].drop_nulls().to_numpy()).max() <= step / 2 + 1e-9
    groups = shown.filter(pl.col("group") != "all")["n"].drop_nulls()
    assert groups.len() and not (groups % 10 != 0).any()
    assert shown.filter(pl.col("group") == "all")["n"].equals(full.filter(pl.col("group") == "all")["n"])
    assert public(run.results, None) is run.results
    assert rules_of(run.results.provenance) == Rules()


def test_percentages_never_read_as_none() -> None:
    assert whole_percent(np.array([0.0, 0.01, 0.44, 0.5, 49.5, np.nan])).tolist()[:5] == [0.0, 0.1, 0.4, 1.0, 50.0]
    for value in (0.0, 0.03, 0.3, 0.7, 12.4, 99.8):
        low, high = percent_interval(whole_percent(np.array([value])))
        assert low[0] <= value <= high[0]


@settings(max_examples=60, deadline=None)
@given(value=st.floats(0, 100), places=st.integers(0, 3))
def test_arrays_are_rounded_as_text_is(value: float, places: int) -> None:
    from stocktake.rounding import as_shown, round_values

    assert round_values(np.array([value]), places)[0] == as_shown(value, places)


# The solver, against every corner of a small box


@settings(max_examples=40, deadline=None)
@given(
    limits=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=4),
    total=st.integers(0, 18),
)
def test_bounds_are_those_of_every_whole_number_solution(limits: list[tuple[int, int]], total: int) -> None:
    """Sums of whole numbers between limits: the least and most of the first are found by trying all."""
    boxes = [(min(a, b), max(a, b)) for a, b in limits]
    solutions = [p for p in product(*(range(a, b + 1) for a, b in boxes)) if sum(p) == total]
    system = System()
    variables = system.variables(np.array([a for a, _ in boxes], float), np.array([b for _, b in boxes], float))
    system.relations([(variables[i : i + 1], 1.0) for i in range(len(boxes))], np.array([total]), np.array([total]))
    first = csr_array(np.eye(1, len(boxes)))
    if not solutions:
        with pytest.raises(Inconsistent):
            bounds(system.solver(), first, lambda low, high: np.zeros(low.shape, dtype=bool))
        with pytest.raises(Inconsistent):
            system.solver().centre()
        return
    # The centre is a solution, whether it is the interior point or, where that does not hold, a corner.
    for holds in (None, False):
        with patch.object(Solver, "holds", Solver.holds if holds is None else lambda self, point: False):
            centre = system.solver().centre()
        assert centre.sum() == pytest.approx(total, abs=1e-4)
        assert all(a - 1e-4 <= x <= b + 1e-4 for x, (a, b) in zip(centre, boxes, strict=True))
    found = bounds(system.solver(), first, lambda low, high: np.zeros(low.shape, dtype=bool))
    assert found.exact.all()
    assert found.low[0] == pytest.approx(min(p[0] for p in solutions), abs=1e-4)
    assert found.high[0] == pytest.approx(max(p[0] for p in solutions), abs=1e-4)


def test_ratios_by_hand() -> None:
    """Ten to twelve people have sixty to eighty points together: between 60/12 = 5 and 80/10 = 8 each."""
    system = System()
    people_, points = (
        system.variables(np.array([10.0]), np.array([12.0])),
        system.variables(np.array([60.0]), np.array([80.0])),
    )
    system.relations([(points, 1.0)], np.array([0.0]), np.array([1000.0]))
    system.relations([(people_, 1.0), (points, 0.0)], np.array([0.0]), np.array([1000.0]))
    over, under = csr_array(np.array([[0.0, 1.0]])), csr_array(np.array([[1.0, 0.0]]))
    found = ratios(system.solver(), over, under, lambda low, high: np.zeros(low.shape, dtype=bool))
    assert found.low[0] == pytest.approx(5, abs=1e-4)
    assert found.high[0] == pytest.approx(8, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), piece=st.integers(1, 12))
def test_a_system_in_pieces_is_the_whole(data: st.DataObject, piece: int) -> None:
    """Sums of two or three numbers, each a part of its own, in pieces of any size: the limits that each has by itself."""
    parts = data.draw(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=3), min_size=1, max_size=8))
    system = System()
    size = max(map(len, parts))
    most = np.array([[*own, *[0] * (size - len(own))] for own in parts], float)
    variables = system.variables(np.zeros(most.shape), most)
    total = np.array([sum(own) // 2 for own in parts], float)
    system.relations([(variables[:, i], 1.0) for i in range(size)], total, total)
    # A relation that says nothing, and one that gives way by what is missing.
    system.relations([(variables[:0, 0], 1.0)], np.zeros(0), np.zeros(0))
    system.relations([(variables[:1, 0], 1.0)], np.array([20.0]), np.array([20.0]), elastic=True)
    with patch.object(linear, "PIECE", piece):
        solver = system.solver()
        pieces = list(solver.pieces(np.arange(system.size)))
        assert sorted(np.concatenate([own for _, own in pieces]).tolist()) == list(range(system.size))
        assert sum(one.matrix.shape[0] for one, _ in pieces) == system.rows
        asked = variables[:, 1].copy()
        found = np.full((len(parts), 2), np.nan)

        def ask(one: Solver, number: Ints, own: Ints) -> int:
            figures = np.zeros((own.size, one.low.size))
            figures[np.arange(own.size), number[asked[own]]] = 1.0
            reached = bounds(one, csr_array(figures), lambda low, high: np.zeros(low.shape, dtype=bool))
            found[own] = np.stack([reached.low, reached.high], axis=1)
            return own.size

        assert sum(in_pieces(solver, asked, ask)) == len(parts)
    for i, own in enumerate(parts):
        first = min(own[0], total[i]) if i == 0 else None
        lowest = total[i] - first if first is not None else max(0, total[i] - sum(own) + own[1])
        if i == 0:
            # The first number is as near to 20 as it can be; a third one has a share of what is left.
            lowest -= min(lowest, own[2]) if len(own) == 3 else 0
        highest = min(own[1], total[i] - (first or 0))
        assert found[i] == pytest.approx([lowest, highest], abs=1e-4)


def test_pieces_change_nothing_that_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a survey with leaks of all kinds, in the smallest pieces and as a whole; and a centre of an earlier round serves."""
    run = run_of(one_small_group(18), **{**EXACT, "decimals": 3})
    rules, found = rules_of(run.results.provenance), []
    assert rules is not None
    for size in (1, 10**9):
        monkeypatch.setattr(linear, "PIECE", size)
        memory = Memory()
        found.append(table_of(attack(run.public, rules, MINIMUM, memory)))
        centres = dict(memory.centres)
        assert centres and all(np.isfinite(c).all() for c in centres.values())
        again = attack(run.public, rules, MINIMUM, Memory(centres=centres))
        assert table_of(again).equals(found[-1])
    assert found[0].height > 3 and found[0].equals(found[1])
    # A point of another system is no centre.
    monkeypatch.undo()
    wrong = {name: np.zeros(3 if i else c.size) for i, (name, c) in enumerate(centres.items())}
    assert table_of(attack(run.public, rules, MINIMUM, Memory(centres=wrong))).equals(found[0])


@pytest.mark.parametrize("piece", [1, 2, 10**9])
def test_parts_without_a_target_are_not_asked(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """One that contradicts itself says nothing about another, in whatever pieces; its own figures it does not let pass."""
    monkeypatch.setattr(linear, "PIECE", piece)
    system = System()
    two, none = system.variables(np.zeros(2), np.full(2, 9.0)), system.variables(np.zeros(2), np.ones(2))
    for pair, total in ((two, 9.0), (none, 5.0)):
        system.relations([(pair[:1], 1.0), (pair[1:], 1.0)], np.array([total]), np.array([total]))
    for variable, found in ((0, []), (2, ["contradiction"])):
        target = Target("profile", 2024, "A", "T1", "", "people", 3.0, (variable,), (variable,), "")
        assert [p.target.figure for p in pinned_in(Relations("x", system, (target,)), 20)] == found


def test_a_solver_that_loses_its_way_begins_again() -> None:
    """HiGHS may end without an answer when it goes on from the last point; that is no contradiction."""
    system = System()
    numbers = system.variables(np.zeros(2), np.full(2, 9.0))
    system.relations([(numbers[:1], 1.0), (numbers[1:], 1.0)], np.array([9.0]), np.array([9.0]))
    solver, begun = system.solver(), []

    class Lost:
        """The model, which has no answer until it is cleared."""

        def __init__(self, model: Any) -> None:
            self.model = model

        def __getattr__(self, name: str) -> Any:
            return getattr(self.model, name)

        def clearSolver(self) -> None:
            begun.append(True)
            self.model.clearSolver()

        def getModelStatus(self) -> Any:
            return self.model.getModelStatus() if begun else highspy.HighsModelStatus.kUnknown

    solver.__dict__["_model"] = Lost(solver._new_model())
    assert solver.point(np.array([1.0, 0.0])).tolist() == pytest.approx([0.0, 9.0]) and begun == [True]


def test_a_large_number_that_is_withheld_alone_is_not_taken_for_a_small_one() -> None:
    """National numbers of B and C would give those of T1 away; withholding others beside them makes some stand alone."""
    rows = [*people("T0", "A", 43), *people("T0", "B", 72), *people("T0", "C", 77), *people("T0", None, 6)]
    rows += [*people("T1", "B", 10), *people("T1", "C", 13), *people("T1", None, 3)]
    run = run_of(rows, group_rounding=1)
    assert leaks(run) == set()
    shown = run.public.fieldwork.filter(pl.col("group").is_in(["B", "C"]))
    for group in ("B", "C"):
        own = shown.filter(pl.col("group") == group)
        # Of the two trusts' numbers and the national one two are withheld, or none can be worked out.
        assert own["national_completed"].null_count() == own.height or own["completed"].null_count() > 1


def test_relations_that_contradict_each_other_do_not_pass_for_safety() -> None:
    run = run_of(one_small_group(7))
    work = run.public.fieldwork.with_columns(
        completed=pl.when((pl.col("group") == "all") & (pl.col("organisation") == "T1"))
        .then(9000)
        .otherwise("completed")
    )
    found = planted(run, "fieldwork", work)
    assert any("contradict" in how for _, how in found)

"""Counts add: any split of the same respondents, in any order and on any number of workers, counts the same."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import Case, cases, pair_tables, small_survey
from stocktake.survey.counts import Batch, Counts, Layout, recut
from stocktake.survey.engines import count_here, sum_here
from stocktake.survey.scores import score, score_groups
from stocktake.survey.second_pass import SectionSums
from stocktake.survey.tables import open_table
from stocktake.survey.tally import Places, Tally, count, question_blocks
from stocktake.survey.wave import read_wave

RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def whole(case: Case) -> tuple[Layout, Batch]:
    wave = read_wave(case.survey, 2024, case.organisations, open_table(case.frame), None, case.survey.method)
    assert wave.counts is not None
    assert wave.kept is not None
    parts = wave.kept
    key = np.concatenate([b.key for b in parts])
    return wave.counts.layout, Batch(
        key, tuple(np.concatenate(c) for c in zip(*(b.answers for b in parts), strict=True))
    )


def part(batch: Batch, rows: Any) -> Batch:
    return Batch(batch.key[rows], tuple(a[rows] for a in batch.answers))


def equal(a: Counts, b: Counts) -> bool:
    assert a.pairs is not None
    assert b.pairs is not None
    tables = zip(
        (a.respondents, *a.answers, *pair_tables(a)), (b.respondents, *b.answers, *pair_tables(b)), strict=True
    )
    return all(np.array_equal(x, y) for x, y in tables)


@RELAXED
@given(case=cases(groups=True), seed=st.integers(0, 2**32 - 1), pieces=st.integers(1, 5))
def test_any_split_and_order(case: Case, seed: int, pieces: int) -> None:
    if case.frame.height == 0:
        return
    layout, batch = whole(case)
    once = count([batch], layout)
    shuffled = np.random.default_rng(seed).permutation(batch.rows)
    split = [part(batch, rows) for rows in np.array_split(shuffled, pieces)]
    assert equal(once, count(split, layout))
    total = count(split[:1], layout)
    for piece in split[1:]:
        total = total + count([piece], layout)
    assert equal(once, total)
    threaded = count_here([lambda p=p: p for p in split], layout, pairs=True, workers=2)
    assert equal(once, threaded)


@RELAXED
@given(case=cases(groups=True), seed=st.integers(0, 2**32 - 1), pieces=st.integers(1, 5), kind=st.booleans())
def test_the_second_pass_gives_the_same_bytes_for_any_split_and_order(
    case: Case, seed: int, pieces: int, kind: bool
) -> None:
    """Its sums are of whole numbers, too; and they are those of the counts of pairs to fifteen digits."""
    if case.frame.height == 0:
        return
    layout, batch = whole(case)
    rng = np.random.default_rng(seed)
    method = case.survey.method.model_copy(update={"standard_error": "linearised" if kind else "classical"})
    groups: dict[str | None, Any] = dict.fromkeys((None, *layout.groups))

    def errors(counts: Counts, batches: list[Batch] | None) -> dict[str | None, Any]:
        again = None if batches is None else lambda of: sum_here([lambda b=b: b for b in batches], of)
        found = score_groups(counts, case.survey, method, groups, second_pass=again)
        return {group: scores.estimates.standard_error for group, scores in found.items()}

    split = [part(batch, rows) for rows in np.array_split(rng.permutation(batch.rows), pieces)]
    bare = count([batch], layout, pairs=False)
    once, several = errors(bare, [batch]), errors(bare, split)
    from_pairs = errors(count([batch], layout), None)
    for group in groups:
        assert np.array_equal(once[group], several[group], equal_nan=True)
        assert np.allclose(once[group], from_pairs[group], rtol=1e-12, atol=1e-7, equal_nan=True)


def test_sums_of_the_second_pass_by_hand() -> None:
    """Two people of weights 2 and 1/2 whose values are 1/3 and 4: (2/3)^2 + 2^2, to 58 binary digits behind the point."""
    layout = Layout(("A",), (), 2, (("Q1", 3),), (("S1", (0,)),))
    tables = np.array([[[0.0, 1 / 3, 4.0]]])
    weights = np.array([[2.0, 0.5, 0.0]])
    # Of one question the bound is the sum itself, 4.44: below 2^3, so that 61 digits leave units of 2^-58.
    sums = SectionSums.of(layout, np.array([[4 / 9 + 4]]), tables, weights)
    assert sums.shifts.tolist() == [[58]]
    # The third is in a stratum that takes no part.
    batch = Batch(np.array([0, 1, 2]), (np.array([1, 2, 2], dtype=np.int16),))
    found = sums.of_batch(batch)
    assert found[0, 0] == pytest.approx(Fraction(4, 9) * 2**58 + 4 * 2**58, rel=1e-15)
    assert sums.totals(found)[0, 0] == pytest.approx(4 / 9 + 4, rel=1e-15)


@pytest.mark.parametrize("kind", ["linearised", "classical"])
def test_the_second_pass_keeps_its_digits_where_nearly_all_answer_alike(kind: str) -> None:
    """Of 200,000 people 20 answer otherwise, so that most contributions are a ten-thousandth of the largest."""
    survey = small_survey({"S1": [2, 2]}, cells=1)
    layout = Layout.of(survey, ["A"])
    rng = np.random.default_rng(1)
    answers = np.ones((len(layout.questions), 200_000), dtype=np.int8)
    for one in answers[:2]:
        one[rng.choice(200_000, 20, replace=False)] = 2
    batch = Batch(np.zeros(200_000, dtype=np.int64), tuple(answers))
    method = survey.method.model_copy(update={"standard_error": kind})
    pass_ = partial(sum_here, [lambda: batch])
    bare, paired = count([batch], layout, pairs=False), count([batch], layout)
    found = score(bare, survey, method, second_pass=pass_).estimates.standard_error
    assert found == pytest.approx(score(paired, survey, method).estimates.standard_error, rel=1e-13)


@given(sizes=st.lists(st.integers(0, 7), max_size=8), rows=st.integers(1, 5))
def test_batches_are_cut_anew_in_the_same_order(sizes: list[int], rows: int) -> None:
    ends = np.cumsum([0, *sizes]).tolist()
    numbers = [np.arange(a, b) for a, b in pairwise(ends)]
    cut = list(recut([Batch(n, (n.astype(np.int16),)) for n in numbers], rows))
    assert [b.rows for b in cut] == [rows] * (ends[-1] // rows) + [ends[-1] % rows] * (ends[-1] % rows > 0)
    for part_ in zip(*((b.key, b.answers[0]) for b in cut), strict=True):
        assert np.array_equal(np.concatenate(part_), np.arange(ends[-1]))


@RELAXED
@given(case=cases(groups=True), paired=st.booleans())
def test_a_tally_travels_packed(case: Case, paired: bool) -> None:
    """Narrow numbers, and of thin tables what is not zero: adding them gives what merging gives."""
    if case.frame.height == 0:
        return
    layout, batch = whole(case)
    one, other = Tally(layout, paired), Tally(layout, paired)
    one.add(batch)
    other.add(part(batch, np.arange(batch.rows // 2)))
    # One table with a number that 16 bits do not hold, one with a single entry.
    one.tables[0][0, 0] += 70_000
    other.tables[-1][:] = 0
    other.tables[-1][-1, -1] = 5
    packed = other.packed()
    # A place takes four bytes and its count one, a table without places one byte an entry.
    last = len(other.tables) - 1
    assert (f"places_{last}" in packed) == (other.tables[-1].size > 5) and packed[f"counts_{last}"].dtype == np.uint8
    total = Tally(layout, paired)
    for tally in (one, other):
        total.add_packed(tally.packed())
    one.merge(other)
    assert np.array_equal(total.respondents, one.respondents)
    assert all(np.array_equal(a, b) for a, b in zip(total.tables, one.tables, strict=True))


@pytest.mark.parametrize(("size", "fewest"), [(3, 1), (4, 3), (5, 4), (6, 6), (7, 7), (8, 11)])
def test_the_fewest_blocks_of_three(size: int, fewest: int) -> None:
    assert len(question_blocks(size)) == fewest


@RELAXED
@given(case=cases())
def test_counts_are_what_they_say(case: Case) -> None:
    """Entry for entry against counting by hand."""
    if case.frame.height == 0:
        return
    layout, batch = whole(case)
    counts = count([batch], layout)
    assert counts.pairs is not None
    assert counts.respondents.sum() == case.frame.height
    for question in case.survey.scored:
        table = counts.answers[layout.positions[question.code]]
        assert table.sum() == case.frame.height
        for option in question.options:
            assert table[:, :, option.code].sum() == (case.frame[question.code] == option.code).sum()
    for (a, b), table in zip(layout.pairs, pair_tables(counts), strict=True):
        assert table.sum() == case.frame.height
        assert np.array_equal(table.sum(axis=3), counts.answers[a])
        assert np.array_equal(table.sum(axis=2), counts.answers[b])


@RELAXED
@given(case=cases())
def test_a_sum_has_pairs_where_all_parts_have(case: Case) -> None:
    if case.frame.height == 0:
        return
    layout, batch = whole(case)
    counts, bare = count([batch], layout), count([batch], layout, pairs=False)
    assert bare.pairs is None and (counts + bare).pairs is None


def test_layouts_must_agree() -> None:
    one = Layout(("A",), (), 1, (("Q1", 3),), (("S1", (0,)),))
    other = Layout(("B",), (), 1, (("Q1", 3),), (("S1", (0,)),))
    with pytest.raises(ValueError, match="different layouts"):
        count([], one) + count([], other)


def test_a_count_too_large_is_refused() -> None:
    layout = Layout(("A",), (), 1, (("Q1", 3),), (("S1", (0,)),))
    tally = Tally(layout, True)
    tally.tables[0][0, 0] = 2_147_483_647
    full = tally.counts()
    with pytest.raises(OverflowError):
        full + full


def test_a_stratum_that_32_bits_do_not_hold_is_an_error() -> None:
    layout = Layout(("A",), (), 1, (("Q1", 3),), (("S1", (0,)),))
    tally = Tally(layout, False)
    one = Batch(np.zeros(1, dtype=np.int64), (np.ones(1, dtype=np.int8),))
    tally.respondents[0] = 2_147_483_646
    tally.add(one)
    with pytest.raises(OverflowError):
        tally.add(one)


def test_nobody_is_counted_as_nobody() -> None:
    layout = Layout(("A",), (), 1, (("Q1", 3),), (("S1", (0,)),))
    assert count_here([], layout, pairs=True).respondents.tolist() == [[0, 0]]
    assert sum_here([], lambda batch: batch.key).tolist() == 0


@pytest.mark.parametrize("size", range(1, 13))
def test_blocks_cover_every_pair(size: int) -> None:
    pairs = {(a, b) for a in range(size) for b in range(a + 1, size)}
    covered = {(a, b) for block in question_blocks(size) for a in block for b in block if a < b}
    assert covered == pairs
    assert all(len(block) <= 3 for block in question_blocks(size))


def test_a_wide_question_falls_back_to_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks too large for the cache are counted as pairs, with the same counts."""
    import stocktake.survey.tally as module

    layout = Layout(("A", "B"), (), 2, tuple((f"Q{i}", 4) for i in range(4)), (("S1", (0, 1, 2, 3)),))
    rng = np.random.default_rng(1)
    key = rng.integers(0, 2 * layout.strata, 500)
    batch = Batch(key, tuple(rng.integers(0, 4, 500).astype(np.int8) for _ in range(4)))
    blocks = count([batch], layout)
    monkeypatch.setattr(module, "BLOCK_BUDGET", 1)
    assert len(Tally(layout, True).blocks) == 6
    assert equal(blocks, count([batch], layout))


@RELAXED
@given(case=cases())
def test_large_and_small_batches_are_counted_alike(case: Case) -> None:
    """A large batch goes through a sparse matrix, a small one is added entry by entry."""
    import stocktake.survey.tally as module

    if case.frame.height == 0:
        return
    layout, batch = whole(case)
    many = Batch(np.tile(batch.key, 200), tuple(np.tile(a, 200) for a in batch.answers))
    small = count([many], layout)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SMALL", 0)
        assert equal(small, count([many], layout))


def test_sparse_and_dense_counting_agree() -> None:
    """Few respondents and thousands of organisations take another road to the same counts."""
    rng = np.random.default_rng(2)
    layout = Layout(tuple(f"T{i}" for i in range(3_000)), (), 2, (("Q1", 5), ("Q2", 5)), (("S1", (0, 1)),))
    key = rng.integers(0, 3_000 * layout.strata, 400)
    batch = Batch(key, tuple(rng.integers(0, 5, 400).astype(np.int8) for _ in range(2)))
    sparse = count([batch], layout)
    table = np.zeros((3_000 * layout.strata, 5), dtype=np.int64)
    np.add.at(table, (key, batch.answers[0]), 1)
    assert np.array_equal(sparse.answers[0].reshape(-1, 5), table)


@RELAXED
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    wide=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_places_are_those_of_the_joint_answers_and_the_key(seed: int, sizes: list[int], wide: list[bool]) -> None:
    """Whether answers are held in 8 or in 16 bits, and whether their joint codes fit in 8, 16 or 32."""
    rng = np.random.default_rng(seed)
    kinds = [np.int16 if w else np.int8 for w in wide]
    answers = [rng.integers(0, size, 50).astype(kind) for size, kind in zip(sizes, kinds, strict=False)]
    key = rng.integers(0, 7, 50).astype(np.int32)
    places = Places(key, 7)
    for _ in range(2):
        found = places.by_answer(answers, sizes)
        assert np.array_equal(found, np.ravel_multi_index((*answers, key), (*sizes, 7)))
        found = places.by_key(answers, sizes)
        assert np.array_equal(found, np.ravel_multi_index((key, *answers), (7, *sizes)))
        # Another width in between.
        places.by_key(answers[:1], sizes[:1])


def test_nobody_and_nowhere() -> None:
    """No organisations, or no respondents, are counted as none."""
    for organisations in ((), ("A",)):
        layout = Layout(organisations, (), 2, (("Q1", 3), ("Q2", 4), ("Q3", 2)), (("S1", (0, 1)), ("S2", (2,))))
        nobody = Batch(np.zeros(0, dtype=np.int64), tuple(np.zeros(0, dtype=np.int8) for _ in range(3)))
        for batches in ([], [nobody]):
            done = count(batches, layout)
            assert [a.shape for a in done.answers] == [(len(organisations), 3, n) for n in (3, 4, 2)]
            assert done.table.sum() == 0 and [t.sum() for t in pair_tables(done)] == [0]
        size = (len(organisations), 3)
        sums = SectionSums.of(layout, np.zeros(size), np.zeros((3, 4, len(organisations))), np.zeros(size))
        assert sums.totals(sums.of_batch(nobody)).tolist() == [[0.0, 0.0]] * len(organisations)

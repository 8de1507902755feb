"""Percentages of small groups: what is withheld, that nothing follows from the rest, and that leaks are found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stocktake.disclosure.linear import System
from stocktake.disclosure.small_shares import Follows, _known_ends, _nested, _own_relations, following, protected, small
from stocktake.survey.breakdowns import Breakdown, Tally
from stocktake.trends.definition import ShareRules
from stocktake.trends.series import Line, Point, Series
from stocktake.trends.tables import EVERYBODY, Hidden, ShareBlock

RULES = ShareRules()


def series(answers: int, lines: tuple[tuple[int, ...], ...] | None = None) -> Series:
    chosen = lines or tuple((i,) for i in range(1, answers + 1))
    drawn = tuple(Line(f"a{k}", f"A{k}", {"s": own}) for k, own in enumerate(chosen))
    return Series("Q", "Q?", "", "", drawn, (Point(2024, "s", "Q", "Q?", 0, "", ""),), declared=True)


def block(
    own: Series, name: str, table: np.ndarray, labels: tuple[str, ...], variables: tuple[str, ...] = ()
) -> ShareBlock:
    """A block of people with weight 1; the last row of the table is of people whose group is not known."""
    count = np.asarray(table)[:, None, :]
    tally = Tally(count, count.astype(float), count.astype(float))
    options = tuple(range(1, count.shape[2] + 1))
    kind = Breakdown(name, labels, variables, None if variables or name == EVERYBODY else (0,))
    return ShareBlock(own, 2024, kind, options, tally, np.zeros(count.shape[0], dtype=np.int64), "s", True)


def pair(table: list[list[int]], unknown: list[int] | None = None, own: Series | None = None) -> list[ShareBlock]:
    """Everybody, and the groups of one demographic."""
    groups = np.array(table)
    left = np.array(unknown or [0] * groups.shape[1])
    one = own or series(groups.shape[1])
    whole = block(one, EVERYBODY, np.stack([groups.sum(axis=0) + left, np.zeros_like(left)]), ("Everybody",))
    parts = block(one, "faith", np.vstack([groups, left]), tuple(f"G{i}" for i in range(len(table))), ("faith",))
    return [whole, parts]


def test_what_is_small() -> None:
    blocks = pair([[20, 9], [400, 4], [300, 200]])
    hidden = small(blocks[1], RULES)
    assert hidden.groups.tolist() == [True, False, False]
    # Four people are withheld; of a line alone, those it leaves out as well.
    assert hidden.lines.tolist() == [[False, False], [False, True], [False, False]]
    alone = pair([[400, 4], [4, 300]], own=series(2, ((1,),)))
    assert small(alone[1], RULES).lines.tolist() == [[True], [True]]


def test_the_rest_of_a_group_gives_a_number_away() -> None:
    """Of two answers the other one says how many gave the withheld one: both are withheld."""
    blocks = pair([[96, 4], [3000, 2900]], [40, 40])
    first = [small(b, RULES) for b in blocks]
    assert following(blocks, first, [0, 1], RULES) == [Follows(1, 0, 1)]
    hidden, left = protected(blocks, RULES)
    assert left == [] and hidden[1].lines[0].tolist() == [True, True]
    assert hidden[1].lines[1].tolist() == [False, False] and not hidden[0].lines.any()


def test_all_others_together_give_a_number_away() -> None:
    """A small survey without rounding: everybody less the other groups is the group that is withheld."""
    exact = ShareRules(group_rounding=1)
    blocks = pair([[12, 8, 9], [13, 12, 15], [16, 14, 11]])
    first = [small(b, exact) for b in blocks]
    assert first[1].groups.tolist() == [True, False, False]
    assert (
        all(f.group == 0 for f in following(blocks, first, [0, 1], exact))
        or following(blocks, first, [0, 1], exact) == []
    )
    hidden, left = protected(blocks, exact)
    assert left == [] and hidden[1].groups[0]


def test_a_number_that_a_larger_group_gives_away() -> None:
    """Six of a whole group gave an answer; two of one of its parts can hardly be anything else."""
    own = series(3)
    faith = np.array([[60, 90, 6], [2000, 2100, 1900], [0, 0, 0]])
    whole = block(own, EVERYBODY, np.stack([faith.sum(axis=0), np.zeros(3, dtype=int)]), ("Everybody",))
    by_faith = block(own, "faith", faith, ("F1", "F2"), ("faith",))
    sex = np.array([[1030, 1100, 953], [1030, 1090, 953], [0, 0, 0]])
    by_sex = block(own, "sex", sex, ("S1", "S2"), ("sex",))
    both = np.array([[30, 45, 3], [1000, 1055, 950], [30, 45, 3], [1000, 1045, 950], [0, 0, 0]])
    by_both = block(own, "sex and faith", both, ("S1, F1", "S1, F2", "S2, F1", "S2, F2"), ("sex", "faith"))
    blocks = [whole, by_faith, by_sex, by_both]
    hidden, left = protected(blocks, RULES)
    assert left == [] and following(blocks, hidden, range(4), RULES) == []
    # The answer is withheld of the whole group too.
    assert hidden[1].lines[0, 2]


def test_parts_of_two_characteristics_belong_to_each_of_them() -> None:
    """Which cells of a pair make up which group, both ways: the first characteristic goes slowest."""
    own = series(2)
    table = np.array([[10, 10]] * 7)
    sizes = {"sex": ("S1", "S2"), "faith": ("F1", "F2", "F3")}
    singles = [block(own, n, np.array([[30, 30]] * (len(g) + 1)), g, (n,)) for n, g in sizes.items()]
    labels = tuple(f"{s}, {f}" for s in sizes["sex"] for f in sizes["faith"])
    both = block(own, "sex and faith", table, labels, ("sex", "faith"))
    whole = block(own, EVERYBODY, np.array([[60, 60], [0, 0]]), ("Everybody",))
    nested = _nested([whole, *singles, both], range(4))
    assert (3, 1, [[0, 1, 2], [3, 4, 5]]) in nested and (3, 2, [[0, 3], [1, 4], [2, 5]]) in nested
    assert {(i, o) for i, o, _ in nested} == {(1, 0), (2, 0), (3, 1), (3, 2)}
    # Of a pair one of whose characteristics is not told by itself, the other one still is.
    assert _nested([singles[1], both], range(2)) == [(1, 0, [[0, 3], [1, 4], [2, 5]])]
    assert _nested([singles[0], both], range(2)) == [(1, 0, [[0, 1, 2], [3, 4, 5]])]


def test_what_readers_know_of_a_percentage() -> None:
    """Rounding leaves 5.5 to 6.5; the difference of 0 points from others with 5.1 leaves 4.6 to 5.6."""
    table = np.array([[11, 189], [510, 9490], [0, 0]])
    own = block(series(2), "faith", table, ("F1", "F2"), ("faith",))
    everyone = np.array([True, True])
    low, high = _known_ends(own, own.lines[0], everyone, (np.array([5.5, 4.5]), np.array([6.5, 5.5])))
    assert (low[0], high[0]) == pytest.approx((5.5, 5.6)) and high[1] == pytest.approx(5.5)
    # The other way round: 5.1 is 0 points from 5.5, so that it is between 5.0 and 6.0.
    assert low[1] == pytest.approx(5.0)
    alone = block(series(2), EVERYBODY, table[[0, 2]], ("Everybody",))
    assert _known_ends(alone, alone.lines[0], everyone[:1], (np.array([5.45]), np.array([5.55])))[1] == 5.55


def test_how_many_a_printed_number_stands_for() -> None:
    """A base of 46 is printed as 50, which is 45 to 54; of a withheld group readers know that it is fewer than 30."""
    own = block(series(2), "faith", np.array([[20, 26], [9, 3], [0, 0]]), ("F1", "F2"), ("faith",))
    system = System()
    _, totals = _own_relations(system, own, small(own, RULES), RULES)
    low, high = np.concatenate(system.low), np.concatenate(system.high)
    assert (low[totals[0]], high[totals[0]]) == (45, 54)
    assert (low[totals[1]], high[totals[1]]) == (0, 29)
    assert low[totals].tolist() == [45, 0]


def test_what_nothing_can_protect_is_listed() -> None:
    """Protection by more people than there are is impossible, and that is said."""
    rules = ShareRules(protect_people=500, group_rounding=1)
    _, left = protected(pair([[33, 4], [40, 41]]), rules)
    assert left and {f.block for f in left} == {1}


TABLES = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 60), min_size=k, max_size=k), min_size=2, max_size=4)
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(TABLES, st.sampled_from([1, 10]), st.data())
def test_nothing_that_is_protected_follows(table: list[list[int]], rounding: int, data: st.DataObject) -> None:
    """After protection another set of people, different enough, prints the same; so its figures do not follow."""
    rules = ShareRules(group_rounding=rounding)
    unknown = data.draw(st.lists(st.integers(0, 9), min_size=len(table[0]), max_size=len(table[0])))
    blocks = pair(table, unknown)
    if not blocks[0].base[0]:
        return
    hidden, left = protected(blocks, rules)
    assert following(blocks, hidden, [0, 1], rules) == left
    for one in left:
        # Whatever is left lies in a group all of whose lines are withheld already, and everybody's too.
        assert hidden[one.block].groups[one.group] or hidden[one.block].lines[one.group].all()


@pytest.mark.parametrize("shown", [False, True])
def test_a_leak_put_in_on_purpose_is_found(shown: bool) -> None:
    """Everything as protected, but for one line shown again."""
    blocks = pair([[96, 4], [3000, 2900]], [40, 40])
    hidden, _ = protected(blocks, RULES)
    lines = hidden[1].lines.copy()
    lines[0, 0] = not shown
    found = following(blocks, [hidden[0], Hidden(hidden[1].groups, lines)], [0, 1], RULES)
    assert bool(found) == shown

"""Percentages of small groups: what is withheld, that nothing follows from the rest, and that leaks are found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stocktake.disclosure.small_shares import Follows, following, protected, small
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

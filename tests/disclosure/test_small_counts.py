"""Small numbers in an audit: none is printed, and none follows from what is."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from small_audit import populations, register, spec
from stocktake.audit.answers import answers_of
from stocktake.audit.figures import SHOWN, WITHHELD, Block, Source
from stocktake.disclosure.count_relations import Attacker, CountRules, figures_of
from stocktake.disclosure.small_counts import protected

SPEC, WHO = spec(), register()
CELLS = [*product(("generic", "crisis"), ("gp", "other"))]
TRUSTS = ("T1", "T2", "T3")
RULES = CountRules()


def blocks_of(referrals: dict[str, list[int]], accepted: dict[str, list[int]] | None = None) -> list[Block]:
    given = [
        (t, "referrals", part, float(v)) for t, own in referrals.items() for part, v in zip(CELLS, own, strict=True)
    ]
    for trust, own in (accepted or {}).items():
        given += [(trust, "accepted", (team,), float(v)) for team, v in zip(("generic", "crisis"), own, strict=True)]
    return list(Source(SPEC, answers_of(SPEC, WHO, given), WHO, populations()).blocks())


def status(blocks: list[Block], indicator: str, part: str, organisation: str) -> str:
    (block,) = [
        b for b in blocks if (b.indicator.code, b.part) == (indicator, part) and organisation in b.organisations
    ]
    return str(block.status[block.organisations.index(organisation)])


LARGE = {"T1": [40, 50, 60, 70], "T2": [41, 52, 63, 74], "T3": [42, 54, 66, 78]}


def test_large_numbers_are_all_shown() -> None:
    blocks = blocks_of(LARGE)
    after, pinned = protected(SPEC, blocks, RULES)
    assert pinned == [] and all(a is b for a, b in zip(after, blocks, strict=True))


def test_one_small_number_takes_a_ring_with_it() -> None:
    """T1 has 3 in one cell: what is in its row and column, and the same of the other trust, cannot be shown beside it."""
    after, pinned = protected(SPEC, blocks_of(LARGE | {"T1": [3, 50, 60, 70]}), RULES)
    assert pinned == []
    assert status(after, "A5", "gp/generic", "T1") == WITHHELD
    hidden = {(p, o) for p in ("gp/generic", "other/generic", "gp/crisis", "other/crisis") for o in TRUSTS
              if status(after, "A5", p, o) == WITHHELD}  # fmt: skip
    # A ring of four cells in two trusts; what all trusts have together is shown.
    assert len({o for _, o in hidden}) == 2 and len(hidden) == 8
    assert all(status(after, "A5", p, "ENG") == SHOWN for p in ("gp/generic", "other/crisis"))
    assert status(after, "A2", "", "T1") == SHOWN
    for block in after:
        assert np.isnan(block.numerator[block.status == WITHHELD]).all()
        assert np.isnan(block.value[block.status == WITHHELD]).all()


def test_the_rest_of_a_share_is_a_number_too() -> None:
    """38 of 40 accepted says that 2 were not; a share of none or of all says nothing small."""
    blocks = blocks_of({"T1": [20, 20, 60, 70], "T2": LARGE["T2"]}, {"T1": [38, 100], "T2": [93, 60]})
    after, pinned = protected(SPEC, blocks, RULES)
    assert pinned == [] and status(after, "A4", "", "T1") == WITHHELD
    assert status(after, "A4", "", "T2") == SHOWN
    none = protected(SPEC, blocks_of({"T1": [20, 20, 60, 70]}, {"T1": [40, 0]}), RULES)[0]
    assert status(none, "A4", "", "T1") == SHOWN


def test_a_lower_minimum_withholds_less() -> None:
    blocks = blocks_of(LARGE | {"T1": [3, 50, 60, 70]})
    assert protected(SPEC, blocks, CountRules(minimum_count=3))[0] == blocks


def terms(block: Block, row: int) -> list[str]:
    return block.made_of[row].split() or [block.organisations[row]]


def cells_in(block: Block, above: bool) -> list[tuple[str, str]]:
    """The cells of referrals that one side of a display of the small audit is the sum of; by hand for each display."""
    code, part = block.indicator.code, block.part
    if code in ("A2", "A3"):
        return list(CELLS)
    source, team = ("all", part) if code == "B4" else part.split("/")
    if not above and code == "B4":
        return list(CELLS)
    return [c for c in CELLS if team in (c[0], "all") and (not above or source in (c[1], "all"))]


numbers = st.lists(st.sampled_from([0, 1, 3, 4, 6, 12, 40, 90, 300]), min_size=4, max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries(dict.fromkeys(TRUSTS, numbers)))
def test_nothing_small_follows_from_what_is_shown(referrals: dict[str, list[int]]) -> None:
    """An attacker written from the displays alone, with every cell an unknown, bounds no small number by less than 5."""
    blocks = blocks_of(referrals)
    after, pinned = protected(SPEC, blocks, RULES)
    unknown = {(t, c): i for i, (t, c) in enumerate(product(TRUSTS, CELLS))}
    rows: list[Any] = []
    values: list[float] = []
    small: list[tuple[np.ndarray[Any, Any], float]] = []
    for before, block in zip(blocks, after, strict=True):
        if block.indicator.code not in ("A2", "A3", "A5", "B4"):
            continue
        for row in np.flatnonzero(before.status == SHOWN):
            lines = []
            sides = [(True, before.numerator[row])]
            if block.indicator.form == "share":
                sides.append((False, before.denominator[row]))
            for above, value in sides:
                line = np.zeros(len(unknown))
                line[[unknown[t, c] for t in terms(before, row) for c in cells_in(block, above)]] = 1.0
                lines.append((line, float(value)))
            if block.status[row] == SHOWN:
                rows += [line for line, _ in lines]
                values += [v for _, v in lines]
            if len(lines) == 2:
                lines.append((lines[1][0] - lines[0][0], lines[1][1] - lines[0][1]))
            small += [(line, v) for line, v in lines if 0 < v < RULES.minimum_count]
    assert pinned == []
    for line, value in small:
        ends = []
        for sign in (1.0, -1.0):
            done = linprog(sign * line, A_eq=np.array(rows) if rows else None, b_eq=values or None, bounds=(0, None))  # type: ignore[call-overload]
            ends.append(-sign * np.inf if done.status == 3 else sign * done.fun)
        assert ends[1] - ends[0] >= RULES.protect - 1e-3, (value, ends)


def test_the_attacker_finds_what_is_not_withheld() -> None:
    """With the small number alone withheld, it follows from its total."""
    blocks = blocks_of(LARGE | {"T1": [3, 50, 60, 70]})
    attacker = Attacker(SPEC, figures_of(SPEC, blocks), RULES)
    small = attacker.small()
    attacker.hidden = {f.place for f in small}
    pinned = attacker.pinned(small)
    assert {(round(p.low), round(p.high)) for p in pinned} == {(3, 3)}
    assert pytest.approx(3, abs=1e-4) == pinned[0].low


def test_returns_that_break_a_rule_are_no_contradiction() -> None:
    """More accepted than received, as a return that was asked about may say: the rule gives way, and all is protected."""
    blocks = blocks_of(LARGE | {"T1": [3, 50, 60, 70]}, {"T1": [90, 125], "T2": [93, 60]})
    after, pinned = protected(SPEC, blocks, RULES)
    assert pinned == [] and status(after, "A5", "gp/generic", "T1") == WITHHELD

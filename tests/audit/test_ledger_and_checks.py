"""The ledger is never rewritten; returns are checked and merged."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from small_audit import register, spec
from stocktake.audit.answers import NO_SERVICE
from stocktake.audit.checks import Checks, Held, change_queries, merged, peer_queries, relations, rule_queries
from stocktake.audit.ledger import Line, added, current, read_ledger, signed_off
from stocktake.audit.returns import Entry, Query, Return
from stocktake.organisations.register import Body, Register
from stocktake.problems import StocktakeError

SPEC = spec()


def lines() -> list[Line]:
    out: list[Line] = []
    out.append(added(out, "received", "2018-01-01T00:00:00Z", file="a.xlsx", sha256="a", organisation="T1"))
    out.append(added(out, "refused", "2018-01-02T00:00:00Z", file="b.xlsx", sha256="b", remark="no workbook"))
    out.append(
        added(out, "signed off", "2018-01-03T00:00:00Z", file="a.xlsx", sha256="a", organisation="T1", remark="A. Name")
    )
    return out


def write(path: Path, given: list[Line]) -> Path:
    path.write_text("".join(line.text() + "\n" for line in given), "utf-8")
    return path


def test_a_ledger_comes_back(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "none") == []
    assert read_ledger(write(tmp_path / "ledger.jsonl", lines())) == lines()


def test_a_later_return_needs_a_new_sign_off() -> None:
    known = lines()
    assert signed_off(known)["T1", ""].remark == "A. Name"
    known.append(added(known, "received", "2018-02-01T00:00:00Z", file="c.xlsx", sha256="c", organisation="T1"))
    assert current(known)["T1", ""].sha256 == "c"
    assert signed_off(known) == {}


@pytest.mark.parametrize("change", ["remark", "taken out", "first taken out", "added", "no line"])
def test_a_changed_ledger_is_noticed(tmp_path: Path, change: str) -> None:
    known = lines()
    if change == "remark":
        known[1] = dataclasses.replace(known[1], remark="something else")
    elif change == "taken out":
        del known[1]
    elif change == "first taken out":
        del known[0]
    elif change == "added":
        known.insert(1, added(known[:1], "received", "2018-01-01T12:00:00Z", file="x", sha256="x", organisation="T2"))
    path = write(tmp_path / "ledger.jsonl", known)
    if change == "no line":
        path.write_text(path.read_text("utf-8") + "{}\n", "utf-8")
    with pytest.raises(StocktakeError, match=r"ledger\.jsonl, line"):
        read_ledger(path)


def entry(item: str, value: float, *parts: str) -> Entry:
    return Entry(item, parts, value, "" if np.isnan(value) else f"{value:g}", "Sheet", "A1")


def held(*entries: Entry, code: str = "T1") -> Held:
    return merged(code, [Return(code, "", entries, ())])


def test_two_templates_are_merged_field_by_field() -> None:
    one = Return("L1", "one", (entry("workers", 5), entry("hours", 7)), ())
    two = Return("L1", "two", (entry("hours", 8), entry("calls", 9)), ())
    found = merged("L1", [one, two])
    assert {i: (t, e.value) for (i, _), (t, e) in found.entries.items()} == {
        "workers": ("one", 5),
        "hours": ("two", 8),
        "calls": ("two", 9),
    }
    assert [(t, e.value) for t, e in found.others] == [("one", 7)]
    (query,) = found.queries
    assert query.check == "conflict" and "The template one says '7'" in query.sentence
    # What the later template leaves open keeps the earlier answer, and alike answers are no conflict.
    found = merged("L1", [one, Return("L1", "two", (entry("hours", np.nan),), ())])
    assert found.entries["hours", ()][0] == "one" and found.queries == ()
    assert merged("L1", [one, Return("L1", "two", (entry("hours", 7),), ())]).queries == ()
    assert merged("L1", [Return("L1", "one", (entry("hours", np.nan),), ()), two]).queries == ()


def test_rules_within_a_return() -> None:
    def found(*entries: Entry) -> list[Query]:
        return list(rule_queries(SPEC, held(*entries), relations(SPEC)))

    good = [entry("referrals", 5, t, s) for t in ("generic", "crisis") for s in ("gp", "other")]
    assert found(*good, entry("accepted", 10, "generic"), entry("accepted", NO_SERVICE, "crisis")) == []
    (query,) = found(*good, entry("accepted", 11, "generic"))
    assert query.sentence == "No more are accepted than received. Here they are 11 and 10 (Generic team)."
    assert query.question == "Accepted: Generic team"
    # An equation of figures with decimals holds to what rounding leaves.
    assert found(entry("workers", 5.1), entry("hours", 5.0)) == []
    (query,) = found(entry("workers", 5.2), entry("hours", 5.0))
    assert query.sentence == "Workers are hours. Here they are 5.2 and 5." and query.question == "Workers"


def test_figures_unlike_last_year() -> None:
    last = {("beds", ()): 30.0, ("accepted", ("generic",)): 5.0, ("accepted", ("crisis",)): 30.0}
    now = held(
        entry("beds", 61),
        entry("accepted", 11, "generic"),
        entry("accepted", np.nan, "crisis"),
        entry("months", 4, "generic"),
    )
    (query,) = change_queries(SPEC, now, last, Checks())
    assert query.question == "Beds" and "Last year this was 30" in query.sentence
    assert list(change_queries(SPEC, held(entry("beds", 45)), last, Checks())) == []


def test_figures_far_from_those_of_peers() -> None:
    codes = [f"T{i}" for i in range(12)]
    who = Register({c: Body(c, c, "trust") for c in codes}, ())
    size = dict.fromkeys(codes, 1000.0)
    helds = {c: held(entry("beds", 20.0 + i), entry("months", 5.0 + i, "generic"), code=c) for i, c in enumerate(codes)}
    assert list(peer_queries(SPEC, who, helds, size, "trust", Checks())) == []
    helds["T3"] = held(entry("beds", 25_000), entry("months", 0.01, "generic"), code="T3")
    found = list(peer_queries(SPEC, who, helds, size, "trust", Checks()))
    assert [(q.organisation, q.question) for q in found] == [("T3", "Beds"), ("T3", "Months: Generic team")]
    assert "times more than is usual" in found[0].sentence and "times less" in found[1].sentence
    # Too few peers, and peers that are all alike.
    assert list(peer_queries(SPEC, who, helds, dict.fromkeys(codes[:5], 1.0), "trust", Checks())) == []
    alike = {c: held(entry("beds", 20.0 if c != "T3" else 9000.0), code=c) for c in codes}
    assert list(peer_queries(SPEC, who, alike, size, "trust", Checks())) == []
    assert list(peer_queries(SPEC, register(), {}, {}, "ccg", Checks())) == []

"""Checks of returns against themselves, against last year and against peers, and merging of two templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from stocktake.audit.answers import NO_SERVICE, Parts, cells_behind
from stocktake.audit.returns import Entry, Query, Return
from stocktake.audit.specification import Rule, Specification, reference
from stocktake.definitions import Part
from stocktake.organisations.register import Kind, Register

Cell = tuple[str, Parts]


class Checks(Part):
    """How returns are checked; a figure that is asked about is used all the same."""

    change: float = Field(
        2.0, gt=1, description="a figure so many times last year's, or that part of it, is asked about"
    )
    outlier: float = Field(
        3.5, gt=0, description="a modified z-score beyond this is asked about (Iglewicz and Hoaglin 1993)"
    )
    peers: int = Field(10, ge=3, description="fewer organisations than this are no peers to be compared with")
    small: float = Field(20, ge=0, description="changes of figures below this are not asked about")


@dataclass(frozen=True)
class Held:
    """What counts of one organisation: each cell with the template that it comes from, and the others for it."""

    organisation: str
    entries: Mapping[Cell, tuple[str, Entry]]
    others: tuple[tuple[str, Entry], ...] = ()
    queries: tuple[Query, ...] = field(default=())

    def value(self, cell: Cell) -> float:
        """The value of a cell; NaN where it was not answered or asked."""
        return self.entries[cell][1].value if cell in self.entries else np.nan


def merged(organisation: str, returns: Sequence[Return]) -> Held:
    """The templates of one organisation as one, field by field; `returns` are in the order in which they came.

    A field that one template alone answers is that template's. Where two answer it the later one counts, and the
    organisation is asked if they differ.
    """
    entries: dict[Cell, tuple[str, Entry]] = {}
    others: list[tuple[str, Entry]] = []
    queries: list[Query] = []
    for one in returns:
        for entry in one.entries:
            cell = (entry.item, entry.parts)
            before = entries.get(cell)
            if before is not None and np.isnan(entry.value):
                others.append((one.template, entry))
                continue
            if before is not None:
                others.append(before)
                old = before[1]
                if not np.isnan(old.value) and old.value != entry.value:
                    queries.append(
                        Query(
                            organisation,
                            one.template,
                            entry.sheet,
                            entry.cell,
                            entry.item,
                            entry.entered,
                            "conflict",
                            f"The template {before[0]} says {old.entered!r} (sheet {old.sheet}, cell {old.cell}); the later one was used. Which is right?",
                        )
                    )
            entries[cell] = (one.template, entry)
    return Held(organisation, entries, tuple(others), tuple(queries))


@dataclass(frozen=True)
class Relation:
    """A rule in one part that its two sides share: the cells of each, and by how much rounding may part them."""

    rule: Rule
    where: str
    left: tuple[Cell, ...]
    right: tuple[Cell, ...]
    slack: float


def relations(spec: Specification) -> list[Relation]:
    """Every rule between items, in every part that its two sides share."""
    out = []
    for rule in spec.rules:
        sides = [spec.item[reference(text).item] for text in (*rule.left, *rule.right)]
        shared = [d for d in sides[0].by if all(d in s.by for s in sides)]
        options = list(spec.dimension[shared[0]].options.items()) if shared else [("", "")]
        for option, where in options:
            chosen = {shared[0]: option} if option else {}
            left, right = (tuple(cells_behind(spec, side, chosen)) for side in (rule.left, rule.right))
            # Parts are rounded to a tenth, each by at most half of that.
            slack = 0.05 * (len(left) + len(right)) if any(not s.whole for s in sides) else 0.0
            out.append(Relation(rule, where, left, right, slack))
    return out


def rule_queries(spec: Specification, held: Held, found: Sequence[Relation]) -> Iterator[Query]:
    """Where a rule between items does not hold within one organisation; `found` are the specification's relations."""
    for one in found:
        amounts = [np.array([held.value(c) for c in side]) for side in (one.left, one.right)]
        if any(np.isnan(a).any() for a in amounts):
            continue
        above, below = (float(np.where(a == NO_SERVICE, 0.0, a).sum()) for a in amounts)
        broken = above > below + one.slack if one.rule.relation == "<=" else abs(above - below) > one.slack
        if broken:
            template, entry = held.entries[one.left[0]]
            words = f"{one.rule.says} Here they are {above:,.10g} and {below:,.10g}"
            yield Query(held.organisation, template, entry.sheet, entry.cell, _name(spec, one.left[0]), entry.entered,
                        "rule", f"{words}{f' ({one.where})' if one.where else ''}.")  # fmt: skip


def change_queries(spec: Specification, held: Held, last: Mapping[Cell, float], checks: Checks) -> Iterator[Query]:
    """Figures that are very unlike last year's."""
    for cell, (template, entry) in held.entries.items():
        then = last.get(cell)
        if then is None or not np.isfinite(entry.value) or max(then, entry.value) < checks.small:
            continue
        low, high = sorted((then, entry.value))
        if high > checks.change * max(low, 1e-9):
            yield Query(held.organisation, template, entry.sheet, entry.cell, _name(spec, cell), entry.entered, "last year",
                        f"Last year this was {then:,.10g}. Please confirm or correct.")  # fmt: skip


def peer_queries(
    spec: Specification,
    register: Register,
    helds: Mapping[str, Held],
    size: Mapping[str, float],
    kind: Kind,
    checks: Checks,
) -> Iterator[Query]:
    """Figures far from those of peers, for the people that each serves.

    The modified z-score is 0.6745 (x - median) / MAD of the logarithms, so that a few wrong figures do not hide one
    another; figures of zero take no part.
    """
    codes = [c for c in register.of_kind(kind, spec.census) if c in helds and size.get(c, 0) > 0]
    for item in spec.items:
        if kind not in item.of or item.unit == "category":
            continue
        cells = sorted({cell for c in codes for cell in helds[c].entries if cell[0] == item.code})
        for cell in cells:
            values = np.array([helds[c].value(cell) for c in codes])
            per_head = item.unit not in ("months", "years", "sessions")
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.log(values / np.array([size[c] for c in codes]) if per_head else values)
            known = np.isfinite(logs)
            if known.sum() < checks.peers:
                continue
            centre = np.median(logs[known])
            deviation = float(np.median(np.abs(logs[known] - centre)))
            if deviation == 0:
                continue
            for i in np.flatnonzero(known):
                score = 0.6745 * (logs[i] - centre) / deviation
                if abs(score) > checks.outlier:
                    template, entry = helds[codes[i]].entries[cell]
                    more = "more" if score > 0 else "less"
                    fold = float(np.exp(abs(logs[i] - centre)))
                    yield Query(codes[i], template, entry.sheet, entry.cell, _name(spec, cell), entry.entered, "peers",
                                f"This is {fold:,.1f} times {more} than is usual for your size. Please confirm or correct.")  # fmt: skip


def _name(spec: Specification, cell: Cell) -> str:
    """A cell in the words of the form."""
    item = spec.item[cell[0]]
    words = [spec.dimension[d].options[o] for d, o in zip(item.by, cell[1], strict=True)]
    return f"{item.name}: {', '.join(words)}" if words else item.name

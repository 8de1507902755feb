"""What a pack may know of the results of a collection: figures by indicator, part and body, and how they are written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import polars as pl

from stocktake.audit.commentary import Commentary, Reference, split
from stocktake.audit.figures import SHOWN
from stocktake.audit.specification import Indicator, Specification, reference
from stocktake.definitions import Part
from stocktake.organisations.maps import Outline
from stocktake.organisations.register import Kind, Register
from stocktake.reports.figure_charts import Tone, Unit
from stocktake.reports.model import Inline, Number, Text
from stocktake.reports.words import listed
from stocktake.results import Results

Row = Mapping[str, Any]
# So many of the reader's own organisations are marked one by one.
MOST_OWN = 12
# What bodies of a kind are called.
WORDS: Mapping[Kind, tuple[str, str]] = {
    "trust": ("trust", "trusts"),
    "ccg": ("CCG", "CCGs"),
    "la": ("local authority", "local authorities"),
    "stp": ("area", "areas"),
    "region": ("region", "regions"),
    "country": ("country", "countries"),
}


class Naming(Part):
    """Which organisations of each kind packs name: the reader's own, also those that are highlighted with it, or all."""

    trust: Literal["own", "near", "everyone"] = "own"
    ccg: Literal["own", "near", "everyone"] = "own"
    la: Literal["own", "near", "everyone"] = "own"

    def of(self, kind: Kind) -> str:
        """The rule of a kind of organisation; areas are never hidden."""
        return str(getattr(self, kind, "everyone"))


@dataclass(frozen=True)
class Reader:
    """Whose pack it is: the body itself, the areas it belongs to, and which organisations are its own."""

    code: str
    name: str
    kind: Kind
    area: tuple[str, ...]
    region: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """The results of a collection, as packs read them."""

    results: Results
    spec: Specification
    register: Register
    commentary: Commentary
    secret: str = ""
    outlines: Mapping[str, Outline] = field(default_factory=dict)
    naming: Naming = field(default_factory=Naming)

    @cached_property
    def _figures(self) -> dict[tuple[str, str, Kind], dict[str, Row]]:
        """Rows by indicator, part and kind, then by organisation; series apart."""
        out: dict[tuple[str, str, Kind], dict[str, Row]] = {}
        columns = [
            "indicator", "part", "kind", "organisation", "organisation_name", "value", "lower_95", "upper_95", "numerator",
            "denominator", "organisations", "asked", "made_of", "place", "opportunity", "status", "reason", "funnel_z", "funnel_lower", "funnel_upper",
        ]  # fmt: skip
        table = self.results.tables["figures"].filter(pl.col("year").is_null()).select(columns)
        for row in table.iter_rows(named=True):
            out.setdefault((row["indicator"], row["part"], row["kind"]), {})[row["organisation"]] = row
        return out

    @cached_property
    def _series(self) -> dict[tuple[str, str, int], Row]:
        table = self.results.tables["figures"].filter(pl.col("year").is_not_null())
        return {(r["indicator"], r["part"], r["year"]): r for r in table.iter_rows(named=True)}

    @cached_property
    def _summaries(self) -> dict[tuple[str, str, str], Row]:
        rows = self.results.tables["summaries"].iter_rows(named=True)
        return {(r["indicator"], r["part"], r["kind"]): r for r in rows}

    @cached_property
    def _national(self) -> dict[tuple[str, str], Row]:
        return {(r["indicator"], r["part"]): r for r in self.results.tables["national"].iter_rows(named=True)}

    @property
    def least(self) -> int:
        """The smallest number of people that is shown."""
        return int(self.results.provenance["disclosure"]["minimum_count"])

    @cached_property
    def signed(self) -> int:
        """Organisations whose returns are signed off."""
        table = (
            self.results.tables["answers"]
            .group_by("organisation")
            .agg((pl.col("signed_off_by") != "").all().alias("s"))
        )
        return int(table["s"].sum())

    @cached_property
    def answered(self) -> int:
        """Organisations that sent a return."""
        return self.results.tables["answers"]["organisation"].n_unique()

    def asked(self, indicator: Indicator) -> Kind:
        """The kind of organisation that an indicator's items are asked of."""
        return self.spec.item[reference(indicator.numerator[0]).item].of[0]

    def rows(self, code: str, kind: Kind, part: str = "") -> dict[str, Row]:
        """The figures of all bodies of a kind, by code."""
        return self._figures.get((code, part, kind), {})

    def parts(self, code: str, kind: Kind) -> list[str]:
        """The parts that an indicator has figures of, for bodies of a kind."""
        return self._parts.get((code, kind), [])

    @cached_property
    def _parts(self) -> dict[tuple[str, Kind], list[str]]:
        out: dict[tuple[str, Kind], list[str]] = {}
        for code, part, kind in self._figures:
            out.setdefault((code, kind), []).append(part)
        return out

    def row(self, code: str, organisation: str, part: str = "") -> Row | None:
        """One body's figure; None where the indicator has none for its kind."""
        return self.rows(code, self.register.bodies[organisation].kind, part).get(organisation)

    def england(self, code: str, part: str = "") -> Row | None:
        """The figure of the whole country."""
        return next(iter(self.rows(code, "country", part).values()), None)

    def summary(self, code: str, part: str = "") -> Row | None:
        """How the figures of an indicator differ: of the kind that it shows, or of the kind that is asked."""
        indicator = self.spec.indicator[code]
        kind = self.asked(indicator) if indicator.of == "country" else indicator.of
        return self._summaries.get((code, part, kind))

    def national(self, code: str, part: str = "") -> Row | None:
        """What the organisations that answered imply for the whole country."""
        return self._national.get((code, part))

    def series(self, code: str, part: str, year: int) -> Row | None:
        """A figure of a series."""
        return self._series.get((code, part, year))

    def unit(self, indicator: Indicator) -> Unit:
        """How an indicator's figures are written."""
        return Unit(indicator.unit, indicator.decimals)

    def number(self, indicator: Indicator, value: float | None, source: str) -> Number | str:
        """A figure with the result that it refers to; words where there is none."""
        if value is None:
            return "no figure"
        return Number(value, self.unit(indicator).text(value), source)

    def named(self, kind: Kind, own: Container[str], near: Container[str]) -> Callable[[str], bool]:
        """Whether an organisation of a kind is named to a reader whose own and near ones are given."""
        rule = self.naming.of(kind)
        return lambda code: rule == "everyone" or code in own or (rule == "near" and code in near)

    def called(self, row: Row, marks: Highlight) -> str:
        """What the organisation of a row is called for a reader: its name, or its code."""
        return str(row["organisation_name"]) if marks.named(row["organisation"]) else self.alias(row["organisation"])

    def alias(self, organisation: str) -> str:
        """A code by which nobody knows an organisation who does not know the collection's secret."""
        return self._aliases[organisation]

    @cached_property
    def _aliases(self) -> dict[str, str]:
        out: dict[str, str] = {}
        for kind, letter in (("trust", "T"), ("ccg", "C"), ("la", "A")):
            codes = [c for c, b in self.register.bodies.items() if b.kind == kind]
            codes.sort(key=lambda c: hashlib.sha256(f"{self.secret}\n{c}".encode()).hexdigest())
            out |= {c: f"{letter}{i:03d}" for i, c in enumerate(codes, start=1)}
        return out

    def sentence(self, text: str, reader: Reader) -> Text:
        """A sentence of the commentary with its figures."""
        return Text(tuple(self._piece(p, reader) for p in split(text)))

    def _piece(self, piece: str | Reference, reader: Reader) -> Inline:
        if isinstance(piece, str):
            return piece
        indicator = self.spec.indicator[piece.indicator]
        source = f"{piece.indicator}.{piece.what}.{piece.part}".rstrip(".")
        if piece.what in ("england", "own", "total"):
            row = self.national(piece.indicator, piece.part)
            if piece.what == "england":
                row = self.england(piece.indicator, piece.part)
            elif piece.what == "own":
                row = self.row(piece.indicator, reader.code, piece.part)
            value = None if row is None else row["value"]
            if piece.what == "total" and value is not None:
                return Number(value, self.total_text(indicator, value), source)
            return self.number(indicator, value, source)
        row = self.summary(piece.indicator, piece.part)
        value = None if row is None else row[piece.what]
        if value is None:
            return "no figure"
        if piece.what in ("n", "asked"):
            return Number(value, f"{value:,}", source)
        if piece.what in ("fold", "fold_inner"):
            return Number(value, Unit("", 1).text(value), source)
        return self.number(indicator, value, source)

    def total_text(self, indicator: Indicator, value: float) -> str:
        """A national total, rounded to three figures as it is no count."""
        if indicator.unit.startswith("£"):
            return Unit("£").text(value)
        digits = max(len(f"{abs(value):.0f}") - 3, 0)
        return f"about {round(value, -digits):,.0f}"


def reader_of(register: Register, code: str, day: Any) -> Reader:
    """The reader with the areas and the region that it belongs to, or that it is."""
    body = register.bodies[code]
    area = (code,) if body.kind == "stp" else register.parents(code, "stp", day)
    region = (code,) if body.kind == "region" else register.parents(code, "region", day)
    return Reader(code, body.name, body.kind, area, region)


def own_of(facts: Facts, reader: Reader, kind: Kind) -> tuple[str, ...]:
    """Which organisations of a kind are the reader's own: itself, or an area's members; those beside it are not."""
    if reader.kind == kind:
        return (reader.code,)
    return beside(facts, reader, kind) if reader.kind == "stp" else ()


def beside(facts: Facts, reader: Reader, kind: Kind) -> tuple[str, ...]:
    """The organisations of a kind in the areas that the reader is or belongs to; none for a region, which has too many."""
    if reader.kind == "region":
        return ()
    return tuple(dict.fromkeys(m for a in reader.area for m in facts.register.members(a, kind, facts.spec.census)))


def near_of(facts: Facts, reader: Reader, indicator: Indicator, kind: Kind) -> tuple[str, ...]:
    """Which organisations of a kind are shown as near: those of the region for trusts, of the area for others."""
    day = facts.spec.census
    areas: Sequence[str] = (
        reader.region if indicator.highlight == "own region" or reader.kind == "region" else reader.area
    )
    return tuple(dict.fromkeys(m for a in areas for m in facts.register.members(a, kind, day)))


@dataclass(frozen=True)
class Highlight:
    """How a display marks organisations for a reader: its own, those near it, what these are together, and who is named."""

    own: tuple[str, ...]
    near: frozenset[str]
    where: str
    named: Callable[[str], bool]

    def tone(self, organisation: str) -> Tone:
        return "own" if organisation in self.own else "near" if organisation in self.near else "rest"


def highlight(facts: Facts, reader: Reader, indicator: Indicator) -> Highlight:
    """The organisations of an indicator's kind as they are marked for a reader; too many of its own are only near."""
    kind = indicator.of
    own, near = own_of(facts, reader, kind), near_of(facts, reader, indicator, kind)
    mine = own if len(own) <= MOST_OWN else ()
    region = indicator.highlight == "own region" or reader.kind == "region"
    names = [facts.register.bodies[c].name for c in (reader.region if region else reader.area)]
    return Highlight(mine, frozenset(near), listed(names) or "your area", facts.named(kind, own, near))


def shown(rows: Mapping[str, Row]) -> list[Row]:
    """The rows that have a figure, lowest first."""
    return sorted((r for r in rows.values() if r["status"] == SHOWN), key=lambda r: (r["value"], r["organisation"]))

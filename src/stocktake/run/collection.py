"""audit.yaml: what belongs to one collection, read and checked, and a folder for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from stocktake.audit.answers import Parts
from stocktake.audit.checks import Checks
from stocktake.audit.commentary import Commentary, library_commentary, load_commentary
from stocktake.audit.figures import NOT_ADDITIVE
from stocktake.audit.lists import Earlier, Services, read_earlier, read_services
from stocktake.audit.specification import Specification, load
from stocktake.definitions import Part, read_text, validated
from stocktake.disclosure.count_relations import CountRules
from stocktake.files import sha256
from stocktake.organisations.maps import Outline, read_outlines
from stocktake.organisations.populations import Populations, read_populations
from stocktake.organisations.register import Register, read_register
from stocktake.problems import StocktakeError
from stocktake.reports.audit.facts import Naming
from stocktake.run.kinds import AUDIT
from stocktake.run.settings import Publishing


class Outlines(Part):
    """A map of the areas: a GeoJSON or TopoJSON file, and which of its fields, behind a prefix, is an area's code."""

    file: str
    field: str
    prefix: str = ""


class AuditSettings(Part):
    """audit.yaml: what belongs to one collection; names of files are relative to its folder."""

    specification: str
    organisations: str = Field(
        "organisations.csv", description="columns code, name, kind; begins, ends, successor if known"
    )
    memberships: str = Field("memberships.csv", description="columns child and parent; begins and ends if known")
    populations: str = Field("populations.csv", description="columns code, kind, ages, year, people")
    services: str | None = Field(None, description="columns code, dimension, option: what each organisation has")
    earlier: str | None = Field(
        None, description="columns organisation, item, parts, year, value: figures of other years"
    )
    commentary: str | None = Field(None, description="sentences of the packs, in place of the specification's own")
    secret: str = Field(
        min_length=8, description="any words of your own: from them come the codes under which packs show others"
    )
    names: Naming = Field(Naming(), description="which organisations packs name: own, near or everyone, by kind")
    outlines: Outlines | None = Field(None, description="boundaries of the areas, for maps in place of tiles")
    checks: Checks = Checks()
    disclosure: CountRules = Field(CountRules(), description="which numbers of people packs may print")
    contact: str = ""
    theme: str | None = None
    site: Publishing = Publishing()
    notice: str = Field("", description="a line printed on the cover and at every foot")


@dataclass(frozen=True)
class Collection:
    """A collection's folder: its settings, specification, and who there is."""

    folder: Path
    settings: AuditSettings

    @cached_property
    def spec(self) -> Specification:
        local = self.folder / self.settings.specification
        return load(local if local.is_file() else self.settings.specification)

    @cached_property
    def register(self) -> Register:
        name = self.settings.organisations
        found = read_register(self.folder / name, self.folder / self.settings.memberships)
        countries = found.of_kind("country", self.spec.census)
        if len(countries) != 1:
            raise StocktakeError(
                f"{name}, column kind: {len(countries)} rows of the kind country on {self.spec.census}; expected one, to which all belong."
            )
        return found

    @cached_property
    def populations(self) -> Populations:
        found = read_populations(self.folder / self.settings.populations, list(self.register.bodies))
        problems = found.unbalanced()
        if problems:
            raise StocktakeError([f"{self.settings.populations}: {p}" for p in problems])
        return found

    @cached_property
    def services(self) -> Services:
        name = self.settings.services
        return {} if name is None else read_services(self.folder / name, self.spec, self.register)

    @cached_property
    def earlier(self) -> Earlier:
        name = self.settings.earlier
        return {} if name is None else read_earlier(self.folder / name, self.spec, self.register)

    @cached_property
    def commentary(self) -> Commentary:
        """The collection's own sentences, or those that come with its specification."""
        name = self.settings.commentary
        return library_commentary(self.spec) if name is None else load_commentary(self.folder / name, self.spec)

    @cached_property
    def outlines(self) -> dict[str, Outline]:
        """The boundaries of the areas, where the settings name a file of them."""
        given = self.settings.outlines
        if given is None:
            return {}
        areas = self.register.of_kind("stp", self.spec.census)
        return read_outlines(self.folder / given.file, given.field, given.prefix, areas)

    @cached_property
    def last_year(self) -> dict[str, dict[tuple[str, Parts], float]]:
        """The figures of the year before, by organisation; of one that was formed of others the sum of theirs."""
        out: dict[str, dict[tuple[str, Parts], float]] = {}
        before: dict[str, dict[tuple[str, Parts], list[float]]] = {}
        for (code, item, parts, year), value in self.earlier.items():
            if year == self.spec.begins.year - 1:
                *_, now = self.register.successors(code)
                if now == code:
                    out.setdefault(code, {})[item, parts] = value
                else:
                    before.setdefault(now, {}).setdefault((item, parts), []).append(value)
        for code, cells in before.items():
            many = sum(b.successor == code for b in self.register.bodies.values())
            for (item, parts), values in cells.items():
                # A sum of some of them is no figure of all, and months or years are no sum.
                if len(values) == many and self.spec.item[item].unit not in NOT_ADDITIVE:
                    out.setdefault(code, {}).setdefault((item, parts), sum(values))
        return out

    @property
    def asked(self) -> list[str]:
        """Every organisation that is asked something, in the register's order."""
        kinds = {k for i in self.spec.items for k in i.of} - {"country"}
        return [c for c, b in self.register.bodies.items() if b.kind in kinds and b.there(self.spec.census)]

    def inputs(self) -> dict[str, Any]:
        """Name and SHA-256 of every file that figures rest on, by what each is for."""
        fields = ("organisations", "memberships", "populations", "services", "earlier")
        names = {f: getattr(self.settings, f) for f in fields}
        out = {f: {"name": n, "sha256": sha256(self.folder / n)} for f, n in names.items() if n is not None}
        ledger = self.folder / "ledger.jsonl"
        if ledger.is_file():
            out["ledger"] = {"name": ledger.name, "sha256": sha256(ledger)}
        return out

    @property
    def digest(self) -> str:
        """The SHA-256 of the specification."""
        return hashlib.sha256(self.spec.model_dump_json().encode()).hexdigest()


def open_collection(folder: Path) -> Collection:
    """The collection of a folder; raises StocktakeError with file, line and field of every problem of audit.yaml."""
    path = folder / AUDIT
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file; `stocktake demo audit` shows what one looks like.")
    settings, _ = validated(AuditSettings, read_text(path), str(path), "specification, organisations and populations")
    return Collection(folder, settings)

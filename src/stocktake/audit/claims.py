"""What a publication claims, as data: each printed figure with what it is of, so that they can be held against each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from stocktake.audit.printed import How, Printed, printed
from stocktake.definitions import Part, Problem, located, read_text, validated
from stocktake.problems import StocktakeError, nearest

Stat = Literal["total", "mean", "median", "share", "ratio", "rate", "lowest", "highest", "words"]


class Claim(Part):
    """One printed figure, or one statement in words about figures, with where it stands."""

    id: str
    where: str = Field(description="page, line or table")
    measure: str = Field(description="what it is of, such as caseload")
    stat: Stat
    figure: str = Field("", description="as it is printed; empty for words")
    how: How = "rounded"
    part: str = Field("", description="one part of the whole, such as a team type")
    by: str = Field("", description="what the parts are parts by, such as team")
    of: str = Field("", description="whose figure, such as one team type in a table of several")
    complete: bool = Field(False, description="the parts are all of the whole")
    year: int | None = None
    per: float = Field(1, gt=0, description="100000 for a rate per 100,000 people")
    population: str = Field("", description="the people that a rate is per, as the publication calls them")
    organisations: int | None = Field(None, ge=1, description="how many a mean is over, as the publication says")
    over: tuple[str, ...] = Field((), description="for a ratio: the claims of its numerator and denominator")
    times: tuple[str, ...] = Field((), description="for a product: the claims of its two factors")
    period: str = Field("", description="the period as it is printed, such as 2014/15")
    direction: Literal["rises", "falls"] | None = None
    years: tuple[int, ...] = Field((), description="the years that words about change are of")
    superlative: str = Field("", description="such as largest fall; `part` says of what")
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    page: int | None = Field(None, ge=1, description="the number of the page that a cell of a table stands on")
    called: str = Field("", description="the word that is used for the part here")

    @model_validator(mode="after")
    def _whole(self) -> Claim:
        if self.figure:
            try:
                printed(self.figure, self.how)
            except StocktakeError as error:
                raise ValueError(error.problems[0]) from None
        elif self.stat != "words":
            raise ValueError("a claim without a figure is of words")
        for field in ("over", "times"):
            if len(getattr(self, field)) not in (0, 2):
                raise ValueError(f"`{field}` names two claims")
        return self

    @property
    def printed(self) -> Printed:
        """What the figure may stand for."""
        return printed(self.figure, self.how)

    @property
    def name(self) -> str:
        """What it is of, in a few words."""
        return ", ".join(str(x) for x in (self.measure, self.part, self.of, self.year) if x)

    @property
    def figure_key(self) -> tuple[Hashable, ...]:
        """What two claims share that are of one and the same figure."""
        return (self.measure, self.stat, self.part, self.by, self.of, self.year, self.per, self.population)

    @property
    def whole_key(self) -> tuple[Hashable, ...] | None:
        """What the parts of one whole share; None for a claim that is of no part."""
        return (self.measure, self.by, self.of, self.year) if self.part and self.by else None


class Claims(Part):
    """All claims of one publication."""

    title: str
    populations: dict[str, str] = Field(default_factory=dict, description="numbers of people that are known, by name")
    claims: tuple[Claim, ...] = Field(min_length=1)

    @cached_property
    def people(self) -> dict[str, Printed]:
        """What the numbers of people that are known may stand for, by name."""
        return {name: printed(words) for name, words in self.populations.items()}

    @cached_property
    def by_id(self) -> dict[str, Claim]:
        return {c.id: c for c in self.claims}

    def grouped(self, key: Callable[[Claim], Hashable]) -> list[list[Claim]]:
        """Claims with the same key, in order; those whose key is None are left out."""
        groups: dict[Hashable, list[Claim]] = {}
        for claim in self.claims:
            if (found := key(claim)) is not None:
                groups.setdefault(found, []).append(claim)
        return list(groups.values())

    def of(self, stat: str, other: Claim) -> list[Claim]:
        """Claims of a statistic about the same thing as another claim, whatever the part."""
        return [
            c
            for c in self.claims
            if c.stat == stat
            and c.figure
            and (c.measure, c.of) == (other.measure, other.of)
            and (c.year == other.year or other.direction)
        ]

    def total(self, other: Claim) -> Claim | None:
        """The total of what another claim is about: of several that are printed, the most exact one."""
        found = [c for c in self.of("total", other) if c.part == other.part]
        return min(found, key=lambda c: c.printed.high - c.printed.low, default=None)


def load_claims(path: Path) -> Claims:
    """Load claims from a YAML file; raises StocktakeError with file, line and field of every problem."""
    if not path.is_file():
        raise StocktakeError(f"{path}: no such file; expected a file of claims.")
    return parse_claims(read_text(path), str(path))


def parse_claims(text: str, file: str) -> Claims:
    """Parse the text of a claims file; `file` names it in messages."""
    found, lines = validated(Claims, text, file, "title and claims")
    problems: list[Problem] = []
    seen: set[str] = set()
    for i, claim in enumerate(found.claims):
        if claim.id in seen:
            problems.append((("claims", i, "id"), f"{claim.id!r} appears twice."))
        seen.add(claim.id)
        for field in ("over", "times"):
            for name in getattr(claim, field):
                if name not in found.by_id:
                    problems.append((("claims", i, field), f"no claim {name!r}.{nearest(name, list(found.by_id))}"))
                elif not found.by_id[name].figure:
                    problems.append((("claims", i, field), f"{name!r} has no figure."))
                elif found.by_id[name].printed.low < 0:
                    problems.append(
                        (("claims", i, field), f"{name!r} is below zero; expected figures of zero or more.")
                    )
    for name, words in found.populations.items():
        try:
            printed(words)
        except StocktakeError as error:
            problems.append((("populations", name), error.problems[0]))
    if problems:
        raise StocktakeError(located(problems, lines, file))
    return found

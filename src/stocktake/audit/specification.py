"""A collection's specification: what is asked of whom, and which figures are made of the answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from stocktake.definitions import Part, Problem, find_definition, library_of, located, validated
from stocktake.organisations.populations import Key
from stocktake.organisations.register import Kind
from stocktake.problems import StocktakeError, nearest

Unit = Literal[
    "people", "referrals", "contacts", "appointments", "admissions", "days", "assessments", "teams", "services",
    "places", "beds", "sessions", "WTE", "pounds", "months", "years", "organisations", "category",
]  # fmt: skip
# Units of which each one is an event or a person: chance alone moves their number.
EVENTS: frozenset[Unit] = frozenset(("people", "referrals", "contacts", "appointments", "admissions", "assessments"))
Ages = Literal["all", "0-17", "16+", "16-64", "65+"]
Form = Literal["total", "mean", "median", "rate", "share", "ratio"]
Polarity = Literal["higher better", "lower better", "no judgement"]
ChartKind = Literal["table", "ranked bars", "map", "bars", "shares", "stacked shares", "series", "heat table"]


class Dimension(Part):
    """A vocabulary by which items are broken down, such as team types: the code and title of each option."""

    code: str
    title: str
    options: dict[str, str] = Field(min_length=1)
    also: dict[str, str] = Field(
        default_factory=dict, description="other words for an option, in templates and claims, each with its code"
    )


class Item(Part):
    """One thing that is asked: a number, alone or for every option of its dimensions."""

    code: str
    name: str
    definition: str
    unit: Unit
    of: tuple[Kind, ...] = Field(min_length=1, description="the kinds of organisation that are asked")
    basis: Literal["census", "period", "earlier"] = Field(
        "period", description="at the census, over the year, or of earlier collections"
    )
    by: tuple[str, ...] = Field((), description="dimensions that it is broken down by")
    template: str = Field("", description="the template that asks it, where a kind of organisation has several")
    lowest: float = 0
    highest: float | None = None
    whole: bool = Field(False, description="a whole number")


class Rule(Part):
    """A relation within one return: the items on the left sum to those on the right, or to no more."""

    code: str
    left: tuple[str, ...] = Field(min_length=1)
    relation: Literal["=", "<="]
    right: tuple[str, ...] = Field(min_length=1)
    says: str = Field(min_length=1, description="the rule as a sentence, for the query list")


class Population(Part):
    """A named population that rates are per."""

    code: str
    title: str
    kind: Literal["registered", "weighted", "resident"]
    ages: Ages
    year: int = Field(ge=1990, le=2100)

    @property
    def key(self) -> Key:
        return Key(self.kind, self.ages, self.year)


class Quoted(Part):
    """A figure that a publication prints for an indicator, as it stands there."""

    what: Literal["mean", "median", "lowest", "highest", "total", "England", "share", "value"]
    value: float
    part: str = Field("", description="the option that it is of, where the indicator is broken down")
    year: int | None = Field(None, ge=1990, le=2100)


class Indicator(Part):
    """One display: numerator over denominator, of whom, how it is shown, and how it may be read."""

    code: str
    title: str
    chapter: str
    of: Kind = Field(description="whose figures it shows; `country` for one figure of England")
    form: Form
    numerator: tuple[str, ...] = Field(min_length=1, description="items that are summed; CODE.option for a part of one")
    denominator: tuple[str, ...] = Field((), description="items that are summed, for shares and ratios")
    population: str = Field("", description="the population that a rate is per")
    populations: dict[str, str] = Field(
        default_factory=dict, description="the population of single options, where it is another"
    )
    per: float = Field(1, gt=0)
    unit: str = Field(description="the unit of the figure, as a reader sees it")
    decimals: int = Field(0, ge=0, le=4)
    by: tuple[str, ...] = Field((), description="dimensions for whose options it is shown")
    years: tuple[int, ...] = Field((), description="the years of a series, each by the year in which it begins")
    breaks: tuple[int, ...] = Field((), description="years that do not compare with those before")
    polarity: Polarity = "no judgement"
    chart: ChartKind
    highlight: Literal["own region", "own area", "none"] = "none"
    twin: str = Field("", description="the same figure for the other population, shown beside it")
    column_of: str = Field("", description="the display in whose table this is one more column; it has none of its own")
    heading: str = Field("", description="the heading of its column in a table of several figures")
    caveats: tuple[str, ...] = ()
    owner: str = ""
    next_review: date | None = None
    inferred: str = Field("", description="what in this entry is deduced rather than read")
    quoted: tuple[Quoted, ...] = ()

    def population_of(self, part: str) -> str:
        """The population that a rate of one part is per; `part` has its options with a stroke between them."""
        return next((self.populations[o] for o in part.split("/") if o in self.populations), self.population)

    @property
    def chance(self) -> bool:
        """Whether an interval of chance has a meaning: a share of people, or a rate; see `Specification.is_event`."""
        return self.form in ("rate", "share")


class Reference(NamedTuple):
    """An item, or one option of it; empty where the whole item is meant."""

    item: str
    option: str


def reference(text: str) -> Reference:
    """Split CODE or CODE.option."""
    item, _, option = text.partition(".")
    return Reference(item, option)


class Specification(Part):
    """A whole collection: organisations are asked `items`, and packs show `indicators`."""

    code: str
    title: str
    programme: str = ""
    begins: date = Field(description="first day of the year that is collected")
    census: date = Field(description="day of the figures at one point in time")
    templates: dict[str, str] = Field(default_factory=dict, description="code and title of each template")
    chapters: dict[str, str] = Field(min_length=1)
    dimensions: tuple[Dimension, ...] = ()
    items: tuple[Item, ...] = Field(min_length=1)
    rules: tuple[Rule, ...] = ()
    populations: tuple[Population, ...] = ()
    indicators: tuple[Indicator, ...] = Field(min_length=1)
    inferred: tuple[str, ...] = Field((), description="what in this file is deduced rather than read")

    @cached_property
    def dimension(self) -> dict[str, Dimension]:
        return {d.code: d for d in self.dimensions}

    @cached_property
    def item(self) -> dict[str, Item]:
        return {i.code: i for i in self.items}

    @cached_property
    def indicator(self) -> dict[str, Indicator]:
        return {i.code: i for i in self.indicators}

    @cached_property
    def displays(self) -> tuple[Indicator, ...]:
        """The indicators that have a display of their own."""
        return tuple(i for i in self.indicators if not i.column_of)

    @cached_property
    def columns(self) -> dict[str, tuple[Indicator, ...]]:
        """The indicators of each display: its own, then those that are further columns of its table."""
        return {d.code: (d, *(i for i in self.indicators if i.column_of == d.code)) for d in self.displays}

    @cached_property
    def population(self) -> dict[str, Population]:
        return {p.code: p for p in self.populations}

    def options(self, item: Item) -> set[str]:
        """The options that a reference to an item may name."""
        return {option for code in item.by for option in self.dimension[code].options}

    def is_event(self, indicator: Indicator) -> bool:
        """Whether chance alone moves the numerator: it counts events or people, not beds, staff or money."""
        return indicator.chance and all(self.item[reference(n).item].unit in EVENTS for n in indicator.numerator)

    def asked_of(self, kind: Kind, template: str | None = None) -> tuple[Item, ...]:
        """The items that a kind of organisation is asked, of one template or all."""
        return tuple(i for i in self.items if kind in i.of and template in (None, i.template))


def library() -> tuple[str, ...]:
    """The codes of the specifications that come with Stocktake."""
    return library_of("stocktake.audit")


def load(source: str | Path) -> Specification:
    """Load a specification by its library code or from a YAML file.

    Raises StocktakeError with every problem found, each with file, line and field.
    """
    return parse(*find_definition(source, "stocktake.audit", "specification"))


def parse(text: str, file: str) -> Specification:
    """Parse a specification file's text; `file` names it in messages."""
    found, lines = validated(Specification, text, file, "title, items and indicators")
    problems = list(cross_checks(found))
    if problems:
        raise StocktakeError(located(problems, lines, file))
    return found


# Codes of parts name columns and cells: lower case, so that no program changes them. Codes of displays are as printed.
CODE = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
DISPLAY = re.compile(r"[A-Z][0-9]{1,2}[a-z]?", re.ASCII)


def cross_checks(spec: Specification) -> Iterator[Problem]:
    """The rules between a specification's entries, which no single entry can know."""
    yield from _code_checks(spec)
    for i, item in enumerate(spec.items):
        for code in item.by:
            if code not in spec.dimension:
                yield ("items", i, "by"), f"no dimension {code!r}.{nearest(code, list(spec.dimension))}"
        if item.template and item.template not in spec.templates:
            yield (
                ("items", i, "template"),
                f"no template {item.template!r}.{nearest(item.template, list(spec.templates))}",
            )
        if item.highest is not None and item.highest < item.lowest:
            yield ("items", i, "highest"), f"{item.highest:g} is below the lowest value, {item.lowest:g}."
    for i, dimension in enumerate(spec.dimensions):
        for word, option in dimension.also.items():
            if option not in dimension.options:
                yield (
                    ("dimensions", i, "also", word),
                    f"no option {option!r}.{nearest(option, list(dimension.options))}",
                )
    for i, rule in enumerate(spec.rules):
        for field in ("left", "right"):
            for text in getattr(rule, field):
                yield from _reference_checks(spec, text, ("rules", i, field))
    for i, indicator in enumerate(spec.indicators):
        yield from _indicator_checks(spec, indicator, i)


def _code_checks(spec: Specification) -> Iterator[Problem]:
    for field, pattern, words in (
        ("dimensions", CODE, "a small letter, then small letters, figures and underscores, at most 40"),
        ("items", CODE, "a small letter, then small letters, figures and underscores, at most 40"),
        ("rules", CODE, "a small letter, then small letters, figures and underscores, at most 40"),
        ("populations", CODE, "a small letter, then small letters, figures and underscores, at most 40"),
        ("indicators", DISPLAY, "a capital letter and a number, and a small letter for a further column"),
    ):
        seen: set[str] = set()
        for i, entry in enumerate(getattr(spec, field)):
            if not pattern.fullmatch(entry.code):
                yield (field, i, "code"), f"found {entry.code!r}; expected {words}."
            if entry.code in seen:
                yield (field, i, "code"), f"{entry.code!r} appears twice."
            seen.add(entry.code)
    for i, dimension in enumerate(spec.dimensions):
        for option in dimension.options:
            if not CODE.fullmatch(option):
                yield (
                    ("dimensions", i, "options", option),
                    f"found {option!r}; expected small letters, figures and underscores.",
                )


def _reference_checks(spec: Specification, text: str, place: tuple[str | int, ...]) -> Iterator[Problem]:
    found = reference(text)
    item = spec.item.get(found.item)
    if item is None:
        yield place, f"no item {found.item!r}.{nearest(found.item, list(spec.item))}"
    elif found.option and all(code in spec.dimension for code in item.by):
        known = spec.options(item)
        if found.option not in known:
            yield place, f"{found.item!r} has no option {found.option!r}.{nearest(found.option, sorted(known))}"


# What each form needs and must not have.
NEEDS = {
    "total": (),
    "mean": (),
    "median": (),
    "rate": ("population",),
    "share": ("denominator",),
    "ratio": ("denominator",),
}


def _indicator_checks(spec: Specification, indicator: Indicator, i: int) -> Iterator[Problem]:
    def at(field: str) -> tuple[str | int, ...]:
        return ("indicators", i, field)

    if indicator.chapter not in spec.chapters:
        yield at("chapter"), f"no chapter {indicator.chapter!r}.{nearest(indicator.chapter, list(spec.chapters))}"
    for field in ("numerator", "denominator"):
        for text in getattr(indicator, field):
            yield from _reference_checks(spec, text, at(field))
    for field in ("population", "denominator"):
        given = bool(getattr(indicator, field))
        if given != (field in NEEDS[indicator.form]):
            state = "has no" if not given else "has a"
            yield at(field), f"a {indicator.form} {state} {field}; expected {'one' if not given else 'none'}."
    if indicator.population and indicator.population not in spec.population:
        near = nearest(indicator.population, list(spec.population))
        yield at("population"), f"no population {indicator.population!r}.{near}"
    parts: set[str] = set()
    for code in indicator.by:
        if code in spec.dimension:
            parts |= set(spec.dimension[code].options)
        else:
            yield at("by"), f"no dimension {code!r}.{nearest(code, list(spec.dimension))}"
    for quoted in indicator.quoted:
        if quoted.part and quoted.part not in parts:
            yield at("quoted"), f"no option {quoted.part!r} of its dimensions.{nearest(quoted.part, sorted(parts))}"
        if quoted.year is not None and quoted.year not in indicator.years:
            yield at("quoted"), f"{quoted.year} is not one of its years."
    yield from _column_checks(spec, indicator, at)
    yield from _asked_checks(spec, indicator, at)
    if list(indicator.years) != sorted(set(indicator.years)):
        yield at("years"), "expected years in order, each once."
    for year in indicator.breaks:
        if year not in indicator.years[1:]:
            yield at("breaks"), f"{year}: expected one of its years after the first."
    if (indicator.chart == "series") != (len(indicator.years) > 1) and indicator.chart != "table":
        yield at("chart"), "expected a series where there are several years, and only there."
    twin = spec.indicator.get(indicator.twin)
    if indicator.twin and (twin is None or twin.twin != indicator.code):
        yield at("twin"), f"{indicator.twin!r} is not an indicator whose twin is {indicator.code!r}."


def _column_checks(
    spec: Specification, indicator: Indicator, at: Callable[[str], tuple[str | int, ...]]
) -> Iterator[Problem]:
    """A further column has the rows of its display; the populations of options are of its own options."""
    display = spec.indicator.get(indicator.column_of)
    if indicator.column_of:
        if display is None or display.column_of:
            near = nearest(indicator.column_of, [d.code for d in spec.displays])
            yield at("column_of"), f"no display {indicator.column_of!r}.{near}"
        elif (display.by, display.of, display.chart) != (indicator.by, "country", "table") or len(display.by) != 1:
            yield at("column_of"), f"{display.code} is not a table of the country by the same one dimension."
    if (len(spec.columns.get(indicator.code, ())) > 1 and not indicator.heading) or (
        indicator.column_of and not indicator.heading
    ):
        yield at("heading"), "a table of several figures needs a heading for each of them."
    if indicator.populations and not indicator.population:
        yield at("populations"), "expected a population as well, for the other options."
    options = [o for d in indicator.by if d in spec.dimension for o in spec.dimension[d].options]
    for option, population in indicator.populations.items():
        if option not in options:
            yield at("populations"), f"no option {option!r} of its dimensions.{nearest(option, options)}"
        if population not in spec.population:
            yield at("populations"), f"no population {population!r}.{nearest(population, list(spec.population))}"


def _asked_checks(
    spec: Specification, indicator: Indicator, at: Callable[[str], tuple[str | int, ...]]
) -> Iterator[Problem]:
    """All items of an indicator are asked of one kind; the country is sent no form, and has figures of series alone."""
    names = [reference(n).item for n in (*indicator.numerator, *indicator.denominator)]
    kinds = {spec.item[n].of[0] for n in names if n in spec.item}
    if len(kinds) > 1:
        yield at("numerator"), f"its items are asked of {', '.join(sorted(kinds))}; expected one kind of organisation."
    if "country" in kinds and not indicator.years:
        yield at("years"), "figures of the country are of earlier collections; expected the years of a series."

"""Results and sentences held against themselves: sums, ratios, extrapolations, ranges, vocabularies and typed figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from stocktake.audit.commentary import Commentary, typed_figures
from stocktake.audit.figures import ALL, SHOWN, is_whole, scale
from stocktake.audit.lint import Contradiction
from stocktake.audit.specification import Specification

# Results have full precision; more than this, as a share, is no rounding of the machine.
SLACK = 1e-9
# Findings of one rule that are listed one by one.
LISTED = 20


def inconsistencies(
    spec: Specification, tables: Mapping[str, pl.DataFrame], commentary: Commentary
) -> list[Contradiction]:
    """Every contradiction within a specification, its results (tables `figures`, `summaries`, `national`) and sentences."""
    found: list[Contradiction] = []
    for rule in (
        _vocabularies(spec),
        _time_bases(spec),
        _ratios(spec, tables["figures"]),
        _sums(spec, tables["figures"]),
        _whole_shares(spec, tables["figures"]),
        _ranges(tables["summaries"]),
        _totals(spec, tables["figures"], tables["summaries"]),
        _extrapolations(spec, tables["national"], tables["figures"]),
        _typed(commentary),
    ):
        found += list(rule)[:LISTED]
    return found


def _vocabularies(spec: Specification) -> Iterator[Contradiction]:
    """A word that is one option's title and is used for another; the same numerator under two units."""
    for dimension in spec.dimensions:
        titles = {t.casefold(): o for o, t in dimension.options.items()}
        for word, option in dimension.also.items():
            if titles.get(word.casefold(), option) != option:
                yield Contradiction(
                    "vocabulary", (dimension.code,), f"{dimension.title}: {word!r} is used for {option} and is the title of {titles[word.casefold()]}."
                )  # fmt: skip
    units: dict[tuple[object, ...], tuple[str, str]] = {}
    for i in spec.indicators:
        key = (i.numerator, i.denominator, i.population, tuple(i.populations.items()), i.per, i.form)
        code, unit = units.setdefault(key, (i.code, i.unit))
        if unit != i.unit:
            yield Contradiction(
                "vocabulary", (code, i.code), f"{code} and {i.code} are the same figure in {unit!r} and in {i.unit!r}."
            )


def _time_bases(spec: Specification) -> Iterator[Contradiction]:
    """People of another year than the one that was collected; twins of other ages."""
    years = {spec.begins.year, spec.census.year}
    order = {i.code: n for n, i in enumerate(spec.indicators)}
    for i in spec.indicators:
        population = spec.population.get(i.population)
        if population is not None and population.year not in years and not i.years:
            yield Contradiction(
                "time base",
                (i.code,),
                f"{i.code} is of {spec.begins.year} and divides by the people of {population.year}.",
            )
        twin = spec.indicator.get(i.twin)
        if twin is not None and population is not None and order[i.code] < order[twin.code]:
            other = spec.population[twin.population]
            if (other.ages, other.year) != (population.ages, population.year):
                yield Contradiction(
                    "mixed bases",
                    (i.code, twin.code),
                    f"{i.code} is per {population.key} and its twin {twin.code} per {other.key}.",
                )


def _shown(figures: pl.DataFrame) -> pl.DataFrame:
    return figures.filter(pl.col("status") == SHOWN)


def _ratios(spec: Specification, figures: pl.DataFrame) -> Iterator[Contradiction]:
    """A figure is its numerator over its denominator, in its scale."""
    scales = pl.DataFrame({"indicator": list(spec.indicator), "scale": [float(scale(i)) for i in spec.indicators]})
    table = _shown(figures).join(scales, on="indicator", how="left")
    expected = pl.col("numerator") / pl.col("denominator") * pl.col("scale")
    wrong = table.filter((pl.col("value") - expected).abs() > SLACK * pl.max_horizontal(expected.abs(), pl.lit(1.0)))
    for r in wrong.head(LISTED).iter_rows(named=True):
        yield Contradiction(
            "ratio", (r["indicator"],),
            f"{r['indicator']} {r['part']}, {r['organisation']}: {r['value']:,.6g} is not {r['numerator']:,.10g} / {r['denominator']:,.10g} x {r['scale']:,.10g}.",
        )  # fmt: skip


def _sums(spec: Specification, figures: pl.DataFrame) -> Iterator[Contradiction]:
    """The parts of a total, where an organisation has them all, sum to what is given as their sum."""
    one = [i.code for i in spec.indicators if len(i.by) == 1 and i.form == "total" and not i.years]
    table = figures.filter(pl.col("indicator").is_in(one) & ~pl.col("kind").is_in(["stp", "region", "country"]))
    known = pl.col("status").is_in([SHOWN, "no service"]).all()
    parts = (
        table.filter(pl.col("part") != ALL)
        .group_by("indicator", "organisation")
        .agg(pl.col("value").sum().alias("sum"), known.alias("all"))
    )
    whole = _shown(table).filter(pl.col("part") == ALL)
    both = whole.join(parts, on=["indicator", "organisation"]).filter(pl.col("all"))
    wrong = both.filter(
        (pl.col("value") - pl.col("sum")).abs() > SLACK * pl.max_horizontal(pl.col("value").abs(), pl.lit(1.0))
    )
    for r in wrong.head(LISTED).iter_rows(named=True):
        yield Contradiction(
            "parts of a whole", (r["indicator"],), f"{r['indicator']}, {r['organisation']}: the parts sum to {r['sum']:,.10g}, and their sum is given as {r['value']:,.10g}."
        )  # fmt: skip


def _whole_shares(spec: Specification, figures: pl.DataFrame) -> Iterator[Contradiction]:
    """Shares of all options sum to 100%."""
    codes = [i.code for i in spec.indicators if is_whole(i) and i.form == "share"]
    table = figures.filter(pl.col("indicator").is_in(codes)).with_columns(
        pl.col("part").str.splitn("/", 2).struct.field("field_1").fill_null("").alias("of")
    )
    keys = ["indicator", "of", "year", "organisation"]
    sums = table.group_by(keys).agg(pl.col("value").sum().alias("sum"), (pl.col("status") == SHOWN).all().alias("all"))
    for r in (
        sums.filter(pl.col("all") & ((pl.col("sum") - 100).abs() > 1e-6)).sort(keys).head(LISTED).iter_rows(named=True)
    ):
        yield Contradiction(
            "parts of a whole",
            (r["indicator"],),
            f"{r['indicator']} {r['of']}, {r['organisation']}: the shares sum to {r['sum']:.6g}%.",
        )


ORDER = ("lowest", "p10", "lower_quartile", "median", "upper_quartile", "p90", "highest")


def _ranges(summaries: pl.DataFrame) -> Iterator[Contradiction]:
    """Quantiles stand in their order, the mean lies in the range, and no more have a figure than were asked."""
    for r in summaries.iter_rows(named=True):
        if r["n"] + r["no_service"] + r["withheld"] > r["asked"]:
            yield Contradiction(
                "numbers",
                (r["indicator"],),
                f"{r['indicator']} {r['part']}: {r['n']} figures of {r['asked']} that were asked.",
            )
        values = [r[c] for c in ORDER]
        if r["n"] and (
            sorted(values) != values or not values[0] - SLACK <= r["mean"] <= values[-1] * (1 + SLACK) + SLACK
        ):
            yield Contradiction(
                "range",
                (r["indicator"],),
                f"{r['indicator']} {r['part']}: the mean or a quantile lies outside its range.",
            )


def _totals(spec: Specification, figures: pl.DataFrame, summaries: pl.DataFrame) -> Iterator[Contradiction]:
    """A total of the country is the number of organisations with a figure times their mean."""
    codes = [i.code for i in spec.indicators if i.form == "total" and not i.years]
    country = _shown(figures).filter((pl.col("kind") == "country") & pl.col("indicator").is_in(codes))
    own = summaries.filter(~pl.col("kind").is_in(["stp"]))
    for r in country.join(own, on=["indicator", "part"], suffix="_of").iter_rows(named=True):
        # A figure that is withheld is in the total of the country and in no mean.
        if r["n"] and not r["withheld"] and abs(r["value"] - r["n"] * r["mean"]) > 1e-6 * max(abs(r["value"]), 1.0):
            yield Contradiction(
                "number x mean", (r["indicator"],), f"{r['indicator']} {r['part']}: the total is {r['value']:,.10g}, and {r['n']} x {r['mean']:,.6g} is {r['n'] * r['mean']:,.10g}."
            )  # fmt: skip


def _extrapolations(spec: Specification, national: pl.DataFrame, figures: pl.DataFrame) -> Iterator[Contradiction]:
    """What is said of the country is the mean times the people of the rate's own population; a total that everybody gave is that total."""
    country = _shown(figures).filter((pl.col("kind") == "country") & pl.col("year").is_null())
    whole = {(r["indicator"], r["part"]): r["value"] for r in country.iter_rows(named=True)}
    for r in national.filter(pl.col("value").is_not_null()).iter_rows(named=True):
        indicator = spec.indicator[r["indicator"]]
        per = indicator.per if indicator.form == "rate" else 1.0
        given = whole.get((r["indicator"], r["part"]), r["value"])
        if indicator.form == "total" and r["n"] == r["asked"] and abs(given - r["value"]) > 1e-6 * max(abs(given), 1.0):
            yield Contradiction(
                "extrapolation", (r["indicator"],), f"{r['indicator']} {r['part']}: all {r['n']} gave {given:,.10g} together, and {r['value']:,.6g} is implied."
            )  # fmt: skip
        if r["population"] != indicator.population_of(r["part"]) or abs(
            r["value"] - r["mean"] * r["times"] / per
        ) > SLACK * max(abs(r["value"]), 1.0):
            yield Contradiction(
                "extrapolation", (r["indicator"],), f"{r['indicator']} {r['part']}: {r['value']:,.6g} is not {r['mean']:,.6g} x {r['times']:,.10g} {r['times_what']}."
            )  # fmt: skip


def _typed(commentary: Commentary) -> Iterator[Contradiction]:
    """A figure in a sentence refers to a result; one that was typed does not follow when results change."""
    for place, figure in typed_figures(commentary):
        yield Contradiction(
            "typed figure", (place,), f"{place}: {figure} was typed; expected a reference such as {{A3.mean}}."
        )

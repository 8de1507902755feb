"""Results held against themselves: the library's own hold, and every fault put in is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from small_audit import populations, register, spec
from stocktake.audit.answers import answers_of
from stocktake.audit.commentary import Commentary, library_commentary
from stocktake.audit.consistency import inconsistencies
from stocktake.audit.figures import Source
from stocktake.audit.simulate import simulate
from stocktake.audit.specification import Specification, load
from stocktake.audit.tables import figures_columns, national_rows, summary_rows

Tables = dict[str, pl.DataFrame]


def tables(source: Source) -> Tables:
    blocks = list(source.blocks())
    figures = pl.DataFrame(figures_columns(blocks, source.spec, source.register), strict=False)
    floats = [n for n, k in figures.schema.items() if k == pl.Float64]
    return {
        "figures": figures.with_columns(pl.col(n).fill_nan(None) for n in floats),
        "summaries": pl.DataFrame(summary_rows(blocks, source.spec), infer_schema_length=None),
        "national": pl.DataFrame(national_rows(source, blocks), infer_schema_length=None),
    }


@pytest.fixture(scope="module")
def national() -> tuple[Specification, Tables]:
    made_of = load("cmhs_2017")
    made = simulate(made_of)
    given = [(o, i, p, v) for (o, i, p), v in made.answers.items()]
    answers = answers_of(made_of, made.register, given, made.services, made.earlier)
    return made_of, tables(Source(made_of, answers, made.register, made.populations))


def test_a_whole_collection_contradicts_nothing(national: tuple[Specification, Tables]) -> None:
    made_of, found = national
    assert inconsistencies(made_of, found, library_commentary(made_of)) == []
    nothing = tables(Source(spec(), answers_of(spec(), register(), []), register(), populations()))
    assert inconsistencies(spec(), nothing, Commentary()) == []


def scaled(table: str, column: str, condition: pl.Expr, by: float) -> Callable[[Tables], Tables]:
    def change(given: Tables) -> Tables:
        value = pl.when(condition).then(pl.col(column) * by).otherwise(pl.col(column))
        return given | {table: given[table].with_columns(value.alias(column))}

    return change


def is_(**values: Any) -> pl.Expr:
    out = pl.lit(True)
    for name, value in values.items():
        out = out & (pl.col(name) == value)
    return out


@pytest.mark.parametrize(
    ("change", "rule", "indicator"),
    [
        (scaled("figures", "value", is_(indicator="A3", organisation="Z01"), 1.01), "ratio", "A3"),
        (scaled("figures", "denominator", is_(indicator="B24", organisation="Z02"), 2), "ratio", "B24"),
        (
            scaled("figures", "value", is_(indicator="B7", organisation="Z03", part="all"), 1.1),
            "parts of a whole",
            "B7",
        ),
        (
            scaled("figures", "value", is_(indicator="B13", organisation="Z04", part="c1_3"), 1.5),
            "parts of a whole",
            "B13",
        ),
        (scaled("figures", "value", is_(indicator="B1", kind="country"), 1.1), "number x mean", "B1"),
        (scaled("summaries", "mean", is_(indicator="B9"), 9), "range", "B9"),
        (scaled("summaries", "p10", is_(indicator="C2"), 3), "range", "C2"),
        (scaled("summaries", "asked", is_(indicator="E4", kind="la"), 0), "numbers", "E4"),
        (scaled("national", "value", is_(indicator="B22"), 0.97), "extrapolation", "B22"),
        (
            scaled("figures", "value", is_(indicator="A1", kind="country", part="eating_beds"), 0.5),
            "extrapolation",
            "A1",
        ),
    ],
)
def test_a_fault_that_is_put_in_is_found(
    national: tuple[Specification, Tables], change: Callable[[Tables], Tables], rule: str, indicator: str
) -> None:
    made_of, given = national
    found = inconsistencies(made_of, change(given), Commentary())
    assert (rule, indicator) in {(f.rule, f.claims[0]) for f in found}


def with_indicators(given: Specification, **changes: dict[str, Any]) -> Specification:
    return remade(given, indicators=[i.model_dump() | changes.get(i.code, {}) for i in given.indicators])


def remade(given: Specification, **fields: Any) -> Specification:
    return Specification.model_validate(given.model_dump() | fields)


def test_faults_of_the_specification_itself(national: tuple[Specification, Tables]) -> None:
    made_of, given = national

    def rules(changed: Specification, sentences: Commentary | None = None) -> set[tuple[str, tuple[str, ...]]]:
        return {(f.rule, f.claims) for f in inconsistencies(changed, given, sentences or Commentary())}

    also = {"also": {"Forensic": "memory", "Perinatal": "perinatal"}}
    dimensions = [d.model_dump() | (also if d.code == "team" else {}) for d in made_of.dimensions]
    changed = remade(made_of, dimensions=dimensions)
    assert ("vocabulary", ("team",)) in rules(changed)
    assert ("vocabulary", ("B9", "B20")) in rules(with_indicators(made_of, B20={"unit": "patients"}))
    assert ("mixed bases", ("B9", "B10")) in rules(
        with_indicators(made_of, B10={"population": "adults_16_64_weighted"})
    )
    assert ("extrapolation", ("B9",)) in rules(with_indicators(made_of, B9={"population": "everyone"}))
    old = [p.model_dump() | ({"year": 2009} if p.code == "under_18" else {}) for p in made_of.populations]
    assert ("time base", ("E7",)) in rules(remade(made_of, populations=old))
    assert ("typed figure", ("summary.0",)) in rules(made_of, Commentary(summary=("About 14 million contacts.",)))

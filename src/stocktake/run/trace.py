"""Where a figure comes from: the cells, files and people behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from stocktake.audit.answers import cells_behind
from stocktake.audit.figures import ALL, SHOWN, is_whole
from stocktake.audit.specification import Indicator
from stocktake.problems import StocktakeError, nearest
from stocktake.reports.figure_charts import Unit
from stocktake.run.audit import AuditRun, open_audit
from stocktake.run.intake import part_name

# Cells of one organisation that are listed one by one.
LISTED = 40


def trace(folder: Path, indicator: str, organisation: str, part: str = "") -> list[str]:
    """How a figure was made, as lines: the figure, what it divides, and every cell behind it with its file.

    Raises StocktakeError for an indicator, organisation or part that there is not.
    """
    run = open_audit(folder)
    spec = run.collection.spec
    if indicator not in spec.indicator:
        raise StocktakeError(f"no indicator {indicator!r}.{nearest(indicator, list(spec.indicator))}")
    figures = run.results.tables["figures"].filter((pl.col("indicator") == indicator) & pl.col("year").is_null())
    if organisation not in run.collection.register.bodies:
        known = list(run.collection.register.bodies)
        raise StocktakeError(f"no organisation {organisation!r}.{nearest(organisation, known)}")
    own = figures.filter(pl.col("organisation") == organisation)
    if not own.height:
        raise StocktakeError(f"{indicator} has no figure of a {run.collection.register.bodies[organisation].kind}.")
    wanted = part or own["part"][0]
    row = own.filter(pl.col("part") == wanted)
    if not row.height:
        known = own["part"].to_list()
        raise StocktakeError(
            f"{indicator} has no part {part!r}; expected one of {', '.join(known[:12])}.{nearest(part, known)}"
        )
    return list(_lines(run, spec.indicator[indicator], row.row(0, named=True)))


def _lines(run: AuditRun, indicator: Indicator, row: dict[str, object]) -> Iterator[str]:
    spec = run.collection.spec
    unit = Unit(indicator.unit, indicator.decimals)
    part = str(row["part"])
    where = f" ({part})" if part else ""
    yield f"{indicator.code} {indicator.title}{where}: {row['organisation_name']}"
    if row["status"] != SHOWN:
        yield f"No figure: {row['reason']}"
    else:
        yield (
            f"{unit.text(float(str(row['value'])))} {_unit_words(indicator.unit)} = {row['numerator']:,.10g} / {row['denominator']:,.10g}"
            + (
                f" x {100 if indicator.form == 'share' else indicator.per:,.10g}"
                if indicator.form in ("share", "rate")
                else ""
            )
        )
    if indicator.population:
        yield f"Divided by people: {spec.population[indicator.population_of(part)].key}, from {run.collection.settings.populations}."
    codes = str(row["made_of"] or "").split() or [str(row["organisation"])]
    if row["made_of"]:
        yield f"Made of {len(codes)} of {row['asked']} organisations: {', '.join(codes)}."
    options = part.split("/") if part else []
    chosen = {d: o for d, o in zip(indicator.by, options, strict=True) if o != ALL}
    below = {d: o for d, o in chosen.items() if not (is_whole(indicator) and d == indicator.by[0])}
    answers = run.results.tables["answers"]
    for title, references, choice in (("Above", indicator.numerator, chosen), ("Below", indicator.denominator, below)):
        cells = (
            {(item, part_name(parts)) for item, parts in cells_behind(spec, references, choice)}
            if references
            else set()
        )
        for code in codes:
            yield from _cells(title, code, cells, answers)


def _unit_words(unit: str) -> str:
    """A unit behind a figure that has its sign already."""
    return unit.removeprefix("%").removeprefix("£").strip()


def _cells(title: str, code: str, cells: set[tuple[str, str]], answers: pl.DataFrame) -> Iterator[str]:
    """The cells of one organisation behind one side of a figure."""
    items = {i for i, _ in cells}
    own = answers.filter((pl.col("organisation") == code) & pl.col("item").is_in(list(items)) & pl.col("used"))
    rows = [r for r in own.iter_rows(named=True) if (r["item"], r["part"]) in cells]
    for r in rows[:LISTED]:
        value = "-" if r["value"] is None else f"{r['value']:,.10g}"
        signed = f", signed off by {r['signed_off_by']}" if r["signed_off_by"] else ""
        place = f"{r['file']}, sheet {r['sheet']}, cell {r['cell']}" if r["cell"] else f"{r['file']}, not in the file"
        note = f" ({r['note']})" if r["note"] else ""
        yield (
            f"  {title}: {r['item']} {r['part']}".rstrip()
            + f" = {value} [{r['state']}], entered {r['entered']!r}{note}: {place}, "
            f"received {r['received']}, SHA-256 {r['sha256'][:12]}{signed}"
        )
    if len(rows) > LISTED:
        yield f"  {title}: and {len(rows) - LISTED} more cells of {code}; see results/answers.csv."

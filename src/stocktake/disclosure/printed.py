"""Withheld figures that another table, or a figure about all organisations, still prints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from stocktake.disclosure.relations import Target
from stocktake.results import Results

KEY = ("year", "group", "organisation", "measure")
NATIONAL = ("national_average", "lowest", "highest")


def printed_leaks(results: Results, decimals: int) -> Iterator[Target]:
    """Every withheld figure that is in the public tables all the same, or that a national figure includes."""
    hidden = results.scores.filter(pl.col("status").is_in(["withheld", "left out"]))
    figures = [c for c, kind in results.scores.schema.items() if kind.is_numeric() and c not in ("year", *NATIONAL)]
    yield from _standing(hidden, figures, "scores", "its own row")
    keys = hidden.select(*KEY)
    firm = results.firmness.join(keys, on=KEY, how="semi")
    yield from _standing(
        firm, [c for c, k in firm.schema.items() if k.is_numeric() and c != "year"], "firmness", "the table firmness"
    )
    for wave in ("then", "now"):
        renamed = results.changes.rename({f"year_{wave}": "year"})
        rows = renamed.join(keys, on=KEY, how="semi")
        yield from _standing(
            rows,
            [f"n_{wave}", f"score_{wave}", "difference", "statistic", "lower", "upper"],
            "changes",
            "the table changes",
        )
    yield from _profiles(results)
    yield from _sections(results)
    yield from _national(results, decimals)


def _target(row: dict[str, object], table: str, figure: str, how: str) -> Target:
    return Target(
        table,
        int(str(row["year"])),
        str(row["group"]),
        str(row["organisation"]),
        str(row.get("measure", "")),
        figure,
        0.0,
        (),
        (),
        how,
    )


def _standing(rows: pl.DataFrame, columns: list[str], table: str, how: str) -> Iterator[Target]:
    if not rows.height:
        return
    for row in rows.filter(pl.any_horizontal(pl.col(c).is_not_null() for c in columns)).iter_rows(named=True):
        yield _target(row, table, "score", how)


def _profiles(results: Results) -> Iterator[Target]:
    """A profile that is shown of people whose number is withheld."""
    keys = ("year", "group", "organisation")
    few = results.fieldwork.filter(pl.col("status") == "withheld").select(keys)
    shown = results.profile.join(few, on=keys, how="semi").filter(
        pl.col("percent").is_not_null() | pl.col("n").is_not_null()
    )
    for row in shown.unique(subset=[*keys, "variable"], maintain_order=True).iter_rows(named=True):
        yield _target({**row, "measure": row["variable"]}, "profile", "count", "the table profile")


def _sections(results: Results) -> Iterator[Target]:
    """A section that is shown though a question of it is not: the others give the question's score away."""
    scores = results.scores
    questions = scores.filter((pl.col("kind") == "question") & pl.col("status").is_in(["withheld", "left out"]))
    shown = scores.filter((pl.col("kind") == "section") & pl.col("score").is_not_null())
    keys = ["year", "group", "organisation", "section"]
    for row in questions.join(shown.select(keys), on=keys, how="semi").iter_rows(named=True):
        yield _target(row, "scores", "score", "the section's score and its other questions'")


def _national(results: Results, decimals: int) -> Iterator[Target]:
    """National figures that rest on more organisations than are shown."""
    half = 0.5 * 10.0**-decimals
    keys = ["year", "group", "measure"]
    shown = results.scores.group_by(keys).agg(
        pl.col("score").count().alias("shown"),
        pl.col("score").mean().alias("mean"),
        pl.col("score").min().alias("least"),
        pl.col("score").max().alias("most"),
    )
    rows = results.measures.join(shown, on=keys, how="inner")
    for row in rows.iter_rows(named=True):
        where = {**row, "organisation": "organisations not shown"}
        if row["organisations"] != row["shown"]:
            yield _target(where, "measures", "score", "the number of organisations behind the average")
        elif row["shown"] and row["centre"] is not None:
            gaps = (row["centre"] - row["mean"], row["lowest"] - row["least"], row["highest"] - row["most"])
            if max(abs(g) for g in gaps) > 2 * half + 1e-9 and np.isfinite(gaps).all():
                yield _target(
                    where, "measures", "score", "a national average, lowest or highest score that includes theirs"
                )

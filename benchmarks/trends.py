"""Percentages by year and group: ours from counted answers against Polars written by hand on the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from stocktake.run.trends import read_blocks
from stocktake.survey.breakdowns import breakdown_of, tallies
from stocktake.survey.coding import bands
from stocktake.survey.percentages import counted_options
from stocktake.trends.definition import read_trends
from stocktake.trends.tables import YearOf

GROUPS = ("age", "sex", "ethnicity", "religion")


def years_of(folder: Path) -> list[YearOf]:
    """The history's years, read and counted; those of the surveys before the latest."""
    return [y for y in read_blocks(folder, read_trends(folder)).years if y.folder != "2023-2024"]


def ours(years: Sequence[YearOf]) -> dict[tuple[int, str, str, str, int], float]:
    """Percentages by year, question, characteristic, group and answer."""
    out = {}
    for here in years:
        survey, counts = here.wave.survey, here.wave.counts
        assert counts is not None
        questions = [q.code for q in survey.questions if q.code in here.wave.asked]
        groups = [breakdown_of(survey, (g,)) for g in GROUPS]
        weights = dict.fromkeys(questions, here.weights.values)
        found = tallies(here.wave.batches(), counts.layout, survey, weights, groups)
        for question in questions:
            options = list(counted_options(survey.by_code[question]))
            for group in groups:
                table = found[question, group.name].weight.sum(axis=1)[:-1, options]
                total = table.sum(axis=1, keepdims=True)
                shares = np.divide(table, total, out=np.full_like(table, np.nan), where=total > 0)
                for g, label in enumerate(group.labels):
                    for o, share in zip(options, shares[g], strict=True):
                        if not np.isnan(share):
                            out[here.year, question, group.name, label, o] = float(share)
    return out


def frames(folder: Path, years: Sequence[YearOf]) -> list[tuple[YearOf, pl.DataFrame]]:
    """Each year's answers with our weights beside them, as somebody who works by hand would have them."""
    out = []
    for here in years:
        assert here.wave.counts is not None
        table = pl.read_parquet(folder / here.folder / str(here.year) / "responses.parquet")
        place = {c: i for i, c in enumerate(here.wave.counts.layout.organisations)}
        ages = [(o.from_, o.to) for o in here.wave.survey.demographic("age").options]
        band = bands(table["age"].to_numpy(), ages)
        cell = (band.astype(np.int64) - 1) * 2 + table["sex"].to_numpy() - 1
        weight = here.weights.values[table["organisation"].replace_strict(place).to_numpy(), cell]
        out.append((here, table.with_columns(age=pl.Series(band), weight=pl.Series(weight))))
    return out


def by_hand(tables: Sequence[tuple[YearOf, pl.DataFrame]]) -> dict[tuple[int, str, str, str, int], float]:
    """The same with one group_by for each question and characteristic."""
    out = {}
    for here, table in tables:
        survey = here.wave.survey
        for question in survey.questions:
            if question.code not in table.columns:
                continue
            places = {o.code: i for i, o in enumerate(question.options, start=1)}
            counted = [question.options[i - 1].code for i in counted_options(question)]
            for group in GROUPS:
                labels = {o.code: o.label for o in survey.demographic(group).options}
                known = table.lazy().filter(pl.col(question.code).is_in(counted) & pl.col(group).is_not_null())
                sums = known.group_by(group, question.code).agg(pl.col("weight").sum())
                shares = sums.with_columns(share=pl.col("weight") / pl.col("weight").sum().over(group)).collect()
                for g, o, _, share in shares.iter_rows():
                    out[here.year, question.code, group, labels[g], places[o]] = share
    return out

"""The public tables: the results at the precision that every edition prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.compare.rates import share
from stocktake.compare.trend import LEVEL
from stocktake.disclosure.rules import Rules
from stocktake.results import ALL, Results
from stocktake.results.schemas import BANDS, LIMITS
from stocktake.rounding import round_percent, round_to, round_values

Floats = NDArray[np.float64]
Rounding = Callable[[Floats], Floats]

SCORES = ("score", "lower_95", "upper_95", "national_average", "lowest", "highest", "z", *LIMITS)
DISTANCES = ("to_better", "to_worse", "nearest_limit")
SHARES = (*(f"p_{b}" for b in BANDS), "p_band", "p_outside", "q_value")
CHANGES = ("score_then", "score_now", "difference", "statistic")
# Shares of 0 to 1 to the whole per cent, and percentages to the whole.
SHARE_DECIMALS = 2
# Over-dispersion describes all organisations together; what it says of one is far below its score's own rounding.
MODEL = ("phi", "tau2", "tau")
MODEL_DECIMALS = 3


def public(results: Results, rules: Rules | None) -> Results:
    """The results as editions may print them; `rules` None: they are public already and stay as they are.

    Scores, limits, distances and z have `decimals`; standard errors, intervals of changes and S one more, S of a service group none more;
    shares and percentages are whole per cents; numbers of people in a service group are multiples of
    `group_rounding`, and so are national numbers of which a part is withheld.
    """
    if rules is None:
        return results
    d = rules.decimals
    finer = d + 1
    tables = dict(results.tables)
    tables["scores"] = _rounded(
        _grouped(tables["scores"], ("n", "effective_base"), rules),
        {**dict.fromkeys(SCORES, d), "effective_base": 0, "standard_error": finer, "spread": finer},
    )
    grouped = pl.col("group") != ALL
    coarse = _rounded(tables["scores"].select("spread"), {"spread": d})["spread"]
    tables["scores"] = tables["scores"].with_columns(spread=pl.when(grouped).then(coarse).otherwise("spread"))
    tables["firmness"] = _rounded(
        tables["firmness"],
        {**dict.fromkeys(DISTANCES, d), **dict.fromkeys(SHARES, SHARE_DECIMALS)},
    )
    tables["changes"] = _rounded(
        _grouped(tables["changes"], ("n_then", "n_now"), rules),
        {**dict.fromkeys(CHANGES, d), "critical": 2, "lower": finer, "upper": finer},
    )
    tables["fieldwork"] = _fieldwork(tables["fieldwork"], rules)
    profile = _grouped(tables["profile"], ("n",), rules)
    tables["profile"] = _apply(profile, {"percent": whole_percent, "national_percent": whole_percent})
    tables["measures"] = _rounded(
        tables["measures"],
        {**dict.fromkeys(("centre", "lowest", "highest"), d), **dict.fromkeys(MODEL, MODEL_DECIMALS)},
    )
    return replace(results, tables=tables)


def whole_percent(values: Floats) -> Floats:
    """Whole per cents; what is more than none and less than a half keeps one decimal, so that it never reads as none."""
    return round_percent(values, 0)


def percent_interval(value: float | Floats, places: int = 0) -> tuple[Floats, Floats]:
    """What a percentage that is printed with so many decimals (0 or 1) may stand for; see `round_percent`."""
    shown = np.asarray(value, dtype=np.float64)
    half = np.where(((shown > 0) & (shown < 1)) | (places == 1), 0.05, 0.5)
    # Zero is printed for zero alone.
    low = np.where(shown == 0, 0.0, np.maximum(np.where(shown == 0.1, 0.0, shown - half), 0.0))
    return low, np.where(shown == 0, 0.0, np.minimum(shown + half, 100.0))


def _public_differences(table: pl.DataFrame) -> pl.DataFrame:
    """Differences between groups in whole points, the ends of an interval about the printed one, and whether they stand.

    The unadjusted difference and the test's figures are left out: each would say more of a group's percentage than is
    printed of it.
    """
    adjusted = table["adjusted"].to_numpy()
    printed = round_values(adjusted, 0)
    ends = {}
    for name in ("lower_95", "upper_95"):
        away = table[name].fill_null(float("nan")).to_numpy() - adjusted
        ends[name] = pl.Series(name, round_values(printed + away, 0)).fill_nan(None)
    kept = table.drop("difference", "z", "p", "q_value")
    return _rounded(kept.with_columns(pl.Series("adjusted", printed), *ends.values()), {"covered": 2})


def _fieldwork(table: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    table = _grouped(table, ("invited", "undeliverable", "died", "completed"), rules)
    hidden = (pl.col("status") == "withheld").any().over("year", "group")
    marked = table.with_columns(_coarse=(pl.col("group") != ALL) | hidden)
    national = ("national_invited", "national_completed")
    coarse = _apply(marked.select(national), dict.fromkeys(national, lambda v: round_to(v, rules.group_rounding)))
    out = marked.with_columns(
        pl.when("_coarse").then(coarse[name]).otherwise(pl.col(name)).alias(name) for name in national
    ).drop("_coarse")
    return _rounded(out, {"response_rate": SHARE_DECIMALS, "national_response_rate": SHARE_DECIMALS})


def _grouped(table: pl.DataFrame, columns: tuple[str, ...], rules: Rules) -> pl.DataFrame:
    """Numbers of people in the rows of service groups, rounded."""
    coarse = _apply(table.select(columns), dict.fromkeys(columns, lambda v: round_to(v, rules.group_rounding)))
    return table.with_columns(
        pl.when(pl.col("group") != ALL).then(coarse[name]).otherwise(pl.col(name)).alias(name) for name in columns
    )


def _rounded(table: pl.DataFrame, decimals: dict[str, int]) -> pl.DataFrame:
    def to(places: int) -> Rounding:
        return lambda values: round_values(values, places)

    return _apply(table, {name: to(places) for name, places in decimals.items()})


def _apply(table: pl.DataFrame, roundings: dict[str, Rounding]) -> pl.DataFrame:
    """Columns put through their roundings; nulls stay null and types stay as they are."""
    columns = []
    for name, rounding in roundings.items():
        values = table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        columns.append(pl.Series(name, rounding(values)).fill_nan(None).cast(table[name].dtype))
    return table.with_columns(columns)


def public_shares(results: Results, group_rounding: int) -> Results:
    """Results of trends as pages and files may print them: what `small_shares.protected` reckons with, and no more.

    Percentages of everybody have one decimal, of groups none, and intervals are those of the printed figures; numbers of
    people in groups are multiples of `group_rounding`; how many chose an answer is left out, for weighted percentages do
    not give it away.
    """
    tables = dict(results.tables)
    shares = tables["shares"].drop("count")
    everybody = (shares["breakdown"] == ALL).to_numpy()
    percent = shares["percent"].fill_null(float("nan")).to_numpy()
    printed = np.where(everybody, round_percent(percent, 1), round_percent(percent, 0))
    columns = {}
    for name in ("base", "left_out"):
        people = shares[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        exact = everybody & (name == "base")
        columns[name] = np.where(exact, people, round_to(people, group_rounding))
    effective = round_values(shares["effective_base"].fill_null(float("nan")).to_numpy(), 0)
    effective = np.where(everybody, effective, round_to(effective, group_rounding))
    ends = share(printed / 100 * effective, effective, LEVEL)
    step = np.where(everybody, 1, 0)
    low, high = (np.where(step, round_values(100 * e, 1), round_values(100 * e, 0)) for e in (ends.low, ends.high))
    tables["shares"] = shares.with_columns(
        pl.Series(name, values).fill_nan(None).cast(shares.schema[name])
        for name, values in {
            "percent": printed,
            "lower_95": low,
            "upper_95": high,
            "effective_base": effective,
            **columns,
        }.items()
    )
    tables["share_differences"] = _public_differences(tables["share_differences"])
    points = dict.fromkeys(("points", "lower_95", "upper_95"), 1)
    tables["share_changes"] = _rounded(tables["share_changes"], {**points, "z": 2, "p": 4})
    slopes = dict.fromkeys(("points_a_year", "lower_95", "upper_95", "z", "departure"), 2)
    tables["courses"] = _rounded(tables["courses"], {**slopes, "p": 4, "p_departure": 4})
    return replace(results, tables=tables)

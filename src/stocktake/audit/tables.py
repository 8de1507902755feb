"""Figures as the rows of the results tables: figures, how they differ, and what they imply for the country."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stocktake.audit.figures import AREAS, NO_SERVICE, REASONS, WITHHELD, Block, Floats, Source, scale
from stocktake.audit.specification import Indicator, Specification
from stocktake.compare.rates import FunnelLimits, funnel
from stocktake.compare.spread import extrapolate, opportunity, places, spread
from stocktake.organisations.register import Register


def figures_columns(blocks: Sequence[Block], spec: Specification, register: Register) -> dict[str, Any]:
    """The columns of the results table `figures`."""
    names = {code: body.name for code, body in register.bodies.items()}
    columns: dict[str, Any] = {
        "audit": spec.code,
        "indicator": np.repeat([b.indicator.code for b in blocks], _sizes(blocks)),
        "kind": np.repeat([b.kind for b in blocks], _sizes(blocks)),
        "part": [b.part for b in blocks for _ in b.organisations],
        "year": [b.year for b in blocks for _ in b.organisations],
        "organisation": [c for b in blocks for c in b.organisations],
        "organisation_name": [names[c] for b in blocks for c in b.organisations],
        "made_of": [m for b in blocks for m in b.made_of],
    }
    for column, field in (
        ("status", "status"),
        ("value", "value"),
        ("lower_95", "low"),
        ("upper_95", "high"),
        ("numerator", "numerator"),
        ("denominator", "denominator"),
        ("answered", "answered"),
        ("cells", "cells"),
        ("organisations", "used"),
        ("asked", "asked"),
    ):
        columns[column] = np.concatenate([getattr(b, field) for b in blocks]).tolist()
    columns["reason"] = [REASONS[s] for s in columns["status"]]
    columns |= {name: np.concatenate(values) for name, values in _funnels(blocks, spec).items()}
    columns["place"] = np.concatenate([places(b.value) for b in blocks])
    columns["opportunity"] = np.concatenate([_opportunity(b) for b in blocks])
    return columns


def _funnels(blocks: Sequence[Block], spec: Specification) -> dict[str, list[Floats]]:
    """Where each organisation's rate of events stands in a funnel about the rate of all together; 99.8% limits."""
    out: dict[str, list[Floats]] = {"funnel_z": [], "funnel_lower": [], "funnel_upper": []}
    for block in blocks:
        found = [np.full(block.value.size, np.nan)] * 3
        limits = _funnel(block, spec)
        if limits is not None:
            shown = np.where(np.isnan(block.value), np.nan, 1.0)
            per = block.indicator.per
            found = [limits.z * shown, limits.low[:, 1] * per * shown, limits.high[:, 1] * per * shown]
        for name, values in zip(out, found, strict=True):
            out[name].append(values)
    return out


def _funnel(block: Block, spec: Specification) -> FunnelLimits | None:
    """The funnel of the organisations or areas of a block; None where it has no meaning."""
    if not has_funnel(spec, block.indicator) or block.kind in ("region", "country") or block.year is not None:
        return None
    return funnel(block.numerator, block.denominator)


def has_funnel(spec: Specification, indicator: Indicator) -> bool:
    """Whether chance has a part in how an indicator's figures differ that a funnel can show: rates of events."""
    return indicator.form == "rate" and spec.is_event(indicator)


def _sizes(blocks: Sequence[Block]) -> list[int]:
    return [len(b.organisations) for b in blocks]


def _opportunity(block: Block) -> Floats:
    """What each would gain at the median, in the numerator's unit; nothing where the indicator judges nothing."""
    better = {"higher better": 1, "lower better": -1}.get(block.indicator.polarity)
    if better is None or block.kind in ("country", "region"):
        return np.full(block.value.size, np.nan)
    return opportunity(block.value, block.denominator, better, per=scale(block.indicator))


# Columns of `summaries` that are fields of a spread.
SPREAD = (
    "mean", "median", "lower_quartile", "upper_quartile", "p10", "p90", "lowest", "highest", "fold", "fold_inner",
)  # fmt: skip


def summary_rows(blocks: Sequence[Block], spec: Specification) -> list[dict[str, Any]]:
    """The rows of the results table `summaries`: how the figures of one part differ, and how complete they are."""
    rows = []
    for block in blocks:
        if block.kind in ("region", "country"):
            continue
        found = spread(block.value)
        limits = _funnel(block, spec)
        rate, phi, outside = np.nan, np.nan, None
        if limits is not None:
            rate, phi = limits.rate, limits.phi
            value = block.value / block.indicator.per
            outside = int(((value < limits.low[:, 1]) | (value > limits.high[:, 1])).sum())
        rows.append(
            {
                "audit": spec.code,
                "indicator": block.indicator.code,
                "kind": block.kind,
                "part": block.part,
                "n": found.n,
                "no_service": int((block.status == NO_SERVICE).sum()),
                "withheld": int((block.status == WITHHELD).sum()),
                "asked": len(block.organisations),
                **{name: _number(getattr(found, name)) for name in SPREAD},
                "funnel_rate": _number(rate * block.indicator.per),
                "funnel_phi": _number(phi),
                "funnel_times": _number(np.sqrt(phi)),
                "funnel_outside": outside,
            }
        )
    return rows


def national_rows(source: Source, blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """The rows of the results table `national`: what the organisations that answered imply for the whole country.

    A rate is extrapolated by the people of its own population and no other; a total by the number of organisations
    asked. An organisation without the service counts with none, for the country has such organisations too. The people
    of the country are its own figure, or the sum of its CCGs.
    """
    rows = []
    for block in blocks:
        indicator = block.indicator
        if block.kind in AREAS or indicator.form not in ("rate", "total"):
            continue
        if indicator.form == "rate":
            population = indicator.population_of(block.part)
            key = source.spec.population[population].key
            many, what, per = float(source.people("country", key)[0]), str(key), indicator.per
        else:
            population = ""
            many, what, per = float(len(block.organisations)), "organisations asked", 1.0
        values = np.where(block.status == NO_SERVICE, 0.0, block.value)
        found = extrapolate(values, many, per)
        known = values[~np.isnan(values)]
        rows.append(
            {
                "audit": source.spec.code,
                "indicator": indicator.code,
                "part": block.part,
                "population": population,
                "times": _number(many),
                "times_what": what,
                "mean": _number(float(known.mean()) if known.size else np.nan),
                "n": found.n,
                "asked": len(block.organisations),
                "value": _number(found.value),
                "lower_95": _number(found.low),
                "upper_95": _number(found.high),
            }
        )
    return rows


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value

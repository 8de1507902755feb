"""Participants and their characteristics as relations, over groups, answers and organisations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from stocktake.compare.suppress import BESIDE
from stocktake.disclosure.linear import Bools, Floats, Ints, System
from stocktake.disclosure.precision import SHARE_DECIMALS, percent_interval
from stocktake.disclosure.relations import Axes, Relations, Target, axes_of, limits_of_people, stands_for, unpublished
from stocktake.disclosure.rules import Rules
from stocktake.results import Results


def fieldwork_relations(results: Results, rules: Rules, minimum: int) -> Iterator[Relations]:
    """For every wave: completed questionnaires over groups and organisations, with rates and national numbers."""
    for year in sorted(results.fieldwork["year"].unique().to_list(), reverse=True):
        table = results.fieldwork.filter(pl.col("year") == year)
        # Whoever answered a question completed a questionnaire.
        answered = (
            results.scores.filter(pl.col("year") == year)
            .group_by("group", "organisation")
            .agg(pl.col("n").max().alias("_answered"))
        )
        table = table.join(answered, on=["group", "organisation"], how="left", maintain_order="left")
        yield _fieldwork_relations(axes_of(table, ""), year, rules, minimum)


def _fieldwork_relations(axes: Axes, year: int, rules: Rules, minimum: int) -> Relations:
    people_low, people_high, not_printed = limits_of_people(axes, rules, minimum, "completed")
    low, high, hidden = people_low[..., 0], people_high[..., 0], not_printed[..., 0]
    status = axes.texts("status")[..., 0]
    answered = axes.array("_answered")[..., 0]
    base = np.full(answered.shape, float(rules.group_rounding))
    base[0] = 1.0
    low = np.where(hidden, np.minimum(np.maximum(low, np.nan_to_num(answered - base // 2)), high), low)
    ceiling = float(np.nansum(np.where(np.isfinite(high[0]), high[0], minimum - 1)))
    high = np.where(np.isfinite(high), high, ceiling)
    system = System()
    completed = system.variables(low, high)
    several = len(axes.groups) > 1
    rest = system.variables(np.zeros(len(axes.organisations)), high[0])
    if several:
        terms = [(completed[0], 1.0), (rest, -1.0), *((completed[g], -1.0) for g in range(1, len(axes.groups)))]
        zero = np.zeros(len(axes.organisations))
        system.relations(terms, zero, zero)
    _rates(system, axes, rules, completed)
    for g in range(len(axes.groups)):
        national = axes.array("national_completed")[g, :, 0]
        printed = national[~np.isnan(national)]
        if not printed.size:
            continue
        exact = g == 0 and not (status[0] == "withheld").any()
        least, most = stands_for(printed[:1], 1 if exact else rules.group_rounding)
        once = np.ones(completed[g].size)
        system.join(completed[g], once, float(least[0]), float(most[0]))
        rate, eligible = axes.array("national_response_rate")[g, :, 0], _eligible(axes, rules, g)
        rate = rate[~np.isnan(rate)]
        if rate.size and eligible is not None:
            half = 0.5 * 10.0**-SHARE_DECIMALS
            few, many = (rate[0] - half) * eligible[0].sum(), (rate[0] + half) * eligible[1].sum()
            system.join(completed[g], once, float(few), float(many))
    targets = _fieldwork_targets(axes, year, rules, hidden & (high > 0), completed, rest)
    return Relations(f"fieldwork {year}", system, tuple(targets))


def _fieldwork_targets(
    axes: Axes, year: int, rules: Rules, hidden: Bools, completed: Ints, rest: Ints
) -> Iterator[Target]:
    how = "numbers of participants of the whole, of the other groups and of all organisations"
    width = float(rules.protect_people)
    for i, organisation in enumerate(axes.organisations):
        unseen = [g for g in range(1, len(axes.groups)) if hidden[g, i]]
        for name, members, others in unpublished(axes.groups, unseen, whole=bool(hidden[0, i])):
            n = (*(int(completed[g, i]) for g in members), *((int(rest[i]),) if others else ()))
            yield Target("fieldwork", year, name, organisation, "", "people", width, n, n, how)


def _eligible(axes: Axes, rules: Rules, g: int) -> tuple[Floats, Floats] | None:
    """Bounds of invited less undeliverable and died, by organisation; None where they were not sampled.

    What is not printed of undeliverable and died may be anything up to the number invited.
    """
    base = 1 if g == 0 else rules.group_rounding
    invited = axes.array("invited")[g, :, 0]
    if np.isnan(invited).any():
        return None
    low, high = stands_for(invited, base)
    lost_low, lost_high = np.zeros_like(low), np.zeros_like(high)
    for column in ("undeliverable", "died"):
        values = axes.array(column)[g, :, 0]
        least, most = stands_for(np.nan_to_num(values), base)
        lost_low += np.where(np.isnan(values), 0.0, least)
        lost_high += np.where(np.isnan(values), high, most)
    return np.maximum(low - lost_high, 0), high - lost_low


def _rates(system: System, axes: Axes, rules: Rules, completed: Ints) -> None:
    """A response rate that is printed bounds the number of completed questionnaires."""
    half = 0.5 * 10.0**-SHARE_DECIMALS
    for g in range(len(axes.groups)):
        rate, eligible = axes.array("response_rate")[g, :, 0], _eligible(axes, rules, g)
        if eligible is None:
            continue
        printed = ~np.isnan(rate)
        least, most = (rate - half) * eligible[0], (rate + half) * eligible[1]
        system.relations([(completed[g][printed], 1.0)], least[printed], most[printed])


def profile_relations(results: Results, rules: Rules, minimum: int) -> Iterator[Relations]:
    """For every wave and characteristic: people by answer, over groups and organisations, with national percentages."""
    for (year, variable), table in results.profile.group_by("year", "variable", maintain_order=True):
        yield _profile_relations(table, int(str(year)), str(variable), rules, minimum)


def _profile_relations(table: pl.DataFrame, year: int, variable: str, rules: Rules, minimum: int) -> Relations:
    options = table["option"].unique(maintain_order=True).to_list()
    axes = axes_of(table, "option")
    percent, status = axes.array("percent"), axes.texts("status")
    n = axes.array("n")
    # The base of a characteristic is in each of its rows.
    first = np.where(np.isnan(n).all(axis=2), np.nan, np.nanmax(np.nan_to_num(n, nan=-1.0), axis=2))
    base = np.full(first.shape, rules.group_rounding)
    base[0] = 1
    low, high = np.zeros(first.shape), np.zeros(first.shape)
    for size in {1, rules.group_rounding}:
        here = base == size
        low[here], high[here] = stands_for(first[here], size)
    hidden = np.isnan(first) & (status == "withheld").all(axis=2)
    absent = np.isnan(first) & ~hidden
    low[absent] = high[absent] = 0.0
    low[hidden], high[hidden] = 0.0, np.inf
    lone = (hidden.sum(axis=0) == 1) & hidden & (axes.texts("reason") != BESIDE).any(axis=2)
    high[lone] = minimum - 1
    high[1:] = np.minimum(high[1:], np.where(np.isfinite(high[0]), high[0], np.inf))
    high = np.where(np.isfinite(high), high, float(np.nansum(np.where(np.isfinite(high), high, 0))) + minimum)
    system = System()
    people = system.variables(low, high)
    counts = system.variables(np.zeros(percent.shape), np.broadcast_to(high[..., None], percent.shape))
    shape = people.shape
    system.relations(
        [(people, 1.0), *((counts[..., k], -1.0) for k in range(len(options)))], np.zeros(shape), np.zeros(shape)
    )
    rest = system.variables(np.zeros(counts[0].shape), np.broadcast_to(high[0][:, None], counts[0].shape))
    if shape[0] > 1:
        terms = [(counts[0], 1.0), (rest, -1.0), *((counts[g], -1.0) for g in range(1, shape[0]))]
        system.relations(terms, np.zeros(rest.shape), np.zeros(rest.shape))
    least, most = percent_interval(percent)
    printed = ~np.isnan(percent)
    whole = np.broadcast_to(people[..., None], percent.shape)
    size = int(printed.sum())
    system.relations(
        [(counts[printed], 1.0), (whole[printed], -least[printed] / 100)], np.zeros(size), np.full(size, np.inf)
    )
    system.relations(
        [(counts[printed], 1.0), (whole[printed], -most[printed] / 100)], np.full(size, -np.inf), np.zeros(size)
    )
    # An answer whose percentage is withheld though its base is not was given by fewer than the minimum count, unless it
    # is withheld for the sake of another one of its row or column.
    small = np.isnan(percent) & ~np.isnan(first)[..., None] & (status == "withheld")
    lonely = small & (small.sum(axis=2, keepdims=True) == 1) & (np.isnan(percent).sum(axis=0) == 1)
    few = int(lonely.sum())
    if few:
        system.relations([(counts[lonely], 1.0)], np.ones(few), np.full(few, rules.minimum_count - 1.0))
    _national_shares(system, axes, people, counts)
    return Relations(
        f"profile {year} {variable}",
        system,
        tuple(_profile_targets(axes, year, variable, rules, hidden & (high > 0), small, people, rest, counts)),
    )


def _national_shares(system: System, axes: Axes, people: Ints, counts: Ints) -> None:
    national = axes.array("national_percent")
    for g in range(people.shape[0]):
        for k in range(counts.shape[2]):
            printed = national[g, :, k][~np.isnan(national[g, :, k])]
            if printed.size:
                least, most = percent_interval(printed[:1])
                columns, once = np.concatenate([counts[g, :, k], people[g]]), np.ones(people.shape[1])
                for end, lower, upper in ((least, 0.0, np.inf), (most, -np.inf, 0.0)):
                    system.join(columns, np.concatenate([once, once * (-end[0] / 100)]), lower, upper)


def _profile_targets(
    axes: Axes,
    year: int,
    variable: str,
    rules: Rules,
    hidden: Bools,
    small: Bools,
    people: Ints,
    rest: Ints,
    counts: Ints,
) -> Iterator[Target]:
    """Bases that are not printed, and answers whose percentage is not though their base is."""
    how = "percentages and numbers of people of the whole, of the other groups and answers, and of all organisations"
    width = float(rules.protect_people)
    for i, organisation in enumerate(axes.organisations):
        unseen = [g for g in range(1, len(axes.groups)) if hidden[g, i]]
        for name, members, others in unpublished(axes.groups, unseen, whole=bool(hidden[0, i])):
            if members:
                n = (*(int(people[g, i]) for g in members), *((int(v) for v in rest[i]) if others else ()))
                yield Target("profile", year, name, organisation, variable, "people", width, n, n, how)
    # One to four people: with fewer than three of these left possible, one answer is nearly known.
    width = float(min(2, max(rules.minimum_count - 2, 0)))
    for g, i, k in zip(*np.nonzero(small), strict=True):
        c = (int(counts[g, i, k]),)
        label = f"{variable}, answer {axes.measures[k]}"
        yield Target("profile", year, axes.groups[g], axes.organisations[i], label, "count", width, c, c, how)

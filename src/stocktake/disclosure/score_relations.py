"""Scores as relations: numbers of people, sums of points and sums of squares of a whole and its groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from stocktake.disclosure.linear import Bools, Floats, Ints, System
from stocktake.disclosure.relations import Axes, Relations, Sum, Target, axes_of, limits_of_people, unpublished
from stocktake.disclosure.rules import Rules
from stocktake.results import ALL, Results

SCALE = 10.0


def score_relations(results: Results, rules: Rules, minimum: int, safe: set[bytes]) -> Iterator[Relations]:
    """For every wave: bases, sums of points and of squared points of each question, over an organisation's groups.

    Blocks that are known to be `safe` by their fingerprints are left out, as are those seen to be, which are added there.
    """
    for year in sorted(results.scores["year"].unique().to_list(), reverse=True):
        table = results.scores.filter((pl.col("year") == year) & (pl.col("kind") == "question"))
        if table["group"].n_unique() > 1:
            yield _score_relations(
                axes_of(table, "measure"), year, rules, minimum, _sharper(results, rules, year), safe
            )


def _sharper(results: Results, rules: Rules, year: int) -> pl.DataFrame:
    """For every printed score the interval that all figures about it leave together.

    The score itself, the middle of its 95% interval, and its distance from the average by z and S: the average is
    common to all, so that what all distances say of it sharpens each of them.
    """
    half = 0.5 * 10.0**-rules.decimals
    key = ["group", "organisation", "measure"]
    rows = results.scores.filter((pl.col("year") == year) & pl.col("score").is_not_null())
    fine = np.where(rows["group"].to_numpy() == ALL, 0.1, 1.0) * half

    def column(name: str) -> Floats:
        return rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()

    score = column("score")
    low, high = score - half, score + half
    lower, upper = column("lower_95"), column("upper_95")
    free = (lower > 0) & (upper < SCALE)
    middle = (lower + upper) / 2
    low = np.where(free, np.fmax(low, middle - half), low)
    high = np.where(free, np.fmin(high, middle + half), high)
    # z S is the distance from the average; the four products of the ends bound it.
    z, spread = column("z"), column("spread")
    corners = np.stack([(z + i * half) * np.maximum(spread + j * fine, 0) for i in (-1, 1) for j in (-1, 1)])
    near, far = corners.min(axis=0), corners.max(axis=0)
    place = rows.select(pl.struct("group", "measure").rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    average = column("national_average")
    size = int(place.max()) + 1 if place.size else 0
    theta_low, theta_high = np.full(size, -np.inf), np.full(size, np.inf)
    known = ~np.isnan(near) & ~np.isnan(average)
    for _ in range(2):
        np.maximum.at(theta_low, place[known], np.maximum(average - half, low - far)[known])
        np.minimum.at(theta_high, place[known], np.minimum(average + half, high - near)[known])
        low = np.where(known, np.fmax(low, theta_low[place] + near), low)
        high = np.where(known, np.fmin(high, theta_high[place] + far), high)
    # Contradictions can come from ties at the ends alone; the printed score is used then.
    crossed = low > high
    low, high = np.where(crossed, score - half, low), np.where(crossed, score + half, high)
    return rows.select(key).with_columns(low=pl.Series(np.clip(low, 0, SCALE)), high=pl.Series(np.clip(high, 0, SCALE)))


@dataclass(frozen=True)
class Blocks:
    """The questions of organisations that print something, one in each column: bounds of what is behind the figures.

    `organisation` and `measure` (blocks,) are positions on the axes; all others have shape (groups, blocks), the whole
    first. `hidden` marks numbers of people that are not printed though somebody answered; scores and sums of squares
    are NaN where they are not printed.
    """

    organisation: Ints
    measure: Ints
    low: Floats
    high: Floats
    hidden: Bools
    score_low: Floats
    score_high: Floats
    squares_low: Floats
    squares_high: Floats

    @property
    def count(self) -> int:
        return self.organisation.size

    def take(self, kept: Bools) -> Blocks:
        """The blocks that are marked."""
        return Blocks(*(getattr(self, f.name)[..., kept] for f in fields(self)))

    def fingerprints(self) -> list[bytes]:
        """One for each block, alike for blocks that print the same."""
        arrays = (
            self.low,
            self.high,
            self.hidden,
            self.score_low,
            self.score_high,
            self.squares_low,
            self.squares_high,
        )
        stacked = np.ascontiguousarray(np.concatenate([np.asarray(a, dtype=np.float64) for a in arrays]).T)
        return [row.tobytes() for row in stacked]


def _blocks(axes: Axes, rules: Rules, minimum: int, sharper: pl.DataFrame) -> Blocks:
    low, high, hidden = limits_of_people(axes, rules, minimum, "n")
    inside = sharper.filter(pl.col("measure").is_in(list(axes.measures)))
    bounds = Axes(inside, axes.groups, axes.organisations, axes.measures)
    score_low, score_high = bounds.array("low"), bounds.array("high")
    # One that prints nothing, or has no groups there, says nothing.
    o, q = np.nonzero(~np.isnan(score_low).all(axis=0) & (high[1:] > 0).any(axis=0))
    pick = (slice(None), o, q)
    low, high, hidden = low[pick], high[pick], hidden[pick]
    score_low, score_high = score_low[pick], score_high[pick]
    most = np.nansum(np.where(np.isfinite(high[1:]), high[1:], minimum), axis=0)
    high = np.where(np.isfinite(high), high, np.where(np.isfinite(high[0]), high[0], most))
    squares = _squares_between(axes, pick, low, high, score_low, score_high, rules)
    return Blocks(o, q, low, high, hidden, score_low, score_high, *squares)


def _score_relations(
    axes: Axes, year: int, rules: Rules, minimum: int, sharper: pl.DataFrame, safe: set[bytes]
) -> Relations:
    every = _blocks(axes, rules, minimum, sharper)
    unknown = every.take(np.array([p not in safe for p in every.fingerprints()], dtype=bool))
    plain = _plainly_safe(unknown, rules, minimum)
    safe.update(unknown.take(plain).fingerprints())
    blocks = unknown.take(~plain)
    system = System()
    parts = _Parts.of(system, blocks)
    zero = np.zeros(blocks.count)

    def whole(all_: Ints, others: Ints, *, elastic: bool) -> None:
        terms = [(all_[0], 1.0), (others, -1.0), *((all_[g], -1.0) for g in range(1, len(axes.groups)))]
        system.relations(terms, zero, zero, elastic=elastic)

    whole(parts.people, parts.rest, elastic=False)
    # Scores of groups are standardised each to its own respondents, so that their sums fit only nearly.
    whole(parts.points, parts.rest_points, elastic=True)
    whole(parts.squares, parts.rest_squares, elastic=True)

    def below(one: Ints, other: Ints, factor: Floats | float) -> None:
        """one <= factor x other."""
        system.relations([(one, 1.0), (other, -factor)], np.full(one.shape, -np.inf), np.zeros(one.shape))

    y_low = np.where(np.isnan(blocks.score_low), 0.0, blocks.score_low)
    y_high = np.where(np.isnan(blocks.score_high), SCALE, blocks.score_high)
    shape = parts.people.shape
    system.relations([(parts.points, 1.0), (parts.people, -y_low)], np.zeros(shape), np.full(shape, np.inf))
    below(parts.points, parts.people, y_high)
    below(parts.rest_points, parts.rest, SCALE)
    # The square of an answer is at most ten times the answer; with a standard error the sum of squares is known.
    below(parts.squares, parts.points, SCALE)
    below(parts.rest_squares, parts.rest_points, SCALE)
    printed = ~np.isnan(blocks.squares_low)
    # What weights and rounding leave of it stays possible: no square is above ten times its answer.
    most = SCALE * y_high * blocks.high
    least, greatest = np.minimum(blocks.squares_low, most), np.minimum(blocks.squares_high, most)
    system.relations([(parts.squares[printed], 1.0)], least[printed], greatest[printed])
    places = zip(blocks.organisation, blocks.measure, blocks.fingerprints(), strict=True)
    return Relations(
        f"scores {year}",
        system,
        tuple(_score_targets(axes, year, rules, blocks, parts)),
        {(axes.organisations[i], axes.measures[j]): p for i, j, p in places},
    )


@dataclass(frozen=True)
class _Parts:
    """The variables of blocks: people, points and squares of the whole and each group, and of those without a group."""

    people: Ints
    rest: Ints
    points: Ints
    rest_points: Ints
    squares: Ints
    rest_squares: Ints

    @classmethod
    def of(cls, system: System, blocks: Blocks) -> _Parts:
        made: list[Ints] = []
        for factor in (1.0, SCALE, SCALE**2):
            made.append(system.variables(np.zeros(blocks.high.shape) if made else blocks.low, factor * blocks.high))
            made.append(system.variables(np.zeros(blocks.count), factor * blocks.high[0]))
        return cls(*made)


# Random choices among the ends of the printed intervals, by which most blocks are seen to be safe.
SAMPLES = 48


def _plainly_safe(every: Blocks, rules: Rules, minimum: int) -> Bools:
    """Blocks in which some of all figures that agree with what is printed already differ as much as they must.

    Printed figures are set to ends of their intervals; what is left of the whole is shared out between the parts that
    are not printed. Each choice that every relation allows is a point of the system, so that two of them that differ
    enough prove what bounding would: only the other blocks are handed to it.
    """
    rng = np.random.default_rng(0)
    low, high, hidden, blocks = every.low, every.high, every.hidden, every.count
    score_low, score_high = every.score_low, every.score_high
    squares_low, squares_high = every.squares_low, every.squares_high
    # The whole must be printed, and every relation fits or not by itself.
    usable = ~hidden[0] & ~np.isnan(score_low[0])
    parts = np.arange(1, low.shape[0])
    unseen = np.concatenate([hidden[1:] & (high[1:] > 0), np.ones((1, blocks), dtype=bool)])
    capacity = np.concatenate([high[1:], high[:1]]) * unseen
    sets = np.concatenate([unseen, np.ones((1, blocks), dtype=bool)])
    people_low, people_high = np.full(sets.shape, np.inf), np.full(sets.shape, -np.inf)
    points_low, points_high = people_low.copy(), people_high.copy()
    score_least, score_most = people_low.copy(), people_high.copy()
    y_low, y_high = np.nan_to_num(score_low), np.nan_to_num(score_high)
    squares_least, squares_most = np.full(blocks, np.inf), np.full(blocks, -np.inf)
    # Without a standard error somewhere the squares are free.
    seen_all = ~hidden[1:] & (high[1:] > 0)
    bound = ~np.isnan(squares_low[0]) & (~np.isnan(squares_low[1:]) | ~seen_all).all(axis=0)
    x_low, x_high = np.nan_to_num(squares_low), np.nan_to_num(squares_high)
    for _ in range(SAMPLES):
        n = np.where(rng.random(low.shape) < 0.5, low, high)
        y = np.where(rng.random(low.shape) < 0.5, y_low, y_high)
        seen = ~hidden[parts] & (high[parts] > 0)
        left = n[0] - (n[parts] * seen).sum(axis=0)
        points = n[0] * y[0] - (n[parts] * y[parts] * seen).sum(axis=0)
        # How what is left is shared: at random, within what each part can hold.
        share = rng.random(capacity.shape) ** 4 * unseen
        number = np.minimum(left * share / np.maximum(share.sum(axis=0), 1e-12), capacity)
        number[-1] = left - number[:-1].sum(axis=0)
        # The parts' mean scores: pushed apart as far as the sum allows.
        mean = np.divide(points, left, out=np.zeros_like(left), where=left > 0)
        push = rng.random(capacity.shape) * number
        lift = np.where(rng.random(capacity.shape) < 0.5, 0.0, SCALE)
        sums = number * mean + push * (lift - mean)
        over = points - sums.sum(axis=0)
        give = np.where(over > 0, SCALE * number - sums, sums)
        sums = sums + np.divide(give, give.sum(axis=0), out=np.zeros_like(give), where=give.sum(axis=0) > 1e-9) * over
        allowed = usable & (left >= 0) & (points >= 0) & (points <= SCALE * left) & (number[-1] >= 0)
        allowed &= (sums >= -1e-9).all(axis=0) & (sums <= SCALE * number + 1e-9).all(axis=0)
        count = np.concatenate([number, left[None]])
        total = np.concatenate([sums, points[None]])
        x = np.where(rng.random(low.shape) < 0.5, x_low, x_high)
        square = x[0] - (x[parts] * seen).sum(axis=0)
        allowed &= ~bound | ((square >= 0) & (square <= SCALE * points))
        np.minimum(squares_least, np.where(allowed, square, np.inf), out=squares_least)
        np.maximum(squares_most, np.where(allowed, square, -np.inf), out=squares_most)
        score = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 1e-9)
        for values, least, most in (
            (count, people_low, people_high),
            (total, points_low, points_high),
            (score, score_least, score_most),
        ):
            here = allowed[None] & ~np.isnan(values)
            np.minimum(least, np.where(here, values, np.inf), out=least)
            np.maximum(most, np.where(here, values, -np.inf), out=most)
    harmless = (people_low < 1) | (people_high >= minimum)
    apart = (
        (people_high - people_low >= rules.protect_people)
        & (points_high - points_low >= SCALE)
        & (score_most - score_least >= rules.protect_score)
    )
    # The parts share the squares as they share the points, so that the whole that is left stands for each of them.
    apart &= ~bound | (squares_most - squares_least >= SCALE**2)
    reached = np.isfinite(people_low)
    return usable & (~sets | (reached & (harmless | apart))).all(axis=0)


def _squares_between(
    axes: Axes,
    pick: tuple[slice, Ints, Ints],
    low: Floats,
    high: Floats,
    score_low: Floats,
    score_high: Floats,
    rules: Rules,
) -> tuple[Floats, Floats]:
    """Bounds of the sum of squares, n (m s^2 + y^2) with the standard error s and the effective base m; NaN without s."""
    error, effective = axes.array("standard_error")[pick], axes.array("effective_base")[pick]
    half = 0.5 * 10.0 ** -(rules.decimals + 1)
    base = np.full(error.shape, float(rules.group_rounding))
    base[0] = 1.0
    weights_low = np.where(np.isnan(effective), low, np.minimum(effective - base / 2, high))
    weights_high = np.where(np.isnan(effective), high, np.minimum(effective + base / 2, high))
    s_low, s_high = np.maximum(error - half, 0), error + half
    least = low * (np.maximum(weights_low, 0) * s_low**2 + score_low**2)
    most = high * (weights_high * s_high**2 + score_high**2)
    return least, most


def _score_targets(axes: Axes, year: int, rules: Rules, blocks: Blocks, parts: _Parts) -> Iterator[Target]:
    """Of every block each withheld part, those without a group, and all that is not printed taken together."""
    how = "numbers of people, scores and their errors of the whole and of the other groups"
    width = {"people": float(rules.protect_people), "score": rules.protect_score}
    width |= {"sum of points": SCALE, "sum of squares": SCALE**2}
    for b in range(blocks.count):
        unseen = [g for g in range(1, len(axes.groups)) if blocks.hidden[g, b] and blocks.high[g, b] > 0]
        organisation, measure = axes.organisations[blocks.organisation[b]], axes.measures[blocks.measure[b]]
        for name, members, others in unpublished(axes.groups, unseen, whole=bool(blocks.hidden[0, b])):

            def of(groups: Ints, rest: Ints, b: int = b, members: list[int] = members, others: bool = others) -> Sum:
                return (*(int(groups[g, b]) for g in members), *((int(rest[b]),) if others else ()))

            n, s = of(parts.people, parts.rest), of(parts.points, parts.rest_points)
            x = of(parts.squares, parts.rest_squares)
            for figure, variables in (("people", n), ("score", s), ("sum of points", s), ("sum of squares", x)):
                yield Target("scores", year, name, organisation, measure, figure, width[figure], variables, n, how)

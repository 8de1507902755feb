"""What the public tables print, as linear relations between numbers of people and sums of their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.disclosure.linear import Floats, Ints, System
from stocktake.disclosure.precision import SHARE_DECIMALS, percent_interval
from stocktake.disclosure.rules import Rules
from stocktake.results import ALL, Results

SCALE = 10.0
HIDDEN = ("withheld", "left out")


@dataclass(frozen=True)
class Target:
    """A withheld figure: where it belongs, the variables that it is the sum of, and by how much it must stay uncertain.

    `people` are the variables of the people behind it, which say whether it is small at all.
    """

    table: str
    year: int
    group: str
    organisation: str
    measure: str
    figure: str
    protection: float
    variables: tuple[int, ...]
    people: tuple[int, ...]
    how: str


@dataclass(frozen=True)
class Relations:
    """A system of relations and the figures to be protected in it.

    `blocks` has fingerprints of parts that no relation joins, by organisation and measure.
    """

    system: System
    targets: tuple[Target, ...]
    blocks: Mapping[tuple[str, str], bytes] = field(default_factory=dict)

    @property
    def fingerprint(self) -> bytes:
        """Alike for two systems with the same relations and figures."""
        digest = hashlib.sha256(repr(self.targets).encode())
        for part in self.system.arrays():
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.digest()


@dataclass(frozen=True)
class _Axes:
    """Groups (all first), organisations and measures of one wave, and a table's columns as arrays over them."""

    table: pl.DataFrame
    groups: tuple[str, ...]
    organisations: tuple[str, ...]
    measures: tuple[str, ...]

    def array(self, column: str) -> Floats:
        """A figure by group, organisation and measure; NaN where there is none."""
        out = np.full((len(self.groups), len(self.organisations), len(self.measures)), np.nan)
        values = self.table[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        out[self._places()] = values
        return out

    def texts(self, column: str) -> NDArray[np.object_]:
        out = np.full((len(self.groups), len(self.organisations), len(self.measures)), "", dtype=object)
        out[self._places()] = self.table[column].to_numpy()
        return out

    def _places(self) -> tuple[Ints, ...]:
        return tuple(
            self.table[name].replace_strict({v: i for i, v in enumerate(values)}, return_dtype=pl.Int64).to_numpy()
            for name, values in (
                ("group", self.groups),
                ("organisation", self.organisations),
                (self._measure, self.measures),
            )
        )

    @property
    def _measure(self) -> str:
        return "measure" if "measure" in self.table.columns else "_measure"


def _axes(table: pl.DataFrame, measure: str) -> _Axes:
    table = table.with_columns(_measure=pl.col(measure) if measure else pl.lit(""))
    groups = [ALL, *(g for g in table["group"].unique(maintain_order=True) if g != ALL)]
    organisations = table["organisation"].unique(maintain_order=True).to_list()
    return _Axes(table, tuple(groups), tuple(organisations), tuple(table["_measure"].unique(maintain_order=True)))


def years_of(results: Results) -> list[int]:
    return sorted(results.scores["year"].unique().to_list(), reverse=True)


def _whole(values: Floats, base: int) -> tuple[Floats, Floats]:
    """What a printed number of people may stand for, rounded halves up to a multiple of `base`."""
    low = np.maximum(np.ceil(values - base / 2), 0)
    return np.minimum(low, values), np.maximum(np.ceil(values + base / 2) - 1, values)


def _limits_of_people(axes: _Axes, rules: Rules, minimum: int, known: str) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Lower and upper bounds of every number of people, and which numbers are not printed though somebody answered.

    Where a single number of a whole and its parts is withheld, everybody knows that it is below the minimum.
    """
    n, status = axes.array(known), axes.texts("status")
    base = np.full(n.shape, rules.group_rounding)
    base[0] = 1
    low, high = np.empty_like(n), np.empty_like(n)
    for size in {1, rules.group_rounding}:
        here = base == size
        low[here], high[here] = _whole(n[here], size)
    hidden = np.isnan(n) & np.isin(status, HIDDEN)
    nothing = np.isnan(n) & ~hidden
    low[nothing] = high[nothing] = 0.0
    low[hidden], high[hidden] = 0.0, np.inf
    lone = (hidden.sum(axis=0) == 1) & (status == "withheld")
    high[hidden & lone] = minimum - 1
    # No part is larger than its whole.
    high[1:] = np.minimum(high[1:], np.where(np.isfinite(high[0]), high[0], np.inf))
    return low, high, hidden


def score_relations(results: Results, rules: Rules, minimum: int, safe: Collection[bytes] = ()) -> Iterator[Relations]:
    """For every wave: bases, sums of points and of squared points of each question, over an organisation's groups.

    Blocks that are known to be `safe` by their fingerprints are left out.
    """
    for year in years_of(results):
        table = results.scores.filter((pl.col("year") == year) & (pl.col("kind") == "question"))
        if table["group"].n_unique() > 1:
            yield _score_relations(_axes(table, "measure"), year, rules, minimum, _sharper(results, rules, year), safe)


def _sharper(results: Results, rules: Rules, year: int) -> pl.DataFrame:
    """For every printed score the interval that all figures about it leave together.

    The score itself, the middle of its 95% interval, its difference from the other wave's, and its distance from the
    average: the average is common to all, so that what all distances say of it sharpens each of them.
    """
    half = 0.5 * 10.0**-rules.decimals
    key = ["group", "organisation", "measure"]
    rows = results.scores.filter((pl.col("year") == year) & pl.col("score").is_not_null())
    firm = results.firmness.filter(pl.col("year") == year).select(*key, "to_better", "to_worse", "survives")
    rows = rows.join(firm, on=key, how="left")
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
    # Contradictions can come from ties at the ends alone; the printed score stands then.
    crossed = low > high
    low, high = np.where(crossed, score - half, low), np.where(crossed, score + half, high)
    return rows.select(key).with_columns(low=pl.Series(np.clip(low, 0, SCALE)), high=pl.Series(np.clip(high, 0, SCALE)))


def _score_relations(
    axes: _Axes, year: int, rules: Rules, minimum: int, sharper: pl.DataFrame, safe: Collection[bytes]
) -> Relations:
    low, high, hidden = _limits_of_people(axes, rules, minimum, "n")
    bounds = _Axes(sharper, axes.groups, axes.organisations, axes.measures)
    inside = sharper.filter(pl.col("measure").is_in(list(axes.measures)))
    bounds = _Axes(inside, axes.groups, axes.organisations, axes.measures)
    score_low, score_high = bounds.array("low"), bounds.array("high")
    # A block is one question of one organisation; one that prints nothing, or has no groups there, says nothing.
    useful = ~np.isnan(score_low).all(axis=0) & ((high[1:] > 0).any(axis=0))
    o, q = np.nonzero(useful)
    pick = (slice(None), o, q)
    low, high, hidden = low[pick], high[pick], hidden[pick]
    score_low, score_high = score_low[pick], score_high[pick]
    ceiling = np.where(
        np.isfinite(high[0]), high[0], np.nansum(np.where(np.isfinite(high[1:]), high[1:], minimum), axis=0)
    )
    high = np.where(np.isfinite(high), high, ceiling)
    squares_low, squares_high = _squares_between(axes, pick, low, high, score_low, score_high, rules)
    open_blocks = ~_plainly_safe(low, high, hidden, score_low, score_high, squares_low, squares_high, rules, minimum)
    prints = _fingerprints(low, high, hidden, score_low, score_high, squares_low, squares_high)
    open_blocks &= np.array([p not in safe for p in prints], dtype=bool)
    prints = [p for p, kept in zip(prints, open_blocks, strict=True) if kept]
    squares_low, squares_high = squares_low[:, open_blocks], squares_high[:, open_blocks]
    o, q, ceiling = o[open_blocks], q[open_blocks], ceiling[open_blocks]
    low, high, hidden = low[:, open_blocks], high[:, open_blocks], hidden[:, open_blocks]
    score_low, score_high = score_low[:, open_blocks], score_high[:, open_blocks]
    system = System()
    people = system.variables(low, high)
    rest = system.variables(np.zeros(o.size), ceiling)
    points = system.variables(np.zeros(low.shape), SCALE * high)
    rest_points = system.variables(np.zeros(o.size), SCALE * ceiling)
    squares = system.variables(np.zeros(low.shape), SCALE**2 * high)
    rest_squares = system.variables(np.zeros(o.size), SCALE**2 * ceiling)
    parts = range(1, len(axes.groups))
    zero = np.zeros(o.size)

    def whole(first: Ints, others: Ints, *, elastic: bool) -> None:
        terms = [(first[0], 1.0), (others, -1.0), *((first[g], -1.0) for g in parts)]
        system.relations(terms, zero, zero, elastic=elastic)

    whole(people, rest, elastic=False)
    # Scores of groups are standardised each to its own respondents, so that their sums fit only nearly.
    whole(points, rest_points, elastic=True)
    whole(squares, rest_squares, elastic=True)
    y_low, y_high = np.where(np.isnan(score_low), 0.0, score_low), np.where(np.isnan(score_high), SCALE, score_high)
    system.relations([(points, 1.0), (people, -y_low)], np.zeros(low.shape), np.full(low.shape, np.inf))
    system.relations([(points, 1.0), (people, -y_high)], np.full(low.shape, -np.inf), np.zeros(low.shape))
    system.relations([(rest_points, 1.0), (rest, -SCALE)], np.full(o.size, -np.inf), zero)
    # The square of an answer is at most ten times the answer; with a standard error the sum of squares is known.
    for a, b in ((squares, points), (rest_squares, rest_points)):
        shape = a.shape
        system.relations([(a, 1.0), (b, -SCALE)], np.full(shape, -np.inf), np.zeros(shape))
    told = ~np.isnan(squares_low)
    # What weights and rounding leave of it stays possible: no square is above ten times its answer.
    most = SCALE * y_high * high
    system.relations([(squares[told], 1.0)], np.minimum(squares_low, most)[told], np.minimum(squares_high, most)[told])
    return Relations(
        system,
        tuple(
            _score_targets(
                axes, year, rules, o, q, hidden, high, people, rest, points, rest_points, squares, rest_squares
            )
        ),
        {(axes.organisations[i], axes.measures[j]): p for i, j, p in zip(o, q, prints, strict=True)},
    )


def _fingerprints(*arrays: NDArray[np.generic]) -> list[bytes]:
    """One fingerprint for each column of arrays of shape (groups, blocks)."""
    stacked = np.ascontiguousarray(np.concatenate([np.asarray(a, dtype=np.float64) for a in arrays]).T)
    return [row.tobytes() for row in stacked]


# Random choices among the ends of the printed intervals, by which most blocks are seen to be safe.
SAMPLES = 48


def _plainly_safe(
    low: Floats,
    high: Floats,
    hidden: NDArray[np.bool_],
    score_low: Floats,
    score_high: Floats,
    squares_low: Floats,
    squares_high: Floats,
    rules: Rules,
    minimum: int,
) -> NDArray[np.bool_]:
    """Blocks in which some of all figures that agree with what is printed already differ as much as they must.

    Printed figures are set to ends of their intervals; what is left of the whole is shared out between the parts that
    are not printed. Each choice that every relation allows is a point of the system, so that two of them that differ
    enough prove what bounding would: only the other blocks are handed to it.
    """
    rng = np.random.default_rng(0)
    blocks = low.shape[1]
    # The whole must be printed, and every relation fits or not by itself.
    usable = ~hidden[0] & ~np.isnan(score_low[0])
    parts = np.arange(1, low.shape[0])
    unseen = np.concatenate([hidden[1:] & (high[1:] > 0), np.ones((1, blocks), dtype=bool)])
    room = np.concatenate([high[1:], high[:1]]) * unseen
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
        share = rng.random(room.shape) ** 4 * unseen
        number = np.minimum(left * share / np.maximum(share.sum(axis=0), 1e-12), room)
        number[-1] = left - number[:-1].sum(axis=0)
        # The parts' mean scores: pushed apart as far as the sum allows.
        mean = np.divide(points, left, out=np.zeros_like(left), where=left > 0)
        push = rng.random(room.shape) * number
        lift = np.where(rng.random(room.shape) < 0.5, 0.0, SCALE)
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
            told = allowed[None] & ~np.isnan(values)
            np.minimum(least, np.where(told, values, np.inf), out=least)
            np.maximum(most, np.where(told, values, -np.inf), out=most)
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
    axes: _Axes,
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


def _score_targets(
    axes: _Axes,
    year: int,
    rules: Rules,
    o: Ints,
    q: Ints,
    hidden: NDArray[np.bool_],
    high: Floats,
    people: Ints,
    rest: Ints,
    points: Ints,
    rest_points: Ints,
    squares: Ints,
    rest_squares: Ints,
) -> Iterator[Target]:
    """Of every block each withheld part, those without a group, and all that is not printed taken together."""
    how = "numbers of people, scores and their errors of the whole and of the other groups"
    width = {"people": float(rules.protect_people), "score": rules.protect_score}
    width |= {"sum of points": SCALE, "sum of squares": SCALE**2}
    for b in range(o.size):
        unseen = [g for g in range(1, len(axes.groups)) if hidden[g, b] and high[g, b] > 0]
        sets: list[tuple[str, list[int], bool]] = [(axes.groups[g], [g], False) for g in unseen]
        sets.append(("no group", [], True))
        if unseen:
            together = " and ".join([*(axes.groups[g] for g in unseen), "no group"])
            sets.append((together, unseen, True))
        if hidden[0, b]:
            sets.append((ALL, [0], False))
        for name, members, others in sets:
            n = (*(int(people[g, b]) for g in members), *((int(rest[b]),) if others else ()))
            s = (*(int(points[g, b]) for g in members), *((int(rest_points[b]),) if others else ()))
            x = (*(int(squares[g, b]) for g in members), *((int(rest_squares[b]),) if others else ()))
            for figure, variables in (("people", n), ("score", s), ("sum of points", s), ("sum of squares", x)):
                yield Target(
                    "scores",
                    year,
                    name,
                    axes.organisations[o[b]],
                    axes.measures[q[b]],
                    figure,
                    width[figure],
                    variables,
                    n,
                    how,
                )


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
        yield _fieldwork_relations(_axes(table, ""), year, rules, minimum)


def _fieldwork_relations(axes: _Axes, year: int, rules: Rules, minimum: int) -> Relations:
    people_low, people_high, not_printed = _limits_of_people(axes, rules, minimum, "completed")
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
        least, most = _whole(printed[:1], 1 if exact else rules.group_rounding)
        row = completed[g][None, :]
        system.relations([(row[:, i], 1.0) for i in range(row.shape[1])], least, most, link=True)
        rate, eligible = axes.array("national_response_rate")[g, :, 0], _eligible(axes, rules, g)
        rate = rate[~np.isnan(rate)]
        if rate.size and eligible is not None:
            half = 0.5 * 10.0**-SHARE_DECIMALS
            few, many = (rate[:1] - half) * eligible[0].sum(), (rate[:1] + half) * eligible[1].sum()
            system.relations([(row[:, i], 1.0) for i in range(row.shape[1])], few, many, link=True)
    targets = []
    how = "numbers of participants of the whole, of the other groups and of all organisations"
    for i, organisation in enumerate(axes.organisations):
        unseen = [g for g in range(1, len(axes.groups)) if hidden[g, i] and high[g, i] > 0]
        sets: list[tuple[str, tuple[int, ...]]] = [(axes.groups[g], (int(completed[g, i]),)) for g in unseen]
        if several:
            sets.append(("no group", (int(rest[i]),)))
            if unseen:
                name = " and ".join([*(axes.groups[g] for g in unseen), "no group"])
                sets.append((name, (*(int(completed[g, i]) for g in unseen), int(rest[i]))))
        if hidden[0, i]:
            sets.append((ALL, (int(completed[0, i]),)))
        for name, variables in sets:
            targets.append(
                Target(
                    "fieldwork",
                    year,
                    name,
                    organisation,
                    "",
                    "people",
                    float(rules.protect_people),
                    variables,
                    variables,
                    how,
                )
            )
    return Relations(system, tuple(targets))


def _eligible(axes: _Axes, rules: Rules, g: int) -> tuple[Floats, Floats] | None:
    """Bounds of invited less undeliverable and died, by organisation; None where they were not sampled.

    What is not printed of undeliverable and died may be anything up to the number invited.
    """
    base = 1 if g == 0 else rules.group_rounding
    invited = axes.array("invited")[g, :, 0]
    if np.isnan(invited).any():
        return None
    low, high = _whole(invited, base)
    lost_low, lost_high = np.zeros_like(low), np.zeros_like(high)
    for column in ("undeliverable", "died"):
        values = axes.array(column)[g, :, 0]
        least, most = _whole(np.nan_to_num(values), base)
        lost_low += np.where(np.isnan(values), 0.0, least)
        lost_high += np.where(np.isnan(values), high, most)
    return np.maximum(low - lost_high, 0), high - lost_low


def _rates(system: System, axes: _Axes, rules: Rules, completed: Ints) -> None:
    """A response rate that is printed bounds the number of completed questionnaires."""
    half = 0.5 * 10.0**-SHARE_DECIMALS
    for g in range(len(axes.groups)):
        rate, eligible = axes.array("response_rate")[g, :, 0], _eligible(axes, rules, g)
        if eligible is None:
            continue
        told = ~np.isnan(rate)
        least, most = (rate - half) * eligible[0], (rate + half) * eligible[1]
        system.relations([(completed[g][told], 1.0)], least[told], most[told])


def profile_relations(results: Results, rules: Rules, minimum: int) -> Iterator[Relations]:
    """For every wave and characteristic: people by answer, over groups and organisations, with national percentages."""
    for (year, variable), table in results.profile.group_by("year", "variable", maintain_order=True):
        yield _profile_relations(table, int(str(year)), str(variable), rules, minimum)


def _profile_relations(table: pl.DataFrame, year: int, variable: str, rules: Rules, minimum: int) -> Relations:
    options = table["option"].unique(maintain_order=True).to_list()
    axes = _axes(table, "option")
    percent, status = axes.array("percent"), axes.texts("status")
    n = axes.array("n")
    # The base of a characteristic stands in each of its rows.
    first = np.where(np.isnan(n).all(axis=2), np.nan, np.nanmax(np.nan_to_num(n, nan=-1.0), axis=2))
    base = np.full(first.shape, rules.group_rounding)
    base[0] = 1
    low, high = np.zeros(first.shape), np.zeros(first.shape)
    for size in {1, rules.group_rounding}:
        here = base == size
        low[here], high[here] = _whole(first[here], size)
    hidden = np.isnan(first) & (status == "withheld").all(axis=2)
    absent = np.isnan(first) & ~hidden
    low[absent] = high[absent] = 0.0
    low[hidden], high[hidden] = 0.0, np.inf
    lone = (hidden.sum(axis=0) == 1) & hidden
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
    rest: Ints | None = None
    if shape[0] > 1:
        rest = system.variables(np.zeros(counts[0].shape), np.broadcast_to(high[0][:, None], counts[0].shape))
        terms = [(counts[0], 1.0), (rest, -1.0), *((counts[g], -1.0) for g in range(1, shape[0]))]
        system.relations(terms, np.zeros(rest.shape), np.zeros(rest.shape))
    least, most = percent_interval(percent)
    told = ~np.isnan(percent)
    whole = np.broadcast_to(people[..., None], percent.shape)
    size = int(told.sum())
    system.relations([(counts[told], 1.0), (whole[told], -least[told] / 100)], np.zeros(size), np.full(size, np.inf))
    system.relations([(counts[told], 1.0), (whole[told], -most[told] / 100)], np.full(size, -np.inf), np.zeros(size))
    # An answer whose percentage is withheld though its base is not was given by fewer than the minimum count, unless it
    # is withheld for the sake of another one of its row or column.
    small = np.isnan(percent) & ~np.isnan(first)[..., None] & (status == "withheld")
    lonely = small & (small.sum(axis=2, keepdims=True) == 1) & (np.isnan(percent).sum(axis=0) == 1)
    few = int(lonely.sum())
    if few:
        system.relations([(counts[lonely], 1.0)], np.ones(few), np.full(few, rules.minimum_count - 1.0))
    _national_shares(system, axes, people, counts)
    return Relations(
        system, tuple(_profile_targets(axes, year, variable, rules, hidden, high, small, people, rest, counts))
    )


def _national_shares(system: System, axes: _Axes, people: Ints, counts: Ints) -> None:
    national = axes.array("national_percent")
    for g in range(people.shape[0]):
        for k in range(counts.shape[2]):
            printed = national[g, :, k][~np.isnan(national[g, :, k])]
            if printed.size:
                least, most = percent_interval(printed[:1])
                every = range(people.shape[1])
                for end, lower, upper in ((least, 0.0, np.inf), (most, -np.inf, 0.0)):
                    terms = [(counts[g, i : i + 1, k], 1.0) for i in every]
                    terms += [(people[g, i : i + 1], float(-end[0] / 100)) for i in every]
                    system.relations(terms, np.array([lower]), np.array([upper]), link=True)


def _profile_targets(
    axes: _Axes,
    year: int,
    variable: str,
    rules: Rules,
    hidden: NDArray[np.bool_],
    high: Floats,
    small: NDArray[np.bool_],
    people: Ints,
    rest: Ints | None,
    counts: Ints,
) -> Iterator[Target]:
    how = "percentages and numbers of people of the whole, of the other groups and answers, and of all organisations"
    for g, i in zip(*np.nonzero(hidden & (high > 0)), strict=True):
        n = (int(people[g, i]),)
        yield Target(
            "profile",
            year,
            axes.groups[g],
            axes.organisations[i],
            variable,
            "people",
            float(rules.protect_people),
            n,
            n,
            how,
        )
    for i in range(hidden.shape[1]) if rest is not None else ():
        unseen = [g for g in range(1, hidden.shape[0]) if hidden[g, i] and high[g, i] > 0]
        if unseen and rest is not None:
            together = " and ".join([*(axes.groups[g] for g in unseen), "no group"])
            several: tuple[int, ...] = (*(int(people[g, i]) for g in unseen), *(int(v) for v in rest[i]))
            width = float(rules.protect_people)
            yield Target(
                "profile", year, together, axes.organisations[i], variable, "people", width, several, several, how
            )
    for g, i, k in zip(*np.nonzero(small), strict=True):
        c = (int(counts[g, i, k]),)
        width = float(min(2, max(rules.minimum_count - 2, 0)))
        label = f"{variable}, answer {axes.measures[k]}"
        yield Target("profile", year, axes.groups[g], axes.organisations[i], label, "count", width, c, c, how)


def all_relations(results: Results, rules: Rules, minimum: int, safe: Collection[bytes] = ()) -> Iterator[Relations]:
    """Every system of relations that the public tables hold, without blocks of scores that are known to be `safe`."""
    yield from score_relations(results, rules, minimum, safe)
    yield from fieldwork_relations(results, rules, minimum)
    yield from profile_relations(results, rules, minimum)

"""What different groups of people answered: weighted tallies by characteristic, and differences adjusted for age and sex."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from stocktake.compare.estimates import Floats
from stocktake.survey.counts import Batch, Ints, Layout
from stocktake.survey.instrument import Survey

# Shares of 0 or 1 come out of sums of weights with an error of this size instead of none.
NO_ERROR = 1e-9


@dataclass(frozen=True)
class Tally:
    """People by level of some characteristics, standardisation cell and answer, of shape (levels, cells, answers).

    `count` are people, `weight` their weights and `square` the squares of these. Answer 0 is missing; the last level
    holds people whose characteristic is not known.
    """

    count: Ints
    weight: Floats
    square: Floats

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.count + other.count, self.weight + other.weight, self.square + other.square)


@dataclass(frozen=True)
class Breakdown:
    """Groups of people: a name, the label of each group, and what they are made of.

    `title` is the name that readers see. Either `variables`, demographics taken together by code, whose combinations are the groups; or `organisations`, the
    group of each organisation by position (-1 for none). With neither, everybody is in the one group.
    """

    name: str
    labels: tuple[str, ...]
    variables: tuple[str, ...] = ()
    organisations: tuple[int, ...] | None = None
    title: str = ""


def breakdown_of(survey: Survey, variables: Sequence[str]) -> Breakdown:
    """The combinations of the options of one or more demographics, in order."""
    labels = [""]
    for variable in variables:
        options = [o.label for o in survey.demographic(variable).options]
        labels = [f"{left}, {label}" if left else label for left in labels for label in options]
    titles = [survey.demographic(v).title for v in variables]
    title = " and ".join(t if i == 0 else f"{t[:1].lower()}{t[1:]}" for i, t in enumerate(titles))
    return Breakdown(" and ".join(variables), tuple(labels), tuple(variables), title=title)


def tallies(
    batches: Iterable[Batch],
    layout: Layout,
    survey: Survey,
    weights: Mapping[str, Floats],
    breakdowns: Sequence[Breakdown],
) -> dict[tuple[str, str], Tally]:
    """Tallies by question and breakdown (its name).

    `weights` has the weights of each question that is wanted, of shape (organisations, cells). People who fit in no cell
    are left out, as they are from scores.
    """
    out: dict[tuple[str, str], Tally] = {}
    sizes = dict(layout.questions)
    for batch in batches:
        organisation, stratum = np.divmod(batch.key, layout.strata)
        cell = stratum % (layout.cells + 1)
        whole = cell < layout.cells
        organisation, cell = organisation[whole], cell[whole]
        chosen = {b.name: _levels(batch, layout, survey, b, whole, organisation) for b in breakdowns}
        for question, own in weights.items():
            w = own[organisation, cell]
            answer = batch.answers[layout.positions[question]][whole].astype(np.int64)
            for b in breakdowns:
                shape = (len(b.labels) + 1, layout.cells, sizes[question])
                place = (chosen[b.name] * layout.cells + cell) * sizes[question] + answer
                many = int(np.prod(shape))
                weight, square = (_sums(place, x, shape, many) for x in (w, w**2))
                found = Tally(np.bincount(place, minlength=many).reshape(shape).astype(np.int64), weight, square)
                key = (question, b.name)
                out[key] = out[key] + found if key in out else found
    return out


def _sums(place: Ints, values: Floats, shape: tuple[int, ...], many: int) -> Floats:
    return np.bincount(place, weights=values, minlength=many).reshape(shape).astype(np.float64)


def _levels(
    batch: Batch, layout: Layout, survey: Survey, breakdown: Breakdown, whole: NDArray[np.bool_], organisation: Ints
) -> Ints:
    """Which group each person belongs to; the number of groups where it is not known."""
    if breakdown.organisations is not None:
        place = np.array(breakdown.organisations, dtype=np.int64)
        return np.where(place < 0, len(breakdown.labels), place)[organisation]
    level = np.zeros(int(whole.sum()), dtype=np.int64)
    known = np.ones(level.size, dtype=bool)
    for variable in breakdown.variables:
        chosen = batch.answers[layout.positions[variable]][whole].astype(np.int64)
        known &= chosen > 0
        level = level * len(survey.demographic(variable).options) + chosen - 1
    return np.where(known, level, len(breakdown.labels))


@dataclass(frozen=True)
class Difference:
    """One group's share of an answer less that of everybody else, in shares of 0 to 1; NaN where it cannot be tested.

    `adjusted` compares them at the same mix of cells, with its standard error, interval, z and two-sided p; `covered` is
    the share of people in cells in which both have somebody.
    """

    plain: float
    adjusted: float
    low: float
    high: float
    z: float
    p: float
    covered: float


def adjusted_difference(
    own: Tally, others: Tally, gave: NDArray[np.bool_], counted: NDArray[np.bool_], cells: Ints, level: float = 0.95
) -> Difference:
    """Compare a group with everybody else at the same mix of age and sex (or whatever the cells are).

    Tallies of shape (cells, answers), of one level; `gave` and `counted` mark the answers that are the share and its
    base; `cells` says to which cell of adjustment each cell belongs. Both sides are weighted to the mix of all, within
    cells that have people of both: f = P / p for the share P of a cell among all and p among the side's own, by weight.
    The variance is linearised: sum of (f w (y - share))^2 over the square of the sum of f w (direct standardisation).
    """
    size = int(cells.max()) + 1
    parts = [_by_cell(t, gave, counted, cells, size) for t in (own, others)]
    both = (parts[0].base > 0) & (parts[1].base > 0)
    everyone = parts[0].base + parts[1].base
    plain = _ratio(parts[0].gave.sum(), parts[0].base.sum()) - _ratio(parts[1].gave.sum(), parts[1].base.sum())
    covered = _ratio(everyone[both].sum(), everyone.sum())
    if not both.any():
        return Difference(plain, *(np.nan,) * 5, covered)
    mix = everyone[both] / everyone[both].sum()
    shares, variances = zip(*(_standardised(p, both, mix) for p in parts), strict=True)
    difference, error = shares[0] - shares[1], float(np.sqrt(sum(variances)))
    if error < NO_ERROR:
        return Difference(plain, difference, *(np.nan,) * 4, covered)
    half = float(ndtri(1 - (1 - level) / 2)) * error
    z = difference / error
    return Difference(plain, difference, difference - half, difference + half, z, float(2 * ndtr(-abs(z))), covered)


@dataclass(frozen=True)
class _Side:
    """Sums of weights by cell: of the base, of those who gave the answer, and of squares of both."""

    base: Floats
    gave: Floats
    base_square: Floats
    gave_square: Floats


def _by_cell(tally: Tally, gave: NDArray[np.bool_], counted: NDArray[np.bool_], cells: Ints, size: int) -> _Side:
    def of(table: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return np.bincount(cells, weights=table[:, chosen].sum(axis=1), minlength=size).astype(np.float64)

    return _Side(of(tally.weight, counted), of(tally.weight, gave), of(tally.square, counted), of(tally.square, gave))


def _standardised(side: _Side, both: NDArray[np.bool_], mix: Floats) -> tuple[float, float]:
    """The share at the given mix of cells, and its variance."""
    base, gave = side.base[both], side.gave[both]
    share = float((mix * gave / base).sum())
    factor = mix / base
    # (y - share)^2 is (1 - share)^2 for those who gave the answer and share^2 for the others.
    yes, no = side.gave_square[both], side.base_square[both] - side.gave_square[both]
    return share, float((factor**2 * (yes * (1 - share) ** 2 + no * share**2)).sum())


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def adjustment_cells(survey: Survey, variables: Iterable[str]) -> Ints:
    """To which cell of adjustment each standardisation cell belongs: the characteristics compared adjust for nothing."""
    left_out = set(variables)
    out = np.zeros(1, dtype=np.int64)
    for variable in survey.cells:
        many = sum(o.cell for o in survey.demographic(variable).options)
        own = np.zeros(many, dtype=np.int64) if variable in left_out else np.arange(many)
        kinds = int(own.max()) + 1
        out = (out[:, None] * kinds + own[None, :]).reshape(-1)
    return out

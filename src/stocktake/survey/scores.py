"""Question and section scores with their standard errors, from counts alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Estimates, Floats, Measure, Status
from stocktake.survey.counts import Batch, Counts, Ints, Layout, Table
from stocktake.survey.instrument import Method, Survey
from stocktake.survey.second_pass import PairSums, SectionSums
from stocktake.survey.weights import Weights, standardise

# Squared score points below this are what rounding leaves of a variance that is zero.
ROUNDING = 1e-24
# Numbers that are handled side by side.
CHUNK = 4_000_000

# Sums a function of batches over all respondents, who are read once more for it.
SecondPass = Callable[[Callable[[Batch], Ints]], Ints]


@dataclass(frozen=True)
class Scores:
    """The estimates of one wave and group, with the weights behind them.

    `respondents` (organisations,) counts those who fall in a standardisation cell. `effective` (organisations,
    measures) is Kish's effective base, sum(w)^2 / sum(w^2), NaN for sections of more than one question. `gain`
    and `movers` (organisations, measures): what a question's score gains if every respondent who is not at
    the top answers one step better, and how many they are; 0 for sections.
    """

    estimates: Estimates
    weights: Weights
    respondents: Ints
    effective: Floats
    gain: Floats
    movers: Ints


def measures(survey: Survey) -> tuple[Measure, ...]:
    """The measures of a survey: every section's questions, then the sections."""
    questions = [Measure(q.code, section=q.section) for q in survey.scored]
    position = {m.code: i for i, m in enumerate(questions)}
    sections = [
        Measure(s.code, tuple(position[q.code] for q in survey.members(s.code)), s.code) for s in survey.sections
    ]
    return (*questions, *sections)


def option_scores(survey: Survey, layout: Layout) -> Floats:
    """The score of every answer code, shape (questions in sections, width); NaN where none is given."""
    table = np.full((len(survey.scored), layout.width), np.nan)
    for i, question in enumerate(survey.scored):
        for j, option in enumerate(question.options, start=1):
            if option.score is not None:
                table[i, j] = option.score
    return table


def group_strata(layout: Layout, group: str | None) -> Ints:
    """Strata of one group, shape (groups taken, cells): all groups for None."""
    grid = np.arange(layout.strata).reshape(len(layout.groups) + 1, layout.cells + 1)[:, : layout.cells]
    if group is None:
        return grid
    return grid[[layout.groups.index(group) + 1]]


def cell_respondents(counts: Counts, group: str | None = None) -> Ints:
    """Respondents by organisation and cell, shape (organisations, cells), of one service group or all."""
    return counts.respondents[:, group_strata(counts.layout, group)].sum(axis=1)


def score(
    counts: Counts,
    survey: Survey,
    method: Method | None = None,
    *,
    group: str | None = None,
    shares: Floats | None = None,
    second_pass: SecondPass | None = None,
) -> Scores:
    """Score every question and section of every organisation, for one service group or all respondents.

    `shares` is a reference population other than the group's own; for the rest see `score_groups`.
    """
    return score_groups(counts, survey, method, {group: shares}, second_pass=second_pass)[group]


def score_groups(
    counts: Counts,
    survey: Survey,
    method: Method | None,
    shares: Mapping[str | None, Floats | None],
    *,
    second_pass: SecondPass | None = None,
) -> dict[str | None, Scores]:
    """Scores of several service groups, None being all respondents, each with its reference population or None for its own.

    `second_pass` sums over the respondents once more; it is needed where the counts hold no pairs, and is called once
    for all groups. Raises ValueError without either.

    Question score: sum of w x over sum of w. Standard error: linearised, sum over respondents of
    (w (x - y) / W) squared; or the classical s^2 sum(w^2) / sum(w)^2. A section's score is the plain
    mean of its questions' and its error carries the covariance of one person's answers.
    """
    method = method or survey.method
    questions = {group: score_questions(counts, survey, method, group, own) for group, own in shares.items()}
    started = list(questions.values())
    if not counts.layout.pairs:
        sections = [
            np.stack([q.variance[:, members[0]] for _, members in counts.layout.sections], axis=1) for q in started
        ]
    elif method.standard_error == "linearised":
        sections = _linearised(counts, started, second_pass)
    else:
        sections = _classical(counts, started, second_pass)
    return {
        group: _finished(counts, survey, method, q, variance)
        for (group, q), variance in zip(questions.items(), sections, strict=True)
    }


@dataclass(frozen=True)
class QuestionScores:
    """The scores of a group's questions, before any factor on their variances, and what those of its sections need.

    Shapes: `n`, `value`, `variance`, `total` (W), `effective`, `gain` and `movers` (organisations, questions);
    `deviation` (questions, width, organisations); `scored` (questions, width); `spread`, the weight of each stratum and
    0 for those that take no part, (organisations, strata); `respondents` (organisations, cells).
    """

    weights: Weights
    respondents: Ints
    spread: Floats
    scored: NDArray[np.bool_]
    n: Floats
    value: Floats
    variance: Floats
    deviation: Floats
    total: Floats
    effective: Floats
    gain: Floats
    movers: Ints


def score_questions(
    counts: Counts, survey: Survey, method: Method, group: str | None, shares: Floats | None
) -> QuestionScores:
    """Score the questions of one service group or of all respondents (None), to `shares` or to the group's own mix."""
    layout = counts.layout
    strata = group_strata(layout, group)
    respondents = counts.respondents[:, strata].sum(axis=1)
    weights = standardise(respondents, method.cap, shares)
    table = option_scores(survey, layout)
    scored = ~np.isnan(table)
    points = np.nan_to_num(table)

    w = weights.values
    # Organisations come last, so that what is done over answers is done to many numbers side by side.
    given, weighted, squared = np.zeros((3, *table.shape, len(layout.organisations)))
    for questions in _chunks(layout, table.shape[0]):
        sizes = [layout.questions[q][1] for q in questions]
        rows, columns = np.repeat(questions, sizes), np.concatenate([np.arange(size) for size in sizes])
        answers = _in_cells(counts, questions, group)
        # Not a matrix product: how many threads that takes, and so how it rounds, depends on the machine.
        for to, factor in ((given, np.ones_like(w)), (weighted, w), (squared, w**2)):
            to[rows, columns] = np.einsum("aoc,oc->ao", answers, factor)
    for sums in (given, weighted, squared):
        sums *= scored[:, :, None]
    value, variance, deviation, total = weighted_means(
        weighted, squared, points[:, :, None], scored[:, :, None], method
    )
    twice = squared.sum(axis=1)
    step = _next_steps(points, scored)[:, :, None]
    return QuestionScores(
        weights,
        respondents,
        _by_stratum(layout, strata, w),
        scored,
        given.sum(axis=1).T,
        value.T,
        variance.T,
        deviation,
        total.T,
        effective=(total**2 / np.where(twice > 0, twice, np.nan)).T,
        gain=((weighted * step).sum(axis=1) / total).T,
        movers=(given * (step > 0)).sum(axis=1).T.astype(np.int64),
    )


def _in_cells(counts: Counts, questions: Sequence[int], group: str | None) -> Floats:
    """Answers to questions that follow one another, by organisation and cell: of a group, or of all together (None)."""
    layout = counts.layout
    table = counts.table[layout.offsets[questions[0]] : layout.offsets[questions[-1] + 1]]
    by_group = table.reshape(*table.shape[:2], len(layout.groups) + 1, layout.cells + 1)[..., : layout.cells]
    if group is not None:
        return by_group[:, :, layout.groups.index(group) + 1].astype(np.float64)
    total = by_group[:, :, 0].astype(np.float64)
    for own in range(1, by_group.shape[2]):
        total += by_group[:, :, own]
    return total


def _finished(counts: Counts, survey: Survey, method: Method, q: QuestionScores, section_variance: Floats) -> Scores:
    """The scores of questions with those of the sections beside them."""
    layout = counts.layout
    factor = _correction(method, q.respondents)
    section_n = np.stack([q.n[:, list(m)].min(axis=1) for _, m in layout.sections], axis=1)
    section_value = np.stack([q.value[:, list(m)].mean(axis=1) for _, m in layout.sections], axis=1)
    values = np.concatenate([q.value, section_value], axis=1)
    # An error without a value would be a wrong number waiting to be used.
    variances = np.concatenate([q.variance, section_variance], axis=1) * factor[:, None]
    estimates = Estimates(
        layout.organisations,
        measures(survey),
        np.concatenate([q.n, section_n], axis=1),
        values,
        np.where(np.isnan(values), np.nan, np.sqrt(np.where(variances < ROUNDING, 0.0, variances))),
        np.full(values.shape, Status.SHOWN, dtype=np.int8),
    )
    single = [m[0] if len(m) == 1 else -1 for _, m in layout.sections]
    blank = np.zeros((len(layout.organisations), len(single)))
    whole = np.where(np.array(single) >= 0, q.effective[:, single], np.nan)
    return Scores(
        estimates,
        q.weights,
        q.respondents.sum(axis=1),
        np.concatenate([q.effective, whole], axis=1),
        np.concatenate([q.gain, blank], axis=1),
        np.concatenate([q.movers, blank.astype(np.int64)], axis=1),
    )


def weighted_means(
    weighted: Floats, squared: Floats, points: Floats, scored: NDArray[np.bool_], method: Method
) -> tuple[Floats, Floats, Floats, Floats]:
    """Value, variance, deviations of the points from the value, and W, from sums of w and w squared by answer.

    `weighted` and `squared` have shape (..., answers, results), and `points` and `scored` one that goes with it; value,
    variance and W (1 where there is nothing) come without the axis of answers. Formulas: method.md 3 and 6.
    """
    total = weighted.sum(axis=-2)
    some = total > 0
    safe = np.where(some, total, 1.0)
    value = (weighted * points).sum(axis=-2) / safe
    # A mean lies among its points; rounding must not put it outside them, or answers that are all alike would
    # have a spurious tiny variance and so the greatest weight of all.
    given = weighted > 0
    low = np.where(given, points, np.inf).min(axis=-2)
    high = np.where(given, points, -np.inf).max(axis=-2)
    value = np.where(some, np.clip(value, low, high), np.nan)
    deviation = np.where(scored & some[..., None, :], points - value[..., None, :], 0.0)
    if method.standard_error == "linearised":
        variance = (squared * deviation**2).sum(axis=-2) / safe**2
    else:
        spread = (weighted * deviation**2).sum(axis=-2) / safe
        variance = spread * squared.sum(axis=-2) / safe**2
    return value, variance, deviation, safe


def _next_steps(points: Floats, scored: NDArray[np.bool_]) -> Floats:
    """How many points lie between each answer and the next better one, 0 at the top and for what is not scored."""
    # Of each question every option against every other; they are few.
    above = scored[:, None, :] & (points[:, None, :] > points[:, :, None])
    nearest = np.where(above, points[:, None, :], np.inf).min(axis=2)
    return np.where(scored & np.isfinite(nearest), nearest - points, 0.0)


def _chunks(layout: Layout, questions: int) -> list[list[int]]:
    """Questions in runs whose counts together stay below a few million numbers."""
    each = len(layout.organisations) * layout.strata * layout.width
    size = max(1, CHUNK // max(each, 1))
    return [list(range(start, min(start + size, questions))) for start in range(0, questions, size)]


def variance_factor(counts: Counts, strata: Ints, method: Method) -> Floats:
    """The finite-sample factor on each organisation's variances, shape (organisations,)."""
    return _correction(method, counts.respondents[:, strata].sum(axis=1))


def _correction(method: Method, respondents: Ints) -> Floats:
    """The finite-sample factor on every organisation's variances, as R's designs have it."""
    own = respondents.sum(axis=1).astype(np.float64)
    if method.correction == "design":
        own = np.full_like(own, own.sum())
    if method.correction == "none":
        return np.ones_like(own)
    return np.where(own > 1, own / np.maximum(own - 1, 1), np.nan)


def _by_stratum(layout: Layout, strata: Ints, w: Floats) -> Floats:
    """The cells' weights spread over strata, 0 for strata that take no part; shape (organisations, strata)."""
    spread = np.zeros((len(layout.organisations), layout.strata))
    spread[:, strata] = w[:, None, :]
    return spread


def _summed(sums: Sequence[SectionSums] | Sequence[PairSums], second_pass: SecondPass | None) -> list[Ints]:
    """Each of these sums over the respondents, all in one pass."""
    if second_pass is None:
        raise ValueError("these counts hold no pairs; section errors need the respondents a second time (second_pass)")
    return list(second_pass(partial(_of_batch, sums)))


def _of_batch(sums: Sequence[SectionSums] | Sequence[PairSums], batch: Batch) -> Ints:
    return np.stack([one.of_batch(batch) for one in sums])


def _linearised(counts: Counts, started: Sequence[QuestionScores], second_pass: SecondPass | None) -> list[Floats]:
    """V = sum over respondents of the squared mean of their linearised values over the section's questions."""
    layout = counts.layout
    linear = [q.deviation / q.total.T[:, None] for q in started]
    if counts.pairs is None:
        sums = [SectionSums.of(layout, q.variance, values, q.spread) for values, q in zip(linear, started, strict=True)]
        return [s.totals(found) for s, found in zip(sums, _summed(sums, second_pass), strict=True)]
    covariance = np.zeros((len(started), len(layout.organisations), len(layout.pairs)))
    for block in counts.pairs:
        own, tables = block.organisations, block.load()
        for g, (values, q) in enumerate(zip(linear, started, strict=True)):
            squared, here = q.spread[own] ** 2, values[:, :, own]
            for p, (a, b) in enumerate(layout.pairs):
                joint = _weighted_pairs(tables[p], squared)
                covariance[g, own, p] += np.einsum(
                    "oab,ao,bo->o", joint, here[a, : joint.shape[1]], here[b, : joint.shape[2]]
                )
    return [_combine(layout, q.variance, c) for q, c in zip(started, covariance, strict=True)]


def _weighted_pairs(pairs: Table, weights: Floats) -> Floats:
    """The sum over strata of weights times pairs, shape (organisations, a, b)."""
    # In which order numbers are added must not depend on how a table lies in memory.
    return np.einsum("os,osab->oab", weights, np.ascontiguousarray(pairs))


def _classical(counts: Counts, started: Sequence[QuestionScores], second_pass: SecondPass | None) -> list[Floats]:
    """Covariances s_km * sum_both w^2 / (W_k W_m), s_km the weighted covariance of those who answered both."""
    layout = counts.layout
    if counts.pairs is None:
        sums = [PairSums.of(layout, counts.respondents, _squares(q), q.deviation, q.scored, q.spread) for q in started]
        moments = np.stack([s.totals(found) for s, found in zip(sums, _summed(sums, second_pass), strict=True)])
    else:
        moments = np.zeros((len(started), 3, len(layout.organisations), len(layout.pairs)))
        for block in counts.pairs:
            tables = block.load()
            for g, q in enumerate(started):
                moments[g, :, block.organisations] += _pair_moments(layout, q, block.organisations, tables)
    return [_combine(layout, q.variance, _covariance(layout, q, m)) for q, m in zip(started, moments, strict=True)]


def _squares(q: QuestionScores) -> Floats:
    """The sum of w d^2 of each question: its classical variance is that by W, times sum(w^2) / W^2."""
    return np.nan_to_num(q.variance * q.effective) * q.total


def _pair_moments(layout: Layout, q: QuestionScores, own: Ints, tables: Sequence[Table]) -> Floats:
    """The sums of PairSums from the counts of pairs of some organisations, shape (these organisations, 3, pairs)."""
    moments = np.empty((own.size, 3, len(layout.pairs)))
    spread, deviation = q.spread[own], np.moveaxis(q.deviation[:, :, own], 2, 0)
    for p, (a, b) in enumerate(layout.pairs):
        once = _weighted_pairs(tables[p], spread)
        twice = _weighted_pairs(tables[p], spread**2)
        size_a, size_b = once.shape[1:]
        both = q.scored[a, :size_a, None] & q.scored[b, None, :size_b]
        product = deviation[:, a, :size_a, None] * deviation[:, b, None, :size_b]
        moments[:, 0, p] = (once * product).sum(axis=(1, 2))
        moments[:, 1, p] = (once * both).sum(axis=(1, 2))
        moments[:, 2, p] = (twice * both).sum(axis=(1, 2))
    return moments


def _covariance(layout: Layout, q: QuestionScores, moments: Floats) -> Floats:
    covariance = np.empty(moments.shape[1:])
    for p, (a, b) in enumerate(layout.pairs):
        spread_both = moments[0, :, p] / np.where(moments[1, :, p] > 0, moments[1, :, p], 1.0)
        covariance[:, p] = spread_both * moments[2, :, p] / (q.total[:, a] * q.total[:, b])
    return covariance


def _combine(layout: Layout, variance: Floats, covariance: Floats) -> Floats:
    """The variance of each section's mean from its questions' variances and covariances."""
    out = np.empty((variance.shape[0], len(layout.sections)))
    for s, (_, members) in enumerate(layout.sections):
        inside = [p for p, (a, _b) in enumerate(layout.pairs) if a in members]
        out[:, s] = (variance[:, list(members)].sum(axis=1) + 2 * covariance[:, inside].sum(axis=1)) / len(members) ** 2
    return out

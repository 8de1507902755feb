"""Question and section scores with their standard errors, from counts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Estimates, Floats, Measure, Status
from stocktake.survey.counts import Batch, Counts, Ints, Layout, pair_moments, section_squares
from stocktake.survey.instrument import Method, Survey
from stocktake.survey.weights import Weights, standardise

# Squared score points below this are what rounding leaves of a variance that is zero.
ROUNDING = 1e-24
# Numbers that are handled side by side.
CHUNK = 4_000_000

Reread = Callable[[], Iterable[Batch]]


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
    reread: Reread | None = None,
) -> Scores:
    """Score every question and section of every organisation, for one service group or all respondents.

    `shares` is a reference population other than the group's own. `reread` yields the same
    batches once more; it is needed where the counts hold no pairs. Raises ValueError without either.

    Question score: sum of w x over sum of w. Standard error: linearised, sum over respondents of
    (w (x - y) / W) squared; or the classical s^2 sum(w^2) / sum(w)^2. A section's score is the plain
    mean of its questions' and its error carries the covariance of one person's answers.
    """
    method = method or survey.method
    layout = counts.layout
    strata = group_strata(layout, group)
    respondents = counts.respondents[:, strata].sum(axis=1)
    weights = standardise(respondents, method.cap, shares)
    table = option_scores(survey, layout)
    scored = ~np.isnan(table)
    points = np.nan_to_num(table)

    w = weights.values
    shape = (len(layout.organisations), *table.shape)
    n, weighted, squared = np.zeros(shape[:2]), np.zeros(shape), np.zeros(shape)
    movers = np.zeros(shape[:2], dtype=np.int64)
    step = _next_steps(points, scored)
    for questions in _chunks(layout, table.shape[0]):
        sizes = [layout.questions[q][1] for q in questions]
        # Several questions side by side, so that a small survey costs a few large operations, not many small ones.
        answers = (
            np.concatenate([counts.answers[q][:, strata] for q in questions], axis=3).sum(axis=1).astype(np.float64)
        )
        answers *= np.concatenate([scored[q, :size] for q, size in zip(questions, sizes, strict=True)])
        rows, columns = np.repeat(questions, sizes), np.concatenate([np.arange(size) for size in sizes])
        given, first = answers.sum(axis=1), np.cumsum([0, *sizes[:-1]])
        n[:, questions] = np.add.reduceat(given, first, axis=1)
        movers[:, questions] = np.add.reduceat(given * (step[rows, columns] > 0), first, axis=1)
        weighted[:, rows, columns] = np.matmul(w[:, None, :], answers)[:, 0]
        squared[:, rows, columns] = np.matmul((w**2)[:, None, :], answers)[:, 0]
    value, variance, deviation, safe = weighted_means(weighted, squared, points, scored, method)
    factor = _correction(method, respondents)
    linear = deviation / safe[..., None]
    gain = (weighted * step).sum(axis=2) / safe
    twice = squared.sum(axis=2)
    effective = safe**2 / np.where(twice > 0, twice, np.nan)
    if method.standard_error == "linearised":
        section_variance = _linearised(counts, strata, w, linear, variance, reread)
    else:
        section_variance = _classical(counts, strata, w, deviation, scored, safe, variance, reread)
    section_n = np.stack([n[:, list(m)].min(axis=1) for _, m in layout.sections], axis=1)
    section_value = np.stack([value[:, list(m)].mean(axis=1) for _, m in layout.sections], axis=1)
    values = np.concatenate([value, section_value], axis=1)
    # An error without a value would be a wrong number waiting to be used.
    variances = np.concatenate([variance, section_variance], axis=1) * factor[:, None]
    estimates = Estimates(
        layout.organisations,
        measures(survey),
        np.concatenate([n, section_n], axis=1),
        values,
        np.where(np.isnan(values), np.nan, np.sqrt(np.where(variances < ROUNDING, 0.0, variances))),
        np.full(values.shape, Status.SHOWN, dtype=np.int8),
    )
    single = [m[0] if len(m) == 1 else -1 for _, m in layout.sections]
    blank = np.zeros((len(layout.organisations), len(single)))
    whole = np.where(np.array(single) >= 0, effective[:, single], np.nan)
    return Scores(
        estimates,
        weights,
        respondents.sum(axis=1),
        np.concatenate([effective, whole], axis=1),
        np.concatenate([gain, blank], axis=1),
        np.concatenate([movers, blank.astype(np.int64)], axis=1),
    )


def weighted_means(
    weighted: Floats, squared: Floats, points: Floats, scored: NDArray[np.bool_], method: Method
) -> tuple[Floats, Floats, Floats, Floats]:
    """Value, variance, deviations of the points from the value, and W, from sums of w and w squared by answer.

    `weighted` and `squared` have shape (..., questions, answers), `points` and `scored` (questions, answers); value,
    variance and W (1 where there is nothing) come without the last axis. Formulas: method.md 3 and 6.
    """
    total = weighted.sum(axis=-1)
    some = total > 0
    safe = np.where(some, total, 1.0)
    value = np.where(some, (weighted * points).sum(axis=-1) / safe, np.nan)
    # A mean lies among its points; rounding must not put it outside them, or answers that are all alike would
    # have a spurious tiny variance and so the greatest weight of all.
    given = weighted > 0
    low = np.where(given, points, np.inf).min(axis=-1)
    high = np.where(given, points, -np.inf).max(axis=-1)
    value = np.where(some, np.clip(value, low, high), np.nan)
    deviation = np.where(scored & some[..., None], points - np.nan_to_num(value)[..., None], 0.0)
    if method.standard_error == "linearised":
        variance = (squared * deviation**2).sum(axis=-1) / safe**2
    else:
        spread = (weighted * deviation**2).sum(axis=-1) / safe
        variance = spread * squared.sum(axis=-1) / safe**2
    return value, variance, deviation, safe


def _next_steps(points: Floats, scored: NDArray[np.bool_]) -> Floats:
    """How many points lie between each answer and the next better one, 0 at the top and for what is not scored."""
    step = np.zeros_like(points)
    for q in range(points.shape[0]):
        levels = np.unique(points[q, scored[q]])
        above = np.searchsorted(levels, points[q], side="right")
        better = scored[q] & (above < levels.size)
        step[q, better] = levels[above[better]] - points[q, better]
    return step


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


def _second_pass(reread: Reread | None) -> Iterable[Batch]:
    if reread is None:
        raise ValueError("these counts hold no pairs; section errors need the respondents a second time (reread)")
    return reread()


def _pair_weights(counts: Counts, strata: Ints, w: Floats, pair: int, power: int) -> Floats:
    """Sum of w**power over both-answered respondents by answer pair, shape (organisations, a, b)."""
    assert counts.pairs is not None
    layout = counts.layout
    spread = _by_stratum(layout, strata, w**power)
    return np.einsum("os,osab->oab", spread, counts.pairs[pair])


def _linearised(
    counts: Counts, strata: Ints, w: Floats, linear: Floats, variance: Floats, reread: Reread | None
) -> Floats:
    """V = sum over respondents of the squared mean of their linearised values over the section's questions."""
    layout = counts.layout
    if counts.pairs is None:
        if not layout.pairs:
            return np.stack([variance[:, members[0]] for _, members in layout.sections], axis=1)
        spread = _by_stratum(layout, strata, w)
        return section_squares(_second_pass(reread), layout, linear, spread)
    covariance = np.empty((len(layout.organisations), len(layout.pairs)))
    for p, (a, b) in enumerate(layout.pairs):
        joint = _pair_weights(counts, strata, w, p, 2)
        covariance[:, p] = np.einsum(
            "oab,oa,ob->o", joint, linear[:, a, : joint.shape[1]], linear[:, b, : joint.shape[2]]
        )
    return _combine(layout, variance, covariance)


def _classical(
    counts: Counts,
    strata: Ints,
    w: Floats,
    deviation: Floats,
    scored: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    total: Floats,
    variance: Floats,
    reread: Reread | None,
) -> Floats:
    """Covariances s_km * sum_both w^2 / (W_k W_m), s_km the weighted covariance of those who answered both."""
    layout = counts.layout
    if counts.pairs is None:
        moments = np.zeros((3, len(layout.organisations), 0))
        if layout.pairs:
            spread = _by_stratum(layout, strata, w)
            moments = pair_moments(_second_pass(reread), layout, deviation, scored, spread)
    else:
        moments = np.empty((3, len(layout.organisations), len(layout.pairs)))
        for p, (a, b) in enumerate(layout.pairs):
            once = _pair_weights(counts, strata, w, p, 1)
            twice = _pair_weights(counts, strata, w, p, 2)
            size_a, size_b = once.shape[1:]
            both = scored[a, :size_a, None] & scored[b, None, :size_b]
            product = deviation[:, a, :size_a, None] * deviation[:, b, None, :size_b]
            moments[0, :, p] = (once * product).sum(axis=(1, 2))
            moments[1, :, p] = (once * both).sum(axis=(1, 2))
            moments[2, :, p] = (twice * both).sum(axis=(1, 2))
    covariance = np.empty(moments.shape[1:])
    for p, (a, b) in enumerate(layout.pairs):
        spread_both = moments[0, :, p] / np.where(moments[1, :, p] > 0, moments[1, :, p], 1.0)
        covariance[:, p] = spread_both * moments[2, :, p] / (total[:, a] * total[:, b])
    return _combine(layout, variance, covariance)


def _combine(layout: Layout, variance: Floats, covariance: Floats) -> Floats:
    """The variance of each section's mean from its questions' variances and covariances."""
    out = np.empty((variance.shape[0], len(layout.sections)))
    for s, (_, members) in enumerate(layout.sections):
        inside = [p for p, (a, _b) in enumerate(layout.pairs) if a in members]
        out[:, s] = (variance[:, list(members)].sum(axis=1) + 2 * covariance[:, inside].sum(axis=1)) / len(members) ** 2
    return out

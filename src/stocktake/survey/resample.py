"""The probability of each band, by resampling the counts behind each question's score."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Estimates, Floats
from stocktake.compare.expected_range import ExpectedRange
from stocktake.compare.firmness import band_shares, normal_bands, resample
from stocktake.survey.counts import Counts, Ints
from stocktake.survey.engines import cores
from stocktake.survey.instrument import Method, Survey
from stocktake.survey.scores import Scores, group_strata, option_scores, variance_factor, weighted_means
from stocktake.survey.weights import standardise

# Resampling takes a millisecond or two a result; for more results than this the normal approximation is used.
RESAMPLE_LIMIT = 20_000
# An organisation's draws come so many numbers at a time.
AT_A_TIME = 2_000_000


def band_probabilities(
    counts: Counts, survey: Survey, group: str | None, scores: Scores, shown: Estimates, compared: ExpectedRange
) -> tuple[Floats, NDArray[np.bool_]]:
    """The probability of each band (organisations, measures, 7), and which of them come from resampled counts.

    Questions: a multinomial bootstrap of the organisation's counts of (cell, answer), reweighted in every draw,
    held against the survey's average and tau squared. Sections: pair counts do not fix the joint answers, so
    the normal approximation from their standard error; a section of one question has that question's.
    """
    method = survey.method
    out = normal_bands(shown.value, shown.standard_error, compared)
    resampled = np.zeros(shown.value.shape, dtype=np.bool_)
    table = option_scores(survey, counts.layout)
    questions = table.shape[0]
    wanted = compared.band[:, :questions] > 0
    if method.draws == 0 or wanted.sum() > RESAMPLE_LIMIT:
        return out, resampled
    strata = group_strata(counts.layout, group)
    factor = variance_factor(counts, strata, method)

    def one(i: int) -> list[Floats]:
        """The shares of each of an organisation's questions that are wanted."""
        # Every question takes part in the draws, so that they do not depend on which are wanted.
        merged = [_merged(answers[i][strata].sum(axis=0), p) for answers, p in zip(counts.answers, table, strict=False)]
        rng = np.random.default_rng([method.seed, _number(counts.layout.organisations[i], group)])
        chosen = np.flatnonzero(wanted[i]).tolist()
        return [
            band_shares(
                value,
                error * np.sqrt(factor[i]),
                float(compared.centre[q]),
                float(compared.tau2[q]),
                method.zero_spread,
            )
            for q, (value, error) in _scores_of_draws(merged, chosen, scores.weights.shares, method, rng).items()
        ]

    rows = np.flatnonzero(wanted.any(axis=1)).tolist()
    with ThreadPoolExecutor(cores()) as pool:
        for i, found in zip(rows, pool.map(one, rows), strict=True):
            out[i, :questions][wanted[i]] = found
    resampled[:, :questions] = wanted
    for s, (_, members) in enumerate(counts.layout.sections):
        if len(members) == 1:
            banded = compared.band[:, questions + s] > 0
            out[banded, questions + s] = out[banded, members[0]]
            resampled[:, questions + s] = resampled[:, members[0]] & banded
    return out, resampled


def _number(organisation: str, group: str | None) -> int:
    """A number of an organisation's own, so that its draws do not depend on which others there are."""
    return zlib.crc32("\n".join((organisation, group or "")).encode())


def _scores_of_draws(
    merged: Sequence[tuple[Floats, Ints]],
    chosen: Sequence[int],
    shares: Floats,
    method: Method,
    rng: np.random.Generator,
) -> dict[int, tuple[Floats, Floats]]:
    """Value and standard error of each draw of an organisation's people, of each of the `chosen` questions.

    `merged` has the points and the counts (cells, answers) of every question, what is not scored in the last column.
    """
    counted = [own for _, own in merged]
    step = max(1, AT_A_TIME // min(int(counted[0].sum()), sum(own.size for own in counted)))
    parts: dict[int, list[tuple[Floats, Floats]]] = {q: [] for q in chosen}
    for start in range(0, method.draws, step):
        weights: Floats | None = None
        for q, drawn in enumerate(resample(counted, min(step, method.draws - start), rng)):
            if weights is None:
                # The same for every question.
                weights = standardise(drawn.sum(axis=1).T, method.cap, shares).values.T[:, None]
            if q in parts:
                parts[q].append(_scored(drawn, weights, merged[q][0], method))
    return {q: (np.concatenate([v for v, _ in own]), np.concatenate([e for _, e in own])) for q, own in parts.items()}


def _scored(drawn: Ints, weights: Floats, points: Floats, method: Method) -> tuple[Floats, Floats]:
    """Value and standard error of each draw, from counts (cells, answers, draws) and weights (cells, 1, draws)."""
    # The last answer is what is not scored.
    weighted = weights * drawn[:, :-1]
    value, variance, _, _ = weighted_means(
        weighted.sum(axis=0), (weights * weighted).sum(axis=0), points[:, None], np.array(True), method
    )
    return value, np.sqrt(variance)


def _merged(answers: Ints, points: Floats) -> tuple[Floats, Ints]:
    """The points of what is scored, and counts by cell of it and, in one last column, of what is not."""
    here = points[: answers.shape[1]]
    scored = ~np.isnan(here)
    merged = np.concatenate([answers[:, scored], answers[:, ~scored].sum(axis=1, keepdims=True)], axis=1)
    return here[scored], merged

"""The probability of each band, by resampling the counts behind each question's score."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Estimates, Floats
from stocktake.compare.expected_range import ExpectedRange
from stocktake.compare.firmness import band_shares, normal_bands, resample
from stocktake.survey.counts import Counts, Ints
from stocktake.survey.engines import cores
from stocktake.survey.instrument import Survey
from stocktake.survey.scores import Scores, group_strata, option_scores, variance_factor, weighted_means
from stocktake.survey.weights import standardise

# Resampling takes some milliseconds a result; for more results than this the normal approximation is used.
RESAMPLE_LIMIT = 20_000


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
    wanted = [(int(i), int(q)) for i, q in zip(*np.nonzero(compared.band[:, : table.shape[0]]), strict=True)]
    if method.draws == 0 or len(wanted) > RESAMPLE_LIMIT:
        return out, resampled
    strata = group_strata(counts.layout, group)
    factor = variance_factor(counts, strata, method)

    def one(place: tuple[int, int]) -> Floats:
        i, q = place
        points, merged = _merged(counts.answers[q][i][strata].sum(axis=0), table[q])
        rng = np.random.default_rng(
            [method.seed, _number(counts.layout.organisations[i], group, counts.layout.questions[q][0])]
        )

        def score(drawn: Ints) -> tuple[Floats, Floats]:
            w = standardise(drawn.sum(axis=2), method.cap, scores.weights.shares).values
            weighted = np.matmul(w[:, None, :], drawn)
            squared = np.matmul((w**2)[:, None, :], drawn)
            # The last column is what is not scored.
            value, variance, _, _ = weighted_means(
                weighted[:, 0, :-1].T, squared[:, 0, :-1].T, points[:, None], np.array(True), method
            )
            return value, np.sqrt(variance * factor[i])

        value, error = resample(merged, score, method.draws, rng)
        return band_shares(value, error, float(compared.centre[q]), float(compared.tau2[q]), method.zero_spread)

    with ThreadPoolExecutor(cores()) as pool:
        for (i, q), found in zip(wanted, pool.map(one, wanted, chunksize=16), strict=True):
            out[i, q], resampled[i, q] = found, True
    questions = table.shape[0]
    for s, (_, members) in enumerate(counts.layout.sections):
        if len(members) == 1:
            banded = compared.band[:, questions + s] > 0
            out[banded, questions + s] = out[banded, members[0]]
            resampled[:, questions + s] = resampled[:, members[0]] & banded
    return out, resampled


def _number(organisation: str, group: str | None, question: str) -> int:
    """A number of a result's own, so that its draws do not depend on which others there are."""
    return zlib.crc32("\n".join((organisation, group or "", question)).encode())


def _merged(answers: Ints, points: Floats) -> tuple[Floats, Ints]:
    """The points of what is scored, and counts by cell of it and, in one last column, of what is not."""
    here = points[: answers.shape[1]]
    scored = ~np.isnan(here)
    merged = np.concatenate([answers[:, scored], answers[:, ~scored].sum(axis=1, keepdims=True)], axis=1)
    return here[scored], merged

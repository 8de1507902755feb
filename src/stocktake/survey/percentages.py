"""National percentages: what people answered, weighted for non-response and for the size of organisations.

Not to be mixed with the weights of scores, which give every organisation the same mix of people: these here give the
people who answered the mix of those who were invited, and every organisation the same influence on the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stocktake.compare.estimates import Floats
from stocktake.compare.rates import share
from stocktake.survey.coding import bands, option_codes, whole_numbers
from stocktake.survey.counts import Counts, Ints
from stocktake.survey.instrument import Question, Survey
from stocktake.survey.sample import Sample
from stocktake.survey.scores import cell_respondents, group_strata

# Whose number of people gives organisations the same influence: all who answered the survey, or the question.
Influence = Literal["survey", "question", "none"]


@dataclass(frozen=True)
class NationalWeights:
    """`values` (organisations, cells): the weight of a respondent. `merged` are cells (organisation, from, into) that were
    invited and did not answer, by position; `response` is whether a sample file gave weights for non-response."""

    values: Floats
    merged: tuple[tuple[int, int, int], ...]
    response: bool


@dataclass(frozen=True)
class Percentages:
    """The percentages of one question's options: arrays of one length, in the order of `options`.

    `base` answered with one of these options, and `left_out` with another one, such as that they did not know;
    `effective` is Kish's effective base, sum(w)^2 / sum(w^2). Percentages are 0 to 100, with Wilson's interval on the
    effective base; NaN without answers.
    """

    question: str
    options: tuple[int, ...]
    count: Ints
    percent: Floats
    low: Floats
    high: Floats
    base: int
    left_out: int
    effective: float


def invited_cells(sample: Sample, survey: Survey, organisations: Sequence[str]) -> Ints | None:
    """People who were invited and could answer, by organisation and cell; None where the file does not know the cells.

    Those whom the questionnaire did not reach, or who had died, are not among them; nor are those whose cell is not known.
    """
    people = sample.people.filter(
        ~pl.col("sample_outcome").is_in([*survey.outcomes.undeliverable, *survey.outcomes.died])
    )
    cell = np.zeros(people.height, dtype=np.int64)
    known = np.ones(people.height, dtype=bool)
    for variable in survey.cells:
        demographic = survey.demographic(variable)
        name = f"sample_{variable}"
        if name not in people.columns:
            return None
        if demographic.kind == "number":
            chosen = bands(whole_numbers(people[name])[0], [(o.from_, o.to) for o in demographic.options])
        else:
            chosen, _ = option_codes(people[name], [o.code for o in demographic.options])
        usable = np.full(len(demographic.options) + 1, -1, dtype=np.int64)
        places = [i for i, o in enumerate(demographic.options, start=1) if o.cell]
        usable[places] = np.arange(len(places))
        place = usable[chosen]
        known &= place >= 0
        cell = cell * len(places) + place
    position = {code: i for i, code in enumerate(organisations)}
    row = people["sample_organisation"].replace_strict(position, return_dtype=pl.Int64).to_numpy()
    size = len(survey.cell_labels)
    flat = np.bincount((row * size + cell)[known], minlength=len(organisations) * size)
    return flat.reshape(len(organisations), size).astype(np.int64)


def national_weights(respondents: Ints, invited: Ints | None = None) -> NationalWeights:
    """Weights of respondents by organisation and cell, of shape (organisations, cells).

    v = (share of the cell among those invited) / (share among those who answered), within each organisation; 1 without
    `invited`. Times u = (N / I) / (sum of v over the organisation's respondents) for N respondents of I organisations, so
    that each has the same sum of weights. A cell that was invited and has nobody who answered is merged with the nearest
    cell that has. Source: the words of the published indicator; the formula is inferred (docs/method.md).
    """
    there = respondents > 0
    v = there.astype(np.float64)
    merged: list[tuple[int, int, int]] = []
    if invited is not None:
        s = invited.astype(np.float64)
        for i, cell in zip(*np.nonzero((invited > 0) & ~there & there.any(axis=1, keepdims=True)), strict=True):
            into = min(np.flatnonzero(there[i]), key=lambda c: (abs(c - cell), c))
            s[i, into] += s[i, cell]
            s[i, cell] = 0.0
            merged.append((int(i), int(cell), int(into)))
        # Somebody answered for a cell that the sample does not have: by its own share, as if it were as keen as all.
        s = np.where(
            there & (s == 0),
            respondents * s.sum(1, keepdims=True) / np.maximum(respondents.sum(1, keepdims=True), 1),
            s,
        )
        total = s.sum(axis=1, keepdims=True)
        own = respondents.sum(axis=1, keepdims=True)
        known = there & (total > 0)
        v = np.where(known, s / np.maximum(total, 1e-300) * own / np.maximum(respondents, 1), v)
    sums = (v * respondents).sum(axis=1, keepdims=True)
    answered = sums > 0
    each = respondents.sum() / max(int(answered.sum()), 1)
    u = np.where(answered, each / np.where(answered, sums, 1.0), 0.0)
    return NationalWeights(u * v, tuple(merged), invited is not None)


def counted_options(question: Question) -> tuple[int, ...]:
    """The options that percentages are of, by position from 1: those with a score, or all where none has one."""
    scored = tuple(i for i, o in enumerate(question.options, start=1) if o.score is not None)
    return scored or tuple(range(1, len(question.options) + 1))


def with_influence(weights: Floats, respondents: Ints, answered: Floats, influence: Influence) -> Floats:
    """Weights with another influence of organisations, of the shape of all arguments: (organisations, cells).

    `survey`: as they are, alike among all who answered the survey; `question`: alike among those who `answered` a
    question; `none`: each organisation's weights sum to its `respondents`. Up to a factor, which no percentage depends on.
    """
    if influence == "survey":
        return weights
    if influence == "question":
        sums = (weights * answered).sum(axis=1, keepdims=True)
    else:
        # Undo the equal influence: the sum of weights becomes the number of people.
        sums = (weights * respondents).sum(axis=1, keepdims=True)
        sums = sums / np.maximum(respondents.sum(axis=1, keepdims=True), 1)
    return np.where(sums > 0, weights / np.where(sums > 0, sums, 1.0), 0.0)


def percentages(
    counts: Counts,
    survey: Survey,
    question: str,
    weights: NationalWeights,
    *,
    group: str | None = None,
    rows: NDArray[np.int64] | None = None,
    influence: Influence = "survey",
    level: float = 0.95,
) -> Percentages:
    """The weighted percentages of a question's options, of all organisations or of some rows, one service group or all.

    With `influence` of the survey weights are as they are; of the question every organisation has the same sum of
    weights among those who answered it; with none each respondent counts by non-response alone.
    """
    asked = survey.by_code[question]
    options = counted_options(asked)
    table = counts.answers[counts.layout.positions[question]][:, group_strata(counts.layout, group)].sum(axis=1)
    w = weights.values
    taken = np.arange(w.shape[0]) if rows is None else rows
    table, w = table[taken], w[taken]
    answered = table[:, :, list(options)].astype(np.float64)
    w = with_influence(w, cell_respondents(counts, None)[taken], answered.sum(axis=2), influence)
    weighted = (w[:, :, None] * answered).sum(axis=(0, 1))
    total, squares = float(weighted.sum()), float((w[:, :, None] ** 2 * answered).sum())
    effective = total**2 / squares if squares > 0 else 0.0
    found = share(weighted / total * effective if total > 0 else np.zeros(len(options)), np.array(effective), level)
    count = answered.sum(axis=(0, 1)).astype(np.int64)
    everyone = int(table[:, :, 1:].sum())
    return Percentages(
        question,
        tuple(asked.options[i - 1].code for i in options),
        count,
        found.value * 100,
        found.low * 100,
        found.high * 100,
        int(count.sum()),
        everyone - int(count.sum()),
        effective,
    )

"""What came back: outcomes, response rates, and who took part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stocktake.compare.estimates import Floats
from stocktake.survey.counts import Counts, Ints
from stocktake.survey.instrument import Demographic


@dataclass(frozen=True)
class Fieldwork:
    """Whole numbers by group (all first) and organisation, shape (groups + 1, organisations).

    `invited`, `undeliverable` and `died` come from the sample file and are -1 without one;
    `completed` are the useable questionnaires left after cleaning.
    """

    groups: tuple[str | None, ...]
    invited: Ints
    undeliverable: Ints
    died: Ints
    completed: Ints

    @property
    def response_rate(self) -> Floats:
        """Useable completes over (sampled - undeliverable - died), NaN where nobody was sampled."""
        return rate(self.completed, self.invited - self.undeliverable - self.died)

    @property
    def national_rate(self) -> Floats:
        """The same over all organisations together, shape (groups + 1,)."""
        eligible = (self.invited - self.undeliverable - self.died).sum(axis=1)
        return rate(self.completed.sum(axis=1), eligible)


def rate(completed: Ints, eligible: Ints) -> Floats:
    """completed / eligible as a share, NaN where nobody was eligible."""
    return np.where(eligible > 0, completed / np.where(eligible > 0, eligible, 1), np.nan)


def completed_by_group(counts: Counts) -> Ints:
    """Useable questionnaires, shape (groups + 1, organisations); the first row holds all respondents."""
    layout = counts.layout
    by_group = counts.respondents.reshape(len(layout.organisations), len(layout.groups) + 1, -1).sum(axis=2).T
    return np.concatenate([by_group.sum(axis=0, keepdims=True), by_group[1:]])


def profile(counts: Counts, demographic: Demographic) -> tuple[Ints, Ints]:
    """How many gave each option of a demographic question, by group (all first) and organisation.

    Returns counts of shape (groups + 1, organisations, options) and bases (groups + 1, organisations).
    """
    layout = counts.layout
    position = layout.positions[demographic.code]
    size = len(demographic.options)
    answers = counts.answers[position][:, :, 1:]
    by_group = answers.reshape(len(layout.organisations), len(layout.groups) + 1, -1, size).sum(axis=2)
    by_group = np.moveaxis(by_group, 1, 0)
    chosen = np.concatenate([by_group.sum(axis=0, keepdims=True), by_group[1:]])
    return chosen, chosen.sum(axis=2)

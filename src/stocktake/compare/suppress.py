"""Suppression as a state, decided once: nothing downstream can see a withheld number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from stocktake.compare.estimates import Estimates, Status

# One sentence for every withheld figure of a table in which some are withheld for others' sake: which of two is the
# small one must not be recognisable by its reason.
BESIDE = "Withheld: too few people, here or in a number that this one would give away."


def suppress(
    estimates: Estimates,
    minimum: int,
    left_out: Collection[str] = (),
    further: Collection[tuple[str, str]] = (),
) -> Estimates:
    """Withhold every result that rests on fewer than `minimum` answers, its base included.

    A section is withheld where any of its parts is (verified on a published workbook: exactly
    the trusts without Q7 have no S02). An organisation with no answers at all has no data. Measures
    `left_out` are withheld of every organisation, and `further` results, given as (organisation, measure), so that
    others cannot be worked out from them.
    """
    status = estimates.status.copy()
    row = {code: i for i, code in enumerate(estimates.organisations)}
    column = {m.code: j for j, m in enumerate(estimates.measures)}
    for organisation, code in further:
        status[row[organisation], column[code]] = Status.WITHHELD_BASE
    status[:, [m.code in left_out for m in estimates.measures]] = Status.LEFT_OUT
    questions = np.array([not m.parts for m in estimates.measures])
    small = ~(estimates.n >= minimum) & questions
    status[small & (status == Status.SHOWN)] = Status.WITHHELD_BASE
    part = np.zeros((len(column), len(column)), dtype=np.int64)
    for j, measure in enumerate(estimates.measures):
        part[list(measure.parts), j] = 1
    broken = (status != Status.SHOWN) @ part > 0
    status[broken & (status == Status.SHOWN)] = Status.WITHHELD_PART
    empty = ~(estimates.n[:, questions] > 0).any(axis=1)
    status[empty] = Status.NO_DATA
    hidden = status != Status.SHOWN
    return replace(
        estimates,
        n=np.where(hidden, np.nan, estimates.n),
        value=np.where(hidden, np.nan, estimates.value),
        standard_error=np.where(hidden, np.nan, estimates.standard_error),
        status=status,
    )

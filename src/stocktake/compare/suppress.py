"""Suppression as a state, decided once: nothing downstream can see a withheld number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Estimates, Ints, Status


def suppress(estimates: Estimates, minimum: int, left_out: Collection[str] = ()) -> Estimates:
    """Withhold every result that rests on fewer than `minimum` answers, its base included.

    A section is withheld where any of its parts is (verified on a published workbook: exactly
    the trusts without Q7 have no S02). An organisation with no answers at all has no data. Measures
    `left_out` are withheld of every organisation.
    """
    status = estimates.status.copy()
    status[:, [m.code in left_out for m in estimates.measures]] = Status.LEFT_OUT
    questions = np.array([not m.parts for m in estimates.measures])
    small = ~(estimates.n >= minimum) & questions
    status[small & (status == Status.SHOWN)] = Status.WITHHELD_BASE
    for j, measure in enumerate(estimates.measures):
        if measure.parts:
            broken = (status[:, list(measure.parts)] != Status.SHOWN).any(axis=1)
            status[broken & (status[:, j] == Status.SHOWN), j] = Status.WITHHELD_PART
    empty = (np.nan_to_num(estimates.n[:, questions]) == 0).all(axis=1)
    status[empty] = Status.NO_DATA
    hidden = status != Status.SHOWN
    return replace(
        estimates,
        n=np.where(hidden, np.nan, estimates.n),
        value=np.where(hidden, np.nan, estimates.value),
        standard_error=np.where(hidden, np.nan, estimates.standard_error),
        status=status,
    )


def secondary(counts: Ints, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which numbers to withhold as well, so that none can be found by subtraction from their total.

    `counts` and `hidden` have shape (parts, organisations), the parts of a total that is shown. Where
    exactly one part with anything in it is hidden, the smallest of the others is hidden too.
    """
    more = hidden.copy()
    for i in range(counts.shape[1]):
        filled = counts[:, i] > 0
        if (hidden[:, i] & filled).sum() == 1:
            shown = np.flatnonzero(~hidden[:, i] & filled)
            if shown.size:
                more[shown[np.argmin(counts[shown, i])], i] = True
    return more

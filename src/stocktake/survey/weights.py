"""Standardisation: weights that give every organisation the same mix of respondents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stocktake.compare.estimates import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Weights:
    """`values` (organisations, cells): the weight of a respondent; `empty` and `capped` mark cells of note."""

    values: Floats
    shares: Floats
    empty: NDArray[np.bool_]
    capped: NDArray[np.bool_]


def national_shares(respondents: Ints) -> Floats:
    """The share of each cell among all respondents; `respondents` has shape (organisations, cells)."""
    totals = respondents.sum(axis=0).astype(np.float64)
    return totals / max(totals.sum(), 1.0)


def standardise(respondents: Ints, cap: float | None = 5.0, shares: Floats | None = None) -> Weights:
    """Weights of each organisation's cells: reference share over the organisation's own share.

    `respondents` has shape (organisations, cells); `shares` (cells,) is the reference population,
    by default all respondents here. A weight above `cap` is set to it. A cell that an
    organisation has no respondent in has weight 0 and is marked empty, where the reference has any.
    Formula: w = P / p, the principle printed in the reports, the cap recalled from technical documents.
    """
    reference = national_shares(respondents) if shares is None else shares
    totals = respondents.sum(axis=1, keepdims=True)
    there = respondents > 0
    values = np.where(there, reference * totals / np.maximum(respondents, 1), 0.0)
    capped = np.zeros_like(there)
    if cap is not None:
        capped = values > cap
        values = np.minimum(values, cap)
    empty = ~there & (reference > 0) & (totals > 0)
    return Weights(values, reference, empty, capped)

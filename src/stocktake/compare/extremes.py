"""Where an organisation stands out most against the average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from stocktake.compare.estimates import Floats

T = TypeVar("T")


def places(value: Floats, average: Floats) -> Floats:
    """The place of each measure of an organisation by value minus average, 1 the highest.

    Arrays of shape (..., measures). Plain sorting on unrounded values, ties in the order given; NaN for measures
    without a value.
    """
    gap = value - average
    order = np.argsort(-gap, axis=-1, kind="stable")
    place = np.empty(gap.shape)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(1.0, gap.shape[-1] + 1), gap.shape), axis=-1)
    return np.where(np.isnan(gap), np.nan, place)


def ends(ordered: Sequence[T], size: int = 5) -> tuple[list[T], list[T]]:
    """The first and last `size` of a list, the furthest first.

    With fewer than twice `size` the two share none: the first take half, rounded up.
    """
    best = min(size, (len(ordered) + 1) // 2)
    worst = min(size, len(ordered) - best)
    return list(ordered[:best]), list(ordered[len(ordered) - worst :][::-1])


def extremes(value: Floats, average: Floats, size: int = 5) -> tuple[list[int], list[int]]:
    """Positions of the `size` best and worst measures of one organisation, by value minus average."""
    place = places(value, average)
    there = np.flatnonzero(~np.isnan(place))
    return ends([int(i) for i in there[np.argsort(place[there])]], size)

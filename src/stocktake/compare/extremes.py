"""Where an organisation stands out most against the average."""

from __future__ import annotations

import numpy as np

from stocktake.compare.estimates import Floats


def extremes(value: Floats, average: Floats, size: int = 5) -> tuple[list[int], list[int]]:
    """Positions of the `size` best and worst measures of one organisation, by value minus average.

    Plain sorting on unrounded values, the furthest first, ties in the order given; measures with
    no value take no part. With fewer than twice `size` measures the two lists share none: the
    best take half, rounded up.
    """
    gap = value - average
    there = np.flatnonzero(~np.isnan(gap))
    order = there[np.argsort(-gap[there], kind="stable")]
    best = min(size, (order.size + 1) // 2)
    worst = min(size, order.size - best)
    return [int(i) for i in order[:best]], [int(i) for i in order[order.size - worst :][::-1]]

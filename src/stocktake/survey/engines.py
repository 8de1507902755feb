"""Where the pass over respondents runs: on this machine, with as many workers as it has cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeVar

import numpy as np

from stocktake.survey.counts import Batch, Counts, Ints, Layout
from stocktake.survey.tally import Tally

Progress = Callable[[int], None]
# What a worker adds its batches to.
Total = TypeVar("Total")
# Where respondents are counted: on this machine, or on a cluster.
Engine = Literal["local", "spark"]


# A call that reads, checks and returns one batch; any worker may make it.
Work = Callable[[], Batch]


def cores() -> int:
    """How many workers to use: the cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count_here(
    work: Iterable[Work],
    layout: Layout,
    *,
    pairs: bool,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Counts:
    """Run each piece of work and count its batch, on every core; counts add, so the order is free.

    NumPy and Polars release the interpreter's lock in their loops, so threads suffice and no
    respondent is copied between processes. `progress` is called with the rows of each finished batch.
    """
    total, *others = spread(work, lambda: Tally(layout, pairs), Tally.add, workers, progress)
    for tally in others:
        total.merge(tally)
    return total.counts()


@dataclass
class _Sum:
    """A sum of a function of batches in the making."""

    of: Callable[[Batch], Ints]
    total: Ints | int = 0

    def add(self, batch: Batch) -> None:
        self.total = self.total + self.of(batch)


def sum_here(work: Iterable[Work], of: Callable[[Batch], Ints]) -> Ints:
    """The sum of a function of batches, on every core; whole numbers add, so the order is free."""
    parts = spread(work, lambda: _Sum(of), _Sum.add)
    return np.asarray(sum(part.total for part in parts))


def spread(
    work: Iterable[Work],
    start: Callable[[], Total],
    add: Callable[[Total, Batch], None],
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Total]:
    """Run each piece of work and add its batch to a total of one of the workers; returns the totals."""
    size = workers or cores()
    totals = [start()]

    def run(piece: Work, total: Total) -> int:
        batch = piece()
        add(total, batch)
        return batch.rows

    pieces = iter(work)
    first, second = next(pieces, None), next(pieces, None)
    if first is not None and second is None:
        # One batch is sooner counted than a second worker started.
        report(progress, run(first, totals[0]))
    elif first is not None and second is not None:
        totals += [start() for _ in range(size - 1)]
        with ThreadPoolExecutor(size) as pool:
            _keep_busy(pool, chain((first, second), pieces), totals, run, progress)
    return totals


def _keep_busy(
    pool: ThreadPoolExecutor,
    pieces: Iterator[Work],
    totals: Sequence[Total],
    run: Callable[[Work, Total], int],
    progress: Progress | None,
) -> None:
    """Keep every worker busy, each with a total of its own, and no more batches in memory than workers."""
    free = list(totals)
    busy: dict[Future[int], Total] = {}
    for piece in pieces:
        if not free:
            done, _ = wait(busy, return_when=FIRST_COMPLETED)
            for future in done:
                free.append(busy.pop(future))
                report(progress, future.result())
        total = free.pop()
        busy[pool.submit(run, piece, total)] = total
    for future in busy:
        report(progress, future.result())


def report(progress: Progress | None, rows: int) -> None:
    if progress is not None:
        progress(rows)

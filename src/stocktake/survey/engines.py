"""Where the pass over respondents runs: on this machine, with as many workers as it has cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain
from typing import Literal

from stocktake.survey.counts import Batch, Counts, Layout, Tally

Progress = Callable[[int], None]
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
    size = workers or cores()
    tallies = [Tally(layout, pairs)]

    def run(piece: Work, tally: Tally) -> int:
        batch = piece()
        tally.add(batch)
        return batch.rows

    pieces = iter(work)
    first, second = next(pieces, None), next(pieces, None)
    if first is not None and second is None:
        # One batch is sooner counted than a second worker started.
        report(progress, run(first, tallies[0]))
    elif first is not None and second is not None:
        tallies += [Tally(layout, pairs) for _ in range(size - 1)]
        with ThreadPoolExecutor(size) as pool:
            _spread(pool, chain((first, second), pieces), tallies, run, progress)
    for tally in tallies[1:]:
        tallies[0].merge(tally)
    return tallies[0].counts()


def _spread(
    pool: ThreadPoolExecutor,
    pieces: Iterator[Work],
    tallies: list[Tally],
    run: Callable[[Work, Tally], int],
    progress: Progress | None,
) -> None:
    """Keep every worker busy, each with a tally of its own, and no more batches in memory than workers."""
    free = list(tallies)
    busy: dict[Future[int], Tally] = {}
    for piece in pieces:
        if not free:
            done, _ = wait(busy, return_when=FIRST_COMPLETED)
            for future in done:
                free.append(busy.pop(future))
                report(progress, future.result())
        tally = free.pop()
        busy[pool.submit(run, piece, tally)] = tally
    for future in busy:
        report(progress, future.result())


def report(progress: Progress | None, rows: int) -> None:
    if progress is not None:
        progress(rows)

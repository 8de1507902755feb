"""Jobs on every core, in processes of their own."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from stocktake.problems import StocktakeError
from stocktake.survey.engines import cores

Result = TypeVar("Result")


def on_every_core(
    work: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], *, alone: int = 1
) -> Iterator[tuple[int, Result | StocktakeError]]:
    """Call `work` with each job's arguments and yield the job's number with its result, or the error that it met.

    Results come as they are there. Fewer than `alone` jobs are done in this process, sooner than a second one starts.
    """
    workers = 1 if len(jobs) < alone else min(cores(), len(jobs))
    if workers <= 1:
        for number, job in enumerate(jobs):
            try:
                yield number, work(*job)
            except StocktakeError as error:
                yield number, error
        return
    # A fresh interpreter in each process: a fork would copy the threads' locks of the libraries loaded here.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_interrupts) as pool:
        waiting = {pool.submit(work, *job): number for number, job in enumerate(jobs)}
        try:
            for done in as_completed(waiting):
                try:
                    yield waiting[done], done.result()
                except StocktakeError as error:
                    yield waiting[done], error
        except BrokenProcessPool:
            raise StocktakeError(
                "a worker process was ended by the system, perhaps for want of memory; finished files are whole."
            ) from None
        finally:
            # After an interrupt the jobs under way are finished, and none of those that wait is begun.
            pool.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts() -> None:
    """Let only the first process decide what Ctrl-C does: it reaches every process of a terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

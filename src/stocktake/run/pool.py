"""Jobs on every core, in processes of their own."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from stocktake.problems import StocktakeError
from stocktake.survey.engines import cores

Result = TypeVar("Result")
Job = TypeVar("Job")


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


def in_batches(
    work: Callable[[Path, Path, Sequence[Job]], None],
    folder: Path,
    out: Path,
    jobs: Sequence[Job],
    progress: Callable[[int], None] | None = None,
    *,
    alone: int = 0,
) -> None:
    """Call work(folder, out, some of the jobs) on every core until all are done; `progress` hears how many at a time.

    Neighbouring jobs go to different processes, and each process keeps what it has opened for its next batch. The
    first `alone` jobs, the long ones, have batches of their own. Raises StocktakeError, the first that is met.
    """
    many = min(cores(), 8) * 4
    batches = [*([job] for job in jobs[:alone]), *(part for i in range(many) if (part := jobs[alone + i :: many]))]
    for number, result in on_every_core(work, [(folder, out, batch) for batch in batches]):
        if isinstance(result, StocktakeError):
            raise result
        if progress is not None:
            progress(len(batches[number]))


# Linux: the signal that a process gets when the one that started it ends.
PR_SET_PDEATHSIG = 1


def _leave_interrupts() -> None:
    """Let only the first process decide what Ctrl-C does, which reaches every process of a terminal; and end with it.

    A worker that outlived it would go on writing where the next run has begun. Systems without the call do without.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

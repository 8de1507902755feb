"""Every organisation's report of a folder, on every core; an interrupted run leaves no half file and resumes."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from stocktake import __version__
from stocktake.problems import StocktakeError, nearest
from stocktake.run.core import Run, open_run
from stocktake.survey.engines import cores

NAME = "benchmark-report.pdf"
# Fewer reports than this are made sooner in one process than a second one can start.
ALONE = 4


@dataclass(frozen=True)
class Made:
    """One report: where it is, and whether it was made now or stood there already."""

    organisation: str
    path: Path
    fresh: bool


def make_reports(
    folder: Path,
    organisations: Sequence[str] | None,
    progress: Callable[[Made], None] | None = None,
    begin: Callable[[int], None] | None = None,
) -> list[Made]:
    """Write the reports of the given organisations (None: all) to folder/reports/CODE/, those up to date left alone.

    `begin` is told how many reports there are to be, `progress` each one as it is there.

    Raises StocktakeError for an unknown code, or with every report that could not be made.
    """
    run = _run(folder)
    wanted = list(run.organisations) if organisations is None else list(dict.fromkeys(organisations))
    unknown = [c for c in wanted if c not in run.organisations]
    if unknown:
        known = list(run.organisations)
        raise StocktakeError([f"no organisation {c!r} in these results.{nearest(c, known)}" for c in unknown])
    if begin is not None:
        begin(len(wanted))
    stamp = _stamp(run)
    made = [Made(c, _path(folder, c), False) for c in wanted if _is_current(_path(folder, c), stamp)]
    for one in made:
        if progress is not None:
            progress(one)
    standing = {m.organisation for m in made}
    todo = [c for c in wanted if c not in standing]
    workers = 1 if len(todo) < ALONE else min(cores(), len(todo))
    problems: list[str] = []
    if workers == 1:
        for code in todo:
            made.append(_make(folder, code, stamp))
            if progress is not None:
                progress(made[-1])
    else:
        # A fresh interpreter in each process: a fork would copy the threads' locks of the libraries loaded here.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_interrupts) as pool:
            jobs = {pool.submit(_make, folder, code, stamp): code for code in todo}
            try:
                for job in as_completed(jobs):
                    try:
                        made.append(job.result())
                        if progress is not None:
                            progress(made[-1])
                    except StocktakeError as error:
                        problems.extend(error.problems)
            except KeyboardInterrupt:
                # The reports under way are finished; none of those that wait is begun.
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    if problems:
        raise StocktakeError([*problems, f"The other {len(made)} reports are there."])
    order = {c: i for i, c in enumerate(wanted)}
    return sorted(made, key=lambda m: order[m.organisation])


def _leave_interrupts() -> None:
    # Ctrl-C reaches every process of a terminal; only the first decides what becomes of the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def _run(folder: Path) -> Run:
    return open_run(folder)


def _path(folder: Path, organisation: str) -> Path:
    return folder / "reports" / organisation / NAME


def _stamp(run: Run) -> str:
    """What a report depends on: the results, the run's settings and the theme."""
    logo = b"" if run.theme.logo is None else ((run.theme.folder or Path()) / run.theme.logo).read_bytes()
    parts = (
        __version__,
        hashlib.sha256(logo).hexdigest(),
        run.results.digest,
        run.settings.model_dump_json(),
        run.theme.model_dump_json(),
        run.survey.model_dump_json(),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _is_current(path: Path, stamp: str) -> bool:
    beside = path.with_suffix(".made")
    return path.is_file() and beside.is_file() and beside.read_text() == stamp


def _make(folder: Path, organisation: str, stamp: str) -> Made:
    path = _path(folder, organisation)
    beside = path.with_suffix(".made")
    beside.unlink(missing_ok=True)
    # What a killed process may have left half written.
    for part in path.parent.glob(f".{path.name}.*.part"):
        part.unlink()
    _run(folder).report(organisation).write_pdf(path)
    beside.write_text(stamp)
    return Made(organisation, path, True)

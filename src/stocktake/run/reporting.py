"""Every organisation's reports of a folder, on every core; an interrupted run leaves no half file and resumes."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from stocktake import __version__
from stocktake.problems import StocktakeError, nearest
from stocktake.run.core import Edition, Run, Unavailable, open_run
from stocktake.survey.engines import cores

Format = Literal["pdf", "pptx", "xlsx", "ods"]
Paper = Literal["a3", "a4"]

NAMES: dict[Edition, str] = {"trust": "benchmark-report", "service-groups": "service-groups-report", "poster": "poster"}
EDITIONS: tuple[Edition, ...] = ("trust", "service-groups", "poster")
FORMATS: tuple[Format, ...] = ("pdf", "pptx", "xlsx", "ods")
# Fewer organisations than this are done sooner in one process than a second one can start.
ALONE = 4


@dataclass(frozen=True)
class Document:
    """One file of an organisation: which edition, in which format, and for a poster on which paper."""

    edition: Edition
    format: Format
    paper: Paper = "a4"

    @property
    def name(self) -> str:
        paper = f"-{self.paper}" if self.edition == "poster" else ""
        return f"{NAMES[self.edition]}{paper}.{self.format}"


@dataclass(frozen=True)
class Made:
    """One file: where it is, and whether it was made now or stood there already; or why there is none."""

    organisation: str
    path: Path
    fresh: bool
    missing: str = ""


def documents(editions: Sequence[Edition], formats: Sequence[Format]) -> list[Document]:
    """The files to make of each organisation; a poster is a PDF, in two sizes."""
    out = []
    for edition in editions:
        if edition == "poster":
            papers: tuple[Paper, ...] = ("a4", "a3")
            out += [Document("poster", "pdf", paper) for paper in papers]
        else:
            out += [Document(edition, form) for form in formats]
    return out


def make_reports(
    folder: Path,
    organisations: Sequence[str] | None,
    progress: Callable[[Made], None] | None = None,
    begin: Callable[[int], None] | None = None,
    *,
    editions: Sequence[Edition] = ("trust",),
    formats: Sequence[Format] = ("pdf",),
) -> list[Made]:
    """Write the reports of the given organisations (None: all) to folder/reports/CODE/, those up to date left alone.

    `begin` is told how many files there are to be, `progress` each one as it is there. An edition that these results
    do not make comes back with the reason in `missing`.

    Raises StocktakeError for an unknown code, or with every report that could not be made.
    """
    run = _run(folder)
    wanted = list(run.organisations) if organisations is None else list(dict.fromkeys(organisations))
    unknown = [c for c in wanted if c not in run.organisations]
    if unknown:
        known = list(run.organisations)
        raise StocktakeError([f"no organisation {c!r} in these results.{nearest(c, known)}" for c in unknown])
    files = documents(editions, formats)
    if begin is not None:
        begin(len(wanted) * len(files))
    stamp = _stamp(run)
    todo = [c for c in wanted if any(not _is_current(_path(folder, c, d), stamp) for d in files)]
    done = [c for c in wanted if c not in set(todo)]
    made = [Made(c, _path(folder, c, d), False) for c in done for d in files]

    def told(new: list[Made]) -> None:
        made.extend(new)
        for one in new:
            if progress is not None:
                progress(one)

    for one in made:
        if progress is not None:
            progress(one)
    problems: list[str] = []
    workers = 1 if len(todo) < ALONE else min(cores(), len(todo))
    if workers == 1:
        for code in todo:
            told(_make(folder, code, files, stamp))
    else:
        # A fresh interpreter in each process: a fork would copy the threads' locks of the libraries loaded here.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=leave_interrupts) as pool:
            jobs = [pool.submit(_make, folder, code, files, stamp) for code in todo]
            try:
                for job in as_completed(jobs):
                    try:
                        told(job.result())
                    except StocktakeError as error:
                        problems.extend(error.problems)
            except KeyboardInterrupt:
                # The reports under way are finished; none of those that wait is begun.
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    if problems:
        raise StocktakeError([*problems, f"The other {sum(not m.missing for m in made)} files are there."])
    order = {c: i for i, c in enumerate(wanted)}
    place = {d.name: i for i, d in enumerate(files)}
    return sorted(made, key=lambda m: (order[m.organisation], place[m.path.name]))


def leave_interrupts() -> None:
    """Let only the first process decide what Ctrl-C does."""
    # Ctrl-C reaches every process of a terminal; only the first decides what becomes of the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def _run(folder: Path) -> Run:
    return open_run(folder)


def _path(folder: Path, organisation: str, document: Document) -> Path:
    return folder / "reports" / organisation / document.name


def _beside(path: Path) -> Path:
    """What says from which results a file was made."""
    return path.with_name(f".{path.name}.made")


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
    beside = _beside(path)
    return path.is_file() and beside.is_file() and beside.read_text() == stamp


def _make(folder: Path, organisation: str, files: Sequence[Document], stamp: str) -> list[Made]:
    """All of one organisation's files; what it shares between formats is worked out once."""
    run = _run(folder)
    made = []
    for document in files:
        path = _path(folder, organisation, document)
        if _is_current(path, stamp):
            made.append(Made(organisation, path, False))
            continue
        _beside(path).unlink(missing_ok=True)
        # What a killed process may have left half written.
        for part in path.parent.glob(f".{path.name}.*.part"):
            part.unlink()
        try:
            run.report(organisation, document.edition).write(path, document.paper)
        except Unavailable as error:
            path.unlink(missing_ok=True)
            made.append(Made(organisation, path, False, str(error)))
            continue
        _beside(path).write_text(stamp)
        made.append(Made(organisation, path, True))
    return made

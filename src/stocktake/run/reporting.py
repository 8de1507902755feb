"""Every organisation's reports of a folder, on every core; an interrupted run leaves no half file and resumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stocktake.codes import file_name
from stocktake.files import write_file, writing
from stocktake.problems import StocktakeError, nearest
from stocktake.run.core import Edition, Run, Unavailable, open_run
from stocktake.run.documents import Document, Format, documents, national_contents
from stocktake.run.pool import on_every_core
from stocktake.run.stamps import is_current, note_of, stamp_of, write_stamped

# Fewer organisations than this are done sooner in one process than a second one can start.
ALONE = 4


@dataclass(frozen=True)
class Made:
    """One file: where it is, and whether it was made now or stood there already; or why there is none."""

    organisation: str
    path: Path
    fresh: bool
    missing: str = ""


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

    `begin` is called with how many files there are to be, `progress` with each one as it is there. An edition that
    these results do not make comes back with the reason in `missing`.

    Raises StocktakeError for an unknown code, with every report that could not be made, and where withheld figures
    could be worked out from the reports.
    """
    _run.cache_clear()
    run = _run(folder)
    wanted = chosen(organisations, list(run.organisations))
    run.check_disclosure()
    files = documents(editions, formats)
    if begin is not None:
        begin(len(wanted) * len(files))
    with writing(folder):
        stamp = _stamp(run)
        todo = [c for c in wanted if any(not is_current(_path(folder, c, d), stamp) for d in files)]
        waiting = set(todo)
        there = [Made(c, _path(folder, c, d), False) for c in wanted if c not in waiting for d in files]
        made = make_files(_make, [(folder, code, files, stamp) for code in todo], ALONE, progress, there)
    order = {c: i for i, c in enumerate(wanted)}
    place = {d.name: i for i, d in enumerate(files)}
    return sorted(made, key=lambda m: (order[m.organisation], place[m.path.name]))


def chosen(
    organisations: Sequence[str] | None, known: Sequence[str], default: Sequence[str] | None = None
) -> list[str]:
    """The organisations that were asked for, each once; None means the default, or all that are known.

    Raises StocktakeError with every code that is not known.
    """
    if organisations is None:
        return list(known if default is None else default)
    everyone = set(known)
    unknown = [c for c in organisations if c not in everyone]
    if unknown:
        raise StocktakeError([f"no organisation {c!r} in these results.{nearest(c, known)}" for c in unknown])
    return list(dict.fromkeys(organisations))


def make_files(
    work: Callable[..., list[Made]],
    jobs: Sequence[tuple[Any, ...]],
    alone: int,
    progress: Callable[[Made], None] | None,
    there: Sequence[Made] = (),
) -> list[Made]:
    """What every job made, on every core, behind what was `there` before; `progress` is called with each file.

    Raises StocktakeError with the problems of all jobs when the others are done.
    """
    made: list[Made] = []
    problems: list[str] = []

    def add(new: Sequence[Made]) -> None:
        made.extend(new)
        for one in new:
            if progress is not None:
                progress(one)

    add(there)
    for _, result in on_every_core(work, jobs, alone=alone):
        if isinstance(result, StocktakeError):
            problems.extend(result.problems)
        else:
            add(result)
    if problems:
        raise StocktakeError([*problems, f"The other {sum(not m.missing for m in made)} files are there."])
    return made


def make_national_documents(folder: Path, names: Sequence[str]) -> list[Path]:
    """Write the documents about all organisations to folder/national/: national tables, the method annex."""
    if not names:
        return []
    run = open_run(folder)
    run.check_disclosure()
    out = folder / "national"
    with writing(folder):
        return [write_file(out / name, content, inside=out) for name, content in national_contents(run, names)]


@cache
def _run(folder: Path) -> Run:
    return open_run(folder)


def _path(folder: Path, organisation: str, document: Document) -> Path:
    return folder / "reports" / file_name(organisation) / document.name


def _stamp(run: Run) -> str:
    """What a report depends on: the results, the run's settings, the instrument and the theme with its files."""
    return stamp_of(run.theme, (run.results.digest, run.settings.model_dump_json(), run.survey.model_dump_json()))


def _make(folder: Path, organisation: str, files: Sequence[Document], stamp: str) -> list[Made]:
    """All of one organisation's files; what it shares between formats is worked out once."""
    run = _run(folder)
    root = folder / "reports"
    made = []
    for document in files:
        path = _path(folder, organisation, document)
        if is_current(path, stamp):
            made.append(Made(organisation, path, False))
            continue
        try:
            content = document.content(run, organisation)
        except Unavailable as error:
            path.unlink(missing_ok=True)
            note_of(path).unlink(missing_ok=True)
            made.append(Made(organisation, path, False, str(error)))
            continue
        write_stamped(path, content, stamp, root)
        made.append(Made(organisation, path, True))
    return made

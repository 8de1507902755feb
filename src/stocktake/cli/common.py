"""What all commands share: how they print, show progress, and read lists of names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from rich.console import Console

Folder = Annotated[Path, Parameter(help="A folder with survey.yaml.")]


def me() -> str:
    """How this command was called, so that the next one can be: it need not be on the path."""
    import shutil

    return "stocktake" if shutil.which("stocktake") else sys.argv[0]


def output() -> Console:
    """Where commands print."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, markup=False)


def chosen(what: str, given: str, known: Sequence[Any]) -> list[Any]:
    """The names of a list with commas; StocktakeError for one that is not known."""
    from stocktake.problems import StocktakeError, nearest

    names = list(dict.fromkeys(n.strip().lower() for n in given.split(",") if n.strip()))
    problems = [f"no {what} {n!r}; expected {', '.join(known)}.{nearest(n, known)}" for n in names if n not in known]
    if problems or not names:
        raise StocktakeError(problems or f"say {'an' if what[0] in 'aeiou' else 'a'} {what}: {', '.join(known)}.")
    return names


def progress(what: str):  # type: ignore[no-untyped-def]
    """A progress line on a terminal; nothing where the output is a file."""
    from contextlib import contextmanager

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    @contextmanager
    def bar():  # type: ignore[no-untyped-def]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, transient=True) as progress:
            task = progress.add_task(what, total=None)
            yield lambda n, total=None: progress.update(task, advance=n, total=total or progress.tasks[0].total)

    return bar()
